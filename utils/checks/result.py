"""What a check gives back: data that can show itself, as HTML in a notebook and as text elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from .exercise import Exercise
from .values import show

PASSED = "passed"
FAILED = "failed"
ERROR = "error"
TOO_SLOW = "too slow"
NOT_STARTED = "not started"
NOT_CHECKED = "not checked"

# colour is only the third sign, after the word and the mark; each is a middle tone that stands out on
# a light and on a dark ground
_COLOURS = {PASSED: "#2e9e5b", NOT_STARTED: "#8a8f98", NOT_CHECKED: "#8a8f98"}
_MARKS = {PASSED: "✓", NOT_STARTED: "○", NOT_CHECKED: "○"}
_NOT_YET_COLOUR, _NOT_YET_MARK = "#d9822b", "→"

BOX = (
    "border:1px solid rgba(128,128,128,.45);border-left:6px solid {colour};border-radius:4px;"
    "padding:.6em .9em;margin:.3em 0;max-width:52em;line-height:1.45;color:inherit;background:transparent"
)
CODE = (
    "margin:.15em 0 .5em 0;padding:.35em .6em;white-space:pre-wrap;overflow-wrap:anywhere;"
    "color:inherit;background:rgba(128,128,128,.14);border-radius:3px;font-family:monospace"
)


@dataclass(frozen=True)
class FirstFailure:
    """The first case that went wrong, in words.

    Attributes:
        number: which case it was, from 1.
        note: what is special about it.
        inputs: name and shown value of each argument.
        expected: the reference's output, shown.
        got: the learner's output, or the exception it raised, shown.
        what: what is wrong, one or two sentences.
    """

    number: int
    note: str
    inputs: tuple[tuple[str, str], ...]
    expected: str
    got: str
    what: str


@dataclass(frozen=True)
class Result:
    """What one check found.

    Attributes:
        exercise_id: the id that was asked for.
        status: "passed", "failed", "error" (the work raised), "too slow", "not started" or "not checked".
        message: the finding in one or two sentences.
        title: the exercise's title.
        failure: the first case that failed, if one did.
        hint: what the learner probably did, if a misconception was recognised or something told it.
        misconception: name of the misconception that was recognised, else "".
        notes: other things worth saying ("printed", "changes its input").
        tally: right cases and all cases by group, in the order of the groups.
        right: numbers of the cases that are right, from 0.
        seed: the cases come again with ``check(id, work, seed=seed)``; None if none were made.
        call: how to call the check again with this seed.
    """

    exercise_id: str
    status: str
    message: str
    title: str = ""
    failure: FirstFailure | None = None
    hint: str = ""
    misconception: str = ""
    notes: tuple[str, ...] = ()
    tally: dict[str, tuple[int, int]] = field(default_factory=dict)
    right: tuple[int, ...] = ()
    seed: int | None = None
    call: str = ""

    @property
    def ok(self) -> bool:
        """True if the exercise is passed."""
        return self.status == PASSED

    def __bool__(self) -> bool:
        return self.ok

    @property
    def headline(self) -> str:
        """``01.neuron · A neuron: passed`` or ``not yet``."""
        word = "passed" if self.ok else "not yet"
        if self.status in (NOT_STARTED, NOT_CHECKED):
            word = self.status
        name = f"{self.exercise_id} · {self.title}" if self.title else str(self.exercise_id)
        return f"{name}: {word}"

    @property
    def counts(self) -> str:
        """``7 of 9 cases right (shapes 2 of 4, values 5 of 5)``; "" if none was run or all are right."""
        if not self.tally or self.ok:
            return ""
        right = sum(passed for passed, _ in self.tally.values())
        total = sum(number for _, number in self.tally.values())
        groups = ", ".join(f"{group} {passed} of {number}" for group, (passed, number) in self.tally.items())
        return f"{right} of {total} cases right ({groups})"

    @property
    def _mark(self) -> str:
        return _MARKS.get(self.status, _NOT_YET_MARK)

    def __repr__(self) -> str:
        lines = [f"{self._mark} {self.headline}", self.message]
        if self.failure is not None:
            lines += ["", _case_title(self.failure), *_indented(self.failure)]
            lines += [self.failure.what] if self.failure.what != self.message else []
        if self.hint:
            lines += ["", f"Hint: {self.hint}"]
        lines += [f"Note: {note}" for note in self.notes]
        if self.counts:
            lines += ["", _sentence(self.counts)]
        if self.failure is not None and self.call:
            lines += [f"The same cases again: {self.call}"]
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        colour = _COLOURS.get(self.status, _NOT_YET_COLOUR)
        parts = [
            f'<div style="{BOX.format(colour=colour)}" role="status">',
            f'<div><strong><span aria-hidden="true">{self._mark}</span> ',
            f"{escape(self.headline)}</strong></div>",
            f"<div>{inline(self.message)}</div>",
        ]
        if self.failure is not None:
            parts.append(_failure_html(self.failure, self.message))
        if self.hint:
            parts.append(f'<div style="margin:.5em 0"><strong>Hint.</strong> {inline(self.hint)}</div>')
        parts += [f"<div><strong>Note.</strong> {inline(note)}</div>" for note in self.notes]
        small = [_sentence(self.counts)] if self.counts else []
        if self.failure is not None and self.call:
            small.append(f"The same cases again: `{self.call}`")
        if small:
            parts.append(f'<div style="font-size:90%;margin-top:.3em">{inline(" ".join(small))}</div>')
        return "".join([*parts, "</div>"])


def _case_title(failure: FirstFailure) -> str:
    note = f": {failure.note}" if failure.note else ""
    return f"First case that fails (case {failure.number}{note})"


def _rows(failure: FirstFailure) -> list[tuple[str, str]]:
    given = "\n".join(f"{name} = {value}" for name, value in failure.inputs) or "no arguments"
    return [("input", given), ("expected", failure.expected), ("got", failure.got)]


def _indented(failure: FirstFailure) -> list[str]:
    lines = []
    for word, value in _rows(failure):
        first, *rest = value.splitlines() or [""]
        lines += [f"  {word + ':':<10}{first}", *(f"{'':12}{line}" for line in rest)]
    return lines


def _failure_html(failure: FirstFailure, message: str) -> str:
    rows = "".join(
        f'<div>{word}</div><pre style="{CODE}">{escape(value)}</pre>' for word, value in _rows(failure)
    )
    what = f"<div>{inline(failure.what)}</div>" if failure.what != message else ""
    return f'<div style="margin-top:.5em"><strong>{escape(_case_title(failure))}</strong></div>{rows}{what}'


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def inline(text: str) -> str:
    """Escaped HTML of one paragraph in which ``backquotes`` mark code."""
    pieces = escape(text).split("`")
    if len(pieces) % 2 == 0:  # an odd backquote is only a backquote
        return escape(text)
    style = "color:inherit;background:rgba(128,128,128,.14);border-radius:3px;padding:0 .25em"
    return "".join(
        f'<code style="{style}">{piece}</code>' if i % 2 else piece for i, piece in enumerate(pieces)
    )


def shown_inputs(exercise: Exercise, args: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """Name and shown value of each argument of a case."""
    names = exercise.argument_names
    return tuple(
        (names[i] if i < len(names) else f"argument {i + 1}", show(value)) for i, value in enumerate(args)
    )
