"""Lesson 08: weights of the right size to start from, so that deep networks neither fade nor explode.

Both functions make the weight of one layer, of shape (out, in) as `nn.Linear` keeps it, in torch's default
float type. Biases start at zero and need no function.

    W = kaiming_normal(784, 256)  # for a layer that ReLU follows: nn.Linear(784, 256).weight
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["kaiming_normal", "xavier_uniform"]


def xavier_uniform(
    fan_in: int, fan_out: int, generator: torch.Generator | None = None, gain: float = 1.0
) -> Tensor:
    """Weights evenly between ±a, a = gain · √(6 / (fan_in + fan_out)). Built in lesson 08.

    Their variance is gain² · 2 / (fan_in + fan_out): a compromise between 1 / fan_in, which keeps the spread
    of the activations, and 1 / fan_out, which keeps that of the gradients.

    Args:
        fan_in: numbers that go into the layer, at least 1.
        fan_out: units of the layer, at least 1.
        generator: where the random numbers come from; torch's own if none is given.
        gain: makes up for what the activation takes away, such as 5/3 for tanh.

    Returns:
        W, shape (fan_out, fan_in).

    Source: X. Glorot, Y. Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks.
    """
    a = gain * math.sqrt(6 / (fan_in + fan_out))
    return (2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * a


def kaiming_normal(fan_in: int, fan_out: int, generator: torch.Generator | None = None) -> Tensor:
    """Normal weights with variance 2 / fan_in, for layers that ReLU follows. Built in lesson 08.

    The 2 makes up for the half of the mean square that ReLU takes away.

    Args:
        fan_in: numbers that go into the layer, at least 1.
        fan_out: units of the layer, at least 1.
        generator: where the random numbers come from; torch's own if none is given.

    Returns:
        W, shape (fan_out, fan_in).

    Source: K. He, X. Zhang, S. Ren, J. Sun (2015), Delving deep into rectifiers.
    """
    return torch.randn(fan_out, fan_in, generator=generator) * math.sqrt(2 / fan_in)
