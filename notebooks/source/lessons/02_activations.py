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
# # 02 · The bend that makes depth worth it
#
# **The question:** Why must something bend between two layers, and which bend should it be?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - show that a stack of linear layers can do no more than one;
# - compute the common activations and their slopes, and say where each saturates;
# - explain why the gradient vanishes in some deep networks and measure it layer by layer;
# - recognise dead ReLU units and say what brings them about;
# - turn scores into probabilities with softmax without overflow, and choose the right activation for each place.
#
# **Needs:** [lesson 01](01_perceptron.ipynb) · **Read:** 50 minutes · **Run:** 20 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from utils import explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · Without a bend, depth is worth nothing
#
# In lesson 01 two layers of neurons solved XOR where one could not. There was a step between the layers. Suppose we leave it out and just
# pass the weighted sums on. With one number in and one number out:
#
# $$\text{first layer: } h = 2x + 1 \qquad \text{second layer: } y = 3h + 4$$
#
# Put one into the other: $y = 3(2x + 1) + 4 = 6x + 7$. That is a single layer with weight 6 and bias 7. The second layer has bought us nothing.

# %% [markdown] slideshow={"slide_type": "subslide"}
# With matrices it goes just the same. In three lines:
#
# $$\begin{aligned} y &= W_2\,(W_1 x + b_1) + b_2 \\ &= (W_2 W_1)\,x + (W_2 b_1 + b_2) \\ &= W x + b \end{aligned}$$
#
# The product of two matrices is a matrix. A layer between input and output is called **hidden**, and its neurons **units**. It may have a thousand units, and there may be fifty such layers: as long as all of them are linear, one layer does
# the same. Let us see it in numbers, in float64 so that rounding stays out of the way.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
X = torch.randn(5, 3, dtype=torch.float64)  # (B, in)
W1, b1 = torch.randn(100, 3, dtype=torch.float64), torch.randn(100, dtype=torch.float64)
W2, b2 = torch.randn(2, 100, dtype=torch.float64), torch.randn(2, dtype=torch.float64)

two_layers = (X @ W1.T + b1) @ W2.T + b2  # (B, 2)
W, b = W2 @ W1, W2 @ b1 + b2  # (2, 3), (2,)
one_layer = X @ W.T + b  # (B, 2)
print("numbers in two layers:", W1.numel() + b1.numel() + W2.numel() + b2.numel(), " in one:", W.numel() + b.numel())
difference = (two_layers - one_layer).abs().max().item()
print("largest difference   :", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-12

# %% [markdown] slideshow={"slide_type": "subslide"}
# 602 numbers did the work of 8. The difference is rounding.
#
# **Exercise [02.collapse](exercises/02_activations.ipynb)** ●● Collapse two layers into one. Mind the first bias.
#
# Now the smallest possible bend: **ReLU**, the rectified linear unit, which lets positive numbers through and turns negative ones into 0. Two of them and a sum give something
# no straight line can do:

# %% slideshow={"slide_type": "fragment"}
x = torch.linspace(-3, 3, 7)
print("x                  ", x.tolist())
print("relu(x) + relu(-x) ", (torch.relu(x) + torch.relu(-x)).tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# That is $|x|$, a line with a corner. Every further unit can add a corner where it likes, and with enough corners one can follow any continuous curve as closely as one likes ([lesson 04](04_mlp.ipynb) does). The function
# between the layers is called the **activation function**: it takes the **pre-activation** $z$ and gives the **activation** $a$.
#
# So something must bend. Does it matter what?

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 15}
# ## 2 · The family
#
# Nine functions that you will meet. Each works on one number at a time, whatever the shape of the tensor.
#
# | name | value | |
# |---|---|---|
# | identity | $z$ | no bend at all |
# | step | 1 if $z \ge 0$ else 0 | lesson 01 |
# | sigmoid | $\sigma(z) = 1/(1+e^{-z})$ | squeezes into (0, 1) |
# | tanh | $(e^z - e^{-z})/(e^z + e^{-z})$ | squeezes into (−1, 1) |
# | ReLU | $\max(0, z)$ | one corner |
# | leaky ReLU | $z$ if $z > 0$ else $0.01z$ | a corner with a leak |
# | ELU | $z$ if $z > 0$ else $e^z - 1$ | a soft leak, to −1 |
# | GELU | $z \cdot \Phi(z)$ | $z$ times the share of a normal distribution below $z$ |
# | SiLU (swish) | $z \cdot \sigma(z)$ | $z$ times the sigmoid |

# %% [markdown] slideshow={"slide_type": "notes"}
# In code: `torch.where(condition, a, b)` takes $a$ where the condition holds and $b$ elsewhere, number by number. `torch.erf` gives $\Phi$, the share of a normal distribution below $z$: $\Phi(z) = \frac12\,(1 + \text{erf}(z / \sqrt 2))$.

# %% slideshow={"slide_type": "subslide"}
functions = {
    "identity": lambda z: z,
    "step": lambda z: (z >= 0).to(z.dtype),
    "sigmoid": lambda z: 1 / (1 + torch.exp(-z)),
    "tanh": lambda z: (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z)),
    "ReLU": lambda z: torch.where(z > 0, z, 0.0),
    "leaky ReLU": lambda z: torch.where(z > 0, z, 0.01 * z),
    "ELU": lambda z: torch.where(z > 0, z, torch.exp(z) - 1),
    "GELU": lambda z: z * 0.5 * (1 + torch.erf(z / math.sqrt(2))),
    "SiLU": lambda z: z / (1 + torch.exp(-z)),
}

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand against torch, on 1,001 numbers from −8 to 8:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
z = torch.linspace(-8, 8, 1001, dtype=torch.float64)
by_torch = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "ReLU": F.relu, "leaky ReLU": F.leaky_relu}
by_torch |= {"ELU": F.elu, "GELU": F.gelu, "SiLU": F.silu}
for name, f in by_torch.items():
    difference = (functions[name](z) - f(z)).abs().max().item()
    print(f"{name:10} largest difference {difference:.1e}")

# %% slideshow={"slide_type": "skip"}
assert all((functions[name](z) - f(z)).abs().max() < 1e-12 for name, f in by_torch.items())

# %% [markdown] slideshow={"slide_type": "notes"}
# Look at each as a pair: the function, and below it its **slope**, the derivative. The slope is what learning feels. By the chain rule the slope of $f(g(x))$ is the slope of $f$, taken at $g(x)$, times the slope of $g$, so in a network the gradient of
# the loss is multiplied by the slope of every unit it comes through, from the output **back** to the input. torch finds slopes for us.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def slope(f, z):
    """The derivative of f at every z, by torch."""
    z = z.clone().requires_grad_()
    y = f(z)
    if not y.requires_grad:  # the step: flat everywhere, so torch has nothing to follow
        return torch.zeros_like(z)
    return torch.autograd.grad(y.sum(), z)[0]


shown = ["step", "sigmoid", "tanh", "ReLU", "leaky ReLU", "ELU", "GELU", "SiLU"]
fig, axes = plt.subplots(4, 4, figsize=(12, 9.5), sharex=True, layout="constrained")
for k, name in enumerate(shown):
    top, bottom = axes[2 * (k // 4), k % 4], axes[2 * (k // 4) + 1, k % 4]
    top.plot(z, functions[name](z), color=plotting.COLORS["class1"])
    bottom.plot(z, slope(functions[name], z), color=plotting.COLORS["gradient"])
    top.set(title=name, ylim=(-1.6, 3.2), xlim=(-6, 6))
    bottom.set(ylim=(-0.25, 1.25), yticks=[0, 0.5, 1])
for row, label in enumerate(["value", "slope", "value", "slope"]):
    axes[row, 0].set_ylabel(label)
fig.supxlabel("pre-activation $z$");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Eight functions in two rows, each with its slope below. The step's slope is zero (at the jump it has none). Sigmoid and tanh have a slope only in a hill around zero. ReLU's slope is a
# step from 0 to 1; the leaky one's stays just above 0; ELU, GELU and SiLU round the corner off, and the slopes of the last two even rise a little above 1.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### What to look for
#
# Four properties decide what a function is good for: its **range**; whether it is **zero-centred** (gives negative values as readily as positive ones); its **largest slope**; and whether it
# **saturates**, that is, goes flat so that its slope is nearly zero. We measure them, rather than look them up:

# %% slideshow={"slide_type": "fragment", "show": "output"}
wide = torch.linspace(-30, 30, 60001, dtype=torch.float64)
print("             lowest  highest  largest slope  slope at -6    at +6")
for name, f in functions.items():
    y, s = f(wide), slope(f, wide)
    at = [s[(wide - v).abs().argmin()].item() for v in (-6, 6)]
    print(f"{name:11} {y.min():7.2f}  {y.max():7.2f}  {s.max():13.3f}  {at[0]:11.4f}  {at[1]:7.4f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Read it line by line. (−30 and 30 are only the ends of what we tried: ReLU has no upper bound.) The largest slope of the sigmoid is **0.25**, of tanh **1**. At $|z| = 6$ the sigmoid's slope is 0.0025: a
# hundredth of its best. From there on it is as good as flat; it is saturated. ReLU never saturates on the right and is perfectly flat on the left. GELU and SiLU dip slightly below zero, to −0.17 and −0.28.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [02.tanh_from_sigmoid](exercises/02_activations.ipynb)** ● tanh is a sigmoid in disguise.
#
# **Exercise [02.leaky_relu](exercises/02_activations.ipynb)** ● Which side leaks?

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### A slope for free
#
# The sigmoid's slope can be had from its **output** alone: $\sigma'(z) = a\,(1 - a)$ with $a = \sigma(z)$. Numbers: at $z = 0$, $a = 0.5$ and the slope is $0.5 \cdot 0.5 = 0.25$. At $z = 2$, $a = 0.88$ and the slope
# is $0.88 \cdot 0.12 \approx 0.105$. For tanh it is $1 - a^2$. This saves work: a network has kept $a$ anyway.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
a = torch.sigmoid(z)
print("sigmoid, largest difference:", (a * (1 - a) - slope(torch.sigmoid, z)).abs().max().item())
a = torch.tanh(z)
print("tanh,    largest difference:", (1 - a**2 - slope(torch.tanh, z)).abs().max().item())

# %% slideshow={"slide_type": "skip"}
assert (1 - a**2 - slope(torch.tanh, z)).abs().max() < 1e-12

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [02.sigmoid_slope](exercises/02_activations.ipynb)** ● The slope from the output.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: slide along the bend
#
# *How much of the gradient gets through?* Pick a function and slide $z$. The straight line is the **tangent**: its steepness is the slope. Below, the same slope is passed through $n$ layers, one after the other.
#
# - **Try** the sigmoid at $z = 0$, its best place, with ten layers.
# - **Notice** the shaded zones where the function is saturated, and how the bars fall there.
# - **Challenge:** keep at least half of the gradient through 20 layers of tanh. How near to zero must $z$ stay?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.activation()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A function with its tangent at $z$, its slope curve underneath, and a row of bars that shows how much of a gradient of 1 is left after each layer, on a logarithmic scale.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 10}
# ## 3 · Twenty layers deep
#
# A gradient on its way back through a network is multiplied at every layer, by the slope of the activation (and by the weights). Twenty numbers well below one multiplied make next to nothing:
# $0.25^{20} \approx 10^{-12}$. The layers near the input then learn nothing. This is the **vanishing gradient**, one of the reasons why deep networks were so hard to train until about 2010.
#
# The explorer assumed the same $z$ in every layer. Does it happen in a real network? We build one of 20 layers with 64 units each, random weights of size $1/\sqrt{64}$, send 256 random inputs through it and
# a random gradient back, and measure how large it is at each layer.

# %% slideshow={"slide_type": "subslide"}
def gradient_per_layer(f, gain=1.0, depth=20, width=64, seed=0):
    """Root mean square of the gradient at the pre-activations of each layer, first layer first."""
    torch.manual_seed(seed)
    a, zs = torch.randn(256, width), []
    for _ in range(depth):
        W = torch.randn(width, width) * gain / math.sqrt(width)  # gain: a factor on all weights
        z = a @ W.T  # (256, 64)
        z.requires_grad_() if not zs else z.retain_grad()  # torch is to keep the gradient that arrives here
        zs.append(z)
        a = f(z)
    a.backward(torch.randn(a.shape))  # send a random gradient in at the end: it fills every z.grad
    return [z.grad.square().mean().sqrt().item() for z in zs]

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("02.gradient")

# %% slideshow={"slide_type": "subslide", "show": "output"}
six = {name: by_torch[name] for name in ("sigmoid", "tanh", "ReLU", "leaky ReLU", "GELU", "SiLU")}
at_gain_1 = {name: gradient_per_layer(f) for name, f in six.items()}
ax = plotting.plot_layers(at_gain_1, backward=True)
ax.set(xlabel="layer, from the last back to the first", ylabel="size of the gradient")
ax.set_title("Sigmoid's gradient is gone; ReLU's shrinks, too");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Six lines on a logarithmic axis, all starting between 0.2 and 1 at layer 20 on the left. On the way back to layer 1, sigmoid falls steeply to about $10^{-13}$, GELU and SiLU to $10^{-6}$, ReLU
# and leaky ReLU to $10^{-3}$. tanh hardly falls at all.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def kept(f, gain):
    """Share of the gradient that reaches layer 1 from layer 20, for five random networks."""
    runs = [gradient_per_layer(f, gain, seed=seed) for seed in range(5)]
    return [run[0] / run[-1] for run in runs]


shares = {name: kept(f, 1.0) for name, f in six.items()}
for name, s in shares.items():
    per_layer = (sum(s) / 5) ** (1 / 19)
    print(f"{name:10}  kept over 19 layers: {min(s):.1e} to {max(s):.1e}   per layer: x {per_layer:.2f}")

# %% slideshow={"slide_type": "skip"}
assert max(shares["sigmoid"]) < 1e-11 < 1e-4 < min(shares["ReLU"]) < max(shares["ReLU"]) < 0.01
assert min(shares["tanh"]) > 0.1

# %% [markdown] slideshow={"slide_type": "fragment"}
# Sigmoid loses at least three quarters at every layer: 0.25 and no more is what it can pass on. But **ReLU loses as well**, about three tenths per layer, although its slope is 1. Why? On half of the units its slope is
# 0. With half of the squares gone the size shrinks by $\sqrt{1/2} \approx 0.71$, and that is just what we measured.
#
# This is the misconception to lose here: *"ReLU cures the vanishing gradient"*. It does so only with weights that make up for the missing half. They must be $\sqrt 2$ times as large:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
wider = {name: kept(f, math.sqrt(2)) for name, f in six.items()}
for name, s in wider.items():
    print(f"{name:10}  weights x 1.41, kept over 19 layers: {min(s):.1e} to {max(s):.1e}")

# %% slideshow={"slide_type": "skip"}
assert min(wider["ReLU"]) > 0.2 and max(wider["ReLU"]) < 5 and max(wider["sigmoid"]) < 1e-9
assert min(wider["tanh"]) > 1 and max(wider["SiLU"]) < 1

# %% [markdown] slideshow={"slide_type": "fragment"}
# With larger weights ReLU and its leaky sister carry the gradient through twenty layers nearly unchanged, and tanh now even doubles it. GELU and SiLU lie between. No such luck
# for the sigmoid: less than a billionth is left. **The bend and the size of the weights belong together**: each activation has a scale that suits it. Lesson 08 derives the $\sqrt 2$ and sets up
# networks by it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 4 · Always positive is a handicap
#
# The sigmoid has a second fault. Its outputs are all positive. Take a unit of the next layer with inputs $a_1, a_2, \dots$ all positive. The gradient for its weight $w_i$ is (error of the unit) · $a_i$, as the $(p - y)\,x$ of lesson 01. The error is the same for all of them, so for one example **all
# its weights want to move in the same direction**: all up or all down. To raise one and lower another it has to go in zigzags. (Averaged over a batch the handicap is milder.)

# %% [markdown] slideshow={"slide_type": "notes"}
# tanh is zero-centred and free of this. We take 1,000 random units with eight inputs each and count for how many all eight weight gradients share a sign.

# %% slideshow={"slide_type": "fragment"}
torch.manual_seed(0)
z = torch.randn(1000, 8)
error = torch.randn(1000, 1)
for name in ("sigmoid", "tanh", "ReLU", "leaky ReLU"):
    gradients = error * by_torch[name](z)  # (1000, 8): one row of weight gradients per unit
    same_sign = (gradients >= 0).all(1) | (gradients <= 0).all(1)
    print(f"{name:10} all weights pushed the same way: {same_sign.float().mean():.1%}")

# %% [markdown] slideshow={"slide_type": "notes"}
# For sigmoid always, for tanh about as often as eight coins fall on the same side, $2/2^8 = 0.8\%$. ReLU is as one-sided as the sigmoid: it never pushes two weights of a unit in opposite directions, either; it
# merely leaves many of them alone. It is used all the same, since its other advantages weigh more. "Not zero-centred" is a handicap, not a verdict.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 5 · Sleeping and dead units
#
# ReLU gives exactly 0 for half of all random inputs. Many zeros are called **sparsity**, and they are welcome: each unit answers to some inputs and keeps quiet on others.
#
# It is another matter if a unit is 0 for **every** input there is. Its slope is then 0 for every input, so its weights get no gradient, so they never change. The unit is **dead**, and as long as the numbers that come in
# stay the same, it stays dead. Note the difference: *zero outputs* are counted per number, *dead units* per column.

# %% slideshow={"slide_type": "fragment"}
a = torch.tensor([[0.0, 1.2, 0.0], [0.0, 0.0, 0.7], [0.0, 3.1, 0.0], [0.0, 0.4, 0.0]])  # (4 inputs, 3 units)
print(f"zero outputs: {(a == 0).float().mean():.0%}")
print(f"dead units  : {(a == 0).all(dim=0).float().mean():.0%}  (unit 0 only)")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Exercise [02.dead_fraction](exercises/02_activations.ipynb)** ●● Count the dead.
#
# What kills units? One step with far too large a learning rate is enough. Our network has 50 hidden units and learns the curve $\sin 2x + 3$ from 100 points. We take **one** step with `lr` = 1 (a hundred times larger than the rest), then 1,000
# ones with 0.01, and count the units which are silent on all 100 points.

# %% slideshow={"slide_type": "skip"}
def silent_units(f, first_lr, seed):
    """Train a 1-50-1 network, first step with first_lr, then 1000 with 0.01.

    Returns the silent units at the start, after two steps and at the end, the worst loss and the last.
    """
    torch.manual_seed(seed)
    x = torch.linspace(-2, 2, 100)[:, None]  # (100, 1)
    y = torch.sin(2 * x) + 3
    net = [torch.nn.Linear(1, 50), torch.nn.Linear(50, 1)]
    parameters = [p for layer in net for p in layer.parameters()]
    silent, worst = [], 0.0
    for lr in [first_lr] + 1000 * [0.01]:
        z = net[0](x)  # (100, 50)
        silent.append((z <= 0).all(dim=0).sum().item())
        loss = ((net[1](f(z)) - y) ** 2).mean()
        worst = max(worst, loss.item())
        with torch.no_grad():
            for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                p -= lr * g
    return silent[0], silent[2], silent[-1], worst, loss.item()

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Predict.** Three runs each: ReLU with a good first step; ReLU with the bad one; leaky ReLU with the bad one, at the usual leak of 0.01 and at a wider one of 0.1. Where will units fall silent, and who will learn the curve all the same?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
contestants = {
    "ReLU, good first step": (torch.relu, 0.01),
    "ReLU, bad first step": (torch.relu, 1.0),
    "leaky 0.01, bad first step": (lambda z: F.leaky_relu(z, 0.01), 1.0),
    "leaky 0.1, bad first step": (lambda z: F.leaky_relu(z, 0.1), 1.0),
}
outcome = {}
for name, (f, first_lr) in contestants.items():
    outcome[name] = torch.tensor([silent_units(f, first_lr, seed) for seed in range(3)])  # (3, 5)
    start, two, end, worst, loss = outcome[name].T
    print(f"{name}: silent at the start {start.int().tolist()}, after two steps {two.int().tolist()}, "
          f"at the end {end.int().tolist()};\n    worst loss {worst.int().tolist()}, "
          f"last {[round(v, 3) for v in loss.tolist()]}")

# %% slideshow={"slide_type": "skip"}
two = {name: result[:, 1].mean().item() for name, result in outcome.items()}
after = {name: result[:, 2].mean().item() for name, result in outcome.items()}
loss = {name: result[:, 4].mean().item() for name, result in outcome.items()}
assert two["ReLU, bad first step"] > 20 > 15 > two["ReLU, good first step"]
assert after["ReLU, bad first step"] > 35 > 25 > after["ReLU, good first step"]
assert loss["leaky 0.1, bad first step"] < loss["leaky 0.01, bad first step"] < loss["ReLU, bad first step"]

# %% [markdown] slideshow={"slide_type": "fragment"}
# A few units are silent from the start: their corner happens to lie beyond all points, and they face away. After the bad step the loss shot up into the thousands. The next step followed a gradient just as huge and pushed about twenty units over the edge, and more came after them: at the
# end 43 to 48 of 50 were silent, and the loss stayed at 0.26 to 0.41. The best constant would get 0.44 (the variance of the curve).

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now the folklore: *"leaky ReLU prevents dead units."* Measured: with the usual leak of 0.01 nearly as many units ended up on the flat side, and it helped little. With a leak of 0.1 it was still 30 to 38 of 50, but enough came through to learn most of the curve in each of the three runs. A leak keeps few
# units awake. It lets the sleeping ones go on learning, as fast as it is wide. Best of all is not to take the bad step.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 6 · Right value, wrong gradient
#
# Computers hold numbers up to about $3 \cdot 10^{38}$ in float32. $e^{89}$ is larger: it **overflows** to infinity, `inf`. And `inf / inf` has no value: `nan`, "not a number", which infects everything that it touches.
#
# There are two ways to write the sigmoid that are equal on paper. Try both far out:

# %% slideshow={"slide_type": "fragment"}
z = torch.tensor([-1000.0, -100.0, 0.0, 100.0, 1000.0])
print("1 / (1 + exp(-z))     ", [f"{a:.1f}" for a in 1 / (1 + torch.exp(-z))])
print("exp(z) / (1 + exp(z)) ", [f"{a:.1f}" for a in torch.exp(z) / (1 + torch.exp(z))])
print("torch.sigmoid         ", [f"{a:.1f}" for a in torch.sigmoid(z)])

# %% [markdown] slideshow={"slide_type": "subslide"}
# The second form breaks, the first looks fine: $1/(1 + \infty)$ is 0, as it should be. So is it safe? Ask for its **slope**:

# %% slideshow={"slide_type": "fragment", "show": "output"}
for name, f in {"1 / (1 + exp(-z))": lambda z: 1 / (1 + torch.exp(-z)), "torch.sigmoid": torch.sigmoid}.items():
    print(f"slope of {name:18}", [f"{s:.2f}" for s in slope(f, z)])

# %% [markdown] slideshow={"slide_type": "notes"}
# On the way back torch multiplies the slopes of the pieces: `inf` from the exponential times `0` from the division is `nan`. As soon as one $z$ falls below about −89, a network with this sigmoid would print a healthy loss once more, and nothing but `nan` from then on. The remedy is to pick, for each number, the form whose exponential cannot overflow:
# $e^{-|z|}$ never does.
#
# **Exercise [02.sigmoid](exercises/02_activations.ipynb)** ●● A sigmoid that holds at ±1000. (Its check looks at every step on the way, not only at the
# result: nothing may overflow.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 7 · Softmax: scores into shares
#
# All functions so far look at one number at a time. **Softmax** looks at a whole row of scores, called **logits**, and turns it into shares that are positive and add up to one:
#
# $$\text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# By hand for $z = (2, 1, 0)$: the exponentials are 7.39, 2.72 and 1, together 11.11. The shares are 0.67, 0.24 and 0.09. A class whose score is one point above another's gets $e \approx 2.7$ times the share of that other.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
def naive_softmax(z, dim):
    e = torch.exp(z)
    return e / e.sum(dim=dim, keepdim=True)


z = torch.tensor([[2.0, 1.0, 0.0], [5.0, 5.0, 5.0]])  # (B, classes)
print(naive_softmax(z, dim=1))
difference = (naive_softmax(z, 1) - torch.softmax(z, 1)).abs().max().item()
print("largest difference to torch:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-6

# %% [markdown] slideshow={"slide_type": "notes"}
# `dim=1` says: each row adds up to one. `keepdim=True` keeps the sums as a column, `(B, 1)`, so that each row is divided by its own. ([Lesson 03](03_broadcasting.ipynb) is about such shapes.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("02.shift")

# %% slideshow={"slide_type": "subslide"}
big = torch.tensor([[2.0, 1.0, 0.0]]) + 1000
print("naive  :", naive_softmax(big, 1))
print("torch  :", torch.softmax(big, 1))
shifted = big - big.amax(dim=1, keepdim=True)
print("shifted:", naive_softmax(shifted, 1))

# %% [markdown] slideshow={"slide_type": "fragment"}
# On paper nothing changes: adding the same number to all scores multiplies every exponential by the same factor, and it cancels. Softmax is **shift invariant**: only differences count. In the computer $e^{1000}$ overflows. So one first
# subtracts the largest score **of each row**. The largest exponential is then $e^0 = 1$, and nothing can overflow.
#
# **Exercise [02.softmax](exercises/02_activations.ipynb)** ●●● Softmax along any dimension.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Temperature
#
# Divide the scores by a **temperature** $T$ before the softmax. Low $T$ stretches the differences: the winner takes all. High $T$ levels them out. The order never changes, so neither does the decision.

# %% slideshow={"show": "output"}
scores = torch.tensor([2.0, 1.0, 0.0, -1.0])
fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), sharey=True, layout="constrained")
for ax, T in zip(axes, (0.2, 1.0, 3.0, 100.0), strict=True):
    ax.bar(range(4), torch.softmax(scores / T, 0), color=plotting.COLORS["class1"])
    ax.set(title=f"T = {T:g}", xticks=range(4), xticklabels=["2", "1", "0", "−1"], xlabel="score", ylim=(0, 1.05))
axes[0].set_ylabel("share");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four bar charts of the same four scores. At $T = 0.2$ the first bar has nearly everything; at 1 they fall off in steps; at 3 they are closer; at 100 all four are practically equal.

# %% [markdown] slideshow={"slide_type": "fragment"}
# This shows a misconception up for what it is: *"softmax gives the probability of being right"*. By turning $T$ we can make the same four scores, with the same answer, say 99% or 25%. The numbers are positive and add up to one; whether they deserve to be called
# probabilities must be **measured** on new data, as we did in lesson 01. Lesson 11 shows how to mend them, with $T$.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 8 · What do they cost?
#
# One million numbers, forwards, fifteen times each; we show the median, as multiples of ReLU. Such times vary a lot between machines and runs. Take them as a rough order.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
numbers, cost = torch.randn(1000, 1000), {}
for name, f in by_torch.items():
    f(numbers)  # once to warm up
    times = []
    for _ in range(15):
        start = time.perf_counter()
        f(numbers)
        times.append(time.perf_counter() - start)
    cost[name] = sorted(times)[7]
print({name: f"x {t / cost['ReLU']:.1f}" for name, t in cost.items()})

# %% slideshow={"slide_type": "skip"}
assert cost["ReLU"] < cost["ELU"], "ReLU should be cheaper than a function with an exponential"

# %% [markdown] slideshow={"slide_type": "notes"}
# ReLU and its leaky sister only compare; the others must compute exponentials, and how well that has been tuned differs a lot from one function to the next. In a wide layer the matrix product before the activation usually costs more than either. Cost is a reason to prefer ReLU, but a weak one.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 9 · Which one where
#
# | place | take | because |
# |---|---|---|
# | hidden layers, to begin with | ReLU | cheap, slope 1, with weights scaled for it |
# | hidden layers, if units die | leaky ReLU, ELU | a slope everywhere |
# | Transformers (lesson 15) | GELU, SiLU | smooth; what most large ones have (GELU in BERT and GPT-2) |
# | gates of recurrent networks (lesson 13) | sigmoid, tanh | bounded: shares and signed values |
# | output: yes or no | sigmoid | one probability |
# | output: one of many classes | softmax | shares that add up to one |
# | output: a number (regression) | identity | any value must be possible |
#
# The output's activation follows from the **task**. The hidden one is a choice, and the weights must suit it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## What to remember
#
# - Linear after linear is linear: $W_2(W_1x + b_1) + b_2 = Wx + b$. Without a bend depth is worth nothing.
# - Sigmoid (slope at most 0.25) and tanh (at most 1) saturate on both sides; ReLU is flat on one side only; $\sigma' = a(1-a)$.
# - A gradient is multiplied at each layer. Twenty sigmoids leave a millionth of a millionth. ReLU keeps it only if the weights are scaled up by $\sqrt 2$.
# - A ReLU unit that is 0 for all inputs gets no gradient and stays dead. Steps that are too large kill units; a wide enough leak lets the network go on.
# - Softmax: subtract the row's largest score, exponentiate, divide by the sum along the right dimension. Sigmoid for yes or no, softmax for one of many, identity for numbers.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A network has ten layers, all linear, no activation. How many can you take away without losing anything?</summary>
#
# Nine. One layer can do all that the ten can. (The other direction holds only if no hidden layer is narrower than both the input and the output: a bottleneck loses something.)
# </details>
#
# <details><summary>2. A sigmoid unit gives a = 0.9. What is its slope, and what share of a gradient is left after five such layers, if the weights are all 1?</summary>
#
# $0.9 \cdot 0.1 = 0.09$, and $0.09^5 \approx 6 \cdot 10^{-6}$.
# </details>
#
# <details><summary>3. In a batch of 32 inputs a ReLU unit is 0 for 31. Is it dead?</summary>
#
# No. One input still gives it a gradient. Dead means 0 for every input.
# </details>
#
# <details><summary>4. softmax([3, 3]) and softmax([1003, 1003])?</summary>
#
# Both (0.5, 0.5): only the difference counts. The naive code gives nan for the second.
# </details>
#
# <details><summary>5. Your network has to predict a temperature in °C. Which activation after the last layer?</summary>
#
# None (the identity). ReLU could never say −5, tanh never 20.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/02_activations.ipynb](exercises/02_activations.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 02.collapse | two layers into one | ●● |
# | 02.tanh_from_sigmoid | tanh out of a sigmoid | ● |
# | 02.leaky_relu | a corner with a leak | ● |
# | 02.sigmoid_slope | the slope from the output | ● |
# | 02.dead_fraction | count dead units | ●● |
# | 02.sigmoid | without overflow | ●● |
# | 02.softmax | along any dimension, safely | ●●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# We have begun to juggle with shapes: rows, columns, batches, `keepdim`. [Lesson 03](03_broadcasting.ipynb) makes that a skill, before [lesson 04](04_mlp.ipynb) stacks neurons into networks.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - S. Hochreiter (1991). *Untersuchungen zu dynamischen neuronalen Netzen.* The vanishing gradient, first analysed.
# - X. Glorot, A. Bordes, Y. Bengio (2011). *Deep sparse rectifier neural networks.* ReLU and sparsity.
# - K. He, X. Zhang, S. Ren, J. Sun (2015). *Delving deep into rectifiers.* The √2 of section 3.
# - A. L. Maas, A. Y. Hannun, A. Y. Ng (2013). *Rectifier nonlinearities improve neural network acoustic models.* Leaky ReLU.
# - D. Hendrycks, K. Gimpel (2016). *Gaussian error linear units.* GELU; SiLU is named there, too.
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller (1998). *Efficient backprop.* Why zero-centred; section 4.
