"""README, CONTRIBUTING and the commands they name agree with what is there."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from utils.build import Course, readme_text
from utils.lint import links

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXTS = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING}


def test_the_lesson_table_is_what_the_lessons_say() -> None:
    assert readme_text(Course()) == README
    for stem in Course().stems():
        assert f"(notebooks/{stem}.ipynb)" in README


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    for link in links(TEXTS[name]):
        if not link.startswith(("https://", "#", "exercises/")):  # exercises/: an example of a lesson's text
            assert (REPOSITORY / link.partition("#")[0]).exists(), f"{name}: {link} is not there"


@pytest.mark.parametrize("name", TEXTS)
def test_the_make_commands_exist(name: str) -> None:
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXTS[name], re.MULTILINE))
    assert commands >= {"test"}
    for command in commands:
        assert re.search(rf"^{command}:", MAKEFILE, re.MULTILINE), f"{name}: make {command} does not exist"


@pytest.mark.parametrize("name", TEXTS)
def test_the_modules_and_files_that_are_named_exist(name: str) -> None:
    for module in re.findall(r"python -m (utils\.\w+)", TEXTS[name]):
        assert (REPOSITORY / f"{module.replace('.', '/')}.py").exists(), f"{name}: {module}"
    for path in re.findall(r"`((?:utils|tests|notebooks|docs|benchmarks|data)/[\w./-]+)`", TEXTS[name]):
        if "NN_stem" not in path:
            assert (REPOSITORY / path).exists(), f"{name}: {path}"


def test_versions_in_the_readme_are_those_that_are_installed() -> None:
    pins = dict(line.split("==") for line in PROJECT["dependencies"])
    named = re.findall(r"\b([a-z]+)==([\d.]+\d)", README)
    assert {package for package, _ in named} == {"torch", "torchvision"}
    for package, version in named:
        assert pins[package] == version
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in README
    assert oldest.replace(".", ", ") in MAKEFILE


def test_the_licences_are_those_of_the_package() -> None:
    licence = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert "MIT License" in licence and "https://creativecommons.org/licenses/by/4.0/" in licence


def test_ci_runs_the_readmes_test_command() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").rstrip().endswith("\nmake test")
    subprocess.run(["bash", "-n", str(script)], check=True)


# --- make, where the environment cannot be made ----------------------------------------------------------


@pytest.fixture(autouse=True)
def no_outer_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `make test` a further make would take over the outer one's variables."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "VENV", "PYTHON", "LAB_ARGS", "STAGES"):
        monkeypatch.delenv(name, raising=False)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile for an environment in an empty folder."""
    command = ["make", "--silent", f"VENV={folder / 'venv'}", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def fake_python(folder: Path, script: str) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_make_says_when_there_is_no_python(tmp_path: Path) -> None:
    done = make(tmp_path, "PYTHON=no-such-python", "lab")
    assert done.returncode != 0 and "There is no 'no-such-python' here" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_make_says_when_python_is_too_old(tmp_path: Path) -> None:
    old = fake_python(tmp_path, 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    done = make(tmp_path, f"PYTHON={old}", "lab")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer, and Python 3.9.2 is older" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("arguments", [[], ["LESSON=07_nothing"]])
def test_make_says_when_the_lesson_of_a_lecture_is_not_there(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / ".ready-slides").touch()
    done = make(tmp_path, "-o", str(tmp_path / "venv" / ".ready-slides"), "lecture", *arguments)
    assert done.returncode != 0 and "make lecture LESSON=04_mlp" in done.stderr


def test_make_says_when_python_has_no_venv(tmp_path: Path) -> None:
    bare = fake_python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac')
    done = make(tmp_path, f"PYTHON={bare}", "lab")
    assert done.returncode != 0 and "apt-get install -y python3-venv" in done.stderr


def test_make_sets_up_once_and_again_when_the_lists_change(tmp_path: Path) -> None:
    """With a Python that only writes down what it is asked to do."""
    course = tmp_path / "course"
    course.mkdir()
    (course / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for name in ("pyproject.toml", "requirements.txt"):
        (course / name).touch()
    log, python = tmp_path / "log", tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$@" >> "{log}"\n'
        '[ "$2" != venv ] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }\n',
        encoding="utf-8",
    )
    python.chmod(0o755)

    def asked(*arguments: str) -> list[str]:
        log.write_text("", encoding="utf-8")
        subprocess.run(
            ["make", "--silent", f"PYTHON={python}", *arguments], cwd=course, check=True, capture_output=True
        )
        return [line for line in log.read_text(encoding="utf-8").splitlines() if not line.startswith("-c")]

    install = "-m pip install --disable-pip-version-check -c requirements.txt -e"
    lab = "-m jupyterlab notebooks/00_start_here.ipynb"
    assert asked("lab") == ["-m venv .venv", f"{install} .", lab]
    assert asked("lab", "LAB_ARGS=--no-browser") == [f"{lab} --no-browser"]
    assert asked("site", "SITE_ARGS=--out x") == [f"{install} .[site]", "-m utils.site --out x"]
    hub = "-m jupyterhub --config deploy/jupyterhub/jupyterhub_config.py --debug"
    assert asked("hub", "HUB_ARGS=--debug") == [f"{install} .[grade,hub]", hub]
    assert asked("slides", "SLIDES_ARGS=--check") == [f"{install} .[slides]", "-m utils.slides --check"]
    (course / "notebooks").mkdir()
    (course / "notebooks" / "04_mlp.ipynb").touch()
    assert asked("lecture", "LESSON=04_mlp") == ["-m jupyterlab notebooks/04_mlp.ipynb"]
    assert asked("test") == [f"{install} .[test,grade,site,hub,slides]", "tests/run_all.py"]
    assert asked("test", "STAGES=style") == ["tests/run_all.py style"]
    later = (course / ".venv" / ".ready-test").stat().st_mtime + 10
    os.utime(course / "requirements.txt", (later, later))
    assert asked("lab") == [f"{install} .", lab]
