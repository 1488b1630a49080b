"""One block and the three models made of it, as lesson 15 builds them: encoder, decoder and both.

Tokens are whole numbers of the shape (B, T): batch, places. In the shape of logits, V is the size of the
vocabulary. A mask is True where a query may look, as in
`utils.built.attention`, and is broadcast against weights of the shape (B, h, T_q, T_k).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from utils.built.attention import MultiHeadAttention, causal_mask, sinusoidal_positions

__all__ = [
    "BERT",
    "GPT",
    "Block",
    "EncoderDecoder",
    "FeedForward",
    "Tower",
    "error_rate",
    "greedy_decode",
    "mask_tokens",
    "noam_warmup",
    "shift_targets",
    "top_k",
    "top_p",
]


class FeedForward(nn.Module):
    """Two linear layers with ReLU between them, the same at every place. Built in lesson 15.

    Args:
        d_model: features that come in and go out.
        d_ff: units between the two layers; often 4 · d_model.
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def forward(self, X: Tensor) -> Tensor:
        """Shape (..., d_model) for X of that shape; no place sees another."""
        return self.down(torch.relu(self.up(X)))


class Block(nn.Module):
    """Attention, then a network for each place, each with a norm before it and a shortcut round it.

    Built in lesson 15. Without a mask it is a block of an encoder, with a causal mask one of a decoder; with
    `cross=True` it also looks at a context. The norm stands before each part (pre-norm, Xiong and others,
    2020), not after the sum as in Vaswani and others (2017).

    Args:
        d_model: features of each place.
        h: heads; d_model must be a multiple of it.
        d_ff: units of the feed-forward part.
        cross: with a second attention, which looks at the context.
        dropout: share of each part's result that is dropped in training, before it is added.
    """

    def __init__(self, d_model: int, h: int, d_ff: int, cross: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(d_model), MultiHeadAttention(d_model, h)
        self.norm2, self.feed_forward = nn.LayerNorm(d_model), FeedForward(d_model, d_ff)
        if cross:
            self.norm_cross, self.cross = nn.LayerNorm(d_model), MultiHeadAttention(d_model, h)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        X: Tensor,
        mask: Tensor | None = None,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
    ) -> Tensor:
        """One step of the whole sequence.

        Args:
            X: shape (B, T, d_model).
            mask: which places of X each place may look at; all if not given.
            context: what the second attention looks at, shape (B, T_c, d_model); only with `cross=True`.
            context_mask: which places of the context may be looked at; all if not given.

        Returns:
            Shape (B, T, d_model).
        """
        X = X + self.dropout(self.attention(self.norm1(X), mask=mask))
        if context is not None:
            X = X + self.dropout(self.cross(self.norm_cross(X), context, context_mask))
        return X + self.dropout(self.feed_forward(self.norm2(X)))


class Tower(nn.Module):
    """Embedding, positions, blocks and a last norm: from tokens to features. Built in lesson 15.

    Args:
        vocabulary: how many different tokens there are.
        d_model: features of each place; even.
        h: heads of each attention.
        d_ff: units of each feed-forward part.
        layers: number of blocks.
        cross: whether the blocks look at a context too.
        most: the longest sequence.
    """

    positions: Tensor

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        h: int,
        d_ff: int,
        layers: int,
        cross: bool = False,
        most: int = 256,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, d_model)
        self.register_buffer("positions", sinusoidal_positions(most, d_model))
        self.blocks = nn.ModuleList(Block(d_model, h, d_ff, cross) for _ in range(layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
    ) -> Tensor:
        """Features of each place, shape (B, T, d_model), for tokens of shape (B, T). Masks as in `Block`."""
        X = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            X = block(X, mask, context, context_mask)
        return self.norm(X)


def _head(d_model: int, vocabulary: int) -> nn.Linear:
    """The last layer, with weights so small that all tokens begin about equally probable."""
    head = nn.Linear(d_model, vocabulary)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return head


class GPT(nn.Module):
    """A decoder alone: at each place the logits of the next token. Built in lesson 15.

    Args:
        vocabulary, d_model, h, d_ff, layers, most: as in `Tower`.
    """

    def __init__(self, vocabulary: int, d_model: int, h: int, d_ff: int, layers: int, most: int = 256):
        super().__init__()
        self.tower = Tower(vocabulary, d_model, h, d_ff, layers, most=most)
        self.head = _head(d_model, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits, shape (B, T, vocabulary), for tokens of shape (B, T); no place sees those after it."""
        mask = causal_mask(tokens.shape[1]).to(tokens.device)
        return self.head(self.tower(tokens, mask))


class BERT(nn.Module):
    """An encoder alone: at each place the logits of the token that belongs there. Built in lesson 15.

    Args:
        vocabulary, d_model, h, d_ff, layers, most: as in `Tower`.
        pad: the token that fills up, which nobody may look at.
    """

    def __init__(
        self, vocabulary: int, d_model: int, h: int, d_ff: int, layers: int, pad: int = 0, most: int = 256
    ):
        super().__init__()
        self.pad = pad
        self.tower = Tower(vocabulary, d_model, h, d_ff, layers, most=most)
        self.head = _head(d_model, vocabulary)

    def features(self, tokens: Tensor) -> Tensor:
        """Features of each place, shape (B, T, d_model): what fine-tuning builds on."""
        return self.tower(tokens, (tokens != self.pad)[:, None, None, :])

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits, shape (B, T, vocabulary), for tokens of shape (B, T); each place sees both sides."""
        return self.head(self.features(tokens))


class EncoderDecoder(nn.Module):
    """An encoder that reads and a decoder that writes and looks at what was read. Built in lesson 15.

    Args:
        source: how many different tokens are read.
        target: how many different tokens are written.
        d_model, h, d_ff, layers, most: as in `Tower`, the same for both sides.
        pad: the token of the source that fills up.
    """

    def __init__(
        self,
        source: int,
        target: int,
        d_model: int,
        h: int,
        d_ff: int,
        layers: int,
        pad: int = 0,
        most: int = 64,
    ):
        super().__init__()
        self.pad = pad
        self.encoder = Tower(source, d_model, h, d_ff, layers, most=most)
        self.decoder = Tower(target, d_model, h, d_ff, layers, cross=True, most=most)
        self.head = _head(d_model, target)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features of what is read, (B, T_x, d_model), and the mask that hides its padding."""
        mask = (x != self.pad)[:, None, None, :]
        return self.encoder(x, mask), mask

    def decode(self, written: Tensor, context: Tensor, context_mask: Tensor) -> Tensor:
        """Logits of the next token after each that is written, shape (B, T_y, target)."""
        mask = causal_mask(written.shape[1]).to(written.device)
        return self.head(self.decoder(written, mask, context, context_mask))

    def forward(self, x: Tensor, written: Tensor) -> Tensor:
        """Logits, shape (B, T_y, target), for x of shape (B, T_x) and what is written, (B, T_y)."""
        return self.decode(written, *self.encode(x))


def shift_targets(tokens: Tensor, start: int) -> Tensor:
    """What a decoder gets to see while it learns to write these tokens: each one place later.

    Built in lesson 15.

    Args:
        tokens: what shall be written, shape (B, T).
        start: the token that stands before the first.

    Returns:
        Shape (B, T): start, then all tokens but the last.
    """
    first = torch.full_like(tokens[:, :1], start)
    return torch.cat([first, tokens[:, :-1]], dim=1)


def mask_tokens(
    tokens: Tensor, mask_id: int, vocabulary: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide some tokens and remember them, as BERT is trained. Built in lesson 15.

    Of the chosen tokens 80% become the mask, 10% a random token and 10% stay as they are.

    Args:
        tokens: shape (B, T).
        mask_id: the token that stands for "hidden".
        vocabulary: random tokens are drawn from 0 to vocabulary − 1.
        generator: where chance comes from.
        share: probability that a token is chosen.

    Returns:
        The inputs, and the targets: the token that stood there where one was chosen, −100 elsewhere, which
        `F.cross_entropy` leaves out. Both of shape (B, T); `tokens` is not changed.

    Source: Devlin and others, 2019, "BERT".
    """
    chosen = torch.rand(tokens.shape, generator=generator) < share
    fate = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(0, vocabulary, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, tokens)
    inputs = torch.where(chosen & (fate >= 0.9), other, inputs)
    return inputs, torch.where(chosen, tokens, -100)


def noam_warmup(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of "Attention is all you need": a straight rise, then 1/√step. Built in lesson 15.

    Args:
        step: from 1.
        d_model: width of the model; wider ones take smaller steps.
        warmup: the step at which the rate is highest.

    Raises:
        ValueError: if step or warmup is below 1.
    """
    if step < 1 or warmup < 1:
        raise ValueError(f"step and warmup count from 1, not {step} and {warmup}")
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def top_k(logits: Tensor, k: int) -> Tensor:
    """Only the k largest logits; the others become −∞, so that their probability is 0. Built in lesson 15.

    Args:
        logits: shape (..., V).
        k: from 1; with k ≥ V nothing changes.

    Raises:
        ValueError: if k is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    values, places = logits.topk(min(k, logits.shape[-1]), dim=-1)
    return torch.full_like(logits, -torch.inf).scatter(-1, places, values)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Only the nucleus: the fewest tokens whose probabilities reach p together. Built in lesson 15.

    Args:
        logits: shape (..., V).
        p: 0 < p ≤ 1. The most probable token always stays; with p = 1 nothing changes.

    Returns:
        The logits of the nucleus, −∞ elsewhere.

    Raises:
        ValueError: if p is not in (0, 1].

    Source: Holtzman and others, 2020, "The curious case of neural text degeneration".
    """
    if not 0 < p <= 1:
        raise ValueError(f"p must be above 0 and at most 1, not {p}")
    if p == 1:  # rounding must not cut off a tail
        return logits.clone()
    values, places = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = torch.softmax(values, dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities  # what the more probable ones have together
    values = values.masked_fill(before >= p, -torch.inf)
    return torch.full_like(logits, -torch.inf).scatter(-1, places, values)


def greedy_decode(next_logits: Callable[[list[int]], Tensor], start: int, end: int, most: int) -> list[int]:
    """Write the most probable token again and again, until the end token or `most` tokens.

    Built in lesson 15.

    Args:
        next_logits: gets all tokens so far, beginning with start, and returns the logits of the next, (V,).
        start: the token before the first.
        end: the token that says "finished".
        most: how many tokens at most.

    Returns:
        What was written, without start and end.
    """
    tokens = [start]
    while len(tokens) <= most:
        token = int(next_logits(tokens).argmax())
        if token == end:
            break
        tokens.append(token)
    return tokens[1:]


def error_rate(predicted: Sequence, wanted: Sequence) -> float:
    """Edit distance over length: how many tokens must be changed, put in or taken out, for each wanted one.

    Built in lesson 15. It can be more than 1, if too much was predicted. (Levenshtein, 1966.)

    Args:
        predicted: a sequence of tokens, numbers or strings.
        wanted: the right one.

    Raises:
        ValueError: if nothing is wanted.
    """
    if not len(wanted):
        raise ValueError("the wanted sequence is empty: there is no length to divide by")
    row = list(range(len(wanted) + 1))  # distance of the empty prediction to each beginning of the wanted
    for i, p in enumerate(predicted, start=1):
        corner, row[0] = row[0], i
        for j, w in enumerate(wanted, start=1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (p != w))
    return row[-1] / len(wanted)
