"""Turning what a learner passes (tensor, array, list) into checked NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def to_array(values: Any) -> np.ndarray:
    """Tensor (any device, with or without gradient), array or nested list of either -> NumPy array."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return values.float().numpy() if values.dtype == torch.bfloat16 else values.numpy()
    if isinstance(values, (list, tuple)) and any(isinstance(item, torch.Tensor) for item in values):
        return np.stack([to_array(item) for item in values])
    return np.asarray(values)


def to_points(X: Any) -> np.ndarray:
    """Points in the plane as float array (N, 2).

    Raises:
        ValueError: for any other shape.
    """
    points = to_array(X)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"X must hold points in the plane, shape (N, 2), but has shape {points.shape}")
    return points.astype(float)


def to_classes(y: Any, count: int) -> np.ndarray:
    """Labels as class numbers 0, 1, …, int array (N,). Labels -1 and +1 become classes 0 and 1.

    Raises:
        ValueError: if there are not `count` labels in one dimension, or they are no class numbers.
    """
    labels = to_array(y)
    if labels.shape != (count,):
        raise ValueError(
            f"y must hold one label for each of the {count} points, but has shape {labels.shape}"
        )
    classes = labels.astype(int)
    if not np.array_equal(classes, labels):
        raise ValueError("y must hold whole numbers: the class of each point")
    if classes.size and classes.min() == -1 and set(np.unique(classes)) <= {-1, 1}:
        return (classes + 1) // 2
    if classes.size and classes.min() < 0:
        raise ValueError(f"y must hold classes 0, 1, … or labels -1 and +1, not {np.unique(classes)}")
    return classes
