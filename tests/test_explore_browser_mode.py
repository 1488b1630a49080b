"""What the browser-mode explorers compute, draw and say, without a browser."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.nn import functional as F

from utils.explore import base

# By name: in the package, these names are the functions that learners call.
neuron = importlib.import_module("utils.explore.neuron")
activation = importlib.import_module("utils.explore.activation")
replay = importlib.import_module("utils.explore.replay")
predict = importlib.import_module("utils.explore.predict")


def drawn(draw, **controls) -> Figure:
    """Draw with every warning an error, and return the figure after looking for NaN in it."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(figure, **controls)
        figure.canvas.draw()
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
        for collection in axes.collections:
            assert np.isfinite(np.ma.filled(collection.get_offsets(), np.nan)).all()
    return figure


def finite(value) -> bool:
    """Whether plain data holds no NaN and no infinity."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("module", [neuron, activation], ids=["neuron", "activation"])
def test_no_end_of_any_control_breaks_it(module):
    for controls in module.DECLARATION.extremes():
        assert finite(module.compute(**controls)), controls
        words = module.describe(**controls)
        assert 20 < len(words) < 260 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words
        drawn(module.draw, **controls)


@pytest.mark.parametrize("module", [neuron, activation], ids=["neuron", "activation"])
def test_the_still_is_small_and_telling(module):
    png = base.still_png(module.draw, **module.STILL)
    module.DECLARATION.check(**module.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20


# ------------------------------------------------------------------ neuron
@pytest.mark.parametrize("points", neuron.POINTS)
def test_the_neuron_says_what_torch_says(points: str):
    X = torch.tensor(neuron.POINTS[points]["X"], dtype=torch.float64)
    y = torch.tensor(neuron.POINTS[points]["y"])
    random = torch.Generator().manual_seed(1)
    for w1, w2, b in torch.randint(-30, 31, (200, 3), generator=random).double() / 10:
        z = X @ torch.stack([w1, w2]) + b
        state = neuron.compute(points, w1.item(), w2.item(), b.item())
        assert torch.allclose(torch.tensor(state["z"], dtype=torch.float64), z, atol=1e-12, rtol=0)
        says = (z.round(decimals=9) >= 0).long()
        assert state["says"] == says.tolist()
        assert state["wrong"] == (says != y).nonzero().flatten().tolist()
        assert state["right"] == int((says == y).sum())


def test_a_point_on_the_line_is_called_1_whatever_the_rounding():
    # 0.1 + 0.2 − 0.3 is not 0 in binary; on paper the point (1, 1) lies on this line.
    for sign in (1, -1):
        state = neuron.compute("AND", sign * 0.1, sign * 0.2, -sign * 0.3)
        assert state["says"][3] == 1


@pytest.mark.parametrize("points", ["AND", "blobs"])
def test_the_arrow_stands_on_the_line_and_in_the_picture(points: str):
    low, high = neuron.POINTS[points]["low"], neuron.POINTS[points]["high"]
    seen = 0
    for w1, w2, b in itertools.product(
        (-3.0, -0.7, 0.0, 1.0, 2.9), (-2.0, 0.0, 0.4, 3.0), (-4.0, -0.9, 0.0, 1.5, 4.0)
    ):
        state = neuron.compute(points, w1, w2, b)
        corners = [w1 * x + w2 * y + b for x in (low, high) for y in (low, high)]
        assert state["in_view"] == (min(corners) < 0 < max(corners))
        if state["in_view"]:
            seen += 1
            x, y = state["foot"]
            assert abs(w1 * x + w2 * y + b) < 1e-9
            assert low <= x <= high and low <= y <= high
            assert state["distance"] == pytest.approx(abs(b) / math.hypot(w1, w2))
    assert seen > 40


def test_without_weights_there_is_no_line_and_the_sentence_says_why():
    state = neuron.compute("OR", 0.0, 0.0, -1.0)
    assert (state["norm"], state["foot"], state["distance"], state["in_view"]) == (0, None, None, False)
    assert "no line" in neuron.describe("OR", 0.0, 0.0, -1.0)
    assert "says 0 to all" in neuron.describe("OR", 0.0, 0.0, -1.0)
    assert "outside the picture" in neuron.describe("OR", 0.1, 0.1, 4.0)


def _every_setting(points: str) -> torch.Tensor:
    """Return how many points are right for every setting of the three sliders."""
    sliders = [c for c in neuron.CONTROLS if isinstance(c, base.Slider)]
    ranges = [torch.arange(round((s.maximum - s.minimum) / s.step) + 1) * s.step + s.minimum for s in sliders]
    w1, w2, b = torch.meshgrid(*[r.double() for r in ranges], indexing="ij")
    right = torch.zeros_like(w1)
    for (x1, x2), true in zip(neuron.POINTS[points]["X"], neuron.POINTS[points]["y"], strict=True):
        right += (w1 * x1 + w2 * x2 + b > -1e-9).long() == true
    return right


def test_xor_has_no_better_answer_than_three_of_four():
    right = _every_setting("XOR")
    assert right.max() == 3


@pytest.mark.parametrize("points", ["AND", "OR", "NAND", "blobs"])
def test_the_other_sets_can_be_got_right_with_the_sliders(points: str):
    right = _every_setting(points)
    best = len(neuron.POINTS[points]["y"])
    share = (right == best).double().mean().item()
    assert 0 < share < 0.2, f"{points}: right at {share:.2%} of the settings"


def test_no_preset_gives_the_goals_away():
    for preset in ({}, *(dict(p.values) for p in neuron.PRESETS)):
        for points, enough in (("AND", 4), ("blobs", 32), ("XOR", 3)):
            state = neuron.compute(**(neuron.DECLARATION.defaults() | preset | {"points": points}))
            assert state["right"] < enough, (points, preset)
    for preset in ({}, *(dict(p.values) for p in activation.PRESETS)):
        controls = activation.DECLARATION.defaults() | preset
        state = activation.compute(**controls)
        assert not (controls["kind"] == "sigmoid" and state["slope"] > 0.2)
        assert not (controls["kind"] == "relu" and state["slope"] == 0)
        assert controls["kind"] != "tanh"


def test_the_neurons_picture_rings_what_is_wrong():
    axes = drawn(neuron.draw, points="XOR", w1=1.0, w2=1.0, b=-0.5).axes[0]
    rings = [c for c in axes.collections if c.get_label() == "wrong"]
    assert [list(r.get_offsets()[0]) for r in rings] == [[1, 1]]
    assert axes.get_title("right") == "3 of 4 right"


# ------------------------------------------------------------------ activation
TORCH = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "leaky_relu": F.leaky_relu,
    "elu": F.elu, "gelu": F.gelu, "silu": F.silu, "identity": lambda z: z * 1,
}  # fmt: skip


@pytest.mark.parametrize("kind", TORCH)
def test_values_and_slopes_are_torchs(kind: str):
    z = torch.linspace(-8, 8, 641, dtype=torch.float64, requires_grad=True)
    f = TORCH[kind](z)
    (slope,) = torch.autograd.grad(f.sum(), z)
    ours = torch.tensor([activation.value_and_slope(kind, x) for x in z.tolist()], dtype=torch.float64)
    assert torch.allclose(ours[:, 0], f.detach(), atol=1e-14, rtol=1e-12)
    # torch takes 1 − tanh² for tanh's slope, which loses digits far out; ours is 1/cosh².
    assert torch.allclose(ours[:, 1], slope, atol=1e-15, rtol=1e-9)


def test_the_step_is_torchs_with_one_at_zero_and_without_slope():
    z = torch.linspace(-8, 8, 161, dtype=torch.float64)
    heaviside = torch.heaviside(z, torch.ones((), dtype=torch.float64))
    assert [activation.value_and_slope("step", x)[0] for x in z.tolist()] == heaviside.tolist()
    assert {activation.value_and_slope("step", x)[1] for x in z.tolist()} == {0.0}


def test_every_function_of_the_menu_exists_and_no_other():
    for kind, _ in activation.KINDS:
        activation.value_and_slope(kind, 0.3)
    with pytest.raises(ValueError, match="no activation 'relu6'"):
        activation.value_and_slope("relu6", 0.3)


def test_far_out_nothing_overflows():
    for kind, _ in activation.KINDS:
        for z in (-700.0, 700.0):
            assert finite(activation.value_and_slope(kind, z)), kind


@pytest.mark.parametrize(
    ("kind", "largest"), [("sigmoid", 0.25), ("tanh", 1.0), ("relu", 1.0), ("step", 0.0)]
)
def test_largest_slopes(kind: str, largest: float):
    assert activation.largest_slope(kind) == pytest.approx(largest, abs=1e-12)


def test_what_survives_is_the_slope_to_the_power_of_the_layers():
    state = activation.compute("sigmoid", 0.0, 4)
    assert state["surviving"] == pytest.approx([0.25, 0.0625, 0.015625, 0.00390625])
    z = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    torch.tanh(z).backward()
    assert activation.compute("tanh", 1.3, 7)["surviving"][-1] == pytest.approx(z.grad.item() ** 7)


def test_sigmoid_saturates_at_six_and_relu_below_zero():
    low, high = activation.compute("sigmoid", 0.0, 1)["zones"]
    assert low == [-8.0, pytest.approx(-6.0, abs=0.06)] and high == [pytest.approx(6.0, abs=0.06), 8.0]
    assert activation.compute("relu", 0.0, 1)["zones"] == [[-8.0, 0.0]]
    assert activation.compute("identity", 0.0, 1)["zones"] == []
    assert activation.compute("leaky_relu", -1.0, 1)["saturated"] is False
    assert activation.compute("sigmoid", 6.1, 1)["saturated"] is True
    assert "saturated" in activation.describe("sigmoid", 6.1, 1)


def test_the_challenge_holds_up_to_the_z_that_its_text_names():
    slider = next(c for c in activation.CONTROLS if c.name == "z")
    edge = math.acosh(2 ** (1 / 40))  # 1/cosh²⁰ = 1/2 twenty times over
    assert 0.18 < edge < 0.19
    zs = [slider.minimum + i * slider.step for i in range(321)]
    keeps = [z for z in zs if activation.compute("tanh", z, 20)["surviving"][-1] >= 0.5]
    assert keeps and all(abs(z) < 0.19 for z in keeps)


@pytest.mark.parametrize(
    ("x", "words"),
    [(0.0, "exactly 0"), (0.105, "0.105"), (1.0, "1.000"), (37.99, "38.0"), (1.6e-10, "1.6×10⁻¹⁰"),
     (9.96e-5, "1.0×10⁻⁴"),     (3.2e-20, "3.2×10⁻²⁰")],
)  # fmt: skip
def test_amounts_in_words(x: float, words: str):
    assert activation.amount(x) == words


# ------------------------------------------------------------------ replay
X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
AND = [0, 0, 0, 1]


def learn(X=X, y=AND, epochs: int = 20) -> list[tuple]:
    """The perceptron rule as lesson 01 writes it."""
    points, classes = torch.tensor(X), torch.tensor(y)
    w, b, history = torch.zeros(2), torch.tensor(0.0), []
    for _ in range(epochs):
        for i in range(len(points)):
            error = classes[i] - (points[i] @ w + b >= 0).long()
            if error != 0:
                w, b = w + error * points[i], b + error
                history.append((w.clone(), b.clone(), i))
    return history


def test_the_replay_follows_the_rule_from_start_to_end():
    history = learn()
    data = replay.prepare(torch.tensor(X), torch.tensor(AND), history)
    assert len(data["steps"]) == len(history) + 1
    assert replay.compute(data, 0)["index"] is None
    for k in range(1, len(history) + 1):
        state = replay.compute(data, k)
        assert state["called"] == 1 - state["true"]
        sign = 1 if state["true"] else -1
        assert state["dw"] == [sign * c for c in X[state["index"]]] and state["db"] == sign
        assert state["index"] in state["wrong_before"]
    assert replay.compute(data, len(history))["wrong"] == []


def test_the_sentence_says_what_the_update_did():
    data = replay.prepare(X, AND, [((0, 0), -1, 0), ((1, 1), 0, 3), ((0.5, 1), 0.5, 2)])
    assert replay.describe(data, 0) == "Start: w = (0, 0), b = 0. 3 of 4 points are wrong."
    assert replay.describe(data, 1) == (
        "Update 1: point (0, 0) of class 0 was called 1; w moves by −x = (0, 0) to (0, 0), b by −1 to −1. "
        "1 of 4 points is wrong now."
    )
    assert (
        "point (1, 1) of class 1 was called 0; w moves by x = (1, 1) to (1, 1), b by 1 to 0."
        in replay.describe(data, 2)
    )
    # A push that is not the rule's is told as it is.
    assert "w moves by (−0.5, 0) to (0.5, 1), b by 0.5 to 0.5" in replay.describe(data, 3)


def test_an_update_on_a_right_point_is_told():
    data = replay.prepare(X, AND, [((0, 0), 1, 3)])
    assert "was called 1, which was right already" in replay.describe(data, 1)


def test_entries_may_be_dicts_and_the_start_may_be_given():
    data = replay.prepare(
        np.array(X), np.array(AND),
        [{"w": np.ones(2), "b": 0.5, "index": None},
         {"w": torch.zeros(1, 2), "b": torch.tensor([-0.5]), "index": torch.tensor(0)}],
    )  # fmt: skip
    assert data["steps"] == [
        {"w": [1.0, 1.0], "b": 0.5, "index": None},
        {"w": [0.0, 0.0], "b": -0.5, "index": 0},
    ]


ENTRY = ((1.0, 0.0), 0.0, 0)


@pytest.mark.parametrize(
    ("points", "classes", "history", "message"),
    [
        (torch.zeros(3, 4), [0, 1, 0], [ENTRY], r"X must have shape \(N, 2\).*\(3, 4\)"),
        (torch.zeros(0, 2), [], [ENTRY], "X must have shape"),
        (X, [0, 1], [ENTRY], r"y must have shape \(4,\)"),
        (X, [-1, 1, 1, 1], [ENTRY], "classes in y must be 0 and 1"),
        ([[math.nan, 0.0]], [0], [ENTRY], "X holds NaN"),
        ([["a", "b"]], [0], [ENTRY], "X must hold numbers"),
        (torch.zeros(501, 2), torch.zeros(501), [ENTRY], "at most 500"),
        (X, AND, [], "the history holds no update"),
        (X, AND, [((0, 0), 0, None)], "the history holds no update"),
        (X, AND, [ENTRY] * 1001, "at most 1000"),
        (X, AND, [((1.0, 0.0), 0.0)], "entry 0 of the history must be"),
        (X, AND, [{"w": (1, 0), "b": 0}], "entry 0 of the history must be"),
        (X, AND, [((1.0, 0.0, 2.0), 0.0, 0)], "needs two weights"),
        (X, AND, [ENTRY, ((math.inf, 0.0), 0.0, 0)], "w of entry 1 holds NaN or infinity"),
        (X, AND, [((1.0, 0.0), 0.0, 4)], "names point 4, but there are 4"),
        (X, AND, [ENTRY, ((1.0, 0.0), 0.0, None)], "update 2 names no point|update 1 names no point"),
    ],
)
def test_a_wrong_record_is_named(points, classes, history, message: str):
    with pytest.raises(ValueError, match=message):
        replay.prepare(points, classes, history)


@pytest.mark.parametrize(
    "record",
    [(X, AND, learn()), ([[2.0, 2.0]], [0], [((-2, -2), -1, 0)]), (X, [0, 1, 1, 0], learn(y=[0, 1, 1, 0]))],
)
def test_the_replay_draws_at_both_ends(record):
    data = replay.prepare(*record)
    declaration = replay.declaration(data)
    for controls in declaration.extremes():
        assert finite(replay.compute(data, controls["update"]))
        assert len(replay.describe(data, controls["update"])) < 260
    last = len(data["steps"]) - 1
    assert len(drawn(replay.draw, data=data, updates=[0, last]).axes) == 2


def test_the_challenge_of_the_replay_is_only_set_where_it_can_be_met():
    spoiling = replay.declaration(replay.prepare(X, AND, learn()))
    assert [goal.id for goal in spoiling.goals] == ["end", "worse"]
    smooth = replay.declaration(replay.prepare([[0.0, 0.0]], [0], [((0, 0), -1, 0)]))
    assert [goal.id for goal in smooth.goals] == ["end"]


def test_the_replay_with_many_points_stays_small(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw, **_: shown.append(bundle))
    random = torch.Generator().manual_seed(0)
    points = torch.randn(500, 2, generator=random)
    classes = (points[:, 0] + 0.3 * torch.randn(500, generator=random) > 0).long()
    replay.replay_perceptron(points, classes, learn(points.tolist(), classes.tolist(), epochs=3))
    assert len(shown[0]["image/png"]) < 60_000
    assert "Update 1:" in shown[0]["text/plain"]


# ------------------------------------------------------------------ predict
ASK = {
    "question": "Is <b>2</b> > 1?",
    "options": ["yes & <i>always</i>", "no"],
    "answer": "yes & <i>always</i>",
    "explanation": "1 < 2.",
}


def test_the_answer_may_be_given_as_text_or_position():
    assert predict.compute(**ASK)["answer"] == predict.compute(**ASK | {"answer": 0})["answer"] == 0


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.outside, self.depth = [], "", 0

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.depth += tag == "details"

    def handle_endtag(self, tag):
        self.depth -= tag == "details"

    def handle_data(self, data):
        self.outside += "" if self.depth else data


def test_the_still_escapes_everything_and_folds_the_answer():
    html = predict.draw(**ASK)
    parsed = _Text()
    parsed.feed(html)
    assert set(parsed.tags) == {"div", "p", "strong", "ol", "li", "details", "summary"}
    assert parsed.outside == "Is <b>2</b> > 1?yes & <i>always</i>no"
    assert "1 &lt; 2." in html.split("<details>")[1]
    assert "1 < 2." not in predict.describe(**ASK)
    assert predict.describe(**ASK) == "Is <b>2</b> > 1?\nA. yes & <i>always</i>\nB. no"


def test_the_key_is_the_questions_own_unless_given():
    key = predict.compute(**ASK)["key"]
    assert key == predict.compute(**ASK | {"explanation": "other"})["key"]
    assert key != predict.compute(**ASK | {"question": "Other?"})["key"]
    assert predict.compute(**ASK, key="mine")["key"] == "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "maybe"}, "none of the options"),
        ({"answer": 2}, "none of the options"),
        ({"answer": -1}, "none of the options"),
        ({"answer": True}, "none of the options"),
        ({"options": ["one"], "answer": 0}, "at least two"),
        ({"options": "yes", "answer": 0}, "list of texts"),
        ({"options": ["yes", 2], "answer": 0}, "list of texts"),
        ({"options": ["a", "a"], "answer": 0}, "the same"),
        ({"question": " "}, "question"),
        ({"explanation": ""}, "explanation"),
    ],
)
def test_a_wrong_question_is_refused(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        predict.predict(**ASK | change)


QUESTIONS = sorted((predict.Path(predict.__file__).parent / "questions").glob("*.toml"))


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_every_question_of_a_lesson_can_be_asked_by_its_name(path):
    names = re.findall(r"^\[(\w+)\]", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert names
    for name in names:
        data = predict.compute(**predict.load_question(f"{path.stem[:2]}.{name}"))
        assert data["key"] == f"{path.stem[:2]}.{name}"
        assert data["options"][data["answer"]] in predict.draw(**data).replace("&#x27;", "'")


@pytest.mark.parametrize("name", ["01.no_such", "99.scale", "scale", "../01.scale", ""])
def test_an_unknown_question_is_named_with_those_there_are(name):
    with pytest.raises(ValueError, match="there is no question"):
        predict.load_question(name)
    with pytest.raises(ValueError, match=r"01\.scale"):
        predict.load_question("01.other")
