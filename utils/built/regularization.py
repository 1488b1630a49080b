"""Remedies against memorising, as lesson 09 builds them: penalties, dropout, shifts, early stopping,
and a committee of networks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["EarlyStopping", "dropout", "ensemble", "l1_penalty", "l2_penalty", "random_shift"]


def l1_penalty(model: nn.Module, strength: float) -> Tensor:
    """What to add to the loss so that weights become zero. Built in lesson 09, exercise 09.l1_penalty.

    Args:
        model: any module. Its weights are the parameters with two dimensions or more: biases, and the scales
            of a normalisation, are left alone.
        strength: how much one unit of |weight| costs.

    Returns:
        strength · sum of |w|, shape (), with its gradient.
    """
    return strength * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)


def l2_penalty(model: nn.Module, strength: float) -> Tensor:
    """What to add to the loss so that weights stay small. Built in lesson 09, exercise 09.l2_penalty.

    Args:
        model: any module. Its weights are the parameters with two dimensions or more: biases, and the scales
            of a normalisation, are left alone.
        strength: how much one unit of weight² costs.

    Returns:
        strength · sum of w², shape (), with its gradient.
    """
    return strength * sum((p**2).sum() for p in model.parameters() if p.ndim > 1)


def dropout(a: Tensor, p: float, training: bool, generator: torch.Generator | None = None) -> Tensor:
    """Inverted dropout: each activation is zero with probability p, the others grow. Built in lesson 09.

    G. Hinton and others (2012). What is left is divided by 1 − p, so that its mean stays what it was and
    nothing needs to be done when the network is used.

    Args:
        a: activations of any shape.
        p: share to drop, 0 ≤ p < 1.
        training: if False, `a` comes back as it is.
        generator: where the mask comes from; torch's own if none is given.

    Returns:
        A tensor of the shape of `a`.

    Raises:
        ValueError: if p is not in [0, 1).
    """
    if not 0 <= p < 1:
        raise ValueError(f"p must be at least 0 and less than 1, not {p}")
    if not training or p == 0:
        return a
    keep = torch.rand(a.shape, generator=generator, device=a.device) >= p
    return a * keep / (1 - p)


def random_shift(images: Tensor, most: int, generator: torch.Generator | None = None) -> Tensor:
    """Every picture moved by a few pixels of its own. Built in lesson 09, exercise 09.random_shift.

    Args:
        images: shape (B, H, W).
        most: largest shift in pixels, up or down and to the left or right.
        generator: where the shifts come from; torch's own if none is given.

    Returns:
        Shape (B, H, W). What leaves the picture is lost; zeros come in on the other side.
    """
    B, H, W = images.shape
    padded = nn.functional.pad(images, (most, most, most, most))  # (B, H + 2 most, W + 2 most)
    top, left = torch.randint(0, 2 * most + 1, (2, B), generator=generator).to(images.device)
    rows = top[:, None] + torch.arange(H, device=images.device)  # (B, H)
    columns = left[:, None] + torch.arange(W, device=images.device)  # (B, W)
    which = torch.arange(B, device=images.device)
    return padded[which[:, None, None], rows[:, :, None], columns[:, None, :]]


class EarlyStopping:
    """Keep the best weights and say when to stop. Built in lesson 09, exercise 09.early_stopping.

    Args:
        patience: how many epochs without a better loss are allowed; with 1 the first such epoch ends it.

    Attributes:
        best_loss: the lowest validation loss so far.
        best_weights: a copy of the model's state dict at that moment, or None before the first update.
        waited: epochs since then.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] | None = None
        self.waited = 0

    def update(self, loss: float, model: nn.Module) -> bool:
        """Take note of an epoch's validation loss. True if it is time to stop.

        Equal is not better, and neither is nan.
        """
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience


def ensemble(models: Sequence[nn.Module], X: Tensor) -> Tensor:
    """What several classifiers say together. Built in lesson 09, exercise 09.ensemble.

    Args:
        models: modules that give logits of shape (B, k).
        X: inputs, shape (B, …).

    Returns:
        The mean of their probabilities, shape (B, k).
    """
    return torch.stack([model(X).softmax(dim=1) for model in models]).mean(dim=0)
