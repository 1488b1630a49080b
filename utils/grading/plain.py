"""Plain data as JSON text, both ways: what passes between the grader and the sandbox.

Tensors and arrays travel as their bytes in base64 with dtype and shape, numbers and strings as they are,
and anything else as the name of its type. Reading builds nothing but these kinds of value, whatever the text
says: no class is looked up, nothing is unpickled, nothing is run. This module runs on both sides and imports
nothing of the course.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

import numpy as np
import torch

_DEPTH = 12  # of lists inside lists: more than any exercise returns
_PARTS = 100_000  # values in one message, a tensor counting as one
_WORDS = 60  # characters of a type's name
_TEXT = 20_000  # characters of a string that is part of an answer
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
        torch.complex64,
        torch.complex128,
    )
}
_ARRAY_DTYPES = tuple(name for name in _DTYPES if name != "bfloat16")


class NotPlain(ValueError):
    """Text that is not what :func:`encode` makes; the message says in which way."""


class Foreign:
    """Stands for something that is not plain data; its class carries the name of the thing's type."""


# ------------------------------------------------------------------------------------------ writing


def dumps(value: Any) -> str:
    """The value as ASCII text."""
    return json.dumps(encode(value), ensure_ascii=True, separators=(",", ":"))


def encode(value: Any, depth: int = 0, *, meta: bool = False) -> Any:
    """The value in JSON's own kinds. What is not plain data becomes the name of its type.

    With ``meta`` a tensor without memory, of the device "meta", travels too, as its shape and dtype.
    """
    if value is None or isinstance(value, bool):
        return value
    if type(value) is str:
        return value[:_TEXT]
    kind = type(value)
    if kind is int:
        return {"int": str(value)} if value.bit_length() < 4000 else {"type": "int"}
    if kind is float:
        return {"float": value.hex()}
    if kind is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, torch.Tensor):
        return _tensor(value, meta)
    if isinstance(value, np.ndarray | np.generic):
        return _array(value)
    if depth < _DEPTH:
        if isinstance(value, tuple):
            return {"tuple": [encode(item, depth + 1, meta=meta) for item in value]}
        if isinstance(value, list):
            return {"list": [encode(item, depth + 1, meta=meta) for item in value]}
        if isinstance(value, dict):
            return {
                "dict": [
                    [encode(k, depth + 1, meta=meta), encode(v, depth + 1, meta=meta)]
                    for k, v in value.items()
                ]
            }
        if isinstance(value, slice):
            return {"slice": [encode(v, depth + 1, meta=meta) for v in (value.start, value.stop, value.step)]}
    return {"type": kind.__name__[:_WORDS], "error": isinstance(value, BaseException)}


def _tensor(value: torch.Tensor, meta: bool) -> dict:
    name = str(value.dtype).removeprefix("torch.")
    whole = value.detach()
    if meta and name in _DTYPES and whole.device.type == "meta":
        return {"meta": name, "shape": list(whole.shape)}
    if name not in _DTYPES or whole.layout != torch.strided or whole.device.type == "meta":
        return {"type": "Tensor", "error": False}
    whole = whole.cpu().resolve_conj().resolve_neg()
    # copied into a row of its own: one number may keep a stride with which torch refuses to show its bytes
    row = torch.empty(whole.numel(), dtype=whole.dtype).copy_(whole.reshape(-1))
    data = row.view(torch.uint8).numpy().tobytes()
    # a leaf that wants a gradient arrives as one; whatever else hangs on a tensor stays behind
    leaf = bool(value.requires_grad and value.is_leaf)
    return {"tensor": name, "shape": list(whole.shape), "data": _text(data), "grad": leaf}


def _array(value: np.ndarray | np.generic) -> dict:
    name = value.dtype.name
    if name not in _ARRAY_DTYPES:
        return {"type": type(value).__name__[:_WORDS], "error": False}
    data = np.ascontiguousarray(value).tobytes()
    single = isinstance(value, np.generic)
    return {"array": name, "shape": list(value.shape), "data": _text(data), "single": single}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# ------------------------------------------------------------------------------------------ reading


def loads(text: str) -> Any:
    """The value of a text made by :func:`dumps`.

    Raises:
        NotPlain: for any other text; never anything else.
    """
    try:
        content = json.loads(text)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise NotPlain(f"the answer cannot be read ({type(error).__name__})") from None
    return decode(content)


def decode(value: Any, *, meta: bool = False) -> Any:
    """The value that :func:`encode` was given, built of plain kinds only; ``meta`` as there.

    Raises:
        NotPlain: for anything else; never anything else.
    """
    try:
        return _decode(value, 0, [_PARTS], meta)
    except NotPlain:
        raise
    except Exception as error:  # torch has errors of its own for shapes that no memory could hold
        raise NotPlain(f"the answer cannot be read ({type(error).__name__})") from None


def _decode(value: Any, depth: int, left: list[int], meta: bool) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEPTH + 1:
        raise NotPlain("the answer has too many parts")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # half a character would not print
    if not isinstance(value, dict):
        raise NotPlain("the answer is not in the agreed form")
    match value:
        case {"int": str(digits)} if re.fullmatch(r"-?\d{1,1300}", digits):
            return int(digits)
        case {"float": str(text)}:
            return _float(text)
        case {"complex": [str(real), str(imaginary)]}:
            return complex(_float(real), _float(imaginary))
        case {"tuple": list(items)}:
            return tuple(_decode(item, depth + 1, left, meta) for item in items)
        case {"list": list(items)}:
            return [_decode(item, depth + 1, left, meta) for item in items]
        case {"dict": list(pairs)}:
            return {
                _key(_decode(k, depth + 1, left, meta)): _decode(v, depth + 1, left, meta) for k, v in pairs
            }
        case {"slice": [start, stop, step]}:
            return slice(*(_decode(item, depth + 1, left, meta) for item in (start, stop, step)))
        case {"tensor": str(name), "shape": list(shape), "data": str(data), "grad": bool(leaf)}:
            if name not in _DTYPES:
                raise NotPlain("an unknown type of number")
            tensor = _filled(name, shape, data)
            floating = tensor.is_floating_point() or tensor.is_complex()
            return tensor.requires_grad_() if leaf and floating else tensor
        case {"meta": str(name), "shape": list(shape)} if meta and name in _DTYPES:
            return torch.empty(_checked(shape), dtype=_DTYPES[name], device="meta")
        case {"array": str(name), "shape": list(shape), "data": str(data), "single": bool(single)}:
            if name not in _ARRAY_DTYPES:
                raise NotPlain("an unknown type of number")
            array = _filled(name, shape, data).numpy()
            return array[()] if single and array.ndim == 0 else array
        case {"type": str(name)}:
            return _foreign(name, value.get("error") is True)
    raise NotPlain("the answer is not in the agreed form")


def _float(text: str) -> float:
    if len(text) > 40:
        raise NotPlain("a number of too many digits")
    return float.fromhex(text)


def _key(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None) or (
        isinstance(value, tuple) and all(isinstance(part, str | int | float | bool | None) for part in value)
    ):
        return value
    raise NotPlain("a dict with keys that are no plain values")


def _filled(name: str, shape: list, data: str) -> torch.Tensor:
    """A tensor of that dtype and shape with these bytes, which must be exactly enough."""
    _checked(shape)
    raw = base64.b64decode(data, validate=True)
    dtype = _DTYPES[name]
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise NotPlain("a tensor whose bytes do not fill its shape")
    if not raw:
        return torch.zeros(shape, dtype=dtype)
    if dtype == torch.bool:  # any byte may come; only 0 and 1 are truth values
        return (torch.frombuffer(bytearray(raw), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)


def _checked(shape: list) -> list[int]:
    """The shape, if a tensor can have it."""
    if len(shape) > 16 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise NotPlain("a shape that is none")
    if math.prod(n for n in shape if n) >= 2**60:  # with a 0 in it there are no bytes that would stop it
        raise NotPlain("a shape that no tensor can have")
    return shape


def _foreign(name: str, error: bool) -> Any:
    """An object that is nothing but the name of its type, so that messages can say what came."""
    name = name[:_WORDS] if name.isidentifier() else "object"
    return type(name, (Exception if error else Foreign,), {})()
