"""How fast is utils.training? Ratios within one run, seconds to 98% on MNIST, and what importing costs.

    python benchmarks/training.py                 # all, about two minutes on two quiet cores
    python benchmarks/training.py fit imports     # some of: fit, loader, mnist, imports
    python benchmarks/training.py --strict        # exit status 1 if a target is missed

Contestants take turns within the run, in short rounds, and the median of the rounds' ratios counts: on a
shared machine the speed of everything changes from second to second, the ratio of neighbours hardly does.
They run on one thread and their processor time is compared, so that what others do meanwhile, and threads
waiting for each other, do not count.

The recipe that takes MNIST to 98% in about 3 seconds (``to_98_percent``): 784–128–256–10 with ReLU, pixels
in [0, 1], batches of 256, fused Adam, one cycle of learning rates up to 0.01, 5 epochs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision
from torch import nn, optim
from torch.utils.data import DataLoader

from utils.data import Batches, mnist_tensors
from utils.device import seed_everything
from utils.training import accuracy, evaluate, fit

ROOT = Path(__file__).resolve().parents[1]
LOSS = nn.CrossEntropyLoss()


class Row(NamedTuple):
    """One measurement and what it should be."""

    what: str
    value: float
    unit: str
    target: float
    at_most: bool  # or at least

    @property
    def met(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target


class Some:
    """The first batches of an epoch, so that a round is short."""

    def __init__(self, batches: Any, count: int) -> None:
        self.batches, self.count = batches, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.batches), self.count)


def make_mlp() -> nn.Sequential:
    """784–128–256–10 with ReLU, the same weights each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))


def raw_loop(
    model: nn.Module, batches: Iterable[Any], optimizer: optim.Optimizer, *, keep: tuple[str, ...] = ()
) -> None:
    """One epoch as every tutorial writes it; ``keep`` names what is summed for printing: loss, accuracy."""
    model.train()
    total, right, samples = 0.0, 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = LOSS(logits, y)
        loss.backward()
        optimizer.step()
        samples += len(y)
        if "loss" in keep:
            total += loss.item() * len(y)
        if "accuracy" in keep:
            right += (logits.argmax(1) == y).sum().item()


def compare(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run the contestants in turn, each round in the other order; return the seconds of each round."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for run in contestants.values():
        run()  # warm-up
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for index in range(rounds):
        order = list(contestants) if index % 2 == 0 else list(contestants)[::-1]
        for name in order:
            start = time.process_time()
            contestants[name]()
            seconds[name].append(time.process_time() - start)
    torch.set_num_threads(threads)
    return seconds


def median_ratio(ours: list[float], others: list[float]) -> float:
    """Median over rounds of ours / others."""
    return statistics.median(a / b for a, b in zip(ours, others, strict=True))


def fit_against_raw(rounds: int) -> list[Row]:
    """The same batches, held on the device; 100 of 64 a round, so that noise hits neighbours alike."""
    rows = []
    generator = torch.Generator().manual_seed(0)
    batches = Some(Batches(*mnist_tensors("train"), batch_size=64, generator=generator), 100)
    for keep in ((), ("loss",), ("loss", "accuracy")):
        ours, other = make_mlp(), make_mlp()
        our_optimizer = optim.SGD(ours.parameters(), lr=0.05)
        other_optimizer = optim.SGD(other.parameters(), lr=0.05)
        metrics = {"accuracy": accuracy} if "accuracy" in keep else {}
        with_fit = partial(
            fit,
            ours,
            batches,
            loss_fn=LOSS,
            optimizer=our_optimizer,
            epochs=1,
            metrics=metrics,
            progress=False,
        )
        with_loop = partial(raw_loop, other, batches, other_optimizer, keep=keep)
        seconds = compare({"fit": with_fit, "raw": with_loop}, rounds)
        ratio = median_ratio(seconds["fit"], seconds["raw"])
        kept = " and ".join(keep) or "nothing"
        rows.append(Row(f"fit / raw loop that keeps {kept}", ratio, "×", 1.03, at_most=True))
    return rows


def tutorial_loader(train: bool) -> DataLoader:
    """Dataset, ToTensor and DataLoader as PyTorch's own tutorials write them."""
    data = torchvision.datasets.MNIST(
        root=ROOT / "data", train=train, download=True, transform=torchvision.transforms.ToTensor()
    )
    return DataLoader(data, batch_size=64, shuffle=train)


def fit_against_loader(rounds: int) -> list[Row]:
    """A whole training of one epoch for the accuracy, then short rounds for the speed."""
    flat = lambda: nn.Sequential(nn.Flatten(), *make_mlp())  # noqa: E731
    ours, other = make_mlp(), flat()
    X, y = mnist_tensors("train")
    batches, loader = Batches(X, y, batch_size=64), tutorial_loader(train=True)
    adam = lambda model: optim.Adam(model.parameters(), lr=0.001)  # noqa: E731
    our_optimizer, other_optimizer = adam(ours), adam(other)
    fit(ours, batches, loss_fn=LOSS, optimizer=our_optimizer, epochs=1, progress=False)
    raw_loop(other, loader, other_optimizer)
    test = Batches(*mnist_tensors("test"), batch_size=1000, shuffle=False)
    found = [evaluate(model, test, LOSS, {"accuracy": accuracy})["accuracy"] for model in (ours, other)]

    few, few_loaded = Some(batches, 100), Some(loader, 100)
    metrics = {"accuracy": accuracy}
    with_fit = partial(
        fit, ours, few, loss_fn=LOSS, optimizer=our_optimizer, epochs=1, metrics=metrics, progress=False
    )
    with_loader = partial(raw_loop, other, few_loaded, other_optimizer, keep=("loss", "accuracy"))
    seconds = compare({"fit": with_fit, "loader": with_loader}, rounds)
    faster = median_ratio(seconds["loader"], seconds["fit"])
    return [
        Row("DataLoader with ToTensor / fit, time", faster, "×", 2.3, at_most=False),
        Row("difference in test accuracy after 1 epoch", abs(found[0] - found[1]) * 100, "points", 1.0, True),
    ]


def to_98_percent(seed: int = 0) -> tuple[float, float]:
    """Train MNIST by the recipe. Return (seconds, test accuracy)."""
    generator = seed_everything(seed)
    train = Batches(*mnist_tensors("train"), batch_size=256, shuffle=True, generator=generator)
    test = Batches(*mnist_tensors("test"), batch_size=1000, shuffle=False)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))
    epochs = 5
    optimizer = optim.Adam(model.parameters(), lr=0.01, fused=True)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=epochs * len(train))
    start = time.perf_counter()
    history = fit(
        model, train, loss_fn=LOSS, optimizer=optimizer, epochs=epochs, validation=test,
        metrics={"accuracy": accuracy}, scheduler=schedule,
    )  # fmt: skip
    return time.perf_counter() - start, history.validation["accuracy"][-1]


def mnist_seconds(seeds: int = 3) -> list[Row]:
    """The shortest of a few trainings (others share the machine) and the worst accuracy of them."""
    runs = [to_98_percent(seed) for seed in range(seeds)]
    return [
        Row("MNIST to 98%, shortest of 3", min(seconds for seconds, _ in runs), "s", 5.0, at_most=True),
        Row("test accuracy, worst of 3", min(found for _, found in runs) * 100, "%", 98.0, at_most=False),
    ]


IMPORT = """
import time
import torch
start = time.perf_counter()
import {name}
print(time.perf_counter() - start)
"""


def import_seconds(rounds: int) -> list[Row]:
    """Each module in a fresh interpreter, after torch; the shortest time, as others share the machine."""
    names = ["utils"]
    for path in sorted((ROOT / "utils").iterdir()):
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").exists()):
            names.append(f"utils.{path.stem}")
    rows = []
    for name in names:
        code = IMPORT.format(name=name)
        command = [sys.executable, "-c", code]
        times = [
            float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(rounds)
        ]
        rows.append(Row(f"import {name}, beyond torch", min(times), "s", 0.3, at_most=True))
    return rows


def show(rows: list[Row]) -> None:
    """Print the table."""
    for row in rows:
        sign, verdict = "≤≥"[not row.at_most], "ok" if row.met else "MISSED"
        print(f"{row.what:<48}{row.value:>9.3f} {row.unit:<7}{sign} {row.target:<6g} {verdict}", flush=True)


def main() -> int:
    """Run what is asked for; the exit status is 1 if a target is missed and --strict."""
    parts = {
        "fit": lambda rounds: fit_against_raw(rounds),
        "loader": lambda rounds: fit_against_loader(max(3, rounds // 3)),
        "mnist": lambda rounds: mnist_seconds(),
        "imports": lambda rounds: import_seconds(3),
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all if none is named"
    )
    parser.add_argument("--rounds", type=int, default=31, help="short rounds of each comparison")
    parser.add_argument("--threads", type=int, help="of torch; its own choice if not given")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    rows = []
    for name in arguments.parts or parts:
        found = parts[name](arguments.rounds)
        show(found)
        rows += found
    return int(arguments.strict and not all(row.met for row in rows))


if __name__ == "__main__":
    sys.exit(main())
