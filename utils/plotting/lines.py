"""Curves: functions of one number, training histories, quantities layer by layer; and their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.ticker import MaxNLocator, PercentFormatter

from utils.plotting.arrays import to_array
from utils.plotting.style import CLASS_MARKERS, palette_of, readable

_LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_NEAR, _FAR = 8, 24  # points between the end of a line and its name: beside it, or with a leader


def plot_function(
    f: Callable[[torch.Tensor], Any] | Mapping[str, Callable[[torch.Tensor], Any]],
    *,
    x_range: tuple[float, float] = (-6, 6),
    label: str | None = None,
    ax: Axes | None = None,
    points: int = 601,
    label_side: Literal["right", "left"] = "right",
    **line_settings: Any,
) -> Axes:
    """One or several functions of one number, each named at the end of its line.

    Args:
        f: a function from a float32 tensor to values of the same shape, or several of them by name.
        x_range: first and last x.
        label: name of a single function; several have their names already.
        ax: axes to draw on; a new figure if none are given.
        points: how many values of x to take.
        label_side: the end of the lines at which the names stand: where the lines lie further apart.
        **line_settings: passed on to `Axes.plot`, e.g. `color=COLORS["gradient"]`.

    Returns:
        The axes.

    Raises:
        ValueError: if x_range is not increasing, or a function returns another shape.
    """
    low, high = x_range
    if not low < high:
        raise ValueError(f"x_range must be (low, high) with low < high, not {x_range}")
    functions = f if isinstance(f, Mapping) else {label: f}
    ax = plt.subplots()[1] if ax is None else ax
    x = torch.linspace(low, high, points)
    drawn = []
    for number, (name, function) in enumerate(functions.items()):
        with torch.no_grad():
            values = to_array(function(x.clone()))
        if values.shape != (points,):
            raise ValueError(
                f"{name or 'f'} got x of shape ({points},) and must return that shape, "
                f"but returned {values.shape}"
            )
        style = {"linestyle": _LINE_STYLES[number % len(_LINE_STYLES)], **line_settings}
        drawn += ax.plot(x.numpy(), values, label=name, **style)
    ax.set_xlabel(ax.get_xlabel() or "$z$")
    ax.set_xlim(low, high)
    if any(name is not None for name in functions):
        if label_side == "left":  # the names take the place of the ticks
            ax.yaxis.tick_right()
            ax.spines["left"].set_visible(False)
            ax.spines["right"].set_visible(True)
        label_lines(ax, lines=drawn, side=label_side)
    return ax


def plot_history(history: Any, *, metric: str = "loss", ax: Axes | None = None) -> Axes:
    """A metric over the epochs: on the training set and, where it was measured, on the validation set.

    Args:
        history: what `fit` returns, or a dict with "train" and perhaps "validation", each from the
            metric's name to one value for each epoch.
        metric: "loss", "accuracy" or another name in the history.
        ax: axes to draw on; a new figure if none are given.

    Returns:
        The axes.

    Raises:
        ValueError: if the history holds no such metric.
    """
    curves = {name: _curve(history, name, metric) for name in ("train", "validation")}
    curves = {name: values for name, values in curves.items() if len(values)}
    if not curves:
        known = sorted(set(_part(history, "train")) | set(_part(history, "validation")))
        raise ValueError(f"the history holds no {metric!r}; it holds {', '.join(known) or 'nothing yet'}")
    ax = plt.subplots()[1] if ax is None else ax
    palette = palette_of(ax)
    drawn = []
    for name, values in curves.items():
        marker = "o" if name == "train" else "s"
        drawn += ax.plot(
            np.arange(1, len(values) + 1),
            values,
            color=palette[name],
            linestyle="-" if name == "train" else "--",
            marker=marker if len(values) <= 30 else "",
            label={"train": "training"}.get(name, name),
        )
    ax.set(xlabel="epoch", ylabel=metric)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if metric in ("accuracy", "error"):
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1.0))
    label_lines(ax, lines=drawn)
    return ax


def _part(history: Any, name: str) -> Mapping[str, Sequence[float]]:
    part = history.get(name) if isinstance(history, Mapping) else getattr(history, name, None)
    return part or {}


def _curve(history: Any, name: str, metric: str) -> np.ndarray:
    values = to_array(_part(history, name).get(metric, ())).astype(float)
    if values.ndim != 1:
        raise ValueError(f"{name} {metric} must hold one number for each epoch, but has shape {values.shape}")
    return values


def plot_layers(
    series: Mapping[str, Sequence[float]],
    *,
    ax: Axes | None = None,
    ylabel: str = "gradient norm",
    log: bool = True,
    backward: bool = False,
) -> Axes:
    """A quantity layer by layer, for several named series, each named at the end of its line.

    On the logarithmic axis a value of exactly zero has no place: it is drawn as a hollow triangle at the
    lower edge, which the axis label explains.

    Args:
        series: name -> one value for each layer, from the first layer to the last.
        ax: axes to draw on; a new figure if none are given.
        ylabel: the quantity, with its unit if it has one.
        log: logarithmic y axis.
        backward: draw from the last layer to the first, the way a gradient travels; the names then stand
            at the first layer.

    Returns:
        The axes.

    Raises:
        ValueError: if there is no series, a series is not one-dimensional, or a value on a logarithmic
            axis is negative.
    """
    if not series:
        raise ValueError("plot_layers needs at least one series")
    arrays = {name: to_array(values).astype(float) for name, values in series.items()}
    for name, values in arrays.items():
        if values.ndim != 1 or not len(values):
            raise ValueError(f"{name} must hold one number for each layer, but has shape {values.shape}")
        if log and (values < 0).any():
            raise ValueError(f"{name} holds negative values, which a logarithmic axis cannot show")
    ax = plt.subplots()[1] if ax is None else ax
    positive = np.concatenate([values[np.isfinite(values) & (values > 0)] for values in arrays.values()])
    floor = (positive.min() if positive.size else 1.0) / 10
    drawn = []
    zeros_shown = False
    for number, (name, values) in enumerate(arrays.items()):
        layers = np.arange(1, len(values) + 1)
        is_zero = (values == 0) & log
        marker = CLASS_MARKERS[number % len(CLASS_MARKERS)]
        (line,) = ax.plot(layers, np.where(is_zero, np.nan, values), label=name, marker=marker, markersize=6)
        if is_zero.any():
            zeros_shown = True
            ax.plot(
                layers[is_zero],
                np.full(is_zero.sum(), floor),
                linestyle="none",
                marker="v",
                markersize=10,
                markerfacecolor=palette_of(ax)["ground"],
                markeredgecolor=line.get_color(),
                markeredgewidth=2,
                label="_zero",
            )
        drawn.append(line)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel="layer", ylabel=f"{ylabel} (▽ = 0)" if zeros_shown else ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if backward:
        ax.invert_xaxis()
    label_lines(ax, lines=drawn, side="right")
    return ax


def label_lines(
    ax: Axes, *, lines: Iterable[Line2D] | None = None, side: Literal["right", "left"] = "right"
) -> list[Annotation]:
    """Write each line's name beside its end, in its colour, moved apart so that no two overlap.

    Call it last: it goes by the limits, scales and size the axes have at that moment.

    Args:
        ax: axes with labelled lines.
        lines: the lines to name; all that have a label if not given.
        side: the end of the lines to write at.

    Returns:
        The labels, in the order of the lines.
    """
    if side not in ("right", "left"):
        raise ValueError(f"side must be 'right' or 'left', not {side!r}")
    named = [line for line in (ax.get_lines() if lines is None else lines) if _has_name(line)]
    ends = {line: end for line in named if (end := _visible_end(ax, line, side)) is not None}
    # Lines that end in the same point are named in the order they have on the way there.
    by_height = dict(sorted(ends.items(), key=lambda item: float(np.nanmean(item[0].get_ydata()))))
    labels = {line: _name(ax, line, end, side) for line, end in by_height.items()}
    if len(labels) > 1:
        _move_apart(ax, list(labels.values()), side)
    return [labels[line] for line in ends]


def _name(ax: Axes, line: Line2D, end: tuple[float, float], side: str) -> Annotation:
    """The name of a line at its end, with a leader that shows only where the name has to move away."""
    label = ax.annotate(
        str(line.get_label()),
        xy=end,
        xytext=(_NEAR if side == "right" else -_NEAR, 0),
        textcoords="offset points",
        ha="left" if side == "right" else "right",
        va="center",
        color=readable(line.get_color(), ax.get_facecolor()),
        fontweight="bold",
        annotation_clip=False,
        arrowprops={
            "arrowstyle": "-",
            "color": line.get_color(),
            "linewidth": 1.0,
            "shrinkA": 1,
            "shrinkB": 5,
            "relpos": (0 if side == "right" else 1, 0.5),
        },
    )
    label.arrow_patch.set_visible(False)
    return label


def _has_name(line: Line2D) -> bool:
    return line.get_visible() and bool(str(line.get_label())) and not str(line.get_label()).startswith("_")


def _visible_end(ax: Axes, line: Line2D, side: str) -> tuple[float, float] | None:
    """The last (or first) point of a line that is a number and lies inside the axes, in data units."""
    data = np.column_stack([np.asarray(part, dtype=float) for part in line.get_data()])
    data = data[np.isfinite(data).all(axis=1)]
    (x_low, x_high), (y_low, y_high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    inside = (data[:, 0] >= x_low) & (data[:, 0] <= x_high) & (data[:, 1] >= y_low) & (data[:, 1] <= y_high)
    data = data[inside]
    if not len(data):
        return None
    at_largest_x = (side == "right") != ax.xaxis_inverted()
    x, y = data[data[:, 0].argmax() if at_largest_x else data[:, 0].argmin()]
    return float(x), float(y)


def _move_apart(ax: Axes, labels: list[Annotation], side: str) -> None:
    """Shift labels up or down, as little as possible, until they are a line height apart."""
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # the layout must have made room before positions mean anything
    boxes = [Text.get_window_extent(label) for label in labels]
    middles = np.array([(box.y0 + box.y1) / 2 for box in boxes])
    gap = 1.08 * max(box.height for box in boxes)
    frame = ax.get_window_extent()
    shifts = spread(middles, gap, frame.y0, frame.y1) - middles
    has_leader = np.abs(shifts) > 0.7 * gap
    distance = _FAR if has_leader.any() else _NEAR
    for label, shift, leads in zip(labels, shifts, has_leader, strict=True):
        label.set_position((distance if side == "right" else -distance, shift * 72 / figure.dpi))
        label.arrow_patch.set_visible(bool(leads))


def spread(wanted: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Positions at least `gap` apart that move the wanted ones as little as possible (least squares).

    Subtracting `gap` times its rank from each turns "at least a gap apart" into "not decreasing":
    isotonic regression, solved by pooling neighbours that are in the wrong order.

    Args:
        wanted: positions, shape (N,), in any order.
        gap: smallest distance between two positions.
        low: no position below this, as long as there is room.
        high: no position above this, as long as there is room.

    Returns:
        The new positions, shape (N,), in the order of the wanted ones; ties keep their order.
    """
    order = np.argsort(wanted, kind="stable")
    ranks = np.arange(len(wanted))
    pools: list[tuple[float, int]] = []  # mean and size of each run of positions that move together
    for value in np.asarray(wanted, dtype=float)[order] - gap * ranks:
        mean, size = float(value), 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    level = np.clip(level, low, max(low, high - gap * (len(wanted) - 1)))
    result = np.empty(len(wanted))
    result[order] = level + gap * ranks
    return result
