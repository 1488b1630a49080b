"""A neural network to play with (lesson 04): choose data and layers, press Train, watch every unit learn.

A multilayer perceptron with one output z answers class 1 where z > 0. It is trained by plain gradient
descent: every step takes the gradient over all training points of

    mean cross-entropy of sigmoid(z)  +  L2 / 2 · sum of all squared weights (biases left out).

``playground.js`` does the same by hand in the browser, live; here torch does it, for the still picture and
for tests. Both draw their first weights from the same small generator: a seed is the same network in both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch.nn import functional as F

from utils.data import make_points
from utils.explore.base import (
    HERE,
    Action,
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
    markers,
    number,
    short,
    show,
    still_png,
)

TRAINING_POINTS, TEST_POINTS = 200, 100
HALF = 3.2  # the plane is shown from −HALF to HALF both ways
DIVERGED = 1000.0  # a training loss above this, or none at all, ends the training

DATA_SETS = ("blobs", "circles", "moons", "spirals", "xor")
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
_NAMES = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid", "identity": "identity"}
RATES = ("0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10")
PENALTIES = ("0", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1")

DECLARATION = Declaration(
    name="playground",
    title="A network to play with",
    controls=(
        Action("play", "Train", "Step after step until you press Pause, 20,000 at most"),
        Action("step", "Step", "One step of gradient descent over all training points"),
        Action("renew", "New start", "Starts again from other random weights"),
        Choice("data", "Data set", (*DATA_SETS[:-1], ("xor", "XOR")), "circles"),
        Slider("noise", "Noise", 0.0, 0.5, 0.05, 0.1),
        Slider("layers", "Hidden layers", 1, 4, 1, 1),
        Slider("units", "Units per layer", 1, 8, 1, 4),
        Choice("activation", "Activation", tuple(_NAMES.items()), "tanh"),
        Choice("lr", "Learning rate", RATES, "0.3"),
        Choice("l2", "L2", PENALTIES, "0"),
        Switch("tested", "Show the test points"),
    ),
    presets=(
        Preset("Smallest network", {"layers": 1, "units": 1}),
        Preset("Largest network", {"layers": 4, "units": 8}),
    ),
    goals=(
        Goal(
            "circles",
            "Circles: 95% of the test points right.",
            "Circles: the border has closed around the inner ring.",
        ),
        Goal(
            "stuck",
            "Get stuck: give the circles identity as activation, and take 300 steps or more.",
            "Stuck. However many layers, without a bend they make one straight line.",
        ),
        Goal(
            "xor",
            "XOR with as few hidden units as possible: 95% of the test points with 3 or fewer.",
            "XOR with 3 hidden units or fewer. Each unit of the first layer gave one border.",
            challenge=True,
        ),
        Goal(
            "spirals",
            "Spirals: more than 95% of the test points right.",
            "Spirals: more than 95%. That took width, depth, and patience.",
            challenge=True,
        ),
    ),
    width=680,
    height=1100,
    pointer_hint="● class 0, ■ class 1. Point at a unit, or choose it by key, to see it large.",
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ points
@lru_cache(maxsize=1)
def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration.

    ``points``: for each data set the class ``y`` of every point, its place without noise ``X`` and the push
    ``push`` that noise 1 gives it, so that the slider moves all points smoothly. The first ``training``
    points are for training, the others for the test.
    """
    n = TRAINING_POINTS + TEST_POINTS
    points = {}
    for name in DATA_SETS:
        X, y = make_points(name, n, noise=0.0)
        pushed, _ = make_points(name, n, noise=1.0)
        rounded = [[[round(c, 5) for c in row] for row in rows.tolist()] for rows in (X, pushed - X)]
        points[name] = {"X": rounded[0], "push": rounded[1], "y": y.tolist()}
    return {"points": points, "training": TRAINING_POINTS, "half": HALF, "diverged": DIVERGED}


def points(data: str, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``(X, y)``: float64 (300, 2) and (300,) with values 0 and 1; the first 200 are for training."""
    stored = browser_data()["points"][data]
    X, push, y = (torch.tensor(stored[key], dtype=torch.float64) for key in ("X", "push", "y"))
    return X + noise * push, y


# ------------------------------------------------------------------ network
def sizes_of(layers: int, units: int) -> list[int]:
    """Return the units of every layer, input and output included: 2 hidden layers of 8 are [2, 8, 8, 1]."""
    return [2, *[int(units)] * int(layers), 1]


def count(sizes: Sequence[int]) -> int:
    """Return how many parameters a fully connected network has: weights and biases of every layer."""
    return sum(ins * outs + outs for ins, outs in itertools.pairwise(sizes))


def uniform(seed: int) -> Callable[[], float]:
    """Return a source of numbers from 0 to 1 that JavaScript can repeat bit for bit.

    It is T. Ettinger's mulberry32: 32 bits of state, no more than first weights need.
    """
    state = seed & 0xFFFFFFFF

    def draw_one() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return (t ^ (t >> 14)) / 2**32

    return draw_one


def first_weights(sizes: Sequence[int], seed: int) -> list[torch.Tensor]:
    """Return [W, b, W, b, …] in float64, each from −1/√in to 1/√in as ``nn.Linear`` draws them."""
    source = uniform(seed)
    params = []
    for ins, outs in itertools.pairwise(sizes):
        bound = 1 / math.sqrt(ins)
        for shape in ((outs, ins), (outs,)):
            flat = [(2 * source() - 1) * bound for _ in range(math.prod(shape))]
            params.append(torch.tensor(flat, dtype=torch.float64).reshape(shape))
    return params


def layer_outputs(params: Sequence[torch.Tensor], X: torch.Tensor, activation: str) -> list[torch.Tensor]:
    """Return the activations of every hidden layer, (N, units) each, and last the output z, (N, 1)."""
    outputs, a = [], X
    for k in range(0, len(params), 2):
        z = a @ params[k].T + params[k + 1]
        a = z if k == len(params) - 2 else ACTIVATIONS[activation](z)
        outputs.append(a)
    return outputs


def loss_of(
    params: Sequence[torch.Tensor], X: torch.Tensor, y: torch.Tensor, activation: str
) -> torch.Tensor:
    """Return the mean cross-entropy, without the L2 part."""
    return F.binary_cross_entropy_with_logits(layer_outputs(params, X, activation)[-1][:, 0], y)


def train(
    params: list[torch.Tensor],
    X: torch.Tensor,
    y: torch.Tensor,
    activation: str,
    lr: float,
    l2: float,
    steps: int,
) -> tuple[list[float], bool]:
    """Take ``steps`` steps of gradient descent in place; return the loss before each, and if it diverged.

    Training ends early, with the last weights whose loss was sound, where the loss is no number or above
    ``DIVERGED``.
    """
    losses: list[float] = []
    before = [p.detach().clone() for p in params]
    for p in params:
        p.requires_grad_()
    weights = params[::2]
    try:
        for k in range(steps + 1):
            loss = loss_of(params, X, y, activation)
            if not loss.item() <= DIVERGED:
                with torch.no_grad():
                    for p, sound in zip(params, before, strict=True):
                        p.copy_(sound)
                return losses[:-1], True
            if k == steps:
                return losses, False
            losses.append(loss.item())
            whole = loss + l2 / 2 * sum(W.square().sum() for W in weights) if l2 else loss
            gradients = torch.autograd.grad(whole, params)
            with torch.no_grad():
                for p, sound, g in zip(params, before, gradients, strict=True):
                    sound.copy_(p)
                    p -= lr * g
    finally:
        for p in params:
            p.requires_grad_(False)
    raise AssertionError("the loop returns")


# ------------------------------------------------------------------ what is shown
def compute(
    data: str,
    noise: float,
    layers: int,
    units: int,
    activation: str,
    lr: str,
    l2: str,
    tested: bool = False,
    *,
    steps: int = 0,
    seed: int = 1,
) -> dict[str, Any]:
    """Train a network for ``steps`` steps and return what is shown.

    Keys: ``sizes``, ``parameters``, ``step`` (fewer than ``steps`` if it diverged), ``diverged``, ``train``
    and ``test`` (each ``loss`` and ``accuracy``); and, for the picture only, ``params`` and ``losses`` (the
    training loss before each step). The controls are those declared; ``tested`` changes nothing.
    """  # fmt: skip
    sizes = sizes_of(layers, units)
    params = first_weights(sizes, seed)
    X, y = points(data, noise)
    n = TRAINING_POINTS
    losses, diverged = train(params, X[:n], y[:n], activation, float(lr), float(l2), steps)
    state: dict[str, Any] = {
        "sizes": sizes, "parameters": count(sizes), "step": len(losses), "diverged": diverged,
    }  # fmt: skip
    z = layer_outputs(params, X, activation)[-1][:, 0]
    for part, chosen in (("train", slice(n)), ("test", slice(n, None))):
        loss = F.binary_cross_entropy_with_logits(z[chosen], y[chosen]).item()
        right = ((z[chosen] > 0) == (y[chosen] == 1)).double().mean().item()
        state[part] = {"loss": loss, "accuracy": right}
    return state | {"params": params, "losses": losses}


def loss_words(loss: float) -> str:
    """Return a loss in few digits: 0.052, or 1234 where it is large."""
    return number(loss, 3 if loss < 100 else 0)


def describe(
    state: dict[str, Any],
    data: str,
    noise: float,
    layers: int,
    units: int,
    activation: str,
    lr: str,
    l2: str,
    tested: bool = False,
) -> str:
    """Return three sentences: the network, where it stands, and, if training broke down, why."""  # fmt: skip
    what = "XOR" if data == "xor" else data.capitalize()
    hidden = "1 hidden layer" if layers == 1 else f"{int(layers)} hidden layers"
    each = "1 unit" if units == 1 else f"{int(units)} units"
    penalty = "" if l2 == "0" else f", L2 {l2}"
    network = (
        f"{what}, noise {short(noise)}: {hidden} of {each} with {_NAMES[activation]}, "
        f"{state['parameters']} parameters, learning rate {lr}{penalty}."
    )
    both = "; ".join(
        f"{word} loss {loss_words(part['loss'])}, {short(100 * part['accuracy'], 1)}% right"
        for word, part in (("training", state["train"]), ("test", state["test"]))
    )
    if state["diverged"]:
        return (
            f"{network} Training broke down at step {state['step'] + 1:,}: the steps are too long, and the "
            f"loss grew beyond {DIVERGED:,.0f}. Choose a smaller learning rate; Train then starts again."
        )
    if state["step"] == 0:
        return f"{network} Not trained yet: {both}."
    return f"{network} After {state['step']:,} {'step' if state['step'] == 1 else 'steps'}: {both}."


# ------------------------------------------------------------------ the still picture
def _signed_colours() -> LinearSegmentedColormap:
    """Blue below zero, white at zero, orange above: the side of class 0 and the side of class 1."""
    palette = colors()
    return LinearSegmentedColormap.from_list("side", [palette["class0"], "#ffffff", palette["class1"]])


def plane(cells: int) -> torch.Tensor:
    """Return the middles of ``cells`` × ``cells`` squares of the plane, (cells², 2), from below upwards."""
    middles = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells * 2 * HALF - HALF
    x2, x1 = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([x1.flatten(), x2.flatten()], dim=1)


def draw(figure: Figure, *, steps: int = 0, seed: int = 1, **values: Any) -> None:
    """Draw the trained network: its units' pictures joined by its weights, its answer, its losses."""
    state = _still_state(steps, seed, tuple(sorted(values.items())))
    places = figure.subplot_mosaic(
        [["network", "answer"], ["loss", "answer"]], width_ratios=(6, 5), height_ratios=(4, 1)
    )
    _draw_network(places["network"], state, values["activation"])
    _draw_answer(places["answer"], state, values)
    _draw_losses(places["loss"], state)


@lru_cache(maxsize=4)
def _still_state(steps: int, seed: int, values: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    # Picture and words both need it: it is trained once.
    return compute(**dict(values), steps=steps, seed=seed)


def _draw_network(axes: Axes, state: dict[str, Any], activation: str) -> None:
    palette, cells = colors(), 40
    grid = plane(cells)
    outputs = layer_outputs(state["params"], grid, activation)
    pictures = [grid.T, *(a.T for a in outputs[:-1]), torch.tanh(outputs[-1].T / 2)]
    tallest = max(len(column) for column in pictures)
    half, gap = 0.42, 1.5
    place = [
        [(gap * column, (len(units) - 1) / 2 - k) for k in range(len(units))]
        for column, units in enumerate(pictures)
    ]
    for column, W in enumerate(state["params"][::2]):
        for o, row in enumerate(W.tolist()):
            for i, w in enumerate(row):
                (x1, y1), (x2, y2) = place[column][i], place[column + 1][o]
                color = palette["class1" if w > 0 else "class0"]
                wide = min(5.0, 0.4 + 1.1 * abs(w))
                axes.plot([x1 + half, x2 - half], [y1, y2], color=color, linewidth=wide, alpha=0.75, zorder=1)
    for column, units in enumerate(pictures):
        for (x, y), unit in zip(place[column], units, strict=True):
            top = max(unit.abs().max().item(), 1e-9)
            axes.imshow(
                (unit / top).reshape(cells, cells).numpy(), extent=(x - half, x + half, y - half, y + half),
                origin="lower", cmap=_signed_colours(), vmin=-1, vmax=1, zorder=2, interpolation="bilinear",
            )  # fmt: skip
            frame = [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
            axes.fill(
                *zip(*frame, strict=True), fill=False, edgecolor=palette["text"], linewidth=1.2, zorder=3
            )
    for k, name in enumerate(("x₁", "x₂")):
        axes.text(place[0][k][0] - half - 0.12, place[0][k][1], name, ha="right", va="center", size=14)
    axes.set(xlim=(-1.0, gap * (len(pictures) - 1) + 0.6), ylim=(-tallest / 2, tallest / 2), aspect="equal")
    axes.set_axis_off()
    axes.set_title("What each unit says over the plane")


def _draw_answer(axes: Axes, state: dict[str, Any], values: dict[str, Any]) -> None:
    palette, shapes, cells = colors(), markers(), 120
    z = layer_outputs(state["params"], plane(cells), values["activation"])[-1].reshape(cells, cells).numpy()
    extent = (-HALF, HALF, -HALF, HALF)
    axes.imshow(np.tanh(z / 2), extent=extent, origin="lower", cmap=_signed_colours(), vmin=-1.6, vmax=1.6,
                interpolation="bilinear", zorder=0)  # fmt: skip
    axes.contour(z, levels=[0.0], extent=extent, colors=[palette["boundary"]], linewidths=2.5)
    X, y = points(values["data"], values["noise"])
    X, y = X[:TRAINING_POINTS].numpy(), y[:TRAINING_POINTS].numpy()
    for kind in (0, 1):
        axes.scatter(
            *X[y == kind].T, s=34, marker=shapes[kind], color=palette[f"class{kind}"], edgecolor="white",
            linewidth=0.8, zorder=3,
        )  # fmt: skip
    axes.grid(visible=False)
    axes.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", xlabel="x₁", ylabel="x₂")
    axes.set_title(f"{short(100 * state['test']['accuracy'], 1)}% of the test points right")


def _draw_losses(axes: Axes, state: dict[str, Any]) -> None:
    palette = colors()
    axes.plot(range(len(state["losses"])), state["losses"], color=palette["train"])
    axes.set(xlabel="step", ylabel="loss", ylim=(0, 0.75), xlim=(0, max(len(state["losses"]), 1)))


class PlaygroundExplorer(Explorer):
    """The live widget of :func:`playground`."""

    _esm = esm("playground.js")
    _css = css() + (HERE / "playground.css").read_text(encoding="utf-8")


STILL = {
    "data": "moons", "noise": 0.2, "layers": 2, "units": 4, "activation": "tanh", "lr": "0.3", "l2": "0",
    "tested": False,
}  # fmt: skip
STILL_STEPS = 1500


def playground() -> None:
    """Show the explorer: build a small network, train it in the browser, and watch each unit learn."""
    state = _still_state(STILL_STEPS, 1, tuple(sorted(STILL.items())))
    show(
        PlaygroundExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(9.6, 5.4), steps=STILL_STEPS, **STILL),
        describe(state, **STILL),
    )
