"""utils.doctor: each thing is broken once, and its line and its fix are looked at."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from utils import data, doctor
from utils.doctor import Finding, Report, examine, report

REPOSITORY = Path(doctor.__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(autouse=True)
def healthy(monkeypatch):
    """A machine on which nothing is wrong, however little memory and disk the tests' own one has."""
    for variable in ("N2T_DEVICE", "N2T_DATA", "N2T_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=6e9, total=8e9))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=50e9))


@pytest.fixture(params=["linux", "win32", "darwin"])
def system(request, monkeypatch):
    """Each system in turn, as far as the words of the doctor go."""
    monkeypatch.setattr(doctor, "_windows", lambda: request.param == "win32")
    return request.param


def environment(monkeypatch, kind: str) -> None:
    """Pretend that this Python is in the course's .venv, in conda, in another venv, or the system's."""
    monkeypatch.setattr(doctor, "_in_own_environment", lambda: kind == "own")
    monkeypatch.setattr(doctor, "_in_conda", lambda: kind == "conda")
    monkeypatch.setattr(doctor.sys, "base_prefix", "elsewhere" if kind == "venv" else sys.prefix)


def the_problem() -> Finding:
    """The one thing that is wrong."""
    problems = examine().problems
    assert len(problems) == 1, problems
    assert problems[0].fix and "\n" not in str(problems[0].detail)
    return problems[0]


# --- all is well ---------------------------------------------------------------------------------------


def test_all_is_well_here(capsys):
    found = report()
    lines = capsys.readouterr().out.splitlines()
    assert found.ok and found.problems == ()
    assert lines[0] == "ok  Python " + ".".join(map(str, sys.version_info[:3]))
    assert all(line.startswith("ok  ") for line in lines[:-1]) and lines[-1] == "Everything is in place."
    assert [line.split()[1] for line in lines[:-1]] == [name for name, _ in doctor.CHECKS]
    assert f"torch {metadata.version('torch')}" in lines[1]
    assert "memory 6.0 of 8.0 GB free" in lines[3] and "50.0 GB free" in lines[6]
    assert repr(found) == "<Report: 7 findings, 0 not ok>"


def test_as_a_program_in_a_terminal():
    run = subprocess.run(
        [sys.executable, "-m", "utils.doctor"], cwd=REPOSITORY, capture_output=True, text=True, timeout=300
    )
    assert run.stdout.startswith("ok  Python 3.") and run.stderr == ""
    # A machine that is busy with other tests may truly be short of memory or disk; nothing else is excused.
    wrong = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("!!")]
    assert set(wrong) <= {"memory", "disk"}, run.stdout
    assert run.returncode == (1 if wrong else 0)
    assert run.stdout.endswith("Everything is in place.\n") == (not wrong)


def test_as_a_program_with_damaged_data(tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    shutil.copytree(REPOSITORY / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*-ubyte"))
    path = raw / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    run = subprocess.run(
        [sys.executable, "-m", "utils.doctor"],
        cwd=REPOSITORY,
        env={**os.environ, "N2T_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 1
    assert f"!!  data file {path.name} is damaged" in run.stdout
    assert f"    fix: copy data/MNIST/raw/{path.name} of the course" in run.stdout
    assert run.stdout.count("!!  data") == 1 and "Everything is in place." not in run.stdout
    assert str(tmp_path) not in run.stdout


def test_a_python_without_any_package_gets_its_report():
    # -I -S: no site-packages, so nothing but the standard library can be imported.
    path = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); "
    code = path + "from utils import doctor; sys.exit(doctor.main())"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(sys.prefix),
    )
    assert (run.returncode, run.stderr) == (1, "")
    for name in (*(line.partition("==")[0] for line in PROJECT["dependencies"]), "course"):
        assert f"!!  {name} is not installed" in run.stdout
    for line in ("ok  Python", "!!  device PyTorch cannot be loaded", "!!  data could not", "ok  disk"):
        assert line in run.stdout


def test_old_pythons_can_read_the_doctor():
    ast.parse(Path(doctor.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))


# --- one thing broken at a time ------------------------------------------------------------------------


def test_old_python(monkeypatch, system):
    environment(monkeypatch, "own")
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 18, "final", 0))
    problem = the_problem()
    assert str(problem).startswith(
        "!!  Python 3.9.18 is too old: the course needs 3.11 or newer\n    fix: install"
    )
    assert "https://www.python.org/downloads" in problem.fix
    assert ("make" in problem.fix) == (system != "win32") == ("py -m venv" not in problem.fix)


def test_oldest_python_is_that_of_pyproject():
    assert PROJECT["requires-python"] == ">=" + ".".join(map(str, doctor.OLDEST_PYTHON))


def versions(monkeypatch, **changed: str) -> None:
    """Pretend that packages have other versions; "" stands for not installed."""
    real = metadata.version

    def version(name):
        found = changed.get(name)
        if found == "":
            raise metadata.PackageNotFoundError(name)
        return found or real(name)

    monkeypatch.setattr(metadata, "version", version)


PIN = dict(line.split("==") for line in PROJECT["dependencies"])


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("own", {"win32": r".venv\Scripts\python -m pip install "}),
        ("venv", {"win32": "type: python -m pip install ", "linux": "type: python -m pip install "}),
        ("conda", {"win32": "type: python -m pip install ", "linux": "type: python -m pip install "}),
        ("system", {"win32": "py -m venv .venv", "linux": "type: make lab"}),
    ],
)
def test_other_version(monkeypatch, system, kind, command):
    environment(monkeypatch, kind)
    versions(monkeypatch, numpy="1.26.0")
    problem = the_problem()
    assert problem.name == "numpy"
    assert problem.detail == f"1.26.0 is not the tested version {PIN['numpy']}"
    expected = command.get("win32" if system == "win32" else "linux", ".venv/bin/python -m pip install ")
    assert expected in problem.fix
    assert (f"numpy=={PIN['numpy']}" in problem.fix) == (kind != "system")


def test_missing_packages_each_have_their_line(monkeypatch):
    environment(monkeypatch, "venv")
    versions(monkeypatch, tqdm="", torchinfo="")
    problems = examine().problems
    assert [problem.name for problem in problems] == ["tqdm", "torchinfo"]
    assert problems[0].detail == f"is not installed: the course needs {PIN['tqdm']}"
    assert problems[0].fix == f"in the course's folder, type: python -m pip install tqdm=={PIN['tqdm']}"


def test_a_build_for_cpus_is_the_same_version(monkeypatch):
    versions(monkeypatch, torch=PIN["torch"] + "+cpu")
    assert examine().ok
    versions(monkeypatch, torch=PIN["torch"] + "1")
    assert the_problem().name == "torch"


def test_course_itself_not_installed(monkeypatch):
    environment(monkeypatch, "venv")
    left_by_a_build = SimpleNamespace(locate_file=lambda name: REPOSITORY / name)
    monkeypatch.setattr(metadata, "distributions", lambda name: iter([left_by_a_build]))
    problem = the_problem()
    assert problem.name == "course" and problem.fix.endswith("python -m pip install -e .")


def test_versions_without_pyproject_come_from_the_installed_package(monkeypatch, tmp_path):
    assert doctor._wanted_versions() == PIN
    monkeypatch.setattr(doctor, "REPOSITORY", tmp_path)
    lines = ["torch==9.0", 'pytest==1.0; extra == "test"']
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    assert doctor._wanted_versions() == {"torch": "9.0"}


def test_unknown_device(monkeypatch, system):
    monkeypatch.setenv("N2T_DEVICE", "tpu")
    problem = the_problem()
    assert problem.name == "device" and "N2T_DEVICE=tpu names no device" in problem.detail
    assert ("set N2T_DEVICE=auto" in problem.fix) == (system == "win32")
    assert ("export N2T_DEVICE=auto" in problem.fix) == (system != "win32")


def test_absent_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("N2T_DEVICE", "cuda")
    assert "Here there is: " in the_problem().detail


def test_device_that_does_not_compute(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(torch, "ones", fail)
    problem = the_problem()
    assert "does not compute (RuntimeError)" in problem.detail and "N2T_DEVICE=cpu" in problem.fix


@pytest.mark.parametrize("error", [ImportError("DLL load failed"), OSError("[WinError 126]")])
def test_torch_that_cannot_be_loaded(monkeypatch, system, error):
    environment(monkeypatch, "venv")

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "torch":
                raise error

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "torch")
    (problem,) = doctor.check_device()
    assert problem.detail == f"PyTorch cannot be loaded ({type(error).__name__})"
    assert (
        "vc_redist" if system == "win32" else f"--force-reinstall --no-deps torch=={PIN['torch']}"
    ) in problem.fix


def test_no_memory(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=0.6e9, total=4e9))
    problem = the_problem()
    assert str(problem).startswith(
        "!!  memory 0.6 of 4.0 GB free: a lesson may need 2 GB\n    fix: close other"
    )


def test_no_disk(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.2e9))
    problem = the_problem()
    assert str(problem).startswith("!!  disk 0.2 GB free: the course may need 1 GB\n    fix: empty the bin")


def test_damaged_and_missing_data(monkeypatch, tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    shutil.copytree(REPOSITORY / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*-ubyte"))
    monkeypatch.setattr(data, "REPOSITORY", tmp_path)  # as if this were the clone
    (tmp_path / ".git").mkdir()
    assert examine().ok
    (raw / "train-labels-idx1-ubyte.gz").unlink()
    content = bytearray((raw / "t10k-images-idx3-ubyte.gz").read_bytes())
    content[4000] ^= 1
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    problems = examine().problems
    assert [problem.detail.split(":")[0] for problem in problems] == [
        "file train-labels-idx1-ubyte.gz is missing",
        "file t10k-images-idx3-ubyte.gz is damaged",
    ]
    assert problems[0].fix.endswith("type: git checkout -- data/MNIST/raw/train-labels-idx1-ubyte.gz")


@pytest.mark.parametrize("package", doctor.WIDGETS)
def test_widget_folder_missing(monkeypatch, tmp_path, package):
    environment(monkeypatch, "venv")
    for name, extension in doctor.WIDGETS.items():
        if name != package:
            (tmp_path / extension).mkdir(parents=True)
            (tmp_path / extension / "package.json").write_text("{}")
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    problem = the_problem()
    assert problem.detail == f"would not show in JupyterLab: files of {package} are missing"
    assert f"python -m pip install --force-reinstall --no-deps {package} and start JupyterLab" in problem.fix


def test_widget_folders_are_those_of_the_packages():
    for package, extension in doctor.WIDGETS.items():
        files = [str(path) for path in metadata.files(package)]
        assert any(path.endswith(f"labextensions/{extension}/package.json") for path in files)


def test_a_check_that_fails_by_itself_is_a_finding(monkeypatch, capsys):
    def fail():
        raise ZeroDivisionError("/home/somebody/secret")

    def cannot_import():
        raise ImportError("no", name="psutil.deeper")

    monkeypatch.setattr(doctor, "CHECKS", (("memory", cannot_import), ("disk", fail)))
    environment(monkeypatch, "venv")
    found = report()
    assert [problem.detail for problem in found.problems] == [
        "could not be looked at: psutil cannot be loaded",
        "could not be looked at (ZeroDivisionError)",
    ]
    assert found.problems[0].fix == "in the course's folder, type: python -m pip install -r requirements.txt"
    output = capsys.readouterr().out
    assert "secret" not in output and output.endswith("2 things are not right: see the lines with !!\n")
    assert doctor.main() == 1


# --- the form ------------------------------------------------------------------------------------------


def test_everything_broken_still_reads_well(monkeypatch, tmp_path, system):
    """No folder of this machine, no character that a Windows console lacks, one line and one fix each."""
    environment(monkeypatch, "own")
    monkeypatch.setenv("N2T_DEVICE", "cuda:99")
    monkeypatch.setenv("N2T_DATA", str(tmp_path))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1, total=4e9))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [])
    monkeypatch.setattr(doctor.sys, "version_info", (3, 8, 0))
    versions(monkeypatch, anywidget="0.1", psutil="")
    found = examine()
    text = str(found)
    assert {problem.name for problem in found.problems} == {
        "Python", "anywidget", "psutil", "device", "memory", "data", "widgets", "disk"
    }  # fmt: skip
    assert text.isascii()
    for folder in (tmp_path, REPOSITORY, Path(sys.prefix), Path.home()):
        assert f"{folder}{os.sep}" not in text and f"{folder} " not in text
    lines = text.splitlines()[:-1]
    assert len(lines) == 2 * len(found.problems) == 2 * len(found.findings)
    assert all(re.match(r"!!  \S+ \S", line) for line in lines[::2])
    assert all(re.match(r"    fix: \S", line) for line in lines[1::2])
    if system == "win32":
        fixes = "\n".join(problem.fix for problem in found.problems)
        assert not re.search(r"\bmake\b|\bexport\b|\bunset N2T_DEVICE|/bin/", fixes)


def test_findings_are_plain_data():
    Pair = namedtuple("Pair", "good bad")
    pair = Pair(Finding("a", True, "is"), Finding("b", False, "is not", "do it"))
    assert str(pair.good) == "ok  a is" and str(pair.bad) == "!!  b is not\n    fix: do it"
    assert Report((pair.good,)).ok and not Report(tuple(pair)).ok
