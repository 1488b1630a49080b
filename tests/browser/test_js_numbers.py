"""The browser-mode explorers in a real browser: numbers against torch, keys, goals and errors.

An explorer's module runs in an empty page with a stand-in for anywidget's model: that is quick and shows
what the module itself does. The whole, in JupyterLab, is tested beside this file.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import Browser, expect
from torch.nn import functional as F

from utils.explore import base
from utils.explore.base import Declaration, Explorer

neuron = importlib.import_module("utils.explore.neuron")
activation = importlib.import_module("utils.explore.activation")
replay = importlib.import_module("utils.explore.replay")
predict = importlib.import_module("utils.explore.predict")


def a_neuron(**values: Any) -> Explorer:
    start = neuron.DECLARATION.defaults() | values
    return neuron.NeuronExplorer(neuron.DECLARATION, {"points": neuron.POINTS}, values=start)


def an_activation(**values: Any) -> Explorer:
    start = activation.DECLARATION.defaults() | values
    return activation.ActivationExplorer(activation.DECLARATION, activation.browser_data(), values=start)


HISTORY = [
    ((0, 0), -1, 0),
    ((1, 1), 0, 3),
    ((1, 1), -1, 0),
    ((1, 0), -2, 1),
    ((2, 1), -1, 3),
    ((1, 1), -2, 2),
]
RECORD = replay.prepare([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1], HISTORY)


def a_replay(record: dict = RECORD, **values: Any) -> Explorer:
    declaration = replay.declaration(record)
    return replay.ReplayExplorer(
        declaration, replay.browser_data(record), values=declaration.defaults() | values
    )


ASK = {
    "question": "Is <b>2</b> more than 1?",
    "options": ["no", "<img src=x onerror=alert(1)>", "yes"],
    "answer": "yes",
    "explanation": "2 − 1 = 1, and 1 > 0.",
}


def a_question(**changes: Any) -> Explorer:
    return predict.PredictExplorer(predict.DECLARATION, predict.compute(**(ASK | changes)))


EVERY = {"neuron": a_neuron, "activation": an_activation, "replay": a_replay}
every = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


# ------------------------------------------------------------------ numbers
def test_the_neurons_numbers_are_torchs(stage):
    random = torch.Generator().manual_seed(0)
    settings = list(neuron.DECLARATION.extremes())
    for points in neuron.POINTS:
        for w1, w2, b in (torch.randint(-30, 31, (60, 3), generator=random).double() / 10).tolist():
            settings.append({"points": points, "w1": w1, "w2": w2, "b": b})
    for values, found in zip(settings, stage(a_neuron()).states(settings), strict=True):
        data, state = neuron.POINTS[values["points"]], found["state"]
        X, y = torch.tensor(data["X"], dtype=torch.float64), torch.tensor(data["y"])
        w = torch.tensor([values["w1"], values["w2"]], dtype=torch.float64)
        z = X @ w + values["b"]
        assert torch.allclose(torch.tensor(state["z"], dtype=torch.float64), z, atol=1e-12, rtol=0)
        says = (z.round(decimals=9) >= 0).long()
        assert state["says"] == says.tolist()
        assert state["right"] == int((says == y).sum())
        norm = torch.linalg.vector_norm(w).item()
        assert state["norm"] == pytest.approx(norm, abs=1e-12)
        assert (state["distance"] is None) == (norm == 0)
        if norm:
            assert state["distance"] == pytest.approx(abs(values["b"]) / norm, rel=1e-12)
        expected = neuron.compute(**values)
        assert state["foot"] == (expected["foot"] and pytest.approx(expected["foot"], abs=1e-9))
        assert state["in_view"] == expected["in_view"] and state["wrong"] == expected["wrong"]
        assert found["words"] == neuron.describe(**values)


TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "identity": lambda z: z * 1,
    "step": lambda z: torch.heaviside(z.detach(), torch.ones((), dtype=z.dtype)) + 0 * z,
}


@pytest.mark.parametrize("kind", [kind for kind, _ in activation.KINDS])
def test_an_activations_numbers_are_torchs(stage, kind: str):
    z = torch.linspace(-8, 8, 321, dtype=torch.float64, requires_grad=True)
    f = TORCH[kind](z)
    (slope,) = torch.autograd.grad(f.sum(), z)
    settings = [{"kind": kind, "z": x, "n": 1 + i % 30} for i, x in enumerate(z.tolist())]
    found = stage(an_activation()).states(settings)
    values = torch.tensor([one["state"]["value"] for one in found], dtype=torch.float64)
    slopes = torch.tensor([one["state"]["slope"] for one in found], dtype=torch.float64)
    assert torch.allclose(values, f.detach(), atol=1e-14, rtol=1e-11)
    assert torch.allclose(slopes, slope, atol=2e-15, rtol=1e-9)
    for setting, one in zip(settings, found, strict=True):
        expected = activation.compute(**setting)
        state = one["state"]
        assert state["surviving"] == pytest.approx(expected["surviving"], rel=1e-9)
        assert (state["saturated"], len(state["zones"])) == (expected["saturated"], len(expected["zones"]))
        assert state["largest"] == pytest.approx(expected["largest"], rel=1e-12)
        assert one["words"] == activation.describe(**setting)


def test_erfc_is_torchs_far_out_too(stage):
    x = torch.linspace(-6, 12, 721, dtype=torch.float64)
    ours = stage(an_activation()).js("(xs) => xs.map(part.explorer.erfc)", x.tolist())
    assert torch.allclose(torch.tensor(ours, dtype=torch.float64), torch.special.erfc(x), rtol=1e-10, atol=0)


def test_the_replays_numbers_and_words_are_pythons(stage):
    settings = [{"update": k, "speed": "normal"} for k in range(len(RECORD["steps"]))]
    for k, found in enumerate(stage(a_replay()).states(settings)):
        assert found["state"] == replay.compute(RECORD, k)
        assert found["words"] == replay.describe(RECORD, k)


# ------------------------------------------------------------------ pictures
SETTINGS = {
    "neuron": (a_neuron, list(neuron.DECLARATION.extremes())),
    "activation": (an_activation, list(activation.DECLARATION.extremes())),
    "replay": (a_replay, [{"update": k} for k in range(len(RECORD["steps"]))]),
}

BIG = replay.prepare(
    [[0, 0], [300, 1e6], [-1, 2]], [0, 1, 0], [((-1e7, 12345.67), -1e9, 1), ((3, -1e7), 1e-7, 2)]
)
SETTINGS["replay of large numbers"] = (lambda: a_replay(BIG), [{"update": k} for k in range(3)])


@pytest.mark.parametrize("width", [1000, 700, 390])
@pytest.mark.parametrize("name", SETTINGS)
def test_at_no_end_of_any_control_the_picture_breaks(stage, name: str, width: int):
    make, settings = SETTINGS[name]
    assert stage(make(), width=width).js(LOOK, settings) == []


COVERED = """([settings, color]) => settings.flatMap((values) => {
  model.set("values", values);
  const svg = document.querySelector(".n2t-stage svg");
  const words = [...svg.querySelectorAll("text")];
  const w = words.find((text) => text.textContent === "w");
  if (!w) return [];
  const shaft = [...svg.querySelectorAll("path")].find(
    (path) => path.getAttribute("stroke") === color && path.getAttribute("stroke-width") === "4");
  const long = shaft ? shaft.getTotalLength() : 0;
  const spots = [...Array(41).keys()].flatMap((i) =>
    shaft ? [shaft.getPointAtLength((long * i) / 40).matrixTransform(svg.getScreenCTM())] : []);
  const end = w.getBoundingClientRect();
  return words.filter((text) => {
    if (!/^(z = )?−?\\d+\\.\\d$/.test(text.textContent)) return false;
    const box = text.getBoundingClientRect();
    const { left, right, top, bottom } = box;
    const under = spots.some(({ x, y }) => x > left && x < right && y > top + 2 && y < bottom - 2);
    return under || (end.left < right && end.right > left && end.top < bottom - 3 && end.bottom > top + 3);
  }).map((text) => `${JSON.stringify(values)}: the arrow covers “${text.textContent}”`);
})"""


@pytest.mark.parametrize("width", [1000, 390])
def test_the_neurons_arrow_covers_no_z(stage, width: int):
    settings = [
        {"points": "AND", "w1": w1 / 2, "w2": w2 / 2, "b": b}
        for w1 in range(-6, 7) for w2 in range(-6, 7) for b in (-3.0, -1.0, 0.0, 0.5, 2.0)
    ]  # fmt: skip
    settings.append({"points": "AND", "w1": 0.5, "w2": -1.0, "b": 0.3})  # the picture at the start
    assert stage(a_neuron(), width=width).js(COVERED, [settings, base.colors()["accent"]]) == []


def test_the_ring_of_a_slider_stays_off_its_name(stage):
    one = stage(a_neuron())
    one.press("w1", "ArrowRight")
    gap = one.js(
        """() => {
          const input = document.activeElement;
          const name = input.labels[0].firstChild.getBoundingClientRect();
          const { outlineOffset, outlineWidth } = getComputedStyle(input);
          const outside = parseFloat(outlineOffset) + parseFloat(outlineWidth);
          return input.getBoundingClientRect().top - outside - name.bottom;
        }"""
    )
    assert gap >= 0


@every
def test_text_and_picture_are_named_for_those_who_do_not_see_them(stage, make):
    one = stage(make())
    words = one.page.locator(".n2t-say").inner_text()
    assert one.page.locator(".n2t-stage svg").get_attribute("aria-label") == words
    assert one.page.locator(".n2t-stage svg").get_attribute("role") == "img"
    one.page.wait_for_function(
        "(words) => document.querySelector('[aria-live=polite]').textContent === words", arg=words
    )
    unnamed = one.js(
        """[...document.querySelectorAll(".n2t :is(input, select)")]
             .filter((control) => !control.labels[0]?.textContent.trim()).length"""
    )
    assert unnamed == 0


@every
def test_the_still_is_hidden_while_the_live_is_on_screen_and_back_in_print(stage, make):
    one = stage(make())
    still, live = one.page.get_by_text("STILL"), one.page.locator(".n2t")
    expect(still).to_be_hidden()
    expect(live).to_be_visible()
    one.page.emulate_media(media="print")
    expect(still).to_be_visible()
    expect(live).to_be_hidden()


def test_only_the_still_right_above_is_hidden(stage):
    one = stage(a_neuron())
    one.js("cell('ANOTHER FIGURE')")
    expect(one.page.get_by_text("ANOTHER FIGURE")).to_be_visible()
    one.js("view()")  # a live one right below hides it
    expect(one.page.get_by_text("ANOTHER FIGURE")).to_be_hidden()


def test_the_picture_lies_on_white_in_the_dark_theme(stage):
    one = stage(a_neuron())
    one.js("document.body.dataset.jpThemeLight = 'false'")
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"
    assert one.js("getComputedStyle(document.querySelector('.n2t-say')).color") == "rgb(255, 255, 255)"


# ------------------------------------------------------------------ keys
KEYS = [
    (a_neuron, "points", "ArrowDown"),
    (a_neuron, "w1", "ArrowRight"),
    (a_neuron, "w2", "ArrowLeft"),
    (a_neuron, "b", "PageUp"),
    (a_neuron, "flip", "Enter"),
    (an_activation, "kind", "ArrowDown"),
    (an_activation, "z", "ArrowLeft"),
    (an_activation, "n", "End"),
    (a_replay, "update", "ArrowRight"),
    (a_replay, "step", "Space"),
]


@pytest.mark.parametrize(("make", "name", "key"), KEYS, ids=[f"{name}-{key}" for _, name, key in KEYS])
def test_a_key_changes_the_picture_and_keeps_the_focus(stage, make, name: str, key: str):
    one = stage(make())
    before, said, saves = one.picture(), one.page.locator(".n2t-say").inner_text(), one.saves()
    one.press(name, key)
    assert one.picture() != before
    assert one.js("document.activeElement.name") == name
    assert one.page.locator(".n2t-say").inner_text() != said
    assert one.saves() == saves + 1


def test_a_key_answers_within_a_frame_or_two(stage):
    one = stage(a_neuron())
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=w1]");
          return Array.from({ length: 40 }, (_, i) => {
            const start = performance.now();
            slider.value = i / 20;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 20  # the fastest: what else runs on this machine is not the explorer's doing


@every
def test_every_control_is_reached_by_tab_and_keeps_its_keys(stage, make):
    one = stage(make())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    # A disabled button is no stop, and the radio buttons of a group are one.
    stops = controls.and_(one.page.locator(":enabled:not([type=radio]:not(:checked))")).count()
    visited = []
    for _ in range(stops):
        one.page.keyboard.press("Tab")
        visited.append(one.js("[...document.querySelectorAll('.n2t *')].indexOf(document.activeElement)"))
        assert one.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert visited == sorted(set(visited)) and visited[0] > 0


def test_a_button_that_becomes_useless_keeps_the_focus(stage):
    one = stage(a_replay(update=len(HISTORY) - 1))
    one.press("step", "Enter")
    assert one.js("document.activeElement.name") == "step"
    assert one.control("step").get_attribute("aria-disabled") == "true"
    before = one.picture()
    one.page.keyboard.press("Enter")
    assert one.picture() == before


# ------------------------------------------------------------------ goals, presets, reset
def test_goals_are_recognised_said_and_remembered(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-2.2))
    assert one.reached() == []
    one.press("b", "ArrowRight", 3)
    assert one.reached() == ["and"]
    expect(one.goal("and")).to_contain_text("Reached:")
    expect(one.page.locator("[aria-live=polite]")).to_contain_text("Goal reached: AND: 4 of 4")
    assert one.js("model.get('reached')") == ["and"]
    one.control("reset").click()
    assert one.reached() == ["and"]
    one.js("view()")  # another view of the same widget knows it
    assert one.reached() == ["and", "and"]


def test_the_xor_challenge(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-0.9))
    one.control("points").select_option("XOR")
    assert one.reached() == ["xor"]
    expect(one.goal("xor").locator(".n2t-done")).to_be_visible()
    expect(one.goal("xor")).to_contain_text("the best any line can do")


def test_the_blobs_goal(stage):
    one = stage(a_neuron(points="blobs", w1=1.0, w2=1.0, b=-0.6))
    one.press("b", "ArrowRight", 1)
    assert one.reached() == []
    one.press("b", "ArrowRight", 1)
    assert one.reached() == ["blobs"]


def test_the_goals_of_the_activations(stage):
    one = stage(an_activation(z=0.1, n=25))
    one.press("z", "ArrowLeft", 1)
    assert one.reached() == []
    one.press("z", "ArrowLeft", 1)
    assert one.reached() == ["steepest"]
    one.control("kind").select_option("relu")
    assert one.reached() == ["steepest", "dead"]
    one.control("kind").select_option("tanh")
    assert one.reached() == ["steepest", "dead", "keep"]


def test_a_goal_is_not_reached_in_passing(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-2.2))
    one.js(
        """() => {
          const slider = document.querySelector("[name=b]");
          for (const value of [-1.8, -1.5, 0.4]) {
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
          }
          slider.dispatchEvent(new Event("change"));
        }"""
    )
    assert one.reached() == []


@pytest.mark.parametrize("make", [a_neuron, an_activation], ids=["neuron", "activation"])
def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage, make):
    one = stage(make())
    start = one.picture()
    presets = one.page.get_by_role("group", name="Settings to try").get_by_role("button")
    for button in presets.all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start
    assert one.reached() == []


def test_reaching_a_goal_moves_nothing(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-2.1))
    height = one.js("document.querySelector('.n2t-side').getBoundingClientRect().height")
    one.press("b", "ArrowRight", 3)
    assert one.reached() == ["and"]
    assert one.js("document.querySelector('.n2t-side').getBoundingClientRect().height") == height


# ------------------------------------------------------------------ dragging
def _on(one: Stage, x: float, y: float) -> tuple[float, float]:
    """Return where the point (x, y) of the neuron's plane is on the page."""
    box = one.page.locator(".n2t-stage svg").bounding_box()
    corners = one.js(
        """() => { const [a, b] = document.querySelectorAll(".n2t-stage svg clipPath rect");
          const r = a || b; return ["x", "y", "width", "height"].map((k) => Number(r.getAttribute(k))); }"""
    )
    left, top, width, height = corners
    scale = height / 3  # the logic gates show three units from top to bottom
    return box["x"] + left + width / 2 + (x - 0.5) * scale, box["y"] + top + height / 2 - (y - 0.5) * scale


def test_the_line_is_shifted_by_the_mouse_and_synchronised_on_release(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-2.0))
    one.page.mouse.move(*_on(one, 0.5, 1.5))
    one.page.mouse.down()
    one.page.mouse.move(*_on(one, 0.4, 1.4), steps=3)
    one.page.mouse.move(*_on(one, 0.25, 1.25), steps=3)
    assert float(one.control("b").input_value()) == -1.5
    assert (one.saves(), one.reached()) == (0, [])
    one.page.mouse.up()
    assert (one.saves(), one.reached()) == (1, ["and"])
    assert one.js("model.get('values')") == {"points": "AND", "w1": 1, "w2": 1, "b": -1.5}


def test_the_tip_of_w_turns_the_line(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-1.5))
    x, y = neuron.compute("AND", 1.0, 1.0, -1.5)["foot"]
    one.page.mouse.move(*_on(one, x + 0.3, y + 0.3))
    one.page.mouse.down()
    one.page.mouse.move(*_on(one, x + 0.6, y), steps=4)
    one.page.mouse.up()
    values = one.js("model.get('values')")
    assert (values["w1"], values["w2"]) == (pytest.approx(2.0), pytest.approx(0.0))
    assert values["b"] == pytest.approx(-2 * x, abs=0.06)  # the line turned about the arrow's foot


def test_a_drag_past_the_ends_stops_there(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-1.5))
    x, y = neuron.compute("AND", 1.0, 1.0, -1.5)["foot"]
    one.page.mouse.move(*_on(one, x + 0.3, y + 0.3))
    one.page.mouse.down()
    one.page.mouse.move(*_on(one, 9, 9), steps=4)
    one.page.mouse.up()
    values = one.js("model.get('values')")
    neuron.DECLARATION.check(**values)
    assert (values["w1"], values["w2"]) == (3, 3)


def test_a_finger_drags_the_line_and_the_page_stays(stage):
    one = stage(a_neuron(w1=1.0, w2=1.0, b=-1.5), width=390, has_touch=True, is_mobile=True)
    one.js("document.body.style.minHeight = '3000px'")
    session = one.context.new_cdp_session(one.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", _on(one, 0.25, 1.25))
    for step in range(1, 9):
        touch("touchMove", _on(one, 0.25 - step / 20, 1.25 - step / 20))
    touch("touchEnd")
    assert one.js("model.get('values').b") == pytest.approx(-0.7, abs=0.11)
    assert one.js("window.scrollY") == 0


def test_z_is_dragged_in_the_picture(stage):
    one = stage(an_activation())
    box = one.page.locator(".n2t-stage svg").bounding_box()
    one.page.mouse.move(box["x"] + 200, box["y"] + 100)
    one.page.mouse.down()
    one.page.mouse.move(box["x"] + 58 + (box["width"] - 76) / 2, box["y"] + 150, steps=4)
    one.page.mouse.up()
    assert abs(float(one.control("z").input_value())) < 0.06


# ------------------------------------------------------------------ one model, several views; ends and errors
def test_two_views_follow_each_other_and_share_no_id(stage):
    one = stage(a_neuron())
    one.js("view()")
    ids = one.js("[...document.querySelectorAll('.n2t [id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) > 0
    one.press("w1", "ArrowRight", 4)
    sliders = one.page.locator(".n2t [name=w1]")
    assert [s.input_value() for s in sliders.all()] == ["0.9", "0.9"]
    first, second = one.js("[...document.querySelectorAll('.n2t-stage svg')].map((svg) => svg.textContent)")
    assert first == second


@every
def test_a_closed_view_leaves_nothing_behind(stage, make):
    one = stage(make())
    one.js("unmount()")
    assert one.js("[document.querySelectorAll('.n2t').length, listening()]") == [0, 0]


def test_an_error_shows_as_text_and_goes_again(chromium: Browser):
    one = Stage(chromium, a_neuron())
    one.js(
        """() => {
          window.whole = part.explorer.compute;
          part.explorer.compute = () => { throw new Error("no <b>"); };
        }"""
    )
    one.press("w1", "ArrowRight")
    expect(one.page.get_by_role("alert")).to_have_text("This explorer met an error: no <b>")
    one.js("() => { part.explorer.compute = whole; }")
    one.press("w1", "ArrowRight")
    expect(one.page.locator(".n2t-error")).to_be_hidden()
    assert [p for p in one.problems if "no <b>" in p], "the console should have it too"
    one.context.close()


def test_an_explorer_that_cannot_draw_leaves_its_still(chromium: Browser):
    live = a_neuron()
    live.data = {"points": {}}
    one = Stage(chromium, live)
    expect(one.page.get_by_text("STILL")).to_be_visible()
    expect(one.page.locator(".n2t-error")).to_be_visible()
    one.context.close()


# ------------------------------------------------------------------ replay
def test_step_back_and_the_words(stage):
    one = stage(a_replay())
    say = one.page.locator(".n2t-say")
    expect(say).to_have_text(replay.describe(RECORD, 0))
    assert one.control("back").is_disabled()
    one.control("step").click()
    one.control("step").click()
    expect(say).to_have_text(replay.describe(RECORD, 2))
    one.control("back").click()
    expect(say).to_have_text(replay.describe(RECORD, 1))
    assert one.control("update").input_value() == "1"


def test_playing_goes_to_the_end_and_starts_again(stage):
    one = stage(a_replay(speed="fast"))
    last = str(len(HISTORY))
    one.control("play").click()
    expect(one.control("play")).to_have_text("Pause")
    expect(one.control("update")).to_have_value(last)
    expect(one.control("play")).to_have_text("Play")
    assert "end" in one.reached()
    one.control("play").click()
    expect(one.control("update")).to_have_value("1")
    one.control("play").click()
    paused = one.control("update").input_value()
    one.page.wait_for_timeout(500)
    assert one.control("update").input_value() == paused != last


def test_a_hand_on_the_slider_stops_the_player(stage):
    one = stage(a_replay(speed="slow"))
    one.control("play").click()
    one.press("update", "ArrowRight")
    expect(one.control("play")).to_have_text("Play")


def test_another_speed_goes_on_playing_and_a_closed_view_stops(stage):
    one = stage(a_replay(speed="slow"))
    one.control("play").click()
    one.page.get_by_label("fast").check()
    expect(one.control("update")).to_have_value(str(len(HISTORY)))
    one.control("play").click()
    one.js("unmount()")
    saves = one.saves()
    one.page.wait_for_timeout(600)
    assert one.saves() == saves


def test_nothing_plays_by_itself(stage):
    one = stage(a_replay(speed="fast"), reduced_motion="reduce")
    one.page.wait_for_timeout(500)
    assert one.control("update").input_value() == "0"
    assert one.js("document.getAnimations().length") == 0


def test_the_spoiling_update_is_recognised(stage):
    one = stage(a_replay())
    one.control("step").click()
    assert one.reached() == []
    one.control("step").click()
    assert one.reached() == ["worse"]


def test_five_hundred_points_and_a_thousand_updates_stay_quick(stage):
    random = torch.Generator().manual_seed(0)
    points = torch.randn(500, 2, generator=random)
    classes = (points[:, 0] > 0).long()
    walk = torch.randn(1000, 3, generator=random).cumsum(0).tolist()
    record = replay.prepare(points, classes, [((a, b), c, k % 500) for k, (a, b, c) in enumerate(walk)])
    one = stage(a_replay(record))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=update]");
          return Array.from({ length: 21 }, (_, i) => {
            const start = performance.now();
            slider.value = i * 50;
            slider.dispatchEvent(new Event("input"));
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 60


# ------------------------------------------------------------------ predict
def test_choose_reveal_and_ask_again(stage):
    one = stage(a_question())
    result = one.page.locator(".n2t-answer")
    one.press("reveal", "Enter")
    expect(result).to_have_text("Choose an answer first: a guess is fine.")
    one.page.get_by_label("no", exact=True).check()
    expect(result).to_have_text("")
    one.press("reveal", "Enter")
    expect(result).to_contain_text("Not so. The answer: yes")
    expect(result).to_contain_text(ASK["explanation"])
    assert one.js("document.activeElement.name") == "reveal"
    expect(one.page.locator("[data-state=right]")).to_contain_text("yes")
    expect(one.page.locator("[data-state=wrong]")).to_contain_text("no")
    one.press("reveal", "Enter")
    expect(result).to_have_text("")
    one.page.keyboard.press("ArrowUp")  # the focus is on the options again; up from the first is the last
    one.press("reveal", "Enter")
    expect(result).to_contain_text("Right.")


def test_the_choice_is_remembered_by_this_browser_and_forgotten_on_asking_again(stage):
    one = stage(a_question())
    one.page.get_by_label("yes").check()
    one.control("reveal").click()
    one.load()
    expect(one.page.locator(".n2t-answer")).to_contain_text("Right.")
    one.control("reveal").click()
    one.load()
    expect(one.page.locator(".n2t-answer")).to_have_text("")
    assert one.js("Object.keys(localStorage)") == []


def test_a_remembered_choice_that_is_no_option_is_ignored(stage):
    one = stage(a_question(key="mine"))
    one.js("localStorage.setItem('n2t-predict-mine', '7')")
    one.load()
    expect(one.page.locator(".n2t-answer")).to_have_text("")


def test_a_question_is_plain_text(stage):
    one = stage(a_question())
    expect(one.page.locator("legend")).to_contain_text("Is <b>2</b> more than 1?")
    assert one.page.locator(".n2t img, .n2t b").count() == 0


def test_a_browser_that_stores_nothing_still_asks(chromium: Browser):
    one = Stage(chromium, a_question())
    one.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied') } })"
    )
    one.load()
    one.page.get_by_label("yes").check()
    one.control("reveal").click()
    expect(one.page.locator(".n2t-answer")).to_contain_text("Right.")
    assert one.problems == []
    one.context.close()


def test_two_questions_on_one_page_do_not_share_their_options(stage):
    one = stage(a_question())
    one.js("view()")
    inputs = one.page.locator("input")
    inputs.nth(0).check()
    inputs.nth(5).check()
    assert inputs.nth(0).is_checked() and inputs.nth(5).is_checked()


# ------------------------------------------------------------------ controls no explorer has yet
class Plain(Explorer):
    _css = base.css()


def test_switches_and_units(stage):
    declaration = Declaration(
        name="plain",
        title="Plain",
        controls=(base.Slider("t", "Time", 0, 5, 0.25, 1, unit="s"), base.Switch("on", "Light on")),
    )
    source = """
const explorer = {
  compute: (values) => values,
  draw: (picture, state) => { picture.text(20, 40, JSON.stringify(state)); },
  describe: (state) => `It is ${state.on ? "on" : "off"}.`,
};
"""
    live = Plain(declaration)
    live._esm = base.esm().replace("export default", source + "export default")
    one = stage(live)
    expect(one.page.locator("output")).to_have_text("1.00 s")
    assert one.control("t").get_attribute("aria-valuetext") == "1.00 s"
    one.press("on", "Space")
    expect(one.page.locator(".n2t-say")).to_have_text("It is on.")
    assert one.js("model.get('values')") == {"t": 1, "on": True}
