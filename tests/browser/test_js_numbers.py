"""The browser-mode explorers in a real browser: their numbers against torch, their keys, goals and errors.

The explorer's module runs in an empty page with a stand-in for anywidget's model; JupyterLab is tested elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

from utils.explore.base import Explorer  # noqa: E402

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADDRESS = "http://explorer.test/"  # never reached: the page is given by hand, but localStorage needs an origin

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style id="css"></style>
<style>body { margin: 8px; background: var(--jp-layout-color0, #fff); }
[data-jp-theme-light=false] { --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-content-font-color1: #fff;
  --jp-content-font-color2: #b5b5b5; --jp-border-color1: #616161; }</style>
<body><div class="jp-OutputArea"></div>
<script>
window.mount = async (source, css, state) => {
  document.getElementById("css").textContent = css;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const module = await import(url);
  const listeners = {};
  const model = {
    state, saves: 0, sent: [],
    get: (key) => state[key],
    set: (key, value) => { state[key] = value; (listeners["change:" + key] || []).forEach((call) => call()); },
    save_changes: () => { model.saves += 1; },
    on: (event, call) => { (listeners[event] ||= []).push(call); },
    off: (event, call) => { listeners[event] = (listeners[event] || []).filter((one) => one !== call); },
    send: (message) => { model.sent.push(message); },
  };
  const area = document.querySelector(".jp-OutputArea");
  const cell = () => { const div = document.createElement("div"); div.className = "jp-OutputArea-child"; area.append(div); return div; };
  cell().textContent = "STILL";
  const el = cell();
  window.n2tModule = module;
  window.n2tModel = model;
  window.n2tEnd = module.default.render({ model, el });
};
</script></body></html>"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Stage:
    """One page with one live explorer; `problems` collects what the console and the page complain of."""

    def __init__(self, browser: Any, live: Explorer, *, width: int = 1000, **context: Any):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **context)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None)
        self.page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        self.page.goto(ADDRESS)
        self.mount(live)

    def mount(self, live: Explorer) -> None:
        state = live.get_state(["declaration", "data", "values", "reached"])
        self.page.evaluate("([s, c, t]) => mount(s, c, JSON.parse(t))", [live._esm, live._css, json.dumps(state)])
