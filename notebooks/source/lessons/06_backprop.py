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
# # 06 · The chain rule, run backwards
#
# **The question:** How can one walk back through a network tell every one of its parameters which way to move?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - compute the gradient of a small graph by hand: multiply along a path, add where paths meet;
# - build an automatic differentiation engine in under 80 lines, and train a network on it;
# - write the backward pass of linear, ReLU and softmax layers with matrices;
# - check any gradient by finite differences, and choose their step well;
# - use torch's autograd without its traps, and say what a backward pass costs in time and memory.
#
# **Needs:** [lesson 05](05_losses.ipynb) · **Read:** 60 minutes · **Run:** 20 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import itertools
import math
import random
import time

import matplotlib.pyplot as plt
import torch

from utils import data, explore, plotting
from utils.built.layers import MLP, count_parameters, linear
from utils.built.losses import cross_entropy

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 1 · How much does the loss feel it?
#
# Up to now torch has found our gradients. `loss.backward()` was a black box, and in this lesson we open it. Take the smallest network there is: one neuron with one
# input, a tanh, and the squared error as its loss.
#
# $$z = w x + b \qquad a = \tanh(z) \qquad L = (a - y)^2$$
#
# With input $x = 2$, target $y = 0.2$, weight $w = 1$ and bias $b = -1.5$ it gives $z = 0.5$ and $a \approx 0.46$. That is too high. Should $w$ go up or down? **Try it:** turn the knob a little and see.

# %% slideshow={"slide_type": "fragment"}
def loss_of(w, b, x=2.0, y=0.2):
    return (math.tanh(w * x + b) - y) ** 2


before, after = loss_of(1.0, -1.5), loss_of(1.001, -1.5)
print(f"loss with w = 1.000: {before:.6f}")
print(f"loss with w = 1.001: {after:.6f}")
print(f"change of the loss / change of w: {(after - before) / 0.001:.3f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Raise $w$ by 0.001, and the loss rises by about 0.83 times as much. So $w$ should go down. The ratio, as the nudge becomes tiny, is the **derivative** $\partial L / \partial w$. Read it as a **sensitivity**: how strongly
# does $L$ feel $w$? Its sign says which way, its size how much. All sensitivities together are the **gradient**.
#
# So there is a way to learn without any calculus: nudge one parameter, run the network, put it back, nudge the next. For the digit network of lesson 00, what would **one** gradient cost?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def fastest(f, repeats=7):
    """The shortest of several runs, in seconds: the one which was disturbed least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


torch.manual_seed(0)
digits = MLP([784, 128, 256, 10])
pictures = torch.rand(256, 784)  # noise will do: we only measure time
with torch.no_grad():
    forward_time = fastest(lambda: digits(pictures))
nudges = count_parameters(digits) + 1
print(f"{nudges:,} forward passes of {forward_time * 1000:.2f} ms: {nudges * forward_time / 60:.1f} minutes")

# %% slideshow={"slide_type": "skip"}
assert nudges == 136_075 and nudges * forward_time > 10  # seconds, on any computer

# %% [markdown] slideshow={"slide_type": "notes"}
# Minutes, for a single step. With the hundred billion parameters of a large language model, and a second for each pass, it would be three thousand years. **Backpropagation** finds the same numbers in a single walk from the loss back to the input.
# How much does that walk cost?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("06.cost")

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 2 · One neuron, forwards and backwards
#
# Take the calculation apart until each piece is a single operation. This is the **forward pass**. We keep every number that comes up on the way: we shall need them.

# %% slideshow={"slide_type": "fragment"}
x, y, w, b = 2.0, 0.2, 1.0, -1.5
u = w * x
z = u + b
a = math.tanh(z)
e = a - y
L = e**2
print(f"u = {u:.4f}   z = {z:.4f}   a = {a:.4f}   e = {e:.4f}   L = {L:.4f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now each piece by itself. How much does its result feel its input? That is the **local slope**. It needs no knowledge of the rest of the network.
#
# | piece | local slope | here |
# |---|---|---|
# | $L = e^2$ | $2e$ | 0.5242 |
# | $e = a - y$ | 1 | 1 |
# | $a = \tanh z$ | $1 - a^2$ (lesson 02) | 0.7864 |
# | $z = u + b$ | 1 for $u$, 1 for $b$ | 1, 1 |
# | $u = w x$ | $x$ for $w$, $w$ for $x$ | 2, 1 |
#
# A product's slope is **the other factor**: with $x = 2$, raising $w$ by 0.001 raises $wx$ by 0.002.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The **chain rule** joins them. Suppose $L$ moved 3 times as much as $e$, and $e$ twice as much as $a$. Then $L$ would move $3 \cdot 2 = 6$ times as much as $a$. Sensitivities multiply.
#
# $$\frac{\partial L}{\partial a} = \frac{\partial L}{\partial e} \cdot \frac{\partial e}{\partial a}$$
#
# So start at the end. $L$ feels itself exactly 1 to 1. From there walk back, and at each piece multiply what has arrived, the **upstream gradient**, by the local slope. This is the **backward pass**. In code, `grad_a` stands for $\partial L / \partial a$.

# %% slideshow={"slide_type": "subslide"}
grad_L = 1.0
grad_e = grad_L * 2 * e
grad_a = grad_e * 1
grad_z = grad_a * (1 - a**2)
grad_u, grad_b = grad_z * 1, grad_z * 1
grad_w, grad_x = grad_u * x, grad_u * w
for name, gradient in dict(e=grad_e, a=grad_a, z=grad_z, b=grad_b, w=grad_w, x=grad_x).items():
    print(f"dL/d{name} = {gradient:.4f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# There is our slope for $w$, 0.8246. (The nudge gave 0.826: it was not quite tiny enough.) And the slopes for $b$ and $x$ came along for nothing: the walk from $L$ to $z$ was made only once. A picture of it:

# %% slideshow={"slide_type": "skip"}
def draw_graph(ax, nodes, edges):
    """nodes: name -> (x, y, value, gradient). edges: (from, to, local slope, how far the arrow bends)."""
    text, red = plotting.COLORS["text"], plotting.readable(plotting.COLORS["gradient"], "white")
    for name, (x, y, value, gradient) in nodes.items():
        ax.plot(x, y, "o", markersize=48, color=plotting.COLORS["grid"])
        ax.text(x, y, f"{name}\n{value}", ha="center", va="center", fontsize=13)
        ax.text(x, y - 0.38, gradient, ha="center", va="top", color=red, fontsize=13, fontweight="bold")
    for start, end, slope, bend in edges:
        (x0, y0), (x1, y1) = nodes[start][:2], nodes[end][:2]
        style = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={bend}", "shrinkA": 26, "shrinkB": 26, "color": text}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops=style)
        middle_x, middle_y = (x0 + x1) / 2 + bend * (y1 - y0) / 2, (y0 + y1) / 2 - bend * (x1 - x0) / 2
        ax.text(middle_x, middle_y + 0.06, slope, ha="center", va="bottom", color=plotting.COLORS["muted"], fontsize=13)
    ax.set_aspect("equal")
    ax.axis("off")

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(12, 3.9), layout="constrained")
nodes = {
    "w": (0, 1.6, f"{w:g}", f"{grad_w:.2f}"), "x": (0, 0, f"{x:g}", f"{grad_x:.2f}"),
    "u": (1.6, 0.8, f"{u:g}", f"{grad_u:.2f}"), "b": (1.6, 2.2, "−1.5", f"{grad_b:.2f}"),
    "z": (3.2, 1.3, f"{z:g}", f"{grad_z:.2f}"), "a": (4.8, 1.3, f"{a:.2f}", f"{grad_a:.2f}"),
    "e": (6.4, 1.3, f"{e:.2f}", f"{grad_e:.2f}"), "L": (8, 1.3, f"{L:.2f}", "1"),
}  # fmt: skip
edges = [("w", "u", "× 2", 0), ("x", "u", "× 1", 0), ("u", "z", "× 1", 0), ("b", "z", "× 1", 0)]
edges += [("z", "a", "× 0.79", 0), ("a", "e", "× 1", 0), ("e", "L", "× 0.52", 0)]
draw_graph(ax, nodes, edges)
ax.set(xlim=(-0.6, 8.6), ylim=(-0.75, 2.65), title="Values flow to the right, gradients (red) back to the left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A **computational graph**: circles (**nodes**) hold the numbers of the forward pass, arrows (**edges**) say which number was made from which, and carry the local slope. Below each circle, in red, the gradient: at $L$ it is 1, and each step to
# the left multiplies by the slope on the arrow. It ends with 0.82 at $w$ and 0.41 at $b$ and $x$.

# %% [markdown] slideshow={"slide_type": "subslide"}
# One misconception to lose at once: *"backpropagation is how a network learns"*. It moves nothing. It only computes the gradient, exactly, and that is all it does. **Learning** is the next line, the update against the
# gradient:

# %% slideshow={"slide_type": "fragment"}
for lr in (0.01, 0.1, 0.5):
    print(f"lr = {lr:3}: loss {L:.4f} -> {loss_of(w - lr * grad_w, b - lr * grad_b):.4f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# The gradient was the same three times. Small steps against it lower the loss, the last one is too long and makes it worse. A gradient is a local thing: true at this spot, for tiny steps. How far to go is another question, and lesson 07's.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 3 · Where paths meet, add
#
# Most numbers in a network are used more than once. A small case: from $a$ make $b$, use $b$ three times.
#
# $$b = 3a \qquad c = b \cdot b \qquad L = b + c$$
#
# With $a = 2$: $b = 6$, $c = 36$, $L = 42$.

# %% slideshow={"show": "output"}
explore.predict("06.twice")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Follow the ways from $b$ to $L$. One goes straight, with slope 1. Two go through $c$: once as the first factor of $b \cdot b$, once as the second, each with slope 6 (the other factor). All three feel a nudge of $b$, and their effects **add**:
#
# $$\frac{\partial L}{\partial b} = 1 + 6 + 6 = 13 \qquad \frac{\partial L}{\partial a} = 13 \cdot 3 = 39$$
#
# **Multiply along a path, add where paths meet.** That is the whole of backpropagation.

# %% slideshow={"slide_type": "fragment"}
a = 2.0
nudged = a + 0.0001
print("by nudging:", round(((3 * nudged + (3 * nudged) ** 2) - (3 * a + (3 * a) ** 2)) / 0.0001, 2))

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(12, 3.9), layout="constrained")
nodes = {"a": (0, 0, "2", "39"), "b": (2.4, 0, "6", "1 + 6 + 6 = 13"), "c": (5.2, 0, "36", "1"), "L": (7.6, 0, "42", "1")}
edges = [("a", "b", "× 3", 0), ("b", "c", "× 6", 0.15), ("b", "c", "× 6", -0.15)]
edges += [("c", "L", "× 1", 0), ("b", "L", "× 1", -0.45)]
draw_graph(ax, nodes, edges)
ax.set(xlim=(-0.6, 8.4), ylim=(-0.9, 1.7), title="Three arrows leave b, so three gradients come back, and add up");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** a leads to b. Two bent arrows lead from b to c, each with slope 6, and a wide one past c straight to L, with slope 1. The gradient below b is the sum of what comes back along all three, 13. Only then does it go on to a: 39.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### First gather, then pass on
#
# Two things about the order are worth a stop.
#
# **It saves work.** We could list every path from $a$ to $L$ and add their products: $3 \cdot 1 + 3 \cdot 6 + 3 \cdot 6 = 39$. Same answer. But chain twenty such pieces together and there are $3^{20}$ paths, over three billion. If $b$ first gathers its 13 and then passes on **once**, each arrow is walked once.
#
# **The order must be kept.** If $b$ passes something on before everything has arrived, the latecomers are lost to $a$, or what came early is counted twice. So a node's turn comes **after all the nodes that use it**.

# %% [markdown] slideshow={"slide_type": "notes"}
# How do you find such an order? **Count the uses.** Visit every node once, and write next to it how many arrows leave it. Then begin with the output. Whenever a node has had its turn, take one off each node it was made from, once per arrow. Whose count has come to 0 is next.
#
# | turn | takes one off | counts left: a, b, c |
# |---|---|---|
# | | | 1, 3, 1 |
# | L | b, c | 1, 2, **0** |
# | c | b, b | 1, **0**, – |
# | b | a | **0**, –, – |
# | a | | |
#
# Such an order is called **topological**. **Exercise [06.backward_order](exercises/06_backprop.ipynb)** ●●● Find it for any graph. (Our engine will use another trick.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Why backwards?
#
# The chain rule works in both directions. Going **forwards** from $a$, one finds how much *every* node feels $a$ (in our graph $b$: 3, $c$: $3 \cdot 12 = 36$, $L$: $3 + 36 = 39$); for the next parameter one has to start again. Going **backwards** from $L$, one finds how much $L$ feels *every* node, in one go.
#
# | | one walk gives | walks for 136,074 parameters and one loss |
# |---|---|---|
# | forwards (**forward mode**) | the slopes of everything by **one input** | 136,074 |
# | backwards (**reverse mode**) | the slopes of **one output** by everything | 1 |

# %% [markdown] slideshow={"slide_type": "notes"}
# Training has one loss and very many parameters. So we walk backwards. (With one input and many outputs, forwards would be the better way. The table of all slopes of all outputs by all inputs is the **Jacobian**; no walk writes it down.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 10}
# ## 4 · An engine in steps
#
# We now let the computer do what we did by hand. It is a surprisingly small program.
#
# **Step 1: remember.** A number must know which numbers it was made of, its **parents**, and the local slope by each. Two operations to begin with:

# %% slideshow={"slide_type": "fragment"}
class Node:
    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.parents, self.slopes = parents, slopes


def add(p, q):
    return Node(p.data + q.data, (p, q), (1.0, 1.0))


def multiply(p, q):
    return Node(p.data * q.data, (p, q), (q.data, p.data))  # the slope is the other factor

# %% slideshow={"slide_type": "subslide"}
a = Node(2.0)
b = multiply(a, Node(3.0))
c = multiply(b, b)
L = add(b, c)
print("L =", L.data, "  made of", [p.data for p in L.parents], "with slopes", L.slopes)
print("c =", c.data, "  made of", [p.data for p in c.parents], "with slopes", c.slopes)

# %% [markdown] slideshow={"slide_type": "fragment"}
# The graph draws itself while we calculate. A node without parents, like $a$, is called a **leaf**.
#
# **Step 2: walk back.** Each node hands its gradient to its parents, times the slope. Here is a first try. It takes the nodes in the order in which it meets them:

# %% slideshow={"slide_type": "subslide"}
def careless_backward(output):
    output.grad = 1.0
    queue = [output]
    while queue:
        node = queue.pop(0)
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.grad += slope * node.grad
            if parent not in queue:
                queue.append(parent)


careless_backward(L)
print(f"L by b: {b.grad}  (by hand 13)     L by a: {a.grad}  (by hand 39)")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Wrong. $b$ was met first as a parent of $L$ and passed its 1 on at once. Later $c$ sent the other 12, $b$ had a **second** turn and passed all 13 on, so the 1 was counted twice: $3 + 39 = 42$. This is the order problem of section 3.
#
# **Step 3: the right order.** Here is a simple trick: a number can only be made after the numbers it is made of. Parents are always **older** than their children. So number the nodes at birth, and go from the
# youngest to the oldest: everybody who uses a node is younger than it, and so has had its turn before.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Step 4: the rest.** Which operations do we need? Fewer than you think. `a - b` is `a + (-1) * b`, and `a / b` is `a * b**-1`, so neither needs a slope of its own. What does:
#
# | | value | slope |
# |---|---|---|
# | power with a fixed exponent | $a^n$ | $n\,a^{n-1}$ |
# | exponential | $e^a$ | $e^a$, the value itself |
# | logarithm | $\ln a$ | $1/a$ |
# | tanh | $t = \tanh a$ | $1 - t^2$ |
# | ReLU | $a$ if $a > 0$ else 0 | 1 if $a > 0$ else 0 |
#
# If the exponent is one of our numbers, too, $a^b = e^{b \ln a}$.

# %% [markdown] slideshow={"slide_type": "notes"}
# Python calls `a.__add__(b)` where it reads `a + b`, so with a method of this name our class understands the plus sign. For `2 + a` it calls `a.__radd__(2)`: *r* for right, the side on which our number stands. Plain numbers become leaves nobody asks about.
#
# Here is the whole engine.

# %% tags=["long"] slideshow={"slide_type": "subslide", "split": [28, 57]}
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
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other):
        if isinstance(other, Value):
            return (other * self.log()).exp()  # a^b = e^(b log a), for a > 0
        slope = other * math.pow(self.data, other - 1) if other else 0.0
        return Value(math.pow(self.data, other), (self,), (slope,))

    def exp(self):
        value = math.exp(self.data)
        return Value(value, (self,), (value,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self):
        value = math.tanh(self.data)
        return Value(value, (self,), (1 - value**2,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (1.0 if self.data > 0 else 0.0,))

    __radd__, __rmul__ = __add__, __mul__  # 2 + a is a + 2

    def __neg__(self):
        return self * -1
    def __sub__(self, other):
        return self + other * -1
    def __truediv__(self, other):
        return self * other**-1
    def __rsub__(self, other):
        return Value(other) - self
    def __rtruediv__(self, other):
        return Value(other) / self
    def __rpow__(self, other):
        return Value(other) ** self

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
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad

# %% [markdown] slideshow={"slide_type": "notes"}
# Under 80 lines, and most of them are one operation each. `backward` first collects every node below the output, then lets them have their turns, youngest first, each adding slope × gradient to its parents. (Before that it clears what an earlier call has left in the nodes between. Leaves keep theirs: section 6 clears them by hand.) It is a plain loop: no function
# calls itself. That matters, because Python stops at about a thousand calls within calls, and graphs get deeper than that.
#
# First test: the two graphs that we know.

# %% slideshow={"slide_type": "subslide"}
a = Value(2.0)
b = 3 * a
L = b + b * b
L.backward()
print("section 3:", a, b, L)

x, w, b = Value(2.0), Value(1.0), Value(-1.5)
L = ((w * x + b).tanh() - 0.2) ** 2
L.backward()
print("section 2:", L, "by w", round(w.grad, 4), "by b", round(b.grad, 4), "by x", round(x.grad, 4))

# %% [markdown] slideshow={"slide_type": "fragment"}
# 39 and 13; 0.8246 and 0.4123. All as by hand, and we wrote down nothing but the forward calculation.
#
# And a deep one. Ten thousand multiplications, one after the other, are a graph ten thousand nodes deep:

# %% slideshow={"slide_type": "fragment"}
x = Value(1.0)
output = x
for _ in range(10_000):
    output = output * 1.0001
output.backward()
print(f"slope after 10,000 products: {x.grad:.4f}   1.0001 to the 10,000: {1.0001**10_000:.4f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [06.value_ops](exercises/06_backprop.ipynb)** ●●● Write the operators yourself, without looking. Test it on a number which is used twice.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: step through a graph
#
# *What does each operation do to the gradient that comes back?* Type an expression and step through it: **forwards** until the output has its value, then **backwards**. *Nudge* compares gradient × nudge with what really happens.
#
# - **Try** walking to the end. Say each gradient aloud before you step.
# - **Try** to make the gradient of $b$ exactly 12.
# - **Notice** that `+` hands a gradient on unchanged, and `*` multiplies by the other factor. With a nudge of 1, when is the prediction exact?
# - **Challenge:** use $a$ at least twice, so that its gradient is exactly 0, although nothing that arrives there is 0.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.graph("(a*b + c)**2")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The expression as a graph, its variables at the left, the output at the right. Every node shows its value and, once the walk back has reached it, its gradient. Each edge shows local slope × gradient from the right, and the product that arrives at the left.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 5 · Against torch, on a thousand random graphs
#
# Two examples prove little. So we let chance write expressions: start with three numbers, and fifteen times take two of all the numbers made so far and combine them by a random operation. Numbers get used several times, or twice in the same operation. The same operations are done with
# our `Value` and with torch.

# %% slideshow={"slide_type": "skip"}
operations = [
    lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q.tanh(), lambda p, q: p / (q * q + 1),
    lambda p, q: p.tanh().exp(), lambda p, q: (p * p + 1).log(), lambda p, q: p.relu(), lambda p, q: p.tanh() ** 3,
    lambda p, q: (p * p + 1) ** q.tanh(), lambda p, q: 2 ** p.tanh(), lambda p, q: 1 - p, lambda p, q: -3 / (p * p + 2),
]  # fmt: skip


def random_gradients(chance):
    """Gradients of the same random expression, by our engine and by torch."""
    ours = [Value(chance.uniform(-2, 2)) for _ in range(3)]
    theirs = [torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in ours]
    for _ in range(15):
        operation = chance.choice(operations)
        i, j = chance.randrange(len(ours)), chance.randrange(len(ours))
        ours.append(operation(ours[i], ours[j]))
        theirs.append(operation(theirs[i], theirs[j]))
    sum(ours).backward()
    sum(theirs).backward()
    return [(p.grad, q.grad.item()) for p, q in zip(ours[:3], theirs[:3], strict=True)]

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
chance = random.Random(0)
pairs = [pair for _ in range(1000) for pair in random_gradients(chance)]
errors = [abs(p - q) / max(1, abs(q)) for p, q in pairs]
mismatches = sum(error > 1e-9 for error in errors)
print(f"{len(pairs)} gradients, from {min(q for _, q in pairs):.0f} to {max(q for _, q in pairs):.0f}")
print(f"mismatches: {mismatches}   largest difference, relative: {max(errors):.1e}")

# %% slideshow={"slide_type": "skip"}
assert mismatches == 0

# %% [markdown] slideshow={"slide_type": "notes"}
# A thousand graphs, three thousand gradients, and not one mismatch. What is left is rounding. torch's autograd does the very same walk; only its nodes hold whole tensors.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 6 · The engine learns
#
# An engine that differentiates can train. Forty points on two moons, a network of 2–8–8–2 units with ReLU between, cross-entropy on the two logits (lesson 05). Every weight is a `Value`. We draw the start values with torch, since two other methods will begin from the same ones in section 8.

# %% slideshow={"slide_type": "fragment", "show": "output"}
X, y = data.make_points("moons", n=40, noise=0.1, seed=4)
X = X.double()  # (40, 2), float64: we shall compare
torch.manual_seed(0)
sizes = [2, 8, 8, 2]
start = []
for n_in, n_out in itertools.pairwise(sizes):
    W = torch.randn(n_out, n_in, dtype=torch.float64) * math.sqrt(2 / n_in)  # the √2 of lesson 02
    start.append((W, torch.zeros(n_out, dtype=torch.float64)))

layers = [([[Value(w) for w in row] for row in W.tolist()], [Value(v) for v in b.tolist()]) for W, b in start]
parameters = [p for W, b in layers for p in itertools.chain(*W, b)]  # all of them in one list
print(len(parameters), "parameters, each a Value; the first:", parameters[0])

# %% slideshow={"slide_type": "skip"}
def logits_of(point):
    """The network for one point, one number at a time."""
    a = point
    for k, (W, b) in enumerate(layers):
        # sum(…, bias) begins to add at the bias instead of 0
        a = [sum((w * v for w, v in zip(row, a, strict=True)), bias) for row, bias in zip(W, b, strict=True)]
        if k < len(layers) - 1:
            a = [z.relu() for z in a]
    return a


def loss_of_all(points, classes):
    """Mean cross-entropy: log of the sum of exponentials, minus the true class's logit."""
    total = 0
    for point, k in zip(points, classes, strict=True):
        logits = logits_of(point)
        total = total + sum(z.exp() for z in logits).log() - logits[k]
    return total / len(points)

# %% [markdown] slideshow={"slide_type": "notes"}
# Now the loop. One **step** of training is always the same four things: **forward, loss, backward, update**. And before each backward pass the gradients go back to zero, since leaves add up what arrives. (It takes a few seconds: our engine makes over nine thousand small Python objects in each step.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment"}
points, classes = X.tolist(), y.tolist()
by_engine = []
for _ in range(60):
    loss = loss_of_all(points, classes)  # forward and loss
    for p in parameters:
        p.grad = 0.0
    loss.backward()  # backward
    for p in parameters:
        p.data -= 0.5 * p.grad  # update, lr = 0.5
    by_engine.append(loss.data)
print("loss:", [round(v, 3) for v in by_engine[::10]], "...", round(by_engine[-1], 3))

# %% slideshow={"slide_type": "fragment", "show": "output"}
right = [(logits_of(p)[1].data > logits_of(p)[0].data) == k for p, k in zip(points, classes, strict=True)]
print(f"right: {sum(right)} of {len(right)}")
assert by_engine[-1] < by_engine[0] / 4 and sum(right) >= 38

# %% [markdown] slideshow={"slide_type": "notes"}
# A network learns on seventy lines of Python, and we know every one of them. (In 64 other tries, with other points and other starts, it got 36 to 40 right after 60 steps, mostly 39 or 40.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · The same in matrices
#
# One number at a time is slow. Now the same rules for whole layers. There are only three pieces: linear, ReLU, and softmax with cross-entropy.
#
# ### Linear
#
# $Z = XW^\top + b$, where $X$ is (B, in), $W$ is (out, in) and $Z$ is (B, out). From above we are handed $G = \partial L/\partial Z$, of the shape of $Z$. (A gradient always has **the shape of what it belongs to**.) Example: two inputs, one unit.
#
# $$X = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \qquad W = \begin{pmatrix} 5 & 6 \end{pmatrix} \qquad G = \begin{pmatrix} 10 \\ 100 \end{pmatrix}$$

# %% [markdown] slideshow={"slide_type": "subslide"}
# The weight $w_1 = 5$ is used **twice**: it met the 1 of the first input, and the 3 of the second. Slope: the other factor. Paths meet: add. So its gradient is $10 \cdot 1 + 100 \cdot 3 = 310$, and for $w_2$ it is $10 \cdot 2 + 100 \cdot 4 = 420$.
#
# The bias is used once per input, with slope 1: $10 + 100 = 110$. The first input's first entry was multiplied by 5: $10 \cdot 5 = 50$.
#
# | | in words | formula | shape |
# |---|---|---|---|
# | $\partial L/\partial W$ | sum over the batch: gradient × input | $G^\top X$ | (out, in) |
# | $\partial L/\partial b$ | sum over the batch | column sums of $G$ | (out,) |
# | $\partial L/\partial X$ | sum over the units: gradient × weight | $G\,W$ | (B, in) |

# %% slideshow={"slide_type": "skip"}
X_small = torch.tensor([[1.0, 2.0], [3.0, 4.0]])  # (B=2, in=2)
W_small = torch.tensor([[5.0, 6.0]])  # (out=1, in=2)
G = torch.tensor([[10.0], [100.0]])  # (B=2, out=1): how much the loss feels the two pre-activations
print("by hand, for W: [310, 420]   in matrices:", (G.T @ X_small).tolist())
print("by hand, for b: [110]        in matrices:", G.sum(dim=0).tolist())
print("by hand, first input: 50     in matrices:", (G @ W_small).tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# You need not learn the order of the factors by heart. For each gradient **there is only one order in which the shapes fit** (unless two sizes happen to be equal: section 9). For $W$, (out, in) must come from $G$ (B, out) and $X$ (B, in): the B has to be summed away, so $G$ is transposed and stands on the left.
#
# And note the bias: it was broadcast over the batch, so its gradient is summed over the batch. It is the rule of lesson 03.
#
# **Exercise [06.linear_backward](exercises/06_backprop.ipynb)** ●● Do this one before you read section 8, where we need it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### ReLU
#
# ReLU has slope 1 where $z$ was positive, and 0 elsewhere. Its backward pass lets a gradient through or stops it, number by number. It has to ask $z$ of the forward pass, not the sign of the gradient:
#
# | | | | |
# |---|---|---|---|
# | $z$ | 2 | −1 | 0.5 |
# | gradient that arrives | −7 | 4 | 3 |
# | gradient passed on | −7 | 0 | 3 |
#
# **Exercise [06.relu_backward](exercises/06_backprop.ipynb)** ● The gate.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Softmax with cross-entropy
#
# Taken one by one, softmax and logarithm have ugly slopes. Together nearly everything cancels:
#
# $$\frac{\partial L}{\partial z_k} = p_k - t_k \qquad t_k = 1 \text{ for the true class, else } 0$$
#
# **What it gave, minus what it should have given.** By hand: logits (2, 1, 0) give the probabilities 0.67, 0.24, 0.09 (lesson 02). If class 1 is the true one: $(0.67,\; 0.24 - 1,\; 0.09) = (0.67,\; -0.76,\; 0.09)$. The update goes against it: the true logit is pulled up, the others are pushed down, each by the probability it has taken.
#
# It is lesson 01's $p - y$ again, now for many classes.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>Where does it come from?</summary>
#
# For one input, $L = \ln \sum_j e^{z_j} - z_y$ (lesson 05). The slope of the first part by $z_k$: the logarithm gives $1 / \sum_j e^{z_j}$, the sum passes it on, the exponential gives $e^{z_k}$. Together
#
# $$\frac{e^{z_k}}{\sum_j e^{z_j}} = p_k.$$
#
# The second part, $-z_y$, has slope −1 for $k = y$, and 0 for all others.
#
# The loss of a batch is a **mean**, $\frac{1}{B}(L_1 + \dots + L_B)$. So every input's gradient is divided by $B$.
# </details>
#
# Over a batch the loss is the mean, so all of it is divided by $B$. Let us ask torch about our three logits, twice in a batch of two:

# %% slideshow={"slide_type": "fragment"}
z = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]], requires_grad=True)
torch.nn.functional.cross_entropy(z, torch.tensor([1, 1])).backward()
print("by hand, divided by 2:", [round(v / 2, 4) for v in (0.6652, 0.2447 - 1, 0.0900)])
print("by torch             :", [round(v, 4) for v in z.grad[0].tolist()])

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [06.softmax_cross_entropy_backward](exercises/06_backprop.ipynb)** ●● The gradient of a whole batch. Try it before you read on.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 8 · One network, three ways
#
# The three pieces as functions. Each is a line or two:

# %% slideshow={"slide_type": "fragment"}
def linear_backward(X, W, grad_z):
    """Gradients by X (B, in), W (out, in) and b (out,), for z = X @ W.T + b."""
    return grad_z @ W, grad_z.T @ X, grad_z.sum(dim=0)


def relu_backward(z, grad_a):
    return grad_a * (z > 0)


def softmax_cross_entropy_backward(logits, y):
    """(softmax - one-hot) / B, shape (B, classes)."""
    gradient = torch.softmax(logits, dim=1)
    gradient[torch.arange(len(y)), y] -= 1
    return gradient / len(y)

# %% [markdown] slideshow={"slide_type": "notes"}
# A network of any depth is these three in turn. On the way forward we keep each layer's input and pre-activation; on the way back we take them from the end of the list.

# %% slideshow={"slide_type": "subslide"}
def gradients_by_hand(X, y, layers):
    """The loss, and one pair (for W, for b) per layer."""
    kept, a = [], X
    for W, b in layers:  # forward
        z = linear(a, W, b)
        kept.append((a, z))
        a = torch.relu(z)
    loss = cross_entropy(z, y)  # the last layer has no ReLU
    grad_z, gradients = softmax_cross_entropy_backward(z, y), []
    for k in reversed(range(len(layers))):  # backward
        a, _ = kept[k]
        grad_a, grad_W, grad_b = linear_backward(a, layers[k][0], grad_z)
        gradients.insert(0, (grad_W, grad_b))
        if k > 0:
            grad_z = relu_backward(kept[k - 1][1], grad_a)
    return loss, gradients

# %% [markdown] slideshow={"slide_type": "notes"}
# Now the moons once more, from the same start, for the same 60 steps. First with our matrix gradients; nothing here asks torch for a gradient:

# %% slideshow={"slide_type": "subslide"}
layers = [(W.clone(), b.clone()) for W, b in start]
by_matrices = []
for _ in range(60):
    loss, gradients = gradients_by_hand(X, y, layers)
    for (W, b), (grad_W, grad_b) in zip(layers, gradients, strict=True):
        W -= 0.5 * grad_W  # -= changes the tensor itself, so the one in layers, too
        b -= 0.5 * grad_b
    by_matrices.append(loss.item())

# %% [markdown] slideshow={"slide_type": "notes"}
# Then with autograd. An `nn.Module`'s parameters have `requires_grad=True`, so torch keeps the graph; `backward()` fills in `.grad`, and `no_grad()` keeps the update itself out of the graph. Section 10 looks at each.

# %% slideshow={"slide_type": "fragment"}
model = MLP(sizes).double()
with torch.no_grad():
    for layer, (W, b) in zip(model.layers, start, strict=True):
        layer.weight.copy_(W)
        layer.bias.copy_(b)
by_autograd = []
for _ in range(60):
    loss = cross_entropy(model(X), y)
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.5 * p.grad
    by_autograd.append(loss.item())

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
weights = [p.detach() for p in model.parameters()]
ours = [p for pair in layers for p in pair]
difference_weights = max((p - q).abs().max().item() for p, q in zip(weights, ours, strict=True))
engine = torch.tensor([p.data for p in parameters], dtype=torch.float64)
difference_engine = (torch.cat([p.flatten() for p in ours]) - engine).abs().max().item()
difference_loss = max(max(v) - min(v) for v in zip(by_engine, by_matrices, by_autograd, strict=True))
print(f"largest difference of the loss in 60 steps, all three ways: {difference_loss:.1e}")
print(f"of the weights after 60 steps, matrices against autograd  : {difference_weights:.1e}")
print(f"of the weights after 60 steps, matrices against the engine: {difference_engine:.1e}")

# %% slideshow={"slide_type": "skip"}
assert max(difference_loss, difference_weights, difference_engine) < 1e-12

# %% slideshow={"slide_type": "fragment", "show": "output"}
def by_hand(points):
    """Logits of our hand-trained network, (N, 2) -> (N, 2)."""
    a = points.double()
    for W, b in layers[:-1]:
        a = torch.relu(linear(a, W, b))
    return linear(a, *layers[-1])


ax = plotting.plot_decision_boundary(by_hand, X, y)
ax.set(title="Trained without autograd: the moons are apart", xlabel="$x_1$", ylabel="$x_2$");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two interlocking half moons, and the boundary that the network has bent between them. Three methods, one result: after 60 steps the weights agree to about 15 digits.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Is it good for more than moons? The same function, unchanged, on the digits: 784–128–64–10, three hundred batches of 100, no autograd anywhere.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
X_train, y_train = data.mnist_tensors("train")
X_test, y_test = data.mnist_tensors("test")
torch.manual_seed(0)
net = [(torch.randn(o, i) * math.sqrt(2 / i), torch.zeros(o)) for i, o in itertools.pairwise([784, 128, 64, 10])]
for _ in range(300):
    batch = torch.randint(60_000, (100,))
    loss, gradients = gradients_by_hand(X_train[batch], y_train[batch], net)
    for (W, b), (grad_W, grad_b) in zip(net, gradients, strict=True):
        W -= 0.2 * grad_W
        b -= 0.2 * grad_b

a = X_test
for W, b in net[:-1]:
    a = torch.relu(linear(a, W, b))
hand_made = (linear(a, *net[-1]).argmax(dim=1) == y_test).float().mean().item()
print(f"accuracy on the test set: {hand_made:.1%}")

# %% slideshow={"slide_type": "skip"}
assert hand_made > 0.9

# %% [markdown] slideshow={"slide_type": "notes"}
# Above 90% on digits it has not seen, with gradients we derived ourselves. There is no magic left in `loss.backward()`.
#
# **Exercise [06.train_two_layer_net](exercises/06_backprop.ipynb)** ●●● A network with one hidden layer, trained by hand from first to last.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 9 · Checking a gradient
#
# A wrong gradient rarely raises an error. Often the network even learns, only badly. So whoever writes a backward pass compares it with the slow method of section 1: nudge and see, the **finite difference**. There are two ways to nudge.
#
# $$\text{one-sided: } \frac{f(x+h) - f(x)}{h} \qquad \text{central: } \frac{f(x+h) - f(x-h)}{2h}$$
#
# By hand for $f(x) = x^3$ at $x = 1$, true slope 3, with $h = 0.1$: one-sided $(1.331 - 1)/0.1 = 3.31$. Central: $(1.331 - 0.729)/0.2 = 3.01$. Nudging both ways cancels most of the error.
#
# How small should $h$ be?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("06.step")

# %% slideshow={"slide_type": "skip"}
def f(x):
    return torch.tanh(3 * x) * torch.exp(x)


x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
f(x).backward()
true_slope = x.grad.item()


def error_of(h, dtype, central):
    """How far the finite difference is off at 0.7."""
    x = torch.tensor(0.7, dtype=dtype)
    difference = (f(x + h) - f(x - h)) / (2 * h) if central else (f(x + h) - f(x)) / h
    return abs(difference.item() - true_slope)


steps = [10 ** (-k / 2) for k in range(2, 31)]
kinds = {"one-sided, float64": (torch.float64, False), "central, float64": (torch.float64, True)}
kinds["central, float32"] = (torch.float32, True)
errors = {name: [error_of(h, *kind) for h in steps] for name, kind in kinds.items()}

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(10, 5), layout="constrained")
for (name, values), role, marker in zip(errors.items(), ("validation", "train", "test"), "so^", strict=True):
    ax.loglog(steps, values, marker=marker, markersize=6, color=plotting.COLORS[role], label=name)
ax.set(xlabel="step $h$", ylabel="error of the slope", ylim=(1e-12, 1e2))
ax.legend(loc="lower left")
ax.set_title("Neither large nor tiny: every error has a valley");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three curves like a wide V. From the right, as $h$ shrinks, all errors fall: the central one steeply, the one-sided one half as steeply. Then each reaches a bottom and climbs again, jaggedly, as $h$ goes on shrinking. The float32 curve turns round first, between $10^{-2}$ and $10^{-3}$, and ends on a plateau: there $x + h$ is rounded to $x$ itself, and the difference is 0.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
for name, values in errors.items():
    best_step = steps[values.index(min(values))]
    print(f"{name:19} best step {best_step:.0e}   error there {min(values):.0e}   error at 1e-15 {values[-1]:.0e}")

# %% slideshow={"slide_type": "skip"}
best = {name: steps[values.index(min(values))] for name, values in errors.items()}
assert 1e-7 < best["central, float64"] < 1e-4 < best["central, float32"] < 0.05
assert min(errors["central, float64"]) < min(errors["one-sided, float64"]) < min(errors["central, float32"])
assert max(errors["central, float64"][-3:]) > 1e-3

# %% [markdown] slideshow={"slide_type": "notes"}
# Two errors pull in opposite directions. With a **large** step the curve bends between the two points, an error that grows like $h^2$ (one-sided: like $h$). With a **tiny** step the two values of $f$ are nearly the same. A float64 holds about 16 digits; if the first 12 agree, the difference has 4 left, and the division by $h$ blows their error up.
#
# *"The smaller the step, the better"* is the misconception here. Central differences in float64 are best around $10^{-5}$ to $10^{-6}$. In float32, 7 digits are not enough for a check: convert to float64 first.

# %% [markdown] slideshow={"slide_type": "notes"}
# <details><summary>Why just there?</summary>
#
# Taylor: $f(x \pm h) = f \pm h f' + \frac{h^2}{2} f'' \pm \frac{h^3}{6} f''' + \dots$ In the central difference $f$ and $f''$ cancel, and the error is about $\frac{h^2}{6} |f'''|$. Rounding adds about $\varepsilon |f| / h$, where
# $\varepsilon \approx 10^{-16}$ is the relative rounding of float64. If $f$ and $f'''$ are around 1, the sum is smallest where the slope of $h^2/6 + \varepsilon/h$ by $h$ is zero: $h = (3\varepsilon)^{1/3} \approx 7 \cdot 10^{-6}$, with an error of about $10^{-11}$.
#
# One-sided: $\frac{h}{2}|f''| + \varepsilon|f|/h$ is smallest at $h \approx \sqrt{2\varepsilon} \approx 10^{-8}$, with an error of $10^{-8}$. In float32, $\varepsilon \approx 6 \cdot 10^{-8}$ moves the central optimum to about $6 \cdot 10^{-3}$.
# </details>

# %% [markdown] slideshow={"slide_type": "notes"}
# For a tensor with many entries: nudge **one entry**, all others left alone, up and down; write the slope to the same place of the result; next entry. And leave the input as you found it.
#
# **Exercise [06.numerical_gradient](exercises/06_backprop.ipynb)** ●● Write it for tensors of any shape, then come back: ours is next.

# %% slideshow={"slide_type": "subslide"}
def numerical_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences, one entry at a time."""
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    with torch.no_grad():
        for i in range(x.numel()):
            shift = torch.zeros(x.shape, dtype=x.dtype)
            shift.view(-1)[i] = h  # view(-1): the same entries as one long row
            gradient.view(-1)[i] = (f(x + shift) - f(x - shift)) / (2 * h)
    return gradient

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now check the middle layer of our network. Its 64 weights are an (8, 8) matrix: a square. So the gradient and its transpose have the **same shape**, and nothing would complain about a `.T` in the wrong place. We try the right gradient and three typical bugs. To compare, we use the **relative error**, the size of the difference over the size of both. (`norm()` is that size, the length of lesson 01: the root of the sum of all squares.)

# %% slideshow={"slide_type": "fragment", "show": "output"}
def middle_loss(W):
    return gradients_by_hand(X, y, [start[0], (W, start[1][1]), start[2]])[0]


def relative_error(p, q):
    return ((p - q).norm() / (p.norm() + q.norm())).item()


numeric = numerical_gradient(middle_loss, start[1][0])  # 128 forward passes
gradient = gradients_by_hand(X, y, start)[1][1][0]
ours = relative_error(gradient, numeric)
bugs = {"transposed": gradient.T, "not divided by B": gradient * len(X), "wrong sign": -gradient}
found = {name: relative_error(bug, numeric) for name, bug in bugs.items()}
print("relative error of", {name: round(error, 2) for name, error in found.items()})

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print(f"relative error of ours: {ours:.0e}")

# %% slideshow={"slide_type": "skip"}
assert ours < 1e-7 and min(found.values()) > 0.1

# %% [markdown] slideshow={"slide_type": "subslide"}
# There is no doubt which is right. As a rule of thumb, in float64: below $10^{-7}$ it is almost surely right, above $10^{-3}$ almost surely a bug, and in between look closer.
#
# One case where a right gradient fails: a **kink**. At $z = 0$ ReLU has no derivative. The engine (like torch) says 0, the central difference takes one point on each side:

# %% slideshow={"slide_type": "fragment"}
kink = torch.tensor(0.0, dtype=torch.float64)
at_kink = Value(0.0)
at_kink.relu().backward()
print("engine:", at_kink.grad, "  central difference:", numerical_gradient(torch.relu, kink).item())
print("torch's own check of f:", torch.autograd.gradcheck(f, torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Neither is wrong. If only a few entries of a check fail, see whether some $|z|$ is smaller than $h$; another random input usually helps.
#
# torch brings such a check along: the last line, `torch.autograd.gradcheck(f, inputs)`, compares its own gradients with finite differences. It asks for float64, too.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 10 · What torch does
#
# **Autograd** is our engine with tensors for nodes. Mark a tensor with `requires_grad=True`, and torch notes every operation that it takes part in. `grad_fn` is the operation a result came from, and through it one can walk back just as we did:

# %% slideshow={"slide_type": "fragment"}
w = torch.tensor([1.0, 2.0], requires_grad=True)
L = (w**2).sum()
node = L.grad_fn
while node is not None:
    print(type(node).__name__)
    node = node.next_functions[0][0] if node.next_functions else None
L.backward()
print("gradient:", w.grad.tolist())

# %% [markdown] slideshow={"slide_type": "subslide"}
# `SumBackward0` is the rule for the sum, `PowBackward0` that for the power, and `AccumulateGrad` is where the gradient lands at the leaf. **Accumulate**: like our engine, torch *adds* to what is there already. Compute $L$ again and go back again:

# %% slideshow={"slide_type": "fragment"}
(w**2).sum().backward()
print("second call adds up:", w.grad.tolist())
w.grad.zero_()
(w**2).sum().backward()
print("after zeroing      :", w.grad.tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# Adding is right: paths meet in a leaf, too. And it is useful, if a batch is too large for the memory: run two halves one after the other, each with half its loss, and let the gradients add up. But it means that **before each backward pass someone must clear the old gradients**. `model.zero_grad()` does this for all parameters (it sets them to `None`, which saves memory).
#
# What if one forgets?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("06.forget")

# %% slideshow={"slide_type": "skip"}
def train_digits(forget, seed, lr=0.1, steps=200):
    """The loss at each step of a 784-32-10 network."""
    torch.manual_seed(seed)
    model, losses = MLP([784, 32, 10]), []
    for _ in range(steps):
        batch = torch.randint(60_000, (100,))
        loss = cross_entropy(model(X_train[batch]), y_train[batch])
        if not forget:
            model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
        losses.append(loss.item())
    return losses

# %% slideshow={"slide_type": "subslide", "show": "output"}
curves = {forget: [train_digits(forget, seed) for seed in range(3)] for forget in (False, True)}
fig, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
for forget, role, style in ((True, "wrong", "--"), (False, "right", "-")):
    for seed, losses in enumerate(curves[forget]):
        name = ("zero_grad forgotten" if forget else "with zero_grad") if seed == 0 else None
        ax.plot(losses, style, color=plotting.COLORS[role], linewidth=1.5, label=name)
ax.set(xlabel="step", ylabel="training loss", ylim=(0, 5))
ax.legend(loc="upper right")
ax.set_title("Forgetting zero_grad looks like progress, at first");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three solid curves with `zero_grad` fall slowly and steadily from 2.3. Three dashed ones without it dive at once, well below the others, then turn up after about twenty steps, and from then on leap up and down, mostly between 0.7 and 2.5.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
for forget, losses in curves.items():
    early = [round(sum(run[15:25]) / 10, 2) for run in losses]
    late = [round(sum(run[-50:]) / 50, 2) for run in losses]
    print(f"forgotten: {forget!s:5}   mean loss in steps 15-24: {early}   in the last 50: {late}")

# %% slideshow={"slide_type": "skip"}
good, forgotten = torch.tensor(curves[False]), torch.tensor(curves[True])  # (3 seeds, 200 steps)
assert forgotten[:, 15:25].mean() < good[:, 15:25].mean()
assert forgotten[:, 150:].mean() > 2 * good[:, 150:].mean()

# %% [markdown] slideshow={"slide_type": "notes"}
# A sum of all gradients so far is like a ball that rolls without friction. Downhill it gathers speed, so at first it *wins*. But it does not stop in the valley: the old gradients push it up the other side. And with a small learning rate it can go well for a long time. A falling loss does not prove that the bug is not there.
#
# (With friction this becomes a good idea, called momentum: lesson 07.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Keeping things out of the graph
#
# | | what it does | for |
# |---|---|---|
# | `with torch.no_grad():` | nothing inside is noted | updates, and prediction |
# | `t.detach()` | the same numbers, as a constant | stopping the gradient at one place |
# | `loss.item()` | a plain Python number | printing, keeping a curve |
#
# What `detach` does to a gradient: for $y = x^2$, $L = y \cdot y$ has the slope $4x^3$, which is 108 at $x = 3$. Detach one of the factors, and only one of the two paths remains:

# %% slideshow={"slide_type": "fragment", "show": "output"}
x = torch.tensor(3.0, requires_grad=True)
y_square = x**2
(y_square * y_square).backward()
both_paths = x.grad.item()
x.grad = None
y_square = x**2
(y_square * y_square.detach()).backward()
print("both paths:", both_paths, "  one detached:", x.grad.item())

with torch.no_grad():
    silent = x * 2
print("inside no_grad, is anything noted?", silent.requires_grad)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Three errors you will meet
#
# Read them now, so that you know them when they come.

# %% slideshow={"show": "output"}
def updated_without_no_grad():
    w = torch.ones(2, requires_grad=True)
    w -= 0.1


def backward_of_many():
    w = torch.ones(2, requires_grad=True)
    (w * 2).backward()


def backward_twice():
    w = torch.ones(2, requires_grad=True)
    loss = (w**2).sum()
    loss.backward()
    loss.backward()


for mistake in (updated_without_no_grad, backward_of_many, backward_twice):
    try:
        mistake()
    except RuntimeError as error:
        print(f"{mistake.__name__}:\n   {str(error)[:85]} …")

# %% [markdown] slideshow={"slide_type": "fragment"}
# 1. While torch takes notes, a leaf must not be overwritten: it would then be the result of a calculation, no leaf any more, and its `.grad` would have no owner. Put the update under `no_grad()`. (`w = w - 0.1 * w.grad` raises nothing, but makes a *new* `w` which is no leaf: it gets no `.grad` any more.)
# 2. The walk back starts from **one** number, the loss. Sum or average first.
# 3. torch throws the stored numbers away after a backward pass, to save memory. Run forward again (or keep them, with `retain_graph=True`).
#
# Which stored numbers? That is the price.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 11 · What it costs
#
# **Time.** The forward pass of a linear layer is one matrix product, $X W^\top$. The backward pass has two, of the same size: $G^\top X$ and $G W$. (The first layer needs only one: nobody wants the gradient of the pixels.) So we expect **less than twice a forward pass**: for our networks, whose first layer is the largest, 1.2 to 1.6 times. Measured, from 118 thousand to 1.9 million parameters, on batches of 256:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
ratios, labels = [], torch.randint(10, (256,))
for width in (128, 256, 512, 1024):
    network = MLP([784, width, width, 10])

    def only_forward(network=network):
        with torch.no_grad():
            return cross_entropy(network(pictures), labels)

    def forward_and_backward(network=network):
        network.zero_grad()
        cross_entropy(network(pictures), labels).backward()

    # in turn, so that a moment in which the computer is busy hits both
    times = [(fastest(only_forward, 1), fastest(forward_and_backward, 1)) for _ in range(20)]
    once, both = (min(column) for column in zip(*times, strict=True))
    ratios.append((both - once) / once)
    print(f"{count_parameters(network):9,} parameters: forward {once * 1000:5.1f} ms, backward x {ratios[-1]:.1f}")

# %% slideshow={"slide_type": "skip"}
assert max(ratios) < 20  # a few forward passes, and not a hundred thousand

# %% [markdown] slideshow={"slide_type": "subslide"}
# On a quiet computer the backward pass took one to two times as long as the forward pass (on a busy one we saw anything from 0.7 to 3), **however many parameters there were**. Against section 1's 136,075 forward passes that is the bargain which made deep learning possible.
#
# **Memory.** This is where backpropagation is dear. A slope needs numbers of the forward pass: a product the other factor, ReLU its sign. So they are all **stored** until the backward pass has used them. torch lets us listen to what it stores (`saved_tensors_hooks`). Our network has 128 and 256 hidden units. By hand: $384 \cdot 4$ bytes = 1,536 bytes per picture.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def stored_bytes(batch_size):
    """Bytes that a forward pass keeps for the backward pass, besides the parameters and the input."""
    X = torch.rand(batch_size, 784)
    known = {X.data_ptr(), *(p.data_ptr() for p in digits.parameters())}
    stored = {}

    def listen(tensor):
        stored[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(listen, lambda tensor: tensor):
        logits = digits(X)
    assert logits.shape == (batch_size, 10)
    return sum(size for address, size in stored.items() if address not in known)


print(f"parameters: {4 * count_parameters(digits):,} bytes")
for batch_size in (1, 100, 1000):
    print(f"batch of {batch_size:4}: {stored_bytes(batch_size):9,} bytes stored")
with torch.no_grad():
    print(f"under no_grad: {stored_bytes(1000):4,} bytes stored")

# %% [markdown] slideshow={"slide_type": "notes"}
# Exactly 1,536 bytes per picture. The memory grows with the **batch** and with the **depth**. At a batch of 1,000 the stored activations are nearly three times as large as all parameters. If training runs out of memory, a smaller batch is the first remedy. (Another is to store only some layers and compute the rest again on the way back: less memory, more time. It is called checkpointing.)
#
# It explains two habits: predict under `no_grad()`, and collect `loss.item()`, not `loss`. A list of losses keeps every one of their graphs alive.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 12 · Long products vanish or explode
#
# Backwards through $n$ layers the gradient is multiplied $n$ times. With a single factor: $0.9^{50} \approx 0.005$ and $1.1^{50} \approx 117$. A tenth more or less in each layer is a factor of over twenty thousand between the two.
#
# Lesson 02 looked at the slopes of the activations. The weights multiply, too, by the $G\,W$ of section 7. Fifty linear layers with 64 units, no activation at all. The weights are random, of size $1/\sqrt{64}$ as in lesson 02, or 1.25 or 0.8 times as large:

# %% slideshow={"slide_type": "subslide", "show": "output"}
def gradient_sizes(gain, seed, depth=50, width=64):
    """Root mean square of the gradient at the input of each layer, first layer first."""
    generator = torch.Generator().manual_seed(seed)
    G, sizes = torch.randn(100, width, generator=generator), []
    for _ in range(depth):
        W = torch.randn(width, width, generator=generator) * gain / math.sqrt(width)
        G = G @ W  # (100, 64): one layer further back
        sizes.append(G.square().mean().sqrt().item())
    return sizes[::-1]


gains = {"weights × 1.25": 1.25, "weights × 1": 1.0, "weights × 0.8": 0.8}
ax = plotting.plot_layers({name: gradient_sizes(gain, seed=0) for name, gain in gains.items()}, backward=True)
ax.set(xlabel="layer, from the last back to the first", ylabel="size of the gradient")
ax.set_title("A quarter more explodes, a fifth less vanishes");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** On a logarithmic axis, three lines which start together at layer 50 on the left. Towards layer 1 one climbs straight to tens of thousands, one falls straight to about 0.00001, and the middle one stays near 1.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
at_first_layer = {name: [gradient_sizes(gain, seed)[0] for seed in range(10)] for name, gain in gains.items()}
for name, sizes_found in at_first_layer.items():
    print(f"{name:15} gradient at the first layer, ten seeds: {min(sizes_found):.1e} to {max(sizes_found):.1e}")

# %% slideshow={"slide_type": "skip"}
assert max(at_first_layer["weights × 0.8"]) < 1e-4 and min(at_first_layer["weights × 1.25"]) > 1e4
assert min(at_first_layer["weights × 1"]) > 0.1 and max(at_first_layer["weights × 1"]) < 10

# %% [markdown] slideshow={"slide_type": "notes"}
# Straight lines on a logarithmic axis mean: multiplied by the same factor at each layer. **Vanishing** gradients leave the first layers as they were at random. **Exploding** ones throw the parameters far away, until the loss is `nan`. The gradients are right in both cases: the products really are that small, or that large.
#
# Most remedies keep the factors near 1: weights of the right size (lesson 08), shortcuts past the layers (lessons 08 and 12), gates (lesson 13). Clipping (lesson 07) leaves the factors alone and only limits the damage of an explosion.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## What to remember
#
# - A gradient says how strongly the loss feels each number. Multiply local slopes along a path, add where paths meet; a node has its turn after all that use it.
# - An engine remembers parents and slopes on the way forward, and walks from the youngest node to the oldest on the way back. A step of training: forward, loss, backward, update.
# - Linear: $G^\top X$, column sums of $G$, $G W$. ReLU: let through where $z > 0$. Softmax with cross-entropy: (probabilities − one-hot) / B. A gradient has the shape of what it belongs to.
# - Check with central differences in float64, with $h$ around $10^{-5}$: a larger step bends, a tinier one drowns in rounding.
# - torch adds to `.grad`: zero it before `backward()`, update under `no_grad()`. Backward costs one to two forward passes, and the memory of all stored activations.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. L = a · b + a, with a = 4 and b = 5. What are the two gradients?</summary>
#
# By $a$: through the product 5 (the other factor), straight 1, together 6. By $b$: 4.
# </details>
#
# <details><summary>2. Why does a node have to wait until all nodes that use it have had their turn?</summary>
#
# Because it passes on the sum of all that arrives. What comes too late is lost to its parents, or is passed on together with what was passed on before, and counted twice.
# </details>
#
# <details><summary>3. X is (32, 100), W is (10, 100). What is the shape of the gradient by W, and which product gives it?</summary>
#
# (10, 100), the shape of $W$. $G$ is (32, 10), so it must be $G^\top X$: (10, 32) times (32, 100).
# </details>
#
# <details><summary>4. A colleague checks gradients with h = 1e-12 in float64 and finds errors of 0.0001. Is the code wrong?</summary>
#
# One cannot tell. At so tiny a step rounding alone gives errors of that size. Check again with $10^{-5}$.
# </details>
#
# <details><summary>5. Training fits into memory with a batch of 64, but not with 128. Did the parameters get larger?</summary>
#
# No. The stored activations did: they double with the batch.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/06_backprop.ipynb](exercises/06_backprop.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 06.backward_order | an order for any graph | ●●● |
# | 06.value_ops | an engine's operators | ●●● |
# | 06.linear_backward | three gradients of a layer | ●● |
# | 06.relu_backward | the gate | ● |
# | 06.softmax_cross_entropy_backward | probabilities minus one-hot | ●● |
# | 06.train_two_layer_net | training by hand | ●●● |
# | 06.numerical_gradient | nudge every entry | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# We know which way is down, for every parameter at once. How far to go, how to get through narrow valleys, and what to do with noisy gradients: [lesson 07](07_optimizers.ipynb).

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - S. Linnainmaa (1976). *Taylor expansion of the accumulated rounding error.* The backward walk through a computation, as we use it, first published in his thesis of 1970.
# - D. Rumelhart, G. Hinton, R. Williams (1986). *Learning representations by back-propagating errors.* What made it known for networks.
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller (1998). *Efficient backprop.*
# - A. G. Baydin, B. Pearlmutter, A. Radul, J. Siskind (2018). *Automatic differentiation in machine learning: a survey.* Forwards, backwards, and what each costs.
# - A. Paszke and others (2019). *PyTorch: an imperative style, high-performance deep learning library.* The engine of section 10.
# - T. Chen, B. Xu, C. Zhang, C. Guestrin (2016). *Training deep nets with sublinear memory cost.* The checkpointing of section 11.
