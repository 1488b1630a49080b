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
# # 01 · One neuron draws a line
#
# **The question:** What can a single neuron decide, how does it learn to, and what will it never manage?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - compute what a neuron says, by hand and in code, for one input or a thousand;
# - see a neuron as a line in the plane, and say what its weights and its bias do to that line;
# - teach a neuron from its mistakes, and say beforehand how many it can make at most;
# - explain why no single neuron computes XOR, and build XOR out of three;
# - turn a yes-or-no neuron into one that gives probabilities, and train it by gradient descent.
#
# **Needs:** [lesson 00](00_start_here.ipynb) · **Read:** 50 minutes · **Run:** 20 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import matplotlib.pyplot as plt
import torch

from utils import explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 1 · An idea borrowed from biology
#
# A nerve cell collects signals from thousands of others. Some push it towards firing, some hold it back. When the
# push is strong enough it fires: it sends one signal on.
#
# In 1943 McCulloch and Pitts kept very little of this: inputs that excite or forbid, **added up** and compared with a **threshold**. In 1958
# Rosenblatt gave every input a **weight** of its own, and let the weights be **learned**.
#
# That is all the biology there is in this course. A real neuron fires in time, in rhythms, with chemistry, and most
# probably does not learn the way ours do. "Inspired by the brain" means what "inspired by birds" means for an aeroplane.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 2 · Weigh, add, decide
#
# Should I take a bicycle to work? Two things matter: how sunny it is, from 0 to 1, and how tired I am, from 0 to 1.
# Sun speaks for it with **weight** 2. Tiredness speaks against it with weight −3. And I like cycling anyway: a
# **bias** of 0.5 in favour, whatever the day.
#
# Today: sun 0.9, tiredness 0.2.
#
# $$z = 2 \cdot 0.9 + (-3) \cdot 0.2 + 0.5 = 1.7$$
#
# The **weighted sum** $z$ is positive: I cycle. Had I been at tiredness 0.8, it would be $1.8 - 2.4 + 0.5 = -0.1$: the
# bus. Everything else in this course grows out of this sum.

# %% [markdown] slideshow={"slide_type": "subslide"}
# In symbols: the input $x$ is a list of $d$ numbers, so is the weight $w$, and the bias $b$ is one number.
#
# $$z = w_1 x_1 + \dots + w_d x_d + b = w \cdot x + b \qquad \hat y = \begin{cases} 1 & z \ge 0 \\ 0 & z < 0 \end{cases}$$
#
# $z$ is called the **pre-activation**. The rule that turns it into the output is the **activation**; this one is the
# **step function**. The hat on $\hat y$ (`y_hat` in code) says "predicted". Note the edge: at exactly 0 the answer is 1.

# %%
def neuron(x, w, b):
    """One neuron with a step: 1 where w·x + b >= 0, else 0."""
    z = (w * x).sum() + b
    return (z >= 0).long()  # True and False become the whole numbers 1 and 0


w, b = torch.tensor([2.0, -3.0]), torch.tensor(0.5)
for day in ([0.9, 0.2], [0.9, 0.8]):
    x = torch.tensor(day)
    z = (w * x).sum() + b
    print(f"sun {day[0]}, tired {day[1]}:  z = {z:+.1f},  neuron says {neuron(x, w, b)}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Multiplying pairwise and adding up is the **dot product**. It is so common that Python has a sign for it: `w @ x`.
# With `@`, the same line also takes many inputs at once: stack them as the rows of a matrix `X` and write `X @ w + b`.
# One product, one answer per row.

# %% slideshow={"slide_type": "subslide"}
X_days = torch.tensor([[0.9, 0.2], [0.9, 0.8], [0.1, 0.0], [0.0, 0.9]])  # (4, 2): four days
z = X_days @ w + b  # (4,)
print("z     =", z)
print("y_hat =", (z >= 0).long())

# %% [markdown] slideshow={"slide_type": "notes"}
# torch has its own weighted sum, `torch.nn.functional.linear`. Whenever we write something by hand we hold it against
# torch's version: the largest difference should be zero, or as tiny as rounding.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
by_torch = torch.nn.functional.linear(X_days, w[None, :], b[None])[:, 0]  # [None] adds an axis of length 1
difference = (by_torch - z).abs().max().item()
print("largest difference:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-6

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [01.neuron](exercises/01_perceptron.ipynb)** ● Write the neuron for a whole batch of inputs.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 11}
# ## 3 · What a neuron sees: a line
#
# With two inputs, every possible input is a point in a plane. The neuron says 1 on some of them and 0 on the others.
# Where does it change its mind? Where $z$ is exactly zero:
#
# $$w_1 x_1 + w_2 x_2 + b = 0$$
#
# That is the equation of a straight line. It is called the **decision boundary**, and a model whose boundary is
# straight is a **linear classifier**. Let us draw it for our cyclist. The arrow stands on the line and shows the direction of $w$.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_neuron(w, b, ax, low=-1.0, high=2.0):
    """Shade where the neuron says 1, draw its boundary and the direction of w."""
    g = torch.linspace(low, high, 200)
    x1, x2 = torch.meshgrid(g, g, indexing="xy")  # (200, 200) each: both coordinates of 40,000 places
    z = w[0] * x1 + w[1] * x2 + b
    ax.contourf(g, g, z, levels=[0, 1e9], colors=[plotting.COLORS["class1"]], alpha=0.2)
    ax.contour(g, g, z, levels=[0], colors=[plotting.COLORS["boundary"]], linewidths=2.5)
    middle = torch.tensor([0.5, 0.5])
    foot = middle - (w @ middle + b) * w / (w @ w)  # the point of the line nearest to the middle
    ax.quiver(*foot, *(w / w.norm()), angles="xy", scale_units="xy", scale=3, width=0.014,
              color=plotting.COLORS["accent"])
    ax.set_aspect("equal")


fig, ax = plt.subplots(figsize=(5.5, 5.5))
draw_neuron(w, b, ax)
plotting.plot_points(X_days, (X_days @ w + b >= 0).long(), ax=ax, names=("bus", "cycle"))
ax.set(xlabel="sun", ylabel="tiredness", title="The neuron cuts the plane in two");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A straight line rises from lower left to upper right. Below it, shaded, the neuron says 1 (cycle);
# above it 0 (bus). Two of the four days lie on each side. A short arrow stands on the line at a right angle
# and points into the shaded half.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The arrow is no accident. **The weight vector is perpendicular to the line** (it is the line's **normal**) and points
# to the side of the ones. Numbers: walk along the line, in the direction $(3, 2)$. Then $z$ changes by
# $2 \cdot 3 + (-3) \cdot 2 = 0$: not at all. Walk one step along $w$ instead and $z$ grows as fast as it can, by
# $\lVert w \rVert$, the length of $w$.
#
# And the bias? It shifts the line without turning it: the line lies $|b| / \lVert w \rVert$ away from the origin.

# %% slideshow={"slide_type": "fragment"}
along = torch.tensor([3.0, 2.0])
print("w · (direction of the line):", (w @ along).item())
print(f"z one step along w         : {w @ (w / w.norm()):.3f}   length of w: {w.norm():.3f}")
print(f"distance from the origin   : {b.abs() / w.norm():.3f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("01.scale")

# %% slideshow={"slide_type": "subslide"}
z, z_10 = X_days @ w + b, X_days @ (10 * w) + 10 * b  # (4,) each
print("z     =", z, "  times 10:", z_10.round(decimals=1))
print("y_hat =", (z >= 0).long(), "  times 10:", (z_10 >= 0).long())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Every $z$ is ten times as large and keeps its sign, so every answer stays. Many weights draw the same line. (A **negative**
# factor turns the arrow round, and the answers with it.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: be the neuron
#
# *Can you place the line so that every point is on its side?* Move `w1`, `w2` and `b`, or drag the line itself.
#
# - **Try** AND first, then the blobs. Watch the arrow: it never leaves its right angle.
# - **Notice** that `w1` and `w2` turn the line, and `b` slides it along the arrow.
# - **Challenge:** choose XOR. How many of the four points can you get right?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.neuron()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Points of two classes in a plane, a boundary line with the arrow of its weights, the half where the
# neuron says 1 shaded, and a count of the points that are on the right side.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 4 · Logic out of a neuron
#
# Let the inputs be 0 or 1. Then a neuron is a logic gate. **AND** is 1 only if both inputs are. Choose weights
# $(1, 1)$: then $w \cdot x$ is 0, 1, 1 or 2, and only 2 should pass, so put the threshold between 1 and 2: $b = -1.5$.

# %% slideshow={"slide_type": "fragment"}
corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}
targets = {name: torch.tensor(y) for name, y in targets.items()}

w_and, b_and = torch.tensor([1.0, 1.0]), -1.5
for x, z in zip(corners.tolist(), corners @ w_and + b_and, strict=True):
    print(f"{x[0]:.0f} AND {x[1]:.0f}:  z = {z:+.1f}  ->  {int(z >= 0)}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **OR** (at least one) needs only a lower threshold. **NAND** is "not AND": flip every sign of AND, so that the arrow
# points the other way. And **XOR**, "one or the other but not both"? Look at the fourth picture and try to lay a ruler
# on it.

# %% slideshow={"show": "output"}
fig, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True, layout="constrained")
for ax, (name, y) in zip(axes, targets.items(), strict=True):
    plotting.plot_points(corners, y, ax=ax, legend=name == "XOR")
    ax.set(title=name, xlabel="$x_1$", xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xticks=[0, 1], yticks=[0, 1])
axes[0].set_ylabel("$x_2$");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four small squares with a point on each corner. In AND, OR and NAND one corner is alone and a
# straight cut separates it from the other three. In XOR the two ones sit on opposite corners.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [01.gates](exercises/01_perceptron.ipynb)** ● Find weights for AND, OR and NAND. (Others than the above are
# just as right.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 12}
# ## 5 · Learning from mistakes
#
# Setting weights by hand works for two inputs. For 784 pixels it does not. Rosenblatt's **perceptron learning rule**
# finds them. Start from zeros and look at one point after another:
#
# - The answer is right: **do nothing.**
# - It said 0, should be 1: **add** the point to the weights, and 1 to the bias.
# - It said 1, should be 0: **subtract** the point from the weights, and 1 from the bias.
#
# With the error $e = y - \hat y$, which is 0, +1 or −1, the three cases are one line:
#
# $$w \leftarrow w + e\,x \qquad b \leftarrow b + e$$

# %% [markdown] slideshow={"slide_type": "notes"}
# Why should that help? Numbers: $w = (1, 0)$, $b = -1$, and the point $x = (0, 1)$ whose class is 1. Now
# $z = 0 - 1 = -1$, the neuron says 0: a mistake, $e = +1$. The new weights are $(1, 1)$, the new bias is 0, and for the
# same point $z = 1 + 0 = 1$. It has risen by 2.
#
# In general $z$ for that point changes by $e\,(\lVert x \rVert^2 + 1)$: always in the direction that was wanted, and never
# by less than 1. One update need not be enough, and it may spoil other points. It is a push, not a cure.

# %% slideshow={"slide_type": "subslide"}
def update(x, y, w, b):
    """One step of the perceptron rule on one point: unchanged weights if the neuron is right."""
    error = y - (w @ x + b >= 0).long()  # 0, +1 or -1
    return w + error * x, b + error


x, y = torch.tensor([0.0, 1.0]), torch.tensor(1)
w, b = torch.tensor([1.0, 0.0]), torch.tensor(-1.0)
w_new, b_new = update(x, y, w, b)
print(f"before: z = {(w @ x + b).item():+.0f}     after: w = {w_new.tolist()}, z = {(w_new @ x + b_new).item():+.0f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [01.update](exercises/01_perceptron.ipynb)** ● One step of the rule.
#
# Now repeat. One pass over all points is an **epoch**. We stop after the first epoch without a single mistake, because
# from then on nothing would ever change. The list `history` keeps every update so that we can replay it.

# %% tags=["long"] slideshow={"slide_type": "subslide"}
def train_perceptron(X, y, max_epochs=100):
    """The perceptron rule from zero weights. Returns w, b, mistakes per epoch and the history of updates."""
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes, history = [], []
    for _ in range(max_epochs):
        mistakes.append(0)
        for i in range(len(X)):
            w_new, b_new = update(X[i], y[i], w, b)
            if b_new != b:  # the bias moves exactly when the answer was wrong
                w, b = w_new, b_new
                mistakes[-1] += 1
                history.append((w, b, i))
        if mistakes[-1] == 0:
            break
    return w, b, mistakes, history

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Predict.** AND has four points. Starting from zero weights, how many updates will the rule need? Fewer than four?
# About ten? About a hundred? Write your guess down.

# %% slideshow={"slide_type": "subslide"}
w, b, mistakes, history = train_perceptron(corners, targets["AND"])
print("mistakes per epoch:", mistakes, " in all:", sum(mistakes))
print(f"learned: w = {w.tolist()}, b = {b.item():.0f}")
print("says:", (corners @ w + b >= 0).long().tolist(), " wanted:", targets["AND"].tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Eleven updates, although there are only four points: the rule mends one point and spoils another, several times,
# before all four agree. And the weights it found, $(2, 1)$ with bias $-3$, are not the $(1, 1)$ with $-1.5$ that we chose.
# Any line that separates is fine with it, even this one, which runs exactly through the corner (1, 1): there $z = 0$,
# which counts as 1. Step through it and watch each push.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.replay_perceptron(corners, targets["AND"], history)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** The four corners of AND with the line before (dashed) and after (solid) an update, and a ring round the
# point that was wrong. After the first update there is no line yet: $w$ is still zero. Eleven updates lead to a line through
# the corner (1, 1), which has the other three on its far side.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [01.train](exercises/01_perceptron.ipynb)** ●● Write the whole learning loop.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 6 · How many mistakes can it make?
#
# Data that some line separates without a mistake is **linearly separable**. How hard it is depends on two lengths. To measure them, treat
# the bias as one more weight: give every point a further coordinate that is always 1, $(x_1, x_2, 1)$. The line becomes a flat boundary
# through the origin.
#
# - $R$ is the length of the longest of these points.
# - The **margin** $\gamma$ is the distance of the nearest point from the boundary, for the best boundary.
#
# > **Perceptron convergence theorem** (Novikoff, 1962). On separable data the rule makes at most $(R/\gamma)^2$
# > mistakes, in whatever order the points come, and then never another.

# %% [markdown] slideshow={"slide_type": "subslide"}
# For AND: the longest point is $(1, 1, 1)$, so $R^2 = 3$. The best boundary is $w = (2, 2)$, $b = -3$. At the three nearest corners $z$ is 1 or −1, so they are
# $1 / \sqrt{2^2 + 2^2 + 3^2} = 1/\sqrt{17}$ away. The bound is $3 \cdot 17 = 51$ mistakes. We counted 11.
#
# Note what does **not** occur in it: the number of points and the number of inputs. Ten million points with the same $R$ and $\gamma$ have the same bound.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary><b>The proof, in three steps</b> (for those who want it)</summary>
#
# Multiply the points of class 0 by −1, so that $w \cdot x \le 0$ on every mistake. Let $u$, of length 1, separate with margin $\gamma$: $u \cdot x \ge \gamma$ for all points. After $M$ mistakes:
#
# 1. Each update adds some $x$, hence $u \cdot w \ge M\gamma$.
# 2. Since $w \cdot x \le 0$, $\lVert w + x \rVert^2 \le \lVert w \rVert^2 + R^2$, hence $\lVert w \rVert^2 \le M R^2$.
# 3. Together $M\gamma \le u \cdot w \le \lVert w \rVert \le \sqrt{M}\, R$, so $M \le (R/\gamma)^2$. ∎
#
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Let us count. We scatter points, cut the plane by a known line and remove every point closer to it than a chosen
# distance: an empty street. Then we train, for five random sets each, while the street gets narrower. For $\gamma$ we take the distance from our known line. The best one can only be better, so the bound holds all the more.
#
# **Predict.** When the margin becomes ten times smaller the bound becomes a hundred times larger. Will the mistakes, too?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def street(gap, seed, n=200):
    """n points in a square, none nearer than `gap` to the line u·x + c = 0; also R and margin with the bias."""
    g = torch.Generator().manual_seed(seed)
    points = torch.rand(20 * n, 2, generator=g) * 2 - 1
    u, c = torch.tensor([0.8, 0.6]), 0.1
    X = points[(points @ u + c).abs() >= gap][:n]
    y = (X @ u + c >= 0).long()
    X1 = torch.cat([X, torch.ones(n, 1)], dim=1)  # the bias as a third coordinate, always 1
    u1 = torch.tensor([0.8, 0.6, 0.1]) / torch.tensor([0.8, 0.6, 0.1]).norm()
    return X, y, X1.norm(dim=1).max(), (X1 @ u1).abs().min()


gaps = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
counted, bounds = [], []
for gap in gaps:
    runs = [street(gap, seed) for seed in range(5)]
    counted.append([sum(train_perceptron(X, y, 1000)[2]) for X, y, _, _ in runs])
    bounds.append([((R / margin) ** 2).item() for _, _, R, margin in runs])
for gap, k, bound in zip(gaps, counted, bounds, strict=True):
    print(f"street {gap:4}: mistakes in five sets {k}, bound about {sum(bound) / 5:.0f}")

# %% slideshow={"slide_type": "skip"}
assert all(k <= bound for ks, bs in zip(counted, bounds, strict=True) for k, bound in zip(ks, bs, strict=True))
assert 2 < sum(counted[-1]) / sum(counted[2]) < 10  # street ten times narrower: mistakes grow, far less than x 100

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, ax = plt.subplots()
ax.fill_between(gaps, [min(k) for k in counted], [max(k) for k in counted], alpha=0.3, color=plotting.COLORS["class0"])
ax.plot(gaps, torch.tensor(counted).float().mean(1), "o-", color=plotting.COLORS["class0"])
ax.plot(gaps, torch.tensor(bounds).mean(1), "s--", color=plotting.COLORS["class1"])
ax.set(xscale="log", yscale="log", xlabel="half width of the empty street", ylabel="mistakes in all")
ax.annotate("bound $(R/\\gamma)^2$", (0.03, 5000), color=plotting.COLORS["class1"], fontsize=14)
ax.annotate("counted (mean, range of 5 sets)", (0.0095, 9), color=plotting.COLORS["class0"], fontsize=14)
ax.set_title("The bound holds, with a lot of room to spare");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On axes that are both logarithmic, the bound climbs steeply to the left as the street gets narrower,
# from about ten to over ten thousand. The counted mistakes climb too, far below it and less steeply.

# %% [markdown] slideshow={"slide_type": "notes"}
# No run broke the promise, and none came near it. From a street of 0.1 to one of 0.01 the bound grew nearly seventyfold (the nearest
# point is not always at the edge), the mistakes about fivefold. The theorem speaks of the worst order of the worst points; ours were
# random. A **bound** is a promise, not a forecast. Do not read "at most" as "about".

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 7 · XOR: out of reach
#
# We train the same rule on XOR, for 40 epochs. Predict first.

# %% slideshow={"show": "output"}
explore.predict("01.xor")

# %% slideshow={"slide_type": "subslide"}
w, b, mistakes, history = train_perceptron(corners, targets["XOR"], max_epochs=40)
print("mistakes per epoch:", mistakes[:6], "...", mistakes[-3:])
print("says:", (corners @ w + b >= 0).long().tolist(), " wanted:", targets["XOR"].tolist())
for k in range(-5, 0):
    print("weights after update", len(history) + k + 1, ":", history[k][0].tolist(), history[k][1].item())

# %% [markdown] slideshow={"slide_type": "notes"}
# From the third epoch on it errs on all four points, in every epoch, and after every four updates the same weights come back.
# It goes round in a circle and would do so for ever. (At the end two points are right and two wrong; the mistakes are counted while the weights still move. That the weights stay bounded is a
# theorem too, the perceptron cycling theorem.) On data that is not separable the rule never stops by itself.
#
# Maybe the rule is just clumsy? So let us not learn at all and try **every** line on a fine grid of weights.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
grid = torch.linspace(-3, 3, 61)
W = torch.cartesian_prod(grid, grid, grid)  # (226981, 3): all w1, w2, b in steps of 0.1
answers = (W[:, :2] @ corners.T + W[:, 2:] >= 0).long()  # (226981, 4)
for name in ("AND", "XOR"):
    right = (answers == targets[name]).sum(dim=1)
    print(f"{name:4}", {k: (right == k).sum().item() for k in range(5)}, " best:", right.max().item(), "of 4")

# %% slideshow={"slide_type": "skip"}
assert right.max() == 3  # XOR: not one of all those lines gets four

# %% [markdown] slideshow={"slide_type": "fragment"}
# Of 226,981 neurons thousands do AND without a mistake. For XOR **not one** gets all four; 3 of 4 is the best. Nobody gets 0 either:
# if some neuron were wrong on all four, its opposite (nudged by a hair) would be right on all four.
#
# <details><summary><b>The proof, in three lines</b></summary>
#
# XOR wants $b < 0$, then $w_2 + b \ge 0$ and $w_1 + b \ge 0$, and $w_1 + w_2 + b < 0$. Add the two in the middle:
# $w_1 + w_2 + 2b \ge 0$. Subtract the last: $b > 0$. But $b < 0$. No weights at all can do it. ∎
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Minsky and Papert made this famous in 1969, and it is often told as "neural networks cannot do XOR". That is the
# misconception. **One** neuron cannot. Read XOR aloud: "one **or** the other, **and not both**". That is OR, NAND and an AND
# of the two: three neurons, in two layers.

# %% slideshow={"slide_type": "fragment"}
def gate(X, w1, w2, b):
    return (X @ torch.tensor([w1, w2]) + b >= 0).float()


either = gate(corners, 1.0, 1.0, -0.5)  # OR
not_both = gate(corners, -1.0, -1.0, 1.5)  # NAND
xor = gate(torch.stack([either, not_both], dim=1), 1.0, 1.0, -1.5)  # AND of the two
print("OR  ", either.tolist(), "\nNAND", not_both.tolist(), "\nXOR ", xor.tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# The first two neurons give the third a **new pair of inputs**, in which the problem is easy. Hold on to this thought:
# it is the whole reason for deep networks. What is missing is a way to **learn** the weights of all three. The perceptron rule needs to know
# what each neuron should have said, and nobody tells the inner ones. It will take us until [lesson 06](06_backprop.ipynb).
#
# **Exercise [01.xor](exercises/01_perceptron.ipynb)** ●● XOR out of gates.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 11}
# ## 8 · From a step to a probability
#
# A step has two faults. It hides how sure the neuron is: $z = 0.01$ and $z = 100$ give the same 1. And it gives no direction to learn from: a tiny change of a weight
# changes nothing at all, until suddenly an answer flips.
#
# The cure is to replace the step by a slope. The **sigmoid** squeezes any $z$ into a number between 0 and 1:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} \qquad \sigma(0) = 0.5,\quad \sigma(2) \approx 0.88,\quad \sigma(-2) \approx 0.12$$

# %% slideshow={"slide_type": "subslide", "show": "output"}
z = torch.linspace(-8, 8, 400)
fig, ax = plt.subplots()
ax.plot(z, (z >= 0).float(), "--", color=plotting.COLORS["muted"], label="step")
ax.plot(z, 1 / (1 + torch.exp(-z)), color=plotting.COLORS["class1"], label="sigmoid")
ax.set(xlabel="pre-activation $z$", ylabel="output", title="The sigmoid is a step with a slope")
ax.legend(loc="upper left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The step jumps from 0 to 1 at $z = 0$. The sigmoid climbs smoothly, is 0.5 at zero, and cannot be told from
# the step beyond about ±6.

# %% [markdown] slideshow={"slide_type": "fragment"}
# We read the output as **the probability that the class is 1**. This neuron is called **logistic regression** (a classifier,
# despite its name). The decision is the same line as before, since $\sigma(z) \ge 0.5$ exactly where $z \ge 0$.
# What is new is the size of $w$: the longer $w$, the steeper the slope and the surer the neuron.

# %% [markdown] slideshow={"slide_type": "subslide"}
# To learn, we need a number that says how bad the probabilities $p$ are: a **loss**. If something happens to which we gave the probability $p$, call $-\log p$ our surprise: 0 for $p = 1$, and the larger the less we expected it. We take its average,
#
# $$L = -\frac1n \sum_i \big[\, y_i \log p_i + (1 - y_i) \log (1 - p_i) \big]$$
#
# called **binary cross-entropy** ($\log$ is the natural logarithm). A point of class 1 that got $p = 0.9$ costs $-\log 0.9 \approx 0.11$; one that got $p = 0.1$ costs $2.30$.
# [Lesson 05](05_losses.ipynb) says where it comes from.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The **gradient** is the list of slopes of $L$, one per weight: $\partial L/\partial w_1$ is the slope when only $w_1$ moves. [Lesson 06](06_backprop.ipynb) derives it; it comes to something we have met:
#
# $$\frac{\partial L}{\partial w} = \frac1n \sum_i (p_i - y_i)\, x_i \qquad \frac{\partial L}{\partial b} = \frac1n \sum_i (p_i - y_i)$$

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Gradient descent** walks against the gradient: $w \leftarrow w - \text{lr} \cdot \partial L/\partial w$, where the **learning rate** `lr`
# sets the length of the step. Compare the pushes:
#
# | rule | push from one point | with |
# |---|---|---|
# | perceptron | $(y - \hat y)\, x$ | $\hat y$ either 0 or 1 |
# | logistic | $(y - p)\, x$ | $p$ anything between |
#
# It is the perceptron rule with a soft error. A point that is right, but only just, still pushes a little. A point that is right and
# far away hardly pushes at all.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def logistic_gradient(X, y, w, b):
    """Gradient of the mean binary cross-entropy with respect to w and b."""
    p = 1 / (1 + torch.exp(-(X @ w + b)))  # (n,)
    error = p - y  # (n,)
    return X.T @ error / len(X), error.mean()  # (d,), (); .T swaps rows and columns


X_check = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [3.0, -1.0]], dtype=torch.float64)
y_check = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # torch is to find slopes for this one
b = torch.zeros((), dtype=torch.float64, requires_grad=True)
loss = torch.nn.functional.binary_cross_entropy(torch.sigmoid(X_check @ w + b), y_check)
by_torch = torch.autograd.grad(loss, (w, b))  # lesson 06 shows how
by_hand = logistic_gradient(X_check, y_check, w.detach(), b.detach())
print("by hand :", by_hand[0], by_hand[1])
difference = max((h - t).abs().max().item() for h, t in zip(by_hand, by_torch, strict=True))
print("largest difference to torch:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-12

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [01.logistic_gradient](exercises/01_perceptron.ipynb)** ●● Write this gradient yourself.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Perceptron against logistic regression, where no line is perfect
#
# Two clouds that overlap: no line gets all of them. Both learners see the same 200 points; both are judged on 2,000 new ones
# after each of 60 epochs. We do it for five random sets.
#
# **Predict.** The perceptron never stops updating here. What will its accuracy on new points look like over the epochs?

# %% tags=["long"] slideshow={"slide_type": "skip"}
def clouds(n, seed):
    """Two overlapping clouds around (-1, -0.7) and (1, 0.7), in random order."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (n,), generator=g)
    return torch.randn(n, 2, generator=g) + (2 * y[:, None] - 1) * torch.tensor([1.0, 0.7]), y


def accuracy(X, y, w, b):
    return ((X @ w + b >= 0).long() == y).float().mean().item()


perceptron, logistic, said, truth = [], [], [], []
for seed in range(5):
    X, y = clouds(200, seed)
    X_new, y_new = clouds(2000, 100 + seed)
    (w, b), (w_soft, b_soft) = (torch.zeros(2), torch.tensor(0.0)), (torch.zeros(2), torch.tensor(0.0))
    for _ in range(60):
        for i in range(len(X)):
            w, b = update(X[i], y[i], w, b)
        grad_w, grad_b = logistic_gradient(X, y, w_soft, b_soft)
        w_soft, b_soft = w_soft - 1.0 * grad_w, b_soft - 1.0 * grad_b
        perceptron.append(accuracy(X_new, y_new, w, b))
        logistic.append(accuracy(X_new, y_new, w_soft, b_soft))
    said.append(1 / (1 + torch.exp(-(X_new @ w_soft + b_soft))))  # the final probabilities, for later
    truth.append(y_new)
perceptron, logistic = torch.tensor(perceptron).view(5, 60), torch.tensor(logistic).view(5, 60)

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots()
epochs = range(1, 61)
ax.plot(epochs, 100 * perceptron.T, color=plotting.COLORS["class0"], lw=1.2)
ax.plot(epochs, 100 * logistic.T, color=plotting.COLORS["class1"], lw=2.5)
ax.set(xlabel="epoch", ylabel="accuracy on new points, %", ylim=(30, 96))
ax.set_title("The perceptron jumps about, logistic regression settles")
ax.annotate("logistic, five sets", (38, 91.5), color=plotting.COLORS["class1"], fontsize=14)
ax.annotate("perceptron, five sets", (18, 38), color=plotting.COLORS["class0"], fontsize=14);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five thin jagged lines for the perceptron, which drop and recover from epoch to epoch, and five thick flat lines,
# nearly on top of each other, for logistic regression.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
late_p, late_l = 100 * perceptron[:, 30:], 100 * logistic[:, 30:]
print(f"epochs 31-60, perceptron: mean {late_p.mean():.0f}%, lowest {late_p.min():.0f}%, highest {late_p.max():.0f}%")
print(f"epochs 31-60, logistic  : mean {late_l.mean():.0f}%, lowest {late_l.min():.0f}%, highest {late_l.max():.0f}%")

# %% slideshow={"slide_type": "skip"}
assert 65 < late_p.mean() < 86 < late_l.mean() < 91
assert late_p.min() < 60 and late_l.max() - late_l.min() < 6

# %% [markdown] slideshow={"slide_type": "notes"}
# After epoch 30 the perceptron gets about 78% of new points right **on average**, but it depends on the set and on the moment at which one stops. In
# one epoch of one set it fell to a third, worse than guessing, and in the next it was back above a half. Its last update decides, and that may come from an odd point. Logistic
# regression weighs all points at once: 87% to 89%, in all five sets, and hardly a change from epoch to epoch.

# %% [markdown] slideshow={"slide_type": "subslide"}
# And are the probabilities worth their name? Take all new points to which the neuron gave a probability between 0.6 and 0.8, and count
# how many of them really are of class 1. If the word means anything, it should be about 70%.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
p, y_new = torch.cat(said), torch.cat(truth)  # (10000,) each: five sets of 2,000 new points
for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
    k = (p >= low) & (p < high)
    real = y_new[k].float().mean()
    print(f"said {low:.1f}-{high:.1f}: {k.sum():4} points, mean p {p[k].mean():.2f}, really class 1: {real:.2f}")

# %% slideshow={"slide_type": "skip"}
between = (p >= 0.6) & (p < 0.8)
assert abs(p[between].mean() - y_new[between].float().mean()) < 0.06

# %% [markdown] slideshow={"slide_type": "notes"}
# They are worth their name: among the points called 0.6 to 0.8, with 0.71 on average, 70% were of class 1, and the other rows fit as well. But this is logistic regression's home ground. For two round clouds of the same size the true
# probability **is** a sigmoid of a weighted sum. The network of lesson 00 was rather sure of pure noise. Probabilities have to be measured, on the kind of data at hand, before they can be believed.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 9 · Many neurons at once
#
# Three neurons that look at the same two inputs are three rows of weights: a matrix `W` of shape `(out, in)` = (3, 2), and three biases.
# The whole **layer** answers a whole **batch** of inputs in a single product:
#
# $$Z = X W^\top + b$$
#
# | | meaning | shape |
# |---|---|---|
# | `X` | batch of inputs | (B, in) |
# | `W` | one row per neuron | (out, in) |
# | `b` | one per neuron | (out,) |
# | `Z` | one row per input, one column per neuron | (B, out) |

# %% slideshow={"slide_type": "subslide"}
W = torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])  # (3, 2): AND, OR, NAND
b = torch.tensor([-1.5, -0.5, 1.5])  # (3,)
Z = corners @ W.T + b  # (4, 2) @ (2, 3) + (3,) -> (4, 3)
print((Z >= 0).long())

# %% [markdown] slideshow={"slide_type": "notes"}
# Each row is an input, each column a gate: AND, OR, NAND. torch's layer is called `nn.Linear(in, out)` and keeps its weights in just this shape.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
layer = torch.nn.Linear(2, 3)
with torch.no_grad():  # we set the weights by hand, nothing to learn here
    layer.weight.copy_(W)
    layer.bias.copy_(b)
    difference = (layer(corners) - Z).abs().max().item()
print("weight", tuple(layer.weight.shape), " largest difference:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-6

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## What to remember
#
# - A neuron weighs, adds and decides: $\hat y = 1$ where $w \cdot x + b \ge 0$. For many inputs it is one product, `X @ w + b`.
# - It cuts space with a flat boundary. $w$ stands at a right angle to it, $b$ shifts it, and multiplying both by a positive number changes no decision.
# - The perceptron rule adds or subtracts the points it gets wrong. If some line separates the data it makes at most $(R/\gamma)^2$ mistakes; if none does, it never stops.
# - XOR is not linearly separable: 3 of 4 is the best one neuron can do. Two layers can do it, because the first gives the second better inputs.
# - With a sigmoid the neuron gives probabilities, and its gradient $(p - y)\,x$ is the perceptron's push with a soft error.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A neuron has w = (3, 4) and b = −10. How far is its line from the origin, and what does it say at the origin?</summary>
#
# $|b| / \lVert w \rVert = 10 / 5 = 2$. At the origin $z = b = -10 < 0$, so it says 0.
# </details>
#
# <details><summary>2. You flip the sign of all weights and of the bias. What changes?</summary>
#
# The line stays where it is, the arrow turns round, and every answer flips (except exactly on the line, where $z = 0$ says 1 both times).
# </details>
#
# <details><summary>3. The rule has run for a million updates and still errs. What do you know?</summary>
#
# Either the data is not separable, or its margin is so small that $(R/\gamma)^2$ is above a million. From the mistakes alone you cannot tell which.
# </details>
#
# <details><summary>4. Logistic regression gives a point p = 0.99 and it is of class 1. Does the point still push the weights?</summary>
#
# Yes, with $y - p = 0.01$ times $x$: hardly. The perceptron would not push at all.
# </details>
#
# <details><summary>5. Why can the perceptron rule not train the three-neuron XOR network?</summary>
#
# It needs the error of every neuron. For the last one the wanted output is known; for the two in front nobody says what they should have answered.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/01_perceptron.ipynb](exercises/01_perceptron.ipynb). Each has a check that tells you at once what it thinks.
#
# | exercise | task | |
# |---|---|---|
# | 01.neuron | the neuron for a batch | ● |
# | 01.gates | weights for AND, OR, NAND | ● |
# | 01.update | one step of the rule | ● |
# | 01.train | the learning loop | ●● |
# | 01.xor | XOR out of gates | ●● |
# | 01.logistic_gradient | the gradient with a soft error | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# [Lesson 02](02_activations.ipynb) asks what happens if we stack neurons, and why it would be pointless without a bend between the layers.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - W. S. McCulloch, W. Pitts (1943). *A logical calculus of the ideas immanent in nervous activity.*
# - F. Rosenblatt (1958). *The perceptron: a probabilistic model for information storage and organization in the brain.*
# - A. B. J. Novikoff (1962). *On convergence proofs on perceptrons.* Section 6 counts against its bound.
# - M. Minsky, S. Papert (1969). *Perceptrons.* XOR, and the cycling theorem of section 7.
# - D. R. Cox (1958). *The regression analysis of binary sequences.* Logistic regression.
