"""The text of an exercise: statement, stub, solution and explanation, read from its source cell.

An exercise is one cell of ``notebooks/source/exercises/NN_stem.py``, divided by lines that begin with
``# ===``: ``statement``, ``code`` (with ``solution`` … ``stub`` … ``end`` inside, once or more often),
``explanation``. Statement and explanation are Markdown written as comment lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "notebooks" / "source" / "exercises"

_MARKER = re.compile(r"^\s*# === (?P<word>\w[\w ]*?)\s*$")
# which marker may follow which
_FOLLOWS = {
    None: {"statement"},
    "statement": {"code"},
    "code": {"solution"},
    "solution": {"stub"},
    "stub": {"end"},
    "end": {"solution", "explanation"},
    "explanation": set(),
}


class ExerciseSourceError(ValueError):
    """A source cell whose markers are missing, unknown or out of order."""


@dataclass(frozen=True)
class ExerciseSource:
    """The parts of one exercise's source cell.

    Attributes:
        statement: the task, Markdown.
        head: the code before the first solution, the same for everybody (often the ``def`` line).
        solution: the lines of the solution (of all blocks, if there are several).
        stub: the lines that stand there instead in the learner's notebook.
        solved: the whole code cell with the solution.
        unsolved: the whole code cell with the stub.
        explanation: why the solution is right, Markdown.
    """

    statement: str
    head: str
    solution: str
    stub: str
    solved: str
    unsolved: str
    explanation: str


def parse_exercise(cell_source: str) -> ExerciseSource:
    """Divide the text of an exercise's source cell into its parts.

    Args:
        cell_source: the cell's text, beginning with ``# === statement``.

    Raises:
        ExerciseSourceError: if a marker is missing, unknown or out of order; the message says which.
    """
    parts: list[tuple[str | None, list[str]]] = [(None, [])]
    for number, line in enumerate(cell_source.splitlines(), start=1):
        match = _MARKER.match(line)
        if match is None:
            parts[-1][1].append(line)
            continue
        word, before = match["word"], parts[-1][0]
        if word not in _FOLLOWS[before]:
            expected = " or ".join(sorted(_FOLLOWS[before])) or "nothing more"
            raise ExerciseSourceError(f"line {number}: '# === {word}' where {expected} is expected")
        parts.append((word, []))
    if any(line.strip() for line in parts[0][1]):
        raise ExerciseSourceError("the cell must begin with '# === statement'")
    if parts[-1][0] != "explanation":
        raise ExerciseSourceError("the cell must end with '# === explanation' and its text")

    def text(*words: str) -> str:
        return "\n".join(line for word, lines in parts if word in words for line in lines).strip("\n")

    return ExerciseSource(
        statement=_uncomment(text("statement")),
        head=text("code"),
        solution=text("solution"),
        stub=text("stub"),
        solved=text("code", "solution", "end"),
        unsolved=text("code", "stub", "end"),
        explanation=_uncomment(text("explanation")),
    )


def _uncomment(text: str) -> str:
    """Markdown from comment lines: ``# word`` becomes ``word``, ``#`` an empty line."""
    lines = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            raise ExerciseSourceError(f"Markdown is written as comment lines; this one is not: {line!r}")
        lines.append(re.sub(r"^# ?", "", line))
    return "\n".join(lines).strip()


def load_source(exercise_id: str, folder: Path | None = None) -> ExerciseSource:
    """The source of an exercise by its id.

    Raises:
        LookupError: if no source file of that lesson has a cell with this id.
    """
    lesson = exercise_id.split(".", 1)[0]
    for path in sorted((folder or SOURCES).glob(f"{lesson}_*.py")):
        cells = _exercise_cells(path, path.stat().st_mtime_ns)
        if exercise_id in cells:
            return parse_exercise(cells[exercise_id])
    raise LookupError(f"no source cell for exercise {exercise_id} in {folder or SOURCES}")


@lru_cache(maxsize=32)
def _exercise_cells(path: Path, modified: int) -> dict[str, str]:
    """Text of each exercise cell of a source file by id; ``modified`` makes an edited file be read again."""
    import jupytext  # half a second: only those who ask for a solution pay it

    notebook = jupytext.read(path, fmt="py:percent")
    return {cell.metadata["exercise"]: cell.source for cell in notebook.cells if "exercise" in cell.metadata}
