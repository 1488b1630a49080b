"""The broadcast explorer without a browser, against torch; and the text control that it brought."""

from __future__ import annotations

import importlib
import io
import random
import re
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from utils.explore import base
from utils.explore.base import Declaration, Preset, Text

broadcast = importlib.import_module("utils.explore.broadcast")

SIZES = st.lists(st.sampled_from([0, 1, 1, 1, 2, 3, 4, 999]), max_size=broadcast.MOST_AXES)


def pairs_that_meet() -> st.SearchStrategy[tuple[list[int], list[int]]]:
    """Two shapes that mostly fit: one result, and from each shape axes replaced by 1 or left away."""

    @st.composite
    def draw(draw: st.DrawFn) -> tuple[list[int], list[int]]:
        result = draw(SIZES)
        two = []
        for _ in range(2):
            shape = [size if draw(st.booleans()) else 1 for size in result]
            two.append(shape[draw(st.integers(0, len(shape))) :])
        return two[0], two[1]

    return draw()


# ------------------------------------------------------------------ against torch
def _agrees_with_torch(a: list[int], b: list[int]) -> bool:
    """Compare everything with torch; returns whether the pair was accepted."""
    state = broadcast.compute(str(a), str(tuple(b)))
    assert state["shapes"] == {"a": a, "b": b}
    try:
        expected = list(torch.broadcast_shapes(tuple(a), tuple(b)))
    except RuntimeError:
        expected = None
    assert state["result"] == expected
    for name, shape in (("a", a), ("b", b)):
        # Without memory: 999 to the fifth is more than any machine has.
        tensor = torch.empty(shape, device="meta")
        assert state["counts"][name] == tensor.numel()
        seen = tensor if expected is None else tensor.expand(expected)
        assert state["strides"][name] == list(seen.stride())
        if expected is not None:
            assert state["counts"]["result"] == seen.numel()
            stretched = [
                i - seen.ndim for i, size in enumerate(seen.shape) if _stretches(tensor, i, seen, size)
            ]
            assert broadcast.stretched(state, name) == stretched
            assert all(seen.stride(i) == 0 for i in stretched)
    return expected is not None


def _stretches(tensor: torch.Tensor, i: int, seen: torch.Tensor, size: int) -> bool:
    own = i - (seen.ndim - tensor.ndim)
    return (tensor.shape[own] if own >= 0 else 1) != size


@settings(max_examples=1000, deadline=None)
@given(SIZES, SIZES)
@example([], [])
@example([0], [1])
@example([0], [2])
@example([], [1, 1])
@example([3], [1, 1, 1])
def test_any_two_shapes_are_judged_as_torch_judges_them(a: list[int], b: list[int]):
    _agrees_with_torch(a, b)


@settings(max_examples=1000, deadline=None)
@given(pairs_that_meet())
def test_shapes_that_meet_are_stretched_as_torch_stretches_them(pair: tuple[list[int], list[int]]):
    assert _agrees_with_torch(*pair)


def test_five_thousand_pairs_and_both_outcomes_are_frequent():
    chance = random.Random(0)
    accepted = 0
    for _ in range(5000):
        a, b = ([chance.choice([0, 1, 1, 2, 3]) for _ in range(chance.randint(0, 5))] for _ in range(2))
        accepted += _agrees_with_torch(a, b)
    assert 1000 < accepted < 4000


@settings(max_examples=300, deadline=None)
@given(SIZES)
def test_strides_of_a_new_tensor(shape: list[int]):
    assert broadcast.strides(shape) == list(torch.empty(shape, device="meta").stride())


# ------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3, 1", [3, 1]),
        ("(3,1)", [3, 1]),
        ("3 1", [3, 1]),
        ("[3, 1]", [3, 1]),
        ("  3 ,  1  ", [3, 1]),
        ("", []),
        ("()", []),
        ("   ", []),
        ("( )", []),
        ("4", [4]),
        ("4,", [4]),
        ("(4,)", [4]),
        ("007", [7]),
        ("0", [0]),
        ("2, 0, 3", [2, 0, 3]),
        ("torch.Size([3, 1])", [3, 1]),
        ("torch.Size([])", []),
        ("999, 1", [999, 1]),
        ("1 2 3 4 5", [1, 2, 3, 4, 5]),
        ("3 1,", [3, 1]),
        ("0999", [999]),
    ],
)
def test_a_shape_is_read_however_it_is_written(text: str, shape: list[int]):
    assert broadcast.parse_shape(text) == (shape, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two", "“two” is no size"),
        ("3; 1", "“3;” is no size"),
        ("3x1", "“3x1” is no size"),
        ("½", "is no size"),
        ("٣", "is no size"),
        ("3.5", "whole number; 3.5"),
        ("3.", "whole number"),
        ("-1, 2", "negative, as -1"),
        ("−1", "negative"),
        ("(3, 1", "bracket is missing"),
        ("3, 1)", "bracket is missing"),
        ("(3, 1]", "bracket is missing"),
        ("3,,1", "beside a comma"),
        (",3", "beside a comma"),
        (",", "beside a comma"),
        ("((3))", "“(3)” is no size"),
        ("1 2 3 4 5 6", "6 axes; up to 5"),
        ("1000", "up to 999"),
        ("9" * 28, "up to 999"),
        ("a" * 28, "“aaaaaaaaa…” is no size"),
        ("1e3", "no size"),
        ("nan", "no size"),
    ],
)
def test_nonsense_is_refused_with_a_plain_sentence(text: str, words: str):
    shape, mistake = broadcast.parse_shape(text)
    assert shape is None and words in mistake
    assert mistake.endswith(".") and len(mistake) < 75  # two or three lines below the field
    state = broadcast.compute(text, "3")
    assert state["result"] is None and state["axes"] == [] and state["mistakes"] == {"a": mistake, "b": None}
    assert broadcast.describe("3", text) == f"Not read yet. b: {mistake}"


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="0123456789 ,()[].-−xé\t", max_size=28))
def test_no_text_breaks_it(text: str):
    shape, mistake = broadcast.parse_shape(text)
    assert (shape is None) != (mistake is None)
    assert len(broadcast.describe(text, "2, 3")) < 200


# ------------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (
            "3, 1",
            "4",
            "(3, 1) and (4,) give (3, 4), 12 numbers: a is stretched along axis −1; b is stretched along "
            "axis −2.",
        ),
        (
            "4, 1, 2",
            "3, 1",
            "(4, 1, 2) and (3, 1) give (4, 3, 2), 24 numbers: a is stretched along axis −2; b is "
            "stretched along axes −3 and −1.",
        ),
        ("2", "2", "(2,) and (2,) give (2,), 2 numbers: nothing is stretched."),
        ("", "", "() and () give (), 1 number: nothing is stretched."),
        (
            "2, 3, 4",
            "",
            "(2, 3, 4) and () give (2, 3, 4), 24 numbers: b is stretched along axes −3, −2 and −1.",
        ),
        ("0", "1", "(0,) and (1,) give (0,), 0 numbers: b is stretched along axis −1."),
        (
            "3, 4",
            "3",
            "(3, 4) and (3,) are refused: at axis −1, a has 4 and b has 3. They are neither equal nor is "
            "one of them 1.",
        ),
        (
            "2, 3, 4",
            "5, 3, 6",
            "(2, 3, 4) and (5, 3, 6) are refused: at axis −1, a has 4 and b has 6. They are "
            "neither equal nor is one of them 1.",
        ),
    ],
)
def test_words(a: str, b: str, words: str):
    assert broadcast.describe(a, b) == words


# ------------------------------------------------------------------ declaration, still, call
def test_goals_are_not_met_by_the_start_or_a_preset():
    # The four goals, once more in Python.
    met = {
        "table": lambda s: s["result"] == [2, 6],
        "silent": lambda s: s["counts"].get("result") == 25,
        "same_count": lambda s: s["axes"] and s["result"] is None and s["counts"]["a"] == s["counts"]["b"],
        "cube": lambda s: s["result"] == [4, 3, 2],
    }
    assert set(met) == {goal.id for goal in broadcast.DECLARATION.goals}
    starts = [broadcast.DECLARATION.defaults()]
    starts += [dict(preset.values) for preset in broadcast.DECLARATION.presets]
    for values in starts:
        state = broadcast.compute(**values)
        assert not any(state["mistakes"].values())
        assert not any(goal(state) for goal in met.values()), values


def _drawn(a: str, b: str) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        broadcast.draw(figure, a, b)
        figure.canvas.draw()
    return figure


def test_no_setting_breaks_the_still():
    for controls in broadcast.DECLARATION.extremes():
        figure = _drawn(**controls)
        words = broadcast.describe(**controls)
        assert 20 < len(words) < 260 and "None" not in words
        for axes in figure.axes:
            for text in axes.texts:
                assert "None" not in text.get_text()


def test_the_still_draws_each_stored_number_once_and_its_repetitions_pale():
    below = _drawn("3, 1", "4").axes[1]
    solid = [p for p in below.patches if p.get_alpha() == 0.55]
    dashed = [p for p in below.patches if p.get_linestyle() not in ("-", "solid")]
    assert (len(solid), len(dashed)) == (3 + 4 + 12, (12 - 3) + (12 - 4))
    numbers = [text.get_text() for text in below.texts if text.get_text().isdigit()]
    assert sorted(map(int, numbers[-12:])) == sorted(
        (torch.tensor([[10], [20], [30]]) + torch.tensor([1, 2, 3, 4])).flatten().tolist()
    )


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        ([3, 4], [1, 3, 4]),
        ([], [1, 1, 1]),
        ([1, 1, 2, 3, 4], [2, 3, 4]),
        ([2, 1, 3, 4], None),
        ([13], None),
        ([0, 2], None),
        ([6, 2, 2], None),
        ([5, 12, 12], [5, 12, 12]),
    ],
)
def test_what_is_drawn_cell_by_cell(shape: list[int], block: list[int] | None):
    assert broadcast.cells(shape) == block


def test_calling_it_shows_a_still_and_the_live_one(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    assert broadcast.broadcast(a=(8, 1), b=torch.Size([3])) is None
    assert shown[0]["text/plain"].startswith("(8, 1) and (3,) give (8, 3)")
    picture = Image.open(io.BytesIO(shown[0]["image/png"]))
    assert len(shown[0]["image/png"]) < 60_000 and picture.width <= 900
    broadcast.broadcast()
    assert shown[2]["text/plain"] == broadcast.describe("3, 1", "4")


def test_reset_brings_back_the_shapes_of_the_call():
    declaration = broadcast._starting_with({"a": "8, 1", "b": ""})
    assert declaration.defaults() == {"a": "8, 1", "b": ""}
    assert broadcast.DECLARATION.defaults() == {"a": "3, 1", "b": "4"}


@pytest.mark.parametrize("wrong", ["three", "1000", "(3", (3, -1), "1, 2, 3, 4, 5, 6", " " * 29])
def test_a_call_with_something_else_is_refused(wrong):
    with pytest.raises(ValueError, match="b="):
        broadcast.broadcast("3, 1", wrong)


# ------------------------------------------------------------------ the text control
WORD = Text("word", "A word", "abc", maximum=5, example="abc", tries=("", "abcde"))


def test_a_text_tries_its_value_and_its_tries():
    assert WORD.ends() == ("abc", "", "abcde")
    declaration = Declaration(name="d", title="D", controls=(WORD,), presets=(Preset("p", {"word": "x"}),))
    assert declaration.defaults() == {"word": "abc"}
    assert [s["word"] for s in declaration.extremes()] == ["abc", "x", "abc", "", "abcde"]


@pytest.mark.parametrize(("value", "fits"), [("", True), ("abcde", True), ("é ∂", True), ("abcdef", False),
                                             ("a\nb", False), (3, False), (None, False)])  # fmt: skip
def test_a_text_accepts_one_line_that_is_not_too_long(value, fits: bool):
    assert WORD.accepts(value) is fits


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Text("t", "T", "abc", maximum=2),
        lambda: Text("t", "T", "", maximum=0),
        lambda: Text("t", "T", "a", maximum=2, tries=("abc",)),
        lambda: Text("t", "T", "a\n"),
        lambda: Declaration(
            name="d", title="D", controls=(WORD,), presets=(Preset("p", {"word": "toolong"}),)
        ),
    ],
)
def test_a_text_that_breaks_its_own_rule_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_the_browser_gets_a_text_as_plain_data():
    plain = Declaration(name="d", title="D", controls=(WORD,)).to_dict()["controls"][0]
    assert {k: plain[k] for k in ("type", "name", "label", "value", "maximum", "example", "placeholder")} == {
        "type": "text", "name": "word", "label": "A word", "value": "abc", "maximum": 5, "example": "abc",
        "placeholder": "",
    }  # fmt: skip


def test_the_limits_in_javascript_are_pythons():
    source = (base.HERE / "broadcast.js").read_text(encoding="utf-8")
    assert f"MOST_AXES = {broadcast.MOST_AXES}, LARGEST = {broadcast.LARGEST}" in source
    assert re.search(r"MOST_CELLS = \[([\d, ]+)\]", source)[1] == ", ".join(map(str, broadcast.MOST_CELLS))
