"""All exercises of the course, found from the files: ``utils/checks/lesson_NN_stem.py``."""

from __future__ import annotations

import difflib
import importlib
import linecache
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .exercise import Exercise

_FOLDER = Path(__file__).parent


@cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise of the course by id, in the order of the lessons.

    Raises:
        ValueError: if two exercises have the same id.
    """
    exercises: dict[str, Exercise] = {}
    for path in sorted(_FOLDER.glob("lesson_*.py")):
        for exercise in importlib.import_module(f"{__package__}.{path.stem}").EXERCISES:
            if exercise.id in exercises:
                raise ValueError(f"two exercises are called {exercise.id}")
            exercises[exercise.id] = exercise
    return exercises


def close_matches(exercise_id: str) -> list[str]:
    """Up to three ids that look like the one given, best first."""
    ids = list(all_exercises())
    found = difflib.get_close_matches(exercise_id, ids, n=3, cutoff=0.6)
    by_name = {name.split(".", 1)[1]: name for name in ids}
    for name in difflib.get_close_matches(exercise_id.split(".")[-1], list(by_name), n=3, cutoff=0.6):
        if by_name[name] not in found:
            found.append(by_name[name])
    return found[:3]


def load_work(exercise: Exercise, code: str, label: str) -> Callable:
    """Run source that defines the work and return the work: a misconception, an alternative, a solution.

    Args:
        exercise: gives the name to look for and the names that are given.
        code: Python source.
        label: what to call the source in tracebacks.

    Raises:
        KeyError: if the source does not define ``exercise.name``.
    """
    filename = f"<{exercise.id} {label}>"
    # with the source at hand a message can quote the line that raised
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"torch": torch, "math": math, "np": np, **exercise.given}
    exec(compile(code, filename, "exec"), names)
    return names[exercise.name]


def wrong_work(exercise: Exercise, number: int) -> Callable:
    """The work of an exercise's misconception of that number, made afresh."""
    misconception = exercise.misconceptions[number]
    return load_work(exercise, misconception.code, misconception.name)
