"""One point moves, and each loss answers in its own way (lesson 05): the lines, and the pull of every point.

Ten points lie around a line. One of them, whichever, can be moved; the line ŷ = ax + b that makes the chosen
loss smallest is found anew, exactly: in closed form for MSE, by trying every line through two points for
MAE, by Newton's method with an exact line search for Huber.

The pull of a point is minus the slope of its own loss with respect to the prediction: which way, and how
strongly, it draws the line. 2r for MSE, the sign of r for MAE, r cut at ±δ for Huber, with r = y − ŷ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    colors,
    css,
    esm,
    number,
    short,
    show,
    still_png,
)

Line = tuple[float, float]

# Around y = 2.3 + 0.46x; fixed numbers, so that every learner sees the same points.
POINTS: tuple[tuple[float, float], ...] = (
    (0.5, 2.2), (1.5, 3.3), (2.5, 3.1), (3.5, 3.7), (4.5, 4.1),
    (5.5, 4.5), (6.5, 5.3), (7.5, 5.5), (8.5, 5.7), (9.5, 6.2),
)  # fmt: skip

X_RANGE, Y_RANGE = (0.0, 10.0), (-5.0, 12.0)

LOSSES: dict[str, str] = {"mse": "MSE", "mae": "MAE", "huber": "Huber"}
"""The word that the controls use -> the name for people."""

# Residuals this small are rounding: the point lies on the line.
ON_THE_LINE = 1e-9

# How far the axis of pulls goes: MSE's is fixed, the others' follows their largest possible pull.
_MSE_PULL = 20.0

DECLARATION = Declaration(
    name="outlier",
    title="An outlier and three losses",
    controls=(
        Choice("loss", "Loss", tuple(LOSSES.items()), "mse", style="radio"),
        Choice("compare", "Compare with", (("none", "no other"), *LOSSES.items()), "none"),
        Slider("point", "Point that moves", 1, len(POINTS), 1, len(POINTS)),
        Slider("x", "x", *X_RANGE, 0.1, POINTS[-1][0], inline=True),
        Slider("y", "y", *Y_RANGE, 0.1, POINTS[-1][1], inline=True),
        Action("home", "Put it back", "Back to its place among the others"),
        Slider("delta", "Huber's δ", 0.1, 8.0, 0.1, 1.0),  # only there while Huber's line is
    ),
    presets=(
        Preset("Wrong at the end", {"point": 10, "x": 9.5, "y": -1.0, "loss": "mse", "compare": "huber"}),
        Preset("Wrong in the middle", {"point": 5, "x": 4.5, "y": 11.0, "loss": "mse", "compare": "mae"}),
    ),
    goals=(
        Goal(
            "still",
            "MAE: move a point by 3 or more without moving the line at all.",
            "MAE asks on which side a point lies, not how far away.",
        ),
        Goal(
            "alike",
            "Put Huber's line exactly on MSE's while a point is 4 or more away from it.",
            "With δ above every distance, Huber is MSE (times a half).",
        ),
        Goal(
            "flip",
            "Show MSE and MAE. Turn the line of MSE downhill with one point; MAE's slope stays within 0.05.",
            "One point in ten turned MSE's line round; MAE hardly noticed.",
            challenge=True,
        ),
    ),
    width=640,
    height=660,
    pointer_hint="Drag any point. Only one is away from home: take another, and the first goes back.",
)

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ fitting a line
def fit(loss: str, points: Sequence[Sequence[float]], delta: float = 1.0) -> Line:
    """Return slope and intercept of the line with the smallest loss.

    Args:
        loss: "mse", "mae" or "huber".
        points: (x, y), at least two of them with different x.
        delta: where Huber turns from a square into a straight line.

    Where several lines are equally good (with MAE that happens), the middle of those through two points is
    taken; it is equally good, since all the best lines form a convex set.

    Raises:
        ValueError: if there is no such loss, or all x are the same.
    """
    if loss not in LOSSES:
        raise ValueError(f"there is no loss {loss!r}; there are {list(LOSSES)}")
    if len({x for x, _ in points}) < 2:
        raise ValueError("a line needs two points with different x")
    if loss == "mse":
        return _least_squares(points)
    if loss == "mae":
        return _least_absolute(points)
    return _least_huber(points, delta)


def _least_squares(points: Sequence[Sequence[float]]) -> Line:
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    spread = sum((x - mean_x) * (x - mean_x) for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope, mean_y - slope * mean_x


def _least_absolute(points: Sequence[Sequence[float]]) -> Line:
    # Among the best lines there is always one through two of the points.
    lines = []
    for (x0, y0), (x1, y1) in itertools.combinations(points, 2):
        if x0 != x1:
            slope = (y1 - y0) / (x1 - x0)
            lines.append((slope, y0 - slope * x0))
    totals = [sum(abs(y - a * x - b) for x, y in points) for a, b in lines]
    enough = min(totals) + ON_THE_LINE
    best = [line for line, total in zip(lines, totals, strict=True) if total <= enough]
    # The same line may go through several pairs; it counts once.
    apart: list[Line] = []
    for a, b in best:
        if all(abs(a - c) > ON_THE_LINE or abs(b - d) > ON_THE_LINE for c, d in apart):
            apart.append((a, b))
    return sum(a for a, _ in apart) / len(apart), sum(b for _, b in apart) / len(apart)


def _least_huber(points: Sequence[Sequence[float]], delta: float) -> Line:
    a, b = _least_squares(points)
    for _ in range(200):
        residuals = [y - a * x - b for x, y in points]
        inner = [(x, abs(r) <= delta) for (x, _), r in zip(points, residuals, strict=True)]
        ga = sum(x * _clip(r, delta) for (x, _), r in zip(points, residuals, strict=True))
        gb = sum(_clip(r, delta) for r in residuals)
        if abs(ga) + abs(gb) < 1e-11:
            break
        # Newton's equations from the points on the curved part; the small term keeps them solvable where
        # fewer than two are.
        tiny = 1e-7
        saa = tiny + sum(x * x for x, curved in inner if curved)
        sab = sum(x for x, curved in inner if curved)
        sbb = tiny + sum(1 for _, curved in inner if curved)
        determinant = saa * sbb - sab * sab
        da, db = (sbb * ga - sab * gb) / determinant, (saa * gb - sab * ga) / determinant
        step = _best_step(points, residuals, da, db, delta)
        if step * (abs(da) + abs(db)) < 1e-15:
            break
        a, b = a + step * da, b + step * db
    return a, b


def _clip(r: float, delta: float) -> float:
    return max(-delta, min(delta, r))


def _best_step(
    points: Sequence[Sequence[float]], residuals: Sequence[float], da: float, db: float, delta: float
) -> float:
    """Return the t ≥ 0 with the smallest loss along (a, b) + t·(da, db).

    The slope along t is continuous, piecewise linear and never falls; its bends are where a residual passes
    ±delta. So the stretch on which it passes 0 is found first, then the place by proportion.
    """
    moves = [da * x + db for x, _ in points]

    def slope(t: float) -> float:
        return -sum(_clip(r - t * d, delta) * d for r, d in zip(residuals, moves, strict=True))

    bends = sorted(
        t
        for r, d in zip(residuals, moves, strict=True)
        if d != 0
        for t in ((r - delta) / d, (r + delta) / d)
        if t > 0
    )
    low, at_low = 0.0, slope(0.0)
    if at_low >= 0:
        return 0.0
    for t in bends:
        at_t = slope(t)
        if at_t >= 0:
            return low + (t - low) * at_low / (at_low - at_t)
        low, at_low = t, at_t
    return low


def pull(loss: str, residual: float, delta: float) -> float:
    """Return how strongly a point draws the line upwards: minus the slope of its loss with respect to ŷ.

    ``residual`` is y − ŷ. A point on the line pulls with 0 (torch's choice for MAE, whose slope jumps there).
    """
    if abs(residual) < ON_THE_LINE:
        return 0.0
    if loss == "mse":
        return 2 * residual
    return math.copysign(1.0, residual) if loss == "mae" else _clip(residual, delta)


# ------------------------------------------------------------------ what the controls give
def compute(loss: str, compare: str, delta: float, point: int, x: float, y: float) -> dict[str, Any]:
    """Return the points, the fitted lines and the pulls.

    Keys: ``points``; ``lines``, [slope, intercept] of each shown loss; ``home``, the same with every point
    in its place; ``residuals`` and ``pulls`` under the chosen loss; ``moved``, how far the point is from
    its place; ``reach``, where the axis of pulls ends.
    """
    index = int(point) - 1
    points = [list(p) for p in POINTS]
    points[index] = [x, y]
    shown = [loss] if compare in ("none", loss) else [loss, compare]
    lines = {name: list(fit(name, points, delta)) for name in shown}
    a, b = lines[loss]
    residuals = [py - a * px - b for px, py in points]
    return {
        "points": points,
        "lines": lines,
        "home": {name: list(fit(name, POINTS, delta)) for name in shown},
        "residuals": residuals,
        "pulls": [pull(loss, r, delta) for r in residuals],
        "moved": math.dist(points[index], POINTS[index]),
        "reach": {"mse": _MSE_PULL, "mae": 1.4}.get(loss, 1.4 * delta),
    }


def equation(line: Sequence[float]) -> str:
    """Return "ŷ = 0.46x + 2.31"."""
    a, b = line
    sign = "−" if number(b).startswith("−") else "+"
    return f"ŷ = {number(a)}x {sign} {number(abs(b))}"


def describe(loss: str, compare: str, delta: float, point: int, x: float, y: float) -> str:
    """Return the sentence: the line, how strongly the point pulls, and what the other loss says."""
    state = compute(loss, compare, delta, point, x, y)
    index = int(point) - 1
    r, own = state["residuals"][index], state["pulls"][index]
    others = max(abs(p) for k, p in enumerate(state["pulls"]) if k != index)
    name = f"Huber (δ = {short(delta)})" if loss == "huber" else LOSSES[loss]
    parts = [f"{name}: slope {number(state['lines'][loss][0])}{_was(state, loss)}."]
    if own == 0:
        parts.append(f"Point {int(point)} lies on the line, which it helps to hold.")
    else:
        way, side = ("up", "above") if own > 0 else ("down", "below")
        parts.append(
            f"Point {int(point)}, {number(abs(r))} {side} the line, pulls {way} with {number(abs(own))}; "
            f"the strongest other pulls with {number(others)}."
        )
    if compare == loss:
        parts.append("Compare it with another loss.")
    elif compare != "none":
        parts.append(f"{LOSSES[compare]}: slope {number(state['lines'][compare][0])}{_was(state, compare)}.")
    return " ".join(parts)


def _was(state: dict[str, Any], name: str) -> str:
    now, before = number(state["lines"][name][0]), number(state["home"][name][0])
    return "" if now == before else f", was {before}"


# ------------------------------------------------------------------ pictures
def looks() -> dict[str, str]:
    """Return the colour of each loss's line."""
    palette = colors()
    return {"mse": palette["class0"], "mae": palette["class1"], "huber": palette["accent"]}


def draw(figure: Figure, loss: str, compare: str, delta: float, point: int, x: float, y: float) -> None:
    """Draw the points with the lines, and beside them the pull of every point as an arrow."""
    state = compute(loss, compare, delta, point, x, y)
    palette, look = colors(), looks()
    plane, pulls = figure.subplots(1, 2, width_ratios=(5, 4))
    a0, b0 = state["home"][loss]
    ends = list(X_RANGE)
    plane.plot(ends, [a0 * e + b0 for e in ends], ":", color=palette["muted"], linewidth=2, label="before")
    for name, (a, b) in reversed(state["lines"].items()):
        style = "-" if name == loss else (0, (5, 2))
        words = f"{LOSSES[name]}: {equation((a, b))}"
        plane.plot(
            ends, [a * e + b for e in ends], linestyle=style, color=look[name], linewidth=3, label=words
        )
    a, b = state["lines"][loss]
    index = int(point) - 1
    for k, (px, py) in enumerate(state["points"]):
        plane.plot([px, px], [a * px + b, py], color=palette["muted"], linewidth=1.2, zorder=1)
        plane.plot(px, py, "o", markersize=9, color=palette["text"], markeredgecolor="white", zorder=5)
        paint = palette["wrong"] if k == index else look[loss]
        if state["pulls"][k]:
            tip = max(-state["reach"], min(state["reach"], state["pulls"][k]))
            arrow = {
                "arrowstyle": "-|>",
                "color": paint,
                "lw": 2.5,
                "mutation_scale": 13,
                "shrinkA": 0,
                "shrinkB": 0,
            }
            pulls.annotate("", (px, tip), (px, 0), arrowprops=arrow, zorder=4)
        else:
            pulls.plot(px, 0, "o", markersize=5, color=paint, zorder=4)
    plane.plot(
        x, y, "o", markersize=17, color=palette["wrong"], fillstyle="none", markeredgewidth=2.5, zorder=6
    )
    plane.set(xlim=X_RANGE, ylim=Y_RANGE, xlabel="x", ylabel="y")
    plane.legend(loc="upper left" if y < 6 else "lower left", fontsize=12)
    slope = number(state["lines"][loss][0])
    plane.set_title(f"{LOSSES[loss]}: slope {slope}{_was(state, loss)}")
    pulls.axhline(0, color=palette["text"], linewidth=1.2)
    pulls.set(xlim=X_RANGE, ylim=(-state["reach"], state["reach"]), xlabel="x", ylabel="pull")
    pulls.set_title(f"Point {int(point)} pulls with {number(abs(state['pulls'][index]), 1)}")


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: the points, the ranges, names and colours."""
    return {"points": POINTS, "x": X_RANGE, "y": Y_RANGE, "losses": LOSSES, "looks": looks()}


class OutlierExplorer(Explorer):
    """The live widget of :func:`outlier`."""

    _esm = esm("outlier.js")
    _css = css()


# What the stored picture shows: one wrong point at the end, the line of MSE bent, that of MAE not.
STILL = {"loss": "mse", "compare": "mae", "delta": 1.0, "point": 10, "x": 9.5, "y": -3.0}


def outlier() -> None:
    """Show the explorer: move a point away from the line and see what each loss makes of it."""
    show(
        OutlierExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.8, 4.4), **STILL),
        describe(**STILL),
    )
