"""The instant check: run the cases, compare with the reference, find out what went wrong.

The judging itself (:func:`judge`) takes outcomes, plain data, and does not care in which process the
learner's work was run. :func:`check` runs it here, in the learner's own kernel, which is good for
learning and no protection against cheating.
"""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch

from . import record
from .bank import all_exercises, close_matches, wrong_work
from .diagnose import diagnose
from .exercise import GROUPS, Case, Exercise, NotAsAsked, Stopped
from .guard import Failure, Guard, Outcome, last_line, load_optimizers_for
from .result import (
    ERROR,
    FAILED,
    NOT_CHECKED,
    NOT_STARTED,
    PASSED,
    TOO_SLOW,
    FirstFailure,
    Result,
    shown_inputs,
)
from .values import Difference, Rules, compare, copy_plain, is_plain, kind_words, same, show

_MISSING = object()
_REFERENCE_SECONDS = 10.0
_NO_ERRORS = (NotAsAsked.__name__, Stopped.__name__)  # raised by probes, in words of their own
REPEATED = 2  # cases that are run a second time to see whether the work keeps state


def check(exercise_id: str, work: Any = _MISSING, *, seed: int | None = None) -> Result:
    """Check the work for an exercise and say at once what is right and what is not.

    Args:
        exercise_id: such as ``"01.neuron"``.
        work: what the exercise asks for, nearly always a function: its name, without parentheses.
        seed: repeats the cases of an earlier check; None draws new ones.

    Returns:
        A :class:`Result`, which shows itself. Nothing that the work does makes this raise; only your
        own interruption of the check itself, outside the work, comes through.
    """
    try:
        result = _check(exercise_id, work, seed)
    except Exception as error:
        return Result(
            str(exercise_id),
            NOT_CHECKED,
            f"The check itself failed, which is not your fault: {type(error).__name__}: {error}. "
            "Please report it with the code of your cell.",
        )
    if result.status in (PASSED, FAILED, ERROR, TOO_SLOW):
        note = record.remember(result.exercise_id, passed=result.ok)
        result = replace(result, notes=(*result.notes, note)) if note else result
    return result


def _check(exercise_id: str, work: Any, seed: int | None) -> Result:
    exercise = all_exercises().get(exercise_id) if isinstance(exercise_id, str) else None
    if exercise is None:
        return Result(str(exercise_id), NOT_CHECKED, unknown_id(exercise_id))
    problem = work_problem(exercise, work)
    if problem:
        return Result(exercise.id, NOT_CHECKED, problem, title=exercise.title)
    problem = signature_problem(exercise, work)
    if problem:
        return Result(exercise.id, FAILED, problem, title=exercise.title)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    trial = run_cases(exercise, work, seed)
    return judge(exercise, trial)


# ------------------------------------------------------------------------------ before anything runs


def unknown_id(exercise_id: object) -> str:
    """What to say about an id that no exercise has."""
    if not isinstance(exercise_id, str):
        return (
            f'The first argument is the exercise\'s id, a text such as `"01.neuron"`; this is '
            f"{kind_words(exercise_id)}."
        )
    near = close_matches(exercise_id)
    listed = " or ".join(f"`{name}`" for name in near)
    meant = f"Did you mean {listed}?" if near else "`progress()` lists them all."
    return f"There is no exercise called `{exercise_id}`. {meant}"


def work_problem(exercise: Exercise, work: Any) -> str:
    usage = f'`check("{exercise.id}", {exercise.name})`'
    if work is _MISSING:
        return f"The check needs your work as well: {usage}."
    if exercise.kind == "class" and not inspect.isclass(work):
        made = type(work).__name__ == exercise.name
        given = f"an object made from it, `{exercise.name}(…)`" if made else kind_words(work)
        return (
            f"The check needs your class `{exercise.name}` itself, but it was given {given}. Write its name "
            f"without parentheses: {usage}."
        )
    if not callable(work):
        return (
            f"The check needs your function `{exercise.name}` itself, but it was given {kind_words(work)}. "
            f"Write its name without parentheses after it: {usage}."
        )
    return ""


def signature_problem(exercise: Exercise, work: Callable) -> str:
    """What is wrong with the work's parameters, or "" if it can be called as the exercise says."""
    try:
        have = inspect.signature(work)
    except (TypeError, ValueError):
        return ""  # built-in functions do not tell theirs
    wanted = inspect.signature(exercise.reference).parameters
    positional = [p for p in wanted.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    named = {p.name: None for p in wanted.values() if p.kind is p.KEYWORD_ONLY}
    names, yours = [p.name for p in positional], list(have.parameters)
    count = f"{len(names)} argument{'s' if len(names) != 1 else ''}" if names else "no arguments"
    asked = f"`{exercise.name}` should take {count}: `{exercise.signature}`"
    try:
        have.bind(*positional, **named)
        missing = _missing_defaults(have, positional)
        if missing:
            return f"{asked}. Yours has no default value: {missing} is what counts when a call leaves it out."
        have.bind(*required, **named)
    except TypeError:
        listed = f"`({', '.join(str(p) for p in have.parameters.values())})`"
        return f"{asked}. Yours takes {len(yours) or 'none'}{f': {listed}' if yours else ''}."
    if sorted(yours) == sorted(names) and yours != names:
        return f"{asked}, in this order. Yours has them in another order: `({', '.join(yours)})`."
    return ""


def _missing_defaults(have: inspect.Signature, wanted: Sequence[inspect.Parameter]) -> str:
    """The parameters of these that have a default value, but have none in the work: "`slope=0.01`"."""
    yours = [p for p in have.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    lacking = [
        f"`{want.name}={want.default!r}`"
        for want, mine in zip(wanted, yours, strict=False)
        if want.default is not want.empty and mine.default is mine.empty
    ]
    return " and ".join(lacking)


# ------------------------------------------------------------------------------------------ running


@dataclass(frozen=True)
class Trial:
    """The learner's work beside the reference on the cases of one seed.

    ``got`` is shorter than ``cases`` if the work was stopped; ``mutated`` names, for each case that was
    run, the arguments the work changed; ``varied`` holds the number of a case whose second call gave
    something else, with that second outcome; ``remark`` is what the exercise says of the way that was taken.
    """

    seed: int
    cases: tuple[Case, ...]
    expected: tuple[Outcome, ...]
    got: tuple[Outcome, ...]
    mutated: tuple[tuple[str, ...], ...]
    varied: tuple[int, Outcome] | None = None
    remark: str = ""


def make_cases(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """The exercise's cases for a seed."""
    return tuple(exercise.cases(torch.Generator().manual_seed(seed)))


def expected_outcomes(exercise: Exercise, cases: Sequence[Case], seed: int) -> tuple[Outcome, ...]:
    """What the reference gives on these cases."""
    for used in (exercise.reference, exercise.probe):
        load_optimizers_for(used)
    with Guard(exercise.reference, _REFERENCE_SECONDS, seed) as guard:
        return tuple(_call(exercise, guard, exercise.reference, case)[0] for case in cases)


def known_answers(exercise: Exercise, seed: int) -> tuple[tuple[Case, ...], tuple[Outcome, ...]]:
    """The cases for a seed and what the reference gives on them.

    Kept: a class has the same seed, and every one of its submissions needs them.
    """
    cases, expected = _known_answers(exercise, seed)
    if any(outcome.timed_out or outcome.interrupted for outcome in expected):  # that is of the moment
        _known_answers.cache_clear()
    return cases, expected


@lru_cache(maxsize=256)
def _known_answers(exercise: Exercise, seed: int) -> tuple[tuple[Case, ...], tuple[Outcome, ...]]:
    cases = make_cases(exercise, seed)
    return cases, expected_outcomes(exercise, cases, seed)


def run_cases(exercise: Exercise, work: Callable, seed: int) -> Trial:
    """Run the reference and the work on the cases of a seed."""
    cases, expected = known_answers(exercise, seed)
    load_optimizers_for(work)
    got: list[Outcome] = []
    mutated: list[tuple[str, ...]] = []
    varied, said = None, ""
    with Guard(work, exercise.time_limit, seed) as guard:
        for case in cases:
            outcome, changed = _call(exercise, guard, work, case)
            got.append(outcome)
            mutated.append(changed)
            if outcome.timed_out or outcome.interrupted or (outcome.failure and outcome.failure.not_started):
                break
        else:
            varied = None if exercise.may_vary else _second_call(exercise, guard, work, cases, got)
            said = guard.run(lambda: exercise.remark(work)).output if exercise.remark else ""
    return Trial(seed, cases, expected, tuple(got), tuple(mutated), varied, said or "")


def _call(exercise: Exercise, guard: Guard, work: Callable, case: Case) -> tuple[Outcome, tuple[str, ...]]:
    """One call on a copy of the arguments: what came, and the names of the arguments that were changed."""
    args = copy_plain(case.args)
    outcome = guard.run(lambda: exercise.probe(work, *args))
    return outcome, changed_arguments(exercise, case.args, args)


def changed_arguments(exercise: Exercise, before: tuple, after: tuple) -> tuple[str, ...]:
    """Names of the arguments that the work has changed although it may not."""
    if exercise.may_mutate:
        return ()
    names = exercise.argument_names
    exact = Rules(rtol=0.0, atol=0.0, exact_types=True)
    return tuple(
        names[i] if i < len(names) else f"argument {i + 1}"
        for i, (old, new) in enumerate(zip(before, after, strict=True))
        if not same(old, new, exact)
    )


def _second_call(
    exercise: Exercise, guard: Guard, work: Callable, cases: Sequence[Case], got: Sequence[Outcome]
) -> tuple[int, Outcome] | None:
    for number in range(min(REPEATED, len(cases))):
        again, _ = _call(exercise, guard, work, cases[number])
        if not same_outcome(exercise, got[number], again):
            return number, again
    return None


def same_outcome(exercise: Exercise, a: Outcome, b: Outcome) -> bool:
    """True if two calls gave the same, as this exercise compares."""
    return _same_outcome(a, b, _rules(exercise))


def _rules(exercise: Exercise) -> Rules:
    return Rules(exercise.rtol, exercise.atol, exercise.exact_types, exercise.output_names)


def _same_outcome(a: Outcome, b: Outcome, rules: Rules) -> bool:
    """The same output, or the same type of exception."""
    if a.timed_out or b.timed_out:
        return a.timed_out and b.timed_out
    if a.failure or b.failure:
        return bool(a.failure and b.failure and _kind_of(a.failure) == _kind_of(b.failure))
    return _compare(a.output, b.output, rules) is None


def _kind_of(failure: Failure) -> tuple[str, str]:
    """What two failures must share to count as the same: the type, and where a probe says in its own words
    what is wrong, these words too, whatever the numbers in them."""
    said = failure.message if failure.type_name in _NO_ERRORS else ""
    return failure.type_name, re.sub(r"(?<![A-Za-z])[-−]?\d[\d.,]*(e[-+]?\d+)?", "#", said)


def _compare(expected: Any, got: Any, rules: Rules) -> Difference | None:
    """``compare`` for outputs that a learner may have made of anything at all."""
    try:
        return compare(expected, got, rules)
    except Exception:
        return Difference("types", f"Your result is {kind_words(got)} that cannot be compared.")


# ------------------------------------------------------------------------------------------ judging


def judge(exercise: Exercise, trial: Trial) -> Result:
    """Turn the outcomes of a trial into a result: the first failing case, the tally, the hint."""
    rules = _rules(exercise)
    problems = [
        _problem(expected, got, changed, rules, exercise.kind)
        for expected, got, changed in zip(trial.expected, trial.got, trial.mutated, strict=False)
    ]
    wrong = next((i for i, problem in enumerate(problems) if problem), None)
    first = trial.got[wrong].failure if wrong is not None else None
    base = Result(
        exercise.id,
        PASSED,
        "",
        title=exercise.title,
        tally=_tally(trial.cases, problems),
        right=tuple(i for i, problem in enumerate(problems) if not problem),
        seed=trial.seed,
        call=f'check("{exercise.id}", {exercise.name}, seed={trial.seed})',
    )
    if first is not None and first.not_started:
        message = f"Write `{exercise.name}` in the cell above, run that cell, then this one."
        return replace(base, status=NOT_STARTED, message=message, tally={}, right=())
    if wrong is None and trial.varied is None:
        message = " ".join(filter(None, (_praise(base), trial.remark)))
        return replace(base, message=message, notes=_notes(trial, exercise.kind))
    if wrong is None:
        return _judge_state(exercise, trial, base)
    raised = first is not None and first.type_name not in _NO_ERRORS
    status = TOO_SLOW if trial.got[wrong].timed_out else ERROR if raised else FAILED
    name, hint = recognise(exercise, trial)
    return replace(
        base,
        status=status,
        message=problems[wrong],
        failure=_first_failure(exercise, trial, wrong, problems[wrong]),
        hint=hint,
        misconception=name,
        notes=_notes(trial, exercise.kind),
    )


def _problem(
    expected: Outcome, got: Outcome, changed: tuple[str, ...], rules: Rules, kind: str = "function"
) -> str:
    """What is wrong with one outcome, in a sentence; "" if it is right."""
    if got.timed_out:
        return (
            f"Time is over: your {kind} was still running and has been stopped. "
            "Look for a loop that never ends."
        )
    if got.failure is not None:
        return _failure_problem(expected, got.failure, kind)
    if expected.failure is not None and isinstance(got.output, BaseException):
        return (
            f"Your {kind} returns the error {type(got.output).__name__} as if it were a result, and the "
            "program goes on. It should `raise` it."
        )
    if expected.failure is not None:
        return f"Your {kind} should raise {expected.failure.type_name} here, but it returned something."
    difference = _compare(expected.output, got.output, rules)
    if difference is None and changed:
        names = " and ".join(f"`{name}`" for name in changed)
        return (
            f"The result is right, but your {kind} changes its input {names}: whoever called it loses the "
            "old values. Work on a new tensor."
        )
    return difference.words if difference else ""


def _failure_problem(expected: Outcome, failure: Failure, kind: str) -> str:
    if expected.failure is not None:
        wanted = expected.failure.type_name
        if wanted == failure.type_name:
            return ""
        return f"Your {kind} should raise {wanted} here, but it raised {last_line(failure)}."
    if failure.type_name == NotAsAsked.__name__:
        return failure.message
    where = f" in `{failure.function}`, line {failure.line}" if failure.line else ""
    quoted = f": `{failure.source}`" if failure.source else ""
    place = f"{where}{quoted}"
    if failure.type_name == Stopped.__name__:
        return f"The check stopped your function{place}. {failure.message}."
    match failure.type_name:
        case "SystemExit":
            return f"Your {kind} calls exit{place}. That ends the whole notebook; `return` ends a function."
        case "KeyboardInterrupt":
            return f"Your {kind} was interrupted{place}."
        case "RecursionError":
            return f"Your {kind} calls itself without end (RecursionError){place}."
    return f"Your {kind} raised an error{place}: {last_line(failure)}"


def _tally(cases: Sequence[Case], problems: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Right cases and all cases by group; cases that were not reached count as not right."""
    tally = {}
    for group in GROUPS:
        numbers = [i for i, case in enumerate(cases) if case.group == group]
        if numbers:
            tally[group] = (sum(i < len(problems) and not problems[i] for i in numbers), len(numbers))
    return tally


def _first_failure(exercise: Exercise, trial: Trial, number: int, what: str) -> FirstFailure:
    case, got = trial.cases[number], trial.got[number]
    return FirstFailure(
        number + 1,
        case.note,
        shown_inputs(exercise, case.args),
        _show_outcome(trial.expected[number]),
        _show_outcome(got),
        what,
    )


def _show_outcome(outcome: Outcome) -> str:
    if outcome.timed_out:
        return "nothing before the time was over"
    if outcome.failure is not None:
        named = outcome.failure.type_name in _NO_ERRORS
        return outcome.failure.message if named else last_line(outcome.failure)
    try:
        return show(outcome.output) if is_plain(outcome.output) else kind_words(outcome.output)
    except Exception:  # a learner may return a list that contains itself, a sparse tensor, …
        return kind_words(outcome.output)


def _judge_state(exercise: Exercise, trial: Trial, base: Result) -> Result:
    number, again = trial.varied or (0, Outcome())
    if again.timed_out:
        message = (
            "The result is right, but the call had to be repeated with the same input to see that it comes "
            f"again, and that was not done in time. Your {exercise.kind} is slow, or the computer is busy: "
            "run the check again, and if that does not help look for work that is done twice."
        )
        return replace(
            base,
            status=TOO_SLOW,
            message=message,
            failure=_first_failure(exercise, trial, number, message),
            notes=_notes(trial, exercise.kind),
        )
    message = (
        "The first call gives the right result, but a second call with the same input gives something else. "
        f"Your {exercise.kind} keeps something from one call to the next: a global variable, or a default "
        "value such as a list that is made only once."
    )
    failure = _first_failure(exercise, trial, number, message)
    failure = replace(failure, got=f"{_show_outcome(again)}\n(on the second call)")
    return replace(base, status=FAILED, message=message, failure=failure, notes=_notes(trial, exercise.kind))


def _praise(base: Result) -> str:
    total = sum(number for _, number in base.tally.values())
    if total == 1:
        return "Right."
    return f"Right on all {total} cases: {', '.join(base.tally)} (seed {base.seed})."


def _notes(trial: Trial, kind: str) -> tuple[str, ...]:
    """What else is worth saying: that the work prints, that it changes its input."""
    notes = []
    answers = [o for o in trial.got if o.output is not None or o.failure is not None]
    printed = next((o.printed.strip() for o in answers if o.printed.strip()), "")
    if printed:
        short = printed.splitlines()[0][:60].replace("`", "")
        notes.append(f"Your {kind} prints as well (`{short}`). Only what it returns counts.")
    return tuple(notes)


# ------------------------------------------------------------------------------------- recognising


def recognise(exercise: Exercise, trial: Trial) -> tuple[str, str]:
    """The misconception whose outputs are the learner's on every case: its name and hint.

    Where none fits, the name is empty and the hint is what can be said in general, or empty too.
    """
    if len(trial.got) < len(trial.cases) or trial.got[-1].timed_out:
        return "", ""
    strict = _rules(exercise)
    # first exactly as the exercise compares; then with other types of number; then by values alone,
    # so that somebody who forgets the bias and returns floats for integers still hears of the bias
    lenient = replace(strict, exact_types=False)
    by_value = replace(lenient, any_dtype=True)
    alike = [
        (misconception, outcomes)
        for number, misconception in enumerate(exercise.misconceptions)
        if (outcomes := _outcomes_like(exercise, number, trial, by_value))
    ]
    for rules in dict.fromkeys((strict, lenient, by_value)):
        if _same_outcomes(trial.expected, trial.got, rules):
            break  # nothing but types is wrong, and of those no misconception told
        for misconception, wrong in alike:
            if _same_outcomes(wrong, trial.got, rules) and not _same_outcomes(trial.expected, wrong, rules):
                return misconception.name, misconception.hint
    try:
        return "", diagnose(trial.cases, trial.expected, trial.got, strict)
    except Exception:  # outputs that are nothing one could compute with
        return "", ""


def _outcomes_like(exercise: Exercise, number: int, trial: Trial, rules: Rules) -> list[Outcome]:
    """The outcomes of a misconception on all cases; empty as soon as one is not the learner's."""
    wrong = _known_wrong(exercise, number, trial.seed)
    outcomes, guard = [], None
    with ExitStack() as stack:
        for i, (case, got) in enumerate(zip(trial.cases, trial.got, strict=True)):
            known = i < len(wrong.outcomes)
            if not known and guard is None:  # most are told apart by what is known
                guard = stack.enter_context(Guard(wrong.work, exercise.time_limit, trial.seed))
            outcome = wrong.outcomes[i] if known else _call(exercise, guard, wrong.work, case)[0]
            if (
                outcome.timed_out or outcome.interrupted
            ):  # that is of the moment: nothing to keep or to compare
                wrong.forget()
                return []
            if not known:
                wrong.outcomes.append(outcome)
            if not _same_outcome(outcome, got, rules):
                return []
            outcomes.append(outcome)
    return outcomes


class _KnownWrong:
    """A misconception's work and its outcomes on the first cases of a seed, as far as needed until now."""

    def __init__(self, exercise: Exercise, number: int) -> None:
        self._made_from = exercise, number
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self.work = wrong_work(*self._made_from)
        self.outcomes: list[Outcome] = []


@lru_cache(maxsize=256)
def _known_wrong(exercise: Exercise, number: int, seed: int) -> _KnownWrong:
    """Kept: the next answer with the same seed, a second attempt or another learner's, needs it again."""
    return _KnownWrong(exercise, number)


def _same_outcomes(some: Sequence[Outcome], others: Sequence[Outcome], rules: Rules) -> bool:
    return all(_same_outcome(a, b, rules) for a, b in zip(some, others, strict=True))
