"""The teacher's guide, followed to the letter: its commands are taken from the page and run."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from utils.build import Course

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
    from nbgrader.preprocessors import CheckCellMetadata

    course = Course()
    assert len(course.stems("exercises")) > 15
    for stem in course.stems("exercises"):
        notebook = nbformat.read(course.notebook("exercises", stem), as_version=4)
        MetadataValidator().validate_nb(notebook)
        CheckCellMetadata().preprocess(notebook, {})
        roles = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert sum(role.grade for role in roles) == sum(role.solution for role in roles) > 0
