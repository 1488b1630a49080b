"""What the learner has passed: kept in one small file, shown over the whole course.

The file is ``.progress.json`` in the repository; where that cannot be written, ``progress.json`` in the
course's cache folder (``N2T_CACHE``, else the user's). ``N2T_PROGRESS`` names another file.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import platformdirs

from .bank import all_exercises
from .result import BOX
from .source import REPOSITORY

_VERSION = 1
_LOCK_SECONDS = 2.0
_BAR_WIDTH = 20


def progress_file() -> Path:
    """The file the record is kept in, whether it exists already or not."""
    if named := os.environ.get("N2T_PROGRESS"):
        return Path(named).expanduser()
    own = REPOSITORY / ".progress.json"
    if os.access(own if own.exists() else REPOSITORY, os.W_OK):
        return own
    cache = os.environ.get("N2T_CACHE") or platformdirs.user_cache_dir("neurons-to-transformers")
    return Path(cache).expanduser() / "progress.json"


@dataclass
class Record:
    """The record's content.

    Attributes:
        tried: how often each exercise was checked, by id.
        passed: when each exercise was first passed (ISO time, UTC), by id.
    """

    tried: dict[str, int] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)


def remember(exercise_id: str, *, passed: bool) -> str:
    """Write down that an exercise was tried, and whether it was passed.

    What other kernels write meanwhile is kept.

    Returns:
        "" if all went well, else a sentence for the learner; never raises.
    """
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            record, note = read(path)
            record.tried[exercise_id] = record.tried.get(exercise_id, 0) + 1
            if passed:
                record.passed.setdefault(exercise_id, datetime.now(UTC).isoformat(timespec="seconds"))
            _write(path, record)
        return note
    except OSError as error:
        return f"Your progress could not be written to {path} ({error.strerror or error})."


def read(path: Path) -> tuple[Record, str]:
    """The record in a file, empty if there is none.

    A file that cannot be understood is set aside, with ``.damaged`` added to its name.

    Returns:
        The record, and a sentence for the learner if something was wrong.
    """
    try:
        return _understand(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return Record(), ""
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or not our record
        aside = path.with_name(f"{path.name}.damaged")
        try:
            os.replace(path, aside)
        except OSError as error:
            return Record(), f"The progress file {path} is damaged and cannot be moved ({error.strerror})."
        return Record(), f"The progress file was damaged; it is kept as {aside} and a new one is begun."


def _understand(content: Any) -> Record:
    """The record in parsed JSON; ValueError if it is something else."""
    if not isinstance(content, dict):
        raise ValueError("not a record")
    tried, passed = content.get("tried"), content.get("passed")
    if not isinstance(tried, dict) or not all(type(n) is int for n in tried.values()):
        raise ValueError("no numbers of attempts")
    if not isinstance(passed, dict) or not all(isinstance(t, str) for t in passed.values()):
        raise ValueError("no times")
    return Record(tried, passed)


def _write(path: Path, record: Record) -> None:
    write_json(path, {"version": _VERSION, "tried": record.tried, "passed": record.passed})


def write_json(path: Path, content: dict) -> None:
    """Replace a file in one step: a reader, or whoever is killed, finds the old one or the new one whole."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time; goes on without the lock rather than keep a learner waiting."""
    from filelock import FileLock, Timeout  # needed only when something is written

    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "somebody"
    digest = hashlib.sha256(f"{user}:{path.resolve()}".encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"n2t-progress-{digest}.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except (Timeout, OSError):
        yield
        return
    try:
        yield
    finally:
        lock.release()


# ------------------------------------------------------------------------------------------ showing


@dataclass(frozen=True)
class LessonProgress:
    """One lesson's exercises: id, title, points, and "passed", "tried" or "not yet"."""

    lesson: str
    exercises: tuple[tuple[str, str, int, str], ...]

    @property
    def passed(self) -> int:
        """How many exercises are passed."""
        return sum(state == "passed" for *_, state in self.exercises)


@dataclass(frozen=True)
class Progress:
    """What is passed over the whole course; shows itself as HTML in a notebook and as text elsewhere."""

    lessons: tuple[LessonProgress, ...]
    note: str = ""

    @property
    def passed(self) -> int:
        """How many exercises are passed."""
        return sum(lesson.passed for lesson in self.lessons)

    @property
    def total(self) -> int:
        """How many exercises there are."""
        return sum(len(lesson.exercises) for lesson in self.lessons)

    @property
    def points(self) -> tuple[int, int]:
        """Points of the passed exercises, and of all."""
        rows = [row for lesson in self.lessons for row in lesson.exercises]
        return sum(p for _, _, p, state in rows if state == "passed"), sum(p for _, _, p, _ in rows)

    @property
    def summary(self) -> str:
        """``3 of 16 exercises passed, 7 of 40 points``."""
        points, of = self.points
        return f"{self.passed} of {self.total} exercises passed, {points} of {of} points"

    def __repr__(self) -> str:
        lines = [f"{_text_bar(self.passed, self.total)} {self.summary}"]
        for lesson in self.lessons:
            count = f"{lesson.passed} of {len(lesson.exercises)}"
            lines.append(f"\nLesson {lesson.lesson}: {count}")
            for identity, title, points, state in lesson.exercises:
                lines.append(f"  {_mark(state)} {identity:<24} {title} ({points} points): {state}")
        if self.note:
            lines.append(f"\nNote: {self.note}")
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        parts = [
            f'<div style="{BOX.format(colour="#2e9e5b")}">',
            f"<div><strong>Your progress:</strong> {escape(self.summary)}</div>",
            _html_bar(self.passed, self.total),
        ]
        for lesson in self.lessons:
            items = "".join(
                f'<li style="list-style:none"><span aria-hidden="true">{_mark(state)}</span> '
                f'<code style="color:inherit;background:transparent">{escape(identity)}</code> '
                f"{escape(title)} ({points} points): "
                + (f"<strong>{state}</strong>" if state == "passed" else state)
                + "</li>"
                for identity, title, points, state in lesson.exercises
            )
            parts.append(
                f'<div style="margin-top:.5em"><strong>Lesson {escape(lesson.lesson)}</strong>: '
                f"{lesson.passed} of {len(lesson.exercises)}</div>"
                f'<ul style="margin:.1em 0;padding-left:.6em">{items}</ul>'
            )
        if self.note:
            parts.append(f"<div><strong>Note.</strong> {escape(self.note)}</div>")
        return "".join([*parts, "</div>"])


def progress() -> Progress:
    """What is passed over the whole course. Never raises over a missing or damaged record."""
    path = progress_file()
    try:
        record, note = read(path)
    except OSError as error:
        record, note = Record(), f"The progress file {path} cannot be read ({error.strerror or error})."
    lessons: dict[str, list[tuple[str, str, int, str]]] = {}
    for identity, exercise in all_exercises().items():
        state = "passed" if identity in record.passed else "tried" if identity in record.tried else "not yet"
        lessons.setdefault(exercise.lesson, []).append((identity, exercise.title, exercise.points, state))
    return Progress(tuple(LessonProgress(n, tuple(rows)) for n, rows in sorted(lessons.items())), note)


def _mark(state: str) -> str:
    return {"passed": "✓", "tried": "→"}.get(state, "○")


def _text_bar(part: int, whole: int) -> str:
    full = round(_BAR_WIDTH * part / whole) if whole else 0
    return f"[{'█' * full}{'·' * (_BAR_WIDTH - full)}]"


def _html_bar(part: int, whole: int) -> str:
    percent = 100 * part / whole if whole else 0
    return (
        f'<div role="img" aria-label="{part} of {whole} passed" style="height:.8em;border-radius:.4em;'
        'border:1px solid rgba(128,128,128,.6);margin:.4em 0;overflow:hidden">'
        f'<div style="width:{percent:.1f}%;height:100%;background:#2e9e5b"></div></div>'
    )
