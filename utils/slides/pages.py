"""Lessons as reveal.js slides, a page of notes for each, and an index. Nothing is executed.

nbconvert writes the slides with a template of our own; what stands on them says `utils.slides.outline`.
"""

from __future__ import annotations

import copy
import html
import re
import shutil
from pathlib import Path
from string import Template

import nbformat
from nbconvert import SlidesExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from utils.build import Course, Facts, lesson_facts, new_notebook, read_notebook, write_text
from utils.site.alive import is_live
from utils.site.pages import caption, plain
from utils.site.vendor import SiteError, package
from utils.slides.outline import Deck, Piece, Section, Slide, mistakes, outline

ASSETS = Path(__file__).parent / "assets"
OWN = ("slides.css", "slides.js", "mathjax-settings.js", "paper.css")
REVEAL, MATHJAX = ("reveal.js", "4.6.1"), ("mathjax", "3.2.2")
MARK = ".made-by-make-slides"  # in a folder that may be overwritten
VOTE = "*A question: let everybody vote before you open the answer or go on.* The answer:"
SHOW_LIVE = (
    "*An explorer: a still here. Show it live, with `make lecture`, or let everybody open the lesson.*"
)
LESSON_LINK = re.compile(r"(\d\d_\w+)\.ipynb(#.*)?")


class SlidesError(SiteError):
    """The slides cannot be made; the message says why and what to do."""


# --- one lesson --------------------------------------------------------------------------------------------


def read_deck(course: Course, stem: str) -> tuple[NotebookNode, Deck]:
    """A lesson's stored notebook and the lecture in it.

    Raises:
        SlidesError: the lesson is not built, or its marks are wrong.
    """
    path = course.notebook("lessons", stem)
    notebook = read_notebook(path)
    if notebook is None:
        raise SlidesError(f"{path} has not been built yet: make build")
    source = course.source("lessons", stem)
    if wrong := [f"{source}, cell {number}: {text}" for number, text in mistakes(notebook.cells)]:
        raise SlidesError("\n".join(wrong))
    return notebook, outline(notebook.cells)


def for_slides(markdown: str) -> str:
    """A text as slides show it: links to lessons lead to their slides, other local links are dropped, answers
    that fold out open at a key press."""

    def link(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if target.startswith(("http:", "https:")):
            return match[0]
        lesson = LESSON_LINK.fullmatch(target)
        return f"[{words}]({lesson[1]}.html)" if lesson else words

    text = re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", link, markdown)
    return text.replace("<details>", '<details class="fragment">')


def amount(minutes: float) -> str:
    """``1 minute``, ``6 minutes``, ``2.5 minutes``."""
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def timing(deck: Deck, section: Section) -> str:
    """Where in the lecture a section begins: ``Section 3 of 8 · 6 minutes · 14 of 52 minutes gone``."""
    place = next(i for i, each in enumerate(deck.sections) if each is section)
    gone = sum(each.minutes or 0 for each in deck.sections[:place])
    parts = [f"Section {place + 1} of {len(deck.sections)}", amount(section.minutes or 0)]
    return " · ".join([*parts, f"{gone:g} of {amount(deck.minutes)} gone"])


def plan(deck: Deck) -> str:
    """The sections of a lecture with their times, as a table in Markdown."""
    rows, gone = ["| begins after | takes | section |", "|---|---|---|"], 0.0
    for section in deck.sections:
        rows.append(f"| {gone:g} | {amount(section.minutes or 0)} | {section.title} |")
        gone += section.minutes or 0
    return "\n".join([*rows, f"| {gone:g} |  | the end |"])


def spoken(deck: Deck, section: Section, slide: Slide) -> str:
    """The notes of one slide, in Markdown; at a section's first slide they begin with its times."""
    first = slide is section.slides[0]
    times = [f"**{timing(deck, section)}**"] if first else []
    lesson_plan = [plan(deck)] if first and section is deck.sections[0] else []
    return for_slides("\n\n".join([*times, *said(slide), *lesson_plan]))


def said(slide: Slide) -> list[str]:
    """The notes of one slide: those of the lesson, after what to do with a question or an explorer."""
    advice = []
    for piece in slide.pieces:
        outputs = piece.cell.get("outputs", []) if piece.part != "code" else []
        if not any(is_live(output) for output in outputs):
            continue
        shown = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
        answer = re.search(r"</summary>(.*?)</details>", shown, re.DOTALL)
        advice.append(f"{VOTE} {answer[1]}" if answer else SHOW_LIVE)
    return [*advice, *(note.replace("<details>", "<details open>") for note in slide.notes)]


def show_piece(piece: Piece, alt: str) -> NotebookNode:
    """The cell of a piece, with what of it is shown. ``alt`` describes its pictures that do not do so."""
    cell = copy.deepcopy(piece.cell)
    cell.metadata, cell.source = NotebookNode(), piece.source
    if cell.cell_type == "markdown":
        cell.source = for_slides(cell.source)
        return cell
    cell.source = re.sub(r"\n{3,}", "\n\n", cell.source)  # one empty line will do where height is dear
    if piece.part == "output":
        cell.metadata.transient = {"remove_source": True}
    shown = [output for output in cell.outputs if not is_live(output)] if piece.part != "code" else []
    own = len(shown) < len(cell.outputs)  # an explorer's still says itself what it shows
    for output in shown:
        if "image/png" in output.get("data", {}):
            words = output.data.get("text/plain", "") if own else alt
            output.metadata = nbformat.from_dict({"alt": words or "figure", "still": own})
    cell.outputs = shown
    return cell


def lecture(notebook: NotebookNode, deck: Deck) -> NotebookNode:
    """The notebook that nbconvert turns into slides: the shown cells, each slide's first with its notes."""
    cells = []
    for section in deck.sections:
        for slide in section.slides:
            for piece in slide.pieces:
                cell = show_piece(piece, caption(notebook.cells, piece.number - 1))
                cell.id = f"slide-cell-{len(cells)}"
                kind = "fragment" if piece.fragment else "-"
                if piece is slide.pieces[0]:
                    kind = "slide" if slide is section.slides[0] else "subslide"
                    headed = cell.source.startswith(("# ", "## "))
                    cell.metadata.lecture = {
                        "cell": piece.number,
                        "notes": spoken(deck, section, slide),
                        "running": "" if headed else plain(section.title),
                        "title": section is deck.sections[0] and slide is section.slides[0],
                    }
                cell.metadata.slideshow = {"slide_type": kind}
                cells.append(nbformat.from_dict(cell))
    made = new_notebook(cells)
    made.metadata.title = plain(deck.sections[0].title)
    return made


def slides_html(notebook: NotebookNode, deck: Deck) -> str:
    """One lesson's slides as a page."""
    exporter = SlidesExporter(
        template_name="course",
        extra_template_basedirs=[str(ASSETS / "templates")],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    return exporter.from_notebook_node(lecture(notebook, deck))[0]


def notes_html(deck: Deck, facts: Facts) -> str:
    """One lesson's plan and notes as a page to print."""
    parts = [f"<h1>{html.escape(facts.title)}: notes</h1>", markdown2html(plan(deck))]
    count = 0
    for section in deck.sections:
        parts.append(f"<h2>{markdown_line(section.title)}</h2>\n<p class='times'>{timing(deck, section)}</p>")
        for slide in section.slides:
            count += 1
            parts.append(f"<h3><span class='number'>{count}</span> {markdown_line(slide.title)}</h3>")
            if notes := said(slide):
                parts.append(markdown2html(for_slides("\n\n".join(notes))))
    return paper(f"{plain(facts.title)}: notes", "\n".join(parts), formulas=True)


def markdown_line(text: str) -> str:
    """A line of Markdown as HTML without a paragraph around it."""
    return markdown2html(text).strip().removeprefix("<p>").removesuffix("</p>")


def paper(title: str, body: str, *, formulas: bool) -> str:
    """A page of text around ``body``."""
    scripts = ("mathjax-settings.js", "tex-svg.js") if formulas else ()
    return Template((ASSETS / "paper.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        body=body,
        scripts="\n".join(f'<script src="vendor/{name}"></script>' for name in scripts),
    )


# --- the folder --------------------------------------------------------------------------------------------


def index_html(entries: list[tuple[str, Facts, Deck]]) -> str:
    """The list of all lessons, with links to slides and notes."""
    rows = [
        f'<tr><td><a href="{stem}.html">{html.escape(facts.title)}</a>'
        f"<br>{html.escape(plain(facts.question))}</td>"
        f"<td>{len(deck.slides)}</td><td>{deck.minutes:g}</td>"
        f'<td><a href="{stem}.notes.html">notes</a></td></tr>'
        for stem, facts, deck in entries
    ]
    head = "<tr><th>lesson</th><th>slides</th><th>minutes</th><th>notes</th></tr>"
    body = (
        "<h1>Neurons to Transformers: slides</h1>\n<p>Space goes on, S opens the speaker's window, Esc shows "
        f"all slides, F fills the screen, ? lists all keys.</p>\n<table>{head}\n"
        + "\n".join(rows)
        + "\n</table>"
    )
    return paper("Neurons to Transformers: slides", body, formulas=False)


def write_vendor(folder: Path) -> None:
    """Put the scripts and styles that the pages load into ``folder``: reveal.js, MathJax and our own."""
    reveal, mathjax = package(*REVEAL), package(*MATHJAX)
    folder.mkdir(parents=True, exist_ok=True)
    for source in (
        reveal / "dist" / "reveal.css",
        reveal / "dist" / "reveal.js",
        reveal / "plugin" / "notes" / "notes.js",
        mathjax / "es5" / "tex-svg.js",
        *(ASSETS / name for name in OWN),
    ):
        shutil.copy(source, folder)


def make_slides(course: Course, out: Path, stems: list[str] | None = None) -> dict[str, Deck]:
    """Make slides and notes in ``out``: of all lessons, which replaces what was there, or of some.

    Returns:
        The lectures by stem.

    Raises:
        SlidesError: there is no such lesson, one is not built or its marks are wrong, or ``out`` holds other
            files.
    """
    known = course.stems()
    if not known:
        raise SlidesError(f"{course.notebooks}: there are no lessons here")
    for stem in stems or ():
        if stem not in known:
            raise SlidesError(f"there is no lesson {stem}; there are: {', '.join(known)}")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise SlidesError(f"{out} holds other files, which would be lost; name an empty folder with --out")
    read = {stem: read_deck(course, stem) for stem in stems or known}
    if not stems and out.exists():
        shutil.rmtree(out)
    write_vendor(out / "vendor")
    (out / MARK).touch()
    entries = []
    for stem, (notebook, deck) in read.items():
        facts = lesson_facts(notebook.cells)
        write_text(out / f"{stem}.html", slides_html(notebook, deck))
        write_text(out / f"{stem}.notes.html", notes_html(deck, facts))
        entries.append((stem, facts, deck))
    if not stems:
        write_text(out / "index.html", index_html(entries))
    return {stem: deck for stem, (_, deck) in read.items()}
