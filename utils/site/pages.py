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
PART = re.compile(r"(\d\d-\w+)-(statement|work|check|explanation)")  # the id of a cell of an exercise
OUT_OF_SEARCH = {"orphan": True, "nosearch": True, "myst": {"html_meta": {"robots": "noindex"}}}
TRY_FIRST = """\
```{admonition} Try first
:class: warning
An exercise teaches by being tried, even in vain. In the notebook `hint("…")` helps in steps.
Each solution is folded: open only the one you need.
```"""


@dataclass
class Source:
    """What Sphinx is given: a folder of pages, the explorers' scripts, the title of each lesson's page."""

    folder: Path
    scripts: dict[str, str] = field(default_factory=dict)
    lessons: dict[str, str] = field(default_factory=dict)

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
        cell.outputs[place] = nbformat.v4.new_output("display_data", {"text/html": alive.html()})


def downloads(root: str, stored: dict[str, Path]) -> str:
    """The line with the notebooks to download, and where they run.

    Args:
        root: leads from the page to the site's first folder.
        stored: kind of each notebook -> its place among the course's notebooks.
    """
    names = {"lessons": "lesson", "exercises": "exercises", "solutions": "solutions"}
    links = (f'<a href="{root}downloads/{stored[kind]}" download>{names[kind]}</a>' for kind in stored)
    copy = f'<a href="{root}index.html#run-it-yourself">copy of the course</a>'
    return (
        '<p class="course-downloads">This page does not run Python. '
        f"Notebooks to download: {' · '.join(links)}. They run in a {copy}.</p>"
    )


def link_to_solutions(notebook: NotebookNode) -> None:
    """Below each exercise's check, put a link to its solution."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        part = PART.fullmatch(cell.id)
        if part and part[2] == "check":
            name = part[1].replace("-", ".", 1)
            text = f"[Solution of {name}](#solution-{part[1]})"
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"{part[1]}-solution"))
    notebook.cells = cells


def fold_solutions(notebook: NotebookNode) -> None:
    """Make the page of a lesson's solutions: each folded below its statement, and none to be found by search.

    The checks are left out: a page has nothing that they could answer.
    """
    notebook.metadata |= nbformat.from_dict(OUT_OF_SEARCH)
    title, *rest = notebook.cells
    heading, *_, link = title.source.split("\n\n")  # between them: how to fill the exercises in
    title.source = f"{re.sub('Exercises', 'Solutions', heading, count=1)}\n\n{link}"
    cells = [title, nbformat.v4.new_markdown_cell(TRY_FIRST, id="try-first")]
    for cell in rest:
        part = PART.fullmatch(cell.id)
        if part is None:
            continue  # imports and the learner's progress
        name, role = part.groups()
        if role == "statement":
            statement = re.sub(r"\n+Stuck\? Run `hint.*", "", cell.source)
            cell.source = f"(solution-{name})=\n{statement}"
        elif role == "work":
            fold = f"<details><summary>Solution of {name.replace('-', '.', 1)}</summary>"
            answer = f"{fold}\n\n````python\n{cell.source}\n````"
            cell = nbformat.v4.new_markdown_cell(answer, id=cell.id)
        elif role == "explanation":
            cell.source += "\n\n</details>"
        else:
            continue
        cells.append(cell)
    notebook.cells = cells


def close_gap(cell: NotebookNode) -> None:
    """Raise the headings of an exercise, which stand two levels below the title: a page has no gaps."""
    if re.match(r"(\(solution-.*\)=\n)?### \d\d\.", cell.source):
        cell.source = re.sub(r"^##(#+ )", r"#\1", cell.source, flags=re.MULTILINE)


def page(notebook: NotebookNode, kind: str, line: str, source: Source) -> NotebookNode:
    """A notebook as the source of a page: ``line`` below its title, alternative texts, live explorers."""
    if kind == "solutions":
        fold_solutions(notebook)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            close_gap(cell)
        else:
            describe_pictures(cell, caption(notebook.cells, number))
            bring_to_life(cell, source)
    title, *rest = notebook.cells
    notebook.cells = [title, nbformat.v4.new_markdown_cell(line, id="downloads"), *rest]
    return notebook


def write_pages(course: Course, source: Source, *, solutions: bool = True) -> None:
    """Write a page for each lesson, each set of exercises and its solutions, the start page, the downloads.

    Without ``solutions`` there are none of these, nor links to them.

    Raises:
        SiteError: there is no lesson, or a lesson has not been built.
    """
    stems = course.stems()
    if not stems:
        raise SiteError(f"{course.notebooks}: there are no lessons here")
    facts = {}
    for stem in stems:
        more = ["exercises", "solutions"] if solutions else ["exercises"]
        kinds = ["lessons"] + more * course.source("exercises", stem).exists()
        places = {kind: course.notebook(kind, stem).relative_to(course.notebooks) for kind in kinds}
        for kind, place in places.items():
            stored = course.notebooks / place
            notebook = read_notebook(stored)
            if notebook is None:
                raise SiteError(f"{stored} has not been built yet: make build")
            if kind == "lessons":
                facts[stem] = lesson_facts(notebook.cells)
            given = {other: places[other] for other in kinds if other != "solutions" or kind == "solutions"}
            line = downloads("../" * (len(place.parts) - 1), given)
            if kind == "exercises" and solutions:
                link_to_solutions(notebook)
            write_text(source.folder / place, nbformat.writes(page(notebook, kind, line, source)))
            write_text(source.folder / "extra" / "downloads" / place, stored.read_text(encoding="utf-8"))
    source.lessons |= {stem: known.title for stem, known in facts.items()}
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
