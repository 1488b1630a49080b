"""The race in a real browser: torch's paths, Python's words, start by mouse, finger and keys, goals, ends."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer
from utils.explore.surfaces import SURFACES, WINDOW

race = importlib.import_module("utils.explore.race")
DEFAULTS = race.DECLARATION.defaults()
ALL_ON = dict.fromkeys(race.OPTIMIZERS, True)
ALL_OFF = dict.fromkeys(race.OPTIMIZERS, False)


def a_race(**values: Any) -> Explorer:
    return race.RaceExplorer(race.DECLARATION, race.browser_data(), values=DEFAULTS | values)


def on(name: str, **values: Any) -> dict:
    """Controls for a surface, at its own start and rate."""
    surface = SURFACES[name]
    return {"surface": name, "x": surface.start[0], "y": surface.start[1], "lr": surface.log_lr} | values


def ends() -> list[dict]:
    """Both ends of every control, on every surface."""
    found = [DEFAULTS | dict(p.values) for p in race.PRESETS]
    for name, lr, beta, runs, steps in itertools.product(
        SURFACES, (-4.0, 1.0), (0.0, 0.99), (ALL_ON, ALL_OFF), (0, 200)
    ):
        found.append(DEFAULTS | runs | on(name, lr=lr, beta=beta, steps=steps))
    for name, x, y, steer in itertools.product(SURFACES, WINDOW[0], WINDOW[1], ("all", "none")):
        found.append(DEFAULTS | ALL_ON | on(name, x=x, y=y, steer=steer, steps=200))
    found += [DEFAULTS | ALL_ON | on(name, steer=steer) for name in SURFACES for steer in race.OPTIMIZERS]
    return found


ENDS = ends()


# ------------------------------------------------------------------ numbers
def torchs_path(name: str, optimizer: str, start, lr: float, beta: float) -> torch.Tensor:
    """(101, 2) points of 100 steps by autograd and torch.optim, in float64."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    stepper = {
        "sgd": lambda: torch.optim.SGD([theta], lr),
        "momentum": lambda: torch.optim.SGD([theta], lr, momentum=beta),
        "nesterov": lambda: torch.optim.SGD([theta], lr, momentum=beta, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad([theta], lr),
        "rmsprop": lambda: torch.optim.RMSprop([theta], lr, alpha=beta),
        "adam": lambda: torch.optim.Adam([theta], lr, betas=(beta, 0.999)),
        "adamw": lambda: torch.optim.AdamW([theta], lr, betas=(beta, 0.999)),
    }[optimizer]()
    path = [theta.detach().clone()]
    for _ in range(100):
        stepper.zero_grad()
        SURFACES[name].f(theta[0], theta[1]).backward()
        stepper.step()
        path.append(theta.detach().clone())
    return torch.stack(path)


@pytest.mark.parametrize("name", SURFACES)
def test_a_hundred_steps_of_every_optimizer_are_torchs(stage, name: str):
    start = SURFACES[name].start
    settings = [
        (optimizer, lr, beta)
        for optimizer in race.OPTIMIZERS
        for lr, beta in (
            (race.BEST[name][optimizer], race.USUAL_BETA.get(optimizer, 0.9)),
            (0.003, 0.5),
            (10**-3.5, 0.8),
        )
    ]
    found = stage(a_race()).js(
        """([name, start, settings]) =>
             settings.map(([one, lr, beta]) => part.explorer.run(name, one, start, lr, beta, 100))""",
        [name, start, settings],
    )
    compared = 0
    for (optimizer, lr, beta), path in zip(settings, found, strict=True):
        ours, theirs = torch.tensor(path, dtype=torch.float64), torchs_path(name, optimizer, start, lr, beta)
        near = theirs.abs().amax(1).cummax(0).values < 100  # further out it has diverged
        theirs = theirs[near]
        assert len(ours) >= len(theirs)
        assert torch.allclose(ours[: len(theirs)], theirs, rtol=1e-8, atol=1e-8), (optimizer, lr, beta)
        compared += len(theirs) == 101
    assert compared >= 15, "most of them should stay in sight"


@pytest.mark.parametrize("name", SURFACES)
def test_values_and_gradients_are_pythons(stage, name: str):
    surface = SURFACES[name]
    points = [[x, y] for x in (-4.0, -1.3, 0.0, 2.2) for y in (-2.0, 0.4, 3.0)]
    found = stage(a_race()).js(
        """([name, points]) => points.map(([x, y]) =>
          [part.explorer.surfaces[name].f(x, y), ...part.explorer.surfaces[name].gradient(x, y)])""",
        [name, points],
    )
    for point, (value, *gradient) in zip(points, found, strict=True):
        assert value == pytest.approx(surface.f(*point), rel=1e-13, abs=1e-13)
        assert gradient == pytest.approx(surface.gradient(*point), rel=1e-13, abs=1e-13)


def test_states_and_words_are_pythons(stage):
    settings = [
        DEFAULTS | runs | on(name, lr=lr, beta=beta, steer=steer, steps=steps)
        for name in SURFACES
        for lr, beta, steer, steps, runs in (
            (SURFACES[name].log_lr, 0.9, "all", 0, {}),
            (SURFACES[name].log_lr, 0.5, "momentum", 60, ALL_ON),
            (-2.0, 0.8, "none", 200, ALL_ON),
            (1.0, 0.9, "sgd", 3, ALL_ON),
            (-3.5, 0.9, "all", 1, ALL_OFF),
        )
    ]
    settings.append(DEFAULTS | {"lr": -1.08, "steps": 40})
    for values, found in zip(settings, stage(a_race()).states(settings), strict=True):
        expected = race.compute(**values)
        assert [one["name"] for one in found["state"]["runs"]] == [one["name"] for one in expected["runs"]]
        for ours, theirs in zip(found["state"]["runs"], expected["runs"], strict=True):
            for key in ("status", "since", "away", "steered", "arrival"):
                assert ours[key] == theirs[key], (values, key)
            assert ours["lr"] == pytest.approx(theirs["lr"], rel=1e-14)
            assert len(ours["path"]) == len(theirs["path"]) == len(ours["gaps"])
        assert found["words"] == race.describe(**values)


def test_contour_lines_run_where_the_surface_has_their_height(stage):
    one = stage(a_race())
    for name, surface in SURFACES.items():
        level = surface.levels[len(surface.levels) // 2]
        loops = one.js(
            """([name, lowest, level]) => {
              const { f } = part.explorer.surfaces[name];
              return part.explorer.loops((x, y) => f(x, y) - lowest, ...model.get("data").window, level);
            }""",
            [name, surface.lowest, level],
        )
        points = [p for loop in loops for p in loop]
        inside = [(x, y) for x, y in points if abs(x) <= 4 and -2 <= y <= 3]
        assert len(inside) > 20, name
        for x, y in inside:
            slope = sum(abs(s) for s in surface.gradient(x, y))
            off = abs(surface.f(x, y) - surface.lowest - level)
            assert off < 0.02 * level + 0.06 * slope, (name, x, y)


# ------------------------------------------------------------------ the picture
@pytest.mark.parametrize("width", [1000, 700, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    assert stage(a_race(), width=width).js(LOOK, ENDS) == []


@pytest.mark.parametrize("width", [1000, 390])
def test_nothing_below_the_picture_moves(stage, width: int):
    one = stage(a_race(), width=width)
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS,
    )
    assert len(heights) == 1


def test_no_words_lie_over_each_other_in_the_legend(stage):
    for width in (1000, 700, 390):
        one = stage(a_race(**ALL_ON, **on("beale", steer="none", steps=200)), width=width)
        over = one.js(
            """() => {
              const names = Object.values(model.get("data").optimizers);
              const boxes = [...document.querySelectorAll(".n2t-stage svg text")]
                .filter((text) => names.some((name) => text.textContent.startsWith(name)))
                .map((text) => text.getBoundingClientRect());
              const meet = (a, b) => a.left < b.right && b.left < a.right &&
                a.top + 4 < b.bottom && b.top + 4 < a.bottom;
              return [boxes.length, boxes.filter((a, i) => boxes.some((b, k) => k > i && meet(a, b))).length];
            }"""
        )
        assert over == [7, 0], width


def test_switches_carry_the_markers_and_nothing_is_cut_off(stage):
    one = stage(a_race())
    assert one.page.locator("fieldset label svg path, fieldset label svg circle").count() == 7
    cut = one.js(
        """() => { const side = document.querySelector(".n2t-side").getBoundingClientRect();
          return [...document.querySelectorAll(".n2t-side fieldset span")]
            .filter((span) => span.getBoundingClientRect().right > side.right + 1).length; }"""
    )
    assert cut == 0


def test_the_picture_lies_on_white_in_the_dark_theme_and_is_named(stage):
    one = stage(a_race())
    one.js("document.body.dataset.jpThemeLight = 'false'")
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"
    words = one.page.locator(".n2t-say").inner_text()
    assert one.page.locator(".n2t-stage svg").get_attribute("aria-label") == words


def test_it_answers_within_a_frame_or_two_with_all_seven(stage):
    one = stage(a_race(**ALL_ON, steps=200))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=lr]");
          return Array.from({ length: 40 }, (_, i) => {
            const start = performance.now();
            slider.value = -3 + i / 20;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 33


# ------------------------------------------------------------------ controls
def test_the_rate_is_shown_as_it_is_not_as_its_logarithm(stage):
    one = stage(a_race())
    assert one.control("lr").get_attribute("aria-valuetext") == "0.02"
    one.press("lr", "End")
    assert one.control("lr").get_attribute("aria-valuetext") == "10"
    one.press("lr", "Home")
    assert one.control("lr").get_attribute("aria-valuetext") == "0.0001"


def test_another_surface_begins_at_its_own_start_and_rate(stage):
    one = stage(a_race())
    for name, surface in SURFACES.items():
        if name == "ravine":
            continue
        one.control("surface").select_option(name)
        now = one.values()
        assert (now["surface"], now["x"], now["y"], now["lr"]) == (name, *surface.start, surface.log_lr)
        assert one.page.locator(".n2t-say").inner_text().startswith(surface.label)
    # Values given from elsewhere are taken as they are.
    one.js("model.set('values', {...model.get('values'), surface: 'beale', x: 0.5, y: -1})")
    assert float(one.control("x").input_value()) == 0.5


KEYS = [("surface", "ArrowDown"), ("lr", "ArrowRight"), ("beta", "ArrowLeft"), ("steer", "ArrowDown"),
        *((name, "Space") for name in race.OPTIMIZERS), ("steps", "ArrowRight"), ("step", "Enter"),
        ("rewind", "Enter"), ("x", "ArrowRight"), ("y", "ArrowDown")]  # fmt: skip


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_key_changes_the_picture_and_keeps_the_focus(stage, name: str, key: str):
    one = stage(a_race())
    before, said, saves = one.picture(), one.page.locator(".n2t-say").inner_text(), one.saves()
    one.press(name, key)
    assert one.picture() != before
    assert one.js("document.activeElement.name") == name
    assert one.page.locator(".n2t-say").inner_text() != said
    assert one.saves() == saves + 1


def test_every_control_is_reached_by_tab(stage):
    one = stage(a_race())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    visited = []
    for _ in range(controls.and_(one.page.locator(":enabled")).count()):
        one.page.keyboard.press("Tab")
        visited.append(one.js("[...document.querySelectorAll('.n2t *')].indexOf(document.activeElement)"))
    assert visited == sorted(set(visited)) and visited[0] > 0


# ------------------------------------------------------------------ the start
def spot(one: Stage, x: float, y: float) -> tuple[float, float]:
    """Where the point (x, y) of the surface is on the page."""
    left, top, width, height = one.plot_area()
    assert height / width == pytest.approx(5 / 8)  # one scale both ways
    return left + (x + 4) / 8 * width, top + height - (y + 2) / 5 * height


def test_a_click_moves_the_start(stage):
    one = stage(a_race())
    one.page.mouse.click(*spot(one, 2.0, -1.0))
    assert (one.values()["x"], one.values()["y"]) == (
        pytest.approx(2.0, abs=0.06),
        pytest.approx(-1.0, abs=0.06),
    )
    assert one.states([one.values()])[0]["state"]["start"] == [one.values()["x"], one.values()["y"]]


def test_a_drag_moves_the_start_and_is_synchronised_on_release(stage):
    one = stage(a_race())
    one.page.mouse.move(*spot(one, -3.5, 1.5))
    one.page.mouse.down()
    one.page.mouse.move(*spot(one, -1.0, 2.0), steps=3)
    assert float(one.control("x").input_value()) == pytest.approx(-1.0, abs=0.06)
    assert one.saves() == 0
    one.page.mouse.move(*spot(one, 3.0, 2.5), steps=3)
    one.page.mouse.up()
    assert one.saves() > 0
    assert (one.values()["x"], one.values()["y"]) == (
        pytest.approx(3.0, abs=0.06),
        pytest.approx(2.5, abs=0.06),
    )


def test_a_drag_out_of_the_picture_stops_at_its_edge(stage):
    one = stage(a_race())
    one.page.mouse.move(*spot(one, -3.5, 1.5))
    one.page.mouse.down()
    one.page.mouse.move(*spot(one, -6.0, 9.0), steps=3)
    one.page.mouse.up()
    assert (one.values()["x"], one.values()["y"]) == (-4, 3)


def test_a_click_beside_the_plane_does_nothing(stage):
    one = stage(a_race())
    box = one.page.locator(".n2t-stage svg").bounding_box()
    one.page.mouse.click(box["x"] + 300, box["y"] + box["height"] - 60)  # among the loss curves
    assert one.saves() == 0


def test_a_finger_drags_the_start_or_taps_and_elsewhere_scrolls(stage):
    one = stage(a_race(), width=390, has_touch=True, is_mobile=True)
    one.js("document.body.style.minHeight = '3000px'")
    session = one.context.new_cdp_session(one.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", spot(one, -3.5, 1.5))
    for step in range(1, 9):
        touch("touchMove", spot(one, -3.5 + step / 4, 1.5 - step / 4))
    touch("touchEnd")
    assert (one.values()["x"], one.values()["y"]) == (
        pytest.approx(-1.5, abs=0.2),
        pytest.approx(-0.5, abs=0.2),
    )
    assert one.js("window.scrollY") == 0
    one.page.touchscreen.tap(*spot(one, 2.0, 2.0))
    expect(one.control("x")).to_have_value("2")
    one.page.wait_for_function("() => Math.abs(model.get('values').x - 2) < 0.1")
    before = one.values()
    start = spot(one, -3.0, -1.0)
    touch("touchStart", start)
    for step in range(1, 9):
        touch("touchMove", (start[0], start[1] - 12 * step))
    touch("touchEnd")
    one.page.wait_for_function("() => window.scrollY > 0")
    assert one.values() == before


# ------------------------------------------------------------------ playing
def test_playing_takes_step_after_step_to_the_end_and_starts_again(stage):
    one = stage(a_race(steps=190))
    one.control("play").click()
    expect(one.control("play")).to_have_text("Pause")
    expect(one.control("steps")).to_have_value("200")
    expect(one.control("play")).to_have_text("Play")
    assert one.control("step").is_disabled()
    one.control("play").click()
    one.page.wait_for_function("() => Number(document.querySelector('[name=steps]').value) < 100")
    one.control("play").click()
    paused = one.control("steps").input_value()
    one.page.wait_for_timeout(200)
    assert one.control("steps").input_value() == paused
    assert one.values()["steps"] == int(paused)


def test_step_and_rewind(stage):
    one = stage(a_race(steps=3))
    one.press("step", "Enter")
    assert one.values()["steps"] == 4
    one.press("rewind", "Enter")
    assert one.values()["steps"] == 0
    assert one.control("rewind").get_attribute("aria-disabled") == "true"


def test_a_hand_on_the_steps_stops_the_player_and_another_slider_does_not(stage):
    one = stage(a_race(steps=0))
    one.control("play").click()
    one.press("lr", "ArrowRight")
    expect(one.control("play")).to_have_text("Pause")
    one.press("steps", "ArrowRight")
    expect(one.control("play")).to_have_text("Play")


def test_a_closed_view_stops_playing_and_leaves_nothing_behind(stage):
    one = stage(a_race(steps=0))
    one.control("play").click()
    one.js("unmount()")
    assert one.js("[document.querySelectorAll('.n2t').length, listening()]") == [0, 0]
    saves = one.saves()
    one.page.wait_for_timeout(300)
    assert one.saves() == saves


def test_nothing_plays_by_itself(stage):
    one = stage(a_race())
    one.page.wait_for_timeout(200)
    assert one.control("steps").input_value() == "50"


# ------------------------------------------------------------------ goals
def test_the_smallest_diverging_rate_is_recognised(stage):
    one = stage(a_race(lr=-1.0))  # diverges, but is far above the limit
    one.press("beta", "ArrowLeft")
    expect(one.page.locator(".n2t-say")).to_contain_text("SGD")
    assert one.reached() == []
    one.press("lr", "ArrowLeft", 2)
    assert one.reached() == []
    one.press("lr", "ArrowLeft", 2)  # 0.0832
    assert one.reached() == ["diverge"]
    expect(one.goal("diverge")).to_contain_text("2/25 = 0.08")


def test_a_rate_below_the_limit_is_no_divergence(stage):
    one = stage(a_race(lr=-1.12, steps=200))
    one.press("lr", "ArrowRight")  # 0.0794
    assert one.reached() == []


def test_from_the_ridge_nobody_leaves_the_saddle_and_from_beside_it_somebody_does(stage):
    one = stage(a_race(**on("saddle", steps=200)))
    one.press("beta", "ArrowLeft")
    assert one.reached() == []
    expect(one.page.locator(".n2t-say")).to_contain_text("Stuck on the saddle: SGD, Momentum.")
    one.press("y", "ArrowUp")
    assert one.reached() == ["saddle"]


def test_both_minima_from_one_start_by_one_optimizer(stage):
    only = ALL_OFF | {"momentum": True}
    one = stage(a_race(**on("two_minima", beta=0.0, steps=199, **only)))
    one.press("steps", "End")
    expect(one.page.locator(".n2t-say")).to_contain_text("In the higher minimum: Momentum")
    assert one.reached() == []
    one.press("x", "ArrowLeft")  # from another start it would not count
    one.press("x", "ArrowRight")
    one.press("beta", "ArrowRight", 90)
    expect(one.page.locator(".n2t-say")).to_contain_text("At the minimum: Momentum")
    assert one.reached() == ["both"]


def test_two_optimizers_in_two_minima_are_not_one_in_both(stage):
    one = stage(a_race(**on("two_minima", steps=199)))
    one.press("steps", "End")
    said = one.page.locator(".n2t-say")
    expect(said).to_contain_text("At the minimum: Momentum")
    expect(said).to_contain_text("In the higher minimum: SGD")
    assert one.reached() == []


def test_the_challenge_under_fifty_steps(stage):
    one = stage(a_race(lr=-1.42, beta=0.8, steps=200))
    one.press("beta", "ArrowLeft", 10)
    assert one.reached() == ["fast"]
    expect(one.goal("fast")).to_contain_text("Reached:")
    assert one.js("model.get('reached')") == ["fast"]


@pytest.mark.parametrize("change", [{"x": -1.0}, {"steer": "none"}, {"surface": "turned"}, {"steps": 10}])
def test_the_challenge_needs_the_first_start_ones_own_rate_and_the_steps_taken(stage, change: dict):
    one = stage(a_race(**({"lr": -1.42, "beta": 0.71, "steps": 200} | change)))
    one.press("beta", "ArrowLeft")
    assert one.reached() == []


def test_while_playing_an_arrival_is_a_goal_at_once(stage):
    arrival = race.compute(**(DEFAULTS | {"lr": -1.42, "beta": 0.7}))["runs"][1]["arrival"]["step"]
    one = stage(a_race(lr=-1.42, beta=0.7, steps=arrival - 3))
    one.control("play").click()
    expect(one.goal("fast")).to_contain_text("Reached:")
    assert one.control("play").inner_text() == "Pause"


def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage):
    one = stage(a_race())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start
    assert one.reached() == []
