"""The contest replayed (lesson 16): generator and discriminator in one dimension, frame by frame.

The lesson records frames while its own two networks train, and hands them over. What can be measured in a
frame is measured here, once: how far the densities overlap, how far the discriminator is from the best one
for these densities, and which way each made value is pushed. The browser only draws.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Slider,
    Switch,
    colors,
    css,
    esm,
    handed_over,
    number,
    show,
    still_png,
)

MOST_FRAMES = 500
MOST_POINTS = 500  # of the grid
ARROWS = 9  # made values whose push is shown
NEAR = 0.1  # a discriminator this near the best one, on average, follows it
POORER = 0.2  # so much less overlap than in the best frame is clearly poorer
ALIKE = 0.1  # a generator's loss above the best frame's by less than this is about as low


# ------------------------------------------------------------------ what the lesson hands over
def prepare(frames: Sequence[Mapping[str, Any]], grid: Any = None, p_data: Any = None) -> dict[str, Any]:
    """Check the frames, measure each, and return them as plain data.

    Args:
        frames: one mapping for each moment recorded, in the order of their steps, each with

            - ``"step"``: the number of steps so far, an integer;
            - ``"p_model"``: (G,) density of the made values on the grid;
            - ``"discriminator"``: (G,) the discriminator's D(x) on the grid, **probabilities**, not logits;
            - ``"loss_d"`` and ``"loss_g"``: the two losses at this step; leave them out or give None or NaN
              where there is none yet.

            Lists, arrays and tensors are taken; 2 to 500 frames.
        grid: (G,) increasing places x, 3 ≤ G ≤ 500. May stand in the first frame as ``"grid"`` instead.
        p_data: (G,) density of the data on the grid. May stand in the first frame as ``"p_data"`` instead.

    Returns:
        ``grid``, ``p_data``, ``spread`` (standard deviation of the data) and ``frames``, each with what it
        was given and: ``best`` (G,) the best discriminator, ``overlap`` of the two densities, ``real`` and
        ``fake`` (mean D over data and over made values), ``off`` (mean distance of D from the best
        one), ``samples`` and ``push`` (nine made values and the slope of log D there). What cannot be
        measured, since no made value lies on the grid, is None or empty.

    Raises:
        ValueError: if something is missing, has another shape, is no finite number, is negative where it
            must not be, or if D is not between 0 and 1. The message says what and in which frame.
    """
    frames = list(frames) if isinstance(frames, Iterable) and not isinstance(frames, Mapping) else []
    if not 2 <= len(frames) <= MOST_FRAMES or not all(isinstance(frame, Mapping) for frame in frames):
        raise ValueError(f"contest: frames must be a list of 2 to {MOST_FRAMES} dictionaries, one a moment")
    x = _line(frames[0].get("grid") if grid is None else grid, "grid")
    if not 3 <= len(x) <= MOST_POINTS or not (np.diff(x) > 0).all():
        raise ValueError(f"contest: the grid must hold 3 to {MOST_POINTS} increasing places")
    data = _line(frames[0].get("p_data") if p_data is None else p_data, "p_data", like=x, low=0)
    if _area(data, x) <= 0:
        raise ValueError("contest: p_data is zero everywhere on the grid")
    steps = [_step(frame, k) for k, frame in enumerate(frames)]
    if any(after <= before for before, after in itertools.pairwise(steps)):
        raise ValueError("contest: the steps of the frames must increase")
    middle = _area(data * x, x) / _area(data, x)
    return {
        "grid": x.tolist(),
        "p_data": data.tolist(),
        "spread": math.sqrt(_area(data * (x - middle) ** 2, x) / _area(data, x)),
        "frames": [_frame(frame, k, x, data) | {"step": steps[k]} for k, frame in enumerate(frames)],
    }


def _line(values: Any, name: str, *, like: np.ndarray | None = None, low: float = -math.inf) -> np.ndarray:
    """Return numbers as a float64 array (G,), in five digits: more cannot be seen."""
    if values is None:
        raise ValueError(
            f"contest: there is no {name}: give {name}=…, or put it into the first frame"
            if name in ("grid", "p_data")
            else f"contest: there is no {name}"
        )
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"contest: {name} must hold numbers") from None
    if array.ndim != 1 or (like is not None and array.shape != like.shape):
        wanted = "(G,)" if like is None else f"({len(like)},), as the grid has"
        raise ValueError(f"contest: {name} must have shape {wanted}, not {array.shape}")
    if not np.isfinite(array).all() or (array < low).any():
        what = "NaN or infinity" if not np.isfinite(array).all() else "a number below zero"
        raise ValueError(f"contest: {name} holds {what}")
    return np.array([float(f"{value:.5g}") for value in array])


def _step(frame: Mapping[str, Any], k: int) -> int:
    try:
        return int(frame["step"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f'contest: frame {k} needs a whole number as its "step"') from None


def _loss(frame: Mapping[str, Any], name: str, k: int) -> float | None:
    value = frame.get(name)
    try:
        value = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        raise ValueError(f"contest: {name} of frame {k} must be one number") from None
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _area(heights: np.ndarray, x: np.ndarray) -> float:
    return float(((heights[1:] + heights[:-1]) / 2 * np.diff(x)).sum())


def _frame(frame: Mapping[str, Any], k: int, x: np.ndarray, p_data: np.ndarray) -> dict[str, Any]:
    model = _line(frame.get("p_model"), f"p_model of frame {k}", like=x, low=0)
    says = _line(frame.get("discriminator"), f"discriminator of frame {k}", like=x)
    if says.min() < 0 or says.max() > 1:
        raise ValueError(
            f"contest: the discriminator of frame {k} goes from {says.min():.3g} to {says.max():.3g}; "
            "it must hold probabilities between 0 and 1: sigmoid(logits)"
        )
    both = p_data + model
    # Where neither has density, any answer is as good as any other: we draw one half.
    best = np.divide(p_data, both, out=np.full_like(both, 0.5), where=both > 0)
    there = _area(model, x) > 1e-9
    samples = _quantiles(model, x) if there else []
    return {
        "p_model": model.tolist(),
        "discriminator": says.tolist(),
        "best": best.tolist(),
        "loss_d": _loss(frame, "loss_d", k),
        "loss_g": _loss(frame, "loss_g", k),
        "overlap": min(1.0, _area(np.minimum(p_data, model), x) / _area(p_data, x)),
        "real": _area(p_data * says, x) / _area(p_data, x),
        "fake": _area(model * says, x) / _area(model, x) if there else None,
        "off": _area(both * np.abs(says - best), x) / _area(both, x),
        "samples": samples,
        "push": [_push(place, says, x) for place in samples],
    }


def _quantiles(density: np.ndarray, x: np.ndarray) -> list[float]:
    """Return values that cut the density into parts of equal area: they stand for made samples."""
    sums = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
    return np.interp((np.arange(ARROWS) + 0.5) / ARROWS * sums[-1], sums, x).tolist()


def _push(place: float, says: np.ndarray, x: np.ndarray) -> float:
    """Return the slope of log D: the way in which the non-saturating loss pushes a made value."""
    i = int(np.clip(np.searchsorted(x, place) - 1, 0, len(x) - 2))
    slope = (says[i + 1] - says[i]) / (x[i + 1] - x[i])
    return float(slope / max(float(np.interp(place, x, says)), 1e-3))


# ------------------------------------------------------------------ one frame in words
def percent(share: float) -> str:
    """Return a share as a whole percentage: "83%"."""
    return f"{number(100 * share, 0)}%"


def describe(data: Mapping[str, Any], frame: int, best: bool = False, **_: Any) -> str:
    """Return in words how the contest stands in a frame, counted from 0."""
    one = data["frames"][int(frame)]
    parts = [f"Step {one['step']}: the densities overlap by {percent(one['overlap'])}."]
    if one["fake"] is None:
        parts.append("No made value lies in the picture.")
    else:
        parts.append(
            f"On average the discriminator gives real values {number(one['real'])} "
            f"and made ones {number(one['fake'])}."
        )
    if one["loss_d"] is not None and one["loss_g"] is not None:
        parts.append(f"Losses: discriminator {number(one['loss_d'])}, generator {number(one['loss_g'])}.")
    if best:
        parts.append(f"On average it is {number(one['off'])} away from the best discriminator.")
    return " ".join(parts)


def heights(data: Mapping[str, Any]) -> float:
    """Return the top of the density axis: at most 1.8 times the highest density of the data, and some air.

    A generator that has collapsed makes a needle; to show all of it would make everything else flat.
    """
    highest = max(max(frame["p_model"]) for frame in data["frames"])
    data_top = max(data["p_data"])
    return 1.1 * min(max(highest, data_top), 1.8 * data_top)


# ------------------------------------------------------------------ the still
def draw(figure: Figure, data: Mapping[str, Any], shown: Sequence[int]) -> None:
    """Draw a few frames side by side: densities above, the discriminator below."""
    palette, x = colors(), data["grid"]
    upper, lower = figure.subplots(2, len(shown), sharex=True, squeeze=False, height_ratios=[1.5, 1])
    for column, k in enumerate(shown):
        one, axes, under = data["frames"][k], upper[column], lower[column]
        _filled(axes, x, data["p_data"], palette["class0"], "data")
        _filled(axes, x, one["p_model"], palette["class1"], "made")
        axes.set(ylim=(0, heights(data)), xlim=(x[0], x[-1]))
        axes.set_title(f"Step {one['step']}: overlap {percent(one['overlap'])}", fontsize="medium")
        under.axhline(0.5, color=palette["muted"], linewidth=1, linestyle=":")
        under.plot(x, one["best"], color=palette["muted"], linestyle=(0, (4, 2)), label="the best")
        under.plot(x, one["discriminator"], color=palette["accent"], label="its D(x)")
        under.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], xlabel="x")
        for ax in (axes, under):
            ax.label_outer()
    upper[0].set_ylabel("density")
    lower[0].set_ylabel("D(x)")
    # The key stands below everything: on a curve that is not known beforehand there is no safe corner.
    handles = [*upper[0].get_legend_handles_labels()[0], *lower[0].get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=12)


def _filled(axes: Axes, x: Sequence[float], y: Sequence[float], color: str, label: str) -> None:
    axes.fill_between(x, y, color=color, alpha=0.22, linewidth=0)
    axes.plot(x, y, color=color, label=label)


# ------------------------------------------------------------------ the explorer
def marks(data: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers that the goals ask for, so that each can be reached in this record.

    ``overlap``: in twentieths, below the greatest. ``poor`` and ``loss``: the greatest overlap that counts
    as poor, and a loss of the generator a little above that in the best frame; None if no poor frame but
    the first, where the explorer starts, has a lower loss.
    """
    frames = data["frames"]
    best = max(frames, key=lambda frame: frame["overlap"])
    poor = math.floor(20 * (best["overlap"] - POORER) + 1e-9) / 20
    # In two digits, as the goal's words give it.
    loss = None if best["loss_g"] is None else round(best["loss_g"] + ALIKE, 2)
    cheap = [
        frame
        for frame in frames[1:]
        if frame["loss_g"] is not None and loss is not None and frame["overlap"] < poor
        and frame["loss_g"] < loss
    ]  # fmt: skip
    return {
        "overlap": math.floor(20 * best["overlap"] + 1e-9) / 20,
        "poor": poor if cheap else None,
        "loss": loss if cheap else None,
    }


def declaration(data: Mapping[str, Any]) -> Declaration:
    """Return the controls for a record of this length, and goals that it can meet."""
    last, mark = len(data["frames"]) - 1, marks(data)
    goals = [Goal("end", "Follow the contest to its last frame.", "The last frame.")]
    if any(frame["off"] < NEAR for frame in data["frames"]):
        goals.append(
            Goal(
                "follows",
                f"Show the best discriminator, and find a frame with D within {number(NEAR, 1)} of it.",
                "D can be read from the two densities: it is the data's share of what is there.",
            )
        )
    cheap = mark["poor"] is not None and mark["loss"] is not None
    if mark["overlap"]:
        words = f"Find a frame in which the densities overlap by {percent(mark['overlap'])} or more."
        # There is always one challenge: this one, where the record has no poor frame with a low loss.
        goals.append(Goal("overlap", words, "About as near as this generator came.", challenge=not cheap))
    if cheap:
        goals.append(
            Goal(
                "cheap",
                f"Find a frame after the first whose overlap is below {percent(mark['poor'])}, though the "
                f"generator's loss is below {number(mark['loss'])}, hardly above its loss in the best frame.",
                "About the same loss and a poorer generator: a loss in a contest tells how well one does "
                "against the other, not how good the samples are.",
                challenge=True,
            )
        )
    return Declaration(
        name="contest",
        title="The contest, frame by frame",
        controls=(
            Slider("frame", "Frame", 0, last, 1, 0),
            Action("back", "◀ Back"),
            Action("play", "Play"),
            Action("step", "Step ▶"),
            Choice("speed", "Speed", ("slow", "normal", "fast"), "normal", style="radio"),
            Switch("push", "Where made values are pushed", True),
            Switch("best", "The best discriminator", False),
        ),
        goals=tuple(goals),
        width=640,
        height=580,
        pointer_hint="Click or drag in the picture of the losses to go to a step.",
    )


def browser_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with the numbers that axes and goals need."""
    return {**data, "top": heights(data), "marks": marks(data), "near": NEAR}


class ContestExplorer(Explorer):
    """The live widget of :func:`contest`."""

    _esm = esm("contest.js")
    _css = css()


def contest(frames: Sequence[Mapping[str, Any]], grid: Any = None, p_data: Any = None) -> None:
    """Show a GAN in one dimension, frame by frame, as the learner's own loop recorded it.

    In the loop, every so many steps, with ``grid`` of shape (G,)::

        frames.append({"step": step, "p_model": density_of_samples, "discriminator": D(grid).sigmoid(),
                       "loss_d": loss_d, "loss_g": loss_g})

    and afterwards ``explore.contest(frames, grid=grid, p_data=p_data)``. Arguments and errors are those of
    :func:`prepare`.
    """
    data = prepare(frames, grid, p_data)
    last = len(data["frames"]) - 1
    shown = sorted({0, last // 3, last}) if last > 1 else [0, last]
    live = ContestExplorer(declaration(data), browser_data(data))
    still = still_png(draw, size=(9.6, 4.6), data=data, shown=shown)
    given = ("step", "p_model", "discriminator", "loss_d", "loss_g")  # the rest is measured from these
    call = handed_over(
        "contest",
        frames=[{key: frame[key] for key in given} for frame in data["frames"]],
        grid=data["grid"],
        p_data=data["p_data"],
    )
    show(live, still, " ".join(describe(data, k) for k in shown), call=call)
