"""Explorers that run without a kernel, for a page: their module, and the state in which they begin.

A stored notebook holds an explorer's still, not its state. The call that made it is made again here, which
gives the state that the lesson had. Where a cell calls an explorer with nothing but constants
(``explore.neuron()``, ``explore.predict("01.scale")``) the call is read from the cell. An explorer that was
handed what the lesson computed has left its call in its output's metadata (``handed_over`` in
``utils/explore/base.py``). What asks the kernel keeps its still.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from utils import explore
from utils.explore.base import CALL, WORDS_END, Shown, collected
from utils.explore.kernel import KernelExplorer
from utils.site.vendor import SiteError

STATE = ["declaration", "data", "values", "reached"]
AGAIN = "Run the lesson again: make build BUILD_ARGS='lessons --stem NN_stem --force'"


@dataclass(frozen=True)
class Call:
    """A call ``explore.name(*arguments, **options)`` whose arguments are known."""

    name: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


@dataclass(frozen=True)
class Alive:
    """An explorer as a page loads it: its module and style, shared by all of its kind, and its own state."""

    name: str
    module: str
    style: str
    state: dict[str, Any]

    @property
    def file(self) -> str:
        """The script that holds module and style; the name changes with them, so no cache serves old ones."""
        digest = hashlib.sha256(f"{self.module}\0{self.style}".encode()).hexdigest()[:10]
        return f"{self.name}-{digest}.js"

    def script(self) -> str:
        """The script: it hands module and style over as text, which a page opened from disk can load, too."""
        parts = json.dumps({"module": self.module, "style": self.style}, ensure_ascii=False)
        return f"n2tExplorer({json.dumps(self.file)}, {parts});\n"

    def html(self) -> str:
        """The place in the page where it lives."""
        state = json.dumps(self.state, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        state = state.replace("<", "\\u003c")
        return (
            f'<div class="n2t-alive" data-module="{self.file}">'
            f'<script type="application/json">{state}</script></div>'
        )


def calls(source: str) -> list[Call | None]:
    """The explorers a cell calls, in order; None for one whose arguments are not all constants."""
    found: list[Call | None] = []
    for statement in ast.parse(source).body:
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("explore"), name)) as call):
                found.append(constant_call(name, call))
    return found


def constant_call(name: str, call: ast.Call) -> Call | None:
    """The call with its arguments' values, if all of them are constants."""
    try:
        arguments = tuple(ast.literal_eval(argument) for argument in call.args)
        options = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except ValueError:
        return None
    return Call(name, arguments, options) if len(options) == len(call.keywords) else None


def stored_call(output: NotebookNode) -> Call | None:
    """The call that an explorer left in its output, if it did."""
    text = output.get("metadata", {}).get(CALL)
    if text is None:
        return None
    left = json.loads(text)
    return Call(left["name"], (), left["arguments"])


def make(call: Call) -> Shown:
    """Make the call and return what it shows.

    Raises:
        SiteError: there is no such explorer (now), or it does not take these arguments.
    """
    try:
        with collected() as shown:
            getattr(explore, call.name)(*call.arguments, **call.options)
    except (AttributeError, TypeError, ValueError) as error:
        raise SiteError(f"explore.{call.name}: the stored call cannot be made: {error}\n{AGAIN}") from error
    return shown[0]


def is_live(output: NotebookNode) -> bool:
    """Whether a stored output is the words that stand for a live explorer."""
    data = output.get("data", {})
    return set(data) == {"text/plain"} and data["text/plain"].endswith(WORDS_END)


def explorers(cell: NotebookNode) -> Iterator[tuple[int, Alive]]:
    """Find the explorers of a stored cell that can live in a page.

    Yields:
        The position among the cell's outputs of the words that stand for it, and the explorer.

    Raises:
        SiteError: the cell's still is not of the state in which its explorer begins now.
    """
    places = [i for i, output in enumerate(cell.outputs) if is_live(output)]
    if not places:
        return
    read = calls(cell.source)
    if len(read) != len(places):  # called in a loop or in a function: which is which is not known
        read = [None] * len(places)
    for place, constant in zip(places, read, strict=True):
        call = stored_call(cell.outputs[place]) or constant
        if call is None:
            continue
        shown = make(call)
        if isinstance(shown.live, KernelExplorer):
            continue
        still = cell.outputs[place - 1]
        if still.data["text/plain"] != shown.alt:
            raise SiteError(
                f"{cell.source.strip()}: the stored still is not of the state in which the explorer begins:\n"
                f"  stored: {still.data['text/plain']}\n  now:    {shown.alt}\n{AGAIN}"
            )
        yield place, Alive(call.name, shown.live._esm, shown.live._css, shown.live.get_state(STATE))
