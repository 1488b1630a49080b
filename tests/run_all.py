"""Everything that `make test` and CI run, stage by stage, with a count of what was really executed.

    python tests/run_all.py                all stages
    python tests/run_all.py style lessons  some of them

A stage that executed nothing is a failure: a lesson that is not run, an exercise without a check or a browser
that does not start must not look like success. Reports in JUnit's format are left in ``build/tests/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from utils.build import Course  # noqa: E402  (this checkout's, wherever another one is installed)

REPORTS = ROOT / "build" / "tests"
BY_FILE = ["-n", "2", "--dist", "loadfile"]  # a file stays on one worker: cells of a notebook share a kernel
BY_TEST = ["-n", "2", "--dist", "worksteal"]  # each test where there is time: one file is half of all work
BY_NOTEBOOK = ["-n", "2", "--dist", "loadscope"]  # and by notebook: see tests/browser/conftest.py
MARKING = [  # each submission runs in a sandbox of its own: minutes
    f"tests/{name}.py"
    for name in (
        "test_grading_hostile",
        "test_grading",
        "test_grading_forking",
        "test_grading_run",
        "test_teachers_guide",
    )
]
APART = [f"--ignore={name}" for name in MARKING]
NBVAL = [
    "--nbval-sanitize-with=tests/nbval_sanitize.cfg",
    "--nbval-cell-timeout=120",
    "-p",
    "no:cacheprovider",
]
NEEDED = {  # program -> Debian's and Ubuntu's package; any one name of a tuple will do
    ("chromium", "chromium-browser", "google-chrome"): "chromium",
    ("bwrap",): "bubblewrap",
    ("node",): "nodejs",
    ("npm",): "npm",
}


@dataclass(frozen=True)
class Stage:
    """One part of the tests.

    Attributes:
        name: as given on the command line.
        command: arguments after ``python -m``.
        must_run: what has to have passed at least once in it: the beginning of a JUnit class name, in words.
    """

    name: str
    command: list[str]
    must_run: dict[str, str]

    @property
    def report(self) -> Path | None:
        """Where pytest leaves its counts; None for a stage that is not pytest's."""
        return REPORTS / f"{self.name}.xml" if self.command[0] == "pytest" else None


def stages() -> list[Stage]:
    """All stages in the order in which they run: what fails fastest comes first."""
    course = Course(ROOT)
    lessons = [str(course.notebook("lessons", stem).relative_to(ROOT)) for stem in course.stems()]
    filled, untouched = (
        [str(course.notebook(kind, stem).relative_to(ROOT)) for stem in course.stems("exercises")]
        for kind in ("solutions", "exercises")
    )
    return [
        Stage("style", ["ruff", "check", "."], {}),
        Stage("sources", ["utils.build", "--check"], {}),
        Stage(
            "units",
            ["pytest", "tests", "--ignore=tests/browser", *APART, *BY_TEST, "--timeout=300"],
            {"tests.test_checks": "checks of exercises", "tests.test_notebooks": "the lesson lint"},
        ),
        Stage("lessons", ["pytest", "--nbval", *NBVAL, *BY_FILE, *lessons], {p: p for p in lessons}),
        Stage(
            "exercises",
            ["pytest", "--nbval-lax", *NBVAL, *BY_FILE, *filled, *untouched],
            {path: path for path in filled + untouched},
        ),
        Stage(
            "browser",
            ["pytest", "tests/browser", *BY_NOTEBOOK, "--timeout=300"],
            {"tests.browser": "browser tests"},
        ),
        Stage(
            "marking",
            ["pytest", *MARKING, *BY_FILE, "--timeout=600"],
            {name: f"the marking of submissions, {name}" for name in MARKING},
        ),
    ]


def missing_programs() -> list[str]:
    """Debian packages of the programs that the tests need and that are not on the PATH."""
    if not sys.platform.startswith("linux"):
        return []  # bubblewrap is Linux only; the browser tests say themselves what they need
    return [package for names, package in NEEDED.items() if not any(map(shutil.which, names))]


def run(stage: Stage) -> tuple[Counter[str], list[str]]:
    """Run one stage.

    Returns:
        How many tests ``passed``, ``failed`` and were ``skipped``; and, in words, what went wrong besides.
    """
    command = [sys.executable, "-m", *stage.command]
    if stage.report:
        stage.report.unlink(missing_ok=True)
        command.append(f"--junitxml={stage.report}")
    env = os.environ | {"PYTHONPATH": str(ROOT), "N2T_PROGRESS": str(REPORTS / "progress.json")}
    if "-n" in command:  # two workers on two cores: one thread each, or they wait for each other
        env.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
    status = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    if stage.report is None:
        return Counter(passed=int(status == 0), failed=int(status != 0)), []
    counts, ran = read_report(stage.report)
    trouble = [] if status == 0 or counts["failed"] else [f"pytest ended with exit status {status}"]
    trouble += [
        f"nothing was executed of: {words}"
        for beginning, words in stage.must_run.items()
        if not any(name.startswith(as_class(beginning)) for name in ran)
    ]
    return counts, trouble


def as_class(path: str) -> str:
    """How JUnit reports write the path of a test file."""
    return path.replace("/", ".").removesuffix(".py")


def read_report(report: Path) -> tuple[Counter[str], set[str]]:
    """Counts by outcome, and the class names (a file each) of which at least one test passed."""
    counts: Counter[str] = Counter()
    ran: set[str] = set()
    if not report.exists():
        return counts, ran
    for case in ElementTree.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case}
        outcome = (
            "failed" if outcomes & {"failure", "error"} else "skipped" if "skipped" in outcomes else "passed"
        )
        counts[outcome] += 1
        if outcome == "passed":
            ran.add(as_class(case.get("classname", "")))
    return counts, ran


def main(names: list[str]) -> int:
    """Run the stages named, or all; print one line for each and one for all. Returns the exit status."""
    every = stages()
    chosen = [stage for stage in every if not names or stage.name in names]
    if unknown := set(names) - {stage.name for stage in every}:
        print(f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in every)}")
        return 2
    if packages := missing_programs():
        print(f"The tests need {' and '.join(packages)}. On Debian and Ubuntu:")
        print(f"    sudo apt-get update && sudo apt-get install -y {' '.join(packages)}")
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    lines, total = [], Counter(passed=0, failed=0)
    for stage in chosen:
        print(f"\n===== {stage.name}: python -m {' '.join(stage.command)}", flush=True)
        begin = time.monotonic()
        counts, trouble = run(stage)
        counts["failed"] += len(trouble)
        total += counts
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        seconds = time.monotonic() - begin
        outcome = f"{counts['passed']} passed, {counts['failed']} failed{skipped}"
        lines.append(f"{stage.name:<10} {outcome} in {seconds:.0f} s")
        lines += [f"{'':<10} {line}" for line in trouble]
    print("\n" + "\n".join(lines))
    print(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
