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
# # 05 · Saying what wrong means
#
# **The question:** A network becomes whatever makes its loss small. Which loss says what you mean?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - say what a loss does, and what its slope tells the network that its value does not;
# - predict what an outlier does to a fit under MSE, MAE and Huber, and which statistic each loss finds;
# - read a loss as a guess about how the data came about (a negative log-likelihood);
# - compute cross-entropy from logits so that neither value nor gradient overflows, and recognise probabilities passed by mistake;
# - handle rare classes with weights and overconfidence with label smoothing, and say what each costs.
#
# **Needs:** [lesson 04](04_mlp.ipynb) · **Read:** 70 minutes · **Run:** 40 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from utils import data, explore, plotting
from utils.built.activations import slope
from utils.built.layers import MLP

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 1 · One number for "wrong"
#
# Three houses cost 3, 5 and 4. One network says 4, 6, 3: off by one everywhere. Another says 3, 5, 7: right twice, and once off by three. Which is better?
#
# There is no answer before you say what counts. A **loss** is that statement: a rule that makes one number of all errors, small if the predictions are good.

# %% slideshow={"slide_type": "fragment"}
y = torch.tensor([3.0, 5.0, 4.0])
for name, y_hat in {"off by one, always": [4.0, 6.0, 3.0], "off by three, once": [3.0, 5.0, 7.0]}.items():
    error = torch.tensor(y_hat) - y
    print(f"{name}: mean |error| = {error.abs().mean():.0f}, mean error² = {(error**2).mean():.0f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# By absolute errors they are equally bad. By squares the second is three times as bad. Neither is "the right loss": they say different things about what hurts.
#
# A loss has three jobs:
#
# 1. **Measure:** one number, to compare two networks.
# 2. **Guide:** its slope says in which direction each parameter should move.
# 3. **Carry** further wishes. A term for something other than errors is called a **regulariser**, such as $\lambda w^2$: "and keep the weight small, please". The number $\lambda$ says how much that counts.
#
# Here are jobs 2 and 3 in one picture, for a model with a single weight, $\hat y = w x$, and $\lambda = 1$.

# %% slideshow={"slide_type": "subslide", "show": "output"}
x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.6])
w = torch.linspace(-0.5, 4.5, 501)
errors = ((w[:, None] * x - y) ** 2).mean(dim=1)  # (501, 1) * (3,) -> (501, 3) -> (501,)
fig, ax = plt.subplots()
for name, loss, color in (("errors", errors, "class0"), ("errors + w²", errors + w**2, "class1")):
    ax.plot(w, loss, color=plotting.COLORS[color], label=name)
    ax.plot(w[loss.argmin()], loss.min(), "o", color=plotting.COLORS[color], markersize=10)
    print(f"{name}: smallest at w = {w[loss.argmin()]:.2f}")
ax.set(xlabel="weight $w$", ylabel="loss", ylim=(0, 30), title="A regulariser moves the best weight towards zero")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two parabolas over the weight. The errors alone are smallest at $w = 2.13$, where almost nothing of them is left. With $w^2$ added the curve lies higher and its lowest point is at 1.75.
#
# With the extra term the best weight no longer fits the points best. That is the deal one makes, and lesson 09 shows when it pays. For now: **the network does not know what you want. It knows the loss.**

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 2 · What we count has no slope
#
# For a classifier we would like to count errors. That is the **0–1 loss**: 1 for a wrong class, 0 for a right one; its mean is the share of errors. It measures well. Can it guide?
#
# Twelve points on a line, six of each class, and a neuron $z = 2x + b$ that says class 1 where $z \ge 0$. We slide the bias and watch the 0–1 loss and, for comparison, the binary cross-entropy of lesson 01. (torch's function takes $z$ and does the sigmoid itself; section 6 says why.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
x = torch.tensor([-3.0, -2.4, -1.9, -1.2, -0.4, 0.5, -0.7, 0.2, 0.9, 1.5, 2.1, 2.8])
y = torch.tensor([0.0] * 6 + [1.0] * 6)
b = torch.linspace(-8, 8, 801)
z = 2 * x + b[:, None]  # (801, 12)
zero_one_loss = ((z >= 0).float() != y).float().mean(dim=1)  # (801,)
cross_entropy_loss = F.binary_cross_entropy_with_logits(z, y.expand(801, 12), reduction="none").mean(dim=1)

fig, ax = plt.subplots()
ax.plot(b, zero_one_loss, color=plotting.COLORS["class3"], label="0–1 loss")
ax.plot(b, cross_entropy_loss, color=plotting.COLORS["class0"], label="cross-entropy")
ax.set(xlabel="bias $b$", ylabel="mean loss", ylim=(0, 3.2), title="Stairs give no direction, a slope does")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The 0–1 loss is a staircase: flat, with a jump wherever the neuron's decision passes a point. The cross-entropy is a smooth valley with its lowest place above the same low steps.

# %% [markdown] slideshow={"slide_type": "notes"}
# Stand anywhere on the stairs: a tiny step to the left or right changes nothing. The slope is zero, except at the jumps, where there is none. torch says so plainly: a comparison such as `z >= 0` gives it nothing to follow.

# %% slideshow={"slide_type": "subslide"}
b = torch.tensor(3.0, requires_grad=True)
errors = ((2 * x + b >= 0).float() != y).float().mean()
smooth = F.binary_cross_entropy_with_logits(2 * x + b, y)
print("0–1 loss     :", round(errors.item(), 2), "  can be differentiated:", errors.requires_grad)
print("cross-entropy:", round(smooth.item(), 2), "  slope at b = 3:", round(torch.autograd.grad(smooth, b)[0].item(), 2))

# %% [markdown] slideshow={"slide_type": "fragment"}
# > **Gradient descent never sees the loss. It feels its slope.** Two losses with the same best answer can be worlds apart on the way there.
#
# So we train with a stand-in that has a good slope (a **surrogate** loss) and judge with the errors that we care about. This whole lesson is about good stand-ins. For each, look at two curves: the value and the slope.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 3 · Numbers: squares or absolute values
#
# First **regression**, where the target is a number. Write $r = \hat y - y$ for the error, also called **residual**.
#
# $$\text{MSE} = \frac1n \sum_i r_i^2 \qquad\qquad \text{MAE} = \frac1n \sum_i |r_i|$$
#
# **MSE** is the mean squared error, **MAE** the mean absolute error, also called L1. By hand for $r = (1, -3)$: the MSE is $(1 + 9)/2 = 5$, the MAE $(1 + 3)/2 = 2$. Their slopes for one residual are $2r$ and $\pm 1$. Gradient descent goes **against** the slope. So minus the slope is the **pull** of a point: a prediction that is too high ($r > 0$) is pulled down. (`slope` is the function of lesson 02.)

# %% slideshow={"slide_type": "fragment"}
r = torch.tensor([-0.5, 0.1, 1.0, 10.0], dtype=torch.float64)
print("residual      ", r.tolist())
print("pull under MSE", (-slope(lambda r: r**2, r)).tolist())
print("pull under MAE", (-slope(torch.abs, r)).tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# Under MSE the last point pulls a hundred times as hard as the second. Under MAE every point has **one vote**, "up" or "down", however far away it is.
#
# **Exercise [05.mse](exercises/05_losses.ipynb)** ● · **Exercise [05.mae](exercises/05_losses.ipynb)** ● Both in one line.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Which number would they choose?
#
# Take the simplest model: the same number $c$ for every point. Targets: 1, 1, 2, 4, 12. (For numbers the 0–1 loss is 1 for every target that is not exactly $c$.)

# %% slideshow={"show": "output"}
explore.predict("05.constant")

# %% slideshow={"slide_type": "subslide", "show": "output"}
y = torch.tensor([1.0, 1.0, 2.0, 4.0, 12.0])
c = torch.arange(0, 12.5, 0.5)[:, None]  # (25, 1): every half number from 0 to 12
curves = {"MSE": ((c - y) ** 2).mean(1), "MAE": (c - y).abs().mean(1), "0–1": (c != y).float().mean(1)}
fig, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
for ax, (name, loss), finds in zip(axes, curves.items(), ("mean", "median", "most frequent"), strict=True):
    ax.plot(c[:, 0], loss, "o" if name == "0–1" else "-", color=plotting.COLORS["class0"])
    best = c[loss.argmin(), 0].item()
    ax.axvline(best, color=plotting.COLORS["class1"], ls="--")
    ax.set(title=f"{name} finds {best:g}, the {finds}", xlabel="prediction $c$", xticks=range(0, 13, 2))
axes[0].set_ylabel("loss");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three curves over the prediction. MSE is a parabola with its lowest point at 4. MAE is made of straight pieces, lowest at 2. The 0–1 loss is 1 almost everywhere and lower only exactly at a target, lowest at 1.

# %% [markdown] slideshow={"slide_type": "fragment"}
# The same data, three "best" answers. MSE finds the **mean**, MAE the **median** (the middle one in order), the 0–1 loss the **most frequent value** (the mode). So a network that is trained with MSE on incomes will tell you average incomes, which few people have.
#
# **Exercise [05.fit_by_loss](exercises/05_losses.ipynb)** ●● The best constant for each loss.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary><b>Why the mean, why the median?</b></summary>
#
# MSE: the slope $\frac2n \sum_i (c - y_i)$ is zero exactly if $n c = \sum_i y_i$. That is the mean.
#
# MAE: the slope is (number of targets below $c$ − number above $c$)$/n$. It changes sign where as many lie below as above. That is the median. With an even number of targets, every value between the middle two is equally good.
#
# 0–1: one wants to hit as many targets as possible.
# </details>

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 4 · One point runs away
#
# An **outlier** is a point far from where all others lie: a typing error, a broken sensor, or a rare true case. We shall drag one away from a line and watch. But first the two compromises.
#
# **Huber's loss** is a parabola near zero and a straight line further out, with the joint at $\delta$. **Smooth L1** is the same divided by its threshold, there called $\beta$. With $|r| = s$:
#
# $$\text{Huber}: \begin{cases} \frac12 s^2 & s < \delta \\ \delta\,(s - \frac12 \delta) & \text{else}\end{cases} \qquad \text{smooth L1}: \begin{cases} \frac12 s^2/\beta & s < \beta \\ s - \frac12\beta & \text{else}\end{cases}$$

# %% [markdown] slideshow={"slide_type": "notes"}
# Numbers for Huber with $\delta = 2$: $s = 1$ costs $\frac12$; $s = 2$ costs 2 by either line; $s = 5$ costs $2 \cdot (5 - 1) = 8$. Smooth L1 with $\beta = 2$ is half of that: $\frac14$, 1 and 4.
#
# The subtracted $\frac12\delta$ is not decoration. It makes the two pieces meet **in value and in slope** at the joint: $\frac12\delta^2 = \delta(\delta - \frac12\delta)$, and both slopes are $\delta$. Without it the loss would jump. For $\delta = \beta = 1$ Huber and smooth L1 are one and the same.

# %% slideshow={"slide_type": "subslide", "show": "output"}
losses = {
    "MSE": lambda r: r**2,
    "MAE": lambda r: r.abs(),
    "Huber": lambda r: torch.where(r.abs() < 1, r**2 / 2, r.abs() - 0.5),
}
r = torch.linspace(-3, 3, 601)
fig, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
for name, f in losses.items():
    axes[0].plot(r, f(r), label=name)
    axes[1].plot(r, slope(f, r), label=name)
axes[0].set(xlabel="residual $r$", title="Value: how wrong", ylim=(0, 4))
axes[1].set(xlabel="residual $r$", title="Slope: how hard it pulls back", ylim=(-4, 4))
plotting.label_lines(axes[0], side="right")
plotting.label_lines(axes[1], side="right");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, three valleys over the residual: a steep parabola, a V, and a rounded V. Right, their slopes: MSE's is a straight line that grows without end, MAE's jumps from −1 to 1, and Huber's rises like a ramp between −1 and 1 and stays level outside.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Huber has the best of both: a pull that is **bounded** far out, and one that fades near zero, so that gradient descent can come to rest. (MAE's pull is 1 even a hair away from the goal, so a step overshoots, and the next one too.)
#
# **Exercise [05.smooth_l1](exercises/05_losses.ipynb)** ●● Smooth L1 with any $\beta$.
#
# Now the experiment. Twelve points along a line. The second from the right is dragged down by 0, 5, 10, 20 and 40. For every loss and every distance we fit a line $\hat y = a x + b$. Thanks to broadcasting, five lines are fitted at once. (The shrinking learning rate is a **schedule**; lesson 07 is about those.)

# %% slideshow={"slide_type": "skip"}
def descend(loss_of, parameters, lr, steps):
    """Gradient descent, with a learning rate that shrinks to zero so that MAE, too, comes to rest."""
    for step in range(steps):
        gradients = torch.autograd.grad(loss_of(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p -= lr * (1 - step / steps) * g


g = torch.Generator().manual_seed(0)
x = torch.linspace(-2, 2, 12, dtype=torch.float64)
clean = 0.5 * x + 1 + 0.3 * torch.randn(12, generator=g, dtype=torch.float64)
drag = torch.tensor([0.0, 5.0, 10.0, 20.0, 40.0], dtype=torch.float64)
targets = clean.repeat(5, 1)  # (5, 12): one row for each distance
targets[:, 10] -= drag

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Predict.** Draw the line for a drag of 10 under each of the three losses. Whose slope turns negative?

# %% slideshow={"slide_type": "subslide", "show": "output"}
lines = {}
for name, f in losses.items():
    a = torch.zeros(5, 1, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(5, 1, dtype=torch.float64, requires_grad=True)
    # f=f: the function keeps the f of this round of the loop
    descend(lambda f=f, a=a, b=b: f(a * x + b - targets).mean(dim=1).sum(), [a, b], lr=0.3, steps=2000)
    lines[name] = (a.detach(), b.detach())
    print(f"{name:5} slopes for a drag of 0, 5, 10, 20, 40:", [round(v, 2) for v in a[:, 0].tolist()])

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.4), sharey=True, layout="constrained")
for ax, (name, (a, b)) in zip(axes, lines.items(), strict=True):
    for k, color in enumerate(("class0", "class1", "class3")):
        ax.plot(x, (a[k] * x + b[k]), color=plotting.COLORS[color], label=f"drag {drag[k]:.0f}")
        ax.plot(x[10], targets[k, 10], "s", color=plotting.COLORS[color], markersize=10)
    keep = torch.arange(12) != 10
    ax.plot(x[keep], clean[keep], "o", color=plotting.COLORS["neutral"])
    does = {"MSE": "follows", "MAE": "does not move", "Huber": "gives way a little"}[name]
    ax.set(xlabel="$x$", title=f"{name} {does}")
axes[0].set_ylabel("$y$")
axes[1].legend(loc="lower left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three panels with eleven grey points that rise to the right, and a twelfth (a square) at three heights. Under MSE the line tilts down as the square falls. Under MAE the three lines are one. Under Huber the line tilts once, slightly, and then stays.

# %% [markdown] slideshow={"slide_type": "notes"}
# Under MSE one point of twelve turns a rising line into a falling one, and there is no end to it: every unit of drag costs 0.087 of slope. **MAE did not move at all**: the point lay below the line before, it lies below it now, and its vote is the same. Huber moved from 0.49 to 0.39, until the pull had reached its bound, and then no further.
#
# This is called **robust**. It has its price: if the far point was the one that mattered (the one flood in a hundred years), a robust loss will not hear it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: drag the point yourself
#
# *How far can one point turn a line?* Ten points. Drag any one of them, or use the sliders, and choose the loss. The arrows show each point's pull, the dotted line is the one before.
#
# - **Try** MAE: move a point by 3 or more without moving the line at all.
# - **Notice** that under MSE and Huber the pulls balance when the line has come to rest: as much up as down.
# - **Then** put Huber's line exactly on MSE's while a point is 4 or more away from it. What must δ be?
# - **Challenge:** show MSE and MAE together. Turn MSE's line downhill with one point, while MAE's slope stays within 0.05.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.outlier()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, ten points, of which the last is far below the others. The solid line of MSE has tilted down to reach for it; the dashed line of MAE has stayed nearly where the dotted line was. Right, an arrow for each point: the outlier pulls down harder than any other point, and its neighbours pull up.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### "MAE is not impressed by outliers"
#
# That is a misconception, or half of one. Our outlier ran away **vertically**. Let a point run away to the **side**, far out in $x$, where it has a long lever:

# %% slideshow={"slide_type": "fragment", "show": "output"}
far_x, far_y = x.clone(), clean.clone()
far_x[11], far_y[11] = 20.0, -5.0
for name, f in losses.items():
    a, b = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    descend(lambda f=f, a=a, b=b: f(a * far_x + b - far_y).mean(), [a, b], lr=0.02, steps=1500)
    print(f"{name:5} slope {a.item():5.2f},  distance to the outlier {(a * 20 + b + 5).abs().item():.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now all three lines fall, and MAE's goes **exactly through** the outlier. A vote counts one however far the point is in $y$; but what it turns is $a \cdot x$, and at $x = 20$ that is a lever twelve times as long as that of the next point. No loss replaces a look at the inputs.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 5 · A loss is a guess about noise
#
# Why squares? Here is the answer that ties all losses together. Suppose the network is right, and the data differ from it by random **noise**. If we say how likely each size of noise is, we can ask: *how likely was the data we have got?* That is the **likelihood**. A good network makes it large.
#
# For many points one has to multiply the likelihoods, as with dice that do not influence each other, which soon gives a number like $10^{-400}$. So one takes the logarithm, which makes sums of products, and a minus, to have something to make small: the **negative log-likelihood**, NLL. Small NLL, likely data.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Two common guesses: the **Gaussian** bell with density $\frac{1}{\sqrt{2\pi}} e^{-r^2/2}$, and the **Laplace** distribution with density $\frac12 e^{-|r|}$, a tent with longer tails. (The **density** says how likely values near $r$ are.) Their negative logarithms, less the value at $r = 0$:

# %% slideshow={"slide_type": "fragment", "show": "output"}
r = torch.tensor([0.0, 0.5, 1.0, 3.0])
gauss = torch.exp(-(r**2) / 2) / math.sqrt(2 * math.pi)
laplace = torch.exp(-r.abs()) / 2
for name, density in {"Gaussian": gauss, "Laplace ": laplace}.items():
    surprise = -torch.log(density)
    print(name, "density", [f"{v:.3f}" for v in density], "  NLL - NLL(0)", [f"{v:.3f}" for v in surprise - surprise[0]])
print("torch agrees:", torch.allclose(torch.distributions.Normal(0, 1).log_prob(r), torch.log(gauss)),
      torch.allclose(torch.distributions.Laplace(0, 1).log_prob(r), torch.log(laplace)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# The first row is $\frac12 r^2$, the second is $|r|$. So:
#
# > **MSE is the negative log-likelihood of Gaussian noise, MAE that of Laplace noise**, up to constants that move no minimum.
#
# MSE fits best where large errors are next to impossible: a Gaussian error of 10 deviations has a density of about $10^{-22}$. No wonder the line gives everything to get rid of it. Huber's loss is a guess too: a bell in the middle with Laplace tails.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary><b>Derivation: Gaussian noise gives MSE</b></summary>
#
# Let $y_i = \hat y_i + \text{noise}$ with standard deviation $\sigma$. The likelihood of all the data is
#
# $$\prod_i \frac{1}{\sqrt{2\pi}\,\sigma}\, e^{-(y_i - \hat y_i)^2 / 2\sigma^2}$$
#
# Minus its logarithm: $\;\frac{1}{2\sigma^2} \sum_i (y_i - \hat y_i)^2 + n \log(\sqrt{2\pi}\,\sigma)$. The last term does not depend on the network, and a factor moves no minimum. What remains is the sum of squares.
# </details>
#
# <details><summary><b>Derivation: Laplace noise gives MAE</b></summary>
#
# With the density $\frac{1}{2s} e^{-|r|/s}$ the negative logarithm of the product is $\;\frac1s \sum_i |y_i - \hat y_i| + n \log 2s$. Drop the constant and the factor.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# Does the right guess pay? Measure a length 25 times, estimate it by the mean (MSE's choice) and by the median (MAE's), and see how far off each is. Then 20,000 times over, once with Gaussian noise and once with Laplace noise of the same standard deviation, 1.

# %% slideshow={"show": "output"}
explore.predict("05.noise")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
g = torch.Generator().manual_seed(1)
u = torch.rand(20000, 25, generator=g) - 0.5
noises = {"Gaussian": torch.randn(20000, 25, generator=g),
          "Laplace ": -u.sign() * torch.log1p(-2 * u.abs()) / math.sqrt(2)}  # uniform numbers bent into a Laplace
off = {}
for name, noise in noises.items():
    off[name] = [e.square().mean().sqrt().item() for e in (noise.mean(dim=1), noise.median(dim=1).values)]
    print(f"{name} noise: the mean is off by {off[name][0]:.2f}, the median by {off[name][1]:.2f}")

# %% slideshow={"slide_type": "skip"}
assert off["Gaussian"][0] < 0.9 * off["Gaussian"][1] and off["Laplace "][1] < 0.9 * off["Laplace "][0]

# %% [markdown] slideshow={"slide_type": "fragment"}
# Each loss wins on its own noise, by a fifth or so. "Robust is better" is folklore: on Gaussian noise the median wastes information. **Choose the loss by the errors you expect.**

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 6 · Yes or no: the price of a surprise
#
# For classes the network gives probabilities, and the same idea works at once. For yes or no it says $p$, the probability of class 1. The likelihood of what happened is $p$ if it was class 1, else $1 - p$ (a **Bernoulli** distribution: a coin with probability $p$). Minus its logarithm is the **binary cross-entropy**, BCE:
#
# $$\text{BCE} = -\big[\,y \log p + (1 - y) \log(1 - p)\,\big]$$
#
# One of the two terms is always zero. What is left is $-\log$ of the probability **that was given to what happened**.

# %% slideshow={"slide_type": "fragment"}
for given in (1.0, 0.9, 0.5, 0.1, 0.01, 0.001):
    print(f"what happened had been given {given:5}: costs {math.log(1 / given):.2f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Certainty that comes true is free. A coin toss costs $\log 2 = 0.69$: a BCE of 0.69 means "knows nothing" (with classes of equal size). Ten times less belief costs 2.30 more, without end. $p = 0$ for something that happens costs infinitely much: **BCE punishes false certainty without mercy.**
#
# <details><summary><b>Derivation: Bernoulli gives BCE</b></summary>
#
# The likelihood of one example is $p^{y} (1 - p)^{1 - y}$: for $y = 1$ this is $p$, for $y = 0$ it is $1 - p$. Of all examples: $\prod_i p_i^{y_i} (1 - p_i)^{1 - y_i}$. Minus the logarithm: $-\sum_i \big[y_i \log p_i + (1 - y_i) \log (1 - p_i)\big]$.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### On paper and in the computer
#
# The network gives a logit $z$, then $p = \sigma(z)$, then the loss. Write it just so, for an answer that is right (true class 1, large $z$) and one that is wrong (true class 0, large $z$):

# %% slideshow={"slide_type": "fragment"}
z = torch.tensor([1.0, 10.0, 16.0, 20.0, 50.0])
p = torch.sigmoid(z)
print("logit z              ", z.tolist())
for y in (1.0, 0.0):
    naive = -(y * torch.log(p) + (1 - y) * torch.log(1 - p))
    print(f"naive BCE, class {y:.0f}:  ", [f"{v:.3g}" for v in naive])
    right = F.binary_cross_entropy_with_logits(z, torch.full_like(z, y), reduction="none")
    print("   it should be      ", [f"{v:.3g}" for v in right])

# %% [markdown] slideshow={"slide_type": "fragment"}
# At $z = 20$ it breaks. No number is large here! $\sigma(20) = 1 - 2 \cdot 10^{-9}$, but float32 keeps about seven digits, so it is rounded to 1 exactly. Then $\log(1 - p) = \log 0 = -\infty$. The wrong answer costs `inf`. The **right** answer costs $0 \cdot (-\infty)$, which is `nan`. The better the network gets, the sooner it dies. Even at 16 the value is off in the third digit.
#
# torch's own `binary_cross_entropy`, which takes probabilities, cuts each logarithm off at −100. That keeps the value finite, though not right (at $z = 20$ it says 100). And the gradient?

# %% slideshow={"slide_type": "subslide"}
z = torch.tensor([-30.0, 30.0], dtype=torch.float64, requires_grad=True)
y = torch.tensor([1.0, 0.0], dtype=torch.float64)  # wrong in both cases: the gradients should be -1 and +1
from_p = F.binary_cross_entropy(torch.sigmoid(z), y, reduction="sum")
from_z = F.binary_cross_entropy_with_logits(z, y, reduction="sum")
print("from probabilities:", [f"{v:.2f}" for v in torch.autograd.grad(from_p, z)[0]])
print("from logits       :", [f"{v:.2f}" for v in torch.autograd.grad(from_z, z)[0]])

# %% [markdown] slideshow={"slide_type": "subslide"}
# Nine tenths of the gradient are gone, in float64, and nobody is told. On the way back the logarithms divide by $p(1 - p)$, and the sigmoid's slope multiplies by it again. Here that is $10^{-13}$, and torch, lest it divide by 0, never divides by less than $10^{-12}$. In float32 it is worse: there $p$ is exactly 1 from $z = 18$ on, and nothing that comes after it can tell 18 from 1,000. Hence the rule:
#
# > **The last layer gives logits; the loss does the sigmoid.** Never a sigmoid first and a logarithm after it.
#
# How can the loss avoid computing $p$? Because the logarithm undoes the exponential. With $\text{softplus}(z) = \log(1 + e^z)$, and since $1 - \sigma(z) = \sigma(-z)$,
#
# $$-\log \sigma(z) = \log(1 + e^{-z}) = \text{softplus}(-z), \qquad -\log(1 - \sigma(z)) = -\log \sigma(-z) = \text{softplus}(z)$$

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Softplus** is a ReLU with its corner rounded: about 0 far left, about $z$ far right. Far right $e^z$ overflows. Take $e^{z}$ out of the logarithm there:
#
# $$\log(1 + e^z) = z + \log(1 + e^{-z}), \quad\text{so for every } z: \quad \text{softplus}(z) = \max(z, 0) + \log(1 + e^{-|z|})$$
#
# The exponential of a negative number never overflows. (`torch.log1p(t)` is $\log(1 + t)$ without first rounding $1 + t$, which would lose a tiny $t$.) That is the form found everywhere. One more trap: is its **gradient** right? The slope of softplus is the sigmoid, so 0.5 at zero.

# %% slideshow={"slide_type": "subslide"}
def softplus(z):
    """log(1 + exp(z)) without overflow, and with the right slope at 0 too."""
    return (z + z.abs()) / 2 + torch.log1p(torch.exp(-z.abs()))


def softplus_with_max(z):
    return torch.relu(z) + torch.log1p(torch.exp(-z.abs()))


z = torch.tensor([-1e4, -2.0, 0.0, 2.0, 1e4], dtype=torch.float64)
print("value            ", [f"{v:.4g}" for v in softplus(z)])
print("torch's softplus ", [f"{v:.4g}" for v in F.softplus(z)])
print("slope            ", [f"{v:.4g}" for v in slope(softplus, z)])
print("sigmoid          ", [f"{v:.4g}" for v in torch.sigmoid(z)])
print("slope, with max  ", [f"{v:.4g}" for v in slope(softplus_with_max, z)])

# %% [markdown] slideshow={"slide_type": "notes"}
# Right value everywhere, but the usual form has the wrong slope at one place: at $z = 0$ torch takes the corners of ReLU and of $|z|$ to be flat. And $z = 0$ is where **every** network stands whose last layer starts from zeros. $\max(z, 0) = (z + |z|)/2$ is the same number, and its pieces have slopes that come out right. (torch has its gradient written by hand.)
#
# **Exercise [05.bce_with_logits](exercises/05_losses.ipynb)** ●●● From logits straight to the loss, safe at ±10,000. You have all the pieces.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 7 · Classification is not regression
#
# Why not simply the squared error between $p$ and $y$? Both are numbers between 0 and 1, after all.

# %% slideshow={"show": "output"}
explore.predict("05.wrong_start")

# %% [markdown] slideshow={"slide_type": "notes"}
# Look at one point of class 1, while its logit goes from "sure and wrong" on the left to "sure and right":

# %% slideshow={"slide_type": "subslide", "show": "output"}
of_class_1 = {
    "MSE on σ(z)": lambda z: (torch.sigmoid(z) - 1) ** 2,
    "BCE": lambda z: softplus(-z),
}
z = torch.linspace(-10, 6, 321)
fig, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
for (name, f), color in zip(of_class_1.items(), ("class3", "class0"), strict=True):
    axes[0].plot(z, f(z), color=plotting.COLORS[color], label=name)
    axes[1].plot(z, slope(f, z), color=plotting.COLORS[color], label=name)
axes[0].set(xlabel="logit $z$ (true class 1)", title="Value", ylim=(0, 6))
axes[1].set(xlabel="logit $z$ (true class 1)", title="Slope: MSE is flat where it is most wrong", ylim=(-1.1, 0.1))
for k, (name, x, y, color) in enumerate((("BCE", -4.8, 5, "class0"), ("MSE on σ(z)", -9.8, 1.15, "class3"),
                                         ("BCE", -9.8, -0.93, "class0"), ("MSE on σ(z)", -9.8, -0.09, "class3"))):
    axes[k // 2].text(x, y, name, color=plotting.COLORS[color], fontsize=14, weight="bold")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, BCE is a straight slide that runs out to zero; MSE on the sigmoid is a plateau at height 1 with one step down near zero. Right, the slope of BCE is −1 on the far left and rises to 0; that of MSE is close to 0 on both sides, with a single dip in between.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The slopes at the logit, for one point:
#
# | loss | slope | at $z = -10$, class 1 |
# |---|---|---|
# | BCE | $p - y$ | −1 |
# | MSE on the sigmoid | $2\,(p - y)\,p\,(1 - p)$ | −0.00009 |
#
# The factor $p(1-p)$ is the sigmoid's slope from lesson 02, and the sigmoid is saturated. BCE's logarithm cancels it. Now train: two overlapping clouds, logistic regression, three data sets, and three starts: from weights 0, and from weights −5 and −10, which are sure and wrong.
#
# **Predict.** How many steps will each loss need until 80% are right, from each of the three starts?

# %% tags=["long"] slideshow={"slide_type": "skip"}
def clouds(n, seed):
    """Two overlapping clouds around (-1, -0.7) and (1, 0.7)."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (n,), generator=g)
    return torch.randn(n, 2, generator=g) + (2 * y[:, None] - 1) * torch.tensor([1.0, 0.7]), y.float()


def rights(loss, start, seed, steps=1500):
    """Share of right answers at every step of gradient descent from weights (start, start), lr = 1."""
    X, y = clouds(200, seed)
    w, b = torch.full((2,), start, requires_grad=True), torch.zeros((), requires_grad=True)
    history = []
    for _ in range(steps):
        z = X @ w + b  # (200,)
        history.append(((z >= 0) == (y == 1)).float().mean().item())
        gradients = torch.autograd.grad(loss(z, y), [w, b])
        with torch.no_grad():
            for p, g in zip([w, b], gradients, strict=True):
                p -= 1.0 * g
    return history


contestants = {
    "BCE": F.binary_cross_entropy_with_logits,
    "MSE on σ(z)": lambda z, y: ((torch.sigmoid(z) - y) ** 2).mean(),
}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
runs = {(name, start, seed): rights(loss, start, seed)
        for name, loss in contestants.items() for start in (0.0, -5.0, -10.0) for seed in range(3)}


def first_above(history, share=0.8):
    return next((step for step, h in enumerate(history) if h > share), math.inf)


for (name, start) in dict.fromkeys((name, start) for name, start, _ in runs):
    print(f"{name:11} from {start:3.0f}: steps to 80%", [first_above(runs[name, start, seed]) for seed in range(3)])

# %% slideshow={"slide_type": "skip"}
steps = {(name, start): [first_above(runs[name, start, seed]) for seed in range(3)] for name, start, _ in runs}
assert max(steps["BCE", -10.0]) <= 20 and min(steps["MSE on σ(z)", -5.0]) > 150 and max(steps["MSE on σ(z)", 0.0]) <= 2
assert min(steps["MSE on σ(z)", -10.0]) > 1000 and max(steps["MSE on σ(z)", -10.0]) == math.inf

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, ax = plt.subplots()
for name, color in (("BCE", "class0"), ("MSE on σ(z)", "class3")):
    for seed in range(3):
        label = name if seed == 0 else None
        ax.plot(range(1, 601), runs[name, -5.0, seed][:600], color=plotting.COLORS[color], lw=1.8, label=label)
ax.set(xlabel="step", ylabel="share right", xscale="log", ylim=(0, 1))
ax.set_title("Started sure and wrong: BCE turns round, MSE sleeps")
ax.legend(loc="center left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On a logarithmic step axis, three lines for BCE climb from about 10% to 80–90% between step 5 and step 20. Three lines for MSE stay at the bottom for hundreds of steps before they rise.

# %% [markdown] slideshow={"slide_type": "notes"}
# Started from zeros, both need one step: nothing is saturated yet, and MSE is no bad loss. Started sure and wrong, BCE turned round within 20 steps. MSE needed about 300 from −5, and from −10 more than a thousand: two of three runs were not done when we stopped at 1,500. **The error was as large as can be, and the gradient next to nothing.** In a large network some examples may always stand in such a corner.
#
# MSE on probabilities (the **Brier score**) is a fair way to *judge* them. What fails is the square **behind a sigmoid**: squares on plain outputs against one-hot rows can learn as well as cross-entropy (Hui and Belkin, 2021).

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 8 · Hinge: good enough is enough
#
# A third way, older than deep networks: care only about being on the right side with some room. Write the classes as $y = -1$ and $y = +1$; then $y \cdot \text{score}$ is positive exactly if the answer is right. The **hinge loss** asks for at least 1:
#
# $$\text{hinge} = \max(0,\; 1 - y \cdot \text{score})$$
#
# Numbers: class +1 with a score of 3 costs 0; with 0.4 it costs 0.6 although it is right; with −2 it costs 3. (`clamp(min=0)` raises what is below 0 to 0.)

# %% [markdown] slideshow={"slide_type": "notes"}
# Here it is beside the others, over $m = y \cdot \text{score}$. With targets ±1 both cases of BCE are one, $\text{softplus}(-m)$; we divide it by $\log 2$, so that it costs 1 at $m = 0$ as hinge does. The squared error $(y - \text{score})^2$ is $(1 - m)^2$, since $y^2 = 1$.

# %% slideshow={"slide_type": "subslide", "show": "output"}
m = torch.linspace(-2.5, 3, 551)
stand_ins = {
    "squared": ((1 - m) ** 2, "class5"),
    "hinge": ((1 - m).clamp(min=0), "class1"),
    "BCE / log 2": (softplus(-m) / math.log(2), "class0"),
    "0–1": ((m < 0).float(), "class3"),
}
fig, ax = plt.subplots()
for name, (loss, color) in stand_ins.items():
    ax.plot(m, loss, color=plotting.COLORS[color], label=name)
ax.set(xlabel="$m = y$ · score: wrong on the left, right on the right", ylabel="loss", ylim=(0, 4))
ax.set_title("Each stand-in lies above the 0–1 loss")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The 0–1 loss is a step down at 0. Hinge is a straight line that reaches zero at 1 and stays there. BCE is a smooth curve that never quite reaches zero. The squared loss falls, touches zero at 1 and **rises again** on the right.

# %% [markdown] slideshow={"slide_type": "notes"}
# All three lie nowhere below the 0–1 loss: make one of them small, and the errors must be few. They differ in what they do with **right** answers. Hinge loses interest at 1. BCE always wants a little more. And the squared error punishes an answer for being **too right**: at $m = 3$ it costs 4, as much as a wrong answer at $m = -1$.
#
# So hinge pays attention only to the difficult points (they are the "support vectors" of support-vector machines), but it gives no probabilities.
#
# **Exercise [05.hinge](exercises/05_losses.ipynb)** ● One line, targets ±1.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 9 · One of many: cross-entropy
#
# With $k$ classes the network gives $k$ logits, and softmax makes probabilities of them. The likelihood of what happened is the probability of the true class (a **categorical** distribution: a die with $k$ sides). Minus its logarithm is the **cross-entropy**:
#
# $$\text{CE} = -\log \text{softmax}(z)_y$$
#
# By hand: logits $(2, 1, 0)$ give $(0.665, 0.245, 0.090)$. If class 0 is the true one, that costs $-\log 0.665 = 0.41$; if class 2 is, $-\log 0.090 = 2.41$. A network that knows nothing gives $1/k$ to all and pays $\log k$: 2.30 for ten classes. Remember that number; a training run should begin there.

# %% [markdown] slideshow={"slide_type": "subslide"}
# <details><summary><b>Derivation: categorical gives cross-entropy</b></summary>
#
# Write the true class as a one-hot row $t$ (lesson 03). The likelihood of one example is $\prod_j p_j^{t_j}$: all factors are 1 but that of the true class. Minus the logarithm: $-\sum_j t_j \log p_j = -\log p_y$. The sum form is called the cross-entropy between $t$ and $p$, and it also makes sense if $t$ is not one-hot (section 12).
# </details>
#
# The same danger as before: softmax may round to 0, and $\log 0$ is $-\infty$. And the same cure: let the logarithm undo the exponential,
#
# $$-\log \frac{e^{z_y}}{\sum_j e^{z_j}} = \underbrace{\log \sum_j e^{z_j}}_{\text{log-sum-exp}} - z_y$$

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Log-sum-exp** is a soft maximum: for $(2, 1, 0)$ it is $\log 11.11 = 2.41$, a little above the largest. Taken literally it overflows at 89. Take the largest score out first, as with softmax in lesson 02:
#
# $$\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}, \qquad m = \max_j z_j$$
#
# In `log_softmax` we shift before anything else: near 10,000 float32 goes in steps of 0.001, and the small loss of a sure, right answer would be rounded to 0.

# %% slideshow={"slide_type": "subslide"}
def log_sum_exp(z, dim=-1, keepdim=False):
    largest = z.amax(dim=dim, keepdim=True)
    result = largest + torch.log(torch.exp(z - largest).sum(dim=dim, keepdim=True))
    return result if keepdim else result.squeeze(dim)


def log_softmax(z, dim=-1):
    shifted = z - z.amax(dim=dim, keepdim=True)
    return shifted - log_sum_exp(shifted, dim, keepdim=True)


z = torch.tensor([[2.0, 1.0, 0.0], [1002.0, 1001.0, 1000.0], [-1e4, 0.0, 1e4]])  # (3, 3)
print("literally  ", [round(v, 2) for v in torch.log(torch.exp(z).sum(dim=1)).tolist()])
print("log_sum_exp", [round(v, 2) for v in log_sum_exp(z).tolist()])
print("softmax, then log:", torch.log(torch.softmax(z, dim=1))[2].tolist())
print("log_softmax      :", log_softmax(z)[2].tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# The last two lines are the logits $(-10^4, 0, 10^4)$: taking softmax first leaves `-inf`, while the truth is an ordinary −20,000.
#
# One step is left: from each row pick the log-probability of the true class, and put a minus before it. This step alone is what torch calls **NLL loss**. Picking is indexing with two lists, row numbers and classes:

# %% slideshow={"slide_type": "fragment"}
log_p = log_softmax(torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]]))  # (2, 3)
y = torch.tensor([2, 1])  # true classes, as numbers
print("picked  :", [round(v, 3) for v in log_p[torch.arange(2), y].tolist()])
print("NLL mean:", round(F.nll_loss(log_p, y).item(), 3))

# %% [markdown] slideshow={"slide_type": "fragment"}
# So in torch: `cross_entropy` = `log_softmax` + `nll_loss`. It takes **logits** and **class numbers**, no softmax before it, and no one-hot is needed (torch takes such rows too, as floats: section 12 uses them).
#
# The slope at the logits is once more as simple as can be: $p - t$, the probabilities minus the one-hot target. (Lesson 06 derives it.)
#
# **Exercise [05.cross_entropy](exercises/05_losses.ipynb)** ●● Logits and class numbers in, one mean out.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### A class is a name, not a number
#
# Misconception: *"the classes are 0, 1, 2, so I can predict the number with MSE and round."* Three clouds in a row, left, middle and right. First they are called 0, 1, 2. Then only the **names** are changed: left is 1, the middle 0. We fit a linear model by MSE on the number, and a linear model with three logits by cross-entropy.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(0)
place = torch.randint(0, 3, (600,), generator=g)
X = torch.randn(600, 2, generator=g) * 0.6 + torch.stack([3.0 * (place - 1), 0.0 * place], dim=1)  # (600, 2)
for names in ([0, 1, 2], [1, 0, 2]):
    y = torch.tensor(names)[place]
    w, c = torch.zeros(2, requires_grad=True), torch.zeros((), requires_grad=True)
    descend(lambda w=w, c=c, y=y: ((X @ w + c - y) ** 2).mean(), [w, c], lr=0.1, steps=300)
    rounded = (X @ w + c).round().clamp(0, 2)  # (600,)
    W, b = torch.zeros(3, 2, requires_grad=True), torch.zeros(3, requires_grad=True)
    descend(lambda W=W, b=b, y=y: F.cross_entropy(X @ W.T + b, y), [W, b], lr=0.5, steps=300)
    chosen = (X @ W.T + b).argmax(dim=1)
    print(f"left, middle, right called {names}: MSE on the number {(rounded == y).float().mean():.0%} right, "
          f"cross-entropy {(chosen == y).float().mean():.0%}")

# %% slideshow={"slide_type": "skip"}
assert (rounded == y).float().mean() < 0.33 and (chosen == y).float().mean() > 0.97  # with the names changed

# %% [markdown] slideshow={"slide_type": "fragment"}
# With names in the order of the places regression works by luck. With other names it drops below a guess, on the very same points. MSE believes that class 2 is "more" than class 1 and that between 0 and 2 lies 1. Cross-entropy has one score for each class and knows no order.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 10 · Probabilities where logits belong
#
# A mistake that is easily made: the network ends in a softmax, and its output goes into `cross_entropy`, which does a softmax of its own.

# %% slideshow={"show": "output"}
explore.predict("05.probabilities")

# %% slideshow={"slide_type": "subslide"}
perfect = torch.tensor([[1.0] + [0.0] * 9])  # ten probabilities: sure of class 0, and right
print("a perfect answer, taken for logits:", [f"{v:.3f}" for v in torch.softmax(perfect, dim=1)[0, :3]], "...")
print("its cross-entropy:", round(F.cross_entropy(perfect, torch.tensor([0])).item(), 3))
print("knowing nothing  :", round(math.log(10), 3))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Numbers between 0 and 1 are very close together, for logits. The second softmax makes of a perfect answer a meagre 0.232, so **the loss cannot fall below 1.46**. And the slopes pass through two softmaxes instead of one.
#
# What does it cost on digits? A 784–64–10 network, 10,000 training images, ten epochs, three seeds; measured on the 10,000 test images. One contestant gets the logits, one the probabilities, and one the probabilities with a learning rate more than three times as large. (This takes about ten seconds.)

# %% tags=["long"] slideshow={"slide_type": "skip"}
X_train, y_train = (t[:10000] for t in data.mnist_tensors("train"))
X_test, y_test = data.mnist_tensors("test")


def train_digits(loss_of, lr, seed, epochs=10):
    """Mini-batch gradient descent. Returns test accuracy and training loss per epoch, and the test logits."""
    torch.manual_seed(seed)
    net = MLP([784, 64, 10])
    parameters = list(net.parameters())
    accuracies, losses = [], []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(10000).split(100):
            loss = loss_of(net(X_train[rows]), y_train[rows])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for p, g in zip(parameters, gradients, strict=True):
                    p -= lr * g
            total += loss.item() / 100
        with torch.no_grad():
            logits = net(X_test)
        accuracies.append((logits.argmax(dim=1) == y_test).float().mean().item())
        losses.append(total)
    return accuracies, losses, logits


ways = {
    "logits, lr 0.3": (F.cross_entropy, 0.3),
    "probabilities, lr 0.3": (lambda z, y: F.cross_entropy(torch.softmax(z, dim=1), y), 0.3),
    "probabilities, lr 1": (lambda z, y: F.cross_entropy(torch.softmax(z, dim=1), y), 1.0),
}
digits = {name: [train_digits(*way, seed) for seed in range(3)] for name, way in ways.items()}

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots()
for name, color in zip(digits, ("class0", "class3", "class1"), strict=True):
    three = torch.tensor([accuracies for accuracies, _, _ in digits[name]])  # (3, 10)
    ax.fill_between(range(1, 11), three.amin(0), three.amax(0), color=plotting.COLORS[color], alpha=0.25)
    ax.plot(range(1, 11), three.mean(0), "o-", color=plotting.COLORS[color], label=name)
ax.set(xlabel="epoch", ylabel="test accuracy", ylim=(0.6, 1), title="Nothing crashes, everything is slower")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Test accuracy over ten epochs, mean and range of three seeds. Logits start near 0.9 and rise to about 0.94. Probabilities at the same rate start below 0.7 and lag behind all the way. With the larger rate they come closer, and stay below.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
for name, results in digits.items():
    last = [f"{accuracies[-1]:.1%}" for accuracies, _, _ in results]
    loss = [f"{losses[-1]:.2f}" for _, losses, _ in results]
    missing = [10 - len(logits.argmax(dim=1).unique()) for _, _, logits in results]
    print(f"{name:22} accuracy {last}, training loss {loss}, digits never said {missing}")

# %% slideshow={"slide_type": "skip"}
best = {name: max(accuracies[-1] for accuracies, _, _ in results) for name, results in digits.items()}
worst = {name: min(accuracies[-1] for accuracies, _, _ in results) for name, results in digits.items()}
assert worst["logits, lr 0.3"] > 0.93 > best["probabilities, lr 0.3"] and worst["probabilities, lr 1"] > 0.88
assert min(losses[-1] for _, losses, _ in digits["probabilities, lr 1"]) > 1.46

# %% [markdown] slideshow={"slide_type": "fragment"}
# After ten epochs the mistake costs three to ten points of accuracy. The worst run lost a **whole digit**: the network never says it once. The larger learning rate makes up for most of it (in a trial with lr 3 all but half a point), which is why the bug lives on in many programs: it looks like a network that wants more tuning.
#
# How to recognise it: **the training loss will not go below 1.46** (for ten classes; $\log(e + k - 1) - 1$ for $k$) while the accuracy is good.
#
# By the way, *log*-probabilities passed by mistake do no harm: softmax of $\log p$ is $p$.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 11 · Rare classes
#
# In many problems that matter one class is rare: fraud, disease, a broken part. Take 95 : 5. Always saying "common" is right 95% of the time, and useless.
#
# A **weighted** loss lets an example of class $c$ count $w_c$ times. The mean is then divided **by the sum of the weights**, not by the number of examples, so that weights (2, 2) give the same as (1, 1). By hand: losses 1 and 3, weights 1 and 4 give $(1 \cdot 1 + 4 \cdot 3)/(1 + 4) = 2.6$.

# %% slideshow={"slide_type": "subslide"}
logits, y = torch.tensor([[0.0, 1.0], [1.0, -1.0], [0.5, 0.5]]), torch.tensor([0, 1, 0])
weight = torch.tensor([1.0, 4.0])
each = F.cross_entropy(logits, y, reduction="none")  # (3,)
print("losses ", [round(v, 3) for v in each.tolist()], " weights", weight[y].tolist())
print("by hand", round(((weight[y] * each).sum() / weight[y].sum()).item(), 4))
print("torch  ", round(F.cross_entropy(logits, y, weight).item(), 4))
copies = torch.tensor([0, 1, 1, 1, 1, 2])  # the rare example four times
print("copied ", round(F.cross_entropy(logits[copies], y[copies]).item(), 4))

# %% [markdown] slideshow={"slide_type": "notes"}
# A weight of 4 is the same as having the example four times: nothing more, nothing new is learned from it.
#
# **Exercise [05.weighted_cross_entropy](exercises/05_losses.ipynb)** ●●● Divide by the right thing.
#
# For two classes with one logit, `bce_with_logits` has `pos_weight`: class 1 counts that many times. There the mean is divided by the number of examples, as without it. (Same minimum, other scale.)
#
# Now the experiment: two overlapping clouds, 2,000 points, 5% of class 1, five data sets, judged on 20,000 new points. Weights 1 and 19, so that both classes have the same say.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("05.rare")

# %% slideshow={"slide_type": "skip"}
def rare(n, seed):
    g = torch.Generator().manual_seed(seed)
    y = (torch.rand(n, generator=g) < 0.05).long()
    return torch.randn(n, 2, generator=g) + y[:, None] * torch.tensor([1.8, 1.2]), y


def fit_rare(weight, seed):
    """Accuracy, share of rare points found, share of common ones falsely called rare, mean p on new points."""
    X, y = rare(2000, seed)
    W, b = torch.zeros(2, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
    descend(lambda: F.cross_entropy(X @ W.T + b, y, weight), [W, b], lr=1.0, steps=400)
    X_new, y_new = rare(20000, 100 + seed)
    p = torch.softmax(X_new @ W.T + b, dim=1)[:, 1].detach()
    called = (p > 0.5).long()
    return torch.stack([(called == y_new).float().mean(), called[y_new == 1].float().mean(),
                        called[y_new == 0].float().mean(), p.mean()])

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
weighted = {}
for name, weight in {"no weights   ": None, "weights 1, 19": torch.tensor([1.0, 19.0])}.items():
    weighted[name.strip()] = results = torch.stack([fit_rare(weight, seed) for seed in range(5)])  # (5, 4)
    low, high = results.amin(0), results.amax(0)
    for k, what in enumerate(("accuracy", "rare points found", "false alarms", "mean p of rare")):
        print(f"{name}  {what:18} {low[k]:.2f} to {high[k]:.2f}")

# %% slideshow={"slide_type": "skip"}
plain, heavy = weighted["no weights"], weighted["weights 1, 19"]
assert plain[:, 0].min() > 0.95 and plain[:, 1].max() < 0.5 and heavy[:, 1].min() > 0.8
assert heavy[:, 0].max() < 0.9 and heavy[:, 3].min() > 0.2 and (plain[:, 3] - 0.05).abs().max() < 0.02

# %% [markdown] slideshow={"slide_type": "fragment"}
# Without weights the network is right 96% of the time and finds only 32% to 44% of what we look for. With weights it finds 85% to 89%, and pays: it raises a false alarm for about every seventh common point, and the accuracy **falls** to 84–87%.
#
# A second price is easily overlooked. Without weights the mean probability of "rare" was about 5%, which is true. With weights it says 22–26% on average. **Weighted probabilities are no longer probabilities of the world you live in.** One can get nearly the same decisions by leaving the loss alone and calling "rare" from $p > 0.05$ on; lesson 11 does that.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 12 · Not quite so sure
#
# Cross-entropy always wants more: for a right answer it falls towards 0 only as the logits run apart without end. So networks can become surer than they should be. **Label smoothing** asks for less: of the target it takes a share $\varepsilon$ and spreads it evenly over **all** $k$ classes. For $k = 4$ and $\varepsilon = 0.1$ the one-hot row $(1, 0, 0, 0)$ becomes $(0.925, 0.025, 0.025, 0.025)$, and the loss is $-\sum_j t_j \log p_j$.

# %% slideshow={"slide_type": "subslide", "show": "output"}
gap = torch.linspace(0, 12, 1201)  # how far the right logit is above the nine others
z = torch.zeros(1201, 10)
z[:, 0] = gap
y = torch.zeros(1201, dtype=torch.long)
fig, ax = plt.subplots()
for eps, color in ((0.0, "class0"), (0.1, "class1"), (0.3, "class3")):
    loss = F.cross_entropy(z, y, label_smoothing=eps, reduction="none")
    ax.plot(gap, loss, color=plotting.COLORS[color], label=f"ε = {eps:g}")
    if eps:
        ax.plot(gap[loss.argmin()], loss.min(), "o", color=plotting.COLORS[color], markersize=10)
        print(f"ε = {eps}: best gap {gap[loss.argmin()]:.2f}")
ax.set(xlabel="right logit above the others by", ylabel="cross-entropy, ten classes")
ax.set_title("With smoothing there is such a thing as sure enough")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three curves over the lead of the right logit. Without smoothing the curve falls towards zero for ever. With $\varepsilon = 0.1$ it has its lowest point at 4.5, with 0.3 at 3.2, and rises after it.

# %% [markdown] slideshow={"slide_type": "notes"}
# The slope $p - t$ is zero where softmax equals the target. So the best gap is $\log(0.91/0.01) = \log 91 = 4.51$. (And no loss below 0.50 is possible then. A smoothed loss must not be compared with a plain one.) Does it act on the digits?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
smoothed = [train_digits(lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1), 0.3, seed) for seed in range(3)]
sure = {}
for name, results in {"plain": digits["logits, lr 0.3"], "smoothed": smoothed}.items():
    sure[name] = [torch.softmax(logits, dim=1).amax(dim=1).mean().item() for _, _, logits in results]
    accuracy = [f"{accuracies[-1]:.1%}" for accuracies, _, _ in results]
    print(f"{name:8} test accuracy {accuracy}, mean largest probability {[f'{v:.2f}' for v in sure[name]]}")

# %% slideshow={"slide_type": "skip"}
assert max(sure["smoothed"]) < 0.88 < 0.91 < min(sure["plain"]) < 0.97
assert min(a[-1] for a, _, _ in smoothed) > 0.935
assert all(s[0][-1] > p[0][-1] + 0.003 for s, p in zip(smoothed, digits["logits, lr 0.3"], strict=True))

# %% [markdown] slideshow={"slide_type": "fragment"}
# It acts. The largest probability fell from 0.94 to 0.82 on average, and the accuracy even rose, by half a point or more, in all three seeds. But look twice: of the plain network's answers 94% were right, and 94% is what it said. Here there was nothing to mend, and smoothing made it **too** modest. Lesson 11 measures such things with care; lesson 09 looks at smoothing as a regulariser.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 13 · The whole box
#
# Now all losses as functions, in the form that later lessons import from `utils.built.losses`. Each computes one loss per example, and in the end `reduce` makes the mean or the sum of them, or leaves them alone (`reduction="none"`). Look out for one thing: **a sum grows with the batch, a mean does not**, and their gradients likewise.
#
# (If you want to write the exercises without seeing this, do them first.)

# %% tags=["long"] slideshow={"slide_type": "skip"}
def reduce(losses, reduction="mean"):
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    return losses.mean() if reduction == "mean" else losses.sum()


def same_shape(a, b):  # lesson 03: (n,) and (n, 1) would be stretched against each other
    if a.shape != b.shape:
        raise ValueError(f"both must have one shape, not {tuple(a.shape)} and {tuple(b.shape)}")


def mse(y_hat, y, reduction="mean"):
    same_shape(y_hat, y)
    return reduce((y_hat - y) ** 2, reduction)


def mae(y_hat, y, reduction="mean"):
    same_shape(y_hat, y)
    return reduce((y_hat - y).abs(), reduction)


def huber(y_hat, y, delta=1.0, reduction="mean"):
    same_shape(y_hat, y)
    size = (y_hat - y).abs()
    return reduce(torch.where(size < delta, size**2 / 2, delta * (size - delta / 2)), reduction)


def smooth_l1(y_hat, y, beta=1.0, reduction="mean"):
    same_shape(y_hat, y)
    if beta == 0:
        return mae(y_hat, y, reduction)
    size = (y_hat - y).abs()
    return reduce(torch.where(size < beta, size**2 / (2 * beta), size - beta / 2), reduction)

# %% [markdown] slideshow={"slide_type": "skip"}
# Two classes. (`bce` takes probabilities; the logarithms are cut off at −100 as in torch, before the logarithm is taken, so that no `inf` comes about. Use `bce_with_logits`.)

# %% tags=["long"] slideshow={"slide_type": "skip"}
def zero_one(y_hat, y, reduction="mean"):
    same_shape(y_hat, y)
    return reduce((y_hat != y).to(torch.get_default_dtype()), reduction)


def hinge(scores, y, reduction="mean"):
    same_shape(scores, y)
    return reduce((1 - y * scores).clamp(min=0), reduction)


def bce(p, y, reduction="mean"):
    same_shape(p, y)
    smallest = torch.exp(torch.tensor(-100.0, dtype=p.dtype))
    log_p, log_q = torch.log(torch.maximum(p, smallest)), torch.log(torch.maximum(1 - p, smallest))
    return reduce(-(y * log_p + (1 - y) * log_q), reduction)


def bce_with_logits(z, y, pos_weight=None, reduction="mean"):
    same_shape(z, y)
    times = 1 if pos_weight is None else pos_weight
    return reduce(times * y * softplus(-z) + (1 - y) * softplus(z), reduction)

# %% [markdown] slideshow={"slide_type": "notes"}
# Many classes, with class weights and label smoothing. With both, the smoothed part is weighted class by class, and the mean is divided by the weights of the true classes: so does torch.

# %% tags=["long"] slideshow={"slide_type": "fragment"}
def nll(log_p, y, weight=None, reduction="mean"):
    losses = -log_p[torch.arange(len(y)), y]  # (B,)
    if weight is None:
        return reduce(losses, reduction)
    losses = weight[y] * losses
    return losses.sum() / weight[y].sum() if reduction == "mean" else reduce(losses, reduction)


def cross_entropy(logits, y, weight=None, label_smoothing=0.0, reduction="mean"):
    log_p = log_softmax(logits, dim=1)  # (B, k)
    if label_smoothing == 0:
        return nll(log_p, y, weight, reduction)
    weight = torch.ones_like(log_p[0]) if weight is None else weight  # (k,)
    right = nll(log_p, y, weight, "none")  # (B,)
    everywhere = -(weight * log_p).mean(dim=1)  # (B,): each class asked for equally
    losses = (1 - label_smoothing) * right + label_smoothing * everywhere
    return losses.sum() / weight[y].sum() if reduction == "mean" else reduce(losses, reduction)

# %% [markdown] slideshow={"slide_type": "notes"}
# Are they torch's? We compare **value and gradient**, in float64, for all three reductions, on ordinary inputs and on extreme ones: every number in the input is 0 or ±10,000. (torch has no plain hinge. Its ranking loss against a rival with score 0 is the same thing.)

# %% tags=["long"] slideshow={"slide_type": "skip"}
def largest_differences(ours, theirs, x, y):
    """Largest difference in value and in gradient, over the three reductions; relative where numbers are large."""
    worst = [0.0, 0.0]
    for reduction in ("mean", "sum", "none"):
        leaf = x.clone().requires_grad_()
        pair = [f(leaf, y, reduction=reduction) for f in (ours, theirs)]
        slopes = [torch.autograd.grad(value.sum(), leaf)[0] for value in pair]
        for k, (a, b) in enumerate((pair, slopes)):
            assert a.isfinite().all()
            worst[k] = max(worst[k], ((a - b).abs() / b.abs().clamp(min=1)).max().item())
    return worst


g = torch.Generator().manual_seed(0)
ordinary = torch.randn(30, 5, generator=g, dtype=torch.float64) * 3
extreme = 1e4 * torch.randint(-1, 2, (30, 5), generator=g).double()
number = torch.randn(30, 5, generator=g, dtype=torch.float64)
yes_no = torch.randint(0, 2, (30, 5), generator=g).double()
classes = torch.randint(0, 5, (30,), generator=g)
w5 = torch.tensor([1.0, 19.0, 0.5, 2.0, 3.0], dtype=torch.float64)


def ranking(s, y, reduction):
    return F.margin_ranking_loss(s, torch.zeros_like(s), y, margin=1.0, reduction=reduction)

# %% tags=["long", "nbval-ignore-output"] slideshow={"slide_type": "skip"}
def given(f, **settings):
    """f with some of its settings filled in."""
    return lambda x, y, reduction: f(x, y, reduction=reduction, **settings)


bce_torch = F.binary_cross_entropy_with_logits
both = {"weight": w5, "label_smoothing": 0.1}


pairs = {
    "mse": (mse, F.mse_loss, number),
    "mae": (mae, F.l1_loss, number),
    "huber, delta 2": (given(huber, delta=2.0), given(F.huber_loss, delta=2.0), number),
    "smooth_l1, beta 0.5": (given(smooth_l1, beta=0.5), given(F.smooth_l1_loss, beta=0.5), number),
    "hinge": (hinge, ranking, 2 * yes_no - 1),
    "bce after a sigmoid": (lambda z, y, reduction: bce(torch.sigmoid(z), y, reduction),
                            lambda z, y, reduction: F.binary_cross_entropy(torch.sigmoid(z), y, reduction=reduction),
                            yes_no),
    "bce_with_logits": (bce_with_logits, bce_torch, yes_no),
    "  pos_weight": (given(bce_with_logits, pos_weight=w5), given(bce_torch, pos_weight=w5), yes_no),
    "nll of log_softmax": (lambda z, y, reduction: nll(log_softmax(z), y, reduction=reduction),
                           lambda z, y, reduction: F.nll_loss(torch.log_softmax(z, 1), y, reduction=reduction), classes),
    "cross_entropy": (cross_entropy, F.cross_entropy, classes),
    "  weights": (given(cross_entropy, weight=w5), given(F.cross_entropy, weight=w5), classes),
    "  smoothing": (given(cross_entropy, label_smoothing=0.1), given(F.cross_entropy, label_smoothing=0.1), classes),
    "  both": (given(cross_entropy, **both), given(F.cross_entropy, **both), classes),
    "log_sum_exp": (lambda z, y, reduction: log_sum_exp(z), lambda z, y, reduction: torch.logsumexp(z, -1), classes),
}
print(f"{'largest difference of':22}{'value':>9}{'gradient':>10}   at ±10,000:{'value':>9}{'gradient':>10}")
differences = {name: largest_differences(ours, theirs, ordinary, y) + largest_differences(ours, theirs, extreme, y)
               for name, (ours, theirs, y) in pairs.items()}
for name, (v, s, v_far, s_far) in differences.items():
    print(f"{name:22}{v:9.0e}{s:10.0e}{'':15}{v_far:9.0e}{s_far:10.0e}")

# %% slideshow={"slide_type": "skip"}
assert max(max(row) for row in differences.values()) < 1e-11

# %% [markdown] slideshow={"slide_type": "notes"}
# All of them are torch's, up to rounding (but for the gradient of `bce` at a $p$ within $10^{-12}$ of 0 or 1: section 6). Nothing overflowed, forwards or backwards. The 0–1 loss has no gradient and no counterpart in torch; it is 1 minus the accuracy.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 14 · Which one when
#
# | task | noise or model | loss | the last layer gives |
# |---|---|---|---|
# | a number, ordinary errors | Gaussian | MSE | the number |
# | a number, some wild errors | Laplace; bell with long tails | MAE; Huber, smooth L1 | the number |
# | yes or no (or several yes/no at once) | Bernoulli | BCE with logits | one logit each |
# | one of $k$ | categorical | cross-entropy | $k$ logits |
# | yes or no, no probabilities wanted | – | hinge | a score |
# | rare classes | reweighted | weights, `pos_weight` | logits |
# | too sure | a little doubt in the labels | label smoothing | logits |
#
# And to judge: count what you care about. Such a count is called a **metric**. The loss is for the network, the metric for you.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## What to remember
#
# - A loss measures, guides and carries wishes. Gradient descent feels its slope only: the 0–1 loss has none.
# - MSE finds the mean and lets an outlier pull without bound; MAE finds the median and gives one vote each; Huber and smooth L1 lie between. None protects against a point far out in $x$.
# - MSE is the negative log-likelihood of Gaussian noise, MAE of Laplace, BCE of a coin, cross-entropy of a die. The best loss fits the noise.
# - Logits go into the loss: softplus and log-sum-exp keep value and gradient safe. A training loss that hangs at $\log(e + k - 1) - 1$ means softmax was done twice.
# - Weights find more of the rare class, for more false alarms and for probabilities that are no longer true. Smoothing makes "sure enough" possible, and lifts the loss's floor.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. Delivery times: 20, 21, 22, 23 and 94 minutes. What does a constant model say under MSE, under MAE?</summary>
#
# 36 (the mean) and 22 (the median). No delivery took anything like 36 minutes.
# </details>
#
# <details><summary>2. Your ten-class network has a training loss of 2.31 after the first batch. Is something wrong?</summary>
#
# No. $\log 10 = 2.30$ is what knowing nothing costs.
# </details>
#
# <details><summary>3. A colleague's loss is stuck at 1.50, with ten classes and 97% accuracy on the training set. What do you look for?</summary>
#
# A softmax at the end of the network before `cross_entropy`. The floor is then 1.46.
# </details>
#
# <details><summary>4. A point of class 1 has z = −8. What slope does BCE give at the logit, and what slope MSE on the sigmoid?</summary>
#
# $p \approx 0.0003$. BCE: $p - y \approx -1$. MSE: $2(p - 1)\,p\,(1 - p) \approx -0.0007$.
# </details>
#
# <details><summary>5. Losses 2, 2 and 8 with weights 1, 1 and 2: what is the weighted mean?</summary>
#
# $(2 + 2 + 16)/(1 + 1 + 2) = 5$. Divided by 3 it would be 6.67.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/05_losses.ipynb](exercises/05_losses.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 05.mse | mean squared error | ● |
# | 05.mae | mean absolute error | ● |
# | 05.fit_by_loss | the best constant for each loss | ●● |
# | 05.smooth_l1 | with any β | ●● |
# | 05.bce_with_logits | safe at ±10,000 | ●●● |
# | 05.hinge | targets ±1 | ● |
# | 05.cross_entropy | from logits and class numbers | ●● |
# | 05.weighted_cross_entropy | divided by the right thing | ●●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# All along torch has found the slopes for us. [Lesson 06](06_backprop.ipynb) builds the machine that does it, from nothing but the chain rule.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - P. J. Huber (1964). *Robust estimation of a location parameter.* The loss of section 4.
# - C. Cortes, V. Vapnik (1995). *Support-vector networks.* Hinge and margin.
# - C. M. Bishop (2006). *Pattern recognition and machine learning.* Losses as likelihoods, chapters 1, 3 and 4.
# - R. Girshick (2015). *Fast R-CNN.* Smooth L1.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna (2016). *Rethinking the Inception architecture for computer vision.* Label smoothing.
# - P. Blanchard, D. J. Higham, N. J. Higham (2021). *Accurately computing the log-sum-exp and softmax functions.* Section 9.
