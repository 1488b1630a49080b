"""utils.built.losses: equal to torch's own losses, in value and gradient, up to logits of ±10,000."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from utils.built import losses
from utils.built.losses import (
    bce,
    bce_with_logits,
    cross_entropy,
    hinge,
    huber,
    log_softmax,
    log_sum_exp,
    mae,
    mse,
    nll,
    reduce,
    smooth_l1,
    softplus,
    zero_one,
)

many = settings(max_examples=80, deadline=None, derandomize=True)

REDUCTIONS = ("mean", "sum", "none")
reductions = st.sampled_from(REDUCTIONS)
seeds = st.integers(0, 10**6)
sizes = st.integers(1, 6)
# Ordinary logits, extreme ones, all zeros (as networks start), a mixture.
kinds = st.sampled_from(["ordinary", "extreme", "zero", "mixed", "whole numbers"])


def draw(kind: str, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Numbers of one kind in float64; "whole numbers" and "mixed" hit kinks and ties."""
    numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
    if kind == "zero":
        return torch.zeros_like(numbers)
    if kind == "whole numbers":
        return torch.randint(-3, 4, shape, generator=generator).double()
    if kind == "extreme":
        return 1e4 * numbers.sign()
    if kind == "mixed":
        sizes = torch.tensor([0.0, 1.0, 40.0, 800.0, 1e4], dtype=torch.float64)
        return numbers.sign() * sizes[torch.randint(0, 5, shape, generator=generator)]
    return 3 * numbers


def assert_same(ours: Callable, theirs: Callable, x: torch.Tensor, tolerance: float = 1e-11) -> None:
    """Same value, shape and dtype, same gradient, for a gradient from above that is not all ones."""
    results = []
    for f in (ours, theirs):
        leaf = x.clone().requires_grad_()
        value = f(leaf)
        above = torch.linspace(0.5, 2, value.numel(), dtype=value.dtype).view(value.shape)
        results.append((value.detach(), torch.autograd.grad(value, leaf, above)[0]))
    for mine, torchs in zip(*results, strict=True):
        assert mine.isfinite().all() and torchs.isfinite().all()
        torch.testing.assert_close(mine, torchs, rtol=tolerance, atol=tolerance)


# --- regression ----------------------------------------------------------------------------------------


@many
@given(seed=seeds, B=sizes, k=sizes, kind=kinds, reduction=reductions)
def test_mse_and_mae_are_torchs(seed, B, k, kind, reduction):
    g = torch.Generator().manual_seed(seed)
    y_hat, y = draw(kind, (B, k), g), draw("whole numbers", (B, k), g)
    assert_same(lambda x: mse(x, y, reduction), lambda x: F.mse_loss(x, y, reduction=reduction), y_hat)
    assert_same(lambda x: mae(x, y, reduction), lambda x: F.l1_loss(x, y, reduction=reduction), y_hat)


@many
@given(
    seed=seeds, B=sizes, kind=kinds, reduction=reductions, threshold=st.sampled_from([0.25, 1.0, 2.0, 500.0])
)
def test_huber_and_smooth_l1_are_torchs_also_on_the_joint(seed, B, kind, reduction, threshold):
    g = torch.Generator().manual_seed(seed)
    y_hat, y = draw(kind, (B,), g), draw("whole numbers", (B,), g)
    assert_same(
        lambda x: huber(x, y, threshold, reduction),
        lambda x: F.huber_loss(x, y, delta=threshold, reduction=reduction),
        y_hat,
    )
    assert_same(
        lambda x: smooth_l1(x, y, threshold, reduction),
        lambda x: F.smooth_l1_loss(x, y, beta=threshold, reduction=reduction),
        y_hat,
    )


def test_smooth_l1_with_beta_zero_is_the_absolute_error():
    y_hat, y = torch.tensor([0.0, 1.0, -3.0]), torch.tensor([0.0, 3.0, 4.0])
    for reduction in REDUCTIONS:
        theirs = F.smooth_l1_loss(y_hat, y, beta=0.0, reduction=reduction)
        assert torch.equal(smooth_l1(y_hat, y, 0.0, reduction), theirs)


@pytest.mark.parametrize("f", [mse, mae, huber, smooth_l1, hinge, zero_one, bce, bce_with_logits])
def test_shapes_that_would_be_stretched_are_refused(f):
    with pytest.raises(ValueError, match="one shape"):
        f(torch.rand(3), torch.ones(3, 1))


def test_thresholds_that_make_no_sense_are_refused():
    x = torch.zeros(2)
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="delta"):
            huber(x, x, bad)
    with pytest.raises(ValueError, match="beta"):
        smooth_l1(x, x, -1.0)


# --- two classes ---------------------------------------------------------------------------------------


@many
@given(seed=seeds, B=sizes, kind=kinds, reduction=reductions)
def test_hinge_is_torchs_margin_loss_against_a_score_of_zero(seed, B, kind, reduction):
    g = torch.Generator().manual_seed(seed)
    scores = draw(kind, (B,), g)
    y = 2.0 * torch.randint(0, 2, (B,), generator=g).double() - 1
    rivals = torch.zeros_like(scores)

    def theirs(x: torch.Tensor) -> torch.Tensor:
        return F.margin_ranking_loss(x, rivals, y, margin=1.0, reduction=reduction)

    assert_same(lambda x: hinge(x, y, reduction), theirs, scores)


def test_zero_one_is_the_share_of_errors():
    y_hat, y = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 2, 2, 1])
    assert zero_one(y_hat, y).item() == 0.5 and zero_one(y_hat, y, "sum").item() == 2
    assert zero_one(y_hat, y, "none").tolist() == [0, 1, 0, 1]
    assert zero_one(y_hat, y).dtype == torch.float32


@many
@given(seed=seeds, shape=st.tuples(sizes, sizes), kind=kinds)
@example(seed=0, shape=(1, 1), kind="zero")
def test_softplus_is_torchs(seed, shape, kind):
    z = draw(kind, shape, torch.Generator().manual_seed(seed))
    assert_same(softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x)), z)


@many
@given(
    seed=seeds,
    B=sizes,
    k=sizes,
    kind=kinds,
    reduction=reductions,
    soft=st.booleans(),
    weighted=st.sampled_from(["no", "one number", "per column"]),
)
@example(seed=0, B=1, k=1, kind="zero", reduction="mean", soft=False, weighted="no")
def test_bce_with_logits_is_torchs(seed, B, k, kind, reduction, soft, weighted):
    g = torch.Generator().manual_seed(seed)
    z = draw(kind, (B, k), g)
    y = torch.rand(B, k, generator=g, dtype=torch.float64)
    y = y if soft else y.round()
    shape = {"no": None, "one number": (), "per column": (k,)}[weighted]
    pos_weight = None if shape is None else 5 * torch.rand(shape, generator=g, dtype=torch.float64)
    assert_same(
        lambda x: bce_with_logits(x, y, pos_weight, reduction),
        lambda x: F.binary_cross_entropy_with_logits(x, y, pos_weight=pos_weight, reduction=reduction),
        z,
    )


@many
@given(seed=seeds, B=sizes, reduction=reductions, soft=st.booleans())
def test_bce_of_probabilities_is_torchs(seed, B, reduction, soft):
    g = torch.Generator().manual_seed(seed)
    p = torch.sigmoid(8 * torch.randn(B, generator=g, dtype=torch.float64)).clamp(1e-11, 1 - 1e-11)
    y = torch.rand(B, generator=g, dtype=torch.float64)
    y = y if soft else y.round()
    # Torch multiplies p and 1 - p where we divide by each: relative rounding of 1 - p, hence the tolerance.
    assert_same(
        lambda x: bce(x, y, reduction), lambda x: F.binary_cross_entropy(x, y, reduction=reduction), p, 1e-9
    )


def test_bce_at_the_ends_costs_100_like_torchs_and_gives_no_nan():
    y = torch.tensor([0.0, 1.0, 0.0, 1.0])
    for dtype in (torch.float32, torch.float64):
        p = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=dtype, requires_grad=True)
        ours = bce(p, y.to(dtype), "none")
        assert ours.tolist() == pytest.approx([0, 100, 100, 0], abs=0.02)
        torch.testing.assert_close(
            ours, F.binary_cross_entropy(p, y.to(dtype), reduction="none"), rtol=2e-3, atol=1e-6
        )
        assert torch.autograd.grad(ours.sum(), p)[0].isfinite().all()


def test_bce_after_a_sigmoid_far_out_has_torchs_value_and_gradient():
    z = torch.tensor([1e4, -1e4, 1e4, -1e4], dtype=torch.float64)
    y = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    assert_same(lambda x: bce(torch.sigmoid(x), y), lambda x: F.binary_cross_entropy(torch.sigmoid(x), y), z)


# --- many classes --------------------------------------------------------------------------------------


@many
@given(seed=seeds, shape=st.tuples(sizes, sizes, sizes), kind=kinds, dim=st.integers(-3, 2))
def test_log_sum_exp_and_log_softmax_are_torchs(seed, shape, kind, dim):
    z = draw(kind, shape, torch.Generator().manual_seed(seed))
    for keepdim in (False, True):
        assert_same(
            lambda x, k=keepdim: log_sum_exp(x, dim, k), lambda x, k=keepdim: torch.logsumexp(x, dim, k), z
        )
    assert_same(lambda x: log_softmax(x, dim), lambda x: torch.log_softmax(x, dim), z)


@many
@given(
    seed=seeds,
    B=sizes,
    k=sizes,
    kind=kinds,
    reduction=reductions,
    weighted=st.booleans(),
    eps=st.floats(0, 1),
)
@example(seed=0, B=1, k=1, kind="zero", reduction="mean", weighted=True, eps=1.0)
def test_nll_and_cross_entropy_are_torchs(seed, B, k, kind, reduction, weighted, eps):
    g = torch.Generator().manual_seed(seed)
    logits, y = draw(kind, (B, k), g), torch.randint(0, k, (B,), generator=g)
    weight = 0.1 + 5 * torch.rand(k, generator=g, dtype=torch.float64) if weighted else None
    assert_same(
        lambda x: nll(torch.log_softmax(x, 1), y, weight, reduction),
        lambda x: F.nll_loss(torch.log_softmax(x, 1), y, weight, reduction=reduction),
        logits,
    )
    for smoothing in (0.0, eps):
        assert_same(
            lambda x, e=smoothing: cross_entropy(x, y, weight, e, reduction),
            lambda x, e=smoothing: F.cross_entropy(x, y, weight, reduction=reduction, label_smoothing=e),
            logits,
        )


@many
@given(seed=seeds, B=sizes, kind=kinds)
def test_two_classes_are_cross_entropy_with_logits_zero_and_z(seed, B, kind):
    g = torch.Generator().manual_seed(seed)
    z, y = draw(kind, (B,), g), torch.randint(0, 2, (B,), generator=g)
    assert_same(
        lambda x: bce_with_logits(x, y.double()),
        lambda x: cross_entropy(torch.stack([torch.zeros_like(x), x], dim=1), y),
        z,
    )


# --- in float32, as networks use them --------------------------------------------------------------------


def test_float32_far_out_is_finite_and_torchs():
    z = torch.tensor([0.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4])
    for label in (0.0, 1.0):
        y = torch.full_like(z, label)
        assert_same(
            lambda x, y=y: bce_with_logits(x, y, reduction="none"),
            lambda x, y=y: F.binary_cross_entropy_with_logits(x, y, reduction="none"),
            z,
            1e-6,
        )
    logits = torch.tensor([[1e4, 1e4, 1e4 - 1], [-1e4, 0.0, 1e4], [0.0, 0.0, 0.0]])
    y = torch.tensor([2, 0, 1])
    assert_same(
        lambda x: cross_entropy(x, y, reduction="none"),
        lambda x: F.cross_entropy(x, y, reduction="none"),
        logits,
        1e-6,
    )


def test_float32_small_losses_are_not_swallowed():
    # A right and sure answer costs e^-20, not 0: |z| - z·y would lose it.
    assert bce_with_logits(torch.tensor([20.0]), torch.tensor([1.0])).item() == pytest.approx(
        2.06e-9, rel=0.01
    )
    assert bce_with_logits(torch.tensor([-20.0]), torch.tensor([0.0])).item() == pytest.approx(
        2.06e-9, rel=0.01
    )


# --- in general ------------------------------------------------------------------------------------------


def test_an_unknown_reduction_is_refused_by_all():
    x, y = torch.zeros(2), torch.zeros(2)
    for f in (mse, mae, huber, smooth_l1, hinge, zero_one, bce_with_logits):
        with pytest.raises(ValueError, match="reduction"):
            f(x, y, reduction="average")
    for f in (nll, cross_entropy):
        for weight in (None, torch.ones(2)):
            with pytest.raises(ValueError, match="reduction"):
                f(torch.zeros(2, 2), torch.tensor([0, 1]), weight, reduction="average")
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        reduce(x, "average")


def test_every_public_function_says_where_it_was_built():
    for name in losses.__all__:
        f = getattr(losses, name)
        assert "Built in lesson 05." in inspect.getdoc(f).splitlines()[0], name
        assert all(p.annotation is not p.empty for p in inspect.signature(f).parameters.values()), name
