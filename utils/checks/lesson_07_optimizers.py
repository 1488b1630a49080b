"""The exercises of lesson 07 as data: batches, optimizers with their memory, schedules, clipping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .common import normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked
from .values import kind_words

# ---------------------------------------------------------------------------------- 07.minibatches


def minibatches(
    X: Tensor, y: Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """All examples once, in a new random order, in batches."""
    order = torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        batch = order[start : start + batch_size]
        yield X[batch], y[batch]


def two_epochs(work: Callable, n: int, batch_size: int, seed: int) -> dict[str, Any]:
    """Probe: what two epochs over n numbered examples look like. Any random order is right.

    Example i has the inputs (i, −i) and the target i, so that each can be known again.

    Raises:
        NotAsAsked: if what comes is no sequence of pairs of tensors.
    """
    number = torch.arange(n)
    X = torch.stack([number, -number], dim=1).float()
    generator = torch.Generator().manual_seed(seed)
    epochs = [_targets(work(X, number, batch_size, generator)) for _ in range(2)]
    again = _targets(work(X, number, batch_size, torch.Generator().manual_seed(seed)))
    (sizes, order, together), (_, next_order, _) = epochs[0], epochs[1]
    return {
        "sizes of the batches": sizes,
        "inputs and targets belong together": together,
        "examples, sorted": sorted(order),
        "in the order of the data": order == sorted(order) and n > 1,
        "the same order in the next epoch": order == next_order and n > 1,
        "the same order with the same generator": order == again[1],
    }


def _targets(batches: Any) -> tuple[list[int], list[int], bool]:
    """Sizes of the batches, all targets in their order, and whether each input lies beside its target."""
    if batches is None:
        raise NotAsAsked("Your function returns nothing (None). It should yield, or return, all batches.")
    if not isinstance(batches, Iterable) or isinstance(batches, Tensor):
        raise NotAsAsked(
            f"Your function should give batches one after the other, not {type(batches).__name__}."
        )
    sizes, order, together = [], [], True
    for number, batch in enumerate(batches):
        pair = isinstance(batch, (tuple, list)) and len(batch) == 2
        if not pair or not all(isinstance(part, Tensor) for part in batch):
            raise NotAsAsked(
                "Each batch should be a pair (X, y) of tensors, the inputs and the targets, but batch "
                f"{number} is {_form(batch)}."
            )
        inputs, targets = batch
        if inputs.dim() != 2 or inputs.shape[1] != 2 or targets.dim() != 1 or len(inputs) != len(targets):
            raise NotAsAsked(
                f"A batch should have X of shape (B, features) and y of shape (B,), but one has "
                f"{tuple(inputs.shape)} and {tuple(targets.shape)}."
            )
        sizes.append(len(targets))
        order += targets.tolist()
        together = together and torch.equal(inputs[:, 0], targets.float())
    return sizes, order, together


def _form(batch: Any) -> str:
    """What came in place of a pair, in words."""
    if isinstance(batch, Tensor):
        return f"a single tensor of shape {tuple(batch.shape)}"
    if isinstance(batch, (tuple, list)):
        return f"{kind_words(batch)} of {len(batch)} values"
    return kind_words(batch)


def minibatches_cases(generator: torch.Generator) -> list[Case]:
    """At least 12 examples wherever the order matters: that chance keeps it is one in 10^8."""
    n, B = whole_number(generator, 20, 30), whole_number(generator, 3, 6)
    seed = whole_number(generator, 0, 10_000)
    return [
        Case("values", (12, 4, seed), "12 examples, 4 in a batch: it comes out even"),
        Case("values", (n * B + 1, B, seed + 1), "one example is left over"),
        Case("shapes", (13, 1, seed + 2), "a single example in a batch"),
        Case("shapes", (14, 14, seed + 3), "everything in one batch"),
        Case("edge cases", (15, 100, seed + 4), "fewer examples than a batch holds"),
    ]


def _batches(order: str, loop: str) -> str:
    return f"def minibatches(X, y, batch_size, generator):\n{order}{loop}"


_ORDER = "    order = torch.randperm(len(X), generator=generator)\n"
_LOOP = (
    "    for i in range(0, len(X), batch_size):\n"
    "        yield X[order[i:i + batch_size]], y[order[i:i + batch_size]]\n"
)

MINIBATCHES = Exercise(
    id="07.minibatches",
    name="minibatches",
    title="Every example once, in a new order",
    difficulty=2,
    points=3,
    minutes=10,
    cases=minibatches_cases,
    reference=minibatches,
    probe=two_epochs,
    input_names=("n", "batch_size", "seed"),
    result="batches, one after the other, each a pair (X, y)",
    misconceptions=(
        Misconception(
            "drops the tail",
            _batches(
                _ORDER,
                "    for k in range(len(X) // batch_size):\n"
                "        batch = order[k * batch_size:(k + 1) * batch_size]\n"
                "        yield X[batch], y[batch]\n",
            ),
            "You make as many whole batches as fit and leave the rest out. Those examples are missing in "
            "this epoch. The last batch may be smaller.",
        ),
        Misconception(
            "the same order each epoch",
            _batches(
                "    generator.manual_seed(0)\n" + _ORDER,
                _LOOP,
            ),
            "Your order is the same in every epoch, as you set the generator back at each call (or make a "
            "new one). Leave it alone: it goes on from where it stands, and gives another order each time.",
        ),
        Misconception(
            "x and y shuffled apart",
            _batches(
                "    X = X[torch.randperm(len(X), generator=generator)]\n"
                "    y = y[torch.randperm(len(y), generator=generator)]\n",
                "    for i in range(0, len(X), batch_size):\n"
                "        yield X[i:i + batch_size], y[i:i + batch_size]\n",
            ),
            "You draw one order for the inputs and another for the targets, so that no input lies beside its "
            "own target any more. Draw one and use it for both.",
        ),
        Misconception(
            "only the inputs are shuffled",
            _batches(
                "    X = X[torch.randperm(len(X), generator=generator)]\n",
                "    for i in range(0, len(X), batch_size):\n"
                "        yield X[i:i + batch_size], y[i:i + batch_size]\n",
            ),
            "You shuffle the inputs and leave the targets in their old order: no input lies beside its own "
            "target any more.",
        ),
        Misconception(
            "not shuffled",
            _batches(
                "",
                "    for i in range(0, len(X), batch_size):\n"
                "        yield X[i:i + batch_size], y[i:i + batch_size]\n",
            ),
            "The batches are right, but in the order of the data. If the data are sorted by class, each "
            "batch sees only one. Draw a random order first.",
        ),
        Misconception(
            "drawn with replacement",
            _batches(
                "",
                "    left = len(X)\n"
                "    while left > 0:\n"
                "        size = min(batch_size, left)\n"
                "        batch = torch.randint(0, len(X), (size,), generator=generator)\n"
                "        left -= size\n"
                "        yield X[batch], y[batch]\n",
            ),
            "You draw every batch from all examples anew. So some come twice in an epoch and some not at "
            "all.",
        ),
        Misconception(
            "generator not used",
            _batches("    order = torch.randperm(len(X))\n", _LOOP),
            "You draw the order from torch's global generator. Then nobody can repeat your run by handing "
            "over a seeded generator: pass it on to where the order is drawn.",
        ),
        Misconception(
            "only the first batch",
            _batches(
                _ORDER,
                "    batches = []\n"
                "    for i in range(0, len(X), batch_size):\n"
                "        batches.append((X[order[i:i + batch_size]], y[order[i:i + batch_size]]))\n"
                "        return batches\n",
            ),
            "Your `return` stands inside the loop, so it ends with the first batch.",
        ),
        Misconception(
            "last batch filled up",
            _batches(
                _ORDER,
                "    for i in range(0, len(X), batch_size):\n"
                "        batch = order[i:i + batch_size]\n"
                "        if len(batch) < batch_size:\n"
                "            batch = torch.cat([batch, order[:batch_size - len(batch)]])\n"
                "        yield X[batch], y[batch]\n",
            ),
            "You fill the last batch up with examples that were there already; they count twice in this "
            "epoch. It may be smaller than the others.",
        ),
        Misconception(
            "the first batch is skipped",
            _batches(
                _ORDER,
                "    for i in range(batch_size, len(X), batch_size):\n"
                "        yield X[order[i:i + batch_size]], y[order[i:i + batch_size]]\n",
            ),
            "Your loop starts at batch_size, so the first batch is left out. It begins at 0.",
        ),
        Misconception(
            "yields the places",
            _batches(
                _ORDER,
                "    for i in range(0, len(X), batch_size):\n        yield order[i:i + batch_size]\n",
            ),
            "You hand out where the examples stand, not the examples. Each batch is the pair of inputs and "
            "targets at these places.",
        ),
        Misconception(
            "one pair only",
            _batches(
                _ORDER,
                "    for i in range(0, len(X), batch_size):\n"
                "        return X[order[i:i + batch_size]], y[order[i:i + batch_size]]\n",
            ),
            "Your function hands out a single pair: with `return` it is over. `yield` goes on afterwards, or "
            "you collect all pairs in a list.",
        ),
        Misconception(
            "all inputs, then all targets",
            _batches(
                _ORDER,
                "    return X[order].split(batch_size), y[order].split(batch_size)\n",
            ),
            "You return all inputs and then all targets. Pairs are asked for, one for each batch: `zip` "
            "makes them of two lists.",
        ),
        Misconception(
            "drawn with replacement, in full batches",
            _batches(
                "",
                "    for i in range(0, len(X), batch_size):\n"
                "        batch = torch.randint(len(X), (batch_size,), generator=generator)\n"
                "        yield X[batch], y[batch]\n",
            ),
            "You draw every batch from all examples anew, and always a full one. So some come twice in an "
            "epoch and some not at all. Draw one order of all examples instead.",
        ),
        Misconception(
            "as many batches as a batch is long",
            _batches(
                _ORDER,
                "    for batch in order.chunk(batch_size):\n        yield X[batch], y[batch]\n",
            ),
            "You cut into batch_size pieces (`chunk` does that). Pieces of batch_size examples are asked "
            "for.",
        ),
        Misconception(
            "whole batches shuffled",
            _batches(
                "    batches = list(zip(X.split(batch_size), y.split(batch_size)))\n",
                "    return [batches[i] for i in torch.randperm(len(batches), generator=generator)]\n",
            ),
            "You shuffle whole batches, and in each the same neighbours sit together every time. Shuffle the "
            "examples, and cut them into batches then.",
        ),
        Misconception(
            "shuffled inside the batches",
            _batches(
                "    for x, t in zip(X.split(batch_size), y.split(batch_size)):\n",
                "        order = torch.randperm(len(x), generator=generator)\n"
                "        yield x[order], t[order]\n",
            ),
            "You shuffle inside each batch, so the same examples always share one. Shuffle all examples "
            "first, and cut them into batches then.",
        ),
        Misconception(
            "stops before the last batch",
            _batches(
                _ORDER + "    i = 0\n",
                "    while i + batch_size < len(X):\n"
                "        yield X[order[i:i + batch_size]], y[order[i:i + batch_size]]\n"
                "        i += batch_size\n",
            ),
            "Your loop ends before the last batch, even where that is a full one. Go on as long as a batch "
            "begins before the end of the data.",
        ),
        Misconception(
            "one example too far",
            _batches(
                _ORDER,
                "    for i in range(0, len(X), batch_size):\n"
                "        batch = order[i:i + batch_size + 1]\n"
                "        yield X[batch], y[batch]\n",
            ),
            "Your batches reach one example too far, so neighbouring batches share one. A slice i:j ends "
            "before j.",
        ),
    ),
    hints=(
        "Draw the order of all examples once, for inputs and targets together. Then cut it into pieces. What "
        "happens to the last piece?",
        "`torch.randperm` with the generator gives the order. Go through the starts 0, B, 2B, … below n; a "
        "slice of the order that reaches beyond the end is simply shorter. Index X and y with the same "
        "slice.",
    ),
    alternatives=(
        _batches(
            _ORDER,
            "    return [(X[part], y[part]) for part in order.split(batch_size)]\n",
        ),
        _batches(
            _ORDER + "    X, y = X[order], y[order]\n",
            "    for i in range(0, len(X), batch_size):\n"
            "        yield X[i:i + batch_size], y[i:i + batch_size]\n",
        ),
        _batches(
            "    data = torch.utils.data.TensorDataset(X, y)\n",
            "    loader = torch.utils.data.DataLoader(data, batch_size, shuffle=True, generator=generator)\n"
            "    for batch in loader:\n        yield tuple(batch)\n",
        ),
        _batches(
            "    order = torch.rand(len(X), generator=generator).argsort()\n",
            "    start, batches = 0, []\n"
            "    while start < len(X):\n"
            "        places = order[start:start + batch_size]\n"
            "        batches.append((X[places], y[places]))\n"
            "        start += batch_size\n"
            "    return batches\n",
        ),
    ),
)


# ------------------------------------------------------------------------------------------ 07.sgd


def sgd(params: Iterable[Tensor], lr: float) -> None:
    """One step against the gradient for every parameter that has one, in place."""
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                p -= lr * p.grad


def _leaves(values: Sequence[Tensor]) -> list[Tensor]:
    return [value.clone().requires_grad_() for value in values]


def one_step(
    work: Callable, values: list[Tensor], gradients: list[Tensor | None], lr: float
) -> dict[str, Any]:
    """Probe: parameters with these values and gradients after one call of the work."""
    params = _leaves(values)
    for p, g in zip(params, gradients, strict=True):
        p.grad = None if g is None else g.clone()
    work(list(params), lr)  # a list of its own: to put new tensors into it moves nobody
    return {
        **{f"params[{i}]": p.detach() for i, p in enumerate(params)},
        **{f"params[{i}].grad": p.grad for i, p in enumerate(params)},
        "requires_grad still on": all(p.requires_grad and p.is_leaf for p in params),
    }


def sgd_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, shapes: Sequence[tuple[int, ...]], lr: float, note: str) -> Case:
        values, gradients = ([normal(generator, *shape) for shape in shapes] for _ in range(2))
        return Case(group, (values, gradients, lr), note)

    n = whole_number(generator, 3, 6)
    with_none = case("edge cases", ((2,), (3,), (1,)), 0.5, "the second parameter has no gradient (None)")
    with_none.args[1][1] = None
    return [
        Case("values", ([torch.tensor([1.0, 2.0])], [torch.tensor([10.0, -4.0])], 0.1), "the example"),
        case("values", ((n, 2), (n,)), 0.3, "a weight and a bias"),
        case("values", ((2, 2), (2, 2), (2, 2)), 1.0, "three of the same shape"),
        case("shapes", ((1,),), 0.05, "a single number"),
        case("edge cases", ((3,),), 0.0, "learning rate 0: nothing moves"),
        with_none,
    ]


def _sgd(body: str) -> str:
    return f"def sgd(params, lr):\n{body}"


SGD = Exercise(
    id="07.sgd",
    name="sgd",
    title="One step against the gradient",
    difficulty=1,
    points=2,
    minutes=5,
    cases=sgd_cases,
    reference=sgd,
    probe=one_step,
    input_names=("params", "gradients", "lr"),
    result="nothing; the parameters are changed in place",
    may_mutate=True,
    misconceptions=(
        Misconception(
            "uphill",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p += lr * p.grad\n"
            ),
            "You step along the gradient. It points to where the loss grows; go against it.",
        ),
        Misconception(
            "a new tensor under the old name",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p = p - lr * p.grad\n"
            ),
            "No parameter has moved. `p = …` only gives the name p to a new tensor, and new tensors in a "
            "list do not reach the network either. Change the tensor itself, in place.",
        ),
        Misconception(
            "without no_grad",
            _sgd("    for p in params:\n        if p.grad is not None:\n            p -= lr * p.grad\n"),
            "torch refuses to change a parameter in place while it keeps record for the gradient. The "
            "update is no part of the network: let torch look away while you do it.",
        ),
        Misconception(
            "None is not looked for",
            _sgd("    with torch.no_grad():\n        for p in params:\n            p -= lr * p.grad\n"),
            "A parameter that took no part in the loss has no gradient: its `grad` is None. Leave it as it "
            "is.",
        ),
        Misconception(
            "learning rate forgotten",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= p.grad\n"
            ),
            "The learning rate is not used: your step is always as long as the gradient.",
        ),
        Misconception(
            "gradient put in place of the parameter",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p.copy_(-lr * p.grad)\n"
            ),
            "You put the step in place of the parameter. It is added to where the parameter stands.",
        ),
        Misconception(
            "only the first parameter",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= lr * p.grad\n"
                "            return\n"
            ),
            "Only the first parameter moves. (Does a `return` stand inside the loop?)",
        ),
        Misconception(
            "stops at None",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is None:\n                return\n"
                "            p -= lr * p.grad\n"
            ),
            "At the first parameter without a gradient you stop altogether. Skip it and go on with the next.",
        ),
        Misconception(
            "gradients wiped out",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= lr * p.grad\n"
                "                p.grad = None\n"
            ),
            "The step is right, but you also wipe the gradients out. That is the business of `zero_grad`; "
            "somebody may still want to look at them.",
        ),
        Misconception(
            "gradients set to 0",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= lr * p.grad\n"
                "                p.grad.zero_()\n"
            ),
            "The step is right, but afterwards you set the gradients to 0. That is the business of "
            "`zero_grad`; here they are left alone.",
        ),
        Misconception(
            "sign of the gradient only",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= lr * p.grad.sign()\n"
            ),
            "You use only the sign of each entry, so all steps are equally long. The gradient's size counts.",
        ),
        Misconception(
            "one step for all, by the gradient's length",
            _sgd(
                "    with torch.no_grad():\n        for p in params:\n"
                "            if p.grad is not None:\n                p -= lr * p.grad / p.grad.norm()\n"
            ),
            "You divide the gradient by its length, so that near the minimum the steps get no shorter. Plain "
            "gradient descent does not do that.",
        ),
    ),
    hints=(
        "For each parameter: minus lr times its gradient, in place. Two things are in the way: torch keeps "
        "record of what happens to parameters, and some have no gradient.",
        "Inside `torch.no_grad()` go through the parameters, skip those whose `grad` is None, and subtract "
        "lr times the gradient with an operation that changes the tensor itself.",
    ),
    alternatives=(
        _sgd("    for p in params:\n        if p.grad is not None:\n            p.data -= lr * p.grad\n"),
        _sgd("    torch.optim.SGD(params, lr=lr).step()\n"),
        "@torch.no_grad()\ndef sgd(params, lr):\n    for p in params:\n        if p.grad is None:\n"
        "            continue\n        p.sub_(p.grad, alpha=lr)\n",
        _sgd(
            "    with torch.no_grad():\n        for p in params:\n            if p.grad is not None:\n"
            "                p.copy_(p - lr * p.grad)\n    return params\n"
        ),
    ),
)


# -------------------------------------------------------------------- optimizers that remember


def walk(
    Optimizer: type,
    values: list[Tensor],
    gradients: list[list[Tensor | None]],
    options: dict[str, Any],
    once: bool = False,
) -> dict[str, Any]:
    """Probe: the parameters after each step, under gradients that the case prescribes.

    With ``once`` the parameters come as ``model.parameters()`` gives them, to be gone through only once.

    A second optimizer, made beforehand on other parameters, takes a step in between, so that a memory which
    both share shows. Gradients are written into the same tensor at each step, as torch does when it
    accumulates: who keeps that tensor as a memory keeps something that changes.

    Raises:
        NotAsAsked: if the objects have no method ``step``.
    """
    params, strangers = _leaves(values), _leaves([torch.ones_like(v) for v in values])
    optimizer, other = (Optimizer(iter(p) if once else list(p), **options) for p in (params, strangers))
    if not callable(getattr(optimizer, "step", None)):
        raise NotAsAsked("The objects of your class should have a method `step()`.")
    path, left_alone = {}, True
    for number, step in enumerate(gradients, start=1):
        for p, g in zip(params, step, strict=True):
            if g is not None and p.grad is not None:
                p.grad.copy_(g)
            else:
                p.grad = None if g is None else g.clone()
        optimizer.step()
        path |= {f"params[{i}] after step {number}": p.detach().clone() for i, p in enumerate(params)}
        left_alone = left_alone and all(
            g is None or (p.grad is not None and torch.equal(p.grad, g))
            for p, g in zip(params, step, strict=True)
        )
        if number == 1:
            for p in strangers:
                p.grad = torch.full_like(p, 3.0)
            other.step()
    return path | {"gradients left as they were": left_alone}


def _walk_cases(
    generator: torch.Generator,
    example: Case,
    options: dict[str, Any],
    odd: dict[str, Any],
    first: dict[str, Any],
) -> list[Case]:
    """Several parameters over several steps; ``first`` are the options without those that have a default."""

    def case(group: str, shapes: Sequence[tuple[int, ...]], steps: int, given: dict, note: str) -> Case:
        values = [normal(generator, *shape) for shape in shapes]
        gradients = [[normal(generator, *shape) + 0.5 for shape in shapes] for _ in range(steps)]
        return Case(group, (values, gradients, given), note)

    n = whole_number(generator, 3, 5)
    with_none = case(
        "edge cases", ((2,), (3,)), 3, options, "the second parameter never has a gradient (None)"
    )
    for step in with_none.args[1]:
        step[1] = None
    none_later = case(
        "edge cases", ((1,), (2,)), 3, options, "the second parameter has a gradient at the first step only"
    )
    for step in none_later.args[1][1:]:
        step[1] = None
    once = case(
        "types", ((2,), (1,)), 2, options, "params as model.parameters() gives them: gone through only once"
    )
    zero = case("edge cases", ((3,),), 2, options, "a gradient of 0")
    for step in zero.args[1]:
        step[0] = torch.zeros(3)
    return [
        example,
        case("values", ((2,),), 4, options, "four steps of one parameter"),
        case("values", ((2,), (2,)), 3, odd, "two parameters of the same shape"),
        case("values", ((n, 2), (n,)), 3, odd, "a weight and a bias"),
        case("types", ((3,),), 3, first, "what has a default value is not given"),
        case("shapes", ((1,),), 2, options, "a single number"),
        zero,
        with_none,
        none_later,
        replace(once, args=(*once.args, True)),
    ]


def _optimizer(name: str, init: str, loop: str, options: str, setup: str = "") -> str:
    """Source of an optimizer: ``init`` makes the memory, ``loop`` handles parameter i with gradient g."""
    lines = "".join(f"                {line}\n" for line in loop.splitlines())
    starts = "".join(f"        {line}\n" for line in init.splitlines())
    return (
        f"class {name}:\n"
        f"    def __init__(self, params, {options}):\n"
        f"        self.params = list(params)\n{starts}"
        "    def step(self):\n"
        f"{setup}"
        "        with torch.no_grad():\n"
        "            for i, p in enumerate(self.params):\n"
        "                if p.grad is None:\n                    continue\n"
        "                g = p.grad\n"
        f"{lines}"
    )


_NO_SKIP = "                if p.grad is None:\n                    continue\n"
_WALK_INPUTS = ("params", "gradients of each step", "options", "params only once")


def _without_no_grad(code: str) -> Misconception:
    return Misconception(
        "without no_grad",
        code.replace("with torch.no_grad():", "if True:"),
        "torch refuses to change a parameter in place while it keeps record for the gradient. The step is no "
        "part of the network: let torch look away while you take it.",
    )


def _used_up(code: str) -> Misconception:
    return Misconception(
        "params are used up",
        code.replace("self.params = list(params)", "self.params = params"),
        "`model.parameters()` can be gone through only once. You go through it before the step, and then "
        "nothing is left to move. Make a list of it first of all, and use only that.",
    )


# ------------------------------------------------------------------------------------- 07.momentum


class Momentum:
    """Gradient descent with a velocity: v ← momentum · v + g, p ← p − lr · v."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.9) -> None:
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.v = [torch.zeros_like(p) for p in self.params]

    def step(self) -> None:
        with torch.no_grad():
            for p, v in zip(self.params, self.v, strict=True):
                if p.grad is not None:
                    v.mul_(self.momentum).add_(p.grad)
                    p -= self.lr * v


def momentum_cases(generator: torch.Generator) -> list[Case]:
    example = Case(
        "values",
        ([torch.tensor([1.0])], [[torch.tensor([2.0])], [torch.tensor([1.0])]], {"lr": 0.1, "momentum": 0.5}),
        "the example of the statement",
    )
    return _walk_cases(
        generator, example, {"lr": 0.1, "momentum": 0.8}, {"lr": 0.02, "momentum": 0.5}, {"lr": 0.1}
    )


def _momentum(loop: str, init: str = "self.v = [torch.zeros_like(p) for p in self.params]") -> str:
    return _optimizer("Momentum", "self.lr, self.momentum = lr, momentum\n" + init, loop, "lr, momentum=0.9")


_V = "self.v[i] = self.momentum * self.v[i] + g\n"

MOMENTUM = Exercise(
    id="07.momentum",
    name="Momentum",
    title="A step with a memory",
    difficulty=2,
    points=4,
    minutes=15,
    cases=momentum_cases,
    reference=Momentum,
    probe=walk,
    input_names=_WALK_INPUTS,
    result="an optimizer whose step() moves the parameters in place",
    may_mutate=True,
    misconceptions=(
        Misconception(
            "damps the gradient",
            _momentum(
                "self.v[i] = self.momentum * self.v[i] + (1 - self.momentum) * g\np -= self.lr * self.v[i]"
            ),
            "You add only the share 1 − momentum of the gradient: a running mean, as in Adam. Here the "
            "velocity takes the whole gradient, so with momentum 0.9 a steady slope makes steps ten times "
            "as long.",
        ),
        Misconception(
            "keeps no memory",
            _momentum("v = torch.zeros_like(p)\nv = self.momentum * v + g\np -= self.lr * v"),
            "You start from a velocity of 0 at every step, so it is plain gradient descent. The velocity "
            "must be kept from one step to the next, on `self`.",
        ),
        Misconception(
            "velocity without decay",
            _momentum("self.v[i] = self.v[i] + g\np -= self.lr * self.v[i]"),
            "You add up all gradients without ever losing any: the velocity is not multiplied by `momentum`.",
        ),
        Misconception(
            "steps with the old velocity",
            _momentum("p -= self.lr * self.v[i]\n" + _V),
            "You move first and renew the velocity then, so every step is one behind; the first does not "
            "move at all.",
        ),
        Misconception(
            "uphill",
            _momentum(_V + "p += self.lr * self.v[i]"),
            "You step along the velocity, which is made of gradients: uphill. Subtract it.",
        ),
        Misconception(
            "one velocity for all parameters",
            _momentum("self.v = self.momentum * self.v + g\np -= self.lr * self.v", init="self.v = 0.0"),
            "All parameters share one velocity. With a weight and a bias the shapes clash, with equal shapes "
            "they push each other. Every parameter needs its own.",
        ),
        Misconception(
            "one memory for all optimizers",
            _momentum(
                "Momentum.v[i] = self.momentum * Momentum.v[i] + g\np -= self.lr * Momentum.v[i]",
                init="Momentum.v = [torch.zeros_like(p) for p in self.params]",
            ),
            "The memory belongs to the notebook (a global name, or the class), so two optimizers disturb "
            "each other. Make it in `__init__`, on `self`.",
        ),
        Misconception(
            "the velocity is the gradient's own tensor",
            _momentum(
                "if self.v[i] is None:\n    self.v[i] = g\nelse:\n"
                "    self.v[i] = self.momentum * self.v[i] + g\n"
                "p -= self.lr * self.v[i]",
                init="self.v = [None for p in self.params]",
            ),
            "At the first step you keep the gradient's tensor itself as velocity. When the next gradient is "
            "written into that tensor, your memory changes with it. Keep a copy.",
        ),
        Misconception(
            "looks ahead (Nesterov)",
            _momentum(_V + "p -= self.lr * (g + self.momentum * self.v[i])"),
            "This is Nesterov's form, which uses the velocity to come. Plain momentum steps along the "
            "velocity itself.",
        ),
        Misconception(
            "None is not looked for",
            _momentum(_V + "p -= self.lr * self.v[i]").replace(_NO_SKIP, ""),
            "A parameter that took no part in the loss has no gradient: its `grad` is None. Leave it as it "
            "is.",
        ),
        Misconception(
            "a new tensor under the old name",
            _momentum(_V + "p = p - self.lr * self.v[i]"),
            "The velocity is right, but nothing moves: `p = …` makes a new tensor, while the parameter "
            "stays as it was. Change the tensor itself, in place.",
        ),
        Misconception(
            "learning rate twice",
            _momentum("self.v[i] = self.momentum * self.v[i] + self.lr * g\np -= self.lr * self.v[i]"),
            "The learning rate is in your velocity and in your step: it counts twice.",
        ),
        Misconception(
            "the new gradient faded as well",
            _momentum("self.v[i] = self.momentum * (self.v[i] + g)\np -= self.lr * self.v[i]"),
            "You multiply the new gradient by `momentum` as well. Only the old velocity fades.",
        ),
        Misconception(
            "always 0.9",
            _momentum("self.v[i] = 0.9 * self.v[i] + g\np -= self.lr * self.v[i]"),
            "Your velocity fades by 0.9, whatever `momentum` is handed over.",
        ),
        Misconception(
            "the gradient's own tensor, changed in place",
            _momentum(
                "if self.v[i] is None:\n    self.v[i] = g\nelse:\n"
                "    self.v[i] *= self.momentum\n    self.v[i] += g\n"
                "p -= self.lr * self.v[i]",
                init="self.v = [None for p in self.params]",
            ),
            "At the first step your velocity *is* the gradient's tensor. What changes one afterwards changes "
            "the other. Keep a copy, or begin with zeros.",
        ),
        Misconception(
            "gradients wiped out",
            _momentum(_V + "p -= self.lr * self.v[i]\np.grad = None"),
            "The step is right, but you also wipe the gradients out. That is the business of `zero_grad`; "
            "here they are left alone.",
        ),
        Misconception(
            "rolls on without a gradient",
            _momentum(
                "self.v[i] = self.momentum * self.v[i]\nif g is not None:\n    self.v[i] = self.v[i] + g\n"
                "p -= self.lr * self.v[i]"
            ).replace(_NO_SKIP, ""),
            "A parameter without a gradient rolls on with its old velocity. It should stay where it is: skip "
            "it altogether.",
        ),
        _without_no_grad(_momentum(_V + "p -= self.lr * self.v[i]")),
        _used_up(_momentum(_V + "p -= self.lr * self.v[i]")),
        Misconception(
            "works on the gradient itself",
            _momentum("g += self.momentum * self.v[i]\nself.v[i] = g.clone()\np -= self.lr * g"),
            "The steps are right, but you add the old velocity into the gradient's own tensor. Who looks at "
            "`p.grad` afterwards finds something else. Work on a new tensor.",
        ),
    ),
    hints=(
        "What must the optimizer remember between two steps, and for whom? Where is the place for it, so "
        "that it is there before the first step?",
        "In `__init__` keep the parameters as a list and make a velocity of zeros for each. In `step`, under "
        "`torch.no_grad()`, for each parameter with a gradient: velocity = momentum times velocity plus "
        "gradient; then move the parameter against lr times the velocity, in place.",
    ),
    alternatives=(
        """
class Momentum(torch.optim.SGD):
    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, lr=lr, momentum=momentum)
""",
        _momentum("self.v[i] = self.momentum * self.v[i] + self.lr * g\np -= self.v[i]"),
        """
class Momentum:
    def __init__(self, params, lr, momentum=0.9):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.memory = {}

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            v = self.memory.get(id(p))
            v = p.grad.clone() if v is None else self.momentum * v + p.grad
            self.memory[id(p)] = v
            p.sub_(self.lr * v)
""",
    ),
)


# -------------------------------------------------------------------------------------- 07.rmsprop


class RMSProp:
    """Divide by the root of a running mean of squared gradients."""

    def __init__(self, params: Iterable[Tensor], lr: float, alpha: float = 0.99, eps: float = 1e-8) -> None:
        self.params, self.lr, self.alpha, self.eps = list(params), lr, alpha, eps
        self.s = [torch.zeros_like(p) for p in self.params]

    def step(self) -> None:
        with torch.no_grad():
            for p, s in zip(self.params, self.s, strict=True):
                if p.grad is not None:
                    s.mul_(self.alpha).add_((1 - self.alpha) * p.grad**2)
                    p -= self.lr * p.grad / (s.sqrt() + self.eps)


def rmsprop_cases(generator: torch.Generator) -> list[Case]:
    example = Case(
        "values",
        (
            [torch.tensor([1.0])],
            [[torch.tensor([2.0])], [torch.tensor([1.0])]],
            {"lr": 0.1, "alpha": 0.75, "eps": 0.0},
        ),
        "the example of the statement",
    )
    options = {"lr": 0.1, "alpha": 0.8, "eps": 1e-8}
    odd = {"lr": 0.02, "alpha": 0.9, "eps": 0.2}
    return _walk_cases(generator, example, options, odd, {"lr": 0.01})


def _rmsprop(loop: str, init: str = "self.s = [torch.zeros_like(p) for p in self.params]") -> str:
    return _optimizer(
        "RMSProp",
        "self.lr, self.alpha, self.eps = lr, alpha, eps\n" + init,
        loop,
        "lr, alpha=0.99, eps=1e-8",
    )


_S = "self.s[i] = self.alpha * self.s[i] + (1 - self.alpha) * g**2\n"
_RMS_STEP = "p -= self.lr * g / (self.s[i].sqrt() + self.eps)"

RMSPROP = Exercise(
    id="07.rmsprop",
    name="RMSProp",
    title="A step for every scale",
    difficulty=2,
    points=4,
    minutes=15,
    cases=rmsprop_cases,
    reference=RMSProp,
    probe=walk,
    input_names=_WALK_INPUTS,
    result="an optimizer whose step() moves the parameters in place",
    may_mutate=True,
    misconceptions=(
        Misconception(
            "no root",
            _rmsprop(_S + "p -= self.lr * g / (self.s[i] + self.eps)"),
            "You divide by the running mean of the squares. Without the root a gradient ten times as large "
            "makes a step ten times *shorter*; it should be equally long.",
        ),
        Misconception(
            "eps inside the root",
            _rmsprop(_S + "p -= self.lr * g / (self.s[i] + self.eps).sqrt()"),
            "You add eps to the square, under the root. With a tiny eps nobody notices; here (and in torch) "
            "it is added to the root.",
        ),
        Misconception(
            "alpha the wrong way round",
            _rmsprop(
                "self.s[i] = (1 - self.alpha) * self.s[i] + self.alpha * g**2\n" + _RMS_STEP,
            ),
            "alpha and 1 − alpha are exchanged: your mean keeps almost nothing of the past.",
        ),
        Misconception(
            "adds up for ever (Adagrad)",
            _rmsprop("self.s[i] = self.s[i] + g**2\n" + _RMS_STEP),
            "You add up all squares and never forget any: that is Adagrad, whose steps get shorter and "
            "shorter.",
        ),
        Misconception(
            "the whole square added",
            _rmsprop("self.s[i] = self.alpha * self.s[i] + g**2\n" + _RMS_STEP),
            "You keep the share alpha of the old mean but add the whole new square, so it is no mean: under "
            "a steady gradient it grows to 1/(1 − alpha) times the square. Weigh the new one with 1 − alpha.",
        ),
        Misconception(
            "not squared",
            _rmsprop(
                "self.s[i] = self.alpha * self.s[i] + (1 - self.alpha) * g.abs()\n"
                "p -= self.lr * g / (self.s[i] + self.eps)"
            ),
            "You keep a mean of the gradients' sizes. RMS stands for root mean square: square first, and "
            "take the root in the end.",
        ),
        Misconception(
            "keeps no memory",
            _rmsprop("s = (1 - self.alpha) * g**2\np -= self.lr * g / (s.sqrt() + self.eps)"),
            "Your mean starts from 0 at every step, so all that is left of the gradient is its sign. Keep "
            "it from one step to the next, on `self`.",
        ),
        Misconception(
            "one mean for all parameters",
            _rmsprop(
                "self.s = self.alpha * self.s + (1 - self.alpha) * g**2\n"
                "p -= self.lr * g / (torch.sqrt(self.s) + self.eps)",
                init="self.s = torch.zeros(())",
            ),
            "All parameters share one running mean. With a weight and a bias the shapes clash, with equal "
            "shapes they disturb each other. Every parameter needs its own.",
        ),
        Misconception(
            "one number for a whole tensor",
            _rmsprop(
                "self.s[i] = self.alpha * self.s[i] + (1 - self.alpha) * (g**2).mean()\n" + _RMS_STEP,
            ),
            "You keep one mean square for a whole tensor. Every single entry has its own scale: that is the "
            "point of it.",
        ),
        Misconception(
            "divides the step by the old mean",
            _rmsprop("p -= self.lr * g / (self.s[i].sqrt() + self.eps)\n" + _S.rstrip("\n")),
            "You move first and renew the mean then. At the first step you divide by eps alone, which makes "
            "a giant leap.",
        ),
        Misconception(
            "starts from the first square",
            _rmsprop(
                "old, a = self.s[i], self.alpha\n"
                "self.s[i] = g**2 if old is None else a * old + (1 - a) * g**2\n" + _RMS_STEP,
                init="self.s = [None for p in self.params]",
            ),
            "Your mean starts from the first square instead of from 0. That is a thought (it removes the "
            "first long steps), but RMSProp starts from 0.",
        ),
        Misconception(
            "uphill",
            _rmsprop(_S + "p += self.lr * g / (self.s[i].sqrt() + self.eps)"),
            "You step along the gradient, uphill. Subtract.",
        ),
        Misconception(
            "eps beside the quotient",
            _rmsprop(_S + "p -= self.lr * g / self.s[i].sqrt() + self.eps"),
            "Brackets are missing: you divide by the root alone and take eps off the parameter. eps belongs "
            "to what one divides by.",
        ),
        Misconception(
            "eps forgotten",
            _rmsprop(_S + "p -= self.lr * g / self.s[i].sqrt()"),
            "eps is not used. Where all gradients so far are 0, you divide 0 by 0.",
        ),
        Misconception(
            "no gradient on top",
            _rmsprop(_S + "p -= self.lr / (self.s[i].sqrt() + self.eps)"),
            "You divide lr by the root, and the gradient itself is missing: even its sign plays no part.",
        ),
        Misconception(
            "the weight squared as well",
            _rmsprop("self.s[i] = self.alpha * self.s[i] + ((1 - self.alpha) * g) ** 2\n" + _RMS_STEP),
            "You square (1 − alpha) together with the gradient. Square the gradient alone, then weigh it.",
        ),
        Misconception(
            "corrected as in Adam",
            _rmsprop(
                "self.t[i] += 1\n"
                + _S
                + "s_hat = self.s[i] / (1 - self.alpha ** self.t[i])\n"
                + "p -= self.lr * g / (s_hat.sqrt() + self.eps)",
                init="self.s = [torch.zeros_like(p) for p in self.params]\nself.t = [0] * len(self.params)",
            ),
            "You correct the mean for its start at 0. Adam does that; RMSProp takes it as it is.",
        ),
        _without_no_grad(_rmsprop(_S + _RMS_STEP)),
        _used_up(_rmsprop(_S + _RMS_STEP)),
        Misconception(
            "None is not looked for",
            _rmsprop(_S + _RMS_STEP).replace(_NO_SKIP, ""),
            "A parameter that took no part in the loss has no gradient: its `grad` is None. Leave it as it "
            "is.",
        ),
    ),
    hints=(
        "Every entry remembers how large its gradients usually are, squared. What is divided by what, so "
        "that a large and a small gradient make steps of about the same length?",
        "Keep a tensor of zeros for each parameter. At every step: alpha times the old one plus (1 − alpha) "
        "times the squared gradient. Then move the parameter against lr times gradient, divided by (root of "
        "that plus eps).",
    ),
    alternatives=(
        """
class RMSProp(torch.optim.RMSprop):
    def __init__(self, params, lr, alpha=0.99, eps=1e-8):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps)
""",
        _rmsprop("self.s[i] += (1 - self.alpha) * (g * g - self.s[i])\n" + _RMS_STEP),
        """
class RMSProp:
    def __init__(self, params, lr, alpha=0.99, eps=1e-8):
        self.params, self.lr, self.alpha, self.eps = list(params), lr, alpha, eps
        self.memory = {}

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is not None:
                s = self.memory.get(id(p), torch.zeros_like(p))
                s = self.alpha * s + (1 - self.alpha) * p.grad.square()
                self.memory[id(p)] = s
                p.addcdiv_(p.grad, s.sqrt() + self.eps, value=-self.lr)
""",
    ),
)


# ----------------------------------------------------------------------------------------- 07.adam


class Adam:
    """Running means of gradient and squared gradient, both corrected for their start at 0."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.m = [torch.zeros_like(p) for p in self.params]
        self.s = [torch.zeros_like(p) for p in self.params]
        self.t = 0

    def step(self) -> None:
        beta1, beta2 = self.betas
        self.t += 1
        with torch.no_grad():
            for p, m, s in zip(self.params, self.m, self.s, strict=True):
                if p.grad is not None:
                    m.mul_(beta1).add_((1 - beta1) * p.grad)
                    s.mul_(beta2).add_((1 - beta2) * p.grad**2)
                    m_hat, s_hat = m / (1 - beta1**self.t), s / (1 - beta2**self.t)
                    p -= self.lr * m_hat / (s_hat.sqrt() + self.eps)


def adam_cases(generator: torch.Generator) -> list[Case]:
    example = Case(
        "values",
        (
            [torch.tensor([1.0])],
            [[torch.tensor([2.0])], [torch.tensor([1.0])]],
            {"lr": 0.1, "betas": (0.5, 0.75), "eps": 0.0},
        ),
        "the example of the statement",
    )
    options = {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-8}
    odd = {"lr": 0.02, "betas": (0.7, 0.9), "eps": 0.2}
    return _walk_cases(generator, example, options, odd, {})


_ADAM_INIT = (
    "self.lr, self.betas, self.eps = lr, betas, eps\n"
    "self.m = [torch.zeros_like(p) for p in self.params]\n"
    "self.s = [torch.zeros_like(p) for p in self.params]\n"
    "self.t = 0"
)
_ADAM_SETUP = "        b1, b2 = self.betas\n        self.t += 1\n"
_M = "self.m[i] = b1 * self.m[i] + (1 - b1) * g\n"
_AS = "self.s[i] = b2 * self.s[i] + (1 - b2) * g**2\n"
_M_HAT = "m_hat = self.m[i] / (1 - b1**self.t)\n"
_S_HAT = "s_hat = self.s[i] / (1 - b2**self.t)\n"
_ADAM_STEP = "p -= self.lr * m_hat / (s_hat.sqrt() + self.eps)"


def _adam(loop: str, init: str = _ADAM_INIT, setup: str = _ADAM_SETUP) -> str:
    return _optimizer("Adam", init, loop, "lr=1e-3, betas=(0.9, 0.999), eps=1e-8", setup)


ADAM = Exercise(
    id="07.adam",
    name="Adam",
    title="Adam",
    difficulty=3,
    points=5,
    minutes=15,
    cases=adam_cases,
    reference=Adam,
    probe=walk,
    input_names=_WALK_INPUTS,
    result="an optimizer whose step() moves the parameters in place",
    may_mutate=True,
    misconceptions=(
        Misconception(
            "no bias correction",
            _adam(_M + _AS + "p -= self.lr * self.m[i] / (self.s[i].sqrt() + self.eps)"),
            "Both means start at 0 and are too small in the first steps, the one of the squares for longer. "
            "You do not correct that: divide each by 1 minus its beta to the power of the step.",
        ),
        Misconception(
            "eps inside the root",
            _adam(_M + _AS + _M_HAT + _S_HAT + "p -= self.lr * m_hat / (s_hat + self.eps).sqrt()"),
            "You add eps under the root. With a tiny eps nobody notices; here (and in torch) it is added to "
            "the root.",
        ),
        Misconception(
            "eps before the correction",
            _adam(
                _M
                + _AS
                + "factor = self.lr * (1 - b2**self.t)**0.5 / (1 - b1**self.t)\n"
                + "p -= factor * self.m[i] / (self.s[i].sqrt() + self.eps)"
            ),
            "You add eps to the root before it is corrected, and correct the whole step afterwards (the "
            "paper mentions this short form). Here eps is added to the corrected root.",
        ),
        Misconception(
            "memory shared between parameters",
            _adam(
                "self.m = b1 * self.m + (1 - b1) * g\nself.s = b2 * self.s + (1 - b2) * g**2\n"
                "m_hat = self.m / (1 - b1**self.t)\ns_hat = self.s / (1 - b2**self.t)\n" + _ADAM_STEP,
                init="self.lr, self.betas, self.eps = lr, betas, eps\n"
                "self.m = self.s = torch.zeros(())\nself.t = 0",
            ),
            "All parameters share the same two means. With a weight and a bias the shapes clash, with equal "
            "shapes they disturb each other. Every parameter needs its own.",
        ),
        Misconception(
            "counts parameters as steps",
            _adam(
                "self.t += 1\n" + _M + _AS + _M_HAT + _S_HAT + _ADAM_STEP,
                setup="        b1, b2 = self.betas\n",
            ),
            "You raise the number of the step for every parameter, so with two parameters it runs twice as "
            "fast. It counts calls of `step`.",
        ),
        Misconception(
            "the step number stands still",
            _adam(
                _M + _AS + _M_HAT + _S_HAT + _ADAM_STEP,
                setup="        b1, b2 = self.betas\n        self.t = 1\n",
            ),
            "Your correction is always that of the first step: the number of the step does not grow.",
        ),
        Misconception(
            "counts from 0",
            _adam(
                _M + _AS + _M_HAT + _S_HAT + _ADAM_STEP + "\nif i == len(self.params) - 1:\n    self.t += 1",
                setup="        b1, b2 = self.betas\n",
            ),
            "You count steps from 0. At the first the correction divides by 1 − beta⁰ = 0, and NaN comes "
            "out. The first step has number 1.",
        ),
        Misconception(
            "only the first mean is corrected",
            _adam(_M + _AS + _M_HAT + "p -= self.lr * m_hat / (self.s[i].sqrt() + self.eps)"),
            "You correct the mean of the gradients, but not that of the squares. That one starts at 0 as "
            "well.",
        ),
        Misconception(
            "only the mean of the squares is corrected",
            _adam(_M + _AS + _S_HAT + "p -= self.lr * self.m[i] / (s_hat.sqrt() + self.eps)"),
            "You correct the mean of the squares, but not that of the gradients. That one starts at 0 as "
            "well.",
        ),
        Misconception(
            "betas exchanged",
            _adam(
                _M + _AS + _M_HAT + _S_HAT + _ADAM_STEP,
                setup="        b2, b1 = self.betas\n        self.t += 1\n",
            ),
            "The two betas are exchanged: the first belongs to the gradients, the second to their squares.",
        ),
        Misconception(
            "no root",
            _adam(_M + _AS + _M_HAT + _S_HAT + "p -= self.lr * m_hat / (s_hat + self.eps)"),
            "You divide by the mean of the squares itself; its root has the unit of a gradient.",
        ),
        Misconception(
            "the gradient instead of its mean",
            _adam(_M + _AS + _M_HAT + _S_HAT + "p -= self.lr * g / (s_hat.sqrt() + self.eps)"),
            "You step along the gradient itself, not along its running mean: that is RMSProp with a "
            "correction.",
        ),
        Misconception(
            "corrected means are kept",
            _adam(
                _M
                + _AS
                + "self.m[i] = self.m[i] / (1 - b1**self.t)\nself.s[i] = self.s[i] / (1 - b2**self.t)\n"
                + "p -= self.lr * self.m[i] / (self.s[i].sqrt() + self.eps)"
            ),
            "You put the corrected means back into the memory, so that at the next step they are corrected "
            "once more. The correction is for this step only.",
        ),
        Misconception(
            "uphill",
            _adam(_M + _AS + _M_HAT + _S_HAT + "p += self.lr * m_hat / (s_hat.sqrt() + self.eps)"),
            "You step along the mean gradient, uphill. Subtract.",
        ),
        Misconception(
            "beta times the step number",
            _adam(
                _M
                + _AS
                + "m_hat = self.m[i] / (1 - b1 * self.t)\ns_hat = self.s[i] / (1 - b2 * self.t)\n"
                + _ADAM_STEP
            ),
            "In your correction beta is multiplied by the number of the step. It is raised to that power.",
        ),
        Misconception(
            "the first beta corrects both",
            _adam(_M + _AS + _M_HAT + "s_hat = self.s[i] / (1 - b1**self.t)\n" + _ADAM_STEP),
            "You correct both means with the first beta. The mean of the squares fades with the second.",
        ),
        Misconception(
            "eps beside the quotient",
            _adam(_M + _AS + _M_HAT + _S_HAT + "p -= self.lr * m_hat / s_hat.sqrt() + self.eps"),
            "Brackets are missing: you divide by the root alone and take eps off the parameter. eps belongs "
            "to what one divides by.",
        ),
        Misconception(
            "sums instead of means",
            _adam(
                "self.m[i] = b1 * self.m[i] + g\nself.s[i] = b2 * self.s[i] + g**2\n"
                + _M_HAT
                + _S_HAT
                + _ADAM_STEP
            ),
            "You add the whole of the new gradient and of its square, so these are no means. Weigh the new "
            "with 1 − beta.",
        ),
        Misconception(
            "one memory for all optimizers",
            _adam(
                "m, s = Adam.m, Adam.s\nm[i] = b1 * m[i] + (1 - b1) * g\ns[i] = b2 * s[i] + (1 - b2) * g**2\n"
                "m_hat = m[i] / (1 - b1**self.t)\ns_hat = s[i] / (1 - b2**self.t)\n" + _ADAM_STEP,
                init="self.lr, self.betas, self.eps, self.t = lr, betas, eps, 0\n"
                "Adam.m = [torch.zeros_like(p) for p in self.params]\n"
                "Adam.s = [torch.zeros_like(p) for p in self.params]",
            ),
            "The memory belongs to the class (or to the notebook), so two optimizers disturb each other. "
            "Make it in `__init__`, on `self`.",
        ),
        _without_no_grad(_adam(_M + _AS + _M_HAT + _S_HAT + _ADAM_STEP)),
        _used_up(_adam(_M + _AS + _M_HAT + _S_HAT + _ADAM_STEP)),
        Misconception(
            "None is not looked for",
            _adam(_M + _AS + _M_HAT + _S_HAT + _ADAM_STEP).replace(_NO_SKIP, ""),
            "A parameter that took no part in the loss has no gradient: its `grad` is None. Leave it as it "
            "is.",
        ),
    ),
    hints=(
        "Adam is momentum (with a running mean) divided by RMSProp. Two tensors for each parameter, and one "
        "number that counts the steps. What is wrong with a mean that starts at 0?",
        "At each step: raise the number t; renew both means, of g with the first beta and of g² with the "
        "second; divide each by 1 − beta to the power t, for this step only; move against lr times the one, "
        "divided by the root of the other plus eps.",
    ),
    alternatives=(
        """
class Adam(torch.optim.Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr=lr, betas=betas, eps=eps)
""",
        """
class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.memory = {}

    @torch.no_grad()
    def step(self):
        b1, b2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            m, s, t = self.memory.get(id(p), (0.0, 0.0, 0))
            m = b1 * m + (1 - b1) * p.grad
            s = b2 * s + (1 - b2) * p.grad.square()
            t = t + 1
            self.memory[id(p)] = (m, s, t)
            root = s.sqrt() / (1 - b2**t) ** 0.5
            p.sub_(self.lr * (m / (1 - b1**t)) / (root + self.eps))
""",
        _adam(
            "self.m[i] += (1 - b1) * (g - self.m[i])\nself.s[i] += (1 - b2) * (g * g - self.s[i])\n"
            + _M_HAT
            + _S_HAT
            + _ADAM_STEP
        ),
    ),
)


# ---------------------------------------------------------------------------------- the schedules


def _curve(work: Callable, steps: Sequence[int], *args: Any) -> list[float]:
    """The learning rates at the given steps, as numbers; None where the work returns nothing."""
    rates = []
    for step in steps:
        rate = work(args[0], step, *args[1:])
        if rate is None:
            raise NotAsAsked(
                "Your function should return the learning rate, but it returns nothing: `return`?"
            )
        try:
            rates.append(float(rate))
        except (TypeError, ValueError, RuntimeError):
            raise NotAsAsked(
                f"Your function should return one number, but it returns {type(rate).__name__}."
            ) from None
    return rates


def step_curve(work: Callable, lr: float, steps: list[int], *args: Any) -> list[float]:
    """Probe of all schedules: the learning rate at each of several steps."""
    return _curve(work, steps, lr, *args)


def step_lr(lr: float, step: int, step_size: int, gamma: float = 0.1) -> float:
    """Multiplied by gamma after every step_size steps."""
    return lr * gamma ** (step // step_size)


def step_lr_cases(generator: torch.Generator) -> list[Case]:
    size, rate = whole_number(generator, 4, 9), whole_number(generator, 1, 99) / 100
    return [
        Case("values", (0.8, [0, 9, 10, 19, 20], 10, 0.5), "the example"),
        Case("values", (rate, list(range(0, 4 * size, 2)), size, 0.3), f"step_size {size}"),
        Case("values", (1.0, [0, 1, 2, 3, 6], 3), "gamma not given: 0.1"),
        Case("shapes", (2.0, [0, 1, 2, 3], 1, 0.5), "at every step"),
        Case("edge cases", (0.5, [0, 50, 99], 100, 0.1), "the first change is still to come"),
        Case("edge cases", (0.5, [7, 30], 5, 1.0), "gamma 1: nothing changes"),
    ]


STEP_LR = Exercise(
    id="07.step_lr",
    name="step_lr",
    title="Down the stairs",
    difficulty=1,
    points=1,
    minutes=5,
    cases=step_lr_cases,
    reference=step_lr,
    probe=step_curve,
    input_names=("lr", "steps tried", "step_size", "gamma"),
    result="one number, the learning rate at this step",
    misconceptions=(
        Misconception(
            "no stairs",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * gamma ** (step / step_size)",
            "Your rate falls a little at every step. Stairs are flat in between: only whole numbers of "
            "step_size count.",
        ),
        Misconception(
            "falls once",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma if step >= step_size else lr",
            "Your rate falls once and then stays. It falls again after every further step_size steps.",
        ),
        Misconception(
            "gamma at every step",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * gamma**step",
            "You multiply by gamma at every step; step_size is not used.",
        ),
        Misconception(
            "times, not to the power",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma * (step // step_size) if step >= step_size else lr",
            "You multiply by the number of falls. Each fall multiplies by gamma: that is a power.",
        ),
        Misconception(
            "one step too early",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma ** ((step + 1) // step_size)",
            "You fall one step too early. Steps are counted from 0, so step number step_size is the first "
            "with the new rate.",
        ),
        Misconception(
            "one step too late",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma ** (max(step - 1, 0) // step_size)",
            "You fall one step too late. Step number step_size is the first with the new rate.",
        ),
        Misconception(
            "divides by gamma",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr / gamma ** (step // step_size)",
            "You divide by gamma, so the rate grows.",
        ),
        Misconception(
            "subtracts",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr - gamma * (step // step_size)",
            "You subtract gamma at each stair, and the rate can become negative. It is multiplied by gamma.",
        ),
        Misconception(
            "rounded to the nearest stair",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * gamma ** round(step / step_size)",
            "You round to the nearest stair, so the rate falls half a stair too early. It falls when a "
            "stair is complete.",
        ),
        Misconception(
            "rounded up",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma ** math.ceil(step / step_size)",
            "You round up, so the rate falls right after step 0. It falls only when a stair is complete.",
        ),
        Misconception(
            "lowered for single steps",
            "def step_lr(lr, step, step_size, gamma=0.1):\n"
            "    return lr * gamma if step % step_size == 0 else lr",
            "You lower the rate at the steps 0, step_size, 2 · step_size, … only, and then it is back at "
            "lr. It stays down, and falls further each time.",
        ),
        Misconception(
            "always 0.1",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * 0.1 ** (step // step_size)",
            "You multiply by 0.1 at each stair, whatever gamma is.",
        ),
        Misconception(
            "lr under the power",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return (lr * gamma) ** (step // step_size)",
            "lr is raised to the power as well. Only gamma is multiplied again at each stair.",
        ),
        Misconception(
            "times the number of stairs",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * gamma * (step // step_size)",
            "You multiply by the number of stairs, which is 0 in the beginning. Each stair multiplies by "
            "gamma: that is a power.",
        ),
        Misconception(
            "remainder for quotient",
            "def step_lr(lr, step, step_size, gamma=0.1):\n    return lr * gamma ** (step % step_size)",
            "`%` gives what is left over in the current stair. How many stairs are behind us?",
        ),
    ),
    hints=(
        "How many stairs have been gone down at step 25, if there is one every 10 steps?",
        "The number of stairs is the whole part of step divided by step_size. Each multiplies by gamma once.",
    ),
    alternatives=(
        """
def step_lr(lr, step, step_size, gamma=0.1):
    for _ in range(step // step_size):
        lr = lr * gamma
    return lr
""",
        "def step_lr(lr, step, step_size, gamma=0.1):\n"
        "    return lr * math.pow(gamma, math.floor(step / step_size))",
        """
def step_lr(lr, step, step_size, gamma=0.1):
    if step < step_size:
        return lr
    return step_lr(lr * gamma, step - step_size, step_size, gamma)
""",
    ),
)


def cosine_lr(lr: float, step: int, total: int, lr_min: float = 0.0) -> float:
    """Half a cosine from lr at step 0 to lr_min at step total, and lr_min from there on."""
    done = min(step / total, 1.0)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * done)) / 2


def cosine_lr_cases(generator: torch.Generator) -> list[Case]:
    total, rate = whole_number(generator, 20, 40), whole_number(generator, 5, 99) / 100
    return [
        Case("values", (1.0, [0, 25, 50, 75, 100], 100, 0.2), "the example"),
        Case("values", (rate, [0, 3, 7, total // 2, total], total, 0.01), f"{total} steps"),
        Case("values", (0.5, [0, 2, 5, 8, 10], 10), "lr_min not given: 0"),
        Case("shapes", (0.5, [0, 1], 1, 0.1), "a single step"),
        Case("edge cases", (0.8, [10, 11, 15, 20, 40], 10, 0.05), "after the end it stays at lr_min"),
        Case("edge cases", (0.8, [0, 5, 10], 10, 0.8), "lr_min = lr: nothing changes"),
    ]


def _cosine(expression: str) -> str:
    return f"def cosine_lr(lr, step, total, lr_min=0.0):\n    t = min(step, total)\n    return {expression}\n"


COSINE_LR = Exercise(
    id="07.cosine_lr",
    name="cosine_lr",
    title="Half a cosine down",
    difficulty=2,
    points=2,
    minutes=10,
    cases=cosine_lr_cases,
    reference=cosine_lr,
    probe=step_curve,
    input_names=("lr", "steps tried", "total", "lr_min"),
    result="one number, the learning rate at this step",
    misconceptions=(
        Misconception(
            "a whole period",
            _cosine("lr_min + (lr - lr_min) * (1 + math.cos(2 * math.pi * t / total)) / 2"),
            "Your curve goes down and up again within `total` steps: a whole period of the cosine. Half of "
            "one is wanted: from its top to its bottom.",
        ),
        Misconception(
            "a quarter of a period",
            _cosine("lr_min + (lr - lr_min) * math.cos(math.pi / 2 * t / total)"),
            "Start and end are right, but you use a quarter of the cosine, from 1 to 0. It arrives at the "
            "end steeply; half a cosine is flat at both ends.",
        ),
        Misconception(
            "up again after the end",
            "def cosine_lr(lr, step, total, lr_min=0.0):\n"
            "    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * step / total)) / 2\n",
            "Up to `total` all is right. After that your rate rises again, since the cosine goes on. It "
            "should stay at lr_min.",
        ),
        Misconception(
            "lr_min not subtracted",
            _cosine("lr_min + lr * (1 + math.cos(math.pi * t / total)) / 2"),
            "You start at lr + lr_min. What is scaled by the cosine is the way from lr down to lr_min.",
        ),
        Misconception(
            "lr_min not used",
            _cosine("lr * (1 + math.cos(math.pi * t / total)) / 2"),
            "You always go down to 0; lr_min is not used.",
        ),
        Misconception(
            "not halved",
            _cosine("lr_min + (lr - lr_min) * (1 + math.cos(math.pi * t / total))"),
            "1 + cos runs from 2 to 0, so you start twice too high.",
        ),
        Misconception(
            "a bare cosine",
            _cosine("lr_min + (lr - lr_min) * math.cos(math.pi * t / total)"),
            "The cosine itself runs from 1 to −1, so your rate falls far below lr_min. Lift it by 1 and "
            "halve it.",
        ),
        Misconception(
            "upwards",
            _cosine("lr_min + (lr - lr_min) * (1 - math.cos(math.pi * t / total)) / 2"),
            "Your rate rises from lr_min to lr. Which sign must the cosine have to start high?",
        ),
        Misconception(
            "a straight line",
            _cosine("lr_min + (lr - lr_min) * (1 - t / total)"),
            "Start, middle and end are right, but you go down in a straight line.",
        ),
        Misconception(
            "cut off at lr_min",
            _cosine("max(lr_min, lr * (1 + math.cos(math.pi * t / total)) / 2)"),
            "You go down to 0 and cut off at lr_min. The curve itself should end at lr_min, flat.",
        ),
        Misconception(
            "0 after the end",
            "def cosine_lr(lr, step, total, lr_min=0.0):\n"
            "    if step > total:\n        return 0.0\n"
            "    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * step / total)) / 2\n",
            "Up to `total` all is right. After that your rate is 0; it should stay at lr_min.",
        ),
        Misconception(
            "lr after the end",
            "def cosine_lr(lr, step, total, lr_min=0.0):\n"
            "    if step > total:\n        return lr\n"
            "    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * step / total)) / 2\n",
            "Up to `total` all is right. After that your rate jumps back to lr; it should stay at lr_min.",
        ),
        Misconception(
            "larger of the two",
            _cosine("lr_min + (lr - lr_min) * (1 + math.cos(math.pi * max(step / total, 1))) / 2"),
            "You take the larger of 1 and the share of the way, so there is nothing but the bottom of the "
            "wave. Which of the two should win?",
        ),
        Misconception(
            "one step too short",
            _cosine("lr_min + (lr - lr_min) * (1 + math.cos(math.pi * min(step / (total - 1), 1))) / 2"),
            "You arrive at step total − 1. The wave ends at step `total`. (And with total = 1 you divide by "
            "0.)",
        ),
        Misconception(
            "degrees",
            _cosine("lr_min + (lr - lr_min) * (1 + math.cos(180 * t / total)) / 2"),
            "`math.cos` wants radians: half a turn is π, not 180.",
        ),
    ),
    hints=(
        "The cosine runs from 1 at angle 0 to −1 at angle π. Which angle belongs to which step, and how does "
        "1 … −1 become lr … lr_min?",
        "Share done = step / total, at most 1. Then (1 + cos(π · done)) / 2 runs from 1 to 0. Multiply it "
        "by the way from lr_min up to lr, and add lr_min.",
    ),
    alternatives=(
        """
def cosine_lr(lr, step, total, lr_min=0.0):
    if step >= total:
        return lr_min
    return lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(step / total * math.pi))
""",
        """
def cosine_lr(lr, step, total, lr_min=0.0):
    share = math.cos(math.pi / 2 * min(step / total, 1)) ** 2
    return share * lr + (1 - share) * lr_min
""",
        """
def cosine_lr(lr, step, total, lr_min=0.0):
    done = torch.tensor(min(step, total) / total)
    return lr_min + (lr - lr_min) * (1 + torch.cos(torch.pi * done)) / 2
""",
    ),
    given={"math": math},
)


def warmup(lr: float, step: int, steps: int) -> float:
    """In equal rises from lr/steps at step 0 to lr at step steps − 1, then lr."""
    return lr * min(1.0, (step + 1) / steps)


def warmup_cases(generator: torch.Generator) -> list[Case]:
    steps, rate = whole_number(generator, 5, 12), whole_number(generator, 1, 99) / 100
    return [
        Case("values", (0.8, [0, 1, 2, 3, 4, 10], 4), "the example"),
        Case("values", (rate, list(range(steps + 3)), steps), f"{steps} steps"),
        Case("shapes", (0.5, [0, 1, 2], 1), "a warm-up of one step: lr from the start"),
        Case("edge cases", (0.5, [0, 1, 1000], 2), "long after the warm-up"),
    ]


def _warm(expression: str) -> str:
    return f"def warmup(lr, step, steps):\n    return {expression}\n"


WARMUP = Exercise(
    id="07.warmup",
    name="warmup",
    title="A gentle start",
    difficulty=1,
    points=1,
    minutes=5,
    cases=warmup_cases,
    reference=warmup,
    probe=step_curve,
    input_names=("lr", "steps tried", "steps"),
    result="one number, the learning rate at this step",
    misconceptions=(
        Misconception(
            "starts at 0",
            _warm("lr * min(1.0, step / steps)"),
            "At step 0 your rate is 0: a step that does nothing. The first of `steps` equal rises is taken "
            "at once.",
        ),
        Misconception(
            "goes on rising",
            _warm("lr * (step + 1) / steps"),
            "Your rate rises for ever. Once it has reached lr it stays there.",
        ),
        Misconception(
            "starts at 0 and goes on rising",
            _warm("lr * step / steps"),
            "Two things: at step 0 your rate is 0, a step that does nothing; and after the warm-up it goes "
            "on rising instead of staying at lr.",
        ),
        Misconception(
            "one step too long",
            _warm("lr * min(1.0, (step + 1) / (steps + 1))"),
            "Your warm-up takes one step too long: lr is to be reached at step number steps − 1.",
        ),
        Misconception(
            "downwards",
            _warm("lr * max(1 / steps, 1 - step / steps)"),
            "Your rate falls. A warm-up starts low and rises.",
        ),
        Misconception(
            "larger of the two",
            _warm("lr * max(1.0, (step + 1) / steps)"),
            "You take the larger of 1 and the share, so it starts at lr and rises after that. Which of the "
            "two should win?",
        ),
        Misconception(
            "nothing but lr",
            _warm("lr"),
            "You return lr from the start; nothing is warmed up.",
        ),
        Misconception(
            "0, then lr",
            _warm("lr if step + 1 >= steps else 0.0"),
            "You wait at 0 and then jump to lr. Rise in equal parts.",
        ),
        Misconception(
            "0 after the end",
            _warm("lr * (step + 1) / steps if step < steps else 0.0"),
            "After the warm-up your rate is 0. It should stay at lr.",
        ),
        Misconception(
            "lr only as the upper limit",
            _warm("min(lr, (step + 1) / steps)"),
            "Your ramp rises towards 1 and is cut off at lr. It is lr that is reached in equal parts.",
        ),
        Misconception(
            "flat, then lr",
            _warm("lr / steps if step < steps - 1 else lr"),
            "You stay at lr/steps and then jump to lr. Rise by one more part at each step.",
        ),
        Misconception(
            "begins again",
            _warm("lr * (step % steps + 1) / steps"),
            "After `steps` steps your warm-up begins again from below. Once lr is reached, it stays.",
        ),
        Misconception(
            "down to 0",
            _warm("lr * max(0.0, 1 - step / steps)"),
            "Your rate begins at lr and falls to 0. A warm-up starts low and rises.",
        ),
        Misconception(
            "from 0 in steps − 1 parts",
            _warm("lr * min(1.0, step / (steps - 1))"),
            "You start at 0, a step that does nothing, and with steps = 1 you divide by 0. With steps = 4 "
            "the shares are ¼, ½, ¾, 1.",
        ),
        Misconception(
            "starts at 0 and arrives in time",
            _warm("lr * min(1.0, step / max(steps - 1, 1))"),
            "You arrive at the right step, but start at 0, a step that does nothing. With steps = 4 the "
            "shares are ¼, ½, ¾, 1.",
        ),
    ),
    hints=(
        "For steps = 4 the rates at the steps 0, 1, 2, 3 are ¼, ½, ¾ and the whole of lr. And at step 4?",
        "The share is (step + 1) / steps, but never more than 1.",
    ),
    alternatives=(
        "def warmup(lr, step, steps):\n    if step + 1 >= steps:\n        return lr\n"
        "    return lr * (step + 1) / steps",
        "def warmup(lr, step, steps):\n    return min(lr, lr / steps * (step + 1))",
        "def warmup(lr, step, steps):\n    done = min(step + 1, steps)\n    return done / steps * lr",
    ),
)


# --------------------------------------------------------------------------------- 07.clip_by_norm


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """All gradients times one factor, so that their common norm is at most max_norm."""
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [g * factor for g in gradients]


def clip_by_norm_cases(generator: torch.Generator) -> list[Case]:
    """Together too long though each is short, one long and one short, short ones that stay."""
    n = whole_number(generator, 3, 6)
    return [
        Case("values", ([torch.tensor([3.0, 0.0]), torch.tensor([4.0])], 1.0), "the example"),
        Case(
            "values", ([normal(generator, n, 2, scale=9), normal(generator, n, scale=0.2)], 2.0), "too long"
        ),
        Case("values", ([torch.full((4,), 0.45)] * 9, 1.0), "each of length 0.9, together 2.7"),
        Case("values", ([torch.tensor([0.1, -0.2]), torch.tensor([0.3])], 1.0), "short enough: stays"),
        Case("types", ([normal(generator, 3).double() * 5], 0.5), "float64"),
        Case("shapes", ([torch.tensor(-7.0)], 2.0), "one number without dimensions"),
        Case(
            "shapes",
            ([normal(generator, 2, 3, 2, scale=4), normal(generator, 1, scale=4)], 3.0),
            "odd shapes",
        ),
        Case("edge cases", ([torch.zeros(3), torch.zeros(2, 2)], 1.0), "all zeros"),
        Case("edge cases", ([torch.tensor([0.6, 0.8])], 1.0), "exactly as long as allowed"),
        Case("edge cases", ([torch.tensor([1e6, -2e6]), torch.tensor([5.0])], 1.0), "an explosion"),
    ]


def _clip(body: str) -> str:
    return f"def clip_by_norm(gradients, max_norm):\n{body}"


_NORM = "    norm = sum((g**2).sum() for g in gradients).sqrt()\n"

CLIP_BY_NORM = Exercise(
    id="07.clip_by_norm",
    name="clip_by_norm",
    title="One leash for all gradients",
    difficulty=2,
    points=3,
    minutes=10,
    cases=clip_by_norm_cases,
    reference=clip_by_norm,
    rtol=1e-5,  # torch's own adds 1e-6 to the norm
    atol=1e-8,
    result="a list of tensors of the same shapes",
    misconceptions=(
        Misconception(
            "each tensor by itself",
            _clip(
                "    result = []\n    for g in gradients:\n        norm = g.norm()\n"
                "        result.append(g * (max_norm / norm) if norm > max_norm else g.clone())\n"
                "    return result\n"
            ),
            "You shorten each tensor by its own norm. That changes the direction of the whole step, and many "
            "short ones together can still be too long. There is one norm over all entries of all tensors.",
        ),
        Misconception(
            "entry by entry",
            _clip("    return [g.clamp(-max_norm, max_norm) for g in gradients]\n"),
            "You cut off single entries (clipping by value). Then the direction changes. Multiply "
            "everything by one factor instead.",
        ),
        Misconception(
            "also lengthens",
            _clip(_NORM + "    return [g * (max_norm / norm) if norm > 0 else g for g in gradients]\n"),
            "You always scale to max_norm, so short gradients are made longer. What is short enough stays "
            "as it is.",
        ),
        Misconception(
            "also lengthens, and 0/0",
            _clip(_NORM + "    return [g * (max_norm / norm) for g in gradients]\n"),
            "You always scale to max_norm, so short gradients are made longer, and if all are 0 you divide "
            "by 0. What is short enough stays as it is.",
        ),
        Misconception(
            "adds before it squares",
            _clip(
                "    norm = sum(g.sum() ** 2 for g in gradients).sqrt()\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You add up the entries of a tensor and square their sum, so plus and minus cancel. Square each "
            "entry first.",
        ),
        Misconception(
            "torch's function on the gradients",
            _clip(
                "    torch.nn.utils.clip_grad_norm_(gradients, max_norm)\n"
                "    return [g.clone() for g in gradients]\n"
            ),
            "Nothing is shortened: torch's function takes parameters and works on their `grad`. Your "
            "tensors are the gradients themselves and have none.",
        ),
        Misconception(
            "tensors of different dimensions put together",
            _clip(
                "    norm = torch.cat(gradients).norm()\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "`torch.cat` cannot put a table and a row one behind the other. Make one row of each tensor "
            "first.",
        ),
        Misconception(
            "no root",
            _clip(
                "    norm = sum((g**2).sum() for g in gradients)\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You compare with the sum of the squares. The norm is its root.",
        ),
        Misconception(
            "adds the norms",
            _clip(
                "    norm = sum(g.norm() for g in gradients)\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You add up the norms of the tensors. The common norm is the root of the sum of all squares, as "
            "if all entries stood in one long row.",
        ),
        Misconception(
            "the largest norm",
            _clip(
                "    norm = max(g.norm() for g in gradients)\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You take the norm of the longest tensor. All entries of all tensors count together.",
        ),
        Misconception(
            "the largest entry",
            _clip(
                "    norm = max(g.abs().max() for g in gradients)\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You go by the largest entry. The norm is the root of the sum of all squares.",
        ),
        Misconception(
            "0/0",
            _clip(
                _NORM
                + "    return [g * torch.clamp(max_norm / norm, max=1) * (norm / norm) for g in gradients]\n"
            ),
            "If all gradients are 0 you divide 0 by 0, and NaN comes out. Then there is nothing to shorten.",
        ),
        Misconception(
            "factor upside down",
            _clip(
                _NORM
                + "    return [g * (norm / max_norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "Your factor is upside down: what is too long gets longer still.",
        ),
        Misconception(
            "divides by the norm only",
            _clip(_NORM + "    return [g / norm if norm > max_norm else g.clone() for g in gradients]\n"),
            "You shorten to length 1, whatever max_norm is.",
        ),
        Misconception(
            "mean of the squares",
            _clip(
                "    count = sum(g.numel() for g in gradients)\n"
                "    norm = (sum((g**2).sum() for g in gradients) / count).sqrt()\n"
                "    return [g * (max_norm / norm) if norm > max_norm else g.clone() for g in gradients]\n"
            ),
            "You divide by the number of entries before the root: that is the root mean square. The norm "
            "has no mean.",
        ),
        Misconception(
            "one long row",
            _clip(
                "    row = torch.cat([g.flatten() for g in gradients])\n    norm = row.norm()\n"
                "    return row * (max_norm / norm) if norm > max_norm else row\n"
            ),
            "The numbers are right, but you return them in one long row. Each tensor should come back in "
            "its own shape.",
        ),
    ),
    hints=(
        "Think of all entries of all tensors as one long arrow. How long is it, and by what must it be "
        "multiplied to be max_norm long? When must it not be changed?",
        "The norm: root of the sum of all squares over all tensors. If it is above max_norm, the factor is "
        "max_norm divided by the norm, else 1. Multiply every tensor by it, in a new list.",
    ),
    alternatives=(
        _clip(
            "    norm = torch.cat([g.flatten() for g in gradients]).norm()\n"
            "    if norm <= max_norm:\n        return [g.clone() for g in gradients]\n"
            "    return [g / norm * max_norm for g in gradients]\n"
        ),
        _clip(
            "    norm = torch.stack([g.norm() for g in gradients]).norm().item()\n"
            "    factor = min(1.0, max_norm / max(norm, 1e-12))\n"
            "    return [factor * g for g in gradients]\n"
        ),
        _clip(
            "    params = [torch.zeros_like(g, requires_grad=True) for g in gradients]\n"
            "    for p, g in zip(params, gradients):\n        p.grad = g.clone()\n"
            "    torch.nn.utils.clip_grad_norm_(params, max_norm)\n"
            "    return [p.grad for p in params]\n"
        ),
        _clip(_NORM + "    return [g * torch.clamp(max_norm / norm, max=1.0) for g in gradients]\n").replace(
            "max_norm / norm", "max_norm / (norm + 1e-6)"
        ),
    ),
)


EXERCISES = (
    MINIBATCHES,
    SGD,
    MOMENTUM,
    RMSPROP,
    ADAM,
    STEP_LR,
    COSINE_LR,
    WARMUP,
    CLIP_BY_NORM,
)
