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

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# # 03 · Thinking in shapes
#
# **The question:** How does one compute for a whole batch at once, without a loop, and what happens when two shapes do not match?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - read a tensor's shape, dtype and strides, and say where in memory each number lies;
# - predict by three rules what comes of any two shapes: the result, or the refusal;
# - replace loops over examples, neurons and pairs by one line, and measure what that gains;
# - find and mend the bug in which `(n,)` meets `(n, 1)` and nobody complains;
# - say what a stretched axis costs in memory, and which gradient comes back through it.
#
# **Needs:** [lesson 02](02_activations.ipynb) · **Read:** 55 minutes · **Run:** 15 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F

from utils import data, explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · A tensor is a row of numbers and a way to read it
#
# You know that a tensor has a **shape** (how many numbers along each axis) and a **dtype** (one type for all of them). There is a third thing, the **strides**. Here are all three.

# %%
X = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
print("shape  ", tuple(X.shape), "   axes:", X.dim(), "   numbers:", X.numel())
print("dtype  ", X.dtype, "   bytes for each number:", X.element_size())
print("strides", X.stride())

# %% [markdown] slideshow={"slide_type": "subslide"}
# The computer's memory has no tables. It is one long row of places, and our twelve numbers stand in it side by side. The **stride** of an axis says how many places to walk in memory to get to the next
# number along that axis. Strides `(4, 1)` mean: 4 places on for the next row, 1 for the next column.
#
# So where is `X[2, 1]`? At place $2 \cdot 4 + 1 \cdot 1 = 9$. In general
#
# $$\text{place} = i \cdot \text{stride}_0 + j \cdot \text{stride}_1$$
#
# counted from where the tensor begins.
#
# Now we turn the table over. `X.T`, the **transpose**, has rows for columns. Does it have to move the numbers?

# %% slideshow={"slide_type": "subslide"}
def look_up(memory, strides, index):
    """The number at an index such as (2, 1), found by walking through memory."""
    return memory[sum(i * stride for i, stride in zip(index, strides, strict=True))]


memory = list(range(12))
print("X  : shape", tuple(X.shape), "strides", X.stride(), "  X[2, 1]   =", look_up(memory, X.stride(), (2, 1)))
print("X.T: shape", tuple(X.T.shape), "strides", X.T.stride(), "  X.T[1, 2] =", look_up(memory, X.T.stride(), (1, 2)))
same = all(look_up(memory, X.T.stride(), (j, i)) == X.T[j, i] for j in range(4) for i in range(3))
print("all twelve as torch finds them:", same, "   same memory:", X.data_ptr() == X.T.data_ptr())  # where it begins

# %% [markdown] slideshow={"slide_type": "fragment"}
# No. The transpose is the same row of numbers with the strides exchanged. However large the table, not one number is moved or copied. Such a tensor is called a **view**: another way to read the same numbers.
#
# That has a consequence. Change one, and you change both:

# %% slideshow={"slide_type": "fragment"}
table = torch.zeros(2, 3)
table.T[2, 0] = 7
print(table)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Reshaping is not transposing
#
# `reshape` takes the same row of numbers and breaks it into lines of another length. (A length of −1 means "as long as it has to be".) A common mistake is to write `X.reshape(4, 3)` where `X.T` is meant. Let us draw both, and mark the first row of `X` in each.

# %% slideshow={"show": "output"}
def draw_table(values, ax, role, strong=None):
    """A tensor (rows, columns) as numbers in boxes. Where `strong` is False the box is pale."""
    rows, columns = values.shape
    for i in range(rows):
        for j in range(columns):
            alpha = 0.45 if strong is None or strong[i, j] else 0.12
            ax.add_patch(plt.Rectangle((j, i), 0.94, 0.94, color=plotting.COLORS[role], alpha=alpha, lw=0))
            ax.text(j + 0.47, i + 0.47, f"{values[i, j]:g}", ha="center", va="center", fontsize=15)
    ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
    ax.axis("off")


panels = dict(height_ratios=[1.1, 4], width_ratios=[4, 3, 3], layout="constrained")
fig, axes = plt.subplot_mosaic("MMM;ABC", figsize=(11, 5.6), **panels)
titles = {"M": "One row in memory, read in three ways", "A": "X", "B": "X.T", "C": "X.reshape(4, 3)"}
for name, values in {"M": X.reshape(1, 12), "A": X, "B": X.T, "C": X.reshape(4, 3)}.items():
    draw_table(values, axes[name], "class0", strong=values < 4)
    axes[name].set_title(titles[name])
    axes[name].set_anchor("NW")  # push it into the upper left corner of its place

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On top the numbers 0 to 11 in one row, 0 to 3 marked. Below, `X`: they are its first row. In `X.T` they are the first **column**. In `X.reshape(4, 3)` they run through the first row and on into the second.
#
# The last two have the same shape, and other numbers at nearly every place. **A right shape does not prove that the numbers are right.** We shall meet this again, twice.

# %% [markdown] slideshow={"slide_type": "subslide"}
# (A method `view` does what `reshape` does, but only if no number has to move. `X.T.view(12)` is refused: no single stride reads 0, 4, 8, 1, 5, … out of that memory. `X.T.reshape(12)` copies.)
#
# ### dtype
#
# One type for all numbers, and it decides what they can hold.

# %% slideshow={"slide_type": "fragment"}
print("uint8, 250 + 10     :", (torch.tensor([250], dtype=torch.uint8) + 10).item())
print("float32, 2**24 + 1  :", f"{(torch.tensor([2.0**24]) + 1).item():.0f}", "  (2**24 is 16777216)")
print("whole / whole       :", (torch.tensor([7]) / torch.tensor([2])).dtype)
print("whole + float32     :", (torch.tensor([7]) + torch.tensor([2.0])).dtype)
print("float32 + float64   :", (torch.tensor([7.0]) + torch.tensor([2.0], dtype=torch.float64)).dtype)
print("a comparison        :", (torch.tensor([7]) > 2).dtype)
print("bytes in a million float32:", torch.zeros(1_000_000).nbytes)

# %% [markdown] slideshow={"slide_type": "notes"}
# `uint8` holds 0 to 255 and starts again at 0: $250 + 10$ became 4. That is why lesson 00 turned pixels into floats first. `float32` has about seven digits and cannot count beyond $2^{24}$ in steps of one.
#
# Where two tensors of different types meet number by number, torch takes the more general type. (A plain number does not count: `uint8` plus 10 stays `uint8`.) For `@` it does not: it says `expected m1 and m2 to have the same dtype`. The cure is `.float()` on one of them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 2 · Row, column, neither
#
# Three numbers can be held in three ways. A tensor of shape `(3,)` is neither a row nor a column. It has a single axis.

# %%
x = torch.tensor([10, 20, 30])
print("x         ", tuple(x.shape), "  ", x.tolist())
print("x[None, :]", tuple(x[None, :].shape), x[None, :].tolist(), "     a row")
print("x[:, None]", tuple(x[:, None].shape), x[:, None].tolist(), " a column")

# %% [markdown] slideshow={"slide_type": "notes"}
# `None` in the brackets puts in an axis of length 1. `x.reshape(3, 1)` and `x.unsqueeze(1)` do the same; `squeeze(1)` takes such an axis out again. No number moves.
#
# Axes also go away, and this is where most bugs with shapes begin. **An index takes its axis away, a slice keeps it. A sum over an axis takes it away, `keepdim=True` keeps it with length 1.**

# %% slideshow={"slide_type": "subslide"}
X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # (2, 3)
print("X[:, 0]                   ", tuple(X[:, 0].shape), "  ", X[:, 0].tolist())
print("X[:, :1]                  ", tuple(X[:, :1].shape), X[:, :1].tolist())
print("X.sum(dim=0)              ", tuple(X.sum(dim=0).shape), "  ", X.sum(dim=0).tolist())
print("X.sum(dim=1)              ", tuple(X.sum(dim=1).shape), "  ", X.sum(dim=1).tolist())
print("X.sum(dim=1, keepdim=True)", tuple(X.sum(dim=1, keepdim=True).shape), X.sum(dim=1, keepdim=True).tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Which axis is `dim=0`? Here is how to remember it: **`dim` names the axis that goes.** From `(2, 3)` axis 0 goes and `(3,)` is left: one sum for each column. So with examples in rows, as always in this course, `X.mean(dim=0)` is the mean of each feature, over the examples.
#
# One can also count from the right: `dim=-1` is the last axis, `dim=-2` the one before it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 11}
# ## 3 · Three rules
#
# Two cafés, three drinks each: a table of prices, `(2, 3)`. Prices go up, for tea by 0.10, for coffee by 0.20, for cocoa by 0.30: one number for each **column**. Or the first café adds 0.50 and the second 1.00: one for each **row**. On paper you can only add tables of the same size. torch does more: it **stretches** the smaller one. That is called **broadcasting**.

# %% slideshow={"slide_type": "fragment"}
prices = torch.tensor([[2.0, 3.0, 4.0], [2.5, 3.5, 4.5]])  # (2, 3)
by_drink = torch.tensor([0.1, 0.2, 0.3])  # (3,)
by_cafe = torch.tensor([[0.5], [1.0]])  # (2, 1)
print("everything + 1 :", (prices + 1).tolist())
print("by drink       :", [[round(p, 2) for p in row] for row in (prices + by_drink).tolist()])
print("by café        :", (prices + by_cafe).tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# When do two shapes fit?
#
# 1. **Line them up from the right.** If one shape is shorter, put ones in front of it, on the left.
# 2. **Two lengths that meet fit if they are equal, or if one of them is 1.** An axis of length 1 is stretched to the other length: its one number is used again and again.
# 3. **Everything else is an error.** Nothing is cut off, and two numbers are not repeated to make four.
#
# By hand, `(3, 1)` and `(4,)`: the second counts as `(1, 4)`. On the right 1 meets 4 and becomes 4; on the left 3 meets 1, and the 1 becomes 3. Result: `(3, 4)`. Both were stretched:

# %% slideshow={"slide_type": "subslide", "show": "output"}
column, row = torch.tensor([[10.0], [20.0], [30.0]]), torch.tensor([1.0, 2.0, 3.0, 4.0])  # (3, 1), (4,)
fig, axes = plt.subplots(1, 3, figsize=(12, 3.3), layout="constrained")
first_column = torch.tensor([True, False, False, False]).expand(3, 4)  # where the column's own numbers stand
first_row = torch.tensor([[True], [False], [False]]).expand(3, 4)
draw_table(column.expand(3, 4), axes[0], "class0", first_column)
draw_table(row.expand(3, 4), axes[1], "class1", first_row)
draw_table(column + row, axes[2], "accent")
for ax, title in zip(axes, ["(3, 1), stretched to the right", "+  (4,), stretched down", "=  (3, 4)"], strict=True):
    ax.set_title(title)
fig.suptitle("A column plus a row: every pair meets once");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three tables of three rows and four columns. In the first, one column 10, 20, 30 is strong and its three copies are pale. In the second, one row 1, 2, 3, 4 is strong and two copies below it are pale. The third holds the sums, 11 to 34.
#
# (`expand` does the stretching and nothing else. Section 7 shows what it costs.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("03.refused")

# %% slideshow={"slide_type": "subslide", "show": "output"}
pairs = [((3, 4), (4,)), ((3, 4), (3,)), ((3, 4), (3, 1))]
pairs += [((2, 1, 5), (4, 1)), ((4,), (2,)), ((), (2, 3)), ((1,), (0,))]
for a, b in pairs:
    try:
        result = tuple((torch.zeros(a) + torch.zeros(b)).shape)
    except RuntimeError as error:
        result = f"refused: {error}"
    print(f"{a!s:9} + {b!s:6} -> {result}")  # !s:9 writes it as text, 9 places wide

# %% [markdown] slideshow={"slide_type": "fragment"}
# Read it line by line.
#
# - `(3, 4)` and `(3,)`: from the right 4 meets 3. *"It will find the 3 further left"* is a misconception: torch never looks for an axis that would fit. Make a column of it, `(3, 1)`, and it works.
# - `(4,)` and `(2,)`: refused, although 2 goes into 4 twice. Only a 1 is stretched.
# - `()` is a single number. It fits everything.
# - `(1,)` and `(0,)`: 0 is a length like any other. The 1 is "stretched" to 0, and nothing is left.
#
# The message `must match … at non-singleton dimension 1` says which axis of the result is at fault, counted from the left.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: any two shapes
#
# *Do they fit, and if not, why not?* Type two shapes, lengths separated by commas. They are lined up from the right, so the axes are counted from there: −1 is the last.
#
# - **Try** a batch of 8 pictures with 3 colour channels, `8, 3, 32, 32`, and one number for each channel, `3`. Refused! Which shape must the three numbers have?
# - **Try** to make a result of 25 numbers out of two operands of 5 numbers each. (Section 8 is about what that can do.)
# - **Notice** the strides: an axis that is stretched gets stride 0 (section 7).
# - **Challenge:** get `4, 3, 2` out of two shapes of which neither is `4, 3, 2`.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.broadcast()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The shapes of $a$, `(3, 1)`, and $b$, `(4,)`, one above the other and lined up from the right, and below them the result `(3, 4)`; beside each, how many numbers it has, and its strides. Axes that are stretched say so: 1 → 4 in $a$, 1 → 3 in $b$. Underneath are the boxes: three in a column, four in a row, copies dashed, and the twelve of the result.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [03.broadcast_shape](exercises/03_broadcasting.ipynb)** ●● Turn the three rules into code.
#
# ### NumPy and torch agree
#
# **NumPy** is the array library of most of scientific Python, and these rules are NumPy's; torch took them over. Is that so? We draw 2,000 random pairs of shapes and ask both.

# %% slideshow={"slide_type": "skip"}
random = np.random.default_rng(0)
agree = fits = 0
for _ in range(2000):
    a, b = (tuple(random.choice([0, 1, 1, 2, 3], size=random.integers(0, 5)).tolist()) for _ in range(2))
    try:
        by_numpy = np.broadcast_shapes(a, b)
    except ValueError:
        by_numpy = "refused"
    try:
        by_torch = tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        by_torch = "refused"
    agree += by_numpy == by_torch
    fits += by_torch != "refused"
print(f"{agree} of 2000 the same verdict; {fits} pairs fit")

# %% [markdown] slideshow={"slide_type": "notes"}
# Numbers agree as well: `torch.from_numpy(a)` and `t.numpy()` pass arrays from one to the other, and even share the memory. Three differences to remember: NumPy makes `float64` unless told otherwise, torch `float32`; NumPy says `axis` and `keepdims` where torch says `dim` and `keepdim`; and NumPy counts strides in bytes, torch in numbers.

# %% slideshow={"slide_type": "skip"}
a = np.array([[1.0], [2.0]])  # (2, 1)
t = torch.from_numpy(a)
print((a + np.array([10.0, 20.0])).tolist(), (t + torch.tensor([10.0, 20.0])).tolist(), t.dtype)
print(a.sum(axis=0, keepdims=True).tolist(), t.sum(dim=0, keepdim=True).tolist())

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 4 · Why `keepdim` matters
#
# We want to subtract from each row its own mean. On paper: the row (1, 2, 3) has mean 2, so it becomes (−1, 0, 1).
#
# **Predict.** Does `X - X.mean(dim=1)` do that, for a table of 2 rows and 3 columns? And for one of 3 by 3?

# %% slideshow={"slide_type": "subslide"}
wide = torch.tensor([[1.0, 2.0, 3.0], [7.0, 8.0, 12.0]])  # (2, 3), row means 2 and 9
square = torch.tensor([[1.0, 2.0, 3.0], [7.0, 8.0, 12.0], [4.0, 5.0, 6.0]])  # (3, 3), row means 2, 9, 5
try:
    wide - wide.mean(dim=1)
except RuntimeError as error:
    print("(2, 3) - (2,)  :", error)
print("(3, 3) - (3,)  :", (square - square.mean(dim=1)).tolist())
print("(3, 3) - (3, 1):", (square - square.mean(dim=1, keepdim=True)).tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# For 2 by 3 it is refused, and that is good luck. For 3 by 3 it **runs**, and is wrong: the three means were lined up from the right, so the mean of the second row was subtracted from the second **column**. With `keepdim=True` they stay a column `(3, 1)`, one for each row.
#
# So here is the second misconception: *"if it runs, the shapes were right"*. Try new code on sizes that are **all different**, such as 2, 3 and 5. Square tables hide bugs.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Scaling features
#
# Features come in different units: height in metres, weight in kilograms. Networks learn badly from that, so one brings every **column** to the same scale. One way is to squeeze each into the range 0 to 1: subtract the column's smallest number, divide by its range. Both have shape `(features,)` and stand under the columns by rule 1, without `keepdim`.

# %% slideshow={"slide_type": "fragment"}
people = torch.tensor([[1.60, 55.0, 1.0], [1.70, 80.0, 1.0], [2.00, 105.0, 1.0]])  # (3, features): metres, kg, a constant
low, high = people.amin(dim=0), people.amax(dim=0)  # (features,) each
print((people - low) / (high - low))

# %% [markdown] slideshow={"slide_type": "subslide"}
# The last column is the same for everybody. Its range is 0, and $0/0$ is `nan`. Divide such a column by 1 instead (`torch.where` of lesson 02 chooses) and it becomes zeros.
#
# More common than the range is to **standardise**: give each column mean 0 and **standard deviation** 1. By hand for (1, 2, 6): the mean is 3, what is left is (−2, −1, 3), the mean of the squares $(4 + 1 + 9)/3 = 4.67$, its root 2.16 is the standard deviation, and the result (−0.93, −0.46, 1.39).

# %% slideshow={"slide_type": "fragment"}
x = torch.tensor([1.0, 2.0, 6.0])
print(f"divided by n    : {x.std(correction=0):.3f}   the biased one")
print(f"divided by n - 1: {x.std():.3f}   torch's default, the unbiased one")

# %% [markdown] slideshow={"slide_type": "notes"}
# Beware: `std()` divides by $n - 1$ unless you say `correction=0`. (Statisticians do so to estimate the spread of all people from a few. To bring **these** numbers to spread 1 one divides by $n$. For large $n$ it hardly matters.)
#
# And a trap for the constant column: rounding can leave it a spread of $10^{-9}$ instead of 0. Better ask whether all numbers of the column are equal.
#
# **Exercise [03.standardize](exercises/03_broadcasting.ipynb)** ●● Standardise the columns.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 5 · A batch through a layer: one product
#
# Lesson 01 ended with $Z = X W^\top + b$ for a batch. Now you can read every shape in it. For `@` another rule holds: the two lengths in the **middle** must be equal, and they go.
#
# $$\underbrace{X}_{(B,\ \text{in})}\ \underbrace{W^\top}_{(\text{in},\ \text{out})} + \underbrace{b}_{(\text{out},)} \quad\to\quad (B,\ \text{out})$$
#
# `in` meets `in` and goes. The bias lines up with `out` and is stretched over the $B$ rows: every example gets the same bias. What the line replaces is three loops.

# %% slideshow={"slide_type": "subslide"}
def layer_in_loops(X, W, b):
    """X W^T + b with nested lists of plain Python numbers, one multiplication at a time."""
    Z = []
    for x in X:  # every example
        row = []
        for w, bias in zip(W, b, strict=True):  # every neuron
            z = bias
            for x_i, w_i in zip(x, w, strict=True):  # every feature
                z += x_i * w_i
            row.append(z)
        Z.append(row)
    return Z

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(0)
X, W, b = (torch.randn(*shape, dtype=torch.float64) for shape in ((5, 3), (2, 3), (2,)))
in_loops = torch.tensor(layer_in_loops(X.tolist(), W.tolist(), b.tolist()), dtype=torch.float64)  # (5, 2)
difference = max((in_loops - Z).abs().max().item() for Z in (X @ W.T + b, F.linear(X, W, b)))
print("largest difference to X @ W.T + b and to torch's own linear:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-12

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("03.loop")

# %% [markdown] slideshow={"slide_type": "notes"}
# We let three ways race, for $n$ examples, $n$ inputs and $n$ neurons: the three loops; a loop over the examples only, with a product `W @ x + b` inside; and one product for all. Of five runs each the fastest counts, since other programs can only slow us down.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def shortest_time(f, arguments):
    """The shortest of five runs, in seconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        f(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


ways = {
    "three loops": layer_in_loops,
    "one loop": lambda X, W, b: torch.stack([W @ x + b for x in X]),
    "one product": lambda X, W, b: X @ W.T + b,
}
sizes, seconds = [2, 4, 8, 16, 32, 64, 128], {name: [] for name in ways}
for n in sizes:
    tensors = torch.randn(n, n), torch.randn(n, n), torch.randn(n)
    for name, way in ways.items():
        arguments = [t.tolist() for t in tensors] if name == "three loops" else tensors
        seconds[name].append(shortest_time(way, arguments))
ratio = [a / b for a, b in zip(seconds["three loops"], seconds["one product"], strict=True)]
print("three loops take so many times as long:", {n: round(r, 1) for n, r in zip(sizes, ratio, strict=True)})

# %% slideshow={"slide_type": "skip"}
assert ratio[0] < 10 and ratio[-1] > 100 and ratio[-1] > ratio[3]

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots()
for name, role in {"three loops": "class3", "one loop": "class1", "one product": "class0"}.items():
    ax.plot(sizes, 1e6 * np.array(seconds[name]), "o-", color=plotting.COLORS[role], label=name)
ax.set(xscale="log", yscale="log", xlabel="size n of batch, input and layer", ylabel="microseconds")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set_title("One product for all: worth more the larger the layer")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On axes that are both logarithmic, the three loops climb in a steep straight line. The loop over examples climbs less steeply. The single product stays nearly flat until the last sizes. On the left the lines are close together, on the right far apart.

# %% [markdown] slideshow={"slide_type": "notes"}
# At $n = 2$ there is little in it: calling torch costs a few microseconds, however small the job, and the loops may even win. At $n = 128$ the product was **more than a hundred times** as fast. On our computer it was over a thousand times; yours will say something else.
#
# Why? Not because it computes less: it multiplies the same two million pairs. But Python looks at each number anew (what type is it, what does `*` mean for it?). The product asks once, and then a loop in machine code takes several numbers at a time out of a row in memory. Writing code like that is called **vectorising**.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### More axes in front
#
# `@` works on the **last two** axes. Axes before them are broadcast by the three rules. So ten tables `(10, 5, 3)` times one matrix `(3, 2)` gives ten products in one go:

# %% slideshow={"slide_type": "fragment"}
tables, matrix = torch.randn(10, 5, 3), torch.randn(3, 2)
products = tables @ matrix  # (10, 5, 3) @ (3, 2) -> (10, 5, 2)
same = torch.allclose(products[7], tables[7] @ matrix, atol=1e-6)  # allclose: equal up to rounding
print(tuple(products.shape), "  the same as one at a time:", same)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 6 · Every pair at once
#
# A column against a row makes every pair meet. With `+` that is an **outer sum**, with `*` an **outer product** (the multiplication table from school), and comparisons work as well. Four children, three films, each with a minimum age: who may see what?

# %% slideshow={"slide_type": "fragment"}
ages, limits = torch.tensor([5, 8, 12, 15]), torch.tensor([0, 6, 12])
allowed = ages[:, None] >= limits  # (4, 1) with (3,) -> (4, 3)
print(allowed)
print("films for each child:", allowed.sum(dim=1).tolist(), "   children for each film:", allowed.sum(dim=0).tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# The recipe for "every this with every that": **give the one an axis that the other does not have.** The result has a row for each child and a column for each film. To count, sum over the axis that is to go. `.float()` turns True and False into 1.0 and 0.0.
#
# In the same way class numbers become **one-hot** rows: for the labels 2, 0 and three classes, the rows (0, 0, 1) and (1, 0, 0), with a 1 at the place of the label. Which two things have to be compared, each with each? `torch.arange(k)` gives the numbers 0 to $k - 1$.
#
# **Exercise [03.outer](exercises/03_broadcasting.ipynb)** ● The outer product. **Exercise [03.one_hot](exercises/03_broadcasting.ipynb)** ● Labels as one-hot rows, by comparison.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Pairwise distances
#
# How far is every point of $X$ `(n, d)` from every point of $Y$ `(m, d)`? Same recipe: a new axis for each. `X[:, None, :]` is `(n, 1, d)`, `Y[None, :, :]` is `(1, m, d)`, their difference `(n, m, d)`: for every pair the $d$ differences. Square, and sum over the last axis, which goes.
#
# By hand: from (0, 0) to (3, 4) the differences are 3 and 4, the squares 9 and 16, so the squared distance is 25.

# %% slideshow={"slide_type": "fragment"}
X = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]])  # (n, d)
Y = torch.tensor([[3.0, 4.0], [0.0, 1.0]])  # (m, d)
differences = X[:, None, :] - Y[None, :, :]  # (n, 1, d) - (1, m, d) -> (n, m, d)
sq_distances = differences.square().sum(dim=-1)  # (n, m)
print(tuple(differences.shape), "->", tuple(sq_distances.shape))
print(sq_distances)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
by_torch = torch.cdist(X, Y)  # torch's own gives distances, not squared
difference = (sq_distances.sqrt() - by_torch).abs().max().item()
print("largest difference to torch:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-5

# %% [markdown] slideshow={"slide_type": "subslide"}
# With that one can recognise digits without any learning: look at the nearest training picture and give the same answer. It is called **nearest neighbour**. With 5,000 training and 1,000 test digits of 784 pixels, how much memory would our differences `(n, m, d)` take?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
X_train, y_train = data.mnist_tensors("train")  # (60000, 784), (60000,)
X_test, y_test = data.mnist_tensors("test")
pairs = 1000 * 5000
print(f"(1000, 5000, 784) in float32: {pairs * 784 * 4 / 1e9:.1f} GB;  (1000, 5000): {pairs * 4 / 1e9:.2f} GB")
few, new = X_train[::12], X_test[::10]  # every 12th and every 10th picture: (5000, 784), (1000, 784)
nearest = torch.cdist(new, few).argmin(dim=1)  # (1000,)
hits = (y_train[::12][nearest] == y_test[::10]).float().mean().item()
print(f"nearest neighbour gets {hits:.1%}")

# %% slideshow={"slide_type": "skip"}
assert 0.91 < hits < 0.94

# %% [markdown] slideshow={"slide_type": "subslide"}
# 92%, with one line and no learning. The network of lesson 00 got as much from 10,000 digits, in the few steps that we gave it. (Compare with what is simple before you praise what is deep.)
#
# But 15.7 GB for the differences is out of the question. `cdist` does without them, and so can you. Multiply out:
#
# $$\lVert x - y \rVert^2 = \lVert x \rVert^2 + \lVert y \rVert^2 - 2\, x \cdot y$$
#
# By hand for $x = (3, 4)$ and $y = (1, 1)$: $25 + 2 - 2 \cdot 7 = 13$, and directly $2^2 + 3^2 = 13$. Three parts: a number for each $x$, a number for each $y$, and the dot products of all pairs, which are one matrix product. None of them has the axis $d$ any more.

# %% [markdown] slideshow={"slide_type": "subslide"}
# It has a price. Where two large numbers are subtracted, rounding shows. Two neighbours far from the origin, in one dimension:

# %% slideshow={"slide_type": "fragment"}
x, y = torch.tensor(1000.7), torch.tensor(1000.6)
print(f"directly      : {(x - y) ** 2:.4f}")
print(f"multiplied out: {x * x + y * y - 2 * x * y:.4f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The true value is 0.01; multiplied out it came to **minus** 0.125. The squares are about a million, and float32 has seven digits. A negative squared distance makes `nan` as soon as somebody takes the root. So raise to 0 what is negative: `clamp(min=0)`. (That mends the sign, not the lost digits.)
#
# **Exercise [03.pairwise_sq_distances](exercises/03_broadcasting.ipynb)** ●●● All pairs, without a loop and without `(n, m, d)`.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · Stretching costs no memory
#
# To stretch a row of 1,000 numbers to 1,000 rows: `expand` does what broadcasting does, `repeat` writes the copies out. Both give a tensor of shape `(1000, 1000)`, and the same numbers.

# %% slideshow={"show": "output"}
explore.predict("03.bytes")

# %% slideshow={"slide_type": "subslide"}
row = torch.arange(1000.0)  # (1000,)
stretched, copied = row.expand(1000, 1000), row.repeat(1000, 1)  # repeat: 1000 times down, once across
for name, t in {"row": row, "expand": stretched, "repeat": copied}.items():
    print(f"{name:7} shape {tuple(t.shape)!s:13} strides {t.stride()!s:10} bytes held {t.untyped_storage().nbytes():,}")
print("equal:", torch.equal(stretched, copied))

# %% [markdown] slideshow={"slide_type": "fragment"}
# (`untyped_storage()` is the row of memory behind a tensor.) The trick is in the strides: **stride 0**. To get to the next row walk 0 places. `stretched[5, 7]` lies at $5 \cdot 0 + 7 \cdot 1 = 7$, and so does `stretched[900, 7]`. One number, read a thousand times. This is what rule 2 really does.

# %% slideshow={"slide_type": "skip"}
rows = [1, 10, 100, 1000, 10000]
held = {
    "repeat": [row.repeat(n, 1).untyped_storage().nbytes() for n in rows],
    "expand": [row.expand(n, 1000).untyped_storage().nbytes() for n in rows],
}
fig, ax = plt.subplots()
ax.plot(rows, held["repeat"], "s-", color=plotting.COLORS["class1"], label="repeat")
ax.plot(rows, held["expand"], "o-", color=plotting.COLORS["class0"], label="expand")
ax.set(xscale="log", yscale="log", xlabel="rows stretched to", ylabel="bytes", title="Copies cost memory, stride 0 does not")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On logarithmic axes the bytes of repeat climb in a straight line from 4,000 to 40 million. Those of expand stay at 4,000 however many rows there are.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Two warnings. First, for `+`, `*` and comparisons the **inputs** are stretched for free, but a result is written out in full: `column + row` for 10,000 and 10,000 numbers makes 400 MB out of 80 kB. (Products of many matrices with `@` may write the copies out, too.) Second, never **write** into something stretched.
#
# **Predict.** We set a single number of a stretched table to 5. What does the table look like then?

# %% slideshow={"slide_type": "subslide"}
table = torch.tensor([0.0, 1.0, 2.0]).expand(4, 3)
table[0, 0] = 5
print(table)
try:
    table += 1
except RuntimeError as error:
    print("table += 1:", error)

# %% [markdown] slideshow={"slide_type": "fragment"}
# All four rows changed, since there is only one. torch notices when a whole stretched table is written to, but not when it is a single number. If you want to write, make a copy first: `table.clone()`.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 8 · The most expensive bug
#
# 100 points are scattered around the line $y = 3x + 1$. A layer with one input and one output, `torch.nn.Linear(1, 1)`, is to find the line. The loss is the **mean squared error**: the squared difference between prediction and target, averaged. We start at random and go downhill, as in lesson 01.

# %% slideshow={"slide_type": "fragment"}
def fit_line(x, y, mean_squared_error, steps=200, lr=0.1):
    """Gradient descent for one layer with one input and one output. Returns slope, intercept and last loss."""
    layer = torch.nn.Linear(1, 1)
    for _ in range(steps):
        y_hat = layer(x)  # x: (n, 1)
        loss = mean_squared_error(y_hat, y)
        gradients = torch.autograd.grad(loss, list(layer.parameters()))
        with torch.no_grad():
            for p, g in zip(layer.parameters(), gradients, strict=True):
                p -= lr * g
    return layer.weight.item(), layer.bias.item(), loss.item()

# %% [markdown] slideshow={"slide_type": "subslide"}
# So far all is well. Now a colleague sends this loss, and this data:

# %%
def loss_as_sent(y_hat, y):
    return (y_hat - y).square().mean()


torch.manual_seed(0)
x = 4 * torch.rand(100, 1) - 2  # (100, 1): one feature, as a layer wants it
y = 3 * x[:, 0] + 1 + 0.5 * torch.randn(100)  # (100,): one target each

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("03.silent")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
slope, intercept, loss = fit_line(x, y, loss_as_sent)
print(f"slope {slope:z.3f}, intercept {intercept:.3f}, loss {loss:.2f};   mean of the targets {y.mean():.3f}")  # z: no -0.000

# %% slideshow={"slide_type": "skip"}
assert abs(slope) < 0.01 and abs(intercept - y.mean()) < 0.01 and loss > 5

# %% [markdown] slideshow={"slide_type": "fragment"}
# No error, no warning, and training ran to its end. But the slope is 0: the "line" gives the same answer to every input, the mean of all targets. Is it the learning rate? Too few steps? Neither. **Print the shapes.**

# %% slideshow={"slide_type": "fragment"}
y_hat = torch.nn.Linear(1, 1)(x)
print("y_hat", tuple(y_hat.shape), "  y", tuple(y.shape), "  y_hat - y", tuple((y_hat - y).shape))

# %% [markdown] slideshow={"slide_type": "subslide"}
# `(100, 1)` and `(100,)`: a column and, lined up from the right, a row. An outer difference! The loss held **every prediction against every target**, 10,000 pairs. A prediction cannot know which target is its own, so the best it can do is to please all of them alike, and that is their mean.
#
# Small enough for the hand: predictions 0 and 2, targets 0 and 2. All right, so the loss should be 0. But over all four pairs the squares are 0, 4, 4, 0: mean 2. With the predictions 1 and 1 each pair has 1: mean 1. The wrong loss **prefers** the mean.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary><b>Why exactly the mean?</b> (for those who want it)</summary>
#
# Write $m$ and $v$ for the mean and the variance (the mean squared distance from the mean) of the predictions, $\mu$ and $\sigma^2$ for those of the targets. Then
#
# $$\frac{1}{n^2}\sum_i \sum_j (\hat y_i - y_j)^2 = v + \sigma^2 + (m - \mu)^2$$
#
# since $\hat y_i - y_j = (\hat y_i - m) + (m - \mu) - (y_j - \mu)$, and when the square is multiplied out and summed over all $i$ and $j$ the mixed terms cancel. The smallest value is at $v = 0$ and $m = \mu$: all predictions equal, and equal to the mean. What remains is $\sigma^2$, the variance of the targets. ∎
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# So there is a reason to suspect this bug: **the loss stops at the variance of the targets**. (So it does for every model that takes no notice of x.) The cure is to give both the same shape. `y_hat[:, 0]` takes the extra axis away. Five data sets, wrong and right:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def right_loss(y_hat, y):
    return (y_hat[:, 0] - y).square().mean()


outcome = []
for seed in range(5):
    torch.manual_seed(seed)
    x = 4 * torch.rand(100, 1) - 2
    y = 3 * x[:, 0] + 1 + 0.5 * torch.randn(100)
    wrong, right = fit_line(x, y, loss_as_sent), fit_line(x, y, right_loss)
    outcome.append((*wrong, y.var(correction=0).item(), *right))
    print(f"wrong: slope {wrong[0]:z.2f}, loss {wrong[2]:5.2f} (variance {outcome[-1][3]:5.2f})     "
          f"right: slope {right[0]:.2f}, intercept {right[1]:.2f}, loss {right[2]:.2f}")

# %% slideshow={"slide_type": "skip"}
outcome = torch.tensor(outcome)  # (5, 7)
assert outcome[:, 0].abs().max() < 0.01 and (outcome[:, 2] / outcome[:, 3] - 1).abs().max() < 0.01
assert (outcome[:, 4] - 3).abs().max() < 0.2 and (outcome[:, 5] - 1).abs().max() < 0.2 and outcome[:, 6].max() < 0.5

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots()
ax.plot(x[:, 0], y, "o", color=plotting.COLORS["neutral"], ms=5)
ends = torch.tensor([-2.0, 2.0])
ax.plot(ends, wrong[0] * ends + wrong[1], color=plotting.COLORS["wrong"], lw=3, label="(n, 1) − (n,)")
ax.plot(ends, right[0] * ends + right[1], color=plotting.COLORS["right"], lw=3, label="(n,) − (n,)")
ax.set(xlabel="$x$", ylabel="$y$", title="One axis too many, and the line lies flat")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Grey points along a rising line. The line fitted with equal shapes goes through the middle of them. The one fitted with `(n, 1) − (n,)` is horizontal, at the mean height of the points.

# %% [markdown] slideshow={"slide_type": "subslide"}
# In all five the wrong slope is 0 and the wrong loss is the variance; the right one finds 3 and 1 to within 0.2. What does torch's own loss do?

# %% slideshow={"slide_type": "fragment"}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loss = F.mse_loss(torch.tensor([[0.0], [2.0]]), torch.tensor([0.0, 2.0]))
print("loss:", loss.item(), "  (it should be 0)")
print("warning:", str(caught[0].message).split(". ")[0])

# %% [markdown] slideshow={"slide_type": "fragment"}
# It computes the wrong number as well (the 2 from above), but at least it warns. Never ignore this warning. In your own code, refuse: one line, `assert y_hat.shape == y.shape`, would have found the bug at the first step. (In code for others raise a `ValueError` that names both shapes: Python can be told to skip assertions.)
#
# **Exercise [03.safe_mse](exercises/03_broadcasting.ipynb)** ● A loss that refuses.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 9 · Give the axes names: `einsum`
#
# With many axes, `None` and `dim=` become a riddle. **einsum** lets you write down what you mean. Every axis gets a letter: first the axes of each input, then, behind the arrow, those of the result.
#
# - A letter that stands in several inputs: walk along these axes **together**.
# - A letter that is missing behind the arrow: **sum** over it.
#
# A layer is `"bi,oi->bo"`: examples $b$, inputs $i$, outputs $o$. $i$ is missing on the right, so it is summed. In a formula $z_{bo} = \sum_i x_{bi} w_{oi}$, and no transpose to think of.

# %% slideshow={"slide_type": "subslide"}
X, W = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), torch.tensor([[1.0, 0.0], [1.0, -1.0]])  # (b, i), (o, i)
Z = torch.zeros(3, 2)
for b in range(3):  # one loop for each letter behind the arrow ...
    for o in range(2):
        for i in range(2):  # ... and one for each letter that is missing there
            Z[b, o] += X[b, i] * W[o, i]
print(Z.tolist())
print(torch.einsum("bi,oi->bo", X, W).tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# Any einsum can be read as such loops. Seven that you will meet, each held against the usual way to write it:

# %% slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
X, Y, W, v = torch.randn(4, 3), torch.randn(4, 3), torch.randn(2, 3), torch.randn(3)
P, Q = torch.randn(5, 4, 3), torch.randn(5, 3, 2)
usual = {
    "layer              bi,oi->bo": (torch.einsum("bi,oi->bo", X, W), X @ W.T),
    "transpose          ij->ji": (torch.einsum("ij->ji", X), X.T),
    "sum of each column ij->j": (torch.einsum("ij->j", X), X.sum(dim=0)),
    "sum of everything  ij->": (torch.einsum("ij->", X), X.sum()),
    "row by row         bd,bd->b": (torch.einsum("bd,bd->b", X, Y), (X * Y).sum(dim=1)),
    "scale the columns  ij,j->ij": (torch.einsum("ij,j->ij", X, v), X * v),
    "many products      nij,njk->nik": (torch.einsum("nij,njk->nik", P, Q), P @ Q),
}
for name, (ours, theirs) in usual.items():
    print(f"{name:36} {tuple(ours.shape)!s:10} equal: {torch.allclose(ours, theirs, atol=1e-5)}")

# %% [markdown] slideshow={"slide_type": "notes"}
# einsum multiplies and sums, no more: for outer sums, differences and comparisons broadcasting remains. And it guards against some accidents: axes meet by their letter, not by their place, and every axis needs one. `"n,n->n"` refuses an input of shape `(n, 1)`. (Not all: an axis of length 1 is stretched here too, even against its own letter.) In lesson 14 attention will be two einsums with a softmax between.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 10 · The way back: a sum
#
# What does stretching do to gradients? In $z = x W^\top + b$ one bias serves all rows. Let us keep only that: three rows, two biases, and as a loss simply the sum of everything.

# %% slideshow={"show": "output"}
explore.predict("03.gradient")

# %% slideshow={"slide_type": "subslide"}
rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=torch.float64)  # (3, 2)
b = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # (2,)
loss = (rows + b).sum()
print("gradient of b:", torch.autograd.grad(loss, b)[0].tolist())
nudged = (rows + torch.tensor([0.1, 0.0])).sum()
print(f"the sum before: {loss.item():.1f}   with the first bias up by 0.1: {nudged.item():.1f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# The bias is one number used three times. Nudge it and three results move, so their effects **add up**: the slope is 3. In general:
#
# > **The gradient of a broadcast is a sum over the stretched axes.** Stretch forwards, sum backwards.
#
# Numbers for a real loss. Suppose the gradient of the loss at the result $z$ is
#
# $$G = \begin{pmatrix} 1 & 2 \\ 3 & 4 \\ 5 & 6 \end{pmatrix}$$
#
# A bias `(2,)` was stretched down over three rows, so its gradient is the sum down: $(1+3+5,\ 2+4+6) = (9, 12)$. A column `(3, 1)` was stretched to the right; its gradient is $(3, 7, 11)$, and again a column.

# %% slideshow={"slide_type": "subslide"}
G = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=torch.float64)  # (3, 2)
for shape in ((2,), (1, 2), (3, 1), (), (3, 2)):
    t = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    (torch.zeros(3, 2) + t).backward(G)  # backward(G): pretend that the loss has gradient G here
    print(f"{shape!s:7} -> its gradient {t.grad.tolist()}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Look at the shapes: **a gradient always has the shape of the tensor it belongs to.** `(2,)` and `(1, 2)` have the same numbers, but the second keeps its axis of length 1. A single number `()` was stretched over everything and gets the sum of everything, 21. And `(3, 2)` was not stretched: nothing is summed.
#
# With a product it is one step more: for $z = x \cdot s$ multiply $G$ by $x$ first, in the full shape, and then sum. By hand, in float64, for an example with more axes, one of them added on the left and one stretched from 1:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
x = torch.randn(5, 3, 4, dtype=torch.float64)
s = torch.randn(3, 1, dtype=torch.float64, requires_grad=True)  # (3, 1) -> stretched to (5, 3, 4)
G = torch.randn(5, 3, 4, dtype=torch.float64)
(x * s).backward(G)
full = G * x  # (5, 3, 4): the gradient of the stretched s
by_hand = full.sum(dim=0)  # (3, 4): this axis was added on the left, it goes
by_hand = by_hand.sum(dim=1, keepdim=True)  # (3, 1): this one had length 1, it stays with length 1
print(tuple(by_hand.shape), "  largest difference to torch:", (by_hand - s.grad).abs().max().item())

# %% slideshow={"slide_type": "skip"}
assert by_hand.shape == s.shape and (by_hand - s.grad).abs().max() < 1e-12

# %% [markdown] slideshow={"slide_type": "notes"}
# Two kinds of axes, two kinds of sum: an axis that was **added on the left** goes; an axis that was **stretched from length 1** keeps its place.
#
# **Exercise [03.unbroadcast](exercises/03_broadcasting.ipynb)** ●●● Bring any gradient back to its shape. (Lesson 06 needs it to build its own backpropagation.)
#
# You have seen this before. The bias gradient of logistic regression in lesson 01 was `error.mean()`: a sum over the batch, with the $1/n$ of the loss. Now you know where that sum came from.

# %% [markdown] slideshow={"slide_type": "fragment"}
# It works in the other direction, too. A **sum** forwards is a **stretch** backwards: all summands get the same slope. Look at the strides of the gradient that torch returns:

# %%
x = torch.randn(3, 4, requires_grad=True)
gradient = torch.autograd.grad(x.sum(), x)[0]
print(tuple(gradient.shape), "strides", gradient.stride(), "bytes held:", gradient.untyped_storage().nbytes())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Twelve ones in four bytes: the number 1, stretched.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 11 · Habits
#
# | symptom | likely cause | what to do |
# |---|---|---|
# | `size of tensor a … must match` | from the right it does not fit | `[:, None]` or `keepdim=True` |
# | `shapes cannot be multiplied` | the middle lengths differ | transpose one |
# | loss stuck at the variance of `y` | `(n, 1)` met `(n,)` | print both shapes |
# | accuracy stuck at one in *k* | `(n, 1)` compared with `(n,)` | the same |
# | right on square data only | wrong axis in a mean or reshape | test with sizes all different |
# | memory explodes | a result `(n, m, d)` | a matrix product instead |
#
# And one habit against all of them: write the shape behind the line, `# (B, out)`, as this course does.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## What to remember
#
# - A tensor is one row of numbers in memory, plus shape, dtype and strides. Index times stride, summed up, is the place. Transposing exchanges strides; reshaping is something else.
# - Line up from the right; lengths fit if equal or one of them is 1, and the 1 is stretched; everything else is refused.
# - Give the one an axis the other does not have, and every pair meets. A layer for a batch is `X @ W.T + b`: the same multiplications as in loops, in a small part of the time. In einsum's letters it is `bi,oi->bo`: what is missing behind the arrow is summed.
# - `(n, 1)` against `(n,)` is an outer difference: no error, and training finds the mean. Compare shapes before you subtract.
# - Stretching is stride 0 and takes no memory; the result takes all of it. Stretch forwards is sum backwards, over the stretched axes, back to the shape it had.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. What comes of (5, 1, 4) and (3, 1)? Of (5, 4) and (5,)?</summary>
#
# (5, 3, 4): lined up, 4 meets 1, 1 meets 3, and 5 meets nothing. The second is refused: 4 meets 5. With (5, 1) it would work.
# </details>
#
# <details><summary>2. A tensor has shape (2, 3, 4) and lies in memory row by row. What are its strides, and where is [1, 2, 3]?</summary>
#
# (12, 4, 1): the last axis next to each other, four numbers to a row, twelve to a table. $1 \cdot 12 + 2 \cdot 4 + 3 = 23$, the last of the 24 places.
# </details>
#
# <details><summary>3. A classifier with 10 classes compares guesses of shape (1000,) with labels of shape (1000, 1) and takes the mean. It is always right. What accuracy does it report?</summary>
#
# About 10%, if all classes are equally frequent: the mean is over all pairs, and a random pair agrees one time in ten.
# </details>
#
# <details><summary>4. "Broadcasting saves memory, so I can subtract (20000, 1, 784) and (1, 20000, 784)." Can you?</summary>
#
# No. The inputs are stretched for free. The result has 20000 · 20000 · 784 numbers, more than a terabyte.
# </details>
#
# <details><summary>5. A bias of shape (1, 8, 1, 1) is added to pictures (32, 8, 28, 28). What shape has its gradient, and over how many numbers is each of its entries summed?</summary>
#
# (1, 8, 1, 1), the shape of the bias. Each entry is a sum over 32 · 28 · 28 = 25,088 numbers.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/03_broadcasting.ipynb](exercises/03_broadcasting.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 03.broadcast_shape | the three rules as code | ●● |
# | 03.standardize | columns with mean 0 and deviation 1 | ●● |
# | 03.outer | every product of two lists | ● |
# | 03.one_hot | class numbers as rows of 0 and 1 | ● |
# | 03.pairwise_sq_distances | all pairs of points, in little memory | ●●● |
# | 03.safe_mse | a loss that refuses to broadcast | ● |
# | 03.unbroadcast | a gradient back to its shape | ●●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# You can now send a batch through a layer in one line and know what every axis means. [Lesson 04](04_mlp.ipynb) puts layer after layer, with bends between, and looks at what they do to space.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - K. E. Iverson (1962). *A programming language.* Whole arrays as the things one computes with, outer products of any operation.
# - A. Einstein (1916). *Die Grundlage der allgemeinen Relativitätstheorie.* Letters that occur twice are summed: the convention behind einsum.
# - S. van der Walt, S. C. Colbert, G. Varoquaux (2011). *The NumPy array: a structure for efficient numerical computation.* Strides, views and broadcasting; sections 1, 3 and 7 follow it.
# - C. R. Harris et al. (2020). *Array programming with NumPy.* The same, ten years on.
# - A. Paszke et al. (2019). *PyTorch: an imperative style, high-performance deep learning library.*
# - T. M. Cover, P. E. Hart (1967). *Nearest neighbor pattern classification.* Section 6.
