# %% [markdown]
# # 08 · Exercises: Starting in the right place
#
# They go with [lesson 08](../08_initialization.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="08.xavier_uniform"
# === statement
# ### 08.xavier_uniform ●● Weights that keep the spread both ways
#
# Write `xavier_uniform(fan_in, fan_out, generator, gain=1.0)`, which draws the weights of a layer after Glorot and Bengio: all
# values between −bound and +bound equally likely, with the bound chosen so that the weights' **variance** is
# gain² · 2 / (fan_in + fan_out).
#
# - `fan_in`, `fan_out`: how many numbers go into the layer, and how many come out
# - `generator`: a `torch.Generator`, the only source of chance; `gain`: a factor for the activation that follows
# - returns: W of shape (fan_out, fan_in), float32
#
# For example, for fan_in = 300, fan_out = 100 and gain 1 the variance is 2 / 400 = 0.005. A uniform distribution from −a to a has
# the variance a² / 3, so all weights lie between −0.1225 and 0.1225.
# === code
def xavier_uniform(fan_in, fan_out, generator, gain=1.0):
    """Weights of shape (fan_out, fan_in), uniform, with variance gain² · 2 / (fan_in + fan_out)."""
    # === solution
    bound = gain * (6 / (fan_in + fan_out)) ** 0.5
    return (2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * bound
    # === stub
    raise NotImplementedError("write xavier_uniform, then run this cell and the check below")
    # === end
# === explanation
# The variance a² / 3 must be gain² · 2 / (fan_in + fan_out), so a = gain · √(6 / (fan_in + fan_out)). `torch.rand` gives numbers
# between 0 and 1; doubled and moved down by 1 they lie between −1 and 1.

# %% exercise="08.kaiming_normal"
# === statement
# ### 08.kaiming_normal ●● Weights for a layer with ReLU
#
# Write `kaiming_normal(fan_in, fan_out, generator)`, which draws the weights of a layer after He and others: normally
# distributed around 0, with the standard deviation that keeps the spread of the signal on its way **forward** when every layer
# is followed by a ReLU.
#
# - `fan_in`, `fan_out`: how many numbers go into the layer, and how many come out
# - `generator`: a `torch.Generator`, the only source of chance
# - returns: W of shape (fan_out, fan_in), float32
#
# For example, for fan_in = 200 the standard deviation is 0.1, whatever fan_out is: a ReLU halves the mean of the squares, which
# the weights have to make up for.
# === code
def kaiming_normal(fan_in, fan_out, generator):
    """Weights of shape (fan_out, fan_in), normal, for a layer before a ReLU."""
    # === solution
    return torch.randn(fan_out, fan_in, generator=generator) * (2 / fan_in) ** 0.5
    # === stub
    raise NotImplementedError("write kaiming_normal, then run this cell and the check below")
    # === end
# === explanation
# Each unit adds up fan_in products, so without a ReLU the variance 1 / fan_in would do. The ReLU throws half of the squares away:
# twice the variance, 2 / fan_in. The standard deviation is its root.

# %% exercise="08.same_units"
# === statement
# ### 08.same_units ● How many units are really there?
#
# Two units of a layer are the same if they have the same weights **and** the same bias: they compute the same number for every
# input, and get the same gradient for ever. Write `same_units(W, b)`, which counts how many **different** units a layer has.
#
# - `W`: weights, shape (out, in): a row for each unit; `b`: biases, shape (out,)
# - returns: a whole number (int)
#
# For example, W = ((1, 2), (1, 2), (1, 2), (0, 3)) with b = (0, 0, 5, 0) has 3 different units: the first two are the same, the
# third has another bias.
# === code
def same_units(W, b):
    """How many different units the layer has."""
    # === solution
    units = torch.cat([W, b[:, None]], dim=1)  # (out, in + 1)
    return len(torch.unique(units, dim=0))
    # === stub
    raise NotImplementedError("write same_units, then run this cell and the check below")
    # === end
# === explanation
# A unit is a row of weights together with its bias. `torch.unique(…, dim=0)` keeps one of each kind of row. A Python set of tuples
# does it as well.

# %% exercise="08.batch_norm_train"
# === statement
# ### 08.batch_norm_train ●●● Batch norm while training
#
# Write `batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-05)`. For each feature (column):
# subtract the batch's mean, divide by √(variance + eps) with the **biased** variance (divided by B), multiply by gamma, add
# beta. And renew the running statistics: new = (1 − momentum) · old + momentum · of this batch, where the running variance takes the
# **unbiased** variance (divided by B − 1), as torch does. Change none of the inputs.
#
# - `X`: shape (B, features), B at least 2; `gamma`, `beta`, `running_mean`, `running_var`: shape (features,)
# - returns: the output of shape (B, features), the new running mean, the new running variance
#
# For example, one feature with the values 1 and 5, gamma 2, beta 10, running mean 0, running variance 1: mean 3, biased
# variance 4, unbiased 8. The output is 10 + 2 · (−1) = 8 and 12, the new running mean 0.3, the new running variance
# 0.9 + 0.8 = 1.7.
# === code
def batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    """The batch, normalised by its own statistics, and the new running statistics."""
    # === solution
    mean, var = X.mean(dim=0), X.var(dim=0, unbiased=False)
    out = gamma * (X - mean) / torch.sqrt(var + eps) + beta
    new_mean = (1 - momentum) * running_mean + momentum * mean
    new_var = (1 - momentum) * running_var + momentum * X.var(dim=0)
    return out, new_mean, new_var
    # === stub
    raise NotImplementedError("write batch_norm_train, then run this cell and the check below")
    # === end
# === explanation
# Two variances: the biased one describes this batch, and is what makes its spread 1. The unbiased one is the better guess for
# all the data, which is what the running variance is for. `momentum` is the weight of the new, not of the old.

# %% exercise="08.batch_norm_eval"
# === statement
# ### 08.batch_norm_eval ● Batch norm in use
#
# In evaluation batch norm looks at no batch: it uses the running statistics. Write
# `batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-05)`.
#
# - `X`: shape (B, features), B may be 1; the others: shape (features,)
# - returns: the output, shape (B, features)
#
# For example, for X = ((7)), gamma 2, beta 10, running mean 3, running variance 4 the output is 10 + 2 · (7 − 3) / √4 = 14, up to
# the tiny eps that is added to the variance.
# === code
def batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-5):
    """The batch, normalised by the running statistics."""
    # === solution
    return gamma * (X - running_mean) / torch.sqrt(running_var + eps) + beta
    # === stub
    raise NotImplementedError("write batch_norm_eval, then run this cell and the check below")
    # === end
# === explanation
# The same formula with numbers that are fixed now. So each example is treated alone, whatever else is in the batch, and a batch of one
# works.

# %% exercise="08.layer_norm"
# === statement
# ### 08.layer_norm ●● Each example by itself
#
# Write `layer_norm(X, gamma, beta, eps=1e-05)`, which normalises each example over its own features: the **last** axis, however
# many axes there are. Subtract the mean over it, divide by √(biased variance + eps), multiply by gamma, add beta.
#
# - `X`: shape (…, features): (B, features), or (B, T, features), or one example alone
# - `gamma`, `beta`: shape (features,)
# - returns: the output, in the shape of X
#
# For example, X = ((1, 5), (10, 30)) with gamma = (1, 1) and beta = (0, 0) gives ((−1, 1), (−1, 1)), up to the tiny eps.
# === code
def layer_norm(X, gamma, beta, eps=1e-5):
    """Each example normalised over its own features."""
    # === solution
    mean = X.mean(dim=-1, keepdim=True)
    var = X.var(dim=-1, unbiased=False, keepdim=True)
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta
    # === stub
    raise NotImplementedError("write layer_norm, then run this cell and the check below")
    # === end
# === explanation
# Counting from the end, `dim=-1` is the features' axis for any number of axes. `keepdim=True` keeps the axis with length 1, so that
# each example meets its own mean.

# %%
progress()
