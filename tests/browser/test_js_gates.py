"""The gates in a real browser: Python's numbers and words, keys, mouse, goals, pictures at all ends."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

gates = importlib.import_module("utils.explore.gates")
DEFAULTS = gates.DECLARATION.defaults()
ALL = list(gates.DECLARATION.extremes())
ENDS = ALL[:5] + ALL[5::29]
PRESETS = {preset.label: dict(preset.values) for preset in gates.PRESETS}


def a_cell(**values: Any) -> Explorer:
    return gates.GatesExplorer(gates.DECLARATION, gates.browser_data(), values=DEFAULTS | values)


# ------------------------------------------------------------------ numbers
TEXTS = (
    "", " , ", "1 -.5;+2 3*−0.25, 2×1", "Ann-o k", "naïve", "averylongword1", "0*1", "11", "999999*1", "1e3",
    "41*0", "1 -", "𝒳𝒳𝒳𝒳𝒳𝒳𝒳𝒳𝒳𝒳𝒳", gates.NOISE,
)  # fmt: skip


def test_numbers_and_words_are_pythons(stage):
    settings = ENDS + [DEFAULTS | {"sequence": text} for text in TEXTS]
    other = {"forget": 2.5, "input": -1.5, "weight": 3.0, "output": 1.5, "step": 6}
    settings += [
        DEFAULTS | values | other | {"recurrent": w} for values in PRESETS.values() for w in (-1.35, 0.4, 1.2)
    ]
    for values, found in zip(settings, stage(a_cell()).states(settings), strict=True):
        expected = gates.compute(**values)
        for name, numbers in expected.items():
            if isinstance(numbers, list) and name != "marks":
                ours = [-7 if v is None else v for v in found["state"][name]]
                numbers = [-7 if v is None else v for v in numbers]
                assert ours == pytest.approx(numbers, rel=1e-9, abs=1e-12), (values, name)
            else:
                assert found["state"][name] == numbers, (values, name)
        assert found["words"] == gates.describe(**values)


def test_numbers_of_any_size_are_written_as_in_python(stage):
    numbers = [s * d * 10.0**e for s in (1, -1) for d in (1, 2.46, 9.96) for e in range(-130, 12, 3)] + [0.0]
    ours = stage(a_cell()).js("(numbers) => numbers.map(part.explorer.power)", numbers)
    assert ours == [gates.power(v) for v in numbers]


# ------------------------------------------------------------------ the picture
OVERLAPS = """(settings) => settings.flatMap((values) => {
  model.set("values", values);
  const texts = [...document.querySelectorAll(".n2t-stage svg text")].map(
    (t) => [t.textContent, t.getBoundingClientRect()]);
  return texts.flatMap(([one, a], i) => texts.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5)
    .map(([other]) => `${JSON.stringify(values)}: “${one}” and “${other}”`));
})"""
HEIGHTS = """(settings) => [...new Set(settings.map((values) => {
  model.set("values", values);
  return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
}))]"""


@pytest.mark.parametrize("width", [1000, 860, 390])
def test_at_no_end_of_any_control_the_picture_breaks_or_moves(stage, width: int):
    one = stage(a_cell(), width=width)
    settings = ENDS[::2]
    for values in PRESETS.values():
        settings += [
            DEFAULTS | values | {"view": view, "step": step} for view in gates.VIEWS for step in (1, 9)
        ]
    assert one.js(LOOK, settings) == []
    # A sequence that cannot be read leaves the picture before it below a white veil.
    readable = [values for values in settings if gates.compute(**values)["mistake"] is None]
    assert one.js(OVERLAPS, readable[::2]) == []
    assert len(one.js(HEIGHTS, settings[::2])) == 1


def test_the_chosen_step_is_worked_out_below_the_picture(stage):
    one = stage(a_cell(**PRESETS["Word"]))
    picture = one.page.locator(".n2t-stage svg")
    expect(picture).to_contain_text("c = f·c + i·g = 0.73·(−0.09) + 0.88·0.76 = 0.60")
    expect(picture).to_contain_text("h = o·tanh(c) = 0.50·0.54 = 0.27")
    one.page.get_by_label("gradient over time").check()
    one.press("recurrent", "End")
    expect(picture).to_contain_text("factor w·(1 − h²) = 2.00·(1 − ")
    one.press("step", "Home")
    expect(picture).to_contain_text("Step 1 has no step before it: no factor.")


def test_what_cannot_be_read_leaves_the_last_picture_pale(stage):
    one = stage(a_cell())
    field = one.control("sequence")
    field.fill("1 2 two")
    expect(one.page.locator(".n2t-note")).to_contain_text("“two” is no number.")
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("The sequence cannot be read yet.")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("ab")
    expect(one.page.locator(".n2t-note")).to_contain_text("For example:")
    assert one.control("step").get_attribute("max") == "2"


# ------------------------------------------------------------------ moving
KEYS = [
    ("view", "ArrowDown"), ("sequence", "3"), ("forget", "ArrowRight"), ("input", "ArrowLeft"),
    ("step", "End"), ("weight", "ArrowRight"), ("output", "ArrowLeft"), ("recurrent", "ArrowRight"),
]  # fmt: skip


@pytest.mark.parametrize("view", gates.VIEWS)
def test_a_key_changes_the_picture_and_keeps_the_focus(stage, view: str):
    one = stage(a_cell(view=view, recurrent=0.5))
    for name, key in KEYS:
        control = one.page.locator("[type=radio]:checked") if name == "view" else one.control(name)
        control.focus()
        if name == "sequence":
            one.page.keyboard.press("End")
        before = one.picture()
        one.page.keyboard.press(key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.matches('.n2t input')")


def test_a_step_is_chosen_by_mouse_and_by_dragging(stage):
    one = stage(a_cell())
    left, top, width, height = one.plot_area()
    spot = [(left + (t - 0.5) / 21 * width, top + height / 2) for t in range(22)]
    one.page.mouse.click(*spot[7])
    assert one.values()["step"] == 7
    one.page.mouse.move(*spot[3])
    one.page.mouse.down()
    one.page.mouse.move(*spot[12], steps=4)
    one.page.mouse.move(spot[21][0] + 200, spot[21][1], steps=4)
    one.page.mouse.up()
    assert one.values()["step"] == 21
    one.page.mouse.click(left - 30, top - 60)  # beside the steps
    assert one.values()["step"] == 21


def test_every_control_is_reached_by_tab(stage):
    one = stage(a_cell())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    stops = controls.and_(one.page.locator(":enabled:not([type=radio]:not(:checked))")).count()
    visited = []
    for _ in range(stops):
        one.page.keyboard.press("Tab")
        visited.append(one.js("[...document.querySelectorAll('.n2t *')].indexOf(document.activeElement)"))
    assert visited == sorted(set(visited)) and visited[0] > 0


# ------------------------------------------------------------------ goals
def test_a_forget_gate_near_one_carries_the_first_value(stage):
    one = stage(a_cell(forget=4.5))
    one.press("forget", "ArrowRight")
    assert one.reached() == []
    one.press("forget", "ArrowRight")
    assert one.reached() == ["keep"]


def test_five_ones_are_counted(stage):
    one = stage(a_cell(forget=8.0, input=8.0))
    for text in ("6*1", "4*1 0.9", "5*1"):
        assert one.reached() == []
        one.control("sequence").fill(text)
        one.control("sequence").press("Tab")
    assert one.reached() == ["count"]


def test_a_gradient_explodes_only_where_nothing_flattens_tanh(stage):
    one = stage(a_cell(view="gradient", sequence="1 20*0", recurrent=1.95))
    one.press("recurrent", "ArrowRight")
    assert one.reached() == ["flat"]
    one = stage(a_cell(view="gradient", sequence="21*0", recurrent=1.35))
    one.press("recurrent", "ArrowRight")
    assert one.reached() == []  # 1.4²⁰ is 837
    one.press("recurrent", "ArrowRight")
    assert one.reached() == ["explode"]


def test_the_challenge_asks_for_value_and_gradient_through_noise(stage):
    one = stage(a_cell(sequence=gates.NOISE, forget=8.0, input=-8.0, weight=0.0))
    one.press("weight", "ArrowRight")
    assert one.reached() == []
    one = stage(a_cell(sequence=gates.NOISE.replace(".3", ".2"), forget=8.0, input=-8.0, weight=12.5))
    one.press("weight", "ArrowRight")
    assert one.reached() == []  # another, weaker noise
    one = stage(a_cell(sequence=gates.NOISE, forget=8.0, input=-8.0, weight=12.5))
    one.press("weight", "ArrowRight")
    assert one.reached() == ["noise"]
    expect(one.goal("noise")).to_contain_text("Reached:")


def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage):
    one = stage(a_cell(forget=3.0))
    one.control("reset").click()
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[1:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start and one.reached() == []


def test_a_slider_answers_within_a_frame_or_two(stage):
    one = stage(a_cell(sequence="40*1"))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=forget]");
          return Array.from({ length: 30 }, (_, i) => {
            const start = performance.now();
            slider.value = i / 4;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 20


def test_the_picture_lies_on_white_in_the_dark_theme_and_is_named(stage):
    one: Stage = stage(a_cell())
    one.js("document.body.dataset.jpThemeLight = 'false'")
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"
    words = one.page.locator(".n2t-say").inner_text()
    assert one.page.locator(".n2t-stage svg").get_attribute("aria-label") == words
