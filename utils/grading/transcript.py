"""What a probe asked the learner's work and what it got: taken down inside, played back outside.

A probe comes to a verdict ("the input is as it was", "share that stays"). Reached inside, it could be forged
without any work. So a probe runs twice: inside, where every call of the work is taken down, and outside, on
the transcript, where the same probe draws its verdict from what the work returned. Forging the transcript
then means to give right answers to the inputs that were sent, which is the exercise.

It works where what passes between probe and work is plain data, something to iterate over that yields such,
or an object of the probe's own that has a name (and random generators, which only the work uses). Where it
does not, with modules, optimizers and gradients, the probe's word from inside has to do; what it says holds
numbers computed from the random inputs, and these are compared outside. :func:`can_be_replayed` finds out
which it is.

A probe that hands out objects of its own gives the one it hands over an attribute ``handed``, a dict from
names to all the objects that can be reached from it. What the work returns of them then travels as names.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import GeneratorType
from typing import Any

import numpy as np
import torch

from utils.checks.exercise import NotAsAsked, Stopped

from . import plain

_PLAIN_KINDS = (torch.Tensor, np.ndarray, list, tuple, dict, set, frozenset, str, bytes)
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
            self.calls.append(_raised(error))
            raise
        names = {id(thing): name for name, thing in _handed(args).items()}
        call = {"result": _written(result, names), "after": [_kept(arg) for arg in args]}
        self.calls.append(call)
        if isinstance(result, Iterable) and not isinstance(result, _PLAIN_KINDS):
            call["passes"] = []
            kind = type(type(result).__name__, (_Listened,), {})  # probes name the type of what they got
            listened = kind(result, call["passes"])
            return iter(listened) if isinstance(result, GeneratorType) else listened
        return result


class _Listened:
    """Something to iterate over, of which each pass is taken down as far as it is gone through."""

    def __init__(self, result: Iterable, passes: list[dict]) -> None:
        self._result, self._passes = result, passes

    def __iter__(self) -> Iterator:
        heard: dict[str, Any] = {"items": []}
        self._passes.append(heard)
        try:
            for item in self._result:
                heard["items"].append(plain.encode(item))
                yield item
        except Exception as error:
            heard["error"] = _raised(error)
            raise


def _handed(args: Sequence[Any]) -> dict[str, Any]:
    """The probe's own objects that can be reached from these arguments, by name."""
    found: dict[str, Any] = {}
    for arg in args:
        handed = getattr(arg, "handed", None)
        if isinstance(handed, Mapping):
            found |= handed
    return found


def _written(result: Any, names: Mapping[int, str]) -> Any:
    """The result as plain data; the probe's own objects in it, alone or in a list, as their names."""
    if id(result) in names:
        return {"handed": names[id(result)]}
    if isinstance(result, list | tuple) and any(id(item) in names for item in result):
        return {"several": [_written(item, names) for item in result]}
    return plain.encode(result, meta=True)


def _raised(error: Exception) -> dict:
    return {"raised": type(error).__name__[:80], "words": _words(error)}


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
            raise _error_of(call)
        result = _read(call["result"], _handed(args))
        for arg, after in zip(args, call["after"], strict=False):
            left = plain.decode(after)
            if isinstance(arg, torch.Tensor) and isinstance(left, torch.Tensor) and _alike(arg, left):
                with torch.no_grad():
                    arg.copy_(left)
        return _Played(call["passes"]) if "passes" in call else result


class _Played:
    """Something to iterate over: gives what came in each pass."""

    def __init__(self, passes: Sequence[dict]) -> None:
        self._passes = iter(passes)

    def __iter__(self) -> Iterator:
        heard = next(self._passes, None)
        if not isinstance(heard, dict):
            raise NotAsAsked("The notebook gave fewer answers than it was asked for.")
        for item in heard["items"]:
            yield plain.decode(item)
        if "error" in heard:
            raise _error_of(heard["error"])


def _read(told: Any, things: Mapping[str, Any]) -> Any:
    """The value that :func:`_written` was given.

    Raises:
        NotPlain: for anything else, such as the name of an object that was not handed out.
    """
    if isinstance(told, dict) and "several" in told:
        return [_read_one(item, things) for item in told["several"]]
    return _read_one(told, things)


def _read_one(told: Any, things: Mapping[str, Any]) -> Any:
    if not (isinstance(told, dict) and "handed" in told):
        return plain.decode(told, meta=True)
    name = told["handed"]
    if not isinstance(name, str) or name not in things:
        raise plain.NotPlain("an object that was not handed out")
    return things[name]


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and not a.requires_grad


def _error_of(told: dict) -> Exception:
    return _error(str(told["raised"]), str(told.get("words", ""))[:300])


def _error(name: str, words: str) -> Exception:
    """An exception of that name: a probe's own or one of Python's, else one that only has the name."""
    kind = _OWN.get(name) or getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return plain.decode({"type": name, "error": True})
    try:
        return kind(words)
    except Exception:  # some need more than a message
        return plain.decode({"type": name, "error": True})
