"""Plain values: copying, comparing and showing them.

Plain data are tensors, arrays, numbers, strings, None, and lists, tuples and dicts of these.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# relative and absolute tolerance by dtype; a float32 result may have been summed in another order
_TOLERANCES = {
    torch.float64: (1e-8, 1e-10),
    torch.float32: (1e-4, 1e-6),
    torch.bfloat16: (3e-2, 1e-2),
    torch.float16: (3e-3, 1e-3),
    torch.complex64: (1e-4, 1e-6),
    torch.complex128: (1e-8, 1e-10),
}
_SHOWN_NUMBERS = 60  # a larger array is shown by its corners
_WIDE_FLOATS = {torch.float32, torch.float64}
_WIDE_INTEGERS = {torch.int32, torch.int64}


@dataclass(frozen=True)
class Rules:
    """How strictly outputs are compared.

    ``rtol``, ``atol``, ``exact_types`` and ``output_names`` are those of :class:`Exercise`; ``any_dtype``
    lets every dtype stand for every other, so that only shapes and values count.
    """

    rtol: float | None = None
    atol: float | None = None
    exact_types: bool = False
    output_names: tuple[str, ...] = ()
    any_dtype: bool = False


PLAIN_RULES = Rules()


@dataclass(frozen=True)
class Difference:
    """The first thing in which an output differs from the expected one.

    Attributes:
        kind: "types", "shapes" or "values".
        words: a sentence for the learner.
    """

    kind: str
    words: str


def copy_plain(value: Any) -> Any:
    """A copy that shares no memory with ``value`` and carries no autograd history."""
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone()
        return copy.requires_grad_() if value.requires_grad and value.is_leaf else copy
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple):
        return tuple(copy_plain(item) for item in value)
    if isinstance(value, list):
        return [copy_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: copy_plain(item) for key, item in value.items()}
    return value


def is_number(value: Any) -> bool:
    """True for Python's and NumPy's single numbers and booleans, not for tensors."""
    return isinstance(value, numbers.Number | np.bool_)


def is_plain(value: Any) -> bool:
    """True if ``value`` is plain data all through."""
    if isinstance(value, list | tuple):
        return all(is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(is_plain(item) for item in value.values())
    return value is None or isinstance(value, torch.Tensor | np.ndarray | str) or is_number(value)


# ---------------------------------------------------------------------------------------- comparing


def compare(expected: Any, got: Any, rules: Rules = PLAIN_RULES, path: str = "") -> Difference | None:
    """Compare type and shape, then values; None if there is no difference.

    Types and shapes of all the parts of a tuple or dict are compared before any values.
    """
    return _compare_forms(expected, got, rules, path) or _compare_values(expected, got, rules, path)


def same(a: Any, b: Any, rules: Rules = PLAIN_RULES) -> bool:
    """True if neither value could be told from the other as an answer."""
    return compare(a, b, rules) is None


def _compare_forms(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    if isinstance(expected, tuple | list):
        return _compare_sequences(expected, got, rules, path)
    if isinstance(expected, dict):
        return _compare_dicts(expected, got, rules, path)
    kind = _kind_problem(expected, got, rules)
    if kind is not None:
        return Difference("types", f"{_subject(path)} should be {kind_words(expected)}{kind}.")
    if _is_array(expected):
        return _shape_problem(expected, got, path) or _dtype_problem(expected, got, rules, path)
    if is_number(expected):
        return _number_problem(expected, got, rules, path)
    return None


def _compare_sequences(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    right_type = type(expected) if rules.exact_types else (tuple, list)
    if not isinstance(got, right_type):
        more = f", {len(expected)} values" if len(expected) != 1 else ""
        return Difference(
            "types",
            f"{_subject(path)} should be {kind_words(expected)}{more}, but it is {kind_words(got)}.",
        )
    if len(got) != len(expected):
        return Difference(
            "shapes", f"{_subject(path)} should have {len(expected)} values, but it has {len(got)}."
        )
    for i, (e, g) in enumerate(zip(expected, got, strict=True)):
        problem = _compare_forms(e, g, rules, _step(path, i, rules))
        if problem is not None:
            return problem
    return None


def _compare_dicts(expected: dict, got: Any, rules: Rules, path: str) -> Difference | None:
    if not isinstance(got, dict):
        return Difference("types", f"{_subject(path)} should be a dict, but it is {kind_words(got)}.")
    missing = [repr(key) for key in expected if key not in got]
    extra = [repr(key) for key in got if key not in expected]
    if missing or extra:
        parts = []
        if missing:
            parts.append(f"lacks {', '.join(missing)}")
        if extra:
            parts.append(f"has {', '.join(extra)}, which is not asked for")
        return Difference("shapes", f"{_subject(path)} {' and '.join(parts)}.")
    for key, value in expected.items():
        problem = _compare_forms(value, got[key], rules, f"{path}[{key!r}]")
        if problem is not None:
            return problem
    return None


def _kind_problem(expected: Any, got: Any, rules: Rules) -> str | None:
    """None if ``got`` is of a kind that may stand for ``expected``; else the end of a sentence."""
    if expected is None:
        return None if got is None else f", but it is {kind_words(got)}"
    if isinstance(expected, torch.Tensor):
        if isinstance(got, torch.Tensor):
            return None
        if expected.dim() == 0 and is_number(got) and not rules.exact_types:
            return None
        if isinstance(got, np.ndarray | np.generic):
            return ", but it is a NumPy array (torch.from_numpy makes a tensor of it)"
        if isinstance(got, list | tuple):
            return f", but it is {kind_words(got)} (torch.tensor or torch.stack makes a tensor of it)"
        return f", but it is {kind_words(got)}"
    if isinstance(expected, np.ndarray):
        return None if isinstance(got, np.ndarray) else f", but it is {kind_words(got)}"
    if is_number(expected):
        if is_number(got):
            return None
        if isinstance(got, torch.Tensor) and got.dim() == 0:
            if not rules.exact_types:
                return None
            return ", but it is a tensor with one number in it (.item() takes the number out)"
        return f", but it is {kind_words(got)}"
    return None if type(got) is type(expected) else f", but it is {kind_words(got)}"


def _shape_problem(expected: Any, got: Any, path: str) -> Difference | None:
    want, have = tuple(expected.shape), tuple(got.shape) if hasattr(got, "shape") else ()
    if want == have:
        return None
    return Difference("shapes", f"{_subject(path)} should have shape {want}, but it has shape {have}.")


def _dtype_problem(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    want, have = _dtype(expected), _dtype(got)
    if want == have or rules.any_dtype:
        return None
    if not rules.exact_types:
        if {want, have} <= _WIDE_FLOATS or {want, have} <= _WIDE_INTEGERS:
            return None
        families = (_family(want), _family(have))
        if is_number(got) and families in {("float", "float"), ("float", "int"), ("int", "int")}:
            return None
    return Difference(
        "types",
        f"{_subject(path)} should be {_dtype_name(want)}, but it is {_dtype_name(have)}"
        f"{_dtype_advice(want, have)}.",
    )


def _dtype_advice(want: torch.dtype, have: torch.dtype) -> str:
    if have == torch.bool:
        return ": True and False are not yet the numbers 1 and 0"
    if want == torch.bool:
        return ": the numbers 1 and 0 are not yet True and False"
    if (_family(want), _family(have)) == ("float", "int"):
        return ": whole numbers cannot hold fractions"
    if (_family(want), _family(have)) == ("int", "float"):
        return ": numbers with a decimal point where whole numbers are asked for"
    return ""


def _number_problem(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    want, have = _family(_dtype(expected)), _family(_dtype(got))
    if want == have or rules.any_dtype or (want == "float" and have == "int" and not rules.exact_types):
        return None
    # NumPy's and torch's whole numbers are int to a learner, so the words name the family
    advice = ""
    if have == "bool":
        advice = ": True and False are not yet the numbers 1 and 0"
    return Difference("types", f"{_subject(path)} should be of type {want}, but it is {have}{advice}.")


def _compare_values(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    if isinstance(expected, tuple | list):
        for i, (e, g) in enumerate(zip(expected, got, strict=True)):
            problem = _compare_values(e, g, rules, _step(path, i, rules))
            if problem is not None:
                return problem
        return None
    if isinstance(expected, dict):
        for key, value in expected.items():
            problem = _compare_values(value, got[key], rules, f"{path}[{key!r}]")
            if problem is not None:
                return problem
        return None
    if _is_array(expected) or is_number(expected):
        return _compare_numbers(expected, got, rules, path)
    return None if expected == got else Difference("values", f"{_subject(path)} is not the right one.")


_PYTHONS = (bool, int, float)  # numbers that Python compares by itself as torch would


def _compare_numbers(expected: Any, got: Any, rules: Rules, path: str) -> Difference | None:
    if type(expected) is type(got) and isinstance(expected, _PYTHONS) and expected == got:
        return None  # thousands of them in lists: a tensor of each would take most of a check's time
    want, have = as_tensor(expected), as_tensor(got)
    wrong = ~close(expected, got, rules)
    if not wrong.any():
        return None
    named = _not_finite(want, have)
    count, total = int(wrong.sum()), wrong.numel()
    if total == 1:
        place = (0,) * want.dim()
        return Difference("values", f"{_subject(path)} is wrong: {_came(want[place], have[place])}{named}.")
    place = tuple(torch.nonzero(wrong)[0].tolist())
    at = ", ".join(str(i) for i in place)
    return Difference(
        "values",
        f"{_subject(path)} is wrong at {count} of {total} places, first at [{at}]: "
        f"{_came(want[place], have[place])}{named}.",
    )


def _came(want: torch.Tensor, have: torch.Tensor) -> str:
    """Both numbers, with as many digits as it takes to see that they differ."""
    digits = next((d for d in (5, 7, 9, 12) if number(want, d) != number(have, d)), 17)
    return f"{number(want, digits)} expected, {number(have, digits)} came"


def close(expected: Any, got: Any, rules: Rules = PLAIN_RULES) -> torch.Tensor:
    """Where two arrays or numbers of one shape agree: whole numbers exactly, floats within a tolerance.

    Returns:
        A bool tensor of their shape.
    """
    want, have = as_tensor(expected), as_tensor(got)
    if want.dtype == have.dtype and torch.equal(want, have):
        return torch.ones_like(want, dtype=torch.bool)  # the usual case, and much the quickest to see
    precisions = [p for p in (_precision(expected), _precision(got)) if p is not None]
    if not precisions:
        return want == have
    rtol, atol = max(_TOLERANCES.get(p, _TOLERANCES[torch.float32]) for p in precisions)
    wide = torch.complex128 if want.is_complex() or have.is_complex() else torch.float64
    want, have = want.to(wide), have.to(wide)
    finite = want[torch.isfinite(want)]
    if finite.numel():  # a sum of large terms may leave a small one that is not exact to its own size
        atol = atol * max(1.0, float(finite.abs().max()))
    return torch.isclose(
        have,
        want,
        rtol=rtol if rules.rtol is None else rules.rtol,
        atol=atol if rules.atol is None else rules.atol,
        equal_nan=True,
    )


def _precision(value: Any) -> torch.dtype | None:
    """The dtype that says how exact a value can be; None for whole numbers and booleans."""
    if isinstance(value, float):
        return torch.float32  # often taken out of a float32 tensor
    dtype = _dtype(value)
    return dtype if dtype.is_floating_point or dtype.is_complex else None


def _not_finite(want: torch.Tensor, have: torch.Tensor) -> str:
    """The end of a sentence that names NaN and infinity where they came but were not expected."""
    if not have.is_floating_point():
        return ""
    parts = []
    if have.isnan().any() and not want.isnan().any():
        parts.append("NaN (not a number: such as 0/0 or inf − inf)")
    if have.isinf().any() and not want.isinf().any():
        parts.append("inf (a number too large for its type, or a division by zero)")
    return f"; there is {' and '.join(parts)} in your result" if parts else ""


# ------------------------------------------------------------------------------------------- kinds


def as_tensor(value: Any) -> torch.Tensor:
    """A tensor with the numbers of an array, tensor or single number, outside autograd."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    return torch.as_tensor(value, dtype=_dtype(value))


def _is_array(value: Any) -> bool:
    return isinstance(value, torch.Tensor | np.ndarray)


def _dtype(value: Any) -> torch.dtype:
    if isinstance(value, torch.Tensor):
        return value.dtype
    if isinstance(value, float):
        return torch.float64
    if isinstance(value, bool):
        return torch.bool
    if isinstance(value, int):  # no integer of torch's holds a larger one
        return torch.int64 if -(2**63) <= value < 2**63 else torch.float64
    return torch.as_tensor(value).dtype


def _family(dtype: torch.dtype) -> str:
    if dtype == torch.bool:
        return "bool"
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "int"


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def kind_words(value: Any) -> str:
    """What sort of thing a value is, with its article: "a tensor", "None", "a NumPy array"."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, bool | np.bool_):
        return "a bool (True or False)"
    if isinstance(value, int):
        return "an int"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _subject(path: str) -> str:
    return f"Your {path}" if path and not path.startswith("[") else f"Your result{path}"


def _step(path: str, i: int, rules: Rules) -> str:
    if not path and i < len(rules.output_names):
        return rules.output_names[i]
    return f"{path}[{i}]"


# ------------------------------------------------------------------------------------------ showing


def number(value: Any, digits: int = 5) -> str:
    """One number, short: at most five digits, unless more are asked for."""
    value = value.item() if isinstance(value, torch.Tensor | np.generic) else value
    if isinstance(value, bool | int | complex):
        text = str(value)
        return text if len(text) <= 20 else f"{text[:17]}…"
    text = f"{value:.{digits}g}"
    return text if any(c in text for c in ".en") else f"{text}.0"  # a float should look like one


def show(value: Any, *, limit: int = 600) -> str:
    """A value in the learner's terms, rounded and shortened; tensors with shape and dtype."""
    text = _show(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _show(value: Any) -> str:
    if _is_array(value):
        return _show_array(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{key!r}: {_show(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, tuple | list):
        many = len(value) > 8
        shown = [_show(item) for item in (value[:6] if many else value)]
        shown += [f"… {len(value)} in all"] if many else []
        inner = ",\n ".join(shown) if any(_is_array(item) for item in value) else ", ".join(shown)
        if isinstance(value, tuple):
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return f"[{inner}]"
    if is_number(value):
        return number(value)
    return repr(value)


def _show_array(value: Any) -> str:
    tensor = torch.as_tensor(value).detach().cpu()
    dtype = _dtype_name(tensor.dtype)
    kind = "tensor" if isinstance(value, torch.Tensor) else "array"
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    whole = tensor.numel() <= _SHOWN_NUMBERS
    width = max((len(number(v)) for v in tensor.flatten()), default=0) if whole else 0
    digits = np.array2string(
        tensor.resolve_conj().numpy(),
        threshold=_SHOWN_NUMBERS,
        edgeitems=2 if tensor.dim() < 3 else 1,
        separator=", ",
        max_line_width=88,
        formatter={"all": lambda v: number(v).rjust(width)},
        prefix=f"{kind}(",
    )
    return f"{kind}({digits}), shape {tuple(tensor.shape)}, {dtype}"
