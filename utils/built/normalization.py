"""Normalisation inside a network, as lesson 08 builds it: equal to torch's own layers.

    model = nn.Sequential(nn.Linear(784, 100), BatchNorm(100), nn.ReLU(), nn.Linear(100, 10))
    model.train()  # with the statistics of the batch at hand, remembering them
    model.eval()  # with the remembered ones

Statistics are taken over the batch in one, over the features of each example in the other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["BatchNorm", "LayerNorm"]


class BatchNorm(nn.Module):
    """Standardise each feature over the batch, then scale and shift it. Built in lesson 08.

    In training mode with mean and variance of the batch (divided by B), which are also mixed into the
    running statistics (there the variance is divided by B - 1, as torch does). In evaluation mode with the
    running statistics, so that an example's result does not depend on its neighbours.

    Args:
        features: numbers per example.
        momentum: share of the newest batch in the running statistics.
        eps: added to the variance, so that a constant feature causes no division by zero.

    Attributes:
        gamma: scale, a parameter of shape (features,), at first all 1.
        beta: shift, a parameter of shape (features,), at first all 0.
        running_mean: a buffer of shape (features,), at first all 0.
        running_var: a buffer of shape (features,), at first all 1.

    Source: S. Ioffe, C. Szegedy (2015), Batch normalization.
    """

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features))
        # Buffers: kept in the state dict and moved with the model, but not learned.
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, X: Tensor) -> Tensor:
        """Standardised, scaled and shifted inputs.

        Args:
            X: shape (B, features).

        Returns:
            Shape (B, features).

        Raises:
            ValueError: X is not of that shape, or is a batch of one in training mode.
        """
        if X.ndim != 2 or X.shape[1] != len(self.gamma):
            raise ValueError(f"X must have shape (B, {len(self.gamma)}), not {tuple(X.shape)}")
        if self.training:
            if len(X) < 2:
                raise ValueError("training needs a batch of at least 2: one example has no spread")
            mean, var = X.mean(dim=0), X.var(dim=0, correction=0)
            with torch.no_grad():
                n = len(X)
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        return self.gamma * (X - mean) / torch.sqrt(var + self.eps) + self.beta


class LayerNorm(nn.Module):
    """Standardise each example over its own features, then scale and shift. Built in lesson 08.

    It needs no batch and no memory, and does the same in training and in evaluation.

    Args:
        features: numbers in the last dimension.
        eps: added to the variance, so that equal features cause no division by zero.

    Attributes:
        gamma: scale, a parameter of shape (features,), at first all 1.
        beta: shift, a parameter of shape (features,), at first all 0.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton (2016), Layer normalization.
    """

    def __init__(self, features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features))

    def forward(self, X: Tensor) -> Tensor:
        """Standardised, scaled and shifted inputs.

        Args:
            X: any shape (..., features).

        Returns:
            The same shape.

        Raises:
            ValueError: the last dimension is not `features` long.
        """
        if X.shape[-1] != len(self.gamma):  # a last dimension of 1 would be stretched without a word
            raise ValueError(f"X must have shape (..., {len(self.gamma)}), not {tuple(X.shape)}")
        mean = X.mean(dim=-1, keepdim=True)
        var = X.var(dim=-1, correction=0, keepdim=True)
        return self.gamma * (X - mean) / torch.sqrt(var + self.eps) + self.beta
