"""The template of all kernels: a process that has loaded what each of them loads, and is forked for each.

Loading torch takes a kernel nearly two seconds; a fork of a process that has loaded it takes hundredths. The
outer half, which starts this one and asks it for kernels, is :mod:`.forking`. For each kernel bubblewrap
makes a sandbox as it does for a new process; only that the program in it waits. A child of the template then
enters the sandbox's namespaces, gives up all capabilities for good, and is the kernel.

Whatever lies in this process's memory every submission can read. So it is started as a script with an empty
environment, is told nothing but where to go, and loads nothing of the course: only the standard library and
what :data:`LOADED` names. It runs no code but its own and holds no thread: a fork would lose it.

Linux only: ``setns`` with a process as its argument came with Linux 5.8.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import json
import os
import random
import resource
import signal
import socket
import struct
import sys
from typing import NoReturn

LOADED = (
    "torch",
    "torch._dynamo",  # torch's optimizers load it at their first step
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
)
CONTROL = 0  # the socket to the grader stands where other programs read
LARGEST_REQUEST = 2**16
NAMESPACES = {  # as /proc calls them, with their flags for setns; no sandbox is without one of these
    "user": 0x10000000,
    "mnt": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
}
_WHERE_POSSIBLE = {"cgroup": 0x02000000}
_SET_DUMPABLE, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 4, 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_SET_PDEATHSIG = 1
_SET_SECCOMP, _SECCOMP_FILTER = 22, 2
# What no notebook needs. The teacher's keys (of a network drive, say) are in no namespace, whoever started
# from the same login can read, drop and leave some; memory that is in no process is seen by no watcher; and
# the others are where most ways out of a sandbox were found. By machine: its number, and those of the calls
_FORBIDDEN = {
    "x86_64": (
        0xC000003E,
        {
            **{"add_key": 248, "request_key": 249, "keyctl": 250},
            **{"shmget": 29, "mq_open": 240, "memfd_create": 319, "memfd_secret": 447},
            **{"bpf": 321, "perf_event_open": 298, "userfaultfd": 323},
            **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            **{"add_key": 217, "request_key": 218, "keyctl": 219},
            **{"shmget": 194, "mq_open": 180, "memfd_create": 279, "memfd_secret": 447},
            **{"bpf": 280, "perf_event_open": 241, "userfaultfd": 282},
            **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
        },
    ),
}
_CAPABILITIES_V3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def call_filter() -> bytes:
    """A seccomp filter in the system's own form that refuses those calls; b"" for an unknown machine."""
    if os.uname().machine not in _FORBIDDEN:
        return b""
    machine, calls = _FORBIDDEN[os.uname().machine]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse = 5 + len(calls)  # place of the last step
    steps = [
        (load, 0, 0, 4),  # for which machine the call is: a second one has numbers of its own
        (equal, 0, refuse - 2, machine),
        (load, 0, 0, 0),  # the call's number
        (at_least, refuse - 4, 0, 0x40000000),  # as has x86's third form, from here on
        *((equal, refuse - place - 1, 0, number) for place, number in enumerate(calls.values(), start=4)),
        (give, 0, 0, 0x7FFF0000),  # let it be
        (give, 0, 0, 0x00050000 | errno.EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


class CannotFork(RuntimeError):
    """Kernels cannot be forked here; the message says why."""


def _call(name: str, *args: object) -> None:
    """Call a function of the C library that returns 0 or fails."""
    if getattr(_libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _prctl(option: int, *args: int) -> None:
    _call("prctl", option, *(ctypes.c_ulong(value) for value in (*args, 0, 0, 0, 0)[:4]))


# ------------------------------------------------------------------------------------ the template itself


def main() -> None:
    """Load, say so, and fork for each request until the other end hangs up."""
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader, which then hangs up
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that have ended are not waited for
    os.closerange(3, _most_files())
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write("python")  # started from memory it would be called by a number
    with socket.socket(fileno=CONTROL) as control:
        try:
            _load()
            _alone()
        except CannotFork as why:
            control.sendall(_message(error=str(why)))
            return
        control.sendall(_message(ready=True))
        _prctl(_SET_DUMPABLE, 0)  # nobody reads or traces it, whatever they may enter
        while True:
            text, descriptors, *_ = socket.recv_fds(control, LARGEST_REQUEST, 2)
            if not text:
                return
            if os.fork() == 0:
                _keep(json.loads(text), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def _message(**content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _most_files() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 2**20 if hard == resource.RLIM_INFINITY else hard


def _load() -> None:
    for name in sys.argv[1:]:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise CannotFork(f"{name} cannot be loaded ({type(error).__name__}: {error})") from None
    gc.collect()
    gc.freeze()  # the forks' collectors leave these objects alone, and with them the memory they share


def _alone() -> None:
    """See that a fork is whole and shares no memory that can be written.

    Raises:
        CannotFork: if there are threads, which a fork would lose, or such memory.
    """
    if (threads := len(os.listdir("/proc/self/task"))) != 1:
        raise CannotFork(f"what was loaded has started {threads - 1} threads")
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        shared = [line.strip() for line in maps if {"w", "s"} <= set(line.split()[1])]
    if shared:
        raise CannotFork(f"what was loaded shares memory: {shared[0]}")


# ----------------------------------------------------------------------------------- the keeper of a kernel


def _keep(request: dict, sandbox: int, report: int) -> NoReturn:
    """Enter a sandbox, let a child be the kernel, and tell how it ended. From in there this is not seen.

    Args:
        request: pid, groups, limits, environment, path, home, arguments.
        sandbox: a descriptor of the sandbox's first process.
        report: a pipe that is told what comes; when all is over it is closed.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for file in request["groups"]:
            _join(file)
        _enter(request["pid"], sandbox)
        _give_up()
        kernel = os.fork()
        if kernel == 0:
            _be_kernel(request, report)
        os.write(report, _message(kernel=kernel))
        os.close(CONTROL)
        _, status = os.waitpid(kernel, 0)
        os.write(report, _message(ended=os.waitstatus_to_exitcode(status)))
    except BaseException as error:
        _say(report, error)
    finally:
        os._exit(0)


def _say(report: int, error: BaseException) -> None:
    os.write(report, _message(error=f"{type(error).__name__}: {error}"))


def _join(group: str) -> None:
    """Enter a control group. One that is not there holds nobody; then the other limits do."""
    try:
        with open(group, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    except OSError:
        return


def _enter(pid: int, sandbox: int) -> None:
    """Enter all namespaces of a sandbox in one step: half inside there are no rights left for the other half.

    Raises:
        CannotFork: if the process is in no sandbox of its own, or has ended.
    """
    own, theirs = (
        {name: os.stat(f"/proc/{who}/ns/{name}").st_ino for name in NAMESPACES | _WHERE_POSSIBLE}
        for who in ("self", pid)
    )
    signal.pidfd_send_signal(sandbox, 0)  # it still lives: so the number was still its own when we looked
    if same := [name for name in NAMESPACES if own[name] == theirs[name]]:
        raise CannotFork(f"the sandbox has no {', '.join(same)} namespace of its own")
    flags = sum(flag for name, flag in (NAMESPACES | _WHERE_POSSIBLE).items() if own[name] != theirs[name])
    _call("setns", sandbox, flags)


def _give_up() -> None:
    """Drop all capabilities, which entering a user namespace gives, and the way to get any again."""
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    for capability in range(64):
        if _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the first number that this kernel does not know
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _filter_calls() -> None:
    """Take on the filter that bubblewrap gives a new process in the sandbox."""
    if steps := call_filter():
        program = (ctypes.c_char * len(steps)).from_buffer_copy(steps)
        described = struct.pack("@HP", len(steps) // 8, ctypes.addressof(program))
        handed = ctypes.create_string_buffer(described)
        _prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(handed))


# --------------------------------------------------------------------------------------------- the kernel


def _be_kernel(request: dict, report: int) -> NoReturn:
    """Make the process what a new kernel in the sandbox is, and run it."""
    try:
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.chdir(request["home"])
        for name, value in request["limits"].items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))
        _prctl(_SET_DUMPABLE, 1)  # as any program: /proc shows it to itself
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[:0] = request["path"]
        sys.path_importer_cache.clear()  # of places that look different from in here
        sys.argv = request["arguments"]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _new_chance()
        _filter_calls()
        _confined()
    except BaseException as error:
        _say(report, error)
        os._exit(1)
    try:
        os.closerange(3, _most_files())
        if sys.argv:
            from ipykernel.kernelapp import launch_new_instance

            launch_new_instance()
    finally:
        os._exit(0)


def _new_chance() -> None:
    """Random numbers of its own: forks would all draw the same."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()


def _confined() -> None:
    """See that nothing is left of the world outside, before any code of a submission runs.

    Raises:
        CannotFork: if there is.
    """
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        said = dict(line.split(":", 1) for line in file)
    if any(int(said[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")):
        raise CannotFork("it still has capabilities")
    if said["NoNewPrivs"].strip() != "1":
        raise CannotFork("it could still get capabilities")
    if call_filter() and said["Seccomp"].strip() != str(_SECCOMP_FILTER):
        raise CannotFork("it may still call everything")
    if os.getppid() != 0:
        raise CannotFork("it sees the process it comes from")


if __name__ == "__main__":
    main()
