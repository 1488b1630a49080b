"""Queries and keys as arrows in the plane (lesson 14): scores, mask, softmax, weights and the output.

Five words, each with a query and a key of two numbers that the learner moves, and a value of two numbers
that stays. Every word's query is compared with every key by a dot product; divided by √d (and by a
temperature), masked and put through softmax these are the weights, and the output is the weighted mean of
the values, as ``torch.nn.functional.scaled_dot_product_attention`` computes it.

Queries and keys are written as matrices are read, one row for each word: "1.5 -0.4; 0 1.5; …".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

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
    number,
    short,
    show,
    still_png,
)
from utils.plotting import DIVERGING

Rows = list[list[float]]

WORDS: tuple[str, ...] = ("the", "cat", "slept", "it", "purred")
"""The sentence: one query, one key and one value for each word."""

REACH = 3.0
"""Entries of queries and keys lie between −REACH and REACH."""

QUERIES = "1.6 0.4; 0.2 1.5; 1.4 -0.2; 1.3 0.5; 0.7 -0.9"
KEYS = "-0.9 -0.7; 1.9 0.5; -0.6 1.8; 1 -1.6; -1.6 0.9"

VALUES: Rows = [[-1.2, -2.2], [2.1, -1.0], [-2.1, 0.7], [0.2, 2.4], [2.0, 1.2]]
"""The values, (T, 2): the output lies inside the pentagon that they make."""

STAR = (0.0, -0.5)
"""Where the challenge wants the output to be."""

MASKS: dict[str, str] = {
    "none": "none: all words",
    "causal": "causal: not ahead",
    "others": "own word hidden",
}
"""The word that the control uses -> the name for people."""

STAGES: dict[str, str] = {"dots": "dot product", "scaled": "÷ √d", "masked": "mask", "weights": "softmax"}
"""The steps from scores to weights, in their order."""

_GRIPS = (("query", "its query"), *((word, f"key of “{word}”") for word in WORDS))

_LONG = "-0.9 -0.7; 1.9 0.5; -1 2.9; 1 -1.6; -1.6 0.9"
_TRIES = ("0 0; 0 0; 0 0; 0 0; 0 0", "3 3; 3 3; -3 -3; 3 -3; -3 3", "1 2; 3", "x")

DECLARATION = Declaration(
    name="attention",
    title="Queries look for keys",
    controls=(
        Choice("word", "Word that looks", WORDS, "it"),
        Choice("grip", "Arrow keys move", _GRIPS, "query"),
        Choice("mask", "Mask", tuple(MASKS.items()), "none"),
        Slider("temperature", "Temperature", -1.0, 1.0, 0.05, 0.0, log=True),
        Choice("stage", "Show up to", tuple(STAGES.items()), "weights", style="radio"),
        Action("step", "Step", "The next of the four"),
        Text("queries", "Queries, by rows", QUERIES, 120, "", "", _TRIES),
        Text("keys", "Keys, by rows", KEYS, 120, "", "", _TRIES),
    ),
    presets=(
        Preset("Cold", {"temperature": -1.0, "stage": "weights"}),
        Preset("Hot", {"temperature": 1.0, "stage": "weights"}),
        Preset(
            "One long key",
            {"queries": QUERIES, "keys": _LONG, "word": "cat", "grip": "slept", "mask": "none",
             "temperature": 0.0, "stage": "weights"},
        ),
    ),
    goals=(
        Goal(
            "focus",
            "Temperature 1: let “it” give more than 95% of its weight to “cat”.",
            "Long arrows in one direction: large scores, sharp softmax.",
        ),
        Goal(
            "even",
            "Temperature 1: let a word look at all five alike, 20% each.",
            "A query of zeros asks for nothing: all scores are 0.",
        ),
        Goal(
            "far",
            "Largest weight on a key that is not the nearest to the query.",
            "A dot product is no distance: a long key wins from afar.",
        ),
        Goal(
            "blind",
            "Causal mask: find the word whose weights no drag can change.",
            "The first word sees only itself: softmax over one score is 1.",
        ),
        Goal(
            "star",
            "Temperature 1, no mask: output of “it” onto the star, by its query alone.",
            "A mean of all values: direction and length of the query both count.",
            challenge=True,
        ),
    ),
    width=680,
    height=1060,
    pointer_hint="Drag the query or a key, or press arrow keys on the picture. Click a row: its word looks.",
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ reading rows
_NUMBER = re.compile(r"[-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def parse_rows(text: str) -> tuple[Rows | None, str | None]:
    """Read a matrix as a learner types it: "1 0; 0 1; …" or "[[1, 0], [0, 1], …]".

    Returns one row of two numbers for each word and None, or None and a sentence that says why it cannot be
    read.
    """
    inner = re.sub(r"\] *,? *\[", ";", text)
    inner = re.sub(r"[\[\]]", " ", inner).strip(" ")
    inner = re.sub(r" *; *$", "", inner)
    rows: Rows = []
    for line in inner.split(";") if inner else []:
        words = [word for word in re.split(r"[ ,]+", line) if word]
        for word in words:
            if not _NUMBER.fullmatch(word):
                return None, f"“{word if len(word) <= 10 else word[:9] + '…'}” is no number."
        row = [float(word.replace("−", "-")) for word in words]
        if len(row) != 2:
            return None, f"Row {len(rows) + 1} holds {len(row)} number{'s' * (len(row) != 1)}, not 2."
        if max(map(abs, row)) > REACH:
            return None, f"Numbers from −{short(REACH)} to {short(REACH)} fit into the picture."
        rows.append(row)
    if len(rows) != len(WORDS):
        return None, f"{len(rows)} row{'s' * (len(rows) != 1)} for {len(WORDS)} words."
    return rows, None


# ------------------------------------------------------------------ attention
def allowed(mask: str, count: int) -> list[list[bool]]:
    """Return the mask: (T, T), True where the word of the row may look at the word of the column.

    Raises:
        ValueError: there is no such mask.
    """
    if mask not in MASKS:
        raise ValueError(f"there is no mask {mask!r}; there are {list(MASKS)}")
    rule = {"none": lambda i, j: True, "causal": lambda i, j: j <= i, "others": lambda i, j: i != j}[mask]
    return [[rule(i, j) for j in range(count)] for i in range(count)]


def attend(
    queries: Sequence[Sequence[float]],
    keys: Sequence[Sequence[float]],
    values: Sequence[Sequence[float]],
    may: Sequence[Sequence[bool]],
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Return the steps of scaled dot-product attention.

    Args:
        queries: (T_q, d). keys: (T, d). values: (T, d_v).
        may: (T_q, T), True where a query may look at a key; at least one True in each row.
        temperature: the scores are divided by √d and by this.

    Keys: ``dots``, ``scaled``, ``masked`` (None where the mask forbids, that is −∞), ``weights``, each
    (T_q, T), and ``output`` (T_q, d_v).
    """
    divisor = math.sqrt(len(keys[0])) * temperature
    dots = [[sum(a * b for a, b in zip(q, k, strict=True)) for k in keys] for q in queries]
    scaled = [[s / divisor for s in row] for row in dots]
    masked = [
        [s if seen else None for s, seen in zip(row, line, strict=True)]
        for row, line in zip(scaled, may, strict=True)
    ]
    weights = []
    for row in masked:
        most = max(s for s in row if s is not None)
        powers = [0.0 if s is None else math.exp(s - most) for s in row]
        total = sum(powers)
        weights.append([p / total for p in powers])
    across = range(len(values[0]))
    output = [[sum(w * v[c] for w, v in zip(row, values, strict=True)) for c in across] for row in weights]
    return {"dots": dots, "scaled": scaled, "masked": masked, "weights": weights, "output": output}


def compute(
    word: str, grip: str, mask: str, temperature: float, stage: str, queries: str, keys: str
) -> dict[str, Any]:
    """Return what the controls give.

    ``temperature`` is the slider's place, the logarithm to base 10. Keys: ``mistakes`` of the two text
    fields, ``row`` of the word that looks, and where both fields can be read also ``queries``, ``keys``,
    ``may`` and all of :func:`attend`, with ``output`` always after softmax; ``nearest``, which of the keys
    that the word may see lies nearest to its query; ``top``, which gets the largest weight; ``off``, how
    far the output is from the star.
    """
    (Q, wrong_q), (K, wrong_k) = parse_rows(queries), parse_rows(keys)
    row = WORDS.index(word)
    state: dict[str, Any] = {"mistakes": {"queries": wrong_q, "keys": wrong_k}, "row": row}
    if Q is None or K is None:
        return state
    may = allowed(mask, len(WORDS))
    steps = attend(Q, K, VALUES, may, 10**temperature)
    seen = [j for j, free in enumerate(may[row]) if free]
    weights = steps["weights"][row]
    return state | steps | {
        "queries": Q,
        "keys": K,
        "may": may,
        "nearest": min(seen, key=lambda j: math.dist(Q[row], K[j])),
        "top": max(seen, key=lambda j: weights[j]),
        "off": math.dist(steps["output"][row], STAR),
    }  # fmt: skip


def describe(word: str, grip: str, mask: str, temperature: float, stage: str, queries: str, keys: str) -> str:
    """Return the sentence: what the word looks at, and where its output lies, as far as is shown."""
    state = compute(word, grip, mask, temperature, stage, queries, keys)
    if "weights" not in state:
        which = " and ".join(name for name, wrong in state["mistakes"].items() if wrong)
        return f"The {which} cannot be read yet: {next(w for w in state['mistakes'].values() if w)}"
    row = state["row"]
    if stage in ("dots", "scaled"):
        scores = state[stage][row]
        best, least = max(range(len(WORDS)), key=scores.__getitem__), min(scores)
        name = "Dot products" if stage == "dots" else f"Scores (divided by {short(_divisor(temperature))})"
        return (
            f"{name} of the query of “{word}” with all keys: the largest is {number(scores[best])}, "
            f"with “{WORDS[best]}”, the smallest {number(least)}."
        )
    hidden = [WORDS[j] for j, free in enumerate(state["may"][row]) if not free]
    cut = f" It may not look at {_listed(hidden)}." if hidden else ""
    if stage == "masked":
        count = len(WORDS) - len(hidden)
        told = "Hidden scores become −∞." if hidden else "Nothing is hidden from it."
        return f"“{word}” looks at {count} of {len(WORDS)} words.{cut} {told}"
    weights = state["weights"][row]
    order = sorted(range(len(WORDS)), key=lambda j: (-round(weights[j], 9), j))
    first, second = order[0], order[1]
    also = f", then “{WORDS[second]}” {_percent(weights[second])}" if weights[second] >= 0.005 else ""
    x, y = state["output"][row]
    return (
        f"“{word}” gives “{WORDS[first]}” {_percent(weights[first])} of its weight{also}.{cut} "
        f"Output ({number(x)}, {number(y)})."
    )


def _divisor(temperature: float) -> float:
    return math.sqrt(2) * 10**temperature


def _percent(weight: float) -> str:
    return f"{number(100 * weight, 0)}%"


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


# ------------------------------------------------------------------ pictures
def draw(
    figure: Figure, word: str, grip: str, mask: str, temperature: float, stage: str, queries: str, keys: str
) -> None:
    """Draw queries and keys, the values with the output, the word's scores step by step, and all weights."""
    controls = {"word": word, "grip": grip, "mask": mask, "temperature": temperature, "stage": stage,
                "queries": queries, "keys": keys}  # fmt: skip
    state = compute(**controls)
    if "weights" not in state:
        axes = figure.subplots()
        axes.set_axis_off()
        axes.text(
            0.5, 0.5, describe(**controls), ha="center", va="center", wrap=True, color=colors()["wrong"]
        )
        return
    above, below = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    plane, output = above.subplots(1, 2)
    _draw_plane(plane, state, word, stage)
    _draw_output(output, state, word, stage)
    steps, everyone = below.subplots(1, 2, width_ratios=(1, 1.06))
    shown = list(STAGES)[: list(STAGES).index(stage) + 1]
    rows = [state[name][state["row"]] if name in shown else None for name in STAGES]
    names = list(STAGES.values())
    names[0] = "q · k"
    names[1] = f"÷ {short(_divisor(temperature))}"
    _draw_table(steps, rows, names, f"“{word}” step by step", start=3)
    _draw_table(everyone, state[stage], WORDS, f"All words: {STAGES[stage]}", 0 if stage == "weights" else 9)
    everyone.add_patch(Rectangle((-0.5, state["row"] - 0.5), len(WORDS), 1, fill=False, lw=3,
                                 edgecolor=colors()["accent"], zorder=5))  # fmt: skip


def _square(axes: Axes, title: str) -> None:
    axes.set(xlim=(-3.3, 3.3), ylim=(-3.3, 3.3), aspect="equal", xticks=(-2, 0, 2), yticks=(-2, 0, 2))
    axes.axhline(0, color=colors()["grid"], zorder=0)
    axes.axvline(0, color=colors()["grid"], zorder=0)
    axes.set_title(title, size=14)


def _draw_plane(axes: Axes, state: dict[str, Any], word: str, stage: str) -> None:
    palette = colors()
    q = np.array(state["queries"][state["row"]])
    weights = state["weights"][state["row"]] if stage == "weights" else [0.35] * len(WORDS)
    length = np.hypot(*q)
    for k, key in enumerate(state["keys"]):
        gone = stage in ("masked", "weights") and not state["may"][state["row"]][k]
        if length > 0.05 and not gone:
            foot = q * (np.dot(q, key) / length**2)
            axes.plot([key[0], foot[0]], [key[1], foot[1]], ":", color=palette["muted"], linewidth=1.3)
        axes.plot(*key, "s", markersize=12, markeredgewidth=2, zorder=4,
                  color=(*matplotlib.colors.to_rgb(palette["class0"]), 0.0 if gone else weights[k]),
                  markeredgecolor=palette["grid"] if gone else palette["class0"])  # fmt: skip
        axes.annotate(WORDS[k], key, (9, 7), textcoords="offset points", size=12, zorder=6,
                      color=palette["muted"] if gone else palette["text"])  # fmt: skip
    if length > 0.05:
        end = q / length * 9
        axes.plot([-end[0], end[0]], [-end[1], end[1]], color=palette["accent"], linewidth=0.8, alpha=0.5)
    arrow = {"arrowstyle": "-|>", "color": palette["accent"], "lw": 3.5, "mutation_scale": 20,
             "shrinkA": 0, "shrinkB": 0}  # fmt: skip
    axes.annotate("", q, (0, 0), arrowprops=arrow, zorder=5)
    _square(axes, f"Query of “{word}” (arrow) and keys")


def _draw_output(axes: Axes, state: dict[str, Any], word: str, stage: str) -> None:
    palette = colors()
    axes.fill(*np.array(VALUES)[_hull()].T, color=palette["class1"], alpha=0.1)
    for k, value in enumerate(VALUES):
        weight = state["weights"][state["row"]][k]
        if stage == "weights":
            x, y = state["output"][state["row"]]
            axes.plot([x, value[0]], [y, value[1]], color=palette["class1"], linewidth=9 * weight)
        axes.plot(*value, "D", markersize=9, color=palette["class1"], markeredgecolor="white")
        outward = -20 if value[1] < 0 else 9
        axes.annotate(WORDS[k], value, (0, outward), textcoords="offset points", ha="center", size=12)
    axes.plot(*STAR, "*", markersize=15, color="white", markeredgecolor=palette["muted"], zorder=3)
    if stage == "weights":
        axes.plot(x, y, "o", markersize=14, color=palette["accent"], markeredgecolor="white", zorder=6)
    _square(axes, f"Output of “{word}” among values")


def _hull() -> list[int]:
    """The values' order round their middle: they make a pentagon."""
    middle = np.mean(VALUES, axis=0)
    return sorted(range(len(VALUES)), key=lambda k: math.atan2(*(np.array(VALUES[k]) - middle)[::-1]))


def _draw_table(
    axes: Axes,
    rows: Sequence[Sequence[float | None] | None],
    names: Sequence[str],
    title: str,
    start: int,
) -> None:
    """Draw numbers in tinted cells: signed ones about zero, weights (from row ``start`` on) in blue."""
    signed = [abs(v) for row in rows[:start] if row for v in row if v is not None]
    most = max(signed, default=0.0) or 1.0
    paint = matplotlib.colormaps[DIVERGING]
    for i, row in enumerate(rows):
        for j in range(len(WORDS)):
            value = row[j] if row else None
            tint = "white"
            if value is not None:
                blue = (*matplotlib.colors.to_rgb(colors()["class0"]), min(1.0, value))
                tint = blue if i >= start else paint(0.5 + 0.3 * value / most)
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=tint, edgecolor=colors()["grid"]))
            words = "" if row is None else _cell(value)
            axes.text(j, i, words, ha="center", va="center", size=11.5)
    axes.set(xlim=(-0.5, len(WORDS) - 0.5), ylim=(len(rows) - 0.4, -0.6))
    axes.grid(visible=False)
    axes.set_xticks(range(len(WORDS)), WORDS, size=12)
    axes.set_yticks(range(len(rows)), names, size=12)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, size=13)


def _cell(value: float | None) -> str:
    """Return a number in few characters; None is what a mask forbids."""
    if value is None:
        return "−∞"
    return number(value, 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0)


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: words, values, star, names, colours of scores."""
    shades = matplotlib.colormaps[DIVERGING](np.linspace(0.2, 0.8, 41))
    return {
        "words": WORDS,
        "values": VALUES,
        "hull": _hull(),
        "star": STAR,
        "reach": REACH,
        "stages": STAGES,
        "queries": parse_rows(QUERIES)[0],
        "keys": parse_rows(KEYS)[0],
        "diverging": [matplotlib.colors.to_hex(c) for c in shades],
    }


class AttentionExplorer(Explorer):
    """The live widget of :func:`attention`."""

    _esm = esm("attention.js")
    _css = css()


# What the stored picture shows: all four steps of one word.
STILL = DECLARATION.defaults()


def attention() -> None:
    """Show the explorer: move queries and keys and see scores, mask, weights and the output follow."""
    show(
        AttentionExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.6, 6.8), **STILL),
        describe(**STILL),
    )
