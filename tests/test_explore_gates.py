"""The gates explorer without a browser: torch's cells and gradients, sequences as typed, words, the still."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import random
import re
import warnings

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from utils.built.recurrent import lstm_step
from utils.explore import base

# By name: in the package, this name is the function that learners call.
gates = importlib.import_module("utils.explore.gates")

DEFAULTS = gates.DECLARATION.defaults()
ENDS = list(itertools.islice(gates.DECLARATION.extremes(), 0, None, 7))


def compute(**controls) -> dict:
    return gates.compute(**(DEFAULTS | controls))


def cells(controls: dict) -> tuple[torch.nn.LSTMCell, torch.nn.RNNCell]:
    """torch's own cells with the weights that the controls stand for; gates in torch's order i, f, g, o."""
    lstm, rnn = torch.nn.LSTMCell(1, 1).double(), torch.nn.RNNCell(1, 1).double()
    w = controls["recurrent"]
    with torch.no_grad():
        lstm.weight_ih.copy_(torch.tensor([[controls["weight"]], [0], [1], [0]], dtype=torch.float64))
        lstm.weight_hh.copy_(torch.tensor([[0], [0], [w], [0]], dtype=torch.float64))
        bias = [controls["input"], controls["forget"], 0, controls["output"]]
        lstm.bias_ih.copy_(torch.tensor(bias, dtype=torch.float64))
        rnn.weight_ih.fill_(1)
        rnn.weight_hh.fill_(w)
        for bias in (lstm.bias_hh, rnn.bias_ih, rnn.bias_hh):
            bias.zero_()
    return lstm, rnn


# ------------------------------------------------------------------ numbers
def test_states_and_gradients_are_torchs():
    chance = random.Random(2)
    for _ in range(25):
        count = chance.randint(1, 12)
        xs = [round(chance.gauss(0, 1.2), 2) for _ in range(count)]
        controls = {
            "sequence": " ".join(map(str, xs)),
            "forget": chance.uniform(-4, 8),
            "input": chance.uniform(-4, 4),
            "weight": chance.uniform(-8, 8),
            "output": chance.uniform(-4, 4),
            "recurrent": chance.uniform(-2, 2),
        }
        state = compute(**controls)
        lstm, rnn = cells(controls)
        h = c = plain = torch.zeros(1, 1, dtype=torch.float64)
        found: dict[str, list] = {"h": [], "c": [], "plain": []}
        for x in xs:
            X = torch.tensor([[x]], dtype=torch.float64)
            own = lstm_step(X, h, c, lstm.weight_ih, lstm.weight_hh, lstm.bias_ih)
            h, c = lstm(X, (h, c))
            torch.testing.assert_close(own, (h, c))
            # A state of its own to derive by, out of which h follows as the cell makes it.
            c = c.detach().requires_grad_() if not found["c"] else c
            h = torch.sigmoid(torch.tensor(controls["output"], dtype=torch.float64)) * torch.tanh(c)
            plain = rnn(X, plain)
            plain = plain.detach().requires_grad_() if not found["plain"] else plain
            for name, value in (("h", h), ("c", c), ("plain", plain)):
                found[name].append(value)
        for name, values in found.items():
            assert state[name] == pytest.approx([v.item() for v in values], abs=1e-12)
        for name, values in (("rnn_gradient", found["plain"]), ("lstm_gradient", found["c"])):
            torchs = torch.autograd.grad(values[-1], values, retain_graph=True)
            assert state[name] == pytest.approx([v.item() for v in torchs], rel=1e-9, abs=1e-15)


def test_the_first_step_has_no_factor_and_one_step_has_gradient_one():
    state = compute(sequence="0.5")
    assert state["rnn_factors"] == state["lstm_factors"] == [None]
    assert state["rnn_gradient"] == state["lstm_gradient"] == [1.0]
    assert compute(step=40, sequence="1 2 3")["at"] == 3


def test_the_slope_keeps_its_digits_where_tanh_is_flat():
    assert gates.slope(25.0) == pytest.approx(4 * math.exp(-50), rel=1e-9)
    assert gates.slope(0.0) == 1


# ------------------------------------------------------------------ reading a sequence
@pytest.mark.parametrize(
    ("text", "numbers", "marks"),
    [
        ("1", [1], ["1"]),
        (" 1, -0.5;+.25  −2. ", [1, -0.5, 0.25, -2], ["1", "−0.5", "0.25", "−2"]),
        ("1 3*0 2×-1", [1, 0, 0, 0, -1, -1], ["1", "0", "0", "0", "−1", "−1"]),
        ("Ann-o k", [1, -1, -1, 0, 1, 0, -1], ["A", "n", "n", "-", "o", "␣", "k"]),
        ("40*10", [10] * 40, ["10"] * 40),
    ],
)
def test_a_sequence_is_read_as_people_write_it(text: str, numbers: list, marks: list):
    assert gates.parse_sequence(text) == (numbers, marks, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write some numbers, or a word."),
        (" , ", "Write some numbers, or a word."),
        ("1 two", "“two” is no number. Write such as 1, -0.5 or 20*0; or letters alone."),
        ("averylongword1", "“averylong…” is no number."),
        ("naïve", "“naïve” is no number."),
        ("1e3", "“1e3” is no number."),
        ("11", "Numbers from −10 to 10 can be shown here."),
        ("0*1", "“0*1” is nothing: write at least 1 before the *."),
        ("999999*1", "Up to 40 steps can be shown here."),
        ("a" * 41, "Up to 40 steps can be shown here."),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str):
    numbers, marks, mistake = gates.parse_sequence(text)
    assert numbers is None and marks is None and mistake.startswith(words)
    assert gates.describe(**(DEFAULTS | {"sequence": text})) == f"Sequence not read yet. {mistake}"


# ------------------------------------------------------------------ what the goals ask for
def test_a_forget_gate_near_one_carries_the_first_value_and_a_low_one_does_not():
    for forget, kept in ((5.0, False), (5.5, True)):
        c = compute(forget=forget)["c"]
        assert len(c) == 21 and (c[20] / c[0] > 0.9) == kept


def test_only_a_gate_that_looks_at_x_keeps_the_noise_out():
    def kept(**controls) -> bool:
        state = compute(sequence=gates.NOISE, **controls)
        values = (state["c"][20] / state["c"][0], state["lstm_gradient"][0])
        return all(abs(v - 1) < 0.1 for v in values)

    assert len(compute(sequence=gates.NOISE)["x"]) == 21
    assert kept(forget=8.0, input=-8.0, weight=13.0)
    # Without a weight of x, the gate cannot tell the first number from the noise.
    assert not any(
        kept(forget=forget, input=bias, weight=0.0) for forget in range(1, 9) for bias in range(-8, 9)
    )


def test_a_gradient_explodes_where_tanh_is_steep_and_vanishes_where_it_is_flat():
    assert compute(sequence="21*0", recurrent=1.45)["rnn_gradient"][0] == pytest.approx(1.45**20)
    assert compute(sequence="21*1", recurrent=1.5)["rnn_gradient"][0] < 1e-9


# ------------------------------------------------------------------ words and pictures
def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = gates.compute(**controls)
        words = gates.describe(**controls)
        assert 20 < len(words) < 260 and not {"nan", "inf", "None"} & set(re.findall("[A-Za-z]+", words))
        if state["mistake"]:
            assert state["c"] is None and state["at"] is None
            continue
        for name in ("i", "f", "o"):
            assert all(0 <= v <= 1 for v in state[name])
        for name in ("c", "rnn_gradient", "lstm_gradient"):
            assert all(map(math.isfinite, state[name])), controls
        assert all(-1 <= v <= 1 for v in state["h"] + state["g"] + state["plain"])


@pytest.mark.parametrize("controls", [*ENDS[:3], ENDS[50]])
def test_the_picture_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8, 6), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gates.draw(figure, **controls)
        figure.canvas.draw()
    assert len(figure.axes) == (1 if gates.compute(**controls)["mistake"] else 3)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"), (0.95, "0.95"), (-0.0123, "−0.012"), (0.00999, "1.0·10⁻²"), (999.0, "999"),
        (3325.26, "3.3·10³"), (-3.25e-7, "−3.3·10⁻⁷"), (1e-120, "below 10⁻⁹⁹"),
    ],
)  # fmt: skip
def test_a_number_of_any_size_is_short(value: float, words: str):
    assert gates.power(value) == words


def test_the_sentence_tells_the_step_and_what_is_left_of_the_first():
    assert gates.describe(**DEFAULTS) == (
        "Step 2 of 21, x = 0: i = 0.50, f = 0.73, g = 0.00, o = 0.50. c goes from 0.38 to 0.28; h is 0.14. "
        "c is 0.38 after step 1 and 0.00 after step 21; the gradient between them is 1.9·10⁻³."
    )
    words = gates.describe(**(DEFAULTS | dict(gates.PRESETS[3].values)))
    assert words.startswith(
        "Step 21 of 21, x = 0: h of the plain RNN is 0.06, and the factor w·tanh′ is 0.9."
    )
    assert "From step 21 back to step 1 the gradient is 0.027 in the plain RNN and 0.29 along c" in words
    first = gates.describe(**(DEFAULTS | {"view": "gradient", "step": 1}))
    assert "factor" not in first


def test_the_still_is_small_and_telling():
    gates.DECLARATION.check(**gates.STILL)
    png = base.still_png(gates.draw, size=(8.6, 6.2), **gates.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
