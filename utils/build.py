"""Source text in, notebooks out: lessons (executed), exercises, solutions and the README's lesson table.

Everything under ``notebooks/source/`` is text edited by hand; the notebooks are made from it here::

    python -m utils.build                                what is out of date
    python -m utils.build lessons --stem 01_perceptron   one part, one lesson
    python -m utils.build --check                        write nothing, fail where something is out of date
    python -m utils.build new-lesson 03_broadcasting     begin a lesson from the template

A lesson is executed again only when its code differs from the stored notebook's (or with ``--force``), so a
corrected sentence keeps the stored pictures, and a second build changes nothing.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import importlib.util
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import jupytext
import nbformat
import typer
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from utils.checks.exercise import Exercise
from utils.checks.source import ExerciseSource, ExerciseSourceError, parse_exercise

REPOSITORY = Path(__file__).resolve().parents[1]
KERNEL = "python3"
CELL_TIMEOUT = 120  # seconds
NEW_CELL = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
PARTS = ("lessons", "exercises", "solutions", "readme")
TABLE_BEGIN, TABLE_END = "<!-- lessons: made by make build -->", "<!-- lessons end -->"
DIFF_LINES = 60
LAYOUT = ("lines_to_next_cell", "lines_to_end_of_cell_marker")  # jupytext's notes on blank lines
STEM = re.compile(r"\d\d_[a-z][a-z0-9_]*")
LIVE_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model of one run, so it is never stored
CALL = "explorer"  # in the metadata of an explorer's output: what it was handed, for the web site
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": KERNEL},
    "language_info": {  # without the version: the same file on every Python
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


class BuildError(RuntimeError):
    """A source that cannot be built; the message names the file, the cell and what went wrong."""


@dataclass(frozen=True)
class Course:
    """The folders of one course, found from its root."""

    root: Path = REPOSITORY

    @property
    def notebooks(self) -> Path:
        """Where the lessons lie; they are executed with this as their working directory."""
        return self.root / "notebooks"

    def source(self, kind: str, stem: str) -> Path:
        """The source text of one lesson (``kind="lessons"``) or of its exercises (``kind="exercises"``)."""
        return self.notebooks / "source" / kind / f"{stem}.py"

    def notebook(self, kind: str, stem: str) -> Path:
        """The built notebook: kind is ``lessons``, ``exercises`` or ``solutions``."""
        folder = self.notebooks if kind == "lessons" else self.notebooks / kind
        return folder / f"{stem}.ipynb"

    def checks(self, stem: str) -> Path:
        """The module that holds the lesson's exercises as data."""
        return self.root / "utils" / "checks" / f"lesson_{stem}.py"

    def stems(self, kind: str = "lessons") -> list[str]:
        """All stems that have a source of this kind, in the order of the course."""
        folder = self.notebooks / "source" / ("lessons" if kind == "lessons" else "exercises")
        stems = sorted(path.stem for path in folder.glob("*.py"))
        for stem in stems:
            if not STEM.fullmatch(stem):
                raise BuildError(f"{folder / stem}.py: call it NN_stem.py, as in 03_broadcasting.py")
        return stems


# --- cells -----------------------------------------------------------------------------------------------


def read_source(path: Path) -> list[NotebookNode]:
    """Read a percent-format source into cells, with their metadata as written there."""
    cells = jupytext.read(path, fmt="py:percent").cells
    for cell in cells:
        for key in LAYOUT:
            cell.metadata.pop(key, None)
    return cells


def cell_ids(stem: str, cells: Iterable[NotebookNode]) -> list[str]:
    """Ids made from what is in each cell, so that editing one cell changes that cell's id and no other.

    Equal cells of one notebook are told apart by a counter.
    """
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        digest = hashlib.sha256(f"{stem}\n{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook with these cells and the course's fixed metadata."""
    notebook = nbformat.v4.new_notebook(metadata=nbformat.from_dict(METADATA), cells=cells)
    notebook.nbformat_minor = 5
    return notebook


def lesson_notebook(stem: str, source: Path) -> NotebookNode:
    """The lesson as its source gives it, not yet executed.

    Raises:
        BuildError: a cell is neither code nor Markdown, or carries metadata other than tags and slide marks.
    """
    cells = read_source(source)
    built = []
    for number, (cell, cell_id) in enumerate(zip(cells, cell_ids(stem, cells), strict=True), start=1):
        extra = set(cell.metadata) - {"tags", "slideshow"}
        if extra:
            raise BuildError(
                f"{source}, cell {number}: cells carry only tags and slideshow, not {sorted(extra)}"
            )
        make = NEW_CELL.get(cell.cell_type)
        if make is None:
            raise BuildError(f"{source}, cell {number}: a {cell.cell_type} cell; use code or [markdown]")
        built.append(make(cell.source, id=cell_id, metadata=dict(cell.metadata)))
    return new_notebook(built)


# --- outputs ---------------------------------------------------------------------------------------------


def strip_png(data: bytes) -> bytes:
    """The same picture without the chunks that say which program made it and when."""
    signature, position, kept = data[:8], 8, []
    if signature != b"\x89PNG\r\n\x1a\n":
        return data
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        chunk = data[position : position + 12 + length]  # length, type, data, checksum
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"):
            kept.append(chunk)
        position += len(chunk)
    return signature + b"".join(kept)


def clean_outputs(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """What is stored of a cell's outputs: whatever comes again at the next run, and nothing else."""
    cleaned: list[NotebookNode] = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if output.output_type == "stream":
            before = cleaned[-1] if cleaned else None
            if before is not None and before.output_type == "stream" and before.name == output.name:
                before.text += output.text
                continue
        elif "data" in output:
            output.data.pop(LIVE_VIEW, None)
            call = output.metadata.get(CALL)
            output.metadata = NotebookNode({CALL: call} if call else {})
            if "image/png" in output.data:
                picture = strip_png(base64.b64decode(output.data["image/png"]))
                output.data["image/png"] = base64.b64encode(picture).decode()
            if not output.data:
                continue
        cleaned.append(output)
    return cleaned


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def take_outputs(built: NotebookNode, stored: NotebookNode | None) -> bool:
    """Put the stored outputs into ``built`` if its code is what the stored notebook ran.

    Returns:
        Whether that was possible; if not, the lesson has to be executed.
    """
    if stored is None:
        return False
    new, old = code_cells(built), code_cells(stored)
    if [cell.source for cell in new] != [cell.source for cell in old]:
        return False
    if [cell.execution_count for cell in old] != list(range(1, len(old) + 1)):
        return False
    for count, (cell, before) in enumerate(zip(new, old, strict=True), start=1):
        cell.execution_count = count
        cell.outputs = clean_outputs(before.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return True


def execute(course: Course, notebook: NotebookNode, source: Path) -> None:
    """Run the notebook from top to bottom in a fresh kernel and keep what it put out.

    Args:
        course: its notebooks' folder is the kernel's working directory, its utils are what is imported.
        notebook: changed in place: outputs and execution counts.
        source: named in messages.

    Raises:
        BuildError: a cell raised, wrote to stderr, took over `CELL_TIMEOUT` seconds or killed the kernel.
    """
    reached: list[tuple[int, NotebookNode]] = []
    with tempfile.TemporaryDirectory(prefix="n2t-build-") as private:
        # Neither the builder's own IPython settings nor the record of passed exercises may show in a lesson.
        env = os.environ | {"N2T_PROGRESS": f"{private}/progress.json", "IPYTHONDIR": f"{private}/ipython"}
        env["PYTHONPATH"] = str(course.root)  # wherever another copy is installed
        env.setdefault("N2T_DEVICE", "cpu")  # which every machine has
        env.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two lessons at once: waiting threads must not spin
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name=KERNEL,
            resources={"metadata": {"path": str(course.notebooks)}},
            store_widget_state=False,
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # the kernel's own notices are of no use here
            on_cell_start=lambda cell, cell_index: reached.append((cell_index + 1, cell)),
        )
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            where = cell_name(*reached[-1])
            raise BuildError(f"{source}, {where}: the cell raised\n{plain(error.traceback)}") from None
        except CellTimeoutError:
            message = f"the cell took more than {CELL_TIMEOUT} seconds"
            raise BuildError(f"{source}, {cell_name(*reached[-1])}: {message}") from None
        except DeadKernelError:
            raise BuildError(f"{source}, {cell_name(*reached[-1])}: the kernel died") from None
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = clean_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                where = cell_name(number, cell)
                raise BuildError(f"{source}, {where}: the cell wrote to stderr\n{output.text.rstrip()}")
    notebook.metadata = nbformat.from_dict(METADATA)  # nbclient adds the Python version


def cell_name(number: int, cell: NotebookNode) -> str:
    """How messages name a cell: its number in the source and its first line of code."""
    lines = cell.source.splitlines()
    return f"cell {number} ({lines[0] if lines else 'empty'})"


def plain(text: str) -> str:
    """A traceback without the terminal's colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip()


# --- exercises -------------------------------------------------------------------------------------------


def load_exercises(course: Course, stem: str) -> dict[str, Exercise]:
    """The lesson's exercises by id, from its module under ``utils/checks``; none where there is no module."""
    path = course.checks(stem)
    if not path.exists():
        return {}
    spec = importlib.util.spec_from_file_location(f"utils.checks.lesson_{stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {exercise.id: exercise for exercise in module.EXERCISES}


def exercise_notebook(course: Course, stem: str, *, solved: bool) -> NotebookNode:
    """The exercise notebook of one lesson: for the learner to fill in, or (``solved``) with the answers.

    Raises:
        BuildError: an exercise's source cell is not as it should be, or the ids in the source and in the
            checks module are not the same in the same order.
    """
    source, exercises = course.source("exercises", stem), load_exercises(course, stem)
    cells = read_source(source)
    found = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
    if found != list(exercises):
        raise BuildError(
            f"{source}: its exercises are {found}, but {course.checks(stem).name} has {list(exercises)}"
        )
    built: list[NotebookNode] = []
    for number, (cell, cell_id) in enumerate(zip(cells, cell_ids(stem, cells), strict=True), start=1):
        if "exercise" not in cell.metadata:
            built.append(NEW_CELL[cell.cell_type](cell.source, id=cell_id))
            continue
        try:
            parts = parse_exercise(cell.source)
        except ExerciseSourceError as error:
            raise BuildError(f"{source}, cell {number} ({cell.metadata['exercise']}): {error}") from None
        split = solution_cells if solved else student_cells
        built.extend(split(exercises[cell.metadata["exercise"]], parts))
    if solved:
        link = f"These are the **solutions**. The exercises to fill in: [{stem}](../exercises/{stem}.ipynb)."
        built[0].source += f"\n\n{link}"
    return new_notebook(built)


def student_cells(exercise: Exercise, parts: ExerciseSource) -> list[NotebookNode]:
    """Statement, stub and check of one exercise, marked for nbgrader.

    The learner's cell is an nbgrader solution cell, the check below it a locked test cell that carries the
    points, the statement locked text.
    """
    stuck = f'Stuck? Run `hint("{exercise.id}")` in a new cell.'
    check = f'check("{exercise.id}", {exercise.name})'
    return [
        exercise_cell(exercise, "statement", f"{parts.statement}\n\n{stuck}", locked=True),
        exercise_cell(exercise, "work", parts.unsolved, solution=True),
        exercise_cell(exercise, "check", check, grade=True, locked=True, points=exercise.points),
    ]


def solution_cells(exercise: Exercise, parts: ExerciseSource) -> list[NotebookNode]:
    """Statement, solution, check and explanation of one exercise, without marks for nbgrader."""
    check = f'check("{exercise.id}", {exercise.name})'
    texts = {
        "statement": parts.statement,
        "work": parts.solved,
        "check": check,
        "explanation": parts.explanation,
    }
    return [exercise_cell(exercise, role, text) for role, text in texts.items()]


def exercise_cell(exercise: Exercise, role: str, text: str, **nbgrader: bool | int) -> NotebookNode:
    """One cell of an exercise. Its id names the exercise and the role, so no edit changes it.

    Args:
        role: statement, work, check or explanation.
        nbgrader: the marks that are not false (``solution=True`` …); none for a cell nbgrader ignores.
    """
    make = nbformat.v4.new_code_cell if role in ("work", "check") else nbformat.v4.new_markdown_cell
    metadata = {}
    if nbgrader:
        plain_marks = {"grade": False, "locked": False, "solution": False, "task": False}
        grade_id = f"{exercise.id}.{role}".replace(".", "_")
        metadata["nbgrader"] = {"schema_version": 3, "grade_id": grade_id, **plain_marks, **nbgrader}
    return make(text, id=f"{exercise.id}-{role}".replace(".", "-"), metadata=metadata)


# --- the README's table ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What the first two cells of a lesson say about it."""

    title: str
    question: str
    goals: list[str]
    needs: str
    read: str
    run: str


def lesson_facts(cells: list[NotebookNode]) -> Facts:
    """Read title, question, goals and times from a lesson's first two cells; what is not there is empty."""
    first, second = (cells[i].source if len(cells) > i else "" for i in (0, 1))

    def find(pattern: str, text: str) -> str:
        match = re.search(pattern, text, re.MULTILINE)
        return match[1].strip() if match else ""

    return Facts(
        title=find(r"\A# (.+)$", first),
        question=find(r"^\*\*The question:\*\*\s+(.+)$", first),
        goals=re.findall(r"^- (.+)$", second, re.MULTILINE),
        needs=find(r"^\*\*Needs:\*\* (.+?) · \*\*Read:\*\*", second),
        read=find(r"· \*\*Read:\*\* (.+?) · \*\*Run:\*\*", second),
        run=find(r"· \*\*Run:\*\* (.+)$", second),
    )


def lesson_table(course: Course) -> str:
    """The table of lessons as Markdown, made from the lessons' own first cells."""
    rows = ["| lesson | the question | read | run | exercises |", "|---|---|---|---|---|"]
    for stem in course.stems():
        facts = lesson_facts(read_source(course.source("lessons", stem)))
        count = len(load_exercises(course, stem))
        link = f"[{count}](notebooks/exercises/{stem}.ipynb)" if count else "–"
        run = re.sub(r" on two CPU cores$", "", facts.run)
        title = f"[{facts.title}](notebooks/{stem}.ipynb)"
        rows.append(f"| {title} | {facts.question} | {facts.read} | {run} | {link} |")
    return "\n".join(rows)


def readme_text(course: Course) -> str:
    """README.md with the lesson table as it should be.

    Raises:
        BuildError: the two comments between which the table stands are not there.
    """
    path = course.root / "README.md"
    before, begin, rest = path.read_text(encoding="utf-8").partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not end:
        raise BuildError(f"{path}: the lesson table needs the lines {TABLE_BEGIN} and {TABLE_END} around it")
    return f"{before}{begin}\n{lesson_table(course)}\n{end}{after}"


# --- building --------------------------------------------------------------------------------------------


def read_notebook(path: Path) -> NotebookNode | None:
    """The stored notebook, or None where there is none yet.

    Raises:
        BuildError: the file is not a notebook (half merged, say).
    """
    if not path.exists():
        return None
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise BuildError(f"{path}: not a valid notebook; delete it and build again\n{error}") from None


def serialise(notebook: NotebookNode) -> str:
    """The notebook as the text of its file: valid, keys in order, one newline at the end."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write_text(path: Path, text: str) -> bool:
    """Replace a file in one step, and only if its text changes. Returns whether it did."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=".build-", delete=False
    ) as file:
        new = Path(file.name)
        file.write(text)
    try:
        new.chmod(0o644)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


def build_lesson(course: Course, stem: str, *, force: bool = False) -> bool:
    """Bring one lesson's notebook up to date; run it if its code changed. Returns whether the file did."""
    source, target = course.source("lessons", stem), course.notebook("lessons", stem)
    notebook = lesson_notebook(stem, source)
    if force or not take_outputs(notebook, read_notebook(target)):
        execute(course, notebook, source)
    return write_text(target, serialise(notebook))


def build_lessons(course: Course, stems: list[str], *, force: bool = False) -> list[Path]:
    """Build several lessons, two at a time. Returns the files that changed.

    Raises:
        BuildError: after all have been tried, with the message of each that failed.
    """
    changed, failed = [], []
    with ThreadPoolExecutor(max_workers=2) as pool:  # the work is done in the kernels' own processes
        jobs = {stem: pool.submit(build_lesson, course, stem, force=force) for stem in stems}
    for stem, job in jobs.items():
        try:
            if job.result():
                changed.append(course.notebook("lessons", stem))
        except BuildError as error:
            failed.append(str(error))
    if failed:
        raise BuildError("\n\n".join(failed))
    return changed


def build_exercises(course: Course, stem: str, *, solved: bool, force: bool = False) -> bool:
    """Bring one exercise or solution notebook up to date. Returns whether the file changed.

    Raises:
        BuildError: the stored exercise notebook has been worked in: it would be lost (``force`` overwrites).
    """
    target = course.notebook("solutions" if solved else "exercises", stem)
    stored = read_notebook(target)
    if stored is not None and not force and not solved and any(c.outputs for c in code_cells(stored)):
        raise BuildError(f"{target}: someone has worked in it; move it away, or overwrite it with --force")
    return write_text(target, serialise(exercise_notebook(course, stem, solved=solved)))


def build(
    course: Course, parts: Iterable[str] = PARTS, stem: str | None = None, *, force: bool = False
) -> list[Path]:
    """Build the given parts, of one lesson or of all. Returns the files that changed."""
    changed = []
    for part in parts:
        stems = pick(course, part, stem)
        if part == "lessons":
            changed += build_lessons(course, stems, force=force)
        elif part == "readme":
            path = course.root / "README.md"
            changed += [path] if write_text(path, readme_text(course)) else []
        else:
            solved = part == "solutions"
            changed += [
                course.notebook(part, each)
                for each in stems
                if build_exercises(course, each, solved=solved, force=force)
            ]
    return changed


def pick(course: Course, part: str, stem: str | None) -> list[str]:
    """The stems to build of one part.

    Raises:
        BuildError: there is no lesson of the name that was asked for.
    """
    if stem is None or part == "readme":
        return course.stems(part) if part != "readme" else []
    if stem not in course.stems("lessons") + course.stems("exercises"):
        raise BuildError(f"no source for {stem}; there are: {', '.join(course.stems())}")
    return [stem] if course.source("lessons" if part == "lessons" else "exercises", stem).exists() else []


# --- checking --------------------------------------------------------------------------------------------


def outline(notebook: NotebookNode) -> list[str]:
    """The notebook as lines of text without outputs: what a person compares."""
    lines = ["--- notebook", *json.dumps(notebook.metadata, indent=1, sort_keys=True).splitlines()]
    for number, cell in enumerate(notebook.cells, start=1):
        count = f" run {cell.execution_count}" if cell.cell_type == "code" else ""
        marks = json.dumps(cell.metadata, sort_keys=True)
        lines += [f"--- cell {number} {cell.cell_type}{count} id {cell.get('id')} {marks}"]
        lines += cell.source.splitlines()
    return lines


def difference(expected: NotebookNode, path: Path) -> str:
    """How the stored notebook differs from what its source gives: a diff in words, empty if it does not."""
    stored_text, expected_text = path.read_text(encoding="utf-8"), serialise(expected)
    if stored_text == expected_text:
        return ""
    stored = outline(read_notebook(path))
    lines = list(
        difflib.unified_diff(stored, outline(expected), "stored", "from the source", n=1, lineterm="")
    )
    if not lines:  # the same cells: the difference is in the outputs or in how the file is written
        lines = list(
            difflib.unified_diff(
                stored_text.splitlines(),
                expected_text.splitlines(),
                "stored",
                "from the source",
                n=1,
                lineterm="",
            )
        )
    shown = [line if len(line) <= 200 else f"{line[:200]}…" for line in lines[:DIFF_LINES]]
    return "\n".join(
        [*shown, f"… {len(lines) - DIFF_LINES} more lines"] if len(lines) > DIFF_LINES else shown
    )


def expected_notebook(course: Course, part: str, stem: str) -> NotebookNode:
    """What the sources give, with the stored outputs where the stored notebook ran the same code."""
    if part != "lessons":
        return exercise_notebook(course, stem, solved=part == "solutions")
    notebook = lesson_notebook(stem, course.source("lessons", stem))
    if not take_outputs(notebook, read_notebook(course.notebook("lessons", stem))):
        for count, cell in enumerate(code_cells(notebook), start=1):
            cell.execution_count = count
    return notebook


def problems(course: Course, parts: Iterable[str] = PARTS, stem: str | None = None) -> list[str]:
    """Everything in which the built files differ from what the sources give; empty when all is well.

    Outputs are not compared with a new run (nbval does that), only with the rules for storing them.
    """
    found = []
    for part in parts:
        if part == "readme":
            readme = course.root / "README.md"
            if readme.read_text(encoding="utf-8") != readme_text(course):
                found.append(f"{readme}: the lesson table is not what the lessons say")
            continue
        for each in pick(course, part, stem):
            path = course.notebook(part, each)
            if not path.exists():
                found.append(f"{path}: missing")
                continue
            try:
                text = difference(expected_notebook(course, part, each), path)
            except BuildError as error:
                found.append(str(error))
                continue
            if text:
                found.append(f"{path}: differs from its source\n{text}")
        if stem is None:
            found += [f"{path}: left over, its source is gone" for path in left_over(course, part)]
    return found


def left_over(course: Course, part: str) -> list[Path]:
    """Notebooks with a lesson's kind of name but without a source."""
    stems = course.stems(part)
    folder = course.notebook(part, "any").parent
    return [p for p in sorted(folder.glob("*.ipynb")) if STEM.fullmatch(p.stem) and p.stem not in stems]


# --- a new lesson ----------------------------------------------------------------------------------------


def new_lesson(course: Course, stem: str) -> list[Path]:
    """Write a lesson's source, exercise source and checks module from the template.

    Args:
        stem: the new lesson's identity, such as ``03_broadcasting``.

    Returns:
        The three new files.

    Raises:
        BuildError: the stem is not well formed, or its number or one of its files is taken.
    """
    if not STEM.fullmatch(stem):
        raise BuildError(f"{stem!r} is not a stem: two digits and a name, such as 03_broadcasting")
    number, name = stem.split("_", 1)
    taken = [each for each in course.stems() if each.startswith(number)]
    targets = {
        "lesson.py": course.source("lessons", stem),
        "exercises.py": course.source("exercises", stem),
        "checks.py": course.checks(stem),
    }
    taken += [str(path) for path in targets.values() if path.exists()]
    if taken:
        raise BuildError(f"{stem}: already there: {', '.join(taken)}")
    before = max((each for each in course.stems() if each < stem), default="00_start_here")
    words = {
        "99_template": stem,
        "98_before": before,
        "lesson 98": f"lesson {before[:2]}",
        "lesson 99": f"lesson {number}",
        "99.": f"{number}.",
        "99 ·": f"{number} ·",
        "New lesson": name.replace("_", " ").capitalize(),
    }
    for file, target in targets.items():
        text = (course.notebooks / "source" / "template" / file).read_text(encoding="utf-8")
        for word, replacement in words.items():
            text = text.replace(word, replacement)
        write_text(target, text)
    return list(targets.values())


# --- command line ----------------------------------------------------------------------------------------


class What(StrEnum):
    """What can be asked for on the command line."""

    all = "all"
    lessons = "lessons"
    exercises = "exercises"
    solutions = "solutions"
    readme = "readme"
    new_lesson = "new-lesson"


def main(
    what: Annotated[What, typer.Argument(help="which part to build")] = What.all,
    name: Annotated[str | None, typer.Argument(help="with new-lesson: its stem")] = None,
    stem: Annotated[str | None, typer.Option(help="only this lesson, such as 01_perceptron")] = None,
    force: Annotated[bool, typer.Option("--force", help="run lessons whose code is unchanged, too")] = False,
    check: Annotated[bool, typer.Option("--check", help="write nothing, show what is out of date")] = False,
    root: Annotated[Path, typer.Option(help="the course's root folder")] = REPOSITORY,
) -> None:
    """Make the notebooks from their sources."""
    course = Course(root.resolve())
    try:
        if what is What.new_lesson:
            written = new_lesson(course, name or stem or "")
        elif name is not None:
            raise BuildError(f"what is {name!r} for? One lesson is chosen with --stem {name}")
        else:
            parts = PARTS if what is What.all else (what.value,)
            if check:
                report(problems(course, parts, stem))
                return
            written = build(course, parts, stem, force=force)
    except BuildError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for path in written:
        typer.echo(f"wrote {path.relative_to(course.root)}")
    if not written:
        typer.echo("everything is up to date")


def report(found: list[str]) -> None:
    """Say what `problems` found; exit status 1 if there is anything."""
    if found:
        typer.echo("\n\n".join(found) + "\n\nRun make build and commit what it changes.", err=True)
        raise typer.Exit(1)
    typer.echo("notebooks and sources agree")


if __name__ == "__main__":
    typer.run(main)
