# %% [markdown]
# # 10 · Exercises: The whole loop, on any device
#
# They go with [lesson 10](../10_training.ipynb). Write your answer where the cell says so, run the cell, then run the check
# below it. It answers at once. The last four give you a loop that does not work, and you mend it.

# %%
import math

import torch
from torch import nn
from torch.nn import functional as F

from utils.checks import check, hint, progress

# %% exercise="10.first_loss"
# === statement
# ### 10.first_loss ● What the loss should be before anything is learned
#
# A classifier that has learned nothing should say "I do not know": the same probability for each of the k classes. Write
# `first_loss(k)`: which cross-entropy does that give, whatever the targets are? The first loss of a new network should be close to it.
#
# - `k`: number of classes, a whole number
# - returns: a float, with the natural logarithm that torch's `cross_entropy` uses
#
# For example, with k = 2 classes the loss is 0.6931.
# === code
def first_loss(k):
    """The cross-entropy of a classifier that gives each of k classes the same probability."""
    # === solution
    return math.log(k)
    # === stub
    raise NotImplementedError("write first_loss, then run this cell and the check below")
    # === end
# === explanation
# The right class gets the probability 1/k, so the loss is −log(1/k) = log k. For ten digits that is 2.30. A first loss far above it means
# that the network is sure of something it cannot know: its first weights are too large, or the data are not scaled.

# %% exercise="10.train_step"
# === statement
# ### 10.train_step ● One step
#
# Write `train_step(model, loss_fn, optimizer, X, y)`: one step of training on one batch. It must not matter whether gradients were left
# behind by somebody else before.
#
# - `model`: a module; `loss_fn(logits, y)` gives the mean loss, a tensor of shape (); `optimizer`: it holds the model's parameters
# - `X`: a batch of inputs, shape (B, features); `y`: its targets, shape (B,)
# - returns: the loss of this batch **before** the step, as a plain number (float)
#
# For example, a model with one weight 1 and no bias, the loss (ŷ − y)², X = 3 and y = 0: the loss is 9, the gradient 18. With
# learning rate 0.01 the weight becomes 0.82, and 9.0 is returned.
# === code
def train_step(model, loss_fn, optimizer, X, y):
    """One step of training on one batch; returns the loss before it."""
    # === solution
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    # === stub
    raise NotImplementedError("write train_step, then run this cell and the check below")
    # === end
# === explanation
# Forward, empty the gradients, backward, step. Emptying may come anywhere before `backward`, but not between `backward` and `step`.
# `.item()` gives the number alone. The tensor would keep the whole graph in memory for as long as somebody holds it.

# %% exercise="10.evaluate"
# === statement
# ### 10.evaluate ●● Loss and accuracy over a whole set
#
# Write `evaluate(model, loss_fn, batches)`: the mean loss and the accuracy over **all examples**, in evaluation mode and without
# recording anything for a gradient. The batches may be of different sizes. Afterwards the model is in the mode in which it was before.
#
# - `model`: gives logits of shape (B, k); `model.training` says in which mode it is
# - `loss_fn(logits, y)`: the mean loss of a batch; `batches`: a list of pairs (X, y), y of shape (B,)
# - returns: (loss, accuracy), two plain numbers
#
# For example, a batch of 3 with mean loss 1.0 and 3 right and a batch of 1 with loss 5.0 and 0 right give the loss
# (3 · 1 + 5) / 4 = 2.0 and the accuracy 0.75. (The mean of the two means would be 3.0.)
# === code
def evaluate(model, loss_fn, batches):
    """Mean loss and accuracy over all examples, in evaluation mode."""
    # === solution
    before = model.training
    model.eval()
    total, right, n = 0.0, 0, 0
    with torch.no_grad():
        for X, y in batches:
            logits = model(X)
            total += loss_fn(logits, y).item() * len(y)
            right += (logits.argmax(dim=1) == y).sum().item()
            n += len(y)
    model.train(before)
    return total / n, right / n
    # === stub
    raise NotImplementedError("write evaluate, then run this cell and the check below")
    # === end
# === explanation
# A batch's mean loss times its size is the sum over its examples. Sums can be added up; the division comes once, at the end.
# `model.train(before)` takes True or False, so it brings back either mode.

# %% exercise="10.to_device"
# === statement
# ### 10.to_device ●● A batch moves house
#
# A batch is not always a pair of tensors. Write `to_device(batch, device)`, which moves every tensor in it to the device, however deep it
# lies in lists, tuples and dicts, and gives the same structure back. Whatever is no tensor (a text, a number, None) stays as it
# is. The batch that was handed over is not changed.
#
# - `batch`: a tensor, or a list, tuple or dict of batches; `device`: such as `"cpu"`
# - returns: the same structure with all tensors on the device (shapes and values unchanged)
#
# For example, `to_device({"image": X, "labels": [7, y]}, "cuda")` gives a new dict with X on the GPU and, under "labels", a new list
# of the same number 7 and y on the GPU. (The check uses torch's device `"meta"`, which every machine has: a tensor there has a
# shape, but no memory.)
# === code
def to_device(batch, device):
    """The same structure with every tensor on the device."""
    # === solution
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(to_device(part, device) for part in batch)
    return batch
    # === stub
    raise NotImplementedError("write to_device, then run this cell and the check below")
    # === end
# === explanation
# A function that calls itself for the parts goes as deep as the data do. `type(batch)(…)` makes a list of a list and a tuple of a
# tuple.

# %% exercise="10.checkpoint"
# === statement
# ### 10.checkpoint ●●● Stop and go on
#
# Write the class `Checkpoint(path)` with two methods. `save(model, optimizer, epoch)` writes everything that is needed to go on into the
# file at `path`. `load(model, optimizer)` reads that file into the model and the optimizer that are handed over, and returns the
# epoch. Going on after loading must give the same numbers as never having stopped.
#
# - `path`: where the file lies; `load` may be called in another process, by another object made with the same path
# - `model`, `optimizer`: `.state_dict()` gives all their tensors and numbers, `.load_state_dict(…)` takes them in
# - `epoch`: a whole number; `torch.save(thing, path)` and `torch.load(path)` write and read, also a dict of several things
#
# For example, after `Checkpoint("run.pt").save(model, optimizer, 3)` a fresh `Checkpoint("run.pt").load(other, its_optimizer)` returns 3, and
# `other` has the weights of `model`, of the same shapes and values.
# === code
class Checkpoint:
    """A file that holds the state of a training run."""

    def __init__(self, path):
        # === solution
        self.path = path

    def save(self, model, optimizer, epoch):
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, self.path)

    def load(self, model, optimizer):
        state = torch.load(self.path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return state["epoch"]
        # === stub
        raise NotImplementedError("write Checkpoint, then run this cell and the check below")
        # === end
# === explanation
# The optimizer has a memory too: Adam's two running means and its step count, momentum's velocity. Without them the first steps
# after loading differ. `state_dict` of the model holds its buffers as well, such as batch norm's running statistics.

# %% exercise="10.scaled_step"
# === statement
# ### 10.scaled_step ●●● Loss scaling by hand
#
# In fp16 small gradients round to 0. The remedy: multiply the loss by a large number before going back, divide the gradients by it
# afterwards. Write `scaled_step(model, loss_fn, optimizer, X, y, scale)`: one step like that. If any gradient is not finite (inf or nan),
# **no** step is made.
#
# - `model`, `loss_fn`, `optimizer`, `X`, `y`: as in 10.train_step; `scale`: a float
# - returns: True if the step was made, False if it was left out
#
# For example, one weight 1 without bias, the loss (ŷ − y)², X = 3, y = 0, scale 1000: on its way back the gradient is 18,000, the
# optimizer sees 18, and with learning rate 0.01 the weight becomes 0.82, in the shape it had. `torch.isfinite(t).all()` says whether all is finite.
# === code
def scaled_step(model, loss_fn, optimizer, X, y, scale):
    """One step with a scaled loss; False if the gradients were not finite and no step was made."""
    # === solution
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    (loss * scale).backward()
    for p in model.parameters():
        p.grad /= scale
    if not all(torch.isfinite(p.grad).all() for p in model.parameters()):
        return False
    optimizer.step()
    return True
    # === stub
    raise NotImplementedError("write scaled_step, then run this cell and the check below")
    # === end
# === explanation
# Every gradient contains the loss's factor, by the chain rule, so dividing by it gives back the true one. A step that is left out
# is how `torch.amp.GradScaler` notices that its scale is too large; it halves it then.

# %% exercise="10.find_the_bug_1"
# === statement
# ### 10.find_the_bug_1 ● It learns, and then it runs away
#
# This loop learns for a few steps. Then its steps get longer and longer, until the loss jumps about. Remove the line with `raise`, find
# the mistake in `train(model, batches, epochs, lr)` and mend it. Leave everything else as it is.
#
# - `model`: gives logits of shape (B, k); `batches`: a list of pairs (X, y); `epochs`: a whole number; `lr`: the learning rate
# - returns: the loss of every step, a list of floats
#
# For example, with 2 batches and 3 epochs 6 losses come back. If the first step's gradient of a weight is 0.5 and the second step's
# is 0.4, the second step must follow 0.4 (now it follows 0.9).
# === code
def train(model, batches, epochs, lr):
    """Train for some epochs; returns the loss of every step."""
    # === solution
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for X, y in batches:
            loss = F.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses
    # === stub
    raise NotImplementedError("remove this line when you have mended the loop, then run the check below")
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    optimizer.zero_grad()
    for _ in range(epochs):
        for X, y in batches:
            loss = F.cross_entropy(model(X), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses
    # === end
# === explanation
# `backward` **adds** to the gradients that are there. Emptied once before the loop, they pile up: every step follows the sum of all
# gradients so far, like momentum that never fades. They must be emptied for every step.

# %% exercise="10.find_the_bug_2"
# === statement
# ### 10.find_the_bug_2 ● It learns the mean, and nothing else
#
# This loop fits a model to numbers. The loss goes down a little and stays there: the model says the mean of all targets, whatever it is
# shown. Remove the line with `raise`, find the mistake in `fit_line(model, X, y, steps, lr)` and mend it. Leave everything else as it is.
#
# - `model`: gives one number for each example, shape (n, 1); `X`: shape (n, features); `y`: shape (n,)
# - `steps`: a whole number; `lr`: the learning rate
# - returns: the loss of every step, the mean squared error, a list of floats
#
# For example, with predictions 1 and 2 and targets 1 and 2 the loss is 0.
# === code
def fit_line(model, X, y, steps, lr):
    """Fit the model to y; returns the loss of every step."""
    # === solution
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        y_hat = model(X)[:, 0]  # (n,)
        loss = ((y_hat - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # === stub
    raise NotImplementedError("remove this line when you have mended the loop, then run the check below")
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        y_hat = model(X)
        loss = ((y_hat - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # === end
# === explanation
# (n, 1) minus (n,) is (n, n): every prediction meets every target (lesson 03). The best that can be done about that is the mean of the
# targets. Predictions and targets must have the same shape.

# %% exercise="10.find_the_bug_3"
# === statement
# ### 10.find_the_bug_3 ●● It learns, but slowly, and the loss stays high
#
# This loop trains a classifier. It gets better, but the loss never comes near 0, however sure and right the model is. Remove the line
# with `raise`, find the mistake in `train_classifier(model, batches, lr)` and mend it so that it also holds for logits of ±1000. Leave
# everything else as it is.
#
# - `model`: gives logits of shape (B, k); `batches`: a list of pairs (X, y); `lr`: the learning rate
# - returns: the loss of every step, a list of floats
#
# For example, if the model gives the logits (20, 0, 0) and the class is 0, the loss should be nearly 0 (it is 0.55 now).
# === code
def train_classifier(model, batches, lr):
    """One epoch of training; returns the loss of every step."""
    # === solution
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for X, y in batches:
        loss = F.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # === stub
    raise NotImplementedError("remove this line when you have mended the loop, then run the check below")
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for X, y in batches:
        probabilities = torch.softmax(model(X), dim=1)
        loss = F.cross_entropy(probabilities, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    # === end
# === explanation
# `cross_entropy` takes logits and applies the softmax itself, so here it was applied twice. Of probabilities between 0 and 1 the second
# softmax makes nearly equal ones: with three classes at best e / (e + 2) = 58% for the right one, a loss of 0.55.

# %% exercise="10.find_the_bug_4"
# === statement
# ### 10.find_the_bug_4 ●● The first epoch is fine
#
# This loop trains a network with batch norm and validates it after each epoch. In the first epoch all is well. From the second on, batch norm
# no longer looks at the batches it trains on. Remove the line with `raise`, find the mistake in
# `train_and_validate(model, batches, X_val, y_val, epochs, lr)` and mend it. Leave everything else as it is.
#
# - `model`: gives logits of shape (B, k); `batches`: a list of pairs (X, y); `X_val`, `y_val`: the validation set, y of shape (n,)
# - `epochs`: a whole number; `lr`: the learning rate
# - returns: the validation loss after every epoch, a list of floats
#
# For example, with 2 batches and 3 epochs the model should be called 9 times, in the modes training, training, evaluation, and the
# same 2 times again. The shapes of what goes in do not change.
# === code
def train_and_validate(model, batches, X_val, y_val, epochs, lr):
    """Train, and validate after each epoch; returns the validation losses."""
    # === solution
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        model.train()
        for X, y in batches:
            loss = F.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(F.cross_entropy(model(X_val), y_val).item())
    return losses
    # === stub
    raise NotImplementedError("remove this line when you have mended the loop, then run the check below")
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    model.train()
    for _ in range(epochs):
        for X, y in batches:
            loss = F.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(F.cross_entropy(model(X_val), y_val).item())
    return losses
    # === end
# === explanation
# `eval()` switches the whole model until somebody switches it back. Called once before the loop, `train()` holds for the first epoch only.
# It belongs to the beginning of each epoch, beside what it is needed for.

# %%
progress()
