# %% [markdown]
# # 06 · Exercises: The chain rule, run backwards
#
# They go with [lesson 06](../06_backprop.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once.

# %%
import itertools
import math

import torch

from utils.checks import check, hint, progress
from utils.data import make_points

# %% exercise="06.backward_order"
# === statement
# ### 06.backward_order ●●● Who has a turn, and when?
#
# On the way back a node passes on all that has arrived, so its turn comes after those of all nodes that use it. Write
# `backward_order(output)`, which finds such an order for any graph.
#
# - `output`: a node. Every node has `.parents`, a tuple of the nodes it was made from. A leaf's is empty; a node that was
#   used twice in one operation stands there twice. Nodes do not know who uses them, and have no number at birth.
# - returns: a list of nodes: the output first, every node that the output was made of **once**, and each after **all** nodes
#   that use it. Where several orders do this, any of them is right. (No numbers here: no shape, no dtype.)
# - The graph may be thousands of nodes deep, so a function that calls itself will not do; and it may have billions of paths,
#   so no arrow should be walked once for every path.
#
# For example, with `a = Node("a")`, `b = Node("b", (a,))`, `c = Node("c", (b, b))` and `L = Node("L", (b, c))`, the graph of the
# lesson's section 3, `backward_order(L)` is `[L, c, b, a]`. The class `Node` below is only for trying.
# === code
class Node:
    """Something to try your function on: a name, and the nodes it was made from."""

    def __init__(self, name, parents=()):
        self.name, self.parents = name, parents

    def __repr__(self):
        return self.name


def backward_order(output):
    """All nodes the output was made of, output first, each after all nodes that use it."""
    # === solution
    uses, to_visit = {output: 0}, [output]
    while to_visit:  # go to every node once, and count the arrows that leave it
        for parent in to_visit.pop().parents:
            if parent not in uses:
                uses[parent] = 0
                to_visit.append(parent)
            uses[parent] += 1
    order = [output]
    for node in order:  # the list grows while the loop walks along it
        for parent in node.parents:
            uses[parent] -= 1
            if uses[parent] == 0:
                order.append(parent)
    return order
    # === stub
    raise NotImplementedError("write backward_order, then run this cell and the check below")
    # === end
# === explanation
# The first loop counts how often each node is used. The second gives turns: the output first, since nobody uses it. Each turn
# takes one off the count of every parent, once for each arrow. A count that has come to 0 says: all who use this node have had
# their turn. Every arrow is walked twice, however many paths there are.
#
# Another way walks into the depth: a node is noted down when all its parents have been, and the list is turned round at the end.
# Written as a function that calls itself this is short, but Python stops at about a thousand calls within calls.

# %% exercise="06.value_ops"
# === statement
# ### 06.value_ops ●●● The operators of an engine
#
# The class `Value(data, parents=(), slopes=())` below is the lesson's engine with its heart taken out. Put it back:
#
# - `a + b`, `a * b`: `b` may also be a plain number, which becomes a `Value` without parents
# - `a ** n`: the exponent `n` is a plain number; also `a.tanh()` and `a.exp()`
# - each returns a new `Value` that knows its `data` (a float), its parents and the local slope by each parent, two tuples in the
#   same order
# - `hand_on()`: a node hands its `grad` to its parents, each times its slope. `backward`, which is given, calls it on every node
#   in the right order.
#
# For example, with `a = Value(2.0)` and `b = Value(3.0)`, after `L = a * b + a ** 2` and `L.backward()` it holds that `L.data` is 10,
# `a.grad` is 3 + 4 = 7 and `b.grad` is 2. Mind that `a` is used twice.
# === code
class Value:
    """A number that remembers which numbers it was made of, and how strongly it depends on each."""

    births = itertools.count()  # 0, 1, 2, …

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = float(data), 0.0
        self.parents, self.slopes = parents, slopes
        self.birth = next(Value.births)

    def __repr__(self):
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"

    def __add__(self, other):
        # === solution
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))
        # === stub
        raise NotImplementedError("write __add__")
        # === end

    def __mul__(self, other):
        # === solution
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
        # === stub
        raise NotImplementedError("write __mul__")
        # === end

    __radd__, __rmul__ = __add__, __mul__  # 2 + a is a + 2

    def __pow__(self, n):
        # === solution
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))
        # === stub
        raise NotImplementedError("write __pow__")
        # === end

    def tanh(self):
        # === solution
        value = math.tanh(self.data)
        return Value(value, (self,), (1 - value**2,))
        # === stub
        raise NotImplementedError("write tanh")
        # === end

    def exp(self):
        # === solution
        value = math.exp(self.data)
        return Value(value, (self,), (value,))
        # === stub
        raise NotImplementedError("write exp")
        # === end

    def hand_on(self):
        # === solution
        for parent, slope in zip(self.parents, self.slopes, strict=True):
            parent.grad += slope * self.grad
        # === stub
        raise NotImplementedError("write hand_on")
        # === end

    def backward(self):
        nodes, to_visit = {self}, [self]
        while to_visit:  # collect all nodes this one was made of
            new = set(to_visit.pop().parents) - nodes
            nodes |= new
            to_visit += new
        for node in nodes:
            if node.parents:  # only leaves keep what earlier calls have added
                node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=lambda node: node.birth, reverse=True):  # youngest first
            node.hand_on()
# === explanation
# Each operator knows nothing but itself: what came in, what comes out, how strongly the one feels the other. The chain rule
# stands in a single line, in `hand_on`: slope times what has arrived. And its `+=` is the other half of backpropagation, add where
# paths meet.
#
# For tanh and exp the slope is made from the value that has been computed anyway. That is why an engine keeps the numbers of the
# forward pass.

# %% exercise="06.linear_backward"
# === statement
# ### 06.linear_backward ●● Back through a layer
#
# A linear layer computed `z = X @ W.T + b`. From above you are handed `grad_z`, the gradient of the loss by `z`. Write
# `linear_backward(X, W, grad_z)`, which finds the other three.
#
# - `X`: what went in, shape (B, in); `W`: weights, shape (out, in); `grad_z`: shape (B, out), the shape of `z`
# - returns: a tuple `(grad_X, grad_W, grad_b)` of tensors of shapes (B, in), (out, in), (out,): each has the shape of what it
#   belongs to
#
# For example, with `X = torch.tensor([[1.0, 2.0], [3.0, -1.0]])`, `W = torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])` and
# `grad_z = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]])` it is `grad_X = [[2, 6], [1, 10]]`,
# `grad_W = [[1, 2], [3, -1], [11, 1]]` and `grad_b = [1, 1, 5]`. The 11: the third unit's first weight met the inputs 1 and 3,
# and 2·1 + 3·3 = 11.
# === code
def linear_backward(X, W, grad_z):
    """Gradients by X (B, in), W (out, in) and b (out,), for z = X @ W.T + b."""
    # === solution
    grad_X = grad_z @ W  # (B, out) @ (out, in)
    grad_W = grad_z.T @ X  # (out, B) @ (B, in)
    grad_b = grad_z.sum(dim=0)  # the bias was added to every input of the batch
    return grad_X, grad_W, grad_b
    # === stub
    raise NotImplementedError("write linear_backward, then run this cell and the check below")
    # === end
# === explanation
# Each is the chain rule, slope times gradient, added up where paths meet. An input reaches the loss through all units: the sum
# runs over `out`. A weight is used once for every input of the batch: the sum runs over `B`. The bias has slope 1.
#
# The axis that is summed over has to stand in the middle of the product. Together with the shape of the result this leaves one
# possible order. Only where sizes happen to be equal does a wrong one compute something as well.

# %% exercise="06.relu_backward"
# === statement
# ### 06.relu_backward ● The gate
#
# ReLU computed `a = relu(z)`. From above you are handed `grad_a`, the gradient of the loss by `a`. Write
# `relu_backward(z, grad_a)`, the gradient by `z`. Where `z` is exactly 0, take the slope to be 0, as torch does.
#
# - `z`: pre-activations, any shape, floating point
# - `grad_a`: of the same shape; it must not be changed
# - returns: a tensor of the same shape
#
# For example `relu_backward(torch.tensor([2.0, -1.0, 0.0, 0.5]), torch.tensor([-7.0, 4.0, 5.0, 3.0]))` is
# `tensor([-7., 0., 0., 3.])`.
# === code
def relu_backward(z, grad_a):
    """The gradient by z, of z's shape: what arrives, where z was positive, else 0."""
    # === solution
    return grad_a * (z > 0)
    # === stub
    raise NotImplementedError("write relu_backward, then run this cell and the check below")
    # === end
# === explanation
# ReLU's slope is 1 or 0, and slope times gradient lets the gradient through or stops it. Which of the two is decided by `z`, from the
# forward pass; the gradient itself may have any sign. `torch.where(z > 0, grad_a, 0.0)` says the same.

# %% exercise="06.softmax_cross_entropy_backward"
# === statement
# ### 06.softmax_cross_entropy_backward ●● Where the way back begins
#
# The loss is the mean cross-entropy of a batch, computed from logits. Write `softmax_cross_entropy_backward(logits, y)`, the
# gradient of this loss by the logits. Logits of ±1000 must not lead to NaN.
#
# - `logits`: scores, shape (B, classes), floating point
# - `y`: true classes, shape (B,), int64
# - returns: a tensor of the shape of `logits`
#
# For example, with `logits = torch.tensor([[0.0, 0.0], [0.0, 1.0986]])` the shares are (½, ½) and (¼, ¾), since 1.0986 is the
# logarithm of 3. With `y = torch.tensor([0, 1])` the result is `tensor([[-0.25, 0.25], [0.125, -0.125]])`.
# === code
def softmax_cross_entropy_backward(logits, y):
    """Gradient of the mean cross-entropy by the logits, shape (B, classes)."""
    # === solution
    gradient = torch.softmax(logits, dim=1)  # what the network gave
    gradient[torch.arange(len(y)), y] -= 1  # minus what it should have given
    return gradient / len(y)  # the loss is a mean over the batch
    # === stub
    raise NotImplementedError("write softmax_cross_entropy_backward, then run this cell and the check below")
    # === end
# === explanation
# What it gave, minus what it should have given, divided by B. Every row adds up to 0: what the true class is pulled up, the
# others are pushed down. `torch.softmax` subtracts the largest logit before it takes exponentials (lesson 02), so it stays finite.
#
# `gradient[torch.arange(len(y)), y]` picks one place in each row: row 0 with `y[0]`, row 1 with `y[1]`, … A one-hot table
# (lesson 03) that is subtracted does the same.

# %% exercise="06.train_two_layer_net"
# === statement
# ### 06.train_two_layer_net ●●● Training, all by hand
#
# Write `train_two_layer_net(X, y, hidden, steps, lr, generator)`: make a network with one hidden layer, train it, and return what
# it has learned. **Without** autograd: no `requires_grad`, no `backward()`; every gradient is written by you. (Functions of
# yours from the exercises above may be used.)
#
# - `X`: inputs, shape (B, in), float32; `y`: classes from 0 on, shape (B,), int64. There are `int(y.max()) + 1` classes.
# - The network is `logits = relu(X @ W1.T + b1) @ W2.T + b2`, the loss the mean cross-entropy.
# - Start with random weights from the `generator` (such as `torch.randn(…, generator=generator)` times √(2 / inputs of the layer))
#   and biases 0.
# - Then, `steps` times: forward, gradients of all four **at the same place**, update by −`lr` times the gradient. Each step uses
#   all points. With `steps` = 0 you return the start values.
# - returns: a tuple `(W1, b1, W2, b2)` of shapes (hidden, in), (hidden,), (classes, hidden), (classes,)
#
# For example, on 60 points in two rings, `X, y = make_points("circles", n=60)`, with 16 hidden units, 100 steps and `lr` 1.0, at
# least 95% of the points must be right. The check also looks at single steps.
# === code
def train_two_layer_net(X, y, hidden, steps, lr, generator):
    """(W1, b1, W2, b2) of a ReLU network with one hidden layer after full-batch gradient descent."""
    # === solution
    inputs, classes = X.shape[1], int(y.max()) + 1
    W1 = torch.randn(hidden, inputs, generator=generator) * math.sqrt(2 / inputs)
    W2 = torch.randn(classes, hidden, generator=generator) * math.sqrt(2 / hidden)
    b1, b2 = torch.zeros(hidden), torch.zeros(classes)
    for _ in range(steps):
        z1 = X @ W1.T + b1
        a1 = torch.relu(z1)
        grad_z2 = torch.softmax(a1 @ W2.T + b2, dim=1)
        grad_z2[torch.arange(len(y)), y] -= 1
        grad_z2 /= len(y)
        grad_z1 = (grad_z2 @ W2) * (z1 > 0)
        W1, b1 = W1 - lr * grad_z1.T @ X, b1 - lr * grad_z1.sum(dim=0)
        W2, b2 = W2 - lr * grad_z2.T @ a1, b2 - lr * grad_z2.sum(dim=0)
    return W1, b1, W2, b2
    # === stub
    raise NotImplementedError("write train_two_layer_net, then run this cell and the check below")
    # === end
# === explanation
# Forward, loss, backward, update: the loss itself is not even needed, only its gradient. The way back meets the three pieces
# in turn: softmax with cross-entropy, linear, ReLU, linear.
#
# Two traps. The gradient that goes back to the hidden layer is multiplied by `W2`, and it must be the `W2` of the forward pass:
# compute all gradients first, then update. And random start values are not decoration: from zeros, no hidden unit ever gets
# a gradient; from equal ones, all units stay equal.

# %% exercise="06.numerical_gradient"
# === statement
# ### 06.numerical_gradient ●● The slow and sure way
#
# Write `numerical_gradient(f, x, h=1e-05)`: the gradient of `f` at `x` by **central differences**, to check gradients with.
# (1e-05 is how Python writes 0.00001.) Use the `h` that is given, whatever it is.
#
# - `f`: a function that takes a tensor of the shape of `x` and returns one number, a float or a tensor without dimensions
# - `x`: a tensor of any shape, also without dimensions, float64. After the call it must be **exactly** what it was before.
# - returns: a tensor of the shape of `x`, float64: how strongly `f` feels each entry
#
# For example, with `f = lambda x: (x**3).sum()`, `numerical_gradient(f, torch.tensor([1.0, 2.0], dtype=torch.float64), 0.1)` is
# `tensor([3.01, 12.01])`: (1.331 − 0.729) / 0.2 and (9.261 − 6.859) / 0.2. A helper for any shape: `t.view(-1)` is a new tensor
# `t` seen as one long row. Who writes into the row writes into `t`.
# === code
def numerical_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences, one entry at a time; of x's shape."""
    # === solution
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    for i in range(x.numel()):
        shift = torch.zeros(x.shape, dtype=x.dtype)
        shift.view(-1)[i] = h
        gradient.view(-1)[i] = (f(x + shift) - f(x - shift)) / (2 * h)
    return gradient
    # === stub
    raise NotImplementedError("write numerical_gradient, then run this cell and the check below")
    # === end
# === explanation
# One entry is nudged, all others are left alone, up and down; the difference over the whole way 2h is the slope. `x + shift` is a
# new tensor, so x is never touched. Whoever nudges x itself must keep the old number and put it back: adding h, taking
# 2h away and adding h again is not exact.
#
# `torch.zeros(x.shape)` rather than `zeros_like(x)`: the latter takes over the strides of x, and a transposed tensor cannot be
# seen as one row.
#
# Two calls of `f` for every entry: that is why this is for checking and not for training.

# %%
progress()
