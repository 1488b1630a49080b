"""Points in the plane and the regions a model divides it into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgb

from utils.plotting.arrays import to_array, to_classes, to_points
from utils.plotting.style import CLASS_MARKERS, palette_of

Limits = tuple[tuple[float, float], tuple[float, float]]
Output = Literal["auto", "probability", "score", "class"]

# How strong the colour of a region is, and of a certain prediction: points in full colour must stand out.
_TINT, _SURE = 0.35, 0.55


def plot_points(
    X: Any,
    y: Any,
    *,
    ax: Axes | None = None,
    names: tuple[str, ...] | None = None,
    size: float = 55,
    legend: bool = True,
    limits: Limits | None = None,
) -> Axes:
    """Points in the plane, each class in its own colour and marker.

    Args:
        X: points, shape (N, 2).
        y: classes 0, 1, … (at most six), or labels -1 and +1; shape (N,).
        ax: axes to draw on; a new figure if none are given.
        names: name of each class for the legend; "class 0", "class 1", … if not given.
        size: area of a marker in square points.
        legend: whether to name the classes beside the axes.
        limits: ((x_low, x_high), (y_low, y_high)); a margin around the points if not given.

    Returns:
        The axes.

    Raises:
        ValueError: if shapes or labels do not fit.
    """
    points = to_points(X)
    classes = to_classes(y, len(points))
    _check_class_count(classes, names)
    ax = _new_axes() if ax is None else ax
    palette = palette_of(ax)
    for k in np.unique(classes):
        here = points[classes == k]
        ax.scatter(
            here[:, 0],
            here[:, 1],
            s=size,
            color=palette[f"class{k}"],
            marker=CLASS_MARKERS[k],
            edgecolors=palette["text"],
            linewidths=0.8,
            label=names[k] if names else f"class {k}",
            zorder=3,
        )
    (x_low, x_high), (y_low, y_high) = limits or _limits_around(points)
    ax.set(xlim=(x_low, x_high), ylim=(y_low, y_high), xlabel="$x_1$", ylabel="$x_2$")
    ax.set_aspect("equal")
    if legend and len(classes):
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, handletextpad=0.3)
    return ax


def plot_decision_boundary(
    predict: Callable[[torch.Tensor], Any],
    X: Any,
    y: Any,
    *,
    ax: Axes | None = None,
    output: Output = "auto",
    shading: Literal["auto", "probability", "regions", "none"] = "auto",
    names: tuple[str, ...] | None = None,
    limits: Limits | None = None,
    resolution: int = 300,
    legend: bool = True,
) -> Axes:
    """How a model divides the plane: its regions, the boundary between them, and the points.

    Args:
        predict: a model or function from points (N, 2), float32, to one of: classes (N,) whole numbers;
            probabilities of class 1 (N,); scores that are positive for class 1 (N,); or one score,
            logit or probability for each class (N, K). A column (N, 1) counts as (N,).
        X: points, shape (N, 2).
        y: classes 0, 1, …, or labels -1 and +1; shape (N,).
        ax: axes to draw on; a new figure if none are given.
        output: what `predict` returns for (N,) outputs. "auto" takes whole-number types as classes,
            numbers that all lie in [0, 1] as probabilities (boundary at 0.5), others as scores (at 0).
        shading: "probability" (the surer, the stronger), "regions" (one tint for each class), "none".
            "auto" takes "probability" where `predict` gives a probability, else "regions".
        names: name of each class for the legend.
        limits: ((x_low, x_high), (y_low, y_high)); a margin around the points if not given.
        resolution: points of the grid along each side.
        legend: whether to name the classes beside the axes.

    Returns:
        The axes.

    Raises:
        ValueError: if shapes or labels do not fit, or the model's output has a shape it cannot have.
    """
    points = to_points(X)
    ax = _new_axes() if ax is None else ax
    (x_low, x_high), (y_low, y_high) = limits = limits or _limits_around(points)
    # A little beyond the limits, so that nothing seen is an effect of the grid's rim.
    x_rim, y_rim = 0.02 * (x_high - x_low), 0.02 * (y_high - y_low)
    across = np.linspace(x_low - x_rim, x_high + x_rim, resolution)
    up = np.linspace(y_low - y_rim, y_high + y_rim, resolution)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    outputs = _call(predict, grid)
    output = _kind_of(outputs) if output == "auto" else output
    margins, probability = _class_margins(outputs, output)
    margins = margins.reshape(resolution, resolution, -1)
    smooth = _smooth(margins) if output == "class" else margins
    if probability is not None:
        probability = probability.reshape(resolution, resolution)
    if margins.shape[-1] > len(CLASS_MARKERS):
        raise ValueError(f"at most {len(CLASS_MARKERS)} classes can be told apart in one picture")

    _shade(ax, margins, probability, shading, (across[0], across[-1], up[0], up[-1]))
    for k in range(1 if margins.shape[-1] == 2 else 0, margins.shape[-1]):
        if smooth[..., k].min() < 0 <= smooth[..., k].max():
            ax.contour(
                across,
                up,
                smooth[..., k],
                levels=[0.0],
                colors=palette_of(ax)["boundary"],
                linewidths=2.5,
                linestyles="solid",
                zorder=2,
            )
    ax.grid(False)
    return plot_points(points, y, ax=ax, names=names, limits=limits, legend=legend)


def _new_axes() -> Axes:
    # Narrower than the default figure: the axes are about square, and half of it would be empty.
    return plt.subplots(figsize=(6.4, 4.8))[1]


def _check_class_count(classes: np.ndarray, names: tuple[str, ...] | None) -> None:
    if not len(classes):
        return
    highest = int(classes.max())
    if highest >= len(CLASS_MARKERS):
        raise ValueError(
            f"at most {len(CLASS_MARKERS)} classes can be told apart, but y holds class {highest}"
        )
    if names is not None and len(names) <= highest:
        raise ValueError(f"names holds {len(names)} names, but y holds class {highest}")


def _limits_around(points: np.ndarray, margin: float = 0.12) -> Limits:
    """Limits with a margin around the points; a square of side 2 around a single point or none."""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return (-1.0, 1.0), (-1.0, 1.0)
    low, high = finite.min(axis=0), finite.max(axis=0)
    longest = float((high - low).max()) or 2.0
    # A set that is flat in one direction would give a strip of a picture: at least half as high as wide.
    half = np.maximum((high - low) / 2, longest / 4) + margin * longest
    middle = (low + high) / 2
    (x_low, y_low), (x_high, y_high) = middle - half, middle + half
    return (float(x_low), float(x_high)), (float(y_low), float(y_high))


def _call(predict: Callable[[torch.Tensor], Any], grid: np.ndarray) -> np.ndarray:
    """Outputs of the model on the grid, as array (N,) or (N, K); a module is asked in eval mode."""
    inputs = torch.from_numpy(grid.astype(np.float32))
    if not isinstance(predict, torch.nn.Module):
        with torch.no_grad():
            outputs = to_array(predict(inputs))
    else:
        parameter = next(predict.parameters(), None)
        was_training = predict.training
        predict.eval()
        try:
            with torch.no_grad():
                outputs = to_array(predict(inputs if parameter is None else inputs.to(parameter.device)))
        finally:
            predict.train(was_training)
    if outputs.ndim == 2 and outputs.shape[1] == 1:
        outputs = outputs[:, 0]
    if outputs.ndim not in (1, 2) or outputs.shape[0] != len(grid):
        raise ValueError(
            f"predict got {len(grid)} points and must return (N,) or (N, classes), "
            f"but returned shape {outputs.shape}"
        )
    return outputs


def _class_margins(outputs: np.ndarray, output: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Lead of each class over the best other class (N, K), and P(class 1) (N,) where it is known."""
    if output == "each class":
        outputs = outputs.astype(float)
        leads = [outputs[:, k] - np.delete(outputs, k, axis=1).max(axis=1) for k in range(outputs.shape[1])]
        sums_to_one = np.allclose(outputs.sum(axis=1), 1, atol=1e-3) and outputs.min() >= 0
        return np.stack(leads, axis=1), outputs[:, 1] if sums_to_one and outputs.shape[1] == 2 else None
    if output == "class":
        classes = to_classes(outputs, len(outputs))
        ones = np.eye(max(2, int(classes.max()) + 1))[classes]
        return _class_margins(ones, "each class")[0], None
    if output not in ("probability", "score"):
        raise ValueError(f"output must be 'auto', 'probability', 'score' or 'class', not {output!r}")
    score = outputs.astype(float) - (0.5 if output == "probability" else 0.0)
    return np.stack([-score, score], axis=1), outputs if output == "probability" else None


def _kind_of(outputs: np.ndarray) -> str:
    if outputs.ndim == 2:
        return "each class"
    if outputs.dtype.kind in "iub":
        return "class"
    return "probability" if outputs.min() >= 0 and outputs.max() <= 1 else "score"


def _smooth(margins: np.ndarray, width: int = 7) -> np.ndarray:
    """Mean over neighbouring grid points: a boundary between whole numbers would be a staircase."""
    channels_first = torch.from_numpy(margins).permute(2, 0, 1)
    means = torch.nn.functional.avg_pool2d(
        channels_first, width, stride=1, padding=width // 2, count_include_pad=False
    )
    return means.permute(1, 2, 0).numpy()


def _shade(
    ax: Axes,
    margins: np.ndarray,
    probability: np.ndarray | None,
    shading: str,
    extent: tuple[float, float, float, float],
) -> None:
    """Tint the plane: by probability of class 1, or one tint for each class."""
    if shading not in ("auto", "probability", "regions", "none"):
        raise ValueError(f"shading must be 'auto', 'probability', 'regions' or 'none', not {shading!r}")
    if shading == "none":
        return
    if shading == "probability" and probability is None:
        raise ValueError("shading='probability' needs a predict that returns probabilities of two classes")
    palette = palette_of(ax)
    ground = np.asarray(to_rgb(palette["ground"]))
    count = margins.shape[-1]
    colors = [np.asarray(to_rgb(palette[f"class{k}"])) for k in range(count)]
    settings = {"extent": extent, "origin": "lower", "aspect": "auto", "zorder": 0}
    if probability is not None and shading != "regions":
        ends = [ground + _SURE * (color - ground) for color in colors[:2]]
        tints = LinearSegmentedColormap.from_list("two classes", [ends[0], ground, ends[1]])
        ax.imshow(probability, cmap=tints, vmin=0, vmax=1, interpolation="bilinear", **settings)
    else:
        tints = ListedColormap([ground + _TINT * (color - ground) for color in colors])
        ax.imshow(margins.argmax(axis=-1), cmap=tints, vmin=-0.5, vmax=count - 0.5, **settings)
