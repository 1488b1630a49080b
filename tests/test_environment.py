"""pyproject.toml, requirements.txt and environment.yml say the same, and the installed packages agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
BOUND_TO_A_PLATFORM = re.compile(r"nvidia-|cuda-|triton$|pywin|colorama$|appnope$")


def pins(lines: list[str]) -> dict[str, str]:
    """Read lines like ``name==1.2`` into {canonical name: version}, and refuse anything less exact."""
    found = {}
    for line in lines:
        requirement = Requirement(line)
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), f"{line} is no exact version"
        name = canonicalize_name(requirement.name)
        assert name not in found, f"{name} is named twice"
        found[name] = str(requirement.specifier)[2:]
    return found


def requirement_lines() -> list[str]:
    text = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


DIRECT = pins(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines])
PINNED = pins(requirement_lines())
CONDA = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
PIP_PART = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))


def needed() -> set[str]:
    """Every package that the direct ones need on this machine, themselves included."""
    extras: dict[str, set[str]] = {}
    waiting = [Requirement(f"{name}=={pin}") for name, pin in DIRECT.items()]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in extras and requirement.extras <= extras[name]:
            continue
        wanted = extras.setdefault(name, set())
        wanted |= requirement.extras
        for line in requires(name) or []:
            further = Requirement(line)
            if further.marker is None or any(further.marker.evaluate({"extra": e}) for e in {"", *wanted}):
                waiting.append(further)
    return set(extras)


def test_requirements_have_the_versions_of_pyproject():
    assert {name: PINNED.get(name) for name in DIRECT} == DIRECT


def test_environment_has_the_versions_of_pyproject():
    assert pins([line for line in PIP_PART if not line.startswith("-")]) == DIRECT


def test_environment_works_on_any_system():
    assert CONDA["name"] == "neurons-to-transformers" == PROJECT["name"]
    assert CONDA["channels"] == ["conda-forge"]
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    assert plain == ["python=3.11", "pip"]
    assert "3.11" in SpecifierSet(PROJECT["requires-python"])
    # Paths in the pip part are relative to the file, so both are those of this repository.
    assert [line for line in PIP_PART if line.startswith("-")] == ["-c requirements.txt", "-e ."]


def test_requirements_name_all_that_is_needed():
    missing = {name for name in needed() - set(PINNED) if not BOUND_TO_A_PLATFORM.match(name)}
    assert missing == set()


def test_requirements_name_nothing_else():
    if sys.version_info[:2] == (3, 11):  # the tested one; newer ones need fewer backports
        posix_only = {"pexpect", "ptyprocess"} if sys.platform == "win32" else set()
        assert set(PINNED) - needed() - posix_only == set()


def test_requirements_leave_out_what_is_bound_to_a_platform():
    assert [name for name in PINNED if BOUND_TO_A_PLATFORM.match(name)] == []
    marked = {line.partition("==")[0]: line.partition("; ")[2] for line in requirement_lines() if ";" in line}
    assert marked == dict.fromkeys(("pexpect", "ptyprocess"), 'sys_platform != "win32"')


def test_requirements_are_in_order():
    names = [canonicalize_name(Requirement(line).name) for line in requirement_lines()]
    assert names == sorted(names)


def test_what_is_installed_is_what_is_tested():
    # "2.14.1+cpu" is 2.14.1, built for CPUs.
    installed = {name: version(name).partition("+")[0] for name in needed() & set(PINNED)}
    assert installed == {name: PINNED[name] for name in installed} and len(installed) > 100


def test_pip_can_read_both_lists(tmp_path):
    """pip parses the file and the pip part of environment.yml as conda hands it over, without a network."""
    handed_over = tmp_path / "condaenv.requirements.txt"
    handed_over.write_text("\n".join(line for line in PIP_PART if line != "-e ."), encoding="utf-8")
    (tmp_path / "requirements.txt").write_bytes((REPOSITORY / "requirements.txt").read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--quiet", "-r"]
    for path in (handed_over, REPOSITORY / "requirements.txt"):
        run = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
