"""The exercises of lesson 09 as data: splitting, penalties, dropout, early stopping, shifts, ensembles."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked
from .values import kind_words

# --------------------------------------------------------------------------------------- 09.split


def split(
    X: Tensor, y: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shuffled, divided, standardised by the training part."""
    order = torch.randperm(len(X), generator=generator)
    n_val = round(share * len(X))
    val, train = order[:n_val], order[n_val:]
    mean, std = X[train].mean(dim=0), X[train].std(dim=0)
    return (X[train] - mean) / std, y[train], (X[val] - mean) / std, y[val]


def divided(work: Callable, n: int, share: float, seed: int) -> dict[str, Any]:
    """Probe: what a split of n numbered examples looks like. Any random order is right.

    Example i has the target i and inputs that tell its number, so that each can be known again whatever is
    subtracted and divided by.

    Raises:
        NotAsAsked: if what comes is not four tensors of fitting shapes.
    """
    number = torch.arange(n)
    X = torch.stack([number * 1.0, (n - number) * 10.0 + 5, (number * 1.0) ** 2], dim=1)
    kept = X.clone(), number.clone()
    parts = _four(work(X, number, share, torch.Generator().manual_seed(seed)))
    again = _four(work(X, number, share, torch.Generator().manual_seed(seed)))
    other = _four(work(X, number, share, torch.Generator().manual_seed(seed + 1000)))
    X_train, y_train, X_val, y_val = parts
    sizes = {"training": len(y_train), "validation": len(y_val)}
    train, val = y_train.tolist(), y_val.tolist()
    both = train + val
    outcome: dict[str, Any] = {
        "sizes": sizes,
        "every example once": sorted(both) == list(range(n)),
        "in the order of the data": both == sorted(both) or val + train == sorted(both),
        "the same with the same generator": all(map(torch.equal, parts, again)),
        "the same with another generator": torch.equal(y_train, other[1]) and torch.equal(y_val, other[3]),
        "data left as they were": torch.equal(X, kept[0]) and torch.equal(number, kept[1]),
    }
    if not outcome["every example once"]:
        both_sides = len(set(train) & set(val))
        outcome["examples on both sides"] = "some" if both_sides else "none"
        outcome["examples twice in a part"] = len(set(train)) < len(train) or len(set(val)) < len(val)
        return outcome
    centred = X[y_train]
    mean, std = centred.mean(dim=0), centred.std(dim=0)
    outcome["training inputs are as they should be"] = _same((centred - mean) / std, X_train)
    outcome["validation inputs are as they should be"] = _same((X[y_val] - mean) / std, X_val)
    outcome["mean of the training inputs"] = X_train.mean(dim=0)
    outcome["standard deviation of the training inputs"] = X_train.std(dim=0)
    # in the unit of what is right, since the order is everybody's own
    right = ((X[y_val] - mean) / std).mean(dim=0)
    outcome["mean of the validation inputs is right"] = _same(right, X_val.mean(dim=0))
    outcome["validation inputs have mean 0"] = _same(torch.zeros(3), X_val.mean(dim=0), 1e-3)
    outcome["all inputs together have mean 0"] = _same(
        torch.zeros(3), torch.cat([X_train, X_val]).mean(dim=0), 1e-3
    )
    outcome["inputs untouched"] = _same(X[y_train], X_train), _same(X[y_val], X_val)
    return outcome


def _same(a: Tensor, b: Tensor, tolerance: float = 1e-3) -> bool:
    return a.shape == b.shape and torch.allclose(a, b.to(a.dtype), rtol=tolerance, atol=tolerance)


def _four(parts: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    if parts is None:
        raise NotAsAsked("Your function returns nothing (None). It should return four tensors.")
    if (
        not isinstance(parts, (tuple, list))
        or len(parts) != 4
        or not all(isinstance(p, Tensor) for p in parts)
    ):
        given = f"{len(parts)} things" if isinstance(parts, (tuple, list)) else kind_words(parts)
        raise NotAsAsked(
            f"Your function should return four tensors, X_train, y_train, X_val, y_val, not {given}."
        )
    X_train, y_train, X_val, y_val = parts
    shapes = [tuple(p.shape) for p in parts]
    if X_train.dim() != 2 or y_train.dim() != 1 or X_val.dim() != 2 or y_val.dim() != 1:
        raise NotAsAsked(
            f"The order is X_train, y_train, X_val, y_val, so the shapes should be (n, features), (n,), (m, "
            f"features), "
            f"(m,). Yours are {', '.join(map(str, shapes))}."
        )
    if len(X_train) != len(y_train) or len(X_val) != len(y_val):
        raise NotAsAsked(f"Inputs and targets of a part should be equally many; your shapes are {shapes}.")
    return X_train, y_train.long(), X_val, y_val.long()


def split_cases(generator: torch.Generator) -> list[Case]:
    """At least 18 examples: that chance leaves them in order is one in 10^15."""
    n, seed = whole_number(generator, 30, 60), whole_number(generator, 0, 10_000)
    return [
        Case("values", (30, 0.3, seed), "30 examples, 9 of them for validation"),
        Case("values", (n, 0.2, seed + 1), "a fifth for validation"),
        Case("values", (n + 1, 0.5, seed + 2), "halves"),
        Case("shapes", (20, 0.05, seed + 3), "a single example for validation"),
        Case("edge cases", (21, 0.13, seed + 4), "a share of 2.73, which rounds to 3"),
        Case("edge cases", (18, 0.9, seed + 5), "most of them for validation"),
    ]


_SPLIT = (
    "def split(X, y, share, generator):\n"
    "    order = torch.randperm(len(X), generator=generator)\n"
    "    n_val = round(share * len(X))\n"
    "    val, train = order[:n_val], order[n_val:]\n"
    "    mean, std = X[train].mean(dim=0), X[train].std(dim=0)\n"
    "    return (X[train] - mean) / std, y[train], (X[val] - mean) / std, y[val]\n"
)
_STATISTICS = "    mean, std = X[train].mean(dim=0), X[train].std(dim=0)\n"
_ORDER = "torch.randperm(len(X), generator=generator)"
_RETURN = "return (X[train] - mean) / std, y[train], (X[val] - mean) / std, y[val]"

SPLIT = Exercise(
    id="09.split",
    name="split",
    title="Divide without a leak",
    difficulty=2,
    points=4,
    minutes=15,
    cases=split_cases,
    reference=split,
    probe=divided,
    input_names=("n", "share", "seed"),
    result="X_train, y_train, X_val, y_val",
    rtol=1e-3,
    atol=1e-3,
    misconceptions=(
        Misconception(
            "normalises before splitting",
            changed(_SPLIT, (_STATISTICS, "    mean, std = X.mean(dim=0), X.std(dim=0)\n")),
            "You take mean and deviation of all examples, so those of the validation set have a say in how "
            "the "
            "training data look: a leak. Only the training part may be asked.",
        ),
        Misconception(
            "each part by its own statistics",
            changed(_SPLIT, ("(X[val] - mean) / std", "(X[val] - X[val].mean(dim=0)) / X[val].std(dim=0)")),
            "You standardise the validation part by its own mean and deviation. Then the two parts no longer "
            "have the "
            "same unit, and a single new example could not be treated at all. Use the training part's.",
        ),
        Misconception(
            "not shuffled",
            changed(_SPLIT, (_ORDER, "torch.arange(len(X))")),
            "You divide in the order of the data. Data are often sorted, and then the validation set holds "
            "other "
            "classes than the training set. Draw a random order first.",
        ),
        Misconception(
            "overlaps",
            changed(_SPLIT, ("order[:n_val], order[n_val:]", "order[:n_val], order")),
            "Your training set holds all examples, those of the validation set as well. What was seen in "
            "training says "
            "nothing about new examples.",
        ),
        Misconception(
            "drawn twice",
            changed(
                _SPLIT,
                (
                    "order[:n_val], order[n_val:]",
                    "order[:n_val], torch.randperm(len(X), generator=generator)[n_val:]",
                ),
            ),
            "You draw one order for the validation set and another for the training set, so some examples "
            "are in both "
            "and some in neither. One order serves both.",
        ),
        Misconception(
            "drawn with replacement",
            changed(_SPLIT, (_ORDER, "torch.randint(len(X), (len(X),), generator=generator)")),
            "`randint` draws with replacement: some examples come several times, perhaps in both parts, and "
            "some never. "
            "`randperm` gives each number once.",
        ),
        Misconception(
            "the shares swapped",
            changed(
                _SPLIT,
                ("val, train = order[:n_val], order[n_val:]", "train, val = order[:n_val], order[n_val:]"),
            ),
            "You give `share` to the training set. It is the validation set's share.",
        ),
        Misconception(
            "validation first",
            changed(
                _SPLIT, (_RETURN, "return (X[val] - mean) / std, y[val], (X[train] - mean) / std, y[train]")
            ),
            "You return the validation set first. The order is X_train, y_train, X_val, y_val.",
        ),
        Misconception(
            "inputs first, then targets",
            changed(
                _SPLIT, (_RETURN, "return (X[train] - mean) / std, (X[val] - mean) / std, y[train], y[val]")
            ),
            "You return both inputs and then both targets, as some libraries do. Here the order is X_train, "
            "y_train, "
            "X_val, y_val.",
        ),
        Misconception(
            "inputs and targets shuffled apart",
            changed(
                _SPLIT,
                ("    n_val", "    y = y[torch.randperm(len(y), generator=generator)]\n    n_val"),
            ),
            "You shuffle the targets by an order of their own, so no input lies beside its own target any "
            "more.",
        ),
        Misconception(
            "only the inputs shuffled",
            changed(
                _SPLIT,
                (_RETURN, "return (X[train] - mean) / std, y[n_val:], (X[val] - mean) / std, y[:n_val]"),
            ),
            "You shuffle the inputs and leave the targets in their old order, so no input lies beside its "
            "own target.",
        ),
        Misconception(
            "validation part not standardised",
            changed(_SPLIT, ("(X[val] - mean) / std", "X[val]")),
            "Your validation inputs are still in their old unit. The model would be judged on numbers it has "
            "never seen "
            "the like of. Treat them as the training part, with its numbers.",
        ),
        Misconception(
            "nothing standardised",
            changed(_SPLIT, (_STATISTICS, ""), (_RETURN, "return X[train], y[train], X[val], y[val]")),
            "You shuffle and divide, but the inputs are not standardised.",
        ),
        Misconception(
            "mean not subtracted",
            changed(_SPLIT, (_RETURN, "return X[train] / std, y[train], X[val] / std, y[val]")),
            "You divide by the deviation, but the mean is still in. Subtract it first.",
        ),
        Misconception(
            "not divided",
            changed(_SPLIT, (_RETURN, "return X[train] - mean, y[train], X[val] - mean, y[val]")),
            "You subtract the mean, but do not divide by the standard deviation.",
        ),
        Misconception(
            "one mean for all features",
            changed(_SPLIT, (_STATISTICS, "    mean, std = X[train].mean(), X[train].std()\n")),
            "You take one mean and one deviation for all features together. Every feature (column) has its "
            "own.",
        ),
        Misconception(
            "divided by the variance",
            changed(_SPLIT, ("X[train].std(dim=0)", "X[train].var(dim=0)")),
            "You divide by the variance. The standard deviation is its root.",
        ),
        Misconception(
            "cut off, not rounded",
            changed(_SPLIT, ("round(share * len(X))", "int(share * len(X))")),
            "`int` cuts off: a share of 2.73 examples becomes 2. `round` is asked for.",
        ),
        Misconception(
            "generator not used",
            changed(_SPLIT, (", generator=generator", "")),
            "You draw from torch's global generator. Hand the generator on, or nobody can make the same "
            "split again.",
        ),
        Misconception(
            "in the data themselves",
            changed(
                _SPLIT,
                (_RETURN, "X -= mean\n    X /= std\n    return X[train], y[train], X[val], y[val]"),
            ),
            "The parts are right, but you standardise the data that were handed over, in place. Whoever "
            "holds them has "
            "lost the old values.",
        ),
        Misconception(
            "always the same order",
            changed(_SPLIT, (_ORDER, "torch.randperm(len(X), generator=torch.Generator().manual_seed(0))")),
            "Your order is the same whatever generator is handed over, so nobody can draw another split. "
            "Draw with the generator that comes in.",
        ),
        Misconception(
            "divided by n",
            changed(_SPLIT, ("X[train].std(dim=0)", "X[train].std(dim=0, correction=0)")),
            "Your deviation divides by n (`correction=0`). `.std(dim=0)` as torch has it, which divides by "
            "n − 1, is asked for.",
        ),
        Misconception(
            "by the validation part",
            changed(_SPLIT, (_STATISTICS, "    mean, std = X[val].mean(dim=0), X[val].std(dim=0)\n")),
            "You take mean and deviation of the validation part. It is the training part that may be asked.",
        ),
        Misconception(
            "training part not standardised",
            changed(_SPLIT, ("return (X[train] - mean) / std", "return X[train]")),
            "Your training inputs are still in their old unit; only the validation part is standardised. "
            "Both parts are to be.",
        ),
        Misconception(
            "the deviation of each part",
            changed(_SPLIT, ("(X[val] - mean) / std", "(X[val] - mean) / X[val].std(dim=0)")),
            "You subtract the training mean from the validation part, but divide by the validation part's "
            "own deviation. Both numbers come from the training part.",
        ),
        Misconception(
            "along the row",
            changed(
                _SPLIT,
                (_STATISTICS, "    X = (X - X.mean(dim=1, keepdim=True)) / X.std(dim=1, keepdim=True)\n"),
                (_RETURN, "return X[train], y[train], X[val], y[val]"),
            ),
            "You standardise every example by itself, along its row. Mean and deviation belong to a "
            "feature: they go down the column.",
        ),
        Misconception(
            "between 0 and 1",
            changed(
                _SPLIT,
                (_STATISTICS, "    mean = X[train].amin(dim=0)\n    std = X[train].amax(dim=0) - mean\n"),
            ),
            "You bring the inputs between 0 and 1 by their smallest and largest value. Asked for is to "
            "standardise: by mean and standard deviation.",
        ),
        Misconception(
            "rounded up",
            changed(_SPLIT, ("round(share * len(X))", "-int(-share * len(X) // 1)")),
            "You round the number of validation examples up. `round` is asked for.",
        ),
    ),
    hints=(
        "What has to come first: dividing, or computing a mean? And how many random orders do you need?",
        "One random order. Its first round(share · n) places are the validation set, the others the training "
        "set. Mean "
        "and deviation of the training inputs; both parts minus the one, divided by the other.",
    ),
    alternatives=(
        "def split(X, y, share, generator):\n"
        "    order = torch.randperm(X.shape[0], generator=generator)\n"
        "    X, y = X[order], y[order]\n"
        "    n = len(X) - round(share * len(X))\n"
        "    mean, std = X[:n].mean(0, keepdim=True), X[:n].std(0, keepdim=True)\n"
        "    X = (X - mean) / std\n"
        "    return X[:n], y[:n], X[n:], y[n:]\n",
        "def split(X, y, share, generator):\n"
        "    n_val = round(share * len(X))\n"
        "    places = torch.rand(len(X), generator=generator).argsort()\n"
        "    val, train = places.split([n_val, len(X) - n_val])\n"
        "    std, mean = torch.std_mean(X[train], dim=0)\n"
        "    scale = lambda part: (part - mean) / std\n"
        "    return [scale(X[train]), y[train], scale(X[val]), y[val]]\n",
    ),
)


# --------------------------------------------------------------------- 09.l2_penalty, 09.l1_penalty


def l2_penalty(model: nn.Module, strength: float) -> Tensor:
    """strength · sum of w² over all parameters with two axes or more."""
    return strength * sum((p**2).sum() for p in model.parameters() if p.ndim > 1)


def l1_penalty(model: nn.Module, strength: float) -> Tensor:
    """strength · sum of |w| over all parameters with two axes or more."""
    return strength * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)


class _Holder(nn.Module):
    """A module that has only parameters: what a penalty looks at."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for W, b in zip(parameters[::2], parameters[1::2], strict=True):
            layer = (
                nn.Linear(W.shape[1], W.shape[0]) if W.dim() == 2 else nn.Conv2d(*W.shape[1::-1], W.shape[2])
            )
            with torch.no_grad():
                layer.weight.copy_(W)
                layer.bias.copy_(b)
            self.layers.append(layer)


def penalty(work: Callable, parameters: list[Tensor], strength: float) -> dict[str, Any]:
    """Probe: the penalty of a network with these weights and biases, and the gradients it gives them.

    Raises:
        NotAsAsked: if what comes is no tensor of shape () through which a gradient goes back.
    """
    model = _Holder(parameters)
    value = work(model, strength)
    if value is None:
        raise NotAsAsked("Your function returns nothing (None). It should return the penalty.")
    if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
        raise NotAsAsked(f"The penalty should be a tensor of shape (), not {kind_words(value)}.")
    if not isinstance(value, Tensor) or not value.requires_grad:
        raise NotAsAsked(
            "The penalty should be a tensor through which the gradient can go back. With a plain number, or "
            "after "
            "`.item()`, `.detach()` or `.data`, it changes the loss and no weight."
        )
    if value.dim() != 0:
        raise NotAsAsked(
            f"The penalty should be one number, shape (), but yours has shape {tuple(value.shape)}."
        )
    value.backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()]
    unchanged = all(torch.equal(p, q) for p, q in zip(model.parameters(), parameters, strict=True))
    return {"penalty": value.detach(), "gradients": grads, "the model is as it was": unchanged}


def penalty_cases(generator: torch.Generator) -> list[Case]:
    def layers(*sizes: int) -> list[Tensor]:
        return [t for m, n in pairwise(sizes) for t in (normal(generator, n, m), normal(generator, n))]

    n, m = whole_number(generator, 3, 5), whole_number(generator, 4, 6)
    example = [torch.tensor([[3.0, -1.0, 0.1]]), torch.tensor([5.0])]
    picture = [normal(generator, 2, 1, 3, 3), normal(generator, 2)]
    return [
        Case("values", (example, 0.01), "the example of the statement"),
        Case("values", (layers(n, m, 3), 0.1), "two layers"),
        Case("values", (layers(2, n, m, 2), 2.0), "three layers, a strength above 1"),
        Case("shapes", (layers(1, 1), 0.5), "a single weight"),
        Case("shapes", (picture + layers(4, 2), 0.3), "weights with four axes"),
        Case("edge cases", (layers(n, 2), 0.0), "strength 0"),
    ]


def _penalty(name: str, body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"def {name}(model, strength):\n{lines}"


def _penalty_mistakes(name: str, term: str, wrong_root: Misconception, other: Misconception) -> tuple:
    """Wrong answers that both penalties share; `term` is what is summed over a parameter p."""
    whole = f"return strength * sum({term} for p in model.parameters() if p.ndim > 1)"
    return (
        Misconception(
            "includes biases",
            _penalty(name, whole.replace(" if p.ndim > 1", "")),
            "You tax the biases as well. A large bias only shifts a unit and makes nothing jumpy; pulled "
            "towards 0 it "
            "cannot go where it is needed.",
        ),
        wrong_root,
        other,
        Misconception(
            "only biases",
            _penalty(name, whole.replace("p.ndim > 1", "p.ndim == 1")),
            "You tax the biases and leave the weights alone. It should be the other way round.",
        ),
        Misconception(
            "only two axes",
            _penalty(name, whole.replace("p.ndim > 1", "p.ndim == 2")),
            "You take parameters with exactly two axes. Weights may have more (those of lesson 12 have "
            "four); only biases have one.",
        ),
        Misconception(
            "a new tensor",
            _penalty(
                name,
                whole.replace("return strength * sum(", "total = sum(").replace(".sum()", ".sum().item()")
                + "\nreturn torch.tensor(strength * total, requires_grad=True)",
            ),
            "You make a new tensor of a plain number. `requires_grad=True` does not join it to the weights: "
            "they get no gradient. Keep the tensors that you add up.",
        ),
        Misconception(
            "only the first layer",
            _penalty(name, f"p = next(model.parameters())\nreturn strength * {term}"),
            "You tax the first layer's weights only. All layers count.",
        ),
        Misconception(
            "only the last layer",
            _penalty(
                name,
                f"for p in model.parameters():\n    if p.ndim > 1:\n        total = {term}\n"
                f"return strength * total",
            ),
            "Only the last layer's weights are left in your sum: you overwrite where you should add.",
        ),
        Misconception(
            "strength forgotten",
            _penalty(name, whole.replace("strength * ", "")),
            "The sum is right, but it is not multiplied by `strength`.",
        ),
        Misconception(
            "strength once per layer, squared",
            _penalty(name, whole.replace("strength *", "strength ** 2 *")),
            "You multiply by the strength twice.",
        ),
        Misconception(
            "mean for sum",
            _penalty(name, whole.replace(".sum()", ".mean()")),
            "You take the mean over each layer's weights. Asked for is the sum over all of them.",
        ),
        Misconception(
            "divided by the number of layers",
            _penalty(
                name,
                f"layers = [{term} for p in model.parameters() if p.ndim > 1]\n"
                f"return strength * torch.stack(layers).mean()",
            ),
            "You take the mean over the layers. Asked for is the sum.",
        ),
        Misconception(
            "half",
            _penalty(name, whole.replace("strength *", "0.5 * strength *")),
            "You put ½ in front. Some books do, so that the slope looks nicer; here it is not in the "
            "formula.",
        ),
        Misconception(
            "a plain number",
            _penalty(name, whole.replace(".sum()", ".sum().item()")),
            "You add up plain numbers, so the penalty has no way back to the weights: the loss grows, and "
            "nothing is "
            "pulled anywhere.",
        ),
        Misconception(
            "changes the weights",
            _penalty(
                name,
                f"total = strength * sum({term} for p in model.parameters() if p.ndim > 1)\n"
                "for p in model.parameters():\n    p.data *= 1 - strength\nreturn total",
            ),
            "You make the weights smaller yourself. The function should only compute the penalty; the step "
            "follows its "
            "gradient.",
        ),
        Misconception(
            "negative",
            _penalty(name, whole.replace("strength *", "-strength *")),
            "Your penalty is negative: the larger the weights, the smaller the loss. It would make them "
            "grow.",
        ),
        Misconception(
            "gradients for weights",
            _penalty(name, "return strength * sum(p.sum() for p in model.parameters() if p.ndim > 1)"),
            "You add up the weights as they are. Positive and negative ones cancel, and large weights of "
            "both signs cost "
            "nothing.",
        ),
        Misconception(
            "a list",
            _penalty(name, f"return [strength * {term} for p in model.parameters() if p.ndim > 1]"),
            "You return one penalty for each layer. Their sum is asked for: one number.",
        ),
    )


L2_PENALTY = Exercise(
    id="09.l2_penalty",
    name="l2_penalty",
    title="A tax on large weights",
    difficulty=1,
    points=2,
    minutes=5,
    cases=penalty_cases,
    reference=l2_penalty,
    probe=penalty,
    input_names=("weights and biases", "strength"),
    result="a tensor of shape ()",
    rtol=1e-4,
    atol=1e-6,
    given={"nn": nn, "F": F},
    misconceptions=(
        *_penalty_mistakes(
            "l2_penalty",
            "(p ** 2).sum()",
            Misconception(
                "square root",
                _penalty(
                    "l2_penalty",
                    "return strength * sum((p ** 2).sum() for p in model.parameters() if p.ndim > 1) ** 0.5",
                ),
                "You take the root: that is the length of all weights as one vector. The penalty is its "
                "square, without a "
                "root.",
            ),
            Misconception(
                "square root of each layer",
                _penalty(
                    "l2_penalty", "return strength * sum(p.norm() for p in model.parameters() if p.ndim > 1)"
                ),
                "`norm` is the root of the sum of squares. The penalty is the sum of squares itself.",
            ),
        ),
        Misconception(
            "sizes for squares",
            _penalty(
                "l2_penalty", "return strength * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)"
            ),
            "You add up the sizes: that is the L1 penalty. L2 adds up squares.",
        ),
        Misconception(
            "square of the sum",
            _penalty(
                "l2_penalty", "return strength * sum(p.sum() ** 2 for p in model.parameters() if p.ndim > 1)"
            ),
            "You add up first and square then, so weights of both signs cancel. Square each weight first.",
        ),
        Misconception(
            "doubled, not squared",
            _penalty(
                "l2_penalty", "return strength * sum((p * 2).sum() for p in model.parameters() if p.ndim > 1)"
            ),
            "You double the weights. Squared means each weight times itself: `p ** 2`.",
        ),
    ),
    hints=(
        "Which of the model's parameters are weights? Look at how many axes they have.",
        "Go through the parameters, leave out those with one axis, add up the sums of their squares, "
        "multiply by the "
        "strength.",
    ),
    alternatives=(
        _penalty(
            "l2_penalty",
            "total = torch.tensor(0.0)\n"
            "for name, p in model.named_parameters():\n"
            "    if not name.endswith('bias'):\n"
            "        total = total + p.square().sum()\n"
            "return strength * total",
        ),
        _penalty(
            "l2_penalty",
            "weights = torch.cat([p.flatten() for p in model.parameters() if p.dim() >= 2])\n"
            "return strength * (weights @ weights)",
        ),
        _penalty(
            "l2_penalty",
            "return sum(strength * torch.norm(p) ** 2 for n, p in model.named_parameters() if 'weight' in n)",
        ),
    ),
)

L1_PENALTY = Exercise(
    id="09.l1_penalty",
    name="l1_penalty",
    title="A tax that makes zeros",
    difficulty=1,
    points=2,
    minutes=5,
    cases=penalty_cases,
    reference=l1_penalty,
    probe=penalty,
    input_names=("weights and biases", "strength"),
    result="a tensor of shape ()",
    rtol=1e-4,
    atol=1e-6,
    given={"nn": nn, "F": F},
    misconceptions=(
        *_penalty_mistakes(
            "l1_penalty",
            "p.abs().sum()",
            Misconception(
                "squares for sizes",
                _penalty(
                    "l1_penalty",
                    "return strength * sum((p ** 2).sum() for p in model.parameters() if p.ndim > 1)",
                ),
                "You add up squares: that is the L2 penalty. Its slope fades near 0, so it makes no zeros. "
                "L1 adds up sizes.",
            ),
            Misconception(
                "size of the sum",
                _penalty(
                    "l1_penalty",
                    "return strength * sum(p.sum().abs() for p in model.parameters() if p.ndim > 1)",
                ),
                "You add up first and take the size then, so weights of both signs cancel. Take each "
                "weight's size first.",
            ),
        ),
        Misconception(
            "only positive weights",
            _penalty(
                "l1_penalty",
                "return strength * sum(p.clamp(min=0).sum() for p in model.parameters() if p.ndim > 1)",
            ),
            "You tax positive weights only. Negative ones count by their size as well.",
        ),
        Misconception(
            "the largest weight",
            _penalty(
                "l1_penalty", "return strength * sum(p.abs().max() for p in model.parameters() if p.ndim > 1)"
            ),
            "You tax each layer's largest weight only. All of them count.",
        ),
        Misconception(
            "largest of each unit",
            _penalty(
                "l1_penalty",
                "return strength * sum(p.flatten(1).abs().amax(dim=1).sum() for p in model.parameters() if "
                "p.ndim > 1)",
            ),
            "You tax only the largest weight of each unit. All of them count.",
        ),
        Misconception(
            "length for sizes",
            _penalty(
                "l1_penalty", "return strength * sum(p.norm() for p in model.parameters() if p.ndim > 1)"
            ),
            "`norm` without more is the root of the sum of squares. L1 adds up the sizes |w|.",
        ),
        Misconception(
            "signs",
            _penalty(
                "l1_penalty",
                "return strength * sum((p.sign() + 0 * p).sum() for p in model.parameters() if p.ndim > 1)",
            ),
            "You add up the signs. They are the slope of the penalty; the penalty itself adds up the sizes.",
        ),
    ),
    hints=(
        "Which of the model's parameters are weights? Look at how many axes they have.",
        "Go through the parameters, leave out those with one axis, add up the sizes of all their entries, "
        "multiply by "
        "the strength.",
    ),
    alternatives=(
        _penalty(
            "l1_penalty",
            "total = torch.tensor(0.0)\n"
            "for name, p in model.named_parameters():\n"
            "    if not name.endswith('bias'):\n"
            "        total = total + torch.abs(p).sum()\n"
            "return strength * total",
        ),
        _penalty(
            "l1_penalty",
            "weights = torch.cat([p.flatten() for p in model.parameters() if p.dim() >= 2])\n"
            "return strength * weights.norm(p=1)",
        ),
        _penalty(
            "l1_penalty",
            "return sum(strength * (p * p.sign()).sum() for p in model.parameters() if len(p.shape) > 1)",
        ),
    ),
)


# ------------------------------------------------------------------------------------- 09.dropout


def dropout(a: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    """Inverted dropout."""
    if not training:
        return a
    keep = torch.rand(a.shape, generator=generator) >= p
    return a * keep / (1 - p)


def dropped(work: Callable, shape: tuple, p: float, training: bool, seed: int) -> dict[str, Any]:
    """Probe: what becomes of activations that are all different from 0. Any way to draw the mask is right.

    Raises:
        NotAsAsked: if no tensor of the same shape comes back.
    """
    a = 1 + torch.rand(shape, generator=torch.Generator().manual_seed(seed + 1))
    kept_a = a.clone()
    generator = torch.Generator().manual_seed(seed)
    out, second = work(a, p, training, generator), work(a, p, training, generator)
    again = work(a, p, training, torch.Generator().manual_seed(seed))
    more = [work(a, p, training, generator) for _ in range(2)]
    for result in (out, second, again, *more):
        if result is None:
            when = "in training" if training else "in use (training = False)"
            raise NotAsAsked(
                f"Your function returns nothing (None) {when}. It should return the activations."
            )
        if not isinstance(result, Tensor) or result.shape != a.shape:
            given = f"shape {tuple(result.shape)}" if isinstance(result, Tensor) else kind_words(result)
            raise NotAsAsked(
                f"The result should be a tensor of the shape of `a`, {tuple(a.shape)}, not {given}."
            )
    stays = out != 0
    factor = (out / kept_a)[stays]
    looks: dict[str, Any] = {
        "the input is as it was": torch.equal(a, kept_a),
        "the same with the same generator": torch.equal(out, again),
        "the same mask at the next call": torch.equal(out, second),
        "factor of what stays": [factor.min().item(), factor.max().item()]
        if len(factor)
        else "nothing stays",
    }
    if a.numel() >= 2000:
        looks["share that stays"] = _rounded(stays.double().mean().item())
        # by chance the same number four times running: less than one in a million
        looks["as many stay at every call"] = len({int((o != 0).sum()) for o in (out, second, *more)}) == 1
        if a.dim() == 2:  # a mask that is drawn for rows or columns only
            looks["whole rows fall"] = bool((~stays).all(dim=1).any())
            looks["whole columns fall"] = bool((~stays).all(dim=0).any())
    return looks


def _rounded(share: float) -> str:
    return f"about {round(share * 10) / 10:.1f}"  # steps of 0.1: of 4,000 numbers a share varies by 0.01


def dropout_cases(generator: torch.Generator) -> list[Case]:
    """Shares that lie in the middle of what `_rounded` gives one name."""
    seed = whole_number(generator, 0, 10_000)
    n = whole_number(generator, 60, 80)
    return [
        Case("values", ((n, 60), 0.5, True, seed), "half is dropped"),
        Case("values", ((n, 60), 0.2, True, seed + 1), "a fifth is dropped"),
        Case("values", ((n, 60), 0.8, True, seed + 2), "most is dropped"),
        Case("values", ((n, 60), 0.5, False, seed + 3), "in use"),
        Case("shapes", ((40, 10, 10), 0.3, True, seed + 4), "three axes"),
        Case("edge cases", ((30, 70), 0.0, True, seed + 5), "p = 0: nothing is dropped"),
    ]


_DROPOUT = (
    "def dropout(a, p, training, generator):\n"
    "    if not training:\n"
    "        return a\n"
    "    keep = torch.rand(a.shape, generator=generator) >= p\n"
    "    return a * keep / (1 - p)\n"
)
_KEEP = "torch.rand(a.shape, generator=generator) >= p"

DROPOUT = Exercise(
    id="09.dropout",
    name="dropout",
    title="Unreliable units",
    difficulty=2,
    points=3,
    minutes=10,
    cases=dropout_cases,
    reference=dropout,
    probe=dropped,
    input_names=("shape", "p", "training", "seed"),
    result="a tensor of the shape of `a`",
    rtol=1e-4,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "no rescale",
            changed(_DROPOUT, (" / (1 - p)", "")),
            "What stays keeps its size, so on average the next layer gets less in training than in use. "
            "Divide by the "
            "probability to stay.",
        ),
        Misconception(
            "also active in evaluation",
            changed(_DROPOUT, ("    if not training:\n        return a\n", "")),
            "You drop in use as well. `training` says when units fall.",
        ),
        Misconception(
            "only active in evaluation",
            changed(_DROPOUT, ("if not training", "if training")),
            "You drop in use and do nothing in training: the condition is turned round.",
        ),
        Misconception(
            "same mask every call",
            changed(
                _DROPOUT, (_KEEP, "torch.rand(a.shape, generator=torch.Generator().manual_seed(0)) >= p")
            ),
            "Your generator starts anew at each call (a new one, or the one handed over, set back), so the "
            "same units fall "
            "every time, and the others are as reliable as ever. Use the one that is handed over, as it is.",
        ),
        Misconception(
            "keeps with probability p",
            changed(_DROPOUT, (">= p", "< p")),
            "You **keep** with probability p. It is the probability to fall; 1 − p is the one to stay.",
        ),
        Misconception(
            "keeps with probability p, divided by it",
            changed(_DROPOUT, (">= p", "< p"), ("/ (1 - p)", "/ p if p else a")),
            "You take p for the probability to stay, here and in the division. It is the probability to "
            "fall.",
        ),
        Misconception(
            "divided by p",
            changed(_DROPOUT, ("/ (1 - p)", "/ p if p else a")),
            "You divide by p, the probability to fall. What stays makes up for what falls if it is divided "
            "by the "
            "probability to **stay**.",
        ),
        Misconception(
            "multiplied by 1 − p",
            changed(_DROPOUT, ("/ (1 - p)", "* (1 - p)")),
            "You make what stays smaller. It has to make up for what fell, so it must become larger.",
        ),
        Misconception(
            "the old way: smaller in use",
            changed(_DROPOUT, ("        return a\n", "        return a * (1 - p)\n"), (" / (1 - p)", "")),
            "This is dropout as it was first published: nothing in training, times 1 − p in use. Inverted "
            "dropout does it "
            "in training, so that use costs nothing.",
        ),
        Misconception(
            "both ways at once",
            changed(_DROPOUT, ("        return a\n", "        return a * (1 - p)\n")),
            "You divide in training and multiply in use as well. One of them is enough: in use nothing is "
            "done.",
        ),
        Misconception(
            "whole rows",
            changed(
                _DROPOUT,
                (_KEEP, "torch.rand(a.shape[0], generator=generator).view(-1, *[1] * (a.dim() - 1)) >= p"),
            ),
            "You draw one number for each example, so whole examples fall. Every activation needs a draw of "
            "its own.",
        ),
        Misconception(
            "whole columns",
            changed(_DROPOUT, (_KEEP, "torch.rand(a.shape[1:], generator=generator) >= p")),
            "You draw one mask for all examples of the batch, so the same units fall in all of them. Every "
            "example needs "
            "its own.",
        ),
        Misconception(
            "one draw for all",
            changed(_DROPOUT, (_KEEP, "torch.rand((), generator=generator) >= p")),
            "You draw a single number: everything falls, or nothing. Every activation needs a draw of its "
            "own.",
        ),
        Misconception(
            "generator not used",
            changed(_DROPOUT, (", generator=generator", "")),
            "You draw from torch's global generator. Hand the generator on, or nobody can draw the same mask "
            "again.",
        ),
        Misconception(
            "in the input itself",
            changed(
                _DROPOUT,
                ("    return a * keep / (1 - p)\n", "    a[~keep] = 0\n    a /= 1 - p\n    return a\n"),
            ),
            "You change the activations that were handed over, in place: whoever holds them has lost them.",
        ),
        Misconception(
            "returns the mask",
            changed(_DROPOUT, ("return a * keep / (1 - p)", "return keep / (1 - p)")),
            "You return the mask. It has to be multiplied with the activations.",
        ),
        Misconception(
            "normal for uniform",
            changed(_DROPOUT, ("torch.rand(a", "torch.randn(a")),
            "`randn` gives normally distributed numbers, of which another share is at least p. `rand` gives "
            "numbers spread "
            "evenly from 0 to 1.",
        ),
        Misconception(
            "exactly so many fall",
            changed(
                _DROPOUT,
                ("    return a * keep / (1 - p)\n", "    return a * keep * a.numel() / keep.sum()\n"),
            ),
            "You divide by the share that happened to stay in this draw. Divide by the probability, which is "
            "the same at "
            "every call.",
        ),
        Misconception(
            "the same number falls every time",
            changed(
                _DROPOUT,
                (
                    _KEEP,
                    "torch.rand(a.numel(), generator=generator).argsort().view(a.shape) >= round(p * "
                    "a.numel())",
                ),
            ),
            "The same number of activations falls at every call: you choose that many of them. Each is to "
            "be drawn by itself, so that the number varies.",
        ),
        Misconception(
            "a coin for p",
            changed(_DROPOUT, (_KEEP, "torch.randint(0, 2, a.shape, generator=generator)")),
            "You toss a coin for each activation, so half of them fall whatever p is.",
        ),
        Misconception(
            "larger in use",
            changed(
                _DROPOUT,
                ("        return a\n", "        return a / (1 - p)\n"),
                ("return a * keep / (1 - p)", "return a * keep"),
            ),
            "You divide in use and not in training. It is the other way round: what stays in training makes "
            "up for what fell.",
        ),
        Misconception(
            "uniform numbers as a mask",
            changed(_DROPOUT, (" >= p", "")),
            "You multiply by the uniform numbers themselves, so everything shrinks and nothing falls. "
            "Compare them with p: the result of the comparison is the mask.",
        ),
        Misconception(
            "times 1 + p",
            changed(_DROPOUT, ("/ (1 - p)", "* (1 + p)")),
            "Times 1 + p is not enough: of 1 − p that stay, 1 / (1 − p) makes 1 again, but (1 − p)(1 + p) "
            "is less.",
        ),
    ),
    hints=(
        "A uniform number between 0 and 1 is at least p with which probability? And what makes up for those "
        "that fell?",
        "In use: back as it is. In training: a mask of the shape of `a`, uniform numbers compared with p; "
        "times the "
        "activations, divided by the probability to stay.",
    ),
    alternatives=(
        "def dropout(a, p, training, generator):\n"
        "    if training:\n"
        "        mask = torch.empty(a.shape).bernoulli_(1 - p, generator=generator)\n"
        "        return mask * a / (1 - p)\n"
        "    return a.clone()\n",
        "def dropout(a, p, training, generator):\n"
        "    if not training or p == 0:\n"
        "        return a\n"
        "    falls = torch.rand(a.shape, generator=generator) < p\n"
        "    return torch.where(falls, torch.zeros_like(a), a / (1 - p))\n",
        "def dropout(a, p, training, generator):\n"
        "    keep = torch.bernoulli(torch.full(a.shape, 1 - p), generator=generator)\n"
        "    return a * keep / (1 - p) if training else a\n",
    ),
)


# ------------------------------------------------------------------------------ 09.early_stopping


class EarlyStopping:
    """Keeps the best weights and says when to stop."""

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.best_loss, self.best_weights = float("inf"), None

    def update(self, loss: float, model: nn.Module) -> bool:
        if loss < self.best_loss:
            self.best_loss, self.waited = loss, 0
            self.best_weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience


def watched(EarlyStopping: type, losses: list[float], patience: int) -> dict[str, Any]:
    """Probe: a model whose weight is the number of the epoch is shown with each loss.

    Raises:
        NotAsAsked: if an attribute is missing or the answers are not True or False.
    """
    stopper = EarlyStopping(patience)
    other = EarlyStopping(patience)  # two of them must not share their memory
    for name in ("best_loss", "best_weights"):
        if not hasattr(stopper, name):
            raise NotAsAsked(f"A new object has no `{name}`. Give it one in `__init__`.")
    if not isinstance(stopper.best_loss, (int, float, Tensor)):
        raise NotAsAsked(f"At first `best_loss` should be infinite, not {kind_words(stopper.best_loss)}.")
    start = stopper.best_loss, stopper.best_weights is None
    model = nn.Linear(1, 2)
    answers = []
    for epoch, loss in enumerate(losses):
        with torch.no_grad():
            for p in model.parameters():
                p.fill_(float(epoch + 1))
        answer = stopper.update(loss, model)
        if answer is None:
            raise NotAsAsked("`update` returns nothing (None). It should return True or False.")
        answers.append("stop" if answer else "go on")
        if answer:
            break
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(-1.0)  # training goes on: a copy does not change
    weights = stopper.best_weights
    if isinstance(weights, dict) and all(isinstance(w, Tensor) for w in weights.values()):
        kept: Any = {name: w.unique().tolist() for name, w in weights.items()}
    else:
        kept = kind_words(weights)
    return {
        "at the start": start,
        "answers": answers,
        "best_loss": float(stopper.best_loss),
        "epoch of best_weights": kept,
        "another object's best_loss": float(other.best_loss),
    }


def early_stopping_cases(generator: torch.Generator) -> list[Case]:
    falling = sorted((torch.rand(6, generator=generator) + 0.1).tolist(), reverse=True)
    floor = falling[-1]
    # tenths, so that some losses are equal; a random start, so that the end of it is not known beforehand
    wild = [
        [n / 10 for n in torch.randint(20, 30, (length,), generator=generator).tolist()] for length in (7, 9)
    ]
    start = (torch.rand(whole_number(generator, 0, 4), generator=generator) + 5).tolist()
    start.sort(reverse=True)
    return [
        Case("values", ([1.0, 0.7, 0.6, 0.65, 0.55, 0.58, 0.60], 2), "the example of the statement"),
        Case("values", ([1.0, 0.7, 0.6, 0.65, 0.55, 0.58, 0.60], 1), "the same losses, patience 1"),
        Case("values", (falling, 2), "always better: never stop"),
        Case(
            "values",
            ([*falling, floor + 0.1, floor + 0.2, floor + 0.3, floor + 0.4], 3),
            "it rises at the end",
        ),
        Case(
            "values", ([5.0, 6.0, 4.0, 6.0, 3.0, 6.0, 2.0, 6.0, 6.5], 2), "up and down, but always a new best"
        ),
        Case("values", ([3.0, 5.0, 4.0, 3.5, 3.2], 4), "falling again, but not below the best"),
        Case("values", (wild[0], 2), "up and down as it comes"),
        Case("values", ([*start, *wild[1]], 3), "up and down, after a while of falling"),
        Case("edge cases", ([*start, 0.5, 0.5, 0.5, 0.5], 3), "level: equal is not better"),
        Case("edge cases", ([2.0, 1.0, 1.0, 0.9, 0.9, 0.9], 2), "level in between"),
        Case("edge cases", ([-1.0, -2.0, -1.5], 1), "negative losses"),
        Case("edge cases", ([1.0, 0.9999, 0.9998, 0.9997], 1), "a little better is better"),
    ]


_STOPPING = (
    "class EarlyStopping:\n"
    "    def __init__(self, patience):\n"
    "        self.patience, self.waited = patience, 0\n"
    "        self.best_loss, self.best_weights = float('inf'), None\n"
    "\n"
    "    def update(self, loss, model):\n"
    "        if loss < self.best_loss:\n"
    "            self.best_loss, self.waited = loss, 0\n"
    "            self.best_weights = copy.deepcopy(model.state_dict())\n"
    "        else:\n"
    "            self.waited += 1\n"
    "        return self.waited >= self.patience\n"
)
_COPY = "copy.deepcopy(model.state_dict())"

EARLY_STOPPING = Exercise(
    id="09.early_stopping",
    name="EarlyStopping",
    title="Stop in time",
    difficulty=3,
    points=5,
    minutes=15,
    cases=early_stopping_cases,
    reference=EarlyStopping,
    probe=watched,
    input_names=("losses", "patience"),
    result="an object that keeps the best weights and says when to stop",
    given={"nn": nn, "copy": copy},
    misconceptions=(
        Misconception(
            "patience off by one",
            changed(_STOPPING, ("self.waited >= self.patience", "self.waited > self.patience")),
            "You stop one epoch too late: with patience 2 only the third epoch without anything better ends "
            "it.",
        ),
        Misconception(
            "stops too early",
            changed(_STOPPING, ("self.waited >= self.patience", "self.waited >= self.patience - 1")),
            "You stop one epoch too early. With patience 2 two epochs without anything better are needed.",
        ),
        Misconception(
            "keeps the last weights, not the best",
            changed(
                _STOPPING,
                (f"            self.best_weights = {_COPY}\n", ""),
                ("        return", f"        self.best_weights = {_COPY}\n        return"),
            ),
            "You keep the weights of every epoch, so at the end you hold the last ones. Keep them only when "
            "the loss is "
            "the best so far.",
        ),
        Misconception(
            "treats equal as better",
            changed(_STOPPING, ("loss < self", "loss <= self")),
            "You take an equal loss for a better one. A loss that stays level would never run out of "
            "patience.",
        ),
        Misconception(
            "no copy",
            changed(_STOPPING, (_COPY, "model.state_dict()")),
            "`state_dict()` hands out the model's own tensors. The next step changes them, and with them "
            "what you "
            "remember, also in a copy of the dict that holds the same tensors. Copy the tensors.",
        ),
        Misconception(
            "waiting never set back",
            changed(_STOPPING, ("self.best_loss, self.waited = loss, 0", "self.best_loss = loss")),
            "You count all epochs without anything better since the beginning. A new best starts the "
            "counting anew.",
        ),
        Misconception(
            "compared with the epoch before",
            changed(
                _STOPPING,
                (
                    "        self.patience, self",
                    "        self.last = float('inf')\n        self.patience, self",
                ),
                (
                    "        if loss < self.best_loss:\n",
                    "        better, self.last = loss < self.last, loss\n        if better:\n",
                ),
                ("= loss, 0", "= min(loss, self.best_loss), 0"),
            ),
            "You compare with the epoch before. A loss that falls again after a rise is not yet better than "
            "the best.",
        ),
        Misconception(
            "best loss not kept",
            changed(_STOPPING, ("self.best_loss, self.waited = loss, 0", "self.waited = 0")),
            "`best_loss` stays infinite, so every loss counts as better.",
        ),
        Misconception(
            "always the newest loss",
            changed(
                _STOPPING,
                ("self.best_loss, self.waited = loss, 0", "self.waited = 0"),
                ("        return", "        self.best_loss = loss\n        return"),
            ),
            "You overwrite `best_loss` in every epoch, also by a worse one.",
        ),
        Misconception(
            "upwards",
            changed(_STOPPING, ("loss < self", "loss > self"), ("float('inf')", "-float('inf')")),
            "You take a higher loss for a better one. That would be right for an accuracy.",
        ),
        Misconception(
            "starts at 0",
            changed(_STOPPING, ("float('inf')", "0.0")),
            "You start with a best loss of 0, below which hardly any loss falls. Start with one that every "
            "loss beats.",
        ),
        Misconception(
            "starts at 1",
            changed(_STOPPING, ("float('inf')", "1.0")),
            "You start with a best loss of 1. If the first losses are larger, they count as waiting. Start "
            "with infinity.",
        ),
        Misconception(
            "the answer turned round",
            changed(_STOPPING, ("self.waited >= self.patience", "self.waited < self.patience")),
            "You return True as long as it should go on. True means: stop.",
        ),
        Misconception(
            "answer not returned",
            changed(
                _STOPPING,
                (
                    "        return self.waited >= self.patience\n",
                    "        self.stop = self.waited >= self.patience\n",
                ),
            ),
            "`update` has to return True or False after **every** epoch. Yours ends without a `return`, at "
            "least in some.",
        ),
        Misconception(
            "only the parameters' list",
            changed(_STOPPING, (_COPY, "[p.detach().clone() for p in model.parameters()]")),
            "You keep a list of parameters. Asked for is the state dict, which `load_state_dict` takes back, "
            "and which has "
            "buffers such as running statistics as well.",
        ),
        Misconception(
            "the model itself",
            changed(_STOPPING, (_COPY, "copy.deepcopy(model)")),
            "You keep a copy of the whole model. Asked for is its state dict.",
        ),
        Misconception(
            "weights never kept",
            changed(_STOPPING, (f"            self.best_weights = {_COPY}\n", "")),
            "You say when to stop, but keep no weights. Those of the best epoch are what it is all for.",
        ),
        Misconception(
            "patience of two",
            changed(
                _STOPPING, ("self.patience, self.waited = patience, 0", "self.patience, self.waited = 2, 0")
            ),
            "Your patience is always 2, whatever is handed over.",
        ),
        Misconception(
            "asks for a clear gain",
            changed(_STOPPING, ("loss < self.best_loss", "loss < self.best_loss - 0.01")),
            "You ask for a clear gain. Many loops do; here any loss that is lower than all before is better.",
        ),
        Misconception(
            "counts all epochs",
            changed(
                _STOPPING,
                (
                    "        if loss < self.best_loss:\n            self.best_loss, self.waited = loss, 0\n",
                    "        self.waited += 1\n"
                    "        if loss < self.best_loss:\n"
                    "            self.best_loss = loss\n",
                ),
                ("        else:\n            self.waited += 1\n", ""),
            ),
            "You count every epoch, the better ones too. Only epochs without anything better count, and a "
            "new best sets the count to 0.",
        ),
        Misconception(
            "stops at any rise",
            changed(_STOPPING, ("self.waited >= self.patience", "self.waited > 0")),
            "You stop at the first epoch without anything better. That is patience 1; wait as long as "
            "`patience` says.",
        ),
        Misconception(
            "keeps the weights when it stops",
            changed(
                _STOPPING,
                (f"            self.best_weights = {_COPY}\n", ""),
                (
                    "        return",
                    "        if self.waited >= self.patience:\n"
                    f"            self.best_weights = {_COPY}\n"
                    "        return",
                ),
            ),
            "You keep the weights at the moment of stopping. By then the best ones are gone: keep a copy "
            "whenever the loss is the best so far.",
        ),
        Misconception(
            "equal does not count",
            changed(_STOPPING, ("        else:\n", "        elif loss > self.best_loss:\n")),
            "An equal loss does not count as waiting with you, so a level loss never runs out of patience. "
            "Whatever is not better is waiting.",
        ),
    ),
    hints=(
        "Three things have to be remembered from one epoch to the next. What happens to each when a loss is "
        "better, and "
        "what when it is not?",
        "Better than the best: remember the loss, a copy of the state dict, and set the waiting to 0. "
        "Otherwise wait one "
        "more. Return whether you have waited long enough.",
    ),
    alternatives=(
        "class EarlyStopping:\n"
        "    def __init__(self, patience):\n"
        "        self.patience = patience\n"
        "        self.history = []\n"
        "        self.best_loss, self.best_weights = math.inf, None\n"
        "\n"
        "    def update(self, loss, model):\n"
        "        self.history.append(loss)\n"
        "        best = self.history.index(min(self.history))\n"
        "        if best == len(self.history) - 1:\n"
        "            self.best_loss = loss\n"
        "            self.best_weights = {k: v.clone() for k, v in model.state_dict().items()}\n"
        "        return len(self.history) - 1 - best >= self.patience\n",
        "class EarlyStopping:\n"
        "    best_weights = None\n"
        "    best_loss = float('inf')\n"
        "\n"
        "    def __init__(self, patience):\n"
        "        self.left = self.patience = patience\n"
        "\n"
        "    def update(self, loss, model):\n"
        "        self.left -= 1\n"
        "        if self.best_loss > loss:\n"
        "            self.left = self.patience\n"
        "            self.best_loss = loss\n"
        "            self.best_weights = {k: v.detach().clone() for k, v in model.state_dict().items()}\n"
        "        return self.left == 0\n",
    ),
)


# -------------------------------------------------------------------------------- 09.random_shift


def random_shift(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Every picture moved by up to `most` pixels of its own, zeros come in."""
    B, H, W = images.shape
    padded = F.pad(images, (most, most, most, most))
    moved = torch.zeros_like(images)
    for i in range(B):
        top, left = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
        moved[i] = padded[i, top : top + H, left : left + W]
    return moved


def shifted(work: Callable, B: int, H: int, W: int, most: int, seed: int) -> dict[str, Any]:
    """Probe: where the pictures have gone. Every picture is the same one, of numbers that are all different.

    Raises:
        NotAsAsked: if no tensor of the same shape comes back.
    """
    picture = torch.arange(1.0, H * W + 1).view(H, W)
    images = picture.repeat(B, 1, 1)
    out = work(images, most, torch.Generator().manual_seed(seed))
    few = picture.repeat(min(B, 20), 1, 1)  # enough to see whether two draws are the same
    generator = torch.Generator().manual_seed(seed)
    first, second = work(few, most, generator), work(few, most, generator)
    again = work(few, most, torch.Generator().manual_seed(seed))
    for result in (out, first, second, again):
        if result is None:
            raise NotAsAsked("Your function returns nothing (None). It should return the moved images.")
        wanted = images.shape if result is out else few.shape
        if not isinstance(result, Tensor) or result.shape != wanted:
            given = f"shape {tuple(result.shape)}" if isinstance(result, Tensor) else kind_words(result)
            raise NotAsAsked(f"The result should have the shape of the images, {tuple(wanted)}, not {given}.")
    found = _where(picture, out, most + 2)
    places = [place for place in found if place is not None]
    others = [moved for moved, place in zip(out, found, strict=True) if place is None]
    strange = {_what_instead(picture, moved, most) for moved in others[:5]}  # the first ones tell enough
    seen = set(places)
    downs, rights = sorted({d for d, _ in seen}), sorted({r for _, r in seen})
    return {
        "what else came than a moved picture with zeros": sorted(strange),
        "moved down by": downs,
        "moved right by": rights,
        "places seen": len(seen),
        "at rest as often as anywhere else": _evenly(places, B, most),
        "the input is as it was": torch.equal(images, picture.repeat(B, 1, 1)),
        "the same with the same generator": torch.equal(first, again),
        "the same at the next call": torch.equal(first, second) and most > 0,
    }


def _evenly(places: list[tuple[int, int]], B: int, most: int) -> bool:
    """Whether a third stays in its rows, and in its columns: asked of 600 pictures, where 150 to 250 pass."""
    if B < 600 or most != 1:
        return True
    return all(0.75 < 3 * sum(place[axis] == 0 for place in places) / B < 1.25 for axis in (0, 1))


def _where(picture: Tensor, images: Tensor, most: int) -> list[tuple[int, int] | None]:
    """By how much the picture was moved down and right in each image, or None where it is no move of it."""
    H, W = picture.shape
    windows = F.pad(picture, (most,) * 4).unfold(0, H, 1).unfold(1, W, 1).reshape(-1, H * W)  # all places
    same = (images.flatten(1)[:, None] == windows).all(dim=2) & images.flatten(1).any(dim=1)[:, None]
    number = same.float().argmax(dim=1).tolist()
    moved = same.any(dim=1).tolist()
    side = 2 * most + 1
    return [
        (most - k // side, most - k % side) if there else None for k, there in zip(number, moved, strict=True)
    ]


def _what_instead(picture: Tensor, moved: Tensor, most: int) -> str:
    """What an image is that is no moved picture with zeros."""
    H, W = picture.shape
    borders = {
        "a picture turned round": F.pad(picture[None], (most,) * 4, mode="circular")[0],
        "the edge, repeated": F.pad(picture[None], (most,) * 4, mode="replicate")[0],
        "ones come in": F.pad(picture, (most,) * 4, value=1.0),
    }
    for words, padded in borders.items():
        windows = padded.unfold(0, H, 1).unfold(1, W, 1).reshape(-1, H, W)
        if (windows == moved).all(dim=(1, 2)).any():
            return words
    return "an empty image" if not moved.any() else "something else"


def random_shift_cases(generator: torch.Generator) -> list[Case]:
    """So many pictures that all places are seen: the chance that one of 25 is missing in 500 is 10^-8."""
    seed = whole_number(generator, 0, 10_000)
    H, W = whole_number(generator, 4, 6), whole_number(generator, 7, 9)
    return [  # small ones first: to recognise a mistake every known one is tried up to the first difference
        Case("edge cases", (3, 4, 5, 0, seed + 3), "by no pixel at all"),
        Case("values", (200, W, H, 1, seed + 2), "pictures higher than wide"),
        Case("values", (600, 4, 4, 1, seed), "one pixel, 600 copies of a picture"),
        Case("values", (500, H, W, 2, seed + 1), "two pixels, pictures wider than high"),
    ]


_SHIFT = (
    "def random_shift(images, most, generator):\n"
    "    B, H, W = images.shape\n"
    "    padded = F.pad(images, (most, most, most, most))\n"
    "    moved = torch.zeros_like(images)\n"
    "    for i in range(B):\n"
    "        top, left = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()\n"
    "        moved[i] = padded[i, top:top + H, left:left + W]\n"
    "    return moved\n"
)
_DRAW = "torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()"
_LOOP = (
    "    moved = torch.zeros_like(images)\n"
    "    for i in range(B):\n"
    f"        top, left = {_DRAW}\n"
    "        moved[i] = padded[i, top:top + H, left:left + W]\n"
    "    return moved\n"
)

RANDOM_SHIFT = Exercise(
    id="09.random_shift",
    name="random_shift",
    title="New pictures from old ones",
    difficulty=3,
    points=5,
    minutes=15,
    cases=random_shift_cases,
    reference=random_shift,
    probe=shifted,
    input_names=("B", "H", "W", "most", "seed"),
    result="a tensor of shape (B, H, W)",
    given={"F": F, "nn": nn},
    misconceptions=(
        Misconception(
            "wraps round",
            changed(
                _SHIFT,
                ("    padded = F.pad(images, (most, most, most, most))\n", ""),
                (
                    "moved[i] = padded[i, top:top + H, left:left + W]",
                    "moved[i] = torch.roll(images[i], (top - most, left - most), (0, 1))",
                ),
            ),
            "`roll` turns the picture round: what leaves on one side comes in on the other. Zeros should "
            "come in.",
        ),
        Misconception(
            "same shift for the batch",
            changed(
                _SHIFT,
                (
                    _LOOP,
                    f"    top, left = {_DRAW}\n    return padded[:, top:top + H, left:left + W].clone()\n",
                ),
            ),
            "All pictures of the batch move together. Each one should draw its own shift.",
        ),
        Misconception(
            "the largest shift is missing",
            changed(_SHIFT, ("0, 2 * most + 1, (2,)", "0, max(2 * most, 1), (2,)")),
            "`randint` leaves its upper end out, so the largest shift to one side never comes.",
        ),
        Misconception(
            "only one direction",
            changed(_SHIFT, ("0, 2 * most + 1, (2,)", "0, most + 1, (2,)")),
            "Your pictures move in one direction only, down and to the right. With 2 · most + 1 places they "
            "go both ways.",
        ),
        Misconception(
            "the same number for both",
            changed(_SHIFT, (_DRAW, "[torch.randint(0, 2 * most + 1, (), generator=generator).item()] * 2")),
            "You draw one number and use it for both directions, so pictures move along a diagonal only.",
        ),
        Misconception(
            "only up and down",
            changed(_SHIFT, ("left:left + W]", "most:most + W]")),
            "Your pictures move up and down only. To the left and right they should move as well.",
        ),
        Misconception(
            "only left and right",
            changed(_SHIFT, ("top:top + H,", "most:most + H,")),
            "Your pictures move to the left and right only. Up and down they should move as well.",
        ),
        Misconception(
            "height and width mixed up",
            changed(_SHIFT, ("B, H, W = images.shape", "B, W, H = images.shape")),
            "Height and width are mixed up: the shape is (B, H, W), rows first. With square pictures nobody "
            "would notice.",
        ),
        Misconception(
            "always at the edge",
            changed(_SHIFT, (_DRAW, "(2 * most * torch.randint(0, 2, (2,), generator=generator)).tolist()")),
            "Your pictures always move by the largest amount. Everything in between, and standing still, "
            "should come as "
            "well.",
        ),
        Misconception(
            "never standing still",
            changed(
                _SHIFT, (_DRAW, f"{_DRAW}\n        if top == left == most:\n            top += min(most, 1)")
            ),
            "Your pictures are never left where they are. That is one of the places, as likely as the "
            "others.",
        ),
        Misconception(
            "the edge repeated",
            changed(
                _SHIFT,
                (
                    "F.pad(images, (most, most, most, most))",
                    "F.pad(images[None], (most, most, most, most), mode='replicate')[0]",
                ),
            ),
            "You repeat the pixels at the edge (`replicate`). Zeros should come in.",
        ),
        Misconception(
            "ones come in",
            changed(
                _SHIFT,
                (
                    "F.pad(images, (most, most, most, most))",
                    "F.pad(images, (most, most, most, most), value=1.0)",
                ),
            ),
            "Ones come in where zeros should.",
        ),
        Misconception(
            "twice as far",
            changed(
                _SHIFT,
                ("F.pad(images, (most, most, most, most))", "F.pad(images, (2 * most,) * 4)"),
                ("0, 2 * most + 1, (2,)", "0, 4 * most + 1, (2,)"),
            ),
            "Your pictures move by up to twice `most`.",
        ),
        Misconception(
            "generator not used",
            changed(_SHIFT, (", generator=generator", "")),
            "You draw from torch's global generator. Hand the generator on, or nobody can draw the same "
            "shifts again.",
        ),
        Misconception(
            "generator set back",
            changed(
                _SHIFT, ("    B, H, W", "    generator.manual_seed(generator.initial_seed())\n    B, H, W")
            ),
            "You set the generator back at each call, so every epoch sees the same shifts. Then there are no "
            "new pictures.",
        ),
        Misconception(
            "border kept",
            changed(_SHIFT, (_LOOP, "    return padded\n")),
            "You put the border around the pictures and leave it there, so they are larger than before. Cut "
            "a window of "
            "the old size out.",
        ),
        Misconception(
            "in the pictures themselves",
            changed(_SHIFT, ("torch.zeros_like(images)", "images")),
            "You write the moved pictures over the old ones: after a few epochs they have wandered off. Make "
            "new ones.",
        ),
        Misconception(
            "every pixel its own shift",
            changed(
                _SHIFT,
                (
                    _LOOP,
                    "    return images.flatten(1)[:, torch.randperm(H * W, generator=generator)].view(B, H, "
                    "W)\n",
                ),
            ),
            "You shuffle the pixels. The picture should move as a whole.",
        ),
        Misconception(
            "only the first picture",
            changed(_SHIFT, ("    return moved\n", "        return moved\n")),
            "Your `return` stands inside the loop, so only the first picture is moved, and the others are "
            "empty.",
        ),
        Misconception(
            "rounded numbers",
            changed(
                _SHIFT, (_DRAW, "(2 * most * torch.rand(2, generator=generator)).round().int().tolist()")
            ),
            "You round numbers from 0 to 2 · most. Only half a unit of them is rounded to each end, so the "
            "largest shifts come half as often as the others. `randint` draws whole numbers evenly.",
        ),
        Misconception(
            "one direction at a time",
            changed(
                _SHIFT,
                (
                    "        moved[i]",
                    "        if torch.rand((), generator=generator) < 0.5:\n"
                    "            top = most\n"
                    "        else:\n"
                    "            left = most\n"
                    "        moved[i]",
                ),
            ),
            "Your pictures move either up and down or to the left and right. Both at once should come as "
            "well.",
        ),
        Misconception(
            "never more than one pixel",
            changed(
                _SHIFT,
                (
                    _DRAW,
                    "(most + torch.randint(-1, 2, (2,), generator=generator)).clamp(0, 2 * most).tolist()",
                ),
            ),
            "Your pictures never move by more than one pixel. `most` says how far.",
        ),
        Misconception(
            "cut, not moved",
            changed(
                _SHIFT,
                (
                    "moved[i] = padded[i, top:top + H, left:left + W]",
                    "moved[i] = images[i]\n"
                    "        moved[i, :max(top - most, 0)] = 0\n"
                    "        moved[i, :, :max(left - most, 0)] = 0",
                ),
            ),
            "You make rows or columns at the edge zero, but what is left stands where it was. The picture "
            "itself has to move.",
        ),
    ),
    hints=(
        "A window of the old size, laid over the picture with a border of zeros: how many places does it "
        "have?",
        "Put the border around all pictures. For each picture draw a row and a column between 0 and 2 · "
        "most, both "
        "included, and cut the window out that begins there.",
    ),
    alternatives=(
        "def random_shift(images, most, generator):\n"
        "    B, H, W = images.shape\n"
        "    padded = F.pad(images, (most,) * 4)\n"
        "    top, left = torch.randint(0, 2 * most + 1, (2, B), generator=generator)\n"
        "    rows = top[:, None] + torch.arange(H)\n"
        "    columns = left[:, None] + torch.arange(W)\n"
        "    return padded[torch.arange(B)[:, None, None], rows[:, :, None], columns[:, None, :]]\n",
        "def random_shift(images, most, generator):\n"
        "    B, H, W = images.shape\n"
        "    result = torch.zeros_like(images)\n"
        "    for i, image in enumerate(images):\n"
        "        d, r = (torch.randint(-most, most + 1, (), generator=generator).item() for _ in range(2))\n"
        "        result[i, max(d, 0):H + min(d, 0), max(r, 0):W + min(r, 0)] = (\n"
        "            image[max(-d, 0):H + min(-d, 0), max(-r, 0):W + min(-r, 0)]\n"
        "        )\n"
        "    return result\n",
    ),
)


# ------------------------------------------------------------------------------------ 09.ensemble


def ensemble(models: Sequence[nn.Module], X: Tensor) -> Tensor:
    """The mean of the models' probabilities."""
    return torch.stack([model(X).softmax(dim=1) for model in models]).mean(dim=0)


def together(work: Callable, weights: list[Tensor], X: Tensor) -> Any:
    """Probe: what several linear classifiers without bias say together."""
    models = []
    for W in weights:
        layer = nn.Linear(W.shape[1], W.shape[0], bias=False)
        with torch.no_grad():
            layer.weight.copy_(W)
        models.append(nn.Sequential(nn.Flatten(), layer))
    result = work(models, X)
    return result.detach() if isinstance(result, Tensor) else result


def ensemble_cases(generator: torch.Generator) -> list[Case]:
    n, k, B = whole_number(generator, 3, 4), whole_number(generator, 3, 5), whole_number(generator, 5, 7)

    def case(group: str, models: int, X: Tensor, note: str, scale: float = 1.0) -> Case:
        features = X[0].numel()
        return Case(group, ([normal(generator, k, features, scale=scale) for _ in range(models)], X), note)

    two = [torch.tensor([[0.9], [0.1]]).log(), torch.tensor([[0.4], [0.6]]).log()]
    loud = [torch.tensor([[9.0], [0.0]]), torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]])]
    return [
        Case("values", (two, torch.ones(1, 1)), "the example of the statement"),
        case("values", 3, normal(generator, B, n), "three models"),
        case("values", k, normal(generator, k, n), "as many models and examples as classes"),
        Case("values", (loud, torch.ones(2, 1)), "one that is sure against two that waver"),
        case("shapes", 5, normal(generator, 1, n), "a batch of one"),
        case("shapes", 2, normal(generator, 3, 2, 2), "pictures"),
        case("edge cases", 1, normal(generator, B, n), "a single model"),
        case("edge cases", 2, normal(generator, B, n), "large logits", scale=300.0),
    ]


_ENSEMBLE = (
    "def ensemble(models, X):\n"
    "    p = torch.stack([model(X).softmax(dim=1) for model in models])\n"
    "    return p.mean(dim=0)\n"
)
_SOFTMAX = "model(X).softmax(dim=1)"

ENSEMBLE = Exercise(
    id="09.ensemble",
    name="ensemble",
    title="Several heads",
    difficulty=1,
    points=2,
    minutes=5,
    cases=ensemble_cases,
    reference=ensemble,
    probe=together,
    input_names=("weights of the models", "X"),
    result="a tensor of shape (B, k)",
    rtol=1e-4,
    atol=1e-6,
    given={"F": F, "nn": nn},
    misconceptions=(
        Misconception(
            "mean of the logits",
            changed(_ENSEMBLE, (_SOFTMAX, "model(X)"), ("p.mean(dim=0)", "p.mean(dim=0).softmax(dim=1)")),
            "You take the mean of the logits and the softmax of that. Then the loudest model counts most. "
            "The mean of the "
            "probabilities is asked for.",
        ),
        Misconception(
            "logits for probabilities",
            changed(_ENSEMBLE, (_SOFTMAX, "model(X)")),
            "You take the mean of logits, and they stay logits. Make probabilities of them first.",
        ),
        Misconception(
            "sum for mean",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.sum(dim=0)")),
            "You add the probabilities up, so each row adds up to the number of models. Take the mean.",
        ),
        Misconception(
            "votes",
            changed(_ENSEMBLE, (_SOFTMAX, "F.one_hot(model(X).argmax(dim=1), model(X).shape[1]).float()")),
            "You count votes. A model that is sure then counts as much as one that wavers. The mean of the "
            "probabilities "
            "is asked for.",
        ),
        Misconception(
            "the winning class",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.mean(dim=0).argmax(dim=1)")),
            "You return the class that wins. The probabilities are asked for.",
        ),
        Misconception(
            "over the classes",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.mean(dim=2).T")),
            "You take the mean over the classes, which is always 1/k. It goes over the models.",
        ),
        Misconception(
            "over the batch",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.mean(dim=1)")),
            "You take the mean over the examples. It goes over the models, the axis that `stack` puts in "
            "front.",
        ),
        Misconception(
            "softmax down the batch",
            changed(_ENSEMBLE, ("softmax(dim=1)", "softmax(dim=0)")),
            "Your softmax goes down the batch, so that the examples share one whole. Each example's classes "
            "should.",
        ),
        Misconception(
            "product",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.prod(dim=0)")),
            "You multiply the probabilities. One model that is wrong and sure then decides alone. Take the "
            "mean.",
        ),
        Misconception(
            "the surest model",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.amax(dim=0)")),
            "You take the largest probability that any model gives. The mean of all is asked for.",
        ),
        Misconception(
            "the median",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.median(dim=0).values")),
            "You take the median of the models. The mean is asked for.",
        ),
        Misconception(
            "softmax twice",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.mean(dim=0).softmax(dim=1)")),
            "You take a softmax of what are probabilities already; it makes them nearly equal.",
        ),
        Misconception(
            "sigmoid for softmax",
            changed(_ENSEMBLE, (_SOFTMAX, "model(X).sigmoid()")),
            "The sigmoid judges each class by itself, so a row does not add up to 1. Several classes need "
            "the softmax.",
        ),
        Misconception(
            "only the last model",
            "def ensemble(models, X):\n"
            "    for model in models:\n"
            "        p = model(X).softmax(dim=1)\n"
            "    return p\n",
            "Only the last model is left: you overwrite where you should collect.",
        ),
        Misconception(
            "only the first model",
            changed(_ENSEMBLE, ("return p.mean(dim=0)", "return p[0]")),
            "You return the first model's probabilities.",
        ),
        Misconception(
            "one after the other",
            changed(_ENSEMBLE, ("torch.stack", "torch.cat"), ("return p.mean(dim=0)", "return p")),
            "You put the models' answers one below the other. Give them an axis of their own, and take the "
            "mean along it.",
        ),
        Misconception(
            "cat for stack",
            changed(_ENSEMBLE, ("torch.stack", "torch.cat")),
            "`cat` puts the models' rows one below the other, so your mean goes over models **and** "
            "examples. `stack` gives "
            "the models an axis of their own.",
        ),
        Misconception(
            "mean of the logarithms",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.log().mean(dim=0).exp()")),
            "You take the mean of the logarithms (a geometric mean). Its rows add up to less than 1, and "
            "one model that says 0 decides alone. Take the mean of the probabilities.",
        ),
        Misconception(
            "mean of the logarithms, left there",
            changed(_ENSEMBLE, ("softmax(dim=1)", "log_softmax(dim=1)")),
            "You return the mean of log-probabilities. Probabilities are asked for.",
        ),
        Misconception(
            "always halved",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.sum(dim=0) / 2")),
            "You divide by 2. That is right for two models only: divide by how many there are.",
        ),
        Misconception(
            "divided by the classes",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.sum(dim=0) / p.shape[2]")),
            "You divide the sum by the number of classes. It is the number of models.",
        ),
        Misconception(
            "divided by the examples",
            changed(_ENSEMBLE, ("p.mean(dim=0)", "p.sum(dim=0) / len(X)")),
            "You divide the sum by the number of examples. It is the number of models.",
        ),
        Misconception(
            "mean of two, again and again",
            "def ensemble(models, X):\n"
            "    p = models[0](X).softmax(dim=1)\n"
            "    for model in models[1:]:\n"
            "        p = (p + model(X).softmax(dim=1)) / 2\n"
            "    return p\n",
            "You take the mean of what you have and the next model, again and again. So the last model "
            "counts half and the first ones hardly at all. Add all up, divide once.",
        ),
        Misconception(
            "softmax over the whole batch",
            changed(_ENSEMBLE, (_SOFTMAX, "model(X).flatten().softmax(dim=0).view(len(X), -1)")),
            "Your probabilities add up to 1 over all examples together. Each example's classes should: "
            "softmax along axis 1.",
        ),
        Misconception(
            "all models, no mean",
            changed(_ENSEMBLE, ("return p.mean(dim=0)", "return p")),
            "You return the probabilities of all models. The mean along the models is missing.",
        ),
        Misconception(
            "exponentials by hand",
            changed(_ENSEMBLE, (_SOFTMAX, "model(X).exp() / model(X).exp().sum(dim=1, keepdim=True)")),
            "The formula is right, but `exp` of a large logit overflows, and inf/inf is NaN (lesson 05). "
            "torch's softmax takes care of that.",
        ),
    ),
    hints=(
        "What does each model have to hand over before the mean is taken: logits, probabilities, or a class?",
        "Softmax of each model's logits along the classes, stacked, then the mean along the models.",
    ),
    alternatives=(
        "def ensemble(models, X):\n"
        "    total = 0\n"
        "    for model in models:\n"
        "        total = total + torch.softmax(model(X), dim=-1)\n"
        "    return total / len(models)\n",
        "def ensemble(models, X):\n"
        "    with torch.no_grad():\n"
        "        return sum(F.softmax(m(X), 1) for m in models) / len(models)\n",
        "def ensemble(models, X):\n"
        "    log_p = torch.stack([F.log_softmax(m(X), dim=1) for m in models], dim=1)\n"
        "    return log_p.exp().mean(dim=1)\n",
    ),
)

EXERCISES = (SPLIT, L2_PENALTY, L1_PENALTY, DROPOUT, EARLY_STOPPING, RANDOM_SHIFT, ENSEMBLE)
