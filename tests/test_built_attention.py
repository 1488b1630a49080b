"""Attention and its layer against torch's own, forward and backward, on many random cases."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.built.attention import (
    MultiHeadAttention,
    attention,
    causal_mask,
    merge_heads,
    padding_mask,
    sinusoidal_positions,
    split_heads,
)

CLOSE = {torch.float64: 1e-12, torch.float32: 2e-5, torch.bfloat16: 0.1, torch.float16: 0.02}


def random_mask(g: torch.Generator, *shape: int) -> Tensor:
    """Bool of this shape in which every row allows one key at least."""
    mask = torch.rand(shape, generator=g) < 0.5
    sure = torch.randint(0, shape[-1], shape[:-1], generator=g)
    return mask.scatter(-1, sure[..., None], True)


def value_and_gradients(f, inputs: list[Tensor], tilt: Tensor) -> list[Tensor]:
    inputs = [x.clone().requires_grad_() for x in inputs]
    out = f(*inputs)
    return [out.detach(), *torch.autograd.grad((out * tilt).sum(), inputs)]


@pytest.mark.parametrize("seed", range(40))
def test_attention_is_torchs(seed: int) -> None:
    """Odd shapes, heads, masks of every broadcast shape: value and all gradients in float64."""
    g = torch.Generator().manual_seed(seed)
    B, h, T_q, T_k, d, d_v = torch.randint(1, 8, (6,), generator=g).tolist()
    shapes = [(B, h, T_q, d), (B, h, T_k, d), (B, h, T_k, d_v)]
    inputs = [3 * torch.randn(s, generator=g, dtype=torch.float64) for s in shapes]
    mask = [None, random_mask(g, T_q, T_k), random_mask(g, B, 1, 1, T_k), random_mask(g, B, h, T_q, T_k)][
        seed % 4
    ]
    tilt = torch.randn(B, h, T_q, d_v, generator=g, dtype=torch.float64)
    ours = value_and_gradients(lambda *a: attention(*a, mask)[0], inputs, tilt)
    theirs = value_and_gradients(lambda *a: F.scaled_dot_product_attention(*a, mask), inputs, tilt)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("masked", [False, True])
def test_attention_keeps_the_dtype(dtype: torch.dtype, masked: bool) -> None:
    g = torch.Generator().manual_seed(1)
    Q, K, V = (torch.randn(2, 3, T, 8, generator=g).to(dtype) for T in (5, 6, 6))
    mask = random_mask(g, 5, 6) if masked else None
    out, weights = attention(Q, K, V, mask)
    assert out.dtype == weights.dtype == dtype
    difference = (out - F.scaled_dot_product_attention(Q, K, V, mask)).abs().max().item()
    assert difference < CLOSE[dtype]


def test_weights_are_a_distribution_and_masked_ones_are_zero() -> None:
    g = torch.Generator().manual_seed(2)
    Q, K, V = (torch.randn(3, 2, 7, 4, generator=g, dtype=torch.float64) * 100 for _ in range(3))
    mask = random_mask(g, 3, 2, 7, 7)
    out, weights = attention(Q, K, V, mask)
    assert (weights >= 0).all() and torch.allclose(weights.sum(dim=-1), torch.ones(3, 2, 7).double())
    assert (weights[~mask] == 0).all() and torch.equal(out, weights @ V)


def test_a_query_without_keys_is_nan_and_no_other() -> None:
    X = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(3))
    mask = torch.tensor([[True, True, True], [False, False, False], [True, False, False]])
    out, _ = attention(X, X, X, mask)
    assert out[0, 1].isnan().all() and not out[0, [0, 2]].isnan().any()


def test_masks() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(1).tolist() == [[True]] and causal_mask(4).dtype == torch.bool
    real = padding_mask(torch.tensor([0, 2, 3]), 3)
    assert real.tolist() == [[False] * 3, [True, True, False], [True] * 3] and real.dtype == torch.bool
    Q, K, V = (torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4)),) * 3
    ours = attention(Q, K, V, causal_mask(5))[0]
    torch.testing.assert_close(ours, F.scaled_dot_product_attention(Q, K, V, is_causal=True))


def test_heads_are_parts_of_the_features() -> None:
    X = torch.arange(2 * 3 * 8.0).reshape(2, 3, 8)
    heads = split_heads(X, 4)
    assert heads.shape == (2, 4, 3, 2)
    for i in range(4):
        assert torch.equal(heads[:, i], X[..., 2 * i : 2 * i + 2])
    assert torch.equal(merge_heads(heads), X)
    turned = X.transpose(0, 1)  # not contiguous
    assert torch.equal(merge_heads(split_heads(turned, 2)), turned)
    with pytest.raises(ValueError, match="8 features cannot be cut into 3"):
        split_heads(X, 3)


def twins(d_model: int, h: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Ours and torch's with the same weights, in float64."""
    ours = MultiHeadAttention(d_model, h).double()
    theirs = nn.MultiheadAttention(d_model, h, batch_first=True).double()
    layers = (ours.W_q, ours.W_k, ours.W_v)
    with torch.no_grad():
        for p in ours.parameters():
            p.normal_(generator=torch.Generator().manual_seed(p.numel()))
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        theirs.out_proj.load_state_dict(ours.W_o.state_dict())
    return ours, theirs


@pytest.mark.parametrize(
    ("d_model", "h", "cross", "masked"),
    [
        (d_model, h, cross, masked)
        for (d_model, h), cross, masked in itertools.product(
            [(2, 1), (6, 3), (8, 2), (8, 8)], [False, True], [False, True]
        )
    ],
)
def test_the_layer_is_torchs(d_model: int, h: int, cross: bool, masked: bool) -> None:
    """Outputs, weights of each head, and gradients by inputs and by every parameter."""
    ours, theirs = twins(d_model, h)
    g = torch.Generator().manual_seed(5)
    B, T_q, T_k = 3, 4, 6 if cross else 4
    X = torch.randn(B, T_q, d_model, generator=g, dtype=torch.float64)
    C = torch.randn(B, T_k, d_model, generator=g, dtype=torch.float64) if cross else None
    real = padding_mask(torch.tensor([T_k, 1, 2]), T_k)
    allowed = random_mask(g, T_q, T_k)
    allowed[:, 0] = True  # place 0 is real in every sequence: nobody is left without keys
    mask = real[:, None, None, :] & allowed if masked else None
    tilt = torch.randn(X.shape, generator=g, dtype=torch.float64)

    def torchs(X: Tensor, C: Tensor) -> Tensor:
        forbidden = {"key_padding_mask": ~real, "attn_mask": ~allowed} if masked else {}
        out, theirs.seen = theirs(X, C, C, average_attn_weights=False, **forbidden)
        return out

    results = []
    for f in (lambda X, C=None: ours(X, C, mask), lambda X, C=None: torchs(X, X if C is None else C)):
        results.append(value_and_gradients(f, [X] if C is None else [X, C], tilt))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
    assert ours.weights.shape == (B, h, T_q, T_k) and not ours.weights.requires_grad
    torch.testing.assert_close(ours.weights, theirs.seen.detach(), rtol=1e-9, atol=1e-9)

    (ours(X, C, mask) * tilt).sum().backward()
    (torchs(X, X if C is None else C) * tilt).sum().backward()
    three = (ours.W_q, ours.W_k, ours.W_v)
    for mine, other in [
        (torch.cat([layer.weight.grad for layer in three]), theirs.in_proj_weight.grad),
        (torch.cat([layer.bias.grad for layer in three]), theirs.in_proj_bias.grad),
        (ours.W_o.weight.grad, theirs.out_proj.weight.grad),
        (ours.W_o.bias.grad, theirs.out_proj.bias.grad),
    ]:
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


def test_the_layer_knows_no_order_and_refuses_odd_heads() -> None:
    layer, _ = twins(8, 2)
    X = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(X[:, order]), layer(X)[:, order], rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="7 features cannot be cut into 2"):
        MultiHeadAttention(7, 2)


def test_positions() -> None:
    P = sinusoidal_positions(50, 6).double()
    for t, i in itertools.product((0, 1, 7, 49), range(3)):
        angle = t / 10000 ** (2 * i / 6)
        assert P[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert P[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)
    products = P @ P.T  # depend on the distance alone
    for distance in (0, 1, 20):
        assert products.diagonal(distance).std() < 1e-5
    with pytest.raises(ValueError, match="must be even, not 5"):
        sinusoidal_positions(3, 5)
