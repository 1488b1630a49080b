"""Hints in steps, asked for by the learner: a nudge, a plan, the solution with its explanation."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from .bank import all_exercises
from .engine import unknown_id
from .exercise import Exercise
from .result import BOX, CODE
from .source import ExerciseSourceError, load_source

_WORDS = ("a nudge", "a plan")
_last_step: dict[str, int] = {}  # the last step shown for each exercise, for as long as the kernel runs


@dataclass(frozen=True)
class Hint:
    """One step of help; shows itself as HTML in a notebook and as text elsewhere.

    Attributes:
        exercise_id: the id that was asked for.
        heading: ``01.neuron, hint 1 of 3: a nudge``.
        text: Markdown.
        code: the solution, in the last step.
        after: Markdown that follows the code: why it is right.
        step: which step this is, from 1; 0 if there is none.
    """

    exercise_id: str
    heading: str
    text: str
    code: str = ""
    after: str = ""
    step: int = 0

    def __repr__(self) -> str:
        code = "\n".join(f"    {line}".rstrip() for line in self.code.splitlines())
        blocks = [self.heading, self.text, code, self.after]
        return "\n\n".join(block for block in blocks if block)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        code = f'<pre style="{CODE}">{escape(self.code)}</pre>' if self.code else ""
        return (
            f'<div style="{BOX.format(colour="#3f7fd1")}"><div><strong>{escape(self.heading)}</strong></div>'
            f"{_markdown(self.text)}{code}{_markdown(self.after)}</div>"
        )


def hint(exercise_id: str, *, step: int | None = None) -> Hint:
    """The next hint for an exercise; call it again for the one after it.

    Args:
        exercise_id: such as ``"01.neuron"``.
        step: asks for a given step; the last one is the solution with its explanation.

    Returns:
        A :class:`Hint`, which shows itself. Never raises over an unknown id or step.
    """
    exercise = all_exercises().get(exercise_id) if isinstance(exercise_id, str) else None
    if exercise is None:
        return Hint(str(exercise_id), f"{exercise_id}: no hint", unknown_id(exercise_id))
    steps = len(exercise.hints) + 1
    if step is None:
        step = min(_last_step.get(exercise.id, 0) + 1, steps)
    if not isinstance(step, int) or not 1 <= step <= steps:
        text = f"There are {steps} hints: `step` is 1 to {steps}."
        return Hint(exercise.id, f"{exercise.id}: no hint", text)
    _last_step[exercise.id] = step
    if step == steps:
        return _solution(exercise, steps)
    word = f": {_WORDS[step - 1]}" if step <= len(_WORDS) else ""
    more = f'More: `hint("{exercise.id}")` again' + (" shows the solution." if step + 1 == steps else ".")
    heading = f"{exercise.id}, hint {step} of {steps}{word}"
    return Hint(exercise.id, heading, exercise.hints[step - 1], after=more, step=step)


def _solution(exercise: Exercise, steps: int) -> Hint:
    heading = f"{exercise.id}, hint {steps} of {steps}: the solution"
    try:
        source = load_source(exercise.id)
    except (LookupError, OSError, ExerciseSourceError, ImportError) as error:
        text = f"The solution cannot be read here ({error}). It stands in the folder notebooks/solutions."
        return Hint(exercise.id, heading, text, step=steps)
    text = "One way to write it. Read it, close it, and write your own."
    return Hint(exercise.id, heading, text, code=source.solved, after=source.explanation, step=steps)


def _markdown(text: str) -> str:
    """Markdown as HTML, with everything that is HTML already escaped; formulas are left to MathJax."""
    if not text:
        return ""
    try:
        import mistune
    except ImportError:
        return f'<div style="white-space:pre-wrap">{escape(text)}</div>'
    return str(mistune.create_markdown(escape=True, plugins=["math"])(text))
