# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercises 01 · One neuron draws a line
#
# Six exercises for [lesson 01](../01_perceptron.ipynb), in the order of its sections. `X` is a table of
# inputs, one in each row; `y` holds their classes, 0 or 1; a neuron has weights `w` and a bias `b`, and
# says 1 where $w \cdot x + b \ge 0$.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="01.neuron"
# === statement
# ### 01.neuron ● A neuron
#
# Close the lesson and write a neuron with a step for a whole batch of inputs: `neuron(X, w, b)`.
#
# - `X`: shape `(n, d)`, `float32`: n inputs with d features each
# - `w`: shape `(d,)`, `float32`; `b`: shape `()`, `float32`
# - returns: shape `(n,)`, `int64`: for each input 1 where $z = w \cdot x + b \ge 0$, else 0
#
# Example with w = (2, −1) and b = −1:
#
# | input | z | answer |
# |---|---|---|
# | (1, 2) | 2 − 2 − 1 = −1 | 0 |
# | (3, 0) | 6 − 0 − 1 = 5 | 1 |
# | (0, 1) | 0 − 1 − 1 = −2 | 0 |
# | (1, 1) | 2 − 1 − 1 = 0 | 1 |
# === code
def neuron(X, w, b):
    """One neuron with a step: for each row of X (n, d) 1 where w·x + b >= 0, else 0."""
    # === solution
    z = X @ w + b  # (n, d) @ (d,) + () -> (n,)
    return (z >= 0).long()
    # === stub
    raise NotImplementedError("write neuron, then run this cell and the check below")
    # === end
# === explanation
# `X @ w` is the dot product of each row with `w`: n numbers. `b` is added to all of them. The comparison
# gives True and False, `.long()` makes 1 and 0 of them. `(X * w).sum(dim=1) + b` is the same sum written
# out, and a loop over the rows is right too, only slower. At z = 0 the answer is 1: a convention, but one
# that everybody in a program must share.

# %% exercise="01.gates"
# === statement
# ### 01.gates ● Weights for AND, OR and NAND
#
# With inputs that are 0 or 1 a neuron can be a logic gate. Find weights for three of them and return them
# from `gates()`: a `dict` with the keys `"AND"`, `"OR"` and `"NAND"` whose values are three numbers each,
# `(w1, w2, b)`.
#
# | x1 | x2 | AND | OR | NAND |
# |---|---|---|---|---|
# | 0 | 0 | 0 | 0 | 1 |
# | 0 | 1 | 0 | 1 | 1 |
# | 1 | 0 | 0 | 1 | 1 |
# | 1 | 1 | 1 | 1 | 0 |
#
# The neuron says 1 where w1·x1 + w2·x2 + b ≥ 0. Many answers are right; the check looks at what your
# neurons say. Example, for another gate: "x1, whatever x2 is" would be `(1, 0, -0.5)`, since z is −0.5
# where x1 = 0 and 0.5 where x1 = 1.
# === code
def gates():
    """Return {"AND": (w1, w2, b), "OR": (w1, w2, b), "NAND": (w1, w2, b)}."""
    # === solution
    return {
        "AND": (1.0, 1.0, -1.5),
        "OR": (1.0, 1.0, -0.5),
        "NAND": (-1.0, -1.0, 1.5),
    }
    # === stub
    raise NotImplementedError("write gates, then run this cell and the check below")
    # === end
# === explanation
# With both weights 1, w·x is 0, 1, 1 or 2 on the four corners. AND has to switch between 1 and 2, so b =
# −1.5; OR between 0 and 1, so b = −0.5. NAND is AND with all three signs turned: where AND had z = 0.5 it
# has −0.5. Halfway between the corners is the safest place for the line, but any line with the right
# corners on each side is as good. The perceptron rule finds (2, 1, −3) for AND: its line runs exactly through
# (1, 1), where z = 0 counts as 1.

# %% exercise="01.update"
# === statement
# ### 01.update ● One step of the perceptron rule
#
# Write `update(x, y, w, b)`: what the neuron learns from one point.
#
# - `x`: shape `(d,)`, `float32`, with any d; `y`: shape `()`, `int64`, its class, 0 or 1
# - `w`: shape `(d,)`, `float32`; `b`: shape `()`, `float32`
# - returns `(w, b)`: the new weights and the new bias, of the same shapes. Leave the old ones as they are.
#
# If the neuron's answer is y, nothing changes. If it said 0 and should say 1, x is added to the weights and
# 1 to the bias. If it said 1 and should say 0, they are subtracted.
#
# Example: w = (1, 0), b = −1 and the point x = (0, 1) of class 1. z = −1, so the neuron says 0: a mistake.
# The new weights are (1, 1), the new bias is 0.
# === code
def update(x, y, w, b):
    """One step of the perceptron rule on the point x (d,) of class y: the new (w, b)."""
    # === solution
    y_hat = (w @ x + b >= 0).long()  # what the neuron says: 0 or 1
    error = y - y_hat  # 0, +1 or -1
    return w + error * x, b + error
    # === stub
    raise NotImplementedError("write update, then run this cell and the check below")
    # === end
# === explanation
# The error is 0 when the neuron is right, and then nothing is added. +1 and −1 give the two directions of
# the push. `w + error * x` makes a new tensor; `w += error * x` would change the one that was handed in,
# and whoever kept it, for a picture of the learning say, would find it changed. An `if` with three branches
# is just as right.

# %% exercise="01.train"
# === statement
# ### 01.train ●● The perceptron's learning loop
#
# Close the lesson and write `train(X, y, max_epochs)`: the perceptron rule from the start to the end.
#
# - `X`: shape `(n, d)`, `float32`; `y`: shape `(n,)`, `int64`, classes 0 or 1; `max_epochs`: an `int`, at
#   least 1
# - returns `(w, b, mistakes)`: weights of shape `(d,)`, bias of shape `()`, and the number of all updates
#   as an `int`
#
# Begin with zeros. One epoch is one pass over the points in the order given. On each mistake make the
# update of 01.update. Stop after the first epoch without a mistake, or after `max_epochs` epochs.
#
# Example: X has the two rows (1) and (−1), y = (0, 1). Epoch 1: z = 0, the answer is 1, a mistake: w = −1,
# b = −1. For the second point z = 1 − 1 = 0, the answer is 1, right. Epoch 2: z = −2, right; z = 0, right.
# No mistake: stop. The result is w = (−1), b = −1, 1 mistake.
# === code
def train(X, y, max_epochs):
    """The perceptron rule from zero weights: (w, b, number of mistakes)."""
    # === solution
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for _ in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y, strict=True):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == before:  # a whole epoch without one
            break
    return w, b, mistakes
    # === stub
    raise NotImplementedError("write train, then run this cell and the check below")
    # === end
# === explanation
# `w`, `b` and `mistakes` live through all epochs, `before` belongs to one. Only a whole epoch without a
# mistake proves that all points are right with the **same** weights. On data that no line separates that
# never happens, and `max_epochs` is what ends the loop: on XOR it always comes to that.

# %% exercise="01.xor"
# === statement
# ### 01.xor ●● XOR out of gates
#
# One neuron cannot do XOR, three can. `gate` below is a neuron with two inputs. Use it, three times, to
# write `xor(x1, x2)`. (Python could say it in one comparison, and the check would not see the difference;
# you would.)
#
# - `x1`, `x2`: tensors of any equal shape, `int64`, each number 0 or 1
# - returns: a tensor of the same shape, `int64`: 1 where **exactly one** of the two is 1, else 0
#
# Example: `x1 = (0, 0, 1, 1)` and `x2 = (0, 1, 0, 1)` give `(0, 1, 1, 0)`. And for `gate`:
# `gate(x1, x2, 1, 1, -1.5)` is AND, so it gives `(0, 0, 0, 1)`.
# === code
def gate(x1, x2, w1, w2, b):
    """One neuron with two inputs: 1 where w1·x1 + w2·x2 + b >= 0, else 0."""
    return (w1 * x1 + w2 * x2 + b >= 0).long()


def xor(x1, x2):
    """1 where exactly one of x1 and x2 is 1, else 0."""
    # === solution
    either = gate(x1, x2, 1, 1, -0.5)  # OR: at least one
    not_both = gate(x1, x2, -1, -1, 1.5)  # NAND: not both
    return gate(either, not_both, 1, 1, -1.5)  # AND: the one and the other
    # === stub
    raise NotImplementedError("write xor, then run this cell and the check below")
    # === end
# === explanation
# On the corners (0, 0), (0, 1), (1, 0), (1, 1) OR says 0, 1, 1, 1 and NAND says 1, 1, 1, 0. Both are 1 just
# on the two in the middle. In the plane of their **answers** there are only three points left, (0, 1),
# (1, 1) and (1, 0), and a line does separate (1, 1) from the two others: the first layer has turned a
# problem no line can solve into one that a line can. Another pair of neurons does it as well: "x1 and not
# x2" **or** "x2 and not x1".

# %% exercise="01.logistic_gradient"
# === statement
# ### 01.logistic_gradient ●● The gradient of logistic regression
#
# With the sigmoid $\sigma(z) = 1 / (1 + e^{-z})$ instead of the step the neuron gives the probability
# $p = \sigma(w \cdot x + b)$ of class 1. Write the gradient of the mean binary cross-entropy,
# `logistic_gradient(X, y, w, b)`:
#
# $$\frac{\partial L}{\partial w} = \frac1n \sum_i (p_i - y_i)\, x_i$$
#
# $$\frac{\partial L}{\partial b} = \frac1n \sum_i (p_i - y_i)$$
#
# - `X`: shape `(n, d)`, `float32`; `y`: shape `(n,)`, `int64`, 0 or 1; `w`: shape `(d,)`, `float32`; `b`:
#   shape `()`, `float32`
# - returns `(grad_w, grad_b)`: a tensor of shape `(d,)`, and one of shape `()` or a plain number
#
# Example: X has the rows (1, 2) and (3, 0), y = (1, 1), w = (0, 0), b = 0. Both z are 0, so both p are 0.5
# and both errors −0.5. grad_w is the mean of (−0.5, −1) and (−1.5, 0), that is (−1, −0.5); grad_b is −0.5.
# === code
def logistic_gradient(X, y, w, b):
    """Gradient of the mean binary cross-entropy: grad_w (d,) and grad_b ()."""
    # === solution
    p = torch.sigmoid(X @ w + b)  # (n,)
    error = p - y  # (n,)
    return X.T @ error / len(X), error.mean()
    # === stub
    raise NotImplementedError("write logistic_gradient, then run this cell and the check below")
    # === end
# === explanation
# `X.T @ error` weights each row of X by its error and adds up: $(d, n)\,(n,) \to (d,)$. Dividing by n makes
# the mean, as in the loss. `(error[:, None] * X).mean(dim=0)` says the same in two steps. The bias is the
# weight of an input that is always 1, so its gradient is the mean error. Gradient descent then goes
# **against** it: `w - lr * grad_w`.

# %% [markdown]
# ## How far you are

# %%
progress()
