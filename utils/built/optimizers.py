"""Minibatches, seven optimizers and clipping, as lesson 07 builds them.

Every optimizer has `step()` and `zero_grad()` and works on any iterable of tensors that have a gradient.
Equal to `torch.optim` up to rounding; see tests/test_built_optimizers.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "clip_by_norm",
    "minibatches",
]


def minibatches(
    X: Tensor, y: Tensor, batch_size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """All examples once, in a new random order, in batches. Built in lesson 07, exercise 07.minibatches.

    Args:
        X: inputs, shape (n, …).
        y: targets, shape (n, …), in the order of the inputs.
        batch_size: examples in a batch; the last batch may be smaller.
        generator: where the order comes from; torch's own if none is given.

    Yields:
        Pairs (X, y) of shapes (B, …): every example in exactly one batch, beside its own target.
    """
    order = torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        batch = order[start : start + batch_size]
        yield X[batch], y[batch]


class Optimizer:
    """What all optimizers share: the list of parameters and a memory for each. Built in lesson 07.

    A subclass defines `update(p, g, memory)`, which changes the tensor `p` in place. `lr` may be changed
    between two steps: that is what a schedule does.
    """

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params, self.lr = list(params), lr
        self.memory: list[dict] = [{} for _ in self.params]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        with torch.no_grad():
            for p, memory in zip(self.params, self.memory, strict=True):
                if p.grad is not None:
                    self.update(p, p.grad, memory)

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """Change one parameter in place, given its gradient (same shape) and its own memory."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to update")


class SGD(Optimizer):
    """Against the gradient: p ← p − lr · g. Built in lesson 07."""

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step against the gradient."""
        p -= self.lr * g


class Momentum(Optimizer):
    """A velocity that remembers: v ← momentum · v + g, p ← p − lr · v. Built in lesson 07.

    B. T. Polyak (1964); in the form torch uses, where lr stands outside the velocity.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.9) -> None:
        super().__init__(params, lr)
        self.momentum = momentum

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step along the velocity."""
        v = memory.setdefault("v", torch.zeros_like(p))
        v *= self.momentum
        v += g
        p -= self.lr * v


class Nesterov(Momentum):
    """Momentum that looks one step ahead: p ← p − lr · (g + momentum · v). Built in lesson 07.

    Y. Nesterov (1983), in the form of Sutskever and others (2013) that torch uses.
    """

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step along the gradient and the velocity to come."""
        v = memory.setdefault("v", torch.zeros_like(p))
        v *= self.momentum
        v += g
        p -= self.lr * (g + self.momentum * v)


class Adagrad(Optimizer):
    """Divide by the root of the sum of all squared gradients so far. Built in lesson 07.

    J. Duchi, E. Hazan, Y. Singer (2011).
    """

    def __init__(self, params: Iterable[Tensor], lr: float, eps: float = 1e-10) -> None:
        super().__init__(params, lr)
        self.eps = eps

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step, shorter and shorter where gradients have been large."""
        s = memory.setdefault("s", torch.zeros_like(p))
        s += g**2
        p -= self.lr * g / (s.sqrt() + self.eps)


class RMSProp(Optimizer):
    """Divide by the root of a running mean of squared gradients. Built in lesson 07.

    G. Hinton (2012), lecture 6 of his course on neural networks.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(params, lr)
        self.alpha, self.eps = alpha, eps

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step, as long as the gradient is large compared with its usual size."""
        s = memory.setdefault("s", torch.zeros_like(p))
        s *= self.alpha
        s += (1 - self.alpha) * g**2
        p -= self.lr * g / (s.sqrt() + self.eps)


class Adam(Optimizer):
    """Running means of gradient and squared gradient, both corrected for their start. Built in lesson 07.

    D. P. Kingma, J. Ba (2015). `correct=False` leaves the correction out, to see what it is good for.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        correct: bool = True,
    ) -> None:
        super().__init__(params, lr)
        self.betas, self.eps, self.correct = betas, eps, correct

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """One step along the mean gradient, divided by its usual size."""
        beta1, beta2 = self.betas
        m = memory.setdefault("m", torch.zeros_like(p))
        s = memory.setdefault("s", torch.zeros_like(p))
        t = memory["t"] = memory.get("t", 0) + 1
        m *= beta1
        m += (1 - beta1) * g
        s *= beta2
        s += (1 - beta2) * g**2
        m_hat, s_hat = (m / (1 - beta1**t), s / (1 - beta2**t)) if self.correct else (m, s)
        p -= self.lr * m_hat / (s_hat.sqrt() + self.eps)


class AdamW(Adam):
    """Adam with weight decay kept out of the gradient. Built in lesson 07.

    I. Loshchilov, F. Hutter (2019): every step first shrinks p by the factor 1 − lr · weight_decay.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay

    def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
        """Shrink, then one step of Adam."""
        p *= 1 - self.lr * self.weight_decay
        super().update(p, g, memory)


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, made shorter together if they are longer than max_norm together. Built in lesson 07.

    Args:
        gradients: one tensor for each parameter, of any shapes.
        max_norm: largest length, over all entries of all tensors, that is left as it is.

    Returns:
        New tensors of the same shapes. All are multiplied by the same factor, so the direction stays.
    """
    norm = torch.sqrt(sum((g**2).sum() for g in gradients))
    factor = min(1.0, max_norm / norm.item()) if norm > 0 else 1.0
    return [g * factor for g in gradients]
