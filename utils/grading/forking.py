"""Kernels by forking: the template process is started and asked for them. See :mod:`.template`."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import logging
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import template
from .template import CannotFork

LOG = logging.getLogger("utils.grading")
SLOWER = "Each submission gets a new Python, which is slower than forking one that has loaded torch."
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
# not "python template.py": then modules would be looked for beside it. Not "-P": kernels keep that flag
_RUN = "import sys; del sys.path[0]; from runpy import run_path; run_path(sys.argv.pop(1), None, '__main__')"
# what imports read while the template loads; everything else a kernel's environment holds comes with the fork
_KEPT = ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "N2T_DEVICE")


class Forked:
    """A kernel that was forked into a sandbox.

    Attributes:
        pid: its number outside.
    """

    def __init__(self, told: int, end: float) -> None:
        """Wait until the kernel runs.

        Args:
            told: the pipe on which its keeper reports.
            end: when waiting ends, on the monotonic clock.

        Raises:
            CannotFork: if it does not.
        """
        self._told, self._rest = told, b""
        self.ended: int | None = None
        try:
            self.pid = int(self._next(end)["kernel"])
        except BaseException:
            self.close()
            raise

    def _next(self, end: float) -> dict[str, Any]:
        while b"\n" not in self._rest:
            if not select.select([self._told], [], [], max(end - time.monotonic(), 0))[0]:
                raise CannotFork("the template did not answer in time")
            if not (more := os.read(self._told, 65536)):
                raise CannotFork("the template ended without a word")
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        said = json.loads(line)
        if "error" in said:
            raise CannotFork(said["error"])
        return said

    def gone(self) -> bool:
        """True if the kernel has ended; then ``ended`` is its exit status, if its keeper could say so."""
        if self._told is None:
            return True
        if select.select([self._told], [], [], 0)[0]:
            with contextlib.suppress(CannotFork, KeyError):
                self.ended = self._next(time.monotonic() + 5)["ended"]
            self.close()
        return self._told is None

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, for that long at most."""
        if self._told is not None and select.select([self._told], [], [], seconds)[0]:
            self.gone()

    def close(self) -> None:
        """Listen no more."""
        if self._told is not None:
            os.close(self._told)
            self._told = None


class Template:
    """The template process, from its start to its end.

    Args:
        environment: what a kernel's environment holds.
        loaded: modules to load, as far as they are installed here.
        seconds: how long that may take.

    Raises:
        CannotFork: if kernels cannot be forked here; the message says why.
    """

    def __init__(
        self, environment: dict[str, str], loaded: Sequence[str] = template.LOADED, seconds: float = 120.0
    ) -> None:
        if not (sys.platform.startswith("linux") and hasattr(os, "pidfd_open")):
            raise CannotFork("only Linux can enter a sandbox")
        self._environment = environment
        self._control, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with inner:
                self._process = _start(inner, environment, loaded)
            self._control.settimeout(seconds)
            said = json.loads(self._control.recv(template.LARGEST_REQUEST) or b"{}")
            if not said.get("ready"):
                raise CannotFork(said.get("error", "the template ended while it loaded"))
        except (OSError, ValueError) as error:
            self.close()
            raise CannotFork(f"the template does not start ({error})") from None
        except BaseException:
            self.close()
            raise

    def fork(
        self, sandbox: int, parent: int, limits: dict[str, int], groups: Sequence[str], *, home: str,
        arguments: Sequence[str], seconds: float,
    ) -> Forked:  # fmt: skip
        """A kernel in a sandbox.

        Args:
            sandbox: number of the sandbox's first process.
            parent: number of the process that made it, which has not been waited for yet.
            limits: what ``setrlimit`` shall hold, by name.
            groups: files of the control groups that the kernel shall enter.
            home: its working directory, inside.
            arguments: of ``ipykernel``; none: it ends at once, which tries whether it can be done.
            seconds: how long it may take until it runs.

        Raises:
            CannotFork: if it does not run.
        """
        end = time.monotonic() + seconds
        told, tell = os.pipe()
        try:
            descriptor = os.pidfd_open(sandbox)
        except OSError:
            os.close(told)
            os.close(tell)
            raise CannotFork("the sandbox has ended") from None
        try:
            if _parent_of(sandbox) != parent:  # another process may have got the number
                raise CannotFork("the sandbox has ended")
            request = {
                "pid": sandbox,
                "groups": list(groups),
                "limits": limits,
                "environment": self._environment,
                "path": [self._environment["PYTHONPATH"]],
                "home": home,
                "arguments": list(arguments),
            }
            socket.send_fds(self._control, [json.dumps(request).encode()], [descriptor, tell])
        except BaseException as error:
            os.close(told)
            if isinstance(error, OSError):
                raise CannotFork(f"the template has ended ({error})") from None
            raise
        finally:
            os.close(tell)
            os.close(descriptor)
        return Forked(told, end)

    def close(self) -> None:
        """End the template. Kernels that were forked from it live on."""
        self._control.close()
        process = getattr(self, "_process", None)
        if process is not None:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        """The template's number."""
        return self._process.pid


def _start(inner: socket.socket, environment: dict[str, str], loaded: Sequence[str]) -> subprocess.Popen:
    """The template, run from a copy of Python that lies in memory and cannot be changed.

    For ``/proc/self/exe`` leads a fork in its sandbox back to the program as it lies outside: there, a
    teacher's own Python could be written to.
    """
    program = _sealed_copy(os.path.realpath(sys.executable))
    try:
        return subprocess.Popen(
            [sys.executable, "-s", "-c", _RUN, str(Path(template.__file__)), *loaded],
            executable=f"/proc/self/fd/{program}",
            pass_fds=(program,),
            stdin=inner,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # no home: what lies in the teacher's must not come in, nor what others left in /tmp
            env={name: environment[name] for name in _KEPT} | {"HOME": "/nonexistent"},
            start_new_session=True,
        )
    finally:
        os.close(program)


def _sealed_copy(program: str) -> int:
    """A descriptor of a copy in memory that nobody can change."""
    descriptor = os.memfd_create("python", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(program, "rb") as source, open(descriptor, "wb", closefd=False) as target:
            shutil.copyfileobj(source, target, 2**20)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _parent_of(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rpartition(")")[2].split()[1])
    return 0


# ----------------------------------------------------------------------------- one for the whole process

_shared: Template | None = None
_why_not = ""


def shared(environment: dict[str, str]) -> Template | None:
    """The template of this process, started when it is first asked for; None where there can be none."""
    global _shared
    if _shared is None and not _why_not:
        try:
            _shared = Template(environment)
        except CannotFork as error:
            give_up(str(error))
        else:
            atexit.register(discard)
    return _shared


def give_up(why: str) -> None:
    """Fork no more in this process, and say so once."""
    global _why_not
    if not _why_not:
        LOG.warning("%s Why: %s.", SLOWER, why)
    _why_not = _why_not or why
    discard()


def discard() -> None:
    """End this process's template; one that is asked for later is a new one."""
    global _shared
    if _shared is not None:
        _shared.close()
        _shared = None
