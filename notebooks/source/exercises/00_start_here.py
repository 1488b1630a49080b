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
# # Exercises 00 · Start here
#
# Three short ones, to learn how exercises work. They belong to [lesson 00](../00_start_here.ipynb).
#
# Each exercise is a task, a cell in which you write, and a cell with a `check`. Run the check as often as
# you like: it says at once what is right and, if something is not, shows an input, what was expected and
# what came. When you are stuck, `hint` gives a nudge; ask again and it gives a plan, and in the end the
# solution.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="00.first_tensor"
# === statement
# ### 00.first_tensor ● A first tensor
#
# A **tensor** is a table of numbers, of any number of dimensions. Write `first_tensor()`, a function
# without arguments which **returns** this table of 2 rows and 3 columns:
#
# | | | |
# |---|---|---|
# | 1 | 2 | 3 |
# | 4 | 5 | 6 |
#
# as a tensor of **shape** `(2, 3)` and **dtype** `float32`, torch's usual type for numbers with a decimal
# point. For comparison: `torch.tensor([7.0, 8.0])` has shape `(2,)` and dtype `float32`.
# === code
def first_tensor():
    """Return the table [1 2 3; 4 5 6] as a float32 tensor of shape (2, 3)."""
    # === solution
    return torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    # === stub
    raise NotImplementedError("write first_tensor, then run this cell and the check below")
    # === end
# === explanation
# A list of rows becomes a table. The points in `1.0` make floats of the numbers:
# `torch.tensor([[1, 2, 3], [4, 5, 6]])` holds the same values as whole numbers (`int64`), and a network's
# weights would not fit among them. Just as right: `.float()` after it, `dtype=torch.float32` inside, or
# `torch.arange(1.0, 7.0).reshape(2, 3)`.

# %% exercise="00.shape_of_batch"
# === statement
# ### 00.shape_of_batch ● A batch of images as rows
#
# The images of MNIST come as `uint8`, whole numbers from 0 (black) to 255 (white), 28 rows of 28 pixels
# each. The network of this lesson wants each image as one row of 784 floats between 0 and 1.
#
# Write `shape_of_batch(images)`:
#
# - `images`: a **batch** of B images, shape `(B, 28, 28)`, dtype `uint8`
# - returns: shape `(B, 784)`, dtype exactly `float32`; each image flattened row by row, 0 stays 0, and 255 becomes
#   1
#
# Example: a pixel of 51 in row 2, column 3 of an image becomes 51 / 255 = 0.2 and stands at place 2 · 28 +
# 3 = 59 of that image's row (we count from 0).
# === code
def shape_of_batch(images):
    """Flatten images (B, 28, 28), uint8, to rows (B, 784) of floats between 0 and 1."""
    # === solution
    return images.reshape(len(images), 28 * 28).float() / 255  # (B, 784)
    # === stub
    raise NotImplementedError("write shape_of_batch, then run this cell and the check below")
    # === end
# === explanation
# `reshape` keeps all numbers in their order and only cuts them anew: B rows of 784. The batch dimension
# stays in front, so no two images are mixed. `.float()` before the division keeps the fractions; `/ 255`
# alone would do it as well, since torch's `/` makes floats. The largest value a pixel **can** have is 255,
# whatever the largest one in this batch is. Just as right: `images.flatten(start_dim=1) / 255`, or
# `.view(-1, 784)`.

# %% exercise="00.accuracy"
# === statement
# ### 00.accuracy ● Accuracy
#
# For each image the network gives ten scores, its **logits**: one for each digit, and the largest of them
# is its answer. **Accuracy** is the share of images whose answer is the label.
#
# Write `accuracy(logits, labels)`:
#
# - `logits`: shape `(B, 10)`, `float32`, any numbers; row i belongs to image i
# - `labels`: shape `(B,)`, `int64`, the right digits
# - returns: a Python `float` between 0 and 1, not a tensor that holds one
#
# Example: four images with the labels 7, 2, 1, 4. In the four rows of the logits the largest number stands
# at 7, 2, 1 and 0. Three of four are right: `0.75`.
# === code
def accuracy(logits, labels):
    """Share of the rows of logits (B, 10) whose largest number stands at the label (B,)."""
    # === solution
    predictions = logits.argmax(dim=1)  # (B,)
    return (predictions == labels).float().mean().item()
    # === stub
    raise NotImplementedError("write accuracy, then run this cell and the check below")
    # === end
# === explanation
# `argmax` gives the place of the largest number, and along `dim=1`, the ten classes, one place for each
# image. `==` gives True and False, as floats 1 and 0, and their mean is the share. `.item()` takes the
# number out of the tensor. No softmax is needed: it makes probabilities of the logits, but the largest
# stays the largest. Just as right: count in a loop and divide with `/`.

# %% [markdown]
# ## How far you are

# %%
progress()
