"""The exercises of lesson 11 as data: counts, rates, curves, thresholds, calibration, the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked
from .values import is_number, kind_words

# ----------------------------------------------------------------------------- 11.confusion_matrix


def confusion_matrix(y: Tensor, y_hat: Tensor, k: int) -> Tensor:
    """How often each class (row) was taken for each class (column)."""
    C = torch.zeros(k, k, dtype=torch.int64)
    for true, predicted in zip(y.tolist(), y_hat.tolist(), strict=True):
        C[true, predicted] += 1
    return C


def _classes(generator: torch.Generator, n: int, k: int) -> Tensor:
    return torch.randint(k, (n,), generator=generator)


def _mostly_right(generator: torch.Generator, y: Tensor, k: int) -> Tensor:
    """Predictions that are right in about six cases of ten."""
    right = torch.rand(len(y), generator=generator) < 0.6
    return torch.where(right, y, _classes(generator, len(y), k))


def confusion_matrix_cases(generator: torch.Generator) -> list[Case]:
    k, n = whole_number(generator, 4, 6), whole_number(generator, 40, 60)
    y, many = _classes(generator, n, k), _classes(generator, 200, 10)
    yes = _classes(generator, 30, 2)
    return [
        Case(
            "values", (torch.tensor([0, 0, 1, 2, 2, 2]), torch.tensor([0, 1, 1, 0, 2, 2]), 3), "the example"
        ),
        Case("values", (y, _mostly_right(generator, y, k), k)),
        Case("values", (many, _mostly_right(generator, many, 10), 10), "ten classes"),
        Case("shapes", (yes, _mostly_right(generator, yes, 2), 2), "yes or no"),
        Case("shapes", (torch.tensor([2]), torch.tensor([1]), 4), "a single example"),
        Case(
            "edge cases",
            (torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1, 1, 1, 0, 1]), 5),
            "three classes never occur",
        ),
        Case("edge cases", (torch.tensor([0, 1, 2, 3]), torch.tensor([1, 2, 3, 0]), 4), "all wrong"),
        Case(
            "edge cases",
            (torch.tensor([0, 1, 2, 1, 0]), torch.zeros(5, dtype=torch.int64), 3),
            "always the same answer",
        ),
        Case(
            "edge cases",
            (torch.zeros(6, dtype=torch.int64), torch.zeros(6, dtype=torch.int64), 1),
            "one class only",
        ),
    ]


_CM = (
    "def confusion_matrix(y, y_hat, k):\n"
    "    cell = k * y + y_hat\n"
    "    C = torch.bincount(cell, minlength=k * k).reshape(k, k)\n"
    "    return C\n"
)
_CM_CELL, _CM_OUT = "k * y + y_hat", "    return C\n"

CONFUSION_MATRIX = Exercise(
    id="11.confusion_matrix",
    name="confusion_matrix",
    title="What is taken for what",
    difficulty=1,
    points=2,
    minutes=5,
    cases=confusion_matrix_cases,
    reference=confusion_matrix,
    result="a tensor of whole numbers, shape (k, k)",
    misconceptions=(
        Misconception(
            "transposed",
            changed(_CM, (_CM_CELL, "k * y_hat + y")),
            "Your table is transposed: its rows are what was said. Here, as in the lesson, the row is the "
            "true class, so that each row adds up to how often that class occurs.",
        ),
        Misconception(
            "size from the data",
            changed(_CM, ("    cell", "    k = int(max(y.max(), y_hat.max())) + 1\n    cell")),
            "Your table is only as large as the largest class that happens to occur. A class that is absent "
            "today has a row and a column too, full of zeros: the size is k.",
        ),
        Misconception(
            "minlength forgotten",
            changed(_CM, (", minlength=k * k", "")),
            "`bincount` counts only up to the largest number it sees. If the last cells of the table are "
            "empty the list is too short to be folded into k rows. Tell it how long the list must be.",
        ),
        Misconception(
            "each cell at most once",
            "def confusion_matrix(y, y_hat, k):\n"
            "    C = torch.zeros(k, k, dtype=torch.int64)\n"
            "    C[y, y_hat] += 1\n"
            "    return C\n",
            "No cell of yours ever gets beyond 1. If a tensor is changed at many places at once, as in "
            "`C[rows, columns] += 1`, a place that is named several times is still raised only once.",
        ),
        Misconception(
            "shares of the rows",
            changed(_CM, (_CM_OUT, "    return C / C.sum(dim=1, keepdim=True)\n")),
            "You divide every row by its sum, so the cells are shares (and an empty row is nan). Asked for "
            "are the counts themselves.",
        ),
        Misconception(
            "shares of all",
            changed(_CM, (_CM_OUT, "    return C / len(y)\n")),
            "You divide by the number of examples, so the cells are shares. Asked for are the counts "
            "themselves.",
        ),
        Misconception(
            "only the diagonal",
            changed(_CM, (_CM_OUT, "    return torch.diag(C.diagonal())\n")),
            "You count only what was right: outside the diagonal everything is 0. The mistakes are what the "
            "table is made for.",
        ),
        Misconception(
            "only the mistakes",
            changed(_CM, (_CM_OUT, "    return C - torch.diag(C.diagonal())\n")),
            "You count only the mistakes. The diagonal holds the right answers, which belong to the table "
            "as well.",
        ),
        Misconception(
            "not folded",
            changed(_CM, (".reshape(k, k)", "")),
            "You return one long list of k · k counts. It still has to be folded into k rows.",
        ),
        Misconception(
            "decimal numbers",
            changed(_CM, (_CM_OUT, "    return C.float()\n")),
            "The numbers are right, but they are decimal numbers (float). Counts are whole numbers; "
            "`torch.zeros` makes decimal ones unless it is told a dtype.",
        ),
        Misconception(
            "cells that fall together",
            changed(_CM, (_CM_CELL, "y + y_hat")),
            "Different pairs get the same cell: (0, 1) and (1, 0) have the same sum. Number the cells so "
            "that every pair has its own: how many cells lie before row i?",
        ),
        Misconception(
            "last class first",
            changed(_CM, (_CM_OUT, "    return C.flip(0, 1)\n")),
            'Your classes run backwards, the last one first. Some books put "yes" first; here row and column '
            "0 are class 0.",
        ),
        Misconception(
            "class 1 against the rest",
            changed(
                _CM,
                (
                    "    cell = k * y",
                    "    y, y_hat, k = (y == 1).long(), (y_hat == 1).long(), 2\n    cell = k * y",
                ),
            ),
            "You make the table of yes and no for class 1, which has 2 rows whatever k is. Each of the k "
            "classes has its own row and column.",
        ),
        Misconception(
            "classes counted from one",
            "def confusion_matrix(y, y_hat, k):\n"
            "    C = torch.zeros(k, k, dtype=torch.int64)\n"
            "    for i, j in zip(y.tolist(), y_hat.tolist()):\n"
            "        C[i - 1, j - 1] += 1\n"
            "    return C\n",
            "You subtract 1 from the classes. They are counted from 0 already, so class 0 lands at place "
            "−1, which is the last row.",
        ),
        Misconception(
            "always ten classes",
            changed(_CM, (_CM_CELL, "10 * y + y_hat"), ("k * k", "100"), ("(k, k)", "(10, 10)")),
            "You make a table for ten classes, whatever `k` is. It has k rows and k columns.",
        ),
    ),
    hints=(
        "Each example puts one stroke into one cell of the table. Which row, which column?",
        "Either go through the pairs in a loop, and raise one cell of a table of zeros (whole numbers) each "
        "time. Or number the cells row by row, so that each pair has a number of its own, count how often "
        "each number occurs, and fold.",
    ),
    alternatives=(
        "def confusion_matrix(y, y_hat, k):\n"
        "    C = torch.zeros(k, k, dtype=torch.int64)\n"
        "    for i, j in zip(y, y_hat):\n"
        "        C[i, j] += 1\n"
        "    return C\n",
        "def confusion_matrix(y, y_hat, k):\n"
        "    rows = [[int(((y == i) & (y_hat == j)).sum()) for j in range(k)] for i in range(k)]\n"
        "    return torch.tensor(rows)\n",
        "def confusion_matrix(y, y_hat, k):\n"
        "    one_hot = torch.nn.functional.one_hot\n"
        "    return one_hot(y, k).T @ one_hot(y_hat, k)\n",
        "def confusion_matrix(y, y_hat, k):\n"
        "    C = torch.zeros(k, k, dtype=torch.int64)\n"
        "    return C.index_put((y, y_hat), torch.ones_like(y), accumulate=True)\n",
    ),
)


# -------------------------------------------------------------------------- 11.precision_recall_f1


def precision_recall_f1(y: Tensor, y_hat: Tensor, k: int) -> tuple[float, float, float]:
    """Macro averages of precision, recall and F1; 0/0 counts as 0."""
    totals = [0.0, 0.0, 0.0]
    for c in range(k):
        hits = int(((y == c) & (y_hat == c)).sum())
        predicted, true = int((y_hat == c).sum()), int((y == c).sum())
        for i, (part, whole) in enumerate(((hits, predicted), (hits, true), (2 * hits, predicted + true))):
            totals[i] += part / whole if whole else 0.0
    return totals[0] / k, totals[1] / k, totals[2] / k


def precision_recall_f1_cases(generator: torch.Generator) -> list[Case]:
    k, n = whole_number(generator, 4, 6), whole_number(generator, 30, 50)
    y = _classes(generator, n, k)
    uneven = torch.tensor([0] * 20 + [1] * 6 + [2] * 2)
    never = torch.tensor([0, 0, 1, 1, 1, 0, 0, 0])
    return [
        Case(
            "values", (torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 0, 1, 1, 0, 1]), 3), "the example"
        ),
        Case("values", (y, _mostly_right(generator, y, k), k)),
        Case(
            "values",
            (uneven, torch.cat([uneven[:15], _classes(generator, 11, 3), uneven[26:]]), 3),
            "one class is rare",
        ),
        Case(
            "shapes",
            (torch.tensor([0, 0, 0, 0, 1, 1, 0, 1]), torch.tensor([0, 0, 1, 0, 1, 0, 0, 1]), 2),
            "yes or no",
        ),
        Case("shapes", (torch.tensor([1]), torch.tensor([1]), 2), "a single example"),
        Case(
            "edge cases",
            (torch.tensor([0, 0, 1, 1, 0]), torch.zeros(5, dtype=torch.int64), 2),
            "class 1 is never predicted",
        ),
        Case(
            "edge cases",
            (never, torch.tensor([0, 2, 1, 1, 2, 0, 0, 0]), 3),
            "class 2 never occurs, but is predicted",
        ),
        Case("edge cases", (never, never.flip(0), 4), "two classes neither occur nor are predicted"),
        Case("edge cases", (torch.tensor([0, 1, 2, 2]), torch.tensor([1, 2, 0, 0]), 3), "all wrong"),
        Case("edge cases", (y, y.clone(), k), "all right"),
        Case(
            "edge cases",
            (torch.zeros(4, dtype=torch.int64), torch.zeros(4, dtype=torch.int64), 1),
            "one class only",
        ),
    ]


_PRF = (
    "def precision_recall_f1(y, y_hat, k):\n"
    "    C = torch.bincount(k * y + y_hat, minlength=k * k).reshape(k, k).double()\n"
    "    hits, predicted, true = C.diagonal(), C.sum(dim=0), C.sum(dim=1)\n"
    "    def ratio(part, whole):\n"
    "        return torch.where(whole > 0, part / whole.clamp(min=1e-12), 0.0)\n"
    "    precision, recall = ratio(hits, predicted), ratio(hits, true)\n"
    "    f1 = ratio(2 * hits, predicted + true)\n"
    "    return precision.mean().item(), recall.mean().item(), f1.mean().item()\n"
)
_PRF_RATIO = "torch.where(whole > 0, part / whole.clamp(min=1e-12), 0.0)"
_PRF_F1 = "ratio(2 * hits, predicted + true)"
_PRF_OUT = "precision.mean().item(), recall.mean().item(), f1.mean().item()"

PRECISION_RECALL_F1 = Exercise(
    id="11.precision_recall_f1",
    name="precision_recall_f1",
    title="Macro averages",
    difficulty=2,
    points=3,
    minutes=15,
    cases=precision_recall_f1_cases,
    reference=precision_recall_f1,
    result="three floats: precision, recall, F1",
    output_names=("precision", "recall", "F1"),
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "micro",
            changed(
                _PRF,
                (
                    "predicted, true = C.diagonal(), C.sum(dim=0), C.sum(dim=1)",
                    "predicted, true = C.diagonal().sum(), C.sum(), C.sum()",
                ),
            ),
            "These are the micro averages: you add up the hits of all classes and divide once, which gives "
            "the accuracy three times. Macro divides class by class and takes the mean of the k results.",
        ),
        Misconception(
            "weighted",
            changed(
                _PRF,
                (
                    _PRF_OUT,
                    "tuple(((true / true.sum()) * r).sum().item() for r in (precision, recall, f1))",
                ),
            ),
            "These are the weighted averages: each class counts as often as it occurs. For macro a rare "
            "class counts as much as a common one.",
        ),
        Misconception(
            "F1 of the averages",
            changed(
                _PRF,
                (_PRF_F1, "ratio(2 * precision.mean() * recall.mean(), precision.mean() + recall.mean())"),
            ),
            "Precision and recall are right. Your F1 is made from the two averages; macro F1 is the mean of "
            "the F1s of the classes, which is another number.",
        ),
        Misconception(
            "precision and recall swapped",
            changed(_PRF, ("C.sum(dim=0), C.sum(dim=1)", "C.sum(dim=1), C.sum(dim=0)")),
            "Precision and recall have changed places. Precision is a share of what was **called** so (a "
            "column), recall of what **is** so (a row). F1 does not notice.",
        ),
        Misconception(
            "0/0 left out of the mean",
            changed(_PRF, (_PRF_RATIO, "part / whole"), (".mean()", ".nanmean()")),
            "You leave classes with 0/0 out of the mean. Here 0/0 counts as 0 and the class stays in: never "
            "calling a class by its name should not be rewarded.",
        ),
        Misconception(
            "only classes that occur",
            changed(
                _PRF,
                ("    return precision", "    there = true > 0\n    return precision"),
                ("precision.mean()", "precision[there].mean()"),
                ("recall.mean()", "recall[there].mean()"),
                ("f1.mean()", "f1[there].mean()"),
            ),
            "You average over the classes that occur in `y` only. The mean is over all k classes, also "
            "those without an example.",
        ),
        Misconception(
            "nan for 0/0",
            changed(_PRF, (_PRF_RATIO, "part / whole")),
            "Where a class is never predicted, or never occurs, you divide 0 by 0. That is nan, and one nan "
            "spoils the whole mean. 0/0 counts as 0 here.",
        ),
        Misconception(
            "nan in F1 only",
            changed(_PRF, (_PRF_F1, "2 * precision * recall / (precision + recall)")),
            "Precision and recall are safe, but your F1 divides by their sum, and where both are 0 that is "
            "0/0 again. It counts as 0.",
        ),
        Misconception(
            "0/0 as 1",
            changed(_PRF, (_PRF_RATIO, _PRF_RATIO.replace("0.0", "1.0"))),
            "You count 0/0 as 1. That would be a perfect mark for a class that nobody ever found. It counts "
            "as 0.",
        ),
        Misconception(
            "division by zero",
            changed(
                _PRF,
                (_PRF_RATIO, "torch.tensor([p / w for p, w in zip(part.tolist(), whole.tolist())])"),
            ),
            "With plain numbers a division by 0 raises an error. A class that is never predicted, or never "
            "occurs, must not stop the program: 0/0 counts as 0.",
        ),
        Misconception(
            "ordinary mean for F1",
            changed(_PRF, (_PRF_F1, "(precision + recall) / 2")),
            "Your F1 is the ordinary mean of precision and recall. F1 is the harmonic mean, which stays "
            "near the smaller of the two.",
        ),
        Misconception(
            "geometric mean for F1",
            changed(_PRF, (_PRF_F1, "torch.sqrt(precision * recall)")),
            "Your F1 is the root of precision times recall, the geometric mean. F1 is the harmonic one: "
            "twice the product over the sum.",
        ),
        Misconception(
            "half of F1",
            changed(_PRF, (_PRF_F1, "ratio(hits, predicted + true)")),
            "Your F1 is half of what it should be: with precision and recall 1 it has to be 1 as well. "
            "There is a 2 in the formula.",
        ),
        Misconception(
            "class 1 only",
            changed(_PRF, (".mean()", "[1]")),
            "You give the numbers of class 1 alone, as if the others were no. In turn every class plays "
            '"yes"; asked for is the mean over all k.',
        ),
        Misconception(
            "sum",
            changed(_PRF, (".mean()", ".sum()")),
            "You add up over the classes. Divide by how many there are: k.",
        ),
        Misconception(
            "one number a class",
            changed(_PRF, (_PRF_OUT, "precision, recall, f1")),
            "You return one number for each class, three tensors of shape (k,). Asked for are their three "
            "means, as floats.",
        ),
        Misconception(
            "shares of all examples",
            changed(_PRF, ("ratio(hits, predicted), ratio(hits, true)", "hits / len(y), hits / len(y)")),
            "You divide the hits by the number of all examples. Precision divides by how often the class "
            "was predicted, recall by how often it occurs.",
        ),
        Misconception(
            "specificity for recall",
            changed(
                _PRF,
                ("ratio(hits, true)", "ratio(len(y) - predicted - true + hits, len(y) - true)"),
            ),
            "Your recall is the specificity: of all that are **not** of the class, how many were left "
            "alone. Recall asks for the share of those that are.",
        ),
        Misconception(
            "classes with any 0/0 skipped",
            changed(
                _PRF,
                ("    return precision", "    there = (true > 0) & (predicted > 0)\n    return precision"),
                ("precision.mean()", "precision[there].mean()"),
                ("recall.mean()", "recall[there].mean()"),
                ("f1.mean()", "f1[there].mean()"),
            ),
            "You skip a class that is never predicted or never occurs, and take the mean over the others. "
            "0/0 counts as 0 and the class stays in: the mean is over all k.",
        ),
    ),
    hints=(
        "For a single class three counts are enough: how often it was hit, how often predicted, how often "
        "true.",
        "For each class: the three counts, then the three quotients, with 0 where the divisor is 0. F1 is "
        "twice the hits over (predicted + true). At the end the mean of each over all k classes.",
    ),
    alternatives=(
        _PRF,
        "def precision_recall_f1(y, y_hat, k):\n"
        "    P, R, F = [], [], []\n"
        "    for c in range(k):\n"
        "        tp = ((y == c) & (y_hat == c)).sum().item()\n"
        "        fp = ((y != c) & (y_hat == c)).sum().item()\n"
        "        fn = ((y == c) & (y_hat != c)).sum().item()\n"
        "        p = tp / (tp + fp) if tp + fp else 0.0\n"
        "        r = tp / (tp + fn) if tp + fn else 0.0\n"
        "        P.append(p)\n"
        "        R.append(r)\n"
        "        F.append(2 * p * r / (p + r) if p + r else 0.0)\n"
        "    return sum(P) / k, sum(R) / k, sum(F) / k\n",
        "def precision_recall_f1(y, y_hat, k):\n"
        "    said, true = (torch.nn.functional.one_hot(t, k).float() for t in (y_hat, y))\n"
        "    hits = (said * true).sum(0)\n"
        "    p = torch.nan_to_num(hits / said.sum(0))\n"
        "    r = torch.nan_to_num(hits / true.sum(0))\n"
        "    f = torch.nan_to_num(2 * p * r / (p + r))\n"
        "    return p.mean(), r.mean(), f.mean()\n",
    ),
)


# -------------------------------------------------------------------------------- 11.roc_curve, 11.auc


def roc_curve(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """False and true positive rate at each threshold: above all scores, then each different score."""
    fpr, tpr = [0.0], [0.0]
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        fpr.append(float(called[y == 0].double().mean()))
        tpr.append(float(called[y == 1].double().mean()))
    return torch.tensor(fpr, dtype=torch.float64), torch.tensor(tpr, dtype=torch.float64)


def auc(y: Tensor, scores: Tensor) -> float:
    """Share of the pairs of a yes and a no in which the yes scores higher; equal scores count one half."""
    yes, no = scores[y == 1].tolist(), scores[y == 0].tolist()
    if not yes or not no:
        return math.nan
    points = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in yes for b in no)
    return points / (len(yes) * len(no))


def _both(generator: torch.Generator, n: int) -> Tensor:
    """n answers, 0 or 1, at least one of each, in any order."""
    y = torch.cat([torch.tensor([0, 1]), _classes(generator, n - 2, 2)])
    return y[torch.randperm(n, generator=generator)]


def _few_scores(generator: torch.Generator, y: Tensor) -> Tensor:
    """Scores out of eight different ones between 0 and 1, somewhat larger where y is 1."""
    return (torch.randint(6, y.shape, generator=generator) + 2 * y + 0.5) / 8


_EXAMPLE_Y = torch.tensor([0, 1, 0, 1, 1])
_EXAMPLE_SCORES = torch.tensor([0.6, 0.9, 0.1, 0.6, 0.3])


def _ranking_cases(generator: torch.Generator) -> list[Case]:
    """Answers of both classes and scores, with and without ties.

    At most 16: so few are sorted stably even where that is not asked for, and a hint for ties fits both.
    """
    y, many = _both(generator, whole_number(generator, 10, 15)), _both(generator, 16)
    rare = torch.zeros(16, dtype=torch.int64)
    rare[whole_number(generator, 0, 15)] = 1
    return [
        Case("values", (_EXAMPLE_Y, _EXAMPLE_SCORES), "the example of the statement"),
        Case("values", (y, normal(generator, len(y), scale=2.0) + y), "logits, no ties"),
        Case("values", (many, _few_scores(generator, many)), "many ties"),
        Case("values", (rare, _few_scores(generator, rare)), "a single yes among 16"),
        Case("shapes", (torch.tensor([1, 0]), torch.tensor([0.2, 0.7])), "one yes and one no"),
        Case(
            "edge cases",
            (torch.tensor([0, 0, 1, 0, 1]), torch.tensor([-3.0, -2.0, 5.0, -1.0, 4.0])),
            "perfect",
        ),
        Case(
            "edge cases",
            (torch.tensor([1, 1, 0, 0]), torch.tensor([0.1, 0.2, 0.8, 0.9])),
            "the wrong way round",
        ),
        Case("edge cases", (torch.tensor([1, 0, 0, 1, 0]), torch.full((5,), 0.5)), "all scores the same"),
        Case(
            "edge cases",
            (torch.tensor([1, 0, 1, 0]), torch.tensor([0.7, 0.7, 0.7, 0.1])),
            "three equal ones on top",
        ),
        Case(
            "edge cases",
            (torch.tensor([1, 1, 1, 0, 0]), torch.tensor([0.9, 0.8, 0.7, 0.4, 0.2])),
            "straight up",
        ),
    ]


def roc_curve_cases(generator: torch.Generator) -> list[Case]:
    return _ranking_cases(generator)


def auc_cases(generator: torch.Generator) -> list[Case]:
    yes, no = torch.ones(4, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
    return [
        *_ranking_cases(generator),
        Case("edge cases", (yes, torch.tensor([0.1, 0.6, 0.3, 0.9])), "nothing but yes"),
        Case("edge cases", (no, torch.tensor([0.1, 0.6, 0.3])), "no yes at all"),
    ]


_ROC = (
    "def roc_curve(y, scores):\n"
    "    thresholds = torch.cat([torch.tensor([math.inf]), scores.unique().flip(0)])\n"
    "    called = scores >= thresholds[:, None]\n"
    "    tp = (called & (y == 1)).sum(dim=1)\n"
    "    fp = (called & (y == 0)).sum(dim=1)\n"
    "    return fp / (y == 0).sum(), tp / (y == 1).sum()\n"
)
_ROC_THRESHOLDS = "torch.cat([torch.tensor([math.inf]), scores.unique().flip(0)])"
_ROC_OUT = "    return fp / (y == 0).sum(), tp / (y == 1).sum()\n"
_ROC_SORTED = (
    "def roc_curve(y, scores):\n"
    "    order = scores.argsort(descending=True, stable=True)\n"
    "    y, scores = y[order], scores[order]\n"
    "    last = torch.cat([scores.diff() != 0, torch.tensor([True])])\n"
    "    tp, fp = y.cumsum(0)[last], (1 - y).cumsum(0)[last]\n"
    "    zero = torch.zeros(1)\n"
    "    return torch.cat([zero, fp / (y == 0).sum()]), torch.cat([zero, tp / (y == 1).sum()])\n"
)

ROC_CURVE = Exercise(
    id="11.roc_curve",
    name="roc_curve",
    title="All thresholds at once",
    difficulty=3,
    points=4,
    minutes=15,
    cases=roc_curve_cases,
    reference=roc_curve,
    result="two tensors of the same length: false positive rates, true positive rates",
    output_names=("fpr", "tpr"),
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "ties one after the other",
            changed(_ROC_SORTED, ("[last]", "")),
            "You make a point for every example. Examples with the same score are called yes together, so "
            "they are one step. Otherwise the curve depends on how the file was sorted.",
        ),
        Misconception(
            "the first of the equal ones",
            changed(
                _ROC_SORTED,
                (
                    "torch.cat([scores.diff() != 0, torch.tensor([True])])",
                    "torch.cat([torch.tensor([True]), scores.diff() != 0])",
                ),
            ),
            "Of a run of equal scores you keep the first example's counts. A threshold at that score lets "
            "all of them through: keep the counts after the last.",
        ),
        Misconception(
            "start missing",
            changed(_ROC, (_ROC_THRESHOLDS, "scores.unique().flip(0)")),
            "Your curve begins at the highest score. Before it comes a threshold above all scores, where "
            "nothing is called yes: the point (0, 0).",
        ),
        Misconception(
            "end missing",
            changed(
                _ROC_SORTED,
                (
                    "torch.cat([scores.diff() != 0, torch.tensor([True])])",
                    "torch.cat([scores.diff() != 0, torch.tensor([False])])",
                ),
            ),
            "The lowest score has no point of its own in your curve. From there on everything is called "
            "yes, so the curve ends at (1, 1).",
        ),
        Misconception(
            "fpr and tpr swapped",
            changed(_ROC, (_ROC_OUT, "    return tp / (y == 1).sum(), fp / (y == 0).sum()\n")),
            "You return the true positive rates first. The false positive rates, the axis to the right, "
            "come first here.",
        ),
        Misconception(
            "from the end to the start",
            changed(_ROC, (_ROC_THRESHOLDS, "torch.cat([scores.unique(), torch.tensor([math.inf])])")),
            "The points are right, but your curve runs from (1, 1) to (0, 0): the thresholds rise. "
            "(`unique` sorts upwards.) Let them fall.",
        ),
        Misconception(
            "strictly above the threshold",
            changed(_ROC, (">=", ">")),
            "You call yes only what lies strictly above the threshold, so the examples that stand exactly "
            "on it come one step late and the curve never reaches (1, 1). Yes is said **from** the "
            "threshold on.",
        ),
        Misconception(
            "low scores are yes",
            changed(
                _ROC,
                (_ROC_THRESHOLDS, "torch.cat([torch.tensor([-math.inf]), scores.unique()])"),
                (">=", "<="),
            ),
            "You call the **low** scores yes. The larger the score, the more yes: begin with the highest.",
        ),
        Misconception(
            "shares of all examples",
            changed(_ROC, (_ROC_OUT, "    return fp / len(y), tp / len(y)\n")),
            "You divide by the number of all examples. The false positive rate is a share of the no's "
            "alone, the true positive rate of the yes's alone.",
        ),
        Misconception(
            "counts",
            changed(_ROC, (_ROC_OUT, "    return fp.float(), tp.float()\n")),
            "You return how many false and true alarms there are. Rates are shares: divide each by how many "
            "there could be.",
        ),
        Misconception(
            "share of the alarms that are false",
            changed(_ROC, (_ROC_OUT, "    return fp / (fp + tp).clamp(min=1), tp / (y == 1).sum()\n")),
            "Your fpr is the share of the **alarms** that are false (1 − precision). Asked for is the share "
            "of the **no's** that raise an alarm: the divisor is the same at every threshold.",
        ),
        Misconception(
            "specificity",
            changed(_ROC, (_ROC_OUT, "    return 1 - fp / (y == 0).sum(), tp / (y == 1).sum()\n")),
            "Your first part is the specificity, which falls from 1 to 0. The false positive rate is what "
            "is missing to 1.",
        ),
        Misconception(
            "precision and recall",
            changed(_ROC, (_ROC_OUT, "    return tp / (tp + fp).clamp(min=1), tp / (y == 1).sum()\n")),
            "This is the precision–recall curve: your first part is the precision. A ROC curve has the "
            "false positive rate there.",
        ),
        Misconception(
            "fixed thresholds",
            changed(_ROC, (_ROC_THRESHOLDS, "torch.linspace(1, 0, 11)")),
            "You try fixed thresholds between 0 and 1. Scores may be logits, which lie outside, and between "
            "two of your thresholds several scores may lie. The scores themselves say where something "
            "changes.",
        ),
        Misconception(
            "only the corners",
            changed(
                _ROC,
                (
                    _ROC_OUT,
                    "    bend = (fp.diff().diff() != 0) | (tp.diff().diff() != 0)\n"
                    "    keep = torch.cat([torch.tensor([True]), bend, torch.tensor([True])])\n"
                    "    return fp[keep] / (y == 0).sum(), tp[keep] / (y == 1).sum()\n",
                ),
            ),
            "You leave out points that lie on a straight line (scikit-learn does so unless told otherwise). "
            "The drawing is the same, but asked for is one point for each different score.",
        ),
        Misconception(
            "scores sorted, answers not",
            changed(
                _ROC_SORTED, ("    y, scores = y[order], scores[order]\n", "    scores = scores[order]\n")
            ),
            "You sort the scores and leave the answers in their old order, so no answer stands beside its "
            "own score any more. Bring both into the same order.",
        ),
        Misconception(
            "not sorted",
            changed(_ROC_SORTED, ("    y, scores = y[order], scores[order]\n", "")),
            "You go through the examples in the order of the file. The threshold falls from the highest "
            "score to the lowest, so that is the order in which they are passed.",
        ),
        Misconception(
            "(1, 1) twice",
            changed(
                _ROC,
                (
                    _ROC_THRESHOLDS,
                    "torch.cat([torch.tensor([math.inf]), scores.unique().flip(0), "
                    "-torch.tensor([math.inf])])",
                ),
            ),
            "You add (1, 1) at the end, and it is there already: from the lowest score on everything is "
            "called yes.",
        ),
    ),
    hints=(
        "Do it by hand for the example: which thresholds are there, and what is called yes at each?",
        "The thresholds: one above all scores, then each different score, falling. At each: which examples "
        "have a score of at least that? Count the no's and the yes's among them, and divide by how many "
        "no's and yes's there are in all. (Or sort once and add up on the way down.)",
    ),
    alternatives=(
        _ROC_SORTED,
        "def roc_curve(y, scores):\n"
        "    fpr, tpr = [0.0], [0.0]\n"
        "    for t in sorted(set(scores.tolist()), reverse=True):\n"
        "        fpr.append((scores[y == 0] >= t).float().mean().item())\n"
        "        tpr.append((scores[y == 1] >= t).float().mean().item())\n"
        "    return torch.tensor(fpr), torch.tensor(tpr)\n",
        "def roc_curve(y, scores):\n"
        "    values, group = torch.unique(scores, return_inverse=True)\n"
        "    rates = []\n"
        "    for c in (0, 1):\n"
        "        steps = torch.bincount(group[y == c], minlength=len(values)).flip(0)\n"
        "        total = torch.cat([torch.zeros(1, dtype=torch.int64), steps.cumsum(0)])\n"
        "        rates.append(total.double() / total[-1])\n"
        "    return rates[0], rates[1]\n",
    ),
)

_AUC = (
    "def auc(y, scores):\n"
    "    yes, no = scores[y == 1], scores[y == 0]\n"
    "    higher = (yes[:, None] > no).double()\n"
    "    equal = (yes[:, None] == no).double()\n"
    "    points = higher + equal / 2\n"
    "    return points.mean().item()\n"
)
_AUC_OUT = "    return points.mean().item()\n"

AUC = Exercise(
    id="11.auc",
    name="auc",
    title="How often a yes beats a no",
    difficulty=2,
    points=3,
    minutes=10,
    cases=auc_cases,
    reference=auc,
    result="a float",
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "ties count nothing",
            changed(_AUC, ("higher + equal / 2", "higher")),
            "Pairs with equal scores count nothing with you. Neither has won: they count one half. (The "
            "same comes out if the area is made of rectangles that start too low.)",
        ),
        Misconception(
            "ties count as won",
            changed(_AUC, ("higher + equal / 2", "higher + equal")),
            "Pairs with equal scores count as won with you. Neither has won: they count one half. A network "
            "that gives everybody the same score would get 1.",
        ),
        Misconception(
            "the wrong way round",
            changed(_AUC, (">", "<")),
            "You count how often the no has the larger score. It should be the yes.",
        ),
        Misconception(
            "ties in the order of the file",
            "def auc(y, scores):\n"
            "    y = y[scores.argsort(descending=True, stable=True)]\n"
            "    zero = torch.zeros(1)\n"
            "    tpr = torch.cat([zero, y.cumsum(0) / (y == 1).sum()])\n"
            "    fpr = torch.cat([zero, (1 - y).cumsum(0) / (y == 0).sum()])\n"
            "    return torch.trapezoid(tpr, fpr).item()\n",
            "You walk through equal scores one after the other, so the area depends on how the file was "
            "sorted. Pairs with equal scores count one half, whichever comes first.",
        ),
        Misconception(
            "number of pairs",
            changed(_AUC, (".mean()", ".sum()")),
            "You count the pairs that are won. Asked for is their share: divide by how many pairs of a yes "
            "and a no there are.",
        ),
        Misconception(
            "pairs of all examples",
            changed(_AUC, (_AUC_OUT, "    return points.sum().item() / len(y) ** 2\n")),
            "You divide by the number of all pairs of examples. Only pairs of a yes and a no were compared: "
            "there are fewer.",
        ),
        Misconception(
            "each yes with one no",
            "def auc(y, scores):\n"
            "    yes, no = scores[y == 1].tolist(), scores[y == 0].tolist()\n"
            "    won = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in zip(yes, no)]\n"
            "    return sum(won) / len(won) if won else math.nan\n",
            "You compare the first yes with the first no, the second with the second, and so on. Every yes "
            "meets **every** no.",
        ),
        Misconception(
            "accuracy",
            "def auc(y, scores):\n    return ((scores >= 0.5).long() == y).double().mean().item()\n",
            "This is the accuracy at the threshold 0.5. The AUC knows no threshold: it asks only who stands "
            "above whom.",
        ),
        Misconception(
            "yes or no instead of scores",
            changed(_AUC, ("    yes, no", "    scores = (scores >= 0.5).double()\n    yes, no")),
            "You turn the scores into yes and no at 0.5 before you compare, which throws the order away: "
            "most pairs become ties. Compare the scores themselves.",
        ),
        Misconception(
            "difference of the means",
            changed(_AUC, (_AUC_OUT, "    return (yes.mean() - no.mean()).item()\n")),
            "You subtract the mean score of the no's from that of the yes's. That depends on the scale of "
            "the scores; the AUC depends only on their order.",
        ),
        Misconception(
            "won minus lost",
            changed(_AUC, ("higher + equal / 2", "torch.sign(yes[:, None] - no)")),
            "You count a lost pair as −1, so chance gives 0. A pair that is lost counts 0, and chance gives "
            "one half.",
        ),
        Misconception(
            "average precision",
            "def auc(y, scores):\n"
            "    t = scores.unique().flip(0)\n"
            "    called = scores >= t[:, None]\n"
            "    tp = (called & (y == 1)).sum(dim=1)\n"
            "    recall = torch.cat([torch.zeros(1), tp / (y == 1).sum()])\n"
            "    return (recall.diff() * tp / called.sum(dim=1)).sum().item()\n",
            "This is the average precision, the summary of the precision–recall curve. It depends on how "
            "rare yes is; the AUC does not.",
        ),
        Misconception(
            "turned round below one half",
            changed(
                _AUC,
                (
                    _AUC_OUT,
                    "    a = points.mean().item()\n    return a if math.isnan(a) else max(a, 1 - a)\n",
                ),
            ),
            "You turn results below one half round. An AUC below one half is a result too: the ranking is "
            "the wrong way round, and whoever reads it must see that.",
        ),
        Misconception(
            "one half without pairs",
            changed(_AUC, (_AUC_OUT, "    return points.mean().item() if points.numel() else 0.5\n")),
            'Where there is no yes, or no no, you say 0.5. That reads as "no better than chance", but '
            "nothing was measured at all: nan is asked for.",
        ),
        Misconception(
            "zero without pairs",
            changed(_AUC, (_AUC_OUT, "    return points.sum().item() / max(points.numel(), 1)\n")),
            'Where there is no yes, or no no, you say 0. That reads as "everything the wrong way round", but '
            "nothing was measured at all: nan is asked for.",
        ),
        Misconception(
            "division by zero without pairs",
            changed(_AUC, (_AUC_OUT, "    return points.sum().item() / (len(yes) * len(no))\n")),
            "Where there is no yes, or no no, you divide by 0, which is an error with plain numbers. nan is "
            "asked for: nothing was measured.",
        ),
        Misconception(
            "everybody's rank",
            changed(
                _AUC,
                (
                    "    points = higher + equal / 2\n",
                    "    points = (yes[:, None] > scores).double() + (yes[:, None] == scores).double() / 2\n",
                ),
            ),
            "Each yes is compared with all examples, the other yes's and itself as well. Only the no's are "
            "its opponents.",
        ),
    ),
    hints=(
        "In how many of all pairs of a yes and a no does the yes have the larger score?",
        "Take the scores of the yes's and those of the no's apart. Compare each with each: one of them as a "
        "column, the other as a row, makes a table (lesson 03). A larger score counts 1, an equal one ½. "
        "Then the mean of the table; the mean of an empty table is nan by itself.",
    ),
    alternatives=(
        "def auc(y, scores):\n"
        "    yes, no = scores[y == 1], scores[y == 0].sort().values\n"
        "    if len(yes) == 0 or len(no) == 0:\n"
        "        return math.nan\n"
        "    below = torch.searchsorted(no, yes)\n"
        "    up_to = torch.searchsorted(no, yes, right=True)\n"
        "    return ((below + up_to).float().mean() / (2 * len(no))).item()\n",
        "def auc(y, scores):\n"
        "    thresholds = torch.cat([torch.tensor([math.inf]), scores.unique().flip(0)])\n"
        "    called = (scores >= thresholds[:, None]).double()\n"
        "    return torch.trapezoid(called[:, y == 1].mean(dim=1), called[:, y == 0].mean(dim=1)).item()\n",
        "def auc(y, scores):\n"
        "    yes, no = scores[y == 1], scores[y == 0]\n"
        "    return (torch.sign(yes[:, None] - no[None, :]).mean() + 1) / 2\n",
        "def auc(y, scores):\n"
        "    points = [1.0 if a > b else 0.5 if a == b else 0.0\n"
        "              for a in scores[y == 1].tolist() for b in scores[y == 0].tolist()]\n"
        "    return sum(points) / len(points) if points else float('nan')\n",
    ),
)


# ------------------------------------------------------------------------------- 11.best_threshold


def best_threshold(y: Tensor, scores: Tensor, cost_fp: float, cost_fn: float) -> float:
    """The cheapest threshold: inf or one of the scores, the highest of those that cost the same."""
    best, least = math.inf, cost_fn * int((y == 1).sum())
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        cost = cost_fp * int((called & (y == 0)).sum()) + cost_fn * int((~called & (y == 1)).sum())
        if cost < least:
            best, least = threshold, cost
    return best


def best_threshold_cases(generator: torch.Generator) -> list[Case]:
    """Costs are small whole numbers, so that equally cheap thresholds cost exactly the same."""
    y, many = _both(generator, whole_number(generator, 12, 16)), _both(generator, 16)
    logits = normal(generator, len(y), scale=2.0) + 2 * y
    dear = whole_number(generator, 5, 9)
    example = torch.tensor([1, 0, 1, 0]), torch.tensor([0.9, 0.7, 0.4, 0.2])
    rare_y = torch.tensor([1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])
    rare = torch.tensor([0.95, 0.9, 0.8, 0.75, 0.6, 0.55, 0.5, 0.4, 0.3, 0.25, 0.2, 0.1])
    tied = torch.tensor([1, 0, 0, 1, 0]), torch.tensor([0.6, 0.6, 0.6, 0.2, 0.1])
    return [
        Case("values", (*example, 1, 3), "the example of the statement"),
        Case("values", (*example, 1, 1), "two thresholds cost the same"),
        Case("values", (y, logits, 1, dear), "logits; misses are dear"),
        Case("values", (y, logits, dear, 1), "logits; false alarms are dear"),
        Case("values", (many, _few_scores(generator, many), 2, 3), "many ties"),
        Case("values", (rare_y, rare, 1, 2), "yes is rare"),
        Case("values", (rare_y, rare, 1, 50), "yes is rare and a miss very dear"),
        Case("values", (rare_y, rare, 1, 4), "yes is rare and a miss rather dear"),
        Case("shapes", (torch.tensor([1]), torch.tensor([-2.5]), 1, 1), "a single example"),
        Case(
            "edge cases",
            (torch.tensor([0, 1]), torch.tensor([0.8, 0.3]), 1, 1),
            "never costs as much as another",
        ),
        Case("edge cases", (*tied, 1, 1), "a yes and two no's have the same score"),
        Case(
            "edge cases",
            (torch.zeros(3, dtype=torch.int64), torch.tensor([0.2, 0.9, 0.4]), 1, 5),
            "no yes at all",
        ),
        Case(
            "edge cases",
            (torch.ones(3, dtype=torch.int64), torch.tensor([0.2, 0.9, 0.4]), 5, 1),
            "nothing but yes",
        ),
        Case(
            "edge cases",
            (torch.tensor([1, 1, 0, 0]), torch.tensor([0.1, 0.2, 0.8, 0.9]), 1, 3),
            "the wrong way round",
        ),
        Case("edge cases", (*example, 0, 1), "false alarms cost nothing"),
        Case("edge cases", (*example, 1, 0), "misses cost nothing"),
    ]


_BT = (
    "def best_threshold(y, scores, cost_fp, cost_fn):\n"
    "    thresholds = torch.cat([torch.tensor([math.inf]), scores.unique().flip(0)])\n"
    "    called = scores >= thresholds[:, None]\n"
    "    fp = (called & (y == 0)).sum(dim=1)\n"
    "    fn = (~called & (y == 1)).sum(dim=1)\n"
    "    cost = cost_fp * fp + cost_fn * fn\n"
    "    return thresholds[cost.argmin()].item()\n"
)
_BT_COST, _BT_OUT = "cost_fp * fp + cost_fn * fn", "thresholds[cost.argmin()].item()"

BEST_THRESHOLD = Exercise(
    id="11.best_threshold",
    name="best_threshold",
    title="Where to draw the line",
    difficulty=2,
    points=3,
    minutes=10,
    cases=best_threshold_cases,
    reference=best_threshold,
    result="a float: one of the scores, or inf",
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "costs swapped",
            changed(_BT, (_BT_COST, "cost_fn * fp + cost_fp * fn")),
            "The two costs have changed places. A false alarm (it is no, yes was said) costs `cost_fp`, a "
            "miss (it is yes, no was said) `cost_fn`.",
        ),
        Misconception(
            "never forgotten",
            changed(_BT, (_ROC_THRESHOLDS, "scores.unique().flip(0)")),
            "You try the scores only, so the highest one is called yes in any case. Sometimes it is "
            "cheapest never to say yes: inf is a threshold too.",
        ),
        Misconception(
            "the lowest of the cheapest",
            changed(_BT, (_ROC_THRESHOLDS, "torch.cat([scores.unique(), torch.tensor([math.inf])])")),
            "Where several thresholds cost the same you take the lowest. The highest is asked for. "
            "(`argmin` takes the first it meets.)",
        ),
        Misconception(
            "never only if nothing else is as cheap",
            changed(_BT, (_ROC_THRESHOLDS, "torch.cat([scores.unique().flip(0), torch.tensor([math.inf])])")),
            'You try "never" last, so it wins only if it is cheaper than all others. Of equally cheap '
            "thresholds the highest is asked for, and inf is the highest of all.",
        ),
        Misconception(
            "strictly above the threshold",
            changed(_BT, (">=", ">")),
            "You call yes only what lies strictly above the threshold. Yes is said **from** the threshold "
            "on: a score that stands on it is called yes.",
        ),
        Misconception(
            "theory",
            "def best_threshold(y, scores, cost_fp, cost_fn):\n    return cost_fp / (cost_fp + cost_fn)\n",
            "This is the threshold of theory, which is best if the scores are true probabilities. Here they "
            "may be anything, logits for example: try the thresholds on the data.",
        ),
        Misconception(
            "fewest mistakes",
            changed(_BT, (_BT_COST, "fp + fn")),
            "You look for the fewest mistakes, as if both kinds cost the same. Count false alarms and "
            "misses apart and multiply each by its cost.",
        ),
        Misconception(
            "the cost",
            changed(_BT, (_BT_OUT, "float(cost.min())")),
            "You return the lowest cost. Asked for is the threshold at which it is reached.",
        ),
        Misconception(
            "the place",
            changed(_BT, (_BT_OUT, "float(cost.argmin())")),
            "You return the place of the cheapest threshold in your list. Asked for is the threshold that "
            "stands there.",
        ),
        Misconception(
            "the dearest",
            changed(_BT, ("argmin", "argmax")),
            "You take the threshold with the **highest** cost.",
        ),
        Misconception(
            "best F1",
            changed(
                _BT,
                (_BT_COST, "2 * (called & (y == 1)).sum(dim=1) / (called.sum(dim=1) + (y == 1).sum())"),
                ("argmin", "argmax"),
            ),
            "You take the threshold with the best F1. F1 does not know what the mistakes cost.",
        ),
        Misconception(
            "rates instead of counts",
            changed(_BT, (_BT_COST, "cost_fp * fp / (y == 0).sum() + cost_fn * fn / (y == 1).sum()")),
            "You multiply the costs by rates, so each class counts as if it were half of the data. Every "
            "single mistake is paid for: multiply by how many there are.",
        ),
        Misconception(
            "fixed thresholds",
            changed(_BT, (_ROC_THRESHOLDS, "torch.linspace(1, 0, 101)")),
            "You try fixed thresholds between 0 and 1. Scores may be logits, which lie outside, and the "
            "cost changes only at the scores themselves.",
        ),
        Misconception(
            "halfway between two scores",
            changed(
                _BT,
                (
                    _ROC_THRESHOLDS,
                    "scores.unique().flip(0)\n"
                    "    middles = (thresholds[1:] + thresholds[:-1]) / 2\n"
                    "    inf = torch.tensor([math.inf])\n"
                    "    thresholds = torch.cat([inf, middles, -inf])",
                ),
            ),
            "You try the middles between two neighbouring scores. On these data they cost the same as the "
            "score above them, but asked for is one of the scores (or inf).",
        ),
        Misconception(
            "another number for never",
            changed(_BT, ("torch.tensor([math.inf])", "scores.max()[None] + 1")),
            'For "never" you return a number just above the largest score. A new example may score higher, '
            "and it would be called yes. Asked for is inf, which nothing reaches.",
        ),
        Misconception(
            "ties taken apart",
            "def best_threshold(y, scores, cost_fp, cost_fn):\n"
            "    order = scores.argsort(descending=True, stable=True)\n"
            "    y, scores = y[order], scores[order]\n"
            "    zero = torch.zeros(1, dtype=torch.int64)\n"
            "    fp, tp = torch.cat([zero, (1 - y).cumsum(0)]), torch.cat([zero, y.cumsum(0)])\n"
            "    cost = cost_fp * fp + cost_fn * (tp[-1] - tp)\n"
            "    return torch.cat([torch.tensor([math.inf]), scores])[cost.argmin()].item()\n",
            "You count the examples one after the other, also within equal scores. No threshold can come "
            "between those: look at the counts only where a run of equal scores ends.",
        ),
        Misconception(
            "pays for hits",
            changed(_BT, ("(~called & (y == 1))", "(called & (y == 1))")),
            "You pay `cost_fn` for the hits. A miss is a yes that was **not** called.",
        ),
        Misconception(
            "0 and 1 as the ends",
            changed(
                _BT, (_ROC_THRESHOLDS, "torch.cat([torch.ones(1), scores.unique().flip(0), torch.zeros(1)])")
            ),
            'You take 1 for "never" and 0 for "always". That holds for probabilities, and a probability of 1 '
            "would be called yes even then; scores may be logits. Never is inf, always is the lowest score.",
        ),
    ),
    hints=(
        'Which thresholds make a difference at all? And what does "never yes" cost?',
        "Candidates, falling: inf, then every different score. For each: what is called yes, how many false "
        "alarms, how many misses, what does that cost? Keep the first with the lowest cost, and it is the "
        "highest.",
    ),
    alternatives=(
        "def best_threshold(y, scores, cost_fp, cost_fn):\n"
        "    def cost(t):\n"
        "        called = scores >= t\n"
        "        fp, fn = (called & (y == 0)).sum(), (~called & (y == 1)).sum()\n"
        "        return (cost_fp * fp + cost_fn * fn).item()\n"
        "    return min([math.inf, *sorted(scores.tolist(), reverse=True)], key=cost)\n",
        "def best_threshold(y, scores, cost_fp, cost_fn):\n"
        "    best, least = math.inf, cost_fn * y.sum().item()\n"
        "    for t in scores.unique():\n"
        "        cost = cost_fp * ((scores >= t) & (y == 0)).sum().item()\n"
        "        cost += cost_fn * ((scores < t) & (y == 1)).sum().item()\n"
        "        if cost < least or cost == least and best != math.inf:\n"
        "            best, least = t.item(), cost\n"
        "    return best\n",
        "def best_threshold(y, scores, cost_fp, cost_fn):\n"
        "    order = scores.argsort(descending=True)\n"
        "    y, scores = y[order], scores[order]\n"
        "    last = torch.cat([scores.diff() != 0, torch.tensor([True])])\n"
        "    cost = (cost_fp * (1 - y).cumsum(0) + cost_fn * (y.sum() - y.cumsum(0)))[last]\n"
        "    if cost.min() >= cost_fn * y.sum():\n"
        "        return math.inf\n"
        "    return scores[last][cost.argmin()]\n",
    ),
)


# ---------------------------------------------------------------------------- 11.calibration_error


def calibration_error(confidence: Tensor, correct: Tensor, bins: int = 10) -> float:
    """Mean distance between how sure and how often right, over bins of equal width."""
    sure, right = confidence.double(), correct.double()
    which = ((sure * bins).ceil().long() - 1).clamp(min=0)
    total = 0.0
    for b in which.unique().tolist():
        members = which == b
        total += int(members.sum()) * abs(float(sure[members].mean() - right[members].mean()))
    return total / len(sure)


def _inside_bins(generator: torch.Generator, n: int, bins: int, lowest: int = 0) -> Tensor:
    """Confidences well inside bins, away from the edges, which not every way to compute hits exactly."""
    which = torch.randint(lowest, bins, (n,), generator=generator)
    return (which + 0.1 + 0.8 * torch.rand(n, generator=generator)) / bins


def _correct(generator: torch.Generator, confidence: Tensor) -> Tensor:
    """Right more seldom than the confidence says."""
    return torch.rand(len(confidence), generator=generator) < confidence**2


def calibration_error_cases(generator: torch.Generator) -> list[Case]:
    example = torch.tensor([0.2, 0.4, 0.6, 0.8, 0.9, 0.9])
    right = torch.tensor([False, True, True, True, True, False])
    few, seven = _inside_bins(generator, 25, 5), _inside_bins(generator, 60, 7)
    sure, ten = _inside_bins(generator, 50, 10, lowest=5), _inside_bins(generator, 90, 10)
    edges = torch.tensor([0.25, 0.25, 0.32, 0.5, 0.43, 0.61, 0.75, 0.68, 0.92, 0.13])
    edges_right = torch.tensor([True, False, True, False, True, True, False, True, True, False])
    ends = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 0.62, 0.22])
    ends_right = torch.tensor([True, False, True, False, False, True, False])
    two = torch.tensor([0.55, 0.95, 0.6, 0.9])
    return [
        Case("values", (example, right, 2), "the example of the statement"),
        Case("values", (sure, _correct(generator, sure)), "ten bins, the lower ones empty"),
        Case("values", (ten, _correct(generator, ten)), "ten bins"),
        Case("values", (few, _correct(generator, few), 5), "five bins"),
        Case("values", (seven, _correct(generator, seven), 7), "seven bins"),
        Case(
            "values",
            (two, torch.tensor([True, False, False, True]), 2),
            "too sure and not sure enough in one bin",
        ),
        Case("shapes", (torch.tensor([0.83]), torch.tensor([True])), "a single answer"),
        Case("shapes", (ten, _correct(generator, ten), 1), "a single bin"),
        Case("edge cases", (edges, edges_right, 4), "confidences on the edges of bins"),
        Case("edge cases", (ends, ends_right, 4), "confidences of exactly 0 and 1"),
        Case("edge cases", (torch.tensor([0.9, 0.9, 0.6]), torch.zeros(3, dtype=torch.bool), 4), "all wrong"),
        Case("edge cases", (torch.ones(4), torch.ones(4, dtype=torch.bool)), "sure and right"),
    ]


_CE = (
    "def calibration_error(confidence, correct, bins=10):\n"
    "    sure, right = confidence.double(), correct.double()\n"
    "    which = ((sure * bins).ceil().long() - 1).clamp(min=0)\n"
    "    total = 0.0\n"
    "    for b in range(bins):\n"
    "        members = which == b\n"
    "        if members.any():\n"
    "            gap = (sure[members].mean() - right[members].mean()).abs().item()\n"
    "            total += members.sum().item() * gap\n"
    "    return total / len(sure)\n"
)
_CE_WHICH = "((sure * bins).ceil().long() - 1).clamp(min=0)"
_CE_GAP = "(sure[members].mean() - right[members].mean()).abs().item()"
_CE_ADD, _CE_OUT = "total += members.sum().item() * gap", "return total / len(sure)"


def _without_bins(expression: str) -> str:
    return (
        "def calibration_error(confidence, correct, bins=10):\n"
        "    sure, right = confidence.double(), correct.double()\n"
        f"    return {expression}.item()\n"
    )


CALIBRATION_ERROR = Exercise(
    id="11.calibration_error",
    name="calibration_error",
    title="Can the probabilities be believed?",
    difficulty=3,
    points=4,
    minutes=15,
    cases=calibration_error_cases,
    reference=calibration_error,
    result="a float",
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "every bin counts the same",
            changed(_CE, (_CE_ADD, "total += gap"), (_CE_OUT, "return total / len(which.unique())")),
            "You take the plain mean over the bins that are not empty. A bin with one answer then counts as "
            "much as one with a thousand. Each bin counts as often as it has answers.",
        ),
        Misconception(
            "every bin counts the same, also empty ones",
            changed(_CE, (_CE_ADD, "total += gap"), (_CE_OUT, "return total / bins")),
            "You divide the sum of the distances by the number of bins, so all bins count the same, even "
            "empty ones. Each bin counts as often as it has answers.",
        ),
        Misconception(
            "distances with a sign",
            changed(_CE, (".abs()", "")),
            "Your distances keep their sign, so being too sure in one bin makes up for being too modest in "
            "another. A distance is never negative.",
        ),
        Misconception(
            "all in one bin",
            _without_bins("(sure.mean() - right.mean()).abs()"),
            "You compare the mean confidence of all answers with the accuracy. Too sure here and too modest "
            "there cancel out: that is what the bins are for.",
        ),
        Misconception(
            "middle of the bin",
            changed(_CE, ("sure[members].mean()", "(b + 0.5) / bins")),
            "You compare with the middle of the bin. Within a bin the confidences need not lie around its "
            "middle: take their mean.",
        ),
        Misconception(
            "largest distance",
            changed(_CE, (_CE_ADD, "total = max(total, gap)"), (_CE_OUT, "return total")),
            "You return the largest distance of all bins. That number exists (maximum calibration error), "
            "but asked for is the mean, each bin weighted by its answers.",
        ),
        Misconception(
            "squares",
            changed(_CE, (".abs()", ".square()")),
            "You square the distances. Their absolute value is asked for.",
        ),
        Misconception(
            "empty bins",
            changed(_CE, ("        if members.any():\n    ", ""), ("            total", "        total")),
            "An empty bin has no mean: 0/0 is nan, and one nan spoils the sum (0 times nan is nan). Leave "
            "empty bins out.",
        ),
        Misconception(
            "edges belong to the bin above",
            changed(_CE, (_CE_WHICH, "(sure * bins).floor().long().clamp(max=bins - 1)")),
            "A confidence that lies exactly on the edge between two bins goes into the upper one with you. "
            "It belongs to the lower.",
        ),
        Misconception(
            "certainty is lost",
            changed(_CE, (_CE_WHICH, "(sure * bins).floor().long()")),
            "Answers with a confidence of exactly 1 fall out of all your bins. An edge belongs to the bin "
            "below it, and 1 is the upper edge of the last.",
        ),
        Misconception(
            "zero is lost",
            changed(_CE, (".clamp(min=0)", "")),
            "Answers with a confidence of exactly 0 fall out of all your bins. There is no bin below, so "
            "they belong to the first.",
        ),
        Misconception(
            "always ten bins",
            changed(_CE, ("    sure, right", "    bins = 10\n    sure, right")),
            "You always make ten bins. How many there are is said by `bins`.",
        ),
        Misconception(
            "bins with equally many answers",
            changed(
                _CE,
                ("    which = " + _CE_WHICH + "\n", "    order = sure.argsort(stable=True)\n"),
                ("for b in range(bins):", "for members in order.tensor_split(bins):"),
                ("        members = which == b\n", ""),
                ("members.any()", "len(members)"),
                ("members.sum().item()", "len(members)"),
            ),
            "You sort the answers and cut them into groups of equal **size**. The bins are of equal "
            "**width**: they cut the line from 0 to 1.",
        ),
        Misconception(
            "squared error of each answer",
            _without_bins("(sure - right).square().mean()"),
            "This is the Brier score: the squared distance of every single answer. A single answer is right "
            "or wrong; whether 0.7 was true shows only in a group.",
        ),
        Misconception(
            "distance of each answer",
            _without_bins("(sure - right).abs().mean()"),
            "You take the distance of every single answer from 0 or 1. So even a perfectly calibrated 0.7 "
            "looks wrong each time. Take the means within a bin first, then their distance.",
        ),
        Misconception(
            "sum",
            changed(_CE, (_CE_OUT, "return total")),
            "You weight each bin by its answers and add up, but do not divide by the number of all answers. "
            "The result grows with the data.",
        ),
        Misconception(
            "bins from the smallest to the largest confidence",
            changed(
                _CE,
                (
                    _CE_WHICH,
                    "((sure - sure.min()) / (sure.max() - sure.min()).clamp(min=1e-9) * bins).ceil().long()"
                    ".sub(1).clamp(min=0)",
                ),
            ),
            "Your bins reach from the smallest to the largest confidence that occurs. They always cut the "
            "line from 0 to 1, so that two networks can be compared.",
        ),
        Misconception(
            "one bin too few",
            changed(_CE, (_CE_WHICH, _CE_WHICH.replace("bins", "(bins - 1)"))),
            "You have one bin too few: as many edges as bins. Between 0 and 1 there is one edge more than "
            "there are bins.",
        ),
        Misconception(
            "always ten bins, by edges",
            changed(
                _CE,
                ("    sure, right", "    bins = 10\n    sure, right"),
                (_CE_WHICH, "torch.bucketize(confidence, torch.linspace(0, 1, 11)[1:-1])"),
            ),
            "Your edges are those of ten bins. How many bins there are is said by `bins`: that takes bins + "
            "1 edges.",
        ),
        Misconception(
            "the top bin is lost",
            changed(_CE, (_CE_WHICH, "torch.bucketize(confidence, torch.linspace(0, 1, bins + 1))")),
            "With all edges `bucketize` counts from 1, since 0 would lie below the first edge, and your loop "
            "never comes to the last bin. Give it the inner edges only: `edges[1:-1]`.",
        ),
    ),
    hints=(
        "Take one bin only: which answers belong to it, how sure are they on average, how many of them are "
        "right?",
        "For each answer the number of its bin: `torch.bucketize` with the inner edges, or confidence times "
        "bins, rounded up, minus one (and 0 for the confidence 0). Then for every bin that is not empty: "
        "the distance of the two means, times the number of its answers. Divide the sum by the number of "
        "all answers.",
    ),
    alternatives=(
        "def calibration_error(confidence, correct, bins=10):\n"
        "    edges = torch.linspace(0, 1, bins + 1)\n"
        "    which = torch.bucketize(confidence, edges[1:-1])\n"
        "    members = torch.nn.functional.one_hot(which, bins).float()\n"
        "    count = members.sum(dim=0)\n"
        "    gap = (confidence @ members / count - correct.float() @ members / count).abs()\n"
        "    return (count * gap).nansum() / count.sum()\n",
        "def calibration_error(confidence, correct, bins=10):\n"
        "    edges, error = torch.linspace(0, 1, bins + 1), 0.0\n"
        "    for b in range(bins):\n"
        "        inside = (confidence <= edges[b + 1]) & ((confidence > edges[b]) | (b == 0))\n"
        "        if inside.sum() > 0:\n"
        "            gap = abs(confidence[inside].mean() - correct[inside].float().mean())\n"
        "            error += gap * inside.float().mean()\n"
        "    return float(error)\n",
        "def calibration_error(confidence, correct, bins=10):\n"
        "    sums = torch.zeros(bins, dtype=torch.float64)\n"
        "    which = torch.bucketize(confidence, torch.arange(1, bins) / bins)\n"
        "    sums.index_add_(0, which, confidence.double() - correct.double())\n"
        "    return sums.abs().sum().item() / len(confidence)\n",
    ),
)


# --------------------------------------------------------------------------- 11.bootstrap_interval

# calls with a single draw each, to see whether the chance goes on; of few answers two draws are often alike
_CALLS, _CALLS_FOR_FEW, _FEW = 6, 20, 10


def bootstrap_interval(
    correct: Tensor, draws: int, generator: torch.Generator, level: float = 0.95
) -> tuple[float, float]:
    """The middle `level` of the accuracies of samples drawn with replacement."""
    n = len(correct)
    picks = torch.randint(n, (draws, n), generator=generator)
    accuracies = correct.double()[picks].mean(dim=1)
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = accuracies.quantile(tails).tolist()
    return low, high


def interval(work: Callable, correct: Tensor, draws: int, seed: int, *level: float) -> dict[str, Any]:
    """Probe: where the interval lies. Any way to draw is right, so the ends are looked at with tolerance.

    The ends are means of two calls, counted in standard deviations of the accuracy, √(a(1 − a)/n), away from
    the accuracy a: for 3,000 draws and a level of 95% they are known to about 0.035 of these.

    Raises:
        NotAsAsked: if what comes is no pair of numbers.
    """

    def ends(count: int, source: torch.Generator) -> tuple[float, float]:
        return _pair(work(correct, count, source, *level))

    generator = torch.Generator().manual_seed(seed)
    lows, highs = zip(*(ends(draws, generator) for _ in range(2)), strict=True)
    generators = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    calls = _CALLS_FOR_FEW if len(correct) < _FEW else _CALLS
    first, again = ([ends(1, source) for _ in range(calls)] for source in generators)
    accuracy = correct.double().mean().item()
    spread = math.sqrt(accuracy * (1 - accuracy) / len(correct)) or 1.0
    return {
        "the same with the same generator": first == again,
        "the same at each call": len(set(first)) == 1,
        "from a single draw both ends are the same": all(low == high for low, high in first),
        "low end below the accuracy, in standard deviations": (accuracy - sum(lows) / 2) / spread,
        "high end above the accuracy, in standard deviations": (sum(highs) / 2 - accuracy) / spread,
    }


def _pair(value: Any) -> tuple[float, float]:
    """Two numbers as floats.

    Raises:
        NotAsAsked: if it is anything else.
    """
    if value is None:
        raise NotAsAsked("Your function returns nothing (None). It should return two numbers (low, high).")
    if not isinstance(value, (tuple, list)):
        raise NotAsAsked(f"Your function should return two numbers (low, high), not {kind_words(value)}.")
    if len(value) != 2:
        raise NotAsAsked(f"Your function should return two numbers (low, high), not {len(value)} values.")
    for end in value:
        if not (is_number(end) or (isinstance(end, Tensor) and end.dim() == 0)):
            raise NotAsAsked(f"low and high should be single numbers, but one of them is {kind_words(end)}.")
    low, high = float(value[0]), float(value[1])
    if math.isnan(low) or math.isnan(high):
        raise NotAsAsked(
            "One of your ends is nan. Does your way also work for a single draw? The standard deviation of "
            "one number, for example, is 0/0. Look for the ends among the draws themselves."
        )
    return low, high


def bootstrap_interval_cases(generator: torch.Generator) -> list[Case]:
    def answers(n: int, share: float) -> Tensor:
        correct = torch.arange(n) < round(n * share)
        return correct[torch.randperm(n, generator=generator)]

    seed = whole_number(generator, 0, 10_000)
    share = whole_number(generator, 60, 75) / 100
    example = torch.tensor([True, True, False, True])
    return [
        Case("values", (example, 1500, seed), "the example of the statement"),
        Case("edge cases", (torch.ones(30, dtype=torch.bool), 50, seed + 1), "all right"),
        Case("edge cases", (torch.zeros(30, dtype=torch.bool), 50, seed + 2), "all wrong"),
        Case("shapes", (torch.tensor([True]), 20, seed + 3), "a single answer"),
        Case("edge cases", (torch.tensor([True, False]), 1500, seed + 6), "one right, one wrong"),
        Case("values", (answers(300, share), 3000, seed + 4), "300 answers"),
        Case("values", (answers(300, 1 - share), 1500, seed + 5, 0.8), "the middle 80%"),
    ]


_BI = (
    "def bootstrap_interval(correct, draws, generator, level=0.95):\n"
    "    n = len(correct)\n"
    "    picks = torch.randint(n, (draws, n), generator=generator)\n"
    "    accuracies = correct.double()[picks].mean(dim=1)\n"
    "    low = accuracies.quantile((1 - level) / 2).item()\n"
    "    high = accuracies.quantile((1 + level) / 2).item()\n"
    "    return low, high\n"
)
_BI_PICKS = "torch.randint(n, (draws, n), generator=generator)"
_BI_ENDS = (
    "    low = accuracies.quantile((1 - level) / 2).item()\n"
    "    high = accuracies.quantile((1 + level) / 2).item()\n"
)

BOOTSTRAP_INTERVAL = Exercise(
    id="11.bootstrap_interval",
    name="bootstrap_interval",
    title="How sure is the number itself?",
    difficulty=2,
    points=3,
    minutes=10,
    cases=bootstrap_interval_cases,
    reference=bootstrap_interval,
    probe=interval,
    input_names=("correct", "draws", "seed", "level"),
    result="two floats (low, high)",
    rtol=0.0,
    atol=0.3,
    time_limit=4.0,
    misconceptions=(
        Misconception(
            "without replacement",
            changed(
                _BI,
                (
                    _BI_PICKS,
                    "torch.stack([torch.randperm(n, generator=generator) for _ in range(draws)])",
                ),
            ),
            "You draw without replacement: each draw holds every example exactly once, in another order, "
            "and the accuracy is always the same. Every pick is made from all examples again.",
        ),
        Misconception(
            "the whole rest in each tail",
            changed(_BI, ("(1 - level) / 2", "1 - level"), ("(1 + level) / 2", "level")),
            "You leave 1 − level out at each end, so for 95% only the middle 90% remain. What is left out "
            "is shared by the two ends.",
        ),
        Misconception(
            "tails of different size",
            changed(_BI, ("(1 + level) / 2", "level")),
            "Your low end is right, the high end is not: above it more is left out than below the low end. "
            "Both ends leave out the same share.",
        ),
        Misconception(
            "level not used",
            changed(_BI, ("    n = ", "    level = 0.95\n    n = ")),
            "Your interval holds the middle 95%, whatever `level` says.",
        ),
        Misconception(
            "high before low",
            changed(_BI, ("return low, high", "return high, low")),
            "You return the high end first. It should be (low, high).",
        ),
        Misconception(
            "smallest and largest draw",
            changed(_BI, (_BI_ENDS, "    low, high = accuracies.min().item(), accuracies.max().item()\n")),
            "You return the smallest and the largest accuracy of all draws. They move apart the more you "
            "draw. Take the middle share of the draws that `level` says.",
        ),
        Misconception(
            "1.96 standard deviations of the draws",
            changed(
                _BI,
                (
                    _BI_ENDS,
                    "    middle, spread = accuracies.mean().item(), accuracies.std(unbiased=False).item()\n"
                    "    low, high = middle - 1.96 * spread, middle + 1.96 * spread\n",
                ),
            ),
            "You take the mean of the draws and 1.96 standard deviations to each side. That holds for a "
            "symmetrical bell curve and for 95% only; with few examples the interval reaches beyond 1. Let "
            "the draws themselves say where the middle share ends.",
        ),
        Misconception(
            "one standard deviation of the draws",
            changed(
                _BI,
                (
                    _BI_ENDS,
                    "    middle, spread = accuracies.mean().item(), accuracies.std(unbiased=False).item()\n"
                    "    low, high = middle - spread, middle + spread\n",
                ),
            ),
            "You take the mean of the draws and one standard deviation to each side. In a bell curve that "
            "holds 68%, whatever `level` says. Let the draws themselves say where the middle share ends.",
        ),
        Misconception(
            "formula without draws",
            changed(
                _BI,
                (
                    _BI_ENDS,
                    "    a = correct.double().mean().item()\n"
                    "    half = 1.96 * math.sqrt(a * (1 - a) / n)\n"
                    "    low, high = a - half, a + half\n",
                ),
            ),
            "You compute the ends with a formula for bell curves, so nothing depends on the draws. Asked "
            "for is the bootstrap: draw samples, measure each, and look where the middle of the results "
            "lies.",
        ),
        Misconception(
            "quantiles of the answers",
            changed(
                _BI,
                ("(draws, n)", "(n,)"),
                (".mean(dim=1)", ""),
            ),
            "You look for the ends among the answers, which are 0 or 1. Each draw is a whole sample of n "
            "examples and gives one accuracy; the ends are looked for among these.",
        ),
        Misconception(
            "draws and examples swapped",
            changed(_BI, ("(draws, n)", "(n, draws)")),
            "You make n samples with `draws` examples each (or take the mean along the wrong axis). It "
            "should be `draws` samples of n examples: the size of the sample decides how wide the interval "
            "is.",
        ),
        Misconception(
            "half samples",
            changed(_BI, ("(draws, n)", "(draws, (n + 1) // 2)")),
            "Your samples hold only half as many examples as there are. Smaller samples scatter more, so "
            "the interval is too wide. Each draw takes n examples.",
        ),
        Misconception(
            "number of draws fixed",
            changed(_BI, ("    n = ", "    draws = 1000\n    n = ")),
            "You always draw the same number of samples. How many is said by `draws`.",
        ),
        Misconception(
            "generator not used",
            changed(_BI, (", generator=generator", "")),
            "You draw from torch's global generator. Hand the generator on to where the numbers are drawn, "
            "or nobody can get the same interval again.",
        ),
        Misconception(
            "generator set back",
            changed(_BI, ("    n = ", "    generator.manual_seed(0)\n    n = ")),
            "You set the generator back (or make a new one) at each call, so that two intervals are never "
            "independent. Use the generator as it comes.",
        ),
        Misconception(
            "percent",
            changed(_BI, ("return low, high", "return 100 * low, 100 * high")),
            "Your ends are in percent. An accuracy lies between 0 and 1.",
        ),
        Misconception(
            "middle and half width",
            changed(_BI, ("return low, high", "return (low + high) / 2, (high - low) / 2")),
            "You return the middle of the interval and half of its width. Asked for are its two ends.",
        ),
        Misconception(
            "one sample again and again",
            changed(_BI, (_BI_PICKS, "torch.randint(n, (n,), generator=generator).repeat(draws, 1)")),
            "You draw one sample and measure it many times, so both ends are the same. Every draw needs "
            "picks of its own.",
        ),
        Misconception(
            "the last one is never drawn",
            changed(_BI, ("randint(n,", "randint(n - 1,")),
            "You never draw the last example: like `range`, `randint` leaves its upper end out. For the "
            "places 0 to n - 1 it wants n.",
        ),
        Misconception(
            "share of the mistakes",
            changed(_BI, ("correct.double()", "(1 - correct.double())")),
            "You measure how many are wrong. The accuracy is how many are right.",
        ),
    ),
    hints=(
        "One draw first: n examples picked out of the n, each time from all of them. What is their "
        "accuracy? Then many such draws.",
        "Random places from 0 to n − 1, with the generator: a row of n for each draw. Look up the answers "
        "at these places and take the mean of each row. `quantile` of these means gives the ends: which "
        "share lies below the low one, which below the high one?",
    ),
    alternatives=(
        "def bootstrap_interval(correct, draws, generator, level=0.95):\n"
        "    n, results = len(correct), []\n"
        "    for _ in range(draws):\n"
        "        sample = correct[torch.randint(0, n, (n,), generator=generator)]\n"
        "        results.append(sample.float().mean())\n"
        "    results = torch.stack(results)\n"
        "    return torch.quantile(results, (1 - level) / 2), torch.quantile(results, 1 - (1 - level) / 2)\n",
        "def bootstrap_interval(correct, draws, generator, level=0.95):\n"
        "    n = len(correct)\n"
        "    picks = (torch.rand(n, draws, generator=generator) * n).long()\n"
        "    results = sorted(correct.float()[picks].mean(dim=0).tolist())\n"
        "    cut = int((1 - level) / 2 * draws)\n"
        "    return results[cut], results[draws - 1 - cut]\n",
        "def bootstrap_interval(correct, draws, generator, level=0.95):\n"
        "    weights = torch.ones(len(correct)).expand(draws, -1)\n"
        "    picks = torch.multinomial(weights, len(correct), replacement=True, generator=generator)\n"
        "    tail = (1 - level) / 2\n"
        "    low, high = np.quantile(correct.numpy()[picks.numpy()].mean(axis=1), [tail, 1 - tail])\n"
        "    return float(low), float(high)\n",
    ),
)

EXERCISES = (
    CONFUSION_MATRIX,
    PRECISION_RECALL_F1,
    ROC_CURVE,
    AUC,
    BEST_THRESHOLD,
    CALIBRATION_ERROR,
    BOOTSTRAP_INTERVAL,
)
