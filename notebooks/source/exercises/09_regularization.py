# %% [markdown]
# # 09 · Exercises: Learning, not memorising
#
# They go with [lesson 09](../09_regularization.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import copy

import torch
from torch import nn
from torch.nn import functional as F

from utils.checks import check, hint, progress

# %% exercise="09.split"
# === statement
# ### 09.split ●● Divide without a leak
#
# Write `split(X, y, share, generator)`: shuffle the examples, give the share `share` of them (rounded to a whole number with
# `round`) to the validation set and the rest to the training set, and standardise **both** parts feature by feature with what
# the **training part** knows: subtract its mean, divide by its standard deviation (`.std(dim=0)`). The data that were handed over are
# not changed.
#
# - `X`: inputs, shape (n, features), `y`: targets, shape (n,); `share`: between 0 and 1
# - `generator`: a `torch.Generator`; `torch.randperm(n, generator=generator)` is the only draw that is needed
# - returns: X_train, y_train, X_val, y_val, in this order
#
# For example, with 10 examples and share 0.3 the validation set has 3 of them and the training set the other 7. If the training
# values of a feature are 2, 4 and 6, a validation value 10 becomes (10 − 4) / 2 = 3.
# === code
def split(X, y, share, generator):
    """X_train, y_train, X_val, y_val: shuffled, divided, standardised by the training part."""
    # === solution
    order = torch.randperm(len(X), generator=generator)
    n_val = round(share * len(X))
    val, train = order[:n_val], order[n_val:]
    mean, std = X[train].mean(dim=0), X[train].std(dim=0)
    return (X[train] - mean) / std, y[train], (X[val] - mean) / std, y[val]
    # === stub
    raise NotImplementedError("write split, then run this cell and the check below")
    # === end
# === explanation
# Divide first, compute then. Mean and deviation of all examples would carry knowledge about the validation set into the
# training. One order for inputs and targets keeps each beside its own.

# %% exercise="09.l2_penalty"
# === statement
# ### 09.l2_penalty ● A tax on large weights
#
# Write `l2_penalty(model, strength)`: strength times the sum of the squares of all **weights** of the model, to be added to the loss.
# Biases are left out. Every weight in this exercise has two axes or more, every bias has one.
#
# - `model`: any module; `model.parameters()` gives its weights and biases
# - `strength`: a float
# - returns: a tensor of shape (), through which the gradient can go back
#
# For example, a layer with the weights 3, −1 and 0.1 and the bias 5 has, with strength 0.01, the penalty 0.01 · 10.01 = 0.1001.
# === code
def l2_penalty(model, strength):
    """strength · sum of w² over all weights, biases left out."""
    # === solution
    return strength * sum((p**2).sum() for p in model.parameters() if p.ndim > 1)
    # === stub
    raise NotImplementedError("write l2_penalty, then run this cell and the check below")
    # === end
# === explanation
# Python's `sum` adds the layers' tensors up and keeps the way back for the gradient. Each weight is pulled towards 0 by
# 2 · strength · w. A bias only shifts a unit; there is nothing wrong with a large one.

# %% exercise="09.l1_penalty"
# === statement
# ### 09.l1_penalty ● A tax that makes zeros
#
# Write `l1_penalty(model, strength)`: strength times the sum of the sizes |w| of all **weights** of the model. Biases (the parameters with
# one axis) are left out.
#
# - `model`: any module; `strength`: a float
# - returns: a tensor of shape (), through which the gradient can go back
#
# For example, a layer with the weights 3, −1 and 0.1 and the bias 5 has, with strength 0.01, the penalty 0.01 · 4.1 = 0.041.
# === code
def l1_penalty(model, strength):
    """strength · sum of |w| over all weights, biases left out."""
    # === solution
    return strength * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)
    # === stub
    raise NotImplementedError("write l1_penalty, then run this cell and the check below")
    # === end
# === explanation
# The slope of |w| is +1 or −1, however small w is: every weight that the data do not insist on is pulled right down to zero.

# %% exercise="09.dropout"
# === statement
# ### 09.dropout ●● Unreliable units
#
# Write `dropout(a, p, training, generator)`, inverted dropout. In training each activation is set to 0 with probability p, by a draw of its own,
# and those that stay are divided by 1 − p. Otherwise `a` comes back as it is. `a` itself is not changed.
#
# - `a`: activations, of any shape; `p`: at least 0 and less than 1; `training`: True or False
# - `generator`: a `torch.Generator`, the only source of chance; `torch.rand(a.shape, generator=generator)` gives numbers from 0 to 1
# - returns: a tensor of the shape of `a`
#
# For example, a = (2, 1, 3) with p = 0.5 may become (4, 0, 6) at one call and (0, 2, 6) at the next.
# === code
def dropout(a, p, training, generator):
    """Inverted dropout: zero with probability p, else a / (1 - p); in use nothing is done."""
    # === solution
    if not training:
        return a
    keep = torch.rand(a.shape, generator=generator) >= p
    return a * keep / (1 - p)
    # === stub
    raise NotImplementedError("write dropout, then run this cell and the check below")
    # === end
# === explanation
# A uniform number is at least p with probability 1 − p. Those that are kept grow by 1 / (1 − p), so that the mean over many draws is what
# it was, and nothing has to be done in use.

# %% exercise="09.early_stopping"
# === statement
# ### 09.early_stopping ●●● Stop in time
#
# Write the class `EarlyStopping(patience)`. After every epoch its method `update(loss, model)` is told the validation loss. If it is lower than
# all before, the object keeps it as `best_loss`, and a **copy** of the model's state dict as `best_weights`. It returns True when it is time
# to stop: when the last `patience` epochs all brought nothing better. Equal is not better.
#
# - `patience`: a whole number, at least 1; `loss`: a float; `model`: a module, `model.state_dict()` is a dict of its tensors
# - attributes: `best_loss` (infinite at first), `best_weights` (None at first), a dict of tensors in the model's shapes
# - `update` returns: True or False
#
# For example, with patience 2 and the losses 1.0, 0.7, 0.6, 0.65, 0.55, 0.58, 0.60 it returns six times False and then True, and
# `best_weights` are those of the fifth epoch.
# === code
class EarlyStopping:
    """Keeps the best weights and says when to stop."""

    def __init__(self, patience):
        # === solution
        self.patience, self.waited = patience, 0
        self.best_loss, self.best_weights = float("inf"), None

    def update(self, loss, model):
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience
        # === stub
        raise NotImplementedError("write EarlyStopping, then run this cell and the check below")
        # === end
# === explanation
# The state dict holds the model's own tensors, which the next step changes in place; only a copy stays what it is. Each better epoch sets
# the waiting back to 0.

# %% exercise="09.random_shift"
# === statement
# ### 09.random_shift ●●● New pictures from old ones
#
# Write `random_shift(images, most, generator)`: every picture is moved by a whole number of pixels **of its own**, from −most to +most up or
# down, and from −most to +most to the left or right, all equally likely. What leaves the picture is lost; zeros come in on the other side.
#
# - `images`: shape (B, H, W); `most`: a whole number, smaller than H and W
# - `generator`: a `torch.Generator`, the only source of chance; `torch.randint(low, high, shape, generator=generator)` draws whole numbers
#   from low to high − 1
# - returns: new images, shape (B, H, W)
#
# For example, with most = 1 there are 9 possible places for each picture. A picture ((1, 2), (3, 4)) moved one pixel to the right is
# ((0, 1), (0, 3)). (`F.pad(images, (most, most, most, most))` puts a border of zeros around each picture.)
# === code
def random_shift(images, most, generator):
    """Every picture moved by a few pixels of its own; zeros come in."""
    # === solution
    B, H, W = images.shape
    padded = F.pad(images, (most, most, most, most))
    moved = torch.zeros_like(images)
    for i in range(B):
        top, left = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
        moved[i] = padded[i, top : top + H, left : left + W]
    return moved
    # === stub
    raise NotImplementedError("write random_shift, then run this cell and the check below")
    # === end
# === explanation
# A window of the old size over the picture with its border: at the place (most, most) it shows the original, one pixel further up the picture
# has moved one pixel down. Every picture draws a window of its own.

# %% exercise="09.ensemble"
# === statement
# ### 09.ensemble ● Several heads
#
# Write `ensemble(models, X)`: the mean of the **probabilities** that several classifiers give.
#
# - `models`: a list of modules; each gives logits of shape (B, k); `X`: inputs, shape (B, …)
# - returns: a tensor of shape (B, k), each row adds up to 1
#
# For example, two models with the probabilities (0.9, 0.1) and (0.4, 0.6) for an example give (0.65, 0.35).
# === code
def ensemble(models, X):
    """The mean of the models' probabilities, shape (B, k)."""
    # === solution
    return torch.stack([model(X).softmax(dim=1) for model in models]).mean(dim=0)
    # === stub
    raise NotImplementedError("write ensemble, then run this cell and the check below")
    # === end
# === explanation
# `stack` puts the models on an axis of their own in front, (models, B, k), and the mean goes along it. The softmax comes first: the mean of
# logits would be another committee, in which the loudest counts most.

# %%
progress()
