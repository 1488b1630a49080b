"""The engine of lesson 06 against torch on random graphs, and the backward rules of whole layers."""

import ast
import operator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.built.autograd import (
    Value,
    linear_backward,
    numerical_gradient,
    relu_backward,
    softmax_cross_entropy_backward,
)

REPOSITORY = Path(__file__).resolve().parents[1]
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
FUNCTIONS = ("exp", "log", "tanh", "relu", "neg")
SIDES = ("both", "number left", "number right")


number, which = st.floats(-3, 3, width=32), st.integers(0, 30)
step = st.one_of(
    st.tuples(st.sampled_from(FUNCTIONS), which),
    st.tuples(st.sampled_from(list(BINARY)), which, which, st.sampled_from(SIDES), number),
)
leaves_and_program = {
    "leaves": st.lists(number, min_size=1, max_size=4),
    "program": st.lists(step, min_size=1, max_size=25),
}


def allowed(name: str, x: float, y: float = 1.0) -> bool:
    """Is the operation far from kinks, poles and overflow, so that rounding cannot change the answer?"""
    if name == "log":
        return x > 0.05
    if name == "exp":
        return x < 8
    if name == "relu":
        return abs(x) > 1e-6
    if name == "/":
        return abs(y) > 0.05
    if name == "**":
        return 0.05 < x < 50 and abs(y) < 4
    return True


def grow(leaves: list[float], program: list) -> tuple[list, list, set]:
    """The same graph in Values and in torch; steps that leave the safe range are left out.

    Returns the Values, the tensors, and the names of what was used.
    """
    ours = [Value(x) for x in leaves]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    used = set()
    for name, i, *rest in program:
        i %= len(ours)
        if name in FUNCTIONS:
            if not allowed(name, ours[i].data):
                continue
            pair = [-n if name == "neg" else getattr(n, name)() for n in (ours[i], theirs[i])]
        else:
            j, side, plain = rest[0] % len(ours), rest[1], float(rest[2])
            left = plain if side == "number left" else ours[i].data
            right = plain if side == "number right" else ours[j].data
            if not allowed(name, left, right):
                continue
            pair = []
            for nodes in (ours, theirs):
                first = plain if side == "number left" else nodes[i]
                second = plain if side == "number right" else nodes[j]
                pair.append(BINARY[name](first, second))
            name = f"{name} {side}"
        if abs(pair[0].data) < 1e3:
            ours.append(pair[0])
            theirs.append(pair[1])
            used.add(name)
    return ours, theirs, used


@settings(max_examples=400, deadline=None, derandomize=True)
@given(**leaves_and_program)
def test_random_graphs_agree_with_torch(leaves, program):
    ours, theirs, _ = grow(leaves, program)
    # The output uses every node, and the last one twice, so that many paths meet.
    output, expected = sum(ours) * 0.5 + ours[-1] * ours[-1], sum(theirs) * 0.5 + theirs[-1] * theirs[-1]
    output.backward()
    for node in theirs:
        node.retain_grad()
    expected.backward()
    assert output.data == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    scale = max(1.0, *(abs(node.grad.item()) for node in theirs))
    for ours_node, node in zip(ours, theirs, strict=True):
        assert ours_node.data == pytest.approx(node.item(), rel=1e-9, abs=1e-12)
        assert abs(ours_node.grad - node.grad.item()) <= 1e-9 * scale


def test_the_random_graphs_use_every_operation_on_every_side():
    seen = set()

    # What is drawn depends on the constants of all modules loaded so far: so many that none can be missed.
    @settings(max_examples=800, deadline=None, derandomize=True, database=None)
    @given(**leaves_and_program)
    def collect(leaves, program):
        seen.update(grow(leaves, program)[2])

    collect()
    assert seen == set(FUNCTIONS) | {f"{name} {side}" for name in BINARY for side in SIDES}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("plain", [3, 2.5])
def test_plain_numbers_on_either_side(name, plain):
    for order in (lambda x: (x, plain), lambda x: (plain, x)):
        ours, theirs = Value(1.7), torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
        output, expected = BINARY[name](*order(ours)), BINARY[name](*order(theirs))
        output.backward()
        expected.backward()
        assert output.data == pytest.approx(expected.item())
        assert ours.grad == pytest.approx(theirs.grad.item())


@pytest.mark.parametrize(
    ("base", "exponent"),
    [(-2.0, 3), (-2.0, 2), (-2.0, -1), (0.0, 0), (0.0, 1), (0.0, 2), (4.0, 0.5), (4.0, 0)],
)
def test_powers_of_any_sign(base, exponent):
    ours, theirs = Value(base), torch.tensor(base, dtype=torch.float64, requires_grad=True)
    (ours**exponent).backward()
    (theirs**exponent).backward()
    assert ours.grad == pytest.approx(theirs.grad.item())


def test_relu_at_zero_has_slope_zero_as_in_torch():
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0.0


def test_a_value_used_twice_gets_the_sum():
    a = Value(3.0)
    (a * a + a).backward()
    assert a.grad == 7.0


def test_two_paths_of_unequal_length_meet_before_they_go_on():
    a = Value(2.0)
    b = a * 3
    ((b * 5).tanh() * 0 + b * b).backward()  # b's gradient is complete only after the longer path
    assert b.grad == 12.0
    assert a.grad == 36.0


def test_leaves_accumulate_over_calls_and_numbers_in_between_start_anew():
    a = Value(2.0)
    shared = a * 4
    (shared * 3).backward()
    (shared * 5).backward()
    assert a.grad == 12.0 + 20.0
    assert shared.grad == 5.0
    leaf = Value(1.0)
    leaf.backward()
    leaf.backward()
    assert leaf.grad == 2.0


def test_calling_backward_twice_on_one_graph_doubles_the_leaves_only():
    a = Value(2.0)
    output = (a * a) * 3
    output.backward()
    output.backward()
    assert output.grad == 1.0
    assert a.grad == 24.0


def test_a_deep_graph_needs_no_recursion():
    x = Value(1.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0001
    y.backward()
    assert x.grad == pytest.approx(1.0001**20_000)


def test_a_graph_with_very_many_paths_is_fast():
    x = Value(1.0)
    y = x
    for _ in range(200):
        y = y * 0.5 + y * 0.5  # 2**200 paths: each node must be handled once
    y.backward()
    assert x.grad == pytest.approx(1.0)


def test_what_has_no_value_raises():
    with pytest.raises(ZeroDivisionError):
        Value(1.0) / 0
    with pytest.raises(ValueError):
        Value(0.0).log()
    with pytest.raises(ValueError):
        Value(-8.0) ** (1 / 3)
    with pytest.raises(OverflowError):
        Value(1000.0).exp()


def test_it_shows_value_and_gradient():
    assert repr(Value(0.5)) == "Value(0.5, grad=0)"


# --- whole layers ----------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None, derandomize=True)
@given(B=st.integers(1, 5), into=st.integers(1, 5), out=st.integers(1, 5), seed=st.integers(0, 1000))
def test_backward_of_layers_agrees_with_torch(B, into, out, seed):
    generator = torch.Generator().manual_seed(seed)
    X, W, b = (
        torch.randn(shape, dtype=torch.float64, generator=generator, requires_grad=True)
        for shape in ((B, into), (out, into), (out,))
    )
    y = torch.randint(out, (B,), generator=generator)
    z = X @ W.T + b
    a = torch.relu(z)
    for node in (z, a):
        node.retain_grad()
    F.cross_entropy(a, y).backward()
    with torch.no_grad():
        before = a.clone()
        grad_a = softmax_cross_entropy_backward(a, y)
        assert torch.equal(a, before)
        grad_z = relu_backward(z, grad_a)
        grads = linear_backward(X, W, grad_z)
    torch.testing.assert_close(grad_a, a.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(grad_z, z.grad, rtol=0, atol=1e-12)
    for ours, theirs in zip(grads, (X, W, b), strict=True):
        torch.testing.assert_close(ours, theirs.grad, rtol=0, atol=1e-12)


def test_relu_backward_is_zero_at_zero():
    assert relu_backward(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([5.0, 5.0, 5.0])).tolist() == [0, 0, 5]


def test_cross_entropy_backward_holds_for_extreme_logits():
    logits = torch.tensor([[1e4, -1e4, 0.0]], dtype=torch.float64)
    assert softmax_cross_entropy_backward(logits, torch.tensor([1])).tolist() == [[1.0, -1.0, 0.0]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_numerical_gradient_has_the_shape_and_leaves_its_input_alone(shape):
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    gradient = numerical_gradient(lambda x: (x**3).sum(), x)
    assert gradient.shape == x.shape
    torch.testing.assert_close(gradient, 3 * x**2, rtol=1e-8, atol=1e-8)
    assert torch.equal(x, before)


def test_numerical_gradient_is_central_and_takes_any_strides_and_plain_floats():
    x = torch.arange(6, dtype=torch.float64).view(2, 3).T
    torch.testing.assert_close(numerical_gradient(lambda x: float((x**2).sum()), x, h=0.5), 2 * x)
    wanted = x.clone().requires_grad_()
    assert not numerical_gradient(lambda x: (x**2).sum(), wanted).requires_grad


def test_numerical_gradient_refuses_whole_numbers():
    with pytest.raises(TypeError, match="floating"):
        numerical_gradient(lambda x: x.sum(), torch.tensor([1, 2]))


# --- the lesson ------------------------------------------------------------------------------------------


def test_the_engine_in_the_lesson_is_under_80_lines():
    text = (REPOSITORY / "notebooks/source/lessons/06_backprop.py").read_text(encoding="utf-8")
    classes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef) and n.name == "Value"]
    assert classes
    assert sum(node.end_lineno - node.lineno + 1 for node in classes) < 80
