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
# # 15 · One block, three models
#
# **The question:** What do we have to put round attention so that it becomes a machine that translates, writes and fills gaps?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - build the Transformer's block, and make an encoder, a decoder or both of it by nothing but masks and a second attention;
# - train an encoder–decoder that says how English words are spoken, and measure it against a recurrent one in a fair race;
# - train a small GPT, and write with it: greedily, with temperature, top-k and nucleus, and fast with a cache;
# - pretrain a small BERT by filling gaps, fine-tune it with few labels, and say when that pays;
# - count a Transformer's parameters, and say what grows with width, depth and length.
#
# **Needs:** [lesson 14](14_attention.ipynb) · **Read:** 60 minutes · **Run:** 45 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math
import random
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import explore, plotting
from utils.built.attention import (
    MultiHeadAttention,
    attention,
    causal_mask,
    merge_heads,
    sinusoidal_positions,
    split_heads,
)
from utils.built.layers import count_parameters
from utils.built.recurrent import clip_grad_norm, sample_index
from utils.built.schedules import cosine_lr, warmup
from utils.built.transformer import error_rate, mask_tokens, top_k
from utils.texts import novel, pronunciations

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 1 · Look around, then think
#
# Attention (lesson 14) lets every place gather what it needs from other places. But what it gathers is a weighted **mean** of values. To make something new of it takes a network with a bend, as in lesson 04.
#
# So a Transformer does two kinds of work in turn: attention **between** places, and a small network **at** each place. The second is called **feed-forward**: two linear layers with ReLU between them, the same for all places. Usually the hidden layer is four times as wide as `d_model`; in the models we train it will be twice as wide, to save time.

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand, with two features: $x = (1, -2)$ and hidden units $x_1$, $x_2$, $x_1 + x_2$ give $(1, -2, -1)$. After ReLU: $(1, 0, 0)$. If the second layer has the rows $(2, 1, 1)$ and $(0, 3, 1)$, out comes $(2, 0)$.
#
# In torch it is three modules in a row.
#
# **Exercise [15.feed_forward](exercises/15_transformer.ipynb)** ● The same as a class of your own, with its own `forward`. (Write it before you look at the next cell.)
#
# Who sees whom? We change one of five places, and look which places come out different: once through feed-forward, once through attention.

# %% slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
feed_forward = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))
x = torch.tensor([1.0, -2.0])
up, down = torch.tensor([[1.0, 0], [0, 1], [1, 1]]), torch.tensor([[2.0, 1, 1], [0, 3, 1]])  # each (out, in)
print("by hand:", (down @ torch.relu(up @ x)).tolist())

X = torch.randn(1, 5, 8)  # (B, T, d_model)
other = X.clone()
other[0, 2] += 1.0
for name, part in (("feed-forward", feed_forward), ("attention", MultiHeadAttention(8, 2))):
    changed = ((part(X) - part(other)).abs() > 1e-7).any(dim=-1)[0]
    print(f"{name:12} places that change:", changed.nonzero().flatten().tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Feed-forward never mixes places; attention mixes them all. A misconception to lose: *"a Transformer is attention"*. With the usual `d_ff` = 4 · `d_model`, two thirds of a block's parameters are in the feed-forward part, as we shall count.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 2 · The block
#
# Many of these in a row are a deep network, and lesson 12 showed what deep networks need: **shortcuts**, and a **norm**. Here it is layer norm (lesson 08): each place for itself, so that neither the batch nor the length of the sentence matters.
#
# $$X \leftarrow X + \text{attention}(\text{norm}(X)) \qquad X \leftarrow X + \text{feed-forward}(\text{norm}(X))$$
#
# Read it as a stream that flows through, the **residual stream**. Each part reads a copy normed by a layer norm **of its own**, and **adds** something. Nothing is replaced.
#
# A decoder that looks at a second sequence gets a third part between the two: **cross attention**, with queries from its own stream, and keys and values from the other sequence, its **context**.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [15.encoder_block](exercises/15_transformer.ipynb)** ●●● The block without cross attention, from the two formulas alone. (Write it before you look at the next cell.)

# %% tags=["long"] slideshow={"slide_type": "subslide"}
class Block(nn.Module):
    """Attention, then a network for each place, each with a norm before it and a shortcut round it."""

    def __init__(self, d_model, h, d_ff, cross=False, dropout=0.0):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(d_model), MultiHeadAttention(d_model, h)
        self.norm2 = nn.LayerNorm(d_model)
        self.feed_forward = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        if cross:
            self.norm_cross, self.cross = nn.LayerNorm(d_model), MultiHeadAttention(d_model, h)
        self.dropout = nn.Dropout(dropout)

    def forward(self, X, mask=None, context=None, context_mask=None):
        X = X + self.dropout(self.attention(self.norm1(X), mask=mask))  # (B, T, d_model)
        if context is not None:
            X = X + self.dropout(self.cross(self.norm_cross(X), context, context_mask))
        return X + self.dropout(self.feed_forward(self.norm2(X)))

# %% [markdown] slideshow={"slide_type": "notes"}
# That is all. There will be no other block in this lesson.
#
# Against torch: `nn.TransformerDecoderLayer` with `norm_first=True` is the same thing with `cross=True`. We copy our weights into it and compare value and gradients, in float64. (torch keeps query, key and value weights in one tensor, and its masks are True where one may **not** look.)

# %% slideshow={"slide_type": "skip"}
torch.manual_seed(0)
ours = Block(8, 2, 20, cross=True).double()
theirs = nn.TransformerDecoderLayer(8, 2, 20, dropout=0.0, norm_first=True, batch_first=True).double()
pairs = {"norm1": "norm1", "norm_cross": "norm2", "norm2": "norm3"}
pairs |= {"feed_forward.0": "linear1", "feed_forward.2": "linear2"}
for mine, torchs in pairs.items():
    theirs.get_submodule(torchs).load_state_dict(ours.get_submodule(mine).state_dict())
for a, b in ((ours.attention, theirs.self_attn), (ours.cross, theirs.multihead_attn)):
    b.in_proj_weight.data = torch.cat([a.W_q.weight, a.W_k.weight, a.W_v.weight]).detach()
    b.in_proj_bias.data = torch.cat([a.W_q.bias, a.W_k.bias, a.W_v.bias]).detach()
    b.out_proj.load_state_dict(a.W_o.state_dict())

X = torch.randn(3, 6, 8, dtype=torch.float64, requires_grad=True)
context = torch.randn(3, 4, 8, dtype=torch.float64, requires_grad=True)
one = ours(X, causal_mask(6), context)
two = theirs(X, context, tgt_mask=~causal_mask(6))
gradients = [torch.autograd.grad(out.square().sum(), [X, context]) for out in (one, two)]
worst = max((a - b).abs().max().item() for a, b in zip((one, *gradients[0]), (two, *gradients[1]), strict=True))
print(f"largest difference in value or gradient: {worst:.10f}")
assert worst < 1e-11

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Norm before, or norm after?
#
# The paper of 2017 had the norm **after** the sum: $X \leftarrow \text{norm}(X + \text{part}(X))$, **post-norm**. Today most have it before, **pre-norm**, as in our block. It looks like a matter of taste. We stack 2 to 32 blocks of each kind, without training, and measure how much gradient the weights of the **last** block get from a loss at the end. (After Xiong and others, 2020.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.norm")

# %% slideshow={"slide_type": "skip"}
class PostNormBlock(Block):
    def forward(self, X):
        X = self.norm1(X + self.attention(X))
        return self.norm2(X + self.feed_forward(X))


def last_gradient(Kind, depth, seed):
    """Length of the gradient of the last block's feed-forward weights, at the start of training."""
    torch.manual_seed(seed)
    blocks = nn.ModuleList(Kind(32, 4, 128) for _ in range(depth))
    for p in blocks.parameters():
        if p.ndim == 2:
            nn.init.xavier_uniform_(p)
    X, norm, head = torch.randn(8, 16, 32), nn.LayerNorm(32), nn.Linear(32, 10)
    for block in blocks:
        X = block(X)
    F.cross_entropy(head(norm(X)).flatten(0, 1), torch.randint(10, (128,))).backward()
    return blocks[-1].feed_forward[2].weight.grad.norm().item()


depths, gradients_by_kind = [2, 4, 8, 16, 32], {}
for name, Kind in (("norm before", Block), ("norm after", PostNormBlock)):
    gradients_by_kind[name] = [[last_gradient(Kind, depth, seed) for depth in depths] for seed in range(3)]

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plt.subplots(figsize=(8, 4.2))[1]
means = {name: torch.tensor(runs).mean(dim=0) for name, runs in gradients_by_kind.items()}
for k, (name, mean) in enumerate(means.items()):
    ax.plot(depths, mean, "os"[k] + "-", color=f"C{k}", label=name)
    for run in gradients_by_kind[name]:
        ax.plot(depths, run, "os"[k], color=f"C{k}", alpha=0.3)
ax.set(xscale="log", xlabel="number of blocks", ylabel="gradient of the last block", ylim=(0, None))
ax.set(title="With the norm before, a deep stack starts gently")
ax.set_xticks(depths, depths)
ax.minorticks_off()
plotting.label_lines(ax)
assert means["norm before"].diff().max() < 0 and means["norm before"][0] > 2.5 * means["norm before"][-1]
assert means["norm after"].min() > 0.25 and means["norm after"].max() < 0.5

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The gradient of the last block against the number of blocks, three seeds and their mean. Norm before: it falls steadily, from about 0.24 with two blocks to 0.07 with 32. Norm after: it stays between 0.3 and 0.45, however many there are.

# %% [markdown] slideshow={"slide_type": "notes"}
# With the norm before, every block adds to the stream, and the stream grows. The last norm divides by its size, and the gradient with it: theory says by about $\sqrt{\text{depth}}$. Sixteen times as deep, a fourth of the gradient: close to what we measured.
#
# With the norm after, the stream is brought back to the same size in every block. At the first step the last blocks get the full gradient. For Xiong and others this is why such stacks must start with small steps: the **warm-up** of section 5. Pre-norm forgives more: it is easier to train, not "better" in general.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 3 · Three models from one block
#
# A **tower** is what all three share: tokens become vectors (an embedding), positions are added (lesson 14), then come the blocks and a last norm.

# %%
class Tower(nn.Module):
    """Embedding, positions, blocks and a last norm: from tokens to features."""

    def __init__(self, vocabulary, d_model, h, d_ff, layers, cross=False, most=256):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, d_model)
        self.register_buffer("positions", sinusoidal_positions(most, d_model))
        self.blocks = nn.ModuleList(Block(d_model, h, d_ff, cross) for _ in range(layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens, mask=None, context=None, context_mask=None):
        X = self.embedding(tokens) + self.positions[: tokens.shape[1]]  # (B, T, d_model)
        for block in self.blocks:
            X = block(X, mask, context, context_mask)
        return self.norm(X)

# %% [markdown] slideshow={"slide_type": "notes"}
# On top of it stands a **head**: a linear layer that turns features into logits, one for each token. We start it with small weights, so that at first all tokens are about equally probable.
#
# **GPT** is a tower with a causal mask: a **decoder alone**. At each place it says what comes next.

# %% slideshow={"slide_type": "subslide"}
def small_head(d_model, vocabulary):
    head = nn.Linear(d_model, vocabulary)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return head


class GPT(nn.Module):
    """A decoder alone: at each place the logits of the next token."""

    def __init__(self, vocabulary, d_model, h, d_ff, layers, most=256):
        super().__init__()
        self.tower = Tower(vocabulary, d_model, h, d_ff, layers, most=most)
        self.head = small_head(d_model, vocabulary)

    def forward(self, tokens):
        return self.head(self.tower(tokens, causal_mask(tokens.shape[1])))  # (B, T, vocabulary)

# %% [markdown] slideshow={"slide_type": "notes"}
# **BERT** is a tower without that mask: an **encoder alone**. Each place sees both sides; only padding is hidden. At each place it says what belongs there.
#
# (The real GPT and BERT differ from ours in small things: positions are learned, GELU (lesson 02) stands in place of ReLU, and BERT and the GPT of 2018 had the norm after the sum.)

# %% slideshow={"slide_type": "subslide"}
class BERT(nn.Module):
    """An encoder alone: at each place the logits of the token that belongs there."""

    def __init__(self, vocabulary, d_model, h, d_ff, layers, pad=0, most=256):
        super().__init__()
        self.pad = pad
        self.tower = Tower(vocabulary, d_model, h, d_ff, layers, most=most)
        self.head = small_head(d_model, vocabulary)

    def features(self, tokens):
        return self.tower(tokens, (tokens != self.pad)[:, None, None, :])

    def forward(self, tokens):
        return self.head(self.features(tokens))

# %% [markdown] slideshow={"slide_type": "notes"}
# And both together, the **encoder–decoder** of 2017, made for translation: one tower reads, the other writes and looks at what the first has made of it.

# %% slideshow={"slide_type": "subslide"}
class EncoderDecoder(nn.Module):
    """An encoder that reads, and a decoder that writes and looks at what was read."""

    def __init__(self, source, target, d_model, h, d_ff, layers, pad=0, most=64):
        super().__init__()
        self.pad = pad
        self.encoder = Tower(source, d_model, h, d_ff, layers, most=most)
        self.decoder = Tower(target, d_model, h, d_ff, layers, cross=True, most=most)
        self.head = small_head(d_model, target)

    def encode(self, x):
        mask = (x != self.pad)[:, None, None, :]  # (B, 1, 1, T_x)
        return self.encoder(x, mask), mask

    def decode(self, written, context, context_mask):
        return self.head(self.decoder(written, causal_mask(written.shape[1]), context, context_mask))

    def forward(self, x, written):
        return self.decode(written, *self.encode(x))  # (B, T_y, target)

# %% [markdown] slideshow={"slide_type": "notes"}
# Do they see what they may, and no more? The gradient tells. If the gradient of an output by an input's embedding is not zero, the output depends on that input; with random weights we take zero to mean that it does not. All tokens of our little example differ, so each has a row of the embedding for itself.

# %% slideshow={"slide_type": "skip"}
def who_sees(run, embedding, tokens):
    """(places out, places in): True where the output has a gradient by that token's row of the embedding."""
    out = run()  # (1, T_out, vocabulary)
    rows = [torch.autograd.grad(y.square().sum(), embedding.weight, retain_graph=True)[0] for y in out[0]]
    return torch.stack([row[tokens[0]].abs().sum(dim=-1) > 0 for row in rows])


torch.manual_seed(0)
read, written = torch.tensor([[5, 3, 7, 4, 6, 0]]), torch.tensor([[1, 2, 3, 4]])  # all differ; 0 is padding
gpt, bert, both = GPT(9, 16, 2, 32, 2), BERT(9, 16, 2, 32, 2), EncoderDecoder(9, 9, 16, 2, 32, 2)
seen = {
    "BERT": who_sees(lambda: bert(read), bert.tower.embedding, read)[:5],
    "GPT": who_sees(lambda: gpt(read[:, :5]), gpt.tower.embedding, read[:, :5]),
    "decoder: its own past": who_sees(lambda: both(read, written), both.decoder.embedding, written),
    "decoder: what was read": who_sees(lambda: both(read, written), both.encoder.embedding, read),
}

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.6), layout="constrained")
for ax, (name, table) in zip(axes, seen.items(), strict=True):
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    ax.set(xlabel="input", title=name, xticks=range(table.shape[1]), yticks=range(table.shape[0]))
    ax.grid(False)
axes[0].set_ylabel("output")
fig.suptitle("A mask decides what a block can be", fontweight="bold")
for name in ("BERT", "decoder: what was read"):
    assert seen[name][:, :5].all() and not seen[name][:, 5].any()
assert torch.equal(seen["GPT"], causal_mask(5)) and torch.equal(seen["decoder: its own past"], causal_mask(4))

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** Four tables, rows for outputs and columns for inputs; blue where the output depends on the input. BERT's is all blue but for the last column, the padding. GPT's is a lower triangle with its diagonal. The decoder's own table is such a triangle too; the table of decoder against encoder is all blue but for the padding.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### One place later
#
# A decoder trains on all places at once: this is **teacher forcing** (lesson 13) without a loop. For the target `K AE T end` it must be shown `start K AE T`: at each place all that comes **before** the token it has to say. So its input is the target, moved one place later, with a start token in front.
#
# With a list it is one line. What we keep for each word is `start K AE T end`; all but the last is the input, all but the first is the target.

# %% slideshow={"slide_type": "fragment"}
whole = ["start", "K", "AE", "T", "end"]
for k, target in enumerate(whole[1:], start=1):
    print(f"sees {' '.join(whole[:k]):16} says {target}")

# %% [markdown] slideshow={"slide_type": "notes"}
# If you forget the move, the decoder finds at each place the very token it should say. Its loss falls to almost nothing in no time, and it has learned to copy. **A loss that is too good is a leak.**
#
# **Exercise [15.shift_targets](exercises/15_transformer.ipynb)** ● The other way round: only the targets are given, as a tensor of a whole batch, and the input has to be made of them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 4 · How many parameters?
#
# With width $d$: each of the four projections of attention has $d^2 + d$. Feed-forward with $d_\text{ff} = 4d$ has $8d^2 + 5d$. Two norms have $4d$. One block:
#
# $$12 d^2 + 13 d$$
#
# By hand, $d = 64$: $49{,}152 + 832 = 49{,}984$. The embedding has a row of $d$ numbers for each of the $n$ tokens of the vocabulary: $n d$. The length of the text is **not** in the formula, nor the number of heads.
#
# (Many books, and the exercises, write $V$ for the vocabulary's size. In this lesson V is only attention's values.)
#
# For GPT-2 of 2019: $n = 50{,}257$, $d = 768$, 12 blocks, 1,024 learned positions, a last norm; and its head uses the embedding again, so it costs nothing.

# %% slideshow={"slide_type": "subslide"}
def block_parameters(d):
    return 12 * d**2 + 13 * d


n, d = 50_257, 768
gpt2 = n * d + 1024 * d + 12 * block_parameters(d) + 2 * d
print(f"our block, d = 64: {count_parameters(Block(64, 4, 256)):,} counted, {block_parameters(64):,} by formula")
print(f"GPT-2: {gpt2:,}")
print(f"BERT:  {(30_522 + 512 + 2) * d + 2 * d + 12 * block_parameters(d) + d * d + d:,}")
print(f"GPT-3: {50_257 * 12_288 + 2048 * 12_288 + 96 * block_parameters(12_288) + 2 * 12_288:,}")
assert count_parameters(Block(64, 4, 256)) == block_parameters(64) and gpt2 == 124_439_808

# %% [markdown] slideshow={"slide_type": "fragment"}
# These are the known figures: 124 million, 110 million ("BERT base", with its token types and pooling layer) and 175 billion.
#
# **Exercise [15.count_transformer_parameters](exercises/15_transformer.ipynb)** ●● A whole GPT like ours, for any `d_ff`: add up the parts yourself.

# %% slideshow={"slide_type": "subslide", "show": "output"}
widths = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 12_288]
ax = plt.subplots(figsize=(8.5, 4.6))[1]
ax.plot(widths, [12 * block_parameters(d) for d in widths], "o-", color="C0", label="12 blocks")
ax.plot(widths, [50_257 * d for d in widths], "s--", color="C1", label="embedding of 50,257 tokens")
famous = {"GPT-2": (768, 124e6, 12), "GPT-2 XL": (1600, 1558e6, 48), "GPT-3": (12_288, 175e9, 96)}
for name, (width, parameters, layers) in famous.items():
    ax.plot(width, parameters, "D", color=plotting.COLORS["gradient"])
    ax.annotate(f"{name}, {layers} blocks", (width, parameters), (-8, 6), textcoords="offset points", ha="right")
ax.set(xscale="log", yscale="log", xlabel="width, d_model", ylabel="parameters", ylim=(3e4, 2e12))
ax.set(title="Twice the width: each block four times, the embedding twice")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Parameters against width, both on logarithmic axes. The line of twelve blocks is twice as steep as that of the embedding; they cross near a width of 350; from there on the blocks outweigh the embedding. Three diamonds mark GPT-2, GPT-2 XL and GPT-3, the last two above the line of 12 blocks, since they have more of them.
#
# What does one get for more? Kaplan and others (2020) trained language models of many sizes. As long as neither data nor training time ran short, the loss fell along a straight line on logarithmic axes: like $N^{-0.076}$ for $N$ parameters, the embedding not counted. Ten times the parameters: about a sixth less loss. Steady, and expensive.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 14}
# ## 5 · From spelling to sound
#
# A translation small enough for this page: from letters to **phonemes**, the sounds of speech. The CMU Pronouncing Dictionary writes them in 39 codes. English spelling is a hard language: *through* is `TH R UW`.

# %%
dictionary = pronunciations()
said = {w: p for w, p in dictionary.items() if 3 <= len(w) <= 8 and len(p) <= 8}
phonemes = sorted({p for sounds in said.values() for p in sounds})
held = ["knight", "phone", "shipping", "quaking", "thatcher", "chemist"]  # not for training
words = sorted(set(said) - set(held))
random.Random(0).shuffle(words)
test_words, train_words = held + words[:1000], words[1000:51_000]
print(f"{len(train_words):,} words for training, {len(test_words):,} for the test, {len(phonemes)} phonemes")
for word in ("cat", "knight", "through", "thatcher"):
    print(f"{word:9}", " ".join(said[word]))

# %% [markdown] slideshow={"slide_type": "notes"}
# Tokens are numbers: 0–25 for letters, 26 for padding. Phonemes are 0–38; then come three marks: start, end, and padding.

# %% slideshow={"slide_type": "skip"}
PAD_LETTER, START, END, PAD = 26, 39, 40, 41
code = {p: k for k, p in enumerate(phonemes)}


def letters(words, most=8):
    """(B, most): a word's letters as numbers, filled up with padding."""
    return torch.tensor([[ord(c) - 97 for c in w] + [PAD_LETTER] * (most - len(w)) for w in words])


def sounds(words, most=10):
    """(B, most): the start, a word's phonemes as numbers, the end, then padding."""
    rows = [[START] + [code[p] for p in said[w]] + [END] for w in words]
    return torch.tensor([row + [PAD] * (most - len(row)) for row in rows])


X_train, Y_train = letters(train_words), sounds(train_words)
X_test = letters(test_words)
print(X_train[0].tolist(), "→", Y_train[0].tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Warm-up
#
# Transformers are trained with Adam, and the paper of 2017 had its own schedule, now called **Noam** after Noam Shazeer, one of its authors: the rate rises in a straight line for `warmup` steps, then falls like $1/\sqrt{\text{step}}$:
#
# $$\text{lr} = d_\text{model}^{-0.5} \cdot \min(\text{step}^{-0.5},\ \text{step} \cdot \text{warmup}^{-1.5})$$
#
# By hand, $d = 64$ and `warmup` 100: at step 100 both are equal, $0.125 \cdot 0.1 = 0.0125$, the top. At step 50, half of it; at step 400, also half. **Warm-up** gives Adam time to learn the gradients' scale before it takes long steps.
#
# **Exercise [15.noam_warmup](exercises/15_transformer.ipynb)** ● The formula; steps count from 1. Here we only draw its two curves, dotted, and over them the lower one.

# %% slideshow={"slide_type": "subslide", "show": "output"}
steps = torch.arange(1, 401)
rise, fall = 0.125 * steps * 100**-1.5, 0.125 * steps**-0.5  # d_model = 64: 64 ** -0.5 = 0.125
ax = plt.subplots(figsize=(8.5, 4))[1]
for curve in (rise, fall):
    ax.plot(steps, curve, ":", color=plotting.COLORS["neutral"])
ax.plot(steps, rise.where(steps < 100, fall), color="C0", label="Noam, d = 64")
ours_now = [warmup(cosine_lr(0.01, s, 400), s, 40) for s in steps.tolist()]
ax.plot(steps, ours_now, "--", color="C1")
ax.text(185, ours_now[185] - 0.0013, "ours", color="C1", fontweight="bold", ha="right")
ax.set(xlabel="step", ylabel="learning rate", ylim=(0, 0.015), title="First up, then down")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two learning rates over 400 steps. Noam's is the lower one of two dotted curves, a straight line that rises and a curve that falls: a corner at step 100, then a slow sag. Ours is at its top at step 40 and falls along half a cosine to zero.

# %% [markdown] slideshow={"slide_type": "notes"}
# Noam's rate was made for runs of 100,000 steps and never reaches zero. Ours is short, and a short run gains much from coming to rest. So we warm up for 40 steps and come down along a cosine (lesson 07), as most do today.
#
# One loop trains every model of this lesson. Its heart is one step; we keep it apart, because soon two models will take turns. Adam gets `betas=(0.9, 0.98)` as in the paper: with 0.98 in place of 0.999 its mean of squared gradients looks back about 50 steps, not 1,000, which suits a short run.

# %% tags=["long"] slideshow={"slide_type": "skip"}
def stepper(model, loss_of, lr):
    """A function that makes one step of Adam; it is told which share of the run is done."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98))
    made = 0

    def step(done):
        nonlocal made
        optimizer.param_groups[0]["lr"] = warmup(cosine_lr(lr, done, 1), made, 40)
        loss = loss_of(model, generator)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
        made += 1
        return loss.item()

    return step


def train(model, loss_of, lr, steps, watch=lambda step: None):
    """The losses of a whole run; `watch` is called before each step and after the last."""
    step, losses = stepper(model, loss_of, lr), []
    for k in range(steps):
        watch(k)
        losses.append(step(k / steps))
        if len(losses) % 100 == 0:
            print(f"step {len(losses):4}: loss {sum(losses[-20:]) / 20:.2f}")
    watch(steps)
    return losses

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Two speakers
#
# Our encoder–decoder: one block to read, one to write.
#
# Against it: what lesson 13 can do. A GRU reads the word, its last state goes to a second GRU, and that one writes. All that is known of the word has to pass through one vector of 96 numbers, the **bottleneck** of lesson 14.

# %%
class GRUSpeaker(nn.Module):
    """A GRU reads, its last state starts a second GRU, which writes."""

    def __init__(self, d_embedding=48, n=96):
        super().__init__()
        self.read, self.said = nn.Embedding(27, d_embedding), nn.Embedding(42, d_embedding)
        self.encoder = nn.GRU(d_embedding, n, batch_first=True)
        self.decoder = nn.GRU(d_embedding, n, batch_first=True)
        self.head = nn.Linear(n, 42)

    def forward(self, x, written):
        states, _ = self.encoder(self.read(x))  # (B, T_x, n)
        last = states[torch.arange(len(x)), (x != PAD_LETTER).sum(dim=1) - 1]  # (B, n): before the padding
        out, _ = self.decoder(self.said(written), last[None])
        return self.head(out)

# %% [markdown] slideshow={"slide_type": "notes"}
# Equally many parameters, and a check before training (lesson 10): a loss that starts at $\ln 42 = 3.74$.

# %% slideshow={"slide_type": "skip"}
def sound_loss(model, generator):
    """Mean loss per phoneme of 96 random words."""
    rows = torch.randint(len(X_train), (96,), generator=generator)
    seen, wanted = Y_train[rows, :-1], Y_train[rows, 1:]  # the same tokens, one place apart
    logits = model(X_train[rows], seen)  # (96, 9, 42)
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD)


torch.manual_seed(0)
speaker = EncoderDecoder(27, 42, d_model=64, h=4, d_ff=128, layers=1, pad=PAD_LETTER)
gru_speaker = GRUSpeaker()
for name, model in (("Transformer", speaker), ("GRU", gru_speaker)):
    first = sound_loss(model, torch.Generator().manual_seed(0)).item()
    print(f"{name:11} {count_parameters(model):,} parameters, loss {first:.2f}")
assert abs(count_parameters(gru_speaker) / count_parameters(speaker) - 1) < 0.01

# %% [markdown] slideshow={"slide_type": "notes"}
# ### The race
#
# Same parameters, same loop, each with the learning rate that was best for it of those we tried (Transformer 0.01, GRU 0.02), and the same **time**: they take turns, and whoever has used less time makes the next step. When the Transformer has made 220, it is over. About 10 to 15 seconds.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.race")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def race(transformer, gru, steps):
    """Train both, each as long as the other; the losses of both, and the seconds of each."""
    step = {"Transformer": stepper(transformer, sound_loss, 0.01), "GRU": stepper(gru, sound_loss, 0.02)}
    losses, used = {name: [] for name in step}, dict.fromkeys(step, 0.0)
    while len(losses["Transformer"]) < steps:
        name = min(used, key=used.get)
        begin = time.perf_counter()
        losses[name].append(step[name](len(losses["Transformer"]) / steps))
        used[name] += time.perf_counter() - begin
    return losses, used


speaker_losses, used = race(speaker, gru_speaker, steps=220)
for name, run in speaker_losses.items():
    print(f"{name:11} {len(run)} steps of {1000 * used[name] / len(run):.0f} ms, loss {sum(run[-20:]) / 20:.2f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
ends = {name: sum(run[-20:]) / 20 for name, run in speaker_losses.items()}
assert ends["Transformer"] < 0.9 * ends["GRU"]

ax = plt.subplots(figsize=(8.5, 4.2))[1]
for k, (name, run) in enumerate(speaker_losses.items()):
    smooth = torch.tensor(run).unfold(0, 10, 1).mean(dim=1)  # mean of ten steps
    ax.plot(torch.linspace(0, 100, len(smooth)), smooth, ["-", "--"][k], color=f"C{k}", label=name)
ax.set(xlabel="time, % of the run", ylabel="loss per phoneme", ylim=(0.3, 1.4))
ax.set(title="Same parameters, same time: the Transformer ends lower")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two falling losses over the same time. The GRU's lies above the Transformer's in the second half of the run, and ends higher.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Writing, one token at a time
#
# Trained, it has to write without a teacher. **Greedy decoding**: ask for the logits of the next token, take the largest, put it behind what is written, ask again. Stop at the end token, or when it has become too long: a model may never say "end". Neither the start nor the end token belongs to the answer.
#
# We do it for a whole batch. Words of a batch end at different places, so here all write on to the same length, and what comes after the end is thrown away.
#
# **Exercise [15.greedy_decode](exercises/15_transformer.ipynb)** ●● For one sequence, any model, and no token more than needed. (Before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def write(model, X, most):
    """(B, most): what the model writes for each word of X, and whatever comes after the end."""
    written = torch.full((len(X), 1), START)
    with torch.no_grad():
        for _ in range(most):
            best = model(X, written)[:, -1:].argmax(dim=-1)  # (B, 1)
            written = torch.cat([written, best], dim=1)
    return written[:, 1:]


def until_end(row):
    return row[: row.index(END)] if END in row else row


def speak(model, word):
    """The phonemes of one word; what the model looked at stays in its attention."""
    row = write(model, letters([word], most=len(word)), most=len(word) + 2)[0].tolist()
    return [phonemes[t] if t < 39 else "?" for t in until_end(row)]


# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
spoken = {word: speak(speaker, word) for word in held}
for word in held:
    print(f"{word:9} {' '.join(spoken[word]):26} dictionary: {' '.join(said[word])}")

# %% slideshow={"slide_type": "skip"}
assert sum(spoken[word][:1] == list(said[word][:1]) for word in held) >= 3

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### How wrong is it?
#
# A word is right or wrong: **word error rate**. But one wrong sound of eight is better than eight. So count the least number of changes (replace, put in, take out) that make the prediction right: the **edit distance**. Divided by the length of the right answer it is the **phoneme error rate**. From *kitten* to *sitting*: k→s, e→i, put in g: 3 changes, 3/7.

# %% [markdown] slideshow={"slide_type": "notes"}
# The distance is found in a table: row by row, from the beginnings of one word to those of the other. Each field is the cheapest of three: come from above (take out) + 1, from the left (put in) + 1, or from the corner (+ 1 if the two differ). The first row counts 0, 1, 2, …: that many tokens must be put in where nothing was predicted. The first column counts likewise what must be taken out. The field at the bottom right is the distance.

# %% slideshow={"slide_type": "fragment", "show": "output"}
predicted, wanted = "kitten", "sitting"
print("      " + "  ".join(wanted))
for i in range(len(predicted) + 1):
    row = [i] + [round(error_rate(predicted[:i], wanted[: j + 1]) * (j + 1)) for j in range(len(wanted))]
    print(" " + (" " + predicted)[i] + " " + "  ".join(str(changes) for changes in row))

# %% [markdown] slideshow={"slide_type": "notes"}
# Check a field by hand: *kitt* against *sitt*, 1. Above it stands 2, left of it 2, at the corner 1 (*kit* against *sit*), and the two *t* are the same: min(2 + 1, 2 + 1, 1 + 0) = 1.
#
# **Exercise [15.error_rate](exercises/15_transformer.ipynb)** ●●● Fill the table yourself. Here the finished function comes from `utils.built`, and we asked it for all beginnings.
#
# Now all test words at once, in one batch, and both error rates. (Phonemes: all changes over all wanted phonemes.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def errors(model):
    """Phoneme and word error rate on the test words, written greedily."""
    changes, length, wrong = 0.0, 0, 0
    for word, row in zip(test_words, write(model, X_test, most=10).tolist(), strict=True):
        row, wanted = until_end(row), [code[p] for p in said[word]]
        changes += error_rate(row, wanted) * len(wanted)
        length, wrong = length + len(wanted), wrong + (row != wanted)
    return changes / length, wrong / len(test_words)

rates = {"Transformer": errors(speaker), "GRU": errors(gru_speaker)}
for name, (per_phoneme, per_word) in rates.items():
    print(f"{name:11} phoneme error rate {per_phoneme:.1%}, word error rate {per_word:.1%}")

# %% slideshow={"slide_type": "skip"}
assert rates["Transformer"][0] < 0.85 * rates["GRU"][0] and rates["Transformer"][0] < 0.25

# %% [markdown] slideshow={"slide_type": "notes"}
# The Transformer wins: in our runs with three seeds 20 to 21% of the phonemes wrong, against about 28%. Its steps take longer, so it made fewer of them (220 against about 300), and still it was ahead.
#
# Be fair to the loser. Words of eight letters are a mild bottleneck, and with more than half of the words wrong neither speaks English yet. It is a statement about **this time on this computer**. Section 11 says what ten times as long gives.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### What does it look at?
#
# Cross attention shows where each sound comes from. Nobody told the model which letter makes which sound. Here are the weights, mean of the four heads, for words that it has not seen in training.

# %% slideshow={"show": "output"}
def say(word):
    """Phonemes, and the weights of cross attention, (phonemes, letters)."""
    spoken = speak(speaker, word)
    if not spoken:
        return ["?"], torch.full((1, len(word)), 1 / len(word))
    weights = speaker.decoder.blocks[-1].cross.weights[0].mean(dim=0)  # (T_y, T_x), mean of the heads
    return spoken, weights[: len(spoken)]


fig, axes = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
for ax, word in zip(axes.flat, held, strict=True):
    spoken, weights = say(word)
    ax.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set(title=word)
    ax.set_xticks(range(len(word)), list(word))
    ax.set_yticks(range(len(spoken)), spoken)
    ax.grid(False)
fig.suptitle("Most sounds look at the letters that make them", fontweight="bold");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Six maps from our run, sounds down the side, letters along the top, darker for more weight. All run from top left to bottom right: sounds look at letters in their order. Two letters that make one sound are often looked at together: *kn* in *knight*, *th* in *thatcher*, *ng* in *quaking*. Or one of them is enough: *p* for the F of *phone*, *c* for the CH of *chemist* (said wrongly, as in *chin*). The last *e* of *phone* gets nothing.
#
# Read such maps with care. The encoder has already mixed the letters: its vector at *g* knows of *n* and *h* too. A weight says where the decoder looked, not all that it knew.

# %% slideshow={"slide_type": "skip"}
def lean(word):
    """Correlation between a sound's place and the letters it looks at: 1 if they go along together."""
    weights = say(word)[1]
    looked = weights @ torch.arange(len(word)).float()  # (phonemes,): mean place of the letters
    return torch.corrcoef(torch.stack([torch.arange(len(looked)).float(), looked]))[0, 1].item()


leans = torch.tensor([lean(word) for word in test_words[:80] if len(said[word]) > 4])
print(f"{len(leans)} test words, mean correlation above 0.8: {leans.mean() > 0.8}")
assert leans.mean() > 0.8

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: say it
#
# *How does the model say it, and which letters does each sound look at?* Type a word and press Enter.
#
# - **Make up** a word. It never saw it, and says it all the same.
# - **Find** a silent letter: no sound looks at it.
# - **Find** one sound that looks at two letters.
# - **Notice** what becomes of words longer than the eight letters of its training.
# - **Challenge:** eight letters or more, every sound as the dictionary has it.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
explore.pronounce(say, dictionary=dictionary)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The map of *knight*: its letters along the top, the model's sounds down the side, and darker fields where a sound looks. In our run it says `N IH G` and is wrong (`N AY T` is right), but look at the first row: N looks at *k* and *n* together. That the two make one sound it has learned; what *igh* does, it has not.

# %% slideshow={"slide_type": "skip"}
assert torch.allclose(say("knight")[1].sum(dim=1), torch.ones(1))  # the weights of each sound: 100% together

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 6 · A small GPT reads a novel
#
# Same block, causal mask, nothing to translate: the next character of Melville's *Moby-Dick*. 1.19 million characters, 81 different ones. The last twentieth is for validation.
#
# Before it has learned anything, all 81 are equally probable. So the loss must start at $\ln 81 = 4.39$.

# %% slideshow={"slide_type": "skip"}
text = novel()
characters = sorted(set(text))
number = {c: k for k, c in enumerate(characters)}
tokens = torch.tensor([number[c] for c in text])
cut = len(tokens) * 19 // 20
vocabulary = len(characters)


def chunks(source, generator, B=24, T=32):
    """B pieces of text, each (T + 1) characters: inputs (B, T), and targets one place further."""
    starts = torch.randint(len(source) - T, (B, 1), generator=generator)
    piece = source[starts + torch.arange(T + 1)]  # (B, T + 1)
    return piece[:, :-1], piece[:, 1:]

# %% slideshow={"slide_type": "fragment", "show": "output"}
def novel_loss(model, generator, validation=False):
    x, y = chunks(tokens[cut:], generator, B=200) if validation else chunks(tokens[:cut], generator)
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


def validation_loss(model):
    with torch.no_grad():
        return novel_loss(model, torch.Generator().manual_seed(1), validation=True).item()


torch.manual_seed(0)
writer = GPT(vocabulary, d_model=64, h=4, d_ff=128, layers=2)
begin = validation_loss(writer)
print(f"{count_parameters(writer):,} parameters; loss {begin:.2f}, ln {vocabulary} = {math.log(vocabulary):.2f}")
assert abs(begin - math.log(vocabulary)) < 0.05

# %% [markdown] slideshow={"slide_type": "notes"}
# While it trains we let it write, four times, always behind the same words. It draws as in lesson 13: the logits are divided by a **temperature**, then a token is drawn. (`keep` has nothing to do yet; section 7 needs it.) About 5 seconds.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def encode(text):
    return torch.tensor([[number[c] for c in text]])  # (1, T)


def continue_text(model, prompt, length, temperature=0.8, keep=lambda scores: scores):
    """Draw character after character: first the temperature, then `keep` may forbid some."""
    generator, so_far = torch.Generator().manual_seed(0), encode(prompt)
    with torch.no_grad():
        for _ in range(length):
            logits = model(so_far[:, -32:])[0, -1]  # (vocabulary,): it learned from pieces of 32
            drawn = sample_index(keep(logits / temperature), generator=generator)
            so_far = torch.cat([so_far, torch.tensor([[drawn]])], dim=1)
    return "".join(characters[k] for k in so_far[0].tolist())


def show_sample(step):
    if step in (0, 50, 150, 350):
        print(f"{step:4} | {continue_text(writer, 'The whale ', 70)!r}")


writer_losses = train(writer, novel_loss, lr=0.01, steps=350, watch=show_sample)
print(f"validation loss {validation_loss(writer):.2f}")

# %% slideshow={"slide_type": "skip"}
assert 1.9 < validation_loss(writer) < 2.3

# %% [markdown] slideshow={"slide_type": "fragment"}
# Read the four lines. At first, random signs. After 50 steps, small letters and spaces in about the right shares. Later, the lengths of words, and first short words: *the*, *this*, *and*. The 350 steps have shown it 270,000 characters, a quarter of the novel, and a loss of 2.1 a character is far from sense: a good large model needs less than half.

# %% [markdown] slideshow={"slide_type": "notes"}
# ### Against an LSTM
#
# Another race, on the novel: an LSTM with as many parameters, the same pieces in the same order, and this time the same number of steps. (Each has the learning rate that was best for it of those we tried: 0.01 for the GPT, 0.02 for the LSTM.) First the loss. Which one reads the better?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.novel")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
class LSTMWriter(nn.Module):
    def __init__(self, d_embedding=32, n=112):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, d_embedding)
        self.lstm = nn.LSTM(d_embedding, n, batch_first=True)
        self.head = small_head(n, vocabulary)

    def forward(self, tokens):
        return self.head(self.lstm(self.embedding(tokens))[0])  # (B, T, vocabulary)


torch.manual_seed(0)
lstm_writer = LSTMWriter()
print(f"{count_parameters(lstm_writer):,} parameters")
lstm_losses = train(lstm_writer, novel_loss, lr=0.02, steps=350)
print(f"validation loss: LSTM {validation_loss(lstm_writer):.2f}, GPT {validation_loss(writer):.2f}")

# %% slideshow={"slide_type": "skip"}
assert abs(count_parameters(lstm_writer) / count_parameters(writer) - 1) < 0.01
assert 0.05 < validation_loss(writer) - validation_loss(lstm_writer) < 0.3

# %% [markdown] slideshow={"slide_type": "fragment"}
# The LSTM reads better, by 0.1 to 0.2. Its forget gates come with a built-in idea: what is near counts most. For the next character that is nearly always true. Attention has no such idea. It must learn from data which places are near, and 350 steps are little data. It is the price of being general; with much more data and larger models it pays.
#
# A misconception to lose: *"the Transformer is better than the RNN"*. On spelling it was, on this one it was not. Measure.

# %% [markdown] slideshow={"slide_type": "notes"}
# And the time? One hears that Transformers are fast, since they take all places at once, while an RNN has to take them one after another. We keep 1,024 characters a step and cut them into ever longer pieces. Which line rises?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.length")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def step_time(model, T, seed):
    """Seconds of forward and backward on 1,024 characters in pieces of T."""
    x, y = chunks(tokens, torch.Generator().manual_seed(seed), B=1024 // T, T=T)
    begin = time.perf_counter()
    F.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
    return time.perf_counter() - begin


lengths, rounds = [8, 16, 32, 64, 128, 256], {"GPT": [], "LSTM": []}
for seed in range(8):  # in turns: what else the computer does shall hit all of them alike
    for name, model in (("GPT", writer), ("LSTM", lstm_writer)):
        rounds[name].append([step_time(model, T, seed) for T in lengths])
times = {name: torch.tensor(row).min(dim=0).values.tolist() for name, row in rounds.items()}  # the shortest
for name, row in times.items():
    print(f"{name:5}", "  ".join(f"{T}: {1000 * t:.0f} ms" for T, t in zip(lengths, row, strict=True)))

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plt.subplots(figsize=(8.5, 4.2))[1]
for k, (name, row) in enumerate(times.items()):
    ax.plot(lengths, [1000 * t for t in row], "os"[k] + "-", color=f"C{k}", label=name)
ax.set(xscale="log", xlabel="length of a piece (1,024 characters in all)", ylabel="time of a step, ms", ylim=(0, None))
ax.set(title="On a CPU, length costs the GPT far more than the LSTM")
ax.set_xticks(lengths, lengths)
ax.minorticks_off()
plotting.label_lines(ax)
assert times["GPT"][-1] > min(times["GPT"])  # the clock of a busy computer is no proof: we count below

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Time of a training step against the length of a piece, for as many characters in all. The GPT's line climbs towards 256, where it is clearly above its own shorter pieces and above the LSTM. The LSTM's rises much less, if at all.

# %% [markdown] slideshow={"slide_type": "subslide"}
# A clock also measures what else the computer does. Work can be counted. For each character, each of our two blocks multiplies $4d^2$ times in its projections, $2 d \cdot d_\text{ff}$ times in feed-forward, and $2 d T$ times in attention: a query against $T$ keys, and weights times $T$ values. (Without the savings that a causal mask would allow; ours makes none.)

# %% slideshow={"slide_type": "fragment", "show": "output"}
d, d_ff = 64, 128
by_weights = 4 * d**2 + 2 * d * d_ff
for T in lengths:
    print(f"pieces of {T:3}: {by_weights:,} by weights, {2 * d * T:6,} by attention: {2 * d * T / by_weights:.0%} more")
assert 2 * d * 256 == by_weights

# %% [markdown] slideshow={"slide_type": "notes"}
# So on a CPU it is the other way round. Attention compares each place with each: pieces of twice the length, twice as many comparisons for the same text. At 256 they are as much work as all weights of the blocks together. The LSTM multiplies equally often however the text is cut. Its places do wait for one another, but a CPU with two cores does things one after another anyway.

# %% [markdown] slideshow={"slide_type": "notes"}
# The Transformer's advantage shows on hardware that does thousands of things at once. There what counts is the longest chain of things that must wait: 256 steps for the LSTM, for the GPT two blocks, however long the text. And it shows with size: more layers, more data, longer memory. A misconception to lose: *"Transformers are faster"*. They are faster to train **in parallel**.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 7 · Choosing the next token
#
# The model gives probabilities. What to write is another decision.
#
# - **Greedy**: always the largest.
# - **Temperature** (lesson 13): divide the logits by it, then draw. Below 1 it is more careful, above 1 more daring.
# - **Top-k**: draw from the $k$ most probable tokens only (from all, if there are fewer).
# - **Nucleus**, or **top-p** (Holtzman and others, 2020): draw from the fewest tokens that together reach probability $p$.

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand: probabilities 0.5, 0.3, 0.15, 0.05. Top-2 keeps 0.5 and 0.3 and draws with 0.625 and 0.375. Top-p with 0.9 keeps three: two reach only 0.8.
#
# With both a temperature and top-p the order matters. The temperature comes first, and the cut is made in what it gives: so in `continue_text`, and so in the explorer below. For top-k the order makes no difference.
#
# Top-p in code: the others' logits become −∞, so that their probability is exactly 0. We sort, add up, cut, and put what is left back at its places.
#
# **Exercise [15.top_k](exercises/15_transformer.ipynb)** ●● The same with a count: simpler, since nothing is added up. Below, `top_k` comes from `utils.built`.

# %% slideshow={"slide_type": "subslide"}
def top_p(logits, p):
    if not 0 < p <= 1:
        raise ValueError(f"p must be above 0 and at most 1, not {p}")
    if p == 1:  # rounding must not cut off a tail
        return logits.clone()
    values, places = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = torch.softmax(values, dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities  # what the more probable ones have together
    values = values.masked_fill(before >= p, -math.inf)
    return torch.full_like(logits, -math.inf).scatter(-1, places, values)


by_hand = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
for name, cut_row in (("top-k 2", top_k(by_hand, 2)), ("top-p 0.9", top_p(by_hand, 0.9))):
    print(f"{name:9}", [f"{q:.3f}" for q in cut_row.softmax(dim=0).tolist()])

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.greedy")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
ways = {
    "greedy": dict(keep=lambda scores: top_k(scores, 1)),
    "temperature 0.5": dict(temperature=0.5),
    "temperature 1": dict(temperature=1.0),
    "temperature 2": dict(temperature=2.0),
    "temperature 1, top-k 5": dict(temperature=1.0, keep=lambda scores: top_k(scores, 5)),
    "temperature 1, top-p 0.9": dict(temperature=1.0, keep=lambda scores: top_p(scores, 0.9)),
}
samples = {name: continue_text(writer, "The whale ", 120, **way) for name, way in ways.items()}
for name, sample in samples.items():
    print(f"{name:25} {sample!r}")

# %% slideshow={"slide_type": "skip"}
different = {name: len({s[i : i + 4] for i in range(10, len(s) - 4)}) for name, s in samples.items()}
assert different["greedy"] < 30 and different["temperature 1"] > 70  # groups of four characters

# %% [markdown] slideshow={"slide_type": "notes"}
# Greedy: *the the the*, for ever. The most probable character at each place does not make the most probable text, and the most probable text is not what people write either. Temperature 2 is noise: the thousand small mistakes of the tail add up. Top-k and top-p cut that tail off and keep the variety.
#
# Why not always top-k? The number of sensible characters is not the same everywhere. After *and then th* there are a few, after a space more than a dozen. Top-p follows the model; top-k cannot.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
prompts = ["The whal", "Captain Aha", "The whale ", "of the se", "and then th"]
with torch.no_grad():
    next_logits = {prompt: writer(encode(prompt))[0, -1] for prompt in prompts}
kept = {prompt: int((top_p(row, 0.9) > -math.inf).sum()) for prompt, row in next_logits.items()}
for prompt, row in next_logits.items():
    p, k = row.softmax(dim=0).max(dim=0)
    print(f"{prompt!r:14} most probable {characters[k]!r} with {p:.0%}; {kept[prompt]} characters reach 90%")

# %% slideshow={"slide_type": "skip"}
assert 2 * min(kept.values()) < kept["The whale "]

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: what comes next
#
# *What do temperature, top-k and top-p make of the model's probabilities?* These are the logits of the GPT above. Choose a prompt, move the controls, draw.
#
# - **Leave** a single token at temperature 1, by top-k or by top-p alone.
# - **Make** the choice twice as open by temperature alone, and look at what comes in.
# - **Find** a top-p that leaves few tokens after one prompt and many after another.
# - **Challenge:** temperature 1.5 or more, 200 draws, five different tokens, and no rare one.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
explore.sampling(next_logits, characters)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Bars for two prompts under top-p 0.9. After *and then th*, where the model is surest, three characters stay, and one is far ahead. After *The whale*, with its space, 17 stay in our run, none above a fifth: twelve have a row of their own, and the last row holds all others together, five of which stay. Diamonds show the share of 200 draws; grey bars what the model had before the cut.

# %% slideshow={"slide_type": "skip"}
assert min(kept.values()) <= 6 and kept["The whale "] > 12

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 8 · Write faster: keys and values are kept
#
# To write 120 characters we ran the whole model 120 times, each time over up to 32 characters. But a causal mask means: what is past never looks at what is new. So, as long as nothing drops out at the front, its keys and values **never change**. Keep them, and run only the new place: one query against all kept keys. This is the **key–value cache**.
#
# (Our window of 32 moves on after a while. Then each character gets a new position at every step, and with it new keys and values: that would spoil a cache. So here nothing drops out.)

# %% slideshow={"slide_type": "subslide"}
def block_step(block, x, kept):
    """One new place, (B, 1, d_model), through a block; `kept` holds keys and values and grows."""
    a, X = block.attention, block.norm1(x)
    Q, K, V = (split_heads(W(X), a.h) for W in (a.W_q, a.W_k, a.W_v))  # each (B, h, 1, d_k); V: values
    if kept:
        K, V = torch.cat([kept["K"], K], dim=2), torch.cat([kept["V"], V], dim=2)
    kept["K"], kept["V"] = K, V  # (B, h, T so far, d_k)
    x = x + a.W_o(merge_heads(attention(Q, K, V)[0]))
    return x + block.feed_forward(block.norm2(x))


def gpt_step(model, token, place, memory):
    """Logits of the next token, (vocabulary,), given one token and what the blocks have kept."""
    x = model.tower.embedding(torch.tensor([[token]])) + model.tower.positions[place]
    for block, kept in zip(model.tower.blocks, memory, strict=True):
        x = block_step(block, x, kept)
    return model.head(model.tower.norm(x))[0, -1]

# %% [markdown] slideshow={"slide_type": "notes"}
# The same 160 tokens, greedily, in both ways; in float64, so that rounding cannot choose between two almost equal characters. We count how many places go through the model, and look at the clock too.

# %% slideshow={"slide_type": "skip"}
def write_all(model, prompt, length):
    """Run everything again for each token; the tokens, and how many places went through the model."""
    so_far, places = list(prompt), 0
    while len(so_far) < length:
        places += len(so_far)
        so_far.append(int(model(torch.tensor([so_far]))[0, -1].argmax()))
    return so_far, places


def write_cached(model, prompt, length):
    """Run each token once."""
    memory, so_far, places = [{} for _ in model.tower.blocks], list(prompt), 0
    for place in range(length - 1):
        logits = gpt_step(model, so_far[place], place, memory)
        places += 1
        if place + 1 == len(so_far):
            so_far.append(int(logits.argmax()))
    return so_far, places

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
exact, prompt = GPT(vocabulary, 64, 4, 128, 2).double(), encode("The whale ")[0].tolist()
exact.load_state_dict(writer.state_dict())
took, results = {}, {}
with torch.no_grad():
    for name, way in (("everything again", write_all), ("with the cache", write_cached)):
        begin = time.perf_counter()
        results[name] = way(exact, prompt, 160)
        took[name] = time.perf_counter() - begin
        print(f"{name:17} {results[name][1]:6,} places, {took[name]:.2f} s")
(slow, many), (fast, few), ratio = *results.values(), took["everything again"] / took["with the cache"]
print(f"same tokens: {slow == fast}; {many / few:.0f} times fewer places, {ratio:.1f} times as fast")

# %% slideshow={"slide_type": "skip"}
assert slow == fast and (many, few) == (150 * (10 + 159) // 2, 159) and ratio > 1

# %% [markdown] slideshow={"slide_type": "notes"}
# The same tokens: 12,675 places against 159, eighty times fewer. The clock gains less, two to nine times in our runs: for such small pieces a computer is busier with calling functions than with multiplying. The ratio grows with the length: without a cache the work for $n$ tokens grows like $n^2$ and more; with it every token costs one place, and one look at all kept keys. The price is memory: two vectors for each token in each block. For large models and long texts that memory is what limits how many people can be answered at once.
#
# (160 places are more than the 32 of its training: no matter for the cache, but expect no sense.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 9 · A small BERT fills gaps
#
# GPT sees only what was before. To **understand** a text that is already there, both sides help. But then "predict the next token" is no task: it can be seen. BERT's idea: hide some tokens, and guess them from all others.

# %% [markdown] slideshow={"slide_type": "notes"}
# 15% of the tokens are chosen, each by its own draw. Of these, 80% become a **mask** token, 10% a random token, and 10% stay; all must be guessed. Why so? In use there is no mask token. If every chosen token were masked, the model would only ever have to answer at masks, and could neglect all other places. With random and unchanged tokens among the chosen, any place may be asked, and what stands there may be wrong.

# %% [markdown] slideshow={"slide_type": "notes"}
# The loss counts chosen tokens only: elsewhere the target is −100, which torch's cross-entropy leaves out.
#
# Letter by letter, with two draws for each: is it chosen, and what becomes of it? (Here we choose 40%, to see more.)
#
# **Exercise [15.mask_tokens](exercises/15_transformer.ipynb)** ●●● Without a loop, for a whole batch of tokens at once, with −100 where nothing is asked. Below, it comes from `utils.built`, and we count what it does with 100,000 tokens.

# %% slideshow={"slide_type": "fragment", "show": "output"}
chance = random.Random(24)
shown, asked = "", ""
for letter in "transformersfillgaps":
    chosen, fate = chance.random() < 0.4, chance.random()
    stays = not chosen or fate >= 0.9
    shown += letter if stays else "_" if fate < 0.8 else chance.choice("abcdefghijklmnopqrstuvwxyz")
    asked += letter if chosen else "·"
print("shown:", shown, "\nasked:", asked)

inputs, targets = mask_tokens(torch.full((200, 500), 7), 27, 26, torch.Generator().manual_seed(0))
chosen = inputs[targets == 7]
shares = [(chosen == k).float().mean().item() for k in (27, 7)]
print(f"chosen {len(chosen) / inputs.numel():.1%}; of these masked {shares[0]:.1%}, as they were {shares[1]:.1%}")
assert abs(len(chosen) / inputs.numel() - 0.15) < 0.01
assert abs(shares[0] - 0.8) < 0.01 and abs(shares[1] - (0.1 + 0.1 / 26)) < 0.01

# %% [markdown] slideshow={"slide_type": "notes"}
# Our BERT reads words letter by letter, the training words of section 5 (not the test words). It learns what English spelling is like, and nobody had to label anything: the words themselves are the targets. That is **pretraining**. We hide 30% of the letters rather than 15%: these texts are short, and more hidden letters mean more to learn from in each step. About 5 seconds.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
MASK = 27


def gap_loss(model, generator):
    words = X_train[torch.randint(len(X_train), (96,), generator=generator)]
    inputs, targets = mask_tokens(words, MASK, 26, generator, share=0.3)
    real = words != PAD_LETTER  # padding is neither hidden nor guessed
    inputs, targets = torch.where(real, inputs, PAD_LETTER), torch.where(real, targets, -100)
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


torch.manual_seed(0)
reader = BERT(28, d_model=64, h=4, d_ff=128, layers=2, pad=PAD_LETTER)
print(f"{count_parameters(reader):,} parameters, ln 28 = {math.log(28):.2f}")
reader_losses = train(reader, gap_loss, lr=0.005, steps=400)

# %% slideshow={"slide_type": "skip"}
assert abs(reader_losses[0] - math.log(28)) < 0.1 and sum(reader_losses[-20:]) / 20 < 2.6

# %% [markdown] slideshow={"slide_type": "notes"}
# Let it fill gaps in test words. Beside it stands what one could do without reading: always say the most frequent letter, or the five most frequent ones.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
hidden, ends = X_test.clone(), (X_test != PAD_LETTER).sum(dim=1)
rows, middle = torch.arange(len(X_test)), ends // 2
hidden[rows, middle] = MASK
with torch.no_grad():
    guesses = reader(hidden)[rows, middle, :26]  # (B, 26)
answer = X_test[rows, middle]
hit = (guesses.argmax(dim=1) == answer).float().mean().item()
among = (guesses.topk(5).indices == answer[:, None]).any(dim=1).float().mean().item()
often = answer.bincount().topk(5).values / len(answer)
print(f"middle letter right {hit:.0%}, among its first five {among:.0%}")
print(f"always the most frequent letter: {often[0]:.0%}, the five most frequent: {often.sum():.0%}")
for k in range(6):
    best = " ".join(chr(97 + j) for j in guesses[k].topk(5).indices.tolist())
    word = test_words[k]
    print(f"{word[: middle[k]]}_{word[middle[k] + 1 :]}".ljust(10), "guesses:", best)

# %% slideshow={"slide_type": "skip"}
assert hit > 1.6 * often[0] and among > often.sum() + 0.1

# %% [markdown] slideshow={"slide_type": "fragment"}
# In our run about twice as often right as always saying the most frequent letter. Its first five hold the right one in about 63%, the five most frequent letters in 42%. It offers vowels for *ph_ne* and mostly consonants elsewhere; and it knows nothing about meaning.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 10 · Few labels
#
# What is that good for? **Fine-tuning**: take the pretrained tower, put a new head on it for another task, and go on training, all weights, with the few labels there are.
#
# The task: *is this a word, or the letters of a word in random order?* Counting letters does not help; one must know which letters go together. `mistake` or `mkaeits`? The test words are words that pretraining has not seen.
#
# The head takes the mean of the features over all letters: one vector for each word, then a linear layer.

# %% slideshow={"slide_type": "skip"}
class Classifier(nn.Module):
    """A tower, the mean over all real places, a linear layer."""

    def __init__(self, bert, classes):
        super().__init__()
        self.bert, self.head = bert, nn.Linear(64, classes)

    def forward(self, tokens):
        real = (tokens != self.bert.pad)[..., None]  # (B, T, 1)
        mean = (self.bert.features(tokens) * real).sum(dim=1) / real.sum(dim=1)  # (B, 64)
        return self.head(mean)

# %% slideshow={"slide_type": "fragment", "show": "output"}
def scramble(word, chance):
    order = list(word)
    while "".join(order) == word and len(set(word)) > 1:
        chance.shuffle(order)
    return "".join(order)


def words_or_not(words, seed):
    """Letters of the words, every second of them scrambled, and 1 where it was."""
    chance = random.Random(seed)
    labels = torch.arange(len(words)) % 2
    return letters([scramble(w, chance) if s else w for w, s in zip(words, labels.tolist(), strict=True)]), labels


X_word, y_word = words_or_not([w for w in train_words if len(w) >= 5][:5000], seed=0)
X_word_test, y_word_test = words_or_not([w for w in test_words if len(w) >= 5], seed=1)
for k in range(4):
    print("".join(chr(97 + c) for c in X_word[k].tolist() if c < 26), ["word", "scrambled"][y_word[k]])

# %% [markdown] slideshow={"slide_type": "notes"}
# Two starts: from the pretrained BERT, and **from scratch**, the same network with new weights. Each with 50, 200 and 800 labels, three seeds, 40 steps. Each has a learning rate that was among the best of those we tried for it: 0.001 pretrained, 0.003 from scratch. About 5 seconds.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("15.labels")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def fine_tune(start, X, y, X_test, y_test, n, seed, classes=2, steps=40):
    """Test accuracy after training with n labels."""
    torch.manual_seed(seed)
    pretrained = start == "pretrained"
    bert = BERT(28, 64, 4, 128, 2, pad=PAD_LETTER)
    if pretrained:
        bert.load_state_dict(reader.state_dict())
    model, few = Classifier(bert, classes), torch.randperm(len(X))[:n]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001 if pretrained else 0.003)
    for _ in range(steps):
        batch = few[torch.randint(n, (32,))]
        optimizer.zero_grad()
        F.cross_entropy(model(X[batch]), y[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        return (model(X_test).argmax(dim=1) == y_test).float().mean().item()


accuracy, task = {}, (X_word, y_word, X_word_test, y_word_test)
for n in (50, 200, 800):
    for start in ("pretrained", "from scratch"):
        accuracy[start, n] = [fine_tune(start, *task, n, seed) for seed in range(3)]
        print(f"{n:3} labels, {start:12} " + "  ".join(f"{a:.0%}" for a in accuracy[start, n]))

# %% slideshow={"slide_type": "subslide", "show": "output"}
sizes, mean = (50, 200, 800), {}
ax = plt.subplots(figsize=(8, 4.4))[1]
for k, start in enumerate(("pretrained", "from scratch")):
    table = 100 * torch.tensor([accuracy[start, n] for n in sizes])  # (3 sizes, 3 seeds)
    mean[start] = table.mean(dim=1)
    ax.plot(sizes, mean[start], "os"[k] + "-", color=f"C{k}", label=start)
    ax.plot(sizes, table, "os"[k], color=f"C{k}", alpha=0.35)
ax.axhline(50, color=plotting.COLORS["neutral"], linestyle=":")
ax.set(xscale="log", xlabel="labels", ylabel="test accuracy, %", ylim=(45, 85))
ax.set(title="Word or scrambled letters? Pretraining already knows")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
plotting.label_lines(ax)
gain = mean["pretrained"] - mean["from scratch"]
assert gain[0] > 2 and gain[1:].min() > 8 and mean["pretrained"][1:].min() > 61 and mean["from scratch"].max() < 60

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Test accuracy against the number of labels, three seeds and their mean. From scratch it stays within a few points of the dotted line of guessing, 50%. Pretrained, it is right in about 60% with 50 labels, in about two of three with 200 and in 70% with 800. (With 300 steps, scratch came to 57% with 200 labels and 63% with 800, pretrained to 66% and 76%: still behind.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Is that so for every task? Another one on the same words: how many **syllables** has it: one, two, three, or four and more? The labels come from the dictionary's vowels.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def syllables(words):
    vowels = set("AEIOU")
    counts = [sum(p[0] in vowels for p in said[w]) for w in words]
    return torch.tensor(counts).clamp(1, 4) - 1


some = train_words[:5000]
given = letters(some), syllables(some), X_test, syllables(test_words)
by_start = {}
for start in ("pretrained", "from scratch"):
    by_start[start] = [fine_tune(start, *given, n=200, seed=seed, classes=4) for seed in range(3)]
    print(f"syllables, 200 labels, {start:12} " + "  ".join(f"{a:.0%}" for a in by_start[start]))
print(f"always the most frequent: {given[3].bincount().max() / len(given[3]):.0%}")

# %% slideshow={"slide_type": "skip"}
syllable_gain = 100 * (sum(by_start["pretrained"]) - sum(by_start["from scratch"])) / 3
assert abs(syllable_gain) < 6 and syllable_gain < gain[1] / 2

# %% [markdown] slideshow={"slide_type": "fragment"}
# After 40 steps neither start has learned much: both come to about 63%, hardly more than always saying "two" (59%). With 300 steps, measured once: 66% pretrained against 64% (200 labels, eight seeds), 78% against 75% (800 labels, three seeds). A little help, far less than above: counting vowels is a task that gap filling hardly asked for.
#
# A misconception to lose: *"pretraining always helps much"*. It helps most where the new task needs what the old one has taught. Large models are trained on so much that this is often the case; ours was trained for seconds on one kind of thing. Always run the baseline from scratch.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 1}
# ## 11 · With more time
#
# Everything here was trained for seconds. What would minutes give? Set `LONGER = True` and run the cell: both speakers of section 5 once more, for ten times as long: 2,200 steps of the Transformer, and the same time for the GRU.

# %% slideshow={"slide_type": "skip"}
LONGER = False
if LONGER:
    torch.manual_seed(0)
    speaker, gru_speaker = EncoderDecoder(27, 42, 64, 4, 128, 1, pad=PAD_LETTER), GRUSpeaker()
    race(speaker, gru_speaker, steps=2200)
    for name, model in (("Transformer", speaker), ("GRU", gru_speaker)):
        per_phoneme, per_word = errors(model)
        print(f"{name:11} phoneme error rate {per_phoneme:.1%}, word error rate {per_word:.1%}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# We ran it once: about 45 seconds for each. The Transformer's phoneme error rate fell from 20% to 11%, its word error rate from 62% to 39%. The GRU's fell from 28% to 17%, and from 73% to 51%. Both gain much, and the order stays. Two words of five wrong is still no good dictionary; larger models that train for hours come to about one word in four or five, partly since many names can be said in two ways.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## What to remember
#
# - The block: attention between places, feed-forward at each place, each with a norm before it and a shortcut round it. No mask: encoder. Causal mask: decoder. A second attention to a context: both.
# - The encoder–decoder writes one token at a time and looks up what it needs. With equal parameters and equal time it made fewer phoneme errors than a GRU with one vector between its halves. Cross attention shows where each sound comes from.
# - A GPT's loss starts at the logarithm of its vocabulary's size. Greedy writing goes round in circles; draw with temperature, and cut the tail by top-k or top-p. A cache of keys and values gives the same tokens faster, since the past never looks at the future. At equal size and short training an LSTM can still be better: we saw it on the novel.
# - BERT hides tokens and guesses them from both sides: labels for free. Fine-tuning pays where the task asks what the gaps have taught (word or not), and may give little elsewhere (syllables).
# - A block with $d_\text{ff} = 4d$ has $12d^2 + 13d$ parameters, whatever the length of the text; twice the width is four times as many, twice the blocks twice as many. Time and memory of attention grow with the square of the length.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. What must you change in a BERT to make a GPT of it?</summary>
#
# The mask: causal instead of none. And the task: the next token at each place, with inputs moved by one, instead of hidden tokens. The block stays.
# </details>
#
# <details><summary>2. Your decoder's training loss is 0.01 after fifty steps, and it writes nonsense. What happened?</summary>
#
# It saw the answer. Either the targets were not shifted or the causal mask was missing. In writing there is no answer to copy.
# </details>
#
# <details><summary>3. How many parameters has a block with d = 128 and d_ff = 512, and which part has most?</summary>
#
# 12 · 128² + 13 · 128 = 198,272. Feed-forward has 8 · 128² + 5 · 128 = 131,712 of them: two thirds.
# </details>
#
# <details><summary>4. Why can GPT keep its keys and values while it writes, and BERT could not?</summary>
#
# With the causal mask, an early place never sees a later one, so its features stay as they are. Without it every new token changes all places in the second block, and with them their keys and values.
# </details>
#
# <details><summary>5. Top-k with k = 10 against top-p with p = 0.9: which is more careful after "and then th"?</summary>
#
# Top-p: where the model is sure, a few characters reach 0.9 and the rest is cut. Top-k leaves ten, most of which are wrong.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/15_transformer.ipynb](exercises/15_transformer.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 15.feed_forward | the network at each place | ● |
# | 15.encoder_block | attention, feed-forward, norms, shortcuts | ●●● |
# | 15.shift_targets | what the decoder sees | ● |
# | 15.mask_tokens | hide 15%, in three ways | ●●● |
# | 15.top_k | forbid all but the k best | ●● |
# | 15.greedy_decode | write until the end | ●● |
# | 15.noam_warmup | up, then down | ● |
# | 15.count_transformer_parameters | a whole model | ●● |
# | 15.error_rate | least changes over length | ●●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# So far every network had a right answer to be compared with. [Lesson 16](16_gan.ipynb) has none: two networks train each other, one makes pictures, the other judges them.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - A. Vaswani and others (2017). *Attention is all you need.* Section 5 follows it on a small scale.
# - R. Xiong and others (2020). *On layer normalization in the Transformer architecture.* Section 2's experiment.
# - A. Radford, K. Narasimhan, T. Salimans, I. Sutskever (2018). *Improving language understanding by generative pre-training.* GPT. (GPT-2: A. Radford and others, 2019, *Language models are unsupervised multitask learners.* GPT-3: T. Brown and others, 2020, *Language models are few-shot learners.*)
# - J. Devlin, M.-W. Chang, K. Lee, K. Toutanova (2019). *BERT: pre-training of deep bidirectional Transformers for language understanding.*
# - A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi (2020). *The curious case of neural text degeneration.* Nucleus sampling.
# - J. Kaplan and others (2020). *Scaling laws for neural language models.* What more parameters, data and time give.
