"""The exercises of lesson 04 as data: layers, what they count, and small networks set up by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .exercise import Case, Exercise, Misconception, NotAsAsked


def _size(generator: torch.Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def _normal(generator: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=generator)


# --------------------------------------------------------------------------------------- 04.linear


def linear(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Z = X Wᵀ + b: (B, in), (out, in), (out,) -> (B, out)."""
    return X @ W.T + b


def linear_cases(generator: torch.Generator) -> list[Case]:
    """Square sizes too: there a wrong product or a bias on the wrong axis can be computed."""

    def layer(B: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor]:
        return (
            _normal(generator, B, inputs),
            _normal(generator, outputs, inputs),
            _normal(generator, outputs),
        )

    example = ([[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.0], [3.0, 1.0], [0.0, 2.0]], [10.0, 20.0, 30.0])
    B, n = _size(generator, 5, 8), _size(generator, 2, 4)
    return [
        Case("values", tuple(torch.tensor(part) for part in example), "the example of the statement"),
        Case("values", layer(3, 3, 3), "all sizes equal: a wrong product gives numbers, but others"),
        Case("values", layer(B, n, n + 5)),
        Case("types", tuple(part.double() for part in layer(3, 2, 4)), "float64"),
        Case("shapes", layer(1, 4, 2), "a batch of one"),
        Case("shapes", layer(4, 5, 1), "one output"),
        Case("shapes", layer(4, 1, 4), "one input, and as many outputs as inputs in the batch"),
        Case("edge cases", (torch.zeros(3, 2), torch.ones(3, 2), torch.tensor([1.0, 2.0, 3.0])), "X is 0"),
        Case("edge cases", (torch.zeros(0, 2), torch.ones(3, 2), torch.ones(3)), "an empty batch"),
    ]


LINEAR = Exercise(
    id="04.linear",
    name="linear",
    title="A layer for a whole batch",
    difficulty=1,
    points=2,
    minutes=5,
    cases=linear_cases,
    reference=linear,
    result="a tensor of shape (B, out), floating point",
    misconceptions=(
        Misconception(
            "weight not transposed",
            "def linear(X, W, b):\n    return X @ W + b",
            "You multiply by W as it stands. It has one row for each output, (out, in), but the axis that is "
            "summed over is `in`: it must come first. Where both sizes are equal nobody complains, and the "
            "numbers are wrong.",
        ),
        Misconception(
            "bias on the wrong axis",
            "def linear(X, W, b):\n    return X @ W.T + b[:, None]",
            "You stand the bias up as a column, so that it is added by inputs of the batch. Each output has "
            "a bias, and the outputs stand side by side: a row of shape (out,) lines up with them by itself.",
        ),
        Misconception(
            "forgets the bias",
            "def linear(X, W, b):\n    return X @ W.T",
            "The product is right, but b is not used.",
        ),
        Misconception(
            "result transposed",
            "def linear(X, W, b):\n    return W @ X.T + b[:, None]",
            "Your result has shape (out, B): one column for each input. The course keeps one input per row, "
            "from the first layer to the last.",
        ),
        Misconception(
            "the batch as columns",
            "def linear(X, W, b):\n    return W @ X + b",
            "W @ x is right for a single x that stands as a column. In X the inputs are the rows, so X comes "
            "first, and W has to be turned.",
        ),
        Misconception(
            "multiplies entry by entry",
            "def linear(X, W, b):\n    return X * W + b",
            "`*` multiplies entry by entry. A unit weighs all its inputs and adds them up: that is a "
            "product of matrices.",
        ),
        Misconception(
            "activation included",
            "def linear(X, W, b):\n    return torch.relu(X @ W.T + b)",
            "Your numbers are right where they are positive. The ReLU belongs to what comes after: a linear "
            "layer gives the pre-activations, negative ones too.",
        ),
        Misconception(
            "one bias for all",
            "def linear(X, W, b):\n    return X @ W.T + b.sum()",
            "You add the sum of all biases to every output. Each output has its own.",
        ),
        Misconception(
            "bias subtracted",
            "def linear(X, W, b):\n    return X @ W.T - b",
            "You subtract the bias. It is added; only a threshold would be subtracted.",
        ),
        Misconception(
            "bias before the weights",
            "def linear(X, W, b):\n    return (X + b) @ W.T",
            "You add the bias to the inputs, before they are weighed. It belongs to the outputs, and comes "
            "last.",
        ),
    ),
    hints=(
        "Write the three shapes under each other: (B, in), (out, in), (out,). Which axis is summed over, and "
        "what must be done to W so that it stands in the middle?",
        "The product of X and the transposed W has shape (B, out). A row b of shape (out,) broadcasts over "
        "it.",
    ),
    alternatives=(
        "def linear(X, W, b):\n    return torch.nn.functional.linear(X, W, b)",
        "def linear(X, W, b):\n    return torch.einsum('bi,oi->bo', X, W) + b",
        "def linear(X, W, b):\n    return (W @ X.T).T + b",
        "def linear(X, W, b):\n    return (X[:, None, :] * W).sum(dim=2) + b",
        "def linear(X, W, b):\n    return torch.addmm(b, X, W.t())",
    ),
)


# -------------------------------------------------------------------------------------- 04.forward


def forward(X: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """X through all layers, with ReLU between them and none after the last."""
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T + b)
    W, b = layers[-1]
    return X @ W.T + b


def _layers(generator: torch.Generator, *sizes: int) -> list[tuple[Tensor, Tensor]]:
    return [(_normal(generator, n, m), _normal(generator, n)) for m, n in pairwise(sizes)]


def forward_cases(generator: torch.Generator) -> list[Case]:
    """From one layer to five; negative inputs and outputs, so that a ReLU too many shows."""
    n, m = _size(generator, 2, 4), _size(generator, 5, 7)
    example = [
        (torch.tensor([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([0.0, 1.0])),
        (torch.tensor([[1.0, -3.0]]), torch.tensor([2.0])),
    ]
    double = [(W.double(), b.double()) for W, b in _layers(generator, 2, 3, 2)]
    return [
        Case("values", (torch.tensor([[1.0, 2.0], [3.0, -1.0]]), example), "the example of the statement"),
        Case("values", (_normal(generator, 5, n), _layers(generator, n, m, 3)), "one hidden layer"),
        Case(
            "values", (_normal(generator, 6, 3), _layers(generator, 3, 3, 3, 3, 3)), "three, all of one size"
        ),
        Case("values", (_normal(generator, 4, n), _layers(generator, n, m, 4, 6, 2)), "three hidden layers"),
        Case("types", (_normal(generator, 3, 2).double(), double), "float64"),
        Case("shapes", (_normal(generator, 1, n), _layers(generator, n, 4, 1)), "a batch of one, one output"),
        Case("shapes", (_normal(generator, 6, 1), _layers(generator, 1, 1, 5)), "a single hidden unit"),
        Case(
            "edge cases",
            (_normal(generator, 4, n), _layers(generator, n, 3)),
            "a single layer: nothing hidden",
        ),
    ]


FORWARD = Exercise(
    id="04.forward",
    name="forward",
    title="Layer after layer",
    difficulty=2,
    points=3,
    minutes=10,
    cases=forward_cases,
    reference=forward,
    result="a tensor of shape (B, out of the last layer), floating point",
    misconceptions=(
        Misconception(
            "activation after the last layer",
            """
def forward(X, layers):
    for W, b in layers:
        X = torch.relu(X @ W.T + b)
    return X
""",
            "You apply ReLU after the last layer as well, so your network can never give a negative number. "
            "The last layer's outputs are logits (or a prediction): they stay as they are.",
        ),
        Misconception(
            "no activation at all",
            """
def forward(X, layers):
    for W, b in layers:
        X = X @ W.T + b
    return X
""",
            "There is no bend between your layers, so all of them together are a single linear layer "
            "(lesson 02).",
        ),
        Misconception(
            "activation only after the last layer",
            """
def forward(X, layers):
    for W, b in layers:
        X = X @ W.T + b
    return torch.relu(X)
""",
            "Just the wrong way round: you bend once, at the end, where nothing should be bent, and not "
            "between the layers.",
        ),
        Misconception(
            "activation before the first layer",
            """
def forward(X, layers):
    for W, b in layers:
        X = torch.relu(X) @ W.T + b
    return X
""",
            "You apply ReLU before every layer. For the inner layers that is the same as after the one "
            "before, but the inputs lose all their negative numbers.",
        ),
        Misconception(
            "activation only after the first layer",
            """
def forward(X, layers):
    for i, (W, b) in enumerate(layers):
        X = X @ W.T + b
        if i == 0 and len(layers) > 1:
            X = torch.relu(X)
    return X
""",
            "You bend after the first layer only. There is a bend after each layer but the last.",
        ),
        Misconception(
            "the last layer left out",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T + b)
    return X
""",
            "You stop one layer too early: the last one has no ReLU, but it is there all the same.",
        ),
        Misconception(
            "always from the input",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        a = torch.relu(X @ W.T + b)
    W, b = layers[-1]
    return (a if len(layers) > 1 else X) @ W.T + b
""",
            "Every layer of yours starts from X again. Each takes what the layer before it gave.",
        ),
        Misconception(
            "weights not transposed",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X @ W + b)
    W, b = layers[-1]
    return X @ W + b
""",
            "You multiply by W as it stands. It has one row for each unit, (out, in); the axis that is "
            "summed over must come first.",
        ),
        Misconception(
            "forgets the biases",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T)
    return X @ layers[-1][0].T
""",
            "The biases are not used. Without them every unit's corner goes through the origin.",
        ),
        Misconception(
            "bias after the activation",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T) + b
    W, b = layers[-1]
    return X @ W.T + b
""",
            "You add the bias after the ReLU. It belongs inside: it decides from where on a unit answers.",
        ),
        Misconception(
            "sigmoid for ReLU",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.sigmoid(X @ W.T + b)
    W, b = layers[-1]
    return X @ W.T + b
""",
            "The layers are right, but between them you apply the sigmoid. ReLU is asked for.",
        ),
        Misconception(
            "layers in reverse",
            """
def forward(X, layers):
    layers = layers[::-1]
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T + b)
    W, b = layers[-1]
    return X @ W.T + b
""",
            "You go through the layers from the last to the first. X goes into the first.",
        ),
    ),
    hints=(
        "Draw the network as a chain: layer, bend, layer, bend, … layer. How many bends are there for L "
        "layers?",
        "Go through all layers but the last: product, bias, ReLU; what comes out goes into the next. Then "
        "the last layer, without ReLU.",
    ),
    alternatives=(
        """
def forward(X, layers):
    for i, (W, b) in enumerate(layers):
        X = X @ W.T + b
        if i < len(layers) - 1:
            X = X.clamp(min=0)
    return X
""",
        """
def forward(X, layers):
    (W, b), rest = layers[0], layers[1:]
    Z = torch.nn.functional.linear(X, W, b)
    return forward(torch.relu(Z), rest) if rest else Z
""",
        """
def forward(X, layers):
    A = X
    for W, b in layers:
        Z = (W @ A.T).T + b
        A = torch.where(Z > 0, Z, 0.0)
    return Z
""",
    ),
)


# ----------------------------------------------------------------------------- 04.count_parameters


def count_parameters(sizes: Sequence[int]) -> int:
    """Weights and biases of a multilayer perceptron with these sizes."""
    return sum(m * n + n for m, n in pairwise(sizes))


def count_parameters_cases(generator: torch.Generator) -> list[Case]:
    sizes = [_size(generator, 2, 40) for _ in range(_size(generator, 4, 6))]
    return [
        Case("values", ([3, 3, 2, 2],), "the example of the statement"),
        Case("values", ([784, 128, 256, 10],), "the network of lesson 00"),
        Case("values", (sizes,), "random sizes"),
        Case("shapes", ([7, 5],), "nothing hidden: one layer"),
        Case("edge cases", ([1, 1],), "one weight and one bias"),
        Case("edge cases", ([2, 1, 3],), "a single hidden unit"),
    ]


COUNT_PARAMETERS = Exercise(
    id="04.count_parameters",
    name="count_parameters",
    title="How many numbers are learned?",
    difficulty=1,
    points=2,
    minutes=5,
    cases=count_parameters_cases,
    reference=count_parameters,
    result="a whole number",
    misconceptions=(
        Misconception(
            "no biases",
            "def count_parameters(sizes):\n    return sum(m * n for m, n in zip(sizes, sizes[1:]))",
            "You count the weights only. Every unit of a hidden layer and of the output has a bias as well.",
        ),
        Misconception(
            "a bias for the inputs too",
            """
def count_parameters(sizes):
    return sum(m * n for m, n in zip(sizes, sizes[1:])) + sum(sizes)
""",
            "You give the inputs a bias, too. They are numbers that come in: nothing is computed there, and "
            "nothing learned.",
        ),
        Misconception(
            "biases by inputs",
            "def count_parameters(sizes):\n    return sum(m * n + m for m, n in zip(sizes, sizes[1:]))",
            "You give each layer as many biases as it has inputs. The bias belongs to the unit that adds up: "
            "one for each output.",
        ),
        Misconception(
            "one bias for each layer",
            "def count_parameters(sizes):\n    return sum(m * n + 1 for m, n in zip(sizes, sizes[1:]))",
            "You count one bias for each layer. It is one for each unit.",
        ),
        Misconception(
            "counts units",
            "def count_parameters(sizes):\n    return sum(sizes)",
            "You count the units. What is learned are the connections between them, and the biases.",
        ),
        Misconception(
            "one product of all",
            """
def count_parameters(sizes):
    product = 1
    for size in sizes:
        product *= size
    return product
""",
            "You multiply all sizes. Connections run only from one layer to the next: products of "
            "neighbours, added up.",
        ),
        Misconception(
            "the last layer left out",
            """
def count_parameters(sizes):
    return sum(m * n + n for m, n in zip(sizes[:-1], sizes[1:-1]))
""",
            "You leave out the last layer. It has weights and biases like the hidden ones.",
        ),
        Misconception(
            "no bias at the output",
            """
def count_parameters(sizes):
    return sum(m * n for m, n in zip(sizes, sizes[1:])) + sum(sizes[1:-1])
""",
            "The weights are right, but only the hidden units have a bias with you. Those of the output have "
            "one, too.",
        ),
        Misconception(
            "every unit with every later one",
            """
def count_parameters(sizes):
    total = sum(sizes[1:])
    for i, m in enumerate(sizes):
        for n in sizes[i + 1:]:
            total += m * n
    return total
""",
            "You connect each layer with all that come after it. In this network each is connected with the "
            "next one only.",
        ),
    ),
    hints=(
        "Take a layer with 3 inputs and 2 units. How many arrows end at each unit, and what does the unit "
        "add on top of them?",
        "A layer from m to n has m·n weights and n biases. Go through the pairs of neighbours in `sizes` and "
        "add up.",
    ),
    alternatives=(
        """
def count_parameters(sizes):
    total = 0
    for i in range(len(sizes) - 1):
        total += (sizes[i] + 1) * sizes[i + 1]
    return total
""",
        """
def count_parameters(sizes):
    layers = [torch.nn.Linear(m, n) for m, n in zip(sizes, sizes[1:])]
    return sum(p.numel() for layer in layers for p in layer.parameters())
""",
        "def count_parameters(sizes):\n    return sum((m + 1) * n for m, n in zip(sizes[:-1], sizes[1:]))",
    ),
)


# ---------------------------------------------------------------------------------- 04.xor_network

_SHAPES = {"W1": (2, 2), "b1": (2,), "W2": (1, 2), "b2": (1,)}


def xor_network() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The sum, less twice what it is above 1, less a half: −½, ½, ½, −½ on the corners."""
    W1 = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    b1 = torch.tensor([0.0, -1.0])
    W2 = torch.tensor([[1.0, -2.0]])
    b2 = torch.tensor([-0.5])
    return W1, b1, W2, b2


def xor_answer(work: Callable, x1: float, x2: float) -> str:
    """Probe: on which side of 0 the network with the work's weights comes out for one corner.

    Any weights that do the job are right, so what is compared is the side.

    Raises:
        NotAsAsked: if what comes back is not four tensors of the right shapes.
    """
    parts = work()
    if not isinstance(parts, (tuple, list)) or len(parts) != 4:
        count = f"{len(parts)} parts" if isinstance(parts, (tuple, list)) else type(parts).__name__
        raise NotAsAsked(
            f"Your function should return (W1, b1, W2, b2), four tensors, but it returns {count}."
        )
    tensors = {}
    for (name, shape), part in zip(_SHAPES.items(), parts, strict=True):
        if not isinstance(part, Tensor):
            raise NotAsAsked(
                f"Your {name} should be a tensor of shape {shape}, but it is {type(part).__name__}."
            )
        if tuple(part.shape) != shape:
            raise NotAsAsked(f"Your {name} should have shape {shape}, but it has shape {tuple(part.shape)}.")
        tensors[name] = part.detach().double()
    x = torch.tensor([x1, x2], dtype=torch.float64)
    hidden = torch.relu(tensors["W1"] @ x + tensors["b1"])
    z = float(tensors["W2"] @ hidden + tensors["b2"])
    return "above 0" if z > 1e-9 else "below 0" if z < -1e-9 else "exactly 0"


def xor_cases(generator: torch.Generator) -> list[Case]:
    corners = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
    return [Case("values", corner, "where your network's output lies at this corner") for corner in corners]


def _xor(W1: str, b1: str, W2: str, b2: str) -> str:
    """Source of a network with these numbers."""
    rows = (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))
    body = "".join(f"    {name} = torch.tensor({numbers})\n" for name, numbers in rows)
    return f"def xor_network():\n{body}    return W1, b1, W2, b2\n"


XOR_NETWORK = Exercise(
    id="04.xor_network",
    name="xor_network",
    title="XOR with your own hands",
    difficulty=2,
    points=4,
    minutes=15,
    cases=xor_cases,
    reference=xor_network,
    probe=xor_answer,
    input_names=("x1", "x2"),
    result="a tuple (W1, b1, W2, b2) of tensors of shapes (2, 2), (2,), (1, 2), (1,)",
    misconceptions=(
        Misconception(
            "OR",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -1.0]]", "[-0.5]"),
            "Your network is OR: (1, 1) comes out above 0 as well. One hidden unit notices when both inputs "
            "are 1; it must pull the output down harder, by more than the other unit pushes it up there.",
        ),
        Misconception(
            "AND",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[0.0, 1.0]]", "[-0.5]"),
            "Your network is AND: only (1, 1) comes out above 0. You need the corners with exactly one 1.",
        ),
        Misconception(
            "the opposite",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[-1.0, 2.0]]", "[0.5]"),
            "Every corner is on the wrong side: your network answers whether the two inputs are equal. "
            "Change the sign of the whole output.",
        ),
        Misconception(
            "no output bias",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -2.0]]", "[0.0]"),
            "Nearly: the corners (0, 0) and (1, 1) give exactly 0, which is neither side. The last bias can "
            "move all four outputs down a little.",
        ),
        Misconception(
            "weights for steps",
            _xor("[[1.0, 1.0], [-1.0, -1.0]]", "[-0.5, 1.5]", "[[1.0, 1.0]]", "[-1.5]"),
            "These weights are right for units with a step, as in lesson 01 (OR, NAND, then AND). A ReLU "
            "passes on how far it is above 0, not just 1: compute the two hidden numbers at each corner and "
            "see.",
        ),
        Misconception(
            "steps again, with the difference of OR and AND",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[-0.5, -1.5]", "[[1.0, -1.0]]", "[-0.5]"),
            "OR minus AND is XOR, if the hidden units say 0 or 1. ReLU units do not: with these biases they "
            "give ½ and 0 at (1, 0), and 1.5 and ½ at (1, 1). Compute the output from these.",
        ),
        Misconception(
            "two equal hidden units",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, 0.0]", "[[1.0, -2.0]]", "[0.5]"),
            "Your two hidden units are the same, so together they can do no more than one: the output falls "
            "as the sum of the inputs grows. They must start at different sums.",
        ),
        Misconception(
            "hidden units that sleep",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[-2.0, -3.0]", "[[1.0, -2.0]]", "[0.5]"),
            "Both hidden units are 0 at every corner, as their biases pull them below 0 everywhere. What is "
            "left is the output's bias, the same for all.",
        ),
        Misconception(
            "the second layer as a plain row",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[1.0, -2.0]", "[-0.5]"),
            "The numbers may be right, but W2 should be a table with one row, shape (1, 2): one output, two "
            "inputs. A second pair of brackets does it.",
        ),
        Misconception(
            "only one input is looked at",
            _xor("[[1.0, 0.0], [0.0, 1.0]]", "[0.0, 0.0]", "[[1.0, -1.0]]", "[-0.5]"),
            "Your hidden units just pass the two inputs on, and the output takes their difference: (1, 0) "
            "comes out above 0, (0, 1) below. A unit that looks at the sum of both treats them alike.",
        ),
    ),
    hints=(
        "The sum x1 + x2 is 0, 1, 1, 2 on the corners. You want a function of this sum that is high at 1 and "
        "low at 0 and 2: a roof. How many ReLUs make a roof that starts at 0?",
        "Let both hidden units look at the sum: the first rises from sum 0 on, the second from sum 1 on. "
        "The output adds the first and takes away the second with a weight that turns the slope round. Then "
        "a small negative bias moves everything down.",
    ),
    alternatives=(
        _xor("[[1.0, -1.0], [-1.0, 1.0]]", "[0.0, 0.0]", "[[1.0, 1.0]]", "[-0.5]"),
        _xor("[[1.0, 1.0], [-1.0, -1.0]]", "[-1.0, 1.0]", "[[-1.0, -1.0]]", "[0.5]"),
        _xor("[[10.0, 10.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -20.0]]", "[-1]"),
    ),
)


# ------------------------------------------------------------------------------------------ 04.mlp


class MLP(nn.Module):
    """A multilayer perceptron: linear layers of the given sizes with ReLU between them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairwise(sizes))

    def forward(self, X: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)


def mlp_behaviour(MLP: type, sizes: list[int], X: Tensor, weights: list[Tensor]) -> dict[str, Any]:
    """Probe: makes a network, puts the case's weights in, and looks at what it is and does.

    The names of the layers are the learner's own; parameters are found by shape, in the order in which they
    were registered. Returned are the shapes of all parameters (sorted), the logits under the given weights,
    whether a second call gives the same, and how many parameters a gradient of the logits reaches.

    Raises:
        NotAsAsked: if the objects are no modules, or the logits are no tensor.
    """
    model = MLP(sizes)
    if not isinstance(model, nn.Module):
        raise NotAsAsked(
            f"What your class makes is no `nn.Module`, so it has no parameters: {MLP.__mro__[1:-1]}."
        )
    parameters = list(model.parameters())
    left = list(weights)
    with torch.no_grad():
        for parameter in parameters:
            fitting = next((i for i, w in enumerate(left) if w.shape == parameter.shape), None)
            if fitting is not None:
                parameter.copy_(left.pop(fitting))
    logits = model(X)
    if not isinstance(logits, Tensor):
        raise NotAsAsked(
            f"`forward` should return the logits, a tensor, but it returns {type(logits).__name__}."
        )
    again = model(X)
    if logits.requires_grad:
        logits.square().sum().backward()
    return {
        "parameter shapes": sorted(tuple(p.shape) for p in parameters),
        # where the weights could not all be put in, the logits are chance and say nothing
        "logits": torch.zeros_like(logits) if left else logits.detach(),
        "two calls agree": torch.equal(logits, again),
        "parameters with a gradient": sum(p.grad is not None for p in parameters),
    }


def mlp_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, sizes: list[int], B: int, note: str) -> Case:
        weights = [part for layer in _layers(generator, *sizes) for part in layer]
        return Case(group, (sizes, _normal(generator, B, sizes[0]), weights), note)

    n, m = _size(generator, 4, 6), _size(generator, 7, 9)
    return [
        case("values", [2, 3, 1], 4, "one hidden layer"),
        case("values", [3, n, m, 2], 5, "two hidden layers"),
        case("values", [2, 5, 4, 6, 3], 6, "three hidden layers"),
        case("shapes", [n, 3, 2], 1, "a batch of one"),
        case("edge cases", [4, 2], 3, "nothing hidden: a single layer, no ReLU"),
    ]


MLP_EXERCISE = Exercise(
    id="04.mlp",
    name="MLP",
    title="A network as a module",
    difficulty=3,
    points=5,
    minutes=15,
    cases=mlp_cases,
    reference=MLP,
    probe=mlp_behaviour,
    input_names=("sizes", "X", "weights"),
    result="a module whose parameters are found and whose forward gives logits",
    given={"nn": nn},
    misconceptions=(
        Misconception(
            "layers in a plain list",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(m, n) for m, n in zip(sizes, sizes[1:])]

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)
""",
            "What is learned stands in a plain Python list (or is a plain tensor), and `nn.Module` does not "
            "look there: `parameters()` is empty. The network computes, but an optimizer would have nothing "
            "to train. There is a list for modules in torch.nn.",
        ),
        Misconception(
            "activation after the last layer",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers:
            X = torch.relu(layer(X))
        return X
""",
            "The parameters are right, but you apply ReLU after the last layer too: no logit can be "
            "negative.",
        ),
        Misconception(
            "no activation",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.Sequential(*[nn.Linear(m, n) for m, n in zip(sizes, sizes[1:])])

    def forward(self, X):
        return self.layers(X)
""",
            "The parameters are right, but nothing bends between the layers: together they are a single "
            "linear layer.",
        ),
        Misconception(
            "forgets super().__init__()",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)
""",
            "`nn.Module` must set itself up before it can take in layers: the first line of `__init__` calls "
            "the `__init__` of the class above, with `super()`.",
        ),
        Misconception(
            "no nn.Module",
            """
class MLP:
    def __init__(self, sizes):
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)

    __call__ = forward
""",
            "Your class does not build on `nn.Module`, so it has no `parameters()`, no `to(device)` and no "
            "`train()`. Name it in the parentheses after the class's name.",
        ),
        Misconception(
            "new layers at every call",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes

    def forward(self, X):
        pairs = list(zip(self.sizes, self.sizes[1:]))
        for i, (m, n) in enumerate(pairs):
            X = nn.Linear(m, n)(X)
            if i < len(pairs) - 1:
                X = torch.relu(X)
        return X
""",
            "You make the layers inside `forward`: new ones with new random weights at every call, and none "
            "that the module knows of. Make them once, in `__init__`, and keep them on `self`.",
        ),
        Misconception(
            "no biases",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n, bias=False) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)
""",
            "Your layers have no biases. They are part of a layer unless there is a reason to leave them "
            "out.",
        ),
        Misconception(
            "softmax at the end",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return torch.softmax(self.layers[-1](X), dim=-1)
""",
            "You return probabilities. The network gives logits; softmax is taken where it is needed, and "
            "the loss takes it by itself.",
        ),
        Misconception(
            "sigmoid for ReLU",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.sigmoid(layer(X))
        return self.layers[-1](X)
""",
            "Layers and parameters are right, but between them you apply the sigmoid. ReLU is asked for.",
        ),
        Misconception(
            "weights stored the other way round",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        pairs = list(zip(sizes, sizes[1:]))
        self.W = nn.ParameterList(torch.randn(m, n) for m, n in pairs)
        self.b = nn.ParameterList(torch.zeros(n) for m, n in pairs)

    def forward(self, X):
        for i in range(len(self.W)):
            X = X @ self.W[i] + self.b[i]
            if i < len(self.W) - 1:
                X = torch.relu(X)
        return X
""",
            "Your network works, but it keeps its weights as (in, out). The course and `nn.Linear` keep "
            "them as (out, in), one row for each unit, and whoever loads weights relies on that.",
        ),
        Misconception(
            "cuts the gradient off",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X)).detach()
        return self.layers[-1](X)
""",
            "The values are right, but `detach` (or `.data`, or `no_grad`) cuts the hidden layers off from "
            "the gradient: only the last one would learn.",
        ),
        Misconception(
            "the last layer left out",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes[:-1], sizes[1:-1]))

    def forward(self, X):
        for layer in self.layers:
            X = torch.relu(layer(X))
        return X
""",
            "One layer is missing: from the last hidden layer to the outputs there are weights, too.",
        ),
    ),
    hints=(
        "Two things to write: which layers there are (`__init__`) and how X goes through them (`forward`). "
        "How do you keep a list of layers so that the module finds their parameters?",
        "In `__init__`, once `nn.Module` has set itself up, make one `nn.Linear` for each pair of "
        "neighbouring sizes and keep them in an `nn.ModuleList` on `self`. In `forward` go through all but "
        "the last with ReLU, then through the last.",
    ),
    alternatives=(
        """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        parts = []
        for m, n in zip(sizes, sizes[1:]):
            parts += [nn.Linear(m, n), nn.ReLU()]
        self.net = nn.Sequential(*parts[:-1])

    def forward(self, X):
        return self.net(X)
""",
        """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.depth = len(sizes) - 1
        for i in range(self.depth):
            setattr(self, f"layer{i}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, X):
        for i in range(self.depth):
            X = getattr(self, f"layer{i}")(X)
            if i + 1 < self.depth:
                X = X.clamp(min=0)
        return X
""",
        """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        pairs = list(zip(sizes, sizes[1:]))
        self.W = nn.ParameterList(torch.randn(n, m) * 0.1 for m, n in pairs)
        self.b = nn.ParameterList(torch.zeros(n) for m, n in pairs)

    def forward(self, X):
        last = len(self.W) - 1
        for i, (W, b) in enumerate(zip(self.W, self.b)):
            X = X @ W.T + b
            X = X if i == last else torch.relu(X)
        return X
""",
        """
class MLP(nn.Sequential):
    def __init__(self, sizes):
        modules = []
        for m, n in zip(sizes[:-2], sizes[1:-1]):
            modules.append(nn.Linear(m, n))
            modules.append(nn.ReLU())
        super().__init__(*modules, nn.Linear(sizes[-2], sizes[-1]))
""",
    ),
)


# ------------------------------------------------------------------------------------ 04.relu_bump


def relu_bump(x: Tensor, left: float, centre: float, right: float) -> Tensor:
    """A triangle of height 1 over [left, right] with its tip at the centre, out of three ReLUs."""
    up, down = 1 / (centre - left), 1 / (right - centre)
    rising = up * torch.relu(x - left)
    turned = (up + down) * torch.relu(x - centre)
    return rising - turned + down * torch.relu(x - right)


def relu_bump_cases(generator: torch.Generator) -> list[Case]:
    """Symmetrical and lopsided triangles; float64, so that far to the right 0 is 0."""
    wide = torch.linspace(-6, 6, 49, dtype=torch.float64)
    left = _size(generator, -12, -4) / 4
    centre = left + _size(generator, 1, 8) / 4
    right = centre + _size(generator, 9, 16) / 4
    return [
        Case("values", (torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), 0.0, 2.0, 4.0), "the example"),
        Case("values", (wide, left, centre, right), "a lopsided triangle"),
        Case("values", (wide, -3.0, 1.0, 1.5), "steep on the right"),
        Case("values", (wide, 1.0, 2.0, 3.0), "slopes of 1"),
        Case("types", (torch.linspace(-1, 1, 9), -1.0, 0.0, 0.5), "float32"),
        Case("shapes", (wide.view(7, 7), -2.0, 0.0, 3.0), "a table of numbers"),
        Case("shapes", (torch.tensor(0.25), 0.0, 0.5, 1.0), "a tensor without dimensions"),
        Case("edge cases", (wide, -0.25, 0.0, 0.25), "very narrow"),
        Case(
            "edge cases", (torch.tensor([-100.0, 100.0], dtype=torch.float64), -1.0, 0.0, 2.0), "far outside"
        ),
    ]


RELU_BUMP = Exercise(
    id="04.relu_bump",
    name="relu_bump",
    title="A bump out of three corners",
    difficulty=2,
    points=4,
    minutes=15,
    cases=relu_bump_cases,
    reference=relu_bump,
    atol=1e-5,
    result="a tensor of the shape of x, all entries from 0 to 1",
    misconceptions=(
        Misconception(
            "falls for ever",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - (up + down) * torch.relu(x - centre)
""",
            "Your curve is right up to `right`, and then goes on falling below 0. A third ReLU, from `right` "
            "on, must end the fall.",
        ),
        Misconception(
            "stays at 1",
            """
def relu_bump(x, left, centre, right):
    up = 1 / (centre - left)
    return up * torch.relu(x - left) - up * torch.relu(x - centre)
""",
            "At the centre you take the rise away again, so from there on the curve is flat at 1. To fall it "
            "must be turned by more: by the slope upwards and the slope downwards together.",
        ),
        Misconception(
            "turns by the downward slope only",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - down * torch.relu(x - centre) + down * torch.relu(x - right)
""",
            "Up to the centre all is well. There the first ReLU goes on rising; what you add must first "
            "cancel this rise and then make the fall.",
        ),
        Misconception(
            "as if it were symmetrical",
            """
def relu_bump(x, left, centre, right):
    up = 1 / (centre - left)
    return up * torch.relu(x - left) - 2 * up * torch.relu(x - centre) + up * torch.relu(x - right)
""",
            "You use the slope of the left side for the right side too. That is right only if the tip is in "
            "the middle.",
        ),
        Misconception(
            "slopes of 1",
            """
def relu_bump(x, left, centre, right):
    return torch.relu(x - left) - 2 * torch.relu(x - centre) + torch.relu(x - right)
""",
            "Your bump rises and falls with slope 1, so its height depends on its width. The slope upwards "
            "must be 1 divided by the way from left to centre.",
        ),
        Misconception(
            "distance for slope",
            """
def relu_bump(x, left, centre, right):
    up, down = centre - left, right - centre
    return up * torch.relu(x - left) - (up + down) * torch.relu(x - centre) + down * torch.relu(x - right)
""",
            "You multiply by the distances. A slope is height over distance: divide by them.",
        ),
        Misconception(
            "corners at the wrong sign",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x + left) - (up + down) * torch.relu(x + centre) + down * torch.relu(x + right)
""",
            "relu(x + c) has its corner at −c. For a corner at c the bias is −c.",
        ),
        Misconception(
            "upside down",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return (up + down) * torch.relu(x - centre) - up * torch.relu(x - left) - down * torch.relu(x - right)
""",
            "Your bump hangs downwards: all signs are the wrong way round.",
        ),
        Misconception(
            "a box",
            """
def relu_bump(x, left, centre, right):
    return ((x > left) & (x < right)).to(x.dtype)
""",
            "You have made a box: 1 inside, 0 outside. A triangle rises from `left` to the centre and falls "
            "to `right`, and is put together from ReLUs.",
        ),
        Misconception(
            "third ReLU with the wrong slope",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - (up + down) * torch.relu(x - centre) + up * torch.relu(x - right)
""",
            "Up to `right` all is well. What ends the fall there must have just the slope of the fall, not "
            "that of the rise.",
        ),
    ),
    hints=(
        "Go along the x axis and note the slope of the triangle: 0, then up, then down, then 0 again. Each "
        "ReLU changes the slope once, at its corner, and for good.",
        "Corners at left, centre and right. The changes of slope there: + up; − up − down; + down. Here up "
        "is 1 / (centre − left) and down is 1 / (right − centre). Each is the weight of one ReLU.",
    ),
    alternatives=(
        """
def relu_bump(x, left, centre, right):
    up = (x - left) / (centre - left)
    down = (right - x) / (right - centre)
    return torch.relu(torch.minimum(up, down))
""",
        """
def relu_bump(x, left, centre, right):
    corners = ((left, 1 / (centre - left)), (centre, -1 / (centre - left) - 1 / (right - centre)),
               (right, 1 / (right - centre)))
    return sum(weight * (x - c).clamp(min=0) for c, weight in corners)
""",
        """
def relu_bump(x, left, centre, right):
    rise = torch.relu((x - left) / (centre - left))
    over = torch.relu((x - centre) / (centre - left))
    fall = torch.relu((x - centre) / (right - centre)) - torch.relu((x - right) / (right - centre))
    return rise - over - fall
""",
    ),
)


EXERCISES = (LINEAR, FORWARD, COUNT_PARAMETERS, XOR_NETWORK, RELU_BUMP, MLP_EXERCISE)
