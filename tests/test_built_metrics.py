"""utils.built.metrics: equal to scikit-learn's on random and on degenerate cases.

Degenerate: one class only, no positive, all wrong, ties everywhere, one example. Where scikit-learn warns or
gives no number, the test says what ours gives instead.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from utils.built.metrics import (
    auc,
    average_precision,
    best_threshold,
    bootstrap_interval,
    calibration_error,
    confusion_matrix,
    fit_temperature,
    precision_recall_curve,
    precision_recall_f1,
    rates,
    reliability,
    roc_curve,
)

many = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def decisions(draw, largest: int = 5) -> tuple[torch.Tensor, torch.Tensor, int]:
    """True and predicted classes of 1 to 12 examples; often only some of the k classes occur."""
    k = draw(st.integers(2, largest))
    n = draw(st.integers(1, 12))
    classes = st.lists(st.integers(0, draw(st.integers(0, k - 1))), min_size=n, max_size=n)
    return torch.tensor(draw(classes)), torch.tensor(draw(classes)), k


@st.composite
def scored(draw) -> tuple[torch.Tensor, torch.Tensor]:
    """Answers and scores of 1 to 15 examples: few different scores, so that ties are common, or many."""
    n = draw(st.integers(1, 15))
    score = draw(st.sampled_from([st.integers(-2, 2).map(float), st.floats(-5, 5, width=32), st.just(0.25)]))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    scores = draw(st.lists(score, min_size=n, max_size=n))
    return torch.tensor(y), torch.tensor(scores, dtype=torch.float64)


def quiet(f, *args, **settings):
    """What scikit-learn says without its warnings about cases that have no answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args, **settings)


def both_classes(y: torch.Tensor) -> bool:
    return 0 < int(y.sum()) < len(y)


# --- decisions -----------------------------------------------------------------------------------------


@many
@given(decisions())
def test_confusion_matrix_is_scikit_learns(case):
    y, y_hat, k = case
    ours = confusion_matrix(y, y_hat, k)
    assert ours.dtype == torch.int64
    np.testing.assert_array_equal(ours, sk.confusion_matrix(y, y_hat, labels=range(k)))


def test_confusion_matrix_rows_are_the_true_classes():
    matrix = confusion_matrix(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1]), 2)
    assert matrix.tolist() == [[1, 2], [0, 1]]


def test_confusion_matrix_takes_yes_and_no_and_nothing():
    yes = torch.tensor([True, False])
    assert confusion_matrix(yes, ~yes, 2).tolist() == [[0, 1], [1, 0]]
    nothing = torch.zeros(0, dtype=torch.long)
    assert confusion_matrix(nothing, nothing, 3).tolist() == [[0] * 3] * 3


@many
@given(decisions(), st.sampled_from(["macro", "micro", "weighted", None]))
@example((torch.tensor([1, 1]), torch.tensor([0, 0]), 2), "macro")  # all wrong
@example((torch.tensor([0, 0]), torch.tensor([0, 0]), 3), "macro")  # one class only, two that never occur
@example((torch.tensor([0, 0]), torch.tensor([1, 1]), 2), "weighted")  # no positive
def test_precision_recall_f1_are_scikit_learns(case, average):
    y, y_hat, k = case
    ours = precision_recall_f1(y, y_hat, k, average)
    theirs = sk.precision_recall_fscore_support(
        y, y_hat, labels=range(k), average=average, zero_division=0.0
    )[:3]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        assert average is None or type(one) is float


@many
@given(decisions(largest=2))
@example((torch.tensor([0, 0, 0]), torch.tensor([0, 0, 0]), 2))  # no positive, none predicted
@example((torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0]), 2))  # all wrong
@example((torch.tensor([1, 1, 1]), torch.tensor([1, 1, 1]), 2))  # no negative: specificity 0
def test_rates_are_scikit_learns(case):
    y, y_hat, _ = case
    ours = rates(y, y_hat)
    settings = {"zero_division": 0.0}
    theirs = {
        "accuracy": sk.accuracy_score(y, y_hat),
        "precision": sk.precision_score(y, y_hat, **settings),
        "recall": sk.recall_score(y, y_hat, **settings),
        "specificity": sk.recall_score(y, y_hat, pos_label=0, **settings),
        "f1": sk.f1_score(y, y_hat, **settings),
    }
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_scikit_learn_warns_where_we_say_zero():
    with pytest.warns(sk._classification.UndefinedMetricWarning):
        assert sk.precision_score([0, 1], [0, 0]) == 0.0
    assert rates(torch.tensor([0, 1]), torch.tensor([0, 0]))["precision"] == 0.0


# --- scores --------------------------------------------------------------------------------------------


@many
@given(scored())
@example((torch.tensor([0, 1, 1, 0]), torch.full((4,), 0.5, dtype=torch.float64)))  # all tied
@example((torch.tensor([1, 0]), torch.tensor([-1.0, 1.0], dtype=torch.float64)))  # all wrong
@example((torch.tensor([0, 0]), torch.tensor([0.0, 1.0], dtype=torch.float64)))  # no positive: tpr is nan
@example((torch.tensor([1]), torch.tensor([3.0], dtype=torch.float64)))  # no negative: fpr is nan
def test_roc_curve_is_scikit_learns(case):
    y, scores = case
    theirs = quiet(sk.roc_curve, y, scores, drop_intermediate=False)
    for one, other in zip(roc_curve(y, scores), theirs[:2], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@many
@given(scored())
@example((torch.tensor([1, 0]), torch.tensor([-1.0, 1.0], dtype=torch.float64)))
@example((torch.tensor([0, 1]), torch.tensor([2.0, 2.0], dtype=torch.float64)))
@example((torch.tensor([0, 0]), torch.tensor([0.0, 1.0], dtype=torch.float64)))  # nan, as scikit-learn's
def test_auc_is_scikit_learns_and_the_area(case):
    y, scores = case
    np.testing.assert_allclose(auc(y, scores), quiet(sk.roc_auc_score, y, scores), atol=1e-12)
    fpr, tpr = roc_curve(y, scores)
    np.testing.assert_allclose(auc(y, scores), torch.trapezoid(tpr, fpr), atol=1e-12)


@many
@given(scored())
def test_auc_is_the_probability_of_the_right_order(case):
    y, scores = case
    yes, no = scores[y == 1][:, None], scores[y == 0]
    pairs = (yes > no).double() + 0.5 * (yes == no)
    np.testing.assert_allclose(auc(y, scores), pairs.mean(), atol=1e-12)


@many
@given(scored())
@example((torch.tensor([0, 1, 1]), torch.full((3,), 0.5, dtype=torch.float64)))
@example((torch.tensor([0, 0]), torch.tensor([0.0, 1.0], dtype=torch.float64)))
def test_precision_recall_curve_and_average_precision_are_scikit_learns(case):
    y, scores = case
    precision, recall = precision_recall_curve(y, scores)
    theirs = quiet(sk.precision_recall_curve, y, scores)
    np.testing.assert_allclose(precision.flip(0), theirs[0], rtol=0, atol=1e-12)
    if y.any():
        np.testing.assert_allclose(recall.flip(0), theirs[1], rtol=0, atol=1e-12)
        assert average_precision(y, scores) == pytest.approx(sk.average_precision_score(y, scores))
    else:  # scikit-learn warns and says recall 1, average precision 0; nothing was there to be found
        assert recall.isnan().all() and math.isnan(average_precision(y, scores))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float32])
def test_answers_may_have_any_dtype(dtype):
    y, scores = torch.tensor([0, 1, 1, 0]).to(dtype), torch.tensor([1.0, 2.0, 0.5, 0.1])
    assert auc(y, scores) == 0.75
    assert average_precision(y, scores) == pytest.approx(1 / 2 + (2 / 3) / 2)


def test_nothing_measured_is_nan():
    nothing = torch.zeros(0)
    assert math.isnan(auc(nothing, nothing)) and math.isnan(average_precision(nothing, nothing))
    assert math.isnan(calibration_error(nothing, nothing))


@many
@given(scored(), st.integers(0, 5), st.integers(0, 5))
@example((torch.tensor([1, 1]), torch.tensor([0.0, 1.0], dtype=torch.float64)), 1, 0)  # never yes is free
def test_no_threshold_is_cheaper_than_the_best(case, cost_fp, cost_fn):
    y, scores = case

    def cost(threshold: float) -> float:
        called = scores >= threshold
        return cost_fp * float((called & (y == 0)).sum()) + cost_fn * float((~called & (y == 1)).sum())

    candidates = [math.inf, *sorted(set(scores.tolist()), reverse=True)]
    best = best_threshold(y, scores, cost_fp, cost_fn)
    assert best == min(candidates, key=cost)  # min takes the first of equals: the highest


# --- probabilities -------------------------------------------------------------------------------------


@st.composite
def sure(draw) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Confidences, many of them on the edges of bins, and whether the answers were right."""
    n, bins = draw(st.integers(1, 20)), draw(st.sampled_from([1, 2, 5, 10, 15]))
    confidence = st.one_of(st.integers(0, 10).map(lambda i: i / 10), st.floats(0, 1))
    p = draw(st.lists(confidence, min_size=n, max_size=n))
    correct = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    return torch.tensor(p, dtype=torch.float64), torch.tensor(correct), bins


@many
@given(sure())
def test_reliability_is_scikit_learns_calibration_curve(case):
    p, correct, bins = case
    confidence, right, count = reliability(p, correct, bins)
    full = count > 0
    if both_classes(correct):  # scikit-learn wants to see both answers
        theirs = calibration_curve(correct, p, n_bins=bins)
        np.testing.assert_allclose(right[full], theirs[0], atol=1e-12)
        np.testing.assert_allclose(confidence[full], theirs[1], atol=1e-12)
    assert count.sum() == len(p) and confidence[~full].isnan().all() and right[~full].isnan().all()


@many
@given(sure())
def test_calibration_error_by_the_book(case):
    p, correct, bins = case
    total = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for k in range(bins):
        inside = (p.numpy() > edges[k]) & (p.numpy() <= edges[k + 1]) | (k == 0) & (p.numpy() == 0)
        if inside.any():
            total += inside.sum() * abs(p.numpy()[inside].mean() - correct.numpy()[inside].mean())
    assert calibration_error(p, correct, bins) == pytest.approx(total / len(p), abs=1e-12)


def test_calibration_error_of_the_sure_and_wrong_is_one():
    assert calibration_error(torch.ones(4), torch.zeros(4)) == 1.0
    assert calibration_error(torch.ones(4), torch.ones(4)) == 0.0


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_temperature_that_was_put_in_is_found(true):
    g = torch.Generator().manual_seed(0)
    z = 2 * torch.randn(20000, 4, generator=g, dtype=torch.float64)
    y = torch.multinomial(torch.softmax(z, dim=1), 1, generator=g)[:, 0]
    T = fit_temperature(true * z, y)
    assert pytest.approx(true, rel=0.05) == T
    losses = [torch.nn.functional.cross_entropy(true * z / t, y) for t in (0.99 * T, T, 1.01 * T)]
    assert losses[1] <= min(losses)


def test_temperature_without_an_end_stops_at_the_limits():
    z = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(z, torch.tensor([0, 1]), smallest=0.05) == pytest.approx(0.05)
    assert fit_temperature(z, torch.tensor([1, 0]), largest=50.0) == pytest.approx(50.0)


# --- intervals -----------------------------------------------------------------------------------------


def test_bootstrap_interval_follows_the_binomial():
    """Means of draws out of the sample are binomial shares: so are the interval's ends, up to chance."""
    from scipy.stats import binom

    correct = torch.arange(200) < 170
    for level in (0.8, 0.95):
        low, high = bootstrap_interval(correct, 4000, torch.Generator().manual_seed(0), level)
        ends = binom.ppf([(1 - level) / 2, (1 + level) / 2], 200, 0.85) / 200
        assert [low, high] == pytest.approx(ends, abs=0.0101)


def test_bootstrap_interval_follows_its_generator_and_knows_no_doubt():
    correct = torch.tensor([True, False, True, True, False])
    one, other = (bootstrap_interval(correct, 50, torch.Generator().manual_seed(s)) for s in (3, 3))
    assert one == other
    assert bootstrap_interval(torch.ones(30), 100) == (1.0, 1.0)


def test_bootstrap_interval_covers_about_as_often_as_it_says():
    g = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(torch.rand(100, generator=g) < 0.8, 200, g)
        hits += low <= 0.8 <= high
    assert 0.87 < hits / 200 < 0.99


# --- refusals ------------------------------------------------------------------------------------------

Y, S = torch.tensor([0, 1]), torch.tensor([0.2, 0.7])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion_matrix(Y, Y[:, None], 2), "same shape"),
        (lambda: confusion_matrix(Y, torch.tensor([0, 2]), 2), "from 0 to 1"),
        (lambda: confusion_matrix(-Y, Y, 2), "from 0 to 1"),
        (lambda: precision_recall_f1(Y, Y, 2, "mean"), "average"),
        (lambda: rates(Y, torch.tensor([0, 3])), "from 0 to 1"),
        (lambda: auc(2 * Y, S), "0 or 1"),
        (lambda: auc(Y, S[:, None]), "same shape"),
        (lambda: roc_curve(Y, torch.tensor([0.0, math.nan])), "finite"),
        (lambda: best_threshold(Y, S, -1, 1), "costs"),
        (lambda: best_threshold(Y, S, 1, math.nan), "costs"),
        (lambda: calibration_error(10 * S, Y), "probabilities"),
        (lambda: calibration_error(S, Y, bins=0), "bins"),
        (lambda: fit_temperature(S, Y), "do not fit"),
        (lambda: fit_temperature(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)), "do not fit"),
        (lambda: bootstrap_interval(torch.zeros(0), 10), "at least one"),
        (lambda: bootstrap_interval(Y, 0), "one draw"),
        (lambda: bootstrap_interval(Y, 10, level=95), "level"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
