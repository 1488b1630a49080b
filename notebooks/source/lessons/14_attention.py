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
# # 14 · Looking where it matters
#
# **The question:** How can a network look straight at the part of its input that it needs now, however far away that is?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - explain query, key and value, and compute scaled dot-product attention by hand and in code, equal to torch's;
# - say why the scores are divided by √d, and what goes wrong without it;
# - write padding and causal masks, and several heads side by side;
# - show that attention by itself knows no order, and give it positions;
# - say what attention costs in time and memory as sequences grow, and what it gains over an RNN.
#
# **Needs:** [lesson 13](13_rnn.ipynb) · **Read:** 55 minutes · **Run:** 40 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · Everything through one door
#
# Lesson 13 ended with two RNNs that turn one sequence into another. The **encoder** reads the input; its last state is handed over. The **decoder** starts from that state and writes the output, one item after the other.
#
# So all that was read must go through one state of fixed size: a **bottleneck**. To measure it alone, we take a task with nothing to guess: letters drawn at random from 16, to be given back **in reverse**. "f c a b" becomes "b a c f". Each letter carries 4 bits, and no letter tells anything about another.

# %% slideshow={"slide_type": "fragment", "show": "output"}
LETTERS = 16


def letters(B, T, generator):
    """B sequences of T letters, each one of 16, drawn alike: whole numbers, shape (B, T)."""
    return torch.randint(0, LETTERS, (B, T), generator=generator)


def reverse(x):
    return x.flip(1)


x = letters(1, 8, torch.Generator().manual_seed(0))
print("input: ", " ".join("abcdefghijklmnop"[i] for i in x[0]))
print("target:", " ".join("abcdefghijklmnop"[i] for i in reverse(x)[0]))

# %% [markdown] slideshow={"slide_type": "notes"}
# Encoder and decoder are GRUs with 32 numbers of state. The encoder gets, at each step, the letter and the place (each as a learned vector; both added). The decoder gets the place only: "write letter 0, letter 1, …". What the letters were, it can know from the state alone: no teacher helps it (lesson 13), and none is missed.

# %% slideshow={"slide_type": "subslide"}
class TwoRNNs(nn.Module):
    """Encoder and decoder, joined by one state of n numbers."""

    def __init__(self, T, n=32):
        super().__init__()
        self.letter, self.place = nn.Embedding(LETTERS, n), nn.Parameter(torch.randn(T, n))
        self.encoder, self.decoder = nn.GRU(n, n, batch_first=True), nn.GRU(n, n, batch_first=True)
        self.out = nn.Linear(n, LETTERS)

    def forward(self, x):
        _, last = self.encoder(self.letter(x) + self.place)  # all states (B, T, n); the last (1, B, n)
        written, _ = self.decoder(self.place.expand(len(x), -1, -1), last)  # (B, T, n)
        return self.out(written)  # logits (B, T, 16)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("14.bottleneck")

# %% slideshow={"slide_type": "skip"}
def train(model, task, T, steps=200, lr=0.01, B=32, seed=0):
    """Learn `task` from fresh random letters with Adam."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for _ in range(steps):
        x = letters(B, T, generator)
        loss = F.cross_entropy(model(x).flatten(0, -2), task(x).flatten())  # one row for each letter
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def hits(model, task, T):
    """Share of right letters among 500 new sequences: (T,), or (T, jobs) if there are several targets."""
    x = letters(500, T, torch.Generator().manual_seed(999))
    with torch.no_grad():
        return (model(x).argmax(dim=-1) == task(x)).float().mean(dim=0)

# %% [markdown] slideshow={"slide_type": "notes"}
# Three lengths, the same network and the same training. (About 5 seconds.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
through_state = {}
for T in (4, 8, 16):
    torch.manual_seed(0)
    through_state[T] = hits(train(TwoRNNs(T), reverse, T), reverse, T)
    print(f"{T:2} letters: {through_state[T].mean():.0%} right")

# %% slideshow={"slide_type": "skip"}
assert through_state[4].mean() > 0.75 > 0.65 > through_state[8].mean() and through_state[16].mean() < 0.45

# %% [markdown] slideshow={"slide_type": "fragment"}
# Of four letters most go through (here nine in ten), of eight about half, of sixteen much less than half. Two things add up: 32 numbers must hold ever more, and the road from a letter to its place in the output grows, so the gradient has further to go (lesson 13).
#
# More training moves the limit, and so does a larger state. Of eight letters we got 68% with five times the steps, 79% with four times the state; of sixteen 42% and (with longer training too) 47%. The limit is still there.

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now look at what we threw away (`_` in the code): the encoder had a state **after every letter**, shape (B, T, n). We kept the last one. What if the decoder might look at all of them, and choose?

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 2 · A soft look-up
#
# A Python dictionary is a look-up. You hand in a **query**; it is compared with each **key**; if one is equal, you get its **value**. Equal or not: that is a step, and nothing can learn through a step.
#
# Make it soft. Query and keys are vectors. Compare them by a **dot product**, the **score**: large where they point the same way. Turn the scores into **weights** by softmax (lesson 02): positive, sum 1. Then take from **every** value its share. A weighted mean has slopes, so everything in it can be learned. That is **attention**.

# %% slideshow={"slide_type": "subslide"}
query = torch.tensor([1.0, 0.0])
keys = torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])  # three keys
values = torch.tensor([[10.0], [20.0], [30.0]])  # and what each has to give

scores = keys @ query  # (3,)
weights = torch.softmax(scores, dim=0)
print("scores: ", scores.tolist())
print("weights:", [round(w, 3) for w in weights.tolist()])
print("output: ", round((weights @ values).item(), 2))

# %% [markdown] slideshow={"slide_type": "fragment"}
# By hand: $e^2 = 7.39$, $e^0 = 1$, $e^1 = 2.72$; the sum is 11.11. Weights $0.665, 0.090, 0.245$. Output $6.65 + 1.80 + 7.34 = 15.79$.
#
# The first key won, but not alone. With a longer query the choice gets sharper, as with a lower temperature in lesson 02:

# %% slideshow={"slide_type": "subslide", "show": "output"}
for length in (0, 1, 3, 10):
    weights = torch.softmax(keys @ (length * query), dim=0)
    print(f"query × {length:2}: weights", [f"{w:.3f}" for w in weights], f" output {(weights @ values).item():.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A query of zeros asks for nothing and gets the plain mean, 20. A query ten times as long gets the first value, 10, like a dictionary.
#
# Many queries at once are one matrix product (lesson 03). With $T_q$ queries in the rows of $Q$, $T_k$ keys in the rows of $K$, values in the rows of $V$:
#
# $$\text{out} = \text{softmax}(Q K^\top)\, V \qquad (T_q \times d)(d \times T_k)(T_k \times d_v)$$
#
# The softmax goes **along the keys**: each query shares out a weight of 1 among them.

# %% slideshow={"slide_type": "subslide"}
Q = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-2.0, 1.0]])  # (4, 2)
W = torch.softmax(Q @ keys.T, dim=1)  # (4, 3)
print(W)
print("rows sum to:   ", [round(total, 2) for total in W.sum(dim=1).tolist()])
print("columns sum to:", [round(total, 2) for total in W.sum(dim=0).tolist()])

# %% [markdown] slideshow={"slide_type": "fragment"}
# Rows sum to 1; columns need not. A key may be wanted by all queries, or by none.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 3 · Why divide by √d
#
# One thing is missing. How large is a dot product? Let queries and keys have $d$ independent features with mean 0 and variance 1. Each product $q_i k_i$ has mean 0 and variance 1. The dot product is a sum of $d$ of them, so its **variance is $d$** and its spread $\sqrt d$. Measured:

# %% slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(0)
sizes = [1, 4, 16, 64, 256, 1024]
raw = {d: torch.randn(2000, d, generator=g) @ torch.randn(50, d, generator=g).T for d in sizes}  # (2000, 50)
for d in sizes:
    print(f"d = {d:4}: variance {raw[d].var():7.1f}, divided by √d {(raw[d] / math.sqrt(d)).var():.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# With 1,024 features, scores of ±32 are usual. What does softmax make of 50 such scores? We measure how spread out the weights are by their **entropy**, $H = -\sum_j w_j \ln w_j$. All weight on one key: $H = 0$. All 50 alike: $H = \ln 50 \approx 3.9$.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("14.scale")

# %% slideshow={"slide_type": "subslide", "show": "output"}
def entropy(W):
    return -(W * W.clamp_min(1e-30).log()).sum(dim=-1).mean().item()


def slope(W):
    """Sum of the softmax's own slopes, w (1 - w), for one query: how much weights give to a nudge."""
    return (W * (1 - W)).sum(dim=-1).mean().item()


unscaled = [torch.softmax(raw[d], dim=1) for d in sizes]
scaled = [torch.softmax(raw[d] / math.sqrt(d), dim=1) for d in sizes]
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
panels = ((axes[0], entropy, "Without √d one key takes all"), (axes[1], slope, "… and the gradient goes"))
for ax, measure, title in panels:
    ax.plot(sizes, [measure(W) for W in scaled], "o-", color=plotting.COLORS["right"], label="divided by √d")
    ax.plot(sizes, [measure(W) for W in unscaled], "s--", color=plotting.COLORS["wrong"], label="raw scores")
    ax.set(xscale="log", xticks=sizes, xticklabels=sizes, xlabel="features d", title=title, ylim=(0, None))
    ax.minorticks_off()
axes[0].set_ylabel("entropy of the weights")
axes[1].set_ylabel("Σ w (1 − w)")
axes[0].axhline(math.log(50), color=plotting.COLORS["muted"], lw=1)
axes[0].text(1024, math.log(50), "all 50 alike", va="bottom", ha="right", color=plotting.COLORS["muted"])
axes[0].set_ylim(0, 4.5)
axes[1].legend(loc="lower left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, entropy against features. Divided by √d it stays level at about 3.4, a little below "all 50 alike". Raw, it falls from 3.5 to nearly 0. Right, the sum of the softmax's slopes: level near 0.95 with the scale, down to 0.07 without.

# %% slideshow={"slide_type": "skip"}
assert 3.3 < entropy(scaled[-1]) < 3.6 and entropy(unscaled[-1]) < 0.2
assert slope(unscaled[-1]) < 0.1 < 0.9 < slope(scaled[-1])

# %% [markdown] slideshow={"slide_type": "fragment"}
# So without the scale a wide attention starts out **sure of itself, by chance**, and where softmax is flat it hardly learns to look elsewhere. Dividing by √d keeps the variance at 1, whatever the width.
#
# It is not magic. Weights could learn to be smaller. And the assumption, variance 1, is about the **start**: a learned query may become long, and then attention is sharp because it learned to be.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 4 · Attention in five lines
#
# The **mask** says which keys a query may look at: True for yes. A forbidden score becomes $-\infty$ **before** the softmax, so its weight is exactly $e^{-\infty} = 0$ and the others share the 1 among themselves.
#
# By hand: scores $2, 0, 1$ with the last key forbidden: $7.39 / 8.39 = 0.881$, $0.119$ and $0$.
#
# Two calls that you need: `K.transpose(-2, -1)` swaps the last two axes, however many stand in front. And `x.masked_fill(where, number)` is x with the number put in wherever the bool `where` is True; `~mask` turns True and False round.
#
# **Exercise [14.scaled_dot_product](exercises/14_attention.ipynb)** ●● Scores, scale, mask, softmax, output. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def attention(Q, K, V, mask=None):
    """Out (..., T_q, d_v) and weights (..., T_q, T_k)."""
    scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ V, weights


out, weights = attention(torch.tensor([[math.sqrt(2), 0.0]]), keys, values, torch.tensor([[True, True, False]]))
print(weights, out)

# %% [markdown] slideshow={"slide_type": "notes"}
# (The query was $\sqrt2$ long, to make up for the division by $\sqrt 2$.) Now against torch's `F.scaled_dot_product_attention`: with a batch, with heads (section 7), with and without a mask; the value and all three gradients.

# %% slideshow={"slide_type": "skip"}
def value_and_gradients(f, Q, K, V, mask):
    """What f gives, and the gradients of a weighted sum of it by Q, K and V."""
    inputs = [t.clone().requires_grad_() for t in (Q, K, V)]
    out = f(*inputs, mask)
    tilt = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
    return [out.detach(), *torch.autograd.grad((out * tilt).sum(), inputs)]


def by_hand(*arguments):
    return attention(*arguments)[0]


g = torch.Generator().manual_seed(1)
worst = 0.0
for B, h, T_q, T_k, d in [(1, 1, 1, 1, 1), (2, 3, 5, 7, 4), (4, 2, 6, 6, 16)]:
    Q, K, V = (torch.randn(B, h, T, d, generator=g, dtype=torch.float64) for T in (T_q, T_k, T_k))
    allowed = torch.rand(B, 1, T_q, T_k, generator=g) < 0.6
    allowed[..., 0] = True  # every query may look somewhere
    for mask in (None, allowed):
        ours = value_and_gradients(by_hand, Q, K, V, mask)
        theirs = value_and_gradients(F.scaled_dot_product_attention, Q, K, V, mask)
        worst = max(worst, *((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True)))
print("largest difference below 1e-12:", worst < 1e-12)

# %% slideshow={"slide_type": "subslide", "show": "output"}
for dtype, enough in [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 0.05), (torch.float16, 0.01)]:
    q, k, v = (t.to(dtype) for t in (Q, K, V))
    off = (by_hand(q, k, v, allowed) - F.scaled_dot_product_attention(q, k, v, allowed)).abs().max().item()
    print(f"{dtype!s:14}: difference below {enough}:", off < enough)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Equal, to the precision of each type. One difference is worth knowing. A query that may look **nowhere** has only scores of $-\infty$. The mean of nothing is not defined: our function gives NaN; torch's gives zeros. Neither is an answer. So give every query something to look at.

# %% slideshow={"slide_type": "fragment", "show": "output"}
nowhere = torch.zeros(1, 3, dtype=torch.bool)
one = torch.ones(1, 2)
print("ours:  ", attention(one, keys, values, nowhere)[0].tolist())
print("torch's:", F.scaled_dot_product_attention(one, keys, values, nowhere).tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: queries and keys in the plane
#
# *What makes a word look at another?* Five words, each with a query and a key. Drag them by mouse, or choose one and use the arrow keys. Reveal dot product, scale, mask and softmax one by one.
#
# - **Try:** at temperature 1, let "it" give more than 95% of its weight to "cat".
# - **Then** let a word look at all five alike.
# - **Find** a largest weight on a key that is *not* the nearest to the query.
# - **Causal mask:** which word's weights can no drag change, and why?
# - **Challenge:** move the output of "it" onto the star, by its query alone.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.attention()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Above left, the query of "it" as an arrow, and the five keys as squares, each with a dotted line that drops at a right angle onto the arrow's line: where it lands is the score. Above right, the five values and the output among them, tied to each value by a line as thick as its weight; nearest is "cat", with 68%. Below, the four steps for "it" in numbers, and the table of weights for all words, one row a query.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 5 · The door opened
#
# Back to the bottleneck. Now the decoder's state at each step is a **query**, and all states of the encoder are **keys and values**. What attention brings is added to the decoder's state. Nothing else changes, and no parameter is added.
#
# Query from one sequence, keys and values from another: that is **cross attention**.
#
# Attention came into the world as just such a repair of RNNs (Bahdanau and others, 2014). Theirs differed in two things. The score came from a small network that looks at both vectors. And what was found went into the decoder's next **step**. Dot products, and a look after the step as here, came a year later (Luong and others, 2015).

# %% slideshow={"slide_type": "subslide"}
class TwoRNNsLooking(TwoRNNs):
    def forward(self, x):
        read, last = self.encoder(self.letter(x) + self.place)  # (B, T, n)
        written, _ = self.decoder(self.place.expand(len(x), -1, -1), last)
        found, self.weights = attention(written, read, read)  # (B, T, n), (B, T, T)
        return self.out(written + found)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
looking = {}
for T in (4, 8, 16):
    torch.manual_seed(0)
    model = train(TwoRNNsLooking(T), reverse, T)
    looking[T] = hits(model, reverse, T)
    print(f"{T:2} letters: {through_state[T].mean():.0%} through the state, {looking[T].mean():.0%} with attention")

# %% slideshow={"slide_type": "skip"}
assert all(looking[T].mean() > 0.9 for T in (4, 8, 16))

# %% [markdown] slideshow={"slide_type": "notes"}
# Sixteen letters come out nearly as well as four. Here is where the decoder looked, and what each letter of the output lost without looking.

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")


def draw_weights(ax, W, title, rows="written", columns="read"):
    """A map of weights (T_q, T_k): one row for each query, 0 dark and 1 bright."""
    picture = ax.imshow(W, cmap=plotting.SEQUENTIAL, vmin=0, vmax=1)
    ax.set(title=title, xlabel=f"place {columns} (key)", ylabel=f"place {rows} (query)")
    ax.set(xticks=range(0, W.shape[1], 3), yticks=range(0, W.shape[0], 3))
    ax.grid(False)
    return picture


picture = draw_weights(axes[0], model.weights.detach().mean(dim=0), "It looks where it must")
fig.colorbar(picture, ax=axes[0], label="weight")
axes[1].plot(through_state[16], "s--", color=plotting.COLORS["wrong"], label="through the state")
axes[1].plot(looking[16], "o-", color=plotting.COLORS["right"], label="with attention")
axes[1].axhline(1 / 16, color=plotting.COLORS["muted"], lw=1)
axes[1].text(0, 1 / 16, "guessing", va="bottom", color=plotting.COLORS["muted"])
axes[1].set(xlabel="place written", ylabel="share of right letters", ylim=(0, 1.05), xticks=range(0, 16, 3))
axes[1].set_title("Looking keeps them all")
axes[1].legend(loc="center right");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, a map of 16 × 16 weights, with the bright cells on the diagonal that rises to the right: to write place 0 the decoder looks at place 15, and so on. Right, the share of right letters for each place written. With attention it is 1 everywhere. Through the state it starts high for the first two or three letters, then drops, and for the rest it lies little above guessing.

# %% [markdown] slideshow={"slide_type": "fragment"}
# The letters that are written first were read last: they are still fresh in the state. The others are gone. And nobody showed the network **where** to look; the map came out of the loss alone.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 6 · Masks: padding and order
#
# **Padding.** Sequences of a batch have different lengths; the short ones are filled up (lesson 13). No query may look at filling. From the lengths, a bool for each place:

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [14.padding_mask](exercises/14_attention.ipynb)** ● From lengths to True where real, without a loop. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "fragment"}
def padding_mask(lengths, T):
    return torch.arange(T) < lengths[:, None]  # (T,) meets (B, 1): (B, T)


lengths = torch.tensor([2, 4, 3])
real = padding_mask(lengths, 4)
print(real)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Against weights of shape $(B, T_q, T_k)$ the mask needs an axis for the queries: `real[:, None, :]`, shape $(B, 1, T_k)$. It forbids **keys**. (Queries at filled places still give something; the loss leaves it out.)
#
# The test of a padding mask: a sequence in a padded batch must give the same as alone.

# %% slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(2)
X = torch.randn(3, 4, 8, generator=g)  # (B, T, d); say places 2 and 3 of sequence 0 are filling
alone, _ = attention(X[:1, :2], X[:1, :2], X[:1, :2])
masked, W = attention(X, X, X, real[:, None, :])
careless, _ = attention(X, X, X)
print(f"with the mask:    off by {(masked[0, :2] - alone[0]).abs().max():.1e}".replace("0.0e+00", "less than 1e-6"))
print(f"without the mask: off by {(careless[0, :2] - alone[0]).abs().max():.2f}")
print("weights on filling:", W[0, :, 2:].sum().item())

# %% slideshow={"slide_type": "skip"}
assert torch.allclose(masked[0, :2], alone[0], atol=1e-6) and (careless[0, :2] - alone[0]).abs().max() > 0.05

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Order.** A network that predicts the next letter must not see it. In an RNN that is so by itself: it has not read it yet. Attention sees all places at once, so the future must be forbidden: query $t$ may look at keys $0 \dots t$, itself included. This is the **causal mask**. For three places:
#
# $$\begin{matrix}1&0&0\\1&1&0\\1&1&1\end{matrix}$$
#
# **Exercise [14.causal_mask](exercises/14_attention.ipynb)** ● For any number of places. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def causal_mask(T):
    return torch.ones(T, T, dtype=torch.bool).tril()  # tril keeps the lower triangle, with the diagonal


out, W = attention(X, X, X, causal_mask(4))
changed = X.clone()
changed[:, 3] += 5.0  # another last place
out_changed, _ = attention(changed, changed, changed, causal_mask(4))
print("change of the output at places 0 to 3:", (out_changed - out).abs().amax(dim=(0, 2)).gt(0).tolist())
print(W[0].round(decimals=2))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Only the last place notices. The first row is $1, 0, 0, 0$: the first place has nobody but itself.
#
# Both masks at once: `real[:, None, :] & causal_mask(T)`. And against torch: its `is_causal=True` does the same.
#
# A trap: the masks of `nn.MultiheadAttention` are **the other way round**, True where one may *not* look. Mixing them up raises no error; it only trains something else.

# %% slideshow={"slide_type": "skip"}
with_torch = F.scaled_dot_product_attention(X, X, X, is_causal=True)
print("is_causal the same:", torch.allclose(out, with_torch, atol=1e-6))
causal_and_real = real[:, None, :] & causal_mask(4)  # (B, T, T)
print(causal_and_real[0].int())

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 7 · Self attention and several heads
#
# A sequence may look at **itself**: queries, keys and values all come from the same X. That is **self attention**. But what a word looks for is not what it offers. So three linear layers make three vectors of it: $Q = X W_q^\top + b_q$, and likewise $K$ and $V$.

# %% [markdown] slideshow={"slide_type": "fragment"}
# One attention gives each query **one** set of weights. A word may need two things at once: its verb and its noun. So the $d_\text{model}$ features are cut into $h$ parts of $d_k = d_\text{model}/h$. Each part, a **head**, has its own attention. Then the heads' outputs are put side by side and mixed by a last linear layer $W_o$.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Cutting needs care. From $(B, T, d_\text{model})$ to $(B, h, T, d_k)$: first cut the last axis into $(h, d_k)$, then move $h$ forward. A direct reshape to $(B, h, T, d_k)$ has the right shape and the wrong numbers: it mixes places. With two places, six features, two heads:

# %%
tiny = torch.tensor([[[1.0, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]])  # (1, 2, 6)
print("wrong, head 0:", tiny.reshape(1, 2, 2, 3)[0, 0].tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Head 0 must have the first three features of **each** place: 1, 2, 3 and 10, 20, 30. The wrong one has both halves of place 0 and never sees place 1.
#
# **Exercise [14.split_heads](exercises/14_attention.ipynb)** ●● Cut, then move the axis. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def split_heads(X, h):
    B, T, d_model = X.shape
    if d_model % h:
        raise ValueError(f"{d_model} features cannot be cut into {h} equal heads")
    return X.reshape(B, T, h, d_model // h).transpose(1, 2)  # (B, h, T, d_k)


def merge_heads(X):
    return X.transpose(1, 2).flatten(2)  # (B, T, h · d_k)


print("right, head 0:", split_heads(tiny, 2)[0, 0].tolist())
print("merged again: ", torch.equal(merge_heads(split_heads(tiny, 2)), tiny))

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [14.multi_head](exercises/14_attention.ipynb)** ●●● The whole layer as a module: four linear layers, split, attend, merge. (Write it before you look at the next cell.)
#
# Ours takes an optional `context`: where keys and values come from. Without it, self attention; with it, cross attention. It keeps the weights of its last call, to look at.

# %% slideshow={"slide_type": "subslide"}
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, h):
        super().__init__()
        if d_model % h:
            raise ValueError(f"{d_model} features cannot be cut into {h} equal heads")
        self.h = h
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, X, context=None, mask=None):
        context = X if context is None else context
        Q = split_heads(self.W_q(X), self.h)  # (B, h, T_q, d_k)
        K = split_heads(self.W_k(context), self.h)  # (B, h, T_k, d_k)
        V = split_heads(self.W_v(context), self.h)
        out, weights = attention(Q, K, V, mask)
        self.weights = weights.detach()  # (B, h, T_q, T_k)
        return self.W_o(merge_heads(out))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Torch has the same layer, `nn.MultiheadAttention`. It keeps $W_q, W_k, W_v$ in one tall matrix, `in_proj_weight`, shape $(3 d_\text{model}, d_\text{model})$. We copy our weights into it and compare value and gradients, once with a causal and a padding mask.

# %% slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(3)
d_model, h, T = 12, 3, 5
ours = MultiHeadAttention(d_model, h).double()
theirs = nn.MultiheadAttention(d_model, h, batch_first=True).double()
three = (ours.W_q, ours.W_k, ours.W_v)
with torch.no_grad():
    theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in three]))
    theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in three]))
    theirs.out_proj.load_state_dict(ours.W_o.state_dict())

X = torch.randn(4, T, d_model, dtype=torch.float64)
real = padding_mask(torch.tensor([5, 2, 4, 3]), T)
out = ours(X, mask=real[:, None, None, :] & causal_mask(T))  # (B, 1, 1, T) & (T, T)
out_theirs, W = theirs(X, X, X, key_padding_mask=~real, attn_mask=~causal_mask(T), average_attn_weights=False)
print("outputs equal:", torch.allclose(out, out_theirs, atol=1e-12))
print("weights equal:", torch.allclose(ours.weights, W, atol=1e-12))

# %% slideshow={"show": "output"}
tilt = torch.randn(out.shape, dtype=torch.float64)
(out * tilt).sum().backward()
(out_theirs * tilt).sum().backward()
together = torch.cat([layer.weight.grad for layer in three])
print("gradients equal:", torch.allclose(together, theirs.in_proj_weight.grad, atol=1e-12))
print("                ", torch.allclose(ours.W_o.weight.grad, theirs.out_proj.weight.grad, atol=1e-12))
for heads in (1, 3):
    print(f"parameters with h = {heads}:", sum(p.numel() for p in MultiHeadAttention(12, heads).parameters()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Note the two `~`: torch's masks forbid, ours allow. And a misconception to lose: *"more heads, more parameters"*. The same features are cut into more parts: $4 (d_\text{model}^2 + d_\text{model})$ parameters, whatever $h$ is.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 8 · Attention knows no order
#
# What happens if we shuffle the places of the input?

# %% slideshow={"show": "output"}
explore.predict("14.order")

# %% slideshow={"slide_type": "subslide", "show": "output"}
torch.manual_seed(0)
layer = MultiHeadAttention(16, 2).double()
X = torch.randn(1, 6, 16, dtype=torch.float64)
order = torch.tensor([3, 0, 5, 1, 4, 2])
off = (layer(X[:, order]) - layer(X)[:, order]).abs().max().item()
print("shuffle first, or shuffle the outputs: difference below 1e-12:", off < 1e-12)
dog, bites, man = torch.randn(3, 16, dtype=torch.float64)
one = layer(torch.stack([dog, bites, man])[None])
two = layer(torch.stack([man, bites, dog])[None])
print('"dog" in "dog bites man" and in "man bites dog": same output:', torch.allclose(one[0, 0], two[0, 2], atol=1e-12))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Shuffled input, equally shuffled output, to the last rounding: attention is **permutation equivariant** (compare *shift equivariant*, lesson 12). A score depends on the two vectors, not on where they stand. To attention a sequence is a **bag** of vectors. "Dog bites man" and "man bites dog" are the same bag.
#
# A misconception to lose: *"a Transformer reads from left to right"*. It does not read; it has to be **told** where things stand. The usual way: add to each vector another one that depends on the place alone. Then the score can use it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Sinusoidal positions
#
# How to write the place $t$ as $d_\text{model}$ numbers? Like the hands of a clock. A fast hand tells neighbours apart, slower hands tell the hours. Feature pairs $(2i, 2i+1)$ are one hand:
#
# $$p_{t,2i} = \sin(t\,\omega_i) \qquad p_{t,2i+1} = \cos(t\,\omega_i) \qquad \omega_i = 10000^{-2i/d_\text{model}}$$
#
# For $d_\text{model} = 4$: $\omega = 1, 0.01$. Place 0: $(0, 1, 0, 1)$. Place 3: $(\sin 3, \cos 3, \sin 0.03, \cos 0.03) = (0.141, -0.990, 0.030, 1.000)$.
#
# **Exercise [14.sinusoidal_positions](exercises/14_attention.ipynb)** ●● All places at once. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def sinusoidal_positions(T, d_model):
    if d_model % 2:
        raise ValueError(f"sines and cosines come in pairs: d_model must be even, not {d_model}")
    rates = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (d_model / 2,)
    angles = torch.arange(T)[:, None] * rates  # (T, d_model / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # side by side: (T, d_model)


P = sinusoidal_positions(100, 32)
print(sinusoidal_positions(4, 4)[[0, 3]])
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", width_ratios=(1.4, 1))
picture = axes[0].imshow(P.T, cmap=plotting.DIVERGING, vmin=-1, vmax=1, aspect="auto")
axes[0].set(xlabel="place t", ylabel="feature", title="Fast hands above, slow ones below")
axes[0].grid(False)
fig.colorbar(picture, ax=axes[0])
for t in (20, 50, 80):
    axes[1].plot(P @ P[t])
    axes[1].text(t, 16.3, f"with {t}", ha="center")
axes[1].set(xlabel="place", ylabel="dot product", title="Near places are alike", ylim=(0, 18));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, blue and red stripes: the upper features swing every few places, the lower ones hardly at all over a hundred. Right, the dot product of places 20, 50 and 80 with all others: three peaks of the same shape, 16 at the place itself, falling on both sides with ripples.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The peaks have the same shape wherever they stand: $p_s \cdot p_t = \sum_i \cos((s - t)\,\omega_i)$ depends on the **distance** alone. And "one place further" turns every hand by its own fixed angle, so it is one matrix for all places. A linear layer, such as $W_q$, can learn "look one to the left".
#
# The other way is to **learn** the positions: a table of parameters, one row for each place. It is simple and exact, but has nothing for places beyond the table. Both are in use, and newer networks turn queries and keys themselves (rotary positions: Su and others, 2021).

# %% slideshow={"slide_type": "fragment", "show": "output"}
here, following = P[:-1].double(), P[1:].double()  # (99, 32) each
turn = torch.linalg.lstsq(here, following).solution  # the matrix with the least squared error
off = (here @ turn - following).abs().max().item()
print("one matrix takes every place to its next, off by less than 1e-4:", off < 1e-4)
gaps = torch.stack([(P @ P.T).diagonal(5).std(), (P @ P.T).diagonal(40).std()])
print("dot product at distance 5 and 40 varies by less than 1e-4:", bool((gaps < 1e-4).all()))

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 9 · Reversal by attention alone
#
# Now without any RNN. One layer of self attention with one head, on letters plus positions. To write letter $t$ in reverse, place $t$ must look at place $T - 1 - t$. What a letter is tells nothing about where to look; all depends on positions. So we know what the map of weights **must** be: the other diagonal.

# %%
class Looker(nn.Module):
    """Letters plus places, one attention, logits. `positions`: "learned", "sinusoidal" or "none"."""

    def __init__(self, T, d_model=32, h=1, positions="learned", jobs=1):
        super().__init__()
        self.letter = nn.Embedding(LETTERS, d_model)
        self.place = nn.Parameter(torch.randn(T, d_model), requires_grad=positions == "learned")
        if positions != "learned":
            self.place.data = sinusoidal_positions(T, d_model) * (positions == "sinusoidal")
        self.look = MultiHeadAttention(d_model, h)
        self.out = nn.Linear(d_model, jobs * LETTERS)
        self.jobs = jobs

    def forward(self, x):
        out = self.out(self.look(self.letter(x) + self.place))  # (B, T, jobs · 16)
        return out if self.jobs == 1 else out.unflatten(-1, (self.jobs, LETTERS))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Ten letters, three kinds of positions, three seeds each. (About 6 seconds.) Without positions, how many letters can it get right? Guess first.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
T = 10
kinds = ("learned", "sinusoidal", "none")
lookers, right = {}, {}
for kind in kinds:
    for seed in range(3):
        torch.manual_seed(seed)
        model = train(Looker(T, positions=kind), reverse, T, seed=seed)
        right[kind, seed] = hits(model, reverse, T).mean().item()
        lookers[kind, seed] = model.look.weights.mean(dim=(0, 1))  # over 500 sequences: (T, T)
    print(f"{kind:10}", "  ".join(f"{right[kind, seed]:.1%}" for seed in range(3)))

# %% slideshow={"slide_type": "skip"}
anti_diagonal = torch.arange(T - 1, -1, -1)  # place t must look at T - 1 - t
for seed in range(3):
    for kind in ("learned", "sinusoidal"):
        assert torch.equal(lookers[kind, seed].argmax(dim=1), anti_diagonal)  # in every row the largest weight
        assert right[kind, seed] > 0.99
    assert lookers["learned", seed].flip(1).diagonal().min() > 0.9
    assert 0.4 < lookers["sinusoidal", seed].flip(1).diagonal().min() < 0.9
    assert right["none", seed] < 0.4 and lookers["none", seed].max() < 0.3
print("the map is the anti-diagonal in all six networks with positions")

# %% slideshow={"slide_type": "fragment", "show": "output"}
fig, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for ax, kind in zip(axes, kinds, strict=True):
    picture = draw_weights(ax, lookers[kind, 0], f"{kind}: {right[kind, 0]:.0%} right")
fig.colorbar(picture, ax=axes, label="weight");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three maps of 10 × 10. Learned positions: ten bright yellow cells on the diagonal from bottom left to top right, everything else dark. Sinusoidal: the same diagonal, less bright, with paler cells on both sides of it. None: all cells alike, dark.

# %% [markdown] slideshow={"slide_type": "notes"}
# Learned positions give nearly all the weight to the right place. Sinusoidal ones give it about 60 to 75%, because neighbours are alike in them; yet hardly a letter is wrong, since the largest share decides. **A weight of 0.6 can be enough for 100%.**
#
# Without positions all weights are nearly alike, and every place gives the same answer: probably the letter that occurs most often in the sequence. That beats one in sixteen, but it is no reversal. Compare with the GRUs of section 1: the same task, fewer parameters, as many steps, and no wall.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 10 · Heads that do different jobs
#
# Do several heads really do different things? We make a task with two jobs. For each of eight places, two answers: the letter **to the left** (the first place takes the last letter), and the **mirrored** letter as before. (At two places, 0 and 4, both are the same letter.) One head or two, at the same width and the same number of parameters; four seeds each. (About 8 seconds.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def left_and_mirror(x):
    return torch.stack([x.roll(1, dims=1), x.flip(1)], dim=-1)  # (B, T, 2)


explore.predict("14.heads")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
T, teams = 8, {}
for h in (1, 2):
    for seed in range(4):
        torch.manual_seed(seed)
        model = train(Looker(T, h=h, jobs=2), left_and_mirror, T, steps=300, lr=0.003, seed=seed)
        teams[h, seed] = model, hits(model, left_and_mirror, T).mean(dim=0)
    print(f"{h} head(s), left / mirror:", "   ".join("{:.0%} / {:.0%}".format(*teams[h, s][1]) for s in range(4)))

# %% slideshow={"slide_type": "skip"}
assert sum(teams[2, seed][1].min().item() > 0.95 for seed in range(4)) >= 3  # both jobs done
assert all(teams[1, seed][1].min() < 0.85 for seed in range(4))

# %% [markdown] slideshow={"slide_type": "fragment"}
# With one head, no network does both jobs: most do one well and the other badly. A head has one set of weights. It can look at both places, but then it gets one mixture of two letters: the larger share can be told, the smaller hardly, or neither well. With two heads both jobs are done.
#
# Where do the two heads look? And do they **need** to? A map only shows where a head looks. To see what it is good for, we take it out: set its columns of $W_o$ to zero and measure again. That is an **ablation**.

# %% slideshow={"slide_type": "subslide", "show": "output"}
@torch.no_grad()
def without_head(model, i):
    """Share of right letters for each job (2,) when head i is silent."""
    W = model.look.W_o.weight
    keep, d_k = W.clone(), W.shape[1] // model.look.h
    W[:, i * d_k : (i + 1) * d_k] = 0
    right = hits(model, left_and_mirror, T).mean(dim=0)
    W.copy_(keep)
    return right


model, both = teams[2, 0]
maps = model.look.weights.mean(dim=0)  # (2, T, T)
fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for i, ax in enumerate(axes):
    left, mirror = without_head(model, i)
    title = f"head {i}; without it:\nleft {left:.0%}, mirror {mirror:.0%}"
    picture = draw_weights(ax, maps[i], title, "asking", "looked at")
fig.colorbar(picture, ax=axes, label="weight");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two maps of 8 × 8. In one the bright cells stand just left of the falling diagonal, and the first row looks at the last place: the letter to the left. In the other they stand on the rising diagonal: the mirrored letter. Above each map, what is left of both jobs when this head is silent: one of them stays at 100%, the other falls below half.

# %% slideshow={"slide_type": "skip"}
def split_the_work(model):
    """True if silencing either head ruins one job, not the same for both, and leaves the other alone."""
    right = torch.stack([without_head(model, i) for i in range(2)])  # (head, job)
    one_each = right[0].argmin() != right[1].argmin()
    return bool(one_each and right.amax(dim=1).min() > 0.9 and right.amin(dim=1).max() < 0.55)


split = [split_the_work(teams[2, seed][0]) for seed in range(4)]
assert sum(split) >= 3
print("at least three of four networks have one head for each job:", sum(split) >= 3)

# %% [markdown] slideshow={"slide_type": "notes"}
# The two heads split the work: silence one, and one job breaks down to little more than guessing, while the other stays untouched. So in all four seeds when we ran it (the cell above asks for three of four: another processor rounds otherwise); both jobs were done in eight more. Which head takes which job is chance.
#
# Nobody told them to divide. The **task** has two jobs that one head cannot do at once.

# %% [markdown] slideshow={"slide_type": "subslide"}
# So be careful with the general claim.
#
# - With sequences of ten letters, one seed of six got stuck: both heads did the same job, even after 500 steps.
# - With **four** heads there was no such order. Several heads shared a job: in eight networks, 18 of the 32 heads could be silenced with less than a tenth of the letters lost. In large networks, too, many heads can be taken out (Michel and others, 2019).
#
# A misconception to lose: *"the map explains the answer"*. It says where a head looked. What that was worth, only an ablation shows.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 11 · What it costs
#
# Attention compares each place with each: $T^2$ scores. In multiplications for one layer: the four projections $4 T d^2$, scores and weighted mean $2 T^2 d$. The second is larger once $T > 2d$. And the table of weights, $h T^2$ numbers, is kept for the backward pass.
#
# Must it be? A weighted mean can be computed block by block of keys, keeping only a running sum and the largest score so far. Such **fused** attention (*FlashAttention*, 2022) never writes the table down. torch's `F.scaled_dot_product_attention` does it.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>How a softmax can be computed block by block</summary>
#
# Let a block of keys have scores $s_j$, and let $m$ be the largest score so far, $z = \sum e^{s_j - m}$ and $o = \sum e^{s_j - m} v_j$.
#
# A new block brings a larger maximum $m'$. Then everything kept was measured against the wrong $m$. Multiply both $z$ and $o$ by $e^{m - m'}$, and it is put right. Add the new block's terms. At the end, $o / z$ is the exact result.
#
# Memory: one $o$ and two numbers for each query, not a row of $T$ weights. For the backward pass it keeps $m + \ln z$ and computes the weights again, block by block.
# </details>

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("14.fused")

# %% slideshow={"slide_type": "skip"}
def milliseconds(f, repeats=3):
    """The shortest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def stored_bytes(f, *inputs):
    """Bytes that f keeps for the backward pass; each piece of memory counts once."""
    stored = {}  # torch calls `listen` with each tensor that it saves

    def listen(tensor):
        memory = tensor.untyped_storage()
        stored[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(listen, lambda tensor: tensor):
        out = f(*inputs)
    assert out.requires_grad
    return sum(stored.values())

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
spans = [128, 256, 512, 1024, 2048]
cost = {"by hand": [], "fused": []}
for T in spans:
    three = [torch.randn(1, 4, T, 32, requires_grad=True) for _ in range(3)]  # Q, K, V
    for name, f in (("by hand", by_hand), ("fused", F.scaled_dot_product_attention)):
        ms = milliseconds(lambda f=f, three=three: f(*three).sum().backward())
        cost[name].append((ms, stored_bytes(f, *three) / 1e6))
    print(f"T = {T:4}:", "   ".join(f"{name} {c[-1][0]:6.1f} ms, {c[-1][1]:5.1f} MB" for name, c in cost.items()))

# %% slideshow={"slide_type": "skip"}
hand_mb, fused_mb = ([c[1] for c in cost[name]] for name in ("by hand", "fused"))
assert hand_mb[-1] / hand_mb[-2] > 3.5 and fused_mb[-1] / fused_mb[-2] < 2.1
assert 60 < hand_mb[-1] < 80 and fused_mb[-1] < 6
assert cost["fused"][-1][0] > 10 * cost["fused"][1][0]  # eight times as long: its time grows faster than T

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
roles = {"by hand": ("wrong", "s--"), "fused": ("right", "o-")}
for ax, which, title in ((axes[0], 1, "Memory: T² by hand, T fused"), (axes[1], 0, "Time: T² for both")):
    for name, c in cost.items():
        role, mark = roles[name]
        ax.plot(spans, [point[which] for point in c], mark, color=plotting.COLORS[role], label=name)
    ax.set(xscale="log", yscale="log", xticks=spans, xticklabels=spans, xlabel="places T", title=title)
    ax.minorticks_off()
axes[0].set_ylabel("kept for backward, MB")
axes[1].set_ylabel("forward and backward, ms")
axes[0].legend();

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two plots with both axes logarithmic. Memory: the line by hand rises twice as steeply as the fused one; at 2,048 places it is at about 70 MB against 4. Time: both lines rise, and at long sequences about as steeply, the fused one lower.

# %% [markdown] slideshow={"slide_type": "subslide"}
# By hand the memory grows fourfold when the length doubles: $T^2$. At 2,048 places our four heads keep $4 \cdot 2048^2$ weights of 4 bytes: 67 of the 70 MB, for one sequence in one layer. Fused it only doubles.
#
# A misconception to lose: *"fused attention is linear"*. Its **memory** is. Every query still meets every key, and the time still grows like $T^2$, only with a smaller factor. The result is the same: it is not an approximation.
#
# The price of the fused one: it gives no weights to look at.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 12 · Against an RNN
#
# **Path length.** In an RNN, a letter 50 places back must come through 50 steps, forwards, and so must the gradient on its way back. In attention every place is **one** step away. We measure it: how strongly does the last output feel the input $k$ places back, before any training?

# %% slideshow={"slide_type": "skip"}
def felt(f, T=60, d=32, seeds=5):
    """Gradient of the last output by the input k places back, k = 0 … T - 1: mean size, (T,)."""
    sizes = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model, X = f(d), torch.randn(1, T, d, requires_grad=True)
        out = model(X)
        out = out[0] if isinstance(out, tuple) else out  # RNNs also give their last state
        sizes.append(torch.autograd.grad(out[0, -1].sum(), X)[0][0].norm(dim=1).flip(0))
    return torch.stack(sizes).mean(dim=0)

# %% slideshow={"slide_type": "fragment", "show": "output"}
ways = {
    "RNN": lambda d: nn.RNN(d, d, batch_first=True),
    "GRU": lambda d: nn.GRU(d, d, batch_first=True),
    "LSTM": lambda d: nn.LSTM(d, d, batch_first=True),
    "attention": lambda d: MultiHeadAttention(d, 4),
}
reach = {name: felt(f) for name, f in ways.items()}
ax = plt.subplots(figsize=(9, 4))[1]
for (name, sizes), mark in zip(reach.items(), ("-", "--", "-.", "-"), strict=True):
    color = plotting.COLORS["accent"] if name == "attention" else None
    ax.plot(sizes, mark, color=color, label=name)
ax.set(yscale="log", xlabel="places back", ylabel="gradient")
ax.set_title("Attention feels a far place as well as a near one")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The gradient on a logarithmic axis, against distance. Three straight falling lines, the RNN's steepest, GRU and LSTM close together: after 50 places all three are far below a millionth. The fourth, attention, runs level over all sixty places, with a single larger value at its beginning.

# %% slideshow={"slide_type": "skip"}
assert all(reach["RNN"][50] < reach[name][50] for name in ("GRU", "LSTM"))
assert reach["attention"][30:].mean() > 0.5 * reach["attention"][1:30].mean()
assert all(reach[name][50] < 1e-6 for name in ("RNN", "GRU", "LSTM"))

# %% [markdown] slideshow={"slide_type": "notes"}
# RNN, GRU and LSTM fall by a factor at each step (all at torch's initialisation; training, or a forget gate that starts open, can lift the GRU and LSTM: lesson 13). Attention is level: 50 places back is as near as 2. On the other hand it is small everywhere: at the start each of 60 places gets about a sixtieth of the weight. (The last place itself counts more, because the query is made from it.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Parallelism.** An RNN needs state $t - 1$ before it can compute state $t$: $T$ steps that **wait** for each other. Attention computes all places in a fixed number of large products, and hardware likes large products. But it does more work. Multiplications and time for one sequence, $d = 64$, on this computer's processor:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def by_steps(X, W):
    """A plain RNN as it must be run: one step after the other."""
    h = torch.zeros(X.shape[0], X.shape[2])
    for t in range(X.shape[1]):
        h = torch.tanh(X[:, t] @ W + h @ W)
    return h


d, W = 64, torch.randn(64, 64) / 8
layer, rates = MultiHeadAttention(d, 4), {}
print("   T   steps that wait   multiplications   time (ms)      multiplications per µs")
for T in (16, 64, 256, 1024):
    X = torch.randn(1, T, d)
    with torch.no_grad():
        ms = milliseconds(lambda X=X: by_steps(X, W)), milliseconds(lambda X=X: layer(X))
    work = 2 * T * d * d, 4 * T * d * d + 2 * T * T * d
    rates[T] = [w / m / 1000 for w, m in zip(work, ms, strict=True)]
    print(f"{T:4}   RNN       {T:4}   {work[0]:15,}   {ms[0]:8.2f}   {rates[T][0]:8.0f}")
    print(f"       attention    6   {work[1]:15,}   {ms[1]:8.2f}   {rates[T][1]:8.0f}")

# %% slideshow={"slide_type": "skip"}
assert all(rates[T][1] > 2 * rates[T][0] for T in (64, 256))  # attention does its products faster

# %% [markdown] slideshow={"slide_type": "notes"}
# The attention layer's six steps: three projections (which need not wait for each other; we count them as one), scores, softmax, mean, merge, last layer. Their number does not grow with $T$.
#
# So per multiplication attention is several times as fast, even on a small processor. On a graphics card with thousands of units the gap is far larger, and that is why networks of attention could be trained on so much more text. But its work grows as $T^2$: for long enough sequences the RNN wins on a processor. **Attention buys short paths and parallel work, and pays with $T^2$.**

# %% [markdown] slideshow={"slide_type": "subslide"}
# | | RNN | attention |
# |---|---|---|
# | longest path between two places | $T$ | 1 |
# | steps that must wait for each other | $T$ | fixed |
# | multiplications | $\sim T d^2$ | $\sim T d^2 + T^2 d$ |
# | kept for backward | $\sim T d$ | $\sim T^2$ by hand, $T d$ fused |
# | memory of the past while writing | one state | all that was read |
# | knows the order | by itself | only through positions or a mask |

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - A query is compared with all keys by dot products; softmax along the keys makes weights that sum to 1; out comes the weighted mean of the values: softmax(QKᵀ/√d) V.
# - A dot product of $d$ independent features has variance $d$. Without the division by √d, wide attention starts sure of itself by chance, and its gradient is nearly gone.
# - Masks set forbidden scores to −∞ before the softmax: padding forbids filled keys, causal forbids the future. Heads are parts of the features, each with its own weights, for the same number of parameters.
# - Attention alone is permutation equivariant: a bag. Sinusoidal or learned positions are added to give it order; then reversal is learned, and its map is the anti-diagonal.
# - Time grows as $T^2$, memory too by hand but only as $T$ when fused. In exchange every place is one step from every other, and nothing has to wait.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A query of zeros meets four keys. Weights? Does the length of the keys matter?</summary>
#
# All scores are 0, so all weights are 1/4, however long the keys are. The output is the mean of the values.
# </details>
#
# <details><summary>2. Somebody multiplies the weights by the mask after the softmax. What is wrong?</summary>
#
# The rows no longer sum to 1: the forbidden keys took their share and it was thrown away. Outputs are too small, and they still depend on the forbidden scores.
# </details>
#
# <details><summary>3. d_model = 512, h = 8. Shapes of one head's queries for a batch of 10 sequences of 20, and parameters of the layer?</summary>
#
# All heads: (10, 8, 20, 64); one head (10, 20, 64). Parameters 4 · (512² + 512) = 1,050,624, for any h.
# </details>
#
# <details><summary>4. You leave out positions, but keep the causal mask. Is the layer still permutation equivariant?</summary>
#
# No: the mask treats places differently. Place t sees t + 1 keys, so some order leaks in. (Networks with a causal mask and no positions do learn something of order.)
# </details>
#
# <details><summary>5. A head's map is a sharp diagonal. Is the head important?</summary>
#
# The map does not say. Take it out and measure: if nothing is lost, others do its work, or what it brought was not used.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/14_attention.ipynb](exercises/14_attention.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 14.scaled_dot_product | attention with a mask | ●● |
# | 14.causal_mask | no look at the future | ● |
# | 14.padding_mask | no look at filling | ● |
# | 14.split_heads | cut features, not places | ●● |
# | 14.multi_head | the whole layer | ●●● |
# | 14.sinusoidal_positions | the hands of the clock | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# One layer of attention can look, but hardly think: it takes means. [Lesson 15](15_transformer.ipynb) puts a small network behind it, a shortcut round it and a norm before it, and stacks that block. It is all there is to a Transformer.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - D. Bahdanau, K. Cho, Y. Bengio (2014). *Neural machine translation by jointly learning to align and translate.* Attention as the remedy for the bottleneck; sections 1 and 5 follow its idea.
# - M.-T. Luong, H. Pham, C. Manning (2015). *Effective approaches to attention-based neural machine translation.* Dot products as scores, and a look after the decoder's step.
# - A. Vaswani and others (2017). *Attention is all you need.* Scale, heads, sinusoidal positions, and the comparison of path lengths in its table 1.
# - P. Michel, O. Levy, G. Neubig (2019). *Are sixteen heads really better than one?* Heads taken out after training.
# - S. Jain, B. Wallace (2019). *Attention is not explanation.* On what maps of weights do not show.
# - T. Dao and others (2022). *FlashAttention: fast and memory-efficient exact attention with IO-awareness.* The fused computation of section 11.
