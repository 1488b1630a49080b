"""How fast do explorers answer? From key press to picture, from stroke to bars, in a real JupyterLab.

    python benchmarks/explorers.py             # about half a minute on two quiet cores
    python benchmarks/explorers.py --strict    # exit status 1 if a target is missed

Times are taken in the page, from the browser's event to the change in the document, as medians of many key
presses one after another; for the playground from one picture to the next, while its largest network trains.
The last column sets each against the plainest work of its kind, measured between the others: a slider that
writes its value into the page, an empty question to the kernel, a page that draws nothing. Where these are
slow too, the machine is busy and not the explorer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Locator, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from real_lab import OpenNotebook, RealLab, launch_browser, opened, tiny_notebook, wait_for

SOURCES = [
    """import torch
from IPython.display import HTML
from torch import nn
from utils import explore
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))
images, labels = torch.rand(10, 28, 28), torch.arange(10)""",
    """HTML('<div id="plain"><input type="range" min="-10" max="10" value="0" '
     'data-lm-suppress-shortcuts><p>0</p></div>')""",
    "explore.neuron()",
    "explore.activation()",
    "explore.shift_digit(model, images, labels)",
    "explore.draw_digit(model)",
    "explore.playground()",
    "explore.convolution()",
]

# Waits in the page for the first change after the next key press; resolves to milliseconds.
NEXT_CHANGE = """(picture) => {
    window.measured = new Promise(done => {
        let start = null;
        const watch = new MutationObserver(() => {
            if (start === null) return;
            watch.disconnect();
            done(performance.now() - start);
        });
        watch.observe(picture, {subtree: true, childList: true, attributes: true, characterData: true});
        const begin = () => { start = performance.now(); };
        document.addEventListener('keydown', begin, {once: true, capture: true});
    });
}"""

# Notes when the pointer moved, and when each question was asked and answered.
FOLLOW_STROKE = """(root) => {
    const log = window.strokeLog = {moves: [], asked: [], answered: []};
    root.querySelector('canvas').addEventListener(
        'pointermove', () => log.moves.push(performance.now()), {capture: true});
    new MutationObserver(changes => {
        for (const {attributeName} of changes) log[attributeName.slice(5)].push(performance.now());
    }).observe(root, {attributes: true, attributeFilter: ['data-asked', 'data-answered']});
}"""

# Milliseconds between one change of the picture and the next, for so many seconds.
PICTURE_TO_PICTURE = """async (picture, seconds) => {
    const times = [];
    let last = null;
    const watch = new MutationObserver(() => {
        const now = performance.now();
        if (last !== null) times.push(now - last);
        last = now;
    });
    watch.observe(picture, {childList: true});
    await new Promise(done => setTimeout(done, 1000 * seconds));
    watch.disconnect();
    return times;
}"""

# The same where nothing is drawn: the pace of the screen.
FRAME_TO_FRAME = """async seconds => {
    const times = [], start = performance.now();
    for (let last = start; last - start < 1000 * seconds;) {
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
    }
    return times;
}"""


class Row(NamedTuple):
    """One line of the table: milliseconds, the median of the plainest work of its kind, the target."""

    name: str
    times: list[float]
    plain: float
    target: float | None = None

    @property
    def median(self) -> float:
        """The middle one of the times."""
        return statistics.median(self.times)

    @property
    def worst(self) -> float:
        """The time that 95 of 100 stay below."""
        return sorted(self.times)[int(0.95 * (len(self.times) - 1))]

    @property
    def missed(self) -> bool:
        """Whether the median is above the target."""
        return self.target is not None and self.median > self.target


def key_times(page: Page, control: Locator, picture: Locator, presses: int) -> list[float]:
    """Milliseconds from each of `presses` key presses on a slider to the change of the picture."""
    control.scroll_into_view_if_needed()
    control.focus()
    times = []
    for number in range(presses + 5):
        picture.evaluate(NEXT_CHANGE)
        page.keyboard.press("ArrowRight" if number % 2 == 0 else "ArrowLeft")
        times.append(page.evaluate("window.measured"))
        page.wait_for_timeout(40)  # a person's pause; also lets the release of the key pass
    return times[5:]  # the first ones warm up


def stroke_times(page: Page, explorer: Locator, moves: int) -> list[float]:
    """Milliseconds from each move of the pointer to the bars that take it into account."""
    pad = explorer.locator("canvas").first
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    explorer.evaluate(FOLLOW_STROKE)
    for number in range(moves):
        part = number / moves
        page.mouse.move(
            box["x"] + (0.3 + 0.4 * part) * box["width"], box["y"] + (0.2 + 0.6 * part**2) * box["height"]
        )
        time.sleep(0.016)
    page.mouse.up()
    still = "root => root.dataset.asked === root.dataset.answered"
    wait_for(lambda: explorer.evaluate(still), page, what="the last bars")
    log = page.evaluate("window.strokeLog")
    answered = dict(zip(log["asked"], log["answered"][-len(log["asked"]) :], strict=True))
    lags = []
    for move in log["moves"]:
        first = next((asked for asked in log["asked"] if asked >= move), None)
        if first is not None:
            lags.append(answered[first] - move)
    return lags


def training_times(page: Page, explorer: Locator, seconds: float) -> list[float]:
    """Milliseconds from picture to picture while the playground trains its largest network (4 × 8)."""
    explorer.scroll_into_view_if_needed()
    explorer.locator("[name=data]").select_option("spirals")
    explorer.get_by_role("button", name="Largest network").click()
    explorer.locator("[name=play]").click()
    page.wait_for_timeout(3000)  # by now a picture holds as many steps as its time allows
    times = explorer.locator(".n2t-stage svg").evaluate(PICTURE_TO_PICTURE, seconds)
    explorer.locator("[name=play]").click()
    return times


def measure(notebook: OpenNotebook, presses: int) -> list[Row]:
    """Run all measurements in an open notebook."""
    page = notebook.page
    notebook.run_all()
    find = {
        name: page.locator(f"[data-explorer={name}]")
        for name in ("neuron", "activation", "shift_digit", "draw_digit", "playground", "convolution")
    }
    for explorer in find.values():
        wait_for(lambda e=explorer: e.locator(".n2t-stage").count() == 1, page, seconds=20)
    plain = page.locator("#plain")
    plain.evaluate("e => e.firstChild.oninput = () => { e.lastChild.textContent = e.firstChild.value; }")

    def plainly() -> list[float]:
        return key_times(page, plain.locator("input"), plain.locator("p"), presses // 3)

    def to_kernel_and_back() -> list[float]:
        ask = """const kernel = panel.sessionContext.session.kernel, start = performance.now();
                 await kernel.requestCommInfo({target_name: 'nothing'});
                 return performance.now() - start;"""
        return [notebook.script(ask) for _ in range(presses // 3)]

    def by_key(name: str, slider: str, part: str) -> list[float]:
        explorer = find[name]
        return key_times(page, explorer.locator(f"[name={slider}]"), explorer.locator(part), presses)

    base = plainly()
    neuron = by_key("neuron", "w1", ".n2t-stage svg")
    activation = by_key("activation", "z", ".n2t-stage svg")
    convolution = by_key("convolution", "column", ".n2t-stage svg")
    base += plainly()
    trip = to_kernel_and_back()
    shift = by_key("shift_digit", "dx", ".n2t-stage canvas")
    trip += to_kernel_and_back()
    stroke = stroke_times(page, find["draw_digit"], presses)
    trip += to_kernel_and_back()
    pace = page.evaluate(FRAME_TO_FRAME, presses / 30)
    training = training_times(page, find["playground"], presses / 15)
    pace += page.evaluate(FRAME_TO_FRAME, presses / 30)
    plainest, shortest, frame = (statistics.median(times) for times in (base, trip, pace))
    return [
        Row("plain slider", base, plainest),
        Row("browser mode: neuron", neuron, plainest, 20),
        Row("browser mode: activation", activation, plainest, 20),
        Row("browser mode: convolution", convolution, plainest, 20),
        Row("to the kernel and back", trip, shortest),
        Row("kernel mode: shift_digit", shift, shortest, 80),
        Row("stroke to bars: draw_digit", stroke, shortest, 100),
        Row("frame to frame", pace, frame),
        Row("while training: playground", training, frame, 100),
    ]


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'':30}{'median ms':>10}{'95% ms':>10}{'target':>10}{'× plain':>10}"]
    for row in rows:
        target = "" if row.target is None else f"≤ {row.target:.0f}"
        ratio = row.median / row.plain
        lines.append(
            f"{row.name:30}{row.median:10.1f}{row.worst:10.1f}{target:>10}{ratio:10.1f}"
            + ("   missed" if row.missed else "")
        )
    return "\n".join(lines)


def main() -> int:
    """Start JupyterLab and Chromium, measure, print; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
    parser.add_argument("--presses", type=int, default=60, help="key presses a measurement (60)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder, "notebooks"), Path(folder, "home")
        root.mkdir()
        home.mkdir()
        tiny_notebook(root, "explorers.ipynb", SOURCES)
        with RealLab(root, home) as lab, sync_playwright() as playwright:
            browser = launch_browser(playwright)
            with opened(browser, lab, "explorers.ipynb") as notebook:
                rows = measure(notebook, options.presses)
            browser.close()
    print(table(rows))
    return int(options.strict and any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
