"""Training in plain torch: one step, one evaluation, the whole fit, its history, and checkpoints.

    from utils.training import accuracy, evaluate, fit

    history = fit(model, train, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=5,
                  validation=test, metrics={"accuracy": accuracy})
    history.validation["accuracy"]        # one number an epoch
    evaluate(model, test, nn.CrossEntropyLoss(), {"accuracy": accuracy})

A **batch** is a tuple ``(*inputs, y)``: the model is called as ``model(*inputs)``, the loss and every
metric as ``f(logits, y)``. **Batches** are anything with ``len()`` that yields such tuples and can be gone
through once an epoch: a ``DataLoader``, or ``utils.data.Batches``.

Started by ``torchrun``, ``fit`` trains with ``DistributedDataParallel``: each process takes its share of
every batch, and the result is that of one process on the same batches.
"""

from __future__ import annotations

import atexit
import copy
import math
import os
import random
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from utils.device import get_device, to_device

__all__ = [
    "CheckpointError",
    "DivergedError",
    "EarlyStop",
    "History",
    "Step",
    "accuracy",
    "evaluate",
    "fit",
    "load_checkpoint",
    "save_checkpoint",
    "train_step",
]

Loss = Callable[[Tensor, Tensor], Tensor]
Metric = Callable[[Tensor, Tensor], Tensor]
PRECISIONS = ("fp32", "bf16", "fp16")
READ_EVERY = 100  # steps between two looks at the losses: reading a number makes Python wait for the GPU


class BatchSource(Protocol):
    """What is trained on: a DataLoader, a ``utils.data.Batches``, or a list of batches."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Any: ...


class DivergedError(FloatingPointError):
    """The loss became NaN or infinite. ``history`` holds what was recorded until then."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, or of something else. Nothing was changed."""


# --- one step ------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What one training step leaves behind, on the model's device and without a graph."""

    loss: Tensor  # ()
    logits: Tensor  # what the model returned, before the step
    grad_norm: Tensor | None  # () length of the whole gradient before clipping; None without clipping


def train_step(
    model: nn.Module,
    batch: Sequence[Tensor],
    loss_fn: Loss,
    optimizer: Optimizer,
    *,
    scheduler: LRScheduler | None = None,
    clip_norm: float | None = None,
    precision: str = "fp32",
    scaler: torch.amp.GradScaler | None = None,
    weight: float = 1.0,
) -> Step:
    """Train on one batch: forward, loss, backward, one step of the optimizer.

    Args:
        batch: ``(*inputs, y)`` on the model's device.
        loss_fn: ``loss_fn(logits, y)``, the mean over the batch: one number.
        scheduler: changes the learning rate after the step.
        clip_norm: shorten the gradient of all parameters together to at most this length.
        precision: ``"bf16"`` or ``"fp16"`` runs the model in mixed precision; the loss is always float32.
        scaler: multiplies the loss so that fp16's small gradients do not become zero.
        weight: multiplies the gradient; the share of a process in a batch that several processes share.

    Raises:
        ValueError: the batch or the loss has the wrong form.
    """
    *inputs, y = _checked(batch)
    optimizer.zero_grad()
    logits, loss = _forward(model, inputs, y, loss_fn, precision)
    objective = loss if weight == 1.0 else weight * loss
    objective = objective if scaler is None else scaler.scale(objective)
    objective.backward()

    grad_norm = None
    if clip_norm is not None:
        if scaler is not None:
            scaler.unscale_(optimizer)
        grad_norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    if scaler is None:
        optimizer.step()
        stepped = True
    else:
        stepped = _scaled_step(optimizer, scaler)
    if scheduler is not None and stepped:
        scheduler.step()
    return Step(loss.detach(), logits.detach(), grad_norm)


def _forward(
    model: nn.Module, inputs: Sequence[Tensor], y: Tensor, loss_fn: Loss, precision: str
) -> tuple[Tensor, Tensor]:
    """Return ``(logits, loss)``; in mixed precision the model runs in it and the loss in float32."""
    if precision == "fp32":
        logits = model(*inputs)
    else:
        dtype = torch.bfloat16 if precision == "bf16" else torch.float16
        with torch.autocast(y.device.type, dtype=dtype):
            logits = model(*inputs)
        logits = logits.float()
    loss = loss_fn(logits, y)
    if loss.ndim:
        raise ValueError(
            f"loss_fn must return one number a batch, not a tensor of shape {tuple(loss.shape)}. "
            "Take the mean over the batch (reduction='mean')."
        )
    return logits, loss


def _scaled_step(optimizer: Optimizer, scaler: torch.amp.GradScaler) -> bool:
    """Step unless a gradient overflowed. Return whether it did step: if not, the scaler lowered its scale."""
    before = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    return scaler.get_scale() >= before


def _checked(batch: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return the batch, or say what a batch is."""
    if isinstance(batch, (tuple, list)) and len(batch) >= 2:
        return batch
    what = (
        f"{type(batch).__name__} of length {len(batch)}"
        if hasattr(batch, "__len__")
        else type(batch).__name__
    )
    raise ValueError(
        f"a batch must be a tuple (inputs, targets), not a {what}. Give Batches(X, y) both tensors."
    )


# --- measuring -----------------------------------------------------------------------------------------


def accuracy(logits: Tensor, y: Tensor) -> Tensor:
    """Share of right answers, a float32 tensor of shape ().

    Args:
        logits: (B, C) or (B, C, ...), one score a class, the largest wins; or the shape of ``y`` or (B, 1),
            one score for class 1, which wins above 0.
        y: (B,) or (B, ...) classes.

    Raises:
        ValueError: the shapes do not fit each other.
    """
    if logits.ndim == y.ndim + 1 and logits.shape[1] == 1:
        logits = logits.squeeze(1)
    if logits.shape == y.shape:
        right = (logits > 0) == (y > 0.5)
    elif logits.ndim == y.ndim + 1 and logits.shape[:1] + logits.shape[2:] == y.shape:
        right = logits.argmax(dim=1) == y
    else:
        raise ValueError(
            f"accuracy compares logits (B, C) with y (B,), not {tuple(logits.shape)} with {tuple(y.shape)}"
        )
    return right.mean(dtype=torch.float32)


def evaluate(
    model: nn.Module,
    batches: BatchSource,
    loss_fn: Loss,
    metrics: Mapping[str, Metric] | None = None,
    *,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    distributed: bool = False,
) -> dict[str, float]:
    """Mean loss and metrics over all samples, in evaluation mode and without gradients.

    A small last batch counts by its samples. The model's mode is put back afterwards.

    Args:
        metrics: name → function(logits, y) that returns the mean over a batch.
        device: where to compute; where the model is if None.
        distributed: share each batch among the processes of ``torchrun``; then all of them must call this.

    Returns:
        ``{"loss": ..., name: ...}``.

    Raises:
        ValueError: no batches, or metrics, precision, a batch or a result of the wrong form.
    """
    metrics = _check_metrics(metrics)
    _check_batches(batches, "batches")
    device = _place(model, device)
    _check_precision(precision, device)
    tally = _Tally(["loss", *metrics], device, distributed)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                (*inputs, y), size, _ = _share(batch, device, distributed)
                logits, loss = _forward(model, inputs, y, loss_fn, precision)
                tally.add(size, loss, *[metric(logits, y) for metric in metrics.values()])
    finally:
        for module, mode in modes:
            module.training = mode
    return tally.mean()


class _Tally:
    """Numbers of each batch, left on the device until they are read, so that Python need not wait for it."""

    def __init__(self, names: Sequence[str], device: torch.device, distributed: bool) -> None:
        self.names, self.device, self.distributed = list(names), device, distributed
        self.rows: list[tuple] = []  # since the last reading: one number a name, each a mean over a batch
        self.sizes: list[int] = []  # and how many samples that was
        self.batches = 0  # read so far
        self.samples = 0.0
        self.sums = torch.zeros(len(self.names), dtype=torch.float64)

    def add(self, size: int, *values: Tensor) -> None:
        """Take the numbers of a batch."""
        self.rows.append(values)
        self.sizes.append(size)

    def read(self) -> dict[str, list[float]]:
        """Return the numbers added since the last reading, one a batch; averaged over all processes."""
        columns = [
            _stack(name, column)
            for name, column in zip(self.names, zip(*self.rows, strict=True), strict=True)
        ]
        values = torch.stack(columns, dim=1)  # (batches, names)
        sizes = torch.tensor(self.sizes, dtype=torch.float64).unsqueeze(1)
        sums = torch.cat([values * sizes, sizes], dim=1)
        if self.distributed:
            sums = sums.to(self.device)
            dist.all_reduce(sums)
            sums = sums.cpu()
            values, sizes = sums[:, :-1] / sums[:, -1:], sums[:, -1:]
        self.sums += sums[:, :-1].sum(dim=0)
        self.samples += sizes.sum().item()
        self.batches += len(self.rows)
        self.rows, self.sizes = [], []
        return dict(zip(self.names, values.T.tolist(), strict=True))

    def mean(self) -> dict[str, float]:
        """Return the mean over all samples so far."""
        if self.rows:
            self.read()
        if not self.batches:
            raise ValueError(
                "there was no batch: an iterator can be gone through only once. Give Batches or a DataLoader."
            )
        return dict(zip(self.names, (self.sums / self.samples).tolist(), strict=True))


def _stack(name: str, values: Sequence[Any]) -> Tensor:
    """Bring the values that one name had in several batches to the CPU, at once, as float64 (batches,)."""
    tensors = [value if isinstance(value, Tensor) else torch.tensor(float(value)) for value in values]
    if shapes := [tuple(tensor.shape) for tensor in tensors if tensor.ndim]:
        raise ValueError(f"metric {name!r} must return one number a batch, not a tensor of shape {shapes[0]}")
    return torch.stack(tensors).detach().cpu().double()


# --- what is remembered --------------------------------------------------------------------------------


@dataclass
class History:
    """What ``fit`` measured.

    Attributes:
        train: ``"loss"`` and each metric → one number an epoch, over the batches as they were trained on
            (in training mode, while the weights changed).
        validation: the same names → one number an epoch, measured at its end. Empty without validation.
        steps: ``"loss"``, ``"lr"`` and, with clipping, ``"grad_norm"`` → one number a training step.
        seconds: duration of each epoch.
        note: why training ended before its last epoch, or empty.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    steps: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.seconds)

    @property
    def lr(self) -> list[float]:
        """Learning rate of each step (of the optimizer's first group)."""
        return self.steps.get("lr", [])

    def add_epoch(self, train: Mapping[str, float], validation: Mapping[str, float], seconds: float) -> None:
        """Append one epoch's numbers."""
        for table, numbers in ((self.train, train), (self.validation, validation)):
            for name, number in numbers.items():
                table.setdefault(name, []).append(number)
        self.seconds.append(seconds)

    def last(self) -> str:
        """Say the latest numbers: ``"loss 0.0312 · validation loss 0.0711"``."""
        tables = (("", self.train), ("validation ", self.validation))
        return " · ".join(
            f"{kind}{name} {numbers[-1]:.4g}" for kind, t in tables for name, numbers in t.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings, for a file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> History:
        """Make a history of what ``to_dict`` gave.

        Raises:
            ValueError: it is not that.
        """
        if not isinstance(state, Mapping) or set(state) != {item.name for item in fields(cls)}:
            raise ValueError("this is no history: History.from_dict takes what History.to_dict gives")
        return cls(**copy.deepcopy(dict(state)))

    def __repr__(self) -> str:  # without seconds: they differ from run to run
        numbers = f": {self.last()}" if self.train else ""
        return f"History of {self.epochs} epochs{numbers}{f' ({self.note})' if self.note else ''}"


@dataclass
class EarlyStop:
    """Stop when the validation set has not improved for ``patience`` epochs; keep the best weights.

    When training ends, by patience or at its last epoch, the model gets the weights of its best epoch.
    Going on from there (``fit`` with the ``history``) starts from the last weights again.

    Args:
        patience: epochs without improvement that are waited for.
        min_delta: a change smaller than this is no improvement.
        metric: which of ``history.validation``.
        mode: ``"min"`` or ``"max"``: what is better. May be left out for the loss.

    Raises:
        ValueError: an argument makes no sense.
    """

    patience: int = 3
    min_delta: float = 0.0
    metric: str = "loss"
    mode: str | None = None

    def __post_init__(self) -> None:
        if self.mode is None and self.metric == "loss":
            self.mode = "min"
        if self.mode not in ("min", "max"):
            raise ValueError(
                f"say which {self.metric} is better: mode='min' or mode='max', not {self.mode!r}"
            )
        if not isinstance(self.patience, int) or self.patience < 1:
            raise ValueError(f"patience must be a whole number of epochs, 1 or more, not {self.patience!r}")
        if not self.min_delta >= 0:
            raise ValueError(f"min_delta must be 0 or more, not {self.min_delta!r}")
        self.reset()

    def reset(self) -> None:
        """Forget everything seen."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.best_epoch = 0  # counted from 1
        self.waited = 0
        self.best_weights: dict[str, Any] | None = None
        self.last_weights: dict[str, Any] | None = None  # those that the best ones replaced

    @property
    def exhausted(self) -> bool:
        """Has the patience run out?"""
        return self.waited >= self.patience

    def update(self, model: nn.Module, history: History) -> None:
        """Look at the epoch that has just ended."""
        value = history.validation[self.metric][-1]
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta or self.best_weights is None:
            self.best, self.best_epoch, self.waited = value, history.epochs, 0
            self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1

    def restore(self, model: nn.Module) -> None:
        """Give the model its best weights."""
        if self.best_weights is not None:
            self.last_weights = copy.deepcopy(model.state_dict())
            model.load_state_dict(self.best_weights)

    def finish(self, model: nn.Module, history: History) -> None:
        """Give the model its best weights, and say in the history if that was before the last epoch."""
        self.restore(model)
        if self.exhausted:
            history.note = (
                f"stopped early after epoch {history.epochs}, back to epoch {self.best_epoch}, the best"
            )

    def go_on(self, model: nn.Module) -> None:
        """Undo ``restore``, unless somebody has changed the weights since."""
        if self.last_weights is not None and _same(model.state_dict(), self.best_weights):
            model.load_state_dict(self.last_weights)
        self.last_weights = None

    def state_dict(self) -> dict[str, Any]:
        """Settings, what was seen, and the weights."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` gave.

        Raises:
            ValueError: it is not that.
        """
        if set(state) != set(vars(self)):
            raise ValueError("this is no state of an EarlyStop")
        vars(self).update(copy.deepcopy(dict(state)))


def _same(weights: Mapping[str, Any], others: Mapping[str, Any] | None) -> bool:
    """Are these the same names with equal tensors?"""
    return others is not None and all(
        torch.equal(value, others[name].to(value.device))
        if isinstance(value, Tensor)
        else value == others[name]
        for name, value in weights.items()
    )


# --- the whole training --------------------------------------------------------------------------------


def fit(
    model: nn.Module,
    train: BatchSource,
    *,
    loss_fn: Loss,
    optimizer: Optimizer,
    epochs: int,
    validation: BatchSource | None = None,
    metrics: Mapping[str, Metric] | None = None,
    scheduler: LRScheduler | None = None,
    clip_norm: float | None = None,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    hooks: Iterable[Callable[[nn.Module, History], bool | None]] = (),
    early_stop: EarlyStop | int | None = None,
    history: History | None = None,
    scaler: torch.amp.GradScaler | None = None,
    progress: bool = True,
) -> History:
    """Train a model, epoch by epoch, and return what was measured. Afterwards it is in evaluation mode.

    Args:
        train: batches ``(*inputs, y)``: ``utils.data.Batches`` or a ``DataLoader``.
        loss_fn: ``loss_fn(logits, y)``, the mean over a batch.
        optimizer: over parameters of this model.
        epochs: how many in all, with those that ``history`` already holds.
        validation: batches to measure on after each epoch.
        metrics: name → function(logits, y) that returns the mean over a batch.
        scheduler: stepped after every batch (``StepLR(step_size=30)`` counts batches);
            ``ReduceLROnPlateau`` after every epoch, with the validation loss.
        clip_norm: shorten the gradient of all parameters together to at most this length.
        precision: ``"fp32"``; ``"bf16"`` or (CUDA only) ``"fp16"`` for mixed precision.
        device: move the model and each batch there; where the model is if None.
        hooks: functions of (model, history), called after every epoch; one that returns True ends training.
        early_stop: an ``EarlyStop``, or its patience.
        history: go on with this training; new numbers are appended to it.
        scaler: of the losses in fp16. Needed only to put it into a checkpoint.
        progress: show a bar, if somebody is watching.

    Under ``torchrun`` each process takes its share of every batch and hooks run in every process. A model
    with BatchNorm then measures each share by itself; on GPUs,
    ``nn.SyncBatchNorm.convert_sync_batchnorm(model)`` before making the optimizer measures whole batches.

    Interrupted from the keyboard, it returns the history so far; ``history.note`` says where it stopped.

    Raises:
        ValueError: arguments that make no sense together.
        DivergedError: the loss became NaN or infinite (a ``FloatingPointError``).
    """
    metrics, new = _check_metrics(metrics), history is None
    history = History() if history is None else history
    stop = EarlyStop(early_stop) if isinstance(early_stop, int) else early_stop
    _check_fit(
        model, train, loss_fn, optimizer, epochs, validation, metrics, scheduler, clip_norm, stop, history
    )
    device = _place(model, device, optimizer)
    _check_precision(precision, device)
    distributed = _join_processes(device, loss_fn)
    if stop is not None:
        stop.reset() if new else stop.go_on(model)
    each_epoch = isinstance(scheduler, ReduceLROnPlateau)
    step = partial(
        train_step,
        _wrap(model, device) if distributed else model,
        loss_fn=loss_fn,
        optimizer=optimizer,
        scheduler=None if each_epoch else scheduler,
        clip_norm=clip_norm,
        precision=precision,
        scaler=torch.amp.GradScaler(device.type) if scaler is None and precision == "fp16" else scaler,
    )
    history.note = ""
    bar = _bar(history.epochs, epochs, len(train), progress)
    try:
        while history.epochs < epochs and not history.note and not (stop and stop.exhausted):
            bar.set_description_str(f"epoch {history.epochs + 1}/{epochs}", refresh=False)
            started = time.perf_counter()
            if distributed:
                _agree(model, train, device)
            model.train()
            seen = _train_epoch(step, train, optimizer, metrics, history, bar, device, distributed)
            checked = {}
            if validation is not None:
                if distributed:
                    _agree(model, validation, device)
                checked = evaluate(
                    model, validation, loss_fn, metrics, precision=precision, distributed=distributed
                )
            history.add_epoch(seen, checked, time.perf_counter() - started)
            bar.set_postfix_str(history.last(), refresh=False)
            if each_epoch:
                scheduler.step(checked["loss"])
            if stop is not None:
                stop.update(model, history)
            if _anywhere([hook(model, history) is True for hook in hooks], device, distributed):
                history.note = f"ended by a hook after epoch {history.epochs}"
        if stop is not None:
            stop.finish(model, history)
    except KeyboardInterrupt:
        if distributed:  # the other processes may be anywhere in their work: they cannot go on together
            raise
        history.note = f"interrupted in epoch {history.epochs + 1}, {history.epochs} finished"
        print(f"Training was {history.note}. The model keeps what it has learned so far.")
    finally:
        bar.close()
    model.eval()
    return history


def _train_epoch(
    step: Callable[..., Step],
    batches: BatchSource,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric],
    history: History,
    bar: Any,
    device: torch.device,
    distributed: bool,
) -> dict[str, float]:
    """Train on every batch once. Append each step's numbers to ``history.steps``; return their means."""
    clipping = step.keywords["clip_norm"] is not None
    tally = _Tally(["loss", *metrics] + ["grad_norm"] * clipping, device, distributed)
    group, functions, rates = optimizer.param_groups[0], list(metrics.values()), []
    try:
        for batch in batches:
            part, size, weight = _share(batch, device, distributed)
            rates.append(group["lr"])
            loss, logits, grad_norm = step(batch=part, weight=weight)
            numbers = [loss, *[metric(logits, part[-1]) for metric in functions]]
            tally.add(size, *numbers, *([grad_norm] if clipping else []))
            bar.update()
            if len(rates) == READ_EVERY:
                _record(tally, rates, history)
    except KeyboardInterrupt:
        if tally.rows and not distributed:
            del rates[len(tally.rows) :]  # a step that was begun and not finished
            _record(tally, rates, history)
        raise
    if tally.rows:
        _record(tally, rates, history)
    means = tally.mean()
    return {name: means[name] for name in ("loss", *metrics)}


def _record(tally: _Tally, rates: list[float], history: History) -> None:
    """Append the latest steps' numbers to the history; stop if a loss is not finite.

    Raises:
        DivergedError: it is not; the message says where and what usually causes it.
    """
    before, numbers = tally.batches, tally.read()
    numbers["lr"] = [float(rate) for rate in rates]
    rates.clear()
    for name in ("loss", "lr", "grad_norm"):
        if name in numbers:
            history.steps.setdefault(name, []).extend(numbers[name])
    for index, loss in enumerate(numbers["loss"]):
        if not math.isfinite(loss):
            where = f"epoch {history.epochs + 1}, step {before + index + 1}"
            raise DivergedError(_why_diverged(loss, where, numbers["lr"][index]), history)


def _why_diverged(loss: float, where: str, rate: float) -> str:
    """Name what usually makes a loss NaN or infinite."""
    return (
        f"The loss became {loss} in {where}; the model's weights are probably spoilt: make the model and the "
        "optimizer anew. Likely causes:\n"
        f"- the learning rate is too large (it was {rate:.3g}): try a tenth of it, or clip_norm=1.0;\n"
        "- log(0), a division by 0 or the root of 0 in the model or the loss: give logits to "
        "nn.CrossEntropyLoss or nn.BCEWithLogitsLoss instead of taking a log of probabilities yourself;\n"
        "- NaN or infinite numbers in the data: look at torch.isfinite(X).all();\n"
        "- numbers above 65,504 in fp16: use precision='bf16'."
    )


# --- where, and what is allowed ------------------------------------------------------------------------


def _place(
    model: nn.Module, device: torch.device | str | None, optimizer: Optimizer | None = None
) -> torch.device:
    """Move the model, and what an optimizer remembers of it, to a device. Return the device it is on."""
    here = next((tensor.device for tensor in (*model.parameters(), *model.buffers())), None)
    if device is None:
        return here or torch.device("cpu")
    device = get_device(device)
    if device.type == "cuda" and device.index is None:  # each process of torchrun has a GPU of its own
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", torch.cuda.current_device())))
    if here not in (None, device):
        model.to(device)
        if optimizer is not None and optimizer.state:
            optimizer.load_state_dict(optimizer.state_dict())  # puts its tensors where the parameters are
    return device


def _share(
    batch: Sequence[Tensor], device: torch.device, distributed: bool
) -> tuple[Sequence[Tensor], int, float]:
    """Take this process's share of a batch and bring it to the device.

    Returns:
        ``(part, size, weight)``: the samples, how many, and what multiplies the gradient of their mean loss
        so that the mean over the processes is the gradient of the whole batch's mean loss.
    """
    size, weight = len(_checked(batch)[-1]), 1.0
    if distributed:
        rank, count, whole = dist.get_rank(), dist.get_world_size(), size
        start, stop = whole * rank // count, whole * (rank + 1) // count
        size, weight = stop - start, (stop - start) * count / whole
        # A process without a sample must still take part in the exchange: one sample, with weight 0.
        batch = [tensor[start : max(stop, start + 1)] for tensor in batch]
    for item in batch:
        if getattr(item, "device", None) != device:
            return to_device(batch, device), size, weight
    return batch, size, weight


def _check_fit(
    model: nn.Module,
    train: BatchSource,
    loss_fn: Loss,
    optimizer: Optimizer,
    epochs: int,
    validation: BatchSource | None,
    metrics: Mapping[str, Metric],
    scheduler: LRScheduler | None,
    clip_norm: float | None,
    stop: EarlyStop | None,
    history: History,
) -> None:
    """Raise ValueError for what cannot work, before anything is changed."""
    _check_batches(train, "train")
    if validation is not None:
        _check_batches(validation, "validation")
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs must be a whole number, 1 or more, not {epochs!r}")
    if epochs <= history.epochs:
        raise ValueError(
            f"the history already holds {history.epochs} epochs and epochs={epochs} counts them too: "
            f"ask for epochs={history.epochs + epochs} to train {epochs} more"
        )
    _check_history(history, metrics, validation is not None)
    _check_optimizer(model, loss_fn, optimizer)
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm must be above 0, not {clip_norm!r}")
    if isinstance(scheduler, ReduceLROnPlateau) and validation is None:
        raise ValueError("ReduceLROnPlateau looks at the validation loss: give fit a validation set too")
    if scheduler is not None:
        _check_schedule(scheduler, optimizer, (epochs - history.epochs) * len(train))
    if not isinstance(stop, EarlyStop | None):
        raise ValueError(f"early_stop must be an EarlyStop or a number of epochs, not {stop!r}")
    if stop is not None and (validation is None or stop.metric not in ("loss", *metrics)):
        raise ValueError(
            f"early_stop needs validation= and looks at {stop.metric!r}: 'loss' or one of the metrics"
        )


def _check_batches(batches: BatchSource, name: str) -> None:
    """Raise unless these can be counted and there are some."""
    try:
        count = len(batches)
    except TypeError:
        raise ValueError(
            f"{name} must be batches with a length, such as Batches(X, y) or a DataLoader, "
            f"not a {type(batches).__name__}"
        ) from None
    if count == 0:
        raise ValueError(f"{name} is empty: it has no batch (with drop_last, fewer samples than one batch?)")


def _check_metrics(metrics: Mapping[str, Metric] | None) -> dict[str, Metric]:
    """Return the metrics as a dict, or say what they must be."""
    if metrics is None:
        return {}
    if not isinstance(metrics, Mapping) or not all(map(callable, metrics.values())):
        raise ValueError(
            f'metrics must be a dict of functions, such as {{"accuracy": accuracy}}, not {metrics!r}'
        )
    if taken := {"loss", "lr", "grad_norm"} & set(metrics):
        raise ValueError(f"a metric cannot be called {taken.pop()!r}: fit itself uses this name")
    return dict(metrics)


def _check_precision(precision: str, device: torch.device) -> None:
    """Raise unless this device can compute so."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    if precision == "fp16" and device.type != "cuda":
        raise ValueError(
            f"fp16 needs a CUDA GPU and this model is on {device}: use precision='bf16' or 'fp32'"
        )


def _check_optimizer(model: nn.Module, loss_fn: Loss, optimizer: Optimizer) -> None:
    """Raise unless the optimizer trains this model."""
    trainable = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    if not trainable:
        raise ValueError(
            "the model has no trainable parameters (all frozen with requires_grad=False, or none)"
        )
    own = {id(parameter) for parameter in model.parameters()}
    if isinstance(loss_fn, nn.Module):
        own |= {id(parameter) for parameter in loss_fn.parameters()}
    given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not given <= own or not given & trainable:
        raise ValueError(
            "the optimizer holds other parameters than this model's. Was the model made anew after the "
            "optimizer? Make the optimizer again from model.parameters()."
        )


def _check_schedule(scheduler: LRScheduler, optimizer: Optimizer, steps: int) -> None:
    """Raise if the schedule moves another optimizer or, like OneCycleLR, ends before the training does."""
    if scheduler.optimizer is not optimizer:
        raise ValueError("the scheduler belongs to another optimizer: make it again, from this one")
    total = getattr(scheduler, "total_steps", None)
    if isinstance(total, int) and scheduler.last_epoch + steps > total:
        raise ValueError(
            f"the scheduler ends after total_steps={total} and the training takes "
            f"{scheduler.last_epoch + steps} steps: total_steps=epochs * len(train) fits"
        )


def _check_history(history: History, metrics: Mapping[str, Metric], validated: bool) -> None:
    """Raise unless the coming epochs measure what the history has."""
    names = {"loss", *metrics}
    had = set(history.train), set(history.validation)
    if history.epochs and had != (names, names if validated else set()):
        raise ValueError(
            f"the history holds {sorted(had[0])} of training and {sorted(had[1])} of validation: "
            "going on with it takes the same metrics, and a validation set if it had one"
        )


# --- several processes ---------------------------------------------------------------------------------


def _rank() -> int:
    """Number of this process among those of torchrun; 0 if there is only one."""
    return dist.get_rank() if dist.is_initialized() else int(os.environ.get("RANK", 0))


def _join_processes(device: torch.device, loss_fn: Loss) -> bool:
    """Connect with the other processes that torchrun has started. Return whether there are any."""
    if not dist.is_initialized():
        if int(os.environ.get("WORLD_SIZE", 1)) < 2:
            return False
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    if getattr(loss_fn, "reduction", "mean") != "mean":
        raise ValueError("with several processes the loss must be the mean over a batch: reduction='mean'")
    return dist.get_world_size() > 1


def _wrap(model: nn.Module, device: torch.device) -> DistributedDataParallel:
    """Let backward average the gradients over the processes. All begin with the weights of process 0."""
    return DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)


def _agree(model: nn.Module, batches: BatchSource, device: torch.device) -> None:
    """Give all processes the random states and the model's buffers of process 0.

    Each takes its share of every batch, so all must see the same batches in the same order. Random states
    drift apart where shares differ in size and the model has dropout; BatchNorm's buffers do in any case.
    """
    generator = _generator(batches)
    states = [len(batches), torch.get_rng_state(), generator.get_state() if generator is not None else None]
    dist.broadcast_object_list(states, src=0, device=device)
    count, chance, order = states
    if count != len(batches):
        raise ValueError(
            f"every process must have the same batches: here {len(batches)}, in process 0 {count}"
        )
    torch.set_rng_state(chance)
    if generator is not None:
        generator.set_state(order)
    for buffer in model.buffers():
        dist.broadcast(buffer, src=0)


def _generator(batches: BatchSource | None) -> torch.Generator | None:
    """Return what decides the order of batches, if it is not torch's global generator."""
    sampler = getattr(batches, "sampler", None)
    return getattr(batches, "generator", None) or getattr(sampler, "generator", None)


def _anywhere(answers: Sequence[bool], device: torch.device, distributed: bool) -> bool:
    """Is one of the answers True, in any process?"""
    answer = any(answers)
    if distributed:
        flag = torch.tensor(float(answer), device=device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        answer = bool(flag)
    return answer


# --- progress ------------------------------------------------------------------------------------------


def _bar(done: int, epochs: int, steps: int, wanted: bool) -> Any:
    """Make a progress bar that leaves nothing behind; shown by process 0, if somebody is watching."""
    from tqdm import tqdm  # here, because few who import this module ever see a bar

    hidden = not (wanted and _rank() == 0 and _watched())
    return tqdm(
        total=epochs * steps,
        initial=done * steps,
        desc=f"epoch {done + 1}/{epochs}",
        disable=hidden,
        leave=False,
        file=sys.stdout,
        mininterval=0.2,
        dynamic_ncols=True,
        unit="step",
    )


def _watched() -> bool:
    """Is a person there: a terminal, or a notebook whose reader can be asked for input?

    A notebook that is executed by a program (a build, a test) cannot be asked, and must store no bar.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stdout is not None and sys.stdout.isatty()
    return bool(kernel.get_parent().get("content", {}).get("allow_stdin", False))


# --- checkpoints ---------------------------------------------------------------------------------------

FORMAT = "neurons-to-transformers checkpoint 1"


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: nn.Module,
    history: History,
    train: BatchSource | None = None,
    **parts: Any,
) -> None:
    """Write all that is needed to go on with a training later, bit for bit.

        def keep(model, history):
            save_checkpoint("model.pt", model=model, history=history, train=train,
                            optimizer=optimizer, scheduler=scheduler)

        fit(model, train, ..., hooks=[keep])

    The file is complete or not there: it is written under another name and then renamed. With several
    processes only number 0 writes.

    Args:
        train: the batches, for the state of their generator.
        parts: by name whatever else has a ``state_dict``: optimizer, scheduler, scaler, early_stop.

    Raises:
        TypeError: a part has no state.
        OSError: the file cannot be written. A file that was there before is kept.
    """
    if _rank() != 0:
        return
    state = {
        "format": FORMAT,
        "epoch": history.epochs,
        "history": history.to_dict(),
        "chance": _chance(train),
        "parts": {name: _part_state(name, part) for name, part in {"model": model, **_given(parts)}.items()},
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(
    path: str | os.PathLike[str], *, model: nn.Module, train: BatchSource | None = None, **parts: Any
) -> History:
    """Put a training back to where ``save_checkpoint`` wrote it down, and return its history.

        history = load_checkpoint("model.pt", model=model, train=train,
                                  optimizer=optimizer, scheduler=scheduler)
        fit(model, train, ..., epochs=10, history=history)

    Everything is made first as it was for the first training. What is not given is left out: the model
    alone is enough to use it, but then the training does not go on as it would have.
    The random states of torch, NumPy, Python and of the batches' generator are put back too.

    Raises:
        CheckpointError: the file is missing, damaged or of something else. Nothing was changed.
    """
    path = Path(path)
    state = _read_checkpoint(path)
    parts = {"model": model, **_given(parts)}
    for name, part in parts.items():
        _check_part(path, name, part, state["parts"].get(name))
    before = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}, _chance(train)
    try:
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name]["state"])
        history = History.from_dict(state["history"])
        _set_chance(state["chance"], train)
    except Exception as error:
        for name, part in parts.items():
            part.load_state_dict(before[0][name])
        _set_chance(before[1], train)
        raise CheckpointError(f"{path} does not fit: {error}") from error
    return history


def _given(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the parts that are None."""
    return {name: part for name, part in parts.items() if part is not None}


def _part_state(name: str, part: Any) -> dict[str, Any]:
    """State of a part with its kind, which its state does not say."""
    if not hasattr(part, "state_dict"):
        raise TypeError(f"{name} has no state_dict: a {type(part).__name__} cannot be put into a checkpoint")
    return {"kind": type(part).__name__, "state": part.state_dict()}


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """Read the file; it can hold nothing but tensors and plain data.

    Raises:
        CheckpointError: it cannot be read, or is no checkpoint.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch does not look at the checksums
        if damaged:
            raise ValueError(f"wrong checksum of {damaged}")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged or no checkpoint ({error}). Delete it, and train again."
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path} was not written by save_checkpoint (of this version)")
    return state


def _check_part(path: Path, name: str, part: Any, stored: Mapping[str, Any] | None) -> None:
    """Raise unless the file has this part, of the same kind and for as many and as large tensors."""
    if stored is None:
        raise CheckpointError(f"{path} holds no {name}: it was not given to save_checkpoint")
    kind = type(part).__name__
    if name != "model" and stored["kind"] != kind:
        raise CheckpointError(f"{path} holds the {name} of a {stored['kind']}, not of a {kind}")


def _chance(batches: BatchSource | None) -> dict[str, Any]:
    """State of everything that random numbers are drawn from, as plain data and tensors."""
    import numpy as np

    kind, keys, *rest = np.random.get_state()
    version, numbers, gauss = random.getstate()
    generator = _generator(batches)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "batches": None if generator is None else generator.get_state(),
        "numpy": [kind, keys.tolist(), *rest],
        "python": [version, list(numbers), gauss],
    }


def _set_chance(state: Mapping[str, Any], batches: BatchSource | None) -> None:
    """Put back what ``_chance`` returned."""
    import numpy as np

    generator = _generator(batches)
    if generator is not None and state["batches"] is None:
        raise ValueError("the batches have a generator of their own and the file no state for it")
    torch.set_rng_state(state["torch"])
    if generator is not None:
        generator.set_state(state["batches"])
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
