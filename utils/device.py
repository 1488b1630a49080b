"""Where the numbers live: choose a device, make chance repeatable, move a batch.

    from utils.device import get_device, seed_everything, to_device

    device = get_device()              # a GPU if there is one, else the CPU
    generator = seed_everything(0)     # the same numbers again on the next run
    x, y = to_device((x, y), device)   # works for nested batches too

``N2T_DEVICE=cpu`` in the environment chooses for a whole session.
"""

from __future__ import annotations

import copy
import operator
import os
import random
from typing import TypeVar

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

__all__ = ["available_devices", "get_device", "seed_everything", "to_device"]

ENVIRONMENT_VARIABLE = "N2T_DEVICE"
KINDS = ("cuda", "mps", "cpu")  # in the order in which they are preferred
_ADVICE = {
    "cuda": "For an NVIDIA or AMD GPU, install its driver and a PyTorch build with GPU support "
    "(the command for your machine is on https://pytorch.org/get-started).",
    "mps": "mps needs a Mac with an Apple chip, macOS 14 or newer, and Python for arm64.",
}

Batch = TypeVar("Batch")


def available_devices() -> list[str]:
    """Name the devices of this machine, best first, for example ``["cuda:0", "cuda:1", "cpu"]``."""
    names = []
    if torch.cuda.is_available():
        names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def get_device(preference: str | torch.device | None = None) -> torch.device:
    """Choose where tensors live and models run.

    The first of these that says something decides: ``preference``, the environment variable
    ``N2T_DEVICE``, then the best device there is (cuda, then mps, then cpu). ``"auto"`` means the best.

    Args:
        preference: ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"cpu"``, ``"auto"``, a ``torch.device`` or None.

    Raises:
        ValueError: the name is no device this course knows.
        RuntimeError: the device is not on this machine; the message says what is and what to do.
    """
    if preference is not None:
        wish, asked_by = str(preference), f"get_device({str(preference)!r})"
    else:
        wish = os.environ.get(ENVIRONMENT_VARIABLE, "")
        asked_by = f"the environment variable {ENVIRONMENT_VARIABLE}={wish}"
    wish = wish.strip().lower() or "auto"
    there = available_devices()
    if wish == "auto":
        return torch.device(there[0].removesuffix(":0"))
    device = _parse(wish, asked_by)
    name = f"cuda:{device.index or 0}" if device.type == "cuda" else device.type
    if name not in there:
        raise RuntimeError(_absent(name, asked_by, there))
    return device


def _parse(wish: str, asked_by: str) -> torch.device:
    """Turn a name into a device, or say which names there are."""
    try:
        device = torch.device(wish)
    except RuntimeError:
        device = None
    index_makes_sense = device is not None and (device.type == "cuda" or device.index in (None, 0))
    if device is None or device.type not in KINDS or not index_makes_sense:
        raise ValueError(
            f"{asked_by} names no device. "
            "Use 'cuda', 'cuda:1', 'mps' or 'cpu', or 'auto' for the best there is."
        )
    return device if device.type == "cuda" else torch.device(device.type)


def _absent(name: str, asked_by: str, there: list[str]) -> str:
    """Say that a device is not there, what is, and what to do."""
    kind = name.partition(":")[0]
    advice = _ADVICE[kind]
    if kind == "cuda" and "cuda:0" in there:
        advice = "GPUs are counted from 0."
    elif kind == "cuda" and torch.version.cuda is None and torch.version.hip is None:
        advice = "The installed PyTorch is the build for CPUs. " + advice
    return (
        f"{asked_by} asks for {name}, which PyTorch does not find on this machine. "
        f"Here there is: {', '.join(there)}. "
        f"Leave the choice out, or set it to 'auto', to use {there[0]}. {advice}"
    )


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python, NumPy and torch (every device), and return a seeded generator on the CPU.

    The generator has a random state of its own: give it to whatever should not depend on how many
    random numbers other code draws, such as the shuffling of batches.

    Args:
        seed: a whole number from 0 to 2**32 - 1 (NumPy's range).

    Raises:
        ValueError: the seed is anything else.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, not {seed!r}")
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)  # seeds cuda and mps as well
    return torch.Generator().manual_seed(number)


def to_device(batch: Batch, device: torch.device | str) -> Batch:
    """Move every tensor of a batch to a device.

    Looks into dicts, lists, tuples and named tuples, however nested, and returns the same types.
    Whatever is neither a tensor nor one of these comes back as it is. The batch itself is not changed.
    """
    device = torch.device(device)
    if isinstance(batch, (torch.Tensor, PackedSequence)):
        # Copying to a GPU may overlap with Python; copying back may not: the CPU would read too early.
        return batch.to(device, non_blocking=device.type == "cuda")
    if isinstance(batch, dict):
        moved = copy.copy(batch)  # keeps a subclass and what it carries, such as defaultdict's factory
        for key, value in batch.items():
            moved[key] = to_device(value, device)
        return moved
    if isinstance(batch, list):
        moved = copy.copy(batch)
        moved[:] = [to_device(value, device) for value in batch]
        return moved
    if isinstance(batch, tuple):
        values = [to_device(value, device) for value in batch]
        return type(batch)(*values) if hasattr(batch, "_fields") else type(batch)(values)
    return batch
