"""The threshold without a browser: every count and measure against scikit-learn, edge cases, goals, words."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import re
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from sklearn import metrics

from utils.explore import base

# By name: in the package, this name is the function that learners call.
threshold = importlib.import_module("utils.explore.threshold")

DEFAULTS = threshold.DECLARATION.defaults()
ENDS = list(threshold.DECLARATION.extremes())


def samples() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scores and classes of several kinds: probabilities, logits, ties, rare, perfect, upside down, many."""
    rng = np.random.default_rng(0)

    def bell(n: int, share: float, apart: float) -> tuple[np.ndarray, np.ndarray]:
        y = (rng.random(n) < share).astype(int)
        y[:2] = 0, 1
        return rng.normal(size=n) + apart * y, y

    logits, y = bell(400, 0.3, 1.5)
    many, rare = bell(20_000, 0.02, 2.0)
    return {
        "logits": (logits, y),
        "probabilities": (1 / (1 + np.exp(-3 * logits)), y),
        "ties": (np.round(logits), y),
        "ends": (np.round(1 / (1 + np.exp(-5 * logits))), y),
        "many": (many, rare),
        "perfect": (y * 2.0 + 0.1 * logits / np.abs(logits).max(), y),
        "upside down": (-logits, y),
        "two": (np.array([0.2, 0.8]), np.array([0, 1])),
        "alike": (np.full(6, 0.37), np.array([0, 1, 0, 1, 1, 0])),
        "far": (logits * 1e6, y),
        "alike and far from 0": (np.full(4, -71.25), np.array([0, 1, 1, 1])),
    }


SAMPLES = samples()


# ------------------------------------------------------------------ counts of a model's own
@pytest.mark.parametrize("name", SAMPLES)
def test_counts_and_measures_are_scikit_learns(name: str):
    scores, y = SAMPLES[name]
    table = threshold.counted(scores, y)
    steps = len(table["tp"]) - 1
    assert table["tp"][0] == y.sum() and table["fp"][0] == len(y) - y.sum()  # the first calls all positive
    assert table["tp"][-1] == table["fp"][-1] == 0  # the last none
    assert 100 <= steps <= 410
    for k in {0, 1, steps // 3, steps // 2, 2 * steps // 3, steps - 1, steps}:
        at = round(table["minimum"] + k * table["step"], 9)
        y_hat = (scores >= at).astype(int)
        state = threshold.compute(at, 5, 1, table=table)
        assert state["k"] == k
        matrix = [[state["tn"], state["fp"]], [state["fn"], state["tp"]]]
        assert matrix == metrics.confusion_matrix(y, y_hat, labels=[0, 1]).tolist()
        assert state["accuracy"] == pytest.approx(metrics.accuracy_score(y, y_hat))
        assert state["precision"] == pytest.approx(metrics.precision_score(y, y_hat, zero_division=0))
        assert state["recall"] == pytest.approx(metrics.recall_score(y, y_hat, zero_division=0))
        assert state["f1"] == pytest.approx(metrics.f1_score(y, y_hat, zero_division=0))
        assert state["cost"] == 5 * ((y == 1) & (y_hat == 0)).sum() + ((y == 0) & (y_hat == 1)).sum()
        assert state["cost"] == state["costs"][k] >= state["cheapest"] == state["costs"][state["at"]]
    assert table["auc"] == pytest.approx(metrics.roc_auc_score(y, scores))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_roc_curve_is_scikit_learns_and_short(name: str):
    scores, y = SAMPLES[name]
    table = threshold.counted(scores, y)
    ours = np.array(threshold.curves(table)["r"])
    fpr, tpr, _ = metrics.roc_curve(y, scores, drop_intermediate=False)
    assert len(ours) <= 300
    assert ours[0].tolist() == [0, 0] and ours[-1].tolist() == [1, 1]
    assert (np.diff(ours, axis=0) >= 0).all()
    there = set(zip(fpr.round(12), tpr.round(12), strict=True))
    assert all((round(x, 12), round(u, 12)) in there for x, u in ours)
    if len(fpr) <= 300:
        assert len(ours) == len(fpr)
    assert metrics.auc(ours[:, 0], ours[:, 1]) == pytest.approx(table["auc"], abs=2e-3)


def test_tensors_arrays_and_lists_are_taken_and_left_as_they_are():
    scores, y = [0.1, 0.9, 0.4, 0.4], [0, 1, 1, 0]
    expected = threshold.counted(scores, y)
    tensor = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    assert threshold.counted(tensor, torch.tensor(y)) == expected
    assert threshold.counted(np.array(scores), np.array(y, dtype=bool)) == expected
    assert tensor.requires_grad
    assert expected["auc"] == pytest.approx(3.5 / 4)


@pytest.mark.parametrize(
    ("scores", "y", "words"),
    [
        ([0.1, 0.2], [0], "same"),
        ([[0.1], [0.2]], [0, 1], "shape"),
        ([[0.1], [0.2]], [[0], [1]], r"shape \(N,\)"),
        ([], [], "no scores"),
        ([0.1, float("nan")], [0, 1], "finite"),
        ([0.1, float("inf")], [0, 1], "finite"),
        ([0.1, 1e10], [0, 1], "1e\\+09"),
        ([0.1, 0.2], [0, 2], r"0 and 1 only, not \[2"),
        ([0.1, 0.2], [-1, 1], "0 and 1 only"),
        (["a", "b"], [0, 1], "numbers"),
    ],
)
def test_what_cannot_be_counted_is_said(scores, y, words: str):
    with pytest.raises(ValueError, match=words if words != "same" else "shape"):
        threshold.counted(scores, y)
    with pytest.raises(ValueError):
        threshold.threshold(scores, y)


def test_scores_without_classes_are_refused():
    for arguments in ({"scores": [0.1]}, {"y": [1]}):
        with pytest.raises(ValueError, match="both scores and y, or neither"):
            threshold.threshold(**arguments)


# ------------------------------------------------------------------ one class, or nothing called positive
@pytest.mark.parametrize(
    ("y", "words"), [([0, 0, 0], "There are no positives"), ([1, 1, 1], "There are no negatives")]
)
def test_one_class_only_is_told_in_words(y: list[int], words: str):
    table = threshold.counted([0.2, 0.5, 0.9], y)
    declaration = threshold.declaration_for(table)
    assert table["auc"] is None and declaration.goals == ()
    for controls in declaration.extremes():
        state = threshold.compute(**controls, table=table)
        shares = ("accuracy", "precision", "recall", "f1", "false_alarms", "always_no")
        assert all(0 <= state[name] <= 1 for name in shares)
        assert words in threshold.describe(**controls, table=table)
    figure = Figure(figsize=(8, 6), layout="constrained")
    threshold.draw(figure, **declaration.defaults(), table=table)
    figure.canvas.draw()
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert sum("no curve" in text for text in texts) == (2 if not sum(y) else 1)


def test_precision_of_nothing_is_told_in_words():
    words = threshold.describe(**(DEFAULTS | {"threshold": 6.0}))
    assert words.startswith("0 of 10,000 are called positive.") and "0 divided by 0" in words
    assert "0 divided by 0" not in threshold.describe(**DEFAULTS)
    assert "every threshold is as good" in threshold.describe(**(DEFAULTS | {"miss": 0, "alarm": 0}))
    assert "1 false alarm." in threshold.describe(0.5, 1, 1, table=threshold.counted([0.7, 0.2], [0, 1]))


# ------------------------------------------------------------------ the two bell curves
@pytest.mark.parametrize("share", [value for value, _ in threshold.SHARES])
def test_the_bells_are_laid_out_as_the_curves_say(share: str):
    for separation in (0.0, 0.7, 4.0):
        table = threshold.bells(separation, share)
        positives = round(10_000 * float(share))
        assert (table["positives"], table["negatives"]) == (positives, 10_000 - positives)
        standard = torch.distributions.Normal(0.0, 1.0)
        places = torch.linspace(-6, 6, 241, dtype=torch.float64)
        for name, count, middle in (
            ("tp", positives, separation / 2), ("fp", 10_000 - positives, -separation / 2)
        ):  # fmt: skip
            exact = count * (1 - standard.cdf(places - middle))
            assert (torch.tensor(table[name]) - exact).abs().max() <= 0.5 + 1e-3
            assert table[name] == sorted(table[name], reverse=True)
        assert table["tp"][0] == positives and table["tp"][-1] == table["fp"][-1] == 0
        roc = np.array(threshold.curves(table)["r"])
        # Whole examples: with few positives the steps are coarse.
        assert -np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(table["auc"], abs=1 / positives)


def test_bars_hold_every_example_once():
    for table in (threshold.bells(1.5, "0.02"), threshold.counted(*SAMPLES["many"])):
        rows = threshold.bars(table)
        assert sum(row[2] for row in rows) == pytest.approx(1) == sum(row[3] for row in rows)
        assert all(later[0] == pytest.approx(row[1]) for row, later in itertools.pairwise(rows))


# ------------------------------------------------------------------ goals: within reach, and not given away
def reached(controls: dict, table: dict | None = None) -> set[str]:
    """The goals that these settings meet, by the words of the goals."""
    rare = table is not None or float(controls["share"]) <= 0.02
    table = table or threshold.bells(controls["separation"], controls["share"])
    s = threshold.compute(**controls, table=table)
    found_enough = [
        fp for tp, fp in zip(table["tp"], table["fp"], strict=True) if tp > 0.95 * table["positives"]
    ]
    called = s["tp"] + s["fp"]
    met = {
        "no": rare and s["recall"] > 0.8 and s["accuracy"] < s["always_no"],
        "recall": s["recall"] > 0.95 and s["fp"] == min(found_enough),
        "cheapest": not controls["curve"] and controls["alarm"] >= 1
        and controls["miss"] >= 10 * controls["alarm"] and s["cost"] == s["cheapest"]
        and 0 < called < table["positives"] + table["negatives"],
    }  # fmt: skip
    return {name for name, yes in met.items() if yes}


def test_every_goal_can_be_reached_by_a_few_thresholds_only():
    for share, miss in (("0.5", 10), ("0.02", 20), ("0.005", 100)):
        controls = DEFAULTS | {"share": share, "miss": miss}
        places = [round(-6 + 0.05 * k, 2) for k in range(241)]
        met = [reached(controls | {"threshold": t}) for t in places]
        assert 0 < sum("recall" in one for one in met) <= 3
        assert 0 < sum("cheapest" in one for one in met) <= 6
        assert any("no" in one for one in met) == (share != "0.5")


def test_no_preset_reaches_a_goal():
    controls = dict(DEFAULTS)
    for preset in ({}, *(dict(p.values) for p in threshold.PRESETS)):
        controls |= preset  # one after the other, as they may be pressed
        assert reached(controls) == set(), preset
        assert reached(DEFAULTS | preset) == set(), preset


def test_a_model_of_ones_own_gets_the_goals_that_it_can_meet():
    def ids(name: str) -> list[str]:
        return [goal.id for goal in threshold.declaration_for(threshold.counted(*SAMPLES[name])).goals]

    assert ids("many") == ["no", "recall", "cheapest"]
    assert ids("perfect") == ["recall", "cheapest"]
    table = threshold.counted(*SAMPLES["many"])
    controls = threshold.declaration_for(table).defaults() | {"miss": 30}
    ways = set()
    for k in range(len(table["tp"])):
        ways |= reached(controls | {"threshold": table["minimum"] + k * table["step"]}, table)
    assert ways == {"no", "recall", "cheapest"}


# ------------------------------------------------------------------ words and pictures
def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = threshold.compute(**controls)
        assert all(math.isfinite(value) for name, value in state.items() if name != "costs"), controls
        words = threshold.describe(**controls)
        assert 60 < len(words) < 260 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words


@pytest.mark.parametrize("name", ["bells", "always no", "many", "two", "alike", "far"])
def test_the_picture_can_be_drawn(name: str):
    table, controls = None, DEFAULTS | ({"threshold": 6.0} if name == "always no" else {})
    if name in SAMPLES:
        table = threshold.counted(*SAMPLES[name])
        controls = threshold.declaration_for(table).defaults()
    figure = Figure(figsize=(8, 6), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threshold.draw(figure, **controls, table=table)
        figure.canvas.draw()
    assert len(figure.axes) == 4


def test_the_sentence_tells_what_is_found_and_what_it_costs():
    assert threshold.describe(**threshold.STILL) == (
        "1,101 of 10,000 are called positive. Recall 76.0%: 152 of 200 found. "
        "Precision 13.8%: 949 false alarms. Accuracy 90.0%; always no: 98.0%. Cost 1,189."
    )


def test_the_stills_are_small_and_telling():
    threshold.DECLARATION.check(**threshold.STILL)
    table = threshold.counted(*SAMPLES["many"])
    own = threshold.declaration_for(table).defaults() | {"table": table}
    for controls in (threshold.STILL, own):
        png = base.still_png(threshold.draw, size=(8.8, 6.0), **controls)
        picture = Image.open(io.BytesIO(png))
        assert len(png) < 60_000 and picture.width <= 900
        assert len(picture.convert("RGB").getcolors(100_000)) > 20


def test_what_is_stored_does_not_grow_with_the_scores():
    data = threshold.browser_data(threshold.counted(*SAMPLES["many"]))
    assert len(str(data)) < 12_000
