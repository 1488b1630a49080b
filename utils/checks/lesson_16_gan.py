"""The exercises of lesson 16 as data: two losses, the best discriminator, a step, a line of codes, modes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked, Stopped
from .guard import load_optimizers_for
from .values import kind_words


def loss_and_gradients(work: Callable, *logits: Tensor) -> Any:
    """Probe of both losses: the loss and its gradient for each tensor of logits.

    Raises:
        NotAsAsked: if the work returns no single number, or one through which no gradient goes back.
    """
    leaves = [part.detach().clone().requires_grad_() for part in logits]
    loss = work(*leaves)
    if loss is None:
        return None  # the usual comparison says what is wrong
    if isinstance(loss, Tensor) and loss.shape != ():
        raise NotAsAsked(
            "The loss should be one number, a tensor of shape (), but it is a tensor of shape "
            f"{tuple(loss.shape)}."
        )
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise NotAsAsked(
            "The loss should be a tensor through which the gradient can go back to the logits: no `.item()`, "
            "no `.detach()`, nothing from `math`."
        )
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    names = ("gradient of real_logits", "gradient of fake_logits")[-len(leaves) :]
    found: dict[str, Any] = {"loss": loss.detach()}
    for name, leaf, gradient in zip(names, leaves, gradients, strict=True):
        found[name] = torch.zeros_like(leaf) if gradient is None else gradient
    return found


# --------------------------------------------------------------------------- 16.discriminator_loss


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of −ln D over real data plus mean of −ln(1 − D) over made data, from logits."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def discriminator_loss_cases(generator: torch.Generator) -> list[Case]:
    """No logit is exactly 0, where a corner that some right solutions have inside would show."""
    n, m = whole_number(generator, 4, 6), whole_number(generator, 7, 9)

    def pair(*shapes: tuple[int, ...], scale: float = 2.0) -> tuple[Tensor, ...]:
        return tuple(normal(generator, *shape, scale=scale) + 0.001 for shape in shapes)

    large = torch.tensor([1e4, 200.0])
    return [
        Case("values", (torch.tensor([2.0, 0.5]), torch.tensor([-1.0])), "the example of the statement"),
        Case("values", pair((n,), (n,)), "as many made as real ones"),
        Case("values", pair((n, 1), (n, 1)), "logits in a column"),
        Case("shapes", pair((1,), (m,)), "a single real one"),
        Case("shapes", pair((n,), (m, 1)), "one in a row, the other in a column"),
        Case("types", tuple(part.double() for part in pair((n,), (m,))), "float64"),
        Case("edge cases", (torch.tensor([20.0, 30.0]), torch.tensor([-20.0, -30.0])), "sure and right"),
        Case("edge cases", (-large, torch.tensor([-2.0])), "very sure of real ones, and wrong"),
        Case("edge cases", (torch.tensor([2.0]), large), "very sure of made ones, and wrong"),
        Case("edge cases", (large, -large), "very sure, and right"),
        Case("edge cases", (torch.tensor([-20.0]), torch.tensor([20.0])), "sure, and wrong on both sides"),
    ]


def _d(body: str) -> str:
    return f"def discriminator_loss(real_logits, fake_logits):\n{body}"


_TWO = "    p, q = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)\n"

DISCRIMINATOR_LOSS = Exercise(
    id="16.discriminator_loss",
    name="discriminator_loss",
    title="Telling real from made",
    difficulty=1,
    points=2,
    minutes=5,
    cases=discriminator_loss_cases,
    reference=discriminator_loss,
    probe=loss_and_gradients,
    result="one number, a tensor of shape (), with a gradient",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F},
    misconceptions=(
        Misconception(
            "labels swapped",
            _d("    return F.softplus(real_logits).mean() + F.softplus(-fake_logits).mean()\n"),
            "Your labels are swapped: this discriminator is rewarded for calling real data made and made "
            "data real. A large logit means “real”, and that should be cheap for the real ones.",
        ),
        Misconception(
            "only the real ones",
            _d("    return F.softplus(-real_logits).mean()\n"),
            "Only the real data count with you. A discriminator that calls everything real would have the "
            "loss 0. The made ones belong in, too.",
        ),
        Misconception(
            "only the made ones",
            _d("    return F.softplus(fake_logits).mean()\n"),
            "Only the made data count with you. A discriminator that calls everything made would have the "
            "loss 0. The real ones belong in, too.",
        ),
        Misconception(
            "both taken for real",
            _d("    return F.softplus(-real_logits).mean() + F.softplus(-fake_logits).mean()\n"),
            "You treat both kinds as real. For the made ones the probability that counts is that of “made”, "
            "1 − D, and it is the sigmoid of minus the logit.",
        ),
        Misconception(
            "both taken for made",
            _d("    return F.softplus(real_logits).mean() + F.softplus(fake_logits).mean()\n"),
            "You treat both kinds as made. For the real ones it is D itself whose logarithm counts.",
        ),
        Misconception(
            "sums for means",
            _d("    return F.softplus(-real_logits).sum() + F.softplus(fake_logits).sum()\n"),
            "Both terms are right, but you add up over the data. Asked for is the mean of each.",
        ),
        Misconception(
            "half of it",
            _d("    return (F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()) / 2\n"),
            "Your loss is half of what is asked for: the two means are added, not averaged. (Many programs "
            "take the half. It is the same as a smaller learning rate.)",
        ),
        Misconception(
            "one mean over all",
            _d(
                "    costs = [F.softplus(-real_logits).flatten(), F.softplus(fake_logits).flatten()]\n"
                "    return torch.cat(costs).mean()\n"
            ),
            "You take one mean over everything together. Each side has its own mean, and the two are added.",
        ),
        Misconception(
            "the value of the game",
            _d("    return -F.softplus(-real_logits).mean() - F.softplus(fake_logits).mean()\n"),
            "This is the value of the game, which the discriminator wants to be large. An optimizer goes "
            "downhill: its loss is minus that, and never below 0.",
        ),
        Misconception(
            "real minus made",
            _d("    return F.softplus(-real_logits).mean() - F.softplus(fake_logits).mean()\n"),
            "You subtract the part of the made data. An error on either side costs something, so both are "
            "added.",
        ),
        Misconception(
            "sigmoid first, then log",
            _d(_TWO + "    return -torch.log(p).mean() - torch.log(1 - q).mean()\n"),
            "Right on paper. But for large logits the sigmoid is exactly 0 or 1 in the computer, and the "
            "logarithm of 0 is −inf. Start from the logits: lesson 05 has a function for ln(1 + e^a).",
        ),
        Misconception(
            "a little added before the log",
            _d(_TWO + "    return -torch.log(p + 1e-8).mean() - torch.log(1 - q + 1e-8).mean()\n"),
            "A small number inside the logarithm avoids log 0. But the loss stops growing, and the gradient "
            "is 0 just where the discriminator is most wrong.",
        ),
        Misconception(
            "torch's loss for probabilities",
            _d(
                _TWO + "    real = F.binary_cross_entropy(p, torch.ones_like(p))\n"
                "    return real + F.binary_cross_entropy(q, torch.zeros_like(q))\n"
            ),
            "You take the sigmoid and then torch's loss for probabilities. It cuts the logarithm off at "
            "−100, so for large logits value and gradient are wrong. Start from the logits.",
        ),
        Misconception(
            "softplus taken literally",
            _d(
                "    real = torch.log(1 + torch.exp(-real_logits)).mean()\n"
                "    return real + torch.log(1 + torch.exp(fake_logits)).mean()\n"
            ),
            "The formula is right. But e^a overflows for large a, and the loss is inf. torch has ln(1 + e^a) "
            "as one function that does not.",
        ),
        Misconception(
            "sigmoid twice",
            _d(
                _TWO + "    real = F.binary_cross_entropy_with_logits(p, torch.ones_like(p))\n"
                "    return real + F.binary_cross_entropy_with_logits(q, torch.zeros_like(q))\n"
            ),
            "You take the sigmoid, and the function for logits takes it once more. Hand it the logits as "
            "they are.",
        ),
        Misconception(
            "squared distances",
            _d(_TWO + "    return ((p - 1) ** 2).mean() + (q**2).mean()\n"),
            "You take squared distances from the labels 1 and 0. Asked for are logarithms: the surprise at "
            "the right label.",
        ),
        Misconception(
            "probabilities without a logarithm",
            _d(_TWO + "    return (1 - p).mean() + q.mean()\n"),
            "You add up the probabilities of the wrong answer. The logarithm is missing: a sure error should "
            "cost much more than twice a half-sure one.",
        ),
        Misconception(
            "difference of the logits",
            _d("    return fake_logits.mean() - real_logits.mean()\n"),
            "You compare the mean logits themselves. Another kind of GAN does that, but here the loss is a "
            "cross-entropy, and logits that are right already should cost next to nothing.",
        ),
        Misconception(
            "a hinge",
            _d("    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()\n"),
            "This is a hinge: it is 0 for every logit beyond 1. Asked for is the cross-entropy, which is "
            "never quite 0.",
        ),
        Misconception(
            "added one by one",
            _d("    return (F.softplus(-real_logits) + F.softplus(fake_logits)).mean()\n"),
            "You add the two before you take the mean. There need not be as many of one kind as of the "
            "other, and a row added to a column makes a table.",
        ),
        Misconception(
            "logarithm of the mean",
            _d(_TWO + "    return -torch.log(p.mean()) - torch.log(1 - q.mean())\n"),
            "You take the mean of the probabilities first and the logarithm of that. The other way round: "
            "the logarithm of each, then the mean. And for large logits it must not become inf.",
        ),
        Misconception(
            "logits taken for probabilities",
            _d("    return -torch.log(real_logits).mean() - torch.log(1 - fake_logits).mean()\n"),
            "You take the logarithm of the logits themselves. A logit is no probability and may be negative:"
            " D is its sigmoid.",
        ),
        Misconception(
            "loss of the mean logits",
            _d("    return F.softplus(-real_logits.mean()) + F.softplus(fake_logits.mean())\n"),
            "You take the mean of the logits first and the loss of that. Each example has a loss of its own;"
            " the mean comes last.",
        ),
        Misconception(
            "made logits cut off",
            _d("    return F.softplus(-real_logits).mean() + F.softplus(fake_logits.detach()).mean()\n"),
            "The number is right, but you cut off the made logits, so the discriminator learns nothing from "
            "them. Where to cut is decided by whoever calls this: before the discriminator, not behind it.",
        ),
    ),
    hints=(
        "This is binary cross-entropy, once with target 1 and once with target 0. What becomes of "
        "−ln sigmoid(a) if you write the sigmoid out?",
        "−ln sigmoid(a) = ln(1 + e^(−a)), which torch calls softplus of −a. And 1 − sigmoid(a) is "
        "sigmoid(−a). Take each mean by itself, then add.",
    ),
    alternatives=(
        _d(
            "    real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))\n"
            "    fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))\n"
            "    return real + fake\n"
        ),
        _d("    return -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()\n"),
        _d(
            "    zero = torch.zeros((), dtype=real_logits.dtype)\n"
            "    real = torch.logaddexp(zero, -real_logits).mean()\n"
            "    return real + torch.logaddexp(zero, fake_logits).mean()\n"
        ),
    ),
)


# ------------------------------------------------------------------------------- 16.generator_loss


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Mean of −ln D over what the generator has made, from logits."""
    return F.softplus(-fake_logits).mean()


def generator_loss_cases(generator: torch.Generator) -> list[Case]:
    """No logit is exactly 0, where a corner that some right solutions have inside would show."""
    n = whole_number(generator, 4, 9)

    def logits(*shape: int) -> tuple[Tensor]:
        return (normal(generator, *shape, scale=2.0) + 0.001,)

    return [
        Case("values", (torch.tensor([-2.0, 1.0]),), "the example of the statement"),
        Case("values", logits(n)),
        Case("values", logits(n, 1), "logits in a column"),
        Case("shapes", logits(1), "a batch of one"),
        Case("shapes", logits(3, n), "a table"),
        Case("types", (logits(n)[0].double(),), "float64"),
        Case("edge cases", (torch.tensor([-20.0, -9.0]),), "the discriminator is sure that they are made"),
        Case("edge cases", (torch.tensor([-1e4, -200.0]),), "very sure"),
        Case("edge cases", (torch.tensor([1e4, 200.0]),), "very sure that they are real"),
    ]


def _g(body: str) -> str:
    return f"def generator_loss(fake_logits):\n{body}"


_ONE = "    p = torch.sigmoid(fake_logits)\n"

GENERATOR_LOSS = Exercise(
    id="16.generator_loss",
    name="generator_loss",
    title="A loss that pulls when it goes badly",
    difficulty=1,
    points=2,
    minutes=5,
    cases=generator_loss_cases,
    reference=generator_loss,
    probe=loss_and_gradients,
    result="one number, a tensor of shape (), with a gradient",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F},
    misconceptions=(
        Misconception(
            "saturating",
            _g("    return -F.softplus(fake_logits).mean()\n"),
            "This is the mean of ln(1 − D), as it stands in the value of the game. Its gradient is almost 0 "
            "where the discriminator is sure, just when the generator has most to learn. Use the form that "
            "does not saturate.",
        ),
        Misconception(
            "saturating, and it overflows",
            _g(_ONE + "    return torch.log(1 - p).mean()\n"),
            "This is the mean of ln(1 − D), as it stands in the value of the game, and for large logits it "
            "is −inf. Its gradient is almost 0 where the generator has most to learn: use the other form, "
            "from the logits.",
        ),
        Misconception(
            "target zeros",
            _g("    return F.softplus(fake_logits).mean()\n"),
            "This is the cross-entropy with target 0, the discriminator's own view: the generator would "
            "learn to be recognised. It wants to be taken for real.",
        ),
        Misconception(
            "sign lost",
            _g("    return -F.softplus(-fake_logits).mean()\n"),
            "This is the mean of ln D, which the generator wants to be large. An optimizer goes downhill, so "
            "the loss is minus that.",
        ),
        Misconception(
            "sum for mean",
            _g("    return F.softplus(-fake_logits).sum()\n"),
            "The terms are right, but you add up over the batch. Take the mean.",
        ),
        Misconception(
            "sigmoid first, then log",
            _g(_ONE + "    return -torch.log(p).mean()\n"),
            "Right on paper. But for a very negative logit a the sigmoid is exactly 0 in the computer, "
            "since e^(−a) overflows, and the loss is inf. Use a function that takes the logit itself.",
        ),
        Misconception(
            "a little added before the log",
            _g(_ONE + "    return -torch.log(p + 1e-8).mean()\n"),
            "A small number inside the logarithm avoids log 0. But then the gradient is 0 where the "
            "discriminator is very sure: the loss saturates again.",
        ),
        Misconception(
            "torch's loss for probabilities",
            _g(_ONE + "    return F.binary_cross_entropy(p, torch.ones_like(p))\n"),
            "Your loss never exceeds 100. torch's loss for probabilities is cut off there, so for very "
            "negative logits value and gradient are wrong. Start from the logits as they are.",
        ),
        Misconception(
            "the size forgotten",
            _g("    return torch.log1p(torch.exp(-fake_logits.abs())).mean()\n"),
            "For positive logits this is right. For negative ones the part that grows is missing: the more "
            "surely a thing is recognised, the more it should cost.",
        ),
        Misconception(
            "sigmoid twice",
            _g(_ONE + "    return F.binary_cross_entropy_with_logits(p, torch.ones_like(p))\n"),
            "You take the sigmoid, and the function for logits takes it once more. Hand it the logits as "
            "they are.",
        ),
        Misconception(
            "minus the mean logit",
            _g("    return -fake_logits.mean()\n"),
            "You use the logits themselves. Another kind of GAN does that. Here the loss is −ln D, which is "
            "nearly 0 for what passes as real already.",
        ),
        Misconception(
            "probability of made",
            _g(_ONE + "    return (1 - p).mean()\n"),
            "This is the mean of 1 − D. The logarithm is missing, and without it the gradient vanishes at "
            "both ends.",
        ),
        Misconception(
            "squared distance",
            _g(_ONE + "    return ((1 - p) ** 2).mean()\n"),
            "You take the squared distance from the label 1. Asked for is a logarithm, −ln D.",
        ),
        Misconception(
            "logarithm of the mean",
            _g(_ONE + "    return -torch.log(p.mean())\n"),
            "You take the mean of the probabilities first and the logarithm of that. The other way round: "
            "the logarithm of each, then the mean. And for large logits it must not become inf.",
        ),
        Misconception(
            "loss of the mean logit",
            _g("    return F.softplus(-fake_logits.mean())\n"),
            "You take the mean of the logits first and the loss of that. Each made thing has a loss of its "
            "own; the mean comes last.",
        ),
        Misconception(
            "both targets",
            _g("    return F.softplus(-fake_logits).mean() + F.softplus(fake_logits).mean()\n"),
            "You add the losses for both labels. Their sum is smallest at D = 1/2, so the generator would "
            "stop there. It wants one label only.",
        ),
        Misconception(
            "twice as much",
            _g("    return 2 * F.softplus(-fake_logits).mean()\n"),
            "Your loss is twice what is asked for. There is one term only, the one of the made data.",
        ),
        Misconception(
            "one for each",
            _g("    return F.softplus(-fake_logits)\n"),
            "You return one loss for each made thing. Asked for is their mean, one number.",
        ),
        Misconception(
            "logits taken for probabilities",
            _g("    return -torch.log(fake_logits).mean()\n"),
            "You take the logarithm of the logits themselves. A logit is no probability and may be negative:"
            " D is its sigmoid.",
        ),
    ),
    hints=(
        "What does the generator want the discriminator to say of its work? Which target is that in a binary "
        "cross-entropy?",
        "It is the part of the discriminator's loss that belongs to real data, but with the made logits.",
    ),
    alternatives=(
        _g("    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))\n"),
        _g("    return -F.logsigmoid(fake_logits).mean()\n"),
        _g("    return torch.logaddexp(torch.zeros((), dtype=fake_logits.dtype), -fake_logits).mean()\n"),
        _g("    return (F.softplus(fake_logits) - fake_logits).mean()\n"),
    ),
)


# --------------------------------------------------------------------------- 16.best_discriminator


def best_discriminator(p_data: Tensor, p_model: Tensor) -> Tensor:
    """The data's share of both densities; 1/2 where both are 0."""
    total = p_data + p_model
    nowhere = total == 0
    share = p_data / torch.where(nowhere, torch.ones_like(total), total)
    return torch.where(nowhere, torch.full_like(share, 0.5), share)


def best_discriminator_cases(generator: torch.Generator) -> list[Case]:
    n = whole_number(generator, 5, 8)

    def densities(*shape: int) -> tuple[Tensor, Tensor]:
        return (
            torch.rand(shape, generator=generator) + 0.02,
            2 * torch.rand(shape, generator=generator) + 0.02,
        )

    example = (torch.tensor([0.6, 0.1, 0.0, 0.5, 0.0]), torch.tensor([0.2, 0.1, 0.4, 0.0, 0.0]))
    return [
        Case("values", example, "the example of the statement"),
        Case("values", densities(n)),
        Case("values", (torch.tensor([0.3, 0.2]), torch.tensor([0.3, 0.2])), "the same densities"),
        Case("shapes", densities(1), "a single place"),
        Case("shapes", densities(3, n), "places in the plane"),
        Case("types", tuple(part.double() for part in densities(n)), "float64"),
        Case("edge cases", (torch.zeros(3), torch.zeros(3)), "nothing anywhere"),
        Case(
            "edge cases",
            (torch.tensor([3e-8, 3e-12, 1e-20, 0.0]), torch.tensor([1e-8, 1e-12, 3e-20, 1e-25])),
            "very small densities",
        ),
        Case("edge cases", (torch.tensor([400.0, 3e6]), torch.tensor([100.0, 1e6])), "very large densities"),
    ]


def _b(body: str) -> str:
    return f"def best_discriminator(p_data, p_model):\n{body}"


BEST_DISCRIMINATOR = Exercise(
    id="16.best_discriminator",
    name="best_discriminator",
    title="Nobody could judge better",
    difficulty=1,
    points=2,
    minutes=8,
    cases=best_discriminator_cases,
    reference=best_discriminator,
    result="a tensor of the same shape, from 0 to 1",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F},
    misconceptions=(
        Misconception(
            "zero over zero",
            _b("    return p_data / (p_data + p_model)\n"),
            "The share is right. But where both densities are 0 you divide 0 by 0, and that is NaN. There "
            "the answer should be 1/2.",
        ),
        Misconception(
            "a little in the denominator",
            _b("    return p_data / (p_data + p_model + 1e-8)\n"),
            "A small number in the denominator avoids 0/0. But it gives 0 where nothing is seen, and wrong "
            "shares where both densities are small.",
        ),
        Misconception(
            "a little on both sides",
            _b("    return (p_data + 1e-8) / (p_data + p_model + 2e-8)\n"),
            "Clever: where both densities are 0 this gives 1/2. But where they are merely small it gives 1/2 "
            "as well, however clear the share is there.",
        ),
        Misconception(
            "small taken for nothing",
            _b(
                "    total = p_data + p_model\n"
                "    share = p_data / total.clamp(min=1e-6)\n"
                "    return torch.where(total < 1e-6, torch.full_like(share, 0.5), share)\n"
            ),
            "You treat very small densities as if they were 0. Even at a place that is seldom seen the share "
            "is what counts. Only exact zeros are special.",
        ),
        Misconception(
            "zero where nothing is",
            _b("    return torch.nan_to_num(p_data / (p_data + p_model))\n"),
            "Where both densities are 0 you answer 0, which says “surely made”. Nothing is known there: "
            "answer 1/2.",
        ),
        Misconception(
            "one where nothing is",
            _b("    return torch.nan_to_num(p_data / (p_data + p_model), nan=1.0)\n"),
            "Where both densities are 0 you answer 1, which says “surely real”. Nothing is known there: "
            "answer 1/2.",
        ),
        Misconception(
            "the generator's share",
            _b("    return torch.nan_to_num(p_model / (p_data + p_model), nan=0.5)\n"),
            "You return the share of the made data. The discriminator gives the probability of “real”.",
        ),
        Misconception(
            "the ratio",
            _b("    return torch.nan_to_num(p_data / p_model, nan=0.5)\n"),
            "You divide one density by the other. That can be larger than 1. A share is a part of the whole: "
            "of both together.",
        ),
        Misconception(
            "the ratio, cut off at one",
            _b("    return torch.nan_to_num(p_data / p_model, nan=0.5).clamp(max=1)\n"),
            "You divide one density by the other and cut off what is too large. With equal densities half of "
            "what is met is real, so the answer there is 1/2, not 1.",
        ),
        Misconception(
            "yes or no",
            _b(
                "    more = (p_data > p_model).to(p_data.dtype)\n"
                "    return torch.where(p_data == p_model, torch.full_like(more, 0.5), more)\n"
            ),
            "You decide for the larger density. That is how one would guess, but the discriminator gives a "
            "probability: with 3 to 1 it is 3/4, not 1.",
        ),
        Misconception(
            "sigmoid of the difference",
            _b("    return torch.sigmoid(p_data - p_model)\n"),
            "The sigmoid of the difference is a number between 0 and 1, but not the right one: for densities "
            "0.6 and 0 it gives 0.65, where everything that is met is real.",
        ),
        Misconception(
            "the difference",
            _b("    return p_data - p_model\n"),
            "You subtract. That is no probability; it can be below 0. Count how much of what is met at a "
            "place is real.",
        ),
        Misconception(
            "normalised over the places",
            _b("    return p_data / p_data.sum().clamp(min=1e-38)\n"),
            "You divide by the sum over all places. Each place is judged by itself: by the two densities "
            "there.",
        ),
        Misconception(
            "divided by the total of all places",
            _b(
                "    total = p_data + p_model\n"
                "    share = p_data / total.sum()\n"
                "    return torch.where(total == 0, torch.full_like(share, 0.5), share)\n"
            ),
            "You divide by the sum of both densities over all places. Only what is met at the same place "
            "belongs in the denominator.",
        ),
        Misconception(
            "the mean of both",
            _b("    return (p_data + p_model) / 2\n"),
            "This is the mean of the two densities: how often something is met here, not how much of it is "
            "real.",
        ),
        Misconception(
            "half everywhere",
            _b("    return torch.full_like(p_data, 0.5)\n"),
            "1/2 everywhere is the best answer only once both densities are equal, at the end of a perfect "
            "contest.",
        ),
        Misconception(
            "the logit",
            _b("    return torch.nan_to_num(torch.log(p_data / p_model), nan=0.0)\n"),
            "This is the logit of the best discriminator, ln p_data − ln p_model. Asked for is the "
            "probability.",
        ),
        Misconception(
            "squares",
            _b("    return torch.nan_to_num(p_data**2 / (p_data**2 + p_model**2), nan=0.5)\n"),
            "You weigh with the squares of the densities. Of 3 real and 1 made thing 3 of 4 are real, not 9 "
            "of 10.",
        ),
        Misconception(
            "half where one of them is zero",
            _b(
                "    share = p_data / (p_data + p_model)\n"
                "    return torch.where((p_data == 0) | (p_model == 0), torch.full_like(share, 0.5), share)\n"
            ),
            "You answer 1/2 wherever one of the densities is 0. Where only one of the two kinds is met, the "
            "answer is sure: 1 or 0. 1/2 is for places where both are 0.",
        ),
        Misconception(
            "half where nothing is made",
            _b(
                "    share = p_data / (p_data + p_model)\n"
                "    return torch.where(p_model == 0, torch.full_like(share, 0.5), share)\n"
            ),
            "You answer 1/2 wherever nothing is made. If there are data at such a place, all that is met is "
            "real, and the answer is 1.",
        ),
    ),
    hints=(
        "At one place 6 real things are met for every 2 made ones. Someone shows you a thing from there. How "
        "likely is it real?",
        "The density of the data, divided by the sum of both. Then take care of places where the sum is 0: "
        "`torch.where` chooses between two tensors.",
    ),
    alternatives=(
        _b("    return torch.nan_to_num(p_data / (p_data + p_model), nan=0.5)\n"),
        _b(
            "    total = p_data + p_model\n"
            "    out = torch.full_like(total, 0.5)\n"
            "    seen = total > 0\n"
            "    out[seen] = p_data[seen] / total[seen]\n"
            "    return out\n"
        ),
        _b(
            "    share = 1 / (1 + p_model / p_data)\n"
            "    return torch.where((p_data == 0) & (p_model == 0), torch.full_like(share, 0.5), share)\n"
        ),
    ),
)


# ------------------------------------------------------------------------------------- 16.gan_step


def gan_step(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    real: Tensor,
    z: Tensor,
) -> tuple[float, float]:
    """One step of the discriminator, then one of the generator; their losses as floats."""
    fake = generator(z)
    loss_d = discriminator_loss(discriminator(real), discriminator(fake.detach()))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = generator_loss(discriminator(fake))
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    return loss_d.item(), loss_g.item()


_REACHED = "a gradient reaches the generator"
_LEAK = "a gradient reaches the generator before the discriminator has stepped"


class _Noting(torch.optim.SGD):
    """An optimizer that writes into a list when it steps."""

    def __init__(self, parameters: Any, lr: float, name: str, events: list[str]) -> None:
        super().__init__(parameters, lr=lr)
        self.name, self.events = name, events

    def step(self, closure: Callable | None = None) -> Any:
        self.events.append(self.name)
        return super().step(closure)


def _network(weights: list[Tensor]) -> nn.Sequential:
    """Dense layers with these weights (out, in), leaky ReLU between them, small biases if more than one."""
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):  # layers draw weights before they get these
        for W in weights:
            layer = nn.Linear(W.shape[1], W.shape[0], dtype=W.dtype)
            with torch.no_grad():
                layer.weight.copy_(W)
                layer.bias.copy_(W.mean(dim=1) / 2 if len(weights) > 1 else torch.zeros(len(W)))
            layers += [nn.LeakyReLU(0.2), layer] if layers else [layer]
    return nn.Sequential(*layers)


def _plain(value: Any, what: str) -> float:
    if isinstance(value, Tensor) and value.requires_grad:
        raise NotAsAsked(
            f"{what} is a tensor that still holds its graph. It should be a plain number: whoever keeps it "
            "would keep the whole computation in memory."
        )
    if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
        raise NotAsAsked(f"{what} should be a number, but it is {kind_words(value)}.")
    return float(value)


def two_rounds(
    work: Callable,
    generator: list[Tensor],
    discriminator: list[Tensor],
    real: Tensor,
    z: Tensor,
    lr: float,
    left: float,
) -> dict[str, Any]:
    """Probe: two steps of the contest; `left` is what lies in all gradients before.

    A gradient that reaches the generator before the discriminator has stepped comes from the
    discriminator's loss, or from a half that came too early. It is written down, since a later `zero_grad`
    may hide it: in words, as True and False would be explained as numbers.
    """
    G, D = _network(generator), _network(discriminator)
    for p in (*G.parameters(), *D.parameters()):
        p.grad = torch.full_like(p, left) if left else None
    events: list[str] = []
    opt_g = _Noting(G.parameters(), lr, "generator", events)
    opt_d = _Noting(D.parameters(), lr, "discriminator", events)
    G[-1].weight.register_hook(lambda g: events.append(_REACHED))
    results: dict[str, Any] = {}
    early = False
    for round_ in ("first", "second"):
        events.clear()
        try:
            returned = work(G, D, opt_g, opt_d, real, z)
        except RuntimeError as error:
            raise _in_words(error).with_traceback(error.__traceback__) from None
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            raise NotAsAsked(
                "Your function should return two numbers, loss_d and loss_g, but it returns "
                f"{kind_words(returned)}."
            )
        results[f"who steps in the {round_} step"] = ", ".join(e for e in events if e != _REACHED) or "nobody"
        results[f"loss_d of the {round_} step"] = _plain(returned[0], "loss_d")
        results[f"loss_g of the {round_} step"] = _plain(returned[1], "loss_g")
        results[f"discriminator after the {round_} step"] = _weights(D)
        results[f"generator after the {round_} step"] = _weights(G)
        if "discriminator" in events and _REACHED in events:
            early |= events.index(_REACHED) < events.index("discriminator")
    return results | {_LEAK: "yes" if early else "no"}


_NO_WAY_BACK = {
    "second time": "Here a gradient wants to go back through the graph of the made data, which an earlier "
    "backward pass has used up",
    "inplace operation": "Here a gradient wants to go back through weights that have changed since they were "
    "used",
    "does not require grad": "Here a gradient wants to go back, but nothing in this loss needs one",
}
"""What stands in autograd's message -> the same in words that tell the mistakes apart."""


def _in_words(error: RuntimeError) -> Exception:
    found = [words for part, words in _NO_WAY_BACK.items() if part in str(error)]
    return Stopped(found[0]) if found else error


def _weights(net: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def gan_step_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    n, m = whole_number(generator, 3, 5), whole_number(generator, 6, 7)

    def nets(d_z: int, d: int) -> tuple[list[Tensor], list[Tensor]]:
        return (
            [normal(generator, 4, d_z), normal(generator, d, 4)],
            [normal(generator, 5, d), normal(generator, 1, 5)],
        )

    def data(n: int, d: int, m: int, d_z: int) -> tuple[Tensor, Tensor]:
        return normal(generator, n, d) + 1, normal(generator, m, d_z)

    one = ([torch.tensor([[1.0]])], [torch.tensor([[1.0]])])
    return [
        Case(
            "values",
            (*one, torch.tensor([[1.0]]), torch.tensor([[-1.0]]), 0.1, 0.0),
            "the example of the statement",
        ),
        Case("values", (*nets(3, 2), *data(n, 2, n, 3), 0.2, 0.0), "as many made as real ones"),
        Case("values", (*nets(2, 3), *data(n, 3, m, 2), 0.2, 0.0), "more made than real ones"),
        Case("shapes", (*nets(2, 2), *data(1, 2, 1, 2), 0.2, 0.0), "a batch of one"),
        Case("edge cases", (*nets(1, 1), *data(n, 1, n, 1), 0.1, 3.0), "gradients from before in both"),
    ]


_GAN = """
def gan_step(generator, discriminator, opt_g, opt_d, real, z):
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
"""
_FAKE = "    fake = generator(z)\n"
_JUDGED = "discriminator(fake.detach())"
_D_EMPTY, _G_EMPTY = "    opt_d.zero_grad()\n", "    opt_g.zero_grad()\n"
_D_BACK, _G_BACK = "    loss_d.backward()\n", "    loss_g.backward()\n"
_D_MOVE, _G_MOVE = "    opt_d.step()\n", "    opt_g.step()\n"
_D_LOSS = f"    loss_d = gan.discriminator_loss(discriminator(real), {_JUDGED})\n"
_G_LOSS = "    loss_g = gan.generator_loss(discriminator(fake))\n"
_D_HALF = _D_LOSS + _D_EMPTY + _D_BACK + _D_MOVE
_G_HALF = _G_LOSS + _G_EMPTY + _G_BACK + _G_MOVE
_GIVEN = SimpleNamespace(discriminator_loss=discriminator_loss, generator_loss=generator_loss)

GAN_STEP = Exercise(
    id="16.gan_step",
    name="gan_step",
    title="One whole step of the contest",
    difficulty=3,
    points=6,
    minutes=15,
    cases=gan_step_cases,
    reference=gan_step,
    probe=two_rounds,
    input_names=(
        "generator's weights",
        "discriminator's weights",
        "real",
        "z",
        "lr",
        "left in the gradients",
    ),
    result="two floats, (loss_d, loss_g)",
    rtol=1e-3,
    atol=1e-5,
    given={"F": F, "gan": _GIVEN},
    misconceptions=(
        Misconception(
            "no detach",
            changed(_GAN, (_JUDGED, "discriminator(fake)")),
            "The discriminator's loss goes back all the way into the generator, and uses up the graph of the "
            "made data, which the second half needs. To the discriminator they should be plain data, cut off "
            "from where they came from.",
        ),
        Misconception(
            "no detach, but the graph is kept",
            changed(
                _GAN,
                (_JUDGED, "discriminator(fake)"),
                ("loss_d.backward()", "loss_d.backward(retain_graph=True)"),
            ),
            "The weights end up right. But the discriminator's loss goes back into the generator, a backward "
            "pass that is thrown away; only your later emptying hides it. Cut the made data off for the "
            "discriminator's half.",
        ),
        Misconception(
            "no detach, and the generator is never emptied",
            changed(
                _GAN,
                (_JUDGED, "discriminator(fake)"),
                ("loss_d.backward()", "loss_d.backward(retain_graph=True)"),
                (_G_EMPTY, ""),
            ),
            "Two things come together: the discriminator's loss goes back into the generator, and the "
            "generator's gradients are never emptied. So it walks partly towards being recognised.",
        ),
        Misconception(
            "no detach, and its gradient stays",
            changed(
                _GAN,
                (_JUDGED, "discriminator(fake)"),
                ("loss_d.backward()", "loss_d.backward(retain_graph=True)"),
                (_G_EMPTY, ""),
                (_D_EMPTY, _D_EMPTY + _G_EMPTY),
            ),
            "The discriminator's loss goes back into the generator, and that gradient is still there when "
            "the generator steps: it walks partly towards being recognised. Cut the made data off for the "
            "discriminator's half.",
        ),
        Misconception(
            "detach in the wrong half",
            changed(_GAN, (_G_LOSS, "    loss_g = gan.generator_loss(discriminator(fake.detach()))\n")),
            "In the generator's half the made data are cut off from the generator, so no gradient reaches it "
            "and it never moves. Here the way back has to stay open.",
        ),
        Misconception(
            "the discriminator is never emptied",
            changed(_GAN, (_D_EMPTY, "")),
            "The generator's loss leaves gradients in the discriminator on its way back. You never throw "
            "them away, so the discriminator's next step is partly made for the generator.",
        ),
        Misconception(
            "the generator is never emptied",
            changed(_GAN, (_G_EMPTY, "")),
            "The generator's gradients are never emptied: `backward` adds to what is there from the step "
            "before.",
        ),
        Misconception(
            "both go back before either steps",
            changed(
                _GAN,
                (
                    _D_HALF + _G_HALF,
                    _D_LOSS + _G_LOSS + _D_EMPTY + _G_EMPTY + _D_BACK + _G_BACK + _D_MOVE + _G_MOVE,
                ),
            ),
            "Both losses go back before any step. So the generator's gradient runs into the discriminator "
            "and is added to its own, with the opposite aim. Finish the discriminator's half first.",
        ),
        Misconception(
            "the old discriminator judges",
            changed(_GAN, (_D_HALF + _G_LOSS, _D_LOSS + _G_LOSS + _D_EMPTY + _D_BACK + _D_MOVE)),
            "You ask the discriminator for both halves before it steps. Afterwards its weights have changed, "
            "and the old answers no longer fit them. Ask it again for the generator's half.",
        ),
        Misconception(
            "the generator first",
            changed(_GAN, (_D_HALF + _G_HALF, _G_HALF + _D_HALF)),
            "Your generator steps first. Asked for is the other order: the discriminator steps, then the "
            "generator is judged by the new one.",
        ),
        Misconception(
            "saturating",
            changed(_GAN, (_G_LOSS, "    loss_g = -F.softplus(discriminator(fake)).mean()\n")),
            "Your generator goes down the mean of ln(1 − D), which hardly pulls where it does badly. Use the "
            "non-saturating loss.",
        ),
        Misconception(
            "minus the discriminator's loss",
            changed(
                _GAN,
                (_G_LOSS, "    loss_g = -gan.discriminator_loss(discriminator(real), discriminator(fake))\n"),
            ),
            "Your generator uses minus the discriminator's loss. That is the game as written on paper, with "
            "the gradient that saturates. The generator has a loss of its own.",
        ),
        Misconception(
            "the generator learns to be recognised",
            changed(_GAN, (_G_LOSS, "    loss_g = F.softplus(discriminator(fake)).mean()\n")),
            "Your generator's loss has the discriminator's target: it learns to be recognised as made. It "
            "should want to pass for real.",
        ),
        Misconception(
            "real and made exchanged",
            changed(_GAN, (f"discriminator(real), {_JUDGED}", f"{_JUDGED}, discriminator(real)")),
            "The discriminator gets its data in the wrong order: it learns to call the made ones real. First "
            "the logits of the real data, then those of the made ones.",
        ),
        Misconception(
            "the generator's step is the discriminator's",
            changed(_GAN, (_G_EMPTY + _G_BACK + _G_MOVE, _D_EMPTY + _G_BACK + _D_MOVE)),
            "In the second half it is the discriminator's optimizer that steps again: it is taught to be "
            "fooled, and the generator stays where it is.",
        ),
        Misconception(
            "both step in the second half",
            changed(_GAN, (_G_MOVE, _G_MOVE + _D_MOVE)),
            "In the second half both optimizers step. The gradient that the generator's loss leaves in the "
            "discriminator must not be walked along: it would undo what it has just learned.",
        ),
        Misconception(
            "the discriminator does not step",
            changed(_GAN, (_D_MOVE, "")),
            "The discriminator goes back but makes no step. It has to move before it judges again.",
        ),
        Misconception(
            "the generator does not step",
            changed(_GAN, (_G_EMPTY, _G_EMPTY.replace("opt_g", "opt_d")), (_G_MOVE, "")),
            "The generator's loss goes back but nobody steps along it.",
        ),
        Misconception(
            "frozen for ever",
            changed(_GAN, (_G_LOSS, "    discriminator.requires_grad_(False)\n" + _G_LOSS)),
            "You freeze the discriminator for the generator's half, which is a good idea, but you never thaw "
            "it: the next step finds nothing that it could learn.",
        ),
        Misconception(
            "codes of its own",
            changed(_GAN, (_FAKE, "    z = torch.randn_like(z)\n" + _FAKE)),
            "You draw latent vectors of your own and leave `z` unused. Use those that are handed over.",
        ),
        Misconception(
            "new codes for the second half",
            changed(_GAN, (_G_LOSS, "    fake = generator(torch.randn_like(z))\n" + _G_LOSS)),
            "You draw new latent vectors for the generator's half. That is often done, but here both halves "
            "use the same made data.",
        ),
        Misconception(
            "half the loss",
            changed(_GAN, ("loss_d = gan.discriminator_loss(", "loss_d = 0.5 * gan.discriminator_loss(")),
            "You take half of the discriminator's loss. Its steps are half as long, and the number returned "
            "is half of what is asked for.",
        ),
        Misconception(
            "losses after the steps",
            changed(
                _GAN,
                (
                    "    return loss_d",
                    "    fake = generator(z).detach()\n"
                    "    loss_d = gan.discriminator_loss(discriminator(real), discriminator(fake))\n"
                    "    loss_g = gan.generator_loss(discriminator(fake))\n    return loss_d",
                ),
            ),
            "The steps are right, but you compute both losses anew at the end. Asked for is each loss just "
            "before the step that it leads to.",
        ),
        Misconception(
            "losses in the wrong order",
            changed(_GAN, ("return loss_d.item(), loss_g.item()", "return loss_g.item(), loss_d.item()")),
            "The steps are right, but the two losses come back in the wrong order: first the "
            "discriminator's.",
        ),
        Misconception(
            "the tensors",
            changed(_GAN, ("return loss_d.item(), loss_g.item()", "return loss_d, loss_g")),
            "You return the losses as tensors. They hold their graphs, through both networks; a list of such "
            "losses fills the memory.",
        ),
        Misconception(
            "nothing returned",
            changed(_GAN, ("    return loss_d.item(), loss_g.item()\n", "")),
            "The steps are made, but the losses are not returned.",
        ),
        Misconception(
            "nothing is ever emptied",
            changed(_GAN, (_D_EMPTY, ""), (_G_EMPTY, "")),
            "No gradient is ever emptied. `backward` adds to what is there: to the generator's last "
            "gradient, and in the discriminator to what the generator's loss left on its way back.",
        ),
        Misconception(
            "emptied after going back",
            changed(_GAN, (_D_EMPTY + _D_BACK, _D_BACK + _D_EMPTY), (_G_EMPTY + _G_BACK, _G_BACK + _G_EMPTY)),
            "You empty the gradients between `backward` and the step, so nothing is left to step along. "
            "Empty before going back.",
        ),
        Misconception(
            "emptied only after the steps",
            changed(
                _GAN,
                (_D_EMPTY + _D_BACK + _D_MOVE, _D_BACK + _D_MOVE + _D_EMPTY),
                (_G_EMPTY + _G_BACK + _G_MOVE, _G_BACK + _G_MOVE + _G_EMPTY),
            ),
            "You empty the gradients after each step. But then the generator's loss leaves some in the "
            "discriminator, and others may be there from before. Empty just before going back.",
        ),
        Misconception(
            "the answer cut off",
            changed(_GAN, (_JUDGED, "discriminator(fake).detach()")),
            "You cut behind the discriminator: its answer on made data is a plain number then, and nothing "
            "goes back from it. Cut before it, at the made data.",
        ),
        Misconception(
            "optimizers exchanged",
            _GAN.replace("opt_d.", "@.").replace("opt_g.", "opt_d.").replace("@.", "opt_g."),
            "Your optimizers are exchanged: in the first half it is the generator's that empties and steps. "
            "Each half has the optimizer of the network that learns in it.",
        ),
        Misconception(
            "the generator's loss goes back first",
            changed(
                _GAN,
                (
                    _D_HALF + _G_HALF,
                    _D_LOSS + _G_LOSS + _G_EMPTY + _G_BACK + _D_EMPTY + _D_BACK + _D_MOVE + _G_MOVE,
                ),
            ),
            "The generator's loss goes back before the discriminator has stepped, so it is judged by the old"
            " one. The whole first half comes first, with its step.",
        ),
        Misconception(
            "cut in the second half instead of the first",
            changed(
                _GAN,
                (_JUDGED, "discriminator(fake)"),
                (_G_LOSS, "    loss_g = gan.generator_loss(discriminator(fake.detach()))\n"),
            ),
            "You cut in the wrong half. The discriminator's loss goes back into the generator, and the "
            "generator's loss does not reach it. It should be the other way round.",
        ),
    ),
    hints=(
        "Two ordinary training steps after each other, each with its own loss, its own optimizer and the "
        "five lines of lesson 10. Which way may the gradient go in each half, and which not?",
        "Make the data once. First half: the made data cut off; loss of the discriminator, empty, back, "
        "step. Second half: the made data as they are, and the discriminator asked once more; loss of the "
        "generator, empty, back, step.",
    ),
    alternatives=(
        """
def gan_step(generator, discriminator, opt_g, opt_d, real, z):
    with torch.no_grad():
        fake = generator(z)
    opt_d.zero_grad()
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    loss_d.backward()
    opt_d.step()
    opt_g.zero_grad()
    loss_g = F.softplus(-discriminator(generator(z))).mean()
    loss_g.backward()
    opt_g.step()
    return float(loss_d.detach()), float(loss_g.detach())
""",
        """
def gan_step(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    both = discriminator(torch.cat([real, fake.detach()]))
    loss_d = gan.discriminator_loss(both[: len(real)], both[len(real) :])
    discriminator.zero_grad()
    loss_d.backward()
    opt_d.step()
    discriminator.requires_grad_(False)
    generator.zero_grad()
    loss_g = gan.generator_loss(discriminator(fake))
    loss_g.backward()
    opt_g.step()
    discriminator.requires_grad_(True)
    return loss_d.item(), loss_g.item()
""",
        """
def gan_step(generator, discriminator, opt_g, opt_d, real, z):
    def move(loss, net, optimizer):
        weights = list(net.parameters())
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = slope
        optimizer.step()
        return loss.item()

    fake = generator(z)
    real_loss = gan.discriminator_loss(discriminator(real), discriminator(fake.detach()))
    first = move(real_loss, discriminator, opt_d)
    return first, move(gan.generator_loss(discriminator(fake)), generator, opt_g)
""",
        changed(_GAN, (_D_EMPTY, _D_EMPTY + _G_EMPTY), (_G_LOSS + _G_EMPTY, _G_LOSS)),
    ),
)


# ---------------------------------------------------------------------------------- 16.interpolate


def interpolate(z1: Tensor, z2: Tensor, steps: int) -> Tensor:
    """Points on the straight line from z1 to z2, both ends included: (steps, *z1.shape)."""
    t = torch.linspace(0, 1, steps, dtype=z1.dtype)
    t = t.reshape(-1, *[1] * z1.dim())
    return (1 - t) * z1 + t * z2


def interpolate_cases(generator: torch.Generator) -> list[Case]:
    d, steps = whole_number(generator, 6, 9), whole_number(generator, 3, 5)

    def codes(*shape: int) -> tuple[Tensor, Tensor]:
        return normal(generator, *shape), normal(generator, *shape)

    z1, z2 = codes(d)
    return [
        Case(
            "values", (torch.tensor([0.0, 2.0]), torch.tensor([4.0, 0.0]), 5), "the example of the statement"
        ),
        Case("values", (*codes(d), steps)),
        Case("values", (*codes(4), 4), "as many points as numbers in a code"),
        Case("shapes", (*codes(1), steps), "codes of one number"),
        Case("shapes", (*codes(2, 3), 4), "codes that are tables"),
        Case("types", (z1.double(), z2.double(), 4), "float64"),
        Case("edge cases", (*codes(d), 2), "nothing but the ends"),
        Case("edge cases", (z1, z1.clone(), 3), "from a code to itself"),
        Case("edge cases", (*codes(3), 50), "50 points"),
    ]


_I = """
def interpolate(z1, z2, steps):
    t = torch.linspace(0, 1, steps, dtype=z1.dtype)
    t = t.reshape(-1, *[1] * z1.dim())
    return (1 - t) * z1 + t * z2
"""
_T = "torch.linspace(0, 1, steps, dtype=z1.dtype)"
_LINE = "return (1 - t) * z1 + t * z2"

INTERPOLATE = Exercise(
    id="16.interpolate",
    name="interpolate",
    title="From one code to another",
    difficulty=1,
    points=2,
    minutes=8,
    cases=interpolate_cases,
    reference=interpolate,
    result="a tensor of shape (steps, *z1.shape)",
    rtol=1e-4,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "the last one missing",
            changed(_I, (_T, "torch.arange(steps) / steps")),
            "Your points begin at z1 but stop one step before z2: between n points there are n − 1 gaps.",
        ),
        Misconception(
            "the first one missing",
            changed(_I, (_T, "torch.arange(1, steps + 1) / steps")),
            "Your points end at z2 but begin one step after z1. Both ends belong in.",
        ),
        Misconception(
            "both ends missing",
            changed(_I, (_T, "torch.linspace(0, 1, steps + 2, dtype=z1.dtype)[1:-1]")),
            "Your points lie between z1 and z2 but leave both of them out.",
        ),
        Misconception(
            "one point too many",
            changed(_I, (_T, "torch.linspace(0, 1, steps + 1, dtype=z1.dtype)")),
            "You have one point too many: `steps` counts the points, not the gaps between them.",
        ),
        Misconception(
            "one point too few",
            changed(_I, (_T, "torch.linspace(0, 1, max(steps - 1, 1), dtype=z1.dtype)")),
            "You have one point too few: `steps` counts the points with both ends.",
        ),
        Misconception(
            "backwards",
            changed(_I, (_LINE, "return t * z1 + (1 - t) * z2")),
            "You walk from z2 to z1. Where t is 0 there should be z1.",
        ),
        Misconception(
            "adds without taking away",
            changed(_I, (_LINE, "return z1 + t * z2")),
            "You add a part of z2 to the whole of z1, so the walk ends at z1 + z2. As z2 comes in, z1 has to "
            "go out.",
        ),
        Misconception(
            "the difference the wrong way",
            changed(_I, (_LINE, "return z1 + t * (z1 - z2)")),
            "You walk away from z2: the difference has the wrong sign.",
        ),
        Misconception(
            "from the difference alone",
            changed(_I, (_LINE, "return t * (z2 - z1)")),
            "This is how far one has come from z1. The start itself, z1, is missing.",
        ),
        Misconception(
            "whole numbers",
            changed(_I, (_T, "torch.arange(steps) // (steps - 1)")),
            "Your t is rounded down to a whole number, so all points but the last are z1. Divide with a "
            "point.",
        ),
        Misconception(
            "not divided",
            changed(_I, (_T, "torch.arange(steps)")),
            "Your t goes 0, 1, 2, …: the second point is z2 already and the others lie beyond it. t should "
            "go from 0 to 1.",
        ),
        Misconception(
            "on the wrong axis",
            "def interpolate(z1, z2, steps):\n"
            "    t = torch.linspace(0, 1, steps, dtype=z1.dtype)\n"
            "    return (1 - t) * z1 + t * z2\n",
            "Your t, of shape (steps,), meets the numbers of a code along the same axis. It needs a place of "
            "its own: an axis in front of the code's.",
        ),
        Misconception(
            "points as columns",
            "def interpolate(z1, z2, steps):\n"
            "    ts = torch.linspace(0, 1, steps, dtype=z1.dtype)\n"
            "    return torch.stack([(1 - t) * z1 + t * z2 for t in ts], dim=-1)\n",
            "Your points stand along the last axis. The number of the point comes first: (steps, *z1.shape).",
        ),
        Misconception(
            "only for codes in a row",
            changed(_I, ("t.reshape(-1, *[1] * z1.dim())", "t[:, None]")),
            "For codes of shape (d,) this is right. For codes with more axes t needs an axis of size 1 for "
            "each of them.",
        ),
        Misconception(
            "a list",
            "def interpolate(z1, z2, steps):\n"
            "    ts = torch.linspace(0, 1, steps, dtype=z1.dtype)\n"
            "    return [(1 - t) * z1 + t * z2 for t in ts]\n",
            "You return a list of points. Asked for is one tensor that holds them below each other.",
        ),
        Misconception(
            "flattened",
            changed(_I, (_LINE, "return ((1 - t) * z1 + t * z2).reshape(steps, -1)")),
            "You flatten the codes. Each point keeps the shape of z1.",
        ),
        Misconception(
            "on an arc",
            changed(_I, (_LINE, "return torch.cos(t * math.pi / 2) * z1 + torch.sin(t * math.pi / 2) * z2")),
            "Your weights are cosine and sine: the points lie on an arc. Asked for is the straight line, "
            "with weights that add up to 1.",
        ),
        Misconception(
            "slow at the ends",
            changed(_I, (_LINE, "t = t * t * (3 - 2 * t)\n    return (1 - t) * z1 + t * z2")),
            "Your points lie on the right line but at unequal distances, close together at the ends.",
        ),
        Misconception(
            "at random places",
            changed(_I, (_T, "torch.rand(steps, dtype=z1.dtype).sort().values")),
            "Your points lie on the right line, but at random places. Asked for are equal distances.",
        ),
        Misconception(
            "length kept",
            changed(
                _I,
                (
                    _LINE,
                    "line = (1 - t) * z1 + t * z2\n"
                    "    length = line.flatten(1).norm(dim=1).reshape(t.shape)\n"
                    "    return line * z1.norm() / length.clamp(min=1e-9)",
                ),
            ),
            "You scale each point to the length of z1. That may make better pictures, but it is no straight "
            "line, and it does not end at z2.",
        ),
        Misconception(
            "one tensor that moves on",
            "def interpolate(z1, z2, steps):\n"
            "    gap = (z2 - z1) / (steps - 1)\n"
            "    points = []\n"
            "    for _ in range(steps):\n"
            "        points.append(z1)\n"
            "        z1 += gap\n"
            "    return torch.stack(points)\n",
            "All your points are the same: `+=` changes z1 itself, and your list holds that one tensor many "
            "times. Make a new tensor for each point.",
        ),
        Misconception(
            "eased by a cosine",
            changed(_I, (_LINE, "t = (1 - torch.cos(math.pi * t)) / 2\n    return (1 - t) * z1 + t * z2")),
            "Your points lie on the right line, but a cosine puts them close together at its ends. Asked for"
            " are equal distances.",
        ),
    ),
    hints=(
        "Write down the weights of z1 and z2 for five points. What do the two weights add up to?",
        "A row of numbers t from 0 to 1; then (1 − t) parts of z1 and t parts of z2. Give t axes of size 1, "
        "so that it meets the codes by broadcasting.",
    ),
    alternatives=(
        "def interpolate(z1, z2, steps):\n"
        "    return torch.stack([z1 + (z2 - z1) * k / (steps - 1) for k in range(steps)])\n",
        "def interpolate(z1, z2, steps):\n"
        "    t = torch.linspace(0, 1, steps)\n"
        "    return torch.stack([torch.lerp(z1, z2, float(part)) for part in t])\n",
        "def interpolate(z1, z2, steps):\n"
        "    t = torch.arange(steps, dtype=z1.dtype) / (steps - 1)\n"
        "    line = torch.outer(1 - t, z1.flatten()) + torch.outer(t, z2.flatten())\n"
        "    return line.reshape(steps, *z1.shape)\n",
    ),
)


# -------------------------------------------------------------------------------- 16.modes_covered


def modes_covered(samples: Tensor, centres: Tensor, radius: float) -> int:
    """Number of centres with at least one sample no further away than the radius."""
    differences = samples[:, None] - centres  # (N, K, d)
    near = differences.square().sum(dim=-1) <= radius**2  # (N, K)
    return int(near.any(dim=0).sum())


def modes_covered_cases(generator: torch.Generator) -> list[Case]:
    """Where chance has a part, every distance is well below or well above the radius."""
    K, turn = whole_number(generator, 5, 20), torch.arange(8) * torch.pi / 4
    found = torch.randperm(K, generator=generator)[: whole_number(generator, 2, K - 1)].tolist()

    def around(centres: Tensor, which: list[int], far: int, d: int) -> Tensor:
        """Samples at half a unit from the centres named, and some far from all of them."""
        way = normal(generator, len(which), d)
        near = centres[which] + 0.5 * way / way.norm(dim=1, keepdim=True)
        return torch.cat([near, torch.rand(far, d, generator=generator) - 30])

    line = 4 * torch.arange(float(K))[:, None] * torch.ones(1, 3)
    ring = 2 * torch.stack([turn.cos(), turn.sin()], dim=1)
    corner = torch.tensor([[0.8, 0.8], [0.8, 0.5], [6.0, 6.0]])
    two = torch.tensor([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    return [
        Case(
            "values",
            (
                torch.tensor([[0.0, 0.0], [0.5, 0.0], [3.0, 3.0]]),
                torch.tensor([[0.0, 0.0], [4.0, 0.0], [3.0, 4.0]]),
                1.0,
            ),
            "the example of the statement",
        ),
        Case("values", (around(line, found[:1] * 3 + found, 5, 3), line, 1.0), "some of the modes"),
        Case("values", (ring[[1, 1, 6]] + 0.05, ring, 0.3), "the ring of the lesson"),
        Case("values", (corner[:1], torch.zeros(1, 2), 1.0), "near along each axis, and yet too far"),
        Case(
            "values", (corner[1:], torch.zeros(1, 2), 1.0), "near, though both axes together are more than 1"
        ),
        Case("values", (torch.tensor([[1.8], [8.0]]), torch.tensor([[0.0], [5.0]]), 2.0), "a radius above 1"),
        Case("values", (torch.tensor([[0.3], [5.4]]), torch.tensor([[0.0], [5.0]]), 0.5), "a radius below 1"),
        Case("values", (torch.tensor([[0.4, 0.0]]), two, 0.7), "one sample near two centres"),
        Case(
            "values",
            (torch.tensor([[0.0, 5.0], [5.0, 0.0]]), torch.zeros(1, 2), 1.0),
            "each near on one axis",
        ),
        Case("shapes", (around(line, [3], 0, 3), line, 1.0), "a single sample"),
        Case("types", (around(line, [0, 1], 3, 3).double(), line.double(), 1.0), "float64"),
        Case(
            "edge cases", (around(line, [0, 2, 3] * 100, 60, 3), line, 1.0), "360 samples, no loop over them"
        ),
        Case("edge cases", (torch.zeros(0, 2), ring, 0.3), "no samples"),
        Case("edge cases", (torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2), 5.0), "exactly on the edge"),
        Case("edge cases", (around(line, list(range(K)) * 2, 0, 3), line, 1.0), "every mode covered"),
    ]


_MOST_CALLS = 250  # for 5 to 8 centres: a loop over these is no fault, one over 360 samples is


def watched_modes(work: Callable, samples: Tensor, centres: Tensor, radius: float) -> Any:
    """Probe: the number of modes; counts how often torch is called on the way.

    Raises:
        Stopped: where torch is called so often that it must be a loop over the samples.
    """
    from torch.overrides import TorchFunctionMode

    class Watch(TorchFunctionMode):
        calls = 0

        def __torch_function__(self, func, types, args=(), kwargs=None):
            if getattr(func, "__name__", "").strip("_") not in ("get", "set"):  # reading .shape and the like
                self.calls += 1
            if self.calls > _MOST_CALLS:
                raise Stopped(
                    f"It has called torch more than {_MOST_CALLS} times for {len(samples)} samples and "
                    f"{len(centres)} centres: there is a loop over the samples"
                )
            return func(*args, **(kwargs or {}))

    with Watch():
        return work(samples, centres, radius)


_M = """
def modes_covered(samples, centres, radius):
    differences = samples[:, None] - centres
    near = differences.square().sum(dim=-1) <= radius**2
    return int(near.any(dim=0).sum())
"""
_NEAR = "differences.square().sum(dim=-1) <= radius**2"
_COUNT = "return int(near.any(dim=0).sum())"

MODES_COVERED = Exercise(
    id="16.modes_covered",
    name="modes_covered",
    title="How many modes are there?",
    difficulty=2,
    points=4,
    minutes=12,
    cases=modes_covered_cases,
    reference=modes_covered,
    probe=watched_modes,
    result="a whole number (int)",
    misconceptions=(
        Misconception(
            "counts the samples",
            changed(_M, (_COUNT, "return int(near.any(dim=1).sum())")),
            "You count the samples that are near some centre. Asked for is the other axis: centres that have "
            "some sample near.",
        ),
        Misconception(
            "counts the pairs",
            changed(_M, (_COUNT, "return int(near.sum())")),
            "You count all pairs that are near. A mode with three hundred samples is still one mode.",
        ),
        Misconception(
            "all of them near",
            changed(_M, (_COUNT, "return int(near.all(dim=0).sum())")),
            "You ask for centres to which all samples are near. One sample is enough.",
        ),
        Misconception(
            "the edge left out",
            changed(_M, ("<=", "<")),
            "A sample at a distance of exactly the radius counts as near.",
        ),
        Misconception(
            "squared distance against the radius",
            changed(_M, ("radius**2", "radius")),
            "You compare the squared distance with the radius. Square both or neither.",
        ),
        Misconception(
            "distance against the squared radius",
            changed(_M, (_NEAR, "differences.norm(dim=-1) <= radius**2")),
            "You compare the distance with the squared radius. Square both or neither.",
        ),
        Misconception(
            "half the radius",
            changed(_M, (_NEAR, "differences.norm(dim=-1) <= radius / 2")),
            "You take the radius for a diameter: samples in the outer half of the circle do not count with "
            "you.",
        ),
        Misconception(
            "the largest coordinate",
            changed(_M, (_NEAR, "differences.abs().amax(dim=-1) <= radius")),
            "You look at the largest coordinate of the difference alone: that is a square around the centre, "
            "not a circle.",
        ),
        Misconception(
            "sum of the coordinates",
            changed(_M, (_NEAR, "differences.abs().sum(dim=-1) <= radius")),
            "You add up the coordinates' differences, the way round the corner. The Euclidean distance is "
            "the straight one.",
        ),
        Misconception(
            "sum with signs",
            changed(_M, (_NEAR, "differences.sum(dim=-1) <= radius")),
            "You add up the differences with their signs, so that they cancel, and everything on one side is "
            "near. Square them first.",
        ),
        Misconception(
            "one coordinate is enough",
            changed(_M, (_NEAR, "(differences.abs() <= radius).any(dim=-1)")),
            "With you it is enough to be near along one axis. A sample far above a centre is not near it.",
        ),
        Misconception(
            "each coordinate on its own",
            changed(
                _M,
                (f"near = {_NEAR}", "near = differences.abs() <= radius"),
                (_COUNT, "return int(near.any(dim=0).all(dim=-1).sum())"),
            ),
            "You ask for each axis whether some sample is near. It has to be one and the same sample, and "
            "its distance is what counts.",
        ),
        Misconception(
            "nearest centres without a radius",
            changed(
                _M,
                (f"near = {_NEAR}", "nearest = differences.norm(dim=-1).argmin(dim=1)"),
                (_COUNT, "return len(nearest.unique())"),
            ),
            "You give each sample to its nearest centre, however far away that is. A sample that is near no "
            "centre covers none.",
        ),
        Misconception(
            "only the nearest centre",
            changed(
                _M,
                (f"near = {_NEAR}", "distance, nearest = differences.norm(dim=-1).min(dim=1)"),
                (_COUNT, "return len(nearest[distance <= radius].unique())"),
            ),
            "Each sample counts for its nearest centre only. Where two circles overlap, one sample covers "
            "both.",
        ),
        Misconception(
            "the mean distance",
            changed(
                _M,
                (f"near = {_NEAR}", "distance = differences.norm(dim=-1).mean(dim=0)"),
                (_COUNT, "return int((distance <= radius).sum())"),
            ),
            "You take the mean distance of all samples from a centre. Samples at other modes are far away; "
            "it is the nearest one that counts.",
        ),
        Misconception(
            "the mean sample",
            changed(_M, (_NEAR, "(samples.mean(dim=0) - centres).norm(dim=-1)[None] <= radius")),
            "You look only at the mean of all samples. With two modes it lies between them, near neither.",
        ),
        Misconception(
            "two at least",
            changed(_M, (_COUNT, "return int((near.sum(dim=0) > 1).sum())")),
            "You ask for more than one sample near a centre. One is enough here.",
        ),
        Misconception(
            "those not covered",
            changed(_M, (_COUNT, "return int((~near.any(dim=0)).sum())")),
            "You count the centres that have no sample near: the modes that are missing.",
        ),
        Misconception(
            "a share",
            changed(_M, (_COUNT, "return float(near.any(dim=0).float().mean())")),
            "You return the share of the modes that are covered. Asked for is their number.",
        ),
        Misconception(
            "yes or no",
            changed(_M, (_COUNT, "return bool(near.any(dim=0).all())")),
            "You return whether every mode is covered. Asked for is how many are.",
        ),
        Misconception(
            "which ones",
            changed(_M, (_COUNT, "return near.any(dim=0)")),
            "You return for each centre whether it is covered. One step is missing: count them.",
        ),
        Misconception(
            "one sample for each centre",
            "def modes_covered(samples, centres, radius):\n"
            "    near = (samples - centres).square().sum(dim=-1) <= radius**2\n"
            "    return int(near.sum())\n",
            "You subtract the centres from the samples row by row, the first from the first. Every sample "
            "has to meet every centre: give the samples an axis more.",
        ),
        Misconception(
            "a minimum of nothing",
            changed(
                _M,
                (f"near = {_NEAR}", "nearest = differences.norm(dim=-1).min(dim=0).values"),
                (_COUNT, "return int((nearest <= radius).sum())"),
            ),
            "All is right until there are no samples: of nothing there is no minimum. Then no mode is "
            "covered.",
        ),
        Misconception(
            "a loop over the samples",
            "def modes_covered(samples, centres, radius):\n"
            "    found = set()\n"
            "    for sample in samples:\n"
            "        for k, centre in enumerate(centres):\n"
            "            if (sample - centre).norm() <= radius:\n"
            "                found.add(k)\n"
            "    return len(found)\n",
            "Your count is right, but there is a loop over the samples. One calculation of shape (N, K, d) "
            "does all of them at once, by broadcasting.",
        ),
    ),
    hints=(
        "Think of a table with a row for each sample and a column for each centre, which holds their "
        "distance. What do you ask of a column?",
        "Differences of shape (N, K, d) by broadcasting, squared and summed over the last axis. Compare with "
        "the squared radius, ask each column whether any entry is near, and count.",
    ),
    alternatives=(
        "def modes_covered(samples, centres, radius):\n"
        "    if not len(samples):\n"
        "        return 0\n"
        "    distance = torch.cdist(samples, centres, compute_mode='donot_use_mm_for_euclid_dist')\n"
        "    return (distance.min(dim=0).values <= radius).sum().item()\n",
        "def modes_covered(samples, centres, radius):\n"
        "    return sum(bool(((samples - c).norm(dim=1) <= radius).any()) for c in centres)\n",
        "def modes_covered(samples, centres, radius):\n"
        "    near = (centres[:, None] - samples[None]).pow(2).sum(-1).sqrt() <= radius\n"
        "    return torch.count_nonzero(near.sum(dim=1)).item()\n",
    ),
)


EXERCISES = (
    DISCRIMINATOR_LOSS,
    GENERATOR_LOSS,
    BEST_DISCRIMINATOR,
    GAN_STEP,
    INTERPOLATE,
    MODES_COVERED,
)
