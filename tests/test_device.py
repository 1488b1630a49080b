"""utils.device: the choice of a device, seeds, and moving nested batches."""

from __future__ import annotations

import random
from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from utils import device as device_module
from utils.device import available_devices, get_device, seed_everything, to_device


class Pair(NamedTuple):
    x: torch.Tensor
    y: object


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    monkeypatch.delenv("N2T_DEVICE", raising=False)


def machine(monkeypatch, *names):
    """Pretend that this machine has the given devices."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: any("cuda" in name for name in names))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: sum("cuda" in name for name in names))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["cuda:0", "mps", "cpu"], "cuda"),
        (["cuda:0", "cuda:1", "cpu"], "cuda"),
        (["mps", "cpu"], "mps"),
        (["cpu"], "cpu"),
    ],
)
def test_best_device_comes_first(monkeypatch, names, best):
    machine(monkeypatch, *names)
    assert available_devices() == names
    assert get_device() == torch.device(best)
    assert get_device("auto") == torch.device(best)


def test_argument_beats_environment_and_environment_beats_best(monkeypatch):
    machine(monkeypatch, "cuda:0", "cuda:1", "cpu")
    monkeypatch.setenv("N2T_DEVICE", "cuda:1")
    assert get_device() == torch.device("cuda:1")
    assert get_device("cpu") == torch.device("cpu")
    assert get_device(torch.device("cuda:0")) == torch.device("cuda:0")
    assert get_device("auto") == torch.device("cuda")
    monkeypatch.setenv("N2T_DEVICE", "  CPU ")
    assert get_device() == torch.device("cpu")
    monkeypatch.setenv("N2T_DEVICE", "")
    assert get_device() == torch.device("cuda")


@pytest.mark.parametrize(
    ("names", "wish", "words"),
    [
        (["cpu"], "cuda", ["Here there is: cpu.", "to use cpu", "pytorch.org"]),
        (["cpu"], "mps", ["Here there is: cpu.", "Apple"]),
        (["cuda:0", "cpu"], "cuda:3", ["cuda:3", "Here there is: cuda:0, cpu", "counted from 0"]),
        (["mps", "cpu"], "cuda", ["Here there is: mps, cpu.", "to use mps"]),
    ],
)
def test_absent_device_names_what_is_there(monkeypatch, names, wish, words):
    machine(monkeypatch, *names)
    with pytest.raises(RuntimeError) as raised:
        get_device(wish)
    for word in [f"get_device('{wish}')", *words]:
        assert word in str(raised.value)
    monkeypatch.setenv("N2T_DEVICE", wish)
    with pytest.raises(RuntimeError, match=f"environment variable N2T_DEVICE={wish}"):
        get_device()


def test_absent_gpu_on_a_cpu_build_says_so(monkeypatch):
    machine(monkeypatch, "cpu")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(RuntimeError, match="build for CPUs"):
        get_device("cuda")


@pytest.mark.parametrize("wish", ["gpu", "cuda:x", "meta", "xla", "cpu:3", "mps:1", "0", "cuda cpu"])
def test_unknown_name_lists_the_names(wish):
    with pytest.raises(ValueError, match="'cuda', 'cuda:1', 'mps' or 'cpu'"):
        get_device(wish)


def test_seed_repeats_all_three_generators():
    def draw():
        return random.random(), float(np.random.rand()), torch.rand(3).tolist()

    generator = seed_everything(7)
    first, own = draw(), torch.rand(3, generator=generator)
    generator = seed_everything(7)
    assert draw() == first
    assert torch.equal(torch.rand(3, generator=generator), own)
    seed_everything(8)
    assert draw() != first


def test_generator_is_apart_from_the_global_one():
    generator = seed_everything(3)
    assert generator.device.type == "cpu"
    torch.rand(100)  # what other code draws changes nothing
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))
    assert torch.equal(torch.rand(4, generator=generator), expected)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="whole number from 0"):
        seed_everything(seed)


def test_numpy_integers_are_seeds():
    assert seed_everything(np.int64(5)).initial_seed() == 5


def test_nested_batch_keeps_its_types():
    # The meta device exists on every machine, so a real move can be seen without a GPU.
    x = torch.ones(2)
    batch = {
        "pair": Pair(x, [x, (x, 3)]),
        "ordered": OrderedDict(a=x),
        "default": defaultdict(list, b=[x]),
        "name": "seven",
        "nothing": None,
        "array": np.ones(2),
        "size": x.shape,
    }
    moved = to_device(batch, "meta")
    assert type(moved) is dict and moved is not batch
    assert type(moved["pair"]) is Pair and moved["pair"].x.is_meta
    assert type(moved["pair"].y) is list and type(moved["pair"].y[1]) is tuple
    assert moved["pair"].y[0].is_meta and moved["pair"].y[1][0].is_meta and moved["pair"].y[1][1] == 3
    assert type(moved["ordered"]) is OrderedDict and moved["ordered"]["a"].is_meta
    assert moved["default"].default_factory is list and moved["default"]["b"][0].is_meta
    assert moved["name"] == "seven" and moved["nothing"] is None
    assert moved["array"] is batch["array"]
    assert type(moved["size"]) is torch.Size and moved["size"] == (2,)
    assert not batch["pair"].x.is_meta and not batch["default"]["b"][0].is_meta


def test_results_of_torch_and_packed_sequences():
    highest = torch.rand(3, 4).max(dim=1)
    moved = to_device(highest, "meta")
    assert type(moved) is type(highest) and moved.indices.is_meta
    packed = to_device(pack_sequence([torch.ones(3), torch.ones(2)]), "cpu")
    assert packed.batch_sizes.tolist() == [2, 2, 1]


def test_copies_overlap_only_towards_cuda(monkeypatch):
    seen = []
    monkeypatch.setattr(
        torch.Tensor, "to", lambda self, device, non_blocking=False: seen.append((device.type, non_blocking))
    )
    for name in ("cuda", "mps", "cpu"):
        to_device(torch.ones(1), name)
    assert seen == [("cuda", True), ("mps", False), ("cpu", False)]


def test_module_exports_what_it_documents():
    assert set(device_module.__all__) == {"available_devices", "get_device", "seed_everything", "to_device"}
