"""What the exercises' cases, probes and wrong answers share, whatever their lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .exercise import NotAsAsked


def whole_number(generator: torch.Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def normal(generator: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    """Normally distributed numbers with mean 0 and standard deviation `scale`, float32."""
    return scale * torch.randn(shape, generator=generator)


def changed(source: str, *changes: tuple[str, str]) -> str:
    """A source with some of its text changed: how a wrong answer is made of the right one.

    Raises:
        ValueError: if a text that is to be changed does not stand in the source.
    """
    for old, new in changes:
        if old not in source:
            raise ValueError(f"there is no {old!r} in the source:\n{source}")
        source = source.replace(old, new)
    return source


def trainable_loss(work: Callable, first: Tensor, *rest: Any) -> Any:
    """Probe of the losses: the loss, through which a gradient must be able to go back.

    Raises:
        NotAsAsked: if the work returns a plain number, or a tensor cut off from its first argument.
    """
    loss = work(first.detach().clone().requires_grad_(), *rest)
    plain = isinstance(loss, (int, float)) and not isinstance(loss, bool)
    if plain or (isinstance(loss, Tensor) and loss.is_floating_point() and not loss.requires_grad):
        raise NotAsAsked(
            "The loss should be a tensor through which the gradient can go back: with a plain number, after "
            "`.item()`, `.detach()` or `float(…)`, nothing can be trained."
        )
    return loss.detach() if isinstance(loss, Tensor) else loss
