"""The grader's hand inside the sandbox: it calls the learner's work and says what came.

It runs in the learner's own kernel, so it may be deceived, replaced or silenced by the code it is to call.
Nothing is lost by that: it knows inputs and no answers, what it sends is read as plain data, and whether that
is right is decided outside.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any

from utils import checks
from utils.checks.guard import Guard, Outcome, load_optimizers_for
from utils.checks.values import kind_words

from . import plain
from .transcript import Recorder


class Answer:
    """Shows itself as the text it carries, which is how a kernel hands over a value."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def answer(question: str, names: dict[str, Any]) -> Answer:
    """Do what a question asks and return the answer as JSON.

    Args:
        question: JSON text: exercise, name, probe, replayed, seed, seconds, cases, again, largest.
        names: the notebook's global names.
    """
    asked = json.loads(question)
    missing = object()
    work = names.get(asked["name"], missing)
    if work is missing or not callable(work):
        # a learner who chose another name has handed the work to check() under the right id
        work = checks.handed_over.get(asked["exercise"], work)
    if work is missing:
        return Answer(json.dumps({"found": False}))
    told = _told_of(asked, work)
    other = checks.handed_over.get(asked["exercise"])
    if _not_begun(told) and callable(other) and other is not work:
        told = _told_of(asked, work := other)  # the stub was left standing beside an answer of another name
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
    if len(text) > asked["largest"]:
        text = json.dumps({"found": True, "work": _described(work), "too_large": True})
    return Answer(text)


def _told_of(asked: dict, work: Any) -> dict:
    told = {"found": True, "work": _described(work)}
    return told | _tried(asked, work) if callable(work) else told


def _not_begun(told: dict) -> bool:
    """True if the first call came to the stub's own ``raise NotImplementedError``."""
    return any((one["failure"] or {}).get("not_started") for one in told.get("outcomes", [])[:1])


def _described(work: Any) -> dict:
    """What the work is and how it can be called, in words and plain data."""
    try:
        parameters = [
            [p.name, int(p.kind), p.default is not p.empty]
            for p in inspect.signature(work).parameters.values()
        ]
    except (TypeError, ValueError):
        parameters = None  # built-in functions do not tell theirs
    return {
        "callable": callable(work),
        "class": inspect.isclass(work),
        "words": str(kind_words(work))[:100],
        "type": type(work).__name__[:60],
        "parameters": parameters,
    }


def _tried(asked: dict, work: Callable) -> dict:
    """The outcomes of the work on all cases, and of a second call on the first ones."""
    probe = _probe(asked["probe"])
    for used in (work, probe):
        load_optimizers_for(used)
    outcomes, again, ended = [], [], False
    with Guard(work, asked["seconds"], asked["seed"]) as guard:
        for case in asked["cases"]:
            outcomes.append(_outcome(guard, probe, work, case, asked["replayed"]))
            if _last(outcomes[-1]):
                ended = True
                break
        if not ended:
            again = [
                _outcome(guard, probe, work, case, asked["replayed"])
                for case in asked["cases"][: asked["again"]]
            ]
    return {"outcomes": outcomes, "again": again}


def _probe(place: list[str] | None) -> Callable:
    if place is None:
        return lambda work, *args: work(*args)
    return getattr(importlib.import_module(f"utils.checks.{place[0]}"), place[1])


def _outcome(guard: Guard, probe: Callable, work: Callable, case: Any, replayed: bool) -> dict:
    """One call on fresh arguments: what came, and what the arguments are afterwards."""
    args, recorder = plain.decode(case), Recorder(work)
    outcome = guard.run(lambda: probe(recorder if replayed else work, *args))
    return _told(outcome) | {"after": plain.encode(tuple(args)), "calls": recorder.calls}


def _told(outcome: Outcome) -> dict:
    failure = outcome.failure
    told = {
        "timed_out": outcome.timed_out,
        "interrupted": outcome.interrupted,
        "printed": outcome.printed[:500],
        "failure": None,
        "output": None,
    }
    if failure is not None:
        told["failure"] = {name: getattr(failure, name) for name in failure.__dataclass_fields__}
        return told
    try:
        told["output"] = plain.encode(outcome.output)
    except Exception:  # an object whose own methods fail
        told["output"] = {"type": "object", "error": False}
    return told


def _last(told: dict) -> bool:
    """True if the cases after this one need not be tried."""
    failure = told["failure"]
    return told["timed_out"] or told["interrupted"] or bool(failure and failure["not_started"])
