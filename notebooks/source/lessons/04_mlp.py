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
# # 04 · Layers that bend space
#
# **The question:** What do the layers between input and output do, how many should there be, and how wide?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - set the weights of a two-layer network by hand so that it computes XOR, and draw what its hidden layer does to the plane;
# - send a batch forward through any number of layers and name the shape at every step;
# - count the parameters of a network, and write it as an `nn.Module` that knows every one of them;
# - build a curve out of ReLU bumps, and say what the universal approximation theorem promises and what it does not;
# - compare deep with wide, and say what hidden units have learned, from measurements instead of from hearsay.
#
# **Needs:** [lesson 03](03_broadcasting.ipynb) · **Read:** 60 minutes · **Run:** 45 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn
from torchinfo import summary

from utils import data, explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · The layer in the middle
#
# One neuron cannot do XOR: 3 corners of 4 was the best of 226,981 lines (lesson 01). Three neurons in two layers could. But between them stood a step, which is flat everywhere, and what is flat cannot be trained. So we do it again with ReLU.
#
# Two neurons look at the input. Both add the two numbers up; the second subtracts 1:
#
# $$a_1 = \text{relu}(x_1 + x_2) \qquad a_2 = \text{relu}(x_1 + x_2 - 1)$$
#
# The first says *how many* ones there are, the second *how many too many*. A third neuron looks at those two only: $y = a_1 - 2a_2$. One for each 1, and two off for one too many.

# %% [markdown] slideshow={"slide_type": "subslide"}
# By hand, for all four corners. Between the layers, $z$ is before the bend and $a$ after it:
#
# | $x$ | $z = (x_1 + x_2,\; x_1 + x_2 - 1)$ | $a = \text{relu}(z)$ | $y = a_1 - 2a_2$ |
# |---|---|---|---|
# | (0, 0) | (0, −1) | (0, 0) | 0 |
# | (0, 1) | (1, 0) | (1, 0) | 1 |
# | (1, 0) | (1, 0) | (1, 0) | 1 |
# | (1, 1) | (2, 1) | (2, 1) | 0 |
#
# That is XOR. As matrices, one row for each neuron:

# %% slideshow={"slide_type": "subslide"}
corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # (4, 2)
xor = torch.tensor([0.0, 1.0, 1.0, 0.0])
W1, b1 = torch.tensor([[1.0, 1.0], [1.0, 1.0]]), torch.tensor([0.0, -1.0])  # (2, 2), (2,)
W2, b2 = torch.tensor([[1.0, -2.0]]), torch.tensor([0.0])  # (1, 2), (1,)

z = corners @ W1.T + b1  # (4, 2)
a = torch.relu(z)  # (4, 2)
print("z", z.tolist())
print("a", a.tolist())
print("y", (a @ W2.T + b2)[:, 0].tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# Now the names. What comes in is the **input layer**; it computes nothing. What goes out is made by the **output layer**. A layer between the two is a **hidden layer**: nobody outside sees its numbers, and nobody says what they should be. Its neurons are **units**.
#
# A network of such layers, in which every unit looks at all outputs of the layer before, is a **multilayer perceptron**, **MLP** for short. Its **depth** is the number of layers that have weights: ours has 2. The **width** of a layer is its number of units: 2 as well. We write sizes in a row: this is a 2–2–1 network.

# %% [markdown] slideshow={"slide_type": "notes"}
# So what has the hidden layer *done*? It took each point $(x_1, x_2)$ of the plane to another point $(a_1, a_2)$. Let us draw the plane before and after: a grid of lines, and where each of them ends up. The last neuron, which sees only the new plane, needs to get by with a straight line there.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_grid(f, ax, low, high, lines=13):
    """Draw the lines of a square grid after f, which takes points (n, 2) to points (n, 2)."""
    fine = torch.linspace(low, high, 201)
    for value in torch.linspace(low, high, lines):
        still = torch.full_like(fine, value)  # the coordinate that does not move along this line
        for points, role in ((torch.stack([still, fine], 1), "neutral"), (torch.stack([fine, still], 1), "accent")):
            with torch.no_grad():
                to = f(points)
            ax.plot(to[:, 0], to[:, 1], color=plotting.COLORS[role], lw=0.6)


fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
hidden = [lambda X: X, lambda X: torch.relu(X @ W1.T + b1)]
for ax, f in zip(axes, hidden, strict=True):
    draw_grid(f, ax, -0.5, 1.5)
    plotting.plot_points(f(corners), xor.long(), ax=ax, size=110, legend=ax is axes[1])
    ax.set_aspect("auto")
    ax.grid(False)
steps = torch.tensor([-0.6, 1.6])
for total in (0.5, 1.5):  # where y = 0.5 in the old plane: two lines
    axes[0].plot(steps, total - steps, color=plotting.COLORS["boundary"], lw=2.5)
axes[1].plot([-0.2, 3.3], [-0.35, 1.4], color=plotting.COLORS["boundary"], lw=2.5)  # and in the new one: one line
axes[0].set(title="Before: it takes two lines", xlim=(-0.6, 1.6), ylim=(-0.6, 1.6))
axes[1].set(title="After: one is enough", xlabel="$a_1$", ylabel="$a_2$", xlim=(-0.2, 3.3), ylim=(-0.2, 2.2));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left: the plane with its grid and the four corners. Two slanted lines, where $y$ is one half, enclose the two ones. Right: the whole grid has been pressed onto a wire with a kink. Both ones lie at (1, 0), on the same spot. A single line, again where $y = \tfrac12$, separates them from the zeros at (0, 0) and (2, 1).
#
# The hidden layer has bent the plane, and in the bent plane the problem is easy. One straight line over there is *two* lines over here.
#
# **Exercise [04.xor_network](exercises/04_mlp.ipynb)** ●● Set the weights of an XOR network yourself. Zeros are to come out negative, ones positive. There are many ways.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 2 · Forward propagation, layer by layer
#
# With more layers nothing new happens. Call the input $a_0 = x$. Each layer takes the activations of the one before:
#
# $$z_l = W_l\, a_{l-1} + b_l \qquad a_l = \text{relu}(z_l)$$
#
# and so on to the last layer $L$, which has **no** activation: its $z_L$ is the output, the logits. Going from input to output in this way is called **forward propagation**. For a batch, with one example in each row, a layer is the product from lesson 03, $Z = A W^\top + b$.
#
# Why no bend at the end? Because of lesson 02: the task decides what an output may be. A ReLU there could never say −3.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The shapes in a 784–128–256–10 network, the one from lesson 00, with 32 pictures at once:
#
# | layer | comes in | $W$ | $b$ | goes out |
# |---|---|---|---|---|
# | hidden 1 | (32, 784) | (128, 784) | (128,) | (32, 128) |
# | hidden 2 | (32, 128) | (256, 128) | (256,) | (32, 256) |
# | output | (32, 256) | (10, 256) | (10,) | (32, 10) |
#
# Two rules. Neighbours must fit: what goes out of one layer comes into the next. And the 32 goes all the way through but stands in no $W$ and no $b$: the same weights serve any batch.
#
# **Exercise [04.linear](exercises/04_mlp.ipynb)** ● One layer. **Exercise [04.forward](exercises/04_mlp.ipynb)** ●● All of them. You have all that it takes: write both before you read on, and compare.

# %% slideshow={"slide_type": "subslide"}
def linear(X, W, b):
    """The pre-activations of one layer: (B, in) -> (B, out)."""
    return X @ W.T + b


def forward(X, layers):
    """Through all layers, each a pair (W, b), with ReLU between them and none after the last."""
    a = X
    for W, b in layers[:-1]:
        a = torch.relu(linear(a, W, b))
    W, b = layers[-1]
    return linear(a, W, b)


print("XOR:", forward(corners, [(W1, b1), (W2, b2)])[:, 0].tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# Now the large one, with random weights, held against torch's own layers. `pairwise` gives neighbours: of 784, 128, 256, 10 it makes (784, 128), (128, 256), (256, 10).

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
torch.manual_seed(0)
sizes = [784, 128, 256, 10]
layers = [(torch.randn(n, m) / m**0.5, torch.randn(n)) for m, n in pairwise(sizes)]
X = torch.rand(32, 784)

a = X
for W, b in layers[:-1]:
    a = F.relu(F.linear(a, W, b))
    print("after a hidden layer:", tuple(a.shape))
by_torch = F.linear(a, *layers[-1])
difference = (forward(X, layers) - by_torch).abs().max().item()
print("logits:", tuple(by_torch.shape), "  largest difference:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-4 and by_torch.shape == (32, 10)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### How many units where?
#
# | layer | units | who decides |
# |---|---|---|
# | input | one per feature: 784 pixels | the data |
# | output | 1 for a number or for yes or no, $K$ for one of $K$ classes | the task |
# | hidden | free | you, by trying |
#
# Only the hidden layers are a choice, and there is no formula for them. Start with one or two layers of 32 to 256 units and measure. The rest of this lesson is about what more of either buys.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 3 · Counting parameters
#
# What training can change are the weights and the biases. A layer with $m$ numbers in and $n$ units has $m \cdot n$ weights (each unit looks at every input) and $n$ biases (each unit has one).
#
# For a 3–3–2–2 network, by hand:
#
# $$\underbrace{3 \cdot 3 + 3}_{12} + \underbrace{3 \cdot 2 + 2}_{8} + \underbrace{2 \cdot 2 + 2}_{6} = 26$$
#
# And for the digits? In lesson 00 torch said 136,074. Let us see where they sit.

# %% slideshow={"slide_type": "fragment"}
total = 0
for k, (W, b) in enumerate(layers, start=1):
    total += W.numel() + b.numel()
    print(f"layer {k}: {W.shape[1]:3} · {W.shape[0]:3} weights + {b.numel():3} biases = {W.numel() + b.numel():7,}")
print(f"together {total:,}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Three quarters of them are in the first layer, since there each unit has 784 inputs to weigh.
#
# Mind the difference: this network has $128 + 256 + 10 = 394$ **units**, but 136,074 **parameters**. Parameters belong to the connections. If you double the width of both hidden layers, the 128 · 256 weights between them become four times as many.
#
# **Exercise [04.count_parameters](exercises/04_mlp.ipynb)** ● Count from the list of sizes alone.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 4 · A network that knows its parameters
#
# A list of pairs will do to compute with. For training, something must hand all parameters to the optimizer, and for large networks we want names. torch's base class for this is **`nn.Module`**. You write two methods: `__init__` makes the layers, `forward` says what happens to an input.

# %% slideshow={"slide_type": "fragment"}
class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()  # first of all: let nn.Module set itself up
        self.hidden = nn.Linear(2, 2)
        self.output = nn.Linear(2, 1)

    def forward(self, X):
        return self.output(torch.relu(self.hidden(X)))


net = TwoLayers()
for name, p in net.named_parameters():
    print(f"{name:14} shape {tuple(p.shape)!s:7} learned: {p.requires_grad}")

# %% [markdown] slideshow={"slide_type": "notes"}
# We never told it that there are parameters. `nn.Module` watches: whenever a layer is stored as an attribute (`self.hidden = …`), it writes it down, and `named_parameters` goes through what it has written down. Each parameter is a tensor which says of itself, by `requires_grad`, that it wants to be learned.
#
# We put our XOR weights in. And we call the module like a function, `net(X)`, not `net.forward(X)`: the call runs `forward` and, besides, whatever tools have been attached.

# %% slideshow={"slide_type": "skip"}
with torch.no_grad():  # by hand, so nothing of this is to be followed
    for p, value in zip(net.parameters(), (W1, b1, W2, b2), strict=True):
        p.copy_(value)
    print(net(corners)[:, 0].tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### The layers that nobody knew of
#
# One way to get this wrong is so common that you should see it once. With many layers one wants a list:

# %% slideshow={"slide_type": "fragment"}
class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 8), nn.Linear(8, 1)]  # a plain Python list

    def forward(self, X):
        return self.layers[1](torch.relu(self.layers[0](X)))


forgetful = Forgetful()
print("answers have shape", tuple(forgetful(corners).shape))
print("parameters known  ", len(list(forgetful.parameters())))
try:
    torch.optim.Adam(forgetful.parameters())
except ValueError as error:
    print("optimizer:", error)

# %% [markdown] slideshow={"slide_type": "notes"}
# It computes, and nothing seems wrong. But `nn.Module` does not look *into* a plain list, so it knows of no parameters at all. Here the optimizer complains. If only some of the layers sit in such a list, nobody does: the others are trained, and these keep their random weights for ever.
#
# The cure is **`nn.ModuleList`**: a list that `nn.Module` does look into.
#
# **Exercise [04.mlp](exercises/04_mlp.ipynb)** ●●● A network of any sizes as an `nn.Module`. Try it before you read ours, which follows.

# %% tags=["long"] slideshow={"slide_type": "subslide"}
class MLP(nn.Module):
    """A multilayer perceptron: `MLP([784, 128, 256, 10])`. It gives logits."""

    def __init__(self, sizes, activation=torch.relu):
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairwise(sizes))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = self.activation(layer(X))
        return self.layers[-1](X)


def count_parameters(model):
    """How many numbers of a model are learned."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


for sizes in ([3, 3, 2, 2], [784, 128, 256, 10]):
    print(sizes, f"{count_parameters(MLP(sizes)):,}")

# %% [markdown] slideshow={"slide_type": "notes"}
# 26 and 136,074, as by hand. Does it compute the same as our `forward`? We hand its weights to both.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
torch.manual_seed(0)
model = MLP([784, 128, 256, 10])
layers = [(layer.weight, layer.bias) for layer in model.layers]
difference = (forward(X, layers) - model(X)).abs().max().item()
print("largest difference:", difference)

# %% slideshow={"slide_type": "skip"}
assert difference < 1e-5

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### A summary
#
# For larger networks one likes to see a table. The package `torchinfo` sends a batch through and notes every shape on the way:

# %%
table = summary(model, input_size=(32, 784), col_names=("input_size", "output_size", "num_params"), verbose=0)
print(table)

# %% slideshow={"slide_type": "skip"}
assert table.total_params == count_parameters(model) == 136_074

# %% [markdown] slideshow={"slide_type": "notes"}
# Read it line by line: shapes in and out as in our table in section 2, parameters as counted by hand. (`Linear: 2-1` means second level, first in the row: it stands inside the `ModuleList`, `1-1`, and that inside our `MLP`. `Total mult-adds` has nothing to do with megabytes. It says 4.35 million, which is 32 · 136,074: for each picture every parameter is used once.)
#
# **Do this with every network you write.** A number that surprises you is either a mistake in the network or something you had not understood. Both are worth knowing.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 5 · XOR, learned
#
# Nobody sets 136,074 weights by hand. Training does what it did in lesson 00: compute the loss, find its gradient, take a small step, again and again. torch finds the gradient (`loss.backward()`); in lesson 06 we shall do that ourselves. The loss is lesson 01's, the average surprise. `binary_cross_entropy_with_logits` takes $z$ and applies the sigmoid itself, without overflow.

# %% slideshow={"slide_type": "fragment"}
def train(model, X, y, steps, lr):
    """Train on all points at once; the model gives one logit each. Returns the last loss."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    for _ in range(steps):
        z = model(X)[:, 0]  # (n,): [:, 0], or (n, 1) would meet (n,)
        loss = F.binary_cross_entropy_with_logits(z, y)
        optimizer.zero_grad()  # forget the last gradient
        loss.backward()  # find the new one, for every parameter
        optimizer.step()  # move every parameter a little
    return loss.item()


def share_right(z, y):
    """Share of logits on the right side of zero."""
    return ((z >= 0) == (y == 1)).float().mean().item()

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
nets = []
for seed in range(4):
    torch.manual_seed(seed)
    nets.append(MLP([2, 2, 1]))
    loss = train(nets[seed], corners, xor, steps=500, lr=0.05)
    print(f"start {seed}: loss {loss:.3f}, right: {share_right(nets[seed](corners)[:, 0], xor):.0%}")

# %% slideshow={"slide_type": "skip"}
assert share_right(nets[2](corners)[:, 0], xor) == 1

# %% [markdown] slideshow={"slide_type": "notes"}
# Start 2 found XOR, the other three did not. (A loss of 0.693 is $-\log 0.5$: such a network says "fifty-fifty" to everything.) First: what did the one that works do to the plane? Has it found our weights?

# %% slideshow={"slide_type": "subslide", "show": "output"}
learned = nets[2]


def learned_hidden(X):
    return torch.relu(learned.layers[0](X)).detach()


fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
area = ((-0.6, 1.6), (-0.6, 1.6))
plotting.plot_decision_boundary(lambda X: learned(X)[:, 0], corners, xor.long(), ax=axes[0], limits=area, legend=False)
draw_grid(learned_hidden, axes[1], -0.5, 1.5)
plotting.plot_points(learned_hidden(corners), xor.long(), ax=axes[1], size=110)
w, b = learned.layers[1].weight.detach()[0], learned.layers[1].bias.item()
ends = torch.tensor([-9.0, 9.0])
axes[1].plot(ends, -(w[0] * ends + b) / w[1], color=plotting.COLORS["boundary"], lw=2.5)  # where w·a + b = 0
axes[0].set(title="What it says", aspect="auto")
axes[1].set(title="How it bent the plane", xlabel="$a_1$", ylabel="$a_2$", aspect="auto")
axes[1].grid(False);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left: a slanted band of class 1 with the two ones in it, and class 0 on both sides. Right: the plane has been pressed onto the two axes. Both ones lie in the corner (0, 0), each zero lies far out on an axis of its own, and a straight line cuts the corner off.
#
# Another solution than ours. Each of its units has learned to speak up for one of the *zeros*, and at the ones both keep silent. There are many right weights, and training finds some of them, not ours.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Can it? Does it?
#
# Four starts tell little. We train 200 networks at once: with lesson 03 that takes one more axis. All weights get an axis for the network in front, `@` multiplies matrix by matrix, and `.mT` swaps the last two axes only. Since no weight of one network occurs in the loss of another, each trains as if it were alone.

# %%
def random_layers(sizes, networks):
    """Layers of many networks, drawn as nn.Linear draws them: between -1/sqrt(in) and 1/sqrt(in)."""
    layers = []
    for m, n in pairwise(sizes):
        W, b = 2 * torch.rand(networks, n, m) - 1, 2 * torch.rand(networks, 1, n) - 1
        layers.append(((W / m**0.5).requires_grad_(), (b / m**0.5).requires_grad_()))
    return layers


def forward_all(X, layers):
    """One logit for every network and example: (n, in) -> (networks, n)."""
    a = X
    for W, b in layers[:-1]:
        a = torch.relu(a @ W.mT + b)  # (networks, n, out)
    W, b = layers[-1]
    return (a @ W.mT + b)[..., 0]

# %% slideshow={"slide_type": "skip"}
def train_all(layers, X, y, loss_of, steps, lr):
    """Train many networks side by side. Returns the last loss of each."""
    optimizer = torch.optim.Adam([p for layer in layers for p in layer], lr=lr, fused=True)
    for _ in range(steps):
        z = forward_all(X, layers)  # (networks, n)
        losses = loss_of(z, y.expand_as(z)).mean(dim=1)  # (networks,)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    return losses.detach()


def surprise(z, y):
    """Lesson 01's loss, example by example."""
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("04.found")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
solved = {}
for width in (1, 2, 3, 4, 8, 16):
    layers = random_layers([2, width, 1], networks=200)
    train_all(layers, corners, xor, surprise, steps=500, lr=0.05)
    right = ((forward_all(corners, layers) >= 0) == (xor == 1)).sum(dim=1)  # (200,): how many of the 4
    solved[width] = (right == 4).sum().item()
    print(f"hidden units {width:2}: {solved[width]:3} of 200 networks solved XOR")

# %% slideshow={"slide_type": "skip"}
assert solved[1] == 0 < 20 < solved[2] < 70 < solved[4] < 160 < solved[8] < solved[16]

# %% [markdown] slideshow={"slide_type": "fragment"}
# One unit never does it: behind a single unit there is still a single line. Two are enough **on paper**, and only about one network in five gets there. With eight it is more than nine in ten, with sixteen all or nearly all.

# %% [markdown] slideshow={"slide_type": "notes"}
# So here is the first misconception to lose: *"if a network is large enough to do it, training will find it"*. Two questions are to be kept apart for ever: do good weights **exist**, and does training **find** them? With exactly two units both must start in a good place; a unit that is silent on all four corners has no gradient (lesson 02). With sixteen there are spare ones. This is one reason why networks are made wider than they would have to be.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 6 · Three layers unroll a spiral
#
# Now something that no one would set by hand: two spirals, wound into each other. Two layers of 8 units and one of 2, so that we can draw it. We take tanh for once, because its bends are soft and make the better picture.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
X, y = data.make_points("spirals", 400, noise=0.05)
y = y.float()
torch.manual_seed(1)
spiral_net = MLP([2, 8, 8, 2, 1], activation=torch.tanh)
loss = train(spiral_net, X, y, steps=800, lr=0.01)
print(f"{count_parameters(spiral_net)} parameters, loss {loss:.3f}, right: {share_right(spiral_net(X)[:, 0], y):.1%}")

# %% slideshow={"slide_type": "skip"}
assert share_right(spiral_net(X)[:, 0], y) > 0.98

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plotting.plot_decision_boundary(lambda X: spiral_net(X)[:, 0], X[::2], y[::2].long(), limits=((-3, 3), (-3, 3)))
ax.set_title("117 numbers follow two spirals");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two spirals of points, and a boundary that winds between them, one and a half turns.
#
# How does it do that? The last neuron can draw nothing but a straight line. So after the last hidden layer the spirals must be separable by a line; before the first one they were not. Somewhere in between they have been unrolled.
#
# We can measure where. Put a single neuron **on top of each layer**, give it that layer's activations as input, and train it alone. It tells how much of the problem a straight cut can do there.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def activations(model, X):
    """The input and what each hidden layer makes of it: a list of (n, width)."""
    a = [X]
    for layer in model.layers[:-1]:
        a.append(model.activation(layer(a[-1])))
    return a


names = ["the input", "hidden layer 1", "hidden layer 2", "hidden layer 3"]
neurons, shares = [], []
for name, a in zip(names, activations(spiral_net, X), strict=True):
    neuron = MLP([a.shape[1], 1])  # no hidden layer: a single neuron
    train(neuron, a.detach(), y, steps=400, lr=0.1)  # detach: the network below is left as it is
    neurons.append(neuron.layers[0].weight.detach()[0])
    shares.append(share_right(neuron(a)[:, 0], y))
    print(f"one neuron on {name:14}: {shares[-1]:.0%} right")

# %% slideshow={"slide_type": "skip"}
assert shares[0] < 0.75 and shares[1] < 0.9 and shares[2] > 0.95 and shares[3] > 0.95

# %% [markdown] slideshow={"slide_type": "notes"}
# On the input a straight cut gets two thirds, and hardly more after the first layer. After the second it gets all of them. The first layer alone has not solved anything. It has made material from which the second can.
#
# To *see* it we need two axes. The input and the last hidden layer have two. A layer of eight units has eight, so we look at its **shadow**, as a sculpture throws one on a wall, turned such that the classes come apart as well as they can: the horizontal axis is what the neuron on top of the layer sees, the vertical axis is the direction in which the rest is widest.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def shadow(a, direction):
    """Two directions to look at activations (n, width) from: (width, 2)."""
    if a.shape[1] == 2:
        return torch.eye(2)  # two units: nothing to turn
    u = direction / direction.norm()
    rest = a - a.mean(dim=0)
    rest = rest - (rest @ u)[:, None] * u  # without what the horizontal axis shows already
    return torch.stack([u, torch.linalg.svd(rest, full_matrices=False).Vh[0]], dim=1)  # svd finds the widest


def draw_layer(k, ax):
    """The grid and the points as hidden layer k sees them; 0 is the input."""
    a = activations(spiral_net, X)[k].detach()
    view = shadow(a, neurons[k])
    draw_grid(lambda P: activations(spiral_net, P)[k] @ view, ax, -3, 3, lines=11)
    plotting.plot_points(a[::2] @ view, y[::2].long(), ax=ax, size=20, legend=False)  # every other point
    ax.set(xlabel="", ylabel="", aspect="auto", title=f"{names[k].capitalize()}: {shares[k]:.0%} by a line")
    ax.autoscale()  # let the limits fit what is drawn
    ax.locator_params(nbins=5)  # and write no more than five numbers along each axis
    ax.grid(False)


fig, axes = plt.subplots(2, 2, figsize=(8.4, 7), layout="constrained")
for k, ax in enumerate(axes.flat):
    draw_layer(k, ax)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Top left: the spirals on a square grid. Top right: after the first layer the grid is bent and overlaps itself in the shadow, the classes are still tangled. Bottom left: after the second layer one class lies left, the other right, with a gap between. Bottom right: after the third layer class 1 sits in the upper left corner and class 0 along the lower edge; between them run lines of the grid, but there are no points.
#
# So this is what hidden layers do: **they bend space until the problem is easy.** Was that luck? Six starts:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
outcomes = []
for seed in range(6):
    torch.manual_seed(seed)
    other = MLP([2, 8, 8, 2, 1], activation=torch.tanh)
    train(other, X, y, steps=600, lr=0.01)
    outcomes.append(share_right(other(X)[:, 0], y))
print("right, for six starts:", [f"{o:.0%}" for o in outcomes])

# %% slideshow={"slide_type": "skip"}
assert sum(o > 0.95 for o in outcomes) >= 3

# %% [markdown] slideshow={"slide_type": "notes"}
# Five of six get there. One got stuck at two thirds, no better than a line.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · Explorer: a network to play with
#
# *What does each unit contribute?* Choose data, layers, units and activation, press **Train** and watch the boundary form. Each hidden unit has a small picture of its own: where in the plane it is active. (*L2* keeps the weights small. Leave it at 0; lesson 09 says what it is good for.)

# %% [markdown] slideshow={"slide_type": "fragment"}
# - **Try** the circles with the first settings, until 95% of the test points are right. How few units will do?
# - **Try** to get stuck: circles, `identity` as activation, as many layers as you like, 300 steps. (Why? Lesson 02, section 1.)
# - **Notice** the pictures of the units. In the first layer each is cut by one straight line. From the second layer on they are curved, since they are made of the first.
# - **Challenge:** XOR with at most 3 hidden units. Press *New start* when it is stuck. Then: more than 95% on the spirals.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.playground()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The network from left to right: the two inputs, a small picture of the plane for every hidden unit, orange where the unit is positive and blue where it is negative, and the output. Lines stand for weights, orange for positive and blue for negative ones, the thicker the larger. Beside it the points, the regions and the boundary of the whole network; below the loss, step by step.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 8 · Any curve out of corners
#
# How much can one hidden layer do? Take one number in and one out. A ReLU makes a corner. Three of them make a bump:
#
# $$\text{hat}(x) = \text{relu}(x + 1) - 2\,\text{relu}(x) + \text{relu}(x - 1)$$
#
# By hand. At −2 all three are silent: 0. At 0: $1 - 0 + 0 = 1$. At 0.5: $1.5 - 1 + 0 = 0.5$. At 3: $4 - 6 + 2 = 0$, and it stays 0. The slope is first 0, then 1, then $1 - 2 = -1$, then $1 - 2 + 1 = 0$: **each ReLU adds its weight to the slope from its corner on.**

# %% slideshow={"slide_type": "subslide", "show": "output"}
def hat(x):
    """A triangle of height 1 over -1 to 1, from three ReLUs."""
    return torch.relu(x + 1) - 2 * torch.relu(x) + torch.relu(x - 1)


x = torch.linspace(-2, 2, 401)
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), layout="constrained")
parts = {"relu(x + 1)": torch.relu(x + 1), "−2 relu(x)": -2 * torch.relu(x), "relu(x − 1)": torch.relu(x - 1)}
for name, part in parts.items():
    axes[0].plot(x, part, label=name)
plotting.label_lines(axes[0])
axes[1].plot(x, hat(x), color=plotting.COLORS["accent"])
axes[0].set(title="Three corners …", xlabel="$x$", ylim=(-4.2, 3.4))
axes[1].set(title="… add up to a bump", xlabel="$x$", ylim=(-0.1, 1.3));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left three broken lines, each flat up to its corner at −1, 0 or 1 and straight from there on. Right their sum: a triangle over −1 to 1, of height 1, and zero outside.
#
# Shift it to $c$ and squeeze it to half the width with $\text{hat}((x - c) / 0.5)$.
#
# **Exercise [04.relu_bump](exercises/04_mlp.ipynb)** ●● A bump from `left` over `centre` to `right`, with unequal sides.

# %% [markdown] slideshow={"slide_type": "notes"}
# Now put bumps side by side, each as high as the curve is at its centre. Where two overlap, one falls as the other rises, so their sum is the straight line between the two tops. We do it for $f(x) = \sin 2x + 0.3x$ from −3 to 3.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def curve(x):
    return torch.sin(2 * x) + 0.3 * x


x = torch.linspace(-3, 3, 601)
centres = torch.linspace(-3, 3, 9)
bumps = curve(centres) * hat((x[:, None] - centres) / 0.75)  # (601, 9): a column for each bump
fig, ax = plt.subplots(figsize=(7.4, 3.9))
ax.plot(x, bumps, color=plotting.COLORS["neutral"], lw=1.2)
ax.plot(x, curve(x), "--", color=plotting.COLORS["muted"], lw=2.5, label="the curve")
ax.plot(x, bumps.sum(dim=1), color=plotting.COLORS["accent"], lw=2.5, label="sum of nine bumps")
ax.set(xlabel="$x$", title="Nine bumps add up to nearly the curve", xlim=(-3, 3))
ax.legend(loc="upper left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A dashed wave, and nine grey triangles whose tops lie on it; some are upside down, the one at 0 has height 0, and of those at the ends only one half shows. Their sum is a line of eight straight pieces that meets the wave at nine points and cuts its round tops off.

# %% [markdown] slideshow={"slide_type": "notes"}
# Neighbouring bumps share their corners, so nine bumps do not need 27 ReLUs. On this interval eight are enough: the line starts at $f(-3)$, and each ReLU changes the slope at its corner to what the next piece needs. For $n$ pieces: $n$ ReLUs, with corners at the left end of each piece.
#
# That is an MLP: 1–$n$–1. All weights of the first layer are 1, its biases are minus the corners, and the second layer's weights are the **changes of slope**.

# %% slideshow={"slide_type": "subslide"}
def corners_by_hand(f, n):
    """Layers of a 1-n-1 network that meets f at n + 1 points from -3 to 3 and is straight between them."""
    knots = torch.linspace(-3, 3, n + 1)
    slopes = (f(knots[1:]) - f(knots[:-1])) / (6 / n)  # (n,): slope of each piece
    changes = torch.cat([slopes[:1], slopes[1:] - slopes[:-1]])  # (n,)
    return [(torch.ones(n, 1), -knots[:-1]), (changes[None, :], f(knots[:1]))]


x, target = x[:, None], curve(x)  # (601, 1), (601,)
by_hand = {}
for n in (1, 2, 4, 8, 16, 64):
    y_hat = forward(x, corners_by_hand(curve, n))[:, 0]
    by_hand[n] = (y_hat - target).square().mean().sqrt().item()
    print(f"ReLUs {n:2}, by hand: typical error {by_hand[n]:.4f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# (The typical error is the root of the mean squared error.) Up to four pieces the knots hit the curve in unlucky places. From 8 to 16 to 64 it goes down fast: twice as many corners, a quarter of the error. **There is no end to this.** Whatever error you are willing to accept, there is an $n$ that gets below it.
#
# That is the idea of the **universal approximation theorem**: one hidden layer with enough units comes as close as you like to any continuous function on a closed and bounded region. Cybenko proved it for sigmoids in 1989. It holds for every continuous activation that is not a polynomial (Leshno and others, 1993).

# %% [markdown] slideshow={"slide_type": "notes"}
# Now let training have a go: twenty networks of each width, 1,000 steps each. This takes about five seconds.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("04.corners")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def squared_error(y_hat, y):
    return (y_hat - y) ** 2


torch.manual_seed(0)
trained, best = {}, {}
thin = slice(None, None, 6)  # every sixth point is enough to learn from
for n in by_hand:
    layers = random_layers([1, n, 1], networks=20)
    train_all(layers, x[thin], target[thin], squared_error, steps=1000, lr=0.01)
    y_hat = forward_all(x, layers).detach()  # (20, 601)
    trained[n] = (y_hat - target).square().mean(dim=1).sqrt()
    best[n] = y_hat[trained[n].argmin()]
    print(f"ReLUs {n:2}: by hand {by_hand[n]:.4f}   trained: best {trained[n].min():.4f}, "
          f"median {trained[n].median():.4f}, {(trained[n] < by_hand[n]).sum():2} of 20 better than by hand")

# %% slideshow={"slide_type": "skip"}
better = {n: (trained[n] < by_hand[n]).sum() for n in by_hand}
assert better[4] > 14 > 10 > better[8] and better[16] < 7 and min(trained[64]) > 2 * by_hand[64]

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(2, 3, figsize=(10, 5.2), sharex=True, sharey=True, layout="constrained")
for ax, n in zip(axes.flat, by_hand, strict=True):
    ax.plot(x, target, color=plotting.COLORS["neutral"], lw=5, alpha=0.5, label="the curve")
    ax.plot(x, forward(x, corners_by_hand(curve, n)), "--", color=plotting.COLORS["accent"], lw=2, label="by hand")
    ax.plot(x, best[n], color=plotting.COLORS["train"], lw=2, label="trained, best of twenty")
    ax.set_title(f"{n} ReLU{'s' if n > 1 else ''}")
for ax in axes[1]:
    ax.set_xlabel("$x$")
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Six panels with the same wave. With 1 and 2 ReLUs both lines are crude. With 4 the trained line has put its corners at the tops and valleys of the wave and follows all of it; the one by hand misses nearly everything. With 8 both follow, with 16 and 64 both lie on the curve nearly everywhere.

# %% [markdown] slideshow={"slide_type": "notes"}
# With four units nearly every trained network wins, because it can choose where the corners go. With 8 only a quarter of them beat the construction, with 16 one or two, with 64 none: the best of them is ten times as far off, and the picture shows only the best. With 16 units the median is hardly better than with 8.
#
# So a second misconception: *"networks can learn anything, for they are universal approximators"*. The theorem says that good weights **exist**. It does not say how many units it takes, nor that training **finds** them. And it says nothing about points outside the region. We look at five of the networks with 64 ReLUs there:

# %% slideshow={"slide_type": "subslide", "show": "output"}
far = torch.linspace(-9, 9, 1201)
fig, ax = plt.subplots(figsize=(8.4, 3.8))
ax.axvspan(-3, 3, color=plotting.COLORS["grid"], lw=0)
ax.plot(far, curve(far), "--", color=plotting.COLORS["muted"], label="the curve")
ax.plot(far, forward_all(far[:, None], layers).detach()[:5].T, color=plotting.COLORS["train"], lw=1.5)
ax.plot([], [], color=plotting.COLORS["train"], label="five trained networks, 64 ReLUs")
ax.text(0, -6.4, "trained here", ha="center", color=plotting.COLORS["muted"])
ax.set(xlabel="$x$", xlim=(-9, 9), ylim=(-7, 7), title="Where there was no data they leave the curve")
ax.legend(loc="upper left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Between −3 and 3, shaded, all five lie on the curve. Outside, the curve goes on in waves. The networks know nothing of them: one or the other bends once more, and then each goes straight on in a direction of its own. Beyond its last corner a ReLU network is a straight line, whatever it has learned.

# %% [markdown] slideshow={"slide_type": "notes"}
# And many inputs? The theorem holds there as well, but its proof is another one. (In the plane each ReLU has a fold along a line, not a corner at a point, and one layer of folds makes no bump that is zero all around.) Nor would bumps be a plan: a row of 10 covers a line, but a square takes $10 \cdot 10$, a cube 1,000, and 784 pixels take $10^{784}$. That networks read digits must have another reason: digits are far from arbitrary functions, and layers build on layers. Which brings us to depth.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 9 · Deep or wide?
#
# **On paper, depth wins by far.** Take a tent: it goes up from 0 to 1 on the left half of [0, 1] and down again on the right. Two ReLUs make it: $\text{tent}(x) = 2\,\text{relu}(x) - 4\,\text{relu}(x - \tfrac12)$.
#
# Now feed its output to a second tent. On the left half, the first tent runs through all of [0, 1], so the second makes a whole tent there; on the right half it runs back, and there is another. Two tents. A third layer makes four. It is like folding paper: each fold doubles the number of layers of paper, so that one cut makes ever more corners.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def folded(hidden):
    """Layers of a network with two units in each of its hidden layers: a tent of a tent of a tent …"""
    units, tent = torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0, -4.0]])  # (2, 1), (1, 2)
    bias = torch.tensor([0.0, -0.5])
    between = [(units @ tent, bias)] * (hidden - 1)  # (2, 2): a tent, handed to two new units
    return [(units, bias), *between, (tent, torch.zeros(1))]


x = torch.linspace(0, 1, 1025)[:, None]
fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.6), sharey=True, layout="constrained")
for ax, hidden in zip(axes, (1, 2, 3, 5), strict=True):
    y_hat = forward(x, folded(hidden))[:, 0]
    pieces = 1 + (y_hat.diff().sign().diff() != 0).sum().item()
    ax.plot(x, y_hat, color=plotting.COLORS["accent"])
    ax.set(title=f"{hidden} hidden: {pieces} pieces", xlabel="$x$", xticks=[0, 0.5, 1])

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** Four zigzag lines between 0 and 1. One hidden layer gives one tent of 2 straight pieces, two give two tents with 4, three give four with 8, and five give sixteen with 32.

# %% slideshow={"slide_type": "subslide", "show": "output"}
print("hidden layers  pieces  parameters   one hidden layer needs")
for hidden in (1, 2, 3, 5, 10):
    deep = sum(W.numel() + b.numel() for W, b in folded(hidden))
    units = 2**hidden  # one layer takes a ReLU for each piece, as in section 8
    print(f"{hidden:13}  {2**hidden:6}  {deep:10}   {units:5} units, {3 * units + 1:5} parameters")

# %% [markdown] slideshow={"slide_type": "notes"}
# Every further hidden layer adds 6 parameters and **doubles** the pieces; every further unit in a single layer adds 3 parameters and **one** corner. For 1,024 pieces: 61 against 3,073. There are functions for which depth is worth exponentially many units (Telgarsky, 2015).
#
# Does training find them? The shape 1–2–2–2–1 can make 8 pieces exactly. We train 50 networks of that shape on just this zigzag, and, to see whether the zigzag is too hard for training as such, 10 with a single layer of 64. (For both the input is stretched from [0, 1] to [−2, 2], so that its middle is 0.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(0)
zigzag = forward(x, folded(3))[:, 0]
errors = {}
for sizes, networks in (((1, 2, 2, 2, 1), 50), ((1, 64, 1), 10)):
    layers = random_layers(sizes, networks)
    losses = train_all(layers, 4 * x[::4] - 2, zigzag[::4], squared_error, steps=1000, lr=0.01)
    errors[sizes] = losses.sqrt()
    print(f"{sizes}: typical error best {errors[sizes].min():.3f}, median {errors[sizes].median():.3f}")
print(f"the best constant has {zigzag.std():.3f}")

# %% slideshow={"slide_type": "skip"}
assert errors[1, 2, 2, 2, 1].min() > 0.1 and errors[1, 2, 2, 2, 1].median() > 0.25 and errors[1, 64, 1].median() < 0.05

# %% [markdown] slideshow={"slide_type": "notes"}
# Of the narrow ones not one came near: their median is no better than a flat line. The wide ones, with eight times the units they need on paper, learn it well. It is section 5 again: that good weights exist is one thing, that training finds them another, and spare units help.
#
# So, in practice? We compare at **equal parameter count**: five shapes of about 300 parameters, from one wide layer to eight narrow ones. Ten networks each learn spirals from 300 points and are judged on 2,000 new ones.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("04.depth")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
X, y = data.make_points("spirals", 300, noise=0.1, seed=0)
X_new, y_new = data.make_points("spirals", 2000, noise=0.1, seed=1)
shapes = {hidden: [2, *hidden, 1] for hidden in ((75,), (15, 15), (11,) * 3, (9,) * 4, (6,) * 8)}
torch.manual_seed(0)
result = {}
for hidden, sizes in shapes.items():
    layers = random_layers(sizes, networks=10)
    train_all(layers, X, y.float(), surprise, steps=500, lr=0.01)
    with torch.no_grad():
        right = (forward_all(X_new, layers) >= 0) == (y_new == 1)  # (10, 2000)
    result[hidden] = 100 * right.float().mean(dim=1)
    r = result[hidden]
    print(f"{len(hidden)} x {hidden[0]:2} units, {count_parameters(MLP(sizes))} parameters: "
          f"median {r.median():3.0f}%, worst {r.min():3.0f}%, best {r.max():3.0f}%")

# %% slideshow={"slide_type": "skip"}
assert min(result[75,].min(), result[15, 15].min()) > 93 and result[(6,) * 8].median() < 92

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, ax = plt.subplots(figsize=(8, 4.4))
for place, r in enumerate(result.values()):
    spread = place + torch.linspace(-0.18, 0.18, len(r))
    ax.scatter(spread, r, s=45, color=plotting.COLORS["test"], alpha=0.7, lw=0)
ax.axhline(50, ls="--", color=plotting.COLORS["muted"])
ax.annotate("guessing", (0, 52), color=plotting.COLORS["muted"], ha="center")
ax.set_xticks(range(5), [f"{len(h)} × {h[0]}" for h in result])
ax.set(xlabel="hidden layers × units, about 300 parameters each", ylabel="right on new points, %", ylim=(45, 102))
ax.set_title("At equal size, deeper was not better here");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five columns of ten dots. With one, two and three hidden layers all dots lie close together between 97% and 100%. With four layers of nine most are up there, and one or two have dropped. With eight layers of six they are strewn from 50%, which is guessing, to nearly 100%.

# %% [markdown] slideshow={"slide_type": "notes"}
# The third misconception: *"deeper is better"*. Here the shapes with one to three hidden layers were equally good, and the deepest was the worst, by far. A wide layer has spare units. In a narrow, deep network everything must pass through each layer of six, some of them silent at any time, and the gradient has to come all the way back (lesson 02).
#
# It is one task at one size, so do not turn it round into *"shallow is better"*. What we can say: depth **can** do more with fewer numbers, and it is **harder to train**. The networks of lessons 12 to 15 are deep *and* wide, and have remedies that you will meet in lesson 08.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 10 · What do hidden units learn?
#
# The units of a hidden layer are **features** that nobody designed. The story one often hears: the first layer finds edges, the second puts edges together to parts (a loop, a stroke), the third puts parts together to things (an 8). Each layer works with what the one before has found, so it can say more.
#
# This has been seen, in convolutional networks that learned from photographs (lesson 12). Does our dense network for digits do it? We train it for three epochs and keep a copy of its first weights.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
X_train, y_train = data.mnist_tensors("train")
X_test, y_test = data.mnist_tensors("test")
torch.manual_seed(0)
untrained, model = MLP([784, 128, 256, 10]), MLP([784, 128, 256, 10])
model.load_state_dict(untrained.state_dict())  # copy all parameters by name: the same start
batches = data.Batches(X_train, y_train, batch_size=256, generator=torch.Generator().manual_seed(0))
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
for _ in range(3):
    for X, y in batches:
        loss = F.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    test_accuracy = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
print(f"accuracy on the test set: {test_accuracy:.1%}")

# %% slideshow={"slide_type": "skip"}
assert test_accuracy > 0.95

# %% [markdown] slideshow={"slide_type": "notes"}
# A unit of the first layer has one weight per pixel, so its weights can be drawn as a picture: red where ink speaks for it, blue where ink speaks against it.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("04.strokes")

# %% slideshow={"slide_type": "subslide", "show": "output"}
W_start, W_end = untrained.layers[0].weight.detach(), model.layers[0].weight.detach()  # (128, 784)
change = W_end - W_start
fig, axes = plt.subplots(3, 6, figsize=(8.4, 4.6), layout="constrained")
for row, (name, W) in enumerate({"at the start": W_start, "after training": W_end, "the change": change}.items()):
    axes[row, 0].set_ylabel(name)
    for unit, ax in enumerate(axes[row]):
        ax.imshow(W[unit].view(28, 28), cmap=plotting.DIVERGING, norm=plotting.centred_norm(W_end[:6]))
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
for unit, ax in enumerate(axes[2]):
    ax.set_xlabel(f"unit {unit}")
fig.suptitle("Training adds smooth blots, no strokes");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three rows of six small pictures. On top fine, pale noise. In the middle, after training, red and blue blots in the inner part, with noise all over and around them. At the bottom only what training has changed: the same blots, smooth, and a white border.

# %% [markdown] slideshow={"slide_type": "notes"}
# No edges, no pen strokes, no digits, in these six. Let us put numbers on all 128: are neighbouring pixels alike? How much of a unit's change lies in its best window of 9 by 9 pixels? (A detector for a short stroke would have nearly all of it in one.) And what happened at pixels that are black in all 60,000 digits?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def neighbours_alike(W):
    """Correlation of each pixel's weight with that of the pixel to its right, in the middle of the picture."""
    middle = W.view(-1, 28, 28)[:, 4:24, 4:24]
    pairs = torch.stack([middle[:, :, :-1].flatten(), middle[:, :, 1:].flatten()])
    return torch.corrcoef(pairs)[0, 1].item()


always_black = X_train.amax(dim=0) == 0  # (784,): pixels that no training digit ever touches
windows = F.avg_pool2d(change.square().view(-1, 1, 28, 28), 9, stride=1) * 81  # sums over all 9 by 9 windows
focus = windows.amax(dim=(1, 2, 3)) / change.square().sum(dim=1)  # (128,)
print(f"neighbouring pixels alike: start {neighbours_alike(W_start):.2f}, change {neighbours_alike(change):.2f}")
print(f"share of the change in the best 9 by 9 window: median {focus.median():.0%} (spread evenly: {81 / 784:.0%})")
print("always black:", always_black.sum().item(), "pixels; largest change there:", change[:, always_black].abs().max().item())

# %% slideshow={"slide_type": "skip"}
assert neighbours_alike(change) > 0.7 and abs(neighbours_alike(W_start)) < 0.05
assert change[:, always_black].abs().max() == 0 and focus.median() < 0.6

# %% [markdown] slideshow={"slide_type": "fragment"}
# A **correlation** is 1 if two numbers always rise and fall together, and 0 if one says nothing about the other. The start is noise: 0. The change is smooth: neighbours have nearly 0.9. It is **not local**: the best window holds a quarter of it, little more than twice an even share. So each unit compares ink in some places with ink in others, all over the picture.

# %% [markdown] slideshow={"slide_type": "notes"}
# At the 67 black pixels the change is exactly **zero**. A weight's gradient is (error of the unit) · (its input), and this input is always 0. What stands there after training is the noise of the start.
#
# Why no strokes? A dense layer does not know which pixels are neighbours. Shuffle the pixels of all pictures in the same way, and it learns just as well. Lesson 12 builds layers that do know.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Do deeper units know more?
#
# One half of the story can be measured without looking for strokes. Take one unit and 10,000 test digits. Its activation varies. How much of this variance goes with the **digit**? 0: on average the unit is the same for all ten. 1: the digit alone decides. We compute it for every unit of every layer, and for the same network before training.

# %%
def knows_digit(A, y):
    """Share of each unit's variance that goes with the digit, for activations (n, units)."""
    within = sum((y == k).float().mean() * A[y == k].var(dim=0, unbiased=False) for k in range(10))
    total = A.var(dim=0, unbiased=False)
    return (1 - within / total)[total > 1e-8]  # without units that are silent on all digits


def layer_by_layer(model):
    with torch.no_grad():
        outputs = [*activations(model, X_test), model(X_test)]
    return [knows_digit(A, y_test) for A in outputs]


knowledge = {"untrained": layer_by_layer(untrained), "trained": layer_by_layer(model)}
assert knowledge["trained"][1].median() > 2 * knowledge["untrained"][1].median()

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(8.4, 4.4))
for (name, shares), role, shift in zip(knowledge.items(), ("neutral", "train"), (-0.13, 0.13), strict=True):
    for place, s in enumerate(shares):
        dots = s[torch.linspace(0, len(s) - 1, min(len(s), 120)).long()]  # at most 120, evenly picked
        spread = place + shift + 0.2 * torch.linspace(-0.5, 0.5, len(dots))
        ax.scatter(spread, dots, s=9, color=plotting.COLORS[role], lw=0)
    medians = [s.median().item() for s in shares]
    ax.plot(torch.arange(4) + shift, medians, "o-", color=plotting.COLORS[role], mec=plotting.COLORS["text"], ms=9)
    ax.annotate(name, (3 + shift + 0.15, medians[-1]), va="center", color=plotting.COLORS["text"])
    print(f"{name:9} median:", [f"{m:.2f}" for m in medians])
ax.set_xticks(range(4), ["pixels", "hidden layer 1", "hidden layer 2", "logits"])
ax.set(ylabel="share that goes with the digit", xlim=(-0.4, 3.9), ylim=(0, 1))
ax.set_title("Layer by layer, units know more about the digit");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four columns of dots, one dot for a unit (at most 120 of them), with the medians joined by a line. Trained: about 0.1 at the pixels, a half after the first hidden layer, nearly two thirds after the second, more at the logits. Untrained: medians below 0.2 everywhere.

# %% slideshow={"slide_type": "skip"}
trained_medians = [s.median() for s in knowledge["trained"]]
assert all(after > before + 0.04 for before, after in pairwise(trained_medians))
assert max(s.median() for s in knowledge["untrained"]) < 0.3

# %% [markdown] slideshow={"slide_type": "notes"}
# So this half of the story holds, in our network, too: each layer's features say more about the thing than those before. And it is learning that does it, not the mere layers: untrained, they stay nearly as they were. (A layer as a whole cannot know more than the pixels from which it was computed. It says it more plainly, unit by unit.)
#
# Last, let the units show what they answer to. For the first three units of each hidden layer, the eight test digits that excite them most:

# %% slideshow={"slide_type": "subslide", "show": "output"}
with torch.no_grad():
    _, first, second = activations(model, X_test)  # (10000, 784), (10000, 128), (10000, 256)
rows = [(f"layer {k}\nunit {unit}", A[:, unit]) for k, A in ((1, first), (2, second)) for unit in range(3)]
fig, axes = plt.subplots(6, 8, figsize=(8.4, 6.6), layout="constrained")
for row, (name, a) in zip(axes, rows, strict=True):
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for i, ax in zip(a.argsort(descending=True)[:8], row, strict=True):
        ax.imshow(X_test[i].view(28, 28), cmap="gray")
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
fig.suptitle("Some units answer to one digit, others to several");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Six rows of eight digits each. Some rows hold one digit only, such as 2s or 5s. Others mix two or more that have something in common: 5s and 8s, or 2s and 0s.
#
# Not "one unit, one thing", then, in either layer. (These are only six units, and for each only what excites it most. To see others, write `range(3, 6)` for `range(3)`.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - A hidden layer maps the inputs to new places. Two ReLU units lay the two ones of XOR on the same spot, and then one line is enough.
# - Forward propagation: $z_l = W_l a_{l-1} + b_l$, $a_l = \text{relu}(z_l)$, none after the last. (B, in) goes in, (B, out) comes out; the batch size stands in no weight.
# - A layer has $m \cdot n + n$ parameters: 26 for 3–3–2–2, 136,074 for 784–128–256–10. `nn.Module` registers layers that are attributes or stand in an `nn.ModuleList`, not those in a plain list.
# - Each ReLU adds a corner, three make a bump, and enough of them follow any continuous curve on an interval. That good weights exist does not mean that training finds them, nor does it say anything outside.
# - Depth can save exponentially many units on paper; at equal size, narrow and deep trained worst. Units of deeper layers know more about the digit, but first-layer weights of a dense network are blots, not strokes.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. MLP([10, 20, 5, 3]) gets a batch of 64. Which shapes come out of the layers, and how many parameters are there?</summary>
#
# (64, 20), (64, 5), (64, 3). Parameters: $10 \cdot 20 + 20 = 220$, $20 \cdot 5 + 5 = 105$, $5 \cdot 3 + 3 = 18$, together 343. The 64 plays no part in that.
# </details>
#
# <details><summary>2. You take all ReLUs out of the XOR network. What is the best it can do?</summary>
#
# 3 corners of 4. Without a bend two layers are one (lesson 02), and one line is all there is.
# </details>
#
# <details><summary>3. A network trains, but its loss hardly falls. named_parameters() shows the last layer only. What has happened?</summary>
#
# The other layers stand in a plain Python list (or in something else that `nn.Module` does not look into). The optimizer never got them, so they still have their random weights. Use `nn.ModuleList`.
# </details>
#
# <details><summary>4. "One hidden layer can approximate any continuous function, so more layers are a waste." What do you answer?</summary>
#
# It *can*, with enough units, and that may be exponentially many: 1,024 against ten layers of two in section 9. Besides, the theorem does not say that training finds the weights.
# </details>
#
# <details><summary>5. Why do the weights at the border of a digit picture stay as they were?</summary>
#
# These pixels are 0 in every training picture. A weight's gradient is the unit's error times its input, so it is always 0.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/04_mlp.ipynb](exercises/04_mlp.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 04.xor_network | weights for XOR | ●● |
# | 04.linear | one layer for a batch | ● |
# | 04.forward | all layers | ●● |
# | 04.count_parameters | count from the sizes | ● |
# | 04.mlp | a network as an `nn.Module` | ●●● |
# | 04.relu_bump | a bump from three ReLUs | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# Twice we wrote down a loss without asking why this one: the average surprise for yes or no, squares for a curve. [Lesson 05](05_losses.ipynb) asks what a loss says, and what it makes of an outlier. Then lesson 06 opens `loss.backward()`.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - G. Cybenko (1989). *Approximation by superpositions of a sigmoidal function.* The universal approximation theorem of section 8.
# - M. Leshno, V. Lin, A. Pinkus, S. Schocken (1993). *Multilayer feedforward networks with a nonpolynomial activation function can approximate any function.* For which activations it holds.
# - M. Telgarsky (2015). *Representation benefits of deep feedforward networks.* The folded tents of section 9.
# - I. Goodfellow, Y. Bengio, A. Courville (2016). *Deep Learning*, section 6.1. The XOR network of section 1.
# - C. Olah (2014). *Neural networks, manifolds, and topology.* Layers as bent grids: the idea behind our pictures in section 6.
# - M. D. Zeiler, R. Fergus (2014). *Visualizing and understanding convolutional networks.* From edges to parts to things, seen in a network that learned from photographs.
