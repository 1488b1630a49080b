"""Batch and layer normalisation by hand do what torch's do: value, gradient and running statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from utils.built.normalization import BatchNorm, LayerNorm

CASES = 60
# Sizes and offsets that a network meets, and some that it should survive: features that hardly vary beside
# eps, features far from zero, a constant feature.
SCALES = (1e-6, 1e-2, 1.0, 1e3)
OFFSETS = (0.0, -3.0, 1e3)


def close(ours: Tensor, theirs: Tensor) -> None:
    """Equal up to rounding: gradients add up terms that may be far larger than their sum."""
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    size = theirs.abs().max().clamp(min=1).item()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9 * size)


def case(seed: int) -> tuple[torch.Generator, int, int, float, float]:
    """A random batch size (2 at times), number of features (1 at times), momentum and eps."""
    g = torch.Generator().manual_seed(seed)
    b = (2, 3, 17, 64)[seed % 4]
    features = (1, 2, 5, 33)[(seed // 4) % 4]
    return g, b, features, (0.1, 0.0, 1.0, 0.37)[seed % 4], (1e-5, 1e-3, 0.5)[seed % 3]


def inputs(g: torch.Generator, seed: int, *shape: int) -> Tensor:
    X = torch.randn(shape, generator=g, dtype=torch.float64) * SCALES[seed % 4] + OFFSETS[seed % 3]
    if seed % 5 == 0:
        X[..., 0] = 7.0  # a feature without any spread
    return X


def randomise(ours: nn.Module, theirs: nn.Module, g: torch.Generator) -> None:
    """The same random scale and shift for both."""
    with torch.no_grad():
        for mine, torchs in ((ours.gamma, theirs.weight), (ours.beta, theirs.bias)):
            mine.copy_(torch.randn(mine.shape, generator=g, dtype=torch.float64))
            torchs.copy_(mine)


def compare(ours: nn.Module, theirs: nn.Module, X: Tensor, pull: Tensor) -> None:
    """Output, and gradients by the input, the scale and the shift, for one random pull at the output."""
    x1, x2 = X.clone().requires_grad_(), X.clone().requires_grad_()
    out1, out2 = ours(x1), theirs(x2)
    close(out1, out2)
    leaves1, leaves2 = [x1, ours.gamma, ours.beta], [x2, theirs.weight, theirs.bias]
    slopes1 = torch.autograd.grad((out1 * pull).sum(), leaves1)
    slopes2 = torch.autograd.grad((out2 * pull).sum(), leaves2)
    for mine, torchs in zip(slopes1, slopes2, strict=True):
        close(mine, torchs)


@pytest.mark.parametrize("seed", range(CASES))
def test_batch_norm_is_torchs_in_training_and_evaluation(seed: int):
    g, b, features, momentum, eps = case(seed)
    ours = BatchNorm(features, momentum=momentum, eps=eps).double()
    theirs = nn.BatchNorm1d(features, momentum=momentum, eps=eps).double()
    randomise(ours, theirs, g)
    for k in range(4):  # several batches: the running statistics are mixtures
        X = inputs(g, seed + k, b, features)
        compare(ours, theirs, X, torch.randn(X.shape, generator=g, dtype=torch.float64))
        close(ours.running_mean, theirs.running_mean)
        close(ours.running_var, theirs.running_var)
    ours.eval(), theirs.eval()
    before = ours.running_mean.clone(), ours.running_var.clone()
    for n in (b, 1):
        X = inputs(g, seed, n, features)
        compare(ours, theirs, X, torch.randn(X.shape, generator=g, dtype=torch.float64))
    assert torch.equal(before[0], ours.running_mean) and torch.equal(before[1], ours.running_var)


@pytest.mark.parametrize("seed", range(CASES))
def test_layer_norm_is_torchs_in_both_modes(seed: int):
    g, b, features, _, eps = case(seed)
    features += 1  # a single feature minus itself is nothing but rounding
    ours, theirs = LayerNorm(features, eps=eps).double(), nn.LayerNorm(features, eps=eps).double()
    randomise(ours, theirs, g)
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        for shape in ((b, features), (1, features), (features,), (2, 3, features)):
            X = inputs(g, seed, *shape)
            compare(ours, theirs, X, torch.randn(X.shape, generator=g, dtype=torch.float64))


def test_the_gradient_runs_through_mean_and_spread():
    """Finite differences, which know nothing of torch's own formula."""
    g = torch.Generator().manual_seed(1)
    X = torch.randn(5, 3, generator=g, dtype=torch.float64).requires_grad_()
    layer = BatchNorm(3).double()
    layer(X)  # so that the running statistics are not those of the start
    assert torch.autograd.gradcheck(copy.deepcopy(layer), X)
    assert torch.autograd.gradcheck(copy.deepcopy(layer).eval(), X)
    assert torch.autograd.gradcheck(LayerNorm(3).double(), X)


def test_what_is_learned_and_what_is_only_kept():
    layer = BatchNorm(4)
    assert {name for name, _ in layer.named_parameters()} == {"gamma", "beta"}
    assert {name for name, _ in layer.named_buffers()} == {"running_mean", "running_var"}
    assert set(layer.state_dict()) == {"gamma", "beta", "running_mean", "running_var"}
    assert {name for name, _ in LayerNorm(4).named_parameters()} == {"gamma", "beta"}
    layer(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    assert not layer.running_mean.requires_grad and not layer.running_var.requires_grad


def test_running_statistics_survive_saving_and_loading():
    layer, other = BatchNorm(3), BatchNorm(3)
    for k in range(5):
        layer(torch.randn(6, 3, generator=torch.Generator().manual_seed(k)) + 2)
    other.load_state_dict(layer.state_dict())
    X = torch.randn(1, 3, generator=torch.Generator().manual_seed(9))
    assert torch.equal(layer.eval()(X), other.eval()(X))


def test_a_batch_of_one_is_refused_in_training_as_by_torch():
    X = torch.ones(1, 3)
    with pytest.raises(ValueError):
        nn.BatchNorm1d(3)(X)
    layer = BatchNorm(3)
    with pytest.raises(ValueError, match="at least 2"):
        layer(X)
    assert torch.equal(layer.running_mean, torch.zeros(3))  # and nothing was remembered
    assert layer.eval()(X).shape == (1, 3)


@pytest.mark.parametrize("shape", [(6, 4), (6, 1), (6,), (6, 3, 2)])
def test_batch_norm_refuses_other_shapes(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="shape"):
        BatchNorm(3)(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(6, 4), (6, 1), (3, 6)])
def test_layer_norm_refuses_other_shapes(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="shape"):
        LayerNorm(3)(torch.zeros(shape))
