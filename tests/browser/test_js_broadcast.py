"""The broadcast explorer and the text control in a real browser: Python's numbers and words, keys, ends."""

from __future__ import annotations

import importlib
import random
from typing import Any

import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore import base
from utils.explore.base import Declaration, Explorer, Slider, Text

broadcast = importlib.import_module("utils.explore.broadcast")
DEFAULTS = broadcast.DECLARATION.defaults()


def a_broadcast(**values: Any) -> Explorer:
    return broadcast.BroadcastExplorer(broadcast.DECLARATION, values=DEFAULTS | values)


def type_in(one: Stage, name: str, text: str) -> None:
    """Put a text into a field key by key, and leave it with Enter as a learner would."""
    one.control(name).focus()
    one.page.keyboard.press("ControlOrMeta+a")
    one.page.keyboard.press("Delete")
    one.page.keyboard.type(text)
    one.page.keyboard.press("Enter")


# ------------------------------------------------------------------ numbers and words
def _texts() -> list[str]:
    chance = random.Random(3)
    shapes = [
        [chance.choice([0, 1, 1, 1, 2, 3, 999]) for _ in range(chance.randint(0, 5))] for _ in range(600)
    ]
    ways = [str, lambda s: str(tuple(s)), lambda s: " ".join(map(str, s)), lambda s: f"torch.Size({s})"]
    texts = [chance.choice(ways)(shape)[: broadcast.DECLARATION.controls[0].maximum] for shape in shapes]
    texts += ["".join(chance.choices("0123456789 ,,()[].-−xé½", k=chance.randint(0, 9))) for _ in range(600)]
    odd = ["", "()", "( )", "4,", "1000", "3.5", "-1", "3.", ".", "1 2 3 4 5 6", "a" * 28, "🙂" * 11]
    return [*texts, *odd]


def test_numbers_and_words_are_pythons_and_torchs(stage):
    texts = _texts()
    random.Random(4).shuffle(texts)
    settings = [{"a": a, "b": b} for a, b in zip(texts, [*texts[1:], texts[0]], strict=True)]
    settings += list(broadcast.DECLARATION.extremes())
    read = refused = 0
    for values, found in zip(settings, stage(a_broadcast()).states(settings), strict=True):
        assert found["state"] == broadcast.compute(**values), values
        assert found["words"] == broadcast.describe(**values)
        shapes = found["state"]["shapes"]
        if shapes["a"] is None or shapes["b"] is None:
            continue
        try:
            expected = list(torch.broadcast_shapes(*map(tuple, shapes.values())))
            read += 1
        except RuntimeError:
            expected = None
            refused += 1
        assert found["state"]["result"] == expected
    assert read > 80 and refused > 80


# ------------------------------------------------------------------ pictures
@pytest.mark.parametrize("width", [1000, 700, 390])
def test_at_no_setting_the_picture_breaks_or_moves(stage, width: int):
    one = stage(a_broadcast(), width=width)
    settings = list(broadcast.DECLARATION.extremes())
    settings += [dict(preset.values) for preset in broadcast.DECLARATION.presets]
    settings += [{"a": "12, 12", "b": "5, 1, 1"}, {"a": "999", "b": "998"}, {"a": "5, 4, 3", "b": "4, 5, 3"}]
    settings += [{"a": "3, 1", "b": text} for text in ("(", "a" * 28, "3,,", "1 1 1 1 1 1", "2.5", "-7")]
    assert one.js(LOOK, settings) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
             model.set("values", values);
             return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
           }))]""",
        settings,
    )
    assert len(heights) == 1, heights


def test_what_cannot_be_read_leaves_the_last_picture_pale_and_says_why(stage):
    one = stage(a_broadcast())
    boxes = "document.querySelectorAll('.n2t-stage rect').length"
    before = one.js(boxes)
    one.control("b").focus()
    one.page.keyboard.press("End")
    one.page.keyboard.type("x")
    assert one.js(boxes) == before + 2  # the veil, and a white ground for the words
    assert "cannot be read yet" in one.picture()
    expect(one.page.locator(".n2t-say")).to_have_text(broadcast.describe("3, 1", "4x"))
    one.page.keyboard.press("Backspace")
    assert one.js(boxes) == before
    expect(one.page.locator(".n2t-say")).to_have_text(broadcast.describe("3, 1", "4"))


def test_stored_numbers_are_full_and_their_repetitions_dashed(stage):
    one = stage(a_broadcast(a="4, 1, 2", b="3, 1"))
    count = "(which) => document.querySelectorAll(`.n2t-stage rect[stroke-width='1.75']${which}`).length"
    dashed = one.js(count, "[stroke-dasharray]")
    assert dashed == (24 - 8) + (24 - 3)
    assert one.js(count, "") == 3 * 24


# ------------------------------------------------------------------ goals, presets, swap
def test_the_goals(stage):
    one = stage(a_broadcast())
    type_in(one, "a", "2, 1")
    assert one.reached() == []
    type_in(one, "b", "6")
    assert one.reached() == ["table"]
    type_in(one, "a", "(5,)")
    type_in(one, "b", "(5, 1)")
    assert one.reached() == ["table", "silent"]
    type_in(one, "a", "2 3")
    type_in(one, "b", "3 2")
    assert one.reached() == ["table", "silent", "same_count"]
    type_in(one, "a", "4, 3, 2")
    type_in(one, "b", "1")
    assert one.reached() == ["table", "silent", "same_count"]
    type_in(one, "a", "4, 1, 2")
    type_in(one, "b", "3, 1")
    assert one.reached() == ["table", "silent", "same_count", "cube"]


LOOKALIKES = [
    ("2, 6", "1"), ("2, 6", "2, 6"), ("25", "1"), ("5", "5"), ("25", "25"), ("x", "x"), ("2, 3", "4"),
    ("4, 3, 2", "3, 1"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), LOOKALIKES)
def test_what_only_looks_like_a_goal_is_none(stage, a: str, b: str):
    one = stage(a_broadcast())
    type_in(one, "a", a)
    type_in(one, "b", b)
    assert one.reached() == []


def test_no_preset_reaches_a_goal_swap_swaps_and_reset_goes_back(stage):
    one = stage(a_broadcast())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start and one.reached() == []
    one.press("swap", "Enter")
    assert (one.control("a").input_value(), one.control("b").input_value()) == ("4", "3, 1")
    assert one.js("document.activeElement.name") == "swap"
    expect(one.page.locator(".n2t-say")).to_have_text(broadcast.describe("4", "3, 1"))


# ------------------------------------------------------------------ the text control
def test_a_text_field_keeps_its_keys_and_has_a_name_a_limit_and_an_example(stage):
    one = stage(a_broadcast())
    field = one.page.get_by_label("Shape of a")
    assert field.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert field.get_attribute("maxlength") == "28"
    note = one.page.locator(f"[id='{field.get_attribute('aria-describedby')}']")
    expect(note).to_have_text("For example: 3, 1 or (3, 1); nothing at all is a scalar")
    assert one.page.get_by_label("Shape of b").get_attribute("placeholder") == "scalar"
    type_in(one, "a", "12345678901234567890123456789012345")
    assert field.input_value() == "1234567890123456789012345678"


def test_a_mistake_stands_below_its_field_until_it_is_mended(stage):
    one = stage(a_broadcast())
    field = one.page.get_by_label("Shape of a")
    note = one.page.locator(f"[id='{field.get_attribute('aria-describedby')}']")
    field.press("End")
    one.page.keyboard.type(",,")
    expect(note).to_have_text("A number is missing beside a comma.")
    expect(note).to_have_class("n2t-note n2t-mistake")
    assert field.get_attribute("aria-invalid") == "true"
    assert one.page.get_by_label("Shape of b").get_attribute("aria-invalid") == "false"
    one.page.keyboard.press("Backspace")
    one.page.keyboard.press("Backspace")
    expect(note).to_contain_text("For example")
    assert field.get_attribute("aria-invalid") == "false"


def test_typing_answers_at_each_letter_and_tells_the_kernel_at_enter(stage):
    one = stage(a_broadcast())
    field = one.control("b")
    field.focus()
    one.page.keyboard.press("Home")
    before = one.picture()
    one.page.keyboard.type("7, ")
    assert one.picture() != before and one.saves() == 0
    # What is typed in the middle stays in the middle: the cursor does not jump to the end.
    assert field.input_value() == "7, 4"
    assert field.evaluate("field => field.selectionStart") == 3
    one.page.keyboard.press("Enter")
    assert one.saves() == 1 and one.js("model.get('values').b") == "7, 4"
    assert one.js("document.activeElement.name") == "b"


def test_two_views_of_a_text_follow_each_other_and_share_no_id(stage):
    one = stage(a_broadcast())
    one.js("view()")
    type_in(one, "a", "7, 1")
    assert [field.input_value() for field in one.page.locator("[name=a]").all()] == ["7, 1", "7, 1"]
    ids = one.js("[...document.querySelectorAll('.n2t [id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) >= 4


@pytest.mark.parametrize("theme", ["true", "false"])
def test_a_text_field_and_its_mistake_are_legible_in_both_themes(stage, theme: str):
    one = stage(a_broadcast(a="?"))
    one.js("(theme) => { document.body.dataset.jpThemeLight = theme; }", theme)
    ratios = one.js(
        """() => {
          const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number)
            .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
          const page = getComputedStyle(document.body).backgroundColor;
          return [[".n2t-mistake", page], ["input[name=a]", null]].map(([place, ground]) => {
            const look = getComputedStyle(document.querySelector(place));
            const [one, other] = [light(look.color), light(ground || look.backgroundColor)];
            return Math.max(one, other) / Math.min(one, other);
          });
        }"""
    )
    assert min(ratios) > 4.5


class Plain(Explorer):
    _css = base.css()


def test_a_slider_can_be_renamed_hidden_and_shortened(stage):
    declaration = Declaration(
        name="plain",
        title="Plain",
        controls=(Text("word", "Word", "x"), Slider("k", "k", 0, 10, 1, 8, inline=True)),
    )
    source = """
const explorer = {
  compute: (values) => values,
  draw: (picture, state) => { picture.text(20, 40, JSON.stringify(state)); },
  describe: (state) => JSON.stringify(state),
  changed(view, { moved, settled }) {
    (window.seen ||= []).push([moved ?? null, settled]);
    view.frame.slider("k", { label: view.values.word, hidden: view.values.word === "", maximum: 5 });
    view.frame.adopt({ k: Math.min(5, view.values.k), word: view.values.word });
  },
};
"""
    live = Plain(declaration)
    live._esm = base.esm().replace("export default", source + "export default")
    one = stage(live)
    slider = one.control("k")
    assert (slider.input_value(), slider.get_attribute("max")) == ("5", "5")
    one.control("word").fill("size")
    expect(one.page.get_by_label("size", exact=True)).to_be_visible()
    height = one.js("document.querySelector('.n2t').getBoundingClientRect().height")
    one.control("word").fill("")
    expect(slider).to_be_hidden()
    expect(slider).to_be_disabled()
    assert one.js("document.querySelector('.n2t').getBoundingClientRect().height") == height
    one.control("word").fill("k")
    one.press("k", "ArrowLeft")
    assert one.js("seen.at(-1)") == ["k", True] and ["word", False] in one.js("seen")
    assert one.js("seen[0]") == [None, False]
    # Code that sets the text to what it is already leaves the cursor where the hand has it.
    one.control("word").focus()
    one.page.keyboard.press("Home")
    one.page.keyboard.type("ab")
    assert one.control("word").input_value() == "abk"
