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
# # 12 · Seeing with shared weights
#
# **The question:** How can a network look for the same thing everywhere in a picture, without learning it anew for every place?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - compute a convolution by hand and in code, and say what size comes out for any kernel, padding, stride and dilation;
# - say what weight sharing saves, and what it gives: equivariance to shifts, which is not yet invariance;
# - build LeNet-5 and train it to 99% of the MNIST test set, and say how far each of its units can see;
# - say why twenty plain layers train badly, and mend it with batch norm and shortcuts;
# - count the parameters and multiplications of famous networks, and say which layers hold the one and do the other.
#
# **Needs:** [lesson 11](11_evaluation.ipynb) · **Read:** 60 minutes · **Run:** 55 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
import torchvision
from sklearn.datasets import load_sample_image
from torch import nn

from utils import data, explore, plotting
from utils.built.layers import count_parameters
from utils.built.normalization import BatchNorm
from utils.built.regularization import random_shift
from utils.training import accuracy, evaluate, fit

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 1 · Why not a dense layer
#
# Our networks so far took a digit as a row of 784 numbers. Two things are wrong with that.
#
# **It is wasteful.** A colour photograph of 224 × 224 pixels has 150,528 numbers. One dense layer with 1,000 units on it has 150 million weights.
#
# **It is blind to neighbourhood.** For a dense layer the pixels have no places. Pixel 300 and pixel 301 might as well lie at opposite corners. To see how blind, we shuffle the pixels: one order, drawn once, the same for every picture in training and test.

# %% slideshow={"slide_type": "subslide", "show": "output"}
X_all, y_all = data.mnist_tensors("train", flatten=False)  # (60000, 1, 28, 28), (60000,)
X_test, y_test = data.mnist_tensors("test", flatten=False)  # (10000, 1, 28, 28), (10000,)
X_few, y_few = X_all[:3200], y_all[:3200]
order = torch.randperm(784, generator=torch.Generator().manual_seed(0))


def shuffle_pixels(X):
    return X.flatten(1)[:, order].reshape(X.shape)


plotting.show_images(torch.cat([X_test[:4], shuffle_pixels(X_test[:4])]), columns=4, size=1.3);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Above, four digits: 7, 2, 1, 0. Below, the same four with their pixels shuffled: white specks on black, in which nobody can read anything.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("12.shuffled")

# %% slideshow={"slide_type": "skip"}
def dense_net():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 14), nn.ReLU(), nn.Linear(14, 10))


def train(make, seed, batches, epochs=4, lr=0.003):
    """A new network from `make`, trained with Adam."""
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr)
    fit(model, batches, loss_fn=F.cross_entropy, optimizer=optimizer, epochs=epochs)
    return model


def hits(model, X):
    """Share of the first 2,000 test digits that are right, if their pictures are X."""
    with torch.no_grad():
        return (model(X[:2000]).argmax(dim=1) == y_test[:2000]).float().mean().item()


few = data.Batches(X_few, y_few)
few_shuffled = data.Batches(shuffle_pixels(X_few), y_few)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
as_it_is = [hits(train(dense_net, seed, few), X_test) for seed in range(3)]
shuffled = [hits(train(dense_net, seed, few_shuffled), shuffle_pixels(X_test)) for seed in range(3)]
print("digits as they are:", "  ".join(f"{a:.1%}" for a in as_it_is))
print("pixels shuffled:   ", "  ".join(f"{a:.1%}" for a in shuffled))

# %% slideshow={"slide_type": "skip"}
assert abs(sum(as_it_is) - sum(shuffled)) / 3 < 0.03

# %% [markdown] slideshow={"slide_type": "fragment"}
# No difference beyond what seeds make. The dense network never knew which pixels are neighbours, so it loses nothing. But we know: strokes, edges and corners are made of **neighbouring** pixels, and a stroke is a stroke **wherever** it is. We shall build both facts into the layer.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 2 · A window that slides
#
# Take a small grid of weights, the **kernel** (or *filter*). Lay it on the top left corner of the picture. Multiply each weight with the pixel under it and add up: one number. Move one pixel to the right, and again. All these sums together are a new picture, the **feature map**.
#
# $$\begin{matrix}1&2&0\\0&1&3\\2&1&0\end{matrix} \quad\text{with kernel}\quad \begin{matrix}1&0\\2&-1\end{matrix}$$
#
# Top left: $1\cdot1 + 2\cdot0 + 0\cdot2 + 1\cdot(-1) = 0$. One further: $2\cdot1 + 0\cdot0 + 1\cdot2 + 3\cdot(-1) = 1$. Below: $0\cdot1 + 1\cdot0 + 2\cdot2 + 1\cdot(-1) = 3$, and $1\cdot1 + 3\cdot0 + 1\cdot2 + 0\cdot(-1) = 3$.

# %% slideshow={"slide_type": "subslide"}
def slide(picture, kernel):
    """The sum under the kernel at every place of one picture: (H, W) -> (H', W')."""
    kh, kw = kernel.shape
    H, W = picture.shape[0] - kh + 1, picture.shape[1] - kw + 1
    rows = [[(picture[i : i + kh, j : j + kw] * kernel).sum() for j in range(W)] for i in range(H)]
    return torch.tensor(rows)


picture = torch.tensor([[1.0, 2, 0], [0, 1, 3], [2, 1, 0]])
kernel = torch.tensor([[1.0, 0], [2, -1]])
print(slide(picture, kernel))

# %% [markdown] slideshow={"slide_type": "notes"}
# A 2 × 2 window finds 2 × 2 places in a 3 × 3 picture: $3 - 2 + 1 = 2$ in each direction.
#
# It is still a weighted sum of inputs, so it is a linear layer, only with most weights zero and the rest used again and again. We can write down its weight matrix: put a 1 into one pixel at a time and see what comes out.

# %% slideshow={"slide_type": "subslide", "show": "output"}
kernel3 = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -3]])
columns = [slide(one.reshape(5, 5), kernel3).flatten() for one in torch.eye(25)]  # 25 of shape (9,)
matrix = torch.stack(columns, dim=1)  # (9, 25) = (out, in), as nn.Linear has it
print(matrix.numel(), "entries, of them", int(kernel3.ne(0).sum()) * 9, "not zero")
ax = plt.subplots(figsize=(9, 3.4))[1]
ax.imshow(matrix, cmap=plotting.DIVERGING, norm=plotting.centred_norm(matrix))
ax.set(xlabel="pixel of the 5 × 5 picture", ylabel="pixel of the map", title="The same few weights in every row, moved along")
ax.grid(False)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A matrix of 9 rows and 25 columns, most of it white, for zero. In each row stand the same coloured entries: a short red group, and further right a blue one. From row to row they move one column to the right; after every third row they jump by three, where the window begins a new line.

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two ideas in one picture. **Sparse connections**: each output looks at a small neighbourhood. **Weight sharing**: all places use the same weights. A dense layer of this size would learn 225 weights, this one 9. And the 9 do not become more when the picture grows.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Convolution, or cross-correlation?
#
# In mathematics, **convolution** turns the kernel by 180° before it slides. What we did, without turning, is **cross-correlation**. Deep learning does the second and calls it the first. Does it matter?

# %%
print("not turned (torch's conv2d):", F.conv2d(picture[None, None], kernel[None, None]).flatten().tolist())
print("turned (mathematics):       ", slide(picture, kernel.flip(0, 1)).flatten().tolist())

# %% [markdown] slideshow={"slide_type": "fragment"}
# The numbers differ. For a kernel that is **learned** it makes no difference: the network would learn the turned one. But if you take a kernel out of a textbook on signals, or write the layer by hand, you must know which is meant. In this course, as in torch: **not turned**.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 3 · What kernels can find
#
# Before anything is learned: five kernels made by hand, on a photograph.

# %% slideshow={"show": "output"}
photo = torch.tensor(load_sample_image("china.jpg")).float().mean(dim=2) / 255  # (427, 640), grey
photo = F.avg_pool2d(photo[None, None, :400, 60:560], 2)[0, 0]  # the mean of each 2 × 2: (200, 250)
kernels = {
    "mean of 5 × 5: blur": torch.full((5, 5), 1 / 25),
    "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "upright edges": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "level edges": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "edges all round": torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
}
fig, axes = plt.subplots(2, 3, figsize=(9, 5.2), layout="constrained")
axes[0, 0].imshow(photo, cmap="gray", vmin=0, vmax=1)
axes[0, 0].set_title("the photograph")
for ax, (name, k) in zip(axes.flat[1:], kernels.items(), strict=True):
    result = F.conv2d(photo[None, None], k[None, None])[0, 0]
    if k.sum().abs() < 1e-6:  # an edge finder: its answers have a sign
        most = result.abs().quantile(0.98).item()
        ax.imshow(result, cmap=plotting.DIVERGING, vmin=-most, vmax=most)
    else:
        ax.imshow(result, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name)
for ax in axes.flat:
    ax.set_axis_off()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A Chinese pavilion in grey, with roofs in tiers, and what five kernels make of it. The mean blurs; sharpen draws harsh outlines. The last three are signed, white for zero: the third lights up at columns and other upright edges, red where it gets brighter to the right and blue where it gets darker; the fourth at eaves and balconies; the fifth at fine detail in any direction.

# %% [markdown] slideshow={"slide_type": "notes"}
# Read a kernel as a question. The third one subtracts the left from the right: *does it get brighter to the right here?* On an even sky it answers 0, because its weights sum to 0. A positive answer is one kind of edge, a negative the other.
#
# For decades people invented kernels; the third and fourth are Sobel's, of 1968. A **convolutional network** learns them: they are weights like any other, and the gradient reaches them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 4 · Padding, stride, dilation
#
# Three settings say how the window walks.
#
# - **Padding** $p$: put $p$ zeros round the picture on every side. Without it the map shrinks at each layer, and the border is seen less often than the middle. For an odd kernel $k$, $p = (k-1)/2$ keeps the size.
# - **Stride** $s$: move $s$ pixels at a time. Stride 2 (about) halves height and width.
# - **Dilation** $d$: leave gaps in the window, neighbours $d$ pixels apart. The kernel then spreads over $d(k-1)+1$ pixels, with no more weights.

# %% [markdown] slideshow={"slide_type": "subslide"}
# How many places are there? The window's spread is $d(k-1)+1$. The padded axis has $n + 2p$ pixels. The first window stands at 0; after it there is room for $n + 2p - \text{spread}$ more pixels, in steps of $s$. What is left over at the end is not looked at:
#
# $$\text{out} = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# By hand: $n = 28$, $k = 5$, $p = 2$, $s = 2$: $(28 + 4 - 5)/2 = 13.5$, rounded **down** to 13, plus 1: 14.
#
# **Exercise [12.output_size](exercises/12_cnn.ipynb)** ●● The formula, and an error where no window fits. (Write it before you look at the next cell.)

# %% slideshow={"slide_type": "subslide"}
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    if min(n, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("n, kernel, stride and dilation must be 1 or more, padding 0 or more")
    spread = dilation * (kernel - 1) + 1
    if spread > n + 2 * padding:
        raise ValueError(f"a window of {spread} does not fit into {n + 2 * padding}")
    return (n + 2 * padding - spread) // stride + 1


cases = [(28, 5, 1, 0, 1), (28, 5, 1, 2, 1), (28, 5, 2, 2, 1), (28, 3, 2, 1, 1), (28, 3, 1, 0, 4), (224, 11, 4, 2, 1)]
print("  n   k  s  p  d   ours  torch")
for n, k, s, p, d in cases:
    theirs = nn.Conv2d(1, 1, k, s, p, d)(torch.zeros(1, 1, n, n)).shape[-1]
    print(f"{n:3}  {k:2}  {s}  {p}  {d}   {output_size(n, k, s, p, d):4}  {theirs:5}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: the sliding window
#
# *What does this kernel see here?* Move the window by mouse, with the sliders or the arrow keys; the products and their sum stand beside it. Type a kernel row by row ("0 1 0; 1 -4 1; 0 1 0") or click its cells.
#
# - **Try** the two bars: keep the upright one and make the other vanish.
# - **Then** take a 5 × 5 kernel and still get 28 × 28; take a 3 × 3 kernel and get 14 × 14.
# - **Find** a 3 × 3 kernel that changes nothing.
# - **Notice** what it says when a setting is impossible.
# - **Challenge:** a kernel that moves the whole picture one pixel to the right.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.convolution()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left a seven with a small square window at the upper edge of its bar, right the feature map, with the pixel marked that belongs to this window. Below, the nine pixels of the window, the kernel (a row of 1, a row of 0, a row of −1), their nine products and the sum. Along the upper edges of strokes the map is blue, along the lower ones red.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 5 · Channels
#
# A colour picture has three **channels**: red, green, blue. Its shape is $(C, H, W)$, and a batch has $(B, C, H, W)$. A kernel then has a slice for each channel, $(C, k, k)$. All $C k^2$ products go into **one** sum: channels are added, not kept apart.
#
# One kernel gives one map. To look for many things we take $C_\text{out}$ kernels, and their maps become the channels of the output. So the weights of a layer have the shape $(C_\text{out}, C_\text{in}, k, k)$, and there is one bias for each output channel.
#
# **Exercise [12.conv2d](exercises/12_cnn.ipynb)** ●●● Batch, channels, kernels, bias; loops are allowed. (Write it before you look at the next cell.)

# %% [markdown] slideshow={"slide_type": "notes"}
# Here it is without loops. `unfold(dim, size, step)` shows a tensor as its windows along one axis. Two of them give all windows, without copying a number. Then one `einsum` (lesson 03) multiplies each window with each kernel and sums over channel `c` and both places `i`, `j` in the window.

# %% slideshow={"slide_type": "subslide"}
def conv2d(X, W, b=None, stride=1, padding=0, dilation=1):
    if X.shape[1] != W.shape[1]:
        raise ValueError(f"the pictures have {X.shape[1]} channels and the kernels {W.shape[1]}")
    for n, k in zip(X.shape[2:], W.shape[2:], strict=True):
        output_size(n, k, stride, padding, dilation)  # raises if no window fits
    kh, kw = W.shape[2:]
    X = F.pad(X, (padding, padding, padding, padding))
    windows = X.unfold(2, dilation * (kh - 1) + 1, stride).unfold(3, dilation * (kw - 1) + 1, stride)
    windows = windows[..., ::dilation, ::dilation]  # (B, C, H', W', kh, kw)
    out = torch.einsum("bchwij,ocij->bohw", windows, W)
    return out if b is None else out + b[:, None, None]

# %% [markdown] slideshow={"slide_type": "notes"}
# Against torch: value and all three gradients, in float64, over settings of every kind.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def value_and_gradients(f, inputs, *settings):
    """What f gives, and the gradients of a weighted sum of it by each input."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    out = f(*inputs, *settings)
    weights = torch.linspace(-1, 2, out.numel(), dtype=torch.float64).reshape(out.shape)
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), inputs)]


torch.manual_seed(0)
worst = 0.0
for stride, padding, dilation, k in ((1, 0, 1, 3), (2, 1, 1, 3), (1, 2, 2, 3), (3, 2, 1, 5), (2, 0, 3, 2)):
    tensors = [torch.randn(shape, dtype=torch.float64) for shape in ((2, 3, 9, 11), (4, 3, k, k), (4,))]
    both = [value_and_gradients(f, tensors, stride, padding, dilation) for f in (conv2d, F.conv2d)]
    worst = max([worst, *((one - other).abs().max().item() for one, other in zip(*both, strict=True))])
print(f"largest difference in value or gradient: {worst:.0e}")

# %% slideshow={"slide_type": "skip"}
assert worst < 1e-12

# %% [markdown] slideshow={"slide_type": "subslide"}
# **How many parameters?** Each kernel has $C_\text{in} k^2$ weights and one bias, so a layer has $C_\text{out}\,(C_\text{in}\, k^2 + 1)$. Six kernels of 5 × 5 on a grey picture: $6 \cdot (25 + 1) = 156$. Sixteen of 5 × 5 on six channels: $16 \cdot (6 \cdot 25 + 1) = 2{,}416$. The size of the picture is not in the formula.
#
# **Exercise [12.count_conv_parameters](exercises/12_cnn.ipynb)** ● With and without a bias.

# %%
for layer in (nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(3, 64, 7, bias=False)):
    print(f"{layer}: {count_parameters(layer):,}")

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 6 · Move the input, and the map moves
#
# Because all places share their weights, a shifted picture gives the same map, shifted. This is called **equivariance**: first shift and then convolve, or the other way round, is the same. We measure it: eight random kernels, 500 digits, one pixel to the right.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def shift_right(X, pixels):
    """Pictures (or maps) moved to the right; zeros come in from the left."""
    return F.pad(X, (pixels, 0))[..., : X.shape[-1]]


torch.manual_seed(0)
W8 = torch.randn(8, 1, 5, 5) / 5


def maps(X):
    return torch.relu(F.conv2d(X, W8, padding=2))  # (B, 8, 28, 28)


digits = X_test[:500]
first_shift = maps(shift_right(digits, 1))
first_map = shift_right(maps(digits), 1)
inside = (first_shift - first_map)[..., 3:-2].abs().max().item()
border = (first_shift - first_map).abs().max().item()
print(f"largest difference: {inside:.6f} away from the border, {border:.2f} at the border")

# %% slideshow={"slide_type": "skip"}
assert inside < 1e-5 and border > 0.01

# %% [markdown] slideshow={"slide_type": "fragment"}
# No difference inside. At the border there is one: padding invents zeros there, and what is pushed out of the picture is lost. Equivariance is exact only where the window does not touch the border. And with stride 2, only shifts by whole strides have a shifted map.
#
# A misconception to lose: *"convolution makes a network independent of where things are"*. It does not. The map **moves along**. What the next dense layer gets is a moved map, which is different input for it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · Pooling: a little invariance
#
# **Pooling** makes a map smaller: it keeps one number of each window. **Max pooling** keeps the largest ("is it somewhere here?"), **average pooling** the mean. No weights; each channel for itself. Usually the window is 2 × 2 with stride 2:
#
# $$\begin{matrix}1&3&0&2\\2&0&1&1\\0&1&5&4\\0&2&3&6\end{matrix} \quad\to\quad \text{max } \begin{matrix}3&2\\2&6\end{matrix} \qquad \text{mean } \begin{matrix}1.5&1\\0.75&4.5\end{matrix}$$
#
# If the 3 moved to the place of the 1 beside it, the maximum would stay 3. If the 2 in the first row moved one to the left, also. But if the 3 moved one to the right, it would enter the next window. **Invariance** means: the output stays the same when the input moves.

# %% slideshow={"slide_type": "subslide"}
def max_pool2d(X, size, stride=None):
    stride = size if stride is None else stride
    output_size(min(X.shape[2:]), size, stride)  # raises if no window fits
    return X.unfold(2, size, stride).unfold(3, size, stride).amax(dim=(4, 5))

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
torch.manual_seed(0)
X = torch.randn(2, 3, 11, 9, dtype=torch.float64)
differences = []
for size, stride in ((2, 2), (3, 2), (3, 3), (2, 1)):
    both = [value_and_gradients(f, [X], size, stride) for f in (max_pool2d, F.max_pool2d)]
    differences += [(one - other).abs().max().item() for one, other in zip(*both, strict=True)]
print(f"largest difference in value or gradient: {max(differences):.0e}")

# %% slideshow={"slide_type": "skip"}
assert max(differences) < 1e-12

# %% [markdown] slideshow={"slide_type": "fragment"}
# Its gradient goes to the winner alone; the other inputs of a window get zero.
#
# **Exercise [12.max_pool2d](exercises/12_cnn.ipynb)** ●● Windows that do not overlap; there is a way without `unfold`.
#
# Now measure. Move each digit by one pixel. By what share do its eight maps change, and how much of the change is left after pooling?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("12.pooling")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def change(pool, size, pixels):
    """Length of the change when the digits move, as a share of the length of what was there."""
    before, after = pool(maps(digits), size), pool(maps(shift_right(digits, pixels)), size)
    return ((after - before).norm() / before.norm()).item()


windows = [1, 2, 4, 7, 14, 28]
left = {name: [change(f, n, 1) for n in windows] for name, f in (("max", F.max_pool2d), ("mean", F.avg_pool2d))}
print("window   max   mean")
for n, *pair in zip(windows, left["max"], left["mean"], strict=True):
    print(f"{n:6}   " + "   ".join(f"{share:.0%}".rjust(4) for share in pair))

# %% slideshow={"slide_type": "skip"}
assert 0.5 < left["max"][0] < 0.8 and 0.3 < left["max"][1] < 0.6 and left["max"][-1] < 0.01
assert all(a > b for a, b in zip(left["max"][:-1], left["max"][1:], strict=True))

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plt.subplots(figsize=(8, 4.2))[1]
for k, (pixels, style) in enumerate(((1, "o-"), (2, "s--"), (3, "^:"))):
    shares = [100 * change(F.max_pool2d, n, pixels) for n in windows]
    ax.plot(range(6), shares, style, color=plotting.CLASS_COLORS[k], label=f"moved by {pixels}")
ax.set(xlabel="side of the pooling window", ylabel="change of the map, %", ylim=(0, 115))
ax.set(title="A window of 2 forgives little")
ax.set_xticks(range(6), ["none", 2, 4, 7, 14, 28])
plotting.label_lines(ax, side="left")
ax.set_xlim(-1.6, 5.2);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three falling lines, for digits moved by 1, 2 and 3 pixels. Without pooling the maps change by 64%, 95% and 109%. A window of 2 takes away only about a quarter of the smallest change; 14 takes away four fifths. With a window of 28, the whole map, nothing visible is left. (More than 100% is possible: two maps of the same length at right angles are 141% of it apart.)

# %% [markdown] slideshow={"slide_type": "notes"}
# So pooling adds **some** invariance, of the order of its window. Several poolings in a row add up to more. Taking the maximum or mean over the **whole** map is called **global pooling**: invariant, apart from the border, but it no longer knows where anything was. You choose how much place to forget.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 8 · Dense against convolution
#
# A fair race: three networks with about 11,000 parameters each.
#
# - **dense**: 784 → 14 → 10;
# - **convolution**: 8 kernels of 5 × 5, then 16, both with stride 2, then a dense layer on the 16 × 7 × 7 map;
# - **global pooling**: a third convolution and the maximum over each whole map (`nn.AdaptiveMaxPool2d(1)`: what is left is 1 × 1), then 17 → 10.
#
# All learn from 3,200 digits in four epochs, with two seeds. Then we move the **test** digits to the right, pixel by pixel. Nothing like that was in the training.

# %% slideshow={"slide_type": "subslide"}
def convolutions():
    return [nn.Conv2d(1, 8, 5, 2, padding=2), nn.ReLU(), nn.Conv2d(8, 16, 5, 2, padding=2), nn.ReLU()]  # (B, 16, 7, 7)


def conv_net():
    return nn.Sequential(*convolutions(), nn.Flatten(), nn.Linear(784, 10))


def pooled_net():
    third = [nn.Conv2d(16, 17, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool2d(1)]  # (B, 17, 1, 1)
    return nn.Sequential(*convolutions(), *third, nn.Flatten(), nn.Linear(17, 10))


for make in (dense_net, conv_net, pooled_net):
    print(f"{make.__name__:11} {count_parameters(make()):,} parameters")

# %% [markdown] slideshow={"slide_type": "notes"}
# A fourth competitor is the convolution with **augmentation** (lesson 09): each time a training digit is used, it is moved by up to 4 pixels in any direction. The wrapper below does that to any batches.

# %% slideshow={"slide_type": "skip"}
class Moved:
    """Batches whose pictures are moved by up to `most` pixels, anew each time."""

    def __init__(self, batches, most):
        self.batches, self.most = batches, most

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for X, y in self.batches:
            yield random_shift(X[:, 0], self.most)[:, None], y


# %% slideshow={"slide_type": "skip"}
entries = {
    "dense": (dense_net, few),
    "convolution": (conv_net, few),
    "with global pooling": (pooled_net, few),
    "with augmentation": (conv_net, Moved(few, 4)),
}
trained = {name: [train(make, seed, batches) for seed in range(2)] for name, (make, batches) in entries.items()}
table = {
    name: [sum(hits(m, shift_right(X_test[:2000], d)) for m in models) / 2 for d in range(9)]
    for name, models in trained.items()
}

# %% slideshow={"slide_type": "subslide", "show": "output"}
ax = plt.subplots(figsize=(9, 4.8))[1]
for style, (name, row) in zip(("o-", "s-", "^-", "D-"), table.items(), strict=True):
    ax.plot(range(9), [100 * share for share in row], style, label=name)
ax.set(xlabel="test digits moved to the right by so many pixels", ylabel="right, % of 2,000 test digits")
ax.set(ylim=(0, 100), title="Convolution alone is no cure for shifts")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Four falling lines, means of two seeds. Unmoved, convolution is best, and dense and global pooling are lowest. Moved by four pixels, dense and convolution have lost more than half of what they had; with augmentation or global pooling fewer than ten points. Beyond four pixels augmentation falls too: so far no digit was moved in its training. Global pooling ends highest.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
for name, row in table.items():
    print(f"{name:20} unmoved {row[0]:.0%}   by 2: {row[2]:.0%}   by 4: {row[4]:.0%}")
order_matters = hits(train(conv_net, 0, few_shuffled), shuffle_pixels(X_test))
print(f"\nconvolution, pixels shuffled: {order_matters:.0%}")

# %% slideshow={"slide_type": "skip"}
assert table["convolution"][0] > table["dense"][0] + 0.03
assert table["dense"][4] < table["convolution"][4] < table["with augmentation"][4] - 0.15
assert table["convolution"][4] + 0.1 < table["with global pooling"][4]
assert order_matters < table["convolution"][0] - 0.02

# %% [markdown] slideshow={"slide_type": "fragment"}
# On digits where they belong, convolution wins clearly at equal parameters, and the last line shows why: with shuffled pixels its advantage is gone. It profits from neighbourhood, the very thing that the dense network ignored.
#
# On shifted digits it breaks down too, only later. Equivariance up to the last map does not help a dense layer that reads it pixel by pixel. What helps is to show the network moved digits (augmentation), or to forget the place (global pooling). The second has its price: digits without places are harder to tell apart; in this short training it got no further than dense. This is also why the digit you shifted in lesson 00 broke the network.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 9 · How far a unit can see
#
# A unit of the first layer sees $k \times k$ pixels. One of the second sees $k \times k$ units of the first, which together see more. The square of pixels that can reach a unit is its **receptive field**.
#
# Walk through the layers with two numbers: the field $r$, and the **jump** $j$, the distance of two neighbours of the map in input pixels. At first $r = j = 1$. A layer with kernel $k$ and stride $s$:
#
# $$r \leftarrow r + (k-1)\,j \qquad\qquad j \leftarrow j \cdot s$$
#
# By hand, three layers of 3 × 3, the second with stride 2: $r = 1 + 2 = 3$; $3 + 2 = 5$, then $j = 2$; $5 + 2\cdot 2 = 9$.
#
# **Exercise [12.receptive_field](exercises/12_cnn.ipynb)** ●● These two lines as a loop.

# %% slideshow={"slide_type": "subslide"}
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field, step = field + (kernel - 1) * step, step * stride
    return field


stacks = {
    "five of 3 × 3": [nn.Conv2d(1 if k == 0 else 8, 8, 3) for k in range(5)],
    "5 × 5, pool, 5 × 5, pool": [nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.Conv2d(8, 8, 5), nn.MaxPool2d(2)],
    "3 × 3, dilation 1, 2, 4": [nn.Conv2d(1 if d == 1 else 8, 8, 3, dilation=d) for d in (1, 2, 4)],
}
by_formula = {
    "five of 3 × 3": receptive_field([(3, 1)] * 5),
    "5 × 5, pool, 5 × 5, pool": receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]),
    "3 × 3, dilation 1, 2, 4": receptive_field([(d * 2 + 1, 1) for d in (1, 2, 4)]),
}

# %% [markdown] slideshow={"slide_type": "notes"}
# Is it true? The gradient knows. Take one unit in the middle of the last map, and ask for its gradient by every input pixel: where it is zero, the pixel cannot reach it. (We add up the sizes over 400 random inputs, because ReLU and max pooling shut some ways for each single one.)

# %% slideshow={"slide_type": "subslide", "show": "output"}
def seen(layers, side=33):
    """Mean size of the gradient of one middle unit by each input pixel."""
    X = torch.randn(400, 1, side, side, requires_grad=True)
    out = X
    for layer in layers:
        out = torch.relu(layer(out))
    middle = out.shape[-1] // 2
    out[:, :, middle, middle].sum().backward()
    return X.grad.abs().mean(dim=(0, 1))  # (side, side)


torch.manual_seed(0)
fig, axes = plt.subplots(1, 3, figsize=(11, 4.1), layout="constrained")
for ax, (name, layers) in zip(axes, stacks.items(), strict=True):
    reach = seen(layers)
    side = int((reach > 0).any(dim=0).sum())
    assert side == by_formula[name]
    ax.imshow(reach, cmap=plotting.SEQUENTIAL)
    ax.set_title(f"{name}\nformula {by_formula[name]}, seen {side}", fontsize=13)
    ax.set_axis_off()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three pictures of 33 × 33 input pixels, dark where the gradient is zero. In the middle of each a square of light: 11, 16 and 15 pixels wide, just as the formula says. In the first two it is bright in the middle and fades towards its edge; the dilated one fills its square with a grid of patches.

# %% [markdown] slideshow={"slide_type": "fragment"}
# Formula and gradient agree. And one thing the formula does not say: the weight lies in the middle. Many ways lead from a central pixel to the unit, few from the edge. What a unit in effect sees is smaller than its receptive field (Luo and others, 2016).
#
# Note also what stacking buys. Two layers of 3 × 3 see 5 × 5, with $2 \cdot 9 = 18$ weights for each pair of channels instead of 25, and with a bend between. That is the idea of **VGG** (section 13).

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 10 · LeNet-5
#
# In 1998 Yann LeCun and others read cheques with this network. It set the pattern: convolve, bend, pool, repeat, so that maps get smaller and channels more; then dense layers. Ours has today's parts. The original bent with tanh, took means where we take maxima, and compared its last 84 numbers with a fixed pattern for each digit.
#
# | layer | output | parameters |
# |---|---|---|
# | picture | 1 × 28 × 28 | |
# | convolution 5 × 5, padding 2 | 6 × 28 × 28 | 156 |
# | max pooling 2 | 6 × 14 × 14 | |
# | convolution 5 × 5 | 16 × 10 × 10 | 2,416 |
# | max pooling 2 | 16 × 5 × 5 | |
# | dense | 120 | 48,120 |
# | dense | 84 | 10,164 |
# | dense | 10 | 850 |
#
# **Exercise [12.lenet](exercises/12_cnn.ipynb)** ●● From this table, before you look at the next cell.

# %% tags=["long"] slideshow={"slide_type": "subslide"}
class LeNet(nn.Module):
    """LeNet-5 with today's parts: ReLU, max pooling, ten logits."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, X):
        X = torch.relu(F.max_pool2d(self.conv1(X), 2))  # (B, 6, 14, 14)
        X = torch.relu(F.max_pool2d(self.conv2(X), 2))  # (B, 16, 5, 5)
        X = torch.relu(self.fc1(X.flatten(1)))  # (B, 120)
        X = torch.relu(self.fc2(X))  # (B, 84)
        return self.fc3(X)


print(f"{count_parameters(LeNet()):,} parameters")

# %% [markdown] slideshow={"slide_type": "notes"}
# A small trick: ReLU stands **after** pooling. The largest of four numbers stays the largest when negative ones become 0, so the order does not matter for the result. But after pooling ReLU has only a quarter of the numbers to look at, and the training takes less time.

# %% slideshow={"slide_type": "skip"}
X = conv2d(X_test[:5], torch.randn(6, 1, 5, 5, generator=torch.Generator().manual_seed(0)))
print(torch.equal(torch.relu(F.max_pool2d(X, 2)), F.max_pool2d(torch.relu(X), 2)))

# %% [markdown] slideshow={"slide_type": "notes"}
# All 60,000 digits, four epochs, Adam with a one-cycle schedule (lesson 07) up to 0.006. The networks of lesson 10 reached 98%. (About twenty seconds on two quiet cores.)

# %% slideshow={"slide_type": "skip"}
torch.manual_seed(0)
lenet = LeNet()
train_batches = data.Batches(X_all, y_all, batch_size=128)
test_batches = data.Batches(X_test, y_test, batch_size=1000, shuffle=False)
optimizer = torch.optim.Adam(lenet.parameters(), lr=0.006)
one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.006, total_steps=4 * len(train_batches))
fit(lenet, train_batches, loss_fn=F.cross_entropy, optimizer=optimizer, scheduler=one_cycle, epochs=4)
result = evaluate(lenet, test_batches, F.cross_entropy, {"accuracy": accuracy})

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
print(f"test set: {result['accuracy']:.2%} right, {round(10_000 * (1 - result['accuracy']))} of 10,000 wrong")

# %% slideshow={"slide_type": "skip"}
assert result["accuracy"] > 0.99  # the digits behind the point differ between machines

# %% [markdown]
# **99%**, with 61,706 parameters; the dense network of lesson 00 has 136,074. Three other seeds gave us from 99.16% to 99.27%; after three epochs the same four seeds had stood between 98.99% and 99.24%. What stands behind the point is chance.
#
# Which ones are wrong?

# %% slideshow={"slide_type": "fragment", "show": "output"}
with torch.no_grad():
    guesses = torch.cat([lenet(X).argmax(dim=1) for X, _ in test_batches])  # (10000,)
wrong = (guesses != y_test).nonzero()[:, 0][:12]
titles = [f"{y_test[i]}, not {guesses[i]}" for i in wrong]
plotting.show_images(X_test[wrong], titles=titles, columns=6, size=1.3);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Twelve digits that LeNet got wrong, with the true digit and what LeNet said. Several are hard for people too: open loops, strokes cut short, slanted or squeezed figures. A few are plain, and wrong all the same.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 11 · What it has learned
#
# The six kernels of the first layer are small enough to look at. And we can look at what each makes of a digit: its feature map.

# %% slideshow={"show": "output"}
digit = X_test[:1]  # a seven
with torch.no_grad():
    map1 = torch.relu(lenet.conv1(digit))[0]  # (6, 28, 28)
    map2 = torch.relu(lenet.conv2(F.max_pool2d(map1[None], 2)))[0]  # (16, 10, 10)
fig, axes = plt.subplots(2, 6, figsize=(11, 3.9), layout="constrained")
weights = lenet.conv1.weight.detach()[:, 0]  # (6, 5, 5)
for k in range(6):
    axes[0, k].imshow(weights[k], cmap=plotting.DIVERGING, norm=plotting.centred_norm(weights))
    axes[1, k].imshow(map1[k], cmap="gray", vmin=0, vmax=float(map1.max()))
    axes[0, k].set_title(f"kernel {k}", fontsize=12)
for ax in axes.flat:
    ax.set_axis_off()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Above, six kernels of 5 × 5: red for positive, blue for negative weights. Several have a red side and a blue side: edge finders in different directions, rougher than those we made by hand. Below, what each makes of a seven: some keep all of it, softened; others light up only along the bar, or only along one flank of the stem.

# %% slideshow={"slide_type": "subslide", "show": "output"}
plotting.show_images(map2 / map2.max(), columns=8, size=1.1);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Sixteen small maps of the second layer, 10 × 10. Most are dark but for a piece of the seven: some show only its bar, some only a stretch of its stem. Some see almost nothing in this digit.

# %% [markdown] slideshow={"slide_type": "fragment"}
# Nobody told it about edges. The kernels started as random numbers, and the gradient shaped them. The second layer combines edges into pieces of strokes, over a window of 14 × 14 pixels (6 × 6 after its first pooling; with the formula: 5, 6, 14). "From edges to parts", as promised in lesson 04. One should not read too much into single maps: units share the work, and many have no name.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 12 · Going deeper
#
# If two convolutions are good, are twenty better? Three tools first.
#
# **Batch norm in practice.** For maps, lesson 08's batch norm takes mean and variance of each **channel**, over the batch *and all places*: `nn.BatchNorm2d`. It stands between convolution and ReLU. And since it subtracts the mean, a bias in the convolution before it would be removed at once. So one writes `bias=False`. Both claims in numbers:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(0)
X = torch.randn(4, 3, 6, 5, dtype=torch.float64) * 3 + 1
pixels = X.permute(0, 2, 3, 1).reshape(-1, 3)  # (B·H·W, C): every pixel is an example
ours = BatchNorm(3).double()(pixels).reshape(4, 6, 5, 3).permute(0, 3, 1, 2)
theirs = nn.BatchNorm2d(3).double()(X)
conv, norm = nn.Conv2d(3, 8, 3).double(), nn.BatchNorm2d(8).double()
before = norm(conv(X))
(before**3).sum().backward()
bias_gradient, weight_gradient = conv.bias.grad.abs().max().item(), conv.weight.grad.abs().max().item()
with torch.no_grad():
    conv.bias += 100
print(f"BatchNorm2d, largest difference from lesson 08's:    {(ours - theirs).abs().max():.0e}")
print(f"bias plus 100, largest change behind the norm:       {(norm(conv(X)) - before).abs().max():.0e}")
print(f"largest gradient by the bias {bias_gradient:.0e}, by a weight {weight_gradient:.0e}")

# %% slideshow={"slide_type": "skip"}
assert torch.allclose(ours, theirs) and torch.allclose(norm(conv(X)), before)
assert bias_gradient < 1e-6 * weight_gradient

# %% [markdown] slideshow={"slide_type": "subslide"}
# **1 × 1 convolutions.** A kernel of one pixel sounds useless. But it has all channels: it is a dense layer applied to each pixel by itself. It changes the number of channels and costs little: from 256 channels down to 64, a 3 × 3 there, and back up takes $256\cdot64 + 64\cdot64\cdot9 + 64\cdot256 = 69{,}632$ weights; one 3 × 3 on all 256 takes 589,824.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
torch.manual_seed(0)
X = torch.randn(2, 5, 4, 4, dtype=torch.float64)
W, b = torch.randn(3, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
pointwise = conv2d(X, W[:, :, None, None], b)  # (2, 3, 4, 4)
per_pixel = F.linear(X.permute(0, 2, 3, 1), W, b).permute(0, 3, 1, 2)
print(f"1 × 1 convolution and a dense layer on each pixel differ by {(pointwise - per_pixel).abs().max():.0e}")

# %% slideshow={"slide_type": "skip"}
assert torch.allclose(pointwise, per_pixel)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Global average pooling.** The mean over each whole map replaces the large dense layers: $C$ numbers, whatever the size of the picture. A network that ends so takes pictures of any size; LeNet takes only its own:

# %% slideshow={"show": "output"}
pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]
whole = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), *pooled)
for side in (28, 32, 100):
    print(f"{side} × {side}: ", tuple(whole(torch.zeros(1, 1, side, side)).shape))
try:
    lenet(torch.zeros(1, 1, 32, 32))
except RuntimeError as error:
    print("LeNet at 32 × 32:", error)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### The residual block
#
# Lesson 08 had a first look at the **shortcut**. He and others (2016) made a block of it: two convolutions compute a **correction** $f(x)$, and the input is added to it.
#
# $$y = \text{ReLU}\big(f(x) + x\big)$$
#
# By hand: if $f$ gives 0.1 for $x = 2$, the block gives 2.1. And if the block has nothing to add, $f = 0$ is easy to learn. The gradient of the sum by $x$ is $f'(x) + 1$: even if $f'$ is tiny, the 1 carries the gradient through.
#
# If the block changes channels or size, $x$ no longer fits. Then a 1 × 1 convolution with the same stride brings it into shape.
#
# **Exercise [12.residual_block](exercises/12_cnn.ipynb)** ●●● The block, before you look at the next cell.

# %% tags=["long"] slideshow={"slide_type": "subslide"}
class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions with batch norm, and a shortcut round them."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, X):
        out = torch.relu(self.norm1(self.conv1(X)))
        out = self.norm2(self.conv2(out))
        return torch.relu(out + self.shortcut(X))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now towers like those of the paper, but narrow: one convolution, then three stages of blocks with 8, 16 and 32 channels, where height and width halve from stage to stage, global average pooling, and one dense layer. Three blocks a stage make $1 + 3 \cdot 3 \cdot 2 + 1 = 20$ layers, one block makes 8.
#
# The plain block leaves the shortcut out. And without batch norm, an `Identity` stands where a norm was.

# %% slideshow={"slide_type": "skip"}
class PlainBlock(ResidualBlock):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__(c_in, c_out, stride)
        del self.shortcut

    def forward(self, X):
        return torch.relu(self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(X))))))


def tower(Block, norm=True, blocks=3):
    body = [nn.Conv2d(1, 8, 3, 2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    for c_in, c_out, stride in ((8, 8, 1), (8, 16, 2), (16, 32, 2)):
        body += [Block(c_in, c_out, stride)] + [Block(c_out, c_out) for _ in range(blocks - 1)]
    model = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    for module in [] if norm else list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return model

# %% [markdown] slideshow={"slide_type": "fragment"}
# First the gradient at the start, layer by layer, before any training. Four towers, the same 256 digits (halved to 14 × 14 to be quick), torch's own initialisation. Its variance is a sixth of Kaiming's (lesson 08), so without norm each layer makes what passes through it smaller.

# %% slideshow={"slide_type": "subslide", "show": "output"}
towers = {
    "plain 20, no norm": lambda: tower(PlainBlock, norm=False),
    "residual 20, no norm": lambda: tower(ResidualBlock, norm=False),
    "plain 20": lambda: tower(PlainBlock),
    "residual 20": lambda: tower(ResidualBlock),
}
small, small_y = F.avg_pool2d(X_all[:1024], 2), y_all[:1024]  # (1024, 1, 14, 14)
gradients = {}
for name, make in towers.items():
    torch.manual_seed(0)
    model = make()
    F.cross_entropy(model(small[:256]), small_y[:256]).backward()
    main = [p for key, p in model.named_parameters() if p.dim() == 4 and "shortcut" not in key]
    gradients[name] = [p.grad.square().mean().sqrt().item() for p in main]
ax = plotting.plot_layers(gradients, ylabel="gradient of a weight (root mean square)")
ax.set_title("Without norm or shortcut the gradient is gone");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The size of the gradient in 19 convolutions, on a logarithmic axis. With batch norm, both towers lie on top, near 0.1 in the first layer and 0.01 in the last. Without norm but with shortcuts the line lies two to three powers of ten lower. Without either it lies near $10^{-11}$, everywhere.

# %% slideshow={"slide_type": "skip"}
assert max(gradients["plain 20, no norm"]) < 1e-7 < 1e-6 < min(gradients["residual 20, no norm"])

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("12.deeper")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
towers["plain 8"] = lambda: tower(PlainBlock, blocks=1)
small_batches = data.Batches(small, small_y)
small_test = F.avg_pool2d(X_test[:2000], 2)
losses, right = {}, {}
for name, make in towers.items():
    losses[name], right[name] = [], []
    for seed in range(2):
        torch.manual_seed(seed)
        model = make()
        adam = torch.optim.Adam(model.parameters(), lr=0.003)
        record = fit(model, small_batches, loss_fn=F.cross_entropy, optimizer=adam, epochs=4)
        losses[name].append(record.train["loss"])
        right[name].append(hits(model, small_test))
    ends = "  ".join(f"{run[-1]:.2f}" for run in losses[name])
    print(f"{name:21} training loss {ends}   test", "  ".join(f"{a:.0%}" for a in right[name]))

# %% slideshow={"slide_type": "skip"}
final = {name: max(run[-1] for run in runs) for name, runs in losses.items()}
best = {name: min(run[-1] for run in runs) for name, runs in losses.items()}
assert best["plain 20, no norm"] > 2.2  # ten classes at random: ln 10 = 2.30
assert final["residual 20"] < final["plain 8"] and final["plain 8"] < best["plain 20"]
assert final["residual 20, no norm"] < 2.0

# %% slideshow={"show": "output"}
ax = plt.subplots(figsize=(9, 4.6))[1]
for k, (name, runs) in enumerate(losses.items()):
    for j, run in enumerate(runs):
        ax.plot(range(1, 5), run, "osD^P"[k] + "-", color=f"C{k}", label=name if j == 0 else None)
ax.set(xlabel="epoch", ylabel="training loss", ylim=(0, 2.5), xticks=range(1, 5))
ax.set(title="Twenty plain layers learn worse than eight")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Training loss over four epochs, two seeds for each of five towers. Plain 20 without norm stays level at 2.3, pure guessing. With batch norm it falls, but slowly. Residual 20 without norm falls with it, side by side. Well below them ends plain 8, and lowest of all residual 20, both with norm.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Four things to keep:
#
# - Twenty plain layers without norm learned **nothing**. That is the vanished gradient of the picture above.
# - Either remedy alone makes them learn, about equally fast here: batch norm keeps the spread in order, shortcuts let the gradient pass.
# - With batch norm the gradient is **not** small, and still plain 20 is worse than plain 8, **on the training data**. So it is not overfitting. This is what He and others found and called *degradation*: deeper plain networks are harder to optimise.
# - With both, twenty layers are no burden: after four epochs their training loss is lower than that of eight. (On the test digits it is no better: 1,024 pictures are few.)

# %% [markdown] slideshow={"slide_type": "notes"}
# Depth alone did not kill that gradient; torch's initialisation did. With Kaiming's (lesson 08) the tower without either remedy learned too, when we tried: its loss came to 1.1 to 1.3 in four seeds. That is still above all the other lines that fall.
#
# A misconception to lose: *"more layers can only help; the extra ones could do nothing"*. They could, but gradient descent does not find that. With a shortcut, "do nothing" is near: the correction has only to become zero.

# %% [markdown] slideshow={"slide_type": "notes"}
# Our towers are small and shortly trained. Given 14 epochs, with three seeds, plain 20 came to 0.20 to 0.39, residual 20 to 0.03 to 0.07, plain 8 to 0.01. The shortcut still mends most of what depth spoils. But for a task this small eight layers are enough.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 13 · Famous networks, counted
#
# Each has one idea worth remembering:
#
# - **LeNet-5** (1998): convolve and pool, shared weights.
# - **AlexNet** (2012): the same, larger: colour photographs, ReLU, dropout, augmentation, GPUs. Won ImageNet (1.2 million photographs, 1,000 classes) by a wide margin.
# - **VGG-16** (2014): nothing but 3 × 3, in stages; when the size halves, the channels double (up to 512).
# - **ResNet** (2015): residual blocks. ResNet-18 has two 3 × 3 in a block; ResNet-50 a **bottleneck**: 1 × 1 down, 3 × 3, 1 × 1 up.
#
# `torchvision` has the last three. We build them without weights, on torch's **meta** device: shapes without numbers, so that nothing is computed and even VGG costs no memory.

# %% [markdown] slideshow={"slide_type": "notes"}
# How many multiplications does a layer do? Each number that comes out is a sum over one kernel: $C_\text{in} k^2$ products, or as many as inputs for a dense layer. In both cases: **size of the output times `weight[0].numel()`**. A **forward hook** is a function that torch calls whenever a module has computed something; ours notes that product.

# %% slideshow={"slide_type": "subslide"}
def multiplications(model, shape):
    """Name of each convolution and dense layer -> its multiplications for one picture."""
    counts = {}

    def note(name):
        def hook(module, inputs, output):
            counts[name] = output.numel() * module.weight[0].numel()

        return hook

    layers = {name: m for name, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    hooks = [m.register_forward_hook(note(name)) for name, m in layers.items()]
    model.eval()(torch.empty(1, *shape, device="meta"))
    for hook in hooks:
        hook.remove()
    return counts


with torch.device("meta"):
    zoo = {"LeNet-5": LeNet()}
    for name in ("alexnet", "vgg16", "resnet18", "resnet50"):
        zoo[name] = torchvision.models.get_model(name, weights=None)
print(multiplications(zoo["LeNet-5"], (1, 28, 28)))

# %% [markdown] slideshow={"slide_type": "notes"}
# By hand for `conv1`: $28 \cdot 28$ places, 6 kernels of 25: 117,600. Now all of them. In which layers are the parameters, in which the work?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("12.cost")

# %% slideshow={"slide_type": "subslide", "show": "output"}
rows = {}
print("network     parameters   of them dense   multiplications   of them dense")
for name, model in zoo.items():
    counts = multiplications(model, (1, 28, 28) if name == "LeNet-5" else (3, 224, 224))
    dense = [key for key in counts if isinstance(model.get_submodule(key), nn.Linear)]
    parameters, work = count_parameters(model), sum(counts.values())
    dense_parameters = sum(count_parameters(model.get_submodule(key)) for key in dense)
    dense_work = sum(counts[key] for key in dense)
    rows[name] = parameters, work, dense_work
    print(f"{name:9} {parameters:12,} {dense_parameters / parameters:15.0%} {work:17,} {dense_work / work:15.1%}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# A misconception to lose: *"a network with few parameters is cheap to run"*. In AlexNet and VGG the dense layers hold about 90% of the parameters and do a small part of the work. A convolution's weights are few, but each is used at every place. ResNet-50 has less than half of AlexNet's parameters and does almost six times the work. **Parameters cost memory, multiplications cost time**, roughly: in training the maps are kept too, and they can take more memory than the weights.
#
# Now hold these counts against the papers.

# %% [markdown] slideshow={"slide_type": "subslide"}
# | network | paper says | we count |
# |---|---|---|
# | LeNet-5 | 60,000 parameters, 340,908 connections | 61,706 and 416,520 |
# | AlexNet | 60 million parameters | 61.1 million |
# | VGG-16 | 138 million parameters; 15.3 billion multiplications (in the ResNet paper) | 138.4 million; 15.5 billion |
# | ResNet-18 | 1.8 billion multiplications | 1.8 billion |
# | ResNet-50 | 3.8 billion multiplications | 4.1 billion |
#
# (The ResNet paper writes *FLOPs* and means a multiplication with its addition, as we count.)
#
# Close, but not equal. "Close" is not an explanation. Look for the reason of each difference, and compute it.

# %% slideshow={"slide_type": "subslide", "show": "output"}
pairs = 60  # of the 96 pairs of channels, the second convolution of 1998 used 60
c1, c3 = 6 * 26, pairs * 25 + 16
pools = 2 * 6 + 2 * 16  # each pooling map had a weight and a bias; the ten outputs had fixed weights
print("LeNet-5 of 1998, parameters: ", f"{c1 + c3 + pools + 120 * 401 + 84 * 121:,}")
links = 28 * 28 * c1 + 14 * 14 * 6 * 5 + 10 * 10 * c3 + 5 * 5 * 16 * 5 + 120 * 401 + 84 * 121 + 10 * 84
print("LeNet-5 of 1998, connections:", f"{links:,}")

with torch.device("meta"):
    two_gpus = [nn.Conv2d(3, 96, 11, 4, 2), nn.MaxPool2d(3, 2)]
    two_gpus += [nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.MaxPool2d(3, 2)]
    two_gpus += [nn.Conv2d(256, 384, 3, padding=1), nn.Conv2d(384, 384, 3, padding=1, groups=2)]
    two_gpus += [nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.MaxPool2d(3, 2), nn.Flatten()]
    alexnet2012 = nn.Sequential(*two_gpus, nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000))
    resnet2015 = torchvision.models.resnet50(weights=None)
for stage in (resnet2015.layer2, resnet2015.layer3, resnet2015.layer4):
    stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
print(f"AlexNet on two GPUs:          {count_parameters(alexnet2012):,} parameters")
vgg = rows["vgg16"][1] - rows["vgg16"][2]
print(f"VGG-16, convolutions alone:   {vgg / 1e9:.2f} billion multiplications")
work2015 = sum(multiplications(resnet2015, (3, 224, 224)).values())
print(f"ResNet-50, stride in the 1×1: {work2015 / 1e9:.2f} billion multiplications")

# %% slideshow={"slide_type": "skip"}
assert c1 + c3 + pools + 120 * 401 + 84 * 121 == 60_000 and links == 340_908
assert count_parameters(alexnet2012) == 60_965_224 and rows["alexnet"][0] == 61_100_840
assert rows["vgg16"][0] == 138_357_544 and abs(rows["resnet18"][1] / 1.8e9 - 1) < 0.02
assert work2015 < 3.9e9 < rows["resnet50"][1]

# %% [markdown] slideshow={"slide_type": "fragment"}
# - **LeNet-5**: ours is simpler. In 1998 the second convolution joined only 60 of its $6 \cdot 16$ pairs of channels, pooling had weights, and the last layer's were fixed. Counted so, both figures of the paper come out exactly. (Its connections include biases.)
# - **AlexNet**: the paper's network was divided over two GPUs; three of its convolutions saw only half of the channels (`groups=2`). torchvision has a later version for one GPU (64 first kernels, not 96).
# - **VGG-16**: 15.3 fits the convolutions alone (15.35); the dense layers add 0.12.
# - **ResNet-50**: torchvision halves the size in the 3 × 3, the paper in the first 1 × 1 of the block. With the paper's choice it is 3.86 (cut off: 3.8).

# %% [markdown] slideshow={"slide_type": "notes"}
# Papers mix, too: in the same sentence as VGG-16's 15.3, the ResNet paper gives VGG-19 19.6 billion. That fits only **with** the dense layers (19.63; without them 19.51).
#
# So when two sources give different counts for "the same" network, ask: the same variant? convolutions only? multiplications, or multiplications **and** additions (twice as many)? biases?
#
# In practice nobody trains these from nothing for 1,000 photographs: one takes trained weights and fits the last layer (lesson 17).

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - A convolution lays a kernel on every place and sums the products over all channels (unturned: cross-correlation). Out comes ⌊(n + 2p − d(k−1) − 1)/s⌋ + 1 in each direction.
# - Weights are shared by all places, so a layer has only $C_\text{out}(C_\text{in}k^2 + 1)$ of them, and a moved input gives a moved map: equivariance. Invariance comes from pooling (2 × 2: a little; global: nearly all) and from augmentation.
# - LeNet-5, two convolutions with pooling and three dense layers, gets 99% of the MNIST test set right. A unit's receptive field grows by $(k-1)$ times the jump at each layer.
# - Plain deep networks can lose their gradient (here, with torch's initialisation); batch norm keeps it in order, yet deep plain ones still train worse than shallow ones. A shortcut adds the input to the output and mends most of that.
# - Multiplications = size of the output times size of one kernel. Convolutions do most of the work in all five networks. The parameters are in the dense layers in LeNet, AlexNet and VGG; ResNets have only one small dense layer.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A picture of 3 × 64 × 64 meets 32 kernels of 5 × 5 with stride 2 and padding 2. Shape of the output, parameters, multiplications?</summary>
#
# (64 + 4 − 5)/2 = 31.5, rounded down 31, plus 1: 32 × 32 × 32. Parameters 32 · (3 · 25 + 1) = 2,432. Multiplications 32 · 32 · 32 · 75 = 2,457,600.
# </details>
#
# <details><summary>2. "My CNN recognises a cat in any corner, because convolutions are shift invariant." What is wrong, and what could make it true?</summary>
#
# They are equivariant: the map moves along, and a dense layer on it must have seen the cat in each corner. Global pooling, or augmentation by shifts, could make it (nearly) true.
# </details>
#
# <details><summary>3. How large is the receptive field behind 7 × 7 with stride 2, max pooling 3 with stride 2, and 3 × 3?</summary>
#
# 1 + 6 = 7, jump 2; 7 + 2 · 2 = 11, jump 4; 11 + 2 · 4 = 19.
# </details>
#
# <details><summary>4. Your 40-layer plain network has a higher training loss than your 10-layer one. Overfitting?</summary>
#
# No: overfitting would show a lower training loss. It is hard to optimise. Look at the gradient layer by layer; add batch norm and shortcuts.
# </details>
#
# <details><summary>5. Why bias=False before a batch norm, and where does the bias come from then?</summary>
#
# Batch norm subtracts each channel's mean, and with it any bias: it would have no effect and gradient zero. The norm's own shift (beta) takes its place.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/12_cnn.ipynb](exercises/12_cnn.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 12.conv2d | the layer by hand | ●●● |
# | 12.output_size | how many places a window finds | ●● |
# | 12.max_pool2d | the largest of each window | ●● |
# | 12.count_conv_parameters | with and without bias | ● |
# | 12.lenet | the network from its table | ●● |
# | 12.residual_block | two convolutions and a shortcut | ●●● |
# | 12.receptive_field | how far a unit sees | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# Convolution shares weights over places. Lesson 13 shares them over **time**: networks that read one thing after another and remember. There the vanishing gradient comes back, and with it a kind of shortcut.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). *Gradient-based learning applied to document recognition.* LeNet-5; its counts are in section II.
# - A. Krizhevsky, I. Sutskever, G. Hinton (2012). *ImageNet classification with deep convolutional neural networks.* AlexNet. (torchvision's follows Krizhevsky's *One weird trick for parallelizing convolutional neural networks*, 2014.)
# - K. Simonyan, A. Zisserman (2014). *Very deep convolutional networks for large-scale image recognition.* VGG; parameters in its table 2.
# - K. He, X. Zhang, S. Ren, J. Sun (2016). *Deep residual learning for image recognition.* (First version and ImageNet's prize: 2015.) Section 12 follows its figures 1 and 6; multiplications in its table 1.
# - W. Luo, Y. Li, R. Urtasun, R. Zemel (2016). *Understanding the effective receptive field in deep convolutional neural networks.*
# - V. Dumoulin, F. Visin (2016). *A guide to convolution arithmetic for deep learning.* Padding, stride and dilation in pictures.
