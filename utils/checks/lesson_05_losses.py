"""The exercises of lesson 05 as data: losses written by hand, so that they neither overflow nor mislead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .common import normal, trainable_loss, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked

# ---------------------------------------------------------------------------------- 05.mse, 05.mae


def mse(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean of the squared errors."""
    return (y_hat - y).square().mean()


def mae(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean of the errors' sizes."""
    return (y_hat - y).abs().mean()


def pairs_cases(generator: torch.Generator) -> list[Case]:
    """Predictions and targets of one shape; errors of both signs whose mean is far from 0."""
    n, d = whole_number(generator, 4, 9), whole_number(generator, 2, 3)

    def pair(*shape: int) -> tuple[Tensor, Tensor]:
        return normal(generator, *shape) + 0.7, normal(generator, *shape)

    return [
        Case("values", (torch.tensor([1.0, 2.0, 6.0]), torch.tensor([2.0, 2.0, 3.0])), "the example"),
        Case("values", pair(n), f"{n} predictions"),
        Case("types", tuple(part.double() for part in pair(5)), "float64"),
        Case("shapes", pair(1), "a batch of one"),
        Case("shapes", pair(n, d), "several numbers for each input"),
        Case("shapes", pair(2, 3, 4), "three dimensions"),
        Case("edge cases", (torch.ones(4), torch.ones(4)), "all right: the loss is 0"),
        Case("edge cases", (torch.tensor([-1e6, 0.0]), torch.tensor([1e6, 0.0])), "one huge error"),
    ]


MSE = Exercise(
    id="05.mse",
    name="mse",
    title="Mean squared error",
    difficulty=1,
    points=1,
    minutes=5,
    cases=pairs_cases,
    reference=mse,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "sum for mean",
            "def mse(y_hat, y):\n    return (y_hat - y).square().sum()",
            "You add the squares up. Then a batch twice as large has twice the loss, and the learning rate "
            "would have to change with it. Take the mean.",
        ),
        Misconception(
            "errors not squared",
            "def mse(y_hat, y):\n    return (y_hat - y).mean()",
            "You take the mean of the errors themselves: those upwards and those downwards cancel, and a bad "
            "prediction can have loss 0 or less.",
        ),
        Misconception(
            "square of the mean",
            "def mse(y_hat, y):\n    return (y_hat - y).mean() ** 2",
            "You take the mean first and square it then. In the mean errors of both signs have already "
            "cancelled. Square each one first.",
        ),
        Misconception(
            "absolute value",
            "def mse(y_hat, y):\n    return (y_hat - y).abs().mean()",
            "This is the mean absolute error. Squares make large errors count more.",
        ),
        Misconception(
            "the root of it",
            "def mse(y_hat, y):\n    return (y_hat - y).square().mean().sqrt()",
            "You take the root in the end: that is the RMSE, which has the unit of y. It is the mean square "
            "itself that is asked for.",
        ),
        Misconception(
            "a half in front",
            "def mse(y_hat, y):\n    return 0.5 * (y_hat - y).square().mean()",
            "You halve the mean. Some do, since the derivative then has no factor 2; the definition here "
            "(and torch's) has no half.",
        ),
        Misconception(
            "one loss for each row",
            "def mse(y_hat, y):\n    return (y_hat - y).square().mean(dim=-1)",
            "You take the mean along the last dimension only, so a table keeps one loss for each row. One "
            "number for everything is asked for.",
        ),
        Misconception(
            "divides by the batch size only",
            "def mse(y_hat, y):\n    return (y_hat - y).square().sum() / len(y)",
            "You divide by the number of inputs, `len(y)`. Where each has several numbers the mean runs "
            "over all of them.",
        ),
        Misconception(
            "not reduced",
            "def mse(y_hat, y):\n    return (y_hat - y).square()",
            "These are the squares, one for each prediction. A loss is one number: their mean.",
        ),
        Misconception(
            "difference of squares",
            "def mse(y_hat, y):\n    return (y_hat.square() - y.square()).mean()",
            "You square predictions and targets and subtract then. It is the difference that is squared.",
        ),
        Misconception(
            "only the target squared",
            "def mse(y_hat, y):\n    return (y_hat - y**2).mean()",
            "Only the target is squared: a power comes before a minus. Subtract first, in brackets, then "
            "square.",
        ),
        Misconception(
            "a caret for a power",
            "def mse(y_hat, y):\n    return ((y_hat - y) ^ 2).mean()",
            "In Python `^` is no power: it works on the bits of whole numbers, and torch has no such thing "
            "for decimal numbers. A power is written `**`.",
        ),
        Misconception(
            "one loss for each column",
            "def mse(y_hat, y):\n    return (y_hat - y).square().mean(dim=0)",
            "You take the mean over the inputs only, so where each has several numbers there is a loss for "
            "each column. (A loop over the inputs does that, too.) One number for everything is asked for.",
        ),
    ),
    hints=(
        "Three steps, in the order of the name read from the back: error, squared, mean.",
        "Subtract, square each difference, take the mean of all of them.",
    ),
    alternatives=(
        "def mse(y_hat, y):\n    return torch.nn.functional.mse_loss(y_hat, y)",
        "def mse(y_hat, y):\n    e = y - y_hat\n    return (e * e).sum() / e.numel()",
        "def mse(y_hat, y):\n    return torch.mean((y_hat - y) ** 2)",
    ),
)

MAE = Exercise(
    id="05.mae",
    name="mae",
    title="Mean absolute error",
    difficulty=1,
    points=1,
    minutes=5,
    cases=pairs_cases,
    reference=mae,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "sum for mean",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().sum()",
            "You add the sizes of the errors up. Take their mean, so that the loss does not depend on how "
            "many there are.",
        ),
        Misconception(
            "no absolute value",
            "def mae(y_hat, y):\n    return (y_hat - y).mean()",
            "You take the mean of the errors with their signs: those upwards and those downwards cancel.",
        ),
        Misconception(
            "absolute value of the mean",
            "def mae(y_hat, y):\n    return (y_hat - y).mean().abs()",
            "You take the mean first and drop its sign then. By that time errors of both signs have "
            "cancelled. Drop the sign of each one first.",
        ),
        Misconception(
            "squared",
            "def mae(y_hat, y):\n    return (y_hat - y).square().mean()",
            "This is the mean squared error. Here each error counts by its size, not by its square.",
        ),
        Misconception(
            "the median",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().median()",
            "You take the median of the errors' sizes. The median is what *minimises* this loss; the loss "
            "itself is a mean.",
        ),
        Misconception(
            "the largest error",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().max()",
            "You return the largest error only. All of them count: take the mean.",
        ),
        Misconception(
            "one loss for each row",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().mean(dim=-1)",
            "You take the mean along the last dimension only, so a table keeps one loss for each row. One "
            "number for everything is asked for.",
        ),
        Misconception(
            "divides by the batch size only",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().sum() / len(y)",
            "You divide by the number of inputs, `len(y)`. Where each has several numbers the mean runs "
            "over all of them.",
        ),
        Misconception(
            "difference of sizes",
            "def mae(y_hat, y):\n    return (y_hat.abs() - y.abs()).mean()",
            "You drop the signs of predictions and targets and subtract then. It is the difference whose "
            "sign is dropped: −2 for 2 is an error of 4.",
        ),
        Misconception(
            "root of the mean square",
            "def mae(y_hat, y):\n    return (y_hat - y).square().mean().sqrt()",
            "The root of the mean square is not the mean of the sizes: large errors still count more. Drop "
            "the sign of each error instead.",
        ),
        Misconception(
            "one loss for each column",
            "def mae(y_hat, y):\n    return (y_hat - y).abs().mean(dim=0)",
            "You take the mean over the inputs only, so where each has several numbers there is a loss for "
            "each column. (Python's `sum` does that, too.) One number for everything is asked for.",
        ),
    ),
    hints=(
        "Error, its size without the sign, mean.",
        "Subtract, take the absolute value of each difference, then the mean of all of them.",
    ),
    alternatives=(
        "def mae(y_hat, y):\n    return torch.nn.functional.l1_loss(y_hat, y)",
        "def mae(y_hat, y):\n    return torch.mean(torch.abs(y - y_hat))",
        "def mae(y_hat, y):\n    d = y - y_hat\n    return torch.maximum(d, -d).mean()",
    ),
)


# ------------------------------------------------------------------------------------ 05.smooth_l1


def smooth_l1(y_hat: Tensor, y: Tensor, beta: float = 1.0) -> Tensor:
    """Mean of e²/(2 beta) where |e| < beta and |e| − beta/2 elsewhere."""
    size = (y_hat - y).abs()
    return torch.where(size < beta, 0.5 * size**2 / beta, size - 0.5 * beta).mean()


def smooth_l1_cases(generator: torch.Generator) -> list[Case]:
    """Betas on both sides of 1, small and large errors of both signs apart and together."""
    n = whole_number(generator, 5, 9)
    zeros = torch.zeros(4)
    beta = whole_number(generator, 5, 10) / 2
    return [
        Case("values", (torch.tensor([0.5, -3.0, 1.0]), torch.zeros(3), 2.0), "the example of the statement"),
        Case("values", (torch.tensor([0.5, -0.25, 0.75, 2.5]), zeros), "beta not given: 1"),
        Case("values", (normal(generator, n, scale=3), normal(generator, n), beta)),
        Case("values", (normal(generator, n), normal(generator, n), 0.25), "a small beta"),
        Case("values", (torch.tensor([-5.0, -2.0, -0.1, -7.0]), zeros, 1.5), "all errors negative"),
        Case("types", (normal(generator, 4).double(), normal(generator, 4).double(), 0.5), "float64"),
        Case("shapes", (normal(generator, 1), normal(generator, 1), 3.0), "a batch of one"),
        Case("shapes", (normal(generator, 3, 2), normal(generator, 3, 2), 2.0), "several numbers each"),
        Case("edge cases", (torch.full((4,), 2.0), zeros, 2.0), "errors exactly at beta"),
        Case("edge cases", (torch.tensor([1.0, -2.0, 0.5, 3.0]), zeros, 1e-6), "a tiny beta: nearly the MAE"),
        Case("edge cases", (torch.tensor([1e6, -1e6, 0.0, 1.0]), zeros, 1.0), "huge errors"),
    ]


def _smooth(inner: str, outer: str, test: str = "e.abs() < beta", end: str = ".mean()") -> str:
    return (
        "def smooth_l1(y_hat, y, beta=1.0):\n    e = y_hat - y\n"
        f"    return torch.where({test}, {inner}, {outer}){end}\n"
    )


SMOOTH_L1 = Exercise(
    id="05.smooth_l1",
    name="smooth_l1",
    title="Smooth L1",
    difficulty=2,
    points=3,
    minutes=10,
    cases=smooth_l1_cases,
    reference=smooth_l1,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "not continuous",
            _smooth("0.5 * e**2 / beta", "e.abs()"),
            "Your two pieces do not meet: at |e| = beta the parabola is at beta/2 and your straight line at "
            "beta. The line must start where the parabola ends.",
        ),
        Misconception(
            "kink in the wrong place",
            _smooth("0.5 * e**2 / beta", "e.abs() - 0.5 * beta", test="e.abs() < 1"),
            "You change from the parabola to the line at 1, whatever beta is. With beta = 1 nobody notices.",
        ),
        Misconception(
            "Huber's form",
            _smooth("0.5 * e**2", "beta * (e.abs() - 0.5 * beta)"),
            "This is the Huber loss, which is beta times as large. For smooth L1 the slope far out is 1, "
            "whatever beta is.",
        ),
        Misconception(
            "parabola not divided by beta",
            _smooth("0.5 * e**2", "e.abs() - 0.5 * beta"),
            "The straight part is right, but your parabola ignores beta: at |e| = beta it is at beta²/2 with "
            "slope beta, where beta/2 and slope 1 are needed.",
        ),
        Misconception(
            "parabola without its half",
            _smooth("e**2 / beta", "e.abs() - 0.5 * beta"),
            "The half is missing in the parabola: at |e| = beta it arrives at beta with slope 2, and the "
            "straight line goes on at beta/2 with slope 1.",
        ),
        Misconception(
            "sign not dropped in the test",
            _smooth("0.5 * e**2 / beta", "e.abs() - 0.5 * beta", test="e < beta"),
            "You ask whether the error is below beta, with its sign. Then every large negative error counts "
            "as small and is squared. Compare its size.",
        ),
        Misconception(
            "sign not dropped in the line",
            _smooth("0.5 * e**2 / beta", "e - 0.5 * beta"),
            "Far out you take the error with its sign, so large negative errors make the loss negative. Take "
            "the size.",
        ),
        Misconception(
            "pieces exchanged",
            _smooth("e.abs() - 0.5 * beta", "0.5 * e**2 / beta"),
            "Your pieces are exchanged: small errors go on the parabola, large ones on the straight line, so "
            "that an outlier does not count by its square.",
        ),
        Misconception(
            "sum for mean",
            _smooth("0.5 * e**2 / beta", "e.abs() - 0.5 * beta", end=".sum()"),
            "The pieces are right, but you add them up. Take the mean.",
        ),
        Misconception(
            "beta not used",
            _smooth("0.5 * e**2", "e.abs() - 0.5", test="e.abs() < 1"),
            "You wrote the loss for beta = 1. Where the line begins, and how steep the parabola is, both "
            "depend on beta.",
        ),
        Misconception(
            "line lowered by a half",
            _smooth("0.5 * e**2 / beta", "e.abs() - 0.5"),
            "The straight line is lowered by ½, which fits the parabola only for beta = 1. Where is the "
            "parabola at |e| = beta?",
        ),
        Misconception(
            "decides for all at once",
            "def smooth_l1(y_hat, y, beta=1.0):\n    e = (y_hat - y).abs()\n"
            "    if e.mean() < beta:\n        return (0.5 * e**2 / beta).mean()\n"
            "    return (e - 0.5 * beta).mean()\n",
            "You decide once for the whole batch. Each error decides for itself, by its own size.",
        ),
        Misconception(
            "times beta for divided by beta",
            _smooth("e**2 / 2 * beta", "e.abs() - 0.5 * beta"),
            "The straight part is right. In the parabola you divide by 2 and then multiply by beta: Python "
            "goes from left to right. Both stand below the line, so put them in brackets.",
        ),
        Misconception(
            "the mean error decides",
            "def smooth_l1(y_hat, y, beta=1.0):\n"
            "    e = (y_hat - y).abs().mean()\n"
            "    if e < beta:\n"
            "        return 0.5 * e**2 / beta\n"
            "    return e - 0.5 * beta\n",
            "You take the mean of the errors first, and put that one number through the two pieces. Each "
            "error goes through them by itself; the mean comes last.",
        ),
        Misconception(
            "parabola only if all are small",
            "def smooth_l1(y_hat, y, beta=1.0):\n"
            "    e = (y_hat - y).abs()\n"
            "    if (e < beta).all():\n"
            "        return (0.5 * e**2 / beta).mean()\n"
            "    return (e - 0.5 * beta).mean()\n",
            "One large error puts the whole batch on the straight line with you, the small ones too. Each "
            "error decides for itself, by its own size.",
        ),
        Misconception(
            "two means added",
            "def smooth_l1(y_hat, y, beta=1.0):\n"
            "    e = (y_hat - y).abs()\n"
            "    small, large = e[e < beta], e[e >= beta]\n"
            "    return (small**2 / (2 * beta)).mean() + (large - beta / 2).mean()\n",
            "You add the mean of the small ones to the mean of the large ones. Each is divided by its own "
            "number then (and by 0 if there are none: NaN). One mean over all is asked for.",
        ),
    ),
    hints=(
        "Draw it for beta = 2: a parabola between −2 and 2, straight lines outside. Where must the lines "
        "start, and with what slope, so that there is no jump and no corner?",
        "Take the sizes of the errors. Where the size is below beta: half its square, divided by beta. "
        "Elsewhere: the size less half of beta. `torch.where` chooses, then the mean.",
    ),
    alternatives=(
        "def smooth_l1(y_hat, y, beta=1.0):\n"
        "    return torch.nn.functional.smooth_l1_loss(y_hat, y, beta=beta)",
        "def smooth_l1(y_hat, y, beta=1.0):\n    a = (y_hat - y).abs()\n    inner = a.clamp(max=beta)\n"
        "    return (inner**2 / (2 * beta) + (a - inner)).mean()",
        "def smooth_l1(y_hat, y, beta=1.0):\n    e = y - y_hat\n    small = (e > -beta) & (e < beta)\n"
        "    losses = e.abs() - beta / 2\n    losses[small] = e[small] ** 2 / (2 * beta)\n"
        "    return losses.mean()",
        "def smooth_l1(y_hat, y, beta=1.0):\n"
        "    return torch.nn.functional.huber_loss(y_hat, y, delta=beta) / beta",
    ),
)


# ------------------------------------------------------------------------------ 05.bce_with_logits


def bce_with_logits(z: Tensor, y: Tensor) -> Tensor:
    """Mean binary cross-entropy from logits, finite however large they are."""
    larger = (z + z.abs()) / 2  # of z and 0; unlike relu's, its slope is right at 0 as well
    return (larger - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def loss_and_gradient(work: Callable, z: Tensor, y: Tensor) -> Tensor | dict[str, Any]:
    """Probe: the loss and its gradient with respect to the logits.

    Raises:
        NotAsAsked: if the work returns no tensor, or one through which no gradient goes back.
    """
    leaf = z.detach().clone().requires_grad_()
    loss = work(leaf, y)
    if loss is None or (isinstance(loss, Tensor) and loss.shape != ()):
        return loss  # the usual comparison says what is wrong with it
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise NotAsAsked(
            "The loss should be a tensor through which the gradient can go back to z: no `.item()`, no "
            "`.detach()`, nothing from `math`."
        )
    (gradient,) = torch.autograd.grad(loss, leaf)
    return {"loss": loss.detach(), "gradient": gradient}


def bce_cases(generator: torch.Generator) -> list[Case]:
    """Moderate logits, then each kind of overflow on its own. None is exactly 0, where a corner that
    some right solutions have inside (of relu, of abs) would show in the gradient."""
    n = whole_number(generator, 5, 9)
    z = normal(generator, n, scale=3) + 0.01
    y = torch.randint(0, 2, (n,), generator=generator).float()
    return [
        Case("values", (torch.tensor([2.0, -1.0]), torch.tensor([1.0, 1.0])), "the example"),
        Case("values", (z, y)),
        Case(
            "values", (normal(generator, 4), torch.tensor([0.0, 0.25, 0.9, 1.0])), "targets between 0 and 1"
        ),
        Case("types", (normal(generator, 3).double(), torch.tensor([1.0, 0.0, 1.0]).double()), "float64"),
        Case("shapes", (torch.tensor([0.5]), torch.tensor([0.0])), "a batch of one"),
        Case("shapes", (normal(generator, 3, 2), torch.ones(3, 2)), "a table"),
        Case("edge cases", (torch.tensor([20.0, 30.0]), torch.tensor([1.0, 1.0])), "sure and right"),
        Case("edge cases", (torch.tensor([-200.0, -50.0]), torch.tensor([1.0, 1.0])), "very sure, and wrong"),
        Case(
            "edge cases",
            (torch.tensor([200.0, 50.0]), torch.tensor([0.0, 0.0])),
            "the same on the other side",
        ),
        Case("edge cases", (torch.tensor([1e4, -1e4]), torch.tensor([1.0, 0.0])), "logits of 10,000, right"),
        Case("edge cases", (torch.tensor([1e4, -1e4]), torch.tensor([0.0, 1.0])), "logits of 10,000, wrong"),
    ]


def _bce(body: str) -> str:
    return f"def bce_with_logits(z, y):\n{body}"


BCE_WITH_LOGITS = Exercise(
    id="05.bce_with_logits",
    name="bce_with_logits",
    title="Binary cross-entropy that holds",
    difficulty=3,
    points=5,
    minutes=15,
    cases=bce_cases,
    reference=bce_with_logits,
    probe=loss_and_gradient,
    result="one number, a tensor of shape (), with a gradient",
    misconceptions=(
        Misconception(
            "sigmoid first, then log",
            _bce(
                "    p = torch.sigmoid(z)\n"
                "    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()\n"
            ),
            "Right on paper. But for a large |z| the sigmoid is exactly 0 or 1 in the computer, and log 0 is "
            "−inf, or 0 · −inf = NaN. Put the sigmoid's formula into the logarithm first and simplify.",
        ),
        Misconception(
            "a little added before the log",
            _bce(
                "    p = torch.sigmoid(z)\n"
                "    return -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7)).mean()\n"
            ),
            "Adding a small number avoids log 0, but it makes the loss wrong: it can never be above 16, and "
            "where the network is most wrong the gradient is 0.",
        ),
        Misconception(
            "probabilities cut off",
            _bce(
                "    p = torch.sigmoid(z).clamp(1e-7, 1 - 1e-7)\n"
                "    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()\n"
            ),
            "Cutting the probabilities off avoids log 0, but beyond the cut the loss is flat: the gradient "
            "vanishes just where the network is most wrong.",
        ),
        Misconception(
            "torch's loss for probabilities",
            _bce("    return torch.nn.functional.binary_cross_entropy(torch.sigmoid(z), y)\n"),
            "You take the sigmoid and then torch's loss for probabilities. It cuts the logarithm off at "
            "−100, so beyond that the loss is too small and the gradient is wrong. Start from the logits.",
        ),
        Misconception(
            "overflows for large positive logits",
            _bce("    return (torch.log(1 + torch.exp(z)) - y * z).mean()\n"),
            "The formula log(1 + e^z) − y·z is right. But e^z overflows for large z, and for very negative z "
            "the 1 + e^z loses all digits of e^z. Take the larger of 0 and z out of the logarithm.",
        ),
        Misconception(
            "sign lost",
            _bce("    return (z * y - torch.relu(z) - torch.log1p(torch.exp(-z.abs()))).mean()\n"),
            "Your loss is negative: the logarithm of a probability is negative, and the loss is minus that.",
        ),
        Misconception(
            "only where y is 1",
            _bce("    return (-y * torch.nn.functional.logsigmoid(z)).mean()\n"),
            "You count only inputs whose target is 1. With target 0 the loss is −log(1 − p), and 1 − "
            "sigmoid(z) is sigmoid(−z).",
        ),
        Misconception(
            "targets exchanged",
            _bce("    return (torch.relu(z) - z * (1 - y) + torch.log1p(torch.exp(-z.abs()))).mean()\n"),
            "Sure and right has a large loss with you: the roles of y and 1 − y are exchanged.",
        ),
        Misconception(
            "sum for mean",
            _bce("    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).sum()\n"),
            "Stable and right, but you add up over the batch. Take the mean.",
        ),
        Misconception(
            "the product with y forgotten",
            _bce("    return (torch.relu(z) - z + torch.log1p(torch.exp(-z.abs()))).mean()\n"),
            "You treat every target as 1: y is not used.",
        ),
        Misconception(
            "absolute value forgotten",
            _bce("    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z))).mean()\n"),
            "For positive logits all is right. For negative ones the exponent −z is positive: it must be "
            "minus the size of z.",
        ),
        Misconception(
            "logarithms cut off at −100",
            _bce(
                "    p = torch.sigmoid(z)\n"
                "    log_p, log_q = torch.log(p).clamp(min=-100), torch.log(1 - p).clamp(min=-100)\n"
                "    return -(y * log_p + (1 - y) * log_q).mean()\n"
            ),
            "You cut the logarithms off at −100, as torch does for probabilities. Up to there the value is "
            "saved, but on the way back the logarithm of 0 still has slope inf, and 0 · inf is NaN. Start "
            "from the logits.",
        ),
        Misconception(
            "both softplus taken literally",
            _bce(
                "    a, b = torch.log(1 + torch.exp(-z)), torch.log(1 + torch.exp(z))\n"
                "    return (y * a + (1 - y) * b).mean()\n"
            ),
            "The two logarithms are the right ones. But taken literally each overflows on one side: e^z for "
            "large z, e^(−z) for very negative z. Write each so that no exponent is ever positive.",
        ),
        Misconception(
            "where between two forms",
            _bce(
                "    larger = torch.where(z > 0, z + torch.log1p(torch.exp(-z)), torch.log1p(torch.exp(z)))\n"
                "    return (larger - z * y).mean()\n"
            ),
            "The value is right. But `torch.where` computes both forms for every number, and on the way "
            "back the one that was not chosen gives 0 · inf = NaN. No exponent may be positive, not even in "
            "a form that is thrown away.",
        ),
        Misconception(
            "where, for large ones only",
            _bce(
                "    larger = torch.where(z > 20, z, torch.log(1 + torch.exp(z)))\n"
                "    return (larger - z * y).mean()\n"
            ),
            "The value is right. But `torch.where` computes log(1 + e^z) for the large ones as well, and "
            "throws it away. On the way back it gives 0 · inf = NaN all the same. No exponent may be "
            "positive, not even there.",
        ),
        Misconception(
            "targets either 0 or 1",
            _bce(
                "    F = torch.nn.functional\n"
                "    return torch.where(y == 1, F.softplus(-z), F.softplus(z)).mean()\n"
            ),
            "Right for targets 0 and 1. But a target may lie between: 0.9 asks for nine tenths of the one "
            "term and one tenth of the other. Weigh both instead of choosing.",
        ),
        Misconception(
            "minus lost, sigmoid first",
            _bce(
                "    p = torch.sigmoid(z)\n"
                "    return (y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()\n"
            ),
            "Two things. The minus in front is missing, so the loss is negative. And with the sigmoid first "
            "and a logarithm after it large logits give inf or NaN.",
        ),
        Misconception(
            "logits taken for probabilities",
            _bce("    return -(y * torch.log(z) + (1 - y) * torch.log(1 - z)).mean()\n"),
            "You take the logarithm of z. But z is a logit, any number at all; the probability is "
            "sigmoid(z). Put its formula in for p and simplify.",
        ),
    ),
    hints=(
        "With p = 1/(1 + e^(−z)) one has −log p = log(1 + e^(−z)) and −log(1 − p) = z + log(1 + e^(−z)). "
        "Put both together with y. For which z does this overflow, and how would you write it for those?",
        "The loss of one input is the larger of z and 0, minus z·y, plus log(1 + e^(−|z|)). The exponent is "
        "never positive now. `torch.log1p(t)` is log(1 + t) without losing small t.",
    ),
    alternatives=(
        _bce("    return (torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()\n"),
        _bce("    return torch.nn.functional.binary_cross_entropy_with_logits(z, y)\n"),
        _bce("    return (torch.nn.functional.softplus(z) - y * z).mean()\n"),
        _bce(
            "    F = torch.nn.functional\n"
            "    return -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z)).mean()\n"
        ),
        _bce("    return (torch.logaddexp(z, torch.zeros_like(z)) - y * z).mean()\n"),
        _bce(
            "    m = torch.maximum(z, torch.zeros_like(z)).detach()\n"
            "    return (m + torch.log(torch.exp(-m) + torch.exp(z - m)) - y * z).mean()\n"
        ),
    ),
)


# -------------------------------------------------------------------------------- 05.cross_entropy


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean of log-sum-exp of each row minus the logit of its class."""
    shifted = logits - logits.amax(dim=1, keepdim=True)
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -log_p[torch.arange(len(y)), y].mean()


def cross_entropy_cases(generator: torch.Generator) -> list[Case]:
    """As many inputs as classes too; rows at very different heights; ±10,000."""
    n, k = whole_number(generator, 3, 5), whole_number(generator, 6, 8)

    def labels(n: int, k: int) -> Tensor:
        return torch.randint(0, k, (n,), generator=generator)

    high = normal(generator, 3, 4) + torch.tensor([[0.0], [1000.0], [-1000.0]])
    return [
        Case(
            "values", (torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 2])), "the example"
        ),
        Case("values", (normal(generator, n, k), labels(n, k)), f"{n} inputs, {k} classes"),
        Case(
            "values",
            (normal(generator, 4, 4, scale=2), torch.tensor([1, 1, 3, 0])),
            "as many inputs as classes",
        ),
        Case("types", (normal(generator, 3, 5).double(), labels(3, 5)), "float64"),
        Case("shapes", (normal(generator, 1, 3), torch.tensor([2])), "a batch of one"),
        Case("shapes", (normal(generator, 5, 2), labels(5, 2)), "two classes"),
        Case(
            "shapes", (normal(generator, 3, 1), torch.zeros(3, dtype=torch.int64)), "a single class: loss 0"
        ),
        Case("edge cases", (high, labels(3, 4)), "rows at very different heights"),
        Case("edge cases", (torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([0])), "logits of 10,000, right"),
        Case("edge cases", (torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([1])), "logits of 10,000, wrong"),
    ]


def _ce(body: str) -> str:
    return f"def cross_entropy(logits, y):\n{body}"


CROSS_ENTROPY = Exercise(
    id="05.cross_entropy",
    name="cross_entropy",
    title="Cross-entropy from logits",
    difficulty=2,
    points=4,
    minutes=15,
    cases=cross_entropy_cases,
    reference=cross_entropy,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "softmax twice",
            _ce("    return torch.nn.functional.cross_entropy(torch.softmax(logits, dim=1), y)\n"),
            "You take the softmax and hand the probabilities on as if they were logits: softmax is taken "
            "twice. The loss stays far above 0 even where the network is sure and right.",
        ),
        Misconception(
            "softmax, then log",
            _ce(
                "    p = torch.softmax(logits, dim=1)\n"
                "    return -torch.log(p[torch.arange(len(y)), y]).mean()\n"
            ),
            "Right on paper. But where the network is sure and wrong the probability is exactly 0 in the "
            "computer, and its logarithm −inf. Put softmax's formula into the logarithm first: log(e^a / b) "
            "is a − log b.",
        ),
        Misconception(
            "no shift",
            _ce(
                "    log_p = logits - torch.log(torch.exp(logits).sum(dim=1, keepdim=True))\n"
                "    return -log_p[torch.arange(len(y)), y].mean()\n"
            ),
            "The formula is right, but e to the power of a large logit overflows. Subtract the largest "
            "logit of each row before you take exponentials; it cancels.",
        ),
        Misconception(
            "one shift for all rows",
            _ce(
                "    z = logits - logits.max()\n"
                "    log_p = z - torch.log(torch.exp(z).sum(dim=1, keepdim=True))\n"
                "    return -log_p[torch.arange(len(y)), y].mean()\n"
            ),
            "You subtract the largest logit of the whole batch. A row that lies a thousand lower then has "
            "only exponentials of 0, and log 0 is −inf. Each row needs its own shift.",
        ),
        Misconception(
            "along the batch",
            _ce(
                "    log_p = torch.log_softmax(logits, dim=0)\n"
                "    return -log_p[torch.arange(len(y)), y].mean()\n"
            ),
            "You take the softmax down the columns, over the inputs. Each row is one input, and its classes "
            "stand side by side.",
        ),
        Misconception(
            "sum for mean",
            _ce(
                "    log_p = torch.log_softmax(logits, dim=1)\n"
                "    return -log_p[torch.arange(len(y)), y].sum()\n"
            ),
            "The losses of the inputs are right, but you add them up. Take their mean.",
        ),
        Misconception(
            "mean over inputs and classes",
            _ce(
                "    log_p = torch.log_softmax(logits, dim=1)\n"
                "    Y = torch.nn.functional.one_hot(y, logits.shape[1])\n"
                "    return -(Y * log_p).mean()\n"
            ),
            "You take the mean over all places of the table, zeros included, and so divide by n·k. Add up "
            "over the classes, then take the mean over the inputs.",
        ),
        Misconception(
            "expects one-hot targets",
            _ce("    return -(y * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()\n"),
            "You multiply by y as if it held a one-hot row for each input. It holds class numbers: use them "
            "to pick one number from each row.",
        ),
        Misconception(
            "every label's column from every row",
            _ce("    return -torch.log_softmax(logits, dim=1)[:, y].mean()\n"),
            "`[:, y]` takes the columns of all labels from every row. From row i only the one of its own "
            "label y[i] is wanted.",
        ),
        Misconception(
            "minus sign lost",
            _ce(
                "    log_p = torch.log_softmax(logits, dim=1)\n"
                "    return log_p[torch.arange(len(y)), y].mean()\n"
            ),
            "Your loss is negative: log-probabilities are, and the loss is minus their mean.",
        ),
        Misconception(
            "only the logit of the class",
            _ce("    return -logits[torch.arange(len(y)), y].mean()\n"),
            "You look only at the logit of the right class. It counts how far it is above the others: "
            "subtract it from the log of the sum of the exponentials.",
        ),
        Misconception(
            "no logarithm",
            _ce("    p = torch.softmax(logits, dim=1)\n    return (1 - p[torch.arange(len(y)), y]).mean()\n"),
            "You take 1 − p instead of −log p. A network that is sure and wrong then has a loss of only 1, "
            "and hardly any gradient.",
        ),
        Misconception(
            "minus p",
            _ce("    p = torch.softmax(logits, dim=1)\n    return -p[torch.arange(len(y)), y].mean()\n"),
            "You take minus the probability; the logarithm is missing. A network that is sure and wrong "
            "would get 0, and hardly any gradient.",
        ),
        Misconception(
            "shares computed, then log",
            _ce(
                "    e = torch.exp(logits)\n"
                "    p = e / e.sum(dim=1, keepdim=True)\n"
                "    return -torch.log(p[torch.arange(len(y)), y]).mean()\n"
            ),
            "Right on paper. But e to the power of a large logit is inf, and inf / inf is NaN. The shift by "
            "the row's largest logit mends that half. The other half: a share that rounds to 0 has no "
            "logarithm, so let the logarithm undo the exponential.",
        ),
        Misconception(
            "a little added before the log",
            _ce(
                "    p = torch.softmax(logits, dim=1)\n"
                "    return -torch.log(p[torch.arange(len(y)), y] + 1e-8).mean()\n"
            ),
            "Adding a small number avoids log 0, but it makes the loss wrong everywhere a little, and where "
            "the network is most wrong by far: it can never be above 18.4, and the gradient is gone there.",
        ),
        Misconception(
            "probabilities cut off",
            _ce(
                "    p = torch.softmax(logits, dim=1).clamp(min=1e-12)\n"
                "    return -torch.log(p[torch.arange(len(y)), y]).mean()\n"
            ),
            "A smallest probability of 1e-12 (cut off there, or added) avoids log 0, but beyond it the loss "
            "is flat, never above 27.6: the gradient vanishes just where the network is most wrong.",
        ),
        Misconception(
            "logarithm of the mean",
            _ce(
                "    p = torch.exp(torch.log_softmax(logits, dim=1))\n"
                "    return -torch.log(p[torch.arange(len(y)), y].mean())\n"
            ),
            "You take the mean of the probabilities and then one logarithm. Each input has a surprise of "
            "its own: the logarithm first, then the mean.",
        ),
        Misconception(
            "shift in one place only",
            _ce(
                "    largest = logits.amax(dim=1, keepdim=True)\n"
                "    lse = torch.log(torch.exp(logits - largest).sum(dim=1))\n"
                "    return (lse - logits[torch.arange(len(y)), y]).mean()\n"
            ),
            "In the sum of the exponentials you subtract the largest logit, but not from the logit of the "
            "right class. Then the shift does not cancel: subtract it from both, or add it to the log of "
            "the sum again.",
        ),
        Misconception(
            "labels taken for rows",
            _ce("    return -torch.log_softmax(logits, dim=1)[y].mean()\n"),
            "`[y]` alone picks whole rows, those with the numbers of the labels. From row i one number is "
            "wanted, the one at place y[i]: that takes two lists of indices.",
        ),
    ),
    hints=(
        "For one row: −log(e^(z_y) / Σ e^z) = log Σ e^z − z_y. How do you compute log Σ e^z if a logit is "
        "1000?",
        "Subtract from each row its largest logit. Then log-probabilities are what is left minus the log of "
        "the row's sum of exponentials. Pick from row i the entry y[i] (two lists of indices do it), change "
        "the sign, take the mean.",
    ),
    alternatives=(
        _ce("    return torch.nn.functional.cross_entropy(logits, y)\n"),
        _ce("    return (logits.logsumexp(dim=1) - logits.gather(1, y[:, None])[:, 0]).mean()\n"),
        _ce(
            "    log_p = torch.log_softmax(logits, dim=-1)\n"
            "    return sum(-log_p[i, y[i]] for i in range(len(y))) / len(y)\n"
        ),
        _ce(
            "    Y = torch.eye(logits.shape[1], dtype=logits.dtype)[y]\n"
            "    return -(Y * torch.log_softmax(logits, 1)).sum(1).mean()\n"
        ),
    ),
)


# ----------------------------------------------------------------------- 05.weighted_cross_entropy


def weighted_cross_entropy(logits: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the cross-entropies, each with the weight of its class."""
    losses = -torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y]
    weights = weight[y]
    return (weights * losses).sum() / weights.sum()


def weighted_cases(generator: torch.Generator) -> list[Case]:
    """Batches in which the classes' shares differ, so that every wrong divisor shows."""
    n, k = whole_number(generator, 6, 9), 3
    weight = torch.tensor([0.5, 2.0, 7.0])
    y = torch.cat([torch.tensor([0, 1]), torch.randint(0, k, (n - 2,), generator=generator)])
    logits = torch.tensor([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    return [
        Case("values", (logits, torch.tensor([0, 1, 0]), torch.tensor([1.0, 3.0])), "the example"),
        Case("values", (normal(generator, n, k), y, weight)),
        Case(
            "values",
            (normal(generator, 3, 3), torch.tensor([2, 0, 2]), torch.tensor([1.0, 5.0, 0.3])),
            "n = k",
        ),
        Case(
            "types",
            (
                normal(generator, 4, 2).double(),
                torch.tensor([0, 1, 0, 0]),
                torch.tensor([1.0, 9.0]).double(),
            ),
            "float64",
        ),
        Case(
            "shapes", (normal(generator, 1, 4), torch.tensor([1]), torch.arange(1.0, 5.0)), "a batch of one"
        ),
        Case(
            "edge cases",
            (normal(generator, 5, 3), torch.tensor([0, 1, 2, 2, 1]), torch.ones(3)),
            "weights 1",
        ),
        Case(
            "edge cases",
            (normal(generator, 4, 3), torch.tensor([0, 1, 2, 1]), torch.tensor([0.0, 1.0, 2.0])),
            "weight 0: a class that does not count",
        ),
        Case(
            "edge cases",
            (torch.tensor([[1e4, -1e4], [1e4, -1e4]]), torch.tensor([0, 1]), torch.tensor([1.0, 3.0])),
            "logits of 10,000",
        ),
    ]


def _wce(last: str, losses: str = "-torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y]") -> str:
    return f"def weighted_cross_entropy(logits, y, weight):\n    losses = {losses}\n{last}"


WEIGHTED_CROSS_ENTROPY = Exercise(
    id="05.weighted_cross_entropy",
    name="weighted_cross_entropy",
    title="Rare classes count more",
    difficulty=3,
    points=4,
    minutes=15,
    cases=weighted_cases,
    reference=weighted_cross_entropy,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "divides by n",
            _wce("    return (weight[y] * losses).mean()\n"),
            "You divide by the number of inputs. A weighted mean is divided by the sum of the weights that "
            "were used, so that weights twice as large give the same loss.",
        ),
        Misconception(
            "divides by all classes' weights",
            _wce("    return (weight[y] * losses).sum() / weight.sum()\n"),
            "You divide by the sum of the classes' weights. It is the weights of the inputs in this batch "
            "that are added up: a class that occurs twice counts twice.",
        ),
        Misconception(
            "sum",
            _wce("    return (weight[y] * losses).sum()\n"),
            "You add the weighted losses up, but do not divide.",
        ),
        Misconception(
            "weights not used",
            _wce("    return losses.mean()\n"),
            "This is the plain cross-entropy; the weights are not used.",
        ),
        Misconception(
            "logits weighted",
            """
def weighted_cross_entropy(logits, y, weight):
    log_p = torch.log_softmax(logits * weight, dim=1)
    return -log_p[torch.arange(len(y)), y].mean()
""",
            "You multiply the logits by the weights. That changes what the network says. The weights belong "
            "to the losses of the inputs.",
        ),
        Misconception(
            "mean loss times mean weight",
            _wce("    return losses.mean() * weight[y].mean()\n"),
            "You multiply the mean loss by the mean weight. Then it makes no difference which input has "
            "which weight. Weigh each loss first.",
        ),
        Misconception(
            "one over the weight",
            _wce("    w = 1 / weight[y]\n    return (w * losses).sum() / w.sum()\n"),
            "You divide by the weights: a class with a large weight counts less with you.",
        ),
        Misconception(
            "softmax, then log",
            _wce(
                "    w = weight[y]\n    return (w * losses).sum() / w.sum()\n",
                "-torch.log(torch.softmax(logits, dim=1))[torch.arange(len(y)), y]",
            ),
            "Weights and divisor are right. But softmax first and the logarithm then gives inf where the "
            "network is sure and wrong. Take the logarithm of softmax in one go, as in 05.cross_entropy.",
        ),
        Misconception(
            "minus sign lost",
            _wce(
                "    w = weight[y]\n    return (w * losses).sum() / w.sum()\n",
                "torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y]",
            ),
            "Weights and divisor are right, but the loss is negative: log-probabilities are, and the loss is "
            "minus their mean.",
        ),
        Misconception(
            "weights squared",
            _wce("    w = weight[y]\n    return (w * w * losses).sum() / w.sum()\n"),
            "Every weight is multiplied in twice.",
        ),
        Misconception(
            "all classes' weights on every input",
            """
def weighted_cross_entropy(logits, y, weight):
    losses = -torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y]
    return (losses[:, None] * weight).mean()
""",
            "You give every input the weights of all classes. Each has one weight: that of its own class.",
        ),
        Misconception(
            "softmax twice",
            _wce(
                "    w = weight[y]\n    return (w * losses).sum() / w.sum()\n",
                "-torch.log_softmax(torch.softmax(logits, dim=1), dim=1)[torch.arange(len(y)), y]",
            ),
            "Weights and divisor are right. But softmax is taken twice: what goes into the log-softmax are "
            "the logits, not probabilities.",
        ),
        Misconception(
            "along the batch",
            _wce(
                "    w = weight[y]\n    return (w * losses).sum() / w.sum()\n",
                "-torch.log_softmax(logits, dim=0)[torch.arange(len(y)), y]",
            ),
            "Weights and divisor are right. But you take the softmax down the columns, over the inputs. "
            "Each row is one input, and its classes stand side by side.",
        ),
        Misconception(
            "every label's column from every row",
            _wce(
                "    return (weight[y] * losses).sum() / weight[y].sum()\n",
                "-torch.log_softmax(logits, dim=1)[:, y]",
            ),
            "`[:, y]` takes the columns of all labels from every row. From row i only the one of its own "
            "label y[i] is wanted.",
        ),
        Misconception(
            "weights by place",
            _wce("    return (weight * losses).sum() / weight.sum()\n"),
            "`weight` has one number for each class, the losses one for each input. They do not belong "
            "together as they stand: pick for each input the weight of its class first.",
        ),
        Misconception(
            "a mean for each class",
            """
def weighted_cross_entropy(logits, y, weight):
    log_p = torch.log_softmax(logits, dim=1)
    total = 0.0
    for k in range(len(weight)):
        total = total - weight[k] * log_p[y == k, k].mean()
    return total / weight.sum()
""",
            "You take a mean for each class and weigh these means. Then it no longer counts how many inputs "
            "a class has (and a class without any gives NaN). Weigh each input by itself.",
        ),
        Misconception(
            "probabilities weighted",
            """
def weighted_cross_entropy(logits, y, weight):
    p = torch.softmax(logits, dim=1) * weight
    return -torch.log(p[torch.arange(len(y)), y]).sum() / weight[y].sum()
""",
            "You multiply the probabilities by the weights, before the logarithm. It is the losses, after "
            "it, that the weights belong to.",
        ),
    ),
    hints=(
        "Which weight belongs to an input of class 2? Write the weights of all inputs of the batch as one "
        "tensor of shape (n,). What is a weighted mean?",
        "First the losses of the inputs, (n,), as in cross_entropy, but without the mean. The weights of "
        "the inputs are picked from `weight` by the labels. Then: sum of weight times loss, divided by the "
        "sum of those weights.",
    ),
    alternatives=(
        "def weighted_cross_entropy(logits, y, weight):\n"
        "    return torch.nn.functional.cross_entropy(logits, y, weight=weight)",
        """
def weighted_cross_entropy(logits, y, weight):
    losses = logits.logsumexp(1) - logits.gather(1, y.unsqueeze(1)).squeeze(1)
    share = weight[y] / weight[y].sum()
    return share @ losses
""",
        """
def weighted_cross_entropy(logits, y, weight):
    log_p = torch.log_softmax(logits, dim=1)
    total, weights = 0.0, 0.0
    for i in range(len(y)):
        total = total - weight[y[i]] * log_p[i, y[i]]
        weights = weights + weight[y[i]]
    return total / weights
""",
    ),
)


# ---------------------------------------------------------------------------------------- 05.hinge


def hinge(scores: Tensor, y: Tensor) -> Tensor:
    """Mean of max(0, 1 − y · score) for targets −1 and +1."""
    return torch.relu(1 - y * scores).mean()


def hinge_cases(generator: torch.Generator) -> list[Case]:
    n = whole_number(generator, 6, 10)

    def signs(*shape: int) -> Tensor:
        return 2.0 * torch.randint(0, 2, shape, generator=generator) - 1

    return [
        Case("values", (torch.tensor([2.0, 0.5, -1.0]), torch.tensor([1.0, 1.0, 1.0])), "the example"),
        Case("values", (normal(generator, n, scale=2), signs(n))),
        Case("values", (torch.tensor([-2.0, -0.5, 0.25, 3.0]), torch.full((4,), -1.0)), "all targets −1"),
        Case("types", (normal(generator, 4).double(), signs(4).double()), "float64"),
        Case("shapes", (torch.tensor([0.3]), torch.tensor([-1.0])), "a batch of one"),
        Case("edge cases", (torch.tensor([5.0, -4.0]), torch.tensor([1.0, -1.0])), "all right with room: 0"),
        Case("edge cases", (torch.zeros(3), torch.tensor([1.0, -1.0, 1.0])), "scores of 0"),
        Case("edge cases", (torch.tensor([1.0, -1.0]), torch.tensor([1.0, -1.0])), "exactly at the margin"),
        Case("edge cases", (torch.tensor([1e6, -3.0]), torch.tensor([-1.0, 1.0])), "one hugely wrong"),
    ]


HINGE = Exercise(
    id="05.hinge",
    name="hinge",
    title="Right is not enough: the hinge",
    difficulty=1,
    points=2,
    minutes=5,
    cases=hinge_cases,
    reference=hinge,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "no margin",
            "def hinge(scores, y):\n    return torch.relu(-y * scores).mean()",
            "You punish only what is wrong (the perceptron's loss). The hinge asks for room as well: up to a "
            "margin of 1 even a right answer costs something.",
        ),
        Misconception(
            "no cut at 0",
            "def hinge(scores, y):\n    return (1 - y * scores).mean()",
            "What is right with more room than needed gets a negative loss with you, and makes up for "
            "mistakes elsewhere. The hinge is never below 0.",
        ),
        Misconception(
            "cut after the mean",
            "def hinge(scores, y):\n    return torch.relu((1 - y * scores).mean())",
            "You cut off at 0 after the mean; by then good ones have made up for bad ones. Cut each one "
            "first.",
        ),
        Misconception(
            "targets 0 and 1",
            "def hinge(scores, y):\n    return torch.relu(1 - (2 * y - 1) * scores).mean()",
            "You turn targets 0 and 1 into −1 and +1. Here they are −1 and +1 already.",
        ),
        Misconception(
            "target not used",
            "def hinge(scores, y):\n    return torch.relu(1 - scores).mean()",
            "You treat every target as +1. Multiplied by the target, a score is positive when it is right.",
        ),
        Misconception(
            "wrong sign",
            "def hinge(scores, y):\n    return torch.relu(1 + y * scores).mean()",
            "The sign is the wrong way round: with you the loss grows the more right an answer is.",
        ),
        Misconception(
            "squared",
            "def hinge(scores, y):\n    return torch.relu(1 - y * scores).square().mean()",
            "This is the squared hinge. The plain one grows in a straight line.",
        ),
        Misconception(
            "absolute value",
            "def hinge(scores, y):\n    return (1 - y * scores).abs().mean()",
            "You take the absolute value, so an answer with more room than needed costs something again. It "
            "should cost nothing.",
        ),
        Misconception(
            "sum for mean",
            "def hinge(scores, y):\n    return torch.relu(1 - y * scores).sum()",
            "The single losses are right, but you add them up. Take the mean.",
        ),
        Misconception(
            "the worst one only",
            "def hinge(scores, y):\n    return torch.relu((1 - y * scores).max())",
            "`max` over the tensor picks the worst input and forgets the others. Each number is compared "
            "with 0 by itself.",
        ),
        Misconception(
            "difference for product",
            "def hinge(scores, y):\n    return torch.relu(1 - (y - scores)).mean()",
            "You take the difference of target and score. It is their product that says how right an answer "
            "is, and with how much room.",
        ),
        Misconception(
            "the wrong side cut off",
            "def hinge(scores, y):\n    return (1 - y * scores).clamp(max=0).mean()",
            "You cut off what is above 0 and keep what is below, so mistakes cost nothing and right answers "
            "are rewarded. `clamp(max=0)` makes 0 the largest value; here 0 is to be the smallest.",
        ),
        Misconception(
            "cut at 1 as well",
            "def hinge(scores, y):\n    return (1 - y * scores).clamp(0, 1).mean()",
            "You cut off at 1, too. Then every wrong answer costs the same, however wrong it is, and has no "
            "slope to learn from. The hinge has no upper end.",
        ),
        Misconception(
            "only wrong answers",
            "def hinge(scores, y):\n    m = y * scores\n    return torch.where(m < 0, 1 - m, 0.0).mean()",
            "An answer that is right, but by less than 1, costs nothing with you, and at 0 the loss jumps. "
            "It ends where 1 − y·score does: at a margin of 1.",
        ),
        Misconception(
            "mean of those that cost",
            "def hinge(scores, y):\n    losses = 1 - y * scores\n    return losses[losses > 0].mean()",
            "You take the mean of those inputs only that cost something. Then the loss does not fall when "
            "more of them are right (and with none left it is 0/0). The zeros count in the mean.",
        ),
        Misconception(
            "counts them",
            "def hinge(scores, y):\n    return (y * scores < 1).float().mean()",
            "You count how many lack room. That is a staircase, without a slope. Each is to cost as much as "
            "it lacks.",
        ),
        Misconception(
            "brackets round 1 − y",
            "def hinge(scores, y):\n    return torch.relu((1 - y) * scores).mean()",
            "You multiply the score by 1 − y. It is 1 minus the product: multiply target and score first.",
        ),
    ),
    hints=(
        "y · score is positive where the answer is right, and large where it is right with room. From which "
        "value on should the loss be 0?",
        "One minus target times score, cut off at 0 for each input by itself, then the mean.",
    ),
    alternatives=(
        "def hinge(scores, y):\n    return (1 - y * scores).clamp(min=0).mean()",
        "def hinge(scores, y):\n    m = 1 - scores * y\n    return torch.where(m > 0, m, 0.0).sum() / len(y)",
        "def hinge(scores, y):\n    return torch.maximum(1 - y * scores, torch.zeros_like(scores)).mean()",
    ),
)


# ---------------------------------------------------------------------------------- 05.fit_by_loss


def fit_by_loss(y: Tensor, loss: str) -> Tensor:
    """The constant that is best under a loss: mean, median, or most frequent value."""
    if loss == "mse":
        return y.mean()
    if loss == "mae":
        return y.median()
    if loss == "zero_one":
        return y.mode().values
    raise ValueError(f"no loss called {loss!r}")


def loss_of_constant(work: Callable, y: Tensor, loss: str) -> dict[str, Tensor] | str:
    """Probe: the loss that the work's constant has, for several constants may be equally good.

    For a word that names no loss: in words what came back, since nothing should.

    Raises:
        NotAsAsked: if the work returns no single number.
    """
    c = work(y, loss)
    if loss not in ("mse", "mae", "zero_one"):
        return "nothing" if c is None else "an error, returned" if isinstance(c, Exception) else "a result"
    if c is None:
        raise NotAsAsked("Your function should return one number, but it returns nothing (None): `return`?")
    if isinstance(c, tuple):
        raise NotAsAsked(
            f"Your function should return one number, but it returns {len(c)} things at once. `mode` gives a "
            "value and a place where it stands, and so does `median(dim)`: take the one you need."
        )
    try:
        c = float(c)
    except (TypeError, ValueError, RuntimeError):
        raise NotAsAsked("Your function should return one number, the constant.") from None
    e = (y - c).double()
    losses = {"mse": e.square(), "mae": e.abs(), "zero_one": (e != 0).double()}
    return {f"{loss} of your constant": losses[loss].mean()}


def fit_by_loss_cases(generator: torch.Generator) -> list[Case]:
    """Lopsided data whose mean, median and most frequent value lie apart; quarters, exact in float32."""
    n = whole_number(generator, 4, 7)
    y = torch.tensor([1.0, 1.0, 2.0, 4.0, 12.0])
    spread = torch.arange(n) ** 2 + torch.randint(0, 4, (n,), generator=generator) / 4
    lopsided = torch.cat([spread, torch.tensor([-3.0, -3.0, 90.0])])
    # the most frequent value is neither the smallest nor the one in the middle nor near the mean
    frequent = torch.tensor([7.0, 0.0, 1.0, 7.0, 2.0, 0.25, 7.0, 3.0])
    return [
        *(Case("values", (y, loss), "the example") for loss in ("mse", "mae", "zero_one")),
        *(Case("values", (lopsided, loss), "lopsided data") for loss in ("mse", "mae", "zero_one")),
        *(Case("values", (frequent, loss), "in no order") for loss in ("mse", "mae", "zero_one")),
        Case("shapes", (torch.tensor([2.5]), "mae"), "a single number"),
        Case("edge cases", (torch.tensor([0.0, 10.0, 20.0, 100.0]), "mae"), "an even number of values"),
        Case("edge cases", (y, "hinge"), "a loss that it does not know"),
    ]


def _fit(mse: str, mae: str, zero_one: str, otherwise: str = "    raise ValueError(loss)\n") -> str:
    return (
        "def fit_by_loss(y, loss):\n"
        f"    if loss == 'mse':\n        return {mse}\n"
        f"    if loss == 'mae':\n        return {mae}\n"
        f"    if loss == 'zero_one':\n        return {zero_one}\n{otherwise}"
    )


FIT_BY_LOSS = Exercise(
    id="05.fit_by_loss",
    name="fit_by_loss",
    title="What each loss looks for",
    difficulty=2,
    points=3,
    minutes=10,
    cases=fit_by_loss_cases,
    reference=fit_by_loss,
    probe=loss_of_constant,
    result="one number",
    misconceptions=(
        Misconception(
            "always the mean",
            _fit("y.mean()", "y.mean()", "y.mean()"),
            "You always return the mean. It is best for squares only. Under the MAE one point more on the "
            "left or right counts the same however far it is, and under 0–1 only being exactly right counts.",
        ),
        Misconception(
            "mean and median exchanged",
            _fit("y.median()", "y.mean()", "y.mode().values"),
            "Mean and median are exchanged. Which of the two does an outlier drag along, and which loss "
            "makes an outlier count by its square?",
        ),
        Misconception(
            "median for 0–1",
            _fit("y.mean()", "y.median()", "y.median()"),
            "Mean and median are right. But under the 0–1 loss near misses count like all others: the best "
            "constant is exactly right as often as possible.",
        ),
        Misconception(
            "mean for 0–1",
            _fit("y.mean()", "y.median()", "y.mean()"),
            "Mean and median are right. But the mean need not occur among the values at all, and then it is "
            "never exactly right, which is all that counts under 0–1.",
        ),
        Misconception(
            "the middle of the range",
            _fit("y.mean()", "(y.min() + y.max()) / 2", "y.mode().values"),
            "For the MAE you take the middle between the smallest and the largest value. It is the middle "
            "one of the sorted values: as many points on either side.",
        ),
        Misconception(
            "the middle one, not sorted",
            _fit("y.mean()", "y[len(y) // 2]", "y.mode().values"),
            "For the MAE you take the value that happens to stand in the middle. Sort them first.",
        ),
        Misconception(
            "smallest value for 0–1",
            _fit("y.mean()", "y.median()", "y.min()"),
            "For 0–1 you take the smallest value. It is the most frequent one that is right most often.",
        ),
        Misconception(
            "how often, not what",
            _fit("y.mean()", "y.median()", "torch.unique(y, return_counts=True)[1].max()"),
            "For 0–1 you return how often the most frequent value occurs. It is the value itself that is "
            "asked for.",
        ),
        Misconception(
            "the place, not the value",
            _fit("y.mean()", "y.median(dim=0).indices", "y.mode().indices"),
            "`median` and `mode` along a dimension give values and the places where they stand. You return "
            "the places.",
        ),
        Misconception(
            "the loss for the constant",
            _fit(
                "((y - y.mean())**2).mean()",
                "(y - y.median()).abs().mean()",
                "(y != y.mode().values).float().mean()",
            ),
            "You return how large the smallest loss is. It is the constant that has it that is asked for.",
        ),
        Misconception(
            "no error for an unknown loss",
            _fit("y.mean()", "y.median()", "y.mode().values", "    return y.mean()\n"),
            "The three constants are right. But for a loss that you do not know you return something: a "
            "misspelt word would go unnoticed. Raise a ValueError.",
        ),
        Misconception(
            "the error returned",
            _fit("y.mean()", "y.median()", "y.mode().values", "    return ValueError(loss)\n"),
            "The three constants are right. But for a word that you do not know you *return* an error, as "
            "if it were the answer, and the program goes on. `raise` stops it.",
        ),
        Misconception(
            "nothing for an unknown loss",
            _fit("y.mean()", "y.median()", "y.mode().values", ""),
            "The three constants are right. But for a word that you do not know the function runs to its "
            "end and gives None. A misspelt word would go unnoticed: raise a ValueError.",
        ),
        Misconception(
            "the place among the values",
            _fit("y.mean()", "y.median()", "torch.unique(y, return_counts=True)[1].argmax()"),
            "For 0–1 you return a place: `argmax` says where the largest count stands. Look up which value "
            "stands there.",
        ),
        Misconception(
            "largest value for 0–1",
            _fit("y.mean()", "y.median()", "y.max()"),
            "For 0–1 you take the largest value. It is the most frequent one that is right most often.",
        ),
        Misconception(
            "only targets tried",
            _fit("y[((y[:, None] - y) ** 2).mean(1).argmin()]", "y.median()", "y.mode().values"),
            "For the MSE you choose among the targets. The best constant need not be one of them: under "
            "squares the pulls balance anywhere between.",
        ),
        Misconception(
            "predicts 0",
            "def fit_by_loss(y, loss):\n    return 0.0",
            "You always return 0, which is best for no loss (unless the data lie around it).",
        ),
    ),
    hints=(
        "Move a constant c a little to the right. Under the MAE each point on the left adds a little, each "
        "on the right takes the same away: when do they balance? Under the MSE each pulls in proportion to "
        "its distance. And under 0–1?",
        "One statistic for each loss: the mean for squares, the median for absolute values, the most "
        "frequent value for 0–1; `y.mode()` gives a pair of which you want the values. Anything else raises "
        "a ValueError.",
    ),
    alternatives=(
        """
def fit_by_loss(y, loss):
    if loss == "mse":
        return (y.sum() / len(y)).item()
    if loss == "mae":
        return y.sort().values[len(y) // 2].item()
    if loss == "zero_one":
        values, counts = torch.unique(y, return_counts=True)
        return values[counts.argmax()].item()
    raise ValueError("mse, mae or zero_one")
""",
        """
def fit_by_loss(y, loss):
    losses = {"mae": lambda e: e.abs(), "zero_one": lambda e: (e != 0).float()}
    if loss == "mse":
        return y.mean()
    if loss not in losses:
        raise ValueError(loss)
    return min(y, key=lambda c: losses[loss](y - c).sum().item())
""",
        """
def fit_by_loss(y, loss):
    match loss:
        case "mse":
            return torch.mean(y)
        case "mae":
            return torch.quantile(y, 0.5)
        case "zero_one":
            numbers = y.tolist()
            return max(numbers, key=numbers.count)
    raise ValueError(f"unknown loss: {loss}")
""",
    ),
)


EXERCISES = (  # in the lesson's order
    MSE,
    MAE,
    FIT_BY_LOSS,
    SMOOTH_L1,
    BCE_WITH_LOGITS,
    HINGE,
    CROSS_ENTROPY,
    WEIGHTED_CROSS_ENTROPY,
)
