"""Lesson 11: numbers that judge a classifier, equal to scikit-learn's.

Where a number would be 0/0 there are two rules. Precision, recall, specificity and F1 are then 0, since an
average over classes needs a number (scikit-learn does the same and warns). Curves and areas that would need
a class of which there is no example are nan: nothing was measured, and nan cannot be taken for a result.

    from utils.built.metrics import auc, confusion_matrix
    confusion_matrix(y, y_hat, 10)              # y, y_hat int64 (n,)
    auc(y, scores)                              # y 0 or 1, the larger the score the more "yes"
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = [
    "auc",
    "average_precision",
    "best_threshold",
    "bootstrap_interval",
    "calibration_error",
    "confusion_matrix",
    "fit_temperature",
    "precision_recall_curve",
    "precision_recall_f1",
    "rates",
    "reliability",
    "roc_curve",
]

Average = Literal["macro", "micro", "weighted"]


# --- counts --------------------------------------------------------------------------------------------


def confusion_matrix(y: Tensor, y_hat: Tensor, k: int) -> Tensor:
    """How often each class was taken for each other. Built in lesson 11.

    Args:
        y: true classes, whole numbers from 0 to k - 1 (or bool for k = 2), shape (n,); n may be 0.
        y_hat: predicted classes, likewise.
        k: number of classes.

    Returns:
        Counts, int64, shape (k, k): row = true class, column = predicted class.

    Raises:
        ValueError: the shapes differ, or a class is not from 0 to k - 1.
    """
    y, y_hat = _same_length(y, y_hat)
    y, y_hat = y.long(), y_hat.long()
    for classes in (y, y_hat):
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < k:
            raise ValueError(f"classes must be from 0 to {k - 1}, not {classes.min()} to {classes.max()}")
    return torch.bincount(k * y + y_hat, minlength=k * k).reshape(k, k)


def rates(y: Tensor, y_hat: Tensor) -> dict[str, float]:
    """Accuracy, precision, recall, specificity and F1 of a yes/no classifier. Built in lesson 11.

    Args:
        y: true answers, 1 or True for yes, shape (n,).
        y_hat: predicted answers, likewise.

    Returns:
        The five by name, each from 0 to 1; 0 where it would be 0/0.

    Raises:
        ValueError: the shapes differ, or an answer is not 0 or 1.
    """
    tn, fp, fn, tp = confusion_matrix(y, y_hat, 2).flatten().tolist()

    def share(part: int, whole: int) -> float:
        return part / whole if whole else 0.0

    return {
        "accuracy": share(tp + tn, tp + tn + fp + fn),
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "specificity": share(tn, tn + fp),
        "f1": share(2 * tp, 2 * tp + fp + fn),
    }


def precision_recall_f1(
    y: Tensor, y_hat: Tensor, k: int, average: Average | None = "macro"
) -> tuple[float, float, float] | tuple[Tensor, Tensor, Tensor]:
    """Precision, recall and F1 over k classes; 0/0 counts as 0. Built in lesson 11.

    Args:
        y: true classes from 0 to k - 1, shape (n,).
        y_hat: predicted classes, likewise.
        k: number of classes. All k count in the macro average, also those that never occur.
        average: "macro" (each class counts the same), "micro" (each example counts the same), "weighted"
            (each class counts as often as it occurs in y), or None for one number a class.

    Returns:
        Three floats; for None three tensors, float64, shape (k,).

    Raises:
        ValueError: shapes or classes do not fit, or there is no such average.
    """
    C = confusion_matrix(y, y_hat, k).double()
    hits, predicted, true = C.diagonal(), C.sum(dim=0), C.sum(dim=1)
    if average == "micro":
        hits, predicted, true = hits.sum(), predicted.sum(), true.sum()
    results = (_ratio(hits, predicted), _ratio(hits, true), _ratio(2 * hits, predicted + true))
    if average is None:
        return results
    if average == "micro":
        precision, recall, f1 = (float(r) for r in results)
    elif average == "macro":
        precision, recall, f1 = (float(r.mean()) for r in results)
    elif average == "weighted":
        precision, recall, f1 = (float(_ratio((true * r).sum(), true.sum())) for r in results)
    else:
        raise ValueError(f"average must be 'macro', 'micro', 'weighted' or None, not {average!r}")
    return precision, recall, f1


# --- all thresholds at once ----------------------------------------------------------------------------


def roc_curve(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Rates of false and of true alarms for every threshold, the strictest first. Built in lesson 11.

    Args:
        y: 1 or True for yes, else 0, shape (n,).
        scores: the larger, the more "yes"; finite, shape (n,).

    Returns:
        (fpr, tpr), float64: (0, 0) for "never", then one point for each different score taken as the
        threshold (yes from there on), down to (1, 1) for "always". fpr is nan if no answer is no, tpr if
        none is yes.

    Raises:
        ValueError: shapes, answers or scores do not fit.
    """
    _, tp, fp = _sweep(y, scores)
    return fp / fp[-1], tp / tp[-1]


def auc(y: Tensor, scores: Tensor) -> float:
    """Area under the ROC curve: how often a random yes has a larger score than a random no.

    Built in lesson 11. Equal scores count one half. Takes time of order n log n and no table of pairs.

    Args:
        y: 1 or True for yes, else 0, shape (n,).
        scores: the larger, the more "yes"; finite, shape (n,).

    Returns:
        A number from 0 to 1; nan if one of the two classes is missing.

    Raises:
        ValueError: shapes, answers or scores do not fit.
    """
    y, scores = _checked(y, scores)
    no, yes = scores[~y].sort().values, scores[y].contiguous()
    if not len(no) or not len(yes):
        return float("nan")
    below, up_to = torch.searchsorted(no, yes), torch.searchsorted(no, yes, right=True)
    return float((below + up_to).double().mean() / (2 * len(no)))


def precision_recall_curve(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Precision and recall for every threshold, the strictest first. Built in lesson 11.

    Args:
        y: 1 or True for yes, else 0, shape (n,).
        scores: the larger, the more "yes"; finite, shape (n,).

    Returns:
        (precision, recall), float64: (1, 0) by convention for "never", then one point for each different
        score. (scikit-learn gives the same points in the reverse order.) If no answer is yes, recall is nan
        (scikit-learn warns and says 1).

    Raises:
        ValueError: shapes, answers or scores do not fit.
    """
    _, tp, fp = _sweep(y, scores)
    precision = tp / (tp + fp)
    precision[0] = 1.0
    return precision, tp / tp[-1]


def average_precision(y: Tensor, scores: Tensor) -> float:
    """The precision at each threshold, weighted by the recall that this threshold adds. Built in lesson 11.

    Args:
        y: 1 or True for yes, else 0, shape (n,).
        scores: the larger, the more "yes"; finite, shape (n,).

    Returns:
        A number from 0 to 1; nan if no answer is yes (scikit-learn warns and says 0).

    Raises:
        ValueError: shapes, answers or scores do not fit.
    """
    precision, recall = precision_recall_curve(y, scores)
    return float((recall.diff() * precision[1:]).sum()) if len(recall) > 1 else float("nan")


def best_threshold(y: Tensor, scores: Tensor, cost_fp: float, cost_fn: float) -> float:
    """The threshold at which saying yes from there on costs least. Built in lesson 11.

    Args:
        y: 1 or True for yes, else 0, shape (n,).
        scores: the larger, the more "yes"; finite, shape (n,).
        cost_fp: cost of a false alarm, 0 or more.
        cost_fn: cost of a miss, 0 or more.

    Returns:
        One of the scores, or inf for "never yes". Of equally cheap thresholds the highest.

    Raises:
        ValueError: shapes, answers or scores do not fit, or a cost is negative.
    """
    if not (cost_fp >= 0 and cost_fn >= 0):
        raise ValueError(f"costs must be 0 or more, not {cost_fp} and {cost_fn}")
    thresholds, tp, fp = _sweep(y, scores)
    cost = cost_fp * fp + cost_fn * (tp[-1] - tp)
    return float(thresholds[int(cost.argmin())])  # of several smallest the first, which is the highest


# --- calibration ---------------------------------------------------------------------------------------


def reliability(confidence: Tensor, correct: Tensor, bins: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """How sure and how often right, in bins of equal width over 0 to 1. Built in lesson 11.

    Args:
        confidence: probabilities from 0 to 1, shape (n,). A value on an edge belongs to the bin below it.
        correct: 1 or True where the answer was right, else 0, shape (n,).
        bins: how many.

    Returns:
        (mean confidence, share that was right, number of examples) of each bin, shape (bins,); float64,
        float64 and int64. An empty bin has nan in the first two.

    Raises:
        ValueError: shapes differ, a confidence is not from 0 to 1, or there is no bin.
    """
    confidence, correct = _same_length(confidence, correct)
    confidence, correct = confidence.double(), correct.double()
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("confidence must be from 0 to 1: probabilities, not logits or percentages")
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64, device=confidence.device)
    where = torch.bucketize(confidence, edges[1:-1])
    count = torch.bincount(where, minlength=bins)
    sums = [torch.zeros(bins, dtype=torch.float64, device=confidence.device) for _ in range(2)]
    sums[0].index_add_(0, where, confidence)
    sums[1].index_add_(0, where, correct)
    return sums[0] / count, sums[1] / count, count


def calibration_error(confidence: Tensor, correct: Tensor, bins: int = 10) -> float:
    """Expected calibration error: the mean distance between how sure and how often right.

    Built in lesson 11. The distance is taken in each bin of :func:`reliability`, and each bin counts as
    many times as it has examples (Naeini, Cooper and Hauskrecht 2015).

    Args, errors as in :func:`reliability`.

    Returns:
        A number from 0 to 1; nan without examples.
    """
    sure, right, count = reliability(confidence, correct, bins)
    if not count.sum():
        return float("nan")
    return float((count * (sure - right).abs()).nansum() / count.sum())


def fit_temperature(logits: Tensor, y: Tensor, smallest: float = 0.01, largest: float = 100.0) -> float:
    """The temperature T at which softmax(logits / T) has the least cross-entropy. Built in lesson 11.

    The cross-entropy is convex in 1/T, so its slope has one sign on either side of the best and can be
    searched by halving. Fit on validation data, never on what the network was trained on (Guo et al. 2017).

    Args:
        logits: of a trained network, shape (n, k).
        y: true classes, shape (n,).
        smallest: the answer where every smaller T is better yet, as when all answers are right.
        largest: the answer where every larger T is better yet, as for logits worse than none.

    Returns:
        T. Above 1 the network was too sure, below 1 not sure enough.

    Raises:
        ValueError: shapes do not fit or there is no example.
    """
    if logits.ndim != 2 or y.shape != logits.shape[:1] or not len(y):
        raise ValueError(f"logits (n, k) and y (n,) do not fit: {tuple(logits.shape)} and {tuple(y.shape)}")
    logits = logits.double()
    right = logits.gather(1, y.long()[:, None])[:, 0]
    low, high = 1 / largest, 1 / smallest
    for _ in range(60):
        middle = (low * high) ** 0.5
        p = torch.softmax(middle * logits, dim=1)
        slope = ((p * logits).sum(dim=1) - right).mean()  # of the cross-entropy with respect to 1/T
        low, high = (low, middle) if slope > 0 else (middle, high)
    return (low * high) ** -0.5


# --- how sure is the number ----------------------------------------------------------------------------


def bootstrap_interval(
    correct: Tensor, draws: int, generator: torch.Generator | None = None, level: float = 0.95
) -> tuple[float, float]:
    """An interval for the accuracy from many samples drawn out of the sample. Built in lesson 11.

    Each draw takes as many examples as there are, with replacement, and measures the accuracy. The interval
    holds the middle ``level`` of what comes (the percentile method of Efron 1979).

    Args:
        correct: 1 or True where the answer was right, else 0, shape (n,).
        draws: how many samples; 1000 or more for steady ends.
        generator: where the chance comes from.
        level: share of the draws inside, between 0 and 1.

    Returns:
        (low, high), each from 0 to 1.

    Raises:
        ValueError: there is no example or no draw, or level is not between 0 and 1.
    """
    if correct.ndim != 1 or not len(correct) or draws < 1:
        raise ValueError("bootstrapping needs at least one example, shape (n,), and one draw")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level}")
    n, correct = len(correct), correct.double()
    means = torch.empty(draws, dtype=torch.float64)
    for draw in range(draws):  # one at a time: draws × n numbers may be too many for the memory
        means[draw] = correct[torch.randint(n, (n,), generator=generator)].mean()
    tail = (1 - level) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return low, high


# --- parts ---------------------------------------------------------------------------------------------


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, and 0 where that is 0/0."""
    return torch.where(whole > 0, part / whole.clamp(min=1), 0.0)


def _same_length(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both, or an error where (n,) would meet (n, 1) or another length."""
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"both must have the same shape (n,), not {tuple(a.shape)} and {tuple(b.shape)}")
    return a, b


def _checked(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """y as bool and the scores in float64, or an error."""
    y, scores = _same_length(y, scores)
    if not ((y == 0) | (y == 1)).all():
        raise ValueError("y must be 0 or 1 everywhere")
    if not scores.isfinite().all():
        raise ValueError("scores must be finite")
    return y.bool(), scores.double()


def _sweep(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Thresholds from inf down through each different score, with the true and false alarms at each."""
    y, scores = _checked(y, scores)
    thresholds, group = scores.unique(return_inverse=True)  # sorted upwards
    tp = torch.bincount(group[y], minlength=len(thresholds)).flip(0).cumsum(0)
    fp = torch.bincount(group[~y], minlength=len(thresholds)).flip(0).cumsum(0)
    nothing = torch.zeros(1, dtype=torch.float64, device=scores.device)
    thresholds = torch.cat([nothing + torch.inf, thresholds.flip(0)])
    return thresholds, torch.cat([nothing, tp]), torch.cat([nothing, fp])
