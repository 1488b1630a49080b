"""Activation functions (lesson 02): value, slope and tangent at z, and the gradient that survives n layers.

A layer multiplies the gradient by the slope f′(z) of its activation. With the same z in every layer,
|f′(z)|ⁿ is left after n layers. Values and slopes are those of torch; where a function has a kink, its
slope is torch's choice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from utils.explore.base import (
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    colors,
    css,
    esm,
    number,
    show,
    still_png,
)

LOW, HIGH = -8.0, 8.0

# A function counts as saturated where its slope is below this share of its largest slope.
SATURATED = 0.01

# Bars end here: what is smaller is lost in float32 beside anything of size 1 long before.
FLOOR = -20

LEAK = 0.01  # torch's default for leaky ReLU

KINDS: tuple[tuple[str, str], ...] = (
    ("step", "step"),
    ("sigmoid", "sigmoid"),
    ("tanh", "tanh"),
    ("relu", "ReLU"),
    ("leaky_relu", "leaky ReLU (0.01)"),
    ("elu", "ELU"),
    ("gelu", "GELU"),
    ("silu", "SiLU"),
    ("identity", "identity"),
)

# The part of each function that is shown: (lowest f, highest f).
_VIEW = {
    "step": (-0.4, 1.4), "sigmoid": (-0.4, 1.4), "tanh": (-1.5, 1.5), "relu": (-2, 8), "leaky_relu": (-2, 8),
    "elu": (-2, 8), "gelu": (-2, 8), "silu": (-2, 8), "identity": (-8, 8),
}  # fmt: skip

DECLARATION = Declaration(
    name="activation",
    title="An activation, its slope, and what survives n layers",
    controls=(
        Choice("kind", "Function", KINDS, "sigmoid"),
        Slider("z", "Pre-activation z", LOW, HIGH, 0.05, 2.0),
        Slider("n", "Layers n", 1, 30, 1, 10),
    ),
    presets=(
        Preset("Saturated sigmoid", {"kind": "sigmoid", "z": 6.0, "n": 5}),
        Preset("Busy ReLU", {"kind": "relu", "z": 2.0, "n": 30}),
        Preset("GELU grows", {"kind": "gelu", "z": 1.4, "n": 30}),
    ),
    goals=(
        Goal("steepest", "Find the largest slope of sigmoid.", "Sigmoid: 0.25 at z = 0, and never more."),
        Goal("dead", "Make ReLU's gradient exactly 0.", "ReLU: for z ≤ 0 nothing at all comes back."),
        Goal(
            "keep",
            "With tanh, keep at least half of the gradient through 20 layers.",
            "tanh: only |z| below 0.19 does it. One layer may lose 3.4% at most.",
            challenge=True,
        ),
    ),
    width=640,
    height=580,
    pointer_hint="Drag in the picture to move z. Grey: saturated, the slope is below 1% of its largest.",
)

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


def value_and_slope(kind: str, z: float) -> tuple[float, float]:
    """Return f(z) and f′(z) for one of :data:`KINDS`.

    Raises:
        ValueError: if there is no such function.
    """
    if kind == "step":
        return (1.0 if z >= 0 else 0.0), 0.0
    if kind == "sigmoid":
        f = _sigmoid(z)
        return f, f * _sigmoid(-z)
    if kind == "tanh":
        f = math.tanh(z)
        return f, (1 / math.cosh(z)) ** 2
    if kind == "relu":
        return max(z, 0.0), float(z > 0)
    if kind == "leaky_relu":
        return (z if z > 0 else LEAK * z), (1.0 if z > 0 else LEAK)
    if kind == "elu":
        return (z if z > 0 else math.expm1(z)), (1.0 if z > 0 else math.exp(z))
    if kind == "gelu":
        below = 0.5 * math.erfc(-z / math.sqrt(2))  # share of a normal distribution below z
        return z * below, below + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    if kind == "silu":
        s = _sigmoid(z)
        return z * s, s * (1 + z * _sigmoid(-z))
    if kind == "identity":
        return z, 1.0
    raise ValueError(f"there is no activation {kind!r}; there are {[name for name, _ in KINDS]}")


def _sigmoid(z: float) -> float:
    # Written so that exp never gets a large positive number.
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def grid() -> list[float]:
    """Return the 321 values of z that the curves are drawn at."""
    return [LOW + i * (HIGH - LOW) / 320 for i in range(321)]


def largest_slope(kind: str) -> float:
    """Return the largest |f′| between −8 and 8, on the grid."""
    return max(abs(value_and_slope(kind, z)[1]) for z in grid())


def compute(kind: str, z: float, n: int) -> dict[str, Any]:
    """Return value, slope, largest slope, whether z is saturated, and the gradient left after 1 … n layers.

    ``surviving[k − 1]`` is |f′(z)|ᵏ; ``zones`` are the stretches [from, to] of z where f is saturated.
    """
    value, slope = value_and_slope(kind, z)
    largest = largest_slope(kind)
    return {
        "value": value,
        "slope": slope,
        "largest": largest,
        "saturated": _flat(slope, largest),
        "surviving": [abs(slope) ** k for k in range(1, int(n) + 1)],
        "zones": _zones(kind, largest),
    }


def _flat(slope: float, largest: float) -> bool:
    return slope == 0 or abs(slope) < SATURATED * largest


def _zones(kind: str, largest: float) -> list[list[float]]:
    zones: list[list[float]] = []
    open_ = False
    for z in grid():
        flat = _flat(value_and_slope(kind, z)[1], largest)
        if flat and open_:
            zones[-1][1] = z
        elif flat:
            zones.append([z, z])
        open_ = flat
    return [zone for zone in zones if zone[1] > zone[0]]


def amount(x: float) -> str:
    """Return a gradient in few characters: 0, 0.105, 1.2×10⁻⁷."""
    if x == 0:
        return "exactly 0"
    if 0.001 <= x < 1000:
        return number(x, 3 if x < 10 else 1)
    power = math.floor(math.log10(x))
    lead = x / 10.0**power
    if lead >= 9.95:
        lead, power = lead / 10, power + 1
    return f"{number(lead, 1)}×10{_raised(power)}"


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def describe(kind: str, z: float, n: int) -> str:
    """Return one or two sentences: value, slope, saturation, and what is left after n layers."""
    state = compute(kind, z, n)
    name = dict(KINDS)[kind]
    here = (
        f"{name} at z = {number(z)}: value {number(state['value'], 3)}, slope {_slope_words(state['slope'])}"
    )
    if kind == "step":
        return f"{here}. A step is flat everywhere, and at z = 0 it jumps: no gradient ever passes it."
    flat = (
        f" (saturated: below 1% of its largest, {number(state['largest'], 2)})" if state["saturated"] else ""
    )
    left = state["surviving"][-1]
    layers = "1 layer" if n == 1 else f"{int(n)} layers"
    return f"{here}{flat}. Of a gradient of 1, {amount(left)} is left after {layers}."


def _slope_words(slope: float) -> str:
    if slope == 0:
        return "0"
    return number(slope, 3) if abs(slope) >= 0.001 else ("−" if slope < 0 else "") + amount(abs(slope))


def draw(figure: Figure, kind: str, z: float, n: int) -> None:
    """Draw f with its tangent, f′ below it, and the surviving gradient as bars on a log scale."""
    state, palette = compute(kind, z, n), colors()
    zs = np.array(grid())
    curve = np.array([value_and_slope(kind, x) for x in zs])
    if kind == "step":
        curve[zs == 0, 0] = np.nan  # a jump is no upright line
    layout = figure.subplot_mosaic(
        [["f", "bars"], ["slope", "bars"]], height_ratios=(3, 2), width_ratios=(5, 4)
    )
    name = dict(KINDS)[kind]
    for key in ("f", "slope"):
        for start, end in state["zones"]:
            layout[key].axvspan(start, end, color=palette["muted"], alpha=0.16, linewidth=0)
        layout[key].set_xlim(LOW, HIGH)
    top = layout["f"]
    top.plot(zs, curve[:, 0], color=palette["text"])
    reach = 2.0
    ends = np.array([z - reach, z + reach])
    if kind != "step" or z != 0:  # a jump has no tangent
        top.plot(ends, state["value"] + state["slope"] * (ends - z), color=palette["gradient"], zorder=4)
    top.plot([z], [state["value"]], "o", color=palette["accent"], markersize=10, zorder=5)
    top.set(ylim=_VIEW[kind], ylabel="f(z)", xticklabels=[])
    top.set_title(f"{name}: slope {_slope_words(state['slope'])} at z = {number(z, 1)}")
    low = layout["slope"]
    low.plot(zs, curve[:, 1], color=palette["gradient"])
    low.plot([z], [state["slope"]], "o", color=palette["accent"], markersize=10, zorder=5)
    low.set(ylim=(-0.25, 1.3), ylabel="f′(z)", xlabel="z   (shaded: saturated)")
    bars = layout["bars"]
    seen = [max(v, 10.0**FLOOR) for v in state["surviving"]]
    bars.grid(axis="x", visible=False)
    bars.bar(range(1, int(n) + 1), seen, bottom=10.0**FLOOR, color=palette["gradient"], width=0.7)
    bars.set(yscale="log", ylim=(10.0**FLOOR, 1e2), xlim=(0.3, max(int(n), 5) + 0.7), xlabel="layer")
    bars.set_title(f"Left after {int(n)}: {amount(state['surviving'][-1])}")


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: the part of each function that is shown."""
    return {"view": {kind: list(ends) for kind, ends in _VIEW.items()}}


class ActivationExplorer(Explorer):
    """The live widget of :func:`activation`."""

    _esm = esm("activation.js")
    _css = css()


STILL = {"kind": "sigmoid", "z": 2.0, "n": 10}


def activation() -> None:
    """Show the explorer: pick a function, slide z, and see what is left of a gradient after n layers."""
    show(
        ActivationExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.8, 4.8), **STILL),
        describe(**STILL),
    )
