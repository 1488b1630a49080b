"""The convolution explorer in a real browser: torch's sums, Python's words, mouse, keys, goals, ends."""

from __future__ import annotations

import importlib
import itertools
import random
from typing import Any

import pytest
import torch
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect
from torch.nn import functional as F

from utils.explore.base import Explorer

convolution = importlib.import_module("utils.explore.convolution")
DEFAULTS = convolution.DECLARATION.defaults()
# Every combination of all ends would be tens of thousands.
ENDS = list(itertools.islice(convolution.DECLARATION.extremes(), 0, None, 2999))


def a_convolution(**values: Any) -> Explorer:
    data = convolution.browser_data()
    return convolution.ConvolutionExplorer(convolution.DECLARATION, data, values=DEFAULTS | values)


def written(rows: list[list[float]]) -> str:
    return "; ".join(" ".join(map(str, row)) for row in rows)


def random_settings(count: int) -> list[dict]:
    """Any picture and kernel, square or not, any stride, padding and dilation; some of them impossible."""
    chance = random.Random(12)
    found = []
    for _ in range(count):
        height, width = chance.randint(1, 7), chance.randint(1, 7)
        whole = chance.random() < 0.5
        rows = [
            [chance.randint(-3, 3) if whole else round(chance.gauss(0, 1), 2) for _ in range(width)]
            for _ in range(height)
        ]
        values = {
            "picture": chance.choice([*convolution.PICTURES, *["small"] * 8]), "kernel": written(rows),
            "stride": chance.randint(1, 8), "padding": chance.randint(0, 6), "dilation": chance.randint(1, 5),
            "row": chance.randint(0, 39), "column": chance.randint(0, 39),
        }  # fmt: skip
        found.append(DEFAULTS | values)
    return found


# ------------------------------------------------------------------ numbers
def test_outputs_are_torchs_and_words_are_pythons(stage):
    settings = random_settings(400)
    refused = 0
    for values, found in zip(settings, stage(a_convolution()).states(settings), strict=True):
        state = found["state"]
        assert found["words"] == convolution.describe(**values)
        X = torch.from_numpy(convolution.pixels(values["picture"]))[None, None]
        W = torch.tensor(convolution.parse_kernel(values["kernel"])[0], dtype=torch.float64)
        options = {name: values[name] for name in ("stride", "padding", "dilation")}
        try:
            torchs = F.conv2d(X, W[None, None], **options)[0, 0]
        except RuntimeError:  # torch refuses the same settings
            assert state["refused"] and state["out"] is None, values
            refused += 1
            continue
        assert state["refused"] is None and state["out"] == list(torchs.shape), values
        assert torch.allclose(
            torch.tensor(state["output"], dtype=torch.float64), torchs, rtol=0, atol=1e-9
        ), values
        i, j = state["at"]
        assert (i, j) == (min(values["row"], len(torchs) - 1), min(values["column"], torchs.shape[1] - 1))
        column = F.unfold(X, W.shape, **options).view(*W.shape, *torchs.shape)
        patch = torch.tensor(state["patch"], dtype=torch.float64)
        assert torch.equal(patch, column[:, :, i, j])
        assert torch.allclose(
            torch.tensor(state["products"], dtype=torch.float64), W * patch, rtol=0, atol=1e-12
        )
        assert state["total"] == pytest.approx(torchs[i, j].item(), abs=1e-9)
        assert state["largest"] == pytest.approx(torchs.abs().max().item(), abs=1e-9)
    assert 30 < refused < 200


def test_a_kernel_is_read_as_in_python(stage):
    chance = random.Random(7)
    texts = [
        "".join(chance.choices("0123456789 ;,./[]-−+*xé½", k=chance.randint(0, 12))) for _ in range(1500)
    ]
    texts += [
        "".join(
            chance.choice(["1", "-2", "0.5", ".25", "1/9", "; ", ", ", " ", "3 * ", "[", "]"])
            for _ in range(9)
        )
        for _ in range(1500)
    ]
    texts += ["", "[[0, 1], [-1, 0]]", "1/9 * 1 1; 1 1", "2 × 1 2", "1/0", "1 2; 3", "1001", " 1 ;", "1;;2",
              "1 2 3 4 5 6 7 8", "😀😀😀😀😀😀😀😀😀😀😀", "−1 +1", "1/0.0 * 2"]  # fmt: skip
    for k in range(1, 8):
        texts += [convolution.ready(kind, k) for kind in convolution.KERNELS]
    found = stage(a_convolution()).js("(texts) => texts.map(part.explorer.parseKernel)", texts)
    readable = 0
    for text, got in zip(texts, found, strict=True):
        rows, mistake = convolution.parse_kernel(text)
        assert (got["rows"], got["mistake"]) == (rows, mistake), text
        readable += mistake is None
    assert readable > 200


# ------------------------------------------------------------------ the picture
@pytest.mark.parametrize("width", [1000, 520, 390])
def test_at_no_end_of_any_control_the_picture_breaks(stage, width: int):
    settings = random_settings(20) + ENDS + [DEFAULTS | dict(p.values) for p in convolution.PRESETS]
    one = stage(a_convolution(), width=width)
    assert one.js(LOOK, settings) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        settings[::4],
    )
    assert len(heights) == 1, "what is below the picture moves"


def test_what_is_refused_is_told_and_leaves_nothing_to_move(stage):
    one = stage(a_convolution(picture="small", kernel="1 1; 1 1", ready="own", dilation=5))
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("Output 1 × 1")
    one.press("size", "ArrowRight")
    svg = one.page.locator(".n2t-stage svg")
    expect(svg).to_contain_text("No output")
    expect(svg).to_contain_text("11 pixels")
    expect(one.page.locator(".n2t-say")).to_contain_text("Refused. With dilation 5, 3 numbers reach over")
    assert one.control("row").is_disabled() and one.control("play").is_disabled()
    one.press("padding", "End")
    expect(svg).to_contain_text("Output 8 × 8")
    assert one.control("row").is_enabled() and one.control("row").get_attribute("max") == "7"


def test_what_cannot_be_read_leaves_the_last_picture_pale(stage):
    one = stage(a_convolution())
    one.control("kernel").fill("1 2; 3")
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("The kernel cannot be read yet.")
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("Output 26 × 26")
    expect(one.page.locator(".n2t-mistake")).to_have_text("Row 1 holds 2 numbers, row 2 holds 1 number.")
    one.control("kernel").fill("1 2; 3 4")
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("Output 27 × 27")
    expect(one.page.locator(".n2t-mistake")).to_have_count(0)


# ------------------------------------------------------------------ moving the window
def spot(one: Stage, name: str, i: float, j: float) -> tuple[float, float]:
    """Where the middle of cell (i, j) of the output or the kernel is on the page."""
    box = one.page.locator(".n2t-stage svg").bounding_box()
    # The last frame 3 pixels thick is the current pixel's; the kernel's is the only one of 2.
    found = one.js(
        """(name) => {
          const rects = [...document.querySelectorAll(".n2t-stage svg rect[fill=none]")];
          const has = (rect, key, value) => rect.getAttribute(key) === value;
          const rect = name === "kernel" ? rects.find((r) => has(r, "stroke-width", "2"))
            : rects.filter((r) => has(r, "stroke-width", "3")).at(-1);
          return ["x", "y", "width", "height"].map((key) => Number(rect.getAttribute(key)));
        }""",
        name,
    )
    left, top, width, height = found
    if name == "kernel":
        rows = one.states([one.values()])[0]["state"]["kernel"]
        return box["x"] + left + (j + 0.5) * width / len(rows[0]), box["y"] + top + (i + 0.5) * height / len(
            rows
        )
    now = shown(one)
    return box["x"] + left + (j - now[1] + 0.5) * width, box["y"] + top + (i - now[0] + 0.5) * height


def shown(one: Stage) -> tuple[int, int]:
    """Row and column that the sliders show."""
    return tuple(int(one.control(name).input_value()) for name in ("row", "column"))


def test_pointing_at_the_output_moves_the_window_and_the_arrow_keys_move_it_on(stage):
    one = stage(a_convolution())
    x, y = spot(one, "output", 20, 3)
    one.page.mouse.move(x, y)
    assert shown(one) == (20, 3)
    assert one.saves() == 0
    before = one.picture()
    one.page.mouse.move(5, 5)
    assert one.picture() == before  # it stays where it was left
    one.page.mouse.click(x, y)
    assert one.saves() == 1 and (one.values()["row"], one.values()["column"]) == (20, 3)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown"):
        one.page.keyboard.press(key)
    assert shown(one) == (21, 4)
    for _ in range(6):
        one.page.keyboard.press("ArrowLeft")
    assert shown(one) == (21, 0)
    assert (
        one.js("document.querySelector('.n2t-stage svg').getAttribute('data-lm-suppress-shortcuts')")
        == "true"
    )


def test_the_window_is_dragged_where_it_was_taken(stage):
    one = stage(a_convolution(stride=2, padding=1))
    at = one.js(
        """() => { const rect = [...document.querySelectorAll(".n2t-stage svg rect[stroke-width='3']")][0];
          return ["x", "y", "width"].map((key) => Number(rect.getAttribute(key))); }"""
    )
    box = one.page.locator(".n2t-stage svg").bounding_box()
    start = shown(one)
    x, y = box["x"] + at[0] + 0.8 * at[2], box["y"] + at[1] + 0.2 * at[2]
    pixel = at[2] / 3
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + 4 * pixel, y - 6 * pixel, steps=4)
    assert shown(one) == (start[0] - 3, start[1] + 2)
    one.page.mouse.move(x + 400, y - 400, steps=4)
    one.page.mouse.up()
    assert (one.values()["row"], one.values()["column"]) == (0, 13)


def test_a_finger_moves_the_window_in_the_output(stage):
    one = stage(a_convolution(), width=390, has_touch=True, is_mobile=True)
    one.page.touchscreen.tap(*spot(one, "output", 15, 15))
    assert shown(one) == pytest.approx((15, 15), abs=1)
    session = one.context.new_cdp_session(one.page)
    way = [spot(one, "output", 3 + k, 4) for k in range(9)]
    for kind, points in [("touchStart", way[:1]), *(("touchMove", [p]) for p in way[1:]), ("touchEnd", [])]:
        fingers = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    assert shown(one) == pytest.approx((11, 4), abs=1)


def test_the_player_fills_the_output_pauses_goes_on_and_ends(stage):
    one = stage(a_convolution(picture="small", kernel="1 1; 1 1; 1 1; 1 1; 1 1", ready="own", size=5))
    title = one.page.locator(".n2t-stage svg")
    one.press("rewind", "Enter")
    assert shown(one) == (0, 0)
    expect(title).to_contain_text("Output 2 × 5, 1 of 10")
    for _ in range(3):
        one.press("step", "Enter")
    expect(title).to_contain_text("4 of 10")
    one.press("play", "Enter")
    expect(one.control("play")).to_have_text("Pause")
    expect(title).not_to_contain_text("4 of 10")  # it goes on from where the steps ended
    one.press("play", "Enter")
    expect(one.control("play")).to_have_text("Play")
    one.press("column", "End")
    one.press("column", "Home")  # a hand ends the filling: all is seen again
    assert " of 10" not in title.text_content()
    one.press("play", "Enter")
    expect(one.control("play")).to_have_text("Play", timeout=9000)
    assert shown(one) == (1, 4) and (one.values()["row"], one.values()["column"]) == (1, 4)
    assert one.control("step").get_attribute("aria-disabled") == "true"


# ------------------------------------------------------------------ the kernel
def enter(one: Stage, kernel: str) -> None:
    """Type a kernel."""
    one.control("kernel").fill(kernel)
    one.control("kernel").press("Enter")


def click(one: Stage, i: int, j: int, times: int = 1) -> None:
    for _ in range(times):
        one.page.mouse.click(*spot(one, "kernel", i, j))


def test_a_kernel_is_drawn_by_clicks(stage):
    one = stage(a_convolution())
    field, ready = one.control("kernel"), one.control("ready")
    click(one, 0, 1)
    assert field.input_value() == "1 -1 1; 0 0 0; -1 -1 -1" and ready.input_value() == "own"
    click(one, 0, 1)
    click(one, 1, 2)
    click(one, 2, 0)
    assert field.input_value() == "1 0 1; 0 0 1; 0 -1 -1"
    assert one.values()["kernel"] == field.input_value()
    enter(one, "1/4 * 1 2.5; 0 1")
    click(one, 0, 1)
    click(one, 1, 0)
    assert field.input_value() == "1/4 * 1 0; 1 1"
    enter(one, "[[1, 1, 1], [0, 0, 0], [-1, -1, -1]]")
    assert ready.input_value() == "horizontal"  # a known one is called by its name
    click(one, 1, 1)
    assert field.input_value() == "1 1 1; 0 1 0; -1 -1 -1"


def test_size_and_ready_made_kernels_write_the_field(stage):
    one = stage(a_convolution())
    field = one.control("kernel")
    one.control("ready").select_option("mean")
    assert field.input_value() == "1/9 * 1 1 1; 1 1 1; 1 1 1"
    one.press("size", "ArrowRight")
    assert field.input_value() == convolution.ready("mean", 4)
    field.fill("1 2; 3 4; 5 6")  # not square: the slider shows the longer side
    assert (one.control("size").input_value(), one.control("ready").input_value()) == ("3", "own")
    one.press("size", "ArrowRight")  # an own kernel is kept, with zeros round it
    assert field.input_value() == "0 1 2 0; 0 3 4 0; 0 5 6 0; 0 0 0 0"
    one.press("size", "ArrowRight")
    assert field.input_value() == "0 0 0 0 0; 0 0 1 2 0; 0 0 3 4 0; 0 0 5 6 0; 0 0 0 0 0"
    one.press("size", "Home")
    assert field.input_value() == "3"
    one.control("ready").select_option("own")
    assert field.input_value() == "0"
    field.fill("nonsense")
    one.press("size", "End")  # out of what cannot be read comes the kernel that the list names
    assert field.input_value() == convolution.ready("own", 7)


# ------------------------------------------------------------------ goals
GOALS = {
    "vertical": (
        {"picture": "cross", "ready": "own"},
        ["1 1 1; 0 0 0; -1 -1 -1", "1 -1; -1 1", "0", "1 0; -1 0", "-1 0 1; 1 0 0"],
        "-1 0 1",
    ),
    "same": (
        {"padding": 2},
        ["1 1 1; 1 1 1; 1 1 1", "0 0 0 0 0; 0 0 0 0 0"],
        convolution.ready("mean", 5),
    ),
    "halve": (
        {"stride": 2, "padding": 1},
        ["1", "1 1; 1 1", convolution.ready("mean", 5)],
        "1 0 0; 0 0 0; 0 0 0",
    ),
    "identity": (
        {"padding": 1},
        ["1", "0 0 0; 0 2 0; 0 0 0", "0 0 0; 0 0 0; 0 1 0", "0 1 0", "0 0 0; 0 1 0.01; 0 0 0"],
        "0 0 0; 0 1 0; 0 0 0",
    ),
    "shift": (
        {"padding": 1},
        ["0 0 0; 0 0 1; 0 0 0", "1 0 0; 0 0 0; 0 0 0", "1 0 0"],
        "0 0 0; 1 0 0; 0 0 0",
    ),
}
"""What a goal needs before, kernels that look like it, one that reaches it."""


def met(one: Stage, goal: str, **controls: Any) -> bool:
    """Whether a goal is reached at these controls."""
    return one.js(
        """([goal, values]) => { const data = model.get("data");
          return part.explorer.goals[goal](part.explorer.compute(values, data), values, data); }""",
        [goal, DEFAULTS | controls],
    )


def test_every_goal_is_recognised_and_no_lookalike_is(stage):
    one = stage(a_convolution())
    for goal, (start, lookalikes, solution) in GOALS.items():
        assert met(one, goal, **(start | {"kernel": solution})), goal
        for text in [*lookalikes, "0 0; 1", convolution.ready("bell", 7)]:
            assert not met(one, goal, **(start | {"kernel": text})), (goal, text)
        for others in GOALS.keys() - {goal, "identity"}:
            assert not met(one, others, **(start | {"kernel": solution})), (goal, others)
    # A 5 × 5 kernel at dilation 2; moved by two pixels; a large and a small picture.
    mean, left = convolution.ready("mean", 5), "0 0 0; 1 0 0; 0 0 0"
    assert met(one, "same", kernel=mean, dilation=2, padding=4)
    assert not met(one, "same", kernel=mean, picture="small", padding=2)
    assert not met(one, "shift", kernel=left, dilation=2, padding=2)
    assert met(one, "shift", kernel="0 0 0; 0 0 0; 0 0 0; 1 0 0; 0 0 0; 0 0 0; 0 0 0", padding=3) is False
    assert not met(one, "vertical", picture="square", kernel="-1 0 1")


def test_a_goal_is_ticked_when_it_is_typed_in(stage):
    one = stage(a_convolution(padding=1))
    enter(one, "0 0 0; 0 1 0; 0 0 0")
    assert one.reached() == ["identity"]
    click(one, 1, 0)
    click(one, 1, 1, times=2)
    assert one.control("kernel").input_value() == "0 0 0; 1 0 0; 0 0 0"
    assert one.reached() == ["identity", "shift"]
    assert one.js("model.get('reached')") == ["identity", "shift"]


def test_no_preset_reaches_a_goal_and_reset_goes_back(stage):
    one = stage(a_convolution())
    start = one.picture()
    for button in one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()[:-1]:
        button.click()
        assert one.picture() != start
    for kind in convolution.KERNELS:
        one.control("ready").select_option(kind)
    one.control("reset").click()
    assert one.picture() == start and one.reached() == []


# ------------------------------------------------------------------ keys
def test_every_control_answers_to_its_key_and_keeps_the_focus(stage):
    one = stage(a_convolution())
    down = ("picture", "ready")
    right = ("size", "stride", "padding", "dilation")
    keys = dict.fromkeys(down, "ArrowDown") | dict.fromkeys(right, "ArrowRight")
    keys |= {"row": "ArrowLeft", "column": "ArrowLeft", "step": "Enter", "rewind": "Enter"}
    for name, key in keys.items():
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    controls = one.page.locator(".n2t :is(input, select, button)").all()
    assert all(c.get_attribute("data-lm-suppress-shortcuts") == "true" for c in controls)
