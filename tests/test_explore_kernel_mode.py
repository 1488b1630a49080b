"""Explorers whose picture the kernel draws: the painter, questions and answers, and the two about digits."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from utils.data import mnist_tensors
from utils.explore import base, digits, draw_digit, kernel, shift_digit
from utils.explore.base import Choice, Declaration, Goal, Slider
from utils.explore.pad_drawings import DIGITS, DRAWINGS, drawing

# The package's names for the functions hide the modules of the same name.
drawing_pad = importlib.import_module("utils.explore.draw_digit")
shifting = importlib.import_module("utils.explore.shift_digit")


# ------------------------------------------------------------------ what the tests draw with
WAVE = Declaration(
    name="wave",
    title="A wave",
    controls=(Slider("k", "waves", 1, 9, 1, 2), Choice("kind", "kind", ("sin", "cos"), "sin")),
    goals=(Goal("five", "Make five.", "Five."),),
    width=300,
    height=200,
)
T = np.linspace(0, 1, 50)


def wave_setup(figure: Figure) -> dict:
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(-1, 1))
    return {"lines": [axes.plot(T, 0 * T)[0]], "title": axes.set_title("")}


def wave_update(artists: dict, k: int, kind: str) -> float:
    y = getattr(np, kind)(2 * np.pi * k * T)
    artists["lines"][0].set_ydata(y)
    artists["title"].set_text(f"{k} waves")
    return float(y[0])


def wave_describe(start: float, k: int, kind: str) -> str:
    return f"{k} waves from {start:.0f}"


WAVE_GOALS = {"five": lambda start, k, kind: k == 5}


def wave(**changes: object) -> kernel.DrawnExplorer:
    parts = {"setup": wave_setup, "update": wave_update, "describe": wave_describe, "goals": WAVE_GOALS}
    return kernel.DrawnExplorer(WAVE, **(parts | changes))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def ask(
    live: kernel.KernelExplorer, monkeypatch: pytest.MonkeyPatch, buffers=(), **question
) -> tuple[dict, list]:
    """Send a question as the browser does; returns the reply's content and buffers."""
    sent: list = []
    monkeypatch.setattr(live, "send", lambda content, buffers=None: sent.append((content, buffers)))
    whole = {"kind": "question", "view": "v", "counter": 7, "settled": True, **question}
    live._handle_custom_msg(whole, [memoryview(b) for b in buffers])
    assert len(sent) == 1, "every question gets one reply"
    return sent[0]


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    return shown


@pytest.fixture(scope="module")
def model() -> nn.Module:
    """A network that reads digits: lesson 00's, after one epoch over a third of the data."""
    X, y = mnist_tensors("train")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    for batch in torch.randperm(60_000)[:25_000].split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X[batch]), y[batch]).backward()
        optimizer.step()
    return net


@pytest.fixture(scope="module")
def classify(model: nn.Module) -> digits.Classifier:
    return digits.Classifier(model)


@pytest.fixture(scope="module")
def test_set() -> tuple[torch.Tensor, torch.Tensor]:
    X, y = mnist_tensors("test", flatten=False)
    return X[:2000], y[:2000]


@pytest.fixture(scope="module")
def scene(classify: digits.Classifier, test_set) -> shifting._Shift:
    return shifting._Shift(classify, shifting.examples(classify, *test_set))


# ------------------------------------------------------------------ the painter
def test_a_blitted_picture_equals_one_drawn_afresh():
    painter = kernel.Painter(wave_setup, wave_update, (300, 200))
    painter.png(k=9, kind="cos")  # something else first, whose traces must be gone
    blitted = pixels(painter.png(k=3, kind="sin"))
    afresh = pixels(kernel.Painter(wave_setup, wave_update, (300, 200)).png(k=3, kind="sin"))
    assert np.array_equal(blitted, afresh)
    assert not np.array_equal(blitted, pixels(painter.png(k=4, kind="sin")))


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_picture_keeps_its_size(ratio: int):
    painter = kernel.Painter(wave_setup, wave_update, (300, 200), ratio)
    sizes = {pixels(painter.png(**values)).shape for values in WAVE.extremes()}
    assert sizes == {(200 * ratio, 300 * ratio, 3)}


def test_the_painter_touches_neither_pyplot_nor_the_settings():
    with plt.rc_context({"lines.linewidth": 9, "axes.facecolor": "black"}):
        dark = pixels(kernel.Painter(wave_setup, wave_update, (300, 200)).png(k=3, kind="sin"))
        assert plt.rcParams["lines.linewidth"] == 9
    assert np.array_equal(
        dark, pixels(kernel.Painter(wave_setup, wave_update, (300, 200)).png(k=3, kind="sin"))
    )
    assert plt.get_fignums() == []


def test_setup_must_return_artists():
    with pytest.raises(ValueError, match="artists"):
        kernel.Painter(lambda figure: None, wave_update)


def test_artists_are_found_in_any_nesting_from_back_to_front():
    axes = Figure().subplots()
    front, back = axes.text(0, 0, "front", zorder=9), axes.axhline(0, zorder=1)
    bars = axes.bar([0, 1], [1, 2], zorder=5)
    found = kernel.artists_in({"a": [front, (back,)], "bars": bars, "number": 3})
    assert found == [back, *bars, front]


# ------------------------------------------------------------------ questions and replies
def test_a_reply_carries_picture_sentence_goals_and_counter(monkeypatch: pytest.MonkeyPatch):
    content, buffers = ask(wave(), monkeypatch, values={"k": 5, "kind": "cos"})
    assert content == {"kind": "reply", "view": "v", "counter": 7, "say": "5 waves from 1", "goals": ["five"]}
    assert pixels(buffers[0]).shape == (200, 300, 3)


def test_goals_count_only_when_a_control_rests(monkeypatch: pytest.MonkeyPatch):
    assert ask(wave(), monkeypatch, values={"k": 5, "kind": "sin"}, settled=False)[0]["goals"] == []


def test_letting_go_gets_a_reply_without_a_second_picture(monkeypatch: pytest.MonkeyPatch):
    live, values = wave(), {"k": 5, "kind": "sin"}
    assert len(ask(live, monkeypatch, values=values, settled=False)[1]) == 1
    content, buffers = ask(live, monkeypatch, values=values)
    assert (content["say"], content["goals"], buffers) == ("5 waves from 0", ["five"], [])
    assert len(ask(live, monkeypatch, values=values)[1]) == 1, "asked anew, it is drawn anew"
    ask(live, monkeypatch, values=values, settled=False)
    assert len(ask(live, monkeypatch, values=values, ratio=2)[1]) == 1, "another size is another picture"


def test_a_failing_update_is_told_and_the_next_question_answered(monkeypatch: pytest.MonkeyPatch):
    def update(artists: dict, k: int, kind: str) -> float:
        if k == 9:
            raise ZeroDivisionError("nine is too many")
        return wave_update(artists, k, kind)

    live = wave(update=update)
    content, buffers = ask(live, monkeypatch, values={"k": 9, "kind": "sin"})
    assert content["error"] == "ZeroDivisionError: nine is too many" and not buffers
    content, buffers = ask(live, monkeypatch, values={"k": 2, "kind": "sin"})
    assert "error" not in content and len(buffers) == 1


def test_values_that_no_control_can_take_are_refused(monkeypatch: pytest.MonkeyPatch):
    assert "k cannot be 99" in ask(wave(), monkeypatch, values={"k": 99, "kind": "sin"})[0]["error"]


def test_the_first_draw_raises_in_the_cell():
    def broken(artists: dict, **controls: object) -> None:
        raise ZeroDivisionError("at once")

    with pytest.raises(ZeroDivisionError, match="at once"):
        wave(update=broken)


def test_goals_declared_and_goals_written_must_agree():
    with pytest.raises(ValueError, match="five"):
        wave(goals={})


def test_the_first_picture_comes_with_the_widget():
    live = wave()
    assert live.first["say"] == "2 waves from 0"
    assert pixels(live.first_png).shape == (200, 300, 3)


def test_a_narrow_page_gets_its_own_picture(monkeypatch: pytest.MonkeyPatch):
    live = wave(narrow=(200, 260))
    values = {"k": 2, "kind": "sin"}
    assert live.declaration["narrow"] == (200, 260)
    assert pixels(ask(live, monkeypatch, values=values, layout="narrow")[1][0]).shape == (260, 200, 3)
    assert pixels(ask(live, monkeypatch, values=values, layout="wide")[1][0]).shape == (200, 300, 3)
    assert pixels(ask(wave(), monkeypatch, values=values, layout="narrow", ratio=1.5)[1][0]).shape == (
        300,
        450,
        3,
    )


def test_the_still_comes_first_and_the_live_picture_second(displayed: list[dict]):
    kernel.show_drawn(WAVE, wave_setup, wave_update, wave_describe, WAVE_GOALS)
    still, live = displayed
    assert pixels(still["image/png"]).any() and still["text/plain"] == "2 waves from 0"
    assert base.WIDGET_VIEW in live


# ------------------------------------------------------------------ from a drawing to MNIST's picture
def test_real_digits_elsewhere_and_of_other_size_come_back_near_themselves(test_set):
    images = test_set[0][:100, 0].numpy()
    distances, chance = [], []
    for i, image in enumerate(images):
        large = np.asarray(
            Image.fromarray((image * 255).astype(np.uint8)).resize((70, 70), Image.Resampling.BICUBIC)
        )
        raster = np.zeros((digits.RASTER, digits.RASTER), np.float32)
        top, left = (i * 7) % 42, (i * 13) % 42
        raster[top : top + 70, left : left + 70] = large / 255
        back = digits.to_mnist(raster)
        distances.append(np.abs(back - image).mean())
        chance.append(np.abs(back - images[i - 1]).mean())
    # Against another digit it is about 0.15; what remains is scaling and a centre rounded to whole pixels.
    assert np.mean(distances) < 0.045
    assert np.max(distances) < 0.12
    assert np.mean(chance) > 0.12


def test_where_and_how_large_a_drawing_is_makes_no_difference():
    strokes = drawing("5")
    there = digits.to_mnist(digits.rasterise([0.5 * stroke + 0.01 for stroke in strokes], pen=digits.PEN / 2))
    here = digits.to_mnist(digits.rasterise(strokes))
    assert np.abs(there - here).mean() < 0.02


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_the_picture_is_scaled_and_centred_as_mnist_is(name: str):
    picture = digits.to_mnist(digits.rasterise(drawing(name)))
    assert picture.shape == (28, 28) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1
    rows, columns = np.nonzero(picture > 0)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == digits.BOX
    for axis in (0, 1):
        mass = picture.sum(axis=1 - axis)
        assert abs((mass * np.arange(28)).sum() / mass.sum() - 14) < 1.1


def test_nothing_drawn_is_an_empty_picture():
    assert not digits.to_mnist(np.zeros((112, 112))).any()
    assert not digits.shrink(np.zeros((112, 112))).any()
    assert not digits.rasterise([]).any()


@pytest.mark.parametrize("at", [(0, 0), (111, 111), (56, 3)])
def test_one_dot_anywhere_is_a_picture(at: tuple[int, int]):
    raster = np.zeros((112, 112), np.float32)
    raster[at] = 1
    assert np.isfinite(digits.to_mnist(raster)).all() and digits.to_mnist(raster).sum() > 100


@pytest.mark.parametrize("shape", [(1, 112), (112, 1)])
def test_a_hairline_keeps_a_pixel_of_width(shape: tuple[int, int]):
    assert digits.to_mnist(np.ones(shape)).sum() == pytest.approx(20)


def test_the_pen_draws_lines_and_dots_of_its_width():
    line = digits.rasterise([np.array([[0.25, 0.5], [0.75, 0.5]])], size=100, pen=0.1)
    assert line[:, 50].sum() == pytest.approx(10, abs=0.5)
    assert line[50, :20].sum() == 0 and line[50, 30] == 1
    dot = digits.rasterise([np.array([[0.5, 0.5]])], size=100, pen=0.1)
    assert dot.sum() == pytest.approx(np.pi * 25, rel=0.05)


def test_moving_by_whole_pixels_loses_what_leaves():
    picture = np.arange(784, dtype=np.float32).reshape(28, 28)
    moved = digits.move(picture, 3, -2)
    assert np.array_equal(moved[:26, 3:], picture[2:, :25])
    assert not moved[26:].any() and not moved[:, :3].any()
    for far in (28, 40, -28, -99):
        assert not digits.move(picture, far, 0).any() and not digits.move(picture, 0, far).any()


def test_a_picture_turns_counterclockwise_about_its_middle():
    picture = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    turned = digits.transform(picture, 0, 0, 90, 0, False)
    assert np.allclose(turned, np.rot90(picture), atol=1e-5)
    assert np.allclose(digits.transform(picture, 0, 0, -180, 0, False), picture[::-1, ::-1], atol=1e-4)


def test_noise_is_the_same_each_time_and_stays_in_range():
    picture = np.zeros((28, 28), np.float32)
    first, second = (digits.transform(picture, 0, 0, 0, 1, False) for _ in range(2))
    assert np.array_equal(first, second) and first.std() > 0.2
    assert first.min() >= 0 and first.max() <= 1
    assert np.allclose(digits.transform(picture, 0, 0, 0, 1, True), 1 - first)


# ------------------------------------------------------------------ networks of every kind
def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 24 * 24, 10)
    )


class NoParameters(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :10]


@pytest.mark.parametrize(
    "net",
    [
        nn.Linear(784, 10),
        nn.Linear(784, 10).double(),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        nn.Sequential(nn.Linear(784, 10), nn.Softmax(dim=1)),
        nn.Sequential(nn.Linear(784, 10), nn.LogSoftmax(dim=1)),
        convolutional(),
        NoParameters(),
    ],
)
def test_any_network_that_tells_ten_digits_apart_is_taken(net: nn.Module):
    pictures = torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(0))
    found = digits.Classifier(net)(pictures)
    assert found.shape == (3, 10) and np.allclose(found.sum(axis=1), 1)


def test_probabilities_are_not_pressed_through_softmax_again():
    net = nn.Linear(784, 10)
    pictures = torch.rand(3, 28, 28)
    logits = digits.Classifier(net)(pictures)
    ready = digits.Classifier(nn.Sequential(net, nn.Softmax(dim=1)))(pictures)
    assert np.allclose(logits, ready, atol=1e-6)


@pytest.mark.parametrize("net", [nn.Linear(784, 3), nn.Linear(5, 10), nn.Conv2d(1, 4, 3)])
def test_other_networks_are_refused_with_what_they_did(net: nn.Module):
    with pytest.raises(ValueError, match=r"(?s)ten digits apart.*given \(B, 784\).*given \(B, 1, 28, 28\)"):
        digits.Classifier(net)


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"torch\.nn\.Module, not function"):
        digits.Classifier(lambda x: x)  # type: ignore[arg-type]


def test_a_network_that_diverged_is_named_as_such():
    net = nn.Linear(784, 10)
    nn.init.constant_(net.weight, float("nan"))
    with pytest.raises(ValueError, match="diverged"):
        draw_digit(net)


def test_asking_leaves_the_network_as_it_was():
    net = convolutional()
    net[1].eval()  # one part frozen, the rest in training, as learners do
    before = net[1].running_mean.clone()
    classify = digits.Classifier(net)
    classify(torch.rand(2, 28, 28))
    assert [part.training for part in net] == [True, False, True, True, True]
    assert torch.equal(net[1].running_mean, before)
    assert all(p.grad is None for p in net.parameters())


def test_the_network_is_asked_as_it_is_now():
    net = nn.Linear(784, 10)
    classify = digits.Classifier(net)
    nn.init.zeros_(net.weight)
    with torch.no_grad():
        net.bias.copy_(torch.arange(10.0) * 9)
    assert classify(torch.rand(1, 28, 28)).argmax() == 9


# ------------------------------------------------------------------ draw_digit
@pytest.mark.parametrize("digit", DIGITS)
def test_the_digits_drawn_for_the_learner_are_read_rightly(classify: digits.Classifier, digit: str):
    reading = drawing_pad.read(classify, digits.rasterise(drawing(digit)), centre=True)
    assert reading.answer == int(digit)
    assert reading.sure > 0.6


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("nodigit", [True, False])
@pytest.mark.parametrize("dx, dy", [(0, 0), (28, -28), (-3, 2)])
@pytest.mark.parametrize("name", ["empty", "7", "house", "full"])
def test_every_end_of_the_pad_gives_finite_answers(
    classify, name: str, centre: bool, nodigit: bool, dx: int, dy: int
):
    raster = {"empty": np.zeros((112, 112)), "full": np.ones((112, 112))}.get(name)
    raster = digits.rasterise(drawing(name)) if raster is None else raster
    reading = drawing_pad.read(classify, raster, centre=centre, dx=dx, dy=dy)
    controls = {"centre": centre, "nodigit": nodigit, "dx": dx, "dy": dy, "sample": ""}
    words = drawing_pad.describe_drawing(reading, **controls)
    assert words.endswith(".") and "nan" not in words and "None" not in words
    assert np.isfinite(reading.picture).all()
    if reading.probabilities is not None:
        assert reading.probabilities.sum() == pytest.approx(1)
    for holds in drawing_pad.DRAW_GOALS.values():
        assert holds(reading, **controls) in (True, False)


def test_an_empty_pad_asks_to_draw_a_digit(classify: digits.Classifier):
    reading = drawing_pad.read(classify, np.zeros((112, 112)), centre=True)
    assert reading.answer is None
    assert drawing_pad.describe_drawing(reading, centre=True, nodigit=False).startswith("Draw a digit")


def test_centred_a_move_changes_nothing_and_uncentred_it_does(classify: digits.Classifier):
    raster = digits.rasterise(drawing("4"))
    here, there = (drawing_pad.read(classify, raster, centre=True, dx=dx) for dx in (0, 6))
    assert np.array_equal(here.picture, there.picture)
    here, there = (drawing_pad.read(classify, raster, centre=False, dx=dx) for dx in (0, 6))
    assert np.array_equal(here.picture[:, :22], there.picture[:, 6:])
    assert there.before == here.answer


def test_the_goals_of_the_pad_are_within_reach(classify: digits.Classifier):
    goals = drawing_pad.DRAW_GOALS
    controls = {"centre": True, "nodigit": False, "dx": 0, "dy": 0}
    seven = drawing_pad.read(classify, digits.rasterise(drawing("7")), centre=True)
    assert goals["seven"](seven, **controls)
    assert not goals["nodigit"](seven, **controls)
    shapes = [
        drawing_pad.read(classify, digits.rasterise(drawing(n)), centre=True) for n in drawing_pad._SHAPES
    ]
    assert any(goals["nodigit"](shape, **(controls | {"nodigit": True})) for shape in shapes)
    reach = range(-drawing_pad.REACH, drawing_pad.REACH + 1)
    for digit in DIGITS:
        raster = digits.rasterise(drawing(digit))
        moves = [controls | {"centre": False, "dx": dx, "dy": dy} for dx in reach for dy in reach]
        readings = (drawing_pad.read(classify, raster, centre=False, dx=m["dx"], dy=m["dy"]) for m in moves)
        assert any(goals["moved"](r, **m) for r, m in zip(readings, moves, strict=True)), digit
    assert not goals["moved"](seven, **(controls | {"dx": 2}))


def test_the_pad_answers_with_the_picture_and_ten_probabilities(classify, monkeypatch: pytest.MonkeyPatch):
    live = drawing_pad.DrawExplorer(classify)
    raster = (digits.rasterise(drawing("7")) * 255).astype(np.uint8)
    values = {"sample": "", "centre": True, "nodigit": False}
    content, buffers = ask(live, monkeypatch, [raster.tobytes()], values=values, dx=0, dy=0)
    assert content["answer"] == 7 and len(content["probabilities"]) == 10 and content["goals"] == ["seven"]
    seen = np.frombuffer(buffers[0], np.uint8).reshape(28, 28) / 255
    assert np.abs(seen - digits.to_mnist(raster / 255)).max() < 0.01
    empty, _ = ask(live, monkeypatch, [bytes(112 * 112)], values=values, dx=0, dy=0)
    assert empty["answer"] is None and empty["probabilities"] is None and empty["goals"] == []


def test_the_pads_still_shows_what_the_given_network_says(model: nn.Module, displayed: list[dict]):
    assert draw_digit(model) is None
    still, live = displayed
    assert "says 3" in still["text/plain"] and base.WIDGET_VIEW in live
    assert len(still["image/png"]) < 60_000
    displayed.clear()
    draw_digit(nn.Linear(784, 10))
    assert displayed[0]["image/png"] != still["image/png"]


# ------------------------------------------------------------------ shift_digit
def test_every_setting_of_shift_digit_draws_and_says(scene: shifting._Shift):
    painter = kernel.Painter(scene.setup, scene.update, (640, 400))
    declaration = scene.declaration
    assert declaration.defaults()["digit"] == "7"
    settings = list(declaration.extremes())
    assert {s["digit"] for s in settings} == set(DIGITS)
    for number, values in enumerate(settings):
        verdict = scene.update(painter.artists, **values)
        assert np.isfinite(verdict.probabilities).all() and verdict.probabilities.sum() == pytest.approx(1)
        words = scene.describe(verdict, **values)
        assert "nan" not in words and words.endswith(".")
        assert all(isinstance(bool(holds(verdict, **values)), bool) for holds in scene.goals.values())
        if number % 40 == 0:
            assert pixels(painter.png(**values)).shape == (400, 640, 3)


def test_the_bars_are_the_networks_probabilities(scene: shifting._Shift, model: nn.Module):
    painter = kernel.Painter(scene.setup, scene.update, (640, 400))
    picture = scene.pictures["3"]
    values = {"digit": "3", "dx": 4, "dy": -1, "rotation": 30, "noise": 0.2, "invert": True}
    scene.update(painter.artists, **values)
    changed = digits.transform(picture, 4, -1, 30, 0.2, True)
    expected = model(torch.from_numpy(changed).reshape(1, 784)).softmax(1)[0]
    assert np.allclose([bar.get_width() for bar in painter.artists["rows"]], expected.detach(), atol=1e-5)
    assert np.array_equal(painter.artists["image"].get_array(), changed)


def test_words_name_each_change(scene: shifting._Shift):
    verdict = digits_verdict(7, 5)
    values = {"digit": "7", "dx": -3, "dy": 2, "rotation": -90, "noise": 0.5, "invert": True}
    words = scene.describe(verdict, **values)
    assert words == (
        "A 7, moved 3 left and 2 down, turned by −90°, with noise 0.50, inverted. "
        "The network says 5, with 90.0%, which is wrong: it is a 7."
    )
    plain = scene.describe(digits_verdict(8, 8), digit="8", dx=0, dy=0, rotation=0, noise=0, invert=False)
    assert plain == "An 8. The network says 8, with 90.0%, which is right."


def digits_verdict(truth: int, answer: int, sure: float = 0.9) -> shifting.Verdict:
    probabilities = np.full(10, (1 - sure) / 9)
    probabilities[answer] = sure
    return shifting.Verdict(probabilities, truth)


def test_goals_of_shift_digit_know_what_counts(scene: shifting._Shift):
    still = {"digit": "7", "dx": 3, "dy": -3, "rotation": 0, "noise": 0, "invert": False}
    wrong, right = digits_verdict(7, 2), digits_verdict(7, 7)
    near = scene.goals["near"]
    assert near(wrong, **still) and not near(right, **still)
    for change in ({"dx": 4}, {"dy": -4}, {"rotation": 5}, {"noise": 0.05}, {"invert": True}):
        assert not near(wrong, **(still | change))
    assert not scene.goals["sure"](wrong, **still), "90% is not more than 90%"
    assert scene.goals["sure"](digits_verdict(7, 2, 0.91), **still)
    assert not scene.goals["sure"](digits_verdict(7, 7, 0.99), **still)
    turned = scene.goals["turned"]
    assert turned(digits_verdict(6, 9), **(still | {"digit": "6", "rotation": 180}))
    assert not turned(digits_verdict(6, 8), **(still | {"digit": "6", "rotation": 180}))
    assert not turned(wrong, **still)


def test_goals_of_shift_digit_are_within_reach(scene: shifting._Shift):
    def reached(name: str, settings: list[dict]) -> bool:
        axes = kernel.Painter(scene.setup, scene.update).artists
        return any(scene.goals[name](scene.update(axes, **values), **values) for values in settings)

    still = {"digit": "3", "dx": 0, "dy": 0, "rotation": 0, "noise": 0, "invert": False}
    moves = [still | {"dx": dx, "dy": dy} for dx in (-3, 3) for dy in (-3, 0, 3)]
    assert reached("near", moves)
    assert reached("sure", [still | {"dx": dx, "rotation": r} for dx in (-4, 4) for r in (-90, 90, 180)])
    assert reached("turned", [still | {"digit": "6", "rotation": r} for r in range(-180, 181, 5)])


@pytest.mark.parametrize("form", ["bytes", "flat", "channel", "arrays"])
def test_images_in_every_usual_form(classify: digits.Classifier, test_set, form: str):
    X, y = test_set[0][:300], test_set[1][:300]
    expected = shifting.examples(classify, X, y)
    images = {
        "bytes": (X[:, 0] * 255).round().to(torch.uint8),
        "flat": X.reshape(300, 784),
        "channel": X,
        "arrays": X.numpy(),
    }[form]
    found = shifting.examples(classify, images, y.numpy() if form == "arrays" else y)
    assert all(np.allclose(found[d], expected[d], atol=1e-6) for d in expected) and list(found) == list(
        expected
    )


def test_only_digits_that_are_there_are_offered(model: nn.Module, test_set, displayed: list[dict]):
    X, y = test_set
    few = (y == 1) | (y == 8)
    classify = digits.Classifier(model)
    some = shifting._Shift(classify, shifting.examples(classify, X[few], y[few]))
    assert some.declaration.controls[0].ends() == ("1", "8")
    assert "turned" not in some.goals
    shift_digit(model, X[few], y[few])
    assert base.WIDGET_VIEW in displayed[1]


def test_images_and_labels_that_do_not_fit_are_refused(classify: digits.Classifier):
    for images, labels in (
        (torch.rand(3, 28, 28), [1, 2]),
        (torch.rand(2, 5, 5), [1, 2]),
        (torch.rand(0, 28, 28), []),
    ):
        with pytest.raises(ValueError, match="28 × 28"):
            shifting.examples(classify, images, labels)


def test_a_network_that_gets_nothing_right_still_has_a_picture(test_set, displayed: list[dict]):
    net = nn.Linear(784, 10)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    shift_digit(net, *test_set)
    assert "leaves" in displayed[0]["text/plain"]


def test_the_still_of_shift_digit_tells_of_a_changed_answer(
    scene: shifting._Shift, displayed: list[dict], model, test_set
):
    shift_digit(model, *test_set)
    assert "turns a 7 into" in displayed[0]["text/plain"]
    assert len(displayed[0]["image/png"]) < 60_000


# ------------------------------------------------------------------ style
def test_no_words_in_the_pictures_are_small(scene: shifting._Shift):
    for size in ((640, 400), (340, 600)):
        painter = kernel.Painter(scene.setup, scene.update, size)
        painter.draw(**scene.declaration.defaults())
        texts = [t for t in painter.figure.findobj(lambda a: hasattr(a, "get_fontsize")) if t.get_text()]
        assert texts and min(t.get_fontsize() for t in texts) >= 12


def test_css_of_the_pad_has_no_small_words():
    css = Path(base.HERE, "draw_digit.css").read_text(encoding="utf-8")
    sizes = [int(part.split("px")[0]) for part in css.split("font-size:")[1:]]
    assert sizes and min(sizes) >= 13
