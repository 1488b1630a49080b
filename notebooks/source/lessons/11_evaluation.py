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
# # 11 · Is it any good?
#
# **The question:** Your network is right 99 times in 100. Should anybody use it?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - read a confusion matrix, compute precision, recall, specificity and F1 from it, average them over classes, and say what accuracy hides;
# - draw a ROC and a precision–recall curve, say what the AUC is the probability of, and know which curve to trust when "yes" is rare;
# - choose a threshold from what mistakes cost, and say what a weighted loss does instead;
# - check whether probabilities can be believed, and mend an overconfident network with a temperature;
# - put an interval around a number, compare two networks fairly, and look at the worst mistakes.
#
# **Needs:** [lesson 10](10_training.ipynb) · **Read:** 60 minutes · **Run:** 35 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer

from utils import data, explore, plotting
from utils.built.layers import MLP
from utils.training import fit

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 1 · Right 99 times in 100
#
# A machine sorts letters. One digit in 51 is an eight, and the eights must go into another box. We build a **detector**: a network that looks at a digit and says **yes** (an eight) or **no** (anything else). The class that is looked for is called **positive**, the other **negative**. Here they stand 1 : 50.
#
# `rare_eights` picks such a mixture from MNIST: for training and validation from the training images, for the test from the test images.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def rare_eights(X, y, yes, seed):
    """So many eights and 50 times as many other digits: images (51 * yes, 784), answers 1 or 0 (51 * yes,)."""
    g = torch.Generator().manual_seed(seed)
    eights, others = torch.nonzero(y == 8)[:, 0], torch.nonzero(y != 8)[:, 0]
    rows = torch.cat([eights[torch.randperm(len(eights), generator=g)[:yes]],
                      others[torch.randperm(len(others), generator=g)[: 50 * yes]]])
    return X[rows], (y[rows] == 8).long()


X_all, digits_all = data.mnist_tensors("train")
X_digits, y_digits = data.mnist_tensors("test")
X_train, y_train = rare_eights(X_all[:50000], digits_all[:50000], 200, seed=0)
X_val, y_val = rare_eights(X_all[50000:], digits_all[50000:], 170, seed=0)
X_test, y_test = rare_eights(X_digits, y_digits, 180, seed=0)
for name, y in {"training": y_train, "validation": y_val, "test": y_test}.items():
    print(f"{name:10} {len(y):6} images, {y.sum():3} of them eights")

# %% [markdown] slideshow={"slide_type": "notes"}
# The network has one logit, $z$; $\sigma(z)$ is its probability of yes. The loss is binary cross-entropy (lesson 05), the loop is `fit` (lesson 10). `weight` will be needed in section 9. Training takes about two seconds.

# %% slideshow={"slide_type": "skip"}
def train_detector(X, y, sizes, seed, weight=1.0, epochs=10):
    """A trained yes/no network; an example of yes counts `weight` times in the loss."""
    def loss(z, y):  # z (B, 1): without [:, 0] it would be stretched against y (B,), lesson 03
        return F.binary_cross_entropy_with_logits(z[:, 0], y.float(), pos_weight=torch.tensor(weight))

    torch.manual_seed(seed)
    net = MLP(sizes)
    batches = data.Batches(X, y, batch_size=100, generator=torch.Generator().manual_seed(seed))
    fit(net, batches, loss_fn=loss, optimizer=torch.optim.Adam(net.parameters(), lr=0.003), epochs=epochs)
    return net


def probability(net, X):
    with torch.no_grad():
        return torch.sigmoid(net(X)[:, 0])  # (n,)


net = train_detector(X_train, y_train, [784, 32, 1], seed=0)
p_val, p_test = probability(net, X_val), probability(net, X_test)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Accuracy** is the share of right answers. We say yes where the probability is at least one half.

# %% slideshow={"slide_type": "skip"}
called = (p_test >= 0.5).long()
print(f"accuracy on the test set: {(called == y_test).double().mean():.0%}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("11.found")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
print("eights found:", called[y_test == 1].sum().item(), "of", y_test.sum().item())
always_no = torch.zeros_like(y_test)
print(f"accuracy of a program that always says no: {(always_no == y_test).double().mean():.1%}")

# %% slideshow={"slide_type": "skip"}
assert 50 < called[y_test == 1].sum() < 130

# %% [markdown] slideshow={"slide_type": "fragment"}
# The detector misses about half of what it was made for. And a program of one line, `return 0`, is right 98% of the time.
#
# Misconception: *"99% accuracy is good."* **Accuracy means nothing without the accuracy of the dullest answer**, which is the share of the largest class. Write the two side by side, always. If one class is rare, accuracy is a number about the other one.
#
# And a network can really end there: with tanh in place of ReLU the same training gave, in three trials of three, a network that **never** said yes.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 2 · Two ways to be right, two ways to be wrong
#
# One number cannot tell a miss from a false alarm. So count them apart. There are four cases:
#
# | | said no | said yes |
# |---|---|---|
# | **is no** | true negative, TN | false positive, FP (false alarm) |
# | **is yes** | false negative, FN (miss) | true positive, TP (hit) |
#
# The second word is what was **said**, the first whether that was **true**. Ten examples by hand:

# %% slideshow={"slide_type": "fragment"}
y = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
y_hat = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 0])
tn, fp = ((y == 0) & (y_hat == 0)).sum(), ((y == 0) & (y_hat == 1)).sum()
fn, tp = ((y == 1) & (y_hat == 0)).sum(), ((y == 1) & (y_hat == 1)).sum()
print(f"TN {tn}  FP {fp}\nFN {fn}  TP {tp}")

# %% [markdown] slideshow={"slide_type": "notes"}
# This table is the **confusion matrix**: row = true class, column = predicted class, in each cell how often. On the diagonal stands what was right. It works for any number of classes $k$; with three, row 0 and column 2 say how often a 0 was taken for a 2.
#
# (Some books turn it round. Look at the row sums: here they are how often each class **occurs**.)
#
# **Exercise [11.confusion_matrix](exercises/11_evaluation.ipynb)** ● For any $k$. Write it before you read on.

# %% [markdown] slideshow={"slide_type": "notes"}
# A short way: number the cells of the table one by one, row after row. True class $i$ and predicted class $j$ belong to cell $k \cdot i + j$. Count how often each cell number occurs (`torch.bincount`), and fold the list into a table. Below it stands beside scikit-learn's, and then judges the detector:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def confusion_matrix(y, y_hat, k):
    """Rows: true class, columns: predicted class."""
    cell = k * y.long() + y_hat.long()  # (n,)
    return torch.bincount(cell, minlength=k * k).reshape(k, k)


print("ten examples:\n", confusion_matrix(y, y_hat, 2))
print("largest difference to scikit-learn:",
      abs(confusion_matrix(y, y_hat, 2).numpy() - sk.confusion_matrix(y, y_hat)).max())
print("the detector on the test set:\n", confusion_matrix(y_test, called, 2))

# %% slideshow={"slide_type": "skip"}
assert confusion_matrix(y, y_hat, 2).tolist() == sk.confusion_matrix(y, y_hat).tolist() == [[5, 1], [1, 3]]
assert confusion_matrix(y_test, called, 2)[0, 1] < 40 < 50 < confusion_matrix(y_test, called, 2)[1, 0]

# %% [markdown] slideshow={"slide_type": "fragment"}
# Now it is plain: next to no false alarms, and misses in droves. The network is shy of saying yes.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 3 · Four questions
#
# Each share of the table answers a question of its own. From the ten examples (TP 3, FP 1, FN 1, TN 5):
#
# | | question | formula | by hand |
# |---|---|---|---|
# | **recall** | of all that are yes, how many were found? | TP / (TP + FN) | 3/4 |
# | **precision** | of all called yes, how many are? | TP / (TP + FP) | 3/4 |
# | **specificity** | of all that are no, how many were left alone? | TN / (TN + FP) | 5/6 |
# | **accuracy** | of all, how many are right? | (TP + TN) / n | 8/10 |
#
# Recall and specificity are shares of a **row**, precision of a **column**. (Recall is also called sensitivity or true positive rate.)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Say yes to everything: recall 1, precision poor. Say yes once, where you are surest: precision perhaps 1, recall next to 0. **F1** wants both. It is the harmonic mean of precision $P$ and recall $R$:
#
# $$F_1 = \frac{2PR}{P + R} = \frac{2\,\text{TP}}{2\,\text{TP} + \text{FP} + \text{FN}}$$
#
# For $P = 1$ and $R = 0.1$ the ordinary mean is 0.55, the harmonic mean only 0.18: it stays near the **smaller** of the two.
#
# What if nothing is called yes? Then precision is 0/0. We call it 0, and so does scikit-learn (it warns).

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def rates(y, y_hat):
    """Accuracy, precision, recall, specificity, F1 of a yes/no classifier; 0/0 counts as 0."""
    tn, fp, fn, tp = confusion_matrix(y, y_hat, 2).flatten().tolist()

    def share(part, whole):
        return part / whole if whole else 0.0

    return {"accuracy": share(tp + tn, len(y)), "precision": share(tp, tp + fp), "recall": share(tp, tp + fn),
            "specificity": share(tn, tn + fp), "f1": share(2 * tp, 2 * tp + fp + fn)}


def show(values):
    return "  ".join(f"{name} {value:.2f}" for name, value in values.items())


print("ten examples:", show(rates(y, y_hat)))
print("detector    :", show(rates(y_test, called)))
print("always no   :", show(rates(y_test, always_no)))

# %% slideshow={"slide_type": "skip"}
assert show(rates(y, y_hat)) == "accuracy 0.80  precision 0.75  recall 0.75  specificity 0.83  f1 0.75"
assert rates(y_test, called)["precision"] > 0.8 and 0.3 < rates(y_test, called)["recall"] < 0.7
theirs = [sk.accuracy_score(y_test, called), sk.precision_score(y_test, called), sk.recall_score(y_test, called),
          sk.recall_score(y_test, called, pos_label=0), sk.f1_score(y_test, called)]
ours = list(rates(y_test, called).values())
assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-12

# %% [markdown] slideshow={"slide_type": "subslide"}
# "Always no" has a specificity of 1 and a recall of 0. Nobody is fooled any more. (All five are scikit-learn's numbers; specificity is for it the recall of the class "no".)
#
# ### A doctor's data
#
# scikit-learn brings 569 tumours, each with 30 measurements of its cells; 212 are malignant. One neuron is network enough. Which class is positive is **your** decision. Here it must be the malignant ones, for those are looked for. In the file malignant is class 0! Whoever forgets to turn it round measures how well *harmless* tumours are found.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
cancer = load_breast_cancer()
measured, malignant = torch.tensor(cancer.data).float(), torch.tensor(cancer.target == 0).long()  # (569, 30), (569,)
order = torch.randperm(569, generator=torch.Generator().manual_seed(1))
rows_train, rows_test = order[:369], order[369:]
mean, std = measured[rows_train].mean(0), measured[rows_train].std(0)  # of the training part only: lesson 09
measured = (measured - mean) / std
doctor = train_detector(measured[rows_train], malignant[rows_train], [30, 1], seed=0, epochs=60)
y_tumour, p_tumour = malignant[rows_test], probability(doctor, measured[rows_test])  # (200,), (200,)
print(confusion_matrix(y_tumour, p_tumour >= 0.5, 2))
print("malignant is positive:", show(rates(y_tumour, p_tumour >= 0.5)))
print("benign is positive   :", show(rates(1 - y_tumour, p_tumour < 0.5)))

# %% slideshow={"slide_type": "skip"}
assert rates(y_tumour, p_tumour >= 0.5)["recall"] > 0.88 and rates(y_tumour, p_tumour >= 0.5)["specificity"] > 0.94

# %% [markdown] slideshow={"slide_type": "fragment"}
# The same answers, the same accuracy; recall and specificity change places, and precision and F1 become other numbers. **Say which class is positive.** Otherwise the numbers say nothing.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### How rare is it where you use it?

# %% slideshow={"show": "output"}
explore.predict("11.prevalence")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Think of 1,000 people. One is ill, and the test will find that one (90% of the time). 999 are well, and at 5% of them, 50 people, the alarm goes off too. So one alarm in 51 or so is right. In general, with recall $R$, specificity $S$ and share of positives $\pi$:
#
# $$\text{precision} = \frac{R\,\pi}{R\,\pi + (1 - S)(1 - \pi)}$$

# %% slideshow={"slide_type": "subslide", "show": "output"}
share = torch.logspace(-4, math.log10(0.5), 200)  # how many are positive
fig, ax = plt.subplots()
for specificity, color in ((0.95, "class3"), (0.99, "class1"), (0.999, "class0")):
    precision = 0.9 * share / (0.9 * share + (1 - specificity) * (1 - share))
    ax.plot(share, precision, color=plotting.COLORS[color], label=f"specificity {specificity:.1%}")
ax.set(xscale="log", xlabel="share of positives", ylabel="precision", ylim=(0, 1.05))
ax.set_title("The same test, other people: another precision")
ax.legend(loc="upper left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Precision over the share of positives, for three tests that all find 90%. All three curves climb from below 0.1 on the left to above 0.9 on the right. With a specificity of 95% precision is 2% at 1 in 1,000 and 95% at 1 in 2.
#
# Recall and specificity belong to the test, as long as the ill and the well stay of the same kind. **Precision belongs to the test and to the world in which it is used.** A detector judged on a half-and-half test set will disappoint in a world of 1 : 50.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 4 · Many classes, one number
#
# With ten digits each class in turn plays "yes". So there are ten precisions, ten recalls, ten F1. Three ways to make one number of them; for recall:
#
# - **macro**: the mean over the classes. A rare class counts as much as a common one.
# - **weighted**: the mean over the classes, each counted as often as it occurs.
# - **micro**: add up all hits, then divide once. Each example counts the same.

# %% [markdown] slideshow={"slide_type": "fragment"}
# By hand: class A occurs 90 times and 81 are right; class B occurs 10 times and 2 are right. Recalls: 0.9 and 0.2. Macro: 0.55. Weighted: $0.9 \cdot 0.9 + 0.1 \cdot 0.2 = 0.83$. Micro: $83/100 = 0.83$.
#
# **Exercise [11.precision_recall_f1](exercises/11_evaluation.ipynb)** ●● The macro averages. Write it before you read on.

# %% [markdown] slideshow={"slide_type": "notes"}
# In the function below, watch what is divided by what: the diagonal by the column sums (precision) and by the row sums (recall). And macro F1 is the mean of the F1s, **not** the F1 of the mean precision and the mean recall.

# %% tags=["long"] slideshow={"slide_type": "subslide", "show": "output"}
def precision_recall_f1(y, y_hat, k, average="macro"):
    """Three numbers; for average=None three tensors (k,), one number a class. 0/0 counts as 0."""
    C = confusion_matrix(y, y_hat, k).double()
    hits, predicted, true = C.diagonal(), C.sum(dim=0), C.sum(dim=1)  # (k,) each
    if average == "micro":
        hits, predicted, true = hits.sum(), predicted.sum(), true.sum()

    def ratio(part, whole):
        return torch.where(whole > 0, part / whole.clamp(min=1), 0.0)

    three = ratio(hits, predicted), ratio(hits, true), ratio(2 * hits, predicted + true)
    if average is None:
        return three
    if average == "micro":
        return tuple(r.item() for r in three)
    weights = true / true.sum() if average == "weighted" else torch.full((k,), 1 / k, dtype=torch.float64)
    return tuple((weights * r).sum().item() for r in three)


y = torch.tensor([0] * 90 + [1] * 10)
y_hat = torch.tensor([0] * 81 + [1] * 9 + [1] * 2 + [0] * 8)
for average in ("macro", "weighted", "micro"):
    three = precision_recall_f1(y, y_hat, 2, average)
    theirs = sk.precision_recall_fscore_support(y, y_hat, average=average)[:3]
    gap = max(abs(a - b) for a, b in zip(three, theirs, strict=True))
    print(f"{average:8} precision {three[0]:.2f}  recall {three[1]:.2f}  F1 {three[2]:.2f}  difference to scikit-learn {gap:.9f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Micro gives three times 0.83, which is the accuracy. No wonder: with one answer for each example every false alarm of one class is a miss of another, so micro precision = micro recall = accuracy. (Weighted recall is the accuracy too.) If the rare class matters, **macro** is the one that cries out.
#
# Now a network for all ten digits, trained on 1,000 images only. It will serve for the rest of the lesson. Here are its ten precisions, recalls and F1s.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def train_digits(hidden, seed):
    """A network for ten digits, trained for 40 epochs on the first 1,000 training images."""
    torch.manual_seed(seed)
    net = MLP([784, hidden, 10])
    batches = data.Batches(X_all[:1000], digits_all[:1000], batch_size=50, generator=torch.Generator().manual_seed(seed))
    fit(net, batches, loss_fn=F.cross_entropy, optimizer=torch.optim.Adam(net.parameters(), lr=0.003), epochs=40)
    return net


reader = train_digits(128, seed=0)
with torch.no_grad():
    z_digits = reader(X_digits)  # (10000, 10)
said = z_digits.argmax(dim=1)
precision, recall, f1 = precision_recall_f1(y_digits, said, 10, average=None)
for name, values in {"precision": precision, "recall": recall, "F1": f1}.items():
    print(f"{name:10}", "  ".join(f"{v:.2f}" for v in values), f"  macro {values.mean():.3f}")
print(f"accuracy = micro: {precision_recall_f1(y_digits, said, 10, 'micro')[1]:.3f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Since MNIST has about as many of each digit, the macro average and the accuracy nearly agree here; the single digits do not. The ones are found nearly always, the worst digits in four cases of five. **Before you average, look at the list.** And then look at what is taken for what:

# %% slideshow={"slide_type": "subslide", "show": "output"}
assert 0.86 < (said == y_digits).double().mean() < 0.905 and recall.max() > 0.95 and recall.min() < 0.84
C = confusion_matrix(y_digits, said, 10)
mistakes = C - torch.diag(C.diagonal())
fig, ax = plt.subplots(figsize=(6.6, 5.6))
image = ax.imshow(mistakes, cmap=plotting.SEQUENTIAL)
for i in range(10):
    for j in range(10):
        bright = mistakes[i, j] > 0.6 * mistakes.max()
        ax.text(j, i, mistakes[i, j].item() or "", ha="center", va="center", color="black" if bright else "white", fontsize=12)
ax.set(xticks=range(10), yticks=range(10), xlabel="said", ylabel="is", title="Which digits are taken for which")
ax.grid(False)
fig.colorbar(image, label="test images");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A table of ten rows (what the digit is) and ten columns (what was said), with the right answers on the diagonal left out. Most cells are dark. A few are bright: a 3 is taken for a 5 (the brightest), a 4 for a 9, a 9 for a 7.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 5 · A score and a threshold
#
# A detector does not say yes or no. It gives a **score** (a probability, a logit: the larger, the more yes), and somebody says yes from some **threshold** on. That we took 0.5 was nobody's decision. Here are the logits of our detector; a probability of 0.5 is logit 0.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
z_test = torch.logit(p_test.double())  # (9180,)
top = z_test == z_test.max()
print(f"largest logit {z_test.max():.3f}, reached by {top.sum()} images, {y_test[top].sum()} of them eights")
print(f"bias of the last layer {net.layers[1].bias.item():.3f}")
fig, ax = plt.subplots()
edges = torch.linspace(-20, 2, 45)
for k, name in enumerate(("other digits", "eights")):
    ax.hist(z_test[y_test == k].clamp(min=-20), edges, color=plotting.COLORS[f"class{k}"], alpha=0.65, label=name)
ax.axvline(0, color=plotting.COLORS["boundary"], ls="--", label="threshold 0.5")
ax.set(yscale="log", xlabel="logit (what is below −20 is drawn at −20)", ylabel="test images", ylim=(0.7, 3e4))
ax.set_title("The threshold 0.5 cuts the eights in two")
ax.legend(loc="upper left", ncols=3);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two histograms over the logit, with a logarithmic count. The many other digits form a broad hill from −20 up to about −1. The eights lie at the right edge: half of them in the one bar right of the dashed line at 0, the other half trailing off to the left, into the hill.
#
# Move the line to the left: more hits, **and** more false alarms. Neither ever falls while the line moves left. There is no threshold without a price.

# %% [markdown] slideshow={"slide_type": "notes"}
# Why does nothing lie further right? Look at the two lines above the picture:

# %% slideshow={"slide_type": "skip"}
assert top.sum() > 15 and abs(z_test.max() - net.layers[1].bias.item()) < 1e-4

# %% [markdown] slideshow={"slide_type": "notes"}
# Dozens of eights share **exactly** one score, and it is the last bias. These images switch off all 32 hidden units. The network has learned reasons for "no", and where it finds none it says, rather undecidedly, "yes". That made sense while training: nearly everything was a no. (Four other seeds did the same, with 71 to 79 images each.) Such **ties** are real, and the next sections must treat them properly.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 6 · All thresholds at once: the ROC curve
#
# Let the threshold fall from above all scores to below all. At each stop note two shares: the **true positive rate** TPR (recall) and the **false positive rate** FPR, the share of negatives that raise an alarm (1 − specificity). TPR over FPR is the **ROC curve** (*receiver operating characteristic*, from radar).
#
# By hand, five examples in order of their scores: 0.9 yes, 0.8 yes, 0.7 no, 0.4 yes, 0.2 no. With 3 yes and 2 no every yes is a step **up** by 1/3, every no a step to the **right** by 1/2:
#
# (0, 0) → (0, ⅓) → (0, ⅔) → (½, ⅔) → (½, 1) → (1, 1).

# %% [markdown] slideshow={"slide_type": "notes"}
# And **ties**? If a yes and a no have the same score, no threshold can come between them. They are passed in **one** step, a slanted one. Whoever takes them one after the other gets a curve that depends on how the file was sorted.
#
# **Exercise [11.roc_curve](exercises/11_evaluation.ipynb)** ●●● One point for each different score. Write it before you read on.

# %% [markdown] slideshow={"slide_type": "notes"}
# In our version `sweep` sorts once, counts on the way down (`cumsum` is the running sum), and of equal scores keeps only the last:

# %% slideshow={"slide_type": "skip"}
def sweep(y, scores):
    """Thresholds from inf down through each different score, with the hits and false alarms at each."""
    order = scores.argsort(descending=True)
    y, scores = y[order].double(), scores[order].double()
    last = torch.cat([scores.diff() != 0, torch.ones(1, dtype=torch.bool)])  # the last of each run of equals
    start = torch.zeros(1, dtype=torch.float64)
    tp, fp = y.cumsum(0)[last], (1 - y).cumsum(0)[last]
    return torch.cat([start + math.inf, scores[last]]), torch.cat([start, tp]), torch.cat([start, fp])


def roc_curve(y, scores):
    _, tp, fp = sweep(y, scores)
    return fp / fp[-1], tp / tp[-1]


y, scores = torch.tensor([1, 1, 0, 1, 0]), torch.tensor([0.9, 0.8, 0.7, 0.4, 0.2])
print("points:", [(round(a, 2), round(b, 2)) for a, b in zip(*(t.tolist() for t in roc_curve(y, scores)), strict=True)])
tied = torch.tensor([0.9, 0.7, 0.7, 0.4, 0.4])
print("ties  :", [(round(a, 2), round(b, 2)) for a, b in zip(*(t.tolist() for t in roc_curve(y, tied)), strict=True)])

# %% slideshow={"slide_type": "subslide", "show": "output"}
fig, ax = plt.subplots(figsize=(6, 5.4))
ax.plot(*roc_curve(y, scores), "o-", color=plotting.COLORS["class0"], label="five different scores")
ax.plot(*roc_curve(y, tied), "s--", color=plotting.COLORS["class1"], label="with ties")
ax.plot([0, 1], [0, 1], ":", color=plotting.COLORS["muted"], label="scores by chance")
ax.set(xlabel="false positive rate", ylabel="true positive rate", title="Up for a yes, right for a no")
ax.legend(loc="lower right");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A staircase from the lower left corner to the upper right one: two steps up, one to the right, one up, one to the right. The dashed line with ties cuts the corners with slanted pieces. The dotted diagonal is what scores by chance give: of both classes the same share is called yes.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### The area is a probability
#
# The **area under the curve**, AUC, is 1 if all yes come before all no, 0.5 by chance. On our staircase it is $\frac12 \cdot \frac23 + \frac12 \cdot 1 = \frac56$.
#
# Now count pairs of a yes and a no: 3 × 2 = 6. In how many has the yes the larger score? 0.9 and 0.8 beat both no's (4 pairs); 0.4 beats 0.2 (1 pair) and loses to 0.7. **5 of 6.** That is no accident:
#
# > **AUC is the probability that a random yes gets a larger score than a random no** (equal scores count one half).

# %% [markdown] slideshow={"slide_type": "notes"}
# The area is made of columns, one for each no, and the height of the column is the share of yes above it.
#
# **Exercise [11.auc](exercises/11_evaluation.ipynb)** ●● By ranking, ties count half. Write it before you read on.

# %% [markdown] slideshow={"slide_type": "notes"}
# Comparing all pairs would take $n^2$ numbers. `torch.searchsorted` says for each yes how many of the sorted no's lie below it; asked twice, it tells apart "below" and "below or equal", and the mean of the two counts ties half.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def auc(y, scores):
    """How often a random yes beats a random no; nan if one of them does not occur."""
    no, yes = scores[y == 0].double().sort().values, scores[y == 1].double()
    if len(no) == 0 or len(yes) == 0:
        return math.nan
    below, up_to = torch.searchsorted(no, yes), torch.searchsorted(no, yes, right=True)
    return ((below + up_to).double().mean() / (2 * len(no))).item()


fpr, tpr = roc_curve(y, scores)
print("by ranking   ", round(auc(y, scores), 6), " with ties", round(auc(y, tied), 6))
print("by area      ", round(torch.trapezoid(tpr, fpr).item(), 6))
print("scikit-learn ", round(sk.roc_auc_score(y, scores), 6), " with ties", round(sk.roc_auc_score(y, tied), 6))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Only the **order** counts. Logits or probabilities: the same AUC. Even a raw measurement has one, and no network is needed. Here are the tumours by single columns:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
for name, scores in {"the network, probability": p_tumour, "the network, logit": torch.logit(p_tumour.double()),
                     "mean radius alone": measured[rows_test, 0], "mean smoothness alone": measured[rows_test, 4]}.items():
    print(f"{name:25} AUC {auc(y_tumour, scores):.3f}")
print(f"{'the eight detector':25} AUC {auc(y_test, p_test):.3f}")

# %% slideshow={"slide_type": "skip"}
assert auc(y_tumour, p_tumour) > 0.97 and 0.88 < auc(y_tumour, measured[rows_test, 0]) < 0.98
assert 0.955 < auc(y_test, p_test) < 0.99

# %% [markdown] slideshow={"slide_type": "fragment"}
# The radius alone ranks 19 of 20 pairs rightly. Thirty measurements and a network raise that to 99 in 100. Measure the simple thing first; it tells you what the network is worth.
#
# And the detector of eights: a random eight beats a random other digit in about 98 of 100 cases. Splendid?

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 7 · When yes is rare
#
# The **precision–recall curve** runs through the same thresholds and draws precision over recall. For the five examples of before: after the first yes precision 1 and recall ⅓; then 1 and ⅔; after the no ⅔ and ⅔; then ¾ and 1; then ⅗ and 1. The curve starts, by convention, at precision 1 and recall 0.
#
# Its summary is the **average precision**, AP: at each stop the precision, times the recall that this stop has added. By hand: $1 \cdot \frac13 + 1 \cdot \frac13 + \frac34 \cdot \frac13 = 0.92$. Scores by chance have a precision of $\pi$, the share of positives, at every threshold. So the AP of chance is $\pi$, not ½.

# %% slideshow={"slide_type": "skip"}
def precision_recall_curve(y, scores):
    _, tp, fp = sweep(y, scores)
    precision = tp / (tp + fp)
    precision[0] = 1.0  # nobody was called: 0/0, and 1 by convention
    return precision, tp / tp[-1]


def average_precision(y, scores):
    precision, recall = precision_recall_curve(y, scores)
    return (recall.diff() * precision[1:]).sum().item()


scores = torch.tensor([0.9, 0.8, 0.7, 0.4, 0.2])
print("average precision", round(average_precision(y, scores), 6), " scikit-learn", round(sk.average_precision_score(y, scores), 6))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now take two test sets for the same detector: the one we have, 1 : 50, and one with the same 180 eights but only 180 other digits, 1 : 1.

# %% slideshow={"show": "output"}
explore.predict("11.rare_curves")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
half = torch.cat([torch.nonzero(y_test == 1)[:, 0],
                  torch.nonzero(y_test == 0)[:, 0][torch.randperm(9000, generator=torch.Generator().manual_seed(0))[:180]]])
fig, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
results = {}
for name, rows, color, line in (("1 : 1", half, "class0", "--"), ("1 : 50", torch.arange(9180), "class1", "-")):
    answers, p = y_test[rows], p_test[rows]
    precision, recall = precision_recall_curve(answers, p)
    axes[0].plot(*roc_curve(answers, p), line, color=plotting.COLORS[color], label=name)
    axes[1].plot(recall, precision, line, color=plotting.COLORS[color], label=name, drawstyle="steps-pre")
    stop = int((recall >= 0.9).nonzero()[0])  # the first threshold that finds nine of ten
    results[name] = auc(answers, p), average_precision(answers, p), precision[stop].item()
    print(f"{name:6}  AUC {results[name][0]:.3f}   AP {results[name][1]:.2f}   precision where recall is 90%: {results[name][2]:.0%}")
axes[0].set(xlabel="false positive rate", ylabel="true positive rate", title="ROC does not see that yes is rare")
axes[1].set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05), title="Precision–recall does")
axes[0].legend(loc="lower right")
axes[1].legend(loc="lower left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Left, two ROC curves that lie on each other, close to the upper left corner. Right, precision over recall: for 1 : 1 the curve stays near 1 almost to the end; for 1 : 50 it bends down early and is far below at high recall. It is drawn in steps: the area under the steps is the AP.

# %% slideshow={"slide_type": "skip"}
assert abs(results["1 : 1"][0] - results["1 : 50"][0]) < 0.02 and results["1 : 1"][1] > 0.95
assert 0.7 < results["1 : 50"][1] < 0.92 and results["1 : 1"][2] > 0.85 and results["1 : 50"][2] < 0.6

# %% [markdown] slideshow={"slide_type": "subslide"}
# The AUC is the same up to chance. The average precision is not, and to find nine of ten eights at 1 : 50 one has to live with most alarms being false.
#
# Misconception: *"AUC 0.98, so it works."* FPR is a share of the negatives, and at 1 : 50 a small share is a large crowd: 4% of 9,000 are 360 false alarms, against 162 hits. ROC answers "how well are the two classes told apart?", whatever their sizes. Precision–recall answers "what do I get if I act on the alarms, **here**?" When yes is rare, look at the second. (And compare APs only at the same share of positives.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 9}
# ## 8 · A threshold has a price
#
# Which threshold, then? Say what mistakes cost. Let a false alarm cost 1 (somebody looks) and a miss 50 (a lost letter). The total is
#
# $$\text{cost} = 1 \cdot \text{FP} + 50 \cdot \text{FN}.$$
#
# If the probabilities can be believed, theory gives the answer. Calling an example with probability $p$ yes costs $1 \cdot (1 - p)$ on average, calling it no costs $50 \cdot p$. Yes is cheaper from
#
# $$p = \frac{c_\text{FP}}{c_\text{FP} + c_\text{FN}} = \frac{1}{51} \approx 0.02 .$$
#
# With equal costs that is 0.5. **The threshold 0.5 is right only if both mistakes cost the same** (and the probabilities are true).

# %% [markdown] slideshow={"slide_type": "subslide"}
# If one would rather not believe the probabilities: try all thresholds on labelled data and take the cheapest. By hand with the five examples (yes yes no yes no), a false alarm 1, a miss 2:
#
# | yes from | never | 0.9 | 0.8 | 0.7 | 0.4 | 0.2 |
# |---|---|---|---|---|---|---|
# | misses, false alarms | 3, 0 | 2, 0 | 1, 0 | 1, 1 | 0, 1 | 0, 2 |
# | cost | 6 | 4 | 2 | 3 | **1** | 2 |
#
# "Never" is a threshold too; do not forget it.
#
# **Exercise [11.best_threshold](exercises/11_evaluation.ipynb)** ●● From answers, scores and the two costs. Write it before you read on.

# %% slideshow={"slide_type": "skip"}
def best_threshold(y, scores, cost_fp, cost_fn):
    """The cheapest threshold: a score, or inf for "never". Of equally cheap ones the highest."""
    thresholds, tp, fp = sweep(y, scores)
    cost = cost_fp * fp + cost_fn * (tp[-1] - tp)
    return thresholds[cost.argmin()].item()


def cost(y, scores, threshold, cost_fp=1, cost_fn=50):
    (_, fp), (fn, _) = confusion_matrix(y, scores >= threshold, 2).tolist()
    return cost_fp * fp + cost_fn * fn


print("five examples:", round(best_threshold(y, scores, 1, 2), 2))

# %% [markdown] slideshow={"slide_type": "subslide"}
# On which data? A threshold is a choice, and choices are made on the **validation set** (lesson 09). On the test set it would fit the test set's chance, and the reported cost would be too low.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
chosen = best_threshold(y_val, p_val, 1, 50)
prices = {"always no": math.inf, "always yes": 0.0, "0.5": 0.5, "1/51, by theory": 1 / 51, "chosen on validation": chosen,
          "chosen on the test set": best_threshold(y_test, p_test, 1, 50)}
test_costs = {name: cost(y_test, p_test, threshold) for name, threshold in prices.items()}
for name, threshold in prices.items():
    (_, fp), (fn, _) = confusion_matrix(y_test, p_test >= threshold, 2).tolist()
    print(f"{name:23} threshold {threshold:6.4f}: {fn:3} misses, {fp:4} false alarms, cost {test_costs[name]:5}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
assert test_costs["0.5"] > 2 * max(test_costs["1/51, by theory"], test_costs["chosen on validation"])
assert test_costs["chosen on the test set"] == min(test_costs.values()) and test_costs["always no"] == test_costs["always yes"] == 9000
grid = torch.logspace(-5, -0.005, 150, dtype=torch.float64)
fig, ax = plt.subplots()
for name, y_part, p_part, color in (("validation", y_val, p_val, "validation"), ("test", y_test, p_test, "test")):
    each = [cost(y_part, p_part, t) / len(y_part) for t in grid.tolist()]
    ax.plot(grid, each, color=plotting.COLORS[color], label=name)
ax.axvline(1 / 51, color=plotting.COLORS["muted"], ls=":", label="1/51")
ax.axvline(0.5, color=plotting.COLORS["muted"], ls="--", label="0.5")
ax.set(xscale="log", xlabel="threshold", ylabel="cost per image", title="Dear misses want a low threshold", ylim=(0, 1))
ax.legend(loc="upper left");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Cost per image over the threshold (logarithmic), on validation and test data. Both curves are valleys with a broad floor between about 0.005 and 0.1. The line at 1/51 stands on the floor, the line at 0.5 high on the right slope.

# %% [markdown] slideshow={"slide_type": "notes"}
# Nothing was trained anew, and the cost fell to about a third. The threshold of theory and the one chosen on validation data do about equally well, because the valley has a broad floor. The one chosen on the test set itself is cheapest, of course. It is also the one number in this table that cannot be trusted.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: where to draw the line
#
# *What does a threshold buy, and what does it cost?* Two bell curves of scores. Move the threshold and the distance, make the positives rare, and set what a miss and a false alarm cost.
#
# - **Try** positives 1 in 50: find more than 80% of them with an accuracy **below** that of always saying no.
# - **Then** get the recall above 95% with as few false alarms as you can.
# - **Notice** what changes when positives become rare and nothing else: the ROC curve does not, the other one does.
# - **Challenge:** let a miss cost at least ten times a false alarm, and find the cheapest threshold while its curve is hidden.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.threshold()

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two hills of scores, one for each class, with the threshold as a line between them, and the four counts that follow from it. Two curves, ROC and precision against recall, each with a mark where the threshold stands. The rates, and the total cost, in numbers. (Any scores can be put under it; the detector's with `explore.threshold(z_test, y_test)`.)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 9 · Weighted loss or moved threshold?
#
# In lesson 05 we made rare examples count more in the loss. Is that better than moving the threshold? Both can say "a miss is 50 times as bad". Same data, same network, three seeds; `pos_weight` 50 against no weights. (Eight seconds.)

# %% slideshow={"show": "output"}
explore.predict("11.weighted")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def trained(seed, weight):
    """Probabilities on validation and test data, after training on 200 eights and 10,000 others."""
    net = train_detector(*rare_eights(X_all[:50000], digits_all[:50000], 200, seed), [784, 32, 1], seed, weight)
    return probability(net, X_val), probability(net, X_test)


def judged(results, threshold=None):
    """Test cost for each seed, at a given threshold or at the one that is cheapest on validation data."""
    return [cost(y_test, p, best_threshold(y_val, q, 1, 50) if threshold is None else threshold) for q, p in results]


plain = [(p_val, p_test), trained(1, 1.0), trained(2, 1.0)]  # seed 0 is the detector that we have
heavy = [trained(seed, 50.0) for seed in range(3)]
table = {"plain, 0.5": judged(plain, 0.5), "plain, 1/51": judged(plain, 1 / 51), "plain, chosen": judged(plain),
         "weighted, 0.5": judged(heavy, 0.5), "weighted, chosen": judged(heavy)}
for name, costs in table.items():
    print(f"{name:17} cost {costs}, mean {sum(costs) / 3:.0f}")
for name, results in {"plain": plain, "weighted": heavy}.items():
    mean_p = [f"{p.double().mean():.1%}" for _, p in results]
    print(f"{name:9} AUC {[round(auc(y_test, p), 3) for _, p in results]}, mean probability {mean_p}")

# %% slideshow={"slide_type": "skip"}
assert all(2 * b < a for a, b in zip(table["plain, 0.5"], table["weighted, 0.5"], strict=True))
assert sum(table["plain, chosen"]) < sum(table["weighted, chosen"]) * 1.05
assert sum(table["plain, 1/51"]) < sum(table["weighted, 0.5"]) * 1.05
assert all(auc(y_test, q[1]) > auc(y_test, p[1]) - 0.01 for q, p in zip(plain, heavy, strict=True))
assert all(p.mean() < 0.025 for _, p in plain) and all(p.mean() > 0.03 for _, p in heavy)

# %% [markdown] slideshow={"slide_type": "fragment"}
# Against the plain network at 0.5 the weights are a great help. Against the plain network **with its threshold moved** they are not: here it was a little cheaper in all three seeds. And its mean probability is nearer to the truth, 180/9180 = 2.0%: it says 1.2% to 2.0%, the weighted network 4% to 7%.
#
# This is no law. The weighted loss shapes the whole training; a network that was stopped after five epochs at a smaller learning rate ranked **better** with weights in our trials (AUC about 0.96 against 0.90). But know the order: first move the threshold, which costs nothing and can be changed tomorrow when the prices change; then see whether weights add something.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 10 · Can the probabilities be believed?
#
# The reader of digits gives softmax probabilities. The largest of them is its **confidence**. If it says "90% sure" a hundred times, it should be right about 90 times. Then it is **calibrated**.
#
# Misconception: *"softmax gives the probability of being right."* It gives positive numbers that add up to 1. Whether they are probabilities of anything has to be measured.

# %% slideshow={"slide_type": "fragment", "show": "output"}
confidence, answer = torch.softmax(z_digits, dim=1).max(dim=1)  # (10000,), (10000,)
correct = (answer == y_digits).double()
sure = confidence > 0.99
print(f"sure on average: {confidence.mean():.0%}   right: {correct.mean():.0%}")
print(f"'more than 99% sure' is said in {sure.double().mean():.0%} of all cases, and then it is right {correct[sure].mean():.0%} of the time")

# %% [markdown] slideshow={"slide_type": "subslide"}
# It is too sure. Let us see where: sort the answers by confidence into ten **bins** of equal width, and compare in each bin the mean confidence with the share of right answers. The mean distance, each bin weighted by how many answers it holds, is the **expected calibration error**, ECE (Naeini and others, 2015).
#
# By hand, two bins. Five answers: confidence 0.6, 0.7, 0.8, 0.9, 1.0; wrong, right, right, right, wrong. All lie in the upper bin: mean confidence 0.8, right 0.6. ECE = 0.2. Add five answers with confidence 0.4, two of them right: that bin has distance 0, and the ECE becomes $\frac{5}{10} \cdot 0.2 + \frac{5}{10} \cdot 0 = 0.1$.

# %% [markdown] slideshow={"slide_type": "notes"}
# Edges need a rule: a confidence on an edge belongs to the bin below (so does scikit-learn). Empty bins have no mean (`nan`), and do not count.
#
# **Exercise [11.calibration_error](exercises/11_evaluation.ipynb)** ●●● Any number of bins. Write it before you read on.

# %% slideshow={"slide_type": "fragment", "show": "output"}
def reliability(confidence, correct, bins=10):
    """For each bin: mean confidence, share right, number of answers."""
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    which = torch.bucketize(confidence.double(), edges[1:-1])  # (n,): 0 to bins - 1
    members = F.one_hot(which, bins).double()  # (n, bins)
    count = members.sum(dim=0)
    return confidence.double() @ members / count, correct.double() @ members / count, count.long()


def calibration_error(confidence, correct, bins=10):
    sure, right, count = reliability(confidence, correct, bins)
    return ((count * (sure - right).abs()).nansum() / count.sum()).item()


by_hand = torch.tensor([0.6, 0.7, 0.8, 0.9, 1.0, 0.4, 0.4, 0.4, 0.4, 0.4]), torch.tensor([0, 1, 1, 1, 0, 1, 1, 0, 0, 0])
print("by hand:", round(calibration_error(by_hand[0][:5], by_hand[1][:5], bins=2), 3), round(calibration_error(*by_hand, bins=2), 3))
sure, right, count = reliability(confidence, correct)
theirs = calibration_curve(correct, confidence, n_bins=10)  # share right and mean confidence, without the empty bins
gaps = [(a[count > 0] - torch.tensor(b)).abs().max() for a, b in zip((right, sure), theirs, strict=True)]
print(f"largest difference to scikit-learn: {max(gaps):.9f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
def draw_reliability(ax, confidence, correct, title):
    sure, right, count = reliability(confidence, correct)
    ax.plot([0, 1], [0, 1], ":", color=plotting.COLORS["muted"])
    ax.plot(sure[count > 0], right[count > 0], color=plotting.COLORS["class0"])
    ax.scatter(sure, right, s=20 + 0.06 * count, color=plotting.COLORS["class0"])
    ax.set(xlabel="confidence", ylabel="share right", xlim=(0, 1.03), ylim=(0, 1.03), title=title)


fig, ax = plt.subplots(figsize=(6, 5.4))
draw_reliability(ax, confidence, correct, f"Surer than it should be: ECE {calibration_error(confidence, correct):.3f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A **reliability diagram**: share of right answers over confidence, one dot a bin, larger for more answers. The dotted diagonal is perfect calibration. Nearly all dots lie below it: where the network says 0.75, it is right little more than half of the time. The by far largest dot, on the right, is close to the diagonal but below it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Why? The network has read its 1,000 training images so often that it is right on all of them. From there on cross-entropy falls only by making all logits larger (lesson 05). On new images it is then just as sure, and not as right.
#
# ### One number mends it
#
# **Temperature scaling**: divide all logits by one number $T$ before softmax. For logits (4, 2, 0): with $T = 1$ softmax gives 0.87, with $T = 2$ it gives 0.67.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("11.temperature")

# %% [markdown] slideshow={"slide_type": "subslide"}
# $T$ is fitted by making the cross-entropy small, on **validation** data. With $s = 1/T$ the cross-entropy of $s z$ has the slope
#
# $$\frac{d}{ds} = \frac1n \sum_i \Big( \sum_j p_{ij} z_{ij} - z_{i y_i} \Big)$$
#
# which follows from $p - t$ (lesson 06) and the chain rule. The slope only ever grows with $s$ (the curve is **convex**: one valley). So one can halve the interval: where the slope is positive, go left, else right.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
def fit_temperature(logits, y, smallest=0.01, largest=100.0):
    """T with the least cross-entropy of logits / T, found by halving."""
    z = logits.double()
    low, high = 1 / largest, 1 / smallest  # limits for s = 1/T
    for _ in range(60):
        s = math.sqrt(low * high)
        p = torch.softmax(s * z, dim=1)
        slope = ((p * z).sum(dim=1) - z[torch.arange(len(y)), y]).mean()
        low, high = (low, s) if slope > 0 else (s, high)
    return 1 / math.sqrt(low * high)


with torch.no_grad():
    T = fit_temperature(reader(X_all[50000:52000]), digits_all[50000:52000])  # 2,000 images it has never seen
    T_wrong = fit_temperature(reader(X_all[:1000]), digits_all[:1000])  # those it was trained on
print(f"fitted on validation data: T = {T:.2f}; on the training images: T = {T_wrong:.2f}")
for name, t in {"before": 1.0, "after": T, "T from training images": T_wrong}.items():
    q, a = torch.softmax(z_digits / t, dim=1).max(dim=1)
    print(f"{name:23} accuracy {(a == y_digits).double().mean():.1%}, mean confidence {q.mean():.1%}, "
          f"ECE {calibration_error(q, a == y_digits):.3f}, cross-entropy {F.cross_entropy(z_digits / t, y_digits):.2f}")

# %% slideshow={"slide_type": "subslide", "show": "output"}
cooler, same_answer = torch.softmax(z_digits / T, dim=1).max(dim=1)
assert torch.equal(same_answer, answer) and 1.6 < T < 2.6 and T_wrong < 0.02
assert calibration_error(confidence, correct) > 0.05 and calibration_error(cooler, correct) < 0.015
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, q, name in ((axes[0], confidence, "T = 1"), (axes[1], cooler, f"T = {T:.1f}")):
    draw_reliability(ax, q, correct, f"{name}: ECE {calibration_error(q, correct):.3f}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two reliability diagrams. Left, without scaling, the dots hang below the diagonal. Right, with the fitted temperature, they lie on it, all but the dot of the lowest bin, which holds next to no answers; and the answers are spread more evenly over the bins.

# %% [markdown] slideshow={"slide_type": "subslide"}
# One number, and the ECE fell from 0.07 to 0.01. No answer changed: dividing by $T$ keeps the order. On the training images everything is right, so the best $T$ there is the smallest one allowed: **sure of everything**. That is why it must be validation data.
#
# Is an ECE of 0.01 good or bad? Compare with a network that is calibrated perfectly: take our confidences and let chance decide, with just these probabilities, what was right.

# %% slideshow={"slide_type": "fragment", "show": "output"}
g = torch.Generator().manual_seed(0)
for n in (200, 1000, 10000):
    rows = [torch.randperm(10000, generator=g)[:n] for _ in range(50)]
    chance = sum(calibration_error(cooler[r], torch.rand(n, generator=g) < cooler[r]) for r in rows) / 50
    print(f"perfectly calibrated, {n:5} answers: ECE {chance:.2f} on average")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Even perfection does not measure 0; with 200 answers it measures 0.04, by chance alone. With 10,000 it measures what our scaled network does, near enough: nothing is left to mend. A small ECE needs many examples, and it depends on the bins: compare only equal with equal.
#
# And **calibrated is not good**. A forecaster who says "2%" for every digit of section 1 is perfectly calibrated, and useless. Calibration says that you may believe the numbers, not that they tell you much.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 7}
# ## 11 · How sure is the number itself?
#
# The reader got 88% on 10,000 images, the doctor 97% or so on 200 tumours. With other test examples it would have been other numbers. How far away?
#
# If we could draw many test sets, we would look at the spread. We have only one. The **bootstrap** takes it for the world: draw $n$ examples out of the $n$ **with replacement** (some twice, some not at all), measure, and repeat.

# %% [markdown] slideshow={"slide_type": "fragment"}
# By hand: of (1, 1, 0, 1) one draw is (1, 0, 0, 1), accuracy 0.5; the next (1, 1, 1, 0), 0.75; and so on. The middle 95% of many such numbers is a **95% interval**.
#
# **Exercise [11.bootstrap_interval](exercises/11_evaluation.ipynb)** ●● For the accuracy. Write it before you read on.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def bootstrap_interval(correct, draws, generator, level=0.95):
    """(low, high): the middle `level` of the accuracies of many samples drawn out of the sample."""
    n = len(correct)
    picks = torch.randint(n, (draws, n), generator=generator)  # (draws, n)
    accuracies = correct.double()[picks].mean(dim=1)  # (draws,)
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = accuracies.quantile(ends).tolist()
    return low, high


g = torch.Generator().manual_seed(0)
tumours_right = (p_tumour >= 0.5).long() == y_tumour
intervals = {"reader, 10,000 images": (correct.mean().item(), *bootstrap_interval(correct, 500, g)),
             "doctor, 200 tumours": (tumours_right.double().mean().item(), *bootstrap_interval(tumours_right, 2000, g))}
for name, (accuracy, low, high) in intervals.items():
    print(f"{name:22} accuracy {accuracy:.1%}, 95% interval {low:.1%} to {high:.1%}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# With 10,000 examples the interval is about one point wide; with 200 it is four to five. **"97.5% against 97.0% on 200 examples" shows no difference: it is one tumour.** To halve the width takes four times the data ($1/\sqrt n$, as with the batches of lesson 07).
#
# The bootstrap works for any metric: draw rows, measure anything. Here are the AUC and the recall of the doctor.

# %% slideshow={"slide_type": "subslide", "show": "output"}
widths = [high - low for _, low, high in intervals.values()]
assert 0.008 < widths[0] < 0.018 < 0.025 < widths[1] < 0.09
g = torch.Generator().manual_seed(0)
picks = torch.randint(200, (2000, 200), generator=g)
draws = {"AUC": [auc(y_tumour[r], p_tumour[r]) for r in picks],
         "recall": [((p_tumour[r] >= 0.5) & (y_tumour[r] == 1)).sum().item() / y_tumour[r].sum().item() for r in picks]}
fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for ax, (name, values) in zip(axes, draws.items(), strict=True):
    low, high = torch.tensor(values).quantile(torch.tensor([0.025, 0.975])).tolist()
    ax.hist(values, 30, color=plotting.COLORS["class0"])
    ax.axvspan(low, high, color=plotting.COLORS["class1"], alpha=0.25)
    ax.set(xlabel=name, title=f"{name}: {low:.2f} to {high:.2f}")
axes[0].set_ylabel("draws out of 2,000");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Two histograms over 2,000 draws, with the middle 95% shaded. The AUC is narrow and pressed against 1. The recall comes in steps and spreads over almost ten points, since there are only 78 malignant tumours to measure it on.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Does the interval keep its promise?
#
# "95%" is a promise: of many such intervals, 95 in 100 should hold the **true** accuracy. In life the truth is unknown; in a simulation we set it. Five hundred test sets, for each an interval, and we count how often the truth is inside. That share is the **coverage**.

# %% slideshow={"show": "output"}
explore.predict("11.coverage")

# %% slideshow={"slide_type": "subslide", "show": "output"}
g = torch.Generator().manual_seed(0)
for n, truth in ((30, 0.97), (100, 0.97), (100, 0.9), (400, 0.9)):
    sets = [torch.rand(n, generator=g) < truth for _ in range(500)]
    ends = [bootstrap_interval(s, 300, g) for s in sets]
    coverage = sum(low <= truth <= high for low, high in ends) / 500
    perfect = sum(s.all().item() for s in sets) / 500
    print(f"{n:4} examples, true accuracy {truth:.0%}: coverage {coverage:.0%}, sets without a mistake {perfect:.0%}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# What counts is the number of **mistakes**. With 3, 10 or 40 of them to be expected the promise holds, near enough. With 30 examples and a true accuracy of 97% one is to be expected, and it fails badly: four test sets in ten contain none, and then every draw is perfect and the interval is "100% to 100%". **The bootstrap cannot imagine a mistake that it has never seen.**
#
# A rule for that case: no mistake in $n$ examples still allows an error rate of up to about $3/n$ (since $(1 - 3/n)^n \approx e^{-3} \approx 5\%$). So 30 out of 30 only says "above 90%".

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Two networks on the same examples
#
# A second reader has 32 hidden units instead of 128. Is the larger one better, or luckier? Misconception: *"the intervals overlap, so there is no difference."* Both read the **same** images, and an image that is hard for one is mostly hard for the other. So bootstrap the **difference**, image by image (it is called **paired**): 1 if only the first is right, −1 if only the second, else 0.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
small = train_digits(32, seed=0)
with torch.no_grad():
    correct_small = (small(X_digits).argmax(dim=1) == y_digits).double()
g = torch.Generator().manual_seed(0)
compared = {"128 units": bootstrap_interval(correct, 500, g), "32 units": bootstrap_interval(correct_small, 500, g),
            "difference": bootstrap_interval(correct - correct_small, 500, g)}
for name, (low, high) in compared.items():
    print(f"{name:11} {100 * low:5.1f} to {100 * high:5.1f} points")

# %% slideshow={"slide_type": "skip"}
one, other, difference = compared.values()
assert difference[1] - difference[0] < 0.9 * (one[1] - one[0]) and difference[0] > 0 and other[1] > one[0]

# %% [markdown] slideshow={"slide_type": "fragment"}
# The two intervals overlap. The interval of the difference is narrower than either, and lies above 0: on images like these, **this** large reader is better than **this** small one. (Two other pairs of seeds gave the same in our trials.)
#
# What no interval here knows: another start, another training set. For that train with several seeds, as in lesson 09.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 12 · Look at the mistakes
#
# Numbers say how many. Only looking says **which**. Most telling are the **most confident mistakes**: where the network was wrong and surest.
#
# We look at the 10,000 **validation** images. Whoever looks at mistakes does so to mend them, and that is choosing (lesson 09): the test set stays in its drawer.

# %% slideshow={"show": "output"}
X_look, y_look = X_all[50000:], digits_all[50000:]
with torch.no_grad():
    confidence_look, said_look = torch.softmax(reader(X_look) / T, dim=1).max(dim=1)
right = (said_look == y_look).double()  # (10000,)
wrong = torch.nonzero(right == 0)[:, 0]
worst = wrong[confidence_look[wrong].argsort(descending=True)[:16]]
titles = [f"{y_look[i]}, said {said_look[i]}\n{confidence_look[i]:.0%}" for i in worst]
plotting.show_images(X_look[worst].reshape(-1, 28, 28), titles, columns=8);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Sixteen handwritten digits, each with what it is, what was said and how sure. Most are clear to any child. The sixth bears the label 4, and surely is a 7. Some lean to the left: the first, a 7, and the 8 beside that "4".

# %% [markdown] slideshow={"slide_type": "subslide"}
# Go through such a page with three questions:
#
# 1. **Is the label right?** Data sets contain wrong labels, and they gather just here. (Ten much-used test sets have about 3% of them on average, MNIST far fewer: Northcutt and others, 2021.)
# 2. **Could anybody know?** If not, no network will mend it.
# 3. **Is there a kind?** A kind can be mended, with more examples of it.
#
# For a suspicion one counts within groups. Do digits that lean to the left fare worse? The **slant** of an image is how far its ink moves to the right for each row upwards: a regression line through the ink.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
ink, place = X_look.reshape(-1, 28, 28), torch.arange(28.0)
mass = ink.sum(dim=(1, 2))  # (10000,)
across = place - ((ink.sum(dim=1) @ place) / mass)[:, None]  # (10000, 28): columns, from the centre of the ink
down = place - ((ink.sum(dim=2) @ place) / mass)[:, None]  # (10000, 28): rows
slant = -torch.einsum("nij,ni,nj->n", ink, down, across) / torch.einsum("nij,ni->n", ink, down**2)
groups = torch.bucketize(slant, slant.quantile(torch.tensor([0.05, 0.95])))
g = torch.Generator().manual_seed(0)
leaning = []
for k, name in enumerate(("leaning left most (5%)", "all between", "leaning right most (5%)")):
    leaning.append((right[groups == k].mean().item(), *bootstrap_interval(right[groups == k], 500, g)))
    print(f"{name:24} accuracy {leaning[k][0]:.0%}, interval {leaning[k][1]:.0%} to {leaning[k][2]:.0%}")

# %% slideshow={"slide_type": "skip"}
assert leaning[0][0] < leaning[1][0] - 0.08 and leaning[0][2] < leaning[1][1]

# %% [markdown] slideshow={"slide_type": "fragment"}
# Of the 500 digits that lean most to the left one in four is misread, of the others one in ten. The intervals are far apart, so this is no accident. (Nor is it that hard digits lean more often: with the same mixture of digits the middle group would be right in 89% of the cases.)

# %% [markdown] slideshow={"slide_type": "fragment"}
# The medicine is to show it slanted digits (lesson 09). In our trials, three seeds, three copies of each training image slanted at random brought the left group from 76% to 86%, and the middle one from 90% to 91.5%.
#
# An accuracy over all is an average over groups, and the average hides the group that fares worst. Where the groups are people, this is no detail.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# ## 13 · All against scikit-learn
#
# One last check: every number of this lesson against scikit-learn's, on 200 small random cases full of ties. Where a class is missing, curves and areas are not defined; those cases come in a moment.

# %% tags=["long"] slideshow={"slide_type": "skip"}
def case(g):
    """2 to 12 answers and scores; only six different scores, so ties are common."""
    n = int(torch.randint(2, 13, (), generator=g))
    return torch.randint(0, 2, (n,), generator=g), torch.randint(0, 6, (n,), generator=g) / 5


g = torch.Generator().manual_seed(0)
largest, missing = {}, 0
for _ in range(200):
    y, scores = case(g)
    called = (scores >= 0.5).long()
    averages = sk.precision_recall_fscore_support(y, called, labels=[0, 1], average="macro", zero_division=0.0)[:3]
    pairs = {"confusion matrix": (confusion_matrix(y, called, 2), sk.confusion_matrix(y, called, labels=[0, 1])),
             "macro averages": (precision_recall_f1(y, called, 2), averages)}
    if 0 < y.sum() < len(y):
        theirs = sk.precision_recall_curve(y, scores)
        pairs |= {"ROC": (torch.stack(roc_curve(y, scores)), sk.roc_curve(y, scores, drop_intermediate=False)[:2]),
                  "AUC": (auc(y, scores), sk.roc_auc_score(y, scores)),
                  "precision–recall": (torch.stack(precision_recall_curve(y, scores)).flip(1), theirs[:2]),
                  "average precision": (average_precision(y, scores), sk.average_precision_score(y, scores))}
    else:
        missing += 1
    for name, (ours, other) in pairs.items():
        gap = abs(torch.as_tensor(ours, dtype=torch.float64).numpy() - other).max()
        largest[name] = max(largest.get(name, 0.0), float(gap))
for name, gap in largest.items():
    print(f"{name:18} largest difference {gap:.12f}")
print("cases in which a class was missing:", missing)

# %% [markdown] slideshow={"slide_type": "notes"}
# They agree to twelve places. And where nothing can be measured?

# %% slideshow={"slide_type": "fragment", "show": "output"}
cases = {"no yes at all": ([0, 0, 0, 0], [0.1, 0.6, 0.3, 0.9]), "nothing but yes": ([1, 1, 1, 1], [0.1, 0.6, 0.3, 0.9]),
         "all wrong": ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]), "all tied": ([1, 0, 0, 1], [0.3] * 4)}
for name, (y, scores) in cases.items():
    y, scores = torch.tensor(y), torch.tensor(scores)
    values = rates(y, (scores >= 0.5).long())
    print(f"{name:15} precision {values['precision']:.2f}  recall {values['recall']:.2f}  F1 {values['f1']:.2f}"
          f"  AUC {auc(y, scores):.2f}  AP {average_precision(y, scores):.2f}")

# %% [markdown] slideshow={"slide_type": "fragment"}
# Two rules stand behind this table:
#
# - **Precision, recall, F1 with 0/0 are 0.** An average over classes needs a number, and 0 does not flatter. scikit-learn gives 0 too and warns.
# - **Curves and areas that lack the class they need are nan**: ROC and AUC need both classes, the average precision needs a yes. Nothing was ranked, and `nan` cannot be mistaken for a result. scikit-learn says the same of AUC (with a warning). For the average precision without a single yes it says 0; we say nan: where nothing was to be found nobody failed.

# %% [markdown] slideshow={"slide_type": "notes"}
# All wrong is different: that **is** a measurement. An AUC of 0 even means a perfect ranking, turned round.
#
# Later lessons import all this from `utils.built.metrics`.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Which number when
#
# | question | look at | beware |
# |---|---|---|
# | is it right? | accuracy, beside the largest class's share | blind to rare classes |
# | what is taken for what? | confusion matrix | which way round? |
# | are alarms right, are they complete? | precision, recall | precision depends on the share of positives |
# | do all classes fare well? | the list, macro average | micro is accuracy again |
# | does it rank well? | AUC | flatters when yes is rare |
# | what if yes is rare? | precision–recall, AP | compare at equal shares |
# | where to draw the line? | cost, on validation data | 0.5 is nobody's decision |
# | are the probabilities true? | reliability diagram, ECE | never exactly 0 |
# | is the difference real? | paired bootstrap, seeds | small test sets |

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## What to remember
#
# - The confusion matrix holds what accuracy hides: precision is a share of a column, recall of a row, F1 stays near the smaller of the two; macro counts every class the same, micro is the accuracy.
# - A ROC curve shows all thresholds and does not see how rare yes is; its area is the probability that a random yes beats a random no. When yes is rare, look at precision over recall.
# - A threshold is a choice with a price: 0.5 only if both mistakes cost the same, else $c_\text{FP}/(c_\text{FP} + c_\text{FN})$, or the cheapest on validation data. Move it before you weight the loss.
# - Softmax is not the probability of being right. Measure it bin by bin; one temperature, fitted on validation data, mends overconfidence and changes no answer.
# - A number without an interval is half a number. The bootstrap gives one, except where it saw no mistake; compare networks on the same examples, paired; and look at the most confident mistakes.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. Of 1,000 letters 10 are urgent. A program marks 20 letters, 8 of them rightly. Accuracy, precision, recall?</summary>
#
# TP 8, FP 12, FN 2, TN 978. Accuracy 98.6% (always no: 99.0%), precision 8/20 = 0.4, recall 8/10 = 0.8. Less accurate than doing nothing, and far more useful.
# </details>
#
# <details><summary>2. Two networks have the same AUC of 0.97. At 1 : 1000, are they equally useful?</summary>
#
# Not necessarily. What counts there is the far left of the ROC curve: how many yes come before the first few no's. Compare precision over recall.
# </details>
#
# <details><summary>3. A miss costs 9, a false alarm 1, and the network is overconfident. May you use the threshold 1/10?</summary>
#
# Only after calibrating it (on validation data). Or choose the threshold by cost on validation data, which needs no true probabilities.
# </details>
#
# <details><summary>4. You square all probabilities of a yes/no network. What happens to the AUC, the average precision, the ECE?</summary>
#
# AUC and average precision stay: the order is the same. The ECE changes, since the numbers mean something else.
# </details>
#
# <details><summary>5. Your network made no mistake on 60 test images. What may you claim?</summary>
#
# An error rate below about 3/60 = 5%, at a level of 95%. The bootstrap would say "100% to 100%".
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/11_evaluation.ipynb](exercises/11_evaluation.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 11.confusion_matrix | rows true, columns predicted | ● |
# | 11.precision_recall_f1 | macro averages, 0/0 is 0 | ●● |
# | 11.roc_curve | one point for each different score | ●●● |
# | 11.auc | by ranking, ties count half | ●● |
# | 11.best_threshold | the cheapest | ●● |
# | 11.calibration_error | any number of bins | ●●● |
# | 11.bootstrap_interval | for the accuracy | ●● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# Now that you can tell better from luckier: [lesson 12](12_cnn.ipynb) builds networks that see, and that beat everything here on digits by far.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - T. Fawcett (2006). *An introduction to ROC analysis.* Curves, ties, and the AUC as a ranking.
# - J. Davis, M. Goadrich (2006). *The relationship between precision-recall and ROC curves.* Section 7.
# - C. Elkan (2001). *The foundations of cost-sensitive learning.* The threshold of section 8.
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger (2017). *On calibration of modern neural networks.* ECE and temperature scaling; section 10 follows it.
# - B. Efron (1979). *Bootstrap methods: another look at the jackknife.*
# - C. G. Northcutt, A. Athalye, J. Mueller (2021). *Pervasive label errors in test sets destabilize machine learning benchmarks.*
