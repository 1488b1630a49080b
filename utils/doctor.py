"""Is everything in place for the course, and if not, what to type.

In a terminal, in the course's folder:   python -m utils.doctor
In a notebook:                           from utils import doctor; doctor.report()

One line for each thing that was looked at. A line that begins with ``!!`` is followed by what to do. In a
terminal the exit status is 1 if anything is wrong. The doctor changes nothing and needs no network; nothing
but Python itself has to work for it, so every other import stands in the check that needs it.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

__all__ = ["Finding", "Report", "examine", "report"]

REPOSITORY = Path(__file__).resolve().parents[1]
COURSE = "neurons-to-transformers"
OLDEST_PYTHON = (3, 11)
NEEDED_MEMORY = 2.0  # GB that a lesson may take
NEEDED_DISK = 1.0  # GB for unpacked data, checkpoints and what is built
SHOWN = ("torch", "torchvision", "numpy", "matplotlib", "jupyterlab", "ipywidgets", "anywidget")
WIDGETS = {  # what JupyterLab needs to show explorers: the package that brings it, and its folder
    "jupyterlab_widgets": "@jupyter-widgets/jupyterlab-manager",
    "anywidget": "anywidget",
}
GB = 1e9


@dataclass(frozen=True)
class Finding:
    """What one check found. ``fix`` is a command or an action, and empty if nothing is wrong."""

    name: str
    ok: bool
    detail: str
    fix: str = ""

    def __str__(self) -> str:
        line = f"{'ok' if self.ok else '!!'}  {self.name} {self.detail}"
        return line if self.ok else f"{line}\n    fix: {self.fix}"


@dataclass(frozen=True)
class Report:
    """All findings, in the order in which they were made."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are not ok."""
        return tuple(finding for finding in self.findings if not finding.ok)

    def __str__(self) -> str:
        count = len(self.problems)
        end = "Everything is in place."
        if count:
            end = f"{count} {'thing is' if count == 1 else 'things are'} not right: see the lines with !!"
        return "\n".join([*map(str, self.findings), end])

    def __repr__(self) -> str:
        return f"<Report: {len(self.findings)} findings, {len(self.problems)} not ok>"


# --- the checks ----------------------------------------------------------------------------------------


def check_python() -> list[Finding]:
    """Python is new enough for the course."""
    found = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info[:2]) >= OLDEST_PYTHON:
        return [Finding("Python", True, found)]
    oldest = ".".join(map(str, OLDEST_PYTHON))
    fix = f"install Python {oldest} or newer from https://www.python.org/downloads, then {_anew()}"
    return [Finding("Python", False, f"{found} is too old: the course needs {oldest} or newer", fix)]


def check_packages() -> list[Finding]:
    """Every package that lessons need is installed, in the version with which the course is tested."""
    wrong, installed = [], {}
    for name, wanted in _wanted_versions().items():
        found = _version(name)
        if not found:
            problem = f"is not installed: the course needs {wanted}"
        elif found.partition("+")[0] != wanted:  # 2.14.1+cpu is 2.14.1, built for CPUs
            problem = f"{found} is not the tested version {wanted}"
        else:
            installed[name] = found
            continue
        wrong.append(Finding(name, False, problem, _install(f"{name}=={wanted}")))
    if not _course_is_installed():
        wrong.append(
            Finding("course", False, "is not installed: notebooks cannot import utils", _install("-e ."))
        )
    if wrong:
        return wrong
    named = ", ".join(f"{name} {installed[name]}" for name in SHOWN if name in installed)
    return [Finding("packages", True, f"{len(installed)} as tested: {named}, ...")]


def check_device() -> list[Finding]:
    """The chosen device computes."""
    try:
        import torch
    except Exception as error:  # a broken installation raises OSError and others, not only ImportError
        detail = f"PyTorch cannot be loaded ({type(error).__name__})"
        return [Finding("device", False, detail, _mend_torch())]
    from utils.device import ENVIRONMENT_VARIABLE, get_device

    try:
        device = get_device()
    except (RuntimeError, ValueError) as error:
        return [Finding("device", False, str(error), _set(ENVIRONMENT_VARIABLE, "auto"))]
    try:
        if torch.ones(3, device=device).sum().item() != 3:
            raise RuntimeError("1 + 1 + 1 is not 3")
    except Exception as error:  # such as a GPU for which this PyTorch holds no programs
        detail = f"{device} is there but does not compute ({type(error).__name__})"
        return [Finding("device", False, detail, _set(ENVIRONMENT_VARIABLE, "cpu"))]
    more = f"{torch.get_num_threads()} threads"
    if device.type == "cuda":
        more = torch.cuda.get_device_name(device)
    return [Finding("device", True, f"{device}, {more}")]


def check_memory() -> list[Finding]:
    """There is memory enough for a lesson."""
    import psutil

    memory = psutil.virtual_memory()
    detail = f"{memory.available / GB:.1f} of {memory.total / GB:.1f} GB free"
    if memory.available >= NEEDED_MEMORY * GB:
        return [Finding("memory", True, detail)]
    fix = "close other programs; in JupyterLab, choose Kernel > Shut Down All Kernels and begin again"
    return [Finding("memory", False, f"{detail}: a lesson may need {NEEDED_MEMORY:g} GB", fix)]


def check_data() -> list[Finding]:
    """The data files are there and have the right checksums."""
    from utils.data import verify
    from utils.texts import verify_texts

    statuses = verify() + verify_texts()
    damaged = [Finding("data", False, f"file {s.name} {s.problem}", s.fix) for s in statuses if not s.ok]
    return damaged or [Finding("data", True, f"{len(statuses)} files, all checksums right")]


def check_widgets() -> list[Finding]:
    """JupyterLab will find what it needs to show explorers."""
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    missing = [
        package
        for package, extension in WIDGETS.items()
        if not any((folder / extension / "package.json").is_file() for folder in folders)
    ]
    if missing:
        names = " and ".join(missing)
        fix = f"{_install('--force-reinstall --no-deps ' + ' '.join(missing))} and start JupyterLab again"
        return [Finding("widgets", False, f"would not show in JupyterLab: files of {names} are missing", fix)]
    return [Finding("widgets", True, "for JupyterLab in place")]


def check_disk() -> list[Finding]:
    """There is room on the disk for what lessons write."""
    free = shutil.disk_usage(REPOSITORY).free / GB
    if free >= NEEDED_DISK:
        return [Finding("disk", True, f"{free:.1f} GB free")]
    fix = f"empty the bin and delete what you no longer need, until {NEEDED_DISK:g} GB are free"
    return [Finding("disk", False, f"{free:.1f} GB free: the course may need {NEEDED_DISK:g} GB", fix)]


CHECKS: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
    ("Python", check_python),
    ("packages", check_packages),
    ("device", check_device),
    ("memory", check_memory),
    ("data", check_data),
    ("widgets", check_widgets),
    ("disk", check_disk),
)


# --- running them --------------------------------------------------------------------------------------


def examine() -> Report:
    """Run every check. Never raises: a check that fails by itself is a finding that is not ok."""
    findings: list[Finding] = []
    for name, check in CHECKS:
        try:
            findings += check()
        except ImportError as error:
            package = (error.name or "a package").partition(".")[0]
            detail = f"could not be looked at: {package} cannot be loaded"
            findings.append(Finding(name, False, detail, _install("-r requirements.txt")))
        except Exception as error:
            detail = f"could not be looked at ({type(error).__name__})"
            findings.append(Finding(name, False, detail, f"close JupyterLab, then {_anew()}"))
    return Report(tuple(findings))


def report() -> Report:
    """Print one line for each finding, and what to do about each that is wrong.

    Returns:
        The findings; ``report().ok`` tells whether all is well.
    """
    found = examine()
    print(found)
    return found


def main() -> int:
    """Print the report. Returns the exit status: 0 if nothing is wrong, else 1."""
    return 0 if report().ok else 1


# --- what to type --------------------------------------------------------------------------------------

# No fix names a folder of this machine: notebooks keep what is printed, and they are shared.


def _wanted_versions() -> dict[str, str]:
    """The pinned versions of what lessons need, from pyproject.toml, or from the installed package."""
    try:
        import tomllib

        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines = project["dependencies"]
    except (ImportError, OSError):
        lines = [line for line in metadata.requires(COURSE) or [] if "extra ==" not in line]
    pins = (re.match(r"\s*([A-Za-z0-9._-]+)\s*==\s*([^\s;,]+)", line) for line in lines)
    return {pin[1]: pin[2] for pin in pins if pin}


def _version(name: str) -> str:
    """The installed version of a package, or "" if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _course_is_installed() -> bool:
    """Whether Python finds ``utils`` from any folder. What lies in the course's own folder proves nothing."""
    places = [Path(found.locate_file("")).resolve() for found in metadata.distributions(name=COURSE)]
    return any(place != REPOSITORY for place in places)


def _windows() -> bool:
    return sys.platform == "win32"


def _in_own_environment() -> bool:
    """Whether this Python is the one that ``make lab`` has put into the course's folder."""
    return Path(sys.prefix).resolve() == (REPOSITORY / ".venv").resolve()


def _in_conda() -> bool:
    return (Path(sys.prefix) / "conda-meta").is_dir()


def _install(what: str) -> str:
    """How to install something into the environment of this Python."""
    if _in_own_environment():
        python = r".venv\Scripts\python" if _windows() else ".venv/bin/python"
    elif _in_conda() or sys.prefix != sys.base_prefix:
        python = "python"  # an environment of the learner's own, which is active in their terminal
    else:
        return _anew()  # the system's Python: better left alone
    return f"in the course's folder, type: {python} -m pip install {what}"


def _anew() -> str:
    """How to make the environment from nothing."""
    if _in_conda():
        return "in the course's folder, type: conda env update --file environment.yml"
    if _windows():
        return (
            r"in the course's folder, delete the folder .venv if there is one, type: py -m venv .venv "
            r"and then: .venv\Scripts\python -m pip install -r requirements.txt -e ."
        )
    return "in the course's folder, delete the folder .venv if there is one, and type: make lab"


def _mend_torch() -> str:
    if _windows():
        return (
            "install what PyTorch needs from https://aka.ms/vs/17/release/vc_redist.x64.exe "
            "and start the computer again"
        )
    return _install(f"--force-reinstall --no-deps torch=={_wanted_versions()['torch']}")


def _set(variable: str, value: str) -> str:
    if _windows():
        how = f'$env:{variable}="{value}" (in PowerShell) or: set {variable}={value} (in the Command Prompt)'
    else:
        how = f"export {variable}={value}"
    return f"in the terminal from which you start JupyterLab, type first: {how}"


if __name__ == "__main__":
    sys.exit(main())
