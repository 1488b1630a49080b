"""The outlier in a real browser: Python's numbers and words, every point draggable, keys, goals, ends."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

outlier = importlib.import_module("utils.explore.outlier")
DEFAULTS = outlier.DECLARATION.defaults()
ENDS = list(outlier.DECLARATION.extremes())


def an_outlier(**values: Any) -> Explorer:
    return outlier.OutlierExplorer(outlier.DECLARATION, outlier.browser_data(), values=DEFAULTS | values)


# ------------------------------------------------------------------ numbers
def test_numbers_and_words_are_pythons(stage):
    settings = ENDS + [
        DEFAULTS | {"loss": loss, "compare": other, "delta": delta, "point": point, "x": x, "y": y}
        for (loss, other), delta, point, x, y in itertools.product(
            (("mse", "mae"), ("mae", "huber"), ("huber", "mse")),
            (0.3, 2.0),
            (1, 4, 9),
            (1.5, 8.8),
            (-3.0, 9.0),
        )
    ]
    for values, found in zip(settings, stage(an_outlier()).states(settings), strict=True):
        state, expected = found["state"], outlier.compute(**values)
        for name in expected["lines"]:
            assert state["lines"][name] == pytest.approx(expected["lines"][name], abs=1e-9), values
            assert state["home"][name] == pytest.approx(expected["home"][name], abs=1e-9)
        assert list(state["lines"]) == list(expected["lines"])
        assert state["residuals"] == pytest.approx(expected["residuals"], abs=1e-8)
        assert state["pulls"] == pytest.approx(expected["pulls"], abs=1e-8)
        assert (state["moved"], state["reach"]) == pytest.approx((expected["moved"], expected["reach"]))
        assert found["words"] == outlier.describe(**values)


def test_equally_good_lines_give_the_middle_as_in_python(stage):
    square = [[0, 0], [0, 2], [1, 0], [1, 2]]
    one = stage(an_outlier())
    assert one.js("(points) => part.explorer.fit('mae', points)", square) == pytest.approx([0, 1])
    few = [[0, 3], [0, -1], [2, 5], [4, 1], [4, 1]]
    for loss in outlier.LOSSES:
        ours = one.js("([loss, points]) => part.explorer.fit(loss, points, 0.7)", [loss, few])
        assert ours == pytest.approx(outlier.fit(loss, few, 0.7), abs=1e-9)


# ------------------------------------------------------------------ the picture
@pytest.mark.parametrize("width", [1000, 700, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    assert stage(an_outlier(), width=width).js(LOOK, ENDS[::3]) == []


@pytest.mark.parametrize("width", [1000, 390])
def test_nothing_below_the_picture_moves(stage, width: int):
    one = stage(an_outlier(), width=width)
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS[::5],
    )
    assert len(heights) == 1


def test_an_arrow_for_every_pull_and_a_second_line_to_compare(stage):
    one = stage(an_outlier(loss="mse", compare="none", point=10, x=9.5, y=-3.0))
    count = "document.querySelectorAll('.n2t-stage svg [stroke-dasharray=\"10 6\"]').length"
    assert one.js(count) == 0
    one.control("compare").select_option("mae")
    assert one.js(count) == 1
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("MAE: ŷ = 0.40x + 2.30")
    one.control("compare").select_option("mse")  # the same loss twice is one line, and says so
    assert one.js(count) == 0
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("Choose another loss to compare.")


def test_the_picture_lies_on_white_in_the_dark_theme_and_is_named(stage):
    one = stage(an_outlier())
    one.js("document.body.dataset.jpThemeLight = 'false'")
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"
    words = one.page.locator(".n2t-say").inner_text()
    assert one.page.locator(".n2t-stage svg").get_attribute("aria-label") == words


# ------------------------------------------------------------------ moving a point
def spot(one: Stage, x: float, y: float) -> tuple[float, float]:
    """Where the point (x, y) is on the page."""
    left, top, width, height = one.plot_area()
    return left + x / 10 * width, top + height - (y + 5) / 17 * height


def test_any_point_is_dragged_and_the_one_before_goes_home(stage):
    one = stage(an_outlier())
    for point, (x, y) in ((3, (2.5, 10.0)), (8, (6.0, -2.0))):
        one.page.mouse.move(*spot(one, *outlier.POINTS[point - 1]))
        one.page.mouse.down()
        one.page.mouse.move(*spot(one, 5.0, 8.0), steps=3)
        one.page.mouse.move(*spot(one, x, y), steps=3)
        saves = one.saves()
        one.page.mouse.up()
        assert one.saves() == saves + 1
        now = one.values()
        assert (now["point"], now["x"], now["y"]) == (
            point,
            pytest.approx(x, abs=0.11),
            pytest.approx(y, abs=0.11),
        )
        points = one.states([now])[0]["state"]["points"]
        assert [k + 1 for k, p in enumerate(points) if tuple(p) != outlier.POINTS[k]] == [point]


def test_a_drag_past_the_ends_stops_there(stage):
    one = stage(an_outlier())
    one.page.mouse.move(*spot(one, *outlier.POINTS[9]))
    one.page.mouse.down()
    one.page.mouse.move(*spot(one, 12.0, 14.0), steps=3)
    one.page.mouse.up()
    assert (one.values()["x"], one.values()["y"]) == (10, 12)


def test_a_finger_drags_a_point_and_the_page_stays(stage):
    one = stage(an_outlier(), width=390, has_touch=True, is_mobile=True)
    one.js("document.body.style.minHeight = '3000px'")
    session = one.context.new_cdp_session(one.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", spot(one, *outlier.POINTS[9]))
    for step in range(1, 9):
        touch("touchMove", spot(one, 9.5, 6.2 - step))
    touch("touchEnd")
    assert one.values()["y"] == pytest.approx(-1.8, abs=0.15)
    assert one.js("window.scrollY") == 0


def test_by_keys_another_point_is_chosen_where_it_stands_and_moved(stage):
    one = stage(an_outlier(y=-2.0))
    one.press("point", "ArrowLeft", 3)
    now = one.values()
    assert (now["point"], now["x"], now["y"]) == (7, *outlier.POINTS[6])
    one.press("y", "ArrowUp", 4)
    one.press("x", "Home")
    now = one.values()
    assert (now["point"], now["x"], now["y"]) == (7, 0, pytest.approx(5.7))
    one.press("home", "Enter")
    assert (one.values()["x"], one.values()["y"]) == outlier.POINTS[6]
    assert one.control("home").get_attribute("aria-disabled") == "true"


KEYS = [("loss", "ArrowRight"), ("compare", "ArrowUp"), ("delta", "ArrowRight"), ("point", "ArrowLeft"),
        ("x", "ArrowLeft"), ("y", "ArrowDown"), ("home", "Enter")]  # fmt: skip


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_key_changes_the_picture_and_keeps_the_focus(stage, name: str, key: str):
    # With Huber's line shown, so that δ matters; the radio buttons of a loss share a name of their own.
    one = stage(an_outlier(compare="huber", point=10, y=-2.0))
    control = one.page.get_by_label("MSE", exact=True) if name == "loss" else one.control(name)
    control.focus()
    before, said = one.picture(), one.page.locator(".n2t-say").inner_text()
    one.page.keyboard.press(key)
    assert one.picture() != before
    assert one.page.locator(".n2t-say").inner_text() != said
    assert one.js("document.activeElement.matches('.n2t :is(input, select, button)')")


def test_delta_is_there_while_hubers_line_is_and_its_place_is_kept(stage):
    one = stage(an_outlier())
    delta = one.control("delta")
    height = one.js("document.querySelector('.n2t').getBoundingClientRect().height")
    expect(delta).to_be_hidden()
    expect(delta).to_be_disabled()
    one.control("compare").select_option("huber")
    expect(delta).to_be_visible()
    expect(delta).to_be_enabled()
    assert one.js("document.querySelector('.n2t').getBoundingClientRect().height") == height


def test_every_control_is_reached_by_tab(stage):
    one = stage(an_outlier())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    stops = controls.and_(one.page.locator(":enabled:not([type=radio]:not(:checked))")).count()
    visited = []
    for _ in range(stops):
        one.page.keyboard.press("Tab")
        visited.append(one.js("[...document.querySelectorAll('.n2t *')].indexOf(document.activeElement)"))
    assert visited == sorted(set(visited)) and visited[0] > 0


# ------------------------------------------------------------------ goals
def test_mae_stays_while_a_point_goes_far(stage):
    one = stage(an_outlier(loss="mae", point=9, x=8.5, y=2.9))
    one.press("y", "ArrowDown")
    assert one.reached() == []  # by 2.9 only
    one.press("y", "ArrowDown")
    assert one.reached() == ["still"]


def test_a_move_that_shifts_maes_line_is_no_goal(stage):
    one = stage(an_outlier(loss="mae", point=9, x=8.5, y=11.0))
    one.press("y", "ArrowUp")
    assert one.reached() == []


def test_huber_lies_on_mse_once_delta_is_large_enough(stage):
    one = stage(an_outlier(loss="huber", compare="mse", delta=5.0, point=5, x=4.5, y=11.0))
    one.press("delta", "ArrowRight")
    assert one.reached() == []
    one.press("delta", "End")
    assert one.reached() == ["alike"]


def test_the_challenge_is_recognised(stage):
    one = stage(an_outlier(loss="mse", compare="mae", point=10, x=10.0, y=0.0))
    one.press("y", "ArrowDown", 4)
    assert one.reached() == []
    one.press("y", "PageDown", 3)
    assert one.reached() == ["flip"]
    expect(one.goal("flip")).to_contain_text("Reached:")
    assert one.js("model.get('reached')") == ["flip"]


def test_the_challenge_asks_for_both_lines(stage):
    one = stage(an_outlier(loss="mse", compare="none", point=10, x=10.0, y=-4.0))
    one.press("y", "ArrowDown")
    assert one.reached() == []
    one.control("compare").select_option("mae")
    assert one.reached() == ["flip"]


def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage):
    one = stage(an_outlier())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start
    assert one.reached() == []


def test_a_drag_answers_within_a_frame_or_two(stage):
    one = stage(an_outlier(loss="huber", compare="mae", delta=0.1))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=y]");
          return Array.from({ length: 40 }, (_, i) => {
            const start = performance.now();
            slider.value = i / 4;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 20
