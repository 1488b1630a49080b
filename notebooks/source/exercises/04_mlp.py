# %% [markdown]
# # 04 · Exercises: Layers that bend space
#
# They go with [lesson 04](../04_mlp.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once.

# %%
import torch
from torch import nn

from utils.checks import check, hint, progress

# %% exercise="04.linear"
# === statement
# ### 04.linear ● A layer for a whole batch
#
# Write `linear(X, W, b)`: the pre-activations of a layer for all inputs of a batch at once, with one product of matrices.
#
# - `X`: inputs, shape (B, in), one per row
# - `W`: weights, shape (out, in), one row for each unit, as `nn.Linear` keeps them
# - `b`: biases, shape (out,)
# - returns: a tensor of shape (B, out)
#
# For example, with `X = torch.tensor([[1.0, 2.0], [0.0, -1.0]])`, `W = torch.tensor([[1.0, 0.0], [3.0, 1.0], [0.0, 2.0]])` and
# `b = torch.tensor([10.0, 20.0, 30.0])` it is `tensor([[11., 25., 34.], [10., 19., 28.]])`: the second number of the first row is
# 3·1 + 1·2 + 20.
# === code
def linear(X, W, b):
    """Pre-activations of a layer: X (B, in), W (out, in), b (out,) -> (B, out)."""
    # === solution
    return X @ W.T + b
    # === stub
    raise NotImplementedError("write linear, then run this cell and the check below")
    # === end
# === explanation
# In a product of matrices the inner axes meet and are summed over: (B, in) @ (in, out). So W has to be turned. The bias, a row
# (out,), broadcasts down the batch. `torch.nn.functional.linear` is this line.
#
# With `in` = `out` the product with W itself can be computed as well and gives nonsense: shapes catch many mistakes, but not
# those between equal sizes.

# %% exercise="04.forward"
# === statement
# ### 04.forward ●● Layer after layer
#
# Write `forward(X, layers)`: send a batch through all layers, with ReLU **between** them and nothing after the last. It must
# work for any number of layers, also for one.
#
# - `X`: inputs, shape (B, in)
# - `layers`: a list of pairs `(W, b)`, `W` of shape (out, in), `b` of shape (out,); each layer takes what the one before gives
# - returns: what the last layer gives, shape (B, out of the last layer)
#
# For example, with `layers = [(torch.tensor([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([0.0, 1.0])),
# (torch.tensor([[1.0, -3.0]]), torch.tensor([2.0]))]` and the input (1, 2): the first layer gives (−1, 3), ReLU makes (0, 3) of it,
# and the last layer 0 − 9 + 2 = −7. So `forward(torch.tensor([[1.0, 2.0]]), layers)` is `tensor([[-7.]])`.
# === code
def forward(X, layers):
    """X (B, in) through a list of layers (W, b), with ReLU between them and none after the last."""
    # === solution
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T + b)
    W, b = layers[-1]
    return X @ W.T + b
    # === stub
    raise NotImplementedError("write forward, then run this cell and the check below")
    # === end
# === explanation
# L layers have L − 1 places between them. The last layer gives logits, which must be free to be negative; what turns them into
# probabilities comes afterwards.
#
# `X = …` gives the name X a new value inside the function; the tensor that was handed in stays as it was.

# %% exercise="04.count_parameters"
# === statement
# ### 04.count_parameters ● How many numbers are learned?
#
# In the lesson the numbers of a module are counted. Write `count_parameters(sizes)`, which knows the answer from the sizes
# alone, before there is a network: all weights and biases of a multilayer perceptron.
#
# - `sizes`: how many numbers go in, the units of each hidden layer, how many come out; a list of at least two whole numbers
# - returns: a whole number. (You can also think of it by shapes: each W is (out, in), each b is (out,).)
#
# For example `count_parameters([3, 3, 2, 2])` is (3·3 + 3) + (3·2 + 2) + (2·2 + 2) = 26.
# === code
def count_parameters(sizes):
    """Number of weights and biases of a multilayer perceptron with these sizes."""
    # === solution
    return sum(m * n + n for m, n in zip(sizes[:-1], sizes[1:], strict=True))
    # === stub
    raise NotImplementedError("write count_parameters, then run this cell and the check below")
    # === end
# === explanation
# Between two neighbouring layers of m and n units run m·n weights, and each of the n units has one bias. The inputs have none:
# nothing is computed there. For [784, 128, 256, 10] the first layer alone has 100,480 of the 136,074 numbers.

# %% exercise="04.xor_network"
# === statement
# ### 04.xor_network ●● XOR with your own hands
#
# Set the weights of a network with two inputs, two hidden ReLU units and one output, so that the output is **above 0** for
# (0, 1) and (1, 0), and **below 0** for (0, 0) and (1, 1). No training: think. (The lesson sets up another pair of units; find a
# pair of your own, or rebuild that one from memory.)
#
# - returns: a tuple `(W1, b1, W2, b2)` of float tensors of shapes (2, 2), (2,), (1, 2), (1,). Each row of W1 has the weights of
#   one hidden unit. The network computes relu(W1 x + b1), then W2 of that, plus b2.
#
# For example, if `xor_network()` returned nothing but weights of 1 and biases of 0, the network would give 2·(x1 + x2), that is
# 0, 2, 2, 4 on the corners (0, 0), (0, 1), (1, 0), (1, 1): the last is wrong, and the first is not below 0. Try your network with
# paper and pencil first.
# === code
def xor_network():
    """(W1, b1, W2, b2) of a 2-2-1 ReLU network whose output is above 0 just where XOR is 1."""
    # === solution
    W1 = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    b1 = torch.tensor([0.0, -1.0])
    W2 = torch.tensor([[1.0, -2.0]])
    b2 = torch.tensor([-0.5])
    return W1, b1, W2, b2
    # === stub
    raise NotImplementedError("write xor_network, then run this cell and the check below")
    # === end
# === explanation
# Both hidden units look at the sum s = x1 + x2. The first is relu(s), the second relu(s − 1). Their mixture relu(s) − 2 relu(s − 1) is
# a roof: 0 at s = 0, 1 at s = 1, 0 at s = 2. The output's bias moves it down by a half.
#
# Another way: one unit is relu(x1 − x2), the other relu(x2 − x1), and their sum is |x1 − x2|, how much the inputs differ.

# %% exercise="04.relu_bump"
# === statement
# ### 04.relu_bump ●● A bump out of three corners
#
# Write `relu_bump(x, left, centre, right)`: a triangle that is 0 up to `left`, rises in a straight line to 1 at `centre`, falls to
# 0 at `right`, and stays 0. Build it as a sum of three ReLUs, as a hidden layer with three units would.
#
# - `x`: a tensor of any shape, floating point
# - `left`, `centre`, `right`: numbers, left < centre < right; the centre need not lie in the middle
# - returns: a tensor of the same shape
#
# For example, with left 0, centre 2 and right 4, `relu_bump(torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), 0.0, 2.0, 4.0)` is
# `tensor([0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0])`.
# === code
def relu_bump(x, left, centre, right):
    """A triangle of height 1 over [left, right] with its tip at centre, out of ReLUs."""
    # === solution
    up, down = 1 / (centre - left), 1 / (right - centre)  # both slopes, as positive numbers
    rising = up * torch.relu(x - left)
    turned = (up + down) * torch.relu(x - centre)
    return rising - turned + down * torch.relu(x - right)
    # === stub
    raise NotImplementedError("write relu_bump, then run this cell and the check below")
    # === end
# === explanation
# Every ReLU changes the slope at its corner, for good. The slopes are 0, up, −down, 0; so the changes are +up, −(up + down),
# +down. The corners are set by the biases, the changes are the weights of the output.
#
# With many such bumps side by side, each with the height of the curve at its centre, one can follow any continuous curve: this
# is the universal approximation of the lesson, made by hand.

# %% exercise="04.mlp"
# === statement
# ### 04.mlp ●●● A network as a module
#
# Write the class `MLP(sizes)`, an `nn.Module`: linear layers of the given sizes, with ReLU between them and nothing after the
# last. Its parameters must be found by `model.parameters()`, or an optimizer would train nothing.
#
# - `sizes`: how many numbers go in, the units of each hidden layer, how many come out; a list of at least two whole numbers
# - `forward(X)`: `X` of shape (B, sizes[0]) gives the logits, shape (B, sizes[-1])
# - each layer has weights of shape (out, in) and a bias, as `nn.Linear` has
#
# For example `MLP([2, 3, 1])` has parameters of shapes (3, 2), (3,), (1, 3) and (1,), 13 numbers together, and
# `MLP([2, 3, 1])(torch.zeros(5, 2))` has shape (5, 1). `for m, n in zip(sizes[:-1], sizes[1:])` goes through neighbouring sizes.
# The check puts its own weights into your network and looks at what comes out.
# === code
class MLP(nn.Module):
    """A multilayer perceptron: linear layers of the given sizes with ReLU between them."""

    def __init__(self, sizes):
        # === solution
        super().__init__()
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairs)
        # === stub
        raise NotImplementedError("make the layers here")
        # === end

    def forward(self, X):
        # === solution
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)
        # === stub
        raise NotImplementedError("send X through the layers, then run this cell and the check below")
        # === end
# === explanation
# `nn.Module` notices what is put on `self`: parameters and other modules. It does not look into Python lists; `nn.ModuleList` is
# a list that it does look into. `super().__init__()` must come first, since it makes the places where all this is kept.
#
# `nn.Sequential(nn.Linear(…), nn.ReLU(), …)` would do without a class. A class of your own pays as soon as the way through
# the network is no longer a plain chain.

# %%
progress()
