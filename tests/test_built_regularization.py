"""utils.built.regularization: penalties, dropout, shifts, early stopping, ensembles, held against torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from utils.built.regularization import (
    EarlyStopping,
    dropout,
    ensemble,
    l1_penalty,
    l2_penalty,
    random_shift,
)


def network(seed: int = 0) -> nn.Sequential:
    """A small network with a normalisation, in float64."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)).double()


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
@pytest.mark.parametrize(("penalty", "order"), [(l1_penalty, 1), (l2_penalty, 2)])
def test_a_penalty_is_the_norm_of_the_weights_alone(penalty, order, strength):
    model = network()
    value = penalty(model, strength)
    weights = torch.cat([model[0].weight.flatten(), model[3].weight.flatten()])
    torch.testing.assert_close(value, strength * torch.linalg.vector_norm(weights, order) ** order)
    value.backward()
    slope = weights.sign() if order == 1 else 2 * weights
    grads = torch.cat([model[0].weight.grad.flatten(), model[3].weight.grad.flatten()])
    torch.testing.assert_close(grads, strength * slope.detach())
    assert model[0].bias.grad is None and model[1].weight.grad is None


def test_the_l2_penalty_is_torchs_weight_decay_under_sgd():
    ours, theirs = nn.Linear(4, 3, bias=False), nn.Linear(4, 3, bias=False)
    theirs.load_state_dict(ours.state_dict())
    X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    first = torch.optim.SGD(ours.parameters(), 0.1)
    second = torch.optim.SGD(theirs.parameters(), 0.1, weight_decay=0.2)
    for _ in range(20):
        for model, optimizer, strength in ((ours, first, 0.1), (theirs, second, 0.0)):
            optimizer.zero_grad()
            (model(X).square().mean() + l2_penalty(model, strength)).backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    a = torch.full((200, 500), 3.0, dtype=torch.float64)
    out = dropout(a, p, training=True, generator=torch.Generator().manual_seed(0))
    values = out.unique()
    torch.testing.assert_close(values, torch.tensor([0.0, 3 / (1 - p)], dtype=torch.float64))
    assert (out == 0).double().mean().item() == pytest.approx(p, abs=0.01)
    assert out.mean().item() == pytest.approx(3, rel=0.03)
    torch.manual_seed(0)
    assert values.tolist() == pytest.approx(nn.functional.dropout(a, p).unique().tolist())


def test_dropout_draws_anew_and_sleeps_in_use():
    generator, a = torch.Generator().manual_seed(0), torch.randn(50, 4)
    first, second = (dropout(a, 0.5, True, generator) for _ in range(2))
    assert not torch.equal(first, second)
    again = dropout(a, 0.5, True, torch.Generator().manual_seed(0))
    torch.testing.assert_close(first, again)
    assert torch.equal(dropout(a, 0.5, False), a) and torch.equal(dropout(a, 0.0, True), a)


def test_dropouts_gradient_passes_where_the_activation_did():
    a = torch.ones(1000, requires_grad=True)
    out = dropout(a, 0.25, True, torch.Generator().manual_seed(0))
    out.sum().backward()
    torch.testing.assert_close(a.grad, out.detach())


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, math.nan])
def test_dropout_refuses_an_impossible_share(p):
    with pytest.raises(ValueError, match="p must be"):
        dropout(torch.ones(3), p, training=True)


@pytest.mark.parametrize(("height", "width", "most"), [(6, 5, 0), (6, 5, 1), (5, 7, 2), (3, 3, 3)])
def test_a_shifted_picture_is_one_of_the_possible_ones(height, width, most):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(300, height, width, generator=generator) + 0.1
    moved = random_shift(images, most, generator)
    assert moved.shape == images.shape
    seen = set()
    for image, result in zip(images, moved, strict=True):
        for down in range(-most, most + 1):
            for right in range(-most, most + 1):
                expected = torch.roll(image, (down, right), dims=(0, 1))
                rows, columns = torch.arange(height) - down, torch.arange(width) - right
                inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
                if torch.equal(result, expected * inside):
                    seen.add((down, right))
                    break
            else:
                continue
            break
        else:
            pytest.fail("a picture came back that is no shift of the one that went in")
    if most < 3:  # 3 pixels on 3 × 3 leave nothing, so those shifts cannot be told apart
        assert len(seen) == (2 * most + 1) ** 2


def test_early_stopping_waits_as_long_as_it_says():
    for patience, expected in ((1, 4), (2, 7), (3, 8)):
        model, stopper = nn.Linear(2, 1), EarlyStopping(patience)
        for epoch, loss in enumerate([1.0, 0.7, 0.6, 0.65, 0.55, 0.58, 0.55, 0.6], start=1):
            with torch.no_grad():
                model.weight.fill_(epoch)
            if stopper.update(loss, model):
                break
        assert epoch == expected
        best = 3 if patience == 1 else 5
        assert stopper.best_loss == (0.6 if patience == 1 else 0.55)
        torch.testing.assert_close(stopper.best_weights["weight"], torch.full((1, 2), float(best)))


def test_early_stopping_never_keeps_nan():
    model, stopper = nn.Linear(2, 1), EarlyStopping(2)
    answers = [stopper.update(loss, model) for loss in (math.nan, 2.0, math.nan, 3.0)]
    assert answers == [False, False, False, True]
    assert stopper.best_loss == 2.0


def test_an_ensemble_means_probabilities_not_logits():
    models = [network(seed).eval() for seed in range(3)]
    X = 20 * torch.randn(9, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = ensemble(models, X)
    assert together.shape == (9, 3)
    torch.testing.assert_close(together.sum(dim=1), torch.ones(9, dtype=torch.float64))
    expected = sum(nn.functional.softmax(model(X), dim=1) for model in models) / 3
    torch.testing.assert_close(together, expected)
    torch.testing.assert_close(ensemble(models[:1], X), models[0](X).softmax(dim=1))
