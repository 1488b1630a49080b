"""How many notebooks a minute are marked, beside ``nbgrader autograde`` on the same class in the same run.

    python benchmarks/grading.py                  a class of 100: about ten minutes on two cores
    python benchmarks/grading.py --students 12
    python benchmarks/grading.py --fresh-process  a new Python for each submission

nbgrader gets the same notebooks with ``assert check(…)`` as its tests, so that it has something to mark by.
It marks one half of the class before and the other half after the whole class was marked here: what else the
machine has to do meets both. Needs bubblewrap. Prints one line for each, the quotient, and whether honest
work got the same marks; exit status 1 if it did not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from utils.grading.command import grade  # noqa: E402
from utils.grading.run import Settings, exercises_of  # noqa: E402
from utils.grading.sandbox import check_available  # noqa: E402

STEM = "01_perceptron"
MIX = ("solved", "solved", "solved", "half", "half", "wrong", "wrong", "other", "untouched", "error")


def read(kind: str) -> nbformat.NotebookNode:
    """A notebook of the set: ``exercises`` or ``solutions``."""
    return nbformat.read(ROOT / "notebooks" / kind / f"{STEM}.ipynb", as_version=4)


def student(kind: str, number: int) -> nbformat.NotebookNode:
    """The notebook of one synthetic student: the released one with answers of that kind."""
    made, answers = read("exercises"), {cell.id: cell.source for cell in read("solutions").cells}
    for place, exercise in enumerate(exercises_of(STEM)):
        own = f"{exercise.id.replace('.', '-')}-work"
        cell = next(cell for cell in made.cells if cell.id == own)
        match kind:
            case "solved":
                cell.source = answers[own]
            case "half" if place % 2:
                cell.source = answers[own]
            case "other":
                cell.source = exercise.alternatives[number % len(exercise.alternatives)]
            case "wrong":
                cell.source = exercise.misconceptions[number % len(exercise.misconceptions)].code
            case "error" if place == 0:
                cell.source = "def neuron(X, w, b)\n    return 1"
    if kind in ("other", "wrong"):
        made.cells[1].source += "\nimport math\nimport numpy as np"
    return made


def make_class(course: Path, students: Iterable[int]) -> dict[str, str]:
    """A course folder with a source and the submissions of these students; returns each student's kind."""
    source = read("exercises")
    for cell in source.cells:
        if cell.source.startswith("check("):
            cell.source = f"assert {cell.source}"
    (course / "source" / STEM).mkdir(parents=True)
    nbformat.write(source, course / "source" / STEM / f"{STEM}.ipynb")
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (course / "nbgrader_config.py").write_text(config + "\ndel c.Autograde  # which is refused otherwise\n")
    kinds = {}
    for number in students:
        name, kind = f"student{number:03}", MIX[number % len(MIX)]
        folder = course / "submitted" / name / STEM
        folder.mkdir(parents=True)
        nbformat.write(student(kind, number), folder / f"{STEM}.ipynb")
        kinds[name] = kind
    return kinds


def nbgrader(course: Path, *arguments: str) -> None:
    """Run an nbgrader command in the course folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "N2T_PROGRESS": str(course / "progress.json")}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=env, capture_output=True, text=True
    )
    if done.returncode and arguments[0] != "autograde":  # which fails where one of many cannot be marked
        sys.exit(done.stderr)


def their_points(course: Path) -> dict[str, float]:
    """What stands in nbgrader's own gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {submission.student.id: submission.score for submission in book.assignment_submissions(STEM)}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that it took, and what came."""
    begin = time.monotonic()
    came = work()
    return time.monotonic() - begin, came


def main() -> int:
    """Mark one class twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fresh-process", action="store_true")
    asked = parser.parse_args()
    check_available()
    settings = Settings(fresh=asked.fresh_process)
    with tempfile.TemporaryDirectory(prefix="n2t-bench-") as folder:
        whole, *halves = (Path(folder) / name for name in ("whole", "first", "second"))
        numbers = range(asked.students)
        kinds = make_class(whole, numbers)
        middle = asked.students // 2
        for half, some in zip(halves, (numbers[:middle], numbers[middle:]), strict=True):
            make_class(half, some)
            nbgrader(half, "generate_assignment", STEM)
        first, _ = timed(lambda: nbgrader(halves[0], "autograde", STEM, "--create"))
        ours, all_marked = timed(lambda: grade(whole / "submitted", whole / "out", settings, asked.jobs))
        second, _ = timed(lambda: nbgrader(halves[1], "autograde", STEM, "--create"))
        theirs = first + second
        points = their_points(halves[0]) | their_points(halves[1])
    for name, seconds in (("utils.grading", ours), ("nbgrader autograde", theirs)):
        print(f"{name:<20} {seconds:7.1f} s {60 * asked.students / seconds:6.1f} notebooks a minute")
    print(f"{theirs / ours:.1f} times as fast with {asked.jobs} at the same time")
    print(f"nbgrader took {first:.0f} s for the half before and {second:.0f} s for the half after")
    honest = [m for m in all_marked if kinds[m.student] not in ("wrong",)]
    unlike = [(m.student, kinds[m.student], m.points, points.get(m.student)) for m in honest]
    unlike = [row for row in unlike if row[2] != row[3]]
    print(f"{len(honest) - len(unlike)} of {len(honest)} honest notebooks have the same marks", *unlike)
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main())
