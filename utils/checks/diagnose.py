"""What is wrong when no known misconception is: found by comparing all outputs with all expected ones.

A diagnosis is given only if it explains every case, and at least one case in which the answer is wrong.
Where the first wrong case is an error, the advice goes by the error's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .exercise import Case
from .guard import Failure, Outcome
from .values import Rules, as_tensor, compare, is_number, same


@dataclass(frozen=True)
class _Pair:
    """One part of an output beside what was expected, and the sizes that the inputs of the case have."""

    want: torch.Tensor
    have: torch.Tensor
    sizes: tuple[int, ...]


def diagnose(cases: Sequence[Case], expected: Sequence[Outcome], got: Sequence[Outcome], rules: Rules) -> str:
    """A sentence or two about what all wrong outputs have in common; "" if nothing is known."""
    if all(o.output is None and o.failure is None for o in got):
        return _nothing_returned(got)
    if any(o.failure is not None for o in (*expected, *got)):
        return _first_error(expected, got, rules)
    if all(_values_and_places(e.output, g.output) for e, g in zip(expected, got, strict=True)):
        return _VALUES_AND_PLACES
    for name, part in _parts(expected[0].output, rules):
        try:
            wants = [part(o.output) for o in expected]
            haves = [part(o.output) for o in got]
        except (TypeError, IndexError, KeyError):
            return ""
        if not all(_numeric(value) for value in (*wants, *haves)):
            if all(compare(w, h, rules) is None for w, h in zip(wants, haves, strict=True)):
                continue
            return ""
        pairs = [
            _Pair(as_tensor(w), as_tensor(h), _sizes(case.args))
            for w, h, case in zip(wants, haves, cases, strict=True)
        ]
        loose = Rules(rules.rtol, rules.atol)
        if all(_agree(p.want, p.have, loose) for p in pairs):
            continue  # this part is right: look at the next
        for explain in _EXPLANATIONS:
            words = explain(pairs, loose)
            if words:
                return words.format(subject=name)
        return ""
    return ""


_VALUES_AND_PLACES = (
    "`max` and `min` along a dimension give two things at once: the numbers, `.values`, and the places where "
    "they stand, `.indices`. Take the one you need."
)
_SHAPES = (
    "Two tensors do not fit together. Print the shape of each, just before this line. Which dimension should "
    "meet which: is one missing, summed away, or in another place?"
)

# what an error says (a pattern), and what a beginner who reads that probably did
_ERROR_ADVICE = (
    (
        "Boolean value of Tensor with more than one",
        "`if`, `and`, `or`, `not` and Python's own `max` and `min` ask for one True or False, but a tensor "
        "has one for each number. Decide for each number: a comparison such as `z >= 0` gives an answer for "
        "every one, and `.long()` or `torch.where` makes use of it.",
    ),
    (
        "only one element tensors can be converted|only integer tensors of a single"
        r"|only tensors with one element|a Tensor with \d+ elements cannot be converted"
        "|only 0-dimensional arrays can be converted",
        "You ask for one Python number, but the tensor holds several. `math`'s functions, `float`, `int` and "
        "`.item()` take one number; torch's functions take the whole tensor.",
    ),
    (
        r"mean\(\).*dtype|could not infer output dtype",
        "The mean of whole numbers, or of True and False, is a fraction, so torch refuses to take it in "
        "their own type. Turn them into numbers with a decimal point first: `.float()`.",
    ),
    (
        r"tensor\(\) takes 1 positional argument",
        "`torch.tensor` takes one list. Several rows need brackets around all of them.",
    ),
    (
        "expected .*same dtype|expected scalar type|must have the same dtype|to have the same dtype",
        "Two tensors of different types meet in a product: whole numbers (int64) and floats, or float32 and "
        "float64. Print the dtype of each; `.float()` makes float32.",
    ),
    (
        "return_types",
        _VALUES_AND_PLACES,
    ),
    (
        "'(bool|int|float)' object has no attribute|'(bool|int|float)' and '(method|builtin)",
        "What stands before the point is one plain Python value, not a tensor. A comparison gives a single "
        "True or False if one side of it is no tensor: a list, say, the pair that `.max(dim)` gives, or a "
        "method without its parentheses.",
    ),
    (
        "builtin_function_or_method|method_descriptor|'method'",
        "A method is called with parentheses: without them, as in `t.mean`, you have the method itself and "
        "not what it gives.",
    ),
    (
        "shapes cannot be multiplied|size of tensor|inconsistent tensor size|size mismatch"
        "|1D tensors expected|vector, got|to be at least 1D|not broadcastable",
        _SHAPES,
    ),
    (
        r"(maximum|minimum|max|min)\(\).*(must be Tensor, not (int|float)|invalid combination of arg)",
        "`torch.maximum` and `torch.minimum` compare two tensors, `torch.max` works along dimensions. To cut "
        "off at a plain number there are `.clamp(min=…)` and `torch.relu`.",
    ),
    (
        "shape '.*' is invalid for input",
        "A new shape must hold exactly as many numbers as the old one: multiply the sizes of each and "
        "compare. Does your new shape leave room for the whole batch?",
    ),
    (
        "Dimension out of range",
        "There is no dimension of that number. A tensor of shape (2, 3) has dimensions 0 and 1, which are "
        "also called −2 and −1.",
    ),
    (
        "too many indices",
        "You give more places than the tensor has dimensions. Print its shape just before this line: a table "
        "needs brackets around its rows, and a sum takes a dimension away.",
    ),
    (
        "a leaf Variable that requires grad|modified by an inplace",
        "You change a tensor in place while torch keeps record of it for the gradient. In a calculation "
        "make a new tensor instead; an update of parameters belongs under `torch.no_grad()`.",
    ),
)


def _values_and_places(want: Any, have: Any) -> bool:
    """True if ``have`` looks like what ``max(dim)`` gives where one tensor or number is asked for."""
    return (
        not isinstance(want, tuple | list)
        and isinstance(have, tuple)
        and len(have) == 2
        and all(isinstance(part, torch.Tensor) for part in have)
        and have[0].shape == have[1].shape
        and have[1].dtype == torch.int64
    )


def _first_error(expected: Sequence[Outcome], got: Sequence[Outcome], rules: Rules) -> str:
    """Advice on the error with which the first wrong case ends; "" if it is none, or none that is known."""
    for want, have in zip(expected, got, strict=True):
        if want.failure is not None:
            return ""
        if have.failure is not None:
            return _error_advice(have.failure)
        if compare(want.output, have.output, rules) is not None:
            return ""  # what the learner sees first is not an error
    return ""


def _error_advice(failure: Failure) -> str:
    return next((words for pattern, words in _ERROR_ADVICE if re.search(pattern, failure.message)), "")


def _nothing_returned(got: Sequence[Outcome]) -> str:
    if all(o.printed for o in got):
        return (
            "You print the answer, but return nothing: a function without `return` gives None. "
            "What is printed is for people; only what is returned can be used by other code."
        )
    return "Your function returns nothing (None). Did you forget `return`, or is it inside a branch or loop?"


def _parts(output: Any, rules: Rules) -> list[tuple[str, Callable[[Any], Any]]]:
    """The names of the numeric parts of an output, and how to take each out."""
    if isinstance(output, dict):
        return [(f"Your value for {key!r}", lambda o, key=key: o[key]) for key in output]
    if isinstance(output, tuple | list):
        names = [
            f"Your {rules.output_names[i]}" if i < len(rules.output_names) else f"Your result[{i}]"
            for i in range(len(output))
        ]
        return [(name, lambda o, i=i: o[i]) for i, name in enumerate(names)]
    return [("Your result", lambda o: o)]


def _numeric(value: Any) -> bool:
    return isinstance(value, torch.Tensor | np.ndarray) or is_number(value)


def _sizes(args: Any) -> tuple[int, ...]:
    """Every size that occurs in the inputs, without repetition."""
    found: list[int] = []
    for value in args:
        if isinstance(value, torch.Tensor | np.ndarray):
            found += [*value.shape, int(np.prod(value.shape))]
        elif isinstance(value, list | tuple):
            found += [len(value), *_sizes(value)]
    return tuple(dict.fromkeys(found))


def _agree(a: torch.Tensor, b: torch.Tensor, rules: Rules) -> bool:
    """The same shape and values, whatever the dtype."""
    if a.shape != b.shape:
        return False
    if a.is_floating_point() != b.is_floating_point():
        a, b = a.double(), b.double()
        rules = Rules(rules.rtol or 1e-4, rules.atol or 1e-6)
    return same(a, b, rules)


# Each explanation gets all pairs and answers "" if it does not hold for every one of them.


def _transposed(pairs: list[_Pair], rules: Rules) -> str:
    if all(p.want.dim() == 2 and _agree(p.want.T, p.have, rules) for p in pairs):
        return "{subject} is transposed: rows and columns have changed places."
    return ""


def _extra_dimension(pairs: list[_Pair], rules: Rules) -> str:
    if not all(_agree(p.want.squeeze(), p.have.squeeze(), rules) for p in pairs):
        return ""
    wrong = [p for p in pairs if p.want.shape != p.have.shape]
    if not wrong:
        return ""
    want, have = wrong[0].want, wrong[0].have
    more = all(p.have.dim() > p.want.dim() for p in wrong)
    less = all(p.have.dim() < p.want.dim() for p in wrong)
    tail = f"shape {tuple(have.shape)} where {tuple(want.shape)} is asked for. The numbers are right."
    if more:
        return f"{{subject}} has a dimension of size 1 too many: {tail}"
    if less:
        return f"{{subject}} has lost a dimension of size 1: {tail}"
    return f"{{subject}} has a dimension of size 1 in another place: {tail}"


def _other_shape(pairs: list[_Pair], rules: Rules) -> str:
    if all(p.want.numel() == p.have.numel() and _agree(p.want.ravel(), p.have.ravel(), rules) for p in pairs):
        return "{subject} has the right numbers in the right order, but in another shape."
    return ""


def _sign(pairs: list[_Pair], rules: Rules) -> str:
    if all(_float_agree(-p.want.double(), p.have, rules) for p in pairs):
        return "{subject} has the wrong sign: every number is the negative of the right one."
    return ""


def _inverted(pairs: list[_Pair], rules: Rules) -> str:
    if all(_is_zero_one(p.want) and _float_agree(1 - p.want.double(), p.have, rules) for p in pairs):
        return "{subject} is the wrong way round: 1 where 0 belongs, and 0 where 1 belongs."
    return ""


def _is_zero_one(t: torch.Tensor) -> bool:
    return bool(((t == 0) | (t == 1)).all())


def _size_factor(pairs: list[_Pair], rules: Rules) -> str:
    """Each case's values are n times too large or too small, n being a size of that case's input."""
    for word, scale in (("large", 1), ("small", -1)):
        sizes = []
        for p in pairs:
            want = p.want.double()
            fits = [n for n in p.sizes if n > 0 and _float_agree(want * float(n) ** scale, p.have, rules)]
            if not fits:
                break
            sizes.append((fits, p))
        if len(sizes) < len(pairs):
            continue
        telling = [fits for fits, p in sizes if not _float_agree(p.want.double(), p.have, rules)]
        if len({tuple(fits) for fits in telling}) > 1:
            took, asked = ("sum", "mean") if scale == 1 else ("mean", "sum")
            return (
                f"{{subject}} is n times too {word} in every case, where n is a size of the input "
                f"(n = {telling[0][0]} in the first such case). Did you take the {took} where the {asked} is "
                "asked for?"
            )
    return ""


def _constant_factor(pairs: list[_Pair], rules: Rules) -> str:
    ratio = None
    for p in pairs:
        if p.want.shape != p.have.shape:
            return ""
        usable = torch.isfinite(p.want) & (p.want.abs() > 1e-3) & torch.isfinite(p.have)
        if ratio is None and usable.any():
            ratio = float((p.have[usable].double() / p.want[usable].double())[0])
    if ratio is None or ratio == 0 or abs(ratio - 1) < 1e-3:
        return ""
    if not all(_float_agree(p.want.double() * ratio, p.have, rules) for p in pairs) or _few(pairs):
        return ""
    if abs(ratio) > 1:
        return f"{{subject}} is {ratio:.5g} times too large in every case."
    return f"{{subject}} is {1 / ratio:.5g} times too small in every case."


def _constant_offset(pairs: list[_Pair], rules: Rules) -> str:
    if any(p.want.shape != p.have.shape for p in pairs) or _few(pairs):
        return ""
    first = next((p for p in pairs if p.want.numel()), None)
    if first is None:
        return ""
    offset = float(first.have.double().flatten()[0] - first.want.double().flatten()[0])
    if not np.isfinite(offset) or abs(offset) < 1e-3:
        return ""
    if all(_float_agree(p.want.double() + offset, p.have, rules) for p in pairs):
        word = "large" if offset > 0 else "small"
        return f"{{subject}} is too {word} by {abs(offset):.5g} in every case."
    return ""


def _cut_to_whole(pairs: list[_Pair], rules: Rules) -> str:
    if not any(p.want.is_floating_point() for p in pairs):
        return ""
    kinds = {value for p in pairs for value in p.have.double().flatten().tolist()}
    if len(kinds) < 3:  # nothing but 0 and 1, say, has many other causes
        return ""
    for cut in (torch.floor, torch.trunc):
        if all(_float_agree(cut(p.want.double()), p.have, rules) for p in pairs):
            return (
                "{subject} holds whole numbers only: the right ones without what is after the decimal point. "
                "Is there a `//`, an `int` or a type of whole numbers in your code?"
            )
    return ""


def _few(pairs: list[_Pair]) -> bool:
    """True if there are too few numbers to call anything a pattern."""
    return sum(p.want.numel() for p in pairs) < 3


def _float_agree(want: torch.Tensor, have: torch.Tensor, rules: Rules) -> bool:
    if want.shape != have.shape:
        return False
    # the learner's numbers may come from float32 arithmetic
    return same(want, have.double(), Rules(rules.rtol or 1e-4, rules.atol or 1e-6))


_EXPLANATIONS = (
    _transposed,
    _extra_dimension,
    _other_shape,
    _sign,
    _inverted,
    _size_factor,
    _constant_factor,
    _constant_offset,
    _cut_to_whole,
)
