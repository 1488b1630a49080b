"""What lesson 03 built: shapes that fit, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import torch
from torch import Tensor


def broadcast_shape(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The shape that two shapes broadcast to.

    Built in lesson 03, exercise 03.broadcast_shape.

    Args:
        a: lengths of the axes of the first tensor, outermost first; () for a single number.
        b: the same for the second.

    Returns:
        One length for each axis of the longer shape.

    Raises:
        ValueError: if two axes that meet have different lengths and neither is 1.
    """
    lengths = []
    for m, n in zip_longest(reversed(a), reversed(b), fillvalue=1):
        if m != n and 1 not in (m, n):
            raise ValueError(f"shapes {tuple(a)} and {tuple(b)} do not fit: {m} meets {n}")
        lengths.append(n if m == 1 else m)  # not the larger one: 1 against 0 gives 0
    return tuple(reversed(lengths))


def standardize(X: Tensor) -> Tensor:
    """Each column with mean 0 and standard deviation 1.

    Built in lesson 03, exercise 03.standardize.

    Args:
        X: inputs (n, features), floating point.

    Returns:
        Shape (n, features). The deviation is the biased one (divided by n, not by n − 1). A column in
        which all numbers are equal becomes zeros.
    """
    centred = X - X.mean(dim=0)  # (n, features)
    std = centred.square().mean(dim=0).sqrt()  # (features,)
    # asked of the numbers, not of std: rounding can leave a constant column a tiny deviation
    constant = X.eq(X[:1]).all(dim=0)
    return torch.where(constant, torch.zeros_like(X), centred / torch.where(constant, 1.0, std))


def one_hot(y: Tensor, k: int) -> Tensor:
    """A row for each class number, with a 1 at its place and zeros elsewhere.

    Built in lesson 03, exercise 03.one_hot.

    Args:
        y: class numbers (n,), from 0 to k − 1.
        k: how many classes there are.

    Returns:
        Shape (n, k), float32.
    """
    return (y[:, None] == torch.arange(k, device=y.device)).float()


def pairwise_sq_distances(X: Tensor, Y: Tensor) -> Tensor:
    """Squared distance of every point of X from every point of Y.

    Built in lesson 03, exercise 03.pairwise_sq_distances.

    Uses |x − y|² = |x|² + |y|² − 2 x·y, so that nothing of shape (n, m, d) is ever made. Where points lie
    far from the origin and close together, the subtraction loses digits; what rounding makes negative is
    set to 0.

    Args:
        X: n points of d numbers, (n, d).
        Y: m points of d numbers, (m, d).

    Returns:
        Shape (n, m), never negative.
    """
    squares = X.square().sum(dim=1, keepdim=True) + Y.square().sum(dim=1)  # (n, 1) + (m,) -> (n, m)
    return (squares - 2 * X @ Y.T).clamp(min=0)


def safe_mse(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean squared error that refuses to broadcast.

    Built in lesson 03, exercise 03.safe_mse.

    Args:
        y_hat: predictions, any shape.
        y: targets, the same shape.

    Returns:
        One number, shape ().

    Raises:
        ValueError: if the shapes differ.
    """
    if y_hat.shape != y.shape:
        raise ValueError(f"predictions {tuple(y_hat.shape)} and targets {tuple(y.shape)} must have one shape")
    return (y_hat - y).square().mean()


def unbroadcast(gradient: Tensor, shape: Sequence[int]) -> Tensor:
    """The gradient of a stretched tensor, summed back to the tensor's own shape.

    Built in lesson 03, exercise 03.unbroadcast.

    Args:
        gradient: gradient of the loss with respect to the stretched tensor.
        shape: the shape before stretching; it must broadcast to that of `gradient`.

    Returns:
        Shape `shape`: the sum over the axes that were added on the left or stretched from length 1.

    Raises:
        ValueError: if `shape` does not broadcast to the gradient's shape.
    """
    if broadcast_shape(gradient.shape, shape) != tuple(gradient.shape):
        raise ValueError(f"a tensor of shape {tuple(shape)} cannot be stretched to {tuple(gradient.shape)}")
    added = gradient.dim() - len(shape)
    if added:
        gradient = gradient.sum(dim=tuple(range(added)))
    stretched = tuple(i for i, length in enumerate(shape) if length == 1 and gradient.shape[i] != 1)
    if stretched:
        gradient = gradient.sum(dim=stretched, keepdim=True)
    return gradient
