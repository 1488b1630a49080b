"""The outlier and its three losses without a browser: exact lines, pulls, words and pictures."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import random
import re
import warnings
from collections.abc import Callable, Sequence

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.nn import functional as F

from utils.explore import base

# By name: in the package, this name is the function that learners call.
outlier = importlib.import_module("utils.explore.outlier")

DEFAULTS = outlier.DECLARATION.defaults()


def compute(**controls) -> dict:
    return outlier.compute(**(DEFAULTS | controls))


# ------------------------------------------------------------------ careful solutions, made quite differently
def total(loss: str, points: Sequence, a: float, b: float, delta: float = 1.0) -> float:
    """The summed loss, straight from its definition."""

    def of(r: float) -> float:
        if loss == "mse":
            return r * r
        if loss == "mae" or delta == 0:
            return abs(r)
        return 0.5 * r * r if abs(r) <= delta else delta * (abs(r) - 0.5 * delta)

    return math.fsum(of(y - a * x - b) for x, y in points)


def smallest(f: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """The smallest value of a convex function and where it is, by thirds."""
    for _ in range(90):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if f(one) <= f(two) else (one, high)
    return f((low + high) / 2), (low + high) / 2


def careful(loss: str, points: Sequence, delta: float = 1.0) -> float:
    """The smallest possible loss: for each slope the best intercept, for all slopes the best of those."""

    def at_slope(a: float) -> float:
        rest = sorted(y - a * x for x, y in points)
        if loss == "mae":
            return total(loss, points, a, rest[len(rest) // 2])  # the median
        return smallest(lambda b: total(loss, points, a, b, delta), rest[0], rest[-1])[0]

    return smallest(at_slope, -60.0, 60.0)[0]


def clouds(count: int = 40) -> list[list[tuple[float, float]]]:
    """Random points, some on whole numbers so that ties, equal x and points in line are common."""
    rng = random.Random(0)
    found = []
    for k in range(count):
        size = rng.randint(2, 12)
        if k % 2:
            cloud = [(float(rng.randint(0, 5)), float(rng.randint(-3, 3))) for _ in range(size)]
        else:
            cloud = [(rng.uniform(0, 10), rng.gauss(0, 3) + 20 * (rng.random() < 0.2)) for _ in range(size)]
        if len({x for x, _ in cloud}) > 1:
            found.append(cloud)
    return found


def test_least_squares_are_those_of_lstsq():
    for cloud in clouds():
        x, y = torch.tensor(cloud, dtype=torch.float64).T
        expected = torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], 1), y[:, None]).solution.flatten()
        assert outlier.fit("mse", cloud) == pytest.approx(expected.tolist(), abs=1e-9)


def test_no_line_is_better_for_mae():
    for cloud in clouds():
        assert total("mae", cloud, *outlier.fit("mae", cloud)) == pytest.approx(
            careful("mae", cloud), abs=1e-7
        )


@pytest.mark.parametrize("delta", [0.1, 1.0, 8.0])
def test_no_line_is_better_for_huber(delta: float):
    for cloud in clouds(12):
        ours = total("huber", cloud, *outlier.fit("huber", cloud, delta), delta)
        assert ours == pytest.approx(careful("huber", cloud, delta), abs=1e-7)


def everywhere() -> list[list[list[float]]]:
    """The ten points, each of them moved to many places, the corners and equal x among them."""
    found = []
    for index, x, y in itertools.product(range(10), (0.0, 3.5, 6.1, 10.0), (-5.0, -0.2, 3.7, 12.0)):
        points = [list(p) for p in outlier.POINTS]
        points[index] = [x, y]
        found.append(points)
    return found


@pytest.mark.parametrize("delta", [0.1, 0.5, 1.0, 3.3, 8.0])
def test_at_hubers_line_the_pulls_are_in_balance(delta: float):
    # Sum and moment of the pulls vanish: for a convex loss with a continuous slope that is the minimum.
    for points in everywhere():
        a, b = outlier.fit("huber", points, delta)
        pulls = [outlier.pull("huber", y - a * x - b, delta) for x, y in points]
        assert abs(sum(pulls)) < 1e-8
        assert abs(sum(p * x for p, (x, _) in zip(pulls, points, strict=True))) < 1e-8


def test_at_maes_line_no_direction_leads_down():
    # For the sum of absolutes a minimum is where the slope in every direction is ≥ 0; those along and across
    # the points on the line decide.
    for points in everywhere():
        a, b = outlier.fit("mae", points)
        residuals = [y - a * x - b for x, y in points]
        on = [x for (x, _), r in zip(points, residuals, strict=True) if abs(r) < 1e-9]
        directions = [(0.0, 1.0), (0.0, -1.0)]
        directions += [(s, -s * x) for x in on for s in (1.0, -1.0)]  # turn about a point on the line
        for da, db in directions:
            slope = sum(
                abs(da * x + db) if abs(r) < 1e-9 else -math.copysign(da * x + db, r * (da * x + db))
                for (x, _), r in zip(points, residuals, strict=True)
            )
            assert slope > -1e-9, (points, da, db)


def test_between_equally_good_lines_the_middle_is_taken():
    square = [(0.0, 0.0), (0.0, 2.0), (1.0, 0.0), (1.0, 2.0)]
    assert outlier.fit("mae", square) == pytest.approx((0.0, 1.0))
    # In whatever order the points come.
    for order in itertools.permutations(square):
        assert outlier.fit("mae", order) == pytest.approx((0.0, 1.0))


def test_points_in_line_give_that_line_for_every_loss():
    line = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (2.0, 5.0), (7.0, 15.0)]
    for loss in outlier.LOSSES:
        assert outlier.fit(loss, line) == pytest.approx((2.0, 1.0), abs=1e-9)


def test_huber_becomes_mse_with_a_large_delta_and_nears_mae_with_a_small_one():
    points = [list(p) for p in outlier.POINTS]
    points[2] = [2.5, 11.0]
    assert outlier.fit("huber", points, 50.0) == pytest.approx(outlier.fit("mse", points), abs=1e-12)
    small = outlier.fit("huber", points, 1e-4)
    assert total("mae", points, *small) == pytest.approx(
        total("mae", points, *outlier.fit("mae", points)), abs=1e-3
    )


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(ValueError, match="no loss 'hinge'"):
        outlier.fit("hinge", outlier.POINTS)
    with pytest.raises(ValueError, match="two points with different x"):
        outlier.fit("mse", [(1.0, 2.0), (1.0, 3.0)])


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_pulls_are_minus_torchs_gradients(delta: float):
    r = torch.cat([torch.linspace(-12, 12, 97, dtype=torch.float64), torch.tensor([delta, -delta]).double()])
    y_hat = torch.zeros_like(r, requires_grad=True)
    losses = {
        "mse": F.mse_loss(y_hat, r, reduction="sum"),
        "mae": F.l1_loss(y_hat, r, reduction="sum"),
        "huber": F.huber_loss(y_hat, r, reduction="sum", delta=delta),
    }
    for loss, value in losses.items():
        (gradient,) = torch.autograd.grad(value, y_hat)
        ours = torch.tensor([outlier.pull(loss, x, delta) for x in r.tolist()], dtype=torch.float64)
        assert torch.allclose(ours, -gradient, atol=1e-14, rtol=0), loss


# ------------------------------------------------------------------ goals: within reach, and not given away
def flips(point: int, x: float, y: float) -> bool:
    state = compute(loss="mse", compare="mae", point=point, x=x, y=y)
    return state["lines"]["mse"][0] < 0 and abs(state["lines"]["mae"][0] - state["home"]["mae"][0]) <= 0.05


def test_the_challenge_can_be_met_with_several_points_but_not_anywhere():
    places = list(itertools.product(range(1, 11), range(0, 11, 2), range(-5, 13)))
    met = [place for place in places if flips(place[0], float(place[1]), float(place[2]))]
    assert len({point for point, _, _ in met}) >= 3
    assert 0 < len(met) < 0.1 * len(places)


def test_under_mae_a_point_can_go_far_while_the_line_stays():
    state = compute(loss="mae", point=9, x=8.5, y=-3.0)
    assert state["moved"] > 3 and state["lines"]["mae"] == pytest.approx(state["home"]["mae"], abs=1e-9)
    # Past the line it does move.
    assert compute(loss="mae", point=9, x=8.5, y=12.0)["lines"]["mae"] != pytest.approx(
        state["home"]["mae"], abs=1e-3
    )


def test_a_large_delta_puts_huber_on_mse_with_a_point_far_away():
    state = compute(loss="huber", compare="mse", delta=8.0, point=5, x=4.5, y=11.0)
    assert max(map(abs, state["residuals"])) > 4
    assert state["lines"]["huber"] == pytest.approx(state["lines"]["mse"], abs=1e-9)


def test_no_preset_reaches_a_goal():
    for preset in ({}, *(dict(p.values) for p in outlier.PRESETS)):
        controls = DEFAULTS | preset
        assert controls["loss"] != "mae"
        assert not flips(controls["point"], controls["x"], controls["y"])
        state = outlier.compute(**(controls | {"loss": "huber", "compare": "mse"}))
        far = max(map(abs, state["residuals"])) >= 4
        assert not far or state["lines"]["huber"] != pytest.approx(state["lines"]["mse"], abs=1e-6)


def test_at_home_all_lines_are_alike():
    slopes = [outlier.fit(loss, outlier.POINTS)[0] for loss in outlier.LOSSES]
    assert max(slopes) - min(slopes) < 0.03 and min(slopes) > 0.3


# ------------------------------------------------------------------ words and pictures
ENDS = list(outlier.DECLARATION.extremes())


def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = outlier.compute(**controls)
        numbers = [
            *itertools.chain(*state["points"], *state["lines"].values(), *state["home"].values()),
            *state["residuals"], *state["pulls"], state["moved"], state["reach"],
        ]  # fmt: skip
        assert all(map(math.isfinite, numbers)), controls
        assert max(map(abs, state["pulls"])) <= state["reach"], controls
        words = outlier.describe(**controls)
        assert 20 < len(words) < 260 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words


@pytest.mark.parametrize("controls", ENDS[::11])
def test_the_picture_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outlier.draw(figure, **controls)
        figure.canvas.draw()
    plane, pulls = figure.axes
    assert plane.get_xlim() == outlier.X_RANGE and plane.get_ylim() == outlier.Y_RANGE
    assert math.isfinite(pulls.get_ylim()[1])


def test_the_sentence_tells_what_changed():
    assert outlier.describe(**outlier.STILL) == (
        "MSE: slope −0.08, was 0.42. Point 10, 6.09 below the line, pulls down with 12.18; "
        "the strongest other pulls with 5.06. MAE: slope 0.40, was 0.42."
    )
    held = outlier.describe(**(DEFAULTS | {"loss": "mae", "point": 1, "x": 0.5, "y": 2.2}))
    state = compute(loss="mae", point=1, x=0.5, y=2.2)
    on_line = abs(state["residuals"][0]) < 1e-9
    assert ("Point 1 lies on the line" in held) == on_line
    same = outlier.describe(**(DEFAULTS | {"compare": "mse"}))
    assert same.endswith("Compare it with another loss.")


def test_a_point_on_the_line_is_told():
    index = next(k for k, r in enumerate(compute(loss="mae")["residuals"]) if abs(r) < 1e-9)
    x, y = outlier.POINTS[index]
    words = outlier.describe(**(DEFAULTS | {"loss": "mae", "point": index + 1, "x": x, "y": y}))
    assert f"Point {index + 1} lies on the line" in words


def test_the_still_is_small_and_telling():
    outlier.DECLARATION.check(**outlier.STILL)
    png = base.still_png(outlier.draw, size=(8.8, 4.4), **outlier.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
