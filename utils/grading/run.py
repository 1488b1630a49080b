"""A run over a whole class: who was marked already, who is next, and what is written down.

The teacher's record lies in ``OUT/record``: the run's secret seed, and one file for each submission as soon
as it is marked. A run that was killed goes on where it stopped; each submission's inputs are drawn from a
seed made of the secret and its name, so that they are the same whenever and in whatever order it is marked.
"""

from __future__ import annotations

import contextlib
import ctypes
import hmac
import json
import logging
import multiprocessing
import os
import resource
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from utils.checks.bank import all_exercises
from utils.checks.exercise import Exercise
from utils.checks.record import write_json

from .examine import NOT_MARKED, Examination, Mark, examine, unmarked
from .intake import Submission, Unreadable, code_cells, digest, read_notebook, shown
from .sandbox import Limits, SandboxUnavailable
from .view import make_view

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = REPOSITORY / "data"
NOT_HANDED_IN = "not handed in"
LOG = logging.getLogger("utils.grading")
_FORM = 1  # of the record's files
_WORTH_A_TEMPLATE = 3  # submissions for each process: to load what is forked takes as long as two new kernels
_WORKER_MEMORY = 6 * 2**30  # bytes a worker may use: an answer that swells must not take the machine


class RunError(RuntimeError):
    """A run that cannot begin or go on; the message says what to do."""


@dataclass(frozen=True)
class Marked:
    """One submission with its marks, as it is kept in the record.

    Attributes:
        student, set, stem: whose and which.
        file: the notebook's name, "" if there was none.
        digest: of the file's content, so that a new version is marked anew.
        seed: from which all inputs were drawn.
        sandboxed: False if the marks were made without protection.
        marks: one for each exercise.
        remarks: what is to be said about the notebook as a whole.
    """

    student: str
    set: str
    stem: str
    file: str
    digest: str
    seed: int
    sandboxed: bool
    marks: tuple[Mark, ...]
    remarks: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """All points of the notebook."""
        return round(sum(mark.points for mark in self.marks), 2)

    @property
    def of(self) -> float:
        """The points that could be had."""
        return sum(mark.of for mark in self.marks)


@dataclass(frozen=True)
class Settings:
    """What a run does to every submission.

    Attributes:
        limits: what each may use.
        sandboxed: False runs them unprotected.
        fresh: each kernel is a new Python, not a fork of one: slower, with the same marks.
    """

    limits: Limits = field(default_factory=Limits)
    sandboxed: bool = True
    fresh: bool = False

    def recorded(self) -> dict:
        """What a run that is taken up again must have the same: all that marks may depend on."""
        return {"limits": asdict(self.limits), "sandboxed": self.sandboxed}


def exercises_of(stem: str) -> list[Exercise]:
    """The exercises of a set, found by the lesson's number."""
    return [exercise for exercise in all_exercises().values() if exercise.lesson == stem[:2]]


def stems() -> list[str]:
    """The stems of all exercise sets."""
    folder = Path(sys.modules[Exercise.__module__].__file__).parent
    return sorted(path.stem.removeprefix("lesson_") for path in folder.glob("lesson_*.py"))


# --------------------------------------------------------------------------------------- the record


class Record:
    """The teacher's record of a run, in a folder that others may not read."""

    def __init__(self, out: Path, settings: Settings) -> None:
        self.folder = out / "record"
        (self.folder / "marks").mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.settings = settings
        self.secret = self._begin()

    def _begin(self) -> bytes:
        """The secret of the run that was begun here, or a new one."""
        file = self.folder / "run.json"
        now = json.loads(json.dumps(self.settings.recorded()))
        if file.exists():
            try:
                run = json.loads(file.read_text(encoding="utf-8"))
                then, secret = run["settings"], bytes.fromhex(run["secret"])
            except (ValueError, KeyError, TypeError):
                raise RunError(
                    f"{file} is damaged. Choose another folder for --out, or delete this one."
                ) from None
            if then != now:
                raise RunError(
                    f"The run in {self.folder.parent} was begun with other settings. Give the same ones, or "
                    "choose another folder for --out."
                )
            return secret
        secret = secrets.token_bytes(32)
        write_json(file, {"form": _FORM, "secret": secret.hex(), "settings": now})
        return secret

    def seed(self, submission: Submission) -> int:
        """The seed of a submission's inputs; it tells nothing about the secret or another's seed."""
        name = f"{submission.student}\0{submission.set}\0{submission.stem}".encode()
        return int.from_bytes(hmac.digest(self.secret, name, "sha256")[:5], "big")

    def read(self, submission: Submission) -> Marked | None:
        """What was written about a submission, if it is about this version of its file."""
        try:
            kept = json.loads(self._file(submission).read_text(encoding="utf-8"))
            marks = tuple(_mark(mark) for mark in kept.pop("marks"))
            marked = Marked(**{**kept, "marks": marks, "remarks": tuple(kept["remarks"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        same = marked.digest == (digest(submission.path) if submission.path else "")
        return marked if same and marked.seed == self.seed(submission) else None

    def write(self, submission: Submission, marked: Marked) -> None:
        """Keep the marks of a submission."""
        write_json(self._file(submission), asdict(marked))

    def _file(self, submission: Submission) -> Path:
        return self.folder / "marks" / f"{submission.key}.json"


def _mark(kept: dict) -> Mark:
    groups = {group: tuple(count) for group, count in kept["groups"].items()}
    return Mark(**{**kept, "notes": tuple(kept["notes"]), "groups": groups})


# -------------------------------------------------------------------------------------- one of them


def mark_submission(submission: Submission, seed: int, settings: Settings, view: Path) -> Marked:
    """Mark one submission. Never raises: what goes wrong is the reason for the marks."""
    exercises = exercises_of(submission.stem) if submission.stem else []
    remarks = [submission.remark] if submission.remark else []

    def reason(status: str, why: str) -> Marked:
        marks = tuple(unmarked(exercise, status, why) for exercise in exercises)
        return _marked(submission, seed, settings, marks, remarks if why in remarks else [*remarks, why])

    if submission.path is None:
        return reason(NOT_HANDED_IN, submission.remark)
    if not exercises:
        return reason(
            NOT_MARKED, "It cannot be told which exercise set this is. Call the file NN_stem.ipynb."
        )
    try:
        cells = code_cells(read_notebook(submission.path))
        exam = Examination(
            exercises, cells, seed, settings.limits, view, DATA, settings.sandboxed, settings.fresh
        )
        marks = tuple(examine(exam))
    except Unreadable as error:
        return reason(NOT_MARKED, str(error))
    except SandboxUnavailable:
        raise
    except Exception as error:  # ours, not the learner's: said, logged, and the class goes on
        LOG.exception("%s, %s", submission.student, submission.set)
        return reason(
            NOT_MARKED, f"The grader itself failed ({type(error).__name__}: {error}). Please report it."
        )
    return _marked(submission, seed, settings, marks, [*remarks, *exam.remarks])


def _marked(
    submission: Submission, seed: int, settings: Settings, marks: tuple[Mark, ...], remarks: Iterable[str]
) -> Marked:
    return Marked(
        submission.student,
        submission.set,
        submission.stem,
        shown(submission.path.name) if submission.path else "",
        digest(submission.path) if submission.path else "",
        seed,
        settings.sandboxed,
        marks,
        tuple(remarks),
    )


# ---------------------------------------------------------------------------------------- all of them


def mark_all(
    submissions: list[Submission],
    record: Record,
    jobs: int = 1,
    tell: Callable[[Marked], None] = lambda marked: None,
) -> list[Marked]:
    """Mark what is not yet marked and return all, in the order of the submissions.

    Args:
        submissions: as the intake found them.
        record: where finished ones are kept and looked up.
        jobs: how many are marked at the same time.
        tell: called with each submission that is done.
    """
    done: dict[str, Marked] = {}
    waiting: list[Submission] = []
    for submission in submissions:
        kept = record.read(submission)
        if kept is None:
            waiting.append(submission)
        else:
            done[submission.key] = kept
            tell(kept)
    if waiting:
        with tempfile.TemporaryDirectory(prefix="n2t-view-") as folder:
            view = make_view(Path(folder))
            for submission, marked in _each(waiting, record, view, jobs):
                record.write(submission, marked)
                done[submission.key] = marked
                LOG.info("%s, %s: %g of %g points", marked.student, marked.set, marked.points, marked.of)
                for remark in marked.remarks:
                    LOG.info("%s, %s: %s", marked.student, marked.set, remark)
                tell(marked)
    return [done[submission.key] for submission in submissions]


def _each(
    waiting: list[Submission], record: Record, view: Path, jobs: int
) -> Iterator[tuple[Submission, Marked]]:
    settings = record.settings
    if len(waiting) < _WORTH_A_TEMPLATE * max(jobs, 1):
        settings = replace(settings, fresh=True)
    if jobs <= 1:
        for submission in waiting:
            yield submission, mark_submission(submission, record.seed(submission), settings, view)
        return
    # fresh processes: one that is forked from a process with threads may wait for a lock for ever
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=fresh, initializer=_begin_worker, initargs=(os.getpid(),)
    ) as pool:
        futures = {
            pool.submit(mark_submission, submission, record.seed(submission), settings, view): submission
            for submission in waiting
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise RunError(
                "One of the marking processes was ended from outside, perhaps for want of memory. What is "
                "marked is kept: give the same command again, with a smaller --jobs if it happens again."
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker(parent: int) -> None:
    """A worker ends with the process that started it, and with it its sandbox; and its memory is limited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and ends the pool
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (_WORKER_MEMORY, _WORKER_MEMORY))
