"""A kernel slides over a picture (lesson 12): the window, the products, their sum, and the map of all sums.

Every output pixel is the sum of the products of the kernel's numbers with the pixels under them, as
``torch.nn.functional.conv2d`` computes it: the kernel is not turned round (cross-correlation).

The pictures have shades in whole tenths, so that the sums on the screen can be checked by hand. A kernel is
written as it is read, row by row: "0 1 0; 1 -4 1; 0 1 0".
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.data import load_mnist
from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    Text,
    colors,
    css,
    esm,
    short,
    show,
    still_png,
)
from utils.plotting import DIVERGING

SIDE = 28
"""Height and width of all pictures but the small one."""

LARGEST = 7
"""The largest kernel, in rows and in columns."""

MOST = 1000
"""The largest number that a kernel may hold."""

ZERO = 1e-9
"""Sums this small are rounding."""

_SHADES = "0123456789a"  # how a picture is written: one character a pixel, in tenths

# The 0 of the test set that is drawn, the 1, …: clear ones, by their place in it.
_DIGITS = (3, 2, 1, 18, 4, 15, 11, 0, 61, 12)

PICTURES: dict[str, str] = {
    **{str(k): f"digit {k}" for k in range(10)},
    "cross": "two bars",
    "square": "square",
    "disc": "disc",
    "slope": "diagonal stripes",
    "dot": "one dark pixel",
    "small": "small picture",
}
"""The word that the control uses -> the name for people."""

KERNELS: dict[str, str] = {
    "horizontal": "horizontal edges",
    "own": "own: type or click",
    "outline": "edges all round",
    "mean": "mean of the window",
    "bell": "soft blur",
    "sharpen": "sharpen",
    "diagonal": "diagonal strokes",
}
"""The word that the control uses -> the name for people."""


def ready(kind: str, size: int) -> str:
    """Return the ready-made kernel ``kind`` with ``size`` × ``size`` numbers, written row by row.

    Raises:
        ValueError: there is no such kernel.
    """
    k, c = size, (size - 1) // 2
    places = range(k)
    before = ""
    if kind == "horizontal":  # above minus below
        rows = [[(i < k // 2) - (i >= (k + 1) // 2)] * k for i in places]
    elif kind == "own":
        rows = [[0] * k for _ in places]
    elif kind == "outline":
        rows = [[k * k - 1 if i == j == c else -1 for j in places] for i in places]
    elif kind == "mean":
        rows, before = [[1] * k for _ in places], f"1/{k * k} * "
    elif kind == "bell":  # binomial coefficients: nearly a bell curve
        line = [math.comb(k - 1, i) for i in places]
        rows, before = [[p * q for q in line] for p in line], f"1/{4 ** (k - 1)} * "
    elif kind == "sharpen":
        rows = [[2 * k - 1 if i == j == c else -(i == c or j == c) for j in places] for i in places]
    elif kind == "diagonal":
        rows = [[k - 1 if i == j else -1 for j in places] for i in places]
    else:
        raise ValueError(f"there is no kernel {kind!r}; there are {list(KERNELS)}")
    return before * (k > 1) + "; ".join(" ".join(str(int(v)) for v in row) for row in rows)


def _preset(label: str, picture: str, kernel: str, **more: Any) -> Preset:
    """A preset sets every control, so that it shows the same whatever was there before."""
    plain = {"ready": "own", "size": 3, "stride": 1, "padding": 0, "dilation": 1, "row": 0, "column": 0}
    return Preset(label, {"picture": picture, "kernel": kernel} | plain | more)


_TRIES = ("-2", "1 2 3 4 5 6 7", "1; 2; 3; 4; 5; 6; 7", ready("bell", 7), "0 1; 1", "x")

DECLARATION = Declaration(
    name="convolution",
    title="A kernel slides over a picture",
    controls=(
        Choice("picture", "Picture", tuple(PICTURES.items()), "7"),
        Choice("ready", "Kernel", tuple(KERNELS.items()), "horizontal"),
        Text("kernel", "Its numbers", ready("horizontal", 3), 400, "0 1 0; 1 -4 1; 0 1 0", "", _TRIES),
        Slider("size", "Size", 1, LARGEST, 1, 3, inline=True),
        Slider("stride", "Stride", 1, 8, 1, 1, inline=True),
        Slider("padding", "Padding", 0, 6, 1, 0, inline=True),
        Slider("dilation", "Dilation", 1, 5, 1, 1, inline=True),
        Slider("row", "Row", 0, 39, 1, 7, inline=True),
        Slider("column", "Column", 0, 39, 1, 9, inline=True),
        Action("play", "Play", "The window goes over the whole picture and fills the output"),
        Action("step", "Step", "One pixel of the output further"),
        Action("rewind", "Rewind", "Back to the first pixel of the output"),
    ),
    presets=(
        _preset("Small", "small", "1 0 -1; 2 0 -2", row=1),
        _preset("One dot", "dot", "1 2 3; 4 5 6; 7 8 9", row=12, column=12),
        _preset("Refused", "small", ready("mean", 3), ready="mean", dilation=3),
    ),
    goals=(
        Goal(
            "vertical",
            "Two bars: let only the vertical one stay.",
            "Each row sums to 0, so it sees no horizontal stroke.",
        ),
        Goal(
            "same",
            "A 5 × 5 kernel, and still an output of 28 × 28.",
            "28 × 28: padding gives back what the window takes.",
        ),
        Goal(
            "halve",
            "A 3 × 3 kernel, and an output of 14 × 14.",
            "14 × 14: stride 2 leaves out every other place.",
        ),
        Goal(
            "identity",
            "A kernel of 3 × 3 or more whose output is the input.",
            "A single 1, on the pixel itself, changes nothing.",
        ),
        Goal(
            "shift",
            "Move the 28 × 28 picture one pixel to the right.",
            "The 1 is on the left: each output pixel looks there.",
            challenge=True,
        ),
    ),
    width=680,
    height=700,
    pointer_hint="Point at the output or drag the window. Click a number of the kernel: 0, then 1, then −1.",
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ the pictures
@functools.cache
def written() -> dict[str, list[str]]:
    """Return every picture as it is written: one text a row, one character a pixel ("a" is ten tenths)."""
    images = load_mnist("test").images
    # Whole tenths: a sum of a few of them can be checked by hand.
    shades = {str(k): (images[_DIGITS[k]].double() / 25.5).round().int().tolist() for k in range(10)}
    y, x = np.mgrid[:SIDE, :SIDE]
    disc = np.clip(9.5 - np.hypot(y - 13.5, x - 13.5), 0, 1)
    shapes = {
        "cross": ((y >= 17) & (y < 20)) | ((x >= 8) & (x < 11)),
        "square": (abs(y - 13.5) < 8) & (abs(x - 13.5) < 8),
        "disc": disc,
        "slope": (x + y) % 8 < 3,
        "dot": (y == 13) & (x == 13),
    }
    shades |= {name: np.rint(10.0 * shape).astype(int).tolist() for name, shape in shapes.items()}
    found = {name: ["".join(_SHADES[v] for v in row) for row in rows] for name, rows in shades.items()}
    found["small"] = ["00a000", "05a500", "00a000", "00a000", "002000", "aaaaaa"]
    return {name: found[name] for name in PICTURES}


def pixels(picture: str) -> np.ndarray:
    """Return a picture by its name: float64 (height, width), from 0 (paper) to 1 (ink)."""
    return np.array([[_SHADES.index(c) / 10 for c in row] for row in written()[picture]])


# ------------------------------------------------------------------ reading a kernel
_NUMBER = r"[-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:/(?:[0-9]+\.?[0-9]*|\.[0-9]+))?"


def parse_kernel(text: str) -> tuple[list[list[float]] | None, str | None]:
    """Read a kernel as a learner types it: "0 1; -1 0", "[[0, 1], [-1, 0]]", "1/9 * 1 1 1; 1 1 1; 1 1 1".

    Returns the rows and None, or None and a sentence that says why it cannot be read.
    """
    inner = text.strip(" ")
    factor = 1.0
    before = re.fullmatch(rf"({_NUMBER}) *[*×·] *(.*)", inner)
    if before:
        factor, mistake = _read(before[1])
        if mistake:
            return None, mistake
        inner = before[2].strip(" ")
    inner = re.sub(r"\] *,? *\[", ";", inner)
    inner = re.sub(r"[\[\]]", " ", inner).strip(" ")
    inner = re.sub(r" *; *$", "", inner)  # nothing after the last ";" yet
    if not inner:
        return None, "Write numbers, with “;” between two rows."
    rows = []
    for i, line in enumerate(inner.split(";")):
        words = [word for word in re.split(r"[ ,]+", line) if word]
        if not words:
            return None, f"Row {i + 1} holds no number."
        row = []
        for word in words:
            value, mistake = _read(word)
            if mistake:
                return None, mistake
            value *= factor
            if abs(value) > MOST:
                return None, f"Numbers up to {MOST} can be shown here."
            row.append(value)
        rows.append(row)
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            return None, f"Row 1 holds {_numbers(len(rows[0]))}, row {i + 1} holds {_numbers(len(row))}."
    if len(rows) > LARGEST or len(rows[0]) > LARGEST:
        return None, f"This is {len(rows)} × {len(rows[0])}; up to {LARGEST} × {LARGEST} can be shown here."
    return rows, None


def _read(word: str) -> tuple[float, str | None]:
    if not re.fullmatch(_NUMBER, word):
        clipped = word if len(word) <= 10 else word[:9] + "…"
        return 0.0, f"“{clipped}” is no number. Write such as 2, -0.5 or 1/9."
    above, _, below = word.replace("−", "-").partition("/")
    if below and float(below) == 0:
        return 0.0, f"{word} divides by zero."
    return float(above) / (float(below) if below else 1.0), None


def _numbers(count: int) -> str:
    return f"{count} number{'' if count == 1 else 's'}"


# ------------------------------------------------------------------ what the controls give
def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how many outputs ``kernel`` numbers give along ``n`` pixels; 0 or less where none fits."""
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def compute(
    picture: str, kernel: str, stride: int, padding: int, dilation: int, row: int, column: int, **_: Any
) -> dict[str, Any]:
    """Return the output map and what happens under the window.

    Keys: ``mistake`` (why the kernel cannot be read, or None); ``refused`` (why the setting is impossible, or
    None); ``kernel`` (rows); ``input`` and ``out``, [height, width]; ``span``, how many pixels the window
    reaches over; ``unseen``, how many rows and columns of the padded picture no window touches; ``output``
    (rows); ``at``, row and column of the window, inside the output; ``patch``, the pixels under the kernel
    (0 in the padding), ``products``, and ``total``, their sum; ``largest``, the largest size of an output.
    """
    X = pixels(picture)
    rows, mistake = parse_kernel(kernel)
    state: dict[str, Any] = {
        "mistake": mistake, "refused": None, "kernel": rows, "input": list(X.shape), "out": None,
        "span": None, "unseen": None, "output": None, "at": None, "patch": None, "products": None,
        "total": None, "largest": None,
    }  # fmt: skip
    if rows is None:
        return state
    W = np.array(rows)
    stride, padding, dilation = int(stride), int(padding), int(dilation)
    state["span"] = [dilation * (k - 1) + 1 for k in W.shape]
    state["refused"] = _refusal(state, W.shape, padding, dilation)
    if state["refused"]:
        return state
    out = [output_size(n, k, stride, padding, dilation) for n, k in zip(X.shape, W.shape, strict=True)]
    padded = np.pad(X, padding)
    total = np.zeros(out)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            shifted = padded[i * dilation :: stride, j * dilation :: stride][: out[0], : out[1]]
            total += W[i, j] * shifted
    at = [min(int(place), last - 1) for place, last in zip((row, column), out, strict=True)]
    top, left = at[0] * stride, at[1] * stride
    patch = padded[top : top + state["span"][0] : dilation, left : left + state["span"][1] : dilation]
    state |= {
        "out": out,
        "unseen": [
            n + 2 * padding - (m - 1) * stride - s
            for n, m, s in zip(X.shape, out, state["span"], strict=True)
        ],
        "output": total.tolist(),
        "at": at,
        "patch": patch.tolist(),
        "products": (W * patch).tolist(),
        "total": float(total[at[0], at[1]]),
        "largest": float(abs(total).max()),
    }
    return state


def _refusal(state: dict[str, Any], shape: Sequence[int], padding: int, dilation: int) -> str | None:
    """Return why no window fits, in words and numbers, or None if one does."""
    for n, k, span, way in zip(state["input"], shape, state["span"], ("high", "wide"), strict=True):
        room = n + 2 * padding
        if span <= room:
            continue
        kernel = f"The kernel is {k} pixels {way}"
        if dilation > 1:
            kernel = (
                f"With dilation {dilation}, {k} numbers reach over {dilation} · ({k} − 1) + 1 = {span} pixels"
            )
        there = f"the picture is only {n} {way}"
        if padding:
            there = f"the picture with its padding is only {n} + 2 · {padding} = {room} {way}"
        less = "a smaller kernel, less dilation" if dilation > 1 else "a smaller kernel"
        return f"{kernel}, but {there}: no window fits. Take {less} or more padding."
    return None


def formula(n: int, kernel: int, stride: int, padding: int, dilation: int) -> str:
    """Return the output size with the numbers filled in: "⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26"."""
    size = output_size(n, kernel, stride, padding, dilation)
    return f"⌊({n} + 2·{padding} − {dilation}·({kernel} − 1) − 1) / {stride}⌋ + 1 = {size}".replace("-", "−")


def by(pair: Sequence[int]) -> str:
    """Return "28 × 28"."""
    return f"{pair[0]} × {pair[1]}"


def describe(
    picture: str, kernel: str, stride: int, padding: int, dilation: int, row: int, column: int, **_: Any
) -> str:
    """Return the sentence: the sizes, the sum under the window, and what no window reads."""
    state = compute(picture, kernel, stride, padding, dilation, row, column)
    if state["mistake"]:
        return f"Kernel not read yet. {state['mistake']}"
    if state["refused"]:
        return f"Refused. {state['refused']}"
    shape = [len(state["kernel"]), len(state["kernel"][0])]
    count = shape[0] * shape[1]
    i, j = state["at"]
    many = "the one product is" if count == 1 else f"the {count} products sum to"
    parts = [
        f"{PICTURES[picture].capitalize()}, {by(state['input'])}, kernel {by(shape)}: output "
        f"{by(state['out'])}. At row {i}, column {j} {many} {short(state['total'])}."
    ]
    low, right = state["unseen"]
    if low or right:
        both = f"the last {_lines(low, 'row')} and {_lines(right, 'column')}"
        one = f"the last {_lines(low, 'row') if low else _lines(right, 'column')}"
        parts.append(f"No window reaches {both if low and right else one}.")
    return " ".join(parts)


def _lines(count: int, word: str) -> str:
    return word if count == 1 else f"{count} {word}s"


# ------------------------------------------------------------------ the still
def draw(
    figure: Figure,
    picture: str,
    kernel: str,
    stride: int,
    padding: int,
    dilation: int,
    row: int,
    column: int,
    **_: Any,
) -> None:
    """Draw the picture with the window and the output above, patch × kernel = products below."""
    state, palette = compute(picture, kernel, stride, padding, dilation, row, column), colors()
    if state["output"] is None:
        axes = figure.subplots()
        axes.set_axis_off()
        words = describe(picture, kernel, stride, padding, dilation, row, column)
        axes.text(0.5, 0.5, words, ha="center", va="center", wrap=True, color=palette["wrong"])
        return
    above, below = figure.subfigures(2, 1, height_ratios=(1.9, 1))
    left, right = above.subplots(1, 2)
    X = np.pad(pixels(picture), padding)
    left.imshow(X, cmap="gray_r", vmin=0, vmax=1.15, extent=_edges(X.shape, padding))
    if padding:
        height, width = state["input"]
        left.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, linestyle=":", linewidth=2))
    i, j = state["at"]
    corner = (j * stride - padding - 0.5, i * stride - padding - 0.5)
    ring = {"fill": False, "edgecolor": palette["accent"], "linewidth": 3, "zorder": 5}
    left.add_patch(Rectangle(corner, *state["span"][::-1], **ring))
    left.set_title(f"Input {by(state['input'])}" + (f", padding {padding}" if padding else ""))
    most = state["largest"] or 1.0
    shown = right.imshow(state["output"], cmap=DIVERGING, vmin=-most, vmax=most)
    right.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **ring))
    right.set_title(f"Output {by(state['out'])}")
    above.colorbar(shown, ax=right)
    for axes in (left, right):
        _bare(axes, state["out"] if axes is right else state["input"])
    _draw_sum(below.subplots(1, 3), state, most)


def _edges(shape: Sequence[int], padding: int) -> tuple[float, float, float, float]:
    low = -padding - 0.5
    return low, low + shape[1], low + shape[0], low


def _draw_sum(panels: Sequence[Axes], state: dict[str, Any], most: float) -> None:
    """Draw the patch, the kernel and their products with their numbers."""
    largest = max(abs(v) for line in state["kernel"] for v in line) or 1.0
    looks = {"patch": ("gray_r", 0, 1.15), "kernel": (DIVERGING, -1.6 * largest, 1.6 * largest),
             "products": (DIVERGING, -1.6 * largest, 1.6 * largest)}  # fmt: skip
    titles = ("pixels under it   ×", "kernel   =", f"products, sum {short(state['total'])}")
    size = 13 if max(len(state["kernel"]), len(state["kernel"][0])) < 5 else 7
    for axes, (name, (cmap, low, high)), title in zip(panels, looks.items(), titles, strict=True):
        axes.imshow(state[name], cmap=cmap, vmin=low, vmax=high)
        for i, line in enumerate(state[name]):
            for j, value in enumerate(line):
                ink = "white" if name == "patch" and value > 0.55 else colors()["text"]
                axes.text(j, i, short(value), ha="center", va="center", size=size, color=ink)
        _bare(axes, (len(state[name]), len(state[name][0])))
        axes.set_title(title, size=13)


def _bare(axes: Axes, shape: Sequence[int]) -> None:
    """Leave nothing of the axes but a border and thin lines between the cells of (height, width)."""
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    height, width = shape
    for k in range(1, height):
        axes.axhline(k - 0.5, color=colors()["grid"], linewidth=0.6, zorder=1)
    for k in range(1, width):
        axes.axvline(k - 0.5, color=colors()["grid"], linewidth=0.6, zorder=1)


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: pictures, kernels, names, colours of sums."""
    shades = matplotlib.colormaps[DIVERGING](np.linspace(0, 1, 41))
    return {
        "pictures": written(),
        "names": PICTURES,
        "diverging": [matplotlib.colors.to_hex(c) for c in shades],
        "ready": {kind: [ready(kind, k) for k in range(1, LARGEST + 1)] for kind in KERNELS},
    }


class ConvolutionExplorer(Explorer):
    """The live widget of :func:`convolution`."""

    _esm = esm("convolution.js")
    _css = css()


# What the stored picture shows. Size and name of the kernel follow from its numbers.
STILL = {name: value for name, value in DECLARATION.defaults().items() if name not in ("size", "ready")}


def convolution() -> None:
    """Show the explorer: slide any kernel over a digit and see window, products, sum and the whole output."""
    show(
        ConvolutionExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.6, 6.6), **STILL),
        describe(**STILL),
    )
