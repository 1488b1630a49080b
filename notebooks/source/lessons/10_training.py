# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# # 10 · The whole loop, on any device
#
# **The question:** What stands around the five lines of a training step in real work, and how do you find out what is wrong when it does not learn?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - turn any data into a `Dataset` and batches, and say what transforms and workers cost and bring;
# - write the whole loop, for any device, with both modes, and know that `fit` does the same;
# - stop a training and resume it bit for bit, and say what a seed promises;
# - measure where the time goes, and train in 16 bits without losing small gradients;
# - debug a training by routine, and tell five bugs by their loss curves.
#
# **Needs:** [lesson 09](09_regularization.ipynb) · **Read:** 60 minutes · **Run:** 40 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import copy
import math
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm.auto import tqdm

from utils import data, explore, plotting
from utils.built.layers import MLP
from utils.device import available_devices, get_device, seed_everything
from utils.training import accuracy, fit, load_checkpoint, save_checkpoint

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 1 · A data set answers two questions
#
# Until now the data were two tensors. Real data lie in files: a million photographs do not fit into memory, and every one has to be read, cut and scaled before a network can have it.
#
# A **Dataset** hides all that. It answers two questions: *how many are you?* (`len`) and *give me number i* (`[i]`). A **transform** is a function that an example goes through when it is fetched. Here is a whole Dataset:

# %% slideshow={"slide_type": "subslide"}
class Digits(Dataset):
    """Pictures with labels. Each picture goes through the transforms when it is fetched."""

    def __init__(self, split, transforms=()):
        stored = data.load_mnist(split)
        self.images, self.labels = stored.images, stored.labels  # bytes (N, 28, 28) and (N,)
        self.transforms = transforms

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i]
        for transform in self.transforms:
            image = transform(image)
        return image, int(self.labels[i])


raw = Digits("train")
image, label = raw[7]
print(len(raw), "examples; number 7 is a", label, "of shape", tuple(image.shape), "and type", image.dtype)

# %% [markdown] slideshow={"slide_type": "notes"}
# Bytes from 0 to 255 are no good input (lesson 08: activations of a sensible size). So the first transforms make them floats from 0 to 1, and then **normalise** them: subtract the mean and divide by the standard deviation. Both numbers come from the **training** set, for the test pictures too (lesson 09: no leakage).

# %% slideshow={"slide_type": "subslide", "show": "output"}
pixels = raw.images.float() / 255
mean, std = pixels.mean().item(), pixels.std().item()
print(f"pixels of the training set: mean {mean:.4f}, standard deviation {std:.4f}")


def to_float(image):
    return image.float() / 255


def normalise(image):
    return (image - mean) / std


def random_shift(image):
    """Roll by up to 3 pixels each way: a new picture at every fetch."""
    # What rolls out on one side comes in on the other. Here that is nearly always black: digits have an empty edge.
    return image.roll(shifts=torch.randint(-3, 4, (2,)).tolist(), dims=(0, 1))


torch.manual_seed(0)
plain = Digits("train", [to_float, normalise])
shifting = Digits("train", [to_float, normalise, random_shift])
pictures = torch.stack([plain[7][0], *[shifting[7][0] for _ in range(5)]])  # (6, 28, 28)
plotting.show_images(pictures, titles=["as stored"] + [f"fetch {k}" for k in range(1, 6)], columns=6);

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** Six times the same handwritten 3: first as it is stored, then five fetches from the set that shifts at random. Each is moved a little differently.
#
# Number 7 is a function call, not a place in memory: `shifting[7]` gives another picture each time. So augmentation (lesson 09) costs no memory, and no two epochs are the same. It belongs to the **training** set only. A test set whose pictures move gives another score at each look.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 2 · The DataLoader: an order, a stack, and helpers
#
# A **DataLoader** makes batches of a Dataset. By hand: take an order, fetch the items one by one, stack them.

# %% slideshow={"slide_type": "fragment"}
items = [plain[i] for i in range(4)]
X_hand = torch.stack([image for image, _ in items])  # (4, 28, 28)
y_hand = torch.tensor([label for _, label in items])  # (4,)

loader = DataLoader(plain, batch_size=4, shuffle=False)
X_batch, y_batch = next(iter(loader))
print(tuple(X_batch.shape), y_batch.tolist(), "   largest difference:", (X_batch - X_hand).abs().max().item())
assert torch.equal(X_batch, X_hand) and torch.equal(y_batch, y_hand)
loader = DataLoader(plain, batch_size=256, shuffle=True, generator=torch.Generator().manual_seed(0))
print(len(loader), "batches of 256; the last has", len(plain) - 256 * (len(loader) - 1), "examples")

# %% [markdown] slideshow={"slide_type": "subslide"}
# - `shuffle=True` draws a new order each epoch; for training, always (section 15 shows what happens without). A `generator` makes that order repeatable.
# - The last batch is smaller. `drop_last=True` leaves it out.
# - Items of different length do not stack. For them one writes a function and passes it as `collate_fn`.
#
# ### Workers
#
# `num_workers=2` starts two more processes that fetch ahead while the network computes. Is that faster? We go once through 1,280 digits (quick to fetch), then through 96 items from a disk that needs 20 ms for each.

# %% slideshow={"slide_type": "subslide", "show": "output"}
class SlowDisk(Dataset):
    """Digits that take 20 ms each to arrive."""

    def __len__(self):
        return 96

    def __getitem__(self, i):
        time.sleep(0.02)
        return plain[i]


def seconds(loader):
    """How long once through the loader takes."""
    begin = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - begin


explore.predict("10.workers")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
# A worker that is no copy (fork) of this process but starts afresh cannot see classes of a notebook.
workers = 2 if torch.multiprocessing.get_start_method() == "fork" else 0
alone, helped = {}, {}
for name, dataset in {"quick": Subset(plain, range(1280)), "slow disk": SlowDisk()}.items():
    alone[name] = seconds(DataLoader(dataset, batch_size=16))
    helped[name] = seconds(DataLoader(dataset, batch_size=16, num_workers=workers))
    print(f"{name:9}: alone {alone[name]:.2f} s, with {workers} workers {helped[name]:.2f} s")

# %% slideshow={"slide_type": "skip"}
assert alone["slow disk"] > 96 * 0.0199  # what no computer can be faster than; the rest depends on yours

# %% [markdown] slideshow={"slide_type": "fragment"}
# Workers have to be started, and every batch has to travel between processes. On quick data that costs more than it saves. On a slow disk two workers wait at the same time, which halves the waiting. They start anew in each epoch, unless you say `persistent_workers=True`.
#
# So: **0 workers until you have measured that you wait for data** (section 11), then as many as there are idle cores. On Windows and macOS, and on Linux from Python 3.14 on, a worker starts afresh and cannot see a class that was defined in a notebook: put the Dataset into a `.py` file.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 3 · Where the numbers live
#
# A tensor lives on a **device**: the `cpu`, an NVIDIA or AMD graphics card (`cuda`), or the one in an Apple chip (`mps`). GPUs have thousands of small cores and multiply large matrices many times faster. They do not help with small ones.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print("here there is:", available_devices())
device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
print("by hand:", device, "   utils.device:", get_device())  # the same, and N2T_DEVICE=cpu can overrule it
device = get_device()

# %% slideshow={"slide_type": "skip"}
assert str(device).partition(":")[0] in [name.partition(":")[0] for name in available_devices()]

# %% [markdown] slideshow={"slide_type": "subslide"}
# Two rules carry you everywhere: **the model and its batch on the same device**, and **as few trips as possible**. `model.to(device)` moves a model in place. `X.to(device)` leaves `X` where it is and returns a copy: forget the `X =`, and nothing has happened.
#
# What if they are on different ones? A computer without a GPU can try it, too: torch has a device called `meta`, which knows shapes only.

# %% slideshow={"slide_type": "fragment"}
layer = nn.Linear(784, 32, device="meta")
message = ""
try:
    layer(torch.zeros(4, 784))
except RuntimeError as error:
    message = str(error)
print("RuntimeError:", message.splitlines()[0])
assert "device" in message

# %% [markdown] slideshow={"slide_type": "notes"}
# Batches may be nested: a dictionary of tensors, a list of them. Then someone has to walk through it and move each.
#
# **Exercise [10.to_device](exercises/10_training.ipynb)** ●● Move whatever a batch is made of.
#
# MNIST fits into memory. So from here on we keep it as two tensors on the device, and `data.Batches` cuts shuffled batches from them, with a generator as in lesson 07.

# %% slideshow={"slide_type": "skip"}
X_train, y_train = data.mnist_tensors("train", device=device)  # (60000, 784), (60000,)
X_test, y_test = data.mnist_tensors("test", device=device)  # (10000, 784), (10000,)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
X_small, y_small = X_train[:6400], y_train[:6400]  # for quick experiments
print(data.Batches(X_train, y_train, batch_size=256))

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 4 · Before training: three questions
#
# Most failures can be found in a minute, before the long run. In this order:
#
# **1. Look at the data**, as the network gets them: after the transforms, out of the loader, with their labels.

# %% slideshow={"show": "output"}
X_batch, y_batch = next(iter(loader))
print(f"values {X_batch.min():.2f} to {X_batch.max():.2f}, mean {X_batch.mean():.2f}, spread {X_batch.std():.2f}")
print("how often each class:", y_batch.bincount(minlength=10).tolist())
plotting.show_images(X_batch[:10], titles=[str(label.item()) for label in y_batch[:10]], columns=10);

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** Ten normalised digits with their labels above: they belong together. Values have mean 0 and spread 1, and each class comes about equally often.
#
# **2. The loss at the start.** A network that knows nothing should give each class the same probability.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("10.first_loss")

# %% slideshow={"slide_type": "subslide", "show": "output"}
first = {}
for k in (2, 10, 100):
    torch.manual_seed(0)
    logits = MLP([784, 64, k]).to(device)(X_train[:256])
    first[k] = F.cross_entropy(logits, torch.randint(k, (256,), device=device)).item()
    print(f"{k:3} classes: first loss {first[k]:.2f}, log {k} = {math.log(k):.2f}")
assert all(abs(loss - math.log(k)) < 0.3 for k, loss in first.items())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Each class gets $1/k$, and the cross-entropy is $-\log\frac1k = \log k$. For ten classes 2.30. A first loss of 9 says: the network is **sure and wrong** (weights or inputs too large). 0.7 with ten classes says that this is another loss than you think: log 2 comes from a last layer with two units, or from binary cross-entropy (lesson 05).
#
# **Exercise [10.first_loss](exercises/10_training.ipynb)** ● What to expect, for any number of classes.
#
# **3. Overfit one batch.** Take 64 examples and train on nothing else. Any sound network can learn them by heart. If the loss does not go to zero, something is broken: no need to wait for epochs.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def overfit(model, optimizer, steps=60):
    """The loss at each step while training on the same 64 examples."""
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(model(X_train[:64]), y_train[:64])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


torch.manual_seed(0)
sound, broken = MLP([784, 64, 10]).to(device), MLP([784, 64, 10]).to(device)
one_batch = {
    "sound": overfit(sound, torch.optim.SGD(sound.parameters(), lr=0.1)),
    "wrong optimizer": overfit(broken, torch.optim.SGD(sound.parameters(), lr=0.1)),
}
assert one_batch["sound"][-1] < 0.1 and min(one_batch["wrong optimizer"]) > 2
ax = plt.subplots(figsize=(8, 3.8))[1]
for name, losses in one_batch.items():
    ax.plot(losses, label=name)
ax.set(xlabel="step", ylabel="loss on the same 64 examples", title="One batch tells whether it can learn at all", ylim=(0, 2.6))
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** One line falls from 2.3 to almost nothing in thirty steps. The other is level: its optimizer holds the parameters of another network. (That happens when a notebook cell with the model is run again, and the cell with the optimizer is not.)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Only then **scale**: all data, more epochs, a larger network, one change at a time.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 5 · How far to step
#
# Before the long run, a range test (lesson 07): raise the learning rate at every step, and watch the loss. We do it with the very network, batch size and optimizer that we shall use. (SGD with momentum 0.9.)

# %% slideshow={"slide_type": "skip"}
def new_training(lr=0.2, epochs=4, X=X_train, y=y_train, seed=0, sizes=(784, 256, 10)):
    """A fresh network, its batches, its optimizer and its schedule. Same seed, same start."""
    torch.manual_seed(seed)
    model = MLP(sizes).to(device)
    batches = data.Batches(X, y, batch_size=256, generator=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * len(batches), cycle_momentum=False)
    return model, batches, optimizer, scheduler


model, batches, optimizer, _ = new_training()
rates, losses = torch.logspace(-4, 1, 120).tolist(), []
for lr, (X, y) in zip(rates, batches, strict=False):
    optimizer.param_groups[0]["lr"] = lr
    loss = F.cross_entropy(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %% slideshow={"slide_type": "fragment", "show": "output"}
smooth = torch.tensor(losses).unfold(0, 5, 1).median(dim=1).values  # of each five neighbours the middle one
lowest = rates[int(smooth.argmin()) + 2]
too_large = next(lr for lr, loss in zip(rates, losses, strict=True) if not loss < 5)
assert 0.01 < lowest < 0.8 and too_large > 0.4
ax = plt.subplots(figsize=(8, 3.8))[1]
ax.plot(rates, losses, color=plotting.COLORS["train"])
ax.axvline(0.2, color=plotting.COLORS["accent"], ls="--")
ax.text(0.17, 3.7, "we take 0.2", color=plotting.COLORS["accent"], ha="right")
ax.set(xscale="log", xlim=(1e-4, 10), ylim=(0, 4), xlabel="learning rate at that step", ylabel="loss of the batch")
ax.set_title(f"A broad valley, and a wall at {too_large:.1g}");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The loss is level while the rate is tiny, falls from about 0.001 on, is low from 0.02 to 0.5, but restless from about 0.1 on, and at 1 shoots out of the picture.
#
# Any rate in the valley will do. Our schedule is one-cycle: it climbs to its highest rate slowly, and half of its steps are made with less than half of it. So the highest may lie in the restless part: we take 0.2, well away from the wall.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 6 · The whole loop
#
# Here it is, with everything that belongs to it. Read it line by line; the sections that follow explain what is new. (Five to ten seconds.)

# %% tags=["long"] slideshow={"slide_type": "subslide", "show": "code"}
def train(model, batches, optimizer, scheduler, epochs):
    """The whole loop. Returns the loss of each step and the test accuracy after each epoch."""
    losses, accuracies = [], []
    bar = tqdm(total=epochs * len(batches), unit="step", leave=False)
    for _ in range(epochs):
        model.train()  # training mode: dropout drops, batch norm looks at the batch
        for X, y in batches:
            X, y = X.to(device), y.to(device)  # does nothing if they are there already
            loss = F.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()  # after the step, once a batch
            losses.append(loss.item())
            bar.update()

        model.eval()  # evaluation mode
        with torch.no_grad():  # build no graph: less memory, more speed
            right = sum((model(X).argmax(dim=1) == y).sum().item() for X, y in test_batches)
        accuracies.append(right / len(X_test))
    bar.close()
    return losses, accuracies


test_batches = data.Batches(X_test, y_test, batch_size=1000, shuffle=False)
by_hand, batches, optimizer, scheduler = new_training()
losses, accuracies = train(by_hand, batches, optimizer, scheduler, epochs=4)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
print("accuracy on the test set after each epoch:", "  ".join(f"{a:.2%}" for a in accuracies))

# %% slideshow={"slide_type": "skip"}
assert accuracies[-1] > 0.979

# %% [markdown] slideshow={"slide_type": "fragment"}
# **98%.** What is in the loop beyond lesson 07:
#
# - `model.train()` and `model.eval()`: section 7.
# - `loss.item()` fetches a number to Python. On a GPU this makes Python **wait** for the card. In long trainings one reads the loss every hundred steps. To collect `loss` without `.item()` keeps every graph in memory.
# - `tqdm` draws a **progress bar** with the time left. `bar.update()` moves it on; it is gone at the end (`leave=False`). Around a plain loop, `for X, y in tqdm(batches):` is enough. (Where nothing is live, only its first state is seen.)
# - The right answers are **counted** over all batches and divided once at the end (section 8).
#
# **Exercise [10.train_step](exercises/10_training.ipynb)** ● The middle of the loop as a function.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 7 · Two modes
#
# Dropout and batch norm behave differently in training and afterwards (lessons 08 and 09). `model.train()` and `model.eval()` set one switch, `training`, in every module.

# %% slideshow={"show": "output"}
explore.predict("10.modes")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
torch.manual_seed(0)
two_modes = nn.Sequential(
    nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)
).to(device)
optimizer = torch.optim.SGD(two_modes.parameters(), lr=0.1)
for X, y in data.Batches(X_small, y_small, batch_size=64, generator=torch.Generator().manual_seed(0)):
    loss = F.cross_entropy(two_modes(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def measured(model, X, y):
    with torch.no_grad():
        return (model(X).argmax(dim=1) == y).float().mean().item()


in_mode = {}
for training in (True, False):
    two_modes.train(training)
    in_mode[training] = [measured(copy.deepcopy(two_modes), X_test, y_test) for _ in range(4)]
    print(f"training = {training!s:5}: four measurements of the same model:", "  ".join(f"{a:.2%}" for a in in_mode[training]))

# %% slideshow={"slide_type": "skip"}
assert len(set(in_mode[False])) == 1 and len(set(in_mode[True])) > 1
assert min(in_mode[False]) > max(in_mode[True]) + 0.01

# %% [markdown] slideshow={"slide_type": "fragment"}
# In evaluation mode: four times the same number. In training mode half of the units are missing, other ones each time: the numbers differ, and are several points lower. And merely looking moves batch norm's running statistics. (Therefore the copies.)
#
# A misconception: *"`eval()` switches gradients off."* It does not, and `no_grad()` does not touch dropout. Two different switches:

# %% slideshow={"slide_type": "fragment", "show": "output"}
for training, grad in ((True, True), (False, True), (True, False), (False, False)):
    two_modes.train(training)
    with torch.set_grad_enabled(grad):
        out = two_modes(X_test[:2])
    print(f"training = {training!s:5}, gradients {'on ' if grad else 'off'}: dropout drops: {two_modes[3].training!s:5}, a graph is built: {out.requires_grad}")

# %% [markdown] slideshow={"slide_type": "notes"}
# The mirror image is as common: `eval()` after the first epoch and never `train()` again. Everything after it is trained without dropout and with frozen statistics. It gives no error. So `model.train()` stands at the head of **each** epoch.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 8 · A mean of means, and `fit`
#
# The mean over all examples is not the mean of the batches' means, if the batches differ in size. By hand: a batch of 3 with losses 1, 1, 1 and a batch of 1 with loss 5. All four: 8/4 = 2. The mean of the means: (1 + 5)/2 = 3. The single example counted three times as much. So add up `loss · batch size`, and divide by the number of examples at the end.
#
# **Exercise [10.evaluate](exercises/10_training.ipynb)** ●● Loss and accuracy over all examples, in the right mode.
#
# Now you know every line of `utils.training.fit`. It takes the same things, and does the same.

# %% slideshow={"slide_type": "subslide"}
with_fit, batches, optimizer, scheduler = new_training()
history = fit(
    with_fit, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, scheduler=scheduler, epochs=4,
    validation=test_batches, metrics={"accuracy": accuracy},
)  # fmt: skip
same_losses = losses == history.steps["loss"]
same_weights = all(torch.equal(p, q) for p, q in zip(by_hand.parameters(), with_fit.parameters(), strict=True))
print(f"{len(losses)} steps. The same loss at every step: {same_losses}. The same weights at the end: {same_weights}.")
assert same_losses and same_weights
assert all(abs(a - b) < 1e-6 for a, b in zip(accuracies, history.validation["accuracy"], strict=True))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Not "about the same": every one of the 940 losses and all 203,530 weights are **equal to the last bit**. From here on lessons use `fit`, and you know what is in it.

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 3.8), layout="constrained")
plotting.plot_history(history, ax=axes[0])
plotting.plot_history(history, metric="accuracy", ax=axes[1])
axes[0].set_title("The loss falls on both sets")
axes[1].set_title("Four epochs to 98%");

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** Left, the loss of training and test set (here in the role of the validation set) after each of four epochs; right, their accuracy, which ends above 98% on the test set.
#
# **One warning.** We looked at the test set after every epoch. Had we chosen anything by it, the 98% would be too good (lesson 09). For choosing, take a validation set.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 9 · Stop today, go on tomorrow
#
# Trainings take days, and computers stop. A **checkpoint** is a file from which one can go on. What belongs into it?

# %% slideshow={"show": "output"}
explore.predict("10.resume")

# %% slideshow={"slide_type": "subslide"}
def run(model, batches, optimizer, scheduler, epochs):
    """Train for so many epochs; the loss of each step."""
    history = fit(model, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, scheduler=scheduler, epochs=epochs)
    return history.steps["loss"]


small = {"X": X_small, "y": y_small, "lr": 0.05, "epochs": 4}
straight = run(*new_training(**small), epochs=4)  # without a stop: 4 epochs of 25 steps

folder = tempfile.TemporaryDirectory()  # a learner's own trainings go to a folder that stays
path = Path(folder.name) / "half.pt"
model, batches, optimizer, scheduler = new_training(**small)
first_half = run(model, batches, optimizer, scheduler, epochs=2)
state = {
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),  # the velocities of momentum
    "scheduler": scheduler.state_dict(),  # where we are on the way up and down
    "order": batches.generator.get_state(),  # which shuffle comes next
}
torch.save(state, path)
print(path.name, "holds", list(state), f"and has {path.stat().st_size / 1e6:.1f} MB")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **The weights are not enough.** Momentum has its velocities, the schedule its place, the generator its state. Now we play "the next morning": everything new, with another seed, and then some or all of it from the file. Are the losses of epochs 3 and 4 those of the training without a stop?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def next_morning(parts):
    """Go on from the file, taking only these parts of it; the losses of epochs 3 and 4."""
    model, batches, optimizer, scheduler = new_training(**small, seed=99)
    state = torch.load(path, map_location="cpu", weights_only=True)  # numbers only: no code from the file is run
    for name, part in {"model": model, "optimizer": optimizer, "scheduler": scheduler}.items():
        if name in parts:
            part.load_state_dict(state[name])
    if "order" in parts:
        batches.generator.set_state(state["order"])
    return run(model, batches, optimizer, scheduler, epochs=2)


resumed = {}
for left_out in ("nothing", "order", "scheduler", "optimizer", "model"):
    resumed[left_out] = next_morning([name for name in state if name != left_out])
    apart = [abs(a - b) for a, b in zip(resumed[left_out], straight[50:], strict=True)]
    print(f"left out: {left_out:9}  largest difference of a loss {max(apart):.2f}, at the first step {apart[0]:.2f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
assert resumed["nothing"] == straight[50:]
assert all(losses != straight[50:] for left_out, losses in resumed.items() if left_out != "nothing")
ax = plt.subplots(figsize=(9, 4))[1]
for left_out in ("order", "scheduler", "optimizer", "nothing"):
    apart = [a - b for a, b in zip(resumed[left_out], straight[50:], strict=True)]
    ax.plot(range(51, 101), apart, label=f"without {left_out}" if left_out != "nothing" else "with everything")
ax.set(xlabel="step", ylabel="loss, less that without a stop", title="Only with everything is the difference zero")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** How far the loss of each resumed training lies above or below that of the training without a stop. With everything from the file, the line is exactly zero. The other three swing around: without the order from the very first step, without optimizer or schedule from the second on.
#
# It is the same **bit for bit**. Without the order of batches it is another training, but a sound one. Without the schedule the learning rate starts its climb again. Without the weights all was in vain.
#
# **Exercise [10.checkpoint](exercises/10_training.ipynb)** ●●● Save and load so that a training goes on as if nothing had been.

# %% [markdown] slideshow={"slide_type": "notes"}
# `utils.training` writes all this, and the state of every other random generator, in one call. It writes under another name first and then renames: if the power fails in the middle, the old file is still whole. As a **hook** of `fit` it runs after every epoch.

# %% slideshow={"slide_type": "skip"}
path = Path(folder.name) / "last.pt"
model, batches, optimizer, scheduler = new_training(**small)


def keep(model, history):
    save_checkpoint(path, model=model, history=history, train=batches, optimizer=optimizer, scheduler=scheduler)


fit(model, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, scheduler=scheduler, epochs=2, hooks=[keep])

model, batches, optimizer, scheduler = new_training(**small, seed=99)  # the next morning
history = load_checkpoint(path, model=model, train=batches, optimizer=optimizer, scheduler=scheduler)
fit(model, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, scheduler=scheduler, epochs=4, history=history)
print("bit for bit:", history.steps["loss"] == straight)
assert history.steps["loss"] == straight
folder.cleanup()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 10 · Chance you can repeat
#
# Chance comes in by several doors: the first weights, the order of batches, dropout, augmentation. `seed_everything` closes them all: it seeds Python, NumPy and torch, on every device. (Batches that shuffle with a generator of their own need a seed of their own; `new_training` gives them one.) Same seed, same run. And another seed?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
by_seed = {}
for seed in (0, 0, 1, 2, 3):
    seed_everything(seed)
    model, *rest = new_training(**small, seed=seed)
    run(model, *rest, epochs=4)
    by_seed.setdefault(seed, []).append(measured(model, X_test, y_test))
print("seed 0, twice:      ", "  ".join(f"{a:.2%}" for a in by_seed[0]))
print("seeds 0, 1, 2 and 3:", "  ".join(f"{runs[0]:.2%}" for runs in by_seed.values()))

# %% slideshow={"slide_type": "skip"}
assert by_seed[0][0] == by_seed[0][1] and len({runs[0] for runs in by_seed.values()}) > 1

# %% [markdown] slideshow={"slide_type": "subslide"}
# The seed alone moves the score by a few tenths of a percent. Who compares two ideas with one seed each compares seeds.
#
# A misconception: *"with a seed my numbers are the same everywhere."* Computers round after every addition, so the **order** of a sum matters, and another number of threads, another GPU or another version of torch adds in another order:

# %% slideshow={"slide_type": "fragment"}
a, b, c = 0.1, 0.2, 0.3
print("(0.1 + 0.2) + 0.3 == 0.1 + (0.2 + 0.3):", bool((a + b) + c == a + (b + c)))
print(f"difference: {abs((a + b) + c - (a + (b + c))):.0e}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# A few units in the last place. Do they matter? We change **one** bias by two parts in ten million, train on the same batches, and look how far apart any two weights of the two networks are after 75 steps. Three times, with another bias each, and with two learning rates.
#
# **Predict.** Will the difference stay, shrink, or grow?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def final_weights(lr, changed=None):
    """All weights after three epochs; the bias `changed` of the first layer starts a tiny bit larger."""
    torch.manual_seed(0)
    model = MLP([784, 64, 10]).to(device)
    if changed is not None:
        with torch.no_grad():
            model.layers[0].bias[changed] *= 1 + 2e-7
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    batches = data.Batches(X_small, y_small, batch_size=256, generator=torch.Generator().manual_seed(0))
    fit(model, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=3)
    return nn.utils.parameters_to_vector(model.parameters()).detach()


apart = {}
for lr in (0.1, 0.4):
    same = final_weights(lr)
    apart[lr] = [(final_weights(lr, changed) - same).abs().max().item() for changed in range(3)]
    print(f"lr {lr}: largest difference of a weight", "  ".join(f"{d:.0e}" for d in apart[lr]))

# %% slideshow={"slide_type": "skip"}
assert max(apart[0.1]) < 1e-4 and max(apart[0.4]) > 10 * max(apart[0.1])

# %% [markdown] slideshow={"slide_type": "fragment"}
# It depends. With a careful rate the difference stays where it was, in the seventh digit: both walk down the same valley. With a bold one it grows hundreds of times or more, up to a wholly different network.
#
# So **bit for bit holds on one machine**, with one version of torch and one number of threads. (On a GPU some operations add in a random order even so; `torch.use_deterministic_algorithms(True)` forbids them.) Elsewhere expect the same *picture*, and the same digits only if you are lucky. This is why the course asserts "above 97.9%" and not a number with four digits.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 11 · Where the time goes
#
# A training takes too long. Which part? Do not guess: **measure**. One trap: a GPU works on its own, and Python runs ahead. To time it, wait until it is done (`synchronize`).
#
# The same 6,400 digits come from three sources: our Dataset, item by item; the course's Dataset, which fetches a whole batch at once; and tensors that lie on the device already.

# %% slideshow={"show": "output"}
def clock():
    """The time, once the device has done all it was asked."""
    getattr(torch, device.type).synchronize()  # torch.cuda, torch.mps or torch.cpu
    return time.perf_counter()


def time_epoch(batches):
    """Seconds of one epoch: fetching, and the training steps."""
    model, _, optimizer, _ = new_training(**small, sizes=(784, 64, 10))
    fetching, begin = 0.0, clock()
    asked = begin
    for X, y in batches:
        X, y = X.to(device), y.to(device)
        fetching += clock() - asked
        loss = F.cross_entropy(model(X.flatten(1)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        asked = clock()
    return fetching, clock() - begin - fetching


explore.predict("10.fetching")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
rows = range(6400)
sources = {
    "our Dataset, item by item": DataLoader(Subset(plain, rows), batch_size=256, shuffle=True),
    "Dataset, batch by batch": DataLoader(Subset(data.load_mnist(), rows), batch_size=256, shuffle=True),
    "tensors on the device": data.Batches(X_small, y_small, batch_size=256),
}
times = {name: min((time_epoch(batches) for _ in range(2)), key=sum) for name, batches in sources.items()}
print("                             fetching  training   epoch, in units of the last")
for name, (fetching, steps) in times.items():
    total = fetching + steps
    print(f"{name:26}     {fetching / total:5.0%}     {steps / total:5.0%}   {total / sum(times['tensors on the device']):5.1f}")

# %% slideshow={"slide_type": "skip"}
fetching = [pair[0] for pair in times.values()]
assert fetching[0] > fetching[2]  # by far, on any computer

# %% [markdown] slideshow={"slide_type": "fragment"}
# Item by item, most of our epoch was **fetching**: 6,400 times Python, for a few bytes each. The network waits. A faster GPU would not help at all: it makes only the right column smaller. What helps, in this order:
#
# 1. Keep the data on the device, if they fit.
# 2. Fetch a batch in one operation.
# 3. Do slow transforms once and store the result.
# 4. Workers, for what remains.
#
# And inside the step? Forward, backward, and the update, in shares of their sum, for a small network and a wide one (the median of 50 steps):

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
shares = {}
for sizes in ((784, 32, 10), (784, 1024, 10)):
    model, _, optimizer, _ = new_training(**small, sizes=sizes)
    spent = []
    for X, y in data.Batches(X_small[:3200], y_small[:3200], batch_size=64):
        optimizer.zero_grad()
        marks = [clock()]
        loss = F.cross_entropy(model(X), y)
        marks.append(clock())
        loss.backward()
        marks.append(clock())
        optimizer.step()
        marks.append(clock())
        spent.append(torch.tensor(marks, dtype=torch.float64).diff())  # (3,)
    middle = torch.stack(spent).median(dim=0).values  # of all steps: a hiccup of the computer does not count
    shares[sizes] = (middle / middle.sum()).tolist()
    print(f"{sizes}:", "  ".join(f"{part} {s:.0%}" for part, s in zip(("forward", "backward", "update"), shares[sizes], strict=True)))

# %% slideshow={"slide_type": "skip"}
assert all(share > 0 for parts in shares.values() for share in parts)  # how much, says your computer

# %% [markdown] slideshow={"slide_type": "fragment"}
# Folklore says that backward costs twice as much as forward: two matrix products a layer, one for the weights' gradient and one for the inputs'. Here most of the work is in the first layer, and nobody asks for the gradient of a pixel, so that one product is spared, and on a quiet computer backward and forward cost about the same (0.9 to 1.2 times in our runs; a busy one blurs it). The update touches each weight a few times, whatever the batch size. The exact shares differ from computer to computer. Measure yours.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 12 · Numbers with sixteen bits
#
# A float32 takes 32 bits. GPUs compute with 16 bits several times as fast, and twice as much fits into memory. What do we lose? A float is $\pm m \cdot 2^e$. Its bits are shared between **mantissa** $m$ (how fine) and **exponent** $e$ (how large and how small).
#
# | | sign | exponent | mantissa |
# |---|---|---|---|
# | float32 | 1 | 8 | 23 |
# | float16, **fp16** | 1 | 5 | 10 |
# | bfloat16, **bf16** | 1 | 8 | 7 |
#
# bf16 is a float32 rounded to its first 16 bits: same range, coarse. fp16 is finer, but its range is small.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def smallest(dtype):
    """The smallest number above zero: below the normal range digits are given up for reach (subnormal)."""
    info = torch.finfo(dtype)
    return info.tiny * info.eps


formats = {"float32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
print("           largest   smallest normal   smallest   next after 1")
for name, dtype in formats.items():
    info = torch.finfo(dtype)
    print(f"{name:8} {info.max:9.1e} {info.tiny:17.1e} {smallest(dtype):10.1e}   1 + {info.eps:.1e}")

print("\n         ", "  ".join(f"{v:>9}" for v in ("1.001", "2049", "70000", "1e-8")))
for name, dtype in formats.items():
    print(f"{name:8}  ", "  ".join(f"{v:9.5g}" for v in torch.tensor([1.001, 2049, 70000, 1e-8]).to(dtype).tolist()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Three accidents: **rounding** (bf16 makes 1.001 to 1, both make 2049 to 2048), **overflow** (70,000 is infinite in fp16) and **underflow** ($10^{-8}$ is zero in fp16).
#
# Rounding hits a place you may not expect. A weight is updated by little steps:

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("10.small_steps")

# %% slideshow={"slide_type": "subslide"}
for name, dtype in formats.items():
    w = torch.ones((), dtype=dtype)
    for _ in range(1000):
        w += 0.0001
    print(f"{name:8} 1 + a thousand times 0.0001 = {w.item():.4f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# In 16 bits nothing happened. Next to 1 the neighbours are 0.001 (fp16) or 0.008 (bf16) away, and each single 0.0001 is rounded off. Therefore in **mixed precision** the weights stay in float32, and only the products in forward and backward are done in 16 bits.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 13 · Small gradients, and how to save them
#
# Underflow hits gradients. We compute the gradients of two untrained networks on 256 digits, first in float32, then with a copy of the network in fp16: one with a single hidden layer of ReLU, and one with eight hidden layers of sigmoid, through which gradients shrink (lesson 02).

# %% slideshow={"slide_type": "skip"}
def gradients(model, X, y, scale=1.0):
    """The gradients of scale · loss, one for each parameter, in the number format of the model."""
    logits = model(X.to(next(model.parameters()).dtype))
    return torch.autograd.grad(scale * F.cross_entropy(logits.float(), y), list(model.parameters()))


torch.manual_seed(0)
networks = {
    "1 hidden layer, ReLU": MLP([784, 32, 10]).to(device),
    "8 hidden layers, sigmoid": MLP([784] + [32] * 8 + [10], activation=torch.sigmoid).to(device),
}
sizes_of = {}
for name, model in networks.items():
    exact = torch.cat([g.flatten() for g in gradients(model, X_small[:256], y_small[:256])])
    half = torch.cat([g.flatten() for g in gradients(copy.deepcopy(model).half(), X_small[:256], y_small[:256])])
    lost = ((half == 0) & (exact != 0)).float().mean().item()
    sizes_of[name] = exact[exact != 0].abs().log10().cpu(), lost
    print(f"{name:25} gradients that fp16 makes zero: {lost:.0%}")

# %% slideshow={"slide_type": "fragment", "show": "output"}
assert sizes_of["1 hidden layer, ReLU"][1] < 0.02 and sizes_of["8 hidden layers, sigmoid"][1] > 0.6
fig, axes = plt.subplots(1, 2, figsize=(12, 4), sharex=True, layout="constrained")
for ax, (name, (exponents, lost)) in zip(axes, sizes_of.items(), strict=True):
    ax.hist(exponents.numpy(), bins=60, range=(-12, 1), color=plotting.COLORS["gradient"])
    ax.axvspan(-12, math.log10(smallest(torch.float16) / 2), color=plotting.COLORS["neutral"], alpha=0.35)
    ax.axvline(math.log10(torch.finfo(torch.float16).tiny), color=plotting.COLORS["text"], ls=":")
    ax.set(xlabel="size of a gradient, power of ten", yticks=[], xlim=(-12, 1))
    ax.set_title(f"{name}: {lost:.0%} lost")
axes[0].set_ylabel("how many");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two histograms of the gradients' sizes on a logarithmic axis. In the grey part on the left fp16 has only zero; left of the dotted line it has fewer and fewer digits. The shallow network's gradients lie clear of the grey. Most of the deep sigmoid network's lie in it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The right-hand side of fp16's range, up to 65,504, is empty. **Loss scaling** moves the histogram to the right: multiply the loss by $S$. By the chain rule *every* gradient is multiplied by $S$. Divide by $S$ afterwards, in float32.
#
# By hand: a gradient of $10^{-8}$ is zero in fp16. With $S = 1024$ it is $1.02 \cdot 10^{-5}$, which fp16 can hold. Divided by 1024 in float32, it is $10^{-8}$ again, to within half a percent.
#
# How large may $S$ be?

# %% slideshow={"slide_type": "fragment", "show": "output"}
deep = networks["8 hidden layers, sigmoid"]
half = copy.deepcopy(deep).half()
exact = gradients(deep, X_small[:256], y_small[:256])
nonzero = {}
for power in (0, 4, 8, 12, 16, 24):
    scaled = gradients(half, X_small[:256], y_small[:256], scale=2.0**power)
    finite = all(g.isfinite().all() for g in scaled)
    nonzero[power] = 1 - sum((g == 0).sum().item() for g in scaled) / sum(g.numel() for g in scaled), finite
    print(f"S = 2^{power:2}: not zero {nonzero[power][0]:6.1%}, all finite: {finite}")
assert nonzero[0][0] < 0.4 and nonzero[12][0] > 0.98 and nonzero[12][1] and not nonzero[24][1]

# %% [markdown] slideshow={"slide_type": "subslide"}
# Too small, and gradients are lost. Too large, and the largest become infinite. One infinite gradient makes its weight infinite, and after the next step all are NaN. So: **look whether all are finite; if not, skip the step and halve $S$**; after many good steps double it. That is *dynamic* loss scaling, and all of it fits in a few lines. The weights stay in float32 (`model`); `half` is a 16-bit copy for each step.

# %% slideshow={"slide_type": "skip"}
def train_deep(in_half, scale, steps=150, seed=0):
    """Adam on the deep sigmoid network; the loss of each step, and how many steps were skipped."""
    torch.manual_seed(seed)
    model = MLP([784] + [32] * 8 + [10], activation=torch.sigmoid).to(device)
    working = copy.deepcopy(model).half() if in_half else model
    optimizer, losses, skipped = torch.optim.Adam(model.parameters(), lr=0.01), [], 0
    for rows in torch.randint(len(X_small), (steps, 128), device=device):
        if in_half:
            working.load_state_dict(model.state_dict())  # round the float32 weights to fp16
        with torch.no_grad():
            losses.append(F.cross_entropy(working(X_small[rows].to(next(working.parameters()).dtype)).float(), y_small[rows]).item())
        found = [g.float() / scale for g in gradients(working, X_small[rows], y_small[rows], scale)]
        if all(g.isfinite().all() for g in found):
            for p, g in zip(model.parameters(), found, strict=True):
                p.grad = g
            optimizer.step()
        else:
            scale, skipped = scale / 2, skipped + 1
    return losses, skipped


runs = {"float32": train_deep(False, 1.0), "fp16": train_deep(True, 1.0), "fp16, scaled": train_deep(True, 2.0**20)}

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
for name, (losses, skipped) in runs.items():
    print(f"{name:13} loss of the last ten steps {sum(losses[-10:]) / 10:.2f}, steps skipped {skipped}")
ax = plt.subplots(figsize=(9, 4))[1]
styles = {"float32": "-", "fp16": "--", "fp16, scaled": ":"}
for name, (losses, _) in runs.items():
    smooth = torch.tensor(losses).unfold(0, 10, 1).mean(dim=1)  # the mean of ten neighbours
    ax.plot(range(10, 151), smooth, styles[name], label=name)
ax.set(xlabel="step", ylabel="loss (mean of 10 steps)", title="In fp16 alone the deep network learns nothing")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three lines begin at 2.3. That of float32 falls, and so does the dotted one of fp16 with scaling. The dashed one of fp16 alone stays at 2.3: the lower layers get zeros instead of gradients. (With eight seeds it was so eight times.)

# %% slideshow={"slide_type": "skip"}
last = {name: sum(losses[-10:]) / 10 for name, (losses, _) in runs.items()}
assert last["fp16"] > 2.25 > 2.2 > max(last["float32"], last["fp16, scaled"]) and runs["fp16, scaled"][1] > 0

# %% [markdown] slideshow={"slide_type": "notes"}
# The scale began at $2^{20}$, too large. A few steps were skipped, the scale was halved each time, and then all went well.
#
# Does every training need it? No: the ordinary network in the histogram lost nothing. And bf16, with the range of float32, needs no scaling at all. Its price is the coarse mantissa.
#
# **Exercise [10.scaled_step](exercises/10_training.ipynb)** ●●● One step with a scale, and without infinite gradients.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 14 · Autocast: torch decides, operation by operation
#
# Nobody writes all this each time. Inside `torch.autocast`, torch runs matrix products in 16 bits, and operations that need care in float32: the cross-entropy, and on a GPU also softmax and sums. The weights stay as they are.

# %% slideshow={"slide_type": "fragment", "show": "output"}
linear = nn.Linear(8, 4)
with torch.autocast("cpu", dtype=torch.bfloat16):
    z = linear(torch.ones(2, 8))
    loss = F.cross_entropy(z, torch.tensor([0, 1]))
loss.backward()
print("weights:", linear.weight.dtype, "| pre-activations:", z.dtype, "| loss:", loss.dtype, "| gradients:", linear.weight.grad.dtype)

# %% [markdown] slideshow={"slide_type": "notes"}
# In the loop four lines change. `GradScaler` is the dynamic scale of section 13; where it is not `enabled`, it does nothing. So the same code serves a GPU with fp16 and a CPU with bf16:

# %% slideshow={"slide_type": "subslide"}
on_cuda = device.type == "cuda"
small_type = torch.float16 if on_cuda else torch.bfloat16
model, batches, _, _ = new_training(**small)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scaler = torch.amp.GradScaler(device.type, enabled=on_cuda)
for X, y in batches:
    with torch.autocast(device.type, dtype=small_type):  # forward in 16 bits
        logits = model(X)
    loss = F.cross_entropy(logits.float(), y)
    optimizer.zero_grad()
    scaler.scale(loss).backward()  # S times the loss
    scaler.step(optimizer)  # divide by S; step only if all is finite
    scaler.update()  # a new S
print("weights:", next(model.parameters()).dtype, "  logits:", logits.dtype, "  trained:", loss.item() < 1.5)

# %% [markdown] slideshow={"slide_type": "subslide"}
# In `fit` it is one argument. Is something lost? One epoch of 25,600 digits in float32 and one in 16 bits, on whatever device there is:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
precisions = {"fp32": 0.0, "fp16" if on_cuda else "bf16": 0.0}
took = {}
for precision in precisions:
    model, batches, optimizer, scheduler = new_training(epochs=1, X=X_train[:25600], y=y_train[:25600])
    begin = clock()
    fit(model, batches, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, scheduler=scheduler, epochs=1, precision=precision)
    took[precision] = clock() - begin
    precisions[precision] = measured(model, X_test, y_test)
    print(f"{precision} on {device.type}: accuracy {precisions[precision]:.2%}, {took[precision] / took['fp32']:.1f} times the time of fp32")

# %% slideshow={"slide_type": "skip"}
in_32, in_16 = precisions.values()
assert in_32 > 0.9 and abs(in_32 - in_16) < 0.01

# %% [markdown] slideshow={"slide_type": "fragment"}
# The accuracy is the same but for a few tenths of a percent, no more than another seed makes. The time depends on the device: a GPU with 16-bit units gains, most of all with large layers; a CPU without such units may even lose.
#
# Rule of thumb: bf16 where the device has it, fp16 with scaling otherwise, float32 for loss, sums and weights always.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 15 · Five bugs
#
# The worst bugs raise no error. The network trains, and the loss is a bit odd. Here is a loop with a switch for each of five of them. (6,400 digits, 200 steps, SGD with `lr` = 0.1.)

# %% tags=["long"] slideshow={"slide_type": "subslide"}
def buggy(bug, steps=200, seed=0):
    """Train with one bug built in; the loss of each step, and the accuracy on the test set."""
    torch.manual_seed(seed)
    model = MLP([784, 64, 10]).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    g = torch.Generator().manual_seed(seed)
    X, y, unseen, losses = X_small, y_small, X_test, []
    if bug == "inputs and targets shuffled apart":
        X, y = X[torch.randperm(6400, generator=g)], y[torch.randperm(6400, generator=g)]
    if bug == "pixels from 0 to 255":
        X, unseen = (X * std + mean) * 255, (unseen * std + mean) * 255
    for step in range(steps):
        if step % 100 == 0:  # a new epoch
            order = torch.randperm(6400, generator=g)
            if bug == "never shuffled, sorted by class":
                order = y.cpu().argsort(stable=True)
        rows = order[step % 100 * 64 :][:64].to(device)
        logits = model(X[rows])
        if bug == "softmax before cross-entropy":
            logits = logits.softmax(dim=1)
        loss = F.cross_entropy(logits, y[rows])
        if bug != "no zero_grad":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, measured(model, unseen, y_test)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Predict.** Sketch the loss curve of each before you go on: `no zero_grad` · `softmax before cross-entropy` · `inputs and targets shuffled apart` · `never shuffled, sorted by class` · `pixels from 0 to 255`.

# %% slideshow={"slide_type": "skip"}
bugs = (
    "no bug",
    "no zero_grad",
    "softmax before cross-entropy",
    "inputs and targets shuffled apart",
    "never shuffled, sorted by class",
    "pixels from 0 to 255",
)
results = {bug: [buggy(bug, seed=seed) for seed in range(3)] for bug in bugs}
curves = {bug: runs[0][0] for bug, runs in results.items()}

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: which bug made this curve?
#
# *Can you tell a bug by its curve?* The grey line is the training without a bug.
#
# - **Look** at three places: the first loss, the first ten steps, and the end.
# - **Try** the logarithmic axis when a curve leaves the picture.
# - **Notice** which two end at the same height, and that they began differently.
# - **Challenge:** all five right at the first guess.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.bugs(curves, reference="no bug")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five small pictures, each with a loss curve over 200 steps and no name, and behind it in grey the curve without a bug, which falls from 2.3 to about 0.3. One stays level; one jumps to enormous values and comes back to 2.3; one falls to zero at once and has peaks ever after; one falls slowly and stops far above the grey one; one falls like it at first, then rises and swings.

# %% [markdown] slideshow={"slide_type": "subslide"}
# <details><summary>The five answers (guess first)</summary>
#
# - **No zero_grad** (2): gradients pile up, the steps become longer and longer. It learns for a while, then swings and gets worse.
# - **Softmax before cross-entropy** (1): numbers between 0 and 1 as logits can never look sure. It learns slowly and cannot fall below 1.46.
# - **Shuffled apart** (4): each picture has another's label. Nothing to learn: log 10 = 2.30 to the end.
# - **Sorted by class** (5): ten steps of nothing but zeros: say zero, and the loss is nearly 0. Then come the ones: a peak.
# - **Pixels to 255** (3): sure and wrong at first. The first steps are so long that the units die; what is left guesses, at 2.30.
# </details>

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print("                                     first    highest   last 10   accuracy (three seeds)")
for bug, runs in results.items():
    losses = runs[0][0]
    hits = "  ".join(f"{hit:4.0%}" for _, hit in runs)
    print(f"{bug:35} {losses[0]:6.2f} {max(losses):10.3g} {sum(losses[-10:]) / 10:9.2f}   {hits}")

# %% slideshow={"slide_type": "skip"}
hit = {bug: [accuracy for _, accuracy in runs] for bug, runs in results.items()}
assert min(hit["no bug"]) > 0.88 and min(hit["softmax before cross-entropy"]) > 0.5
assert max(hit["inputs and targets shuffled apart"]) < 0.25 and max(hit["pixels from 0 to 255"]) < 0.5
assert all(runs[0][0][0] > 10 for bug, runs in results.items() if bug == "pixels from 0 to 255")
assert min(min(losses) for losses, _ in results["softmax before cross-entropy"]) > 1.46

# %% [markdown] slideshow={"slide_type": "subslide"}
# | you see | ask | bug |
# |---|---|---|
# | first loss far above $\log k$ | are inputs and weights of size 1? | raw pixels |
# | level at $\log k$ from the start | do labels belong to the inputs? does one batch overfit? | shuffled apart; wrong optimizer |
# | falls, but slowly, and stops high | does the loss get logits? | softmax twice |
# | nearly zero, then peaks | are batches mixed? | not shuffled |
# | falls, then swings up | are gradients cleared? is `lr` too large? | no `zero_grad` |
# | test far worse than training | overfitting? modes? the same transforms? | lesson 09; sections 7 and 1 |
# | test too good to be true | did test data leak into training? | lesson 09 |

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Two level curves, one question
#
# In section 4 the optimizer of another model gave a level curve, and shuffling apart gives one as well. How to tell them? **Overfit one batch.** With wrong labels the network still learns 64 of them by heart. With the wrong optimizer it cannot. That is why this test is in the routine: it separates "cannot learn" from "there is nothing to learn".
#
# Four broken loops to repair; two of the bugs you have met elsewhere (shapes in lesson 03, modes in section 7):
#
# **Exercise [10.find_the_bug_1](exercises/10_training.ipynb)** ● · **Exercise [10.find_the_bug_2](exercises/10_training.ipynb)** ● · **Exercise [10.find_the_bug_3](exercises/10_training.ipynb)** ●● · **Exercise [10.find_the_bug_4](exercises/10_training.ipynb)** ●●

# %% slideshow={"slide_type": "fragment", "show": "output"}
torch.manual_seed(0)
learner = MLP([784, 64, 10]).to(device)
optimizer = torch.optim.SGD(learner.parameters(), lr=0.1)
wrong_labels = torch.randint(10, (64,), device=device)
for _ in range(200):
    loss = F.cross_entropy(learner(X_train[:64]), wrong_labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"64 digits with random labels, after 200 steps: loss {loss.item():.2f}")
assert loss.item() < 0.2

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - A `Dataset` answers `len` and `[i]`, transforms run at each fetch, a `DataLoader` orders and stacks. Workers help only where you wait for data.
# - The loop: device, `train()`, five lines, schedule, `eval()` with `no_grad`, count over all examples. `fit` gives the same numbers to the last bit.
# - A checkpoint holds weights, optimizer, schedule, and the state of chance. A seed repeats a run on one machine, not everywhere.
# - Measure before you speed up; often the network waits for data. fp16 loses small gradients, scaling saves them; bf16 has the range and is coarse. Weights stay in float32.
# - Look at the data, first loss $\log k$, overfit one batch, then scale. First loss, first steps and end of the curve name the bug.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. A classifier with 1,000 classes starts with a loss of 6.9. Is something wrong?</summary>
#
# No: log 1,000 = 6.91. It knows nothing yet, as it should.
# </details>
#
# <details><summary>2. You resume from a file with the weights alone. Momentum, one-cycle schedule. What is different from a training without a stop?</summary>
#
# The velocities begin at zero, the learning rate begins its climb again, and the batches come in another order.
# </details>
#
# <details><summary>3. Somebody measures the test accuracy twice and gets 91.2% and 90.7%. What do you look for first?</summary>
#
# `model.eval()`: in training mode dropout gives another network at each call. Or a random transform on the test set.
# </details>
#
# <details><summary>4. Why can bf16 do without loss scaling, and what does it lose in exchange?</summary>
#
# It has as many exponent bits as float32, so small gradients do not become zero. It has only 7 bits of mantissa: next to 1 its neighbour is 0.008 away.
# </details>
#
# <details><summary>5. A new GPU is three times as fast, and your epoch takes as long as before. Why?</summary>
#
# Most of the time went into fetching the data, and the GPU waits. Measure fetching and training apart.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/10_training.ipynb](exercises/10_training.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 10.train_step | one step of training | ● |
# | 10.evaluate | loss and accuracy over all examples | ●● |
# | 10.to_device | move nested batches | ●● |
# | 10.checkpoint | save and load a training | ●●● |
# | 10.first_loss | what an untrained classifier should cost | ● |
# | 10.scaled_step | loss scaling by hand | ●●● |
# | 10.find_the_bug_1 | a loop whose loss rises again | ● |
# | 10.find_the_bug_2 | a regression that learns only the mean | ● |
# | 10.find_the_bug_3 | a classifier that learns slowly | ●● |
# | 10.find_the_bug_4 | a loop whose first epoch is fine | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# We always judged by accuracy. [Lesson 11](11_evaluation.ipynb) asks when that number lies, and what to look at instead.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - P. Micikevicius and others (2018). *Mixed precision training.* Loss scaling and float32 copies of the weights: sections 12 and 13 follow it.
# - D. Kalamkar and others (2019). *A study of BFLOAT16 for deep learning training.*
# - L. N. Smith (2017). *Cyclical learning rates for training neural networks.* The range test of section 5; from it came one-cycle.
# - A. Karpathy (2019). *A recipe for training neural networks* (on his web site). The routine of section 4 follows it.
# - A. Paszke and others (2019). *PyTorch: an imperative style, high-performance deep learning library.*
# - D. Goldberg (1991). *What every computer scientist should know about floating-point arithmetic.*
