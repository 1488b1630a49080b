"""What lesson 06 builds: an engine that follows the chain rule through single numbers, the same rule for
whole layers, and the slow check of both.

    a, b = Value(2.0), Value(-3.0)
    loss = (a * b + 1).tanh()
    loss.backward()
    a.grad, b.grad                          # the slopes of the loss with respect to a and b
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor


class Value:
    """A number that remembers which numbers it was made of, and how strongly it depends on each.

    Built in lesson 06.

    Understands ``+ - * / **`` with Values and plain numbers on either side, and the methods ``exp``, ``log``,
    ``tanh`` and ``relu``. Where a result is no finite real number (division by zero, the logarithm of 0,
    ``exp(1000)``) Python raises its usual error; torch would go on with inf or nan.

    Attributes:
        data: the number, a float.
        grad: slope of the last output with respect to this number; for a leaf (a number made of no others)
            the sum over all calls of :meth:`backward` since it was last set to 0.
        parents: the Values this one was made of; empty for a leaf.
        slopes: the local slope with respect to each parent.
        birth: counts the Values; a Value is always younger than its parents.
    """

    births = itertools.count()

    def __init__(self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.grad = float(data), 0.0
        self.parents, self.slopes = parents, slopes
        self.birth = next(Value.births)

    def __repr__(self) -> str:
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            return (other * self.log()).exp()  # a^b = e^(b log a), for a > 0
        slope = other * math.pow(self.data, other - 1) if other else 0.0
        return Value(math.pow(self.data, other), (self,), (slope,))

    def exp(self) -> Value:
        """e to this number."""
        value = math.exp(self.data)
        return Value(value, (self,), (value,))

    def log(self) -> Value:
        """The natural logarithm of this number, which must be positive."""
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self) -> Value:
        """The hyperbolic tangent of this number."""
        value = math.tanh(self.data)
        return Value(value, (self,), (1 - value**2,))

    def relu(self) -> Value:
        """This number if it is positive, else 0; the slope at 0 is taken to be 0."""
        return Value(max(self.data, 0.0), (self,), (1.0 if self.data > 0 else 0.0,))

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Value | float) -> Value:
        return self + other * -1

    def __truediv__(self, other: Value | float) -> Value:
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__  # 2 + a is a + 2

    def __rsub__(self, other: float) -> Value:
        return Value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return Value(other) / self

    def __rpow__(self, other: float) -> Value:
        return Value(other) ** self

    def backward(self) -> None:
        """Add to the grad of every leaf the slope of this number with respect to it.

        Numbers in between get the slope of this number, whatever their grad was before. Nothing recurses, so
        a graph may be deeper than Python's limit on calls within calls.
        """
        nodes, to_visit = {self}, [self]
        while to_visit:
            new = set(to_visit.pop().parents) - nodes
            nodes |= new
            to_visit += new
        for node in nodes:
            if node.parents:
                node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=lambda node: node.birth, reverse=True):  # youngest first
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad


def numerical_gradient(f: Callable[[Tensor], Tensor | float], x: Tensor, h: float = 1e-5) -> Tensor:
    """The gradient of f at x by central differences, one entry at a time: slow, and sure.

    Built in lesson 06.

    Args:
        f: takes a tensor of x's shape and returns one number (a float or a tensor with one entry).
        x: the point, any shape, of a floating dtype; float64 unless the digits do not matter. Not changed.
        h: half the distance between the two points of each difference.

    Returns:
        The gradient, of x's shape and dtype, with an error of about h² (and 1e-16/h from rounding).

    Raises:
        TypeError: if x is not of a floating dtype.
    """
    if not x.is_floating_point():
        raise TypeError(f"x must hold floating-point numbers, not {x.dtype}")
    x = x.detach()
    gradient = torch.zeros_like(x, memory_format=torch.contiguous_format)
    with torch.no_grad():
        for i in range(x.numel()):
            shift = torch.zeros_like(gradient)
            shift.view(-1)[i] = h
            gradient.view(-1)[i] = (f(x + shift) - f(x - shift)) / (2 * h)
    return gradient


def linear_backward(X: Tensor, W: Tensor, grad_z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of a linear layer z = X @ W.T + b.

    Built in lesson 06.

    Args:
        X: what went in, shape (B, in).
        W: weights, shape (out, in).
        grad_z: gradient of the loss with respect to z, shape (B, out).

    Returns:
        Gradients of the loss with respect to X (B, in), W (out, in) and b (out,).
    """
    return grad_z @ W, grad_z.T @ X, grad_z.sum(dim=0)


def relu_backward(z: Tensor, grad_a: Tensor) -> Tensor:
    """Gradient with respect to z where a = relu(z): what comes in, where z was positive, else 0.

    Built in lesson 06.

    Args:
        z: pre-activations, any shape.
        grad_a: gradient of the loss with respect to a, of z's shape.

    Returns:
        Gradient of the loss with respect to z, of z's shape.
    """
    return grad_a * (z > 0)


def softmax_cross_entropy_backward(logits: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy with respect to the logits: (softmax - one-hot) / B.

    Built in lesson 06.

    Args:
        logits: scores, shape (B, classes).
        y: true classes as whole numbers, shape (B,).

    Returns:
        Gradient of the loss, shape (B, classes); each row adds up to 0.
    """
    gradient = torch.softmax(logits, dim=1)
    gradient[torch.arange(len(y), device=y.device), y] -= 1
    return gradient / len(y)
