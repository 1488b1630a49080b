"""The polynomials in a real browser: numpy's numbers and words, keys, a degree by hand, goals, ends."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import pytest
from explorer_stage import LOOK
from test_js_threshold import OVERLAPS

from utils.explore.base import Explorer

capacity = importlib.import_module("utils.explore.capacity")
DEFAULTS = capacity.DECLARATION.defaults()
ENDS = list(capacity.DECLARATION.extremes())


def a_capacity(**values: Any) -> Explorer:
    return capacity.CapacityExplorer(capacity.DECLARATION, capacity.browser_data(), values=DEFAULTS | values)


def test_numbers_and_words_are_numpys(stage):
    settings = ENDS[::5] + [
        DEFAULTS | {"degree": degree, "points": points, "noise": noise, "penalty": penalty, "seed": seed}
        for points, noise, penalty, seed, degree in itertools.product(
            (5, 10, 15, 35), (0.0, 0.35), ("0", "0.000001", "0.03"), (1, 23), (0, 9, 14, 15)
        )
    ]
    for values, found in zip(settings, stage(a_capacity()).states(settings), strict=True):
        state, expected = found["state"], capacity.compute(**values)
        for name in ("x", "vx"):
            assert state[name] == expected[name], values  # every bit
        for name in ("y", "vy"):
            assert state[name] == pytest.approx(expected[name], abs=1e-14)
        # Up to 1e6 is what fifteen points multiply rounding by at degree 14.
        for name in ("train", "validation", "coefficients"):
            assert state[name] == pytest.approx(expected[name], rel=1e-6, abs=1e-8), (values, name)
        assert state["best"] == expected["best"]
        assert found["words"] == capacity.describe(**values)


@pytest.mark.parametrize("width", [1000, 880, 390])
def test_at_no_end_of_any_control_the_picture_breaks_or_moves(stage, width: int):
    one = stage(a_capacity(), width=width)
    assert one.js(LOOK, ENDS[::9]) == []
    assert one.js(OVERLAPS, ENDS[::17]) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS[::13],
    )
    assert len(heights) == 1


def test_every_key_answers_and_the_picture_is_named_and_white(stage):
    one = stage(a_capacity(degree=9))
    one.js("document.body.dataset.jpThemeLight = 'false'")
    keys = {"degree": "ArrowRight", "points": "ArrowRight", "noise": "ArrowRight", "penalty": "ArrowDown",
            "seed": "ArrowRight", "again": "Enter", "unseen": "Space"}  # fmt: skip
    assert set(keys) == {control.name for control in capacity.CONTROLS}
    for name, key in keys.items():
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    assert one.js("model.get('values')") == {
        "degree": 10, "points": 20, "noise": 0.25, "penalty": "0.000001", "seed": 3, "unseen": True,
    }  # fmt: skip
    svg = one.page.locator(".n2t-stage svg")
    assert svg.get_attribute("aria-label") == one.page.locator(".n2t-say").inner_text()
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"


def test_the_last_draw_is_followed_by_the_first(stage):
    one = stage(a_capacity(seed=50))
    one.press("again", "Enter")
    assert one.js("model.get('values').seed") == 1


def test_a_degree_is_chosen_with_the_mouse(stage):
    one = stage(a_capacity())
    box = one.page.locator(".n2t-stage svg").bounding_box()
    left, top, wide, high = one.js(
        """() => [...document.querySelectorAll(".n2t-stage svg clipPath rect")].slice(-1).map((rect) =>
          ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))))[0]"""
    )

    def at(degree: float) -> tuple[float, float]:
        return box["x"] + left + (degree + 0.5) / 16 * wide, box["y"] + top + high / 2

    one.page.mouse.click(*at(12))
    assert one.js("model.get('values').degree") == 12  # a click is enough
    one.page.mouse.move(*at(12.2))
    one.page.mouse.down()
    one.page.mouse.move(*at(6.8), steps=3)
    one.page.mouse.move(*at(20), steps=3)
    saves = one.saves()
    one.page.mouse.up()
    assert one.js("model.get('values').degree") == 15 and one.saves() == saves + 1
    assert one.reached() == ["memorise"]
    one.page.mouse.click(box["x"] + left + wide / 2, box["y"] + 100)  # nothing to drag there
    assert one.js("model.get('values').degree") == 15


def test_goals_are_recognised_where_they_are_met_and_not_before(stage):
    one = stage(a_capacity(degree=13))
    presets = one.page.get_by_role("group", name="Settings to try").get_by_role("button")
    start = one.picture()
    for button in presets.all()[:-1]:
        button.click()
        assert one.picture() != start
    assert one.reached() == []
    one.control("reset").click()
    one.press("degree", "End")
    assert one.reached() == ["memorise"]
    one.control("penalty").select_option("0.0001")  # too little
    one.control("penalty").select_option("1")  # too much
    assert one.reached() == ["memorise"]
    one.control("penalty").select_option("0.03")
    assert one.reached() == ["memorise", "tame"]
    one.control("penalty").select_option("0")
    one.press("points", "ArrowRight")
    assert "more" not in one.reached()
    one.press("points", "End")
    assert one.reached() == ["memorise", "more", "tame"]
    one.press("degree", "ArrowLeft", 6)  # 9: at the peak of ten points
    one.press("points", "Home")
    one.press("points", "ArrowRight")
    assert "second" not in one.reached()
    one.press("degree", "ArrowRight", 4)
    assert one.reached() == ["memorise", "more", "second", "tame"]


def test_a_drag_answers_within_a_few_frames(stage):
    one = stage(a_capacity(points=100, unseen=True))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=degree]");
          return Array.from({ length: 32 }, (_, i) => {
            const start = performance.now();
            slider.value = i % 16;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 40
