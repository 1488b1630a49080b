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
# # 07 · Walking downhill well
#
# **The question:** We know the gradient. How far should we step, and in which direction, so that we get down fast and safely?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - say which learning rate is too large, and why: the limit is 2 divided by the largest curvature;
# - choose a batch size knowing what it does to the noise of the gradient;
# - write SGD, momentum, Nesterov, Adagrad, RMSProp, Adam and AdamW, and say which ailment each of them treats;
# - compare optimizers fairly, and find a learning rate with a range test;
# - plan a learning rate over a training with a schedule, and clip gradients that are too long.
#
# **Needs:** [lesson 06](06_backprop.ipynb) · **Read:** 60 minutes · **Run:** 45 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from utils import data, explore, plotting
from utils.built.layers import MLP

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 1 · One step downhill
#
# You stand on a hillside in fog. You cannot see the valley, but you feel the slope under your feet. So you take a step downhill, feel again, and step again. That is **gradient descent**:
#
# $$w \leftarrow w - \text{lr} \cdot \frac{\partial L}{\partial w}$$
#
# The **learning rate** `lr` says how far to go for a given slope. By hand, on $f(w) = w^2$ with slope $2w$, from $w = 1$ with `lr` = 0.1: the slope is 2, so we go to $1 - 0.1 \cdot 2 = 0.8$. There the slope is 1.6, and we
# go to $0.8 - 0.16 = 0.64$. Every step leaves 0.8 of the distance.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("07.limit")

# %% slideshow={"slide_type": "subslide"}
for lr in (0.1, 0.5, 0.9, 1.0, 1.1):
    w, path = 1.0, [1.0]
    for _ in range(7):
        w = w - lr * 2 * w  # the slope of w² is 2w
        path.append(w)
    print(f"lr {lr}: ", "  ".join(f"{w:6.2f}" for w in path))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Five learning rates, five ways to walk: creep; land at once; overshoot and come home in a zigzag; jump to and fro for ever; run away, further at each step. The gradient was right every time. It tells us the direction
# and the slope **here**. It does not say how far the slope will last.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 2 · How large is too large
#
# Write the bowl as $f(w) = \frac{\lambda}{2} w^2$. Its slope is $\lambda w$, and $\lambda$ is its **curvature**: how fast the slope changes (the second derivative). For $w^2$ it is 2. One step:
#
# $$w \leftarrow w - \text{lr} \cdot \lambda w = (1 - \text{lr} \cdot \lambda)\, w$$
#
# Each step multiplies $w$ by the same number. It shrinks if that number lies between −1 and 1. Below 1 it is anyway, and $1 - \text{lr} \cdot \lambda > -1$ says $\text{lr} < 2/\lambda$. For $\lambda = 2$ the limit is 1: just what we saw.
#
# With many weights the bowl is curved differently in different directions. In each of them the same rule holds, with its own $\lambda$, but all share one learning rate. **The steepest decides**: $\text{lr} < 2/\lambda_{\max}$.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>Why each direction goes its own way</summary>
#
# A bowl in many weights is $\frac12 w^T H w$ with gradient $Hw$, so a step is $w \leftarrow (I - \text{lr}\, H)\,w$. Along an eigenvector $u$ of $H$, where $Hu = \lambda u$, it multiplies by $1 - \text{lr}\,\lambda$. $H$ is symmetric, so its eigenvectors stand at right angles and together reach everywhere.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Does it hold for a real problem? We fit a line to 200 points with five inputs, under mean squared error. The curvatures along the main axes of this bowl are the **eigenvalues** of the matrix of second derivatives, the
# **Hessian**, which here is $\frac 2n X^T X$. `torch.linalg.eigvalsh` finds them.

# %% slideshow={"slide_type": "fragment"}
torch.manual_seed(0)
X_line = torch.randn(200, 5, dtype=torch.float64) * torch.tensor([1.0, 0.5, 2.0, 0.3, 1.0])  # (n, features)
y_line = X_line @ torch.randn(5, dtype=torch.float64)  # (n,): a line fits exactly, so the lowest loss is 0
curvatures = torch.linalg.eigvalsh(2 / 200 * X_line.T @ X_line)  # (5,), smallest first
limit = 2 / curvatures[-1].item()
print("curvatures:", [f"{c:.2f}" for c in curvatures.tolist()])
print(f"limit 2 / {curvatures[-1]:.2f} = {limit:.3f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
def loss_path(lr, steps=600):
    """The loss of the line at each step of gradient descent from zero weights."""
    w, path = torch.zeros(5, dtype=torch.float64), []
    for _ in range(steps):
        error = X_line @ w - y_line  # (n,)
        path.append((error**2).mean().item())
        w = w - lr * 2 / 200 * X_line.T @ error
    return path


ax = plt.subplots(figsize=(8, 4.2))[1]
for share in (0.5, 0.99, 1.0, 1.01):
    ax.plot(loss_path(share * limit), label=f"{share:.0%} of the limit")
ax.set(yscale="log", xlabel="step", ylabel="loss", ylim=(1e-20, 1e13), title="One percent beyond 2/λmax, and it runs away")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four lines on a logarithmic axis, all from the same loss. At half the limit it falls fast; at 99% of the limit it falls, too, but more slowly, since the steepest direction now jumps to and fro. At exactly the limit it stays level for ever. At
# 101% it rises without end.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
for share in (0.9, 0.999, 1.0, 1.001, 1.01):
    path = loss_path(share * limit, steps=5001)
    print(f"{share:6.1%} of the limit: loss after 1000 steps {path[1000]:7.0e}, after 5000 {path[5000]:7.0e}")

# %% slideshow={"slide_type": "skip"}
assert loss_path(0.999 * limit, 5001)[-1] < 1e-6 < 1e6 < loss_path(1.001 * limit, 5001)[-1]

# %% [markdown] slideshow={"slide_type": "notes"}
# The limit is sharp: a thousandth below it the loss falls, a thousandth above it explodes. For a network the curvature changes from place to place and is costly to measure, so one finds a good rate by trying (sections 11 and 13). But that is why a
# learning rate that is too large does not merely learn slowly: it makes the loss **rise**, and may explode.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 3 · The shape of the land
#
# The limit is set by the steepest direction. The speed is set by the **flattest**. Take curvatures 1 and 25:
#
# $$f(x, y) = \tfrac12 (x^2 + 25 y^2)$$
#
# a **ravine**: steep walls, a floor that hardly slopes. The walls allow `lr` < 2/25 = 0.08. Along the floor a step then leaves at least $1 - 0.08 \cdot 1 = 0.92$ of the way. And if the ratio were 2,500 instead of 25, it would be 0.9992.
#
# Stand at $(-3.5, 1.5)$. The gradient is $(x, 25y) = (-3.5, 37.5)$. The way to the minimum is $(3.5, -1.5)$. How large is the angle between downhill and the goal?

# %% slideshow={"slide_type": "fragment", "show": "output"}
def angle(a, b):
    """Angle between two arrows in degrees."""
    return math.degrees(math.acos(F.cosine_similarity(a, b, dim=0).item()))


start = torch.tensor([-3.5, 1.5], dtype=torch.float64)
downhill = -torch.tensor([1.0, 25.0]) * start
print(f"against the gradient: ({downhill[0]}, {downhill[1]}), to the minimum: ({-start[0]}, {-start[1]})")
print(f"angle: {angle(downhill, -start):.0f} degrees")

# %% [markdown] slideshow={"slide_type": "notes"}
# Sixty degrees off. A misconception to lose: *"the gradient points to the minimum"*. It points in the direction in which $f$ rises fastest **right here**, and in a ravine that is across, not along. What follows is a zigzag:

# %% slideshow={"slide_type": "subslide", "show": "output"}
x_grid, y_grid = torch.meshgrid(torch.linspace(-4, 4, 201), torch.linspace(-2, 3, 201), indexing="xy")


def ravine(x, y):
    return 0.5 * (x**2 + 25 * y**2)


def draw_surface(ax, f, levels):
    """Contour lines: each joins places of equal height."""
    ax.contour(x_grid, y_grid, f(x_grid, y_grid), levels=levels, colors=plotting.COLORS["neutral"], linewidths=0.8)
    ax.set(xlabel="$x$", ylabel="$y$", aspect="equal")


path = [start]
for _ in range(40):
    path.append(path[-1] - 0.072 * torch.tensor([1.0, 25.0]) * path[-1])
ax = plt.subplots(figsize=(8.5, 5.2))[1]
draw_surface(ax, ravine, (0.25, 1, 3, 6, 12, 22, 40, 65, 95))
ax.plot(*torch.stack(path).T, "o-", color=plotting.COLORS["gradient"], markersize=5, lw=1.5)
ax.plot(0, 0, "*", color=plotting.COLORS["text"], markersize=16)
ax.set_title("Forty steps: mostly from wall to wall");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Flat, stretched ellipses around a star, the minimum. From the left the path jumps across the ravine at each step, from one wall to the other, and gets only a little further along the floor each time. The jumps get smaller; after forty steps it is nearly there.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Other places where walking is hard
#
# - A **local minimum**: lower than everything around, but not the lowest of all. From there every way leads up.
# - A **plateau**: nearly flat, so the gradient is nearly zero though the minimum is far away. (A saturated sigmoid under squared error, lesson 05, was one.)
# - A **saddle point**: flat, too, but it goes up in one direction and down in another, like a mountain pass.
#
# At all three the gradient is zero or almost. It cannot tell one from another.

# %% slideshow={"slide_type": "skip"}
def two_valleys(x):
    return x**4 / 8 - x**3 / 12 - x**2 + x + 10 / 3


def plateau(x):
    return 1 - 1 / (1 + (x - 2) ** 2) ** 2


def saddle(x, y):
    return x**2 / 2 - y**2 / 2 + y**4 / 4


def descend(f, start, lr, steps):
    """Gradient descent; all places on the way, shape (steps + 1, number of coordinates)."""
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    path = [p.detach().clone()]
    for _ in range(steps):
        f(*p).backward()
        with torch.no_grad():
            p -= lr * p.grad
        p.grad = None
        path.append(p.detach().clone())
    return torch.stack(path)

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
x = torch.linspace(-4, 4, 401)
for ax, f, starts in ((axes[0], two_valleys, (-3.5, 3.5)), (axes[1], plateau, (-3.5, 0.5))):
    ax.plot(x, f(x), color=plotting.COLORS["text"])
    for k, x0 in enumerate(starts):
        path = descend(f, [x0], 0.05, 150)[:, 0]
        ax.plot(path, f(path), f"{'os'[k]}-", color=plotting.COLORS[f"class{k}"], markersize=5)
    ax.set(xlabel="$x$", ylabel="$f$")
axes[0].set(title="The start decides", ylim=(-0.5, 9))
axes[1].set(title="Plateau: no progress")
draw_surface(axes[2], saddle, (-0.2, -0.12, 0, 0.12, 0.35, 0.9, 2, 4, 7))
for k, y0 in enumerate((0.0, 0.01)):
    path = descend(saddle, [-3.0, y0], 0.1, 100)
    axes[2].plot(*path.T, f"{'os'[k]}-", color=plotting.COLORS[f"class{k}"], markersize=5, lw=1)
axes[2].set(title="Saddle: stuck on the ridge", xlim=(-3.5, 2), ylim=(-1.6, 1.6), aspect="auto");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, a curve with two valleys: walkers from the left and from the right end in different ones, and only one is the deepest. Middle, a pit in a plain: the walker that starts near the pit reaches the bottom, the one far out has hardly moved after 150
# steps. Right, contour lines of a saddle: one walker comes along the ridge line $y = 0$ and stops at the pass; the other begins 0.01 beside it, lingers at the pass and then turns off to the minimum at $y = 1$.

# %% [markdown] slideshow={"slide_type": "notes"}
# In networks with many weights, saddles and plateaus are the commoner trouble: at a flat place, *every* one of thousands of directions must go up for it to be a minimum (Dauphin and others, 2014). And being stuck exactly on a ridge needs an exactly wrong start; a little noise is enough to slide off. We are about to get
# noise for free.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 4 · A guess from a few examples
#
# The loss is a mean over all examples, so its gradient is the mean of 60,000 gradients. Must we compute them all before each step?
#
# - **Batch** gradient descent does: exact, and slow.
# - **Stochastic** gradient descent takes one example at random: quick and noisy. (*Stochastic* means: left to chance.)
# - **Mini-batch** takes a few, $B$ of them. This is what everybody does, and what is meant today by **SGD**.
#
# One update is a **step** (elsewhere also *iteration*). Once through all the data is an **epoch**. With 60,000 digits and $B = 64$ an epoch has 938 steps: 937 full batches and one of 32.

# %% [markdown] slideshow={"slide_type": "subslide"}
# For a new order in each epoch, shuffle the **row numbers** and cut them into pieces. The same numbers pick from `X` and from `y`, so that each picture keeps its label, and the short piece at the end belongs to it as well:

# %% slideshow={"slide_type": "fragment"}
torch.manual_seed(0)
for epoch in range(2):
    print(f"epoch {epoch}:", [rows.tolist() for rows in torch.randperm(10).split(4)])

# %% [markdown] slideshow={"slide_type": "notes"}
# `torch.randperm(10, generator=g)` takes its order from a generator `g` of your own, so that nobody else's random numbers change it.
#
# **Exercise [07.minibatches](exercises/07_optimizers.ipynb)** ●● Shuffle, cut, and keep every example with its target.
#
# Now for the noise. We take 10,000 digits and an untrained network, compute the gradient over all of them, and compare it with the gradient of random batches of size $B$. How far off is the guess?

# %% slideshow={"slide_type": "skip"}
X_all, y_all = data.mnist_tensors("train")
X_test, y_test = data.mnist_tensors("test")
X, y = X_all[:10_000], y_all[:10_000]  # (10000, 784), (10000,)

torch.manual_seed(0)
model = MLP([784, 32, 10])
parameters = list(model.parameters())


def gradient_on(rows):
    """The gradient of the loss on these examples, as one long row of numbers."""
    loss = F.cross_entropy(model(X[rows]), y[rows])
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])  # (25450,)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("07.noise")

# %% slideshow={"slide_type": "subslide", "show": "output"}
exact = gradient_on(torch.arange(len(X)))
sizes = [1, 4, 16, 64, 256, 1024]
errors, angles = [], []
for B in sizes:
    guesses = torch.stack([gradient_on(torch.randint(len(X), (B,))) for _ in range(50)])  # (50, 25450)
    errors.append((guesses - exact).square().sum(dim=1).mean().sqrt().item())
    angles.append(sum(angle(g, exact) for g in guesses) / 50)
ax = plt.subplots(figsize=(7.5, 4.4))[1]
ax.loglog(sizes, errors, "o", color=plotting.COLORS["gradient"], markersize=9, label="measured")
ax.loglog(sizes, [errors[0] / B**0.5 for B in sizes], "--", color=plotting.COLORS["muted"], label="first one divided by √B")
ax.axhline(exact.norm().item(), color=plotting.COLORS["train"], lw=1.5)
ax.text(1, 0.86 * exact.norm().item(), "length of the exact gradient", color=plotting.COLORS["train"], va="top")
ax.set(xlabel="batch size $B$", ylabel="error of the gradient", title="Four times the batch, half the noise")
ax.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend();

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Both axes logarithmic. Six measured points lie on a falling straight line, the first error divided by $\sqrt B$. A level line marks the length of the exact gradient: with one example the error is about eight times as long as what we want to know; near $B = 64$ they are equally long.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
for B, error, turned in zip(sizes, errors, angles, strict=True):
    print(f"B = {B:4}: error {error:.2f}, times the root of B: {error * B**0.5:.2f}, angle to the exact gradient {turned:.0f} degrees")

# %% slideshow={"slide_type": "skip"}
assert all(abs(error * B**0.5 / errors[0] - 1) < 0.25 for B, error in zip(sizes, errors, strict=True))
assert angles[0] > 70 and angles[-1] < 25

# %% [markdown] slideshow={"slide_type": "fragment"}
# The error times $\sqrt B$ is about the same in every row. It is the law of every mean of independent things. A batch of 1,024 costs as much as 1,024 single examples and is only 32 times as exact. With one example the guess is more than 80 degrees off, which is hardly a direction at all.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>Why the square root?</summary>
#
# Let one example's gradient be off by $e_i$, random with mean 0 and mean square $\sigma^2$. The batch is off by $\frac1B \sum_i e_i$. Its square is $\frac{1}{B^2}$ times the sum of all products $e_i e_j$. For two different, independent examples the product is 0 on average. There remain $B$ squares: $\frac{1}{B^2} \cdot B \sigma^2 = \sigma^2 / B$, and the root of it is $\sigma / \sqrt B$.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Eighty degrees off: can one learn from *that*? Everybody gets the same data: 1,000 digits, once through, with plain gradient descent. Each batch size may choose the best of three learning rates.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def one_epoch(B, lr, n=1000):
    """Once through n digits in batches of B. The loss afterwards on all of them."""
    torch.manual_seed(0)
    model = MLP([784, 32, 10])
    for rows in torch.randperm(n).split(B):
        loss = F.cross_entropy(model(X[rows]), y[rows])
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
    return F.cross_entropy(model(X[:n]), y[:n]).item()


best = {}
for B, rates in {1: (0.01, 0.03, 0.1), 10: (0.1, 0.3, 1.0), 100: (0.3, 1.0, 3.0), 1000: (3.0, 10.0, 30.0)}.items():
    begin = time.perf_counter()
    best[B], lr = min((one_epoch(B, lr), lr) for lr in rates)
    print(f"B = {B:4}: {1000 // B:4} steps, {(time.perf_counter() - begin) / 3:.2f} s, best lr {lr:5}: loss {best[B]:.2f}")

# %% slideshow={"slide_type": "skip"}
assert max(best[1], best[10]) < best[100] < best[1000]

# %% [markdown] slideshow={"slide_type": "fragment"}
# A second misconception: *"a more exact gradient learns better"*. For the same data, many poor steps beat one good one by far: a single exact step, at its best rate, brings the loss from $\ln 10 = 2.3$ to 2.1 only. So why not always $B = 1$? Look at the seconds: single examples make poor use of the machine, since a step
# with 100 rows takes only a few times as long as with one. Sizes from 16 to 256 are the usual compromise. And the noisier the gradient, the smaller the best learning rate.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 5 · An optimizer is a rule
#
# From here on the gradient is given. An **optimizer** is a rule that turns it into a step. What all such rules share, we write once: they hold a list of parameters; `zero_grad` forgets the gradients; `step` goes through the
# parameters and applies the rule. Each parameter gets a **memory** of its own, a dictionary, which is empty in the beginning.
#
# **Exercise [07.sgd](exercises/07_optimizers.ipynb)** ● The simplest rule, as a function. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
class Optimizer:
    """What all optimizers share: the list of parameters and a memory for each."""

    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr
        self.memory = [{} for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        with torch.no_grad():
            for p, memory in zip(self.params, self.memory, strict=True):
                if p.grad is not None:
                    self.update(p, p.grad, memory)  # the rule: each optimizer has its own


class SGD(Optimizer):
    """Against the gradient."""

    def update(self, p, g, memory):
        p -= self.lr * g

# %% [markdown] slideshow={"slide_type": "notes"}
# `p -= …` changes the numbers **in place**, so that the network sees the new ones. `p = p - …` would make a new tensor that nobody knows. And `list(params)`: `model.parameters()` can be gone through only once, and we need it at every step.
#
# Is ours the same as torch's? We train two copies of a small network side by side in float64, ours with our rule and theirs with torch's, and after each of 100 steps look for the largest difference between any two weights.

# %% slideshow={"slide_type": "skip"}
torch.manual_seed(1)
X_small = torch.randn(64, 3, dtype=torch.float64)
y_small = torch.stack([X_small.prod(dim=1), X_small.sum(dim=1)], dim=1)  # (64, 2)


def largest_difference(ours, theirs, schedule=None, scheduler=None):
    """Over 100 steps of training two copies of one network. The last two arguments wait for section 12."""
    torch.manual_seed(0)
    model, twin = MLP([3, 8, 2]).double(), MLP([3, 8, 2]).double()
    twin.load_state_dict(model.state_dict())  # the same weights in both
    first, second = ours(model.parameters()), theirs(twin.parameters())
    planned = scheduler(second) if scheduler else None
    worst = 0.0
    for step in range(100):
        if schedule:
            first.lr = schedule(step)
        for network, optimizer in ((model, first), (twin, second)):
            optimizer.zero_grad()
            ((network(X_small) - y_small) ** 2).mean().backward()
            optimizer.step()
        if planned:
            planned.step()
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            worst = max(worst, (p - q).abs().max().item())
    return worst

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
difference = largest_difference(lambda p: SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1))
print(f"SGD, largest difference over 100 steps: {difference:.1e}")

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-12

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 6 · Momentum: remember where you were going
#
# In the ravine, plain descent jumps from wall to wall. The jumps across change sign at each step; the push along the floor is always the same. So **add up** the gradients: what alternates cancels, what persists grows. Like a heavy ball, the walker has a velocity $v$:
#
# $$v \leftarrow \mu\, v + g \qquad w \leftarrow w - \text{lr} \cdot v$$
#
# The **momentum** $\mu$, usually 0.9, says how much of the old velocity is left; $v$ begins at 0. By hand with $\mu = 0.9$:
#
# | gradients | 1 | 2 | 3 | … | in the end |
# |---|---|---|---|---|---|
# | +1, +1, +1, … | 1 | 1.9 | 2.71 | … | 10 |
# | +1, −1, +1, … | 1 | −0.1 | 0.91 | … | ±0.53 |

# %% [markdown] slideshow={"slide_type": "notes"}
# A lasting push is amplified up to $1/(1-\mu) = 10$ times, an alternating one is halved. So at the same `lr` momentum goes up to ten times as far, and one usually gives it a smaller `lr`.
#
# **Nesterov's** variant (1983) looks ahead. We know that the ball will roll on by $\mu v$ anyway, so it takes the step with the velocity *to come*, $g + \mu v$, after $v$ has been updated. After a first gradient of 1 that is $1 + 0.9 \cdot 1 = 1.9$: what momentum reaches one step later, if the slope lasts.
#
# **Exercise [07.momentum](exercises/07_optimizers.ipynb)** ●● A class that keeps a velocity. (Ours comes next: try yours first.)

# %% slideshow={"slide_type": "subslide"}
class Momentum(Optimizer):
    """A velocity that remembers."""

    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, lr)
        self.momentum = momentum

    def update(self, p, g, memory):
        v = memory.setdefault("v", torch.zeros_like(p))  # zeros at the first step, then what we kept
        v *= self.momentum
        v += g
        p -= self.lr * v


class Nesterov(Momentum):
    """A velocity that looks one step ahead."""

    def update(self, p, g, memory):
        v = memory.setdefault("v", torch.zeros_like(p))
        v *= self.momentum
        v += g
        p -= self.lr * (g + self.momentum * v)

# %% [markdown] slideshow={"slide_type": "notes"}
# `super().__init__` calls the parent's `__init__`. `v *= …` and `v += …` change the tensor that lies in the memory; `v = momentum * v + g` would make a new one, and the memory would stay zero for ever. The two, with plain descent, in the ravine:

# %% slideshow={"slide_type": "skip"}
def walk(f, start, make, steps):
    """Let an optimizer walk on f. All places on the way, shape (steps + 1, 2)."""
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, path = make([p]), [p.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        f(p[..., 0], p[..., 1]).sum().backward()  # ... and sum(): so that many walkers can go at once, in section 10
        optimizer.step()
        path.append(p.detach().clone())
    return torch.stack(path)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_walks(f, start, makers, steps, levels, titles):
    fig, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True, layout="constrained")
    for k, (ax, make) in enumerate(zip(axes, makers, strict=True)):
        draw_surface(ax, f, levels)
        path = walk(f, start, make, steps)
        ax.plot(*path.T, f"{'os^'[k]}-", color=plotting.COLORS[("gradient", "class0", "class1")[k]], markersize=4, lw=1.2)
        ax.plot(0, 0, "*", color=plotting.COLORS["text"], markersize=14)
        ax.set(title=titles[k], xlim=(-4, 4), ylim=(-2, 2))
    return fig


makers = [lambda p: SGD(p, 0.035), lambda p: Momentum(p, 0.035, 0.7), lambda p: Nesterov(p, 0.035, 0.7)]
heights = (0.25, 1, 3, 6, 12, 22, 40)
draw_walks(ravine, (-3.5, 1.5), makers, 40, heights, ["SGD crawls along the floor", "Momentum arrives, swinging", "Nesterov swings less"]);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three times the ravine, 40 steps at the same learning rate of 0.035. Plain descent has settled on the floor and is still on its way. Momentum ($\mu = 0.7$) swings from wall to wall at first, picks up speed along the floor and arrives. Nesterov's path arrives too, and its swings die down sooner.

# %% slideshow={"slide_type": "fragment", "show": "output"}
for name, make in zip(("SGD", "Momentum", "Nesterov"), makers, strict=True):
    path = walk(ravine, (-3.5, 1.5), make, 40)
    heights_on_the_way = ravine(path[:, 0], path[:, 1])
    print(f"{name:9} height after 10, 20, 40 steps:", [f"{h:.4f}" for h in heights_on_the_way[[10, 20, 40]].tolist()])

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 7 · A learning rate for each weight
#
# Another cure for the ravine: give each weight a learning rate of its own, small where gradients are large. How large they usually are, we find out as we go: keep a sum $s$ of squared gradients, and divide by its root.
#
# **Adagrad:** $\quad s \leftarrow s + g^2 \qquad w \leftarrow w - \text{lr} \cdot g / (\sqrt s + \varepsilon)$
#
# The tiny $\varepsilon$ prevents 0/0. By hand with gradients 3, 3, 3: $s = 9, 18, 27$; the steps are `lr` times $3/3 = 1$, $3/4.24 = 0.71$, $3/5.20 = 0.58$. With gradients 300, 300, 300 the steps are **the same**. But they get shorter and shorter, like $1/\sqrt t$, whether we have arrived or not.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **RMSProp** (from a lecture of Hinton's, 2012) forgets: in place of the sum it keeps a running **mean** of the squares, in which old gradients fade (the name says it: the root of the mean square):
#
# $$s \leftarrow \alpha\, s + (1-\alpha)\, g^2 \qquad w \leftarrow w - \text{lr} \cdot g / (\sqrt s + \varepsilon)$$
#
# With $\alpha = 0.99$ the first gradient 3 gives $s = 0.01 \cdot 9 = 0.09$, and the step is `lr` times $3/0.3 = 10$. Ten times too long! If 3 comes again and again, $s$ climbs to 9 and the step settles at `lr` times 1. Keep this flaw of the beginning in mind.
#
# **Exercise [07.rmsprop](exercises/07_optimizers.ipynb)** ●● Fade, square, divide. (Before you read on.)

# %% slideshow={"slide_type": "subslide"}
class Adagrad(Optimizer):
    """Divide by the root of the sum of all squared gradients so far."""

    def __init__(self, params, lr, eps=1e-10):
        super().__init__(params, lr)
        self.eps = eps

    def update(self, p, g, memory):
        s = memory.setdefault("s", torch.zeros_like(p))
        s += g**2
        p -= self.lr * g / (s.sqrt() + self.eps)


class RMSProp(Optimizer):
    """Divide by the root of a running mean of squared gradients."""

    def __init__(self, params, lr, alpha=0.99, eps=1e-8):
        super().__init__(params, lr)
        self.alpha, self.eps = alpha, eps

    def update(self, p, g, memory):
        s = memory.setdefault("s", torch.zeros_like(p))
        s *= self.alpha
        s += (1 - self.alpha) * g**2
        p -= self.lr * g / (s.sqrt() + self.eps)

# %% slideshow={"slide_type": "subslide", "show": "output"}
for name, make in {"Adagrad": lambda p: Adagrad(p, 0.1), "RMSProp": lambda p: RMSProp(p, 0.1)}.items():
    for slope in (3.0, 300.0):
        p = torch.zeros(1, requires_grad=True)
        optimizer, places = make([p]), [0.0]
        for _ in range(500):
            p.grad = torch.tensor([slope])  # a slope that never changes
            optimizer.step()
            places.append(p.item())
        lengths = [places[k] - places[k + 1] for k in (0, 1, 2, 9, 99, 499)]
        print(f"{name}, gradient {slope:5}: steps 1, 2, 3, 10, 100, 500:", [f"{length:.3f}" for length in lengths])

# %% [markdown] slideshow={"slide_type": "fragment"}
# All at `lr` = 0.1. The size of the gradient makes no difference: only its **sign** and how it compares with earlier ones count. Adagrad's steps dwindle to 0.004. RMSProp begins ten times too long, at 1.0, and settles at 0.1.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 8 · Adam: both, and a mended start
#
# **Adam** (adaptive moments) puts the two ideas together: a running mean $m$ of the gradients, like momentum, divided by the root of a running mean $s$ of their squares, like RMSProp.
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\, g \qquad s \leftarrow \beta_2 s + (1-\beta_2)\, g^2$$
#
# with $\beta_1 = 0.9$ and $\beta_2 = 0.999$. Both begin at 0, and at first are far too small: under equal gradients $m$ is 0.1, 0.19, 0.271, … of $g$. After $t$ of them a mean has reached $1 - \beta^t$ of what it should be. So divide by just that, the **bias correction**:
#
# $$\hat m = \frac{m}{1 - \beta_1^t} \qquad \hat s = \frac{s}{1-\beta_2^t} \qquad w \leftarrow w - \text{lr} \cdot \frac{\hat m}{\sqrt{\hat s} + \varepsilon}$$

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand, first step, $g = 3$: $m = 0.3$ and $\hat m = 0.3/0.1 = 3$; $s = 0.009$ and $\hat s = 0.009/0.001 = 9$. The step is `lr` times $3/\sqrt 9 = 1$. **The first step of Adam is `lr` long for every weight, whatever its gradient** (if it is not 0). Later ones are shorter where the gradient keeps changing its sign, since
# then $\hat m$ is small and $\hat s$ is not.
#
# **Exercise [07.adam](exercises/07_optimizers.ipynb)** ●●● Two memories for each parameter, and a count of steps. (Ours is next.)

# %% slideshow={"slide_type": "subslide"}
class Adam(Optimizer):
    """Running means of gradient and squared gradient, both corrected for their start."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, correct=True):
        super().__init__(params, lr)
        self.betas, self.eps, self.correct = betas, eps, correct

    def update(self, p, g, memory):
        beta1, beta2 = self.betas
        m = memory.setdefault("m", torch.zeros_like(p))
        s = memory.setdefault("s", torch.zeros_like(p))
        t = memory["t"] = memory.get("t", 0) + 1  # 1 at the first step
        m *= beta1
        m += (1 - beta1) * g
        s *= beta2
        s += (1 - beta2) * g**2
        m_hat, s_hat = (m / (1 - beta1**t), s / (1 - beta2**t)) if self.correct else (m, s)
        p -= self.lr * m_hat / (s_hat.sqrt() + self.eps)

# %% [markdown] slideshow={"slide_type": "notes"}
# `correct=False` leaves the correction out, so that we can see what it is good for.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("07.correction")

# %% slideshow={"slide_type": "subslide", "show": "output"}
t = torch.arange(1, 3001)
uncorrected = (1 - 0.9**t) / (1 - 0.999**t).sqrt()  # m and s after t gradients of 1
print("step length / lr without correction:", {k: round(uncorrected[k - 1].item(), 2) for k in (1, 2, 5, 12, 100, 1000)})
ax = plt.subplots(figsize=(7.5, 4))[1]
ax.semilogx(t, uncorrected, color=plotting.COLORS["wrong"], label="without correction")
ax.semilogx(t, torch.ones(3000), color=plotting.COLORS["right"], ls="--", label="with")
ax.set(xlabel="step", ylabel="step length, in lr", ylim=(0, 7.2), title="Uncorrected, Adam's first steps are too long")
ax.legend();

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The length of the step against the step number, for a gradient that never changes. With correction it is level at 1. Without, it begins at 3.2, climbs to 6.6 near step 12, and comes down only after a thousand steps or so.

# %% [markdown] slideshow={"slide_type": "notes"}
# A misconception that is easy to fall for: *"without the correction Adam would start too slowly, since its means begin at zero"*. The lower mean is too small by much more than the upper one: $0.1\,g / \sqrt{0.001\,g^2} = 3.2$. It starts too **fast**. Whether this does harm depends on the learning rate. We train on digits and see. Here is the loop we
# use from now on; three of its arguments wait for later sections.

# %% slideshow={"slide_type": "skip"}
def train(make, *, epochs=1, seed=0, schedule=None, l2=0.0, clip=None):
    """Train a 784-32-10 network on 10,000 digits in batches of 100. Returns the model and the loss at each step."""
    torch.manual_seed(seed)
    model, losses = MLP([784, 32, 10]), []
    optimizer = make(model.parameters())
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(100):
            if schedule:  # section 12
                optimizer.lr = schedule(len(losses))
            loss = F.cross_entropy(model(X[rows]), y[rows])
            losses.append(loss.item())
            if l2:  # section 9
                loss = loss + l2 / 2 * sum((p**2).sum() for p in model.parameters())
            optimizer.zero_grad()
            loss.backward()
            if clip:  # section 14
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
    return model, losses

# %% slideshow={"slide_type": "skip"}
def training_loss(model):
    with torch.no_grad():
        return F.cross_entropy(model(X), y).item()


def test_accuracy(model):
    with torch.no_grad():
        return (model(X_test).argmax(dim=1) == y_test).float().mean().item()

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
curves, final = {}, {}
for lr in (0.001, 0.03):
    for correct in (True, False):
        runs = [train(lambda p, lr=lr, correct=correct: Adam(p, lr, correct=correct), seed=seed) for seed in range(3)]
        curves[lr, correct] = [losses for _, losses in runs]
        final[lr, correct] = [training_loss(model) for model, _ in runs]
        worst = [max(losses) for _, losses in runs]
        print(f"lr {lr}, {'with' if correct else 'without'} correction: worst loss {[round(v, 1) for v in worst]}, "
              f"in the end {[round(v, 2) for v in final[lr, correct]]}")

# %% slideshow={"slide_type": "skip"}
assert max(final[0.03, True]) < 0.5 < min(final[0.03, False])
assert max(final[0.001, False]) < min(final[0.001, True])

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, lr in zip(axes, (0.001, 0.03), strict=True):
    for correct, role, style in ((True, "right", "-"), (False, "wrong", "--")):
        for seed, losses in enumerate(curves[lr, correct]):
            name = None if seed else ("with correction" if correct else "without")
            ax.plot(range(1, 101), losses, style, color=plotting.COLORS[role], lw=1.3, label=name)
    ax.set(xlabel="step", ylabel="loss of the batch", yscale="log")
    ax.set_yticks([0.2, 0.5, 1, 2, 5, 20], ["0.2", "0.5", "1", "2", "5", "20"])
    ax.minorticks_off()
    ax.legend()
axes[0].set_title("lr = 0.001: without, it is even faster")
axes[1].set_title("lr = 0.03: without, the start is a crash");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two pictures with six curves each, three seeds with correction and three without. Left, at a small learning rate, the uncorrected runs fall faster. Right, at a large one, they shoot up to a loss between 4 and 11 in the first steps, and still stand near 1 when the corrected runs have come down to about 0.3.

# %% [markdown] slideshow={"slide_type": "notes"}
# At a learning rate that was too small anyway, steps that are too long are welcome. At one that was just right they wreck the network in its first ten steps, and it does not recover within the epoch. So the correction does not make Adam faster. It makes `lr` mean the same from the first step to the last.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 9 · AdamW: pulling weights towards zero
#
# Large weights make jumpy functions (lesson 09), so one often asks for small ones. There are two ways, and under SGD they are one and the same:
#
# - **L2 in the loss**: add $\frac\lambda2 w^2$ for each weight. Its gradient is $\lambda w$, so the step becomes $w - \text{lr}\,(g + \lambda w)$.
# - **Weight decay**, *decoupled* from the gradient: first shrink, $w \leftarrow (1 - \text{lr}\,\lambda)\, w$, then step by $g$.
#
# With $w = 2$, $g = 1$, `lr` = 0.1, $\lambda = 0.5$: $\;2 - 0.1\,(1 + 1) = 1.8$, and $0.95 \cdot 2 - 0.1 = 1.8$. The same. Under Adam they differ: in the first way $\lambda w$ goes through the division as well.

# %% slideshow={"slide_type": "subslide"}
class AdamW(Adam):
    """Adam with weight decay kept out of the gradient."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay

    def update(self, p, g, memory):
        p *= 1 - self.lr * self.weight_decay
        super().update(p, g, memory)

# %% [markdown] slideshow={"slide_type": "fragment"}
# MNIST has a fine test for it: pixels in the corners that are black in every picture. Their input is always 0, so the loss gives their weights no gradient at all; only the pull towards zero acts on them. Let us watch these weights. Without any pull they stay as they were drawn.
#
# **Predict.** L2 in the loss, under Adam, with $\lambda$ = 0.0001 and with $\lambda$ = 0.001, ten times as much. How much smaller will these weights be after 100 steps?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
black = X.amax(dim=0) == 0  # (784,): pixels that are never lit
print(f"{black.sum()} of 784 pixels are black in all of the 10,000 pictures")
pulls = {"no pull": (lambda p: Adam(p, 0.003), 0.0)}
for strength in (0.0001, 0.001):
    pulls[f"Adam, L2 {strength}"] = (lambda p: Adam(p, 0.003), strength)
for strength in (0.1, 1.0):
    pulls[f"AdamW, decay {strength}"] = (lambda p, s=strength: AdamW(p, 0.003, weight_decay=s), 0.0)
sizes_of = {}
for name, (make, strength) in pulls.items():
    model, _ = train(make, l2=strength)
    W = model.layers[0].weight.detach().abs()  # (32, 784)
    sizes_of[name] = W[:, black].mean().item(), W[:, ~black].mean().item()
    print(f"{name:18} mean |w|: never lit {sizes_of[name][0]:.7f}, lit {sizes_of[name][1]:.4f}, accuracy {test_accuracy(model):.1%}")

# %% slideshow={"slide_type": "skip"}
unpulled = sizes_of["no pull"][0]
assert all(sizes_of[f"Adam, L2 {s}"][0] < 0.01 * unpulled for s in (0.0001, 0.001))
assert all(abs(sizes_of[f"AdamW, decay {s}"][0] / unpulled - (1 - 0.003 * s) ** 100) < 1e-3 for s in (0.1, 1.0))

# %% [markdown] slideshow={"slide_type": "notes"}
# Under Adam with L2, **both** strengths all but wiped these weights out, to 0.3% of what they were. As a decay, 0.0001 would leave $(1 - 0.003 \cdot 0.0001)^{100} = 0.99997$ of them. But their whole gradient is $\lambda w$; Adam divides it by its own usual size, $\lambda$ cancels, and a step of full length `lr` is left. Weights with large gradients feel the pull much less: those of the lit pixels came out 7% and 20% smaller. AdamW does what it says: the weights are $(1 - 0.003\,\lambda)^{100}$ of what they were, to three digits.

# %% [markdown] slideshow={"slide_type": "fragment"}
# So "L2" and "weight decay" are two words for one thing under SGD only. `weight_decay` of torch's `Adam` is the first way, of `AdamW` the second.

# %% [markdown] slideshow={"slide_type": "skip"}
# ### All seven against torch

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
o = torch.optim
pairs = {
    "SGD": (lambda p: SGD(p, 0.1), lambda p: o.SGD(p, 0.1)),
    "Momentum": (lambda p: Momentum(p, 0.03), lambda p: o.SGD(p, 0.03, momentum=0.9)),
    "Nesterov": (lambda p: Nesterov(p, 0.03), lambda p: o.SGD(p, 0.03, momentum=0.9, nesterov=True)),
    "Adagrad": (lambda p: Adagrad(p, 0.05), lambda p: o.Adagrad(p, 0.05)),
    "RMSProp": (lambda p: RMSProp(p, 0.01), lambda p: o.RMSprop(p, 0.01)),
    "Adam": (lambda p: Adam(p, 0.01), lambda p: o.Adam(p, 0.01)),
    "AdamW": (lambda p: AdamW(p, 0.01, weight_decay=0.3), lambda p: o.AdamW(p, 0.01, weight_decay=0.3)),
}
differences = {name: largest_difference(*pair) for name, pair in pairs.items()}
print("optimizer   largest difference over 100 steps")
for name, difference in differences.items():
    print(f"{name:11} {difference:.1e}")

# %% slideshow={"slide_type": "skip"}
assert max(differences.values()) < 1e-12

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 10 · A fair race
#
# "Which optimizer is best?" is a fair question only if each has its own best learning rate. So each tries nine, and we count the steps until it is within 0.01 of the lowest height **and stays there** (a walker that shoots past the goal has not arrived). Five surfaces:
#
# - the **ravine**, and the same ravine **turned** by 45 degrees;
# - the **saddle**, from 0.01 beside the ridge;
# - **Rosenbrock's** valley, a bent ravine: $(1-x)^2 + 100\,(y - x^2)^2$;
# - **Beale's** function, with steep corners and a flat middle.
#
# All nine learning rates walk at once: `p` has one row for each, and `lr` is a column, so it broadcasts (lesson 03).

# %% slideshow={"slide_type": "skip"}
def turned(x, y):
    return 6.5 * x**2 - 12 * x * y + 6.5 * y**2


def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


surfaces = {  # function, start, lowest height
    "ravine": (ravine, (-3.5, 1.5), 0.0),
    "turned": (turned, (5 / 2**0.5, 2 / 2**0.5), 0.0),  # the start turned as well
    "saddle": (saddle, (-3.0, 0.01), -0.25),
    "Rosenbrock": (rosenbrock, (-1.5, 2.0), 0.0),
    "Beale": (beale, (1.0, 1.5), 0.0),
}
rules = {rule.__name__: rule for rule in (SGD, Momentum, Nesterov, Adagrad, RMSProp, Adam, AdamW)}
rates = torch.tensor([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0], dtype=torch.float64)

# %% slideshow={"slide_type": "skip"}
def arrival(surface, rule, steps=500):
    """For each learning rate the step from which on the walker is within 0.01 of the lowest height; inf if it does not stay."""
    f, start, lowest = surfaces[surface]
    path = walk(f, [start] * len(rates), lambda p: rules[rule](p, rates[:, None]), steps)  # (steps + 1, 9, 2)
    near = f(path[..., 0], path[..., 1]) - lowest < 0.01  # (steps + 1, 9); nan, for those who ran away, is not near
    to_the_end = near.flip(0).int().cumprod(dim=0).sum(dim=0)  # how many of the last steps were near without a gap
    return torch.where(to_the_end >= 20, steps + 1.0 - to_the_end, math.inf)  # (9,); fewer may be a chance hit

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Predict.** Three guesses before you run it: Which surface is hardest? Does Adam win everywhere? And what will turning the ravine do to RMSProp? (It takes some five seconds.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
times = {surface: {rule: arrival(surface, rule) for rule in rules} for surface in surfaces}
print("steps at the best learning rate, each with its own:")
print("          " + "".join(f"{surface:>15}" for surface in surfaces))
for rule in rules:
    row = f"{rule:10}"
    for surface in surfaces:
        steps, k = times[surface][rule].min(dim=0)
        row += f"{f'{steps:.0f} at {rates[k]:g}' if steps < math.inf else 'never':>15}"
    print(row)

# %% slideshow={"slide_type": "skip"}
best = {surface: {rule: t.min().item() for rule, t in times[surface].items()} for surface in surfaces}
assert best["ravine"]["RMSProp"] < 30 < 100 < best["turned"]["RMSProp"]
assert best["ravine"]["Adagrad"] < 10 < 30 < best["turned"]["Adagrad"]
assert all(abs(best["turned"][rule] - best["ravine"][rule]) <= 1 for rule in ("SGD", "Momentum", "Nesterov"))
assert [rule for rule in rules if best["Rosenbrock"][rule] < math.inf] == ["Momentum", "Nesterov", "Adam"]

# %% [markdown] slideshow={"slide_type": "fragment"}
# No row wins everywhere.
#
# - **Ravine**: Adagrad needs 5 steps and RMSProp 14. Each axis has a rate of its own, and the ravine lies along an axis: the problem is gone.
# - **Turned**, the same land seen from another side: Adagrad needs 63 steps and RMSProp 252. Now neither axis is the steep one, and a rate for each *axis* helps little. SGD, momentum and Nesterov need exactly as many steps as before: they do not care which way the axes point. (Adam, too, takes about as long.)
# - **Saddle**: large steps are what helps away from a flat pass, and plain descent can afford them here.

# %% [markdown] slideshow={"slide_type": "subslide"}
# - **Rosenbrock** is the hardest. Within 500 steps only momentum, Nesterov and Adam get there and stay.
# - **AdamW** does not, and decay is all that it has beyond Adam: it pulls towards $(0, 0)$, and the minimum is at $(1, 1)$. In the ravine the minimum *is* at $(0, 0)$, and the pull helps. Decay changes the goal; it is not meant for such races.
# - Adagrad's best rate in the ravine is 3, momentum's 0.01: **the same number means different things to different optimizers**.
#
# How hard is each to tune? Count the rates that work at all:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print("how many of the nine learning rates arrive within 500 steps:")
for rule in rules:
    count = {surface: int((times[surface][rule] < math.inf).sum()) for surface in surfaces}
    print(f"{rule:9}", "   ".join(f"{surface} {n}" for surface, n in count.items()))

# %% slideshow={"slide_type": "skip"}
for surface in surfaces:
    working = {rule: int((times[surface][rule] < math.inf).sum()) for rule in rules}
    assert working["Adam"] == max(working.values())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Adam is first only on Rosenbrock's valley. But on each of the surfaces it arrives with at least as many of the learning rates as any other. That may be a reason for its fame: not that it is the fastest, but that it **forgives**.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: race them yourself
#
# *Which rule, which learning rate, which start?* Choose a surface and switch optimizers on. Two sliders steer the learning rate and the momentum, there called β (RMSProp's α, Adam's β₁); move the start with the mouse. Whoever stays within 0.05 of the minimum has arrived.
#
# - **Try** the ravine with SGD alone and raise the learning rate. Where does it diverge? Section 2 says where it must.
# - **Try** the saddle from $y = 0$, then from beside it.
# - **Notice** how the order changes between "Ravine" and "Ravine, turned", all seven at their best rates (*lr and β apply to: none*).
# - **Challenge:** the minimum of the ravine in under 50 steps. Is more momentum always better?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.race()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, the contour lines of the chosen surface with one path for each optimizer, from a ring at the start towards a dot in a circle at the minimum. Right, the loss over the steps on a logarithmic axis. In the stored picture, 60 steps in the turned ravine, each at its best rate: SGD
# runs down the floor, its loss falls evenly; Nesterov swings past the minimum and back, and gets lowest; Adam swings as well, and is no faster than SGD.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 11 · The race on digits
#
# A plane with two coordinates is a toy. Does the ranking carry over to a network with 25,450 weights? The same seven, seven learning rates each, one epoch of 100 steps. (49 short trainings, some seven seconds.) We choose each one's learning rate by the loss on the **training** digits. The
# test digits must not take part in the choice, or they would no longer be a test.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("07.digits")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
grid = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
results = {}
for name, rule in rules.items():
    models = [train(lambda p, lr=lr, rule=rule: rule(p, lr))[0] for lr in grid]
    results[name] = [training_loss(model) for model in models]
chosen = {name: grid[row.index(min(row))] for name, row in results.items()}
print("loss on the training digits after one epoch, for each learning rate; * the best")
print("         " + "".join(f"{lr:>8g} " for lr in grid))
for name, row in results.items():
    print(f"{name:9}" + "".join(f"{loss:8.2f}{'*' if loss == min(row) else ' '}" for loss in row))

# %% slideshow={"slide_type": "skip"}
at_one_rate = [row[grid.index(0.01)] for row in results.values()]
assert max(at_one_rate) > 5 * min(at_one_rate), "at one and the same learning rate they differ widely"

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True, layout="constrained")
for ax, names in zip(axes, (["SGD", "Momentum", "Nesterov"], ["Adagrad", "RMSProp", "Adam", "AdamW"]), strict=True):
    for k, name in enumerate(names):
        ax.plot(grid, results[name], f"{'os^D'[k]}{['-', '--', '-.', ':'][k]}", label=name)
    ax.axhline(math.log(10), color=plotting.COLORS["muted"], lw=1)
    ax.set(xlabel="learning rate", xscale="log", ylim=(0, 2.7))
    ax.legend(loc="lower left" if ax is axes[0] else (0.28, 0.48))
axes[0].text(1e-3, 2.36, "knows nothing: ln 10", color=plotting.COLORS["muted"])
axes[0].set(ylabel="loss after one epoch", title="One rate for all: best at 0.1 to 0.3")
axes[1].set_title("A rate for each: best at lower ones");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The loss after one epoch against the learning rate, on a logarithmic axis. Each line is a valley: high on the left, where the steps are too short, and high on the right, where they are too long. The bottoms lie at nearly the same height, between 0.2 and 0.4, but at different places: at 0.1 to 0.3 for SGD, momentum and Nesterov, at 0.003 to 0.03 for
# the others.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
accuracies = {}
for name, lr in chosen.items():
    models = [train(lambda p, name=name, lr=lr: rules[name](p, lr), seed=seed)[0] for seed in (1, 2, 3)]
    accuracies[name] = [test_accuracy(model) for model in models]
    print(f"{name:9} lr {lr:<5g} accuracy on the test set, three new seeds:", "  ".join(f"{a:.1%}" for a in accuracies[name]))

# %% slideshow={"slide_type": "skip"}
means = [sum(a) / 3 for a in accuracies.values()]
assert max(means) - min(means) < 0.08 and min(means) > 0.8

# %% [markdown] slideshow={"slide_type": "fragment"}
# With its own best rate each of the seven gets to between about 86% and 92% in a single epoch, and the seeds of one optimizer differ by up to three points. At **one** rate for all, say 0.01, the losses go from 0.25 to 2.17. So a misconception to lose: *"Adam is better than SGD"*. Whoever compares them at 0.001, a usual rate for Adam, has decided the outcome beforehand.

# %% [markdown] slideshow={"slide_type": "notes"}
# Compare the rows of SGD and momentum in the table: 2.17, 1.66, 0.64 for SGD at 0.01, 0.03, 0.1; and 2.19, 1.81, 0.71 for momentum at 0.001, 0.003, 0.01. Momentum at a tenth of the rate **is** SGD, as long as gradients keep their direction: that was the factor $1/(1 - 0.9) = 10$. Only at the right end, where SGD can go no further, does it gain. And Nesterov hardly differs from momentum until the largest rates.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 12 · Schedules: far at first, then carefully
#
# Large steps get far, and small steps settle: with noisy gradients and a fixed learning rate, the weights never come to rest. So change it on the way. A **schedule** gives the learning rate for each step. With `lr` = 0.1, steps counted from 0:
#
# - **step**: times `gamma` every `step_size` steps. With 30 and 0.1: steps 0–29 at 0.1, steps 30–59 at 0.01, steps 60–89 at 0.001.
# - **multi-step**: the same at chosen **milestones**. With 20 and 70: 0.01 from step 20 on, 0.001 from step 70 on.
# - **exponential**: times `gamma` after *every* step: 0.1, 0.097, 0.0941 with 0.97.
#
# **Exercise [07.step_lr](exercises/07_optimizers.ipynb)** ● How often has the rate been lowered by step $k$?

# %% [markdown] slideshow={"slide_type": "subslide"}
# - **cosine**: half a wave from `lr` at step 0 down to `lr_min` at step `total`, where it stays:
#
# $$\text{lr}_\text{min} + (\text{lr} - \text{lr}_\text{min}) \cdot \tfrac12 \left(1 + \cos \frac{\pi \cdot \text{step}}{\text{total}}\right)$$
#
# Slow at both ends, fast in the middle. With `lr_min` = 0 and `total` = 100: 0.1 at step 0, 0.085 at 25, 0.05 at 50, 0.015 at 75, 0 at 100.
#
# **Exercise [07.cosine_lr](exercises/07_optimizers.ipynb)** ●● Half a wave, not a whole one.

# %% [markdown] slideshow={"slide_type": "fragment"}
# - **warm-up**: rise in equal parts to `lr` and stay: with 4 steps 0.025, 0.05, 0.075, 0.1, 0.1, … The first step has one part already: a step of length 0 would be a wasted one. At the start, slopes are steep and Adam's means are guesses from few gradients; a short warm-up avoids a bad beginning. Mostly it comes before another schedule.
# - **one-cycle**: up from `lr`/25 to `lr` in the first 30% of the steps, then down to almost nothing, both as half a cosine.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [07.warmup](exercises/07_optimizers.ipynb)** ● Up in equal parts. (Write all three before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def step_lr(lr, step, step_size, gamma=0.1):
    return lr * gamma ** (step // step_size)


def multi_step_lr(lr, step, milestones, gamma=0.1):
    return lr * gamma ** sum(step >= milestone for milestone in milestones)


def exponential_lr(lr, step, gamma):
    return lr * gamma**step


def cosine_lr(lr, step, total, lr_min=0.0):
    done = min(step / total, 1.0)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * done)) / 2


def warmup(lr, step, steps):
    return lr * min(1.0, (step + 1) / steps)

# %% slideshow={"slide_type": "skip"}
def one_cycle(lr, step, total, rise=0.3, start_factor=25.0, end_factor=1e4):
    low, top = lr / start_factor, rise * total - 1  # the first rate; the step at which lr is reached
    if step <= top and top > 0:
        done, begin, end = step / top, low, lr
    else:
        done, begin, end = (step - top) / (total - 1 - top), lr, low / end_factor
    return end + (begin - end) * (1 + math.cos(math.pi * done)) / 2

# %% [markdown] slideshow={"slide_type": "notes"}
# Against torch, in the same way as before: the same network twice, 100 steps of SGD, ours with our schedule and theirs with a **scheduler**, an object that changes the optimizer's `lr` at each `scheduler.step()`. (One-cycle gets one step more than we take: after the last, torch's scheduler would have none to give.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
torchs = torch.optim.lr_scheduler
schedules = {
    "StepLR": (lambda k: step_lr(0.1, k, 30), lambda o: torchs.StepLR(o, 30)),
    "MultiStepLR": (lambda k: multi_step_lr(0.1, k, [20, 70]), lambda o: torchs.MultiStepLR(o, [20, 70])),
    "ExponentialLR": (lambda k: exponential_lr(0.1, k, 0.97), lambda o: torchs.ExponentialLR(o, 0.97)),
    "CosineAnnealingLR": (lambda k: cosine_lr(0.1, k, 100), lambda o: torchs.CosineAnnealingLR(o, 100)),
    "LinearLR (warm-up)": (lambda k: warmup(0.1, k, 20), lambda o: torchs.LinearLR(o, 1 / 20, total_iters=19)),
    "OneCycleLR": (
        lambda k: one_cycle(0.1, k, 101),
        lambda o: torchs.OneCycleLR(o, 0.1, total_steps=101, cycle_momentum=False),
    ),
}
print("schedule              largest difference over 100 steps")
worst = {}
for name, (schedule, scheduler) in schedules.items():
    worst[name] = largest_difference(lambda p: SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1), schedule, scheduler)
    print(f"{name:21} {worst[name]:.1e}")

# %% slideshow={"slide_type": "skip"}
assert max(worst.values()) < 1e-12

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now five schedules and a constant rate on digits, with momentum, two epochs (200 steps) and three seeds. Once at a modest highest rate of 0.1, once at a bold 0.3. (36 trainings, about ten seconds.)
#
# **Predict.** Will lowering the rate help at both? At which more?

# %% slideshow={"show": "output"}
plans = {
    "constant": lambda lr, k: lr,
    "step": lambda lr, k: step_lr(lr, k, 70),
    "multi-step": lambda lr, k: multi_step_lr(lr, k, [100, 150]),
    "exponential": lambda lr, k: exponential_lr(lr, k, 0.98),
    "warm-up, then cosine": lambda lr, k: warmup(1, k, 20) * cosine_lr(lr, k, 200),
    "one-cycle": lambda lr, k: one_cycle(lr, k, 200),
}
fig, axes = plt.subplots(2, 3, figsize=(12, 4.8), sharex=True, sharey=True, layout="constrained")
for ax, (name, plan) in zip(axes.flat, plans.items(), strict=True):
    ax.plot([plan(0.3, k) for k in range(200)], color=plotting.COLORS["train"])
    ax.set_title(name)
fig.supxlabel("step")
fig.supylabel("learning rate");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Six small pictures of the learning rate over 200 steps, highest value 0.3: level; two stairs down, close to zero from step 70; two later stairs; a curve that falls steeply at first; a short ramp up and then half a wave down; a long wave up and down.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
outcome = {}
for lr in (0.1, 0.3):
    for name, plan in plans.items():
        outcome[lr, name] = []
        for seed in range(3):
            model, _ = train(lambda p: Momentum(p, 0.1), epochs=2, seed=seed, schedule=lambda k, lr=lr, plan=plan: plan(lr, k))
            outcome[lr, name].append((training_loss(model), test_accuracy(model)))
        losses, hits = zip(*outcome[lr, name], strict=True)
        print(f"lr {lr}  {name:21} loss {sum(losses) / 3:.2f}   accuracy on the test set", "  ".join(f"{hit:.1%}" for hit in hits))

# %% slideshow={"slide_type": "skip"}
mean_at = {key: sum(hit for _, hit in runs) / 3 for key, runs in outcome.items()}
assert min(mean_at[0.3, "one-cycle"], mean_at[0.3, "warm-up, then cosine"]) > mean_at[0.3, "constant"] + 0.01
assert mean_at[0.1, "constant"] > mean_at[0.1, "exponential"] and mean_at[0.3, "constant"] < mean_at[0.3, "exponential"]

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 4), sharex=True, sharey=True, layout="constrained")
for ax, lr in zip(axes, (0.1, 0.3), strict=True):
    for k, name in enumerate(plans):
        ax.plot([100 * hit for _, hit in outcome[lr, name]], [k] * 3, "o", color=plotting.COLORS["test"], markersize=9)
    ax.set(yticks=range(6), yticklabels=list(plans), xlabel="accuracy on the test set, %")
axes[0].invert_yaxis()
axes[0].set_title("At most 0.1: little to gain")
axes[1].set_title("At most 0.3: lowering it pays");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two pictures, a row for each plan, three dots for three seeds. Left, at most 0.1: three of the plans do about as well as a constant rate, whose dots lie far apart; step and above all exponential do worse. Right, at most 0.3: constant is worst; warm-up with cosine and one-cycle lie about three points to the right of it, and on average further right than anything on the left.

# %% [markdown] slideshow={"slide_type": "notes"}
# A schedule is not good in itself. At 0.1 the rate is not too large yet: the gain is small, and plans that lower it early, exponential above all, give away steps. (In training loss, in the table, constant is even the best at 0.1.) At 0.3 the weights never come to rest, and every plan helps. The gain is in the **combination**: begin more boldly than you could afford for long, and end gently.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 13 · Finding a learning rate in one run
#
# A grid of seven rates costs seven trainings. The **range test** needs one: raise the rate at every step, from far too small to far too large, and watch the loss. Where it begins to fall, the rate is large enough to matter. Where it turns up again, it is too large. The answer lies between. Does it agree with the grid of section 11?

# %% slideshow={"slide_type": "fragment", "show": "output"}
rising = 1e-4 * 10 ** (5 * torch.arange(100) / 99)  # from 0.0001 to 10 in equal factors
fig, axes = plt.subplots(1, 3, figsize=(12, 4.4), sharey=True, layout="constrained")
turning = {}
for ax, name in zip(axes, ("SGD", "Momentum", "Adam"), strict=True):
    _, losses = train(lambda p, name=name: rules[name](p, 1e-4), schedule=lambda k: rising[k].item())
    smooth = torch.tensor(losses).unfold(0, 5, 1).median(dim=1).values  # of each five neighbours the middle one
    turning[name] = rising[int(smooth.argmin()) + 2].item()
    ax.plot(rising, losses, color=plotting.COLORS["train"])
    at_turn = ax.axvline(turning[name], color=plotting.COLORS["gradient"], ls=":")
    at_best = ax.axvline(chosen[name], color=plotting.COLORS["accent"], ls="--")
    ax.set(xscale="log", xlabel="learning rate at that step", ylim=(0, 5))
    ax.set_title(f"{name}: lowest near {turning[name]:.1g}")
axes[0].set_ylabel("loss of the batch")
fig.legend([at_turn, at_best], ["lowest loss of the range test", "best of the grid"], loc="outside lower center", ncols=2);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three curves of the loss while the learning rate rises. Each is level on the left, falls, has a bottom, and then jumps up with wild peaks. A dotted line marks the bottom (with the peaks smoothed away), a dashed one the best rate of the grid. The two lie close together in all three, at 0.1 to 0.4 for SGD and momentum, near 0.03 for Adam.

# %% slideshow={"slide_type": "skip"}
assert all(0.1 < turning[name] / chosen[name] < 10 for name in turning)

# %% [markdown] slideshow={"slide_type": "notes"}
# One run found the right rate to within a factor of about three. More it cannot do: the loss at each rate depends on all the steps before it. A common advice is to stay clearly below the bottom, by a factor of up to ten. In such a short training as ours that would be too careful; in a long one it is the safer choice.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 14 · Clipping: when one gradient is far too long
#
# Some losses have **cliffs**: almost flat here, nearly upright a little further on. Take one weight that is used twenty times in a row, as a recurrent network does (lesson 13): $f(w) = (w^{20} - 0.5)^2$. At $w = 1.2$ the slope is about 48,000. One step with `lr` = 0.005 lands at −241, and from there nothing comes back.
#
# **Gradient clipping** (Pascanu, Mikolov, Bengio, 2013) keeps the direction and limits the length: if the gradient is longer than `max_norm`, multiply it by `max_norm` / length.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def cliff_walk(clip, steps=150, lr=0.005):
    w = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
    path = [w.item()]
    for _ in range(steps):
        loss = (w**20 - 0.5) ** 2
        (g,) = torch.autograd.grad(loss, w)
        if clip and g.abs() > clip:
            g = g * clip / g.abs()  # as long as allowed, same direction
        with torch.no_grad():
            w -= lr * g
        path.append(w.item())
    return path


for clip in (None, 1.0):
    path = cliff_walk(clip)
    print(f"clip {clip}:", "  ".join(f"{w:.3g}" for w in path[:4]), " ... ", f"{path[-1]:.4f}")
print(f"the minimum: {0.5 ** (1 / 20):.4f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# With many parameters, **the length is that of all their gradients together**, as if they were one long arrow. Two tensors with gradients [3] and [4]: length $\sqrt{9 + 16} = 5$. With `max_norm` = 1 both are multiplied by $1/5$ and become [0.6] and [0.8]. To clip each by itself would give [1] and [1]: another direction.

# %% slideshow={"slide_type": "fragment"}
p, q = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
(3 * p + 4 * q).sum().backward()
before = torch.nn.utils.clip_grad_norm_([p, q], max_norm=1.0)  # changes the gradients, returns the length before
print(f"length before {before:.1f}; now {p.grad.item():.2f} and {q.grad.item():.2f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Exercise [07.clip_by_norm](exercises/07_optimizers.ipynb)** ●● One length for all of them.
#
# On digits: momentum with a learning rate of 1, far too large for it (section 11), with and without clipping at 0.3.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
clipped = {}
for clip in (None, 0.3):
    clipped[clip] = [test_accuracy(train(lambda p: Momentum(p, 1.0), seed=seed, clip=clip)[0]) for seed in range(3)]
    print(f"lr 1, clip {clip}: accuracy on the test set", "  ".join(f"{a:.1%}" for a in clipped[clip]))

# %% slideshow={"slide_type": "skip"}
assert min(clipped[0.3]) > max(clipped[None]) + 0.1

# %% [markdown] slideshow={"slide_type": "fragment"}
# Without clipping the training is wrecked: less than half of the digits are right. With it, 82% to 88% are. Clipping is no cure for a wrong learning rate: at 0.1, without any clipping, momentum had 88% to 90% (section 11). It is an insurance against the rare step that ruins everything.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## What to remember
#
# - On a quadratic, gradient descent converges exactly up to `lr` < 2/λmax; beyond, it explodes. The gradient points across the ravine, not at the minimum.
# - The noise of a gradient falls like $1/\sqrt B$: four times the batch, half the noise. For the same data, many noisy steps beat few exact ones.
# - Momentum adds up what persists and cancels what alternates. Adagrad, RMSProp and Adam give each weight its own rate, and help as far as the ravine lies along the axes. Adam's correction keeps the first steps from being too long; AdamW decays weights outside the gradient.
# - Compare optimizers only with the best learning rate of each; then they lie close together. A range test finds a rate in one run.
# - A schedule lets you begin with a bold rate and end with a careful one. Clipping keeps the direction and limits the length, over all parameters together.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A bowl has curvatures 0.5, 2 and 40. Which learning rates converge, and which direction takes longest?</summary>
#
# Those below 2/40 = 0.05. The direction with curvature 0.5: even just below the limit a step leaves 1 − 0.05 · 0.5 = 0.975 of the distance.
# </details>
#
# <details><summary>2. With batches of 32 the error of the gradient is 0.8. With batches of 128?</summary>
#
# About 0.4: four times the batch, half the error.
# </details>
#
# <details><summary>3. All gradients are multiplied by 1,000 (someone sums the loss over the batch instead of taking the mean). What does SGD do, what does Adam?</summary>
#
# SGD's steps become 1,000 times longer: it explodes. Adam's stay as they are, apart from the tiny ε: the factor stands above and below and cancels.
# </details>
#
# <details><summary>4. How long is Adam's very first step for a weight with gradient −0.002, at lr = 0.01?</summary>
#
# 0.01, upwards. After correction $\hat m = g$ and $\sqrt{\hat s} = |g|$, so only the sign is left.
# </details>
#
# <details><summary>5. "I tried Adam and SGD at lr = 0.001, and Adam was far better." What do you ask?</summary>
#
# What the best learning rate of each is. 0.001 is a usual rate for Adam and far too small for plain SGD on most problems.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/07_optimizers.ipynb](exercises/07_optimizers.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 07.minibatches | all examples once, in random order, in batches | ●● |
# | 07.sgd | the plain rule | ● |
# | 07.momentum | a velocity for each parameter | ●● |
# | 07.rmsprop | a running mean of squares | ●● |
# | 07.adam | two means and a correction | ●●● |
# | 07.step_lr | stairs | ● |
# | 07.cosine_lr | half a wave | ●● |
# | 07.warmup | a ramp | ● |
# | 07.clip_by_norm | one length for all gradients | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# We always began with random weights of a size that torch chose. Lesson 08 asks what happens if they are all zero, too small or too large, and finds the √2 that lesson 02 promised.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - B. T. Polyak (1964). *Some methods of speeding up the convergence of iteration methods.* Momentum.
# - Y. Dauphin and others (2014). *Identifying and attacking the saddle point problem in high-dimensional non-convex optimization.* Section 3.
# - J. Duchi, E. Hazan, Y. Singer (2011). *Adaptive subgradient methods for online learning and stochastic optimization.* Adagrad.
# - D. P. Kingma, J. Ba (2015). *Adam: a method for stochastic optimization.* The correction of section 8 is in section 3 of the paper.
# - I. Loshchilov, F. Hutter (2019). *Decoupled weight decay regularization.* AdamW.
# - L. N. Smith (2017). *Cyclical learning rates for training neural networks.* The range test; from it came one-cycle.
