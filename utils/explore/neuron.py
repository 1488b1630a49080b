"""The neuron and its line (lesson 01): two weights, a bias, and what they say about a few points.

The neuron answers 1 where w₁x₁ + w₂x₂ + b ≥ 0, else 0. Its border is a line; w is normal to it and points
to the side called 1; the line is |b|/‖w‖ away from the origin.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    colors,
    css,
    esm,
    markers,
    number,
    show,
    still_png,
)

_CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]

# Two clouds with a narrow gap: a line must lie just so. Fixed numbers: every learner sees the same points.
_BLOB_0 = [
    [-1.62, -0.35], [-0.71, -1.48], [-1.95, -1.22], [-0.28, -0.83], [-1.15, 0.42], [-2.21, 0.31],
    [-0.72, 0.98], [-1.38, -1.01], [0.21, -1.37], [-1.02, -0.29], [0.24, 0.12], [-1.73, 0.93],
    [0.63, -1.92], [-0.87, -2.05], [0.48, -0.61], [-1.49, -1.83],
]  # fmt: skip
_BLOB_1 = [
    [1.32, 1.05], [0.58, 1.71], [1.87, 0.42], [0.92, 0.66], [2.12, 1.38], [0.05, 0.44],
    [1.55, -0.21], [1.08, 2.02], [0.74, 0.19], [1.71, 1.83], [-0.16, 1.58], [2.31, -0.47],
    [1.21, 0.31], [-0.61, 2.11], [1.42, -0.82], [0.12, 2.24],
]  # fmt: skip

# name: points (x₁, x₂), their classes, the square [low, high] of the plane that is shown, and a free place
# in it: the arrow stands on the line as near to that place as it can, so that it covers no point.
POINTS: dict[str, dict[str, Any]] = {
    "AND": {"X": _CORNERS, "y": [0, 0, 0, 1], "low": -1.0, "high": 2.0, "free": [1.3, -0.35]},
    "OR": {"X": _CORNERS, "y": [0, 1, 1, 1], "low": -1.0, "high": 2.0, "free": [1.3, -0.35]},
    "NAND": {"X": _CORNERS, "y": [1, 1, 1, 0], "low": -1.0, "high": 2.0, "free": [1.3, -0.35]},
    "XOR": {"X": _CORNERS, "y": [0, 1, 1, 0], "low": -1.0, "high": 2.0, "free": [1.3, -0.35]},
    "blobs": {
        "X": _BLOB_0 + _BLOB_1,
        "y": [0] * 16 + [1] * 16,
        "low": -3.0,
        "high": 3.0,
        "free": [1.9, -1.9],
    },
}

DECLARATION = Declaration(
    name="neuron",
    title="A neuron and its line",
    controls=(
        Choice("points", "Data set", tuple(POINTS), "AND"),
        Slider("w1", "Weight w₁", -3.0, 3.0, 0.1, 0.5),
        Slider("w2", "Weight w₂", -3.0, 3.0, 0.1, -1.0),
        Slider("b", "Bias b", -4.0, 4.0, 0.1, 0.3),
        Action("flip", "Swap the sides", "Turns w and b round: every answer flips"),
    ),
    presets=(
        Preset("Upright line", {"w1": 1.0, "w2": 0.0, "b": -1.2}),
        Preset("w = 0", {"w1": 0.0, "w2": 0.0, "b": 0.5}),
    ),
    goals=(
        Goal("and", "Get AND right: 4 of 4.", "AND: 4 of 4. Well done."),
        Goal("blobs", "Get every point of “blobs” right.", "Blobs: all 32. The gap is narrow."),
        Goal(
            "xor",
            "Get XOR right. How many can you reach?",
            "XOR: 3 of 4, the best any line can do. One neuron cannot reach the fourth.",
            challenge=True,
        ),
    ),
    width=640,
    height=470,
    pointer_hint="● class 0, ■ class 1. Drag the line to shift it, the tip of w to turn it.",
)

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals

# Weights and coordinates are short decimals; without this a sum that is 0 on paper could come out as
# −0.0000000000000001.
_ON_THE_LINE = 1e-9


def compute(points: str, w1: float, w2: float, b: float) -> dict[str, Any]:
    """Return what the neuron answers and where its line lies.

    Keys: ``z`` and ``says`` per point, ``wrong`` (indices), ``right``, ``total``, ``norm`` of w,
    ``distance`` of the line from the origin (signed along w is −b/‖w‖; this is its size), ``foot`` (where
    the arrow stands on the line) and ``in_view``. Without a line (w = 0) distance and foot are None, and
    with none in view the foot is None.
    """
    data = POINTS[points]
    z = [w1 * x1 + w2 * x2 + b for x1, x2 in data["X"]]
    says = [int(value > -_ON_THE_LINE) for value in z]
    wrong = [i for i, (said, true) in enumerate(zip(says, data["y"], strict=True)) if said != true]
    norm = math.hypot(w1, w2)
    state: dict[str, Any] = {
        "z": z, "says": says, "wrong": wrong, "right": len(z) - len(wrong), "total": len(z), "norm": norm,
        "distance": None, "foot": None, "in_view": False,
    }  # fmt: skip
    if norm > 0:
        state["distance"] = abs(b) / norm
        state["foot"] = _foot(data, w1 / norm, w2 / norm, b / norm)
        state["in_view"] = state["foot"] is not None
    return state


def _foot(data: dict[str, Any], u1: float, u2: float, c: float) -> list[float] | None:
    """Return the point of the line u·x + c = 0 nearest to the free place; None if it is not in view."""
    (x, y), low, high = data["free"], data["low"], data["high"]
    away = u1 * x + u2 * y + c
    px, py = x - away * u1, y - away * u2
    # The line is p + t·(−u2, u1); t runs from `first` to `last` inside the square.
    first, last = -math.inf, math.inf
    for start, along in ((px, -u2), (py, u1)):
        if abs(along) < 1e-12:
            if not low < start < high:
                return None
            continue
        ends = sorted(((low - start) / along, (high - start) / along))
        first, last = max(first, ends[0]), min(last, ends[1])
    if last - first < 1e-6 * (high - low):  # it only touches a corner
        return None
    inset = 0.1 * (last - first)
    t = min(max(0.0, first + inset), last - inset)
    return [px - t * u2, py + t * u1]


def formula(w1: float, w2: float, b: float) -> str:
    """Return "z = 1.0·x₁ − 2.0·x₂ + 0.5"."""
    sign = {False: "+", True: "−"}
    return f"z = {number(w1, 1)}·x₁ {sign[w2 < 0]} {number(abs(w2), 1)}·x₂ {sign[b < 0]} {number(abs(b), 1)}"


def describe(points: str, w1: float, w2: float, b: float) -> str:
    """Return one or two sentences: how many are right, and where the line is."""
    state = compute(points, w1, w2, b)
    score = f"{points}: {state['right']} of {state['total']} points right"
    if state["norm"] == 0:
        says = int(b >= 0)
        return f"{score}. With w = 0 there is no line: z = b everywhere, and the neuron says {says} to all."
    if not state["in_view"]:
        # The same answer at all four corners: the one at the middle is as good as any.
        middle = (POINTS[points]["low"] + POINTS[points]["high"]) / 2
        side = int(w1 * middle + w2 * middle + b >= 0)
        return f"{score}. The line is outside the picture, so every point is called {side}."
    wrong = len(state["wrong"])
    ringed = {0: "", 1: ", the wrong one ringed"}.get(wrong, f", the {wrong} wrong ones ringed")
    return (
        f"{score}{ringed}. The line is {number(state['distance'])} away from the origin; "
        f"w = ({number(w1, 1)}, {number(w2, 1)}) is normal to it and points to the side called 1."
    )


def draw(figure: Figure, points: str, w1: float, w2: float, b: float) -> None:
    """Draw the plane, the points, the line and its normal."""
    data, state = POINTS[points], compute(points, w1, w2, b)
    palette, shapes = colors(), markers()
    low, high = data["low"], data["high"]
    half = (high - low) * 0.72
    middle = (low + high) / 2
    left, right = middle - half, middle + half
    axes = figure.subplots()
    axes.set(xlim=(left, right), ylim=(low, high), xlabel="x₁", ylabel="x₂", aspect="equal")
    axes.set_title(f"{state['right']} of {state['total']} right", loc="right", weight="bold")
    axes.set_title(formula(w1, w2, b), loc="left")

    if state["norm"] > 0:
        ux, uy = w1 / state["norm"], w2 / state["norm"]
        fx, fy = state["foot"] or (-b / state["norm"] * ux, -b / state["norm"] * uy)
        far = 4 * (high - low) + math.hypot(fx, fy)
        ends = [(fx - far * uy, fy + far * ux), (fx + far * uy, fy - far * ux)]
        for side, color in ((far, palette["class1"]), (-far, palette["class0"])):
            corners = [*ends, *((x + side * ux, y + side * uy) for x, y in reversed(ends))]
            axes.fill(*zip(*corners, strict=True), color=color, alpha=0.16, linewidth=0, zorder=0)
        axes.plot(*zip(*ends, strict=True), color=palette["boundary"], zorder=2)
        if state["in_view"]:
            scale = 0.1 * (high - low)
            tip = (fx + scale * w1, fy + scale * w2)
            arrow = {
                "arrowstyle": "-|>",
                "color": palette["accent"],
                "lw": 3,
                "mutation_scale": 20,
                "shrinkA": 0,
                "shrinkB": 0,
            }
            axes.annotate("", tip, (fx, fy), arrowprops=arrow, zorder=4)
            axes.annotate(
                "w",
                tip,
                xytext=(8, 6),
                textcoords="offset points",
                color=palette["accent"],
                size=14,
                weight="bold",
            )
    else:
        axes.axvspan(left, right, color=palette["class1" if b >= 0 else "class0"], alpha=0.16, linewidth=0)
        words = f"w = 0: no line.\nThe neuron says {int(b >= 0)} everywhere."
        axes.text(middle, high - 0.06 * (high - low), words, ha="center", va="top", size=14, weight="bold")
    for kind in (0, 1):
        chosen = [x for x, true in zip(data["X"], data["y"], strict=True) if true == kind]
        axes.scatter(
            *zip(*chosen, strict=True), s=110, marker=shapes[kind], color=palette[f"class{kind}"],
            edgecolor="white", linewidth=1.2, zorder=5, label=f"class {kind}",
        )  # fmt: skip
    if state["wrong"]:
        ringed = [data["X"][i] for i in state["wrong"]]
        axes.scatter(
            *zip(*ringed, strict=True),
            s=420,
            facecolor="none",
            edgecolor=palette["wrong"],
            linewidth=2.5,
            zorder=6,
            label="wrong",
        )
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), markerscale=0.8)


class NeuronExplorer(Explorer):
    """The live widget of :func:`neuron`."""

    _esm = esm("neuron.js")
    _css = css()


# What the stored picture shows: OR's line on XOR, three right and one ringed.
STILL = {"points": "XOR", "w1": 1.0, "w2": 1.0, "b": -0.5}


def neuron() -> None:
    """Show the explorer: move a neuron's line, by its sliders or by dragging, until the points are right."""
    show(NeuronExplorer(DECLARATION, {"points": POINTS}), still_png(draw, **STILL), describe(**STILL))
