# %% [markdown]
# # 99 · Exercises: New lesson
#
# They go with [lesson 99](../99_template.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch

from utils.checks import check, hint, progress

# %% exercise="99.sum_of_squares"
# === statement
# ### 99.sum_of_squares ● The sum of squares
#
# FILL IN: the task. Write `sum_of_squares(x)`: the sum of the squares of all entries of `x`.
#
# - `x`: a tensor of any shape, floating point
# - returns: a tensor without dimensions, of the same type
#
# For example `sum_of_squares(torch.tensor([1.0, 2.0, 3.0]))` is `tensor(14.)`, for 1 + 4 + 9 = 14.
# === code
def sum_of_squares(x):
    """The sum of the squares of all entries."""
    # === solution
    return (x**2).sum()
    # === stub
    raise NotImplementedError("write sum_of_squares, then run this cell and the check below")
    # === end
# === explanation
# FILL IN: why this is right. Squaring acts on each entry, and the sum without a dimension runs over all of them. The
# other order, the square of the sum, is something else: (1 + 2 + 3)² = 36.

# %%
progress()
