"""Attention, its masks, several heads and positions, as lesson 14 builds them.

Sequences have the shape (B, T, d): batch, places, features. A mask is True where a query may look, as
`torch.nn.functional.scaled_dot_product_attention` has it; the masks of `nn.MultiheadAttention` are the other
way round, True where it may not.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = [
    "MultiHeadAttention",
    "attention",
    "causal_mask",
    "merge_heads",
    "padding_mask",
    "sinusoidal_positions",
    "split_heads",
]


def attention(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention: for each query a weighted mean of the values. Built in lesson 14.

    Args:
        Q: queries, shape (..., T_q, d).
        K: keys, shape (..., T_k, d).
        V: values, shape (..., T_k, d_v).
        mask: bool, broadcast against (..., T_q, T_k), True where a query may look. Each query needs one key
            at least that it may look at: else its weights are NaN.

    Returns:
        The weighted means, shape (..., T_q, d_v), and the weights, shape (..., T_q, T_k): not negative, and
        each row sums to 1.

    Source: Vaswani and others, 2017, "Attention is all you need".
    """
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (..., T_q, T_k)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ V, weights


def causal_mask(T: int) -> Tensor:
    """Each place may look at itself and at those before it. Built in lesson 14.

    Args:
        T: number of places.

    Returns:
        Bool, shape (T, T), rows for queries and columns for keys: True on the diagonal and below.
    """
    return torch.ones(T, T, dtype=torch.bool).tril()


def padding_mask(lengths: Tensor, T: int) -> Tensor:
    """Which places are real and which only fill up. Built in lesson 14.

    Args:
        lengths: real places of each sequence, whole numbers, shape (B,).
        T: places of the padded batch.

    Returns:
        Bool, shape (B, T), True where real. Against weights of shape (B, h, T_q, T) it is written
        `padding_mask(lengths, T)[:, None, None, :]`.
    """
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def split_heads(X: Tensor, h: int) -> Tensor:
    """Cut the features into h equal parts, one for each head. Built in lesson 14.

    Args:
        X: shape (B, T, d_model).
        h: number of heads.

    Returns:
        Shape (B, h, T, d_model / h): head i has the i-th part of the features of each place.

    Raises:
        ValueError: if d_model cannot be divided by h.
    """
    B, T, d_model = X.shape
    if d_model % h:
        raise ValueError(f"{d_model} features cannot be cut into {h} equal heads")
    return X.reshape(B, T, h, d_model // h).transpose(1, 2)  # cut the features first, then move the axis


def merge_heads(X: Tensor) -> Tensor:
    """Put the features of all heads side by side again: `split_heads` undone. Built in lesson 14.

    Args:
        X: shape (B, h, T, d_k).

    Returns:
        Shape (B, T, h · d_k).
    """
    return X.transpose(1, 2).flatten(2)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own part of the features. Built in lesson 14.

    The last call's weights, shape (B, h, T_q, T_k), are in `weights`, cut off from the graph.

    Args:
        d_model: features that come in and go out.
        h: number of heads; d_model must be a multiple of it.

    Raises:
        ValueError: if d_model cannot be divided by h.
    """

    weights: Tensor

    def __init__(self, d_model: int, h: int) -> None:
        super().__init__()
        if d_model % h:
            raise ValueError(f"{d_model} features cannot be cut into {h} equal heads")
        self.h = h
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, X: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Let each place of X look at all places of a context.

        Args:
            X: where the queries come from, shape (B, T_q, d_model).
            context: where keys and values come from, shape (B, T_k, d_model); X itself if not given.
            mask: bool, broadcast against (B, h, T_q, T_k), True where a query may look.

        Returns:
            Shape (B, T_q, d_model).
        """
        context = X if context is None else context
        Q = split_heads(self.W_q(X), self.h)  # (B, h, T_q, d_k)
        K = split_heads(self.W_k(context), self.h)  # (B, h, T_k, d_k)
        V = split_heads(self.W_v(context), self.h)
        out, weights = attention(Q, K, V, mask)
        self.weights = weights.detach()
        return self.W_o(merge_heads(out))


def sinusoidal_positions(T: int, d_model: int) -> Tensor:
    """Sine and cosine waves that tell places apart, in pairs from fast to slow. Built in lesson 14.

    Column 2i holds sin(t / 10000^(2i / d_model)) and column 2i + 1 the cosine of the same angle.

    Args:
        T: number of places.
        d_model: number of features; even.

    Returns:
        Shape (T, d_model), in torch's default dtype.

    Raises:
        ValueError: if d_model is odd.

    Source: Vaswani and others, 2017, "Attention is all you need".
    """
    if d_model % 2:
        raise ValueError(f"sines and cosines come in pairs: d_model must be even, not {d_model}")
    rates = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (d_model / 2,)
    angles = torch.arange(T)[:, None] * rates  # (T, d_model / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
