"""Where to draw the line between yes and no (lesson 11): a threshold over the scores of two classes.

An example is called positive if its score is at least the threshold. Everything that is shown follows from
two columns of whole numbers: how many positives and how many negatives lie at or above each place that the
threshold can take. So many thousands of scores cost no more than a few, and the counts are exact.

Without scores there are two bell curves of width 1, and 10,000 examples laid out along them as evenly as
whole numbers allow. The scores of a model of one's own are counted once, here. ``threshold.js`` does the rest
in the browser. What would be 0 divided by 0 counts as 0, as in the lesson, and is told in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.explore.base import (
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    Switch,
    colors,
    css,
    esm,
    number,
    show,
    still_png,
)

EXAMPLES = 10_000  # in the two bell curves together
BELL_RANGE, BELL_STEP = (-6.0, 6.0), 0.05
BIN = 4  # a bar of the histogram is so many steps of the threshold wide
LARGEST = 1e9  # scores beyond this are taken for a mistake
MOST_POINTS = 300  # of a ROC curve that is drawn
SHARES = (
    ("0.5", "1 in 2"),
    ("0.2", "1 in 5"),
    ("0.1", "1 in 10"),
    ("0.02", "1 in 50"),
    ("0.005", "1 in 200"),
)
ENOUGH, USEFUL = 0.95, 0.8  # recalls that goals ask for
RARE = 0.1  # with a larger share of positives, "always no" is nobody's advice

COSTS = (
    Slider("miss", "Cost of a miss", 0, 100, 1, 5),
    Slider("alarm", "Cost of a false alarm", 0, 20, 1, 1),
    Switch("curve", "Show the cost curve"),
)
_ALWAYS_NO = Goal(
    "no",
    "Find more than 80% of the positives with an accuracy below that of always saying no.",
    "Always no is more often right, and finds nobody. Accuracy says little when positives are rare.",
)
_RECALL = Goal(
    "recall",
    "Recall above 95% with as few false alarms as possible.",
    "One step further and recall falls to 95% or below.",
)
_CHEAPEST = Goal(
    "cheapest",
    "A miss costs at least 10 times a false alarm: find the cheapest threshold, cost curve hidden.",
    "No other threshold is cheaper. Dear misses pull it down: better a false alarm too many.",
    challenge=True,
)

_HINT = "Click or drag in the upper picture to move the threshold."

DECLARATION = Declaration(
    name="threshold",
    title="Where to draw the line",
    controls=(
        Slider("threshold", "Threshold", *BELL_RANGE, BELL_STEP, 0.0),
        Slider("separation", "Distance of the curves", 0.0, 4.0, 0.1, 1.5),
        Choice("share", "Positives", SHARES, "0.5"),
        *COSTS,
    ),
    presets=(
        Preset("Always no", {"threshold": BELL_RANGE[1]}),
        Preset("Rare", {"share": "0.02", "threshold": 2.0}),
        Preset("No skill", {"separation": 0.0}),
    ),
    goals=(
        Goal(_ALWAYS_NO.id, "Positives 1 in 50 or rarer: " + _ALWAYS_NO.text[0].lower() + _ALWAYS_NO.text[1:],
             _ALWAYS_NO.done),
        _RECALL,
        _CHEAPEST,
    ),
    width=660,
    height=760,
    pointer_hint=_HINT,
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ counts at every threshold
def _at_or_above(z: float, count: int) -> int:
    """Return how many of ``count`` evenly laid out examples of a standard bell curve lie at z or above."""
    return math.floor(count * 0.5 * math.erfc(z / math.sqrt(2)) + 0.5)


@lru_cache(maxsize=64)
def bells(separation: float, share: str) -> dict[str, Any]:
    """Return the counts for two bell curves of width 1 whose middles lie ``separation`` apart, around 0.

    Keys as in :func:`counted`, without ``roc``: the counts themselves are the curve.
    """
    positives = round(EXAMPLES * float(share))
    steps = round((BELL_RANGE[1] - BELL_RANGE[0]) / BELL_STEP)
    places = [BELL_RANGE[0] + k * BELL_STEP for k in range(steps + 1)]
    return {
        "minimum": BELL_RANGE[0],
        "step": BELL_STEP,
        "tp": [_at_or_above(t - separation / 2, positives) for t in places],
        "fp": [_at_or_above(t + separation / 2, EXAMPLES - positives) for t in places],
        "positives": positives,
        "negatives": EXAMPLES - positives,
        "auc": 0.5 * math.erfc(-separation / 2),
    }


def _nice(rough: float) -> float:
    """Return the smallest of 1, 2, 5, 10, … times a power of ten that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(round(nice * power, 12) for nice in (1, 2, 5, 10) if nice * power >= rough * (1 - 1e-9))


def _grid(scores: np.ndarray) -> tuple[float, float, int]:
    """Return where the threshold starts, its step, and how many steps there are up to above all scores."""
    low, high = float(scores.min()), float(scores.max())
    if low >= 0 and high <= 1:
        return (
            0.0,
            0.005,
            200 + (high >= 1),
        )  # probabilities: the whole range, and one step above a score of 1
    tight = max(0.0, 0.02 - (high - low)) / 2  # scores that are all alike: room on both sides
    low, high = low - tight, high + tight
    step = _nice((high - low) / 200)
    first = math.floor(low / step)
    return round(first * step, 9), step, math.floor(high / step) + 1 - first


def counted(scores: Any, y: Any) -> dict[str, Any]:
    """Return the counts for the scores of a model.

    Args:
        scores: (N,), any finite numbers; the higher, the more surely positive.
        y: (N,), 1 for a positive and 0 for a negative.

    Returns:
        ``minimum`` and ``step`` of the threshold; ``tp`` and ``fp``, how many positives and negatives have a
        score at or above each of its places, the last of which is above all scores; ``positives`` and
        ``negatives``, how many there are; ``roc``, [fp, tp] at every different score (at most 300 of them);
        ``auc``, the share of pairs of a positive and a negative that are ranked rightly, ties counting
        half (None if there are no such pairs).

    Raises:
        ValueError: if shapes differ or are not (N,), if there are no scores, if a score is not finite or
            beyond ±1e9, or if y holds anything but 0 and 1.
    """
    s, t = _plain(scores, "scores"), _plain(y, "y")
    if s.ndim != 1 or s.shape != t.shape:
        raise ValueError(f"scores and y must both have shape (N,), not {s.shape} and {t.shape}")
    if not len(s):
        raise ValueError("there are no scores")
    if not (np.isfinite(s).all() and np.abs(s).max() <= LARGEST):
        raise ValueError(f"every score must be a finite number between −{LARGEST:.0e} and {LARGEST:.0e}")
    if not np.isin(t, (0, 1)).all():
        raise ValueError(f"y must hold 0 and 1 only, not {sorted(set(t.tolist()) - {0, 1})[:3]}")
    minimum, step, steps = _grid(s)
    digits = max(0, -math.floor(math.log10(step)) + 2)
    places = np.round(minimum + np.arange(steps + 1) * step, digits)
    yes, no = np.sort(s[t == 1]), np.sort(s[t == 0])
    different = np.unique(s)[::-1]
    curve = np.stack([_count(no, different), _count(yes, different)], axis=1)
    ranked = np.searchsorted(no, yes, "left").sum() + np.searchsorted(no, yes, "right").sum()
    return {
        "minimum": minimum,
        "step": step,
        "tp": _count(yes, places).tolist(),
        "fp": _count(no, places).tolist(),
        "positives": len(yes),
        "negatives": len(no),
        "roc": _thinned(np.concatenate([[[0, 0]], curve]), len(no), len(yes)),
        "auc": float(ranked / (2 * len(yes) * len(no))) if len(yes) and len(no) else None,
    }


def _plain(values: Any, name: str) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a tensor, an array or a list of numbers") from None


def _count(ordered: np.ndarray, places: np.ndarray) -> np.ndarray:
    return len(ordered) - np.searchsorted(ordered, places, "left")


def _thinned(curve: np.ndarray, negatives: int, positives: int) -> list[list[int]]:
    """Return at most MOST_POINTS corners of the curve, evenly along its way, both ends among them."""
    if len(curve) <= MOST_POINTS:
        return curve.tolist()
    way = curve[:, 0] / max(negatives, 1) + curve[:, 1] / max(positives, 1)
    wanted = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS))
    return curve[np.unique(np.minimum(wanted, len(curve) - 1))].tolist()


# ------------------------------------------------------------------ what the controls give
def compute(
    threshold: float,
    miss: float,
    alarm: float,
    curve: bool = False,
    separation: float = 0.0,
    share: str = "0.5",
    table: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the matrix, the measures and the costs at this threshold.

    ``table`` holds the counts of a model's own scores; without it those of two bell curves are taken. Keys:
    ``k``, which place the threshold is at; ``tp``, ``fp``, ``fn``, ``tn``; ``accuracy``, ``precision``,
    ``recall``, ``f1``, ``false_alarms`` (the false positive rate), each 0 where it would be 0 / 0;
    ``always_no``, the accuracy of who says no to everything; ``cost`` at this threshold, ``costs`` at all;
    ``cheapest``, the smallest of them, and ``at``, the first place where it is reached.
    """
    table = table or bells(separation, share)
    positives, negatives = table["positives"], table["negatives"]
    k = min(max(round((threshold - table["minimum"]) / table["step"]), 0), len(table["tp"]) - 1)
    tp, fp = table["tp"][k], table["fp"][k]
    fn, tn = positives - tp, negatives - fp
    pairs = zip(table["tp"], table["fp"], strict=True)
    costs = [miss * (positives - hits) + alarm * alarms for hits, alarms in pairs]
    return {
        "k": k,
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "accuracy": _ratio(tp + tn, positives + negatives),
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, positives),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "false_alarms": _ratio(fp, negatives),
        "always_no": _ratio(negatives, positives + negatives),
        "cost": costs[k],
        "costs": costs,
        "cheapest": min(costs),
        "at": costs.index(min(costs)),
    }


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0


def bars(table: dict[str, Any]) -> list[list[float]]:
    """Return the histogram: [from, to, share of the positives, share of the negatives] of every bar."""
    last = len(table["tp"]) - 1
    found = []
    for k in range(0, last, BIN):
        end = min(k + BIN, last)
        found.append([
            table["minimum"] + k * table["step"],
            table["minimum"] + (k + BIN) * table["step"],
            _ratio(table["tp"][k] - table["tp"][end], table["positives"]),
            _ratio(table["fp"][k] - table["fp"][end], table["negatives"]),
        ])  # fmt: skip
    return found


# ------------------------------------------------------------------ words
def percent(value: float) -> str:
    """Return "97.3%"."""
    return number(100 * value, 1) + "%"


def whole(value: float) -> str:
    """Return "12,345"."""
    return f"{round(value):,}"


def _alarms(count: int) -> str:
    return f"{whole(count)} false alarm{'' if count == 1 else 's'}"


def describe(
    threshold: float,
    miss: float,
    alarm: float,
    curve: bool = False,
    separation: float = 0.0,
    share: str = "0.5",
    table: dict[str, Any] | None = None,
) -> str:
    """Return the sentence: what is found, what is wrong, what it costs, and what has no meaning here."""
    table = table or bells(separation, share)
    s = compute(threshold, miss, alarm, curve, separation, share, table)
    total = table["positives"] + table["negatives"]
    words = [f"{whole(s['tp'] + s['fp'])} of {whole(total)} are called positive."]
    if not table["positives"]:
        words.append("There are no positives: recall would be 0 divided by 0, and there is no curve to draw.")
    else:
        words.append(f"Recall {percent(s['recall'])}: {whole(s['tp'])} of {whole(table['positives'])} found.")
    if s["tp"] + s["fp"]:
        words.append(f"Precision {percent(s['precision'])}: {_alarms(s['fp'])}.")
    else:
        words.append("Precision would be 0 divided by 0, and counts as 0.")
    if not table["negatives"]:
        words.append("There are no negatives: no false alarm is possible.")
    words.append(f"Accuracy {percent(s['accuracy'])}; always no: {percent(s['always_no'])}.")
    if not miss and not alarm:
        words.append("Mistakes cost nothing, so every threshold is as good.")
    else:
        words.append(f"Cost {whole(s['cost'])}.")
    return " ".join(words)


# ------------------------------------------------------------------ pictures
def draw(
    figure: Figure,
    threshold: float,
    miss: float,
    alarm: float,
    curve: bool = False,
    separation: float = 0.0,
    share: str = "0.5",
    table: dict[str, Any] | None = None,
) -> None:
    """Draw the two histograms with the threshold, the matrix, and both curves with the point on each."""
    table = table or bells(separation, share)
    state = compute(threshold, miss, alarm, curve, separation, share, table)
    palette = colors()
    places = figure.subplot_mosaic([["h", "h", "h"], ["m", "r", "p"]], height_ratios=(5, 4))
    _draw_scores(places["h"], state, table, palette)
    _draw_matrix(places["m"], state, palette)
    missing = "positives" if not table["positives"] else "negatives" if not table["negatives"] else ""
    for name, across, up, ylabel, xlabel in (
        ("r", "false_alarms", "recall", "recall", "false positive rate"),
        ("p", "recall", "precision", "precision", "recall"),
    ):
        ax = places[name]
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=xlabel, ylabel=ylabel)
        if missing and (name == "r" or missing == "positives"):
            ax.text(0.5, 0.5, f"no {missing}:\nno curve", ha="center", va="center", fontsize=14)
            continue
        line = np.array(curves(table)[name])
        ax.plot(line[:, 0], line[:, 1], color=palette["accent"], linewidth=2.5)
        ax.plot(state[across], state[up], "o", color=palette["text"], markersize=10, clip_on=False, zorder=5)
        ax.set_title("ROC" if name == "r" else "Precision–recall")


def curves(table: dict[str, Any]) -> dict[str, list[list[float]]]:
    """Return the points of the ROC curve ("r") and of the precision–recall curve ("p")."""
    found = table.get("roc") or [list(pair) for pair in zip(table["fp"], table["tp"], strict=True)]
    roc = [[_ratio(fp, table["negatives"]), _ratio(tp, table["positives"])] for fp, tp in found]
    pr = [[_ratio(tp, table["positives"]), tp / (tp + fp)] for fp, tp in found if tp + fp]
    return {"r": roc, "p": pr}


def _draw_scores(ax: Axes, state: dict[str, Any], table: dict[str, Any], palette: dict[str, str]) -> None:
    at = table["minimum"] + state["k"] * table["step"]
    for column, color, words in (
        (3, palette["class0"], f"{whole(table['negatives'])} negatives"),
        (2, palette["class1"], f"{whole(table['positives'])} positives"),
    ):
        rows = bars(table)
        ax.bar(
            [row[0] for row in rows], [row[column] for row in rows], width=BIN * table["step"], align="edge",
            color=color, alpha=0.6, label=words,
        )  # fmt: skip
    ax.axvline(at, color=palette["text"], linewidth=3)
    ax.set(xlabel="score", ylabel="share of its class", yticks=[])
    ax.legend(loc="upper right", fontsize=12)
    ax.set_title(
        f"Threshold {number(at)}: recall {percent(state['recall'])}, precision {percent(state['precision'])}"
    )


def _draw_matrix(ax: Axes, state: dict[str, Any], palette: dict[str, str]) -> None:
    ax.set(xlim=(0, 2), ylim=(2, 0), xticks=[0.5, 1.5], yticks=[0.5, 1.5])
    ax.set_xticklabels(["says no", "says yes"])
    ax.set_yticklabels(["is no", "is yes"])
    ax.grid(False)
    for row, column, name in ((0, 0, "tn"), (0, 1, "fp"), (1, 0, "fn"), (1, 1, "tp")):
        right = row == column
        color = palette["right" if right else "wrong"]
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor=color, alpha=0.22))
        ax.text(column + 0.5, row + 0.5, whole(state[name]), ha="center", va="center", fontsize=15)


# ------------------------------------------------------------------ a model's own scores
def declaration_for(table: dict[str, Any]) -> Declaration:
    """Return the explorer's declaration for counts of a model's own: its range, and goals that can be met."""
    steps, step = len(table["tp"]) - 1, table["step"]
    maximum = round(table["minimum"] + steps * step, 9)
    middle = round(table["minimum"] + (steps // 2) * step, 9)
    both = bool(table["positives"] and table["negatives"])
    rare = both and table["positives"] <= RARE * (table["positives"] + table["negatives"])
    beaten = rare and any(_beaten(table, k) for k in range(steps + 1))
    goals = (*([_ALWAYS_NO] if beaten else []), *([_RECALL, _CHEAPEST] if both else []))
    return Declaration(
        name="threshold",
        title="Where to draw the line",
        controls=(Slider("threshold", "Threshold", table["minimum"], maximum, step, middle), *COSTS),
        presets=(Preset("Always no", {"threshold": maximum}),),
        goals=goals,
        width=660,
        height=760,
        pointer_hint=_HINT,
    )


def _beaten(table: dict[str, Any], k: int) -> bool:
    """Return whether recall is above 80% at place k, but accuracy below that of always saying no."""
    tp, fp = table["tp"][k], table["fp"][k]
    return tp > USEFUL * table["positives"] and fp > tp


def browser_data(table: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the browser needs beside the declaration."""
    return {
        "table": table,
        "bells": {"examples": EXAMPLES, "range": BELL_RANGE, "step": BELL_STEP},
        "bin": BIN,
        "enough": ENOUGH,
        "useful": USEFUL,
    }


class ThresholdExplorer(Explorer):
    """The live widget of :func:`threshold`."""

    _esm = esm("threshold.js")
    _css = css()


# What the stored picture shows: positives are rare, two in three of them are found.
STILL = DECLARATION.defaults() | {"share": "0.02", "threshold": 0.3, "separation": 2.0}


def threshold(scores: Sequence[float] | None = None, y: Sequence[int] | None = None) -> None:
    """Show the explorer: move a threshold over the scores of two classes and see what each choice costs.

    Args:
        scores: (N,), one number an example (tensor, array or list): the higher, the more surely positive.
            Where probabilities crowd at 0 and 1, logits show more. Without scores:
            two bell curves.
        y: (N,), 1 for a positive and 0 for a negative.

    Raises:
        ValueError: if only one of the two is given, or they do not fit together (see :func:`counted`).
    """
    if (scores is None) != (y is None):
        raise ValueError("give both scores and y, or neither")
    if scores is None:
        declaration, table, still = DECLARATION, None, STILL
    else:
        table = counted(scores, y)
        declaration = declaration_for(table)
        still = declaration.defaults() | {"table": table}
    show(
        ThresholdExplorer(declaration, browser_data(table)),
        still_png(draw, size=(8.8, 6.0), **still),
        describe(**still),
    )
