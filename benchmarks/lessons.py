"""How long does each lesson run, how much memory does it take, and how long does a check take?

    python benchmarks/lessons.py             # a minute or two on two quiet cores
    python benchmarks/lessons.py --strict    # exit status 1 if a target is missed

A lesson is executed from top to bottom in a kernel of its own, as a learner's "Run all" does it; memory is
the most that the kernel and its children held at a time. A check is timed on the reference solution: the
median of some calls, the first one (which imports) left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time

import nbformat
import psutil
from nbclient import NotebookClient

from utils.build import Course
from utils.checks import check
from utils.checks.bank import all_exercises

SECONDS, GIGABYTES, CHECK_SECONDS = 60.0, 2.0, 1.0


def memory_of(process: psutil.Process) -> int:
    """Bytes; memory that several processes share, as loaders forked from a kernel do, counts once in all."""
    if sys.platform.startswith("linux"):
        return process.memory_full_info().pss
    return process.memory_info().rss


def run_lesson(course: Course, stem: str) -> tuple[float, float]:
    """Execute a lesson; return seconds and the most memory in gigabytes."""
    notebook = nbformat.read(course.notebook("lessons", stem), as_version=4)
    resources = {"metadata": {"path": str(course.notebooks)}}
    client = NotebookClient(notebook, timeout=120, resources=resources, store_widget_state=False)
    done, most = threading.Event(), [0]

    def watch() -> None:
        me = psutil.Process()
        while not done.wait(0.2):
            held = 0
            for child in me.children(recursive=True):
                try:
                    held += memory_of(child)
                except psutil.NoSuchProcess:
                    continue  # it ended between two calls: it holds nothing
            most[0] = max(most[0], held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    try:
        client.execute()
    finally:
        seconds = time.perf_counter() - begin
        done.set()
        watcher.join()
    return seconds, most[0] / 1e9


def time_check(exercise_id: str, work: object, calls: int = 5) -> float:
    """Median seconds of a check on right work."""
    times = []
    for seed in range(calls + 1):
        begin = time.perf_counter()
        result = check(exercise_id, work, seed=seed)
        times.append(time.perf_counter() - begin)
        if not result.ok:
            raise RuntimeError(f"{exercise_id}: the reference does not pass; run the tests")
    return statistics.median(times[1:])


def main() -> int:
    """Measure and print; returns the exit status."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
    arguments = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["N2T_PROGRESS"] = f"{folder}/progress.json"  # the learner's own record stays as it is
        course = Course()
        print(f"{'lesson':<20}{'seconds':>9}{'GB':>7}    at most {SECONDS:.0f} s, {GIGABYTES:.0f} GB")
        for stem in course.stems():
            seconds, memory = run_lesson(course, stem)
            missed += seconds > SECONDS or memory > GIGABYTES
            print(f"{stem:<20}{seconds:9.1f}{memory:7.2f}", flush=True)
        print(f"\n{'check':<24}{'seconds':>9}    at most {CHECK_SECONDS:.0f} s")
        for exercise in all_exercises().values():
            seconds = time_check(exercise.id, exercise.reference)
            missed += seconds > CHECK_SECONDS
            print(f"{exercise.id:<24}{seconds:9.3f}", flush=True)
    if missed:
        print(f"\n{missed} missed")
    return 1 if missed and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(main())
