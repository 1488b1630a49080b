"""Move, turn, dirty and invert a digit of the test set, and see what the network makes of it (lesson 00)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from utils.explore.base import (
    Choice,
    Declaration,
    Goal,
    Preset,
    Slider,
    Switch,
    colors,
    number,
    still_png,
)
from utils.explore.digits import (
    SIDE,
    Classifier,
    bars,
    leave_air,
    move,
    percent,
    picture_axes,
    set_bars,
    transform,
    way,
)
from utils.explore.kernel import show_drawn

NEAR = 3  # pixels that the first goal allows


def examples(classify: Classifier, images: Any, labels: Any) -> dict[str, np.ndarray]:
    """Return one picture (28, 28) for each digit among the labels: the first that the network gets right.

    Args:
        images: (N, 28, 28), (N, 784) or (N, 1, 28, 28); uint8, or floats from 0 to 1.
        labels: (N,), digits 0 to 9.

    Raises:
        ValueError: no images, or not as many labels as images.
    """
    pictures = torch.as_tensor(images).detach().cpu()
    digits = torch.as_tensor(labels).detach().cpu().flatten()
    if not len(pictures) or len(pictures) != len(digits) or pictures[0].numel() != SIDE * SIDE:
        raise ValueError(
            "needs as many labels as images of 28 × 28 pixels, "
            f"not shapes {tuple(pictures.shape)} and {tuple(digits.shape)}"
        )
    pictures = pictures.reshape(-1, SIDE, SIDE)
    pictures = pictures.float() / 255 if pictures.dtype == torch.uint8 else pictures.float()
    found = {}
    for digit in sorted({int(d) for d in digits}):
        candidates = pictures[digits == digit][:200]
        right = classify(candidates).argmax(axis=1) == digit
        found[str(digit)] = candidates[
            int(right.argmax())
        ].numpy()  # the very first one if it gets none right
    return found


@dataclass(frozen=True)
class Verdict:
    """The network's answer to a moved digit: `probabilities` float64 (10,)."""

    probabilities: np.ndarray
    truth: int

    @property
    def answer(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def sure(self) -> float:
        """Its probability."""
        return float(self.probabilities.max())


def _shift_declaration(digits: Sequence[str]) -> Declaration:
    six = "6" in digits
    goals = (
        Goal(
            "near",
            f"Get a wrong answer by moving at most {NEAR} pixels each way, and nothing else.",
            f"Wrong within {NEAR} pixels. You see the same digit; the network sees other inputs switched on.",
        ),
        Goal(
            "sure", "Make the network more than 90% sure of a wrong digit.", "More than 90% sure, and wrong."
        ),
    )
    turn = Goal(
        "turned",
        "Turn the 6 until the network calls it 9.",
        "A 6 on its head is a 9. Is the network wrong at all?",
        challenge=True,
    )
    return Declaration(
        name="shift_digit",
        title="Move a digit",
        controls=(
            Choice("digit", "Digit of the test set", tuple(digits), "7" if "7" in digits else digits[0]),
            Slider("dx", "Move right", -10, 10, 1, 0, "px"),
            Slider("dy", "Move down", -10, 10, 1, 0, "px"),
            Slider("rotation", "Turn left", -180, 180, 5, 0, "°"),
            Slider("noise", "Noise", 0, 1, 0.05, 0),
            Switch("invert", "Invert: white on black", False),
        ),
        presets=(
            Preset("3 px right", {"dx": 3, "dy": 0, "rotation": 0, "noise": 0, "invert": False}),
            Preset("On its head", {"dx": 0, "dy": 0, "rotation": 180, "noise": 0, "invert": False}),
            Preset("Noisy", {"dx": 0, "dy": 0, "rotation": 0, "noise": 0.5, "invert": False}),
        ),
        goals=(*goals, turn) if six else goals,
        width=640,
        height=400,
    )


class _Shift:
    """The four functions of `show_drawn` for one network and its digits."""

    def __init__(self, classify: Classifier, pictures: Mapping[str, np.ndarray]) -> None:
        self.classify, self.pictures = classify, pictures
        self.declaration = _shift_declaration(tuple(pictures))

    def setup(self, figure: Figure) -> dict[str, Any]:
        leave_air(figure)
        narrow = figure.get_figwidth() < 5
        shape = {"nrows": 2, "height_ratios": [1, 1.25]} if narrow else {"ncols": 2, "width_ratios": [1, 1.1]}
        left, right = figure.subplots(**shape)
        image = picture_axes(left, np.zeros((SIDE, SIDE)), "What the network sees")
        right.set_title("What it says", size=13, weight="normal")
        title = figure.suptitle("Ag", x=0.02, ha="left")
        return {"image": image, "title": title, "frame": list(left.spines.values()), **bars(right)}

    def update(self, artists: dict[str, Any], digit: str, **how: Any) -> Verdict:
        picture = transform(self.pictures[digit], **how)
        verdict = Verdict(self.classify(picture[None])[0], int(digit))
        wrong = verdict.answer != verdict.truth
        artists["image"].set_data(picture)
        set_bars(artists, verdict.probabilities, verdict.truth)
        artists["title"].set_text(
            f"A {digit}, and it says {verdict.answer}"
            if wrong
            else f"A {digit}, and it says so: {verdict.answer}"
        )
        artists["title"].set_color(colors()["wrong" if wrong else "text"])
        return verdict

    def describe(self, verdict: Verdict, digit: str, **how: Any) -> str:
        right = "right" if verdict.answer == verdict.truth else f"wrong: it is a {digit}"
        says = f"The network says {verdict.answer}, with {percent(verdict.sure)}, which is {right}."
        return f"{_a(int(digit)).capitalize()}{_changes(**how)}. {says}"

    @property
    def goals(self) -> dict[str, Any]:
        found = {
            "near": lambda v, dx, dy, rotation, noise, invert, **_: (
                v.answer != v.truth and max(abs(dx), abs(dy)) <= NEAR and not (rotation or noise or invert)
            ),
            "sure": lambda v, **_: v.answer != v.truth and v.sure > 0.9,
            "turned": lambda v, digit, invert, noise, **_: (
                digit == "6" and v.answer == 9 and not (invert or noise)
            ),
        }
        return {goal.id: found[goal.id] for goal in self.declaration.goals}

    def draw_still(
        self, figure: Figure, digit: str, before: np.ndarray, after: np.ndarray, title: str
    ) -> None:
        """The same digit before and after a move, each with its bars."""
        leave_air(figure)
        axes = figure.subplots(1, 4)
        for (left, right), picture, words in zip(
            (axes[:2], axes[2:]), (before, after), ("Where it was", "Moved"), strict=True
        ):
            picture_axes(left, picture, words)
            set_bars(bars(right), self.classify(picture[None])[0], int(digit))
            right.set(xlim=(0, 1.4), xticks=[0, 1], xticklabels=["0%", "100%"])
        figure.suptitle(title, x=0.01, ha="left")

    def still(self) -> tuple[bytes, str]:
        """The shortest move along a row that changes the answer for the first digit shown."""
        digit = self.declaration.defaults()["digit"]
        before = self.pictures[digit]
        answer = int(self.classify(before[None])[0].argmax())
        moves = sorted((dx for dx in range(-10, 11) if dx), key=lambda dx: (abs(dx), dx < 0))
        answers = self.classify(np.stack([move(before, dx, 0) for dx in moves])).argmax(axis=1)
        dx, other = next(
            ((d, int(a)) for d, a in zip(moves, answers, strict=True) if a != answer), (4, answer)
        )
        pixels = f"{abs(dx)} pixel{'s' * (abs(dx) > 1)}"
        changed = (
            f"turns {_a(answer)} into {_a(other)}" if other != answer else f"leaves {_a(answer)} what it is"
        )
        title = f"A move of {pixels} {changed}"
        after = move(before, dx, 0)
        png = still_png(lambda figure: self.draw_still(figure, digit, before, after, title), size=(9, 3.4))
        return png, f"Two pictures of the same {digit}, each with ten bars. {title}, to the network."


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def _changes(dx: float, dy: float, rotation: float, noise: float, invert: bool) -> str:
    parts = [f"moved {way(int(dx), int(dy))}"] * bool(dx or dy)
    parts += [f"turned by {number(rotation, 0)}°"] * bool(rotation)
    parts += [f"with noise {number(noise, 2)}"] * bool(noise)
    parts += ["inverted"] * bool(invert)
    return "".join(f", {part}" for part in parts)


def shift_digit(model: nn.Module, images: Any, labels: Any) -> None:
    """Show digits of the test set to move, turn, dirty and invert, and what the network makes of them.

    Args:
        model: as for :func:`draw_digit`.
        images: (N, 28, 28), (N, 784) or (N, 1, 28, 28); uint8, or floats from 0 to 1.
        labels: (N,), the digits.

    Raises:
        ValueError: the network or the images have another shape, or the outputs are not finite.
    """
    classify = Classifier(model)
    scene = _Shift(classify, examples(classify, images, labels))
    still, alt = scene.still()
    show_drawn(
        scene.declaration,
        scene.setup,
        scene.update,
        scene.describe,
        scene.goals,
        narrow=(340, 600),
        still=still,
        alt=alt,
    )
