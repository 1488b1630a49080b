"""The notebooks in a real JupyterLab: they run, explorers answer, stills show without a kernel."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from needed_cells import explorer_calls, needed_cells
from playwright.sync_api import Browser, Locator, Page
from real_lab import REPOSITORY, OpenNotebook, RealLab, opened, tiny_notebook, wait_for

from utils.checks.bank import all_exercises
from utils.explore.base import WIDGET_VIEW

# A small notebook with every explorer stands beside the lessons: it tests them where no lesson does.
EVERY_EXPLORER = "every_explorer.ipynb"
SOURCES = [
    """import torch
from torch import nn
from utils import explore
from utils.data import mnist_tensors
X, y = mnist_tensors("train")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
for batch in torch.randperm(60_000)[:12_000].split(100):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(X[batch]), y[batch]).backward()
    optimizer.step()""",
    "explore.draw_digit(model)",
    "explore.shift_digit(model, X[:500], y[:500])",
    "explore.neuron()",
    "explore.activation()",
    """history = [((0, 0), -1, 0), ((1, 1), 0, 3), ((1, 1), -1, 0), ((1, 0), -2, 1), ((2, 1), -1, 3)]
explore.replay_perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1], history)""",
    "explore.playground()",
    """explore.predict("What is 1 + 1?", ["1", "2"], "2", "One and one more.")""",
    """explore.predict("What is 1 + 2?", ["3", "4"], "3", "Two and one more.")""",
    "explore.broadcast()",
    "explore.graph()",
    "explore.outlier()",
    "explore.race()",
    "explore.initialization()",
    """steps = range(50)
curves = {"too large": [2.3 * 1.2**k for k in steps], "too small": [2.3 - 0.001 * k for k in steps]}
explore.bugs(curves, {"too large": "It runs away."})""",
    "explore.convolution()",
    "explore.capacity()",
    "explore.threshold()",
    "explore.sampling()",
    """def say(word):  # stands for a model: a sound for each letter, which looks at that letter
    return [letter.upper() for letter in word], torch.eye(len(word))
explore.pronounce(say)""",
    "explore.gates()",
    "explore.attention()",
    """from utils.built.gan import Generator
explore.latent(Generator(d_z=8, channels=4), model)""",
    """x = torch.linspace(-3, 3, 61)
frames = [{"step": k, "p_model": torch.exp(-((x - k + 5) ** 2)), "discriminator": torch.sigmoid(k - x),
           "loss_d": 1.4 - 0.1 * k, "loss_g": 0.7 + 0.1 * k} for k in range(9)]
explore.contest(frames, x, torch.exp(-(x**2)))""",
]
EXPLORERS = {
    "draw_digit",
    "shift_digit",
    "neuron",
    "activation",
    "replay",
    "playground",
    "predict",
    "broadcast",
    "graph",
    "outlier",
    "race",
    "initialization",
    "bugs",
    "convolution",
    "capacity",
    "threshold",
    "gates",
    "attention",
    "sampling",
    "pronounce",
    "latent",
    "contest",
}
# Controls that change no picture by themselves: explorer and name.
SILENT = {("replay", "speed"), ("contest", "speed")}  # how fast Play goes
LESSONS = [path.name for path in sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb"))]
NOTEBOOKS = [EVERY_EXPLORER, *LESSONS]
WHOLE = {EVERY_EXPLORER, LESSONS[0], LESSONS[3]}  # run as a learner does; of others, what explorers need
EXERCISES = [
    f"exercises/{path.name}" for path in sorted((REPOSITORY / "notebooks/exercises").glob("*.ipynb"))
]
PRACTICE = "practice.ipynb"
TYPED = [PRACTICE, *EXERCISES[::3]]  # answered by keyboard here; nbval runs all sets and solutions


@pytest.fixture(scope="session")
def notebooks(lab: RealLab) -> Path:
    """The server's root, with the notebook of every explorer (not yet run) and one of a single exercise."""
    tiny_notebook(lab.root, EVERY_EXPLORER, SOURCES)
    stub = 'def neuron(x, w, b):\n    raise NotImplementedError("write neuron")'
    practice = tiny_notebook(
        lab.root,
        PRACTICE,
        ["import torch\nfrom utils.checks import check", stub, 'check("01.neuron", neuron)'],
    )
    cells = nbformat.read(practice, as_version=4)
    cells.cells[1].id, cells.cells[2].id = "01-neuron-work", "01-neuron-check"
    nbformat.write(cells, practice)
    return lab.root


@pytest.fixture(scope="module", params=NOTEBOOKS)
def executed(request: pytest.FixtureRequest, notebooks: Path) -> str:
    """Each notebook's name; it has run and stored its outputs, as lessons have when they are handed out."""
    path = notebooks / request.param
    if request.param == EVERY_EXPLORER:
        notebook = nbformat.read(path, as_version=4)
        place = {"metadata": {"path": str(notebooks)}}
        NotebookClient(notebook, resources=place, store_widget_state=False).execute()
        nbformat.write(notebook, path)
    return request.param


@pytest.fixture(scope="module")
def running(
    executed: str,
    notebooks: Path,
    chromium: Browser,
    lab: RealLab,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OpenNotebook]:
    """Each notebook: looked at before it runs, and run.

    nbval runs the lessons whole. Here some are looked at without a kernel as well, opened again, and run by
    "Run all cells", as learners do; of the others those cells run that their explorers need.
    """
    path, missing = executed, ""
    if "PYTEST_XDIST_WORKER" in os.environ:  # two workers that run the same notebook cost minutes
        (tmp_path_factory.getbasetemp().parent / f"opened_{path}").touch(exist_ok=False)

    def look(notebook: OpenNotebook, when: str) -> str:
        try:
            check_stills(notebook.page, notebook.page.locator(".jp-OutputArea"), notebooks / path)
        except AssertionError as error:
            return f"{when}: {error}; "
        return ""

    if path in WHOLE:
        with opened(chromium, lab, path, kernel=False) as notebook:
            assert notebook.script("return panel.sessionContext.session === null;")
            missing = look(notebook, "without a kernel")
            # Without a session the manager of widgets looks for its kernel in vain; nothing is seen of that.
            errors = [error for error in notebook.page_errors if "jupyterlab-manager" not in error]
            missing += "".join(f"without a kernel: {error}; " for error in errors)
    with opened(chromium, lab, path) as notebook:
        notebook.missing = missing + look(notebook, "before it runs")
        stored = nbformat.read(notebooks / path, as_version=4)
        calls = explorer_calls(stored)
        notebook.awaited = sum(calls.values())
        if path in WHOLE:
            notebook.run_all()
        else:
            for place in needed_cells(stored, calls):
                notebook.run_cell(place)
                if place in calls:  # one after the other: each has two seconds to come up in
                    explorers(notebook)
        yield notebook


# ------------------------------------------------------------------ helpers
def explorers(notebook: OpenNotebook) -> list[Locator]:
    """The live explorers of a notebook, once each has drawn."""
    words = notebook.outputs(f"output => output.data?.['{WIDGET_VIEW}'] && `${{output.data['text/plain']}}`")
    wanted = sum(not is_progress_bar(view) for view in words)
    found = notebook.page.locator("[data-explorer].n2t-live")
    wait_for(lambda: found.count() >= wanted, notebook.page, seconds=20, what=f"{wanted} live explorers")
    return found.all()


def is_progress_bar(words: str) -> bool:
    """Whether a widget's text is that of tqdm's bar, such as ``0%|   | 0/940 [00:00<?, ?step/s]``."""
    return re.match(r"\s*\d+%\|.*\| \d+/\d+ \[", words.strip("[]'")) is not None


# All that one sees of an explorer but its controls, in few letters: two of them differ if the picture does.
# The picture itself, some hundred thousand letters, stays in the page.
PICTURE = """async root => {
    const parts = root.querySelectorAll('.n2t-stage, .n2t-say, .n2t-result, .n2t-options');
    const marked = [...root.querySelectorAll('input')].map(input => input.disabled);
    const all = [...parts].map(part => part.innerHTML +
        [...part.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())).join() + marked;
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(all));
    return [...new Uint8Array(digest)].join();
}"""


def seen(explorer: Locator) -> str:
    """What is seen of an explorer now."""
    return explorer.evaluate(PICTURE)


def at_rest(explorer: Locator) -> str:
    """What is seen once nothing moves any more."""
    picture = explorer.evaluate(
        f"""async root => {{
            const picture = {PICTURE};
            let before = "";
            for (let attempt = 0; attempt < 100; attempt += 1) {{
                const now = await picture(root);
                if (now === before) return now;
                before = now;
                await new Promise(done => setTimeout(done, 120));
            }}
        }}"""
    )
    assert picture, "the explorer never comes to rest"
    return picture


def focused(control: Locator) -> bool:
    return control.evaluate("element => element === document.activeElement")


def errors_shown(page: Page) -> list[str]:
    return page.locator(".n2t-error:visible").all_inner_texts()


def press_to_move(control: Locator) -> None:
    """Move a control by the key that a learner would use."""
    kind = control.evaluate("element => element.type")
    if kind == "range":
        at_end = control.evaluate("element => element.value === element.max")
        control.press("ArrowLeft" if at_end else "ArrowRight")
    elif kind == "select-one":
        at_end = control.evaluate("element => element.selectedIndex === element.options.length - 1")
        control.press("ArrowUp" if at_end else "ArrowDown")
    elif kind == "radio":
        control.press("ArrowDown")
    elif kind == "text":  # a digit at the end: another size, another power
        control.press("End")
        control.press("3")
    else:
        control.press("Space")


def on_pad(pad: Locator, points: list[tuple[float, float]]) -> None:
    """Draw one stroke with the mouse through points in parts of the pad's side."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    mouse = pad.page.mouse
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=6)
    mouse.up()


def touch(pad: Locator, points: list[tuple[float, float]]) -> None:
    """Draw one stroke with a finger through points in parts of the pad's side."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    session = pad.page.context.new_cdp_session(pad.page)
    for number, (x, y) in enumerate(points):
        place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def words_of(text: str) -> str:
    """Letters and figures only: marks such as backticks and line ends differ between source and page."""
    return re.sub(r"\W+", " ", text).strip()


# ------------------------------------------------------------------ a notebook that runs
def test_before_it_runs_without_and_with_a_kernel_every_still_shows(running: OpenNotebook):
    assert running.missing == ""


def test_it_runs_through_without_an_error(running: OpenNotebook):
    alive = explorers(running)
    assert running.problems() == []
    assert len(alive) == running.awaited > 0
    assert errors_shown(running.page) == []


def test_every_explorer_is_in_the_notebook_of_them_all(running: OpenNotebook):
    if running.path != EVERY_EXPLORER:
        pytest.skip("only where all of them are")
    assert {e.get_attribute("data-explorer") for e in explorers(running)} == EXPLORERS


def test_a_still_is_hidden_while_its_explorer_lives(running: OpenNotebook):
    for explorer in explorers(running):
        still = explorer.locator(
            "xpath=ancestor::*[contains(@class, 'jp-OutputArea-child')]/preceding-sibling::*[1]"
        )
        assert still.count() == 1 and not still.is_visible()


def test_every_control_moves_by_keyboard_and_keeps_the_focus(running: OpenNotebook):
    for explorer in explorers(running):
        name = explorer.get_attribute("data-explorer")
        explorer.scroll_into_view_if_needed()
        groups = set()
        for control in explorer.locator("input, select").all():
            group = control.get_attribute("type") == "radio" and control.get_attribute("name")
            if not control.is_enabled() or group in groups:  # of radio buttons, one moves them all
                continue
            if group:
                groups.add(group)
            own_name = re.sub(
                r"^n2t-[a-z0-9]+-", "", control.get_attribute("name")
            )  # radio buttons' is unique
            what = f"{name}: {own_name}"
            control.focus()
            before = at_rest(explorer)
            checked = explorer.locator("input:checked").count()
            press_to_move(control)
            if name == "predict":  # a choice shows in its radio button; the picture comes when it is revealed
                assert explorer.locator("input:checked").count() >= checked
            elif (name, own_name) not in SILENT:
                wait_for(
                    lambda b=before, e=explorer: seen(e) != b,
                    running.page,
                    what=f"{what} changes the picture",
                )
            kept = control.get_attribute("type") == "radio" or focused(control)
            assert kept, f"{what} lost the focus"
            within = explorer.evaluate("root => root.contains(document.activeElement)")
            assert within, f"the focus left the explorer after {what}"
    assert running.problems() == [] and errors_shown(running.page) == []


def test_every_button_is_pressed_by_keyboard_and_keeps_the_focus(running: OpenNotebook):
    for explorer in explorers(running):
        name = explorer.get_attribute("data-explorer")
        for button in explorer.locator("button").all():
            if not button.is_enabled() or button.get_attribute("aria-disabled") == "true":
                continue
            button.focus()
            button.press("Enter")
            if button.inner_text() == "Pause":  # it goes on for long
                button.press("Enter")
            at_rest(explorer)
            within = explorer.evaluate("root => root.contains(document.activeElement)")
            assert within, f"{name}: the focus left the explorer after {button.inner_text()!r}"
    assert running.problems() == [] and errors_shown(running.page) == []


def test_reset_brings_the_first_picture_back(running: OpenNotebook):
    for explorer in explorers(running):
        reset, slider = explorer.locator("button[name=reset]"), explorer.locator("input[type=range]").first
        if not reset.count() or not slider.count():
            continue
        reset.press("Enter")
        first = at_rest(explorer)
        slider.focus()
        press_to_move(slider)
        wait_for(lambda f=first, e=explorer: seen(e) != f, running.page)
        reset.press("Enter")
        name = explorer.get_attribute("data-explorer")
        wait_for(
            lambda f=first, e=explorer: seen(e) == f, running.page, what=f"{name}: the first picture again"
        )


def test_explorers_on_one_page_share_no_names(running: OpenNotebook):
    if running.path != EVERY_EXPLORER:
        pytest.skip("only where all of them are")
    explorers(running)
    groups: list[set[str]] = running.page.locator("[data-explorer]").evaluate_all(
        """roots => roots.map(root => [
            ...[...root.querySelectorAll('input[type=radio]')].map(input => input.name),
            ...[...root.querySelectorAll('[id]')].map(element => element.id)])"""
    )
    names = [name for group in groups for name in set(group)]
    assert names and len(names) == len(set(names))


def test_no_picture_changes_its_height(running: OpenNotebook):
    for explorer in explorers(running):
        stage = explorer.locator(".n2t-stage")
        sliders = explorer.locator("input[type=range]").all()
        heights = set()
        for slider in sliders:
            for end in ("Home", "End"):
                slider.press(end)
                at_rest(explorer)
                heights.add(round(stage.bounding_box()["height"]))
        assert len(heights) <= 1, f"{explorer.get_attribute('data-explorer')}: {heights}"


def test_drawing_changes_the_prediction(running: OpenNotebook):
    pads = running.page.locator("[data-explorer=draw_digit]")
    if not pads.count():
        pytest.skip("no pad in this notebook")
    pad = pads.first
    pad.locator("button[name=reset]").press("Enter")
    wait_for(lambda: pad.locator(".dd-verdict").inner_text() == "?", running.page, what="an empty pad")
    one = [(0.52, 0.15), (0.48, 0.85)]
    on_pad(pad.locator(".dd-pad"), one)
    wait_for(
        lambda: pad.locator(".dd-verdict").inner_text() == "1", running.page, what="a stroke is read as 1"
    )
    before = at_rest(pad)
    on_pad(pad.locator(".dd-pad"), [(0.22, 0.16), (0.52, 0.15)])
    wait_for(lambda: seen(pad) != before, running.page)
    assert pad.locator(".dd-bars").get_attribute("aria-label").count("%") == 10
    pad.locator("button[name=clear]").press("Enter")
    wait_for(lambda: pad.locator(".dd-verdict").inner_text() == "?", running.page, what="an empty pad")
    assert "Draw a digit" in pad.locator(".n2t-say").inner_text()


def test_the_dark_theme_shows_it_too(running: OpenNotebook):
    """With N2T_SCREENSHOTS=folder in the environment each explorer is pictured there, to be looked at."""
    running.theme("JupyterLab Dark")
    folder = os.environ.get("N2T_SCREENSHOTS")
    for number, explorer in enumerate(explorers(running)):
        explorer.scroll_into_view_if_needed()
        ground = explorer.locator(".n2t-stage")
        if ground.count():
            assert ground.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
        if folder:
            running.page.screenshot(path=Path(folder) / f"{Path(running.path).stem}_{number}.png")
    assert running.problems() == []


# ------------------------------------------------------------------ the pad and the kernel, closely
def test_the_pad_draws_moves_and_takes_back(notebooks: Path, chromium: Browser, lab: RealLab):
    with opened(chromium, lab, EVERY_EXPLORER) as notebook:
        for index in (0, 1):
            notebook.run_cell(index)
        pad = notebook.page.locator("[data-explorer=draw_digit]")
        canvas, say = pad.locator(".dd-pad"), pad.locator(".n2t-say")
        pad.locator("select").select_option("4")
        wait_for(
            lambda: "says 4" in say.inner_text(), notebook.page, what="the 4 drawn for the learner is read"
        )
        at_rest(pad)
        assert pad.locator(".dd-verdict").inner_text() == "4"

        centred = pad.locator(".dd-seen").evaluate("c => c.toDataURL()")
        canvas.focus()
        canvas.press("ArrowRight")
        at_rest(pad)
        assert pad.locator(".dd-seen").evaluate("c => c.toDataURL()") == centred, "centred, a move is undone"
        pad.locator("[name=centre]").press("Space")
        wait_for(
            lambda: "Moved 1 right" in say.inner_text(), notebook.page, what="uncentred, the move counts"
        )
        for _ in range(2):
            canvas.press("ArrowDown")
        wait_for(lambda: "Moved 1 right and 2 down" in say.inner_text(), notebook.page)
        assert focused(canvas)

        touch(canvas, [(0.1, 0.1), (0.15, 0.12), (0.2, 0.1)])
        wait_for(lambda: "Moved" not in say.inner_text(), notebook.page, what="a stroke by finger is added")
        assert pad.locator("select").input_value() == "", "added to, it is the learner's own drawing"
        seen = pad.locator(".dd-seen")
        wait_for(
            lambda: seen.evaluate("c => c.getContext('2d').getImageData(4, 3, 1, 1).data[0]") < 128,
            notebook.page,
            what="the stroke is seen",
        )

        canvas.press("Control+z")
        at_rest(pad)
        assert (
            pad.locator(".dd-seen").evaluate("c => c.getContext('2d').getImageData(4, 3, 1, 1).data[0]")
            == 255
        )
        canvas.press("Delete")
        wait_for(lambda: pad.locator(".dd-verdict").inner_text() == "?", notebook.page)
        assert notebook.problems() == []


def test_a_later_error_is_told_in_the_explorer_and_the_next_move_answered(
    notebooks: Path, chromium: Browser, lab: RealLab
):
    with opened(chromium, lab, EVERY_EXPLORER) as notebook:
        notebook.run_cell(0)
        notebook.run_cell(2)
        explorer = notebook.page.locator("[data-explorer=shift_digit]")
        slider = explorer.locator("[name=dx]")
        notebook.run_cell(6, "model.forward = lambda x: 1 / 0")
        slider.press("ArrowRight")
        shown = explorer.locator(".n2t-error")
        wait_for(shown.is_visible, notebook.page, what="the error is shown")
        assert "ZeroDivisionError" in shown.inner_text()
        notebook.run_cell(6, "del model.forward")
        before = seen(explorer)
        slider.press("ArrowRight")
        wait_for(lambda: seen(explorer) != before and not shown.is_visible(), notebook.page)
        assert notebook.problems() == []


def test_an_explorer_says_when_the_kernel_does_not_answer(notebooks: Path, chromium: Browser, lab: RealLab):
    with opened(chromium, lab, EVERY_EXPLORER) as notebook:
        notebook.keep_page = False  # JupyterLab will tell of the dead kernel in a dialog, sooner or later
        notebook.run_cell(0)
        notebook.run_cell(2)
        explorer = notebook.page.locator("[data-explorer=shift_digit]")
        code = "import os; os._exit(0)"
        notebook.script(
            "await panel.sessionContext.session.kernel.requestExecute({code: argument}, true);", code
        )
        explorer.locator("[name=dx]").press("ArrowRight")
        say = explorer.locator(".n2t-say")
        wait_for(lambda: "Waiting for Python" in say.inner_text(), notebook.page, seconds=15)


# ------------------------------------------------------------------ exercises
@pytest.mark.parametrize("path", TYPED)
def test_a_wrong_answer_shows_its_hint_and_the_right_one_passes(
    notebooks: Path, chromium: Browser, lab: RealLab, path: str
):
    cells = nbformat.read(notebooks / path, as_version=4).cells
    ids = [cell.id for cell in cells]
    exercise = next(
        e for e in all_exercises().values() if e.misconceptions and f"{e.id.replace('.', '-')}-work" in ids
    )
    work, check = (ids.index(f"{exercise.id.replace('.', '-')}-{part}") for part in ("work", "check"))
    solution = exercise.alternatives[0]
    solved = notebooks / path.replace("exercises/", "solutions/")
    if path != PRACTICE and solved.exists():
        solution = next(c.source for c in nbformat.read(solved, as_version=4).cells if c.id == ids[work])

    with opened(chromium, lab, path) as notebook:

        def answer(code: str) -> str:
            type_into(notebook, work, code)
            notebook.run_cell(work)
            notebook.run_cell(check)
            output = notebook.page.locator(".jp-Notebook .jp-Cell").nth(check).locator(".jp-Cell-outputArea")
            return words_of(output.inner_text())

        notebook.run_cell(next(i for i, c in enumerate(cells) if c.cell_type == "code"))
        notebook.run_cell(work)
        notebook.run_cell(check)
        wrong = exercise.misconceptions[0]
        told = answer(wrong.code)
        assert words_of(wrong.hint) in told
        told = answer(solution)
        assert words_of(wrong.hint) not in told and "passed" in told.lower()


def type_into(notebook: OpenNotebook, index: int, code: str) -> None:
    """Replace the text of a cell by the keyboard."""
    notebook.script(
        """panel.content.deselectAll(); panel.content.activeCellIndex = argument;
           panel.content.mode = 'edit'; panel.content.activeCell.editor.focus();""",
        index,
    )
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.insert_text(code)
    assert notebook.sources()[index].strip() == code.strip()


# ------------------------------------------------------------------ without a kernel
def stills_of(path: Path) -> tuple[int, int]:
    """How many pictures and how many folded answers a notebook has stored."""
    pictures = folded = 0
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            data: dict[str, Any] = output.get("data", {})
            pictures += "image/png" in data
            folded += "<details" in str(data.get("text/html", ""))
    return pictures, folded


def all_pictures(page: Page, outputs: Locator, path: Path) -> Locator:
    """The stored pictures of a notebook, once they all are on the page."""
    pictures, _ = stills_of(path)
    images = outputs.locator("img[src^='data:image/png']")
    # JupyterLab puts the cells of a long notebook on the page little by little, when it is idle: ask seldom
    wait_for(
        lambda: images.count() == pictures, page, seconds=90, every=200, what=f"{pictures} stored pictures"
    )
    return images


def check_stills(page: Page, outputs: Locator, path: Path) -> None:
    """Every stored picture is seen, and every folded answer unfolds."""
    images = all_pictures(page, outputs, path)
    unseen = images.evaluate_all(
        """async images => {
            const problems = [];
            for (const [number, image] of images.entries()) {
                image.scrollIntoView({block: 'center'});  // JupyterLab skips what is far away
                const end = performance.now() + 5000;
                let problem;
                do {
                    await new Promise(done => setTimeout(done, 20));
                    const box = image.getBoundingClientRect();
                    problem = !(image.complete && image.naturalWidth > 0) ? 'is not there'
                        : !image.checkVisibility({visibilityProperty: true}) || !box.height ? 'is not seen'
                        : box.width <= 100 ? 'is tiny' : '';
                } while (problem && performance.now() < end);
                if (problem) problems.push(`picture ${number + 1} ${problem}`);
            }
            return problems;
        }"""
    )
    assert unseen == []
    details = outputs.locator("details")
    folded = stills_of(path)[1]  # they come on the page as the pictures do, little by little
    wait_for(lambda: details.count() == folded, page, seconds=90, every=200, what=f"{folded} folded answers")
    for one in details.all():
        one.evaluate("e => e.scrollIntoView({block: 'center'})")
        assert not one.locator("p").first.is_visible(), "the answer is folded"
        one.locator("summary").click()
        assert one.locator("p").first.is_visible()


def test_its_html_without_network_shows_every_still(
    executed: str, notebooks: Path, chromium: Browser, tmp_path: Path
):
    if executed == EVERY_EXPLORER:
        assert stills_of(notebooks / executed) == (len(EXPLORERS) - 1, 2)
        assert "widgets" not in json.loads((notebooks / executed).read_text())["metadata"]
    exported, _ = HTMLExporter().from_filename(str(notebooks / executed))
    html = (tmp_path / executed).with_suffix(".html")
    html.write_text(exported)
    context = chromium.new_context()
    page = context.new_page()
    page.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort()
    )
    try:
        page.goto(html.as_uri(), wait_until="domcontentloaded")
        check_stills(page, page.locator(".jp-OutputArea"), notebooks / executed)
    finally:
        context.close()
