"""The walk through latent space in a real browser: mouse, finger, keys, new corners; Python answers."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from explorer_stage import ADDRESS, Stage
from playwright.sync_api import Browser
from torch import nn

latent = importlib.import_module("utils.explore.latent")


def explorer(reads: bool = True) -> latent.LatentExplorer:
    """The live half for a tiny generator and, if it reads, a tiny classifier."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator, classifier = nn.Sequential(nn.Linear(6, 784), nn.Sigmoid()), nn.Linear(784, 10)
    return latent.LatentExplorer(latent.Space(generator, classifier if reads else None, d_z=6))


class Walk(Stage):
    """A stage whose questions are answered by Python, one at a time, when the test says so."""

    def load(self) -> None:
        self.page.goto(ADDRESS)
        state = self.live.get_state(["declaration", "data", "values", "reached", "plane", "first"])
        sizes = [len(part) for part in self.live.first_pixels]
        self.page.evaluate(
            """async ([source, css, text, sizes]) => {
              const state = JSON.parse(text);
              state.first_pixels = sizes.map((size) => new DataView(new ArrayBuffer(size)));
              await mount(source, css, state);
              window.asked = [];
              window.model.send = (content) => {
                if (content.kind === "question") window.asked.push(content);
              };
            }""",
            [self.live._esm, self.live._css, json.dumps(state), sizes],
        )

    def answer(self) -> list[dict[str, Any]]:
        """Answer until no question is left; returns the questions that were asked."""
        questions = []
        for _ in range(50):
            waiting = self.js("asked.splice(0)")
            if not waiting:
                return questions
            (question,) = waiting  # at most one is under way
            questions.append(question)
            content, buffers = self.live.answer(question, [])
            reply = {"kind": "reply", "view": question["view"], "counter": question["counter"], **content}
            self.js(
                """([reply, buffers]) => fire("msg:custom", reply, buffers.map((text) =>
                  new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)))""",
                [reply, [base64.b64encode(part).decode() for part in buffers]],
            )
        raise AssertionError("the questions never end")

    def pixels(self, name: str) -> str:
        return self.js(f"document.querySelector('.lt-{name}').toDataURL()")

    def said(self) -> str:
        return self.page.locator(".n2t-say").inner_text()

    def spot(self, u: float, v: float) -> tuple[float, float]:
        """Where on the page the picture for a place of the square stands."""
        box = self.page.locator(".lt-map").bounding_box()
        assert box is not None
        across, down = ((place * 6 + 0.5) / 7 for place in (u, v))
        return box["x"] + across * box["width"], box["y"] + down * box["height"]


@pytest.fixture
def walk(chromium: Browser) -> Iterator[Callable[..., Walk]]:
    made: list[Walk] = []

    def make(**options: Any) -> Walk:
        made.append(Walk(chromium, explorer(options.pop("reads", True)), **options))
        return made[-1]

    yield make
    for one in made:
        problems = one.problems
        one.context.close()
        assert not problems


def test_mouse_and_keys_walk_and_the_pictures_follow(walk):
    one = walk()
    assert one.answer() == [], "the first pictures came with the cell"
    one.page.mouse.click(*one.spot(1, 0))
    asked = one.answer()
    assert asked[-1]["settled"] and (one.values()["u"], one.values()["v"]) == (1, 0)
    assert one.said().startswith("Top right, one of the four random codes.")
    here = one.pixels("picture")
    one.page.locator(".lt-map").press("ArrowDown")
    one.answer()
    assert (one.values()["u"], one.values()["v"]) == (1, 0.02) and one.pixels("picture") != here
    assert one.js("document.activeElement.className") == "lt-map"
    one.page.locator(".lt-map").press("Shift+ArrowLeft")
    one.answer()
    assert one.values()["u"] == 0.84, "with Shift, one picture further"
    # A drag asks on its way, never twice at once, and for the end of it in the end.
    one.page.mouse.move(*one.spot(0, 0))
    one.page.mouse.down()
    for place in (0.2, 0.4, 0.7):
        one.page.mouse.move(*one.spot(place, 1))
    one.page.mouse.move(*one.spot(3, 9))
    one.page.mouse.up()
    asked = one.answer()
    assert len(asked) <= 3 and asked[-1]["settled"] and (one.values()["u"], one.values()["v"]) == (1, 1)
    mark = one.page.locator(".lt-mark").bounding_box()
    x, y = one.spot(1, 1)
    assert abs(mark["x"] + mark["width"] / 2 - x) < 1.5 and abs(mark["y"] + mark["height"] / 2 - y) < 1.5


def test_new_corners_are_four_others_and_reset_brings_the_first_back(walk):
    one = walk()
    one.press("u", "ArrowRight")
    one.answer()
    first = one.pixels("map")
    one.control("corners").click()
    assert one.answer()[-1]["plane"] == 1 and one.pixels("map") != first
    one.control("corners").press("Enter")
    assert one.answer()[-1]["plane"] == 2 and one.js("model.get('plane')") == 2
    one.control("reset").click()
    assert one.answer()[-1]["plane"] == 0 and one.pixels("map") == first


def test_every_control_changes_what_is_seen(walk):
    one = walk()
    controls = one.page.locator(".n2t :is(input, select, button)")
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls.all())
    seen = one.pixels("picture")
    for name, key in (
        ("u", "Home"),
        ("stretch", "End"),
        ("keep", " "),
        ("amount", "End"),
        ("coordinate", "End"),
    ):
        one.press(name, key)
        one.answer()
        assert one.pixels("picture") != seen, name
        seen = one.pixels("picture")
    assert "Coordinate 6 + 5 changes a pixel by " in one.said() and "far" in one.reached()


def test_goals_are_ticked_when_python_says_so(walk):
    one = walk()
    for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
        assert "corners" not in one.reached()
        one.page.mouse.click(*one.spot(u, v))
        one.answer()
    assert "corners" in one.reached()


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("reads", [True, False])
def test_nothing_moves_and_nothing_leaves_the_page(walk, width: int, reads: bool):
    one = walk(width=width, reads=reads)
    size = "[document.querySelector('.n2t-main').offsetHeight, document.documentElement.scrollWidth]"
    sizes = set()
    for name, key in (
        ("u", "Home"),
        ("v", "Home"),
        ("stretch", "End"),
        ("amount", "Home"),
        ("coordinate", "End"),
    ):
        one.press(name, key)
        one.answer()
        sizes.add(tuple(one.js(size)))
    assert len(sizes) == 1 and sizes.pop()[1] <= width
    assert one.page.locator(".lt-bars").count() == reads
    assert one.page.locator(".lt-map").bounding_box()["width"] >= 240


def test_an_error_is_told_and_the_next_answer_takes_it_away(walk):
    one = walk()
    one.press("u", "Home")
    question = one.js("asked.splice(0)")[0]
    reply = {
        "kind": "reply",
        "view": question["view"],
        "counter": question["counter"],
        "error": "NaN: broken",
    }
    one.js("(reply) => fire('msg:custom', reply, [])", reply)
    error = one.page.locator(".n2t-error")
    assert error.is_visible() and "broken" in error.inner_text()
    one.press("u", "End")
    one.answer()
    assert not error.is_visible()
