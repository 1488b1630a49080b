# %% [markdown]
# # 15 · Exercises: One block, three models
#
# They go with [lesson 15](../15_transformer.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from utils.built.attention import MultiHeadAttention
from utils.checks import check, hint, progress

# %% exercise="15.feed_forward"
# === statement
# ### 15.feed_forward ● Each place thinks for itself
#
# Write the class `FeedForward(d_model, d_ff)`, an `nn.Module` of two `nn.Linear` with biases: from d_model features to d_ff units,
# ReLU, and back to d_model. Nothing follows the second layer.
#
# - `forward(X)`: `X` of shape (..., d_model) gives the same shape. Each place goes through by itself, with the same weights
# - no shortcut and no norm: those belong to the block
#
# For example, `FeedForward(4, 16)` has four parameters, of the shapes (16, 4), (16,), (4, 16) and (4,): 148 numbers. It turns
# (2, 3, 4) into (2, 3, 4). The names of the layers are yours. The check puts its own weights in and looks at what comes out.
# === code
class FeedForward(nn.Module):
    """Two linear layers with ReLU between them: (..., d_model) -> (..., d_model)."""

    def __init__(self, d_model, d_ff):
        # === solution
        super().__init__()
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)
        # === stub
        raise NotImplementedError("make the layers here")
        # === end

    def forward(self, X):
        # === solution
        wide = torch.relu(self.up(X))  # (..., d_ff)
        return self.down(wide)
        # === stub
        raise NotImplementedError("send X through both, then run this cell and the check below")
        # === end
# === explanation
# `nn.Linear` works on the last axis and leaves all others alone, so batch and places need no loop. That is what "at each place by
# itself" means: attention has carried information from place to place, and this part works on what has arrived. It also holds most
# of a block's numbers: 8 · d_model² with d_ff = 4 · d_model, twice as many as the attention.

# %% exercise="15.encoder_block"
# === statement
# ### 15.encoder_block ●●● The block of an encoder
#
# Write the class `EncoderBlock(d_model, h, d_ff)`, an `nn.Module`, in the order of today (pre-norm). Two parts, one after the
# other, each with its own `nn.LayerNorm(d_model)` before it and a shortcut round both norm and part:
#
# - first `MultiHeadAttention(d_model, h)`, which lesson 14 built and the first cell imports. It is called as
#   `attention(X, mask=mask)`: queries, keys and values all come from what you give it
# - then the feed-forward part: `nn.Linear` from d_model to d_ff, ReLU, `nn.Linear` back to d_model
# - `forward(X, mask=None)`: `X` of shape (B, T, d_model) gives the same shape; the mask goes to the attention
#
# For example, `EncoderBlock(8, 2, 16)` has 16 parameters: four weights of shape (8, 8) in the attention, (16, 8) and (8, 16) in the
# feed-forward part, six biases, and a scale and a shift in each of two norms. If all weights behind the norms were 0, it would
# return X unchanged: the shortcuts carry it. The names are yours.
# === code
class EncoderBlock(nn.Module):
    """Attention and feed-forward, each with a norm before and a shortcut round it: (B, T, d_model) -> the same."""

    def __init__(self, d_model, h, d_ff):
        # === solution
        super().__init__()
        self.norm_a, self.norm_f = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.look = MultiHeadAttention(d_model, h)
        self.think = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        # === stub
        raise NotImplementedError("make the layers here")
        # === end

    def forward(self, X, mask=None):
        # === solution
        seen = X + self.look(self.norm_a(X), mask=mask)
        return seen + self.think(self.norm_f(seen))
        # === stub
        raise NotImplementedError("two parts, two norms, two shortcuts, then run this cell and the check below")
        # === end
# === explanation
# Nothing stands on the straight way from the input to the output: only sums. So the gradient reaches the first block as it left the
# last one, however many there are between. With the norm after each sum, as in 2017, every block would norm the straight way too,
# and a deep model needs a careful warm-up.
#
# The second part starts from `seen`, not from X: first look around, then work on what was seen.

# %% exercise="15.shift_targets"
# === statement
# ### 15.shift_targets ● What the decoder gets to see
#
# A decoder learns to predict each token from those before it, all places at once. Write `shift_targets(tokens, start)`: what it
# gets to see while the targets are `tokens`. At the first place that is the start token, at each other place the token before.
#
# - `tokens`: the targets, shape (B, T), whole numbers
# - `start`: the number of the start token
# - returns: shape (B, T), the dtype of `tokens`; `tokens` itself is not changed
#
# For example, with start 1 the targets ((7, 4, 9, 2), (5, 5, 2, 0)) are predicted from ((1, 7, 4, 9), (1, 5, 5, 2)).
# === code
def shift_targets(tokens, start):
    """The decoder's input: start, then all tokens but the last, (B, T) -> (B, T)."""
    # === solution
    seen = torch.full_like(tokens, start)
    seen[:, 1:] = tokens[:, :-1]
    return seen
    # === stub
    raise NotImplementedError("write shift_targets, then run this cell and the check below")
    # === end
# === explanation
# Together with the causal mask this makes T exercises of one sequence: place t sees the tokens before t and shall say token t. The
# mask alone is not enough: it lets each place look at itself, and there its own target would stand. A model trained so copies, its
# loss falls to 0, and it has learned nothing.

# %% exercise="15.mask_tokens"
# === statement
# ### 15.mask_tokens ●●● Hide some, remember which
#
# Write `mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15)`, the task on which BERT is trained. Each token is chosen
# with probability `share`, by itself. Of the chosen ones
#
# - 80% are hidden: `mask_id` stands in their place
# - 10% become a random token, any from 0 to vocabulary − 1 (it may be the same again)
# - 10% stay as they were. One draw decides between the three
#
# Arguments and result:
#
# - `tokens`: shape (B, T), int64; they are not changed
# - `generator`: a `torch.Generator`, from which all chance comes (`torch.rand(…, generator=generator)`)
# - returns: the inputs, shape (B, T), and the targets, shape (B, T): the token that stood there where one was chosen, −100 elsewhere
#
# For example, of ((5, 8, 6, 9),) the second and the last token may be chosen, the second hidden and the last kept. Then with
# mask_id 1 the inputs are ((5, 1, 6, 9),) and the targets ((−100, 8, −100, 9),).
# === code
def mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15):
    """Inputs with some tokens hidden, and targets that hold those tokens and -100 elsewhere, both (B, T)."""
    # === solution
    chosen = torch.rand(tokens.shape, generator=generator) < share
    fate = torch.rand(tokens.shape, generator=generator)
    anything = torch.randint(0, vocabulary, tokens.shape, generator=generator)
    inputs = tokens.clone()
    inputs[chosen & (fate < 0.8)] = mask_id
    swapped = chosen & (fate >= 0.9)
    inputs[swapped] = anything[swapped]
    return inputs, tokens.masked_fill(~chosen, -100)
    # === stub
    raise NotImplementedError("write mask_tokens, then run this cell and the check below")
    # === end
# === explanation
# `F.cross_entropy` leaves out targets of −100, so only the chosen places are learned from. Why not hide them all? After the
# training no mask token is ever seen. Since a chosen token may also look quite ordinary, right or wrong, the model has to keep an
# eye on every place, not only on the masks.
#
# One draw a place is enough as well: below 0.8 · share hidden, from there to 0.9 · share random, up to share kept.

# %% exercise="15.top_k"
# === statement
# ### 15.top_k ●● Only the k most probable
#
# Write `top_k(logits, k)`: the k largest logits of each row stay as they are, all others become −∞, so that their probability is 0.
#
# - `logits`: shape (..., V), floating point; no two in a row are equal
# - `k`: a whole number from 1; if it is V or more, nothing changes
# - returns: shape (..., V), the dtype of `logits`
#
# For example, with k = 2 the row (2, −1, 0.5, 3, 1) becomes (2, −∞, −∞, 3, −∞). Its softmax is (0.27, 0, 0, 0.73, 0).
# === code
def top_k(logits, k):
    """The k largest logits of each row, -inf elsewhere: (..., V) -> (..., V)."""
    # === solution
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]  # (..., 1): the smallest that stays
    return logits.masked_fill(logits < least, -torch.inf)
    # === stub
    raise NotImplementedError("write top_k, then run this cell and the check below")
    # === end
# === explanation
# `topk` sorts its values, so the last of them is the least that may stay; the slice `-1:` keeps the axis, and each row is compared
# with its own. The places are not touched, since a logit's place says which token it belongs to.
#
# If two logits are equal just at the border, this way keeps both. The way of `utils.built` puts exactly k values back at their places.

# %% exercise="15.greedy_decode"
# === statement
# ### 15.greedy_decode ●● Token after token
#
# Write `greedy_decode(next_logits, start, end, most)`: show the model what has been written, write the most probable next token,
# and so on, until that token is `end` or `most` tokens have been written.
#
# - `next_logits`: the model, a function. It takes a list of **all** tokens so far, beginning with `start`, and returns the logits of
#   the next one, shape (V,)
# - `start`, `end`: numbers of the two special tokens; `most`: how many tokens may be written, 0 or more
# - returns: a list of whole numbers, what was written, without the start at its beginning and the end at its end
#
# For example, start is 0 and end is 1. To [0] the model answers with the largest logit at place 4, to [0, 4] at place 7 and to
# [0, 4, 7] at place 1. Then the result is [4, 7]. With most = 1 it is [4].
# === code
def greedy_decode(next_logits, start, end, most):
    """The most probable token again and again -> list of tokens, without start and end."""
    # === solution
    written = []
    for _ in range(most):
        token = int(next_logits([start, *written]).argmax())
        if token == end:
            break
        written.append(token)
    return written
    # === stub
    raise NotImplementedError("write greedy_decode, then run this cell and the check below")
    # === end
# === explanation
# There are two reasons to stop, and both are needed: the end token, and a limit for models that never write it. `argmax` gives the
# place of the largest logit, and that is the token; no softmax is needed, since it does not change which one is largest.
#
# Each time the model reads everything again. The lesson's key–value cache saves what it worked out for the earlier tokens.

# %% exercise="15.noam_warmup"
# === statement
# ### 15.noam_warmup ● A rate that rises and falls
#
# Write `noam_warmup(step, d_model, warmup)`: the learning rate of the first Transformer, at a step that counts from 1. It is the
# smaller one of two curves, divided by √d_model: a straight line, step · warmup^(−1.5), and a falling curve, 1/√step.
#
# - `step`, `d_model`, `warmup`: whole numbers from 1
# - returns: a number (float). (No shape: one rate for the whole step.)
#
# For example, with d_model 64 and warmup 100, `noam_warmup(50, 64, 100)` is min(50/1000, 0.1414) / 8 = 0.00625. At step 100 both
# curves give 0.1, so the rate is 0.0125, its highest. At step 400 it is 0.05 / 8 = 0.00625 again.
# === code
def noam_warmup(step, d_model, warmup):
    """Learning rate at this step: a straight rise to the step `warmup`, then a fall with 1 / sqrt(step)."""
    # === solution
    rise, fall = step / warmup**1.5, 1 / math.sqrt(step)
    return min(rise, fall) / math.sqrt(d_model)
    # === stub
    raise NotImplementedError("write noam_warmup, then run this cell and the check below")
    # === end
# === explanation
# At step = warmup the straight line is warmup / warmup^1.5 = 1/√warmup: the curves meet there, whatever the warm-up. So the highest
# rate is 1/√(d_model · warmup). Four times the steps after the warm-up halve the rate.

# %% exercise="15.count_transformer_parameters"
# === statement
# ### 15.count_transformer_parameters ●● Where the numbers are
#
# Write `count_transformer_parameters(vocabulary, d_model, d_ff, layers)`: how many numbers a GPT learns that is made of these
# parts. Every linear layer has biases; a layer norm has a scale and a shift for each feature. Sinusoidal positions learn nothing.
#
# - once: the embedding, a row of d_model numbers for each token; after the last block a layer norm; and a linear layer from d_model
#   to the logits, with weights of its own
# - in each of `layers` blocks: attention with four linear layers from d_model to d_model (queries, keys, values, and the one that
#   mixes the heads); a feed-forward part from d_model to d_ff and back; two layer norms
# - returns: a whole number (int). (The number of heads does not matter: they share the shape (d_model, d_model).)
#
# For example, a vocabulary of 10, d_model 4, d_ff 16 and one block: embedding 40, attention 4 · 20 = 80, feed-forward 80 + 68,
# norms 3 · 8 = 24, last layer 50. Together 342. With three blocks it is 830.
# === code
def count_transformer_parameters(vocabulary, d_model, d_ff, layers):
    """Number of parameters of a GPT with this vocabulary, width, feed-forward width and number of blocks."""
    # === solution
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model)
    norm = 2 * d_model
    block = attention + feed_forward + 2 * norm
    last = d_model * vocabulary + vocabulary
    return vocabulary * d_model + layers * block + norm + last
    # === stub
    raise NotImplementedError("write count_transformer_parameters, then run this cell and the check below")
    # === end
# === explanation
# For d_ff = 4 · d_model a block has about 12 · d_model² numbers: a third in the attention, two thirds in the feed-forward part.
# Twice the width makes four times the numbers, twice the blocks only twice. A vocabulary of 50,000 tokens makes embedding and last
# layer large as well, which is why many models use the same table for both.

# %% exercise="15.error_rate"
# === statement
# ### 15.error_rate ●●● How wrong is a pronunciation?
#
# Write `error_rate(predicted, wanted)`: the **edit distance** of two sequences, divided by the length of the wanted one. The edit
# distance is the smallest number of steps that turn one into the other. A step takes a token out, puts one in, or changes one into
# another; each costs 1.
#
# - `predicted`, `wanted`: sequences (lists of strings or numbers, or strings), of any lengths (no shapes). With 30 tokens each the
#   answer must still come at once: a function that calls itself three times for each token would be at it for years
# - returns: a number (float): 0 if all is right; more than 1 if far too much was predicted
# - raises `ValueError` if `wanted` is empty
#
# For example, AY D for N AY T: put in N, change D into T. Two steps for three wanted sounds, so `error_rate(["AY", "D"],
# ["N", "AY", "T"])` is 2/3. And K N AY T is only 1/3 off, though every sound stands one place too far.
# === code
def error_rate(predicted, wanted):
    """Edit distance of two sequences over the length of the wanted one."""
    # === solution
    if len(wanted) == 0:
        raise ValueError("the rate has no meaning where nothing is wanted")
    steps = list(range(len(wanted) + 1))  # from nothing at all to the first j wanted tokens
    for i, p in enumerate(predicted):
        new = [i + 1]
        for j, w in enumerate(wanted):
            new.append(min(steps[j + 1] + 1, new[j] + 1, steps[j] + (p != w)))
        steps = new
    return steps[-1] / len(wanted)
    # === stub
    raise NotImplementedError("write error_rate, then run this cell and the check below")
    # === end
# === explanation
# `steps[j]` says how many steps lead from what was read of the prediction to the first j wanted tokens. A new row follows from the
# one above: p is taken out (from above), a wanted token is put in (from the left), or p becomes w (from the corner, free if they
# are the same). Each number is the best over all ways, though only three neighbours are looked at.
#
# Comparing place by place would call K N AY T all wrong. `p != w` is True or False, and counts as 1 or 0.

# %%
progress()
