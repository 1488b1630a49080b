"""A walk through latent space, without a browser: generators of every kind, codes, words, goals, replies."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from utils.built.gan import Generator, interpolate
from utils.explore import base

# By name: in the package, this name is the function that learners call.
latent = importlib.import_module("utils.explore.latent")


def tiny(d_z: int = 6, side: int = 28, seed: int = 0, end: nn.Module | None = None) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(d_z, side * side), end or nn.Sigmoid())
    net.d_z = d_z
    return net


def reader(sharpness: float = 1.0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = nn.Linear(784, 10)
    with torch.no_grad():
        net.weight *= sharpness
    return net


STILL_THERE = {"stretch": 1, "keep": False, "amount": 0, "coordinate": 1}


# ------------------------------------------------------------------ generators of every kind
class AsPictures(nn.Module):
    """Takes codes as DCGAN does, (B, d_z, 1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.ConvTranspose2d(5, 1, 8)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.net(z))


@pytest.mark.parametrize(
    ("generator", "d_z", "side"),
    [
        (tiny(), None, 28),
        (tiny(3).double(), 3, 28),
        (nn.Sequential(tiny(4, 16), nn.Unflatten(1, (16, 16))), 4, 16),
        (Generator(d_z=1, channels=2), None, 28),
        (AsPictures(), 5, 8),
        (lambda z: torch.tanh(z[:, :1] * torch.ones(1, 100)), 2, 10),
    ],
)
def test_any_generator_of_square_grey_pictures_is_taken(generator, d_z: int | None, side: int):
    maker = latent.Maker(generator, d_z)
    made = maker(torch.zeros(3, maker.d_z))
    assert made.shape == (3, side, side) and made.min() >= 0 and made.max() <= 1


def test_from_minus_one_to_one_becomes_ink_from_none_to_full():
    maker = latent.Maker(lambda z: torch.tanh(9 * z).repeat(1, 4), d_z=1)
    assert maker(torch.tensor([[-9.0], [0.0], [9.0]]))[:, 0, 0].tolist() == [0, 0.5, 1]
    plain = latent.Maker(lambda z: torch.sigmoid(z).repeat(1, 4), d_z=1)
    assert plain(torch.tensor([[0.0]]))[0, 0, 0] == 0.5


@pytest.mark.parametrize(
    ("generator", "d_z", "message"),
    [
        (nn.Linear(3, 784), None, "how long is a code"),
        (nn.Linear(3, 784), 0, "1 or more, not 0"),
        (nn.Linear(3, 784), 2.5, "1 or more, not 2.5"),
        (nn.Linear(3, 784), 4, r"(?s)given \(B, 4\).*given \(B, 4, 1, 1\)"),
        (nn.Linear(3, 783), 3, r"answers with \(32, 783\), which is no square"),
        (lambda z: z.new_zeros(len(z), 3, 28, 28), 3, "no square grey picture"),
        (lambda z: z.new_zeros(len(z), 1, 65, 65), 3, "no square grey picture"),
        (lambda z: None, 3, "answers with NoneType"),
        ("generator", 3, "module or function, not str"),
        (lambda z: z.new_full((len(z), 784), math.nan), 3, "diverged"),
    ],
)
def test_others_are_refused_with_what_they_did(generator, d_z, message: str):
    with pytest.raises(ValueError, match=message):
        latent.latent(generator, d_z=d_z)


def test_a_classifier_needs_digits_of_its_size():
    with pytest.raises(ValueError, match=r"28 × 28 pixels.*16 × 16"):
        latent.latent(tiny(3, 16), reader())


def test_asking_leaves_generator_and_chance_as_they_were():
    generator = Generator(d_z=4, channels=2)
    generator.net[2].eval()  # one part frozen, the rest in training, as learners do
    before, state = generator.net[5].running_mean.clone(), torch.random.get_rng_state()
    space = latent.Space(generator, reader())
    space.map(3, **STILL_THERE)
    assert torch.equal(generator.net[5].running_mean, before) and generator.net[5].training
    assert not generator.net[2].training and all(p.grad is None for p in generator.parameters())
    assert torch.equal(torch.random.get_rng_state(), state)


# ------------------------------------------------------------------ codes
def test_a_side_of_the_square_is_the_lessons_straight_line():
    four = latent.corners(6)
    u = torch.linspace(0, 1, 5)
    assert torch.allclose(latent.codes_at(four, u, 0 * u), interpolate(four[0], four[1], 5))
    assert torch.allclose(latent.codes_at(four, 0 * u + 1, u), interpolate(four[1], four[3], 5))
    assert torch.allclose(latent.codes_at(four, 0.5, 0.5)[0], four.mean(dim=0))


def test_length_and_coordinate_do_what_they_say():
    four = latent.corners(50)
    kept = latent.codes_at(four, [0.1, 0.5], [0.7, 0.5], keep=True, stretch=2)
    assert torch.allclose(kept.norm(dim=1), torch.full((2,), 2 * math.sqrt(50)))
    assert latent.codes_at(four, 0.5, 0.5).norm() < 0.75 * math.sqrt(50), "midway, codes are short"
    turned = latent.codes_at(four, 0.5, 0.5, amount=2.5, coordinate=7) - latent.codes_at(four, 0.5, 0.5)
    assert turned[0].nonzero().tolist() == [[6]] and turned[0, 6] == pytest.approx(2.5)
    zero = latent.codes_at(torch.zeros(4, 3), 0.5, 0.5, keep=True)
    assert torch.equal(zero, torch.zeros(1, 3)), "a code of no length stays as it is"


def test_planes_differ_and_come_again():
    assert torch.equal(latent.corners(6, 3), latent.corners(6, 3))
    all_codes = torch.cat([latent.corners(6, plane, seed) for plane in (0, 1) for seed in (0, 1)])
    assert torch.pdist(all_codes).min() > 0.1


def test_the_map_shows_each_place_where_it_is():
    space = latent.Space(tiny())
    whole = space.map(2, **STILL_THERE)
    assert whole.shape == (7 * 28, 7 * 28)
    for row, column in ((0, 0), (0, 6), (6, 0), (2, 5)):
        here = space.place(2, column / 6, row / 6, **STILL_THERE).picture
        tile = whole[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        assert np.allclose(tile, here, atol=1e-5)


def test_the_map_follows_weights_that_change():
    generator = tiny()
    space = latent.Space(generator)
    before = space.map(0, **STILL_THERE)
    assert space.map(0, **STILL_THERE) is before
    with torch.no_grad():
        generator[0].bias.add_(3)
    assert space.map(0, **STILL_THERE).mean() > before.mean() + 0.2


# ------------------------------------------------------------------ words and goals
def test_a_place_in_words():
    space = latent.Space(tiny(), reader())
    how = STILL_THERE | {"amount": -2.5, "coordinate": 4}
    place = space.place(0, 0.26, 0.5, **how)
    assert latent.describe(space, place, 0.26, 0.5, **how).startswith(
        "At 26% across and 50% down. The code is "
    )
    assert f"Coordinate 4 − 2.5 changes a pixel by {100 * place.change:.1f}% on average. Read as " in (
        latent.describe(space, place, 0.26, 0.5, **how)
    )
    corner = latent.describe(space, space.place(0, 1, 0, **STILL_THERE), 1, 0, **STILL_THERE)
    assert corner.startswith("Top right, one of the four random codes.") and "Coordinate" not in corner
    assert "random ones about 2.4." in corner
    assert "Read as" not in latent.describe(latent.Space(tiny()), place_without(), 1, 0, **STILL_THERE)


def place_without() -> latent.Place:
    return latent.Place(np.zeros((28, 28)), 1.0)


def test_only_goals_that_can_be_met_are_set():
    assert [g.id for g in latent.Space(tiny()).declaration.goals] == ["corners", "far", "coordinate"]
    assert latent.Space(tiny()).declaration.goals[-1].challenge
    unsure = latent.Space(tiny(), reader())
    assert [g.id for g in unsure.declaration.goals if g.challenge] == ["unsure"]
    assert "unsure" in unsure.goals and set(unsure.goals) == {g.id for g in unsure.declaration.goals}
    assert "unsure" not in latent.Space(tiny(), reader(1e5)).goals
    constant = latent.Space(lambda z: torch.full((len(z), 784), 0.5), d_z=3)
    assert [g.id for g in constant.declaration.goals] == ["corners", "far"]


def test_the_challenge_can_be_met_on_the_first_plane():
    space = latent.Space(tiny())
    reach = space.goals["coordinate"]
    tries = [
        STILL_THERE | {"amount": way * latent.REACH, "coordinate": k + 1} for k in range(6) for way in (-1, 1)
    ]
    met = [reach(space.place(0, 0.5, 0.5, **how), u=0.5, v=0.5, **how) for how in tries]
    assert any(met) and not all(met)
    assert not reach(space.place(0, 0.5, 0.5, **STILL_THERE), u=0.5, v=0.5, **STILL_THERE)


# ------------------------------------------------------------------ the live half
def ask(live: latent.LatentExplorer, monkeypatch: pytest.MonkeyPatch, plane: int = 0, settled=True, **values):
    """Send a question as the browser does; returns the reply's content and buffers."""
    sent: list = []
    monkeypatch.setattr(live, "send", lambda content, buffers=None: sent.append((content, buffers)))
    whole = {"u": 0.5, "v": 0.5, **STILL_THERE, **values}
    live._handle_custom_msg(
        {"kind": "question", "view": "v", "counter": 1, "settled": settled, "values": whole, "plane": plane},
        [],
    )
    assert len(sent) == 1, "every question gets one reply"
    return sent[0]


def test_a_reply_carries_both_pictures_words_and_goals(monkeypatch: pytest.MonkeyPatch):
    live = latent.LatentExplorer(latent.Space(tiny(), reader()))
    content, (one, every) = ask(live, monkeypatch, stretch=3)
    assert len(one) == 784 and len(every) == 49 * 784
    assert content["goals"] == ["far"] and sum(content["probabilities"]) == pytest.approx(1)
    assert [len(part) for part in live.first_pixels] == [784, 49 * 784]
    assert ask(live, monkeypatch, stretch=3, settled=False)[0]["goals"] == []
    assert "u cannot be 7" in ask(live, monkeypatch, u=7)[0]["error"]


def test_four_corners_of_one_square_are_visited_one_by_one(monkeypatch: pytest.MonkeyPatch):
    live = latent.LatentExplorer(latent.Space(tiny()))
    ask(live, monkeypatch, plane=1, u=1, v=1)  # another square's corner does not count
    ask(live, monkeypatch, u=1, v=1, settled=False)  # nor does one that is only passed
    for u, v in ((0, 0), (0, 1), (1, 0)):
        assert ask(live, monkeypatch, u=u, v=v)[0]["goals"] == []
    assert ask(live, monkeypatch, u=1, v=1)[0]["goals"] == ["corners"]


def test_at_every_end_of_every_control_there_is_a_picture(monkeypatch: pytest.MonkeyPatch):
    space = latent.Space(tiny(1), reader())
    live = latent.LatentExplorer(space)
    for values in space.declaration.extremes():  # with a code of one number, its coordinate 2 is the first
        content, pictures = ask(live, monkeypatch, plane=10**9, **values)
        assert "error" not in content and content["say"].endswith(".") and len(pictures) == 2


def test_calling_it_shows_the_still_and_the_live_explorer(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    assert latent.latent(tiny(), reader()) is None
    assert "7 by 7 pictures between four random codes" in shown[0]["text/plain"]
    assert len(shown[0]["image/png"]) < 120_000 and base.WIDGET_VIEW in shown[1]


def test_the_still_shows_the_map_and_nine_lengths():
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    latent.draw(figure, latent.Space(tiny()))
    figure.canvas.draw()
    left, right = figure.axes
    assert [text.get_text() for text in right.texts] == [
        f"× {k}" for k in ("0", "0.25", "0.5", "0.75", "1", "1.5", "2", "2.5", "3")
    ]
    assert len(left.lines) == 4 and left.images[0].get_array().shape == (196, 196)
