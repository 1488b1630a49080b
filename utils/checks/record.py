"""What the learner has passed, kept in one small file."""

from __future__ import annotations


def remember(exercise_id: str, *, passed: bool) -> str:
    """Write down that an exercise was tried; returns a sentence if that did not work."""
    return ""
