"""A kernel in a sandbox, and how to talk to it.

The kernel is started under bubblewrap: no network, no home, no other user's files, the system and Python
read-only, a private ``/tmp`` of limited size, an environment with nothing in it, capabilities dropped. The
sockets of the Jupyter protocol lie in the sandbox's own memory and are reached through ``/proc/PID/root``, so
that no folder of the host can be written from inside.

A kernel is a new Python in its sandbox, or, much faster, a fork of one that has loaded torch already and
enters the sandbox afterwards (:mod:`.forking`). Namespaces, limits and environment are the same both ways.

Linux only, since bubblewrap is.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import secrets
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.session import Session

from . import forking
from .forking import CannotFork
from .template import call_filter

COURSE = "/course"  # where the student's view lies inside
HOME = f"{COURSE}/notebooks/exercises"  # the working directory, as at the learner's
SOCKETS = "/run/kernel"
CONNECTION = "/run/connection.json"
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "nsswitch.conf")
MEGA = 2**20
_POLL = 0.1  # seconds between two looks at whether the kernel still lives
_WATCH = 0.2  # seconds between two looks at what its processes use
_GLANCE = 0.05  # seconds between two looks at what the grader itself uses
_SWELLS = 1024 * MEGA  # by so much it may grow while a kernel lives
_WAITING = 10  # messages that wait to be read
_SEND = 5000  # milliseconds to send a message
_GONE = 20.0  # seconds that the end of a killed sandbox may take
# The first process where a kernel comes from outside. Nothing inside can end it; and as it ignores its
# children, the system clears away what is left of them
_WAIT = "trap '' CHLD; echo ready; exec sleep infinity < /dev/null > /dev/null 2>&1"
# Enter control groups, named up to "--", and start what follows. env -i: bwrap itself stays visible in the
# sandbox's /proc, with the environment it was started in
_JOIN = """for f in "$@"; do [ "$f" = -- ] && break; echo $$ > "$f"; done 2> /dev/null
while [ "$1" != -- ]; do shift; done; shift; exec env -i "PATH=/usr/bin:/bin" "$@\""""
# A submission that root marks owns the machine's /dev/null inside as well, and could take it from everybody.
# So such files are made read-only before: it concerns their owner and mode, not what is written to them
_DEVICES = """for d in null zero full random urandom tty; do
[ ! -e /dev/$d ] || mount -o bind,ro /dev/$d /dev/$d || exit 1; done"""
# what bwrap builds the sandbox on is a memory disk, too, as large as half the machine's memory
_CLOSED = ("--remount-ro", "/")
_OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private")
_INSTALL = (
    "On Debian and Ubuntu: sudo apt-get install -y bubblewrap; on Fedora: sudo dnf install bubblewrap. "
    "Recent Ubuntu versions also want an AppArmor profile that lets bwrap make user namespaces: "
    "docs/teachers_guide.md has it."
)


class SandboxUnavailable(RuntimeError):
    """Sandboxes cannot be made on this machine; the message says what to do."""


class KernelGone(Exception):
    """The kernel has ended, or had to be ended; the message says why, in words for the learner."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Times in seconds, sizes in megabytes.

    Attributes:
        start: until the kernel answers.
        cell: one code cell.
        wall: the whole submission, with all its restarts.
        cpu: processor time of one kernel.
        memory: of all processes together.
        processes: processes and threads.
        disk: ``/tmp`` and the working directory, each; they lie in memory.
        file: one file.
        files: open files.
        reply: one answer to the grader.
        restarts: how often a kernel that died is started again without the cell that killed it.
    """

    start: float = 60.0
    cell: float = 30.0
    wall: float = 240.0
    cpu: int = 200
    memory: int = 2048
    processes: int = 100
    disk: int = 128
    file: int = 64
    files: int = 256
    reply: int = 8
    restarts: int = 4


def check_available() -> None:
    """Make one sandbox and see that it holds.

    Raises:
        SandboxUnavailable: if that is not possible here; the message says what to install.
    """
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable(
            "Submissions are marked in bubblewrap's sandbox, which exists on Linux only."
        )
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable(f"Marking needs bubblewrap (the command bwrap). {_INSTALL}")
    command = [*_isolation(Limits()), *_CLOSED, "/usr/bin/env", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={}, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(f"bubblewrap does not start: {error}. {_INSTALL}") from None
    if done.returncode:
        raise SandboxUnavailable(f"bubblewrap cannot make a sandbox: {done.stderr.strip()}. {_INSTALL}")


# --------------------------------------------------------------------------------------- the command


def _isolation(limits: Limits) -> list[str]:
    """The bwrap command as far as it does not depend on the course: namespaces and the read-only system."""
    command = [
        *("bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"),
    ]
    if _knows("--disable-userns"):  # no namespaces inside namespaces: most of the kernel's holes lie there
        command.append("--disable-userns")
    for path in SYSTEM:
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            command += ["--ro-bind", path, path]
    for name in ETC:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    disk = str(limits.disk * MEGA)
    # /proc/sys belongs to root: a submission that root marks could write there what the whole machine runs
    command += ["--proc", "/proc", "--remount-ro", "/proc"]
    command += ["--dev", "/dev", "--size", disk, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    command += ["--size", disk, "--tmpfs", "/tmp"]
    return [*command, "--size", str(MEGA), "--tmpfs", SOCKETS]


@cache
def _may_mount() -> bool:
    """True for a root that has mounts of its own; in a container it may be root in name only."""
    if os.geteuid() != 0:
        return False
    try:
        tried = subprocess.run([*_OWN_MOUNTS, "/bin/sh", "-c", _DEVICES], capture_output=True, check=False)
        return tried.returncode == 0
    except OSError:
        return False


@cache
def _knows(option: str) -> bool:
    """True if this version of bubblewrap has the option."""
    said = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return option in said.stdout + said.stderr


def _python_folders() -> list[str]:
    """The folders of this Python: its environment and, if that is another place, its installation."""
    places = {sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
    places = {os.path.realpath(place) for place in places} | {sys.prefix}
    outside = [p for p in sorted(places) if not p.startswith("/usr/") or p.startswith("/usr/local")]
    return [p for p in outside if not any(p != q and p.startswith(f"{q}/") for q in outside)]


def environment() -> dict[str, str]:
    """All that the kernel's environment holds."""
    return {
        "HOME": "/tmp",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "PYTHONPATH": COURSE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": "/tmp/.ipython",
        "JUPYTER_CONFIG_DIR": "/tmp/.jupyter",
        "MPLCONFIGDIR": "/tmp/.matplotlib",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "N2T_DEVICE": "cpu",
    }


def _sandboxed(limits: Limits, view: Path, data: Path, connection: Path) -> list[str]:
    """The bwrap command up to the program that shall run in the sandbox."""
    command = _with_python(limits)
    command += ["--dir", COURSE, "--ro-bind", str(view / "utils"), f"{COURSE}/utils"]
    command += ["--ro-bind", str(data), f"{COURSE}/data"]
    command += ["--size", str(limits.disk * MEGA), "--tmpfs", HOME, "--chdir", HOME]
    command += ["--ro-bind", str(connection), CONNECTION]
    for name, value in environment().items():
        command += ["--setenv", name, value]
    return command


def _with_python(limits: Limits) -> list[str]:
    command = _isolation(limits)
    for folder in _python_folders():
        command += ["--ro-bind", folder, folder]
    return command


def _resources(limits: Limits) -> dict[str, int]:
    """Limits that the system holds for every process. Memory and processes have stronger ones besides."""
    wanted = {
        "cpu": limits.cpu,
        "fsize": limits.file * MEGA,
        "nofile": limits.files,
        "nproc": limits.processes,
        # torch reserves more than it uses: these two only stop what grows faster than the watcher looks
        "data": (limits.memory + 1024) * MEGA,
        "as": (limits.memory + 16384) * MEGA,
        "core": 0,
    }
    return {name: _lower(name, value) for name, value in wanted.items()}


def _limited(limits: Limits, command: list[str]) -> list[str]:
    """A command under these limits."""
    wanted = (f"--{name}={value}" for name, value in _resources(limits).items())
    return ["/usr/bin/prlimit", *wanted, "--", *command]


def _lower(name: str, value: int) -> int:
    """The value, or this process's own hard limit where that is lower: no process may raise it."""
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _kernel(connection: str) -> list[str]:
    return [sys.executable, "-m", "ipykernel_launcher", *_arguments(connection)]


def _arguments(connection: str) -> list[str]:
    options = ["--HistoryManager.enabled=False", "--log-level=CRITICAL", "--IPKernelApp.exec_lines=[]"]
    return ["-f", connection, *options]


def _make_sandbox(
    command: list[str], program: list[str], groups: Sequence[str] = (), stdout: int = subprocess.DEVNULL
) -> tuple[subprocess.Popen, int]:
    """Start a program in a sandbox.

    Args:
        command: of bwrap, up to the program.
        program: what runs inside, with its arguments.
        groups: files of the control groups that all of it enters.
        stdout: the program's, as :class:`subprocess.Popen` takes it.

    Returns:
        bwrap's process, and the number of the sandbox's first process.

    Raises:
        SandboxUnavailable: if bwrap cannot make the sandbox.
    """
    told, tell = os.pipe()
    forbidden, steps = os.pipe()
    with os.fdopen(steps, "wb") as file:
        file.write(call_filter())
    passed = ("--seccomp", str(forbidden)) if call_filter() else ()
    command = [*command, *_CLOSED, *passed, "--info-fd", str(tell), "--", *program]
    if _may_mount():
        again = " > /dev/null" if stdout == subprocess.DEVNULL else ""  # the one that is read-only now
        shell = f'{_DEVICES}; exec "$@" < /dev/null{again} 2> /dev/null'
        command = [*_OWN_MOUNTS, "/bin/sh", "-c", shell, "sh", *command]
    try:
        process = subprocess.Popen(
            # the group is entered before anything is started, so nothing of the sandbox is ever outside it
            ["/bin/sh", "-c", _JOIN, "sh", *groups, "--", *command],
            pass_fds=(tell, forbidden),
            env={},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
    finally:
        os.close(tell)
        os.close(forbidden)
    with os.fdopen(told, encoding="utf-8") as file:
        inner = _child_pid(file.read())
    if not inner:
        process.kill()
        process.wait()
        raise SandboxUnavailable("bubblewrap could not make a sandbox")
    return process, inner


def _make_empty_sandbox(
    command: list[str], limits: Limits, groups: Sequence[str] = ()
) -> tuple[subprocess.Popen, int]:
    """A sandbox in which nothing runs yet, once it is complete: for a kernel that enters it.

    Raises:
        SandboxUnavailable: if bwrap cannot make the sandbox.
    """
    waiting = _limited(limits, ["/bin/sh", "-c", _WAIT])
    process, inner = _make_sandbox([*command, "--as-pid-1"], waiting, groups, subprocess.PIPE)
    with process.stdout as said:
        if select.select([said], [], [], limits.start)[0] and said.readline():
            return process, inner
    process.kill()
    process.wait()
    raise SandboxUnavailable("bubblewrap could not make a sandbox")


def check_forking(limits: Limits) -> None:
    """Try whether kernels can be forked into a sandbox here, with a template that has loaded nothing.

    Raises:
        CannotFork: if not; the message says why.
        SandboxUnavailable: if there can be no sandbox either.
    """
    template = forking.Template(environment(), loaded=())
    try:
        process, inner = _make_empty_sandbox([*_with_python(limits), "--chdir", "/tmp"], limits)
        try:
            tried = template.fork(
                inner, process.pid, _resources(limits), (), home="/tmp", arguments=(), seconds=limits.start
            )
            tried.wait(limits.start)
            tried.close()
            if tried.ended != 0:
                raise CannotFork(f"a kernel that was tried ended with {tried.ended}")
        finally:
            process.kill()
            process.wait()
    finally:
        template.close()


# ------------------------------------------------------------------------------------------ cgroups


class _Group:
    """A control group of its own for one sandbox, where this user may make one: the strictest limit there is.

    Elsewhere ``prlimit`` and the watcher, which looks five times a second, hold memory and processes.
    """

    def __init__(self, limits: Limits) -> None:
        name = f"n2t-{os.getpid()}-{secrets.token_hex(4)}"
        self.folders: list[Path] = []
        for folder, values in _group_places(limits):
            with contextlib.suppress(OSError):
                own = folder / name
                own.mkdir()
                self.folders.append(own)
                for file, value in values.items():
                    with contextlib.suppress(OSError):
                        (own / file).write_text(str(value))

    def add(self, pid: int) -> None:
        """Take a process in, and with it all that it will start."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                (folder / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        """Remove the groups; their processes have ended or are about to."""
        for folder in self.folders:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                time.sleep(0.02)
        self.folders = []


def _group_places(limits: Limits) -> Iterator[tuple[Path, dict[str, int]]]:
    """Where groups can be made on this machine, and what to write into them: version 2, then version 1."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        yield from [
            (
                folder,
                {
                    "memory.max": limits.memory * MEGA,
                    "memory.swap.max": 0,
                    "memory.oom.group": 1,
                    "pids.max": limits.processes,
                },
            )
            for folder in _delegated(root)
        ][:1]
        return
    if os.access(root / "memory", os.W_OK):
        yield root / "memory", {"memory.limit_in_bytes": limits.memory * MEGA}
    if os.access(root / "pids", os.W_OK):
        yield root / "pids", {"pids.max": limits.processes}


def _delegated(root: Path) -> Iterator[Path]:
    """Folders of version 2 in which this user may make groups with limits for memory and processes."""
    with contextlib.suppress(OSError, IndexError):
        own = root / Path("/proc/self/cgroup").read_text().strip().splitlines()[-1].split("::", 1)[1].lstrip(
            "/"
        )
        for folder in (own, own.parent):
            control = folder / "cgroup.subtree_control"
            if {"memory", "pids"} <= set(control.read_text().split()) and os.access(folder, os.W_OK):
                yield folder


# -------------------------------------------------------------------------------------- the protocol


class _Client(BlockingKernelClient):
    """A client whose sockets refuse what is too large before it is read, and never connect a second time."""

    largest = 8 * MEGA
    opened: tuple[zmq.Socket, ...] = ()

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        socket = self.context.socket({"shell": zmq.DEALER, "control": zmq.DEALER}[channel])
        socket.linger = 0
        socket.maxmsgsize = self.largest
        socket.rcvhwm = _WAITING
        socket.sndtimeo = _SEND  # where nobody is at the other end any more, sending would wait for ever
        socket.reconnect_ivl = -1  # a file that comes to stand in place of the socket is not followed
        if identity:
            socket.identity = identity
        self.opened = (*self.opened, socket)
        socket.connect(self._make_url(channel))
        return socket

    def hang_up(self) -> None:
        """Close the sockets; what was not yet sent is dropped."""
        with contextlib.suppress(Exception):
            self.stop_channels()
        for socket in self.opened:
            socket.close(linger=0)


class Kernel:
    """A kernel and all that belongs to it, from the start to the end.

    Args:
        limits: what it may use.
        view: folder of the student's view, with ``utils`` in it.
        data: the course's data.
        sandboxed: False runs a bare kernel, for a teacher's own tests.
        fresh: True starts a Python of its own, False forks one where that is possible.
    """

    def __init__(
        self, limits: Limits, view: Path, data: Path, *, sandboxed: bool = True, fresh: bool = False
    ) -> None:
        self.limits, self._sandboxed = limits, sandboxed
        self._folder = Path(tempfile.mkdtemp(prefix="n2t-"))
        self._why_ended = ""
        self._group = _Group(limits) if sandboxed else None
        self._client: _Client | None = None
        self._inner = 0
        self._process: subprocess.Popen | None = None
        self._forked: forking.Forked | None = None
        self._ended = threading.Event()
        try:
            self._key = secrets.token_hex(16)
            prefix = f"{SOCKETS}/k" if sandboxed else f"{self._folder}/k"
            connection = self._write_connection(prefix)
            self._start(view, data, connection, fresh)
            self._ended.clear()
            if sandboxed:
                threading.Thread(target=self._watch, daemon=True).start()
                prefix = f"/proc/{self._inner}/root{SOCKETS}/k"
            self._connect(prefix)
            # what nearly every notebook loads: part of the start, so that no learner's cell pays for it
            ready = "'ready' if __import__('utils.grading.inside') else ''"
            if self.ask(ready, limits.start) != "'ready'":
                raise SandboxUnavailable(
                    "Inside the sandbox the course cannot be loaded. Are the limits too small? "
                    "--memory-mb wants 1000 or more, --processes 50 or more."
                )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    # ---- start

    def _write_connection(self, prefix: str) -> Path:
        """The file that tells the kernel where its sockets are and with which key messages are signed."""
        ports = {f"{channel}_port": number for number, channel in enumerate(CHANNELS, start=1)}
        content = {
            "transport": "ipc",
            "ip": prefix,
            "key": self._key,
            "signature_scheme": "hmac-sha256",
            "kernel_name": "",
            **ports,
        }
        path = self._folder / "connection.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        path.chmod(0o600)
        return path

    def _start(self, view: Path, data: Path, connection: Path, fresh: bool) -> None:
        """Start the kernel's process, in the way that was asked for."""
        if not self._sandboxed:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            env = environment() | {"PYTHONPATH": str(view), "HOME": str(self._folder)}
            self._process = subprocess.Popen(
                _kernel(str(connection)), env=env, cwd=self._folder, start_new_session=True, **quiet
            )
            return
        command = _sandboxed(self.limits, view, data, connection)
        groups = [str(folder / "cgroup.procs") for folder in self._group.folders] if self._group else []
        if not fresh and self._fork(command, groups):
            return
        program = _limited(self.limits, _kernel(CONNECTION))
        self._process, self._inner = _make_sandbox(command, program, groups)

    def _fork(self, command: list[str], groups: list[str]) -> bool:
        """Fork the kernel into a sandbox; False, and nothing is left of it, where that cannot be done."""
        template = forking.shared(environment())
        if template is None:
            return False
        self._process, self._inner = _make_empty_sandbox(command, self.limits, groups)
        try:
            self._forked = template.fork(
                self._inner,
                self._process.pid,
                _resources(self.limits),
                groups,
                home=HOME,
                arguments=["ipykernel_launcher", *_arguments(CONNECTION)],
                seconds=self.limits.start,
            )
        except CannotFork as why:
            forking.give_up(str(why))
            self._end_processes()
        return self._forked is not None

    def _connect(self, prefix: str) -> None:
        """Wait for the kernel's sockets, connect, and wait for its first answer."""
        end = time.monotonic() + self.limits.start
        while not all(os.path.exists(f"{prefix}-{number}") for number in (1, 4)):
            self._still_there(end)
            time.sleep(0.01)
        while True:
            # one context for the whole process: ending one waits for sockets that somebody still holds
            session = Session(key=self._key.encode(), username="grader")
            client = _Client(session=session, context=zmq.Context.instance())
            client.transport, client.ip = "ipc", prefix
            for number, channel in enumerate(CHANNELS, start=1):
                setattr(client, f"{channel}_port", number)
            client.largest = self.limits.reply * MEGA + 65536
            client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=True)
            self._client = client
            # a socket between "bind" and "listen" refuses, and is not asked twice: so another one is made
            with contextlib.suppress(zmq.Again):
                if self._reply(client.kernel_info(), min(end, time.monotonic() + 5)) is not None:
                    return
            client.hang_up()
            self._still_there(end)

    # ---- life and death

    def _watch(self) -> None:
        """End the sandbox when its processes together use more than they may, or make the grader do so.

        A message has a largest size, but may have any number of parts, and they are all kept until the last.
        """
        before, looked = _own_memory(), time.monotonic()
        while not self._ended.wait(_GLANCE):
            if self._process.poll() is not None:
                return
            if _own_memory() - before > _SWELLS:
                self._end("It sent the grader more than that can take.")
            if time.monotonic() - looked < _WATCH:
                continue
            looked = time.monotonic()
            memory, count = _usage(self._inner, *([self._forked.pid] if self._forked else []))
            if memory > self.limits.memory * MEGA:
                self._end(f"It used more than {self.limits.memory} MB of memory.")
            elif count > self.limits.processes:
                self._end(f"It started more than {self.limits.processes} processes and threads.")

    def _end(self, why: str) -> None:
        self._why_ended = self._why_ended or why
        # the sandbox's first process takes all others with it: they share its process namespace
        for pid in (self._inner, self._process.pid):
            if pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        if not self._sandboxed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _gone(self) -> bool:
        """True if the kernel has ended, whatever else of its sandbox is left."""
        return self._process.poll() is not None or (self._forked is not None and self._forked.gone())

    def _still_there(self, end: float) -> None:
        if self._gone():
            raise KernelGone(self._why_ended or "The kernel ended.")
        if time.monotonic() > end:
            self._end("The kernel did not start in time.")
            raise KernelGone(self._why_ended)

    def close(self) -> None:
        """End the kernel with everything it started, and remove what was made for it."""
        self._end_processes()
        if self._client is not None:
            self._client.hang_up()
        if self._group is not None:
            self._group.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_processes(self) -> None:
        process = self._process
        if process is None:
            return
        self._ended.set()
        self._end("")
        process.wait()
        _wait_until_gone(self._inner)
        if self._forked is not None:  # its keeper outside ends after it, and leaves the control group
            self._forked.wait(_GONE)
            self._forked.close()

    # ---- talking

    def _reply(self, message: str, end: float, *, channel: str = "shell") -> dict | None:
        """The content of the reply to a message; None if time is over.

        Raises:
            KernelGone: if the kernel ended.
        """
        from queue import Empty

        get = getattr(self._client, f"get_{channel}_msg")
        while time.monotonic() < end:
            try:
                reply = get(timeout=min(_POLL, max(end - time.monotonic(), 0.001)))
            except Empty:
                if self._gone():
                    raise KernelGone(self._why_ended or "The kernel ended.") from None
                continue
            except Exception:  # a message that is none: forged, cut, with a wrong signature
                continue
            parent = reply.get("parent_header")
            if isinstance(parent, dict) and parent.get("msg_id") == message:
                content = reply.get("content")
                return content if isinstance(content, dict) else {}
        return None

    def _execute(self, code: str, **options: Any) -> str:
        """Ask the kernel to run code; the message's id."""
        try:
            return self._client.execute(code, allow_stdin=False, stop_on_error=False, **options)
        except zmq.Again:
            self._end("It cut its connection to the grader.")
            raise KernelGone(self._why_ended) from None

    def run(self, code: str, seconds: float) -> dict | None:
        """Run a cell; the reply's content, or None if it was stopped because its time was over.

        Raises:
            KernelGone: if the kernel ended, or did not stop.
        """
        message = self._execute(code, store_history=True)
        reply = self._reply(message, time.monotonic() + seconds)
        if reply is not None:
            return reply
        for _ in range(3):  # a cell may catch the first interruption
            try:
                self._client.control_channel.send(self._client.session.msg("interrupt_request", content={}))
            except zmq.Again:  # nobody listens
                break
            if self._reply(message, time.monotonic() + 1.0) is not None:
                return None
        self._end("It ran on after its time was over and could not be stopped.")
        raise KernelGone(self._why_ended)

    def ask(self, expression: str, seconds: float) -> str:
        """The text that an expression shows itself as.

        Raises:
            KernelGone: if the kernel ended or did not answer in time.
        """
        message = self._execute("", silent=True, user_expressions={"answer": expression})
        reply = self._reply(message, time.monotonic() + seconds)
        if reply is None:
            self._end("It did not answer in time, or its answer was too large.")
            raise KernelGone(self._why_ended)
        try:
            text = reply["user_expressions"]["answer"]["data"]["text/plain"]
        except (KeyError, TypeError):
            return ""
        return text if isinstance(text, str) else ""


def _child_pid(told: str) -> int:
    try:
        return int(json.loads(told)["child-pid"])
    except (ValueError, KeyError, TypeError):
        return 0


def _wait_until_gone(pid: int, seconds: float = _GONE) -> None:
    """Wait for the first process of a namespace: it is the last to end, after all others in it."""
    with contextlib.suppress(psutil.Error):
        end = time.monotonic() + seconds
        while pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
            time.sleep(0.01)


def _own_memory() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def _usage(*pids: int) -> tuple[int, int]:
    """Bytes that processes and their descendants hold, and how many processes and threads they are."""
    memory = count = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            first = psutil.Process(pid)
            for process in [first, *first.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    memory += process.memory_info().rss
                    count += process.num_threads()
    return memory, count
