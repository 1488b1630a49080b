"""utils.built.convolution: equal to torch's own convolution and pooling, in value and gradient."""

from __future__ import annotations

import inspect

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from utils.built import convolution
from utils.built.convolution import (
    LeNet,
    ResidualBlock,
    conv2d,
    max_pool2d,
    output_size,
    receptive_field,
)
from utils.built.layers import count_parameters

many = settings(max_examples=100, deadline=None, derandomize=True)
seeds = st.integers(0, 10**6)
small = st.integers(1, 4)


def draw(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def assert_same(ours: Tensor, theirs: Tensor, inputs: list[Tensor]) -> None:
    """Same value, shape and gradient by every input, for a gradient from above that is not all ones."""
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)
    above = torch.linspace(-1, 2, ours.numel(), dtype=torch.float64).reshape(ours.shape)
    for one, other in zip(
        torch.autograd.grad(ours, inputs, above), torch.autograd.grad(theirs, inputs, above), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@given(seeds, st.tuples(*[small] * 3), st.tuples(*[st.integers(1, 9)] * 2), st.tuples(small, small),
       st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)), st.booleans())  # fmt: skip
@many
def test_conv2d_is_torchs(seed, counts, size, kernel, setting, biased):
    B, c_in, c_out = counts
    stride, padding, dilation = setting
    assume(all(dilation * (k - 1) < n + 2 * padding for k, n in zip(kernel, size, strict=True)))
    X, W, b = draw(seed, (B, c_in, *size), (c_out, c_in, *kernel), (c_out,))
    inputs = [t.requires_grad_() for t in ((X, W, b) if biased else (X, W))]
    ours = conv2d(*inputs, stride=stride, padding=padding, dilation=dilation)
    assert_same(ours, F.conv2d(*inputs, stride=stride, padding=padding, dilation=dilation), inputs)
    sizes = [output_size(n, k, *setting) for n, k in zip(size, kernel, strict=True)]
    assert list(ours.shape) == [B, c_out, *sizes]


def test_conv2d_does_not_turn_the_kernel():
    X, W = torch.tensor([[[[1.0, 2, 0], [0, 1, 3], [2, 1, 0]]]]), torch.tensor([[[[1.0, 0], [2, -1]]]])
    assert conv2d(X, W).flatten().tolist() == [0, 1, 3, 3]


def test_conv2d_refuses_what_does_not_fit():
    X = torch.zeros(1, 2, 4, 5)
    with pytest.raises(ValueError, match="2 channels and the kernels 3"):
        conv2d(X, torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match="window of 5 does not fit into 4"):
        conv2d(X, torch.zeros(1, 2, 5, 5))
    with pytest.raises(ValueError, match="window of 7"):
        conv2d(X, torch.zeros(1, 2, 2, 3), dilation=3)


@given(st.integers(1, 40), *[st.integers(1, 6)] * 2, st.integers(0, 4), st.integers(1, 4))
@many
def test_output_size_counts_windows(n, kernel, stride, padding, dilation):
    spread = dilation * (kernel - 1) + 1
    places = list(range(0, n + 2 * padding - spread + 1, stride))
    if places:
        assert output_size(n, kernel, stride, padding, dilation) == len(places)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            output_size(n, kernel, stride, padding, dilation)


@pytest.mark.parametrize("bad", [(0, 1), (5, 0), (5, 2, 0), (5, 2, 1, -1), (5, 2, 1, 0, 0)])
def test_output_size_refuses_impossible_numbers(bad):
    with pytest.raises(ValueError, match="must be"):
        output_size(*bad)


@given(seeds, st.tuples(small, small, st.integers(1, 9), st.integers(1, 9)), small, st.none() | small)
@many
def test_max_pool2d_is_torchs(seed, shape, size, stride):
    assume(size <= min(shape[2:]))
    (X,) = draw(seed, shape)
    X.requires_grad_()
    assert_same(max_pool2d(X, size, stride), F.max_pool2d(X, size, stride), [X])


def test_max_pool2d_of_negative_numbers_and_too_large_windows():
    assert max_pool2d(-torch.ones(1, 1, 4, 4), 2).tolist() == [[[[-1, -1], [-1, -1]]]]
    with pytest.raises(ValueError, match="does not fit"):
        max_pool2d(torch.zeros(1, 1, 5, 2), 3)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2)), max_size=4))
@many
def test_receptive_field_is_what_the_gradient_reaches(layers):
    field = receptive_field(layers)
    X = torch.ones(1, 1, 1, 2 * field + 40, dtype=torch.float64, requires_grad=True)
    out = X
    for kernel, stride in layers:
        out = F.conv2d(out, torch.ones(1, 1, 1, kernel, dtype=torch.float64), stride=(1, stride))
    out[0, 0, 0, out.shape[-1] // 2].backward()
    (reached,) = X.grad.flatten().nonzero(as_tuple=True)
    assert int(reached[-1] - reached[0]) + 1 == field


def test_lenet():
    torch.manual_seed(0)
    model, X = LeNet(), torch.randn(3, 1, 28, 28)
    assert count_parameters(model) == 61_706
    assert model(X).shape == (3, 10) and LeNet(7)(X).shape == (3, 7)
    W = dict(model.named_parameters())
    a = max_pool2d(torch.relu(conv2d(X, W["conv1.weight"], W["conv1.bias"], padding=2)), 2)
    a = max_pool2d(torch.relu(conv2d(a, W["conv2.weight"], W["conv2.bias"])), 2).flatten(1)
    for name in ("fc1", "fc2"):
        a = torch.relu(a @ W[f"{name}.weight"].T + W[f"{name}.bias"])
    torch.testing.assert_close(model(X), a @ W["fc3.weight"].T + W["fc3.bias"], rtol=1e-4, atol=1e-5)
    model(X).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(("c_in", "c_out", "stride"), [(4, 4, 1), (4, 6, 1), (4, 4, 2), (3, 8, 2)])
def test_residual_block_is_torchvisions(c_in, c_out, stride):
    """torchvision's basic block, with the same weights in the same order."""
    from torchvision.models.resnet import BasicBlock

    torch.manual_seed(0)
    ours = ResidualBlock(c_in, c_out, stride).double()
    down = None
    if stride != 1 or c_in != c_out:
        down = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
    theirs = BasicBlock(c_in, c_out, stride, down).double()
    with torch.no_grad():
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            q.copy_(p.normal_())
    (X,) = draw(0, (3, c_in, 7, 6))
    for _ in range(2):  # in training, then in evaluation with the running statistics of the first
        torch.testing.assert_close(ours(X), theirs(X))
        ours.eval(), theirs.eval()


def test_a_residual_block_that_adds_nothing_passes_its_input_on():
    block = ResidualBlock(3, 3)
    with torch.no_grad():
        block.norm2.weight.zero_()
    X = torch.rand(2, 3, 5, 5)
    assert torch.equal(block(X), X)


def test_every_public_name_is_exported():
    names = [
        name
        for name, thing in vars(convolution).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == convolution.__name__
    ]
    assert sorted(names) == sorted(convolution.__all__)
