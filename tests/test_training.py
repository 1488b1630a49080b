"""utils.training against raw loops, and each of its features by itself."""

from __future__ import annotations

import copy
import io
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

from utils import training
from utils.data import Batches
from utils.training import (
    CheckpointError,
    DivergedError,
    EarlyStop,
    History,
    accuracy,
    evaluate,
    fit,
    load_checkpoint,
    save_checkpoint,
    train_step,
)

CROSS_ENTROPY = nn.CrossEntropyLoss()
N, FEATURES, CLASSES = 50, 6, 3


def make_data(seed=0, n=N):
    """Points whose class is where a fixed linear map is largest: easy to learn, not trivial."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, FEATURES, generator=generator)
    weights = torch.randn(FEATURES, CLASSES, generator=torch.Generator().manual_seed(99))
    return X, (X @ weights).argmax(1)


def make_batches(seed=0, batch_size=16, shuffle=True):
    """50 points in batches of 16: the last batch has 2."""
    generator = torch.Generator().manual_seed(seed)
    return Batches(*make_data(), batch_size=batch_size, shuffle=shuffle, generator=generator)


def make_model(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, CLASSES))


def make_validation():
    return Batches(*make_data(seed=1), batch_size=20, shuffle=False)


def sgd(model, lr=0.1, **settings):
    return optim.SGD(model.parameters(), lr=lr, **settings)


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_equal(weights, others):
    """Bit for bit."""
    assert weights.keys() == others.keys()
    for name, value in weights.items():
        assert torch.equal(value, others[name]), name


def quick_fit(model=None, **changes):
    """fit on the small data, with what a test does not care about filled in."""
    model = make_model() if model is None else model
    settings = {"loss_fn": CROSS_ENTROPY, "optimizer": sgd(model), "epochs": 2, "progress": False} | changes
    train = settings.pop("train", None)
    return fit(model, make_batches() if train is None else train, **settings)


# --- against a raw loop --------------------------------------------------------------------------------


def raw_loop(model, train, optimizer, epochs, scheduler=None, clip_norm=None):
    """What every tutorial writes. Returns the loss and the learning rate of each step."""
    losses, rates = [], []
    for _ in range(epochs):
        model.train()
        for x, y in train:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.zero_grad()
            loss = CROSS_ENTROPY(model(x), y)
            loss.backward()
            if clip_norm:
                nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimizer.step()
            if scheduler:
                scheduler.step()
            losses.append(loss.item())
    return losses, rates


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "fused adam": lambda p: optim.Adam(p, lr=0.01, fused=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("extras", [False, True], ids=["plain", "one-cycle and clipping"])
@pytest.mark.parametrize("source", ["Batches", "DataLoader"])
def test_the_numbers_of_a_raw_loop(name, extras, source):
    def run(train_with):
        model = make_model(dropout=0.2)
        optimizer = OPTIMIZERS[name](model.parameters())
        train = make_batches(seed=5)
        if source == "DataLoader":
            generator = torch.Generator().manual_seed(5)
            train = DataLoader(TensorDataset(*make_data()), 16, shuffle=True, generator=generator)
        scheduler, clip = None, None
        if extras:
            clip = 0.5
            scheduler = lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=3 * len(train))
        torch.manual_seed(1)  # of the dropout
        return train_with(model, train, optimizer, scheduler, clip), weights_of(model)

    def raw(model, train, optimizer, scheduler, clip):
        return raw_loop(model, train, optimizer, 3, scheduler, clip)

    def ours(model, train, optimizer, scheduler, clip):
        history = fit(
            model, train, loss_fn=CROSS_ENTROPY, optimizer=optimizer, epochs=3, scheduler=scheduler,
            clip_norm=clip, metrics={"accuracy": accuracy}, progress=False,
        )  # fmt: skip
        return history.steps["loss"], history.lr

    (losses, rates), weights = run(raw)
    (our_losses, our_rates), our_weights = run(ours)
    assert_equal(weights, our_weights)
    assert losses == our_losses  # float32 as float64: exactly
    assert rates == our_rates


def test_validation_between_epochs_does_not_change_the_training():
    model, other = make_model(dropout=0.3), make_model(dropout=0.3)
    torch.manual_seed(2)
    quick_fit(model, epochs=3)
    torch.manual_seed(2)
    quick_fit(other, epochs=3, validation=make_validation(), metrics={"accuracy": accuracy})
    assert_equal(weights_of(model), weights_of(other))


def test_several_inputs_and_lists_of_batches():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(FEATURES, CLASSES)

        def forward(self, a, b):
            return self.layer(a) + self.layer(b)

    X, y = make_data()
    model = Sum()
    history = fit(
        model, [(X, X.flip(0), y)], loss_fn=CROSS_ENTROPY, optimizer=sgd(model), epochs=2, progress=False
    )
    assert history.train["loss"][1] < history.train["loss"][0]


# --- one step, one evaluation --------------------------------------------------------------------------


def test_train_step_returns_what_it_saw_before_the_step():
    model = make_model()
    X, y = make_data()
    before = model(X).detach()
    step = train_step(model, (X, y), CROSS_ENTROPY, sgd(model))
    assert torch.equal(step.logits, before)
    assert step.loss == CROSS_ENTROPY(before, y)
    assert step.grad_norm is None
    assert not step.loss.requires_grad and not step.logits.requires_grad
    assert not torch.equal(model(X), before)


def test_clipping_is_by_the_length_of_the_whole_gradient():
    model = make_model()
    step = train_step(model, make_data(), CROSS_ENTROPY, sgd(model), clip_norm=0.01)
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    assert step.grad_norm > 0.1
    assert gradient.norm().item() == pytest.approx(0.01, rel=1e-4)
    history = quick_fit(clip_norm=0.01)
    assert len(history.steps["grad_norm"]) == len(history.lr) and min(history.steps["grad_norm"]) > 0.01
    assert "grad_norm" not in history.train


def test_the_scaler_is_undone_before_clipping_and_a_bad_step_is_left_out():
    model, plain = make_model(), make_model()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    step = train_step(model, make_data(), CROSS_ENTROPY, sgd(model), clip_norm=0.01, scaler=scaler)
    alone = train_step(plain, make_data(), CROSS_ENTROPY, sgd(plain), clip_norm=0.01)
    assert torch.allclose(step.grad_norm, alone.grad_norm)
    for ours, expected in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, expected, atol=1e-7)

    optimizer = sgd(model)
    scheduler = lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    before = weights_of(model)
    overflow = lambda logits, y: CROSS_ENTROPY(logits, y) * math.inf  # noqa: E731
    train_step(model, make_data(), overflow, optimizer, scheduler=scheduler, scaler=scaler)
    assert_equal(weights_of(model), before)
    assert scheduler.get_last_lr() == [0.1]  # no step, so no step of the schedule either
    assert scaler.get_scale() == 512.0


def test_evaluate_is_the_mean_over_samples_not_over_batches():
    model = make_model()
    X, y = make_data()
    logits = model(X)
    found = evaluate(model, make_batches(shuffle=False), CROSS_ENTROPY, {"accuracy": accuracy})
    assert list(found) == ["loss", "accuracy"]
    assert found["loss"] == pytest.approx(CROSS_ENTROPY(logits, y).item(), rel=1e-6)
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == y).double().mean().item(), rel=1e-6)


def test_training_metrics_are_the_mean_over_samples():
    model = make_model()
    X, y = make_data()
    expected = accuracy(model(X), y).item(), CROSS_ENTROPY(model(X), y).item()
    history = quick_fit(model, optimizer=sgd(model, lr=0.0), epochs=1, metrics={"accuracy": accuracy})
    assert history.train["accuracy"] == [pytest.approx(expected[0], rel=1e-6)]
    assert history.train["loss"] == [pytest.approx(expected[1], rel=1e-6)]


def test_metrics_may_return_plain_numbers():
    found = evaluate(make_model(), make_batches(), CROSS_ENTROPY, {"one": lambda logits, y: 1})
    assert found["one"] == 1.0


def test_evaluate_uses_and_restores_the_mode_of_every_module():
    model = make_model(dropout=0.5)
    model.train()
    model[0].eval()
    first, second = (evaluate(model, make_batches(shuffle=False), CROSS_ENTROPY) for _ in range(2))
    assert first == second
    assert [module.training for module in model] == [False, True, True, True] and model.training
    with pytest.raises(ZeroDivisionError):
        evaluate(model, make_batches(), lambda logits, y: 1 / 0)
    assert [module.training for module in model] == [False, True, True, True]


def test_evaluate_makes_no_graph():
    model = make_model()
    graphs = []
    evaluate(
        model,
        make_batches(),
        CROSS_ENTROPY,
        {"graph": lambda logits, y: graphs.append(logits.requires_grad) or 0.0},
    )
    assert graphs == [False] * 4


@pytest.mark.parametrize(
    ("logits", "y", "expected"),
    [
        ([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]], [0, 1, 1], 2 / 3),
        ([3.0, -1.0, 0.0, 2.0], [1, 0, 1, 0], 0.5),
        ([[3.0], [-1.0]], [1, 0], 1.0),
        ([[3.0], [-1.0]], [[1.0], [1.0]], 0.5),
        ([[[5.0, 0.0], [1.0, 9.0]]], [[0, 0]], 0.5),
        ([[0.1, 0.2, 0.7]], [2], 1.0),
    ],
)
def test_accuracy(logits, y, expected):
    found = accuracy(torch.tensor(logits), torch.tensor(y))
    assert found.dtype == torch.float32 and found.shape == ()
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logits", "y"), [((4, 3), (3,)), ((4,), (3,)), ((4, 3), (4, 2)), ((2, 5, 7), (2, 5))]
)
def test_accuracy_of_shapes_that_do_not_fit(logits, y):
    with pytest.raises(ValueError, match=r"not .* with"):
        accuracy(torch.zeros(logits), torch.zeros(y))


# --- precision -----------------------------------------------------------------------------------------


def test_bf16_runs_the_model_in_bf16_and_the_loss_in_float32():
    seen = []
    model = make_model()
    model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))

    def loss_fn(logits, y):
        seen.append(logits.dtype)
        return CROSS_ENTROPY(logits, y)

    history = quick_fit(model, loss_fn=loss_fn, precision="bf16", epochs=5, validation=make_validation())
    assert set(seen[::2]) == {torch.bfloat16} and set(seen[1::2]) == {torch.float32}
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    exact = quick_fit(epochs=5, validation=make_validation())
    assert history.train["loss"] == pytest.approx(exact.train["loss"], rel=0.02)
    assert history.train["loss"] != exact.train["loss"]


def test_precisions_that_cannot_be():
    with pytest.raises(ValueError, match=r"fp16 needs a CUDA GPU.*bf16"):
        quick_fit(precision="fp16")
    with pytest.raises(ValueError, match="fp32, bf16, fp16, not 'half'"):
        quick_fit(precision="half")
    with pytest.raises(ValueError, match="fp16 needs"):
        evaluate(make_model(), make_batches(), CROSS_ENTROPY, precision="fp16")


# --- schedules -----------------------------------------------------------------------------------------


def test_a_scheduler_steps_once_a_batch():
    model = make_model()
    optimizer = sgd(model)
    history = quick_fit(
        model, optimizer=optimizer, scheduler=lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5), epochs=2
    )
    assert history.lr == pytest.approx([0.1] * 3 + [0.05] * 3 + [0.025] * 2)


def test_reduce_on_plateau_steps_once_an_epoch_with_the_validation_loss():
    model = make_model()
    optimizer = sgd(model, lr=0.5)
    validation = make_validation()
    validation.tensors = (validation.tensors[0], validation.tensors[1].flip(0))  # learning makes this worse
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.1)
    history = quick_fit(model, optimizer=optimizer, scheduler=scheduler, epochs=4, validation=validation)
    rates, expected, best = history.lr[::4], 0.5, math.inf
    for epoch, loss in enumerate(history.validation["loss"][:-1]):
        expected *= 1 if loss < best * (1 - 1e-4) else 0.1
        best = min(best, loss)
        assert rates[epoch + 1] == pytest.approx(expected)
    assert rates[-1] < 0.5


# --- early stop, hooks ---------------------------------------------------------------------------------


class Scripted:
    """A loss for evaluation whose values are given, one an epoch; training sees the real loss."""

    def __init__(self, values):
        self.values = iter(values)

    def __call__(self, logits, y):
        return CROSS_ENTROPY(logits, y) if torch.is_grad_enabled() else torch.tensor(next(self.values))


def scripted_fit(values, early_stop, model=None, **changes):
    X, y = make_data(seed=1)
    return quick_fit(
        model,
        loss_fn=Scripted(values),
        validation=[(X, y)],
        early_stop=early_stop,
        epochs=len(values),
        **changes,
    )


def test_early_stop_waits_and_goes_back_to_the_best_weights():
    model, snapshots = make_model(), []
    stop = EarlyStop(patience=2)
    history = scripted_fit(
        [5.0, 3.0, 4.0, 2.0, 2.5, 2.0, 1.0], stop, model,
        hooks=[lambda model, history: snapshots.append(weights_of(model))],
    )  # fmt: skip
    assert history.epochs == 6  # 2.5 and 2.0 are no improvement on 2.0
    assert (stop.best, stop.best_epoch, stop.exhausted) == (2.0, 4, True)
    assert_equal(weights_of(model), snapshots[3])
    assert "early after epoch 6" in history.note and "epoch 4" in history.note
    assert "early" in repr(history)


def test_early_stop_counts_only_improvements_above_min_delta():
    assert scripted_fit([5.0, 4.9, 4.8, 4.7, 1.0], EarlyStop(patience=2, min_delta=0.25)).epochs == 3
    assert scripted_fit([5.0, 4.9, 4.8, 4.7, 1.0], EarlyStop(patience=2)).epochs == 5


def test_early_stop_by_a_number_and_nan():
    assert scripted_fit([5.0, 6.0, 7.0, 1.0], 2).epochs == 3
    assert scripted_fit([5.0, math.nan, math.nan, 1.0], 2).epochs == 3


def test_the_best_weights_come_back_even_when_patience_lasts():
    model, snapshots = make_model(), []
    history = scripted_fit(
        [5.0, 1.0, 4.0], EarlyStop(patience=9), model,
        hooks=[lambda model, history: snapshots.append(weights_of(model))],
    )  # fmt: skip
    assert history.epochs == 3 and history.note == ""
    assert_equal(weights_of(model), snapshots[1])


def test_early_stop_on_a_metric_that_should_grow():
    values = iter([0.5, 0.7, 0.6, 0.6, 0.9])
    X, y = make_data()
    stop = EarlyStop(patience=2, metric="quality", mode="max")

    def quality(logits, y):  # told by its size: the validation set
        return torch.tensor(next(values)) if len(y) == 7 else torch.tensor(0.0)

    history = quick_fit(epochs=5, metrics={"quality": quality}, validation=[(X[:7], y[:7])], early_stop=stop)
    assert history.epochs == 4 and stop.best == pytest.approx(0.7)


def test_an_early_stop_used_again_begins_anew():
    stop = EarlyStop(patience=1)
    assert scripted_fit([1.0, 2.0, 3.0], stop).epochs == 2
    assert scripted_fit([9.0, 8.0, 7.0], stop).epochs == 3


@pytest.mark.parametrize(
    "settings",
    [{"patience": 0}, {"patience": 1.5}, {"min_delta": -1}, {"mode": "up"}, {"metric": "accuracy"}],
)
def test_early_stops_that_make_no_sense(settings):
    with pytest.raises(ValueError):
        EarlyStop(**settings)


def test_hooks_run_after_every_epoch_in_order_and_true_ends_training():
    calls = []
    first = lambda model, history: calls.append(("first", history.epochs))  # noqa: E731

    def second(model, history):
        calls.append(("second", history.epochs))
        return history.epochs == 2

    history = quick_fit(epochs=5, hooks=[first, second])
    assert calls == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]
    assert history.epochs == 2 and "hook" in history.note
    assert quick_fit(epochs=3, hooks=[lambda model, history: "an axes or something"]).epochs == 3


def test_the_model_trains_in_training_mode_whatever_a_hook_did():
    modes = []
    model = make_model()
    model.register_forward_hook(lambda module, *_: modes.append(module.training))
    quick_fit(model, hooks=[lambda model, history: model.eval() and None])
    assert modes == [True] * 8
    assert not model.training  # afterwards


# --- what can go wrong while training ------------------------------------------------------------------


class Interrupting(nn.Module):
    """Raises KeyboardInterrupt in its n-th forward pass."""

    def __init__(self, at):
        super().__init__()
        self.layer, self.left = nn.Linear(FEATURES, CLASSES), at

    def forward(self, x):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.layer(x)


def test_an_interrupt_returns_the_history_and_a_usable_model(capsys):
    model = Interrupting(at=11)  # 4 steps an epoch: the third step of the third epoch
    optimizer = sgd(model)
    history = quick_fit(model, optimizer=optimizer, epochs=5)
    assert history.epochs == 2 and len(history.train["loss"]) == 2
    assert len(history.steps["loss"]) == len(history.lr) == 10
    assert "interrupted in epoch 3" in history.note and "interrupted in epoch 3" in capsys.readouterr().out
    assert not model.training and torch.isfinite(model(make_data()[0])).all()
    again = quick_fit(model, optimizer=optimizer, epochs=3, history=history)  # and one can go on
    assert again is history and history.epochs == 3 and history.note == ""


def test_an_interrupt_in_the_very_first_step(capsys):
    history = quick_fit(Interrupting(at=1))
    assert history.epochs == 0 and history.lr == [] and "epoch 1" in capsys.readouterr().out


@pytest.mark.parametrize("where", [1, 4, 6, 8])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_its_place_and_likely_causes(where, value):
    steps = []

    def loss_fn(logits, y):
        steps.append(1)
        return CROSS_ENTROPY(logits, y) * (value if len(steps) == where else 1.0)

    with pytest.raises(DivergedError) as caught:
        quick_fit(loss_fn=loss_fn, epochs=3)
    assert isinstance(caught.value, FloatingPointError)
    message = str(caught.value)
    assert f"epoch {(where - 1) // 4 + 1}, step {(where - 1) % 4 + 1}" in message
    for cause in ("learning rate", "0.1", "log(0)", "data", "fp16", "clip_norm"):
        assert cause in message
    history = caught.value.history
    assert history.epochs == (where - 1) // 4
    assert not math.isfinite(history.steps["loss"][where - 1])


def test_a_bad_loss_is_noticed_long_before_the_end_of_an_epoch():
    X, y = make_data()
    steps = []

    def loss_fn(logits, y):
        steps.append(1)
        return CROSS_ENTROPY(logits, y) * (math.nan if len(steps) == 105 else 1.0)

    with pytest.raises(DivergedError, match="epoch 1, step 105"):
        quick_fit(train=[(X[:2], y[:2])] * 1000, loss_fn=loss_fn)
    assert len(steps) == 200


def test_a_learning_rate_that_is_much_too_large_is_named():
    X, y = make_data()
    model = nn.Linear(FEATURES, 1)
    with pytest.raises(DivergedError, match="1e\\+03"):
        fit(
            model, [(X, y.float().unsqueeze(1))] * 50, loss_fn=nn.MSELoss(), optimizer=sgd(model, lr=1000.0),
            epochs=1, progress=False,
        )  # fmt: skip


def test_losses_are_read_in_blocks(monkeypatch):
    """No step may wait for the device: a thousand steps are read ten times."""
    X, y = make_data()
    reads = []
    original = training._Tally.read
    monkeypatch.setattr(training._Tally, "read", lambda self: reads.append(1) or original(self))
    history = quick_fit(train=[(X[:2], y[:2])] * 1000, epochs=1, metrics={"accuracy": accuracy})
    assert len(reads) == 10 and len(history.lr) == 1000


# --- bad input -----------------------------------------------------------------------------------------


def frozen_model():
    return make_model().requires_grad_(False)


BAD = {
    "empty train": (dict(train=[]), "train is empty"),
    "empty validation": (dict(validation=[]), "validation is empty"),
    "an iterator": (dict(train=iter([make_data()])), "train must be batches with a length"),
    "no epochs": (dict(epochs=0), "epochs must be a whole number"),
    "half an epoch": (dict(epochs=0.5), "epochs must be a whole number"),
    "metrics no dict": (dict(metrics=[accuracy]), "metrics must be a dict"),
    "metrics no functions": (dict(metrics={"accuracy": 1}), "metrics must be a dict of functions"),
    "a metric called loss": (dict(metrics={"loss": accuracy}), "cannot be called 'loss'"),
    "clip norm": (dict(clip_norm=0), "clip_norm must be above 0"),
    "plateau without validation": (
        dict(scheduler=lr_scheduler.ReduceLROnPlateau),
        "give fit a validation set",
    ),
    "early stop without validation": (dict(early_stop=2), "early_stop needs validation"),
    "early stop on no metric": (
        dict(early_stop=EarlyStop(metric="f1", mode="max"), validation=make_validation()),
        "looks at 'f1'",
    ),
    "early stop of something": (
        dict(early_stop="soon", validation=make_validation()),
        "must be an EarlyStop",
    ),
    "a schedule too short": (
        dict(scheduler=lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=7)),
        "total_steps=7 and the training takes 8 steps",
    ),
    "a batch that is a tensor": (dict(train=[torch.zeros(4, 6)]), "a batch must be a tuple"),
    "a batch without targets": (dict(train=[(torch.zeros(4, 6),)]), "a batch must be a tuple .* of length 1"),
    "loss of every sample": (dict(loss_fn=nn.CrossEntropyLoss(reduction="none")), "one number a batch"),
    "metric of every sample": (
        dict(metrics={"right": lambda z, y: z.argmax(1) == y}),
        "'right' must return one",
    ),
    "device": (dict(device="warp"), "names no device"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told(name):
    changes, message = BAD[name]
    model = make_model()
    optimizer = sgd(model)
    changes = dict(changes)
    if "scheduler" in changes:
        changes["scheduler"] = changes["scheduler"](optimizer)
    with pytest.raises(ValueError, match=message):
        quick_fit(model, optimizer=optimizer, **changes)


def test_optimizers_and_schedulers_of_something_else():
    model, other = make_model(), make_model()
    before = weights_of(model)
    with pytest.raises(ValueError, match=r"other parameters than this model's.*model.parameters\(\)"):
        quick_fit(model, optimizer=sgd(other))
    with pytest.raises(ValueError, match="other parameters"):
        quick_fit(model, optimizer=optim.SGD([*model.parameters(), *other.parameters()], lr=0.1))
    with pytest.raises(ValueError, match="no trainable parameters"):
        quick_fit(frozen_model(), optimizer=sgd(model))
    with pytest.raises(ValueError, match="belongs to another optimizer"):
        quick_fit(model, scheduler=lr_scheduler.StepLR(sgd(model), 1))
    assert_equal(weights_of(model), before)


def test_part_of_a_model_and_a_loss_with_parameters_can_be_trained():
    model = make_model()
    before = weights_of(model)
    quick_fit(model, optimizer=sgd(model[3]))
    after = weights_of(model)
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(before["3.weight"], after["3.weight"])

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, logits, y):
            return CROSS_ENTROPY(self.scale * logits, y)

    loss_fn = Scaled()
    quick_fit(
        model, loss_fn=loss_fn, optimizer=optim.SGD([*model.parameters(), *loss_fn.parameters()], lr=0.1)
    )
    assert loss_fn.scale != 1


def test_going_on_needs_more_epochs_and_the_same_measures():
    history = quick_fit(epochs=2)
    with pytest.raises(ValueError, match=r"already holds 2 epochs.*epochs=4 to train 2 more"):
        quick_fit(epochs=2, history=history)
    with pytest.raises(ValueError, match="the same metrics"):
        quick_fit(epochs=3, history=history, metrics={"accuracy": accuracy})
    with pytest.raises(ValueError, match="the same metrics"):
        quick_fit(epochs=3, history=history, validation=make_validation())


def test_an_iterator_that_pretends_to_have_a_length():
    class Once(list):
        def __iter__(self):
            return iter(())

    with pytest.raises(ValueError, match="only once"):
        evaluate(make_model(), Once([1]), CROSS_ENTROPY)


def test_batches_are_moved_only_where_needed(monkeypatch):
    moved = []
    monkeypatch.setattr(training, "to_device", lambda batch, device: moved.append(device) or batch)
    quick_fit(validation=make_validation())
    assert moved == []
    X, y = make_data()
    training._share((X, y), torch.device("meta"), distributed=False)
    assert moved == [torch.device("meta")]


# --- history -------------------------------------------------------------------------------------------


def test_history_there_and_back_through_json():
    history = quick_fit(validation=make_validation(), metrics={"accuracy": accuracy}, clip_norm=1.0)
    again = History.from_dict(json.loads(json.dumps(history.to_dict())))
    assert again == history and again is not history
    assert set(history.train) == set(history.validation) == {"loss", "accuracy"}
    assert set(history.steps) == {"loss", "lr", "grad_norm"}
    assert len(history.seconds) == history.epochs == 2 and all(second > 0 for second in history.seconds)
    assert "2 epochs" in repr(history) and "validation accuracy" in repr(history)
    again.train["loss"].append(0.0)
    assert len(history.train["loss"]) == 2
    for wrong in ({}, {"train": {}}, 3):
        with pytest.raises(ValueError, match="no history"):
            History.from_dict(wrong)


# --- checkpoints ---------------------------------------------------------------------------------------


def make_training(optimizer="adam"):
    """All parts of a training with everything that has a memory."""
    model = nn.Sequential(
        nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, CLASSES)
    )
    parts = {"optimizer": OPTIMIZERS[optimizer](model.parameters())}
    train = make_batches(seed=3)
    parts["scheduler"] = lr_scheduler.OneCycleLR(parts["optimizer"], max_lr=0.05, total_steps=4 * len(train))
    parts["early_stop"] = EarlyStop(patience=3)
    return model, train, parts


def run(model, train, parts, epochs, history=None, hooks=()):
    return fit(
        model, train, loss_fn=CROSS_ENTROPY, epochs=epochs, history=history, hooks=hooks, progress=False,
        validation=make_validation(), metrics={"accuracy": accuracy}, clip_norm=1.0, **parts,
    )  # fmt: skip


def without_seconds(history):
    return {name: value for name, value in history.to_dict().items() if name != "seconds"}


def disturb():
    """Leave every source of random numbers and every object in another state."""
    torch.manual_seed(123)
    np.random.seed(123)
    random.seed(123)


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "fused adam"])
@pytest.mark.parametrize("saved", ["after fit", "in a hook"])
def test_resuming_is_bit_for_bit(tmp_path, optimizer, saved):
    path = tmp_path / "new folder" / "model.pt"
    torch.manual_seed(0)
    model, train, parts = make_training(optimizer)
    straight = run(model, train, parts, epochs=4)

    torch.manual_seed(0)
    first, train_first, parts_first = make_training(optimizer)

    def save(model, history):
        save_checkpoint(path, model=model, history=history, train=train_first, **parts_first)

    history = run(first, train_first, parts_first, epochs=2, hooks=[save] if saved == "in a hook" else [])
    if saved == "after fit":
        save(first, history)

    disturb()
    second, train_second, parts_second = make_training(optimizer)
    run(second, train_second, {"optimizer": sgd(second)}, epochs=1)  # what is loaded over may be used already
    history = load_checkpoint(path, model=second, train=train_second, **parts_second)
    assert history.epochs == 2
    resumed = run(second, train_second, parts_second, epochs=4, history=history)

    assert_equal(weights_of(model), weights_of(second))
    assert without_seconds(straight) == without_seconds(resumed)
    ours, expected = parts_second["early_stop"].state_dict(), parts["early_stop"].state_dict()
    assert ours.pop("best_epoch") == expected.pop("best_epoch") and ours["waited"] == expected["waited"]
    for ours, expected in zip(
        parts_second["optimizer"].state.values(), parts["optimizer"].state.values(), strict=True
    ):
        assert ours.keys() == expected.keys() and len(ours) > 0
        assert all(torch.equal(ours[name], expected[name]) for name in ours if ours[name] is not None)


def test_resuming_in_a_fresh_process(tmp_path):
    """The same through files alone: another interpreter, in which nothing was seeded."""
    code = """
import sys
import torch
sys.path.insert(0, {tests!r})
from test_training import make_training, run, without_seconds
from utils.training import load_checkpoint
model, train, parts = make_training()
history = load_checkpoint({path!r}, model=model, train=train, **parts)
history = run(model, train, parts, 4, history)
torch.save([model.state_dict(), without_seconds(history)], {out!r})
"""
    torch.manual_seed(0)
    model, train, parts = make_training()
    path, out = tmp_path / "model.pt", tmp_path / "out.pt"
    hook = lambda model, history: (  # noqa: E731
        save_checkpoint(path, model=model, history=history, train=train, **parts)
        if history.epochs == 2
        else None
    )
    straight = run(model, train, parts, epochs=4, hooks=[hook])
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code.format(tests=here, path=str(path), out=str(out))], check=True)
    weights, history = torch.load(out, weights_only=True)
    assert_equal(weights_of(model), weights)
    assert history == without_seconds(straight)


def test_resuming_with_a_dataloader_and_the_global_generator(tmp_path):
    def loader():
        return DataLoader(TensorDataset(*make_data()), 16, shuffle=True)

    def part(model, optimizer, epochs, history=None):
        return quick_fit(model, train=loader(), optimizer=optimizer, epochs=epochs, history=history)

    torch.manual_seed(4)
    model = make_model(dropout=0.3)
    optimizer = sgd(model, momentum=0.9)
    torch.manual_seed(4)
    part(model, optimizer, 3)

    other = make_model(dropout=0.3)
    optimizer = sgd(other, momentum=0.9)
    torch.manual_seed(4)
    history = part(other, optimizer, 1)
    save_checkpoint(tmp_path / "a.pt", model=other, history=history, optimizer=optimizer)
    disturb()
    third = make_model(seed=9, dropout=0.3)
    optimizer = sgd(third, momentum=0.9)
    history = load_checkpoint(tmp_path / "a.pt", model=third, optimizer=optimizer)
    part(third, optimizer, 3, history)
    assert_equal(weights_of(model), weights_of(third))


def test_random_states_of_numpy_and_python_come_back(tmp_path):
    draw = lambda: (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.gauss(0, 1))  # noqa: E731
    random.gauss(0, 1)  # Python keeps the second of a pair
    np.random.randn()
    save_checkpoint(tmp_path / "a.pt", model=make_model(), history=History())
    expected = draw()
    disturb()
    load_checkpoint(tmp_path / "a.pt", model=frozen_model())
    assert draw() == expected


def test_early_stop_goes_on_from_the_last_weights_but_keeps_weights_changed_by_hand():
    stop = EarlyStop(patience=9)
    model, snapshots = make_model(), []
    remember = [lambda model, history: snapshots.append(weights_of(model))]
    optimizer = sgd(model)
    history = scripted_fit([1.0, 2.0], stop, model, hooks=remember, optimizer=optimizer)
    assert_equal(weights_of(model), snapshots[0])
    stop_too, changed = copy.deepcopy(stop), copy.deepcopy(model)
    stop.go_on(model)
    assert_equal(weights_of(model), snapshots[1])
    with torch.no_grad():
        changed[0].bias += 1
    expected = weights_of(changed)
    stop_too.go_on(changed)
    assert_equal(weights_of(changed), expected)
    assert history.epochs == 2


def test_resuming_after_the_best_weights_came_back(tmp_path):
    """The file holds the best epoch's weights for use; the training goes on from the last epoch's."""
    values = [1.0, 2.0, 0.5, 3.0]

    def start():
        model, train = make_model(), make_batches(seed=3)
        return model, train, {"optimizer": sgd(model, momentum=0.9), "early_stop": EarlyStop(patience=3)}

    def part(model, train, parts, values, epochs, history=None):
        return quick_fit(
            model, train=train, loss_fn=Scripted(values), validation=[make_data(seed=1)], epochs=epochs,
            history=history, **parts,
        )  # fmt: skip

    straight, train, parts = start()
    part(straight, train, parts, values, 4)
    model, train, parts = start()
    history = part(model, train, parts, values[:2], 2)
    save_checkpoint(tmp_path / "a.pt", model=model, history=history, train=train, **parts)
    best = weights_of(model)
    model, train, parts = start()
    history = load_checkpoint(tmp_path / "a.pt", model=model, train=train, **parts)
    assert_equal(weights_of(model), best)
    part(model, train, parts, values[2:], 4, history)
    assert_equal(weights_of(model), weights_of(straight))


def everything(model, parts, train):
    """State of all objects and random sources, to compare."""
    buffer = io.BytesIO()
    torch.save([model.state_dict(), {name: part.state_dict() for name, part in parts.items()}], buffer)
    return buffer.getvalue(), training._chance(train)


def assert_nothing_changed(before, after):
    assert before[0] == after[0]
    assert all(torch.equal(before[1][name], after[1][name]) for name in ("torch", "batches"))
    assert before[1]["numpy"] == after[1]["numpy"] and before[1]["python"] == after[1]["python"]


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = b""
    elif how == "no checkpoint":
        content = b"these are words"
    elif how == "one bit":
        weight = torch.load(path, weights_only=True)["parts"]["model"]["state"]["0.weight"]
        where = bytes(content).index(weight.numpy().tobytes())
        content[where + 5] ^= 1
    elif how == "missing":
        path.unlink()
        return
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "empty", "no checkpoint", "one bit", "missing"])
def test_a_damaged_checkpoint_changes_nothing(tmp_path, how):
    path = tmp_path / "model.pt"
    model, train, parts = make_training()
    history = run(model, train, parts, epochs=1)
    save_checkpoint(path, model=model, history=history, train=train, **parts)
    damage(path, how)
    disturb()
    before = everything(model, parts, train)
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        load_checkpoint(path, model=model, train=train, **parts)
    assert_nothing_changed(before, everything(model, parts, train))


def other_model():
    return nn.Sequential(
        nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)
    )


@pytest.mark.parametrize(
    "what", ["a layer of another shape", "optimizer", "scheduler", "no scheduler", "groups", "order"]
)
def test_a_checkpoint_of_something_else_changes_nothing(tmp_path, what):
    path = tmp_path / "model.pt"
    model, train, parts = make_training()
    history = run(model, train, parts, epochs=1)
    saved = {
        name: part for name, part in parts.items() if not (what == "no scheduler" and name == "scheduler")
    }
    saved_train = make_batches().tensors and [make_data()] if what == "order" else train
    save_checkpoint(path, model=model, history=history, train=saved_train, **saved)

    model, train, parts = make_training()
    if what == "a layer of another shape":
        model = other_model()
        parts = {"optimizer": optim.Adam(model.parameters())}
    elif what == "optimizer":
        parts = {"optimizer": sgd(model)}
    elif what == "scheduler":
        parts["scheduler"] = lr_scheduler.StepLR(parts["optimizer"], 1)
    elif what == "groups":
        parts = {"optimizer": optim.Adam([{"params": [p]} for p in model.parameters()])}
    before = everything(model, parts, train)
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        load_checkpoint(path, model=model, train=train, **parts)
    assert_nothing_changed(before, everything(model, parts, train))


def test_other_files_of_torch_are_told_from_checkpoints(tmp_path):
    torch.save(make_model().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="not written by save_checkpoint"):
        load_checkpoint(tmp_path / "weights.pt", model=make_model())


def test_no_code_is_run_by_loading(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trapped"),)

    torch.save({"format": training.FORMAT, "trap": Trap()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "a.pt", model=make_model())
    assert not (tmp_path / "trapped").exists()


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    model = make_model()
    save_checkpoint(path, model=model, history=History())
    before = path.read_bytes()

    def disk_full(state, file):
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, model=model, history=History())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]


def test_parts_without_a_state_are_refused(tmp_path):
    with pytest.raises(TypeError, match="optimizer has no state_dict"):
        save_checkpoint(tmp_path / "a.pt", model=make_model(), history=History(), optimizer=3)
    assert list(tmp_path.iterdir()) == []


def test_the_model_alone_can_be_loaded(tmp_path):
    model, train, parts = make_training()
    history = run(model, train, parts, epochs=1)
    save_checkpoint(tmp_path / "a.pt", model=model, history=history, train=train, scaler=None, **parts)
    other, *_ = make_training()
    load_checkpoint(tmp_path / "a.pt", model=other)
    assert_equal(weights_of(model), weights_of(other))


def test_a_scaler_is_kept(tmp_path):
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    save_checkpoint(tmp_path / "a.pt", model=make_model(), history=History(), scaler=scaler)
    other = torch.amp.GradScaler("cpu")
    load_checkpoint(tmp_path / "a.pt", model=make_model(), scaler=other)
    assert other.get_scale() == 4.0


# --- progress ------------------------------------------------------------------------------------------


class Terminal:
    """A stdout that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


@pytest.mark.parametrize("progress", [True, False])
def test_the_bar_shows_in_a_terminal_and_clears_itself(monkeypatch, progress):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    history = quick_fit(epochs=3, progress=progress)
    assert history.epochs == 3
    if progress:
        assert "epoch 1/3" in terminal.text and "\n" not in terminal.text
        assert terminal.text.split("\r")[-2].strip() == ""  # overwritten with blanks
    else:
        assert terminal.text == ""


def test_nothing_is_printed_when_nobody_watches(capfd):
    quick_fit(epochs=2, progress=True)
    assert capfd.readouterr() == ("", "")


NOTEBOOK_CELL = """\
import torch
from torch import nn, optim
from utils.data import Batches
from utils.training import fit
model = nn.Linear(2, 2)
train = Batches(torch.randn(64, 2), torch.zeros(64, dtype=torch.long), batch_size=8)
optimizer = optim.SGD(model.parameters(), 0.1)
history = fit(model, train, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=3)
print(history.epochs)
"""


def execute(allow_stdin):
    """Outputs of the cell, executed as a build does it or as a person's browser would."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK_CELL)])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    with client.setup_kernel():
        if allow_stdin:
            ask = client.kc.execute
            client.kc.execute = lambda *args, **settings: ask(*args, **settings | {"allow_stdin": True})
        client.execute_cell(notebook.cells[0], 0)
    return notebook.cells[0].outputs


@pytest.mark.slow
def test_an_executed_notebook_stores_no_bar():
    (output,) = execute(allow_stdin=False)
    assert output.output_type == "stream" and output.name == "stdout" and output.text == "3\n"


@pytest.mark.slow
def test_a_notebook_that_is_read_by_a_person_has_a_bar_but_no_widget_and_no_stderr():
    outputs = execute(allow_stdin=True)
    assert {output.output_type for output in outputs} == {"stream"}
    assert {output.name for output in outputs} == {"stdout"}
    assert "epoch 1/3" in outputs[0].text


# --- several processes ---------------------------------------------------------------------------------

WORKER = Path(__file__).with_name("_ddp_worker.py")


@pytest.fixture(scope="module")
def shared_runs(tmp_path_factory):
    """What two processes and one process got, from the same script."""
    folder = tmp_path_factory.mktemp("ddp")
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    environment |= {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    results = []
    for command, name in ((torchrun, "two"), ([sys.executable], "one")):
        (folder / name).mkdir()
        done = subprocess.run(
            [*command, str(WORKER), str(folder / name)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        results.append(folder / name)
    return results


def load_run(folder, rank, name):
    return torch.load(folder / f"{name}-{rank}.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "resumed", "clipped", "loader"])
def test_two_processes_give_the_result_of_one(shared_runs, name):
    two, one = shared_runs
    weights, history = load_run(one, 0, name)
    for rank in (0, 1):
        our_weights, our_history = load_run(two, rank, name)
        for key, value in weights.items():
            torch.testing.assert_close(our_weights[key], value, rtol=1e-9, atol=1e-11)
        for table in ("train", "validation", "steps"):
            assert our_history[table].keys() == history[table].keys()
            for key, values in history[table].items():
                assert our_history[table][key] == pytest.approx(values, rel=1e-6, abs=1e-9), (table, key)


@pytest.mark.slow
def test_two_processes_agree_although_their_random_states_do_not(shared_runs):
    """Dropout, no generator: not the numbers of one process, but both the same, and every sample once."""
    two, _ = shared_runs
    (weights, history), (others, other_history) = (load_run(two, rank, "dropout") for rank in (0, 1))
    assert_equal(weights, others)
    assert history["train"] == other_history["train"] and history["validation"] == other_history["validation"]
    seen = [load_run(two, rank, "seen") for rank in (0, 1)]
    for epoch in range(3):
        assert sorted(seen[0][epoch] + seen[1][epoch]) == list(range(N))


@pytest.mark.slow
def test_only_the_first_process_saves_and_a_hook_of_any_stops_all(shared_runs):
    two, _ = shared_runs
    assert (two / "model.pt").exists() and (two / "saved-by.txt").read_text() == "0"
    stopped = [load_run(two, rank, "stopped")[1] for rank in (0, 1)]
    assert [len(history["seconds"]) for history in stopped] == [2, 2]


@pytest.mark.slow
def test_a_bad_loss_in_one_process_stops_all(shared_runs):
    two, _ = shared_runs
    messages = [(two / f"diverged-{rank}.txt").read_text() for rank in (0, 1)]
    assert messages[0] == messages[1] and "epoch 1, step 4" in messages[0]
