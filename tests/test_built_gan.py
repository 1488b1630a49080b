"""utils.built.gan: losses against torch's and the formulas, measures by hand, shapes of the networks."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from utils.built import gan
from utils.built.gan import (
    Discriminator,
    Generator,
    best_discriminator,
    discriminator_loss,
    generator_loss,
    interpolate,
    modes_covered,
)
from utils.built.layers import count_parameters

many = settings(max_examples=60, deadline=None, derandomize=True)
seeds = st.integers(0, 10**6)
sizes = st.integers(1, 7)
scales = st.sampled_from([0.1, 3.0, 300.0])


def draw(seed: int, *shapes: tuple[int, ...], scale: float = 1.0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def assert_same(ours: Tensor, theirs: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    for one, other in zip(
        torch.autograd.grad(ours, inputs), torch.autograd.grad(theirs, inputs), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)


@given(seeds, sizes, sizes, scales)
@many
def test_discriminator_loss_is_cross_entropy_with_ones_and_zeros(seed, n, m, scale):
    real, fake = (x.requires_grad_() for x in draw(seed, (n, 1), (m, 1), scale=scale))
    theirs = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    theirs = theirs + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    assert_same(discriminator_loss(real, fake), theirs, [real, fake])


@given(seeds, sizes, scales)
@many
def test_generator_loss_is_cross_entropy_with_ones(seed, n, scale):
    (fake,) = (x.requires_grad_() for x in draw(seed, (n, 1), scale=scale))
    theirs = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
    assert_same(generator_loss(fake), theirs, [fake])


def test_losses_of_an_undecided_discriminator_and_far_out():
    zero = torch.zeros(4, dtype=torch.float64)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(zero).item() == pytest.approx(math.log(2))
    assert discriminator_loss(zero + 500, zero - 500).item() == pytest.approx(0)
    assert discriminator_loss(zero - 500, zero + 500).item() == pytest.approx(1000)
    fake = (zero - 500).requires_grad_()
    generator_loss(fake).backward()
    assert fake.grad.tolist() == pytest.approx([-0.25] * 4)  # full gradient where the saturating one is gone


@given(seeds, sizes)
@many
def test_best_discriminator_is_where_the_value_is_highest(seed, n):
    p, q = (x.abs() + 1e-3 for x in draw(seed, (n,), (n,)))
    best = best_discriminator(p, q)
    value = p * best.log() + q * (1 - best).log()
    for other in (best + 1e-3, best - 1e-3):
        inside = (other > 0) & (other < 1)
        there = p * other.log() + q * (1 - other).log()
        assert (there[inside] < value[inside]).all()


def test_best_discriminator_where_densities_vanish():
    p, q = torch.tensor([0.0, 2.0, 0.0, 1.0]), torch.tensor([3.0, 0.0, 0.0, 3.0])
    assert best_discriminator(p, q).tolist() == [0, 1, 0.5, 0.25]
    p.requires_grad_()
    assert torch.autograd.grad(best_discriminator(p, q).sum(), p)[0].isfinite().all()
    assert best_discriminator(p[:, None], q).shape == (4, 4)


@given(seeds, st.sampled_from([(3,), (1,), (2, 4), ()]), st.integers(2, 9))
@many
def test_interpolate_walks_a_straight_line_in_equal_steps(seed, shape, steps):
    z1, z2 = draw(seed, shape, shape)
    path = interpolate(z1, z2, steps)
    assert path.shape == (steps, *shape)
    assert torch.equal(path[0], z1) and torch.equal(path[-1], z2)
    moves = path[1:] - path[:-1]
    torch.testing.assert_close(moves, ((z2 - z1) / (steps - 1)).expand_as(moves))


@pytest.mark.parametrize("steps", [1, 0, -2])
def test_interpolate_needs_both_ends(steps):
    with pytest.raises(ValueError, match="2 points or more"):
        interpolate(torch.zeros(2), torch.ones(2), steps)


def test_modes_covered_by_hand():
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    assert modes_covered(torch.tensor([[0.1, 0.0], [0.2, 0.1], [2.0, 2.0]]), centres, 0.5) == 1
    assert modes_covered(torch.tensor([[3.0, 0.0]]), centres, 1.0) == 1  # exactly on the rim counts
    assert modes_covered(torch.tensor([[3.0, 0.0]]), centres, 0.99) == 0
    assert modes_covered(centres, centres, 0.0) == 3
    assert modes_covered(torch.zeros(0, 2), centres, 1.0) == 0
    assert modes_covered(torch.tensor([[2.0, 0.0]]), centres, 2.0) == 2  # near two centres at once


@given(seeds, sizes, sizes, st.integers(1, 3))
@many
def test_modes_covered_counts_centres_near_some_sample(seed, n, k, d):
    samples, centres = draw(seed, (n, d), (k, d))
    near = [any(math.dist(c, x) <= 0.8 for x in samples.tolist()) for c in centres.tolist()]
    found = modes_covered(samples, centres, 0.8)
    assert found == sum(near) and isinstance(found, int)


def test_generator_makes_pictures_and_remembers_the_length_of_z():
    torch.manual_seed(0)
    for given_, d_z, channels in (((), 16, 16), ((5, 4), 5, 4)):
        model = Generator(*given_)
        assert model.d_z == d_z
        X = model(torch.randn(3, d_z))
        assert X.shape == (3, 1, 28, 28) and X.min() > 0 and X.max() < 1
        assert model.eval()(torch.randn(1, d_z)).shape == (1, 1, 28, 28)
        c = channels  # weights of the three layers, scale and shift of both norms, the last bias
        assert count_parameters(model) == d_z * 98 * c + 32 * c * c + 16 * c + 1 + 2 * (2 * c + c)


def test_discriminator_gives_one_logit():
    torch.manual_seed(0)
    for c in (16, 4):
        model, X = Discriminator(c), torch.rand(3, 1, 28, 28)
        assert model(X).shape == (3, 1)
        assert count_parameters(model) == 17 * c + 32 * c * c + 4 * c + 98 * c + 1
    assert count_parameters(Discriminator()) == count_parameters(Discriminator(16))
    assert [m.negative_slope for m in model.modules() if isinstance(m, nn.LeakyReLU)] == [0.2, 0.2]


def test_both_networks_learn_in_one_step_of_the_contest():
    torch.manual_seed(0)
    G, D = Generator(4, 4), Discriminator(4)
    fake = G(torch.randn(6, 4))
    discriminator_loss(D(torch.rand(6, 1, 28, 28)), D(fake.detach())).backward()
    assert all(p.grad is None for p in G.parameters()) and all(p.grad is not None for p in D.parameters())
    generator_loss(D(fake)).backward()
    assert all(p.grad.abs().sum() > 0 for p in G.parameters())


def test_every_public_name_is_exported():
    names = [
        name
        for name, thing in vars(gan).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == gan.__name__
    ]
    assert sorted(names) == sorted(gan.__all__)
