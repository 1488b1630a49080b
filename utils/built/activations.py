"""Lesson 02: the sigmoid and softmax, without overflow, and a function's slope."""

from __future__ import annotations

from collections.abc import Callable

import torch


def slope(f: Callable[[torch.Tensor], torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    """The derivative of f at every z, by torch; 0 where f does not depend on z. Built in lesson 02.

    Args:
        f: works on each number by itself.
        z: where to take the slope, any shape, floating point.

    Returns:
        The slopes, in the shape of z.
    """
    z = z.clone().requires_grad_()
    y = f(z)
    if not y.requires_grad:  # a step is flat everywhere, so torch has nothing to follow
        return torch.zeros_like(z)
    return torch.autograd.grad(y.sum(), z)[0]


def sigmoid(z: torch.Tensor) -> torch.Tensor:
    """1 / (1 + e^(-z)), without inf on the way. Built in lesson 02, exercise 02.sigmoid.

    Args:
        z: pre-activations, any shape, floating point.

    Returns:
        Numbers from 0 to 1 in the shape of z.
    """
    t = torch.exp(-z.abs())  # from 0 to 1, never more
    return torch.where(z >= 0, 1 / (1 + t), t / (1 + t))


def softmax(z: torch.Tensor, dim: int) -> torch.Tensor:
    """e^z divided by its sum along ``dim``, without overflow. Built in lesson 02, exercise 02.softmax.

    Args:
        z: logits, one or more dimensions, floating point.
        dim: the dimension along which the result sums to 1.

    Returns:
        Shares from 0 to 1 in the shape of z.
    """
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))  # no exponent above 0
    return e / e.sum(dim=dim, keepdim=True)
