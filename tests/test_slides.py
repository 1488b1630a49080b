"""The slides without a browser: marks become a lecture, a lecture becomes files, bad input a clear error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from typer.testing import CliRunner

from utils.build import Course, new_notebook, serialise
from utils.explore.base import WORDS_END
from utils.slides import __main__ as command
from utils.slides import check, pages
from utils.slides.check import told
from utils.slides.outline import mistakes, outline
from utils.slides.pages import SlidesError, for_slides, make_slides, notes_html, slides_html, timing

STEM = "01_lines"
PNG = "iVBORw0KGgo="


def text(source: str, **mark: Any) -> NotebookNode:
    """A text cell with a mark, if one is given."""
    return nbformat.v4.new_markdown_cell(source, metadata={"slideshow": mark} if mark else {})


def code(source: str, *outputs: NotebookNode, **mark: Any) -> NotebookNode:
    """A code cell with a mark, if one is given."""
    metadata = {"slideshow": mark} if mark else {}
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def printed(words: str) -> NotebookNode:
    return nbformat.v4.new_output("stream", name="stdout", text=words)


def picture(words: str = "<Figure size 800x450 with 1 Axes>") -> NotebookNode:
    return nbformat.v4.new_output("display_data", data={"image/png": PNG, "text/plain": words})


def cells() -> list[NotebookNode]:
    """A small lesson: three sections with 2, 6 and 4 minutes."""
    live = nbformat.v4.new_output("display_data", data={"text/plain": f"[Neuron{WORDS_END}"})
    options = "<p>Which?</p><details><summary>Answer</summary><p>It's\nthe <b>second</b>.</p></details>"
    question = nbformat.v4.new_output("display_data", data={"text/html": options, "text/plain": "Which?"})
    return [
        text("# 01 · Lines\n\n**The question:** Why?", slide_type="slide", minutes=2),
        text("- a goal", slide_type="subslide"),
        code("import torch", slide_type="skip"),
        text("## 1 · One *idea*\n\n$$x < y$$", slide_type="slide", minutes=6),
        text("Said, not shown: see [lesson 00](00_start_here.ipynb).", slide_type="notes"),
        code("x = 1\nprint(x)", printed("one"), slide_type="fragment"),
        text("On the same slide."),
        code("draw()", picture(), slide_type="subslide", show="output"),
        text("**What you see.** A line that `rises`.", slide_type="notes"),
        code("first = 1\n\nsecond = 2", printed("both"), slide_type="subslide", split=[3], show="apart"),
        code("explore.neuron()", picture("Neuron: 2 of 4"), live, slide_type="subslide"),
        code('explore.predict("01.a")', question, live, slide_type="subslide", show="output"),
        text("<details><summary>Proof</summary>\n\nIt is.\n</details>", slide_type="notes"),
        text("## What to remember\n\n- it", slide_type="slide", minutes=4),
    ]


# --- marks -------------------------------------------------------------------------------------------------


def test_marks_become_sections_and_slides() -> None:
    deck = outline(cells())
    assert [section.title for section in deck.sections] == [
        "01 · Lines",
        "1 · One *idea*",
        "What to remember",
    ]
    shown = [[(p.number, p.part, p.fragment) for p in slide.pieces] for slide in deck.slides]
    assert shown == [
        [(1, "both", False)],
        [(2, "both", False)],
        [(4, "both", False), (6, "both", True), (7, "both", False)],
        [(8, "output", False)],
        [(10, "code", False)],
        [(10, "code", False)],
        [(10, "output", False)],
        [(11, "both", False)],
        [(12, "output", False)],
        [(14, "both", False)],
    ]
    assert [p.source for slide in deck.slides[4:7] for p in slide.pieces] == ["first = 1", "second = 2", ""]
    assert [len(slide.notes) for slide in deck.slides] == [0, 0, 1, 1, 0, 0, 0, 0, 1, 0]
    assert deck.minutes == 12
    assert list(mistakes(cells())) == []


def test_the_times_of_a_section_are_told() -> None:
    deck = outline(cells())
    assert [timing(deck, section) for section in deck.sections] == [
        "Section 1 of 3 · 2 minutes · 0 of 12 minutes gone",
        "Section 2 of 3 · 6 minutes · 2 of 12 minutes gone",
        "Section 3 of 3 · 4 minutes · 8 of 12 minutes gone",
    ]


def test_a_slide_without_a_heading_is_called_by_its_first_words() -> None:
    deck = outline([text("so " * 40, slide_type="slide", minutes=1), code("", slide_type="subslide")])
    assert [len(slide.title) for slide in deck.slides] == [60, len("(nothing)")]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (text("x", slide_type="slyde"), "'slyde' is none of"),
        (text("x", slide_type=["slide"]), "is none of"),
        (text("x", slide_type="slide"), "how long the section takes"),
        (text("x", slide_type="slide", minutes=True), "how long the section takes"),
        (code("x", slide_type="skip", show="code"), "code cells that are shown"),
        (code("x", slide_type="skip", split=[1]), "code that is shown"),
        (code("x", split="2"), "the cell has 1 lines"),
    ],
)
def test_a_mistake_is_named_and_stops_nothing(cell: NotebookNode, words: str) -> None:
    lesson = [text("# T", slide_type="slide", minutes=2), cell]
    found = list(mistakes(lesson))
    assert [number for number, _ in found] == [2] and words in found[0][1]
    assert outline(lesson).slides[0].pieces[0].number == 1


def test_a_mark_that_is_no_mapping_is_named() -> None:
    cell = nbformat.v4.new_markdown_cell("x", metadata={"slideshow": "slide"})
    found = list(mistakes([text("# T", slide_type="slide", minutes=2), cell]))
    assert [(number, words[:17]) for number, words in found] == [(2, "write the mark as")]


# --- pages -------------------------------------------------------------------------------------------------


def sections(html: str) -> list[str]:
    """The slides of a page."""
    return re.findall(r"<section>\s*<aside.*?</section>", html, re.DOTALL)


@pytest.fixture(scope="module")
def page() -> list[str]:
    lesson = cells()
    return sections(slides_html(new_notebook(lesson), outline(lesson)))


def test_the_page_has_the_slides_with_what_is_shown(page: list[str]) -> None:
    assert len(page) == 10
    assert "import torch" not in "".join(page)
    assert "draw()" not in page[3] and 'src="data:image/png' in page[3]
    assert "first" in page[4] and "second" in page[5] and "both" in page[6]
    assert "both" not in page[4] + page[5] and "second" not in page[6].split("course-slide")[1]
    assert page[2].count('class="fragment"') == 1 and page[2].index("fragment") < page[2].index("On the same")


def test_pictures_have_words_for_those_who_do_not_see_them(page: list[str]) -> None:
    assert 'alt="A line that rises."' in page[3]
    assert 'alt="Neuron: 2 of 4"' in page[7] and WORDS_END not in page[7]


def test_notes_stand_beside_their_slide_and_not_on_it(page: list[str]) -> None:
    notes = [slide.split("</aside>")[0] for slide in page]
    shown = [slide.split("</aside>")[1] for slide in page]
    assert "Section 2 of 3" in notes[2] and 'Said, not shown: see <a href="00_start_here.html">' in notes[2]
    assert "Said" not in "".join(shown) and "begins after" in notes[0]
    assert 'class="course-running">1 · One idea</p>' in shown[3] and "course-running" not in shown[2]


def test_the_notes_say_what_to_do_with_an_explorer_and_with_a_question(page: list[str]) -> None:
    notes = [slide.split("</aside>")[0] for slide in page]
    shown = [slide.split("</aside>")[1] for slide in page]
    assert "Show it live" in notes[7] and shown[7].count("course-still") == 1
    assert "everybody vote" in notes[8] and "It's\nthe <b>second</b>." in notes[8]
    assert "course-still" not in shown[8]
    assert "<details open" in notes[8] and '<details class="fragment">' not in notes[8]
    assert not any("vote" in note or "Show it live" in note for note in notes[:7] + notes[9:])


def test_one_empty_line_is_enough_in_code() -> None:
    lesson = [text("# T", slide_type="slide", minutes=1), code("a = 1\n\n\nb = 2", slide_type="subslide")]
    made = re.sub(r"<[^>]+>", "", slides_html(new_notebook(lesson), outline(lesson)))
    assert "a = 1\n\nb = 2" in made


def test_the_page_of_notes_has_every_slide() -> None:
    lesson = cells()
    made = notes_html(outline(lesson), pages.lesson_facts(lesson))
    assert made.count("<h3>") == 10 and made.count("<h2>") == 3 and "Said, not shown" in made
    assert "One <em>idea</em>" in made and "8 of 12 minutes gone" in made


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("[two](02_activations.ipynb#a)", "[two](02_activations.html)"),
        ("[01.outer](exercises/01_lines.ipynb) and", "01.outer and"),
        ("[above](#1-·-one)", "above"),
        ("[site](https://pytorch.org)", "[site](https://pytorch.org)"),
        ("![a](https://elsewhere.test/a.png)", "![a](https://elsewhere.test/a.png)"),
        ("<details><summary>Q</summary>", '<details class="fragment"><summary>Q</summary>'),
    ],
)
def test_links_lead_to_slides_or_nowhere(markdown: str, shown: str) -> None:
    assert for_slides(markdown) == shown


# --- the folder and the command ----------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course of one small lesson; nothing is fetched."""

    def vendor(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(pages, "write_vendor", vendor)
    course = Course(tmp_path / "course")
    source = course.source("lessons", STEM)
    source.parent.mkdir(parents=True)
    source.touch()
    store(course, cells())
    return course


def store(course: Course, lesson: list[NotebookNode]) -> None:
    course.notebook("lessons", STEM).write_text(serialise(new_notebook(lesson)), encoding="utf-8")


def run(*arguments: object) -> tuple[int, str]:
    """Call the command; its status and all it said."""
    app = command.typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_the_command_makes_slides_notes_and_an_index(course: Course, tmp_path: Path) -> None:
    out = tmp_path / "slides"
    status, said = run("--root", course.root, "--out", out)
    assert (status, "01_lines: 10 slides, 12 minutes" in said) == (0, True)
    assert {path.name for path in out.glob("*.html")} == {"index.html", f"{STEM}.html", f"{STEM}.notes.html"}
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "01 · Lines" in index and "Why?" in index and "<td>10</td><td>12</td>" in index
    (out / "left.html").touch()
    assert run("--root", course.root, "--out", out)[0] == 0 and not (out / "left.html").exists()


def test_one_lesson_leaves_the_others_alone(course: Course, tmp_path: Path) -> None:
    out = tmp_path / "slides"
    make_slides(course, out)
    (out / "other.html").touch()
    assert list(make_slides(course, out, [STEM])) == [STEM] and (out / "other.html").exists()


def test_a_folder_of_others_is_not_overwritten(course: Course, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    for out in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        status, said = run("--root", course.root, "--out", out)
        assert status == 1 and "name an empty folder" in said
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_bad_lessons_are_refused_before_anything_is_written(course: Course, tmp_path: Path) -> None:
    out = tmp_path / "slides"
    with pytest.raises(SlidesError, match=f"there is no lesson 07_nothing; there are: {STEM}"):
        make_slides(course, out, ["07_nothing"])
    wrong = cells()
    del wrong[3].metadata["slideshow"]["minutes"]
    store(course, wrong)
    with pytest.raises(SlidesError, match=r"01_lines\.py, cell 4: say how long"):
        make_slides(course, out)
    course.notebook("lessons", STEM).unlink()
    with pytest.raises(SlidesError, match="has not been built yet: make build"):
        make_slides(course, out)
    course.source("lessons", STEM).unlink()
    with pytest.raises(SlidesError, match="there are no lessons here"):
        make_slides(course, out)
    assert not out.exists()


def test_check_says_which_slide_does_not_fit(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {"title": "1 · One idea", "cell": "4", "wrong": ["9 pixels too high", "3 pixels too wide"]}
    good = {"title": "01 · Lines", "cell": "1", "wrong": []}
    lines = told([good, bad])
    assert lines == ["slide 2 (1 · One idea; cell 4): 9 pixels too high; 3 pixels too wide"]
    monkeypatch.setattr(check, "problems", lambda paths: [f"{path.stem}: {lines[0]}" for path in paths])
    status, said = run("--root", course.root, "--out", tmp_path / "slides", "--check")
    assert status == 1 and f"{STEM}: {lines[0]}" in said and "1 slide needs work" in said
    monkeypatch.setattr(check, "problems", lambda paths: [])
    assert run("--root", course.root, "--out", tmp_path / "slides", "--check")[0] == 0


def test_check_without_chromium_says_how_to_get_it(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check.shutil, "which", lambda name: None)
    status, said = run("--root", course.root, "--out", tmp_path / "slides", "--check")
    assert status == 1 and "sudo apt-get install chromium" in said
