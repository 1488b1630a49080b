"""The contest replayed in a real browser: Python's words, playing, the picture of the losses, keys, goals."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

contest = importlib.import_module("utils.explore.contest")

X = np.linspace(-4, 4, 81)


def bell(middle: float, width: float) -> np.ndarray:
    return np.exp(-(((X - middle) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))


def frames() -> list[dict[str, Any]]:
    """The generator walks through the data, collapses into a needle, and leaves the picture."""
    found = []
    for k in range(12):
        model = bell(-3 + 0.5 * k, 1) if k < 8 else bell(1, 0.06) if k < 11 else 0 * X
        judge = bell(0, 1) / (bell(0, 1) + model) if k == 3 else 1 / (1 + np.exp(k * X - 1))
        losses = {"loss_d": 1.4 - 0.1 * k, "loss_g": 0.7 + 0.02 * k if k else None}
        found.append({"step": 40 * k, "p_model": model, "discriminator": judge} | losses)
    return found


DATA = contest.prepare(frames(), X, bell(0, 1))
DECLARATION = contest.declaration(DATA)
DEFAULTS = DECLARATION.defaults()


def replay(data: dict = DATA, **values: Any) -> Explorer:
    declared = contest.declaration(data)
    return contest.ContestExplorer(declared, contest.browser_data(data), values=declared.defaults() | values)


def said(one: Stage) -> str:
    return one.page.locator(".n2t-say").inner_text()


def test_words_are_pythons_in_every_frame(stage):
    settings = [DEFAULTS | {"frame": k, "best": best} for k in range(12) for best in (False, True)]
    for values, one in zip(settings, stage(replay()).states(settings), strict=True):
        assert one["words"] == contest.describe(DATA, **values)


@pytest.mark.parametrize("width", [1000, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    settings = [
        DEFAULTS | {"frame": k, "push": push, "best": best}
        for k in (0, 3, 9, 11) for push in (False, True) for best in (False, True)
    ]  # fmt: skip
    one = stage(replay(), width=width)
    assert one.js(LOOK, settings) == []
    # The sentence has room for its longest form, so that nothing below it moves.
    size = "Math.round(document.querySelector('.n2t-main').getBoundingClientRect().height)"
    tall = {one.js(f"(values) => {{ model.set('values', values); return {size}; }}", v) for v in settings}
    assert len(tall) == 1


def test_arrows_show_the_push_only_where_it_is_wanted(stage):
    one = stage(replay(frame=9))
    red = contest.colors()["gradient"]
    assert red in one.picture()
    one.press("push", " ")
    assert red not in one.picture()
    one.press("push", " ")
    one.press("frame", "End")
    assert red not in one.picture(), "no generated value, no push"


def test_a_needle_is_cut_and_its_height_told(stage):
    one = stage(replay(frame=9))
    expect(one.page.locator(".n2t-stage svg")).to_contain_text(
        f"up to {max(DATA['frames'][9]['p_model']):.1f}"
    )
    one.press("frame", "Home")
    expect(one.page.locator(".n2t-stage svg")).not_to_contain_text("up to")


def test_a_click_in_the_losses_goes_to_that_step(stage):
    one = stage(replay())
    svg = one.page.locator(".n2t-stage svg").bounding_box()
    left, top, width, height = one.js(
        """() => { const rects = document.querySelectorAll(".n2t-stage svg clipPath rect");
          return ["x", "y", "width", "height"].map((name) => Number(rects[2].getAttribute(name))); }"""
    )
    x, y = svg["x"] + left, svg["y"] + top + height / 2
    one.page.mouse.click(x + width * 5 / 11 + 4, y)
    assert one.values()["frame"] == 5 and said(one).startswith("Step 200:")
    one.page.mouse.move(x + width * 5 / 11, y)
    one.page.mouse.down()
    one.page.mouse.move(x + width * 8 / 11, y, steps=4)
    assert said(one).startswith("Step 320:")
    one.page.mouse.move(x + width + 300, y, steps=4)
    one.page.mouse.up()
    assert one.values()["frame"] == 11 and one.reached() == ["end"]
    one.page.mouse.click(x + 20, svg["y"] + 100)  # in the densities: nothing
    assert one.values()["frame"] == 11


def test_it_plays_to_the_end_and_a_hand_stops_it(stage):
    one = stage(replay())
    one.control("speed").page.locator(".n2t input[value=fast]").check()
    one.control("play").click()
    expect(one.control("play")).to_have_text("Pause")
    expect(one.page.locator(".n2t-say")).to_contain_text("Step 440", timeout=5000)
    expect(one.control("play")).to_have_text("Play")
    assert "end" in one.reached()
    expect(one.control("step")).to_be_disabled()
    one.page.locator(".n2t input[value=slow]").check()
    one.control("play").click()  # from the beginning again
    assert said(one).startswith("Step 0:")
    one.press("frame", "ArrowRight", 3)
    expect(one.control("play")).to_have_text("Play")
    there = one.values()["frame"]
    one.page.wait_for_timeout(900)
    assert one.values()["frame"] == there, "a hand on the slider stops it"
    # Switches may be moved while it plays; pausing keeps the place.
    one.control("play").click()
    one.press("best", " ")
    expect(one.control("play")).to_have_text("Pause")
    one.control("play").click()
    there = one.values()["frame"]
    one.page.wait_for_timeout(900)
    assert one.values()["frame"] == there


def test_goals_are_reached_where_they_hold(stage):
    assert [goal.id for goal in DECLARATION.goals] == ["end", "follows", "overlap", "cheap"]
    one = stage(replay())
    for _ in range(3):
        one.control("step").click()
    assert one.reached() == ["cheap"], "far away, and its loss is low"
    one.control("best").check()
    assert sorted(one.reached()) == ["cheap", "follows"]
    one.control("back").click()
    for _ in range(4):
        one.control("step").click()
    assert sorted(one.reached()) == ["cheap", "follows", "overlap"]


def test_the_frame_at_the_start_meets_no_challenge(stage):
    found = frames()
    found[0]["loss_g"] = 0.7
    one = stage(replay(contest.prepare(found, X, bell(0, 1))))
    one.control("best").check()
    assert one.reached() == []
    one.control("step").click()
    assert one.reached() == ["cheap"]


def test_by_keys_alone(stage):
    one = stage(replay())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    for name, key in (
        ("frame", "ArrowRight"),
        ("step", "Enter"),
        ("back", "Enter"),
        ("best", " "),
        ("push", " "),
    ):
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    one.press("reset", "Enter")
    assert one.values() == DEFAULTS
