"""Answers that are not the work's: prepared before the inputs were drawn, or forged by the probe inside."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
import torch

from utils.build import Course
from utils.checks import engine
from utils.checks.bank import all_exercises
from utils.checks.exercise import Exercise, NotAsAsked
from utils.checks.guard import Guard, Outcome
from utils.checks.lesson_06_backprop import order_of
from utils.checks.values import copy_plain
from utils.grading import plain
from utils.grading.examine import _marked, can_be_replayed, drawn_cases, points_for
from utils.grading.transcript import Recorder, Replay

STEMS = Course().stems("exercises")


def exercises_of(stem: str) -> list[Exercise]:
    return [exercise for exercise in all_exercises().values() if exercise.lesson == stem[:2]]


def judged(exercise: Exercise, seed: int, got: Sequence[Outcome]) -> engine.Result:
    cases = engine.make_cases(exercise, seed)
    expected = engine.expected_outcomes(exercise, cases, seed)
    return engine.judge(
        exercise, engine.Trial(seed, tuple(cases), expected, tuple(got), ((),) * len(cases), None)
    )


def prepared(exercise: Exercise, seed: int, other: int) -> list[Outcome]:
    """What comes of right answers to the cases of another seed, handed in for the cases of this one."""
    cases, theirs = engine.make_cases(exercise, seed), engine.make_cases(exercise, other)
    assert len(cases) == len(theirs), "the number of cases is the same for every seed"
    if not can_be_replayed(exercise):
        return list(engine.expected_outcomes(exercise, theirs, other))
    got = []
    with Guard(exercise.reference, 20.0, other) as guard:
        for case, their in zip(cases, theirs, strict=True):
            recorder, args = Recorder(exercise.reference), copy_plain(their.args)
            guard.run(lambda recorder=recorder, args=args: exercise.probe(recorder, *args))
            replay, args = Replay(through_json(recorder.calls)), copy_plain(case.args)
            got.append(guard.run(lambda replay=replay, args=args: exercise.probe(replay, *args)))
    return got


def through_json(calls: list[dict]) -> list[dict]:
    return json.loads(json.dumps(calls))


def changes_with_the_seed(exercise: Exercise) -> bool:
    """True if right answers are numbers of this run; False where any fair sample or fixed answer is right."""
    first, second = (
        engine.expected_outcomes(exercise, engine.make_cases(exercise, seed), seed) for seed in (1, 2)
    )
    return not all(engine.same_outcome(exercise, a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture(autouse=True)
def no_search_for_misconceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "recognise", lambda *_: ("", ""))  # minutes, and nothing here depends on it


@pytest.mark.parametrize("stem", STEMS)
def test_answers_prepared_for_other_inputs_do_not_pass(stem: str) -> None:
    tried = [exercise for exercise in exercises_of(stem) if changes_with_the_seed(exercise)]
    assert tried
    for exercise in tried:
        for seed in (11, 13, 15):
            result = judged(exercise, seed, prepared(exercise, seed, seed + 1))
            assert not result.ok, f"{exercise.id}: a list of answers made for seed {seed + 1} passes"


@pytest.mark.parametrize("stem", STEMS)
def test_what_is_the_same_for_every_seed_brings_nothing_alone(stem: str) -> None:
    exercises = [exercise for exercise in exercises_of(stem) if drawn_cases(exercise)]
    assert exercises
    for exercise in exercises:
        known = engine.expected_outcomes(exercise, engine.make_cases(exercise, 5), 5)
        got = [
            Outcome(output="forged") if number in drawn_cases(exercise) else outcome
            for number, outcome in enumerate(known)
        ]
        mark = _marked(exercise, judged(exercise, 5, got))
        assert mark.points == 0.0, exercise.id
        whole = any(passed == number for passed, number in mark.groups.values())
        assert whole == any("always the same" in note for note in mark.notes), mark


def test_exercises_without_drawn_cases_are_those_that_ask_for_constants() -> None:
    none = {exercise.id for exercise in all_exercises().values() if not drawn_cases(exercise)}
    assert none == {"00.first_tensor", "01.gates", "04.xor_network"}


def test_a_share_is_given_beside_one_right_answer_to_drawn_inputs() -> None:
    exercise = all_exercises()["05.mse"]
    right = list(engine.expected_outcomes(exercise, engine.make_cases(exercise, 5), 5))
    drawn = drawn_cases(exercise)
    cases = engine.make_cases(exercise, 5)
    assert {case.group for number, case in enumerate(cases) if number not in drawn} == {
        "values",
        "edge cases",
    }
    one = next(number for number in sorted(drawn) if cases[number].group == "types")
    got = [o if n == one or n not in drawn else Outcome(output="wrong") for n, o in enumerate(right)]
    assert points_for(exercise, judged(exercise, 5, got)) == exercise.points * 2 / 4  # types and edge cases


# ------------------------------------------------------------------------------------------ transcripts


def played(work, *args, times: int = 1) -> list:
    """What a replay of the work gives, as a probe outside sees it."""
    recorder = Recorder(work)
    for _ in range(times):
        result = recorder(*args)
        if hasattr(result, "__iter__") and not isinstance(result, (list, tuple, torch.Tensor)):
            list(result)
    replay = Replay(through_json(recorder.calls))
    return [replay(*args) for _ in range(times)]


def test_a_generator_is_played_back_item_by_item() -> None:
    def pairs(n: int):
        for i in range(n):
            yield torch.full((i,), 2.0), i

    (result,) = played(pairs, 3)
    items = list(result)
    assert [number for _, number in items] == [0, 1, 2] and items[2][0].tolist() == [2.0, 2.0]


def test_a_generator_that_fails_fails_at_the_same_place() -> None:
    def breaks():
        yield 1
        raise ValueError("no more")

    recorder = Recorder(breaks)
    with pytest.raises(ValueError, match="no more"):
        list(recorder())
    heard = []
    with pytest.raises(ValueError, match="no more"):
        for item in Replay(through_json(recorder.calls))():
            heard.append(item)
    assert heard == [1]


def test_a_loader_can_be_gone_through_as_often_as_it_was() -> None:
    loader = torch.utils.data.DataLoader(torch.arange(5), batch_size=2)
    recorder = Recorder(lambda: loader)
    handed = recorder()
    assert [len(list(handed)) for _ in range(2)] == [3, 3]
    again = Replay(through_json(recorder.calls))()
    assert [[b.tolist() for b in again] for _ in range(2)] == [[[0, 1], [2, 3], [4]]] * 2
    with pytest.raises(NotAsAsked, match="fewer answers"):
        list(again)


def test_tensors_without_memory_travel_between_probe_and_work_only() -> None:
    (moved,) = played(lambda x: {"x": x.to("meta")}, torch.ones(2, 3))
    assert moved["x"].device.type == "meta" and moved["x"].shape == (2, 3)
    told = plain.encode(torch.empty(2, 3, device="meta"), meta=True)
    with pytest.raises(plain.NotPlain):
        plain.decode(told)
    with pytest.raises(plain.NotPlain):
        plain.decode({"meta": "float32", "shape": [2**50]}, meta=True)


GRAPH = {"L": ("a", "b"), "a": ("x",), "b": ("x",), "x": ()}


def ordered(*names: str):
    return lambda node: [node.handed[name] for name in names]


def test_an_order_of_the_probes_own_nodes_is_judged_outside() -> None:
    for work, words in (
        (ordered("L", "b", "a", "x"), "each node once"),
        (ordered("L", "b", "x", "a"), "x has its turn before a"),
    ):
        recorder = Recorder(work)
        inside = order_of(recorder, GRAPH, "L")
        outside = order_of(Replay(through_json(recorder.calls)), GRAPH, "L")
        assert inside == outside and words in outside[1]


def test_nodes_that_were_not_handed_out_are_refused() -> None:
    for told in ({"handed": "z"}, {"several": [{"handed": "z"}]}, {"several": [{"several": []}]}):
        with pytest.raises(plain.NotPlain):
            order_of(Replay([{"result": told, "after": [None]}]), GRAPH, "L")
