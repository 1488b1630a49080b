"""The slides in a real browser: every slide fits, keys go on in order, no host is asked for anything.

The slides are made once and each lesson's file is opened once, from disk; the tests look at what was found
there. The last test shows a lesson live, in JupyterLab's slide show, where explorers answer.
"""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page
from real_lab import OpenNotebook, RealLab, opened, wait_for

from utils.build import Course
from utils.slides.check import SIZE, measured, told
from utils.slides.outline import Deck, outline
from utils.slides.pages import make_slides, read_deck, slides_html, timing

STEMS = Course().stems()
ONE = "04_mlp"  # looked at closely
LIVE = "01_perceptron"  # its first explorer needs no cell but the imports


@pytest.fixture(scope="session")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slides of this checkout."""
    folder = tmp_path_factory.mktemp("slides") / "html"
    make_slides(Course(), folder)
    return folder


@dataclass
class Visit:
    """What was found in one file."""

    slides: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    formulas: int = 0


def watch(page: Page, folder: Path, found: Visit) -> None:
    """Note down what a page complains of, and every request for what is not in its folder."""
    near = (folder.as_uri(), "data:", "blob:", "about:")
    page.on("request", lambda r: None if r.url.startswith(near) else found.elsewhere.append(r.url))
    page.on("requestfailed", lambda r: found.problems.append(f"not there: {r.url}"))
    page.on("pageerror", lambda error: found.problems.append(str(error)))
    page.on("console", lambda m: found.problems.append(m.text) if m.type in ("error", "warning") else None)


def visit(chromium: Browser, path: Path) -> Visit:
    """Open a file of slides and measure them."""
    found, page = Visit(), chromium.new_page(viewport=SIZE)
    watch(page, path.parent, found)
    page.goto(path.as_uri())
    found.slides = measured(page)
    found.formulas = page.locator("mjx-container").count()
    page.close()
    return found


@pytest.fixture(scope="session")
def visits(chromium: Browser, slides: Path) -> Callable[[str], Visit]:
    """Visit a lesson's slides, or remember what was found there."""
    return functools.cache(lambda stem: visit(chromium, slides / f"{stem}.html"))


@pytest.fixture
def show(chromium: Browser, slides: Path) -> Iterator[Page]:
    """The slides of one lesson, which may not complain."""
    found, page = Visit(), chromium.new_page(viewport=SIZE)
    watch(page, slides, found)
    page.goto((slides / f"{ONE}.html").as_uri())
    page.evaluate("course.started")
    yield page
    page.close()
    assert (found.problems, found.elsewhere) == ([], [])


@pytest.fixture(scope="session")
def deck() -> Deck:
    """The lecture in that lesson."""
    return read_deck(Course(), ONE)[1]


# ------------------------------------------------------------------ every lesson
@pytest.mark.parametrize("stem", STEMS)
def test_every_slide_fits(visits: Callable[[str], Visit], stem: str):
    assert told(visits(stem).slides) == []
    assert len(visits(stem).slides) == len(read_deck(Course(), stem)[1].slides)


@pytest.mark.parametrize("stem", STEMS)
def test_slides_open_from_disk_without_an_error_or_a_request(visits: Callable[[str], Visit], stem: str):
    found = visits(stem)
    assert (found.problems, found.elsewhere) == ([], [])
    assert found.formulas > 0


def handmade(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    """Write slides with one slide for each of these cells."""
    for place, cell in enumerate(cells):
        first = {"slide_type": "slide", "minutes": 1} if place == 0 else {"slide_type": "subslide"}
        cell.metadata = nbformat.from_dict({"slideshow": first})
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    path = folder / "handmade.html"
    path.write_text(slides_html(notebook, outline(cells)), encoding="utf-8")
    return path


def test_a_slide_that_does_not_fit_is_found(slides: Path, chromium: Browser, tmp_path: Path):
    shutil.copytree(slides / "vendor", tmp_path / "vendor")
    text, code, stream = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell, nbformat.v4.new_output
    answer = "<details><summary>Why?</summary>\n\n" + "So it is. " * 900 + "\n</details>"
    path = handmade(
        tmp_path,
        text("# Fits"),
        text("words " * 1500),
        code("x = 1\n" * 40),
        code("x = " + "1 + " * 60 + "1"),
        text(answer),
        text("$$" + "x + " * 120 + "x$$"),
        text('<p style="font-size: 12px">small</p>'),
        text(r"$\nonsense$ and $\frac{1$"),
        code("x", outputs=[stream("stream", name="stdout", text="word " * 300)]),
        text("[elsewhere](https://elsewhere.test/) and $x$"),
        text('<img alt="" src="https://elsewhere.test/picture.png">'),
    )
    found = visit(chromium, path)
    wrong = {int(line.split()[1]): line for line in told(found.slides)}
    assert set(wrong) == {2, 3, 5, 6, 7, 8, 11}  # in the fourth and the ninth the long line is broken
    assert all("too high" in wrong[number] for number in (2, 3, 5))
    assert "too wide" in wrong[6]
    assert "text of 12 pixels, 18 are the least" in wrong[7] and "not typeset" in wrong[8]
    assert "cannot be loaded" in wrong[11] and set(found.elsewhere) == {"https://elsewhere.test/picture.png"}


# ------------------------------------------------------------------ going on
STATE = """() => {
  const slide = Reveal.getCurrentSlide();
  const seen = [...slide.querySelectorAll(".fragment")].filter((part) => part.matches(".visible")).length;
  return [Number(slide.querySelector(".course-slide").dataset.cell), seen];
}"""


GO = """(selector) => {
  const { h, v } = Reveal.getIndices(document.querySelector(selector).closest("section"));
  Reveal.slide(h, v);
}"""


def test_the_space_bar_goes_through_all_slides_and_fragments_in_order(show: Page, deck: Deck):
    expected = []
    for slide in deck.slides:
        first = slide.pieces[0].number
        answers = sum(
            p.cell.source.count("<details>") for p in slide.pieces if p.cell.cell_type == "markdown"
        )
        expected += [[first, n] for n in range(sum(p.fragment for p in slide.pieces) + answers + 1)]
    seen = [show.evaluate(STATE)]
    for _ in expected[1:]:
        show.keyboard.press("Space")
        seen.append(show.evaluate(STATE))
    assert seen == expected and len(deck.slides) > 30
    show.keyboard.press("Space")
    assert show.evaluate(STATE) == expected[-1]


def test_a_fragment_keeps_its_place(show: Page):
    show.evaluate(GO, ".fragment:not(details)")
    part = show.locator("section.present .fragment").first
    assert not part.is_visible()
    before = part.bounding_box()
    show.keyboard.press("Space")
    assert part.is_visible() and part.bounding_box() == before


def test_answers_open_one_after_the_other_and_by_a_click(show: Page):
    show.evaluate(GO, "details.fragment")
    answers = show.locator("section.present details")
    opened_ones = lambda: answers.evaluate_all("all => all.map((answer) => answer.open)")  # noqa: E731
    count = answers.count()
    assert opened_ones() == [False] * count and count >= 3
    for number in range(count):
        show.keyboard.press("Space")
        assert opened_ones() == [place == number for place in range(count)]
    for _ in range(count):
        show.keyboard.press("Shift+Space")
    assert opened_ones() == [False] * count
    for number in (1, 0):
        answers.nth(number).locator("summary").click()
        assert opened_ones() == [place == number for place in range(count)]


# ------------------------------------------------------------------ notes
def test_notes_tell_the_time_at_every_section(show: Page, deck: Deck):
    notes = show.evaluate("Reveal.getSlides().map((slide) => Reveal.getSlideNotes(slide) || '')")
    begun = [re.sub(r"<[^>]+>", "", note).strip().splitlines()[:1] for note in notes if "Section" in note]
    assert begun == [[timing(deck, section)] for section in deck.sections]
    assert "begins after" in notes[0]  # the plan of the lesson
    assert sum(map(bool, (slide.notes for slide in deck.slides))) > 10


def test_the_speaker_sees_notes_and_the_next_slide(show: Page, deck: Deck):
    with show.expect_popup() as popup:
        show.keyboard.press("s")
    speaker = popup.value
    speaker.set_default_timeout(20_000)
    words = speaker.locator(".speaker-controls-notes .value")
    wait_for(lambda: timing(deck, deck.sections[0]) in words.inner_text(), speaker, seconds=20)
    frames = [frame for frame in speaker.frames if ONE in frame.url]
    assert len(frames) == 2
    speaker.close()


@pytest.mark.parametrize("name", ["index.html", f"{ONE}.notes.html"])
def test_index_and_notes_are_pages_of_their_own(chromium: Browser, slides: Path, deck: Deck, name: str):
    found, page = Visit(), chromium.new_page(viewport=SIZE)
    watch(page, slides, found)
    page.goto((slides / name).as_uri())
    if name == "index.html":
        links = page.locator("a").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
        assert links == [f"{stem}{end}" for stem in STEMS for end in (".html", ".notes.html")]
        assert all((slides / link).exists() for link in links)
        assert f"{deck.minutes:g}" in page.locator(f"tr:has(a[href='{ONE}.html'])").inner_text()
    else:
        page.wait_for_selector("mjx-container", state="attached")
        assert page.locator(".times").all_inner_texts() == [timing(deck, each) for each in deck.sections]
        assert page.locator("h3").count() == len(deck.slides)
    page.close()
    assert (found.problems, found.elsewhere) == ([], [])


# ------------------------------------------------------------------ live
ON_SCREEN = """return panel.content.widgets.flatMap(
    (cell, place) => cell.hasClass('jp-deck-mod-onscreen') ? [place] : []);"""


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[RealLab]:
    """A JupyterLab for the show alone: it remembers that one was on, and begins the next notebook in it."""
    root, home = tmp_path / "notebooks", tmp_path / "home"
    for folder in (root, home):
        folder.mkdir()
    shutil.copy(Course().notebook("lessons", LIVE), root)
    with RealLab(root, home) as server:
        yield server


def on_screen(notebook: OpenNotebook) -> list[int]:
    """The places of the cells that the show shows."""
    return notebook.script(ON_SCREEN)


def test_live_in_jupyterlab_next_next_and_a_slider_moves_the_picture(chromium: Browser, own_lab: RealLab):
    deck = read_deck(Course(), LIVE)[1]
    steps = [[p.number - 1 for p in slide.pieces] for slide in deck.slides]
    with opened(chromium, own_lab, f"{LIVE}.ipynb") as notebook:
        notebook.keep_page = False
        sources, page = notebook.sources(), notebook.page
        imports = next(i for i, source in enumerate(sources) if "import torch" in source)
        place = next(i for i, source in enumerate(sources) if source.startswith("explore.neuron("))
        for each in (imports, place):
            notebook.run_cell(each)
        notebook.script("panel.content.activeCellIndex = 0;")
        page.locator("[data-jp-item-name=deck]").click()
        wait_for(lambda: on_screen(notebook) == steps[0], page, what="the title is shown alone", seconds=20)
        for step in steps[1:3]:
            page.keyboard.press("Space")
            wait_for(lambda s=step: on_screen(notebook)[:1] == s[:1], page, what=f"slide with cells {step}")
        for _ in range(200):
            if place in on_screen(notebook):
                break
            before = notebook.script("return panel.content.activeCellIndex;"), on_screen(notebook)
            page.keyboard.press("Space")
            wait_for(
                lambda b=before: (
                    b != (notebook.script("return panel.content.activeCellIndex;"), on_screen(notebook))
                ),
                page,
                what="the space bar goes on",
            )
        explorer = page.locator("[data-explorer=neuron]")
        slider, stage = explorer.locator("input[type=range]").first, explorer.locator(".n2t-stage")
        assert slider.is_visible() and stage.is_visible()
        picture, value = stage.inner_html(), slider.input_value()
        slider.press("ArrowRight")
        wait_for(lambda: stage.inner_html() != picture, page, what="the picture changes")
        assert slider.input_value() != value and place in on_screen(notebook)
        page.locator(".jp-Deck-Remote button[class*=forward]:not(.jp-mod-disabled)").click()
        wait_for(lambda: place not in on_screen(notebook), page, what="the remote goes on from a slider")
        assert notebook.problems() == []
