"""Layers and networks of layers, as lesson 04 builds them.

A layer is a pair `(W, b)`: `W` has shape (out, in), as `nn.Linear` keeps it, and `b` has shape (out,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["MLP", "count_parameters", "forward", "linear"]


def linear(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The pre-activations of a layer for a whole batch. Built in lesson 04.

    Args:
        X: inputs, shape (B, in).
        W: weights, one row per unit, shape (out, in).
        b: biases, shape (out,).

    Returns:
        Z = X Wᵀ + b, shape (B, out).
    """
    return X @ W.T + b


def forward(X: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Send a batch through layer after layer, with ReLU between them. Built in lesson 04.

    Args:
        X: inputs, shape (B, in).
        layers: one pair (W, b) per layer, W of shape (out, in), b of shape (out,).

    Returns:
        What the last layer gives, without an activation, shape (B, out of the last layer).
    """
    a = X
    for W, b in layers[:-1]:
        a = torch.relu(linear(a, W, b))
    W, b = layers[-1]
    return linear(a, W, b)


class MLP(nn.Module):
    """A multilayer perceptron. Built in lesson 04.

    Args:
        sizes: numbers that go in, units of each hidden layer, numbers that come out.
        activation: the bend between the layers; none follows the last.

    Attributes:
        layers: the `nn.Linear` layers, an `nn.ModuleList` of `len(sizes) - 1`.

    Raises:
        ValueError: if there are fewer than two sizes.
    """

    def __init__(self, sizes: Sequence[int], activation: Callable[[Tensor], Tensor] = torch.relu) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes must name at least an input and an output, not {list(sizes)}")
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairwise(sizes))

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, sizes[-1]), for inputs of shape (B, sizes[0])."""
        for layer in self.layers[:-1]:
            X = self.activation(layer(X))
        return self.layers[-1](X)


def count_parameters(model: nn.Module) -> int:
    """How many numbers of a model are learned. Built in lesson 04.

    Args:
        model: any module; numbers that are frozen (`requires_grad` is False) do not count.

    Returns:
        The number of entries in all its parameters.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
