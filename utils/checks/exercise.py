"""What an exercise is: data that the instant check, the grader and the tests all read.

One module per lesson stem, ``utils/checks/lesson_NN_stem.py``, holds ``EXERCISES``, a tuple of
:class:`Exercise`. The text of an exercise (statement, stub, solution, explanation) stands in
``notebooks/source/exercises/NN_stem.py``; everything that can be run stands here.

Cases and outputs are plain data on purpose: tensors, arrays, numbers, strings, and lists, tuples and
dicts of these. Whoever runs the learner's work may be another process than the one that judges it, so
nothing that passes between them may need more than plain data to be sent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

GROUPS = ("types", "shapes", "values", "edge cases")


class NotAsAsked(Exception):
    """Raised by a probe when what the work returns has not the form that was asked for.

    The learner sees the message as it is: "your 'AND' should be three numbers (w1, w2, b)".
    """


class Stopped(Exception):
    """Raised by a probe, inside the learner's work, at a step that goes wrong without a word.

    The learner reads that the check stopped there, not that the code raised an error. The message is a
    sentence without its point.
    """


def call(work: Callable, *args: Any) -> Any:
    """The usual probe: call the learner's work with the case's arguments and return what it returns."""
    return work(*args)


@dataclass(frozen=True)
class Case:
    """One input on which the learner's work is tried.

    Attributes:
        group: what the case mainly tries, one of ``GROUPS``; results are counted by group. Whatever its
            group, a case passes only when type, shape and values of the output are all right.
        args: the arguments, plain data only. Each run of the work gets its own copy.
        note: what is special about it, in the learner's words ("a batch of one"); may be empty.
    """

    group: str
    args: tuple
    note: str = ""

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"a case's group is one of {GROUPS}, not {self.group!r}")


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that learners really give, and what to say to those who give it.

    Attributes:
        name: short, unique in the exercise ("forgets the bias").
        code: Python source that defines the work under the exercise's ``name`` as a learner would write
            it. It is run with ``torch``, ``math``, ``np`` and what the exercise names as ``given``.
        hint: what the learner probably did and why it is wrong; never the code that puts it right.
    """

    name: str
    code: str
    hint: str


@dataclass(frozen=True, eq=False)  # each is itself and equal to no other
class Exercise:
    """An exercise as data.

    Attributes:
        id: lesson number and name, ``"01.neuron"``.
        name: the name the learner defines, ``"neuron"``.
        title: one line for people.
        difficulty: 1 to 3, shown as ● to ●●●.
        points: what it counts in a mark.
        minutes: how long a learner needs.
        cases: makes the cases from a seeded CPU generator: fixed ones that tell the misconceptions apart,
            random ones with odd shapes, extreme values and a batch of one. Must use no other chance.
        reference: the right answer, written as clearly as possible: a function or a class. Its parameters
            are the signature that is expected of the learner.
        misconceptions: wrong answers, each recognised when its outputs equal the learner's on all cases.
        hints: the first steps of ``hint(id)``: a nudge, then a plan. The step after the last is the
            solution with its explanation, read from the exercise's source cell.
        alternatives: sources of other right answers, at least two; they must pass.
        probe: ``probe(work, *args)`` uses the work and returns plain data. It must depend on nothing but
            its arguments, torch and the standard library, since it may run in another process. A probe
            that builds something (a module, say) calls it here and returns what came out.
        rtol, atol: tolerances; None takes those that suit the dtype.
        result: what the work returns, in words ("a tensor of shape (n,), int64"), for messages.
        input_names: names of the case's arguments, for messages; empty takes the reference's parameters.
        output_names: names of the parts of a returned tuple ("grad_w", "grad_b"), for messages.
        given: names that the exercise's cell hands to the learner, for misconceptions and alternatives.
        exact_types: True asks for exactly the reference's dtype, and for a Python number where the
            reference gives one. False lets float64 stand for float32, int32 for int64, a number for a
            tensor without dimensions and a list for a tuple.
        may_mutate: True if the work may change its inputs.
        may_vary: True if a second call with the same input may give something else.
        time_limit: seconds for all calls of the learner's work in one check.
        remark: ``remark(work)`` looks at work that has passed and says, in a sentence, which of the
            right ways it took ("The gradients are emptied before going back."), or "" if there is none.
    """

    id: str
    name: str
    title: str
    difficulty: int
    points: int
    minutes: int
    cases: Callable[[torch.Generator], list[Case]]
    reference: Callable
    misconceptions: tuple[Misconception, ...]
    hints: tuple[str, ...]
    alternatives: tuple[str, ...] = ()
    probe: Callable[..., Any] = call
    rtol: float | None = None
    atol: float | None = None
    result: str = ""
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    exact_types: bool = False
    may_mutate: bool = False
    may_vary: bool = False
    time_limit: float = 2.0
    remark: Callable[[Callable], str] | None = None

    @property
    def lesson(self) -> str:
        """The lesson's number as text, ``"01"``."""
        return self.id.split(".", 1)[0]

    @property
    def kind(self) -> str:
        """What the learner writes, in one word: a "class" where the reference is one, else a "function"."""
        return "class" if inspect.isclass(self.reference) else "function"

    @property
    def signature(self) -> str:
        """How the work is called, ``"neuron(x, w, b)"``; for a class, how an object of it is made."""
        names = [
            f"{p.name}={p.default!r}" if p.default is not p.empty else p.name
            for p in inspect.signature(self.reference).parameters.values()
        ]
        return f"{self.name}({', '.join(names)})"

    @cached_property
    def argument_names(self) -> tuple[str, ...]:
        """Names of a case's arguments, for messages."""
        return self.input_names or tuple(inspect.signature(self.reference).parameters)
