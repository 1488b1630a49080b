"""What `draw_digit` and `shift_digit` share: pictures of digits, the network that reads them, ten bars.

A drawing is made into a picture as MNIST's were (Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, 1998,
*Gradient-Based Learning Applied to Document Recognition*): the digit's box is scaled to 20 × 20 pixels, then
laid into 28 × 28 with its centre of mass in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from utils.explore.base import (
    colors,
)

SIDE = 28  # pixels of an MNIST picture
BOX = 20  # pixels of the square that holds the digit
RASTER = 112  # pixels of the pad's raster: four to an MNIST pixel
PEN = 0.085  # width of the pen in parts of the pad's side: about the stroke of an MNIST digit
NOISE_SEED = 0
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

    The box around the ink is scaled to 20 × 20 pixels with its aspect ratio kept, and laid into 28 × 28 so
    that the centre of mass of the ink falls into the middle.

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
    # A drawing heavier at one end than any digit of MNIST would stick out: it is kept inside.
    down = min(max(0, round(SIDE / 2 - _centre(digit.sum(axis=1)))), SIDE - height)
    right = min(max(0, round(SIDE / 2 - _centre(digit.sum(axis=0)))), SIDE - width)
    return _paste(digit, down, right)


def shrink(raster: np.ndarray) -> np.ndarray:
    """Only shrink a drawing to 28 × 28, wherever on the pad it is: float32 (28, 28)."""
    return _resize(np.asarray(raster, dtype=np.float32), SIDE, SIDE)


def move(picture: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Move a picture (28, 28) by whole pixels, right and down; what leaves it is lost."""
    return _paste(picture, dy, dx)


def transform(
    picture: np.ndarray, dx: int, dy: int, rotation: float, noise: float, invert: bool
) -> np.ndarray:
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
        ready = bool((outputs >= 0).all()) and torch.allclose(
            outputs.sum(1), torch.ones(len(outputs)).double(), atol=1e-4
        )
        return (outputs if ready else outputs.softmax(dim=1)).numpy()


def percent(probability: float) -> str:
    """Return "98.3%"; a network is never quite certain, so at the top "more than 99.9%"."""
    if probability > 0.999:
        return "more than 99.9%"
    return "less than 0.1%" if probability < 0.001 else f"{100 * probability:.1f}%"


def percent_short(probability: float) -> str:
    """Return "98%", and for the ends ">99%" and "<1%"."""
    if probability > 0.99:
        return ">99%"
    return "<1%" if probability < 0.01 else f"{100 * probability:.0f}%"


def way(dx: int, dy: int) -> str:
    """Return "3 right and 1 up"."""
    ways = [f"{abs(dx)} {'right' if dx > 0 else 'left'}"] * bool(dx) + [
        f"{abs(dy)} {'down' if dy > 0 else 'up'}"
    ] * bool(dy)
    return " and ".join(ways)


# ------------------------------------------------------------------ the bars, as both explorers show them
def bars(axes: Axes) -> dict[str, Any]:
    """Set up ten horizontal bars and return their artists for :func:`set_bars`."""
    palette = colors()
    axes.set(
        xlim=(0, 1.24),
        ylim=(9.55, -0.55),
        yticks=range(10),
        xticks=[0, 0.5, 1],
        xticklabels=["0%", "50%", "100%"],
    )
    axes.tick_params(axis="y", length=0, labelsize=14)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    band = axes.axhspan(-0.46, 0.46, color=palette["grid"], linewidth=0, zorder=0, visible=False)
    truth = axes.text(
        1.23, 0, "truth", ha="right", va="center", color=palette["muted"], size=12, visible=False
    )
    rows = axes.barh(range(10), [0.0] * 10, height=0.72, color=palette["neutral"], zorder=2)
    words = [axes.text(0, row, "", va="center", size=12, zorder=3) for row in range(10)]
    return {"band": band, "truth": truth, "rows": rows, "words": words}


def set_bars(artists: dict[str, Any], probabilities: np.ndarray, truth: int | None = None) -> None:
    """Show ten probabilities; the largest bar is blue if true, red if not, violet if nobody knows."""
    palette = colors()
    answer = int(probabilities.argmax())
    for digit, (row, words) in enumerate(zip(artists["rows"], artists["words"], strict=True)):
        p = float(probabilities[digit])
        row.set_width(p)
        strong = palette["accent" if truth is None else "right" if truth == answer else "wrong"]
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


def leave_air(figure: Figure) -> None:
    """Keep titles and frames off the picture's rounded edge."""
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)


def picture_axes(axes: Axes, picture: np.ndarray, title: str) -> Any:
    image = axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[], anchor="N")
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(True)
    axes.set_title(title, size=13, weight="normal")
    return image
