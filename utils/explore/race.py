"""Seven optimizers race down one surface (lesson 07): their paths, their losses, and how each one ended.

A run has 200 steps at most. Every optimizer follows ``torch.optim`` to the last digits of float64; the only
thing added is that a run stops once it is more than 100 away from the origin: it has diverged. An optimizer
has *arrived* at the first step from which on it stays within 0.05 of a minimum up to step 200.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    Switch,
    colors,
    css,
    esm,
    number,
    short,
    show,
    still_png,
)
from utils.explore.surfaces import SURFACES, WINDOW, Surface

STEPS = 200  # of a run
FAR = 100.0  # a run that gets further from the origin has diverged and is stopped
NEAR = 0.05  # so near to a minimum an optimizer has arrived
PAUSE, CREEP = 20, 0.02  # who stays within this for so many steps hardly moves
LARGEST = 1e12  # losses are cut off here, far above the picture

OPTIMIZERS: dict[str, str] = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "adagrad": "Adagrad",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "adamw": "AdamW",
}
"""The word that the controls use -> the name for people."""

USUAL_BETA: dict[str, float] = {
    "momentum": 0.9,
    "nesterov": 0.9,
    "rmsprop": 0.99,
    "adam": 0.9,
    "adamw": 0.9,
}
"""Momentum, α of RMSProp and β₁ of Adam where the slider does not set them: the usual ones."""

GRID: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The learning rates among which :data:`BEST` was chosen."""

# Of the rates in GRID, with the usual β, that keep the path inside the picture: the one that arrives first at
# a lowest minimum; where none does, at a higher one; where none does that, the one that ends nearest to a
# lowest. From the surface's own start, on the saddle from beside the ridge. See best_rates, with which tests
# compare this table.
BEST: dict[str, dict[str, float]] = {
    surface: dict(zip(OPTIMIZERS, rates, strict=True))
    for surface, rates in {
        # SGD, Momentum, Nesterov, Adagrad, RMSProp, Adam, AdamW
        "ravine": (0.05, 0.05, 0.02, 1.0, 0.1, 0.2, 1.0),
        "turned": (0.05, 0.05, 0.05, 1.0, 0.05, 1.0, 1.0),
        "saddle": (0.5, 0.05, 0.5, 1.0, 0.1, 0.5, 1.0),
        "rosenbrock": (0.002, 0.002, 0.001, 1.0, 0.1, 1.0, 1.0),
        "beale": (0.02, 0.005, 0.005, 1.0, 0.2, 0.5, 0.5),
        "plateau": (1.0, 0.5, 0.5, 0.5, 0.02, 1.0, 1.0),
        "two_minima": (0.2, 0.05, 0.1, 1.0, 0.1, 1.0, 1.0),
    }.items()
}

_SHAPES = {
    "sgd": "o", "momentum": "s", "nesterov": "D", "adagrad": "^", "rmsprop": "v", "adam": "p", "adamw": "*",
}  # fmt: skip

_FIRST = SURFACES["ravine"]
_ALL_ON = dict.fromkeys(OPTIMIZERS, True)


def _at(name: str) -> dict[str, Any]:
    """The controls that go with a surface: its start, and a rate at which plain SGD is safe."""
    surface = SURFACES[name]
    return {"surface": name, "x": surface.start[0], "y": surface.start[1], "lr": surface.log_lr}


DECLARATION = Declaration(
    name="race",
    title="Optimizers race downhill",
    controls=(
        Choice("surface", "Surface", tuple((s.name, s.label) for s in SURFACES.values()), "ravine"),
        Slider("lr", "Learning rate lr", -4.0, 1.0, 0.02, _FIRST.log_lr, log=True),
        Slider("beta", "Momentum β", 0.0, 0.99, 0.01, 0.9),
        Choice(
            "steer",
            "lr and β apply to",
            (
                ("all", "all that run"),
                *((name, f"{label} only") for name, label in OPTIMIZERS.items()),
                ("none", "none: each its best"),
            ),
            "all",
        ),
        *(Switch(name, label, name in ("sgd", "momentum")) for name, label in OPTIMIZERS.items()),
        Slider("steps", "Steps", 0, STEPS, 1, 50),
        Action("play", "Play", "Takes the steps one after another"),
        Action("step", "Step", "One step more"),
        Action("rewind", "Rewind", "Back to step 0"),
        Slider("x", "Start x", WINDOW[0][0], WINDOW[0][1], 0.05, _FIRST.start[0], inline=True),
        Slider("y", "Start y", WINDOW[1][0], WINDOW[1][1], 0.05, _FIRST.start[1], inline=True),
    ),
    presets=(
        Preset("Ravine race", {**_at("ravine"), **_ALL_ON, "lr": -2.0, "steer": "all", "steps": 100}),
        Preset("Turned race", {**_at("turned"), **_ALL_ON, "steer": "none", "steps": 100}),
        Preset("Rosenbrock race", {**_at("rosenbrock"), **_ALL_ON, "steer": "none", "steps": 200}),
    ),
    goals=(
        Goal(
            "diverge",
            "Ravine: find the smallest learning rate at which SGD diverges.",
            "SGD diverges past lr = 2/25 = 0.08: 2 divided by the largest curvature.",
        ),
        Goal(
            "saddle",
            "Saddle: at y = 0 nobody gets away. Start within 0.1 of it and reach a minimum.",
            "Off the saddle. The slope sideways is tiny at first and grows step by step.",
        ),
        Goal(
            "both",
            "Two minima: bring one optimizer from one start into both, one after the other.",
            "Both minima from one start: which one you find depends on lr and β, too.",
        ),
        Goal(
            "fast",
            "Ravine: reach the minimum in under 50 steps from the first start. SGD needs 54 at its best.",
            "Under 50 steps. More momentum is not always faster.",
            challenge=True,
        ),
    ),
    width=640,
    height=680,
    pointer_hint=(
        "Click or drag to move the start. ◎ minimum, ○ a higher one, × saddle. ✓ step of arrival, ✗ diverged."
    ),
)

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ the optimizers
def run(
    surface: Surface,
    optimizer: str,
    start: tuple[float, float],
    lr: float,
    beta: float = 0.9,
    steps: int = STEPS,
    *,
    far: float = math.inf,
) -> list[tuple[float, float]]:
    """Return the points (x, y) that an optimizer visits, its start first, as ``torch.optim`` computes them.

    Args:
        surface: what to go down.
        optimizer: one of :data:`OPTIMIZERS`.
        start: (x, y).
        lr: the learning rate.
        beta: momentum of ``momentum`` and ``nesterov``, α of ``rmsprop``, β₁ of ``adam`` and ``adamw``
            (β₂ is 0.999, AdamW's decay 0.01); ``sgd`` and ``adagrad`` have none and ignore it.
        steps: how many; fewer come back if a number stops being finite.
        far: the run ends with the first point that is further from the origin.

    Raises:
        ValueError: if there is no such optimizer.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"there is no optimizer {optimizer!r}; there are {list(OPTIMIZERS)}")
    theta, m, v = list(start), [0.0, 0.0], [0.0, 0.0]
    path = [(theta[0], theta[1])]
    for t in range(1, steps + 1):
        gradient = surface.gradient(*theta)
        for i, g in enumerate(gradient):
            theta[i] = _step(optimizer, theta[i], g, m, v, i, t, lr, beta)
        if not (math.isfinite(theta[0]) and math.isfinite(theta[1])):
            break
        path.append((theta[0], theta[1]))
        if math.hypot(*theta) > far:
            break
    return path


def _step(
    optimizer: str,
    value: float,
    g: float,
    m: list[float],
    v: list[float],
    i: int,
    t: int,
    lr: float,
    beta: float,
) -> float:
    """Return coordinate i after step t; m and v are the optimizer's memory and change."""
    if optimizer == "sgd":
        return value - lr * g
    if optimizer in ("momentum", "nesterov"):
        m[i] = beta * m[i] + g
        return value - lr * (g + beta * m[i] if optimizer == "nesterov" else m[i])
    if optimizer == "adagrad":
        v[i] += g * g
        return value - lr * g / (math.sqrt(v[i]) + 1e-10)
    if optimizer == "rmsprop":
        v[i] = beta * v[i] + (1 - beta) * g * g
        return value - lr * g / (math.sqrt(v[i]) + 1e-8)
    if optimizer == "adamw":
        value *= 1 - lr * 0.01
    m[i] += (1 - beta) * (g - m[i])
    v[i] = 0.999 * v[i] + (1 - 0.999) * g * g
    root = math.sqrt(v[i]) / math.sqrt(1 - 0.999**t) + 1e-8
    return value - lr / (1 - beta**t) * (m[i] / root)


def arrival(surface: Surface, path: list[tuple[float, float]]) -> dict[str, Any] | None:
    """Return when and where a whole run of 200 steps arrived, or None.

    Keys: ``step``, ``local`` (whether it is a higher minimum) and ``at``, the minimum's coordinates.
    """
    if len(path) <= STEPS:
        return None
    for local, minima in ((False, surface.minima), (True, surface.local_minima)):
        for at in minima:
            step = STEPS + 1
            while step > 0 and math.dist(path[step - 1], at) <= NEAR:
                step -= 1
            if step <= STEPS:
                return {"step": step, "local": local, "at": list(at)}
    return None


def best_rates(name: str) -> dict[str, float]:
    """Return the best rate of :data:`GRID` for each optimizer, as :data:`BEST` has it, by trying all."""
    surface = SURFACES[name]
    start = (surface.start[0], 0.05) if name == "saddle" else surface.start
    found = {}
    for optimizer in OPTIMIZERS:
        scores = []
        for lr in GRID:
            path = run(surface, optimizer, start, lr, USUAL_BETA.get(optimizer, 0.0))
            inside = all(
                WINDOW[0][0] <= x <= WINDOW[0][1] and WINDOW[1][0] <= y <= WINDOW[1][1] for x, y in path
            )
            if len(path) <= STEPS or not inside:
                continue
            there = arrival(surface, path)
            left = min(math.dist(path[-1], at) for at in surface.minima)
            worth = (there is None or there["local"], there["step"] if there else STEPS + 1, round(left, 6))
            scores.append((*worth, lr))
        found[optimizer] = min(scores)[-1]
    return found


# ------------------------------------------------------------------ what the controls give
def compute(
    surface: str, lr: float, beta: float, steer: str, steps: int, x: float, y: float, **on: bool
) -> dict[str, Any]:
    """Return what every optimizer that is switched on did.

    ``lr`` is the slider's value, log₁₀ of the learning rate. Keys: ``start`` and ``runs``, a list with, for
    each: ``name``; ``lr`` and ``beta`` used; ``steered``, whether the sliders set them; ``path`` and
    ``gaps`` (loss above the lowest value) at steps 0, 1, …; ``away``, the step at which it was stopped, or
    None; ``arrival`` (see :func:`arrival`); and, after ``steps`` steps, ``status`` with ``since``.
    """
    ground = SURFACES[surface]
    runs = []
    for name in OPTIMIZERS:
        if not on[name]:
            continue
        steered = steer in ("all", name)
        rate = 10.0**lr if steered else BEST[surface][name]
        memory = beta if steered else USUAL_BETA.get(name, 0.0)
        path = run(ground, name, (x, y), rate, memory, far=FAR)
        last = len(path) - 1
        short_run = last < STEPS  # it stopped being finite, or went far away
        gaps = [_gap(ground, point) for point in path]
        one: dict[str, Any] = {
            "name": name, "lr": rate, "beta": memory, "steered": steered, "path": [list(p) for p in path],
            "gaps": gaps, "away": last if short_run else None, "arrival": arrival(ground, path),
        }  # fmt: skip
        if short_run:
            one["path"][-1] = _cut(path)
        one["status"], one["since"] = _status(ground, one, int(steps))
        runs.append(one)
    return {"start": [x, y], "runs": runs}


def _gap(surface: Surface, point: tuple[float, float]) -> float:
    gap = surface.f(*point) - surface.lowest
    return min(max(gap, 0.0), LARGEST) if math.isfinite(gap) else LARGEST


def _cut(path: list[tuple[float, float]]) -> list[float]:
    """Return the last point, drawn in along the last step to at most FAR from the point before it."""
    if len(path) < 2:
        return list(path[-1])
    (x0, y0), (x1, y1) = path[-2:]
    share = min(1.0, FAR / math.hypot(x1 - x0, y1 - y0))
    return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)]


def _status(surface: Surface, one: dict[str, Any], n: int) -> tuple[str, int | None]:
    """Return how a run stands after n steps, and since when."""
    if one["away"] is not None:
        if n >= one["away"]:
            return "diverged", one["away"]
        if one["gaps"][n] > one["gaps"][0]:
            return "diverging", None
    there = one["arrival"]
    if there and n >= there["step"]:
        return ("higher" if there["local"] else "arrived"), there["step"]
    path = one["path"]
    if n >= PAUSE and all(math.dist(path[n], past) < CREEP for past in path[n - PAUSE : n]):
        on_saddle = any(math.dist(path[n], at) < NEAR for at in surface.saddles)
        return ("saddle" if on_saddle else "slow"), None
    return "way", None


def amount(loss: float) -> str:
    """Return a loss in few characters: 0.031, 12, 3.1×10⁷."""
    if loss == 0:
        return "0"
    if 0.001 <= loss < 10_000:
        return short(loss, 3) if loss < 1 else number(loss, 1 if loss < 10 else 0)
    power = math.floor(math.log10(loss))
    lead = loss / 10.0**power
    if lead >= 9.95:
        lead, power = lead / 10, power + 1
    return f"{number(lead, 1)}×10{str(power).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def rate(value: float) -> str:
    """Return a learning rate with three digits: 0.0759."""
    return f"{value:.3g}"


_GROUPS = {
    "arrived": "At the minimum", "higher": "In the higher minimum", "saddle": "Stuck on the saddle",
    "slow": "Hardly moving", "way": "On the way", "diverging": "Diverging", "diverged": "Diverged",
}  # fmt: skip


def describe(surface: str, lr: float, beta: float, steer: str, steps: int, **rest: Any) -> str:
    """Return the sentence: where each optimizer is after so many steps."""
    state = compute(surface, lr, beta, steer, steps, **rest)
    label, n = SURFACES[surface].label, int(steps)
    if not state["runs"]:
        return f"{label}: no optimizer runs. Switch one on."
    if steer == "none":
        rates = "each at its best lr of a grid"
    else:
        others = "" if steer == "all" else f" for {OPTIMIZERS[steer]}, others at their best"
        rates = f"lr {rate(10.0**lr)}{others}"
    parts = [f"{label}, {'1 step' if n == 1 else f'{n} steps'}, {rates}."]
    for status, words in _GROUPS.items():
        found = [one for one in state["runs"] if one["status"] == status]
        if found:
            parts.append(f"{words}: {', '.join(_one(one, n) for one in found)}.")
    return " ".join(parts)


def _one(one: dict[str, Any], n: int) -> str:
    name = OPTIMIZERS[one["name"]]
    if one["since"] is not None:
        return f"{name} ({'at' if one['status'] == 'diverged' else 'since'} step {one['since']})"
    return name if one["status"] == "saddle" else f"{name} (loss {amount(one['gaps'][n])})"


# ------------------------------------------------------------------ pictures
def looks() -> dict[str, dict[str, str]]:
    """Return colour and marker (matplotlib's name) of each optimizer."""
    palette = colors()
    paints = (palette["text"], palette["class0"], palette["class2"], "#12805c", palette["class1"],
              palette["class3"], palette["accent"])  # fmt: skip
    return {
        name: {"color": paint, "shape": _SHAPES[name]} for name, paint in zip(OPTIMIZERS, paints, strict=True)
    }


def bands(count: int) -> list[str]:
    """Return the colours of the bands between contour lines, from the lowest to the highest."""
    low, high = (0xC3, 0xCC, 0xD9), (0xFB, 0xFC, 0xFD)
    found = []
    for i in range(count):
        share = i / (count - 1)
        found.append(
            "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(low, high, strict=True))
        )
    return found


def draw(figure: Figure, surface: str, steps: int, **rest: Any) -> None:
    """Draw the contour lines with every path on them, and the losses beside it on a log scale."""
    state = compute(surface=surface, steps=steps, **rest)
    ground, palette, look, n = SURFACES[surface], colors(), looks(), int(steps)
    plane, losses = figure.subplots(1, 2, width_ratios=(5, 4))
    xs, ys = np.linspace(*WINDOW[0], 241), np.linspace(*WINDOW[1], 151)
    heights = ground.f(*np.meshgrid(xs, ys)) - ground.lowest
    fills = bands(len(ground.levels) + 1)
    plane.contourf(xs, ys, heights, levels=[-1.0, *ground.levels, 1e9], colors=fills)
    plane.contour(xs, ys, heights, levels=list(ground.levels), colors="#94a1b5", linewidths=0.9)
    for at in ground.minima:
        plane.plot(*at, "o", markersize=13, markerfacecolor="white", color=palette["text"], zorder=3)
        plane.plot(*at, "o", markersize=4, color=palette["text"], zorder=3)
    for at in ground.local_minima:
        plane.plot(*at, "o", markersize=11, markerfacecolor="white", color=palette["text"], zorder=3)
    for at in ground.saddles:
        plane.plot(*at, "x", markersize=9, markeredgewidth=2.2, color=palette["text"], zorder=3)
    for k, one in enumerate(state["runs"]):
        paint = look[one["name"]]
        path = np.array(one["path"][: n + 1])
        plane.plot(*path.T, color="white", linewidth=5, zorder=4 + 3 * k, solid_capstyle="round")
        plane.plot(*path.T, color=paint["color"], linewidth=2.2, zorder=5 + 3 * k)
        gaps = np.clip(one["gaps"][: n + 1], 1e-9, LARGEST)
        losses.semilogy(gaps, color=paint["color"], linewidth=2.2, label=OPTIMIZERS[one["name"]])
        head = {
            "marker": paint["shape"],
            "markersize": 12 if paint["shape"] == "*" else 9,
            "color": paint["color"],
            "markeredgecolor": "white",
            "zorder": 6 + 3 * k,
        }
        plane.plot(*path[-1], **head)
        losses.plot(len(gaps) - 1, gaps[-1], **head)
    plane.plot(*state["start"], "o", markersize=11, markerfacecolor="none", color=palette["text"], zorder=40)
    plane.set(xlim=WINDOW[0], ylim=WINDOW[1], xlabel="x", ylabel="y", aspect="equal")
    plane.grid(False)
    plane.set_title(f"{ground.label}: after {n} step{'' if n == 1 else 's'}")
    reach = max(n, 20)
    losses.set(xlim=(0, 1.04 * reach), ylim=(1e-6, 1e4), xlabel="step", title="Loss above the minimum")
    if state["runs"]:
        figure.legend(loc="outside lower center", ncols=7, fontsize=12, handlelength=1.2, columnspacing=1.2)
    else:
        plane.text(0, 0.5, "No optimizer runs.", ha="center", size=14, weight="bold")


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: what is known of the surfaces, names, colours."""
    facts = {}
    for name, s in SURFACES.items():
        facts[name] = {
            "label": s.label, "formula": s.formula, "minima": s.minima, "lowest": s.lowest,
            "local": s.local_minima, "saddles": s.saddles, "start": s.start, "log_lr": s.log_lr,
            "levels": s.levels, "bands": bands(len(s.levels) + 1), "best": BEST[name],
        }  # fmt: skip
    return {
        "surfaces": facts, "window": WINDOW, "optimizers": OPTIMIZERS, "usual_beta": USUAL_BETA,
        "looks": looks(), "groups": _GROUPS,
    }  # fmt: skip


class RaceExplorer(Explorer):
    """The live widget of :func:`race`."""

    _esm = esm("race.js")
    _css = css()


# What the stored picture shows: three ways down the turned ravine, one of them at its end.
STILL = DECLARATION.defaults() | {
    **_at("turned"),
    **dict.fromkeys(OPTIMIZERS, False),
    **dict.fromkeys(("sgd", "nesterov", "adam"), True),
    "steer": "none",
    "steps": 60,
}


def race() -> None:
    """Show the explorer: pick a surface and optimizers, a rate and a start, and let them race."""
    show(
        RaceExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.8, 4.4), **STILL),
        describe(**STILL),
    )
