"""The contest replayed, without a browser: what may be handed over, what is measured in a frame, pictures."""

from __future__ import annotations

import importlib
import json
import math
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from utils.built.gan import best_discriminator
from utils.explore import base

# By name: in the package, this name is the function that learners call.
contest = importlib.import_module("utils.explore.contest")

X = np.linspace(-5, 5, 401)


def bell(middle: float, width: float) -> np.ndarray:
    return np.exp(-(((X - middle) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))


DATA = bell(0, 1)
HALF = np.full_like(X, 0.5)


def frame(step: int, model: np.ndarray, judge: np.ndarray = HALF, loss_d=1.386, loss_g=0.693) -> dict:
    return {"step": step, "p_model": model, "discriminator": judge, "loss_d": loss_d, "loss_g": loss_g}


# The generator comes nearer, is left behind by a sharp discriminator, and collapses into a needle.
FRAMES = [
    frame(0, bell(-3, 0.5), loss_g=0.69),
    frame(10, bell(-1, 1), DATA / (DATA + bell(-1, 1)), 1.1, 0.85),
    frame(25, bell(0.1, 1), HALF, 1.386, 0.8),
    frame(40, bell(2, 0.02), 1 / (1 + np.exp(4 * (X - 1))), None, math.nan),
]
PREPARED = contest.prepare(FRAMES, X, DATA)


# ------------------------------------------------------------------ what is handed over
def test_grid_and_data_may_stand_in_the_first_frame_and_tensors_are_taken():
    tensors = [{k: torch.as_tensor(v) if k != "step" and v is not None else v for k, v in one.items()}
               for one in FRAMES]  # fmt: skip
    tensors[0] |= {"grid": torch.as_tensor(X), "p_data": DATA.tolist()}
    assert contest.prepare(tensors) == PREPARED
    json.dumps(
        contest.browser_data(PREPARED), allow_nan=False
    )  # NaN is no JSON: the browser could not read it


@pytest.mark.parametrize(
    ("frames", "grid", "p_data", "message"),
    [
        (FRAMES[:1], X, DATA, "2 to 500 dictionaries"),
        (FRAMES[0], X, DATA, "2 to 500 dictionaries"),
        ([1, 2], X, DATA, "2 to 500 dictionaries"),
        (FRAMES * 200, X, DATA, "2 to 500 dictionaries"),
        (FRAMES, None, DATA, "no grid: give grid="),
        (FRAMES, X, None, "no p_data: give p_data="),
        (FRAMES, X[::-1], DATA, "increasing places"),
        (FRAMES, X[:2], DATA[:2], "3 to 500"),
        (FRAMES, X, DATA[:9], r"p_data must have shape \(401,\), as the grid has, not \(9,\)"),
        (FRAMES, X, -DATA, "p_data holds a number below zero"),
        (FRAMES, X, 0 * DATA, "zero everywhere"),
        (FRAMES, X[:, None], DATA, r"grid must have shape \(G,\)"),
        ([FRAMES[0], FRAMES[0]], X, DATA, "steps of the frames must increase"),
        ([FRAMES[0], FRAMES[1] | {"step": "ten"}], X, DATA, "frame 1 needs a whole number"),
        ([FRAMES[0], FRAMES[1] | {"p_model": None}], X, DATA, "no p_model of frame 1"),
        ([FRAMES[0], FRAMES[1] | {"p_model": DATA * math.nan}], X, DATA, "p_model of frame 1 holds NaN"),
        (
            [FRAMES[0], FRAMES[1] | {"discriminator": "half"}],
            X,
            DATA,
            "discriminator of frame 1 must hold num",
        ),
        ([FRAMES[0], FRAMES[1] | {"discriminator": 4 * X}], X, DATA, r"frame 1 goes from -20 to 20.*sigmoid"),
        ([FRAMES[0], FRAMES[1] | {"loss_g": [1, 2]}], X, DATA, "loss_g of frame 1 must be one number"),
    ],
)
def test_what_cannot_be_shown_is_named(frames, grid, p_data, message: str):
    with pytest.raises(ValueError, match=message):
        contest.contest(frames, grid, p_data)


# ------------------------------------------------------------------ what is measured
def test_the_overlap_of_two_bells_is_the_known_one():
    for place, middle in ((1, 1.0), (2, 0.1)):
        # Two bells of width 1 share 2Φ(−distance/2) = erfc(distance/√8) of their area.
        assert PREPARED["frames"][place]["overlap"] == pytest.approx(
            math.erfc(middle / math.sqrt(8)), abs=2e-3
        )
    assert contest.prepare([frame(0, DATA), frame(1, bell(40, 0.1))], X, DATA)["frames"][0]["overlap"] == 1


def test_the_best_discriminator_is_the_lessons():
    for one in PREPARED["frames"]:
        there, model = torch.tensor(PREPARED["p_data"]), torch.tensor(one["p_model"])
        assert torch.allclose(torch.tensor(one["best"]), best_discriminator(there, model), atol=1e-6)
    assert PREPARED["frames"][1]["off"] < 1e-4 < 0.1 < PREPARED["frames"][0]["off"]


def test_averages_of_a_constant_judge_are_that_constant():
    first = PREPARED["frames"][0]
    assert first["real"] == pytest.approx(0.5) and first["fake"] == pytest.approx(0.5)
    sharp = PREPARED["frames"][3]
    assert sharp["real"] > 0.7 and sharp["fake"] < 0.1


def test_generated_values_stand_at_equal_parts_and_are_pushed_uphill():
    second = PREPARED["frames"][1]
    assert len(second["samples"]) == contest.ARROWS
    assert second["samples"][4] == pytest.approx(-1, abs=0.01), "the middle one is the median"
    assert np.mean(np.array(X)[:, None] < second["samples"], axis=0).tolist() == sorted(
        np.mean(np.array(X)[:, None] < second["samples"], axis=0)
    )
    assert all(push > 0 for push in second["push"]), "data lies to the right"
    # log of a sigmoid of −4(x − 1) has the slope −4(1 − D).
    last = PREPARED["frames"][3]
    assert last["push"] == pytest.approx([-4 * (1 - 1 / (1 + math.exp(4)))] * 9, rel=0.05)
    assert PREPARED["frames"][0]["push"] == [0.0] * 9


def test_no_generated_value_in_the_picture_is_said():
    data = contest.prepare([frame(0, 0 * DATA), frame(5, DATA)], X, DATA)
    assert data["frames"][0]["fake"] is None and data["frames"][0]["samples"] == []
    assert "No made value lies in the picture." in contest.describe(data, 0)
    assert data["frames"][0]["overlap"] == 0


# ------------------------------------------------------------------ words and goals
def test_a_frame_in_words():
    assert contest.describe(PREPARED, 0, best=True) == (
        "Step 0: the densities overlap by 4%. "
        "On average the discriminator gives real values 0.50 and made ones 0.50. "
        "Losses: discriminator 1.39, generator 0.69. "
        "On average it is 0.48 away from the best discriminator."
    )
    assert "Losses" not in contest.describe(PREPARED, 3)


def test_only_goals_that_the_record_can_meet_are_set():
    ids = [goal.id for goal in contest.declaration(PREPARED).goals]
    assert ids == ["end", "follows", "overlap", "cheap"]
    assert contest.marks(PREPARED) == {"overlap": 0.95, "poor": 0.75, "loss": 0.9}
    # The first frame does not count, where the explorer starts: its low loss alone sets no challenge.
    dear = contest.prepare([FRAMES[0], FRAMES[1] | {"loss_g": 0.95}, *FRAMES[2:]], X, DATA)
    assert [goal.id for goal in contest.declaration(dear).goals] == ["end", "follows", "overlap"]
    for data in (PREPARED, dear):
        assert [goal.challenge for goal in contest.declaration(data).goals].count(True) == 1
    plain = contest.prepare([frame(0, bell(-3, 0.5)), frame(9, bell(-2, 0.5))], X, DATA)
    assert [goal.id for goal in contest.declaration(plain).goals] == ["end", "overlap"]
    without = contest.prepare([frame(0, bell(-4, 0.2)), frame(9, bell(-4, 0.1))], X, DATA)
    assert [goal.id for goal in contest.declaration(without).goals] == ["end"]


# ------------------------------------------------------------------ pictures
def test_a_needle_does_not_flatten_the_rest():
    assert contest.heights(PREPARED) == pytest.approx(1.1 * 1.8 * max(DATA), rel=1e-3)
    broad = contest.prepare([frame(0, bell(0, 2)), frame(1, bell(1, 2))], X, DATA)
    assert contest.heights(broad) == pytest.approx(1.1 * max(DATA), rel=1e-3)


@pytest.mark.parametrize("shown", [[0], [0, 1], [0, 2, 3]])
def test_the_still_can_be_drawn(shown: list[int]):
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contest.draw(figure, PREPARED, shown)
        figure.canvas.draw()
    assert len(figure.axes) == 2 * len(shown)


def test_calling_it_shows_the_still_and_the_live_explorer(monkeypatch: pytest.MonkeyPatch):
    bundles: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw, **_: bundles.append(bundle))
    assert contest.contest(FRAMES, X, DATA) is None
    assert bundles[0]["text/plain"].startswith("Step 0: ") and "Step 40: " in bundles[0]["text/plain"]
    assert len(bundles[0]["image/png"]) < 60_000 and base.WIDGET_VIEW in bundles[1]
