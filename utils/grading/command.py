"""The command: ``python -m utils.grading SUBMISSIONS --out OUT``."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from .examine import NOT_MARKED
from .forking import SLOWER, CannotFork
from .intake import IntakeError, Submission, find
from .report import UNSAFE, printable, write_csv, write_feedback
from .run import LOG, Marked, Record, RunError, Settings, mark_all, stems
from .sandbox import Limits, SandboxUnavailable, check_available, check_forking

_LIMITS = Limits()
LOG_FILE = "grading.log"
NO_TIME = (
    "no time can be read from it. The submission was taken as not late, but Formgrader fails on it: write a "
    "time like 2030-01-31 12:00:00 UTC into the file, and mark again."
)
_NAMED = 10  # notebooks that could not be marked and are named on the screen
app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


def _cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _can_fork(limits: Limits) -> bool:
    """Whether kernels can be forked here. If not it is said, and each is a new process."""
    try:
        check_forking(limits)
    except CannotFork as why:
        typer.echo(f"{SLOWER} It cannot be forked here: {why}.", err=True)
        return False
    return True


@app.command()
def main(
    submissions: Annotated[
        Path | None,
        typer.Argument(
            help="folder or zip: submitted/<student>/<set>/NN_stem.ipynb, or as learning systems export"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for grades.csv, feedback, gradebook, log, record")] = Path(
        "marks"
    ),
    course: Annotated[
        Path | None,
        typer.Option(help="nbgrader's course folder: its gradebook, autograded/ and feedback/ are filled"),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, help="submissions at the same time; 0 is one for each core")
    ] = 0,
    withhold_inputs: Annotated[
        bool, typer.Option("--withhold-inputs", help="feedback without the inputs on which work failed")
    ] = False,
    gradebook: Annotated[bool, typer.Option(help="write an nbgrader gradebook")] = True,
    cell_seconds: Annotated[float, typer.Option(help="time for one code cell")] = _LIMITS.cell,
    wall_seconds: Annotated[float, typer.Option(help="time for a whole notebook")] = _LIMITS.wall,
    cpu_seconds: Annotated[int, typer.Option(help="processor time of one kernel")] = _LIMITS.cpu,
    memory_mb: Annotated[int, typer.Option(help="memory of all processes of a submission")] = _LIMITS.memory,
    processes: Annotated[int, typer.Option(help="processes and threads of a submission")] = _LIMITS.processes,
    disk_mb: Annotated[int, typer.Option(help="size of /tmp and of the working folder, each")] = _LIMITS.disk,
    file_mb: Annotated[int, typer.Option(help="size of one file")] = _LIMITS.file,
    open_files: Annotated[int, typer.Option(help="files open at the same time")] = _LIMITS.files,
    reply_mb: Annotated[int, typer.Option(help="size of one answer to the grader")] = _LIMITS.reply,
    restarts: Annotated[
        int, typer.Option(help="new kernels for a notebook whose cells end theirs")
    ] = _LIMITS.restarts,
    fresh_process: Annotated[
        bool,
        typer.Option("--fresh-process", help="a new Python for each submission, not a fork of one: slower"),
    ] = False,
    unsafe_no_sandbox: Annotated[
        bool,
        typer.Option("--unsafe-no-sandbox", help="for tests of your own only: run submissions unprotected"),
    ] = False,
) -> None:
    """Mark notebooks safely: each in a sandbox of its own, judged outside it.

    A run that was stopped goes on where it was when the same command is given again.
    """
    if submissions is None and course is not None:
        submissions = course / "submitted"
    if submissions is None:
        raise typer.BadParameter("name the folder or the zip with the submissions, or --course")
    limits = Limits(
        cell=cell_seconds,
        wall=wall_seconds,
        cpu=cpu_seconds,
        memory=memory_mb,
        processes=processes,
        disk=disk_mb,
        file=file_mb,
        files=open_files,
        reply=reply_mb,
        restarts=restarts,
    )
    settings = Settings(limits, sandboxed=not unsafe_no_sandbox, fresh=fresh_process)
    try:
        if settings.sandboxed:
            check_available()
            settings = replace(settings, fresh=fresh_process or not _can_fork(limits))
        else:
            typer.echo(f"{UNSAFE}. Any submission can read, change and delete your files.", err=True)
        grade(
            submissions,
            out,
            settings,
            jobs or _cores(),
            course=course,
            withhold=withhold_inputs,
            book=gradebook,
        )
    except (SandboxUnavailable, IntakeError, RunError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def grade(
    submissions: Path,
    out: Path,
    settings: Settings,
    jobs: int,
    *,
    course: Path | None = None,
    withhold: bool = False,
    book: bool = True,
) -> list[Marked]:
    """Mark all submissions and write everything that comes of it."""
    with tempfile.TemporaryDirectory(prefix="n2t-zip-") as unpacked:
        found = find(submissions, stems(), Path(unpacked))
        out.mkdir(mode=0o700, parents=True, exist_ok=True)  # marks are nobody else's business
        _log_to(out / LOG_FILE)
        record = Record(out, settings)
        LOG.info("%d submissions in %s", len(found), submissions)
        with tqdm(total=len(found), unit="notebook", desc="marking") as bar:

            def tell(marked: Marked) -> None:
                bar.update()
                bar.set_postfix_str(f"{printable(marked.student)[:20]} {marked.points:g}/{marked.of:g}")

            all_marked = mark_all(found, record, min(jobs, len(found)), tell)
        write_csv(out / "grades.csv", all_marked)
        if course is None or not book:  # else the course folder's feedback knows what was marked by hand, too
            write_feedback(out / "feedback", all_marked, withhold=withhold)
        if book:
            _books(submissions, out, course, found, all_marked, withhold)
    for line in summary(all_marked, out / "grades.csv"):
        typer.echo(line)
        LOG.info(line)
    return all_marked


def summary(all_marked: list[Marked], file: Path) -> Iterator[str]:
    """What is said at the end: how many there were, and which of them somebody has to look at."""
    there = [marked for marked in all_marked if marked.file]
    points, of = round(sum(m.points for m in there), 2), sum(m.of for m in there)
    yield f"{len(there)} notebooks marked, {points:g} of {of:g} points: {file}"
    if len(there) < len(all_marked):
        yield f"Not handed in: {len(all_marked) - len(there)}."
    odd = [(marked, why) for marked in there if (why := _not_marked(marked))]
    if odd:
        yield f"Look at these yourself, they could not be marked, or not as a whole: {len(odd)}."
    for marked, why in odd[:_NAMED]:
        yield printable(f"  {marked.student}, {marked.set}: {why}")
    if len(odd) > _NAMED:
        yield f'  ... and {len(odd) - _NAMED} more, "{NOT_MARKED}" in {file}'
    if told := sum(bool(m.remarks) for m in there if not _not_marked(m)):
        yield f"With a remark in feedback and {LOG_FILE} (several files, a cell stopped, ...): {told}."


def _not_marked(marked: Marked) -> str:
    """Why a notebook, or an exercise of it, has no mark; "" if all is marked."""
    if not marked.marks:
        return " ".join(marked.remarks) or NOT_MARKED
    return next((mark.message for mark in marked.marks if mark.status == NOT_MARKED), "")


def _books(
    submissions: Path,
    out: Path,
    course: Path | None,
    found: list[Submission],
    all_marked: list[Marked],
    withhold: bool,
) -> None:
    """The gradebook; for a course folder, what else nbgrader would have left there."""
    from . import gradebook

    if course is None:
        gradebook.write_gradebook(gradebook.database(out), all_marked)
        return
    gradebook.write_gradebook(gradebook.database(course), all_marked, course / "submitted")
    gradebook.apply_late_penalties(course, all_marked)
    paths = [submission.path for submission in found]
    gradebook.write_course(course, zip(all_marked, paths, strict=True), withhold=withhold)
    for file in gradebook.unreadable_times(course / "submitted", all_marked):
        words = printable(f"{file}: {NO_TIME}")
        LOG.warning(words)
        typer.echo(words, err=True)


def _log_to(file: Path) -> None:
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
