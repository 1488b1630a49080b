"""The graph explorer without a browser: its numbers are torch's, its words say why where there are none."""

from __future__ import annotations

import importlib
import io
import itertools
import keyword
import math
import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from utils.explore import base

graph = importlib.import_module("utils.explore.graph")

DEFAULTS = graph.DECLARATION.defaults()
END = graph._LAST_STEP


def at(expression: str, step: int = END, *values: float, nudge: str = "0.1") -> dict:
    """The state of an expression after some steps, the first values as given."""
    return graph.compute(**controls(expression, step, *values, nudge=nudge))


def controls(expression: str, step: int = END, *values: float, nudge: str = "0.1") -> dict:
    named = dict(zip(graph.SLOTS, values, strict=False))
    return DEFAULTS | {"expression": expression, "step_number": step, "nudge": nudge} | named


def gradient(state: dict, name: str) -> float:
    return next(row["gradient"] for row in state["nudges"] if row["name"] == name)


# ------------------------------------------------------------------ against torch's autograd
LEAVES = st.sampled_from(["a", "b", "c", "x1", "2", "3", "0.5", "1", "0"])


def _grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, parts, st.sampled_from("+-*/"), parts),
        st.builds("{} {} {}".format, parts, st.sampled_from("+-*/"), parts),
        st.builds("{}({})".format, st.sampled_from(graph.FUNCTIONS), parts),
        st.builds("({})**{}".format, parts, st.sampled_from(["2", "3", "-1", "-2", "0.5", "0", "1", "1.5"])),
        st.builds("({})**({})".format, parts, parts),
        st.builds("-{}".format, parts),
    )


EXPRESSIONS = st.recursive(LEAVES, _grown, max_leaves=7)
VALUES = st.lists(
    st.sampled_from([-5.0, -2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.25, 5.0]),
    min_size=5,
    max_size=5,
)


def in_torch(
    expression: str, names: list[str], values: list[float]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Evaluate the text itself with Python's own rules on torch tensors, numbers as tensors too."""
    space: dict = {"T": lambda x: torch.tensor(x, dtype=torch.float64)}
    space |= {name: getattr(torch, name) for name in graph.FUNCTIONS}
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values[: len(names)]]
    numbers = re.sub(r"(?<![A-Za-z_0-9.])(\d+\.?\d*)", r"T(\1)", expression)
    output = eval(numbers, {"__builtins__": {}}, space | dict(zip(names, leaves, strict=True)))
    return output, leaves


TORCH = {
    "add": lambda x, _: x[0] + x[1], "sub": lambda x, _: x[0] - x[1], "mul": lambda x, _: x[0] * x[1],
    "div": lambda x, _: x[0] / x[1], "neg": lambda x, _: -x[0], "pow": lambda x, p: x[0] ** p,
    "power": lambda x, _: x[0] ** x[1], "exp": lambda x, _: x[0].exp(), "log": lambda x, _: x[0].log(),
    "tanh": lambda x, _: x[0].tanh(), "relu": lambda x, _: x[0].relu(),
}  # fmt: skip


def node_in_torch(state: dict, k: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """One operation in torch: its output and its local slopes."""
    node = state["nodes"][k]
    x = [torch.tensor(state["values"][i], dtype=torch.float64, requires_grad=True) for i in node["inputs"]]
    output = TORCH[node["kind"]](x, node["number"])
    return output.detach(), [g for g in torch.autograd.grad(output, x, allow_unused=True) if g is not None]


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, VALUES)
@example("(a*b + c)**2", [2.0, -1.0, 4.0, 1.0, 1.0])
@example("a*a*a - a", [0.5] * 5)
@example("a**0 + b**c", [0.0, 0.0, 2.0, 0.0, 0.0])
@example("-a**-2", [2.0] * 5)
@example("2**-a**2", [2.0] * 5)
@example("relu(a) + relu(-a)", [0.0] * 5)
def test_values_and_gradients_are_torchs(expression: str, values: list[float]):
    assume(len(expression) <= graph.MOST_LETTERS)
    state = at(expression, END, *values)
    assume(not state["mistake"])
    if state["trouble"] is not None:
        _is_impossible_in_torch(state)
        return
    output, leaves = in_torch(expression, state["names"], values)
    assert state["values"][-1] == pytest.approx(output.item(), rel=1e-11, abs=1e-13)
    expected = torch.autograd.grad(output, leaves)
    flows = [abs(flow["product"]) for flow in state["flows"] if flow]
    # Where large contributions cancel, their last digits stay.
    slack = 1e-11 * max([1.0, *flows])
    for name, want in zip(state["names"], expected, strict=True):
        assert gradient(state, name) == pytest.approx(want.item(), rel=1e-9, abs=slack)


def _is_impossible_in_torch(state: dict) -> None:
    """Where the walk stops, torch has inf or NaN at the same operation."""
    ahead = state["counts"][0]
    if state["step"] > ahead and "larger than" in state["trouble"]:
        return  # the product of two finite numbers, which one operation alone does not show
    output, slopes = node_in_torch(state, state["current"])
    wrong = [output] if state["step"] <= ahead else slopes
    assert not all(torch.isfinite(one).all() for one in wrong), state["trouble"]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, VALUES)
def test_every_local_slope_is_torchs(expression: str, values: list[float]):
    assume(len(expression) <= graph.MOST_LETTERS)
    state = at(expression, END, *values)
    assume(not state["mistake"] and not state["trouble"])
    nodes = state["nodes"]
    for k, node in enumerate(nodes):
        if not node["needs"] or not node["inputs"]:
            continue
        flows = {
            w["slot"]: f
            for w, f in zip(state["wires"], state["flows"], strict=True)
            if w["target"] == k and f
        }
        x = [
            torch.tensor(state["values"][i], dtype=torch.float64, requires_grad=True) for i in node["inputs"]
        ]
        slopes = torch.autograd.grad(TORCH[node["kind"]](x, node["number"]), x)
        for slot, i in enumerate(node["inputs"]):
            if not nodes[i]["needs"]:
                assert slot not in flows
                continue
            assert flows[slot]["slope"] == pytest.approx(slopes[slot].item(), rel=1e-11, abs=1e-14)
            assert flows[slot]["upstream"] == state["gradients"][k]


# ------------------------------------------------------------------ walking
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS, VALUES)
def test_each_step_adds_one_thing_and_says_so(expression: str, values: list[float]):
    assume(len(expression) <= graph.MOST_LETTERS)
    last = at(expression, 0, *values).get("last")
    assume(last is not None)
    said, known, passed = set(), -1, 0
    for step in range(last + 1):
        state = at(expression, step, *values)
        words = graph.describe(**controls(expression, step, *values))
        assert 10 < len(words) < 330 and not {"nan", "inf", "None"} & set(re.findall(r"\w+", words)), words
        assert words not in said
        said.add(words)
        ahead, _ = state["counts"]
        now = sum(value is not None for value in state["values"])
        flows = [flow for flow in state["flows"] if flow]
        if state["phase"] == "stop":
            assert step == last and state["trouble"]
        elif step <= ahead:
            assert now == known + 1 or step == 0
            assert not flows and state["gradients"] == [None] * len(state["nodes"])
        else:
            assert now == len(state["nodes"])
            assert len(flows) == passed + len(state["fresh"])
        for k, node in enumerate(state["nodes"][:-1]):  # a gradient is the sum of what has arrived
            arrived = [
                f["product"]
                for w, f in zip(state["wires"], state["flows"], strict=True)
                if w["source"] == k and f
            ]
            if arrived:
                assert state["gradients"][k] == pytest.approx(
                    math.fsum(arrived), rel=1e-9, abs=1e-9 * max(map(abs, arrived))
                )
            else:
                assert state["gradients"][k] is None, node
        known, passed = now, len(flows)
    assert at(expression, last, *values) == at(expression, END, *values)


def test_the_walk_of_one_expression_in_words():
    said = [graph.describe(**controls("a*b + a", step, 2.0, -3.0)) for step in range(6)]
    assert said == [
        "Start: a = 2, b = −3. Each step forward computes one node.",
        "Forward 1 of 2, the product: 2 × (−3) = −6.",
        "Forward 2 of 2, the sum: −6 + 2 = −4. This is the output.",
        "The way back begins at the output: a nudge of it is a nudge of itself, so its gradient is 1.",
        "Backward 1 of 2, +: a sum has slope 1 for each part. Slope × upstream to the product: 1 × 1 = 1; "
        "to a: 1 × 1 = 1.",
        "Backward 2 of 2, ×: the slope for one factor is the other factor. Slope × upstream to a: −3 × 1 = "
        "−3; to b: 2 × 1 = 2. Paths meet at a: 1 + (−3) = −2. Every name has its gradient.",
    ]


def test_a_name_used_twice_in_one_operation_gets_both_contributions():
    state = at("a*a", END, 3.0)
    assert [flow["product"] for flow in state["flows"]] == [3.0, 3.0]
    assert gradient(state, "a") == 6.0
    assert "Paths meet at a: 3 + 3 = 6." in graph.in_words(state)


@pytest.mark.parametrize(
    ("expression", "values", "words"),
    [
        (
            "log(a)",
            [-2.0],
            "Forward 1 of 1, log: this cannot be done: log needs a number above 0, and here it gets −2.",
        ),
        ("log(a)", [0.0], "log needs a number above 0, and here it gets 0"),
        ("1/(a - b)", [1.0, 1.0], "1 cannot be divided by 0"),
        ("a**-1", [0.0], "0 ** (−1) would divide by 0"),
        ("a**b", [0.0, -1.0], "0 ** (−1) would divide by 0"),
        ("a**0.5", [-4.0], "(−4) ** 0.5 is not a real number"),
        ("a**b", [-4.0, 1.5], "(−4) ** 1.5 is not a real number"),
        ("exp(exp(a*a))", [5.0], "larger than a computer can hold"),
        ("(a*1000)**100*1000000", [5.0], "larger than a computer can hold"),
        ("(a*1000)**1000", [5.0], "larger than a computer can hold"),
        ("a**0.5", [0.0], "Backward 1 of 1, **0.5: this cannot be done: at 0 the curve of **0.5 is upright"),
        (
            "a**b",
            [-2.0, 2.0],
            "Backward 1 of 1, **: this cannot be done: the slope for an exponent needs the log",
        ),
    ],
)
def test_what_has_no_answer_is_said_in_words(expression: str, values: list[float], words: str):
    state = at(expression, END, *values)
    assert state["phase"] == "stop" and state["step"] == state["last"]
    assert words in graph.in_words(state)
    known = [x for x in [*state["values"], *state["gradients"]] if x is not None]
    assert all(map(math.isfinite, known))
    assert all(row["gradient"] is None and row["expected"] is None for row in state["nudges"])
    before = at(expression, state["last"] - 1, *values)
    assert before["phase"] != "stop"


def test_the_slope_of_an_exponent_that_is_no_name_does_not_matter():
    assert gradient(at("a**(1+1)", END, -3.0), "a") == -6.0


def test_nudges_tell_the_gradient_from_the_truth():
    first = at("(a*b + c)**2", END, 2.0, -1.0, 4.0)
    row = next(row for row in first["nudges"] if row["name"] == "b")
    assert (row["gradient"], row["expected"]) == (8.0, pytest.approx(0.8))
    assert row["change"] == pytest.approx((2 * -0.9 + 4) ** 2 - 4)
    for nudge, worst in (("1", 1.0), ("0.1", 0.1), ("0.01", 0.01)):  # the error shrinks with the nudge
        rows = at("(a*b + c)**2", END, 2.0, -1.0, 4.0, nudge=nudge)["nudges"]
        for row in rows:
            assert abs(row["change"] - row["expected"]) / float(nudge) <= 4 * worst + 1e-9
    straight = at("a*b + c", END, 2.0, -1.0, 4.0, nudge="1")
    assert all(row["change"] == row["expected"] for row in straight["nudges"])
    back = at("a*b", END, 2.0, -1.0, nudge="-0.1")["nudges"][1]
    assert back["change"] == pytest.approx(-0.2) == back["expected"]


def test_nudges_appear_when_they_can_be_known():
    assert all(row["change"] is None for row in at("a*b + c", 1)["nudges"])
    forward = at("a*b + c", 2)["nudges"]
    assert all(row["change"] is not None and row["gradient"] is None for row in forward)
    assert at("log(a)", END, 1.0, nudge="1")["nudges"][0]["change"] == pytest.approx(math.log(2))
    edge = at("log(a)", END, 0.25, nudge="-0.1")["nudges"][0]
    assert edge["change"] == pytest.approx(math.log(0.15 / 0.25))
    beyond = at("log(a - 1)", END, 1.25, nudge="1")["nudges"][0]
    assert beyond["change"] == pytest.approx(math.log(5))
    assert at("a**0.5 + 1/(a-0.5)", END, 0.25, nudge="-0.1")["nudges"][0]["change"] is not None
    impossible = at("log(a*10)", END, 0.25, nudge="-0.1")["nudges"][0]
    assert impossible["change"] is not None
    gone = at("log(a*a - 0.06)", END, 0.25, nudge="-0.1")["nudges"][0]
    assert gone["change"] is None and gone["gradient"] is not None


# ------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type an expression"),
        ("   ", "Type an expression"),
        ("a +", "missing at the end"),
        ("-", "missing at the end"),
        ("* a", "missing before “*”"),
        ("a + * b", "missing before “*”"),
        ("a ** ** b", "missing before “**”"),
        ("(a", "not closed"),
        ("a)", "never opened"),
        ("()", "nothing between"),
        ("exp()", "nothing between"),
        ("(a + )", "missing before “)”"),
        ("2a", "sign such as * is missing before “a”"),
        ("a b", "missing before “b”"),
        ("a(b)", "“a” is not a function"),
        ("sin(a)", "“sin” is not a function"),
        ("a 2", "missing before “2”"),
        ("(a)(b)", "missing before “(”"),
        ("exp a", "exp needs brackets"),
        ("exp", "exp needs brackets"),
        ("a^2", "A power is written **"),
        ("a²", "A power is written **"),
        ("y = a", "no = sign"),
        ("exp(a, b)", "No comma"),
        ("a.b", "“.” has no meaning"),
        ("a @ b", "“@” has no meaning"),
        ("a % 2", "“%” has no meaning"),
        ("α*b", "“α” has no"),
        ("a; b", "“;” has no meaning"),
        ("[a]", "“[” has no meaning"),
        ("'a'", "“'” has no"),
        ("🙂", "“🙂” has no meaning"),
        ("weight*a", "“weight” is too long"),
        ("if*a", "word of Python"),
        ("None", "word of Python"),
        ("a if b", "missing before “if”"),
        ("lambda", "too long for a name"),
        ("2 + 3", "There is no name"),
        ("7", "There is no name"),
        ("10000000*a", "up to a million"),
        ("1e9*a", "up to a million"),
        ("1e999*a", "up to a million"),
        ("a*b*c*d*e*f", "6 names: up to 5"),
        ("a+a+a+a+a+a+a+a", "7 operations one after another: up to 6"),
        ("-------a", "7 operations one after"),
        ("(a+a)*(a+a)*(a+a)+(a+a)*(a+a)*(a+a)", "wires side by side"),
        ("a" + "+a" * 30, "Too long: at most 60"),
        ("(a+a)+(a+a)+(a+a)+(a+a)+(a+a)+(a+a)+(a+a)", "13 operations: up to 12"),
        ("__import__('os')", "“'” has no meaning"),
        ("a\n+b", "has no meaning"),
        ("1__0*a", "missing before “__0”"),
    ],
)
def test_what_cannot_be_read_or_drawn_is_refused_in_words(text: str, words: str):
    state = at(text)
    assert words in state["mistake"], state["mistake"]
    assert state["mistake"].endswith(".") and len(state["mistake"]) < 75
    assert graph.describe(**controls(text)) == f"Not read yet. {state['mistake']}"


@settings(max_examples=1000, deadline=None)
@given(st.text(alphabet="abx12.eE +-*/()explogtanhreu^=,_é×", max_size=20))
def test_no_text_breaks_it_and_all_that_is_read_is_python(text: str):
    state = at(text)
    if state["mistake"] is None:
        # Python reads the same: the leaves of its tree are ours.
        import ast

        python = re.sub(r"(?<![\w.])0+(?=\d)", "", text.replace("×", "*").strip())
        names = {n.id for n in ast.walk(ast.parse(python, mode="eval")) if isinstance(n, ast.Name)}
        assert names - set(graph.FUNCTIONS) == set(state["names"])
    for step in (0, 1, END):
        assert len(graph.in_words(at(text, step))) < 330


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("-3*a", ["number", "name", "mul"]),
        ("-a**2", ["name", "pow", "neg"]),
        ("a - -b", ["name", "name", "neg", "sub"]),
        ("a**-2", ["name", "pow"]),
        ("a**+2", ["name", "pow"]),
        ("a**(-2)", ["name", "pow"]),
        ("a**(1+1)", ["name", "number", "number", "add", "power"]),
        ("--a", ["name", "neg", "neg"]),
        ("--3*a", ["number", "name", "mul"]),
        ("+a", ["name"]),
        ("a*a", ["name", "mul"]),
        ("(((a)))", ["name"]),
        ("a×b÷c−d", ["name", "name", "mul", "name", "div", "name", "sub"]),
        ("2**a", ["number", "name", "power"]),
        (".5*a", ["number", "name", "mul"]),
        ("1.*a", ["number", "name", "mul"]),
        ("2e-3*a", ["number", "name", "mul"]),
        ("007*a", ["number", "name", "mul"]),
    ],
)
def test_what_is_read(text: str, kinds: list[str]):
    assert [node["kind"] for node in graph.read(text)["nodes"]] == kinds


def test_powers_are_read_from_the_right_and_numbers_as_written():
    assert at("a**2**3", END, 2.0)["mistake"] is None
    assert [n["kind"] for n in graph.read("a**b**2")["nodes"]] == ["name", "name", "pow", "power"]
    assert graph.read("-3*a")["nodes"][0]["number"] == -3.0
    assert graph.read("007*a")["nodes"][0]["label"] == "7"


def test_short_words_of_python_are_known_in_javascript():
    source = (base.HERE / "graph.js").read_text(encoding="utf-8")
    listed = set(re.findall(r'"(\w+)"', re.search(r"KEYWORDS = \[(.*?)\]", source, re.S)[1]))
    assert listed == {word for word in keyword.kwlist if len(word) <= graph.LONGEST_NAME}
    limits = dict(re.findall(r"([A-Z_]+) = ([\de]+)[,;]", source))
    for name in (
        "MOST_LETTERS",
        "MOST_NAMES",
        "MOST_OPERATIONS",
        "MOST_LAYERS",
        "MOST_ROWS",
        "LARGEST_NUMBER",
        "LONGEST_NAME",
    ):
        assert float(limits[name]) == getattr(graph, name)


# ------------------------------------------------------------------ layout
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_the_layout_keeps_order_and_distance(expression: str):
    assume(len(expression) <= graph.MOST_LETTERS)
    state = at(expression)
    assume(not state["mistake"])
    nodes, wires = state["nodes"], state["wires"]
    taken: dict[int, list[float]] = {}
    for node in nodes:
        taken.setdefault(node["layer"], []).append(node["place"])
    shared = {(w["source"], layer): place for w in wires for layer, place in w["via"]}
    for (_, layer), place in shared.items():
        taken[layer].append(place)
    assert len(taken) <= graph.MOST_LAYERS and sorted(taken) == list(range(len(taken)))
    rows = max(map(len, taken.values()))
    assert rows <= graph.MOST_ROWS
    for places in taken.values():
        places.sort()
        assert places[0] >= 0.5 - 1e-9 and places[-1] <= rows - 0.5 + 1e-9
        assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(places))
    for wire in wires:
        layers = [
            nodes[wire["source"]]["layer"],
            *(layer for layer, _ in wire["via"]),
            nodes[wire["target"]]["layer"],
        ]
        assert layers == list(range(layers[0], layers[-1] + 1)) and len(layers) > 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-2.125, "−2.125"),
        (0.46211, "0.462"),
        (12.345, "12.35"),
        (123.456, "123.5"),
        (12345.6, "12346"),
        (99999.4, "99999"),
        (1e5, "1e5"),
        (125000.0, "1.3e5"),
        (-1.24e-7, "−1.2e−7"),
        (9.96e8, "1e9"),
        (0.00099, "9.9e−4"),
        (0.001, "0.001"),
        (1e300, "1e300"),
        (-1 / 3, "−0.333"),
        (9.99996, "10"),
    ],
)
def test_amounts_are_short(value: float, words: str):
    assert graph.amount(value) == words


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_amount_is_long(value: float):
    assert len(graph.amount(value)) <= 9


# ------------------------------------------------------------------ declaration, still, call
def met(state: dict, values: dict) -> set[str]:
    """The goals, once more in Python."""
    if state["mistake"] or state["trouble"] or state["step"] < state["last"]:
        return set()
    rows = state["nudges"]
    found = {"walk"} if state["counts"][0] else set()
    if any(row["name"] == "b" and abs(row["gradient"] - 12) < 1e-9 for row in rows):
        found.add("twelve")
    exact = all(
        row["change"] is not None and math.isclose(row["expected"], row["change"], abs_tol=1e-9)
        for row in rows
    )
    if values["nudge"] == "1" and exact and any(row["gradient"] for row in rows):
        found.add("straight")
    return found


def test_goals_are_not_met_by_the_start_or_a_preset_and_can_be_met():
    for values in [DEFAULTS, *(DEFAULTS | dict(p.values) for p in graph.DECLARATION.presets)]:
        state = graph.compute(**values)
        assert state["mistake"] is None and not met(state, values)
        finished = graph.compute(**(values | {"step_number": END}))
        assert "twelve" not in met(finished, values)
    assert "twelve" in met(at("(a*b + c)**2", END, 2.0, -1.0, 5.0), DEFAULTS)  # the sliders alone reach it
    straight = controls("a*b + c", END, 2.0, -1.0, 4.0, nudge="1")
    assert "straight" in met(graph.compute(**straight), straight)
    assert "straight" not in met(at("(a*b + c)**2", END, nudge="1"), straight)
    cancelled = at("a*(1 - a)", END, 0.5)
    products = [
        f["product"]
        for w, f in zip(cancelled["wires"], cancelled["flows"], strict=True)
        if w["source"] == 1 and f
    ]
    assert gradient(cancelled, "a") == 0.0 and 0.0 not in products


def _drawn(**settings_: object) -> Figure:
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph.draw(figure, **settings_)
        figure.canvas.draw()
    return figure


@pytest.mark.parametrize("expression", [*graph._TRIES, "(a*b + c)**2", "a*a + a*b"])
def test_no_setting_breaks_the_still(expression: str):
    for step in (0, 2, END):
        for value in (graph.LOW, 0.0, graph.HIGH):
            settings_ = controls(expression, step, *[value] * 5)
            figure = _drawn(**settings_)
            renderer = FigureCanvasAgg(figure).get_renderer()
            frame = figure.bbox
            for text in figure.axes[0].texts:
                assert not {"nan", "inf", "None"} & set(re.findall(r"\w+", text.get_text()))
                box = text.get_window_extent(renderer)
                assert box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1, text.get_text()
                assert box.y0 >= frame.y0 - 1 and box.y1 <= frame.y1 + 1, text.get_text()


def test_the_still_shows_values_gradients_and_what_passed_each_wire():
    words = [
        text.get_text() for text in _drawn(**controls("(a*b + c)**2", END, 2.0, -1.0, 4.0)).axes[0].texts
    ]
    assert {"a", "b", "c", "×", "+", "**2", "−4", "8", "2 × 4\n= 8", "4 × 1\n= 4"} <= set(words)
    early = [text.get_text() for text in _drawn(**controls("(a*b + c)**2", 0)).axes[0].texts]
    assert early.count("?") == 3 and not any("= " in word for word in early)


def test_calling_it_shows_the_end_first_and_begins_at_the_start(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    assert graph.graph("w*x + b", w=0.5, b=-0.25) is None
    assert "Every name has its gradient" in shown[0]["text/plain"]
    picture = Image.open(io.BytesIO(shown[0]["image/png"]))
    assert len(shown[0]["image/png"]) < 60_000 and picture.width <= 900
    assert np.asarray(picture.convert("L")).std() > 5
    first = graph.starting_with("w*x + b", {"w": 0.5, "b": -0.25})
    assert first == DEFAULTS | {"expression": "w*x + b", "v1": 0.5, "v2": -1.0, "v3": -0.25}
    graph.graph()
    assert shown[2]["text/plain"] == graph.describe(**controls("(a*b + c)**2"))


@pytest.mark.parametrize(
    ("expression", "values", "words"),
    [
        ("a +", {}, "missing at the end"),
        ("a", {"b": 1.0}, "'b' is no name"),
        ("a", {"a": 6.0}, "from -5 to 5"),
        ("a", {"a": 0.1}, "steps of 0.25"),
        ("a", {"a": math.nan}, "a must lie"),
    ],
)
def test_a_wrong_call_is_refused(expression: str, values: dict, words: str):
    with pytest.raises(ValueError, match=words):
        graph.graph(expression, **values)
