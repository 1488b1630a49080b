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
# # 13 · Networks with a memory
#
# **The question:** How can a network read something of any length, one piece after another, and still know at the end what it saw at the beginning?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - write an RNN, an LSTM and a GRU cell, and say what each gate does;
# - say why the gradient vanishes or explodes over time, measure it, and choose a remedy;
# - turn names into inputs and targets, pad and pack them, train a model with teacher forcing and sample from it at any temperature;
# - forecast a series one and many steps ahead, and judge the forecast against a simple rule;
# - join an encoder and a decoder, and say what limits them: one state of fixed size, one step after another.
#
# **Needs:** [lesson 12](12_cnn.ipynb) · **Read:** 60 minutes · **Run:** 55 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import explore, plotting, texts
from utils.built.layers import count_parameters

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 1 · A pad of notes
#
# A name, a sentence, the births of each day: all are **sequences**. The order of their pieces matters: *dog bites man* is not *man bites dog*. And they have no fixed length.
#
# A dense layer wants a fixed number of inputs. We could give it the last ten letters, but then the eleventh is gone for ever. You read differently: word by word, and after each word you change what you have in mind a little.
#
# A **recurrent network** (RNN) does the same. It keeps some numbers, the **hidden state** $h$: a pad of notes. At each **time step** it reads one input $x$ and its old notes, and writes new ones.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The smallest one has one number of notes:
#
# $$h \leftarrow \tanh(w_x\, x + w_h\, h)$$
#
# By hand, with $w_x = 1$, $w_h = 0.8$ and no notes yet ($h = 0$). It reads 1, then only zeros: first $\tanh(1) = 0.76$, then $\tanh(0.8 \cdot 0.76) = 0.54$, then $\tanh(0.8 \cdot 0.54) = 0.41$. The 1 is over, but its trace is still there, and fades.

# %% slideshow={"slide_type": "fragment"}
def read(xs, w_x=1.0, w_h=0.8):
    h, notes = torch.tensor(0.0), []
    for x in xs:
        h = torch.tanh(w_x * torch.tensor(x) + w_h * h)
        notes.append(round(h.item(), 2))
    return notes


print("reads 1 0 0 0 0:", read([1.0, 0, 0, 0, 0]))
print("reads 0 0 0 0 1:", read([0.0, 0, 0, 0, 1]))
print("without w_h:    ", read([1.0, 0, 0, 0, 0], w_h=0.0))

# %% [markdown] slideshow={"slide_type": "notes"}
# The same five numbers in another order leave another state: it knows **when**. Without the weight $w_h$ there is no memory at all.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 2 · The cell, and the cell unrolled
#
# With $d$ numbers at each step and $n$ numbers of notes, the two weights become matrices, $W_x$ of shape $(n, d)$ and $W_h$ of shape $(n, n)$:
#
# $$h_t = \tanh(x_t W_x^T + h_{t-1} W_h^T + b)$$
#
# It is a dense layer (lesson 04) on the input and the old state together. A batch of inputs at one step has the shape $(B, d)$, the state $(B, n)$.
#
# **Exercise [13.rnn_step](exercises/13_rnn.ipynb)** ● This formula. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def rnn_step(x, h, W_x, W_h, b):
    return torch.tanh(x @ W_x.T + h @ W_h.T + b)  # (B, n)


W_x = torch.tensor([[1.0], [0.0]])  # (n, d) = (2, 1): only the first unit sees the input
W_h = torch.tensor([[0.0, 0.0], [1.0, 0.0]])  # the second copies what the first had before
h = torch.zeros(1, 2)
for x in (0.9, 0.1, -0.5):
    h = rnn_step(torch.tensor([[x]]), h, W_x, W_h, torch.zeros(2))
    print(f"read {x:4}, state {[round(v, 2) for v in h[0].tolist()]}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two units, weights set by hand. The first shows the present input, the second what the first showed one step ago. So after $-0.5$ the state still knows of the $0.1$. What is worth noting, the network will learn.
#
# A misconception to lose: *"an RNN has a layer for each time step"*. It has **one** cell with one set of weights, used at every step. Drawn as a row of copies it is **unrolled**. So it can read any length, and a longer text needs no more parameters. Convolution shared its weights over places; recurrence shares them over time.

# %% [markdown] slideshow={"slide_type": "notes"}
# To run over a whole sequence, take a batch of shape $(B, T, d)$ apart along time, carry the state from step to step, collect the states, and stack them on the **time axis**: $(B, T, n)$.
#
# **Exercise [13.rnn_forward](exercises/13_rnn.ipynb)** ●● The loop over time.
#
# Does our cell compute what torch's `nn.RNN` does? Given the same weights, we compare the states and, through a loss on all of them, every gradient. (torch keeps two biases, one beside each matrix. Only their sum counts, so we hand ours the sum.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def largest_difference(module, run, X, V):
    """torch's layer against ours: states and gradients of their sum weighted with V."""
    outputs, _ = module(X)
    weights = list(module.parameters())  # W_x, W_h, b_x, b_h
    ours = run(X, weights)
    theirs = [outputs, *torch.autograd.grad((outputs * V).sum(), [X, *weights])]
    mine = [ours, *torch.autograd.grad((ours * V).sum(), [X, *weights])]
    return max((a - b).abs().max().item() for a, b in zip(theirs, mine, strict=True))


def run_rnn(X, weights):
    W_x, W_h, b_x, b_h = weights
    h, states = X.new_zeros(len(X), W_h.shape[1]), []
    for t in range(X.shape[1]):
        h = rnn_step(X[:, t], h, W_x, W_h, b_x + b_h)
        states.append(h)
    return torch.stack(states, dim=1)  # (B, T, n)


torch.manual_seed(0)
X = torch.randn(4, 9, 3, dtype=torch.float64, requires_grad=True)  # (B, T, d)
V = torch.randn(4, 9, 5, dtype=torch.float64)
off_rnn = largest_difference(nn.RNN(3, 5, batch_first=True).double(), run_rnn, X, V)
print(f"largest difference in states and gradients: {off_rnn:.0e}")

# %% slideshow={"slide_type": "skip"}
assert off_rnn < 1e-12

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 3 · Four shapes of task
#
# What goes in and what comes out need not have the same length.
#
# - **Many to one**: read all, answer once. Is this mail spam? We use the last state. (Section 10.)
# - **One to many**: one start, many outputs. A picture's caption; a name out of nothing. (Section 11.)
# - **Many to many, in step**: an answer at every step. What will tomorrow bring? (Section 12.)
# - **Many to many, first read, then write**: translation. An **encoder** reads all, a **decoder** writes. (Section 14.)

# %% slideshow={"slide_type": "fragment", "show": "output"}
shapes = {
    "many to one": ([0, 1, 2], [2], 3),
    "one to many": ([0], [0, 1, 2], 3),
    "many to many, in step": ([0, 1, 2], [0, 1, 2], 3),
    "first read, then write": ([0, 1, 2], [2, 3, 4], 5),
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.4), layout="constrained", width_ratios=[3, 3, 3, 5])
for ax, (name, (inputs, outputs, steps)) in zip(axes, shapes.items(), strict=True):
    boxes = [(t, 0, "x", "train") for t in inputs] + [(t, 1, "h", "text") for t in range(steps)]
    for t, row, letter, role in [*boxes, *((t, 2, "y", "validation") for t in outputs)]:
        color = plotting.COLORS[role]
        ax.text(t, row, letter, ha="center", va="center", color=color, bbox={"boxstyle": "round", "fc": "none", "ec": color})
    arrows = [((t, 0.25), (t, 0.75)) for t in inputs] + [((t, 1.25), (t, 1.75)) for t in outputs]
    arrows += [((t + 0.25, 1), (t + 0.75, 1)) for t in range(steps - 1)]
    for start, end in arrows:
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": plotting.COLORS["muted"]})
    ax.set(xlim=(-0.5, steps - 0.5), ylim=(-0.4, 2.4))
    ax.set_title(name, fontsize=13)
    ax.set_axis_off()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four unrolled networks: a row of states h, each with an arrow to the next. Many to one: three inputs x below, one output y above the last state. One to many: an input at the first state only, outputs above all. In step: inputs and outputs at each. Read, then write: three inputs at the first states, three outputs at the last ones; the state in the middle has both.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 4 · Backpropagation through time
#
# The unrolled network is a deep network, one layer for each step. So backpropagation (lesson 06) works as it is, and is then called **backpropagation through time**. One thing is special: the same weight is used at every step, so its gradient is the **sum** over all its uses.
#
# By hand, without tanh: $h_t = w h_{t-1} + x_t$. It reads 1, 0, 0: $h_1 = 1$, $h_2 = w$, $h_3 = w^2$. The slope of $h_3$ is $2w$, and it comes in two parts: the use at step 3 has local slope $h_2 = w$; the use at step 2 has local slope $h_1 = 1$, times $w$ on the way through step 3. Together $w + w$.

# %% slideshow={"slide_type": "subslide"}
def slope_of_last(w, cut_before_step=None):
    w = torch.tensor(w, requires_grad=True)
    h = torch.tensor(0.0)
    for step, x in enumerate((1.0, 0.0, 0.0), start=1):
        if step == cut_before_step:
            h = h.detach()  # the number goes on, the gradient does not
        h = w * h + x
    (gradient,) = torch.autograd.grad(h, w)
    return gradient.item()


print(f"w = 0.9: gradient {slope_of_last(0.9):.1f}; cut before step 3: {slope_of_last(0.9, 3):.1f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# To go backward we must keep all states, and wait until the end of the sequence. For a novel, or a sensor that never stops, that is impossible. **Truncated** backpropagation through time cuts the sequence into pieces of $k$ steps. The state is handed on from piece to piece, but **detached**: memory flows forward through all of it, the gradient back through one piece only.
#
# What does the cut cost? A layer for all kinds first, then we measure how wrong the gradient of $W_h$ becomes.

# %% tags=["long"] slideshow={"slide_type": "skip"}
class Recurrent(nn.Module):
    """A recurrent layer over (B, T, d_in): kind "rnn", "lstm" or "gru", n units."""

    def __init__(self, kind, d_in, n):
        super().__init__()
        if kind not in ("rnn", "lstm", "gru"):
            raise ValueError(f'kind must be "rnn", "lstm" or "gru", not {kind!r}')
        self.kind, self.n = kind, n
        rows = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * n  # LSTM and GRU: sections 7 and 8
        shapes = [(rows, d_in), (rows, n), (rows,)] + [(rows,)] * (kind == "gru")
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(shape)) for shape in shapes)
        for p in self.weights:
            nn.init.uniform_(p, -(n**-0.5), n**-0.5)  # as torch does

    def forward(self, X, state=None):
        if state is None:
            h = X.new_zeros(len(X), self.n)
            state = (h, h) if self.kind == "lstm" else h
        outputs = []
        for x in X.unbind(dim=1):  # one step after another, (B, d_in)
            if self.kind == "lstm":
                state = lstm_step(x, *state, *self.weights)
                outputs.append(state[0])
            else:
                step = rnn_step if self.kind == "rnn" else gru_step
                state = step(x, state, *self.weights)
                outputs.append(state)
        return torch.stack(outputs, dim=1), state  # (B, T, n), and the last state to go on from

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def set_radius(W, radius):
    """Scale W in place so that its eigenvalue farthest from 0 has this size."""
    with torch.no_grad():
        W *= radius / torch.linalg.eigvals(W).abs().max()


torch.manual_seed(0)
model = Recurrent("rnn", 8, 64).double()
set_radius(model.weights[1], 1.0)
X, V = torch.randn(16, 60, 8, dtype=torch.float64), torch.randn(16, 60, 64, dtype=torch.float64)


def gradient_in_pieces(k):
    state, total = None, 0.0
    for x, v in zip(X.split(k, dim=1), V.split(k, dim=1), strict=True):
        outputs, state = model(x, state)
        state = state.detach()
        total = total + (outputs * v).sum()
    return torch.autograd.grad(total, model.weights[1])[0]


whole, off = gradient_in_pieces(60), {}
for k in (1, 2, 5, 10, 20, 30):
    off[k] = ((gradient_in_pieces(k) - whole).norm() / whole.norm()).item()
    print(f"pieces of {k:2} steps: the gradient is wrong by {off[k]:4.0%} of its length")

# %% slideshow={"slide_type": "skip"}
assert off[1] > 0.6 and off[30] < 0.35 and off[30] < off[10] - 0.1 < off[2] - 0.2

# %% [markdown] slideshow={"slide_type": "notes"}
# The gradient is never right, but with longer pieces it comes near, since most of it comes from the last few steps anyway. Mind what the cut takes away: a link between things more than $k$ steps apart **can** still be used, because the state is handed on. But no gradient asks the network to make it.
#
# Why does most of the gradient come from the last few steps?

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 5 · A product of many matrices
#
# To come from step $T$ back to step $t$, the gradient is multiplied at each step by the local slope of the cell. In one unit that is $w_h \cdot \tanh'$, in $n$ units a matrix: $W_h$, its rows scaled by $\tanh' = 1 - h^2$.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Leave tanh out for a moment. Then it is the same matrix again and again, over 50 steps $W^{50}$. An **eigenvalue** of $W$ is a factor by which it stretches some direction, the **eigenvector**, without turning it. What decides is the **spectral radius** $\rho$: the size of the eigenvalue farthest from 0. (Complex ones come in pairs, and turn while they stretch.) For a diagonal matrix the eigenvalues stand on the diagonal:

# %% slideshow={"slide_type": "fragment", "show": "output"}
for big in (0.9, 1.0, 1.1):
    W = torch.diag(torch.tensor([big, 0.5]))
    power = torch.linalg.matrix_power(W, 50)
    print(f"diagonal {big} and 0.5: radius {torch.linalg.eigvals(W).abs().max():.1f}, 50 steps: {power[0, 0]:8.3f} and {power[1, 1]:.0e}")

# %% [markdown] slideshow={"slide_type": "notes"}
# Radius below 1: the gradient **vanishes**. Above 1: it **explodes**. Both exponentially in the number of steps. (For matrices that are not symmetric it may first grow and vanish later; the radius decides in the long run.)
#
# Now with tanh, in a random cell of 64 units. We read 100 random inputs, and ask for the gradient of the last state by the input $d$ steps earlier, compared with that by the last input.

# %% slideshow={"slide_type": "skip"}
def gradient_by_distance(make, T=100, seeds=3):
    """Mean size of the gradient by the input d steps back, relative to d = 0: shape (T,)."""
    logs = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        layer = make().double()
        X = torch.randn(16, T, 8, dtype=torch.float64, requires_grad=True)
        last = layer(X)[0][:, -1]  # (B, n)
        (g,) = torch.autograd.grad((last * torch.randn_like(last)).sum(), X)
        size = g.norm(dim=2).mean(dim=0).flip(0)  # (T,): nearest step first
        logs.append((size / size[0]).log10())
    return 10 ** torch.stack(logs).mean(dim=0)


def cell_of_radius(radius):
    layer = Recurrent("rnn", 8, 64)
    set_radius(layer.weights[1], radius)
    return layer

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("13.radius")

# %% slideshow={"slide_type": "subslide", "show": "output"}
reach = {radius: gradient_by_distance(lambda r=radius: cell_of_radius(r)) for radius in (0.6, 1.0, 1.5, 2.0, 3.0)}
ax = plt.subplots(figsize=(9, 4.8))[1]
for radius, sizes in reach.items():
    ax.plot(sizes, label=f"radius {radius:g}")
ax.set(yscale="log", xlabel="steps back", ylabel="gradient, relative to the last step", ylim=(1e-28, 1e14))
ax.set_title("With tanh, radius 1 is not enough")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five lines over 100 steps, logarithmic axis, all starting at 1. At radius 0.6 the line falls straight to below 10⁻²⁴. At radius 1 it falls too, to about 10⁻⁶. At 1.5 it stays near 1 and turns up a little at the end. At 2 and 3 it rises, to some 10⁵ and 10¹².

# %% slideshow={"slide_type": "skip"}
assert reach[0.6][99] < 1e-20 and 1e-9 < reach[1.0][99] < 1e-3
assert 0.1 < reach[1.5][50] < 30 and reach[2.0][99] > 1e3 and reach[3.0][99] > 1e8

# %% [markdown] slideshow={"slide_type": "subslide"}
# A misconception to lose: *"radius 1 is just right"*. It is without tanh. With it each step also multiplies by $1 - h^2$, which is below 1, so radius 1 vanishes, and the balance lies higher, near 1.5 here. Where exactly depends on the inputs: they decide how flat tanh is. And training moves it.
#
# Both are bad in different ways. An **exploding** gradient is seen at once: the loss jumps. A **vanishing** one is silent: the network learns, but only what is near.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 6 · Clipping
#
# An exploding gradient comes from a loss with a cliff. Here is one: a cell of one unit, $h_t = \tanh(2 h_{t-1} + b)$, ten steps from $h = 0$. The loss wants $h_{10} = 0.5$.

# %% slideshow={"slide_type": "skip"}
def cliff_loss(b):
    h = torch.zeros_like(b)
    for _ in range(10):
        h = torch.tanh(2 * h + b)
    return (h - 0.5) ** 2


def walk(clip, b=0.004, lr=0.0005, steps=80):
    b, path = torch.tensor(b, dtype=torch.float64, requires_grad=True), []
    for _ in range(steps):
        loss = cliff_loss(b)
        path.append((b.item(), loss.item()))
        (g,) = torch.autograd.grad(loss, b)
        with torch.no_grad():
            b -= lr * (g if clip is None else g.clamp(-clip, clip))
    return path


for clip in (None, 1.0):
    print(f"clip {clip}:", "  ".join(f"{b:.4f}" for b, _ in walk(clip)[:4]), f" ...  loss at the end {walk(clip)[-1][1]:.3f}")

# %% slideshow={"slide_type": "fragment", "show": "output"}
b = torch.linspace(-0.065, 0.02, 1701, dtype=torch.float64)
ax = plt.subplots(figsize=(9, 4.4))[1]
ax.plot(b, cliff_loss(b), color=plotting.COLORS["text"])
for name, clip, mark, role in (("not clipped", None, "s--", "wrong"), ("clipped at 1", 1.0, "o-", "right")):
    ax.plot(*zip(*walk(clip), strict=True), mark, color=plotting.COLORS[role], label=name)
ax.set(xlabel="bias $b$", ylabel="loss", title="Not clipped, it is thrown out of the ravine")
ax.set_xlim(-0.065, 0.02)
ax.legend(loc="center left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The loss over the bias: high and flat on the left, low and flat on the right, between them a narrow ravine just right of zero. Both walks start to the right of it. Clipped, the points come down in small steps and stop in the ravine. Not clipped, the first step lands in the ravine too. But its walls are steep, and the second step is thrown over the other wall, far out onto the plateau. There the slope is almost zero: the squares crawl.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Clipping** (lesson 07) keeps the direction and limits the length, over the gradients of **all** parameters together. In training it stands between `backward` and `step`, and it changes `p.grad` **in place**: the optimizer reads it there. It gives back the length before, worth writing down.
#
# By hand, most 1: gradients [3] and [4] have length 5 together, so both are multiplied by 1/5: [0.6] and [0.8].
#
# **Exercise [13.clip_grad_norm](exercises/13_rnn.ipynb)** ●● In place, and parameters without a gradient are left out. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "skip"}
def clip_grad_norm(parameters, most):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.square().sum()) for g in gradients) ** 0.5
    if norm > most:
        for g in gradients:
            g.mul_(most / norm)
    return norm


results = []
for clip in (clip_grad_norm, nn.utils.clip_grad_norm_):
    torch.manual_seed(0)
    layer = cell_of_radius(3.0).double()
    layer(torch.randn(4, 40, 8, dtype=torch.float64))[0][:, -1].sum().backward()
    before = float(clip(list(layer.parameters()), 1.0))
    results.append(torch.cat([p.grad.flatten() for p in layer.parameters()]))
    print(f"{clip.__name__}: length before above 1000: {before > 1000}, now {results[-1].norm():.4f}")
assert (results[0] - results[1]).abs().max() < 1e-5

# %% [markdown] slideshow={"slide_type": "notes"}
# Clipping mends explosion. It cannot mend vanishing: what is gone cannot be scaled up. For that we need another cell.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · The LSTM: a conveyor belt with gates
#
# The plain cell writes **all** its notes anew at every step. Hochreiter and Schmidhuber (1997) gave it a second state, the **cell state** $c$, left alone unless there is reason to change it: a conveyor belt. Three **gates**, numbers between 0 and 1, decide for each unit (the forget gate since Gers and others, 2000):
#
# - the **forget gate** $f$: how much of the old $c$ stays;
# - the **input gate** $i$: how much of the new candidate $g$ is put on;
# - the **output gate** $o$: how much of $c$ is shown as $h$.

# %% [markdown] slideshow={"slide_type": "subslide"}
# $$c_t = f \odot c_{t-1} + i \odot g \qquad h_t = o \odot \tanh(c_t)$$
#
# ($\odot$: entry by entry.) Each of $i$, $f$, $o$ is a small dense layer on $x_t$ and $h_{t-1}$ with a sigmoid; the candidate $g$ is one with tanh.
#
# By hand, one unit: $c = 2$, $f = 0.9$, $i = 0.5$, $g = -1$, $o = 0.5$. New $c = 0.9 \cdot 2 + 0.5 \cdot (-1) = 1.3$, and $h = 0.5 \cdot \tanh(1.3) = 0.43$. Mind that $h$ comes from the **new** $c$.
#
# The point: along the belt, the gradient is multiplied by $f$ alone. No matrix, no tanh. If $f$ is near 1, it gets through.

# %% [markdown] slideshow={"slide_type": "notes"}
# torch keeps the four layers stacked in one matrix of $4n$ rows, in the order $i$, $f$, $g$, $o$. `chunk(4, dim=-1)` cuts their sums apart again:

# %% slideshow={"slide_type": "skip"}
sums = torch.arange(8.0).reshape(1, 8)  # (B, 4n) with n = 2
for name, part in zip("ifgo", sums.chunk(4, dim=-1), strict=True):
    print(name, part.tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [13.lstm_step](exercises/13_rnn.ipynb)** ●●● Four sums, three gates, two states. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "fragment"}
def lstm_step(x, h, c, W_x, W_h, b):
    i, f, g, o = (x @ W_x.T + h @ W_h.T + b).chunk(4, dim=-1)  # four of (B, n)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def run_lstm(X, weights):
    W_x, W_h, b_x, b_h = weights
    h = c = X.new_zeros(len(X), W_h.shape[1])
    states = []
    for x in X.unbind(dim=1):
        h, c = lstm_step(x, h, c, W_x, W_h, b_x + b_h)
        states.append(h)
    return torch.stack(states, dim=1)


torch.manual_seed(1)
X = torch.randn(4, 9, 3, dtype=torch.float64, requires_grad=True)
V = torch.randn(4, 9, 5, dtype=torch.float64)
off_lstm = largest_difference(nn.LSTM(3, 5, batch_first=True).double(), run_lstm, X, V)
print(f"largest difference in states and gradients: {off_lstm:.0e}")

# %% slideshow={"slide_type": "skip"}
assert off_lstm < 1e-12

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 8 · The GRU: two gates, one state
#
# The **gated recurrent unit** (Cho and others, 2014) does without the second state:
#
# $$h_t = (1 - z) \odot g + z \odot h_{t-1} \qquad g = \tanh(x_t W_{xg}^T + b_{xg} + r \odot (h_{t-1} W_{hg}^T + b_{hg}))$$
#
# The **update gate** $z$ mixes old and new: at $z = 1$ everything stays. The **reset gate** $r$ says how much of the old state the candidate $g$ may look at. Both are made like the LSTM's gates: a dense layer on $x_t$ and $h_{t-1}$, then a sigmoid. (Many texts exchange $z$ and $1 - z$, or put $r$ before the matrix; we follow torch.)
#
# By hand, $h = 0.8$, $g = -0.5$, $z = 0.9$: new $h = 0.1 \cdot (-0.5) + 0.9 \cdot 0.8 = 0.67$.

# %% [markdown] slideshow={"slide_type": "notes"}
# In torch's order the rows are $r$, $z$, $g$. The reset gate multiplies the state's part of the candidate **after** the matrix, bias included. That is why a GRU needs two biases.
#
# **Exercise [13.gru_step](exercises/13_rnn.ipynb)** ●●● Two gates, and mind where $r$ stands. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def gru_step(x, h, W_x, W_h, b_x, b_h):
    r, z, g = (x @ W_x.T + b_x).chunk(3, dim=-1)
    r_h, z_h, g_h = (h @ W_h.T + b_h).chunk(3, dim=-1)
    r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
    return (1 - z) * torch.tanh(g + r * g_h) + z * h

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def run_gru(X, weights):
    h, states = X.new_zeros(len(X), weights[1].shape[1]), []
    for x in X.unbind(dim=1):
        h = gru_step(x, h, *weights)
        states.append(h)
    return torch.stack(states, dim=1)


off_gru = largest_difference(nn.GRU(3, 5, batch_first=True).double(), run_gru, X, V)
print(f"largest difference in states and gradients: {off_gru:.0e}")

# %% slideshow={"slide_type": "fragment", "show": "output"}
assert off_gru < 1e-12
for kind in ("rnn", "gru", "lstm"):
    print(f"{kind:4} with d = 8 and n = 64: {count_parameters(Recurrent(kind, 8, 64)):6,} parameters")

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand: the plain cell has $n(d + n + 1) = 64 \cdot 73 = 4{,}672$. The LSTM has four times as many. The GRU has three times as many, and the second bias.
#
# All three are equal to torch's, forward and backward. From here on we take torch's own where speed counts: `nn.RNN`, `nn.LSTM`, `nn.GRU`.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 9 · Who keeps the gradient?
#
# The measurement of section 5 again, with fresh cells of all kinds: random weights, nothing trained.

# %% slideshow={"show": "output"}
explore.predict("13.fresh")

# %% slideshow={"slide_type": "subslide", "show": "output"}
def lstm_with_open_gate(bias):
    layer = Recurrent("lstm", 8, 64)
    with torch.no_grad():
        layer.weights[2][64:128] = bias  # the forget gate's part of the bias
    return layer


makers = {kind: lambda kind=kind: Recurrent(kind.lower(), 8, 64) for kind in ("RNN", "GRU", "LSTM")}
makers |= {f"LSTM, forget bias {b}": lambda b=b: lstm_with_open_gate(b) for b in (1, 3)}
kept = {name: gradient_by_distance(make) for name, make in makers.items()}
ax = plt.subplots(figsize=(9, 4.8))[1]
for style, (name, sizes) in zip(("-", "--", "-.", ":", "-"), kept.items(), strict=True):
    ax.plot(sizes, style, label=name)
ax.set(yscale="log", xlabel="steps back", ylabel="gradient, relative to the last step", ylim=(1e-26, 1e3))
ax.set_title("It is the open forget gate that keeps the gradient")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five lines over 100 steps, logarithmic axis. RNN, LSTM and GRU all fall steeply, the RNN to about 10⁻²⁴, the two others to about 10⁻¹⁹. The LSTM with forget bias 1 falls to about 10⁻⁷. With forget bias 3 it stays level near 1.

# %% slideshow={"slide_type": "skip"}
assert kept["RNN"][50] < kept["LSTM"][50] < 1e-7 and kept["GRU"][50] < 1e-6
assert kept["LSTM, forget bias 1"][50] > 1e4 * kept["LSTM"][50] and kept["LSTM, forget bias 3"][50] > 0.02

# %% [markdown] slideshow={"slide_type": "notes"}
# A misconception to lose: *"LSTMs have no vanishing gradient"*. A fresh one has: its forget gates stand near $\sigma(0) = 0.5$, and $0.5^{50} \approx 10^{-15}$. With bias 1 they stand near $\sigma(1) = 0.73$, with bias 3 near 0.95. (The line stays even above $0.95^{100} = 0.006$: through $h$ the gradient has other ways, which add to it.)
#
# What an LSTM has is the **possibility**: it can learn to open a gate, one number, while a plain cell would have to keep a product of matrices in balance. Starting with the forget gate open is common advice (Gers and others, 2000; Jozefowicz and others, 2015). We shall take it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: one cell, gate by gate
#
# *What must the gates do, so that something is kept?* Type numbers ("1 20\*0" is a 1 and twenty zeros) or a word; set the biases; click a step to see its numbers.
#
# - **Try** "Carry": lose less than 10% of $c$ over twenty zeros.
# - **Then** type five 1s and bring $c$ above 3. Look at $h$.
# - **Go** to "gradient over time": bring the plain RNN's gradient above 1000 over 20 steps; then, with $w$ of 1.5 or more, **below** 10⁻⁶.
# - **Notice:** what $f$ leaves of the 1, it leaves of the gradient.
# - **Challenge:** "Noise": carry the first number over 20 steps, less than 10% lost, while other numbers come in.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.gates()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The word "recurrent" read by one LSTM unit, one column a letter; the second, e, is marked. At the top the input: a vowel is 1, another letter −1. Then rows of numbers for $i$, $f$, $g$ and $o$. The input gate opens at vowels (0.88) and nearly shuts otherwise (0.12); the forget gate stays at 0.73. Below, two lines: $c$ jumps up at each vowel and fades after it; $h$ does the same, smaller.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 10 · The adding problem
#
# A test made for long memory. Each step brings two numbers: a random value between 0 and 1, and a mark. Exactly two marks are 1, one in the first half and one in the second. At the end the network must give the sum of the two marked values. **Many to one.**
#
# The simplest answer is to say 1 always, the mean. Its mean squared error is $1/12 + 1/12 = 0.167$. Below that, something was remembered.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def adding_batch(B, T, generator):
    rows = torch.arange(B)
    values, marks = torch.rand(B, T, generator=generator), torch.zeros(B, T)
    marks[rows, torch.randint(0, T // 2, (B,), generator=generator)] = 1
    marks[rows, torch.randint(T // 2, T, (B,), generator=generator)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1)  # (B, T, 2), (B,)


X, y = adding_batch(1, 8, torch.Generator().manual_seed(0))
print("values", [round(v, 2) for v in X[0, :, 0].tolist()])
print("marks ", X[0, :, 1].int().tolist(), f"-> {y[0]:.2f}")

# %% slideshow={"slide_type": "subslide"}
LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class LastState(nn.Module):
    """Reads (B, T, d) and answers once: (B,)."""

    def __init__(self, kind, d, n=32):
        super().__init__()
        self.layer, self.out = LAYERS[kind](d, n, batch_first=True), nn.Linear(n, 1)
        if kind == "LSTM":
            with torch.no_grad():
                self.layer.bias_ih_l0[n : 2 * n] = 3.0  # begin with open forget gates

    def forward(self, X):
        states, _ = self.layer(X)  # (B, T, n)
        return self.out(states[:, -1])[:, 0]

# %% slideshow={"slide_type": "skip"}
def learn_to_add(kind, T, most=400):
    """The loss at each step; stops when the last 20 were below 0.02."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model, losses = LastState(kind, 2), []
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    while len(losses) < most and (len(losses) < 20 or max(losses[-20:]) > 0.02):
        X, y = adding_batch(64, T, generator)
        loss = F.mse_loss(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses

# %% [markdown] slideshow={"slide_type": "notes"}
# Nine trainings of at most 400 steps. It takes about 15 seconds. (A run stops early once it has learned.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("13.adding")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def learn_all(T):
    """Train one network of each kind; their losses, and the mean of the last 20."""
    for kind in LAYERS:
        losses = learn_to_add(kind, T)
        adding[kind, T], ends[kind, T] = losses, sum(losses[-20:]) / 20
        print(f"T = {T:3}  {kind:4}  {len(losses):3} steps, error at the end {ends[kind, T]:.3f}")


adding, ends = {}, {}
learn_all(10)
learn_all(50)

# %% slideshow={"slide_type": "skip"}
assert ends["RNN", 10] < 0.1 and max(ends["LSTM", 10], ends["GRU", 10]) < 0.05
assert ends["RNN", 50] > 0.14 and ends["LSTM", 50] < 0.1 and ends["GRU", 50] < 0.05

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
learn_all(100)

# %% slideshow={"slide_type": "skip"}
assert ends["RNN", 100] > 0.14 and ends["GRU", 100] < 0.05

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
for ax, T in zip(axes, (10, 50, 100), strict=True):
    for style, kind in zip(("-", "--", "-."), LAYERS, strict=True):
        smooth = torch.tensor(adding[kind, T]).unfold(0, 20, 1).mean(dim=1)  # means of 20 steps
        ax.plot(smooth, style, label=kind)
    ax.axhline(1 / 6, color=plotting.COLORS["muted"], lw=1)
    ax.set(title=f"{T} steps long", xlabel="training step", xlim=(0, 400), ylim=(0, 0.4))
axes[0].set_ylabel("mean squared error")
axes[0].legend();

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three panels, error over training steps; a thin level line marks 0.167. With 10 steps all three fall below it, GRU and LSTM quickly, the RNN late and not so far. With 50 steps the GRU falls, later the LSTM; the RNN stays at the line. With 100 steps only the GRU falls, after 200 training steps or so; the RNN and the LSTM stay at the line or close to it.

# %% [markdown] slideshow={"slide_type": "fragment"}
# Over 50 and 100 steps always the same shape: for a long time **nothing**, then a sudden fall. As long as nearly nothing from the first half arrives, no small change of the weights helps much.
#
# The plain RNN learned 10 steps more or less, 50 and 100 not at all: it says the mean. The gates get further. That the GRU learned 100 steps in this time and the LSTM did not is no law: which of them is quicker depends on the task, the learning rate and the gates' biases. Of the LSTM at 50 steps we can say more: with three seeds it got there each time, in fewer than 400 steps.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 11 · A model that invents names
#
# Now something with letters. The US census of 1990 lists 88,799 surnames; we take the 10,000 most frequent. The network reads a name letter by letter and says at each step what comes next: **many to many, in step**. When it is trained, we let it write: **one to many**.
#
# Each letter gets a number. Number 0 is a mark, written ".", that stands before the name (*begin*) and after it (*stop*). So for "ann":
#
# | reads | . | a | n | n |
# |---|---|---|---|---|
# | should say | a | n | n | . |
#
# The targets are the inputs, **one step later**.

# %% [markdown] slideshow={"slide_type": "notes"}
# In training, each step reads the **true** letter before, whatever the network had said. This is **teacher forcing**: all steps of a name can be compared with their targets in one go, and one mistake does not spoil the rest of the lesson.
#
# Names have unequal lengths, and a tensor has straight edges. So we **pad**: fill up to the longest. What are the targets there? A number that the loss leaves out; torch's cross-entropy skips −100.
#
# **Exercise [13.pad_sequences](exercises/13_rnn.ipynb)** ● Rows of one length, and how long each really is.
#
# **Exercise [13.next_char_pairs](exercises/13_rnn.ipynb)** ●● From names to inputs and targets. (Write both before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def pad_sequences(sequences, value=0):
    lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
    padded = torch.full((len(lengths), int(lengths.max()) if len(lengths) else 0), value)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = torch.as_tensor(sequence, dtype=torch.int64)
    return padded, lengths  # (B, T), (B,)


def next_char_pairs(names, alphabet):
    number = {character: k for k, character in enumerate(alphabet)}
    tokens = [[0, *(number[c] for c in name), 0] for name in names]
    inputs, _ = pad_sequences([t[:-1] for t in tokens])
    targets, _ = pad_sequences([t[1:] for t in tokens], value=-100)
    return inputs, targets  # both (B, T)


ALPHABET = ".abcdefghijklmnopqrstuvwxyz"
inputs, targets = next_char_pairs(["ann", "bo"], ALPHABET)
print(inputs)
print(targets)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Numbers into arrows: the embedding
#
# Letter 20 is not twice letter 10. One-hot (lesson 03) would do: 27 numbers, one of them 1. But a one-hot row times a matrix just **picks a row** of the matrix. So leave out the multiplication and look the row up. This is an **embedding**: a table with one learned arrow for each letter.

# %% slideshow={"slide_type": "fragment"}
torch.manual_seed(0)
table = nn.Embedding(27, 4)  # 27 letters, 4 numbers each
letters = torch.tensor([[0, 1, 14, 14]])  # ". a n n", (B, T)
looked_up = table(letters)  # (B, T, 4)
multiplied = F.one_hot(letters, 27).float() @ table.weight
print(tuple(looked_up.shape), "largest difference to one-hot times matrix:", (looked_up - multiplied).abs().max().item())

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Packing
#
# Padding has a trap. The last column of the states is, for a short name, the state after reading filling. For many to one that is the wrong state. **Packing** tells torch the lengths: it stops each row at its own end, and saves the work. (`enforce_sorted=False`: the rows need not come longest first.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(0)
layer = nn.LSTM(4, 8, batch_first=True)
padded, lengths = pad_sequences([[1, 14, 14], [2, 15], [3, 8, 1, 16, 12, 9, 14]])
X = table(padded)  # (3, 7, 4)
alone = torch.stack([layer(X[k : k + 1, :n])[1][0][0, 0] for k, n in enumerate(lengths.tolist())])  # each by itself

_, (h_padded, _) = layer(X)
packed = nn.utils.rnn.pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=False)
_, (h_packed, _) = layer(packed)
off_padded = (h_padded[0] - alone).abs().max(dim=1).values
off_packed = (h_packed[0] - alone).abs().max(dim=1).values
print("last state against each name read alone")
print("padded:", [f"{d:.2f}" for d in off_padded.tolist()])
print("packed:", [f"{d:.2f}" for d in off_packed.tolist()])
print(f"steps computed: {padded.numel()} padded, {len(packed.data)} packed")

# %% slideshow={"slide_type": "skip"}
assert off_packed.max() < 1e-5 < off_padded[:2].min() and off_padded[2] < 1e-5

# %% [markdown] slideshow={"slide_type": "subslide"}
# Padded, the two short names have wrong last states; packed, all are right, with 12 steps instead of 21. (In step, padding at the **end** does no harm: no real letter comes after it, and its targets are skipped. So our model of names needs no packing.)
#
# ### The model

# %%
class NameModel(nn.Module):
    """Letters (B, T) -> logits of the next letter (B, T, 27), and the state to go on from."""

    def __init__(self, n=64, d=16):
        super().__init__()
        self.embedding = nn.Embedding(27, d)
        self.layer = nn.LSTM(d, n, batch_first=True)
        self.out = nn.Linear(n, 27)

    def forward(self, letters, state=None):
        states, state = self.layer(self.embedding(letters), state)
        return self.out(states), state

# %% slideshow={"slide_type": "subslide", "show": "output"}
def name_loss(model, inputs, targets):
    logits, _ = model(inputs)
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100)  # classes on axis 1


names = texts.surnames(10_000)
inputs, targets = next_char_pairs(names, ALPHABET)  # (10000, 14) each
order = torch.randperm(len(names), generator=torch.Generator().manual_seed(0))
train_rows, held_out = order[1000:], order[:1000]
torch.manual_seed(0)
name_model = NameModel()
print(f"{count_parameters(name_model):,} parameters, loss before training {name_loss(name_model, inputs, targets):.2f}")

# %% [markdown]
# Untrained, it holds all 27 characters for equally likely: the loss should be near $\ln 27 = 3.30$ (lesson 10's first check). It is.
#
# How low can a simple rule come? Count in the training names how often each letter follows each other one, and predict by these counts. It is a memory of one letter.

# %% slideshow={"slide_type": "fragment", "show": "output"}
counts = torch.ones(27, 27)  # begin with 1, so that nothing is impossible
real = targets[train_rows] != -100
# add 1 at (letter before, letter after), for every pair
counts.index_put_((inputs[train_rows][real], targets[train_rows][real]), torch.tensor(1.0), accumulate=True)
log_p = (counts / counts.sum(dim=1, keepdim=True)).log()  # (27, 27): row = letter before
real = targets[held_out] != -100
one_letter = -log_p[inputs[held_out][real], targets[held_out][real]].mean().item()
print(f"loss on 1,000 held-out names, knowing one letter back: {one_letter:.2f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Sampling
#
# To write, start with the mark, **draw** a letter with the probabilities that the model gives, feed it back as the next input, and so on until it draws the mark. Always taking the most probable would give the same name each time.
#
# The **temperature** says how boldly we draw: softmax of logits **divided** by it (lesson 02). By hand, logits 2 and 0: odds of $e^2 = 7.4$ to 1. At temperature 0.5 they are $e^4 = 55$ to 1, at 2 only $e^1 = 2.7$ to 1.
#
# **Exercise [13.sample](exercises/13_rnn.ipynb)** ●● Draw one index. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def sample_index(logits, temperature=1.0, generator=None):
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    p = torch.softmax(logits / temperature, dim=-1)
    return int(torch.multinomial(p, 1, generator=generator))


for temperature in (0.5, 1.0, 2.0):
    generator = torch.Generator().manual_seed(0)
    drawn = [sample_index(torch.tensor([2.0, 0.0]), temperature, generator) for _ in range(2000)]
    print(f"temperature {temperature}: the second was drawn {sum(drawn) / 20:.0f} times in 100")

# %% slideshow={"slide_type": "subslide"}
@torch.no_grad()
def write_names(model, count, temperature=1.0, seed=1, most=16):
    generator, written = torch.Generator().manual_seed(seed), []
    for _ in range(count):
        letter, state, name = 0, None, ""
        while len(name) < most:
            logits, state = model(torch.tensor([[letter]]), state)  # its own last letter: no teacher now
            letter = sample_index(logits[0, -1], temperature, generator)
            if letter == 0:
                break
            name += ALPHABET[letter]
        written.append(name)
    return written


print("before training:", ", ".join(write_names(name_model, 5)))

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Watch it learn
#
# 400 steps of 128 names each, about 5 seconds. Along the way: the loss on held-out names, and five names.

# %% tags=["nbval-ignore-output", "long"] slideshow={"show": "output"}
optimizer = torch.optim.Adam(name_model.parameters(), lr=0.005)
generator = torch.Generator().manual_seed(0)
record, norms = {}, []
for step in range(401):
    if step in (0, 10, 30, 100, 200, 300, 400):
        with torch.no_grad():
            record[step] = name_loss(name_model, inputs[held_out], targets[held_out]).item()
        print(f"step {step:3}  loss {record[step]:.2f}  ", ", ".join(write_names(name_model, 5)))
    rows = train_rows[torch.randint(len(train_rows), (128,), generator=generator)]
    loss = name_loss(name_model, inputs[rows], targets[rows])
    optimizer.zero_grad()
    loss.backward()
    norms.append(clip_grad_norm(name_model.parameters(), 1.0))
    optimizer.step()

# %% slideshow={"slide_type": "skip"}
known = set(texts.surnames())
assert abs(record[0] - torch.tensor(27.0).log()) < 0.05 and record[400] < record[100] < record[30] < record[10]
assert record[400] < min(2.25, one_letter - 0.2)
with torch.no_grad():
    trained_on = name_loss(name_model, inputs[train_rows], targets[train_rows]).item()
assert trained_on > record[400] - 0.15
print(f"on its training names the loss is less than 0.15 lower: {trained_on > record[400] - 0.15}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# From noise to names. At first the model draws all letters alike. After some ten steps it knows that some letters are commoner (and that names end), later it alternates vowels and consonants, and in the end most of what it writes sounds like a name. Some exist, most are new. (The drawing begins with the same seed each time. So you can see one name become better.)
#
# The loss went from 3.3 to about 2.2, well below the 2.5 of one letter's memory. It has learned more than which letter follows which.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("13.temperature")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
share, different = {}, {}
for temperature in (0.3, 0.6, 1.0, 1.5):
    written = write_names(name_model, 150, temperature)
    share[temperature] = sum(name in known for name in written) / 150
    different[temperature] = len(set(written))
    print(f"{temperature}: {share[temperature]:4.0%} are surnames, {different[temperature]:3} of 150 differ: ", ", ".join(written[:5]))

# %% slideshow={"slide_type": "skip"}
assert share[0.3] > 0.4 > 0.3 > share[1.0] and share[1.5] < 0.2 and different[0.3] < 140

# %% [markdown] slideshow={"slide_type": "fragment"}
# At 0.3 about half of the "inventions" are real surnames or more, and several were drawn more than once: safe and dull. At 1.5 it is about one in ten. Temperature trades safety for variety, without any training. At 1.0 the model draws as it was taught: about one in six is real, though real names are a tiny part of all possible strings.
#
# Did it just learn its 10,000 names by heart? It has about 23,000 numbers, the 9,000 names have some 60,000 letters, and on these its loss is hardly lower than on names it never saw. So: mostly not.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 12 · What will tomorrow bring?
#
# How many children are born in the United States each day? We have all 5,479 days of 2000 to 2014. Training: the first twelve years. Test: the last two, in the order of time. (2012 lies between: the validation year, for choices such as the number of units. We leave it alone.) (To shuffle days into both, lesson 09, would let the future leak into the past.)

# %% slideshow={"slide_type": "fragment", "show": "output"}
days, per_day = texts.births()
births = per_day.float() / 1000  # thousands
first_test = sum(day.year < 2013 for day in days)
fit_days = sum(day.year < 2012 for day in days)
mean, spread = births[:fit_days].mean(), births[:fit_days].std()
z = (births - mean) / spread  # standardized with the training days only

dates = [f"{day}" for day in days]  # "2000-01-01", ...
start = dates.index("2011-11-07")
ax = plt.subplots(figsize=(10, 4))[1]
ax.plot(births[start : start + 63], "o-", color=plotting.COLORS["text"], markersize=4)
ax.set_xticks(range(0, 63, 7), [f"{d.day} {d:%b}" for d in days[start : start + 63 : 7]])
ax.set(ylabel="births, thousands", xlabel="Mondays, 2011 and 2012", title="Quiet at weekends, Thanksgiving and Christmas", ylim=(5, 15));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Nine weeks, one dot a day. From Monday to Friday mostly 12 to 13 thousand births, on Saturdays and Sundays 7 or 8. Some days fall out of the rhythm: Thanksgiving (24 November) looks like a Sunday, the Mondays 26 December and 2 January like Saturdays, 25 December is the lowest of all, and Friday 11 November is the highest: 11/11/11. (Many births are planned.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Always first a **simple rule** to beat: *as on the same weekday last week*. And a simpler one: tomorrow *as today*. We measure the mean absolute error, in thousands of births.
#
# The network: a GRU with 32 units, one number in and one out at each day, **in step**. It reads pieces of eight weeks; at each day it says the next. (The state starts at zero, so we leave out the first two weeks of each piece from the loss.)

# %% slideshow={"slide_type": "fragment"}
class Forecaster(nn.Module):
    """Days (B, T) -> the next day at each step, (B, T), and the state to go on from."""

    def __init__(self, n=32):
        super().__init__()
        self.layer, self.out = nn.GRU(1, n, batch_first=True), nn.Linear(n, 1)

    def forward(self, X, state=None):
        states, state = self.layer(X[..., None], state)
        return self.out(states)[..., 0], state

# %% slideshow={"slide_type": "skip"}
def train_forecaster(seed, steps=300, length=56):
    torch.manual_seed(seed)
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        starts = torch.randint(0, fit_days - length, (32, 1))
        pieces = z[starts + torch.arange(length + 1)]  # (32, 57)
        said, _ = model(pieces[:, :-1])
        loss = (said - pieces[:, 1:])[:, 14:].square().mean()
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
    return model


forecaster = train_forecaster(0)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **One step:** it knows all days up to today and says tomorrow. **Many steps:** it knows nothing after today. It says tomorrow, takes its own answer for the truth, says the day after, and so on: no teacher any more. How does the error grow over four weeks?

# %% slideshow={"show": "output"}
explore.predict("13.forecast")

# %% slideshow={"slide_type": "skip"}
@torch.no_grad()
def forecast(model, today, ahead=28, context=56):
    """The `ahead` days after each day of `today`, from the `context` days up to it: (B, ahead)."""
    said, state = model(z[today[:, None] + torch.arange(1 - context, 1)])
    answers = [said[:, -1]]
    for _ in range(ahead - 1):
        said, state = model(answers[-1][:, None], state)  # reads what it said itself
        answers.append(said[:, 0])
    return torch.stack(answers, dim=1)


today = torch.arange(first_test, len(days) - 28)
true = z[today[:, None] + torch.arange(1, 29)]  # (B, 28)
last_week = z[today[:, None] - 6 + torch.arange(28) % 7]  # the last seven days, again and again


def error(said):
    return ((said - true).abs().mean(dim=0) * spread).tolist()  # thousands, for 1 to 28 days ahead


ahead, rule = error(forecast(forecaster, today)), error(last_week)
yesterday = error(z[today[:, None]].expand(-1, 28))

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
print("days ahead        1      7     14     28")
for name, row in (("GRU", ahead), ("last week", rule)):
    print(f"{name:12}", "  ".join(f"{row[k - 1]:5.2f}" for k in (1, 7, 14, 28)))
print(f"as today, one day ahead: {yesterday[0]:.2f}")

# %% slideshow={"slide_type": "skip"}
assert ahead[0] < rule[0] < 0.43 < 1.6 < yesterday[0]
assert 1.2 * ahead[0] < ahead[27] < 2 * ahead[0] and abs(ahead[27] / rule[27] - 1) < 0.2

# %% slideshow={"show": "output"}
december = torch.tensor([dates.index("2013-12-08")])
fig, (left, right) = plt.subplots(1, 2, figsize=(13, 4.4), layout="constrained", width_ratios=[2, 3])
left.plot(range(1, 29), ahead, "o-", color=plotting.COLORS["test"], markersize=5, label="GRU")
left.plot(range(1, 29), rule, "s--", color=plotting.COLORS["muted"], markersize=4, label="last week")
left.set(xlabel="days ahead", ylabel="mean error, thousands", ylim=(0.25, 0.6), title="The lead is lost after three weeks")
plotting.label_lines(left)
one_step = forecast(forecaster, december + torch.arange(28), ahead=1)[:, 0] * spread + mean
many_step = forecast(forecaster, december)[0] * spread + mean
right.plot(births[december + torch.arange(1, 29)], color=plotting.COLORS["text"], label="true")
right.plot(one_step, "o--", color=plotting.COLORS["train"], markersize=4, label="one step")
right.plot(many_step, "s:", color=plotting.COLORS["test"], markersize=4, label="many steps")
right.set_xticks(range(0, 28, 7), [f"{d.day} {d:%b}" for d in days[int(december) + 1 :][:28:7]])
right.set(ylabel="births, thousands", ylim=(5, 16), title="Nobody told it of Christmas (2013)")
right.legend(ncols=3, loc="upper center");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, mean error over days ahead. The GRU starts lower, rises day by day, and after about three weeks meets the line of last week's days, which climbs in stairs of a week. Right, four weeks of December 2013. Until the 22nd the three lines lie close. At Christmas the true line falls; the line of many steps goes on as in any week, the line of one step comes down, too late.

# %% [markdown] slideshow={"slide_type": "notes"}
# Fed with itself, the network does not explode; it forgets. What it knew of these particular days fades, the rhythm of the week is left, and that is all the simple rule knows either. (Three seeds, trained a little longer: 0.33 to 0.39 one day ahead, 0.50 to 0.52 at 28.)
#
# A misconception to lose: *"it is right within 0.3 thousand tomorrow, so it can see four weeks ahead"*. Ask always: **how many steps ahead, and better than what?** Against *as today*, 1.65, it looks brilliant. Against last week's day it leads by less than a quarter on the first day, and by nothing after four weeks. And a holiday that the series does not announce it cannot foresee.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 13 · Looking at the notes
#
# The forecaster's state has 32 numbers. What do they know? We read the year 2013 and look at the state after each day, in the two directions in which the states vary most. (These are the first two **principal components**. `torch.linalg.svd` of the states minus their mean gives such directions, ordered by how much the states vary along them.)

# %% slideshow={"slide_type": "skip"}
with torch.no_grad():
    states, _ = forecaster.layer(z[first_test - 56 : first_test + 365, None])  # (421, 32)
states = states[56:]  # the days of 2013
_, sizes, directions = torch.linalg.svd(states - states.mean(dim=0), full_matrices=False)
path = (states - states.mean(dim=0)) @ directions[:2].T  # (365, 2)
seen_share = (sizes[:2].square().sum() / sizes.square().sum()).item()
print(f"two directions hold more than 75% of the variance of 32: {seen_share > 0.75}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
weekday = torch.tensor([day.weekday() for day in days[first_test : first_test + 365]])
ax = plt.subplots(figsize=(8, 6))[1]
ax.plot(*path[120:141].T, color=plotting.COLORS["muted"], lw=1)
ax.plot(*path[354:].T, "--", color=plotting.COLORS["wrong"], lw=1.5)
ax.plot(*path.T, ".", color=plotting.COLORS["train"])
for k, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
    ax.text(*1.17 * path[weekday == k].median(dim=0).values, name, ha="center", va="center")
ax.text(*0.8 * path[358], "25 Dec", color=plotting.COLORS["wrong"], ha="center")
ax.margins(0.12)
ax.set(xlabel="first direction", ylabel="second direction", title="The state runs in a circle, a week long");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A dot for each day of 2013. They lie in seven small heaps on a ring, Monday to Sunday in their order; a grey line, three ordinary weeks in May, runs round it, each time nearly on the same track. A dashed line shows the end of the year: on 25 December it leaves the ring and cuts inside, and some days later it is back.

# %% slideshow={"slide_type": "skip"}
centres = torch.stack([states[weekday == k].median(dim=0).values for k in range(7)])  # (7, 32)
nearest = torch.cdist(states, centres).argmin(dim=1)
assert (nearest == weekday).float().mean() > 0.8

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 14 · First read, then write
#
# How would one translate? Output and input have different lengths, and the first word of the answer may depend on the last of the question. The **encoder–decoder** (Sutskever and others; Cho and others, 2014) uses two recurrent networks:
#
# - the **encoder** reads everything: many to one. Its last state is all that is handed on.
# - the **decoder** starts from that state, and writes: one to many, with its own last output as next input. In training: teacher forcing, with the true answer **shifted by one** behind a begin mark.
#
# Our task: write a row of digits backwards. The first digit written is the last one read.

# %% slideshow={"slide_type": "subslide"}
class EncoderDecoder(nn.Module):
    """Tokens 1–10, 0 is the begin mark: question (B, T) and answer so far (B, T) -> logits (B, T, 11)."""

    def __init__(self, n=48, d=16):
        super().__init__()
        self.embedding, self.out = nn.Embedding(11, d), nn.Linear(n, 11)
        self.encoder, self.decoder = nn.GRU(d, n, batch_first=True), nn.GRU(d, n, batch_first=True)

    def forward(self, question, answer_in):
        _, state = self.encoder(self.embedding(question))  # all it knows: n numbers
        states, _ = self.decoder(self.embedding(answer_in), state)
        return self.out(states)

    @torch.no_grad()
    def write(self, question):
        _, state = self.encoder(self.embedding(question))
        token, written = torch.zeros(len(question), 1, dtype=torch.int64), []
        for _ in range(question.shape[1]):
            states, state = self.decoder(self.embedding(token), state)
            token = self.out(states).argmax(dim=-1)  # its own answer is its next input
            written.append(token)
        return torch.cat(written, dim=1)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def reversal_batch(B, T):
    question = torch.randint(1, 11, (B, T))
    answer = question.flip(1)
    return question, F.pad(answer, (1, 0))[:, :-1], answer  # the middle one: shifted, 0 in front


torch.manual_seed(0)
for name, tokens in zip(("question ", "answer in", "answer   "), reversal_batch(1, 4), strict=True):
    print(name, tokens[0].tolist())

# %% slideshow={"slide_type": "skip"}
def learn_to_reverse(T, steps=300):
    """Shares of digits that are right: with the teacher, and writing freely."""
    torch.manual_seed(0)
    model = EncoderDecoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        question, answer_in, answer = reversal_batch(64, T)
        loss = F.cross_entropy(model(question, answer_in).transpose(1, 2), answer)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
    question, answer_in, answer = reversal_batch(500, T)
    forced = model(question, answer_in).argmax(dim=-1)
    return tuple((said == answer).float().mean().item() for said in (forced, model.write(question)))

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
reversed_right = {T: learn_to_reverse(T) for T in (4, 8)}
for T, (forced, free) in reversed_right.items():
    print(f"{T} digits: {forced:.0%} right with the teacher, {free:.0%} writing freely")

# %% slideshow={"slide_type": "skip"}
assert reversed_right[4][1] > 0.9 and reversed_right[8][1] < reversed_right[4][1] - 0.05
assert reversed_right[8][0] > reversed_right[8][1]

# %% [markdown] slideshow={"slide_type": "fragment"}
# With 4 digits it works. With 8, after as many training steps, it is worse. (More steps or units help.) Two things make it hard.
#
# - **The bottleneck.** Whatever the question's length, all of it must fit into one state of fixed size (48 numbers here), and the gradient must come back through it.
# - **No more teacher.** In training each step read the true digit before; now it reads its own. A wrong one leads to states never seen in training, and errors pile up: *with the teacher* looks better than *writing freely*. Judge a decoder by what it **writes**.
#
# Lesson 15 lets such a pair learn to pronounce words, and lesson 14 opens the bottleneck.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 15 · One step after another
#
# One more limit. A convolution computes all places at once. An RNN cannot: $h_{100}$ needs $h_{99}$, which needs $h_{98}$. Teacher forcing gives all **inputs** at once, but not the states. We compare an RNN with a plain product that has the same number of multiplications.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def seconds(f, times=15):
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best


took = {}
for T in (64, 256, 1024):
    X, W = torch.randn(8, T, 64), torch.randn(64, 64) / 16
    layer = Recurrent("rnn", 64, 64)
    with torch.no_grad():
        took[T] = seconds(lambda X=X, layer=layer: layer(X)), seconds(lambda X=X, W=W: torch.tanh(X @ W @ W))
    print(f"T = {T:4}: step by step {1000 * took[T][0]:6.1f} ms, all at once {1000 * took[T][1]:5.2f} ms")

# %% slideshow={"slide_type": "skip"}
assert took[1024][0] > 3 * took[1024][1] and took[1024][0] > 4 * took[64][0]

# %% [markdown] slideshow={"slide_type": "fragment"}
# Sixteen times as many steps take roughly sixteen times as long, step by step. The product takes the same multiplications (two for each entry, as the cell does), but none has to wait for another, so the processor can work on many at once. (Part of the difference is Python, called anew at each step. torch's `nn.RNN` spares that; it still goes step by step.) On a GPU, with its thousands of small processors, waiting costs far more. Teacher forcing does not help: the inputs are all there, the states are not.
#
# A misconception to lose: *"RNNs are slow because they compute a lot"*. They compute little. They **wait**.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - An RNN writes $\tanh(x W_x^T + h W_h^T + b)$ with the same weights at every step. An LSTM keeps a belt $c$: forget, put on, show. A GRU mixes old and new by one gate. All three are torch's to the last digits, forward and backward.
# - The gradient over time is a product, one factor a step: it vanishes or explodes with the spectral radius and tanh's slope. Clip against explosion; against vanishing take gates, with the forget gate open at the start. Truncation limits how far the gradient goes, not the memory.
# - Targets are the inputs one step later. Pad to a rectangle, leave padding out of the loss, pack where the last state counts. Train with the true letter before; write with its own, drawn at a temperature.
# - A forecast fed with itself gets worse with each day. Judge it against a simple rule such as last week's day.
# - An encoder hands one state of fixed size to a decoder: long inputs do not fit well. And states come one after another, so time cannot be computed in parallel.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. Someone's RNN learns what happened 5 steps ago, but never what happened 50 steps ago. The loss curve is smooth. What is wrong, and would clipping help?</summary>
#
# The gradient vanishes: it is silent. Clipping only shortens what is too long; it cannot bring back what is gone. Gates with an open forget gate can.
# </details>
#
# <details><summary>2. An LSTM with forget gate 0.99 all the time. How much of c, and of the gradient along it, is left after 100 steps?</summary>
#
# 0.99¹⁰⁰ = 0.37, of both.
# </details>
#
# <details><summary>3. How many parameters has an LSTM with 16 inputs and 80 units, with one bias? And torch's, which has two?</summary>
#
# 4 · 80 · (16 + 80 + 1) = 31,040; with two biases 320 more, 31,360.
# </details>
#
# <details><summary>4. "I trained with truncation at 20 steps, so my network can remember at most 20 steps." True?</summary>
#
# Not quite. The state is handed on, so it can carry things further. But no gradient asked for it: what must be noted now to be useful in 30 steps is learned only by luck, or because it is useful sooner as well.
# </details>
#
# <details><summary>5. A model of names always writes the same name. What did its author do?</summary>
#
# Took the most probable letter each time, or a temperature near 0. (Or the generator gets the same seed before each name.)
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/13_rnn.ipynb](exercises/13_rnn.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 13.rnn_step | one step of the plain cell | ● |
# | 13.rnn_forward | the loop over time | ●● |
# | 13.lstm_step | three gates and a belt | ●●● |
# | 13.gru_step | two gates, one state | ●●● |
# | 13.clip_grad_norm | one length, in place | ●● |
# | 13.sample | draw at a temperature | ●● |
# | 13.next_char_pairs | inputs, and targets one step later | ●● |
# | 13.pad_sequences | rows of one length | ● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# Two limits are left: one state of fixed size for a whole sentence, and one step after another. [Lesson 14](14_attention.ipynb) lifts both with one idea: let the decoder look back at **all** the states and choose.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - J. Elman (1990). *Finding structure in time.* The plain recurrent network, and letters predicted one after another.
# - S. Hochreiter, J. Schmidhuber (1997). *Long short-term memory.* Section 10 follows its adding problem. The forget gate came with F. Gers, J. Schmidhuber, F. Cummins (2000), *Learning to forget.*
# - R. Pascanu, T. Mikolov, Y. Bengio (2013). *On the difficulty of training recurrent neural networks.* Spectral radius, cliffs and clipping: sections 5 and 6.
# - K. Cho and others (2014). *Learning phrase representations using RNN encoder–decoder for statistical machine translation.* The GRU.
# - I. Sutskever, O. Vinyals, Q. Le (2014). *Sequence to sequence learning with neural networks.*
# - R. Jozefowicz, W. Zaremba, I. Sutskever (2015). *An empirical exploration of recurrent network architectures.* The forget gate's bias.
