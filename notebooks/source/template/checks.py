"""The exercises of lesson 99 as data: cases, references, misconceptions, hints."""

from __future__ import annotations

import torch
from torch import Tensor

from .exercise import Case, Exercise, Misconception


def sum_of_squares(x: Tensor) -> Tensor:
    """The sum of the squares of all entries."""
    return (x**2).sum()


def sum_of_squares_cases(generator: torch.Generator) -> list[Case]:
    """Fixed cases that tell the wrong answers apart, and random ones of odd shapes."""
    return [
        Case("values", (torch.tensor([1.0, 2.0, 3.0]),), "the example of the statement"),
        Case("values", (torch.tensor([-1.0, 2.0]),), "a negative entry"),
        Case("shapes", (torch.randn(3, 5, generator=generator),), "two dimensions"),
        Case("edge cases", (torch.randn(1, 1, generator=generator),), "a single entry"),
    ]


EXERCISES = (
    Exercise(
        id="99.sum_of_squares",
        name="sum_of_squares",
        title="The sum of squares",
        difficulty=1,
        points=2,
        minutes=5,
        cases=sum_of_squares_cases,
        reference=sum_of_squares,
        misconceptions=(
            Misconception(
                name="squares the sum",
                code="def sum_of_squares(x):\n    return x.sum() ** 2",
                hint="You added first and squared afterwards. Then large entries of opposite sign cancel.",
            ),
            Misconception(
                name="means instead of sums",
                code="def sum_of_squares(x):\n    return (x**2).mean()",
                hint="You divided by the number of entries. That is the mean; here the sum is wanted.",
            ),
            Misconception(
                name="sums one dimension only",
                code="def sum_of_squares(x):\n    return (x**2).sum(0)",
                hint="You added along the first dimension only, so one number per column is left.",
            ),
        ),
        hints=(
            "Two steps: one acts on each entry, the other brings them together. Which comes first?",
            "Square every entry, then add all of them up, whatever the shape.",
        ),
        alternatives=(
            "def sum_of_squares(x):\n    return torch.dot(x.flatten(), x.flatten())",
            "def sum_of_squares(x):\n    total = x.new_zeros(())\n"
            "    for value in x.flatten():\n        total = total + value * value\n    return total",
        ),
        result="a tensor without dimensions",
    ),
)
