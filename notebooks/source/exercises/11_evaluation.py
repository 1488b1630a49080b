# %% [markdown]
# # 11 · Exercises: Is it any good?
#
# They go with [lesson 11](../11_evaluation.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once.

# %%
import math

import torch

from utils.checks import check, hint, progress

# %% exercise="11.confusion_matrix"
# === statement
# ### 11.confusion_matrix ● What is taken for what
#
# Write `confusion_matrix(y, y_hat, k)`: a table that says how often each class was taken for each other. **Rows are the true
# classes, columns the predicted ones.**
#
# - `y`: true classes, whole numbers from 0 to k − 1, shape (n,); `y_hat`: predicted classes, likewise
# - `k`: number of classes; some of them may never occur
# - returns: the counts, whole numbers (int64), shape (k, k)
#
# For example, y = (0, 0, 1, 2, 2, 2), y_hat = (0, 1, 1, 0, 2, 2) and k = 3 give ((1, 1, 0), (0, 1, 0), (1, 0, 2)): one 0 was
# taken for a 1 and one 2 for a 0, the rest is right.
# === code
def confusion_matrix(y, y_hat, k):
    """Counts, shape (k, k): row = true class, column = predicted class."""
    # === solution
    C = torch.zeros(k, k, dtype=torch.int64)
    for true, predicted in zip(y, y_hat, strict=True):
        C[true, predicted] += 1
    return C
    # === stub
    raise NotImplementedError("write confusion_matrix, then run this cell and the check below")
    # === end
# === explanation
# One stroke for each example, in the row of what it is and the column of what was said. For many examples there is a quicker
# way without a loop: number the cells row by row, cell = k · true + predicted, count the numbers with `bincount`, and fold the
# list into k rows.

# %% exercise="11.precision_recall_f1"
# === statement
# ### 11.precision_recall_f1 ●● Macro averages
#
# Write `precision_recall_f1(y, y_hat, k)`, which gives the **macro** averages: compute precision, recall and F1 of each class,
# then the mean of each over all k classes. **0/0 counts as 0**, and such a class stays in the mean.
#
# - `y`: true classes, whole numbers from 0 to k − 1, shape (n,); `y_hat`: predicted classes, likewise
# - `k`: number of classes
# - returns: three floats: precision, recall, F1
#
# For example, y = (0, 0, 0, 1, 1, 2), y_hat = (0, 0, 1, 1, 0, 1), k = 3. Precisions: 2/3, 1/3, and 0/0 = 0, as class 2 is never
# predicted. Recalls: 2/3, 1/2, 0. F1: 2/3, 2/5, 0. So the three means are 0.3333, 0.3889 and 0.3556.
# === code
def precision_recall_f1(y, y_hat, k):
    """Precision, recall and F1, each the mean over the k classes."""
    # === solution
    totals = torch.zeros(3, dtype=torch.float64)
    for c in range(k):
        hits = ((y == c) & (y_hat == c)).sum().item()
        predicted, true = (y_hat == c).sum().item(), (y == c).sum().item()
        if hits > 0:  # otherwise all three are 0, or 0/0
            shares = [hits / predicted, hits / true, 2 * hits / (predicted + true)]
            totals += torch.tensor(shares, dtype=torch.float64)
    return tuple((totals / k).tolist())
    # === stub
    raise NotImplementedError("write precision_recall_f1, then run this cell and the check below")
    # === end
# === explanation
# Where a class has a hit it was predicted and it occurs, so nothing is divided by 0. Where it has none, all three numbers are 0
# or count as 0. F1 = 2PR / (P + R) = 2 · hits / (predicted + true). The mean comes last, also for F1: the F1 of the averages
# would be another number.

# %% exercise="11.roc_curve"
# === statement
# ### 11.roc_curve ●●● All thresholds at once
#
# Write `roc_curve(y, scores)`. Let the threshold fall; yes is said from the threshold on (score ≥ threshold). The first point
# is (0, 0), for a threshold above all scores. Then comes **one point for each different score** taken as the threshold, from
# the highest to the lowest. The last point is (1, 1). Leave no point out, even on a straight line.
#
# - `y`: 1 for yes, 0 for no (int64), shape (n,), at least one of each; `scores`: the larger, the more yes, shape (n,), in any
#   order
# - returns: (fpr, tpr), two tensors of shape (points,): the false and the true positive rate at each point
#
# For example, y = (0, 1, 0, 1, 1), scores = (0.6, 0.9, 0.1, 0.6, 0.3). Thresholds: above all, 0.9, 0.6, 0.3, 0.1. At 0.6 a yes
# and a no come in together. fpr = (0, 0, ½, ½, 1), tpr = (0, ⅓, ⅔, 1, 1).
# === code
def roc_curve(y, scores):
    """(fpr, tpr): false and true positive rate, from (0, 0) to (1, 1)."""
    # === solution
    thresholds = torch.cat([torch.tensor([math.inf]), scores.unique().flip(0)])  # (points,), falling
    called = scores >= thresholds[:, None]  # (points, n)
    fp = (called & (y == 0)).sum(dim=1)
    tp = (called & (y == 1)).sum(dim=1)
    return fp.double() / (y == 0).sum(), tp.double() / (y == 1).sum()
    # === stub
    raise NotImplementedError("write roc_curve, then run this cell and the check below")
    # === end
# === explanation
# `unique` gives each score once, sorted upwards; turned round and with infinity in front these are the thresholds. A table of
# thresholds and examples says who is called yes when. For many examples sorting once is quicker than such a table, as in the
# lesson: running sums, of which only the last of each run of equal scores is kept.

# %% exercise="11.auc"
# === statement
# ### 11.auc ●● How often a yes beats a no
#
# Write `auc(y, scores)`: of all pairs of a yes and a no, the share in which the yes has the larger score. Equal scores count
# one half. If there is no yes or no no there are no pairs, and the result is nan.
#
# - `y`: 1 for yes, 0 for no (int64), shape (n,); `scores`: the larger, the more yes, shape (n,), in any order
# - returns: a float between 0 and 1, or nan
#
# For example, y = (0, 1, 0, 1, 1), scores = (0.6, 0.9, 0.1, 0.6, 0.3). There are 3 × 2 pairs. 0.9 wins two, 0.6 wins one and
# ties one, 0.3 wins one: 4.5 of 6, which is 0.75.
# === code
def auc(y, scores):
    """The share of pairs in which the yes has the larger score; ties count one half."""
    # === solution
    yes, no = scores[y == 1], scores[y == 0]
    higher = (yes[:, None] > no).double()  # (yes, no)
    equal = (yes[:, None] == no).double()
    return (higher + equal / 2).mean().item()
    # === stub
    raise NotImplementedError("write auc, then run this cell and the check below")
    # === end
# === explanation
# A column against a row gives a table with all pairs (lesson 03). Its mean is the share, and the mean of an empty table is nan
# already. It needs as many numbers as there are pairs; for large data there is `searchsorted`, as in the lesson. The area under
# the curve is the same number: each no is a column of it, as high as the share of yes's above.

# %% exercise="11.best_threshold"
# === statement
# ### 11.best_threshold ●● Where to draw the line
#
# Write `best_threshold(y, scores, cost_fp, cost_fn)`. Yes is said where score ≥ threshold. A false alarm costs `cost_fp`, a
# miss `cost_fn`; the cost is the sum over all examples. Which threshold is cheapest? Candidates are the scores themselves and
# infinity ("never"). **Of several that cost the same, return the highest.**
#
# - `y`: 1 for yes, 0 for no (int64), shape (n,); `scores`: the larger, the more yes, shape (n,), in any order; they may be
#   logits
# - `cost_fp`, `cost_fn`: numbers, 0 or more
# - returns: a float: one of the scores, or infinity
#
# For example, y = (1, 0, 1, 0), scores = (0.9, 0.7, 0.4, 0.2), a false alarm 1, a miss 3: never costs 6, from 0.9 on 3, from
# 0.7 on 4, from 0.4 on 1, from 0.2 on 2. The answer is 0.4. If a miss costs 1 as well, 0.9 and 0.4 both cost 1, and the answer
# is 0.9.
# === code
def best_threshold(y, scores, cost_fp, cost_fn):
    """The cheapest threshold: one of the scores, or inf."""
    # === solution
    best, least = math.inf, cost_fn * (y == 1).sum().item()  # never: all yes are missed
    for threshold in sorted(scores.tolist(), reverse=True):
        called = scores >= threshold
        fp, fn = (called & (y == 0)).sum().item(), (~called & (y == 1)).sum().item()
        if cost_fp * fp + cost_fn * fn < least:
            best, least = threshold, cost_fp * fp + cost_fn * fn
    return best
    # === stub
    raise NotImplementedError("write best_threshold, then run this cell and the check below")
    # === end
# === explanation
# Between two neighbouring scores nothing changes, so the scores are all the thresholds one has to try, and "never" besides.
# Going downwards and changing one's mind only for something **cheaper** leaves the highest of equally cheap ones. Choose it on
# validation data: it is fitted to the data it sees.

# %% exercise="11.calibration_error"
# === statement
# ### 11.calibration_error ●●● Can the probabilities be believed?
#
# Write `calibration_error(confidence, correct, bins=10)`, the expected calibration error. Cut the line from 0 to 1 into bins of
# equal width. In each bin take the distance between the mean confidence and the share of right answers. The result is the mean
# of the distances, each bin weighted by how many answers it holds. A confidence **on an edge belongs to the bin below** (0
# belongs to the first bin). Empty bins do not count.
#
# - `confidence`: numbers from 0 to 1, shape (n,); `correct`: True where the answer was right (bool), shape (n,)
# - `bins`: how many bins
# - returns: a float
#
# For example, with two bins, confidences (0.2, 0.4, 0.6, 0.8, 0.9, 0.9) and correct = (no, yes, yes, yes, yes, no): the lower
# bin has mean confidence 0.3, share right 0.5, distance 0.2, two answers; the upper 0.8, 0.75, distance 0.05, four answers.
# Result: (2 · 0.2 + 4 · 0.05) / 6 = 0.1.
# === code
def calibration_error(confidence, correct, bins=10):
    """Mean distance between how sure and how often right, over bins of equal width."""
    # === solution
    edges = torch.linspace(0, 1, bins + 1)
    which = torch.bucketize(confidence, edges[1:-1])  # (n,): 0 to bins - 1
    total = 0.0
    for b in range(bins):
        members = which == b
        if members.any():
            gap = confidence[members].mean() - correct[members].double().mean()
            total += members.sum().item() * gap.abs().item()
    return total / len(confidence)
    # === stub
    raise NotImplementedError("write calibration_error, then run this cell and the check below")
    # === end
# === explanation
# `bucketize` says for each confidence how many of the inner edges lie strictly below it, which is the number of its bin; what
# stands on an edge stays below. The rest is two means for each bin that has answers. Without the absolute value too sure here
# would make up for too modest there.

# %% exercise="11.bootstrap_interval"
# === statement
# ### 11.bootstrap_interval ●● How sure is the number itself?
#
# Write `bootstrap_interval(correct, draws, generator, level=0.95)`. Draw n examples out of the n **with replacement** and take
# their accuracy; do so `draws` times. Return the ends of the middle `level` of these accuracies: equally many draws lie below
# the low end and above the high end.
#
# - `correct`: True where the answer was right (bool), shape (n,); `draws`: how many samples
# - `generator`: a `torch.Generator`, the only source of chance; `level`: a share between 0 and 1
# - returns: (low, high), two floats
#
# For example, correct = (True, True, False, True) with 1,500 draws gives (0.25, 1.0): in fewer than 2.5% of the draws nothing
# is right, in about 5% at most one of four, and in about a third all four are. With `draws` = 1 both ends are the same. Which
# samples come is left to chance, so the check looks at the ends with some tolerance.
# === code
def bootstrap_interval(correct, draws, generator, level=0.95):
    """(low, high): the middle `level` of the accuracies of samples drawn with replacement."""
    # === solution
    n = len(correct)
    picks = torch.randint(n, (draws, n), generator=generator)  # (draws, n): places
    accuracies = correct.double()[picks].mean(dim=1)  # (draws,)
    low = accuracies.quantile((1 - level) / 2).item()
    high = accuracies.quantile((1 + level) / 2).item()
    return low, high
    # === stub
    raise NotImplementedError("write bootstrap_interval, then run this cell and the check below")
    # === end
# === explanation
# Each row of `picks` is one sample: n places, each of which may come several times. Its mean is one accuracy. For a level of
# 95% the low end has 2.5% of the draws below it, the high end 97.5%. Where no mistake was seen none can be drawn, and the
# interval is (1, 1): that is no proof of perfection.

# %%
progress()
