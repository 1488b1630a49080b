"""The lesson lint: is every lesson put together as CONTRIBUTING.md says?

Each rule is one function from a :class:`Lesson` to its findings; a finding names the file, the cell, the rule
and what to do. ``python -m utils.lint`` prints them, the tests run the same function over every lesson.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer
from nbformat import NotebookNode

from utils.build import (
    REPOSITORY,
    BuildError,
    Course,
    code_cells,
    expected_notebook,
    lesson_facts,
    load_exercises,
    read_notebook,
    read_source,
)
from utils.checks.source import ExerciseSourceError, parse_exercise
from utils.slides.outline import mark, mistakes, outline

CLOSING = ("What to remember", "Check yourself", "Exercises", "Where next", "References")
TAGS = {"nbval-ignore-output", "long"}
MAX_CODE_LINES, MAX_LONG_LINES, MAX_WORDS = 25, 70, 120
MAX_BYTES = 1_500_000
LECTURE_MINUTES = (40, 90)
OPTIONAL_SLIDES = ("Exercises", "References", "Where next")  # of the closing sections
SAW = "**What you see.**"
ONE_MACHINE = r"(/home|/Users|/root|/tmp)/[\w./-]*|[A-Z]:\\\w[\w.\\-]*|\b0x[0-9a-f]{6,}"
NETWORK = {"urllib", "requests", "http", "socket", "httpx", "aiohttp", "ftplib", "urllib3"}
DOWNLOADS = {"fetch_openml", "load_state_dict_from_url", "download_url_to_file", "urlretrieve", "hub"}


@dataclass(frozen=True)
class Finding:
    """One place where a lesson breaks a rule."""

    file: str
    cell: int | None
    rule: str
    message: str

    def __str__(self) -> str:
        where = f", cell {self.cell}" if self.cell else ""
        return f"{self.file}{where} [{self.rule}] {self.message}"


@dataclass(frozen=True)
class Section:
    """A level-two heading and the cells up to the next one. Cells are numbered from 1."""

    heading: str
    cell: int
    cells: list[tuple[int, NotebookNode]]

    @property
    def text(self) -> str:
        """The Markdown of the section."""
        return "\n".join(cell.source for _, cell in self.cells if cell.cell_type == "markdown")


@dataclass(frozen=True)
class Lesson:
    """One lesson as the rules see it: its source's cells with the outputs that are stored for them."""

    course: Course
    stem: str

    @cached_property
    def file(self) -> str:
        """The source's path from the course's root, for messages."""
        return self.course.source("lessons", self.stem).relative_to(self.course.root).as_posix()

    @cached_property
    def exercise_file(self) -> str:
        """The exercise source's path from the course's root, for messages."""
        return self.course.source("exercises", self.stem).relative_to(self.course.root).as_posix()

    @cached_property
    def cells(self) -> list[NotebookNode]:
        """The source's cells, with the stored outputs if the stored notebook ran the same code."""
        return expected_notebook(self.course, "lessons", self.stem).cells

    @cached_property
    def numbered(self) -> list[tuple[int, NotebookNode]]:
        """The cells with their numbers from 1."""
        return list(enumerate(self.cells, start=1))

    @cached_property
    def exercise_cells(self) -> list[NotebookNode]:
        """The cells of the exercise source; empty where the lesson has none."""
        path = self.course.source("exercises", self.stem)
        return read_source(path) if path.exists() else []

    @cached_property
    def sections(self) -> list[Section]:
        """The level-two headings with what follows each."""
        sections: list[Section] = []
        for number, cell in self.numbered:
            if cell.cell_type == "markdown":
                for heading in headings(cell.source, 2):
                    sections.append(Section(heading, number, []))
            if sections:
                sections[-1].cells.append((number, cell))
        return sections

    def section(self, heading: str) -> Section | None:
        """The first section with this heading."""
        return next((section for section in self.sections if section.heading == heading), None)

    def code(self) -> Iterator[tuple[str, int, str]]:
        """File, cell number and code of every code cell of the lesson and of its exercises."""
        for file, cells in ((self.file, self.cells), (self.exercise_file, self.exercise_cells)):
            for number, cell in enumerate(cells, start=1):
                if cell.cell_type == "code":
                    yield file, number, cell.source

    def trees(self) -> Iterator[tuple[str, int, ast.Module]]:
        """File, cell number and syntax tree of every code cell, magics left out."""
        for file, number, source in self.code():
            yield file, number, parse(source)

    def finding(self, cell: int | None, rule: str, message: str) -> Finding:
        """A finding in the lesson's own source."""
        return Finding(self.file, cell, rule, message)


# --- reading cells ---------------------------------------------------------------------------------------


def headings(markdown: str, level: int) -> list[str]:
    """The headings of one level, outside code fences."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^{'#' * level} (.+?)\s*$", text, re.MULTILINE)


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell; lines with magics become ``pass``.

    Raises:
        SyntaxError: the cell is not Python.
    """
    lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source.splitlines()]
    return ast.parse("\n".join(lines))


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for an attribute chain that begins with a name, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def words(markdown: str) -> int:
    """Words of prose: without formulas, code fences, HTML tags and the addresses of links."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$|<[^>]+>", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return sum(1 for word in text.split() if re.search(r"\w", word))


def items(markdown: str) -> list[str]:
    """The entries of top-level lists, bulleted or numbered."""
    return re.findall(r"^(?:[-*]|\d+\.) (.+)$", markdown, re.MULTILINE)


def links(markdown: str) -> list[str]:
    """The targets of links and pictures, in Markdown and in HTML."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)", text) + re.findall(r"(?:href|src)=[\"']([^\"']+)", text)


# --- anatomy ---------------------------------------------------------------------------------------------


def title(lesson: Lesson) -> Iterator[Finding]:
    """The first cell: ``# NN · Title`` and the question the lesson answers."""
    facts = lesson_facts(lesson.cells)
    number = lesson.stem[:2]
    if not re.fullmatch(rf"{number} · \S.*", facts.title):
        yield lesson.finding(1, "title", f"begin the first cell with '# {number} · Title'")
    if not facts.question.endswith("?"):
        yield lesson.finding(1, "title", "give the question under the title: '**The question:** …?'")
    for cell, node in lesson.numbered[1:]:
        if node.cell_type == "markdown" and headings(node.source, 1):
            yield lesson.finding(cell, "title", "a lesson has one title; make this heading '##' or lower")


def goals(lesson: Lesson) -> Iterator[Finding]:
    """The second cell: three to five can-do goals."""
    second = lesson.cells[1].source if len(lesson.cells) > 1 else ""
    if not second.startswith("**You will be able to**"):
        yield lesson.finding(2, "goals", "begin the second cell with '**You will be able to**'")
    elif not 3 <= (count := len(lesson_facts(lesson.cells).goals)) <= 5:
        yield lesson.finding(2, "goals", f"give three to five goals as a list with '- '; there are {count}")


def needs_line(lesson: Lesson) -> Iterator[Finding]:
    """The second cell's last line: what is needed, minutes to read, seconds to run."""
    facts = lesson_facts(lesson.cells)
    if not facts.needs or not re.fullmatch(r"\d+ minutes", facts.read):
        line = "**Needs:** [lesson NN](…) · **Read:** N minutes · **Run:** N seconds on two CPU cores"
        yield lesson.finding(2, "needs_line", f"end the second cell with the line '{line}'")
        return
    run = re.fullmatch(r"(\d+) seconds on two CPU cores", facts.run)
    if not run or int(run[1]) > 60:
        yield lesson.finding(2, "needs_line", "give the run time as 'N seconds on two CPU cores', at most 60")
    first = lesson.stem == lesson.course.stems()[0]
    if not first and not re.search(r"\]\(\d\d_\w+\.ipynb\)", facts.needs):
        yield lesson.finding(2, "needs_line", "link the lesson that is needed: '[lesson NN](NN_stem.ipynb)'")


def import_cell(lesson: Lesson) -> Iterator[Finding]:
    """One cell of imports, the first code cell; in the first lesson the doctor may come before it."""
    first = lesson.stem == lesson.course.stems()[0]
    coded = [(number, parse(cell.source)) for number, cell in lesson.numbered if cell.cell_type == "code"]
    importing = []
    for number, tree in coded:
        imports = [ast.unparse(s) for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
        if imports and not (first and imports == ["from utils import doctor"]):
            importing.append(number)
        if importing == [number] and len(imports) < len(tree.body) / 2:
            yield lesson.finding(number, "import_cell", "move what is not an import to the next cell")
    early = [number for number, _ in coded[: 3 if first else 1]]
    if not importing or importing[0] not in early:
        yield lesson.finding(None, "import_cell", "import in the first code cell")
    for number in importing[1:]:
        yield lesson.finding(number, "import_cell", "move this import to the one import cell at the start")


def sections(lesson: Lesson) -> Iterator[Finding]:
    """Sections are headed ``## 1 · One idea``, counted from 1 without a gap; there are two or more."""
    expected = 1
    for section in lesson.sections:
        if section.heading in CLOSING:
            continue
        if not re.match(rf"{expected} · \S", section.heading):
            message = f"head this section '## {expected} · …' (or with one of the closing headings)"
            yield lesson.finding(section.cell, "sections", message)
        expected += 1
    if expected < 3:
        yield lesson.finding(None, "sections", "divide the lesson into two or more sections '## 1 · …'")


def closing(lesson: Lesson) -> Iterator[Finding]:
    """The five closing headings, each once, in order, at the end."""
    found = [section.heading for section in lesson.sections]
    if found[-len(CLOSING) :] != list(CLOSING) or any(found.count(heading) > 1 for heading in CLOSING):
        order = ", ".join(f"'## {heading}'" for heading in CLOSING)
        yield lesson.finding(None, "closing", f"end the lesson with {order}, in this order")


def remember(lesson: Lesson) -> Iterator[Finding]:
    """What to remember answers the goals line by line."""
    section = lesson.section("What to remember")
    if section is None:
        return  # the rule `closing` says so
    asked, answered = len(lesson_facts(lesson.cells).goals), len(items(section.text))
    if asked != answered:
        yield lesson.finding(
            section.cell, "remember", f"mirror the goals line by line: {asked} goals, {answered} lines here"
        )


def check_yourself(lesson: Lesson) -> Iterator[Finding]:
    """Three to five questions, each with an answer that folds out."""
    section = lesson.section("Check yourself")
    if section is None:
        return
    folded = re.findall(r"<details>(.*?)</details>", section.text, re.DOTALL)
    if not 3 <= len(folded) <= 5:
        message = f"ask three to five questions with <details>; there are {len(folded)}"
        yield lesson.finding(section.cell, "check_yourself", message)
    for text in folded:
        question = re.search(r"<summary>(.+?)</summary>(.*)", text, re.DOTALL)
        if not question or words(question[1]) < 3 or words(question[2]) < 3:
            message = "write each as <details><summary>question</summary> answer </details>"
            yield lesson.finding(section.cell, "check_yourself", message)


def references(lesson: Lesson) -> Iterator[Finding]:
    """Three to six sources, each with its year."""
    section = lesson.section("References")
    if section is None:
        return
    sources = items(section.text)
    if not 3 <= len(sources) <= 6:
        message = f"give three to six sources as a list; there are {len(sources)}"
        yield lesson.finding(section.cell, "references", message)
    for source in sources:
        if not re.search(r"\b(1[6-9]|20)\d\d\b", source):
            message = f"give author, year and title: '{source[:60]}' has no year"
            yield lesson.finding(section.cell, "references", message)


def filled_in(lesson: Lesson) -> Iterator[Finding]:
    """Nothing of the template is left."""
    for file, cells in ((lesson.file, lesson.cells), (lesson.exercise_file, lesson.exercise_cells)):
        for number, cell in enumerate(cells, start=1):
            for text in re.findall(r"FILL IN: ([^.;:?]{1,60})", cell.source):
                yield Finding(
                    file, number, "filled_in", f"write your own text in place of 'FILL IN: {text}…'"
                )


# --- cells -----------------------------------------------------------------------------------------------


def code_budget(lesson: Lesson) -> Iterator[Finding]:
    """A code cell has at most 25 lines; a class or training loop that is the point, tagged long, 70."""
    for number, cell in lesson.numbered:
        if cell.cell_type != "code":
            continue
        lines, long = len(cell.source.splitlines()), "long" in cell.metadata.get("tags", [])
        limit = MAX_LONG_LINES if long else MAX_CODE_LINES
        if not cell.source.strip():
            yield lesson.finding(number, "code_budget", "remove the empty cell")
        elif lines > limit:
            yield lesson.finding(
                number, "code_budget", f"divide the cell: {lines} lines, {limit} are allowed"
            )
        elif long and not re.search(r"^\s*(class|def|for|while) ", cell.source, re.MULTILINE):
            message = "the tag 'long' is for a class, a function or a loop that is the point of the section"
            yield lesson.finding(number, "code_budget", message)


def text_budget(lesson: Lesson) -> Iterator[Finding]:
    """A Markdown cell has at most 120 words; the closing sections may have more."""
    first_closing = min(
        (s.cell for s in lesson.sections if s.heading in CLOSING), default=len(lesson.cells) + 1
    )
    for number, cell in lesson.numbered[: first_closing - 1]:
        if cell.cell_type == "markdown" and (count := words(cell.source)) > MAX_WORDS:
            message = f"divide or shorten the text: {count} words, {MAX_WORDS} are allowed"
            yield lesson.finding(number, "text_budget", message)


def explorer_names(lesson: Lesson) -> set[str]:
    """The names under which the lesson calls explorers that draw; ``predict`` is words, not a picture."""
    names: set[str] = set()
    for file, _, tree in lesson.trees():
        for node in ast.walk(tree):
            if file == lesson.file and isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    name = alias.asname or alias.name
                    if node.module == "utils" and alias.name == "explore":
                        names.add(f"{name}.")
                    elif (node.module or "").startswith("utils.explore") and alias.name != "predict":
                        names.add(name)
    return names


def what_you_see(lesson: Lesson) -> Iterator[Finding]:
    """A picture or explorer is followed by a cell that says what is seen: its alternative text."""
    names = explorer_names(lesson)

    def explores(name: str) -> bool:
        prefix, _, last = name.rpartition(".")
        return name in names or (f"{prefix}." in names and last != "predict")

    for number, cell in lesson.numbered:
        if cell.cell_type != "code":
            continue
        called = [name for name, _ in calls(parse(cell.source))]
        asks = any(name.rpartition(".")[2] == "predict" for name in called)
        draws = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if not (draws and not asks) and not any(explores(name) for name in called):
            continue
        after = lesson.cells[number] if number < len(lesson.cells) else None
        said = after.source if after is not None and after.cell_type == "markdown" else ""
        if not said.startswith(SAW) or words(said) < 12:
            message = f"follow the picture with a text cell that begins '{SAW}' and says it in words"
            yield lesson.finding(number, "what_you_see", message)


def tags(lesson: Lesson) -> Iterator[Finding]:
    """Only the tags the course uses, and no nbval comment that would hide a cell from the tests."""
    for number, cell in lesson.numbered:
        for tag in sorted(set(cell.metadata.get("tags", [])) - TAGS):
            yield lesson.finding(number, "tags", f"remove the tag {tag!r}; allowed are {sorted(TAGS)}")
        if cell.cell_type == "code" and re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_\w+", cell.source):
            yield lesson.finding(number, "tags", "use the tag 'nbval-ignore-output', not a comment for nbval")


def ignored_output_asserted(lesson: Lesson) -> Iterator[Finding]:
    """Text that may differ between machines is followed by a cell that asserts what is sure about it."""
    coded = [(number, cell) for number, cell in lesson.numbered if cell.cell_type == "code"]
    for place, (number, cell) in enumerate(coded):
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            continue
        after = coded[place + 1][1].source if place + 1 < len(coded) else ""
        tree = parse(after)
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(tree))
        if not asserts and not any("assert_" in name for name, _ in calls(tree)):
            message = "its output is not compared: assert what is sure about it in the next code cell"
            yield lesson.finding(number, "ignored_output_asserted", message)


# --- forbidden constructs --------------------------------------------------------------------------------


def no_star_import(lesson: Lesson) -> Iterator[Finding]:
    """No ``import *``."""
    for file, number, tree in lesson.trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                yield Finding(file, number, "no_star_import", f"name what is imported from {node.module}")


def no_sys_path(lesson: Lesson) -> Iterator[Finding]:
    """No change of ``sys.path``: the package is installed."""
    for file, number, tree in lesson.trees():
        names = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imported = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if "sys.path" in names | imported:
            yield Finding(file, number, "no_sys_path", "import from utils without touching sys.path")


def no_silenced_warnings(lesson: Lesson) -> Iterator[Finding]:
    """No warning is silenced: its cause is removed."""
    for file, number, tree in lesson.trees():
        for name, call in calls(tree):
            quiet = any(isinstance(a, ast.Constant) and a.value == "ignore" for a in call.args)
            quiet |= any(
                isinstance(k.value, ast.Constant) and k.value.value == "ignore" for k in call.keywords
            )
            if name.rpartition(".")[2] in ("filterwarnings", "simplefilter", "catch_warnings") and quiet:
                message = "remove what causes the warning instead of silencing it"
                yield Finding(file, number, "no_silenced_warnings", message)


def no_magics(lesson: Lesson) -> Iterator[Finding]:
    """No magics and no shell lines but ``%matplotlib inline``."""
    for file, number, source in lesson.code():
        for line in source.splitlines():
            if re.match(r"\s*[%!]", line) and line.strip() != "%matplotlib inline":
                yield Finding(file, number, "no_magics", f"write plain Python instead of {line.strip()!r}")
        if "get_ipython" in source:
            yield Finding(file, number, "no_magics", "write plain Python instead of get_ipython()")


def no_absolute_path(lesson: Lesson) -> Iterator[Finding]:
    """No path that exists on one machine only."""
    for file, number, tree in lesson.trees():
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.match(r"(/|~/|[A-Za-z]:\\)[\w.]+([/\\]|$)", text):
                message = f"use a path relative to the notebook or utils.data, not {text!r}"
                yield Finding(file, number, "no_absolute_path", message)


def no_network(lesson: Lesson) -> Iterator[Finding]:
    """The course needs no network once it is installed."""
    for file, number, tree in lesson.trees():
        reasons = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                reasons += [alias.name for alias in node.names if alias.name.split(".")[0] in NETWORK]
            elif isinstance(node, ast.ImportFrom):
                reasons += [node.module] if (node.module or "").split(".")[0] in NETWORK else []
                reasons += [alias.name for alias in node.names if alias.name in DOWNLOADS]
            elif isinstance(node, ast.Attribute) and node.attr in DOWNLOADS:
                reasons.append(dotted(node) or node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                reasons += [node.value] if re.match(r"(https?|ftp)://", node.value) else []
        for reason in dict.fromkeys(reasons):
            yield Finding(file, number, "no_network", f"work offline: remove {reason!r}")


def no_show(lesson: Lesson) -> Iterator[Finding]:
    """No ``plt.show()``: the notebook shows the figure."""
    for file, number, tree in lesson.trees():
        for name, _ in calls(tree):
            if name in ("plt.show", "pyplot.show", "fig.show", "matplotlib.pyplot.show"):
                yield Finding(file, number, "no_show", f"remove {name}(): the notebook shows the figure")


def no_swallowed_error(lesson: Lesson) -> Iterator[Finding]:
    """No ``except: pass``: an error is shown or dealt with."""
    for file, number, tree in lesson.trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                silent = all(isinstance(s, ast.Pass) or is_ellipsis(s) for s in node.body)
                if node.type is None or silent:
                    message = "name the exception that is expected and say what it means"
                    yield Finding(file, number, "no_swallowed_error", message)
            elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "suppress":
                message = "show the error or deal with it instead of suppressing it"
                yield Finding(file, number, "no_swallowed_error", message)


def is_ellipsis(statement: ast.stmt) -> bool:
    """Whether the statement is ``...``."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is Ellipsis
    )


# --- links and exercises ---------------------------------------------------------------------------------


def links_resolve(lesson: Lesson) -> Iterator[Finding]:
    """Every relative link leads to a file that is there, every anchor to one of its headings."""
    texts = [
        (lesson.file, lesson.course.notebooks, lesson.cells),
        (lesson.exercise_file, lesson.course.notebooks / "exercises", lesson.exercise_cells),
    ]
    for file, folder, cells in texts:
        for number, cell in enumerate(cells, start=1):
            if cell.cell_type == "code" and "exercise" not in cell.metadata:
                continue
            for link in links(cell.source if cell.cell_type == "markdown" else written_text(cell.source)):
                if problem := broken_link(link, folder, cells):
                    yield Finding(file, number, "links_resolve", problem)


def written_text(exercise: str) -> str:
    """The comment lines of an exercise's cell: its text. In its code ``layers[-1](X)`` is no link."""
    return "\n".join(line for line in exercise.splitlines() if line.startswith("#"))


def broken_link(link: str, folder: Path, cells: list[NotebookNode]) -> str:
    """What is wrong with a link, seen from ``folder``; empty if nothing is."""
    if re.match(r"(https?:|mailto:)", link):
        return ""
    path, _, anchor = link.partition("#")
    target = folder / path
    if path and (not target.exists() or path.startswith("/")):
        return f"the link {link!r} leads nowhere"
    if not anchor or (path and target.suffix != ".ipynb"):
        return ""
    there = read_notebook(target).cells if path else cells
    anchors = {
        heading.replace(" ", "-").lower()
        for cell in there
        if cell.cell_type == "markdown"
        for level in range(1, 7)
        for heading in headings(cell.source, level)
    }
    return "" if anchor.lower() in anchors else f"the link {link!r} names a heading that is not there"


def exercises_exist(lesson: Lesson) -> Iterator[Finding]:
    """Every exercise the lesson names is one of the course's."""
    known = {
        name for stem in lesson.course.stems("exercises") for name in load_exercises(lesson.course, stem)
    }
    for number, cell in lesson.numbered:
        if cell.cell_type != "markdown":
            continue
        named = re.findall(r"\[(\d\d\.[a-z_]\w*)\]\(", cell.source)
        named += re.findall(r"\*\*Exercise `?(\d\d\.[a-z_]\w*)", cell.source)
        for name in dict.fromkeys(named):
            if name not in known:
                yield lesson.finding(
                    number, "exercises_exist", f"there is no exercise {name} in utils/checks"
                )


def exercises_pointed_to(lesson: Lesson) -> Iterator[Finding]:
    """Each of the lesson's exercises is pointed to where its idea is taught and listed at the end."""
    exercises = load_exercises(lesson.course, lesson.stem)
    ending = lesson.section("Exercises")
    listed, last = (ending.text, ending.cell) if ending else ("", None)
    if exercises and f"](exercises/{lesson.stem}.ipynb)" not in listed:
        message = f"link exercises/{lesson.stem}.ipynb under '## Exercises'"
        yield lesson.finding(last, "exercises_pointed_to", message)
    taught = "\n".join(section.text for section in lesson.sections if section.heading not in CLOSING)
    for name in exercises:
        link = f"[{name}](exercises/{lesson.stem}.ipynb"
        if f"**Exercise {link}" not in taught:
            message = f"point to {name} in the section that teaches it: '**Exercise {link})**'"
            yield lesson.finding(None, "exercises_pointed_to", message)
        if not re.search(rf"\b{re.escape(name)}\b", listed):
            message = f"list {name} under '## Exercises'"
            yield lesson.finding(last, "exercises_pointed_to", message)


def exercise_sources(lesson: Lesson) -> Iterator[Finding]:
    """Each exercise's source cell is whole, and source and checks name the same exercises."""
    file, exercises = lesson.exercise_file, load_exercises(lesson.course, lesson.stem)
    cells = lesson.exercise_cells
    found = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    if found != list(exercises):
        message = f"the source has {found}, utils/checks/lesson_{lesson.stem}.py has {list(exercises)}"
        yield Finding(
            file, None, "exercise_sources", f"give both the same exercises in the same order: {message}"
        )
    if not cells:
        return
    if not headings(cells[0].source, 1):
        yield Finding(file, 1, "exercise_sources", "begin with a title: '# NN · Exercises: …'")
    if cells[-1].source.strip() != "progress()":
        yield Finding(file, len(cells), "exercise_sources", "end with a code cell 'progress()'")
    for number, cell in enumerate(cells, start=1):
        exercise = exercises.get(cell.metadata.get("exercise", ""))
        if exercise is None:
            continue
        try:
            parts = parse_exercise(cell.source)
        except ExerciseSourceError as error:
            yield Finding(file, number, "exercise_sources", f"{exercise.id}: {error}")
            continue
        heading = f"### {exercise.id} {'●' * exercise.difficulty} {exercise.title}"
        wanted = {
            f"begin the statement with '{heading}'": parts.statement.splitlines()[:1] == [heading],
            f"show how {exercise.name} is called in the statement": f"{exercise.name}(" in parts.statement,
            "write a statement of some length, with an example in numbers": words(parts.statement) >= 20
            and re.search(r"\d", parts.statement.replace(exercise.id, "")),
            "write a solution": bool(parts.solution.strip()),
            "let the stub raise NotImplementedError, so that 'not started' is told from 'forgot to return'": (
                "raise NotImplementedError(" in parts.stub
            ),
            "explain the solution": words(parts.explanation) >= 15,
        }
        for message, holds in wanted.items():
            if not holds:
                yield Finding(file, number, "exercise_sources", f"{exercise.id}: {message}")


# --- slides ----------------------------------------------------------------------------------------------


def slide_marks(lesson: Lesson) -> Iterator[Finding]:
    """The lesson is marked as a lecture, with marks that are known and make sense where they stand."""
    for number, text in mistakes(lesson.cells):
        yield lesson.finding(number, "slide_marks", text)


def section_slides(lesson: Lesson) -> Iterator[Finding]:
    """Each section begins a section of the lecture; what is to be remembered and checked is shown."""
    for section in lesson.sections:
        kind = mark(lesson.cells[section.cell - 1]).get("slide_type")
        if section.heading not in CLOSING:
            if kind != "slide":
                message = 'mark the heading with slideshow={"slide_type": "slide", "minutes": 6}'
                yield lesson.finding(section.cell, "section_slides", message)
        elif section.heading in OPTIONAL_SLIDES:
            if kind is None:
                message = f"decide whether '{section.heading}' is shown: a subslide, notes or skip"
                yield lesson.finding(section.cell, "section_slides", message)
        elif kind not in ("slide", "subslide"):
            message = f"show '{section.heading}': mark it as a slide or a subslide"
            yield lesson.finding(section.cell, "section_slides", message)


def lecture_time(lesson: Lesson) -> Iterator[Finding]:
    """The minutes of the sections add up to a lecture."""
    least, most = LECTURE_MINUTES
    given = [section.minutes for section in outline(lesson.cells).sections]
    if all(type(minutes) in (int, float) for minutes in given) and not least <= sum(given) <= most:
        message = f"the sections take {sum(given):g} minutes; a lecture has {least} to {most}"
        yield lesson.finding(None, "lecture_time", message)


# --- the stored notebook ---------------------------------------------------------------------------------


def outputs(lesson: Lesson) -> Iterator[Finding]:
    """The stored notebook is executed, and nowhere raised or wrote to stderr."""
    path = lesson.course.notebook("lessons", lesson.stem)
    file = path.relative_to(lesson.course.root).as_posix()
    stored = read_notebook(path)
    if stored is None:
        yield Finding(file, None, "outputs", "the lesson is not built: run make build")
        return
    if any(cell.execution_count is None for cell in code_cells(stored)):
        yield Finding(file, None, "outputs", "the stored lesson was not executed: run make build")
    for number, cell in enumerate(stored.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield Finding(
                    file, number, "outputs", f"it raised {output.ename}: repair the cell, build again"
                )
            if output.get("name") == "stderr":
                yield Finding(file, number, "outputs", "it wrote to stderr: remove the cause, build again")
            shown = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            if trace := re.search(ONE_MACHINE, shown):
                message = f"{trace[0]!r} is true of one machine or one run only: do not show it"
                yield Finding(file, number, "outputs", message)


def size(lesson: Lesson) -> Iterator[Finding]:
    """The stored notebook is under 1.5 MB, so that it opens at once, on a web page too."""
    path = lesson.course.notebook("lessons", lesson.stem)
    if path.exists() and (found := path.stat().st_size) > MAX_BYTES:
        file = path.relative_to(lesson.course.root).as_posix()
        message = f"{found / 1e6:.2f} MB: show fewer or smaller pictures ({MAX_BYTES / 1e6} MB are allowed)"
        yield Finding(file, None, "size", message)


RULES: tuple[Callable[[Lesson], Iterator[Finding]], ...] = (
    title,
    goals,
    needs_line,
    import_cell,
    sections,
    closing,
    remember,
    check_yourself,
    references,
    filled_in,
    code_budget,
    text_budget,
    what_you_see,
    tags,
    ignored_output_asserted,
    no_star_import,
    no_sys_path,
    no_silenced_warnings,
    no_magics,
    no_absolute_path,
    no_network,
    no_show,
    no_swallowed_error,
    links_resolve,
    exercises_exist,
    exercises_pointed_to,
    exercise_sources,
    slide_marks,
    section_slides,
    lecture_time,
    outputs,
    size,
)


def lint(course: Course, stem: str) -> list[Finding]:
    """All findings in one lesson, rule by rule."""
    lesson = Lesson(course, stem)
    try:
        for _, _, _ in lesson.trees():
            pass
    except (SyntaxError, BuildError) as error:
        return [lesson.finding(None, "source", f"the source cannot be read: {error}")]
    return [finding for rule in RULES for finding in rule(lesson)]


def main(
    stem: Annotated[str | None, typer.Option(help="only this lesson, such as 01_perceptron")] = None,
    root: Annotated[Path, typer.Option(help="the course's root folder")] = REPOSITORY,
) -> None:
    """Say where lessons break the rules of CONTRIBUTING.md; exit status 1 if they do."""
    course = Course(root.resolve())
    stems = [stem] if stem else course.stems()
    found = [finding for each in stems for finding in lint(course, each)]
    for finding in found:
        typer.echo(str(finding))
    typer.echo(f"{len(stems)} lessons, {len(found)} findings")
    if found:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
