# %% [markdown]
# # 05 · Exercises: Saying what wrong means
#
# They go with [lesson 05](../05_losses.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once. torch has all of these losses; write them from simple operations, or you learn nothing.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="05.mse"
# === statement
# ### 05.mse ● Mean squared error
#
# Write `mse(y_hat, y)`: the mean of the squared errors over all predictions.
#
# - `y_hat`, `y`: predictions and targets, two tensors of one shape (any), floating point
# - returns: one number, a tensor of shape ()
#
# For example, for `y_hat = torch.tensor([1.0, 2.0, 6.0])` and `y = torch.tensor([2.0, 2.0, 3.0])` the errors are −1, 0 and 3,
# and the loss is (1 + 0 + 9) / 3 = `tensor(3.3333)`.
# === code
def mse(y_hat, y):
    """Mean of the squared errors; both of one shape."""
    # === solution
    return (y_hat - y).square().mean()
    # === stub
    raise NotImplementedError("write mse, then run this cell and the check below")
    # === end
# === explanation
# Each error is squared before anything is averaged, so errors of different signs cannot cancel, and one of 3 counts nine times
# as much as one of 1. A mean, not a sum: so the loss does not grow with the batch. `torch.nn.functional.mse_loss` is this.

# %% exercise="05.mae"
# === statement
# ### 05.mae ● Mean absolute error
#
# Write `mae(y_hat, y)`: the mean of the errors' sizes.
#
# - `y_hat`, `y`: predictions and targets, two tensors of one shape (any), floating point
# - returns: one number, a tensor of shape ()
#
# For example, for `y_hat = torch.tensor([1.0, 2.0, 6.0])` and `y = torch.tensor([2.0, 2.0, 3.0])` it is
# (1 + 0 + 3) / 3 = `tensor(1.3333)`.
# === code
def mae(y_hat, y):
    """Mean of the errors' sizes; both of one shape."""
    # === solution
    return (y_hat - y).abs().mean()
    # === stub
    raise NotImplementedError("write mae, then run this cell and the check below")
    # === end
# === explanation
# An error of 3 counts three times as much as one of 1, no more. That is why an outlier pulls less here than under the MSE.
# torch calls it `l1_loss`.

# %% exercise="05.fit_by_loss"
# === statement
# ### 05.fit_by_loss ●● What each loss looks for
#
# The simplest model always predicts the same number c. Which c has the smallest loss depends on the loss. Write
# `fit_by_loss(y, loss)`, which returns that c, without a search.
#
# - `y`: targets, shape (n,), floating point
# - `loss`: a word: `"mse"`, `"mae"`, or `"zero_one"` (1 for every target that is not exactly c)
# - returns: one number, the c itself and not its loss; where several are equally good any of them
# - raises: `ValueError` for any other word
#
# For example, for `y = torch.tensor([1.0, 1.0, 2.0, 4.0, 12.0])` the answers are 4 for `"mse"`, 2 for `"mae"` and 1 for
# `"zero_one"`. Three well-known statistics: which? (Since several c may be equally good, the check compares not your c
# but its loss.)
# === code
def fit_by_loss(y, loss):
    """The constant with the smallest loss on y: "mse", "mae" or "zero_one"."""
    # === solution
    if loss == "mse":
        return y.mean()
    if loss == "mae":
        return y.median()
    if loss == "zero_one":
        return y.mode().values
    raise ValueError(f"loss should be 'mse', 'mae' or 'zero_one', not {loss!r}")
    # === stub
    raise NotImplementedError("write fit_by_loss, then run this cell and the check below")
    # === end
# === explanation
# Mean, median, mode. Under squares each point pulls in proportion to its distance, and the pulls balance at the mean. Under absolute
# values each pulls with the same force, to the left or to the right: they balance where as many lie on either side. Under 0–1 only
# hits count.
#
# A network that predicts under a loss is after the same statistic, for each input: under MSE the mean of the targets that such an
# input has, under MAE their median.

# %% exercise="05.smooth_l1"
# === statement
# ### 05.smooth_l1 ●● Smooth L1
#
# Write `smooth_l1(y_hat, y, beta=1.0)`. An error e counts $e^2/(2\,\text{beta})$ where $|e| <$ beta, and $|e| - \text{beta}/2$
# elsewhere; the loss is the mean.
#
# - `y_hat`, `y`: predictions and targets, two tensors of one shape (any), floating point
# - `beta`: where the parabola turns into a straight line, a positive number
# - returns: one number, a tensor of shape ()
#
# For example with beta = 2 the errors 0.5, −3 and 1 count 0.25/4 = 0.0625, 3 − 1 = 2 and 1/4 = 0.25, so
# `smooth_l1(torch.tensor([0.5, -3.0, 1.0]), torch.zeros(3), 2.0)` is `tensor(0.7708)`.
# === code
def smooth_l1(y_hat, y, beta=1.0):
    """Mean of e²/(2 beta) for small errors and |e| − beta/2 for large ones."""
    # === solution
    size = (y_hat - y).abs()
    losses = torch.where(size < beta, 0.5 * size**2 / beta, size - 0.5 * beta)
    return losses.mean()
    # === stub
    raise NotImplementedError("write smooth_l1, then run this cell and the check below")
    # === end
# === explanation
# At |e| = beta both pieces have the value beta/2 and the slope 1: no jump, no corner. With a tiny beta it is nearly the MAE. The Huber
# loss is beta times this: its slope far out is beta, while here it is always 1.

# %% exercise="05.bce_with_logits"
# === statement
# ### 05.bce_with_logits ●●● Binary cross-entropy that holds
#
# Write `bce_with_logits(z, y)`: the mean of −y log p − (1 − y) log(1 − p) with p = sigmoid(z), **from the logits**, so that value and
# gradient stay right for logits of ±10,000. The check computes the gradient, too. (It leaves out z = 0, the
# trap in section 6 of the lesson. Keep out of it all the same.)
#
# - `z`: logits, a tensor of any shape, floating point
# - `y`: targets of the same shape, floating point: 0, 1 or anything between
# - returns: one number, a tensor of shape (), through which the gradient can go back to z
#
# For example, for z = (2, −1) and both targets 1 it is (log(1 + e⁻²) + log(1 + e¹)) / 2 = (0.1269 + 1.3133) / 2:
# `bce_with_logits(torch.tensor([2.0, -1.0]), torch.tensor([1.0, 1.0]))` is `tensor(0.7201)`.
# === code
def bce_with_logits(z, y):
    """Mean binary cross-entropy of the logits z and the targets y, stable in value and gradient."""
    # === solution
    larger = (z + z.abs()) / 2  # the larger of z and 0
    return (larger - z * y + torch.log1p(torch.exp(-z.abs()))).mean()
    # === stub
    raise NotImplementedError("write bce_with_logits, then run this cell and the check below")
    # === end
# === explanation
# −log p = log(1 + e^(−z)) and −log(1 − p) = z + log(1 + e^(−z)); weighed with y and 1 − y they add up to (1 − y) z + log(1 + e^(−z)), which
# for positive z is max(z, 0) − z·y + log(1 + e^(−|z|)). For negative z one takes e^(−z) out of the logarithm and gets the same line. The
# exponent is never above 0.
#
# `(z + |z|)/2` is the larger of z and 0. `torch.relu(z)` has the same value, but at exactly 0 its slope does not fit the other part's, and
# the gradient is off there.
#
# Adding 1e−7 inside the logarithm, or cutting the probabilities off, silences the error message and flattens the loss where
# the network is most wrong. `torch.nn.functional.softplus(z) - y * z` is another form of the same.

# %% exercise="05.hinge"
# === statement
# ### 05.hinge ● Right is not enough: the hinge
#
# Write `hinge(scores, y)`: the mean of max(0, 1 − y·score). An answer that is right by less than 1 still costs something.
#
# - `scores`: one score for each input, shape (n,), floating point
# - `y`: targets, **−1 or +1**, shape (n,), floating point
# - returns: one number, a tensor of shape ()
#
# For example the scores 2, 0.5 and −1, all with target +1, cost 0, 0.5 and 2:
# `hinge(torch.tensor([2.0, 0.5, -1.0]), torch.ones(3))` is `tensor(0.8333)`.
# === code
def hinge(scores, y):
    """Mean of max(0, 1 − y·score) for targets −1 and +1."""
    # === solution
    return torch.relu(1 - y * scores).mean()
    # === stub
    raise NotImplementedError("write hinge, then run this cell and the check below")
    # === end
# === explanation
# y·score is positive where the sign is right, and its size is the room to the boundary. Beyond 1 the loss is 0, and so is the
# gradient: such points no longer pull. The perceptron's loss is the same with 0 in place of the 1.

# %% exercise="05.cross_entropy"
# === statement
# ### 05.cross_entropy ●● Cross-entropy from logits
#
# Write `cross_entropy(logits, y)`: the mean over the batch of −log softmax(logits) at the right class. It must stay right for
# logits of ±10,000 and for rows at very different heights.
#
# - `logits`: scores, shape (n, k), floating point
# - `y`: class numbers from 0 to k − 1, shape (n,), int64
# - returns: one number, a tensor of shape ()
#
# For example the row (2, 1, 0) with class 0 costs log(e² + e¹ + e⁰) − 2 = 2.4076 − 2 = 0.4076, and (0, 0, 0) with class 2 costs
# log 3 = 1.0986. So `cross_entropy(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 2]))` is `tensor(0.7531)`.
# === code
def cross_entropy(logits, y):
    """Mean of −log softmax(logits) at the class y: (n, k), (n,) -> ()."""
    # === solution
    shifted = logits - logits.amax(dim=1, keepdim=True)  # no exponent above 0
    log_sum = shifted.exp().sum(dim=1, keepdim=True).log()
    log_p = shifted - log_sum  # (n, k)
    return -log_p[torch.arange(len(y)), y].mean()
    # === stub
    raise NotImplementedError("write cross_entropy, then run this cell and the check below")
    # === end
# === explanation
# The logarithm of the quotient is a difference: logit minus log-sum-exp. Shifted by the row's largest logit, the largest exponential is
# 1, so the sum lies between 1 and k and its logarithm is harmless. No probability is ever computed, so none can round to 0.
#
# `log_p[torch.arange(n), y]` picks one entry from each row. `torch.nn.functional.cross_entropy` is the same; it wants logits, and
# probabilities handed to it by mistake raise no error.

# %% exercise="05.weighted_cross_entropy"
# === statement
# ### 05.weighted_cross_entropy ●●● Rare classes count more
#
# Write `weighted_cross_entropy(logits, y, weight)`. Every input's cross-entropy counts with the weight of **its class**, and
# the loss is their weighted mean: the sum of weight times loss, divided by the sum of the weights of these inputs.
#
# - `logits`: (n, k), floating point
# - `y`: class numbers, (n,), int64
# - `weight`: one weight for each class, (k,), none negative, floating point
# - returns: one number, a tensor of shape ()
#
# For example, for logits (1, 0), (0, 0), (2, 0), classes 0, 1, 0 and weights (1, 3): the losses are 0.3133, 0.6931 and 0.1269, the
# weights of the inputs 1, 3 and 1, and the loss is (0.3133 + 3·0.6931 + 0.1269) / 5 = 0.5039. You may use `torch.log_softmax`.
# === code
def weighted_cross_entropy(logits, y, weight):
    """Weighted mean of the cross-entropies: logits (n, k), y (n,), weight (k,) -> ()."""
    # === solution
    losses = -torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y]  # (n,)
    weights = weight[y]  # (n,): each input's own
    return (weights * losses).sum() / weights.sum()
    # === stub
    raise NotImplementedError("write weighted_cross_entropy, then run this cell and the check below")
    # === end
# === explanation
# `weight[y]` looks up the weight of each input's class. Divided by their sum the loss does not depend on the scale of the
# weights, and equal weights give the plain mean. This is what torch does with `weight=` and `reduction="mean"`; many expect a
# division by n.

# %%
progress()
