"""The check engine: what it says to each way of being wrong, and that it survives all of them."""

from __future__ import annotations

import ast
import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import utils.checks
from utils.checks import bank, check, engine, guard, hint, hints, progress, record
from utils.checks.exercise import Case, Exercise, Misconception, NotAsAsked, Stopped
from utils.checks.guard import Guard
from utils.checks.result import inline
from utils.checks.source import ExerciseSourceError, parse_exercise
from utils.checks.values import Rules, compare, copy_plain, show

LIMIT = 0.3


def average_rows(table, scale):
    """The reference of the exercise that these tests use: the mean of each row (n, d), times scale."""
    return table.mean(dim=1) * scale


def average_cases(generator):
    tables = [torch.randn(n, d, generator=generator) for n, d in ((4, 3), (2, 7), (1, 5), (3, 3))]
    first = torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.5, 1.0]])
    return [
        Case("types", (first, 2.0), "the example"),
        *(Case("values", (table, 3.0), "") for table in tables),
        Case("edge cases", (1e6 * tables[0], 1.0), "large numbers"),
    ]


AVERAGE = Exercise(
    id="90.average_rows",
    name="average_rows",
    title="Means of rows",
    difficulty=1,
    points=3,
    minutes=5,
    cases=average_cases,
    reference=average_rows,
    misconceptions=(
        Misconception(
            "forgets the scale",
            "def average_rows(table, scale):\n    return table.mean(dim=1)\n",
            "You do not use the scale at all, so <b>nothing</b> is scaled.",
        ),
        Misconception(
            "down the columns",
            "def average_rows(table, scale):\n    return table.mean(dim=0) * scale\n",
            "You go down the columns.",
        ),
        Misconception(
            "does not work on tables",
            "def average_rows(table, scale):\n    return [0.0][len(table)]\n",
            "You look where nothing is.",
        ),
    ),
    hints=("Means run along a dimension.", "Take the mean along the dimension of the columns."),
)

QUICK = replace(AVERAGE, id="90.quick", time_limit=LIMIT)


def two_parts(x):
    """Reference with two results: sum and mean of x (n,)."""
    return x.sum(), x.mean()


PAIR = Exercise(
    id="90.two_parts",
    name="two_parts",
    title="Two parts",
    difficulty=1,
    points=1,
    minutes=5,
    cases=lambda g: [Case("values", (torch.rand(n, generator=g) + 1,)) for n in (3, 5, 8)],
    reference=two_parts,
    misconceptions=(),
    hints=("One.", "Two."),
    output_names=("total", "average"),
)


@pytest.fixture(autouse=True)
def own_bank(monkeypatch, tmp_path):
    """The engine knows these exercises, and keeps no one's progress."""
    monkeypatch.setenv("N2T_PROGRESS", str(tmp_path / "progress.json"))
    exercises = {exercise.id: exercise for exercise in (AVERAGE, QUICK, PAIR)}
    for module in (engine, hints, record, bank):
        monkeypatch.setattr(module, "all_exercises", lambda: exercises)
    monkeypatch.setattr(hints, "_last_step", {})


def both_forms(result) -> str:
    """The result as text; the HTML must say the status too."""
    html = result._repr_html_()
    word = {"passed": "passed", "not started": "not started", "not checked": "not checked"}
    assert word.get(result.status, "not yet") in html
    return str(result)


def average(work, seed=1):
    return check("90.average_rows", work, seed=seed)


def quick(work):
    """The same exercise with little time."""
    return check("90.quick", work, seed=1)


# ------------------------------------------------------------------------------------------ passing


def test_right_answer_passes():
    result = average(lambda table, scale: table.sum(dim=1) / table.shape[1] * scale)
    assert result.ok and result.status == "passed" and bool(result)
    assert result.tally == {"types": (1, 1), "values": (4, 4), "edge cases": (1, 1)}
    assert "passed" in both_forms(result)
    assert result.seed == 1


def test_seed_is_fresh_each_time_and_repeats_the_cases():
    seeds = {check("90.average_rows", average_rows).seed for _ in range(4)}
    assert len(seeds) > 1
    wrong = average(lambda table, scale: table.mean(dim=1) + 0.5 * scale, seed=77)
    again = average(lambda table, scale: table.mean(dim=1) + 0.5 * scale, seed=77)
    assert wrong == again
    assert 'check("90.average_rows", average_rows, seed=77)' in str(wrong)


def test_float64_may_stand_for_float32_and_a_gradient_may_hang_on():
    assert average(lambda table, scale: table.double().mean(dim=1) * scale).ok
    assert average(lambda table, scale: (table.requires_grad_() * scale).mean(dim=1)).ok


def test_numbers_and_single_tensors_stand_for_each_other():
    assert check("90.two_parts", lambda x: (x.sum().item(), x.mean())).ok
    assert check("90.two_parts", lambda x: [x.sum(), float(x.mean())]).ok


# ----------------------------------------------------------------------------- before anything runs


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        ("90.avrage_rows", "90.average_rows"),
        ("average_rows", "90.average_rows"),
        ("zzz", "progress()"),
        (7, "an int"),
    ],
)
def test_unknown_id_names_close_ones(identity, says):
    result = check(identity, average_rows)
    assert result.status == "not checked"
    assert says in both_forms(result)


def test_work_missing():
    result = check("90.average_rows")
    assert result.status == "not checked"
    assert 'check("90.average_rows", average_rows)' in both_forms(result)


@pytest.mark.parametrize(("work", "kind"), [(torch.ones(2), "a tensor"), (None, "None"), ("x", "a str")])
def test_work_not_callable(work, kind):
    result = average(work)
    assert result.status == "not checked"
    assert kind in result.message and "without parentheses" in result.message


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda table: table, "takes 1: `(table)`"),
        (lambda: 1, "takes none"),
        (lambda a, b, c: a, "takes 3: `(a, b, c)`"),
        (lambda scale, table: table, "another order"),
    ],
)
def test_wrong_signature(work, says):
    result = average(work)
    assert result.status == "failed"
    assert "`average_rows(table, scale)`" in result.message and says in result.message


def test_other_parameter_names_and_further_defaults_are_fine():
    assert average(lambda t, s, power=1: t.mean(dim=1) * s**power).ok


def test_not_started():
    def average_rows(table, scale):
        raise NotImplementedError("write average_rows, then run this cell and the check below")

    result = average(average_rows)
    assert result.status == "not started" and not result.ok
    assert "Write `average_rows`" in both_forms(result)


def test_torchs_own_not_implemented_is_an_error_not_an_unwritten_stub():
    result = average(lambda table, scale: torch.softmax(table.long(), dim=1) * scale)
    assert result.status == "error"
    assert "not implemented for" in result.message


# ---------------------------------------------------------------------------------- what comes back


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda t, s: [1.0, 2.0], "should be a tensor, but it is a list"),
        (lambda t, s: 1.0, "should be a tensor, but it is a float"),
        (lambda t, s: (t.mean(dim=1) * s).numpy(), "NumPy array (torch.from_numpy"),
        (lambda t, s: (t.mean(dim=1) * s).long(), "whole numbers cannot hold fractions"),
        (lambda t, s: t.mean(dim=1) > 0, "True and False are not yet the numbers 1 and 0"),
        (lambda t, s: (t.mean(dim=1) * s).half(), "should be float32, but it is float16"),
        (lambda t, s: "three", "it is a str"),
        (lambda t, s: object(), "it is an object"),
        (lambda t, s: print, "it is a builtin_function_or_method"),
        (lambda t, s: t * s, "should have shape (2,), but it has shape (2, 3)"),
        (lambda t, s: (t.mean(dim=1) * s).to_sparse(), "not yet"),
    ],
)
def test_wrong_type_or_shape(work, says):
    result = average(work)
    assert result.status == "failed"
    assert says in both_forms(result)
    assert result.failure.number == 1


def test_type_and_shape_are_looked_at_before_values():
    wrong_in_both = compare((torch.ones(2), torch.ones(3)), (torch.zeros(2), torch.ones(4)))
    assert wrong_in_both.kind == "shapes"
    assert compare(torch.ones(2), torch.zeros(3).long()).kind == "shapes"
    assert compare(torch.ones(2), torch.zeros(2).long()).kind == "types"
    assert compare(torch.ones(2), torch.zeros(2)).kind == "values"


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda t, s: t.mean(dim=1) * s * torch.nan, "NaN (not a number"),
        (lambda t, s: t.mean(dim=1) / 0, "inf (a number too large"),
    ],
)
def test_nan_and_infinity_are_named(work, says):
    assert says in both_forms(average(work))


def test_expected_nan_is_right():
    assert compare(torch.tensor([torch.nan, 1.0]), torch.tensor([torch.nan, 1.0])) is None
    assert compare(torch.tensor([torch.nan, 1.0]), torch.tensor([2.0, 1.0])).kind == "values"


def test_nothing_returned():
    def work(table, scale):
        table.mean(dim=1) * scale

    result = average(work)
    assert "Did you forget `return`" in result.hint
    assert result.failure.got == "None"


def test_printed_but_not_returned():
    def work(table, scale):
        print(table.mean(dim=1) * scale)

    result = average(work)
    assert result.hint.startswith("You print the answer, but return nothing")
    assert result.notes == ()


def test_printing_is_kept_quiet_and_passes_with_a_note(capsys):
    def work(table, scale):
        print("mean:", table.mean())
        print("to stderr", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        return table.mean(dim=1) * scale

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = average(work)
    assert result.ok
    assert "prints as well (`mean:" in str(result)
    assert capsys.readouterr() == ("", "")


def test_endless_printing_is_not_kept_whole():
    def work(table, scale):
        while True:
            print("x" * 1000)

    assert quick(work).status == "too slow"


def test_input_changed_in_place_is_named():
    def work(table, scale):
        table *= scale
        return table.mean(dim=1)

    result = average(work)
    assert result.status == "failed"
    assert "changes its input `table`" in result.message and "scale`" not in result.message


def test_input_changed_where_the_exercise_allows_it():
    changed = replace(AVERAGE, may_mutate=True)

    def work(table, scale):
        table *= scale
        return table.mean(dim=1)

    assert engine.judge(changed, engine.run_cases(changed, work, 1)).ok


def test_changed_input_does_not_spoil_the_shown_input():
    def work(table, scale):
        table.zero_()
        return table.mean(dim=1)

    result = average(work)
    assert "6.0" in result.failure.inputs[0][1]


def test_state_between_calls():
    seen = []

    def work(table, scale):
        seen.append(1)
        return table.mean(dim=1) * scale + (1.0 if len(seen) > len(average_cases(torch.Generator())) else 0.0)

    result = average(work)
    assert result.status == "failed"
    assert "second call with the same input" in both_forms(result)


def test_a_second_call_that_is_not_done_in_time_is_no_state():
    seen = []

    def work(table, scale):
        seen.append(1)
        while len(seen) > len(average_cases(torch.Generator())):
            pass
        return table.mean(dim=1) * scale

    result = check("90.quick", work, seed=1)
    assert result.status == "too slow"
    assert "not done in time" in both_forms(result) and "from one call to the next" not in both_forms(result)


def test_one_buffer_for_all_calls_is_no_fault():
    buffer = torch.zeros(10)

    def work(table, scale):
        part = buffer[: len(table)]
        part[:] = table.mean(dim=1) * scale
        return part

    assert average(work).ok


# ------------------------------------------------------------------------------------- misconceptions


def test_misconception_is_recognised_by_what_it_does():
    def differently_written(values, factor):
        return torch.stack([row.mean() for row in values])

    result = average(differently_written)
    assert result.misconception == "forgets the scale"
    assert result.hint == AVERAGE.misconceptions[0].hint


def test_misconception_that_raises_is_recognised_by_the_same_exception():
    result = average(lambda table, scale: [][7])
    assert result.status == "error"
    assert result.misconception == "does not work on tables"


def test_misconception_is_recognised_behind_a_wrong_dtype():
    table = torch.tensor([[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]])
    wide = replace(AVERAGE, cases=lambda g: [Case("values", (table, 2.0))])
    trial = engine.run_cases(wide, lambda table, scale: table.mean(dim=1).long(), 1)
    result = engine.judge(wide, trial)
    assert "int64" in result.message
    assert result.misconception == "forgets the scale"


def test_half_a_misconception_is_not_recognised():
    def work(table, scale):
        return table.mean(dim=1) if len(table) > 1 else table.mean(dim=1) * scale

    result = average(work)
    assert result.status == "failed" and result.misconception == "" and result.hint == ""


# ------------------------------------------------------------------------------- general diagnosis


def with_reference(reference, *cases, **more):
    """A nameless exercise with this reference and no misconceptions."""
    made = [Case("values", case) for case in cases]
    return replace(AVERAGE, reference=reference, misconceptions=(), cases=lambda g: made, **more)


TABLES = ((torch.arange(6.0).view(2, 3),), (torch.arange(12.0).view(3, 4) - 5,), (torch.ones(1, 2),))


@pytest.mark.parametrize(
    ("reference", "work", "says"),
    [
        (lambda t: 2 * t, lambda t: 2 * t.T, "transposed"),
        (lambda t: t.sum(dim=1), lambda t: t.sum(dim=1, keepdim=True), "size 1 too many"),
        (lambda t: t.sum(dim=1, keepdim=True), lambda t: t.sum(dim=1), "lost a dimension of size 1"),
        (lambda t: t[:, None], lambda t: t[None], "in another place"),
        (lambda t: t.T.contiguous(), lambda t: t.T.reshape(t.shape), "in another shape"),
        (lambda t: t + 1, lambda t: -t - 1, "wrong sign"),
        (lambda t: (t > 2).long(), lambda t: (t <= 2).long(), "the wrong way round"),
        (lambda t: t.mean(dim=1), lambda t: t.sum(dim=1), "n times too large"),
        (lambda t: t.sum(dim=1), lambda t: t.mean(dim=1), "n times too small"),
        (lambda t: t + 1, lambda t: 3 * t + 3, "is 3 times too large"),
        (lambda t: t + 1, lambda t: (t + 1) / 2, "is 2 times too small"),
        (lambda t: t, lambda t: t + 1, "too large by 1 in"),
        (lambda t: t, lambda t: t - 0.5, "too small by 0.5"),
        (lambda t: t / 2, lambda t: t // 2, "after the decimal point"),
    ],
)
def test_general_diagnosis(reference, work, says):
    exercise = with_reference(reference, *TABLES)
    result = engine.judge(exercise, engine.run_cases(exercise, work, 1))
    assert says in result.hint, result


def test_no_diagnosis_that_one_case_contradicts():
    def work(t):
        return -t if len(t) > 1 else 2 * t

    exercise = with_reference(lambda t: t, *TABLES)
    assert engine.judge(exercise, engine.run_cases(exercise, work, 1)).hint == ""


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda t: t if t > 0 else -t, "Decide for each number"),
        (lambda t: max(t, -t), "Decide for each number"),
        (lambda t: (t > 0).mean(), "`.float()`"),
        (lambda t: torch.tensor([1.0, 2.0], [3.0, 4.0]), "brackets around all of them"),
        (lambda t: t.long().T @ t, "of different types"),
        (lambda t: t @ torch.ones(17), "Print the shape of each"),
        (lambda t: t + torch.ones(17), "Print the shape of each"),
        (lambda t: t.max(dim=1) - 1, "two things at once"),
        (lambda t: t.max(dim=1), "two things at once"),
        (lambda t: float(t), "one Python number"),
        (lambda t: (t.max(dim=1) == 1).float(), "one plain Python value"),
        (lambda t: t.reshape(17), "as many numbers as the old one"),
        (lambda t: t.sum(dim=2), "no dimension of that number"),
        (lambda t: t[0, 0, 0], "more places than the tensor has dimensions"),
        (lambda t: t.mean - 1, "with parentheses"),
    ],
)
def test_advice_on_errors_and_pairs(work, says):
    exercise = with_reference(lambda t: t.abs(), *TABLES[:2])
    result = engine.judge(exercise, engine.run_cases(exercise, work, 1))
    assert says in result.hint, result


def test_no_advice_on_an_error_that_is_not_the_first_thing_wrong():
    def work(t):
        return t + 7 if len(t) == 2 else t @ torch.ones(17)

    exercise = with_reference(lambda t: t.abs(), *TABLES[:2])
    result = engine.judge(exercise, engine.run_cases(exercise, work, 1))
    assert result.status == "failed" and result.hint == ""


@pytest.mark.parametrize("work", [lambda t: torch.zeros_like(t), lambda t: (t > 1).float()])
def test_zeros_and_ones_are_not_taken_for_a_lost_fraction(work):
    exercise = with_reference(lambda t: t / 10, *TABLES[:1])
    result = engine.judge(exercise, engine.run_cases(exercise, work, 1))
    assert result.status == "failed" and result.hint == ""


def test_a_default_value_that_is_missing_is_named():
    def with_default(t, slope=0.5):
        return t * slope

    exercise = with_reference(with_default, (torch.ones(2), 3.0))
    assert "no default value: `slope=0.5`" in engine.signature_problem(exercise, lambda t, slope: t)
    assert "Yours takes 1" in engine.signature_problem(exercise, lambda t: t)
    assert engine.signature_problem(exercise, lambda t, slope=2.0: t) == ""


def test_a_probe_that_stops_the_work_accuses_it_of_no_error():
    def probe(work, t):
        if work(t).isinf().any():
            raise Stopped("`exp` gave inf")
        return work(t)

    exercise = with_reference(lambda t: t, (torch.ones(2),), probe=probe)
    result = engine.judge(exercise, engine.run_cases(exercise, lambda t: t / 0, 1))
    assert result.status == "failed"
    assert "The check stopped your function" in result.message and "`exp` gave inf." in result.message
    assert "error" not in result.message


def test_diagnosis_names_the_part_that_is_wrong():
    result = check("90.two_parts", lambda x: (x.sum(), x.sum()), seed=3)
    assert result.hint.startswith("Your average is n times too large")
    assert "Your average is wrong: " in result.message


def test_a_pair_with_one_part_missing():
    assert "should have 2 values, but it has 1" in check("90.two_parts", lambda x: (x.sum(),)).message
    assert "tuple, 2 values, but it is a tensor" in check("90.two_parts", lambda x: x.sum()).message


def test_expected_exceptions():
    def refuse(t):
        if t.dim() != 1:
            raise ValueError("one dimension only")
        return t.sum()

    exercise = with_reference(refuse, (torch.ones(3),), (torch.ones(2, 2),))

    def judged(work):
        return engine.judge(exercise, engine.run_cases(exercise, work, 1))

    assert judged(refuse).ok
    assert "should raise ValueError here, but it returned" in judged(lambda t: t.sum()).message

    def wrong_kind(t):
        return t.sum() if t.dim() == 1 else {}["x"]

    assert "should raise ValueError here, but it raised KeyError" in judged(wrong_kind).message

    def handed_back(t):
        return t.sum() if t.dim() == 1 else ValueError("one dimension only")

    assert "returns the error ValueError as if it were a result" in judged(handed_back).message


def test_a_probe_that_finds_another_form_speaks_for_itself():
    def probe(work, key):
        answer = work()
        if key not in answer:
            raise NotAsAsked(f"there is no {key}")
        return answer[key]

    exercise = with_reference(lambda: {"a": 1, "b": 2}, ("a",), ("b",), probe=probe, input_names=("key",))
    result = engine.judge(exercise, engine.run_cases(exercise, lambda: {"a": 1}, 1))
    assert result.status == "failed"
    assert result.message == "there is no b" == result.failure.got


def test_only_what_a_probe_says_of_both_makes_two_wrong_forms_the_same():
    def probe(work, number):
        answer = work(number)
        if not isinstance(answer, list):
            raise NotAsAsked(f"It is {type(answer).__name__}, not a list.")
        if len(answer) != 2:
            raise NotAsAsked(f"It has {len(answer)} parts, not 2.")
        return answer

    no_list = Misconception("no list", "def work(n):\n    return n\n", "Make it a list.")
    three = Misconception("three parts", "def work(n):\n    return [n, n, n]\n", "Two parts.")
    exercise = replace(with_reference(lambda n: [n, n], (1,), (2,), probe=probe, name="work"))
    exercise = replace(exercise, misconceptions=(no_list, three))

    def hint_for(work):
        return engine.judge(exercise, engine.run_cases(exercise, work, 1)).hint

    assert hint_for(lambda n: n + 5) == "Make it a list."
    assert hint_for(lambda n: [n]) == "Two parts.", "another number, the same words"
    assert hint_for(lambda n: "text") == ""


# ---------------------------------------------------------------------------------------- classes


class Counter:
    """Reference with state: adds up what it is given, from ``start``."""

    def __init__(self, start=0):
        self.total = start

    def add(self, number):
        self.total += number
        return self.total


def add_all(Counter, start, *numbers):
    """Makes two counters and uses one, so that state shared between objects shows."""
    counter, other = Counter(start), Counter(start)
    answers = [counter.add(number) for number in numbers]
    return answers, other.add(0)


COUNTER = Exercise(
    id="90.counter",
    name="Counter",
    title="A counter",
    difficulty=1,
    points=1,
    minutes=5,
    cases=lambda g: [Case("values", (start, 3, 4)) for start in (1, 10)],
    reference=Counter,
    probe=add_all,
    input_names=("start", "first", "second"),
    misconceptions=(
        Misconception(
            "state of the class",
            "class Counter:\n    total = 0\n    def __init__(self, start=0):\n        Counter.total = start\n"
            "    def add(self, number):\n        Counter.total += number\n        return Counter.total\n",
            "All your counters share one total.",
        ),
    ),
    hints=("One.", "Two."),
)


@pytest.fixture
def counter(own_bank, monkeypatch):
    monkeypatch.setattr(engine, "all_exercises", lambda: {COUNTER.id: COUNTER})
    return lambda work: check("90.counter", work, seed=1)


def test_a_class_is_checked_by_what_its_objects_do(counter):
    result = counter(Counter)
    assert result.ok and result.tally == {"values": (2, 2)}


def test_state_that_two_objects_share_is_recognised(counter):
    work = bank.load_work(COUNTER, COUNTER.misconceptions[0].code, "learner")
    assert counter(work).hint == "All your counters share one total."


def test_an_object_or_a_function_is_not_the_class(counter):
    assert "an object made from it, `Counter(…)`" in counter(Counter(1)).message
    for work in (lambda start=0: None, 3):
        assert "needs your class `Counter` itself" in counter(work).message


def test_an_error_in_a_class_is_placed_and_called_so(counter):
    class Broken(Counter):
        def add(self, number):
            return self.sum + number

    result = counter(Broken)
    assert result.status == "error"
    assert "Your class raised an error in `add`, line 2: `return self.sum + number`" in result.message


def test_the_stub_of_a_class_is_not_started(counter):
    class Stub:
        def __init__(self, start=0):
            raise NotImplementedError("write Counter")

    assert counter(Stub).status == "not started"


USES = {
    "named in a function": "def work(p):\n    torch.optim.SGD([p], lr=1).step()\n",
    "deep inside": "def work(p):\n    def inner():\n        return torch.optim\n    return inner\n",
    "in a method": "class work:\n    def step(self):\n        torch.optim.SGD([], lr=1)\n",
    "built upon": "class work(torch.optim.SGD):\n    pass\n",
    "under another name": "from torch.optim import Adam\ndef work(p):\n    return Adam([p])\n",
}


@pytest.mark.parametrize("code", USES.values(), ids=USES)
def test_torch_optim_is_loaded_before_the_time_runs(code, monkeypatch):
    loaded = []
    names = {"torch": torch}
    exec(code, names)
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: loaded.append(self))
    guard.load_optimizers_for(names["work"])
    assert loaded


@pytest.mark.parametrize("work", [average_rows, Counter, torch.relu, len, "text"])
def test_nothing_is_loaded_for_work_that_does_not_use_it(work, monkeypatch):
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: pytest.fail("loaded"))
    guard.load_optimizers_for(work)


def test_a_class_whose_objects_are_made_otherwise_is_told_how(counter):
    class Other:
        def __init__(self, start, stop):
            pass

    assert "`Counter` should take 1 argument: `Counter(start=0)`" in counter(Other).message


# ----------------------------------------------------------------------------------- work that raises


def test_an_error_is_shown_with_its_line_and_input():
    def work(table, scale):
        rows = len(table)
        return table[rows] * scale

    result = average(work)
    assert result.status == "error"
    assert "`work`, line 3: `return table[rows] * scale`" in result.message
    assert "IndexError: index 2 is out of bounds" in result.message
    assert result.failure.inputs[0][0] == "table"


def test_an_error_inside_torch_is_placed_in_the_learners_line():
    def helper(table):
        return torch.nn.functional.cross_entropy(table, table[:, :0])

    def work(table, scale):
        return helper(table)

    assert "`helper`, line 2" in average(work).message


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("sys.exit(3)", "error", "calls exit"),
        ("exit()", "error", "calls exit"),
        ("quit()", "error", "calls exit"),
        ("raise KeyboardInterrupt", "error", "interrupted"),
        ("return work(table, scale)", "error", "calls itself without end"),
        ("input('a number? ')", "error", "input() waits"),
        ("raise Odd", "error", "Odd"),
        ("raise BaseException('base')", "error", "BaseException: base"),
        ("raise MemoryError", "error", "MemoryError"),
        ("raise GeneratorExit", "error", "GeneratorExit"),
    ],
)
def test_work_that_tries_to_end_everything(body, status, says):
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    names = {"sys": sys, "Odd": Odd}
    exec(f"def work(table, scale):\n    {body}\n", names)
    stdin = sys.stdin
    result = average(names["work"])
    assert result.status == status
    assert says in both_forms(result)
    assert not stdin.closed


def test_outputs_that_cannot_be_compared_or_shown():
    class Hostile:
        def __eq__(self, other):
            raise RuntimeError("no")

        def __repr__(self):
            raise RuntimeError("no")

    endless = []
    endless.append(endless)
    for answer in (Hostile(), [Hostile()], endless, 10**400, np.array(["a"]), {1: Hostile()}):
        assert not average(lambda t, s, answer=answer: answer).ok


def test_a_fault_of_the_check_itself_is_not_the_learners(monkeypatch):
    monkeypatch.setattr(engine, "run_cases", lambda *args: 1 / 0)
    result = average(average_rows)
    assert result.status == "not checked"
    assert "not your fault" in result.message


# ---------------------------------------------------------------------------------------- endless loops

LOOPS = {
    "busy": "while True: pass",
    "sleeping": "time.sleep(60)",
    "swallowing": "while True:\n        try: time.sleep(0.01)\n        except: pass",
    "swallowing in a call": "while True:\n        try: inner()\n        except BaseException: x = 1",
    "for ever": "for i in iter(int, 1): torch.ones(3) + 1",
}


def looping(body):
    names = {"time": time, "torch": torch, "inner": lambda: time.sleep(0.02)}
    exec(f"def work(table, scale):\n    {body}\n    return 1\n", names)
    return names["work"]


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS.keys())
def test_endless_loop_is_stopped(body):
    trace, handler = sys.gettrace(), signal.getsignal(signal.SIGALRM)
    begin = time.monotonic()
    result = quick(looping(body))
    assert time.monotonic() - begin < LIMIT + 5
    assert result.status == "too slow"
    assert "loop that never ends" in both_forms(result)
    assert result.failure.note == "the example" and result.failure.inputs[0][0] == "table"
    assert sys.gettrace() is trace and signal.getsignal(signal.SIGALRM) is handler
    time.sleep(0.12)  # no alarm may come after the check
    assert average(average_rows).ok


def test_loop_on_a_later_case_names_that_case():
    def work(table, scale):
        while len(table) == 1:
            pass
        return table.mean(dim=1) * scale

    result = quick(work)
    assert result.status == "too slow"
    assert result.failure.number == 4
    assert result.tally["values"] == (2, 4)


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(1.5)"])
def test_endless_loop_is_stopped_outside_the_main_thread(body):
    results = []
    thread = threading.Thread(target=lambda: results.append(quick(looping(body))))
    begin = time.monotonic()
    thread.start()
    thread.join(10)
    assert time.monotonic() - begin < LIMIT + 5
    assert results[0].status == "too slow"
    for other in threading.enumerate():
        if other.name == "learner's work":
            other.join(5)
            assert not other.is_alive(), "the interrupted work goes on"


def test_work_in_a_thread_is_right_too():
    results = []
    thread = threading.Thread(target=lambda: results.append(average(average_rows)))
    thread.start()
    thread.join(10)
    assert results[0].ok


def test_the_way_without_unix_signals(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    assert average(average_rows).ok
    assert quick(looping("while True: pass")).status == "too slow"


def test_a_timer_that_ran_before_runs_on():
    def ring(*args):
        pass

    old = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        assert quick(looping("while True: pass")).status == "too slow"
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left < 30 - LIMIT + 0.01
        assert signal.getsignal(signal.SIGALRM) is ring
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_the_time_is_for_all_calls_together():
    with Guard(average_rows, 1.0, 0) as own:
        outcomes = [own.run(lambda: time.sleep(0.6)) for _ in range(3)]
    assert [outcome.timed_out for outcome in outcomes] == [False, True, True]


# ----------------------------------------------------------------------------------- the world around


def test_global_state_is_left_as_it_was():
    torch.manual_seed(1), np.random.seed(1), random.seed(1)

    def drawn():
        return torch.rand(1).item(), np.random.rand(), random.random()

    expected = drawn()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)

    def work(table, scale):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.manual_seed(99), np.random.seed(99), random.seed(99)
        return table.mean(dim=1) * scale

    input_before, exit_before = input, exit
    assert average(work).ok
    assert drawn() == expected
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert input is input_before and exit is exit_before
    with torch.no_grad():
        average(average_rows)
        assert not torch.is_grad_enabled()


def test_work_meets_the_same_world_whatever_was_set_before():
    flags = []

    def work(table, scale):
        flags.append((torch.is_grad_enabled(), torch.get_default_dtype(), torch.rand(1).item()))
        return table.mean(dim=1) * scale

    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            average(work)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.rand(7)
    average(work)
    assert len(set(flags)) == 1


def test_work_with_chance_gives_the_same_with_the_same_seed():
    def work(table, scale):
        return table.mean(dim=1) * scale + torch.rand(len(table))

    assert str(average(work, seed=5)) == str(average(work, seed=5))


# -------------------------------------------------------------------------------------------- showing


def test_html_is_escaped_and_needs_nothing_else():
    def work(table, scale):
        raise ValueError("<script>alert(1)</script> `code`")

    html = average(work)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "<style" not in html and "class=" not in html and "http" not in html
    recognised = average(lambda table, scale: table.mean(dim=1))._repr_html_()
    assert "&lt;b&gt;nothing&lt;/b&gt;" in recognised
    assert "not yet" in recognised


def test_code_in_messages_is_marked():
    assert "<code" in inline("use `return` here")
    assert inline("one ` only") == "one ` only"
    assert "&lt;" in inline("`a < b`")


def test_long_values_are_shortened_and_say_shape_and_dtype():
    text = show(torch.zeros(100, 28, 28, dtype=torch.uint8))
    assert "shape (100, 28, 28), uint8" in text and len(text) < 600
    assert "3.1416" in show(torch.tensor([3.14159265, torch.nan]))
    assert "nan" in show(torch.tensor([torch.nan]))
    assert show(3.0) == "3.0" and show(3) == "3" and show(True) == "True"
    assert "…" in show(list(range(100)))
    assert show(torch.ones(2, dtype=torch.bfloat16)).endswith("shape (2,), bfloat16")
    assert len(show("x" * 5000)) <= 600


def test_copies_share_nothing():
    original = [torch.ones(2), {"a": (np.ones(2), 1)}]
    copy = copy_plain(original)
    copy[0].zero_()
    copy[1]["a"][0][:] = 0
    assert original[0].sum() == 2 and original[1]["a"][0].sum() == 2


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (torch.tensor(1.0), 1.0, True),
        (torch.tensor(1.0), 1, True),
        (1.0, torch.tensor(1.0), True),
        (1, torch.tensor(1), True),
        (1, 1.0, False),
        (1, True, False),
        (True, 1, False),
        (torch.tensor([1]), torch.tensor([1], dtype=torch.int32), True),
        (torch.tensor([1]), torch.tensor([1], dtype=torch.uint8), False),
        (torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]), True),
        (torch.tensor([1.0]), torch.tensor([1.0 + 1e-3]), False),
        (torch.tensor([1.0]).double(), torch.tensor([1.0 + 1e-7]).double(), False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("text", "text", True),
        (None, None, True),
        (torch.tensor([]), torch.tensor([]), True),
    ],
)
def test_what_may_stand_for_what(expected, got, same):
    assert (compare(expected, got) is None) is same


@pytest.mark.parametrize(
    ("expected", "got"),
    [(torch.tensor([1.0]), torch.tensor([1.0]).double()), (0.5, torch.tensor(0.5)), ((1, 2), [1, 2])],
)
def test_exact_types(expected, got):
    assert compare(expected, got) is None
    assert compare(expected, got, Rules(exact_types=True)).kind == "types"


# ---------------------------------------------------------------------------------------------- hints


def test_hints_go_on_by_themselves_and_stop_at_the_last():
    texts = [hint("90.average_rows") for _ in range(4)]
    assert [t.step for t in texts] == [1, 2, 3, 3]
    assert texts[0].text == AVERAGE.hints[0]
    assert hint("90.average_rows", step=1).step == 1
    assert hint("90.average_rows").step == 2
    assert hint("90.two_parts").step == 1


def test_hint_for_nonsense_does_not_raise():
    assert "90.average_rows" in str(hint("90.average"))
    assert "step" in str(hint("90.average_rows", step=9))
    assert "step" in str(hint("90.average_rows", step="two"))
    assert "cannot be read here" in str(hint("90.average_rows", step=3))


def test_solution_is_shown_with_its_explanation(monkeypatch, tmp_path):
    (tmp_path / "90_test.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr("utils.checks.source.SOURCES", tmp_path)
    last = hint("90.average_rows", step=3)
    assert "table.mean(dim=1) * scale" in str(last) and "raise" not in str(last)
    html = last._repr_html_()
    assert "return table.mean(dim=1) * scale" in html
    assert "<strong>why</strong>" in html and "&lt;br&gt;" in html


def test_markdown_in_hints_escapes_html_and_leaves_formulas():
    html = hints._markdown("a **b** <script> $w_1 x_1 + w_2$")
    assert "<strong>b</strong>" in html and "&lt;script&gt;" in html
    assert "w_1 x_1 + w_2" in html


SOURCE = '''# %% [markdown]
# # Title

# %% exercise="90.average_rows"
# === statement
# ### 90.average_rows
#
# Text with `code`.
# === code
import torch
def average_rows(table, scale):
    """Mean."""
    # === solution
    return table.mean(dim=1) * scale
    # === stub
    raise NotImplementedError("write it")
    # === end
# === explanation
# This is **why** <br>
'''


def cell_of(text: str) -> str:
    return text.split("# %% exercise=", 1)[1].split("\n", 1)[1]


def test_source_cell_is_divided():
    parts = parse_exercise(cell_of(SOURCE))
    assert parts.statement == "### 90.average_rows\n\nText with `code`."
    assert parts.head == 'import torch\ndef average_rows(table, scale):\n    """Mean."""'
    assert parts.solution == "    return table.mean(dim=1) * scale"
    assert parts.stub == '    raise NotImplementedError("write it")'
    assert parts.solved == f"{parts.head}\n{parts.solution}"
    assert parts.unsolved == f"{parts.head}\n{parts.stub}"
    assert parts.explanation == "This is **why** <br>"


def test_source_cell_with_two_blocks_and_code_between():
    cell = (
        "# === statement\n# x\n# === code\nclass A:\n"
        "    # === solution\n    a = 1\n    # === stub\n    a = None\n"
        "    # === end\n    between = 0\n    # === solution\n    b = 1\n    # === stub\n    b = None\n"
        "    # === end\n    after = 0\n# === explanation\n# y"
    )
    parts = parse_exercise(cell)
    assert parts.solved == "class A:\n    a = 1\n    between = 0\n    b = 1\n    after = 0"
    assert parts.unsolved == "class A:\n    a = None\n    between = 0\n    b = None\n    after = 0"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# === stub", "# === stubb", "stubb"),
        ("    # === end\n", "", "end is expected"),
        ("# === statement\n", "", "statement"),
        ("# === explanation\n# This", "# This", "explanation"),
        ("# Text with", "Text with", "comment lines"),
    ],
)
def test_source_cell_with_a_fault_says_which(old, new, says):
    with pytest.raises(ExerciseSourceError, match=says):
        parse_exercise(cell_of(SOURCE).replace(old, new))


# ------------------------------------------------------------------------------------------- progress


@pytest.fixture
def own_file(own_bank, tmp_path):
    return tmp_path / "progress.json"


def test_progress_follows_the_checks(own_file):
    assert progress().passed == 0 and progress().total == 3 and progress().points == (0, 7)
    average(lambda t, s: t)
    assert "tried" in str(progress()) and progress().passed == 0
    average(average_rows)
    average(lambda t, s: t)  # once passed stays passed
    now = progress()
    assert now.passed == 1 and now.points == (3, 7)
    assert "1 of 3 exercises passed, 3 of 7 points" in str(now)
    assert (
        "1 of 3 exercises passed" in now._repr_html_() and 'aria-label="1 of 3 passed"' in now._repr_html_()
    )
    assert json.loads(own_file.read_text())["tried"] == {"90.average_rows": 3}


def test_an_untouched_stub_or_unknown_id_is_no_attempt(own_file):
    average(looping("raise NotImplementedError"))
    check("90.average_rows")
    check("nothing", average_rows)
    assert not own_file.exists()


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"tried": 3}',
        '{"tried": {}, "passed": {"a": 1}}',
        "\x00\xff",
        '{"tried": {"a": true}, "passed": {}}',
    ],
)
def test_damaged_file_is_kept_aside_and_said(own_file, damage):
    own_file.write_bytes(damage.encode("latin-1"))
    result = average(average_rows)
    assert result.ok
    assert any("damaged" in note for note in result.notes)
    assert own_file.with_name("progress.json.damaged").read_bytes() == damage.encode("latin-1")
    assert progress().passed == 1


def test_progress_says_that_its_file_was_damaged(own_file):
    own_file.write_text("nonsense")
    assert "damaged" in progress()._repr_html_()


def test_unwritable_file_is_said_and_the_check_passes(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("N2T_PROGRESS", str(tmp_path / "file" / "progress.json"))
    result = average(average_rows)
    assert result.ok
    assert any("could not be written" in note for note in result.notes)
    assert progress().passed == 0


def test_failed_write_leaves_the_old_record_whole(own_file, monkeypatch):
    average(average_rows)
    before = own_file.read_bytes()

    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(record.os, "replace", broken)
    assert any("disk full" in note for note in average(average_rows).notes)
    assert own_file.read_bytes() == before
    assert [p.name for p in own_file.parent.iterdir() if p.suffix == ".tmp"] == []


def test_where_the_file_is(monkeypatch, tmp_path):
    monkeypatch.delenv("N2T_PROGRESS")
    monkeypatch.setattr(record, "REPOSITORY", tmp_path)
    assert record.progress_file() == tmp_path / ".progress.json"
    monkeypatch.setattr(record.os, "access", lambda path, mode: False)
    monkeypatch.setenv("N2T_CACHE", str(tmp_path / "cache"))
    assert record.progress_file() == tmp_path / "cache" / "progress.json"
    monkeypatch.delenv("N2T_CACHE")
    assert "neurons-to-transformers" in str(record.progress_file())


def _remember_many(path, start, barrier):
    """In another process: both begin at once, and take their time between reading and writing."""
    write = record._write

    def slow_write(*args):
        time.sleep(0.005)
        write(*args)

    os.environ["N2T_PROGRESS"] = path
    record._write = slow_write
    barrier.wait(120)
    for i in range(20):
        assert record.remember(f"90.e{start + i}", passed=True) == ""


def test_two_kernels_at_once_lose_nothing(own_file):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [
        context.Process(target=_remember_many, args=(str(own_file), 100 * k, barrier)) for k in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(180)
        assert worker.exitcode == 0
    assert len(record.read(own_file)[0].passed) == 40


# ------------------------------------------------------------------------------------------ the arrows


def test_checks_know_neither_jupyter_nor_the_rest_of_the_course():
    code = (
        "import sys, utils.checks\n"
        "utils.checks.check('01.neuron', lambda X, w, b: (X @ w + b >= 0).long())\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in"
        " ('IPython', 'ipykernel', 'ipywidgets', 'nbgrader', 'nbformat', 'jupytext', 'matplotlib')"
        " or m.startswith(('utils.explore', 'utils.plotting', 'utils.build', 'utils.training'))]\n"
        "print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done


def test_the_modules_name_only_what_they_may():
    folder = Path(utils.checks.__file__).parent
    allowed = {"torch", "numpy", "platformdirs", "filelock", "mistune", "jupytext", *sys.stdlib_module_names}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                assert not isinstance(node, ast.ImportFrom) or node.level == 1, path.name
                continue
            assert {name.split(".")[0] for name in names} <= allowed, path.name


def test_a_kernel_survives_loops_and_exits(tmp_path, monkeypatch):
    """In a real kernel, where ``exit`` ends the kernel and the work is known line by line."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("N2T_PROGRESS", str(tmp_path / "progress.json"))
    cells = [
        "from utils.checks import check, hint, progress",
        "def neuron(X, w, b):\n    while True: pass",
        "check('01.neuron', neuron)",
        "def neuron(X, w, b):\n    exit()",
        "check('01.neuron', neuron)",
        "def neuron(X, w, b):\n    y = X @ w\n    return y @ X @ y",
        "check('01.neuron', neuron)",
        "def neuron(X, w, b):\n    return (X @ w + b >= 0).long()",
        "check('01.neuron', neuron)",
        "progress()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = [cell.outputs for cell in notebook.cells]
    assert all(output.output_type == "execute_result" for outputs in shown for output in outputs)
    texts = ["".join(output.data["text/plain"] for output in outputs) for outputs in shown]
    assert "loop that never ends" in texts[2]
    assert "calls exit" in texts[4]
    assert "`neuron`, line 3: `return y @ X @ y`" in texts[6]
    assert "01.neuron · A neuron: passed" in texts[8]
    assert "passed" in shown[9][0].data["text/html"]


def test_time_up_is_not_caught_by_except_exception():
    assert not issubclass(guard.TimeUp, Exception)
    with contextlib.suppress(guard.TimeUp):
        raise guard.TimeUp


def test_numbers_that_differ_late_are_shown_with_more_digits():
    nearly = with_reference(lambda x: x.double().sum(), *TABLES)
    message = engine.judge(nearly, engine.run_cases(nearly, lambda x: x.double().sum() + 1e-5, 1)).message
    assert "15.0 expected, 15.00001 came" in message
