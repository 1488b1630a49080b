"""utils.built.optimizers and utils.built.schedules: equal to torch.optim, step by step, in float64."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.optim import lr_scheduler

from utils.built import optimizers as built
from utils.built import schedules

TOLERANCE = 1e-12
STEPS = 100

PAIRS = {
    "SGD": (lambda p: built.SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "Momentum": (lambda p: built.Momentum(p, 0.03), lambda p: torch.optim.SGD(p, 0.03, momentum=0.9)),
    "Momentum 0.5": (
        lambda p: built.Momentum(p, 0.03, momentum=0.5),
        lambda p: torch.optim.SGD(p, 0.03, momentum=0.5),
    ),
    "Nesterov": (
        lambda p: built.Nesterov(p, 0.03),
        lambda p: torch.optim.SGD(p, 0.03, momentum=0.9, nesterov=True),
    ),
    "Adagrad": (lambda p: built.Adagrad(p, 0.05), lambda p: torch.optim.Adagrad(p, 0.05)),
    "RMSProp": (lambda p: built.RMSProp(p, 0.01), lambda p: torch.optim.RMSprop(p, 0.01)),
    "RMSProp 0.9": (
        lambda p: built.RMSProp(p, 0.01, alpha=0.9, eps=1e-3),
        lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-3),
    ),
    "Adam": (lambda p: built.Adam(p, 0.01), lambda p: torch.optim.Adam(p, 0.01)),
    "Adam, other settings": (
        lambda p: built.Adam(p, 0.01, betas=(0.8, 0.99), eps=1e-2),
        lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.99), eps=1e-2),
    ),
    "AdamW": (
        lambda p: built.AdamW(p, 0.01, weight_decay=0.3),
        lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.3),
    ),
}


def network(seed: int = 0) -> torch.nn.Sequential:
    """A small network in float64."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    return torch.nn.Sequential(*layers).double()


def paths(make_ours, make_theirs, *, schedule=None, rate=None) -> float:
    """Train the same network twice on the same batches; the largest difference between any parameters."""
    ours, theirs = network(), network()
    first, second = make_ours(ours.parameters()), make_theirs(theirs.parameters())
    scheduler = schedule(second) if schedule else None
    draw = torch.Generator().manual_seed(1)
    worst = 0.0
    for step in range(STEPS):
        X = torch.randn(16, 3, generator=draw, dtype=torch.float64)
        y = torch.stack([X.prod(dim=1), X.sum(dim=1)], dim=1)
        if rate is not None:
            first.lr = rate(step)
        for model, optimizer in ((ours, first), (theirs, second)):
            optimizer.zero_grad()
            ((model(X) - y) ** 2).mean().backward()
            optimizer.step()
        if scheduler:
            scheduler.step()
        gaps = [(a - b).abs().max() for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
        worst = max(worst, max(gaps).item())
    moved = [(a - b).abs().max() for a, b in zip(ours.parameters(), network().parameters(), strict=True)]
    assert max(moved) > 0.01, "the network did not learn: nothing was compared"
    return worst


@pytest.mark.parametrize("name", PAIRS)
def test_optimizer_equals_torch(name):
    assert paths(*PAIRS[name]) < TOLERANCE


def test_adam_without_correction_differs():
    assert paths(lambda p: built.Adam(p, 0.01, correct=False), lambda p: torch.optim.Adam(p, 0.01)) > 0.01


def test_parameter_without_gradient_is_left_alone():
    used, unused = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    optimizer = built.AdamW([used, unused], 0.1)
    used.sum().backward()
    optimizer.step()
    assert (used < 1).all() and torch.equal(unused, torch.ones(3))
    optimizer.zero_grad()
    assert used.grad is None
    before = used.detach().clone()
    optimizer.step()
    assert torch.equal(used, before)


def test_equal_shapes_do_not_share_memory():
    a, b = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    optimizer = built.Adam([a, b], 0.1)
    (a.sum() + 1000 * b.sum()).backward()
    optimizer.step()
    assert torch.allclose(a, torch.full((2,), -0.1)) and torch.allclose(b, torch.full((2,), -0.1))


def test_gradient_is_not_changed():
    for make, _ in PAIRS.values():
        p = torch.ones(4, dtype=torch.float64, requires_grad=True)
        (p**2).sum().backward()
        before = p.grad.clone()
        make([p]).step()
        assert torch.equal(p.grad, before)


def test_base_class_says_what_is_missing():
    p = torch.ones(1, requires_grad=True)
    p.sum().backward()
    with pytest.raises(NotImplementedError, match="does not say how"):
        built.Optimizer([p], 0.1).step()


SCHEDULES = {
    "step": (lambda s: schedules.step_lr(0.1, s, 30), lambda o: lr_scheduler.StepLR(o, 30)),
    "step, gamma": (
        lambda s: schedules.step_lr(0.1, s, 7, gamma=0.5),
        lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5),
    ),
    "multi-step": (
        lambda s: schedules.multi_step_lr(0.1, s, [20, 50, 51], gamma=0.3),
        lambda o: lr_scheduler.MultiStepLR(o, [20, 50, 51], gamma=0.3),
    ),
    "exponential": (
        lambda s: schedules.exponential_lr(0.1, s, 0.97),
        lambda o: lr_scheduler.ExponentialLR(o, 0.97),
    ),
    "cosine": (
        lambda s: schedules.cosine_lr(0.1, s, STEPS),
        lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS),
    ),
    "cosine, floor": (
        lambda s: schedules.cosine_lr(0.1, s, STEPS, lr_min=0.01),
        lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.01),
    ),
    "warm-up": (
        lambda s: schedules.warmup(0.1, s, 20),
        lambda o: lr_scheduler.LinearLR(o, start_factor=1 / 20, total_iters=19),
    ),
    # one step more than is taken: torch computes the rate of the next step, and after the last there is none
    "one-cycle": (
        lambda s: schedules.one_cycle(0.1, s, STEPS + 1),
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=STEPS + 1, cycle_momentum=False),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_equals_torch(name):
    ours, theirs = SCHEDULES[name]
    p = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], 0.1)
    scheduler = theirs(optimizer)
    for step in range(STEPS):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(ours(step), rel=1e-10, abs=1e-14), step
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_trains_as_torch_does(name):
    ours, theirs = SCHEDULES[name]
    make = (lambda p: built.SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1))
    assert paths(*make, schedule=theirs, rate=ours) < TOLERANCE


def test_ends_of_schedules():
    assert schedules.cosine_lr(0.1, 500, 100, lr_min=0.01) == pytest.approx(0.01)
    assert [schedules.warmup(0.4, s, 4) for s in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert schedules.warmup(0.4, 0, 1) == 0.4
    ends = [schedules.one_cycle(1.0, s, 10) for s in range(10)]
    assert max(ends) == pytest.approx(1.0) and ends[0] == pytest.approx(0.04)
    assert ends[-1] == pytest.approx(4e-6)
    for total in range(1, 8):  # no division by zero in the shortest trainings
        assert all(0 < schedules.one_cycle(1.0, s, total) <= 1 for s in range(total))


def test_minibatches():
    X, y = torch.arange(10.0)[:, None], torch.arange(10)
    draw = torch.Generator().manual_seed(0)
    epochs = [list(built.minibatches(X, y, 4, draw)) for _ in range(2)]
    for batches in epochs:
        assert [len(batch) for batch, _ in batches] == [4, 4, 2]
        assert all(torch.equal(batch[:, 0].long(), targets) for batch, targets in batches)
        assert sorted(torch.cat([t for _, t in batches]).tolist()) == list(range(10))
    first, second = (torch.cat([t for _, t in batches]) for batches in epochs)
    assert not torch.equal(first, second) and not torch.equal(first, y)
    assert len(list(built.minibatches(X, y, 99))) == 1


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6])
def test_clip_equals_torch(max_norm):
    model = network()
    X = torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    model(X).square().sum().backward()
    twin = copy.deepcopy(model)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        q.grad = p.grad.clone()
    before = [p.grad.clone() for p in model.parameters()]
    clipped = built.clip_by_norm(before, max_norm)
    torch.nn.utils.clip_grad_norm_(twin.parameters(), max_norm)
    for ours, q, kept, p in zip(clipped, twin.parameters(), before, model.parameters(), strict=True):
        assert torch.allclose(ours, q.grad, rtol=1e-5, atol=0)  # torch adds 1e-6 to the norm
        assert torch.equal(kept, p.grad)
    norm = torch.cat([g.flatten() for g in clipped]).norm()
    assert norm <= max_norm * (1 + 1e-9)


def test_clip_of_zeros():
    assert torch.equal(built.clip_by_norm([torch.zeros(3)], 1.0)[0], torch.zeros(3))
