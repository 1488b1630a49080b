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
# # 00 · Your first network in a minute
#
# **The question:** Can a program learn to read handwriting from examples alone, and what has it learned when it can?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - use this course: read, predict, run, explore, exercise;
# - say what deep learning is, and what sets it apart from classical machine learning;
# - train a network that reads digits, on your own computer, and measure how well it does;
# - find its worst mistakes, and show that it can be sure and wrong at once;
# - name the four problems that deep learning has not solved.
#
# **Needs:** Python and school mathematics · **Read:** 40 minutes · **Run:** 30 seconds on two CPU cores

# %% [markdown] slideshow={"slide_type": "notes"}
# Welcome. First, is everything in place? Click into the grey cell below and press **Shift + Enter**. That runs the cell and
# moves on to the next. Each line of the answer should begin with `ok`. One with `!!` has what to type right below it. It does
# not stop you: the lesson goes on as far as it can without the missing thing.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
from utils import doctor

findings = doctor.report()

# %% slideshow={"slide_type": "skip"}
print("Go on." if findings.ok else "Mend what is marked !! above, if not now then when a cell fails for want of it.")
assert all(problem.fix for problem in findings.problems)  # whatever is wrong: the doctor says what to type

# %% slideshow={"slide_type": "skip"}
import matplotlib.pyplot as plt
import torch

from utils import data, explore, plotting
from utils.checks import check, hint, progress

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## 1 · How this course works
#
# Each lesson is a notebook like this one: text, and cells with Python that you run in order. Do five things with it.
#
# 1. **Read.** New terms are **bold** where they first appear.
# 2. **Predict.** Answer the question *before* you run the cell, even if you guess. Being surprised is how one learns.
# 3. **Run.** Then change a number and run again. You cannot break anything: *Kernel → Restart* brings you back.
# 4. **Explore.** Some cells open a small machine with sliders, a question and a challenge.
# 5. **Exercise.** Every lesson has an exercise notebook which answers at once, and tries to say *why* you went wrong.
#
# Let us try number 2.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.predict("00.how_many")

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 2 · A mapping from examples
#
# Nearly everything in this course is a **mapping**: something goes in, something comes out. Pixels in, a digit out. A
# sentence in, its translation out. Sound in, words out.
#
# One can write a mapping down as rules. Try it: "a 7 is a horizontal stroke with a slanted one below". What about a 7 with
# a bar? One that leans? Rules for handwriting never end.
#
# **Machine learning** takes another way. It needs three things: **examples** (input with the wanted output), a **model**
# (a mapping with numbers in it that can be tuned, the **parameters**), and a way to tune those numbers until the outputs fit.

# %% [markdown] slideshow={"slide_type": "subslide"}
# The question is what goes into the model. **Classical machine learning**: a person decides which **features** to measure, say
# how much ink there is, and a simple model learns from these few numbers. **Deep learning**: the raw pixels go in, and a
# model of several **layers** learns features of its own, from one end to the other (**end to end**).
#
# | | classical | deep |
# |---|---|---|
# | features | designed by people | learned |
# | needs | hundreds of examples | thousands to billions |
# | computing | seconds | seconds to months |
# | can one say why? | often | hardly |
# | good at | tables, small data | pictures, sound, language |
#
# We shall do both in the next ten minutes, and measure.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 3 · Seventy thousand digits
#
# **MNIST** is a set of 70,000 handwritten digits, put together in the 1990s from the writing of American high-school students and employees of the Census Bureau.
# 60,000 are for learning: the **training set**. 10,000 are kept apart: the **test set**. The model never learns from these, so
# they show what it does on writing that it has not seen.

# %% slideshow={"slide_type": "fragment"}
train, test = data.load_mnist("train"), data.load_mnist("test")
print("training images:", tuple(train.images.shape), train.images.dtype)
print("test images    :", tuple(test.images.shape))
print("first labels   :", train.labels[:9].tolist())

# %% slideshow={"slide_type": "subslide", "show": "output"}
plotting.show_images(train.images[:9], [f"label {k}" for k in train.labels[:9]], columns=9);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Nine small pictures in a row, white strokes on black: 5, 0, 4, 1, 9, 2, 1, 3, 1, each with its label above.

# %% [markdown] slideshow={"slide_type": "fragment"}
# To the computer a picture is a table of numbers, 28 rows by 28 columns, each from 0 (black) to 255 (white). Here is a piece from
# the middle of the first one:

# %% slideshow={"slide_type": "fragment"}
print(train.images[0, 5:12, 10:20])

# %% [markdown] slideshow={"slide_type": "subslide"}
# This table is a **tensor**: a block of numbers with a **shape** (here 7 by 10) and one type for all of them, the **dtype** (here
# `uint8`, whole numbers from 0 to 255). A list of numbers is a tensor with one **axis** (or **dimension**), a table has two, our 60,000 pictures have
# three: `(60000, 28, 28)`. You make a tensor from nested lists, and a decimal point decides the dtype:

# %% slideshow={"slide_type": "fragment"}
whole = torch.tensor([[1, 2], [3, 4], [5, 6]])
decimal = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
print(tuple(whole.shape), whole.dtype)
print(tuple(decimal.shape), decimal.dtype)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [00.first_tensor](exercises/00_start_here.ipynb)** ● Make one yourself. If you have never used the exercises, do
# this one now: it takes a minute.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Networks like small decimal numbers in long rows. So we turn `uint8` into `float32`, divide by 255, and lay the 28 rows of each
# picture end to end: $28 \cdot 28 = 784$ numbers. `flatten(1)` does that and leaves axis 0, which counts the pictures, alone. Several inputs
# handled together are called a **batch**.

# %% slideshow={"slide_type": "fragment"}
batch = train.images[:5]  # (5, 28, 28)
x = batch.float() / 255  # still (5, 28, 28), now between 0 and 1
x = x.flatten(1)  # (5, 784)
print(tuple(x.shape), x.dtype, "from", x.min().item(), "to", x.max().item())

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [00.shape_of_batch](exercises/00_start_here.ipynb)** ● From pictures to rows.
#
# Our loader can do it in one go. From here on `X` is a batch of inputs and `y` their labels:

# %% slideshow={"slide_type": "fragment"}
X_train, y_train = data.mnist_tensors("train")  # (60000, 784), (60000,)
X_test, y_test = data.mnist_tensors("test")  # (10000, 784), (10000,)
print(X_train.shape, y_train.shape, X_test.shape, y_test.shape)

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 4 · The classical way: features by hand
#
# We are the experts now. What tells digits apart? How much ink; how tall; how wide; how symmetric; whether there is a hole in the
# middle. Five numbers per picture. Then the simplest model there is: average the five numbers over all training pictures of
# each digit, and give a new picture the digit whose average is nearest.
#
# You need not follow every line. `images.mean((1, 2))` averages over axes 1 and 2, rows and columns: one number per picture is
# left. `amax` takes the largest instead. `view(-1, 28, 28)` undoes `flatten`; −1 means "as many as there are".
#
# **Predict.** Guessing gets 10% right. How far will five clever features get us?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "apart"}
def features(images):
    """Five hand-made features per picture, (N, 28, 28) -> (N, 5)."""
    ink = images.mean((1, 2))
    height = (images.amax(2) > 0.5).sum(1) / 28
    width = (images.amax(1) > 0.5).sum(1) / 28
    asymmetry = (images - images.flip(2)).abs().mean((1, 2))
    middle = images[:, 11:17, 11:17].mean((1, 2))
    return torch.stack([ink, height, width, asymmetry, middle], dim=1)


def nearest_average(F_train, F_test):
    averages = torch.stack([F_train[y_train == k].mean(0) for k in range(10)])  # (10, features)
    return torch.cdist(F_test, averages).argmin(dim=1)  # which of the ten is nearest


F_train, F_test = features(X_train.view(-1, 28, 28)), features(X_test.view(-1, 28, 28))
mean, std = F_train.mean(0), F_train.std(0)  # bring all features to the same scale
by_features = (nearest_average((F_train - mean) / std, (F_test - mean) / std) == y_test).float().mean()
by_pixels = (nearest_average(X_train, X_test) == y_test).float().mean()
print(f"five hand-made features: {by_features:.1%}     all 784 pixels: {by_pixels:.1%}")

# %% slideshow={"slide_type": "skip"}
assert abs(by_features - 0.370) < 0.005 and abs(by_pixels - 0.820) < 0.005

# %% [markdown] slideshow={"slide_type": "fragment"}
# (Cells with `assert` are ours: they make sure that your run agrees with this text, and print nothing if it does.)
#
# Our five clever features get 37%. The same simple model on the plain pixels, without any cleverness, gets 82%. To be fair: people spent decades
# on features for handwriting and got far beyond both. But that is just the point. It took people decades, and for faces or
# speech they had to begin again.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 8}
# ## 5 · The deep way: a network in ten lines
#
# Our model has three layers. 784 pixels go in, 128 numbers come out of the first layer, 256 of the second, and 10 of the last: one
# score per digit. Such scores are called **logits**. The digit with the highest one is the answer. `ReLU` between the layers sets negative numbers to zero;
# [lesson 02](02_activations.ipynb) shows why without it the three layers would be worth no more than one.

# %% slideshow={"slide_type": "subslide"}
torch.manual_seed(0)  # so that your run begins with the same random numbers as ours
model = torch.nn.Sequential(
    torch.nn.Linear(784, 128),  # a layer: 128 weighted sums of its 784 inputs (lesson 01)
    torch.nn.ReLU(),
    torch.nn.Linear(128, 256),
    torch.nn.ReLU(),
    torch.nn.Linear(256, 10),
)
print("parameters to tune:", sum(p.numel() for p in model.parameters()))

# %% [markdown] slideshow={"slide_type": "fragment"}
# 136,074 numbers, all random now. (The first layer has 784 weights and one number more for each of its 128 sums: $785 \cdot 128 = 100480$; count the other two the same way.) How good is a random network? We measure **accuracy**: the share of pictures for which the
# highest score (`argmax`) is the right digit.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
def accuracy(scores, labels):
    """Share of rows whose largest score is at the place of the label."""
    return (scores.argmax(dim=1) == labels).float().mean().item()


scores = model(X_test)  # (10000, 10)
print(f"accuracy before learning: {accuracy(scores, y_test):.1%}")

# %% slideshow={"slide_type": "skip"}
assert accuracy(scores, y_test) < 0.25

# %% [markdown] slideshow={"slide_type": "notes"}
# About one in ten: it guesses. **Exercise [00.accuracy](exercises/00_start_here.ipynb)** ● Write this function, and meet the ways in
# which it goes wrong.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we tune. Again and again, take 256 pictures and do three things. Each has a lesson of its own, so just get the gist:
#
# 1. compute the scores, and from them the **loss**: one number that says how wrong they are ([lesson 05](05_losses.ipynb));
# 2. find for each of the 136,074 parameters whether raising it would raise or lower the loss, and how steeply: the **gradient** ([lesson 06](06_backprop.ipynb));
# 3. move each parameter a little in the direction which lowers it (the **optimizer**, [lesson 07](07_optimizers.ipynb); ours is called Adam).
#
# These three are one **step**. Once through all pictures is an **epoch**. We do five, which take five to ten seconds, and print one line after each.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
batches = data.Batches(X_train, y_train, batch_size=256, generator=torch.Generator().manual_seed(0))
optimizer = torch.optim.Adam(model.parameters(), fused=True)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.006, total_steps=5 * len(batches))

for epoch in range(5):
    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()  # forget the last gradient
        loss.backward()  # find the new one
        optimizer.step()  # move every parameter a little
        schedule.step()  # and change how little "a little" is
    print(f"epoch {epoch + 1}: accuracy on the test set {accuracy(model(X_test), y_test):.2%}")

# %% slideshow={"slide_type": "skip"}
scores = model(X_test).detach()  # detach: we are done with gradients
assert accuracy(scores, y_test) > 0.97, "something is different from our runs: we always saw more than 97%"

# %% [markdown] slideshow={"slide_type": "fragment"}
# Above 97% on digits it has never seen; with other random numbers we saw between 97.9% and 98.2%. That is what the fuss is about: **nobody told it what a 7 is**.
# The same ten lines, given other examples, learn something else entirely.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}
# ## 6 · Look at what it does
#
# Scores are hard to read. The function **softmax** turns ten scores into ten positive numbers that add up to one, so they look like
# probabilities ([lesson 02](02_activations.ipynb) takes it apart). The largest of them is often called the **confidence** of the network.

# %% slideshow={"show": "output"}
probabilities = scores.softmax(dim=1)  # (10000, 10), each row adds up to 1
confidence, guess = probabilities.max(dim=1)
right = guess == y_test
titles = [f"says {g}" for g in guess[:9].tolist()]
plotting.show_images(test.images[:9], titles, columns=9, correct=right[:9]);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** The first nine test digits, 7, 2, 1, 0, 4, 1, 4, 9 and a badly written 5, each with what the network says above it.

# %% [markdown] slideshow={"slide_type": "subslide"}
# A number like 98% hides what matters: *which* two in a hundred? Sort the mistakes by confidence and look the worst in the eye: those where the
# network was surest of a wrong answer. **Do this with every model you ever train.**

# %% slideshow={"show": "output"}
mistakes = (~right).nonzero()[:, 0]  # where in the test set they are
worst = mistakes[confidence[mistakes].argsort(descending=True)][:9]
titles = [f"says {guess[i]}\nis {y_test[i]}" for i in worst.tolist()]
plotting.show_images(test.images[worst], titles, columns=9, correct=[False] * 9);

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Nine mistakes, each with what the network says and what the label is. Some are ugly, some could be read either way, and some are
# clear to you and me.

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "fragment", "show": "output"}
print(f"mistakes: {len(mistakes)} of 10,000;  confidence when right {confidence[right].mean():.0%}, "
      f"when wrong {confidence[~right].mean():.0%}, on the nine above at least {confidence[worst].min():.1%}")

# %% slideshow={"slide_type": "skip"}
assert confidence[right].mean() > confidence[~right].mean() > 0.6 and confidence[worst].min() > 0.95

# %% [markdown] slideshow={"slide_type": "fragment"}
# So the confidence does tell us something: it is lower on mistakes. But not low. When the network is wrong it is, on average, still about three
# quarters sure. And the nine above were worse than that: it would have bet nearly everything on them.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 13}
# ## 7 · Feed it something that is no digit
#
# Now the question that separates users from experts: what does the network say about something it has never seen the like of? We give it pure noise, each pixel
# a random number.

# %% slideshow={"show": "output"}
explore.predict("00.noise")

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide"}
noise = torch.rand(1000, 784, generator=torch.Generator().manual_seed(1))
with torch.no_grad():  # nothing to learn here, so no gradient
    noise_confidence, noise_guess = model(noise).softmax(dim=1).max(dim=1)
print(f"mean confidence on noise: {noise_confidence.mean():.0%}")
print("answers 0 to 9:", noise_guess.bincount(minlength=10).tolist())

# %% slideshow={"slide_type": "skip"}
assert noise_confidence.mean() > 0.6, "our networks were always rather sure of noise"
assert noise_guess.bincount(minlength=10).topk(2).values.sum() > 800

# %% [markdown] slideshow={"slide_type": "fragment"}
# We trained six such networks, each from other random numbers. On pure noise their mean confidence lay between 76% and 100%, and in most of
# them a 5 was by far the commonest answer.
#
# So here is the first misconception of this course: *"softmax gives the probability of being right"*. It says how ten scores compare with each other. On
# digits like those it has learned from this may come close to the truth. Nothing guarantees it for anything else.

# %% [markdown] slideshow={"slide_type": "subslide"}
# Something less silly: a real digit, moved to the right by a few pixels. You and I would still read it.
#
# **Predict.** By how many pixels can you move it before the network reads less than half of the digits?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
shifted_accuracy = []
for pixels in range(9):
    moved = X_test.view(-1, 28, 28).roll(pixels, dims=2).flatten(1)
    with torch.no_grad():
        shifted_accuracy.append(100 * accuracy(model(moved), y_test))
fig, ax = plt.subplots()
ax.plot(shifted_accuracy, "o-", color=plotting.COLORS["test"])
ax.axhline(10, ls="--", color=plotting.COLORS["muted"])
ax.annotate("guessing", (7, 12), color=plotting.COLORS["muted"])
ax.set(xlabel="moved to the right by, pixels", ylabel="accuracy, %", ylim=(0, 100))
ax.set_title("Moved by four pixels, it misreads most digits");

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** Accuracy against the number of pixels: nearly flat for one pixel, then a steep fall, below a half at four pixels and near guessing at seven.

# %% slideshow={"slide_type": "skip"}
assert shifted_accuracy[0] > 97 and shifted_accuracy[3] > 50 > shifted_accuracy[4]

# %% [markdown] slideshow={"slide_type": "notes"}
# The network has not learned what a 7 is. It has learned which pixels are white when a 7 stands **in the middle**. MNIST's digits
# all do, so this was enough. A model learns whatever solves the examples; it cannot know which of it you meant. Lesson 12 gives it a better idea of space.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: draw a digit
#
# *Does it read your handwriting?* Draw with the mouse or a finger. On the left is your drawing, then what the network gets to see, then its ten probabilities.
#
# - **Try** your way of writing 1, 4 and 7. People in different countries write them differently.
# - **Try** to make it more than 90% sure of something that is no digit.
# - **Notice** the box "centre and scale". MNIST's digits were all prepared like that. Switch it off and draw in a corner.
# - **Challenge:** with the box off, draw a digit it reads, and move it with the arrows until the answer changes, by at most four pixels each way.

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.draw_digit(model)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** A drawn digit, the same digit shrunk to 28 by 28 pixels as the network sees it, and ten bars with its probabilities.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Explorer: push a digit around
#
# *How little does it take?* Pick a digit of the test set; shift it, turn it, add noise.
#
# - **Try** to get a wrong answer with no more than three pixels of shift, no turn and no noise.
# - **Notice** that the bars often jump from one sure answer to another sure answer.
# - **Challenge:** turn a 6 until the network calls it a 9. Is it wrong, then?

# %% slideshow={"slide_type": "subslide", "show": "output"}
explore.shift_digit(model, test.images, test.labels)

# %% [markdown] slideshow={"slide_type": "notes"}
# **What you see.** One digit of the test set on the left; on the right ten bars with the probabilities that the network gives it.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## 8 · Where it is used, and what is not solved
#
# The same recipe (examples, a network, a loss, gradients) is behind:
#
# - **vision**: finding tumours in scans, faces in photographs, lanes on roads;
# - **language**: translating, answering, writing programs;
# - **speech**: turning sound into text and text into sound;
# - **recommendation**: which film or article comes next.
#
# Four problems stand behind all of them, and behind our little network, too.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **1. Data.** How much does it need? We train a slightly smaller network on fewer digits.
#
# **Predict.** With 100 digits instead of 60,000, ten of each kind or so: will it read 30%, 50% or 70% of the test set?

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "subslide", "show": "output"}
def train_on(n):
    """A fresh network, 300 steps on the first n training digits: accuracy on these, and on the test set."""
    torch.manual_seed(0)
    small = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    optimizer = torch.optim.Adam(small.parameters(), fused=True)
    for _ in range(300):
        k = torch.randint(n, (100,))
        loss = torch.nn.functional.cross_entropy(small(X_train[k]), y_train[k])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return accuracy(small(X_train[:n]), y_train[:n]), accuracy(small(X_test), y_test)


results = {n: train_on(n) for n in (100, 1000, 10000)}
for n, (seen, new) in results.items():
    print(f"{n:6} digits: {seen:.0%} of the digits it learned from, {new:.0%} of new ones")

# %% slideshow={"slide_type": "skip"}
assert 0.55 < results[100][1] < results[1000][1] < results[10000][1]
assert results[100][0] > 0.99 and results[100][0] - results[100][1] > 0.2

# %% [markdown] slideshow={"slide_type": "fragment"}
# A hundred digits are enough for two thirds, a thousand for 88%, ten thousand for 92%. (All three had the same 300 steps; with more steps the last would do better still.) Each
# tenfold buys less than the one before. Deep learning is hungry for data, but not as helpless with little of it as one often hears.

# %% [markdown] slideshow={"slide_type": "subslide"}
# **2. Computing.** Ours took seconds on a laptop. Large language models take months on thousands of processors. The steps are the ones that you saw.
#
# **3. Interpretability.** There are 136,074 parameters and we can print every one of them. None tells us *why* it took that 9 for a 4.
#
# **4. Overfitting.** In the first row above the network knows all of its 100 digits by heart. It has memorised more than it has understood. Doing well on what one has seen
# is called fitting; doing well on what is new is called **generalisation**, and it is the only thing that counts. Lesson 09 is about the gap.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 4}
# ## 9 · How a check answers
#
# A check looks at your work with inputs of its own, and if something is wrong it tries to recognise what you did. Here is a typical mistake in
# `accuracy`: it returns how *many* are right, instead of which share.

# %% slideshow={"slide_type": "subslide"}
def my_accuracy(logits, labels):
    return (logits.argmax(dim=1) == labels).sum().item()


check("00.accuracy", my_accuracy, seed=1)

# %% [markdown] slideshow={"slide_type": "subslide"}
# It gives the input, what was expected, what came, and a hint. If you are stuck, ask for help. It comes in steps: a nudge, a plan, and at last the solution with
# its explanation. Asking costs nothing.

# %% slideshow={"slide_type": "fragment"}
hint("00.accuracy", step=1)

# %% [markdown] slideshow={"slide_type": "notes"}
# And `progress()` shows what you have passed in the whole course:

# %% tags=["nbval-ignore-output"] slideshow={"slide_type": "skip"}
so_far = progress()
so_far

# %% slideshow={"slide_type": "skip"}
assert so_far.total >= 16  # that many exercises there are up to lesson 02

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 3}
# ## What to remember
#
# - Read, predict, run, explore, exercise. The prediction comes before the run.
# - Classical machine learning measures features that people chose; deep learning learns features from raw input, and wants more data and computing for it.
# - A network is a mapping with many tunable numbers. Training repeats: scores, loss, gradient, small step. Accuracy is measured on examples it has not learned from.
# - High confidence is not knowledge. The network was sure of noise, and a shift by four pixels made it misread most digits. Look at the worst mistakes.
# - Data, computing, interpretability and overfitting are the four standing problems.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. Why do we keep 10,000 digits apart?</summary>
#
# To measure what the network does on digits that it has not learned from. A network that knew its training digits by heart and nothing else would look perfect on them.
# </details>
#
# <details><summary>2. A tensor of pictures has shape (64, 28, 28). What shape has it after flatten(1), and what would flatten() without the 1 give?</summary>
#
# (64, 784): one row per picture. Without the 1 everything is laid end to end: (50176,), and one can no longer tell the pictures apart.
# </details>
#
# <details><summary>3. The network says "5, 99%" about a photograph of your cat. Is it broken?</summary>
#
# No. It can only spread 100% over ten digits, and nothing in its training told it to doubt. The number says how the scores compare with each other, not how likely it is to be right.
# </details>
#
# <details><summary>4. Why did a shift by four pixels do so much harm?</summary>
#
# Every pixel has weights of its own. The weights at the new place have learned what ink means there, which is something else. In the training set digits always stood in the middle.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/00_start_here.ipynb](exercises/00_start_here.ipynb). They are short: they are there so that you learn how checks work.
#
# | exercise | task | |
# |---|---|---|
# | 00.first_tensor | make a tensor | ● |
# | 00.shape_of_batch | from pictures to rows | ● |
# | 00.accuracy | the share that is right | ● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# You have driven the car. [Lesson 01](01_perceptron.ipynb) opens the bonnet and takes out the smallest part: one neuron.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). *Gradient-based learning applied to document recognition.* The origin of MNIST.
# - Y. LeCun, Y. Bengio, G. Hinton (2015). *Deep learning.* Nature 521. An overview by three of those who made the field.
# - A. Nguyen, J. Yosinski, J. Clune (2015). *Deep neural networks are easily fooled.* Sure answers to pictures that were made to fool a network, some of which look like noise.
# - I. Goodfellow, Y. Bengio, A. Courville (2016). *Deep Learning.* The standard textbook.
