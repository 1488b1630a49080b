"""The exercises of lesson 10 as data: steps, evaluation, devices, checkpoints, loss scaling, broken loops."""

from __future__ import annotations

import math
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked
from .guard import load_optimizers_for
from .values import kind_words

# ---------------------------------------------------------------------------------- 10.first_loss


def first_loss(k: int) -> float:
    """Cross-entropy of equal probabilities."""
    return math.log(k)


def first_loss_cases(generator: torch.Generator) -> list[Case]:
    return [
        Case("values", (2,), "the example of the statement"),
        Case("values", (10,), "ten digits"),
        Case("values", (whole_number(generator, 3, 9),)),
        Case("values", (whole_number(generator, 20, 900),)),
        Case("values", (1000,), "as many classes as in ImageNet"),
        Case("edge cases", (1,), "a single class: nothing to find out"),
    ]


def _first_loss(expression: str) -> str:
    return f"def first_loss(k):\n    return {expression}\n"


FIRST_LOSS = Exercise(
    id="10.first_loss",
    name="first_loss",
    title="What the loss should be before anything is learned",
    difficulty=1,
    points=1,
    minutes=5,
    cases=first_loss_cases,
    reference=first_loss,
    result="a float",
    rtol=1e-5,
    atol=1e-6,
    misconceptions=(
        Misconception(
            "the probability",
            _first_loss("1 / k"),
            "1/k is the probability of the right class. The loss is the surprise at it: minus its logarithm.",
        ),
        Misconception(
            "negative",
            _first_loss("math.log(1 / k)"),
            "This is the logarithm of the probability, a number below 0. A loss has the minus in front.",
        ),
        Misconception(
            "in bits",
            _first_loss("math.log2(k)"),
            "This is the logarithm to base 2, the surprise in bits. torch's loss uses the natural logarithm.",
        ),
        Misconception(
            "to base ten",
            _first_loss("math.log10(k)"),
            "This is the logarithm to base 10. torch's loss uses the natural logarithm.",
        ),
        Misconception(
            "number of classes",
            _first_loss("float(k)"),
            "You return k itself. The loss grows far more slowly with the number of classes: like its "
            "logarithm.",
        ),
        Misconception(
            "error rate",
            _first_loss("1 - 1 / k"),
            "1 − 1/k is how often a guess is wrong. Cross-entropy is the surprise at the right class.",
        ),
        Misconception(
            "divided by k",
            _first_loss("math.log(k) / k"),
            "You take the mean over the classes. In the loss of an example only the right class counts, and "
            "its surprise is log k.",
        ),
        Misconception(
            "summed over the classes",
            _first_loss("k * math.log(k)"),
            "You add the surprise of all classes. In the loss of an example only the right class counts.",
        ),
        Misconception(
            "one class fewer",
            _first_loss("math.log(max(k - 1, 1))"),
            "You leave one class out. A network that knows nothing shares its belief among all k.",
        ),
        Misconception(
            "one class more",
            _first_loss("math.log(k + 1)"),
            "You count one class too many. A network that knows nothing shares its belief among k.",
        ),
        Misconception(
            "the same for two classes only",
            _first_loss("math.log(2)"),
            "log 2 is right for two classes. With more classes an equal share is smaller and the surprise "
            "larger.",
        ),
        Misconception(
            "mean of a random guess",
            _first_loss("0.5 * math.log(k)"),
            "Half of it would be the surprise of someone who knows the right answer half of the way. Nobody "
            "has learned anything yet.",
        ),
        Misconception(
            "perfect",
            _first_loss("0.0"),
            "A loss of 0 belongs to a network that is sure and right. This one knows nothing yet.",
        ),
        Misconception(
            "a yes or no for each class",
            _first_loss("-math.log(1 / k) - (k - 1) * math.log(max(1 - 1 / k, 1 / k))"),
            "You also count the surprise at each wrong class, as one binary cross-entropy for every class "
            "would. Here only the right class counts.",
        ),
        Misconception(
            "surprise at the others",
            _first_loss("-math.log(1 - 1 / k) if k > 1 else 0.0"),
            "You take the surprise at 1 − 1/k, the share of all other classes together. It is the right "
            "class that counts, and it has 1/k.",
        ),
    ),
    hints=(
        "Which probability does the right class get if all k get the same? And what does cross-entropy make "
        "of a probability?",
        "Minus the natural logarithm of 1/k. It can be written without the minus.",
    ),
    alternatives=(
        _first_loss("-math.log(1 / k)"),
        _first_loss("torch.tensor(float(k)).log().item()"),
        "def first_loss(k):\n"
        "    return torch.nn.functional.cross_entropy(torch.zeros(1, k), torch.tensor([0])).item()\n",
    ),
)


# ----------------------------------------------------------- what the probes of the loops share


class _Watched(nn.Module):
    """A model that writes down in which mode it was called and whether a graph was kept."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.modes: list[str] = []
        self.graphs: list[bool] = []

    def forward(self, X: Tensor) -> Tensor:
        self.modes.append("training" if self.net.training else "evaluation")
        out = self.net(X)
        self.graphs.append(out.requires_grad)
        return out


def _linear(weights: Tensor) -> nn.Linear:
    """A layer without bias that holds these weights, shape (out, in)."""
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
    with torch.no_grad():
        layer.weight.copy_(weights)
    return layer


def _net(weights: Sequence[Tensor]) -> nn.Sequential:
    """Two layers with batch norm and dropout between them: it behaves differently in the two modes."""
    first, second = (_linear(w) for w in weights)
    return nn.Sequential(first, nn.BatchNorm1d(len(weights[0])), nn.ReLU(), nn.Dropout(0.5), second)


def _squared(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of predictions (B, 1) that is not the same when the two are swapped."""
    return (y_hat[:, 0] - y).square().mean()


def _float(value: Any, what: str) -> float:
    """A plain number, or what is wrong with what came instead."""
    if value is None:
        raise NotAsAsked(f"Your function returns nothing (None). It should return {what}.")
    if isinstance(value, Tensor) and value.requires_grad:
        raise NotAsAsked(
            f"You return a tensor that still holds its graph. {what.capitalize()} should be a plain number: "
            f"whoever "
            "keeps it would keep the whole computation in memory."
        )
    if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
        raise NotAsAsked(f"Your function should return {what}, a number, but it returns {kind_words(value)}.")
    return float(value)


class _Names(TorchFunctionMode):
    """Writes down which of torch's functions are called, with the shapes of their tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[tuple[int, ...], ...]]] = []

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        shapes = tuple(tuple(a.shape) for a in args if type(a) in (Tensor, nn.Parameter))
        self.calls.append((getattr(func, "__name__", str(func)), shapes))
        return func(*args, **(kwargs or {}))


# ---------------------------------------------------------------------------------- 10.train_step


def train_step(
    model: nn.Module, loss_fn: Callable, optimizer: torch.optim.Optimizer, X: Tensor, y: Tensor
) -> float:
    """One step on one batch; the loss before it."""
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


_LOSSES = {"cross-entropy": F.cross_entropy, "squared error": _squared}


def two_steps(
    work: Callable, weights: Tensor, X: Tensor, y: Tensor, loss: str, lr: float, left: float
) -> dict:
    """Probe: two steps of a linear model; `left` is what lies in the gradients before."""
    model = _linear(weights)
    if left:
        model.weight.grad = torch.full_like(weights, left)
    optimizer = _Noting(model.parameters(), lr=lr)
    model.weight.register_hook(lambda g: optimizer.events.append("backward"))
    results: dict[str, Any] = {}
    for step in ("first", "second"):
        before = model.weight.detach().clone()
        optimizer.events.clear()
        returned = work(model, _LOSSES[loss], optimizer, X, y)
        results[f"loss returned by the {step} step"] = _float(returned, "the loss")
        results[f"weights after the {step} step"] = model.weight.detach().clone()
        if torch.equal(before, model.weight):
            results[f"what happened in the {step} step"] = ", ".join(optimizer.events) or "nothing"
    return results


class _Noting(torch.optim.SGD):
    """An optimizer that writes down what is done with it."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self.events: list[str] = []
        super().__init__(*args, **named)

    def step(self, closure: Callable | None = None) -> Any:
        self.events.append("step")
        return super().step(closure)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.events.append("zero_grad")
        super().zero_grad(set_to_none)


def train_step_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    B, n, k = whole_number(generator, 4, 7), whole_number(generator, 3, 5), whole_number(generator, 3, 4)

    def case(group: str, B: int, left: float, note: str) -> Case:
        y = torch.randint(k, (B,), generator=generator)
        return Case(
            group, (normal(generator, k, n), normal(generator, B, n), y, "cross-entropy", 0.3, left), note
        )

    one = (torch.tensor([[1.0]]), torch.tensor([[3.0]]), torch.tensor([0.0]), "squared error", 0.01, 0.0)
    numbers = (
        normal(generator, 1, n),
        normal(generator, B, n),
        normal(generator, B),
        "squared error",
        0.05,
        0.0,
    )
    return [
        Case("values", one, "the example of the statement"),
        case("values", B, 0.0, "a batch and cross-entropy"),
        Case("values", numbers, "a batch and the squared error"),
        case("shapes", 1, 0.0, "a batch of one"),
        case("edge cases", B, 5.0, "somebody left gradients behind"),
    ]


_STEP = (
    "def train_step(model, loss_fn, optimizer, X, y):\n"
    "    y_hat = model(X)\n"
    "    loss = loss_fn(y_hat, y)\n"
    "    optimizer.zero_grad()\n"
    "    loss.backward()\n"
    "    optimizer.step()\n"
    "    return loss.item()\n"
)
_ZERO, _BACK, _MOVE = "    optimizer.zero_grad()\n", "    loss.backward()\n", "    optimizer.step()\n"

TRAIN_STEP = Exercise(
    id="10.train_step",
    name="train_step",
    title="One step",
    difficulty=1,
    points=2,
    minutes=5,
    cases=train_step_cases,
    reference=train_step,
    probe=two_steps,
    input_names=("weights", "X", "y", "loss", "lr", "left in the gradients"),
    result="the loss before the step, a float",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F, "nn": nn},
    misconceptions=(
        Misconception(
            "no zero_grad",
            changed(_STEP, (_ZERO, "")),
            "The gradients are never emptied. `backward` adds to what is there, so the second step follows "
            "the sum of two gradients.",
        ),
        Misconception(
            "steps before backward",
            changed(_STEP, (_BACK + _MOVE, _MOVE + _BACK)),
            "You step before you go back: the optimizer finds no gradient, or an old one. First `backward`, "
            "which finds the gradient, then the step.",
        ),
        Misconception(
            "emptied between backward and step",
            changed(_STEP, (_ZERO + _BACK, _BACK + _ZERO)),
            "You empty the gradients after `backward` and before the step, so nothing is left to step along, "
            "and the weights stay.",
        ),
        Misconception(
            "emptied after the step",
            changed(_STEP, (_ZERO, ""), (_MOVE, _MOVE + _ZERO)),
            "You empty the gradients after the step. That is enough as long as nobody else leaves any: here "
            "there were some before your first step.",
        ),
        Misconception(
            "no step",
            changed(_STEP, (_MOVE, "")),
            "The gradient is found, but nobody walks: the optimizer has to be told to make its step.",
        ),
        Misconception(
            "no backward",
            changed(_STEP, (_BACK, "")),
            "Nobody goes back, so there are no gradients, and the optimizer leaves everything as it is.",
        ),
        Misconception(
            "the loss after the step",
            changed(_STEP, ("return loss.item()", "return loss_fn(model(X), y).item()")),
            "You compute the loss once more, after the step. Asked for is the loss that the step started "
            "from; and another pass forward would cost a third of the time.",
        ),
        Misconception(
            "the tensor",
            changed(_STEP, ("return loss.item()", "return loss")),
            "You return the loss as a tensor. It holds the whole graph; a list of such losses fills the "
            "memory.",
        ),
        Misconception(
            "nothing returned",
            changed(_STEP, ("    return loss.item()\n", "")),
            "The step is made, but the loss is not returned.",
        ),
        Misconception(
            "the sum over the batch",
            changed(_STEP, ("loss.item()", "loss.item() * len(X)")),
            "You multiply the loss by the size of the batch. Asked for is the mean loss, as `loss_fn` gives "
            "it.",
        ),
        Misconception(
            "divided by the batch's size",
            changed(_STEP, ("    loss = loss_fn(y_hat, y)\n", "    loss = loss_fn(y_hat, y) / len(X)\n")),
            "You divide the loss by the size of the batch, but `loss_fn` gives the mean already. The steps "
            "are too small by that factor.",
        ),
        Misconception(
            "uphill",
            changed(_STEP, ("loss.backward()", "(-loss).backward()")),
            "You go back from minus the loss, so the step makes the loss larger. The optimizer subtracts by "
            "itself.",
        ),
        Misconception(
            "logits and targets swapped",
            changed(_STEP, ("loss_fn(y_hat, y)", "loss_fn(y, y_hat)")),
            "You hand the targets over first. The order is `loss_fn(logits, y)`: what the model says, then "
            "what is right.",
        ),
        Misconception(
            "two steps",
            changed(_STEP, (_MOVE, _MOVE + _MOVE)),
            "You make two steps with one gradient. After the first the gradient belongs to a place where the "
            "weights no longer are.",
        ),
        Misconception(
            "without a graph",
            changed(
                _STEP, ("    y_hat = model(X)\n", "    with torch.no_grad():\n        y_hat = model(X)\n")
            ),
            "You run the model under `no_grad`, so nothing is recorded and `backward` has no way back. That "
            "belongs to evaluation.",
        ),
        Misconception(
            "its own optimizer",
            changed(_STEP, (_ZERO, "    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + _ZERO)),
            "You make an optimizer of your own, with your own learning rate and no memory. Use the one that "
            "is handed over.",
        ),
        Misconception(
            "the step of last time",
            changed(
                _STEP,
                (_ZERO, ""),
                (_MOVE, ""),
                ("    y_hat = model(X)\n", _MOVE + _ZERO + "    y_hat = model(X)\n"),
            ),
            "You step at the beginning, with what the call before left behind. A call has to make the step "
            "of its own batch: at its end.",
        ),
    ),
    hints=(
        "Five things: forward, loss, and the three that every loop since lesson 00 has. What has to come "
        "between which?",
        "Prediction, loss, empty the gradients, go back, step. Return the number in the loss, not the "
        "tensor.",
    ),
    alternatives=(
        "def train_step(model, loss_fn, optimizer, X, y):\n"
        "    optimizer.zero_grad(set_to_none=True)\n"
        "    loss = loss_fn(model(X), y)\n"
        "    loss.backward()\n"
        "    optimizer.step()\n"
        "    return float(loss.detach())\n",
        "def train_step(model, loss_fn, optimizer, X, y):\n"
        "    model.zero_grad()\n"
        "    loss = loss_fn(model(X), y)\n"
        "    before = loss.item()\n"
        "    loss.backward()\n"
        "    optimizer.step()\n"
        "    optimizer.zero_grad()\n"
        "    return before\n",
        "def train_step(model, loss_fn, optimizer, X, y):\n"
        "    loss = loss_fn(model(X), y)\n"
        "    parameters = list(model.parameters())\n"
        "    for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):\n"
        "        p.grad = g\n"
        "    optimizer.step()\n"
        "    return loss.item()\n",
    ),
)


# ------------------------------------------------------------------------------------ 10.evaluate


def evaluate(model: nn.Module, loss_fn: Callable, batches: list) -> tuple[float, float]:
    """Mean loss and accuracy over all examples, in evaluation mode; the mode comes back."""
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


def looked_at(work: Callable, weights: list[Tensor], batches: list, training: bool) -> dict[str, Any]:
    """Probe: what comes back from a network with batch norm and dropout, and what it did to the network."""
    model = _Watched(_net(weights))
    model.train(training)
    batch_norm = model.net[1]
    batch_norm.running_mean += 0.5
    returned = work(model, F.cross_entropy, batches)
    if returned is None:
        raise NotAsAsked("Your function returns nothing (None). It should return the loss and the accuracy.")
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise NotAsAsked(
            f"Your function should return two numbers, the loss and the accuracy, not {kind_words(returned)}."
        )
    return {
        "modes while it computed": sorted(set(model.modes)),
        "a graph was recorded": any(model.graphs),
        "loss": _float(returned[0], "the loss"),
        "accuracy": _float(returned[1], "the accuracy"),
        "mode afterwards": "training" if model.training and model.net.training else "evaluation",
    }


def evaluate_cases(generator: torch.Generator) -> list[Case]:
    n, m, k = whole_number(generator, 3, 4), whole_number(generator, 5, 7), whole_number(generator, 5, 6)

    def case(group: str, sizes: Sequence[int], training: bool, note: str) -> Case:
        """Targets that the network gets right in the first batches and never in the last one."""
        weights = [normal(generator, m, n), normal(generator, k, m)]
        with torch.random.fork_rng(devices=[]):  # layers draw weights before they get these
            net = _net(weights).eval()
        net[1].running_mean += 0.5
        batches = []
        for number, size in enumerate(sizes):
            X = normal(generator, size, n, scale=2)
            with torch.no_grad():
                y = net(X).argmax(dim=1)
            wrong = number == len(sizes) - 1 and len(sizes) > 1
            batches.append((X, (y + 1) % k if wrong else y))
        return Case(group, (weights, batches, training), note)

    return [
        case("values", (8, 8, 8), True, "three batches of equal size"),
        case("values", (9, 9, 2), True, "a small last batch"),
        case("values", (3, 7, 1), False, "batches of different sizes, the model in evaluation mode before"),
        case("shapes", (1,), True, "a single example"),
        case("edge cases", (6,), False, "a single batch, all right"),
    ]


_EVALUATE = (
    "def evaluate(model, loss_fn, batches):\n"
    "    before = model.training\n"
    "    model.eval()\n"
    "    total, right, n = 0.0, 0, 0\n"
    "    with torch.no_grad():\n"
    "        for X, y in batches:\n"
    "            logits = model(X)\n"
    "            total += loss_fn(logits, y).item() * len(y)\n"
    "            right += (logits.argmax(dim=1) == y).sum().item()\n"
    "            n += len(y)\n"
    "    model.train(before)\n"
    "    return total / n, right / n\n"
)

EVALUATE = Exercise(
    id="10.evaluate",
    name="evaluate",
    title="Loss and accuracy over a whole set",
    difficulty=2,
    points=4,
    minutes=15,
    cases=evaluate_cases,
    reference=evaluate,
    probe=looked_at,
    input_names=("weights", "batches", "training"),
    result="(loss, accuracy), two plain numbers",
    rtol=1e-4,
    atol=1e-6,
    may_vary=True,  # dropout, for those who forget the mode
    given={"F": F, "nn": nn},
    misconceptions=(
        Misconception(
            "mean of unequal batches",
            "def evaluate(model, loss_fn, batches):\n"
            "    before = model.training\n"
            "    model.eval()\n"
            "    losses, shares = [], []\n"
            "    with torch.no_grad():\n"
            "        for X, y in batches:\n"
            "            logits = model(X)\n"
            "            losses.append(loss_fn(logits, y).item())\n"
            "            shares.append((logits.argmax(dim=1) == y).float().mean().item())\n"
            "    model.train(before)\n"
            "    return sum(losses) / len(losses), sum(shares) / len(shares)\n",
            "You take the mean of the batches' means. With batches of different sizes the few examples of a "
            "small one count too much. Add up over examples and divide once, at the end.",
        ),
        Misconception(
            "loss as mean of means",
            changed(_EVALUATE, (".item() * len(y)", ".item()"), ("total / n", "total / len(batches)")),
            "Your accuracy is right, but the loss is the mean of the batches' means: a small batch counts "
            "as much as a large one.",
        ),
        Misconception(
            "sums of means over the examples",
            changed(_EVALUATE, (".item() * len(y)", ".item()")),
            "You add up the batches' **mean** losses and divide by the number of examples. A mean times its "
            "batch's size is the sum you need.",
        ),
        Misconception(
            "loss not divided",
            changed(_EVALUATE, ("total / n", "total")),
            "Your loss is a sum. Divide it by the number of examples.",
        ),
        Misconception(
            "number right, not their share",
            changed(_EVALUATE, ("right / n", "right")),
            "You return how many were right. The accuracy is their share of all.",
        ),
        Misconception(
            "accuracy by batches",
            changed(_EVALUATE, ("right / n", "right / len(batches)")),
            "You divide the number of right answers by the number of batches. It has to be the number of "
            "examples.",
        ),
        Misconception(
            "stays in training mode",
            changed(_EVALUATE, ("    model.eval()\n", "")),
            "You evaluate in the mode the model happens to be in. In training mode dropout throws units "
            "away and batch norm uses, and even learns from, the batch it sees.",
        ),
        Misconception(
            "mode not put back",
            changed(_EVALUATE, ("    model.train(before)\n", "")),
            "You leave the model in evaluation mode. Whoever goes on training then does so without dropout "
            "and with batch norm standing still.",
        ),
        Misconception(
            "always back to training",
            changed(_EVALUATE, ("model.train(before)", "model.train()")),
            "You put the model into training mode at the end, even if it was in evaluation mode before. Look "
            "first, and put that mode back.",
        ),
        Misconception(
            "keeps the graph",
            changed(_EVALUATE, ("with torch.no_grad():", "if True:")),
            "You record a graph for a gradient that nobody wants: that takes memory and time. Switch "
            "recording off while you evaluate.",
        ),
        Misconception(
            "only eval, nothing put back",
            changed(_EVALUATE, ("with torch.no_grad():", "if True:"), ("    model.train(before)\n", "")),
            "You call `eval` and nothing else: the graph is recorded all the same, and the model stays in "
            "evaluation mode afterwards.",
        ),
        Misconception(
            "only the last batch",
            changed(
                _EVALUATE,
                ("total += loss", "total = loss"),
                ("right += (", "right = ("),
                ("n += len", "n = len"),
            ),
            "Only the last batch is left in your numbers: you overwrite where you should add.",
        ),
        Misconception(
            "returns after the first batch",
            changed(_EVALUATE, ("            n += len(y)\n", "            n += len(y)\n            break\n")),
            "Your loop ends after the first batch. All of them count.",
        ),
        Misconception(
            "the wrong axis",
            changed(
                _EVALUATE,
                ("logits.argmax(dim=1) == y).sum().item()", "logits.argmax(dim=0)[:1] == y).sum().item()"),
            ),
            "You look for the largest logit down the batch. For each example it is sought among the "
            "classes, along axis 1.",
        ),
        Misconception(
            "accuracy first",
            changed(_EVALUATE, ("return total / n, right / n", "return right / n, total / n")),
            "You return the accuracy first. Asked for is the loss, then the accuracy.",
        ),
        Misconception(
            "error instead of accuracy",
            changed(_EVALUATE, ("right / n", "1 - right / n")),
            "You return the share that is wrong. The accuracy is the share that is right.",
        ),
        Misconception(
            "only the loss",
            changed(_EVALUATE, ("return total / n, right / n", "return total / n")),
            "You return the loss alone. The accuracy is asked for as well.",
        ),
        Misconception(
            "softmax before the loss",
            changed(_EVALUATE, ("loss_fn(logits, y)", "loss_fn(logits.softmax(dim=1), y)")),
            "You hand probabilities to `loss_fn`. It expects logits and does the softmax itself.",
        ),
    ),
    hints=(
        "Two switches have to be set before the loop, one of them set back afterwards. And what do you have "
        "to add up so that every example counts the same?",
        "Remember the mode, switch to evaluation, switch off recording. Per batch: mean loss times size, "
        "number of right answers, size. Put the mode back, divide both sums by the number of examples.",
    ),
    alternatives=(
        "@torch.no_grad()\n"
        "def evaluate(model, loss_fn, batches):\n"
        "    mode = model.training\n"
        "    model.train(False)\n"
        "    n = sum(len(y) for _, y in batches)\n"
        "    outputs = [(model(X), y) for X, y in batches]\n"
        "    loss = sum(loss_fn(z, y) * len(y) for z, y in outputs) / n\n"
        "    accuracy = sum((z.argmax(-1) == y).sum() for z, y in outputs) / n\n"
        "    model.train(mode)\n"
        "    return loss.item(), accuracy.item()\n",
        "def evaluate(model, loss_fn, batches):\n"
        "    was_training = model.training\n"
        "    model.eval()\n"
        "    with torch.inference_mode():\n"
        "        logits = torch.cat([model(X) for X, _ in batches])\n"
        "        y = torch.cat([y for _, y in batches])\n"
        "        result = loss_fn(logits, y).item(), (logits.argmax(1) == y).float().mean().item()\n"
        "    if was_training:\n"
        "        model.train()\n"
        "    return result\n",
    ),
)


# ----------------------------------------------------------------------------------- 10.to_device


def to_device(batch: Any, device: str) -> Any:
    """The same structure with every tensor on the device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(to_device(part, device) for part in batch)
    return batch


def _described(thing: Any, depth: int = 0) -> Any:
    """A structure with each tensor replaced by words, so that a tensor without memory can be compared."""
    if depth > 20:
        return "too deep"
    if isinstance(thing, Tensor):
        values = f", values {thing.flatten()[:3].tolist()}" if thing.device.type == "cpu" else ""
        return f"tensor of shape {tuple(thing.shape)} on {thing.device}{values}"
    if isinstance(thing, dict):
        return {str(key): _described(value, depth + 1) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        parts = [_described(part, depth + 1) for part in thing]
        return [f"a {type(thing).__name__} of", *parts]
    return (
        thing if isinstance(thing, (int, float, str)) else f"{thing}" if thing is None else kind_words(thing)
    )


def moved(work: Callable, batch: Any, device: str) -> list:
    """Probe: the structure that comes back, and the one that was handed over, both in words.

    Raises:
        NotAsAsked: if nothing comes back.
    """
    returned = work(batch, device)
    if returned is None:
        raise NotAsAsked(
            "Your function returns nothing (None) for this batch. It should return the moved one."
        )
    return [_described(returned), _described(batch)]


def to_device_cases(generator: torch.Generator) -> list[Case]:
    X, y = normal(generator, whole_number(generator, 2, 4), 3), torch.arange(3)
    deep = {"views": [X, (X[:1], [y, "left"])], "y": y, "names": ["a", "b"], "weight": 0.5, "more": None}
    return [
        Case("values", (X, "meta"), "a single tensor"),
        Case("values", ([X, y], "meta"), "a list of two"),
        Case("types", ((X, y), "meta"), "a tuple stays a tuple"),
        Case("values", ({"image": X, "labels": [7, y]}, "meta"), "the example of the statement"),
        Case("values", (deep, "meta"), "deep down"),
        Case("values", ([(X, y), {"y": [y]}], "cpu"), "to the CPU, where it is already"),
        Case("types", ([X, 3, 2.5, "text", None], "meta"), "things that are no tensors"),
        Case("edge cases", ([], "meta"), "an empty list"),
        Case("edge cases", ({"a": (), "b": {}}, "meta"), "nothing in it"),
        Case("edge cases", ("only a text", "meta"), "no tensor at all"),
    ]


_TO = (
    "def to_device(batch, device):\n"
    "    if isinstance(batch, torch.Tensor):\n"
    "        return batch.to(device)\n"
    "    if isinstance(batch, dict):\n"
    "        return {key: to_device(value, device) for key, value in batch.items()}\n"
    "    if isinstance(batch, list):\n"
    "        return [to_device(part, device) for part in batch]\n"
    "    if isinstance(batch, tuple):\n"
    "        return tuple(to_device(part, device) for part in batch)\n"
    "    return batch\n"
)

TO_DEVICE = Exercise(
    id="10.to_device",
    name="to_device",
    title="A batch moves house",
    difficulty=2,
    points=3,
    minutes=10,
    cases=to_device_cases,
    reference=to_device,
    probe=moved,
    result="the same structure with all tensors on the device",
    output_names=("result", "batch that was handed over"),
    may_mutate=True,  # the probe looks for itself: tensors without memory cannot be compared by value
    misconceptions=(
        Misconception(
            "only a tensor",
            "def to_device(batch, device):\n"
            "    return batch.to(device) if isinstance(batch, torch.Tensor) else batch\n",
            "A single tensor is moved, but lists, tuples and dicts come back as they were. Look into them.",
        ),
        Misconception(
            "one level deep",
            "def to_device(batch, device):\n"
            "    def move(t):\n"
            "        return t.to(device) if isinstance(t, torch.Tensor) else t\n"
            "    if isinstance(batch, dict):\n"
            "        return {key: move(value) for key, value in batch.items()}\n"
            "    if isinstance(batch, (list, tuple)):\n"
            "        return type(batch)(move(part) for part in batch)\n"
            "    return move(batch)\n",
            "You look one level deep. A list in a dict stays where it is. What you do with the batch has to "
            "be done with each of its parts: the function can call itself.",
        ),
        Misconception(
            "tuples become lists",
            changed(
                _TO,
                (
                    "return tuple(to_device(part, device) for part in batch)",
                    "return [to_device(part, device) for part in batch]",
                ),
            ),
            "Your tuples come back as lists. The same structure is asked for.",
        ),
        Misconception(
            "lists become tuples",
            changed(
                _TO,
                (
                    "return [to_device(part, device) for part in batch]",
                    "return tuple(to_device(part, device) for part in batch)",
                ),
            ),
            "Your lists come back as tuples. The same structure is asked for.",
        ),
        Misconception(
            "a generator",
            changed(
                _TO,
                (
                    "return tuple(to_device(part, device) for part in batch)",
                    "return (to_device(part, device) for part in batch)",
                ),
            ),
            "Round brackets with a `for` in them make no tuple but a generator, which computes nothing "
            "until somebody asks.",
        ),
        Misconception(
            "tuples forgotten",
            changed(
                _TO,
                (
                    "    if isinstance(batch, tuple):\n"
                    "        return tuple(to_device(part, device) for part in batch)\n",
                    "",
                ),
            ),
            "Tuples come back as they were, with their tensors at the old place. A DataLoader's batch may "
            "well be one.",
        ),
        Misconception(
            "dicts forgotten",
            changed(
                _TO,
                (
                    "    if isinstance(batch, dict):\n"
                    "        return {key: to_device(value, device) for key, value in batch.items()}\n",
                    "",
                ),
            ),
            "Dicts come back as they were, with their tensors at the old place.",
        ),
        Misconception(
            "only the keys of a dict",
            changed(
                _TO,
                (
                    "{key: to_device(value, device) for key, value in batch.items()}",
                    "[to_device(key, device) for key in batch]",
                ),
            ),
            "Going through a dict gives its keys. You return those, and lose the values.",
        ),
        Misconception(
            "dicts become lists",
            changed(
                _TO,
                (
                    "{key: to_device(value, device) for key, value in batch.items()}",
                    "[to_device(value, device) for value in batch.values()]",
                ),
            ),
            "Your dicts come back as lists of their values; the keys are lost.",
        ),
        Misconception(
            "everything is moved",
            changed(_TO, ("    return batch\n", "    return batch.to(device)\n")),
            "You call `.to` on whatever is left. A text, a number or None has no such method: leave them as "
            "they are.",
        ),
        Misconception(
            "what is no tensor gets lost",
            changed(_TO, ("    return batch\n", "")),
            "Texts, numbers and the like come back as None: at the end of your function nothing is returned "
            "for them.",
        ),
        Misconception(
            "what is no tensor becomes one",
            changed(
                _TO,
                (
                    "    return batch\n",
                    "    return batch if batch is None or isinstance(batch, str) else "
                    "torch.tensor(batch).to(device)\n",
                ),
            ),
            "You make tensors of plain numbers. They should stay as they are.",
        ),
        Misconception(
            "moved and forgotten",
            changed(_TO, ("        return batch.to(device)\n", "        batch.to(device)\n")),
            "`.to` returns a new tensor and leaves the old one where it is. Your function does not use what "
            "it returns.",
        ),
        Misconception(
            "in the list itself",
            changed(
                _TO,
                (
                    "        return [to_device(part, device) for part in batch]\n",
                    "        for i, part in enumerate(batch):\n"
                    "            batch[i] = to_device(part, device)\n"
                    "        return batch\n",
                ),
            ),
            "You change the list that was handed over. Whoever holds it finds other tensors in it. Make a "
            "new one.",
        ),
        Misconception(
            "in the dict itself",
            changed(
                _TO,
                (
                    "        return {key: to_device(value, device) for key, value in batch.items()}\n",
                    "        for key, value in batch.items():\n"
                    "            batch[key] = to_device(value, device)\n"
                    "        return batch\n",
                ),
            ),
            "You change the dict that was handed over. Whoever holds it finds other tensors in it. Make a "
            "new one.",
        ),
        Misconception(
            "list or dict itself",
            "def to_device(batch, device):\n"
            "    if isinstance(batch, torch.Tensor):\n"
            "        return batch.to(device)\n"
            "    if isinstance(batch, (list, dict)):\n"
            "        for key in batch if isinstance(batch, dict) else range(len(batch)):\n"
            "            batch[key] = to_device(batch[key], device)\n"
            "    if isinstance(batch, tuple):\n"
            "        return tuple(to_device(part, device) for part in batch)\n"
            "    return batch\n",
            "You change lists and dicts that were handed over, instead of making new ones.",
        ),
    ),
    hints=(
        "What can a batch be? There are four kinds of thing, and two of them are made of batches again.",
        "If it is a tensor, move it. If it is a dict, make a new dict of its moved values; a list or tuple "
        "likewise. Anything else comes back as it is. For the parts, the function calls itself.",
    ),
    alternatives=(
        _TO,
        "def to_device(batch, device):\n"
        "    match batch:\n"
        "        case torch.Tensor():\n"
        "            return batch.to(device=torch.device(device))\n"
        "        case dict():\n"
        "            return dict(zip(batch, to_device(list(batch.values()), device)))\n"
        "        case list() | tuple():\n"
        "            return type(batch)([to_device(part, device) for part in batch])\n"
        "    return batch\n",
        "def to_device(batch, device):\n"
        "    if isinstance(batch, dict):\n"
        "        moved = {}\n"
        "        for key in batch:\n"
        "            moved[key] = to_device(batch[key], device)\n"
        "        return moved\n"
        "    if isinstance(batch, (list, tuple)):\n"
        "        moved = []\n"
        "        for part in batch:\n"
        "            moved.append(to_device(part, device))\n"
        "        return moved if isinstance(batch, list) else tuple(moved)\n"
        "    return batch.to(device) if hasattr(batch, 'to') else batch\n",
    ),
)


# ---------------------------------------------------------------------------------- 10.checkpoint


class Checkpoint:
    """A file that holds model, optimizer and epoch."""

    def __init__(self, path: str) -> None:
        self.path = path

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> None:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, self.path)

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        state = torch.load(self.path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return state["epoch"]


_OPTIMIZERS = {
    "Adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "plain SGD": lambda p, lr: torch.optim.SGD(p, lr=lr),
}


def stopped_and_resumed(
    Checkpoint: type, weights: list[Tensor], X: Tensor, y: Tensor, optimizer: str, epoch: int
) -> dict[str, Any]:
    """Probe: trains, saves, goes on; loads into a fresh model with another object, and goes on there.

    Raises:
        NotAsAsked: if saving leaves no file.
    """

    def fresh(lr: float) -> tuple[nn.Module, torch.optim.Optimizer]:
        first, second = (_linear(w) for w in weights)
        model = nn.Sequential(first, nn.BatchNorm1d(len(weights[0])), nn.Tanh(), second)
        return model, _OPTIMIZERS[optimizer](model.parameters(), lr)

    def steps(model: nn.Module, own: torch.optim.Optimizer, number: int) -> Tensor:
        for _ in range(number):
            own.zero_grad()  # one step, by hand: what a probe uses goes where learners' code can read it
            F.cross_entropy(model(X), y).backward()
            own.step()
        return model[3].weight.detach().clone()

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run.pt")
        model, own = fresh(0.02)
        saved = steps(model, own, 3)
        Checkpoint(path).save(model, own, epoch)
        if not Path(path).is_file():
            others = sorted(file.name for file in Path(folder).iterdir())
            raise NotAsAsked(
                f"After `save` there is no file `run.pt`, but one called `{others[0]}`. The path says where."
                if others
                else "After `save` there is no file at the path. Another process would find nothing to load."
            )
        holds = _file_holds(path, own)
        went_on = steps(model, own, 2)
        other, its_own = fresh(0.5)
        returned = Checkpoint(path).load(other, its_own)
        remembers = bool(its_own.state) and any(len(memory) for memory in its_own.state.values())
    loaded = other[3].weight.detach().clone()
    resumed = steps(other, its_own, 2)
    batch_norm = [other[1].running_mean, model[1].running_mean]
    return {
        "epoch": returned,
        "weights are those saved": torch.equal(saved, loaded),
        "next steps are the same": torch.allclose(went_on, resumed, rtol=1e-5, atol=1e-7),
        "batch norm's running mean is the same": torch.allclose(*batch_norm, rtol=1e-5, atol=1e-7),
        "learning rate": its_own.param_groups[0]["lr"],
        "the optimizer has its memory": remembers,
        "the file holds": holds,
        # numbers that nobody knows beforehand: what is true or false could be guessed
        "weights after two more steps": resumed,
        "its running mean then": other[1].running_mean,
    }


def _file_holds(path: str, optimizer: torch.optim.Optimizer) -> str:
    """What lies in the file: whole objects, or plain data with or without the optimizer's memory."""
    try:
        content = torch.load(path, weights_only=True)
    except pickle.UnpicklingError:
        return "whole objects"
    stored = list(_tensors_in(content))
    memory = [
        t for part in optimizer.state.values() for t in part.values() if isinstance(t, Tensor) and t.dim()
    ]
    kept = all(any(t.shape == m.shape and torch.equal(t, m) for t in stored) for m in memory)
    return "data, with the optimizer's memory" if kept else "data, without the optimizer's memory"


def _tensors_in(content: Any) -> Iterator[Tensor]:
    if isinstance(content, Tensor):
        yield content
    elif isinstance(content, (dict, list, tuple)):
        for part in content.values() if isinstance(content, dict) else content:
            yield from _tensors_in(part)


def checkpoint_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet

    def case(group: str, optimizer: str, epoch: int, note: str) -> Case:
        n, m, k = (whole_number(generator, 3, 4) for _ in range(3))
        weights = [normal(generator, m, n), normal(generator, k, m)]
        X, y = normal(generator, 6, n) + 1, torch.randint(k, (6,), generator=generator)
        return Case(group, (weights, X, y, optimizer, epoch), note)

    return [
        case("values", "Adam", 3, "with Adam"),
        case("values", "momentum", whole_number(generator, 5, 40), "with momentum"),
        case("edge cases", "plain SGD", 0, "plain SGD, stopped after epoch 0"),
    ]


_CHECKPOINT = (
    "class Checkpoint:\n"
    "    def __init__(self, path):\n"
    "        self.path = path\n"
    "\n"
    "    def save(self, model, optimizer, epoch):\n"
    "        torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict(), 'epoch': epoch}, "
    "self.path)\n"
    "\n"
    "    def load(self, model, optimizer):\n"
    "        state = torch.load(self.path)\n"
    "        model.load_state_dict(state['model'])\n"
    "        optimizer.load_state_dict(state['optimizer'])\n"
    "        return state['epoch']\n"
)
_LOAD_MODEL = "        model.load_state_dict(state['model'])\n"
_LOAD_OPTIMIZER = "        optimizer.load_state_dict(state['optimizer'])\n"

CHECKPOINT = Exercise(
    id="10.checkpoint",
    name="Checkpoint",
    title="Stop and go on",
    difficulty=3,
    points=5,
    minutes=15,
    cases=checkpoint_cases,
    reference=Checkpoint,
    probe=stopped_and_resumed,
    input_names=("weights", "X", "y", "optimizer", "epoch"),
    result="an object that saves and loads",
    given={"F": F, "nn": nn},
    time_limit=4.0,
    misconceptions=(
        Misconception(
            "optimizer state left out",
            changed(_CHECKPOINT, ("'optimizer': optimizer.state_dict(), ", ""), (_LOAD_OPTIMIZER, "")),
            "The optimizer is neither saved nor loaded. Momentum and Adam have a memory, and there is the "
            "learning rate: without them the next steps are others.",
        ),
        Misconception(
            "optimizer saved, not loaded",
            changed(
                _CHECKPOINT,
                (_LOAD_OPTIMIZER, "        optimizer.state_dict()['state'] = state['optimizer']['state']\n"),
            ),
            "The optimizer's state is in the file, but it does not get back into the optimizer that was "
            "handed over. `state_dict()` only hands out, and an optimizer newly made in `load` is gone at "
            "its end.",
        ),
        Misconception(
            "model not loaded",
            changed(_CHECKPOINT, (_LOAD_MODEL, "        model = state['model']\n")),
            "`model = …` gives another thing the name; the model that was handed over keeps its weights. "
            "Load the state into it.",
        ),
        Misconception(
            "only the parameters",
            changed(
                _CHECKPOINT,
                ("'model': model.state_dict()", "'model': [p.detach().clone() for p in model.parameters()]"),
                (
                    _LOAD_MODEL,
                    "        with torch.no_grad():\n"
                    "            for p, saved in zip(model.parameters(), state['model']):\n"
                    "                p.copy_(saved)\n",
                ),
            ),
            "You save the parameters only. Batch norm has two numbers for each feature that are no "
            "parameters: the running statistics. They are buffers, and `state_dict` has them too.",
        ),
        Misconception(
            "epoch not saved",
            changed(_CHECKPOINT, ("        return state['epoch']\n", "        return 0\n")),
            "`load` does not return the epoch that was saved.",
        ),
        Misconception(
            "nothing returned",
            changed(_CHECKPOINT, ("        return state['epoch']\n", "")),
            "`load` returns nothing. Whoever goes on has to know in which epoch: return it.",
        ),
        Misconception(
            "the next epoch",
            changed(_CHECKPOINT, ("return state['epoch']", "return state['epoch'] + 1")),
            "You return the epoch after the one that was saved. That may be where to go on, but it is not "
            "what was asked for.",
        ),
        Misconception(
            "only in memory",
            "class Checkpoint:\n"
            "    def __init__(self, path):\n"
            "        self.path = path\n"
            "\n"
            "    def save(self, model, optimizer, epoch):\n"
            "        self.state = {'model': model.state_dict(), 'optimizer': optimizer.state_dict(), "
            "'epoch': epoch}\n"
            "\n"
            "    def load(self, model, optimizer):\n"
            "        model.load_state_dict(self.state['model'])\n"
            "        optimizer.load_state_dict(self.state['optimizer'])\n"
            "        return self.state['epoch']\n",
            "You keep the state in the object. When the process ends it is gone. Write it to the file.",
        ),
        Misconception(
            "another file",
            changed(
                _CHECKPOINT,
                ("'epoch': epoch}, self.path)", "'epoch': epoch}, self.path + '.new')"),
                ("torch.load(self.path)", "torch.load(self.path + '.new')"),
            ),
            "You write to another file than the path says.",
        ),
        Misconception(
            "the epoch alone is loaded",
            changed(_CHECKPOINT, (_LOAD_MODEL, ""), (_LOAD_OPTIMIZER, "")),
            "`load` returns the epoch, but model and optimizer stay as they are: the saved state has to go "
            "into them, not theirs into the state.",
        ),
        Misconception(
            "whole objects, given back",
            "class Checkpoint:\n"
            "    def __init__(self, path):\n"
            "        self.path = path\n"
            "\n"
            "    def save(self, model, optimizer, epoch):\n"
            "        torch.save([model, optimizer, epoch], self.path)\n"
            "\n"
            "    def load(self, model, optimizer):\n"
            "        model, optimizer, epoch = torch.load(self.path, weights_only=False)\n"
            "        return epoch\n",
            "You save whole objects. `load` makes new ones of them, to which only your local names point: "
            "the model handed over stays as it was. And such a file can run foreign code when it is read. "
            "Save the state dicts.",
        ),
        Misconception(
            "learning rate forgotten",
            changed(
                _CHECKPOINT,
                (
                    _LOAD_OPTIMIZER,
                    "        saved = state['optimizer']\n"
                    "        saved['param_groups'] = optimizer.state_dict()['param_groups']\n"
                    "        optimizer.load_state_dict(saved)\n",
                ),
            ),
            "The optimizer's memory comes back, but not its settings: the learning rate stays that of the "
            "new optimizer. They are in the saved `param_groups`.",
        ),
        Misconception(
            "optimizer first saved, epoch as name",
            changed(_CHECKPOINT, ("'epoch': epoch}", "'epoch': 'epoch'}")),
            "What you save as epoch is the word, not the number.",
        ),
        Misconception(
            "one file over the other",
            changed(
                _CHECKPOINT,
                (
                    "        torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict(), "
                    "'epoch': epoch}, self.path)\n",
                    "        torch.save(model.state_dict(), self.path)\n"
                    "        torch.save(optimizer.state_dict(), self.path)\n"
                    "        torch.save(epoch, self.path)\n",
                ),
                ("        state = torch.load(self.path)\n" + _LOAD_MODEL, _LOAD_MODEL),
                ("state['model']", "torch.load(self.path)"),
                ("state['optimizer']", "torch.load(self.path)"),
                ("state['epoch']", "torch.load(self.path)"),
            ),
            "You write three times to the same path: each writing replaces the file, and only the last "
            "thing is left. Put all of it into one dict.",
        ),
        Misconception(
            "several files",
            changed(
                _CHECKPOINT,
                (
                    "        torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict(), "
                    "'epoch': epoch}, self.path)\n",
                    "        torch.save(model.state_dict(), self.path)\n"
                    "        torch.save([optimizer.state_dict(), epoch], self.path + '.rest')\n",
                ),
                (
                    "        state = torch.load(self.path)\n",
                    "        rest = torch.load(self.path + '.rest')\n"
                    "        state = {'optimizer': rest[0], 'epoch': rest[1]}\n"
                    "        state['model'] = torch.load(self.path)\n",
                ),
            ),
            "You spread the state over several files. Whoever copies the one at the path has only a part, "
            "and a stop between two writings leaves parts that do not belong together.",
        ),
    ),
    hints=(
        "What changes while one trains? Not only the weights. Both objects can hand out everything as a "
        "state dict.",
        "`save`: one dict with three entries, written to the path. `load`: read it, let the model and the "
        "optimizer each take in their part, return the third.",
    ),
    alternatives=(
        _CHECKPOINT,
        "class Checkpoint:\n"
        "    def __init__(self, path):\n"
        "        self.file = path\n"
        "\n"
        "    def save(self, model, optimizer, epoch):\n"
        "        with open(self.file, 'wb') as f:\n"
        "            torch.save((model.state_dict(), optimizer.state_dict(), epoch), f)\n"
        "\n"
        "    def load(self, model, optimizer):\n"
        "        weights, memory, epoch = torch.load(self.file, weights_only=True)\n"
        "        model.load_state_dict(weights)\n"
        "        optimizer.load_state_dict(memory)\n"
        "        return epoch\n",
        "import copy\n"
        "class Checkpoint:\n"
        "    def __init__(self, path):\n"
        "        self.path = path\n"
        "\n"
        "    def save(self, model, optimizer, epoch):\n"
        "        parts = {'m': model, 'o': optimizer}\n"
        "        state = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}\n"
        "        torch.save(state | {'e': torch.tensor(epoch)}, self.path)\n"
        "\n"
        "    def load(self, model, optimizer):\n"
        "        state = torch.load(self.path)\n"
        "        for name, part in {'m': model, 'o': optimizer}.items():\n"
        "            part.load_state_dict(state[name])\n"
        "        return int(state['e'])\n",
    ),
)


# --------------------------------------------------------------------------------- 10.scaled_step


def scaled_step(
    model: nn.Module,
    loss_fn: Callable,
    optimizer: torch.optim.Optimizer,
    X: Tensor,
    y: Tensor,
    scale: float,
) -> bool:
    """One step with a scaled loss; False if a gradient was not finite and nothing was done."""
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    (loss * scale).backward()
    for p in model.parameters():
        p.grad /= scale
    if not all(torch.isfinite(p.grad).all() for p in model.parameters()):
        return False
    optimizer.step()
    return True


def scaled(
    work: Callable, weights: list[Tensor], X: Tensor, y: Tensor, lr: float, scale: float, left: float
) -> dict[str, Any]:
    """Probe: two scaled steps of one or two layers: the gradients on their way back, and the weights.

    `left` is what lies in the gradients before.
    """
    layers = [_linear(w) for w in weights]
    model = nn.Sequential(*layers)
    on_the_way: list[float] = []
    last = layers[-1].weight
    for layer in layers:
        if left:
            layer.weight.grad = torch.full_like(layer.weight, left)
    last.register_hook(lambda g: on_the_way.append(g.abs().max().item()))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    results: dict[str, Any] = {}
    for step in ("first", "second"):
        stepped = work(model, _squared, optimizer, X, y, scale)
        if isinstance(stepped, Tensor) and stepped.dtype == torch.bool and stepped.dim() == 0:
            stepped = bool(stepped)
        results[f"{step} step: largest gradient on its way back"] = (
            on_the_way[-1] if on_the_way else "none came"
        )
        results[f"{step} step: weights afterwards"] = [layer.weight.detach().clone() for layer in layers]
        results[f"{step} step: returned"] = stepped
    return results


def scaled_step_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    B, n, m = whole_number(generator, 3, 5), whole_number(generator, 2, 4), whole_number(generator, 3, 4)
    two = [normal(generator, m, n, scale=0.5), normal(generator, 1, m, scale=0.5)]
    one = [torch.tensor([[1.0]])]
    X, y = normal(generator, B, n), normal(generator, B)
    hole = X.clone()
    hole[0, 0] = float("nan")
    first = [
        two[0],
        torch.full((1, m), 3e19),
    ]  # the first layer's gradient overflows, the last one's does not
    last = [two[0], 1e-10 * two[1]]  # and here it is the other way round
    wide = torch.tensor([[0.0, 1.0]]), torch.tensor([[1e20, 1.0]])
    part = ([wide[0]], wide[1], torch.tensor([0.0]), 0.01, 1e19, 0.0)
    return [
        Case(
            "values",
            (one, torch.tensor([[3.0]]), torch.tensor([0.0]), 0.01, 1000.0, 0.0),
            "the example of the statement",
        ),
        Case("values", (two, X, y, 0.1, 1024.0, 0.0), "two layers"),
        Case("values", (two, X, y, 0.1, 0.25, 0.0), "a scale below 1"),
        Case("shapes", (two, X[:1], y[:1], 0.1, 65536.0, 0.0), "a batch of one"),
        Case("edge cases", (two, X, y, 0.1, 64.0, 5.0), "somebody left gradients behind"),
        Case("edge cases", (two, X + 1, y + 5, 0.1, 3e38, 0.0), "a scale so large that gradients overflow"),
        Case("edge cases", (two, hole, y, 0.1, 8.0, 0.0), "nan in the data"),
        Case(
            "edge cases",
            (one, torch.tensor([[3.0]]), torch.tensor([0.0]), 0.01, 3e38, 0.0),
            "an infinite gradient",
        ),
        Case(
            "edge cases",
            (first, X * 1e-19, y + 9, 0.1, 1e20, 0.0),
            "only the first layer's gradients overflow",
        ),
        Case("edge cases", part, "of one layer's gradients only some overflow"),
        Case(
            "edge cases", (last, X * 1e10, y + 1, 0.1, 1e30, 0.0), "only the last layer's gradients overflow"
        ),
    ]


_SCALED = (
    "def scaled_step(model, loss_fn, optimizer, X, y, scale):\n"
    "    loss = loss_fn(model(X), y)\n"
    "    optimizer.zero_grad()\n"
    "    (loss * scale).backward()\n"
    "    for p in model.parameters():\n"
    "        p.grad /= scale\n"
    "    if not all(torch.isfinite(p.grad).all() for p in model.parameters()):\n"
    "        return False\n"
    "    optimizer.step()\n"
    "    return True\n"
)
_UNSCALE = "    for p in model.parameters():\n        p.grad /= scale\n"
_SKIP = "    if not all(torch.isfinite(p.grad).all() for p in model.parameters()):\n        return False\n"

SCALED_STEP = Exercise(
    id="10.scaled_step",
    name="scaled_step",
    title="Loss scaling by hand",
    difficulty=3,
    points=5,
    minutes=15,
    cases=scaled_step_cases,
    reference=scaled_step,
    probe=scaled,
    input_names=("weights", "X", "y", "lr", "scale", "left in the gradients"),
    result="True if the step was made",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F, "nn": nn},
    misconceptions=(
        Misconception(
            "not unscaled",
            changed(_SCALED, (_UNSCALE, "")),
            "The gradients are scaled on their way back, and the optimizer uses them like that: a step too "
            "long by the factor `scale`. Divide them first.",
        ),
        Misconception(
            "loss not scaled",
            changed(_SCALED, ("(loss * scale)", "loss"), (_UNSCALE, "")),
            "The loss is not multiplied by `scale`, so in fp16 the small gradients would be lost as before.",
        ),
        Misconception(
            "loss not scaled, gradients divided",
            changed(_SCALED, ("(loss * scale)", "loss")),
            "You divide the gradients, but the loss was not multiplied before: the step is too short by the "
            "factor `scale`.",
        ),
        Misconception(
            "the wrong way round",
            changed(_SCALED, ("(loss * scale)", "(loss / scale)"), ("p.grad /= scale", "p.grad *= scale")),
            "You make the loss smaller and the gradients larger afterwards. Small gradients are lost in "
            "fp16, so they have to be large on their way back.",
        ),
        Misconception(
            "steps in any case",
            changed(_SCALED, (_SKIP, "")),
            "You make the step even if gradients are inf or nan. One such step, and the weights are lost "
            "for good.",
        ),
        Misconception(
            "steps in any case, says it did not",
            changed(
                _SCALED,
                (
                    _SKIP + "    optimizer.step()\n    return True\n",
                    "    optimizer.step()\n    return all(torch.isfinite(p.grad).all() for p in "
                    "model.parameters())\n",
                ),
            ),
            "You look at the gradients after the step was made. Then it is too late.",
        ),
        Misconception(
            "looks for nan only",
            changed(_SCALED, ("not all(torch.isfinite(p.grad).all()", "any(torch.isnan(p.grad).any()")),
            "You look for nan only. Too large a scale gives inf, and a step by inf is no better.",
        ),
        Misconception(
            "looks for inf only",
            changed(_SCALED, ("not all(torch.isfinite(p.grad).all()", "any(torch.isinf(p.grad).any()")),
            "You look for inf only. There may be nan as well.",
        ),
        Misconception(
            "looks at the loss",
            changed(
                _SCALED,
                (
                    "not all(torch.isfinite(p.grad).all() for p in model.parameters())",
                    "not torch.isfinite(loss)",
                ),
            ),
            "You ask whether the loss is finite. It may be, and its gradients overflow all the same.",
        ),
        Misconception(
            "looks at one layer only",
            changed(
                _SCALED,
                (
                    "not all(torch.isfinite(p.grad).all() for p in model.parameters())",
                    "not torch.isfinite(list(model.parameters())[-1].grad).all()",
                ),
            ),
            "You look at one parameter only. It is enough that one gradient anywhere is not finite.",
        ),
        Misconception(
            "one finite is enough",
            changed(_SCALED, ("not all(torch", "not any(torch")),
            "You go on as soon as one gradient is finite. All of them have to be.",
        ),
        Misconception(
            "no zero_grad",
            changed(_SCALED, ("    optimizer.zero_grad()\n", "")),
            "The gradients are never emptied, so old ones are added to the new.",
        ),
        Misconception(
            "the answer the wrong way round",
            changed(_SCALED, ("return False", "return True "), ("return True\n", "return False\n")),
            "You return True where the step was left out. It should say whether the step was made.",
        ),
        Misconception(
            "always True",
            changed(
                _SCALED,
                (
                    _SKIP + "    optimizer.step()\n",
                    "    if all(torch.isfinite(p.grad).all() for p in model.parameters()):\n"
                    "        optimizer.step()\n",
                ),
            ),
            "The step is left out where it should be, but you return True all the same.",
        ),
        Misconception(
            "nothing returned",
            changed(_SCALED, ("        return False\n", "        return\n"), ("    return True\n", "")),
            "Your function returns nothing. It should say whether the step was made: True or False.",
        ),
        Misconception(
            "True or nothing",
            changed(_SCALED, ("        return False\n", "        return\n")),
            "Where the step is left out you return None. It should be False.",
        ),
        Misconception(
            "learning rate unscaled as well",
            changed(
                _SCALED,
                (
                    _UNSCALE,
                    _UNSCALE + "    for group in optimizer.param_groups:\n        group['lr'] /= scale\n",
                ),
            ),
            "The gradients are unscaled, and you make the learning rate smaller as well: that is once too "
            "often, and it stays small for all steps to come.",
        ),
        Misconception(
            "holes filled",
            changed(
                _SCALED,
                (
                    _SKIP,
                    "    for p in model.parameters():\n"
                    "        p.grad = torch.nan_to_num(p.grad, 0.0, 0.0, 0.0)\n",
                ),
            ),
            "You put 0 where the gradient is not finite, and make the step. What is left of such a gradient "
            "is not to be trusted; leave the whole step out.",
        ),
        Misconception(
            "finite somewhere",
            changed(_SCALED, ("torch.isfinite(p.grad).all()", "torch.isfinite(p.grad).any()")),
            "You ask of each layer whether any of its gradients is finite. One that is not is enough to "
            "ruin the weights.",
        ),
        Misconception(
            "a smaller learning rate instead",
            changed(
                _SCALED,
                (
                    _UNSCALE,
                    "    for group in optimizer.param_groups:\n        group['lr'] = group['lr'] / scale\n",
                ),
            ),
            "You make the learning rate smaller instead of the gradients. It stays smaller for all later "
            "steps, and with momentum or Adam it is not the same even once.",
        ),
        Misconception(
            "multiplied once more",
            changed(_SCALED, ("p.grad /= scale", "p.grad *= scale")),
            "You multiply the gradients by the scale a second time. They already carry it; take it away "
            "again.",
        ),
        Misconception(
            "the weights divided",
            changed(_SCALED, ("p.grad /= scale", "p.data /= scale")),
            "You divide the weights by the scale. It is in the gradients that the scale is.",
        ),
    ),
    hints=(
        "Three things are new beside an ordinary step: what is multiplied, what is divided, and what is "
        "asked before the step.",
        "Loss, empty, go back from loss times scale. Divide every gradient by the scale. If not all numbers "
        "of all gradients are finite, return False before the step.",
    ),
    alternatives=(
        "def scaled_step(model, loss_fn, optimizer, X, y, scale):\n"
        "    optimizer.zero_grad(set_to_none=True)\n"
        "    loss = scale * loss_fn(model(X), y)\n"
        "    loss.backward()\n"
        "    good = True\n"
        "    for p in model.parameters():\n"
        "        p.grad = p.grad / scale\n"
        "        if torch.isnan(p.grad).any() or torch.isinf(p.grad).any():\n"
        "            good = False\n"
        "    if good:\n"
        "        optimizer.step()\n"
        "    return good\n",
        "def scaled_step(model, loss_fn, optimizer, X, y, scale):\n"
        "    model.zero_grad()\n"
        "    parameters = list(model.parameters())\n"
        "    grads = torch.autograd.grad(loss_fn(model(X), y) * scale, parameters)\n"
        "    if not torch.isfinite(torch.cat([g.flatten() for g in grads])).all():\n"
        "        return False\n"
        "    for p, g in zip(parameters, grads):\n"
        "        p.grad = g / scale\n"
        "    optimizer.step()\n"
        "    return True\n",
    ),
)


# ----------------------------------------------------------------------------- 10.find_the_bug_1


def train(model: nn.Module, batches: list, epochs: int, lr: float) -> list[float]:
    """Train for some epochs; the loss of every step."""
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


def _losses(returned: Any) -> Any:
    if returned is None:
        raise NotAsAsked("Your function returns nothing (None). The losses should come back as before.")
    return returned


def bug_1_trained(work: Callable, weights: Tensor, batches: list, epochs: int, lr: float) -> dict[str, Any]:
    """Probe: the losses and the weights afterwards."""
    model = _linear(weights)
    losses = _losses(work(model, batches, epochs, lr))
    return {"losses": losses, "weights afterwards": model.weight.detach().clone()}


def _some_batches(generator: torch.Generator, sizes: Sequence[int], n: int, k: int) -> list:
    return [(normal(generator, B, n), torch.randint(k, (B,), generator=generator)) for B in sizes]


def bug_1_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    n, k = whole_number(generator, 3, 5), whole_number(generator, 3, 4)

    def case(group: str, sizes: Sequence[int], epochs: int, lr: float, note: str) -> Case:
        return Case(group, (normal(generator, k, n), _some_batches(generator, sizes, n, k), epochs, lr), note)

    return [
        case("values", (5,), 3, 0.2, "one batch, three epochs"),
        case("values", (6, 6, 4), 4, 0.3, "three batches, four epochs"),
        case("shapes", (1, 1), 2, 0.1, "batches of one"),
        case("edge cases", (4,), 1, 0.2, "a single step"),
    ]


_BUG_1 = (
    "def train(model, batches, epochs, lr):\n"
    "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
    "    losses = []\n"
    "    optimizer.zero_grad()\n"
    "    for _ in range(epochs):\n"
    "        for X, y in batches:\n"
    "            loss = F.cross_entropy(model(X), y)\n"
    "            loss.backward()\n"
    "            optimizer.step()\n"
    "            losses.append(loss.item())\n"
    "    return losses\n"
)
_BUG_1_BACK = "            loss.backward()\n"
_BUG_1_STEP = "            optimizer.step()\n"
_EMPTY = "            optimizer.zero_grad()\n"


def bug_1_remark(work: Callable) -> str:
    """Where the gradients are emptied now."""
    generator = torch.Generator().manual_seed(0)
    batches = _some_batches(generator, (4,), 3, 3)
    order: list[str] = []
    model = _linear(normal(generator, 3, 3))
    model.weight.register_hook(lambda g: order.append("backward"))
    model.register_forward_pre_hook(lambda *_: order.append("forward"))

    class Noted(_Noting):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self.events = order

    original = torch.optim.SGD
    torch.optim.SGD = Noted  # the work makes its own optimizer, so it is watched under that name
    try:
        work(model, batches, 2, 0.1)
    finally:
        torch.optim.SGD = original
    steps = " ".join(order)
    if "forward zero_grad backward" in steps:
        return "Your repair: the gradients are emptied in every step, just before `backward`."
    if steps.endswith("step zero_grad"):
        return "Your repair: the gradients are emptied after every step, ready for the next."
    if "step zero_grad forward" in steps:
        return "Your repair: the gradients are emptied at the beginning of every step, before the model runs."
    return "Your repair: every step has a gradient of its own, without `optimizer.zero_grad()`."


FIND_THE_BUG_1 = Exercise(
    id="10.find_the_bug_1",
    name="train",
    title="It learns, and then it runs away",
    difficulty=1,
    points=2,
    minutes=5,
    cases=bug_1_cases,
    reference=train,
    probe=bug_1_trained,
    input_names=("weights", "batches", "epochs", "lr"),
    result="a list of floats, the loss of every step",
    rtol=1e-4,
    atol=1e-5,
    given={"F": F, "nn": nn},
    remark=bug_1_remark,
    misconceptions=(
        Misconception(
            "as it was given",
            _BUG_1,
            "The loop still does what it did. Look at what `backward` does with a gradient that is there "
            "already, and how often the gradients are emptied.",
        ),
        Misconception(
            "emptied once an epoch",
            changed(
                _BUG_1,
                (
                    "    optimizer.zero_grad()\n    for _ in range(epochs):\n",
                    "    for _ in range(epochs):\n        optimizer.zero_grad()\n",
                ),
            ),
            "You empty the gradients once in each epoch. Within an epoch they still pile up from batch to "
            "batch.",
        ),
        Misconception(
            "a smaller learning rate",
            changed(_BUG_1, ("lr=lr", "lr=lr / 10")),
            "You make the learning rate smaller. The run gets away later, but the gradients pile up as "
            "before: that treats the symptom.",
        ),
        Misconception(
            "emptied between backward and step",
            changed(_BUG_1, (_BUG_1_STEP, _EMPTY + _BUG_1_STEP)),
            "Nothing moves any more: the step is gone, or the gradients are emptied after `backward` and "
            "before the step, so that nothing is left to step along.",
        ),
        Misconception(
            "gradients clipped",
            changed(
                _BUG_1,
                (
                    _BUG_1_STEP,
                    "            nn.utils.clip_grad_norm_(model.parameters(), 0.5)\n" + _BUG_1_STEP,
                ),
            ),
            "Clipping keeps the steps short, but their direction is still a sum of old gradients: that "
            "treats the symptom.",
        ),
        Misconception(
            "divided by the number of steps",
            changed(
                _BUG_1,
                (
                    _BUG_1_STEP,
                    "            for p in model.parameters():\n                p.grad /= len(losses) + 1\n"
                    + _BUG_1_STEP,
                ),
            ),
            "You divide the sum of the gradients. They must not be added up in the first place: each step "
            "follows the gradient of its own batch.",
        ),
        Misconception(
            "loss divided by the batches",
            changed(_BUG_1, ("F.cross_entropy(model(X), y)", "F.cross_entropy(model(X), y) / len(batches)")),
            "You make the loss smaller. The gradients pile up all the same, only more slowly, unless there "
            "is a single batch; and the losses that come back are no longer the true ones.",
        ),
        Misconception(
            "one step an epoch",
            "def train(model, batches, epochs, lr):\n"
            "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
            "    losses = []\n"
            "    for _ in range(epochs):\n"
            "        optimizer.zero_grad()\n"
            "        for X, y in batches:\n"
            "            loss = F.cross_entropy(model(X), y)\n"
            "            loss.backward()\n"
            "            losses.append(loss.item())\n"
            "        optimizer.step()\n"
            "    return losses\n",
            "Now there is one step in each epoch, along the sum over all batches. A step after every batch "
            "is how the loop was meant.",
        ),
        Misconception(
            "weights emptied",
            changed(
                _BUG_1,
                ("            loss = F", "            nn.init.zeros_(model.weight)\n            loss = F"),
            ),
            "You set the weights to zero in every step. It is the gradients that have to be emptied.",
        ),
        Misconception(
            "another optimizer",
            changed(_BUG_1, ("optim.SGD", "optim.Adam")),
            "Adam makes steps whose length hardly depends on the size of the gradient, so the pile of "
            "gradients is hidden, not gone. Leave the optimizer as it is.",
        ),
    ),
    hints=(
        "What does `backward` do with the gradient that is already there? How often does this loop empty it?",
        "The emptying has to happen in every step, anywhere but between `backward` and `step`.",
    ),
    alternatives=(
        changed(_BUG_1, (_BUG_1_STEP, _BUG_1_STEP + _EMPTY)),
        changed(
            _BUG_1,
            ("    optimizer.zero_grad()\n    for", "    for"),
            ("            loss = F", "            model.zero_grad()\n            loss = F"),
        ),
        changed(
            _BUG_1,
            (
                _BUG_1_BACK,
                "            for p in model.parameters():\n                p.grad = None\n" + _BUG_1_BACK,
            ),
        ),
        changed(_BUG_1, ("            loss = F", _EMPTY + "            loss = F")),
    ),
)


# ----------------------------------------------------------------------------- 10.find_the_bug_2


def fit_line(model: nn.Module, X: Tensor, y: Tensor, steps: int, lr: float) -> list[float]:
    """Fit numbers; the loss of every step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        y_hat = model(X)[:, 0]
        loss = ((y_hat - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def bug_2_trained(
    work: Callable, weights: Tensor, X: Tensor, y: Tensor, steps: int, lr: float
) -> dict[str, Any]:
    """Probe: the losses and the weights afterwards."""
    model = _linear(weights)
    losses = _losses(work(model, X, y, steps, lr))
    return {"losses": losses, "weights afterwards": model.weight.detach().clone()}


def bug_2_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    n, d = whole_number(generator, 5, 8), whole_number(generator, 2, 3)
    true = normal(generator, d) + 1

    def case(group: str, n: int, steps: int, lr: float, note: str) -> Case:
        X = normal(generator, n, d)
        return Case(group, (normal(generator, 1, d), X, X @ true + 0.5, steps, lr), note)

    return [
        case("values", n, 3, 0.1, "three steps"),
        case("values", 2 * n, 5, 0.05, "more points"),
        case("shapes", 1, 2, 0.1, "a single point"),
        case("edge cases", 2, 2, 0.1, "two points"),
    ]


_BUG_2 = (
    "def fit_line(model, X, y, steps, lr):\n"
    "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
    "    losses = []\n"
    "    for _ in range(steps):\n"
    "        y_hat = model(X)\n"
    "        loss = ((y_hat - y) ** 2).mean()\n"
    "        optimizer.zero_grad()\n"
    "        loss.backward()\n"
    "        optimizer.step()\n"
    "        losses.append(loss.item())\n"
    "    return losses\n"
)
_SQUARES = "((y_hat - y) ** 2).mean()"


def bug_2_remark(work: Callable) -> str:
    """Which of the two was brought into the other's shape."""
    generator = torch.Generator().manual_seed(0)
    with _Names() as names:
        work(_linear(normal(generator, 1, 2)), normal(generator, 5, 2), normal(generator, 5), 1, 0.1)
    all_pairs = {shapes for _, shapes in names.calls if len(shapes) >= 2}
    pairs = {shapes for shapes in all_pairs if shapes[0] == shapes[1]}
    if ((5,), (5,)) in pairs:
        return "Your repair: the predictions lose their extra axis, so both are (n,)."
    if ((5, 1), (5, 1)) in pairs:
        return "Your repair: the targets get an axis as well, so both are (n, 1)."
    if ((1, 5), (5,)) in all_pairs or ((5,), (1, 5)) in all_pairs:
        return "Your repair: predictions of shape (1, n) and targets of shape (n,) meet one by one."
    if ((5, 1), (5,)) in all_pairs:
        return (
            "Your repair works, but it still computes all n times n differences, to use only n of them. "
            "Predictions and targets of the same shape need no more than n."
        )
    return "Your repair: each prediction meets its own target only."


FIND_THE_BUG_2 = Exercise(
    id="10.find_the_bug_2",
    name="fit_line",
    title="It learns the mean, and nothing else",
    difficulty=1,
    points=2,
    minutes=5,
    cases=bug_2_cases,
    reference=fit_line,
    probe=bug_2_trained,
    input_names=("weights", "X", "y", "steps", "lr"),
    result="a list of floats, the loss of every step",
    rtol=1e-4,
    atol=1e-5,
    given={"F": F, "nn": nn},
    remark=bug_2_remark,
    misconceptions=(
        Misconception(
            "as it was given",
            _BUG_2,
            "The loop still does what it did. Print the shapes of `y_hat`, `y` and their difference.",
        ),
        Misconception(
            "sum for mean",
            changed(_BUG_2, (_SQUARES, "((y_hat[:, 0] - y) ** 2).sum()")),
            "The shapes fit now, but the mean has become a sum: the loss, and with it every step, is larger "
            "by the number of points.",
        ),
        Misconception(
            "sum of the square of all pairs",
            changed(_BUG_2, (_SQUARES, "((y_hat - y) ** 2).sum() / len(y)")),
            "You divide differently, but there are still n times n differences: each prediction meets each "
            "target.",
        ),
        Misconception(
            "the diagonal, forgotten root of n",
            changed(_BUG_2, (_SQUARES, "((y_hat - y) ** 2).diagonal().sum() / len(y) ** 2")),
            "The diagonal holds the right differences, but you divide by n² as if there were that many.",
        ),
        Misconception(
            "mean of the predictions",
            changed(_BUG_2, (_SQUARES, "((y_hat.mean() - y) ** 2).mean()")),
            "You take the mean of all predictions. Now there is one prediction for all points, and the "
            "model can learn nothing but a mean.",
        ),
        Misconception(
            "the errors cancel",
            changed(_BUG_2, (_SQUARES, "(y_hat[:, 0] - y).mean() ** 2")),
            "The shapes fit now, but you take the mean before squaring: errors of both signs cancel.",
        ),
        Misconception(
            "another loss",
            changed(_BUG_2, (_SQUARES, "(y_hat[:, 0] - y).abs().mean()")),
            "The shapes fit now, but this is the mean absolute error. Leave the loss as it is, the mean "
            "squared error.",
        ),
        Misconception(
            "only the first point",
            changed(_BUG_2, ("y_hat = model(X)", "y_hat = model(X)[0]")),
            "You keep the first prediction only, and compare it with all targets. Take the extra axis away, "
            "not the points.",
        ),
        Misconception(
            "detached on the way",
            changed(
                _BUG_2,
                ("y_hat = model(X)", "y_hat = torch.tensor(model(X)[:, 0].tolist(), requires_grad=True)"),
            ),
            "The shapes fit, but you make a new tensor of the predictions, so no gradient reaches the "
            "model, and its weights stay.",
        ),
        Misconception(
            "a larger learning rate",
            changed(_BUG_2, ("lr=lr", "lr=10 * lr")),
            "The learning rate is not what is wrong: the loop gets to the mean faster, and stays there.",
        ),
    ),
    hints=(
        "Which shapes do `y_hat` and `y` have, and which shape has their difference? (Lesson 03.)",
        "Bring both into the same shape: take the axis of length 1 away from the one, or give the other "
        "such an axis. Nothing else has to change.",
    ),
    alternatives=(
        changed(_BUG_2, (_SQUARES, "((y_hat.squeeze(1) - y) ** 2).mean()")),
        changed(_BUG_2, (_SQUARES, "((y_hat - y[:, None]) ** 2).mean()")),
        changed(_BUG_2, (_SQUARES, "F.mse_loss(y_hat.flatten(), y)")),
        changed(_BUG_2, ("    losses = []\n", "    losses = []\n    y = y.reshape(-1, 1)\n")),
    ),
)


# ----------------------------------------------------------------------------- 10.find_the_bug_3


def train_classifier(model: nn.Module, batches: list, lr: float) -> list[float]:
    """One epoch; the loss of every step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for X, y in batches:
        loss = F.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def bug_3_trained(work: Callable, weights: Tensor, batches: list, lr: float) -> dict[str, Any]:
    """Probe: the losses and the weights afterwards."""
    model = _linear(weights)
    losses = _losses(work(model, batches, lr))
    return {"losses": losses, "weights afterwards": model.weight.detach().clone()}


def bug_3_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    n, k = whole_number(generator, 3, 5), whole_number(generator, 3, 5)

    def case(group: str, sizes: Sequence[int], lr: float, note: str) -> Case:
        return Case(group, (normal(generator, k, n), _some_batches(generator, sizes, n, k), lr), note)

    sure = (torch.eye(3), [(20 * torch.eye(3), torch.arange(3))], 0.1)
    extreme = (torch.eye(3), [(torch.tensor([[1000.0, -1000.0, 0.0]]), torch.tensor([1]))], 1e-3)
    return [
        case("values", (5,), 0.3, "one batch"),
        case("values", (6, 4, 6), 0.3, "three batches"),
        Case("values", sure, "a model that is sure and right"),
        case("shapes", (1,), 0.2, "a batch of one"),
        Case("edge cases", extreme, "logits of ±1000, and wrong"),
    ]


_BUG_3 = (
    "def train_classifier(model, batches, lr):\n"
    "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
    "    losses = []\n"
    "    for X, y in batches:\n"
    "        probabilities = torch.softmax(model(X), dim=1)\n"
    "        loss = F.cross_entropy(probabilities, y)\n"
    "        optimizer.zero_grad()\n"
    "        loss.backward()\n"
    "        optimizer.step()\n"
    "        losses.append(loss.item())\n"
    "    return losses\n"
)
_SOFTMAX = "torch.softmax(model(X), dim=1)"
_TWICE = (
    "        probabilities = torch.softmax(model(X), dim=1)\n"
    "        loss = F.cross_entropy(probabilities, y)\n"
)


def _bug_3(lines: str) -> str:
    return changed(_BUG_3, (_TWICE, "".join(f"        {line}\n" for line in lines.split("\n"))))


def bug_3_remark(work: Callable) -> str:
    """Which loss is applied to what."""
    generator = torch.Generator().manual_seed(0)
    with _Names() as names:
        work(_linear(normal(generator, 3, 2)), _some_batches(generator, (4,), 2, 3), 0.1)
    called = {name for name, _ in names.calls}
    if "log_softmax" in called and "nll_loss" in called and "cross_entropy" not in called:
        return "Your repair: `log_softmax`, and then only the picking of the right class, `nll_loss`."
    if "cross_entropy" in called and "log_softmax" not in called:
        return "Your repair: `cross_entropy` gets the logits, and its own softmax is the only one."
    if "cross_entropy" in called:
        return "Your repair works: a second softmax changes nothing after `log_softmax`. It is one too many."
    return "Your repair: the loss written out by hand, from the logits."


FIND_THE_BUG_3 = Exercise(
    id="10.find_the_bug_3",
    name="train_classifier",
    title="It learns, but slowly, and the loss stays high",
    difficulty=2,
    points=3,
    minutes=10,
    cases=bug_3_cases,
    reference=train_classifier,
    probe=bug_3_trained,
    input_names=("weights", "batches", "lr"),
    result="a list of floats, the loss of every step",
    rtol=1e-4,
    atol=1e-5,
    given={"F": F, "nn": nn},
    remark=bug_3_remark,
    misconceptions=(
        Misconception(
            "as it was given",
            _BUG_3,
            "The loop still does what it did. What does `cross_entropy` expect, and what does it do with it?",
        ),
        Misconception(
            "log of the softmax",
            _bug_3(
                "probabilities = torch.softmax(model(X), dim=1)\n"
                "loss = F.nll_loss(torch.log(probabilities), y)"
            ),
            "The formula is right now, but not safe: where the softmax rounds to 0 its logarithm is −inf "
            "(lesson 05). Softmax and logarithm have to be taken together.",
        ),
        Misconception(
            "nll_loss of probabilities",
            _bug_3("probabilities = torch.softmax(model(X), dim=1)\nloss = F.nll_loss(probabilities, y)"),
            "`nll_loss` expects **logarithms** of probabilities. Of probabilities it makes a loss between "
            "−1 and 0, whose gradient nearly vanishes where the model is sure and wrong.",
        ),
        Misconception(
            "nll_loss of logits",
            _bug_3("loss = F.nll_loss(model(X), y)"),
            "`nll_loss` only picks the number of the right class and turns its sign. Of bare logits that "
            "makes a loss without a lower end: larger is always better.",
        ),
        Misconception(
            "along the batch",
            changed(_BUG_3, ("dim=1", "dim=0")),
            "Now the softmax goes down the batch, so that the examples share one whole. And there are still "
            "two of them.",
        ),
        Misconception(
            "sigmoid for softmax",
            changed(_BUG_3, (_SOFTMAX, "torch.sigmoid(model(X))")),
            "The sigmoid presses the logits together just as the softmax did. `cross_entropy` does not want "
            "probabilities at all.",
        ),
        Misconception(
            "a temperature",
            changed(_BUG_3, ("F.cross_entropy(probabilities, y)", "F.cross_entropy(10 * probabilities, y)")),
            "Stretched by ten, the probabilities allow a smaller loss. It is still a softmax of a softmax.",
        ),
        Misconception(
            "only the class that won",
            _bug_3(
                "logits = model(X)\nloss = F.cross_entropy(logits * F.one_hot(logits.argmax(dim=1), "
                "logits.shape[1]), y)"
            ),
            "You keep only the largest logit. The loss should see all of them.",
        ),
        Misconception(
            "squared error of probabilities",
            _bug_3(
                "p = torch.softmax(model(X), dim=1)\n"
                "loss = ((p - F.one_hot(y, p.shape[1])) ** 2).sum(dim=1).mean()"
            ),
            "You have put another loss in its place, the squared error. It can get to 0, but learns slowly "
            "where the model is sure and wrong (lesson 05).",
        ),
        Misconception(
            "cut off before the logarithm",
            _bug_3(
                "p = torch.softmax(model(X), dim=1).clamp(min=1e-7)\n"
                "loss = -p[torch.arange(len(y)), y].log().mean()"
            ),
            "Cutting off very small probabilities keeps the loss finite, but where it cuts, no gradient "
            "goes back (lesson 05): just where the model is most wrong.",
        ),
        Misconception(
            "a larger learning rate",
            changed(_BUG_3, ("lr=lr", "lr=5 * lr")),
            "A larger learning rate makes up for the small gradients, but the loss still cannot come near 0.",
        ),
        Misconception(
            "sum for mean",
            _bug_3("loss = F.cross_entropy(model(X), y, reduction='sum')"),
            "The second softmax is gone, but now the losses of the batch are added up instead of averaged.",
        ),
        Misconception(
            "a small number under the logarithm",
            _bug_3(
                "probabilities = torch.softmax(model(X), dim=1)\n"
                "loss = F.nll_loss((probabilities + 1e-9).log(), y)"
            ),
            "The small number keeps the logarithm finite, but it also puts a ceiling on the loss, and a "
            "network that is sure and wrong gets no gradient any more. Softmax and logarithm have to be "
            "taken together.",
        ),
        Misconception(
            "a yes or no for each class",
            _bug_3(
                "probabilities = torch.softmax(model(X), dim=1)\n"
                "loss = F.binary_cross_entropy(probabilities, F.one_hot(y, probabilities.shape[1]).float())"
            ),
            "This asks each class for itself whether it is the one, and takes the mean over the classes. "
            "The loss is to stay the cross-entropy of one choice among k.",
        ),
    ),
    hints=(
        "How many times is a softmax applied here? Look up in lesson 05 what `cross_entropy` is made of.",
        "`cross_entropy` is `log_softmax` and `nll_loss` in one. Hand it what it expects.",
    ),
    alternatives=(
        _bug_3("logits = model(X)\nloss = F.nll_loss(F.log_softmax(logits, dim=1), y)"),
        _bug_3("loss = nn.CrossEntropyLoss()(model(X), y)"),
        _bug_3("z = model(X)\nloss = (torch.logsumexp(z, dim=1) - z[torch.arange(len(y)), y]).mean()"),
        _bug_3("loss = F.cross_entropy(F.log_softmax(model(X), dim=1), y)"),
    ),
)


# ----------------------------------------------------------------------------- 10.find_the_bug_4


def train_and_validate(
    model: nn.Module, batches: list, X_val: Tensor, y_val: Tensor, epochs: int, lr: float
) -> list[float]:
    """Train, and validate after each epoch; the validation losses."""
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


def _normed(weights: Sequence[Tensor]) -> _Watched:
    first, second = (_linear(w) for w in weights)
    return _Watched(nn.Sequential(first, nn.BatchNorm1d(len(weights[0])), nn.Tanh(), second))


def bug_4_trained(
    work: Callable, weights: list[Tensor], batches: list, X_val: Tensor, y_val: Tensor, epochs: int, lr: float
) -> dict[str, Any]:
    """Probe: how the model was called, one call after the other, and the losses."""
    model = _normed(weights)
    losses = _losses(work(model, batches, X_val, y_val, epochs, lr))
    graphs = ["with a graph" if graph else "without a graph" for graph in model.graphs]
    return {"mode at each call": model.modes, "recorded at each call": graphs, "validation losses": losses}


def bug_4_cases(generator: torch.Generator) -> list[Case]:
    load_optimizers_for(torch.optim.SGD)  # the probe needs them, and no clock runs yet
    n, m, k = whole_number(generator, 3, 4), whole_number(generator, 4, 5), whole_number(generator, 3, 4)

    def case(group: str, sizes: Sequence[int], epochs: int, note: str) -> Case:
        weights = [normal(generator, m, n), normal(generator, k, m)]
        (X_val, y_val), *batches = _some_batches(generator, (7, *sizes), n, k)
        return Case(group, (weights, [(X + 2, y) for X, y in batches], X_val + 2, y_val, epochs, 0.1), note)

    return [
        case("values", (5, 6), 3, "two batches, three epochs"),
        case("values", (8,), 4, "one batch, four epochs"),
        case("edge cases", (6, 6), 1, "a single epoch"),
    ]


_BUG_4 = (
    "def train_and_validate(model, batches, X_val, y_val, epochs, lr):\n"
    "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
    "    losses = []\n"
    "    model.train()\n"
    "    for _ in range(epochs):\n"
    "        for X, y in batches:\n"
    "            loss = F.cross_entropy(model(X), y)\n"
    "            optimizer.zero_grad()\n"
    "            loss.backward()\n"
    "            optimizer.step()\n"
    "        model.eval()\n"
    "        with torch.no_grad():\n"
    "            losses.append(F.cross_entropy(model(X_val), y_val).item())\n"
    "    return losses\n"
)
_EPOCHS = "    model.train()\n    for _ in range(epochs):\n"
_LOSSES_LINE = "            losses.append(F.cross_entropy(model(X_val), y_val).item())\n"


def bug_4_remark(work: Callable) -> str:
    """Where the model is switched back to training."""
    generator = torch.Generator().manual_seed(0)
    model = _normed([normal(generator, 4, 3), normal(generator, 3, 4)])
    model.eval()
    switched, switch = [], model.train

    def noted(mode: bool = True) -> nn.Module:
        switched.append(mode)
        return switch(mode)

    model.train = noted
    (X_val, y_val), *batches = _some_batches(generator, (6, 5, 5, 5), 3, 3)
    work(model, batches, X_val, y_val, 2, 0.1)
    if model.modes[0] == "evaluation":
        return (
            "Your repair relies on a model that comes in training mode. Safer: set the mode at the "
            "beginning of every epoch."
        )
    if model.net.training:
        return "Your repair: back to training mode as soon as the validation is over."
    if sum(switched) >= 6:
        return "Your repair: training mode at every batch. Once at the beginning of the epoch is enough."
    return "Your repair: training mode at the beginning of every epoch."


FIND_THE_BUG_4 = Exercise(
    id="10.find_the_bug_4",
    name="train_and_validate",
    title="The first epoch is fine",
    difficulty=2,
    points=3,
    minutes=10,
    cases=bug_4_cases,
    reference=train_and_validate,
    probe=bug_4_trained,
    input_names=("weights", "batches", "X_val", "y_val", "epochs", "lr"),
    result="a list of floats, the validation loss after every epoch",
    rtol=1e-4,
    atol=1e-5,
    given={"F": F, "nn": nn},
    remark=bug_4_remark,
    misconceptions=(
        Misconception(
            "as it was given",
            _BUG_4,
            "The loop still does what it did: when the second epoch begins, the model is in the mode in "
            "which the first one left it. Which is that?",
        ),
        Misconception(
            "evaluation mode taken out",
            changed(_BUG_4, ("        model.eval()\n", "")),
            "Now the model trains as it should, but it is validated in training mode as well (`eval` is "
            "missing, or comes too late, or is taken back too early): batch norm uses, and learns from, the "
            "validation set.",
        ),
        Misconception(
            "no_grad taken for the mode",
            changed(
                _BUG_4,
                (
                    "        with torch.no_grad():\n" + _LOSSES_LINE,
                    "        losses.append(F.cross_entropy(model(X_val), y_val).item())\n",
                ),
            ),
            "You have taken `no_grad` out. It decides whether a graph is recorded, not in which mode the "
            "model is; the mode is as wrong as before.",
        ),
        Misconception(
            "train(False) for train()",
            changed(_BUG_4, (_EPOCHS, "    for _ in range(epochs):\n        model.train(False)\n")),
            "`train(False)` is evaluation mode. Now the model never trains as it should.",
        ),
        Misconception(
            "the modes swapped",
            changed(
                _BUG_4,
                (_EPOCHS, "    for _ in range(epochs):\n        model.eval()\n"),
                ("        model.eval()\n        with", "        model.train()\n        with"),
            ),
            "You have the two modes at each other's places: it trains in evaluation mode and validates in "
            "training mode.",
        ),
        Misconception(
            "in the loop over batches, after the call",
            changed(
                _BUG_4,
                (
                    "            optimizer.step()\n",
                    "            optimizer.step()\n            model.train()\n",
                ),
            ),
            "You set training mode after each step. The first batch of every further epoch is still seen in "
            "evaluation mode.",
        ),
        Misconception(
            "validated before training",
            "def train_and_validate(model, batches, X_val, y_val, epochs, lr):\n"
            "    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
            "    losses = []\n"
            "    for _ in range(epochs):\n"
            "        model.eval()\n"
            "        with torch.no_grad():\n"
            "            losses.append(F.cross_entropy(model(X_val), y_val).item())\n"
            "        model.train()\n"
            "        for X, y in batches:\n"
            "            loss = F.cross_entropy(model(X), y)\n"
            "            optimizer.zero_grad()\n"
            "            loss.backward()\n"
            "            optimizer.step()\n"
            "    return losses\n",
            "The modes are right, but you validate before each epoch instead of after it, so the last epoch "
            "is never judged.",
        ),
        Misconception(
            "only the first epoch counts",
            changed(_BUG_4, ("range(epochs)", "range(1)")),
            "You stop after the first epoch, which was fine. The others should be as well.",
        ),
        Misconception(
            "evaluation mode inside the loop over batches",
            changed(
                _BUG_4,
                (_EPOCHS, "    for _ in range(epochs):\n        model.train()\n"),
                (
                    "            optimizer.step()\n",
                    "            optimizer.step()\n            model.eval()\n",
                ),
            ),
            "You switch to evaluation mode after each step, so only the first batch of an epoch is trained "
            "on in training mode. `eval` belongs after the loop over the batches.",
        ),
        Misconception(
            "evaluation mode after the validation",
            changed(
                _BUG_4,
                ("        model.eval()\n        with", "        with"),
                (_LOSSES_LINE, _LOSSES_LINE + "        model.eval()\n"),
            ),
            "You switch to evaluation mode when the validation is over. So the validation runs in the mode "
            "of training, and the next epoch in that of evaluation.",
        ),
    ),
    hints=(
        "Follow the mode from line to line through two epochs. Who switches it back?",
        "Something that is switched in every epoch has to be switched back in every epoch.",
    ),
    alternatives=(
        changed(_BUG_4, (_EPOCHS, "    for _ in range(epochs):\n        model.train(True)\n")),
        changed(_BUG_4, (_LOSSES_LINE, _LOSSES_LINE + "        model.train()\n")),
        changed(
            _BUG_4,
            ("        for X, y in batches:\n", "        for X, y in batches:\n            model.train()\n"),
        ),
    ),
)

EXERCISES = (
    FIRST_LOSS,
    TRAIN_STEP,
    EVALUATE,
    TO_DEVICE,
    CHECKPOINT,
    SCALED_STEP,
    FIND_THE_BUG_1,
    FIND_THE_BUG_2,
    FIND_THE_BUG_3,
    FIND_THE_BUG_4,
)
