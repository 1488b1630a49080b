"""Draw a digit and watch the network's ten probabilities follow the stroke (lesson 00).

The browser sends the drawing as a small raster, at most one at a time. The kernel makes it a picture as
MNIST's are, asks the learner's own network as it is at that moment, and answers with that picture and ten
probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from torch import nn

from utils.explore.base import (
    HERE,
    Action,
    Choice,
    Declaration,
    Goal,
    Switch,
    css,
    esm,
    show,
    still_png,
)
from utils.explore.digits import (
    FAINT,
    PEN,
    RASTER,
    SIDE,
    Classifier,
    bars,
    leave_air,
    move,
    percent,
    picture_axes,
    rasterise,
    set_bars,
    shrink,
    to_mnist,
    way,
)
from utils.explore.kernel import KernelExplorer
from utils.explore.pad_drawings import DIGITS, DRAWINGS, drawing

_SHAPES = tuple(name for name in DRAWINGS if name not in DIGITS)
_WORDS = {"tick": "a tick mark", "house": "a house", "star": "a star", "smiley": "a smiley"}
REACH = 4  # pixels that the challenge allows

DRAW = Declaration(
    name="draw_digit",
    title="Draw a digit",
    controls=(
        Choice(
            "sample",
            "Draw one for me",
            (
                ("", "my own drawing"),
                *((d, f"a {d}" if d != "8" else "an 8") for d in DIGITS),
                *((s, _WORDS[s]) for s in _SHAPES),
            ),
            "",
        ),
        Action("undo", "Undo", "Take back the last stroke"),
        Action("clear", "Clear", "Start again"),
        Switch("centre", "Centre and scale as MNIST does", True),
        Action("left", "←", "Move the drawing one pixel to the left"),
        Action("right", "→", "Move the drawing one pixel to the right"),
        Action("up", "↑", "Move the drawing one pixel up"),
        Action("down", "↓", "Move the drawing one pixel down"),
        Switch("nodigit", "What I drew is no digit", False),
    ),
    goals=(
        Goal(
            "seven", "Draw a 7 that gets more than 95%.", "A 7, and the network is more than 95% sure of it."
        ),
        Goal(
            "nodigit",
            "Draw what is no digit, tick the box that says so, and make the network more than 90% sure.",
            "Sure, and wrong. It must choose one of ten: “none of them” is not among its answers.",
        ),
        Goal(
            "moved",
            "Switch centring off and move your digit with the arrows until the answer changes: "
            f"at most {REACH} pixels each way.",
            "The same digit, moved a little, another answer: to this network each pixel stands alone.",
            challenge=True,
        ),
    ),
    width=620,
    height=330,
    pointer_hint="Draw with mouse or finger.",
)


@dataclass(frozen=True)
class Reading:
    """What the network says to a drawing.

    `picture` float32 (28, 28) is what it sees; `probabilities` float64 (10,) and `before`, its answer before
    the drawing was moved, are None where nothing is drawn.
    """

    picture: np.ndarray
    probabilities: np.ndarray | None = None
    before: int | None = None

    @property
    def answer(self) -> int | None:
        """The most probable digit."""
        return None if self.probabilities is None else int(self.probabilities.argmax())

    @property
    def sure(self) -> float:
        """Its probability; 0 where nothing is drawn."""
        return 0.0 if self.probabilities is None else float(self.probabilities.max())


def read(classify: Classifier, raster: np.ndarray, *, centre: bool, dx: int = 0, dy: int = 0) -> Reading:
    """Ask the network about the pad's raster, float (112, 112), moved by dx to the right and dy down.

    With `centre` the move makes no difference, since the digit goes to the middle all the same.
    """
    if not (raster > FAINT).any():
        return Reading(np.zeros((SIDE, SIDE), np.float32))
    resting = to_mnist(raster) if centre else shrink(raster)
    picture = resting if centre else move(resting, dx, dy)
    there, here = classify(np.stack([resting, picture]))
    if not (picture > FAINT).any():
        return Reading(picture)
    return Reading(picture, here, int(there.argmax()))


def describe_drawing(
    reading: Reading, *, centre: bool, nodigit: bool, dx: int = 0, dy: int = 0, **_: Any
) -> str:
    """Say what the network answers."""
    if reading.probabilities is None:
        return "Draw a digit, or let one be drawn for you. The ten bars follow your stroke."
    second = int(reading.probabilities.argsort()[-2])
    says = f"The network says {reading.answer}, with {percent(reading.sure)}."
    if not centre and (dx or dy):
        before = (
            f"still {reading.answer}"
            if reading.before == reading.answer
            else f"before, it was {reading.before}"
        )
        return f"{says} Moved {way(dx, dy)}: {before}."
    if nodigit and reading.sure > 0.9:
        return f"{says} You say that this is no digit: it is sure all the same."
    return f"{says} Next is {second}, with {percent(float(reading.probabilities[second]))}."


DRAW_GOALS = {
    "seven": lambda reading, nodigit, **_: reading.answer == 7 and reading.sure > 0.95 and not nodigit,
    "nodigit": lambda reading, nodigit, **_: nodigit and reading.sure > 0.9,
    "moved": lambda reading, centre, dx, dy, **_: (
        not centre
        and 0 < max(abs(dx), abs(dy)) <= REACH
        and reading.answer is not None
        and reading.answer != reading.before
    ),
}


def draw_reading(figure: Figure, raster: np.ndarray, reading: Reading) -> None:
    """The still picture: the drawing, what the network sees, and its ten bars."""
    leave_air(figure)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
    picture_axes(left, raster, "A drawing")
    picture_axes(middle, reading.picture, "What the network sees")
    artists = bars(right)
    right.set_title("What it says", size=13, weight="normal")
    if reading.probabilities is not None:
        set_bars(artists, reading.probabilities)
        figure.suptitle(
            f"The network calls this {reading.answer}, with {percent(reading.sure)}", x=0.01, ha="left"
        )


class DrawExplorer(KernelExplorer):
    """The live widget of :func:`draw_digit`."""

    _esm = esm("kernel.js", "draw_digit.js")
    _css = css() + (HERE / "draw_digit.css").read_text(encoding="utf-8")

    drawn = traitlets.Dict().tag(sync=True)  # strokes and offset, kept in the browser for the next view

    def __init__(self, classify: Classifier) -> None:
        self._classify = classify
        drawings = {name: [stroke.round(4).tolist() for stroke in drawing(name)] for name in DRAWINGS}
        empty = describe_drawing(Reading(np.zeros((SIDE, SIDE))), centre=True, nodigit=False)
        data = {"drawings": drawings, "shapes": list(_SHAPES), "raster": RASTER, "pen": PEN, "side": SIDE}
        super().__init__(DRAW, data | {"invitation": empty})

    def answer(
        self, question: dict[str, Any], buffers: list[memoryview]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Read the raster and answer with the picture seen (784 bytes) and ten probabilities."""
        raster = np.frombuffer(buffers[0], np.uint8).reshape(RASTER, RASTER).astype(np.float32) / 255
        controls = {
            **question["values"],
            **{way: max(-SIDE, min(SIDE, int(question[way]))) for way in ("dx", "dy")},
        }
        reading = read(
            self._classify, raster, centre=controls["centre"], dx=controls["dx"], dy=controls["dy"]
        )
        drawn = reading.probabilities
        content = {
            "say": describe_drawing(reading, **controls),
            "goals": self.met(DRAW_GOALS, question | {"values": controls}, reading),
            "probabilities": None if drawn is None else drawn.tolist(),
            "answer": reading.answer,
        }
        return content, [(reading.picture * 255).round().astype(np.uint8).tobytes()]


def draw_digit(model: nn.Module) -> None:
    """Show a pad to draw on; the network's ten probabilities follow the stroke.

    Args:
        model: takes (B, 784) or (B, 1, 28, 28) with ink from 0 to 1, answers (B, 10) logits or probabilities.

    Raises:
        ValueError: the network takes or answers something else, or its outputs are not finite.
    """
    classify = Classifier(model)
    raster = rasterise(drawing("3"))
    reading = read(classify, raster, centre=True)
    still = still_png(lambda figure: draw_reading(figure, raster, reading), size=(8, 3.6))
    says = describe_drawing(reading, centre=True, nodigit=False)
    alt = f"Left a drawn 3, in the middle the same as 28 by 28 pixels, right ten bars. {says}"
    show(DrawExplorer(classify), still, alt)
