"""What a probe asked the learner's work and what it got: taken down inside, played back outside.

A probe comes to a verdict ("the input is as it was", "share that stays"). Reached inside, it could be forged
without any work. So a probe runs twice: inside, where every call of the work is taken down, and outside, on
the transcript, where the same probe draws its verdict from what the work returned. Forging the transcript
then means to give right answers to the inputs that were sent, which is the exercise.

It works where what passes between probe and work is plain data (and random generators, which only the work
uses). Where it does not, with modules, optimizers and gradients, the probe's word from inside has to do; what
it says holds numbers computed from the random inputs, and these are compared outside. :func:`can_be_replayed`
finds out which it is.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import torch

from utils.checks.exercise import NotAsAsked, Stopped

from . import plain

_OWN = {error.__name__: error for error in (NotAsAsked, Stopped)}


class Recorder:
    """Stands between a probe and the work: calls it, and takes down what came."""

    def __init__(self, work: Callable) -> None:
        self._work = work
        self.calls: list[dict] = []

    def __call__(self, *args: Any, **named: Any) -> Any:
        try:
            result = self._work(*args, **named)
        except Exception as error:
            self.calls.append({"raised": type(error).__name__[:80], "words": _words(error)})
            raise
        self.calls.append({"result": plain.encode(result), "after": [_kept(arg) for arg in args]})
        return result


def _words(error: Exception) -> str:
    try:
        return str(error)[:300]
    except Exception:  # a learner's own exception may not be able to speak
        return ""


def _kept(arg: Any) -> Any:
    """A tensor as the work left it; other arguments are not looked at again."""
    return plain.encode(arg) if isinstance(arg, torch.Tensor) else None


class Replay:
    """Stands for the work outside: gives what the transcript says, call by call."""

    def __init__(self, calls: Sequence[dict]) -> None:
        self._calls = iter(calls)

    def __call__(self, *args: Any, **named: Any) -> Any:
        call = next(self._calls, None)
        if not isinstance(call, dict):
            raise NotAsAsked("The notebook gave fewer answers than it was asked for.")
        if "raised" in call:
            raise _error(str(call["raised"]), str(call.get("words", ""))[:300])
        result = plain.decode(call["result"])
        for arg, after in zip(args, call["after"], strict=False):
            left = plain.decode(after)
            if isinstance(arg, torch.Tensor) and isinstance(left, torch.Tensor) and _alike(arg, left):
                with torch.no_grad():
                    arg.copy_(left)
        return result


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and not a.requires_grad


def _error(name: str, words: str) -> Exception:
    """An exception of that name: a probe's own or one of Python's, else one that only has the name."""
    kind = _OWN.get(name) or getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return plain.decode({"type": name, "error": True})
    try:
        return kind(words)
    except Exception:  # some need more than a message
        return plain.decode({"type": name, "error": True})
