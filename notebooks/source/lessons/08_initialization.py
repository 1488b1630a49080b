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
# # 08 · Starting in the right place
#
# **The question:** Before its first step a network has nothing but random weights. Which random weights can learn, and what helps when twenty layers lie between input and loss?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - say why equal units stay equal for ever, and which parameters may start at zero;
# - derive how large weights may be: fan-in, fan-out, Xavier, Kaiming, gains;
# - read from layer-by-layer pictures whether a network vanishes or explodes;
# - build batch and layer normalisation, in training and in evaluation, and recognise the mistakes that a batch makes possible;
# - say what normalisation and shortcuts mend, and what they do not.
#
# **Needs:** [lesson 07](07_optimizers.ipynb) · **Read:** 60 minutes · **Run:** 35 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import copy
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, explore, plotting
from utils.built.layers import MLP
from utils.built.optimizers import SGD

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · Equal stays equal
#
# Why random weights at all? Let us start with equal ones. A network with two inputs, two hidden tanh units and one output, **all weights 0.5**, one example $x = (1, 2)$ with target 1.
#
# Both units see the same: $z = 0.5 \cdot 1 + 0.5 \cdot 2 = 1.5$, so $a = 0.905$ for both. Both have the same weight to the output. So both get the same gradient, make the same step, and are equal again.

# %% slideshow={"slide_type": "fragment", "show": "output"}
W, v = torch.full((2, 2), 0.5, requires_grad=True), torch.full((2,), 0.5, requires_grad=True)
x, y = torch.tensor([1.0, 2.0]), 1.0
for step in range(3):
    loss = (v @ torch.tanh(W @ x) - y) ** 2
    grad_W, grad_v = torch.autograd.grad(loss, [W, v])
    with torch.no_grad():
        W -= 0.3 * grad_W
        v -= 0.3 * grad_v
    unit1, unit2 = ([f"{w:.4f}" for w in row] for row in W)
    print(f"step {step + 1}: unit 1 has weights {unit1}, unit 2 has {unit2}")

# %% [markdown] slideshow={"slide_type": "notes"}
# The weights move, but always in the same way. Two units do the work of one. It is called **symmetry**: swapping the two units changes nothing, and gradient descent, which sees no difference between them, cannot make one. Only a different start can: that is what randomness is for. It **breaks the symmetry**.
#
# On digits: 784 pixels, 32 hidden units, 10 classes. Here is the training loop of this lesson; `model.train()` and `model.eval()` do nothing yet, and section 9 says what they are for.

# %% slideshow={"slide_type": "skip"}
X_all, y_all = data.mnist_tensors("train")
X_test, y_test = data.mnist_tensors("test")
X, y = X_all[:5000], y_all[:5000]  # (5000, 784), (5000,)


def train(model, lr, epochs=1, seed=0):
    """Train on 5,000 digits in batches of 100, by plain SGD."""
    g = torch.Generator().manual_seed(seed)
    optimizer = SGD(model.parameters(), lr)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(X), generator=g).split(100):
            loss = F.cross_entropy(model(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def accuracy(model, n=2000):
    """Share of right answers on the first n test digits."""
    model.eval()
    with torch.no_grad():
        return (model(X_test[:n]).argmax(dim=1) == y_test[:n]).float().mean().item()

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("08.zeros")

# %% [markdown] slideshow={"slide_type": "subslide"}
# How many *really different* units has a layer? Two counts:
#
# - different rows of its weights: `torch.unique(rows, dim=0)` keeps each row once;
# - the **rank** of its activations, 1,000 digits by 32 units: how many columns are left if every column that is a mixture of others is thrown away. (`matrix_rank` takes for rounding what is smaller than about a ten-thousandth of the largest part.) More than its rank the next layer cannot use.

# %% slideshow={"slide_type": "fragment"}
rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [2.0, 4.0]])
print("different rows:", len(torch.unique(rows, dim=0)))
print("rank of all four:", torch.linalg.matrix_rank(rows).item())
print("rank of rows 1, 3, 4:", torch.linalg.matrix_rank(rows[[0, 2, 3]]).item())  # (2, 4) is twice (1, 2)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [08.same_units](exercises/08_initialization.ipynb)** ● How many different units has a layer? A unit is its weights *and* its bias.

# %% slideshow={"slide_type": "skip"}
def set_zero(*parameters):
    for p in parameters:
        nn.init.zeros_(p)  # in place, without a gradient


def set_equal(model, noise=0.0):
    with torch.no_grad():
        for layer in model.layers:
            layer.weight.copy_(0.02 + noise * torch.randn(layer.weight.shape))
            layer.bias.zero_()

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
starts = {
    "all zero": (torch.tanh, lambda m: set_zero(*m.parameters())),
    "all zero, sigmoid": (torch.sigmoid, lambda m: set_zero(*m.parameters())),
    "all weights 0.02": (torch.tanh, set_equal),
    "0.02 ± 0.0001": (torch.tanh, lambda m: set_equal(m, noise=0.0001)),
    "last layer zero": (torch.tanh, lambda m: set_zero(*m.layers[1].parameters())),
    "as nn.Linear draws": (torch.tanh, lambda m: None),
}
found = {}
print("start                 accuracy   different units   rank of the hidden layer")
for name, (f, set_start) in starts.items():
    torch.manual_seed(0)
    model = MLP([784, 32, 10], f)
    set_start(model)
    train(model, lr=0.3, epochs=2)
    with torch.no_grad():
        hidden = f(model.layers[0](X_test[:1000]))  # (1000, 32)
    W = model.layers[0].weight.detach()  # (32, 784)
    agree = (W[:, None] - W).abs().amax(dim=2) < 0.0001  # (32, 32): which units are equal, up to rounding
    different = len(torch.unique(agree, dim=0))
    found[name] = accuracy(model), different, torch.linalg.matrix_rank(hidden).item()
    print(f"{name:20}  {found[name][0]:8.1%}   {different:15}   {found[name][2]:10}")

# %% slideshow={"slide_type": "skip"}
assert [found[name][1:] for name in ("all zero", "all zero, sigmoid", "all weights 0.02")] == [(1, 0), (1, 1), (1, 1)]
assert found["last layer zero"][1:] == found["as nn.Linear draws"][1:] == (32, 32)
assert found["all zero"][0] < 0.13 and max(found[name][0] for name in list(starts)[:4]) < 0.45
assert found["0.02 ± 0.0001"][1] == 32 and found["0.02 ± 0.0001"][2] < 25
assert min(found["last layer zero"][0], found["as nn.Linear draws"][0]) > 0.8

# %% [markdown] slideshow={"slide_type": "fragment"}
# - **All zero, tanh**: rank 0. The hidden units give 0, so the output weights get no gradient; the output weights are 0, so the hidden ones get none either. Only the output biases learn: how frequent each digit is.
# - **All zero, sigmoid**: sigmoid(0) = 0.5, so something moves. But 32 units stay one unit: rank 1.
# - **All 0.02**: rank 1 again.
# - **A tiny noise**: now all 32 differ, and yet after 100 steps they are still so alike that the rank, measured to a ten-thousandth, is about 10, and the accuracy hardly better. Just *any* difference is not enough.
# - **Last layer zero**: all is well! Its hidden units are different, and that is what counts.

# %% [markdown] slideshow={"slide_type": "notes"}
# A misconception to lose: *"nothing may start at zero"*. Biases may: the weights already break the symmetry. One whole layer may, too, if the layers around it are random. What may not be is **two equal units in one layer**.
#
# The fourth row raises the next question. Random, yes. But how large?

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 2 · The size of a sum
#
# A unit computes a sum of products, $z = \sum_i w_i x_i$. How large is it, if the weights are random? We measure size by the **mean square**, and its root (RMS). For numbers with mean 0 the mean square is the **variance**, and its root the spread.
#
# By hand: four inputs, all 1, and four weights, each +0.5 or −0.5 by the toss of a coin. Each product is ±0.5, its square 0.25. Squares of independent terms with mean 0 **add up** on average: $4 \cdot 0.25 = 1$. All 16 outcomes:

# %% slideshow={"slide_type": "fragment"}
coins = torch.cartesian_prod(*[torch.tensor([-0.5, 0.5])] * 4)  # (16, 4): every combination
z = coins.sum(dim=1)  # (16,)
print("the sums:", sorted(z.tolist()))
print("mean:", z.mean().item(), "  mean square:", z.square().mean().item())

# %% [markdown] slideshow={"slide_type": "subslide"}
# The sum of four terms is not four times as large as one of them, but twice: terms of different sign cancel. With $n$ terms the spread grows like $\sqrt n$.
#
# The number of inputs of a unit is called its **fan-in**. In general, with weights of mean 0:
#
# $$\boxed{\;\overline{z^2} = \text{fan-in} \cdot \text{Var}(w) \cdot \overline{x^2}\;}$$
#
# In words: *each product has the mean square of the weight times that of the input, and the sum has fan-in of them*. To keep $\overline{z^2} = \overline{x^2}$, the weights need **Var(w) = 1 / fan-in**.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>Where it comes from, and what it needs</summary>
#
# $z^2 = \sum_i \sum_j w_i w_j x_i x_j$. Take the mean over the random weights. For $i \ne j$ the weights are independent with mean 0, so $\overline{w_i w_j} = 0$, and all mixed terms vanish. What remains is $\sum_i \overline{w_i^2}\, x_i^2 = \text{Var}(w) \sum_i x_i^2 = \text{fan-in} \cdot \text{Var}(w) \cdot \overline{x^2}$.
#
# Nothing is asked of the inputs: they may be pixels, all positive, and as dependent on one another as they like. But the weights must have mean 0, and must be drawn independently of one another and of the inputs. All this holds at the start, and only there. Bias: 0.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Does it hold for every kind of weight? We draw 100,000 units and compare. With so many, chance alone makes an error of about $\sqrt{2/100000} = 0.4\%$, so we ask for **2%**. Numbers spread evenly between $-c$ and $c$ have variance $c^2/3$. The last row breaks a rule: its weights lie between 0 and 0.2, so their mean is not 0.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(0)


def uniform(*shape, c=1.0):
    return (2 * torch.rand(shape, generator=g) - 1) * c


N = 100_000
cases = {  # weights (N, fan-in), their variance, one input (fan-in,)
    "normal, spread 0.3, fan-in 10": (0.3 * torch.randn(N, 10, generator=g), 0.09, torch.randn(10, generator=g)),
    "uniform ±0.2, fan-in 50": (uniform(N, 50, c=0.2), 0.04 / 3, torch.randn(50, generator=g)),
    "uniform ±1, inputs all 3": (uniform(N, 20), 1 / 3, torch.full((20,), 3.0)),
    "normal, a digit, fan-in 784": (torch.randn(N, 784, generator=g) / 28, 1 / 784, X[0]),
    "0 to 0.2, fan-in 50": (0.1 + uniform(N, 50, c=0.1), 0.01 / 3, torch.rand(50, generator=g)),
}
error = {}
print("mean square of z                predicted   measured   error")
for name, (W, variance, x) in cases.items():
    predicted = len(x) * variance * x.square().mean().item()
    measured = (W @ x).square().mean().item()
    error[name] = measured / predicted - 1
    print(f"{name:30}  {predicted:9.3f}  {measured:9.3f}   {error[name]:.1%}")

# %% slideshow={"slide_type": "skip"}
assert max(abs(e) for e in list(error.values())[:4]) < 0.02
assert list(error.values())[4] > 10

# %% [markdown] slideshow={"slide_type": "fragment"}
# The rule holds to within 2%, for either shape of the distribution, for inputs that are all positive and for a real digit: only the variance of the weights counts. And with weights whose mean is not zero it is hopelessly wrong: there nothing cancels.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 3 · Through ReLU, forwards and backwards
#
# Now a whole layer. ReLU makes the negative half of the $z$ zero and leaves the rest. If $z$ and $-z$ are equally likely, as with weights drawn evenly on both sides of 0, **half of the mean square** is gone: of $(-2, -1, 1, 2)$, mean square 2.5, it makes $(0, 0, 1, 2)$, mean square 1.25. So from one layer's activations to the next:
#
# $$\overline{a_\text{next}^2} = \tfrac12 \cdot \text{fan-in} \cdot \text{Var}(w) \cdot \overline{a^2}$$
#
# To keep it, make up for the half: **Var(w) = 2 / fan-in**. This is **Kaiming** initialisation, also called *He*, after Kaiming He. There is the $\sqrt 2$ of lesson 02.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Backwards it is the same rule once more. The gradient at a unit is the sum over all units it feeds, each times its weight: $\partial L / \partial a_j = \sum_i W_{ij}\, \delta_i$. The number of these terms is the **fan-out** of the layer. Then the slope of ReLU, 0 or 1, keeps half of them:
#
# $$\overline{\delta_\text{before}^2} = \tfrac12 \cdot \text{fan-out} \cdot \text{Var}(w) \cdot \overline{\delta^2}$$
#
# A layer with weights $W$ of shape (out, in) has fan-in = in and fan-out = out. By hand, for 300 inputs and 100 units with Kaiming's Var = 2/300: forwards × 1; backwards $\tfrac12 \cdot 100 \cdot \tfrac{2}{300} = \tfrac13$. Check, over 50 draws, to within **5%**:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(1)
forward_factor, backward_factor = [], []
for _ in range(50):
    z_before = torch.randn(200, 300, generator=g, requires_grad=True)
    a = torch.relu(z_before)  # (200, 300)
    W = torch.randn(100, 300, generator=g) * math.sqrt(2 / 300)
    z = a @ W.T  # (200, 100)
    delta = torch.randn(z.shape, generator=g)  # a gradient that arrives at z
    z.backward(delta)
    forward_factor.append((torch.relu(z).square().mean() / a.square().mean()).item())
    backward_factor.append((z_before.grad.square().mean() / delta.square().mean()).item())
forward_factor, backward_factor = sum(forward_factor) / 50, sum(backward_factor) / 50
print(f"mean square, forwards:  predicted 1.000, measured {forward_factor:.3f}")
print(f"mean square, backwards: predicted 0.333, measured {backward_factor:.3f}")

# %% slideshow={"slide_type": "skip"}
assert abs(forward_factor - 1) < 0.05 and abs(3 * backward_factor - 1) < 0.05

# %% [markdown] slideshow={"slide_type": "notes"}
# In a whole network these thirds and their like cancel: backwards each layer multiplies by fan-out / fan-in, and one layer's fan-out is the next one's fan-in. Only the first and the last width remain. So one may as well use 2 / fan-out, which keeps the gradients level, and torch offers both (`mode="fan_in"`, `mode="fan_out"`). Either alone will do (He and others, 2015).

# %% [markdown] slideshow={"slide_type": "fragment"}
# One factor alone does no harm. But a deep network multiplies them. Weights that are only half as large as they should be: each layer halves the spread, and after 20 layers a millionth is left, since $0.5^{20} \approx 10^{-6}$. Twice as large: a million times too much. **Depth makes a small mistake exponentially large.**

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 4 · Xavier, Kaiming and gains
#
# Activations ask for fan-in, gradients for fan-out. **Xavier** initialisation (also *Glorot*, after Xavier Glorot) takes the middle of the two:
#
# $$\text{Var}(w) = \text{gain}^2 \cdot \frac{2}{\text{fan-in} + \text{fan-out}}$$
#
# Mostly the weights are spread evenly between $-c$ and $c$. The variance of those is $c^2/3$, so $c = \text{gain} \cdot \sqrt{6 / (\text{fan-in} + \text{fan-out})}$. By hand: fan-in 4, fan-out 2, gain 1: $c = 1$, and the variance is $1/3 = 2/6$. Right.
#
# The **gain** makes up for what the activation takes away. Without activation it is 1.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Which gain? For $z$ with mean square 1, ask for $\text{gain}^2 \cdot \overline{f(z)^2} = 1$. For ReLU the mean is $\frac12$ and the gain $\sqrt 2$. Others can be measured, and torch has a table of its own:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
z = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
functions = {"linear": lambda z: z, "relu": torch.relu, "leaky_relu": lambda z: F.leaky_relu(z, 0.2),
             "tanh": torch.tanh, "sigmoid": torch.sigmoid}
gain = {name: 1 / f(z).square().mean().sqrt().item() for name, f in functions.items()}
for name in functions:
    in_torch = nn.init.calculate_gain(name, 0.2 if name == "leaky_relu" else None)
    print(f"{name:11} measured {gain[name]:.3f}   torch {in_torch:.3f}")

# %% slideshow={"slide_type": "skip"}
assert abs(gain["relu"] / math.sqrt(2) - 1) < 0.01 and abs(gain["tanh"] - 1.593) < 0.01

# %% [markdown] slideshow={"slide_type": "notes"}
# For ReLU and its leaky sister they agree: there the gain follows from a formula. For tanh we find 1.59 and torch has 5/3 = 1.67. What is kept for tanh depends on how large $z$ is; 5/3 is a convention. For the sigmoid no gain helps much: its output is never negative, and its slope, 0.25 at best, is lost on the way back.
#
# **Exercise [08.xavier_uniform](exercises/08_initialization.ipynb)** ●● Uniform weights, shape (out, in).
#
# **Exercise [08.kaiming_normal](exercises/08_initialization.ipynb)** ●● Normal weights, shape (out, in). (Write both before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def xavier_uniform(fan_in, fan_out, generator=None, gain=1.0):
    """Uniform weights with variance gain² · 2 / (fan_in + fan_out), shape (fan_out, fan_in)."""
    c = gain * math.sqrt(6 / (fan_in + fan_out))
    return (2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * c


def kaiming_normal(fan_in, fan_out, generator=None):
    """Normal weights with variance 2 / fan_in, shape (fan_out, fan_in)."""
    return torch.randn(fan_out, fan_in, generator=generator) * math.sqrt(2 / fan_in)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
difference = []
for seed in range(100):
    a, b = (torch.Generator().manual_seed(seed) for _ in range(2))
    theirs = nn.init.xavier_uniform_(torch.empty(30, 70), gain=5 / 3, generator=a)
    difference.append((xavier_uniform(70, 30, b, gain=5 / 3) - theirs).abs().max().item())
    theirs = nn.init.kaiming_normal_(torch.empty(30, 70), generator=a)
    difference.append((kaiming_normal(70, 30, b) - theirs).abs().max().item())
print(f"largest difference to torch's, from the same random numbers: {max(difference):.0g}")

# %% slideshow={"slide_type": "skip"}
assert max(difference) < 1e-6

# %% [markdown] slideshow={"slide_type": "fragment"}
# What does torch do if you say nothing? `nn.Linear` draws its weights evenly between $\pm 1/\sqrt{\text{fan-in}}$. The name of the function behind it is `kaiming_uniform_`, and so it is often said that *"torch uses Kaiming initialisation by default"*. Keep that in mind for the next section.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 12}
# ## 5 · Eight starts, twenty layers
#
# Now the whole picture. Twenty layers of 100 units, without biases; 256 random inputs of spread 1 go in at the front, and a random gradient of spread 1 comes in at the back. Layer by layer we measure the spread (RMS) of the activations and of the gradients at $z$. Eight ways to draw the weights:

# %% slideshow={"slide_type": "fragment"}
def linear_default(n, g):
    return (2 * torch.rand(n, n, generator=g) - 1) / math.sqrt(n)


draws = {
    "zeros": lambda n, g: torch.zeros(n, n),
    "ones": lambda n, g: torch.ones(n, n),
    "normal 1": lambda n, g: torch.randn(n, n, generator=g),
    "normal 0.01": lambda n, g: 0.01 * torch.randn(n, n, generator=g),
    "nn.Linear": linear_default,
    "Xavier": lambda n, g: xavier_uniform(n, n, g),
    "Xavier, gain 5/3": lambda n, g: xavier_uniform(n, n, g, gain=5 / 3),
    "Kaiming": lambda n, g: kaiming_normal(n, n, g),
}

# %% slideshow={"slide_type": "skip"}
def no_norm(z):
    return z


def spreads(f, draw, norm=no_norm, depth=20, width=100, seed=0):
    """RMS of the activations and of the gradients at z, each a list from the first layer to the last."""
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(256, width, generator=g, dtype=torch.float64)
    activations, zs = [], []
    for _ in range(depth):
        z = a @ draw(width, g).double().T  # (256, 100)
        z.requires_grad_() if not zs else z.retain_grad()
        zs.append(z)
        a = f(norm(z))  # norm waits for section 8
        activations.append(a)
    a.backward(torch.randn(a.shape, generator=g, dtype=torch.float64))
    return [[t.detach().square().mean().sqrt().item() for t in row] for row in (activations, [z.grad for z in zs])]

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("08.default")

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_eight(results, title):
    """Left the activations, right the gradients, on the same axes."""
    names = ("muted", "class1", "class2", "class3", "class5", "class4", "text", "class0")
    fig, axes = plt.subplots(1, 2, figsize=(12, 5), sharex=True, sharey=True, layout="constrained")
    for k, (name, rows) in enumerate(results.items()):
        for ax, row in zip(axes, rows, strict=True):
            shown = [v if v > 0 else 1e-11 for v in row]  # zero has no place on a logarithmic axis: lower edge
            style = {"color": plotting.COLORS[names[k]], "ls": "--" if 4 <= k < 7 else "-", "marker": "os^DvPXo"[k]}
            ax.plot(range(1, len(row) + 1), shown, **style, markersize=6, label=name)
    for ax, what in zip(axes, ("activations", "gradients"), strict=True):
        ax.set(yscale="log", ylim=(1e-11, 1e11), xlabel="layer", title=what, xticks=[1, 5, 10, 15, 20])
    axes[0].set_ylabel("spread (RMS)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    fig.suptitle(title)


with_relu = {name: spreads(torch.relu, draw) for name, draw in draws.items()}
draw_eight(with_relu, "ReLU: only Kaiming stays level, forwards and backwards")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left the activations from layer 1 to 20, right the gradients, which travel from 20 back to 1. Kaiming is the only level line in both. Xavier with gain 5/3 rises a little, Xavier falls to a thousandth, `nn.Linear` to $10^{-8}$. Normal 0.01 falls off the picture, normal 1 and ones shoot out at the top. Zeros lie at the lower edge, where zero is drawn. Left and right are mirror images.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Our formula says by what factor each layer changes the spread: $\sqrt{\frac12 \cdot 100 \cdot \text{Var}(w)}$. Against the measurement, averaged over layers and three seeds:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
variance = {"normal 1": 1, "normal 0.01": 0.0001, "nn.Linear": 1 / 300,
            "Xavier": 1 / 100, "Xavier, gain 5/3": 25 / 900, "Kaiming": 2 / 100}
off = {}
print("factor per layer   predicted   forwards   backwards")
for name, var in variance.items():
    runs = [spreads(torch.relu, draws[name], seed=seed) for seed in range(3)]
    there = [(acts[-1] / acts[0]) ** (1 / 19) for acts, _ in runs]
    back = [(grads[0] / grads[-1]) ** (1 / 19) for _, grads in runs]
    predicted = math.sqrt(100 * var / 2)
    print(f"{name:17}  {predicted:9.3f}  {sum(there) / 3:9.3f}  {sum(back) / 3:10.3f}")
    off[name] = max(abs(factor / predicted - 1) for factor in there + back)
print(f"largest error in a single run: {max(off.values()):.0%}")

# %% slideshow={"slide_type": "skip"}
assert max(off.values()) < 0.1 and with_relu["nn.Linear"][1][0] < 1e-6 * with_relu["nn.Linear"][1][-1]

# %% [markdown] slideshow={"slide_type": "fragment"}
# The formula holds within a tenth for each single network. And the default of `nn.Linear` loses more than half at every layer. Its variance is $1/(3 \cdot \text{fan-in})$, **a sixth** of Kaiming's. *"torch uses Kaiming by default"* is true of a name only. For two or three layers it does not matter, and for networks with normalisation (below) neither. For deep plain ones it does.
#
# Now the same with tanh. **Predict:** where will "normal 1" go this time?

# %% slideshow={"slide_type": "subslide", "show": "output"}
with_tanh = {name: spreads(torch.tanh, draw) for name, draw in draws.items()}
draw_eight(with_tanh, "tanh: bounded activations can hide exploding gradients")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The same axes. No activation is above 1. Normal 0.01 and `nn.Linear` fall; Xavier sinks slowly; Xavier with gain 5/3 and Kaiming stay level. Normal 1 is level at nearly 1 on the left, but on the right its gradient grows from layer 20 to layer 1, a million times and more. Ones are level left, and zero right. Zeros let the gradient into the last layer only.

# %% slideshow={"slide_type": "subslide", "show": "output"}
for name in ("normal 1", "Xavier", "Xavier, gain 5/3", "Kaiming"):
    acts, grads = with_tanh[name]
    growth = grads[0] / grads[-1]
    print(f"{name:17} activations at layer 20: {acts[-1]:.2f}   gradient, layer 1 over layer 20: {growth:.1g}")
assert with_tanh["normal 1"][1][0] / with_tanh["normal 1"][1][-1] > 1e6
assert with_tanh["ones"][1][0] == 0 and 0.6 < with_tanh["Xavier, gain 5/3"][0][-1] < 0.7

# %% [markdown] slideshow={"slide_type": "fragment"}
# tanh squeezes everything into ±1, so too large weights do not show in the activations: nearly all units are stuck at the ends. **Look at both directions.** With gain 5/3 the activations settle at 0.65; the gradient grows by a few times. Xavier without gain loses a little at every layer, less and less: the smaller $z$, the more tanh is a straight line. For twenty layers both will do.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: a deep network before its first step
#
# *Which start keeps a network of your choice alive?* Choose the weights, a gain, the activation, depth and width, and see how activations and gradients are spread.
#
# - **Try** to let the gradient vanish, under a millionth at the inputs but not 0; then to let it explode, over a million.
# - **Try** to kill a ReLU network: its last layer is to answer 0 to every input.
# - **Notice** where the activations sit under tanh with "normal, spread 1". And what the width changes for "normal, spread 0.1", but not for Xavier.
# - **Challenge:** 20 layers of tanh without batch normalisation, every spread between 0.5 and 2. Which gain does it?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.initialization()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three rows, layers from left to right. Above, histograms of the activations, standing upright; in the middle, of the gradients; below, both spreads on a logarithmic axis, with a grey band from 0.5 to 2. In the stored picture, twenty tanh layers drawn as by `nn.Linear`, the activations shrink to a dash on their way to the right, the gradients on their way to the left: two lines that cross.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Biases, and the last layer
#
# Biases start at **zero**: they are not needed to break the symmetry, and random ones would only add to the spread. (With rare classes one may start the output biases at the logarithms of the classes' frequencies, so that the network need not spend its first steps on learning those.)
#
# The last layer is a case of its own. Nothing follows it but the loss, so it may be small. At the start a network knows nothing, and the honest loss for ten classes is $\log 10 = 2.30$ (lesson 05):

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
first = {}
for factor in (3.0, 1.0, 0.1, 0.0):
    torch.manual_seed(0)
    model = MLP([784, 100, 100, 10])
    for layer in model.layers:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        model.layers[-1].weight *= factor
        first[factor] = F.cross_entropy(model(X), y).item()
    print(f"last layer Kaiming x {factor:3}: loss before the first step {first[factor]:.2f}")

# %% slideshow={"slide_type": "skip"}
assert abs(first[0.0] - math.log(10)) < 1e-4 and first[3.0] > first[1.0] > first[0.1] > 2.29

# %% [markdown] slideshow={"slide_type": "fragment"}
# A first loss clearly above $\log k$ says that the network is sure of things it cannot know. The first steps then go into unlearning them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 6 · Trainable or not: a map
#
# So far we looked at networks before their first step. Does a level start really decide whether they **learn**? We draw a map: depth across, and upwards a factor on all Kaiming weights from 1/4 to 4. In each place a ReLU network of 32 units per layer is trained for 120 steps on digits (shrunk to 7 × 7 pixels), with three learning rates, and the best counts.
#
# That is 27 networks for each depth, and we train all 27 **at once**: the weights of a layer are one tensor $(27, \text{in}, \text{out})$, and `@` multiplies them network by network. Their losses do not mix, so their sum gives each its own gradient.

# %% slideshow={"slide_type": "skip"}
def shrink(images):
    return F.avg_pool2d(images.reshape(-1, 1, 28, 28), 4).reshape(-1, 49)  # means of 4 x 4 pixels


X_small = shrink(X[:2000])
X_small = (X_small - X_small.mean()) / X_small.std()  # (2000, 49)
scales = [2 ** (k / 2) for k in range(-4, 5)]  # 1/4 ... 4
rates = [0.01, 0.05, 0.2]
depths = [1, 2, 4, 8, 16]

# %% tags=["long"] slideshow={"slide_type": "skip"}
def plain(a, W, k, depth):
    """What a hidden layer does: (27, 50, in) -> (27, 50, out). Sections 8 and 13 have other ways."""
    return torch.relu(a @ W)


def train_27(depth, layer=plain, width=32, steps=120, seed=0):
    """Accuracy over the last 20 batches, for each scale at the best of its learning rates: (9,)."""
    g = torch.Generator().manual_seed(seed)
    scale = torch.tensor(scales).repeat_interleave(len(rates))[:, None, None]  # (27, 1, 1)
    lr = torch.tensor(rates).repeat(len(scales))[:, None, None]
    sizes = [49, *[width] * depth]
    weights = [kaiming_normal(m, n, g).T * scale for m, n in pairwise(sizes)]  # each (27, in, out)
    weights.append((torch.randn(width, 10, generator=g) / width**0.5).expand(27, width, 10).clone())
    hits = torch.zeros(27)
    for step in range(steps):
        rows = torch.randint(len(X_small), (50,), generator=g)
        weights = [W.detach().requires_grad_() for W in weights]
        a = X_small[rows].expand(27, 50, 49)
        for k, W in enumerate(weights[:-1]):
            a = layer(a, W, k, depth)
        logits = a @ weights[-1]  # (27, 50, 10)
        losses = F.cross_entropy(logits.flatten(0, 1), y[rows].repeat(27), reduction="none")  # (1350,)
        grads = torch.autograd.grad(losses.sum() / 50, weights)
        weights = [W - lr * grad for W, grad in zip(weights, grads, strict=True)]
        if step >= steps - 20:
            hits += (logits.argmax(dim=2) == y[rows]).float().mean(dim=1) / 20
    return hits.reshape(len(scales), len(rates)).amax(dim=1)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Predict.** At which depths will it matter whether the weights are twice too large? (135 networks, a few seconds.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_map(ax, accuracies, title):
    image = ax.imshow(100 * accuracies, origin="lower", cmap=plotting.SEQUENTIAL, vmin=10, vmax=100, aspect="auto")
    ax.set(xlabel="hidden layers", title=title)
    ax.set_xticks(range(len(depths)), depths)
    ax.set_yticks([0, 2, 4, 6, 8], ["¼", "½", "1", "2", "4"])
    ax.grid(False)
    for row, column in ((row, column) for row in range(9) for column in range(len(depths))):
        value = 100 * accuracies[row, column].item()
        ax.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if value < 55 else "black")
    return image


plain_map = torch.stack([train_27(depth) for depth in depths], dim=1)  # (9, 5)
fig, ax = plt.subplots(figsize=(7.5, 5.2), layout="constrained")
image = draw_map(ax, plain_map, "The deeper, the narrower the range that learns")
fig.colorbar(image, label="accuracy after 120 steps, %")
ax.set_ylabel("weights, times Kaiming");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A map of accuracies. The first column, one hidden layer, is bright from top to bottom: every scale learns. With each further column the bright part gets narrower around 1. At 8 layers, half or twice the weights already learn far less, and at 16 layers only a weak spot at 1 is left.

# %% slideshow={"slide_type": "skip"}
assert plain_map[:, 0].min() > 0.65 and plain_map[4, 3] > 0.4 and plain_map[[0, 1, 7, 8], 3].max() < 0.25
assert plain_map[[0, 1, 2, 6, 7, 8], 4].max() < 0.2 and plain_map[4, 4] < 0.6

# %% [markdown] slideshow={"slide_type": "subslide"}
# With one or two hidden layers the start hardly matters: "small random numbers" are good enough there. With eight it decides. (The best factor is 1 to 1.4 rather than exactly 1; single numbers change with the seed, the wedge does not.)
#
# And at 16 layers even the right scale learns poorly. A level start is **needed, but not sufficient**. What else gets lost? Here is a part of the answer: how alike two *different* digits are on their way up, by the cosine of the angle between them: 1 for the same direction, 0 for a right angle.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
cosines = torch.zeros(17)
for seed in range(20):
    g = torch.Generator().manual_seed(seed)
    a = X_small[:200]
    for k in range(17):
        unit = F.normalize(a, dim=1)  # each row to length 1
        cosines[k] += (unit @ unit.T).mean() / 20
        a = torch.relu(a @ kaiming_normal(a.shape[1], 32, g).T)
print("mean cosine after layer:", {k: round(cosines[k].item(), 2) for k in (0, 1, 2, 4, 8, 16)})

# %% slideshow={"slide_type": "skip"}
assert cosines[0] < 0.55 and cosines[16] > 0.85

# %% [markdown] slideshow={"slide_type": "fragment"}
# All digits end up pointing nearly the same way: ReLU leaves only positive numbers, layer after layer. The spread is level, but hardly anything of it tells a 3 from an 8. And after the first step nobody looks after the spread any more. Deep plain networks need more help.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 7 · Why not keep it level by force?
#
# Initialisation makes the spread right *once*. After the first steps nobody looks after it any more. **Normalisation** does, at every layer and at every step: it measures mean and spread, and makes them 0 and 1. Lesson 03 did so with the inputs. Now we do it inside.
#
# The question is: mean and spread **over what**? Activations of a layer are a table, one row for each example, one column for each unit.
#
# - **Batch normalisation**: down each column, over the examples of the batch.
# - **Layer normalisation**: along each row, over the units of one example.

# %% slideshow={"slide_type": "subslide", "show": "output"}
z = torch.tensor([[1.0, 10.0, -2.0, 0.0], [3.0, 30.0, -2.0, 4.0], [5.0, 50.0, 1.0, 8.0]])  # (3 examples, 4 units)
down = (z - z.mean(dim=0)) / z.std(dim=0, correction=0)  # each column for itself
along = (z - z.mean(dim=1, keepdim=True)) / z.std(dim=1, correction=0, keepdim=True)  # each row for itself
fig, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
titles = ("before", "batch norm: each column", "layer norm: each row")
for ax, table, title in zip(axes, (z, down, along), titles, strict=True):
    ax.imshow(table, cmap=plotting.DIVERGING, norm=plotting.centred_norm(table), aspect="auto")
    for row, column in ((row, column) for row in range(3) for column in range(4)):
        pale = table[row, column].abs() < 0.7 * table.abs().max()
        color = "black" if pale else "white"
        ax.text(column, row, f"{table[row, column]:.2g}", ha="center", va="center", color=color)
    ax.set(xticks=range(4), xticklabels=["unit 1", "unit 2", "unit 3", "unit 4"], yticks=range(3), title=title)
    ax.set_yticklabels(["example 1", "example 2", "example 3"])
    ax.grid(False);

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** The same table three times, three examples in the rows, four units in the columns. Before, the second unit is far larger than all others. After batch normalisation each column has mean 0 and spread 1: units 1, 2 and 4, which differed only by a factor and a shift, have become equal. After layer normalisation it is each row that has mean 0 and spread 1: unit 2 still stands out in each example.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 8 · Batch normalisation in training
#
# For each unit, with mean $\mu$ and variance $\sigma^2$ over the $B$ examples of the batch:
#
# $$\hat z = \frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}} \qquad \text{out} = \gamma\, \hat z + \beta$$
#
# By hand: $z = 1, 3, 5$. The mean is 3, the variance $(4 + 0 + 4)/3 = 2.67$ (divided by $B$, not by $B - 1$), its root 1.63. So $\hat z = -1.22,\ 0,\ 1.22$. With $\gamma = 2$ and $\beta = 1$: $-1.45,\ 1,\ 3.45$.
#
# The tiny $\varepsilon$ (0.00001) prevents 0/0 for a unit that is the same for all.

# %% [markdown] slideshow={"slide_type": "notes"}
# The **scale** $\gamma$ and the **shift** $\beta$ are parameters, one of each for every unit, and learned like weights. They begin at 1 and 0. What are they good for? A unit may *need* another mean or spread, say to use the bent part of tanh. With $\gamma = \sqrt{\sigma^2 + \varepsilon}$ and $\beta = \mu$ it could undo the normalisation altogether. Now the network **decides** by two numbers what before came about through all the weights below.
#
# (A bias before it is useless: $\mu$ takes it away again. $\beta$ does its work.)
#
# It usually stands between the linear layer and the activation.

# %% slideshow={"slide_type": "fragment"}
def batch_standardise(z):
    return (z - z.mean(dim=0)) / torch.sqrt(z.var(dim=0, correction=0) + 1e-5)


one = torch.tensor([[1.0], [3.0], [5.0]])
print("by hand:", [round(v, 2) for v in (2 * batch_standardise(one) + 1).flatten().tolist()])

# %% [markdown] slideshow={"slide_type": "notes"}
# One property follows at once. Multiply all weights of the layer below by 100: $z$, $\mu$ and $\sigma$ become 100 times as large, and $\hat z$ **stays the same**. So the scale of the weights no longer matters?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("08.ones")

# %% slideshow={"slide_type": "subslide", "show": "output"}
normed = {name: spreads(torch.relu, draw, norm=batch_standardise) for name, draw in draws.items()}
draw_eight(normed, "Batch norm levels the activations, not the gradients")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Again the same axes. On the left, all starts but two lie on one line at 0.7; ones creep up to 1 (close to 0.7 on this axis), zeros are still zero. On the right there are parallel lines, at heights that go with the size of the weights: the smaller the weights, the larger the gradients. They rise gently from layer 20 back to layer 2. Ones lie far below and bend.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
growth = {}
for name in ("normal 1", "normal 0.01", "nn.Linear", "Kaiming"):
    acts, grads = normed[name]
    growth[name] = (grads[1] / grads[-1]) ** (1 / 18)  # to layer 2: below layer 1 there is no ReLU
    print(f"{name:12} activations {min(acts):.2f} to {max(acts):.2f}, gradient per layer, backwards: x {growth[name]:.2f}")
# torch's batch norm for now; ours, with which it is compared, is built in section 9
equal = nn.Sequential(nn.Linear(784, 32, bias=False), nn.BatchNorm1d(32), nn.Tanh(), nn.Linear(32, 10))
for layer in (equal[0], equal[3]):
    nn.init.constant_(layer.weight, 0.02)
accuracy_equal = accuracy(train(equal, 0.3, epochs=2))
rank_equal = torch.linalg.matrix_rank(equal[:3](X_test[:1000]).detach()).item()
print(f"all weights 0.02, with batch norm and after training: accuracy {accuracy_equal:.1%}, rank {rank_equal}")

# %% slideshow={"slide_type": "skip"}
assert all(0.65 < v < 0.75 for name in growth for v in normed[name][0])
assert all(abs(factor / math.sqrt(math.pi / (math.pi - 1)) - 1) < 0.03 for factor in growth.values())
assert rank_equal == 1 and accuracy_equal < 0.45

# %% [markdown] slideshow={"slide_type": "fragment"}
# *"With batch norm initialisation no longer matters"*: half true.
#
# - True of the **scale**, forwards: from normal 0.01 to normal 1 the activations are the same.
# - Not true of **symmetry**. Equal units have equal columns, and equal columns are normalised equally. Rank 1, as before.
# - And the **gradient grows** backwards by about a fifth per layer with ReLU. That is a property of batch norm itself: for wide networks and large batches theory gives $\sqrt{\pi / (\pi - 1)} = 1.21$ (Yang and others, 2019). Over 20 layers it comes to about 20. Very deep networks need something besides: section 13.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 9 · Batch normalisation in evaluation
#
# In use there may be no batch: one digit arrives, and wants an answer. One example has no spread. And even with a batch, an answer should not depend on who else is asking. So in training the layer **keeps running statistics**, after each batch with mean $\mu$ and variance $\sigma^2$:
#
# $$\text{running} \leftarrow (1 - m) \cdot \text{running} + m \cdot \text{new} \qquad m = 0.1$$
#
# They begin at 0 (mean) and 1 (variance). In **evaluation mode** the layer uses these two in place of $\mu$ and $\sigma^2$ and changes nothing. $m$ is called *momentum*, though it is the share of the **new** value: the other way round than in lesson 07.

# %% [markdown] slideshow={"slide_type": "notes"}
# One fine point. The batch's variance for normalising is divided by $B$. Into the running variance goes the one divided by $B - 1$, which on average is right for *all* data. By hand, after $z = 1, 3, 5$ as first batch: running mean $0.9 \cdot 0 + 0.1 \cdot 3 = 0.3$; the variance divided by $B - 1$ is $8/2 = 4$, so running variance $0.9 \cdot 1 + 0.1 \cdot 4 = 1.3$.
#
# It takes time to forget the beginning: if the true mean is 3, after 10 batches the running mean is $3\,(1 - 0.9^{10}) = 1.95$, after 50 it is 2.98.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [08.batch_norm_train](exercises/08_initialization.ipynb)** ●●● As a function that also returns the new running statistics.
#
# **Exercise [08.batch_norm_eval](exercises/08_initialization.ipynb)** ● The other mode. (Write both first: here comes ours, as a module.)
#
# A **buffer** is a tensor that belongs to a module, is saved with it, and is not learned: just right for running statistics. `self.training` is True after `model.train()`, False after `model.eval()`; both go through all parts of a model.

# %% tags=["long"] slideshow={"slide_type": "subslide", "show": "code"}
class BatchNorm(nn.Module):
    """Standardise each feature over the batch, then scale and shift."""

    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, X):  # (B, features)
        if X.ndim != 2 or X.shape[1] != len(self.gamma):
            raise ValueError(f"X must have shape (B, {len(self.gamma)}), not {tuple(X.shape)}")
        if self.training:
            if len(X) < 2:
                raise ValueError("training needs a batch of at least 2: one example has no spread")
            mean, var = X.mean(dim=0), X.var(dim=0, correction=0)
            with torch.no_grad():
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (X.var(dim=0) - self.running_var)  # divided by B - 1
        else:
            mean, var = self.running_mean, self.running_var
        return self.gamma * (X - mean) / torch.sqrt(var + self.eps) + self.beta


layer = BatchNorm(1)
layer(one)
print(f"after the batch 1, 3, 5: running mean {layer.running_mean.item():.3f}, variance {layer.running_var.item():.3f}")
print("in evaluation, 3 becomes", round(layer.eval()(torch.tensor([[3.0]])).item(), 3), "= (3 - 0.3) / √1.3")

# %% [markdown] slideshow={"slide_type": "notes"}
# Note that $\mu$ and $\sigma$ in training are **part of the graph**: the gradient also flows through them. (Under `no_grad` they would be constants, and the gradient wrong.)
#
# Against torch, in float64: 200 random cases with batches of 2 to 20, three batches each in training and one in evaluation. Compared are outputs, gradients by input, $\gamma$ and $\beta$, and the running statistics.

# %% tags=["long", "nbval-ignore-output"] slideshow={"slide_type": "skip"}
def largest_norm_difference(ours, theirs, g, shapes):
    """Largest difference in output, gradients and kept statistics; relative where numbers are large."""
    worst = {"output": 0.0, "gradient": 0.0, "statistics": 0.0}
    with torch.no_grad():
        for mine, torchs in ((ours.gamma, theirs.weight), (ours.beta, theirs.bias)):
            torchs.copy_(mine.copy_(torch.randn(mine.shape, generator=g, dtype=torch.float64)))
    for training, shape in shapes:
        x = (5 * torch.randn(shape, generator=g, dtype=torch.float64) + 2).requires_grad_()
        outputs = [module.train(training)(x) for module in (ours, theirs)]
        pull = torch.randn(outputs[0].shape, generator=g, dtype=torch.float64)
        grads = [torch.autograd.grad((out * pull).sum(), [x, *module.parameters()])
                 for out, module in zip(outputs, (ours, theirs), strict=True)]
        kept = [[b for b in module.buffers() if b.ndim] for module in (ours, theirs)]  # torch also counts its batches
        for what, (first, second) in {"output": zip(outputs), "gradient": grads, "statistics": kept}.items():
            for a, b in zip(first, second, strict=True):
                worst[what] = max(worst[what], ((a - b).abs() / b.abs().clamp(min=1)).max().item())
    return worst


g = torch.Generator().manual_seed(0)
worst_bn = {}
for case in range(200):
    B, features = 2 + case % 19, 1 + case % 7
    modes = [(True, (B, features))] * 3 + [(False, (1 + case % 3, features))]
    found = largest_norm_difference(BatchNorm(features).double(), nn.BatchNorm1d(features).double(), g, modes)
    worst_bn = {what: max(found[what], worst_bn.get(what, 0.0)) for what in found}
print("batch norm, largest differences:", {what: f"{v:.0e}" for what, v in worst_bn.items()})

# %% slideshow={"slide_type": "skip"}
assert max(worst_bn.values()) < 1e-9

# %% [markdown] slideshow={"slide_type": "notes"}
# Ours is `nn.BatchNorm1d`, up to rounding. From here on both words mean the same thing.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 10 · What a batch makes possible: mistakes
#
# In training mode an example's output depends on all others in the batch. Never before did examples meet! How much? The gradient of example 1's output by the *inputs* of the others:

# %% slideshow={"slide_type": "fragment"}
g = torch.Generator().manual_seed(3)
layer = BatchNorm(1).double()
x = torch.randn(6, 1, generator=g, dtype=torch.float64, requires_grad=True)
for mode in (True, False):
    (influence,) = torch.autograd.grad(layer.train(mode)(x)[0, 0], x)
    print("training  " if mode else "evaluation", [f"{v:.2f}" for v in influence.flatten().tolist()])

# %% [markdown] slideshow={"slide_type": "notes"}
# In training all six act on the first one's output, in evaluation only itself. This **coupling** has a good side: an example is seen in ever new company, a little noise that can help against overfitting (lesson 09). And it has a bad side: the most frequent mistake with batch norm is to forget `model.eval()`. What does it cost? We train a network with two hidden layers and test it in both modes.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def kaiming_layer(fan_in, fan_out, g):
    layer = nn.Linear(fan_in, fan_out)
    with torch.no_grad():
        layer.weight.copy_(kaiming_normal(fan_in, fan_out, g))
        layer.bias.zero_()
    return layer


def deep(depth, width=64, norm=None, seed=0):
    """Linear, perhaps a normalisation, ReLU: depth times. Then the output layer. All Kaiming."""
    g = torch.Generator().manual_seed(seed)
    parts = []
    for fan_in in [784] + [width] * (depth - 1):
        parts.append(kaiming_layer(fan_in, width, g))
        parts += [norm(width), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*parts, kaiming_layer(width, 10, g))  # one part after the other


model = train(deep(2, norm=BatchNorm), lr=0.3, epochs=2)
print(f"in evaluation mode: {accuracy(model):.1%} of 2,000 test digits right")

# %% slideshow={"slide_type": "skip"}
assert accuracy(model) > 0.87

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("08.train_left_on")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def accuracy_left_on(B, order=None):
    """Forgotten eval(): test digits in batches of B. Accuracy, and accuracy in evaluation mode afterwards."""
    forgetful = copy.deepcopy(model).train()  # a copy, since its running statistics will change
    order = torch.arange(2000) if order is None else order
    with torch.no_grad():
        right = sum((forgetful(X_test[rows]).argmax(dim=1) == y_test[rows]).sum().item() for rows in order.split(B))
    return right / 2000, accuracy(forgetful)


by_class = y_test[:2000].argsort(stable=True)  # all zeros first, then all ones, ...
left_on = {B: (*accuracy_left_on(B), *accuracy_left_on(B, by_class)) for B in (2, 8, 40, 200, 1000)}
print("batch   mixed digits   (eval afterwards)   sorted digits   (eval afterwards)")
for B, (mixed, after, in_order, after_order) in left_on.items():
    print(f"{B:5}   {mixed:12.1%}   {after:17.1%}   {in_order:13.1%}   {after_order:17.1%}")
try:
    accuracy_left_on(1)
except ValueError as problem:
    print("batch of 1:", problem)

# %% slideshow={"slide_type": "skip"}
assert left_on[2][0] < 0.6 < 0.85 < left_on[40][0] and left_on[1000][0] > 0.87
assert left_on[2][2] < 0.25 and left_on[40][2] < 0.3 and left_on[2][3] < left_on[2][1] - 0.05

# %% slideshow={"show": "output"}
sizes = list(left_on)
ax = plt.subplots(figsize=(8, 4.4))[1]
ax.axhline(100 * accuracy(model), color=plotting.COLORS["right"], label="model.eval()")
for column, order, role, style in ((0, "mixed", "class1", "o-"), (2, "sorted", "wrong", "s-")):
    values = [100 * left_on[B][column] for B in sizes]
    ax.plot(sizes, values, style, color=plotting.COLORS[role], label=f"train() left on, {order}")
ax.set(xscale="log", xlabel="size of the test batch", ylabel="accuracy, %", ylim=(0, 100))
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(loc="center", bbox_to_anchor=(0.5, 0.5))
ax.set_title("The same network, the same digits: only the company differs");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Accuracy over the size of the test batch. In evaluation mode a level line near 90%. With `train()` left on and mixed digits the curve begins at about 40% for pairs and reaches the line only for hundreds. With digits sorted by class it stays near guessing far longer.

# %% [markdown] slideshow={"slide_type": "subslide"}
# - **A batch of 1** cannot be normalised: an error, and a lucky one, since the others come without a word.
# - **Small batches**: mean and spread are guesses from two or eight digits.
# - **Sorted digits**: batch norm takes away what all digits of the batch have in common. If they are all sevens, that is their being sevens.
# - **It leaves traces**: the running statistics now stem from the test. Columns "eval afterwards": after sorted pairs the network stays spoiled in evaluation mode too, until it has seen training batches again.
#
# The mistake hides well: with large mixed batches one sees nothing. Note as well: **evaluation mode does not standardise the test batch**. It uses what was kept from training.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 11 · With batch norm, the learning rate can grow
#
# Six hidden layers of 64 units, one epoch (50 steps), Kaiming weights, learning rates from 0.01 to 10, three seeds. Once plain, once with batch norm. (Some six seconds.)

# %% slideshow={"show": "output"}
explore.predict("08.rate")

# %% slideshow={"slide_type": "subslide", "show": "output"}
grid = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
outcome = {}
for name, norm in (("plain", None), ("batch norm", BatchNorm)):
    runs = [[accuracy(train(deep(6, norm=norm, seed=seed), lr, seed=seed)) for lr in grid] for seed in range(3)]
    outcome[name] = torch.tensor(runs)  # (3, 7)
ax = plt.subplots(figsize=(8, 4.6))[1]
for (name, values), role, marker in zip(outcome.items(), ("wrong", "right"), "so", strict=True):
    ax.plot(grid, 100 * values.mean(dim=0), color=plotting.COLORS[role], label=name)
    ax.plot(grid * 3, 100 * values.flatten(), marker, color=plotting.COLORS[role], markersize=6, alpha=0.6)
ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy after one epoch, %", ylim=(0, 100))
ax.set_xticks(grid, [f"{lr:g}" for lr in grid])
ax.minorticks_off()
ax.legend()
ax.set_title("Batch norm widens the range of learning rates that work");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Accuracy over the learning rate; each dot is a seed, the lines are means. The plain network is best near 0.1, and at guessing from 1 on. With batch norm the curve lies higher everywhere, has a broad top from 0.3 to 3, and breaks down at 10.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
best, highest = {}, {}
for name, values in outcome.items():
    mean = values.mean(dim=0)
    best[name] = grid[int(mean.argmax())], mean.max().item()
    highest[name] = max(lr for lr, m in zip(grid, mean.tolist(), strict=True) if m > mean.max() - 0.1)
    print(f"{name:10} best at lr {best[name][0]:g}: {best[name][1]:.0%}; within ten points of it up to lr {highest[name]:g}")
print(f"the learning rate can grow by a factor of {highest['batch norm'] / highest['plain']:.0f}")

# %% slideshow={"slide_type": "skip"}
assert highest["batch norm"] / highest["plain"] > 9.9 and best["batch norm"][1] > best["plain"][1] + 0.1

# %% [markdown] slideshow={"slide_type": "notes"}
# The rate could grow by a factor of ten to thirty here (our grid has steps of about three; another depth or another seed moves it), and the result after one epoch is better by more than ten points. Why? If a step makes the weights of a layer too large, what comes out of it is normalised all the same: too long a step is no catastrophe. And larger weights get *smaller* gradients (the right half of the picture in section 8), so the layer brakes itself.

# %% [markdown] slideshow={"slide_type": "notes"}
# The original paper (Ioffe and Szegedy, 2015) explained it by *internal covariate shift*: the layers below change what the layers above receive. Later experiments (Santurkar and others, 2018) added such shifts on purpose, and it still worked: they found that batch norm makes the loss **smoother** instead. What it does is beyond doubt; why, is still being discussed.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 12 · Layer normalisation
#
# The same formula along the **row**: mean and variance over the units of one example, then $\gamma$ and $\beta$ for each unit. By hand: one example with $z = 1, 3, 5, 7$: mean 4, variance $(9 + 1 + 1 + 9)/4 = 5$, so $\hat z = -1.34, -0.45, 0.45, 1.34$.
#
# No batch, so: no coupling, no running statistics, no difference between training and evaluation, and a batch of one is fine. The shape may be $(B, \text{units})$ or, as in lesson 15, $(B, T, d_\text{model})$: it is always the last axis.
#
# **Exercise [08.layer_norm](exercises/08_initialization.ipynb)** ●● Which axis, and what must be kept so that shapes fit? (Then ours.)

# %% slideshow={"slide_type": "subslide"}
class LayerNorm(nn.Module):
    """Standardise each example over its own features, then scale and shift."""

    def __init__(self, features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features))

    def forward(self, X):  # (..., features)
        if X.shape[-1] != len(self.gamma):
            raise ValueError(f"X must have shape (..., {len(self.gamma)}), not {tuple(X.shape)}")
        mean = X.mean(dim=-1, keepdim=True)
        var = X.var(dim=-1, correction=0, keepdim=True)
        return self.gamma * (X - mean) / torch.sqrt(var + self.eps) + self.beta


print([round(v, 2) for v in LayerNorm(4)(torch.tensor([1.0, 3.0, 5.0, 7.0])).tolist()])

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
g = torch.Generator().manual_seed(0)
worst_ln = {}
for case in range(200):
    features = 2 + case % 7
    shapes = ((1 + case % 5, features), (features,), (2, 3, features))
    modes = [(training, shape) for training in (True, False) for shape in shapes]
    found = largest_norm_difference(LayerNorm(features).double(), nn.LayerNorm(features).double(), g, modes)
    worst_ln = {what: max(found[what], worst_ln.get(what, 0.0)) for what in found}
print("layer norm, largest differences:", {what: f"{v:.0e}" for what, v in worst_ln.items() if what != "statistics"})

# %% slideshow={"slide_type": "skip"}
assert max(worst_ln.values()) < 1e-9

# %% [markdown] slideshow={"slide_type": "subslide"}
# | | batch norm | layer norm |
# |---|---|---|
# | mean and variance over | examples, for each unit | units, for each example |
# | needs a batch | yes, not too small | no |
# | training and evaluation | differ | are the same |
# | keeps | running mean, variance | nothing |
# | parameters | 2 per unit | 2 per unit |
# | home | convolutional networks (12) | transformers (15) |
#
# There is a price: layer norm makes all examples equally large. In the table of section 7, unit 2 drowned the others in every row.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 13 · Shortcuts: a first look
#
# A third remedy, as simple as it is strong. Let a layer not *replace* its input, but **add** to it (He and others, 2016, with $c = 1$):
#
# $$a_\text{next} = a + c \cdot f(a)$$
#
# The path on which $a$ goes by is a **residual shortcut**; $f$ is a layer as before, and what it computes is the *residue*, the change. Backwards, the slope is $1 + c f'$: whatever $f$ does, the gradient has a way on which nothing is lost. By hand with 20 layers whose slope is 0.5: plain $0.5^{20} = 0.000001$; with shortcuts and $c = 0.1$, $(1 + 0.05)^{20} = 2.65$.

# %% [markdown] slideshow={"slide_type": "subslide"}
# But the sums grow. If $f(a)$ is as large as $a$ and independent of it, mean squares add: $1 + c^2$ per layer. With $c = 1$ the mean square doubles each time. With $c = 1/\sqrt{\text{depth}}$ it stays below $(1 + 1/20)^{20} = 2.65$, if only all were independent. Measure:

# %% slideshow={"slide_type": "fragment", "show": "output"}
def shortcut_spreads(c, depth=20, width=100, seed=0):
    """RMS of the activations and of the gradients at them, with a + c · relu(W a) in each layer."""
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(256, width, generator=g, dtype=torch.float64, requires_grad=True)
    kept = []
    for _ in range(depth):
        a = a + c * torch.relu(a @ kaiming_normal(width, width, g).double().T)
        a.retain_grad()
        kept.append(a)
    a.backward(torch.randn(a.shape, generator=g, dtype=torch.float64))
    return [[t.detach().square().mean().sqrt().item() for t in row] for row in (kept, [a.grad for a in kept])]


for c, name in ((1.0, "1"), (20**-0.5, "1/√20"), (1 / 20, "1/20"), (0.0, "0")):
    acts, grads = shortcut_spreads(c)
    print(f"c = {name:6} activations at layer 20: {acts[-1]:9.2g}   gradient at layer 1: {grads[0]:7.2g}")

# %% slideshow={"slide_type": "skip"}
assert shortcut_spreads(1.0)[0][-1] > 1000 and 1 < shortcut_spreads(20**-0.5)[1][0] < 4

# %% [markdown] slideshow={"slide_type": "fragment"}
# With $c = 1$ it explodes: **shortcuts alone are no licence for any size**. With $1/\sqrt{20}$ both directions stay within a small factor. ($f(a)$ after ReLU is never negative, hence more growth forwards than if it were independent.) In practice one uses a normalisation inside $f$. Or $f$ has two layers, ends without ReLU, and its last weights begin at zero: then $c \cdot f = 0$, and the network starts as the identity. Section 1 told you why that is allowed.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now the map of section 6 again, with each remedy. Same networks, same steps, same learning rates. (Some six seconds.)
#
# **Predict.** Which of the two will make the 16 layers trainable? At all scales?

# %% slideshow={"slide_type": "fragment", "show": "output"}
def with_batch_norm(a, W, k, depth):
    z = a @ W  # (27, 50, out): the batch is axis 1
    z = z - z.mean(dim=1, keepdim=True)
    return torch.relu(z / torch.sqrt(z.square().mean(dim=1, keepdim=True) + 1e-5))


def with_shortcut(a, W, k, depth):
    return a + torch.relu(a @ W) / math.sqrt(depth) if k else torch.relu(a @ W)  # the first layer goes from 49 to 32


maps = {"plain": plain_map}
for name, layer in {"batch norm": with_batch_norm, "shortcuts": with_shortcut}.items():
    maps[name] = torch.stack([train_27(depth, layer) for depth in depths], dim=1)
fig, axes = plt.subplots(1, 3, figsize=(12, 5), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, maps.items(), strict=True):
    image = draw_map(ax, values, name)
axes[0].set_ylabel("weights, times Kaiming")
fig.colorbar(image, ax=axes, label="accuracy after 120 steps, %")
fig.suptitle("Batch norm forgives the scale, shortcuts forgive the depth");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three maps. Left the plain one, with its narrowing wedge. In the middle batch norm: up to 8 layers every row learns; it gets worse towards the top, where weights are large, and in the last column, 16 layers, where the top corner is dim. On the right shortcuts: the lowest three rows are bright through all columns, above 80% at 16 layers too; the upper right corner is dark.

# %% slideshow={"slide_type": "skip"}
assert maps["batch norm"][:, 2].min() > 0.5 and maps["batch norm"][:, 3].min() > 0.35 > maps["plain"][0, 3]
assert maps["shortcuts"][:4, 4].min() > 0.6 and maps["shortcuts"][[7, 8], 4].max() < 0.3

# %% [markdown] slideshow={"slide_type": "notes"}
# The two mend different things. Batch norm makes the **scale** far less important. The top rows are dimmer because large weights have small gradients with it, and our rates end at 0.2: set `rates = [0.2, 1.0, 5.0]`, and the rows of a column become nearly alike. But 16 layers still learn more slowly than 4; that their gradients grow backwards is one reason. Shortcuts make the **depth** harmless as long as the weights are small: at 16 layers, twice Kaiming is already too much.

# %% [markdown] slideshow={"slide_type": "notes"}
# Look at their lowest row: about 85% at any depth, like a single layer. With small weights each $f$ adds little, so the network *is* a shallow one at first, and may become deeper as it learns. That is the trick. The deep networks of lessons 12 and 15 use shortcuts and normalisation together.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 14 · Which one when
#
# | your network | weights | and |
# |---|---|---|
# | plain, ReLU and its relatives | Kaiming | biases 0 |
# | plain, tanh | Xavier, gain 1 to 5/3 | biases 0 |
# | two or three layers | `nn.Linear`'s own will do | |
# | convolutional, deep | Kaiming | batch norm, shortcuts |
# | transformer | Xavier or small normal | layer norm, shortcuts |
# | tiny batches, or examples one by one | | layer norm rather than batch norm |
#
# And a habit: before a long training, send one batch through, print the spread of activations and gradients layer by layer, and compare the first loss with $\log k$.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - Equal units get equal gradients and stay equal: after training from zeros or from equal weights the rank is 0 or 1, with batch norm too. Biases may start at zero, and one layer among random ones.
# - Mean squares: × fan-in · Var(w) forwards, × fan-out · Var(w) backwards, × ½ for ReLU. Kaiming: 2 / fan-in. Xavier: gain² · 2 / (fan-in + fan-out).
# - Over 20 layers a factor that is slightly wrong becomes exponential. Look at activations **and** gradients: saturated tanh hides an explosion. `nn.Linear`'s default loses more than half per layer under ReLU.
# - Batch norm: the batch's statistics in training, the running ones in evaluation. Forget `eval()`, and answers depend on the company. Layer norm: each example for itself, no modes.
# - Batch norm forgives the scale and allowed a learning rate at least ten times as large; shortcuts with small weights forgive the depth. Neither breaks a symmetry.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A layer has 200 inputs and 50 units and is followed by ReLU. What variance do Kaiming and Xavier (gain 1) give its weights?</summary>
#
# Kaiming: 2/200 = 0.01. Xavier: 2/(200 + 50) = 0.008.
# </details>
#
# <details><summary>2. Someone sets all weights to 0.1 and all biases to random numbers. Do the hidden units stay equal?</summary>
#
# No: the biases break the symmetry, at first only a little. It is still a bad start: all weights agree, so $z$ does not cancel, and the units look at the same sum of the inputs.
# </details>
#
# <details><summary>3. A 30-layer tanh network has activations of spread 0.97 everywhere, and does not learn. What do you look at?</summary>
#
# The gradients, layer by layer. 0.97 means that nearly all units are saturated: weights far too large.
# </details>
#
# <details><summary>4. Test accuracy is 91% with batches of 500 and 45% with batches of 2. What is wrong?</summary>
#
# `model.eval()` is missing. In evaluation mode the batch size makes no difference.
# </details>
#
# <details><summary>5. All weights of a layer before batch norm are multiplied by 10. What happens to the output, and to the gradient of these weights?</summary>
#
# The output stays the same (but for $\varepsilon$). The gradient becomes a tenth, while the weights are ten times as long: the same learning rate now turns them a hundred times less.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/08_initialization.ipynb](exercises/08_initialization.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 08.same_units | how many different units has a layer? | ● |
# | 08.xavier_uniform | the middle of fan-in and fan-out | ●● |
# | 08.kaiming_normal | weights for ReLU | ●● |
# | 08.batch_norm_train | the batch's statistics, and what is kept of them | ●●● |
# | 08.batch_norm_eval | the running statistics | ● |
# | 08.layer_norm | each example for itself | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# Now networks learn, even deep ones. Too well: they can learn their training digits by heart. [Lesson 09](09_regularization.ipynb) shows how one sees that, and what helps.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# (The sections are those of this lesson.)
#
# - X. Glorot, Y. Bengio (2010). *Understanding the difficulty of training deep feedforward neural networks.* Section 4; its layer-by-layer pictures are the model for section 5.
# - K. He, X. Zhang, S. Ren, J. Sun (2015). *Delving deep into rectifiers.* Section 3.
# - S. Ioffe, C. Szegedy (2015). *Batch normalization: accelerating deep network training by reducing internal covariate shift.*
# - J. L. Ba, J. R. Kiros, G. E. Hinton (2016). *Layer normalization.*
# - K. He, X. Zhang, S. Ren, J. Sun (2016). *Deep residual learning for image recognition.* Section 13.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry (2018). *How does batch normalization help optimization?* And G. Yang and others (2019). *A mean field theory of batch normalization.* Sections 11 and 8.
