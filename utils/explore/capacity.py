"""How much freedom should a model have (lesson 09)? A polynomial is fitted to a few points.

The points lie around sin(πx), off by noise; the polynomial of degree d is written as

    ŷ(x) = c₀ + c₁P₁(x) + … + c_d P_d(x)        P_k: Legendre's polynomial of degree k

which is the same set of curves as with the powers x, x², …, but can be computed without loss up to degree 15.
The coefficients are those that make

    mean squared error over the training points + penalty · (c₁² + … + c_d²)

smallest (c₀, the bias, is left out; scikit-learn's ``Ridge`` with alpha = penalty · number of points). With
penalty 0 and more coefficients than points many curves go through all of them; then the one with the smallest
coefficients is taken, which is where a penalty that fades away leads.

Both errors are given as the root of the mean squared error, so that they can be held against the noise:
nobody who guesses unseen points can do much better. ``capacity.js`` computes the same in the browser.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.polynomial import legendre

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
from utils.explore.playground import uniform

MOST = 15  # the highest degree
VALIDATION_POINTS = 200
VALIDATION_SEED, DRAW_SEED = 500, 7  # draw k of the training points starts the generator at DRAW_SEED + k
Y_RANGE = (-2.0, 2.0)
ERROR_RANGE = (0.01, 1000.0)
EXACT = 1e-6  # a training error below this is rounding: the curve goes through every point
PENALTIES = (
    "0", "0.000001", "0.00001", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "10", "100",
)  # fmt: skip

DECLARATION = Declaration(
    name="capacity",
    title="A polynomial with more and more freedom",
    controls=(
        Slider("degree", "Degree", 0, MOST, 1, 3),
        Slider("points", "Training points", 5, 100, 5, 15),
        Slider("noise", "Noise", 0.0, 0.6, 0.05, 0.2),
        Choice("penalty", "Penalty", PENALTIES, "0"),
        Slider("seed", "Draw of points", 1, 50, 1, 1),
        Action("again", "New points", "The next draw: other points around the same curve"),
        Switch("unseen", "Show the validation points"),
    ),
    presets=(
        Preset("Straight line", {"degree": 1}),
        Preset("No noise", {"degree": 15, "noise": 0.0}),
        Preset("Ten points", {"degree": 8, "points": 10, "noise": 0.2, "penalty": "0"}),
    ),
    goals=(
        Goal(
            "memorise",
            "With noise 0.1 or more: training error 0, validation error more than ten times the noise.",
            "Every point is hit, and between them the curve goes astray: learned by heart.",
        ),
        Goal(
            "more",
            "Degree 15, penalty 0, noise 0.1 or more: validation error below 1.25 times the noise.",
            "The same 16 coefficients. More points leave them no freedom to run wild.",
        ),
        Goal(
            "second",
            "10 points, penalty 0, noise 0.1 or more: a degree beyond the peak with less than a fifth of "
            "its validation error.",
            "Down again after the peak: of all curves through the points, the smallest one was taken.",
        ),
        Goal(
            "tame",
            "Degree 15, 15 points, noise 0.2 or more: validation error below 0.3 by the penalty alone.",
            "Nothing but the penalty tamed degree 15. Too little lets it run wild, too much makes it stiff.",
            challenge=True,
        ),
    ),
    width=640,
    height=640,
    pointer_hint="Click or drag in the lower picture to choose a degree.",
)

CONTROLS, PRESETS, GOALS = DECLARATION.controls, DECLARATION.presets, DECLARATION.goals


# ------------------------------------------------------------------ points
def truth(x: np.ndarray) -> np.ndarray:
    """Return sin(πx), the curve around which all points lie."""
    return np.sin(np.pi * x)


def _halves(index: int) -> float:
    """Return van der Corput's number: 0, 1/2, 1/4, 3/4, 1/8, … which fill 0 to 1 ever more evenly."""
    value, step = 0.0, 0.5
    while index:
        value += step * (index & 1)
        index, step = index >> 1, step / 2
    return value


@lru_cache(maxsize=64)
def sample(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places x in [−1, 1) and noise of variance 1, each (count,) in float64.

    More points keep those that are there already. They are spread evenly, then shaken a little, so that no
    large gap is left by chance. The noise is the sum of twelve uniform numbers minus 6: nearly normal, and
    the same in every bit in JavaScript.
    """
    source = uniform(seed)
    shift = source()
    x, noise = np.empty(count), np.empty(count)
    for i in range(count):
        place = _halves(i) + shift + (source() - 0.5) / 16
        x[i] = 2 * (place - math.floor(place)) - 1
        noise[i] = sum(source() for _ in range(12)) - 6
    return x, noise


# ------------------------------------------------------------------ the fit
def fit(x: np.ndarray, y: np.ndarray, degree: int, penalty: float = 0.0) -> np.ndarray:
    """Return c₀ … c_degree, the coefficients that minimise MSE + penalty · Σ_{k≥1} c_k².

    Args:
        x: (n,), places between −1 and 1.
        y: (n,), targets.
        degree: 0 or more.
        penalty: 0 or more. With 0 and several best answers, the one with the smallest Σ_{k≥1} c_k².
    """
    if degree == 0:
        return np.array([y.mean()])
    terms = legendre.legvander(x, degree)[:, 1:]  # (n, degree)
    middle = terms.mean(axis=0)
    # Taking means away first leaves c₀ out of the penalty.
    left, sizes, right = np.linalg.svd(terms - middle, full_matrices=False)
    kept = sizes > 1e-10 * sizes.max()
    shrunk = np.where(kept, sizes / np.where(kept, sizes**2 + len(x) * penalty, 1.0), 0.0)
    c = right.T @ (shrunk * (left.T @ (y - y.mean())))
    return np.concatenate([[y.mean() - middle @ c], c])


def error(x: np.ndarray, y: np.ndarray, coefficients: np.ndarray) -> float:
    """Return the root of the mean squared error of the polynomial on these points."""
    return float(np.sqrt(np.mean((legendre.legval(x, coefficients) - y) ** 2)))


def compute(
    degree: int, points: int, noise: float, penalty: str, seed: int, unseen: bool = False
) -> dict[str, Any]:
    """Return the points, the fit, and both errors for every degree.

    Keys: ``x``, ``y`` (training points), ``vx``, ``vy`` (validation points), ``coefficients`` of the chosen
    degree, ``train`` and ``validation`` (16 errors each, degree 0 first), ``best``, the degree with the
    smallest validation error.
    """
    every = _every_degree(int(points), float(noise), float(penalty), int(seed))
    coefficients = every["fits"][int(degree)].tolist()
    return {name: found for name, found in every.items() if name != "fits"} | {"coefficients": coefficients}


@lru_cache(maxsize=512)
def _every_degree(points: int, noise: float, penalty: float, seed: int) -> dict[str, Any]:
    x, bumps = sample(DRAW_SEED + seed, points)
    vx, vbumps = sample(VALIDATION_SEED, VALIDATION_POINTS)
    y, vy = truth(x) + noise * bumps, truth(vx) + noise * vbumps
    fits = [fit(x, y, d, penalty) for d in range(MOST + 1)]
    validation = [error(vx, vy, c) for c in fits]
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "vx": vx.tolist(),
        "vy": vy.tolist(),
        "fits": fits,
        "train": [error(x, y, c) for c in fits],
        "validation": validation,
        "best": int(np.argmin(validation)),
    }


# ------------------------------------------------------------------ words
def amount(value: float) -> str:
    """Return an error in words: more digits where it is small, and 0 only for mere rounding."""
    if value < EXACT:
        return "0"
    if value < 0.001:
        return "under 0.001"
    if value >= 99_999.5:
        return "over 100,000"
    if value >= 9.995:
        return f"{int(number(value, 0)):,}"
    return number(value, 3 if value < 0.0995 else 2)


def describe(degree: int, points: int, noise: float, penalty: str, seed: int, unseen: bool = False) -> str:
    """Return the sentence: both errors, the noise, and which degree would be best."""
    state = compute(degree, points, noise, penalty, seed)
    d, n = int(degree), int(points)
    free = f"{d + 1} coefficient{'' if d == 0 else 's'}"
    train, validation = state["train"][d], state["validation"][d]
    parts = [f"Degree {d} ({free}), {n} points, penalty {penalty}."]
    parts.append(
        f"Training error {amount(train)}, validation error {amount(validation)}; noise {short(noise)}."
    )
    if train < EXACT:
        parts.append("The curve goes through every training point.")
    best = state["best"]
    if best == d:
        parts.append("No other degree has a smaller validation error.")
    else:
        parts.append(
            f"The smallest validation error is at degree {best}: {amount(state['validation'][best])}."
        )
    return " ".join(parts)


# ------------------------------------------------------------------ pictures
def draw(
    figure: Figure, degree: int, points: int, noise: float, penalty: str, seed: int, unseen: bool = False
) -> None:
    """Draw the fit on the left, and on the right both errors over the degree with the chosen one marked."""
    state = compute(degree, points, noise, penalty, seed)
    palette, d = colors(), int(degree)
    left, right = figure.subplots(1, 2)
    across = np.linspace(-1, 1, 401)
    left.plot(across, truth(across), "--", color=palette["muted"], linewidth=2, label="sin(πx)")
    curve = np.clip(legendre.legval(across, np.array(state["coefficients"])), -9, 9)
    left.plot(across, curve, color=palette["accent"], linewidth=3, label=f"degree {d}")
    if unseen:
        left.plot(state["vx"], state["vy"], "s", color=palette["validation"], markersize=3, alpha=0.6)
    left.plot(
        state["x"],
        state["y"],
        "o",
        color=palette["train"],
        markeredgecolor="white",
        markersize=9,
        label="training",
    )
    left.set(xlim=(-1.05, 1.05), ylim=Y_RANGE, xlabel="x", ylabel="y")
    left.set_title(f"Degree {d} on {int(points)} points")
    left.legend(loc="upper center", fontsize=12)

    degrees = np.arange(MOST + 1)
    right.axvline(d, color=palette["accent"], linewidth=10, alpha=0.25)
    for name, marker, words in (("train", "o", "training"), ("validation", "s", "validation")):
        shown = np.clip(state[name], *ERROR_RANGE)
        right.plot(
            degrees, shown, marker=marker, color=palette[name], linewidth=2.5, markersize=7, label=words
        )
    if noise >= ERROR_RANGE[0]:
        right.axhline(noise, color=palette["muted"], linestyle="--", linewidth=1.5, label="noise")
    right.set(
        yscale="log", ylim=(ERROR_RANGE[0] * 0.8, ERROR_RANGE[1] * 1.25), xlabel="degree", ylabel="error"
    )
    right.set_xticks(degrees[::3])
    right.set_yticks([0.01, 0.1, 1, 10, 100, 1000], ["≤0.01", "0.1", "1", "10", "100", "≥1000"])
    right.set_title(f"training {amount(state['train'][d])}, validation {amount(state['validation'][d])}")
    right.legend(loc="upper left", fontsize=12)


def browser_data() -> dict[str, Any]:
    """Return what the browser needs beside the declaration: ranges, seeds and limits."""
    return {
        "most": MOST,
        "unseen": VALIDATION_POINTS,
        "seeds": {"validation": VALIDATION_SEED, "draw": DRAW_SEED},
        "y": Y_RANGE,
        "errors": ERROR_RANGE,
        "exact": EXACT,
    }


class CapacityExplorer(Explorer):
    """The live widget of :func:`capacity`."""

    _esm = esm("capacity.js")
    _css = css()


# What the stored picture shows: many coefficients on few points.
STILL = {"degree": 12, "points": 15, "noise": 0.2, "penalty": "0", "seed": 1, "unseen": False}


def capacity() -> None:
    """Show the explorer: a polynomial's degree, its penalty, noise and points against both errors."""
    show(
        CapacityExplorer(DECLARATION, browser_data()),
        still_png(draw, size=(8.8, 4.4), **STILL),
        describe(**STILL),
    )
