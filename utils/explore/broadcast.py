"""Broadcasting (lesson 03): two shapes aligned from the right, stretched to one, or refused.

The rule: align at the last axis; where a shape has no axis left, put a 1 in front; two sizes fit if they
are equal or if one of them is 1, and the 1 is stretched. A stretched axis costs no memory: its stride is 0,
so every step along it reads the same number again.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from utils.explore.base import (
    Action,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Text,
    colors,
    css,
    esm,
    show,
    still_png,
)

MOST_AXES = 5
LARGEST = 999
"""Limits of what can be typed: five axes fit side by side, and five of this size still count exactly."""

MOST_CELLS = (5, 12, 12)
"""The largest result that is drawn cell by cell: sheets, rows, columns."""

_TRIES = ("", "999, 999, 999, 999, 999", "2, 0, 3", "1, 1, 1, 1, 1", "two", "5, 4, 3, 1, 2")

DECLARATION = Declaration(
    name="broadcast",
    title="Two shapes, broadcast",
    controls=(
        Text("a", "Shape of a", "3, 1", 28, "3, 1 or (3, 1); nothing at all is a scalar", "scalar", _TRIES),
        Text("b", "Shape of b", "4", 28, "4 or (4,)", "scalar", _TRIES),
        Action("swap", "Swap a and b"),
    ),
    presets=(
        Preset("Batch + bias", {"a": "32, 10", "b": "10"}),
        Preset("Three channels", {"a": "8, 3, 5, 6", "b": "3, 1, 1"}),
        Preset("A scalar", {"a": "2, 3", "b": ""}),
        Preset("Refused", {"a": "3, 4", "b": "3"}),
    ),
    goals=(
        Goal(
            "table",
            "Add a column to a row so that the result is a table of shape (2, 6).",
            "(2, 1) and (6,) give (2, 6): each number of the one meets each of the other.",
        ),
        Goal(
            "silent",
            "Two operands of 5 numbers each, yet a result of 25. No error warns of it.",
            "(5,) meets (5, 1): a result of 25. This is the silent bug of many losses.",
        ),
        Goal(
            "same_count",
            "Two operands with equally many numbers that are refused.",
            "Refused: the sizes of each axis decide, not how many numbers there are.",
        ),
        Goal(
            "cube",
            "Make a result of shape (4, 3, 2) out of two shapes of which neither has it.",
            "(4, 3, 2): each operand was stretched along an axis that the other one has.",
            challenge=True,
        ),
    ),
    width=680,
    height=510,
)


# ------------------------------------------------------------------ reading and computing
def parse_shape(text: str) -> tuple[list[int] | None, str | None]:
    """Read a shape as a learner types it: "3, 1", "(3,1)", "[3 1]", "torch.Size([3, 1])", "" for a scalar.

    Returns the sizes and None, or None and a sentence that says why it cannot be read.
    """
    inner = text.strip(" ")
    named = re.fullmatch(r"torch\.Size\((.*)\)", inner)
    inner = (named[1] if named else inner).strip(" ")
    if re.match(r"[(\[]", inner) or re.search(r"[)\]]$", inner):
        if not re.fullmatch(r"\(.*\)|\[.*\]", inner):
            return None, "A bracket is missing on one side."
        inner = inner[1:-1].strip(" ")
    if inner == "":
        return [], None
    if re.search(r"(^|,) *,", inner):
        return None, "A number is missing beside a comma."
    sizes = [word for word in re.split(r" *, *| +", inner) if word]
    for word in sizes:
        if re.fullmatch(r"[-−][0-9]+", word):
            return None, f"A size cannot be negative, as {_clipped(word)} is."
        if re.fullmatch(r"[0-9]*\.[0-9]*", word) and len(word) > 1:
            return None, f"A size is a whole number; {_clipped(word)} is not."
        if not re.fullmatch(r"[0-9]+", word):
            return None, f"“{_clipped(word)}” is no size. Write whole numbers, such as 3, 1."
        if len(word.lstrip("0")) > len(str(LARGEST)):
            return None, f"Sizes up to {LARGEST} can be shown here."
    if len(sizes) > MOST_AXES:
        return None, f"These are {len(sizes)} axes; up to {MOST_AXES} can be shown here."
    return [int(word) for word in sizes], None


def _clipped(word: str) -> str:
    return word if len(word) <= 10 else word[:9] + "…"


def compute(a: str, b: str) -> dict[str, Any]:
    """Return the two shapes aligned and what comes of them.

    Keys: ``mistakes`` (per operand a sentence or None); ``shapes`` (None where it cannot be read); ``axes``,
    from the left, each with ``name`` (−2 for the last but one), ``a`` and ``b`` (a size, or None where the
    shape has no such axis), ``result`` (None where refused) and ``kind``: "same", "a" or "b" (that one is
    stretched) or "clash"; ``result`` (a shape, or None); ``counts`` (numbers stored in a, in b and seen in
    the result); ``strides`` after expand to the result (before it where refused).
    """
    read = {"a": parse_shape(a), "b": parse_shape(b)}
    state: dict[str, Any] = {
        "mistakes": {name: mistake for name, (_, mistake) in read.items()},
        "shapes": {name: shape for name, (shape, _) in read.items()},
        "axes": [], "result": None, "counts": {}, "strides": {},
    }  # fmt: skip
    shapes = state["shapes"]
    if shapes["a"] is None or shapes["b"] is None:
        return state
    most = max(map(len, shapes.values()))
    padded = {name: [None] * (most - len(shape)) + shape for name, shape in shapes.items()}
    for i, (m, n) in enumerate(zip(padded["a"], padded["b"], strict=True)):
        one, other = (1 if size is None else size for size in (m, n))
        kind = "same" if one == other else "a" if one == 1 else "b" if other == 1 else "clash"
        size = None if kind == "clash" else other if one == 1 else one
        state["axes"].append({"name": i - most, "a": m, "b": n, "result": size, "kind": kind})
    if all(axis["kind"] != "clash" for axis in state["axes"]):
        state["result"] = [axis["result"] for axis in state["axes"]]
        state["counts"]["result"] = math.prod(state["result"])
    for name, shape in shapes.items():
        state["counts"][name] = math.prod(shape)
        state["strides"][name] = expanded_strides(
            shape, shape if state["result"] is None else state["result"]
        )
    return state


def strides(shape: Sequence[int]) -> list[int]:
    """Return the strides of a new tensor: how many numbers one step along each axis skips."""
    return [math.prod(max(size, 1) for size in shape[i + 1 :]) for i in range(len(shape))]


def expanded_strides(shape: Sequence[int], target: Sequence[int]) -> list[int]:
    """Return the strides of ``torch.empty(shape).expand(target)``: 0 along each stretched axis."""
    own = strides(shape)
    found: list[int] = []  # from the last axis to the first
    for offset in range(1, len(target) + 1):
        if offset <= len(shape):
            stride, size = own[-offset], shape[-offset]
        else:  # a new axis of size 1: its stride is never used, and torch gives it the length so far
            stride, size = (found[-1] * target[1 - offset] if shape else 0), 1
        found.append(stride if size == target[-offset] else 0)
    return found[::-1]


def stretched(state: dict[str, Any], name: str) -> list[int]:
    """Return the names (−1 is the last) of the axes along which this operand is stretched."""
    return [axis["name"] for axis in state["axes"] if axis["kind"] == name]


# ------------------------------------------------------------------ in words
def shape_words(shape: Sequence[int]) -> str:
    """Return the shape as Python writes it: "(3, 1)", "(4,)" or "()"."""
    return str(tuple(shape))


def signed(name: int) -> str:
    """Return an axis by its name, with a true minus sign."""
    return f"−{-name}"


def counted(count: int) -> str:
    """Return "1 number" or "12,000 numbers"."""
    return f"{count:,} number{'' if count == 1 else 's'}"


def describe(a: str, b: str) -> str:
    """Return in words what is stretched and what comes out, or why it is refused or cannot be read."""
    state = compute(a, b)
    unread = [f"{name}: {words}" for name, words in state["mistakes"].items() if words]
    if unread:
        return f"Not read yet. {' '.join(unread)}"
    pair = f"{shape_words(state['shapes']['a'])} and {shape_words(state['shapes']['b'])}"
    if state["result"] is None:
        clash = [axis for axis in state["axes"] if axis["kind"] == "clash"][-1]
        return (
            f"{pair} are refused: at axis {signed(clash['name'])}, a has {clash['a']} and b has {clash['b']}."
            " They are neither equal nor is one of them 1."
        )
    parts = []
    for name in ("a", "b"):
        along = [signed(axis) for axis in stretched(state, name)]
        if along:
            axes = along[0] if len(along) == 1 else f"{', '.join(along[:-1])} and {along[-1]}"
            parts.append(f"{name} is stretched along axis {axes}" if len(along) == 1 else
                         f"{name} is stretched along axes {axes}")  # fmt: skip
    how = "; ".join(parts) if parts else "nothing is stretched"
    total = counted(state["counts"]["result"])
    return f"{pair} give {shape_words(state['result'])}, {total}: {how}."


# ------------------------------------------------------------------ the still
def cells(shape: Sequence[int]) -> list[int] | None:
    """Return sheets, rows and columns of a shape that can be drawn cell by cell, else None."""
    trimmed = list(itertools.dropwhile(lambda size: size == 1, shape))
    if len(trimmed) > 3:
        return None
    full = [1] * (3 - len(trimmed)) + trimmed
    return full if all(0 < n <= most for n, most in zip(full, MOST_CELLS, strict=True)) else None


def draw(figure: Figure, a: str, b: str) -> None:
    """Draw the alignment of the two shapes above, and their cells below."""
    state, palette = compute(a, b), colors()
    above, below = figure.subplots(2, 1, height_ratios=(1.15, 1))
    for axes in (above, below):
        axes.set_axis_off()
    above.set(xlim=(0, 9), ylim=(3.15, -0.75))
    if not state["axes"] and any(state["mistakes"].values()):
        above.text(4.5, 1, describe(a, b), ha="center", size=14, color=palette["wrong"])
        return
    ink = {"a": palette["class0"], "b": palette["class1"], "result": palette["accent"]}
    left = 1.1 + (MOST_AXES - len(state["axes"])) * 0.4
    for row, name in enumerate(("a", "b", "result")):
        above.text(left - 0.3, row + 0.45, name, ha="right", va="center", size=15, weight="bold")
        words = [shape_words(state["shapes"][name] if name != "result" else state["result"] or [])]
        if name == "result" and state["result"] is None:
            words = ["refused"]
        elif name != "result":
            words.append(f"strides {shape_words(state['strides'][name])}")
        if name in state["counts"]:
            words.insert(1, counted(state["counts"][name]))
        right = left + len(state["axes"]) * 1.05 + 0.25
        above.text(right, row + 0.45, "   ".join(words), va="center", size=14)
        for i, axis in enumerate(state["axes"]):
            ghost = axis[name] is None and name != "result"
            clash = axis["kind"] == "clash"
            stretch = axis["kind"] == name
            edge = palette["wrong"] if clash else palette["neutral"] if ghost else ink[name]
            above.add_patch(FancyBboxPatch(
                (left + i * 1.05 + 0.06, row + 0.08), 0.88, 0.74, boxstyle="round,pad=0,rounding_size=0.12",
                linewidth=2.5, edgecolor=edge, linestyle=(0, (3, 2)) if ghost else "-",
                facecolor=edge if not ghost and not clash else "white", alpha=1 if ghost or clash else 0.22,
            ))  # fmt: skip
            size = 1 if ghost else "✗" if axis[name] is None else axis[name]
            text = f"1 → {axis['result']}" if stretch else str(size)
            above.text(
                left + i * 1.05 + 0.5, row + 0.46, text, ha="center", va="center", size=13 if stretch else 16,
                weight="bold", color=palette["wrong"] if clash else palette["text"],
            )  # fmt: skip
            if row == 0:
                above.text(left + i * 1.05 + 0.5, -0.25, f"axis {signed(axis['name'])}", ha="center",
                           size=12, color=palette["muted"])  # fmt: skip
    _draw_cells(below, state, ink)


def _draw_cells(axes: Axes, state: dict[str, Any], ink: dict[str, str]) -> None:
    """Draw a, b and the result cell by cell: stored numbers in full colour, their repetitions pale."""
    palette, refused = colors(), state["result"] is None
    drawn = {"a": state["shapes"]["a"], "b": state["shapes"]["b"]}
    if not refused:
        drawn = dict.fromkeys(("a", "b", "result"), state["result"])
    blocks = {name: cells(shape) for name, shape in drawn.items()}
    if None in blocks.values():
        why = "nothing to draw" if 0 in state["counts"].values() else "too many numbers to draw one by one"
        axes.text(0.5, 0.5, why, ha="center", size=14, color=palette["muted"], transform=axes.transAxes)
        return
    spans = {name: (c + _LEAN * (s - 1), r + _LEAN * (s - 1)) for name, (s, r, c) in blocks.items()}
    high = max(tall for _, tall in spans.values())
    gap = max(1.8, 0.16 * sum(wide for wide, _ in spans.values()))
    place = 0.0
    for name, sign in (("a", "+"), ("b", "="), ("result", "")):
        if name not in blocks:
            axes.text(place, high / 2, "refused", va="center", size=16, weight="bold", color=palette["wrong"])
            place += 2.2 + gap
            continue
        wide, tall = spans[name]
        _draw_block(axes, state, name, blocks[name], (place, (high - tall) / 2), ink[name])
        axes.text(place + wide + gap / 2, high / 2, sign, ha="center", va="center", size=22, weight="bold")
        place += wide + gap
    axes.set(xlim=(-0.3, place - gap + 0.3), ylim=(high + 0.2, -0.2), aspect="equal")


_LEAN = 0.5  # how far each sheet behind another is moved, in cells


def _draw_block(
    axes: Axes,
    state: dict[str, Any],
    name: str,
    block: list[int],
    corner: tuple[float, float],
    ink: str,
) -> None:
    """Draw one operand as it meets the other. a holds 10, 20, 30 …, b holds 1, 2, 3 …"""
    palette, (sheets, rows, columns) = colors(), block
    own = block if name == "result" else [1, 1, 1, *state["shapes"][name]][-3:]
    # With more cells than these their numbers would be too small to read.
    speak = sheets == 1 and rows <= 5 and columns <= 6 and max(state["counts"].values()) <= 30

    def value(who: str, r: int, c: int) -> int:
        height, width = [1, 1, *state["shapes"][who]][-2:]
        return (10 if who == "a" else 1) * ((r % height) * width + c % width + 1)

    for s, r, c in itertools.product(reversed(range(sheets)), range(rows), range(columns)):
        stored = s < own[0] and r < own[1] and c < own[2]
        x = corner[0] + c + _LEAN * s
        y = corner[1] + r + _LEAN * (sheets - 1 - s)
        look = {"facecolor": ink, "alpha": 0.55} if stored else {"facecolor": "white"}
        for patch in (
            {"facecolor": "white"},
            look,
            {"facecolor": "none", "edgecolor": ink, "linestyle": "-" if stored else (0, (2, 1.5))},
        ):
            axes.add_patch(
                Rectangle((x + 0.05, y + 0.05), 0.9, 0.9, linewidth=1.5, zorder=2 - 0.1 * s, **patch)
            )
        if speak:
            number = sum(value(who, r, c) for who in ("a", "b")) if name == "result" else value(name, r, c)
            axes.text(
                x + 0.5, y + 0.5, str(number), ha="center", va="center", size=12, zorder=3,
                weight="bold" if stored else "normal", color=palette["text" if stored else "muted"],
            )  # fmt: skip


class BroadcastExplorer(Explorer):
    """The live widget of :func:`broadcast`."""

    _esm = esm("broadcast.js")
    _css = css()


def broadcast(a: str | Sequence[int] = "3, 1", b: str | Sequence[int] = "4") -> None:
    """Show the explorer: type two shapes and see them aligned from the right, stretched or refused.

    Args:
        a: the first shape to begin with, as text ("3, 1") or as sizes.
        b: the second.

    Raises:
        ValueError: one of them cannot be read as a shape.
    """
    first = {}
    for name, shape in (("a", a), ("b", b)):
        text = shape if isinstance(shape, str) else ", ".join(str(size) for size in shape)
        _, mistake = parse_shape(text)
        if mistake or not DECLARATION.controls[0].accepts(text):
            raise ValueError(f"{name}={shape!r}: {mistake or 'it is too long'}")
        first[name] = text
    live = BroadcastExplorer(_starting_with(first))
    show(live, still_png(draw, size=(8.0, 4.2), **first), describe(**first))


def _starting_with(first: dict[str, str]) -> Declaration:
    """Return the declaration with these shapes as the ones that Reset brings back."""
    controls = tuple(
        replace(control, value=first[control.name]) if control.name in first else control
        for control in DECLARATION.controls
    )
    return replace(DECLARATION, controls=controls)
