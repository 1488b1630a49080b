"""Draw or move a digit and watch a network's ten probabilities follow (lesson 00).

`draw_digit(model)` is a pad for mouse, finger or keyboard; `shift_digit(model, images, labels)` moves, turns and
dirties digits of the test set. Both ask the learner's own network, as it is at that moment.

The pad's drawing is made into a picture as MNIST's were (Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, 1998,
*Gradient-Based Learning Applied to Document Recognition*): the digit's box is scaled to 20 × 20 pixels, then laid into
28 × 28 with its centre of mass in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from utils.explore.base import (
    HERE,
    Action,
    Choice,
    Declaration,
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
from utils.explore.kernel import KernelExplorer, show_drawn
from utils.explore.pad_drawings import DIGITS, DRAWINGS, drawing

SIDE = 28  # pixels of an MNIST picture
BOX = 20  # pixels of the square that holds the digit
RASTER = 112  # pixels of the pad's raster: four to an MNIST pixel
PEN = 0.085  # width of the pen in parts of the pad's side: about the stroke of an MNIST digit
FAINT = 0.05  # ink below this is the edge of a stroke, not part of the digit's box


# ------------------------------------------------------------------ from a drawing to what the network sees
def rasterise(strokes: Sequence[np.ndarray], *, size: int = RASTER, pen: float = PEN) -> np.ndarray:
    """Draw strokes with a round pen.

    Args:
        strokes: arrays (points, 2) of x, y in parts of the side; a single point is a dot.
        size: pixels of the side.
        pen: width of the pen in parts of the side.

    Returns:
        float32 (size, size): ink from 0 to 1, softened over one pixel at the edge.
    """
    middles = (np.arange(size) + 0.5) / size
    pixels = np.stack(np.meshgrid(middles, middles), axis=-1)  # (size, size, 2): x, y
    nearest = np.full((size, size), np.inf)
    for stroke in strokes:
        for start, end in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
            along = end - start
            length = max(float(along @ along), 1e-12)
            part = np.clip((pixels - start) @ along / length, 0, 1)[..., None]
            nearest = np.minimum(nearest, np.linalg.norm(pixels - start - part * along, axis=-1))
    return np.clip((pen / 2 - nearest) * size + 0.5, 0, 1).astype(np.float32)


def to_mnist(raster: np.ndarray) -> np.ndarray:
    """Centre and scale a drawing as the pictures of MNIST were.

    The box around the ink is scaled to 20 × 20 pixels with its aspect ratio kept, and laid into 28 × 28 so that the
    centre of mass of the ink falls into the middle.

    Args:
        raster: (height, width), ink from 0 to 1, any size.

    Returns:
        float32 (28, 28), ink from 0 to 1; all zeros where there is no ink.
    """
    ink = np.asarray(raster, dtype=np.float32)
    rows, columns = np.nonzero(ink > FAINT)
    if not len(rows):
        return np.zeros((SIDE, SIDE), np.float32)
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(n * scale)) for n in cut.shape)
    digit = _resize(cut, height, width)
    down = round(SIDE / 2 - _centre(digit.sum(axis=1)))
    right = round(SIDE / 2 - _centre(digit.sum(axis=0)))
    return _paste(digit, down, right)


def shrink(raster: np.ndarray) -> np.ndarray:
    """Only shrink a drawing to 28 × 28, wherever on the pad it is: float32 (28, 28)."""
    return _resize(np.asarray(raster, dtype=np.float32), SIDE, SIDE)


def move(picture: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Move a picture (28, 28) by whole pixels, right and down; what leaves it is lost, what enters is empty."""
    return _paste(picture, dy, dx)


def _resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    whole = torch.from_numpy(np.ascontiguousarray(picture))[None, None]
    small = F.interpolate(whole, (height, width), mode="bilinear", antialias=True, align_corners=False)
    return small[0, 0].clamp(0, 1).numpy()


def _centre(masses: np.ndarray) -> float:
    return float((masses * np.arange(len(masses))).sum() / masses.sum())


def _paste(patch: np.ndarray, top: int, left: int) -> np.ndarray:
    """Lay a patch into an empty 28 × 28 picture; parts outside are cut off."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    height, width = patch.shape
    rows, columns = (
        slice(max(0, start), max(0, min(SIDE, start + length)))
        for start, length in ((top, height), (left, width))
    )
    inside = patch[
        rows.start - top : max(rows.start, rows.stop) - top,
        columns.start - left : max(columns.start, columns.stop) - left,
    ]
    picture[rows, columns] = inside
    return picture


# ------------------------------------------------------------------ the network
@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards each part has the mode it had."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


class Classifier:
    """Any network that tells ten digits apart, called with pictures and answering with probabilities.

    Whether it takes (B, 784) or (B, 1, 28, 28) is found out by trying.

    Raises:
        ValueError: the network takes neither, or does not answer with ten numbers.
    """

    LAYOUTS: Mapping[str, tuple[int, ...]] = {"(B, 784)": (SIDE * SIDE,), "(B, 1, 28, 28)": (1, SIDE, SIDE)}

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, nn.Module):
            raise ValueError(f"the network must be a torch.nn.Module, not {type(model).__name__}")
        self.model = model
        problems = []
        for words, layout in self.LAYOUTS.items():
            try:
                answer = self._ask(torch.zeros(1, SIDE, SIDE), layout)
            except Exception as error:  # a network of another layout may fail in any way
                problems.append(f"given {words}: {type(error).__name__}: {error}")
                continue
            if isinstance(answer, Tensor) and answer.shape == (1, 10):
                self._layout = layout
                return
            shape = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            problems.append(f"given {words}: answers with {shape} instead of ten numbers a picture")
        raise ValueError("this network does not tell ten digits apart.\n" + "\n".join(problems))

    def _ask(self, pictures: Tensor, layout: tuple[int, ...]) -> Tensor:
        like = next(self.model.parameters(), torch.zeros(()))
        dtype = like.dtype if like.dtype.is_floating_point else torch.float32
        with evaluating(self.model):
            return self.model(pictures.reshape(len(pictures), *layout).to(like.device, dtype))

    def __call__(self, pictures: Tensor | np.ndarray) -> np.ndarray:
        """Return float64 (B, 10) probabilities for pictures (B, 28, 28) with ink from 0 to 1.

        Outputs that are probabilities already are taken as they are; all others go through softmax.

        Raises:
            ValueError: the outputs are not finite.
        """
        outputs = self._ask(torch.as_tensor(pictures, dtype=torch.float32), self._layout).double().cpu()
        if not outputs.isfinite().all():
            raise ValueError("the network's outputs are not finite numbers: its training has diverged")
        ready = bool((outputs >= 0).all()) and torch.allclose(outputs.sum(1), torch.ones(len(outputs)).double(), atol=1e-4)
        return (outputs if ready else outputs.softmax(dim=1)).numpy()


def percent(probability: float) -> str:
    """Return "98.3%"; a network is never quite certain, so the top is "more than 99.9%"."""
    return "more than 99.9%" if probability > 0.999 else f"{100 * probability:.1f}%"


def percent_short(probability: float) -> str:
    """Return "98%", and for the ends ">99%" and "<1%"."""
    if probability > 0.99:
        return ">99%"
    return "<1%" if probability < 0.01 else f"{100 * probability:.0f}%"


# ------------------------------------------------------------------ the bars, as both explorers show them
def bars(axes: Axes) -> dict[str, Any]:
    """Set up ten horizontal bars and return their artists for :func:`set_bars`."""
    palette = colors()
    axes.set(xlim=(0, 1.24), ylim=(9.55, -0.55), yticks=range(10), xticks=[0, 0.5, 1], xticklabels=["0%", "50%", "100%"])
    axes.tick_params(axis="y", length=0, labelsize=14)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    band = axes.axhspan(-0.46, 0.46, color=palette["grid"], linewidth=0, zorder=0, visible=False)
    truth = axes.text(1.23, 0, "truth", ha="right", va="center", color=palette["muted"], size=12, visible=False)
    rows = axes.barh(range(10), [0.0] * 10, height=0.72, color=palette["neutral"], zorder=2)
    words = [axes.text(0, row, "", va="center", size=12, zorder=3) for row in range(10)]
    return {"band": band, "truth": truth, "rows": rows, "words": words}


def set_bars(artists: dict[str, Any], probabilities: np.ndarray, truth: int | None = None) -> None:
    """Show ten probabilities; the largest bar is blue, or red where it is not the truth."""
    palette = colors()
    answer = int(probabilities.argmax())
    for digit, (row, words) in enumerate(zip(artists["rows"], artists["words"], strict=True)):
        p = float(probabilities[digit])
        row.set_width(p)
        strong = palette["right" if truth in (None, answer) else "wrong"]
        row.set_color(strong if digit == answer else palette["neutral"])
        words.set_text(percent_short(p) if digit == answer or p >= 0.01 else "")
        words.set_weight("bold" if digit == answer else "normal")
        words.set_x(p + 0.02)
    artists["band"].set_visible(truth is not None)
    # Beside a long bar there is no room for the word, and no need: the bar itself tells.
    artists["truth"].set_visible(truth is not None and probabilities[truth] < 0.6)
    if truth is not None:
        artists["band"].set_y(truth - 0.46)
        artists["truth"].set_y(truth)


def _picture_axes(axes: Axes, picture: np.ndarray, title: str) -> Any:
    image = axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(True)
    axes.set_title(title, size=13, weight="normal")
    return image


# ------------------------------------------------------------------ draw_digit
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
            (("", "my own drawing"), *((d, f"a {d}" if d != "8" else "an 8") for d in DIGITS), *((s, _WORDS[s]) for s in _SHAPES)),
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
        Goal("seven", "Draw a 7 that gets more than 95%.", "A 7, and the network is more than 95% sure of it."),
        Goal(
            "nodigit",
            "Draw something that is no digit, say so, and make the network more than 90% sure of a digit.",
            "Sure, and wrong. It must choose one of ten: “none of them” is not among its answers.",
        ),
        Goal(
            "moved",
            f"Switch centring off and move your digit with the arrows, at most {REACH} pixels each way, until the answer changes.",
            "The same digit, moved a little, another answer. To this network each pixel is a thing of its own.",
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

    `picture` float32 (28, 28) is what it sees; `probabilities` float64 (10,) and `before`, its answer before the
    drawing was moved, are None where nothing is drawn.
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


def describe_drawing(reading: Reading, *, centre: bool, nodigit: bool, dx: int = 0, dy: int = 0, **_: Any) -> str:
    """Say what the network answers."""
    if reading.probabilities is None:
        return "Draw a digit, or let one be drawn for you. The ten bars follow your stroke."
    second = int(reading.probabilities.argsort()[-2])
    says = f"The network says {reading.answer}, with {percent(reading.sure)}."
    if nodigit and reading.sure > 0.9:
        return f"{says} You say that this is no digit: it is sure all the same."
    if not centre and (dx or dy):
        moved = "still" if reading.before == reading.answer else f"before the move it was {reading.before},"
        moved = f"{moved} {reading.answer}" if moved == "still" else f"{moved} now {reading.answer}"
        return f"Moved {_way(dx, dy)}: {moved}. {says}"
    return f"{says} Next is {second}, with {percent(float(reading.probabilities[second]))}."


def _way(dx: int, dy: int) -> str:
    ways = [f"{abs(dx)} {'right' if dx > 0 else 'left'}"] * bool(dx) + [f"{abs(dy)} {'down' if dy > 0 else 'up'}"] * bool(dy)
    return " and ".join(ways)


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
    mosaic = figure.subplot_mosaic("ab;ac", width_ratios=[1, 1], height_ratios=[1, 1]) if figure.get_figwidth() < 5 else None
    left, middle, right = mosaic.values() if mosaic else figure.subplots(1, 3, width_ratios=[1, 1, 1.3])
    _picture_axes(left, raster, "A drawing")
    _picture_axes(middle, reading.picture, "What the network sees")
    artists = bars(right)
    right.set_title("What it says", size=13, weight="normal")
    if reading.probabilities is not None:
        set_bars(artists, reading.probabilities)
        figure.suptitle(f"The network calls this {reading.answer}, with {percent(reading.sure)}", x=0.01, ha="left")


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

    def answer(self, question: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        """Read the raster and answer with the picture seen (784 bytes) and ten probabilities."""
        raster = np.frombuffer(buffers[0], np.uint8).reshape(RASTER, RASTER).astype(np.float32) / 255
        controls = {**question["values"], **{way: max(-SIDE, min(SIDE, int(question[way]))) for way in ("dx", "dy")}}
        reading = read(self._classify, raster, centre=controls["centre"], dx=controls["dx"], dy=controls["dy"])
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
        model: takes (B, 784) or (B, 1, 28, 28) with ink from 0 to 1, answers with (B, 10) logits or probabilities.

    Raises:
        ValueError: the network takes or answers something else, or its outputs are not finite.
    """
    classify = Classifier(model)
    raster = rasterise(drawing("3"))
    reading = read(classify, raster, centre=True)
    still = still_png(lambda figure: draw_reading(figure, raster, reading), size=(8, 3.6))
    alt = f"Left a drawn 3, in the middle the same as 28 by 28 pixels, right ten bars. {describe_drawing(reading, centre=True, nodigit=False)}"
    show(DrawExplorer(classify), still, alt)


# ------------------------------------------------------------------ shift_digit
NOISE_SEED = 0
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
            f"needs as many labels as images of 28 × 28 pixels, not {tuple(pictures.shape)} and {tuple(digits.shape)}"
        )
    pictures = pictures.reshape(-1, SIDE, SIDE)
    pictures = pictures.float() / 255 if pictures.dtype == torch.uint8 else pictures.float()
    found = {}
    for digit in sorted({int(d) for d in digits}):
        candidates = pictures[digits == digit][:200]
        right = classify(candidates).argmax(axis=1) == digit
        found[str(digit)] = candidates[int(right.argmax())].numpy()  # the very first one if it gets none right
    return found


def transform(picture: np.ndarray, dx: int, dy: int, rotation: float, noise: float, invert: bool) -> np.ndarray:
    """Turn a picture, move it, add noise, invert it: float32 (28, 28), from 0 to 1.

    Args:
        picture: (28, 28), from 0 to 1.
        dx, dy: pixels to the right and down.
        rotation: degrees, counterclockwise, about the middle.
        noise: standard deviation of Gaussian noise, the same at every call.
        invert: swap ink and paper.
    """
    turned = torch.as_tensor(picture, dtype=torch.float32)
    if rotation % 360:
        angle = math.radians(rotation)
        matrix = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
        grid = F.affine_grid(matrix[None], [1, 1, SIDE, SIDE], align_corners=False)
        turned = F.grid_sample(turned[None, None], grid, align_corners=False)[0, 0]
    moved = torch.from_numpy(move(turned.numpy(), int(dx), int(dy)))
    if noise:
        grain = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(NOISE_SEED))
        moved = (moved + noise * grain).clamp(0, 1)
    return (1 - moved if invert else moved).numpy()


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
            f"Wrong after {NEAR} pixels at most. You see the same digit; the network sees other inputs switched on.",
        ),
        Goal("sure", "Make the network more than 90% sure of a wrong digit.", "More than 90% sure, and wrong."),
    )
    turn = Goal(
        "turned", "Turn the 6 until the network calls it 9.", "A 6 on its head is a 9. Is the network wrong at all?", challenge=True
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
        narrow = figure.get_figwidth() < 5
        shape = {"nrows": 2, "height_ratios": [1, 1.25]} if narrow else {"ncols": 2, "width_ratios": [1, 1.1]}
        left, right = figure.subplots(**shape)
        image = _picture_axes(left, np.zeros((SIDE, SIDE)), "What the network sees")
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
            f"A {digit}, and it says {verdict.answer}" if wrong else f"A {digit}, and it says so: {verdict.answer}"
        )
        artists["title"].set_color(colors()["wrong" if wrong else "text"])
        return verdict

    def describe(self, verdict: Verdict, digit: str, **how: Any) -> str:
        right = "right" if verdict.answer == verdict.truth else f"wrong: it is a {digit}"
        return f"A {digit}{_changes(**how)}. The network says {verdict.answer}, with {percent(verdict.sure)}, which is {right}."

    @property
    def goals(self) -> dict[str, Any]:
        found = {
            "near": lambda v, dx, dy, rotation, noise, invert, **_: (
                v.answer != v.truth and max(abs(dx), abs(dy)) <= NEAR and not (rotation or noise or invert)
            ),
            "sure": lambda v, **_: v.answer != v.truth and v.sure > 0.9,
            "turned": lambda v, digit, invert, noise, **_: digit == "6" and v.answer == 9 and not (invert or noise),
        }
        return {goal.id: found[goal.id] for goal in self.declaration.goals}

    def draw_still(self, figure: Figure, digit: str, before: np.ndarray, after: np.ndarray, title: str) -> None:
        """The same digit before and after a move, each with its bars."""
        axes = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1])
        for (left, right), picture, words in zip(
            (axes[:2], axes[2:]), (before, after), ("Where it was", "Moved"), strict=True
        ):
            _picture_axes(left, picture, words)
            set_bars(bars(right), self.classify(picture[None])[0], int(digit))
            right.set_xticks([0, 1], ["0%", "100%"])
        figure.suptitle(title, x=0.01, ha="left")

    def still(self) -> tuple[bytes, str]:
        """The shortest move along a row that changes the answer for the first digit shown."""
        digit = self.declaration.defaults()["digit"]
        before = self.pictures[digit]
        answer = int(self.classify(before[None])[0].argmax())
        moves = sorted((dx for dx in range(-10, 11) if dx), key=lambda dx: (abs(dx), dx < 0))
        answers = self.classify(np.stack([move(before, dx, 0) for dx in moves])).argmax(axis=1)
        dx, other = next(((d, int(a)) for d, a in zip(moves, answers, strict=True) if a != answer), (4, answer))
        pixels = f"{abs(dx)} pixel{'s' * (abs(dx) > 1)}"
        changed = f"turns {_a(answer)} into {_a(other)}" if other != answer else f"leaves {_a(answer)} what it is"
        title = f"A move of {pixels} {changed}"
        after = move(before, dx, 0)
        png = still_png(lambda figure: self.draw_still(figure, digit, before, after, title), size=(9, 3.4))
        return png, f"Two pictures of the same {digit}, each with ten bars. {title}, to the network."


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def _changes(dx: float, dy: float, rotation: float, noise: float, invert: bool) -> str:
    parts = [f"moved {_way(int(dx), int(dy))}"] * bool(dx or dy)
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
        scene.declaration, scene.setup, scene.update, scene.describe, scene.goals, narrow=(340, 600), still=still, alt=alt
    )
