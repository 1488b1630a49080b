"""The attention explorer in a real browser: torch's weights, Python's words, mouse, keys, goals, ends."""

from __future__ import annotations

import importlib
import itertools
import math
import random
from typing import Any

import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect
from torch.nn import functional as F

from utils.explore.base import Explorer

attention = importlib.import_module("utils.explore.attention")
DEFAULTS = attention.DECLARATION.defaults()
# Every combination of all ends would be tens of thousands.
ENDS = list(itertools.islice(attention.DECLARATION.extremes(), 0, None, 149))


def an_attention(**values: Any) -> Explorer:
    data = attention.browser_data()
    return attention.AttentionExplorer(attention.DECLARATION, data, values=DEFAULTS | values)


def written(rows: list[list[float]]) -> str:
    return "; ".join(" ".join(f"{v:g}" for v in row) for row in rows)


def random_settings(count: int) -> list[dict]:
    chance = random.Random(41)

    def rows() -> str:
        return written([[round(chance.uniform(-3, 3), 1) for _ in range(2)] for _ in attention.WORDS])

    return [
        {
            "word": chance.choice(attention.WORDS),
            "grip": chance.choice(["query", *attention.WORDS]),
            "mask": chance.choice([*attention.MASKS]),
            "temperature": round(chance.uniform(-1, 1), 2),
            "stage": chance.choice([*attention.STAGES]),
            "queries": rows(),
            "keys": rows(),
        }
        for _ in range(count)
    ]


# ------------------------------------------------------------------ numbers
def test_weights_are_torchs_and_words_are_pythons(stage):
    settings = random_settings(300) + ENDS
    for values, found in zip(settings, stage(an_attention()).states(settings), strict=True):
        state, expected = found["state"], attention.compute(**values)
        assert found["words"] == attention.describe(**values), values
        assert state.keys() == expected.keys() and state["mistakes"] == expected["mistakes"]
        if "weights" not in state:
            continue
        Q, K, V = (
            torch.tensor(rows, dtype=torch.float64)
            for rows in (expected["queries"], expected["keys"], attention.VALUES)
        )
        may = torch.tensor(expected["may"])
        scale = 1 / (math.sqrt(2) * 10 ** values["temperature"])
        output = F.scaled_dot_product_attention(Q, K, V, attn_mask=may, scale=scale)
        weights = F.scaled_dot_product_attention(Q, K, torch.eye(5).double(), attn_mask=may, scale=scale)
        for name, wanted in (("weights", weights), ("output", output), ("dots", Q @ K.T)):
            ours = torch.tensor(state[name], dtype=torch.float64)
            assert torch.allclose(ours, wanted, rtol=0, atol=1e-9), (name, values)
        for name in ("row", "may", "nearest", "top", "queries", "keys"):
            assert state[name] == expected[name], (name, values)
        assert state["off"] == pytest.approx(expected["off"], abs=1e-9)


def test_rows_are_read_as_in_python(stage):
    chance = random.Random(5)
    pieces = ["1", "-2", "0.5", ".25", "−3", "3.5", "; ", ", ", " ", "[", "]", "], [", "x", "1 2; " * 4]
    texts = ["".join(chance.choices(pieces, k=chance.randint(0, 14))) for _ in range(1500)]
    texts += [attention.QUERIES, "[[1, 2], [1, 2], [1, 2], [1, 2], [1, 2]]", "0 0; " * 5, "😀" * 11, "1e9 2"]
    found = stage(an_attention()).js(
        "(texts) => texts.map((text) => part.explorer.parseRows(text, model.get('data')))", texts
    )
    readable = 0
    for text, got in zip(texts, found, strict=True):
        rows, mistake = attention.parse_rows(text)
        assert (got["rows"], got["mistake"]) == (rows, mistake), text
        readable += mistake is None
    assert readable > 3


# ------------------------------------------------------------------ the picture
@pytest.mark.parametrize("width", [1000, 860, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    one = stage(an_attention(), width=width)
    assert one.js(LOOK, ENDS[::2] + random_settings(10)) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS[::5],
    )
    assert len(heights) == 1, "what is below the picture moves"


def test_the_steps_are_revealed_one_by_one(stage):
    one = stage(an_attention(stage="dots", mask="causal"))
    svg = one.page.locator(".n2t-stage svg")
    weight = f"{attention.compute(**(DEFAULTS | {'mask': 'causal'}))['weights'][3][1]:.2f}"
    seen = []
    for _ in range(4):
        words = svg.locator("text").all_text_contents()
        seen.append((words.count("2.72"), words.count("1.92"), words.count("−∞"), words.count(weight)))
        one.press("step", "Enter")
    first, second, third, fourth = seen
    assert first[0] == 2 and first[1:] == (0, 0, 0)  # in the row, and among all words
    assert second[0] == 1 and second[1] >= 2 and second[2:] == (0, 0)
    assert third[2] == 11 and third[3] == 0  # ten of all, one of the row
    assert fourth[2] == 1 and fourth[3] == 2
    assert one.values()["stage"] == "dots"  # and round again


def test_what_cannot_be_read_is_told_and_leaves_nothing_to_move(stage):
    one = stage(an_attention())
    one.control("keys").fill("1 2; 3")
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("cannot be read yet")
    expect(one.page.locator(".n2t-say")).to_have_text(
        "The keys cannot be read yet: Row 2 holds 1 number, not 2."
    )
    assert one.control("keys").get_attribute("aria-invalid") == "true"
    assert one.control("queries").get_attribute("aria-invalid") == "false"
    before = one.picture()
    drag(one, (1.3, 0.5), (2, 2))
    press(one, "ArrowUp")
    assert one.picture() == before and one.control("keys").input_value() == "1 2; 3"
    one.control("keys").fill(attention.KEYS)
    expect(one.page.locator(".n2t-stage svg")).not_to_contain_text("cannot be read")


# ------------------------------------------------------------------ moving
def spot(one: Stage, at: tuple[float, float]) -> tuple[float, float]:
    """Where on the page a place of the plane is."""
    left, top, width, height = one.plot_area()
    return left + (at[0] + 3.3) / 6.6 * width, top + height - (at[1] + 3.3) / 6.6 * height


def drag(one: Stage, start: tuple[float, float], end: tuple[float, float]) -> None:
    one.page.mouse.move(*spot(one, start))
    one.page.mouse.down()
    one.page.mouse.move(*spot(one, end), steps=4)
    one.page.mouse.up()


def press(one: Stage, key: str, times: int = 1) -> None:
    """Press a key on the picture."""
    one.page.locator(".n2t-stage svg").focus()
    for _ in range(times):
        one.page.keyboard.press(key)


def rows(one: Stage, name: str) -> list[list[float]]:
    return attention.parse_rows(one.values()[name])[0]


def test_query_and_every_key_are_dragged_by_the_mouse(stage):
    one = stage(an_attention())
    queries, keys = rows(one, "queries"), rows(one, "keys")
    drag(one, (1.3, 0.5), (-2, -2.4))
    queries[3] = [-2, -2.4]
    assert rows(one, "queries") == queries and rows(one, "keys") == keys
    assert one.control("queries").input_value() == written(queries)
    for j, word in enumerate(attention.WORDS):
        drag(one, tuple(keys[j]), (j - 1.5, 2.6))
        keys[j] = [j - 1.5, 2.6]
        assert rows(one, "keys") == keys and one.values()["grip"] == word
        assert one.control("grip").input_value() == word
    assert rows(one, "queries") == queries
    # Taken beside its middle it does not jump, and it stays in the picture.
    drag(one, (-1.9, -2.5), (-1.9, -2.5))
    assert rows(one, "queries") == queries and one.values()["grip"] == "query"
    one.page.mouse.move(*spot(one, (-2, -2.4)))
    one.page.mouse.down()
    one.page.mouse.move(*spot(one, (9, 9)))
    one.page.mouse.up()
    assert rows(one, "queries")[3] == [3, 3]
    # Let go over the table it does not choose a row.
    drag(one, (3, 3), (4.5, -5.5))
    assert one.values()["word"] == "it" and rows(one, "queries")[3] == [3, -3]


def test_a_finger_drags_where_it_takes_hold(stage):
    one = stage(an_attention(), width=390, has_touch=True, is_mobile=True)
    one.js("document.body.style.minHeight = '3000px'")
    session = one.context.new_cdp_session(one.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", spot(one, (1.95, 0.6)))
    for step in range(1, 9):
        touch("touchMove", spot(one, (1.95 - step / 4, 0.6 + step / 4)))
    touch("touchEnd")
    assert rows(one, "keys")[1] == pytest.approx([-0.1, 2.5], abs=0.3)
    assert one.values()["grip"] == "cat" and one.js("window.scrollY") == 0
    one.page.touchscreen.tap(*spot(one, (-0.9, -0.7)))  # a tap takes hold, too
    expect(one.control("grip")).to_have_value("the")


def test_arrow_keys_move_what_is_held(stage):
    one = stage(an_attention())
    press(one, "ArrowRight", 3)
    press(one, "ArrowDown", 7)
    assert rows(one, "queries")[3] == [1.6, -0.2]
    one.control("grip").select_option("slept")
    press(one, "ArrowLeft")
    press(one, "ArrowUp", 20)  # no further than the edge
    assert rows(one, "keys")[2] == [-0.7, 3] and rows(one, "queries")[3] == [1.6, -0.2]
    assert one.js("document.activeElement.tagName") == "svg"
    one.control("word").select_option("the")
    one.control("grip").select_option("query")
    press(one, "ArrowLeft")
    assert rows(one, "queries")[0] == [1.5, 0.4]


def test_a_click_on_a_row_lets_its_word_look(stage):
    one = stage(an_attention())
    for word in ("purred", "the"):
        label = one.page.locator(".n2t-stage svg text[text-anchor=end]", has_text=word).last
        label.click()
        assert one.values()["word"] == word and one.control("word").input_value() == word
        expect(one.page.locator(".n2t-stage svg")).to_contain_text(f"query of “{word}”")


# ------------------------------------------------------------------ goals
def met(one: Stage, goal: str, **controls: Any) -> bool:
    """Whether a goal is reached at these controls."""
    return one.js(
        """([goal, values]) => { const data = model.get("data");
          return part.explorer.goals[goal](part.explorer.compute(values, data), values, data); }""",
        [goal, DEFAULTS | controls],
    )


def query(x: float, y: float) -> str:
    """The queries with that of “it” at (x, y)."""
    found = [list(row) for row in attention.parse_rows(attention.QUERIES)[0]]
    found[3] = [x, y]
    return written(found)


LONG = "-0.9 -0.7; 2.8 0.8; -0.6 1.8; 1 -1.6; -1.6 0.9"


def test_every_goal_is_recognised_and_no_lookalike_is(stage):
    one = stage(an_attention())
    focus = {"queries": query(2.6, 0.7), "keys": LONG}
    assert met(one, "focus", **focus)
    assert not met(one, "focus", **focus, word="slept") and not met(one, "focus", temperature=-1.0)
    assert not met(one, "focus", **focus, stage="masked")
    assert met(one, "even", queries=query(0, 0)) and not met(one, "even", temperature=1.0)
    assert not met(one, "even", queries=query(0, 0), mask="causal")
    assert met(one, "even", keys=written([[1, 1]] * 5), word="cat")  # keys alike do it too
    assert met(one, "far", queries=query(-0.5, 0.2)) and not met(one, "far", queries=query(-1.5, 1.0))
    assert not met(one, "far", queries=query(0, 0))
    assert met(one, "blind", mask="causal", word="the")
    assert not met(one, "blind", mask="causal", word="cat") and not met(one, "blind", word="the")
    star = {"queries": query(-2.4, -1.3)}
    assert met(one, "star", **star)
    for other in (
        {"mask": "others"},
        {"temperature": 0.1},
        {"stage": "dots"},
        {"word": "cat"},
        {"keys": LONG},
    ):
        assert not met(one, "star", **(star | other)), other


def test_goals_are_ticked_by_hand(stage):
    one = stage(an_attention())
    drag(one, (1.3, 0.5), (0, 0))
    assert one.reached() == ["even"]
    press(one, "ArrowLeft", 24)
    press(one, "ArrowDown", 13)
    assert {"even", "star"} <= set(one.reached())
    assert one.js("model.get('reached').length") == len(one.reached())


def test_no_preset_reaches_a_goal_and_reset_goes_back(stage):
    one = stage(an_attention())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    one.control("reset").click()
    assert one.picture() == start and one.reached() == []


# ------------------------------------------------------------------ keys
def test_every_control_answers_to_its_key_and_keeps_the_focus(stage):
    one = stage(an_attention())
    keys = dict.fromkeys(("word", "grip", "mask"), "ArrowDown")
    keys |= {"temperature": "ArrowRight", "step": "Enter"}
    for name, key in keys.items():
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    controls = one.page.locator(".n2t :is(input, select, button)").all()
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls)
