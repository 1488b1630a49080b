"""The race of the optimizers without a browser: surfaces, torch's paths, what is said and drawn."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import re
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from utils.explore import base, surfaces
from utils.explore.surfaces import SURFACES, WINDOW

# By name: in the package, this name is the function that learners call.
race = importlib.import_module("utils.explore.race")

DEFAULTS = race.DECLARATION.defaults()
ALL_ON = dict.fromkeys(race.OPTIMIZERS, True)
ALL_OFF = dict.fromkeys(race.OPTIMIZERS, False)

every_surface = pytest.mark.parametrize("name", SURFACES)
every_optimizer = pytest.mark.parametrize("optimizer", race.OPTIMIZERS)


def compute(**controls) -> dict:
    return race.compute(**(DEFAULTS | controls))


def by_name(state: dict) -> dict[str, dict]:
    return {one["name"]: one for one in state["runs"]}


# ------------------------------------------------------------------ surfaces
@every_surface
def test_gradients_are_those_of_autograd(name: str):
    surface = SURFACES[name]
    theta = torch.empty(2, 400, dtype=torch.float64).uniform_(
        -4, 4, generator=torch.Generator().manual_seed(0)
    )
    theta.requires_grad_()
    surface.f(*theta).sum().backward()
    ours = torch.stack(surface.gradient(*theta.detach()))
    assert torch.allclose(ours, theta.grad, rtol=1e-12, atol=1e-11)
    x, y = theta.detach()[:, 7].tolist()
    assert surface.gradient(x, y) == pytest.approx(ours[:, 7].tolist(), rel=1e-14)


@every_surface
def test_minima_and_saddles_are_what_they_are_called(name: str):
    surface = SURFACES[name]

    def curvatures(at: tuple[float, float]) -> list[float]:
        f = torch.autograd.functional.hessian(
            lambda t: surface.f(t[0], t[1]), torch.tensor(at, dtype=torch.float64)
        )
        return torch.linalg.eigvalsh(f).tolist()

    for at in (*surface.minima, *surface.local_minima, *surface.saddles):
        assert np.hypot(*surface.gradient(*at)) < 1e-12, at
    for at in surface.minima:
        assert surface.f(*at) == pytest.approx(surface.lowest, abs=1e-14)
        assert min(curvatures(at)) > 0
    for at in surface.local_minima:
        assert surface.f(*at) > surface.lowest + 0.1 and min(curvatures(at)) > 0
    for at in surface.saddles:
        low, high = curvatures(at)
        assert low < 0 < high


@every_surface
def test_nowhere_in_the_window_lies_lower_ground(name: str):
    surface = SURFACES[name]
    x, y = np.meshgrid(np.linspace(-4, 4, 801), np.linspace(-2, 3, 501))
    heights = surface.f(x, y) - surface.lowest
    assert heights.min() > -1e-12
    lowest = np.argwhere(heights < heights.min() + 1e-3)
    places = [(float(x[i, j]), float(y[i, j])) for i, j in lowest]
    assert all(min(math.dist(p, at) for at in surface.minima) < 0.2 for p in places)
    assert all(any(math.dist(p, at) < 0.2 for p in places) for at in surface.minima)
    assert list(surface.levels) == sorted(surface.levels) and surface.levels[0] > 0
    assert surface.levels[-1] < heights.max()


def test_the_ravines_are_one_quadratic_turned():
    along, across = surfaces.RAVINE_CURVATURES
    hessian = torch.autograd.functional.hessian(lambda t: SURFACES["turned"].f(*t), torch.zeros(2))
    assert torch.linalg.eigvalsh(hessian).tolist() == pytest.approx([along, across])
    ravine = torch.autograd.functional.hessian(lambda t: SURFACES["ravine"].f(*t), torch.zeros(2))
    assert ravine.tolist() == [[along, 0.0], [0.0, across]]


@every_surface
def test_a_surface_begins_where_the_sliders_can_go_and_sgd_is_safe(name: str):
    surface = SURFACES[name]
    race.DECLARATION.check(surface=name, x=surface.start[0], y=surface.start[1], lr=surface.log_lr)
    for value, slider in zip(surface.start, ("x", "y"), strict=True):
        control = next(c for c in race.CONTROLS if c.name == slider)
        assert abs((value - control.minimum) / control.step % 1 - 0.5) > 0.499
    path = race.run(surface, "sgd", surface.start, 10**surface.log_lr)
    heights = [surface.f(*p) for p in path]
    assert len(path) == race.STEPS + 1 and all(b <= a + 1e-12 for a, b in itertools.pairwise(heights))
    assert len(surface.source) > 40


# ------------------------------------------------------------------ optimizers
def torchs(optimizer: str, params: list[torch.Tensor], lr: float, beta: float) -> torch.optim.Optimizer:
    """The optimizer of torch that ours must be equal to."""
    make = {
        "sgd": lambda: torch.optim.SGD(params, lr),
        "momentum": lambda: torch.optim.SGD(params, lr, momentum=beta),
        "nesterov": lambda: torch.optim.SGD(params, lr, momentum=beta, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad(params, lr),
        "rmsprop": lambda: torch.optim.RMSprop(params, lr, alpha=beta),
        "adam": lambda: torch.optim.Adam(params, lr, betas=(beta, 0.999)),
        "adamw": lambda: torch.optim.AdamW(params, lr, betas=(beta, 0.999)),
    }
    return make[optimizer]()


def torchs_path(name: str, optimizer: str, start, lr: float, beta: float, steps: int) -> torch.Tensor:
    """(steps + 1, 2) points, by autograd and torch.optim in float64."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    stepper = torchs(optimizer, [theta], lr, beta)
    path = [theta.detach().clone()]
    for _ in range(steps):
        stepper.zero_grad()
        SURFACES[name].f(theta[0], theta[1]).backward()
        stepper.step()
        path.append(theta.detach().clone())
    return torch.stack(path)


@every_optimizer
@every_surface
def test_a_hundred_steps_are_torchs(name: str, optimizer: str):
    # At tame settings: where a path is chaotic, the last digit of a gradient decides where it goes.
    surface = SURFACES[name]
    for start, (lr, beta) in itertools.product(
        (surface.start, (0.55, -0.7)),
        ((race.BEST[name][optimizer], race.USUAL_BETA.get(optimizer, 0.9)), (0.003, 0.5), (10**-3.5, 0.8)),
    ):
        ours = torch.tensor(race.run(surface, optimizer, start, lr, beta, 100), dtype=torch.float64)
        theirs = torchs_path(name, optimizer, start, lr, beta, len(ours) - 1)
        assert len(ours) == 101 or not torch.isfinite(theirs[-1]).all() or theirs.abs().max() > 1e100
        near = theirs.abs().amax(1).cummax(0).values < 100
        assert torch.allclose(ours[near], theirs[near], rtol=1e-8, atol=1e-8), (start, lr, beta)
        assert near.sum() > 1


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match="no optimizer 'lion'"):
        race.run(SURFACES["ravine"], "lion", (0.0, 0.0), 0.1)


@every_surface
def test_the_best_rates_are_the_best_of_the_grid(name: str):
    assert race.BEST[name] == race.best_rates(name)


# ------------------------------------------------------------------ how a run ends
def test_sgd_diverges_on_the_ravine_past_two_over_the_largest_curvature():
    for lr, diverges in ((0.0799, False), (0.0801, True)):
        path = race.run(SURFACES["ravine"], "sgd", (-3.5, 1.5), lr, steps=1000)
        assert (abs(path[-1][1]) > 1.5) == diverges
    at = {lr: by_name(compute(lr=lr, steps=200))["sgd"]["status"] for lr in (-1.1, -1.08)}
    assert at == {-1.1: "way", -1.08: "diverged"}


def test_a_run_that_goes_away_is_stopped_and_told():
    one = by_name(compute(lr=-1.08, steps=200))["sgd"]
    assert one["away"] == one["since"] and len(one["path"]) == one["away"] + 1
    assert math.hypot(*one["path"][-2]) <= race.FAR < 2 * race.FAR
    assert all(math.hypot(*p) <= 3 * race.FAR for p in one["path"])
    before = by_name(compute(lr=-1.08, steps=one["away"] - 1))["sgd"]
    assert before["status"] == "diverging"
    words = race.describe(**(DEFAULTS | {"lr": -1.08, "steps": 200}))
    assert f"Diverged: SGD (at step {one['away']})." in words


def test_arrived_means_near_and_to_stay():
    one = by_name(compute(steps=200))["momentum"]
    step = one["arrival"]["step"]
    distance = [math.hypot(*p) for p in one["path"]]
    assert distance[step - 1] > race.NEAR >= max(distance[step:])
    assert one["status"] == "arrived" and one["since"] == step
    assert by_name(compute(steps=step - 1))["momentum"]["status"] == "way"
    # Momentum passes the minimum long before it stays there.
    assert min(distance[:step]) < 0.2


def test_on_the_ridge_everybody_is_stuck_and_beside_it_nobody():
    saddle = {"surface": "saddle", "x": -3.0, "lr": -1.0, "steps": 200, **ALL_ON, "steer": "none"}
    assert {one["status"] for one in compute(**saddle, y=0.0)["runs"]} == {"saddle"}
    assert {one["status"] for one in compute(**saddle, y=0.05)["runs"]} == {"arrived"}
    assert "Stuck on the saddle: SGD, Momentum" in race.describe(**(DEFAULTS | saddle | {"y": 0.0}))


def test_who_hardly_moves_is_told_and_who_jumps_to_and_fro_is_not_one():
    plateau = {"surface": "plateau", "x": -2.0, "y": 1.0, "lr": -1.0, "steps": 100}
    assert by_name(compute(**plateau))["sgd"]["status"] == "slow"
    ground = SURFACES["ravine"]
    to_and_fro = {
        "away": None,
        "arrival": None,
        "gaps": [1.0] * 41,
        "path": [(0.0, (-1.0) ** k) for k in range(41)],
    }
    assert race._status(ground, to_and_fro, 40) == ("way", None)


def test_the_higher_minimum_is_not_the_lowest():
    one = by_name(compute(surface="two_minima", x=3.5, y=1.5, lr=-1.3, steps=200))
    assert one["sgd"]["status"] == "higher" and one["sgd"]["arrival"]["at"] == [2.0, 0.0]
    assert one["momentum"]["status"] == "arrived" and one["momentum"]["arrival"]["at"] == [-2.0, 0.0]


def test_the_sliders_steer_whom_they_are_told_to():
    for steer in ("all", "none", *race.OPTIMIZERS):
        for one in compute(steer=steer, **ALL_ON)["runs"]:
            steered = steer in ("all", one["name"])
            assert one["steered"] == steered
            assert one["lr"] == (10.0**-1.7 if steered else race.BEST["ravine"][one["name"]])


# ------------------------------------------------------------------ goals: within reach, and not given away
def grid(name: str) -> list[float]:
    control = next(c for c in race.CONTROLS if c.name == name)
    count = round((control.maximum - control.minimum) / control.step)
    return [control.minimum + k * control.step for k in range(count + 1)]


def arrival_of(optimizer: str, lr: float, beta: float) -> int | None:
    surface = SURFACES["ravine"]
    there = race.arrival(surface, race.run(surface, optimizer, surface.start, 10**lr, beta, far=race.FAR))
    return there and there["step"]


def test_plain_sgd_needs_54_steps_at_its_best_and_momentum_can_do_with_less():
    steps = [arrival_of("sgd", lr, 0.0) for lr in grid("lr")]
    assert min(s for s in steps if s) == 54
    assert arrival_of("momentum", -1.42, 0.7) < 30
    assert min(s for lr in grid("lr") if (s := arrival_of("momentum", lr, 0.9))) >= 50


def test_the_smallest_diverging_rate_of_the_slider_is_inside_the_goals_bounds():
    past = [10**lr for lr in grid("lr") if 10**lr > 0.08]
    assert 0.08 < past[0] < past[1] < 0.088 < past[2]


def test_no_preset_reaches_a_goal():
    for preset in ({}, *(dict(p.values) for p in race.PRESETS)):
        controls = DEFAULTS | preset
        runs = compute(**preset)["runs"]
        if controls["surface"] == "ravine":
            assert all(one["arrival"] is None or one["arrival"]["step"] >= 50 for one in runs), preset
            assert not any(one["status"].startswith("diverg") for one in runs)
        assert controls["surface"] not in ("saddle", "two_minima")


# ------------------------------------------------------------------ words and pictures
def ends() -> list[dict]:
    """Both ends of every control: all combinations of those that matter together."""
    found = [DEFAULTS | dict(p.values) for p in race.PRESETS]
    for surface, lr, beta, on, steps in itertools.product(
        SURFACES, (-4.0, -1.0, 1.0), (0.0, 0.99), (ALL_ON, ALL_OFF), (0, 1, race.STEPS)
    ):
        start = dict(zip(("x", "y"), SURFACES[surface].start, strict=True))
        found.append(DEFAULTS | start | on | {"surface": surface, "lr": lr, "beta": beta, "steps": steps})
    for surface, x, y, steer in itertools.product(SURFACES, WINDOW[0], WINDOW[1], ("all", "none", "adam")):
        found.append(DEFAULTS | ALL_ON | {"surface": surface, "x": x, "y": y, "steer": steer, "steps": 200})
    for surface in SURFACES:  # nothing pulls where the start is the minimum
        x, y = SURFACES[surface].minima[0]
        found.append(DEFAULTS | ALL_ON | {"surface": surface, "x": x, "y": y, "steps": 200})
    return found


ENDS = ends()


def numbers(value) -> list[float]:
    """Every number in plain data."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_no_end_of_any_control_gives_a_number_that_cannot_be_drawn():
    for controls in ENDS:
        race.DECLARATION.check(**controls)
        state = race.compute(**controls)
        assert all(abs(n) <= race.LARGEST for n in numbers(state)), controls
        words = race.describe(**controls)
        assert 20 < len(words) < 320 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words
        assert words.endswith("."), words


@pytest.mark.parametrize("controls", ENDS[::29])
def test_the_picture_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        race.draw(figure, **controls)
        figure.canvas.draw()
    plane, losses = figure.axes
    assert plane.get_xlim() == WINDOW[0] and plane.get_ylim() == WINDOW[1]
    assert losses.get_ylim() == (1e-6, 1e4)


def test_the_still_is_small_and_telling():
    race.DECLARATION.check(**race.STILL)
    png = base.still_png(race.draw, size=(8.8, 4.4), **race.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 90_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
    status = {one["name"]: one["status"] for one in race.compute(**race.STILL)["runs"]}
    assert len(status) >= 3 and len(set(status.values())) >= 2


def test_nobody_runs_is_said():
    assert race.describe(**(DEFAULTS | ALL_OFF)) == "Ravine: no optimizer runs. Switch one on."


def test_the_sentence_counts_one_step():
    assert race.describe(**(DEFAULTS | {"steps": 1})).startswith(
        "Ravine, 1 step, lr 0.02. On the way: SGD (loss "
    )


@pytest.mark.parametrize(
    ("loss", "words"),
    [(0.0, "0"), (0.0312, "0.031"), (0.5, "0.5"), (3.14, "3.1"), (271.8, "272"), (31_400.0, "3.1×10⁴"),
     (9.96e-5, "1.0×10⁻⁴"), (1e12, "1.0×10¹²")],
)  # fmt: skip
def test_losses_in_words(loss: float, words: str):
    assert race.amount(loss) == words


def test_every_optimizer_has_a_colour_and_a_marker_of_its_own():
    looks = race.looks()
    assert list(looks) == list(race.OPTIMIZERS)
    assert (
        len({look["color"] for look in looks.values()})
        == len({look["shape"] for look in looks.values()})
        == 7
    )


@every_surface
def test_bands_fit_the_levels(name: str):
    data = race.browser_data()["surfaces"][name]
    assert len(data["bands"]) == len(data["levels"]) + 1
    assert len(set(data["bands"])) == len(data["bands"])
