"""Convolution, pooling and two networks made of them, as lesson 12 builds them.

Pictures have the shape (B, C, H, W): batch, channels, height, width. Kernels have the shape
(channels out, channels in, kernel height, kernel width), as `nn.Conv2d` keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["LeNet", "ResidualBlock", "conv2d", "max_pool2d", "output_size", "receptive_field"]


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many places a window finds along one axis. Built in lesson 12.

    Args:
        n: length of the axis, in pixels.
        kernel: length of the kernel, 1 or more.
        stride: how far the window moves at each step, 1 or more.
        padding: how many zeros are put on, at each of both ends.
        dilation: distance of two neighbours inside the window; 1 for a window without gaps.

    Returns:
        The number of places, 1 or more. What is left over at the far end is not looked at.

    Raises:
        ValueError: if a number is impossible, or if the window is longer than the padded axis.
    """
    if min(n, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "n, kernel, stride and dilation must be 1 or more and padding 0 or more, "
            f"not n={n}, kernel={kernel}, stride={stride}, padding={padding}, dilation={dilation}"
        )
    spread = dilation * (kernel - 1) + 1
    if spread > n + 2 * padding:
        raise ValueError(f"a window of {spread} does not fit into {n} + 2 · {padding} = {n + 2 * padding}")
    return (n + 2 * padding - spread) // stride + 1


def conv2d(
    X: Tensor, W: Tensor, b: Tensor | None = None, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """Slide every kernel over every picture: the cross-correlation that is called convolution.

    Built in lesson 12.

    Args:
        X: pictures, shape (B, C, H, W).
        W: kernels, shape (C_out, C, kh, kw). They are not turned round.
        b: one number for each kernel, shape (C_out,), or none.
        stride: how far the window moves at each step.
        padding: how many zeros are put round each picture, on all four sides.
        dilation: distance of two neighbours inside the window.

    Returns:
        Shape (B, C_out, H', W'), with H' and W' as `output_size` says.

    Raises:
        ValueError: if the channels of X and W differ, or the window does not fit.
    """
    if X.shape[1] != W.shape[1]:
        raise ValueError(f"the pictures have {X.shape[1]} channels and the kernels {W.shape[1]}")
    kh, kw = W.shape[2:]
    output_size(X.shape[2], kh, stride, padding, dilation)  # raises if impossible
    output_size(X.shape[3], kw, stride, padding, dilation)
    X = F.pad(X, (padding, padding, padding, padding))
    windows = X.unfold(2, dilation * (kh - 1) + 1, stride).unfold(3, dilation * (kw - 1) + 1, stride)
    windows = windows[..., ::dilation, ::dilation]  # (B, C, H', W', kh, kw), a view: nothing is copied
    out = torch.einsum("bchwij,ocij->bohw", windows, W)
    return out if b is None else out + b[:, None, None]


def max_pool2d(X: Tensor, size: int, stride: int | None = None) -> Tensor:
    """The largest number in each window, channel by channel. Built in lesson 12.

    Args:
        X: pictures, shape (B, C, H, W).
        size: height and width of the window.
        stride: how far the window moves; by its own size if not given, so that windows do not overlap.

    Returns:
        Shape (B, C, H', W'), with H' and W' as `output_size` says. Where several numbers of a window are
        largest, torch's `amax` shares the gradient among them.

    Raises:
        ValueError: if the window does not fit.
    """
    stride = size if stride is None else stride
    output_size(min(X.shape[2:]), size, stride)  # raises if impossible
    return X.unfold(2, size, stride).unfold(3, size, stride).amax(dim=(4, 5))


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """Side of the square of input pixels that one number behind these layers can depend on.

    Built in lesson 12.

    Args:
        layers: kernel and stride of each convolution or pooling, from the input on. A dilated kernel
            counts with its whole spread, dilation · (kernel − 1) + 1.

    Returns:
        The side in pixels; 1 if there is no layer.
    """
    field, step = 1, 1  # step: how many pixels of the input lie between two neighbours here
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


class LeNet(nn.Module):
    """LeNet-5 with today's parts: ReLU, max pooling, ten logits. Built in lesson 12.

    Two convolutions of 5 × 5, each followed by pooling, then three dense layers; 61,706 parameters.

    Args:
        classes: how many logits come out.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, classes), for pictures of shape (B, 1, 28, 28)."""
        X = torch.relu(F.max_pool2d(self.conv1(X), 2))  # (B, 6, 14, 14)
        X = torch.relu(F.max_pool2d(self.conv2(X), 2))  # (B, 16, 5, 5)
        X = torch.relu(self.fc1(X.flatten(1)))  # (B, 120)
        X = torch.relu(self.fc2(X))  # (B, 84)
        return self.fc3(X)


class ResidualBlock(nn.Module):
    """Two convolutions of 3 × 3 with batch norm, and a shortcut that adds the input. Built in lesson 12.

    As in He and others (2016): the last ReLU comes after the sum. Where the shape changes, the shortcut is a
    1 × 1 convolution with batch norm, else it passes the input on as it is.

    Args:
        c_in: channels that come in.
        c_out: channels that go out.
        stride: of the first convolution and of the shortcut; 2 halves height and width.
    """

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
        """Shape (B, c_out, ⌈H / stride⌉, ⌈W / stride⌉) for X of shape (B, c_in, H, W)."""
        out = torch.relu(self.norm1(self.conv1(X)))
        out = self.norm2(self.conv2(out))
        return torch.relu(out + self.shortcut(X))
