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
# # 16 · Two networks in a contest
#
# **The question:** How can a network learn to make new pictures, when nobody can write down a loss that says what a good picture is?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - say what generator and discriminator play for, and what the best discriminator answers at every place;
# - choose the generator's loss by its gradient, and write one step of the contest with `detach` in the right place;
# - recognise mode collapse, measure it over several seeds, and mend it on a small example;
# - train a small convolutional generator of digits and walk through its latent space;
# - judge made pictures with a classifier and against controls, and say what such a judge cannot see.
#
# **Needs:** [lesson 12](12_cnn.ipynb), and the habits of lessons 07 and 11 · **Read:** 55 minutes · **Run:** 45 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, explore, plotting
from utils.built.convolution import LeNet
from utils.built.layers import count_parameters
from utils.training import fit

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 1 · A loss that learns
#
# So far every picture came with a right answer. Now there is none: we want **new** digits, like those of MNIST but not among them. Which loss says "this looks like a digit"? Mean squared error against what?
#
# The idea of Goodfellow and others (2014): let a second network be the loss.
#
# - The **generator** $G$ turns random numbers $z$ (the **latent vector**, or code) into data: $x = G(z)$.
# - The **discriminator** $D$ sees real and made data and gives the probability that what it sees is **real**.
#
# $D$ learns to tell them apart. $G$ learns to make $D$ err. Together they are a **generative adversarial network**, a **GAN**.

# %% [markdown] slideshow={"slide_type": "notes"}
# We begin where everything can be seen: data are single numbers. Half of them lie around −1.5, half around 1.5. Their **density** says how often a number is met: the area under it between two places is the share of numbers there. (A real GAN never knows it. We do, so that we can check.)

# %% slideshow={"slide_type": "fragment", "show": "output"}
grid = torch.linspace(-4, 4, 161)  # places at which we look, 0.05 apart


def bell(x, middle, width):
    """Density of a normal distribution."""
    return torch.exp(-(((x - middle) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))


def p_data(x):
    return (bell(x, -1.5, 0.5) + bell(x, 1.5, 0.5)) / 2


def real_numbers(n):
    side = torch.where(torch.rand(n, 1) < 0.5, -1.5, 1.5)
    return side + 0.5 * torch.randn(n, 1)  # (n, 1)


def small_net():
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


torch.manual_seed(0)
G, D = small_net(), small_net()  # both take one number and give one number
print("real:", [round(x, 2) for x in real_numbers(6)[:, 0].tolist()])
print("made:", [round(x, 2) for x in G(torch.randn(6, 1))[:, 0].tolist()])

# %% [markdown] slideshow={"slide_type": "notes"}
# The last layer of $D$ gives a logit, and the sigmoid makes a probability of it, as in lesson 05. $G$ gets a number $z$ drawn from the bell with mean 0 and width 1, written $z \sim \mathcal N(0, 1)$ (read $\sim$ as *drawn from*). Untrained, it makes almost the same number of every $z$. It will have to learn to bend one bell into two. And mark this: **the generator never sees a real number.** It only hears what $D$ says of its own.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 2 · What they play for
#
# Say $D$ gives a real number 0.9 and a made one 0.2. As a binary classifier it is scored by the log-likelihood of lesson 05: $\ln 0.9$ for the real one, and $\ln(1 - 0.2)$ for the made one. Sum: $-0.105 - 0.223 = -0.329$. Always right and sure: $0$, the most there is. Always one half: $2 \ln 0.5 = -1.386$.
#
# Averaged over all data, this is the **value** of the game ($\mathbb E$: the mean over):
#
# $$V(D, G) = \mathbb E_{\text{real } x}\big[\ln D(x)\big] + \mathbb E_{z}\big[\ln(1 - D(G(z)))\big]$$
#
# $D$ wants it large, $G$ wants it small: a **minimax** game, $\min_G \max_D V$.

# %% [markdown] slideshow={"slide_type": "notes"}
# Optimizers go downhill, so $D$'s loss is $-V$. With logits $a$, $-\ln \sigma(a)$ is `softplus(-a)` and $-\ln(1 - \sigma(a))$ is `softplus(a)` (lesson 05), which never overflows.
#
# **Exercise [16.discriminator_loss](exercises/16_gan.ipynb)** ● Two means, with the right sign each. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def discriminator_loss(real_logits, fake_logits):
    """−V: cross-entropy with target 1 for real and 0 for made."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


pairs = torch.tensor([[0.9, 0.2], [0.5, 0.5], [0.2, 0.9]], dtype=torch.float64)
for real, made in pairs:
    ours = discriminator_loss(real.logit(), made.logit())
    torchs = F.binary_cross_entropy(real, torch.ones_like(real)) + F.binary_cross_entropy(made, torch.zeros_like(made))
    print(f"D(real) {real:.1f}  D(made) {made:.1f}:  loss {ours:.4f}   torch's two cross-entropies {torchs:.4f}")
    assert torch.allclose(ours, torchs)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 3 · The best discriminator
#
# Hold the generator still. At some place $x$ the density of the data is 0.3 and that of the made numbers 0.1. What should $D$ say there?

# %% slideshow={"show": "output"}
explore.predict("16.best")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Of four numbers met at this place, three are real. So the best answer is their share:
#
# $$D^*(x) = \frac{p_\text{data}(x)}{p_\text{data}(x) + p_\text{model}(x)}$$
#
# <details><summary>Why no other answer is better</summary>
#
# At $x$ the value gains $p \ln d + q \ln(1 - d)$, with $p$ and $q$ for the two densities and $d$ for the answer. Its derivative by $d$ is $p/d - q/(1-d)$. It is zero where $p(1 - d) = qd$, that is at $d = p/(p+q)$; to the left of it the derivative is positive, to the right negative. So this is the maximum, at every place by itself.
# </details>
#
# **Exercise [16.best_discriminator](exercises/16_gan.ipynb)** ● The share, also where both densities are zero. (Before you look at the next cell.)

# %% slideshow={"slide_type": "fragment"}
def best_discriminator(p_data, p_model):
    total = p_data + p_model
    nowhere = total == 0  # nothing is ever met there: any answer will do, so one half
    return torch.where(nowhere, 0.5, p_data / torch.where(nowhere, 1.0, total))


print(best_discriminator(torch.tensor([0.3, 0.2, 0.2, 0.0, 0.0]), torch.tensor([0.1, 0.2, 0.0, 0.4, 0.0])))

# %% [markdown] slideshow={"slide_type": "notes"}
# Does a network find it? Our made numbers shall come from one bell round 0.5, and stay so. We train $D$ alone: it sees numbers only, never a density.

# %% slideshow={"slide_type": "subslide"}
def fixed_numbers(n):
    return 0.5 + torch.randn(n, 1)


torch.manual_seed(0)
D = small_net()
adam = torch.optim.Adam(D.parameters(), lr=0.01)
for _ in range(400):
    loss = discriminator_loss(D(real_numbers(256)), D(fixed_numbers(256)))
    adam.zero_grad()
    loss.backward()
    adam.step()

p, q = p_data(grid), bell(grid, 0.5, 1.0)
found = D(grid[:, None])[:, 0].sigmoid().detach()
best = best_discriminator(p, q)
often = p + q > 0.05  # where numbers are met at all
off = (found - best)[often].abs()

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, (top, low) = plt.subplots(2, 1, figsize=(8, 5.4), sharex=True, layout="constrained")
for density, role, name in ((p, "class0", "data"), (q, "class1", "made")):
    top.fill_between(grid, density, color=plotting.COLORS[role], alpha=0.3)
    top.plot(grid, density, color=plotting.COLORS[role], label=name)
top.set(ylabel="density", ylim=(0, 0.5), title="Trained on numbers alone, D finds the share of the data")
top.legend(loc="upper right")
low.plot(grid[often], best[often], "--", color=plotting.COLORS["muted"], lw=4, label="formula")
low.plot(grid[often], found[often], color=plotting.COLORS["accent"], label="network")
low.set(xlabel="x", ylabel="D(x)", ylim=(0, 1))
low.legend(loc="upper right");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Above, the data with two humps and the made numbers with one between them. Below, the formula dashed and the trained network on it: high at the left hump, where hardly anything is made, low in the gap at 0, higher again at the right hump, sinking towards the far right. (Where numbers are hardly ever met, nothing is drawn.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
print(f"network and formula differ by {off.mean():.3f} on average, at most by {off.max():.2f}")

# %% slideshow={"slide_type": "skip"}
assert off.mean() < 0.04 and off.max() < 0.25

# %% [markdown] slideshow={"slide_type": "notes"}
# So a good discriminator carries the **ratio of the two densities**, learned from samples. That is what the generator can learn from: where $D$ is high, too little is made.
#
# What does the game pay when $D$ is the best? If both densities are equal, $D^* = 1/2$ everywhere and $V = -2 \ln 2 = -1.386$. It cannot be lower: the more the two differ, the higher $V$, up to 0. (The exact statement: $V + 2\ln 2$ is twice the Jensen–Shannon divergence, a measure of how two distributions differ.) Let us slide a bell away from its twin.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def integral(y, x):
    return torch.trapezoid(y, x).item()


line = torch.linspace(-8, 24, 6401, dtype=torch.float64)
still = bell(line, 0.0, 1.0)
print("moved by   value with the best D")
values = []
for moved in (0, 0.5, 1, 2, 4, 8, 16):
    other = bell(line, moved, 1.0)
    answer = best_discriminator(still, other).clamp(1e-300, 1 - 1e-16)
    values.append(integral(still * answer.log() + other * (-answer).log1p(), line))
    print(f"{moved:8}   {values[-1]:.4f}")
assert abs(values[0] + 2 * math.log(2)) < 1e-6 and abs(values[-1]) < 1e-6

# %% [markdown] slideshow={"slide_type": "fragment"}
# From −1.386 for two equal bells up to 0. And here lies a trap: from 8 on hardly anything changes any more. Two distributions that do not overlap are told apart perfectly, however far away they are. The value is flat there, and a generator that walks downhill on it has **no slope**. At the start of training that is our situation: made pictures look like no digit at all. (Arjovsky and Bottou made this argument in 2017; the *Wasserstein* GAN answers it with another value.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 4 · Two losses for the generator
#
# By the game, $G$ should make $\ln(1 - D(G(z)))$ small. With the logit $a$ of a made example, $D = \sigma(a)$, the derivative by $a$ is $-\sigma(a) = -D$.
#
# At the start $D$ is sure: $D = 0.01$. Then the slope is 0.01. The worse the made example, the less it learns. This is the **saturating** loss.
#
# Goodfellow's way out: instead of making "made" unlikely, make "real" likely. Take the loss $-\ln D(G(z))$. It wants the same, but its slope is $-(1 - D)$: at $D = 0.01$ it is 0.99, **99 times** as much. This is the **non-saturating** loss, the usual one.
#
# **Exercise [16.generator_loss](exercises/16_gan.ipynb)** ● The non-saturating loss from logits. (Before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def generator_loss(fake_logits):
    return F.softplus(-fake_logits).mean()


def saturating_loss(fake_logits):
    return -F.softplus(fake_logits).mean()  # the mean of ln(1 − D)


print("   D     saturating   non-saturating")
for p in (0.5, 0.1, 0.01, 0.0001):
    a = torch.tensor([p], dtype=torch.float64).logit().requires_grad_()
    slopes = [torch.autograd.grad(f(a), a)[0].item() for f in (saturating_loss, generator_loss)]
    print(f"{p:7}   {slopes[0]:9.4f}   {slopes[1]:11.4f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# At $D = 1/2$ both pull alike. Now in a real network. Our generator makes numbers near 0; the data shall lie far away, at 4. We train $D$ alone, for 200 steps, and ask from time to time how large the gradient is that reaches the **weights of the generator**. It has to come through $D$, and who knows how steep $D$ is there?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.saturating")

# %% slideshow={"slide_type": "skip"}
def gradient_norm(loss, network):
    """Length of the gradient of a loss by all weights of a network."""
    parts = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts]).norm().item()


torch.manual_seed(0)
G, D = small_net(), small_net()
adam = torch.optim.Adam(D.parameters(), lr=0.002)
norms = {"non-saturating": [], "saturating": []}
for step in range(201):
    fake = G(torch.randn(256, 1))
    if step % 10 == 0:
        norms["non-saturating"].append(gradient_norm(generator_loss(D(fake)), G))
        norms["saturating"].append(gradient_norm(saturating_loss(D(fake)), G))
    loss = discriminator_loss(D(4 + 0.3 * torch.randn(256, 1)), D(fake.detach()))
    adam.zero_grad()
    loss.backward()
    adam.step()

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plt.subplots(figsize=(8, 4.2))[1]
for style, (name, row) in zip(("o-", "s--"), norms.items(), strict=True):
    ax.plot(range(0, 201, 10), row, style, label=name)
ax.set(yscale="log", xlabel="steps that D has been trained", ylabel="gradient of G's weights (norm)")
ax.set_title("The better D gets, the less the saturating loss teaches")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The two lines begin close together. While $D$ learns, the non-saturating gradient rises and stays high: at first $D$ was almost flat, now it is steep. The saturating one rises for a moment and then falls and falls, on a logarithmic axis: at the end it is more than a hundred times smaller.

# %% slideshow={"slide_type": "skip"}
assert norms["saturating"][-1] < norms["non-saturating"][-1] / 100
assert 0.4 < norms["saturating"][0] / norms["non-saturating"][0] < 2
assert norms["non-saturating"][-1] > 5 * norms["non-saturating"][0] and D(fake).sigmoid().max() < 0.01

# %% [markdown] slideshow={"slide_type": "notes"}
# A misconception to lose: *"the discriminator should not get too good, or the generator learns nothing"*. That is true of the saturating loss. With the non-saturating one the gradient is there; whether it is a **useful** one, with a $D$ that is sure everywhere, is another matter.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 5 · One step: alternate, and detach
#
# One **step** of the contest has two halves, each with its own optimizer:
#
# 1. **$D$ learns.** Real data and made data go through $D$; its loss goes backward; `opt_d.step()`.
# 2. **$G$ learns.** Made data go through the **new** $D$; the generator's loss goes backward, **through** $D$ into $G$; `opt_g.step()`.
#
# In the first half the gradient must not run on into $G$: we cut with `fake.detach()` (lesson 06). In the second half it must run through $D$. There it leaves gradients behind in $D$'s weights too; nobody uses them. In each half, `zero_grad` stands just before `backward`, so `opt_d.zero_grad()` wipes them away before $D$ learns again.

# %% slideshow={"slide_type": "subslide"}
def shares_of_gradient(cut):
    """Which network gets a gradient from the discriminator's loss?"""
    torch.manual_seed(0)
    G, D = small_net(), small_net()
    fake = G(torch.randn(64, 1))
    discriminator_loss(D(real_numbers(64)), D(fake.detach() if cut else fake)).backward()
    return {name: any(p.grad is not None for p in net.parameters()) for name, net in (("D", D), ("G", G))}, G


print("with detach:   ", shares_of_gradient(cut=True)[0])
print("without detach:", shares_of_gradient(cut=False)[0])

# %% [markdown] slideshow={"slide_type": "fragment"}
# What would that gradient do to $G$, if we forgot both `detach` and `zero_grad`? Compare its direction with the one that $G$ wants, by the cosine of the angle between them: 1 is the same direction, −1 the opposite.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def direction(loss, network):
    parts = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


torch.manual_seed(0)
G, D = small_net(), small_net()
fake = G(torch.randn(256, 1))
wanted = direction(generator_loss(D(fake)), G)
leaked = direction(discriminator_loss(D(real_numbers(256)), D(fake)), G)
cosine = F.cosine_similarity(wanted, leaked, dim=0).item()
print(f"cosine between the two gradients: {cosine:.3f}")

# %% slideshow={"slide_type": "skip"}
assert cosine < -0.9

# %% [markdown] slideshow={"slide_type": "notes"}
# Nearly opposite, of course: $D$'s loss falls when made numbers are easy to recognise. A gradient that leaks makes the generator **help its opponent**. If each half makes its own data and `zero_grad` stands in the right place, the leak does no harm; it only costs time. If both halves share one `fake`, as ours will, then without `detach` torch stops with an error in the second: the first has thrown the stored numbers of $G$ away (lesson 06).
#
# **Exercise [16.gan_step](exercises/16_gan.ipynb)** ●●● One whole step, with the cut and the wiping in the right places. (Before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def learn_to_tell(D, optimizer, real, fake):
    """First half: only D moves."""
    loss = discriminator_loss(D(real), D(fake.detach()))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def learn_to_fool(D, optimizer, fake):
    """Second half: only the generator, whose weights the optimizer has, moves."""
    loss = generator_loss(D(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 10}
# ## 6 · The contest in one dimension
#
# Now both learn in turn. Every 20 steps we keep a **frame**: the density of the made numbers, and what $D$ says at each place. We cannot compute $G$'s density, so we estimate it from 2,000 of its numbers: each becomes a narrow bell of width 0.1, and we take their mean (a **kernel density estimate**).

# %% tags=["long"] slideshow={"slide_type": "skip"}
def made_density(G):
    """Estimate of the density of G(z) on the grid."""
    with torch.no_grad():
        numbers = G(torch.randn(2000, 1))  # (2000, 1)
    return bell(grid, numbers, 0.1).mean(dim=0)  # (2000, 161) to (161,)


def contest(seed, steps=800, lr_g=0.001, lr_d=0.01, batch_size=128):
    """Train a generator of numbers against a discriminator; what is recorded is a list of frames."""
    torch.manual_seed(seed)
    G, D = small_net(), small_net()
    opt_g = torch.optim.Adam(G.parameters(), lr_g, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr_d, betas=(0.5, 0.99))
    frames = []
    for step in range(steps + 1):
        fake = G(torch.randn(batch_size, 1))
        loss_d = learn_to_tell(D, opt_d, real_numbers(batch_size), fake)
        loss_g = learn_to_fool(D, opt_g, fake)
        if step % 20 == 0:
            with torch.no_grad():
                says = D(grid[:, None])[:, 0].sigmoid()
            frame = {"step": step, "p_model": made_density(G), "discriminator": says}
            frames.append({**frame, "loss_d": loss_d, "loss_g": loss_g})
    return frames


def overlap(frame):
    """Area under both densities: 1 if they are equal."""
    return integral(torch.minimum(p_data(grid), frame["p_model"]), grid)

# %% [markdown] slideshow={"slide_type": "notes"}
# Two settings differ from lesson 07. Adam's two numbers are 0.5 and 0.99 instead of 0.9 and 0.999: less **momentum**, as Radford and others (2016) advise, and a shorter memory. In a contest the ground moves, and old gradients point to where the opponent was. And $D$'s learning rate is ten times $G$'s, so that $D$ is near its best for the present $G$ (section 7 shows the contrary). With 0.002 for $G$ and 0.005 for $D$, when we tried, the overlap never passed 0.8. (About five seconds.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
runs = [contest(seed) for seed in range(2)]
for seed, frames in enumerate(runs):
    row = "  ".join(f"{overlap(frames[k]):.2f}" for k in (0, 5, 10, 20, 30, 40))
    print(f"seed {seed}: overlap at steps 0, 100, 200, 400, 600, 800:  {row}")

# %% slideshow={"slide_type": "skip"}
assert min(max(overlap(frame) for frame in frames[20:]) for frames in runs) > 0.7
assert max(overlap(frames[0]) for frames in runs) < 0.2

# %% slideshow={"show": "output"}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.6), sharey=True, layout="constrained")
for ax, k in zip(axes, (0, 5, 10, 40), strict=True):
    ax.fill_between(grid, p_data(grid), color=plotting.COLORS["class0"], alpha=0.3)
    ax.plot(grid, p_data(grid), color=plotting.COLORS["class0"], label="data")
    ax.plot(grid, runs[0][k]["p_model"], color=plotting.COLORS["class1"], label="made")
    ax.plot(grid, runs[0][k]["discriminator"], "--", color=plotting.COLORS["accent"], label="D(x)")
    ax.set(ylim=(0, 1.05), xlabel="x", title=f"step {20 * k}")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
fig.suptitle("One bell becomes two, and D loses its grip");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four moments of one contest. Step 0: all made numbers stand in one needle at 0, far higher than the axis; $D$ says about one half everywhere. Step 100: the made numbers have spread over both humps and the gap; $D$ has a hump over each hump of the data and a hole between. Step 200: two peaks, somewhat too far out. Step 800: two humps, nearly those of the data, and $D$ is near one half where numbers are, but for the gap.

# %% [markdown] slideshow={"slide_type": "notes"}
# And the losses? In all lessons before, a falling loss on held-out data meant progress.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.loss")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: the contest, frame by frame
#
# *Who is ahead, and what does it do next?* These are the frames of your own run. Play them, or step with the arrow keys; arrows show where made numbers are pushed.
#
# - **Try** to stop where $D$ is far above one half at one hump: which way will the made numbers move in the next frames?
# - **Then** show the best discriminator. Find a frame in which $D$ follows it, and the best overlap.
# - **Notice** what both losses do while the overlap grows.
# - **Challenge:** find a later frame with nearly the loss of the best one, though its overlap is clearly poorer (the explorer names the numbers).

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.contest(runs[0], grid=grid, p_data=p_data(grid))

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three of the frames: above, the density of the data and of the made numbers, below, what $D$ says (solid) and what the best discriminator would say (dashed). At the start $D$ knows nothing yet and lies far from the dashed line. Later it follows it roughly, where numbers are met. The overlap stands above each frame, from a few percent to more than 80%. Now both losses over the whole run.

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
steps = [frame["step"] for frame in runs[0]]
left.plot(steps, [frame["loss_d"] for frame in runs[0]], color=plotting.COLORS["accent"], label="discriminator")
left.plot(steps, [frame["loss_g"] for frame in runs[0]], color=plotting.COLORS["class1"], label="generator")
left.axhline(2 * math.log(2), color=plotting.COLORS["muted"], linestyle=":")
left.axhline(math.log(2), color=plotting.COLORS["muted"], linestyle=":")
left.set(xlabel="step", ylabel="loss", ylim=(0, 2.5), title="Seed 0: the losses settle early …")
left.legend(loc="upper right")
for seed, (frames, style) in enumerate(zip(runs, ("-", "--"), strict=True)):
    right.plot(steps, [overlap(frame) for frame in frames], style, color=plotting.CLASS_COLORS[0], label=f"seed {seed}")
right.set(xlabel="step", ylabel="overlap with the data", ylim=(0, 1), title="… while the numbers get better")
right.legend(loc="lower right");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, both losses over 800 steps: after one jump at the start they hardly move, the discriminator's a little below or on the upper dotted line, the generator's nearly always between 0.7 and 0.95, slowly nearing the lower one. Right, the overlap of two seeds: a leap in the first 50 steps, a rest for some hundred, then a slow rise to about 0.85. (In seed 1 the generator's loss, not drawn, stays near 1.1 for more than 400 steps, then sinks below 0.9.)

# %% slideshow={"slide_type": "skip"}
later = [frame["loss_g"] for frame in runs[0] if frame["step"] >= 100]
assert sum(0.65 < loss < 1 for loss in later) >= 0.9 * len(later)
assert min(frames[-1]["loss_g"] for frames in runs) > 0.6  # it does not fall to 0
assert all(1.1 < frame["loss_d"] < 1.5 for frame in runs[0][-10:])

# %% [markdown] slideshow={"slide_type": "notes"}
# A loss here says how well one does **against the other**. When both get better at the same pace, it stays where it is. Untrained, with nearly all numbers wrong, this generator had a loss of about 0.9; hundreds of steps later, with most of them right, again. Near the end $D$ is at about $2 \ln 2 = 1.39$ and $G$ at $\ln 2 = 0.69$ (dotted): $D$ answers about one half.
#
# A misconception to lose: *"the loss falls, so the pictures get better"*, and its sister *"D answers one half, so the pictures are perfect"*. A weak or confused $D$ answers one half too. One must look at the samples, or better: measure them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 11}
# ## 7 · Mode collapse
#
# Two humps are two **modes** of the data. Now there are eight: clouds on a ring, a standard test of this field (Metz and others, 2017). The generator has an easy way out: make **one** point, at the place which $D$ believes in most. To make only one or few of the modes is called **mode collapse**.
#
# How does one see it in numbers? First, count the centres with at least one sample near: at the given distance or closer.
#
# **Exercise [16.modes_covered](exercises/16_gan.ipynb)** ●● Count them without a loop. (Before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def modes_covered(samples, centres, radius):
    near = (samples[:, None] - centres).square().sum(dim=-1) <= radius**2  # (N, K)
    return int(near.any(dim=0).sum())


turn = torch.arange(8) * math.pi / 4
centres = 2 * torch.stack([turn.cos(), turn.sin()], dim=1)  # (8, 2)


def ring(*shape):
    """Points of eight clouds with spread 0.2, shape (*shape, 2)."""
    return centres[torch.randint(0, 8, shape)] + 0.2 * torch.randn(*shape, 2)


torch.manual_seed(0)
print("500 points of the data:  ", modes_covered(ring(500), centres, 0.4))
print("500 points of one cloud: ", modes_covered(0.2 * torch.randn(500, 2) + centres[2], centres, 0.4))

# %% [markdown] slideshow={"slide_type": "notes"}
# One run proves little; we want six seeds. One after the other they take six times as long. But six matrix products of the same shape can be done as one (lesson 03): we give every weight a leading axis for the contest, and train **six pairs of networks at once**. None of them sees another. (The mean of their losses makes each gradient six times smaller; Adam does not mind.)

# %% tags=["long"] slideshow={"slide_type": "skip"}
class Several(nn.Module):
    """S dense ReLU networks side by side: (S, B, in) -> (S, B, out)."""

    def __init__(self, S, *sizes):
        super().__init__()
        self.W, self.b = nn.ParameterList(), nn.ParameterList()
        for i, o in pairwise(sizes):
            self.W.append(torch.empty(S, i, o).uniform_(-(i**-0.5), i**-0.5))  # as nn.Linear draws them
            self.b.append(torch.empty(S, 1, o).uniform_(-(i**-0.5), i**-0.5))

    def forward(self, X):
        for k, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            X = torch.baddbmm(b, torch.relu(X) if k else X, W)  # b + X @ W for each of the S
        return X

# %% [markdown] slideshow={"slide_type": "notes"}
# `nn.ParameterList` is a list whose tensors an optimizer finds. `torch.baddbmm` multiplies six pairs of matrices at once and adds the biases. Now the contest. This time the **generator** is the quick one: its learning rate is four times that of $D$. On the way we keep its points every 50 steps.

# %% slideshow={"slide_type": "skip"}
def as_it_is(X):
    return X


def six_contests(look=as_it_is, lr_g=0.004, lr_d=0.001, steps=500, batch_size=64):
    """Points of six generators, one (6, 500, 2) for every 50 steps; D sees look(points)."""
    torch.manual_seed(0)
    G, D = Several(6, 2, 64, 64, 2), Several(6, look(torch.zeros(6, 2, 2)).shape[-1], 64, 64, 1)
    opt_g = torch.optim.Adam(G.parameters(), lr_g, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(D.parameters(), lr_d, betas=(0.5, 0.99))

    def seen(X):
        return D(look(X))

    record = []
    for step in range(1, steps + 1):
        fake = G(torch.randn(6, batch_size, 2))
        learn_to_tell(seen, opt_d, ring(6, batch_size), fake)
        learn_to_fool(seen, opt_g, fake)
        if step % 50 == 0:
            with torch.no_grad():
                record.append(G(torch.randn(6, 500, 2)))
    return record

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.collapse")

# %% slideshow={"slide_type": "skip"}
plain = six_contests()  # a few seconds

# %% [markdown] slideshow={"slide_type": "notes"}
# A second number to judge by: cut the plane like a cake, one slice round each centre. How many of the points lie in the **two fullest slices**? (Two, since a heap may lie across a cut.) By hand: of 100 points 70 lie in one slice, 20 in another, 10 in a third: 90%. Of the data, a little over a quarter.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def slices(points):
    """Share of the points (N, 2) in each of the eight slices, (8,)."""
    return torch.cdist(points, centres).argmin(dim=1).bincount(minlength=8) / len(points)


def two_fullest(points):
    return slices(points).topk(2).values.sum().item()


covered = [modes_covered(points, centres, 0.4) for points in plain[-1]]
fullest = [two_fullest(points) for points in plain[-1]]
print("modes covered by each of six generators:  ", *covered)
print("share of its points in two slices of eight:", *(f"{share:.0%}" for share in fullest))

# %% slideshow={"slide_type": "skip"}
assert sum(covered) <= 12  # two modes on average, at most
assert sum(fullest) / 6 > 0.8

# %% [markdown] slideshow={"slide_type": "notes"}
# That is collapse: three quarters or more of a generator's points lie in two slices, and it touches two modes at most. Which one? Follow two of the six.

# %% slideshow={"show": "output"}
fig, axes = plt.subplots(2, 6, figsize=(12, 4.6), layout="constrained", sharex=True, sharey=True)
for row, k in zip(axes, (0, 3), strict=True):
    row[0].set_ylabel(f"contest {k + 1}")
    for ax, moment in zip(row, range(4, 10), strict=True):
        ax.scatter(*plain[moment][k].T, s=6, color=plotting.COLORS["class1"], zorder=3)
        ax.scatter(*centres.T, s=200, facecolors="none", edgecolors=plotting.COLORS["class0"], linewidths=2)
        ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xticks=[], yticks=[])
        if k == 0:
            ax.set_title(f"step {50 * moment + 50}")
fig.suptitle("Most points chase one place, and then the next");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two contests, one above the other, at six moments each. Eight circles stand for the modes. The 500 points lie together in one streak or wedge that touches one or two of the circles at most, and 50 steps later it lies elsewhere on the ring.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
where = [[slices(points).argmax().item() for points in six] for six in plain]  # ten moments, six contests
moves = [a != b for now, then in pairwise(where) for a, b in zip(now, then, strict=True)]
print(f"in {sum(moves)} of {len(moves)} times the fullest slice is another one 50 steps later")
often = torch.tensor([modes_covered(points, centres, 0.4) for six in plain for points in six]).bincount()
print("times that 0, 1, 2, … modes are made:", *often.tolist())

# %% slideshow={"slide_type": "skip"}
assert sum(moves) > 0.7 * len(moves)
assert often.argmax() == 1 and often[:3].sum() >= 0.9 * often.sum()

# %% [markdown] slideshow={"slide_type": "notes"}
# So two things happen at once. **Collapse**: at any one moment mostly one mode is made, sometimes two or none. And **no convergence**: the points run to where $D$ believes most; $D$ learns that this place is suspicious; they run on, round and round. A misconception to lose: *"collapse means that training has got stuck"*. These generators never rest.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### A remedy: let the discriminator see the whole batch
#
# Why does so little push towards variety? $D$ judges each point **by itself**. Variety pays only if $D$ soon learns where too much is made. Here it is too slow: the points are gone before. So let $D$ know about the others: beside its two coordinates each point brings the **standard deviation of its batch**, in each coordinate. The real batch has about 1.4 in both. Most collapsed batches have far less; a streak between two opposite modes has not. This is the idea of **minibatch standard deviation** (Karras and others, 2018, who add it deep inside $D$).

# %% [markdown] slideshow={"slide_type": "fragment"}
# A second remedy leaves $D$ as it is and turns the learning rates round: now $D$ is four times as quick. Beside both we put a control: 500 points spread **evenly** on the circle through the modes.

# %% slideshow={"slide_type": "subslide"}
def with_spread(X):
    """Each point with the spread of its batch: (S, B, 2) -> (S, B, 4)."""
    return torch.cat([X, X.std(dim=1, keepdim=True).expand_as(X)], dim=-1)


even = torch.arange(500) * 2 * math.pi / 500
torch.manual_seed(0)
results = {
    "data": ring(6, 500),
    "an even ring": 2 * torch.stack([even.cos(), even.sin()], dim=1).expand(6, -1, -1),
    "quick generator": plain[-1],
    "quick generator, D sees the spread": six_contests(with_spread)[-1],
    "quick discriminator": six_contests(lr_g=0.001, lr_d=0.004)[-1],
}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
modes, full, near = {}, {}, {}
print(f"{'':36}modes         two fullest   near a centre")
for name, six in results.items():
    modes[name] = [modes_covered(points, centres, 0.4) for points in six]
    near[name] = (torch.cdist(six, centres) <= 0.4).any(dim=-1).float().mean().item()
    full[name] = sum(two_fullest(points) for points in six) / 6
    print(f"{name:36}" + " ".join(map(str, modes[name])) + f"   {full[name]:11.0%} {near[name]:15.0%}")

# %% slideshow={"slide_type": "skip"}
for name in ("quick generator, D sees the spread", "quick discriminator"):
    assert sum(modes[name]) >= 44 and full[name] < 0.45
    assert 0.3 < near[name] < 0.75 and near[name] > near["quick generator"] + 0.1
    assert abs(near[name] - near["an even ring"]) < 0.2
assert modes["an even ring"] == [8] * 6 and abs(near["an even ring"] - 0.5) < 0.03
assert full["quick generator"] > 0.8 and near["data"] > 0.8

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(2, 4, figsize=(10, 5.6), layout="constrained", sharex=True, sharey=True)
names = ("quick generator", "quick generator, D sees the spread")
for row, name in zip(axes, names, strict=True):
    for ax, points, n in zip(row, results[name], modes[name], strict=False):
        ax.scatter(*points.T, s=6, color=plotting.COLORS["class1"], zorder=3)
        ax.scatter(*centres.T, s=300, facecolors="none", edgecolors=plotting.COLORS["class0"], linewidths=2)
        ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xticks=[], yticks=[], title=f"{n} of 8 modes")
axes[0, 0].set_ylabel("as it is")
axes[1, 0].set_ylabel("D sees the spread")
fig.suptitle("A discriminator that sees the batch leaves no way out into one mode");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Eight small fields with a ring of eight circles each, the modes, and 500 made points. Above, four of the plain contests at the end: streaks and wedges that touch two circles at most. Below, four of those in which $D$ sees the spread: the points lie on a ring through all eight circles, here thicker, there thinner, with some stray points beside it.

# %% [markdown] slideshow={"slide_type": "notes"}
# Nothing but $D$'s view was changed, and all six touch all eight modes. So do those with a quick $D$ and no view of the batch: here the learning rates alone were to blame. In other settings other things help: measure, on several seeds.

# %% [markdown] slideshow={"slide_type": "subslide"}
# And beware of the count. "8 of 8" only says that **some** points are near each centre. So it is for an even ring, which knows of no mode; half of its points lie near a centre. The last column says more: of the data more than 80%, of the plain ones far fewer, of the mended ones' about as many as of the even ring. In 500 steps the remedies have given the ring, and hardly the clouds.
#
# The clouds take longer. Measured once, three times six seeds: after 2,000 steps about 80% lie near a centre with the spread, 75% with the quick $D$, and still no more than 40% of the plain ones.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 8 · Digits
#
# Now pictures. The generator runs a CNN backwards: from a code to 7 × 7, to 14 × 14, to 28 × 28. The layer that makes a map larger is the **transposed convolution**: each number that comes in lays a copy of the kernel, times itself, into the larger map, and overlapping copies are added. From $n$ places kernel $k$, stride $s$, padding $p$ make $(n-1)s-2p+k$: with 4, 2, 1, 7 become 14. In one dimension, with kernel $(1, 2, 1)$ and stride 2, the input $(3, 5)$ gives $(3, 6, 3+5, 10, 5) = (3, 6, 8, 10, 5)$.

# %%
kernel = torch.tensor([[[1.0, 2, 1]]])  # (in, out, size)
print(F.conv_transpose1d(torch.tensor([[[3.0, 5]]]), kernel, stride=2))
doubled = nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1)(torch.zeros(1, 32, 7, 7))
print(tuple(doubled.shape))

# %% [markdown] slideshow={"slide_type": "notes"}
# The recipe is that of **DCGAN** (Radford and others, 2016), made small: strides instead of pooling, batch norm, ReLU in the generator, **leaky** ReLU in the discriminator (so that gradient comes through everywhere). Theirs ends in tanh, for pixels from −1 to 1; ours in a sigmoid, since our pixels lie between 0 and 1.

# %% tags=["long"] slideshow={"slide_type": "subslide"}
class Generator(nn.Module):
    """Codes (B, d_z) to digits (B, 1, 28, 28)."""

    def __init__(self, d_z=16, channels=16):
        super().__init__()
        self.d_z = d_z
        self.net = nn.Sequential(
            nn.Linear(d_z, 2 * channels * 7 * 7, bias=False),
            nn.Unflatten(1, (2 * channels, 7, 7)),  # a row of numbers becomes maps
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * channels, channels, 4, stride=2, padding=1, bias=False),  # 14 × 14
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),  # 28 × 28
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.net(z)

# %% slideshow={"slide_type": "subslide"}
class Discriminator(nn.Module):
    """Digits (B, 1, 28, 28) to one logit each (B, 1)."""

    def __init__(self, channels=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, channels, 4, stride=2, padding=1),  # 14 × 14
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False),  # 7 × 7
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * channels * 7 * 7, 1),
        )

    def forward(self, X):
        return self.net(X)


print(f"generator {count_parameters(Generator()):,} parameters, discriminator {count_parameters(Discriminator()):,}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Training: 600 steps of 48 digits, half a pass over MNIST. The two halves of a step are those of section 5. In the first, real and made digits go through $D$ one batch **after** the other: batch norm takes its means from what it is given, and in the second half $D$ gets made digits only. A mixed batch would show it another world. We keep 32 codes aside and look at **their** pictures from time to time. (About ten seconds; the explorer's digits and all that follows come from this run.)

# %% slideshow={"slide_type": "skip"}
X_all, y_all = data.mnist_tensors("train", flatten=False)  # (60000, 1, 28, 28), (60000,)
X_test, y_test = data.mnist_tensors("test", flatten=False)  # (10000, 1, 28, 28), (10000,)


def train_digits(steps=600, batch_size=48, lr=0.004, seed=0):
    """A generator of digits, and the pictures of 32 fixed codes along the way."""
    torch.manual_seed(seed)
    G, D = Generator(), Discriminator()
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.99)) for net in (G, D))
    album, z = {}, torch.randn(32, G.d_z)
    for step in range(steps + 1):
        if step in (0, 25, 100, steps):
            with torch.no_grad():
                album[step] = G(z)  # (32, 1, 28, 28)
        fake = G(torch.randn(batch_size, G.d_z))
        learn_to_tell(D, opt_d, X_all[torch.randint(0, len(X_all), (batch_size,))], fake)
        learn_to_fool(D, opt_g, fake)
    return G, album


generator, album = train_digits()

# %% slideshow={"slide_type": "subslide", "show": "output"}
titles = [f"step {step}" if k == 0 else "" for step in album for k in range(10)]
rows = torch.cat([pictures[:10] for pictures in album.values()])
plotting.show_images(rows, titles=titles, columns=10, size=1.0).suptitle("From noise to strokes, from strokes to figures");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four rows, ten codes. Step 0: grey noise. Step 25: a pale blot in the middle of a dark field; it has learned where the ink is. Step 100: strokes, some already with the bend of a digit. Step 600: white figures on black. Many can be read, some are no digit.

# %% slideshow={"slide_type": "subslide", "show": "output"}
torch.manual_seed(1)
generator.eval()  # batch norm: running statistics from here on, so that a picture depends on its own code alone
with torch.no_grad():
    made = generator(torch.randn(2000, generator.d_z))  # (2000, 1, 28, 28)
plotting.show_images(made[:48], columns=12, size=0.8).suptitle("48 digits that nobody wrote: some pass, some do not");

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** 48 made digits. Some would pass for handwriting: zeros, ones, sevens, nines in different slants. Others are digits that nobody writes: open loops, two strokes that do not meet, something between a 4 and a 9.

# %% [markdown] slideshow={"slide_type": "notes"}
# A longer run gives better digits, but slowly. Set `LONGER = True` for 2,400 steps (a minute or more). Measured once: a judge like that of section 9 was then sure of 57% of the digits, after 600 steps of 43%.

# %% slideshow={"slide_type": "skip"}
LONGER = False
if LONGER:
    longer, _ = train_digits(steps=2400)
    longer.eval()
    with torch.no_grad():
        plotting.show_images(longer(torch.randn(48, longer.d_z)), columns=12, size=0.8)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 9 · A judge
#
# "Look how good they are" is not a measurement. There is no test loss either: no made digit has a right answer. So we take a **judge**: LeNet of lesson 12, trained on 16,000 real digits (a few seconds). The generator never meets it.

# %% slideshow={"slide_type": "skip"}
torch.manual_seed(0)
judge = LeNet()
adam = torch.optim.Adam(judge.parameters(), lr=0.003)
fit(judge, data.Batches(X_all[:16000], y_all[:16000]), loss_fn=F.cross_entropy, optimizer=adam, epochs=1)
with torch.no_grad():
    right = (judge(X_test).argmax(dim=1) == y_test).float().mean().item()

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print(f"the judge reads {right:.1%} of the test digits rightly")

# %% slideshow={"slide_type": "skip"}
assert right > 0.93

# %% [markdown] slideshow={"slide_type": "subslide"}
# What we ask it, of 2,000 pictures:
#
# - **Sure**: for how many does it give some digit more than 90%?
# - **Shares**: how often does it read each digit? The data have about a tenth each.
# - **Kinds**: the shares as one number, the exponential of their entropy. By hand: ten digits at 10% each: $e^{\ln 10} = 10$. Two at 50%: 2. One digit only: 1.
#
# One number alone can be cheated. So we also ask it about controls: real digits, noise, the untrained generator's pictures, and one good digit 2,000 times.

# %% slideshow={"slide_type": "skip"}
def report(pictures):
    """Share of pictures the judge is sure of, and the share of each digit, (10,)."""
    with torch.no_grad():
        p = judge(pictures).softmax(dim=1)  # (N, 10)
    sure = (p.max(dim=1).values > 0.9).float().mean().item()
    return sure, p.argmax(dim=1).bincount(minlength=10) / len(pictures)


def kinds(shares):
    return torch.special.entr(shares).sum().exp().item()  # entr(p) = −p ln p


torch.manual_seed(2)
with torch.no_grad():
    untrained = Generator().eval()(torch.randn(2000, 16))
contenders = {
    "real": X_test[:2000],
    "made": made,
    "made, untrained": untrained,
    "noise": torch.rand(2000, 1, 28, 28),
    "one digit": X_test[:1].expand(2000, -1, -1, -1),
}
verdict = {name: report(pictures) for name, pictures in contenders.items()}

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.judge")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
print(f"{'':16} sure   kinds   share of 0, 1, … 9 in percent")
for name, (sure, shares) in verdict.items():
    print(f"{name:16} {sure:4.0%}   {kinds(shares):5.1f}   ", " ".join(f"{100 * s:3.0f}" for s in shares.tolist()))

# %% slideshow={"slide_type": "skip"}
assert verdict["noise"][0] < 0.1 and verdict["made, untrained"][0] < 0.1
assert 0.25 < verdict["made"][0] < 0.65 and verdict["real"][0] > 0.8 and kinds(verdict["made"][1]) > 7
assert verdict["one digit"][0] > 0.99 and kinds(verdict["one digit"][1]) < 1.01

# %% slideshow={"show": "output"}
fig, ax = plt.subplots(figsize=(9, 4))
for k, (name, role) in enumerate((("real", "class0"), ("made", "class1"))):
    ax.bar(torch.arange(10) + 0.4 * k - 0.2, 100 * verdict[name][1], 0.4, color=plotting.COLORS[role], label=name)
ax.set(xticks=range(10), xlabel="digit, as the judge reads it", ylabel="share, %")
ax.set_title("All ten digits are made, not equally often")
ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two bars for each digit. The real ones are all near 10%. The made ones are not: some digits come half again as often as they should, others, here the 5 above all, far too seldom.

# %% [markdown] slideshow={"slide_type": "notes"}
# Read the table. Real digits set the mark: the judge is sure of more than 80%. Of the made ones it is sure of a third to two thirds, depending on the run, here of some 40%: many times more than of noise, and clearly less than of real ones. All ten kinds are there. This generator is no full collapse, and no full success.
#
# And see the last row: **one** good digit beats everybody in sureness. Each number alone can be cheated; together they are harder to cheat. (A well known score, the *inception score* of Salimans and others, 2016, folds both into one.)

# %% [markdown] slideshow={"slide_type": "notes"}
# What the judge **cannot** see: whether the digits are **copies**. A generator that had stored 2,000 training digits would beat ours in both columns. So look up the nearest training digit of each made one (among 20,000 of the 60,000, to save time).

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def nearest(pictures):
    """Distance to the nearest of 20,000 training digits, and which one it is."""
    return torch.cdist(pictures.flatten(1), X_all[:20000].flatten(1)).min(dim=1)


distance, which = nearest(made[:200])
real_distance, _ = nearest(X_test[:200])
print(f"median distance to the nearest training digit: made {distance.median():.1f}, real test digits {real_distance.median():.1f}")
print(f"smallest: made {distance.min():.1f}, real test digits {real_distance.min():.1f}")

# %% slideshow={"slide_type": "skip"}
assert distance.min() > 1 and distance.median() > real_distance.median()

# %% slideshow={"show": "output"}
pairs = torch.cat([made[:10], X_all[which[:10]]])
plotting.show_images(pairs, columns=10, size=1.0).suptitle("Made digits (above) are no copies of their nearest (below)");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Above ten made digits, below each its nearest training digit. They are alike in slant and outline, not always in kind, and never the same: strokes are thicker, loops closed differently. No copy is seen here. That is a sample, not a proof: we searched a third of the training digits, and distance by pixels misses a copy that was shifted. The median distance says it too: made digits lie further from the training digits than real test digits do.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 10 · A walk through latent space
#
# Every code is a place in a space of 16 dimensions, the **latent space**, and every place has a picture. What lies between two digits? Walk in a straight line from $z_1$ to $z_2$ and look. In numbers: from $(0, 2)$ to $(4, 0)$ in five steps: $(0, 2), (1, 1.5), (2, 1), (3, 0.5), (4, 0)$.
#
# **Exercise [16.interpolate](exercises/16_gan.ipynb)** ● Points at equal distances, both ends included. (Before you look at the next cell.)

# %%
def interpolate(z1, z2, steps):
    if steps < 2:
        raise ValueError(f"a line from z1 to z2 needs 2 points or more, not {steps}")
    t = torch.linspace(0, 1, steps, dtype=z1.dtype).reshape(-1, *[1] * z1.dim())  # (steps, 1, …)
    return (1 - t) * z1 + t * z2


print(interpolate(torch.tensor([0.0, 2.0]), torch.tensor([4.0, 0.0]), 5).tolist())

# %% slideshow={"slide_type": "subslide", "show": "output"}
torch.manual_seed(25)  # chosen so that both ends of each walk can be read
z = torch.randn(6, generator.d_z)
with torch.no_grad():
    walks = torch.cat([generator(interpolate(z[k], z[k + 1], 11)) for k in (0, 2)])  # (22, 1, 28, 28)
    fade = interpolate(walks[0], walks[10], 11)  # the two end pictures of the first walk, mixed pixel by pixel
rows = torch.cat([walks, fade])
plotting.show_images(rows, columns=11, size=0.9).suptitle("A walk between codes bends strokes, a mix of pixels only fades");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three rows of eleven pictures. In the first two a code walks: strokes bend, close and open, and one figure becomes another; nearly every picture on the way is again one figure of strokes. The third row mixes the two ends of the first row pixel by pixel: in the middle both figures lie over one another in grey.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.walk")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def sureness(pictures):
    with torch.no_grad():
        return judge(pictures).softmax(dim=1).max(dim=1).values.mean().item()


torch.manual_seed(6)
starts, ends = torch.randn(2, 500, generator.d_z)
with torch.no_grad():
    first, last = generator(starts), generator(ends)
    halfway = sureness(generator((starts + ends) / 2))
middle = sureness((first + last) / 2)
at_ends = sureness(torch.cat([first, last]))
print(f"mean of the judge's highest probability: at the ends {at_ends:.2f}")
print(f"halfway in latent space {halfway:.2f}, halfway between the pixels {middle:.2f}")

# %% slideshow={"slide_type": "skip"}
assert halfway > middle + 0.03

# %% [markdown] slideshow={"slide_type": "fragment"}
# Halfway between two **pictures** lies a double exposure. Halfway between two **codes** lies another picture of one digit, or of something between two. The generator was never trained on such paths. But neighbouring codes give neighbouring pictures, because $G$ is continuous. And the path runs where codes were drawn in training, though halfway they are shorter than most, about 0.7 times as long.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: latent space
#
# *What lies between four random digits?* Your own generator answers, live, and your own judge reads each picture.
#
# - **Try** to walk to all four corners and watch where one digit turns into the next.
# - **Then** make a code much longer, or much shorter, than random codes are.
# - **Notice**, when you turn single coordinates, that some do much and some little. Has any of them a meaning you could name?
# - **Challenge:** find a place where the judge gives no digit more than 60%.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.latent(generator, judge)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, a map of 7 × 7 pictures (ink is dark here). In its corners, framed, stand four random codes, and from one to the next the figures change in small steps. Right, one code made 0 to 3 times as long: at 0 nothing but empty paper, at a half a pale figure; from the usual length on the strokes are black, and hardly change any more.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 11 · Do made digits help a classifier?
#
# Labels are dear, pictures are cheap. Say only 100 digits of MNIST are labelled. Our generator saw the pictures of MNIST, never a label. Can its digits help?
#
# They have no labels. (To let the judge label them would be cheating: it has seen 16,000 labels.) So: train a first classifier on the 100, let it label 2,000 made digits, keep those of which it is more than 90% sure, and train a new one, each batch half labelled, half made. And a control that belongs to any such claim: the same with 2,000 **real** digits without labels.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("16.few_labels")

# %% tags=["long"] slideshow={"slide_type": "skip"}
def train_classifier(*sets, steps=120):
    """LeNet on batches of 32, as many from each of the sets (X, y)."""
    model = LeNet()
    adam = torch.optim.Adam(model.parameters(), lr=0.002)
    for _ in range(steps):
        picks = [torch.randint(0, len(X), (32 // len(sets),)) for X, _ in sets]
        X = torch.cat([X[pick] for (X, _), pick in zip(sets, picks, strict=True)])
        y = torch.cat([y[pick] for (_, y), pick in zip(sets, picks, strict=True)])
        loss = F.cross_entropy(model(X), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return model


def guessed_labels(model, pictures):
    """The label that the model gives each picture, (N,), and whether it is sure of it, (N,)."""
    with torch.no_grad():
        p, guess = model(pictures).softmax(dim=1).max(dim=1)
    return guess, p > 0.9

# %% slideshow={"slide_type": "skip"}
def mean(numbers):
    return sum(numbers) / len(numbers)


def right_share(model):
    with torch.no_grad():
        return (model(X_test[:2000]).argmax(dim=1) == y_test[:2000]).float().mean().item()


with torch.no_grad():
    read = judge(made).argmax(dim=1)  # made digits have no right label; what the judge reads stands for it
unlabelled = {
    "and made digits": (made, read),
    "and real ones without labels": (X_all[40000:42000], y_all[40000:42000]),
}

# %% slideshow={"slide_type": "skip"}
scores = {name: [] for name in ("100 labelled", *unlabelled)}
kept, agree = ({name: [] for name in unlabelled} for _ in range(2))
for seed in range(3):
    torch.manual_seed(seed)
    few = slice(30000 + 100 * seed, 30100 + 100 * seed)  # another hundred for each seed
    labelled = X_all[few], y_all[few]
    first = train_classifier(labelled)
    scores["100 labelled"].append(right_share(first))
    for name, (pictures, truth) in unlabelled.items():
        guess, sure = guessed_labels(first, pictures)
        kept[name].append(sure.sum().item())
        agree[name].append((guess == truth)[sure].float().mean().item())
        second = train_classifier(labelled, (pictures[sure], guess[sure]))
        scores[name].append(right_share(second))

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
for name, row in scores.items():
    print(f"{name:29} " + "  ".join(f"{a:.1%}" for a in row) + f"   mean {mean(row):.1%}")
for name in unlabelled:
    print(f"{name:29} kept", *kept[name], "of 2000; label agrees for", *(f"{a:.0%}" for a in agree[name]))

# %% slideshow={"slide_type": "skip"}
assert mean(scores["and made digits"]) < mean(scores["100 labelled"]) + 0.02
assert mean(scores["and made digits"]) < mean(scores["and real ones without labels"]) + 0.02
assert mean(agree["and made digits"]) + 0.1 < mean(agree["and real ones without labels"])

# %% [markdown] slideshow={"slide_type": "fragment"}
# The made digits **did not help**; here they cost a few points. Real digits without labels, treated alike, changed hardly anything. Differences of a point or two are chance. In fifteen more runs, measured once (five hundreds of labels, each with three other numbers of steps and learning rates), the made ones cost two to three points on average; the real ones changed the mean by −2 to +1.

# %% [markdown] slideshow={"slide_type": "notes"}
# The last two lines say why. The labels are the first classifier's own beliefs, its mistakes included. Of the real digits of which it is more than 90% sure, some 87% have the right label; of the made ones only two thirds are labelled as the judge reads them. On a figure that is no digit every label is wrong, and some kinds are rare. A better generator, or one trained **with** labels, may do better. A misconception to lose: *"with a GAN one can make as much training data as one likes"*. A generator knows nothing that was not in its data.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 12 · What it is good for
#
# - **Image synthesis.** Faces, rooms, animals in photographic quality (StyleGAN, 2019 on). Give generator and discriminator the label as a further input and one can ask for a digit: a **conditional** GAN (Mirza and Osindero, 2014).
# - **Style and translation.** The input is a picture instead of noise: a sketch becomes a photograph, a horse a zebra (pix2pix and CycleGAN, 2017). The discriminator is the loss that says "looks like a photograph".
# - **Augmentation.** More data where data are rare or private, for instance in medicine. Section 11 says how carefully to measure that.
#
# And misuse: faces of people who do not exist, or who do, saying what they never said.

# %% [markdown] slideshow={"slide_type": "notes"}
# Since about 2021 most new picture generators are **diffusion models** (Ho and others, 2020). They learn to remove noise step by step, with a plain mean squared error: no opponent, far less trouble with collapse, but many passes of the network for one picture where a GAN needs one. The idea of this lesson lives on in them and elsewhere: **a loss can be learned**.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## What to remember
#
# - $G$ makes data from noise, $D$ says how probably they are real; one raises $V$, the other lowers it. The best $D$ answers $p_\text{data} / (p_\text{data} + p_\text{model})$ at each place.
# - The saturating loss has slope $D$, gone when $D$ is sure; the non-saturating one has $1 - D$. In a step $D$ learns first, on `fake.detach()`; then $G$, through $D$. The losses say how one stands against the other, not how good the samples are.
# - Mode collapse: only a few modes are made. Count the modes, over several seeds, beside a control. Here it was mended by showing $D$ the spread of the batch, or by a $D$ that learns faster than $G$: first into a ring, with more steps into clouds.
# - Transposed convolutions turn a code into a picture. Between two codes lie pictures of digits, between two pictures only a double exposure.
# - A classifier as judge measures sureness and shares, next to real digits and noise as controls. It is blind to copies and to lack of variety within a digit.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. At some place the best discriminator says 0.2. Is too much or too little made there, and how much?</summary>
#
# $p/(p + q) = 0.2$ gives $q = 4p$: four times as much is made as the data have. Too much.
# </details>
#
# <details><summary>2. Your discriminator's loss is near 0 and stays there. What has happened, and what could you look at?</summary>
#
# It tells real from made without error. With the saturating loss the generator then has no gradient left. Look at samples, at D's answers on made data, at the gradient's norm in G. A smaller learning rate for D, or the non-saturating loss, may help.
# </details>
#
# <details><summary>3. Somebody leaves out <code>detach</code> but calls <code>opt_g.zero_grad()</code> before the generator's backward pass. Wrong result?</summary>
#
# If each half makes its own data: no. The leaked gradient lands in G's weights, is never used, and is wiped away; each step only takes longer. If both halves share the same made data, the second `backward` stops with an error: the graph through G is gone.
# </details>
#
# <details><summary>4. A judge is sure of 99% of the made digits, and its shares are 10% each. Is the generator perfect?</summary>
#
# No. It may make one and the same picture of each digit, or copies of training digits. Look at variety within a digit and at the nearest training pictures.
# </details>
#
# <details><summary>5. Why not train the generator with mean squared error against real digits?</summary>
#
# Against which? No code belongs to any digit. Against all at once the best answer is their mean: a grey blur.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/16_gan.ipynb](exercises/16_gan.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 16.discriminator_loss | real is 1, made is 0 | ● |
# | 16.generator_loss | the non-saturating loss | ● |
# | 16.best_discriminator | the share of the data | ● |
# | 16.gan_step | one step of the contest | ●●● |
# | 16.interpolate | a straight walk between two codes | ● |
# | 16.modes_covered | how many modes have samples | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# The main road ends here: from one neuron to networks that read, pronounce, write and draw. Lesson 17 puts the same ideas to work in four fields, on data as they come. Lesson 18 makes networks smaller and asks what they look at.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - I. Goodfellow and others (2014). *Generative adversarial nets.* Value, best discriminator and both losses; sections 2 to 4 follow it. M. Arjovsky, L. Bottou (2017). *Towards principled methods for training generative adversarial networks.* Why the value has no slope far away.
# - A. Radford, L. Metz, S. Chintala (2016). *Unsupervised representation learning with deep convolutional generative adversarial networks.* DCGAN; sections 8 and 10.
# - L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein (2017). *Unrolled generative adversarial networks.* The eight Gaussians, and another remedy. T. Karras, T. Aila, S. Laine, J. Lehtinen (2018). *Progressive growing of GANs for improved quality, stability, and variation.* Minibatch standard deviation.
# - T. Salimans and others (2016). *Improved techniques for training GANs.* A classifier as judge (the inception score), minibatch discrimination.
# - M. Mirza, S. Osindero (2014). *Conditional generative adversarial nets.* P. Isola and others (2017). *Image-to-image translation with conditional adversarial networks.* pix2pix. J.-Y. Zhu and others (2017). *Unpaired image-to-image translation using cycle-consistent adversarial networks.* CycleGAN. T. Karras, S. Laine, T. Aila (2019). *A style-based generator architecture for generative adversarial networks.* StyleGAN.
# - J. Ho, A. Jain, P. Abbeel (2020). *Denoising diffusion probabilistic models.* The diffusion models of section 12.
