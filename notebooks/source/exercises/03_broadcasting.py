# %% [markdown]
# # 03 · Exercises: Thinking in shapes
#
# They go with [lesson 03](../03_broadcasting.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="03.outer"
# === statement
# ### 03.outer ● Every entry with every other
#
# Write `outer(x, y)`: the table of all products of an entry of `x` with an entry of `y`. Row i belongs to `x[i]`, column j to
# `y[j]`. Let broadcasting do it: no loop, and no ready-made product.
#
# - `x`: (n,), `y`: (m,), both of the same type, floating point or whole numbers
# - returns: a tensor of shape (n, m) of the same type
#
# For example `outer(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 100.0]))` is
# `tensor([[10., 100.], [20., 200.], [30., 300.]])`.
# === code
def outer(x, y):
    """All products of an entry of x (n,) with one of y (m,), as a table (n, m)."""
    # === solution
    return x[:, None] * y  # (n, 1) times (m,): both are stretched to (n, m)
    # === stub
    raise NotImplementedError("write outer, then run this cell and the check below")
    # === end
# === explanation
# `x[:, None]` stands x up as a column (n, 1). Against the row (m,), which counts as (1, m), the column is stretched to the
# right and the row downwards: every pair meets once. `torch.outer` does the same, and so does the product of matrices
# (n, 1) @ (1, m). With another sign between the two you have a table of all sums, differences or comparisons.

# %% exercise="03.one_hot"
# === statement
# ### 03.one_hot ● A one at the right place
#
# A class number such as 2 has no size; it is a name. A network needs it as a row with a 1 at place 2 and zeros elsewhere.
# Write `one_hot(y, k)` with **one comparison** of two shapes that broadcast.
#
# - `y`: labels from 0 to k − 1, shape (n,), int64
# - `k`: how many classes there are, a whole number
# - returns: a tensor of shape (n, k), float32
#
# For example `one_hot(torch.tensor([2, 0]), 4)` is `tensor([[0., 0., 1., 0.], [1., 0., 0., 0.]])`.
# === code
def one_hot(y, k):
    """A row for each label (n,), with a 1 at its place: (n, k), float32."""
    # === solution
    return (y[:, None] == torch.arange(k)).float()  # (n, 1) against (k,)
    # === stub
    raise NotImplementedError("write one_hot, then run this cell and the check below")
    # === end
# === explanation
# Every label (n, 1) is compared with every class (k,): n·k answers, of which exactly one in each row is True. `.float()`
# makes ones and zeros of them. `torch.eye(k)[y]` picks rows of the identity, which is the same thing, and
# `torch.nn.functional.one_hot(y, k)` gives whole numbers.

# %% exercise="03.safe_mse"
# === statement
# ### 03.safe_mse ● A loss that refuses
#
# The mean squared error of predictions (n, 1) and targets (n,) is a number that looks like any other, and it is wrong. Write
# `safe_mse(y_hat, y)`, which gives the mean of the squared differences if the two shapes are **equal**, and raises a
# `ValueError` otherwise, even where broadcasting would be possible.
#
# - `y_hat`, `y`: tensors of any shape, floating point
# - returns: one number, a tensor of shape ()
# - raises: `ValueError` if the shapes differ in anything
#
# For example `safe_mse(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 4.0, 3.0]))` is (0 + 4 + 1) / 3 = `tensor(1.6667)`.
# With `y_hat` of shape (3, 1) and `y` of shape (3,) it raises.
# === code
def safe_mse(y_hat, y):
    """Mean squared error of two tensors of one shape; ValueError if the shapes differ."""
    # === solution
    if y_hat.shape != y.shape:
        raise ValueError(f"predictions {tuple(y_hat.shape)} against targets {tuple(y.shape)}")
    return (y_hat - y).square().mean()
    # === stub
    raise NotImplementedError("write safe_mse, then run this cell and the check below")
    # === end
# === explanation
# The comparison looks at all axes at once, in number and size. Flattening both instead would make (n, 1) and (n,) fit, but
# would let a column meet a row, too: a mistake is to be shown, not bent until it fits. torch's own `mse_loss` only warns.

# %% exercise="03.broadcast_shape"
# === statement
# ### 03.broadcast_shape ●● The rule itself
#
# Write `broadcast_shape(a, b)`: the shape that two tensors of shapes `a` and `b` have together, for example when added. If
# they do not fit, it raises a `ValueError`.
#
# - `a`, `b`: shapes, tuples of whole numbers, 0 and 1 among them; `()` is the shape of a single number
# - returns: a tuple of whole numbers
# - raises: `ValueError` if the shapes do not fit
#
# For example `broadcast_shape((3, 1), (4,))` is `(3, 4)`, and `broadcast_shape((3,), (4,))` raises. Think of an axis of size 0
# (an empty batch), too: the rule knows no exception for it.
# === code
def broadcast_shape(a, b):
    """The shape that shapes a and b broadcast to; ValueError if they do not fit."""
    # === solution
    a = (1,) * (len(b) - len(a)) + tuple(a)  # a negative number of ones is none
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b, strict=True):
        if m != n and m != 1 and n != 1:
            raise ValueError(f"{m} meets {n}: they differ, and neither is 1")
        shape.append(n if m == 1 else m)
    return tuple(shape)
    # === stub
    raise NotImplementedError("write broadcast_shape, then run this cell and the check below")
    # === end
# === explanation
# Line by line the three rules: ones in front of the shorter shape; a 1 takes on the other's size; anything else that differs
# is refused. "Take the larger of the two" sounds the same, but is not: 1 against 0 gives 0, since an empty axis has nothing
# to offer. `torch.broadcast_shapes` is torch's version.

# %% exercise="03.standardize"
# === statement
# ### 03.standardize ●● Columns on one scale
#
# Features come in different units: metres, years, money. Write `standardize(X)`: subtract from each column its mean and
# divide it by its standard deviation, so that every column has mean 0 and deviation 1. The deviation is the root of the
# **mean** squared distance from the mean (divided by n, not by n − 1). A column in which all numbers are equal becomes zeros.
#
# - `X`: inputs, shape (n, features), floating point
# - returns: a tensor of the same shape
#
# For example the columns of `torch.tensor([[1.0, 10.0], [3.0, 10.5], [5.0, 11.0]])` both become (−1.2247, 0, 1.2247): in the
# first the mean is 3 and the deviation √((4 + 0 + 4)/3) = 1.633, and −2/1.633 = −1.2247.
# === code
def standardize(X):
    """Each column of X (n, features) with mean 0 and standard deviation 1; a constant one becomes zeros."""
    # === solution
    centred = X - X.mean(dim=0)  # (n, features)
    std = centred.square().mean(dim=0).sqrt()  # (features,)
    return centred / torch.where(std > 0, std, 1.0)
    # === stub
    raise NotImplementedError("write standardize, then run this cell and the check below")
    # === end
# === explanation
# `X.mean(dim=0)` has one number for each column, and (features,) against (n, features) lines up with the columns by itself. In
# a constant column `centred` is 0 throughout; divided by 1 instead of by 0 it stays 0.
#
# `X.std(dim=0)` divides by n − 1, which estimates the deviation of the population that the rows were drawn from;
# `X.std(dim=0, correction=0)` divides by n. With many rows the difference is nothing; here we want exactly 1.
#
# One trap is left: a column of thirty 0.1s has a mean that is rounded, so its deviation is not quite 0. Whoever must be sure asks
# the numbers themselves: `(X == X[:1]).all(dim=0)`, as `utils.built.shapes.standardize` does.

# %% exercise="03.unbroadcast"
# === statement
# ### 03.unbroadcast ●●● A gradient back to its shape
#
# A tensor of shape `shape` was stretched, and the loss has a gradient for every stretched place. Write
# `unbroadcast(gradient, shape)`: the gradient of the tensor itself. A number that was used many times gets the **sum** of the
# gradients of all its copies.
#
# - `gradient`: a tensor, floating point, of a shape to which `shape` can be stretched
# - `shape`: a tuple of whole numbers
# - returns: a tensor of shape `shape`
#
# For example, for `gradient = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])`: `unbroadcast(gradient, (2,))` is
# `tensor([9., 12.])`, `unbroadcast(gradient, (3, 1))` is `tensor([[3.], [7.], [11.]])`, and `unbroadcast(gradient, ())` is
# `tensor(21.)`.
# === code
def unbroadcast(gradient, shape):
    """The gradient of a stretched tensor, summed back to the tensor's own shape."""
    # === solution
    while gradient.dim() > len(shape):
        gradient = gradient.sum(dim=0)  # axes that were added on the left
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(dim=axis, keepdim=True)  # axes that were stretched from 1
    return gradient
    # === stub
    raise NotImplementedError("write unbroadcast, then run this cell and the check below")
    # === end
# === explanation
# Stretching repeats, and the way back adds up. First the axes in front go, one after the other; then every axis on which
# `shape` says 1 is summed and kept with size 1. Where the gradient's axis is 1 as well, the sum changes nothing.
#
# `gradient.sum_to_size(shape)` is torch's own. This is what makes the gradient of a bias the sum over the batch (lesson 06).

# %% exercise="03.pairwise_sq_distances"
# === statement
# ### 03.pairwise_sq_distances ●●● All distances at once
#
# Write `pairwise_sq_distances(X, Y)`: the squared distance of every point of `X` from every point of `Y`. Three things are
# asked for: **no loop**; **no tensor of shape (n, m, d)** on the way (10,000 points of 784 numbers would need 314 GB); and
# **nothing below 0**, though rounding makes 0 slightly negative now and then.
#
# - `X`: n points, shape (n, d), `Y`: m points, shape (m, d), floating point
# - returns: a tensor of shape (n, m)
#
# For example, for `X = torch.tensor([[0.0, 0.0], [3.0, 4.0]])` and `Y = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]])` it is
# `tensor([[0., 9., 1.], [25., 16., 18.]])`. Think of (x − y)² = x² + y² − 2xy.
# === code
def pairwise_sq_distances(X, Y):
    """Squared distances between the rows of X (n, d) and of Y (m, d): (n, m), never below 0."""
    # === solution
    squares = X.square().sum(dim=1, keepdim=True) + Y.square().sum(dim=1)  # (n, 1) + (m,)
    return (squares - 2 * X @ Y.T).clamp(min=0)  # (n, m)
    # === stub
    raise NotImplementedError("write pairwise_sq_distances, then run this cell and the check below")
    # === end
# === explanation
# |x − y|² = |x|² + |y|² − 2 x·y for points as for numbers. The first part is a column, the second a row, the third one product of
# matrices, which is what a computer does fastest. Nothing larger than (n, m), (n, d) or (m, d) is made.
#
# The price: where two points nearly coincide, two nearly equal numbers are subtracted, and what is left is rounding, sometimes
# below 0. `clamp(min=0)` cuts that off. `torch.cdist` does the same for larger sets and takes the root.

# %%
progress()
