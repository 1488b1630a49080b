# %% [markdown]
# # 14 · Exercises: Looking where it matters
#
# They go with [lesson 14](../14_attention.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.
#
# All masks here are of type bool, True where one **may** look.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks import check, hint, progress

# %% exercise="14.scaled_dot_product"
# === statement
# ### 14.scaled_dot_product ●● Look up, softly
#
# Write `scaled_dot_product(Q, K, V, mask=None)`: for each query a weighted mean of the values. Its weights are the softmax of its
# dot products with all keys, divided by √d, d being the number of features of a query.
#
# - `Q`: queries, shape (..., T_q, d); `K`: keys, shape (..., T_k, d); `V`: values, shape (..., T_k, d_v). The dots stand for any
#   axes in front: none, a batch, a batch and heads
# - `mask`: None, or bool of a shape that can be broadcast to (..., T_q, T_k), True where a query may look. What it may not look
#   at gets the weight 0, and the others share the whole 1. Each query may look at one key at least
# - returns: two tensors, the means of shape (..., T_q, d_v) and the weights of shape (..., T_q, T_k)
#
# Use torch's tensors, but not `F.scaled_dot_product_attention`, which does not tell the weights.
#
# For example the query (2, 0, 0, 0) with the keys (1, 0, 0, 0), (0, 3, 0, 0), (0, 0, 0, 5) and the mask (True, True, False): the
# dot products are 2, 0 and 0, divided by √4 they are 1, 0 and 0, and the weights 0.731, 0.269 and 0. With the values (10, 0),
# (20, 4), (90, 90) the mean is (12.69, 1.08).
# === code
def scaled_dot_product(Q, K, V, mask=None):
    """Weighted means of the values (..., T_q, d_v), and the weights (..., T_q, T_k)."""
    # === solution
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (..., T_q, T_k)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ V, weights
    # === stub
    raise NotImplementedError("write scaled_dot_product, then run this cell and the check below")
    # === end
# === explanation
# Only the last two axes of K change places, so any axes may stand in front. The mask comes before the softmax: e to the power of
# −∞ is 0, and the division by the sum lets the others share the 1. After the softmax, the forbidden scores would have taken their
# part of the 1 already.
#
# `torch.where(mask, scores, -math.inf)` is right, too. So is a very negative number such as −1e9 in place of −∞, as long as no
# real score comes near it.

# %% exercise="14.causal_mask"
# === statement
# ### 14.causal_mask ● No look ahead
#
# Write `causal_mask(T)`: who may look at whom if each place sees itself and what came before it, and nothing that comes later.
#
# - `T`: number of places, 1 or more
# - returns: bool, shape (T, T). The row is the place that looks, the column the place that it looks at; True where it may
#
# For example `causal_mask(3)` is ((True, False, False), (True, True, False), (True, True, True)).
# === code
def causal_mask(T):
    """Bool (T, T): True where the place of the row may look at the place of the column."""
    # === solution
    return torch.ones(T, T, dtype=torch.bool).tril()
    # === stub
    raise NotImplementedError("write causal_mask, then run this cell and the check below")
    # === end
# === explanation
# `tril` keeps the lower triangle with the diagonal. Comparing places says the same in words: `t[:, None] >= t` with
# `t = torch.arange(T)` is True where the row's place is not before the column's.
#
# Without the diagonal the first place would see nothing at all, and its softmax would be NaN.

# %% exercise="14.padding_mask"
# === statement
# ### 14.padding_mask ● What is real
#
# The sequences of a batch have different lengths; behind its end each is filled up to T places. Write
# `padding_mask(lengths, T)`: which places are real.
#
# - `lengths`: number of real places of each sequence, int64, shape (B,); none is larger than T
# - `T`: places of the filled-up batch; there may be more than the longest sequence needs
# - returns: bool, shape (B, T), True where real
#
# For example the lengths (2, 4, 0) and T = 4 give ((True, True, False, False), (True, True, True, True),
# (False, False, False, False)).
# === code
def padding_mask(lengths, T):
    """Bool (B, T): True where a place is real, False where it only fills up."""
    # === solution
    return torch.arange(T) < lengths[:, None]
    # === stub
    raise NotImplementedError("write padding_mask, then run this cell and the check below")
    # === end
# === explanation
# Places are counted from 0, so a sequence of length 2 has the places 0 and 1: the comparison is `<`. The places, shape (T,), meet
# the lengths, shape (B, 1), and broadcasting makes a table of it.
#
# To mask weights of shape (B, h, T_q, T), it needs axes for heads and queries: `padding_mask(lengths, T)[:, None, None, :]`.

# %% exercise="14.split_heads"
# === statement
# ### 14.split_heads ●● Each head gets its features
#
# Write `split_heads(X, h)`: cut the features of every place into h equal parts, one for each head. Head 0 gets the first
# d_model / h features of each place, head 1 the next ones, and so on.
#
# - `X`: shape (B, T, d_model)
# - `h`: number of heads, a whole number
# - returns: shape (B, h, T, d_model / h)
# - raises `ValueError` if d_model cannot be divided by h
#
# For example, one sequence of two places with four features, ((1, 2, 3, 4), (5, 6, 7, 8)), and h = 2: head 0 has
# ((1, 2), (5, 6)), head 1 has ((3, 4), (7, 8)).
# === code
def split_heads(X, h):
    """Features cut into h parts: (B, T, d_model) -> (B, h, T, d_model / h)."""
    # === solution
    B, T, d_model = X.shape
    if d_model % h:
        raise ValueError(f"{d_model} features cannot be cut into {h} equal parts")
    return X.reshape(B, T, h, d_model // h).transpose(1, 2)
    # === stub
    raise NotImplementedError("write split_heads, then run this cell and the check below")
    # === end
# === explanation
# `reshape` never moves a number past another: it may cut the last axis in two, and it does so place by place. Only then may the
# heads go before the places, and that takes `transpose`, which does move them.
#
# `X.reshape(B, h, T, d_k)` has the right shape and the wrong numbers: its head 0 has all features of the first places.

# %% exercise="14.multi_head"
# === statement
# ### 14.multi_head ●●● Several heads, one layer
#
# Write the class `MultiHeadAttention(d_model, h)`, an `nn.Module`. It has four layers `nn.Linear(d_model, d_model)` with biases,
# called `W_q`, `W_k`, `W_v` and `W_o`, and nothing else to learn.
#
# `forward(X, context=None, mask=None)` makes queries of X, and keys and values of `context`, or of X if there is none. Each of
# the h heads attends by itself, with its own d_k = d_model / h of their features: head 0 with the first ones. The results of the
# heads are put side by side, head 0 first, and go through `W_o`.
#
# - `X`: shape (B, T_q, d_model); `context`: shape (B, T_k, d_model)
# - `mask`: None, or bool of a shape that can be broadcast to (B, h, T_q, T_k), True where a query may look
# - returns: shape (B, T_q, d_model)
# - `MultiHeadAttention(d_model, h)` raises `ValueError` if d_model cannot be divided by h
#
# You may use `F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)`, whose mask has the same meaning. For example,
# `MultiHeadAttention(6, 2)` has 4 · (6 · 6 + 6) = 168 numbers to learn, and so has `MultiHeadAttention(6, 3)`. The check puts its
# own weights into your layers and looks at what comes out.
# === code
class MultiHeadAttention(nn.Module):
    """h heads side by side: (B, T_q, d_model) -> (B, T_q, d_model)."""

    def __init__(self, d_model, h):
        # === solution
        super().__init__()
        if d_model % h:
            raise ValueError(f"{d_model} features cannot be cut into {h} equal parts")
        self.h = h
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        # === stub
        raise NotImplementedError("make the four layers here")
        # === end

    def forward(self, X, context=None, mask=None):
        # === solution
        context = X if context is None else context
        Q, K, V = self.W_q(X), self.W_k(context), self.W_v(context)
        Q, K, V = (Y.unflatten(2, (self.h, -1)).transpose(1, 2) for Y in (Q, K, V))  # (B, h, T, d_k)
        out = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
        return self.W_o(out.transpose(1, 2).flatten(2))
        # === stub
        raise NotImplementedError("let the heads attend, then run this cell and the check below")
        # === end
# === explanation
# One layer makes the queries of all heads at once; the heads are parts of its output. The axis of the heads goes before the
# places, so that attention takes it for one more axis of the batch. On the way back it goes behind the places first, and only
# then do the parts lie side by side: `flatten` without that would mix places and heads.
#
# Each head divides by the root of its own d_k, not of d_model. `W_o` is what lets the heads' results meet.

# %% exercise="14.sinusoidal_positions"
# === statement
# ### 14.sinusoidal_positions ●● Hands of many clocks
#
# Write `sinusoidal_positions(T, d_model)`: a row of waves for each place, so that each place can be told from the others. The
# features come in pairs i = 0, 1, 2, …; at place t = 0, 1, 2, … pair i has the angle t / 10000^(2i / d_model).
#
# - `T`: number of places; `d_model`: number of features, even
# - returns: shape (T, d_model), float32. Column 2i holds the sine of pair i's angle, column 2i + 1 its cosine
# - raises `ValueError` if d_model is odd
#
# For example `sinusoidal_positions(2, 4)`: the angles of place 0 are all 0, so its row is (0, 1, 0, 1). At place 1 they are 1 and
# 1/100, so its row is (sin 1, cos 1, sin 0.01, cos 0.01) = (0.8415, 0.5403, 0.0100, 1.0000).
# === code
def sinusoidal_positions(T, d_model):
    """Sine and cosine of d_model / 2 angles for each place: (T, d_model)."""
    # === solution
    if d_model % 2:
        raise ValueError(f"{d_model} features do not make pairs")
    speeds = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (d_model / 2,)
    angles = torch.arange(T)[:, None] * speeds  # (T, d_model / 2)
    P = torch.empty(T, d_model)
    P[:, 0::2], P[:, 1::2] = angles.sin(), angles.cos()
    return P
    # === stub
    raise NotImplementedError("write sinusoidal_positions, then run this cell and the check below")
    # === end
# === explanation
# `torch.arange(0, d_model, 2)` is 2i for all pairs. The table of angles is an outer product: places down, speeds across. Each
# angle is used twice, in two columns that lie side by side; `torch.stack([…], dim=2).flatten(1)` writes them so, too.
#
# The first pair turns by one radian a place, the last pairs hardly at all: like the hands of a clock, fast ones tell near places
# apart and slow ones far places.

# %%
progress()
