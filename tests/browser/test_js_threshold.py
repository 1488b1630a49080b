"""The threshold in a real browser: Python's numbers and words, a model's own scores, keys, mouse, goals."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
from explorer_stage import LOOK, Stage
from playwright.sync_api import expect

from utils.explore.base import Explorer

threshold = importlib.import_module("utils.explore.threshold")
DEFAULTS = threshold.DECLARATION.defaults()
ENDS = list(threshold.DECLARATION.extremes())


def a_threshold(**values: Any) -> Explorer:
    return threshold.ThresholdExplorer(
        threshold.DECLARATION, threshold.browser_data(), values=DEFAULTS | values
    )


def own(count: int = 20_000, share: float = 0.02, *, logits: bool = False) -> tuple[list[float], list[int]]:
    """Scores and classes as a lesson's model might give them."""
    rng = np.random.default_rng(1)
    y = (rng.random(count) < share).astype(int)
    z = rng.normal(size=count) * 2 + 3 * y - 1
    return (z if logits else 1 / (1 + np.exp(-z))).tolist(), y.tolist()


def an_own(scores: list[float], y: list[int], **values: Any) -> Explorer:
    table = threshold.counted(scores, y)
    declaration = threshold.declaration_for(table)
    return threshold.ThresholdExplorer(
        declaration, threshold.browser_data(table), values=declaration.defaults() | values
    )


MODELS = {
    "rare": own(),
    "logits": own(300, 0.4, logits=True),
    "no positives": ([0.2, 0.4, 0.9], [0, 0, 0]),
    "no negatives": ([-3.0, 2.0], [1, 1]),
    "alike": ([7.5] * 5, [0, 1, 1, 0, 1]),
    "large": ([-4e8, 9e8, 3.0], [0, 1, 0]),
}


def same(found: dict, values: dict, table: dict | None) -> None:
    expected = threshold.compute(**values, table=table)
    for name, value in expected.items():
        assert found["state"][name] == pytest.approx(value, abs=1e-12), (values, name)
    assert found["words"] == threshold.describe(**values, table=table)


def test_numbers_and_words_are_pythons(stage):
    settings = ENDS[::3] + [
        DEFAULTS | {"threshold": t, "separation": d, "share": share, "miss": 7, "alarm": 3}
        for t, d, (share, _) in itertools.product((-2.35, 0.0, 0.75, 3.1), (0.3, 1.5, 2.7), threshold.SHARES)
    ]
    one = stage(a_threshold())
    for values, found in zip(settings, one.states(settings), strict=True):
        same(found, values, None)
        table = threshold.bells(values["separation"], values["share"])
        for name in ("tp", "fp", "positives", "negatives"):
            assert found["state"]["table"][name] == table[name], (values, name)
        assert found["state"]["table"]["auc"] == pytest.approx(table["auc"], abs=1e-13)
    bars, curves = one.js(
        "([t, bin]) => [part.explorer.bars(t, bin), part.explorer.curves(t)]", [table, threshold.BIN]
    )
    assert np.allclose(bars, threshold.bars(table), atol=1e-12)
    for name, line in threshold.curves(table).items():
        assert np.allclose(curves[name], line, atol=1e-12)


NO_CURVE = "[...document.querySelectorAll('svg text')].filter((t) => t.textContent === 'no curve').length"


@pytest.mark.parametrize("name", MODELS)
def test_a_models_own_scores_give_the_same_numbers_and_a_whole_picture(stage, name: str):
    table = threshold.counted(*MODELS[name])
    settings = list(threshold.declaration_for(table).extremes())
    last = len(table["tp"]) - 1
    settings += [
        settings[0] | {"threshold": table["minimum"] + k * table["step"]} for k in range(0, last, 17)
    ]
    one = stage(an_own(*MODELS[name]), width=390 if name in ("rare", "large") else 1000)
    for values, found in zip(settings, one.states(settings), strict=True):
        same(found, values, table)
    assert one.js(LOOK, settings[::3]) == []
    assert one.js(OVERLAPS, settings[::5]) == []
    assert one.js(NO_CURVE) == {"no positives": 2, "no negatives": 1}.get(name, 0)


OVERLAPS = """(settings) => settings.flatMap((values) => {
  model.set("values", values);
  const texts = [...document.querySelectorAll(".n2t-stage svg text")].map(
    (t) => [t.textContent, t.getBoundingClientRect()]);
  return texts.flatMap(([one, a], i) => texts.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5)
    .map(([other]) => `${JSON.stringify(values)}: “${one}” and “${other}”`));
})"""


@pytest.mark.parametrize("width", [1000, 880, 390])
def test_at_no_end_of_any_control_the_picture_breaks_or_moves(stage, width: int):
    one = stage(a_threshold(), width=width)
    assert one.js(LOOK, ENDS[::9]) == []
    assert one.js(OVERLAPS, ENDS[::17]) == []
    heights = one.js(
        """(settings) => [...new Set(settings.map((values) => {
          model.set("values", values);
          return Math.round(document.querySelector(".n2t").getBoundingClientRect().height);
        }))]""",
        ENDS[::11],
    )
    assert len(heights) == 1


def test_every_key_answers_and_the_picture_is_named_and_white(stage):
    one = stage(a_threshold())
    one.js("document.body.dataset.jpThemeLight = 'false'")
    keys = {"threshold": "ArrowRight", "separation": "ArrowRight", "share": "ArrowDown", "miss": "ArrowRight",
            "alarm": "ArrowRight", "curve": "Space"}  # fmt: skip
    assert set(keys) == {control.name for control in threshold.CONTROLS}
    for name, key in keys.items():
        before = one.picture()
        one.press(name, key)
        assert one.picture() != before, name
        assert one.js("document.activeElement.name") == name
    assert one.js("model.get('values')") == {
        "threshold": 0.05, "separation": 1.6, "share": "0.2", "miss": 6, "alarm": 2, "curve": True,
    }  # fmt: skip
    svg = one.page.locator(".n2t-stage svg")
    assert svg.get_attribute("aria-label") == one.page.locator(".n2t-say").inner_text()
    assert one.js("document.querySelector('.n2t-stage svg > rect').getAttribute('fill')") == "#fff"


def at(one: Stage, part: float) -> tuple[float, float]:
    """A place on the page within the histogram, at this part of its width."""
    box = one.page.locator(".n2t-stage svg").bounding_box()
    left, top, wide, high = one.js(
        """() => { const rect = document.querySelector(".n2t-stage svg clipPath rect");
          return ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))); }"""
    )
    return box["x"] + left + part * wide, box["y"] + top + high / 2


def test_the_threshold_is_moved_with_the_mouse_and_stops_at_the_ends(stage):
    one = stage(a_threshold())
    one.page.mouse.click(*at(one, 0.75))
    assert one.js("model.get('values').threshold") == 3
    one.page.mouse.move(*at(one, 0.75))
    one.page.mouse.down()
    one.page.mouse.move(*at(one, 0.6), steps=3)
    one.page.mouse.move(*at(one, 1.2), steps=3)
    saves = one.saves()
    one.page.mouse.up()
    assert one.saves() == saves + 1
    assert one.js("model.get('values').threshold") == 6
    expect(one.page.locator(".n2t-stage svg")).to_contain_text("0 / 0")  # nothing is called positive
    expect(one.page.locator(".n2t-say")).to_contain_text("0 divided by 0")


def test_the_costs_of_all_thresholds_show_when_asked_for(stage):
    one = stage(a_threshold(miss=20))
    picture = one.page.locator(".n2t-stage svg")
    cheapest = threshold.compute(**(DEFAULTS | {"miss": 20}))["cheapest"]
    expect(picture).not_to_contain_text("cheapest")
    one.press("curve", "Space")
    expect(picture).to_contain_text(f"cheapest {threshold.whole(cheapest)}")
    one.press("miss", "Home")
    one.press("alarm", "Home")
    expect(picture).to_contain_text("mistakes cost nothing")


def test_goals_are_recognised_where_they_are_met_and_not_before(stage):
    one = stage(a_threshold())
    start = one.picture()
    presets = one.page.get_by_role("group", name="Settings to try").get_by_role("button").all()
    for button in presets[:-1]:
        button.click()
        assert one.picture() != start
    presets[-1].click()
    assert one.picture() == start and one.reached() == []
    one.press("threshold", "ArrowLeft", 17)
    assert one.reached() == []
    place = [round(-6 + 0.05 * k, 2) for k in range(241)]
    table = threshold.bells(1.5, "0.5")
    first = max(k for k, tp in enumerate(table["tp"]) if tp > 0.95 * table["positives"])
    one.js("(t) => model.set('values', { ...model.get('values'), threshold: t })", place[first + 1])
    one.press("threshold", "ArrowLeft")
    assert one.reached() == ["recall"]
    # The cheapest: with its curve shown it does not count.
    values = DEFAULTS | {"miss": 20, "curve": True}
    best = threshold.compute(**values)["at"]
    one.js("(v) => model.set('values', v)", values | {"threshold": place[best + 1]})
    one.press("threshold", "ArrowLeft")
    assert one.reached() == ["recall"]
    one.press("curve", "Space")
    assert one.reached() == ["recall", "cheapest"]
    # Rare positives: recall above 80% costs more false alarms than there are positives.
    one.js("(v) => model.set('values', v)", DEFAULTS | {"share": "0.1", "threshold": -0.1})
    one.press("threshold", "ArrowLeft")
    assert "no" not in one.reached()
    one.control("share").select_option("0.02")
    assert one.reached() == ["no", "recall", "cheapest"]


def test_a_models_own_scores_have_goals_too(stage):
    table = threshold.counted(*MODELS["rare"])
    best = threshold.compute(0.0, 50, 1, table=table)["at"]
    one = stage(an_own(*MODELS["rare"], miss=50, threshold=round((best + 1) * 0.005, 3)))
    one.press("threshold", "ArrowLeft")
    assert "cheapest" in one.reached()
    one.press("threshold", "Home")
    one.press("threshold", "ArrowRight", 2)
    assert "no" in one.reached()
    assert stage(an_own(*MODELS["no positives"])).page.locator(".n2t-goals").count() == 0


def test_a_drag_answers_within_a_few_frames(stage):
    one = stage(an_own(*MODELS["rare"], curve=True))
    times = one.js(
        """() => {
          const slider = document.querySelector("[name=threshold]");
          return Array.from({ length: 32 }, (_, i) => {
            const start = performance.now();
            slider.value = i / 32;
            slider.dispatchEvent(new Event("input"));
            document.querySelector(".n2t-stage svg").getBoundingClientRect();
            return performance.now() - start;
          }).sort((a, b) => a - b);
        }"""
    )
    assert times[0] < 25
