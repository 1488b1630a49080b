# %% [markdown]
# # 02 · Exercises: The bend that makes depth worth it
#
# They go with [lesson 02](../02_activations.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="02.collapse"
# === statement
# ### 02.collapse ●● Two linear layers are one
#
# Two linear layers without a bend between them: first h = W1 x + b1, then y = W2 h + b2. Write
# `collapse(W1, b1, W2, b2)`: weight and bias of the one layer y = W x + b that does the same for every x.
#
# - `W1`: (hidden, inputs), `b1`: (hidden,), `W2`: (outputs, hidden), `b2`: (outputs,), floating point, as `nn.Linear`
#   stores them
# - returns: a tuple `(W, b)`: `W` of shape (outputs, inputs), `b` of shape (outputs,)
#
# For example, with
# ```
# W1 = torch.tensor([[1.0, 2.0], [0.0, 1.0]]);  b1 = torch.tensor([1.0, -1.0])
# W2 = torch.tensor([[1.0, 0.0], [3.0, 1.0]]);  b2 = torch.tensor([0.0, 10.0])
# ```
# the result is `W = tensor([[1., 2.], [3., 7.]])` and `b = tensor([1., 12.])`. Try it with x = (1, 1): the first layer gives
# (4, 0), the second (4, 22), and W x + b = (1 + 2 + 1, 3 + 7 + 12) = (4, 22) as well.
# === code
def collapse(W1, b1, W2, b2):
    """W, b of the one linear layer that equals layer 1 followed by layer 2."""
    # === solution
    return W2 @ W1, W2 @ b1 + b2
    # === stub
    raise NotImplementedError("write collapse, then run this cell and the check below")
    # === end
# === explanation
# Put the first layer into the second and multiply out:
# $W_2(W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2)$. What stands before $x$ is $W$; the rest is $b$. The first bias
# goes through the second layer's weights like everything else the first layer hands on.
#
# `W2 @ W1` stands in the opposite order to the layers, since the matrix that acts first stands next to x. However many
# linear layers are stacked, this works pair by pair: without a bend, depth buys nothing.

# %% exercise="02.tanh_from_sigmoid"
# === statement
# ### 02.tanh_from_sigmoid ● tanh is a stretched sigmoid
#
# tanh and the sigmoid have the same shape. Write `tanh_from_sigmoid(z)`, which gives tanh of z, from `torch.sigmoid` and
# simple arithmetic. Try it without `torch.tanh`: the check cannot see how you did it, you can.
#
# - `z`: a tensor of any shape, floating point
# - returns: a tensor of the same shape, all entries from −1 to 1
#
# For example `tanh_from_sigmoid(torch.tensor([-1.0, 0.0, 1.0]))` is `tensor([-0.7616, 0.0000, 0.7616])`. To compare: the
# sigmoid of 1 is 0.7311, the sigmoid of 2 is 0.8808.
# === code
def tanh_from_sigmoid(z):
    """tanh(z), made of the sigmoid."""
    # === solution
    return 2 * torch.sigmoid(2 * z) - 1
    # === stub
    raise NotImplementedError("write tanh_from_sigmoid, then run this cell and the check below")
    # === end
# === explanation
# $\tanh z = 2\,\sigma(2z) - 1$. The outer 2 makes the curve 2 high, the −1 centres it, and the inner 2 gives it the right
# slope: at 0 the sigmoid has slope 0.25, and $2 \cdot 2 \cdot 0.25 = 1$, the slope of tanh. In numbers, at $z = 1$:
# $2 \cdot 0.8808 - 1 = 0.7616$.
#
# The proof is one line: $\frac{2}{1+e^{-2z}} - 1 = \frac{1-e^{-2z}}{1+e^{-2z}}$, and multiplied by $e^{z}$ above and below
# that is $\frac{e^{z}-e^{-z}}{e^{z}+e^{-z}}$, the definition of tanh.

# %% exercise="02.leaky_relu"
# === statement
# ### 02.leaky_relu ● A ReLU that leaks
#
# Write `leaky_relu(z, slope=0.01)`: it passes positive numbers unchanged and multiplies all others by `slope`.
#
# - `z`: a tensor of any shape, floating point
# - `slope`: a number from 0 to 1; 0.01 if it is not given
# - returns: a tensor of the same shape as `z`; `z` itself stays as it was
#
# For example `leaky_relu(torch.tensor([-2.0, -0.5, 0.0, 3.0]), 0.1)` is `tensor([-0.2000, -0.0500, 0.0000, 3.0000])`.
# === code
def leaky_relu(z, slope=0.01):
    """z where it is positive, slope * z elsewhere."""
    # === solution
    return torch.where(z > 0, z, slope * z)
    # === stub
    raise NotImplementedError("write leaky_relu, then run this cell and the check below")
    # === end
# === explanation
# `torch.where` takes each entry from `z` where the condition holds and from `slope * z` elsewhere. At 0 both are 0, so
# `>` and `>=` give the same.
#
# `torch.maximum(z, slope * z)` is the same for slopes up to 1: a positive number is larger than a part of itself, a
# negative one is smaller. Changing `z[z < 0]` in place gives the right numbers too, but the caller's `z` changes with it.

# %% exercise="02.sigmoid_slope"
# === statement
# ### 02.sigmoid_slope ● The slope from the output
#
# When a layer has computed its outputs a = σ(z), it often keeps them and forgets z. Write `sigmoid_slope(a)`: the slope of
# the sigmoid at that point, from `a` alone.
#
# - `a`: a tensor of any shape, floating point: outputs of a sigmoid, so all entries are from 0 to 1
# - returns: the slopes, a tensor of the same shape, all entries from 0 to 0.25
#
# For example `sigmoid_slope(torch.tensor([0.1, 0.5, 0.8]))` is `tensor([0.0900, 0.2500, 0.1600])`.
# === code
def sigmoid_slope(a):
    """The slope of the sigmoid where its output is a."""
    # === solution
    return a * (1 - a)
    # === stub
    raise NotImplementedError("write sigmoid_slope, then run this cell and the check below")
    # === end
# === explanation
# With $\sigma = (1+e^{-z})^{-1}$ the chain rule gives
# $\sigma' = \frac{e^{-z}}{(1+e^{-z})^2} = \frac{1}{1+e^{-z}} \cdot \frac{e^{-z}}{1+e^{-z}}$. The first factor is $a$, the
# second is $1 - a$. So $\sigma' = a(1-a)$: largest at $a = 0.5$, where it is 0.25, and 0 at both ends, where the neuron is
# saturated.
#
# That is why a network need not keep z: the output says how much gradient will get through.

# %% exercise="02.dead_fraction"
# === statement
# ### 02.dead_fraction ●● How many units are dead?
#
# A ReLU unit is **dead** if its output is 0 for every sample: no gradient reaches its weights any more. Write
# `dead_fraction(a)`: the fraction of units that are 0 for the whole batch.
#
# - `a`: outputs of a ReLU layer, a tensor of shape (batch, units), all entries 0 or more
# - returns: a Python `float` from 0 to 1, not a tensor that holds one
#
# For example
# ```
# a = torch.tensor([[0.0, 1.0, 0.0, 0.0],
#                   [0.0, 2.0, 0.0, 0.0],
#                   [0.0, 0.0, 3.0, 0.0]])
# ```
# has 3 samples and 4 units. The first and the last unit are dead, so `dead_fraction(a)` is `0.5`, though 9 of the 12
# outputs are 0.
# === code
def dead_fraction(a):
    """The fraction of units (columns) that are 0 for the whole batch."""
    # === solution
    dead = (a == 0).all(dim=0)  # (units,)
    return dead.float().mean().item()
    # === stub
    raise NotImplementedError("write dead_fraction, then run this cell and the check below")
    # === end
# === explanation
# First each unit is judged: `all(dim=0)` runs down the batch and leaves one True or False for each unit. Then the units
# are counted: True is 1 and False is 0, so the mean is the fraction. `.item()` takes the number out of the tensor.
#
# The order matters. The mean of `a == 0` over everything measures **sparsity**, here 9/12 = 0.75, which is healthy: a ReLU
# unit answers some samples and is silent for others. Since no output is negative, `a.sum(dim=0) == 0` finds the dead
# units as well.

# %% exercise="02.sigmoid"
# === statement
# ### 02.sigmoid ●● A sigmoid that never overflows
#
# `torch.exp(torch.tensor(1000.0))` is `inf`, without a word of warning. We measured what that does to the two ways of
# writing the sigmoid:
#
# | formula | at z = −1000 | at z = 1000 |
# |---|---|---|
# | 1 / (1 + e^(−z)) | 1/(1 + inf) = 0: right, but its gradient is NaN | 1 |
# | e^z / (1 + e^z) | 0 | inf/inf = NaN |
#
# Write `sigmoid(z)` so that no step on the way gives `inf`, whatever the size of z: the check looks at every step, and
# stops at the first that does. Build it from `torch.exp`; `torch.sigmoid` would pass too, but only your own teaches you how.
#
# - `z`: a tensor of any shape, floating point
# - returns: a tensor of the same shape, all entries from 0 to 1
#
# For example `sigmoid(torch.tensor([-1000.0, 0.0, 2.0, 1000.0]))` is `tensor([0.0000, 0.5000, 0.8808, 1.0000])`, for
# 1 / (1 + e^(−2)) = 1 / 1.1353 = 0.8808.
# === code
def sigmoid(z):
    """1 / (1 + e^(-z)) for a tensor of any shape, without inf on the way."""
    # === solution
    t = torch.exp(-z.abs())  # from 0 to 1, never more
    return torch.where(z >= 0, 1 / (1 + t), t / (1 + t))
    # === stub
    raise NotImplementedError("write sigmoid, then run this cell and the check below")
    # === end
# === explanation
# The exponential only overflows upwards: $e^{-1000}$ is 0 in float32, which is as good as true. So it is given $-|z|$,
# which is never positive. For $z \ge 0$ that is the first formula, $1/(1+e^{-z})$. For $z < 0$ it is the second,
# $e^{z}/(1+e^{z})$, which is the first one multiplied by $e^{z}$ above and below.
#
# `torch.where` with the two plain formulas is not enough: both are computed for all of z before one is taken.
# Cutting z off with `z.clamp(-80, 80)` works too, and so does $\frac12(1 + \tanh\frac z2)$. In your own models use
# `torch.sigmoid`, which is safe in value and gradient.

# %% exercise="02.softmax"
# === statement
# ### 02.softmax ●●● Softmax along a dimension
#
# Close the lesson and write `softmax(z, dim)`, starting from `torch.exp`: the logits of each slice of `z` along `dim` (with
# `dim` 1 each row, with 0 each column) become shares. They are from 0 to 1 and sum to 1, and each is proportional to e to
# the power of its logit. It must work along any dimension, for large logits, and for rows at very different heights.
#
# - `z`: logits, a tensor with one or more dimensions, floating point
# - `dim`: the dimension along which the result sums to 1, a whole number; may be negative, −1 is the last one
# - returns: a tensor of the same shape as `z`
#
# For example, with `z = torch.tensor([[0.0, 0.0], [1.0, 3.0]])`, `softmax(z, 1)` is
# `tensor([[0.5000, 0.5000], [0.1192, 0.8808]])`: each row sums to 1, and 1 / (1 + e²) = 0.1192. Along dimension 0,
# `softmax(z, 0)` is `tensor([[0.2689, 0.0474], [0.7311, 0.9526]])`: now each column does. And
# `softmax(torch.tensor([1000.0, 1001.0]), 0)` is `tensor([0.2689, 0.7311])`, not NaN.
# === code
def softmax(z, dim):
    """e^z, divided by its sum along dim, without overflow."""
    # === solution
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))  # no exponent above 0
    return e / e.sum(dim=dim, keepdim=True)
    # === stub
    raise NotImplementedError("write softmax, then run this cell and the check below")
    # === end
# === explanation
# Subtracting the same $c$ from all logits of a slice multiplies each $e^{z}$ by $e^{-c}$, above and below the fraction
# line, and so changes nothing. With $c$ = the largest logit of the slice the largest exponent is 0: nothing overflows, and
# the sum is at least 1, so nothing is divided by 0.
#
# The largest logit of the *whole* tensor would stop the overflow too. But a row that lies 500 lower is then all
# $e^{-500} = 0$ in float32, and 0/0 is NaN. `keepdim=True` keeps the summed dimension with size 1, so that (B, 1) lines up
# with (B, C). `torch.softmax(z, dim)` does all of this.

# %%
progress()
