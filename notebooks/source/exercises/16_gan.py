# %% [markdown]
# # 16 · Exercises: Two networks in a contest
#
# They go with [lesson 16](../16_gan.ipynb). Write your answer where the cell says so, run the cell, then run the
# check below it. It answers at once.

# %%
import torch
import torch.nn.functional as F

from utils.built import gan
from utils.checks import check, hint, progress

# %% exercise="16.discriminator_loss"
# === statement
# ### 16.discriminator_loss ● Telling real from made
#
# Write `discriminator_loss(real_logits, fake_logits)`: the mean of −ln D over the real data plus the mean of −ln(1 − D) over the
# made data, where D = sigmoid(logit) is the probability of "real". Value and gradient must stay right for logits of ±10,000.
# The check computes the gradient, too.
#
# - `real_logits`: what the discriminator says of real data, a tensor of any shape, floating point
# - `fake_logits`: what it says of made data; it may be more or fewer
# - returns: one number, a tensor of shape (), through which the gradient can go back
#
# For example, real logits 2 and 0.5 cost ln(1 + e⁻²) = 0.1269 and ln(1 + e^−0.5) = 0.4741, on average 0.3005. One made logit of
# −1 costs ln(1 + e⁻¹) = 0.3133. So `discriminator_loss(torch.tensor([2.0, 0.5]), torch.tensor([-1.0]))` is `tensor(0.6138)`.
# === code
def discriminator_loss(real_logits, fake_logits):
    """Mean of −ln D over real data plus mean of −ln(1 − D) over made data, from logits."""
    # === solution
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    # === stub
    raise NotImplementedError("write discriminator_loss, then run this cell and the check below")
    # === end
# === explanation
# −ln sigmoid(a) is ln(1 + e^(−a)), which is softplus(−a); and 1 − sigmoid(a) is sigmoid(−a), so the other part is softplus(a). Each has
# its own mean, so that the two sides weigh the same even if one of them is longer.
#
# `F.binary_cross_entropy_with_logits` with targets 1 for the real and 0 for the made ones, once for each, is the same. A discriminator
# that always says one half has the loss 2 ln 2 = 1.386.

# %% exercise="16.generator_loss"
# === statement
# ### 16.generator_loss ● A loss that pulls when it goes badly
#
# Write `generator_loss(fake_logits)`: the **non-saturating** loss of the generator, the mean of −ln D over what it has made, with
# D = sigmoid(logit). Value and gradient must stay right for logits of ±10,000. The check computes the gradient, too.
#
# - `fake_logits`: what the discriminator says of made data, a tensor of any shape, floating point
# - returns: one number, a tensor of shape (), through which the gradient can go back
#
# For example, logits −2 and 1 cost ln(1 + e²) = 2.1269 and ln(1 + e⁻¹) = 0.3133:
# `generator_loss(torch.tensor([-2.0, 1.0]))` is `tensor(1.2201)`.
# === code
def generator_loss(fake_logits):
    """Mean of −ln D over what the generator has made, from logits."""
    # === solution
    return F.softplus(-fake_logits).mean()
    # === stub
    raise NotImplementedError("write generator_loss, then run this cell and the check below")
    # === end
# === explanation
# It is the cross-entropy with target 1, as if the made data were real: that is what the generator wants the discriminator to say.
#
# Its slope by the logit is −(1 − D): nearly −1 where the discriminator is sure that the thing is made. The value of the game
# itself, the mean of ln(1 − D), has the slope −D there, nearly 0: a generator that does badly would learn nothing.

# %% exercise="16.best_discriminator"
# === statement
# ### 16.best_discriminator ● Nobody could judge better
#
# Write `best_discriminator(p_data, p_model)`: at each place the probability of "real" that the best discriminator gives, the share of
# the data's density in both together. Where both densities are 0 nothing is ever seen: there return 1/2.
#
# - `p_data`: density of the data at some places, a tensor of any shape, floating point, 0 or more
# - `p_model`: density of the made data at the same places, same shape
# - returns: a tensor of that shape, each number from 0 to 1
#
# For example, densities 0.6 and 0.2 give 0.6 / 0.8 = 0.75. For `p_data` = (0.6, 0.1, 0, 0.5, 0) and `p_model` = (0.2, 0.1, 0.4, 0, 0) the
# answer is `tensor([0.7500, 0.5000, 0.0000, 1.0000, 0.5000])`.
# === code
def best_discriminator(p_data, p_model):
    """The data's share of both densities; 1/2 where both are 0."""
    # === solution
    total = p_data + p_model
    nowhere = total == 0
    share = p_data / torch.where(nowhere, torch.ones_like(total), total)
    return torch.where(nowhere, torch.full_like(share, 0.5), share)
    # === stub
    raise NotImplementedError("write best_discriminator, then run this cell and the check below")
    # === end
# === explanation
# Of all that is met at a place, the share p_data / (p_data + p_model) is real. The division by 1 at places where nothing is met avoids
# 0/0; its result is thrown away. `torch.nan_to_num(share, nan=0.5)` mends the NaN afterwards and is right as well.
#
# A small number added to the denominator is no way round: it makes every place with a small density wrong, however clear the
# share is there.

# %% exercise="16.gan_step"
# === statement
# ### 16.gan_step ●●● One whole step of the contest
#
# Write `gan_step(generator, discriminator, opt_g, opt_d, real, z)`: first the discriminator makes one step, then the generator makes one
# against the discriminator as it is **then**. Both halves use the same made data, `generator(z)`.
#
# - `generator`, `discriminator`: modules; `discriminator(x)` gives one logit for each row of x
# - `opt_g`, `opt_d`: an optimizer for the weights of each. Gradients from before may lie in both networks.
# - `real`: real data, shape (N, d); `z`: latent vectors, shape (B, d_z)
# - returns: `(loss_d, loss_g)`, two floats: each loss just before the step that it leads to
#
# The discriminator's loss must not send a gradient into the generator, and no gradient of the generator's loss may end up in a
# step of the discriminator. The two losses of the lesson are at hand as `gan.discriminator_loss(real_logits, fake_logits)` and
# `gan.generator_loss(fake_logits)`.
#
# For example, with a discriminator of weight 1 and bias 0, D(x) = sigmoid(x), one real number 1 and one made number −1, `loss_d` is
# ln(1 + e⁻¹) + ln(1 + e⁻¹) = 0.6265. With a rate of 0.1 its weight moves to 1 + 0.1 · (0.2689 + 0.2689) = 1.0538. Then `loss_g` is
# ln(1 + e^1.0538) = 1.3529, no longer 1.3133.
# === code
def gan_step(generator, discriminator, opt_g, opt_d, real, z):
    """One step of the discriminator, then one of the generator; their losses as floats (loss_d, loss_g)."""
    # === solution
    fake = generator(z)
    loss_d = gan.discriminator_loss(discriminator(real), discriminator(fake.detach()))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    loss_g = gan.generator_loss(discriminator(fake))
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    return loss_d.item(), loss_g.item()
    # === stub
    raise NotImplementedError("write gan_step, then run this cell and the check below")
    # === end
# === explanation
# `detach` cuts the made data off from the generator: to the discriminator they are just data. In the second half nothing is cut
# off: the gradient has to go through the discriminator to reach the generator. On its way it also fills the gradients of the
# discriminator's weights. `opt_g` does not move them, and `opt_d.zero_grad()` throws them away before the next step.
#
# The discriminator is asked twice about the made data, since it has changed in between. One may also make the first half's data under
# `torch.no_grad()` and make them once more for the second.

# %% exercise="16.interpolate"
# === statement
# ### 16.interpolate ● From one code to another
#
# Write `interpolate(z1, z2, steps)`: points at equal distances on the straight line from z1 to z2, both ends included.
#
# - `z1`, `z2`: two latent vectors, tensors of the same shape, usually (d_z,)
# - `steps`: how many points, ends included, 2 or more
# - returns: a tensor of shape (steps, *z1.shape), z1 first and z2 last
#
# For example, from (0, 2) to (4, 0) in 5 points: (0, 2), (1, 1.5), (2, 1), (3, 0.5), (4, 0).
# === code
def interpolate(z1, z2, steps):
    """Points on the straight line from z1 to z2, shape (steps, *z1.shape)."""
    # === solution
    t = torch.linspace(0, 1, steps, dtype=z1.dtype)
    t = t.reshape(-1, *[1] * z1.dim())  # (steps, 1, …)
    return (1 - t) * z1 + t * z2
    # === stub
    raise NotImplementedError("write interpolate, then run this cell and the check below")
    # === end
# === explanation
# Between 5 points there are 4 gaps, so t goes in steps of 1/4; `linspace` counts the ends in. With as many axes of size 1 as z1 has, t meets
# z1 by broadcasting. A list of points, one for each t, and `torch.stack` do the same.
#
# Halfway between two random codes of many numbers the code is about 0.7 times as long as they are. Some walk on an arc instead, where
# the length stays.

# %% exercise="16.modes_covered"
# === statement
# ### 16.modes_covered ●● How many modes are there?
#
# Write `modes_covered(samples, centres, radius)`: how many centres have at least one sample no further away than the radius, without a
# loop over the samples.
#
# - `samples`: points, shape (N, d), floating point; there may be none
# - `centres`: the middle of each mode, shape (K, d), K ≥ 1
# - `radius`: the largest (Euclidean) distance that still counts, a float
# - returns: a whole number (int) from 0 to K
#
# For example, samples (0, 0), (0.5, 0) and (3, 3), centres (0, 0), (4, 0) and (3, 4), radius 1. The first centre has two samples near,
# the second none, the third has one at a distance of exactly 1, which counts. The answer is 2.
# === code
def modes_covered(samples, centres, radius):
    """Number of centres with at least one sample within the radius."""
    # === solution
    differences = samples[:, None] - centres  # (N, K, d)
    near = differences.square().sum(dim=-1) <= radius**2  # (N, K)
    return int(near.any(dim=0).sum())
    # === stub
    raise NotImplementedError("write modes_covered, then run this cell and the check below")
    # === end
# === explanation
# A table of all distances, then for each centre (a column) the question whether any sample (a row) is near, then a count. `any` of
# no rows is False, so without samples the answer is 0.
#
# It is an honest count only if the radius is small against the distance of the modes, and it does not see how many samples each mode
# gets. 499 of 500 samples at one centre and one stray point at each other would count as full cover.

# %%
progress()
