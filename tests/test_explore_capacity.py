"""Polynomials of growing degree without a browser: scikit-learn's fit, goals, words and pictures."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import re
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.polynomial import legendre
from PIL import Image
from sklearn.linear_model import LinearRegression, Ridge

from utils.explore import base

# By name: in the package, this name is the function that learners call.
capacity = importlib.import_module("utils.explore.capacity")

DEFAULTS = capacity.DECLARATION.defaults()
ENDS = list(capacity.DECLARATION.extremes())


def compute(**controls) -> dict:
    return capacity.compute(**(DEFAULTS | controls))


# ------------------------------------------------------------------ points
def test_points_lie_around_the_curve_as_far_as_the_noise_says():
    x, bumps = capacity.sample(1, 10_000)
    assert x.min() >= -1 and x.max() < 1
    assert np.histogram(x, bins=20, range=(-1, 1))[0] == pytest.approx(500, rel=0.2)
    assert bumps.mean() == pytest.approx(0, abs=0.02) and bumps.std() == pytest.approx(1, abs=0.02)
    # About as many beyond one and two standard deviations as a bell curve has.
    assert (np.abs(bumps) > 1).mean() == pytest.approx(0.317, abs=0.015)
    assert (np.abs(bumps) > 2).mean() == pytest.approx(0.0455, abs=0.006)


def test_more_points_keep_those_that_are_there_and_another_draw_has_others():
    few, many = compute(points=10), compute(points=40)
    assert many["x"][:10] == few["x"] and many["y"][:10] == few["y"]
    assert not set(compute(seed=2)["x"]) & set(few["x"])
    assert compute(seed=2)["vy"] == few["vy"]  # the yardstick stays


def test_noise_moves_the_points_up_and_down_only():
    quiet, loud = compute(noise=0.0), compute(noise=0.6)
    assert quiet["x"] == loud["x"] and quiet["y"] == pytest.approx(np.sin(np.pi * np.array(quiet["x"])))
    assert np.abs(np.subtract(loud["y"], quiet["y"])).max() > 0.6


# ------------------------------------------------------------------ the fit
CASES = list(itertools.product((5, 10, 15, 20, 100), (0, 1, 3, 9, 15), (1, 2, 17)))


@pytest.mark.parametrize("penalty", [1e-6, 0.001, 0.1, 10.0])
def test_with_a_penalty_the_fit_is_scikit_learns_ridge(penalty: float):
    for n, degree, seed in CASES:
        if degree == 0:
            continue
        x, bumps = capacity.sample(seed, n)
        y = capacity.truth(x) + 0.3 * bumps
        terms = legendre.legvander(x, degree)[:, 1:]
        ridge = Ridge(alpha=n * penalty, solver="svd").fit(terms, y)
        ours = capacity.fit(x, y, degree, penalty)
        assert ours[1:] == pytest.approx(ridge.coef_, abs=1e-7), (n, degree, seed)
        assert ours[0] == pytest.approx(ridge.intercept_, abs=1e-7)


def test_without_one_it_is_least_squares_and_of_many_answers_the_smallest():
    for n, degree, seed in CASES:
        x, bumps = capacity.sample(seed, n)
        y = capacity.truth(x) + 0.3 * bumps
        ours = capacity.fit(x, y, degree)
        if degree == 0:
            assert ours == pytest.approx([y.mean()])
            continue
        exact = LinearRegression().fit(legendre.legvander(x, degree)[:, 1:], y)
        assert ours[1:] == pytest.approx(exact.coef_, rel=1e-5, abs=1e-7), (n, degree, seed)
        if degree + 1 >= n:
            assert capacity.error(x, y, ours) < capacity.EXACT
        # Where a fading penalty leads. With degree 15 on 15 or 20 points only a far smaller one gets there.
        if n <= 10:
            assert ours == pytest.approx(capacity.fit(x, y, degree, 1e-11), rel=1e-3, abs=1e-4)


def test_it_is_the_minimum_of_what_the_lesson_says():
    x, bumps = capacity.sample(4, 15)
    y = capacity.truth(x) + 0.2 * bumps

    def loss(c: np.ndarray) -> float:
        return float(np.mean((legendre.legval(x, c) - y) ** 2) + 0.01 * np.sum(c[1:] ** 2))

    best = capacity.fit(x, y, 9, 0.01)
    for k, step in itertools.product(range(10), (-1e-3, 1e-3)):
        moved = best.copy()
        moved[k] += step
        assert loss(moved) > loss(best)


def test_the_errors_are_roots_of_mean_squares_at_every_degree():
    state = compute(degree=5, penalty="0.01", points=20)
    x, y, vx, vy = (np.array(state[key]) for key in ("x", "y", "vx", "vy"))
    for degree in range(16):
        c = capacity.fit(x, y, degree, 0.01)
        assert state["train"][degree] == pytest.approx(math.sqrt(np.mean((legendre.legval(x, c) - y) ** 2)))
        assert state["validation"][degree] == pytest.approx(
            math.sqrt(np.mean((legendre.legval(vx, c) - vy) ** 2))
        )
    assert state["coefficients"] == pytest.approx(capacity.fit(x, y, 5, 0.01).tolist())
    assert state["best"] == int(np.argmin(state["validation"]))


def test_without_a_penalty_no_degree_fits_the_training_points_worse_than_the_one_before():
    for seed, n in itertools.product((1, 5, 30), (5, 15, 60)):
        train = compute(seed=seed, points=n)["train"]
        assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(train))


# ------------------------------------------------------------------ goals: within reach, and not given away
def reached(controls: dict) -> set[str]:
    """The goals that these settings meet, by the words of the goals."""
    s, d = capacity.compute(**controls), int(controls["degree"])
    train, validation, noise = s["train"], s["validation"], controls["noise"]
    peak = int(np.argmax(validation))
    free = controls["penalty"] == "0"
    found = {
        "memorise": noise >= 0.1 and train[d] < 1e-6 and validation[d] > 10 * noise,
        "more": noise >= 0.1 and d == 15 and free and validation[15] < 1.25 * noise,
        "second": noise >= 0.1 and free and controls["points"] == 10 and d > peak
        and validation[d] < validation[peak] / 5,
        "tame": noise >= 0.2 and d == 15 and controls["points"] == 15 and not free and validation[15] < 0.3,
    }  # fmt: skip
    return {name for name, met in found.items() if met}


def test_every_goal_can_be_reached_with_nearly_every_draw():
    met = {"memorise": 0, "more": 0, "second": 0, "tame": 0}
    for seed in range(1, 51, 5):
        here = reached(DEFAULTS | {"seed": seed, "degree": 14})
        here |= reached(DEFAULTS | {"seed": seed, "degree": 15, "points": 100})
        here |= reached(DEFAULTS | {"seed": seed, "degree": 15, "points": 10})
        for penalty in ("0.003", "0.01", "0.03", "0.1"):
            here |= reached(DEFAULTS | {"seed": seed, "degree": 15, "penalty": penalty})
        for name in here:
            met[name] += 1
    assert set(met) == {goal.id for goal in capacity.GOALS}
    assert all(count >= 8 for count in met.values()), met  # of 10


def test_goals_are_not_reached_by_every_setting():
    for penalty in ("0.000001", "0.0001", "1", "100"):
        assert reached(DEFAULTS | {"degree": 15, "penalty": penalty}) == set()
    assert reached(DEFAULTS | {"degree": 15, "points": 20}) == set()
    assert reached(DEFAULTS | {"degree": 9, "points": 10}) == {"memorise"}


def test_no_preset_reaches_a_goal():
    for preset in ({}, *(dict(p.values) for p in capacity.PRESETS)):
        assert reached(DEFAULTS | preset) == set(), preset


# ------------------------------------------------------------------ words and pictures
def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = capacity.compute(**controls)
        numbers = [*state["y"], *state["coefficients"], *state["train"], *state["validation"]]
        assert all(map(math.isfinite, numbers)), controls
        assert len(state["coefficients"]) == controls["degree"] + 1
        words = capacity.describe(**controls)
        assert 60 < len(words) < 260 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words


@pytest.mark.parametrize("controls", ENDS[::23])
def test_the_picture_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capacity.draw(figure, **controls)
        figure.canvas.draw()
    left, right = figure.axes
    assert left.get_ylim() == capacity.Y_RANGE and right.get_yscale() == "log"


def test_the_sentence_tells_both_errors():
    assert capacity.describe(**(DEFAULTS | {"degree": 0})).startswith("Degree 0 (1 coefficient), 15 points")
    words = capacity.describe(**(DEFAULTS | {"degree": 14}))
    assert "Training error 0, validation error" in words and "goes through every training point" in words
    state = compute()
    assert f"smallest validation error is at degree {state['best']}" in words
    assert "No other degree" in capacity.describe(**(DEFAULTS | {"degree": state["best"]}))


@pytest.mark.parametrize(
    ("value", "words"),
    [(1e-9, "0"), (2e-6, "under 0.001"), (0.0123, "0.012"), (0.0996, "0.10"), (9.99, "9.99"), (9.996, "10"),
     (14314.4, "14,314"), (99999.6, "over 100,000"), (1e9, "over 100,000")],
)  # fmt: skip
def test_a_small_error_is_not_told_as_none(value: float, words: str):
    assert capacity.amount(value) == words


def test_the_still_is_small_and_telling():
    capacity.DECLARATION.check(**capacity.STILL)
    png = base.still_png(capacity.draw, size=(8.8, 4.4), **capacity.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
