"""What lesson 03 built is what torch has: shapes, gradients of stretched tensors, distances, one-hot rows."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.built.shapes import (
    broadcast_shape,
    one_hot,
    pairwise_sq_distances,
    safe_mse,
    standardize,
    unbroadcast,
)

shapes = st.lists(st.sampled_from([0, 1, 1, 2, 3, 4]), max_size=4).map(tuple)


@settings(max_examples=500, deadline=None)
@given(shapes, shapes)
def test_broadcast_shape_is_torchs_with_every_refusal(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected = tuple((torch.empty(a) + torch.empty(b)).shape)
    except RuntimeError:
        with pytest.raises(ValueError, match="do not fit"):
            broadcast_shape(a, b)
    else:
        assert broadcast_shape(a, b) == expected


@settings(max_examples=300, deadline=None)
@given(shapes, shapes, st.integers(0, 2**31))
def test_unbroadcast_is_the_gradient_of_expand(a: tuple[int, ...], b: tuple[int, ...], seed: int) -> None:
    try:
        result = broadcast_shape(a, b)
    except ValueError:
        return
    generator = torch.Generator().manual_seed(seed)
    gradient = torch.randn(result, generator=generator, dtype=torch.float64)
    x = torch.zeros(a, dtype=torch.float64, requires_grad=True)
    x.expand(result).backward(gradient)
    ours = unbroadcast(gradient, a)
    assert ours.shape == x.shape
    torch.testing.assert_close(ours, x.grad)


@pytest.mark.parametrize("shape", [(3,), (4, 2), (1, 1, 2), (0,)])
def test_unbroadcast_refuses_a_shape_that_cannot_be_stretched(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        unbroadcast(torch.zeros(3, 2), shape)


def test_standardize_gives_mean_0_and_deviation_1_and_zeros_for_constant_columns() -> None:
    X = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)) * 5 + 100
    X[:, 2] = 0.1  # rounding leaves 30 times 0.1 a deviation of about 1e-8: it must still become zeros
    Z = standardize(X)
    torch.testing.assert_close(Z.mean(dim=0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(Z.std(dim=0, correction=0), torch.tensor([1.0, 1.0, 0.0, 1.0]))
    assert (Z[:, 2] == 0).all()
    assert (standardize(X[:1]) == 0).all()


def test_one_hot_is_torchs() -> None:
    y = torch.tensor([2, 0, 4, 4])
    assert one_hot(y, 5).dtype == torch.float32
    assert torch.equal(one_hot(y, 5).long(), torch.nn.functional.one_hot(y, 5))
    assert one_hot(torch.empty(0, dtype=torch.long), 3).shape == (0, 3)


def test_pairwise_sq_distances_are_torchs_and_never_negative() -> None:
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(20, 5, generator=generator, dtype=torch.float64)
    Y = torch.randn(7, 5, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(pairwise_sq_distances(X, Y), torch.cdist(X, Y).square())
    far = torch.randn(200, 3, generator=generator) + 1000
    squares = far.square().sum(dim=1)
    assert (squares[:, None] + squares - 2 * far @ far.T).min() < 0, "the case is too tame to test clamp"
    assert pairwise_sq_distances(far, far).min() >= 0


def test_safe_mse_is_torchs_and_refuses_to_broadcast() -> None:
    y_hat, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [4.0]])
    assert safe_mse(y_hat, y) == torch.nn.functional.mse_loss(y_hat, y) == 2.5
    with pytest.raises(ValueError, match=r"\(2, 1\).*\(2,\)"):
        safe_mse(y_hat, y[:, 0])
