# %% [markdown]
# # 07 · Exercises: Walking downhill well
#
# They go with [lesson 07](../07_optimizers.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once.

# %%
import math

import torch

from utils.checks import check, hint, progress

# %% exercise="07.minibatches"
# === statement
# ### 07.minibatches ●● Every example once, in a new order
#
# Write `minibatches(X, y, batch_size, generator)`, which gives the batches of one epoch: every example in exactly one batch,
# in an order drawn from the generator, each input beside its own target. What is left over at the end is a smaller batch.
#
# - `X`: inputs, shape (n, features), `y`: targets, shape (n,)
# - `batch_size`: a whole number; `generator`: a `torch.Generator`; use it as it is, so that the next epoch has another order
# - returns: one pair `(X, y)` after the other, with `yield`, or a list of them
#
# For example with 7 examples and batch size 3 the batches hold 3, 3 and 1 of them: in one epoch perhaps the examples 4, 0, 6,
# then 2, 5, 1, then 3. `torch.randperm(n, generator=generator)` gives the numbers 0 … n − 1 in random order.
# === code
def minibatches(X, y, batch_size, generator):
    """The batches (X, y) of one epoch, in an order drawn from the generator."""
    # === solution
    order = torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        batch = order[start : start + batch_size]  # a slice beyond the end is just shorter
        yield X[batch], y[batch]
    # === stub
    raise NotImplementedError("write minibatches, then run this cell and the check below")
    # === end
# === explanation
# One order for inputs and targets, cut into pieces. Indexing with a tensor of places picks these rows. The generator is used and
# not set back: it goes on, so every epoch differs, and yet the whole run can be repeated by whoever seeds it.

# %% exercise="07.sgd"
# === statement
# ### 07.sgd ● One step against the gradient
#
# Write `sgd(params, lr)`: one step of gradient descent for every parameter that has a gradient, **in place**. A parameter
# whose `grad` is None stays as it is. The gradients themselves are left alone.
#
# - `params`: a list of tensors with `requires_grad`, of any shapes; their gradients are in `p.grad`
# - `lr`: the learning rate
# - returns: nothing
#
# For example, for a parameter p = (1, 2) with `p.grad` = (10, −4), after `sgd([p], 0.1)` p is (0, 2.4).
# === code
def sgd(params, lr):
    """One step of gradient descent for all parameters, in place."""
    # === solution
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad
    # === stub
    raise NotImplementedError("write sgd, then run this cell and the check below")
    # === end
# === explanation
# `p -= …` changes the tensor that the network holds; `p = p - …` would make a new one that the network knows nothing of. Without
# `no_grad` torch would take the update for a part of the computation, and refuses.

# %% exercise="07.momentum"
# === statement
# ### 07.momentum ●● A step with a memory
#
# Write the class `Momentum(params, lr, momentum=0.9)` with a method `step()`. Every parameter p with gradient g has a velocity v
# of its own, 0 at the start. A step does v ← momentum · v + g, then p ← p − lr · v, in place. Parameters whose `grad` is None stay.
#
# - `params`: tensors with `requires_grad`, any shapes; they may come as `model.parameters()`, which can be gone through only once
# - `step()` takes nothing and returns nothing; `p.grad` is left as it is
#
# For example with lr 0.1 and momentum 0.5, p = 1 and gradients 2, then 1: v is 2 and p becomes 0.8; then v is 0.5 · 2 + 1 = 2 and p
# becomes 0.6.
# === code
class Momentum:
    """Gradient descent with a velocity for every parameter."""

    def __init__(self, params, lr, momentum=0.9):
        # === solution
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.velocities = [torch.zeros_like(p) for p in self.params]
        # === stub
        raise NotImplementedError("keep what step() will need, and make the velocities")
        # === end

    def step(self):
        # === solution
        with torch.no_grad():
            for p, v in zip(self.params, self.velocities, strict=True):
                if p.grad is not None:
                    v.mul_(self.momentum).add_(p.grad)
                    p -= self.lr * v
        # === stub
        raise NotImplementedError("move every parameter, then run this cell and the check below")
        # === end
# === explanation
# The velocities are made once, in `__init__`, and live on `self`: each optimizer has its own, and each parameter its own tensor. `mul_`
# and `add_` change v in place, so the list goes on holding the same tensors.
#
# Under a steady gradient v grows to g / (1 − momentum): with 0.9 ten times the gradient. That is why lr is smaller with momentum.

# %% exercise="07.rmsprop"
# === statement
# ### 07.rmsprop ●● A step for every scale
#
# Write the class `RMSProp(params, lr, alpha=0.99, eps=1e-08)` with a method `step()`. Every entry of every parameter remembers a
# running mean s of its squared gradients, 0 at the start. A step does s ← alpha · s + (1 − alpha) · g², then p ← p − lr · g / (√s + eps),
# in place. Parameters whose `grad` is None stay.
#
# - `params`: tensors with `requires_grad`, any shapes; they may come as `model.parameters()`, which can be gone through only once
# - `step()` takes nothing and returns nothing; `p.grad` is left as it is
#
# For example with lr 0.1, alpha 0.75, eps 0, p = 1 and gradients 2, then 1: s = 0.25 · 4 = 1 and p becomes 1 − 0.1 · 2/1 = 0.8; then
# s = 0.75 · 1 + 0.25 · 1 = 1 and p becomes 0.7.
# === code
class RMSProp:
    """Divide each gradient by the root of a running mean of its squares."""

    def __init__(self, params, lr, alpha=0.99, eps=1e-8):
        # === solution
        self.params, self.lr, self.alpha, self.eps = list(params), lr, alpha, eps
        self.squares = [torch.zeros_like(p) for p in self.params]
        # === stub
        raise NotImplementedError("keep what step() will need, and make the running means")
        # === end

    def step(self):
        # === solution
        with torch.no_grad():
            for p, s in zip(self.params, self.squares, strict=True):
                if p.grad is not None:
                    s.mul_(self.alpha).add_((1 - self.alpha) * p.grad**2)
                    p -= self.lr * p.grad / (s.sqrt() + self.eps)
        # === stub
        raise NotImplementedError("move every parameter, then run this cell and the check below")
        # === end
# === explanation
# √s is about as large as the gradient usually is, so the quotient is about 1 in size: entries with tiny and with huge gradients move
# equally far. As s starts at 0, the very first steps are long: with alpha = 0.99 the first is 10 times lr. Adam mends that.

# %% exercise="07.adam"
# === statement
# ### 07.adam ●●● Adam
#
# Write the class `Adam(params, lr=0.001, betas=(0.9, 0.999), eps=1e-08)` with a method `step()`. Every entry has two running means, both 0 at
# the start. In step number t = 1, 2, 3 …, with betas (β₁, β₂):
#
# m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g², then p ← p − lr · m̂ / (√ŝ + eps), where m̂ = m / (1 − β₁ᵗ) and ŝ = s / (1 − β₂ᵗ).
#
# - `params`: tensors with `requires_grad`, any shapes; they may come as `model.parameters()`, which can be gone through only once
# - parameters whose `grad` is None stay
# - `step()` takes nothing and returns nothing; `p.grad` is left as it is
#
# For example with lr 0.1, betas (0.5, 0.75), eps 0, p = 1 and gradients 2, then 1: first m = 1, s = 1, m̂ = 2, ŝ = 4, and p becomes
# 1 − 0.1 · 2/2 = 0.9. Then m = 1, s = 1, m̂ = 1/0.75, ŝ = 1/0.4375, and p becomes 0.9 − 0.1 · 1.3333/1.5119 = 0.8118.
# === code
class Adam:
    """Running means of gradient and squared gradient, both corrected for their start at 0."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        # === solution
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.means = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.params]
        self.t = 0
        # === stub
        raise NotImplementedError("keep what step() will need, and make the running means")
        # === end

    def step(self):
        # === solution
        beta1, beta2 = self.betas
        self.t += 1
        with torch.no_grad():
            for p, (m, s) in zip(self.params, self.means, strict=True):
                if p.grad is not None:
                    m.mul_(beta1).add_((1 - beta1) * p.grad)
                    s.mul_(beta2).add_((1 - beta2) * p.grad**2)
                    m_hat, s_hat = m / (1 - beta1**self.t), s / (1 - beta2**self.t)
                    p -= self.lr * m_hat / (s_hat.sqrt() + self.eps)
        # === stub
        raise NotImplementedError("move every parameter, then run this cell and the check below")
        # === end
# === explanation
# After t steps under a steady gradient g the mean that started at 0 is (1 − β₁ᵗ) g: the correction divides by just that. It is made
# for the step, and not kept. In the first step m̂/√ŝ is ±1, so Adam starts with steps of length lr, whatever the gradient's size.
#
# t counts steps, not parameters, and starts at 1: with t = 0 the correction would divide by 0.

# %% exercise="07.step_lr"
# === statement
# ### 07.step_lr ● Down the stairs
#
# Write `step_lr(lr, step, step_size, gamma=0.1)`: the learning rate at a step, if it is multiplied by gamma after every `step_size`
# steps. Steps count from 0, so the first `step_size` steps are taken with lr.
#
# - `lr`, `gamma`: floats, `step`, `step_size`: whole numbers, step ≥ 0, step_size ≥ 1
# - returns: a number
#
# For example with lr 0.8, step_size 10 and gamma 0.5: 0.8 at steps 0 to 9, 0.4 at steps 10 to 19, 0.2 from step 20 on.
# === code
def step_lr(lr, step, step_size, gamma=0.1):
    """The learning rate at a step, multiplied by gamma after every step_size steps."""
    # === solution
    return lr * gamma ** (step // step_size)
    # === stub
    raise NotImplementedError("write step_lr, then run this cell and the check below")
    # === end
# === explanation
# `//` divides and drops what is left over: how many stairs are behind us. Each multiplies by gamma, so it is a power.

# %% exercise="07.cosine_lr"
# === statement
# ### 07.cosine_lr ●● Half a cosine down
#
# Write `cosine_lr(lr, step, total, lr_min=0.0)`: from lr at step 0 along half a cosine down to lr_min at step `total`, flat at both ends. After
# that it stays at lr_min.
#
# - `lr`, `lr_min`: floats, `step`, `total`: whole numbers, step ≥ 0, total ≥ 1
# - returns: a number
#
# For example with lr 1, total 100 and lr_min 0.2 the rates at the steps 0, 25, 50, 75 and 100 are 1, 0.8828, 0.6, 0.3172 and 0.2. At step 25
# the cosine of a quarter of π is 0.7071, and 0.2 + 0.8 · (1 + 0.7071)/2 = 0.8828.
# === code
def cosine_lr(lr, step, total, lr_min=0.0):
    """Half a cosine from lr at step 0 to lr_min at step total, and lr_min from there on."""
    # === solution
    done = min(step / total, 1.0)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * done)) / 2
    # === stub
    raise NotImplementedError("write cosine_lr, then run this cell and the check below")
    # === end
# === explanation
# (1 + cos)/2 turns the cosine's way from 1 to −1 into one from 1 to 0. Multiplied by the whole drop and put on top of lr_min it runs from lr
# to lr_min. Without the `min` the cosine would go on, and the rate would rise again.

# %% exercise="07.warmup"
# === statement
# ### 07.warmup ● A gentle start
#
# Write `warmup(lr, step, steps)`: the learning rate rises in `steps` equal parts. At step 0 it is lr/steps, at step `steps` − 1 it has reached lr,
# and there it stays.
#
# - `lr`: a float, `step`, `steps`: whole numbers, step ≥ 0, steps ≥ 1
# - returns: a number
#
# For example with lr 0.8 and steps 4 the rates at the steps 0, 1, 2, 3, 4 are 0.2, 0.4, 0.6, 0.8, 0.8.
# === code
def warmup(lr, step, steps):
    """In equal rises from lr/steps at step 0 to lr at step steps − 1, then lr."""
    # === solution
    return lr * min(1.0, (step + 1) / steps)
    # === stub
    raise NotImplementedError("write warmup, then run this cell and the check below")
    # === end
# === explanation
# The + 1 makes the first step do something: with `step / steps` it would be taken with a rate of 0. A warm-up is multiplied into
# whatever schedule follows.

# %% exercise="07.clip_by_norm"
# === statement
# ### 07.clip_by_norm ●● One leash for all gradients
#
# Write `clip_by_norm(gradients, max_norm)`. Take all entries of all tensors together as one long arrow; if it is longer than
# `max_norm`, multiply **all** of them by the one factor that makes it just that long. Otherwise nothing changes.
#
# - `gradients`: a list of tensors of any shapes, floating point; they are not changed
# - `max_norm`: a positive number
# - returns: a list of tensors of the same shapes
#
# For example for (3, 0) and (4) the common norm is √(9 + 0 + 16) = 5, so with max_norm 1 everything is divided by 5:
# `clip_by_norm([torch.tensor([3.0, 0.0]), torch.tensor([4.0])], 1.0)` is `[tensor([0.6, 0.0]), tensor([0.8])]`.
# === code
def clip_by_norm(gradients, max_norm):
    """All gradients times one factor, so that their common norm is at most max_norm."""
    # === solution
    norm = math.sqrt(sum(g.square().sum().item() for g in gradients))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in gradients]
    # === stub
    raise NotImplementedError("write clip_by_norm, then run this cell and the check below")
    # === end
# === explanation
# One factor for all keeps the direction of the step; only its length is limited. Shortening each tensor by itself would bend it, and
# many tensors of allowed length could still be long together. `torch.nn.utils.clip_grad_norm_` does this in place.

# %%
progress()
