"""The exercises of lesson 06 as data: an engine's order and operators, the gradients of layers, a network
trained by hand, and the slow check of all of it."""

from __future__ import annotations

import contextlib
import itertools
import linecache
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked, Stopped
from .values import kind_words

# ------------------------------------------------------------------------------- 06.backward_order


def backward_order(output: Any) -> list:
    """All nodes the output was made of, output first, each after all nodes that use it."""
    uses, to_visit = {output: 0}, [output]
    while to_visit:
        for parent in to_visit.pop().parents:
            if parent not in uses:
                uses[parent] = 0
                to_visit.append(parent)
            uses[parent] += 1
    order = [output]
    for node in order:
        for parent in node.parents:
            uses[parent] -= 1
            if uses[parent] == 0:
                order.append(parent)
    return order


class Node:
    """A node of the probe's graphs. It counts how often anybody asks for parents, since on a graph with many
    paths a walk along all of them would never end. ``handed`` are all nodes of the graph by name: so an order
    of them can be sent elsewhere."""

    def __init__(self, name: str, reads: Iterator[int], most: int, handed: dict[str, Node]) -> None:
        self.name, self.handed = name, handed
        self.made_from: tuple[Node, ...] = ()
        self._reads, self._most = reads, most

    def __repr__(self) -> str:
        return self.name

    @property
    def parents(self) -> tuple[Node, ...]:
        if next(self._reads) >= self._most:
            raise Stopped(
                f"It has asked nodes for their parents {self._most:,} times. It seems to walk along every "
                "path by itself, and this graph has a billion of them"
            )
        return self.made_from


def order_of(work: Callable, graph: dict[str, Any], output: str) -> tuple[int, str]:
    """Probe: builds the graph, asks for an order and says what is wrong with it.

    A graph is given as the parents of each node, or, if it is a long chain, by its length and the number of
    arrows between neighbours.

    Many orders are right, so what is compared is not the order: it is how many nodes there are, and a
    sentence about the first thing that is wrong.

    Raises:
        NotAsAsked: if what comes back is not a list of nodes.
        Stopped: if every path is walked by itself, or calls within calls go too deep.
    """
    # a slow but sound search through all nodes for every turn is still allowed
    graph = _chain(**graph) if "length" in graph else graph
    most, reads = 10_000 + 4 * len(graph) ** 2, itertools.count()
    nodes: dict[str, Node] = {}
    nodes |= {name: Node(name, reads, most, nodes) for name in graph}
    for name, parents in graph.items():
        nodes[name].made_from = tuple(nodes[parent] for parent in parents)
    try:
        order = work(nodes[output])
    except RecursionError:
        raise Stopped(
            f"It calls itself for the parents of each node. This graph is {len(graph):,} nodes deep, and "
            "Python allows about 1,000 calls within calls"
        ) from None
    if not isinstance(order, (list, tuple)):
        raise NotAsAsked(f"Your function should return a list of nodes, but it returns {kind_words(order)}.")
    strange = next((item for item in order if not isinstance(item, Node)), None)
    if strange is not None:
        raise NotAsAsked(f"Your list should hold the nodes themselves, but it holds {strange!r}.")
    names = [node.name for node in order]
    return len(names), _verdict(names, graph)


_GOOD_ORDER = "each node once, after all nodes that use it"


def _verdict(names: list[str], graph: dict[str, tuple[str, ...]]) -> str:
    place = {}
    for i, name in enumerate(names):
        place.setdefault(name, i)
    missing = [name for name in graph if name not in place]
    if missing:
        return _listed(missing, "is missing", "are missing")
    if len(place) < len(names):
        twice = [name for name in graph if names.count(name) > 1]
        return _listed(twice, "comes more than once", "come more than once")
    for user, parents in graph.items():
        for name in parents:
            if place[name] < place[user]:
                return f"{name} has its turn before {user}, which uses it"
    return _GOOD_ORDER


def _chain(length: int, arrows: int) -> dict[str, tuple[str, ...]]:
    """Operations in a row, each made from the one before it, which it uses so many times."""
    names = ["L", *(f"n{i}" for i in reversed(range(length)))]
    return {name: (parent,) * arrows for name, parent in itertools.pairwise(names)} | {"n0": ()}


def _listed(names: list[str], one: str, many: str) -> str:
    if len(names) == 1:
        return f"{names[0]} {one}"
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return f"{shown} {many}"


def backward_order_cases(generator: torch.Generator) -> list[Case]:
    """Small graphs on which one wrong order or the other shows, then a wide and a deep one."""

    def random_graph(size: int) -> dict[str, tuple[str, ...]]:
        graph: dict[str, tuple[str, ...]] = {}
        for i in range(size):
            many = whole_number(generator, 1, 2) if i > 1 else 0
            made = [f"n{whole_number(generator, 0, i - 1)}" for _ in range(many)]
            graph[f"n{i}"] = tuple(made)
        used = {name for parents in graph.values() for name in parents}
        ends = tuple(name for name in graph if name not in used)
        return dict(reversed([*graph.items(), ("L", ends)]))

    def case(group: str, graph: dict[str, Any], note: str) -> Case:
        return Case(group, (graph, "L"), note)

    example = {"L": ("b", "c"), "c": ("b", "b"), "b": ("a",), "a": ()}
    swapped = {"L": ("c", "b"), "c": ("b", "b"), "b": ("a",), "a": ()}
    neuron = {"L": ("e", "e"), "e": ("a", "y"), "a": ("z",), "z": ("u", "b"), "u": ("w", "x")}
    neuron |= {"y": (), "b": (), "w": (), "x": ()}
    late = {"L": ("p", "s"), "s": ("p", "q"), "q": ("p",), "p": ("a",), "a": ()}
    square_left = {"L": ("c", "d"), "c": ("b", "b"), "d": ("b",), "b": ("a",), "a": ()}
    square_right = {"L": ("d", "c"), "d": ("b",), "c": ("b", "b"), "b": ("a",), "a": ()}
    return [
        case("values", example, "the example of the statement"),
        case("values", neuron, "a neuron and its loss: nothing is used twice but e"),
        case("values", swapped, "the example with L's parents the other way round"),
        case("values", {"L": ("u", "v"), "u": ("x",), "v": ("x",), "x": ()}, "two ways meet in x"),
        case("values", late, "a node with a long and a short way to it"),
        case("values", square_left, "b is used twice in one operation, and once in another"),
        case("values", square_right, "the same, with the parents the other way round"),
        case("values", random_graph(whole_number(generator, 6, 9)), "a random graph"),
        case("values", random_graph(whole_number(generator, 10, 14)), "a random graph"),
        case("edge cases", {"L": ()}, "the output alone"),
        case("edge cases", {"L": ("a", "b", "c"), "a": (), "b": (), "c": ()}, "three parents, all leaves"),
        case("edge cases", {"length": 30, "arrows": 2}, "thirty squares in a row: a billion paths"),
        case("edge cases", {"length": 1500, "arrows": 1}, "a chain of 1,500 operations"),
    ]


_COUNTING = """
def backward_order(output):
    uses, to_visit = {output: 0}, [output]
    while to_visit:
        node = to_visit.pop()
        for parent in node.parents:
            if parent not in uses:
                uses[parent] = 0
                to_visit.append(parent)
            uses[parent] += 1
    order, ready = [], [output]
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            uses[parent] -= 1
            if uses[parent] == 0:
                ready.append(parent)
    return order
"""

_INTO_THE_DEPTH = """
def backward_order(output):
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order[::-1]
"""

_CALLS_ITSELF = """
def backward_order(output):
    order, seen = [], set()
    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)
    visit(output)
    return order[::-1]
"""

BACKWARD_ORDER = Exercise(
    id="06.backward_order",
    name="backward_order",
    title="Who has a turn, and when?",
    difficulty=3,
    points=5,
    minutes=15,
    cases=backward_order_cases,
    reference=backward_order,
    probe=order_of,
    input_names=("nodes and their parents", "output"),
    output_names=("number of nodes", "order"),
    result="a list of nodes, the output first",
    time_limit=4.0,
    misconceptions=(
        Misconception(
            "level by level",
            """
def backward_order(output):
    order, queue = [output], [output]
    while queue:
        node = queue.pop(0)
        for parent in node.parents:
            if parent not in order:
                order.append(parent)
                queue.append(parent)
    return order
""",
            "Your nodes come in the order in which they are first met, level by level. A node that has a "
            "short and a long way to the output is met by the short way, before the nodes on the long way "
            "have had their turn. It has to wait for the last of those that use it. (If you count uses: "
            "count every arrow, not only the first.)",
        ),
        Misconception(
            "depth first, noted down on arrival",
            """
def backward_order(output):
    order, to_visit = [], [output]
    while to_visit:
        node = to_visit.pop()
        if node not in order:
            order.append(node)
            to_visit.extend(node.parents)
    return order
""",
            "You follow one way down to the end and note each node as you arrive. Other nodes that use it "
            "may not have had their turn by then. That it has not been seen before is not enough: all its "
            "users must be done.",
        ),
        Misconception(
            "leaves first",
            changed(_INTO_THE_DEPTH, ("order[::-1]", "order")),
            "Your order is a good one for the way forward: every node comes after its parents. For the way "
            "back it is the wrong way round: the output must come first.",
        ),
        Misconception(
            "calls itself",
            _CALLS_ITSELF,
            "Your order is right, but your function calls itself once for each level, and Python stops at "
            "about a thousand calls within calls. Graphs get deeper than that. Keep a list of what is still "
            "to be done instead, in a plain loop.",
        ),
        Misconception(
            "calls itself, leaves first",
            changed(_CALLS_ITSELF, ("order[::-1]", "order")),
            "Two things. Your list begins with the leaves, so it is the order of the way forward; turn it "
            "round. And a function that calls itself fails on deep graphs, where Python stops it at about a "
            "thousand calls within calls.",
        ),
        Misconception(
            "again whenever it is met",
            """
def backward_order(output):
    order, queue = [], [output]
    while queue:
        node = queue.pop(0)
        order.append(node)
        queue.extend(node.parents)
    return order
""",
            "You put a node on the list each time somebody hands it on, so a node that is used twice has two "
            "turns, and all it was made of has at least as many. Every node shall have one turn.",
        ),
        Misconception(
            "once for every path",
            """
def backward_order(output):
    order = [output]
    for parent in output.parents:
        order += backward_order(parent)
    return order
""",
            "Your function calls itself for every parent and never asks whether a node is on the list "
            "already. So each node comes once for every path that leads to it. With twenty nodes this can "
            "be a million times.",
        ),
        Misconception(
            "without the leaves",
            changed(
                _COUNTING,
                ("order.append(node)", "if node.parents:\n            order.append(node)"),
            ),
            "The order is right, but the leaves are missing. They have nobody to hand anything to, but they "
            "are nodes as well, and it is their gradients that one wants in the end.",
        ),
        Misconception(
            "without the output",
            changed(_COUNTING, ("return order", "return order[1:]")),
            "The order is right, but the output itself is missing. It comes first: from it the walk begins.",
        ),
        Misconception(
            "only the first parent",
            """
def backward_order(output):
    order = [output]
    while order[-1].parents:
        order.append(order[-1].parents[0])
    return order
""",
            "You go on with the first parent only, so you walk a single path. All parents of a node belong "
            "to the graph.",
        ),
        Misconception(
            "counts a double arrow once",
            changed(
                _COUNTING,
                (
                    "for parent in node.parents:\n            if",
                    "for parent in set(node.parents):\n            if",
                ),
            ),
            "You count how often nodes are used, which is a good way. But a node that is used twice in one "
            "operation, as in b · b, you count once and then take off twice. So its count comes to 0 too "
            "early. Count and take off in the same way.",
        ),
        Misconception(
            "takes a double arrow off once",
            changed(
                _COUNTING,
                (
                    "for parent in node.parents:\n            uses",
                    "for parent in set(node.parents):\n            uses",
                ),
            ),
            "You count how often nodes are used, which is a good way. But a node that is used twice in one "
            "operation, as in b · b, counts 2 with you, and only 1 is taken off. It never comes to 0, and "
            "it and all behind it are missing.",
        ),
        Misconception(
            "not again while it waits",
            """
def backward_order(output):
    order, queue = [], [output]
    while queue:
        node = queue.pop(0)
        order.append(node)
        for parent in node.parents:
            if parent not in queue:
                queue.append(parent)
    return order
""",
            "You ask only whether a node is waiting in the queue. Once it has had its turn it can be met "
            "again, and has another: this is the lesson's careless walk. A node may join the queue only when "
            "the last of those that use it has had its turn.",
        ),
        Misconception(
            "sorted by the number of uses",
            changed(
                _COUNTING,
                (_COUNTING[_COUNTING.index("    order, ready") :], "    return sorted(uses, key=uses.get)\n"),
            ),
            "You count well, but then you sort by the counts. Few uses does not mean an early turn: a leaf "
            "that is used once comes last. The counts have to fall: each turn takes one off the node's "
            "parents, and whose count has come to 0 is next.",
        ),
        Misconception(
            "counts again at every visit",
            changed(
                _COUNTING,
                (
                    "            if parent not in uses:\n"
                    "                uses[parent] = 0\n"
                    "                to_visit.append(parent)\n"
                    "            uses[parent] += 1\n",
                    "            uses[parent] = uses.get(parent, 0) + 1\n"
                    "            to_visit.append(parent)\n",
                ),
            ),
            "While you count, you visit a node again each time somebody uses it, so its own arrows are "
            "counted several times. Their counts never come to 0, and nodes are missing. Visit every node "
            "once.",
        ),
        Misconception(
            "moved to the end, its parents not",
            """
def backward_order(output):
    order, queue = [output], [output]
    while queue:
        node = queue.pop(0)
        for parent in node.parents:
            if parent in order:
                order.remove(parent)
            else:
                queue.append(parent)
            order.append(parent)
    return order
""",
            "When a node is met again you move it to the end of the list. But its own parents are in the "
            "list already and stay where they are, now in front of it. Do not put a node on the list before "
            "all who use it are there: count.",
        ),
        Misconception(
            "by number at birth",
            """
def backward_order(output):
    found, to_visit = {output}, [output]
    while to_visit:
        new = set(to_visit.pop().parents) - found
        found |= new
        to_visit += new
    return sorted(found, key=lambda node: node.birth, reverse=True)
""",
            "You sort by the number at birth, as the lesson's engine does. The nodes of this exercise have "
            "none: all there is to go by is who was made from whom.",
        ),
    ),
    hints=(
        "Do it on paper as in the lesson: next to each node the number of arrows that leave it. Who is the "
        "only one with none, at the start? What changes when it has had its turn?",
        "Two loops. The first goes to every node once and counts, in a dict, how often it stands among the "
        "parents of others. The second keeps a list of nodes that nobody waits for any more, the output to "
        "begin with: take one, note it down, take one off the count of each of its parents, and whoever "
        "comes to 0 is ready too.",
    ),
    alternatives=(
        _COUNTING,
        _INTO_THE_DEPTH,
        """
def backward_order(output):
    found, to_visit = {output}, [output]
    while to_visit:
        for parent in to_visit.pop().parents:
            if parent not in found:
                found.add(parent)
                to_visit.append(parent)
    users = {node: set() for node in found}
    for node in found:
        for parent in node.parents:
            users[parent].add(node)
    order = [output]
    for node in order:
        for parent in set(node.parents):
            users[parent].discard(node)
            if not users[parent]:
                order.append(parent)
    return order
""",
        """
def backward_order(output):
    nodes, i = [output], 0
    while i < len(nodes):
        for parent in nodes[i].parents:
            if parent not in nodes:
                nodes.append(parent)
        i += 1
    order = []
    while nodes:
        used = set()
        for node in nodes:
            used.update(node.parents)
        free = [node for node in nodes if node not in used]
        order = order + free
        nodes = [node for node in nodes if node in used]
    return order
""",
    ),
)


# ----------------------------------------------------------------------------------- 06.value_ops


class Value:
    """A number that remembers which numbers it was made of, and how strongly it depends on each."""

    births = itertools.count()

    def __init__(self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.grad = float(data), 0.0
        self.parents, self.slopes = parents, slopes
        self.birth = next(Value.births)

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n: float) -> Value:
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def tanh(self) -> Value:
        value = math.tanh(self.data)
        return Value(value, (self,), (1 - value**2,))

    def exp(self) -> Value:
        value = math.exp(self.data)
        return Value(value, (self,), (value,))

    def hand_on(self) -> None:
        for parent, slope in zip(self.parents, self.slopes, strict=True):
            parent.grad += slope * self.grad

    def backward(self) -> None:
        nodes, to_visit = {self}, [self]
        while to_visit:
            new = set(to_visit.pop().parents) - nodes
            nodes |= new
            to_visit += new
        for node in nodes:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=lambda node: node.birth, reverse=True):
            node.hand_on()


_TO_WRITE: dict[str, Callable] = {
    "__add__": lambda Value: Value(0.5) + Value(0.5),
    "__mul__": lambda Value: Value(0.5) * Value(0.5),
    "__pow__": lambda Value: Value(0.5) ** 2,
    "tanh": lambda Value: Value(0.5).tanh(),
    "exp": lambda Value: Value(0.5).exp(),
    "hand_on": lambda Value: Value(0.5).hand_on(),
}


def _not_yet_written(Value: type) -> list[str]:
    """Names of the methods that are still the stub."""
    names = []
    for name, trial in _TO_WRITE.items():
        try:
            trial(Value)
        except NotImplementedError:
            names.append(name)
        except Exception:  # written, and wrong: another case will tell
            continue
    return names


def value_gradients(Value: type, leaves: dict[str, float], steps: tuple[str, ...]) -> dict[str, float]:
    """Probe: makes the leaves, does the steps of a calculation ("b = 3 * a"), and walks back from L.

    Returns:
        The value of L and its gradient by each leaf.

    Raises:
        NotImplementedError: from the learner's class, if nothing of it has been written.
        NotAsAsked: if part of it has not been written, or a step gives something else than a Value.
    """
    try:
        return _value_gradients(Value, leaves, steps)
    except NotImplementedError:
        missing = _not_yet_written(Value)
        if len(missing) == len(_TO_WRITE):
            raise
        listed = ", ".join(f"`{name}`" for name in missing)
        raise NotAsAsked(f"A good beginning. Still to be written: {listed}.") from None


def _value_gradients(Value: type, leaves: dict[str, float], steps: tuple[str, ...]) -> dict[str, float]:
    own = {name: Value(number) for name, number in leaves.items()}
    inputs = dict(own)
    for step in steps:
        name, _, expression = step.partition(" = ")
        place = f"<the step {step}>"  # messages quote the step where an operator is missing altogether
        linecache.cache[place] = (len(step), None, [step], place)
        result = eval(compile(expression, place, "eval"), {"__builtins__": {}}, own)
        if not isinstance(result, Value):
            raise NotAsAsked(
                f"`{step}` should make a new Value that knows its parents and slopes, but it returns "
                f"{kind_words(result)}."
            )
        for word in ("parents", "slopes"):
            held = getattr(result, word, ())
            if isinstance(held, (Value, int, float)):
                raise NotAsAsked(
                    f"After `{step}` the {word} should be a tuple, but there is only {kind_words(held)}. A "
                    "tuple with one entry is written with a comma behind it; parentheses alone do nothing."
                )
        own[name] = result
    own["L"].backward()
    found = {"L": own["L"].data} | {f"gradient of {name}": leaf.grad for name, leaf in inputs.items()}
    for name, number in found.items():
        if not isinstance(number, (int, float, Tensor)) or (isinstance(number, Tensor) and number.dim()):
            raise NotAsAsked(f"The {name} should be a plain number, but it is {kind_words(number)}.")
    return {name: float(number) for name, number in found.items()}


def value_cases(generator: torch.Generator) -> list[Case]:
    """Each operator alone, so that one sees which is wrong, then numbers that are used twice."""

    def number(low: float, high: float) -> float:
        return round(low + (high - low) * float(torch.rand((), generator=generator)), 2)

    def case(group: str, leaves: dict[str, float], *steps: str, note: str = "") -> Case:
        return Case(group, (leaves, steps), note)

    def random_steps() -> tuple[str, ...]:
        """A few operations on numbers chosen by chance, kept small by a tanh here and there."""
        forms = ("{p} + {q}", "{p} * {q}.tanh()", "{p}.tanh() ** 3", "{p}.tanh().exp()", "2 * {p} + {q}")
        names, steps = ["a", "b", "c"], []
        for i in range(5):
            p, q = (names[whole_number(generator, 0, len(names) - 1)] for _ in range(2))
            names.append(f"n{i}")
            steps.append(f"n{i} = {forms[whole_number(generator, 0, len(forms) - 1)].format(p=p, q=q)}")
        return (*steps, f"L = {' + '.join(names)}")

    a, b, c = number(0.3, 0.9), number(1.2, 2.5), -number(0.3, 0.9)
    return [
        case("values", {"a": 2.0, "b": -3.0}, "L = a + b", note="a sum"),
        case("values", {"a": 2.0, "b": -3.0}, "L = a * b", note="a product"),
        case("values", {"a": 2.0}, "L = a ** 3", note="a power"),
        case("values", {"a": 0.5}, "L = a.tanh()", note="tanh"),
        case("values", {"a": 1.5}, "L = a.exp()", note="exp"),
        case("values", {"a": 2.0, "b": 3.0}, "L = a * b + a ** 2", note="the example of the statement"),
        case("values", {"a": 2.0}, "b = a * a", "c = b + a", "L = b * c", note="numbers that are used twice"),
        case("values", {"a": a}, "L = a + a", note="the same number on both sides"),
        case(
            "values",
            {"w": a, "x": b, "b": c, "y": -b},
            "z = w * x + b",
            "L = (z.tanh() + y) ** 2",
            note="a neuron and its loss",
        ),
        case("values", {"a": a, "b": b}, "u = (a * b).tanh()", "L = (u ** 2).exp() + u", note="a chain"),
        case("values", {"a": c, "b": a, "c": b}, *random_steps(), note="a random calculation"),
        case("values", {"a": a, "b": c, "c": b}, *random_steps(), note="another one"),
        case("types", {"a": a}, "L = (a + 5) * 4", note="plain numbers on the right"),
        case("types", {"a": a}, "L = 1.5 + 4 * a", note="plain numbers on the left"),
        case("edge cases", {"a": -2.0, "b": 4.0}, "L = a ** -1 + b ** 0.5", note="other exponents"),
        case("edge cases", {"a": 0.0, "b": 0.0}, "L = a ** 2 + b ** 1 + a * b", note="zeros"),
    ]


_ENGINE = """
class Value:
    births = itertools.count()

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = float(data), 0.0
        self.parents, self.slopes = parents, slopes
        self.birth = next(Value.births)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n):
        return Value(self.data ** n, (self,), (n * self.data ** (n - 1),))

    def tanh(self):
        value = math.tanh(self.data)
        return Value(value, (self,), (1 - value ** 2,))

    def exp(self):
        value = math.exp(self.data)
        return Value(value, (self,), (value,))

    def hand_on(self):
        for parent, slope in zip(self.parents, self.slopes):
            parent.grad += slope * self.grad

    def backward(self):
        nodes, to_visit = {self}, [self]
        while to_visit:
            new = set(to_visit.pop().parents) - nodes
            nodes |= new
            to_visit += new
        for node in nodes:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=lambda node: node.birth, reverse=True):
            node.hand_on()
"""

_AS_VALUE = "        other = other if isinstance(other, Value) else Value(other)\n"

VALUE_OPS = Exercise(
    id="06.value_ops",
    name="Value",
    title="The operators of an engine",
    difficulty=3,
    points=5,
    minutes=15,
    cases=value_cases,
    reference=Value,
    probe=value_gradients,
    input_names=("numbers", "steps"),
    result="a class whose objects calculate, and find gradients by backward()",
    given={"itertools": itertools},
    misconceptions=(
        Misconception(
            "overwrites instead of adding",
            changed(_ENGINE, ("parent.grad += slope * self.grad", "parent.grad = slope * self.grad")),
            "`hand_on` sets the parent's grad, so what arrived there before is lost. Where a number is used "
            "once nobody notices. Where it is used twice, only the last path counts: paths that meet are "
            "added.",
        ),
        Misconception(
            "forgets what has arrived",
            changed(_ENGINE, ("parent.grad += slope * self.grad", "parent.grad += slope")),
            "`hand_on` hands on the slope alone. The chain rule multiplies it by what has arrived at this "
            "node. (Where a step is the last one, 1 has arrived, and nothing is noticed.)",
        ),
        Misconception(
            "the parent's own factor",
            changed(_ENGINE, ("(other.data, self.data)", "(self.data, other.data)")),
            "In a product you give each parent its own number as slope. If a grows by 1, a · b grows by b: "
            "the slope is the other factor.",
        ),
        Misconception(
            "product like a sum",
            changed(_ENGINE, ("(other.data, self.data)", "(1.0, 1.0)")),
            "Your product has the slopes of a sum, 1 and 1. If a grows by 1, a · b grows by b.",
        ),
        Misconception(
            "power without its factor",
            changed(_ENGINE, ("n * self.data ** (n - 1)", "self.data ** (n - 1)")),
            "In the slope of the power the factor is missing: the exponent comes down in front. The slope "
            "of a³ is 3a², at a = 2 it is 12.",
        ),
        Misconception(
            "exponent not lowered",
            changed(_ENGINE, ("n * self.data ** (n - 1)", "n * self.data ** n")),
            "In the slope of the power the exponent must go down by 1. The slope of a³ is 3a², not 3a³.",
        ),
        Misconception(
            "tanh's slope from its input",
            changed(_ENGINE, ("1 - value ** 2", "1 - self.data ** 2")),
            "For the slope of tanh you square what went in. In 1 − t², t is what comes out, tanh of it.",
        ),
        Misconception(
            "tanh's slope without the square",
            changed(_ENGINE, ("1 - value ** 2", "1 - value")),
            "The slope of tanh is 1 − t², with the square. Without it, tanh would be steeper on the left "
            "than at 0.",
        ),
        Misconception(
            "the sigmoid's slope for tanh",
            changed(_ENGINE, ("1 - value ** 2", "value * (1 - value)")),
            "p(1 − p) is the slope of the sigmoid. That of tanh is 1 − t².",
        ),
        Misconception(
            "exp's slope from its input",
            changed(_ENGINE, ("(self,), (value,))", "(self,), (self.data,))")),
            "As slope of exp you give what went in. The exponential is its own slope: what comes out.",
        ),
        Misconception(
            "exp like a power",
            changed(_ENGINE, ("(self,), (value,))", "(self,), (self.data * math.exp(self.data - 1),))")),
            "You differentiate exp as if it were a power, with the exponent in front and 1 taken off. Here "
            "the number stands in the exponent: eᵃ is its own slope.",
        ),
        Misconception(
            "no plain numbers",
            changed(_ENGINE, (_AS_VALUE, "")),
            "Two Values together are all right. But in `a + 5` the other side is a plain number, which has "
            "no `.data`. Make a Value of it first, if it is none.",
        ),
        Misconception(
            "the number for the gradient",
            changed(_ENGINE, ("parent.grad += slope * self.grad", "parent.grad += slope * self.data")),
            "`hand_on` multiplies the slope by this node's number, its `data`. What has arrived on the way "
            "back is in its `grad`.",
        ),
        Misconception(
            "parents and slopes forgotten",
            changed(
                _ENGINE,
                (", (self, other), (1.0, 1.0))", ")"),
                (", (self, other), (other.data, self.data))", ")"),
                (", (self,), (n * self.data ** (n - 1),))", ")"),
                (", (self,), (1 - value ** 2,))", ")"),
                (", (self,), (value,))", ")"),
            ),
            "The numbers are right, but all gradients are 0. Either your new Values do not know what they "
            "were made of: give them their parents and the slopes by each. Or nothing is handed on: "
            "`hand_on` must add slope times `self.grad` to `parent.grad`.",
        ),
        Misconception(
            "hands on and calls the parents",
            changed(_ENGINE, ("slope * self.grad\n", "slope * self.grad\n            parent.hand_on()\n")),
            "Your `hand_on` calls that of the parents as well. But `backward` calls it on every node "
            "already, once and in the right order, so much is handed on twice. A node only adds to its own "
            "parents.",
        ),
        Misconception(
            "exponent minus 1 without parentheses",
            changed(_ENGINE, ("n * self.data ** (n - 1)", "n * self.data ** n - 1")),
            "`x ** n - 1` is (xⁿ) − 1: the power binds tighter than the minus. Put the lowered exponent into "
            "parentheses.",
        ),
        Misconception(
            "every power a square",
            changed(_ENGINE, ("n * self.data ** (n - 1)", "n * self.data")),
            "The slope of your power is n · a, right for squares only. The slope of a³ is 3a²: the exponent "
            "comes down in front, and one less remains.",
        ),
        Misconception(
            "the exponent as a parent",
            changed(
                _ENGINE,
                ("(self,), (n * self.data ** (n - 1),)", "(self, n), (n * self.data ** (n - 1), 0.0)"),
            ),
            "You name the exponent among the parents. It is a plain number, which has no parents and no "
            "grad; nothing can be handed to it. The only parent of a power is the number below the exponent.",
        ),
        Misconception(
            "only one parent is handed something",
            changed(
                _ENGINE,
                (
                    "        for parent, slope in zip(self.parents, self.slopes):\n"
                    "            parent.grad += slope * self.grad\n",
                    "        self.parents[0].grad += self.slopes[0] * self.grad\n",
                ),
            ),
            "`hand_on` serves the first parent only. A sum or product has two, and a leaf has none at all, "
            "so there is not even a first. Go through all of them in a loop.",
        ),
        Misconception(
            "the product for both slopes",
            changed(_ENGINE, ("(other.data, self.data)", "(self.data * other.data, self.data * other.data)")),
            "As slopes of the product you give the product itself. If a grows by 1, a · b grows by b: the "
            "slope is the other factor alone.",
        ),
        Misconception(
            "the sum's summands as slopes",
            changed(_ENGINE, ("(1.0, 1.0)", "(self.data, other.data)")),
            "As slopes of the sum you give the summands. If a grows by 0.1, a + b grows by 0.1, whatever a "
            "and b are: both slopes are 1.",
        ),
        Misconception(
            "only whole numbers",
            changed(
                _ENGINE,
                (
                    "other if isinstance(other, Value) else Value(other)",
                    "Value(other) if isinstance(other, int) else other",
                ),
            ),
            "You make a Value of whole numbers only. 0.5 is a float, not an int, and has no `.data` either. "
            "Ask whether the other side is a Value; everything else becomes one.",
        ),
        Misconception(
            "tanh of the square",
            changed(_ENGINE, ("1 - value ** 2", "1 - math.tanh(self.data ** 2)")),
            "You square what goes into tanh. In 1 − t² it is t, what comes out, that is squared.",
        ),
        Misconception(
            "exp with slope 1",
            changed(_ENGINE, ("(self,), (value,))", "(self,), (1.0,))")),
            "As slope of exp you give 1. That is right at 0 only. The exponential is its own slope: what "
            "comes out.",
        ),
    ),
    hints=(
        "For each operator ask two things: what comes out, and how much does it move if one of the inputs "
        "moves by a little? The lesson has a table of slopes. Do it for a · b with a = 2 and b = −3.",
        "Every operator computes its number and makes a new `Value` with three things: number, tuple of "
        "parents, tuple of slopes. Sum: 1 and 1. Product: the other factor. Power: exponent in front, then "
        "one lower. tanh and exp: from the number that came out. `hand_on` goes through parents and slopes "
        "side by side and adds slope times its own grad to the grad of each parent.",
    ),
    alternatives=(
        changed(_ENGINE, ("zip(self.parents, self.slopes)", "zip(self.parents, self.slopes, strict=True)")),
        changed(
            _ENGINE,
            (_AS_VALUE, "        if not isinstance(other, Value):\n            other = Value(other)\n"),
            ("self.data ** n, (self,)", "math.pow(self.data, n), [self]"),
            ("(n * self.data ** (n - 1),)", "[n * math.pow(self.data, n - 1)]"),
            ("1 - value ** 2", "1 / math.cosh(self.data) ** 2"),
        ),
        """
class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = torch.as_tensor(data, dtype=torch.float64)
        self.grad, self.parents = 0.0, parents
        self.rule = lambda: None

    def made(self, data, *pairs):
        new = Value(data, tuple(parent for parent, _ in pairs))
        def rule():
            for parent, slope in pairs:
                parent.grad = parent.grad + slope * new.grad
        new.rule = rule
        return new

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __pow__(self, n):
        return self.made(self.data ** n, (self, n * self.data ** (n - 1)))

    def tanh(self):
        t = self.data.tanh()
        return self.made(t, (self, 1 - t * t))

    def exp(self):
        e = self.data.exp()
        return self.made(e, (self, e))

    def hand_on(self):
        self.rule()

    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.hand_on()
""",
        changed(
            _ENGINE,
            (
                "        for parent, slope in zip(self.parents, self.slopes):\n"
                "            parent.grad += slope * self.grad\n",
                "        for i in range(len(self.parents)):\n"
                "            self.parents[i].grad = self.parents[i].grad + self.grad * self.slopes[i]\n",
            ),
            ("value = math.exp(self.data)", "value = math.e ** self.data"),
        ),
    ),
)


# ----------------------------------------------------------------------------- 06.linear_backward


def linear_backward(X: Tensor, W: Tensor, grad_z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by X (B, in), W (out, in) and b (out,), for z = X @ W.T + b."""
    return grad_z @ W, grad_z.T @ X, grad_z.sum(dim=0)


def linear_backward_cases(generator: torch.Generator) -> list[Case]:
    """Square sizes too: there a product in the wrong order can be computed."""

    def layer(B: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor]:
        return (
            normal(generator, B, inputs),
            normal(generator, outputs, inputs),
            normal(generator, B, outputs),
        )

    example = (
        [[1.0, 2.0], [3.0, -1.0]],
        [[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]],
        [[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]],
    )
    B, n = whole_number(generator, 5, 8), whole_number(generator, 2, 4)
    quiet = layer(3, 2, 4)
    return [
        Case("values", tuple(torch.tensor(part) for part in example), "the example of the statement"),
        Case("values", layer(3, 3, 3), "all sizes equal: a wrong product gives numbers, but others"),
        Case("values", layer(B, n, n + 5)),
        Case("values", layer(9, 5, 2)),
        Case("types", tuple(part.double() for part in layer(3, 2, 4)), "float64"),
        Case("shapes", layer(1, 4, 3), "a batch of one"),
        Case("shapes", layer(4, 3, 1), "one output"),
        Case("shapes", layer(4, 1, 3), "one input"),
        Case("edge cases", (*quiet[:2], torch.zeros(3, 4)), "nothing arrives"),
        Case("edge cases", (torch.zeros(3, 2), quiet[1], quiet[2]), "X is 0: W gets nothing, b does"),
    ]


def _linear_backward(result: str, *before: str) -> str:
    lines = "".join(f"    {line}\n" for line in before)
    return f"def linear_backward(X, W, grad_z):\n{lines}    return {result}\n"


LINEAR_BACKWARD = Exercise(
    id="06.linear_backward",
    name="linear_backward",
    title="Back through a layer",
    difficulty=2,
    points=3,
    minutes=10,
    cases=linear_backward_cases,
    reference=linear_backward,
    output_names=("grad_X", "grad_W", "grad_b"),
    result="a tuple (grad_X, grad_W, grad_b) of tensors of shapes (B, in), (out, in), (out,)",
    misconceptions=(
        Misconception(
            "bias not summed",
            _linear_backward("grad_z @ W, grad_z.T @ X, grad_z"),
            "As the bias's gradient you return grad_z itself, one row for each input. The bias is one row "
            "that was added to all inputs of the batch. Where paths meet, add: sum over the batch.",
        ),
        Misconception(
            "bias summed up to one number",
            _linear_backward("grad_z @ W, grad_z.T @ X, grad_z.sum()"),
            "You sum the bias's gradient over everything. Each unit has its own bias, so only the batch is "
            "summed over.",
        ),
        Misconception(
            "bias summed over the units",
            _linear_backward("grad_z @ W, grad_z.T @ X, grad_z.sum(dim=1)"),
            "For the bias you sum over the units and keep the batch. It is the other way round: every unit "
            "keeps its own, the batch is summed away.",
        ),
        Misconception(
            "mean for the bias",
            _linear_backward("grad_z @ W, grad_z.T @ X, grad_z.mean(dim=0)"),
            "For the bias you take the mean over the batch. Paths that meet are added. If the loss is a "
            "mean, its 1/B stands in grad_z already.",
        ),
        Misconception(
            "divides by the batch once more",
            _linear_backward("grad_z @ W, grad_z.T @ X / len(X), grad_z.sum(dim=0) / len(X)"),
            "You divide by the batch size. Paths that meet are added. If the loss is a mean, its 1/B stands "
            "in grad_z already, so you would divide twice.",
        ),
        Misconception(
            "bias with a dimension too many",
            _linear_backward("grad_z @ W, grad_z.T @ X, grad_z.sum(dim=0, keepdim=True)"),
            "The numbers are right, but your grad_b has shape (1, out). A gradient has the shape of what it "
            "belongs to, and b has shape (out,).",
        ),
        Misconception(
            "weight's gradient transposed",
            _linear_backward("grad_z @ W, X.T @ grad_z, grad_z.sum(dim=0)"),
            "Your grad_W is transposed, (in, out). A gradient has the shape of what it belongs to, and W "
            "has one row for each unit, (out, in).",
        ),
        Misconception(
            "weights transposed on the way back",
            _linear_backward("grad_z @ W.T, grad_z.T @ X, grad_z.sum(dim=0)"),
            "For grad_X you multiply by W transposed, as on the way forward. On the way back the axis that "
            "is summed over is `out`, and in W it stands first already.",
        ),
        Misconception(
            "results in another order",
            _linear_backward("grad_z.T @ X, grad_z @ W, grad_z.sum(dim=0)"),
            "The first two have changed places. Asked for is (grad_X, grad_W, grad_b), in this order.",
        ),
        Misconception(
            "gradient of the weights instead of the inputs, and the other way round",
            _linear_backward("grad_z.T @ X, grad_z.T @ X, grad_z.sum(dim=0)"),
            "Your grad_X is the gradient of W once more. How strongly the loss feels an input depends on the "
            "weights that it meets.",
        ),
        Misconception(
            "forgets what arrives",
            _linear_backward(
                "slope_X, slope_W, slope_b",
                "slope_X = W.sum(dim=0).expand_as(X).clone()",
                "slope_W = X.sum(dim=0).expand_as(W).clone()",
                "slope_b = torch.full_like(W[:, 0], len(X))",
            ),
            "These are the local slopes alone, as if 1 had arrived at every pre-activation. The chain rule "
            "multiplies them by grad_z.",
        ),
        Misconception(
            "sums grad_X over the batch",
            _linear_backward("(grad_z @ W).sum(dim=0), grad_z.T @ X, grad_z.sum(dim=0)"),
            "You sum grad_X over the batch. The weights are used by all inputs, but each input is used only "
            "by itself: it keeps its own row.",
        ),
        Misconception(
            "the bias's slope alone",
            _linear_backward("grad_z @ W, grad_z.T @ X, torch.ones_like(W[:, 0])"),
            "As the bias's gradient you return ones. 1 is the local slope. The chain rule multiplies it by "
            "what arrives, grad_z, and adds over the batch.",
        ),
        Misconception(
            "the bias counted",
            _linear_backward("grad_z @ W, grad_z.T @ X, torch.full_like(W[:, 0], len(X))"),
            "As the bias's gradient you return how often the bias is used. Each use counts with what arrives "
            "there: add up grad_z over the batch.",
        ),
        Misconception(
            "inputs last",
            _linear_backward("grad_z.T @ X, grad_z.sum(dim=0), grad_z @ W"),
            "All three may be right, but they stand in another order. Asked for is (grad_X, grad_W, grad_b).",
        ),
        Misconception(
            "W in front on the way back",
            _linear_backward("W @ grad_z.T, grad_z.T @ X, grad_z.sum(dim=0)"),
            "For grad_X you put W in front of grad_z transposed. Their shapes are (out, in) and (out, B): "
            "the two that meet in the middle, in and out, do not fit. Which order of grad_z (B, out) and W "
            "(out, in) fits, and gives (B, in)?",
        ),
        Misconception(
            "grad_z transposed for the inputs",
            _linear_backward("grad_z.T @ W, grad_z.T @ X, grad_z.sum(dim=0)"),
            "For grad_X you transpose grad_z, and its (out, B) does not fit to W, (out, in). Only for grad_W "
            "the batch is summed away and must stand in the middle. Here it is `out`.",
        ),
        Misconception(
            "entry by entry",
            _linear_backward("grad_z * W, grad_z * X, grad_z.sum(dim=0)"),
            "You multiply entry by entry. That is the chain rule for a single path; here many paths meet, "
            "and their products are added up. Products and sums together are a matrix product, `@`.",
        ),
    ),
    hints=(
        "Write down the shapes of X, W and grad_z, and those of the three results. For each result: which "
        "axis has to be summed away?",
        "grad_X: (B, out) and (out, in) fit as they are. grad_W: turn grad_z, so that the batch stands in "
        "the middle. grad_b: add up grad_z over the batch.",
    ),
    alternatives=(
        """
def linear_backward(X, W, grad_z):
    grad_X = torch.einsum('bo,oi->bi', grad_z, W)
    grad_W = torch.einsum('bo,bi->oi', grad_z, X)
    return grad_X, grad_W, torch.einsum('bo->o', grad_z)
""",
        """
def linear_backward(X, W, grad_z):
    grad_W = (grad_z[:, :, None] * X[:, None, :]).sum(dim=0)
    grad_X = (grad_z[:, :, None] * W).sum(dim=1)
    return grad_X, grad_W, grad_z.T @ torch.ones(len(X), dtype=X.dtype)
""",
        """
def linear_backward(X, W, grad_z):
    grad_W, grad_b = torch.zeros_like(W), torch.zeros_like(W[:, 0])
    rows = []
    for x, g in zip(X, grad_z):
        grad_W += torch.outer(g, x)
        grad_b += g
        rows.append(W.T @ g)
    return torch.stack(rows), grad_W, grad_b
""",
        """
def linear_backward(X, W, grad_z):
    return (W.T @ grad_z.T).T, (X.T @ grad_z).T, grad_z.sum(0)
""",
    ),
)


# ------------------------------------------------------------------------------- 06.relu_backward


def relu_backward(z: Tensor, grad_a: Tensor) -> Tensor:
    """The gradient by z, of z's shape: what arrives, where z was positive, else 0."""
    return grad_a * (z > 0)


def relu_backward_cases(generator: torch.Generator) -> list[Case]:
    def pair(*shape: int) -> tuple[Tensor, Tensor]:
        return normal(generator, *shape), normal(generator, *shape)

    n = whole_number(generator, 5, 8)
    z, grad = pair(4, n)
    z[:, 0], z[:, 1] = z[:, 0].abs() + 0.1, -z[:, 1].abs() - 0.1  # always open, always shut
    return [
        Case(
            "values",
            (torch.tensor([2.0, -1.0, 0.0, 0.5]), torch.tensor([-7.0, 4.0, 5.0, 3.0])),
            "the example of the statement",
        ),
        Case("values", (z, grad), "a batch"),
        Case("values", (10 * z, grad), "the same, with larger z"),
        Case("types", tuple(part.double() for part in pair(3, 2)), "float64"),
        Case("shapes", (torch.tensor(1.5), torch.tensor(-2.0)), "a single number, no dimensions"),
        Case("shapes", pair(1, 6), "a batch of one"),
        Case("shapes", pair(2, 3, 4), "three dimensions"),
        Case("edge cases", (torch.zeros(3), torch.tensor([1.0, -2.0, 3.0])), "z is exactly 0"),
        Case("edge cases", (torch.tensor([1e-30, -1e-30]), torch.tensor([2.0, 2.0])), "just beside 0"),
        Case("edge cases", (torch.zeros(0, 3), torch.zeros(0, 3)), "an empty batch"),
    ]


def _relu_backward(result: str) -> str:
    return f"def relu_backward(z, grad_a):\n    return {result}\n"


RELU_BACKWARD = Exercise(
    id="06.relu_backward",
    name="relu_backward",
    title="The gate",
    difficulty=1,
    points=2,
    minutes=5,
    cases=relu_backward_cases,
    reference=relu_backward,
    result="a tensor of the shape of z",
    misconceptions=(
        Misconception(
            "asks the gradient's sign",
            _relu_backward("grad_a * (grad_a > 0)"),
            "You let through what is positive in the gradient, as if ReLU were applied to it. The gate was "
            "set on the way forward: it asks whether z was positive. The gradient may have any sign.",
        ),
        Misconception(
            "asks both signs",
            _relu_backward("grad_a * (z > 0) * (grad_a > 0)"),
            "The gate is right, but on top of it you stop all negative gradients. A gradient may have any "
            "sign: negative ones say that the loss falls when z grows.",
        ),
        Misconception(
            "the slope alone",
            _relu_backward("(z > 0).to(z.dtype)"),
            "You return the local slope, 1 or 0. The chain rule multiplies it by what arrives, grad_a.",
        ),
        Misconception(
            "open at 0",
            _relu_backward("grad_a * (z >= 0)"),
            "At z = 0 exactly you let the gradient through. There ReLU has a corner and no slope; the course "
            "and torch take 0. (z is exactly 0 when weights and bias start at 0, for example.)",
        ),
        Misconception(
            "gate the wrong way round",
            _relu_backward("grad_a * (z <= 0)"),
            "Your gate is open where it should be shut. Where z was positive, ReLU passed it on and has "
            "slope 1.",
        ),
        Misconception(
            "multiplies by the activation",
            _relu_backward("grad_a * torch.relu(z)"),
            "You multiply by relu(z), the value. The slope of ReLU is 1 wherever z is positive, however "
            "large z is.",
        ),
        Misconception(
            "multiplies by z",
            _relu_backward("grad_a * z"),
            "You multiply by z. The slope of ReLU is 1 where z is positive, and 0 elsewhere.",
        ),
        Misconception(
            "everything through",
            _relu_backward("grad_a.clone()"),
            "You let everything through. Where z was negative, ReLU gave 0 whatever z was exactly, so the "
            "loss does not feel it.",
        ),
        Misconception(
            "z where it is shut",
            _relu_backward("torch.where(z > 0, grad_a, z)"),
            "Where the gate is shut you return z itself. Nothing goes through there: 0.",
        ),
        Misconception(
            "sign for slope",
            _relu_backward("grad_a * torch.sign(z)"),
            "Where z is negative you turn the gradient's sign round. That would be the slope of |z|; ReLU is "
            "flat there, with slope 0.",
        ),
        Misconception(
            "leaky",
            _relu_backward("torch.where(z > 0, grad_a, 0.01 * grad_a)"),
            "Where z is negative you let a hundredth through. That is the leaky ReLU; the plain one is flat "
            "there.",
        ),
        Misconception(
            "picks out",
            _relu_backward("grad_a[z > 0]"),
            "You pick out the gradients where the gate is open, so the result is shorter. What is stopped "
            "stays in its place, as a 0: a gradient has the shape of what it belongs to.",
        ),
        Misconception(
            "ReLU once more",
            _relu_backward("torch.relu(z)"),
            "You return relu(z), which is the forward pass once more. Asked for is what arrives, grad_a, let "
            "through or stopped.",
        ),
        Misconception(
            "ReLU of the product",
            _relu_backward("torch.relu(z * grad_a)"),
            "You multiply z and the gradient and apply ReLU to it. Take two steps: z decides whether the "
            "gate is open; then the gradient goes through unchanged, whatever its sign and the size of z.",
        ),
        Misconception(
            "the slope and what was stopped",
            _relu_backward("torch.where(z > 0, 1.0, grad_a.double()).to(z.dtype)"),
            "Where the gate is open you return the slope 1, and where it is shut the gradient. It is slope "
            "times gradient: grad_a where z is positive, 0 elsewhere.",
        ),
        Misconception(
            "divides by z",
            _relu_backward("grad_a * torch.relu(z) / z"),
            "relu(z) / z is the slope 1 or 0, except where z is exactly 0: 0/0 is NaN. A comparison, z > 0, "
            "needs no division.",
        ),
        Misconception(
            "from 0 to 1 a ramp",
            _relu_backward("grad_a * z.clamp(0, 1)"),
            "Between 0 and 1 you multiply by z itself. The slope does not grow slowly from 0 to 1: as soon "
            "as z is positive, it is 1.",
        ),
    ),
    hints=(
        "What is ReLU's slope for z = 2, and for z = −1? What does the chain rule do with it?",
        "A comparison of z with 0 gives True and False for every number. A product with True and False is "
        "one with 1 and 0.",
    ),
    alternatives=(
        _relu_backward("torch.where(z > 0, grad_a, 0.0)"),
        _relu_backward("torch.where(z > 0, grad_a, torch.zeros_like(grad_a))"),
        _relu_backward("grad_a.masked_fill(z <= 0, 0)"),
        """
def relu_backward(z, grad_a):
    grad_z = grad_a.clone()
    grad_z[z <= 0] = 0
    return grad_z
""",
        _relu_backward("grad_a * torch.relu(torch.sign(z))"),
    ),
)


# -------------------------------------------------------------- 06.softmax_cross_entropy_backward


def softmax_cross_entropy_backward(logits: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy by the logits, shape (B, classes)."""
    gradient = torch.softmax(logits, dim=1)
    gradient[torch.arange(len(y)), y] -= 1
    return gradient / len(y)


def softmax_backward_cases(generator: torch.Generator) -> list[Case]:
    """As many inputs as classes in one case: there an axis can be mistaken for the other."""

    def batch(B: int, classes: int, scale: float = 1.5) -> tuple[Tensor, Tensor]:
        return normal(generator, B, classes, scale=scale), torch.randint(classes, (B,), generator=generator)

    logits, _ = batch(4, 4)
    n, k = whole_number(generator, 6, 9), whole_number(generator, 3, 5)
    double, labels = batch(4, 5)  # a quarter is exact in float32, too
    return [
        Case(
            "values",
            (torch.tensor([[0.0, 0.0], [0.0, 1.0986]]), torch.tensor([0, 1])),
            "the example of the statement",
        ),
        Case("values", (logits, torch.tensor([1, 3, 0, 2])), "as many inputs as classes"),
        Case("values", batch(n, k)),
        Case(
            "values", (normal(generator, 3, 5), torch.tensor([4, 4, 2])), "a class twice, others not at all"
        ),
        Case("types", (double.double(), labels), "float64"),
        Case("shapes", (normal(generator, 1, k), torch.tensor([2])), "a batch of one"),
        Case("shapes", batch(whole_number(generator, 10, 12), 2), "two classes"),
        Case(
            "edge cases",
            (torch.tensor([[1000.0, 0.0, -1000.0], [-1000.0, -999.0, -1001.0]]), torch.tensor([1, 1])),
            "huge logits",
        ),
        Case("edge cases", (torch.full((2, 4), -3.0), torch.tensor([0, 3])), "all logits equal"),
    ]


_SHARES = """
def softmax_cross_entropy_backward(logits, y):
    p = torch.softmax(logits, dim=1)
    one_hot = torch.zeros_like(p)
    one_hot[torch.arange(len(y)), y] = 1
    return (p - one_hot) / len(y)
"""

SOFTMAX_BACKWARD = Exercise(
    id="06.softmax_cross_entropy_backward",
    name="softmax_cross_entropy_backward",
    title="Where the way back begins",
    difficulty=2,
    points=3,
    minutes=10,
    cases=softmax_backward_cases,
    reference=softmax_cross_entropy_backward,
    result="a tensor of the shape of logits",
    misconceptions=(
        Misconception(
            "not divided by the batch",
            changed(_SHARES, ("(p - one_hot) / len(y)", "p - one_hot")),
            "This is the gradient of the sum of the losses. The loss is their mean, so every input's share "
            "in it is divided by B.",
        ),
        Misconception(
            "divided by all numbers",
            changed(_SHARES, ("/ len(y)", "/ p.numel()")),
            "You divide by B · classes, as the mean of a table would. The loss is one number for each "
            "input, and the mean is over these: divide by B.",
        ),
        Misconception(
            "divided by the classes",
            changed(_SHARES, ("/ len(y)", "/ p.shape[1]")),
            "You divide by the number of classes. The mean is over the inputs of the batch.",
        ),
        Misconception(
            "the other way round",
            changed(_SHARES, ("p - one_hot", "one_hot - p")),
            "All signs are the wrong way round: you take what it should have given minus what it gave. That "
            "is the direction to go; the gradient is the opposite of it, the direction in which the loss "
            "grows.",
        ),
        Misconception(
            "one-hot missing",
            changed(_SHARES, ("(p - one_hot)", "p")),
            "You return the shares alone, so every logit would be pushed down. The true class must be pulled "
            "up: its share minus 1.",
        ),
        Misconception(
            "only the true class",
            changed(_SHARES, ("(p - one_hot)", "(p - one_hot) * one_hot")),
            "The true class is right, but all others are 0 with you. The loss feels them as well, through "
            "the denominator of the softmax: they are pushed down, each by its share.",
        ),
        Misconception(
            "minus 1 everywhere",
            changed(_SHARES, ("(p - one_hot)", "(p - 1)")),
            "You subtract 1 from every share. Only the true class's share gets its 1 taken off: one place in "
            "each row. (`gradient[:, y]` takes whole columns.)",
        ),
        Misconception(
            "minus the label",
            changed(_SHARES, ("(p - one_hot)", "(p - y[:, None])")),
            "You subtract the class's number from every share. A label is a name, not a size: it says in "
            "which place the 1 is subtracted.",
        ),
        Misconception(
            "softmax down the batch",
            changed(_SHARES, ("dim=1", "dim=0")),
            "Your softmax runs over the batch: the columns add up to 1. The classes of one input stand in a "
            "row, so it is each row that is shared out.",
        ),
        Misconception(
            "no softmax",
            changed(_SHARES, ("torch.softmax(logits, dim=1)", "logits.clone()")),
            "You subtract the one-hot table from the logits themselves. It is the shares, after softmax, "
            "that are compared with what should have come.",
        ),
        Misconception(
            "not stable",
            changed(
                _SHARES,
                ("torch.softmax(logits, dim=1)", "logits.exp() / logits.exp().sum(dim=1, keepdim=True)"),
            ),
            "The rule is right, but exp(1000) is infinite, and inf/inf is NaN. Subtract each row's largest "
            "logit first (lesson 02), or take the softmax that torch has.",
        ),
        Misconception(
            "the slope by the shares",
            changed(_SHARES, ("(p - one_hot)", "(-one_hot / p)")),
            "−1/p is how strongly the loss feels the shares. Asked for is the gradient by the logits, one "
            "step further back, through the softmax. There nearly everything cancels.",
        ),
        Misconception(
            "with the softmax's slope once more",
            changed(_SHARES, ("(p - one_hot)", "(p - one_hot) * p * (1 - p)")),
            "You multiply by p(1 − p) as well. That would be right for the squared error after a sigmoid. "
            "Here the softmax's slope has been taken into account already: it is what cancels.",
        ),
        Misconception(
            "whole columns",
            changed(_SHARES, ("one_hot[torch.arange(len(y)), y]", "one_hot[:, y]")),
            "`[:, y]` means all rows, and in each the columns of all true classes. Row 0 shall get its 1 at "
            "`y[0]` only, row 1 at `y[1]`: name row and column of each place, with `torch.arange(len(y))` "
            "for the rows.",
        ),
        Misconception(
            "only the 1 divided",
            changed(_SHARES, ("(p - one_hot) / len(y)", "p - one_hot / len(y)")),
            "Only the 1 is divided by B, the share is not: a division comes before a minus. Put the "
            "difference into parentheses, or divide at the end.",
        ),
        Misconception(
            "1 off before the softmax",
            """
def softmax_cross_entropy_backward(logits, y):
    z = logits.clone()
    z[torch.arange(len(y)), y] -= 1
    return torch.softmax(z, dim=1) / len(y)
""",
            "You take the 1 off the logits and then make shares of them. First the shares, then the 1 comes "
            "off the true class's share.",
        ),
        Misconception(
            "logarithms of the shares",
            changed(_SHARES, ("torch.softmax(", "torch.log_softmax(")),
            "You compare the logarithms of the shares with 0 and 1. The logarithm belongs to the loss; in "
            "its gradient it has cancelled. The shares themselves are compared.",
        ),
        Misconception(
            "a sigmoid for each class",
            changed(_SHARES, ("torch.softmax(logits, dim=1)", "torch.sigmoid(logits)")),
            "You take a sigmoid of every logit by itself, so a row need not add up to 1. With several "
            "classes it is the softmax of the row.",
        ),
        Misconception(
            "the gradient of the guess",
            changed(_SHARES, ("[torch.arange(len(y)), y]", "[torch.arange(len(y)), p.argmax(dim=1)]")),
            "You take the 1 off the class with the largest share, which is what the network guesses. What it "
            "should have given is y.",
        ),
        Misconception(
            "only the true class, as a row",
            changed(_SHARES, ("(p - one_hot) / len(y)", "(p[torch.arange(len(y)), y] - 1) / len(y)")),
            "You return one number for each input, that of the true class. All logits have a gradient: take "
            "the 1 off in its place, and keep the whole table.",
        ),
        Misconception(
            "the loss itself",
            """
def softmax_cross_entropy_backward(logits, y):
    return torch.nn.functional.cross_entropy(logits, y)
""",
            "You return the loss, a single number. Asked for is its gradient: how strongly the loss feels "
            "each of the logits.",
        ),
        Misconception(
            "mean of the rows",
            changed(_SHARES, ("(p - one_hot) / len(y)", "(p - one_hot).mean(dim=0)")),
            "You average the rows into one. Every input keeps its own row; that the loss is a mean only "
            "divides each by B.",
        ),
        Misconception(
            "the table too narrow",
            """
def softmax_cross_entropy_backward(logits, y):
    return (torch.softmax(logits, dim=1) - torch.nn.functional.one_hot(y)) / len(y)
""",
            "`one_hot(y)` makes as many columns as the largest label needs. If the last class does not occur "
            "in the batch, the table is too narrow. Hand over the number of classes, `logits.shape[1]`.",
        ),
        Misconception(
            "the labels as they are",
            changed(_SHARES, ("(p - one_hot)", "(p - y)")),
            "You subtract the labels from the shares. A label is a name, not a size: it says in which place "
            "of its row the 1 is subtracted.",
        ),
        Misconception(
            "whole rows",
            changed(_SHARES, ("one_hot[torch.arange(len(y)), y]", "one_hot[y]")),
            "`[y]` picks whole rows, as if the labels were numbers of inputs. A place has a row and a "
            "column: row i, column `y[i]`. `torch.arange(len(y))` gives the rows.",
        ),
        Misconception(
            "the largest of the whole batch",
            """
def softmax_cross_entropy_backward(logits, y):
    e = torch.exp(logits - logits.max())
    p = e / e.sum(dim=1, keepdim=True)
    one_hot = torch.nn.functional.one_hot(y, logits.shape[1])
    return (p - one_hot) / len(y)
""",
            "You subtract the largest logit of the whole batch. In a row of much smaller ones every "
            "exponential is then 0, and 0/0 is NaN. Each row has its own largest.",
        ),
    ),
    hints=(
        "Take one input with the shares (0.67, 0.24, 0.09), and let class 1 be the true one. Which of the "
        "three logits should go up? By how much is each share wrong?",
        "Softmax along each row. Take 1 off at the true class's place, one place per row. Divide by the "
        "number of inputs.",
    ),
    alternatives=(
        _SHARES,
        """
def softmax_cross_entropy_backward(logits, y):
    one_hot = torch.nn.functional.one_hot(y, logits.shape[1])
    return (logits.softmax(dim=-1) - one_hot) / logits.shape[0]
""",
        """
def softmax_cross_entropy_backward(logits, y):
    e = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    p = e / e.sum(dim=1, keepdim=True)
    return (p - (y[:, None] == torch.arange(logits.shape[1])).to(p.dtype)) / len(logits)
""",
        """
def softmax_cross_entropy_backward(logits, y):
    rows = []
    for z, k in zip(logits, y):
        p = torch.softmax(z, dim=0)
        p[k] = p[k] - 1
        rows.append(p / len(y))
    return torch.stack(rows)
""",
        """
def softmax_cross_entropy_backward(logits, y):
    z = logits.clone().requires_grad_()
    torch.nn.functional.cross_entropy(z, y).backward()
    return z.grad
""",
    ),
)


# --------------------------------------------------------------------------- 06.train_two_layer_net


def train_two_layer_net(
    X: Tensor, y: Tensor, hidden: int, steps: int, lr: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(W1, b1, W2, b2) of a ReLU network with one hidden layer after full-batch gradient descent."""
    inputs, classes = X.shape[1], int(y.max()) + 1
    W1 = torch.randn(hidden, inputs, generator=generator) * math.sqrt(2 / inputs)
    W2 = torch.randn(classes, hidden, generator=generator) * math.sqrt(2 / hidden)
    b1, b2 = torch.zeros(hidden), torch.zeros(classes)
    for _ in range(steps):
        z1 = X @ W1.T + b1
        a1 = torch.relu(z1)
        grad_z2 = softmax_cross_entropy_backward(a1 @ W2.T + b2, y)
        grad_a1, grad_W2, grad_b2 = linear_backward(a1, W2, grad_z2)
        _, grad_W1, grad_b1 = linear_backward(X, W1, relu_backward(z1, grad_a1))
        W1, b1 = W1 - lr * grad_W1, b1 - lr * grad_b1
        W2, b2 = W2 - lr * grad_W2, b2 - lr * grad_b2
    return W1, b1, W2, b2


_GOAL = 0.95
_MANY_STEPS = 50  # from here on the result counts; below, each single step is looked at
_AUTOGRAD = {"backward", "grad", "requires_grad_"}


@contextlib.contextmanager
def _no_autograd() -> Iterator[None]:
    """Inside, whoever asks torch for a gradient is stopped."""
    from torch.overrides import TorchFunctionMode

    class Watch(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if getattr(func, "__name__", "") in _AUTOGRAD or kwargs.get("requires_grad"):
                raise Stopped(
                    "Here torch's autograd is asked for a gradient. Every gradient is yours to write"
                )
            return func(*args, **kwargs)

    with Watch():
        yield


def trained_network(
    work: Callable, X: Tensor, y: Tensor, hidden: int, steps: int, lr: float, seed: int
) -> dict[str, str]:
    """Probe: with many steps, how many points are right; with few, whether the last step is the right one.

    Start values are the learner's own, so numbers cannot be compared with the reference's. Instead the
    parameters before the last step are compared with those after it, and with the gradient in between.

    Raises:
        NotAsAsked: if what comes back is not four tensors of the right shapes.
        Stopped: if autograd is used.
    """
    shapes = _parameter_shapes(X, y, hidden)

    def run(steps: int, seed: int = seed, lr: float = lr) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        with contextlib.nullcontext() if steps >= _MANY_STEPS else _no_autograd():  # watching takes time
            returned = work(X, y, hidden, steps, lr, generator)
        return _parameters(returned, shapes, steps)

    def last_step(steps: int) -> dict[str, str]:
        before, after = run(steps - 1), run(steps)
        gradients, shut = _true_gradients(X, y, before)
        return {
            name: _move_words(
                after[name] - before[name], -lr * gradients[name], before[name], shut.get(name), len(y)
            )
            for name in shapes
        }

    if steps < _MANY_STEPS:
        found = {"start values": _start_words(run(0), run(0), run(0, seed + 1), run(0, lr=2 * lr))}
        return found | {f"{name} in step {steps}": words for name, words in last_step(steps).items()}
    # what wrong steps lead to depends on the start values, and would only make known mistakes unknown
    if set(last_step(2).values()) != {_GOOD_STEP}:
        return {"points that are right": "not counted yet, since single steps are not as they should be"}
    right = float((_logits(X.double(), **run(steps)).argmax(dim=1) == y).double().mean())
    return {"points that are right": f"{_GOAL:.0%} or more" if right >= _GOAL else f"less than {_GOAL:.0%}"}


def _parameter_shapes(X: Tensor, y: Tensor, hidden: int) -> dict[str, tuple[int, ...]]:
    classes = int(y.max()) + 1
    return {"W1": (hidden, X.shape[1]), "b1": (hidden,), "W2": (classes, hidden), "b2": (classes,)}


def _parameters(returned: Any, shapes: dict[str, tuple[int, ...]], steps: int) -> dict[str, Tensor]:
    if not isinstance(returned, (tuple, list)) or len(returned) != 4:
        count = f"{len(returned)} parts" if isinstance(returned, (tuple, list)) else kind_words(returned)
        raise NotAsAsked(
            "Your function should return (W1, b1, W2, b2), four tensors, but with `steps` = "
            f"{steps} it returns {count}."
        )
    found = {}
    for (name, shape), part in zip(shapes.items(), returned, strict=True):
        if not isinstance(part, Tensor):
            raise NotAsAsked(
                f"Your {name} should be a tensor of shape {shape}, but it is {kind_words(part)}."
            )
        if tuple(part.shape) != shape:
            raise NotAsAsked(f"Your {name} should have shape {shape}, but it has shape {tuple(part.shape)}.")
        found[name] = part.detach().double().clone()  # the work may go on changing it in place
    return found


def _logits(X: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
    return torch.relu(X @ W1.T + b1) @ W2.T + b2


_GOOD_START = "random, from the generator"
_GOOD_STEP = "−lr × gradient"


def _start_words(
    start: dict[str, Tensor], again: dict[str, Tensor], other: dict[str, Tensor], further: dict[str, Tensor]
) -> str:
    """What with no step at all comes back: made twice, from another seed, and with another learning rate."""
    rows = start["W1"]
    if len(rows) > 1 and bool((rows == rows[0]).all()):
        return "all hidden units have the same weights"
    if not torch.equal(rows, again["W1"]) or torch.equal(rows, other["W1"]):
        return "random, but not from the generator"
    if not all(torch.equal(start[name], further[name]) for name in start):
        return "already moved by a step"
    return _GOOD_START


def _true_gradients(
    X: Tensor, y: Tensor, network: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The gradients, and for W1, b1 and W2 where they must be 0: at units that are shut for all points."""
    with torch.enable_grad():
        leaves = {name: p.clone().requires_grad_() for name, p in network.items()}
        loss = torch.nn.functional.cross_entropy(_logits(X.double(), **leaves), y)
        gradients = dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))
    shut = (X.double() @ network["W1"].T + network["b1"] <= 0).all(dim=0)
    places = {"W1": shut[:, None], "b1": shut, "W2": shut}
    return gradients, {name: at.expand_as(gradients[name]) for name, at in places.items() if bool(shut.any())}


def _move_words(moved: Tensor, wanted: Tensor, start: Tensor, shut: Tensor | None, B: int) -> str:
    """How a parameter's step compares with the one it should have made; rounding of float32 is forgiven."""
    if not bool(moved.isfinite().all()):
        return "to NaN or inf"
    rounding = 1e-6 * float(start.norm()) + 1e-7  # the latter for biases, which start at 0
    if float((moved - wanted).norm()) <= 2e-3 * float(wanted.norm()) + rounding:
        return _GOOD_STEP
    if float(moved.norm()) <= rounding:
        return "stays where it is"
    if shut is not None and float(moved[shut].norm()) > rounding:
        return "moves also where ReLU lets nothing through"
    ratio = float((moved * wanted).sum() / wanted.square().sum()) if bool(wanted.any()) else 0.0
    if float((moved - ratio * wanted).norm()) > 2e-3 * float(moved.norm()) + rounding:
        return "in another direction than the gradient says"
    if abs(ratio + 1) < 0.01:
        return "+lr × gradient"
    if abs(ratio - B) < 0.01 * B:
        return "B times too far, where B is the number of points"
    return f"{ratio:.2g} times as far as it should"


def training_cases(generator: torch.Generator) -> list[Case]:
    """Single steps of several kinds, then two point sets that no straight line can part.

    The points of the single steps come in pairs x and −x: so no unit is shut for all of them. With a single
    point about half of the units are.
    """

    def seed() -> int:
        return whole_number(generator, 0, 100_000)

    def classes(B: int) -> Tensor:
        y = torch.randint(3, (B,), generator=generator)
        y[0] = 2
        return y

    def points(B: int, inputs: int) -> Tensor:
        half = normal(generator, B // 2, inputs)
        return torch.cat([half, -half])[torch.randperm(B, generator=generator)]

    def rings(n: int) -> tuple[Tensor, Tensor]:
        y = torch.randperm(n, generator=generator) % 2
        angle = 2 * math.pi * torch.rand(n, generator=generator)
        circle = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
        return (2.0 - y[:, None]) * circle + normal(generator, n, 2, scale=0.1), y

    def crossed(n: int) -> tuple[Tensor, Tensor]:
        corner = torch.randperm(n, generator=generator) % 4
        x1, x2 = corner // 2, corner % 2
        centres = 2.0 * torch.stack([x1, x2], dim=1) - 1
        return centres + normal(generator, n, 2, scale=0.25), (x1 != x2).long()

    one = normal(generator, 1, 3) + torch.tensor([[1.0, -1.0, 1.0]])
    return [
        Case("values", (points(8, 2), classes(8), 12, 1, 0.5, seed()), "the first step"),
        Case("values", (points(20, 4), classes(20), 9, 3, 0.3, seed()), "the third step"),
        Case("shapes", (one, torch.tensor([2]), 14, 1, 0.5, seed()), "a single point"),
        Case("values", (*rings(60), 16, 100, 1.0, seed()), "two rings"),
        Case("values", (*crossed(60), 16, 100, 1.0, seed()), "XOR: opposite corners"),
    ]


_TRAINING = """
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    B, n, k = len(X), X.shape[1], int(y.max()) + 1
    W1 = torch.randn(hidden, n, generator=generator) * (2 / n) ** 0.5
    b1 = torch.zeros(hidden)
    W2 = torch.randn(k, hidden, generator=generator) * (2 / hidden) ** 0.5
    b2 = torch.zeros(k)
    one_hot = torch.nn.functional.one_hot(y, k).float()
    for step in range(steps):
        z1 = X @ W1.T + b1
        a1 = torch.relu(z1)
        z2 = a1 @ W2.T + b2
        grad_z2 = (torch.softmax(z2, dim=1) - one_hot) / B
        grad_a1 = grad_z2 @ W2
        grad_z1 = grad_a1 * (z1 > 0)
        W1 = W1 - lr * grad_z1.T @ X
        b1 = b1 - lr * grad_z1.sum(dim=0)
        W2 = W2 - lr * grad_z2.T @ a1
        b2 = b2 - lr * grad_z2.sum(dim=0)
    return W1, b1, W2, b2
"""

_UPDATE = """        W1 = W1 - lr * grad_z1.T @ X
        b1 = b1 - lr * grad_z1.sum(dim=0)
        W2 = W2 - lr * grad_z2.T @ a1
        b2 = b2 - lr * grad_z2.sum(dim=0)
"""

TRAIN = Exercise(
    id="06.train_two_layer_net",
    name="train_two_layer_net",
    title="Training, all by hand",
    difficulty=3,
    points=5,
    minutes=15,
    cases=training_cases,
    reference=train_two_layer_net,
    probe=trained_network,
    input_names=("X", "y", "hidden", "steps", "lr", "the generator's seed"),
    result="a tuple (W1, b1, W2, b2) of tensors of shapes (hidden, in), (hidden,), (classes, hidden), "
    "(classes,)",
    time_limit=6.0,
    misconceptions=(
        Misconception(
            "biases not updated",
            changed(
                _TRAINING,
                ("        b1 = b1 - lr * grad_z1.sum(dim=0)\n", ""),
                ("        b2 = b2 - lr * grad_z2.sum(dim=0)\n", ""),
            ),
            "The weights learn, but the biases stay at 0, so every unit's corner goes through the origin for "
            "ever. They are parameters like the others: slope 1, summed over the batch.",
        ),
        Misconception(
            "uphill",
            changed(_TRAINING, ("- lr *", "+ lr *")),
            "You add the gradient. It points to where the loss grows; the update goes against it.",
        ),
        Misconception(
            "no ReLU on the way back",
            changed(_TRAINING, ("grad_a1 * (z1 > 0)", "grad_a1")),
            "The output layer is right, but from a1 back to z1 the gradient does not go through the right "
            "gate, or through none. Where z1 was positive ReLU lets it through unchanged, elsewhere "
            "nothing: that is `relu_backward`, and it asks z1, not the gradient.",
        ),
        Misconception(
            "start values all zero",
            changed(
                _TRAINING,
                ("torch.randn(hidden, n, generator=generator) * (2 / n) ** 0.5", "torch.zeros(hidden, n)"),
                (
                    "torch.randn(k, hidden, generator=generator) * (2 / hidden) ** 0.5",
                    "torch.zeros(k, hidden)",
                ),
            ),
            "Your weights all start alike. Then every hidden unit computes the same and gets the same "
            "gradient (at 0 even none), so they stay alike for ever. Chance has to tell them apart.",
        ),
        Misconception(
            "the output layer updated too early",
            changed(
                _TRAINING,
                (_UPDATE, "".join(_UPDATE.splitlines(keepends=True)[:2])),
                (
                    "        grad_a1 = grad_z2 @ W2\n",
                    "".join(_UPDATE.splitlines(keepends=True)[2:]) + "        grad_a1 = grad_z2 @ W2\n",
                ),
            ),
            "The output layer is right, the hidden one is not. Do you update W2 first, and then send the "
            "gradient back through the new W2? It belongs to the forward pass, and there the old one was "
            "used: compute all four gradients, then update. If that is not it, look at the gate: it "
            "multiplies by 1 or 0, nothing else.",
        ),
        Misconception(
            "not divided by the batch",
            changed(_TRAINING, (" - one_hot) / B", " - one_hot)")),
            "All your steps are B times too long: this is the gradient of the sum of the losses. The loss is "
            "their mean.",
        ),
        Misconception(
            "only the output layer learns",
            changed(_TRAINING, (_UPDATE, "".join(_UPDATE.splitlines(keepends=True)[2:]))),
            "The output layer is right, but W1 and b1 never move. The gradient has to go on: through W2, "
            "through the ReLU, to the hidden layer.",
        ),
        Misconception(
            "no ReLU at all",
            changed(_TRAINING, ("torch.relu(z1)", "z1"), ("grad_a1 * (z1 > 0)", "grad_a1")),
            "There is no ReLU in your network, neither forwards nor backwards. So both layers together are a "
            "linear one, and no line parts two rings.",
        ),
        Misconception(
            "one-hot missing",
            changed(_TRAINING, ("(torch.softmax(z2, dim=1) - one_hot)", "torch.softmax(z2, dim=1)")),
            "Already the gradient by the logits is wrong. It is what the network gave, minus what it should "
            "have given: the shares, and 1 comes off at the true class. Are the labels used? And do the "
            "logits go into the softmax as they are, without a ReLU?",
        ),
        Misconception(
            "forward pass only once",
            """
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    B, n, k = len(X), X.shape[1], int(y.max()) + 1
    W1 = torch.randn(hidden, n, generator=generator) * (2 / n) ** 0.5
    W2 = torch.randn(k, hidden, generator=generator) * (2 / hidden) ** 0.5
    b1, b2 = torch.zeros(hidden), torch.zeros(k)
    z1 = X @ W1.T + b1
    a1 = torch.relu(z1)
    grad_z2 = torch.softmax(a1 @ W2.T + b2, dim=1)
    grad_z2[torch.arange(B), y] -= 1
    grad_z2 /= B
    grad_z1 = (grad_z2 @ W2) * (z1 > 0)
    for step in range(steps):
        W1 = W1 - lr * grad_z1.T @ X
        b1 = b1 - lr * grad_z1.sum(dim=0)
        W2 = W2 - lr * grad_z2.T @ a1
        b2 = b2 - lr * grad_z2.sum(dim=0)
    return W1, b1, W2, b2
""",
            "The first step is right, but all later ones go on with its gradient. It is true only at the "
            "place where it was computed: forward and backward belong into the loop.",
        ),
        Misconception(
            "the generator not used",
            changed(_TRAINING, (", generator=generator", "")),
            "The training is right, but the start values do not come from the generator that is handed in. "
            "Whoever calls you with the same generator wants the same network again.",
        ),
        Misconception(
            "lets torch find the gradient",
            """
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    n, k = X.shape[1], int(y.max()) + 1
    W1 = torch.randn(hidden, n, generator=generator) * (2 / n) ** 0.5
    W2 = torch.randn(k, hidden, generator=generator) * (2 / hidden) ** 0.5
    params = [W1, torch.zeros(hidden), W2, torch.zeros(k)]
    for p in params:
        p.requires_grad_()
    for step in range(steps):
        W1, b1, W2, b2 = params
        loss = torch.nn.functional.cross_entropy(torch.relu(X @ W1.T + b1) @ W2.T + b2, y)
        for p in params:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in params:
                p -= lr * p.grad
    return tuple(p.detach() for p in params)
""",
            "It works, but torch does the part that is to be learned here. Take autograd away and write the "
            "four gradients yourself.",
        ),
        Misconception(
            "mean for the bias",
            changed(_TRAINING, (".sum(dim=0)", ".mean(dim=0)")),
            "The weights are right, but your biases move B times too little: you take the mean over the "
            "batch. The 1/B of the loss stands in the gradient already; where paths meet, add.",
        ),
        Misconception(
            "what came in before the ReLU",
            changed(_TRAINING, ("grad_z2.T @ a1", "grad_z2.T @ z1")),
            "For the gradient of W2 you take z1. The output layer never saw that: what went into it is a1, "
            "after the ReLU.",
        ),
        Misconception(
            "the hidden biases forgotten",
            changed(_TRAINING, ("        b1 = b1 - lr * grad_z1.sum(dim=0)\n", "")),
            "All is right but b1, which never moves. It is a parameter like the others: slope 1, summed over "
            "the batch.",
        ),
        Misconception(
            "the last biases forgotten",
            changed(_TRAINING, ("        b2 = b2 - lr * grad_z2.sum(dim=0)\n", "")),
            "All is right but b2, which never moves. It is a parameter like the others: slope 1, summed over "
            "the batch.",
        ),
        Misconception(
            "past the gate to W1 alone",
            changed(_TRAINING, ("grad_z1.T @ X", "grad_a1.T @ X")),
            "b1 is right, but for W1 you take the gradient by a1, before it has gone through the ReLU.",
        ),
        Misconception(
            "the learning rate forgotten",
            changed(_TRAINING, ("- lr * ", "- ")),
            "The direction of your steps is right, but their length is not: lr is missing.",
        ),
        Misconception(
            "divided by the batch twice",
            changed(_TRAINING, ("- lr * ", "- lr / B * ")),
            "Your steps are B times too short: you divide by the number of points once more. The 1/B of the "
            "mean belongs to the gradient by the logits, and everything behind it has it already.",
        ),
        Misconception(
            "ReLU only on the way back",
            changed(_TRAINING, ("torch.relu(z1)", "z1")),
            "Your forward pass has no ReLU, though your way back has its gate. Between the two layers stands "
            "a1 = relu(z1).",
        ),
        Misconception(
            "a step too many",
            changed(_TRAINING, ("range(steps)", "range(steps + 1)")),
            "You make one step too many: with `steps` = 0 the start values should come back as they are. "
            "`range(steps)` runs `steps` times.",
        ),
        Misconception(
            "a seed of one's own",
            changed(_TRAINING, ("    B, n", "    generator = torch.Generator().manual_seed(0)\n    B, n")),
            "The training is right, but you set a seed of your own, so whatever generator is handed in, the "
            "start values are the same. Draw them from the `generator` that is handed in.",
        ),
        Misconception(
            "past the gate to b1 alone",
            changed(_TRAINING, ("b1 - lr * grad_z1", "b1 - lr * grad_a1")),
            "W1 is right, but for b1 you take the gradient by a1, before it has gone through the ReLU.",
        ),
    ),
    hints=(
        "First only the forward pass: z1, a1, logits. Then backwards, one piece after the other: softmax "
        "with cross-entropy, linear, ReLU, linear. You have written all three pieces.",
        "Make start values. In the loop: z1, a1 and the logits; the gradient by the logits; from it those "
        "of W2, b2 and a1; through the gate to z1; from it those of W1 and b1. Only when you have all four, "
        "take lr times each away. Print the loss now and then: it must fall.",
    ),
    alternatives=(
        _TRAINING,
        """
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    n, k = X.shape[1], int(y.max()) + 1
    layers = [0.5 * torch.randn(hidden, n, generator=generator), torch.zeros(hidden),
              0.5 * torch.randn(k, hidden, generator=generator), torch.zeros(k)]
    for step in range(steps):
        W1, b1, W2, b2 = layers
        a = (X @ W1.T + b1).clamp(min=0)
        G = torch.softmax(a @ W2.T + b2, dim=-1)
        G = (G - (y[:, None] == torch.arange(k)).float()) / len(y)
        H = torch.where(a > 0, G @ W2, 0.0)
        gradients = [torch.einsum('bh,bi->hi', H, X), H.sum(0), torch.einsum('bk,bh->kh', G, a), G.sum(0)]
        layers = [p - lr * g for p, g in zip(layers, gradients)]
    return tuple(layers)
""",
        """
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    n, k = X.shape[1], int(y.max()) + 1
    W2 = torch.rand(k, hidden, generator=generator) - 0.5
    W1 = 2 * torch.rand(hidden, n, generator=generator) - 1
    b1, b2 = 0.01 * torch.randn(hidden, generator=generator), torch.zeros(k)
    rows = torch.arange(len(y))
    with torch.no_grad():
        for step in range(steps):
            z1 = torch.nn.functional.linear(X, W1, b1)
            a1 = torch.relu(z1)
            G = torch.softmax(torch.nn.functional.linear(a1, W2, b2), dim=1)
            G[rows, y] -= 1
            G /= len(y)
            H = G @ W2
            H[z1 <= 0] = 0
            W2 -= lr * G.T @ a1
            b2 -= lr * G.sum(dim=0)
            W1 -= lr * H.T @ X
            b1 -= lr * H.sum(dim=0)
    return [W1, b1, W2, b2]
""",
    ),
)


# --------------------------------------------------------------------------- 06.numerical_gradient


def numerical_gradient(f: Callable[[Tensor], Tensor | float], x: Tensor, h: float = 1e-5) -> Tensor:
    """The gradient of f at x by central differences, one entry at a time; of x's shape."""
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    for i in range(x.numel()):
        shift = torch.zeros(x.shape, dtype=x.dtype)
        shift.view(-1)[i] = h
        gradient.view(-1)[i] = (f(x + shift) - f(x - shift)) / (2 * h)
    return gradient


def difference(work: Callable, f: str, x: Tensor, h: float | None) -> Any:
    """Probe: makes the function from its text and asks for its gradient; h None leaves h out of the call."""
    code = compile(f, "<f>", "eval")

    def function(x: Tensor) -> Tensor | float:
        return eval(code, {"torch": torch, "x": x})

    return work(function, x) if h is None else work(function, x, h)


def numerical_gradient_cases(generator: torch.Generator) -> list[Case]:
    """Large steps among them: there a one-sided difference and the true slope are far from the central one.

    Most functions mix their entries, so that an entry which is not put back shows in the next one.
    """

    def x(*shape: int) -> Tensor:
        return normal(generator, *shape).double()

    n = whole_number(generator, 4, 6)
    return [
        Case(
            "values",
            ("(x**3).sum()", torch.tensor([1.0, 2.0], dtype=torch.float64), 0.1),
            "the example of the statement",
        ),
        Case("values", ("torch.tanh(x).sum() + (x[0] + x[-1]) ** 3", x(n), 0.2), "a large step"),
        Case("values", ("(x**2).sum() * x.exp().mean()", x(n), None), "h left out"),
        Case("values", ("x.sum().sin() + x[1] ** 3", x(3), 1e-3), "another step"),
        Case("shapes", ("(x @ x.T).exp().mean() + (x**3).sum()", 0.5 * x(2, 3), 0.1), "a matrix"),
        Case("shapes", ("(x * x.exp()).sum() ** 2", 0.5 * x(2, 1, 3), 0.1), "three dimensions"),
        Case("shapes", ("x**3 + x.exp()", x().abs() + 0.5, 0.1), "a single number, no dimensions"),
        Case("shapes", ("x[0].exp() * 2", x(1), 0.1), "one entry"),
        Case("types", ("float((x**2).sum() * x[0])", x(3), 0.1), "f gives a plain number"),
        Case(
            "edge cases",
            ("torch.relu(x).sum()", torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64), None),
            "a corner: between its two sides",
        ),
        Case("edge cases", ("x[0] * 0 + 5", x(4), None), "f does not feel x"),
    ]


_NUDGE = """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        gradient.view(-1)[i] = (f(up) - f(down)) / (2 * h)
    return gradient
"""

NUMERICAL_GRADIENT = Exercise(
    id="06.numerical_gradient",
    name="numerical_gradient",
    title="The slow and sure way",
    difficulty=2,
    points=3,
    minutes=10,
    cases=numerical_gradient_cases,
    reference=numerical_gradient,
    probe=difference,
    input_names=("f of x", "x", "h"),
    result="a tensor of the shape of x, float64",
    rtol=1e-6,
    atol=1e-8,
    misconceptions=(
        Misconception(
            "one-sided",
            changed(_NUDGE, ("(f(up) - f(down)) / (2 * h)", "(f(up) - f(x)) / h")),
            "You nudge upwards only. A central difference takes one point on each side of x: the bending of "
            "the curve then cancels, and the error is far smaller.",
        ),
        Misconception(
            "divides by h",
            changed(_NUDGE, ("/ (2 * h)", "/ h")),
            "Your slopes are twice too large: between x − h and x + h lies a way of 2h.",
        ),
        Misconception(
            "times h for divided by h",
            changed(_NUDGE, ("/ (2 * h)", "/ 2 * h")),
            "`/ 2 * h` divides by 2 and then multiplies by h: Python works from the left to the right. What "
            "you divide by belongs into parentheses.",
        ),
        Misconception(
            "input not put back",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        x.view(-1)[i] += h
        up = f(x)
        x.view(-1)[i] -= 2 * h
        gradient.view(-1)[i] = (up - f(x)) / (2 * h)
    return gradient
""",
            "You nudge x itself and do not put it back. So all later slopes are taken at another place, and "
            "whoever called you has another x afterwards.",
        ),
        Misconception(
            "two names for one tensor",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        up, down = x, x
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        gradient.view(-1)[i] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
            "All your slopes are 0. `up = x` makes no copy: it is a second name for the same tensor, so "
            "what you add to the one and take off the other cancels. A tensor must be copied, or a new one "
            "made.",
        ),
        Misconception(
            "all entries at once",
            """
def numerical_gradient(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)
""",
            "You nudge all entries together and get one number: the sum of all slopes. A gradient has a "
            "slope for each entry. Nudge one, leave the others alone, then the next.",
        ),
        Misconception(
            "all at once, written everywhere",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        gradient.view(-1)[i] = (f(x + h) - f(x - h)) / (2 * h)
    return gradient
""",
            "You go through the entries, but `x + h` nudges all of them every time. So each place gets the "
            "same number. Only one entry may be nudged at a time.",
        ),
        Misconception(
            "a whole row at once",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    if x.dim() == 0:
        return (f(x + h) - f(x - h)) / (2 * h)
    for i in range(len(x)):
        shift = torch.zeros_like(x)
        shift[i] = h
        gradient[i] = (f(x + shift) - f(x - shift)) / (2 * h)
    return gradient
""",
            "For a row of numbers this is right. But in a matrix `shift[i]` is a whole row, and all its "
            "entries are nudged together. Go through the single entries, whatever the shape.",
        ),
        Misconception(
            "only the first entry",
            changed(_NUDGE, ("range(x.numel())", "range(1)")),
            "Only the first entry has a slope; the others are 0. Every entry is nudged once. (Does a "
            "`return` stand inside your loop?)",
        ),
        Misconception(
            "result as one long row",
            changed(_NUDGE, ("torch.zeros_like(x)", "torch.zeros(x.numel(), dtype=x.dtype)")),
            "The numbers are right, but they stand in one long row. A gradient has the shape of what it "
            "belongs to, here that of x.",
        ),
        Misconception(
            "the wrong way round",
            changed(_NUDGE, ("f(up) - f(down)", "f(down) - f(up)")),
            "All signs are wrong: you take the value below minus the value above. If f grows, the slope is "
            "positive.",
        ),
        Misconception(
            "a step of its own",
            changed(_NUDGE, ("    gradient =", "    h = 1e-5\n    gradient =")),
            "You use a step of your own, whatever `h` is given. Who calls the function chooses h.",
        ),
        Misconception(
            "in float32",
            changed(_NUDGE, ("    gradient =", "    x = x.float()\n    gradient =")),
            "You calculate in float32. It holds about 7 digits, and the two values of f agree in nearly all "
            "of them, so the difference is mostly rounding. Stay in x's own type, float64.",
        ),
        Misconception(
            "autograd's slope",
            """
def numerical_gradient(f, x, h=1e-5):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        value = f(x)
        if isinstance(value, float) or not value.requires_grad:
            return torch.zeros_like(x)
        return torch.autograd.grad(value, x)[0]
""",
            "This is the gradient that torch finds, without any step. The finite difference is there to "
            "check such gradients, so it must not use them; and with a step as large as 0.1 one sees its "
            "error.",
        ),
        Misconception(
            "nudges pile up",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    up, down = x.clone(), x.clone()
    for i in range(x.numel()):
        up.view(-1)[i] += h
        down.view(-1)[i] -= h
        gradient.view(-1)[i] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
            "You copy x once, before the loop, so the nudges pile up: at the second entry the first is still "
            "nudged. Every entry needs fresh copies, or the old number put back.",
        ),
        Misconception(
            "a long row for f",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros(x.numel(), dtype=x.dtype)
    for i in range(x.numel()):
        up, down = x.reshape(-1).clone(), x.reshape(-1).clone()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient.reshape(x.shape)
""",
            "You hand f one long row. Where f treats all entries alike nobody notices; but f expects a "
            "tensor of the shape of x. Give the nudged row its shape again first.",
        ),
        Misconception(
            "nudged down only",
            changed(_NUDGE, ("(f(up) - f(down)) / (2 * h)", "(f(x) - f(down)) / h")),
            "You nudge downwards only. A central difference takes one point on each side of x.",
        ),
        Misconception(
            "h for the entry",
            changed(_NUDGE, ("[i] += h", "[i] = h"), ("[i] -= h", "[i] = -h")),
            "You put h in the place of the entry. The entry keeps its value and is nudged by h: plus h, "
            "minus h.",
        ),
        Misconception(
            "nudged by a share",
            changed(_NUDGE, ("[i] += h", "[i] *= 1 + h"), ("[i] -= h", "[i] *= 1 - h")),
            "You nudge each entry by a share of itself, so the way is 2h only where the entry is 1. (And 0 "
            "is not nudged at all.) Add h and take h off.",
        ),
        Misconception(
            "the old number looks on",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        old = x.view(-1)[i]
        x.view(-1)[i] = old + h
        up = f(x)
        x.view(-1)[i] = old - h
        down = f(x)
        x.view(-1)[i] = old
        gradient.view(-1)[i] = (up - down) / (2 * h)
    return gradient
""",
            "`old = x.view(-1)[i]` is no copy: it looks at the same place of x and changes with it. So the "
            "second nudge starts from the first, and nothing is put back. `.item()` gives the number itself.",
        ),
        Misconception(
            "the sum of all slopes",
            """
def numerical_gradient(f, x, h=1e-5):
    total = torch.tensor(0.0, dtype=x.dtype)
    for i in range(x.numel()):
        shift = torch.zeros(x.shape, dtype=x.dtype)
        shift.view(-1)[i] = h
        total += (f(x + shift) - f(x - shift)) / (2 * h)
    return total
""",
            "Each slope is right, but you add them all up. A gradient keeps a slope for each entry, in the "
            "place where the entry stands.",
        ),
        Misconception(
            "asks f for .item()",
            changed(_NUDGE, ("f(up) - f(down)", "f(up).item() - f(down).item()")),
            "f may give a tensor or a plain number, and a plain number has no `.item()`. The difference can "
            "be taken of both as they are; `float(…)` would make a plain number of either.",
        ),
        Misconception(
            "two loops for a matrix",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            up, down = x.clone(), x.clone()
            up[i, j] += h
            down[i, j] -= h
            gradient[i, j] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
            "Two loops, over rows and columns, fit a matrix only. x may have any shape: go through the one "
            "long row of all its entries, `x.view(-1)`.",
        ),
        Misconception(
            "rows for entries",
            """
def numerical_gradient(f, x, h=1e-5):
    gradient = torch.zeros_like(x)
    for i in range(len(x)):
        up, down = x.clone(), x.clone()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
            "`x[i]` is one entry only if x is a row of numbers. In a matrix it is a whole row, and a tensor "
            "without dimensions has no `x[0]` at all. Go through the entries of `x.view(-1)`.",
        ),
    ),
    hints=(
        "First for an x with a single number: two values of f, a little above and a little below. How long "
        "is the way between the two places? Then think of an x with three numbers.",
        "Go through the places of the long row, 0 to the number of entries. For each make a new tensor that "
        "is 0 but for h at this place; x plus it and x minus it are the two points. The difference of f, "
        "divided by the way between them, goes to the same place of the result.",
    ),
    alternatives=(
        _NUDGE,
        """
def numerical_gradient(f, x, h=1e-5):
    slopes = []
    for direction in torch.eye(x.numel(), dtype=x.dtype):
        shift = h * direction.reshape(x.shape)
        slopes.append(float(f(x + shift) - f(x - shift)) / (2 * h))
    return torch.tensor(slopes, dtype=x.dtype).reshape(x.shape)
""",
        """
def numerical_gradient(f, x, h=1e-5):
    gradient, flat = torch.zeros_like(x), x.view(-1)
    for i in range(x.numel()):
        old = flat[i].item()
        flat[i] = old + h
        up = f(x)
        flat[i] = old - h
        down = f(x)
        flat[i] = old
        gradient.view(-1)[i] = (up - down) / (2 * h)
    return gradient
""",
        """
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        shift = torch.zeros(x.shape, dtype=torch.float64)
        shift[place] = h
        gradient[place] = f(x + shift) / (2 * h) - f(x - shift) / (2 * h)
    return torch.from_numpy(np.asarray(gradient))
""",
    ),
)


EXERCISES = (
    BACKWARD_ORDER,
    VALUE_OPS,
    LINEAR_BACKWARD,
    RELU_BACKWARD,
    SOFTMAX_BACKWARD,
    TRAIN,
    NUMERICAL_GRADIENT,
)
