"""The exercises of lesson 02 as data: activations, their slopes, softmax, dead units, stacked layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .common import normal, whole_number
from .exercise import Case, Exercise, Misconception, Stopped

# ------------------------------------------------------------------------------------ 02.collapse


def collapse(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    """The one linear layer that does what two in a row do."""
    return W2 @ W1, W2 @ b1 + b2


def collapse_cases(generator: torch.Generator) -> list[Case]:
    """Layers of unequal sizes, where a wrong order cannot be computed, and square ones, where it can."""

    def layers(
        inputs: int, hidden: int, outputs: int, dtype: torch.dtype = torch.float32
    ) -> tuple[Tensor, ...]:
        shapes = ((hidden, inputs), (hidden,), (outputs, hidden), (outputs,))
        return tuple(normal(generator, *shape).to(dtype) for shape in shapes)

    example = ([[1.0, 2.0], [0.0, 1.0]], [1.0, -1.0], [[1.0, 0.0], [3.0, 1.0]], [0.0, 10.0])
    h = whole_number(generator, 3, 5)
    return [
        Case("values", tuple(torch.tensor(part) for part in example), "the example of the statement"),
        Case("values", layers(3, 3, 3), "all sizes equal: a wrong order gives numbers, but others"),
        Case("values", layers(h - 1, h, h + 2)),
        Case("types", layers(2, 3, 2, torch.float64), "float64"),
        Case("shapes", layers(4, 2, 5), "a narrow layer between wide ones"),
        Case("shapes", layers(1, 6, 1), "one input, one output"),
        Case("shapes", layers(3, 1, 2), "a single hidden unit"),
        Case("edge cases", (torch.zeros(3, 2), torch.ones(3), torch.ones(2, 3), torch.zeros(2)), "W1 is 0"),
        Case("edge cases", (torch.ones(2, 3), torch.zeros(2), torch.ones(4, 2), torch.ones(4)), "b1 is 0"),
    ]


COLLAPSE = Exercise(
    id="02.collapse",
    name="collapse",
    title="Two linear layers are one",
    difficulty=2,
    points=4,
    minutes=10,
    cases=collapse_cases,
    reference=collapse,
    result="a tuple (W, b): W of shape (outputs, inputs), b of shape (outputs,)",
    output_names=("W", "b"),
    misconceptions=(
        Misconception(
            name="product in reading order",
            code="def collapse(W1, b1, W2, b2):\n    return W1 @ W2, W2 @ b1 + b2",
            hint="Your bias is right, but the weights are multiplied in the order in which the layers "
            "stand. The first layer acts on x first, so its matrix stands next to x, on the right. Matrix "
            "products do not commute.",
        ),
        Misconception(
            name="reading order in weights and bias",
            code="def collapse(W1, b1, W2, b2):\n    return W1 @ W2, W1 @ b2 + b1",
            hint="You let the second layer act first: its bias went through the first layer's weights. "
            "Write out what the second layer receives and put it into the second layer's formula.",
        ),
        Misconception(
            name="adds the biases",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, b1 + b2",
            hint="Your weights are right, but you added the two biases as they are. What the first layer "
            "adds then passes through the second layer, together with everything else; often the two do not "
            "even have the same length.",
        ),
        Misconception(
            name="first bias lost",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, b2",
            hint="Your weights are right, but the first layer's bias is gone. Try x = 0: the first layer "
            "still hands b1 to the second.",
        ),
        Misconception(
            name="second bias goes through the weights too",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, W2 @ (b1 + b2)",
            hint="Your weights are right, but you sent both biases through the second layer's weights. Its "
            "own bias is added after them.",
        ),
        Misconception(
            name="first bias through its own weights",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, W1 @ b1 + b2",
            hint="Your weights are right, but b1 was multiplied by the first layer's own weights. It is "
            "added after them; which weights does it meet next?",
        ),
        Misconception(
            name="weights transposed",
            code="def collapse(W1, b1, W2, b2):\n    return (W2 @ W1).T, W2 @ b1 + b2",
            hint="Your W has shape (inputs, outputs). The course stores weights as nn.Linear does, "
            "(outputs, inputs): one row for each output.",
        ),
        Misconception(
            name="multiplies entry by entry",
            code="def collapse(W1, b1, W2, b2):\n    return W2 * W1, W2 @ b1 + b2",
            hint="You multiplied the weights entry by entry. Layers one after the other need the product of "
            "matrices: every way from an input to an output through all the hidden units.",
        ),
        Misconception(
            name="second bias lost",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, W2 @ b1",
            hint="Your weights are right, and so is the way of the first bias through the second layer. But "
            "the second layer adds a bias of its own. Try x = 0: what comes out in the end?",
        ),
        Misconception(
            name="returns only W",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1",
            hint="Your weights are right, but they are half of the layer: return its bias too, W first.",
        ),
        Misconception(
            name="bias before weights",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ b1 + b2, W2 @ W1",
            hint="Both parts are right, but they come in the wrong order: W first, then b.",
        ),
        Misconception(
            name="bias on the left of the weights",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, b1 @ W2 + b2",
            hint="Your weights are right, but b1 stands on the left of W2. There each of its numbers meets a "
            "row of W2, as if W2 were transposed; the second layer takes b1 as it takes any input, on the "
            "right.",
        ),
        Misconception(
            name="bias multiplied entry by entry",
            code="def collapse(W1, b1, W2, b2):\n    return W2 @ W1, W2 * b1 + b2",
            hint="Your weights are right, but `*` multiplies W2 and b1 entry by entry and adds nothing up: "
            "your b has two dimensions. Every output needs one sum over the hidden units.",
        ),
    ),
    hints=(
        "Write the hidden values as W1 x + b1, and put them in place of the input of the second layer. Do "
        "not touch any order of factors.",
        "Multiply out W2 (W1 x + b1) + b2. What stands before x is W; all that does not contain x is b. "
        "Check the shapes: W must be (outputs, inputs).",
    ),
    alternatives=(
        "def collapse(W1, b1, W2, b2):\n    return torch.einsum('oh,hi->oi', W2, W1), W2.mv(b1).add(b2)",
        "def collapse(W1, b1, W2, b2):\n    b = b1 @ W2.T\n    b += b2\n    return (W1.T @ W2.T).T, b",
        "def collapse(W1, b1, W2, b2):\n"
        "    def both(x):\n"
        "        return W2 @ (W1 @ x + b1) + b2\n"
        "    b = both(torch.zeros(W1.shape[1], dtype=W1.dtype))\n"
        "    columns = [both(e) - b for e in torch.eye(W1.shape[1], dtype=W1.dtype)]\n"
        "    return torch.stack(columns, dim=1), b",
        "def collapse(W1, b1, W2, b2):\n"
        "    W = torch.zeros(W2.shape[0], W1.shape[1], dtype=W1.dtype)\n"
        "    for o in range(W.shape[0]):\n"
        "        for i in range(W.shape[1]):\n"
        "            W[o, i] = sum(W2[o, h] * W1[h, i] for h in range(W1.shape[0]))\n"
        "    return W, torch.nn.functional.linear(b1, W2, b2)",
    ),
)


# --------------------------------------------------------------------------- 02.tanh_from_sigmoid


def tanh_from_sigmoid(z: Tensor) -> Tensor:
    """tanh(z) = 2 σ(2z) − 1."""
    return 2 * torch.sigmoid(2 * z) - 1


def tanh_from_sigmoid_cases(generator: torch.Generator) -> list[Case]:
    """Small, random and saturated numbers in several shapes."""
    return [
        Case("values", (torch.tensor([-1.0, 0.0, 1.0]),), "the example of the statement"),
        Case("values", (normal(generator, whole_number(generator, 3, 9)),)),
        Case("values", (normal(generator, 4, 2, scale=4),)),
        Case("types", (normal(generator, 3).double(),), "float64"),
        Case("shapes", (normal(generator, 1, 1),), "a batch of one"),
        Case("shapes", (normal(generator, 2, whole_number(generator, 1, 4), 3),), "three dimensions"),
        Case("shapes", (torch.tensor(-0.3),), "a tensor without dimensions"),
        Case("edge cases", (torch.tensor([-1000.0, 1000.0]),), "huge numbers"),
    ]


TANH_FROM_SIGMOID = Exercise(
    id="02.tanh_from_sigmoid",
    name="tanh_from_sigmoid",
    title="tanh is a stretched sigmoid",
    difficulty=1,
    points=2,
    minutes=5,
    cases=tanh_from_sigmoid_cases,
    reference=tanh_from_sigmoid,
    result="a tensor of the shape of z, floating point, between −1 and 1",
    misconceptions=(
        Misconception(
            name="factor 2 inside lost",
            code="def tanh_from_sigmoid(z):\n    return 2 * torch.sigmoid(z) - 1",
            hint="Your curve runs from −1 to 1 as it should, but it is too flat: its slope at 0 is 0.5, "
            "that of tanh is 1. Stretching the height doubled the sigmoid's slope of 0.25. What must happen "
            "to z to double it again?",
        ),
        Misconception(
            name="factor 2 outside lost",
            code="def tanh_from_sigmoid(z):\n    return torch.sigmoid(2 * z) - 1",
            hint="Your curve runs from −1 to 0. The sigmoid is only 1 high, tanh is 2 high: you moved it "
            "down without stretching it.",
        ),
        Misconception(
            name="−1 lost",
            code="def tanh_from_sigmoid(z):\n    return 2 * torch.sigmoid(2 * z)",
            hint="Your curve has the right shape but runs from 0 to 2. tanh is centred: it is 0 at 0.",
        ),
        Misconception(
            name="subtracts before doubling",
            code="def tanh_from_sigmoid(z):\n    return 2 * (torch.sigmoid(2 * z) - 1)",
            hint="Your curve runs from −2 to 0: you moved it down by 1 first, and then the stretching "
            "doubled that too.",
        ),
        Misconception(
            name="halves z instead of doubling it",
            code="def tanh_from_sigmoid(z):\n    return 2 * torch.sigmoid(z / 2) - 1",
            hint="You divided z by 2, which makes the curve wider: its slope at 0 is only 0.25. tanh is "
            "steeper than the sigmoid, so it must be squeezed.",
        ),
        Misconception(
            name="from exponentials",
            code="def tanh_from_sigmoid(z):\n"
            "    return (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z))",
            hint="You wrote tanh from its definition with exponentials, without the sigmoid. The formula is "
            "true, but beyond |z| ≈ 89 an exponential is inf in float32 and the result inf/inf = NaN. The "
            "sigmoid has solved that problem already: build on it.",
        ),
        Misconception(
            name="only squeezed",
            code="def tanh_from_sigmoid(z):\n    return torch.sigmoid(2 * z)",
            hint="You squeezed the sigmoid sideways, but it still runs from 0 to 1. tanh runs from −1 to 1: "
            "two changes of the output are missing.",
        ),
    ),
    hints=(
        "Compare the two curves. From where to where does each run? How steep is each at 0?",
        "Three changes turn the sigmoid into tanh: make it twice as high, move it down so that it is 0 at "
        "0, and squeeze it sideways until its slope at 0 is 1. The slope tells you the factor for z.",
    ),
    alternatives=(
        "def tanh_from_sigmoid(z):\n    return torch.sigmoid(2 * z) - torch.sigmoid(-2 * z)",
        "def tanh_from_sigmoid(z):\n    return 1 - 2 * torch.sigmoid(-2 * z)",
        "def tanh_from_sigmoid(z):\n    a = torch.sigmoid(z + z)\n    a *= 2\n    a -= 1\n    return a",
        "def tanh_from_sigmoid(z):\n    return torch.tanh(z)",
        "def tanh_from_sigmoid(z):\n    s = 1 / (1 + torch.exp(-2 * z))\n    return 2 * s - 1",
    ),
)


# ---------------------------------------------------------------------------------- 02.leaky_relu


def leaky_relu(z: Tensor, slope: float = 0.01) -> Tensor:
    """z where z is positive, slope · z elsewhere."""
    return torch.where(z > 0, z, slope * z)


def leaky_relu_cases(generator: torch.Generator) -> list[Case]:
    """With and without the second argument; slopes at both ends of their range."""
    z = normal(generator, whole_number(generator, 2, 6), 3, scale=2)
    slope = round(float(0.05 + 0.4 * torch.rand((), generator=generator)), 3)
    return [
        Case("values", (torch.tensor([-2.0, -0.5, 0.0, 3.0]), 0.1), "the example of the statement"),
        Case("values", (torch.tensor([-100.0, -1.0, 5.0]),), "slope not given: 0.01"),
        Case("values", (z, slope)),
        Case("types", (normal(generator, 5).double(), 0.2), "float64"),
        Case("shapes", (-torch.ones(1, 1), 0.3), "a batch of one"),
        Case("shapes", (normal(generator, 2, 3, whole_number(generator, 1, 4)), 0.25), "three dimensions"),
        Case("shapes", (torch.tensor(-4.0), 0.5), "a tensor without dimensions"),
        Case("edge cases", (torch.tensor([-3.0, 0.0, 3.0]), 0.0), "slope 0: plain ReLU"),
        Case("edge cases", (torch.tensor([-3.0, 0.0, 3.0]), 1.0), "slope 1: nothing changes"),
        Case("edge cases", (torch.tensor([-1e6, 1e6]), 0.01), "huge numbers"),
    ]


LEAKY_RELU = Exercise(
    id="02.leaky_relu",
    name="leaky_relu",
    title="A ReLU that leaks",
    difficulty=1,
    points=2,
    minutes=5,
    cases=leaky_relu_cases,
    reference=leaky_relu,
    result="a tensor of the shape of z, floating point",
    misconceptions=(
        Misconception(
            name="slope on the positive side",
            code="def leaky_relu(z, slope=0.01):\n    return torch.where(z > 0, slope * z, z)",
            hint="You multiplied the positive numbers by the slope and left the negative ones alone. It is "
            "the other way round: ReLU lets the positive side through, and the leak is on the side it would "
            "have cut off.",
        ),
        Misconception(
            name="plain ReLU",
            code="def leaky_relu(z, slope=0.01):\n    return torch.where(z > 0, z, torch.zeros_like(z))",
            hint="This is plain ReLU: all negative numbers become 0, whatever the slope. A unit that only "
            "sees negative numbers would get no gradient. The leak keeps a little of them.",
        ),
        Misconception(
            name="subtracts the slope",
            code="def leaky_relu(z, slope=0.01):\n    return torch.where(z > 0, z, z - slope)",
            hint="You subtracted the slope from the negative numbers. That moves the line down and makes a "
            "jump at 0; the line should still pass through 0, only less steeply.",
        ),
        Misconception(
            name="a constant on the negative side",
            code="def leaky_relu(z, slope=0.01):\n"
            "    return torch.where(z > 0, z, torch.full_like(z, slope))",
            hint="Every negative number gives the same output, the slope itself. A constant has no slope at "
            "all, so the gradient is as dead as with plain ReLU. The output must still depend on z.",
        ),
        Misconception(
            name="sign of the leak turned round",
            code="def leaky_relu(z, slope=0.01):\n    return torch.where(z > 0, z, -slope * z)",
            hint="Your negative numbers come out positive: the curve goes up on both sides of 0. The leak "
            "should let a little of a negative number through, with its sign.",
        ),
        Misconception(
            name="slope on both sides",
            code="def leaky_relu(z, slope=0.01):\n    return slope * z",
            hint="You multiplied all numbers by the slope, positive ones too. Without a bend this is a "
            "linear function, and stacking it gains nothing.",
        ),
        Misconception(
            name="ignores the slope it is given",
            code="def leaky_relu(z, slope=0.01):\n    return torch.where(z > 0, z, 0.01 * z)",
            hint="Right for a slope of 0.01, but you wrote that number into the function: the slope it is "
            "called with is not used.",
        ),
        Misconception(
            name="the leak added on both sides",
            code="def leaky_relu(z, slope=0.01):\n    return torch.relu(z) + slope * z",
            hint="Right for negative numbers, but the positive ones are too large: they come out with 1 + "
            "slope in front. The leak is for the negative side only.",
        ),
    ),
    hints=(
        "Two cases, as in ReLU. Which numbers pass unchanged, and what happens to the others?",
        "torch.where(condition, a, b) takes from a where the condition holds and from b elsewhere. Which "
        "two tensors do you choose between?",
    ),
    alternatives=(
        "def leaky_relu(z, slope=0.01):\n    return torch.maximum(z, slope * z)",
        "def leaky_relu(z, slope=0.01):\n    return torch.relu(z) - slope * torch.relu(-z)",
        "def leaky_relu(z, slope=0.01):\n    return z.clamp(min=0) + slope * z.clamp(max=0)",
        "def leaky_relu(z, slope=0.01):\n    return torch.nn.functional.leaky_relu(z, slope)",
        "def leaky_relu(z, slope=0.01):\n    a = z.clone()\n    a[a < 0] *= slope\n    return a",
        "def leaky_relu(z, slope=0.01):\n"
        "    values = [v if v > 0 else slope * v for v in z.flatten().tolist()]\n"
        "    return torch.tensor(values).reshape(z.shape)",
    ),
)


# ------------------------------------------------------------------------------- 02.sigmoid_slope


def sigmoid_slope(a: Tensor) -> Tensor:
    """The sigmoid's slope at the point where its value is a."""
    return a * (1 - a)


def sigmoid_slope_cases(generator: torch.Generator) -> list[Case]:
    """Outputs of a sigmoid: in the middle, saturated, and exactly 0 and 1."""
    rows = whole_number(generator, 1, 4)
    return [
        Case("values", (torch.tensor([0.1, 0.5, 0.8]),), "the example of the statement"),
        Case("values", (torch.rand(whole_number(generator, 3, 9), generator=generator),)),
        Case("values", (torch.sigmoid(normal(generator, 3, 4, scale=3)),), "outputs of a layer"),
        Case("types", (torch.rand(4, generator=generator).double(),), "float64"),
        Case("shapes", (torch.rand(1, 1, generator=generator),), "a batch of one"),
        Case("shapes", (torch.rand(2, rows, 3, generator=generator),), "three dimensions"),
        Case("shapes", (torch.tensor(0.25),), "a tensor without dimensions"),
        Case("edge cases", (torch.tensor([0.0, 1.0]),), "saturated at both ends: no slope left"),
    ]


SIGMOID_SLOPE = Exercise(
    id="02.sigmoid_slope",
    name="sigmoid_slope",
    title="The slope from the output",
    difficulty=1,
    points=2,
    minutes=5,
    cases=sigmoid_slope_cases,
    reference=sigmoid_slope,
    result="a tensor of the shape of a, floating point, between 0 and 0.25",
    misconceptions=(
        Misconception(
            name="applies the sigmoid again",
            code="def sigmoid_slope(a):\n    s = torch.sigmoid(a)\n    return s * (1 - s)",
            hint="You sent a through the sigmoid once more. But a is the sigmoid's output already, not z: "
            "for a = 0.5 the slope must be the largest there is, 0.25.",
        ),
        Misconception(
            name="only 1 − a",
            code="def sigmoid_slope(a):\n    return 1 - a",
            hint="You have one of two factors. With it alone the slope would be largest where a is 0, but "
            "there the sigmoid is saturated just as at 1.",
        ),
        Misconception(
            name="returns a itself",
            code="def sigmoid_slope(a):\n    return a",
            hint="You gave back a. That is the slope of the exponential, which is its own derivative; the "
            "sigmoid's slope goes back to 0 as a approaches 1.",
        ),
        Misconception(
            name="the slope of tanh",
            code="def sigmoid_slope(a):\n    return 1 - a**2",
            hint="This is the slope of tanh from its output. The sigmoid runs from 0 to 1, and its slope "
            "must vanish at both of these ends; yours is 1 at a = 0.",
        ),
        Misconception(
            name="difference turned round",
            code="def sigmoid_slope(a):\n    return a * (a - 1)",
            hint="Your slopes are negative, but the sigmoid rises everywhere. Look at the order of the "
            "subtraction.",
        ),
        Misconception(
            name="squares a",
            code="def sigmoid_slope(a):\n    return a * a",
            hint="You multiplied a by itself. The second factor is the distance that a still has to go to 1.",
        ),
        Misconception(
            name="brackets lost, or always 0",
            code="def sigmoid_slope(a):\n    return a * 1 - a",
            hint="Your slope is 0 everywhere. If you wrote a product with a difference in it: Python "
            "multiplies before it subtracts, so without brackets only a part of the difference is "
            "multiplied.",
        ),
        Misconception(
            name="squares 1 − a",
            code="def sigmoid_slope(a):\n    return (1 - a) ** 2",
            hint="You multiplied 1 − a by itself. At a = 0 that gives a slope of 1, but there the sigmoid is "
            "flat. Which factor makes it 0 at a = 0?",
        ),
        Misconception(
            name="the sigmoid of a",
            code="def sigmoid_slope(a):\n    return torch.sigmoid(a)",
            hint="You sent a through the sigmoid. But a is its output already, and asked for is not a height "
            "but how steep the curve is there.",
        ),
    ),
    hints=(
        "Where is the sigmoid flat? What is a there? Your formula must be 0 at both of these values and "
        "largest half way.",
        "Write the derivative of 1 / (1 + e^(−z)), and look for σ(z) in it: one factor is σ(z), the other "
        "what is missing from σ(z) to 1. Both can be said with a alone.",
    ),
    alternatives=(
        "def sigmoid_slope(a):\n    return a - a**2",
        "def sigmoid_slope(a):\n    return 0.25 - (a - 0.5) ** 2",
        "def sigmoid_slope(a):\n    slope = 1 - a\n    slope *= a\n    return slope",
        "def sigmoid_slope(a):\n"
        "    return torch.tensor([v * (1 - v) for v in a.flatten().tolist()]).reshape(a.shape)",
    ),
)


# ------------------------------------------------------------------------------- 02.dead_fraction


def dead_fraction(a: Tensor) -> float:
    """The fraction of units that are 0 for every sample of the batch."""
    dead = (a == 0).all(dim=0)  # (units,)
    return dead.float().mean().item()


def dead_fraction_cases(generator: torch.Generator) -> list[Case]:
    """ReLU outputs with dead units, silent samples, both and neither."""
    batch, units = whole_number(generator, 5, 9), whole_number(generator, 2, 4)
    mixed = torch.relu(normal(generator, batch, units))
    mixed[0] = 0.5  # every unit answers this sample
    mixed[1:, 0] = 0
    width = 2 * whole_number(generator, 4, 30) + 1
    layer = torch.relu(normal(generator, 6, width))
    dead = whole_number(generator, 2, width - 2)
    layer[:, :dead] = 0
    layer[2, dead:] = 1.0
    statement = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0]])
    silent_sample = torch.tensor([[0.0, 0.0], [1.0, 2.0], [0.0, 1.0]])
    return [
        Case("values", (statement,), "the example of the statement"),
        Case("values", (mixed,), "every unit answers at least one sample"),
        Case("values", (layer,), f"some of {width} units are dead"),
        Case("values", (silent_sample,), "a sample without any answer, but no dead unit"),
        Case("types", (statement.double(),), "float64"),
        Case("shapes", (torch.tensor([[0.0, 2.0, 0.0, 1.0, 0.0]]),), "a batch of one"),
        Case("shapes", (torch.tensor([[0.0], [0.0], [3.0]]),), "a single unit"),
        Case("edge cases", (torch.zeros(4, 3),), "nothing but zeros"),
        Case("edge cases", (torch.rand(3, 5, generator=generator) + 0.1,), "no zero at all"),
        Case(
            "edge cases",
            (torch.tensor([[0.0, 1.0], [1e-3, 0.0], [0.0, 0.0]]),),
            "one tiny answer is an answer",
        ),
    ]


DEAD_FRACTION = Exercise(
    id="02.dead_fraction",
    name="dead_fraction",
    title="How many units are dead?",
    difficulty=2,
    points=4,
    minutes=10,
    cases=dead_fraction_cases,
    reference=dead_fraction,
    exact_types=True,
    result="a Python float between 0 and 1",
    misconceptions=(
        Misconception(
            name="counts zero outputs",
            code="def dead_fraction(a):\n    return (a == 0).float().mean().item()",
            hint="You counted all outputs that are 0. A healthy ReLU is 0 for many samples: that is "
            "sparsity. A unit is dead only if it is 0 for every sample of the batch, so first decide for "
            "each unit, then count units.",
        ),
        Misconception(
            name="counts silent samples",
            code="def dead_fraction(a):\n    return (a == 0).all(dim=1).float().mean().item()",
            hint="You asked along the wrong dimension: your number is the fraction of samples for which no "
            "unit answers. The rows are samples, the columns units; it is a column that must be 0 from top "
            "to bottom.",
        ),
        Misconception(
            name="dead after a single zero",
            code="def dead_fraction(a):\n    return (a == 0).any(dim=0).float().mean().item()",
            hint="You call a unit dead as soon as it is 0 for one sample. It must be 0 for all of them.",
        ),
        Misconception(
            name="returns the count",
            code="def dead_fraction(a):\n    return float((a == 0).all(dim=0).sum())",
            hint="You found the dead units, but returned how many there are. A fraction says what part of "
            "all units.",
        ),
        Misconception(
            name="divides by the batch size",
            code="def dead_fraction(a):\n    return (a == 0).all(dim=0).sum().item() / len(a)",
            hint="You found the dead units, but divided by the number of samples. `len` of a tensor is the "
            "size of its first dimension, the batch.",
        ),
        Misconception(
            name="fraction of living units",
            code="def dead_fraction(a):\n    return (a > 0).any(dim=0).float().mean().item()",
            hint="Your number is the fraction of units that are alive: those that answer at least one "
            "sample. What is left is asked for.",
        ),
        Misconception(
            name="all or nothing",
            code="def dead_fraction(a):\n    return (a == 0).all().float().mean().item()",
            hint="You ask whether ALL numbers are zero, so your answer is 1 or 0 and nothing between. Ask it "
            "for each unit, that is along the batch: dim=0.",
        ),
        Misconception(
            name="a tensor, not a number",
            code="def dead_fraction(a):\n    return (a == 0).all(dim=0).float().mean()",
            hint="The value is right, but it is still a tensor with one number in it. Asked for is a plain "
            "Python float: `.item()` takes it out.",
        ),
    ),
    hints=(
        "What makes one unit dead? Which of the entries of `a` belong to that unit?",
        "A column of `a` is a unit. Make a tensor with one True or False for each unit, which says whether "
        "its whole column is 0. The fraction is the mean of that tensor, once it holds numbers.",
    ),
    alternatives=(
        "def dead_fraction(a):\n    return (a.sum(dim=0) == 0).float().mean().item()",
        "def dead_fraction(a):\n    return (a.max(dim=0).values == 0).double().mean().item()",
        "def dead_fraction(a):\n    return 1 - (a > 0).any(dim=0).sum().item() / a.shape[1]",
        "def dead_fraction(a):\n"
        "    dead = 0\n"
        "    for unit in range(a.shape[1]):\n"
        "        if all(value == 0 for value in a[:, unit]):\n"
        "            dead += 1\n"
        "    return dead / a.shape[1]",
        "def dead_fraction(a):\n    return float(np.mean(np.all(a.numpy() == 0, axis=0)))",
    ),
)


# ------------------------------------------------------------------------------------ 02.sigmoid


def sigmoid(z: Tensor) -> Tensor:
    """σ(z) for a tensor of any shape; `exp` is only ever given numbers that are not positive."""
    t = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + t), t / (1 + t))


def no_overflow(work: Callable, *args: Tensor) -> Tensor:
    """Call the work and stop it as soon as a torch operation in it gives infinity.

    `math.exp` stops by itself, while `torch.exp` returns inf without a word.

    Raises:
        Stopped: at the step that overflowed, in the work's own code.
    """
    from torch.overrides import TorchFunctionMode

    class Finite(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor) and result.is_floating_point() and result.isinf().any():
                name = getattr(func, "__name__", "an operation").strip("_")
                kind = str(result.dtype).removeprefix("torch.")
                raise Stopped(
                    f"`{name}` gave inf, a number too large for {kind}. torch itself would just go on"
                )
            return result

    with Finite():
        try:
            return work(*args)
        except OverflowError as error:  # what math.exp raises; its place in the work is kept
            raise Stopped(f"Python said: {error}").with_traceback(error.__traceback__) from None


def sigmoid_cases(generator: torch.Generator) -> list[Case]:
    """Moderate values first, then each side's overflow on its own, so that the two can be told apart."""
    rows, columns = whole_number(generator, 2, 5), whole_number(generator, 2, 5)
    return [
        Case("values", (torch.tensor([-2.0, 0.0, 2.0]),), "small numbers"),
        Case("values", (normal(generator, whole_number(generator, 3, 9), scale=3),)),
        Case("values", (torch.tensor([-30.0, -12.0, 12.0, 30.0]),), "nearly 0 and nearly 1"),
        Case("types", (normal(generator, 4).double(),), "float64"),
        Case("shapes", (normal(generator, 1, 1),), "a batch of one"),
        Case("shapes", (normal(generator, rows, 3, columns),), "three dimensions"),
        Case("shapes", (torch.tensor(0.5),), "a tensor without dimensions"),
        Case("edge cases", (torch.tensor([1000.0, 1.0]),), "a huge positive number"),
        Case("edge cases", (torch.tensor([-1000.0, -1.0]),), "a huge negative number"),
        Case("edge cases", (torch.tensor([[-1000.0], [0.0], [1000.0]]),), "both at once"),
    ]


SIGMOID = Exercise(
    id="02.sigmoid",
    name="sigmoid",
    title="A sigmoid that never overflows",
    difficulty=2,
    points=4,
    minutes=15,
    cases=sigmoid_cases,
    reference=sigmoid,
    probe=no_overflow,
    rtol=1e-5,
    atol=1e-6,
    result="a tensor of the shape of z, floating point, between 0 and 1",
    misconceptions=(
        Misconception(
            name="textbook formula on both sides",
            code="def sigmoid(z):\n    return 1 / (1 + torch.exp(-z))",
            hint="Your code overflows for very negative z. The textbook formula, which is all you need for "
            "positive z, asks there for the exponential of +1000, and that is inf. 1/inf happens to give "
            "the right value, but inf has been inside, and its slope would be NaN. Negative z needs another "
            "form of the same fraction.",
        ),
        Misconception(
            name="the other form on both sides",
            code="def sigmoid(z):\n    return torch.exp(z) / (1 + torch.exp(z))",
            hint="Your code overflows for large positive z. The form with the exponential of z above and "
            "below is safe for negative z, but for z = +1000 it is inf divided by inf, which is NaN. "
            "Positive z needs the other form of the fraction.",
        ),
        Misconception(
            name="chooses between two forms after computing both",
            code="def sigmoid(z):\n"
            "    return torch.where(z >= 0, 1 / (1 + torch.exp(-z)), torch.exp(z) / (1 + torch.exp(z)))",
            hint="Your code overflows for large and for small z. If you choose between two forms: both are "
            "computed for all of z before the choice is made, so each still meets the numbers it cannot "
            "bear. Make sure that the exponential itself only ever sees numbers that are not positive.",
        ),
        Misconception(
            name="loses the minus sign",
            code="def sigmoid(z):\n    return 1 / (1 + torch.exp(z))",
            hint="Your curve falls where it should rise: for large z it goes to 0. Look at the sign in the "
            "exponent.",
        ),
        Misconception(
            name="brackets round the denominator lost",
            code="def sigmoid(z):\n    return 1 / 1 + torch.exp(-z)",
            hint="At z = 0 you get 2 instead of 0.5. Python divides before it adds, so only part of what "
            "should stand below the fraction line does.",
        ),
        Misconception(
            name="cuts z off at ±10",
            code="def sigmoid(z):\n    return 1 / (1 + torch.exp(-z.clamp(-10, 10)))",
            hint="Keeping z within bounds does prevent the overflow, but yours are too tight: the sigmoid "
            "of 10 is 0.99995, and float32 can tell that from 1. Everything beyond is held there.",
        ),
        Misconception(
            name="the size of z without its sign",
            code="def sigmoid(z):\n    return 1 / (1 + torch.exp(-z.abs()))",
            hint="Nothing overflows any more, but your answer for z = −2 is the one for z = 2: never below "
            "0.5. Only the exponent needed the size of z without its sign. For negative z the fraction "
            "above it has another numerator.",
        ),
        Misconception(
            name="only the numerator for negative z",
            code="def sigmoid(z):\n"
            "    t = torch.exp(-z.abs())\n"
            "    return torch.where(z >= 0, 1 / (1 + t), t)",
            hint="Right for z of 0 or more. For negative z you return the exponential alone, which is nearly "
            "right far out, but 0.135 instead of 0.119 at z = −2: it has to be divided by something that "
            "is a little more than 1.",
        ),
    ),
    hints=(
        "When does the exponential overflow: when its argument is large and positive, or large and negative? "
        "What does it give in the other case?",
        "Multiply the fraction 1 / (1 + e^(−z)) above and below by e^z: the same function in a second form. "
        "One form is safe for positive z, the other for negative z. Both can be written with e^(−|z|), "
        "which is never above 1.",
    ),
    alternatives=(
        "def sigmoid(z):\n    return 0.5 * (1 + torch.tanh(z / 2))",
        "def sigmoid(z):\n    return torch.sigmoid(z)",
        "def sigmoid(z):\n    safe = z.clamp(-80, 80)\n    return 1 / (1 + torch.exp(-safe))",
        "def sigmoid(z):\n    return torch.exp(-torch.logaddexp(torch.zeros_like(z), -z))",
        "def sigmoid(z):\n"
        "    up, down = torch.exp(z.clamp(max=0)), torch.exp(-z.clamp(min=0))\n"
        "    return up / (up + down)",
        "def sigmoid(z):\n"
        "    a = torch.empty_like(z)\n"
        "    positive = z >= 0\n"
        "    a[positive] = 1 / (1 + torch.exp(-z[positive]))\n"
        "    a[~positive] = torch.exp(z[~positive]) / (1 + torch.exp(z[~positive]))\n"
        "    return a",
        "def sigmoid(z):\n"
        "    out = []\n"
        "    for value in z.flatten().tolist():\n"
        "        t = math.exp(-abs(value))\n"
        "        out.append(1 / (1 + t) if value >= 0 else t / (1 + t))\n"
        "    return torch.tensor(out).reshape(z.shape)",
    ),
)


# ------------------------------------------------------------------------------------- 02.softmax


def softmax(z: Tensor, dim: int) -> Tensor:
    """Softmax of z along dimension dim, shifted by the largest number of each slice."""
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def softmax_cases(generator: torch.Generator) -> list[Case]:
    """Both dimensions of a matrix and three of a block; large numbers; rows at very different heights."""
    rows, columns = whole_number(generator, 2, 4), whole_number(generator, 5, 7)
    return [
        Case("values", (torch.tensor([[0.0, 0.0], [1.0, 3.0]]), 1), "the example of the statement"),
        Case("values", (torch.tensor([[0.0, 0.0], [1.0, 3.0]]), 0), "the same, along dimension 0"),
        Case("values", (normal(generator, rows, columns, scale=2), 1)),
        Case("values", (normal(generator, rows, columns, scale=2), 0)),
        Case("types", (normal(generator, 4, 3).double(), 1), "float64"),
        Case("shapes", (normal(generator, 1, columns), -1), "a batch of one, dim −1"),
        Case("shapes", (normal(generator, columns), 0), "one dimension"),
        Case("shapes", (normal(generator, rows, 5, 3), 1), "three dimensions, the middle one"),
        Case("shapes", (normal(generator, rows, 1), 1), "a single logit: all the probability"),
        Case("edge cases", (torch.tensor([[1000.0, 1001.0], [999.0, 1000.0]]), 1), "large logits"),
        Case("edge cases", (torch.tensor([[0.0, 1.0], [500.0, 501.0]]), 1), "rows at very different heights"),
        Case("edge cases", (torch.tensor([[0.0, 1000.0]]), 1), "very different logits in one row"),
        Case("edge cases", (torch.tensor([[-2000.0, 0.0, 0.0]]), -1), "one logit far below the others"),
    ]


SOFTMAX = Exercise(
    id="02.softmax",
    name="softmax",
    title="Softmax along a dimension",
    difficulty=3,
    points=6,
    minutes=15,
    cases=softmax_cases,
    reference=softmax,
    result="a tensor of the shape of z, floating point, that sums to 1 along dim",
    misconceptions=(
        Misconception(
            name="no shift",
            code="def softmax(z, dim):\n    e = torch.exp(z)\n    return e / e.sum(dim=dim, keepdim=True)",
            hint="Right for small logits. But the exponential of 1000 is inf, and inf/inf is NaN. Softmax "
            "does not change if the same number is subtracted from all logits of a row: choose one that "
            "makes the largest exponent 0.",
        ),
        Misconception(
            name="shifts by the largest number of the whole tensor",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.max())\n"
            "    return e / e.sum(dim=dim, keepdim=True)",
            hint="You subtract the largest number of the whole tensor. That prevents the overflow, but "
            "where another row lies hundreds lower all its exponentials become 0, and 0/0 is NaN. Each row "
            "needs its own largest number.",
        ),
        Misconception(
            name="divides by the sum over everything",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=dim, keepdim=True))\n"
            "    return e / e.sum()",
            hint="You divided by the sum over the whole tensor, so all the rows together sum to 1. Each row "
            "(along dim 0: each column) must sum to 1 by itself.",
        ),
        Misconception(
            name="always the last dimension",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=-1, keepdim=True))\n"
            "    return e / e.sum(dim=-1, keepdim=True)",
            hint="Your result sums to 1 along the last dimension whatever dim is. The dimension is an "
            "argument: use it in every place where you have written one down.",
        ),
        Misconception(
            name="always dimension 0",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=0, keepdim=True))\n"
            "    return e / e.sum(dim=0, keepdim=True)",
            hint="Your result sums to 1 along dimension 0, down the columns, whatever dim is. dim names the "
            "dimension that is summed over and disappears, and it is an argument.",
        ),
        Misconception(
            name="dimension lost by the sum",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=dim, keepdim=True))\n"
            "    return e / e.sum(dim=dim)",
            hint="Your sum drops the dimension it runs over. What is left is lined up with the last "
            "dimension of z, which is right for dim 0 by luck, wrong in a square and an error elsewhere. "
            "The sum must keep its place, with size 1.",
        ),
        Misconception(
            name="dimension lost by maximum and sum",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=dim))\n"
            "    return e / e.sum(dim=dim)",
            hint="Maximum and sum both drop the dimension they run over. What is left is lined up with the "
            "last dimension of z, which is right for dim 0 by luck, wrong in a square and an error "
            "elsewhere. Both must keep their place, with size 1.",
        ),
        Misconception(
            name="shift above the line only",
            code="def softmax(z, dim):\n"
            "    top = torch.exp(z - z.amax(dim=dim, keepdim=True))\n"
            "    return top / torch.exp(z).sum(dim=dim, keepdim=True)",
            hint="You subtracted the largest number above the fraction line, but not below. Softmax only "
            "stays the same if both are shifted: then the factor cancels.",
        ),
        Misconception(
            name="no exponential",
            code="def softmax(z, dim):\n    return z / z.sum(dim=dim, keepdim=True)",
            hint="You divided the logits themselves by their sum. Logits can be negative, and then so are "
            "your probabilities. The exponential makes them positive first.",
        ),
        Misconception(
            name="shifts by the mean",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.mean(dim=dim, keepdim=True))\n"
            "    return e / e.sum(dim=dim, keepdim=True)",
            hint="Subtracting a number from the whole row is right, but yours is not the largest (the mean, "
            "say, or the smallest). For 0 and 1000 the mean is 500, so the exponential still meets +500, "
            "which is inf, and inf/inf is NaN.",
        ),
        Misconception(
            name="dimension 1 written down",
            code="def softmax(z, dim):\n"
            "    e = torch.exp(z - z.amax(dim=1, keepdim=True))\n"
            "    return e / e.sum(dim=1, keepdim=True)",
            hint="You always go along dimension 1, whatever dim is; a tensor with one dimension has none of "
            "that number. The dimension is an argument: use it in every place where you have written one "
            "down.",
        ),
        Misconception(
            name="not divided by the sum",
            code="def softmax(z, dim):\n    return torch.exp(z - z.amax(dim=dim, keepdim=True))",
            hint="Your numbers do not sum to 1: the largest in each row is 1 already. The sizes are in the "
            "right proportion, but they have not been divided by their own sum (dividing by the largest "
            "is not enough).",
        ),
        Misconception(
            name="divided by the largest, without a shift",
            code="def softmax(z, dim):\n    e = torch.exp(z)\n    return e / e.amax(dim=dim, keepdim=True)",
            hint="The largest of each row becomes 1, so your rows sum to more than 1. What is to be 1 is the "
            "sum, so by what must you divide? Large logits overflow as well: the exponential of 1000 is "
            "inf.",
        ),
        Misconception(
            name="exponential only",
            code="def softmax(z, dim):\n    return torch.exp(z)",
            hint="You have made all numbers positive, which is the first step. They do not sum to 1 yet, and "
            "the exponential of 1000 is inf.",
        ),
        Misconception(
            name="no shift, and the dimension lost",
            code="def softmax(z, dim):\n    e = torch.exp(z)\n    return e / e.sum(dim=dim)",
            hint="Your sum drops the dimension it runs over, so what is left is lined up with the last "
            "dimension of z: the sum must keep its place, with size 1. When that is mended, look at large "
            "logits: the exponential of 1000 is inf.",
        ),
    ),
    hints=(
        "Three steps: make every number positive, add along one dimension, divide. Which of them fails for "
        "1000?",
        "Before the exponential subtract the largest number of each slice along dim; then no exponent is "
        "above 0, and the result is the same. Maximum and sum both run along dim and must keep it with size "
        "1, so that what they give lines up with z.",
    ),
    alternatives=(
        "def softmax(z, dim):\n    return torch.softmax(z, dim=dim)",
        "def softmax(z, dim):\n    return torch.exp(z - torch.logsumexp(z, dim=dim, keepdim=True))",
        "def softmax(z, dim):\n"
        "    e = (z - z.max(dim=dim, keepdim=True).values).exp_()\n"
        "    e /= e.sum(dim, keepdim=True)\n"
        "    return e",
        "def softmax(z, dim):\n"
        "    slices = z.unbind(dim)\n"
        "    largest = slices[0]\n"
        "    for s in slices[1:]:\n"
        "        largest = torch.maximum(largest, s)\n"
        "    powers = [torch.exp(s - largest) for s in slices]\n"
        "    total = sum(powers)\n"
        "    return torch.stack([p / total for p in powers], dim=dim)",
        "def softmax(z, dim):\n"
        "    a = z.double().numpy()\n"
        "    e = np.exp(a - a.max(axis=dim, keepdims=True))\n"
        "    return torch.from_numpy(e / e.sum(axis=dim, keepdims=True)).to(z.dtype)",
    ),
)


EXERCISES = (COLLAPSE, TANH_FROM_SIGMOID, LEAKY_RELU, SIGMOID_SLOPE, DEAD_FRACTION, SIGMOID, SOFTMAX)
