"""Lesson 01: the neuron with a step, the perceptron rule, the gradient of logistic regression."""

from __future__ import annotations

import torch

History = list[tuple[torch.Tensor, torch.Tensor, int]]


def neuron(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """One neuron with a step: 1 where w·x + b >= 0, else 0. Built in lesson 01.

    Args:
        x: one input, shape (d,).
        w: weights, shape (d,).
        b: bias, shape ().

    Returns:
        0 or 1, int64, shape (). Source: Rosenblatt, The perceptron, 1958.
    """
    z = (w * x).sum() + b
    return (z >= 0).long()


def update(
    x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of the perceptron rule: unchanged weights if the neuron is right. Built in lesson 01.

    Args:
        x: the point, shape (d,).
        y: its class, 0 or 1, shape ().
        w: weights, shape (d,).
        b: bias, shape ().

    Returns:
        The new w and b. Source: Rosenblatt, The perceptron, 1958.
    """
    error = y - (w @ x + b >= 0).long()
    return w + error * x, b + error


def train_perceptron(
    X: torch.Tensor, y: torch.Tensor, max_epochs: int = 100
) -> tuple[torch.Tensor, torch.Tensor, list[int], History]:
    """The perceptron rule from zero weights, until an epoch without a mistake. Built in lesson 01.

    Args:
        X: inputs, shape (n, d).
        y: classes, 0 or 1, shape (n,).
        max_epochs: where to stop if the classes cannot be separated.

    Returns:
        w, b, the mistakes in each epoch, and the history of updates: (w, b, number of the point).
    """
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes: list[int] = []
    history: History = []
    for _ in range(max_epochs):
        mistakes.append(0)
        for i in range(len(X)):
            w_new, b_new = update(X[i], y[i], w, b)
            if b_new != b:  # the bias moves exactly when the answer was wrong
                w, b = w_new, b_new
                mistakes[-1] += 1
                history.append((w, b, i))
        if mistakes[-1] == 0:
            break
    return w, b, mistakes, history


def logistic_gradient(
    X: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient of the mean binary cross-entropy of logistic regression. Built in lesson 01.

    Args:
        X: inputs, shape (n, d).
        y: classes, 0 or 1, floating point, shape (n,).
        w: weights, shape (d,).
        b: bias, shape ().

    Returns:
        The gradients with respect to w, shape (d,), and b, shape ().
    """
    p = 1 / (1 + torch.exp(-(X @ w + b)))  # (n,)
    error = p - y  # (n,)
    return X.T @ error / len(X), error.mean()
