"""Running a learner's work so that nothing it does can hurt: not a loop, not an exit, not a print.

One :class:`Guard` lasts for one check. Inside it the global state of torch, of the random generators and
of the output streams belongs to the check; when it ends everything is as it was before.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import dis
import inspect
import linecache
import random
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from .values import copy_plain

_REPEAT = 0.05  # seconds between two interruptions, for work that catches the first one
_GRACE = 0.5  # seconds an interrupted thread is given to end before it is left behind
_KEPT_CHARACTERS = 2000


class TimeUp(BaseException):
    """Raised inside the learner's work when its time is over; no ``except Exception`` catches it."""


@dataclass(frozen=True)
class Failure:
    """An exception that left the learner's work.

    Attributes:
        type_name: "ZeroDivisionError".
        message: its text, shortened.
        line: line in the learner's function, counted from its ``def`` as 1; None if unknown.
        source: that line's text; empty if unknown.
        function: name of the function it is in; empty if unknown.
        not_started: True if it is a ``raise NotImplementedError`` written in the work itself.
    """

    type_name: str
    message: str
    line: int | None = None
    source: str = ""
    function: str = ""
    not_started: bool = False


@dataclass(frozen=True)
class Outcome:
    """What one call of the work gave: an output or a failure, and what it printed."""

    output: Any = None
    failure: Failure | None = None
    printed: str = ""
    timed_out: bool = False
    interrupted: bool = False


class _Capture:
    """A text stream that keeps the first characters and counts the rest, however much is printed."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += str(text)[: _KEPT_CHARACTERS - len(self.text)]
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


class Guard:
    """Calls of a learner's work with one time limit for all of them together.

    Used in a ``with`` block, inside which torch's and the random generators' global state is the guard's
    own; afterwards everything is as it was before.

    Args:
        work: the learner's work; ``exit`` and ``quit`` in its globals are made harmless.
        seconds: time for all calls. Long single operations of torch cannot be interrupted; they end
            first.
        seed: torch's, NumPy's and Python's global generators start from it before each call, so that
            the same seed gives the same check and two calls differ only if the work keeps state.
    """

    def __init__(self, work: Any, seconds: float, seed: int) -> None:
        self._left = seconds
        self._seed = seed
        self._world = _own_world(_globals_of(work))

    def __enter__(self) -> Guard:
        self._world.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._world.__exit__(*error)

    def run(self, function: Callable[[], Any]) -> Outcome:
        """Call ``function`` (the probe on the work and its arguments); never raises."""
        if self._left <= 0:
            return Outcome(timed_out=True)
        _set_world(self._seed)
        capture = _Capture()
        begin = time.monotonic()
        with _captured(capture):
            outcome = _timed(lambda: _attempt(function), self._left)
        self._left = 0 if outcome.timed_out else self._left - (time.monotonic() - begin)
        return replace(outcome, printed=capture.text)


# ------------------------------------------------------------------------------------- one attempt


def _attempt(function: Callable[[], Any]) -> Outcome:
    """Call and turn whatever happens into an Outcome, except for TimeUp."""
    try:
        return Outcome(output=copy_plain(function()))
    except TimeUp:
        raise
    except KeyboardInterrupt as error:
        return Outcome(failure=_describe(error), interrupted=True)
    except BaseException as error:
        return Outcome(failure=_describe(error))


def _describe(error: BaseException) -> Failure:
    """Name, text and place of an exception, with the place sought in the learner's own code."""
    own = _own_entries(error)
    try:
        message = str(error)
    except Exception:
        message = ""
    # torch adds the C++ stack below the first blank line
    message = message.split("\nException raised from", 1)[0].strip()
    message = message if len(message) <= 300 else f"{message[:299]}…"
    name = type(error).__name__
    if not own:
        return Failure(name, message)
    entry = own[-1]
    code = entry.tb_frame.f_code
    return Failure(
        name,
        message,
        line=entry.tb_lineno - code.co_firstlineno + 1,
        source=linecache.getline(code.co_filename, entry.tb_lineno).strip(),
        function=code.co_name if code.co_name != "<lambda>" else "a lambda",
        not_started=isinstance(error, NotImplementedError) and _raised_here(error, entry),
    )


def _own_entries(error: BaseException) -> list[types.TracebackType]:
    """The entries of a traceback that lie neither in this package nor in an installed one."""
    entries, entry = [], error.__traceback__
    while entry is not None:
        name = entry.tb_frame.f_code.co_filename
        if not name.startswith(_PACKAGE) and "site-packages" not in name and not name.startswith(_STDLIB):
            entries.append(entry)
        entry = entry.tb_next
    return entries


def _raised_here(error: BaseException, entry: types.TracebackType) -> bool:
    """True if the entry is the last one and its instruction is a ``raise``: torch raises
    NotImplementedError too, for a dtype that an operation does not know."""
    if entry.tb_next is not None:
        return False
    return dis.opname[entry.tb_frame.f_code.co_code[entry.tb_lasti]] == "RAISE_VARARGS"


_PACKAGE = __file__.rsplit("guard.py", 1)[0]
_STDLIB = contextlib.__file__.rsplit("contextlib.py", 1)[0]


def _globals_of(work: Any) -> dict[str, Any]:
    """The global names that the work sees; for a class those of its methods."""
    for candidate in (work, getattr(work, "__init__", None), type(work).__call__):
        names = getattr(candidate, "__globals__", None)
        if isinstance(names, dict):
            return names
    return {}


def load_optimizers_for(work: Any) -> None:
    """Load what ``torch.optim`` loads at its first step, if the work uses it, before its time begins to run.

    That takes some seconds, and being stopped in the middle would leave torch half loaded for good.
    """
    if isinstance(work, type) and issubclass(work, torch.optim.Optimizer):
        used = True
    else:
        methods = vars(work).values() if isinstance(work, type) else (work,)
        codes = [code for m in methods if (code := getattr(inspect.unwrap(m), "__code__", None)) is not None]
        names = {name for code in codes for name in _names(code)}
        world = _globals_of(work)
        found = [world.get(name) for name in names]
        modules = (getattr(thing, "__module__", "") or "" for thing in found)
        own = any(isinstance(thing, type) and issubclass(thing, torch.optim.Optimizer) for thing in found)
        used = own or "optim" in names or any(str(module).startswith("torch.optim") for module in modules)
    if used:
        with torch.enable_grad():
            weight = torch.zeros(1, requires_grad=True)
            weight.sum().backward()
            torch.optim.SGD([weight], lr=0.1).step()


def _names(code: types.CodeType) -> Iterator[str]:
    """All names that code uses, in the functions inside it as well."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


# ---------------------------------------------------------------------------------------- the time


def _timed(function: Callable[[], Outcome], seconds: float) -> Outcome:
    """Call ``function``, stopping it after ``seconds``."""
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _timed_by_signal(function, seconds)
    return _timed_by_thread(function, seconds)


def _timed_by_signal(function: Callable[[], Outcome], seconds: float) -> Outcome:
    """On the main thread of a Unix process: an alarm raises TimeUp, again and again until it is heard.

    It also ends waits such as ``time.sleep``. A timer and a handler that were set before are put back.
    """
    armed, rings = True, 0
    old_trace = sys.gettrace()

    def stop(frame: types.FrameType, event: str, argument: Any) -> Any:
        # not at "exception" events: there the exception is still inside the "try" that will swallow it
        if armed and event == "line":
            raise TimeUp
        return stop

    def ring(signum: int, frame: types.FrameType | None) -> None:
        nonlocal rings
        if not armed:
            return
        rings += 1
        if rings > 2:  # a bare "except:" inside the loop swallows TimeUp: now every line raises it
            while frame is not None and frame is not own_frame:
                frame.f_trace = stop
                frame = frame.f_back
            sys.settrace(stop)
        raise TimeUp

    own_frame = sys._getframe()
    begin = time.monotonic()
    old_handler = signal.signal(signal.SIGALRM, ring)
    old_left, old_repeat = signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)
    try:
        try:
            outcome = function()
        finally:
            armed = False
    except TimeUp:
        armed = False
        outcome = Outcome(timed_out=True)
    finally:
        armed = False
        if rings > 2:
            sys.settrace(old_trace)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        if old_left:
            left = max(old_left - (time.monotonic() - begin), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, old_repeat)
    return outcome


def _timed_by_thread(function: Callable[[], Outcome], seconds: float) -> Outcome:
    """Elsewhere: the work runs in a thread of its own, into which TimeUp is raised when time is over.

    A thread that waits in C (``time.sleep``) hears it only afterwards: it is left behind as a daemon,
    and a second thread goes on interrupting it until it has ended.
    """
    outcomes: list[Outcome] = []

    def body() -> None:
        with contextlib.suppress(TimeUp):
            outcomes.append(function())

    thread = threading.Thread(target=body, daemon=True, name="learner's work")
    thread.start()
    try:
        thread.join(seconds)
    except KeyboardInterrupt:
        _interrupt_until_ended(thread, _GRACE)
        return Outcome(failure=Failure("KeyboardInterrupt", ""), interrupted=True)
    if outcomes:
        return outcomes[0]
    if not _interrupt_until_ended(thread, _GRACE):
        threading.Thread(target=_interrupt_until_ended, args=(thread, float("inf")), daemon=True).start()
    return Outcome(timed_out=True)


def _interrupt_until_ended(thread: threading.Thread, seconds: float) -> bool:
    """Raise TimeUp in a thread every few moments; True when it has ended, False after ``seconds``."""
    end = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeUp)
        )
        thread.join(_REPEAT)
    return not thread.is_alive()


# --------------------------------------------------------------------------------- the world around


@contextlib.contextmanager
def _captured(capture: _Capture) -> Iterator[None]:
    """Send stdout and stderr to ``capture`` and keep warnings quiet: they fail no check."""
    with (
        contextlib.redirect_stdout(capture),
        contextlib.redirect_stderr(capture),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _own_world(names: dict[str, Any]) -> Iterator[None]:
    """Puts global state back afterwards; meanwhile ``exit`` and ``input`` are harmless, also in ``names``."""
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    spaces = (names, vars(builtins))
    swapped = [(space, word) for space in spaces for word in ("exit", "quit") if word in space]
    swapped.append((vars(builtins), "input"))
    old = [space[word] for space, word in swapped]
    try:
        for space, word in swapped:
            space[word] = _no_input if word == "input" else _plain_exit
        yield
    finally:
        for (space, word), value in zip(swapped, old, strict=True):
            space[word] = value
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.set_rng_state(torch_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def _set_world(seed: int) -> None:
    """The global state in which every call of the work begins."""
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)


def _plain_exit(code: object = None) -> None:
    """Stands in for ``exit`` and ``quit``, which in a notebook would end the kernel."""
    raise SystemExit(code)


def _no_input(prompt: object = "") -> str:
    """Stands in for ``input``, which would wait for somebody to type."""
    raise RuntimeError("input() waits for typing; the values come in as arguments")


def last_line(failure: Failure) -> str:
    """The last line of a traceback as Python prints it."""
    return f"{failure.type_name}: {failure.message}" if failure.message else failure.type_name
