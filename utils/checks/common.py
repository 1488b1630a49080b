"""What the exercises' cases, probes and wrong answers share, whatever their lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .exercise import NotAsAsked

NOT_LOOKED_AT = "not looked at, since the parameters are not those asked for"
"""What a probe returns in place of an output that would say nothing."""


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


def made_module(work: Callable, *args: Any) -> nn.Module:
    """The module that the learner's class makes; torch's own generator is left as it was.

    Raises:
        NotAsAsked: if it is no module that could be called.
    """
    early = (
        "`nn.Module` must set itself up before it can take in layers: the first line of `__init__` calls the "
        "`__init__` of the class above, with `super()`."
    )
    try:
        with torch.random.fork_rng(devices=[]):
            model = work(*args)
    except AttributeError as error:
        raise NotAsAsked(early) if "before Module.__init__" in str(error) else error from None
    if not isinstance(model, nn.Module):
        raise NotAsAsked(
            "Your class does not build on `nn.Module`, so it has no `parameters()`, and an optimizer would "
            "find nothing to train. Name it in the parentheses after the class's name."
        )
    if "_parameters" not in vars(model):
        raise NotAsAsked(early)
    if type(model).forward is nn.Module.forward:
        raise NotAsAsked(
            "Your class has no method `forward`, which says what happens to X. It stands in the class, "
            "indented as far as `__init__`."
        )
    return model


def given_back(out: Any) -> Tensor:
    """What came out of the learner's `forward`, if it is a tensor."""
    if out is None:
        raise NotAsAsked("Your `forward` returns nothing. Is there a `return` at its end?")
    if not isinstance(out, Tensor):
        raise NotAsAsked(f"`forward` should return a tensor, but it returns {type(out).__name__}.")
    return out


def gradient_reach(model: nn.Module, out: Tensor) -> str:
    """How many parameters a gradient of the output reaches."""
    parameters = list(model.parameters())
    if out.requires_grad:
        out.square().sum().backward()
    return f"reaches {sum(p.grad is not None for p in parameters)} of {len(parameters)} parameters"
