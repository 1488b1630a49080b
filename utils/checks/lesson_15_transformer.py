"""The exercises of lesson 15 as data: the block, what models learn from, decoding, cost, error rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .common import (
    NOT_LOOKED_AT,
    changed,
    given_back,
    gradient_reach,
    made_module,
    normal,
    whole_number,
)
from .exercise import Case, Exercise, Misconception, NotAsAsked, Stopped

# --------------------------------------------------------------------------- what modules are asked


def _listed(shapes: Sequence[tuple[int, ...]]) -> dict[str, str]:
    """What there is to learn, by shape: {"shape (4, 4), 2 times": "weights"}."""
    times = {shape: f", {shapes.count(shape)} times" if shapes.count(shape) > 1 else "" for shape in shapes}
    return {f"shape {shape}{times[shape]}": "weights" if len(shape) > 1 else "biases" for shape in shapes}


def _fill(parameter: Tensor, seed: int, number: int) -> None:
    """Weights that depend on the seed, a number and the parameter's shape only."""
    generator = torch.Generator().manual_seed(100 * seed + number)
    scale = (1.5 / parameter.shape[-1]) ** 0.5 if parameter.dim() > 1 else 0.5
    with torch.no_grad():
        parameter.copy_(normal(generator, *parameter.shape, scale=scale))


# ---------------------------------------------------------------------------------- 15.feed_forward


class FeedForward(nn.Module):
    """Two linear layers with ReLU between them, the same at every place."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def forward(self, X: Tensor) -> Tensor:
        return self.down(torch.relu(self.up(X)))


def feed_forward_behaviour(
    work: type, d_model: int, d_ff: int, X: Tensor, seed: int
) -> tuple[dict[str, str], Any, str]:
    """Probe: makes the module, gives it weights drawn from the seed by their shapes, and calls it."""
    model = made_module(work, d_model, d_ff)
    wanted = [(d_ff, d_model), (d_ff,), (d_model, d_ff), (d_model,)]
    parameters = list(model.parameters())
    for parameter in parameters:
        shape = tuple(parameter.shape)
        _fill(parameter, seed, wanted.index(shape) if shape in wanted else len(wanted))
    have = _listed([tuple(p.shape) for p in parameters])
    whole = have == _listed(wanted)
    try:
        out = given_back(model(X))
    except RuntimeError as error:
        if whole or isinstance(error, NotImplementedError):
            raise
        # shapes that do not fit are no wonder where layers are wrong: of these the learner hears first
        return have, NOT_LOOKED_AT, "not looked at"
    return have, out.detach() if whole else NOT_LOOKED_AT, gradient_reach(model, out)


def feed_forward_cases(generator: torch.Generator) -> list[Case]:
    def case(
        group: str, d_model: int, d_ff: int, shape: tuple[int, ...], note: str, scale: float = 1.0
    ) -> Case:
        X = normal(generator, *shape, d_model, scale=scale)
        return Case(group, (d_model, d_ff, X, whole_number(generator, 0, 10_000)), note)

    n = whole_number(generator, 3, 6)
    return [
        case("values", 4, 16, (2, 3), "two sequences of three places"),
        case("values", n, 2 * n + 1, (3, 5), "other sizes"),
        case("shapes", 6, 5, (2, 4), "fewer units between than features"),
        case("shapes", 4, 8, (1, 1), "a batch of one, one place"),
        case("shapes", 5, 9, (7,), "without a batch"),
        case("shapes", 3, 4, (2, 2, 3), "one axis more"),
        case("edge cases", 4, 6, (2, 3), "large numbers", 100.0),
        Case("edge cases", (4, 6, torch.zeros(2, 3, 4), whole_number(generator, 0, 99)), "nothing but zeros"),
    ]


_FORWARD = """
class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def forward(self, X):
        return self.down(torch.relu(self.up(X)))
"""
_BETWEEN = "self.down(torch.relu(self.up(X)))"

FEED_FORWARD = Exercise(
    id="15.feed_forward",
    name="FeedForward",
    title="Each place thinks for itself",
    difficulty=1,
    points=2,
    minutes=6,
    cases=feed_forward_cases,
    reference=FeedForward,
    probe=feed_forward_behaviour,
    input_names=("d_model", "d_ff", "X", "seed of the weights"),
    output_names=("list of parameters", "output", "gradient"),
    result="a module whose parameters are found and whose forward keeps the shape of X",
    rtol=1e-3,
    atol=1e-4,
    given={"nn": nn, "F": F},
    misconceptions=(
        Misconception(
            "no activation between",
            changed(_FORWARD, (_BETWEEN, "self.down(self.up(X))")),
            "There is nothing between your two layers. Two linear layers in a row are one: without the bend "
            "the wide middle gains nothing.",
        ),
        Misconception(
            "activation at the end too",
            changed(_FORWARD, (_BETWEEN, f"torch.relu({_BETWEEN})")),
            "You bend after the second layer, too, so nothing negative comes out. What is added to the "
            "shortcut must be able to take away as well.",
        ),
        Misconception(
            "activation only at the end",
            changed(_FORWARD, (_BETWEEN, "torch.relu(self.down(self.up(X)))")),
            "Your ReLU stands after both layers. Its place is between them.",
        ),
        Misconception(
            "activation before the layers",
            changed(_FORWARD, (_BETWEEN, "self.down(self.up(torch.relu(X)))")),
            "Your ReLU cuts off the input, before any layer. Its place is between the two.",
        ),
        Misconception(
            "GELU",
            changed(_FORWARD, ("torch.relu", "F.gelu")),
            "You bend with GELU, as BERT and GPT do. Here ReLU is asked for, as in the first Transformer.",
        ),
        Misconception(
            "sigmoid",
            changed(_FORWARD, ("torch.relu", "torch.sigmoid")),
            "You bend with the sigmoid. ReLU is asked for.",
        ),
        Misconception(
            "tanh",
            changed(_FORWARD, ("torch.relu", "torch.tanh")),
            "You bend with tanh. ReLU is asked for.",
        ),
        Misconception(
            "softmax between",
            changed(_FORWARD, ("torch.relu(self.up(X))", "torch.softmax(self.up(X), dim=-1)")),
            "There is a softmax between your layers. It belongs to the attention's weights; here each unit "
            "is bent by itself.",
        ),
        Misconception(
            "sizes swapped",
            changed(
                _FORWARD,
                ("nn.Linear(d_model, d_ff)", "nn.Linear(d_ff, D)"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(d_model, d_ff)"),
                ("(d_ff, D)", "(d_ff, d_model)"),
            ),
            "Your first layer takes d_ff numbers. X brings d_model: first to d_ff, then back.",
        ),
        Misconception(
            "no biases",
            changed(
                _FORWARD,
                ("(d_model, d_ff)\n        self.down", "(d_model, d_ff, bias=False)\n        self.down"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(d_ff, d_model, bias=False)"),
            ),
            "Your layers have no biases. Both have one here.",
        ),
        Misconception(
            "no biases in the second layer",
            changed(_FORWARD, ("nn.Linear(d_ff, d_model)", "nn.Linear(d_ff, d_model, bias=False)")),
            "Your second layer has no biases. Both layers have them here.",
        ),
        Misconception(
            "stays wide",
            changed(_FORWARD, ("nn.Linear(d_ff, d_model)", "nn.Linear(d_ff, d_ff)")),
            "Your second layer stays d_ff wide. It has to come back to d_model, or the result cannot be "
            "added to the shortcut.",
        ),
        Misconception(
            "never wide",
            changed(
                _FORWARD,
                ("(d_model, d_ff)\n        self.down", "(d_model, d_model)\n        self.down"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(d_model, d_model)"),
            ),
            "Both your layers have d_model units: d_ff is not used. It is the width between them.",
        ),
        Misconception(
            "always four times as wide",
            changed(
                _FORWARD,
                ("(d_model, d_ff)\n        self.down", "(d_model, 4 * d_model)\n        self.down"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(4 * d_model, d_model)"),
            ),
            "Your middle is always 4 · d_model wide. That is a habit, not a law: take d_ff.",
        ),
        Misconception(
            "one layer only",
            changed(
                _FORWARD,
                (_BETWEEN, "torch.relu(self.down(X))"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(d_model, d_model)"),
                ("        self.up = nn.Linear(d_model, d_ff)\n", ""),
            ),
            "You have a single layer. Two are asked for, with d_ff units between them.",
        ),
        Misconception(
            "shortcut included",
            changed(_FORWARD, (_BETWEEN, f"X + {_BETWEEN}")),
            "You add X to the result. The shortcut belongs to the block, which puts it round this part; here "
            "it would be added twice.",
        ),
        Misconception(
            "norm included",
            changed(
                _FORWARD,
                ("        self.up", "        self.norm = nn.LayerNorm(d_model)\n        self.up"),
                ("self.up(X)", "self.up(self.norm(X))"),
            ),
            "You put a layer norm in. It belongs to the block, not to this part, and has parameters of its "
            "own.",
        ),
        Misconception(
            "layers in a plain list",
            """
class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.layers = [nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)]

    def forward(self, X):
        return self.layers[1](torch.relu(self.layers[0](X)))
""",
            "Nothing to train is found in your module. Do the layers stand in a plain Python list, where "
            "`nn.Module` does not look? Or are they made anew in `forward`? Make them in `__init__`, each an "
            "attribute of its own.",
        ),
        Misconception(
            "places averaged",
            changed(_FORWARD, ("self.up(X)", "self.up(X.mean(dim=-2, keepdim=True).expand_as(X))")),
            "You take the mean over the places, so all of them get the same. This part treats each place by "
            "itself; only attention looks around.",
        ),
    ),
    hints=(
        "Which two shapes do the weights need, so that d_model features go in, d_ff units stand in between "
        "and d_model features come out? And what stands between two linear layers?",
        "Make both layers in `__init__`, after `nn.Module` has set itself up. In `forward` send X through "
        "the first, bend, and send it through the second. A linear layer works on the last axis, whatever "
        "stands before it, so no loop over places is needed.",
    ),
    alternatives=(
        """
class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))

    def forward(self, X):
        return self.net(X)
""",
        """
class FeedForward(nn.Sequential):
    def __init__(self, d_model, d_ff):
        super().__init__(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
""",
        """
class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.second = nn.Linear(d_ff, d_model)
        self.first = nn.Linear(d_model, d_ff)

    def forward(self, X):
        hidden = X @ self.first.weight.T + self.first.bias
        return self.second(hidden.clamp(min=0))
""",
    ),
)

# --------------------------------------------------------------------------------- 15.encoder_block


class MultiHeadAttention(nn.Module):
    """Lesson 14's attention with h heads, for the reference and the wrong answers."""

    def __init__(self, d_model: int, h: int) -> None:
        super().__init__()
        self.h = h
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, X: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        context = X if context is None else context
        parts = (self.W_q(X), self.W_k(context), self.W_v(context))
        Q, K, V = (part.unflatten(-1, (self.h, -1)).transpose(1, 2) for part in parts)
        scores = Q @ K.transpose(-2, -1) / Q.shape[-1] ** 0.5  # (B, h, T_q, T_k)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        out = scores.softmax(dim=-1) @ V
        return self.W_o(out.transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    """Attention, then a network for each place: a norm before each, a shortcut round each."""

    def __init__(self, d_model: int, h: int, d_ff: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, h)
        self.feed_forward = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))

    def forward(self, X: Tensor, mask: Tensor | None = None) -> Tensor:
        X = X + self.attention(self.norm1(X), mask=mask)
        return X + self.feed_forward(self.norm2(X))


def _give_block_weights(model: nn.Module, X: Tensor, seed: int) -> None:
    """Weights drawn from the seed, by what a layer is for: its names and places are the learner's own.

    The norms have the same shapes, so they are told apart by which is called first.
    """
    called: list[nn.Module] = []

    def note(module: nn.Module, *_: Any) -> None:
        if module not in called:
            called.append(module)

    norms = [m for m in model.modules() if isinstance(m, nn.LayerNorm)]
    hooks = [norm.register_forward_hook(note) for norm in norms]
    try:
        with torch.no_grad():
            model(X)
    finally:
        for hook in hooks:
            hook.remove()
    order = called + [norm for norm in norms if norm not in called]
    inside: set[int] = set()
    for module in model.modules():
        if type(module).__name__ == "MultiHeadAttention":
            for number, (_, parameter) in enumerate(sorted(module.named_parameters())):
                _fill(parameter, seed, number)
                inside.add(id(parameter))
    for number, norm in enumerate(order):
        for k, (_, parameter) in enumerate(sorted(norm.named_parameters())):
            _fill(parameter, seed, 20 + 2 * number + k)
            inside.add(id(parameter))
    for parameter in model.parameters():
        if id(parameter) not in inside:
            _fill(parameter, seed, 40 + parameter.dim())


def block_behaviour(
    work: type, d_model: int, h: int, d_ff: int, X: Tensor, mask: Tensor | None, seed: int
) -> tuple[dict[str, str], Any, str]:
    """Probe: makes a block, gives it weights drawn from the seed, and calls it with or without a mask.

    Raises:
        NotAsAsked: if the object is no module with a `forward`, or what it returns is no tensor.
    """
    model = made_module(work, d_model, h, d_ff)
    have = _listed([tuple(p.shape) for p in model.parameters()])
    wanted = [*4 * [(d_model, d_model)], *9 * [(d_model,)], (d_ff, d_model), (d_ff,), (d_model, d_ff)]
    whole = sorted(have) == sorted(_listed(wanted))
    if not whole:
        return dict(sorted(have.items())), NOT_LOOKED_AT, "not looked at"
    _give_block_weights(model, X, seed)
    out = given_back(model(X) if mask is None else model(X, mask))
    return dict(sorted(have.items())), out.detach(), gradient_reach(model, out)


def block_cases(generator: torch.Generator) -> list[Case]:
    def case(
        group: str, d_model: int, h: int, d_ff: int, B: int, T: int, note: str, mask: Tensor | None = None
    ) -> Case:
        X, seed = 2 * normal(generator, B, T, d_model) + 0.5, whole_number(generator, 0, 10_000)
        return Case(group, (d_model, h, d_ff, X, mask, seed), note)

    T = whole_number(generator, 4, 6)
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    lengths = torch.tensor([4, 2, 1])
    padding = (torch.arange(4) < lengths[:, None])[:, None, None, :]
    return [
        case("values", 8, 2, 16, 2, 3, "two heads, no mask"),
        case("values", 6, 3, 7, 3, T, "three heads, another width"),
        case("values", 8, 4, 12, 2, T, "a causal mask", causal),
        case("values", 4, 2, 10, 3, 4, "a mask that hides padding", padding),
        case("shapes", 6, 1, 4, 1, 5, "a batch of one, one head"),
        case("edge cases", 10, 5, 8, 2, 1, "a single place"),
    ]


_BLOCK = """
class EncoderBlock(nn.Module):
    def __init__(self, d_model, h, d_ff):
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, h)
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def feed_forward(self, X):
        return self.down(torch.relu(self.up(X)))

    def forward(self, X, mask=None):
        X = X + self.attention(self.norm1(X), mask=mask)
        X = X + self.feed_forward(self.norm2(X))
        return X
"""
_FIRST = "X = X + self.attention(self.norm1(X), mask=mask)"
_SECOND = "X = X + self.feed_forward(self.norm2(X))"

ENCODER_BLOCK = Exercise(
    id="15.encoder_block",
    name="EncoderBlock",
    title="The block of an encoder",
    difficulty=3,
    points=5,
    minutes=15,
    cases=block_cases,
    reference=EncoderBlock,
    probe=block_behaviour,
    input_names=("d_model", "h", "d_ff", "X", "mask", "seed of the weights"),
    output_names=("list of parameters", "output", "gradient"),
    result="a module whose parameters are found and whose forward keeps the shape of X",
    rtol=1e-3,
    atol=1e-4,
    given={"nn": nn, "F": F, "MultiHeadAttention": MultiHeadAttention},
    time_limit=6.0,  # by the clock on the wall: a right block needs a hundredth, but not on a busy machine
    misconceptions=(
        Misconception(
            "norm after the sum",
            changed(
                _BLOCK,
                (_FIRST, "X = self.norm1(X + self.attention(X, mask=mask))"),
                (_SECOND, "X = self.norm2(X + self.feed_forward(X))"),
            ),
            "Your norms stand after the sums, as in the Transformer of 2017 (post-norm). Here each part gets "
            "a normed input, and what goes straight through is never normed (pre-norm).",
        ),
        Misconception(
            "norm after the part",
            changed(
                _BLOCK,
                (_FIRST, "X = X + self.norm1(self.attention(X, mask=mask))"),
                (_SECOND, "X = X + self.norm2(self.feed_forward(X))"),
            ),
            "You norm what attention and feed-forward give. The norm belongs before each of them, on what "
            "they get.",
        ),
        Misconception(
            "shortcut from behind the norm",
            changed(
                _BLOCK,
                (_FIRST, "X = self.norm1(X)\n        X = X + self.attention(X, mask=mask)"),
                (_SECOND, "X = self.norm2(X)\n        X = X + self.feed_forward(X)"),
            ),
            "Your shortcuts begin behind the norms: X was overwritten by its normed self. What goes straight "
            "through should be X as it came.",
        ),
        Misconception(
            "second shortcut from behind the norm",
            changed(_BLOCK, (_SECOND, "X = self.norm2(X)\n        X = X + self.feed_forward(X)")),
            "Your first half is right. In the second the shortcut begins behind the norm, so X is normed on "
            "its way straight through.",
        ),
        Misconception(
            "first shortcut from behind the norm",
            changed(_BLOCK, (_FIRST, "X = self.norm1(X)\n        X = X + self.attention(X, mask=mask)")),
            "Your second half is right. In the first the shortcut begins behind the norm, so X is normed on "
            "its way straight through.",
        ),
        Misconception(
            "no shortcuts",
            changed(
                _BLOCK,
                (_FIRST, "X = self.attention(self.norm1(X), mask=mask)"),
                (_SECOND, "X = self.feed_forward(self.norm2(X))"),
            ),
            "Both shortcuts are missing: each part replaces X. It should only add to it, so that X and the "
            "gradient have a way straight through.",
        ),
        Misconception(
            "no shortcut round attention",
            changed(_BLOCK, (_FIRST, "X = self.attention(self.norm1(X), mask=mask)")),
            "The shortcut round the attention is missing: what it gives replaces X, where it should be "
            "added.",
        ),
        Misconception(
            "no shortcut round feed-forward",
            changed(_BLOCK, (_SECOND, "X = self.feed_forward(self.norm2(X))")),
            "The shortcut round the feed-forward part is missing: what it gives replaces X, where it should "
            "be added.",
        ),
        Misconception(
            "one shortcut round everything",
            changed(
                _BLOCK,
                (_FIRST, "out = self.attention(self.norm1(X), mask=mask)"),
                (_SECOND, "X = X + self.feed_forward(self.norm2(out))"),
            ),
            "You have one shortcut round the whole block. There are two: one round each part.",
        ),
        Misconception(
            "side by side",
            changed(
                _BLOCK,
                (_FIRST, "out = self.attention(self.norm1(X), mask=mask)"),
                (_SECOND, "X = X + out + self.feed_forward(self.norm2(X))"),
            ),
            "Your feed-forward part gets the block's input. It should get what stands there after the "
            "attention was added: one part after the other.",
        ),
        Misconception(
            "feed-forward first",
            changed(
                _BLOCK,
                (_FIRST, "@"),
                (_SECOND, _FIRST.replace("norm1", "norm2")),
                ("@", _SECOND.replace("norm2", "norm1")),
            ),
            "Your feed-forward part comes before the attention. First the places look around, then each "
            "works on what it has seen.",
        ),
        Misconception(
            "no norm used",
            changed(
                _BLOCK,
                (_FIRST, "X = X + self.attention(X, mask=mask)"),
                (_SECOND, "X = X + self.feed_forward(X)"),
            ),
            "Your norms are made, but never used. No gradient reaches them.",
        ),
        Misconception(
            "feed-forward without norm",
            changed(_BLOCK, (_SECOND, "X = X + self.feed_forward(X)")),
            "Your feed-forward part gets X as it is. There is a second norm, before it.",
        ),
        Misconception(
            "attention without norm",
            changed(_BLOCK, (_FIRST, "X = X + self.attention(X, mask=mask)")),
            "Your attention gets X as it is. There is a first norm, before it.",
        ),
        Misconception(
            "one norm for both",
            changed(
                _BLOCK, ("        self.norm2 = nn.LayerNorm(d_model)\n", ""), ("self.norm2", "self.norm1")
            ),
            "You use one norm at both places. Each has its own: two of them, each with a scale and a shift.",
        ),
        Misconception(
            "a third norm at the end",
            changed(
                _BLOCK,
                ("        self.up =", "        self.norm3 = nn.LayerNorm(d_model)\n        self.up ="),
                ("return X\n", "return self.norm3(X)\n"),
            ),
            "There is a third norm at the end of your block. It is needed once, after the last block of the "
            "whole model, and not in each.",
        ),
        Misconception(
            "mask not handed on",
            changed(_BLOCK, (", mask=mask)", ")")),
            "Without a mask all is right; with one, nothing changes. Does the attention get it?",
        ),
        Misconception(
            "mask handed over as the context",
            changed(_BLOCK, (", mask=mask)", ", mask)")),
            "The second place in the attention's call is the context, not the mask. So keys and values are "
            "made of the mask. Name the argument.",
        ),
        Misconception(
            "keys and values without norm",
            changed(
                _BLOCK,
                ("self.attention(self.norm1(X), mask=mask)", "self.attention(self.norm1(X), X, mask=mask)"),
            ),
            "Only your queries are normed: keys and values are made of X as it came. In self-attention all "
            "three come from the same.",
        ),
        Misconception(
            "one head",
            changed(_BLOCK, ("MultiHeadAttention(d_model, h)", "MultiHeadAttention(d_model, 1)")),
            "Your attention has a single head, whatever h says. The number of parameters does not tell, but "
            "the result does.",
        ),
        Misconception(
            "no ReLU in the feed-forward part",
            changed(_BLOCK, ("torch.relu(self.up(X))", "self.up(X)")),
            "There is no ReLU between the two linear layers of your feed-forward part.",
        ),
        Misconception(
            "d_ff not used",
            changed(
                _BLOCK,
                ("nn.Linear(d_model, d_ff)", "nn.Linear(d_model, 4 * d_model)"),
                ("nn.Linear(d_ff, d_model)", "nn.Linear(4 * d_model, d_model)"),
            ),
            "Your feed-forward part is always 4 · d_model wide. Take d_ff.",
        ),
        Misconception(
            "first norm used twice",
            changed(_BLOCK, ("self.norm2(X)", "self.norm1(X)")),
            "Your feed-forward part goes through the first norm once more. The second norm is made, but "
            "nothing ever goes through it.",
        ),
        Misconception(
            "second shortcut from the input",
            changed(
                _BLOCK,
                (_FIRST, "seen = X + self.attention(self.norm1(X), mask=mask)"),
                (_SECOND, "X = X + self.feed_forward(self.norm2(seen))"),
            ),
            "Your second shortcut begins at the block's input, so what the attention has added is lost on "
            "the straight way. It begins at the sum of the first half.",
        ),
        Misconception(
            "GELU",
            changed(_BLOCK, ("torch.relu(", "F.gelu(")),
            "Your feed-forward part bends with GELU, as BERT and GPT do. Here ReLU is asked for.",
        ),
        Misconception(
            "mask turned round",
            changed(_BLOCK, (", mask=mask)", ", mask=None if mask is None else ~mask)")),
            "You turn the mask round. In lesson 14 it is True where a place may look, and that is what comes"
            " in.",
        ),
        Misconception(
            "causal without being asked",
            changed(
                _BLOCK,
                (
                    _FIRST,
                    "if mask is None:\n            T = X.shape[1]\n"
                    f"            mask = torch.ones(T, T, dtype=torch.bool).tril()\n        {_FIRST}",
                ),
            ),
            "Where no mask is given you hide what comes later. That makes a decoder; in an encoder each "
            "place sees all others.",
        ),
        Misconception(
            "torch's attention",
            changed(
                _BLOCK,
                ("MultiHeadAttention(d_model, h)", "nn.MultiheadAttention(d_model, h, batch_first=True)"),
                (_FIRST, "N = self.norm1(X)\n        X = X + self.attention(N, N, N, attn_mask=mask)[0]"),
            ),
            "You use torch's own attention, which keeps its weights in other shapes and reads masks the "
            "other way round. Take the one of lesson 14, which the first cell imports.",
        ),
        Misconception(
            "norms without parameters",
            changed(
                _BLOCK,
                ("norm1 = nn.LayerNorm(d_model)", "norm1 = nn.LayerNorm(d_model, elementwise_affine=False)"),
                ("norm2 = nn.LayerNorm(d_model)", "norm2 = nn.LayerNorm(d_model, elementwise_affine=False)"),
            ),
            "No norm with something to learn is found. There are two layer norms, made in `__init__`, each "
            "with a scale and a shift for every feature.",
        ),
    ),
    hints=(
        "Write down the way of X: what goes straight through, and what is added to it, twice. Where along "
        "this way does a norm stand, if nothing on the straight way may be normed?",
        "In `__init__` make two layer norms, the attention and the two linear layers. In `forward`: norm X, "
        "let the attention look, with the mask, and add the result to X as it was. Then the same with the "
        "other norm and the feed-forward part.",
    ),
    alternatives=(
        """
class EncoderBlock(nn.Module):
    def __init__(self, d_model, h, d_ff):
        super().__init__()
        layers = [nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model)]
        self.ff = nn.Sequential(nn.LayerNorm(d_model), *layers)
        self.attend = MultiHeadAttention(d_model, h)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, X, mask=None):
        seen = X + self.attend(self.norm(X), None, mask)
        return seen + self.ff(seen)
""",
        """
class EncoderBlock(nn.Module):
    def __init__(self, d_model, h, d_ff):
        super().__init__()
        self.parts = nn.ModuleDict({
            "attention": MultiHeadAttention(d_model, h),
            "up": nn.Linear(d_model, d_ff),
            "down": nn.Linear(d_ff, d_model),
        })
        self.norms = nn.ModuleList([nn.LayerNorm(d_model) for _ in range(2)])

    def forward(self, X, mask=None):
        normed = self.norms[0](X)
        Y = self.parts["attention"](normed, normed, mask=mask) + X
        Z = self.parts["down"](F.relu(self.parts["up"](self.norms[1](Y))))
        return Z + Y
""",
        """
class Residual(nn.Module):
    def __init__(self, d_model, part):
        super().__init__()
        self.part, self.norm = part, nn.LayerNorm(d_model)

    def forward(self, X, **more):
        return X + self.part(self.norm(X), **more)


class EncoderBlock(nn.Module):
    def __init__(self, d_model, h, d_ff):
        super().__init__()
        self.one = Residual(d_model, MultiHeadAttention(d_model, h))
        layers = [nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model)]
        self.two = Residual(d_model, nn.Sequential(*layers))

    def forward(self, X, mask=None):
        return self.two(self.one(X, mask=mask))
""",
    ),
)

# --------------------------------------------------------------------------------- 15.shift_targets


def shift_targets(tokens: Tensor, start: int) -> Tensor:
    """What the decoder gets to see: start, then all tokens but the last, (B, T) -> (B, T)."""
    first = torch.full_like(tokens[:, :1], start)
    return torch.cat([first, tokens[:, :-1]], dim=1)


def shift_targets_cases(generator: torch.Generator) -> list[Case]:
    def tokens(B: int, T: int) -> Tensor:
        # No two neighbours are alike, in any direction, so that each wrong move shows.
        return torch.stack([torch.randperm(40, generator=generator)[:T] + 3 for _ in range(B)])

    T = whole_number(generator, 4, 9)
    return [
        Case("values", (torch.tensor([[7, 4, 9, 2], [5, 5, 2, 0]]), 1), "the example of the statement"),
        Case("values", (tokens(3, T), 2)),
        Case("values", (tokens(T, T), 50), "as many sequences as places"),
        Case("shapes", (tokens(1, 6), 1), "a batch of one"),
        Case("shapes", (tokens(5, 2), 1), "two tokens each"),
        Case("edge cases", (tokens(4, 1), 1), "one token each: only the start is seen"),
        Case("edge cases", (tokens(2, 3).int(), 0), "int32, start 0"),
    ]


_SHIFT = """
def shift_targets(tokens, start):
    first = torch.full_like(tokens[:, :1], start)
    return torch.cat([first, tokens[:, :-1]], dim=1)
"""
_JOINED = "torch.cat([first, tokens[:, :-1]], dim=1)"

SHIFT_TARGETS = Exercise(
    id="15.shift_targets",
    name="shift_targets",
    title="What the decoder gets to see",
    difficulty=1,
    points=2,
    minutes=5,
    cases=shift_targets_cases,
    reference=shift_targets,
    result="a tensor of shape (B, T), whole numbers",
    misconceptions=(
        Misconception(
            "tokens as they are",
            changed(_SHIFT, (_JOINED, "tokens.clone()")),
            "You give the tokens back as they are. At each place the decoder would then see the very token "
            "that it shall predict, and learn to copy.",
        ),
        Misconception(
            "shifted the other way",
            changed(_SHIFT, (_JOINED, "torch.cat([tokens[:, 1:], first], dim=1)")),
            "You shift to the left: each place gets to see the token after the one it shall predict. It must "
            "be the one before.",
        ),
        Misconception(
            "first token replaced",
            changed(_SHIFT, (_JOINED, "torch.cat([first, tokens[:, 1:]], dim=1)")),
            "You write the start over the first token and leave the others where they are. So from the "
            "second place on the decoder sees what it shall predict.",
        ),
        Misconception(
            "start put in front, nothing dropped",
            changed(_SHIFT, (_JOINED, "torch.cat([first, tokens], dim=1)")),
            "Your result is one token too long. After the last token nothing is left to predict, so it is "
            "not seen.",
        ),
        Misconception(
            "last token dropped, no start",
            changed(_SHIFT, (_JOINED, "tokens[:, :-1]")),
            "You drop the last token, but put nothing in front. The first token has to be predicted from "
            "something, too.",
        ),
        Misconception(
            "start at the end",
            changed(_SHIFT, (_JOINED, "torch.cat([tokens[:, :-1], first], dim=1)")),
            "You put the start at the end. It stands before the first token, and the others move one place "
            "on.",
        ),
        Misconception(
            "turned round in a ring",
            changed(_SHIFT, (_JOINED, "torch.roll(tokens, 1, dims=1)")),
            "You turn each sequence round like a ring: its last token stands first. What stands before the "
            "first token is the start.",
        ),
        Misconception(
            "all sequences as one",
            changed(
                _SHIFT, (_JOINED, "torch.cat([first[:1, 0], tokens.flatten()[:-1]]).reshape(tokens.shape)")
            ),
            "You shift all sequences as one long row, so each but the first begins with the last token of "
            "the one before. Each has a start of its own.",
        ),
        Misconception(
            "shifted along the batch",
            changed(_SHIFT, (_JOINED, "torch.cat([torch.full_like(tokens[:1], start), tokens[:-1]], dim=0)")),
            "You shift along the batch: whole sequences move down. The places run along axis 1.",
        ),
        Misconception(
            "zero for the start",
            changed(_SHIFT, ("torch.full_like(tokens[:, :1], start)", "torch.zeros_like(tokens[:, :1])")),
            "Your first token is always 0. It is `start`, whatever its number.",
        ),
        Misconception(
            "shifted by two",
            changed(_SHIFT, (_JOINED, "torch.cat([first, first, tokens], dim=1)[:, : tokens.shape[1]]")),
            "You shift by two places. The token just before is hidden then, too.",
        ),
        Misconception(
            "order reversed",
            changed(_SHIFT, (_JOINED, "torch.cat([first, tokens.flip(1)[:, 1:]], dim=1)")),
            "Your tokens run backwards. They keep their order and move one place on.",
        ),
        Misconception(
            "each place copies the one already overwritten",
            """
def shift_targets(tokens, start):
    seen = tokens.clone()
    seen[:, 0] = start
    for t in range(1, tokens.shape[1]):
        seen[:, t] = seen[:, t - 1]
    return seen
""",
            "Nothing but starts: your loop copies from the places it has just overwritten. Read from the "
            "original tokens.",
        ),
        Misconception(
            "floating point",
            changed(_SHIFT, (_JOINED, f"{_JOINED}.float()")),
            "The numbers are right, but they are floating point now. An embedding takes whole numbers: the "
            "dtype of the tokens should stay.",
        ),
        Misconception(
            "start added",
            changed(_SHIFT, (_JOINED, "tokens + start")),
            "You add the number of the start to every token. It is a token of its own, which stands before "
            "them.",
        ),
        Misconception(
            "only the first sequence",
            changed(_SHIFT, ("tokens[:, :1]", "tokens[:1, :1]"), ("tokens[:, :-1]", "tokens[:1, :-1]")),
            "You give back one sequence, the first. The whole batch is shifted.",
        ),
    ),
    hints=(
        "At place 0 nothing has been written yet: what does the decoder see there? And at place 3, where it "
        "shall predict token 3?",
        "Make a column of starts with a row for each sequence and the tokens' dtype. Put it before the "
        "tokens, of which the last column is not needed.",
    ),
    alternatives=(
        """
def shift_targets(tokens, start):
    seen = torch.roll(tokens, 1, dims=1)
    seen[:, 0] = start
    return seen
""",
        """
def shift_targets(tokens, start):
    seen = torch.empty_like(tokens)
    seen[:, 0] = start
    seen[:, 1:] = tokens[:, :-1]
    return seen
""",
        """
def shift_targets(tokens, start):
    return torch.nn.functional.pad(tokens, (1, 0), value=start)[:, :-1]
""",
        """
def shift_targets(tokens, start):
    return torch.tensor([[start, *row[:-1]] for row in tokens.tolist()], dtype=tokens.dtype)
""",
    ),
)

# ----------------------------------------------------------------------------------- 15.mask_tokens


def mask_tokens(
    tokens: Tensor, mask_id: int, vocabulary: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide some tokens and remember them: 80% become the mask, 10% a random token, 10% stay."""
    chosen = torch.rand(tokens.shape, generator=generator) < share
    fate = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(0, vocabulary, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, tokens)
    inputs = torch.where(chosen & (fate >= 0.9), other, inputs)
    return inputs, torch.where(chosen, tokens, -100)


_ENOUGH = 4_000  # tokens from which on shares are looked at


def _about(share: float) -> str:
    """A share in whole tens of percent, coarse enough that chance does not change it."""
    return f"about {round(10 * share) * 10}%"


def mask_behaviour(
    work: Callable, tokens: Tensor, mask_id: int, vocabulary: int, share: float, seed: int
) -> dict[str, Any]:
    """Probe: what holds for the inputs and the targets, whatever was drawn; shares only of many tokens.

    Raises:
        NotAsAsked: if what is returned is not two tensors of whole numbers of the tokens' shape.
    """

    def once(number: int, around: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(number)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(around)  # on the CPU only, as forked: 3 ms less
            more = () if share == 0.15 else (share,)
            out = work(tokens, mask_id, vocabulary, generator, *more)
        if not (isinstance(out, tuple | list) and len(out) == 2):
            raise NotAsAsked("`mask_tokens` should return two tensors: the inputs and the targets.")
        for name, one in zip(("inputs", "targets"), out, strict=True):
            if not isinstance(one, Tensor):
                raise NotAsAsked(f"The {name} should be a tensor, but they are {type(one).__name__}.")
            if one.shape != before.shape:
                raise NotAsAsked(
                    f"The {name} have shape {tuple(one.shape)}, the tokens {tuple(before.shape)}."
                )
            if one.is_floating_point() or one.dtype == torch.bool:
                raise NotAsAsked(f"The {name} should be whole numbers, but their dtype is {one.dtype}.")
        return out[0].clone(), out[1].clone()

    before = tokens.clone()
    inputs, targets = once(seed, 1)
    kept = torch.equal(tokens, before)
    tokens.copy_(before)
    again = once(seed, 2)
    tokens.copy_(before)
    chosen = targets != -100
    right = targets[chosen] == before[chosen]
    rest = inputs[~chosen] == before[~chosen]
    found: dict[str, Any] = {
        "tokens": "left as they were" if kept else "changed",
        "targets of the chosen": _all(right, "what stood there"),
        "targets that are neither that nor −100": _few(targets[chosen][~right]),
        "inputs where nothing is chosen": _all(rest, "as they were"),
        "same seed": _repeated((inputs, targets), again, mask_id),
    }
    if share in (0, 1):
        found["chosen"] = f"{int(chosen.sum())} of {chosen.numel()}"
    if before.numel() >= _ENOUGH:
        found |= _shares(before, inputs, chosen, mask_id, vocabulary)
    return found


def _few(numbers: Tensor) -> str:
    """ "none", the number if there is only one, or "several"."""
    kinds = numbers.unique().tolist()
    return "none" if not kinds else str(kinds[0]) if len(kinds) == 1 else "several"


def _repeated(first: tuple[Tensor, Tensor], again: tuple[Tensor, Tensor], mask_id: int) -> str:
    """Which of the draws comes out the same with the same seed."""
    if not torch.equal(first[1], again[1]):
        return "other tokens are chosen"
    if not torch.equal(first[0] == mask_id, again[0] == mask_id):
        return "the same tokens are chosen, but others hidden"
    return "same result" if torch.equal(first[0], again[0]) else "other random tokens"


def _all(holds: Tensor, words: str) -> str:
    if not holds.numel():
        return "there are none"
    part = float(holds.double().mean())
    return words if part == 1 else f"not {words}" if part == 0 else f"only some {words}"


def _shares(before: Tensor, inputs: Tensor, chosen: Tensor, mask_id: int, vocabulary: int) -> dict[str, Any]:
    """What may only be said of many tokens: shares, and where the random tokens reach."""
    hidden, same = chosen & (inputs == mask_id), chosen & (inputs == before)
    other = chosen & ~hidden & ~same
    part = chosen.double().mean()
    count = max(1, int(chosen.sum()))
    drawn, rest = inputs[other], inputs[~chosen] == before[~chosen]
    every_row = bool((chosen.sum(dim=1) == chosen[0].sum()).all())
    return {
        "chosen": f"about {round(20 * float(part)) * 5}%",
        "not chosen, as they were": _about(float(rest.double().mean())) if len(rest) else "there are none",
        "chosen in each row": "the same places" if bool((chosen == chosen[0]).all())
        else "the same number" if every_row else "by chance",
        "of the chosen, hidden": _about(int(hidden.sum()) / count),
        "of the chosen, random": _about(int(other.sum()) / count),
        "of the chosen, as they were": _about(int(same.sum()) / count),
        "random tokens": f"from {int(drawn.min())} to {int(drawn.max())}" if len(drawn) else "there are none",
        "different random tokens": "many" if len(drawn.unique()) > vocabulary // 2 else "one or none",
    }  # fmt: skip


def mask_tokens_cases(generator: torch.Generator) -> list[Case]:
    def case(
        group: str, B: int, T: int, mask_id: int, vocabulary: int, share: float, note: str, lowest: int = 0
    ) -> Case:
        tokens = torch.randint(lowest, vocabulary, (B, T), generator=generator)
        return Case(group, (tokens, mask_id, vocabulary, share, whole_number(generator, 0, 10_000)), note)

    return [
        case("values", 160, 100, 12, 12, 0.15, "16,000 tokens, so that shares can be told"),
        case("values", 80, 60, 0, 12, 0.4, "a share of 40%, the mask is token 0", 1),
        case("shapes", 3, 7, 9, 9, 0.15, "a few tokens"),
        case("shapes", 1, 30, 40, 40, 0.5, "a batch of one"),
        case("edge cases", 4, 9, 12, 12, 0.0, "a share of 0: nothing is chosen"),
        case("edge cases", 80, 50, 12, 12, 1.0, "a share of 1: all are chosen"),
    ]


_MASK = """
def mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15):
    chosen = torch.rand(tokens.shape, generator=generator) < share
    fate = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(0, vocabulary, tokens.shape, generator=generator)
    inputs = tokens.clone()
    hidden = chosen & (fate < 0.8)
    random = chosen & (fate >= 0.9)
    inputs[hidden] = mask_id
    inputs[random] = other[random]
    targets = torch.full_like(tokens, -100)
    targets[chosen] = tokens[chosen]
    return inputs, targets
"""
_RANDOM = "    inputs[random] = other[random]\n"
_TARGETS = "    targets = torch.full_like(tokens, -100)\n    targets[chosen] = tokens[chosen]\n"

MASK_TOKENS = Exercise(
    id="15.mask_tokens",
    name="mask_tokens",
    title="Hide some, remember which",
    difficulty=3,
    points=5,
    minutes=15,
    cases=mask_tokens_cases,
    reference=mask_tokens,
    probe=mask_behaviour,
    input_names=("tokens", "mask_id", "vocabulary", "share", "seed of the generator"),
    result="two tensors of the tokens' shape, whole numbers",
    time_limit=8.0,  # a loop over the tokens is slow, but right
    misconceptions=(
        Misconception(
            "every token is a target",
            changed(_MASK, (_TARGETS, "    targets = tokens.clone()\n")),
            "Your targets hold every token. Where none was chosen stands −100, or the loss would mostly "
            "reward copying what can be seen.",
        ),
        Misconception(
            "zeros where nothing is chosen",
            changed(_MASK, (_TARGETS, "    targets = torch.where(chosen, tokens, 0)\n")),
            "Where no token was chosen your targets are 0. That is a token like any other, and the model "
            "would learn to predict it. −100 is what the cross-entropy leaves out.",
        ),
        Misconception(
            "all chosen are hidden",
            changed(_MASK, ("chosen & (fate < 0.8)", "chosen"), (_RANDOM, "")),
            "All your chosen tokens become the mask. Only 80% do: after training no mask is ever seen, so "
            "the model should not rely on it.",
        ),
        Misconception(
            "nothing random",
            changed(_MASK, (_RANDOM, "")),
            "80% are hidden, and the others stay as they were. Half of these should become a random token.",
        ),
        Misconception(
            "nothing stays",
            changed(_MASK, ("fate >= 0.9", "fate >= 0.8")),
            "All that is not hidden becomes a random token. Half of it should stay as it was: 80, 10 and 10.",
        ),
        Misconception(
            "hidden and random swapped",
            changed(
                _MASK,
                ("fate < 0.8", "fate >= 0.9"),
                ("random = chosen & (fate >= 0.9)", "random = chosen & (fate < 0.8)"),
            ),
            "80% of your chosen tokens are random and 10% hidden. It is the other way round.",
        ),
        Misconception(
            "fates drawn apart",
            changed(
                _MASK,
                (
                    "random = chosen & (fate >= 0.9)",
                    "random = chosen & (torch.rand(tokens.shape, generator=generator) < 0.1)",
                ),
            ),
            "You draw for the random tokens anew, so some that were hidden become random after all: about "
            "72%, 10% and 18%. One draw must decide between the three fates.",
        ),
        Misconception(
            "thirds",
            changed(_MASK, ("fate < 0.8", "fate < 1 / 3"), ("fate >= 0.9", "fate >= 2 / 3")),
            "Your chosen tokens are shared out in thirds. It should be 80%, 10% and 10%.",
        ),
        Misconception(
            "fates of all tokens",
            changed(
                _MASK,
                ("hidden = chosen & (fate < 0.8)", "hidden = fate < 0.8"),
                ("random = chosen & (fate >= 0.9)", "random = fate >= 0.9"),
            ),
            "80% of all tokens are hidden in your inputs, chosen or not. The fates are only those of the "
            "chosen.",
        ),
        Misconception(
            "random tokens everywhere",
            changed(_MASK, ("random = chosen & (fate >= 0.9)", "random = fate >= 0.9")),
            "You make 10% of all tokens random, also where nothing was chosen. The model would read nonsense "
            "there and never learn that it was.",
        ),
        Misconception(
            "the rest is chosen",
            changed(_MASK, ("< share", ">= share")),
            "You choose the wrong part: with a share of 15% your targets hold 85% of the tokens.",
        ),
        Misconception(
            "always 15%",
            changed(_MASK, ("< share", "< 0.15")),
            "You always choose 15%, whatever `share` says. It is only the default.",
        ),
        Misconception(
            "targets taken from the inputs",
            changed(_MASK, ("targets[chosen] = tokens[chosen]", "targets[chosen] = inputs[chosen]")),
            "Your targets are read from the inputs, where most of them are hidden by now. They should say "
            "what stood there before.",
        ),
        Misconception(
            "targets turned round",
            changed(_MASK, ("targets[chosen] = tokens[chosen]", "targets[~chosen] = tokens[~chosen]")),
            "Your targets hold what was not chosen, and −100 where something is hidden. So only what can be "
            "seen would be learned.",
        ),
        Misconception(
            "the tokens themselves overwritten",
            changed(
                _MASK,
                ("inputs = tokens.clone()", "inputs = tokens"),
                (_TARGETS, ""),
                ("    inputs[hidden]", f"{_TARGETS}    inputs[hidden]"),
            ),
            "You write into the tokens that were handed over: the text is spoilt for the next epoch. Work on"
            " a copy.",
        ),
        Misconception(
            "generator not used",
            changed(_MASK, (", generator=generator)", ")")),
            "The same seed gives another result each time: your draws do not use the generator that is "
            "handed over.",
        ),
        Misconception(
            "one choice for all rows",
            changed(
                _MASK,
                (
                    "chosen = torch.rand(tokens.shape, generator=generator) < share",
                    "chosen = (torch.rand(tokens.shape[1], generator=generator) < "
                    "share).expand(tokens.shape)",
                ),
            ),
            "You choose the same places in every sequence of the batch. Each token is drawn for by itself.",
        ),
        Misconception(
            "the same number in each row",
            changed(
                _MASK,
                (
                    "chosen = torch.rand(tokens.shape, generator=generator) < share",
                    "order = torch.rand(tokens.shape, generator=generator).argsort(dim=1)\n"
                    "    chosen = order < int(share * tokens.shape[1])",
                ),
            ),
            "You choose the same number of tokens in every sequence. That can be done, but here each token "
            "is drawn for by itself.",
        ),
        Misconception(
            "one random token for all",
            changed(
                _MASK,
                (
                    "torch.randint(0, vocabulary, tokens.shape, generator=generator)",
                    "torch.randint(0, vocabulary, (1,), generator=generator).expand(tokens.shape)",
                ),
            ),
            "All your random tokens are the same one. Draw one for each place.",
        ),
        Misconception(
            "random tokens beyond the vocabulary",
            changed(_MASK, ("randint(0, vocabulary,", "randint(0, vocabulary + 2,")),
            "Some of your random tokens are not in the vocabulary: it ends at vocabulary − 1, and the upper "
            "end of `torch.randint` is not drawn.",
        ),
        Misconception(
            "last token never drawn",
            changed(_MASK, ("randint(0, vocabulary,", "randint(0, vocabulary - 1,")),
            "The last token of the vocabulary is never drawn. The upper end of `torch.randint` is already "
            "not drawn.",
        ),
        Misconception(
            "one beyond the vocabulary",
            changed(_MASK, ("randint(0, vocabulary,", "randint(0, vocabulary + 1,")),
            "Now and then a random token is `vocabulary` itself, one more than there is. The upper end of "
            "`torch.randint` is not drawn, so nothing has to be added to it.",
        ),
        Misconception(
            "first token never drawn",
            changed(_MASK, ("randint(0, vocabulary,", "randint(1, vocabulary,")),
            "Token 0 is never drawn. The vocabulary begins with it.",
        ),
        Misconception(
            "one draw for the choice and the fate",
            changed(
                _MASK,
                (
                    "    chosen = torch.rand(tokens.shape, generator=generator) < share\n"
                    "    fate = torch.rand(tokens.shape, generator=generator)\n",
                    "    fate = torch.rand(tokens.shape, generator=generator)\n    chosen = fate < share\n",
                ),
            ),
            "The same random number decides who is chosen and what becomes of it. Those who are chosen all "
            "have a small one, so all have the same fate. Draw anew for the fate.",
        ),
        Misconception(
            "fate without the generator",
            changed(
                _MASK,
                (
                    "fate = torch.rand(tokens.shape, generator=generator)",
                    "fate = torch.rand(tokens.shape)",
                ),
            ),
            "Who is chosen comes from the generator, but what becomes of it does not: the same seed gives "
            "another result each time. Every draw needs the generator.",
        ),
        Misconception(
            "random tokens without the generator",
            changed(
                _MASK,
                (
                    "randint(0, vocabulary, tokens.shape, generator=generator)",
                    "randint(0, vocabulary, tokens.shape)",
                ),
            ),
            "The random tokens do not come from the generator, so they are others each time with the same "
            "seed. Every draw needs the generator, that of whole numbers as well.",
        ),
        Misconception(
            "targets only where something changed",
            changed(_MASK, (_TARGETS, "    targets = torch.where(inputs != tokens, tokens, -100)\n")),
            "Your targets leave out the chosen tokens that stayed as they were. They are chosen, too: the "
            "model has to say what belongs there, and cannot know that nothing has changed.",
        ),
        Misconception(
            "minus one where nothing is chosen",
            changed(_MASK, (_TARGETS, "    targets = torch.where(chosen, tokens, -1)\n")),
            "Where no token was chosen your targets are −1. −100 is asked for: it is the number that torch's"
            " cross-entropy leaves out.",
        ),
        Misconception(
            "results exchanged",
            changed(_MASK, ("return inputs, targets", "return targets, inputs")),
            "You give back the targets first. The inputs come first, then the targets.",
        ),
    ),
    hints=(
        "Three things are drawn for each place: is it chosen, what becomes of it if it is, and which random "
        "token it would be. Draw them for all places at once and decide with masks.",
        "Draw a tensor of even numbers and compare it with the share: that is who is chosen. Draw another "
        "for the fates: below 0.8 hidden, from 0.9 on random, between as it was. Build the inputs on a copy "
        "and the targets from the tokens as they came, with −100 wherever nothing was chosen.",
    ),
    alternatives=(
        """
def mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15):
    draw = torch.rand(tokens.shape, generator=generator)
    other = torch.randint(vocabulary, tokens.shape, generator=generator)
    inputs = torch.where(draw < 0.9 * share, other, tokens)
    inputs = torch.where(draw < 0.8 * share, torch.full_like(tokens, mask_id), inputs)
    return inputs, tokens.masked_fill(draw >= share, -100)
""",
        """
def mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15):
    chosen = torch.bernoulli(torch.full(tokens.shape, float(share)), generator=generator).bool()
    weights = torch.tensor([0.8, 0.1, 0.1])
    fate = torch.multinomial(weights, tokens.numel(), True, generator=generator).view(tokens.shape)
    inputs = tokens.clone()
    inputs[chosen & (fate == 0)] = mask_id
    random = chosen & (fate == 1)
    inputs[random] = torch.randint(0, vocabulary, (int(random.sum()),), generator=generator)
    return inputs, torch.where(chosen, tokens, torch.tensor(-100))
""",
        """
def mask_tokens(tokens, mask_id, vocabulary, generator, share=0.15):
    inputs, targets = tokens.flatten().clone(), torch.full((tokens.numel(),), -100)
    places = (torch.rand(tokens.numel(), generator=generator) < share).nonzero()[:, 0]
    targets[places] = tokens.flatten()[places]
    fate = torch.rand(len(places), generator=generator)
    inputs[places[fate < 0.8]] = mask_id
    random = places[fate > 0.9]
    inputs[random] = torch.randint(0, vocabulary, random.shape, generator=generator)
    return inputs.reshape(tokens.shape), targets.reshape(tokens.shape)
""",
    ),
)

# ----------------------------------------------------------------------------------------- 15.top_k


def top_k(logits: Tensor, k: int) -> Tensor:
    """Only the k largest logits of each row; the others become −∞, (..., V) -> (..., V)."""
    values, places = logits.topk(min(k, logits.shape[-1]), dim=-1)
    return torch.full_like(logits, -torch.inf).scatter(-1, places, values)


def top_k_cases(generator: torch.Generator) -> list[Case]:
    def logits(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
        """All different, so that there is never a tie."""
        count = torch.Size(shape).numel()
        order = torch.randperm(count, generator=generator).float() - count / 2
        return (scale * (order + 0.4 * torch.rand(count, generator=generator)) + shift).reshape(shape)

    V = whole_number(generator, 6, 9)
    return [
        Case("values", (torch.tensor([2.0, -1.0, 0.5, 3.0, 1.0]), 2), "the example of the statement"),
        Case("values", (logits(3, V), 3), "three rows, each with its own largest"),
        Case("values", (logits(2, V, scale=0.5, shift=-30), 2), "all negative"),
        Case("values", (logits(4, V, scale=0.5, shift=30), 4), "all positive"),
        Case("shapes", (logits(2, 3, V), 2), "(B, T, V)"),
        Case("shapes", (logits(1, 5), 3), "a batch of one"),
        Case("types", (logits(2, 4).double(), 2), "float64"),
        Case("edge cases", (logits(2, V), 1), "k = 1: only the largest"),
        Case("edge cases", (logits(2, 4), 4), "k = V: nothing changes"),
        Case("edge cases", (logits(2, 3), 7), "k larger than V"),
        Case("edge cases", (logits(5, scale=1e8), 2), "very large logits"),
    ]


_TOP = """
def top_k(logits, k):
    k = min(k, logits.shape[-1])
    values, places = logits.topk(k, dim=-1)
    out = torch.full_like(logits, -torch.inf)
    return out.scatter(-1, places, values)
"""
_SCATTERED = "out.scatter(-1, places, values)"
_BELOW = """
def top_k(logits, k):
    k = min(k, logits.shape[-1])
    least = logits.topk(k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -torch.inf)
"""

TOP_K = Exercise(
    id="15.top_k",
    name="top_k",
    title="Only the k most probable",
    difficulty=2,
    points=3,
    minutes=8,
    cases=top_k_cases,
    reference=top_k,
    result="a tensor of the logits' shape, floating point",
    misconceptions=(
        Misconception(
            "zero for what is cut",
            changed(_TOP, ("torch.full_like(logits, -torch.inf)", "torch.zeros_like(logits)")),
            "You put 0 where a token is cut away. A logit of 0 is no small one: e to the 0 is 1, and the "
            "token is drawn all the same. Which logit gives probability 0?",
        ),
        Misconception(
            "a large negative number for what is cut",
            changed(_TOP, ("-torch.inf", "-1e4")),
            "You put a large negative number where a token is cut away. It works only as long as the other "
            "logits are much larger. −∞ is asked for, which always does.",
        ),
        Misconception(
            "minus a thousand million for what is cut",
            changed(_TOP, ("-torch.inf", "-1e9")),
            "You put −1e9 where a token is cut away. That is a logit like any other, and less than it there "
            "may be. −∞ is asked for.",
        ),
        Misconception(
            "plus infinity",
            changed(_TOP, ("-torch.inf", "torch.inf")),
            "You put +∞ where a token is cut away: it would be the most probable of all. Which logit gives "
            "probability 0?",
        ),
        Misconception(
            "the smallest finite number",
            changed(_TOP, ("-torch.inf", "torch.finfo(logits.dtype).min")),
            "You put the most negative finite number where a token is cut away. −∞ is asked for, so that it "
            "can be told from every logit.",
        ),
        Misconception(
            "not a number",
            changed(
                _TOP,
                (
                    "out = torch.full_like(logits, -torch.inf)",
                    "kept = torch.zeros_like(logits).scatter(-1, places, 1.0)",
                ),
                (_SCATTERED, "logits * kept + (1 - kept) * -torch.inf"),
            ),
            "There are NaNs in your result: 0 times ∞ is not a number. Choose between two values instead of "
            "multiplying and adding.",
        ),
        Misconception(
            "only the k values",
            changed(_TOP, (_SCATTERED, "values")),
            "You give back the k largest logits alone. The result has as many as came in, since the place of "
            "a logit says which token it belongs to.",
        ),
        Misconception(
            "the places",
            changed(_TOP, (_SCATTERED, "places")),
            "You give back the places of the largest. What is asked for are the logits, with −∞ at all other "
            "places.",
        ),
        Misconception(
            "sorted",
            changed(_TOP, (_SCATTERED, "torch.cat([values, out[..., k:]], dim=-1)")),
            "Your logits are sorted: the largest stand in front. Each must stay at its place, which says "
            "whose logit it is.",
        ),
        Misconception(
            "the k smallest",
            changed(_TOP, ("logits.topk(k, dim=-1)", "logits.topk(k, dim=-1, largest=False)")),
            "You keep the k smallest logits: the least probable tokens.",
        ),
        Misconception(
            "the k largest cut away",
            changed(_BELOW, ("logits < least", "logits >= least")),
            "You cut away the k largest and keep the others. It is the other way round.",
        ),
        Misconception(
            "one too few",
            changed(_BELOW, ("logits < least", "logits <= least")),
            "You keep one token too few: the k-th largest itself belongs to those that stay.",
        ),
        Misconception(
            "one too many",
            changed(_BELOW, ("k = min(k, logits.shape[-1])", "k = min(k + 1, logits.shape[-1])")),
            "You keep one token too many. Count with the example: with k = 2 two logits are finite.",
        ),
        Misconception(
            "one threshold for all rows",
            changed(
                _BELOW, ("logits.topk(k, dim=-1).values[..., -1:]", "logits.flatten().topk(k).values[-1]")
            ),
            "You look for the k largest of all rows together, so some rows lose every token. Each row keeps "
            "its own k.",
        ),
        Misconception(
            "the k largest of the whole table",
            changed(
                _BELOW,
                ("min(k, logits.shape[-1])", "min(k, logits.numel())"),
                ("logits.topk(k, dim=-1).values[..., -1:]", "logits.flatten().topk(k).values[-1]"),
            ),
            "You look for the k largest numbers of the whole table. Each row is a choice of its own and "
            "keeps its own k.",
        ),
        Misconception(
            "the smallest threshold for all rows",
            changed(
                _BELOW, ("logits.topk(k, dim=-1).values[..., -1:]", "logits.topk(k, dim=-1).values.min()")
            ),
            "You compare all rows with the same number, the smallest that is kept in any of them. So some "
            "rows keep too many: each has its own k-th largest.",
        ),
        Misconception(
            "places of any row in every row",
            changed(_TOP, ("return " + _SCATTERED, "out[..., places] = logits[..., places]\n    return out")),
            "For a single row this is right. With more rows you keep in each what is among the largest of "
            "any row: an index along the last axis alone reaches all rows at once.",
        ),
        Misconception(
            "the first row's places for all",
            changed(
                _TOP,
                (
                    _SCATTERED,
                    "torch.where(torch.zeros_like(logits).reshape(-1, logits.shape[-1]).index_fill(-1, "
                    "places.reshape(-1, k)[0], 1.0).reshape(logits.shape) > 0, logits, out)",
                ),
            ),
            "You keep the same tokens in every row: those that are largest in the first. Each row has its "
            "own k largest.",
        ),
        Misconception(
            "along the batch",
            """
def top_k(logits, k):
    k = min(k, logits.shape[0])
    least = logits.topk(k, dim=0).values[-1:]
    return logits.masked_fill(logits < least, -torch.inf)
""",
            "You compare along the first axis, over the batch. The tokens run along the last one.",
        ),
        Misconception(
            "k larger than the vocabulary",
            changed(_TOP, ("    k = min(k, logits.shape[-1])\n", "")),
            "All is right until k is larger than the number of tokens. Then nothing is to be cut away, and "
            "no error should come.",
        ),
        Misconception(
            "refuses a k larger than the vocabulary",
            changed(
                _TOP,
                (
                    "k = min(k, logits.shape[-1])",
                    "if k > logits.shape[-1]:\n        raise ValueError('k is too large')",
                ),
            ),
            "You refuse a k that is larger than the number of tokens. It is allowed: then nothing is cut "
            "away.",
        ),
        Misconception(
            "probabilities",
            changed(_TOP, (_SCATTERED, f"torch.softmax({_SCATTERED}, dim=-1)")),
            "You give back probabilities. Logits are asked for: the softmax comes later, at the draw.",
        ),
        Misconception(
            "logarithms of probabilities",
            changed(_TOP, (_SCATTERED, f"torch.log_softmax({_SCATTERED}, dim=-1)")),
            "You give back the logarithms of the new probabilities. The logits that stay are to keep their "
            "values.",
        ),
        Misconception(
            "a mask",
            changed(_BELOW, ("logits.masked_fill(logits < least, -torch.inf)", "logits >= least")),
            "You give back which tokens stay, true or false. What is asked for are the logits, with −∞ for "
            "those that do not.",
        ),
        Misconception(
            "kept ones set to zero",
            changed(_TOP, (_SCATTERED, "out.scatter(-1, places, 0.0)")),
            "The right tokens stay, but their logits are all 0 now: each would be drawn equally often. They "
            "keep their values.",
        ),
        Misconception(
            "absolute values",
            changed(
                _TOP,
                (
                    "values, places = logits.topk(k, dim=-1)",
                    "places = logits.abs().topk(k, dim=-1).indices\n    values = logits.gather(-1, places)",
                ),
            ),
            "You look for the logits that are farthest from 0. A very negative one is a very improbable "
            "token: the largest are asked for, with their sign.",
        ),
    ),
    hints=(
        "What logit gives probability 0 under softmax? And how do you find, for each row, the smallest logit "
        "that may stay?",
        "`torch.topk` gives the k largest values of each row and their places, k at most V. Either compare "
        "all logits with the last of these values, or start from a tensor full of −∞ and put the values "
        "back at their places.",
    ),
    alternatives=(
        _BELOW,
        """
def top_k(logits, k):
    rank = logits.argsort(dim=-1, descending=True).argsort(dim=-1)
    return torch.where(rank < k, logits, torch.tensor(-math.inf, dtype=logits.dtype))
""",
        """
def top_k(logits, k):
    out = logits.clone()
    order = out.sort(dim=-1, descending=True).indices
    out.scatter_(-1, order[..., k:], float("-inf"))
    return out
""",
        """
def top_k(logits, k):
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]).tolist():
        kept = set(sorted(range(len(row)), key=lambda i: -row[i])[:k])
        rows.append([value if i in kept else -math.inf for i, value in enumerate(row)])
    return torch.tensor(rows, dtype=logits.dtype).reshape(logits.shape)
""",
    ),
)

# --------------------------------------------------------------------------------- 15.greedy_decode


def greedy_decode(next_logits: Callable[[list[int]], Tensor], start: int, end: int, most: int) -> list[int]:
    """Write the most probable token again and again, until the end token or `most` tokens."""
    tokens = [start]
    while len(tokens) <= most:
        token = int(next_logits(tokens).argmax())
        if token == end:
            break
        tokens.append(token)
    return tokens[1:]


class _Model:
    """Stands for a trained model: which token comes next hangs on all tokens so far, the start included.

    After `script` tokens the end is most probable; a script of None never ends.
    """

    def __init__(self, table: Tensor, end: int, script: int | None, patience: int) -> None:
        self.table, self.end, self.script, self.patience = table, end, script, patience

    def __call__(self, tokens: Any) -> Tensor:
        self.patience -= 1
        if self.patience < 0:
            raise Stopped("the model was asked far more often than tokens may be written")
        if isinstance(tokens, Tensor):
            if tokens.dim() != 1:
                raise NotAsAsked(
                    "`next_logits` wants all tokens so far in one row: a list of numbers, beginning with "
                    "start."
                )
            tokens = tokens.tolist()
        if not isinstance(tokens, list | tuple):
            raise NotAsAsked("`next_logits` wants a list: all tokens so far, beginning with start.")
        numbers = [int(token) for token in tokens]
        if not numbers:
            raise NotAsAsked("`next_logits` got an empty list: the first token it sees is the start.")
        key = sum((place + 2) * (number + 1) for place, number in enumerate(numbers))
        row = self.table[key % len(self.table)].clone()
        row[self.end] = row.max() + 1 if len(numbers) - 1 == self.script else row.min() - 1
        return row


def decode_behaviour(
    work: Callable, table: Tensor, start: int, end: int, most: int, script: int | None
) -> list[int]:
    """Probe: lets the work decode with a made-up model, which stops it when it goes on for ever.

    Raises:
        NotAsAsked: if what is returned is not a list of whole numbers.
        Stopped: if the model is asked far more often than tokens may be written.
    """
    out = work(_Model(table, end, script, most + 20), start, end, most)
    if isinstance(out, Tensor):
        raise NotAsAsked("`greedy_decode` should return a list of whole numbers, but it returns a tensor.")
    if not isinstance(out, list | tuple):
        raise NotAsAsked(f"`greedy_decode` should return a list, but it returns {type(out).__name__}.")
    if not all(isinstance(t, int) or (isinstance(t, Tensor) and t.dim() == 0) for t in out):
        raise NotAsAsked("`greedy_decode` should return a list of whole numbers, one for each token.")
    return [int(token) for token in out]


def greedy_decode_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, start: int, end: int, most: int, script: int | None, V: int, note: str) -> Case:
        table = normal(generator, 23, V)
        table[:, start] -= 9  # no model writes the start
        return Case(group, (table, start, end, most, script), note)

    n = whole_number(generator, 5, 8)
    return [
        case("values", 0, 1, 20, 3, 6, "the end comes after three tokens"),
        case("values", 2, 5, 15, n, 9, "other numbers for start and end"),
        case("values", 0, 3, n, None, 12, "the end never comes: `most` tokens"),
        case("shapes", 1, 0, 4, 4, 5, "the end would come just after `most` tokens"),
        case("shapes", 6, 7, 5, 4, 8, "the end comes where one more was allowed"),
        case("edge cases", 0, 1, 10, 0, 7, "the end comes at once: nothing is written"),
        case("edge cases", 0, 1, 1, None, 7, "one token at most"),
        case("edge cases", 0, 1, 0, None, 7, "no token at most"),
    ]


_GREEDY = """
def greedy_decode(next_logits, start, end, most):
    tokens = [start]
    while len(tokens) <= most:
        token = int(next_logits(tokens).argmax())
        if token == end:
            break
        tokens.append(token)
    return tokens[1:]
"""
_UNTIL = "        if token == end:\n            break\n"
_ARGMAX = "int(next_logits(tokens).argmax())"

GREEDY_DECODE = Exercise(
    id="15.greedy_decode",
    name="greedy_decode",
    title="Token after token",
    difficulty=2,
    points=3,
    minutes=10,
    cases=greedy_decode_cases,
    reference=greedy_decode,
    probe=decode_behaviour,
    input_names=("table of the model's logits", "start", "end", "most", "tokens until the end"),
    result="a list of whole numbers",
    misconceptions=(
        Misconception(
            "never stops",
            changed(_GREEDY, ("while len(tokens) <= most:", "while True:")),
            "Your loop stops only at the end token. A model that never writes it keeps you writing for ever: "
            "stop after `most` tokens, too.",
        ),
        Misconception(
            "ignores the end",
            changed(_GREEDY, (_UNTIL, "")),
            "Your loop always writes `most` tokens. When the model says that it has finished, believe it.",
        ),
        Misconception(
            "end included",
            changed(
                _GREEDY,
                (_UNTIL, ""),
                (
                    "        tokens.append(token)\n",
                    "        tokens.append(token)\n        if token == end:\n            break\n",
                ),
            ),
            "Your list ends with the end token. It says that the writing is over and is no part of it.",
        ),
        Misconception(
            "start included",
            changed(_GREEDY, ("return tokens[1:]", "return tokens")),
            "Your list begins with the start token. It was given, not written.",
        ),
        Misconception(
            "only the last token shown",
            changed(_GREEDY, ("next_logits(tokens)", "next_logits(tokens[-1:])")),
            "You show the model only the last token. It has no memory of its own: each time it needs all "
            "tokens so far.",
        ),
        Misconception(
            "always shown the start alone",
            changed(_GREEDY, ("next_logits(tokens)", "next_logits([start])")),
            "You show the model nothing but the start, each time. What was written has to be shown as well.",
        ),
        Misconception(
            "start not shown",
            changed(_GREEDY, ("next_logits(tokens)", "next_logits(tokens[1:] or tokens)")),
            "From the second token on the model does not see the start any more. It stands before all that "
            "is written, every time.",
        ),
        Misconception(
            "one token too many",
            changed(_GREEDY, ("<= most", "<= most + 1")),
            "You write one token more than `most` allows. Does your count include the start?",
        ),
        Misconception(
            "one token too few",
            changed(_GREEDY, ("<= most", "< most")),
            "Where `most` ends the writing, you have one token less than it allows. Does your count include "
            "the start? Or do you drop the last token as if it were always the end?",
        ),
        Misconception(
            "the least probable",
            changed(_GREEDY, ("argmax", "argmin")),
            "You take the least probable token each time.",
        ),
        Misconception(
            "drawn",
            changed(
                _GREEDY,
                (
                    _ARGMAX,
                    "int(torch.multinomial(next_logits(tokens).softmax(-1), 1, "
                    "generator=torch.Generator().manual_seed(1)))",
                ),
            ),
            "You draw the next token. Greedy means: no chance, always the most probable.",
        ),
        Misconception(
            "the logit for the token",
            changed(_GREEDY, (_ARGMAX, "int(next_logits(tokens).max())")),
            "You write the largest logit itself, cut to a whole number. The token is the place where it "
            "stands.",
        ),
        Misconception(
            "end skipped",
            changed(_GREEDY, (_UNTIL, "        if token == end:\n            token = start\n")),
            "At the end token you write something else and go on. The first end token finishes the writing.",
        ),
        Misconception(
            "shown again to the front",
            changed(_GREEDY, ("tokens.append(token)", "tokens.insert(1, token)")),
            "Each new token goes to the front, just after the start. It follows the last one.",
        ),
        Misconception(
            "stops when a token comes again",
            changed(_GREEDY, ("if token == end:", "if token == end or token in tokens:")),
            "You stop when a token comes for the second time. Words repeat their letters: only the end token "
            "and `most` stop the writing.",
        ),
        Misconception(
            "only one token",
            changed(_GREEDY, ("    return", "        break\n    return")),
            "You write one token and stop. Show the model what it has written and ask again, until the end.",
        ),
        Misconception(
            "writes before it counts",
            changed(
                _GREEDY,
                ("while len(tokens) <= most:", "while True:"),
                (
                    "        tokens.append(token)\n",
                    "        tokens.append(token)\n        if len(tokens) > most:\n            break\n",
                ),
            ),
            "All is right until `most` is 0. You write a token before you look whether one may be written.",
        ),
    ),
    hints=(
        "Write down by hand what the model is shown the first time, the second and the third. What are the "
        "two reasons to stop?",
        "Keep a list that begins with the start. As long as fewer than `most` tokens are written, show the "
        "whole list, take the place of the largest logit, stop if it is the end and append it if not. Give "
        "back the list without the start.",
    ),
    alternatives=(
        """
def greedy_decode(next_logits, start, end, most):
    written = []
    for _ in range(most):
        token = next_logits([start] + written).argmax().item()
        if token == end:
            return written
        written.append(token)
    return written
""",
        """
def greedy_decode(next_logits, start, end, most):
    written = []
    while len(written) < most and end not in written:
        written.append(int(torch.argmax(next_logits([start, *written]))))
    return [token for token in written if token != end]
""",
        """
def greedy_decode(next_logits, start, end, most):
    def go_on(tokens):
        if len(tokens) > most:
            return tokens
        token = max(enumerate(next_logits(tokens).tolist()), key=lambda pair: pair[1])[0]
        return tokens if token == end else go_on(tokens + [token])

    return go_on([start])[1:]
""",
    ),
)

# ----------------------------------------------------------------------------------- 15.noam_warmup


def noam_warmup(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of "Attention is all you need": a straight rise, then 1/√step."""
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def noam_cases(generator: torch.Generator) -> list[Case]:
    warmup = whole_number(generator, 20, 60)
    d = 8 * whole_number(generator, 3, 9)
    return [
        Case("values", (50, 64, 100), "the example of the statement, half-way up"),
        Case("values", (400, 64, 100), "the example, after the warm-up"),
        Case("values", (warmup // 2, d, warmup), "on the way up"),
        Case("values", (7 * warmup, d + 4, warmup), "long after the warm-up"),
        Case("values", (4000, 512, 4000), "the paper's numbers, at the top"),
        Case("edge cases", (warmup, d, warmup), "at the last step of the warm-up"),
        Case("edge cases", (warmup + 1, d, warmup), "one step later"),
        Case("edge cases", (1, d, warmup), "the first step"),
        Case("edge cases", (3, 16, 1), "a warm-up of one step"),
        Case("edge cases", (1_000_000, 16, 10), "a million steps"),
    ]


def _noam(formula: str) -> str:
    return f"\ndef noam_warmup(step, d_model, warmup):\n    return {formula}\n"


NOAM_WARMUP = Exercise(
    id="15.noam_warmup",
    name="noam_warmup",
    title="A rate that rises and falls",
    difficulty=1,
    points=2,
    minutes=6,
    cases=noam_cases,
    reference=noam_warmup,
    result="a number",
    rtol=1e-6,
    atol=1e-12,
    misconceptions=(
        Misconception(
            "the larger of the two",
            _noam("d_model**-0.5 * max(step**-0.5, step * warmup**-1.5)"),
            "You take the larger of the two curves: the first steps are huge, and after the warm-up the rate "
            "grows for ever. It is the smaller one at every step.",
        ),
        Misconception(
            "no warm-up",
            _noam("d_model**-0.5 * step**-0.5"),
            "Your rate falls from the first step on. The straight rise is missing.",
        ),
        Misconception(
            "no fall",
            _noam("d_model**-0.5 * step * warmup**-1.5"),
            "Your rate rises for ever. After the warm-up it has to fall with 1/√step.",
        ),
        Misconception(
            "flat after the warm-up",
            _noam("d_model**-0.5 * warmup**-0.5 * min(1, step / warmup)"),
            "The rise is right, but then your rate stays at its height. It should fall with 1/√step.",
        ),
        Misconception(
            "width left out",
            _noam("min(step**-0.5, step * warmup**-1.5)"),
            "The curve is right, its height is not: d_model plays no part in your rate. A wider model takes "
            "smaller steps.",
        ),
        Misconception(
            "square root of the width, not one over it",
            _noam("d_model**0.5 * min(step**-0.5, step * warmup**-1.5)"),
            "You multiply with √d_model, so a wider model takes larger steps. It is 1 over the root.",
        ),
        Misconception(
            "one over the width",
            _noam("min(step**-0.5, step * warmup**-1.5) / d_model"),
            "You divide by d_model. It is its square root.",
        ),
        Misconception(
            "warm-up without its power",
            _noam("d_model**-0.5 * min(step**-0.5, step / warmup)"),
            "Your rise ends far too early: at the step `warmup` both curves must meet. Put step = warmup "
            "into the rise: is it 1/√warmup?",
        ),
        Misconception(
            "power one half for the warm-up",
            _noam("d_model**-0.5 * min(step**-0.5, step * warmup**-0.5)"),
            "Your rise is too steep: warmup is taken to the power −0.5, where the two curves do not meet at "
            "the step `warmup`. Which power makes step · warmup^? equal to warmup^−0.5 there?",
        ),
        Misconception(
            "falls with 1/step",
            _noam("d_model**-0.5 * min(step * warmup**-1.5, warmup**0.5 / step)"),
            "After the warm-up your rate falls with 1/step. It is 1/√step, which falls more slowly.",
        ),
        Misconception(
            "steps counted from 0",
            _noam("d_model**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup**-1.5)"),
            "You are one step ahead. Steps count from 1 here, so nothing has to be added.",
        ),
        Misconception(
            "rises with the root",
            _noam("d_model**-0.5 * warmup**-0.5 * min((step / warmup) ** 0.5, (warmup / step) ** 0.5)"),
            "You rise with √step. The rise is a straight line: twice the step, twice the rate.",
        ),
        Misconception(
            "the two multiplied",
            _noam("d_model**-0.5 * step**-0.5 * step * warmup**-1.5"),
            "You multiply the two curves. At every step the smaller one counts.",
        ),
        Misconception(
            "highest rate is 1",
            _noam("min((step / warmup) ** -0.5, step / warmup)"),
            "The shape is right, but your rate is 1 at the top. At the step `warmup` it should be 1 over "
            "√d_model · √warmup.",
        ),
        Misconception(
            "the falling curve missing its sign",
            _noam("d_model**-0.5 * min(step**0.5, step * warmup**-1.5)"),
            "One of your two curves is √step, which grows. It is 1 over that root.",
        ),
        Misconception(
            "one over the step",
            _noam("d_model**-0.5 * min(1 / step, step * warmup**-1.5)"),
            "Your falling curve is 1/step. It is 1 over the root of the step: the power is −0.5.",
        ),
        Misconception(
            "the two added",
            _noam("d_model**-0.5 * (step**-0.5 + step * warmup**-1.5)"),
            "You add the two curves. At every step the smaller one counts.",
        ),
        Misconception(
            "the power taken of the step, too",
            _noam("d_model**-0.5 * min(step**-0.5, (step * warmup) ** -1.5)"),
            "You take the power −1.5 of step · warmup. It belongs to warmup alone; a straight line has the "
            "step itself.",
        ),
        Misconception(
            "the fall begins anew",
            _noam("d_model**-0.5 * (step * warmup**-1.5 if step <= warmup else (step - warmup) ** -0.5)"),
            "After the warm-up you count the steps from 1 again, so the rate leaps. Both curves have the "
            "same step, counted from the beginning.",
        ),
        Misconception(
            "the width divides the falling curve only",
            _noam("min((d_model * step) ** -0.5, step * warmup**-1.5)"),
            "Only your falling curve is divided by √d_model. The smaller of the two curves is taken first, "
            "then divided.",
        ),
        Misconception(
            "the width divides the rising curve only",
            _noam("min(step**-0.5, d_model**-0.5 * step * warmup**-1.5)"),
            "Only your rising curve is divided by √d_model. The smaller of the two curves is taken first, "
            "then divided.",
        ),
    ),
    hints=(
        "Two curves: one rises in a straight line, one falls with 1/√step. At which step do they meet, and "
        "which of them is the smaller one before and after?",
        "Work out both curves for this step, take the smaller one and divide by √d_model.",
    ),
    alternatives=(
        """
def noam_warmup(step, d_model, warmup):
    if step < warmup:
        return step / (math.sqrt(d_model) * warmup * math.sqrt(warmup))
    return 1 / math.sqrt(d_model * step)
""",
        """
def noam_warmup(step, d_model, warmup):
    highest = (d_model * warmup) ** -0.5
    return highest * min(step / warmup, (warmup / step) ** 0.5)
""",
        """
def noam_warmup(step, d_model, warmup):
    curves = torch.tensor([step**-0.5, step * warmup**-1.5], dtype=torch.float64)
    return (curves.min() / d_model**0.5).item()
""",
    ),
)

# -------------------------------------------------------------------- 15.count_transformer_parameters


def count_transformer_parameters(vocabulary: int, d_model: int, d_ff: int, layers: int) -> int:
    """How many numbers a GPT of this size learns."""
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = d_model * d_ff + d_ff + d_ff * d_model + d_model
    norms = 2 * 2 * d_model
    embedding, last_norm = vocabulary * d_model, 2 * d_model
    head = d_model * vocabulary + vocabulary
    return embedding + layers * (attention + feed_forward + norms) + last_norm + head


def count_cases(generator: torch.Generator) -> list[Case]:
    def size() -> tuple[int, int, int, int]:
        limits = ((20, 90), (5, 40), (41, 160), (2, 9))
        vocabulary, d_model, d_ff, layers = (whole_number(generator, *pair) for pair in limits)
        return vocabulary, d_model, d_ff, layers

    return [
        Case("values", (10, 4, 16, 1), "the example of the statement"),
        Case("values", (10, 4, 16, 3), "three blocks"),
        Case("values", size()),
        Case("values", size()),
        Case("values", (5_003, 96, 384, 12), "twelve blocks, the width of the small GPT-2 over eight"),
        Case("edge cases", (7, 3, 5, 0), "no block at all"),
        Case("edge cases", (2, 1, 1, 1), "everything as small as it can be"),
    ]


_COUNT = """
def count_transformer_parameters(vocabulary, d_model, d_ff, layers):
    d = d_model
    attention = 4 * (d * d + d)
    feed_forward = d * d_ff + d_ff + d_ff * d + d
    norms = 2 * 2 * d
    outside = vocabulary * d + 2 * d + (d * vocabulary + vocabulary)
    return layers * (attention + feed_forward + norms) + outside
"""

COUNT = Exercise(
    id="15.count_transformer_parameters",
    name="count_transformer_parameters",
    title="Where the numbers are",
    difficulty=2,
    points=3,
    minutes=10,
    cases=count_cases,
    reference=count_transformer_parameters,
    result="a whole number",
    misconceptions=(
        Misconception(
            "no biases at all",
            changed(
                _COUNT,
                ("4 * (d * d + d)", "4 * d * d"),
                ("d * d_ff + d_ff + d_ff * d + d", "2 * d * d_ff"),
                ("(d * vocabulary + vocabulary)", "d * vocabulary"),
            ),
            "You count weights only. Each linear layer has biases, too: one for each number that comes out.",
        ),
        Misconception(
            "four times d_model too few in a block",
            changed(_COUNT, ("4 * (d * d + d)", "4 * d * d")),
            "In each block 4 · d_model numbers are missing: are the biases of the attention's four layers "
            "in it, and the scales and shifts of both norms?",
        ),
        Misconception(
            "no biases in the feed-forward part",
            changed(_COUNT, ("d * d_ff + d_ff + d_ff * d + d", "2 * d * d_ff")),
            "The biases of the feed-forward part are missing: one for each unit in the middle and one for "
            "each feature that comes out.",
        ),
        Misconception(
            "head without biases",
            changed(_COUNT, ("(d * vocabulary + vocabulary)", "d * vocabulary")),
            "The biases of the last layer are missing: one for each token of the vocabulary.",
        ),
        Misconception(
            "three matrices in the attention",
            changed(_COUNT, ("4 * (d * d + d)", "3 * (d * d + d)")),
            "You count three layers in the attention: queries, keys, values. A fourth mixes the heads when "
            "they are put together again.",
        ),
        Misconception(
            "one matrix in the attention",
            changed(_COUNT, ("4 * (d * d + d)", "d * d + d")),
            "You count one layer in the attention. There are four: queries, keys, values, and the one that "
            "mixes the heads.",
        ),
        Misconception(
            "no norms",
            changed(_COUNT, ("norms = 2 * 2 * d", "norms = 0"), (" + 2 * d + (d", " + (d")),
            "The layer norms are missing. Each learns a scale and a shift for every feature; there are two "
            "in a block and one at the end.",
        ),
        Misconception(
            "last norm forgotten",
            changed(_COUNT, (" + 2 * d + (d", " + (d")),
            "The norm after the last block is missing, with its 2 · d_model numbers.",
        ),
        Misconception(
            "norms without shift",
            changed(_COUNT, ("norms = 2 * 2 * d", "norms = 2 * d"), (" + 2 * d + (d", " + d + (d")),
            "You count one number for each feature of a layer norm. There are two: a scale and a shift.",
        ),
        Misconception(
            "one norm in a block",
            changed(_COUNT, ("norms = 2 * 2 * d", "norms = 2 * d")),
            "You count one layer norm in each block. There are two: one before each part.",
        ),
        Misconception(
            "embedding forgotten",
            changed(_COUNT, ("vocabulary * d + 2 * d", "2 * d")),
            "The embedding is missing: a row of d_model numbers for every token.",
        ),
        Misconception(
            "head forgotten",
            changed(_COUNT, (" + (d * vocabulary + vocabulary)", "")),
            "The last layer is missing, which turns features into a logit for each token. Here it has "
            "weights of its own, not those of the embedding.",
        ),
        Misconception(
            "only one block",
            changed(_COUNT, ("layers * (attention", "(attention")),
            "You count a single block, whatever `layers` says. Each block has its own numbers.",
        ),
        Misconception(
            "the ends counted for every block",
            changed(
                _COUNT,
                (
                    "layers * (attention + feed_forward + norms) + outside",
                    "layers * (attention + feed_forward + norms + outside)",
                ),
            ),
            "You multiply embedding, last norm and last layer with the number of blocks, too. They are there "
            "once.",
        ),
        Misconception(
            "only the attention in every block",
            changed(
                _COUNT,
                ("layers * (attention + feed_forward + norms)", "layers * attention + feed_forward + norms"),
            ),
            "Only your attention is multiplied with the number of blocks. Feed-forward part and norms are in "
            "each block as well. (Parentheses?)",
        ),
        Misconception(
            "feed-forward always four times as wide",
            changed(_COUNT, ("d * d_ff + d_ff + d_ff * d + d", "8 * d * d + 5 * d")),
            "You take 4 · d_model for the width of the feed-forward part. It is often so; here it is d_ff.",
        ),
        Misconception(
            "one layer in the feed-forward part",
            changed(_COUNT, ("d * d_ff + d_ff + d_ff * d + d", "d * d_ff + d_ff")),
            "You count one layer in the feed-forward part. A second one leads back from d_ff to d_model.",
        ),
        Misconception(
            "a matrix for the positions",
            changed(_COUNT, ("return layers", "return vocabulary * d + layers")),
            "You count a second table of the embedding's size, for the positions? Those of this model are "
            "sine and cosine, and nothing in them is learned.",
        ),
        Misconception(
            "decoder with cross attention",
            changed(_COUNT, ("layers * (attention", "layers * (2 * attention + 2 * d")),
            "You count two attentions in each block. A GPT is a decoder alone: there is nothing to look "
            "across to.",
        ),
        Misconception(
            "head with the wrong biases",
            changed(_COUNT, ("(d * vocabulary + vocabulary)", "(d * vocabulary + d)")),
            "Your last layer has d_model biases. A bias belongs to each number that comes out: one for each "
            "token of the vocabulary.",
        ),
        Misconception(
            "biases for the embedding",
            changed(_COUNT, ("outside = vocabulary * d +", "outside = vocabulary * d + d +")),
            "You count biases for the embedding. It is a table: one row of numbers for each token, and "
            "nothing is added.",
        ),
        Misconception(
            "the last norm in every block",
            changed(
                _COUNT,
                ("norms = 2 * 2 * d", "norms = 3 * 2 * d"),
                ("vocabulary * d + 2 * d +", "vocabulary * d +"),
            ),
            "You count three norms in each block. There are two; the third stands once, after the last "
            "block.",
        ),
        Misconception(
            "two numbers for a norm",
            changed(
                _COUNT,
                ("norms = 2 * 2 * d", "norms = 2 * 2"),
                ("vocabulary * d + 2 * d +", "vocabulary * d + 2 +"),
            ),
            "You count one scale and one shift for a norm. It has both for each feature.",
        ),
        Misconception(
            "d_ff biases twice",
            changed(_COUNT, ("d * d_ff + d_ff + d_ff * d + d", "2 * (d * d_ff + d_ff)")),
            "Both layers of your feed-forward part have d_ff biases. The second gives d_model numbers and "
            "has as many.",
        ),
        Misconception(
            "d_model biases twice",
            changed(_COUNT, ("d * d_ff + d_ff + d_ff * d + d", "2 * (d * d_ff + d)")),
            "Both layers of your feed-forward part have d_model biases. The first gives d_ff numbers and has"
            " as many.",
        ),
    ),
    hints=(
        "Take one block first and list its parts: four linear layers in the attention, two in the "
        "feed-forward part, two norms. How many numbers has a linear layer from m to n, and how many a "
        "layer norm?",
        "Add up one block, multiply by the number of blocks, and add what is there once: the embedding, the "
        "last norm, and the layer that gives the logits. Check with the example.",
    ),
    alternatives=(
        """
def count_transformer_parameters(vocabulary, d_model, d_ff, layers):
    def linear(m, n):
        return m * n + n

    block = 4 * linear(d_model, d_model) + linear(d_model, d_ff) + linear(d_ff, d_model) + 4 * d_model
    return vocabulary * d_model + layers * block + 2 * d_model + linear(d_model, vocabulary)
""",
        """
def count_transformer_parameters(vocabulary, d_model, d_ff, layers):
    d, V = d_model, vocabulary
    return 2 * V * d + V + 2 * d + layers * (4 * d**2 + 2 * d * d_ff + d_ff + 9 * d)
""",
        """
def count_transformer_parameters(vocabulary, d_model, d_ff, layers):
    shapes = [(vocabulary, d_model), (d_model,), (d_model,), (vocabulary, d_model), (vocabulary,)]
    for _ in range(layers):
        shapes += 4 * [(d_model, d_model)] + 4 * [(d_model,)] + 4 * [(d_model,)]
        shapes += [(d_ff, d_model), (d_ff,), (d_model, d_ff), (d_model,)]
    return sum(math.prod(shape) for shape in shapes)
""",
    ),
)

# ------------------------------------------------------------------------------------ 15.error_rate


def error_rate(predicted: Sequence, wanted: Sequence) -> float:
    """How many tokens must be changed, put in or taken out, over the length of what was wanted."""
    if not len(wanted):
        raise ValueError("nothing is wanted: there is no length to divide by")
    table = [[0] * (len(wanted) + 1) for _ in range(len(predicted) + 1)]
    for i in range(len(predicted) + 1):
        for j in range(len(wanted) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
            else:
                changed_one = table[i - 1][j - 1] + (predicted[i - 1] != wanted[j - 1])
                table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, changed_one)
    return table[-1][-1] / len(wanted)


def error_rate_cases(generator: torch.Generator) -> list[Case]:
    def tokens(count: int, kinds: int) -> list[int]:
        return torch.randint(0, kinds, (count,), generator=generator).tolist()

    n = whole_number(generator, 4, 5)
    return [
        Case("values", (["N", "AY", "T"], ["N", "AY", "T"]), "all right"),
        Case("values", (["K", "N", "AY", "T"], ["N", "AY", "T"]), "one too many, in front"),
        Case("values", (["N", "AY", "K", "T"], ["N", "AY", "T"]), "one too many, inside"),
        Case("values", (["N", "T"], ["N", "AY", "T"]), "one is missing inside"),
        Case("values", (["AY", "D"], ["N", "AY", "T"]), "one is missing, one is wrong"),
        Case("values", (list("kitten"), list("sitting")), "kitten for sitting"),
        Case("values", (list("ca"), list("abc")), "two ways that cost the same"),
        Case("values", (["N", "T", "AY"], ["N", "AY", "T"]), "two neighbours in the wrong order: two steps"),
        Case("values", (tokens(n, 3), tokens(n + 2, 3))),
        Case("values", (tokens(n + 2, 4), tokens(n, 4)), "longer than what is wanted"),
        Case("shapes", (tokens(25, 5), tokens(30, 5)), "long ones: no time to go every way anew"),
        Case("shapes", ([4], [4, 7]), "a sequence of one"),
        Case("edge cases", ([], [3, 1]), "nothing predicted"),
        Case("edge cases", (list("aaaaa"), list("b")), "far too many: more than 1"),
        Case("edge cases", ([1, 2, 3], []), "nothing wanted: a ValueError"),
    ]


def error_rate_or_refusal(work: Callable, predicted: list, wanted: list) -> Any:
    """Probe: the rate; where nothing is wanted, whether a ValueError came."""
    if len(wanted):
        return work(predicted, wanted)
    try:
        out = work(predicted, wanted)
    except ValueError:
        return "a ValueError"
    return None if out is None else f"no ValueError, but {out}"


_RATE = """
def error_rate(predicted, wanted):
    if len(wanted) == 0:
        raise ValueError("nothing is wanted")
    row = list(range(len(wanted) + 1))
    for i in range(1, len(predicted) + 1):
        above, row = row, [i]
        for j in range(1, len(wanted) + 1):
            swap = above[j - 1] + (predicted[i - 1] != wanted[j - 1])
            row.append(min(above[j] + 1, row[j - 1] + 1, swap))
    return row[-1] / len(wanted)
"""
_REFUSES = '    if len(wanted) == 0:\n        raise ValueError("nothing is wanted")\n'
_BEST = "min(above[j] + 1, row[j - 1] + 1, swap)"
_OVER = "row[-1] / len(wanted)"


def _rate(body: str) -> str:
    return f"\ndef error_rate(predicted, wanted):\n{_REFUSES}{body}"


ERROR_RATE = Exercise(
    id="15.error_rate",
    name="error_rate",
    title="How wrong is a pronunciation?",
    difficulty=3,
    points=5,
    minutes=15,
    cases=error_rate_cases,
    reference=error_rate,
    probe=error_rate_or_refusal,
    result="a number",
    rtol=1e-9,
    misconceptions=(
        Misconception(
            "place by place",
            _rate(
                "    wrong = sum(p != w for p, w in zip(predicted, wanted))\n"
                "    return (wrong + abs(len(predicted) - len(wanted))) / len(wanted)\n"
            ),
            "You compare place by place. One token too many in front moves all others, and each then counts "
            "as wrong, though a single change would do.",
        ),
        Misconception(
            "place by place, the rest left out",
            _rate("    return sum(p != w for p, w in zip(predicted, wanted)) / len(wanted)\n"),
            "You compare place by place, and what has no partner is not looked at. So a token that is "
            "missing at the end costs nothing.",
        ),
        Misconception(
            "all or nothing",
            _rate("    return float(list(predicted) != list(wanted))\n"),
            "You count a sequence as right or wrong as a whole. That is the word error rate; here each token "
            "counts.",
        ),
        Misconception(
            "which tokens occur",
            _rate("    return len(set(predicted) ^ set(wanted)) / len(wanted)\n"),
            "You compare which tokens occur. Their order, and how often they come, count as well.",
        ),
        Misconception(
            "not divided",
            changed(_RATE, (_OVER, "row[-1]")),
            "You give back the number of changes. It is divided by the length of what was wanted.",
        ),
        Misconception(
            "divided by the prediction's length",
            changed(_RATE, (_OVER, "row[-1] / max(1, len(predicted))")),
            "You divide by the length of the prediction. A model could lower its rate by talking more: "
            "divide by what was wanted.",
        ),
        Misconception(
            "divided by the longer one",
            changed(_RATE, (_OVER, "row[-1] / max(len(predicted), len(wanted))")),
            "You divide by the longer of the two, so the rate never exceeds 1. It may: divide by what was "
            "wanted.",
        ),
        Misconception(
            "never more than 1",
            changed(_RATE, (_OVER, f"min(1.0, {_OVER})")),
            "You cut the rate off at 1. Who says far too much makes more mistakes than there are tokens.",
        ),
        Misconception(
            "share of what is right",
            changed(_RATE, (_OVER, f"1 - {_OVER}")),
            "You give back how much is right. How much is wrong is asked for: 0 is best.",
        ),
        Misconception(
            "a change costs two",
            changed(
                _RATE, ("+ (predicted[i - 1] != wanted[j - 1])", "+ 2 * (predicted[i - 1] != wanted[j - 1])")
            ),
            "Changing one token into another costs you 2, as if one were taken out and another put in. It "
            "is a single step and costs 1.",
        ),
        Misconception(
            "taking out is free",
            changed(_RATE, ("min(above[j] + 1,", "min(above[j],")),
            "What the prediction has too much costs nothing with you. Taking a token out is a step as well.",
        ),
        Misconception(
            "putting in is free",
            changed(_RATE, ("row[j - 1] + 1,", "row[j - 1],")),
            "What the prediction lacks costs nothing with you. Putting a token in is a step as well.",
        ),
        Misconception(
            "nothing taken out",
            changed(_RATE, (_BEST, "min(row[j - 1] + 1, swap)")),
            "Your table never takes a token out: the way straight down is missing from the minimum.",
        ),
        Misconception(
            "nothing put in",
            changed(_RATE, (_BEST, "min(above[j] + 1, swap)")),
            "Your table never puts a token in: the way from the left is missing from the minimum.",
        ),
        Misconception(
            "the largest instead of the smallest",
            changed(_RATE, ("row.append(min(", "row.append(max(")),
            "You take the dearest of the three ways. The cheapest counts.",
        ),
        Misconception(
            "the edge full of zeros",
            changed(_RATE, ("row = list(range(len(wanted) + 1))", "row = [0] * (len(wanted) + 1)")),
            "The first row of your table is all 0: as if a beginning could be put in for nothing. From an "
            "empty prediction to j tokens there are j steps.",
        ),
        Misconception(
            "the column at the edge full of zeros",
            changed(_RATE, ("row = row, [i]", "row = row, [0]")),
            "The first column of your table is all 0: as if a beginning could be taken out for nothing. "
            "From i tokens to none there are i steps.",
        ),
        Misconception(
            "equal tokens cost, others do not",
            changed(_RATE, ("predicted[i - 1] != wanted[j - 1]", "predicted[i - 1] == wanted[j - 1]")),
            "In your table equal tokens cost 1 and different ones nothing. It is the other way round.",
        ),
        Misconception(
            "nothing wanted gives 0",
            changed(_RATE, ('raise ValueError("nothing is wanted")', "return 0.0")),
            "All is right until nothing is wanted. There is no length to divide by then: a ValueError is "
            "asked for.",
        ),
        Misconception(
            "nothing wanted divides by 0",
            changed(_RATE, (_REFUSES, "")),
            "All is right until nothing is wanted: then you divide by 0. Look at the length first, and raise "
            "the error that is asked for.",
        ),
        Misconception(
            "read from the other end",
            changed(_RATE, ("!= wanted[j - 1]", "!= wanted[-j]")),
            "You compare the prediction with the wanted tokens from their end. Both are read from the front.",
        ),
        Misconception(
            "both edges full of zeros",
            changed(
                _RATE,
                ("row = list(range(len(wanted) + 1))", "row = [0] * (len(wanted) + 1)"),
                ("row = row, [i]", "row = row, [0]"),
            ),
            "Both edges of your table are all 0, as if beginnings could be put in and taken out for nothing."
            " Along the edges it counts 0, 1, 2, …",
        ),
        Misconception(
            "equal tokens cost as well",
            changed(_RATE, ("+ (predicted[i - 1] != wanted[j - 1])", "+ 1")),
            "In your table the way from the corner always costs 1. Where both tokens are equal nothing has "
            "to be done: it costs 0.",
        ),
        Misconception(
            "divided by the prediction's length, even 0",
            changed(_RATE, (_OVER, "row[-1] / len(predicted)")),
            "You divide by the length of the prediction, which may even be 0. Divide by what was wanted.",
        ),
        Misconception(
            "neighbours exchanged in one step",
            """
def error_rate(predicted, wanted):
    n, m = len(predicted), len(wanted)
    if m == 0:
        raise ValueError("nothing is wanted")
    table = [[i + j if i * j == 0 else 0 for j in range(m + 1)] for i in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            swap = table[i - 1][j - 1] + (predicted[i - 1] != wanted[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, swap)
            crossed = predicted[i - 1] == wanted[j - 2] and predicted[i - 2] == wanted[j - 1]
            if i > 1 and j > 1 and crossed:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[n][m] / m
""",
            "With you two neighbours may change places in one step. There are three kinds of steps only: "
            "take one out, put one in, change one. An exchange takes two.",
        ),
        Misconception(
            "one row many times",
            """
def error_rate(predicted, wanted):
    n, m = len(predicted), len(wanted)
    if m == 0:
        raise ValueError("nothing is wanted")
    table = [[0] * (m + 1)] * (n + 1)
    for i in range(n + 1):
        table[i][0] = i
    for j in range(m + 1):
        table[0][j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            swap = table[i - 1][j - 1] + (predicted[i - 1] != wanted[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, swap)
    return table[n][m] / m
""",
            "All rows of your table are one and the same list: `[row] * n` repeats the list, it does not "
            "copy it. What you write into one row stands in all.",
        ),
        Misconception(
            "refuses an empty prediction",
            changed(_RATE, ("if len(wanted) == 0:", "if len(wanted) == 0 or len(predicted) == 0:")),
            "You refuse an empty prediction, too. It is allowed: then everything that is wanted has to be "
            "put in.",
        ),
    ),
    hints=(
        "Make a table: row i, column j is how many steps lead from the first i tokens of the prediction to "
        "the first j of what is wanted. Which numbers stand at its edges? Fill it in by hand for AY D and N "
        "AY T.",
        "Each other cell is the cheapest of three ways: from above, plus 1 (taken out); from the left, plus "
        "1 (put in); from the corner above left, plus 1 if the two tokens differ. The last cell over the "
        "length of what is wanted is the rate. Refuse an empty one first.",
    ),
    alternatives=(
        _RATE,
        """
def error_rate(predicted, wanted):
    if not wanted:
        raise ValueError("empty")
    known = {}

    def steps(i, j):
        if i == 0 or j == 0:
            return i + j
        if (i, j) not in known:
            if predicted[i - 1] == wanted[j - 1]:
                known[i, j] = steps(i - 1, j - 1)
            else:
                known[i, j] = 1 + min(steps(i - 1, j), steps(i, j - 1), steps(i - 1, j - 1))
        return known[i, j]

    return steps(len(predicted), len(wanted)) / len(wanted)
""",
        """
def error_rate(predicted, wanted):
    n, m = len(predicted), len(wanted)
    if m == 0:
        raise ValueError("there is no length to divide by")
    D = torch.zeros(n + 1, m + 1, dtype=torch.long)
    D[:, 0] = torch.arange(n + 1)
    D[0] = torch.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            corner = D[i - 1, j - 1] + (predicted[i - 1] != wanted[j - 1])
            D[i, j] = min(D[i - 1, j] + 1, D[i, j - 1] + 1, corner)
    return D[n, m].item() / m
""",
    ),
)

EXERCISES = (
    FEED_FORWARD,
    ENCODER_BLOCK,
    SHIFT_TARGETS,
    MASK_TOKENS,
    TOP_K,
    GREEDY_DECODE,
    NOAM_WARMUP,
    COUNT,
    ERROR_RATE,
)
