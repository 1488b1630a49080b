"""Queries and keys without a browser: torch's attention, rows as they are typed, words and pictures."""

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
from torch.nn import functional as F

from utils.explore import base

# By name: in the package, this name is the function that learners call.
attention = importlib.import_module("utils.explore.attention")

DEFAULTS = attention.DECLARATION.defaults()
# Every combination of all ends would be tens of thousands.
ENDS = list(itertools.islice(attention.DECLARATION.extremes(), 0, None, 97))


def compute(**controls) -> dict:
    return attention.compute(**(DEFAULTS | controls))


def written(rows: list[list[float]]) -> str:
    return "; ".join(" ".join(map(str, row)) for row in rows)


def random_rows(chance: random.Random) -> list[list[float]]:
    return [[round(chance.uniform(-3, 3), 1) for _ in range(2)] for _ in attention.WORDS]


# ------------------------------------------------------------------ numbers
def test_weights_and_output_are_torchs():
    chance = random.Random(14)
    V = torch.tensor(attention.VALUES, dtype=torch.float64)
    for mask, _ in itertools.product(attention.MASKS, range(30)):
        queries, keys = random_rows(chance), random_rows(chance)
        place = round(chance.uniform(-1, 1), 2)
        state = compute(queries=written(queries), keys=written(keys), mask=mask, temperature=place)
        Q, K = (torch.tensor(rows, dtype=torch.float64) for rows in (queries, keys))
        may = torch.tensor(state["may"])
        scale = 1 / (math.sqrt(2) * 10**place)
        # With the identity as values, the output is the weights.
        weights = F.scaled_dot_product_attention(Q, K, torch.eye(5).double(), attn_mask=may, scale=scale)
        output = F.scaled_dot_product_attention(Q, K, V, attn_mask=may, scale=scale)
        for name, expected in (("weights", weights), ("output", output), ("dots", Q @ K.T)):
            ours = torch.tensor(state[name], dtype=torch.float64)
            assert torch.allclose(ours, expected, rtol=0, atol=1e-12), name
        row = state["row"]
        assert state["top"] == int(weights[row].argmax())
        gaps = torch.cdist(Q, K)[row].masked_fill(~may[row], math.inf)
        assert gaps[state["nearest"]] == pytest.approx(gaps.min().item())
        assert state["off"] == pytest.approx(math.dist(output[row].tolist(), attention.STAR))


def test_at_temperature_one_it_is_torchs_default_for_any_width():
    random_ = torch.Generator().manual_seed(3)
    for d, T_q, T in ((1, 1, 1), (3, 2, 6), (8, 4, 3)):
        Q, K, V = (torch.randn(n, d, generator=random_).double() for n in (T_q, T, T))
        ours = attention.attend(Q.tolist(), K.tolist(), V.tolist(), [[True] * T] * T_q)
        output = torch.tensor(ours["output"], dtype=torch.float64)
        assert torch.allclose(output, F.scaled_dot_product_attention(Q, K, V), rtol=0, atol=1e-12)


def test_masks_hide_what_they_say():
    T = 5
    assert torch.equal(torch.tensor(attention.allowed("causal", T)), torch.ones(T, T).bool().tril())
    assert torch.equal(torch.tensor(attention.allowed("others", T)), ~torch.eye(T).bool())
    assert torch.tensor(attention.allowed("none", T)).all()
    with pytest.raises(ValueError, match="no mask 'future'"):
        attention.allowed("future", T)
    state = compute(mask="causal")
    for masked, weights, may in zip(state["masked"], state["weights"], state["may"], strict=True):
        assert [score is None for score in masked] == [not free for free in may]
        assert all(w == 0 for w, free in zip(weights, may, strict=True) if not free)
        assert sum(weights) == pytest.approx(1)


# ------------------------------------------------------------------ typed rows
def test_rows_are_read_as_one_writes_them():
    rows = [[1.0, 2.0], [-0.5, 0.0], [0.25, 3.0], [0.0, -3.0], [1.5, 1.0]]
    for text in (
        "1 2; -0.5 0; .25 3; 0 -3; 1.5 1",
        " 1, 2;−.5,0 ; 0.25  +3;0 -3;1.5 1.; ",
        "[[1, 2], [-0.5, 0], [.25, 3], [0, -3], [1.5, 1]]",
    ):
        assert attention.parse_rows(text) == (rows, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 rows for 5 words"),
        ("1 2", "1 row for 5 words"),
        ("1 2; 3", "Row 2 holds 1 number, not 2"),
        ("1 2; 3 4 5", "fit into|3 numbers, not 2"),
        ("1 2;; 1 2", "Row 2 holds 0 numbers"),
        ("1 2; one 2", "“one” is no number"),
        ("1 2; 1e9 2", "“1e9” is no number"),
        ("1 3.1; 1 2; 1 2; 1 2; 1 2", "from −3 to 3"),
        ("0 0; " * 6, "6 rows for 5 words"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str):
    rows, mistake = attention.parse_rows(text)
    assert rows is None and re.search(words, mistake)
    told = attention.describe(**(DEFAULTS | {"keys": text}))
    assert told == f"The keys cannot be read yet: {mistake}"


# ------------------------------------------------------------------ goals: within reach, and not given away
def star_at(x: float, y: float) -> bool:
    queries = [list(row) for row in attention.parse_rows(attention.QUERIES)[0]]
    queries[attention.WORDS.index("it")] = [x, y]
    return compute(queries=written(queries))["off"] < 0.15


def test_the_star_can_be_reached_with_the_query_alone_but_from_few_places():
    places = [(x / 5, y / 5) for x in range(-15, 16, 2) for y in range(-15, 16, 2)]
    met = [place for place in places if star_at(*place)]
    assert 1 <= len(met) < 0.03 * len(places)
    assert star_at(-2.4, -1.3)  # well within the picture


def far(state: dict) -> bool:
    weights = state["weights"][state["row"]]
    return weights[state["top"]] > weights[state["nearest"]] + 0.05


def test_no_preset_reaches_a_goal():
    cat = attention.WORDS.index("cat")
    for preset in ({}, *(dict(p.values) for p in attention.PRESETS)):
        state = compute(**preset)
        weights = state["weights"][state["row"]]
        assert not far(state), preset
        if (DEFAULTS | preset)["temperature"] == 0:
            assert state["off"] > 0.3 and weights[cat] < 0.9
            assert max(weights) - min(weights) > 0.1
        assert (DEFAULTS | preset)["mask"] == "none"


def test_every_goal_can_be_reached():
    queries = written([[1.6, 0.4], [0.2, 1.5], [1.4, -0.2], [2.6, 0.7], [0.7, -0.9]])
    keys = written([[-0.9, -0.7], [2.8, 0.8], [-0.6, 1.8], [1.0, -1.6], [-1.6, 0.9]])
    state = compute(queries=queries, keys=keys)
    assert state["weights"][3][1] > 0.95
    # A short query beside “the”, with all that is long on its side.
    assert far(compute(queries=written([[0.0, 0.0]] * 3 + [[-0.5, 0.2], [0.0, 0.0]])))
    zeros = compute(queries=written([[0.0, 0.0]] * 5))
    assert zeros["weights"][3] == pytest.approx([0.2] * 5)
    for keys in (attention.KEYS, written([[3.0, -3.0]] * 5)):
        assert compute(word="the", mask="causal", keys=keys)["weights"][0] == [1, 0, 0, 0, 0]


# ------------------------------------------------------------------ words and pictures
def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = attention.compute(**controls)
        words = attention.describe(**controls)
        assert 20 < len(words) < 200 and not {"nan", "inf"} & set(re.findall("[a-z]+", words)), words
        if "weights" not in state:
            assert any(state["mistakes"].values()) and "cannot be read yet" in words
            continue
        numbers = itertools.chain(*state["dots"], *state["scaled"], *state["weights"], *state["output"])
        assert all(map(math.isfinite, numbers)), controls


@pytest.mark.parametrize("controls", [*ENDS[::31], DEFAULTS | {"keys": "x"}])
def test_the_picture_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8.6, 6.8), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attention.draw(figure, **controls)
        figure.canvas.draw()
    for axes in figure.axes:
        assert all(map(math.isfinite, (*axes.get_xlim(), *axes.get_ylim())))


def test_the_sentence_tells_what_is_seen():
    told = attention.describe
    assert told(**DEFAULTS) == "“it” gives “cat” 68% of its weight, then “it” 14%. Output (1.26, −0.30)."
    assert told(**(DEFAULTS | {"stage": "dots"})) == (
        "Dot products of the query of “it” with all keys: "
        "the largest is 2.72, with “cat”, the smallest −1.63."
    )
    assert told(**(DEFAULTS | {"stage": "scaled"})).startswith("Scores (divided by 1.41) of the query")
    assert told(**(DEFAULTS | {"stage": "masked", "mask": "causal"})) == (
        "“it” looks at 4 of 5 words. It may not look at “purred”. Hidden scores become −∞."
    )
    assert told(**(DEFAULTS | {"word": "the", "mask": "causal"})) == (
        "“the” gives “the” 100% of its weight. It may not look at “cat”, “slept”, “it” and “purred”. "
        "Output (−1.20, −2.20)."
    )
    assert "not look" not in told(**(DEFAULTS | {"stage": "masked"}))


def test_the_still_is_small_and_telling():
    attention.DECLARATION.check(**attention.STILL)
    png = base.still_png(attention.draw, size=(8.6, 6.8), **attention.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
