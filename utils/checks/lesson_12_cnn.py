"""The exercises of lesson 12 as data: convolution and pooling by hand, what they cost, two networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .common import (
    NOT_LOOKED_AT,
    changed,
    given_back,
    gradient_reach,
    made_module,
    normal,
    whole_number,
)
from .exercise import Case, Exercise, Misconception, NotAsAsked

# --------------------------------------------------------------------------------------- 12.conv2d


def conv2d(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Every kernel at every place: (B, C, H, W), (C_out, C, kh, kw), (C_out,) -> (B, C_out, H', W')."""
    kh, kw = W.shape[2:]
    out_h, out_w = X.shape[2] - kh + 1, X.shape[3] - kw + 1
    out = X.new_empty(len(X), len(W), out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            window = X[:, None, :, i : i + kh, j : j + kw]  # (B, 1, C, kh, kw)
            out[:, :, i, j] = (window * W).sum(dim=(2, 3, 4)) + b
    return out


def conv2d_cases(generator: torch.Generator) -> list[Case]:
    """Square and oblong ones; as many kernels as columns, where a bias on the wrong axis can be added."""

    def layer(B: int, C: int, H: int, W: int, out: int, kh: int, kw: int) -> tuple[Tensor, Tensor, Tensor]:
        return (
            normal(generator, B, C, H, W),
            normal(generator, out, C, kh, kw),
            normal(generator, out),
        )

    def whole(*shape: int) -> Tensor:
        return torch.randint(-4, 5, shape, generator=generator).double()

    example = (
        torch.tensor([[[[1.0, 0, 2], [0, 3, 1], [2, 1, 0]]]]),
        torch.tensor([[[[1.0, 2], [0, -1]]]]),
        torch.tensor([10.0]),
    )
    n = whole_number(generator, 5, 6)
    return [
        Case("values", example, "the example of the statement"),
        Case("values", layer(2, 3, n, n, 2, 3, 3), "three channels, two kernels"),
        Case("values", layer(2, 2, 5, 5, 3, 3, 3), "as many kernels as places in a row"),
        Case("shapes", layer(2, 2, 4, n + 1, 3, 3, 2), "neither pictures nor kernels are square"),
        Case("shapes", layer(1, 2, 4, 4, 1, 2, 2), "a batch of one, one kernel"),
        Case("types", (whole(2, 2, 4, 3), whole(2, 2, 2, 2), whole(2)), "float64"),
        Case("edge cases", layer(3, 4, 3, 2, 2, 1, 1), "kernels of 1 × 1"),
        Case("edge cases", layer(2, 2, 3, 4, 3, 3, 4), "a kernel as large as the picture: one place"),
    ]


_CONV = """
def conv2d(X, W, b):
    kh, kw = W.shape[2:]
    out_h, out_w = X.shape[2] - kh + 1, X.shape[3] - kw + 1
    out = torch.zeros(X.shape[0], W.shape[0], out_h, out_w)
    for i in range(out_h):
        for j in range(out_w):
            window = X[:, None, :, i : i + kh, j : j + kw]
            out[:, :, i, j] = (window * W).sum(dim=(2, 3, 4)) + b
    return out
"""
_PRODUCTS = "(window * W).sum(dim=(2, 3, 4)) + b"

CONV2D = Exercise(
    id="12.conv2d",
    name="conv2d",
    title="A window that slides",
    difficulty=3,
    points=5,
    minutes=15,
    cases=conv2d_cases,
    reference=conv2d,
    result="a tensor of shape (B, C_out, H − kh + 1, W − kw + 1), floating point",
    misconceptions=(
        Misconception(
            "kernel turned round",
            changed(_CONV, ("    kh, kw", "    W = W.flip(2, 3)\n    kh, kw")),
            "You turn the kernel by 180° before it slides. That is the convolution of mathematics; in this "
            "course, as in torch, the kernel is laid on as it is.",
        ),
        Misconception(
            "rows and columns of the kernel swapped",
            changed(_CONV, ("    kh, kw", "    W = W.transpose(2, 3)\n    kh, kw")),
            "You lay the kernel on with its rows for columns. Its first row belongs on the first row of the "
            "window.",
        ),
        Misconception(
            "only the last channel",
            changed(
                _CONV,
                (
                    f"            out[:, :, i, j] = {_PRODUCTS}",
                    "            for c in range(X.shape[1]):\n"
                    "                out[:, :, i, j] = (window[:, :, c] * W[:, c]).sum(dim=(2, 3)) + b",
                ),
            ),
            "Each channel overwrites the one before it, so only the last counts. The channels' sums are "
            "added up.",
        ),
        Misconception(
            "only the first channel",
            changed(_CONV, (_PRODUCTS, "(window[:, :, 0] * W[:, 0]).sum(dim=(2, 3)) + b")),
            "You look at channel 0 only. A kernel has a slice for every channel, and all their products go "
            "into one sum.",
        ),
        Misconception(
            "channels kept apart",
            """
def conv2d(X, W, b):
    kh, kw = W.shape[2:]
    windows = X.unfold(2, kh, 1).unfold(3, kw, 1)
    return torch.einsum("bchwij,ocij->bochw", windows, W) + b[:, None, None, None]
""",
            "Your result has an axis too many: a map for each kernel and each channel. A kernel makes one "
            "map, since its channels are summed over as well.",
        ),
        Misconception(
            "channels averaged",
            changed(_CONV, (_PRODUCTS, "(window * W).sum(dim=(3, 4)).mean(dim=2) + b")),
            "You take the mean over the channels. Their sums are added, not averaged.",
        ),
        Misconception(
            "channels added before multiplying",
            changed(_CONV, (_PRODUCTS, "(window.sum(dim=2) * W.sum(dim=1)).sum(dim=(2, 3)) + b")),
            "You add up the channels first, of the picture and of the kernel, and multiply then. So red "
            "meets the weights for green, too. Each channel is multiplied with its own slice of the kernel.",
        ),
        Misconception(
            "the mean of the window",
            changed(_CONV, (_PRODUCTS, "(window * W).mean(dim=(2, 3, 4)) + b")),
            "You take the mean of the products. It is their sum: how large the answer is, the weights "
            "decide.",
        ),
        Misconception(
            "one place too few",
            changed(
                _CONV,
                ("X.shape[2] - kh + 1, X.shape[3] - kw + 1", "X.shape[2] - kh, X.shape[3] - kw"),
                ("    out = ", "    out_h, out_w = max(out_h, 0), max(out_w, 0)\n    out = "),
            ),
            "You miss the last place in each direction. A window as large as the picture still fits once: "
            "count the places with a small example.",
        ),
        Misconception(
            "as large as the picture",
            changed(
                _CONV,
                (
                    "    out = ",
                    "    X = torch.nn.functional.pad(X, ((kw - 1) // 2, kw // 2, (kh - 1) // 2, kh // 2))\n"
                    "    out_h, out_w = X.shape[2] - kh + 1, X.shape[3] - kw + 1\n    out = ",
                ),
            ),
            "You put zeros round the picture, so that the map is as large as it. No padding is asked for: "
            "the window stays inside.",
        ),
        Misconception(
            "windows that do not overlap",
            changed(
                _CONV,
                (
                    "out_h, out_w = X.shape[2] - kh + 1, X.shape[3] - kw + 1",
                    "out_h, out_w = X.shape[2] // kh, X.shape[3] // kw",
                ),
                ("i : i + kh, j : j + kw", "i * kh : (i + 1) * kh, j * kw : (j + 1) * kw"),
            ),
            "Your window jumps by its own size, as in pooling. Here it moves by one pixel at a time, and the "
            "windows overlap.",
        ),
        Misconception(
            "bias forgotten",
            changed(_CONV, (_PRODUCTS, "(window * W).sum(dim=(2, 3, 4))")),
            "The sums are right, but the bias is not added.",
        ),
        Misconception(
            "bias for every channel",
            changed(
                _CONV,
                (
                    f"            out[:, :, i, j] = {_PRODUCTS}",
                    "            for c in range(X.shape[1]):\n"
                    "                out[:, :, i, j] += (window[:, :, c] * W[:, c]).sum(dim=(2, 3)) + b",
                ),
            ),
            "You add the bias once for each channel that comes in. A kernel has one bias, added once, after "
            "the sum.",
        ),
        Misconception(
            "bias for every product",
            changed(_CONV, (_PRODUCTS, "(window * W + b[:, None, None, None]).sum(dim=(2, 3, 4))")),
            "The bias stands inside the sum, so it is added once for every product. It comes once, after the "
            "sum.",
        ),
        Misconception(
            "bias along the columns",
            changed(_CONV, (_PRODUCTS, "(window * W).sum(dim=(2, 3, 4))"), ("return out", "return out + b")),
            "Your bias runs along the last axis, the columns of the map. It belongs to the kernels, which "
            "are axis 1 of the result.",
        ),
        Misconception(
            "one bias for all",
            changed(_CONV, (" + b\n", " + b.sum()\n")),
            "You add the sum of all biases everywhere. Each kernel has its own.",
        ),
        Misconception(
            "matrix product in the window",
            changed(_CONV, ("(window * W)", "(window @ W)")),
            "`@` is a product of matrices: rows meet columns. Under the window each pixel is multiplied with "
            "the weight that lies on it, number by number.",
        ),
        Misconception(
            "one kernel for all maps",
            changed(_CONV, ("(window * W)", "(window * W[:1])")),
            "All your maps come from kernel 0; only their biases differ. Map o is made with kernel o.",
        ),
        Misconception(
            "the first picture for all",
            changed(_CONV, ("X[:, None, :, i", "X[:1, None, :, i")),
            "You look at picture 0 only and give its maps to the whole batch. Each picture has maps of its "
            "own.",
        ),
        Misconception(
            "returns inside the loop",
            changed(_CONV, ("    return out", "        return out")),
            "Only the first row of your map is filled: `return` stands inside the loop over the rows. It "
            "belongs after both loops.",
        ),
        Misconception(
            "rows and columns of the place swapped",
            changed(
                _CONV,
                (
                    "window = X[:, None, :, i : i + kh, j : j + kw]",
                    "window = X[:, None, :, j : j + kh, i : i + kw]",
                ),
            ),
            "Your window walks down where it should walk to the right: the row of the map belongs to the "
            "rows of the picture, and the column to its columns.",
        ),
        Misconception(
            "ReLU included",
            changed(_CONV, ("return out", "return out.clamp(min=0)")),
            "Your map has no negative numbers. The ReLU comes after the convolution and is not part of it.",
        ),
    ),
    hints=(
        "Take one picture, one kernel and one place first: a window of shape (C, kh, kw) and a kernel of the "
        "same shape. What becomes of them? Then put loops round it.",
        "Work out how many places there are in each direction and make an empty result. For each place cut "
        "the window out of all pictures, multiply it with each kernel, sum over channels and both axes of "
        "the window, and add the bias.",
    ),
    alternatives=(
        "def conv2d(X, W, b):\n    return torch.nn.functional.conv2d(X, W, b)\n",
        """
def conv2d(X, W, b):
    B, C, height, width = X.shape
    kernels, _, kh, kw = W.shape
    out = torch.zeros(B, kernels, height - kh + 1, width - kw + 1)
    for n in range(B):
        for o in range(kernels):
            for i in range(height - kh + 1):
                for j in range(width - kw + 1):
                    out[n, o, i, j] = (X[n, :, i : i + kh, j : j + kw] * W[o]).sum() + b[o]
    return out
""",
        """
def conv2d(X, W, b):
    kh, kw = W.shape[2:]
    windows = X.unfold(2, kh, 1).unfold(3, kw, 1)
    return torch.einsum("bchwij,ocij->bohw", windows, W) + b[:, None, None]
""",
        """
def conv2d(X, W, b):
    kh, kw = W.shape[2:]
    h, w = X.shape[2] - kh + 1, X.shape[3] - kw + 1
    out = b.reshape(1, -1, 1, 1)
    for i in range(kh):
        for j in range(kw):
            moved = X[:, :, i : i + h, j : j + w]
            out = out + (W[:, :, i, j] @ moved.flatten(2)).reshape(len(X), len(W), h, w)
    return out
""",
    ),
)

# ---------------------------------------------------------------------------------- 12.output_size


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many places a window finds along one axis; a ValueError if there is none."""
    if min(n, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("n, kernel, stride and dilation must be 1 or more, padding 0 or more")
    spread = dilation * (kernel - 1) + 1
    if spread > n + 2 * padding:
        raise ValueError(f"a window of {spread} does not fit into {n + 2 * padding}")
    return (n + 2 * padding - spread) // stride + 1


def output_size_cases(generator: torch.Generator) -> list[Case]:
    n = whole_number(generator, 20, 40)
    kernel, stride = 2 * whole_number(generator, 2, 4) + 1, whole_number(generator, 2, 3)
    return [
        Case("values", (32, 3, 2, 1), "the example of the statement"),
        Case("values", (28, 5), "neither stride nor padding given"),
        Case("values", (28, 5, 1, 2), "the padding that keeps the size"),
        Case("values", (28, 3, 1, 0, 4), "dilation"),
        Case("values", (224, 11, 4, 2), "AlexNet's first layer"),
        Case("values", (n, kernel, stride, 1, 2)),
        Case("values", (n + 1, 3, stride + 1, 0, 3)),
        Case("values", (30, 4, 3, 1), "three quarters of a step are left over"),
        Case("edge cases", (7, 7), "a window as large as the picture"),
        Case("edge cases", (2, 5, 2, 2), "a window that fits because of the padding"),
        Case("edge cases", (1, 1), "one pixel, a kernel of one"),
        Case("edge cases", (4, 5), "a window one too large"),
        Case("edge cases", (3, 7, 4), "a window too large, with stride"),
        Case("edge cases", (8, 5, 2, 0, 2), "a window too large because of the dilation"),
        Case("edge cases", (3, 9, 1, 2), "too large in spite of the padding"),
        Case("edge cases", (8, 3, 0), "stride 0"),
        Case("edge cases", (8, 3, -1), "stride −1"),
        Case("edge cases", (8, 0), "a kernel of 0"),
        Case("edge cases", (8, 3, 1, -1), "negative padding"),
        Case("edge cases", (8, 3, 1, 0, 0), "dilation 0"),
        Case("edge cases", (0, 1, 1, 1), "no pixels"),
    ]


_SIZE = """
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    if min(n, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("impossible")
    spread = dilation * (kernel - 1) + 1
    room = n + 2 * padding - spread
    if room < 0:
        raise ValueError("no window fits")
    return room // stride + 1
"""
_SPREAD = "spread = dilation * (kernel - 1) + 1"
_FITS = '    if room < 0:\n        raise ValueError("no window fits")\n'
_POSSIBLE = (
    '    if min(n, kernel, stride, dilation) < 1 or padding < 0:\n        raise ValueError("impossible")\n'
)

OUTPUT_SIZE = Exercise(
    id="12.output_size",
    name="output_size",
    title="How many places a window finds",
    difficulty=2,
    points=3,
    minutes=10,
    cases=output_size_cases,
    reference=output_size,
    result="a whole number, 1 or more",
    misconceptions=(
        Misconception(
            "dilation counted once",
            changed(_SIZE, (_SPREAD, "spread = kernel + dilation - 1")),
            "You count the gap once. Between k weights there are k − 1 distances, each of `dilation` pixels.",
        ),
        Misconception(
            "fit judged by the kernel alone",
            changed(_SIZE, ("if room < 0:", "if kernel > n:")),
            "You compare the kernel with the bare picture. Padding makes room for a larger kernel, and "
            "dilation makes a small one spread too far.",
        ),
        Misconception(
            "steps, not places",
            changed(_SIZE, ("room // stride + 1", "room // stride")),
            "You count the steps. There is one place more than steps: the one where the window stands first.",
        ),
        Misconception(
            "rounded up",
            changed(_SIZE, ("room // stride + 1", "-(-room // stride) + 1")),
            "You round up. The last step would carry the window over the edge: what is left over is not "
            "looked at.",
        ),
        Misconception(
            "rounded to the nearest",
            changed(_SIZE, ("room // stride + 1", "round(room / stride) + 1")),
            "You round to the nearest whole number, so now and then upwards. Half a step, or three quarters "
            "of one, is no step.",
        ),
        Misconception(
            "not rounded",
            changed(_SIZE, ("room // stride + 1", "room / stride + 1")),
            "`/` gives a number with a decimal point, and half places. A count is a whole number, rounded "
            "down.",
        ),
        Misconception(
            "plus 1 before dividing",
            changed(_SIZE, ("room // stride + 1", "(room + 1) // stride")),
            "You add the 1 before you divide by the stride. With stride 1 that is the same; else the first "
            "place gets lost now and then.",
        ),
        Misconception(
            "padding on one side",
            changed(_SIZE, ("n + 2 * padding", "n + padding")),
            "You add the padding once. It is put on at both ends.",
        ),
        Misconception(
            "padding forgotten",
            changed(_SIZE, ("n + 2 * padding", "n")),
            "The padding is not used in your size.",
        ),
        Misconception(
            "dilation forgotten",
            changed(_SIZE, (_SPREAD, "spread = kernel")),
            "The dilation is not used in your size. With gaps in it, a window spreads over more pixels than "
            "it has weights.",
        ),
        Misconception(
            "dilation times kernel",
            changed(_SIZE, (_SPREAD, "spread = dilation * kernel")),
            "You take dilation · kernel for the window's spread. That has a gap too many: three weights have "
            "two gaps between them.",
        ),
        Misconception(
            "the gaps as the spread",
            changed(_SIZE, (_SPREAD, "spread = dilation * (kernel - 1)")),
            "Your window is one pixel too short: from its first pixel to its last it is dilation · "
            "(kernel − 1) steps, and the first pixel itself counts too.",
        ),
        Misconception(
            "no errors at all",
            changed(_SIZE, (_POSSIBLE, ""), (_FITS, "")),
            "Your formula is right, but it answers impossible questions, too: with 0 or a negative number "
            "where the window is too large, or with nonsense for a stride of −1. Raise a ValueError there.",
        ),
        Misconception(
            "no error where no window fits",
            changed(_SIZE, (_FITS, "")),
            "The sizes are right, but where the window is too large you return 0 or a negative number. "
            "A ValueError is asked for.",
        ),
        Misconception(
            "cut off at the point, and no error",
            changed(_SIZE, (_FITS, ""), ("room // stride + 1", "int(room / stride) + 1")),
            "No error where the window is too large. And `int` cuts off what stands behind the point, "
            "towards 0: a window that sticks out by less than a step seems to fit once.",
        ),
        Misconception(
            "0 where no window fits",
            changed(_SIZE, (_FITS, "    if room < 0:\n        return 0\n")),
            "Where no window fits you return 0. Such a layer cannot work: raise a ValueError, so that it is "
            "noticed here and not ten layers on.",
        ),
        Misconception(
            "no error for impossible settings",
            changed(_SIZE, (_POSSIBLE, "")),
            "You check whether the window fits, but not whether the numbers make sense: a stride or kernel "
            "of 0, a negative padding.",
        ),
        Misconception(
            "an exact fit refused",
            changed(_SIZE, ("room < 0", "room <= 0")),
            "You refuse a window that is just as large as the padded picture. It fits, in one place.",
        ),
        Misconception(
            "fit judged without the padding",
            changed(_SIZE, ("if room < 0", "if spread > n")),
            "You compare the window with the bare picture. It slides over the padded one, so it may be "
            "larger than n.",
        ),
        Misconception(
            "fit judged without the dilation",
            changed(_SIZE, ("if room < 0", "if kernel > n + 2 * padding")),
            "You look whether the kernel fits, without its gaps. It is the window's whole spread that must "
            "fit.",
        ),
    ),
    hints=(
        "Draw the axis with its padding as a row of boxes, and lay the window at its left end. How many "
        "boxes are free to its right, and how many steps of the stride are in that?",
        "Refuse impossible numbers. Work out the spread of the window with its gaps, and the length of the "
        "padded axis. If the first is larger, raise a ValueError. Else divide the room that is left by the "
        "stride, rounded down, and count the first place.",
    ),
    alternatives=(
        """
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    if n < 1 or kernel < 1 or stride < 1 or dilation < 1 or padding < 0:
        raise ValueError("impossible setting")
    last = n + 2 * padding - dilation * (kernel - 1) - 1
    if last < 0:
        raise ValueError("no window fits")
    return math.floor(last / stride) + 1
""",
        """
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    if min(n, kernel, stride, dilation) <= 0 or padding < 0:
        raise ValueError("impossible setting")
    places = len(range(0, n + 2 * padding - dilation * (kernel - 1), stride))
    if places == 0:
        raise ValueError("no window fits")
    return places
""",
        """
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    for number, least in ((n, 1), (kernel, 1), (stride, 1), (padding, 0), (dilation, 1)):
        if number < least:
            raise ValueError("impossible setting")
    places, end = 0, dilation * (kernel - 1)
    while end < n + 2 * padding:
        places += 1
        end += stride
    if not places:
        raise ValueError("no window fits")
    return places
""",
    ),
)

# ----------------------------------------------------------------------------------- 12.max_pool2d


def max_pool2d(X: Tensor, size: int) -> Tensor:
    """The largest number of each window: (B, C, H, W) -> (B, C, H // size, W // size)."""
    B, C, H, W = X.shape
    h, w = H // size, W // size
    windows = X[:, :, : h * size, : w * size].reshape(B, C, h, size, w, size)
    return windows.amax(dim=(3, 5))


def max_pool2d_cases(generator: torch.Generator) -> list[Case]:
    """Even and odd sizes, negative numbers only, sizes at which wrong ways of cutting still fit."""
    example = [[1.0, 4, -2, 0, 9], [2, 3, -1, -5, 9], [-7, -3, 6, 5, 9], [-4, -8, 8, 7, 9]]
    n = whole_number(generator, 3, 4)
    return [
        Case("values", (torch.tensor([[example]]), 2), "the example of the statement"),
        Case("values", (normal(generator, 2, 3, 6, 6), 3), "windows of 3 × 3"),
        Case("values", (normal(generator, 2, 3, 4, 8), 2)),
        Case("values", (-1 - normal(generator, 2, 2, 4, 4).abs(), 2), "negative numbers only"),
        Case("shapes", (normal(generator, 2, 2, 7, 5), 2), "a row and a column are left over"),
        Case("shapes", (normal(generator, 1, 4, 3 * n + 2, 8), 3), "a batch of one, two rows left over"),
        Case("types", (normal(generator, 2, 2, 4, 6).double(), 2), "float64"),
        Case("edge cases", (normal(generator, 2, 2, 3, 4), 1), "windows of one pixel"),
        Case("edge cases", (normal(generator, 2, 3, n, n), n), "one window, as large as the picture"),
    ]


_POOL = """
def max_pool2d(X, size):
    B, C, H, W = X.shape
    h, w = H // size, W // size
    windows = X[:, :, : h * size, : w * size].reshape(B, C, h, size, w, size)
    return windows.amax(dim=(3, 5))
"""
_POOL_LOOP = """
def max_pool2d(X, size):
    B, C, H, W = X.shape
    h, w = H // size, W // size
    out = torch.zeros(B, C, h, w, dtype=X.dtype)
    for i in range(h):
        for j in range(w):
            window = X[:, :, i * size : (i + 1) * size, j * size : (j + 1) * size]
            out[:, :, i, j] = window.amax(dim=(2, 3))
    return out
"""
_LARGEST = "window.amax(dim=(2, 3))"
_CORNERS = "i * size : (i + 1) * size, j * size : (j + 1) * size"

MAX_POOL2D = Exercise(
    id="12.max_pool2d",
    name="max_pool2d",
    title="The largest of each window",
    difficulty=2,
    points=3,
    minutes=10,
    cases=max_pool2d_cases,
    reference=max_pool2d,
    result="a tensor of shape (B, C, H // size, W // size), floating point",
    misconceptions=(
        Misconception(
            "mean for maximum",
            changed(_POOL, ("amax", "mean")),
            "You take the mean of each window: average pooling. The largest number is asked for.",
        ),
        Misconception(
            "smallest for largest",
            changed(_POOL, ("amax", "amin")),
            "You take the smallest number of each window. A feature map is large where the kernel found "
            "something, and that is what should be kept.",
        ),
        Misconception(
            "rows broken up",
            changed(
                _POOL, ("(B, C, h, size, w, size)", "(B, C, h, w, size, size)"), ("dim=(3, 5)", "dim=(4, 5)")
            ),
            "`reshape` leaves the numbers in their order, row after row, so your size × size axes hold "
            "neighbours of one row and not a square. The axis of the rows must be cut in two, and that of "
            "the columns, each for itself.",
        ),
        Misconception(
            "pixels far apart",
            changed(
                _POOL, ("(B, C, h, size, w, size)", "(B, C, size, h, size, w)"), ("dim=(3, 5)", "dim=(2, 4)")
            ),
            "You cut the rows the other way: your windows are made of pixels that lie far apart. In an axis "
            "cut in two, the part that counts faster stands last. Which of the two counts the rows inside a "
            "window?",
        ),
        Misconception(
            "nothing may be left over",
            changed(_POOL, ("X[:, :, : h * size, : w * size]", "X")),
            "Where rows or columns are left over, the numbers cannot be put into whole windows. What is left "
            "over has to go first.",
        ),
        Misconception(
            "the left over kept",
            changed(
                _POOL_LOOP,
                ("H // size, W // size", "-(-H // size), -(-W // size)"),
            ),
            "You make smaller windows of what is left over at the end. It is not looked at: only whole "
            "windows count.",
        ),
        Misconception(
            "cut off at the wrong end",
            changed(_POOL, ("X[:, :, : h * size, : w * size]", "X[:, :, H - h * size :, W - w * size :]")),
            "You drop the first row or column where one is left over. The windows begin at the top left; "
            "what is left over lies at the bottom and on the right.",
        ),
        Misconception(
            "windows that overlap",
            changed(
                _POOL_LOOP,
                ("H // size, W // size", "H - size + 1, W - size + 1"),
                (_CORNERS, "i : i + size, j : j + size"),
            ),
            "Your window moves by one pixel, as in a convolution. Here it moves by its own size, so that no "
            "two windows overlap.",
        ),
        Misconception(
            "moved by one, as many as there should be",
            changed(_POOL_LOOP, (_CORNERS, "i : i + size, j : j + size")),
            "There are as many windows as there should be, but they lie close together at the top left: "
            "each begins one pixel after the one before, not a whole window.",
        ),
        Misconception(
            "always 2 × 2",
            changed(_POOL, ("    B, C", "    size = 2\n    B, C")),
            "Your windows are 2 × 2, whatever `size` says.",
        ),
        Misconception(
            "always by 2",
            changed(
                _POOL_LOOP,
                ("H // size, W // size", "(H - size) // 2 + 1, (W - size) // 2 + 1"),
                (_CORNERS, "2 * i : 2 * i + size, 2 * j : 2 * j + size"),
            ),
            "Your windows have the right size, but they always move by 2. They move by `size`.",
        ),
        Misconception(
            "one pixel of each window",
            changed(_POOL, ("windows.amax(dim=(3, 5))", "windows[:, :, :, 0, :, 0]")),
            "You keep the top left number of each window, whether or not it is the largest.",
        ),
        Misconception(
            "never below zero",
            changed(_POOL_LOOP, (_LARGEST, f"torch.maximum(out[:, :, i, j], {_LARGEST})")),
            "You compare with a result that begins with zeros, so nothing below 0 comes out. Where all "
            "numbers of a window are negative, the largest of them is too.",
        ),
        Misconception(
            "largest size, whatever the sign",
            changed(_POOL_LOOP, (_LARGEST, "window.abs().amax(dim=(2, 3))")),
            "You drop the signs before you compare. −7 is smaller than 2, not larger.",
        ),
        Misconception(
            "over the channels too",
            changed(_POOL, ("windows.amax(dim=(3, 5))", "windows.amax(dim=(1, 3, 5))[:, None]")),
            "You take the largest over all channels as well. Each channel is pooled for itself.",
        ),
        Misconception(
            "only the rows",
            changed(
                _POOL,
                (
                    "X[:, :, : h * size, : w * size].reshape(B, C, h, size, w, size)",
                    "X[:, :, : h * size].reshape(B, C, h, size, W)",
                ),
                ("dim=(3, 5)", "dim=3"),
            ),
            "You pool along the rows' axis only: the map keeps its width. A window has two sides.",
        ),
        Misconception(
            "the place for the number",
            changed(_POOL_LOOP, (_LARGEST, "window.flatten(2).argmax(dim=2)")),
            "You return where in its window the largest number stands, not the number itself.",
        ),
        Misconception(
            "one maximum for all pictures and channels",
            changed(_POOL_LOOP, (_LARGEST, "window.max()")),
            "`max()` without an axis goes over all pictures and channels at once. Each picture and each "
            "channel has a largest number of its own.",
        ),
        Misconception(
            "the maximum over the windows",
            """
def max_pool2d(X, size):
    return X.unfold(2, size, size).unfold(3, size, size).amax(dim=(2, 3))
""",
            "You take the largest over all windows, for each place in them. It goes the other way: over the "
            "places inside, for each window. After `unfold` these are the last axes.",
        ),
        Misconception(
            "one maximum for the map",
            changed(_POOL, ("windows.amax(dim=(3, 5))", "windows.amax(dim=(2, 3, 4, 5))")),
            "You take the largest of the whole map: global pooling. Each window has a largest number of its "
            "own.",
        ),
    ),
    hints=(
        "How many whole windows fit in each direction, and where does window (i, j) begin? Two loops will "
        "do; or cut the axis of the rows and that of the columns in two each.",
        "Drop what is left over. Then either go through the windows and take the largest over the last two "
        "axes, or reshape to six axes, with the window number before the place in the window, and take the "
        "largest over the two places.",
    ),
    alternatives=(
        "def max_pool2d(X, size):\n    return torch.nn.functional.max_pool2d(X, size)\n",
        _POOL_LOOP,
        "def max_pool2d(X, size):\n"
        "    return X.unfold(2, size, size).unfold(3, size, size).flatten(4).max(dim=4).values\n",
        """
def max_pool2d(X, size):
    h, w = X.shape[2] // size, X.shape[3] // size
    best = None
    for i in range(size):
        for j in range(size):
            one = X[:, :, i : h * size : size, j : w * size : size]
            best = one if best is None else torch.maximum(best, one)
    return best
""",
    ),
)

# ------------------------------------------------------------------------ 12.count_conv_parameters


def count_conv_parameters(c_in: int, c_out: int, kernel: int, bias: bool = True) -> int:
    """How many numbers a convolution with square kernels learns."""
    return c_out * (c_in * kernel**2 + (1 if bias else 0))


def count_conv_cases(generator: torch.Generator) -> list[Case]:
    c_in, c_out = whole_number(generator, 10, 20), whole_number(generator, 30, 50)
    kernel = whole_number(generator, 2, 4) * 2 + 1
    return [
        Case("values", (4, 8, 3), "the example of the statement"),
        Case("values", (4, 8, 3, False), "the same without biases"),
        Case("values", (1, 6, 5), "LeNet's first layer"),
        Case("values", (3, 64, 7, False), "ResNet's first layer"),
        Case("values", (c_in, c_out, kernel)),
        Case("values", (c_out, c_in, kernel + 1, False)),
        Case("edge cases", (256, 64, 1), "1 × 1"),
        Case("edge cases", (1, 1, 1), "as small as can be"),
    ]


def _counted(formula: str) -> str:
    return f"def count_conv_parameters(c_in, c_out, kernel, bias=True):\n    return {formula}\n"


COUNT = Exercise(
    id="12.count_conv_parameters",
    name="count_conv_parameters",
    title="What sharing saves",
    difficulty=1,
    points=2,
    minutes=5,
    cases=count_conv_cases,
    reference=count_conv_parameters,
    result="a whole number",
    misconceptions=(
        Misconception(
            "the numbers of a single kernel",
            _counted("c_in * kernel**2 + bool(bias)"),
            "You count a single kernel with its bias. There are c_out of them.",
        ),
        Misconception(
            "biases never counted",
            _counted("c_out * c_in * kernel ** 2"),
            "You count the weights only. With `bias=True` there are biases, too.",
        ),
        Misconception(
            "biases always counted",
            _counted("c_out * (c_in * kernel ** 2 + 1)"),
            "Your number does not depend on `bias`: without biases it is too large.",
        ),
        Misconception(
            "biases the other way round",
            _counted("c_out * (c_in * kernel ** 2 + (0 if bias else 1))"),
            "You count the biases just where there are none.",
        ),
        Misconception(
            "kernel not squared",
            _counted("c_out * (c_in * kernel + bool(bias))"),
            "You multiply by `kernel` once. A kernel has that many rows and that many columns.",
        ),
        Misconception(
            "kernel doubled",
            _counted("c_out * (c_in * kernel * 2 + bool(bias))"),
            "You multiply by 2 · kernel: rows plus columns. A kernel has a weight in each row and each "
            "column, rows times columns.",
        ),
        Misconception(
            "a flat kernel",
            _counted("c_out * (kernel ** 2 + bool(bias))"),
            "Your kernels are flat: c_in is not used. Each has a slice for every channel that comes in.",
        ),
        Misconception(
            "one kernel for all",
            _counted("c_in * kernel ** 2 + (c_out if bias else 0)"),
            "You count the weights of one kernel. Each channel that goes out has a kernel of its own.",
        ),
        Misconception(
            "biases by the channels that come in",
            _counted("c_in * (c_out * kernel ** 2 + bool(bias))"),
            "You count a bias for each channel that comes in. It belongs to the kernels: one for each "
            "channel that goes out.",
        ),
        Misconception(
            "a bias for each slice",
            _counted("c_out * c_in * (kernel ** 2 + bool(bias))"),
            "You count a bias for each slice of each kernel. All slices of a kernel go into one sum, with "
            "one bias.",
        ),
        Misconception(
            "one bias in all",
            _counted("c_out * c_in * kernel ** 2 + bool(bias)"),
            "You count one bias for the layer. Each kernel has its own.",
        ),
        Misconception(
            "a bias for each weight",
            _counted("c_out * c_in * kernel ** 2 * (2 if bias else 1)"),
            "You count a bias for each weight. A bias is added once to the whole sum of a kernel.",
        ),
        Misconception(
            "a dense layer",
            _counted("c_out * (c_in + bool(bias))"),
            "That is a dense layer from c_in to c_out: the size of the kernel is not used.",
        ),
        Misconception(
            "channels squared too",
            _counted("c_out * ((c_in * kernel) ** 2 + bool(bias))"),
            "You square the channels together with the kernel's side. Only the kernel has two sides of that "
            "length.",
        ),
        Misconception(
            "channels added",
            _counted("(c_in + c_out) * kernel ** 2 + (c_out if bias else 0)"),
            "You add the two numbers of channels. Each of c_out kernels has c_in slices: that is a product.",
        ),
    ),
    hints=(
        "How many weights has one kernel, with all its slices? And how many kernels are there?",
        "One kernel: channels in, times rows, times columns, and one bias if there are biases. Times the "
        "number of kernels.",
    ),
    alternatives=(
        _counted("c_in * c_out * kernel * kernel + c_out * int(bias)"),
        _counted("sum(p.numel() for p in torch.nn.Conv2d(c_in, c_out, kernel, bias=bias).parameters())"),
        """
def count_conv_parameters(c_in, c_out, kernel, bias=True):
    weights = c_out * c_in * kernel ** 2
    if bias:
        return weights + c_out
    return weights
""",
    ),
)

# --------------------------------------------------------------------------- what modules are asked


def _listed(shapes: Sequence[tuple[int, ...]]) -> dict[str, str]:
    """What there is to learn, by shape: {"shape (4, 4, 3, 3), 2 times": "kernels"}.

    How many there are stands in the key, so that a wrong number is told before anything else.
    """
    kinds = {1: "one for each channel or unit", 2: "weights", 4: "kernels"}
    times = {shape: f", {shapes.count(shape)} times" if shapes.count(shape) > 1 else "" for shape in shapes}
    return {f"shape {shape}{times[shape]}": kinds.get(len(shape), "learned") for shape in shapes}


# ---------------------------------------------------------------------------------------- 12.lenet


class LeNet(nn.Module):
    """LeNet-5 with today's parts: ReLU, max pooling, ten logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, X: Tensor) -> Tensor:
        X = F.max_pool2d(torch.relu(self.conv1(X)), 2)
        X = F.max_pool2d(torch.relu(self.conv2(X)), 2)
        X = torch.relu(self.fc1(X.flatten(1)))
        return self.fc3(torch.relu(self.fc2(X)))


_LENET_SHAPES = (  # no two are alike, so that a parameter is known by its shape
    *((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)),
    *((120, 400), (120,), (84, 120), (84,), (10, 84), (10,)),
)


def lenet_behaviour(work: type, X: Tensor, seed: int) -> tuple[Any, ...]:
    """Probe: makes a network, gives it weights drawn from the seed, and looks at what it is and does.

    Names and order of the layers are the learner's own. Where the parameters are not those asked for, the
    logits say nothing, and a sentence stands for them.

    Raises:
        NotAsAsked: if the object is no module with a `forward`, or what it returns is no tensor.
    """
    model = made_module(work)
    generator = torch.Generator().manual_seed(seed)
    given = {}
    for shape in _LENET_SHAPES:
        fan_in = max(1, torch.Size(shape[1:]).numel())
        spread = (2 / fan_in) ** 0.5 if len(shape) > 1 else 0.5
        given[shape] = normal(generator, *shape, scale=spread)
    parameters = list(model.parameters())
    with torch.no_grad():
        for parameter in parameters:
            if tuple(parameter.shape) in given:
                parameter.copy_(given[tuple(parameter.shape)])
    have = _listed([tuple(p.shape) for p in parameters])
    whole = have == _listed(list(_LENET_SHAPES))
    try:
        logits, again = given_back(model(X)), given_back(model(X))
    except RuntimeError as error:
        if whole and "channels, but got" in str(error):
            raise NotAsAsked(
                "In `forward` a convolution gets another number of channels than it takes. In the table the "
                "picture has 1 and the first maps are 6: does each step use its own layer, in this order?"
            ) from None
        if whole or isinstance(error, NotImplementedError):
            raise
        # shapes that do not fit are no wonder where layers are wrong: of these the learner hears first
        return have, NOT_LOOKED_AT, "failed", "not looked at"
    return (
        have,
        logits.detach() if whole else NOT_LOOKED_AT,
        "gives the same" if torch.equal(logits, again) else "gives something else",
        gradient_reach(model, logits),
    )


def lenet_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, B: int, note: str) -> Case:
        return Case(group, (normal(generator, B, 1, 28, 28), whole_number(generator, 0, 10_000)), note)

    return [
        case("values", 3, "three pictures"),
        case("values", whole_number(generator, 4, 6), "other weights"),
        case("shapes", 1, "a batch of one"),
        Case("edge cases", (torch.zeros(2, 1, 28, 28), whole_number(generator, 0, 10_000)), "black pictures"),
    ]


_LENET = """
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, X):
        X = F.max_pool2d(torch.relu(self.conv1(X)), 2)
        X = F.max_pool2d(torch.relu(self.conv2(X)), 2)
        X = X.flatten(1)
        X = torch.relu(self.fc1(X))
        X = torch.relu(self.fc2(X))
        return self.fc3(X)
"""

LENET = Exercise(
    id="12.lenet",
    name="LeNet",
    title="LeNet-5 from its table",
    difficulty=2,
    points=4,
    minutes=15,
    cases=lenet_cases,
    reference=LeNet,
    probe=lenet_behaviour,
    input_names=("X", "seed of the weights"),
    output_names=("list of parameters", "output", "second call", "gradient"),
    result="a module whose parameters are found and whose forward gives logits",
    rtol=1e-3,
    atol=1e-4,
    given={"nn": nn, "F": F},
    misconceptions=(
        Misconception(
            "flatten size as if the second convolution kept the size",
            changed(_LENET, ("16 * 5 * 5", "16 * 7 * 7")),
            "You expect 16 maps of 7 × 7. The second convolution has no padding, so it makes 14 × 14 "
            "smaller before the pooling halves it.",
        ),
        Misconception(
            "second convolution padded",
            changed(_LENET, ("(6, 16, 5)", "(6, 16, 5, padding=2)"), ("16 * 5 * 5", "16 * 7 * 7")),
            "Your second convolution keeps the size, 14 × 14. In the table it has no padding: from 14 pixels "
            "a window of 5 leaves 10.",
        ),
        Misconception(
            "first convolution not padded, sizes made to fit",
            changed(_LENET, (", padding=2", ""), ("16 * 5 * 5", "16 * 4 * 4")),
            "Your network works, but with 16 maps of 4 × 4 at the end: the padding of the first convolution "
            "is missing. In the table it keeps 28 × 28.",
        ),
        Misconception(
            "first convolution not padded",
            changed(_LENET, (", padding=2", "")),
            "Your layers have the right shapes, but what arrives at a dense layer has another number of "
            "features than it takes. Print the shape after each step: does the first convolution keep "
            "28 × 28, as in the table?",
        ),
        Misconception(
            "size before the last pooling",
            changed(_LENET, ("16 * 5 * 5", "16 * 10 * 10")),
            "You expect 16 maps of 10 × 10. That is their size before the second pooling.",
        ),
        Misconception(
            "one pooling missing",
            changed(
                _LENET,
                ("F.max_pool2d(torch.relu(self.conv2(X)), 2)", "torch.relu(self.conv2(X))"),
                ("self.fc1 = nn.Linear(16 * 5 * 5, 120)", "self.fc1 = nn.Linear(16 * 10 * 10, 120)"),
            ),
            "Your network works, but the second pooling is missing, and the first dense layer has four times "
            "the weights it should have.",
        ),
        Misconception(
            "channels forgotten in the flatten size",
            changed(_LENET, ("16 * 5 * 5", "5 * 5")),
            "Your first dense layer takes 25 numbers: one map of 5 × 5. There are 16 of them, and all are "
            "flattened.",
        ),
        Misconception(
            "the batch flattened too",
            changed(_LENET, ("X.flatten(1)", "X.flatten()")),
            "You flatten the batch as well, so all pictures become one long row. The first axis has to stay.",
        ),
        Misconception(
            "mean pooling",
            changed(_LENET, ("F.max_pool2d", "F.avg_pool2d")),
            "The parameters are right, but you take the mean of each window. (So, nearly, did the network of "
            "1998.) Max pooling is asked for.",
        ),
        Misconception(
            "sigmoid",
            changed(_LENET, ("torch.relu", "torch.sigmoid")),
            "You bend with the sigmoid. ReLU is asked for.",
        ),
        Misconception(
            "tanh",
            changed(_LENET, ("torch.relu", "torch.tanh")),
            "You bend with tanh, as the network of 1998 did. ReLU is asked for.",
        ),
        Misconception(
            "no ReLU after the convolutions",
            changed(
                _LENET,
                ("torch.relu(self.conv1(X))", "self.conv1(X)"),
                ("torch.relu(self.conv2(X))", "self.conv2(X)"),
            ),
            "There is no ReLU after your convolutions. They are linear layers, and need their bend like any "
            "other.",
        ),
        Misconception(
            "no ReLU after the second convolution",
            changed(_LENET, ("torch.relu(self.conv2(X))", "self.conv2(X)")),
            "There is no ReLU behind your second convolution. One follows each of the two.",
        ),
        Misconception(
            "log-softmax on the logits",
            changed(_LENET, ("return self.fc3(X)", "return torch.log_softmax(self.fc3(X), dim=1)")),
            "You return logarithms of probabilities. The logits are asked for, as they leave the last layer: "
            "cross-entropy takes these.",
        ),
        Misconception(
            "no ReLU between the dense layers",
            changed(
                _LENET, ("torch.relu(self.fc1(X))", "self.fc1(X)"), ("torch.relu(self.fc2(X))", "self.fc2(X)")
            ),
            "There is no ReLU between your dense layers, so the three of them together are a single linear "
            "layer.",
        ),
        Misconception(
            "ReLU on the logits",
            changed(_LENET, ("return self.fc3(X)", "return torch.relu(self.fc3(X))")),
            "You apply ReLU to the last layer too, so no logit can be negative.",
        ),
        Misconception(
            "softmax on the logits",
            changed(_LENET, ("return self.fc3(X)", "return torch.softmax(self.fc3(X), dim=1)")),
            "You return probabilities. Logits are asked for: the cross-entropy applies the softmax itself.",
        ),
        Misconception(
            "kernels of 3 × 3",
            changed(
                _LENET,
                ("(1, 6, 5, padding=2)", "(1, 6, 3, padding=1)"),
                ("(6, 16, 5)", "(6, 16, 3)"),
                ("16 * 5 * 5", "16 * 6 * 6"),
            ),
            "Your kernels are 3 × 3. LeNet's are 5 × 5.",
        ),
        Misconception(
            "layers made at every call",
            """
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, X):
        X = F.max_pool2d(torch.relu(nn.Conv2d(1, 6, 5, padding=2)(X)), 2)
        X = F.max_pool2d(torch.relu(nn.Conv2d(6, 16, 5)(X)), 2).flatten(1)
        X = torch.relu(nn.Linear(120, 84)(torch.relu(nn.Linear(400, 120)(X))))
        return nn.Linear(84, 10)(X)
""",
            "You make the layers inside `forward`: new ones with new random weights at every call, and none "
            "that the module knows of. Make them once, in `__init__`, and keep them on `self`.",
        ),
        Misconception(
            "a dense layer left out",
            changed(
                _LENET,
                ("        self.fc2 = nn.Linear(120, 84)\n", ""),
                ("        X = torch.relu(self.fc2(X))\n", ""),
                ("(84, 10)", "(120, 10)"),
            ),
            "You go from 120 straight to 10. Between them there is a layer of 84 units.",
        ),
    ),
    hints=(
        "Write the shape of X behind every step beside your code, as in the table. The number of inputs of "
        "the first dense layer is what stands there after the second pooling, all channels together.",
        "In `__init__`: two convolutions (the first padded), three dense layers. In `forward`: convolution, "
        "ReLU, pooling, twice; flatten all but the batch; dense and ReLU, twice; the last dense layer alone.",
    ),
    alternatives=(
        _LENET,
        """
class LeNet(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 6, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )
""",
        """
class LeNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.out = nn.Linear(84, classes)
        self.dense = nn.ModuleList([nn.Linear(16 * 5 * 5, 120), nn.Linear(120, 84)])
        self.convolutions = nn.ModuleList([nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)])
        self.pool = nn.MaxPool2d(2, stride=2)

    def forward(self, X):
        for layer in self.convolutions:
            X = self.pool(layer(X)).relu()
        X = X.reshape(len(X), -1)
        for layer in self.dense:
            X = layer(X).clamp(min=0)
        return self.out(X)
""",
    ),
)

# ------------------------------------------------------------------------------- 12.residual_block


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions with batch norm, and a shortcut round them."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, X: Tensor) -> Tensor:
        out = torch.relu(self.norm1(self.conv1(X)))
        out = self.norm2(self.conv2(out))
        return torch.relu(out + self.shortcut(X))


def _block_shapes(c_in: int, c_out: int, stride: int) -> list[tuple[int, ...]]:
    """Shapes of the parameters of a residual block."""
    shapes = [(c_out, c_in, 3, 3), (c_out, c_out, 3, 3)] + 4 * [(c_out,)]
    if stride != 1 or c_in != c_out:
        shapes += [(c_out, c_in, 1, 1), (c_out,), (c_out,)]
    return shapes


class _Trace:
    """Which convolutions and norms a call of the block goes through, and what they give.

    The names and the order of a learner's layers are free, and many have the same shape. What a layer is for
    is therefore seen from the way X takes: a kernel of one pixel belongs to the shortcut, the others are the
    first and the second convolution, and a norm belongs to the convolution whose output it gets.
    """

    def __init__(self, model: nn.Module, X: Tensor) -> None:
        self.roles: dict[nn.Module, str] = {}
        self.outputs: dict[str, Tensor] = {}  # role of a convolution: its output
        self._latest, self._main = "nothing", 0
        kinds = (nn.Conv2d, nn.BatchNorm2d)
        hooks = [m.register_forward_hook(self._note) for m in model.modules() if isinstance(m, kinds)]
        self.error: RuntimeError | None = None
        try:
            with torch.no_grad():
                model(X)
        except RuntimeError as error:
            self.error = error
        for hook in hooks:
            hook.remove()

    def _note(self, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            if module.kernel_size == (1, 1):
                role = "the shortcut's convolution"
            else:
                self._main += 1
                role = f"3 × 3 convolution number {self._main}"
            self._latest = role
            self.outputs[role] = output
        else:
            before = next((r for r, out in self.outputs.items() if out is inputs[0]), self._latest)
            role = f"norm after {before}"
        self.roles.setdefault(module, role)

    def give_weights(self, seed: int) -> None:
        """Weights and running statistics that depend on the seed, the layer's part and its shape only."""
        parts = ("3 × 3 convolution number 1", "3 × 3 convolution number 2", "the shortcut's convolution")
        order = [*parts, *(f"norm after {part}" for part in parts)]
        for module, role in self.roles.items():
            number = order.index(role) if role in order else len(order)
            generator = torch.Generator().manual_seed(10 * seed + number)
            with torch.no_grad():
                if isinstance(module, nn.Conv2d):
                    fan_in = module.weight[0].numel()
                    module.weight.copy_(normal(generator, *module.weight.shape, scale=(2 / fan_in) ** 0.5))
                    if module.bias is not None:
                        module.bias.zero_()
                    continue
                size = module.num_features
                for name, low, high in (("weight", 0.5, 1.5), ("bias", -0.5, 0.5)):
                    values = low + (high - low) * torch.rand(size, generator=generator)
                    if getattr(module, name) is not None:
                        getattr(module, name).copy_(values)
                if module.running_mean is not None and module.running_var is not None:
                    module.running_mean.copy_(normal(generator, size, scale=0.5))
                    module.running_var.copy_(0.5 + torch.rand(size, generator=generator))


def _do_not_meet(trace: _Trace, wanted: tuple[int, ...]) -> NotAsAsked | None:
    """Where the sum fails: which of the two ways gives another shape than the block should."""
    shapes = {role: tuple(out.shape) for role, out in trace.outputs.items()}
    main = [shape for role, shape in shapes.items() if role.startswith("3 × 3")]
    short = shapes.get("the shortcut's convolution")
    for name, shape in (("the two convolutions give", main[-1:]), ("the shortcut gives", short and [short])):
        if shape and shape[0] != wanted:
            return NotAsAsked(
                f"In `forward` {name} a tensor of shape {shape[0]}, where {wanted} is asked for."
            )
    return None


def block_behaviour(
    work: type, c_in: int, c_out: int, stride: int, X: Tensor, seed: int
) -> tuple[dict[str, str], Any, Any, str]:
    """Probe: makes a block, gives it weights drawn from the seed, and uses it in both modes.

    Returned are the parameters that are found, the outputs in training and in evaluation mode, and how many
    parameters a gradient reaches. Where the parameters are not those asked for, the outputs say nothing, and
    a sentence stands for them.

    Raises:
        NotAsAsked: if the object is no module with a `forward`, what it returns is no tensor, or the shapes
            of the two ways do not meet.
    """
    model = made_module(work, c_in, c_out) if stride == 1 else made_module(work, c_in, c_out, stride)
    have = _listed([tuple(p.shape) for p in model.parameters()])
    whole = have == _listed(_block_shapes(c_in, c_out, stride))
    model.train()
    trace = _Trace(model, X)
    if trace.error is not None:
        if isinstance(trace.error, NotImplementedError):
            raise trace.error
        if not whole:  # shapes that do not fit are no wonder where layers are wrong: of these one hears first
            return have, NOT_LOOKED_AT, NOT_LOOKED_AT, "not looked at"
        wanted = (len(X), c_out, -(-X.shape[2] // stride), -(-X.shape[3] // stride))
        raise _do_not_meet(trace, wanted) or trace.error
    if not whole:
        return have, NOT_LOOKED_AT, NOT_LOOKED_AT, gradient_reach(model, given_back(model(X)))
    trace.give_weights(seed)
    training = given_back(model(X))
    reached = gradient_reach(model, training)
    trace.give_weights(seed)  # the running statistics have moved
    model.eval()
    with torch.no_grad():
        return have, training.detach(), given_back(model(X)), reached


def block_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, c_in: int, c_out: int, stride: int, B: int, H: int, W: int, note: str) -> Case:
        seed = whole_number(generator, 0, 10_000)
        return Case(group, (c_in, c_out, stride, normal(generator, B, c_in, H, W), seed), note)

    n = whole_number(generator, 3, 5)
    return [
        case("values", n, n, 1, 3, 6, 6, "the shape stays"),
        case("values", n, 2 * n, 2, 3, 6, 8, "more channels, half the size"),
        case("values", n, n + 1, 1, 2, 5, 4, "one channel more, the same size"),
        case("values", n + 1, n + 1, 2, 2, 6, 6, "the same channels, half the size"),
        case("shapes", 6, 2, 1, 2, 4, 6, "fewer channels"),
        case("shapes", n, n, 1, 1, 4, 5, "a batch of one, the shape stays"),
        case("edge cases", 2, 3, 2, 2, 7, 5, "odd height and width, stride 2"),
        case("edge cases", 2, 4, 3, 2, 7, 6, "stride 3"),
    ]


_BLOCK = """
class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, X):
        out = torch.relu(self.norm1(self.conv1(X)))
        out = self.norm2(self.conv2(out))
        return torch.relu(out + self.shortcut(X))
"""
_CHANGES = "if stride != 1 or c_in != c_out:"
_SUM = "return torch.relu(out + self.shortcut(X))"
_ADAPTED = """nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )"""

RESIDUAL_BLOCK = Exercise(
    id="12.residual_block",
    name="ResidualBlock",
    title="A block with a shortcut",
    difficulty=3,
    points=5,
    minutes=15,
    cases=block_cases,
    reference=ResidualBlock,
    probe=block_behaviour,
    input_names=("c_in", "c_out", "stride", "X", "seed of the weights"),
    output_names=(
        "list of parameters",
        "output in training mode",
        "output in evaluation mode",
        "gradient",
    ),
    result="a module whose parameters are found and whose forward gives (B, c_out, H', W')",
    rtol=1e-3,
    atol=1e-4,
    given={"nn": nn, "F": F},
    misconceptions=(
        Misconception(
            "the input as it is, whatever the shape",
            changed(_BLOCK, (f"        {_CHANGES}\n            self.shortcut = {_ADAPTED}\n", "")),
            "You always add the input as it is. Where channels or size change, it does not fit what the "
            "convolutions give, and has to be brought into shape first.",
        ),
        Misconception(
            "a convolution only where the channels change",
            changed(_BLOCK, (_CHANGES, "if c_in != c_out:")),
            "You bring the shortcut into shape where the channels change. With a stride the size changes as "
            "well, even if the channels stay.",
        ),
        Misconception(
            "a convolution only where the size changes",
            changed(_BLOCK, (_CHANGES, "if stride != 1:")),
            "You bring the shortcut into shape where the stride is not 1. With other channels the input does "
            "not fit either, even if the size stays.",
        ),
        Misconception(
            "a convolution only where both change",
            changed(_BLOCK, (_CHANGES, "if stride != 1 and c_in != c_out:")),
            "You bring the shortcut into shape only where size and channels change together. One of them is "
            "enough to make the sum impossible.",
        ),
        Misconception(
            "a convolution on every shortcut",
            changed(_BLOCK, (_CHANGES, "if True:")),
            "Your shortcut has a convolution even where the shape stays. There the input must go through "
            "untouched, or the block cannot simply do nothing.",
        ),
        Misconception(
            "shortcut without stride",
            changed(
                _BLOCK,
                ("nn.Conv2d(c_in, c_out, 1, stride, bias=False)", "nn.Conv2d(c_in, c_out, 1, bias=False)"),
            ),
            "Your shortcut mends the channels but not the size. It has to take the same steps as the "
            "convolutions.",
        ),
        Misconception(
            "shortcut without norm",
            changed(_BLOCK, (_ADAPTED, "nn.Conv2d(c_in, c_out, 1, stride, bias=False)")),
            "The convolution on your shortcut has no batch norm after it. One is asked for.",
        ),
        Misconception(
            "activation before the sum",
            changed(_BLOCK, (_SUM, "return torch.relu(out) + self.shortcut(X)")),
            "You apply the last ReLU before the sum. Then the correction can only be positive, and nothing "
            "bends after the sum. First add, then ReLU.",
        ),
        Misconception(
            "activation before and after the sum",
            changed(_BLOCK, (_SUM, "return torch.relu(torch.relu(out) + self.shortcut(X))")),
            "You apply a ReLU after the second norm and another after the sum. With the first of them the "
            "correction can only add, never take away.",
        ),
        Misconception(
            "no activation at the end",
            changed(_BLOCK, (_SUM, "return out + self.shortcut(X)")),
            "The sum is right, but there is no ReLU after it.",
        ),
        Misconception(
            "no activation inside",
            changed(_BLOCK, ("torch.relu(self.norm1(self.conv1(X)))", "self.norm1(self.conv1(X))")),
            "There is no ReLU between your convolutions: two linear layers in a row are one.",
        ),
        Misconception(
            "the input overwritten",
            changed(
                _BLOCK,
                ("out = torch.relu(self.norm1(self.conv1(X)))", "X = torch.relu(self.norm1(self.conv1(X)))"),
                ("self.norm2(self.conv2(out))", "self.norm2(self.conv2(X))"),
            ),
            "Your shortcut begins behind the first convolution: was X overwritten on the long way? It has to "
            "carry the block's own input.",
        ),
        Misconception(
            "norm after the sum",
            changed(
                _BLOCK,
                ("out = self.norm2(self.conv2(out))", "out = self.conv2(out)"),
                (_SUM, "return torch.relu(self.norm2(out + self.shortcut(X)))"),
            ),
            "Your second norm stands behind the sum, so it changes the shortcut as well. It belongs to the "
            "long way, before the sum.",
        ),
        Misconception(
            "ReLU on the shortcut",
            changed(_BLOCK, (_SUM, "return torch.relu(out + torch.relu(self.shortcut(X)))")),
            "There is a ReLU on your shortcut, so nothing negative gets through. It carries what it gets; "
            "the ReLU comes after the sum.",
        ),
        Misconception(
            "a product for the sum",
            changed(_BLOCK, (_SUM, "return torch.relu(out * self.shortcut(X))")),
            "You multiply the two ways. They are added: then the gradient passes the shortcut undiminished.",
        ),
        Misconception(
            "the sum forgotten",
            changed(_BLOCK, (_SUM, "return torch.relu(out)")),
            "Your block does not add the shortcut: it is a plain block.",
        ),
        Misconception(
            "ReLU before the norm",
            changed(
                _BLOCK,
                ("torch.relu(self.norm1(self.conv1(X)))", "self.norm1(torch.relu(self.conv1(X)))"),
            ),
            "Between your convolutions the ReLU comes before the batch norm. Here it is the other way round: "
            "convolution, norm, ReLU.",
        ),
        Misconception(
            "stride in both convolutions",
            changed(
                _BLOCK,
                ("nn.Conv2d(c_out, c_out, 3, padding=1,", "nn.Conv2d(c_out, c_out, 3, stride, padding=1,"),
            ),
            "Both your convolutions take the stride, so with stride 2 the size is quartered. Only the first "
            "does.",
        ),
        Misconception(
            "stride in the second convolution",
            changed(
                _BLOCK,
                ("nn.Conv2d(c_in, c_out, 3, stride, padding=1,", "nn.Conv2d(c_in, c_out, 3, padding=1,"),
                ("nn.Conv2d(c_out, c_out, 3, padding=1,", "nn.Conv2d(c_out, c_out, 3, stride, padding=1,"),
            ),
            "The sizes fit, but your second convolution takes the stride, and the first works on the full "
            "size: it is the first that should take it.",
        ),
        Misconception(
            "no padding",
            changed(_BLOCK, (", padding=1", "")),
            "Your 3 × 3 convolutions have no padding, so each takes away two rows and two columns, and the "
            "sum does not fit.",
        ),
        Misconception(
            "one norm for both",
            changed(
                _BLOCK, ("        self.norm2 = nn.BatchNorm2d(c_out)\n", ""), ("self.norm2(", "self.norm1(")
            ),
            "You use one batch norm twice. Each place has its own mean, spread, gamma and beta.",
        ),
        Misconception(
            "biases in the convolutions",
            changed(_BLOCK, (", bias=False", "")),
            "Your convolutions have biases. The batch norm after them subtracts each channel's mean, and any "
            "bias with it: they would be learned for nothing.",
        ),
    ),
    hints=(
        "Draw two ways from X to a plus sign: one through two convolutions, one round them. What shape "
        "arrives at the plus sign on each, for stride 1 and 2, with as many channels and with more?",
        "In `__init__`: two pairs of convolution (no bias) and norm, the stride in the first; a shortcut "
        "that does nothing, or a 1 × 1 convolution with norm where channels or size change. In `forward`: "
        "the long way without the last ReLU, plus the shortcut of X, then ReLU.",
    ),
    alternatives=(
        _BLOCK,
        """
class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.short = None
        if stride > 1 or c_in != c_out:
            self.short = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.short_norm = nn.BatchNorm2d(c_out)
        self.norms = nn.ModuleList(nn.BatchNorm2d(c_out) for _ in range(2))
        self.second = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.first = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)

    def forward(self, X):
        beside = X if self.short is None else self.short_norm(self.short(X))
        out = self.norms[0](self.first(X)).clamp(min=0)
        return F.relu(beside + self.norms[1](self.second(out)))
""",
        """
class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.f = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True),
            nn.Conv2d(c_out, c_out, 3, padding="same", bias=False), nn.BatchNorm2d(c_out),
        )
        same = c_in == c_out and stride == 1
        around = [] if same else [nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)]
        self.around = nn.Sequential(*around)

    def forward(self, X):
        out = self.f(X)
        out += self.around(X)
        return torch.relu_(out)
""",
    ),
)

# ------------------------------------------------------------------------------ 12.receptive_field


def receptive_field(layers: Sequence[tuple[int, int]]) -> int:
    """Side of the square of input pixels that can reach one unit behind these layers."""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def receptive_field_cases(generator: torch.Generator) -> list[Case]:
    def some(count: int) -> list[tuple[int, int]]:
        return [(whole_number(generator, 2, 7), whole_number(generator, 1, 3)) for _ in range(count)]

    return [
        Case("values", ([(5, 1), (2, 2), (3, 1)],), "the example of the statement"),
        Case("values", ([(3, 1)] * 5,), "five of 3 × 3, stride 1"),
        Case("values", ([(5, 1), (2, 2), (5, 1), (2, 2)],), "LeNet's convolutions and poolings"),
        Case("values", ([(7, 2), (3, 2), (3, 1), (3, 1)],), "how a ResNet begins"),
        Case("values", ([(3, 2), (3, 2), (3, 2), (3, 1)],), "strides that multiply"),
        Case("values", (some(3),)),
        Case("values", (some(5),)),
        Case("edge cases", ([],), "no layer at all: the pixel itself"),
        Case("edge cases", ([(5, 3)],), "a single layer with stride"),
        Case("edge cases", ([(1, 1), (1, 2), (3, 1)],), "kernels of one pixel, one with stride"),
    ]


_FIELD = """
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        field = field + (kernel - 1) * jump
        jump = jump * stride
    return field
"""
_GROWS = "        field = field + (kernel - 1) * jump\n"
_JUMPS = "        jump = jump * stride\n"

RECEPTIVE_FIELD = Exercise(
    id="12.receptive_field",
    name="receptive_field",
    title="How far a unit sees",
    difficulty=2,
    points=3,
    minutes=10,
    cases=receptive_field_cases,
    reference=receptive_field,
    result="a whole number",
    misconceptions=(
        Misconception(
            "kernel and stride swapped",
            changed(_FIELD, ("for kernel, stride in", "for stride, kernel in")),
            "You take the pairs the wrong way round: the kernel comes first, then the stride.",
        ),
        Misconception(
            "half a kernel on each side",
            changed(_FIELD, ("(kernel - 1)", "2 * (kernel // 2)")),
            "You add half a kernel on each side. That is right for odd kernels only: one of 2 adds a single "
            "step, not two.",
        ),
        Misconception(
            "strides not used",
            changed(_FIELD, (_JUMPS, "")),
            "You do not use the strides. Behind a stride of 2, neighbours of the map lie two input pixels "
            "apart, so the next kernel reaches twice as far.",
        ),
        Misconception(
            "jump changed first",
            changed(_FIELD, (_GROWS + _JUMPS, _JUMPS + _GROWS)),
            "You multiply the jump before the field grows. A layer's kernel lies on the map that comes in, "
            "with its jump; its own stride counts from the next layer on.",
        ),
        Misconception(
            "begins with 0",
            changed(_FIELD, ("field, jump = 1, 1", "field, jump = 0, 1")),
            "You begin with a field of 0. Before any layer a unit is a pixel, and sees itself: 1.",
        ),
        Misconception(
            "the whole kernel added",
            changed(_FIELD, ("(kernel - 1)", "kernel")),
            "You add the whole kernel at each layer. One of its weights lies where the field is already; "
            "only the others widen it.",
        ),
        Misconception(
            "jump for one layer only",
            changed(_FIELD, (_JUMPS, "        jump = stride\n")),
            "Your jump forgets all strides but the last. They multiply: two strides of 2 put neighbours four "
            "pixels apart.",
        ),
        Misconception(
            "the own stride as the jump",
            changed(_FIELD, ("(kernel - 1) * jump", "(kernel - 1) * stride")),
            "You multiply by the layer's own stride. How far its kernel reaches in the input depends on the "
            "strides of the layers before it, all multiplied.",
        ),
        Misconception(
            "strides added",
            changed(_FIELD, (_JUMPS, "        jump = jump + stride - 1\n")),
            "You add up the strides. They multiply: after 2 and 2 and 2 neighbours lie 8 pixels apart.",
        ),
        Misconception(
            "the stride added to the jump",
            changed(_FIELD, (_JUMPS, "        jump = jump + stride\n")),
            "You add the stride to the jump, so that it grows even with stride 1. It is multiplied.",
        ),
        Misconception(
            "from the last layer to the first",
            changed(_FIELD, ("in layers", "in layers[::-1]")),
            "You go through the layers in the wrong order for your formula. With field and jump one goes "
            "from the input on; another formula, field · stride + kernel − stride, goes backwards.",
        ),
        Misconception(
            "kernels multiplied",
            changed(_FIELD, (_GROWS, "        field = field * kernel\n")),
            "You multiply the kernels. Two of 3 × 3 see 5 × 5, not 9 × 9: their windows overlap.",
        ),
        Misconception(
            "field multiplied by the stride",
            changed(_FIELD, (_GROWS, "        field = (field + kernel - 1) * stride\n")),
            "You multiply the field by the stride. A stride does not widen the layer's own field; it widens "
            "the steps of the layers that follow.",
        ),
        Misconception(
            "the jump returned",
            changed(_FIELD, ("return field", "return jump")),
            "You return the jump, how far neighbours of the last map lie apart. The field is asked for.",
        ),
        Misconception(
            "field and jump returned",
            changed(_FIELD, ("return field", "return field, jump")),
            "You return two numbers, field and jump. Only the field is asked for.",
        ),
        Misconception(
            "pixels of the square",
            changed(_FIELD, ("return field", "return field ** 2")),
            "You return how many pixels the square has. Its side is asked for.",
        ),
        Misconception(
            "returns inside the loop",
            changed(_FIELD, ("    return field", "        return field\n    return field")),
            "You get no further than the first layer: the `return` stands inside the loop. Look at the "
            "indentation.",
        ),
        Misconception(
            "begins with the first kernel",
            changed(
                _FIELD,
                ("    field, jump = 1, 1\n", "    field, jump = layers[0]\n"),
                ("in layers", "in layers[1:]"),
            ),
            "You begin with the first layer's numbers, which fails if there is no layer. Begin before it, "
            "with a single pixel.",
        ),
        Misconception(
            "the last layer left out",
            changed(_FIELD, ("in layers", "in layers[:-1]")),
            "You leave the last layer out. Its stride does not matter, but its kernel does.",
        ),
    ),
    hints=(
        "Carry two numbers from layer to layer: how wide the field is, and how many input pixels lie between "
        "two neighbours of the map. What are they before the first layer?",
        "Start both at 1. For each layer: first let the field grow by kernel − 1 steps of the present jump, "
        "then multiply the jump by the stride.",
    ),
    alternatives=(
        """
def receptive_field(layers):
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field
""",
        """
def receptive_field(layers):
    strides = [stride for _, stride in layers]
    return 1 + sum((kernel - 1) * math.prod(strides[:i]) for i, (kernel, _) in enumerate(layers))
""",
        """
def receptive_field(layers):
    if not layers:
        return 1
    (kernel, stride), rest = layers[0], layers[1:]
    return kernel + (receptive_field(rest) - 1) * stride
""",
    ),
)

EXERCISES = (
    CONV2D,
    OUTPUT_SIZE,
    MAX_POOL2D,
    COUNT,
    LENET,
    RESIDUAL_BLOCK,
    RECEPTIVE_FIELD,
)
