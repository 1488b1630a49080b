"""The lessons keep to the rules, the notebooks are what the sources give, and nbval really compares."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from utils.build import Course, build, code_cells, left_over, problems, serialise
from utils.lint import lint

REPOSITORY = Path(__file__).parents[1]
COURSE = Course()


def test_there_are_lessons() -> None:
    assert len(COURSE.stems()) >= 3
    assert COURSE.stems("exercises")


@pytest.mark.parametrize("stem", COURSE.stems())
def test_the_lesson_keeps_to_the_rules(stem: str) -> None:
    found = [str(finding) for finding in lint(COURSE, stem)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("stem", COURSE.stems())
def test_the_notebooks_are_what_the_sources_give(stem: str) -> None:
    found = problems(COURSE, ("lessons", "exercises", "solutions"), stem)
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("kind", ["lessons", "exercises", "solutions"])
def test_no_notebook_is_left_over(kind: str) -> None:
    assert left_over(COURSE, kind) == []


# --- nbval -----------------------------------------------------------------------------------------------
# One notebook with the kinds of output that lessons have is built, then run by nbval as `make test` runs the
# lessons: once as it was stored, once after each of its cells has been tampered with.

LESSON = """\
# %%
print("a number:", 6 * 7)

# %%
6 * 7

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 4.5))
ax.plot([0, 1], [0, 1]);

# %%
import sys

from utils.explore import neuron

neuron()

# %% tags=["nbval-ignore-output"]
import time

print(time.time())

# %%
print("last")
"""


def built(folder: Path) -> Path:
    """The notebook above, built under `folder`; returns its path."""
    course = Course(folder)
    source = course.source("lessons", "00_outputs")
    source.parent.mkdir(parents=True)
    source.write_text(LESSON, encoding="utf-8")
    (folder / "utils").symlink_to(REPOSITORY / "utils")
    build(course, ["lessons"])
    shutil.copy(REPOSITORY / "conftest.py", folder)
    return course.notebook("lessons", "00_outputs")


def run_nbval(notebook: Path, how: str = "--nbval") -> list[str]:
    """Outcome of each code cell as `make test` would see it, in order."""
    report = notebook.with_suffix(".xml")
    options = [how, f"--nbval-sanitize-with={REPOSITORY / 'tests' / 'nbval_sanitize.cfg'}", "-p", "no:xdist"]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *options,
            f"--junitxml={report}",
            "--rootdir=.",
            str(notebook),
        ],
        cwd=notebook.parents[1],
        check=False,
        capture_output=True,
    )
    cases = list(ElementTree.parse(report).iter("testcase"))
    return ["failed" if case.find("failure") is not None else "passed" for case in cases]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("outputs"))


@pytest.fixture
def notebook(outputs: Path, tmp_path: Path) -> Path:
    """A copy of the built notebook to tamper with."""
    course = shutil.copytree(outputs.parents[1], tmp_path / "course", symlinks=True)
    return Path(course) / "notebooks" / outputs.name


def tamper(path: Path, changes: dict[int, Callable[[NotebookNode], None]]) -> None:
    """Change stored code cells by number."""
    notebook = nbformat.read(path, as_version=4)
    for number, change in changes.items():
        change(code_cells(notebook)[number])
    path.write_text(serialise(notebook), encoding="utf-8")


def test_stored_outputs_come_again(notebook: Path) -> None:
    """Text, figures and explorers, whose live view is not stored, agree with a new run."""
    stored = code_cells(nbformat.read(notebook, as_version=4))
    kinds = [sorted(mime for output in cell.outputs for mime in output.get("data", {})) for cell in stored]
    assert kinds[2] == ["image/png", "text/plain"]
    assert kinds[3] == ["image/png", "text/plain", "text/plain"], "an explorer is a still, then a live view"
    assert run_nbval(notebook) == ["passed"] * 6


def test_a_changed_output_is_seen(notebook: Path) -> None:
    def text(old: str, new: str) -> Callable[[NotebookNode], None]:
        def change(cell: NotebookNode) -> None:
            output = cell.outputs[0]
            place, key = (output, "text") if "text" in output else (output.data, "text/plain")
            assert old in place[key]
            place[key] = place[key].replace(old, new)

        return change

    def drop_last(cell: NotebookNode) -> None:
        cell.outputs.pop()

    def forget_run(cell: NotebookNode) -> None:
        cell.execution_count, cell.outputs = None, []

    changes = {
        0: text("42", "43"),
        1: text("42", "43"),
        2: text("1 Axes", "2 Axes"),
        3: drop_last,
        5: forget_run,
    }
    tamper(notebook, changes)
    assert run_nbval(notebook) == ["failed"] * 4 + ["passed", "failed"]


def test_stderr_and_exceptions_are_seen_where_outputs_are_not_compared(notebook: Path) -> None:
    def warn(cell: NotebookNode) -> None:
        cell.source = "print('careful', file=sys.stderr)"

    def fail(cell: NotebookNode) -> None:
        cell.source, cell.metadata = "1 / 0", cell.metadata | {"tags": ["nbval-ignore-output"]}

    tamper(notebook, {4: warn, 5: fail})
    for how in ("--nbval", "--nbval-lax"):
        assert run_nbval(notebook, how) == ["passed"] * 4 + ["failed"] * 2
