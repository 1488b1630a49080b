"""Every exercise of the course, tested from its own data: what is found under ``utils/checks`` is tested.

The reference and the solution pass, the untouched stub is not started, each misconception fails with its own
hint, other right answers pass, and no seed gives a false alarm.
"""

from __future__ import annotations

import inspect
import re
import time
from pathlib import Path

import pytest
import torch

from utils.checks import bank, check, hint
from utils.checks.engine import (
    Trial,
    _known_answers,
    _known_wrong,
    _rules,
    _same_outcomes,
    expected_outcomes,
    judge,
    make_cases,
    run_cases,
)
from utils.checks.exercise import GROUPS, Exercise
from utils.checks.guard import Guard
from utils.checks.result import ERROR, FAILED, NOT_STARTED, PASSED
from utils.checks.source import SOURCES, load_source
from utils.checks.values import copy_plain, is_plain

EXERCISES = list(bank.all_exercises().values())
SEEDS = range(150)
FEW_SEEDS = range(8)
DEAR = {  # they train, draw thousands of times or try a module in many ways: more than 45 ms a check
    *("06.train_two_layer_net", "07.minibatches", "09.random_shift", "10.checkpoint", "10.scaled_step"),
    *("11.bootstrap_interval", "12.residual_block", "13.sample", "15.mask_tokens", "16.gan_step"),
}
SOME_SEEDS = (0, 7, 4711)
CPU_SECONDS = 1.0

every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
every_misconception = pytest.mark.parametrize(
    ("exercise", "number"),
    [pytest.param(e, i, id=f"{e.id}-{m.name}") for e in EXERCISES for i, m in enumerate(e.misconceptions)],
)
every_alternative = pytest.mark.parametrize(
    ("exercise", "number"),
    [pytest.param(e, i, id=f"{e.id}-{i + 1}") for e in EXERCISES for i in range(len(e.alternatives))],
)


@pytest.fixture(scope="module")
def record_file(tmp_path_factory) -> Path:
    """In one folder for all tests: to make one for each takes as long as a check."""
    return tmp_path_factory.mktemp("record") / "progress.json"


@pytest.fixture(autouse=True)
def own_record(record_file, monkeypatch):
    """Checks in tests write no one's progress, and none finds another's."""
    record_file.unlink(missing_ok=True)
    monkeypatch.setenv("N2T_PROGRESS", str(record_file))


def work_from(exercise: Exercise, code: str, label: str):
    """The work that source defines, with the exercise's own imports in reach."""
    return bank.load_work(exercise, code, label)


def test_every_lesson_with_a_checks_module_has_exercises():
    lessons = {exercise.lesson for exercise in EXERCISES}
    assert {"00", "01", "02"} <= lessons
    stems = [path.stem.removeprefix("lesson_") for path in bank._FOLDER.glob("lesson_*.py")]
    assert {stem[:2] for stem in stems} == lessons
    assert sorted(stems) == sorted(path.stem for path in SOURCES.glob("*.py"))


@every_exercise
def test_the_data_is_whole(exercise: Exercise):
    assert re.fullmatch(r"\d\d\.[a-z][a-z0-9_]*", exercise.id)
    assert exercise.name.isidentifier()
    assert exercise.difficulty in (1, 2, 3)
    assert exercise.points > 0
    assert 5 <= exercise.minutes <= 15
    assert len(exercise.misconceptions) >= 3, "at least three misconceptions"
    assert len(exercise.alternatives) >= 2, "at least two other right answers"
    assert len(exercise.hints) == 2, "a nudge and a plan"
    names = [m.name for m in exercise.misconceptions]
    hints = [m.hint for m in exercise.misconceptions]
    assert len(set(names)) == len(names)
    assert len(set(hints)) == len(hints), "each misconception has a hint of its own"
    for text in (*hints, *exercise.hints):
        assert len(text) >= 30, text
        assert text.count("`") % 2 == 0, text


@every_exercise
def test_a_hint_does_not_give_the_code_away(exercise: Exercise):
    solution = [line.strip() for line in load_source(exercise.id).solution.splitlines()]
    code = [re.sub(r"\s+#.*", "", line) for line in solution if len(line) > 12]
    for text in (*(m.hint for m in exercise.misconceptions), *exercise.hints):
        assert not [line for line in code if line in text]


@every_exercise
def test_cases_are_plain_data_and_come_again_with_the_seed(exercise: Exercise):
    cases, again = make_cases(exercise, 5), make_cases(exercise, 5)
    assert cases
    for case, twin in zip(cases, again, strict=True):
        assert case.group in GROUPS
        assert is_plain(list(case.args))
        assert case.note == twin.note
        assert repr(case.args) == repr(twin.args)


@every_exercise
def test_cases_leave_the_global_generator_alone(exercise: Exercise):
    before = torch.get_rng_state()
    make_cases(exercise, 5)
    assert torch.equal(before, torch.get_rng_state())


# ------------------------------------------------------------------------------------ right answers


@every_exercise
def test_no_seed_gives_a_false_alarm(exercise: Exercise):
    """The reference is tried on the cases of many seeds, and against itself on those of every third."""
    for seed in SEEDS[:: 3 if exercise.id in DEAR else 1]:
        if seed % 3:
            cases = make_cases(exercise, seed)
            expected = expected_outcomes(exercise, cases, seed)
            trial = Trial(seed, cases, expected, expected, ((),) * len(cases))
        else:
            trial = run_cases(exercise, exercise.reference, seed)
        result = judge(exercise, trial)
        assert result.status == PASSED, f"seed {seed}\n{result}"
        assert all(outcome.failure is None or not outcome.failure.not_started for outcome in trial.expected)


@every_exercise
def test_solution_passes(exercise: Exercise):
    work = work_from(exercise, load_source(exercise.id).solved, "solution")
    for seed in FEW_SEEDS:
        result = check(exercise.id, work, seed=seed)
        assert result.ok, f"seed {seed}\n{result}"


@every_alternative
def test_other_right_answers_pass(exercise: Exercise, number: int):
    work = work_from(exercise, exercise.alternatives[number], f"alternative {number + 1}")
    for seed in FEW_SEEDS:
        result = check(exercise.id, work, seed=seed)
        assert result.ok, f"seed {seed}\n{result}"


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.remark], ids=lambda e: e.id)
def test_which_way_was_taken_is_told(exercise: Exercise):
    works = [work_from(exercise, load_source(exercise.id).solved, "solution")]
    works += [work_from(exercise, code, "alternative") for code in exercise.alternatives]
    results = [check(exercise.id, work, seed=1) for work in works]
    told = [exercise.remark(work) for work in works]
    assert len(set(told)) > 1, "right ways that differ"
    for result, words in zip(results, told, strict=True):
        assert words and words in str(result)


@every_exercise
def test_reference_and_solution_agree(exercise: Exercise):
    """The reference is what judges, the solution what is shown: they must be the same thing."""
    work = work_from(exercise, load_source(exercise.id).solved, "solution")
    reference = list(inspect.signature(exercise.reference).parameters)
    assert list(inspect.signature(work).parameters) == reference


# ------------------------------------------------------------------------------------ wrong answers


@every_exercise
def test_untouched_stub_is_not_started(exercise: Exercise):
    work = work_from(exercise, load_source(exercise.id).unsolved, "stub")
    result = check(exercise.id, work)
    assert result.status == NOT_STARTED, result
    assert exercise.name in result.message


@every_misconception
def test_misconception_fails_with_its_own_hint(exercise: Exercise, number: int):
    misconception = exercise.misconceptions[number]
    work = work_from(exercise, misconception.code, "learner")
    for seed in SOME_SEEDS:
        # The last misconception is sought among all of them: that is timed as for the first answer of a seed.
        if seed == SOME_SEEDS[-1] and number == len(exercise.misconceptions) - 1:
            _known_wrong.cache_clear()
            _known_answers.cache_clear()
        begin = time.thread_time()
        result = check(exercise.id, work, seed=seed)
        seconds = time.thread_time() - begin
        assert not result.ok, f"seed {seed}: the wrong answer passes"
        assert result.hint == misconception.hint, f"seed {seed}: {result.misconception!r}\n{result}"
        assert misconception.hint in str(result)
    assert seconds < CPU_SECONDS  # the last one's: the first may load parts of torch


@every_exercise
def test_misconceptions_differ_from_each_other_and_from_the_reference(exercise: Exercise):
    """On the cases of any seed: otherwise one would get the other's hint."""
    works = {m.name: work_from(exercise, m.code, m.name) for m in exercise.misconceptions}
    works["the reference"] = exercise.reference
    rules = _rules(exercise)
    for seed in FEW_SEEDS:
        cases = make_cases(exercise, seed)
        outcomes = {}
        for name, work in works.items():
            with Guard(work, 10.0, seed) as guard:
                outcomes[name] = [
                    guard.run(lambda w=work, c=case: exercise.probe(w, *copy_plain(c.args))) for case in cases
                ]
        names = list(outcomes)
        for i, name in enumerate(names):
            for other in names[:i]:
                assert not _same_outcomes(outcomes[name], outcomes[other], rules), (
                    f"seed {seed}: {name!r} and {other!r} cannot be told apart"
                )


@every_exercise
def test_nothing_returned_is_recognised(exercise: Exercise):
    if exercise.kind == "class":  # every method of the class is there, and does nothing
        methods = [name for name, member in vars(exercise.reference).items() if inspect.isfunction(member)]
        code = f"class {exercise.name}(torch.nn.Module):\n"
        code += "".join(f"    def {name}(self, *args, **named):\n        pass\n" for name in methods)
    else:
        code = f"def {exercise.signature}:\n    pass\n"
    result = check(exercise.id, work_from(exercise, code, "learner"))
    assert not result.ok and result.status in (FAILED, ERROR), result
    returns = exercise.kind == "function" and not exercise.result.startswith("nothing")
    assert not returns or (result.status == FAILED and "return" in str(result))


# --------------------------------------------------------------------------------------------- text


@every_exercise
def test_statement_names_what_is_asked_for(exercise: Exercise):
    source = load_source(exercise.id)
    dots = "●" * exercise.difficulty
    assert source.statement.startswith(f"### {exercise.id} {dots} {exercise.title}\n")
    assert exercise.signature in source.statement, f"the statement names `{exercise.signature}`"
    assert "xample" in source.statement or "comparison" in source.statement, "an example in numbers"
    assert "shape" in source.statement or "dict" in source.statement or "float" in source.statement
    assert len(source.explanation) > 100
    for line in (*source.statement.splitlines(), *source.explanation.splitlines()):
        assert not re.match(r"\s*(\d+[.)]|[+*]) ", line), f"Markdown makes a list of this line: {line}"
    assert "raise NotImplementedError" in source.stub
    lines = [line for line in source.solution.splitlines() if line.strip()]
    assert len(lines) <= 14, "an exercise is about ten lines to write"


@every_exercise
def test_hints_come_in_steps(exercise: Exercise):
    steps = [hint(exercise.id, step=i) for i in (1, 2, 3)]
    assert [s.text for s in steps[:2]] == list(exercise.hints)
    source = load_source(exercise.id)
    assert steps[2].code == source.solved
    assert steps[2].after == source.explanation


def test_every_source_cell_is_an_exercise():
    import jupytext

    found = []
    for path in sorted(SOURCES.glob("*.py")):
        cells = jupytext.read(path, fmt="py:percent").cells
        found += [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    assert found == [exercise.id for exercise in EXERCISES]


# --------------------------------------------------------------------------------------------- time


@every_exercise
def test_a_check_takes_under_a_second(exercise: Exercise):
    """Processor time: other processes on the machine do not count. Wrong answers are timed where tried."""
    neither = work_from(exercise, f"def {exercise.name}(*args):\n    return 'neither'\n", "learner")
    check(exercise.id, exercise.reference)  # whatever torch loads at the first call
    for work in (exercise.reference, neither):
        begin = time.thread_time()
        check(exercise.id, work)
        assert time.thread_time() - begin < CPU_SECONDS
