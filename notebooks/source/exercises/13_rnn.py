# %% [markdown]
# # 13 · Exercises: Networks with a memory
#
# They go with [lesson 13](../13_rnn.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch
from torch import nn

from utils.checks import check, hint, progress

# %% exercise="13.rnn_step"
# === statement
# ### 13.rnn_step ● One step of memory
#
# Write `rnn_step(x, h, W_x, W_h, b)`: one step of a plain recurrent cell. The new state is the tanh of three things added up: the
# input through its weights, the old state through its weights, and the bias.
#
# - `x`: input at this step, shape (B, d_in)
# - `h`: state before it, shape (B, n)
# - `W_x`: shape (n, d_in), `W_h`: shape (n, n): weights as (out, in), as `nn.Linear` keeps them
# - `b`: bias, shape (n,)
# - returns: the state after it, shape (B, n)
#
# For example, one sequence with x = (1) and state (0, 1), with W_x = ((1), (−1)), W_h = ((0, 0.5), (1, 0)) and b = (0, 0.5). Unit 0
# adds 1 + 0.5 + 0 = 1.5, unit 1 adds −1 + 0 + 0.5 = −0.5. So the new state is (tanh 1.5, tanh −0.5) = (0.905, −0.462).
# === code
def rnn_step(x, h, W_x, W_h, b):
    """The state after one step: x (B, d_in), h (B, n) -> (B, n)."""
    # === solution
    return torch.tanh(x @ W_x.T + h @ W_h.T + b)
    # === stub
    raise NotImplementedError("write rnn_step, then run this cell and the check below")
    # === end
# === explanation
# Two layers that share one bias and one tanh. The same comes out if x and h are put side by side, (B, d_in + n), and W_x and W_h
# too, (n, d_in + n): a recurrent cell is a layer that gets its own last output as further inputs.

# %% exercise="13.rnn_forward"
# === statement
# ### 13.rnn_forward ●● A whole sequence
#
# Write `rnn_forward(X, h, W_x, W_h, b)`: a plain recurrent cell over a whole sequence, one step after the other. Each step is that
# of 13.rnn_step, and begins from the state the step before has left.
#
# - `X`: inputs, shape (B, T, d_in), with T of at least 1
# - `h`: state at the start, shape (B, n)
# - `W_x`: shape (n, d_in), `W_h`: shape (n, n), `b`: shape (n,)
# - returns: two things, the states after every step, shape (B, T, n), and the last of them, shape (B, n)
#
# For example, one sequence of two steps, X = (((1), (0))), one unit that starts at 0, with W_x = ((1)), W_h = ((0.5)) and b = (0).
# Step 1 gives tanh 1 = 0.762, step 2 gives tanh(0.5 · 0.762) = 0.363. So the states are (((0.762), (0.363))), the last is ((0.363)).
# === code
def rnn_forward(X, h, W_x, W_h, b):
    """A recurrent cell over X (B, T, d_in) from state h (B, n) -> states (B, T, n) and the last (B, n)."""
    # === solution
    states = []
    for t in range(X.shape[1]):
        h = torch.tanh(X[:, t] @ W_x.T + h @ W_h.T + b)
        states.append(h)
    return torch.stack(states, dim=1), h
    # === stub
    raise NotImplementedError("write rnn_forward, then run this cell and the check below")
    # === end
# === explanation
# `h` is overwritten in the loop, and that is the memory: step t reads what step t − 1 wrote. T states of shape (B, n) are stacked
# along a new axis 1, so that the result has the axes of X.
#
# The inputs' share, X @ W_x.T, could be worked out for all steps at once, before the loop. The states' share cannot: each needs the
# one before. That is why a recurrent network cannot be trained on all steps at the same time.

# %% exercise="13.lstm_step"
# === statement
# ### 13.lstm_step ●●● Three gates and a cell
#
# Write `lstm_step(x, h, c, W_x, W_h, b)`: one step of an LSTM cell. One layer on input and state gives 4n numbers for each
# sequence: n each for the **input gate** i, the **forget gate** f, the **candidate** g and the **output gate** o, in this order,
# which is torch's. The gates go through the sigmoid, the candidate through tanh.
#
# - `x`: shape (B, d_in), `h`: hidden state, shape (B, n), `c`: cell state, shape (B, n)
# - `W_x`: shape (4n, d_in), `W_h`: shape (4n, n), `b`: shape (4n,)
# - the new cell state is f · c + i · g; the new hidden state is o times the tanh of the **new** cell state (all number by number)
# - returns: the new h and the new c, in this order, both of shape (B, n)
#
# For example, one unit with x = 1, h = 0 and c = 2, W_x = ((0), (0), (1), (0)), W_h all 0 and b = (0, 2, 0, 0). Then i = 0.5,
# f = σ(2) = 0.881, g = tanh 1 = 0.762 and o = 0.5. So c becomes 0.881 · 2 + 0.5 · 0.762 = 2.142, and h is 0.5 · tanh 2.142 = 0.486.
# === code
def lstm_step(x, h, c, W_x, W_h, b):
    """One step of an LSTM cell, gates in the order i, f, g, o -> new h (B, n) and new c (B, n)."""
    # === solution
    z = x @ W_x.T + h @ W_h.T + b  # (B, 4n)
    i, f, g, o = z.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, c
    # === stub
    raise NotImplementedError("write lstm_step, then run this cell and the check below")
    # === end
# === explanation
# One product with 4n rows is four layers at once; `chunk` cuts them apart. Along c there is no weight and no bend: the old value is
# multiplied with f and something is added. If f stays near 1, value and gradient go through many steps. Only where c is shown as h
# does a tanh stand.

# %% exercise="13.gru_step"
# === statement
# ### 13.gru_step ●●● Two gates and no cell
#
# Write `gru_step(x, h, W_x, W_h, b_x, b_h)`: one step of a GRU cell in torch's form. Input and state go through a layer of their
# own, each with 3n outputs: n each for the **reset gate** r, the **update gate** z and the **candidate** n, in this order.
#
# - `x`: shape (B, d_in), `h`: shape (B, n); `W_x`: shape (3n, d_in), `W_h`: shape (3n, n), `b_x` and `b_h`: shape (3n,)
# - r and z: the sigmoid of the input's part plus the state's part, each with its bias
# - candidate: the tanh of the input's part plus r times the state's part (its bias included)
# - new state: (1 − z) · candidate + z · h. So z = 1 keeps the old state
# - returns: the new state, shape (B, n)
#
# For example, one unit with x = 1 and h = 0.6, W_x = ((0), (0), (1)), W_h = ((0), (0), (1)), b_x = (0, 0, 0) and b_h = (0, 1, 0.4).
# Then r = 0.5 and z = σ(1) = 0.731. The candidate is tanh(1 + 0.5 · (0.6 + 0.4)) = tanh 1.5 = 0.905, and the new state is
# 0.269 · 0.905 + 0.731 · 0.6 = 0.682.
# === code
def gru_step(x, h, W_x, W_h, b_x, b_h):
    """One step of a GRU cell, parts in the order r, z, candidate -> new h (B, n)."""
    # === solution
    r_x, z_x, n_x = (x @ W_x.T + b_x).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ W_h.T + b_h).chunk(3, dim=1)
    r = torch.sigmoid(r_x + r_h)
    z = torch.sigmoid(z_x + z_h)
    candidate = torch.tanh(n_x + r * n_h)
    return (1 - z) * candidate + z * h
    # === stub
    raise NotImplementedError("write gru_step, then run this cell and the check below")
    # === end
# === explanation
# Both layers must be kept apart until the reset gate has acted, since r multiplies the state's part alone. That is also why there
# are two biases: for r and z their sum would do, for the candidate it would not.
#
# Papers and libraries differ in two points: whether z or 1 − z keeps the old state, and whether r acts before or behind the weights
# of the state. Weights made for one form give wrong results in another.

# %% exercise="13.clip_grad_norm"
# === statement
# ### 13.clip_grad_norm ●● A leash for an exploding gradient
#
# Write `clip_grad_norm(parameters, most)`: if the gradients of all parameters together are longer than `most`, make all of them
# shorter by one factor, so that together they are `most` long. It stands between `backward` and `step`.
#
# - `parameters`: tensors of any shape, in a list or, as `model.parameters()` hands them out, in something that can be gone through
#   **only once**. The gradient of a parameter is its `grad`; where that is `None`, the parameter is left alone
# - `most`: the largest length that is left as it is, above 0
# - length: the root of the sum of all squares, over all entries of all gradients
# - returns: the length **before**, as a number (or a tensor without dimensions, shape ()). The gradients are changed where they
#   are, in `grad`; the parameters stay as they are
#
# For example, two parameters with gradients (3, 0) and (4): together they are √(9 + 0 + 16) = 5 long. With most = 1 they become
# (0.6, 0) and (0.8), and 5.0 is returned. With most = 10 they stay, and 5.0 is returned, too.
# === code
def clip_grad_norm(parameters, most):
    """Shorten all gradients together to the length `most` if they are longer; return the length before."""
    # === solution
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(float(g.square().sum()) for g in gradients) ** 0.5
    if norm > most:
        for g in gradients:
            g.mul_(most / norm)
    return norm
    # === stub
    raise NotImplementedError("write clip_grad_norm, then run this cell and the check below")
    # === end
# === explanation
# The list is made once, because a generator is empty after the first walk through it. `mul_` changes the tensor that `p.grad` is;
# `g = g * factor` would make a new one that nobody looks at. `p.grad = p.grad * factor` is right, too.
#
# All gradients get the same factor, so the direction of the step stays. The returned length is worth a look during training: it
# tells how often the leash was needed. `nn.utils.clip_grad_norm_` does the same.

# %% exercise="13.sample"
# === statement
# ### 13.sample ●● Drawing the next character
#
# Write `sample(logits, temperature, generator)`: draw one place by chance, where place k has the probability number k of the
# softmax of logits / temperature.
#
# - `logits`: scores, shape (k,), from very small to very large
# - `temperature`: a number above 0; for 0 or less, raise a `ValueError`
# - `generator`: a `torch.Generator`. All chance must come from it, so that the same generator gives the same draws
# - returns: a whole number (int) from 0 to k − 1
#
# For example, logits (0, 1.0986). With temperature 1 the exponentials are 1 and 3, so the probabilities are 0.25 and 0.75. With
# temperature 0.5 they are 1 and 9: 0.1 and 0.9. With temperature 2 they are 1 and 1.73: 0.37 and 0.63.
# === code
def sample(logits, temperature, generator):
    """Draw a place with the probabilities softmax(logits / temperature)."""
    # === solution
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    p = torch.softmax(logits / temperature, dim=0)
    return torch.multinomial(p, 1, generator=generator).item()
    # === stub
    raise NotImplementedError("write sample, then run this cell and the check below")
    # === end
# === explanation
# Dividing by a small temperature pulls the logits apart, and the largest nearly always wins; a large one brings them together, and
# all become alike. `torch.multinomial` draws a place with given weights. Another way: draw one number u between 0 and 1 and count
# how many cumulative sums of p lie below it.

# %% exercise="13.pad_sequences"
# === statement
# ### 13.pad_sequences ● One rectangle for all lengths
#
# Write `pad_sequences(sequences, value=0)`: sequences of unequal lengths as one tensor. Shorter ones are filled up **at the end**.
#
# - `sequences`: a list of B lists of whole numbers, B at least 1; a list may be empty
# - `value`: what the free places are filled with
# - returns: two tensors of int64, the padded sequences, shape (B, T), where T is the length of the longest, and the lengths,
#   shape (B,)
#
# For example, `pad_sequences([[3, 1], [5], []])` gives ((3, 1), (5, 0), (0, 0)) and (2, 1, 0). With value = −100 the first is
# ((3, 1), (5, −100), (−100, −100)).
# === code
def pad_sequences(sequences, value=0):
    """Lists of unequal lengths -> a tensor (B, T), filled up at the end, and the lengths (B,)."""
    # === solution
    lengths = torch.tensor([len(s) for s in sequences])
    T = int(lengths.max())
    rows = [list(s) + [value] * (T - len(s)) for s in sequences]
    return torch.tensor(rows, dtype=torch.int64), lengths
    # === stub
    raise NotImplementedError("write pad_sequences, then run this cell and the check below")
    # === end
# === explanation
# `[value] * 3` is a list of three; `[value] * 0` is empty. The lengths are handed back because nothing in the tensor tells a real 0
# from a filled-up one: with them the state after a sequence's own last step can be found, and filled-up places left out of the loss.
# `nn.utils.rnn.pad_sequence` fills up, too, but gives (T, B) unless it is told `batch_first=True`, and no lengths.

# %% exercise="13.next_char_pairs"
# === statement
# ### 13.next_char_pairs ●● What is read and what should come next
#
# Write `next_char_pairs(names, alphabet)`: what a character model reads, and what it should say at each step. A character's number
# is its place in the alphabet. The first character of the alphabet, number 0, is the **mark** that stands before and after each
# name.
#
# - `names`: a list of B words, B at least 1, written in the alphabet without the mark; a word may be empty
# - `alphabet`: a text in which every character stands once
# - returns: two tensors of int64, both of shape (B, T), where T is the length of the longest name plus 1
# - inputs: the mark, then the name; filled up at the end with 0
# - targets: the name, then the mark; filled up at the end with **−100**, which torch's cross-entropy leaves out
#
# For example, `next_char_pairs(["ab", "b"], ".ab")`: “ab” is read as 0, 1, 2 and should be followed by 1, 2, 0. So the inputs are
# ((0, 1, 2), (0, 2, 0)) and the targets ((1, 2, 0), (2, 0, −100)).
# === code
def next_char_pairs(names, alphabet):
    """Names as numbers: inputs (B, T), filled up with 0, and targets one step later, filled up with -100."""
    # === solution
    number = {character: k for k, character in enumerate(alphabet)}
    T = max(len(name) for name in names) + 1
    inputs = torch.zeros(len(names), T, dtype=torch.int64)
    targets = torch.full((len(names), T), -100)
    for row, name in enumerate(names):
        tokens = torch.tensor([number[character] for character in name], dtype=torch.int64)
        inputs[row, 1 : len(name) + 1] = tokens
        targets[row, : len(name)] = tokens
        targets[row, len(name)] = 0
    return inputs, targets
    # === stub
    raise NotImplementedError("write next_char_pairs, then run this cell and the check below")
    # === end
# === explanation
# Inputs and targets are the same text, moved by one: at step t the model has read up to t and is asked for what comes then. During
# training it reads the true characters, whatever it said itself: teacher forcing. The mark at the end is a target like any other;
# without it the model would never learn where a name stops.
#
# The free places differ for a reason. Inputs need a number that exists; in the targets −100 says that nothing is asked there. With 0
# the model would be paid for saying “end” again and again.

# %%
progress()
