"""The teacher's guide, followed to the letter: its commands are taken from the page and run."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import nbformat
import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput
from nbgrader.preprocessors.base import NbGraderPreprocessor
from nbgrader.validator import Validator

from utils.build import Course
from utils.checks.result import NOT_STARTED, PASSED, Result

REPOSITORY = Path(__file__).parents[1]
GUIDE = REPOSITORY / "docs" / "teachers_guide.md"
TAKEN_ALONG = ("nbgrader_config.py", "notebooks/exercises", "notebooks/solutions", "utils", "data")


def commands() -> list[str]:
    """The guide's blocks marked ``bash``, in order. Those without a mark need root, or a class's zip."""
    return re.findall(r"```bash\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def environment(folder: Path) -> dict[str, str]:
    """This Python's commands first, and a home of its own, so that no configuration of the tester counts."""
    private = {
        name: str(folder / "home")
        for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    }
    (folder / "home").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTEST"))}
    return (
        kept | private | {"PATH": path, "N2T_PROGRESS": str(folder / "p.json"), "PYTHONPATH": str(REPOSITORY)}
    )


@pytest.mark.timeout(300)
def test_the_guide_from_release_to_export(tmp_path: Path) -> None:
    place = tmp_path / "repository"
    for name in TAKEN_ALONG:
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in ("utils", "data"):
            target.symlink_to(REPOSITORY / name)
        elif (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, target)
        else:
            shutil.copy(REPOSITORY / name, target)
    assert len(commands()) >= 5
    script = "set -e\n" + "\n".join(commands())
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=place,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Success" in done.stdout + done.stderr

    course = place / "course"
    with (course / "grades.csv").open(encoding="utf-8") as stream:
        rows = {row["student_id"]: row for row in csv.DictReader(stream)}
    assert float(rows["ada"]["score"]) == float(rows["ada"]["max_score"]) == 18
    assert float(rows["ben"]["score"]) == 0
    assert rows["ben"]["timestamp"].startswith("2030-02-02")
    for student in ("ada", "ben"):
        page = course / "feedback" / student / "01_perceptron" / "01_perceptron.html"
        assert "01.neuron" in page.read_text(encoding="utf-8")
        shown = course / "autograded" / student / "01_perceptron" / "01_perceptron.ipynb"
        marked = [
            c for c in nbformat.read(shown, as_version=4).cells if c.metadata.get("nbgrader", {}).get("grade")
        ]
        assert len(marked) == 6
    assert not any(path.suffix == ".ipynb" for path in (course / "marks").rglob("*"))


@pytest.mark.timeout(300)
def test_released_notebooks_carry_what_nbgrader_asks_for() -> None:
    """What ``nbgrader validate`` and ``generate_assignment`` look at first, for every set."""
    from nbgrader.nbgraderformat import MetadataValidator

    course = Course()
    assert len(course.stems("exercises")) > 15
    for stem in course.stems("exercises"):
        notebook = nbformat.read(course.notebook("exercises", stem), as_version=4)
        MetadataValidator().validate_nb(notebook)
        CheckCellMetadata().preprocess(notebook, {})
        roles = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert sum(role.grade for role in roles) == sum(role.solution for role in roles) > 0


class InThisProcess(NbGraderPreprocessor):
    """What nbgrader's ``Execute`` does to a notebook, without a kernel of its own for each.

    Attributes:
        statuses: what the checks said, in order.
    """

    statuses: ClassVar[list[str]] = []

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance()
        type(self).statuses = []
        for cell in nb.cells:
            if cell.cell_type == "code":
                with capture_output() as captured:
                    done = shell.run_cell(cell.source)
                cell.outputs = outputs_of(done, captured.stderr)
                self.statuses.extend([done.result.status] if isinstance(done.result, Result) else [])
        InteractiveShell.clear_instance()
        return nb, resources


def outputs_of(done: ExecutionResult, stderr: str) -> list[NotebookNode]:
    """The outputs that nbgrader looks at: an error, text on stderr, a result."""
    error = done.error_before_exec or done.error_in_exec
    outputs = [nbformat.v4.new_output("stream", name="stderr", text=stderr)] if stderr else []
    if error:
        outputs.append(nbformat.v4.new_output("error", ename=type(error).__name__, evalue=str(error)))
    elif done.result is not None:
        outputs.append(nbformat.v4.new_output("execute_result", data={"text/plain": repr(done.result)}))
    return outputs


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of every set, as ``nbgrader generate_assignment`` makes it."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    course = Course()
    folder = tmp_path_factory.mktemp("course")
    for stem in course.stems("exercises"):
        (folder / "source" / stem).mkdir(parents=True)
        shutil.copy(course.notebook("exercises", stem), folder / "source" / stem)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(REPOSITORY)).load_config()
    config.CourseDirectory.root = str(folder)
    with pytest.MonkeyPatch.context() as patch:  # alembic, which makes the gradebook, lies beside this Python
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        api = NbGraderAPI(config=config)
        for stem in course.stems("exercises"):
            made = api.generate_assignment(stem)
            assert made["success"], made["log"]
    return folder / "release"


def validate(file: Path) -> tuple[dict, list[str]]:
    """What ``nbgrader validate`` finds wrong in a notebook, and what the checks in it said."""
    validator = Validator()
    validator.preprocessors = [CheckCellMetadata, ClearOutput, InThisProcess]
    return validator.validate(str(file)), InThisProcess.statuses


@pytest.mark.parametrize("stem", Course().stems("exercises"))
def test_every_released_set_validates_untouched_and_solved(
    stem: str, released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2T_PROGRESS", str(tmp_path / "progress.json"))
    file = released / stem / f"{stem}.ipynb"
    wrong, said = validate(file)
    assert wrong == {} and said and set(said) == {NOT_STARTED}

    notebook = nbformat.read(file, as_version=4)
    solutions = nbformat.read(Course().notebook("solutions", stem), as_version=4)
    work = {cell.id: cell.source for cell in solutions.cells if cell.id.endswith("-work")}
    for cell in notebook.cells:
        cell.source = work.get(cell.id, cell.source)
    nbformat.write(notebook, tmp_path / file.name)
    wrong, solved = validate(tmp_path / file.name)
    assert wrong == {} and solved == [PASSED] * len(said)

    check = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    check.source = "raise ValueError"
    nbformat.write(notebook, tmp_path / file.name)
    assert set(validate(tmp_path / file.name)[0]) == {"changed"}
