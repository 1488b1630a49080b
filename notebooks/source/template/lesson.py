# %% [markdown] slideshow={"slide_type": "slide", "minutes": 2}
# # 99 · New lesson
#
# **The question:** FILL IN: what does this lesson answer?

# %% [markdown] slideshow={"slide_type": "subslide"}
# **You will be able to**
#
# - FILL IN: a thing the learner can do afterwards, such as "compute …";
# - FILL IN: another, such as "say why …";
# - FILL IN: a third, such as "see in a picture whether …".
#
# **Needs:** [lesson 98](98_before.ipynb) · **Read:** 45 minutes · **Run:** 10 seconds on two CPU cores

# %% slideshow={"slide_type": "skip"}
import matplotlib.pyplot as plt
import torch

from utils import plotting

plotting.use_style()

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 20}
# ## 1 · FILL IN: one idea
#
# FILL IN: the idea in everyday words, then an example that can be computed by hand. Here: the squares of 1, 2 and 3
# add up to $1 + 4 + 9 = 14$.
#
# Now the formula, and what each letter means:
#
# $$s = \sum_i x_i^2$$

# %% slideshow={"slide_type": "fragment"}
x = torch.tensor([1.0, 2.0, 3.0])  # (3,)
s = 0.0
for value in x:
    s += value.item() ** 2
s

# %% [markdown] slideshow={"slide_type": "subslide"}
# The same with torch's own operation. FILL IN: compare what was written by hand with torch, by value.

# %%
ours, theirs = torch.tensor(s), (x**2).sum()
print(f"by hand {ours:.1f}, torch {theirs:.1f}, difference {(ours - theirs).abs():.1e}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Exercise [99.sum_of_squares](exercises/99_template.ipynb)**

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 20}
# ## 2 · FILL IN: an experiment
#
# **Predict.** FILL IN: a question whose outcome can surprise. How fast does the sum grow with the number of terms?
# Write it down before you run the cell.

# %% slideshow={"slide_type": "subslide", "show": "output"}
counts = torch.arange(1, 21)
sums = torch.cumsum(counts**2, dim=0)
fig, ax = plt.subplots()
ax.plot(counts, sums, color=plotting.COLORS["accent"])
ax.set(xlabel="number of terms", ylabel="sum of squares", title="Twice the terms, about eight times the sum");

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What you see.** FILL IN: the picture in words, for those who cannot see it. One line that starts flat at the lower
# left and climbs ever more steeply; at 20 terms it has reached 2,870.

# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}
# ## What to remember
#
# - FILL IN: the first goal again, answered in one line.
# - FILL IN: the second.
# - FILL IN: the third.

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Check yourself
#
# <details><summary>1. FILL IN: a question about the first idea?</summary>
#
# FILL IN: its answer, in two or three sentences.
# </details>
#
# <details><summary>2. FILL IN: a question that needs both ideas?</summary>
#
# FILL IN: its answer, in two or three sentences.
# </details>
#
# <details><summary>3. FILL IN: a question about something that learners get wrong?</summary>
#
# FILL IN: its answer, in two or three sentences.
# </details>

# %% [markdown] slideshow={"slide_type": "subslide"}
# ## Exercises
#
# Open [exercises/99_template.ipynb](exercises/99_template.ipynb).
#
# | exercise | task | |
# |---|---|---|
# | 99.sum_of_squares | FILL IN: the task in a few words | ● |

# %% [markdown] slideshow={"slide_type": "notes"}
# ## Where next
#
# FILL IN: one sentence that leads to the next lesson.

# %% [markdown] slideshow={"slide_type": "skip"}
# ## References
#
# - FILL IN: Author (1958). *Title.* What it is used for here.
# - FILL IN: Author (1986). *Title.* What it is used for here.
# - FILL IN: Author (2015). *Title.* What it is used for here.
