"""The two explorers of lesson 15 in a real browser: Python's numbers and words, draws, goals, words typed."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

pronounce = importlib.import_module("utils.explore.pronounce")
sampling = importlib.import_module("utils.explore.sampling")

LETTERS = [*" abcdefghijklmnopqrstuvwxyz\n", "a long token with <b>"]
GENERATOR = torch.Generator().manual_seed(15)
TABLES = {
    "example": sampling.prepare(),
    "letters": sampling.prepare(
        {
            "a rather long prompt, of which only the end is shown in the picture ": 2
            * torch.randn(29, generator=GENERATOR),
            "flat": torch.zeros(29),
            "steep": torch.arange(29.0) * 40,
        },
        LETTERS,
    ),
}


def the_explorer(name: str = "example", **values: Any) -> Explorer:
    table = TABLES[name]
    declaration = sampling.declaration(table)
    return sampling.SamplingExplorer(
        declaration, sampling.browser_data(table), values=declaration.defaults() | values
    )


def said(one: Stage) -> str:
    return one.page.locator(".n2t-say").inner_text()


# ------------------------------------------------------------------ the next token
@pytest.mark.parametrize("name", TABLES)
def test_numbers_draws_and_words_are_pythons(stage, name: str):
    table = TABLES[name]
    size = len(table["tokens"])
    settings = [
        {"prompt": prompt, "temperature": temperature, "top_k": top_k, "top_p": top_p}
        for prompt, temperature, top_k, top_p in itertools.product(
            "012", (0, 0.7, 3), (1, 5, size), (0.01, 0.8, 1)
        )
    ]
    memories = [{"draws": (0, 1, 250)[k % 3], "seed": 1 + k % 4} for k in range(len(settings))]
    found = stage(the_explorer(name)).js(
        """([settings, memories]) => settings.map((values, k) => {
          const view = { data: model.get("data"), memory: memories[k] };
          const state = part.explorer.compute(values, view.data, view);
          return { state, words: part.explorer.describe(state, values, view.data, view) };
        })""",
        [settings, memories],
    )
    for values, memory, one in zip(settings, memories, found, strict=True):
        expected = sampling.compute(table, **values, **memory)
        for key in ("order", "kept", "fewest", "most", "drawn", "counts"):
            assert one["state"][key] == expected[key], (key, values)
        for key in ("plain", "p", "choices"):
            assert one["state"][key] == pytest.approx(expected[key], rel=1e-9, abs=1e-300), (key, values)
        assert one["words"] == sampling.describe(table, **values, **memory)


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("name", TABLES)
def test_at_no_end_of_any_control_the_picture_breaks(stage, name: str, width: int):
    one = stage(the_explorer(name), width=width)
    one.js("for (let k = 0; k < 12; k++) document.querySelector('.n2t [name=many]').click()")
    settings = list(sampling.declaration(TABLES[name]).extremes())
    assert one.js(LOOK, settings) == []
    assert one.page.locator(".n2t b").count() == 0, "tokens are text and never markup"


def test_tokens_without_a_row_share_the_last_one(stage):
    """Its name says how many of them stay, and its bar fits the axis."""
    size = len(LETTERS)
    for top_k, last in ((3, "17 more"), (15, "3 of 17 more"), (size, "17 more")):
        one = stage(the_explorer("letters", prompt="1", top_k=top_k))
        words = one.page.locator(".n2t-stage svg text").all_text_contents()
        assert last in words, words


def test_draws_follow_the_buttons_and_stay_with_the_controls(stage):
    one = stage(the_explorer(prompt="2"))
    expect(one.control("clear")).to_be_disabled()
    one.press("one", "Enter")
    assert "1 draw: 1 different token" in said(one)
    one.press("many", "Enter", 2)
    assert "201 draws:" in said(one)
    hundred = sampling.describe(TABLES["example"], "2", draws=201)
    assert said(one) == hundred
    # Another temperature: the same random numbers, other tokens.
    one.press("temperature", "End")
    assert said(one) == sampling.describe(TABLES["example"], "2", 3.0, 12, draws=201)
    one.press("temperature", "Home")
    assert "1 different token" in said(one)
    one.control("clear").click()
    assert "draw:" not in said(one) and "draws:" not in said(one)
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("Nothing drawn yet")
    one.control("many").click()
    assert said(one) == sampling.describe(TABLES["example"], "2", 0.0, draws=100, seed=2)
    one.control("reset").click()
    assert one.values() == sampling.declaration(TABLES["example"]).defaults()
    assert "draws:" not in said(one)


def test_every_goal_is_reached_as_it_says_and_not_before(stage):
    one = stage(the_explorer())
    one.press("temperature", "Home")
    assert one.reached() == [], "cold is not the way that the goal asks for"
    one.control("reset").click()
    one.press("top_k", "Home")
    assert one.reached() == ["single"]
    one.control("reset").click()
    one.press("temperature", "End")
    assert one.reached() == ["single", "open"]
    one.control("reset").click()
    one.press("top_p", "ArrowLeft", 10)
    assert sorted(one.reached()) == ["adapts", "open", "single"]
    one.control("reset").click()
    one.control("prompt").select_option("2")
    one.press("temperature", "ArrowRight", 10)
    one.control("many").click()
    one.control("many").click()
    assert "tail" not in one.reached(), "hot and uncut, nonsense comes in"
    one.press("top_p", "ArrowLeft", 12)
    assert sorted(one.reached()) == ["adapts", "open", "single", "tail"]


def test_by_keys_alone(stage):
    one = stage(the_explorer())
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    for name, key in (
        ("prompt", "ArrowDown"),
        ("temperature", "ArrowLeft"),
        ("top_k", "Home"),
        ("many", "Enter"),
    ):
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name


# ------------------------------------------------------------------ a word and how it is said
LEXICON = {"knight": ("N", "AY", "T")}


def a_model(word: str) -> tuple[list[str], np.ndarray]:
    """A sound for each letter, which looks mostly at that letter."""
    size = len(word)
    return ["N", "AY", "T", "SH"] * (size // 4) + ["K"] * (size % 4), (np.eye(size) + 1 / size) / 2


def a_talk(stage, **options: Any) -> Stage:
    """The explorer with a stand-in for the kernel, which answers at once for words made ready."""
    ready = ("knight", "phone", "through", "photograph", "blorbing", "a", "incomprehensibly")
    first = pronounce.read(a_model, "knight", LEXICON)
    one = stage(pronounce.PronounceExplorer(a_model, first, LEXICON), **options)
    replies = {word: pronounce.plain(pronounce.read(a_model, word, LEXICON)) for word in ready}
    one.js(
        """(replies) => {
          window.asked = [];
          model.send = (message) => {
            if (message.kind !== "question") return;
            asked.push(message.values.word + (message.settled ? "!" : ""));
            const reading = replies[message.values.word.trim().toLowerCase()];
            const content = reading ? { reading, goals: message.settled ? ["new"] : [] }
              : { error: "KeyError: no such word" };
            const { view, counter } = message;
            setTimeout(() => fire("msg:custom", { kind: "reply", view, counter, ...content }, []), 1);
          };
        }""",
        replies,
    )
    return one


def test_what_is_refused_is_told_in_pythons_words(stage):
    texts = ["", " ", "knight", " Knight", "r2d2", "naïve", "New York", "x" * 16, "x" * 17, "😀", "a-b"]
    found = a_talk(stage).js("(texts) => texts.map((text) => part.explorer.mistake(text, 16))", texts)
    assert found == [pronounce.mistake(text) for text in texts]


def test_typing_asks_and_what_cannot_be_read_does_not(stage):
    one = a_talk(stage)
    assert said(one).startswith("The model reads “knight” as N AY T SH K K.")
    field = one.control("word")
    field.fill("phone")
    expect(one.page.locator(".n2t-say")).to_contain_text("“phone”")
    assert one.js("asked") == ["phone"] and one.reached() == []
    field.press("Enter")
    expect(one.goal("new")).to_have_class("n2t-reached")
    assert one.js("asked") == ["phone", "phone!"]
    field.fill("phone3")
    assert said(one) == f"Not read: {pronounce.mistake('phone3')}"
    assert field.get_attribute("aria-invalid") == "true" and one.js("asked.length") == 2
    field.fill("Phone ")
    assert said(one).startswith("The model reads “phone”") and field.get_attribute("aria-invalid") == "false"
    field.fill("zzz")
    error = one.page.locator(".n2t-error")
    expect(error).to_contain_text("no such word")
    field.fill("a")
    expect(one.page.locator(".n2t-say")).to_contain_text("“a”")
    assert not error.is_visible()


def test_a_sound_is_chosen_by_key_and_by_pointing(stage):
    one = a_talk(stage)
    one.press("at", "ArrowRight", 2)
    assert "Sound 3, T as in ten, looks most at i" in said(one)
    one.press("at", "End")
    assert "Sound 6, K as in key, looks most at t" in said(one)
    box = one.page.locator(".n2t-stage svg").bounding_box()
    one.page.mouse.move(box["x"] + 80, box["y"] + 130)
    assert "Sound 1, N as in no, looks most at k" in said(one)
    assert one.js("asked") == []
    # A shorter word has fewer sounds to choose from.
    one.press("at", "End")
    one.control("word").fill("a")
    expect(one.page.locator(".n2t-say")).to_contain_text(
        "Sound 1, K as in key, looks most at a (letter 1, 100%)."
    )
    assert one.control("at").get_attribute("max") == "1"


@pytest.mark.parametrize("width", [1000, 390])
def test_no_word_breaks_the_picture(stage, width: int):
    one = a_talk(stage, width=width)
    heights = set()
    for word in ("a", "incomprehensibly", "photograph", "r2", ""):
        one.control("word").fill(word)
        if not pronounce.mistake(word):
            expect(one.page.locator(".n2t-say")).to_contain_text(f"“{word}”")
        one.press("at", "End")
        assert one.js(LOOK, [one.values()]) == []
        heights.add(round(one.page.locator(".n2t-main").bounding_box()["height"]))
    assert len(heights) == 1
    for button in ("through", "photograph", "blorbing", "Reset"):
        one.page.get_by_role("button", name=button).press("Enter")
        expect(one.page.locator(".n2t-say")).to_contain_text("knight" if button == "Reset" else button)
