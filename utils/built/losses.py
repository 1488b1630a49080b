"""Losses: numbers that say how wrong a prediction is. As lesson 05 builds them, equal to torch's.

Every function works without overflow for logits of any finite size, and so does its gradient. All take a
keyword ``reduction``: ``"mean"`` (one number), ``"sum"`` (one number) or ``"none"`` (one loss for each
example, or for each number in a regression).

    from utils.built.losses import cross_entropy
    loss = cross_entropy(logits, y)             # logits (B, k), y int64 (B,)
"""

from __future__ import annotations

from typing import Literal

import torch

__all__ = [
    "bce",
    "bce_with_logits",
    "cross_entropy",
    "hinge",
    "huber",
    "log_softmax",
    "log_sum_exp",
    "mae",
    "mse",
    "nll",
    "reduce",
    "smooth_l1",
    "softplus",
    "zero_one",
]

Reduction = Literal["mean", "sum", "none"]


def reduce(losses: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """Make one number of many losses, or leave them as they are. Built in lesson 05.

    Args:
        losses: any shape.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar tensor, or the losses themselves for "none".

    Raises:
        ValueError: there is no such reduction.
    """
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    return losses.mean() if reduction == "mean" else losses.sum()


# --- regression ----------------------------------------------------------------------------------------


def _difference(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``y_hat - y``, refusing shapes that would be stretched against each other without a word."""
    if y_hat.shape != y.shape:
        raise ValueError(
            f"prediction and target must have one shape, not {tuple(y_hat.shape)} and {tuple(y.shape)}"
        )
    return y_hat - y


def mse(y_hat: torch.Tensor, y: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """Squared error: the negative log-likelihood of Gaussian noise, up to constants. Built in lesson 05.

    Args:
        y_hat: predictions, any shape.
        y: targets, the same shape.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, or there is no such reduction.
    """
    return reduce(_difference(y_hat, y) ** 2, reduction)


def mae(y_hat: torch.Tensor, y: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """Absolute error: the negative log-likelihood of Laplace noise, up to constants. Built in lesson 05.

    Args, result and errors as in :func:`mse`.
    """
    return reduce(_difference(y_hat, y).abs(), reduction)


def huber(
    y_hat: torch.Tensor, y: torch.Tensor, delta: float = 1.0, reduction: Reduction = "mean"
) -> torch.Tensor:
    """Half the squared error up to delta, and from there a straight line of slope delta. Built in lesson 05.

    Args:
        y_hat: predictions, any shape.
        y: targets, the same shape.
        delta: where the parabola becomes a line; above 0.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, delta is not above 0, or there is no such reduction.

    Source: P. J. Huber (1964), Robust estimation of a location parameter.
    """
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta!r}")
    r = _difference(y_hat, y)
    size = r.abs()
    return reduce(torch.where(size < delta, r**2 / 2, delta * (size - delta / 2)), reduction)


def smooth_l1(
    y_hat: torch.Tensor, y: torch.Tensor, beta: float = 1.0, reduction: Reduction = "mean"
) -> torch.Tensor:
    """The absolute error with its corner rounded off up to beta. Built in lesson 05.

    It is Huber's loss divided by its threshold: far out its slope is 1, whatever beta is.

    Args:
        y_hat: predictions, any shape.
        y: targets, the same shape.
        beta: where the parabola becomes a line; above 0, or 0 for the plain absolute error.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, beta is negative, or there is no such reduction.

    Source: R. Girshick (2015), Fast R-CNN.
    """
    if not beta >= 0:
        raise ValueError(f"beta must not be negative, but is {beta!r}")
    if beta == 0:
        return mae(y_hat, y, reduction)
    r = _difference(y_hat, y)
    size = r.abs()
    return reduce(torch.where(size < beta, r**2 / (2 * beta), size - beta / 2), reduction)


# --- two classes ---------------------------------------------------------------------------------------


def zero_one(y_hat: torch.Tensor, y: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """1 for a wrong class, 0 for a right one; the mean is the share of errors. Built in lesson 05.

    It has no gradient to learn from. The result is of torch's default float type.

    Args:
        y_hat: predicted classes, any shape (not scores).
        y: true classes, the same shape.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, or there is no such reduction.
    """
    if y_hat.shape != y.shape:
        raise ValueError(f"both must have one shape, not {tuple(y_hat.shape)} and {tuple(y.shape)}")
    return reduce((y_hat != y).to(torch.get_default_dtype()), reduction)


def hinge(scores: torch.Tensor, y: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """What is missing to a score of 1 on the right side: max(0, 1 - y · score). Built in lesson 05.

    Args:
        scores: any shape; above 0 means class +1.
        y: targets +1 or -1, the same shape.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, or there is no such reduction.

    Source: C. Cortes, V. Vapnik (1995), Support-vector networks.
    """
    if scores.shape != y.shape:
        raise ValueError(f"both must have one shape, not {tuple(scores.shape)} and {tuple(y.shape)}")
    return reduce((1 - y * scores).clamp(min=0), reduction)


def bce(p: torch.Tensor, y: torch.Tensor, reduction: Reduction = "mean") -> torch.Tensor:
    """Binary cross-entropy of probabilities, logarithms cut off at -100 as by torch. Built in lesson 05.

    The value is torch's for every p from 0 to 1. The gradient is torch's for p between 1e-12 and 1 - 1e-12;
    nearer to the ends torch cuts the slope off at 1e12, while here it stays the true one until it becomes
    zero where the logarithm is cut. With logits at hand take :func:`bce_with_logits`.

    Args:
        p: probabilities of class 1, from 0 to 1, any shape.
        y: targets from 0 to 1, the same shape.
        reduction: "mean", "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, or there is no such reduction.
    """
    if p.shape != y.shape:
        raise ValueError(f"both must have one shape, not {tuple(p.shape)} and {tuple(y.shape)}")
    # Clamped before the logarithm: log(0) = -inf would make its gradient nan, even where it is not used.
    smallest = torch.exp(torch.tensor(-100.0, dtype=p.dtype, device=p.device))
    log_p, log_q = torch.log(torch.maximum(p, smallest)), torch.log(torch.maximum(1 - p, smallest))
    return reduce(-(y * log_p + (1 - y) * log_q), reduction)


def softplus(z: torch.Tensor) -> torch.Tensor:
    """log(1 + exp(z)) without overflow; its slope is the sigmoid, at z = 0 too. Built in lesson 05.

    Args:
        z: any shape.

    Returns:
        The same shape.
    """
    # (z + |z|) / 2 is max(z, 0), but autograd gives it the slope 1/2 at z = 0. relu and clamp say 0
    # there, which makes the gradient wrong wherever a network starts with logits of zero.
    return (z + z.abs()) / 2 + torch.log1p(torch.exp(-z.abs()))


def bce_with_logits(
    z: torch.Tensor,
    y: torch.Tensor,
    pos_weight: torch.Tensor | None = None,
    reduction: Reduction = "mean",
) -> torch.Tensor:
    """Binary cross-entropy straight from logits: the Bernoulli log-likelihood. Built in lesson 05.

    Args:
        z: logits, any shape.
        y: targets from 0 to 1, the same shape.
        pos_weight: how many times an example of class 1 counts; any shape that stretches to that of z.
        reduction: "mean" (over the number of examples, whatever the weights), "sum" or "none".

    Returns:
        A scalar, or the shape of the inputs for "none".

    Raises:
        ValueError: the shapes differ, or there is no such reduction.
    """
    if z.shape != y.shape:
        raise ValueError(f"both must have one shape, not {tuple(z.shape)} and {tuple(y.shape)}")
    times = 1 if pos_weight is None else pos_weight
    return reduce(times * y * softplus(-z) + (1 - y) * softplus(z), reduction)


# --- many classes --------------------------------------------------------------------------------------


def log_sum_exp(z: torch.Tensor, dim: int = -1, keepdim: bool = False) -> torch.Tensor:
    """log Σ exp(z) along a dimension, with the largest z taken out first. Built in lesson 05.

    Args:
        z: scores; in each row at least one must be finite and none +inf.
        dim: the dimension to sum over.
        keepdim: keep it, with size 1.

    Returns:
        The shape of z without `dim`, or with size 1 there.
    """
    largest = z.amax(dim=dim, keepdim=True)
    result = largest + torch.log(torch.exp(z - largest).sum(dim=dim, keepdim=True))
    return result if keepdim else result.squeeze(dim)


def log_softmax(z: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The logarithm of softmax, without computing softmax. Built in lesson 05.

    Args:
        z: logits, any shape.
        dim: the dimension along which the probabilities add up to 1.

    Returns:
        Log-probabilities, the same shape.
    """
    shifted = z - z.amax(dim=dim, keepdim=True)  # first of all: large numbers would swallow small differences
    return shifted - log_sum_exp(shifted, dim, keepdim=True)


def nll(
    log_p: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor | None = None,
    reduction: Reduction = "mean",
) -> torch.Tensor:
    """Negative log-likelihood: minus the log-probability of the right class. Built in lesson 05.

    Args:
        log_p: log-probabilities (B, k).
        y: classes 0 … k-1, int64 (B,).
        weight: how much each class counts (k,); all 1 if not given.
        reduction: "mean" (divided by the sum of the weights of the examples), "sum" or "none".

    Returns:
        A scalar, or (B,) for "none".

    Raises:
        ValueError: there is no such reduction.
    """
    losses = -log_p[torch.arange(len(y), device=log_p.device), y]  # (B,)
    if weight is None:
        return reduce(losses, reduction)
    losses = weight[y] * losses
    return losses.sum() / weight[y].sum() if reduction == "mean" else reduce(losses, reduction)


def cross_entropy(
    logits: torch.Tensor,
    y: torch.Tensor,
    weight: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> torch.Tensor:
    """Cross-entropy straight from logits: the categorical log-likelihood. Built in lesson 05.

    Args:
        logits: scores, not probabilities (B, k).
        y: classes 0 … k-1, int64 (B,).
        weight: how much each class counts (k,); all 1 if not given.
        label_smoothing: share of the target, 0 to 1, that is spread evenly over all k classes.
        reduction: "mean" (divided by the sum of the weights of the examples), "sum" or "none".

    Returns:
        A scalar, or (B,) for "none".

    Raises:
        ValueError: there is no such reduction.

    Source of label smoothing: C. Szegedy et al. (2016), Rethinking the Inception architecture.
    """
    log_p = log_softmax(logits, dim=1)  # (B, k)
    if label_smoothing == 0:
        return nll(log_p, y, weight, reduction)
    weight = torch.ones_like(log_p[0]) if weight is None else weight  # (k,)
    right = nll(log_p, y, weight, "none")  # (B,)
    everywhere = -(weight * log_p).mean(dim=1)  # (B,): each class asked for equally
    losses = (1 - label_smoothing) * right + label_smoothing * everywhere
    return losses.sum() / weight[y].sum() if reduction == "mean" else reduce(losses, reduction)
