"""The game of bugs in a real browser: Python's words, guesses, answers, score, axes, keys, goals."""

from __future__ import annotations

import importlib
import itertools
import math
from typing import Any

import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

bugs = importlib.import_module("utils.explore.bugs")

STEPS = range(80)
CURVES = {
    "healthy": [2.3 * 0.95**k for k in STEPS],
    "lr far too large": [2.3 * 1.9**k for k in range(60)] + [math.nan] * 20,
    "targets shuffled <b>": [2.3 + 0.01 * (-1) ** k for k in STEPS],
    "dropout left on": {"training": [2.3 - 0.02 * k for k in STEPS], "validation": [2.3] * 80},
    "nothing but NaN": [math.nan] * 80,
}
# Explanations of very different length.
WHY = {name: f"{name}: " + "so it is. " * (12 * k) + "That is why." for k, name in enumerate(CURVES)}
DATA = bugs.prepare(CURVES, WHY, reference="healthy")
DECLARATION = bugs.declaration(DATA)
DEFAULTS = DECLARATION.defaults()
TRUE = [str(one["bug"]) for one in DATA["cases"]]  # the right guess for each curve


def a_game(**values: Any) -> Explorer:
    return bugs.BugsExplorer(DECLARATION, bugs.browser_data(DATA), values=DEFAULTS | values)


def choose(one: Stage, option: str) -> None:
    one.page.locator(f".n2t input[type=radio][value='{option}']").check()


def said(one: Stage) -> str:
    return one.page.locator(".n2t-say").inner_text()


def test_axes_score_and_words_are_pythons(stage):
    games = [
        ({"case": case, "guess": guess, "log": log}, answers)
        for case, guess, log, answers in itertools.product(
            (1, 2, 3, 4), ("none", "0", "3"), (False, True), ({}, {1: 0}, {1: 1, 2: 3, 3: 0, 4: 2})
        )
    ]
    found = stage(a_game()).js(
        """(games) => games.map(([values, answers]) => {
          const view = { data: model.get("data"), memory: { answers } };
          const state = part.explorer.compute(values, view.data, view);
          return { state, words: part.explorer.describe(state, values, view.data, view) };
        })""",
        games,
    )
    for (controls, answers), one in zip(games, found, strict=True):
        expected = bugs.compute(DATA, **controls, answers=answers)
        for name in ("x", "bug", "answer", "right", "answered", "score"):
            assert one["state"][name] == expected[name], (name, controls)
        assert one["state"]["y"] == pytest.approx(expected["y"], rel=1e-12)
        assert one["words"] == bugs.describe(DATA, **controls, answers=answers)


@pytest.mark.parametrize("width", [1000, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    settings = [DEFAULTS | {"case": c, "log": log} for c in (1, 2, 3, 4) for log in (False, True)]
    assert stage(a_game(), width=width).js(LOOK, settings) == []


@pytest.mark.parametrize("width", [1000, 390])
def test_nothing_moves_when_an_answer_is_shown(stage, width: int):
    one = stage(a_game(), width=width)
    size = "Math.round(document.querySelector('.n2t-main').getBoundingClientRect().height)"
    height = one.js(size)
    for right in TRUE:
        choose(one, right)
        one.control("check").click()
        assert one.js(size) == height
        one.control("next").click()
        assert one.js(size) == height


def test_the_name_is_not_told_before_the_guess(stage):
    one = stage(a_game())
    for case, right in enumerate(TRUE, start=1):
        name = DATA["bugs"][int(right)]
        assert one.values()["case"] == case
        assert name not in said(one) and name not in one.page.locator(".n2t-stage svg").inner_html()
        one.control("next").click()
    assert one.values()["case"] == 1


def test_a_game_from_the_first_guess_to_the_last(stage):
    one = stage(a_game())
    check = one.control("check")
    expect(check).to_be_disabled()
    wrong = next(str(k) for k in range(4) if str(k) != TRUE[0])
    choose(one, wrong)
    assert said(one).endswith(f"Your guess: {DATA['bugs'][int(wrong)]}.") and one.reached() == []
    check.click()
    name = DATA["bugs"][int(TRUE[0])]
    assert f"Not so. The bug: {name}." in said(one) and said(one).endswith("0 of 1 right so far.")
    assert WHY[name] in said(one)
    expect(one.page.locator(".n2t-stage svg")).to_contain_text(f"✗ Curve 1 of 4: {name}")
    # The first guess counts: another is not taken.
    choose_again = one.page.locator(f".n2t input[type=radio][value='{TRUE[0]}']")
    choose_again.focus()
    one.page.keyboard.press(" ")
    assert one.values()["guess"] == wrong and said(one).endswith("0 of 1 right so far.")
    for right in TRUE[1:]:
        one.control("next").click()
        assert one.values()["guess"] == "none"
        choose(one, right)
        one.control("check").click()
        assert f"Right: {DATA['bugs'][int(right)]}." in said(one)
    assert said(one).endswith("3 of 4 right so far.")
    assert sorted(one.reached()) == ["all", "one"]
    # Back at the first curve its own guess is there.
    one.press("case", "Home")
    assert one.values()["guess"] == wrong
    # Reset starts a new game; what was reached stays.
    one.control("reset").click()
    assert one.values() == DEFAULTS and said(one).endswith("Which bug made it?")
    for right in TRUE:
        choose(one, right)
        one.control("check").click()
        one.control("next").click()
    assert sorted(one.reached()) == ["all", "one", "perfect"]


def test_by_keys_alone(stage):
    one = stage(a_game())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    for name, key in (("case", "ArrowRight"), ("log", " "), ("next", "Enter")):
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    one.page.locator(".n2t input[type=radio]:checked").focus()
    one.page.keyboard.press("ArrowDown")
    assert one.values() == {"case": 3, "guess": "0", "log": True}
    one.press("check", "Enter")
    assert one.js("document.activeElement.name") == "check", "the button keeps the focus when it is spent"
    assert said(one).endswith("of 1 right so far.")


def test_names_are_text_and_never_markup(stage):
    one = stage(a_game())
    assert one.page.locator(".n2t b").count() == 0
    expect(one.page.locator(".n2t-controls")).to_contain_text("targets shuffled <b>")


def test_lines_have_their_looks_and_lost_numbers_are_marked(stage):
    one = stage(a_game())
    pictures = {}
    for case, bug in enumerate(TRUE, start=1):
        one.js("(case_) => model.set('values', { ...model.get('values'), case: case_ })", case)
        pictures[DATA["bugs"][int(bug)]] = one.picture()
    palette = bugs.colors()
    assert all(palette[role] in pictures["dropout left on"] for role in ("train", "validation"))
    assert "then no number" in pictures["lr far too large"]
    assert "no finite loss at all" in pictures["nothing but NaN"]
    assert all("healthy" in picture and palette["class4"] in picture for picture in pictures.values())
