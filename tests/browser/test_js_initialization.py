"""First weights in a real browser: torch's numbers, Python's words, pictures, keys, goals, speed."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import pytest
import torch
from explorer_stage import LOOK
from playwright.sync_api import expect

from utils.explore.base import Explorer

initialization = importlib.import_module("utils.explore.initialization")
DEFAULTS = initialization.DECLARATION.defaults()
ENDS = list(initialization.DECLARATION.extremes())


def a_start(**values: Any) -> Explorer:
    return initialization.InitializationExplorer(
        initialization.DECLARATION, initialization.browser_data(), values=DEFAULTS | values
    )


def settled(scheme: str, activation: str, norm: bool) -> bool:
    """Whether rounding stays what it is, layer after layer.

    Where weights are large and the activation bends, every difference grows from layer to layer: such a
    network is chaotic, and after thirty layers two ways of adding up agree in few digits. With all weights
    alike, batch normalisation leaves of the gradient what is left when large numbers cancel.
    """
    return not (scheme == "one" and activation in ("tanh", "sigmoid")) and not (scheme == "ones" and norm)


def test_numbers_and_words_are_torchs(stage):
    settings = []
    kinds = itertools.product(initialization.SCHEMES, initialization.ACTIVATIONS, (False, True))
    for k, (scheme, activation, norm) in enumerate(kinds):
        sizes = [(30, 20, 1.0), ((1, 2, 7)[k % 3], 100, 1.35), (13, 4, 3.0)]
        for depth, width, gain in sizes[: 2 + k % 2]:
            depth = depth if settled(scheme, activation, norm) else min(depth, 5)
            values = {"scheme": scheme, "activation": activation, "norm": norm, "gain": gain}
            settings.append(values | {"depth": depth, "width": width, "seed": 1 + k % 8})
    for values, found in zip(settings, stage(a_start()).states(settings), strict=True):
        state, expected = found["state"], initialization.compute(**values)
        for key in "ag":
            spreads = pytest.approx(expected["spreads"][key], rel=1e-9, abs=1e-200)
            assert state["spreads"][key] == spreads, values
            assert state["counts"][key] == expected["counts"][key], values
        for name in ("alike", "reach"):
            assert state[name] == expected[name], values
        assert (state["silent"], state["flat"]) == pytest.approx((expected["silent"], expected["flat"]))
        assert found["words"] == initialization.describe(**values)


@pytest.mark.parametrize("norm", [False, True])
def test_every_single_number_is_torchs(stage, norm: bool):
    one = stage(a_start())
    for activation in initialization.ACTIVATIONS:
        values = DEFAULTS | {"scheme": "kaiming", "depth": 12, "width": 8}
        values |= {"activation": activation, "norm": norm}
        found = one.js(
            """(values) => {
              const { answers, gradients } = part.explorer.run(values, model.get("data"));
              return [answers, gradients].map((all) => all.map((layer) => [...layer]));
            }""",
            values,
        )
        weights = initialization.first_weights("kaiming", 1.0, 12, 8, 1)
        expected = initialization.run(weights, *initialization.ends(8, 1), activation, norm)
        for ours, theirs in zip(found, expected, strict=True):
            ours = torch.tensor(ours, dtype=torch.float64).reshape(13, initialization.BATCH, 8)
            assert torch.allclose(ours, torch.stack(theirs), rtol=1e-9, atol=1e-9)


def test_the_same_numbers_whatever_was_asked_for_before(stage):
    # The random numbers are kept and made longer when needed.
    sizes = (("linear", 1, 4), ("kaiming", 3, 8), ("xavier", 12, 20), ("one", 1, 4))
    settings = [
        DEFAULTS | {"seed": 2, "scheme": scheme, "depth": depth, "width": width}
        for scheme, depth, width in sizes
    ]
    forwards = [found["state"] for found in stage(a_start()).states(settings)]
    backwards = [found["state"] for found in stage(a_start()).states(settings[::-1])]
    assert forwards == backwards[::-1]


# ------------------------------------------------------------------ the picture
@pytest.mark.parametrize("width", [1000, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    one = stage(a_start(), width=width)
    assert one.js(LOOK, [*ENDS[:3], *ENDS[3::29]]) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS[::61],
    )
    assert len(heights) == 1, "something below the picture moves"


def test_spreads_stand_below_the_histograms(stage):
    one = stage(a_start(depth=5, scheme="xavier"))
    expected = initialization.compute(**(DEFAULTS | {"depth": 5, "scheme": "xavier"}))["spreads"]
    words = one.page.locator(".n2t-stage svg text").all_text_contents()
    for key in "ag":
        row = [initialization.amount(s, 0) for s in expected[key]]
        assert any(words[k : k + 6] == row for k in range(len(words))), (key, row)


def test_every_control_answers_a_key_and_keeps_the_focus(stage):
    one = stage(a_start(depth=8))
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    keys = {"scheme": "ArrowDown", "gain": "ArrowRight", "activation": "ArrowDown", "depth": "ArrowLeft",
            "width": "ArrowLeft", "norm": " ", "seed": "ArrowRight"}  # fmt: skip
    for name, key in keys.items():
        before, said = one.picture(), one.page.locator(".n2t-say").inner_text()
        one.press(name, key)
        assert one.picture() != before and one.page.locator(".n2t-say").inner_text() != said, name
        assert one.js("document.activeElement.name") == name
    assert one.js("model.get('values')") == {
        "scheme": "xavier", "gain": 1.01, "activation": "relu", "depth": 7, "width": 96, "norm": True,
        "seed": 2,
    }  # fmt: skip


# ------------------------------------------------------------------ goals
GOALS = [
    ({"depth": 26, "width": 64}, "depth", "End", ["vanish"]),
    ({"scheme": "one", "activation": "relu", "depth": 5, "width": 64}, "depth", "End", ["explode"]),
    ({"scheme": "ones", "activation": "relu", "depth": 9}, "scheme", "ArrowUp", ["dead"]),
    ({"scheme": "xavier", "gain": 1.33, "depth": 20}, "gain", "ArrowRight", ["keep"]),
    # Near misses: no gradient at all, and what only batch normalisation holds.
    ({"scheme": "ones", "depth": 9}, "scheme", "ArrowUp", []),
    (
        {"scheme": "small", "gain": 0.5, "width": 8, "seed": 3, "depth": 19, "norm": True},
        "depth",
        "ArrowRight",
        [],
    ),
    ({"scheme": "xavier", "gain": 1.37, "depth": 18}, "depth", "ArrowRight", []),
]


@pytest.mark.parametrize(("start", "name", "key", "reached"), GOALS)
def test_goals_are_recognised(stage, start: dict, name: str, key: str, reached: list[str]):
    one = stage(a_start(**start))
    assert one.reached() == []
    one.press(name, key)
    assert one.reached() == reached
    for goal in reached:
        expect(one.goal(goal)).to_contain_text("Reached:")


def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage):
    one = stage(a_start())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start
    assert one.reached() == []


def test_the_largest_network_answers_at_once(stage):
    one = stage(a_start(depth=30, width=100, norm=True, activation="tanh"))
    answer, yardstick = one.js(
        """() => {
          const quickest = (work) => Math.min(...Array.from({ length: 30 }, (_, i) => {
            const start = performance.now();
            work(i);
            return performance.now() - start;
          }));
          const slider = document.querySelector("[name=gain]");
          const answer = quickest((i) => {
            slider.value = 1 + i / 100;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
          });
          const numbers = new Float64Array(1000).fill(0.5);
          const yardstick = quickest(() => {
            let sum = 0;
            for (let k = 0; k < 20000; k++) for (let j = 0; j < 1000; j++) sum += numbers[j] * k;
            window.kept = sum;
          });
          return [answer, yardstick];
        }"""
    )
    # The quickest of thirty, against twenty million multiplications beside it: a busy machine slows both.
    assert answer < 3 * yardstick, (answer, yardstick)
