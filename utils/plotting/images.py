"""Images in a grid, and the probabilities a classifier gives one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.plotting.arrays import to_array
from utils.plotting.style import COLORS, DIVERGING, centred_norm, palette_of, readable


def show_images(
    images: Any,
    titles: Sequence[Any] | None = None,
    *,
    columns: int | None = None,
    correct: Sequence[bool] | None = None,
    cmap: str = "gray",
    diverging: bool = False,
    size: float = 1.0,
) -> Figure:
    """Images side by side in a grid, all on one scale of brightness.

    Args:
        images: (N, H, W), (N, 1, H, W), colour as (N, H, W, 3) or (N, 3, H, W), or one image (H, W).
            uint8 is shown from 0 to 255, float from 0 to 1 if it lies in that range, else from its
            smallest to its largest value.
        titles: text above each image.
        columns: images in a row; if not given, what fits ten inches, in rows as even as possible.
        correct: for each image whether its title is right: a ✓ or ✗ and a colour say so.
        cmap: colormap for images of one channel.
        diverging: values with a sign, such as weights: zero is white, negative blue, positive red.
        size: width and height of an image in inches; wider where a title needs it.

    Returns:
        The figure.

    Raises:
        ValueError: if the shape is not one of those above, or titles are too few or too many.
    """
    pictures = _to_pictures(images)
    count = len(pictures)
    texts = _titles(titles, correct, count)
    lines = [line for text in texts if text for line in text.split("\n")]
    title_height = 0.25 * max((text.count("\n") + 1 for text in texts if text), default=0) + 0.1
    width = max(size, 0.11 * max((len(line) for line in lines), default=0))  # 12 pt: 0.11 inch a letter
    fitting = max(1, int(10 / width))
    columns = min(columns or math.ceil(count / math.ceil(count / fitting)), count)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(max(columns * width, 2.0), rows * (size + title_height)),
        layout="constrained",
    )
    scale = _scale(pictures, cmap, diverging)
    for index, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if index >= count:
            continue
        ax.imshow(pictures[index], interpolation="nearest", **scale)
        if texts[index]:
            color = COLORS["text"]
            if correct is not None:
                role = "right" if correct[index] else "wrong"
                color = readable(COLORS[role], figure.get_facecolor())
            ax.set_title(texts[index], fontsize=12, fontweight="normal", loc="center", color=color, pad=4)
    return figure


def _to_pictures(images: Any) -> np.ndarray:
    """Images as array (N, H, W) or (N, H, W, 3)."""
    pictures = to_array(images)
    shape = pictures.shape
    if pictures.ndim == 2:
        pictures = pictures[None]
    elif pictures.ndim == 4 and shape[1] == 1:
        pictures = pictures[:, 0]
    elif pictures.ndim == 4 and shape[3] == 1:
        pictures = pictures[..., 0]
    elif pictures.ndim == 4 and shape[1] == 3 and shape[3] != 3:
        pictures = pictures.transpose(0, 2, 3, 1)
    elif not (pictures.ndim == 3 or (pictures.ndim == 4 and shape[3] == 3)):
        raise ValueError(
            "images must have shape (N, H, W), (N, 1, H, W), (N, H, W, 3) or (N, 3, H, W), "
            f"but have shape {shape}"
        )
    if 0 in pictures.shape:
        raise ValueError(f"there is no image to show in shape {shape}")
    return pictures


def _titles(titles: Sequence[Any] | None, correct: Sequence[bool] | None, count: int) -> list[str]:
    for name, given in (("titles", titles), ("correct", correct)):
        if given is not None and len(given) != count:
            raise ValueError(f"{count} images need {count} {name}, but there are {len(given)}")
    texts = [""] * count if titles is None else [str(title) for title in titles]
    if correct is None:
        return texts
    return [f"{'✓' if good else '✗'} {text}".rstrip() for text, good in zip(texts, correct, strict=True)]


def _scale(pictures: np.ndarray, cmap: str, diverging: bool) -> dict[str, Any]:
    """One scale of brightness or colour for all pictures."""
    if pictures.ndim == 4:
        if pictures.dtype != np.uint8 and (pictures.min() < 0 or pictures.max() > 1):
            raise ValueError("colour images must be uint8 or lie in [0, 1]")
        return {}
    if diverging:
        return {"cmap": DIVERGING, "norm": centred_norm(pictures)}
    if pictures.dtype == np.uint8:
        low, high = 0.0, 255.0
    elif np.nanmin(pictures) >= 0 and np.nanmax(pictures) <= 1:
        low, high = 0.0, 1.0
    else:
        low, high = float(np.nanmin(pictures)), float(np.nanmax(pictures))
    return {"cmap": cmap, "vmin": low, "vmax": high}


def show_probabilities(
    probabilities: Any,
    *,
    labels: Sequence[Any] | None = None,
    highlight: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The probability of each class as a bar, with one bar standing out.

    Args:
        probabilities: one number in [0, 1] for each class, shape (K,).
        labels: name of each class; 0, 1, … if not given.
        highlight: the class that stands out; the most probable one if not given.
        ax: axes to draw on; a new figure if none are given.

    Returns:
        The axes, from 0 to 100% whatever the probabilities, so that pictures can be compared.

    Raises:
        ValueError: if the shape is another, a number is no probability, or labels do not fit.
    """
    heights = to_array(probabilities).astype(float)
    if heights.ndim != 1 or not len(heights):
        raise ValueError(f"probabilities must have shape (classes,), but have shape {heights.shape}")
    if not ((heights >= 0) & (heights <= 1 + 1e-6)).all():
        raise ValueError("probabilities must lie between 0 and 1; pass logits through softmax first")
    if labels is not None and len(labels) != len(heights):
        raise ValueError(f"{len(heights)} probabilities need as many labels, but there are {len(labels)}")
    chosen = int(heights.argmax()) if highlight is None else highlight
    if not 0 <= chosen < len(heights):
        raise ValueError(f"highlight must be a class from 0 to {len(heights) - 1}, not {chosen}")
    ax = plt.subplots()[1] if ax is None else ax
    palette = palette_of(ax)
    colors = [palette["accent" if k == chosen else "neutral"] for k in range(len(heights))]
    bars = ax.bar(np.arange(len(heights)), heights, color=colors, width=0.8)
    for text in ax.bar_label(bars, labels=[_percent(p) for p in heights], padding=2, fontsize=12):
        text.set_color(palette["text"])
    ax.set_xticks(
        np.arange(len(heights)), labels=[str(k) for k in (range(len(heights)) if labels is None else labels)]
    )
    ax.set(xlabel="class", ylabel="probability (%)", ylim=(0, 1.1))
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100"])
    ax.grid(False, axis="x")
    return ax


def _percent(probability: float) -> str:
    """A short percentage: "87%", "<1%" for what is small, "0%" only for zero, ">99%" short of one."""
    if 0 < probability < 0.005:
        return "<1%"
    if 0.995 <= probability < 1 - 1e-6:
        return ">99%"
    return f"{100 * probability:.0f}%"
