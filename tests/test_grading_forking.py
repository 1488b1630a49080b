"""Kernels by forking: a fork is what a new kernel is, reaches nothing it comes from, is marked the same."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grading_class as klass
import psutil
import pytest
from typer.testing import CliRunner

from utils.grading import command, forking, sandbox
from utils.grading.examine import Examination, examine
from utils.grading.forking import CannotFork, Template
from utils.grading.run import DATA, REPOSITORY, Record, Settings, exercises_of
from utils.grading.sandbox import Kernel, KernelGone, Limits, check_available, check_forking

LIMITS = Limits(cell=20, wall=100)
BOTH = pytest.mark.parametrize("fresh", [False, True], ids=["forked", "fresh"])


def kernel(*, fresh: bool = False, limits: Limits = LIMITS) -> Kernel:
    return Kernel(limits, klass.student_view(), DATA, fresh=fresh)


def said(running: Kernel, code: str) -> object:
    """What code, run as a cell, put into ``said``."""
    reply = running.run(code, 30)
    assert reply is not None and reply["status"] == "ok", reply
    shown = "__import__('utils.grading.inside', fromlist=['Answer']).Answer(__import__('json').dumps(said))"
    return json.loads(running.ask(shown, 10))


@contextlib.contextmanager
def light_template(monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    """Another template for a while, which has loaded nothing."""
    template = Template(sandbox.environment(), loaded=())
    with monkeypatch.context() as patch:
        patch.setattr(forking, "_why_not", "")
        patch.setattr(forking, "_shared", template)
        yield template
        template.close()


@pytest.fixture(autouse=True)
def _every_test_forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without bubblewrap, or where it cannot be forked, these tests fail: nothing here may pass unseen."""
    check_available()
    monkeypatch.setattr(forking, "_why_not", "")
    yield
    forked = forking.shared(sandbox.environment())
    assert forked is not None, forking._why_not
    left = [child for child in psutil.Process(forked.pid).children(recursive=True) if alive(child)]
    assert left == [], "a kernel or its keeper is left"


def alive(process: psutil.Process) -> bool:
    try:
        process.wait(5)
    except psutil.TimeoutExpired:
        return True
    return False


def test_kernels_can_be_forked_here() -> None:
    check_forking(LIMITS)


# ----------------------------------------------------------------------------------------- what a fork is

DESCRIPTION = """
import ctypes, errno, json, os, resource, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
library = ctypes.CDLL(None, use_errno=True)

def links(folder):
    found = []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(f"{folder}/{name}").split(":")[0])
        except OSError:  # the one with which the folder is read
            pass
    return sorted(found)

def refusal(function, *args):
    try:
        function(*args)
        return ""
    except OSError as error:
        return errno.errorcode[error.errno]

def call(*args):
    if library.syscall(*args) < 0:
        raise OSError(ctypes.get_errno(), "")

numbers = {"x86_64": (250, 248, 249, 319, 425), "aarch64": (219, 217, 218, 279, 425)}[os.uname().machine]
pattern = open("/proc/sys/kernel/core_pattern").read()
said = {
    "root's settings": refusal(open, "/proc/sys/kernel/core_pattern", "r+"),
    "ground": [refusal(open, f"{folder}/x", "w") for folder in ("", "/dev", "/run", "/course")],
    "calls": [refusal(call, number, 0, -3, 0, 0, 0) for number in numbers],
    "of another machine": refusal(call, 0x40000000 + numbers[0], 0, -3, 0),
    "rights": {n: status[n].split() for n in status if n[:3] in ("Cap", "NoN", "Sec", "Sig", "Uid", "Gid")},
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
    "environment": {n: v for n, v in os.environ.items() if n not in ("PWD", "OLDPWD", "SHLVL", "_")},
    "path": sys.path,
    "names": sorted(globals()),
    "namespaces as of the first process": {
        n: os.readlink(f"/proc/self/ns/{n}") == os.readlink(f"/proc/1/ns/{n}")
        for n in os.listdir("/proc/self/ns")
    },
    "descriptors": links("/proc/self/fd"),
    "standard streams": [os.fstat(n).st_rdev for n in (0,)],
    "mounts": sorted(line.split(" - ")[0].split()[4:6] for line in open("/proc/self/mountinfo")),
    "folder": os.getcwd(),
    "course": sorted(name for name in sys.modules if name.startswith("utils")),
    "files": {f: sorted(os.listdir(f)) for f in ("/", "/tmp", "/run", "/dev", "/dev/shm", ".")},
    "processes": sum(name.isdigit() for name in os.listdir("/proc")),
    "a namespace of its own": library.unshare(0x10000000),
    "mask": os.umask(0o22),
    "group leader": open("/proc/self/cgroup").read(),
    "nice": os.nice(0),
}
"""  # fmt: skip


def test_a_fork_is_what_a_new_kernel_is() -> None:
    """The same rights, limits, environment, files, mounts and descriptors: all that its walls consist of."""
    with kernel() as forked, kernel(fresh=True) as fresh:
        one, other = said(forked, DESCRIPTION), said(fresh, DESCRIPTION)
        assert forked._forked is not None and fresh._forked is None
    assert one == other
    assert all(set(one["rights"][name][0]) == {"0"} for name in one["rights"] if name.startswith("Cap"))
    assert one["rights"]["NoNewPrivs"] == ["1"]
    assert set(one["namespaces as of the first process"].values()) == {True}
    assert one["limits"]["RLIMIT_NOFILE"] == [LIMITS.files, LIMITS.files]
    assert one["root's settings"] in ("EROFS", "EACCES") and one["ground"] == ["EROFS"] * 4
    assert one["calls"] == ["EPERM"] * 5 and one["of another machine"] == "EPERM"
    assert one["rights"]["Seccomp"] == ["2"]
    assert one["processes"] == 2
    assert one["a namespace of its own"] == -1


ORIGIN = """
import gc, os, sys
def opened(path, flags):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError:
        return False
environment = open("/proc/self/environ").read() + open("/proc/1/environ").read()
maps = os.listdir("/proc/self/map_files")
said = {
    "parent": os.getppid(),
    "program": os.readlink("/proc/self/exe"),
    "writes to it": opened("/proc/self/exe", os.O_RDWR),
    "mapped files": len(maps),
    "opened": sum(opened(f"/proc/self/map_files/{name}", os.O_RDONLY) for name in maps),
    "teacher": [word for word in ("N2T_TEACHER", "4711-secret") if word in environment],
    "modules from nowhere": [
        name for name, module in list(sys.modules.items())
        if name.startswith("utils") and not str(module.__file__).startswith("/course/")
    ],
    "bank": [n for n in sys.modules if "lesson_" in n or n.endswith((".bank", ".engine", ".forking"))],
    "exercises": sum(type(thing).__name__ == "Exercise" for thing in gc.get_objects()),
    "shared memory": [line for line in open("/proc/self/maps") if {"w", "s"} <= set(line.split()[1])],
}
"""


def test_a_fork_sees_nothing_of_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2T_TEACHER", "4711-secret")
    with light_template(monkeypatch), kernel() as forked:
        seen = said(forked, ORIGIN)
    assert seen.pop("mapped files") > 50
    assert seen.pop("program").startswith("/memfd:"), "not a copy: it leads to the teacher's own Python"
    assert not any(seen.values()), seen


def test_the_copy_in_memory_cannot_be_changed(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"content")
    copy = forking._sealed_copy(str(tmp_path / "program"))
    assert os.pread(copy, 100, 0) == b"content"
    for change in (lambda: os.pwrite(copy, b"x", 0), lambda: os.truncate(copy, 0)):
        with pytest.raises(PermissionError):
            change()
    os.close(copy)


# --------------------------------------------------------------------------------------- what it can reach

ATTACKS = {
    "every number": "import os\nfor n in range(2, 100_000):\n    if n != os.getpid():\n"
    "        try: os.kill(n, 9)\n        except OSError: pass\nsaid = 1",
    "all at once": "import os\ntry: os.kill(-1, 9)\nexcept OSError: pass\nsaid = 1",
    "every descriptor": "import os\nfor n in range(3, 256):\n    for text in (b'', b'{\"kernel\": 1}\\n'):\n"
    "        try: os.write(n, text)\n        except OSError: pass\nos._exit(0)",
    "its parent": "import os\nos.kill(os.getppid(), 9)",
    "the first process": "import ctypes, os, time\nlibrary = ctypes.CDLL(None)\n"
    "for request in (16, 8, 7):\n    library.ptrace(request, 1, 0, 9)\nos.kill(1, 9)\n"
    "try: open('/proc/1/mem', 'r+b').write(b'x')\nexcept (OSError, ValueError): pass\n"
    "time.sleep(0.3)\nos._exit(0)",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_reaches_the_template_or_the_next_kernel(attack: str, caplog) -> None:
    template = forking.shared(sandbox.environment()).pid
    with kernel() as forked:
        try:
            assert said(forked, ATTACKS[attack]) == 1
        except KernelGone as gone:
            assert str(gone) == "The kernel ended."
    with kernel() as following:
        assert said(following, "import torch\nsaid = torch.ones(2).sum().item()") == 2
        assert following._forked is not None
    assert forking.shared(sandbox.environment()).pid == template, "the template was ended"
    assert caplog.records == []


LEAVES = """
import builtins, ctypes, os, random, socket, sys, torch
for folder in ("/tmp", "/dev/shm", os.getcwd(), "/run/kernel"):
    open(folder + "/left", "w").write("x")
library = ctypes.CDLL(None)
library.shmget(4711, 4096, 0o1666)
library.msgget(4711, 0o1666)
listening = socket.socket(socket.AF_UNIX)
listening.bind("\\0n2t-left")
listening.listen()
torch.left = builtins.left = os.left = "left"
os.environ["LEFT"] = "x"
torch.manual_seed(1), random.seed(1)
said = sorted(sys.modules)
"""
FINDS = """
import builtins, ctypes, os, socket, torch
found = [f for f in ("/tmp", "/dev/shm", os.getcwd(), "/run/kernel") if os.path.exists(f + "/left")]
library = ctypes.CDLL(None)
found += ["memory"] * (library.shmget(4711, 4096, 0) >= 0) + ["queue"] * (library.msgget(4711, 0) >= 0)
try:
    socket.socket(socket.AF_UNIX).connect("\\0n2t-left")
    found.append("socket")
except OSError:
    pass
found += [str(place) for place in (torch, builtins, os) if hasattr(place, "left")]
found += [name for name in os.environ if name == "LEFT"]
said = found
"""


def test_nothing_is_left_for_another_kernel() -> None:
    """Neither for one that runs at the same time nor for the next."""
    with kernel() as first:
        said(first, LEAVES)
        assert said(first, FINDS) != [], "what was left is not even found where it was left"
        with kernel() as beside:
            assert said(beside, FINDS) == []
    with kernel() as following:
        assert said(following, FINDS) == []


DRAWS = """
import os, random, tempfile, uuid, numpy, torch
said = {
    "random": random.random(), "numpy": numpy.random.rand(), "new": numpy.random.default_rng().random(),
    "torch": torch.rand(1, dtype=torch.float64).item(), "torch seed": torch.initial_seed(),
    "system": os.urandom(8).hex(), "uuid": str(uuid.uuid4()), "name": next(tempfile._get_candidate_names()),
}
"""


def test_no_two_forks_draw_the_same() -> None:
    with kernel() as one, kernel() as other:
        first, second = said(one, DRAWS), said(other, DRAWS)
        assert [name for name in first if first[name] == second[name]] == []
        seeds = "import random, numpy, torch\nrandom.seed(3), numpy.random.seed(3), torch.manual_seed(3)\n"
        first, second = said(one, seeds + DRAWS), said(other, seeds + DRAWS)
        assert [first[name] for name in ("random", "numpy", "torch")] == [
            second[name] for name in ("random", "numpy", "torch")
        ]


@BOTH
def test_the_machines_devices_stay_as_they_are(fresh: bool) -> None:
    """Root's own submission owns them, wherever it is: changed would be the mode of everybody's /dev/null."""
    devices = ("null", "zero", "full", "random", "urandom", "tty")
    before = {name: os.stat(f"/dev/{name}").st_ctime_ns for name in devices}
    same = [f"/dev/{name}" for name in devices] + ["/proc/self/fd/0", "/proc/1/fd/0", "/proc/1/fd/2"]
    code = (
        f"import os, stat\nsaid = []\nfor name in {same!r}:\n"
        "    try: os.chmod(name, stat.S_IMODE(os.stat(name).st_mode))\n"
        "    except OSError as error: said.append(error.errno)\n"
    )
    with kernel(fresh=fresh) as running:
        refused = said(running, code)
    assert {name: os.stat(f"/dev/{name}").st_ctime_ns for name in devices} == before
    assert refused


# ------------------------------------------------------------------------------------------- limits hold


@BOTH
def test_memory_is_limited_without_control_groups(fresh: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_group_places", lambda limits: iter(()))
    limits = Limits(memory=1000)
    with kernel(fresh=fresh, limits=limits) as running, pytest.raises(KernelGone, match="memory"):
        running.run("x = b'x' * 1_000_000_000\nimport time\ntime.sleep(60)", 30)


def test_a_kernel_that_ends_is_noticed_though_its_sandbox_lives() -> None:
    with kernel() as running:
        with pytest.raises(KernelGone, match="ended"):
            running.run("import os\nif os.fork():\n    os._exit(3)\nimport time\ntime.sleep(600)", 500)
        assert running._forked.ended == 3
        assert running._process.poll() is None


# --------------------------------------------------------------------------------------- the same marks


def exam(cells: list[str], *, fresh: bool) -> Examination:
    return Examination(exercises_of(klass.STEM), cells, 4711, LIMITS, klass.student_view(), DATA, True, fresh)


def test_marks_are_the_same_both_ways() -> None:
    solved = [cell.source for cell in klass.solved().cells if cell.cell_type == "code"]
    wrong = [e.misconceptions[0].code for e in exercises_of(klass.STEM)]
    half = [*solved[: len(solved) // 2], "1 / 0", "import torch, math, numpy as np", *wrong[3:]]
    marks = {fresh: examine(exam(half, fresh=fresh)) for fresh in (False, True)}
    assert marks[False] == marks[True]
    assert {mark.status for mark in marks[True]} > {"passed"}, "nothing to tell apart"


# ------------------------------------------------------------------------------ where it cannot be forked


def test_where_it_cannot_be_forked_a_new_process_does_it_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(environment: dict[str, str]) -> Template:
        raise CannotFork("no forks today")

    said: list[str] = []  # not caplog's: it hears twice where another test has changed the logger
    with monkeypatch.context() as patch:
        patch.setattr(forking.LOG, "warning", lambda text, *words: said.append(text % words))
        patch.setattr(forking, "_why_not", "")
        patch.setattr(forking, "_shared", None)
        patch.setattr(forking, "Template", none)
        for _ in range(2):
            with kernel() as running:
                assert running._forked is None and running.ask("1 + 1", 10) == "2"
    assert said == [f"{forking.SLOWER} Why: no forks today."]


def test_a_template_that_was_ended_is_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forking.LOG, "propagate", True)
    with light_template(monkeypatch) as template, caplog.at_level(logging.WARNING):
        os.kill(template.pid, signal.SIGKILL)
        with kernel() as running:
            assert running._forked is None and running.ask("1 + 1", 10) == "2"
    assert "template" in caplog.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", ""),
        ("from threading import Event, Thread; Thread(target=Event().wait, daemon=True).start()", "thread"),
        ("import mmap; memory = mmap.mmap(-1, 4096)", "shares memory"),
    ],
    ids=["alone", "thread", "shared memory"],
)  # fmt: skip
def test_a_process_that_a_fork_would_not_copy_whole_is_none_to_fork(code: str, words: str) -> None:
    code += "\nfrom utils.grading.template import _alone, CannotFork\n"
    code += "try: _alone(); print('')\nexcept CannotFork as error: print(error)"
    env = {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert words in done.stdout and bool(words) == bool(done.stdout.strip())


def test_what_cannot_be_loaded_is_named() -> None:
    with pytest.raises(CannotFork, match="no_such_module cannot be loaded"):
        Template(sandbox.environment(), loaded=["no_such_module"])


def test_no_kernel_is_forked_into_a_process_without_walls() -> None:
    """Should a number ever be another process's: nothing is started in the teacher's own world."""
    template = Template(sandbox.environment(), loaded=())
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(CannotFork, match="namespace"):
            template.fork(sleeper.pid, os.getpid(), {}, (), home="/", arguments=(), seconds=20)
        with pytest.raises(CannotFork, match="ended"):
            template.fork(sleeper.pid, 1, {}, (), home="/", arguments=(), seconds=20)
    finally:
        sleeper.kill()
        sleeper.wait()
        template.close()
    with pytest.raises(CannotFork, match="ended"):
        template.fork(os.getpid(), os.getppid(), {}, (), home="/", arguments=(), seconds=20)


def test_the_command_says_that_it_is_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def cannot(limits: Limits) -> None:
        raise CannotFork("no forks today")

    monkeypatch.setattr(command, "check_forking", cannot)
    monkeypatch.setattr(command, "grade", lambda *args, **more: asked.append(args[2].fresh))
    result = CliRunner().invoke(command.app, [str(tmp_path)])
    assert result.exit_code == 0 and "slower" in result.output and "no forks today" in result.output
    result = CliRunner().invoke(command.app, [str(tmp_path), "--fresh-process"])
    assert result.exit_code == 0 and "slower" not in result.output
    monkeypatch.setattr(command, "check_forking", lambda limits: None)
    assert CliRunner().invoke(command.app, [str(tmp_path)]).exit_code == 0
    assert asked == [True, True, False]


def test_a_run_may_go_on_the_other_way(tmp_path: Path) -> None:
    secret = Record(tmp_path, Settings()).secret
    assert Record(tmp_path, Settings(fresh=True)).secret == secret
