"""A deep network before its first step (lesson 08): activations and gradients, layer by layer, for any start.

Inputs of spread 1 go in at the left and run through ``depth`` layers of ``width`` units, without biases:
z = W a, then perhaps batch normalisation (training mode, γ = 1, β = 0), then the activation. At the last
layer a gradient of spread 1 comes in (the loss is Σ g · a, with g drawn like the inputs) and runs back to
the inputs. Shown is the gradient by the activations of each layer. Both ends have spread 1, so every
layer can be compared with 1. Spread is the standard deviation over all units and all examples of a batch.

``initialization.js`` does the same by hand in the browser, live; here torch does it, with autograd, for the
still picture and for tests. Both draw the same numbers: a draw is the same network in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

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

BATCH = 25  # examples that run through the network
LIMIT = 3.0  # the histograms show values from −LIMIT to LIMIT; what lies beyond is counted at the ends
BINS = 41  # odd, so that 0 lies in the middle of one
EPS = 1e-5  # of batch normalisation, as in nn.BatchNorm1d
BAND = (0.5, 2.0)  # a healthy spread
REACHES = (2, 4, 8, 16, 32, 80)  # the axis of spreads goes from 10⁻ⁿ to 10ⁿ, with the first n that is enough
SATURATED = 0.95  # from here on tanh is called flat; sigmoid within (1 − SATURATED) / 2 of its ends

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z * 1,
}
_NAMES = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid", "identity": "identity"}

SCHEMES = {
    "zeros": "all 0",
    "ones": "all 1",
    "small": "normal, spread 0.01",
    "tenth": "normal, spread 0.1",
    "one": "normal, spread 1",
    "linear": "nn.Linear's, ±1/√fan-in",
    "xavier": "Xavier, uniform",
    "kaiming": "Kaiming, normal",
}
"""The word that the control uses -> the name for people."""

DECLARATION = Declaration(
    name="initialization",
    title="A deep network before its first step",
    controls=(
        Choice("scheme", "First weights", tuple(SCHEMES.items()), "linear"),
        Slider("gain", "times a gain of", 0.5, 3.0, 0.01, 1.0),
        Choice("activation", "Activation", tuple(_NAMES.items()), "tanh"),
        Slider("depth", "Depth", 1, 30, 1, 10, "layers"),
        Slider("width", "Width", 4, 100, 4, 100, "units"),
        Switch("norm", "Batch normalisation"),
        Slider("seed", "Draw of the weights", 1, 8, 1, 1),
    ),
    presets=(
        Preset(
            "Xavier, tanh",
            {"scheme": "xavier", "gain": 1.0, "activation": "tanh", "depth": 20, "norm": False},
        ),
        Preset(
            "Kaiming, ReLU",
            {"scheme": "kaiming", "gain": 1.0, "activation": "relu", "depth": 30, "norm": False},
        ),
    ),
    goals=(
        Goal(
            "vanish",
            "Let the gradient at the inputs vanish: under a millionth, but not 0.",
            "Vanished: every layer shrank it, and the factors multiply.",
        ),
        Goal(
            "explode",
            "Let it explode: over a million.",
            "Exploded: again, factors multiply.",
        ),
        Goal(
            "dead",
            "Kill a ReLU network: its last layer answers 0 to every input.",
            "Dead. No gradient comes back, so no step can wake it.",
        ),
        Goal(
            "keep",
            "20 layers of tanh, no batch normalisation: keep every spread from 0.5 to 2.",
            "Kept. Weights a little larger than Xavier's make up for what tanh squeezes.",
            challenge=True,
        ),
    ),
    width=680,
    height=640,
    pointer_hint="Inputs of spread 1 go in at the left. A gradient of spread 1 comes in at the right and "
    "runs back. Black: beyond ±3.",
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ random numbers that JavaScript repeats
def uniform(seed: int, count: int, skip: int = 0) -> np.ndarray:
    """Return ``count`` numbers from 0 to 1 (1 left out), after the first ``skip`` of this seed; float64.

    It is T. Ettinger's mulberry32, which the playground uses too. Its state only counts up, so that all
    numbers can be computed at once.
    """
    steps = np.arange(skip + 1, skip + count + 1, dtype=np.uint64)
    state = ((np.uint64(seed) + steps * np.uint64(0x6D2B79F5)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2**32


def normal(u: np.ndarray) -> np.ndarray:
    """Turn an even number of uniform numbers into as many normal ones, two by two (Box and Muller, 1958)."""
    length = np.sqrt(-2 * np.log(1 - u[0::2]))
    turn = 2 * math.pi * u[1::2]
    found = np.empty_like(u)
    found[0::2], found[1::2] = length * np.cos(turn), length * np.sin(turn)
    return found


def ends(width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the inputs and the gradient that comes in at the last layer, each (BATCH, width), normal."""
    count = BATCH * width
    both = normal(uniform(seed, 2 * count))
    return tuple(torch.from_numpy(part.reshape(BATCH, width)) for part in (both[:count], both[count:]))


def first_weights(scheme: str, gain: float, depth: int, width: int, seed: int) -> list[torch.Tensor]:
    """Return W of every layer, (width, width) in float64.

    Raises:
        ValueError: if there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"there is no scheme {scheme!r}; there are {list(SCHEMES)}")
    shape = (int(depth), int(width), int(width))
    if scheme in ("zeros", "ones"):
        return list(torch.full(shape, gain if scheme == "ones" else 0.0, dtype=torch.float64))
    u = uniform(seed, math.prod(shape), skip=2 * BATCH * int(width))
    base = 2 * u - 1 if scheme in ("linear", "xavier") else normal(u)
    return list(torch.from_numpy(base.reshape(shape)) * (gain * scale(scheme, width)))


def scale(scheme: str, width: int) -> float:
    """Return the bound of a uniform scheme, the spread of a normal one; fan-in and fan-out are the width."""
    return {
        "small": 0.01,
        "tenth": 0.1,
        "one": 1.0,
        "linear": 1 / math.sqrt(width),
        "xavier": math.sqrt(6 / (width + width)),
        "kaiming": math.sqrt(2 / width),
    }[scheme]


# ------------------------------------------------------------------ the network
def run(
    weights: Sequence[torch.Tensor], x: torch.Tensor, g: torch.Tensor, activation: str, norm: bool
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the activations of inputs and layers, and the gradient of Σ g · a_last by each of them.

    All are (BATCH, width); both lists have one entry more than there are layers.
    """
    a = x.clone().requires_grad_()
    answers = [a]
    for W in weights:
        z = a @ W.T
        if norm:
            z = (z - z.mean(0)) / torch.sqrt(z.var(0, correction=0) + EPS)
        a = ACTIVATIONS[activation](z)
        answers.append(a)
    gradients = torch.autograd.grad((g * a).sum(), answers)
    return [a.detach() for a in answers], list(gradients)


def histogram(values: torch.Tensor) -> list[int]:
    """Return BINS + 2 counts: below −LIMIT, from −LIMIT to LIMIT in equal bins, above LIMIT."""
    # Clipped first: what is far beyond a whole number's range stays beyond the limits.
    scaled = torch.clamp((values + LIMIT) / (2 * LIMIT) * BINS, -1, BINS)
    places = torch.floor(scaled).long() + 1
    return torch.bincount(places.flatten(), minlength=BINS + 2).tolist()


def spread(values: torch.Tensor) -> float:
    """Return the standard deviation over all entries (divided by their number); 0 where it is rounding."""
    # Scaled first: squares of 1e-200 would be 0, those of 1e200 infinite.
    top = values.abs().max().item()
    if top == 0:
        return 0.0
    found = (values / top).std(correction=0).item()
    return found * top if found > 1e-12 else 0.0


@lru_cache(maxsize=8)
def compute(
    scheme: str, gain: float, activation: str, depth: int, width: int, norm: bool, seed: int
) -> dict[str, Any]:
    """Return what is shown; the controls are those declared.

    ``spreads`` and ``counts`` each hold ``a`` and ``g``: one entry for the inputs (0) and for each layer.
    ``silent``: share of the last layer's units that answer 0 to every input. ``alike``: whether all units of
    the last layer answer the same to each input. ``flat``: share of the last layer's answers where tanh or
    sigmoid is flat. ``reach``: the axis of spreads goes to 10 to the power of ± ``reach``.
    """
    x, g = ends(int(width), int(seed))
    answers, gradients = run(first_weights(scheme, gain, depth, width, int(seed)), x, g, activation, norm)
    last = answers[-1]
    middle = {"tanh": last, "sigmoid": 2 * last - 1}.get(activation)
    apart = (last - last[:, :1]).abs().max().item()
    spreads = {"a": [spread(v) for v in answers], "g": [spread(v) for v in gradients]}
    far = max(abs(math.log10(s)) if s else 0.0 for s in spreads["a"] + spreads["g"])
    return {
        "spreads": spreads,
        "counts": {"a": [histogram(v) for v in answers], "g": [histogram(v) for v in gradients]},
        "silent": (last == 0).all(dim=0).double().mean().item(),
        "alike": apart <= 1e-9 * last.abs().max().item(),
        "flat": 0.0 if middle is None else (middle.abs() > SATURATED).double().mean().item(),
        "reach": next((reach for reach in REACHES if far <= reach), REACHES[-1]),
    }


def amount(x: float, digits: int = 1) -> str:
    """Return a spread in few characters: 0, 0.17, 12, 3.2×10⁻⁹ (there with ``digits`` behind the point)."""
    if x == 0:
        return "0"
    if 0.01 <= x < 1000:
        return number(x, 2 if x < 9.995 else 0)
    lead, power = f"{x:.{digits}e}".split("e")
    return f"{lead}×10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def describe(scheme: str, gain: float, activation: str, depth: int, width: int, norm: bool, seed: int) -> str:
    """Return the sentences: what went in and what came out at both ends, and why if one thing stands out."""
    state = compute(scheme, gain, activation, depth, width, norm, seed)
    a, g = state["spreads"]["a"], state["spreads"]["g"]
    layers = "1 layer" if depth == 1 else f"{int(depth)} layers"
    times = "" if gain == 1 or scheme == "zeros" else f", times {number(gain)}"
    parts = [
        f"{layers} of {int(width)} units, {_NAMES[activation]}{', batch norm' if norm else ''}; "
        f"weights: {SCHEMES[scheme]}{times}.",
        f"Spread of the activations: {amount(a[0])} at the inputs, {amount(a[-1])} at layer {int(depth)}.",
        f"Of the gradients: {amount(g[-1])} at layer {int(depth)}, {amount(g[0])} at the inputs.",
    ]
    return " ".join([*parts, verdict(state, activation)])


def verdict(state: dict[str, Any], activation: str) -> str:
    """Return one sentence on what stands out."""
    if state["silent"] == 1:
        return "The last layer answers 0 to every input, and no gradient comes back."
    if state["alike"]:
        return "All units of a layer give the same answer: they are one unit, many times over."
    if state["flat"] > 0.5:
        share = number(100 * state["flat"], 0)
        return f"{share}% of the last layer's answers lie where {_NAMES[activation]} is flat."
    if state["silent"] > 0:
        return f"{number(100 * state['silent'], 0)}% of the last layer's units answer 0 to every input."
    both = state["spreads"]["a"] + state["spreads"]["g"]
    if all(BAND[0] <= s <= BAND[1] for s in both):
        return "Every spread lies between 0.5 and 2."
    return f"The smallest spread is {amount(min(both))}, the largest {amount(max(both))}."


# ------------------------------------------------------------------ the still picture
def draw(figure: Figure, **values: Any) -> None:
    """Draw the histograms of activations and gradients of every layer, and both spreads over the layers."""
    state, palette = compute(**values), colors()
    depth = len(state["spreads"]["a"]) - 1
    every = next(step for step in (1, 2, 5, 10) if depth / step <= 12)
    shown = sorted({0, depth, *range(0, depth - every // 2, every)})
    upper, middle, lower = figure.subplots(3, 1, height_ratios=(4, 4, 5))
    for axes, key, words, color in (
        (upper, "a", "Activations, from the inputs on", palette["class0"]),
        (middle, "g", "Gradients, back from the last layer", palette["gradient"]),
    ):
        _draw_histograms(axes, state["counts"][key], color)
        axes.set_title(f"{words}; below, each layer's spread", loc="left", fontsize="medium")
        axes.set_xticks(shown, [amount(state["spreads"][key][layer], 0) for layer in shown])
        axes.tick_params(labelbottom=True, labelsize=11)
    lower.axhspan(*BAND, color=palette["muted"], alpha=0.18)
    low, high = 10.0 ** -state["reach"], 10.0 ** state["reach"]
    for key, words, color, marker in (
        ("a", "activations", palette["class0"], "o"), ("g", "gradients", palette["gradient"], "s"),
    ):  # fmt: skip
        line = [min(high, max(low, s)) for s in state["spreads"][key]]
        lower.plot(range(depth + 1), line, color=color, marker=marker, markersize=5, label=words)
    lower.set(yscale="log", xlim=upper.get_xlim(), ylim=(low, high))
    lower.set(ylabel="spread", xlabel="layer (0: the inputs)")
    lower.set_xticks(shown, [str(layer) for layer in shown])
    lower.legend(loc="lower left", ncols=2, fontsize=11)


def _draw_histograms(axes: Axes, counts: Sequence[Sequence[int]], color: str) -> None:
    high = 2 * LIMIT / BINS
    # What lies beyond the limits is drawn in another colour at the ends.
    inside, beyond = [], []
    for layer, row in enumerate(counts):
        for place, count in enumerate(row):
            if count:
                half, low = 0.42 * count / max(row), -LIMIT + (place - 1) * high
                left, right, top = layer - half, layer + half, low + high
                box = [(left, low), (right, low), (right, top), (left, top)]
                (beyond if place in (0, BINS + 1) else inside).append(box)
    # One collection for all bars: two thousand patches would take seconds.
    axes.add_collection(PolyCollection(inside, facecolor=color))
    axes.add_collection(PolyCollection(beyond, facecolor=colors()["text"]))
    axes.set(xlim=(-0.6, len(counts) - 0.4), ylim=(-LIMIT - high, LIMIT + high), yticks=[-2, 0, 2])


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration."""
    return {
        "batch": BATCH, "limit": LIMIT, "bins": BINS, "eps": EPS, "band": BAND, "reaches": REACHES,
        "saturated": SATURATED, "schemes": SCHEMES, "names": _NAMES,
    }  # fmt: skip


class InitializationExplorer(Explorer):
    """The live widget of :func:`initialization`."""

    _esm = esm("initialization.js")
    _css = css()


# What the stored picture shows: nn.Linear's own start, under which a deep tanh network fades both ways.
STILL = {
    "scheme": "linear", "gain": 1.0, "activation": "tanh", "depth": 20, "width": 100, "norm": False,
    "seed": 1,
}  # fmt: skip


def initialization() -> None:
    """Show the explorer: choose first weights, and see activations and gradients of every layer."""
    show(
        InitializationExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(9.0, 6.4), **STILL),
        describe(**STILL),
    )
