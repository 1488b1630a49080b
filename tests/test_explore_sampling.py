"""The explorer of the next token without a browser: what is handed over, the numbers, draws, words, goals."""

from __future__ import annotations

import importlib
import json
import math

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from utils.built.transformer import top_k as built_top_k
from utils.built.transformer import top_p as built_top_p
from utils.explore import base

# By name: in the package, this name is the function that learners call.
sampling = importlib.import_module("utils.explore.sampling")

TABLE = sampling.prepare()
SIZE = len(TABLE["tokens"])


# ------------------------------------------------------------------ what is handed over
@pytest.mark.parametrize("make", [torch.tensor, np.array, list])
def test_logits_may_be_tensors_arrays_or_lists(make):
    table = sampling.prepare({"so": make([1.0, 2.0, -3.0])}, [" ", "a", "b\n"])
    assert table == {"prompts": ["so"], "tokens": ["␣", "a", "b⏎"], "logits": [[1.0, 2.0, -3.0]]}
    json.dumps(sampling.browser_data(table), allow_nan=False)


def test_a_prompt_shows_its_end_and_spaces_there():
    table = sampling.prepare({"x" * 99 + "end": [0, 1], "a line\nand ": [0, 1]}, "ab")
    long, broken = table["prompts"]
    assert len(long) == sampling.LONGEST_PROMPT and long.startswith("…x") and long.endswith("end")
    assert broken == "a line⏎and␣"


@pytest.mark.parametrize(
    ("logits", "tokens", "message"),
    [
        ({"a": [1, 2]}, None, "both"),
        (None, ["a", "b"], "both"),
        ([1, 2], ["a", "b"], "dictionary"),
        ({}, ["a", "b"], "1 to 12 prompts"),
        ({str(k): [1, 2] for k in range(13)}, ["a", "b"], "1 to 12 prompts"),
        ({"a": [1]}, ["a"], "2 to 1000 tokens"),
        ({"a": [1, 2]}, [0, 1], "texts"),
        ({"a": [1, 2, 3]}, ["a", "b"], r"'a' have shape \(3,\), but there are 2"),
        ({"a": [[1, 2]]}, ["a", "b"], r"shape \(1, 2\)"),
        ({"a": [1, math.inf]}, ["a", "b"], "finite"),
        ({"a": ["x", "y"]}, ["a", "b"], "numbers"),
    ],
)
def test_what_cannot_be_shown_is_named(logits, tokens, message: str):
    with pytest.raises(ValueError, match=message):
        sampling.sampling(logits, tokens)


# ------------------------------------------------------------------ the numbers
def test_probabilities_are_those_of_the_lesson_on_random_logits():
    generator = torch.Generator().manual_seed(15)
    for case in range(100):
        size = int(torch.randint(2, 60, (1,), generator=generator))
        logits = 4 * torch.randn(size, generator=generator, dtype=torch.float64)
        temperature = 0.1 + 3 * float(torch.rand(1, generator=generator))
        k = int(torch.randint(1, size + 3, (1,), generator=generator))
        p = 1.0 if case % 4 == 0 else 0.01 + 0.98 * float(torch.rand(1, generator=generator))
        expected = torch.softmax(built_top_p(built_top_k(logits / temperature, k), p), -1)
        found, kept = sampling.distribution(logits.tolist(), temperature, k, p)
        torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected)
        assert kept == int((expected > 0).sum())


def test_ends_of_the_controls():
    logits = [1.0, 3.0, 3.0, -800.0]
    assert sampling.distribution(logits, 0) == ([0.0, 1.0, 0.0, 0.0], 1), "greedy takes the first of equals"
    assert sampling.distribution(logits, top_k=1)[0] == [0.0, 1.0, 0.0, 0.0]
    assert sampling.distribution(logits, top_p=0.01)[0] == [0.0, 1.0, 0.0, 0.0]
    assert sampling.distribution(logits)[1] == 4, "with p = 1 not even what rounds to nothing is cut"
    cold, kept = sampling.distribution([9000.0, -9000.0], 0.05)
    assert (cold, kept) == ([1.0, 0.0], 2)
    # Together just p is enough: no third token comes in by rounding.
    assert sampling.distribution([math.log(p) for p in (0.5, 0.3, 0.1, 0.1)], top_p=0.8)[1] == 2


def test_how_open_a_choice_is():
    assert sampling.choices([0.25] * 4) == pytest.approx(4)
    assert sampling.choices([1.0, 0.0]) == 1.0
    assert sampling.choices([0.9, 0.1]) == pytest.approx(math.exp(-0.9 * math.log(0.9) - 0.1 * math.log(0.1)))


def test_dice_are_even_and_stay():
    rolls = np.array(sampling.dice(20_000, 1))
    assert rolls.min() >= 0 and rolls.max() < 1
    assert np.histogram(rolls, 10, (0, 1))[0] == pytest.approx([2000] * 10, abs=200)
    assert abs(np.corrcoef(rolls[:-1], rolls[1:])[0, 1]) < 0.03
    assert sampling.dice(5, 1) == rolls[:5].tolist() and sampling.dice(5, 2) != sampling.dice(5, 1)


def test_draws_follow_the_probabilities_and_never_what_is_cut():
    state = sampling.compute(TABLE, "2", 1.3, top_p=0.9, draws=10_000)
    assert sum(state["counts"]) == len(state["drawn"]) == 10_000
    for count, p in zip(state["counts"], state["p"], strict=True):
        assert count == pytest.approx(10_000 * p, abs=5 * math.sqrt(10_000 * p * (1 - p)) + 1e-9)
    # The same random numbers: more draws go on where fewer ended.
    assert sampling.compute(TABLE, "2", 1.3, top_p=0.9, draws=7)["drawn"] == state["drawn"][:7]


# ------------------------------------------------------------------ words
def test_sentences():
    assert sampling.describe(TABLE, "0", 0.0) == (
        "After “She lives in New”, “York” is most probable, with 100.0%. "
        "No other token can be drawn: this is greedy decoding."
    )
    words = sampling.describe(TABLE, "1", top_p=0.9, draws=1)
    assert "4 of 12 tokens can be drawn, as open as a fair choice among 3." in words
    assert "These settings leave 1 to 6 tokens" in words
    assert words.endswith("1 draw: 1 different token, “sofa” 1 time.")
    spaces = sampling.prepare({"x": [5.0, 0.0]}, [" ", "\n"])
    assert "a space is most probable" in sampling.describe(spaces)
    assert (sampling.percent(0.0004), sampling.percent(0.0), sampling.percent(0.25)) == (
        "<0.1%",
        "0.0%",
        "25.0%",
    )


# ------------------------------------------------------------------ declaration and goals
def test_controls_fit_the_data_and_every_setting_has_numbers():
    declaration = sampling.declaration(TABLE)
    names = [control.name for control in declaration.controls]
    assert names == ["prompt", "temperature", "top_k", "top_p", "one", "many", "clear"]
    for values in declaration.extremes():
        state = sampling.compute(TABLE, **values)
        assert sum(state["p"]) == pytest.approx(1) and 1 <= state["fewest"] <= state["kept"] <= state["most"]
    alone = sampling.declaration(sampling.prepare({"a": [0.0, 1.0]}, "ab"))
    assert "prompt" not in [control.name for control in alone.controls]
    assert declaration.height == sampling.layout_height(SIZE) < sampling.layout_height(SIZE + 1)


def test_only_goals_that_can_be_reached_are_set():
    def goals(logits: dict, size: int) -> list[str]:
        return [g.id for g in sampling.goals_for(sampling.prepare(logits, [str(k) for k in range(size)]))]

    assert goals(sampling._EXAMPLE, 12) == ["single", "open", "adapts", "tail"]
    assert goals({"flat": [0.0] * 12}, 12) == ["single", "tail"]
    assert goals({"two": [0.0, 1.0]}, 2) == ["single"]
    assert goals({"sure": [9.0] + [0.0] * 9, "open": [0.0] * 10}, 10) == ["single", "open", "adapts", "tail"]


# ------------------------------------------------------------------ the still
def test_the_still_shows_where_few_and_where_many_stay(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    sampling.sampling()
    still, live = shown
    assert still["image/png"].startswith(b"\x89PNG") and len(still["image/png"]) < 60_000
    assert "York" in still["text/plain"] and "strange" in still["text/plain"]
    assert "Which token comes next?" in live["text/plain"]

    figure = Figure(layout="constrained")
    sampling.draw(figure, TABLE, top_p=0.9, draws=200)
    assert [axes.get_title() for axes in figure.axes] == ["“She lives in New” …", "“It was a strange” …"]
    assert figure.get_suptitle() == "Temperature 1, top-p 0.9: 1 and 6 of 12 tokens stay"


def test_tokens_without_a_row_share_the_last_one():
    """As many tokens stay in the picture as its title says, and its bars are all of the probability."""
    table = sampling.prepare({"a": [0.0] * 40}, [str(k) for k in range(40)])
    for top_k, last in ((3, "28 more"), (15, "3 of 28 more"), (40, "28 more")):
        figure = Figure(layout="constrained")
        sampling.draw(figure, table, top_k=top_k)
        (axes,) = figure.axes
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert len(names) == sampling.MOST_ROWS + 1 and names[-1] == last
        for bars in axes.containers:
            assert sum(bar.get_width() for bar in bars) == pytest.approx(1)
            assert max(bar.get_width() for bar in bars) <= axes.get_xlim()[1]
