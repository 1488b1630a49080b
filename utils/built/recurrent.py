"""Recurrent cells, and what one needs to train them on sequences, as lesson 13 builds them.

A batch of sequences has the shape (B, T, d): batch, time steps, numbers at each step. A hidden state has the
shape (B, n). Weights have the shape (out, in), as `nn.Linear` and torch's recurrent modules keep them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "Recurrent",
    "clip_grad_norm",
    "gru_step",
    "lstm_step",
    "next_char_pairs",
    "pad_sequences",
    "rnn_forward",
    "rnn_step",
    "sample_index",
]


def rnn_step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    """One step of a plain recurrent cell: tanh of a layer on input and state. Built in lesson 13.

    Args:
        x: input at this step, shape (B, d_in).
        h: hidden state before it, shape (B, n).
        W_x: weights on the input, shape (n, d_in).
        W_h: weights on the state, shape (n, n).
        b: bias, shape (n,).

    Returns:
        The hidden state after it, shape (B, n), between −1 and 1. J. Elman (1990).
    """
    return torch.tanh(x @ W_x.T + h @ W_h.T + b)


def rnn_forward(X: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """A plain recurrent cell over a whole sequence. Built in lesson 13, exercise 13.rnn_forward.

    Args:
        X: inputs, shape (B, T, d_in).
        h: hidden state at the start, shape (B, n).
        W_x: weights on the input, shape (n, d_in).
        W_h: weights on the state, shape (n, n).
        b: bias, shape (n,).

    Returns:
        The states after every step, shape (B, T, n), and the last of them, shape (B, n).
    """
    states = []
    for x in X.unbind(dim=1):
        h = rnn_step(x, h, W_x, W_h, b)
        states.append(h)
    return torch.stack(states, dim=1), h


def lstm_step(x: Tensor, h: Tensor, c: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """One step of an LSTM cell. Built in lesson 13.

    Args:
        x: input at this step, shape (B, d_in).
        h: hidden state before it, shape (B, n).
        c: cell state before it, shape (B, n).
        W_x: weights on the input, shape (4n, d_in): n rows each for input gate, forget gate, candidate and
            output gate, in this order, which is torch's.
        W_h: weights on the state, shape (4n, n), in the same order.
        b: bias, shape (4n,), in the same order.

    Returns:
        Hidden state and cell state after it, both of shape (B, n). S. Hochreiter and J. Schmidhuber (1997),
        with the forget gate of F. Gers and others (2000).
    """
    i, f, g, o = (x @ W_x.T + h @ W_h.T + b).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    """One step of a GRU cell. Built in lesson 13.

    Args:
        x: input at this step, shape (B, d_in).
        h: hidden state before it, shape (B, n).
        W_x: weights on the input, shape (3n, d_in): n rows each for reset gate, update gate and candidate, in
            this order, which is torch's.
        W_h: weights on the state, shape (3n, n), in the same order.
        b_x: bias beside the input, shape (3n,).
        b_h: bias beside the state, shape (3n,). The reset gate acts on the candidate's part of it as well.

    Returns:
        The hidden state after it, shape (B, n). An update gate of 1 keeps the old state. K. Cho and others
        (2014), in the form torch uses.
    """
    r, z, g = (x @ W_x.T + b_x).chunk(3, dim=-1)
    r_h, z_h, g_h = (h @ W_h.T + b_h).chunk(3, dim=-1)
    r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
    return (1 - z) * torch.tanh(g + r * g_h) + z * h


class Recurrent(nn.Module):
    """A recurrent layer that runs over whole sequences. Built in lesson 13.

    Args:
        kind: "rnn", "lstm" or "gru".
        d_in: numbers at each step of the input.
        n: size of the hidden state.

    Attributes:
        weights: what a step takes after input and state: W_x, W_h and one bias; for a GRU two biases. All
            begin uniformly between −1/√n and 1/√n, as torch's do.

    Raises:
        ValueError: if there is no such kind.
    """

    def __init__(self, kind: str, d_in: int, n: int) -> None:
        super().__init__()
        if kind not in ("rnn", "lstm", "gru"):
            raise ValueError(f'kind must be "rnn", "lstm" or "gru", not {kind!r}')
        self.kind, self.n = kind, n
        rows = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * n
        shapes = [(rows, d_in), (rows, n), (rows,)] + [(rows,)] * (kind == "gru")
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(shape)) for shape in shapes)
        for p in self.weights:
            nn.init.uniform_(p, -(n**-0.5), n**-0.5)

    def forward(self, X: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """All hidden states, and the last state to go on from.

        Args:
            X: inputs, shape (B, T, d_in).
            state: what an earlier call gave: h of shape (B, n), or for an LSTM the pair (h, c); zeros if
                none is given.

        Returns:
            The hidden states after every step, shape (B, T, n), and the state after the last.
        """
        if state is None:
            h = X.new_zeros(len(X), self.n)
            state = (h, h) if self.kind == "lstm" else h
        outputs = []
        for x in X.unbind(dim=1):
            if self.kind == "lstm":
                state = lstm_step(x, *state, *self.weights)
                outputs.append(state[0])
            else:
                state = (rnn_step if self.kind == "rnn" else gru_step)(x, state, *self.weights)
                outputs.append(state)
        return torch.stack(outputs, dim=1), state


def clip_grad_norm(parameters: Iterable[Tensor], most: float) -> float:
    """Make all gradients shorter together, in place, if together they are too long. Built in lesson 13.

    Args:
        parameters: tensors; those without a gradient are left out.
        most: the largest length that is left as it is.

    Returns:
        The length before: the root of the sum of all squares, over all entries of all gradients.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.square().sum()) for g in gradients) ** 0.5
    if norm > most:
        for g in gradients:
            g.mul_(most / norm)
    return norm


def pad_sequences(sequences: Sequence[Sequence[int]], value: int = 0) -> tuple[Tensor, Tensor]:
    """Sequences of unequal lengths as one tensor, filled up at the end. Built in lesson 13.

    Args:
        sequences: B sequences of whole numbers, as lists or tensors.
        value: what the rest of a row is filled with.

    Returns:
        Shape (B, T) of int64, where T is the largest length, and the lengths, shape (B,).
    """
    lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
    padded = torch.full((len(lengths), int(lengths.max()) if len(lengths) else 0), value)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = torch.as_tensor(sequence, dtype=torch.int64)
    return padded, lengths


def next_char_pairs(names: Sequence[str], alphabet: str) -> tuple[Tensor, Tensor]:
    """What a character model reads and what it should say, one step later. Built in lesson 13.

    A character's number is its place in the alphabet. The alphabet's first character, number 0, is the mark
    that stands before and after each name: "ann" is read as "." "a" "n" "n" and should be followed by "a" "n"
    "n" ".".

    Args:
        names: B words, written in the alphabet without its first character.
        alphabet: all characters, each once; the first is the mark.

    Returns:
        Inputs, shape (B, T), filled up with 0, and targets, shape (B, T), filled up with −100, which torch's
        cross-entropy leaves out. T is the length of the longest name, plus 1.
    """
    number = {character: k for k, character in enumerate(alphabet)}
    tokens = [[0, *(number[c] for c in name), 0] for name in names]
    inputs, _ = pad_sequences([t[:-1] for t in tokens])
    targets, _ = pad_sequences([t[1:] for t in tokens], value=-100)
    return inputs, targets


def sample_index(logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None) -> int:
    """Draw a place with the probabilities softmax(logits / temperature).

    Built in lesson 13, exercise 13.sample.

    Args:
        logits: scores, shape (k,).
        temperature: above 0. Near 0 the largest almost always wins, large ones make all alike.
        generator: where chance comes from; torch's own if none is given.

    Returns:
        A number from 0 to k − 1.

    Raises:
        ValueError: if the temperature is not above 0.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    p = torch.softmax(logits / temperature, dim=-1)
    return int(torch.multinomial(p, 1, generator=generator))
