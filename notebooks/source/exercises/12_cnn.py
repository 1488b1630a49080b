# %% [markdown]
# # 12 · Exercises: Seeing with shared weights
#
# They go with [lesson 12](../12_cnn.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from utils.checks import check, hint, progress

# %% exercise="12.conv2d"
# === statement
# ### 12.conv2d ●●● A window that slides
#
# Write `conv2d(X, W, b)`: every kernel laid on every place of every picture, with stride 1 and without padding. The kernel is
# **not** turned round. Loops are allowed.
#
# - `X`: pictures, shape (B, C, height, width)
# - `W`: kernels, shape (C_out, C, kh, kw), as `nn.Conv2d` keeps them; pictures and kernels need not be square
# - `b`: one bias for each kernel, shape (C_out,)
# - returns: shape (B, C_out, height − kh + 1, width − kw + 1). Each number is the sum of all C · kh · kw products of the window
#   with the kernel, plus the kernel's bias
#
# For example, one picture ((1, 0, 2), (0, 3, 1), (2, 1, 0)), one channel, one kernel ((1, 2), (0, −1)) and bias 10 give the map
# ((8, 13), (15, 15)). Top left: 1·1 + 2·0 + 0·0 − 1·3 = −2, plus 10.
# === code
def conv2d(X, W, b):
    """X (B, C, H, W), kernels (C_out, C, kh, kw), b (C_out,) -> (B, C_out, H - kh + 1, W - kw + 1)."""
    # === solution
    kh, kw = W.shape[2:]
    out_h, out_w = X.shape[2] - kh + 1, X.shape[3] - kw + 1
    out = X.new_empty(len(X), len(W), out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            window = X[:, None, :, i : i + kh, j : j + kw]  # (B, 1, C, kh, kw)
            out[:, :, i, j] = (window * W).sum(dim=(2, 3, 4)) + b
    return out
    # === stub
    raise NotImplementedError("write conv2d, then run this cell and the check below")
    # === end
# === explanation
# Two loops over places; pictures and kernels meet by broadcasting: (B, 1, C, kh, kw) times (C_out, C, kh, kw) is
# (B, C_out, C, kh, kw), and the last three axes are summed over. Four loops, with one picture and one kernel at a time, are right,
# too, only slower. The lesson's `unfold` does without any.

# %% exercise="12.output_size"
# === statement
# ### 12.output_size ●● How many places a window finds
#
# Write `output_size(n, kernel, stride=1, padding=0, dilation=1)`: how many places a window finds along one axis of a picture. The
# window begins at the left end of the padded axis and moves by `stride`; what is left over at the right end is not looked at.
#
# - `n`: length of the axis in pixels; `padding`: zeros put on at **each** end
# - `kernel`: weights in a row of the kernel; `dilation`: distance of two neighbours among them, 1 if there are no gaps
# - returns: a whole number (int), the height or width in the shape of the map
# - raises `ValueError` if no window fits, and if n, kernel, stride or dilation is below 1 or padding below 0
#
# For example `output_size(32, 3, 2, 1)`: the padded axis has 34 pixels, the window 3, so 31 are left for steps of 2. That is 15
# steps and a half, so 16 places. And `output_size(4, 5)` raises a ValueError.
# === code
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    """How many places a window finds along an axis of n pixels."""
    # === solution
    if min(n, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("n, kernel, stride and dilation must be 1 or more, padding 0 or more")
    room = n + 2 * padding - (dilation * (kernel - 1) + 1)
    if room < 0:
        raise ValueError(f"the window is {-room} pixels too long")
    return room // stride + 1
    # === stub
    raise NotImplementedError("write output_size, then run this cell and the check below")
    # === end
# === explanation
# A kernel of k weights has k − 1 distances between them, each of `dilation` pixels, so it spreads over dilation · (k − 1) + 1. The
# room that is left is divided into steps, rounded down, and the first place counts too.
#
# Without the check a window that does not fit would give 0 places or fewer. With `int(room / stride)` it might even give 1: `int`
# cuts −0.5 off to 0, while `//` rounds it down to −1.

# %% exercise="12.max_pool2d"
# === statement
# ### 12.max_pool2d ●● The largest of each window
#
# Write `max_pool2d(X, size)`: the largest number of each window of size × size pixels, for each channel by itself. The windows
# lie side by side and do not overlap. Rows at the bottom and columns on the right that do not fill a window are left out.
#
# - `X`: pictures or maps, shape (B, C, height, width)
# - `size`: side of the window, a whole number, not larger than height and width
# - returns: shape (B, C, height // size, width // size)
#
# For example, with windows of 2 the map ((1, 4, −2, 0, 9), (2, 3, −1, −5, 9), (−7, −3, 6, 5, 9), (−4, −8, 8, 7, 9)) becomes
# ((4, 0), (−3, 8)): the last column is left over.
# === code
def max_pool2d(X, size):
    """The largest number of each window: (B, C, H, W) -> (B, C, H // size, W // size)."""
    # === solution
    B, C, H, W = X.shape
    h, w = H // size, W // size
    windows = X[:, :, : h * size, : w * size].reshape(B, C, h, size, w, size)
    return windows.amax(dim=(3, 5))
    # === stub
    raise NotImplementedError("write max_pool2d, then run this cell and the check below")
    # === end
# === explanation
# `reshape` may cut an axis in two: of the h · size rows, row number r becomes window r // size and place r % size. So the axes are
# (…, window row, place in it, window column, place in it), and the maximum goes over both places. Two loops over the windows are
# right as well.

# %% exercise="12.count_conv_parameters"
# === statement
# ### 12.count_conv_parameters ● What sharing saves
#
# Write `count_conv_parameters(c_in, c_out, kernel, bias=True)`: how many numbers a convolution learns.
#
# - `c_in`, `c_out`: channels that come in and go out; `kernel`: side of the square kernel
# - `bias`: whether the layer has biases
# - returns: a whole number (int). (The weights have the shape (c_out, c_in, kernel, kernel), the biases (c_out,).)
#
# For example `count_conv_parameters(4, 8, 3)` is 8 · (4 · 9 + 1) = 296, and `count_conv_parameters(4, 8, 3, False)` is 288.
# === code
def count_conv_parameters(c_in, c_out, kernel, bias=True):
    """Number of weights and biases of a convolution with square kernels."""
    # === solution
    weights = c_out * c_in * kernel**2
    return weights + c_out if bias else weights
    # === stub
    raise NotImplementedError("write count_conv_parameters, then run this cell and the check below")
    # === end
# === explanation
# The size of the picture plays no part: every place uses the same weights. On a picture of 28 × 28 with 4 channels, a dense layer
# to 8 maps of the same size would have about 20 million numbers; this convolution has 296.

# %% exercise="12.lenet"
# === statement
# ### 12.lenet ●● LeNet-5 from its table
#
# Write the class `LeNet`, an `nn.Module`; `LeNet()` makes the network of this table. ReLU follows each convolution and the first
# two dense layers; nothing follows the last one. All layers have biases.
#
# | layer | output |
# |---|---|
# | picture | 1 × 28 × 28 |
# | convolution 5 × 5, padding 2, ReLU | 6 × 28 × 28 |
# | max pooling 2 | 6 × 14 × 14 |
# | convolution 5 × 5, no padding, ReLU | 16 × 10 × 10 |
# | max pooling 2 | 16 × 5 × 5 |
# | flatten, dense, ReLU | 120 |
# | dense, ReLU | 84 |
# | dense | 10 |
#
# - `forward(X)`: `X` of shape (B, 1, 28, 28) gives the logits, shape (B, 10)
#
# For example, the network has ten parameters, from the first kernels, (6, 1, 5, 5), to the last biases, (10,): 61,706 numbers.
# The names of the layers are yours. The check puts its own weights into your network and looks at what comes out.
# === code
class LeNet(nn.Module):
    """LeNet-5 with ReLU and max pooling: pictures (B, 1, 28, 28) -> logits (B, 10)."""

    def __init__(self):
        # === solution
        super().__init__()
        first = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]  # (B, 6, 14, 14)
        second = [nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]  # (B, 16, 5, 5)
        dense = [nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
        self.layers = nn.Sequential(*first, *second, nn.Flatten(), *dense)
        # === stub
        raise NotImplementedError("make the layers here")
        # === end

    def forward(self, X):
        # === solution
        return self.layers(X)
        # === stub
        raise NotImplementedError("send X through the layers, then run this cell and the check below")
        # === end
# === explanation
# Padding 2 keeps 28 × 28 under a window of 5. Without padding 14 becomes 10, halved 5: so 16 · 5 · 5 = 400 numbers reach the first
# dense layer, which holds most of the parameters. `nn.Flatten` leaves the batch's axis alone, as `X.flatten(1)` does.
#
# Since the way through is a plain chain, `nn.Sequential` will do. The lesson writes each step out, and pools before the ReLU: the
# largest number stays the largest, so the result is the same, from a quarter of the work for the ReLU.

# %% exercise="12.residual_block"
# === statement
# ### 12.residual_block ●●● A block with a shortcut
#
# Write the class `ResidualBlock(c_in, c_out, stride=1)`, an `nn.Module` made of `nn.Conv2d` and `nn.BatchNorm2d`. Two ways lead
# through it.
#
# - the long way: convolution 3 × 3 from c_in to c_out channels with the given stride and padding 1, batch norm, ReLU, convolution
#   3 × 3 with stride 1 and padding 1, batch norm
# - the shortcut: if c_in is c_out **and** the stride is 1, the input itself, untouched. Else a convolution 1 × 1 from c_in to
#   c_out with the same stride, and batch norm
# - then both are added, and after the sum comes ReLU
# - no convolution has a bias, since the norm after it would remove it
# - `forward(X)`: `X` of shape (B, c_in, H, W) gives (B, c_out, H', W'), with H' = H / stride and W' = W / stride rounded up
#
# For example, `ResidualBlock(4, 4)` has six parameters: two kernels of shape (4, 4, 3, 3), and gamma and beta, shape (4,), of two
# norms. `ResidualBlock(4, 8, 2)` has nine, and turns (B, 4, 6, 6) into (B, 8, 3, 3). The names of the layers are yours. The check
# puts its own weights in and uses the block in training and in evaluation mode.
# === code
class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions with batch norm, and a shortcut that is added to what they give."""

    def __init__(self, c_in, c_out, stride=1):
        # === solution
        super().__init__()

        def conv(inputs, size, step):
            layer = nn.Conv2d(inputs, c_out, size, step, padding=size // 2, bias=False)
            return nn.Sequential(layer, nn.BatchNorm2d(c_out))

        self.first, self.second = conv(c_in, 3, stride), conv(c_out, 3, 1)
        same = c_in == c_out and stride == 1
        self.shortcut = nn.Identity() if same else conv(c_in, 1, stride)
        # === stub
        raise NotImplementedError("make the layers here")
        # === end

    def forward(self, X):
        # === solution
        correction = self.second(torch.relu(self.first(X)))
        return torch.relu(correction + self.shortcut(X))
        # === stub
        raise NotImplementedError("both ways and their sum, then run this cell and the check below")
        # === end
# === explanation
# All three convolutions are followed by a norm, so a small helper makes the pairs. A padding of size // 2 is 1 for 3 × 3 and 0 for
# 1 × 1, so both ways give the same height and width for any stride.
#
# The ReLU stands after the sum: before it, the correction may be negative. Where the shape stays, the shortcut has nothing to
# learn, and the block that changes nothing is within easy reach.

# %% exercise="12.receptive_field"
# === statement
# ### 12.receptive_field ●● How far a unit sees
#
# Write `receptive_field(layers)`: the side of the square of input pixels that can reach one unit behind these layers.
#
# - `layers`: a list of pairs (kernel, stride), convolutions and poolings, from the input on; it may be empty
# - returns: a whole number (int). (In words of shapes: only a window of field × field pixels of the picture can change the unit.)
#
# For example `receptive_field([(5, 1), (2, 2), (3, 1)])`: a kernel of 5 sees 5 pixels; the pooling sees 5 + 1 = 6, and behind it
# neighbours lie 2 pixels apart; so the kernel of 3 adds 2 · 2, which makes 10. And `receptive_field([])` is 1: the pixel itself.
# === code
def receptive_field(layers):
    """Side of the square of input pixels that one unit behind these layers can see."""
    # === solution
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field
    # === stub
    raise NotImplementedError("write receptive_field, then run this cell and the check below")
    # === end
# === explanation
# A layer adds kernel − 1 steps to the field, and each step is as long as the jump of the map it looks at. Its own stride changes
# the jump for those that follow, so the order of the two lines matters. Backwards it goes without a jump: from the last layer to
# the first, field = (field − 1) · stride + kernel.

# %%
progress()
