"""The graph explorer in a real browser: Python's numbers and words, stepping, playing, typing, goals."""

from __future__ import annotations

import importlib
import itertools
import random
from typing import Any

import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect
from test_js_broadcast import type_in

from utils.explore.base import Explorer

graph = importlib.import_module("utils.explore.graph")
DEFAULTS = graph.DECLARATION.defaults()
END = graph._LAST_STEP


def a_graph(**values: Any) -> Explorer:
    data = {"first_values": list(graph.FIRST_VALUES)}
    return graph.GraphExplorer(graph.DECLARATION, data, values=DEFAULTS | values)


def say(one: Stage) -> str:
    return one.page.locator(".n2t-say").inner_text()


def values_now(one: Stage) -> dict:
    return one.js(
        "Object.fromEntries([...document.querySelectorAll('.n2t [name]')].map((c) => [c.name, c.value]))"
    )


# ------------------------------------------------------------------ numbers and words
def _expression(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(["a", "b", "c", "x1", "w", "2", "3", "0.5", "1", "1e-3", "0"])
    kind = chance.choice("bbbbfpgn")
    one = _expression(chance, depth - 1)
    if kind == "b":
        other = _expression(chance, depth - 1)
        return chance.choice(["({} {} {})", "{}{}{}"]).format(one, chance.choice("+-*/"), other)
    if kind == "f":
        return f"{chance.choice(graph.FUNCTIONS)}({one})"
    if kind == "p":
        return f"({one})**{chance.choice(['2', '-1', '0.5', '3', '1.5', '0', '1'])}"
    if kind == "g":
        return f"({one})**({_expression(chance, depth - 1)})"
    return f"-{one}"


def _settings() -> list[dict]:
    chance = random.Random(7)
    values = [v / 4 for v in range(-20, 21)]
    found = []
    for k in range(900):
        text = _expression(chance, 1 + k % 4)[: graph.MOST_LETTERS]
        if chance.random() < 0.25:  # spoil it
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice("()*+ ^=,é🙂.2aif") + text[at + chance.randint(0, 1) :]
        slots = {slot: chance.choice(values) for slot in graph.SLOTS}
        step, nudge = chance.choice([*range(8), END, END, END]), chance.choice(["1", "0.1", "0.01", "-0.1"])
        found.append({"expression": text[: graph.MOST_LETTERS], "step_number": step, "nudge": nudge} | slots)
    for text in [*graph._TRIES, "×a", "a×b÷c−d", "if*a", "a²", "--3*a", "a**b**2", "-a**-2", "2**-a"]:
        found += [DEFAULTS | {"expression": text, "step_number": step} for step in (*range(6), END)]
    return found


def same(ours: Any, theirs: Any, scale: float = 1.0) -> bool:
    """Whether two pieces of plain data are the same, numbers up to the last digits of exp, tanh and power."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k], scale) for k in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(
            itertools.starmap(lambda x, y: same(x, y, scale), zip(ours, theirs, strict=True))
        )
    if isinstance(ours, bool) or not isinstance(ours, (int, float)):
        return ours == theirs
    return theirs is not None and abs(ours - theirs) <= 1e-11 * max(abs(ours), abs(theirs), scale)


def test_numbers_and_words_are_pythons(stage):
    settings = _settings()
    kinds: dict[str, int] = {}
    for values, found in zip(settings, stage(a_graph()).states(settings), strict=True):
        expected = graph.compute(**values)
        kind = "mistake" if expected["mistake"] else expected["phase"]
        kinds[kind] = kinds.get(kind, 0) + 1
        numbers = [1.0, *(abs(v) for v in expected.get("values", []) if v is not None)]
        assert same(expected, found["state"], max(numbers)), values
        assert found["words"] == graph.describe(**values), values
    assert all(kinds[kind] > 20 for kind in ("mistake", "start", "forward", "seed", "backward", "stop")), (
        kinds
    )


def test_amounts_are_pythons(stage):
    chance = random.Random(5)
    numbers = [chance.uniform(-10, 10) * 10 ** chance.randint(-12, 12) for _ in range(2000)]
    numbers += [k / 8 for k in range(-200, 200)] + [
        1e5,
        99999.5,
        125000,
        135000,
        0.001,
        0.00095,
        9.96e8,
        -1e300,
        1e-300,
    ]
    found = stage(a_graph()).js("(numbers) => numbers.map(part.explorer.amount)", numbers)
    assert found == [graph.amount(number) for number in numbers]


# ------------------------------------------------------------------ pictures
SHOWN = [
    *graph._TRIES, "(a*b + c)**2", "a*a + a*b", "1/(1+exp(-(w*x+b)))", "a*b + c*d + a*c + e",
    "exp(a)*100000", "tanh(tanh(tanh(tanh(tanh(tanh(a))))))", "((a+b)*(c+d))/((a-b)*(c-d))",
    "a**b**c", "a*a*a*a*a*a", "12345.678*a",
]  # fmt: skip


@pytest.mark.parametrize("width", [1000, 700, 390])
def test_at_no_setting_the_picture_breaks_or_moves(stage, width: int):
    one = stage(a_graph(), width=width)
    settings = [
        DEFAULTS | {"expression": text, "step_number": step} | dict.fromkeys(graph.SLOTS, value)
        for text in SHOWN
        for step in (0, 3, 6, END)
        for value in (-5, 0.25, 5)
    ]
    assert one.js(LOOK, settings) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
             model.set("values", values);
             return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
           }))]""",
        settings,
    )
    assert len(heights) == 1, heights


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize(
    "text", ["(a*b + c)**2", "tanh(w1*x1 + w2*x2 + b)", "a*a + a*b", "1/(1+exp(-(w*x+b)))"]
)
def test_what_this_step_did_covers_no_node(stage, text: str, width: int):
    """The framed words of a step leave every node's value and gradient to be read."""
    one = stage(a_graph(expression=text), width=width)
    covered = one.js(
        """([values, steps]) => Array.from({ length: steps }, (_, step) => {
          model.set("values", { ...values, step_number: step });
          const rects = (which) => [...document.querySelectorAll(".n2t-stage rect" + which)]
            .map((rect) => rect.getBBox());
          const [nodes, labels] = [rects("[rx='9']"), rects("[rx='6']:not([stroke=none])")];
          const meet = (at, side) => (l, n) =>
            Math.min(l[at] + l[side], n[at] + n[side]) - Math.max(l[at], n[at]);
          const [across, down] = [meet("x", "width"), meet("y", "height")];
          return labels.flatMap((l) => nodes.filter((n) => across(l, n) > 14 && down(l, n) > 8)).length;
        })""",
        [DEFAULTS | {"expression": text, "v1": -1.5, "v2": 1, "v3": 0.5}, 14],
    )
    assert sum(covered) == 0, covered


def test_where_it_stops_the_node_is_crossed_and_nothing_is_nan(stage):
    one = stage(a_graph(expression="log(a)*b", v1=-2, step_number=0))
    one.press("step", "Enter")
    assert "✗" in one.picture()
    assert "log needs a number above 0, and here it gets −2" in say(one)
    assert one.control("step").get_attribute("aria-disabled") == "true"
    assert one.control("step_number").get_attribute("max") == "1"
    one.control("v1").focus()
    for _ in range(9):
        one.page.keyboard.press("ArrowRight")
    assert "log(0.25)" in say(one)
    assert one.control("step_number").get_attribute("max") == "5"


# ------------------------------------------------------------------ stepping and playing
def test_step_and_back_by_keyboard_and_the_words(stage):
    one = stage(a_graph())
    said = [graph.describe(**(DEFAULTS | {"step_number": step})) for step in range(8)]
    assert say(one) == said[0] and one.control("back").is_disabled()
    for words in said[1:]:
        one.press("step", "Enter")
        assert say(one) == words
    assert one.js("document.activeElement.name") == "step"
    one.page.keyboard.press("Enter")
    assert say(one) == said[-1]  # there is no further
    assert one.reached() == ["walk"]
    for words in reversed(said[:-1]):
        one.press("back", "Space")
        assert say(one) == words
    one.press("step_number", "End")
    assert say(one) == said[-1]
    one.press("step_number", "Home")
    assert say(one) == said[0]


def test_the_gradient_is_on_the_wires_as_slope_times_upstream(stage):
    one = stage(a_graph(step_number=7))
    words = one.js("[...document.querySelectorAll('.n2t-stage text')].map((text) => text.textContent)")
    for label in ("4 × 1", "1 × 4", "−1 × 4", "2 × 4"):
        assert any(word.startswith(label) for word in words), label
    one.press("back", "Enter")
    words = one.js("[...document.querySelectorAll('.n2t-stage text')].map((text) => text.textContent)")
    assert not any(word.startswith("−1 × 4") for word in words)


def test_playing_walks_to_the_end_and_pauses(stage):
    one = stage(a_graph())
    one.js("window.pause = setInterval; window.setInterval = (work) => pause(work, 60)")
    one.control("play").click()
    expect(one.control("play")).to_have_text("Pause")
    expect(one.control("step_number")).to_have_value("7")
    expect(one.control("play")).to_have_text("Play")
    assert one.reached() == ["walk"]
    one.control("play").click()  # from the start again
    one.page.wait_for_function("() => Number(document.querySelector('[name=step_number]').value) < 7")
    one.control("play").click()
    expect(one.control("play")).to_have_text("Play")
    paused = one.control("step_number").input_value()
    one.page.wait_for_timeout(300)
    assert one.control("step_number").input_value() == paused


def test_a_step_a_typed_letter_or_reset_stops_the_player(stage):
    one = stage(a_graph())
    for name, key in (
        ("step", "Enter"),
        ("expression", "1"),
        ("reset", "Enter"),
        ("step_number", "ArrowRight"),
    ):
        one.control("play").click()
        expect(one.control("play")).to_have_text("Pause")
        one.press(name, key)
        expect(one.control("play")).to_have_text("Play")
        one.control("reset").click()


def test_nothing_plays_by_itself_and_a_closed_view_stops(stage):
    one = stage(a_graph())
    one.page.wait_for_timeout(300)
    assert one.control("step_number").input_value() == "0"
    one.js("window.pause = setInterval; window.setInterval = (work) => pause(work, 60)")
    one.control("play").click()
    one.js("unmount()")
    saves = one.saves()
    one.page.wait_for_timeout(300)
    assert one.saves() == saves
    assert one.js("[document.querySelectorAll('.n2t').length, listening()]") == [0, 0]


# ------------------------------------------------------------------ typing an expression
def test_names_get_sliders_and_keep_their_values(stage):
    one = stage(a_graph())
    type_in(one, "expression", "c*x + a")
    assert [one.page.get_by_label(name, exact=True).input_value() for name in ("c", "x", "a")] == [
        "4",
        "-1",
        "2",
    ]
    assert one.page.locator("[name=v4]").is_hidden() and one.page.locator("[name=v4]").is_disabled()
    one.page.get_by_label("x", exact=True).press("ArrowRight")
    assert "x = −0.75" in say(one)
    type_in(one, "expression", "x*b")
    assert "x = −0.75" in say(one)
    one.control("reset").click()
    assert say(one) == graph.describe(**DEFAULTS)
    assert values_now(one)["v1"] == "2"


def test_a_new_expression_starts_at_the_start_but_one_at_the_end_stays_there(stage):
    one = stage(a_graph(step_number=3))
    one.press("expression", "End")
    one.page.keyboard.type(" + a")
    assert one.control("step_number").input_value() == "0"
    one.press("step_number", "End")
    assert one.control("step_number").input_value() == "9"
    type_in(one, "expression", "a*b")
    assert one.control("step_number").input_value() == "3"
    assert "Every name has its gradient" in say(one)


def test_what_cannot_be_read_is_said_and_the_last_graph_stays_pale(stage):
    one = stage(a_graph())
    rects = "document.querySelectorAll('.n2t-stage rect').length"
    before = one.js(rects)
    one.press("expression", "End")
    one.page.keyboard.type(" +")
    assert say(one) == "Not read yet. Something is missing at the end."
    expect(one.page.locator(".n2t-note")).to_have_text("Something is missing at the end.")
    assert one.js(rects) == before + 2 and "Not read yet" in one.picture()
    assert one.control("step").get_attribute("aria-disabled") == "true"
    one.page.keyboard.type(" 1")
    assert one.control("step").get_attribute("aria-disabled") == "false"
    expect(one.page.locator(".n2t-note")).to_contain_text("For example")


def test_too_much_is_refused_in_words(stage):
    one = stage(a_graph())
    type_in(one, "expression", "+".join("a" * 40))
    assert one.control("expression").input_value() == ("+".join("a" * 40))[: graph.MOST_LETTERS]
    assert say(one) == "Not read yet. Something is missing at the end."
    type_in(one, "expression", "+".join("a" * 30))
    assert say(one) == "Not read yet. 29 operations: up to 12 fit in the picture."


def test_two_views_follow_each_other(stage):
    one = stage(a_graph())
    one.js("view()")
    type_in(one, "expression", "b*a")
    texts = one.js("[...document.querySelectorAll('.n2t-stage svg')].map((svg) => svg.textContent)")
    assert texts[0] == texts[1]
    names = one.js(
        "[...document.querySelectorAll('.n2t-inline:has([name=v1])')].map((row) => row.textContent)"
    )
    assert names == ["b−1.00", "b−1.00"]
    assert one.js("model.get('values')") == DEFAULTS | {"expression": "b*a", "v1": -1, "v2": 2}


# ------------------------------------------------------------------ goals, presets, keys
def test_the_goals(stage):
    one = stage(a_graph())
    one.press("step_number", "End")
    assert one.reached() == ["walk"]
    one.press("v3", "ArrowRight", 3)
    assert one.reached() == ["walk"]
    one.press("v3", "ArrowRight", 1)
    assert one.reached() == ["walk", "twelve"]
    one.control("nudge").select_option("1")
    assert one.reached() == ["walk", "twelve"]
    type_in(one, "expression", "a*b + c")
    assert one.reached() == ["walk", "twelve", "straight"]
    type_in(one, "expression", "a*0 + a*0")
    type_in(one, "expression", "b*0 + a*0")
    type_in(one, "expression", "relu(-a) + relu(-a*2)")
    assert one.reached() == ["walk", "twelve", "straight"]
    type_in(one, "expression", "a*b - a*b")
    assert one.reached() == ["walk", "twelve", "straight", "cancel"]


def test_goals_wait_for_the_way_back(stage):
    one = stage(a_graph(v3=5.0, step_number=0))
    for step in range(1, 7):
        one.press("step", "Enter")
        assert one.reached() == [], step
    one.press("step", "Enter")
    assert one.reached() == ["walk", "twelve"]


def test_no_preset_reaches_a_goal_and_reset_brings_the_start_back(stage):
    one = stage(a_graph())
    start = one.picture()
    presets = one.page.get_by_role("group", name="Settings to try").get_by_role("button")
    for button in presets.all()[:-1]:
        button.click()
        assert one.picture() != start
    assert one.reached() == []
    one.control("reset").click()
    assert one.picture() == start
    # A slider's end that a longer graph had moved is back as well.
    assert one.control("step_number").get_attribute("max") == "7"


def test_after_a_longer_graph_the_step_of_a_preset_is_shown_whole(stage):
    one = stage(a_graph(expression="a", step_number=1))
    assert one.control("step_number").get_attribute("max") == "1"
    one.js("(values) => model.set('values', values)", DEFAULTS | {"step_number": 6})
    assert (one.control("step_number").input_value(), one.control("step_number").get_attribute("max")) == (
        "6",
        "7",
    )
    assert say(one) == graph.describe(**(DEFAULTS | {"step_number": 6}))


KEYS = [("expression", "2"), ("step", "Enter"), ("step_number", "ArrowRight"), ("v1", "ArrowLeft"),
        ("v3", "PageUp"), ("nudge", "ArrowDown")]  # fmt: skip


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_key_changes_the_picture_and_keeps_the_focus(stage, name: str, key: str):
    one = stage(a_graph(nudge="0.1"))
    before = one.picture()
    one.press(name, key)
    assert one.picture() != before
    assert one.js("document.activeElement.name") == name


def test_every_control_is_reached_by_tab_and_keeps_its_keys(stage):
    one = stage(a_graph(step_number=2))
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    stops = [c for c in controls.all() if c.is_enabled()]
    names = []
    for _ in stops:
        one.page.keyboard.press("Tab")
        names.append(one.js("document.activeElement.name || document.activeElement.textContent"))
        assert one.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(set(names)) == len(stops)
    unnamed = one.js(
        """[...document.querySelectorAll(".n2t :is(input, select)")]
             .filter((control) => !control.labels[0]?.textContent.trim()).length"""
    )
    assert unnamed == 0
    assert one.page.locator(".n2t-stage svg").get_attribute("aria-label") == say(one)


def test_a_key_answers_within_a_frame_or_two(stage):
    one = stage(a_graph(expression="tanh(w1*x1 + w2*x2 + b)", step_number=11))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=v1]");
          return Array.from({ length: 40 }, (_, i) => {
            const start = performance.now();
            slider.value = i / 10;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 30
