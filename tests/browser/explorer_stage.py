"""An explorer alone in an empty page, with a stand-in for anywidget's model: it is quick."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator

from utils.explore.base import Explorer

ADDRESS = "http://explorer.test/"  # never reached: the page is given by hand, but storage needs an origin

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style id="css"></style>
<style>body { margin: 8px; background: var(--jp-layout-color0, #fff); }
[data-jp-theme-light=false] { --jp-layout-color0: #111; --jp-layout-color1: #212121;
  --jp-content-font-color1: #fff; --jp-content-font-color2: #b5b5b5; --jp-border-color1: #616161; }</style>
<body><div class="jp-OutputArea"></div>
<script>
const listeners = {};
const fire = (event, ...rest) => (listeners[event] || []).forEach((call) => call(...rest));
window.cell = (words = "") => {
  const child = document.createElement("div");
  child.className = "jp-OutputArea-child";
  child.textContent = words;
  document.querySelector(".jp-OutputArea").append(child);
  return child;
};
window.mount = async (source, css, state) => {
  document.getElementById("css").textContent = css;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.part = await import(url);
  window.model = {
    saves: 0,
    get: (key) => state[key],
    set: (key, value) => { state[key] = value; fire("change:" + key); },
    save_changes: () => { window.model.saves += 1; },
    on: (event, call) => { (listeners[event] ||= []).push(call); },
    off: (event, call) => {
      listeners[event] = (listeners[event] || []).filter((one) => one !== call);
    },
    send: () => {},
  };
  window.cell("STILL");
  window.view();
};
window.view = () => {
  window.unmount = window.part.default.render({ model: window.model, el: window.cell() });
};
window.listening = () => Object.values(listeners).flat().length;
</script></body></html>"""


class Stage:
    """One page with one live explorer. ``problems`` collects what console and page complain of.

    The page has a browser context of its own, or is a new page in ``kept``, which costs half as much: there
    it shares with earlier pages only what the context stores, and that is emptied when the stage closes.
    """

    def __init__(
        self,
        browser: Browser,
        live: Explorer,
        *,
        width: int = 1000,
        kept: BrowserContext | None = None,
        **options: Any,
    ):
        self._kept = kept
        self.context = kept or browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        self.live = live
        self.load()

    def close(self) -> None:
        """Close what was opened here."""
        if self._kept is None:
            self.context.close()
            return
        if self.page.url == ADDRESS:
            self.js("localStorage.clear()")
        self.page.close()

    def load(self) -> None:
        """Open the page afresh; what the browser remembers stays."""
        self.page.goto(ADDRESS)
        state = self.live.get_state(["declaration", "data", "values", "reached"])
        self.page.evaluate(
            "([s, c, t]) => mount(s, c, JSON.parse(t))", [self.live._esm, self.live._css, json.dumps(state)]
        )

    def js(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)

    def states(self, settings: list[dict]) -> list[dict]:
        """Return what compute() and describe() in the browser say for each setting."""
        return self.js(
            """(settings) => settings.map((values) => {
              const view = { declaration: model.get("declaration"), data: model.get("data") };
              const state = part.explorer.compute(values, view.data, view);
              return { state, words: part.explorer.describe(state, values, view.data, view) };
            })""",
            settings,
        )

    def picture(self) -> str:
        return self.js("document.querySelector('.n2t-stage svg').innerHTML")

    def control(self, name: str) -> Locator:
        return self.page.locator(f".n2t [name={name}]").first

    def press(self, name: str, key: str, times: int = 1) -> None:
        """Focus a control and press a key on it."""
        self.control(name).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def goal(self, id: str) -> Locator:
        return self.page.locator(f"[data-goal={id}]")

    def reached(self) -> list[str]:
        return self.js("[...document.querySelectorAll('.n2t-reached')].map((item) => item.dataset.goal)")

    def saves(self) -> int:
        return self.js("model.saves")

    def values(self) -> dict:
        """The controls' values, as the model holds them."""
        return self.js("model.get('values')")

    def plot_area(self) -> tuple[float, float, float, float]:
        """Left, top, width and height, on the page, of what the first clip path of the picture shows."""
        box = self.page.locator(".n2t-stage svg").bounding_box()
        left, top, width, height = self.js(
            """() => { const rect = document.querySelector(".n2t-stage svg clipPath rect");
              return ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))); }"""
        )
        return box["x"] + left, box["y"] + top, width, height


LOOK = """(settings) => {
  const problems = [];
  const heights = new Set();
  for (const values of settings) {
    model.set("values", values);
    const svg = document.querySelector(".n2t-stage svg");
    const at = JSON.stringify(values);
    if (/NaN|Infinity|undefined|null/.test(svg.outerHTML)) problems.push(at + ": NaN in the picture");
    if (!document.querySelector(".n2t-error").hidden) {
      problems.push(at + ": " + document.querySelector(".n2t-error").textContent);
    }
    const frame = svg.getBoundingClientRect();
    heights.add(Math.round(frame.height));
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1;
      if (out) problems.push(`${at}: “${text.textContent}” leaves the picture`);
      if (parseFloat(getComputedStyle(text).fontSize) * (frame.width / svg.viewBox.baseVal.width) < 13) {
        problems.push(`${at}: “${text.textContent}” is too small`);
      }
    }
  }
  if (heights.size > 1) problems.push("the picture jumps: " + [...heights]);
  if (document.documentElement.scrollWidth > window.innerWidth) problems.push("the page is too wide");
  return problems;
}"""
