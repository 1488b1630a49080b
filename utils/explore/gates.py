"""An LSTM cell of one unit, gate by gate and step by step (lesson 13), and the gradient back through time.

The learner types a sequence; each step's number x goes into two cells of one unit:

    plain RNN:  h = tanh(x + w·h)
    LSTM:       g = tanh(x + w·h),  c = f·c + i·g,  h = o·tanh(c)
                i = σ(w_i·x + b_i),  f = σ(b_f),  o = σ(b_o)

It is ``torch.nn.LSTMCell(1, 1)`` with most of its weights at 0, so that each slider does one thing. No gate
sees h, so the derivative of one state with respect to the one before is a single number a step, and the
gradient over many steps is the product of these numbers.

A sequence is written as numbers ("1 -0.5 20*0", where 20*0 is twenty zeros) or as words (a vowel is 1,
another letter −1, anything between words 0).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.explore.base import (
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

MOST_STEPS = 40
"""The longest sequence."""

MOST = 10.0
"""The largest number that a sequence may hold."""

FAR = 20
"""Over how many steps the goals ask for a value or a gradient."""

FLOOR, CEILING = -12, 12
"""The powers of ten between which gradients are drawn."""

NOISE = "1 .3 .2 -.1 .3 .1 .2 -.2 .3 .3 -.1 .2 .1 .3 -.3 .2 .3 .1 -.1 .2 .3"
CARRY = "1 20*0"

VIEWS: dict[str, str] = {"gates": "gates and state", "gradient": "gradient over time"}
"""The word that the control uses -> the name for people."""

_PLAIN = {"forget": 1.0, "input": 0.0, "weight": 0.0, "output": 0.0, "recurrent": 0.0, "step": 2}


def _preset(label: str, sequence: str, view: str = "gates", **more: Any) -> Preset:
    """A preset sets every control, so that it shows the same whatever was there before."""
    return Preset(label, {"view": view, "sequence": sequence} | _PLAIN | more)


DECLARATION = Declaration(
    name="gates",
    title="One LSTM cell, gate by gate",
    controls=(
        Choice("view", "Show", tuple(VIEWS.items()), "gates", style="radio"),
        Text("sequence", "Sequence", CARRY, 160, "1 -0.5 20*0, or a word", "",
             ("", "banana", "1", "40*10", "-10 39*1", "x1")),
        Slider("forget", "Forget gate: bias", -8.0, 8.0, 0.5, 1.0),
        Slider("input", "Input gate: bias", -8.0, 8.0, 0.5, 0.0),
        Slider("weight", "Input gate: weight", -16.0, 16.0, 0.5, 0.0),
        Slider("output", "Output gate: bias", -8.0, 8.0, 0.5, 0.0),
        Slider("recurrent", "Recurrent weight w", -2.0, 2.0, 0.05, 0.0),
        Slider("step", "Step to look at", 1, MOST_STEPS, 1, 2),
    ),
    presets=(
        _preset("Carry", CARRY),
        _preset("Noise", NOISE),
        _preset("Word", "recurrent", weight=2.0),
        _preset("Gradient", CARRY, "gradient", recurrent=0.9, step=21),
    ),
    goals=(
        Goal(
            "keep",
            "A 1, then twenty zeros (“Carry”): lose less than 10% of c.",
            "f above 0.9948 keeps nine tenths: 0.9948²⁰ is 0.90.",
        ),
        Goal(
            "count",
            "Type five 1s and bring c above 3. Look at h.",
            "c adds up without end; h stays between −1 and 1.",
        ),
        Goal(
            "explode",
            "Plain RNN: a gradient above 1000 over 20 steps.",
            "At h = 0 tanh has slope 1, so each step multiplies by w.",
        ),
        Goal(
            "flat",
            "Plain RNN: w of 1.5 or more, and a gradient below 10⁻⁶ over 20 steps.",
            "Where tanh is flat its slope is near 0, whatever w is.",
        ),
        Goal(
            "noise",
            "“Noise”: carry the first number. After 20 steps c and its gradient have lost less than 10%.",
            "f near 1 keeps; an input gate that only a large x opens keeps noise out.",
            challenge=True,
        ),
    ),
    width=680,
    height=640,
    pointer_hint="Click a step in the picture, or drag across it.",
)  # fmt: skip

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ reading a sequence
_NUMBER = r"[-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_ITEM = re.compile(rf"(?:([0-9]{{1,6}})[*×·])?({_NUMBER})")
_WORDS = re.compile(r"[A-Za-z][A-Za-z '’-]*")
_VOWELS = "aeiou"


def parse_sequence(text: str) -> tuple[list[float] | None, list[str] | None, str | None]:
    """Read a sequence as a learner types it: "1 -0.5 20*0" or "hello world".

    Returns the numbers, the words that stand below them, and None; or None, None and a sentence that says
    why it cannot be read.
    """
    inner = text.strip(" ")
    if _WORDS.fullmatch(inner):
        xs = [0.0 if not c.isalpha() else 1.0 if c.lower() in _VOWELS else -1.0 for c in inner]
        marks = ["␣" if c == " " else c for c in inner]
    else:
        items = [item for item in re.split(r"[ ,;]+", inner) if item]
        if not items:
            return None, None, "Write some numbers, or a word."
        xs, marks = [], []
        for item in items:
            found = _ITEM.fullmatch(item)
            if not found:
                clipped = item if len(item) <= 10 else item[:9] + "…"
                return (
                    None,
                    None,
                    f"“{clipped}” is no number. Write such as 1, -0.5 or 20*0; or letters alone.",
                )
            value = float(found[2].replace("−", "-"))
            if abs(value) > MOST:
                return None, None, f"Numbers from −{short(MOST)} to {short(MOST)} can be shown here."
            count = int(found[1] or 1)
            if count == 0:
                return None, None, f"“{item}” is nothing: write at least 1 before the *."
            # Far more than can be shown is refused below, but need not be written out before.
            xs += [value] * min(count, MOST_STEPS + 1)
            marks += [short(value)] * min(count, MOST_STEPS + 1)
    if len(xs) > MOST_STEPS:
        return None, None, f"Up to {MOST_STEPS} steps can be shown here."
    return xs, marks, None


# ------------------------------------------------------------------ what the controls give
def sigmoid(z: float) -> float:
    """Return 1 / (1 + e⁻ᶻ)."""
    return 1 / (1 + math.exp(-z))


def slope(z: float) -> float:
    """Return tanh′(z); not as 1 − tanh²(z), which loses all its digits where tanh is flat."""
    return 1 / math.cosh(z) ** 2


def compute(
    view: str, sequence: str, forget: float, input: float, weight: float, output: float, recurrent: float,
    step: int,
) -> dict[str, Any]:  # fmt: skip
    """Return both cells over the sequence, from states of 0.

    Keys: ``mistake`` (why the sequence cannot be read, or None; then all else is None); ``x`` and ``marks``,
    the numbers and how they are written; ``i``, ``f``, ``g``, ``o``, ``c`` and ``h`` of the LSTM, ``plain``
    (h of the plain RNN), one number a step; ``rnn_factors`` and ``lstm_factors``, the derivative of h and of
    c with respect to the same one step before (None at step 1, before which nothing was read);
    ``rnn_gradient`` and ``lstm_gradient``, the derivative of the last h and c with respect to that of each
    step; ``at``, the step that is looked at, from 1, inside the sequence.
    """
    xs, marks, mistake = parse_sequence(sequence)
    names = ("i", "f", "g", "o", "c", "h", "plain", "rnn_factors", "lstm_factors")
    state: dict[str, Any] = {"mistake": mistake, "x": xs, "marks": marks}
    if xs is None:
        return state | dict.fromkeys((*names, "rnn_gradient", "lstm_gradient", "at"))
    columns: dict[str, list[Any]] = {name: [] for name in names}
    h = c = plain = 0.0
    f, o = sigmoid(forget), sigmoid(output)
    for k, x in enumerate(xs):
        i = sigmoid(weight * x + input)
        z, own = x + recurrent * h, x + recurrent * plain
        g = math.tanh(z)
        # h = o·tanh(c) reads c alone, so c feels the c before through f and through g's own h.
        through_h = i * slope(z) * recurrent * o * slope(c)
        c = f * c + i * g
        h = o * math.tanh(c)
        plain = math.tanh(own)
        factors = (recurrent * slope(own), f + through_h) if k else (None, None)
        for name, value in zip(names, (i, f, g, o, c, h, plain, *factors), strict=True):
            columns[name].append(value)
    return state | columns | {
        "rnn_gradient": _products(columns["rnn_factors"]),
        "lstm_gradient": _products(columns["lstm_factors"]),
        "at": min(int(step), len(xs)),
    }  # fmt: skip


def _products(factors: Sequence[float | None]) -> list[float]:
    """Return for each step the product of the factors of all later steps: 1 at the last."""
    found = [1.0]
    for factor in reversed(factors[1:]):
        found.append(found[-1] * (factor or 0.0))
    return found[::-1]


def power(value: float) -> str:
    """Return a number of any size in few characters: "0.38", "3300", "3.3·10⁻⁷", "0"."""
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-99:
        return "below 10⁻⁹⁹"
    if 0.01 <= size < 1000:
        return short(value, 2 if size >= 0.1 else 3)
    digits, exponent = f"{Context(prec=2, rounding=ROUND_HALF_UP).create_decimal(Decimal(value)):.1e}".split(
        "e"
    )
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits}·10{raised}".replace("-", "−")


def describe(view: str, sequence: str, step: int, **controls: Any) -> str:
    """Return the sentence: the chosen step in numbers, then what the first step means for the last."""
    state = compute(view, sequence, step=step, **controls)
    if state["mistake"]:
        return f"Sequence not read yet. {state['mistake']}"
    t, last = state["at"], len(state["x"])
    k = t - 1
    head = f"Step {t} of {last}, x = {short(state['x'][k])}: "
    if view == "gradient":
        words = f"h of the plain RNN is {number(state['plain'][k])}"
        if k:
            words += f", and the factor w·tanh′ is {power(state['rnn_factors'][k])}"
        words += "."
        if last > 1:
            words += (
                f" From step {last} back to step 1 the gradient is {power(state['rnn_gradient'][0])} in the "
                f"plain RNN and {power(state['lstm_gradient'][0])} along c of the LSTM."
            )
        return head + words
    before = state["c"][k - 1] if k else 0.0
    words = (
        f"i = {number(state['i'][k])}, f = {number(state['f'][k])}, g = {number(state['g'][k])}, "
        f"o = {number(state['o'][k])}. c goes from {number(before)} to {number(state['c'][k])}; "
        f"h is {number(state['h'][k])}."
    )
    if last > 1:
        words += (
            f" c is {number(state['c'][0])} after step 1 and {number(state['c'][-1])} after step {last}; "
            f"the gradient between them is {power(state['lstm_gradient'][0])}."
        )
    return head + words


# ------------------------------------------------------------------ the still
def draw(figure: Figure, view: str, sequence: str, step: int, **controls: Any) -> None:
    """Draw the inputs, the strip of gates (or of factors), and below them the states (or the gradients)."""
    state = compute(view, sequence, step=step, **controls)
    if state["mistake"]:
        axes = figure.subplots()
        axes.set_axis_off()
        axes.text(0.5, 0.5, describe(view, sequence, step, **controls), ha="center", wrap=True)
        return
    top, strip, below = figure.subplots(3, 1, sharex=True, height_ratios=(1, 2, 3))
    palette = colors()
    steps = range(1, len(state["x"]) + 1)
    top.bar(steps, state["x"], width=0.7, color=["#a43a33" if x > 0 else "#2f6ca3" for x in state["x"]])
    most = max(1.0, *map(abs, state["x"]))
    top.axhline(0, color=palette["text"], linewidth=1)
    top.set(ylim=(-1.1 * most, 1.1 * most), ylabel="x")
    top.tick_params(labelbottom=False)
    _draw_strip(strip, rows(view, state))
    if view == "gates":
        top.set_title("What the gates let through")
        below.plot(steps, state["c"], "o-", color=palette["class5"], label="c, the cell's state")
        below.plot(steps, state["h"], "s--", color=palette["class1"], label="h, what it shows")
        below.axhline(0, color=palette["muted"], linewidth=1)
        below.set_ylabel("state")
    else:
        top.set_title("How much the last state feels of each step")
        for name, look, color, words in (
            ("lstm_gradient", "o-", palette["class5"], "LSTM, along c"),
            ("rnn_gradient", "s--", palette["class1"], "plain RNN"),
        ):
            below.plot(steps, [exponent(v) for v in state[name]], look, color=color, label=words)
        below.set_ylabel("power of ten")
    below.set(xlim=(0.4, len(state["x"]) + 0.6), xlabel="step")
    low, high = below.get_ylim()
    below.set_ylim(low, high + 0.22 * (high - low))  # room for the legend above the lines
    below.legend(fontsize=12, loc="upper right", ncols=2)
    if len(state["x"]) <= 24:
        below.set_xticks(steps, [f"{t}\n{mark}" for t, mark in zip(steps, state["marks"], strict=True)])
    for axes in (top, strip, below):
        axes.axvspan(state["at"] - 0.5, state["at"] + 0.5, color=palette["accent"], alpha=0.12, zorder=0)


def exponent(value: float) -> float:
    """Return log₁₀ |value|, kept between FLOOR and CEILING."""
    return FLOOR if value == 0 else max(FLOOR, min(CEILING, math.log10(abs(value))))


def rows(view: str, state: dict[str, Any]) -> list[tuple[str, list[float | None], list[float]]]:
    """Return the rows of the strip: name, numbers, and tones from −1 (blue) to 1 (red)."""

    def factors(name: str) -> list[float]:
        # Below 1 a factor shrinks the gradient (blue), above 1 it grows it (red).
        return [
            0.0 if v is None else -1.0 if v == 0 else max(-1.0, min(1.0, math.log2(abs(v))))
            for v in state[name]
        ]

    if view == "gates":
        return [(name, state[name], state[name]) for name in "ifgo"]
    return [
        ("h, RNN", state["plain"], state["plain"]),
        ("× RNN", state["rnn_factors"], factors("rnn_factors")),
        ("h, LSTM", state["h"], state["h"]),
        ("× LSTM", state["lstm_factors"], factors("lstm_factors")),
    ]


def _draw_strip(axes: Axes, lines: Sequence[tuple[str, list[float | None], list[float]]]) -> None:
    count = len(lines[0][1])
    tones = np.array([line[2] for line in lines])
    axes.imshow(
        tones,
        cmap=DIVERGING,
        vmin=-1.6,
        vmax=1.6,
        aspect="auto",
        extent=(0.5, count + 0.5, len(lines) - 0.5, -0.5),
    )
    axes.grid(visible=False)
    axes.set_yticks(range(len(lines)), [line[0] for line in lines])
    axes.tick_params(labelbottom=False)
    for j, line in enumerate(lines):
        for k, value in enumerate(line[1]):
            if value is not None and count <= 24:
                words = re.sub(r"^(−?)0\.", r"\1.", number(value))
                axes.text(k + 1, j, words, ha="center", va="center", size=13 if count < 12 else 9)


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: colours of signed numbers, the noise."""
    shades = matplotlib.colormaps[DIVERGING](np.linspace(0, 1, 41))
    return {"diverging": [matplotlib.colors.to_hex(c) for c in shades], "noise": NOISE}


class GatesExplorer(Explorer):
    """The live widget of :func:`gates`."""

    _esm = esm("gates.js")
    _css = css()


# What the stored picture shows: a word, each vowel let in, the rest forgotten slowly.
STILL = DECLARATION.defaults() | dict(PRESETS[2].values)


def gates() -> None:
    """Show the explorer: type a sequence and watch the gates and the state of an LSTM cell of one unit."""
    show(
        GatesExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.6, 6.2), **STILL),
        describe(**STILL),
    )
