"""Learning-rate schedules, as lesson 07 builds them: functions of the step, counted from 0.

Each gives the learning rate of one step: `optimizer.lr = cosine_lr(0.1, step, total)`. Equal to
`torch.optim.lr_scheduler` up to rounding; see tests/test_built_optimizers.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["cosine_lr", "exponential_lr", "multi_step_lr", "one_cycle", "step_lr", "warmup"]


def step_lr(lr: float, step: int, step_size: int, gamma: float = 0.1) -> float:
    """Multiplied by gamma after every step_size steps. Built in lesson 07."""
    return lr * gamma ** (step // step_size)


def multi_step_lr(lr: float, step: int, milestones: Iterable[int], gamma: float = 0.1) -> float:
    """Multiplied by gamma at each milestone (the first step at the new rate). Built in lesson 07."""
    return lr * gamma ** sum(step >= milestone for milestone in milestones)


def exponential_lr(lr: float, step: int, gamma: float) -> float:
    """Multiplied by gamma after every step. Built in lesson 07."""
    return lr * gamma**step


def cosine_lr(lr: float, step: int, total: int, lr_min: float = 0.0) -> float:
    """Half a cosine from lr at step 0 down to lr_min at step total, and lr_min from there on.

    Built in lesson 07. I. Loshchilov, F. Hutter (2017), without restarts.
    """
    done = min(step / total, 1.0)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * done)) / 2


def warmup(lr: float, step: int, steps: int) -> float:
    """In `steps` equal rises from lr / steps at step 0 to lr at step `steps` − 1, then lr.

    Built in lesson 07. The first step is not wasted on a learning rate of 0.
    """
    return lr * min(1.0, (step + 1) / steps)


def one_cycle(
    lr: float,
    step: int,
    total: int,
    rise: float = 0.3,
    start_factor: float = 25.0,
    end_factor: float = 1e4,
) -> float:
    """Up from lr / start_factor to lr, then down to almost nothing, both along half a cosine.

    Built in lesson 07. L. N. Smith (2018), in the two-phase form that torch has.

    Args:
        lr: the highest learning rate.
        step: from 0 to total − 1.
        total: number of steps of the whole training.
        rise: share of the steps spent on the way up.
        start_factor: lr divided by the learning rate of step 0.
        end_factor: the learning rate of step 0 divided by that of the last step.
    """
    low, top = lr / start_factor, rise * total - 1
    if step <= top and top > 0:
        done, begin, end = step / top, low, lr
    else:
        done, begin, end = (step - top) / (total - 1 - top), lr, low / end_factor
    return end + (begin - end) * (1 + math.cos(math.pi * done)) / 2
