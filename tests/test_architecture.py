"""The arrows inside utils, and the table of derived files, are as CONTRIBUTING.md draws them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from utils.build import Course

REPOSITORY = Path(__file__).parents[1]
UTILS = REPOSITORY / "utils"
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")

# part -> the other parts of utils it may import; parts that are not named may import all
ARROWS: dict[str, set[str]] = {
    "data": set(),
    "texts": {"data"},
    "device": set(),
    "training": {"device"},
    "plotting": set(),
    "explore": {"plotting", "data", "texts", "device"},
    "checks": {"data", "texts"},
    "built": set(),
    "grading": {"checks"},
}
JUPYTER = r"(IPython|ipykernel|ipywidgets|anywidget|jupyter\w*|notebook|nb\w+)"
PICTURES = r"(matplotlib|PIL|utils\.plotting)"
# part -> packages it must know nothing of
UNKNOWN = {
    "data": rf"{JUPYTER}|{PICTURES}",
    "texts": rf"{JUPYTER}|{PICTURES}",
    "device": rf"{JUPYTER}|{PICTURES}",
    "training": rf"{JUPYTER}|{PICTURES}",
    "plotting": r"(ipywidgets|anywidget|jupyter\w*|nb\w+)",
    "checks": JUPYTER,
    "built": rf"{JUPYTER}|{PICTURES}",
}


def part(path: Path) -> str:
    """The part of utils a file belongs to: the folder's or the module's name."""
    return path.relative_to(UTILS).parts[0].removesuffix(".py")


def imports(source: str, package: str) -> Iterator[str]:
    """Full names of all that a module imports, wherever in it; relative ones from its package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def wrong_arrows(path: Path, source: str) -> list[str]:
    """The imports of a module of utils that its part must not have."""
    own = part(path)
    package = ".".join(["utils", *path.relative_to(UTILS).parts[:-1]])
    wrong = []
    for name in imports(source, package):
        if name.split(".")[0] == "notebooks":
            wrong.append(name)
        if re.fullmatch(rf"({UNKNOWN.get(own, '(?!)')})(\..*)?", name):
            wrong.append(name)
        inside = re.fullmatch(r"utils\.(\w+)(\..*)?", name)
        if inside and own in ARROWS and inside[1] not in {own, *ARROWS[own]}:
            wrong.append(name)
    return wrong


MODULES = sorted(UTILS.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(UTILS).as_posix())
def test_a_module_imports_only_along_the_arrows(path: Path) -> None:
    assert wrong_arrows(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("training.py", "from utils import plotting"),
        ("training.py", "import matplotlib.pyplot as plt"),
        ("training.py", "from utils.data import Batches"),
        ("data.py", "from .training import fit"),
        ("plotting/lines.py", "import ipywidgets"),
        ("plotting/lines.py", "from utils.explore import neuron"),
        ("explore/neuron.py", "from utils.checks import check"),
        ("checks/engine.py", "def f():\n    from IPython.display import HTML"),
        ("checks/engine.py", "import nbgrader.api"),
        ("checks/engine.py", "from ..explore import neuron"),
        ("built/losses.py", "from utils import training"),
        ("built/losses.py", "import matplotlib.pyplot as plt"),
        ("checks/engine.py", "from utils.grading import plain"),
        ("grading/run.py", "from utils.explore import neuron"),
        ("doctor.py", "from notebooks.source import lessons"),
    ],
)
def test_a_wrong_arrow_is_seen(module: str, line: str) -> None:
    assert wrong_arrows(UTILS / module, line)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("training.py", "from .device import get_device"),
        ("plotting/lines.py", "from .style import COLORS\nimport matplotlib"),
        ("checks/engine.py", "from . import exercise\nfrom .result import Result"),
        ("explore/neuron.py", "from utils.plotting import COLORS\nimport anywidget"),
        ("build.py", "from utils.checks.exercise import Exercise"),
        ("grading/run.py", "import nbgrader\nfrom utils.checks import engine"),
    ],
)
def test_a_right_arrow_is_left_alone(module: str, line: str) -> None:
    assert wrong_arrows(UTILS / module, line) == []


def test_every_part_that_has_arrows_is_there() -> None:
    assert set(ARROWS) <= {part(path) for path in MODULES}


def test_importing_utils_costs_nothing() -> None:
    assert list(imports((UTILS / "__init__.py").read_text(encoding="utf-8"), "utils")) == []


def derived_patterns() -> list[str]:
    """The files of the first column of the table of derived files, as patterns."""
    table = CONTRIBUTING.split("## Which file is made from which")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")][2:]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_the_table_names_each_derived_file() -> None:
    course, named = Course(), derived_patterns()
    for kind in ("lessons", "exercises", "solutions"):
        for stem in course.stems(kind):
            pattern = course.notebook(kind, stem).relative_to(REPOSITORY).as_posix().replace(stem, "NN_stem")
            assert pattern in named
    assert {"README.md", "docs/lesson.png", "requirements.txt", "environment.yml"} <= set(named)


def test_each_derived_file_in_the_table_is_there() -> None:
    stem = Course().stems("exercises")[0]
    for name in derived_patterns():
        assert (REPOSITORY / name.replace("NN_stem", stem)).exists(), name


def test_every_notebook_has_a_source() -> None:
    """No notebook but those that are built: one that is edited by hand has no place to be reviewed."""
    course = Course()
    built = {
        course.notebook(kind, s) for kind in ("lessons", "exercises", "solutions") for s in course.stems(kind)
    }
    found = {
        path
        for path in REPOSITORY.glob("notebooks/**/[0-9][0-9]_*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    assert found == built
