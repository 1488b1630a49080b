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
# # 09 · Learning, not memorising
#
# **The question:** A network can learn its training set by heart. How do we get it to learn what also holds for examples it has never seen?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - tell overfitting from underfitting by two numbers, and say what training, validation and test set are each for;
# - find a leak: knowledge of the validation set that slips into the training;
# - apply L1, L2, weight decay, dropout, augmentation, early stopping, label smoothing and ensembles, and say what each does to the network;
# - judge a remedy by several seeds and paired differences, and say whether its effect is within the noise;
# - say why "more parameters always overfit" is wrong.
#
# **Needs:** [lesson 08](08_initialization.ipynb) · **Read:** 60 minutes · **Run:** 35 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, explore, plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 1 · Learned by heart
#
# Fifteen points lie around a smooth curve, each a little off by chance. Somebody gives us the points, not the curve. We fit a **polynomial**: $\hat y = w_0 + w_1 x + w_2 x^2 + \dots + w_d x^d$. The higher its **degree** $d$, the more bends it can have.
#
# It is a linear model with the inputs $1, x, x^2, \dots$: for $x = 2$ and degree 3 they are 1, 2, 4, 8. So the best weights under mean squared error can be computed at once, without gradient descent: `torch.linalg.lstsq` does **least squares**.

# %% slideshow={"slide_type": "skip"}
def points(n, seed):
    """n points around sin(3x): evenly spread places, shaken a little, and noise of size 0.3."""
    g = torch.Generator().manual_seed(seed)
    x = torch.linspace(-1, 1, n, dtype=torch.float64)
    x = x + 0.5 / n * (2 * torch.rand(n, generator=g, dtype=torch.float64) - 1)
    return x, torch.sin(3 * x) + 0.3 * torch.randn(n, generator=g, dtype=torch.float64)


def powers(x, degree):
    return x[:, None] ** torch.arange(degree + 1)  # (n, degree + 1)


def fit(x, y, degree):
    """The weights with the smallest mean squared error on these points."""
    return torch.linalg.lstsq(powers(x, degree), y[:, None], driver="gelsd").solution[:, 0]


x_train, y_train = points(15, seed=0)
print("weights of degree 3:", [round(w, 1) for w in fit(x_train, y_train, 3).tolist()])

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("09.degree")

# %% slideshow={"slide_type": "subslide", "show": "output"}
x_line = torch.linspace(-1.03, 1.03, 400, dtype=torch.float64)
fig, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, degree, title in zip(axes, (1, 3, 14), ("too stiff", "about right", "learned by heart"), strict=True):
    ax.plot(x_line, torch.sin(3 * x_line), "--", color=plotting.COLORS["muted"], lw=1.5)
    ax.plot(x_line, powers(x_line, degree) @ fit(x_train, y_train, degree), color=plotting.COLORS["accent"])
    ax.plot(x_train, y_train, "o", color=plotting.COLORS["train"])
    ax.set(xlabel="$x$", ylim=(-2.5, 2.5), title=f"Degree {degree}: {title}")
axes[0].set_ylabel("$y$");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The same fifteen points three times, with the true curve dashed. Degree 1, a straight line, misses the bends. Degree 3 lies close to the dashed curve. Degree 14 runs through the middle of every single point, and between the outer points it shoots out of the picture.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Degree 14 has fifteen weights for fifteen points: it can hit them all, whatever they are. It has learned the **noise** too. Such a model fits better than it can possibly know.
#
# - **Underfitting**: too stiff. Wrong on the points it was fitted to, and on new ones.
# - **Overfitting**: right on the points it was fitted to, wrong on new ones.
# - **Generalisation**: being right on new ones. This is what we want.
# - **Capacity**: how many different things a model can fit. Here it grows with the degree.
#
# One number cannot tell these apart: a small error on the training points goes with a good fit and with overfitting. We need a second number, from points that were **not** used for fitting.

# %% slideshow={"slide_type": "subslide", "show": "output"}
x_new, y_new = points(200, seed=1)
degrees = range(15)
weights = [fit(x_train, y_train, d) for d in degrees]
mse_train = [F.mse_loss(powers(x_train, d) @ w, y_train).item() for d, w in zip(degrees, weights, strict=True)]
mse_new = [F.mse_loss(powers(x_new, d) @ w, y_new).item() for d, w in zip(degrees, weights, strict=True)]
fig, ax = plt.subplots()
ax.plot(degrees, mse_train, "o-", color=plotting.COLORS["train"], label="the 15 points")
ax.plot(degrees, mse_new, "s--", color=plotting.COLORS["validation"], label="new points")
ax.axhline(0.09, color=plotting.COLORS["muted"], ls=":", lw=1.5)
ax.text(14, 0.08, "the noise: 0.3² = 0.09", color=plotting.COLORS["muted"], va="top", ha="right")
ax.set(yscale="log", ylim=(0.005, 100), xlabel="degree", ylabel="mean squared error", xticks=range(0, 15, 2))
ax.set_title("Training error only falls, the other one does not")
ax.legend(loc="upper center");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The mean squared error over the degree, on a logarithmic axis. On the fifteen points it never rises; it falls below the noise, and from degree 12 on out of the picture. On new points it falls until degree 3, stays nearly level for a while, and then rises, at degree 14 far above where it began.

# %% slideshow={"slide_type": "subslide", "show": "output"}
shown = (0, 1, 3, 6, 9, 12, 14)
print("degree          ", "  ".join(f"{d:6}" for d in shown))
print("the 15 points   ", "  ".join(f"{mse_train[d]:6.3f}" for d in shown))
print("new points      ", "  ".join(f"{mse_new[d]:6.3f}" for d in shown))
print("largest weight  ", "  ".join(f"{weights[d].abs().max():6.0f}" for d in shown))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Look at the last row. To hit points that do not lie on a smooth curve, the weights must get large and work against each other. **Large weights make jumpy functions.** That is the idea behind the first remedies: forbid, or tax, large weights.
#
# Note also what counts as good here: an error of 0.09 on new points is the noise. On many points nobody can do better. A training error **below** it shows that some noise has been learned. Even at degree 3 a little has, as in every fit; at degree 14 all of it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 2 · Three sets
#
# The points that are used for fitting are the **training set**. The points that are used for **choosing** (the degree, the learning rate, when to stop) are the **validation set**. A number that we choose, rather than fit, is a **hyperparameter**.
#
# Why a third one? Because choosing is a kind of fitting too. Let us choose the degree by 10 validation points, 400 times with new points, and look at the error of the winner: as the validation set told it, and on many fresh points.

# %% slideshow={"slide_type": "subslide", "show": "output"}
def choose_degree(seed):
    """The degree with the smallest validation error; that error, and the error on fresh points."""
    (x, y), (x_val, y_val), (x_fresh, y_fresh) = points(15, 3 * seed), points(10, 3 * seed + 1), points(300, 3 * seed + 2)
    weights = [fit(x, y, d) for d in range(11)]
    errors = [F.mse_loss(powers(x_val, d) @ weights[d], y_val).item() for d in range(11)]
    best = min(range(11), key=errors.__getitem__)
    return best, errors[best], F.mse_loss(powers(x_fresh, best) @ weights[best], y_fresh).item()


chosen = [choose_degree(seed) for seed in range(400)]
counts = [sum(best == d for best, _, _ in chosen) for d in range(11)]
told, true = (sum(row[k] for row in chosen) / 400 for k in (1, 2))
print("how often each degree, from 0, won:", counts)
print(f"mean error of the winner: {told:.3f} on the validation points, {true:.3f} on fresh points")

# %% slideshow={"slide_type": "skip"}
assert told < true - 0.01 and counts[3] == max(counts) and 40 < sum(counts[8:]) < 120

# %% [markdown] slideshow={"slide_type": "fragment"}
# Choosing works, but not perfectly: degree 3 wins most often and the stiff ones hardly ever, but every fifth winner has degree 8 or more. Ten points cannot always tell them apart. And the winner looks better than it is. It won partly because it was good, and partly because it was **lucky on these 10 points**; luck does not come again on fresh ones. The more candidates one tries, the more luck is in the winner.
#
# So the **test set** is kept in a drawer. It is looked at once, at the end, to report. Whoever goes back and changes something after looking has turned it into a second validation set.

# %% [markdown] slideshow={"slide_type": "notes"}
# How to divide? Usual shares are 80 : 10 : 10, or a fixed number such as 10,000 when there is plenty. **Shuffle first**: data often lie sorted, and then the last part holds other classes than the first. And shuffle inputs and targets with the same row numbers.

# %% slideshow={"slide_type": "skip"}
labels_sorted = torch.arange(10).repeat_interleave(3)  # 30 labels, three of each class, sorted
order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
print("the last ten, not shuffled:", labels_sorted[20:].tolist())
print("the last ten, shuffled    :", labels_sorted[order][20:].tolist())

# %% [markdown] slideshow={"slide_type": "notes"}
# One more rule: whatever is computed **from data** is part of the fitting. If inputs are standardised (mean 0, standard deviation 1, lesson 03), the mean and the deviation come from the training part, and the same two numbers are used for the validation part. It may then have a mean that is not exactly 0, as new examples will have too.
#
# Training values 2, 4, 6 and a validation value 10: mean 4, standard deviation 2 (here, and below, `std()` as torch has it, which divides by $n - 1$). So the validation value becomes $(10 - 4)/2 = 3$. With all four, mean 5.5 and deviation 3.42, it would look like an ordinary 1.3.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [09.split](exercises/09_regularization.ipynb)** ●● Shuffle, divide, and standardise both parts with what the training part knows.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: how much freedom?
#
# *How much capacity do these points pay for?* Change the degree, the number of points, the noise and the penalty (section 6: a tax on large weights). You see the fit, and both errors over the degree (here as roots of the mean squared error, so that they can be held against the noise).

# %% [markdown]
# - **Try** to learn points with noise 0.1 or more by heart: training error 0, and a validation error more than ten times the noise.
# - **Then** keep degree 15 without a penalty, and find the number of points at which the validation error is below 1.25 times the noise.
# - **Notice**, with ten points and no penalty, what happens **beyond** the peak. Find a degree with less than a fifth of the peak's error. Section 13 comes back to it.
# - **Challenge:** degree 15 on 15 points, noise 0.2 or more. Bring the validation error below 0.3 with the penalty alone.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.capacity()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Fifteen points, the dashed true curve, and a fit of degree 12 that hits nearly all points and leaves the picture between them. Then two lines over the degree, the chosen degree marked: the training error falls steadily; the validation error has its lowest place at a small degree and a high peak further on.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 3 · Leaks
#
# A **leak** is knowledge about the validation set that gets into the training. It makes the numbers better and the model no better. Here is a famous one. 100 patients, 1,000 measurements each, and all of them are pure noise: coins were tossed for the labels too. Nothing can be learned; 50% is the truth. We keep the 20 measurements that go best with the label, fit a linear model on 50 patients, and validate on the other 50.

# %% slideshow={"slide_type": "subslide"}
def study(seed, leak):
    """Accuracy on the validation half, where the best 20 measurements are chosen with or without looking there."""
    g = torch.Generator().manual_seed(seed)
    X = torch.randn(100, 1000, generator=g, dtype=torch.float64)
    y = 2.0 * torch.randint(0, 2, (100,), generator=g).double() - 1  # -1 or 1: a coin
    seen = slice(0, 100) if leak else slice(0, 50)
    best = (X[seen].T @ y[seen]).abs().topk(20).indices  # the columns that go most with y, or most against it
    w = torch.linalg.lstsq(X[:50, best], y[:50, None]).solution
    return ((X[50:, best] @ w)[:, 0].sign() == y[50:]).double().mean().item()

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("09.leak")

# %% slideshow={"slide_type": "subslide", "show": "output"}
leaky, clean = (torch.tensor([study(seed, leak) for seed in range(100)]) for leak in (True, False))
print(f"chosen with all 100 patients:  {leaky.mean():.0%} right on the validation half (mean of 100 studies)")
print(f"chosen with the training half: {clean.mean():.0%}")

# %% slideshow={"slide_type": "skip"}
assert leaky.mean() > 0.7 and 0.47 < clean.mean() < 0.53

# %% [markdown] slideshow={"slide_type": "fragment"}
# Out of nothing, 78%. The *model* never saw a label of the validation half. But the *choice* did: among 1,000 columns of noise there are always 20 that happen to go with these 100 labels, validation labels among them. Choosing columns is fitting, so it belongs **after** the split, inside the training part.
#
# Other leaks that cost people papers: the same picture, or the same patient, on both sides of the split; a column that is written only after the outcome is known; tomorrow's data used to predict yesterday. Ask of every number that goes in: *would I have it on the day the model is used?*

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 4 · Can a network learn nonsense?
#
# Now networks. To train many of them in little time, we do three things: 500 digits only; each $2 \times 2$ block of pixels averaged into one, which leaves $14 \times 14 = 196$ inputs; and many networks side by side, as in lesson 04, with an axis for the network in front.

# %% slideshow={"show": "output"}
def shrink(images):
    """(n, 1, 28, 28) -> (n, 196): each block of 2 x 2 pixels becomes its mean."""
    return F.avg_pool2d(images, 2).flatten(1)


X_all, y_all = data.mnist_tensors("train", flatten=False)
X_test, y_test = data.mnist_tensors("test", flatten=False)
X_all, X_test, y_test = shrink(X_all), shrink(X_test[:5000]), y_test[:5000]
plotting.show_images(X_all[:10].view(-1, 14, 14), titles=y_all[:10].tolist());

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Ten digits of $14 \times 14$ coarse pixels with their labels. All are easy to read.

# %% tags=["long"] slideshow={"slide_type": "skip"}
class SideBySide(nn.Module):
    """Many networks 196-hidden-10 with ReLU at once: (networks, B, 196) -> (networks, B, 10)."""

    def __init__(self, networks, hidden=128, dropout=0.0, norm=False):
        super().__init__()
        self.W, self.b = nn.ParameterList(), nn.ParameterList()
        for m, n in ((196, hidden), (hidden, 10)):  # drawn as nn.Linear draws them
            self.W.append((2 * torch.rand(networks, n, m) - 1) / m**0.5)
            self.b.append((2 * torch.rand(networks, 1, n) - 1) / m**0.5)
        self.norm = nn.BatchNorm1d(networks * hidden) if norm else None  # section 10
        self.dropout = nn.Dropout(dropout)  # section 7

    def forward(self, X):
        z = X @ self.W[0].mT + self.b[0]  # (networks, B, hidden)
        if self.norm:  # each unit of each network is a feature of its own
            columns = z.transpose(0, 1).flatten(1)  # (B, networks * hidden)
            z = self.norm(columns).view(len(columns), len(z), -1).transpose(0, 1)
        a = self.dropout(torch.relu(z))
        return a @ self.W[1].mT + self.b[1]


def losses_of(model, X, y, smoothing=0.0):
    """The mean cross-entropy of each network, (networks,)."""
    z = model(X)
    each = F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="none", label_smoothing=smoothing)
    return each.view(y.shape).mean(dim=1)


def accuracies(model, X, y):
    """The accuracy of each network in percent, (networks,)."""
    with torch.no_grad():
        return 100 * (model(X).argmax(dim=2) == y).float().mean(dim=1)

# %% [markdown] slideshow={"slide_type": "notes"}
# `nn.ParameterList` is to parameters what `nn.ModuleList` is to layers: it makes the network know them. Now the loop. Some of its arguments wait for the sections that explain them. AdamW with `decay=0` is plain Adam, and `fused=True` makes it faster. An optimizer of torch takes its parameters in groups, too, each with settings of its own: here the weights decay and the biases do not.

# %% tags=["long"] slideshow={"slide_type": "skip"}
def train(X, y, *, hidden=128, dropout=0.0, norm=False, penalty=None, decay=0.0, smoothing=0.0,
          shifted=None, epochs=40, each_epoch=None):
    """Train a network for each row of X (networks, n, 196) and y (networks, n), in batches of 50."""
    torch.manual_seed(0)
    model = SideBySide(len(X), hidden, dropout, norm)
    groups = [{"params": [p for name, p in model.named_parameters() if name.startswith("W.") == is_weight],
               "weight_decay": decay if is_weight else 0.0} for is_weight in (True, False)]  # biases do not decay
    optimizer = torch.optim.AdamW(groups, lr=0.003, fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(y.shape[1]).split(50):
            X_batch = X[:, rows] if shifted is None else pick(shifted, rows)  # section 8
            loss = losses_of(model, X_batch, y[:, rows], smoothing).sum()  # no network is in another's loss
            if penalty:  # section 6
                loss = loss + penalty(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if each_epoch:
            each_epoch(model.eval())
            model.train()
    return model.eval()

# %% [markdown] slideshow={"slide_type": "subslide"}
# `model.eval()` and `model.train()` switch between use and training, as for batch norm in lesson 08.
#
# First experiment, after Zhang and others (2017). Two networks get 500 digits each with their right labels. Two get the same digits with **random** labels: a die with ten sides was thrown for every picture. There is no rule to be found. (About two seconds.)

# %% slideshow={"show": "output"}
explore.predict("09.random")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
g = torch.Generator().manual_seed(0)
rows = torch.randperm(50_000, generator=g)[:1000].view(2, 500)
X_four = X_all[rows].repeat(2, 1, 1)  # (4, 500, 196): the same pictures twice
y_four = torch.cat([y_all[rows], torch.randint(0, 10, (2, 500), generator=g)])  # right labels, then random ones
history = []
model = train(X_four, y_four, hidden=256, each_epoch=lambda m: history.append(accuracies(m, X_four, y_four)))
history = torch.stack(history).view(-1, 2, 2).mean(dim=2)  # (epochs, 2)
on_test = accuracies(model, X_test, y_test).view(2, 2).mean(dim=1)
for k, name in enumerate(("right ", "random")):
    print(f"{name} labels: {history[-1, k]:.0f}% of the training set, {on_test[k]:.0f}% of the test set")

# %% slideshow={"slide_type": "skip"}
assert history[-1, 1] > 95 and on_test[1] < 14 and on_test[0] > 80 and history[9, 0] > history[9, 1] + 15

# %% slideshow={"show": "output"}
fig, ax = plt.subplots()
for k, (name, role) in enumerate((("right labels", "right"), ("random labels", "wrong"))):
    ax.plot(range(1, 41), history[:, k], color=plotting.COLORS[role], ls=("-", "--")[k], label=name)
ax.set(xlabel="epoch", ylabel="accuracy on the training set, %", ylim=(0, 104))
ax.set_title("Nonsense is learned too, only more slowly")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Accuracy on the training set over 40 epochs. With right labels it is near 100% after ten to fifteen epochs. With random labels it climbs more slowly, and ends just below 100% too.

# %% [markdown] slideshow={"slide_type": "notes"}
# The network learned 500 throws of a die by heart, and on the test set it knows nothing, as it must. So **a training accuracy of 100% says nothing about learning**. And yet the same network, with the same number of weights and the same optimizer, got most test digits right when there *was* a rule. It learned that rule sooner than the nonsense. That it can memorise does not mean that it must.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 5 · A fair test bench
#
# What helps against memorising? Remedies of this kind are called **regularisation**: they hold the network back a little on the training set so that it does better on new examples. We shall try ten, each against the same baseline: 196–128–10, Adam, 40 epochs on 500 digits. Five seeds; each draws **its own 500 digits**. All are judged on the same 5,000 test digits.
#
# There are two situations:
#
# - **clean**: the labels as they are;
# - **noisy**: 20% of the training labels replaced by wrong ones. (Test labels stay right.) Real data often look like this.
#
# Five clean and five noisy networks make ten rows, which train side by side.

# %% slideshow={"slide_type": "skip"}
def draw(seed):
    """500 digits, their labels, and the labels with 20% made wrong."""
    g = torch.Generator().manual_seed(seed)
    rows = torch.randperm(50_000, generator=g)[:500]
    y = y_all[rows]
    wrong = torch.rand(500, generator=g) < 0.2
    return X_all[rows], y, torch.where(wrong, (y + torch.randint(1, 10, (500,), generator=g)) % 10, y)


pictures, right_labels, some_wrong = map(torch.stack, zip(*[draw(seed) for seed in range(5)], strict=True))
X, y = pictures.repeat(2, 1, 1), torch.cat([right_labels, some_wrong])  # (10, 500, 196), (10, 500)
print("labels made wrong:", [f"{share:.0%}" for share in (right_labels != some_wrong).float().mean(dim=1)])

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
results, models, on_train = {}, {}, {}


def remedy(name, model):
    """Note the test accuracy of the ten networks of a remedy: (2, 5), clean and noisy."""
    models[name], results[name] = model, accuracies(model, X_test, y_test).view(2, 5)
    on_train[name] = accuracies(model, X, y).view(2, 5)
    for k, situation in enumerate(("clean", "noisy")):
        runs = "  ".join(f"{a:.1f}" for a in results[name][k])
        print(f"{name}, {situation}: training {on_train[name][k].mean():3.0f}%   test {results[name][k].mean():.1f}%  ({runs})")


remedy("baseline", train(X, y))

# %% slideshow={"slide_type": "skip"}
assert on_train["baseline"][0].mean() > 99 and on_train["baseline"][1].mean() > 90
assert 80 < results["baseline"][0].mean() < 88 and results["baseline"][1].mean() < results["baseline"][0].mean() - 7

# %% [markdown] slideshow={"slide_type": "fragment"}
# Clean: everything learned by heart, and about 84% right on the test set. Noisy: the wrong labels have been learned as well, and that costs more than ten points.
#
# Now look at the five numbers in brackets. They differ by two points or more, only because other digits were drawn. If a remedy gains one point on average, can we see it? Not by comparing two such rows as wholes. But **pairwise**: the same draw (and, where the network keeps its form, the same initial weights), with and without the remedy. What was lucky in the draw is lucky in both and drops out of the **difference**.

# %% [markdown] slideshow={"slide_type": "subslide"}
# By hand. Without a remedy 82, 85, 83, 86, 84; with it 83, 86.5, 83.5, 87, 85. Means 84 and 85, while each row is spread over four points: is that chance? The five differences are 1, 1.5, 0.5, 1 and 1. All positive, all close to 1: hardly chance.
#
# How sure is their mean? Its **standard error** is the standard deviation of the differences divided by $\sqrt 5$: here $0.35/2.24 = 0.16$. With five values the 95% interval reaches 2.78 standard errors to each side (2.78 is Student's factor for five values): $1 \pm 0.44$. **If the interval contains 0, the difference is within the noise.**

# %% slideshow={"slide_type": "skip"}
def gain(name):
    """Mean of the paired differences to the baseline, and half the width of its 95% interval: (2,), (2,)."""
    differences = results[name] - results["baseline"]  # (2, 5)
    return differences.mean(dim=1), 2.78 * differences.std(dim=1) / 5**0.5


results["by hand"] = torch.tensor([[1.0, 1.5, 0.5, 1.0, 1.0]] * 2) + results["baseline"]
mean, reach = gain("by hand")
print(f"{mean[0]:.2f} ± {reach[0]:.2f}")
del results["by hand"]

# %% [markdown] slideshow={"slide_type": "notes"}
# The remedies have strengths: how much dropout, how large a penalty. They were chosen beforehand with **other draws and other digits**, out of three or four values each, by the mean over both situations. So the test digits had no say. Each was chosen once for both situations, and that is a choice too: for each alone, another strength would be a little better.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 6 · Smaller, or smaller weights
#
# The obvious remedy is **a smaller model**: 16 hidden units rather than 128. It cannot learn everything by heart, so it has to be choosy.

# %% tags=["nbval-ignore-output"] slideshow={"show": "output"}
remedy("16 hidden units", train(X, y, hidden=16))

# %% slideshow={"slide_type": "skip"}
assert (on_train["16 hidden units"].mean(dim=1) < on_train["baseline"].mean(dim=1)).all()

# %% [markdown] slideshow={"slide_type": "notes"}
# As expected, it learns less of the training set by heart, above all of the wrong labels. Whether that pays we ask of all remedies together, in section 12.

# %% [markdown] slideshow={"slide_type": "subslide"}
# A finer way leaves the units and taxes the weights. Add a **penalty** to the loss:
#
# $$\text{L2: } \lambda \sum w^2 \qquad\qquad \text{L1: } \lambda \sum |w|$$
#
# For weights 3, −1 and 0.1 with $\lambda = 0.01$: L2 costs $0.01 \cdot (9 + 1 + 0.01) = 0.1001$, L1 costs $0.01 \cdot 4.1 = 0.041$. Biases are left out: a bias only shifts a unit, it does not make it jumpy.
#
# **Exercise [09.l2_penalty](exercises/09_regularization.ipynb)** ● · **Exercise [09.l1_penalty](exercises/09_regularization.ipynb)** ● For any module: the weights and not the biases. (Weights have two axes, biases one.)

# %% [markdown] slideshow={"slide_type": "notes"}
# The two differ in their **slopes**, and slopes are what a network feels (lesson 05). L2 pulls with $2\lambda w$: hard on large weights, hardly at all on small ones. L1 pulls with $\pm\lambda$ whatever the size, right down to zero.
#
# Take one weight that the data would like to have at $a$, with loss $(w - a)^2$. With L2 the minimum is at $a/(1 + \lambda)$: everything shrinks by the same factor, nothing becomes zero. With L1 it is at $a - \lambda/2$ for positive $a$, and at exactly **zero** where $|a| \le \lambda/2$. With $\lambda = 1$: $a = 2$ becomes 1 and 1.5; $a = 0.4$ becomes 0.2 and 0.

# %% slideshow={"slide_type": "subslide", "show": "output"}
a = torch.linspace(-2, 2, 81, dtype=torch.float64)
w = torch.linspace(-2, 2, 4001, dtype=torch.float64)[:, None]  # candidates: try them all
fig, ax = plt.subplots(figsize=(7.5, 4.6))
ax.plot(a, a, color=plotting.COLORS["muted"], ls=":", label="no penalty")
for name, cost, role in (("L2", w**2, "class0"), ("L1", w.abs(), "class1")):
    best = w[((w - a) ** 2 + cost).argmin(dim=0), 0]
    formula = a / 2 if name == "L2" else a.sign() * (a.abs() - 0.5).clamp(min=0)
    print(f"{name}: largest difference between search and formula {(best - formula).abs().max():.3f}")
    ax.plot(a, best, color=plotting.COLORS[role], label=name)
ax.set(xlabel="the weight the data would like", ylabel="the weight it gets", title="L2 shrinks everything, L1 cuts off")
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Three lines through the origin. Without a penalty the weight is what the data would like. L2 is a straight line with half the slope. L1 runs level at zero between −0.5 and 0.5 and then rises parallel to the first line.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Weight decay** is the third way (lesson 07): not in the loss, but as a shrinking at each step. Under plain SGD it is L2 (our $\lambda$ there is half the decay); under Adam it is not.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
remedy("L2", train(X, y, penalty=lambda model: 0.003 * sum((W**2).sum() for W in model.W)))
remedy("L1", train(X, y, penalty=lambda model: 0.001 * sum(W.abs().sum() for W in model.W)))
remedy("weight decay", train(X, y, decay=2.0))

# %% slideshow={"slide_type": "skip"}
assert all(on_train[name][1].mean() < on_train["baseline"][1].mean() - 5 for name in ("L2", "L1", "weight decay"))

# %% [markdown] slideshow={"slide_type": "fragment"}
# Does L1 give zeros, then? Adam's steps never land exactly on zero: they jump over it and back. So we count a weight as zero if it is below 0.003, the learning rate, which is about the length of one step. As in lesson 07 there are pixels that are black in all pictures; those weights get no pull from the data, so we leave them out.

# %% slideshow={"slide_type": "subslide", "show": "output"}
lit = X.amax(dim=(0, 1)) > 0  # (196,): pixels that are not always black
near_zero = {}
fig, axes = plt.subplots(1, 3, figsize=(12, 3.8), sharex=True, sharey=True, layout="constrained")
for ax, name in zip(axes, ("baseline", "L2", "L1"), strict=True):
    W = models[name].W[0].detach()[:5][:, :, lit]  # the five clean networks, (5, 128, lit pixels)
    near_zero[name] = (W.abs() < 0.003).float().mean().item()
    ax.hist(W.flatten().clamp(-0.3, 0.3).numpy(), bins=61, color=plotting.COLORS["train"])
    ax.set(xlabel="weight", yscale="log", title=f"{name}: {near_zero[name]:.0%} below 0.003")
axes[0].set_ylabel("number of weights");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Histograms of the first layer's weights, with a logarithmic count; what lies beyond ±0.3 is counted in the outermost bars. Baseline: a broad hill. L2: a narrower hill with a peak in the middle, a third of all weights. L1: one tall spike at zero, many times as high as anything else, and low sides.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
sparse = SideBySide(10)
sparse.load_state_dict(models["L1"].state_dict())
with torch.no_grad():
    for W in sparse.W:
        W[W.abs() < 0.003] = 0.0  # really zero now
before, after = (accuracies(m, X_test, y_test)[:5].mean().item() for m in (models["L1"], sparse))
print(f"clean, L1: test accuracy {before:.1f}% before and {after:.1f}% after setting the small weights to zero")

# %% slideshow={"slide_type": "skip"}
assert near_zero["L1"] > 0.7 > 0.5 > near_zero["L2"] > near_zero["baseline"] and abs(before - after) < 1

# %% [markdown] slideshow={"slide_type": "fragment"}
# L1 gives **sparse** weights: mostly zeros. One can throw those away and lose nothing. (Why has L2 so many small ones, if it only shrinks? The rule above holds at the minimum, for a weight that the data want. A weight that they hardly need is wanted at about 0; and Adam takes even a weak pull in full steps, as in lesson 07.) That the network is *better* for it has not been said yet; the table of section 12 will.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 7 · Dropout
#
# The idea of Hinton and others (2012): a unit that can rely on another will do so, and together they memorise single examples. **Dropout** makes every unit unreliable. In each training step, each activation is set to zero with probability $p$, by a new draw. A unit has to be useful by itself.
#
# In use nothing is dropped. Then twice as many units speak up as in training (for $p = 0.5$), and the next layer would get sums twice as large. The first version multiplied by $1 - p$ in use:

# %% slideshow={"slide_type": "subslide"}
torch.manual_seed(0)
a = torch.tensor([2.0, 1.0, 3.0, 0.5, 1.5, 4.0])
for step in range(3):
    keep = torch.rand(6) >= 0.5
    print(f"training step {step}:", (a * keep).tolist(), " sum", (a * keep).sum().item())
print("in use, a * 0.5:", (a * 0.5).tolist(), " sum", (a * 0.5).sum().item())

# %% [markdown] slideshow={"slide_type": "fragment"}
# Today it is done the other way round, as **inverted dropout**: what is kept in training is *divided* by $1 - p$, and in use nothing is done at all. With $p = 0.8$ the few that are left become five times as large. On average over many draws every activation is then what it was. `nn.Dropout` works like this:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
layer = nn.Dropout(0.8)
print("training:", layer(a).tolist())
mean = layer(a.expand(100_000, 6)).mean(dim=0)
print("mean of 100,000 draws:", [f"{v:.1f}" for v in mean])
print("in use:  ", layer.eval()(a).tolist())

# %% slideshow={"slide_type": "skip"}
assert (mean - a).abs().max() < 0.15 and torch.equal(layer(a), a)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Exercise [09.dropout](exercises/09_regularization.ipynb)** ●● Inverted, with a new mask at each call, silent in use.
#
# Forget `model.eval()` and the network guesses with most of its units gone. On our ten networks, trained with $p = 0.7$:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
remedy("dropout", train(X, y, dropout=0.7))
forgotten = accuracies(models["dropout"].train(), X_test, y_test)[:5].mean().item()
models["dropout"].eval()
print(f"clean, left in training mode: {forgotten:.1f}%")

# %% slideshow={"slide_type": "skip"}
assert forgotten < results["dropout"][0].mean() - 2

# %% [markdown] slideshow={"slide_type": "notes"}
# Several points, lost by one forgotten word. The network is the same.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 8 · More pictures for nothing
#
# A 7 that is moved by a pixel is still a 7. **Augmentation** makes new training pictures out of old ones by changes that keep the label: shifts, small turns, another brightness. One must know which changes those are. Mirror a digit, and 2 becomes no digit at all; mirror a cat, and it is a cat.
#
# Here: up to one pixel of $14 \times 14$ up or down and left or right, so nine versions of each picture. We make all nine beforehand: a border of zeros, then nine windows.

# %% slideshow={"slide_type": "fragment", "show": "output"}
with_border = F.pad(X.view(10, 500, 14, 14), (1, 1, 1, 1))  # (10, 500, 16, 16)
windows = [with_border[:, :, top : top + 14, left : left + 14] for top in range(3) for left in range(3)]
nine = torch.stack([w.flatten(2) for w in windows])  # (9, 10, 500, 196)


def pick(versions, rows):
    """Of each picture in the batch one of its nine versions, by a new draw: (10, B, 196)."""
    which = torch.randint(0, 9, (10, len(rows)))
    return versions[which, torch.arange(10)[:, None], rows]


plotting.show_images(nine[:, 0, 0].view(9, 14, 14));

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The same digit nine times, one pixel higher or lower, one pixel to the left or right. The one in the middle is the original.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
remedy("shifted pictures", train(X, y, shifted=nine))

# %% slideshow={"slide_type": "skip"}
assert gain("shifted pictures")[0].min() > 0.5 and on_train["shifted pictures"][1].mean() < 85

# %% [markdown] slideshow={"slide_type": "notes"}
# With larger shifts, or more and larger pictures, all versions beforehand would take too much memory. Then each batch is shifted when it is needed, every picture by its own amount.
#
# **Exercise [09.random_shift](exercises/09_regularization.ipynb)** ●●● Each picture its own shift, zeros come in.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 9 · Stop in time
#
# In section 4 the rule was learned sooner than the nonsense. So stop in between! **Early stopping** watches the loss on a validation set, remembers the weights at its lowest point, and stops when there was no better value for some epochs. That number is the **patience**.

# %% [markdown] slideshow={"slide_type": "fragment"}
# By hand, patience 2. Validation losses 1.0, 0.7, 0.6, 0.65, 0.55, 0.58, 0.60: after the fourth we have waited one epoch, the fifth is a new best, after the seventh we have waited two. Stop, and go back to the weights of the **fifth**. With patience 1 we would have stopped at the fourth, with 0.6.
#
# Equal is not better: a loss that stays level must run out of patience too. And remember a **copy** of the weights: `model.state_dict()` hands out the tensors themselves, and the next step changes them. `copy.deepcopy` or `clone` makes a copy.

# %% [markdown] slideshow={"slide_type": "notes"}
# The validation set has to come from somewhere. A remedy that gets 100 digits more than all others would not be compared fairly. So: 400 of the 500 for training, 100 for stopping, with their labels as they are (in the noisy rows some are wrong). Patience 5.
#
# Side by side no network can stop alone. So we train all for 40 epochs, keep the weights of every epoch, and look up afterwards where each would have stopped.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
X_val, y_val = X[:, 400:], y[:, 400:]
validation_losses, snapshots = [], []


def watch(model):
    with torch.no_grad():
        validation_losses.append(losses_of(model, X_val, y_val))
    snapshots.append([p.detach().clone() for p in model.parameters()])


model = train(X[:, :400], y[:, :400], each_epoch=watch)
curves = torch.stack(validation_losses)  # (epochs, networks)
best_so_far = curves.cummin(dim=0).indices  # (epochs, networks): the epoch of the lowest loss up to here
waited = torch.arange(len(curves))[:, None] - best_so_far
stop = (waited >= 5).float().argmax(dim=0)  # the first epoch in which five have passed without a better one
stop[waited.amax(dim=0) < 5] = len(curves) - 1  # never out of patience
picked = best_so_far[stop, torch.arange(10)]
print("epoch picked, clean:", (picked[:5] + 1).tolist(), "  noisy:", (picked[5:] + 1).tolist())

# %% slideshow={"slide_type": "skip"}
assert picked[5:].max() < 20 and picked[5:].float().mean() < picked[:5].float().mean()

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, part, title in ((axes[0], slice(0, 5), "Clean: late, hardly a rise"), (axes[1], slice(5, 10), "Noisy: early, then it rises")):
    ax.plot(range(1, 41), curves[:, part], color=plotting.COLORS["validation"], lw=1.5)
    for k in range(10)[part]:
        ax.plot(picked[k] + 1, curves[picked[k], k], "*", color=plotting.COLORS["text"], markersize=14)
    ax.set(xlabel="epoch", title=title, ylim=(0, 2.5))
axes[0].set_ylabel("loss on the 100 validation digits");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Five curves of the validation loss in each picture, and a star on each at the epoch that was picked. Clean: the curves fall and then stay level or rise a little; the stars lie between the tenth epoch and the thirtieth. Noisy: they fall for five to ten epochs, to a higher floor, and then rise until the end; the stars lie in the early dip.

# %% [markdown] slideshow={"slide_type": "notes"}
# The stars are spread over many epochs even where nothing but the draw differs: 100 validation digits are few. To use the weights of the star, put them back, each network its own:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
with torch.no_grad():
    for i, p in enumerate(model.parameters()):
        for k in range(10):
            p[k] = snapshots[picked[k]][i][k]
remedy("early stopping", model)
snapshots.clear()  # they take much memory

# %% slideshow={"slide_type": "skip"}
assert gain("early stopping")[0][0] < 0.2 and gain("early stopping")[0][1] > 1

# %% [markdown] slideshow={"slide_type": "fragment"}
# With noisy labels it gains a few points. With clean labels it **loses**: there was little to stop for, and the 100 digits were missing from the training. (One can train again on all 500, for as many epochs as were picked. That is often done.)
#
# **Exercise [09.early_stopping](exercises/09_regularization.ipynb)** ●●● A class that is told the loss after every epoch, keeps a copy of the best weights, and says when to stop.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 10 · Two side effects
#
# **Label smoothing** (lesson 05) asks for a probability of a little less than 1 for the right class. A network that need not be certain has less reason to bend itself around a wrong label.
#
# **Batch normalisation** (lesson 08) was made for training deep networks. It has a side effect: the mean and spread of each batch depend on which examples happen to be in it, so the same picture gives other values at each step. That is noise, a little like dropout, and one often reads that batch norm regularises, in its first paper already. Let us see.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
remedy("label smoothing", train(X, y, smoothing=0.3))
remedy("batch norm", train(X, y, norm=True))

# %% slideshow={"slide_type": "skip"}
assert gain("batch norm")[0][1] < -1 and gain("label smoothing")[0].min() > 0.3

# %% [markdown] slideshow={"slide_type": "fragment"}
# Smoothing gains a little in both. Batch norm does **not** help here. It trains faster, and so the wrong labels too are learned faster: in the same 40 epochs it got nearly all of them. So this is a comparison at equal epochs, and no more: try `norm=True, epochs=10`, and it beats the baseline's 40 on noisy labels. (But the baseline with 10 epochs beats both.) What is said about batch norm in deep networks on millions of pictures need not hold for a shallow one on 500.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 11 · A committee
#
# An **ensemble** trains several networks that differ in their initial weights, and takes the mean of their **probabilities**. Where they are wrong in different ways, the errors cancel.
#
# By hand, two classes, true class 0. Three networks give it 0.9, 0.45 and 0.45. By votes it would be class 1, two to one; the mean is 0.6, so it is class 0. The mean of probabilities, not of votes: a network that is sure counts for more than one that wavers.
#
# Three networks for each of the ten rows: thirty side by side. (The longest cell: about four seconds.)

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
thirty = train(X.repeat_interleave(3, dim=0), y.repeat_interleave(3, dim=0))
with torch.no_grad():
    p = thirty(X_test).softmax(dim=2).view(10, 3, 5000, 10)  # (rows, members, digits, classes)
results["ensemble of 3"] = 100 * (p.mean(dim=1).argmax(dim=2) == y_test).float().mean(dim=1).view(2, 5)
wrong = p.argmax(dim=3) != y_test  # (10, 3, 5000)
single = 100 * (1 - wrong.float().mean(dim=(1, 2))).view(2, 5)
shared = 100 * ((wrong[:, 0] & wrong[:, 1]).sum(dim=1) / wrong[:, 0].sum(dim=1)).view(2, 5)
for k, situation in enumerate(("clean", "noisy")):
    together = results["ensemble of 3"][k].mean()
    print(f"{situation}: each of three networks alone {single[k].mean():.1f}%, together {together:.1f}%;", end="  ")
    print(f"of the first one's mistakes the second makes {shared[k].mean():.0f}%")

# %% slideshow={"slide_type": "skip"}
assert (results["ensemble of 3"] - single).mean(dim=1).abs().max() < 2 and shared.mean(dim=1).min() > 75

# %% [markdown] slideshow={"slide_type": "fragment"}
# **Exercise [09.ensemble](exercises/09_regularization.ipynb)** ● The mean of the models' probabilities.
#
# The committee is small help here: networks of the same form that saw the same 500 pictures make mostly the **same** mistakes. An ensemble needs members that differ: by other data, by another form. For deep networks different initial weights are often enough (Lakshminarayanan and others, 2017).

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 12 · All remedies side by side
#
# Last, what can be combined, all at once: weight decay, dropout, shifted pictures, label smoothing and batch norm, each at the strength it had alone. And beside it, one pair that did well in the trials with other digits (section 5): shifted pictures with label smoothing.

# %% slideshow={"show": "output"}
explore.predict("09.together")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
everything = {"decay": 2.0, "dropout": 0.7, "smoothing": 0.3, "norm": True, "shifted": nine}
remedy("all together", train(X, y, **everything))
remedy("shifts and smoothing", train(X, y, shifted=nine, smoothing=0.3))

# %% slideshow={"slide_type": "skip"}
assert on_train["all together"].mean() < on_train["shifts and smoothing"].mean() - 3

# %% [markdown] slideshow={"slide_type": "notes"}
# Now the table and the picture. A name is followed by the gain over the baseline in points, clean and noisy, each with its 95% interval. A star means that the interval does not contain 0.

# %% tags=["nbval-ignore-output"] slideshow={"show": "output"}
names = [name for name in results if name != "baseline"]
print(f"{'remedy':21}{'clean digits':>17}{'20% wrong labels':>21}")
for name in names:
    cells = [f"{m:+6.1f} ± {r:.1f} {'*' if abs(m) > r else ' '}" for m, r in zip(*gain(name), strict=True)]
    print(f"{name:21}{cells[0]:>18}{cells[1]:>20}")

# %% slideshow={"slide_type": "skip"}
one = {name: gain(name)[0] for name in names}
singles = [name for name in names if name not in ("all together", "shifts and smoothing")]
assert max(singles, key=lambda name: one[name][1]) == "shifted pictures" and one["shifted pictures"][0] > 0.5
assert all(one[name][1] > 1 for name in ("16 hidden units", "L2", "L1", "weight decay", "dropout", "early stopping"))
assert all(one[name][0] < 0.3 for name in ("16 hidden units", "L2", "L1", "weight decay", "early stopping", "batch norm"))
assert abs(one["ensemble of 3"][0]) < 1 and one["batch norm"][1] < -1
assert (one["all together"] < one["shifted pictures"] - 2).all() and one["all together"][0] < -2
assert (one["shifts and smoothing"] > one["shifted pictures"] - 0.5).all()

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, axes = plt.subplots(1, 2, figsize=(12, 5.2), sharex=True, sharey=True, layout="constrained")
for k, (ax, title) in enumerate(zip(axes, ("Clean: little to gain", "20% wrong labels: nearly all help"), strict=True)):
    for row, name in enumerate(names):
        m, r = (t[k].item() for t in gain(name))
        role = "neutral" if abs(m) <= r else ("right" if m > 0 else "wrong")
        ax.plot((results[name] - results["baseline"])[k], [row] * 5, "|", color=plotting.COLORS[role], markersize=9)
        ax.errorbar(m, row, xerr=r, fmt="o", color=plotting.COLORS[role], capsize=4, lw=2)
    ax.axvline(0, color=plotting.COLORS["text"], lw=1)
    ax.set(xlabel="gain over the baseline, points", title=title)
axes[0].set(yticks=range(len(names)), yticklabels=names)
axes[0].invert_yaxis();

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A row for each remedy. A dot is the mean gain, the bar its 95% interval, the small strokes are the five seeds. Grey: the interval contains 0. Blue: gain. Red: loss. Left, nearly all dots lie within two points of zero; only the pair of shifts and smoothing stands out to the right, and all together far to the left. Right, most dots lie three to ten points to the right of zero; batch norm lies left.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Noisy labels.** Whatever keeps the network from bending itself around single examples pays: a smaller network, all three ways of small weights, dropout, stopping early, smoothing. Shifted pictures pay most, about ten points. Batch norm costs some. The gain of the committee is small; its interval contains 0.
#
# **Clean labels.** There is hardly any noise to be memorised, and it shows. L2, weight decay and the committee are **within the noise**, and so, or nearly so, is batch norm. L1, the smaller network and early stopping cost about a point or more: they took away capacity or digits that were needed. Shifted pictures, smoothing and dropout gain one to two points.

# %% [markdown] slideshow={"slide_type": "notes"}
# And the doubtful ones? The table holds two dozen intervals. At 95% each, even without any effect about one of twenty would leave out 0 by mere luck. So do not trust a star whose interval ends close to 0, such as dropout's on clean digits. The gain of shifted pictures, and everything on the right that lies many intervals away from 0, is no luck.
#
# The intervals speak of other draws of 500 digits. They do not speak of other strengths, 50,000 digits, or deeper networks. There each remedy has to show anew what it can do. And whoever now picks the best row has **chosen** by these 5,000 test digits: to report its accuracy, take the other 5,000.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **All together** is the surprise: on clean digits it *loses* several points, and on noisy ones it gains far less than shifted pictures alone. Look at its training accuracy above: under all these brakes the network learns its training set badly. That is **underfitting**: strengths that are right for each alone are too much together. (Try it: `epochs=100` does not mend it; leaving out dropout mends most of it.)
#
# The pair does better than either alone. So the rule is not "regularise more". It is: look at the two numbers. Training accuracy far above validation accuracy: brake. Training accuracy low: let go, or train longer.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 13 · "More parameters always overfit"
#
# Section 1 seemed to say so. But it stopped at 15 weights for 15 points. Let us go on. **Random features**: one hidden layer of $N$ ReLU units whose weights are drawn once and never trained. Only the output layer is fitted, by least squares, so we get *the* best weights and not what an optimizer happens to find. 300 digits; the targets are one-hot rows less 0.1.
#
# With $N > 300$ each output has more weights than there are digits, and many solutions fit perfectly. `lstsq` then gives the one with the **smallest weights** (the minimum norm).

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("09.descent")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
def random_features(N, seed, penalty=1.0):
    """Without and with an L2 penalty: errors in percent on the 300 training and 2,000 test digits, size of the weights."""
    R = torch.randn(196, N, generator=torch.Generator().manual_seed(seed)) / 14
    A, A_test = (torch.relu(part @ R).double() for part in (pictures[seed, :300], X_test[:2000]))  # (300, N), (2000, N)
    labels = some_wrong[seed, :300]
    targets = F.one_hot(labels, 10).double() - 0.1
    w_plain = torch.linalg.lstsq(A, targets, driver="gelsd").solution  # (N, 10)
    w_taxed = A.T @ torch.linalg.solve(A @ A.T + penalty * torch.eye(300).double(), targets)  # the formula with a penalty
    rows = []
    for w in (w_plain, w_taxed):
        wrong = [(B @ w).argmax(dim=1) != t for B, t in ((A, labels), (A_test, y_test[:2000]))]
        rows.append([100 * part.double().mean().item() for part in wrong] + [w.norm().item()])
    return rows


sizes = [10, 30, 60, 100, 200, 250, 300, 350, 400, 600, 1000, 2000, 4000]
both = torch.tensor([[random_features(N, seed) for seed in range(3)] for N in sizes]).mean(dim=1)
plain, taxed = both[:, 0], both[:, 1]  # (sizes, 3): training error, test error, size of the weights
for N in (10, 100, 300, 1000, 4000):
    train_error, test_error, norm = plain[sizes.index(N)]
    print(f"{N:4} features: training error {train_error:3.0f}%, test error {test_error:3.0f}%, size of the weights {norm:6.0f}")
print(f"with the penalty the test error is {taxed[:, 1].min():.0f}% to {taxed[3:, 1].max():.0f}% from 100 features on")

# %% slideshow={"slide_type": "skip"}
at = {N: plain[k, 1].item() for k, N in enumerate(sizes)}
assert at[300] > at[100] + 20 and at[4000] < at[100] and at[4000] < at[60] + 3 and plain[-1, 0] == 0 and taxed[3:, 1].max() < 38

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(9, 4.8))
ax.axvline(300, color=plotting.COLORS["muted"], ls=":")
ax.text(325, 97, "as many features as digits", color=plotting.COLORS["muted"], va="top")
ax.plot(sizes, plain[:, 0], "o-", color=plotting.COLORS["train"], label="training")
ax.plot(sizes, plain[:, 1], "s-", color=plotting.COLORS["test"], label="test")
ax.plot(sizes, taxed[:, 1], "^--", color=plotting.COLORS["accent"], label="test, L2")
ax.set(xscale="log", xlabel="random features", ylabel="error, %", ylim=(-3, 100), title="Past the peak, more is better again")
ax.set_xticks([10, 30, 100, 300, 1000, 4000], [10, 30, 100, 300, "1,000", "4,000"])
ax.minorticks_off()
plotting.label_lines(ax);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Error over the number of random features, three draws averaged, 20% wrong labels. Training error falls to 0 at 300 features and stays there. Test error falls, rises from 60 features on to a sharp peak exactly at 300, and falls again, in the end to about its lowest value on the left. With an L2 penalty there is no peak: the line stays nearly level from 60 features on, and lowest of all.

# %% [markdown] slideshow={"slide_type": "subslide"}
# This is **double descent** (Belkin and others, 2019; our experiment is modelled on theirs). At 300 exactly one solution fits all 300 labels, wrong ones included, and its weights are enormous. With 4,000 features endlessly many solutions fit. All have training error 0; among them least squares takes the calmest, and the more there are to choose from, the calmer it is.

# %% [markdown] slideshow={"slide_type": "fragment"}
# So *"more parameters always overfit"* is wrong. So is *"more parameters never hurt"*: from 100 to 300 they did. What counts is not how many solutions there are but **which one is taken**: by the smallest norm here, by a penalty, by stopping early, by gradient descent itself from small weights. The penalty took the peak away altogether, and was better than 4,000 features without one.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - Training error high: underfitting. Training error low and validation error high: overfitting. The training set fits, the validation set chooses, the test set reports, once.
# - Everything that is computed from data, means, chosen columns, hyperparameters, is fitting, and belongs inside the training part. Out of pure noise a leak made 78%.
# - L1 makes zeros, L2 and weight decay make small weights; dropout makes units unreliable, augmentation makes new examples; early stopping takes the weights before the nonsense; smoothing asks for less certainty; an ensemble takes the mean. They help most where there is noise to be memorised, and all at once can be too much.
# - Compare pairwise on several seeds and give the interval. If it contains 0, say so. With many comparisons some stars are luck.
# - Past the point where everything fits, more parameters can help again: what counts is which of the fitting solutions is taken.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. Training accuracy 71%, validation accuracy 70%. A friend advises more dropout. And you?</summary>
#
# The two are close together and low: underfitting. Dropout would make it worse. A larger network, a longer training or better inputs.
# </details>
#
# <details><summary>2. Someone standardises all 1,000 examples, then splits them 800 : 200. What is wrong?</summary>
#
# Mean and deviation come from the validation examples too: a leak. Often a small one, but the number is no longer clean. Split first.
# </details>
#
# <details><summary>3. Validation losses 0.9, 0.7, 0.8, 0.7, 0.6. When does patience 2 stop, and with which weights?</summary>
#
# After the fourth epoch: the third and the fourth were not better than 0.7 (equal is not better). The weights of the second. It never sees the 0.6; that is the price of little patience.
# </details>
#
# <details><summary>4. Dropout with p = 0.2, inverted. An activation of 4 in training?</summary>
#
# 0 in one step of five, else 4/0.8 = 5. On average 4. In use always 4.
# </details>
#
# <details><summary>5. Five paired differences: 2, −1, 3, 0, 1 points. Does the remedy help?</summary>
#
# The mean is 1, the standard deviation 1.58, the standard error 0.71, the interval 1 ± 2.0. It contains 0: within the noise. Take more seeds, or call it undecided.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/09_regularization.ipynb](exercises/09_regularization.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 09.split | shuffled, no overlap, no leak | ●● |
# | 09.l2_penalty | squares of the weights, biases left out | ● |
# | 09.l1_penalty | absolute values | ● |
# | 09.dropout | inverted | ●● |
# | 09.random_shift | each picture its own shift | ●●● |
# | 09.early_stopping | patience, and a copy of the best weights | ●●● |
# | 09.ensemble | the mean of probabilities | ● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# The loop of this lesson has grown many arguments. [Lesson 10](10_training.ipynb) writes it in full, on any device, with all that belongs to it, and then hands it over to `utils.training`.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014). *Dropout: a simple way to prevent neural networks from overfitting.* Section 7; first in Hinton and others (2012), *Improving neural networks by preventing co-adaptation of feature detectors.*
# - C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals (2017). *Understanding deep learning requires rethinking generalization.* The random labels of section 4.
# - M. Belkin, D. Hsu, S. Ma, S. Mandal (2019). *Reconciling modern machine-learning practice and the classical bias–variance trade-off.* Double descent.
# - T. Hastie, R. Tibshirani, J. Friedman (2009). *The elements of statistical learning.* L1 and L2 in chapter 3; the leak of section 3 is told in chapter 7.
# - L. Prechelt (1998). *Early stopping – but when?*
# - B. Lakshminarayanan, A. Pritzel, C. Blundell (2017). *Simple and scalable predictive uncertainty estimation using deep ensembles.*
