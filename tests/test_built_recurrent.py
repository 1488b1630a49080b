"""utils.built.recurrent: equal to torch's recurrent modules, in value and gradient, and its helpers."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from utils.built.recurrent import (
    Recurrent,
    clip_grad_norm,
    gru_step,
    lstm_step,
    next_char_pairs,
    pad_sequences,
    rnn_forward,
    rnn_step,
    sample_index,
)

many = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 10**6)
sizes = st.tuples(*[st.integers(1, 5)] * 4)  # B, T, d, n
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [2 * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def assert_same(ours: list[Tensor], theirs: list[Tensor], inputs: list[Tensor]) -> None:
    """Same values, and same gradients of a sum that weighs every number differently."""
    totals = []
    for group in (ours, theirs):
        weights = [torch.linspace(-1, 2, t.numel(), dtype=torch.float64).reshape(t.shape) for t in group]
        totals.append(sum((t * w).sum() for t, w in zip(group, weights, strict=True)))
    gradients = [torch.autograd.grad(total, inputs, retain_graph=True) for total in totals]
    for one, other in zip([*ours, *gradients[0]], [*theirs, *gradients[1]], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def with_weights(module: nn.Module, seed: int) -> nn.Module:
    module = module.double()
    with torch.no_grad():
        for p, values in zip(
            module.parameters(), normal(seed, *(p.shape for p in module.parameters())), strict=True
        ):
            p.copy_(values)
    return module


@pytest.mark.parametrize("kind", TORCH)
@given(seeds, sizes)
@many
def test_a_step_is_torchs_cell(kind, seed, size):
    B, _, d, n = size
    cell = with_weights(CELLS[kind](d, n), seed)
    x, h, c = (t.requires_grad_() for t in normal(seed + 1, (B, d), (B, n), (B, n)))
    W_x, W_h, b_x, b_h = cell.parameters()
    inputs = [x, h, *cell.parameters()]
    if kind == "lstm":
        assert_same([*lstm_step(x, h, c, W_x, W_h, b_x + b_h)], [*cell(x, (h, c))], [*inputs, c])
    elif kind == "gru":
        assert_same([gru_step(x, h, W_x, W_h, b_x, b_h)], [cell(x, h)], inputs)
    else:
        assert_same([rnn_step(x, h, W_x, W_h, b_x + b_h)], [cell(x, h)], inputs)


@pytest.mark.parametrize("kind", TORCH)
@given(seeds, sizes, st.booleans())
@many
def test_a_layer_is_torchs_module(kind, seed, size, with_state):
    B, T, d, n = size
    theirs = with_weights(TORCH[kind](d, n, batch_first=True), seed)
    ours = Recurrent(kind, d, n).double()
    with torch.no_grad():
        W_x, W_h, b_x, b_h = theirs.parameters()
        if kind != "gru":  # torch's second bias is only added to the first
            b_x, b_h = b_x + b_h, None
            theirs.bias_ih_l0.copy_(b_x)
            theirs.bias_hh_l0.zero_()
        for p, values in zip(ours.weights, [W_x, W_h, b_x, b_h][: len(ours.weights)], strict=True):
            p.copy_(values)
    X, h, c = (t.requires_grad_() for t in normal(seed + 1, (B, T, d), (B, n), (B, n)))
    state = (h, c) if kind == "lstm" else h
    given_state = state if with_state else None
    outputs, last = ours(X, given_state)
    their_state = (h[None], c[None]) if kind == "lstm" else h[None]
    their_outputs, their_last = theirs(X, their_state if with_state else None)
    assert outputs.shape == (B, T, n)
    mine = [outputs, *(last if kind == "lstm" else [last])]
    hers = [their_outputs, *(t[0] for t in (their_last if kind == "lstm" else [their_last]))]
    used = [X, *([h, c] if kind == "lstm" else [h])] if with_state else [X]
    assert_same(mine, hers, used)
    total = sum(t.sum() for t in mine)
    their_total = sum(t.sum() for t in hers)
    for p, q in zip(
        torch.autograd.grad(total, list(ours.weights)),
        torch.autograd.grad(their_total, list(theirs.parameters())),
        strict=False,
    ):
        torch.testing.assert_close(p, q, rtol=1e-9, atol=1e-9)


def test_rnn_forward_is_the_step_again_and_again():
    X, h, W_x, W_h, b = normal(0, (3, 4, 2), (3, 5), (5, 2), (5, 5), (5,))
    outputs, last = rnn_forward(X, h, W_x, W_h, b)
    assert outputs.shape == (3, 4, 5)
    assert torch.equal(outputs[:, -1], last)
    torch.testing.assert_close(outputs[:, 0], rnn_step(X[:, 0], h, W_x, W_h, b))
    torch.testing.assert_close(outputs[:, 1], rnn_step(X[:, 1], outputs[:, 0], W_x, W_h, b))


def test_a_layer_goes_on_where_it_stopped():
    (X,) = normal(1, (2, 7, 3))
    for kind in TORCH:
        layer = with_weights(Recurrent(kind, 3, 4), 2)
        whole, _ = layer(X)
        first, state = layer(X[:, :3])
        rest, _ = layer(X[:, 3:], state)
        torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)


def test_a_layer_refuses_an_unknown_kind_and_begins_as_torch_does():
    with pytest.raises(ValueError, match="kind"):
        Recurrent("LSTM", 2, 3)
    layer = Recurrent("gru", 4, 100)
    assert [tuple(p.shape) for p in layer.parameters()] == [(300, 4), (300, 100), (300,), (300,)]
    assert all(0.09 < p.abs().max() <= 0.1 for p in layer.parameters())


@given(seeds, st.floats(0.01, 20))
@many
def test_clipping_is_torchs(seed, most):
    lists = [[torch.zeros(3), torch.zeros(2, 2), torch.zeros(1)] for _ in range(2)]
    for parameters in lists:
        for p, g in zip(parameters[:2], normal(seed, (3,), (2, 2)), strict=True):
            p.grad = g.float()
    norm = clip_grad_norm(iter(lists[0]), most)
    assert norm == pytest.approx(float(nn.utils.clip_grad_norm_(lists[1], most)), rel=1e-5)
    for p, q in zip(*(parameters[:2] for parameters in lists), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)
    assert lists[0][2].grad is None


def test_clipping_leaves_zero_and_short_gradients_alone():
    p = torch.zeros(2)
    p.grad = torch.zeros(2)
    assert clip_grad_norm([p], 1.0) == 0.0 and p.grad.tolist() == [0, 0]
    p.grad = torch.tensor([0.3, 0.4])
    before = p.grad
    assert clip_grad_norm([p], 1.0) == pytest.approx(0.5)
    assert p.grad is before and p.grad.tolist() == pytest.approx([0.3, 0.4])
    assert clip_grad_norm([], 1.0) == 0.0


def test_padding():
    padded, lengths = pad_sequences([[1, 2], [], torch.tensor([3, 4, 5])], value=9)
    assert padded.tolist() == [[1, 2, 9], [9, 9, 9], [3, 4, 5]]
    assert lengths.tolist() == [2, 0, 3]
    assert padded.dtype == lengths.dtype == torch.int64
    padded, lengths = pad_sequences([])
    assert padded.shape == (0, 0) and lengths.shape == (0,)


def test_targets_are_the_inputs_one_step_later():
    inputs, targets = next_char_pairs(["abc", "b"], ".abc")
    assert inputs.tolist() == [[0, 1, 2, 3], [0, 2, 0, 0]]
    assert targets.tolist() == [[1, 2, 3, 0], [2, 0, -100, -100]]
    with pytest.raises(KeyError):
        next_char_pairs(["ad"], ".abc")
    loss = F.cross_entropy(torch.zeros(2, 4, 4), targets)  # −100 is what torch leaves out
    assert loss.item() == pytest.approx(math.log(4))


def test_sampling_follows_the_temperature():
    logits = torch.tensor([2.0, 0.0, -1.0])
    for temperature in (0.5, 1.0, 3.0):
        generator = torch.Generator().manual_seed(0)
        drawn = torch.tensor([sample_index(logits, temperature, generator) for _ in range(3000)])
        share = torch.bincount(drawn, minlength=3) / 3000
        torch.testing.assert_close(share, torch.softmax(logits / temperature, dim=0), rtol=0, atol=0.03)
    assert sample_index(torch.tensor([0.0, 1e4]), 1e-3) == 1  # no overflow
    for bad in (0.0, -1.0):
        with pytest.raises(ValueError, match="temperature"):
            sample_index(logits, bad)
