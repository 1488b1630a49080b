"""The exercises of lesson 13 as data: recurrent cells, clipping, sampling, sequences of unequal lengths."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked

# ------------------------------------------------------------------------------------- 13.rnn_step


def rnn_step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    """One step of a plain recurrent cell: (B, d_in), (B, n) -> (B, n)."""
    return torch.tanh(x @ W_x.T + h @ W_h.T + b)


def cell(
    generator: torch.Generator, B: int, d_in: int, n: int, rows: int = 1, scale: float = 0.7
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Input, state, weights and bias of a cell whose layer has rows · n outputs."""
    return (
        normal(generator, B, d_in),
        torch.tanh(normal(generator, B, n)),
        normal(generator, rows * n, d_in, scale=scale),
        normal(generator, rows * n, n, scale=scale),
        normal(generator, rows * n),
    )


def doubled(args: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The same tensors in float64."""
    return tuple(t.double() for t in args)


def rnn_step_cases(generator: torch.Generator) -> list[Case]:
    """Square weights, where a forgotten transposition makes no error, and batches as large as the state."""
    example = (
        torch.tensor([[1.0]]),
        torch.tensor([[0.0, 1.0]]),
        torch.tensor([[1.0], [-1.0]]),
        torch.tensor([[0.0, 0.5], [1.0, 0.0]]),
        torch.tensor([0.0, 0.5]),
    )
    n = whole_number(generator, 3, 5)
    flat = cell(generator, 3, 2, 4, scale=20.0)
    return [
        Case("values", example, "the example of the statement"),
        Case("values", cell(generator, 4, 3, 3), "as many inputs as units"),
        Case("values", cell(generator, n, n, n), "batch, inputs and units alike"),
        Case("shapes", cell(generator, n + 2, 2, n), "fewer inputs than units"),
        Case("shapes", cell(generator, 2, n + 3, 2)),
        Case("shapes", cell(generator, 1, 2, 3), "a batch of one"),
        Case("types", doubled(cell(generator, 2, 3, 2)), "float64"),
        Case("edge cases", cell(generator, 3, 1, 1), "one input, one unit"),
        Case("edge cases", flat, "large weights: tanh is flat"),
    ]


_STEP = """
def rnn_step(x, h, W_x, W_h, b):
    return torch.tanh(x @ W_x.T + h @ W_h.T + b)
"""
_SUM = "x @ W_x.T + h @ W_h.T + b"

RNN_STEP = Exercise(
    id="13.rnn_step",
    name="rnn_step",
    title="One step of memory",
    difficulty=1,
    points=2,
    minutes=5,
    cases=rnn_step_cases,
    reference=rnn_step,
    result="a tensor of shape (B, n), floating point",
    misconceptions=(
        Misconception(
            "no tanh",
            changed(_STEP, (f"torch.tanh({_SUM})", _SUM)),
            "You return the sum itself. It still goes through tanh, or the state could grow without end from "
            "step to step.",
        ),
        Misconception(
            "sigmoid for tanh",
            changed(_STEP, ("torch.tanh", "torch.sigmoid")),
            "Your states lie between 0 and 1: that is the sigmoid. A plain recurrent cell uses tanh, between "
            "−1 and 1.",
        ),
        Misconception(
            "ReLU for tanh",
            changed(_STEP, ("torch.tanh", "torch.relu")),
            "Your states are never negative, and may be large: that is ReLU. Here the bend is tanh.",
        ),
        Misconception(
            "forgets the state",
            changed(_STEP, (" + h @ W_h.T", "")),
            "The old state plays no part in your step, so nothing is remembered. It enters through weights "
            "of its own.",
        ),
        Misconception(
            "forgets the input",
            changed(_STEP, ("x @ W_x.T + ", "")),
            "The input plays no part in your step: the cell hears nothing new.",
        ),
        Misconception(
            "forgets the bias",
            changed(_STEP, (" + b", "")),
            "Input and state are right, but the bias is not added.",
        ),
        Misconception(
            "bias twice",
            changed(_STEP, (" + b", " + 2 * b")),
            "You add the bias twice, as if both layers had one. Here they share it. (torch's own cell keeps "
            "two, and both are added.)",
        ),
        Misconception(
            "weights of the state not transposed",
            changed(_STEP, ("W_h.T", "W_h")),
            "You use the weights of the state as (in, out). They are kept as (out, in), like those of the "
            "input: since they are square, no error tells you.",
        ),
        Misconception(
            "weights of the input not transposed",
            changed(_STEP, ("W_x.T", "W_x")),
            "The product of input and weights does not fit: the weights are kept as (out, in), so the inputs "
            "lie along their last axis.",
        ),
        Misconception(
            "nothing transposed",
            changed(_STEP, ("W_x.T", "W_x"), ("W_h.T", "W_h")),
            "Neither product uses the weights the right way round. Row k of a table of weights belongs to "
            "unit k.",
        ),
        Misconception(
            "a tanh for each",
            changed(_STEP, (_SUM, "x @ W_x.T) + torch.tanh(h @ W_h.T + b")),
            "You bend input and state each by itself and add then, so the result can reach 2. First "
            "everything is added, then comes one tanh.",
        ),
        Misconception(
            "bias after tanh",
            changed(_STEP, ("x @ W_x.T + h @ W_h.T + b)", "x @ W_x.T + h @ W_h.T) + b")),
            "You add the bias behind the tanh. It belongs to the sum that is bent.",
        ),
        Misconception(
            "state added behind",
            changed(_STEP, ("x @ W_x.T + h @ W_h.T + b)", "x @ W_x.T + h @ W_h.T + b) + h")),
            "You add the old state to the new one: a shortcut, as in a residual block. This cell writes its "
            "state anew.",
        ),
        Misconception(
            "state without weights",
            changed(_STEP, ("h @ W_h.T", "h")),
            "You add the old state as it is. It goes through its own weights first, so that each unit can "
            "read all others.",
        ),
        Misconception(
            "state inside the input's part",
            changed(_STEP, ("x @ W_x.T + h @ W_h.T", "(x @ W_x.T + h) @ W_h.T")),
            "Your input goes through both tables of weights. Input and state each go through their own, side "
            "by side.",
        ),
        Misconception(
            "multiplied, not added",
            changed(_STEP, ("x @ W_x.T + h @ W_h.T", "(x @ W_x.T) * (h @ W_h.T)")),
            "You multiply the part of the input with that of the state. They are added.",
        ),
        Misconception(
            "weights of the state entry by entry",
            changed(_STEP, ("h @ W_h.T", "h * W_h.diagonal()")),
            "Each unit of yours hears of its own old state only. W_h joins all with all: that is a matrix "
            "product.",
        ),
        Misconception(
            "weights in front",
            changed(_STEP, (_SUM, "W_x @ x.T + W_h @ h.T + b")),
            "You put the weights in front and the sequences behind, as for a single column. Here each row is "
            "a sequence: input and state stand in front, the transposed weights behind.",
        ),
        Misconception(
            "returns the state twice",
            changed(_STEP, (f"return torch.tanh({_SUM})", f"h = torch.tanh({_SUM})\n    return h, h")),
            "You return two things, as torch's modules do. One step has one result here: the new state.",
        ),
        Misconception(
            "the first state for all",
            changed(_STEP, ("h @ W_h.T", "h[:1] @ W_h.T")),
            "You use the state of sequence 0 for the whole batch. Each sequence has a memory of its own.",
        ),
        Misconception(
            "mean of old and new",
            changed(
                _STEP,
                (
                    "return torch.tanh(x @ W_x.T + h @ W_h.T + b)",
                    "return (h + torch.tanh(x @ W_x.T + h @ W_h.T + b)) / 2",
                ),
            ),
            "You mix old and new state half and half. A plain cell has no such mixture; gates will do that, "
            "later.",
        ),
        Misconception(
            "normalised instead of bent",
            changed(_STEP, ("torch.tanh", "torch.nn.functional.normalize")),
            "You make each state one long. What keeps it small here is tanh, number by number.",
        ),
    ),
    hints=(
        "What would one layer on the input alone look like? The state is a second input with weights of its "
        "own.",
        "Two products with the transposed weights, each of shape (B, n). Add both and the bias, then bend "
        "once.",
    ),
    alternatives=(
        """
def rnn_step(x, h, W_x, W_h, b):
    both = torch.cat([x, h], dim=1)
    return torch.tanh(both @ torch.cat([W_x, W_h], dim=1).T + b)
""",
        """
def rnn_step(x, h, W_x, W_h, b):
    linear = torch.nn.functional.linear
    return torch.tanh(linear(x, W_x, b) + linear(h, W_h))
""",
        """
def rnn_step(x, h, W_x, W_h, b):
    z = torch.einsum("bd,nd->bn", x, W_x) + torch.einsum("bm,nm->bn", h, W_h) + b
    return 2 * torch.sigmoid(2 * z) - 1
""",
        """
def rnn_step(x, h, W_x, W_h, b):
    cell = torch.nn.RNNCell(x.shape[1], h.shape[1]).to(x.dtype)
    with torch.no_grad():
        for p, value in zip(cell.parameters(), (W_x, W_h, b, torch.zeros_like(b))):
            p.copy_(value)
        return cell(x, h)
""",
    ),
)

# ---------------------------------------------------------------------------------- 13.rnn_forward


def rnn_forward(X: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The cell over (B, T, d_in): the states (B, T, n) and the last (B, n)."""
    states = []
    for t in range(X.shape[1]):
        h = torch.tanh(X[:, t] @ W_x.T + h @ W_h.T + b)
        states.append(h)
    return torch.stack(states, dim=1), h


def rnn_forward_cases(generator: torch.Generator) -> list[Case]:
    """Batches as large as the sequences are long, where an exchange of both axes makes no error."""

    def run(B: int, T: int, d_in: int, n: int, scale: float = 0.7) -> tuple[Tensor, ...]:
        _, h, *weights = cell(generator, B, d_in, n, scale=scale)
        return normal(generator, B, T, d_in), h, *weights

    example = (
        torch.tensor([[[1.0], [0.0]]]),
        torch.zeros(1, 1),
        torch.ones(1, 1),
        torch.full((1, 1), 0.5),
        torch.zeros(1),
    )
    T = whole_number(generator, 4, 6)
    return [
        Case("values", example, "the example of the statement"),
        Case("values", run(2, 3, 2, 3), "a start that is not zero"),
        Case("values", run(3, 3, 3, 3), "batch, steps, inputs and units alike"),
        Case("shapes", run(2, T, 3, 4)),
        Case("shapes", run(T, 2, 1, 2), "short sequences, many of them"),
        Case("shapes", run(1, T, 2, 3), "a batch of one"),
        Case("types", doubled(run(2, 3, 2, 2)), "float64"),
        Case("edge cases", run(3, 1, 2, 2), "a single step"),
        Case("edge cases", run(1, 1, 1, 1), "one of everything"),
        Case("edge cases", run(2, 12, 2, 2, scale=3.0), "twelve steps, large weights"),
    ]


_FORWARD = """
def rnn_forward(X, h, W_x, W_h, b):
    states = []
    for t in range(X.shape[1]):
        h = torch.tanh(X[:, t] @ W_x.T + h @ W_h.T + b)
        states.append(h)
    return torch.stack(states, dim=1), h
"""
_LINE = "        h = torch.tanh(X[:, t] @ W_x.T + h @ W_h.T + b)\n"
_RETURN = "return torch.stack(states, dim=1), h"

RNN_FORWARD = Exercise(
    id="13.rnn_forward",
    name="rnn_forward",
    title="A whole sequence",
    difficulty=2,
    points=4,
    minutes=10,
    cases=rnn_forward_cases,
    reference=rnn_forward,
    result="a tuple of two tensors: all states (B, T, n) and the last (B, n)",
    output_names=("states", "last"),
    atol=1e-5,  # twelve steps, in whatever order the sums are made
    misconceptions=(
        Misconception(
            "state not carried",
            changed(
                _FORWARD,
                (_LINE, _LINE.replace(" h = ", " new = ")),
                ("append(h)", "append(new)"),
                (_RETURN, "return torch.stack(states, dim=1), new"),
            ),
            "Every step of yours begins from the state at the start, so step t knows nothing of steps before "
            "it. Each step must begin from what the one before has left.",
        ),
        Misconception(
            "stacked on the first axis",
            changed(_FORWARD, ("dim=1", "dim=0")),
            "Your states have the shape (T, B, n): they are stacked along axis 0. The batch comes first "
            "here, then the steps, as in X.",
        ),
        Misconception(
            "put one below the other",
            changed(_FORWARD, (_RETURN, "return torch.cat(states, dim=0), h")),
            "`cat` joins along an axis that is there, so steps and sequences end up in one axis. The steps "
            "need a new axis of their own.",
        ),
        Misconception(
            "put side by side",
            changed(_FORWARD, (_RETURN, "return torch.cat(states, dim=1), h")),
            "`cat` along axis 1 puts the units of all steps into one row. The steps need a new axis of their "
            "own, between batch and units.",
        ),
        Misconception(
            "only all states",
            changed(_FORWARD, (_RETURN, "return torch.stack(states, dim=1)")),
            "You return the states after every step, and not the last one by itself. Two things are asked "
            "for.",
        ),
        Misconception(
            "only the last state",
            changed(_FORWARD, (_RETURN, "return h")),
            "You return the last state only. The states after every step are asked for as well, in front of "
            "it.",
        ),
        Misconception(
            "the other way round",
            changed(_FORWARD, (_RETURN, "return h, torch.stack(states, dim=1)")),
            "You return the last state first. All states come first, then the last.",
        ),
        Misconception(
            "last of the batch",
            changed(
                _FORWARD, (_RETURN, "states = torch.stack(states, dim=1)\n    return states, states[-1]")
            ),
            "What you give as last is the last sequence of the batch, with all its steps. The last step of "
            "every sequence is meant.",
        ),
        Misconception(
            "the state at the start as the last",
            changed(
                _FORWARD,
                ("    states = []", "    start = h\n    states = []"),
                (_RETURN, _RETURN[:-1] + "start"),
            ),
            "Your second result is the state at the start, unchanged. It should be the one after the last "
            "step.",
        ),
        Misconception(
            "the first state as the last",
            changed(_FORWARD, (_RETURN, "return torch.stack(states, dim=1), states[0]")),
            "Your second result is the state after step 1. It should be the one after the last step.",
        ),
        Misconception(
            "states before the steps",
            changed(_FORWARD, (_LINE + "        states.append(h)\n", "        states.append(h)\n" + _LINE)),
            "You put each state away before the step, so the one at the start is among them and the last is "
            "missing.",
        ),
        Misconception(
            "start among the states",
            changed(_FORWARD, ("states = []", "states = [h]")),
            "You have T + 1 states: the one at the start is among them. A state is kept after each of the T "
            "steps.",
        ),
        Misconception(
            "starts at zero",
            changed(_FORWARD, ("    states = []", "    h = torch.zeros_like(h)\n    states = []")),
            "You begin at zero, whatever state is handed over. Whoever cuts a long text into pieces hands "
            "over the state of the piece before.",
        ),
        Misconception(
            "backwards",
            changed(_FORWARD, ("range(X.shape[1])", "reversed(range(X.shape[1]))")),
            "You go through the sequence from its end to its beginning. Step 0 comes first.",
        ),
        Misconception(
            "over the batch",
            changed(_FORWARD, ("X.shape[1]", "X.shape[0]"), ("X[:, t]", "X[t]")),
            "You loop over the sequences of the batch, as if they were steps: axis 0 is the batch, axis 1 "
            "the steps.",
        ),
        Misconception(
            "the first step again and again",
            changed(_FORWARD, ("X[:, t]", "X[:, 0]")),
            "Every step of yours reads the first input. Step t reads input t.",
        ),
        Misconception(
            "last step left out",
            changed(_FORWARD, ("range(X.shape[1])", "range(max(1, X.shape[1] - 1))")),
            "You stop one step too early: `range(T)` already ends at T − 1.",
        ),
        Misconception(
            "carries what is not bent",
            changed(
                _FORWARD,
                (_LINE, "        h = X[:, t] @ W_x.T + h @ W_h.T + b\n"),
                ("append(h)", "append(torch.tanh(h))"),
                (_RETURN, "return torch.stack(states, dim=1), torch.tanh(h)"),
            ),
            "You carry the sum from before the tanh to the next step. What is carried is the state, so the "
            "bent one.",
        ),
        Misconception(
            "no tanh",
            changed(_FORWARD, (_LINE, "        h = X[:, t] @ W_x.T + h @ W_h.T + b\n")),
            "No tanh in your step. Without it the cell is linear, and the state may grow from step to step.",
        ),
        Misconception(
            "a list of states",
            changed(_FORWARD, (_RETURN, "return states, h")),
            "The states are right, but they come as a list of T tensors. Make one tensor of them, with the "
            "steps as axis 1.",
        ),
        Misconception(
            "last with an axis too many",
            changed(_FORWARD, (_RETURN, "return torch.stack(states, dim=1), h.unsqueeze(0)")),
            "Your last state has an axis too many. torch's modules put one there for their layers; here "
            "(B, n) is asked for.",
        ),
        Misconception(
            "returns inside the loop",
            changed(_FORWARD, ("    " + _RETURN, "        " + _RETURN)),
            "`return` stands inside the loop, so your function ends after the first step.",
        ),
        Misconception(
            "reshaped, not exchanged",
            changed(_FORWARD, (_RETURN, "return torch.stack(states).reshape(*X.shape[:2], -1), h")),
            "You stack along axis 0 and then `reshape` to (B, T, n). That only cuts the row of numbers anew: "
            "states of different sequences get mixed up. Stack along the right axis at once.",
        ),
        Misconception(
            "steps on the last axis",
            changed(_FORWARD, ("dim=1", "dim=2")),
            "Your steps lie on the last axis, behind the units. They belong on axis 1, as in X.",
        ),
        Misconception(
            "first step left out",
            changed(_FORWARD, ("        h = torch", "        if t > 0:\n            h = torch")),
            "Your first step does nothing: its input is never read, and the state at the start stands in "
            "the place of state 1.",
        ),
        Misconception(
            "the last state for all",
            changed(_FORWARD, (_RETURN, "return torch.stack([h] * len(states), dim=1), h")),
            "All your states are the last one. Keep the state of each step before it is overwritten.",
        ),
    ),
    hints=(
        "What must be known before step t can be worked out? So what has to be kept in a variable from one "
        "turn of the loop to the next?",
        "Begin with an empty list. For each step take that step's inputs, of shape (B, d_in), overwrite the "
        "state, and append it to the list. Afterwards make one tensor of the list, with a new axis for the "
        "steps in second place.",
    ),
    alternatives=(
        """
def rnn_forward(X, h, W_x, W_h, b):
    B, T, _ = X.shape
    outputs = torch.empty(B, T, len(b), dtype=X.dtype)
    inputs = X @ W_x.T + b
    for t in range(T):
        h = torch.tanh(inputs[:, t] + h @ W_h.T)
        outputs[:, t] = h
    return outputs, outputs[:, -1]
""",
        """
def rnn_forward(X, h, W_x, W_h, b):
    states = []
    for x in X.transpose(0, 1):
        h = (x @ W_x.T + h @ W_h.T + b).tanh()
        states.append(h.unsqueeze(1))
    return torch.cat(states, dim=1), h
""",
        """
def rnn_forward(X, h, W_x, W_h, b):
    rnn = torch.nn.RNN(X.shape[2], h.shape[1], batch_first=True).to(X.dtype)
    with torch.no_grad():
        for p, value in zip(rnn.parameters(), (W_x, W_h, b, torch.zeros_like(b))):
            p.copy_(value)
        states, last = rnn(X, h[None].contiguous())
    return states, last[0]
""",
        """
def rnn_forward(X, h, W_x, W_h, b):
    if X.shape[1] == 0:
        return X.new_empty(len(X), 0, len(b)), h
    before, h = rnn_forward(X[:, :-1], h, W_x, W_h, b)
    h = torch.tanh(X[:, -1] @ W_x.T + h @ W_h.T + b)
    return torch.cat([before, h[:, None]], dim=1), h
""",
    ),
)

# ------------------------------------------------------------------------------------ 13.lstm_step


def lstm_step(x: Tensor, h: Tensor, c: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """One step of an LSTM cell, gates in torch's order: (B, d_in), (B, n), (B, n) -> h and c."""
    i, f, g, o = (x @ W_x.T + h @ W_h.T + b).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def lstm_step_cases(generator: torch.Generator) -> list[Case]:
    """Batches of 4 and 4n, where cutting the wrong axis makes no error; cells far beyond 1."""

    def step(B: int, d_in: int, n: int, scale: float = 0.7, large: float = 1.5) -> tuple[Tensor, ...]:
        x, h, *weights = cell(generator, B, d_in, n, rows=4, scale=scale)
        return x, h, normal(generator, B, n, scale=large), *weights

    example = (
        torch.tensor([[1.0]]),
        torch.zeros(1, 1),
        torch.tensor([[2.0]]),
        torch.tensor([[0.0], [0.0], [1.0], [0.0]]),
        torch.zeros(4, 1),
        torch.tensor([0.0, 2.0, 0.0, 0.0]),
    )
    n = whole_number(generator, 3, 5)
    return [
        Case("values", example, "the example of the statement"),
        Case("values", step(4, 3, 2), "a batch of four"),
        Case("values", step(3, 2, n)),
        Case("shapes", step(8, n, 2), "a batch as large as all gates together"),
        Case("shapes", step(2, 1, n + 1), "one input"),
        Case("shapes", step(1, 3, 2), "a batch of one"),
        Case("types", doubled(step(2, 2, 3)), "float64"),
        Case("edge cases", step(2, 2, 1), "one unit"),
        Case("edge cases", step(3, 2, 2, large=30.0), "a cell that has counted far"),
        Case("edge cases", step(3, 2, 2, scale=15.0), "gates fully open or shut"),
    ]


_LSTM = """
def lstm_step(x, h, c, W_x, W_h, b):
    i, f, g, o = (x @ W_x.T + h @ W_h.T + b).chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    h = o * torch.tanh(c)
    return h, c
"""
_CUT = "i, f, g, o = (x @"
_BENT = "torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)"

LSTM_STEP = Exercise(
    id="13.lstm_step",
    name="lstm_step",
    title="Three gates and a cell",
    difficulty=3,
    points=5,
    minutes=15,
    cases=lstm_step_cases,
    reference=lstm_step,
    result="a tuple of two tensors of shape (B, n): the new h and the new c",
    output_names=("h", "c"),
    misconceptions=(
        Misconception(
            "order i, f, o, g",
            changed(_LSTM, (_CUT, "i, f, o, g = (x @")),
            "Your candidate and your output gate have changed places. In torch's order the candidate comes "
            "third, the output gate last.",
        ),
        Misconception(
            "order f, i, g, o",
            changed(_LSTM, (_CUT, "f, i, g, o = (x @")),
            "Your forget gate keeps what the input gate should let in, and the other way round. In torch's "
            "order the input gate comes first, and it acts on the candidate.",
        ),
        Misconception(
            "order f, i, o, g",
            changed(_LSTM, (_CUT, "f, i, o, g = (x @")),
            "You cut the numbers in the order forget, input, output, candidate, as some books have it. Here "
            "the order is torch's: input, forget, candidate, output.",
        ),
        Misconception(
            "order i, g, f, o",
            changed(_LSTM, (_CUT, "i, g, f, o = (x @")),
            "Your forget gate and your candidate have changed places. In torch's order the forget gate comes "
            "second, the candidate third.",
        ),
        Misconception(
            "tanh and sigmoid exchanged",
            changed(_LSTM, (_BENT, "torch.tanh(i), torch.tanh(f), torch.sigmoid(g), torch.tanh(o)")),
            "You have exchanged tanh and sigmoid. A gate says how much goes through, between 0 and 1; the "
            "candidate may be negative.",
        ),
        Misconception(
            "a sigmoid for the candidate",
            changed(_LSTM, ("torch.tanh(g)", "torch.sigmoid(g)")),
            "Your candidate goes through the sigmoid like the gates, so a cell could never count down. It "
            "goes through tanh.",
        ),
        Misconception(
            "gates not bent",
            changed(_LSTM, (_BENT, "i, f, torch.tanh(g), o")),
            "Your gates are used as they come out of the layer, of any size and sign. The sigmoid makes "
            "shares between 0 and 1 of them.",
        ),
        Misconception(
            "candidate not bent",
            changed(_LSTM, ("torch.tanh(g)", "g")),
            "Your candidate is used as it comes out of the layer. It goes through tanh first.",
        ),
        Misconception(
            "a sigmoid on everything first",
            changed(
                _LSTM,
                ("(x @ W_x.T + h @ W_h.T + b)", "torch.sigmoid(x @ W_x.T + h @ W_h.T + b)"),
                (_BENT, "i, f, torch.tanh(g), o"),
            ),
            "You put the sigmoid on all four parts at once, so the candidate goes through the sigmoid and "
            "through tanh. Cut first; then each part gets its own bend, the candidate tanh alone.",
        ),
        Misconception(
            "tanh on everything first",
            changed(
                _LSTM,
                ("(x @ W_x.T + h @ W_h.T + b)", "torch.tanh(x @ W_x.T + h @ W_h.T + b)"),
                (_BENT, "torch.sigmoid(i), torch.sigmoid(f), g, torch.sigmoid(o)"),
            ),
            "You put tanh on all four parts at once, as in the plain cell, so the gates are bent twice. Tanh "
            "is for the candidate alone.",
        ),
        Misconception(
            "output from the old cell",
            changed(
                _LSTM,
                (
                    "    c = f * c + i * g\n    h = o * torch.tanh(c)\n",
                    "    h = o * torch.tanh(c)\n    c = f * c + i * g\n",
                ),
            ),
            "Your hidden state is made from the old cell state. First the cell is written, then it is shown.",
        ),
        Misconception(
            "no tanh on the cell",
            changed(_LSTM, ("o * torch.tanh(c)", "o * c")),
            "You show the cell state as it is. It goes through tanh first, so that h stays between −1 and 1.",
        ),
        Misconception(
            "a sigmoid on the cell",
            changed(_LSTM, ("o * torch.tanh(c)", "o * torch.sigmoid(c)")),
            "You show the cell state through the sigmoid. It is tanh, so that h can be negative.",
        ),
        Misconception(
            "a tanh in the cell",
            changed(
                _LSTM,
                ("    c = f * c + i * g\n", "    c = torch.tanh(f * c + i * g)\n"),
                ("o * torch.tanh(c)", "o * c"),
            ),
            "You bend the cell state itself and carry it on bent. Then its gradient shrinks at each step, "
            "which is what the cell is there to avoid. The tanh belongs to h alone.",
        ),
        Misconception(
            "no output gate",
            changed(_LSTM, ("o * torch.tanh(c)", "torch.tanh(c)")),
            "Your output gate has nothing to say: the cell is always shown in full.",
        ),
        Misconception(
            "no input gate",
            changed(_LSTM, ("f * c + i * g", "f * c + g")),
            "Your input gate has nothing to say: every candidate is let in. It is multiplied with i before "
            "it is added.",
        ),
        Misconception(
            "no forget gate",
            changed(_LSTM, ("f * c + i * g", "c + i * g")),
            "Your cell never forgets: the old state is kept in full. (The LSTM of 1997 was so.) It is "
            "multiplied with the forget gate.",
        ),
        Misconception(
            "overwrites the cell",
            changed(_LSTM, ("f * c + i * g", "i * g")),
            "Your new cell state has nothing of the old one. What the forget gate keeps of it is added.",
        ),
        Misconception(
            "forget gate inverted",
            changed(_LSTM, ("f * c + i * g", "(1 - f) * c + i * g")),
            "You keep 1 − f of the old cell state. In spite of its name the forget gate says how much is "
            "kept: 1 keeps all.",
        ),
        Misconception(
            "one gate for both",
            changed(_LSTM, ("f * c + i * g", "f * c + (1 - f) * g")),
            "You let in what was forgotten, 1 − f. That is a coupled gate, as in a GRU; here the input gate "
            "is one of its own.",
        ),
        Misconception(
            "bias forgotten",
            changed(_LSTM, (" + b)", ")")),
            "The bias is not added, so the gates stand half open where they should not.",
        ),
        Misconception(
            "state forgotten",
            changed(_LSTM, (" + h @ W_h.T", "")),
            "The gates see the input only. The old hidden state goes into them through weights of its own.",
        ),
        Misconception(
            "cell for state",
            changed(_LSTM, ("h @ W_h.T", "c @ W_h.T")),
            "You put the cell state through the weights. The gates read the hidden state h; the cell is only "
            "multiplied and added to.",
        ),
        Misconception(
            "gates interleaved",
            changed(_LSTM, (".chunk(4, dim=1)", ".reshape(len(x), -1, 4).unbind(dim=2)")),
            "You take each unit's four numbers from four neighbours. The n input gates stand first, all "
            "together, then the n forget gates, and so on.",
        ),
        Misconception(
            "cuts the batch",
            changed(_LSTM, ("dim=1", "dim=0")),
            "You cut along axis 0, the batch. The 4n numbers of each sequence lie along axis 1.",
        ),
        Misconception(
            "c before h",
            changed(_LSTM, ("return h, c", "return c, h")),
            "Both are right, but in the wrong order: first the hidden state, then the cell state.",
        ),
        Misconception(
            "only h",
            changed(_LSTM, ("return h, c", "return h")),
            "You return the hidden state only. Without the new cell state the next step cannot begin.",
        ),
    ),
    hints=(
        "One product makes all four parts at once. How many numbers does each sequence get, and which n of "
        "them belong to which gate?",
        "Cut the 4n numbers into four parts of n each, along the axis of the units, in the order of the "
        "statement. Sigmoid for three of them, tanh for the candidate. Then write the cell, and from the new "
        "cell make the hidden state.",
    ),
    alternatives=(
        """
def lstm_step(x, h, c, W_x, W_h, b):
    n = h.shape[1]
    z = torch.cat([x, h], dim=1) @ torch.cat([W_x, W_h], dim=1).T + b
    i, f, o = z[:, :n].sigmoid(), z[:, n : 2 * n].sigmoid(), z[:, 3 * n :].sigmoid()
    c = f * c + i * z[:, 2 * n : 3 * n].tanh()
    return o * c.tanh(), c
""",
        """
def lstm_step(x, h, c, W_x, W_h, b):
    cell = torch.nn.LSTMCell(x.shape[1], h.shape[1]).to(x.dtype)
    with torch.no_grad():
        for p, value in zip(cell.parameters(), (W_x, W_h, b, torch.zeros_like(b))):
            p.copy_(value)
        return cell(x, (h, c))
""",
        """
def lstm_step(x, h, c, W_x, W_h, b):
    parts = []
    for W, U, bias in zip(W_x.chunk(4), W_h.chunk(4), b.chunk(4)):
        parts.append(x @ W.T + h @ U.T + bias)
    new = torch.sigmoid(parts[1]) * c + torch.sigmoid(parts[0]) * torch.tanh(parts[2])
    return torch.sigmoid(parts[3]) * torch.tanh(new), new
""",
        """
def lstm_step(x, h, c, W_x, W_h, b):
    z = (x @ W_x.T + h @ W_h.T + b).reshape(len(x), 4, -1)
    i, f, o = (torch.sigmoid(z[:, k]) for k in (0, 1, 3))
    c = f * c + i * torch.tanh(z[:, 2])
    return o * torch.tanh(c), c
""",
    ),
)

# ------------------------------------------------------------------------------------- 13.gru_step


def gru_step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    """One step of a GRU cell in torch's form, parts in the order r, z, candidate: -> (B, n)."""
    r_x, z_x, n_x = (x @ W_x.T + b_x).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ W_h.T + b_h).chunk(3, dim=1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    return (1 - z) * torch.tanh(n_x + r * n_h) + z * h


def gru_step_cases(generator: torch.Generator) -> list[Case]:
    """Batches of 3 and 3n, where cutting the wrong axis makes no error; as many inputs as units."""

    def step(B: int, d_in: int, n: int, scale: float = 0.9) -> tuple[Tensor, ...]:
        return *cell(generator, B, d_in, n, rows=3, scale=scale), normal(generator, 3 * n)

    example = (
        torch.tensor([[1.0]]),
        torch.tensor([[0.6]]),
        torch.tensor([[0.0], [0.0], [1.0]]),
        torch.tensor([[0.0], [0.0], [1.0]]),
        torch.zeros(3),
        torch.tensor([0.0, 1.0, 0.4]),
    )
    n = whole_number(generator, 4, 6)
    return [
        Case("values", example, "the example of the statement"),
        Case("values", step(3, 2, 2), "a batch of three"),
        Case("values", step(5, n, n), "as many inputs as units"),
        Case("shapes", step(6, n, 2), "a batch as large as all parts together"),
        Case("shapes", step(2, 1, n + 1), "one input"),
        Case("shapes", step(1, 3, 2), "a batch of one"),
        Case("types", doubled(step(2, 2, 3)), "float64"),
        Case("edge cases", step(4, 2, 1), "one unit"),
        Case("edge cases", step(3, 2, 2, scale=15.0), "gates fully open or shut"),
    ]


_GRU = """
def gru_step(x, h, W_x, W_h, b_x, b_h):
    r_x, z_x, n_x = (x @ W_x.T + b_x).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ W_h.T + b_h).chunk(3, dim=1)
    r = torch.sigmoid(r_x + r_h)
    z = torch.sigmoid(z_x + z_h)
    candidate = torch.tanh(n_x + r * n_h)
    return (1 - z) * candidate + z * h
"""
_OURS = "candidate = torch.tanh(n_x + r * n_h)"
_MIX = "(1 - z) * candidate + z * h"

GRU_STEP = Exercise(
    id="13.gru_step",
    name="gru_step",
    title="Two gates and no cell",
    difficulty=3,
    points=5,
    minutes=15,
    cases=gru_step_cases,
    reference=gru_step,
    result="a tensor of shape (B, n), floating point",
    misconceptions=(
        Misconception(
            "update gate inverted",
            changed(_GRU, (_MIX, "z * candidate + (1 - z) * h")),
            "Your update gate works the other way round: at 1 it takes the candidate. That is the form of "
            "some papers; in torch's form z = 1 keeps the old state.",
        ),
        Misconception(
            "reset before the weights",
            changed(
                _GRU,
                (
                    _OURS,
                    "W, bias = W_h.chunk(3)[2], b_h.chunk(3)[2]\n"
                    "    candidate = torch.tanh(n_x + (r * h) @ W.T + bias)",
                ),
            ),
            "You multiply the state with r before it goes through the weights, as the first paper has it. In "
            "torch's form r comes behind the weights, and its bias is inside.",
        ),
        Misconception(
            "reset without the bias",
            changed(
                _GRU,
                (_OURS, "bias = b_h.chunk(3)[2]\n    candidate = torch.tanh(n_x + r * (n_h - bias) + bias)"),
            ),
            "Your reset gate leaves out the bias of the state's part. In torch's form r multiplies weights "
            "and bias together.",
        ),
        Misconception(
            "reset on the input",
            changed(_GRU, (_OURS, "candidate = torch.tanh(r * n_x + n_h)")),
            "Your reset gate acts on the input's part. It is there to let the candidate forget the old "
            "state, so it acts on the state's part.",
        ),
        Misconception(
            "reset on both",
            changed(_GRU, (_OURS, "candidate = torch.tanh(r * (n_x + n_h))")),
            "Your reset gate acts on input and state together. It should be able to shut off the state "
            "alone.",
        ),
        Misconception(
            "reset behind tanh",
            changed(_GRU, (_OURS, "candidate = r * torch.tanh(n_x + n_h)")),
            "Your reset gate acts on the finished candidate. It acts inside the tanh, on the state's part.",
        ),
        Misconception(
            "no reset",
            changed(_GRU, (_OURS, "candidate = torch.tanh(n_x + n_h)")),
            "Your reset gate has nothing to say: the candidate always sees the whole old state.",
        ),
        Misconception(
            "gates not bent",
            changed(
                _GRU, ("torch.sigmoid(r_x + r_h)", "r_x + r_h"), ("torch.sigmoid(z_x + z_h)", "z_x + z_h")
            ),
            "Your gates are used as they come out of the layers, of any size and sign. The sigmoid makes "
            "shares between 0 and 1 of them.",
        ),
        Misconception(
            "reset on the bare state",
            changed(_GRU, (_OURS, "candidate = torch.tanh(n_x + r * h)")),
            "Your candidate takes the old state as it is. It goes through its own weights and bias first, "
            "and r multiplies what comes out.",
        ),
        Misconception(
            "reset on the kept state as well",
            changed(_GRU, ("+ z * h", "+ z * r * h")),
            "Your reset gate acts twice: inside the candidate, which is right, and where the old state is "
            "kept. What is kept is multiplied with z alone.",
        ),
        Misconception(
            "reset on the kept state",
            changed(_GRU, (_OURS, "candidate = torch.tanh(n_x + n_h)"), ("+ z * h", "+ z * r * h")),
            "Your reset gate acts where the old state is kept. It belongs inside the candidate; what is kept "
            "is multiplied with z alone.",
        ),
        Misconception(
            "order z, r, n",
            changed(_GRU, ("r_x, z_x, n_x", "z_x, r_x, n_x"), ("r_h, z_h, n_h", "z_h, r_h, n_h")),
            "Your two gates have changed places. In torch's order the reset gate comes first; it acts inside "
            "the candidate, while the update gate mixes.",
        ),
        Misconception(
            "order r, n, z",
            changed(_GRU, ("r_x, z_x, n_x", "r_x, n_x, z_x"), ("r_h, z_h, n_h", "r_h, n_h, z_h")),
            "Your update gate and your candidate have changed places. The candidate comes last.",
        ),
        Misconception(
            "a sigmoid for the candidate",
            changed(_GRU, (_OURS, _OURS.replace("tanh", "sigmoid"))),
            "Your candidate goes through the sigmoid, so the state could never become negative. It goes "
            "through tanh.",
        ),
        Misconception(
            "candidate not bent",
            changed(_GRU, (_OURS, "candidate = n_x + r * n_h")),
            "Your candidate is not bent. It goes through tanh, so that the state stays between −1 and 1.",
        ),
        Misconception(
            "tanh for the gates",
            changed(_GRU, ("torch.sigmoid(r_x", "torch.tanh(r_x"), ("torch.sigmoid(z_x", "torch.tanh(z_x")),
            "Your gates go through tanh and can be negative. A gate is a share between 0 and 1.",
        ),
        Misconception(
            "bias of the state forgotten",
            changed(_GRU, ("h @ W_h.T + b_h", "h @ W_h.T")),
            "You leave out the bias of the state's layer. Input and state have one each.",
        ),
        Misconception(
            "bias of the input forgotten",
            changed(_GRU, ("x @ W_x.T + b_x", "x @ W_x.T")),
            "You leave out the bias of the input's layer. Input and state have one each.",
        ),
        Misconception(
            "biases exchanged",
            changed(_GRU, ("W_x.T + b_x", "W_x.T + b_h"), ("W_h.T + b_h", "W_h.T + b_x")),
            "You have exchanged the two biases. For the gates it makes no difference, for the candidate it "
            "does.",
        ),
        Misconception(
            "only the candidate",
            changed(_GRU, (_MIX, "candidate")),
            "You return the candidate. It is mixed with the old state first, by the update gate.",
        ),
        Misconception(
            "adds the whole candidate",
            changed(_GRU, (_MIX, "candidate + z * h")),
            "You add the candidate in full. Its share is what z leaves over, so that both shares are 1 "
            "together.",
        ),
        Misconception(
            "keeps the whole state",
            changed(_GRU, (_MIX, "(1 - z) * candidate + h")),
            "You keep the old state in full and add to it, so it may grow without end. Its share is z.",
        ),
        Misconception(
            "cuts the batch",
            changed(_GRU, ("dim=1", "dim=0")),
            "You cut along axis 0, the batch. The 3n numbers of each sequence lie along axis 1.",
        ),
        Misconception(
            "parts interleaved",
            changed(_GRU, ("chunk(3, dim=1)", "reshape(len(x), -1, 3).unbind(dim=2)")),
            "You take each unit's three numbers from three neighbours. The n of the reset gate stand first, "
            "all together, then those of the update gate.",
        ),
    ),
    hints=(
        "Keep the input's part and the state's part of the layer apart. For which of the three may they be "
        "added at once, and for which must a gate come first?",
        "Two products with their biases, each cut into three parts of n. Both gates: sigmoid of the sum of "
        "their two parts. The candidate: tanh, with r on the state's part. Then mix candidate and old state "
        "with shares that are 1 together.",
    ),
    alternatives=(
        """
def gru_step(x, h, W_x, W_h, b_x, b_h):
    n = h.shape[1]
    from_x, from_h = x @ W_x.T + b_x, h @ W_h.T + b_h
    gates = torch.sigmoid(from_x[:, : 2 * n] + from_h[:, : 2 * n])
    r, z = gates[:, :n], gates[:, n:]
    candidate = torch.tanh(from_x[:, 2 * n :] + r * from_h[:, 2 * n :])
    return candidate + z * (h - candidate)
""",
        """
def gru_step(x, h, W_x, W_h, b_x, b_h):
    cell = torch.nn.GRUCell(x.shape[1], h.shape[1]).to(x.dtype)
    with torch.no_grad():
        for p, value in zip(cell.parameters(), (W_x, W_h, b_x, b_h)):
            p.copy_(value)
        return cell(x, h)
""",
        """
def gru_step(x, h, W_x, W_h, b_x, b_h):
    parts = list(zip(W_x.chunk(3), W_h.chunk(3), b_x.chunk(3), b_h.chunk(3)))
    r, z = (torch.sigmoid(x @ W.T + p + h @ U.T + q) for W, U, p, q in parts[:2])
    W, U, p, q = parts[2]
    return torch.lerp(torch.tanh(x @ W.T + p + r * (h @ U.T + q)), h, z)
""",
    ),
)

# ------------------------------------------------------------------------------- 13.clip_grad_norm


def clip_grad_norm(parameters: Iterable[Tensor], most: float) -> float:
    """All gradients times one factor, so that together they are at most `most` long; the length before."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    if norm > most:
        for g in gradients:
            g.mul_(most / norm)
    return norm


def clipped(work: Callable, gradients: Sequence[Tensor | None], most: float, once: bool = False) -> dict:
    """Probe: what the work returns and what it leaves in `grad`. With `once`, the parameters come in a
    generator, as a module hands them out."""
    parameters = []
    for k, g in enumerate(gradients):
        like = torch.zeros(2) if g is None else g
        p = torch.full_like(like, 0.5 + k).requires_grad_()
        p.grad = None if g is None else g.clone()
        parameters.append(p)
    values = [p.detach().clone() for p in parameters]
    norm = work((p for p in parameters) if once else parameters, most)
    if norm is None:
        raise NotAsAsked("Nothing is returned; the length before the clipping is asked for.")
    if isinstance(norm, (list, tuple)):
        raise NotAsAsked(f"A {type(norm).__name__} is returned; one number, the length before, is asked for.")
    return {
        "returned": float(norm) if isinstance(norm, Tensor) and norm.numel() == 1 else norm,
        "gradients": [p.grad.clone() for p in parameters if p.grad is not None],
        "parameters as before": all(map(torch.equal, values, (p.detach() for p in parameters))),
    }


def clip_grad_norm_cases(generator: torch.Generator) -> list[Case]:
    """Together too long though each is short, one long and one short, none at all, handed over once."""
    n = whole_number(generator, 3, 6)
    long, short = normal(generator, n, 2, scale=9), normal(generator, n, scale=0.2)
    return [
        Case(
            "values", ([torch.tensor([3.0, 0.0]), torch.tensor([4.0])], 1.0), "the example of the statement"
        ),
        Case("values", ([torch.tensor([3.0, 0.0]), torch.tensor([4.0])], 10.0), "short enough: stays"),
        Case("values", ([long, short], 2.0), "one long, one short"),
        Case("values", ([torch.full((4,), 0.45)] * 9, 1.0), "each of length 0.9, together 2.7"),
        Case("shapes", ([torch.tensor(-7.0)], 2.0), "one number without dimensions"),
        Case("shapes", ([normal(generator, 2, 3, 2, scale=4), normal(generator, 1, scale=4)], 3.0)),
        Case("types", ([normal(generator, 3).double() * 5, normal(generator, 2).double()], 0.5), "float64"),
        Case("edge cases", ([None, torch.tensor([6.0, 8.0]), None], 5.0), "two parameters without gradient"),
        Case("edge cases", ([torch.zeros(3), torch.zeros(2, 2)], 1.0), "all zeros"),
        Case("edge cases", ([torch.tensor([1e6, -2e6]), torch.tensor([5.0])], 1.0), "an explosion"),
        Case("edge cases", ([long, short], 2.0, True), "a generator, as model.parameters() is"),
    ]


_LEASH = """
def clip_grad_norm(parameters, most):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float((g**2).sum()) for g in gradients) ** 0.5
    if norm > most:
        for g in gradients:
            g *= most / norm
    return norm
"""
_NORM = "norm = sum(float((g**2).sum()) for g in gradients) ** 0.5"

CLIP_GRAD_NORM = Exercise(
    id="13.clip_grad_norm",
    name="clip_grad_norm",
    title="A leash for an exploding gradient",
    difficulty=2,
    points=4,
    minutes=10,
    cases=clip_grad_norm_cases,
    reference=clip_grad_norm,
    probe=clipped,
    input_names=("gradients", "most", "handed over once"),
    rtol=1e-5,  # torch's own adds 1e-6 to the norm
    atol=1e-8,
    result="the length before, a number (a tensor of shape () will do)",
    misconceptions=(
        Misconception(
            "each by itself",
            changed(
                _LEASH,
                (
                    "    if norm > most:\n        for g in gradients:\n            g *= most / norm\n",
                    "    for g in gradients:\n        if g.norm() > most:\n"
                    "            g *= most / g.norm()\n",
                ),
            ),
            "You shorten each gradient by its own length. That changes the direction of the step, and many "
            "short ones together can still be too long. One length, one factor, for all together.",
        ),
        Misconception(
            "entry by entry",
            changed(
                _LEASH,
                (
                    "    if norm > most:\n        for g in gradients:\n            g *= most / norm\n",
                    "    for g in gradients:\n        g.clamp_(-most, most)\n",
                ),
            ),
            "You cut off single entries (clipping by value), which changes the direction of the step. "
            "Multiply all by one factor.",
        ),
        Misconception(
            "returns the length after",
            changed(_LEASH, ("return norm", "return min(norm, most)")),
            "The gradients are right, but you return the length after. The length before is what tells how "
            "often the leash was needed.",
        ),
        Misconception(
            "also lengthens",
            changed(_LEASH, ("if norm > most:", "if norm > 0:")),
            "You bring all gradients to the length `most`, short ones too. What is short enough stays as it "
            "is, or the steps near a minimum would not become smaller.",
        ),
        Misconception(
            "the other way round",
            changed(_LEASH, ("if norm > most:", "if 0 < norm < most:")),
            "You lengthen what is short and leave alone what is too long. Look at your comparison.",
        ),
        Misconception(
            "also lengthens, and divides by zero",
            changed(
                _LEASH,
                (
                    "    if norm > most:\n        for g in gradients:\n            g *= most / norm\n",
                    "    for g in gradients:\n        g *= most / norm\n",
                ),
            ),
            "You multiply always, with no question whether it is needed: short gradients become longer, and "
            "where all are 0 you divide by 0. What is short enough stays as it is.",
        ),
        Misconception(
            "also lengthens, and 0/0",
            changed(
                _LEASH,
                (
                    "    if norm > most:\n        for g in gradients:\n            g *= most / norm\n",
                    "    for g in gradients:\n        g *= torch.tensor(most) / norm\n",
                ),
            ),
            "You always multiply, so short gradients become longer, and where all are 0 you divide by 0. "
            "What is short enough stays as it is.",
        ),
        Misconception(
            "parameters without gradient",
            changed(_LEASH, (" if p.grad is not None", "")),
            "A parameter that has taken no part has no gradient: its `grad` is None, and there is nothing to "
            "square. Such parameters are left out.",
        ),
        Misconception(
            "goes through the parameters twice",
            changed(
                _LEASH,
                ("    gradients = [p.grad for p in parameters if p.grad is not None]\n", ""),
                ("for g in gradients) **", "for g in (p.grad for p in parameters if p.grad is not None)) **"),
                (
                    "        for g in gradients:\n            g *= most / norm\n",
                    "        for p in parameters:\n            if p.grad is not None:\n"
                    "                p.grad *= most / norm\n",
                ),
            ),
            "You go through the parameters twice. What `model.parameters()` hands out is empty after the "
            "first time, so nothing is shortened. Keep what you need in a list.",
        ),
        Misconception(
            "a new tensor that nobody sees",
            changed(_LEASH, ("g *= most / norm", "g = g * (most / norm)")),
            "You make new, shorter tensors and drop them: the gradients in `grad` are as before, and those "
            "the optimizer reads. They must be changed where they are.",
        ),
        Misconception(
            "returns the gradients",
            changed(
                _LEASH,
                (
                    "            g *= most / norm\n    return norm",
                    "            g *= most / norm\n    return gradients",
                ),
            ),
            "You return the gradients. They are changed where they are; what is returned is the length "
            "before.",
        ),
        Misconception(
            "returns nothing",
            changed(_LEASH, ("    return norm\n", "")),
            "The gradients are changed, but nothing is returned. The length before is asked for.",
        ),
        Misconception(
            "shortens the parameters",
            changed(
                _LEASH,
                ("    gradients = ", "    parameters = list(parameters)\n    gradients = "),
                (
                    "        for g in gradients:\n            g *= most / norm\n",
                    "        for p in parameters:\n            p.data *= most / norm\n",
                ),
            ),
            "You shorten the parameters themselves. What the network has learned stays; only their gradients "
            "get shorter.",
        ),
        Misconception(
            "length of the parameters",
            changed(
                _LEASH, ("[p.grad for p in parameters if p.grad is not None]", "[p.data for p in parameters]")
            ),
            "You measure and shorten the parameters. It is about their gradients, in `grad`.",
        ),
        Misconception(
            "no root",
            changed(_LEASH, (" ** 0.5", "")),
            "You compare with the sum of the squares. The length is its root.",
        ),
        Misconception(
            "adds the lengths",
            changed(_LEASH, (_NORM, "norm = float(sum(g.norm() for g in gradients))")),
            "You add up the lengths of the gradients. The common length is that of one long row of all "
            "entries: squares are added, then comes the root.",
        ),
        Misconception(
            "the longest alone",
            changed(_LEASH, (_NORM, "norm = float(max(g.norm() for g in gradients))")),
            "You go by the longest gradient. All entries of all gradients count together.",
        ),
        Misconception(
            "the largest entry",
            changed(_LEASH, (_NORM, "norm = float(max(g.abs().max() for g in gradients))")),
            "You go by the largest entry. The length is the root of the sum of all squares.",
        ),
        Misconception(
            "adds before it squares",
            changed(_LEASH, ("(g**2).sum()", "g.sum() ** 2")),
            "You add up the entries and square their sum, so plus and minus cancel. Each entry is squared "
            "first.",
        ),
        Misconception(
            "mean of the squares",
            changed(
                _LEASH,
                (
                    _NORM,
                    "count = sum(g.numel() for g in gradients)\n"
                    "    norm = (sum(float((g**2).sum()) for g in gradients) / count) ** 0.5",
                ),
            ),
            "You divide by the number of entries under the root. A length has no mean in it.",
        ),
        Misconception(
            "factor upside down",
            changed(_LEASH, ("g *= most / norm", "g *= norm / most")),
            "Your factor is upside down: what is too long gets longer still.",
        ),
        Misconception(
            "length 1 for all",
            changed(_LEASH, ("g *= most / norm", "g *= 1 / norm")),
            "You shorten to length 1, whatever `most` is.",
        ),
        Misconception(
            "measures again in between",
            changed(
                _LEASH,
                (
                    "            g *= most / norm\n",
                    "            now = sum(float((g**2).sum()) for g in gradients) ** 0.5\n"
                    "            g *= most / now\n",
                ),
            ),
            "You measure anew while you shorten, so each gradient gets a factor of its own. One factor, "
            "worked out before, for all.",
        ),
    ),
    hints=(
        "Think of all entries of all gradients as one long arrow. How long is it, and by what must it be "
        "multiplied to be `most` long? Where do the gradients lie, and who reads them afterwards?",
        "Make a list of the gradients that are there. The length: root of the sum of all squares. If it is "
        "above `most`, multiply each gradient in place by `most` over the length. Return the length, the old "
        "one.",
    ),
    alternatives=(
        """
def clip_grad_norm(parameters, most):
    return torch.nn.utils.clip_grad_norm_(parameters, most)
""",
        """
def clip_grad_norm(parameters, most):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm()
    factor = torch.clamp(most / (norm + 1e-12), max=1.0)
    for p in parameters:
        p.grad = p.grad * factor
    return norm
""",
        """
def clip_grad_norm(parameters, most):
    total, kept = 0.0, []
    for p in parameters:
        if p.grad is None:
            continue
        kept.append(p)
        total += p.grad.pow(2).sum().item()
    norm = math.sqrt(total)
    for p in kept:
        p.grad.copy_(p.grad * min(1.0, most / max(norm, 1e-30)))
    return norm
""",
    ),
)

# --------------------------------------------------------------------------------------- 13.sample


def sample(logits: Tensor, temperature: float, generator: torch.Generator) -> int:
    """A place drawn with the probabilities softmax(logits / temperature)."""
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    p = torch.softmax(logits / temperature, dim=0)
    return int(torch.multinomial(p, 1, generator=generator))


def drawn(work: Callable, logits: Tensor, temperature: float, draws: int, seed: int) -> dict[str, Any]:
    """Probe: how often each place is drawn, and whether the same generator gives the same draws.

    Shares that chance explains (five standard deviations) are given as the probabilities themselves, so
    that all right answers come to the same.
    """
    places = len(logits)

    def series(count: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed)
        found = [work(logits, temperature, generator) for _ in range(count)]
        for place in found:
            if isinstance(place, bool) or not isinstance(place, int):
                kind = "nothing" if place is None else f"a {type(place).__name__}"
                nudge = " Is there a `return`?" if place is None else ""
                raise NotAsAsked(
                    f"One draw should be a whole number (int), the place; yours is {kind}.{nudge}"
                )
            if not 0 <= place < places:
                raise NotAsAsked(f"Place {place} was drawn; the {places} places are 0 to {places - 1}.")
        return found

    found = series(draws)
    shares = torch.bincount(torch.tensor(found), minlength=places).double() / draws
    if temperature <= 0:
        return {"shares": shares, "same generator, same draws": True}
    p = torch.softmax(logits.double() / temperature, dim=0)
    by_chance = (shares - p).abs() <= 5 * (p * (1 - p) / draws).sqrt() + 2 / draws
    again = series(min(draws, 20))
    return {
        f"share of {draws} draws for each place": p if by_chance.all() else shares,
        "same generator, same draws": found[: len(again)] == again,
    }


def sample_cases(generator: torch.Generator) -> list[Case]:
    """Temperatures at which what is wrong shows far beyond chance, whatever the seed."""
    seed = whole_number(generator, 0, 10_000)
    two = torch.tensor([0.0, math.log(3)])
    return [
        Case("values", (two, 0.25, 150, seed), "the logits of the statement, colder"),
        Case("values", (torch.tensor([60.0, 0.0, 30.0]), 30.0, 150, seed + 1), "hot"),
        Case("values", (torch.tensor([3.0, 1.0, 0.0, 4.0, 0.0]), 0.5, 150, seed + 2), "five places, cold"),
        Case("shapes", (torch.tensor([1.5]), 1.0, 8, seed), "one place"),
        Case("types", (torch.tensor([-9.0, -3.0, -3.0]).double(), 1.0, 60, seed), "float64, all negative"),
        Case("edge cases", (torch.tensor([1000.0, 0.0, 998.0, -1000.0]), 2.0, 60, seed), "large logits"),
        Case("edge cases", (two, 0.0, 1, seed), "temperature 0"),
        Case("edge cases", (two, -1.0, 1, seed), "a temperature below 0"),
    ]  # fmt: skip


_SAMPLE = """
def sample(logits, temperature, generator):
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    p = torch.softmax(logits / temperature, dim=0)
    return torch.multinomial(p, 1, generator=generator).item()
"""
_P = "p = torch.softmax(logits / temperature, dim=0)"
_DRAW = "torch.multinomial(p, 1, generator=generator).item()"
_GUARD = '    if temperature <= 0:\n        raise ValueError("temperature must be above 0")\n'

SAMPLE = Exercise(
    id="13.sample",
    name="sample",
    title="Drawing the next character",
    difficulty=2,
    points=3,
    minutes=10,
    cases=sample_cases,
    reference=sample,
    probe=drawn,
    input_names=("logits", "temperature", "draws", "seed of the generator"),
    atol=0.1,
    result="a whole number (int), from 0 to k − 1",
    misconceptions=(
        Misconception(
            "multiplies by the temperature",
            changed(_SAMPLE, ("logits / temperature", "logits * temperature")),
            "You multiply by the temperature, so a hot model becomes sure and a cold one guesses. It is the "
            "other way round: divide.",
        ),
        Misconception(
            "always the largest",
            changed(_SAMPLE, (_DRAW, "int(p.argmax())")),
            "You always take the most probable place. Then the temperature makes no difference, and the "
            "model says the same name each time. Draw by chance, with these probabilities.",
        ),
        Misconception(
            "temperature forgotten",
            changed(_SAMPLE, ("logits / temperature", "logits")),
            "Your draws do not depend on the temperature. Divide the logits by it, before the softmax: "
            "if all shares change by one factor behind it, nothing changes.",
        ),
        Misconception(
            "a second softmax",
            changed(_SAMPLE, (_P, "p = torch.softmax(torch.softmax(logits, dim=0) / temperature, dim=0)")),
            "You send probabilities through the softmax once more. Since they lie between 0 and 1, all "
            "places become nearly alike. The temperature acts on the logits.",
        ),
        Misconception(
            "all alike",
            changed(_SAMPLE, (_DRAW, "torch.randint(len(p), (1,), generator=generator).item()")),
            "You draw all places equally often. The probabilities are worked out but not used.",
        ),
        Misconception(
            "no softmax",
            changed(_SAMPLE, (_P, "p = logits / temperature")),
            "You draw with the logits as weights. They may be negative, and they are logarithms: the softmax "
            "makes probabilities of them.",
        ),
        Misconception(
            "softmax without shift",
            changed(_SAMPLE, (_P, "p = torch.exp(logits / temperature)\n    p = p / p.sum()")),
            "Your exponential overflows for large logits, and inf / inf is no probability. Take away the "
            "largest logit first, or use torch's softmax.",
        ),
        Misconception(
            "sigmoid for softmax",
            changed(_SAMPLE, (_P, "p = torch.sigmoid(logits / temperature)")),
            "You use the sigmoid of each logit as its weight, so several places can be nearly sure at once. "
            "Probabilities that compete come from the softmax.",
        ),
        Misconception(
            "the least probable most",
            changed(_SAMPLE, ("logits / temperature", "-logits / temperature")),
            "Your draws prefer the smallest logits: a sign is wrong.",
        ),
        Misconception(
            "generator not used",
            changed(_SAMPLE, (", generator=generator", "")),
            "The shares are right, but the same generator does not give the same draws: you draw from "
            "torch's global one. Hand the generator on.",
        ),
        Misconception(
            "set back at each draw",
            changed(_SAMPLE, ("generator=generator", "generator=torch.Generator().manual_seed(0)")),
            "Your generator begins anew at each draw, so each gives the same place. Use the one that is "
            "handed over as it is; it remembers how far it has come.",
        ),
        Misconception(
            "returns a tensor",
            changed(_SAMPLE, (".item()", "")),
            "You return a tensor. A whole number, an int, is asked for: it shall be used as a place in a "
            "text.",
        ),
        Misconception(
            "returns the probability",
            changed(_SAMPLE, (_DRAW, f"p[{_DRAW}].item()")),
            "You return how probable the drawn place is. The place itself is asked for.",
        ),
        Misconception(
            "noise of the wrong kind",
            changed(
                _SAMPLE,
                (_P, "noise = torch.rand(logits.shape, generator=generator)"),
                (_DRAW, "int((logits / temperature + noise).argmax())"),
            ),
            "You add noise between 0 and 1 to the logits and take the largest. That is nearly a clever "
            "trick, but for the softmax's probabilities the noise must be −log(−log u).",
        ),
        Misconception(
            "any temperature accepted",
            changed(_SAMPLE, (_GUARD, "    if temperature == 0:\n        return int(logits.argmax())\n")),
            "A temperature of 0 or less should raise a ValueError. Below 0 the softmax would prefer the "
            "least probable.",
        ),
        Misconception(
            "temperature not looked at",
            changed(_SAMPLE, (_GUARD, "")),
            "You do not look at the temperature. At 0 you divide by 0, and below 0 the least probable "
            "becomes the most: both should raise a ValueError, with a message that says why.",
        ),
        Misconception(
            "only 0 refused",
            changed(_SAMPLE, ("temperature <= 0", "temperature == 0")),
            "You refuse 0, but not a temperature below 0, at which the least probable becomes the most.",
        ),
        Misconception(
            "one place too far",
            changed(_SAMPLE, (_DRAW, f"{_DRAW} + 1")),
            "Your places begin at 1. They begin at 0, as places do in Python.",
        ),
    ),
    hints=(
        "Which operation of lesson 02 makes probabilities of logits? What must be done to the logits before "
        "it, so that a small temperature makes it sure of itself?",
        "Refuse a temperature that is not above 0. Divide, softmax, then let torch draw one place with these "
        "weights (the lesson shows which function does), with the generator handed on. Make an int of it.",
    ),
    alternatives=(
        """
def sample(logits, temperature, generator):
    if not temperature > 0:
        raise ValueError("too cold")
    p = torch.softmax(logits / temperature, dim=0)
    u = torch.rand((), generator=generator)
    return min(int((p.cumsum(0) < u).sum()), len(p) - 1)
""",
        """
def sample(logits, temperature, generator):
    if temperature <= 0:
        raise ValueError("too cold")
    u = torch.rand(logits.shape, generator=generator).clamp(min=1e-12, max=1 - 1e-7)
    return int((logits / temperature - torch.log(-torch.log(u))).argmax())
""",
        """
def sample(logits, temperature, generator):
    if temperature <= 0:
        raise ValueError("too cold")
    weights = torch.exp((logits - logits.max()) / temperature)
    return torch.multinomial(weights, 1, generator=generator)[0].item()
""",
        """
def sample(logits, temperature, generator):
    if temperature <= 0:
        raise ValueError("too cold")
    p = torch.softmax(logits.double() / temperature, dim=-1).tolist()
    u = torch.rand(1, generator=generator).item()
    for k, share in enumerate(p):
        u -= share
        if u < 0:
            return k
    return len(p) - 1
""",
    ),
)

# -------------------------------------------------------------------------------- 13.pad_sequences


def pad_sequences(sequences: Sequence[Sequence[int]], value: int = 0) -> tuple[Tensor, Tensor]:
    """Lists of unequal lengths -> (B, T), filled up at the end, and the lengths (B,)."""
    lengths = torch.tensor([len(s) for s in sequences])
    T = int(lengths.max())
    rows = [list(s) + [value] * (T - len(s)) for s in sequences]
    return torch.tensor(rows, dtype=torch.int64), lengths


def pad_sequences_cases(generator: torch.Generator) -> list[Case]:
    """The longest first, last and in between; real numbers that equal the filling."""

    def numbers(*lengths: int) -> list[list[int]]:
        return [torch.randint(-3, 30, (n,), generator=generator).tolist() for n in lengths]

    n = whole_number(generator, 5, 7)
    return [
        Case("values", ([[3, 1], [5], []],), "the example of the statement"),
        Case("values", ([[3, 1], [5], []], -100), "the example, filled up with −100"),
        Case("values", (numbers(2, 4, 1), 7), "the longest in the middle"),
        Case("shapes", (numbers(1, 3, 2, n), 0), "the longest last"),
        Case("shapes", (numbers(3, 3), -1), "nothing to fill up"),
        Case("shapes", (numbers(n),), "a batch of one"),
        Case("types", ([[2**40, -5], [2**33]], -(2**35)), "numbers beyond 32 bits"),
        Case("edge cases", ([[0, 0], [7, 0, 0], [0]],), "real numbers that look like filling"),
        Case("edge cases", ([[], [4]], 9), "an empty sequence first"),
        Case("edge cases", ([[], []],), "all sequences empty"),
    ]


_PAD = """
def pad_sequences(sequences, value=0):
    lengths = torch.tensor([len(s) for s in sequences])
    T = int(lengths.max())
    rows = [s + [value] * (T - len(s)) for s in sequences]
    return torch.tensor(rows, dtype=torch.int64), lengths
"""
_ROW = "s + [value] * (T - len(s))"
_GIVE = "return torch.tensor(rows, dtype=torch.int64), lengths"

PAD_SEQUENCES = Exercise(
    id="13.pad_sequences",
    name="pad_sequences",
    title="One rectangle for all lengths",
    difficulty=1,
    points=2,
    minutes=8,
    cases=pad_sequences_cases,
    reference=pad_sequences,
    exact_types=True,
    result="a tuple of two tensors of int64: padded (B, T) and lengths (B,)",
    output_names=("padded", "lengths"),
    misconceptions=(
        Misconception(
            "filled up in front",
            changed(_PAD, (_ROW, "[value] * (T - len(s)) + s")),
            "You fill up in front. Then a cell reads filling before the first real number; it belongs at the "
            "end.",
        ),
        Misconception(
            "always zeros",
            changed(_PAD, ("[value]", "[0]")),
            "You fill up with 0, whatever `value` says.",
        ),
        Misconception(
            "cut to the shortest",
            changed(_PAD, ("lengths.max()", "lengths.min()"), (_ROW, "s[:T]")),
            "You cut all sequences to the length of the shortest and throw numbers away. Fill the short ones "
            "up instead.",
        ),
        Misconception(
            "as long as the first",
            changed(_PAD, ("int(lengths.max())", "len(sequences[0])"), (_ROW, "(s + [value] * T)[:T]")),
            "Your rows are as long as the first sequence. The longest one counts, wherever it stands.",
        ),
        Misconception(
            "one place too many",
            changed(_PAD, ("int(lengths.max())", "int(lengths.max()) + 1")),
            "Your rows have one place more than the longest sequence needs.",
        ),
        Misconception(
            "steps first",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ".T, lengths"))),
            "Your result has the shape (T, B). The batch comes first: one row for each sequence.",
        ),
        Misconception(
            "no lengths",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ""))),
            "You return the padded sequences only. Without the lengths nobody knows which places are real.",
        ),
        Misconception(
            "lengths first",
            changed(_PAD, (_GIVE, "return lengths, torch.tensor(rows, dtype=torch.int64)")),
            "Both are there, but in the wrong order: the padded sequences come first.",
        ),
        Misconception(
            "T for all lengths",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ", torch.full_like(lengths, T)"))),
            "Your lengths are those of the filled-up rows, all alike. What is wanted is how long each "
            "sequence was before.",
        ),
        Misconception(
            "counts what differs from the filling",
            changed(
                _PAD,
                (
                    "    return ",
                    "    lengths = torch.tensor([sum(k != value for k in row) for row in rows])\n    return ",
                ),
            ),
            "You count the places that are not `value`. A sequence may hold that number itself; its length "
            "is known before it is filled up.",
        ),
        Misconception(
            "how much is missing",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ", T - lengths"))),
            "Your second result says how many places were filled up. It should say how many are real.",
        ),
        Misconception(
            "lengths as a list",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ", lengths.tolist()"))),
            "The lengths are right, but in a list. A tensor is asked for, so that a whole batch can be "
            "compared at once.",
        ),
        Misconception(
            "rows as a list",
            changed(_PAD, (_GIVE, "return rows, lengths")),
            "The rows are right, but they are lists. One tensor of shape (B, T) is asked for.",
        ),
        Misconception(
            "a mask",
            changed(_PAD, (_GIVE, _GIVE.replace(", lengths", ", torch.arange(T) < lengths[:, None]"))),
            "Your second result is a mask. It says the same, but the lengths are asked for, one number for "
            "each sequence.",
        ),
        Misconception(
            "decimal numbers",
            changed(_PAD, ("dtype=torch.int64", "dtype=torch.float32")),
            "Your numbers have become decimal numbers. They are numbers of characters or words, and an "
            "embedding wants int64.",
        ),
        Misconception(
            "sorted",
            changed(
                _PAD,
                (
                    "    lengths = ",
                    "    sequences = sorted(sequences, key=len, reverse=True)\n    lengths = ",
                ),
            ),
            "You sort the sequences by length. Some packing functions want that; here each stays in its "
            "place.",
        ),
        Misconception(
            "one shape for all expected",
            """
def pad_sequences(sequences, value=0):
    lengths = torch.tensor([len(s) for s in sequences])
    return torch.tensor(sequences), lengths
""",
            "`torch.tensor` refuses lists of unequal lengths. They must be filled up before.",
        ),
        Misconception(
            "repeated to the end",
            changed(_PAD, (_ROW, "(s * (T + 1))[:T] if s else [value] * T")),
            "You fill up with the sequence itself, from its beginning. The free places get `value`.",
        ),
        Misconception(
            "last number repeated",
            changed(_PAD, (_ROW, "s + [s[-1] if s else value] * (T - len(s))")),
            "You fill up with the last number of the sequence. The free places get `value`.",
        ),
    ),
    hints=(
        "How long must every row be? How many places are then free in a row, and on which side?",
        "Find the lengths first, then the largest. Put as many copies of `value` behind each list as it "
        "lacks, and make one tensor of all.",
    ),
    alternatives=(
        """
def pad_sequences(sequences, value=0):
    lengths = torch.tensor([len(s) for s in sequences])
    padded = torch.full((len(sequences), int(lengths.max())), value)
    for row, s in zip(padded, sequences):
        row[: len(s)] = torch.tensor(s, dtype=torch.int64)
    return padded, lengths
""",
        """
def pad_sequences(sequences, value=0):
    rows = [torch.tensor(s, dtype=torch.int64) for s in sequences]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)
    return padded, torch.tensor([len(s) for s in sequences])
""",
        """
def pad_sequences(sequences, value=0):
    lengths = torch.tensor(list(map(len, sequences)))
    T = max(map(len, sequences))
    padded = torch.empty(len(sequences), T, dtype=torch.int64)
    for i in range(len(sequences)):
        for t in range(T):
            padded[i, t] = sequences[i][t] if t < len(sequences[i]) else value
    return padded, lengths
""",
        """
def pad_sequences(sequences, value=0):
    from itertools import zip_longest
    lengths = torch.tensor([len(s) for s in sequences])
    columns = list(zip_longest(*sequences, fillvalue=value))
    return torch.tensor(columns, dtype=torch.int64).reshape(-1, len(sequences)).T, lengths
""",
    ),
)

# ------------------------------------------------------------------------------ 13.next_char_pairs


def next_char_pairs(names: Sequence[str], alphabet: str) -> tuple[Tensor, Tensor]:
    """What is read, filled up with 0, and what should come next, filled up with −100: two times (B, T)."""
    number = {character: k for k, character in enumerate(alphabet)}
    tokens = [[number[character] for character in name] for name in names]
    T = max(map(len, tokens)) + 1
    inputs = [[0, *row] + [0] * (T - 1 - len(row)) for row in tokens]
    targets = [[*row, 0] + [-100] * (T - 1 - len(row)) for row in tokens]
    return torch.tensor(inputs), torch.tensor(targets)


LETTERS = ".abcdefghijklmnopqrstuvwxyz"


def next_char_pairs_cases(generator: torch.Generator) -> list[Case]:
    """Alphabets in and out of order, other marks, empty names, capitals that are letters of their own."""

    def names(count: int, low: int, high: int, letters: str) -> list[str]:
        sizes = [whole_number(generator, low, high) for _ in range(count)]
        return [
            "".join(letters[whole_number(generator, 0, len(letters) - 1)] for _ in range(n)) for n in sizes
        ]

    return [
        Case("values", (["ab", "b"], ".ab"), "the example of the statement"),
        Case("values", (["smith", "lee", "garcia"], LETTERS), "three surnames"),
        Case("values", (names(4, 1, 6, "xyzw"), "#wyxz"), "an alphabet out of order, another mark"),
        Case("shapes", (names(5, 2, 9, LETTERS[1:]), LETTERS)),
        Case("shapes", (["anna"], ".na"), "a batch of one"),
        Case("shapes", (["abc", "cba", "bbb"], ".abc"), "all of one length"),
        Case("types", (["aA", "A"], ".aA"), "small and capital letters are two"),
        Case("edge cases", (["q", "z"], LETTERS), "one letter each"),
        Case("edge cases", (["", "ba"], ".ab"), "an empty name"),
        Case("edge cases", ([""], ".ab"), "nothing but the mark"),
    ]


_PAIRS = """
def next_char_pairs(names, alphabet):
    number = {character: k for k, character in enumerate(alphabet)}
    T = max(len(name) for name in names) + 1
    inputs = torch.zeros(len(names), T, dtype=torch.int64)
    targets = torch.full((len(names), T), -100)
    for row, name in enumerate(names):
        tokens = torch.tensor([number[character] for character in name], dtype=torch.int64)
        inputs[row, 1 : len(name) + 1] = tokens
        targets[row, : len(name)] = tokens
        targets[row, len(name)] = 0
    return inputs, targets
"""
_READ = "        inputs[row, 1 : len(name) + 1] = tokens\n"
_ASKED = "        targets[row, : len(name)] = tokens\n        targets[row, len(name)] = 0\n"
_BOTH = "return inputs, targets"

NEXT_CHAR_PAIRS = Exercise(
    id="13.next_char_pairs",
    name="next_char_pairs",
    title="What is read and what should come next",
    difficulty=2,
    points=4,
    minutes=12,
    cases=next_char_pairs_cases,
    reference=next_char_pairs,
    exact_types=True,
    result="a tuple of two tensors of shape (B, T), int64",
    output_names=("inputs", "targets"),
    misconceptions=(
        Misconception(
            "asks for the present character",
            changed(
                _PAIRS,
                (_ASKED, "        targets[row, 0] = 0\n        targets[row, 1 : len(name) + 1] = tokens\n"),
            ),
            "Your targets are what is read at the same step. A model that copies its input would be perfect. "
            "The target is the character that comes next.",
        ),
        Misconception(
            "asks for the character before",
            changed(
                _PAIRS,
                (_READ, "        inputs[row, : len(name)] = tokens\n"),
                (_ASKED, "        targets[row, 0] = 0\n        targets[row, 1 : len(name) + 1] = tokens\n"),
            ),
            "You have moved the wrong one: your model reads a character and should say the one before it. It "
            "should say the one after.",
        ),
        Misconception(
            "two steps ahead",
            changed(
                _PAIRS,
                (
                    _ASKED,
                    "        targets[row, : max(len(name) - 1, 0)] = tokens[1:]\n"
                    "        targets[row, max(len(name) - 1, 0)] = 0\n",
                ),
            ),
            "Your targets run two steps ahead of the inputs: the first letter of the name is never asked "
            "for. After the mark comes the first letter.",
        ),
        Misconception(
            "no mark at the end",
            changed(_PAIRS, ("        targets[row, len(name)] = 0\n", "")),
            "Your targets end with the last letter. The mark belongs behind it: only so the model learns "
            "where a name stops.",
        ),
        Misconception(
            "no mark behind the longest",
            changed(
                _PAIRS,
                (
                    "        targets[row, len(name)] = 0\n",
                    "        if len(name) < T - 1:\n            targets[row, len(name)] = 0\n",
                ),
            ),
            "Behind the longest names the mark is missing: the last place of their rows says −100. You "
            "probably moved the padded inputs by one, and nothing came in at the end.",
        ),
        Misconception(
            "the mark is always a point",
            """
def next_char_pairs(names, alphabet):
    pad = torch.nn.utils.rnn.pad_sequence
    rows = [torch.tensor([alphabet.index(c) for c in "." + name + "."]) for name in names]
    inputs = pad([row[:-1] for row in rows], batch_first=True)
    return inputs, pad([row[1:] for row in rows], batch_first=True, padding_value=-100)
""",
            "You take for granted that the mark is a point. The mark is the first character of the alphabet, "
            "whatever it is: number 0.",
        ),
        Misconception(
            "padded with −100, then cut",
            """
def next_char_pairs(names, alphabet):
    pad = torch.nn.utils.rnn.pad_sequence
    rows = [torch.tensor([0, *map(alphabet.index, name), 0]) for name in names]
    both = pad(rows, batch_first=True, padding_value=-100)
    return both[:, :-1], both[:, 1:]
""",
            "You fill up once, with −100, and then cut inputs and targets out of it: so the inputs hold −100 "
            "as well, and short names' inputs their end mark. Cut each name first, then fill up, with 0 and "
            "with −100.",
        ),
        Misconception(
            "no mark at the beginning",
            changed(
                _PAIRS,
                (_READ, "        inputs[row, : len(name)] = tokens\n"),
                (
                    _ASKED,
                    "        targets[row, : max(len(name) - 1, 0)] = tokens[1:]\n"
                    "        targets[row, max(len(name) - 1, 0)] = 0\n",
                ),
            ),
            "Your model reads the first letter at once, and is never asked for it. Then nothing can be "
            "written out of nothing: a name begins after the mark.",
        ),
        Misconception(
            "both marks in both",
            """
def next_char_pairs(names, alphabet):
    tokens = [[0] + [alphabet.index(c) for c in name] + [0] for name in names]
    T = max(map(len, tokens))
    inputs = [row + [0] * (T - len(row)) for row in tokens]
    targets = [row[1:] + [-100] * (T - len(row) + 1) for row in tokens]
    return torch.tensor(inputs), torch.tensor(targets)
""",
            "Your rows are one step too long: the mark at the end is read as well, and nothing comes after "
            "it. Reading stops with the last letter.",
        ),
        Misconception(
            "targets filled up with 0",
            changed(
                _PAIRS, ("torch.full((len(names), T), -100)", "torch.zeros(len(names), T, dtype=torch.int64)")
            ),
            "You fill the targets up with 0, so behind a short name the model is asked for the mark again "
            "and again, and the loss counts it. With −100 nothing is asked there.",
        ),
        Misconception(
            "inputs filled up with −100",
            changed(
                _PAIRS,
                ("torch.zeros(len(names), T, dtype=torch.int64)", "torch.full((len(names), T), -100)"),
                (_READ, "        inputs[row, 0] = 0\n" + _READ),
            ),
            "You fill the inputs up with −100 too. There is no character −100, and an embedding would refuse "
            "it. Only the loss knows that number.",
        ),
        Misconception(
            "letters numbered from 0",
            changed(_PAIRS, ("enumerate(alphabet)", "enumerate(alphabet[1:])")),
            "Your letters begin at 0, which is the mark's number. A character's number is its place in the "
            "whole alphabet, mark included.",
        ),
        Misconception(
            "letters numbered from 1 with the mark",
            changed(_PAIRS, ("enumerate(alphabet)", "enumerate(alphabet, 1)")),
            "Your letters' numbers are one too high: the mark has number 0, the character behind it number "
            "1.",
        ),
        Misconception(
            "the computer's numbers",
            changed(_PAIRS, ("[number[character]", "[ord(character)")),
            "You use the computer's own numbers for characters, such as 97 for a. Here the number is the "
            "place in the alphabet.",
        ),
        Misconception(
            "alphabet sorted",
            changed(_PAIRS, ("enumerate(alphabet)", "enumerate(sorted(alphabet))")),
            "You sort the alphabet before you number it. The order in which it is given counts.",
        ),
        Misconception(
            "all letters small",
            changed(_PAIRS, ("number[character]", "number[character.lower()]")),
            "You make all letters small. What stands twice in the alphabet, small and capital, is two "
            "characters.",
        ),
        Misconception(
            "filled up in front",
            changed(
                _PAIRS,
                (_READ, "        inputs[row, T - len(name) :] = tokens\n"),
                (
                    _ASKED,
                    "        targets[row, T - 1 - len(name) : T - 1] = tokens\n"
                    "        targets[row, T - 1] = 0\n",
                ),
            ),
            "You fill up in front. The mark and the name stand first in each row, the free places at the "
            "end.",
        ),
        Misconception(
            "one long row",
            """
def next_char_pairs(names, alphabet):
    tokens = [0]
    for name in names:
        tokens += [alphabet.index(c) for c in name] + [0]
    return torch.tensor(tokens[:-1]), torch.tensor(tokens[1:])
""",
            "You write all names into one long row. That is a fine way for a novel; here each name has a row "
            "of its own.",
        ),
        Misconception(
            "targets first",
            changed(_PAIRS, (_BOTH, "return targets, inputs")),
            "Both are there, but in the wrong order: the inputs come first.",
        ),
        Misconception(
            "only inputs",
            changed(_PAIRS, (_BOTH, "return inputs")),
            "You return the inputs only. The targets are asked for as well.",
        ),
        Misconception(
            "steps first",
            changed(_PAIRS, (_BOTH, "return inputs.T, targets.T")),
            "Your results have the shape (T, B). One row for each name is asked for.",
        ),
        Misconception(
            "cut to the last letter",
            changed(
                _PAIRS,
                ("for name in names) + 1", "for name in names)"),
                (_READ, "        inputs[row, 1 : len(name) + 1] = tokens[: T - 1]\n"),
                (
                    "        targets[row, len(name)] = 0\n",
                    "        targets[row, len(name) : len(name) + 1] = 0\n",
                ),
            ),
            "Your rows are one step too short: the longest name has no room for the mark at its end.",
        ),
        Misconception(
            "decimal numbers",
            changed(_PAIRS, (_BOTH, "return inputs.float(), targets.float()")),
            "Your numbers have become decimal numbers. Embedding and cross-entropy want whole ones, int64.",
        ),
        Misconception(
            "one-hot inputs",
            changed(_PAIRS, (_BOTH, "return torch.nn.functional.one_hot(inputs, len(alphabet)), targets")),
            "Your inputs are one-hot vectors. The numbers themselves are asked for; the embedding does the "
            "rest.",
        ),
    ),
    hints=(
        "Write one name with the mark on both sides on paper. Which part of it is read, and which part is "
        "the answer to it, step by step?",
        "Numbers first: from each character to its place in the alphabet. A row of inputs is the mark and "
        "the numbers, a row of targets the numbers and the mark. Both are filled up to the length of the "
        "longest name plus 1, each with its own filling.",
    ),
    alternatives=(
        """
def next_char_pairs(names, alphabet):
    tokens = [[0] + [alphabet.index(c) for c in name] + [0] for name in names]
    T = max(map(len, tokens)) - 1
    inputs = torch.tensor([(row[:-1] + [0] * T)[:T] for row in tokens])
    targets = torch.tensor([(row[1:] + [-100] * T)[:T] for row in tokens])
    return inputs, targets
""",
        """
def next_char_pairs(names, alphabet):
    pad = torch.nn.utils.rnn.pad_sequence
    rows = [torch.tensor([0, *map(alphabet.index, name), 0]) for name in names]
    inputs = pad([row[:-1] for row in rows], batch_first=True)
    return inputs, pad([row[1:] for row in rows], batch_first=True, padding_value=-100)
""",
        """
def next_char_pairs(names, alphabet):
    mark = alphabet[0]
    T = max(map(len, names)) + 1
    inputs = torch.tensor([[alphabet.index(c) for c in (mark + name).ljust(T, mark)] for name in names])
    targets = inputs.roll(-1, dims=1)
    for row, name in zip(targets, names):
        row[len(name)] = 0
        row[len(name) + 1 :] = -100
    return inputs, targets
""",
    ),
)

EXERCISES = (
    RNN_STEP,
    RNN_FORWARD,
    LSTM_STEP,
    GRU_STEP,
    CLIP_GRAD_NORM,
    SAMPLE,
    PAD_SEQUENCES,
    NEXT_CHAR_PAIRS,
)
