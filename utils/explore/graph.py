"""The computation graph of an expression (lesson 06): forward node by node, then the chain rule backwards.

Forward, each operation stores its value. Backward, each hands to every input the product of two numbers: the
local slope (how the operation's output follows that input) and the gradient that came from upstream. Where
several paths meet at a node, their contributions are added.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    Text,
    colors,
    css,
    esm,
    short,
    show,
    still_png,
)

MOST_LETTERS, MOST_NAMES, MOST_OPERATIONS = 60, 5, 12
MOST_LAYERS, MOST_ROWS = 7, 5
"""What fits in the picture; beyond it an expression is refused."""

LARGEST_NUMBER = 1e6
LONGEST_NAME = 4
FUNCTIONS = ("exp", "log", "tanh", "relu")

SLOTS = tuple(f"v{i + 1}" for i in range(MOST_NAMES))
FIRST_VALUES = (2.0, -1.0, 4.0, 1.0, 0.5)
"""What a name gets that has no value yet, by the order of first appearance."""

LOW, HIGH, STEP = -5.0, 5.0, 0.25  # a quarter is exact in binary, so 0 is exactly 0

_LAST_STEP = 2 * MOST_OPERATIONS + 1
_TRIES = (
    "", "a", "tanh(w1*x1 + w2*x2 + b)", "1/(1 + exp(-z))", "a*a*a", "log(a - b)", "a**b + (",
    "exp(exp(exp(a)))", "a/b/c/d/e", "(a+b)*(c-d)/(a*b) + c**-2", "relu(a*0.001) + 2*b*100000",
)  # fmt: skip

DECLARATION = Declaration(
    name="graph",
    title="A computation graph, forward and backward",
    controls=(
        Text("expression", "Expression", "(a*b + c)**2", MOST_LETTERS,
             "a*b + exp(c), with + - * / **, exp log tanh relu", "a*b + c", _TRIES),
        Action("back", "◀ Back", "One step back"),
        Action("play", "Play", "Step by step to the end"),
        Action("step", "Step ▶", "One step on"),
        Slider("step_number", "Step", 0, _LAST_STEP, 1, 0, inline=True),
        *(Slider(s, "abcde"[i], LOW, HIGH, STEP, FIRST_VALUES[i], inline=True) for i, s in enumerate(SLOTS)),
        Choice("nudge", "Nudge each name by", ("1", "0.1", "0.01", ("-0.1", "−0.1")), "0.1"),
    ),
    presets=(
        Preset("A neuron", {
            "expression": "tanh(w1*x1 + w2*x2 + b)", "step_number": 0,
            "v1": -1.5, "v2": 1.0, "v3": 0.5, "v4": 2.0, "v5": 1.25,
        }),
        Preset("Used twice", {"expression": "a*b + a", "step_number": 0, "v1": 2.0, "v2": -3.0}),
        Preset("Sigmoid", {"expression": "1/(1 + exp(-z))", "step_number": 0, "v1": 0.5}),
        Preset("Impossible", {"expression": "log(a + b)", "step_number": 0, "v1": 1.0, "v2": -3.0}),
    ),
    goals=(
        Goal(
            "walk",
            "Walk to the end: forward, then backward.",
            "One way back, and every gradient is there.",
        ),
        Goal(
            "twelve",
            "Make the gradient of b exactly 12.",
            "12: nudge b a little, and the output moves twelve times as far.",
        ),
        Goal(
            "straight",
            "Nudge by 1: let gradient × nudge be the whole truth for every name.",
            "Straight along each name: the slope here is the slope all the way.",
        ),
        Goal(
            "cancel",
            "Use a twice or more, with gradient exactly 0 although no contribution to it is 0.",
            "Contributions add up, and so they can cancel.",
            challenge=True,
        ),
    ),
    width=700,
    height=690,
)  # fmt: skip


# ------------------------------------------------------------------ reading
_TOKEN = re.compile(
    r"(?P<number>[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/()])"
)
_OTHER_WAYS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-"})


class Unreadable(ValueError):
    """An expression that cannot be read or drawn; the message says why, to a learner."""


def _clipped(word: str) -> str:
    return word if len(word) <= 10 else word[:9] + "…"


def tokens(text: str) -> list[str]:
    """Return the parts of an expression, each checked to stand where it may.

    Raises:
        Unreadable: something is missing, too much, or not understood.
    """
    text = text.translate(_OTHER_WAYS)
    if len(text) > MOST_LETTERS:
        raise Unreadable(f"Too long: at most {MOST_LETTERS} characters fit.")
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(_strange(text[at]))
        found.append((match.lastgroup or "", match.group()))
        at = match.end()
    if not found:
        raise Unreadable("Type an expression, such as a*b + c.")
    open_brackets = 0
    value_next = True  # whether a number, a name or an opening bracket must come now
    for i, (kind, word) in enumerate(found):
        before = found[i - 1][1] if i else ""
        after = found[i + 1][1] if i + 1 < len(found) else ""
        if kind != "sign" or word == "(":
            if not value_next:
                raise Unreadable(f"A sign such as * is missing before “{_clipped(word)}”.")
            if kind == "word":
                _check_word(word, after)
                value_next = word in FUNCTIONS
            elif kind == "number":
                if float(word) > LARGEST_NUMBER:
                    raise Unreadable("Numbers up to a million can be used here.")
                value_next = False
            else:
                open_brackets += 1
        elif word == ")":
            if open_brackets == 0:
                raise Unreadable("A bracket is closed that was never opened.")
            if value_next:
                raise Unreadable(
                    "There is nothing between the brackets."
                    if before == "("
                    else "Something is missing before “)”."
                )
            open_brackets -= 1
        elif value_next:
            if word not in "+-":
                raise Unreadable(f"Something is missing before “{word}”.")
        else:
            value_next = True
    if value_next:
        raise Unreadable("Something is missing at the end.")
    if open_brackets:
        raise Unreadable("A bracket is not closed.")
    return [word for _, word in found]


def _strange(letter: str) -> str:
    if letter in "^²³":
        return "A power is written ** here, as in a**2."
    if letter == "=":
        return "Only the expression itself: no = sign."
    if letter == ",":
        return "No comma: every function here takes one input."
    return f"“{letter}” has no meaning here."


def _check_word(word: str, after: str) -> None:
    if word in FUNCTIONS:
        if after != "(":
            raise Unreadable(f"{word} needs brackets: {word}( … ).")
    elif after == "(":
        raise Unreadable(f"“{_clipped(word)}” is not a function here: there are {', '.join(FUNCTIONS)}.")
    elif len(word) > LONGEST_NAME:
        raise Unreadable(f"“{_clipped(word)}” is too long for a name: at most {LONGEST_NAME} letters.")
    elif keyword.iskeyword(word):
        raise Unreadable(f"“{word}” is a word of Python and cannot be a name.")


_KINDS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_LABELS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "power": "**", "neg": "−"}


def read(expression: str) -> dict[str, Any]:
    """Return the graph of an expression: ``nodes``, ``names``, and ``wires`` as they are drawn.

    A node has ``kind``, ``label``, ``inputs`` (indices of earlier nodes), ``number`` (the value of a number,
    or a fixed exponent, else None), ``needs`` (whether it depends on a name), ``layer`` and ``place`` (from
    above, in rows). A name is one node however often it is used. A wire has ``source``, ``target``, ``slot``
    (which input of the target) and ``via``, the points [layer, place] that it passes in between.

    Raises:
        Unreadable: the expression cannot be read, or does not fit in the picture.
    """
    words = tokens(expression)
    # Only checked words reach Python's own parser, and nothing is ever evaluated by it.
    source = "".join(
        f" {float(word)!r}" if _TOKEN.fullmatch(word)["number"] else f" {word}" for word in words
    )
    tree = ast.parse(source.strip(), mode="eval").body
    nodes: list[dict[str, Any]] = []
    leaves: list[list[int]] = []  # per node, where the names and numbers below it stand in the text
    found = 0

    def add(kind: str, label: str, inputs: Sequence[int] = (), number: float | None = None) -> int:
        nonlocal found
        below = [position for i in inputs for position in leaves[i]]
        if not inputs:
            found += 1
            below = [found - 1]
        if kind == "name":
            for i, node in enumerate(nodes):
                if node["kind"] == "name" and node["label"] == label:
                    leaves[i] += below
                    return i
        needs = kind == "name" or any(nodes[i]["needs"] for i in inputs)
        nodes.append({"kind": kind, "label": label, "inputs": list(inputs), "number": number, "needs": needs})
        leaves.append(below)
        return len(nodes) - 1

    def visit(part: ast.expr) -> int:
        nonlocal found
        match part:
            case ast.Constant(value=value):
                return add("number", amount(value), number=value)
            case ast.Name(id=name):
                return add("name", name)
            case ast.Call(func=ast.Name(id=name), args=[inner]):
                return add(name, name, [visit(inner)])
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return visit(inner)
            case ast.UnaryOp(operand=inner):
                i = visit(inner)
                if nodes[i]["kind"] == "number":  # −3 is a number, not an operation
                    nodes[i]["number"] = -nodes[i]["number"]
                    nodes[i]["label"] = amount(nodes[i]["number"])
                    return i
                return add("neg", _LABELS["neg"], [i])
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                base, exponent = visit(left), visit(right)
                if nodes[exponent]["kind"] == "number":  # the last node: nothing else refers to it
                    number = nodes.pop()["number"]
                    leaves.pop()
                    found -= 1
                    return add("pow", f"**{amount(number)}", [base], number)
                return add("power", _LABELS["power"], [base, exponent])
            case ast.BinOp(left=left, op=op, right=right):
                kind = _KINDS[type(op)]
                return add(kind, _LABELS[kind], [visit(left), visit(right)])
        raise Unreadable("This cannot be read.")  # pragma: no cover - the tokens leave nothing else

    visit(tree)
    names = [node["label"] for node in nodes if node["kind"] == "name"]
    operations = sum(bool(node["inputs"]) for node in nodes)
    if not names:
        raise Unreadable("There is no name in it, so there is no gradient to find.")
    if len(names) > MOST_NAMES:
        raise Unreadable(f"{len(names)} names: up to {MOST_NAMES} fit in the picture.")
    if operations > MOST_OPERATIONS:
        raise Unreadable(f"{operations} operations: up to {MOST_OPERATIONS} fit in the picture.")
    return {"nodes": nodes, "names": names, "wires": _lay_out(nodes, leaves, found)}


def _lay_out(
    nodes: list[dict[str, Any]], leaves: list[list[int]], read_from_left: int
) -> list[dict[str, Any]]:
    """Give every node its layer and place, and return the wires."""
    for node in nodes:
        node["layer"] = 1 + max((nodes[i]["layer"] for i in node["inputs"]), default=-1)
    users: list[list[int]] = [[] for _ in nodes]
    for k, node in enumerate(nodes):
        for i in node["inputs"]:
            users[i].append(k)
    for k, node in enumerate(nodes):  # a name or number stands just before its first use
        if not node["inputs"] and users[k]:
            node["layer"] = min(nodes[user]["layer"] for user in users[k]) - 1
    layers = 1 + max(node["layer"] for node in nodes)
    if layers > MOST_LAYERS:
        raise Unreadable(f"{layers - 1} operations one after another: up to {MOST_LAYERS - 1} fit.")

    # Reading order keeps wires from crossing; a wire that passes a layer takes a place in it like a node.
    rank = [sum(below) / len(below) for below in leaves]
    columns: list[list[tuple[float, int, int]]] = [[] for _ in range(layers)]
    for k, node in enumerate(nodes):
        columns[node["layer"]].append((rank[k], 0, k))
        for layer in range(node["layer"] + 1, max((nodes[u]["layer"] for u in users[k]), default=0)):
            later = [rank[user] for user in users[k] if nodes[user]["layer"] > layer]
            columns[layer].append(((rank[k] + sum(later) / len(later)) / 2, 1, k))
    rows = max(map(len, columns))
    if rows > MOST_ROWS:
        raise Unreadable(f"{rows} wires side by side: up to {MOST_ROWS} fit in the picture.")
    passes: dict[tuple[int, int], float] = {}
    for layer, column in enumerate(columns):
        column.sort()
        places = [(position + 0.5) / read_from_left * rows for position, _, _ in column]
        for i in range(len(places)):
            places[i] = max(places[i], places[i - 1] + 1 if i else 0.5)
        for i in reversed(range(len(places))):
            places[i] = min(places[i], places[i + 1] - 1 if i + 1 < len(places) else rows - 0.5)
        for place, (_, passing, k) in zip(places, column, strict=True):
            if passing:
                passes[k, layer] = place
            else:
                nodes[k]["place"] = place
    return [
        {
            "source": i, "target": k, "slot": slot,
            "via": [[layer, passes[i, layer]] for layer in range(nodes[i]["layer"] + 1, node["layer"])],
        }
        for k, node in enumerate(nodes)
        for slot, i in enumerate(node["inputs"])
    ]  # fmt: skip


# ------------------------------------------------------------------ numbers in words
def amount(value: float) -> str:
    """Return a number in at most seven letters: "−2.125", "0.462", "12346", "1.2e7"."""
    size = abs(value)
    if size == 0:
        return "0"
    if 0.001 <= size < 1e5:
        return short(
            value, 4 if size < 0.1 else 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
        )
    exact = Decimal(value)
    lead = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), ROUND_HALF_UP)
    power = lead.adjusted()
    return f"{lead.scaleb(-power).normalize():f}e{power}".replace("-", "−")


def _bracketed(value: float) -> str:
    return f"({amount(value)})" if value < 0 else amount(value)


# ------------------------------------------------------------------ forward and backward
class Impossible(ArithmeticError):
    """A step that has no answer; the message says why, to a learner."""


TOO_LARGE = "the result is larger than a computer can hold"


def forward_one(node: Mapping[str, Any], x: Sequence[float]) -> float:
    """Return the value of an operation for the values of its inputs.

    Raises:
        Impossible: there is none.
    """
    kind = node["kind"]
    if kind == "log" and x[0] <= 0:
        raise Impossible(f"log needs a number above 0, and here it gets {amount(x[0])}")
    if kind == "div" and x[1] == 0:
        raise Impossible(f"{amount(x[0])} cannot be divided by 0")
    if kind in ("pow", "power"):
        base, exponent = x[0], node["number"] if kind == "pow" else x[1]
        if base == 0 and exponent < 0:
            raise Impossible(f"0 ** ({amount(exponent)}) would divide by 0")
        if base < 0 and exponent != math.floor(exponent):
            raise Impossible(f"({amount(base)}) ** {_bracketed(exponent)} is not a real number")
    try:
        value = _FORWARD[kind](x, node["number"])
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise Impossible(TOO_LARGE)
    return value


_FORWARD = {
    "add": lambda x, _: x[0] + x[1],
    "sub": lambda x, _: x[0] - x[1],
    "mul": lambda x, _: x[0] * x[1],
    "div": lambda x, _: x[0] / x[1],
    "neg": lambda x, _: -x[0],
    "pow": lambda x, p: math.pow(x[0], p),
    "power": lambda x, _: math.pow(x[0], x[1]),
    "exp": lambda x, _: math.exp(x[0]),
    "log": lambda x, _: math.log(x[0]),
    "tanh": lambda x, _: math.tanh(x[0]),
    "relu": lambda x, _: max(x[0], 0.0),
}


def slope_of(node: Mapping[str, Any], x: Sequence[float], value: float, slot: int) -> float:
    """Return the local slope: how fast an operation's value follows its input ``slot``.

    Raises:
        Impossible: there is no finite one.
    """
    kind = node["kind"]
    if kind in ("add", "sub", "neg"):
        return -1.0 if kind == "neg" or (kind == "sub" and slot == 1) else 1.0
    if kind == "mul":
        return x[1 - slot]
    if kind == "div":
        return 1 / x[1] if slot == 0 else -x[0] / x[1] / x[1]
    if kind == "exp":
        return value
    if kind == "tanh":
        return 1 - value * value
    if kind == "log":
        return 1 / x[0]
    if kind == "relu":
        return 1.0 if x[0] > 0 else 0.0
    exponent = node["number"] if kind == "pow" else x[1]
    if slot == 1:
        if x[0] < 0:
            raise Impossible("the slope for an exponent needs the log of its base, and the base is negative")
        return value * math.log(x[0]) if x[0] > 0 else 0.0
    if exponent == 0:
        return 0.0
    if x[0] == 0 and exponent < 1:
        raise Impossible(f"at 0 the curve of {node['label'] if kind == 'pow' else 'this power'} is upright: "
                         "its slope is infinite")  # fmt: skip
    try:
        return exponent * math.pow(x[0], exponent - 1)
    except OverflowError:
        return math.inf


def forward(
    nodes: Sequence[Mapping[str, Any]], values: Mapping[str, float]
) -> tuple[list[float], str | None]:
    """Return the nodes' values up to the first impossible one, and why it is impossible (or None)."""
    found: list[float] = []
    for node in nodes:
        if node["kind"] == "name":
            found.append(float(values[node["label"]]))
        elif node["kind"] == "number":
            found.append(node["number"])
        else:
            try:
                found.append(forward_one(node, [found[i] for i in node["inputs"]]))
            except Impossible as why:
                return found, str(why)
    return found, None


def backward(
    nodes: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the backward steps up to the first impossible one, and why it is impossible (or None).

    A step holds ``node`` and ``moves``, one for each input that needs a gradient: ``input``, ``slot``,
    ``slope``, ``upstream``, ``product``, and the input's gradient ``before`` (None at first) and ``after``.
    """
    gradients: list[float | None] = [None] * len(nodes)
    gradients[-1] = 1.0
    steps: list[dict[str, Any]] = []
    for k in reversed(range(len(nodes))):
        node = nodes[k]
        if not node["inputs"] or not node["needs"]:
            continue
        x = [values[i] for i in node["inputs"]]
        moves = []
        for slot, i in enumerate(node["inputs"]):
            if not nodes[i]["needs"]:
                continue
            try:
                slope = slope_of(node, x, values[k], slot)
            except (Impossible, ZeroDivisionError) as why:
                return steps, str(why) if isinstance(why, Impossible) else TOO_LARGE
            product = slope * gradients[k]
            after = product if gradients[i] is None else gradients[i] + product
            if not (math.isfinite(product) and math.isfinite(after)):
                return steps, TOO_LARGE
            moves.append({
                "input": i, "slot": slot, "slope": slope, "upstream": gradients[k], "product": product,
                "before": gradients[i], "after": after,
            })  # fmt: skip
            gradients[i] = after
        steps.append({"node": k, "moves": moves})
    return steps, None


def compute(
    expression: str, v1: float, v2: float, v3: float, v4: float, v5: float, step_number: int, nudge: str
) -> dict[str, Any]:
    """Return the graph, what is known of it after ``step_number`` steps, and what nudges do.

    ``v1`` … ``v5`` are the values of the names in the order of their first appearance; those beyond the
    names of the expression are not used. Keys: ``mistake`` (a sentence; then there is no more), ``nodes``,
    ``names``, ``wires`` as :func:`read` gives them; ``step``, ``last``, ``phase`` ("start", "forward",
    "seed", "backward" or "stop"), ``current`` (the node of this step or None), ``trouble`` (why it stops
    here); ``values`` and ``gradients`` (per node, None where not known yet); ``flows`` (per wire, None or
    its move, see :func:`backward`), ``fresh`` (moves of this step); ``counts`` of forward and backward
    steps; ``nudges``, one row a name: ``name``, ``gradient``, ``expected`` (gradient × nudge) and
    ``change`` (what the output really does), None where not known yet or impossible.
    """
    try:
        graph = read(expression)
    except Unreadable as why:
        return {"mistake": str(why)}
    nodes, names = graph["nodes"], graph["names"]
    start = dict(zip(names, (v1, v2, v3, v4, v5), strict=False))
    values, stopped = forward(nodes, start)
    operations = [k for k, node in enumerate(nodes) if node["inputs"]]
    steps: list[dict[str, Any]] = []
    caught = None
    if stopped is None:
        steps, caught = backward(nodes, values)
    ahead, back = len(operations), sum(nodes[k]["needs"] for k in operations)
    bad = None if stopped is None else len(values)
    last = operations.index(bad) + 1 if bad is not None else ahead + 1 + len(steps) + (caught is not None)
    step = int(min(max(step_number, 0), last))
    state: dict[str, Any] = {
        **graph, "mistake": None, "step": step, "last": last, "current": None, "trouble": None, "fresh": [],
        "counts": [ahead, back], "gradients": [None] * len(nodes), "flows": [None] * len(graph["wires"]),
    }  # fmt: skip
    shown = set(operations[:step])
    state["values"] = [
        values[k] if k < len(values) and (k in shown or not node["inputs"]) else
        start[node["label"]] if node["kind"] == "name" else node["number"] if not node["inputs"] else None
        for k, node in enumerate(nodes)
    ]  # fmt: skip
    if step == 0:
        state["phase"] = "start"
    elif step <= ahead:
        state["current"] = operations[step - 1]
        state["phase"] = "stop" if state["current"] == bad else "forward"
        state["trouble"] = stopped if state["phase"] == "stop" else None
    else:
        state["phase"] = "seed" if step == ahead + 1 else "backward"
        state["current"] = len(nodes) - 1
        state["gradients"][-1] = 1.0
        done = step - ahead - 1
        wire = {(w["target"], w["slot"]): i for i, w in enumerate(graph["wires"])}
        for one in steps[:done]:
            state["current"], state["fresh"] = one["node"], one["moves"]
            for move in one["moves"]:
                state["gradients"][move["input"]] = move["after"]
                state["flows"][wire[one["node"], move["slot"]]] = move
        if done > len(steps):
            state["phase"], state["trouble"], state["fresh"] = "stop", caught, []
            walked = [k for k in reversed(operations) if nodes[k]["needs"]]
            state["current"] = walked[len(steps)]
    state["nudges"] = _nudges(state, start, values, stopped, steps, caught, float(nudge))
    return state


def _nudges(
    state: Mapping[str, Any],
    start: Mapping[str, float],
    values: Sequence[float],
    stopped: str | None,
    steps: Sequence[Mapping[str, Any]],
    caught: str | None,
    nudge: float,
) -> list[dict[str, Any]]:
    """Return for each name what its gradient promises of a nudge, and what the output then really does."""
    nodes, step = state["nodes"], state["step"]
    rows = []
    for name in state["names"]:
        index = next(k for k, node in enumerate(nodes) if node["kind"] == "name" and node["label"] == name)
        change = None
        if stopped is None and step >= state["counts"][0]:
            after, impossible = forward(nodes, {**start, name: start[name] + nudge})
            change = None if impossible else after[-1] - values[-1]
        gradient = state["gradients"][index] if step == state["last"] and not caught and not stopped else None
        rows.append({
            "name": name, "gradient": gradient, "change": change,
            "expected": None if gradient is None else gradient * nudge,
        })  # fmt: skip
    return rows


# ------------------------------------------------------------------ in words
_NOUNS = {
    "add": "the sum", "sub": "the difference", "mul": "the product", "div": "the quotient",
    "neg": "the minus", "pow": "the power", "power": "the power",
}  # fmt: skip
_REASONS = {
    "add": "a sum has slope 1 for each part",
    "sub": "slope 1 before the minus sign, −1 after it",
    "mul": "the slope for one factor is the other factor",
    "div": "the slopes are 1/bottom for the top, −top/bottom² for the bottom",
    "neg": "a minus turns the sign, slope −1",
    "power": "p·x**(p−1) is the slope for the base, output × log(base) for the exponent",
    "exp": "the slope of exp is its own output",
    "log": "the slope of log(x) is 1/x",
    "tanh": "the slope of tanh is 1 − output²",
    "relu": "the slope of relu is 1 above 0, else 0",
}


def _called(node: Mapping[str, Any]) -> str:
    return node["label"] if node["kind"] == "name" else _NOUNS.get(node["kind"], node["kind"])


def _sum_in_numbers(node: Mapping[str, Any], x: Sequence[float]) -> str:
    kind, label = node["kind"], node["label"]
    if kind in FUNCTIONS:
        return f"{label}({amount(x[0])})"
    if kind == "neg":
        return f"−({amount(x[0])})"
    if kind == "pow":
        return f"{_bracketed(x[0])} ** {_bracketed(node['number'])}"
    return f"{_bracketed(x[0]) if kind == 'power' else amount(x[0])} {label} {_bracketed(x[1])}"


def describe(**controls: Any) -> str:
    """Return in words what this step did, for the controls of :func:`compute`."""
    return in_words(compute(**controls))


def in_words(state: Mapping[str, Any]) -> str:
    """Return in words what the step of a state did."""
    if state["mistake"]:
        return f"Not read yet. {state['mistake']}"
    nodes, step, (ahead, back) = state["nodes"], state["step"], state["counts"]
    if state["phase"] == "start":
        known = ", ".join(f"{name} = {amount(state['values'][k])}" for k, name in _named(nodes))
        more = "Each step forward computes one node." if ahead else "Nothing is to be computed."
        return f"Start: {known}. {more}"
    node = nodes[state["current"]]
    if state["phase"] == "stop":
        where = f"Forward {step} of {ahead}" if step <= ahead else f"Backward {step - ahead - 1} of {back}"
        then = (
            "Nothing after it gets a value, and there is no way back."
            if step <= ahead
            else "The way back ends here."
        )
        return f"{where}, {node['label']}: this cannot be done: {state['trouble']}. {then}"
    if state["phase"] == "forward":
        x = [state["values"][i] for i in node["inputs"]]
        end = " This is the output." if step == ahead else ""
        value = amount(state["values"][state["current"]])
        return f"Forward {step} of {ahead}, {_called(node)}: {_sum_in_numbers(node, x)} = {value}.{end}"
    if state["phase"] == "seed":
        end = " Every name has its gradient." if step == state["last"] else ""
        return (
            "The way back begins at the output: a nudge of it is a nudge of itself, "
            f"so its gradient is 1.{end}"
        )
    return _backward_words(state, node)


def _power_reason(p: float) -> str:
    """Return "the slope of x**3 is 3·x**2"."""
    slope = amount(p) if p in (0, 1) else f"{amount(p)}·x" + ("" if p == 2 else f"**{_bracketed(p - 1)}")
    return f"the slope of x**{_bracketed(p)} is {slope}"


def _backward_words(state: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    nodes, (ahead, back) = state["nodes"], state["counts"]
    reason = _power_reason(node["number"]) if node["kind"] == "pow" else _REASONS[node["kind"]]
    parts, meetings = [], []
    for move in state["fresh"]:
        name = _called(nodes[move["input"]])
        parts.append(
            f"to {name}: {amount(move['slope'])} × {_bracketed(move['upstream'])} = {amount(move['product'])}"
        )
        if move["before"] is not None:
            added = f"{amount(move['before'])} + {_bracketed(move['product'])} = {amount(move['after'])}"
            meetings.append(f" Paths meet at {name}: {added}.")
    end = " Every name has its gradient." if state["step"] == state["last"] else ""
    return (
        f"Backward {state['step'] - ahead - 1} of {back}, {node['label']}: {reason}. "
        f"Slope × upstream {'; '.join(parts)}.{''.join(meetings)}{end}"
    )


def _named(nodes: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    return [(k, node["label"]) for k, node in enumerate(nodes) if node["kind"] == "name"]


# ------------------------------------------------------------------ the still
_BOX = (88.0, 74.0)  # a node's width and height, in hundredths of an inch, as all lengths of the still


def draw(figure: Figure, **controls: Any) -> None:
    """Draw the graph with what is known of it after ``step_number`` steps."""
    state, palette = compute(**controls), colors()
    width, height = (100 * inches for inches in figure.get_size_inches())
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    if state["mistake"]:
        axes.text(width / 2, height / 2, in_words(state), ha="center", size=13, color=palette["wrong"])
        return
    nodes, wires = state["nodes"], state["wires"]
    axes.text(16, 28, controls["expression"].strip(), size=14, weight="bold", family="monospace")
    if state["gradients"][-1] is not None:
        axes.text(width - 16, 28, "local slope × upstream gradient", ha="right", size=13, color=_RED)
    layers = 1 + max(node["layer"] for node in nodes)
    rows = 0.5 + max(
        [node["place"] for node in nodes] + [place for wire in wires for _, place in wire["via"]]
    )
    pitch = min(220.0, (width - _BOX[0] - 24) / max(layers - 1, 1))
    apart = min(118.0, (height - 44) / rows)

    def at(layer: float, place: float) -> tuple[float, float]:
        return (
            width / 2 + (layer - (layers - 1) / 2) * pitch,
            42 + (height - 44) / 2 + (place - rows / 2) * apart,
        )

    for wire, flow in zip(wires, state["flows"], strict=True):
        points = [at(nodes[wire["source"]]["layer"], nodes[wire["source"]]["place"])]
        points += [at(*point) for point in wire["via"]]
        points.append(at(nodes[wire["target"]]["layer"], nodes[wire["target"]]["place"]))
        twins = nodes[wire["target"]]["inputs"] == [wire["source"]] * 2
        _draw_wire(axes, points, flow, room=pitch - _BOX[0], bend=(48 * wire["slot"] - 24) if twins else 0)
    for k, node in enumerate(nodes):
        _draw_node(axes, state, k, at(node["layer"], node["place"]))


_RED = "#c01626"  # the gradient's red, dark enough for small words


def _draw_node(axes: Axes, state: Mapping[str, Any], k: int, middle: tuple[float, float]) -> None:
    palette, node = colors(), state["nodes"][k]
    (x, y), (wide, high) = middle, _BOX
    if node["kind"] == "number":
        edge, fill, high = palette["neutral"], "#f6f6f8", 36.0
    elif node["inputs"]:
        edge, fill = palette["class0"], "#edf3ff"
    else:
        edge, fill = palette["class1"], "#fff4e2"
    if state["trouble"] and k == state["current"]:
        edge = palette["wrong"]
    axes.add_patch(FancyBboxPatch(
        (x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0,rounding_size=10", linewidth=2,
        edgecolor=edge, facecolor=fill, zorder=3,
    ))  # fmt: skip

    def line(words: str, below: float, **look: Any) -> None:
        size = 12 if len(words) > 6 else 13
        axes.text(x, y + below, words, ha="center", va="center", size=size, zorder=4, **look)

    if node["kind"] == "number":
        return line(node["label"], 0)
    value, gradient = state["values"][k], state["gradients"][k]
    line(node["label"], -23, weight="bold")
    line("?" if value is None else amount(value), 1, color=palette["muted" if value is None else "text"])
    if gradient is not None:
        line(amount(gradient), 24, weight="bold", color=_RED)
    return None


def _draw_wire(
    axes: Axes, points: Sequence[tuple[float, float]], flow: Any, *, room: float, bend: float
) -> None:
    """Draw one wire, and on its last stretch what the gradient did there, if it has passed."""
    half = _BOX[0] / 2
    (x0, y0), (x1, y1) = points[-2], points[-1]
    start, end = (x0 + (half if len(points) == 2 else 0), y0 + bend), (x1 - half, y1 + bend)
    axes.plot(
        *zip(*([points[0], *points[1:-1]] if len(points) > 2 else [start]), end, strict=True),
        color="#ee8f97" if flow else "#8b909a", linewidth=2, zorder=1,
    )  # fmt: skip
    if flow is None:
        return
    words = [f"{amount(flow['slope'])} × {_bracketed(flow['upstream'])}", f"= {amount(flow['product'])}"]
    if len(words[0]) * 9.5 > room:
        words = [amount(flow["slope"]), f"× {_bracketed(flow['upstream'])}", words[1]]
    if max(map(len, words)) * 9.5 > room + 30:  # the nodes hold the gradients as well
        return
    t = 0.45 if abs(end[1] - start[1]) < 40 else 0.55  # what slants keeps away from what is level
    spot = [(1 - t) * one + t * other for one, other in zip(start, end, strict=True)]
    axes.text(
        *spot, "\n".join(words), ha="center", va="center", size=12, color=_RED, zorder=2,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.9},
    )  # fmt: skip


class GraphExplorer(Explorer):
    """The live widget of :func:`graph`."""

    _esm = esm("graph.js")
    _css = css()


def graph(expression: str = "(a*b + c)**2", **values: float) -> None:
    """Show the explorer: an expression as a graph, walked forward and backward step by step.

    Args:
        expression: what to begin with: numbers, names, ``+ - * / **``, exp, log, tanh, relu.
        **values: the first value of each name, from −5 to 5 in quarters; names left out get usual ones.

    Raises:
        ValueError: the expression cannot be read, or a value is of no name in it or not on the slider.
    """
    first = starting_with(expression, values)
    end = first | {"step_number": _LAST_STEP}
    controls = tuple(
        replace(control, value=first[control.name]) if control.name in first else control
        for control in DECLARATION.controls
    )
    live = GraphExplorer(replace(DECLARATION, controls=controls), {"first_values": list(FIRST_VALUES)})
    show(live, still_png(draw, size=(9.0, 4.4), **end), describe(**end))


def starting_with(expression: str, values: Mapping[str, float]) -> dict[str, Any]:
    """Return the controls for an expression and the values of its names; raises as :func:`graph` does."""
    try:
        names = read(expression)["names"]
    except Unreadable as why:
        raise ValueError(f"{expression!r}: {why}") from None
    controls = DECLARATION.defaults() | {"expression": expression}
    for name, value in values.items():
        if name not in names:
            raise ValueError(f"{name!r} is no name of {expression!r}; there are {names}")
        slot = SLOTS[names.index(name)]
        if not (LOW <= value <= HIGH and (value / STEP).is_integer()):
            raise ValueError(f"{name} must lie from {LOW:g} to {HIGH:g} in steps of {STEP}, not {value}")
        controls[slot] = float(value)
    DECLARATION.check(**controls)
    return controls
