"""utils.built.transformer: blocks equal to torch's own, models that see what they may, and decoding."""

from __future__ import annotations

import functools
import inspect
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from utils.built import transformer
from utils.built.attention import causal_mask
from utils.built.layers import count_parameters
from utils.built.transformer import (
    BERT,
    GPT,
    Block,
    EncoderDecoder,
    error_rate,
    greedy_decode,
    mask_tokens,
    noam_warmup,
    shift_targets,
    top_k,
    top_p,
)

many = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 10**6)
small = st.integers(1, 5)


def draw(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def give(ours: nn.Module, names: dict[str, str], theirs: nn.Module, seed: int) -> None:
    """Draw weights for our block and copy them into torch's layer, under torch's names."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in ours.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) / 3)
        for mine, torchs in names.items():
            part = theirs.get_submodule(torchs)
            source = ours.get_submodule(mine)
            if isinstance(part, nn.MultiheadAttention):
                projections = [source.W_q, source.W_k, source.W_v]
                part.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
                part.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
                source, part = source.W_o, part.out_proj
            part.load_state_dict(source.state_dict())


NAMES = {
    "norm1": "norm1",
    "attention": "self_attn",
    "feed_forward.up": "linear1",
    "feed_forward.down": "linear2",
}


def assert_same(ours: Tensor, theirs: Tensor, inputs: list[Tensor]) -> None:
    """Same value, shape and gradient by every input, for a gradient from above that is not all ones."""
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)
    above = torch.linspace(-1, 2, ours.numel(), dtype=torch.float64).reshape(ours.shape)
    for one, other in zip(
        torch.autograd.grad(ours, inputs, above), torch.autograd.grad(theirs, inputs, above), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


@given(seeds, small, small, st.sampled_from([(4, 1), (4, 2), (6, 3)]), small, st.booleans())
@many
def test_a_block_is_torchs_encoder_layer(seed, B, T, width, d_ff, causal):
    d_model, h = width
    ours = Block(d_model, h, d_ff).double()
    theirs = nn.TransformerEncoderLayer(d_model, h, d_ff, 0.0, norm_first=True, batch_first=True).double()
    give(ours, {**NAMES, "norm2": "norm2"}, theirs, seed)
    X = draw(seed, (B, T, d_model))[0].requires_grad_()
    mask = causal_mask(T) if causal else None
    assert_same(ours(X, mask), theirs(X, None if mask is None else ~mask), [X])


@given(seeds, small, small, small, st.sampled_from([(4, 1), (4, 2), (6, 3)]))
@many
def test_a_block_with_cross_attention_is_torchs_decoder_layer(seed, B, T, T_c, width):
    d_model, h = width
    ours = Block(d_model, h, 5, cross=True).double()
    theirs = nn.TransformerDecoderLayer(d_model, h, 5, 0.0, norm_first=True, batch_first=True).double()
    names = {**NAMES, "norm_cross": "norm2", "cross": "multihead_attn", "norm2": "norm3"}
    give(ours, names, theirs, seed)
    X, context = (t.requires_grad_() for t in draw(seed, (B, T, d_model), (B, T_c, d_model)))
    lengths = torch.randint(1, T_c + 1, (B,), generator=torch.Generator().manual_seed(seed))
    real = torch.arange(T_c) < lengths[:, None]
    out = ours(X, causal_mask(T), context, real[:, None, None, :])
    assert_same(out, theirs(X, context, ~causal_mask(T), None, None, ~real), [X, context])


def test_dropout_drops_in_training_only_and_a_block_of_zeros_passes_its_input_on():
    torch.manual_seed(0)
    block, X = Block(8, 2, 16, dropout=0.5), torch.randn(2, 3, 8)
    assert not torch.equal(block(X), block(X))
    assert torch.equal(block.eval()(X), block(X))
    with torch.no_grad():
        for last in (block.attention.W_o, block.feed_forward.down):
            last.weight.zero_(), last.bias.zero_()
    assert torch.equal(block(X), X)


def reach(function, embedding: nn.Embedding, tokens: Tensor) -> Tensor:
    """(places out, places in), True where the output depends on the input token."""
    kept = {}
    hook = embedding.register_forward_hook(lambda module, inputs, out: kept.setdefault("X", out))
    out = function()
    hook.remove()
    rows = [torch.autograd.grad(out[0, t].square().sum(), kept["X"], retain_graph=True)[0] for t in
            range(out.shape[1])]  # fmt: skip
    return torch.stack([row[0].abs().sum(dim=-1) > 0 for row in rows])


def test_what_each_model_sees():
    torch.manual_seed(0)
    x, written = torch.tensor([[3, 4, 5, 0, 0]]), torch.tensor([[1, 5, 6]])
    gpt = GPT(9, 8, 2, 16, 2)
    assert torch.equal(reach(lambda: gpt(x), gpt.tower.embedding, x), causal_mask(5))
    bert = BERT(9, 8, 2, 16, 2)
    seen = reach(lambda: bert(x), bert.tower.embedding, x)
    assert seen[:3, :3].all() and not seen[:3, 3:].any()
    both = EncoderDecoder(9, 9, 8, 2, 16, 2)
    seen = reach(lambda: both(x, written), both.encoder.embedding, x)
    assert seen[:, :3].all() and not seen[:, 3:].any()
    seen = reach(lambda: both(x, written), both.decoder.embedding, written)
    assert torch.equal(seen, causal_mask(3))


def test_more_padding_changes_nothing():
    torch.manual_seed(0)
    model, written = EncoderDecoder(9, 9, 8, 2, 16, 2).double(), torch.tensor([[1, 5, 6]])
    short, long = torch.tensor([[3, 4, 5]]), torch.tensor([[3, 4, 5, 0, 0, 0]])
    torch.testing.assert_close(model(short, written), model(long, written))


def test_all_models_begin_by_guessing_and_have_the_parameters_of_the_formula():
    torch.manual_seed(0)
    V, d, d_ff, layers = 50, 16, 40, 3
    tokens = torch.randint(1, V, (8, 20))
    for model in (GPT(V, d, 2, d_ff, layers), BERT(V, d, 2, d_ff, layers)):
        loss = F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
        assert loss.item() == pytest.approx(math.log(V), abs=0.05)
        block = 4 * (d * d + d) + 2 * d * d_ff + d_ff + d + 4 * d
        assert count_parameters(model) == 2 * V * d + V + layers * block + 2 * d
    both = EncoderDecoder(V, V, d, 2, d_ff, layers)
    loss = F.cross_entropy(both(tokens, tokens).flatten(0, 1), tokens.flatten())
    assert loss.item() == pytest.approx(math.log(V), abs=0.05)


def test_shift_targets():
    tokens = torch.tensor([[5, 6, 2], [7, 2, 0]])
    assert shift_targets(tokens, 1).tolist() == [[1, 5, 6], [1, 7, 2]]
    assert shift_targets(tokens[:, :1], 9).tolist() == [[9], [9]]
    assert tokens.tolist() == [[5, 6, 2], [7, 2, 0]]


def test_mask_tokens_hides_in_the_shares_of_the_paper():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 1000, (400, 500), generator=generator)
    before = tokens.clone()
    inputs, targets = mask_tokens(tokens, 1000, 1000, generator)
    assert torch.equal(tokens, before)
    chosen = targets != -100
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.004)
    assert torch.equal(targets[chosen], tokens[chosen]) and torch.equal(inputs[~chosen], tokens[~chosen])
    fates = inputs[chosen]
    masked, same = fates == 1000, fates == tokens[chosen]
    assert masked.float().mean().item() == pytest.approx(0.8, abs=0.01)
    assert same.float().mean().item() == pytest.approx(0.1, abs=0.01)
    others = fates[~masked & ~same]
    assert others.min() < 20 and 980 < others.max() < 1000
    inputs, targets = mask_tokens(tokens, 1000, 1000, generator, share=0.0)
    assert torch.equal(inputs, tokens) and (targets == -100).all()


def test_noam_warmup_rises_straight_to_its_top_and_falls():
    rates = [noam_warmup(step, 64, 100) for step in range(1, 401)]
    assert max(rates) == rates[99] == pytest.approx(0.125 * 0.1)
    assert rates[49] == pytest.approx(rates[99] / 2) and rates[399] == pytest.approx(rates[99] / 2)
    for bad in ((0, 64, 10), (1, 64, 0)):
        with pytest.raises(ValueError, match="count from 1"):
            noam_warmup(*bad)


@given(seeds, st.integers(1, 9), st.integers(1, 12))
@many
def test_top_k_keeps_the_k_largest(seed, V, k):
    (logits,) = draw(seed, (3, V))
    kept = top_k(logits, k)
    for row, given_row in zip(kept, logits, strict=True):
        alive = row > -math.inf
        assert alive.sum() == min(k, V) and torch.equal(row[alive], given_row[alive])
        assert given_row[alive].min() >= given_row[~alive].max() if (~alive).any() else True


def test_top_k_of_equal_logits_keeps_k_and_refuses_none():
    assert (top_k(torch.zeros(5), 2) == 0).sum() == 2
    with pytest.raises(ValueError, match="at least 1"):
        top_k(torch.zeros(5), 0)


@given(seeds, st.integers(1, 9), st.floats(0.01, 1.0))
@many
def test_top_p_keeps_the_fewest_that_reach_p(seed, V, p):
    (logits,) = draw(seed, (V,))
    alive = top_p(logits, p) > -math.inf
    probabilities = torch.softmax(logits, dim=0)
    chosen = probabilities[alive].sort(descending=True).values
    assert chosen.sum() >= p - 1e-9
    assert chosen[:-1].sum() < p
    assert (~alive).sum() == 0 or probabilities[~alive].max() <= chosen[-1]


def test_top_p_by_hand():
    logits = torch.tensor([[0.2, 0.5, 0.3], [0.98, 0.01, 0.01]]).log()
    assert (top_p(logits, 0.6) > -math.inf).tolist() == [[False, True, True], [True, False, False]]
    assert torch.equal(top_p(logits, 1.0), logits)
    for p in (0.0, 1.1):
        with pytest.raises(ValueError, match="above 0"):
            top_p(logits, p)


def test_greedy_decode_ends_at_the_end_or_at_most():
    seen = []

    def up(tokens):
        seen.append(list(tokens))
        return F.one_hot(torch.tensor(tokens[-1] + 1), 50).float()

    assert greedy_decode(up, start=3, end=7, most=40) == [4, 5, 6]
    assert seen == [[3], [3, 4], [3, 4, 5], [3, 4, 5, 6]]
    assert greedy_decode(up, start=3, end=99, most=5) == [4, 5, 6, 7, 8]
    assert greedy_decode(up, start=3, end=99, most=0) == []


@given(st.text("abc", max_size=7), st.text("abc", min_size=1, max_size=7))
@many
def test_error_rate_is_the_edit_distance_over_the_length(predicted, wanted):
    @functools.cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        same = distance(i - 1, j - 1) + (predicted[i - 1] != wanted[j - 1])
        return min(same, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    assert error_rate(predicted, wanted) == distance(len(predicted), len(wanted)) / len(wanted)


def test_error_rate_by_hand():
    assert error_rate("kitten", "sitting") == 3 / 7
    assert error_rate([], [4, 5]) == 1 and error_rate([1, 2, 3], [2]) == 2
    assert error_rate(("K", "AE", "T"), ["K", "AE", "T"]) == 0
    with pytest.raises(ValueError, match="empty"):
        error_rate("a", "")


def test_every_public_name_is_exported():
    names = [
        name
        for name, thing in vars(transformer).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == transformer.__name__
    ]
    assert sorted(name for name in names if not name.startswith("_")) == sorted(transformer.__all__)
