"""What a lesson builds and what later lessons import are the same thing.

Every function and class in ``utils.built`` says in which lesson it was built. Here its definition is taken
from that lesson's source, or from the solution of that lesson's exercise, and both do the same on random
inputs.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import utils.built
from utils.checks import bank
from utils.checks.source import load_source

LESSONS = Path(__file__).parents[1] / "notebooks" / "source" / "lessons"


def built() -> dict[str, tuple[Any, str]]:
    """Everything public in utils.built: name -> (object, lesson number or "")."""
    found = {}
    for module in pkgutil.iter_modules(utils.built.__path__):
        content = importlib.import_module(f"utils.built.{module.name}")
        for name, thing in vars(content).items():
            if (
                name.startswith("_")
                or getattr(thing, "__module__", "") != content.__name__
                or not callable(thing)
            ):
                continue
            lesson = re.search(r"Built in lesson (\d\d)", thing.__doc__ or "")
            found[name] = (thing, lesson[1] if lesson else "")
    return found


BUILT = built()


def from_lesson(lesson: str) -> dict[str, Any]:
    """All functions and classes that a lesson defines at the top level of its cells, and what it imports."""
    (path,) = LESSONS.glob(f"{lesson}_*.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    tree.body = [node for node in tree.body if isinstance(node, kinds)]
    names: dict[str, Any] = {"__name__": path.stem}
    exec(compile(tree, str(path), "exec"), names)
    return names


def definitions(name: str, lesson: str) -> list[tuple[str, Any]]:
    """Where a thing is defined: in its lesson, in the solution of an exercise, or in both."""
    found = []
    in_lesson = from_lesson(lesson)
    if name in in_lesson and getattr(in_lesson[name], "__module__", "") == in_lesson["__name__"]:
        found.append(("the lesson", in_lesson[name]))
    for exercise in bank.all_exercises().values():
        if exercise.lesson == lesson and exercise.name == name:
            work = bank.load_work(exercise, load_source(exercise.id).solved, "solution")
            if not _other_task(BUILT[name][0], work):
                found.append((f"the solution of {exercise.id}", work))
    return found


def _other_task(thing: Any, work: Any) -> bool:
    """True if an exercise asks under the same name for something else, as its first parameter shows, or for
    a part of the whole only."""
    if thing.__name__ == "Value":  # the exercise has five of the operations
        return True
    first, other = (next(iter(inspect.signature(f).parameters), None) for f in (thing, work))
    return None not in (first, other) and first != other


# ------------------------------------------------------------------------------- what each is tried on


def normal(generator: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def labels(generator: torch.Generator, n: int, k: int) -> Tensor:
    return torch.randint(0, k, (n,), generator=generator)


def call(*make: Callable[[torch.Generator], tuple]) -> Callable:
    """A driver that calls a function with the arguments that each of these makes."""
    return lambda thing, generator: [thing(*arguments(generator)) for arguments in make]


def with_gradient(*make: Callable[[torch.Generator], tuple]) -> Callable:
    """The same for a loss: its value, and the gradient by its first argument."""

    def drive(loss: Callable, generator: torch.Generator) -> list:
        results = []
        for arguments in make:
            first, *rest = arguments(generator)
            first = first.requires_grad_()
            value = loss(first, *rest)
            results += [value.detach(), torch.autograd.grad(value.sum(), first)[0]]
        return results

    return drive


def signs(generator: torch.Generator, n: int) -> Tensor:
    return 2.0 * labels(generator, n, 2).double() - 1


def steps(*options: dict[str, Any]) -> Callable:
    """A driver for optimizers: where a small regression stands after 20 steps."""

    def drive(Optimizer: type, generator: torch.Generator) -> list:
        results = []
        for given in options:
            X, y = normal(generator, 16, 3), normal(generator, 16)
            w, b = normal(generator, 3).requires_grad_(), normal(generator, 1).requires_grad_()
            optimizer = Optimizer([w, b], **given)
            for _ in range(20):
                w.grad = b.grad = None
                (X @ w + b - y).square().mean().backward()
                optimizer.step()
            results += [w.detach(), b.detach()]
        return results

    return drive


def plain_steps(Optimizer: type, generator: torch.Generator) -> list:
    """The common base says nothing of how to update; what it shares is tried through a small subclass."""

    class Half(Optimizer):
        def update(self, p: Tensor, g: Tensor, memory: dict) -> None:
            memory["calls"] = memory.get("calls", 0) + 1
            p -= self.lr * g * memory["calls"]

    results = steps({"lr": 0.01})(Half, generator)
    p = normal(generator, 2).requires_grad_()
    p.sum().backward()
    Half([p], lr=1.0).zero_grad()
    return [*results, p.grad]


def schedule(*arguments: tuple) -> Callable:
    return lambda f, generator: [f(0.3, step, *rest) for rest in arguments for step in range(40)]


def value_graph(Value: type, generator: torch.Generator) -> list:
    """Values and gradients of an expression that uses every operation and every leaf twice."""
    a, b = (Value(float(x)) for x in torch.rand(2, generator=generator, dtype=torch.float64) + 0.5)
    out = (
        (a * b + 2) ** 3
        - (a / b).exp()
        + (b**a).log() * a.tanh()
        + (b - a).relu() / (1 + a * a)
        - 2**b
        + (3 - a)
    )
    out.backward()
    return [out.data, a.grad, b.grad]


def module_answers(MLP: type, generator: torch.Generator) -> list:
    results = []
    for sizes in ([3, 2], [2, 5, 4, 3]):
        model = MLP(sizes).double()
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(normal(generator, *p.shape))
        results += [
            model(normal(generator, 6, sizes[0])).detach(),
            [tuple(p.shape) for p in model.parameters()],
        ]
    return results


def normalised(*shapes: tuple[int, ...]) -> Callable:
    """A driver for layers that normalise: training, what they keep, evaluation, and the gradient."""

    def drive(Norm: type, generator: torch.Generator) -> list:
        results = []
        for eps in (1e-5, 0.1):
            layer = Norm(3, eps=eps).double()
            with torch.no_grad():
                for p in layer.parameters():
                    p.copy_(normal(generator, *p.shape))
            for training in (True, True, False):
                for shape in shapes:
                    X = normal(generator, *shape, scale=4).requires_grad_()
                    out = layer.train(training)(X)
                    results += [
                        out.detach(),
                        *torch.autograd.grad(out.pow(3).sum(), [X, *layer.parameters()]),
                    ]
            results += [value.detach().clone() for _, value in sorted(layer.state_dict().items())]
        return results

    return drive


def same_weights(*arguments: tuple, inputs: tuple[int, ...]) -> Callable:
    """A driver for networks: what they give in training and in evaluation, under weights drawn alike."""

    def drive(Module: type, generator: torch.Generator) -> list:
        results = []
        for given in arguments:
            model = Module(*given).double()
            with torch.no_grad():
                for p in model.parameters():
                    p.copy_(normal(generator, *p.shape, scale=0.3))
            X = normal(generator, *inputs)
            results += [model(X).detach(), model.eval()(X).detach()]
            results.append([tuple(p.shape) for p in model.parameters()])
        return results

    return drive


def looking(MultiHeadAttention: type, generator: torch.Generator) -> list:
    """An attention layer on another sequence, under a mask, and the weights it has kept."""
    layer = MultiHeadAttention(6, 2).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(normal(generator, *p.shape))
    mask = torch.arange(20).reshape(4, 5) % 3 != 0
    out = layer(normal(generator, 2, 4, 6), normal(generator, 2, 5, 6), mask)
    return [out.detach(), layer.weights, layer(normal(generator, 2, 3, 6)).detach()]


def of_tokens(*arguments: tuple, vocabularies: tuple[int, ...]) -> Callable:
    """A driver for models that read tokens: what they give and the gradients, under weights drawn alike."""

    def drive(Module: type, generator: torch.Generator) -> list:
        results = []
        for given in arguments:
            model = Module(*given).double()
            with torch.no_grad():
                for p in model.parameters():
                    p.copy_(normal(generator, *p.shape, scale=0.3))
            tokens = [
                1 + labels(generator, 3 * T, V - 1).reshape(3, T) for T, V in enumerate(vocabularies, 4)
            ]
            tokens[0][0, -2:] = 0  # padding, for those who hide it
            out = model(*tokens)
            out.square().sum().backward()
            results += [out.detach(), *(p.grad for p in model.parameters())]
        return results

    return drive


def blocks(Block: type, generator: torch.Generator) -> list:
    """A block of an encoder, of a decoder, and one with a context."""
    results = []
    for cross in (False, True):
        block = Block(6, 2, 10, cross, 0.5).double().eval()
        with torch.no_grad():
            for p in block.parameters():
                p.copy_(normal(generator, *p.shape))
        X, context = normal(generator, 2, 4, 6), normal(generator, 2, 3, 6)
        mask, hidden = torch.ones(4, 4).bool().tril(), torch.tensor([True, False, True])
        extra = (context, hidden) if cross else ()
        results += [block(X).detach(), block(X, mask, *extra).detach()]
    return results


def hidden_tokens(mask_tokens: Callable, generator: torch.Generator) -> list:
    """What becomes of many tokens, however chance is drawn."""
    results = []
    for settings in ({}, {"share": 0.5}, {"share": 0.0}):
        tokens = torch.full((300, 400), 3)
        inputs, targets = mask_tokens(tokens, 9, 8, generator, **settings)
        fates = inputs[targets != -100]
        results += [
            tokens,
            torch.unique(targets),
            torch.unique(inputs),
            torch.unique(inputs[targets == -100]),
        ]
        results += [round(len(fates) / 120_000, 2)]
        results += [round((fates == k).double().mean().item(), 1) for k in (9, 3) if len(fates)]
    return results


def batches_of(f: Callable, generator: torch.Generator) -> list:
    X = normal(generator, 10, 2)
    return [part for batch in f(X, torch.arange(10), 4, generator) for part in batch]


def layers(generator: torch.Generator, *sizes: int) -> list:
    return [(normal(generator, n, m), normal(generator, n)) for m, n in pairwise(sizes)]


def two(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return normal(generator, 7, 2, scale=3), normal(generator, 7, 2)


def small_network(generator: torch.Generator) -> torch.nn.Module:
    """3-4-2 with ReLU and weights of this generator, in float64."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(normal(generator, *p.shape))
    return model.requires_grad_(False)


def penalty(f: Callable, generator: torch.Generator) -> list:
    """A penalty's value and its gradients; a bias that is left out has none."""
    model = small_network(generator).requires_grad_()
    value = f(model, 0.3)
    return [value.detach(), *torch.autograd.grad(value, list(model.parameters()), materialize_grads=True)]


def dropped(dropout: Callable, generator: torch.Generator) -> list:
    """What dropout makes of numbers, however it draws its mask."""
    a = normal(generator, 400).abs() + 1
    share = dropout(a, 0.75, True, generator) / a
    return [torch.unique(share.round(decimals=6)), dropout(a, 0.75, False, generator)]


def shifted(random_shift: Callable, generator: torch.Generator) -> list:
    """Pictures with a dot in the middle, however the shifts are drawn: the places where the dot comes out."""
    images = torch.zeros(600, 5, 4, dtype=torch.float64)
    images[:, 2, 2] = 3.0
    moved = random_shift(images, 1, generator).flatten(1)
    return [
        torch.unique(moved.argmax(dim=1)),
        torch.unique(moved.sum(dim=1)),
        random_shift(images, 0, generator),
    ]


def early_stops(EarlyStopping: type, generator: torch.Generator) -> list:
    """What it answers to noisy losses with some ties, and what it has kept in the end."""
    results = []
    for patience in (1, 3):
        stopper, model = EarlyStopping(patience), small_network(generator)
        for loss in torch.randint(2, 9, (8,), generator=generator).tolist():
            results.append(stopper.update(float(loss), model))
            for p in model.parameters():
                p += 1.0
        results += [stopper.best_loss, *stopper.best_weights.values()]
    return results


def scored(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Answers of both kinds, and scores with ties."""
    return torch.arange(30) % 3 // 2, torch.randint(0, 12, (30,), generator=generator).double() / 8


def sure(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Confidences, and whether the answers were right."""
    return torch.rand(60, generator=generator, dtype=torch.float64), labels(generator, 60, 2)


def cell(generator: torch.Generator, blocks: int, states: int, biases: int, *time: int) -> tuple:
    """Input, states, weights and biases of a recurrent cell with 3 numbers in and 2 units."""
    return (
        normal(generator, 4, *time, 3),
        *(normal(generator, 4, 2) for _ in range(states)),
        normal(generator, 2 * blocks, 3),
        normal(generator, 2 * blocks, 2),
        *(normal(generator, 2 * blocks) for _ in range(biases)),
    )


def runs(Recurrent: type, generator: torch.Generator) -> list:
    """What every kind of recurrent layer says to a sequence, and to the next from where it stopped."""
    results = []
    for kind in ("rnn", "lstm", "gru"):
        layer = Recurrent(kind, 3, 2).double()
        results.append([tuple(p.shape) for p in layer.parameters()])
        with torch.no_grad():
            for p in layer.parameters():
                p.copy_(normal(generator, *p.shape))
        outputs, state = layer(normal(generator, 4, 5, 3))
        results += [outputs.detach(), layer(normal(generator, 4, 2, 3), state)[0].detach()]
    return results


def clipped_in_place(clip_grad_norm: Callable, generator: torch.Generator) -> list:
    """The length before and the gradients after, where one is too long, and where none is."""
    results = []
    for most in (0.5, 1e3):
        parameters = [torch.zeros(3).double(), torch.zeros(2, 2).double(), torch.zeros(1)]
        for p in parameters[:2]:
            p.grad = normal(generator, *p.shape)
        results += [float(clip_grad_norm(parameters, most)), *(p.grad for p in parameters)]
    return results


EXTREME = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 3.0]], dtype=torch.float64)
DRIVERS: dict[str, Callable] = {
    # 01, 02
    "neuron": call(lambda g: (normal(g, 3), normal(g, 3), normal(g))),
    "update": call(*[lambda g: (normal(g, 3), labels(g, 1, 2)[0], normal(g, 3), normal(g))] * 5),
    "train_perceptron": lambda f, g: [
        part if not isinstance(part, list) else len(part)
        for part in f(torch.randn(20, 2, generator=g), labels(g, 20, 2), 15)
    ],
    "logistic_gradient": call(lambda g: (normal(g, 9, 3), labels(g, 9, 2).double(), normal(g, 3), normal(g))),
    "slope": call(lambda g: (torch.tanh, normal(g, 5)), lambda g: (torch.sign, normal(g, 5))),
    "sigmoid": call(lambda g: (normal(g, 5, 2, scale=500),)),
    "softmax": call(lambda g: (normal(g, 5, 4, scale=300), 1), lambda g: (normal(g, 5, 4), 0)),
    # 03
    "broadcast_shape": call(lambda g: ((3, 1), (4,)), lambda g: ((), (2, 0)), lambda g: ((1, 5), (6, 1, 1))),
    "standardize": call(lambda g: (normal(g, 6, 3, scale=9) + 4,), lambda g: (torch.full((4, 2), 2.5),)),
    "one_hot": call(lambda g: (labels(g, 6, 4), 5)),
    "pairwise_sq_distances": call(lambda g: (normal(g, 5, 3), normal(g, 7, 3))),
    "safe_mse": call(two),
    "unbroadcast": call(lambda g: (normal(g, 4, 3, 2), (3, 1)), lambda g: (normal(g, 4, 3), ())),
    # 04
    "linear": call(lambda g: (normal(g, 5, 3), normal(g, 4, 3), normal(g, 4))),
    "forward": call(
        lambda g: (normal(g, 5, 3), layers(g, 3, 6, 5, 2)), lambda g: (normal(g, 5, 3), layers(g, 3, 1))
    ),
    "MLP": module_answers,
    "count_parameters": call(lambda g: (torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)),)),
    # 05
    "reduce": call(*[lambda g, how=how: (normal(g, 4, 2), how) for how in ("mean", "sum", "none")]),
    "mse": with_gradient(two),
    "mae": with_gradient(two),
    "huber": with_gradient(lambda g: (*two(g), 1.5)),
    "smooth_l1": with_gradient(lambda g: (*two(g), 1.5), two),
    "zero_one": call(lambda g: (labels(g, 9, 3), labels(g, 9, 3))),
    "hinge": with_gradient(lambda g: (normal(g, 8, scale=2), signs(g, 8))),
    "bce": with_gradient(
        lambda g: (torch.rand(6, generator=g, dtype=torch.float64), labels(g, 6, 2).double())
    ),
    "softplus": with_gradient(lambda g: (normal(g, 9, scale=400),)),
    "bce_with_logits": with_gradient(
        lambda g: (normal(g, 9, scale=3), labels(g, 9, 2).double()),
        lambda g: (EXTREME[0, :2].clone(), torch.tensor([0.0, 1.0], dtype=torch.float64)),
    ),
    "log_sum_exp": with_gradient(
        lambda g: (normal(g, 4, 3, scale=300), 1), lambda g: (EXTREME.clone(), 0, True)
    ),
    "log_softmax": with_gradient(lambda g: (normal(g, 4, 3, scale=300), 1)),
    "nll": with_gradient(lambda g: (-normal(g, 5, 3).square(), labels(g, 5, 3))),
    "cross_entropy": with_gradient(
        lambda g: (normal(g, 6, 4, scale=3), labels(g, 6, 4)),
        lambda g: (EXTREME.clone(), torch.tensor([1, 1])),
    ),
    # 06
    "Value": value_graph,
    "numerical_gradient": call(lambda g: (lambda x: (x**3).sum() + x.prod(), normal(g, 2, 3))),
    "linear_backward": call(lambda g: (normal(g, 6, 3), normal(g, 4, 3), normal(g, 6, 4))),
    "relu_backward": call(lambda g: (normal(g, 6, 3), normal(g, 6, 3))),
    "softmax_cross_entropy_backward": call(lambda g: (normal(g, 6, 4, scale=200), labels(g, 6, 4))),
    # 07
    "minibatches": batches_of,
    "Optimizer": plain_steps,
    "SGD": steps({"lr": 0.1}),
    "Momentum": steps({"lr": 0.05}, {"lr": 0.1, "momentum": 0.5}),
    "Nesterov": steps({"lr": 0.05}, {"lr": 0.1, "momentum": 0.5}),
    "Adagrad": steps({"lr": 0.3}, {"lr": 0.3, "eps": 0.1}),
    "RMSProp": steps({"lr": 0.05}, {"lr": 0.05, "alpha": 0.8, "eps": 0.1}),
    "Adam": steps({}, {"lr": 0.1, "betas": (0.7, 0.9), "eps": 0.1}),
    "AdamW": steps({}, {"lr": 0.1, "betas": (0.7, 0.9), "eps": 0.1, "weight_decay": 0.2}),
    "clip_by_norm": call(lambda g: ([normal(g, 3), normal(g, 2, 2)], 0.5), lambda g: ([torch.zeros(2)], 1.0)),
    "step_lr": schedule((7,), (5, 0.5)),
    "multi_step_lr": schedule(((5, 20),), ((3, 4, 30), 0.5)),
    "exponential_lr": schedule((0.9,)),
    "cosine_lr": schedule((30,), (25, 0.01)),
    "warmup": schedule((10,), (1,)),
    "one_cycle": schedule((40,), (50, 0.4, 10.0, 100.0)),
    # 08
    "xavier_uniform": call(lambda g: (7, 4, g), lambda g: (3, 9, g, 5 / 3)),
    "kaiming_normal": call(lambda g: (7, 4, g), lambda g: (1, 3, g)),
    "BatchNorm": normalised((8, 3)),
    "LayerNorm": normalised((8, 3), (2, 4, 3), (3,)),
    # 12
    "output_size": call(lambda g: (28, 5), lambda g: (28, 5, 2, 2), lambda g: (9, 3, 2, 0, 4)),
    "conv2d": call(lambda g: (normal(g, 2, 3, 7, 9), normal(g, 4, 3, 3, 2), normal(g, 4))),
    "max_pool2d": call(lambda g: (normal(g, 2, 3, 8, 6), 2)),
    "receptive_field": call(lambda g: ([(5, 1), (2, 2), (5, 1)],), lambda g: ([],)),
    "LeNet": same_weights((), inputs=(3, 1, 28, 28)),
    "ResidualBlock": same_weights((4, 4), (4, 6), (4, 4, 2), (4, 5, 2), inputs=(3, 4, 7, 6)),
    # 13
    "rnn_step": call(lambda g: cell(g, 1, 1, 1)),
    "rnn_forward": call(lambda g: cell(g, 1, 1, 1, 5)),
    "lstm_step": call(lambda g: cell(g, 4, 2, 1)),
    "gru_step": call(lambda g: cell(g, 3, 1, 2)),
    "Recurrent": runs,
    "clip_grad_norm": clipped_in_place,
    "pad_sequences": call(lambda g: ([[1, 2], [], [3, 4, 5]],), lambda g: ([[1], [2, 3]], 7)),
    "next_char_pairs": call(lambda g: (["abc", "b"], ".abc")),
    "sample_index": call(*[lambda g: (normal(g, 5, scale=3), 0.7, g)] * 20),
    # 14
    "attention": call(
        lambda g: (normal(g, 2, 3, 5, 4), normal(g, 2, 3, 6, 4), normal(g, 2, 3, 6, 7)),
        lambda g: (
            normal(g, 5, 4),
            normal(g, 3, 4),
            normal(g, 3, 2),
            torch.arange(15).reshape(5, 3) % 4 != 0,
        ),
    ),
    "causal_mask": call(lambda g: (1,), lambda g: (6,)),
    "padding_mask": call(lambda g: (labels(g, 5, 8), 7)),
    "split_heads": call(lambda g: (normal(g, 2, 5, 12), 3), lambda g: (normal(g, 1, 4, 6), 1)),
    "merge_heads": call(lambda g: (normal(g, 2, 3, 5, 4),)),
    "MultiHeadAttention": same_weights((12, 3), (12, 1), inputs=(2, 5, 12)),
    "sinusoidal_positions": call(lambda g: (9, 6), lambda g: (1, 2)),
    # 16
    "discriminator_loss": with_gradient(lambda g: (normal(g, 5, 1, scale=9), normal(g, 3, 1, scale=9))),
    "generator_loss": with_gradient(lambda g: (normal(g, 5, 1, scale=9),)),
    "best_discriminator": call(lambda g: (normal(g, 9).abs(), normal(g, 9).abs())),
    "interpolate": call(lambda g: (normal(g, 4), normal(g, 4), 5), lambda g: (normal(g, 1), normal(g, 1), 2)),
    "modes_covered": call(*[lambda g, r=r: (normal(g, 9, 2), normal(g, 8, 2), r) for r in (0.3, 0.8)]),
    "Generator": same_weights((), (16, 4), inputs=(3, 16)),
    "Discriminator": same_weights((), (4,), inputs=(3, 1, 28, 28)),
    # 15
    "FeedForward": same_weights((6, 10), (6, 3), inputs=(2, 5, 6)),
    "Block": blocks,
    "Tower": of_tokens((9, 6, 2, 10, 2), (9, 6, 3, 10, 1, False, 12), vocabularies=(9,)),
    "GPT": of_tokens((9, 6, 2, 10, 2), (9, 6, 3, 10, 1, 12), vocabularies=(9,)),
    "BERT": of_tokens((9, 6, 2, 10, 2), (9, 6, 3, 10, 1, 8), vocabularies=(9,)),
    "EncoderDecoder": of_tokens((9, 7, 6, 2, 10, 2), (9, 7, 6, 3, 10, 1, 8), vocabularies=(9, 7)),
    "shift_targets": call(
        lambda g: (labels(g, 12, 9).reshape(3, 4), 9), lambda g: (labels(g, 2, 9)[:, None], 0)
    ),
    "mask_tokens": hidden_tokens,
    "noam_warmup": call(*[lambda g, step=step: (step, 64, 10) for step in (1, 5, 10, 11, 500)]),
    "top_k": call(*[lambda g, k=k: (normal(g, 3, 6), k) for k in (1, 4, 6)], lambda g: (normal(g, 5), 2)),
    "top_p": call(*[lambda g, p=p: (normal(g, 3, 6), p) for p in (0.01, 0.5, 0.9, 1.0)]),
    "greedy_decode": call(
        *[
            lambda g, most=most: (lambda so_far: -torch.arange(9).sub(so_far[-1] + 2).abs(), 1, 7, most)
            for most in (0, 2, 9)
        ],
    ),
    "error_rate": call(
        *[lambda g: (labels(g, 7, 3).tolist(), labels(g, 6, 3).tolist())] * 5, lambda g: ([], ["K", "AE"])
    ),
    # 09
    "l1_penalty": penalty,
    "l2_penalty": penalty,
    "dropout": dropped,
    "random_shift": shifted,
    "EarlyStopping": early_stops,
    "ensemble": call(lambda g: ([small_network(g) for _ in range(3)], normal(g, 5, 3, scale=9))),
    # 11
    "confusion_matrix": call(lambda g: (labels(g, 40, 4), labels(g, 40, 4), 4)),
    "rates": call(
        lambda g: (labels(g, 40, 2), labels(g, 40, 2)),
        lambda g: (torch.zeros(5).long(), torch.zeros(5).long()),
    ),
    "precision_recall_f1": call(lambda g: (labels(g, 40, 4), labels(g, 40, 4), 5)),
    "roc_curve": call(scored),
    "auc": call(scored),
    "precision_recall_curve": call(scored),
    "average_precision": call(scored),
    "best_threshold": call(lambda g: (*scored(g), 1.0, 3.0), lambda g: (*scored(g), 7.0, 1.0)),
    "reliability": call(sure),
    "calibration_error": call(sure, lambda g: (*sure(g), 7)),
    "fit_temperature": call(lambda g: (normal(g, 50, 3, scale=2), labels(g, 50, 3))),
    "bootstrap_interval": call(lambda g: (labels(g, 30, 2), 40, g), lambda g: (labels(g, 9, 2), 50, g, 0.8)),
}
# an exercise asks for the plain form only; what the lesson's own definition can do besides is tried here
MORE: dict[str, Callable] = {
    "precision_recall_f1": call(
        *[
            lambda g, how=how: (labels(g, 40, 4), labels(g, 40, 4), 5, how)
            for how in ("micro", "weighted", None)
        ]
    ),
    "cross_entropy": with_gradient(
        lambda g: (normal(g, 6, 4), labels(g, 6, 4), torch.rand(4, generator=g, dtype=torch.float64), 0.2),
        lambda g: (normal(g, 6, 4), labels(g, 6, 4), None, 0.1, "none"),
    ),
    "bce_with_logits": with_gradient(
        lambda g: (normal(g, 6), labels(g, 6, 2).double(), torch.tensor(3.0, dtype=torch.float64), "sum"),
    ),
    "nll": with_gradient(
        lambda g: (
            -normal(g, 5, 3).square(),
            labels(g, 5, 3),
            torch.rand(3, generator=g, dtype=torch.float64),
        ),
    ),
    "Adam": steps({"lr": 0.1, "correct": False}),
    **{name: with_gradient(lambda g: (*two(g), 1.0, "sum")) for name in ("huber", "smooth_l1")},
    **{name: with_gradient(lambda g: (*two(g), "none")) for name in ("mse", "mae")},
    "conv2d": call(
        lambda g: (normal(g, 2, 3, 7, 9), normal(g, 4, 3, 3, 2)),
        lambda g: (normal(g, 2, 3, 7, 9), normal(g, 4, 3, 3, 2), normal(g, 4), 2, 1),
        lambda g: (normal(g, 1, 2, 7, 9), normal(g, 1, 2, 2, 3), None, 3, 2, 2),
    ),
    "MultiHeadAttention": looking,
    "LeNet": same_weights((7,), inputs=(2, 1, 28, 28)),
    "max_pool2d": call(lambda g: (normal(g, 2, 3, 8, 7), 3, 2), lambda g: (normal(g, 1, 2, 8, 7), 3)),
}


# ------------------------------------------------------------------------------------------- the tests


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, Tensor):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    else:
        assert one == other


def test_everything_says_where_it_was_built():
    assert [name for name, (_, lesson) in BUILT.items() if not lesson] == []


def test_everything_is_tried():
    assert sorted(BUILT) == sorted(DRIVERS)
    assert set(MORE) <= set(BUILT)


@pytest.mark.parametrize("name", sorted(BUILT))
def test_the_lesson_and_utils_agree(name: str):
    thing, lesson = BUILT[name]
    found = definitions(name, lesson)
    assert found, f"lesson {lesson} neither defines {name} nor has an exercise that does"
    for place, other in found:
        drivers = [DRIVERS[name]] + ([MORE[name]] if name in MORE and place == "the lesson" else [])
        for drive in drivers:
            for seed in range(3):
                ours = drive(thing, torch.Generator().manual_seed(seed))
                theirs = drive(other, torch.Generator().manual_seed(seed))
                assert_same(ours, theirs)
