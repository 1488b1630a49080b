"""Notebooks as the sources of pages: captions as alternative text, downloads, explorers that live.

The stored outputs are used as they are; nothing is executed.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.build import Course, Facts, lesson_facts, load_exercises, read_notebook, write_text
from utils.site.alive import Alive, explorers, is_live
from utils.site.vendor import SiteError

CAPTION = "**What you see.**"


@dataclass
class Source:
    """What Sphinx is given: a folder of pages, and the scripts of the explorers that live in them."""

    folder: Path
    scripts: dict[str, str] = field(default_factory=dict)

    def add(self, alive: Alive) -> None:
        """Keep an explorer's script; those of one kind share it."""
        self.scripts.setdefault(alive.file, alive.script())


def plain(markdown: str) -> str:
    """Markdown as a sentence to be read aloud: without marks and in one line."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\*\*|[*`$]", "", text)
    text = re.sub(r"\\(?:[,;!]|quad|,)", " ", text)
    return " ".join(text.replace("\\", "").split())


def caption(cells: list[NotebookNode], number: int) -> str:
    """What the text below a cell says is seen in its picture; empty where there is no such text."""
    below = cells[number + 1].source if number + 1 < len(cells) else ""
    return plain(below.removeprefix(CAPTION)) if below.startswith(CAPTION) else ""


def describe_pictures(cell: NotebookNode, words: str) -> None:
    """Give a cell's pictures their alternative text: an explorer's own words, or else the caption."""
    own = [
        still.data["text/plain"]
        for still, live in zip(cell.outputs, cell.outputs[1:], strict=False)
        if is_live(live) and "image/png" in still.get("data", {})
    ]
    if own or words:
        cell.metadata["mystnb"] = {"image": {"alt": " ".join(own) or words}}


def bring_to_life(cell: NotebookNode, source: Source) -> None:
    """Put a live explorer where the stored cell has the words that stand for it."""
    for place, alive in explorers(cell):
        source.add(alive)
        cell.outputs[place].data = nbformat.from_dict({"text/html": alive.html()})


def downloads(root: str, stem: str, *, exercises: bool) -> str:
    """The line with the notebooks to download; ``root`` leads from the page to the site's first folder."""
    lesson = f'<a href="{root}downloads/{stem}.ipynb" download>lesson</a>'
    tasks = f' · <a href="{root}downloads/exercises/{stem}.ipynb" download>exercises</a>' if exercises else ""
    return f'<p class="course-downloads">Notebooks to download: {lesson}{tasks}</p>'


def close_gap(cell: NotebookNode) -> None:
    """Raise the headings of an exercise, which stand two levels below the title: a page has no gaps."""
    if re.match(r"### \d\d\.", cell.source):
        cell.source = re.sub(r"^##(#+ )", r"#\1", cell.source, flags=re.MULTILINE)


def page(notebook: NotebookNode, line: str, source: Source) -> NotebookNode:
    """A notebook as the source of a page: ``line`` below its title, alternative texts, live explorers."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            close_gap(cell)
        else:
            describe_pictures(cell, caption(notebook.cells, number))
            bring_to_life(cell, source)
    title, *rest = notebook.cells
    notebook.cells = [title, nbformat.v4.new_markdown_cell(line, id="downloads"), *rest]
    return notebook


def write_pages(course: Course, source: Source) -> None:
    """Write a page for each lesson and for each set of exercises, the start page, and the downloads.

    Raises:
        SiteError: there is no lesson, or a lesson has not been built.
    """
    stems = course.stems()
    if not stems:
        raise SiteError(f"{course.notebooks}: there are no lessons here")
    facts = {}
    for stem in stems:
        kinds = ["lessons"] + ["exercises"] * course.source("exercises", stem).exists()
        for kind in kinds:
            stored = course.notebook(kind, stem)
            notebook = read_notebook(stored)
            if notebook is None:
                raise SiteError(f"{stored} has not been built yet: make build")
            if kind == "lessons":
                facts[stem] = lesson_facts(notebook.cells)
            within = stored.relative_to(course.notebooks)
            line = downloads("../" * (len(within.parts) - 1), stem, exercises="exercises" in kinds)
            write_text(source.folder / within, nbformat.writes(page(notebook, line, source)))
            write_text(source.folder / "extra" / "downloads" / within, stored.read_text(encoding="utf-8"))
    start = start_page(course, facts)
    write_text(source.folder / "index.md", start)
    write_pictures(course, source, start)


# --- the start page ----------------------------------------------------------------------------------------


def section(readme: str, title: str) -> str:
    """The text under one heading of the README.

    Raises:
        SiteError: there is no such heading.
    """
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    if match is None:
        raise SiteError(f"README.md: the start page takes the section “{title}” from it, and there is none")
    return match[1].strip()


def for_the_site(text: str) -> str:
    """README's text with its links to notebooks leading to their pages, and to other files dropped."""
    text = re.sub(r"\]\(notebooks/(\w+\.ipynb|exercises/\w+\.ipynb)\)", r"](\1)", text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|\d\d_|exercises/)[^)]*\)", r"\1", text)


def write_pictures(course: Course, source: Source, text: str) -> None:
    """Put the pictures that a text shows beside it, under the paths that it names."""
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        target = source.folder / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(course.root / picture, target)


def card(course: Course, stem: str, facts: Facts) -> str:
    """One lesson on the start page: title, question, times, exercises."""
    count = len(load_exercises(course, stem))
    tasks = f" · [{count} exercises](exercises/{stem}.ipynb)" if count else ""
    return f"**[{facts.title}]({stem}.ipynb)**\\\n{facts.question}\\\n{facts.read} to read{tasks}\n"


def toctree(caption: str, pages: list[str]) -> str:
    """A list of pages for the side bar."""
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"])


def start_page(course: Course, facts: dict[str, Facts]) -> str:
    """The first page, from what the README and the lessons say."""
    readme = (course.root / "README.md").read_text(encoding="utf-8")
    title, _, rest = readme.partition("\n")
    introduction = rest.partition("\n## ")[0].strip()
    tasks = [f"{facts[stem].title} <exercises/{stem}>" for stem in course.stems("exercises") if stem in facts]
    parts = [
        title,
        for_the_site(introduction),
        "## Lessons",
        "Explorers that compute in the browser answer here, too. Those that ask Python show their picture, "
        "and move once the lesson runs in JupyterLab.",
        *(card(course, stem, facts[stem]) for stem in facts),
        "## Run it yourself",
        for_the_site(section(readme, "Two commands")),
        "## How to use it",
        for_the_site(section(readme, "How to use it")),
        "## Licence",
        for_the_site(section(readme, "Licence")),
        toctree("Lessons", list(facts)),
        toctree("Exercises", tasks),
    ]
    return "\n\n".join(parts) + "\n"
