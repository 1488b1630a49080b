"""One notebook marked: its cells run in the sandbox, its answers judged here.

The judging is that of ``check()``: the same cases, reference, comparison and hints. Only the calls of the
learner's work happen elsewhere, and come back as plain data.
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from utils.checks import engine
from utils.checks.exercise import Case, Exercise
from utils.checks.guard import Failure, Guard, Outcome
from utils.checks.result import FAILED, PASSED, TOO_SLOW, Result
from utils.checks.values import copy_plain, same

from . import plain
from .sandbox import Kernel, KernelGone, Limits, SandboxUnavailable
from .transcript import Recorder, Replay
from .view import probe_of

MISSING = "not found"
NOT_MARKED = "not marked"
_REPLAY_SECONDS = 20.0  # for a probe outside, which computes with what the work returned
_SOME_SEEDS = (1, 2, 3)  # enough to see which outcomes change with the seed
_STARTS = 3  # times a fresh kernel may fail to start before the run is given up
_SLACK = 10.0  # seconds for an answer beyond the exercise's own limit: loading, sending, a busy machine
_FIELDS = {"type_name": 80, "message": 300, "source": 200, "function": 80}  # characters kept of each


@dataclass(frozen=True)
class Mark:
    """What one exercise brought.

    Attributes:
        exercise, title, of: which it is, and the points it can bring.
        points: those it brought.
        status: the result's status, "not found" or "not marked".
        message: why, in a sentence or two.
        hint: what the learner probably did.
        notes: what else is worth saying.
        failure: the first failing case: number, note, inputs, expected, got, what.
        groups: right cases and all cases by group.
        seed: the cases come again with it.
    """

    exercise: str
    title: str
    points: float
    of: float
    status: str
    message: str
    hint: str = ""
    notes: tuple[str, ...] = ()
    failure: dict[str, Any] | None = None
    groups: dict[str, tuple[int, int]] = field(default_factory=dict)
    seed: int | None = None


@dataclass
class Examination:
    """Everything the marking of a notebook needs and notes down on its way."""

    exercises: Sequence[Exercise]
    cells: Sequence[str]
    seed: int
    limits: Limits
    view: Path
    data: Path
    sandboxed: bool = True
    fresh: bool = False
    remarks: list[str] = field(default_factory=list)
    skipped: set[int] = field(default_factory=set)
    marks: dict[str, Mark] = field(default_factory=dict)
    restarts: int = 0
    failed_starts: int = 0
    errors: dict[int, str] = field(default_factory=dict)


def examine(exam: Examination) -> list[Mark]:
    """Mark all exercises of a notebook. Whatever the submission does, each ends with a mark and a reason."""
    end = time.monotonic() + exam.limits.wall
    while open_exercises(exam) and time.monotonic() < end and exam.restarts <= exam.limits.restarts:
        _one_kernel(exam, end)
        exam.restarts += 1
    over = time.monotonic() >= end
    why = (
        f"The time for the whole notebook ({exam.limits.wall:.0f} seconds) was over before this exercise."
        if over
        else "The notebook ended its kernel too often for this exercise to be reached."
    )
    for exercise in open_exercises(exam):
        exam.marks[exercise.id] = unmarked(exercise, NOT_MARKED, why)
    return [exam.marks[exercise.id] for exercise in exam.exercises]


def open_exercises(exam: Examination) -> list[Exercise]:
    """The exercises that have no mark yet."""
    return [exercise for exercise in exam.exercises if exercise.id not in exam.marks]


def unmarked(exercise: Exercise, status: str, why: str) -> Mark:
    """No points, and the reason."""
    return Mark(exercise.id, exercise.title, 0.0, float(exercise.points), status, why)


def _one_kernel(exam: Examination, end: float) -> None:
    """Run the cells and mark what is open, until all is marked or the kernel has gone."""
    try:
        kernel = Kernel(exam.limits, exam.view, exam.data, sandboxed=exam.sandboxed, fresh=exam.fresh)
    except KernelGone as gone:  # nothing of the submission has run yet: not its fault
        exam.failed_starts += 1
        if exam.failed_starts > _STARTS:
            raise SandboxUnavailable(f"A fresh kernel does not start in the sandbox: {gone}") from None
        return
    with kernel:
        if not _run_cells(exam, kernel, end):
            return
        for exercise in open_exercises(exam):
            left = end - time.monotonic()
            if left <= 0:
                return
            try:
                exam.marks[exercise.id] = _mark(exam, kernel, exercise, left)
            except KernelGone as gone:
                why = f"The kernel was lost while this exercise was tried: {gone}"
                exam.marks[exercise.id] = unmarked(exercise, TOO_SLOW, why)
                return


def _run_cells(exam: Examination, kernel: Kernel, end: float) -> bool:
    """Run all cells but those that ended an earlier kernel; False if this one has gone as well."""
    for number, code in enumerate(exam.cells, start=1):
        left = end - time.monotonic()
        if number in exam.skipped:
            continue
        if left <= 0:
            return False
        try:
            reply = kernel.run(code, min(exam.limits.cell, left))
        except KernelGone as gone:
            exam.skipped.add(number)
            exam.remarks.append(f"{_cell(number, code)} ended the kernel and was left out. {gone}")
            return False
        if reply is None:
            seconds = f"{min(exam.limits.cell, left):.0f}"
            exam.errors[number] = f"ran for more than {seconds} seconds and was stopped"
            exam.remarks.append(f"{_cell(number, code)} {exam.errors[number]}.")
            if exam.limits.cell * 2 > end - time.monotonic():  # no second time: others want to be marked
                exam.skipped.add(number)
        elif reply.get("status") == "error":
            name, text = _words(reply.get("ename"), 80), _words(reply.get("evalue"), 200)
            exam.errors[number] = f"ends with {name}: {text}" if text else f"ends with {name}"
    return True


def _cell(number: int, code: str) -> str:
    first = next((line.strip() for line in code.splitlines() if line.strip()), "")
    return f"Code cell {number} (`{first[:60].replace('`', '')}`)"


# ------------------------------------------------------------------------------------ one exercise


def _mark(exam: Examination, kernel: Kernel, exercise: Exercise, left: float) -> Mark:
    seed = exam.seed
    cases, _ = engine.known_answers(exercise, seed)
    answer = _ask(exam, kernel, exercise, cases, seed, left)
    if isinstance(answer, Mark):
        return answer
    work = answer["work"]
    problem = _form_problem(exercise, work)
    if problem:
        return _marked(exercise, Result(exercise.id, FAILED, problem, title=exercise.title, seed=seed))
    try:
        trial = _trial(exercise, cases, seed, answer)
    except (plain.NotPlain, KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"What came back from the notebook cannot be read: {error}"
        return unmarked(exercise, NOT_MARKED, why[:300])
    return _marked(exercise, engine.judge(exercise, trial))


def _ask(
    exam: Examination, kernel: Kernel, exercise: Exercise, cases: Sequence[Case], seed: int, left: float
) -> dict | Mark:
    """What the sandbox says about the work; a mark if it says nothing that can be judged."""
    question = {
        "exercise": exercise.id,
        "name": exercise.name,
        "probe": probe_of(exercise),
        "replayed": can_be_replayed(exercise),
        "seed": seed,
        "seconds": exercise.time_limit,
        "cases": [plain.encode(case.args) for case in cases],
        "again": 0 if exercise.may_vary else engine.REPEATED,
        "largest": exam.limits.reply * 2**20,
    }
    text = json.dumps(json.dumps(question, separators=(",", ":")))
    inside = "__import__('utils.grading.inside', fromlist=['answer'])"
    said = kernel.ask(f"{inside}.answer({text}, globals())", min(exercise.time_limit + _SLACK, left))
    try:
        answer = json.loads(said)
        found = answer["found"]
        if found and not isinstance(answer["work"], dict):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        return unmarked(exercise, NOT_MARKED, "The notebook's kernel gave no answer that can be read.")
    if not found:
        return unmarked(exercise, MISSING, _why_missing(exam, exercise))
    if answer.get("too_large"):
        limit = f"{exam.limits.reply} MB"
        return unmarked(exercise, FAILED, f"What `{exercise.name}` returns is larger than {limit}.")
    return answer


def _why_missing(exam: Examination, exercise: Exercise) -> str:
    """Why there is no work: its cell failed, was left out, or is not there."""
    name = exercise.name
    for number, code in enumerate(exam.cells, start=1):
        if f"def {name}" in code or f"class {name}" in code:
            if number in exam.skipped:
                return f"The cell that should define `{name}` ended the kernel and was left out."
            if number in exam.errors:
                return f"The cell that should define `{name}` {exam.errors[number]}."
    return f"There is no `{name}` in the notebook after all its cells have run."


def _form_problem(exercise: Exercise, work: dict) -> str:
    """What is wrong with the kind of the work or with its parameters, in the words of ``check()``."""
    stand_in = _stand_in(work)
    return engine.work_problem(exercise, stand_in) or engine.signature_problem(exercise, stand_in)


def _stand_in(work: dict) -> Any:
    """Something of the same kind and with the same parameters as the learner's work."""
    if not work.get("callable"):
        return plain.decode({"type": str(work.get("type", "object")), "error": False})
    signature = _signature(work.get("parameters"))
    if work.get("class"):
        made: Any = type("Work", (), {})
    else:

        def made(*args: Any) -> None: ...

    if signature is not None:
        made.__signature__ = signature
        return made
    return max  # a built-in function, whose parameters cannot be told


def _signature(parameters: Any) -> inspect.Signature | None:
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    str(name)[:60],
                    inspect._ParameterKind(kind),
                    default=None if given else inspect.Parameter.empty,
                )
                for name, kind, given in parameters[:50]
            ]
        )
    except (TypeError, ValueError):
        return None


def _trial(exercise: Exercise, cases: Sequence[Case], seed: int, answer: dict) -> engine.Trial:
    """The trial that ``check()`` would have made, from what the sandbox says."""
    _, expected = engine.known_answers(exercise, seed)
    told = answer["outcomes"][: len(cases)]
    if not told:
        raise ValueError("no outcome at all")
    got = tuple(_outcomes(exercise, cases, expected, seed, told))
    if len(got) < len(cases) and not _ends(got[-1]):
        raise ValueError(f"{len(got)} outcomes for {len(cases)} cases")
    mutated = tuple(
        engine.changed_arguments(exercise, case.args, _after(case, one))
        for case, one in zip(cases, told, strict=False)
    )
    varied = _varied(exercise, cases, expected, seed, got, answer)
    return engine.Trial(seed, tuple(cases), expected, got, mutated, varied)


def _ends(outcome: Outcome) -> bool:
    """True if the cases after this one are not tried."""
    not_started = outcome.failure is not None and outcome.failure.not_started
    return outcome.timed_out or outcome.interrupted or not_started


def _after(case: Case, told: dict) -> tuple:
    after = plain.decode(told["after"])
    if not isinstance(after, tuple) or len(after) != len(case.args):
        raise ValueError("other arguments than were sent")
    return after


def _varied(
    exercise: Exercise,
    cases: Sequence[Case],
    expected: Sequence[Outcome],
    seed: int,
    got: Sequence[Outcome],
    answer: dict,
) -> tuple[int, Outcome] | None:
    """The first case whose second call gave something else."""
    if exercise.may_vary:
        return None
    second = answer["again"][: engine.REPEATED]
    if len(got) == len(cases) and not _ends(got[-1]) and len(second) < min(engine.REPEATED, len(cases)):
        raise ValueError("second calls are missing")
    for number, again in enumerate(_outcomes(exercise, cases, expected, seed, second)):
        if not engine.same_outcome(exercise, got[number], again):
            return number, again
    return None


def _outcomes(
    exercise: Exercise, cases: Sequence[Case], expected: Sequence[Outcome], seed: int, told: Sequence[dict]
) -> Iterator[Outcome]:
    """The outcomes of the first cases. One that would be right has to be right outside as well, where that
    can be seen: the probe inside may have been made to say so."""
    with Guard(exercise.probe, _REPLAY_SECONDS, seed) as guard:
        for case, want, one in zip(cases, expected, told, strict=False):
            inside = _outcome(one)
            right = engine.same_outcome(exercise, want, inside)
            if not right or not can_be_replayed(exercise):
                yield inside
                continue
            work, args = Replay(one["calls"]), copy_plain(case.args)
            seen = guard.run(lambda work=work, args=args: exercise.probe(work, *args))
            yield replace(seen, printed=inside.printed)


@cache
def can_be_replayed(exercise: Exercise) -> bool:
    """True if the probe comes to the same on a transcript: tried with the reference."""
    if probe_of(exercise) is None or exercise.kind == "class":
        return False
    for seed in (1, 2):
        cases = engine.make_cases(exercise, seed)
        expected = engine.expected_outcomes(exercise, cases, seed)
        with Guard(exercise.reference, _REPLAY_SECONDS, seed) as guard:
            for case, want in zip(cases, expected, strict=True):
                recorder, args, again = Recorder(exercise.reference), *(copy_plain(case.args) for _ in "12")
                guard.run(lambda recorder=recorder, args=args: exercise.probe(recorder, *args))
                replay = Replay(recorder.calls)
                have = guard.run(lambda replay=replay, args=again: exercise.probe(replay, *args))
                if not engine.same_outcome(exercise, want, have) or have.timed_out:
                    return False
    return True


@cache
def drawn_cases(exercise: Exercise) -> frozenset[int]:
    """Numbers of the cases, from 0, whose right answers are not known before this run's inputs are drawn.

    Such are those whose outcome changes with the seed, and, where a probe's verdict is reached outside on
    what the work returned, those whose inputs change with it.
    """
    trials = []
    for seed in _SOME_SEEDS:
        cases = engine.make_cases(exercise, seed)
        trials.append((cases, engine.expected_outcomes(exercise, cases, seed)))
    return frozenset(
        number
        for number in range(min(len(cases) for cases, _ in trials))
        if _is_drawn(exercise, [(cases[number], outcomes[number]) for cases, outcomes in trials])
    )


def _is_drawn(exercise: Exercise, seen: Sequence[tuple[Case, Outcome]]) -> bool:
    (first, outcome), *others = seen
    if not all(engine.same_outcome(exercise, outcome, other) for _, other in others):
        return True
    if outcome.failure or not can_be_replayed(exercise):
        return False
    return not all(same(first.args, case.args) for case, _ in others)


def _outcome(told: dict) -> Outcome:
    failure = told["failure"]
    return Outcome(
        output=None if failure else plain.decode(told["output"]),
        failure=_failure(failure) if failure else None,
        printed=_words(told["printed"], 500),
        timed_out=told["timed_out"] is True,
        interrupted=told["interrupted"] is True,
    )


def _failure(told: dict) -> Failure:
    line = told["line"]
    words = {name: _words(told[name], longest) for name, longest in _FIELDS.items()}
    line = line if type(line) is int and 0 < line < 10**6 else None
    return Failure(**words, line=line, not_started=told["not_started"] is True)


def _words(text: Any, longest: int) -> str:
    return str(plain.decode(text if isinstance(text, str) else ""))[:longest]


# ------------------------------------------------------------------------------------------ credit


def _marked(exercise: Exercise, result: Result) -> Mark:
    return Mark(
        exercise.id,
        exercise.title,
        points_for(exercise, result),
        float(exercise.points),
        result.status,
        result.message,
        result.hint,
        (*result.notes, *_why_no_share(exercise, result)),
        asdict(result.failure) if result.failure else None,
        dict(result.tally),
        result.seed,
    )


def points_for(exercise: Exercise, result: Result) -> float:
    """Full points for what has passed, else the share of case groups in which every case is right.

    Work that keeps state from call to call may have every case right and is wrong all the same: that counts
    as one more group. A share is given only beside a right answer to inputs that were drawn for this run:
    what is always the same ("raises ValueError", 0 for an empty batch) can be said without any work.
    """
    if result.status == PASSED:
        return float(exercise.points)
    if not _earns_a_share(exercise, result):
        return 0.0
    right = sum(passed == number for passed, number in result.tally.values())
    groups = len(result.tally) + (right == len(result.tally))
    return round(exercise.points * right / groups, 2) if groups else 0.0


def _earns_a_share(exercise: Exercise, result: Result) -> bool:
    drawn = drawn_cases(exercise)
    return not drawn or not drawn.isdisjoint(result.right)


def _why_no_share(exercise: Exercise, result: Result) -> tuple[str, ...]:
    """What to say to somebody who has whole groups right and gets nothing for them."""
    whole = any(passed == number for passed, number in result.tally.values())
    if not whole or _earns_a_share(exercise, result):
        return ()
    return ("Only cases whose answer is always the same are right. They count beside others, not alone.",)
