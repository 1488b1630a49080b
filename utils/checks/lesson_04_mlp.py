"""The exercises of lesson 04 as data: layers, what they count, and small networks set up by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .common import normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked

# --------------------------------------------------------------------------------------- 04.linear


def linear(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Z = X Wᵀ + b: (B, in), (out, in), (out,) -> (B, out)."""
    return X @ W.T + b


def linear_cases(generator: torch.Generator) -> list[Case]:
    """Square sizes too: there a wrong product or a bias on the wrong axis can be computed."""

    def layer(B: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor, Tensor]:
        return (
            normal(generator, B, inputs),
            normal(generator, outputs, inputs),
            normal(generator, outputs),
        )

    example = ([[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.0], [3.0, 1.0], [0.0, 2.0]], [10.0, 20.0, 30.0])
    B, n = whole_number(generator, 5, 8), whole_number(generator, 2, 4)
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
            "Your bias runs along the batch: its first number is added to the first input, the second to the "
            "second. Each output has a bias, and the outputs stand side by side: onto a result of shape "
            "(B, out) a row of shape (out,) fits as it is.",
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
            "reshaped, not transposed",
            "def linear(X, W, b):\n    return X @ W.reshape(W.shape[1], W.shape[0]) + b",
            "The shape fits, but `reshape` (or `view`) leaves the numbers in their order and only breaks "
            "the rows elsewhere, so each unit gets weights of other units. Rows have to become columns.",
        ),
        Misconception(
            "step included",
            "def linear(X, W, b):\n    return (X @ W.T + b >= 0).long()",
            "You return 0 and 1, as the neuron with a step in lesson 01 did. A layer gives the weighted sums "
            "themselves; what bends them comes afterwards.",
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
    return [(normal(generator, n, m), normal(generator, n)) for m, n in pairwise(sizes)]


def forward_cases(generator: torch.Generator) -> list[Case]:
    """From one layer to five; negative inputs and outputs, so that a ReLU too many shows."""
    n, m = whole_number(generator, 2, 4), whole_number(generator, 5, 7)
    example = [
        (torch.tensor([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([0.0, 1.0])),
        (torch.tensor([[1.0, -3.0]]), torch.tensor([2.0])),
    ]
    double = [(W.double(), b.double()) for W, b in _layers(generator, 2, 3, 2)]
    return [
        Case("values", (torch.tensor([[1.0, 2.0], [3.0, -1.0]]), example), "the example of the statement"),
        Case("values", (normal(generator, 5, n), _layers(generator, n, m, 3)), "one hidden layer"),
        Case(
            "values", (normal(generator, 6, 3), _layers(generator, 3, 3, 3, 3, 3)), "three, all of one size"
        ),
        Case("values", (normal(generator, 4, n), _layers(generator, n, m, 4, 6, 2)), "three hidden layers"),
        Case("types", (normal(generator, 3, 2).double(), double), "float64"),
        Case("shapes", (normal(generator, 1, n), _layers(generator, n, 4, 1)), "a batch of one, one output"),
        Case("shapes", (normal(generator, 6, 1), _layers(generator, 1, 1, 5)), "a single hidden unit"),
        Case(
            "edge cases",
            (normal(generator, 4, n), _layers(generator, n, 3)),
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
            "(lesson 02). If there is a `torch.relu` in your code: it returns a new tensor and leaves the "
            "old one as it was.",
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
            "returns inside the loop",
            """
def forward(X, layers):
    for W, b in layers:
        X = torch.relu(X @ W.T + b)
        return X
""",
            "You get no further than the first layer: the `return` stands inside the loop, so it ends the "
            "function in the first round. Look at the indentation.",
        ),
        Misconception(
            "the last layer twice",
            """
def forward(X, layers):
    for W, b in layers:
        X = torch.relu(X @ W.T + b)
    return X @ W.T + b
""",
            "Your loop goes through all layers, the last one too, and then you apply the last one once "
            "more. Leave it out of the loop.",
        ),
        Misconception(
            "first and last only",
            """
def forward(X, layers):
    W1, b1 = layers[0]
    W2, b2 = layers[-1]
    return torch.relu(X @ W1.T + b1) @ W2.T + b2
""",
            "You use the first layer and the last. That is right where there are two; layers between them "
            "are skipped, and a single layer would be taken twice. Go through the list with a loop.",
        ),
        Misconception(
            "just two layers",
            """
def forward(X, layers):
    (W1, b1), (W2, b2) = layers
    return torch.relu(X @ W1.T + b1) @ W2.T + b2
""",
            "Your function is right for two layers and takes no other number of them. There may be any "
            "number: that asks for a loop.",
        ),
        Misconception(
            "no activation before the last layer",
            """
def forward(X, layers):
    for i, (W, b) in enumerate(layers):
        X = X @ W.T + b
        if i < len(layers) - 2:
            X = torch.relu(X)
    return X
""",
            "One bend is missing: the one just before the last layer. There is a bend after every layer but "
            "the last.",
        ),
        Misconception(
            "activation one layer too early",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X) @ W.T + b
    W, b = layers[-1]
    return X @ W.T + b
""",
            "Your bends come one layer too early: the input is bent, and what goes into the last layer is "
            "not. Bend what comes out of a layer.",
        ),
        Misconception(
            "activation one layer too late",
            """
def forward(X, layers):
    for i, (W, b) in enumerate(layers):
        X = X @ W.T + b
        if i > 0:
            X = torch.relu(X)
    return X
""",
            "The first layer has no bend with you, and the last one has. It is the other way round: every "
            "layer but the last.",
        ),
        Misconception(
            "the batch as columns",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(W @ X + b)
    W, b = layers[-1]
    return W @ X + b
""",
            "W @ x is right for a single x that stands as a column. In X the inputs are the rows, so X "
            "comes first, and W has to be turned.",
        ),
        Misconception(
            "tanh for ReLU",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.tanh(X @ W.T + b)
    W, b = layers[-1]
    return X @ W.T + b
""",
            "The layers are right, but between them you apply tanh, as the lesson did for its spirals. ReLU "
            "is asked for.",
        ),
        Misconception(
            "softmax at the end",
            """
def forward(X, layers):
    for W, b in layers[:-1]:
        X = torch.relu(X @ W.T + b)
    W, b = layers[-1]
    return torch.softmax(X @ W.T + b, dim=1)
""",
            "You return probabilities. Nothing comes after the last layer: its outputs are the logits.",
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
    sizes = [whole_number(generator, 2, 40) for _ in range(whole_number(generator, 4, 6))]
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
            "only the first layer",
            """
def count_parameters(sizes):
    total = 0
    for m, n in zip(sizes, sizes[1:]):
        total += m * n + n
        return total
""",
            "You return the first layer's number. If you have a loop, is the `return` inside it, so that it "
            "ends the function in the first round?",
        ),
        Misconception(
            "only the last layer",
            """
def count_parameters(sizes):
    for m, n in zip(sizes, sizes[1:]):
        total = 0
        total += m * n + n
    return total
""",
            "You return the last layer's number. If you add up in a loop, does your sum begin again at 0 in "
            "every round?",
        ),
        Misconception(
            "the first layer left out",
            """
def count_parameters(sizes):
    return sum(m * n + n for m, n in zip(sizes[1:], sizes[2:]))
""",
            "You leave out the first layer. The inputs compute nothing, but from them to the first hidden "
            "layer there are weights.",
        ),
        Misconception(
            "counts units, without the inputs",
            """
def count_parameters(sizes):
    return sum(sizes[1:])
""",
            "You count the units, which is the number of biases. The weights, one for each connection, are "
            "missing.",
        ),
        Misconception(
            "biases at both ends",
            """
def count_parameters(sizes):
    return sum(m * n + m + n for m, n in zip(sizes, sizes[1:]))
""",
            "You give a layer a bias for each of its inputs and for each of its outputs. Only the units "
            "that add up have one: the outputs.",
        ),
        Misconception(
            "biases of the output only",
            """
def count_parameters(sizes):
    return sum(m * n for m, n in zip(sizes, sizes[1:])) + sizes[-1]
""",
            "The weights are right, but only the output's units have a bias with you. Those of the hidden "
            "layers have one, too.",
        ),
        Misconception(
            "pairs that do not overlap",
            """
def count_parameters(sizes):
    total = 0
    for i in range(0, len(sizes) - 1, 2):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total
""",
            "You leave out every second layer. What goes out of one layer comes into the next, so each "
            "hidden size belongs to two pairs.",
        ),
        Misconception(
            "a list of numbers",
            """
def count_parameters(sizes):
    return [m * n + n for m, n in zip(sizes, sizes[1:])]
""",
            "These are the right numbers, one for each layer. Asked for is how many there are together.",
        ),
        Misconception(
            "counts a module's parameters",
            """
def count_parameters(sizes):
    return sum(p.numel() for p in sizes.parameters())
""",
            "`sizes` is a plain list of whole numbers: there is no network yet, no tensor and no shape, so "
            "you can ask it for nothing. Multiply and add the numbers in it.",
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

_PARTS = {
    "W1": ((2, 2), "two rows, one for each hidden unit, with two weights each"),
    "b1": ((2,), "a plain row of two numbers, one for each hidden unit"),
    "W2": ((1, 2), "a table with a single row, since there is one output, and two weights in that row"),
    "b2": ((1,), "a row with a single number, so this number needs brackets of its own"),
}


def xor_network() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The sum, less twice what it is above 1, less a half: −½, ½, ½, −½ on the corners."""
    W1 = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    b1 = torch.tensor([0.0, -1.0])
    W2 = torch.tensor([[1.0, -2.0]])
    b2 = torch.tensor([-0.5])
    return W1, b1, W2, b2


def xor_answer(work: Callable, x1: float, x2: float) -> str:
    """Probe: on which side of 0 the network with the work's weights comes out for one corner.

    Any weights that do the job are right, so what is compared is the side. The same four sides can come from
    many weights: hints may say what the sides mean, and what the weights may be only with an "if".

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
    for (name, (shape, words)), part in zip(_PARTS.items(), parts, strict=True):
        if not isinstance(part, Tensor):
            raise NotAsAsked(
                f"Your {name} should be a tensor of shape {shape}, but it is of type {type(part).__name__}. "
                "`torch.tensor` makes a tensor of a list."
            )
        if tuple(part.shape) != shape:
            raise NotAsAsked(
                f"Your {name} should have shape {shape}, but it has shape {tuple(part.shape)}. It is {words}."
            )
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
            "Your network is OR: (1, 1) comes out above 0 as well. One hidden unit should answer to two "
            "ones only, and it must pull the output down by more than the other unit pushes it up there.",
        ),
        Misconception(
            "OR, with (0, 0) at exactly 0",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, 0.0]", "[[1.0, 1.0]]", "[0.0]"),
            "(0, 0) gives exactly 0, and all the others are above: your output only grows with the number "
            "of ones. At (1, 1) something must turn it down again, and then a small negative bias moves all "
            "four corners down.",
        ),
        Misconception(
            "AND",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[0.0, 1.0]]", "[-0.5]"),
            "Your network is AND: only (1, 1) comes out above 0. Compute the two hidden numbers at (0, 1): "
            "is a unit awake there, and does it bring more than the output's bias takes away?",
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
            "output bias too far down",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -2.0]]", "[-1.0]"),
            "Nearly: (0, 1) and (1, 0) give exactly 0. The output's bias takes away all that the hidden "
            "units bring there. Let it take less.",
        ),
        Misconception(
            "(1, 1) not pulled down far enough",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -1.5]]", "[-0.5]"),
            "Nearly: (1, 1) gives exactly 0. Whatever pulls the output down at two ones must pull a little "
            "harder.",
        ),
        Misconception(
            "weights for steps",
            _xor("[[1.0, 1.0], [-1.0, -1.0]]", "[-0.5, 1.5]", "[[1.0, 1.0]]", "[-1.5]"),
            "The two ones come out below 0, and the zeros at exactly 0. If your weights were made for units "
            "with a step, such as OR and NAND in lesson 01, with AND behind them: a ReLU passes on how far "
            "it is above 0, not just 1. Compute the two hidden numbers at each corner.",
        ),
        Misconception(
            "steps again, with the difference of OR and AND",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[-0.5, -1.5]", "[[1.0, -1.0]]", "[-0.5]"),
            "(0, 1) and (1, 0) give exactly 0, and (1, 1) lies above. If your hidden units are OR and AND "
            "from lesson 01: their difference is XOR as long as they say 0 or 1. As ReLUs they give 0.5 and "
            "0 at (1, 0), but 1.5 and 0.5 at (1, 1).",
        ),
        Misconception(
            "steps once more, with AND taken twice",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[-0.5, -1.5]", "[[1.0, -2.0]]", "[-0.5]"),
            "(0, 0) is right, the other three give exactly 0, so there is not much missing. What do your "
            "hidden units give at (0, 1), and what at (1, 1)? A ReLU gives how far it is above 0, not just "
            "0 or 1.",
        ),
        Misconception(
            "falls from the start",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, 0.0]", "[[1.0, -2.0]]", "[0.5]"),
            "Only (0, 0) comes out above 0: your output falls as the number of ones grows. From none to one "
            "it should rise, and only then fall. (Are your two hidden units different? Two equal ones can "
            "do no more than one.)",
        ),
        Misconception(
            "everything above",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[-2.0, -3.0]", "[[1.0, -2.0]]", "[0.5]"),
            "All four corners come out above 0. Compute (0, 0): what do the hidden units give there, and "
            "what does the output's bias add? (If both units are asleep at every corner, this bias is all "
            "that is left.)",
        ),
        Misconception(
            "everything below",
            _xor("[[1.0, 1.0], [1.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -2.0]]", "[-1.5]"),
            "All four corners come out below 0. Compute (0, 1): do the hidden units bring anything there, "
            "and is it more than the output's bias takes away?",
        ),
        Misconception(
            "only (1, 0)",
            _xor("[[1.0, 0.0], [0.0, 1.0]]", "[0.0, 0.0]", "[[1.0, -1.0]]", "[-0.5]"),
            "(1, 0) comes out above 0 and (0, 1) below: something in your network tells the two inputs "
            "apart, as their difference does. XOR treats them alike, as their sum does, or as both "
            "differences do, x1 − x2 and x2 − x1.",
        ),
        Misconception(
            "only (0, 1)",
            _xor("[[1.0, 0.0], [0.0, 1.0]]", "[0.0, 0.0]", "[[-1.0, 1.0]]", "[-0.5]"),
            "(0, 1) comes out above 0 and (1, 0) below: something in your network tells the two inputs "
            "apart, as their difference does. XOR treats them alike, as their sum does, or as both "
            "differences do, x1 − x2 and x2 − x1, if they count the same.",
        ),
        Misconception(
            "x1 alone",
            _xor("[[1.0, 0.0], [1.0, 0.0]]", "[0.0, -1.0]", "[[1.0, -2.0]]", "[-0.5]"),
            "Your network repeats x1, whatever x2 is. Both inputs must count. Mind which way W1 is read: "
            "each row has the weights of one hidden unit, one weight for x1 and one for x2.",
        ),
        Misconception(
            "x2 alone",
            _xor("[[0.0, 1.0], [0.0, 1.0]]", "[0.0, -1.0]", "[[1.0, -2.0]]", "[-0.5]"),
            "Your network repeats x2, whatever x1 is. Both inputs must count. Mind which way W1 is read: "
            "each row has the weights of one hidden unit, one weight for x1 and one for x2.",
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


_MODULE_ERRORS = {  # what torch says: what to tell the learner
    "before Module.__init__": "`nn.Module` must set itself up before it can take in layers: the first line "
    "of `__init__` calls the `__init__` of the class above, with `super()`.",
    "is not a Module subclass": "`nn.Sequential` takes the layers themselves, one after the other, not a "
    "list of them. A star before a list hands its entries over one by one.",
    "Module [ModuleList] is missing": "`nn.ModuleList` only keeps the layers. It does not know how to send X "
    "through them, so it cannot be called: go through it in a loop.",
}
_NOT_LOOKED_AT = "not looked at, since the parameters are not those asked for"


def _advised(error: Exception) -> Exception:
    """The error, or what to say instead of it where torch's words would leave a beginner alone."""
    said = str(error)
    return next((NotAsAsked(advice) for words, advice in _MODULE_ERRORS.items() if words in said), error)


def _listed(tensors: Sequence[Tensor]) -> dict[str, str]:
    """What there is to learn, by shape: {"shape (3, 2)": "weights", "shape (3,)": "biases"}."""
    shapes = [tuple(t.shape) for t in tensors]
    kinds = {1: "biases", 2: "weights"}
    times = {shape: f", {shapes.count(shape)} times" if shapes.count(shape) > 1 else "" for shape in shapes}
    return {f"shape {shape}{times[shape]}": kinds.get(len(shape), "learned") for shape in shapes}


def mlp_behaviour(MLP: type, sizes: list[int], X: Tensor, weights: list[Tensor]) -> tuple[Any, ...]:
    """Probe: makes a network, puts the case's weights in, and looks at what it is and does.

    The names of the layers are the learner's own; parameters are found by shape, in the order in which they
    were registered. Returned are the parameters that are found, the logits under the given weights, whether a
    second call gives the same, and how many parameters a gradient of the logits reaches. Where parameters are
    missing the logits are chance and say nothing, so a sentence stands for them.

    Raises:
        NotAsAsked: if the objects are no modules, or have no `forward`, or the logits are no tensor.
    """
    try:
        model = MLP(sizes)
    except (AttributeError, TypeError) as error:
        raise _advised(error) from None
    if not isinstance(model, nn.Module):
        raise NotAsAsked(
            "Your class does not build on `nn.Module`, so it has no `parameters()`, and an optimizer would "
            "find nothing to train. Name it in the parentheses after the class's name."
        )
    if "_parameters" not in vars(model):
        raise NotAsAsked(_MODULE_ERRORS["before Module.__init__"])
    if type(model).forward is nn.Module.forward:
        raise NotAsAsked(
            "Your class has no method `forward`, which says what happens to X. It stands in the class, "
            "indented as far as `__init__`."
        )
    parameters = list(model.parameters())
    left = list(weights)
    with torch.no_grad():
        for parameter in parameters:
            fitting = next((i for i, w in enumerate(left) if w.shape == parameter.shape), None)
            if fitting is not None:
                parameter.copy_(left.pop(fitting))
    try:
        logits, again = model(X), model(X)
    except Exception as error:
        if isinstance(error, NotImplementedError) or not isinstance(error, RuntimeError):
            raise _advised(error) from None
        if _listed(parameters) == _listed(weights):
            raise
        # shapes that do not fit are no wonder where layers are missing: of that the learner hears first
        return _listed(parameters), _NOT_LOOKED_AT, "failed", "not looked at"
    if logits is None:
        raise NotAsAsked("Your `forward` returns nothing. Is there a `return` at its end?")
    if not isinstance(logits, Tensor):
        raise NotAsAsked(
            f"`forward` should return the logits, a tensor, but it returns {type(logits).__name__}."
        )
    if logits.requires_grad:
        logits.square().sum().backward()
    reached = sum(p.grad is not None for p in parameters)
    return (
        _listed(parameters),
        _NOT_LOOKED_AT if left else logits.detach(),
        "gives the same" if torch.equal(logits, again) else "gives something else",
        f"reaches {reached} of {len(parameters)} parameters",
    )


def mlp_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, sizes: list[int], B: int, note: str) -> Case:
        weights = [part for layer in _layers(generator, *sizes) for part in layer]
        return Case(group, (sizes, normal(generator, B, sizes[0]), weights), note)

    n, m = whole_number(generator, 4, 6), whole_number(generator, 7, 9)
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
    output_names=("list of parameters", "output", "second call", "gradient"),
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
            "hidden layers in a plain list",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.hidden = [nn.Linear(m, n) for m, n in zip(sizes[:-2], sizes[1:-1])]
        self.output = nn.Linear(sizes[-2], sizes[-1])

    def forward(self, X):
        for layer in self.hidden:
            X = torch.relu(layer(X))
        return self.output(X)
""",
            "Only the parameters of your last layer are known. The hidden layers stand in a plain Python "
            "list, where `nn.Module` does not look: an optimizer would train the last layer and leave the "
            "others at random, without a word. There is a list for modules in torch.nn.",
        ),
        Misconception(
            "one name for all layers",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        for m, n in zip(sizes, sizes[1:]):
            self.layer = nn.Linear(m, n)

    def forward(self, X):
        return self.layer(X)
""",
            "Only your last layer is known. If your loop stores every layer under the same name, such as "
            "`self.layer`, each one replaces the one before. Keep them all, in a list that `nn.Module` "
            "looks into.",
        ),
        Misconception(
            "in and out exchanged",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n, m) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.relu(layer(X))
        return self.layers[-1](X)
""",
            "Your layers are the wrong way round: `nn.Linear` is told first how many numbers come in, then "
            "how many go out, and it keeps its weights as (out, in).",
        ),
        Misconception(
            "just two layers",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.hidden = nn.Linear(sizes[0], sizes[1])
        self.output = nn.Linear(sizes[1], sizes[2])

    def forward(self, X):
        return self.output(torch.relu(self.hidden(X)))
""",
            "Your network has two layers, however many sizes there are. Make a layer for each pair of "
            "neighbours in `sizes`.",
        ),
        Misconception(
            "returns inside the loop",
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
            "The parameters are right, but X gets no further than the first layer: the `return` stands "
            "inside the loop. Look at the indentation.",
        ),
        Misconception(
            "ReLU on the inputs",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers:
            X = layer(torch.relu(X))
        return X
""",
            "The parameters are right, but you apply ReLU before every layer, the first one too, so the "
            "inputs lose their negative numbers. It belongs between the layers.",
        ),
        Misconception(
            "tanh for ReLU",
            """
class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in zip(sizes, sizes[1:]))

    def forward(self, X):
        for layer in self.layers[:-1]:
            X = torch.tanh(layer(X))
        return self.layers[-1](X)
""",
            "Layers and parameters are right, but between them you apply tanh, as the lesson did for its "
            "spirals. ReLU is asked for.",
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
    left = whole_number(generator, -12, -4) / 4
    centre = left + whole_number(generator, 1, 8) / 4
    right = centre + whole_number(generator, 9, 16) / 4
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
            "From the centre on your curve stays at 1. To make it fall there, it must be turned by more than "
            "its rise: by the slope upwards and the slope downwards together.",
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
            "turned by 2, as in the lesson",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - 2 * torch.relu(x - centre) + down * torch.relu(x - right)
""",
            "The 2 of the lesson's hat was 1 up and 1 down. Here the slopes are others: at the centre the "
            "curve must be turned by the slope upwards and the slope downwards together.",
        ),
        Misconception(
            "the lesson's hat, only shifted",
            """
def relu_bump(x, left, centre, right):
    z = x - centre
    return torch.relu(z + 1) - 2 * torch.relu(z) + torch.relu(z - 1)
""",
            "Your bump always goes from centre − 1 to centre + 1: `left` and `right` are not used.",
        ),
        Misconception(
            "the lesson's hat, both sides alike",
            """
def relu_bump(x, left, centre, right):
    z = (x - centre) / ((right - left) / 2)
    return torch.relu(z + 1) - 2 * torch.relu(z) + torch.relu(z - 1)
""",
            "You squeeze the lesson's hat, so both sides of your bump are equally wide. That is right only "
            "if the centre is in the middle: each side needs a slope of its own.",
        ),
        Misconception(
            "the lesson's hat, by the whole width",
            """
def relu_bump(x, left, centre, right):
    z = (x - centre) / (right - left)
    return torch.relu(z + 1) - 2 * torch.relu(z) + torch.relu(z - 1)
""",
            "Your bump is too wide: the lesson's hat reaches 1 to each side, so you have divided by the "
            "width of both sides together. And each side needs a slope of its own.",
        ),
        Misconception(
            "third ReLU with the wrong sign",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - (up + down) * torch.relu(x - centre) - down * torch.relu(x - right)
""",
            "Up to `right` all is well, but there the curve falls still faster. The third ReLU must end the "
            "fall, so it turns the curve upwards.",
        ),
        Misconception(
            "turns by the difference of the slopes",
            """
def relu_bump(x, left, centre, right):
    up, down = 1 / (centre - left), 1 / (right - centre)
    return up * torch.relu(x - left) - (up - down) * torch.relu(x - centre) + down * torch.relu(x - right)
""",
            "At the centre you turn by up − down, so the curve goes on rising there. It has to lose its "
            "whole rise, up, and then fall, down: how much is that together?",
        ),
        Misconception(
            "no floor at 0",
            """
def relu_bump(x, left, centre, right):
    return torch.minimum((x - left) / (centre - left), (right - x) / (right - centre))
""",
            "Between `left` and `right` all is well. Outside, both your lines go on below 0: the bump must "
            "stay at 0 there.",
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
