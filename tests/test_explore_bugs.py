"""The game of bugs without a browser: what may be handed over, the order, axes, words, pictures."""

from __future__ import annotations

import importlib
import json
import math
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from utils.explore import base

# By name: in the package, this name is the function that learners call.
bugs = importlib.import_module("utils.explore.bugs")

STEPS = range(60)
CURVES = {
    "no bug": [2.3 * 0.95**k for k in STEPS],
    "lr far too large": [2.3 * 1.5**k for k in range(40)] + [math.inf] * 5 + [math.nan] * 15,
    "targets shuffled": [2.3 + 0.01 * (-1) ** k for k in STEPS],
    "dropout left on": {"training": [2.3 - 0.02 * k for k in STEPS], "validation": [2.3] * 60},
}
WHY = {"lr far too large": "Every step overshoots.", "targets shuffled": "There is nothing to learn."}
DATA = bugs.prepare(CURVES, WHY)


def case_of(name: str, data: dict = DATA) -> int:
    """Where a bug is asked, counted from 1."""
    return 1 + [data["bugs"][one["bug"]] for one in data["cases"]].index(name)


# ------------------------------------------------------------------ what is handed over
def test_every_bug_is_asked_once_in_another_order_that_stays():
    for count in range(2, bugs.MOST_BUGS + 1):
        curves = {f"bug {k}": [1.0, 2.0] for k in range(count)}
        order = [one["bug"] for one in bugs.prepare(curves)["cases"]]
        assert sorted(order) == list(range(count))
        assert all(bug != place for place, bug in enumerate(order))
        assert order == [one["bug"] for one in bugs.prepare(curves)["cases"]]


def test_the_options_stand_as_given_and_explanations_with_them():
    assert DATA["bugs"] == list(CURVES)
    assert DATA["explanations"] == ["", "Every step overshoots.", "There is nothing to learn.", ""]


@pytest.mark.parametrize(
    "values",
    [[2.0, 1.0], (2, 1), np.array([2.0, 1.0]), torch.tensor([2.0, 1.0]), [torch.tensor(2.0), np.float32(1)]],
)
def test_a_curve_may_be_a_list_an_array_or_a_tensor(values):
    data = bugs.prepare({"one": values, "two": [1.0, 1.0]})
    (line,) = data["cases"][case_of("one", data) - 1]["lines"]
    assert (line["steps"], line["values"], line["count"]) == ([1, 2], [2.0, 1.0], 2)


def test_several_lines_with_or_without_names():
    rows = torch.tensor([[3.0, 2.0, 1.0], [4.0, 3.0, 2.0]])
    data = bugs.prepare({"seeds": rows, "pair": CURVES["dropout left on"]})
    seeds = data["cases"][case_of("seeds", data) - 1]["lines"]
    assert [line["values"] for line in seeds] == rows.tolist() and {line["label"] for line in seeds} == {""}
    pair = data["cases"][case_of("pair", data) - 1]["lines"]
    assert [line["label"] for line in pair] == ["training", "validation"]
    palette = base.colors()
    looks = [line["look"] for line in bugs.browser_data(data)["cases"][case_of("pair", data) - 1]["lines"]]
    assert looks == [palette["train"], palette["validation"]]


def test_what_is_no_number_is_left_out_and_told():
    (line,) = DATA["cases"][case_of("lr far too large") - 1]["lines"]
    assert line["steps"] == list(range(1, 41)) and line["lost"] == 41 and line["count"] == 60
    assert bugs.course(line) == "from 2.30 to 1.7e+7 in 60 steps, no number from step 41 on"
    once = bugs.prepare({"a": [1.0, math.nan, 2.0], "b": [math.nan, math.inf]})
    (hole,), (nothing,) = (once["cases"][case_of(name, once) - 1]["lines"] for name in "ab")
    assert bugs.course(hole) == "from 1.00 to 2.00 in 3 steps, no number at step 2"
    assert bugs.course(nothing) == "no finite number in 2 steps"
    json.dumps(bugs.browser_data(once), allow_nan=False)  # NaN is no JSON: the browser could not read it


def test_a_long_curve_keeps_its_peaks_and_ends():
    values = [1.0 + 0.1 * math.sin(k) for k in range(20_000)]
    values[7_777] = 99.0
    (line,) = bugs._lines("long", values)
    assert len(line["values"]) <= bugs.MOST_POINTS
    assert (line["steps"][0], line["steps"][-1], line["count"]) == (1, 20_000, 20_000)
    assert line["values"][line["steps"].index(7_778)] == 99.0
    assert line["steps"] == sorted(set(line["steps"]))
    assert all(values[step - 1] == value for step, value in zip(line["steps"], line["values"], strict=True))


@pytest.mark.parametrize(
    ("curves", "more", "message"),
    [
        ([[1.0, 2.0]], {}, "dictionary"),
        ({"a": [1.0, 2.0]}, {}, "2 to 12 bugs"),
        ({f"{k}": [1.0, 2.0] for k in range(13)}, {}, "2 to 12 bugs"),
        ({"a": [1.0, 2.0], "b": []}, {}, "'b' needs at least two steps"),
        ({"a": [1.0, 2.0], "b": [1.0]}, {}, "'b' needs at least two steps"),
        ({"a": [1.0, 2.0], "b": "falling"}, {}, "'b' must be a sequence of numbers"),
        ({"a": [1.0, 2.0], "b": 3.0}, {}, "'b' must be a sequence of numbers"),
        ({"a": [1.0, 2.0], "b": ["x", "y"]}, {}, "'b' must be a sequence of numbers"),
        ({"a": [1.0, 2.0], "b": [1.0, [2.0, 3.0]]}, {}, "'b' mixes numbers and lines"),
        ({"a": [1.0, 2.0], "b": {}}, {}, "'b' has 0 lines"),
        ({"a": [1.0, 2.0], "b": [[1.0, 2.0]] * 5}, {}, "'b' has 5 lines"),
        ({"a": [1.0, 2.0], "": [1.0, 2.0]}, {}, "dictionary from the name"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, {"explanations": {"c": "why"}}, r"explanations of \['c'\]"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, {"reference": "c"}, "reference 'c'"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, {"reference": "a"}, "2 to 12 bugs"),
    ],
)
def test_what_cannot_be_shown_is_named(curves, more: dict, message: str):
    with pytest.raises(ValueError, match=message):
        bugs.bugs(curves, **more)


# ------------------------------------------------------------------ the game
def test_axes_hold_the_whole_curve_and_the_reference():
    data = bugs.prepare(CURVES, reference="no bug")
    assert "no bug" not in data["bugs"] and len(data["cases"]) == 3
    for case, log in ((c, log) for c in (1, 2, 3) for log in (False, True)):
        state = bugs.compute(data, case, log=log)
        low, high = state["y"]
        shown = [v for line in [*state["lines"], *data["reference"]] for v in line["values"]]
        edges = [math.log10(v) for v in shown] if log else shown
        assert low <= min(edges) and max(edges) < high and state["x"] == [1, 60]
        assert log or low == 0


def test_a_flat_line_at_zero_and_nothing_at_all_have_axes():
    data = bugs.prepare({"zero": [0.0, 0.0], "nothing": [math.nan, math.nan]})
    for case in (1, 2):
        assert bugs.compute(data, case)["y"] == [0.0, 1.0]
        assert bugs.compute(data, case, log=True)["y"] == [-1.0, 1.0]


def test_right_and_wrong_answers_are_told_and_counted():
    loud, dull = case_of("lr far too large"), case_of("targets shuffled")
    loud_bug, dull_bug = (DATA["bugs"].index(name) for name in ("lr far too large", "targets shuffled"))
    assert bugs.describe(DATA, loud).endswith("Which bug made it?")
    assert bugs.describe(DATA, loud, str(dull_bug)).endswith("Your guess: targets shuffled.")
    assert "lr far" not in bugs.describe(DATA, loud)
    answers = {loud: loud_bug}
    assert bugs.describe(DATA, loud, answers=answers).endswith(
        "Right: lr far too large. Every step overshoots. 1 of 1 right so far."
    )
    answers[dull] = loud_bug
    assert bugs.describe(DATA, dull, answers=answers).endswith(
        "Not so. The bug: targets shuffled. There is nothing to learn. 1 of 2 right so far."
    )
    state = bugs.compute(DATA, dull, answers=answers)
    assert (state["right"], state["answered"], state["score"]) == (False, 2, 1)


# ------------------------------------------------------------------ pictures
@pytest.mark.parametrize("count", [2, 3, 4, 7, 12])
def test_the_still_shows_every_curve_and_names_none(count: int):
    names = list(CURVES) + [f"bug {k}" for k in range(count)]
    data = bugs.prepare({name: CURVES.get(name, CURVES["no bug"]) for name in names[:count]})
    figure = Figure(figsize=(9.6, 8), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bugs.draw(figure, data)
        figure.canvas.draw()
    titles = [axes.get_title(place) for axes in figure.axes for place in ("left", "center")]
    assert list(filter(None, titles)) == [f"Curve {k + 1}: which bug?" for k in range(count)]
    scales = [axes.get_yscale() for axes in figure.axes]
    assert scales[case_of("lr far too large", data) - 1] == "log"


def test_calling_it_shows_the_still_and_the_live_explorer(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw, **_: shown.append(bundle))
    assert bugs.bugs(CURVES, WHY, reference="no bug") is None
    words = shown[0]["text/plain"]
    assert words.startswith("3 loss curves without names. 1: ")
    assert words.endswith("choose from: lr far too large; targets shuffled; dropout left on.")
    assert "overshoots" not in words
    assert len(shown[0]["image/png"]) < 40_000 and base.WIDGET_VIEW in shown[1]
