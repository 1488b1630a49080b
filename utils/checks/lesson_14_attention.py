"""The exercises of lesson 14 as data: attention, its masks, several heads, positions."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .common import NOT_LOOKED_AT, changed, given_back, gradient_reach, made_module, normal, whole_number
from .exercise import Case, Exercise, Misconception

# --------------------------------------------------------------------------- 14.scaled_dot_product


def scaled_dot_product(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Weighted means of the values (..., T_q, d_v) and the weights (..., T_q, T_k)."""
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ V, weights


def random_mask(generator: torch.Generator, *shape: int) -> Tensor:
    """A mask in which each row has a True and, where there is room, a False."""
    mask = torch.rand(shape, generator=generator) < 0.5
    mask[..., 0], mask[..., -1] = False, True
    return mask


def scaled_dot_product_cases(generator: torch.Generator) -> list[Case]:
    """With and without axes in front; as many queries as keys, where a wrong axis makes no error."""

    def three(*front: int, T_q: int, T_k: int, d: int, d_v: int) -> tuple[Tensor, Tensor, Tensor]:
        """Scores that spread by a few, so that a lost or doubled scale shows."""
        return (
            normal(generator, *front, T_q, d, scale=1.5),
            normal(generator, *front, T_k, d, scale=1.5),
            normal(generator, *front, T_k, d_v, scale=3.0),
        )

    def doubled(args: tuple[Tensor, ...], by: float = 1.0) -> tuple[Tensor, ...]:
        return tuple(by * t.double() for t in args)

    def far_below(Q: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, ...]:
        """All scores below −10,000, but for the first key, which the mask forbids: that one is near 0."""
        near = torch.tensor([[0.01]] + [[1.0]] * (K.shape[-2] - 1), dtype=K.dtype)
        return 40 * (1 + Q.abs()), -120 * (1 + K.abs()) * near, V

    example = (
        torch.tensor([[2.0, 0, 0, 0]]),
        torch.tensor([[1.0, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 5]]),
        torch.tensor([[10.0, 0], [20, 4], [90, 90]]),
    )
    n = whole_number(generator, 4, 6)
    return [
        Case("values", (*example, torch.tensor([[True, True, False]])), "the example of the statement"),
        Case("values", example, "the same without a mask"),
        Case("values", three(2, T_q=n, T_k=n, d=3, d_v=3), "as many queries as keys, a batch of two"),
        Case("values", (*three(T_q=4, T_k=4, d=4, d_v=4), random_mask(generator, 4, 4)), "all sizes alike"),
        Case("values", (*three(3, T_q=5, T_k=5, d=2, d_v=4), torch.ones(5, 5).bool().tril()), "causal mask"),
        Case("shapes", three(T_q=2, T_k=5, d=3, d_v=4), "no batch, no mask"),
        Case(
            "shapes",
            (*three(2, 3, T_q=4, T_k=5, d=2, d_v=6), random_mask(generator, 2, 1, 1, 5)),
            "a batch, three heads, a padding mask",
        ),
        Case("shapes", (*three(1, T_q=1, T_k=3, d=1, d_v=2), random_mask(generator, 1, 3)), "a batch of one"),
        Case(
            "types", (*doubled(three(2, T_q=3, T_k=4, d=5, d_v=2)), random_mask(generator, 3, 4)), "float64"
        ),
        Case("edge cases", three(2, T_q=3, T_k=1, d=2, d_v=2), "a single key"),
        Case(
            "edge cases",
            (*doubled(three(T_q=4, T_k=4, d=9, d_v=3), 40.0), random_mask(generator, 4, 4)),
            "scores in the thousands",
        ),
        Case("edge cases", (torch.zeros(2, 3), *three(T_q=2, T_k=4, d=3, d_v=2)[1:]), "queries of zeros"),
        Case(
            "edge cases",
            (*far_below(*doubled(three(T_q=3, T_k=4, d=9, d_v=2))), random_mask(generator, 3, 4)),
            "scores far below zero",
        ),
    ]


_ATTEND = """
def scaled_dot_product(Q, K, V, mask=None):
    d = Q.shape[-1]
    scores = Q @ K.transpose(-2, -1) / d**0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    return weights @ V, weights
"""
_MASKING = 'scores = scores.masked_fill(~mask, float("-inf"))'
_BEFORE = f"    if mask is not None:\n        {_MASKING}\n"
_SOFTMAX = "    weights = torch.softmax(scores, dim=-1)\n"

SCALED_DOT_PRODUCT = Exercise(
    id="14.scaled_dot_product",
    name="scaled_dot_product",
    title="Look up, softly",
    difficulty=2,
    points=4,
    minutes=15,
    cases=scaled_dot_product_cases,
    reference=scaled_dot_product,
    result="two tensors: the means (..., T_q, d_v) and the weights (..., T_q, T_k)",
    output_names=("mean of the values", "table of weights"),
    misconceptions=(
        Misconception(
            "no scale",
            changed(_ATTEND, (" / d**0.5", "")),
            "You take the softmax of the bare dot products. They grow with the number of features, so they "
            "are divided by its square root first.",
        ),
        Misconception(
            "scale by d",
            changed(_ATTEND, (" / d**0.5", " / d")),
            "You divide by d. The variance of a dot product is d, so its spread is the square root of d: "
            "that is what it is divided by.",
        ),
        Misconception(
            "multiplies by the root",
            changed(_ATTEND, (" / d**0.5", " * d**0.5")),
            "You multiply by √d, which makes large scores larger still. They are divided by it.",
        ),
        Misconception(
            "scale by the number of keys",
            changed(_ATTEND, (" / d**0.5", " / K.shape[-2] ** 0.5")),
            "You divide by the root of the number of keys. What makes dot products large is the number of "
            "features they sum over.",
        ),
        Misconception(
            "scale by the number of queries",
            changed(_ATTEND, (" / d**0.5", " / Q.shape[-2] ** 0.5")),
            "You divide by the root of the number of queries. A dot product sums over the features, so it is "
            "their number that counts: the last axis of Q.",
        ),
        Misconception(
            "scale by the features of the values",
            changed(_ATTEND, (" / d**0.5", " / V.shape[-1] ** 0.5")),
            "You take the number of features of the values. The dot products are those of queries and keys, "
            "so it is their features that count.",
        ),
        Misconception(
            "scale after the softmax",
            changed(_ATTEND, (" / d**0.5", ""), (_SOFTMAX, _SOFTMAX + "    weights = weights / d**0.5\n")),
            "You divide the weights, so they no longer sum to 1. It is the scores that are divided, before "
            "the softmax.",
        ),
        Misconception(
            "means divided by the root",
            changed(_ATTEND, (" / d**0.5", ""), ("weights @ V,", "weights @ V / d**0.5,")),
            "You divide the means by √d, and the softmax sees the bare dot products. What gets too large are "
            "the scores: divide them, before the softmax.",
        ),
        Misconception(
            "softmax twice",
            changed(_ATTEND, (_SOFTMAX, _SOFTMAX + "    weights = torch.softmax(weights, dim=-1)\n")),
            "You take the softmax of a softmax. The second one makes the weights nearly alike, and gives "
            "some to forbidden keys.",
        ),
        Misconception(
            "softmax along axis 1",
            changed(_ATTEND, ("dim=-1)", "dim=1)")),
            "Your softmax goes along axis 1. That is the keys only where nothing stands in front: count the "
            "axes from the end.",
        ),
        Misconception(
            "softmax over queries",
            changed(_ATTEND, ("dim=-1)", "dim=-2)")),
            "Your softmax goes along the queries: each column sums to 1. Every query shares out its own "
            "weight among the keys, so each row must.",
        ),
        Misconception(
            "softmax over everything",
            changed(_ATTEND, (_SOFTMAX, "    weights = scores.flatten(-2).softmax(-1).view_as(scores)\n")),
            "All your weights together sum to 1. Each query has a whole 1 of its own, to share among the "
            "keys.",
        ),
        Misconception(
            "softmax along the first axis",
            changed(_ATTEND, ("dim=-1)", "dim=0)")),
            "Your softmax goes along the first axis, which is the batch where there is one. It goes along "
            "the keys, whatever stands in front.",
        ),
        Misconception(
            "no softmax",
            changed(
                _ATTEND, (_BEFORE + _SOFTMAX, "    weights = scores if mask is None else scores * mask\n")
            ),
            "Your weights are the bare scores: some are negative, and they do not sum to 1. The softmax is "
            "missing.",
        ),
        Misconception(
            "divided by the sum of the scores",
            changed(
                _ATTEND,
                (
                    _BEFORE + _SOFTMAX,
                    "    scores = scores if mask is None else scores * mask\n"
                    "    weights = scores / scores.sum(dim=-1, keepdim=True)\n",
                ),
            ),
            "You divide the scores by their sum. They can be negative, and then so are the weights, or the "
            "sum is near 0. Softmax makes them positive first.",
        ),
        Misconception(
            "exp without care",
            changed(
                _ATTEND,
                (
                    _SOFTMAX,
                    "    powers = torch.exp(scores)\n"
                    "    weights = powers / powers.sum(dim=-1, keepdim=True)\n",
                ),
            ),
            "Your softmax overflows: e to the power of a thousand is infinite, and infinite by infinite is "
            "NaN. Lesson 02 showed the remedy; torch's softmax has it built in.",
        ),
        Misconception(
            "mask after softmax",
            changed(
                _ATTEND,
                (
                    _BEFORE + _SOFTMAX,
                    _SOFTMAX + "    if mask is not None:\n        weights = weights * mask\n",
                ),
            ),
            "You put the mask on after the softmax. The forbidden keys have had their share of the 1 by "
            "then, so what is left sums to less.",
        ),
        Misconception(
            "mask after softmax, then divided again",
            changed(
                _ATTEND,
                (
                    _BEFORE + _SOFTMAX,
                    _SOFTMAX + "    if mask is not None:\n        weights = weights * mask\n"
                    "        weights = weights / weights.sum(dim=-1, keepdim=True)\n",
                ),
            ),
            "You put the mask on after the softmax and divide again. On paper that is right. But where a "
            "forbidden key has taken the whole 1, nothing is left to divide: 0/0 is NaN.",
        ),
        Misconception(
            "infinity times the mask",
            changed(_ATTEND, (_MASKING, 'scores = scores + (~mask) * float("-inf")')),
            "You multiply infinity by the mask, and 0 times infinity is NaN. Put −∞ in where it belongs, "
            "without a product.",
        ),
        Misconception(
            "indexed by the mask",
            changed(_ATTEND, (_MASKING, 'scores[~mask] = float("-inf")')),
            "You write into the scores by indexing with the mask. Indexing does not broadcast: it works only "
            "where the mask has all axes of the scores.",
        ),
        Misconception(
            "forbidden scores set to 0",
            changed(_ATTEND, (_MASKING, "scores = scores * mask")),
            "You set forbidden scores to 0 before the softmax. But e to the power of 0 is 1, so they get "
            "weight all the same, more than any negative score.",
        ),
        Misconception(
            "mask the wrong way round",
            changed(_ATTEND, ("~mask", "mask")),
            "Your mask works the wrong way round: what may be looked at is hidden. True means: may look.",
        ),
        Misconception(
            "mask added",
            changed(_ATTEND, (_MASKING, "scores = scores + mask")),
            "You add the mask to the scores, so what is allowed gets 1 more. That favours it a little, but "
            "hides nothing.",
        ),
        Misconception(
            "mask forgotten",
            changed(_ATTEND, (_BEFORE, "")),
            "You do nothing with the mask, so every query sees every key.",
        ),
        Misconception(
            "a fill that is too small",
            changed(_ATTEND, ('float("-inf")', "-1.0")),
            "The number that you put in for forbidden scores is not small enough: real scores are lower, and "
            "its weight is not 0.",
        ),
        Misconception(
            "a fill that is large, but not enough",
            changed(_ATTEND, ('float("-inf")', "-1e4")),
            "The number that you put in for forbidden scores is low, but real scores can be lower still. "
            "Minus infinity is below all of them.",
        ),
        Misconception(
            "weights of the values transposed",
            changed(_ATTEND, ("weights @ V, weights", "weights.transpose(-2, -1) @ V, weights")),
            "In the last product your weights are transposed. Their row belongs to a query, and its entries "
            "go with the rows of V.",
        ),
        Misconception(
            "keys for values",
            changed(_ATTEND, ("weights @ V", "weights @ K")),
            "You take the mean of the keys. Keys are only there to be found by; what is handed over are the "
            "values.",
        ),
        Misconception(
            "queries and keys exchanged",
            changed(_ATTEND, ("Q @ K.transpose(-2, -1)", "K @ Q.transpose(-2, -1)")),
            "Your scores have a row for each key. Each row should belong to a query, with a column for each "
            "key.",
        ),
        Misconception(
            "keys not transposed",
            changed(_ATTEND, ("K.transpose(-2, -1)", "K")),
            "You multiply Q by K as it is. To let each query meet each key, feature by feature, the last two "
            "axes of K must change places.",
        ),
        Misconception(
            "all axes turned round",
            changed(_ATTEND, ("K.transpose(-2, -1)", "K.permute(*range(K.dim() - 1, -1, -1))")),
            "You turn round all axes of K, the batch included (`.T` does that, too). Only the last two are "
            "to change places.",
        ),
        Misconception(
            "only the means",
            changed(_ATTEND, ("return weights @ V, weights", "return weights @ V")),
            "You return the means only. The weights are asked for as well, behind them.",
        ),
        Misconception(
            "weights first",
            changed(_ATTEND, ("return weights @ V, weights", "return weights, weights @ V")),
            "Both results are right, but they stand in the wrong order: first the means, then the weights.",
        ),
        Misconception(
            "scores for weights",
            changed(_ATTEND, ("return weights @ V, weights", "return weights @ V, scores")),
            "What you return second are the scores. The weights are what the softmax makes of them.",
        ),
        Misconception(
            "cosines",
            changed(
                _ATTEND,
                (
                    "    scores =",
                    "    Q = torch.nn.functional.normalize(Q, dim=-1)\n"
                    "    K = torch.nn.functional.normalize(K, dim=-1)\n    scores =",
                ),
            ),
            "You bring queries and keys to length 1 first. Here lengths count: a long key is found more "
            "easily, and a long query looks more sharply.",
        ),
    ),
    hints=(
        "Take a single query first: a dot product with each key, divided; a softmax; a weighted sum of the "
        "rows of V. Then write each step for all queries at once.",
        "The table of scores is one product of matrices, with the last two axes of K swapped, over √d. "
        "Forbidden places become −∞. Softmax along the keys gives the weights; one more product gives the "
        "means.",
    ),
    alternatives=(
        """
def scaled_dot_product(Q, K, V, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", Q, K) / math.sqrt(K.size(-1))
    if mask is not None:
        scores = torch.where(mask, scores, -torch.inf)
    W = scores.softmax(-1)
    return torch.einsum("...qk,...kv->...qv", W, V), W
""",
        """
def scaled_dot_product(Q, K, V, mask=None):
    scores = (Q * Q.shape[-1] ** -0.5) @ K.mT
    if mask is not None:
        scores = scores + torch.zeros_like(scores).masked_fill(~mask, -1e9)
    scores = scores - scores.amax(dim=-1, keepdim=True)
    powers = scores.exp()
    weights = powers / powers.sum(dim=-1, keepdim=True)
    return weights @ V, weights
""",
        """
def scaled_dot_product(Q, K, V, mask=None):
    scores = (Q.unsqueeze(-2) * K.unsqueeze(-3)).sum(dim=-1) / Q.shape[-1] ** 0.5
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    weights = torch.softmax(scores.masked_fill(mask == False, float("-inf")), dim=-1)
    return (weights.unsqueeze(-1) * V.unsqueeze(-3)).sum(dim=-2), weights
""",
        """
def scaled_dot_product(Q, K, V, mask=None):
    same = torch.eye(K.shape[-2], dtype=K.dtype).expand(*K.shape[:-2], -1, -1)
    out = torch.nn.functional.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
    return out, torch.nn.functional.scaled_dot_product_attention(Q, K, same, attn_mask=mask)
""",
    ),
)

# ---------------------------------------------------------------------------------- 14.causal_mask


def causal_mask(T: int) -> Tensor:
    """Bool (T, T): True where the place of the row may look at the place of the column."""
    return torch.ones(T, T, dtype=torch.bool).tril()


def causal_mask_cases(generator: torch.Generator) -> list[Case]:
    return [
        Case("values", (3,), "the example of the statement"),
        Case("values", (whole_number(generator, 4, 9),)),
        Case("shapes", (2,), "two places"),
        Case("shapes", (whole_number(generator, 12, 20),), "many places"),
        Case("edge cases", (1,), "a single place: it sees itself"),
    ]


_CAUSAL = "def causal_mask(T):\n    return torch.ones(T, T, dtype=torch.bool).tril()\n"

CAUSAL_MASK = Exercise(
    id="14.causal_mask",
    name="causal_mask",
    title="No look ahead",
    difficulty=1,
    points=2,
    minutes=5,
    cases=causal_mask_cases,
    reference=causal_mask,
    result="a tensor of shape (T, T), bool",
    misconceptions=(
        Misconception(
            "excludes the diagonal",
            changed(_CAUSAL, ("tril()", "tril(-1)")),
            "Your places do not see themselves. The first one then sees nothing at all, and its softmax is "
            "NaN: the diagonal belongs to what is allowed.",
        ),
        Misconception(
            "upper for lower",
            changed(_CAUSAL, ("tril()", "triu()")),
            "You allow the wrong triangle: each place sees itself and what comes after it. Rows are those "
            "that look, columns what they look at.",
        ),
        Misconception(
            "what is forbidden",
            changed(_CAUSAL, ("tril()", "triu(1)")),
            "Your mask is True where a look is forbidden. (`nn.MultiheadAttention` wants it so.) In this "
            "course True means: may look.",
        ),
        Misconception(
            "one place ahead",
            changed(_CAUSAL, ("tril()", "tril(1)")),
            "Each of your places sees one place ahead. The diagonal is the last that is allowed.",
        ),
        Misconception(
            "only itself",
            "def causal_mask(T):\n    return torch.eye(T, dtype=torch.bool)\n",
            "Each of your places sees itself and nothing else. All that came before it is allowed, too.",
        ),
        Misconception(
            "only itself and the one before",
            changed(_CAUSAL, ("tril()", "tril().triu(-1)")),
            "Your places look back by one step only. All that came before is allowed, however far back.",
        ),
        Misconception(
            "everything",
            changed(_CAUSAL, (".tril()", "")),
            "Your mask allows everything, so the future is seen as well.",
        ),
        Misconception(
            "numbers instead of bool",
            "def causal_mask(T):\n    return torch.ones(T, T).tril()\n",
            "Your mask holds the numbers 0 and 1. It should be of type bool: `~` and `masked_fill` ask for "
            "that, and torch's attention would add numbers to the scores.",
        ),
        Misconception(
            "whole numbers instead of bool",
            "def causal_mask(T):\n    return torch.ones(T, T).tril().long()\n",
            "Your mask holds whole numbers. Type bool is asked for: True and False.",
        ),
        Misconception(
            "a mask to be added",
            "def causal_mask(T):\n    return torch.full((T, T), float('-inf')).triu(1)\n",
            "You made a table of 0 and −∞, to be added to the scores. Such masks exist, but this one should "
            "say True and False.",
        ),
        Misconception(
            "one row",
            "def causal_mask(T):\n    return torch.ones(T, dtype=torch.bool)\n",
            "Your mask has one row for all. Each place sees something else, so each needs a row of its own.",
        ),
        Misconception(
            "with axes in front",
            changed(_CAUSAL, ("tril()", "tril()[None]")),
            "Your mask has an axis too many in front. Broadcasting adds those by itself: the shape is (T, "
            "T).",
        ),
        Misconception(
            "a place too many",
            "def causal_mask(T):\n    return torch.ones(T + 1, T + 1, dtype=torch.bool).tril()\n",
            "Your table has a row and a column too many. T places make T rows.",
        ),
        Misconception(
            "from the other corner",
            changed(_CAUSAL, ("tril()", "tril().flip(1)")),
            "Your triangle leans to the wrong side: the first place sees the last one. Column 0 is place 0, "
            "which everyone may see.",
        ),
        Misconception(
            "a list",
            "def causal_mask(T):\n    return [[j <= i for j in range(T)] for i in range(T)]\n",
            "All entries are right, but they stand in a list of lists. A tensor is asked for, since lists "
            "cannot be broadcast.",
        ),
    ),
    hints=(
        "Write the table for T = 3 on paper: rows look, columns are looked at. On which side of the diagonal "
        "are the Trues, and what about the diagonal itself?",
        "Either begin with a table of Trues and keep its lower triangle (torch has a function for that), or "
        "compare the places of the rows with the places of the columns.",
    ),
    alternatives=(
        "def causal_mask(T):\n    t = torch.arange(T)\n    return t[:, None] >= t\n",
        "def causal_mask(T):\n    return torch.tril(torch.ones(T, T)) == 1\n",
        "def causal_mask(T):\n    return ~torch.ones(T, T).triu(diagonal=1).bool()\n",
        "def causal_mask(T):\n    return torch.tensor([[j <= i for j in range(T)] for i in range(T)])\n",
    ),
)

# --------------------------------------------------------------------------------- 14.padding_mask


def padding_mask(lengths: Tensor, T: int) -> Tensor:
    """Bool (B, T): True where a place is real."""
    return torch.arange(T) < lengths[:, None]


def padding_mask_cases(generator: torch.Generator) -> list[Case]:
    def drawn(B: int, T: int) -> Tensor:
        return torch.randint(1, T, (B,), generator=generator)

    n = whole_number(generator, 4, 7)
    return [
        Case("values", (torch.tensor([2, 4, 0]), 4), "the example of the statement"),
        Case("values", (drawn(n, n), n), "as many sequences as places"),
        Case("values", (torch.tensor([3, 1]), 6), "more places than the longest needs"),
        Case("shapes", (drawn(n + 3, n), n), "more sequences than places"),
        Case("shapes", (drawn(1, 8), 8), "a batch of one"),
        Case("edge cases", (torch.tensor([5, 5, 5]), 5), "nothing is filled up"),
        Case("edge cases", (torch.tensor([1, 0]), 1), "a single place"),
    ]


_PADDING = "def padding_mask(lengths, T):\n    return torch.arange(T) < lengths[:, None]\n"

PADDING_MASK = Exercise(
    id="14.padding_mask",
    name="padding_mask",
    title="What is real",
    difficulty=1,
    points=2,
    minutes=5,
    cases=padding_mask_cases,
    reference=padding_mask,
    result="a tensor of shape (B, T), bool",
    misconceptions=(
        Misconception(
            "what is filled up",
            changed(_PADDING, (" < ", " >= ")),
            "Your mask is True for the filling. (`nn.MultiheadAttention` wants it so.) In this course True "
            "means: may be looked at, so what is real.",
        ),
        Misconception(
            "one place too many",
            changed(_PADDING, (" < ", " <= ")),
            "You let one place of filling through. Places are counted from 0: a sequence of length 2 has the "
            "places 0 and 1.",
        ),
        Misconception(
            "one place too few",
            changed(_PADDING, ("lengths[:, None]", "lengths[:, None] - 1")),
            "You hide the last real place. A sequence of length 2 has the places 0 and 1, both below 2.",
        ),
        Misconception(
            "filled up in front",
            changed(_PADDING, ("torch.arange(T) < lengths", "T - 1 - torch.arange(T) < lengths")),
            "You take the filling to stand in front. It comes behind the end: the real places are the first.",
        ),
        Misconception(
            "only the last place",
            changed(_PADDING, (" < lengths[:, None]", " == lengths[:, None] - 1")),
            "Only the last real place is True. All before it are real as well.",
        ),
        Misconception(
            "as long as the longest",
            changed(_PADDING, ("torch.arange(T)", "torch.arange(int(lengths.max()))")),
            "Your table ends with the longest sequence. It should have T columns, as the batch has, even if "
            "the last of them are filling for all.",
        ),
        Misconception(
            "rows and columns swapped",
            changed(_PADDING, ("torch.arange(T) < lengths[:, None]", "torch.arange(T)[:, None] < lengths")),
            "Your table has a row for each place and a column for each sequence. It is asked for the other "
            "way round: (B, T).",
        ),
        Misconception(
            "lengths meet places",
            changed(_PADDING, ("lengths[:, None]", "lengths")),
            "You compare place by place with sequence by sequence, which only works if there are as many of "
            "each, and means nothing then. Every place is to meet every length: one of them needs one more "
            "axis.",
        ),
        Misconception(
            "all real",
            "def padding_mask(lengths, T):\n    return torch.ones(len(lengths), T, dtype=torch.bool)\n",
            "Your mask is True everywhere: the lengths do nothing. Behind the end of a sequence it is False.",
        ),
        Misconception(
            "behind the end",
            changed(_PADDING, (" < ", " > ")),
            "Your comparison looks the wrong way: it is True behind the end. A place is real if its number "
            "is below the length.",
        ),
        Misconception(
            "numbers instead of bool",
            "def padding_mask(lengths, T):\n    return (torch.arange(T) < lengths[:, None]).float()\n",
            "Your mask holds the numbers 0 and 1. It should be of type bool, as the comparison gives it.",
        ),
        Misconception(
            "whole numbers instead of bool",
            "def padding_mask(lengths, T):\n    return (torch.arange(T) < lengths[:, None]).long()\n",
            "Your mask holds whole numbers. Type bool is asked for: True and False.",
        ),
        Misconception(
            "already for the heads",
            "def padding_mask(lengths, T):\n"
            "    return (torch.arange(T) < lengths[:, None])[:, None, None, :]\n",
            "You put in axes for heads and queries already. That is done where the mask is used; here the "
            "shape is (B, T).",
        ),
        Misconception(
            "for each query",
            "def padding_mask(lengths, T):\n"
            "    real = torch.arange(T) < lengths[:, None]\n"
            "    return real[:, :, None] & real[:, None, :]\n",
            "You made a table of T × T for each sequence. Here one row for each sequence is asked for, (B, "
            "T): whether a place is real, whoever looks.",
        ),
        Misconception(
            "the longest for all",
            changed(_PADDING, ("lengths[:, None]", "lengths.max().expand(len(lengths), 1)")),
            "You measure all sequences by the longest. Each has its own length.",
        ),
        Misconception(
            "the first for all",
            "def padding_mask(lengths, T):\n"
            "    return (torch.arange(T) < lengths[0]).expand(len(lengths), T)\n",
            "You measure all sequences by the first. Each has its own length.",
        ),
    ),
    hints=(
        "Place number t of a sequence is real if t is below its length. Which numbers t are there, and how "
        "do they meet all lengths at once?",
        "Make a row of the places 0, …, T − 1 and a column of the lengths, and compare them. Broadcasting "
        "makes the table.",
    ),
    alternatives=(
        "def padding_mask(lengths, T):\n    return lengths.unsqueeze(1) > torch.arange(T).unsqueeze(0)\n",
        """
def padding_mask(lengths, T):
    mask = torch.zeros(len(lengths), T, dtype=torch.bool)
    for row, length in enumerate(lengths.tolist()):
        mask[row, :length] = True
    return mask
""",
        "def padding_mask(lengths, T):\n"
        "    return torch.tensor([[t < n for t in range(T)] for n in lengths.tolist()])\n",
        "def padding_mask(lengths, T):\n"
        "    return torch.arange(1, T + 1).expand(len(lengths), T) <= lengths[:, None]\n",
    ),
)

# ---------------------------------------------------------------------------------- 14.split_heads


def split_heads(X: Tensor, h: int) -> Tensor:
    """Features cut into h parts: (B, T, d_model) -> (B, h, T, d_model / h)."""
    B, T, d_model = X.shape
    if d_model % h:
        raise ValueError(f"{d_model} features cannot be cut into {h} equal parts")
    return X.reshape(B, T, h, d_model // h).transpose(1, 2)


def split_heads_cases(generator: torch.Generator) -> list[Case]:
    def counted(*shape: int) -> Tensor:
        return torch.arange(1.0, 1 + math.prod(shape)).reshape(shape)

    T = whole_number(generator, 4, 6)
    return [
        Case("values", (counted(1, 2, 4), 2), "the example of the statement"),
        Case("values", (counted(2, 3, 6), 3), "as many heads as places"),
        Case("values", (normal(generator, 2, T, 8), 4), "as many heads as twice the features of one"),
        Case("values", (normal(generator, 4, 4, 16), 4), "all sizes alike"),
        Case("shapes", (normal(generator, 3, T + 1, 10), 2), "two heads"),
        Case("shapes", (normal(generator, 1, 3, 6), 2), "a batch of one"),
        Case("types", (torch.arange(24).reshape(2, 2, 6), 3), "int64"),
        Case("edge cases", (normal(generator, 2, T, 5), 1), "a single head"),
        Case("edge cases", (normal(generator, 2, T, 3), 3), "one feature for each head"),
        Case("edge cases", (normal(generator, 2, 1, 6), 2), "a single place"),
        Case("edge cases", (normal(generator, 2, 6, 7), 2), "7 features, 2 heads: not possible"),
        Case("edge cases", (normal(generator, 2, 4, 2), 4), "fewer features than heads"),
    ]


_SPLIT = """
def split_heads(X, h):
    B, T, d_model = X.shape
    if d_model % h != 0:
        raise ValueError("no equal parts")
    d_k = d_model // h
    return X.reshape(B, T, h, d_k).transpose(1, 2)
"""
_CUT = "X.reshape(B, T, h, d_k).transpose(1, 2)"
_REFUSE = '    if d_model % h != 0:\n        raise ValueError("no equal parts")\n'

SPLIT_HEADS = Exercise(
    id="14.split_heads",
    name="split_heads",
    title="Each head gets its features",
    difficulty=2,
    points=3,
    minutes=10,
    cases=split_heads_cases,
    reference=split_heads,
    result="a tensor of shape (B, h, T, d_model / h)",
    misconceptions=(
        Misconception(
            "reshape without transpose",
            changed(_SPLIT, (_CUT, "X.reshape(B, h, T, d_k)")),
            "The shape is right and the numbers are not: your head 0 has all features of the first places. "
            "Reshaping keeps the order of the numbers, so it cannot bring the heads before the places.",
        ),
        Misconception(
            "transposed, then reshaped",
            changed(_SPLIT, (_CUT, "X.transpose(1, 2).reshape(B, h, T, d_k)")),
            "You swap places and features first and cut then: what you cut is no longer one place after the "
            "other. Cut the features first.",
        ),
        Misconception(
            "heads behind the places",
            changed(_SPLIT, (".transpose(1, 2)", "")),
            "You cut the features rightly, but the heads still stand behind the places. Their axis belongs "
            "right after the batch.",
        ),
        Misconception(
            "places and features of a head swapped",
            changed(_SPLIT, (".transpose(1, 2)", ".permute(0, 2, 3, 1)")),
            "In each of your heads the features come before the places. The last axis should be the "
            "features.",
        ),
        Misconception(
            "heads behind their features",
            changed(_SPLIT, (".transpose(1, 2)", ".transpose(2, 3)")),
            "Your heads stand last, behind their own features. Swap the two axes in the middle: heads and "
            "places.",
        ),
        Misconception(
            "heads one behind the other",
            changed(_SPLIT, (_CUT, "torch.cat(X.split(d_k, dim=2), dim=1)")),
            "You put the heads one behind the other along the places. They need an axis of their own, right "
            "after the batch.",
        ),
        Misconception(
            "a size with a decimal point",
            changed(_SPLIT, ("(B, T, h, d_k)", "(B, T, h, d_model / h)")),
            "`/` gives a number with a decimal point, and a shape wants whole numbers. `//` gives those.",
        ),
        Misconception(
            "heads before the batch",
            changed(_SPLIT, (".transpose(1, 2)", ".permute(2, 0, 1, 3)")),
            "Your first axis is the heads. The batch stays in front; the heads come second.",
        ),
        Misconception(
            "every h-th feature",
            changed(_SPLIT, (_CUT, "X.reshape(B, T, d_k, h).permute(0, 3, 1, 2)")),
            "You deal the features out like cards: head 0 gets features 0, h, 2h, … It should get the first "
            "d_model / h of them, in one piece.",
        ),
        Misconception(
            "h features for each head",
            changed(_SPLIT, ("(B, T, h, d_k)", "(B, T, d_k, h)")),
            "You cut into pieces of h features. There should be h pieces.",
        ),
        Misconception(
            "cuts the places",
            changed(
                _SPLIT,
                (
                    f"    return {_CUT}",
                    "    parts = X.transpose(1, 2).reshape(B, -1, h, d_k)\n    return parts.transpose(1, 2)",
                ),
            ),
            "You cut a table that lies on its side: after your transposition, the rows are features and not "
            "places.",
        ),
        Misconception(
            "all features for every head",
            changed(_SPLIT, (_CUT, "X[:, None].expand(B, h, T, d_model)")),
            "Each of your heads gets all features. They are shared out: d_model / h for each.",
        ),
        Misconception(
            "the same features for every head",
            changed(_SPLIT, (_CUT, "X[:, None, :, :d_k].expand(B, h, T, d_k)")),
            "All your heads get the first features. Each head gets the next ones.",
        ),
        Misconception(
            "a list of heads",
            changed(_SPLIT, (_CUT, "list(X.split(d_k, dim=2))")),
            "The heads are right, but they stand in a list. One tensor is asked for, so that a single "
            "product can serve all heads.",
        ),
        Misconception(
            "heads stacked in front",
            changed(_SPLIT, (_CUT, "torch.stack(X.split(d_k, dim=2)).reshape(B, h, T, d_k)")),
            "You stack the heads in a new first axis, and then reshape it into place. That mixes heads and "
            "sequences: an axis is moved by transposing, or by stacking it where it belongs.",
        ),
        Misconception(
            "heads from the back",
            changed(_SPLIT, (".transpose(1, 2)", ".transpose(1, 2).flip(1)")),
            "Your heads stand in the reverse order. Head 0 gets the first features.",
        ),
        Misconception(
            "no refusal",
            changed(_SPLIT, (_REFUSE, "")),
            "Where the features cannot be shared out equally, some error comes up by chance, if at all. A "
            "ValueError is asked for, which says what is wrong.",
        ),
        Misconception(
            "the rest cut off",
            changed(
                _SPLIT, (_REFUSE, ""), (_CUT, "X[:, :, : h * d_k].reshape(B, T, h, d_k).transpose(1, 2)")
            ),
            "Features that are left over are dropped without a word. A ValueError is asked for.",
        ),
        Misconception(
            "an assert",
            changed(_SPLIT, (_REFUSE, "    assert d_model % h == 0\n")),
            "Your `assert` raises an AssertionError, and not at all where Python runs with -O. A ValueError "
            "is asked for.",
        ),
        Misconception(
            "refuses places",
            changed(_SPLIT, ("d_model % h != 0", "d_model % h or T % h")),
            "You refuse sequences whose number of places is no multiple of h. Only the features are cut.",
        ),
        Misconception(
            "batch lost",
            changed(_SPLIT, (_CUT, "X.reshape(B * T, h, d_k).transpose(0, 1)")),
            "Sequences and places have become one axis. Both are needed: attention looks within a sequence "
            "only.",
        ),
    ),
    hints=(
        "Reshaping may cut an axis in two, but it never moves a number past another. Which axis is cut here, "
        "and which axes have to change places afterwards?",
        "First refuse what does not divide. Cut the last axis in two, (B, T, h, d_model / h): that is what "
        "each place looks like. Then swap the axes of places and heads.",
    ),
    alternatives=(
        """
def split_heads(X, h):
    if X.shape[-1] % h:
        raise ValueError("no equal parts")
    return X.unflatten(-1, (h, -1)).permute(0, 2, 1, 3)
""",
        """
def split_heads(X, h):
    d_k, rest = divmod(X.shape[2], h)
    if rest > 0:
        raise ValueError(f"{rest} features left over")
    return torch.stack([X[:, :, i * d_k : (i + 1) * d_k] for i in range(h)], dim=1)
""",
        """
def split_heads(X, h):
    d_model = X.size(2)
    if d_model < h or d_model % h:
        raise ValueError("h must divide d_model")
    return torch.stack(X.chunk(h, dim=2), dim=1)
""",
        """
def split_heads(X, h):
    B, T, d_model = X.shape
    if (d_model // h) * h != d_model:
        raise ValueError("h must divide d_model")
    out = X.new_empty(B, h, T, d_model // h)
    for i in range(h):
        out[:, i] = X[:, :, i * (d_model // h) : (i + 1) * (d_model // h)]
    return out
""",
    ),
)

# ----------------------------------------------------------------------------------- 14.multi_head


class MultiHeadAttention(nn.Module):
    """h heads side by side, each with d_model / h features."""

    def __init__(self, d_model: int, h: int) -> None:
        super().__init__()
        if d_model % h:
            raise ValueError(f"{d_model} features cannot be cut into {h} equal parts")
        self.h = h
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, X: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        context = X if context is None else context
        Q, K, V = (split_heads(Y, self.h) for Y in (self.W_q(X), self.W_k(context), self.W_v(context)))
        out, _ = scaled_dot_product(Q, K, V, mask)
        return self.W_o(out.transpose(1, 2).flatten(2))


_LAYERS = ("W_q", "W_k", "W_v", "W_o")


def multi_head_behaviour(
    work: type, d_model: int, h: int, X: Tensor, context: Tensor | None, mask: Tensor | None, seed: int
) -> tuple[Any, ...]:
    """Probe: makes a layer, gives it weights drawn from the seed, and looks at what it is and does.

    Returned are the parameters by name with their shapes, the output, and how many parameters a gradient
    reaches. Where the parameters are not those asked for, the output says nothing, and a sentence stands
    for it.

    Raises:
        NotAsAsked: if the object is no module with a `forward`, or what it returns is no tensor.
    """
    model = made_module(work, d_model, h)
    have = {name: str(tuple(p.shape)) for name, p in model.named_parameters()}
    if d_model % h:  # it should not have been made at all; an error in `forward` comes too late
        return have, NOT_LOOKED_AT, "not looked at"
    weights = {f"{name}.weight": str((d_model, d_model)) for name in _LAYERS}
    if have != weights | {f"{name}.bias": str((d_model,)) for name in _LAYERS}:
        return have, NOT_LOOKED_AT, "not looked at"
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in _LAYERS:
            layer = getattr(model, name)
            layer.weight.copy_(normal(generator, d_model, d_model, scale=1.5 / d_model**0.5))
            layer.bias.copy_(normal(generator, d_model, scale=0.5))
    # What is not needed is not given: the defaults count as well.
    named = {name: t for name, t in (("context", context), ("mask", mask)) if t is not None}
    out = given_back(model(X, **named))
    return have, out.detach(), gradient_reach(model, out)


def multi_head_cases(generator: torch.Generator) -> list[Case]:
    def case(
        group: str, d_model: int, h: int, B: int, T: int, T_k: int | None, note: str, *mask: int
    ) -> Case:
        """With a context where T_k is given, and a mask of the shape that follows."""
        X = normal(generator, B, T, d_model)
        context = None if T_k is None else normal(generator, B, T_k, d_model)
        may = random_mask(generator, *mask) if mask else None
        return Case(group, (d_model, h, X, context, may, whole_number(generator, 0, 10_000)), note)

    T = whole_number(generator, 4, 6)
    return [
        case("values", 6, 2, 2, T, None, "two heads, self attention"),
        case("values", 6, 3, 2, T, None, "three heads"),
        case("values", 8, 2, 2, T, T + 2, "a context"),
        case("values", 6, 2, 3, 3, 3, "a context as long as X", 3, 3),
        case("values", 4, 2, 3, 4, None, "a mask for all", 4, 4),
        case("shapes", 6, 3, 2, 3, 5, "a context and a padding mask", 2, 1, 1, 5),
        case("shapes", 4, 2, 1, 3, None, "a batch of one"),
        case("edge cases", 5, 1, 2, 4, None, "a single head"),
        case("edge cases", 3, 3, 2, 4, None, "one feature for each head", 2, 3, 4, 4),
        case("edge cases", 6, 2, 2, 1, 1, "a single place"),
        case("edge cases", 6, 4, 2, 3, None, "6 features, 4 heads: not possible"),
    ]


_HEADS = """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        if d_model % h != 0:
            raise ValueError("no equal parts")
        self.h = h
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def split(self, X):
        B, T, d_model = X.shape
        return X.reshape(B, T, self.h, d_model // self.h).transpose(1, 2)

    def forward(self, X, context=None, mask=None):
        if context is None:
            context = X
        Q, K, V = self.W_q(X), self.W_k(context), self.W_v(context)
        Q, K, V = self.split(Q), self.split(K), self.split(V)
        scores = Q @ K.transpose(-2, -1) / Q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        out = scores.softmax(dim=-1) @ V
        out = out.transpose(1, 2).reshape(X.shape)
        return self.W_o(out)
"""
_MERGE = "        out = out.transpose(1, 2).reshape(X.shape)\n"
_PARTS = "X.reshape(B, T, self.h, d_model // self.h).transpose(1, 2)"
_MAYBE = '        if mask is not None:\n            scores = scores.masked_fill(~mask, float("-inf"))\n'
_DIVIDES = '        if d_model % h != 0:\n            raise ValueError("no equal parts")\n'

MULTI_HEAD = Exercise(
    id="14.multi_head",
    name="MultiHeadAttention",
    title="Several heads, one layer",
    difficulty=3,
    points=5,
    minutes=15,
    cases=multi_head_cases,
    reference=MultiHeadAttention,
    probe=multi_head_behaviour,
    input_names=("d_model", "h", "X", "context", "mask", "seed of the weights"),
    output_names=("list of parameters", "output", "gradient"),
    result="a module whose parameters are found and whose forward gives (B, T_q, d_model)",
    rtol=1e-3,
    atol=1e-4,
    given={"nn": nn, "F": F},
    misconceptions=(
        Misconception(
            "one head only",
            changed(_HEADS, (_PARTS, "X[:, None]")),
            "Your queries and keys are compared with all their features at once: that is one head, whatever "
            "h is. Each head compares its own part.",
        ),
        Misconception(
            "reshape without transpose",
            changed(_HEADS, (_PARTS, "X.reshape(B, self.h, T, d_model // self.h)")),
            "Your heads do not have their features of each place, but all features of some places. See "
            "14.split_heads: reshaping alone cannot bring the heads forward.",
        ),
        Misconception(
            "merge without transpose",
            changed(_HEADS, ("out.transpose(1, 2).reshape", "out.reshape")),
            "You put the heads together without bringing their axis back behind the places first, so places "
            "and heads get mixed.",
        ),
        Misconception(
            "heads dealt like cards",
            changed(
                _HEADS,
                (_PARTS, "X.reshape(B, T, d_model // self.h, self.h).permute(0, 3, 1, 2)"),
            ),
            "Your head 0 gets every h-th feature. It should get the first d_model / h of them, in one piece.",
        ),
        Misconception(
            "merged feature by feature",
            changed(_HEADS, (_MERGE, "        out = out.permute(0, 2, 3, 1).reshape(X.shape)\n")),
            "You put the heads' results together feature by feature, as a zip does. They lie side by side: "
            "all of head 0, then all of head 1.",
        ),
        Misconception(
            "heads averaged",
            changed(_HEADS, (_MERGE, "        out = out.mean(dim=1).repeat(1, 1, self.h)\n")),
            "You take the mean of the heads. They are put side by side, so that W_o can use each by itself.",
        ),
        Misconception(
            "heads never split",
            changed(
                _HEADS,
                (_PARTS, "X.reshape(B, T, self.h, d_model // self.h)"),
                ("out.transpose(1, 2).reshape", "out.reshape"),
            ),
            "The axis of your heads still stands behind the places when attention begins. So the heads of a "
            "place look at each other, and no place sees another.",
        ),
        Misconception(
            "scale of the whole width",
            changed(_HEADS, ("Q.shape[-1] ** 0.5", "X.shape[-1] ** 0.5")),
            "You divide by the root of d_model. A head's dot products sum over its own features only: it is "
            "the root of d_k.",
        ),
        Misconception(
            "no scale",
            changed(_HEADS, (" / Q.shape[-1] ** 0.5", "")),
            "Your scores are not divided by the root of d_k.",
        ),
        Misconception(
            "scale by the features themselves",
            changed(_HEADS, ("Q.shape[-1] ** 0.5", "Q.shape[-1]")),
            "You divide the scores by d_k. It is the square root of d_k that they are divided by.",
        ),
        Misconception(
            "no last layer",
            changed(_HEADS, ("return self.W_o(out)", "return out")),
            "The heads' results come out as they are. They go through W_o, where they meet.",
        ),
        Misconception(
            "last layer not made",
            changed(
                _HEADS,
                ("        self.W_o = nn.Linear(d_model, d_model)\n", ""),
                ("return self.W_o(out)", "return out"),
            ),
            "Your layer has no W_o. Without it the heads' results only lie side by side.",
        ),
        Misconception(
            "no biases",
            changed(_HEADS, ("nn.Linear(d_model, d_model)", "nn.Linear(d_model, d_model, bias=False)")),
            "Your layers have no biases. Here they should: `nn.Linear` as it is.",
        ),
        Misconception(
            "layers for one head",
            changed(
                _HEADS,
                ("self.W_q = nn.Linear(d_model, d_model)", "self.W_q = nn.Linear(d_model, d_model // h)"),
                ("self.W_k = nn.Linear(d_model, d_model)", "self.W_k = nn.Linear(d_model, d_model // h)"),
                ("self.W_v = nn.Linear(d_model, d_model)", "self.W_v = nn.Linear(d_model, d_model // h)"),
            ),
            "Your first three layers give d_model / h features, enough for one head. They should give "
            "d_model: the heads are parts of that.",
        ),
        Misconception(
            "layers in a list",
            """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        if d_model % h != 0:
            raise ValueError("no equal parts")
        self.h = h
        self.layers = [nn.Linear(d_model, d_model) for _ in range(4)]

    def forward(self, X, context=None, mask=None):
        context = X if context is None else context
        W_q, W_k, W_v, W_o = self.layers
        Q, K, V = (Y.unflatten(2, (self.h, -1)).transpose(1, 2) for Y in (W_q(X), W_k(context), W_v(context)))
        out = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
        return W_o(out.transpose(1, 2).flatten(2))
""",
            "Your layers stand in a plain Python list, where `nn.Module` does not find them: there is "
            "nothing to train. Give each its own name, W_q, W_k, W_v and W_o.",
        ),
        Misconception(
            "a list of layers for each head",
            """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        if d_model % h != 0:
            raise ValueError("no equal parts")
        self.W_q = nn.ModuleList([nn.Linear(d_model, d_model // h) for _ in range(h)])
        self.W_k = nn.ModuleList([nn.Linear(d_model, d_model // h) for _ in range(h)])
        self.W_v = nn.ModuleList([nn.Linear(d_model, d_model // h) for _ in range(h)])
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, X, context=None, mask=None):
        context = X if context is None else context
        heads = zip(self.W_q, self.W_k, self.W_v)
        parts = [F.scaled_dot_product_attention(q(X), k(context), v(context)) for q, k, v in heads]
        return self.W_o(torch.cat(parts, dim=-1))
""",
            "You give each head its own small layers. That can be done, but here one W_q makes the queries "
            "of all heads at once, and its output is cut; W_k and W_v likewise.",
        ),
        Misconception(
            "one layer for all three",
            changed(_HEADS, ("self.W_k(context), self.W_v(context)", "self.W_q(context), self.W_q(context)")),
            "You make queries, keys and values with the same layer, W_q. What a place looks for, what it is "
            "found by and what it hands over are three things.",
        ),
        Misconception(
            "values from the layer of the keys",
            changed(_HEADS, ("self.W_v(context)", "self.W_k(context)")),
            "Your values come from W_k. They have a layer of their own.",
        ),
        Misconception(
            "values as they come",
            changed(_HEADS, ("self.W_v(context)", "context")),
            "Your values have not been through W_v. What a place hands over is made of it by a layer, as its "
            "key is.",
        ),
        Misconception(
            "keys and values exchanged",
            changed(
                _HEADS,
                ("Q @ K.transpose(-2, -1)", "Q @ V.transpose(-2, -1)"),
                ("softmax(dim=-1) @ V", "softmax(dim=-1) @ K"),
            ),
            "Your queries are compared with the values, and the means are of the keys: the two have changed "
            "places. The order is queries, keys, values.",
        ),
        Misconception(
            "context ignored",
            changed(
                _HEADS, ("        if context is None:\n            context = X\n", "        context = X\n")
            ),
            "Keys and values are made of X even where there is a context.",
        ),
        Misconception(
            "queries of the context",
            changed(
                _HEADS,
                (
                    "self.W_q(X), self.W_k(context), self.W_v(context)",
                    "self.W_q(context), self.W_k(X), self.W_v(X)",
                ),
                ("reshape(X.shape)", "flatten(2)"),
            ),
            "You let the context look at X. It is X that asks, so the queries are made of X, and keys and "
            "values of the context.",
        ),
        Misconception(
            "values of X",
            changed(_HEADS, ("self.W_v(context)", "self.W_v(X)")),
            "Your keys come from the context, but your values from X. What is found there is to be fetched "
            "there.",
        ),
        Misconception(
            "mask ignored",
            changed(_HEADS, (_MAYBE, "")),
            "You do nothing with the mask: every place sees every other.",
        ),
        Misconception(
            "mask the wrong way round",
            changed(_HEADS, ("~mask", "mask")),
            "Your mask works the wrong way round: what may be looked at is hidden. True means: may look.",
        ),
        Misconception(
            "mask after softmax",
            changed(
                _HEADS,
                (_MAYBE, ""),
                (
                    "        out = scores.softmax(dim=-1) @ V\n",
                    "        W = scores.softmax(dim=-1)\n"
                    "        out = (W if mask is None else W * mask) @ V\n",
                ),
            ),
            "You put the mask on after the softmax, so the weights that are left sum to less than 1.",
        ),
        Misconception(
            "causal without being asked",
            changed(
                _HEADS,
                (
                    "        if mask is not None:\n",
                    "        if mask is None:\n"
                    "            T = torch.ones(scores.shape[-2:]).bool().tril()\n"
                    "            scores = scores.masked_fill(~T, float('-inf'))\n"
                    "        else:\n",
                ),
            ),
            "Without a mask you hide what lies ahead. Without a mask nothing is hidden.",
        ),
        Misconception(
            "always causal",
            changed(
                _HEADS,
                (
                    _MAYBE,
                    "        past = torch.ones(scores.shape[-2:]).bool().tril()\n"
                    "        scores = scores.masked_fill(~past, float('-inf'))\n",
                ),
            ),
            "You always hide what lies ahead, and the mask that was given does nothing. Only what that mask "
            "forbids is hidden.",
        ),
        Misconception(
            "a mask taken for granted",
            changed(_HEADS, ("        if mask is not None:\n            scores", "        scores")),
            "You use the mask without asking whether there is one. Mostly there is none, and `~None` is an "
            "error.",
        ),
        Misconception(
            "softmax over queries",
            changed(_HEADS, ("softmax(dim=-1)", "softmax(dim=-2)")),
            "Your softmax goes along the queries. Each query shares its 1 among the keys, which are the last "
            "axis.",
        ),
        Misconception(
            "softmax over heads",
            changed(_HEADS, ("softmax(dim=-1)", "softmax(dim=1)")),
            "Your softmax goes along axis 1, and there the heads are: they share one weight among them. Each "
            "head shares its own 1 among the keys.",
        ),
        Misconception(
            "residual included",
            changed(_HEADS, ("return self.W_o(out)", "return X + self.W_o(out)")),
            "You add X to the result. That shortcut belongs to the block round attention, in lesson 15, not "
            "to this layer.",
        ),
        Misconception(
            "cut off from the graph",
            changed(_HEADS, ("scores.softmax(dim=-1)", "scores.softmax(dim=-1).detach()")),
            "The numbers are right, but the gradient does not get through to W_q and W_k: the weights are "
            "cut off from the graph. Detach only the copy that you keep to look at.",
        ),
        Misconception(
            "no refusal",
            changed(_HEADS, (_DIVIDES, "")),
            "A d_model that h does not divide is taken without a word, and fails later, somewhere else. A "
            "ValueError is asked for, when the layer is made.",
        ),
    ),
    hints=(
        "Begin with h = 1: three layers, attention, and the fourth layer. Then let attention see the parts: "
        "which shape must queries, keys and values have, so that the heads count as one more axis in front?",
        "Check that h divides d_model, and keep h. In forward: choose where keys and values come from; three "
        "layers; cut the features into heads and bring the heads before the places; attention with the mask; "
        "bring the heads back behind the places, join them, and send them through W_o.",
    ),
    alternatives=(
        _HEADS,
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        self.d_k, rest = divmod(d_model, h)
        if rest:
            raise ValueError("no equal parts")
        for name in ("W_q", "W_k", "W_v", "W_o"):
            setattr(self, name, nn.Linear(d_model, d_model))

    def forward(self, X, context=None, mask=None):
        source = context if context is not None else X
        made = (self.W_q(X), self.W_k(source), self.W_v(source))
        Q, K, V = (torch.stack(Y.split(self.d_k, dim=2), dim=1) for Y in made)
        out = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
        return self.W_o(torch.cat(list(out.unbind(dim=1)), dim=-1))
""",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        if d_model % h:
            raise ValueError("no equal parts")
        self.h, self.d_k = h, d_model // h
        self.W_o = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_q = nn.Linear(d_model, d_model)

    def forward(self, X, context=None, mask=None):
        context = X if context is None else context
        shape = (X.shape[0], self.h, X.shape[1], context.shape[1])
        may = torch.ones(shape).bool() if mask is None else mask.expand(shape)
        Q, K, V = self.W_q(X), self.W_k(context), self.W_v(context)
        results = []
        for i in range(self.h):
            part = slice(i * self.d_k, (i + 1) * self.d_k)
            scores = Q[..., part] @ K[..., part].mT / self.d_k**0.5
            weights = torch.where(may[:, i], scores, -torch.inf).softmax(-1)
            results.append(weights @ V[..., part])
        return self.W_o(torch.cat(results, dim=-1))
""",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        if d_model % h:
            raise ValueError("no equal parts")
        super().__init__()
        self.heads = h
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, X, context=None, mask=None):
        context = X if context is None else context
        Q, K, V = (
            layer(Y).unflatten(-1, (self.heads, -1))
            for layer, Y in ((self.W_q, X), (self.W_k, context), (self.W_v, context))
        )
        scores = torch.einsum("bqhd,bkhd->bhqk", Q, K) / Q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores + torch.zeros_like(scores).masked_fill(~mask, -1e9)
        out = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), V)
        self.weights = scores.softmax(-1).detach()
        return self.W_o(out.flatten(2))
""",
    ),
)

# ------------------------------------------------------------------------- 14.sinusoidal_positions


def sinusoidal_positions(T: int, d_model: int) -> Tensor:
    """Sine and cosine of d_model / 2 angles for each place: (T, d_model)."""
    if d_model % 2:
        raise ValueError(f"{d_model} features do not make pairs")
    speeds = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(T)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def sinusoidal_positions_cases(generator: torch.Generator) -> list[Case]:
    n = whole_number(generator, 5, 9)
    return [
        Case("values", (2, 4), "the example of the statement"),
        Case("values", (n, 8)),
        Case("values", (6, 6), "as many places as features"),
        Case("shapes", (n + 2, 2 * n)),
        Case("shapes", (3, 16), "more features than places"),
        Case("edge cases", (n, 2), "a single pair"),
        Case("edge cases", (1, 6), "a single place"),
        Case("edge cases", (60, 4), "many places"),
        Case("edge cases", (4, 5), "an odd number of features"),
        Case("edge cases", (3, 1), "a single feature"),
    ]


_WAVES = """
def sinusoidal_positions(T, d_model):
    if d_model % 2 != 0:
        raise ValueError("odd")
    t = torch.arange(T).float()[:, None]
    i = torch.arange(d_model // 2).float()
    angles = t / 10000 ** (2 * i / d_model)
    P = torch.zeros(T, d_model)
    P[:, 0::2] = torch.sin(angles)
    P[:, 1::2] = torch.cos(angles)
    return P
"""
_POWER = "10000 ** (2 * i / d_model)"

SINUSOIDAL_POSITIONS = Exercise(
    id="14.sinusoidal_positions",
    name="sinusoidal_positions",
    title="Hands of many clocks",
    difficulty=2,
    points=3,
    minutes=10,
    cases=sinusoidal_positions_cases,
    reference=sinusoidal_positions,
    result="a tensor of shape (T, d_model), float32",
    atol=2e-5,
    exact_types=True,
    misconceptions=(
        Misconception(
            "sines first, cosines behind",
            changed(
                _WAVES,
                ("P[:, 0::2]", "P[:, : d_model // 2]"),
                ("P[:, 1::2]", "P[:, d_model // 2 :]"),
            ),
            "All sines stand in the first half and all cosines in the second. Here each pair stands side by "
            "side: sine, cosine, sine, cosine.",
        ),
        Misconception(
            "sine and cosine exchanged",
            changed(
                _WAVES,
                ("P[:, 0::2]", "P[:, 9::2]"),
                ("P[:, 1::2]", "P[:, 0::2]"),
                ("P[:, 9::2]", "P[:, 1::2]"),
            ),
            "You begin each pair with the cosine. The sine comes first, so place 0 begins with 0.",
        ),
        Misconception(
            "waves by rows",
            changed(
                _WAVES,
                (
                    "    i = torch.arange(d_model // 2).float()\n"
                    "    angles = t / 10000 ** (2 * i / d_model)\n",
                    "    angles = t / 10000 ** (torch.arange(d_model) // 2 * 2 / d_model)\n",
                ),
                ("P[:, 0::2] = torch.sin(angles)", "P[0::2] = torch.sin(angles[0::2])"),
                ("P[:, 1::2] = torch.cos(angles)", "P[1::2] = torch.cos(angles[1::2])"),
            ),
            "Your even rows are sines and your odd rows cosines. It is the columns that take turns: each "
            "place has both.",
        ),
        Misconception(
            "one half under the other",
            changed(
                _WAVES,
                ("    return P", "    return torch.stack([angles.sin(), angles.cos()]).reshape(T, d_model)"),
            ),
            "You put all sines before all cosines and reshape then, so places get mixed. Sine and cosine of "
            "a pair lie side by side in one row.",
        ),
        Misconception(
            "only sines",
            changed(_WAVES, ("torch.cos", "torch.sin")),
            "Both numbers of your pairs are sines. The second one is a cosine: only both together tell where "
            "the hand points.",
        ),
        Misconception(
            "i for 2i",
            changed(_WAVES, ("2 * i", "i")),
            "Your exponent is i / d_model: the 2 before i is missing. The speeds then fall only half as far.",
        ),
        Misconception(
            "every column its own angle",
            changed(
                _WAVES,
                (
                    "    i = torch.arange(d_model // 2).float()\n"
                    "    angles = t / 10000 ** (2 * i / d_model)\n",
                    "    angles = t / 10000 ** (torch.arange(d_model) / d_model)\n",
                ),
                ("torch.sin(angles)", "torch.sin(angles[:, 0::2])"),
                ("torch.cos(angles)", "torch.cos(angles[:, 1::2])"),
            ),
            "Sine and cosine of a pair have different angles: you count columns, not pairs. Both belong to "
            "the same i.",
        ),
        Misconception(
            "pairs from 1",
            changed(_WAVES, ("torch.arange(d_model // 2)", "torch.arange(1, d_model // 2 + 1)")),
            "You count pairs from 1. The first pair is number 0: its angle is t itself.",
        ),
        Misconception(
            "places for features",
            changed(_WAVES, ("2 * i / d_model", "2 * i / T")),
            "You divide 2i by the number of places. It is divided by d_model, so a place has the same row "
            "however long the sequence is.",
        ),
        Misconception(
            "power before the fraction",
            changed(_WAVES, (_POWER, "(10000 ** 2 * i / d_model)")),
            "Python takes the power first: `10000 ** 2 * i / d_model` is the square of 10000, times i, by "
            "d_model. The whole fraction belongs into the exponent: brackets.",
        ),
        Misconception(
            "d_model out of the exponent",
            changed(_WAVES, (_POWER, "(10000 ** (2 * i) / d_model)")),
            "Your exponent is 2i, and d_model divides the power. The whole fraction, 2i / d_model, is the "
            "exponent.",
        ),
        Misconception(
            "exponent doubled",
            changed(_WAVES, ("torch.arange(d_model // 2)", "torch.arange(0, d_model, 2)")),
            "Your exponents go up twice as fast as they should. Perhaps you count in steps of 2 and double "
            "once more, or divide by the number of pairs: the formula divides 2i by d_model, the features.",
        ),
        Misconception(
            "multiplied by the power",
            changed(_WAVES, ("t / 10000", "t * 10000")),
            "You multiply by the power of 10000, so the pairs get faster and faster. The angle is divided by "
            "it: the first pair is the fastest.",
        ),
        Misconception(
            "places from 1",
            changed(_WAVES, ("torch.arange(T).float()", "torch.arange(1, T + 1).float()")),
            "You count places from 1. The first place is 0, with all angles 0.",
        ),
        Misconception(
            "another base",
            changed(_WAVES, ("10000", "1000")),
            "Your base is not 10000: count its zeros.",
        ),
        Misconception(
            "divided without a power",
            changed(_WAVES, (_POWER, "(10000 * (2 * i + 1) / d_model)")),
            "You multiply 10000 by the fraction. It is a power: 10000 to the power of 2i / d_model, which "
            "begins with 1.",
        ),
        Misconception(
            "the last pair at 10000",
            changed(_WAVES, ("2 * i / d_model", "2 * i / max(d_model - 2, 1)")),
            "You stretch the exponents so that the last pair has exactly 1. In the formula it stops short of "
            "it: 2i / d_model.",
        ),
        Misconception(
            "full turns",
            changed(_WAVES, ("angles = t", "angles = 2 * math.pi * t")),
            "You multiply the angles by 2π, so the first pair comes round once at each place and tells them "
            "not apart. The angle is in radians as it is.",
        ),
        Misconception(
            "degrees",
            changed(
                _WAVES,
                ("torch.sin(angles)", "torch.sin(torch.deg2rad(angles))"),
                ("torch.cos(angles)", "torch.cos(torch.deg2rad(angles))"),
            ),
            "You take the angles for degrees. They are radians, as sine and cosine take them.",
        ),
        Misconception(
            "whole division",
            changed(_WAVES, ("2 * i / d_model", "2 * i // d_model")),
            "`//` rounds your exponents down to 0, so all pairs have the same speed.",
        ),
        Misconception(
            "features down, places across",
            changed(_WAVES, ("return P", "return P.T")),
            "Your table has a row for each feature. It should have a row for each place, so that it can be "
            "added to a sequence.",
        ),
        Misconception(
            "a batch in front",
            changed(_WAVES, ("return P", "return P[None]")),
            "Your table has an axis in front for the batch. Broadcasting puts that in by itself: the shape "
            "is (T, d_model).",
        ),
        Misconception(
            "random positions",
            changed(
                _WAVES,
                (
                    "    return P",
                    "    P = torch.randn(T, d_model, generator=torch.Generator()"
                    ".manual_seed(0))\n    return P",
                ),
            ),
            "Your table is drawn at random. Such positions may be learned, but here waves are asked for.",
        ),
        Misconception(
            "the number of the place",
            changed(_WAVES, ("    return P", "    return t.expand(T, d_model)")),
            "Each row of yours is the bare number of its place. Such numbers grow without end; sines and "
            "cosines stay between −1 and 1.",
        ),
        Misconception(
            "float64",
            changed(
                _WAVES,
                ("torch.arange(T).float()", "torch.arange(T).double()"),
                ("torch.zeros(T, d_model)", "torch.zeros(T, d_model, dtype=torch.float64)"),
            ),
            "Your table is float64. Added to embeddings, which are float32, it would make float64 of them, "
            "and the next layer refuses that.",
        ),
        Misconception(
            "an assert",
            changed(
                _WAVES,
                (
                    '    if d_model % 2 != 0:\n        raise ValueError("odd")\n',
                    "    assert d_model % 2 == 0\n",
                ),
            ),
            "Your `assert` raises an AssertionError, and not at all where Python runs with -O. A ValueError "
            "is asked for.",
        ),
        Misconception(
            "no refusal",
            changed(
                _WAVES,
                ('    if d_model % 2 != 0:\n        raise ValueError("odd")\n', ""),
                ("torch.arange(d_model // 2)", "torch.arange((d_model + 1) // 2)"),
                ("torch.cos(angles)", "torch.cos(angles[:, : d_model // 2])"),
            ),
            "For an odd d_model you leave the last sine without its cosine. A ValueError is asked for.",
        ),
    ),
    hints=(
        "Make the angles first: a table with a row for each place and a column for each pair. It is an outer "
        "product of the places with one speed for each pair.",
        "Refuse an odd d_model. The speed of pair i is 1 / 10000^(2i / d_model). Places as a column times "
        "speeds as a row give the angles. Put their sines into the even columns and their cosines into the "
        "odd ones.",
    ),
    alternatives=(
        _WAVES,
        """
def sinusoidal_positions(T, d_model):
    if d_model % 2:
        raise ValueError("odd")
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    angles = torch.outer(torch.arange(T, dtype=torch.float32), speeds)
    return torch.stack((angles.sin(), angles.cos()), dim=2).reshape(T, d_model)
""",
        """
def sinusoidal_positions(T, d_model):
    if d_model % 2 == 1:
        raise ValueError("odd")
    rows = []
    for t in range(T):
        row = []
        for i in range(d_model // 2):
            angle = t / 10000 ** (2 * i / d_model)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows)
""",
        """
def sinusoidal_positions(T, d_model):
    if d_model % 2:
        raise ValueError("odd")
    column = torch.arange(d_model)
    angles = torch.arange(T)[:, None] / torch.pow(10000.0, (column - column % 2) / d_model)
    return torch.where(column % 2 == 0, angles.sin(), angles.cos())
""",
    ),
)

EXERCISES = (
    SCALED_DOT_PRODUCT,
    CAUSAL_MASK,
    PADDING_MASK,
    SPLIT_HEADS,
    MULTI_HEAD,
    SINUSOIDAL_POSITIONS,
)
"""In the order of the lesson."""
