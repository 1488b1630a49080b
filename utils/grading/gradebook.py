"""Marks into nbgrader's gradebook: Formgrader, manual marks, late penalties and exports work as usual.

Nothing of nbgrader's autograder is used, since it runs a submission beside its tests and the gradebook. Its
gradebook, its late penalties and its folders are: after a run the course folder looks as if ``nbgrader
autograde`` and ``nbgrader generate_feedback`` had been there.
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.checks.result import PASSED

from .examine import Mark
from .intake import Unreadable, read_notebook
from .report import ByHand, message, page
from .run import REPOSITORY, Marked, exercises_of

NO_RESPONSE = ("not started", "not found", "not handed in")
# put beside a submission by nbgrader's exchange; `nbgrader release_feedback` wants it beside the feedback
EXCHANGED = ("timestamp.txt", "submission_secret.txt")
WRITTEN = "# a text cell, as it was written:"
_LARGEST_EXCHANGED = 4096  # bytes; they are written by the student's own process


def cell_name(exercise_id: str, role: str) -> str:
    """nbgrader's name of an exercise's cell, as the released notebooks carry it."""
    return f"{exercise_id}.{role}".replace(".", "_")


def write_gradebook(url: str, all_marked: Sequence[Marked], submitted: Path | None = None) -> None:
    """Write all marks into a gradebook; one that a teacher gave by hand stays.

    Args:
        url: the gradebook, as ``sqlite:////full/path/gradebook.db``.
        all_marked: the run's marks.
        submitted: nbgrader's folder of submissions; its time stamps are taken over.
    """
    _tools_on_path()
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SAWarning

    with warnings.catch_warnings(), Gradebook(url) as book:
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, at every new submission
        for name, stem in dict.fromkeys((m.set, m.stem) for m in all_marked if m.stem):
            _ensure_assignment(book, name, stem)
        for marked in all_marked:
            if marked.stem and marked.file:
                _write_marks(book, marked, _timestamp(submitted, marked))


def _tools_on_path() -> None:
    """nbgrader makes a new gradebook with a command, alembic, which lies beside this Python."""
    own = str(Path(sys.executable).parent)
    if own not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = f"{own}{os.pathsep}{os.environ.get('PATH', '')}"


def _ensure_assignment(book, name: str, stem: str) -> None:
    """The assignment with its notebook and cells: as ``nbgrader generate_assignment`` left them, else new."""
    from nbgrader.api import MissingEntry

    book.update_or_create_assignment(name)
    try:
        book.find_notebook(stem, name)
    except MissingEntry:
        book.add_notebook(stem, name)
    for exercise in exercises_of(stem):
        check, work = cell_name(exercise.id, "check"), cell_name(exercise.id, "work")
        book.update_or_create_grade_cell(
            check, stem, name, max_score=float(exercise.points), cell_type="code"
        )
        book.update_or_create_solution_cell(work, stem, name)


def _write_marks(book, marked: Marked, timestamp) -> None:
    book.update_or_create_student(marked.student)
    more = {"timestamp": timestamp} if timestamp else {}
    book.update_or_create_submission(marked.set, marked.student, **more)
    notebook = _complete(book, marked)
    grades = {grade.cell.name: grade for grade in notebook.grades}  # one query, not one for each exercise
    comments = {comment.cell.name: comment for comment in notebook.comments}
    for mark in marked.marks:
        grade = grades[cell_name(mark.exercise, "check")]
        grade.auto_score = mark.points
        grade.needs_manual_grade = grade.manual_score is not None  # as nbgrader does: look at it again
        comment = comments[cell_name(mark.exercise, "work")]
        comment.auto_comment = "No response." if mark.status in NO_RESPONSE else None
    book.db.commit()


def _complete(book, marked: Marked):
    """The notebook of a submission, with a place for each mark.

    nbgrader makes the places once, when it first hears of a submission. What the set has got since then,
    another notebook or another exercise, is added here.
    """
    from nbgrader.api import Comment, Grade, SubmittedNotebook

    source = book.find_notebook(marked.stem, marked.set)
    submission = book.find_submission(marked.set, marked.student)
    notebook = next((n for n in submission.notebooks if n.notebook_id == source.id), None)
    if notebook is None:
        notebook = SubmittedNotebook(notebook=source, assignment=submission)
    for kind, have, cells in (
        (Grade, notebook.grades, source.grade_cells),
        (Comment, notebook.comments, source.solution_cells),
    ):
        there = {one.cell_id for one in have}
        for cell in cells:
            if cell.id not in there:
                kind(cell_id=cell.id, notebook=notebook)
    book.db.add(notebook)
    book.db.commit()
    return notebook


def _timestamp(submitted: Path | None, marked: Marked):
    """When it was handed in, from nbgrader's file beside the notebook."""
    from nbgrader.utils import parse_utc

    if submitted is None:
        return None
    file = _time_file(submitted, marked)
    if _small(file):
        with suppress(OSError, ValueError, OverflowError):
            return parse_utc(file.read_text(encoding="utf-8").strip())
    return None


def _time_file(submitted: Path, marked: Marked) -> Path:
    return submitted / marked.student / marked.set / "timestamp.txt"


def unreadable_times(submitted: Path, all_marked: Iterable[Marked]) -> list[Path]:
    """The files of nbgrader's in which no time can be read: nobody is late by them, and Formgrader stops."""
    there = {(m.student, m.set): m for m in all_marked if _time_file(submitted, m).exists()}
    return [_time_file(submitted, m) for m in there.values() if _timestamp(submitted, m) is None]


# ---------------------------------------------------------------------------------- the course folder


def apply_late_penalties(course: Path, all_marked: Iterable[Marked]) -> None:
    """Let nbgrader's own plugin, as the course's configuration names it, take points off what came late."""
    from nbgrader.preprocessors import AssignLatePenalties

    config = _config(course)
    for marked in all_marked:
        if not marked.stem or not marked.file:
            continue
        resources = {
            "nbgrader": {
                "notebook": marked.stem,
                "assignment": marked.set,
                "student": marked.student,
                "db_url": database(course),
            }
        }
        AssignLatePenalties(config=config).preprocess(nbformat.v4.new_notebook(), resources)


def _config(course: Path):
    """The course's nbgrader_config.py; an empty configuration where there is none."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    file = course / "nbgrader_config.py"
    return PyFileConfigLoader(file.name, path=str(course)).load_config() if file.exists() else Config()


def database(course: Path) -> str:
    """The URL of a course folder's gradebook."""
    return f"sqlite:///{course.resolve() / 'gradebook.db'}"


def write_course(
    course: Path, pairs: Iterable[tuple[Marked, Path | None]], *, withhold: bool = False
) -> None:
    """Fill ``autograded/`` and ``feedback/`` of a course folder.

    Formgrader shows a teacher what lies in ``autograded/``, in the browser, and runs script that stands there
    (``HTMLExporter.sanitize_html`` does not reach its text cells). So outputs are left out, what the grader
    says stands in their place, and text that is not the course's own is shown as it was typed. What the
    teacher added in Formgrader stands in the feedback, too.
    """
    pairs = list(pairs)
    by_hand = given_by_hand(database(course), [marked for marked, _ in pairs])
    for marked, path in pairs:
        if path is None or not marked.stem:
            continue
        target = course / "autograded" / marked.student / marked.set
        feedback = course / "feedback" / marked.student / marked.set
        for folder in (target, feedback):
            folder.mkdir(parents=True, exist_ok=True)
            for name in EXCHANGED:
                _copy_small(path.parent / name, folder / name)
        try:
            notebook = for_formgrader(read_notebook(path), marked)
        except Unreadable:
            notebook = for_formgrader(nbformat.v4.new_notebook(), marked)
        nbformat.write(notebook, target / f"{marked.stem}.ipynb")
        text = page(
            marked.student,
            [marked],
            withhold=withhold,
            by_hand=by_hand[marked.student, marked.set, marked.stem],
        )
        (feedback / f"{marked.stem}.html").write_text(text, encoding="utf-8")


def given_by_hand(url: str, all_marked: Iterable[Marked]) -> dict[tuple[str, str, str], ByHand]:
    """What the gradebook holds beyond the computed marks, by student, set and stem."""
    from nbgrader.api import Gradebook, MissingEntry

    found = {}
    with Gradebook(url) as book:
        for marked in all_marked:
            place = marked.student, marked.set, marked.stem
            found[place] = ByHand()
            with suppress(MissingEntry):
                found[place] = _given(
                    book.find_submission_notebook(marked.stem, marked.set, marked.student), marked
                )
    return found


def _given(notebook, marked: Marked) -> ByHand:
    grades = {grade.cell.name: grade for grade in notebook.grades}
    comments = {comment.cell.name: comment.manual_comment for comment in notebook.comments}
    points, said = {}, {}
    for mark in marked.marks:
        grade = grades[cell_name(mark.exercise, "check")]
        if grade.manual_score is not None or grade.extra_credit:
            points[mark.exercise] = grade.score
        if comment := comments.get(cell_name(mark.exercise, "work")):
            said[mark.exercise] = comment
    return ByHand(points, said, notebook.late_submission_penalty or 0.0)


def _copy_small(source: Path, target: Path) -> None:
    """Copy a small ordinary file if it is there; nothing else that may lie in its place."""
    target.unlink(missing_ok=True)
    if _small(source):
        shutil.copyfile(source, target)


def _small(file: Path) -> bool:
    """Whether there is a small ordinary file: no link, and no pipe, which would be read for ever."""
    return file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST_EXCHANGED


def for_formgrader(notebook: NotebookNode, marked: Marked) -> NotebookNode:
    """The submission as Formgrader needs it: each exercise's two cells once, marked as they were released.

    Below each check stands what the grader has to say. Text cells of the learner's own become code cells,
    which are shown and never rendered: in Markdown script has too many ways in.
    """
    own = course_texts(marked.stem)
    said = {cell_name(mark.exercise, "check"): in_words(mark) for mark in marked.marks}
    exercises = {exercise.id: exercise for exercise in exercises_of(marked.stem)}
    wanted = {cell_name(name, role): (name, role) for name in exercises for role in ("work", "check")}
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        if cell.cell_type != "code" and cell.source not in own:
            cell = nbformat.v4.new_code_cell(f"{WRITTEN}\n\n{cell.source}", metadata=cell.metadata)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        place = wanted.pop(name, None) if isinstance(name, str) else None
        cell.metadata = nbformat.from_dict({"nbgrader": _marks(*place, exercises)} if place else {})
        cells.append(cell)
    for name, role in wanted.values():  # deleted by the learner, needed to show the points
        cell = nbformat.v4.new_code_cell("# This cell was not in the notebook that was handed in.")
        cell.metadata["nbgrader"] = nbformat.from_dict(_marks(name, role, exercises))
        cells.append(cell)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        words = said.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if words and cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=words)]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return made


@cache
def course_texts(stem: str) -> frozenset[str]:
    """The text cells of a set as the course hands it out."""
    path = REPOSITORY / "notebooks" / "exercises" / f"{stem}.ipynb"
    if not path.is_file():
        return frozenset()
    return frozenset(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"
    )


def in_words(mark: Mark) -> str:
    """An exercise's mark with its reasons, as plain text."""
    lines = [f"{mark.points:g} of {mark.of:g} points: {mark.status}", message(mark), mark.hint, *mark.notes]
    if mark.groups and mark.status != PASSED:
        counts = (f"{group} {right} of {number}" for group, (right, number) in mark.groups.items())
        lines.append(f"Cases right: {', '.join(counts)}.")
    return "\n".join(line for line in lines if line) + "\n"


def _marks(name: str, role: str, exercises: dict) -> dict:
    marks = {
        "schema_version": 3,
        "grade_id": cell_name(name, role),
        "cell_type": "code",
        "grade": role == "check",
        "locked": role == "check",
        "solution": role == "work",
        "task": False,
    }
    return marks | ({"points": float(exercises[name].points)} if role == "check" else {})
