"""Trainings that test_training.py runs in one process and, by torchrun, in two. Argument: folder for results.

Batches of 7 from 50 points: shares of 4 and 3, and a last batch of one, which leaves a process without any.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

from utils import training
from utils.data import Batches
from utils.training import DivergedError, EarlyStop, accuracy, fit, load_checkpoint, save_checkpoint

FOLDER = Path(sys.argv[1])
RANK = int(os.environ.get("RANK", 0))
N, FEATURES, CLASSES, BATCH = 50, 6, 3, 7
LOSS = nn.CrossEntropyLoss()


def data(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random points and classes, in float64 so that the order of a sum hardly matters."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(N, FEATURES, generator=generator, dtype=torch.float64)
    return X, torch.randint(CLASSES, (N,), generator=generator)


def batches(seed: int = 0) -> Batches:
    """Shuffled, from another seed in each process: process 0 must decide."""
    return Batches(*data(0), batch_size=BATCH, generator=torch.Generator().manual_seed(seed + 100 * RANK))


def make(dropout: float = 0.0) -> nn.Module:
    """A model whose first weights differ between the processes: those of process 0 must win."""
    torch.manual_seed(5 + RANK)
    layers = nn.Linear(FEATURES, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, CLASSES)
    return nn.Sequential(*layers).double()


def keep(name: str, model: nn.Module, history: training.History) -> None:
    """Write what came out."""
    torch.save([model.state_dict(), history.to_dict()], FOLDER / f"{name}-{RANK}.pt")


def run(model: nn.Module, train, optimizer, epochs: int = 3, **settings):
    """Train with a validation set whose last batch is one point."""
    validation = Batches(*data(1), batch_size=BATCH, shuffle=False)
    return fit(
        model, train, loss_fn=LOSS, optimizer=optimizer, epochs=epochs, validation=validation,
        metrics={"accuracy": accuracy}, **settings,
    )  # fmt: skip


def plain_and_resumed() -> None:
    """Adam with a schedule; then the same in two halves through a checkpoint."""

    def parts(model, train):
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=4 * len(train))
        return {"optimizer": optimizer, "scheduler": schedule, "early_stop": EarlyStop(patience=4)}

    model, train = make(), batches()
    given = parts(model, train)
    keep("plain", model, run(model, train, epochs=4, **given))

    model, train = make(), batches()
    given = parts(model, train)
    history = run(model, train, epochs=2, **given)
    save_checkpoint(FOLDER / "model.pt", model=model, history=history, train=train, **given)
    torch.distributed.barrier() if torch.distributed.is_initialized() else None
    model, train = make(), batches(seed=77)
    given = parts(model, train)
    history = load_checkpoint(FOLDER / "model.pt", model=model, train=train, **given)
    keep("resumed", model, run(model, train, epochs=4, history=history, **given))


def clipped() -> None:
    """Momentum, clipping, a schedule that follows the validation loss."""
    model = make()
    optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    keep("clipped", model, run(model, batches(), optimizer, clip_norm=0.1, scheduler=schedule, epochs=5))


def loader() -> None:
    """A DataLoader that draws its order from torch's global generator."""
    model = make()
    torch.manual_seed(11 + RANK)
    train = DataLoader(TensorDataset(*data(0)), BATCH, shuffle=True)
    keep("loader", model, run(model, train, optim.SGD(model.parameters(), lr=0.1)))


def dropout() -> None:
    """Shares of unequal size draw unequally many random numbers; the batches must stay the same."""
    model, seen = make(dropout=0.4), []
    X, y = data(0)
    X[:, 0] = torch.arange(N) / N  # a name for each point
    model.register_forward_hook(
        lambda module, inputs, output: (
            seen.append((inputs[0][:, 0] * N).round().long().tolist()) if module.training else None
        )
    )
    train = Batches(X, y, batch_size=10)
    history = run(model, train, optim.SGD(model.parameters(), lr=0.1))
    keep("dropout", model, history)
    epochs = [[name for step in seen[5 * epoch : 5 * epoch + 5] for name in step] for epoch in range(3)]
    torch.save(epochs, FOLDER / f"seen-{RANK}.pt")


def stopped() -> None:
    """Only the last process wants to stop; only process 0 may write."""
    model = make()
    last = int(os.environ.get("WORLD_SIZE", 1)) - 1
    hook = lambda model, history: history.epochs == 2 and last == RANK  # noqa: E731
    keep(
        "stopped", model, run(model, batches(), optim.SGD(model.parameters(), lr=0.1), epochs=4, hooks=[hook])
    )
    original = torch.save

    def save(*args, **settings):
        with (FOLDER / "saved-by.txt").open("a") as file:
            file.write(str(RANK))
        return original(*args, **settings)

    torch.save = save
    save_checkpoint(FOLDER / "other.pt", model=model, history=training.History())
    torch.save = original


def diverged() -> None:
    """The last process meets a bad number in step 4."""
    model, X = make(), data(0)[0].clone()
    X[3 * BATCH + BATCH - 1] = float("nan")
    train = Batches(X, data(0)[1], batch_size=BATCH, shuffle=False)
    try:
        run(model, train, optim.SGD(model.parameters(), lr=0.1))
    except DivergedError as error:
        (FOLDER / f"diverged-{RANK}.txt").write_text(str(error))


if __name__ == "__main__":
    for part in (plain_and_resumed, clipped, loader, dropout, stopped, diverged):
        part()
