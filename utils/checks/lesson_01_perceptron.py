"""Exercises of lesson 01: a neuron, gates, the perceptron rule, XOR, the gradient of logistic regression.

Inputs of everything with a step are whole quarters: sums of such numbers are exact in float32, so that two
right answers cannot differ on which side of zero a sum falls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .common import whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked


def _quarters(generator: torch.Generator, *shape: int, largest: int = 4) -> torch.Tensor:
    """Multiples of 1/4 between −largest and largest, float32."""
    return torch.randint(-4 * largest, 4 * largest + 1, shape, generator=generator).float() / 4


# ------------------------------------------------------------------------------------------- neuron


def neuron(X: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """1 where X w + b >= 0, else 0, for each row of X (n, d); w is (d,), b is (); the result (n,), int64."""
    z = X @ w + b  # (n,)
    return (z >= 0).long()


def _neuron_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, n: int, d: int, note: str, scale: float = 1.0) -> Case:
        X, w, b = _quarters(generator, n, d), _quarters(generator, d), _quarters(generator)
        return Case(group, (scale * X, w, scale * b), note)

    X = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    w, b = torch.tensor([2.0, -1.0]), torch.tensor(-1.0)
    n, d = whole_number(generator, 5, 12), whole_number(generator, 3, 7)
    return [
        Case("types", (X, w, b), "the example, with its last row exactly on the line"),
        case("shapes", 1, 3, "a batch of one"),
        case("shapes", 5, 1, "one feature only"),
        case("shapes", 3, 3, "as many inputs as features"),
        case("values", n, d, f"{n} inputs with {d} features"),
        case("values", d, n, f"{d} inputs with {n} features"),
        case("edge cases", 6, 2, "very large numbers", scale=2.0**30),
        case("edge cases", 6, 2, "very small numbers", scale=2.0**-30),
        Case("edge cases", (X, torch.zeros(2), torch.tensor(0.0)), "no weights, no bias: z is 0 everywhere"),
        Case("edge cases", (X, torch.zeros(2), torch.tensor(-0.25)), "no weights: the bias alone decides"),
    ]


NEURON = Exercise(
    id="01.neuron",
    name="neuron",
    title="A neuron",
    difficulty=1,
    points=2,
    minutes=5,
    cases=_neuron_cases,
    reference=neuron,
    result="a tensor of shape (n,), int64",
    hints=(
        "Weigh, add, decide: first write z for one input by hand, then find the one product that does it "
        "for all rows of X at once.",
        "z is the product of the matrix X and the vector w, plus b: one number for each row. Then ask where "
        "z is at least 0. The answers True and False become 1 and 0 with `.long()`.",
    ),
    misconceptions=(
        Misconception(
            "forgets the bias",
            """
def neuron(X, w, b):
    return (X @ w >= 0).long()
""",
            "Your neuron does not use b: its line always goes through the origin. With no weights at all "
            "the bias alone should decide.",
        ),
        Misconception(
            "product not summed",
            """
def neuron(X, w, b):
    return (X * w + b >= 0).long()
""",
            "You weigh each feature, but you do not add up: `*` multiplies number by number, so you decide "
            "once for each feature. A neuron adds all its weighted features and decides once for each input.",
        ),
        Misconception(
            "0 at exactly zero",
            """
def neuron(X, w, b):
    return (X @ w + b > 0).long()
""",
            "Your neuron says 0 when z is exactly 0. Where the line itself belongs is a convention, and the "
            "one of this course is that it belongs to the ones.",
        ),
        Misconception(
            "adds up the whole batch",
            """
def neuron(X, w, b):
    return ((X * w).sum() + b >= 0).long()
""",
            "You add up all weighted features of all inputs and decide once for the whole batch. That is "
            "right for a single input; with several in the rows of X each row needs a sum of its own.",
        ),
        Misconception(
            "sums down the columns",
            """
def neuron(X, w, b):
    return ((X * w).sum(dim=0) + b >= 0).long()
""",
            "You add along the wrong dimension: down the columns, over the inputs. Each row of X is one "
            "input, and its features stand side by side.",
        ),
        Misconception(
            "returns z",
            """
def neuron(X, w, b):
    return X @ w + b
""",
            "You return the pre-activation z. The neuron has weighed and added, but it has not yet decided.",
        ),
        Misconception(
            "subtracts the bias",
            """
def neuron(X, w, b):
    return (X @ w - b >= 0).long()
""",
            "You subtract b, as if it were a threshold that the sum has to reach. A bias is added: a "
            "positive one speaks for 1. (A threshold is the negative of a bias.)",
        ),
        Misconception(
            "answers −1 and 1",
            """
def neuron(X, w, b):
    return torch.where(X @ w + b >= 0, 1, -1)
""",
            "Your neuron says −1 where it should say 0. Some books name the classes so; in this course they "
            "are 0 and 1, and the learning rule counts on it.",
        ),
        Misconception(
            "True and False",
            """
def neuron(X, w, b):
    return X @ w + b >= 0
""",
            "Your decisions are right, but they are True and False. Asked for are the whole numbers 1 and 0, "
            "with which the learning rule can compute: `.long()` makes them.",
        ),
        Misconception(
            "floats",
            """
def neuron(X, w, b):
    return (X @ w + b >= 0).float()
""",
            "Your decisions are right, but they are the floats 1.0 and 0.0. Classes are whole numbers in "
            "this course, as the labels are: `.long()` makes int64 of True and False.",
        ),
    ),
    alternatives=(
        """
def neuron(X, w, b):
    answers = []
    for x in X:
        z = b.item()
        for x_i, w_i in zip(x.tolist(), w.tolist()):
            z += x_i * w_i
        answers.append(1 if z >= 0 else 0)
    return torch.tensor(answers)
""",
        """
def neuron(X, w, b):
    z = (X.double() * w.double()).sum(dim=1) + b
    return torch.where(z >= 0, 1, 0)
""",
        """
def neuron(X, w, b):
    z = torch.nn.functional.linear(X, w[None, :], b[None]).squeeze(1)
    return torch.ge(z, 0).to(torch.int32)
""",
        """
def neuron(X, w, b):
    y_hat = torch.zeros(len(X), dtype=torch.int64)
    y_hat[torch.einsum("nd,d->n", X, w) >= -b] = 1
    return y_hat
""",
    ),
)

# -------------------------------------------------------------------------------------------- gates

_CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def gates() -> dict[str, tuple[float, float, float]]:
    """Weights (w1, w2, b) with which one neuron is AND, OR, NAND."""
    return {"AND": (1.0, 1.0, -1.5), "OR": (1.0, 1.0, -0.5), "NAND": (-1.0, -1.0, 1.5)}


def gate_answers(work: Callable, gate: str) -> torch.Tensor:
    """Probe: what the neuron with the work's weights for ``gate`` says on the four corners, (4,), int64.

    Any weights that do the job are right, so what is compared is what they do.

    Raises:
        NotAsAsked: if the work does not return a dict that has three numbers for the gate.
    """
    weights = work()
    if not isinstance(weights, dict):
        raise NotAsAsked(f"Your function should return a dict, but it returns {type(weights).__name__}.")
    if gate not in weights:
        names = ", ".join(repr(name) for name in weights) or "nothing"
        raise NotAsAsked(f"Your dict has no {gate!r}; it has {names}.")
    w1, w2, b = _three_numbers(gate, weights[gate])
    return torch.tensor([int(w1 * x1 + w2 * x2 + b >= 0) for x1, x2 in _CORNERS.tolist()])


def _three_numbers(gate: str, value: Any) -> tuple[float, float, float]:
    try:
        w1, w2, b = (float(number) for number in value)
    except (TypeError, ValueError):
        raise NotAsAsked(f"For {gate!r} there should be three numbers, (w1, w2, b).") from None
    return w1, w2, b


def _gates_cases(generator: torch.Generator) -> list[Case]:
    corners = "what your neuron says on (0, 0), (0, 1), (1, 0), (1, 1)"
    return [Case("values", (gate,), corners) for gate in ("AND", "OR", "NAND")]


GATES = Exercise(
    id="01.gates",
    name="gates",
    title="Weights for AND, OR and NAND",
    difficulty=1,
    points=2,
    minutes=10,
    cases=_gates_cases,
    reference=gates,
    probe=gate_answers,
    input_names=("gate",),
    result="a dict with 'AND', 'OR' and 'NAND', each three numbers (w1, w2, b)",
    hints=(
        "With both weights 1, w·x is 0, 1, 1 or 2 on the four corners (the bias comes on top). From which of "
        "these on should each gate say 1? The bias moves that point to zero.",
        "Put the switch halfway between two of them, so that no corner lies on the line: AND switches "
        "between 1 and 2, OR between 0 and 1. NAND says the opposite of AND on every corner: which change of "
        "all three numbers turns a neuron round?",
    ),
    misconceptions=(
        Misconception(
            "threshold instead of bias",
            """
def gates():
    return {"AND": (1, 1, 1.5), "OR": (1, 1, 0.5), "NAND": (-1, -1, -1.5)}
""",
            "Your AND and your OR always say 1, and your NAND never does. If you meant the third number as "
            "a threshold that the sum has to reach: the bias is added to the sum before it is compared with "
            "0, and so it has the other sign.",
        ),
        Misconception(
            "takes the edge for 0",
            """
def gates():
    return {"AND": (1, 1, -1), "OR": (1, 1, 0), "NAND": (-1, -1, 2)}
""",
            "Your AND says what OR should say, and your OR and your NAND always say 1: each opens one step "
            "too early. If your lines run exactly through some corners: our neuron says 1 where z is exactly "
            "0. Better still, let the line pass between the corners, then nobody needs to know.",
        ),
        Misconception(
            "AND opens too early",
            """
def gates():
    return {"AND": (1, 1, -0.5), "OR": (1, 1, -0.5), "NAND": (-1, -1, 1.5)}
""",
            "Your AND says 1 already when one of the two inputs is 1: it is an OR. Its sum has to reach more "
            "than a single weight can give.",
        ),
        Misconception(
            "AND and OR exchanged",
            """
def gates():
    return {"AND": (1, 1, -0.5), "OR": (1, 1, -1.5), "NAND": (-1, -1, 1.5)}
""",
            "Your AND is an OR, and your OR is an AND. AND is the stricter of the two: it needs both inputs.",
        ),
        Misconception(
            "OR needs both",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, -1.5), "NAND": (-1, -1, 1.5)}
""",
            "Your OR says 1 only when both inputs are 1: it is an AND. For OR a single weight must be "
            "enough to lift the sum to 0.",
        ),
        Misconception(
            "OR always on",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, 0), "NAND": (-1, -1, 1.5)}
""",
            "Your OR says 1 even when both inputs are 0. There z is the bias alone, so the bias must be "
            "below 0: at exactly 0 our neuron already says 1.",
        ),
        Misconception(
            "NAND turns only the weights",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, -0.5), "NAND": (-1, -1, -1.5)}
""",
            "Your NAND never says 1. Look at z at (0, 0) and at (1, 1): it should be at least 0 at the "
            "first and below 0 at the second. To turn an AND round, weights and bias must both be turned.",
        ),
        Misconception(
            "NAND turns only the bias",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, -0.5), "NAND": (1, 1, 1.5)}
""",
            "Your NAND always says 1. Look at z at (0, 0) and at (1, 1): it should be at least 0 at the "
            "first and below 0 at the second. To make a NAND of an AND, weights and bias must both be "
            "turned.",
        ),
        Misconception(
            "NOR for NAND",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, -0.5), "NAND": (-1, -1, 0.5)}
""",
            "Your NAND says 1 only when both inputs are 0: that is the opposite of OR. NAND is the opposite "
            "of AND, so it says 0 on one corner only.",
        ),
        Misconception(
            "bias first",
            """
def gates():
    return {"AND": (-1.5, 1, 1), "OR": (-0.5, 1, 1), "NAND": (1.5, -1, -1)}
""",
            "It looks as if you gave the bias first. The three numbers are asked for in the order w1, w2, b, "
            "so your bias would be taken for the weight of the first input.",
        ),
        Misconception(
            "AND always on",
            """
def gates():
    return {"AND": (1, 1, 1.5), "OR": (1, 1, -0.5), "NAND": (-1, -1, 1.5)}
""",
            "Your AND says 1 even when both inputs are 0. There z is the bias alone, so the bias must be "
            "below 0, and so far below that a single weight cannot lift it back.",
        ),
        Misconception(
            "AND and OR always on",
            """
def gates():
    return {"AND": (1, 1, 1.5), "OR": (1, 1, 0.5), "NAND": (-1, -1, 1.5)}
""",
            "Your AND and your OR say 1 even when both inputs are 0. There z is the bias alone: with a "
            "positive bias the neuron says 1 before any input has spoken.",
        ),
        Misconception(
            "NAND is AND",
            """
def gates():
    return {"AND": (1, 1, -1.5), "OR": (1, 1, -0.5), "NAND": (1, 1, -1.5)}
""",
            "Your NAND says on every corner what AND says. The N stands for 'not': it has to say the "
            "opposite on all four.",
        ),
    ),
    alternatives=(
        """
def gates():
    return {"AND": (2, 1, -3), "OR": [1, 1, -1], "NAND": (-2, -1, 2)}
""",
        """
def gates():
    AND = torch.tensor([10.0, 10.0, -15.0])
    return {"AND": AND, "OR": AND + torch.tensor([0.0, 0.0, 10.0]), "NAND": -AND}
""",
        """
def gates():
    answer = dict(AND=(1, 1, -2), OR=(3.0, 0.5, -0.25))
    w1, w2, b = 0.5, 0.75, -1.0
    answer["NAND"] = -w1, -w2, -b
    return answer
""",
    ),
)

# ------------------------------------------------------------------------------------------- update


def update(
    x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of the perceptron rule on one point x (d,) of class y (): the new w (d,) and b ()."""
    y_hat = (w @ x + b >= 0).long()
    error = y - y_hat  # 0, +1 or -1
    return w + error * x, b + error


def _update_case(group: str, x: list, y: int, w: list, b: float, note: str) -> Case:
    return Case(group, (torch.tensor(x), torch.tensor(y), torch.tensor(w), torch.tensor(b)), note)


def _update_cases(generator: torch.Generator) -> list[Case]:
    def random_case(group: str, d: int, wrong: bool, scale: float = 1.0) -> Case:
        x, w, b = scale * _quarters(generator, d), scale * _quarters(generator, d), _quarters(generator)
        says = int(w.double() @ x.double() + b >= 0)
        words = "a mistake" if wrong else "the neuron is right"
        return Case(group, (x, torch.tensor(1 - says if wrong else says), w, b), f"{d} features; {words}")

    return [
        _update_case("types", [0.0, 1.0], 1, [1.0, 0.0], -1.0, "the example: it said 0 and should say 1"),
        _update_case("values", [2.0, 1.0], 0, [1.0, 0.5], -1.0, "it said 1 and should say 0"),
        _update_case("values", [2.0, 1.0], 1, [1.0, 0.5], -1.0, "it is right, and the class is 1"),
        _update_case("values", [-2.0, 1.0], 0, [1.0, 0.5], -1.0, "it is right, and the class is 0"),
        _update_case("values", [1.0, 2.0], 0, [1.0, 1.0], -4.0, "it is right, but only thanks to the bias"),
        _update_case("edge cases", [1.0, 2.0], 0, [2.0, -1.0], 0.0, "z is exactly 0, so it said 1"),
        _update_case(
            "edge cases", [1.0, 2.0], 1, [2.0, -1.0], 0.0, "z is exactly 0, so it said 1 and is right"
        ),
        _update_case("edge cases", [0.0, 0.0], 1, [1.0, 1.0], -1.0, "the origin: only the bias can move"),
        random_case("shapes", 1, True),
        random_case("shapes", whole_number(generator, 3, 7), True),
        random_case("shapes", whole_number(generator, 3, 7), False),
        random_case("edge cases", 3, True, scale=2.0**10),
    ]


UPDATE = Exercise(
    id="01.update",
    name="update",
    title="One step of the perceptron rule",
    difficulty=1,
    points=2,
    minutes=10,
    cases=_update_cases,
    reference=update,
    output_names=("w", "b"),
    result="two tensors (w, b), of shapes (d,) and ()",
    hints=(
        "First let the neuron answer. Then compare its answer with y. What should happen if they are equal?",
        "The error y − y_hat is 0, +1 or −1. Multiplied with x it is what has to be added to w; the bias "
        "gets the same error, as if it were the weight of an input that is always 1.",
    ),
    misconceptions=(
        Misconception(
            "updates on correct points",
            """
def update(x, y, w, b):
    direction = 2 * y - 1
    return w + direction * x, b + direction
""",
            "You push for every point, also where the neuron is right already. The perceptron learns from "
            "mistakes only: without one, nothing changes.",
        ),
        Misconception(
            "wrong sign",
            """
def update(x, y, w, b):
    y_hat = (w @ x + b >= 0).long()
    error = y_hat - y
    return w + error * x, b + error
""",
            "You push the wrong way: after your step the neuron is further from the right answer than "
            "before. Look at one mistake: it said 0 and should say 1, so z has to grow.",
        ),
        Misconception(
            "forgets the bias",
            """
def update(x, y, w, b):
    error = y - (w @ x + b >= 0).long()
    return w + error * x, b
""",
            "Your weights learn, but the bias never moves. Then z always keeps the same constant, and at the "
            "origin, where x is 0, nothing could ever be learned.",
        ),
        Misconception(
            "answers without the bias",
            """
def update(x, y, w, b):
    error = y - (w @ x >= 0).long()
    return w + error * x, b + error
""",
            "You ask the neuron without its bias, so you see mistakes where there are none and miss some "
            "that are there.",
        ),
        Misconception(
            "only ever adds",
            """
def update(x, y, w, b):
    y_hat = (w @ x + b >= 0).long()
    if y_hat != y:
        return w + x, b + 1
    return w, b
""",
            "You add the point on every mistake. Where the neuron said 1 and should have said 0, z is too "
            "large and has to shrink.",
        ),
        Misconception(
            "adds every point of class 1",
            """
def update(x, y, w, b):
    return w + y * x, b + y
""",
            "You use the class y itself where the error belongs. So points of class 1 push always, even "
            "when they are right, and points of class 0 never push at all.",
        ),
        Misconception(
            "0 at exactly zero",
            """
def update(x, y, w, b):
    error = y - (w @ x + b > 0).long()
    return w + error * x, b + error
""",
            "At z = 0 your neuron says 0. In this course it says 1 there, which decides whether such a "
            "point is a mistake.",
        ),
        Misconception(
            "error without the step",
            """
def update(x, y, w, b):
    error = y - (w @ x + b)
    return w + error * x, b + error
""",
            "You compare y with the pre-activation z instead of with the neuron's answer. Then even a point "
            "that is right pushes, unless z happens to equal its class. (That is another rule, the one of "
            "the Adaline of 1960.)",
        ),
        Misconception(
            "returns only w",
            """
def update(x, y, w, b):
    error = y - (w @ x + b >= 0).long()
    return w + error * x
""",
            "You return the weights alone. Whoever calls this needs the new bias too: return both, w first.",
        ),
        Misconception(
            "error without the input",
            """
def update(x, y, w, b):
    error = y - (w @ x + b >= 0).long()
    return w + error, b + error
""",
            "You add the bare error to every weight. Each weight has its own input, and it is changed by as "
            "much as that input had to say: where the input was 0 the weight had no part in the mistake.",
        ),
        Misconception(
            "bias times itself",
            """
def update(x, y, w, b):
    error = y - (w @ x + b >= 0).long()
    return w + error * x, b + error * b
""",
            "Your weights are right, but you change the bias by the error times the bias itself. A bias of 0 "
            "would stay 0 for ever. The bias is the weight of an input that is always 1, so what is the "
            "error multiplied with?",
        ),
    ),
    alternatives=(
        """
def update(x, y, w, b):
    y_hat = 1 if (w * x).sum() + b >= 0 else 0
    if y_hat == y:
        return w, b
    if y == 1:
        return w + x, b + 1
    return w - x, b - 1
""",
        """
def update(x, y, w, b):
    w, b = w.clone(), b.clone()
    error = float(y) - float(torch.dot(w, x) + b >= 0)
    w += error * x
    b += error
    return w, b
""",
        """
def update(x, y, w, b):
    z = b.item()
    for i in range(len(x)):
        z += w[i].item() * x[i].item()
    error = y.item() - int(z >= 0)
    return torch.tensor([w[i].item() + error * x[i].item() for i in range(len(x))]), b + error
""",
        """
def update(x, y, w, b):
    x1 = torch.cat([x, torch.ones(1)]).double()
    v = torch.cat([w, b[None]]).double()
    v = v + (y - (v @ x1 >= 0).long()) * x1
    return v[:-1], v[-1]
""",
    ),
)

# -------------------------------------------------------------------------------------------- train


def train(X: torch.Tensor, y: torch.Tensor, max_epochs: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """The perceptron rule over X (n, d) with classes y (n,): w (d,), b () and the number of mistakes."""
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for _ in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y, strict=True):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes


def _separable(generator: torch.Generator, n: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points in whole quarters and the classes that some line gives them, both classes among them."""
    X = _quarters(generator, n, d, largest=2)
    v = torch.randint(1, 4, (d,), generator=generator).float()
    s = X @ v
    return X, (s >= s.median() + 0.125).long()  # the median itself is of class 0, so one class-0 point exists


def _train_cases(generator: torch.Generator) -> list[Case]:
    gate_and, gate_xor = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 0])
    d = whole_number(generator, 2, 4)
    X_1, y_1 = _separable(generator, 7, 1)
    X_d, y_d = _separable(generator, 9, d)
    far, y_far = _separable(generator, 6, 2)
    two_points = torch.tensor([[1.0], [-1.0]])
    return [
        Case("types", (two_points, torch.tensor([0, 1]), 10), "the example"),
        Case("values", (_CORNERS, gate_and, 100), "AND"),
        Case("values", (_CORNERS, gate_and, 3), "AND, but only three epochs"),
        Case("values", (_CORNERS, gate_xor, 12), "XOR: no line separates it, so it must end at max_epochs"),
        Case("values", (_CORNERS, torch.tensor([0, 1, 1, 1]), 100), "OR"),
        Case("shapes", (X_1, y_1, 15), "one feature only"),
        Case("shapes", (X_d, y_d, 8), f"{d} features, in some order"),
        Case("shapes", (torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([0]), 50), "one point only"),
        Case(
            "edge cases",
            (_CORNERS, torch.tensor([1, 1, 1, 1]), 20),
            "all of class 1: no mistake from the start",
        ),
        Case("edge cases", (1024 * far, y_far, 5), "points far away"),
    ]


TRAIN = Exercise(
    id="01.train",
    name="train",
    title="The perceptron's learning loop",
    difficulty=2,
    points=4,
    minutes=15,
    cases=_train_cases,
    reference=train,
    output_names=("w", "b", "number of mistakes"),
    result="(w, b, mistakes): a tensor of shape (d,), one of shape (), a whole number",
    hints=(
        "Two loops, one inside the other: epochs outside, points inside. Which of your variables begin anew "
        "with each epoch, and which live through all of them?",
        "Set w, b and the count of all mistakes once, before both loops. In each epoch count its own "
        "mistakes as well; after the last point of the epoch, stop if there were none. A point is a mistake "
        "when the neuron's answer differs from its class; only then change w and b.",
    ),
    misconceptions=(
        Misconception(
            "stops after one epoch",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for x_i, y_i in zip(X, y):
        error = y_i - (w @ x_i + b >= 0).long()
        if error != 0:
            w, b = w + error * x_i, b + error
            mistakes += 1
    return w, b, mistakes
""",
            "You go through the points only once. An update that mends one point may spoil another, so the "
            "rule has to come back to all of them, until an epoch passes without a mistake.",
        ),
        Misconception(
            "counts points instead of mistakes",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    count = 0
    for epoch in range(max_epochs):
        changed = False
        for x_i, y_i in zip(X, y):
            count += 1
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                changed = True
        if not changed:
            break
    return w, b, count
""",
            "The weights are right, but your count grows with every point that is looked at. Only the "
            "points on which the neuron was wrong are mistakes.",
        ),
        Misconception(
            "counts epochs instead of mistakes",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    count = 0
    for epoch in range(max_epochs):
        changed = False
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                changed = True
        if not changed:
            break
        count += 1
    return w, b, count
""",
            "The weights are right, but you count the epochs that had a mistake. One epoch can have many: "
            "each update counts.",
        ),
        Misconception(
            "counts the last epoch only",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for epoch in range(max_epochs):
        mistakes = 0
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == 0:
            break
    return w, b, mistakes
""",
            "The weights are right, but your count begins anew in each epoch, so what you return is that of "
            "the last one: 0 whenever the rule has finished. Asked for are the mistakes of all epochs "
            "together.",
        ),
        Misconception(
            "stops at the first point that is right",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error == 0:
                return w, b, mistakes
            w, b = w + error * x_i, b + error
            mistakes += 1
    return w, b, mistakes
""",
            "You stop as soon as one point is right. One right answer says nothing about the other points: "
            "only a whole epoch without a mistake does.",
        ),
        Misconception(
            "begins anew in each epoch",
            """
def train(X, y, max_epochs):
    mistakes = 0
    for epoch in range(max_epochs):
        w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
        before = mistakes
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "You set the weights back to zero at the beginning of each epoch, so every epoch repeats the "
            "first and nothing is ever learned from it. What was learned has to live through all epochs.",
        ),
        Misconception(
            "forgets the bias",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w = w + error * x_i
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "The bias stays at zero: your update changes the weights only. A line that must go through the "
            "origin cannot even learn AND.",
        ),
        Misconception(
            "updates on correct points",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y):
            if (w @ x_i + b >= 0).long() != y_i:
                mistakes += 1
            w, b = w + (2 * y_i - 1) * x_i, b + (2 * y_i - 1)
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "You push for every point, also where the neuron is right. Then the weights go on changing after "
            "all is right: the rule changes something only on a mistake.",
        ),
        Misconception(
            "wrong sign",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y):
            error = (w @ x_i + b >= 0).long() - y_i
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "You push the wrong way, so every update makes its own point worse. Where the neuron said 0 and "
            "should say 1, z has to grow.",
        ),
        Misconception(
            "updates once for the whole epoch",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        error = y - (X @ w + b >= 0).long()
        if not error.any():
            break
        mistakes += int(error.abs().sum())
        w, b = w + error.float() @ X, b + error.sum()
    return w, b, mistakes
""",
            "You let the neuron answer for all points with the same weights and update once for all of "
            "them. In the perceptron rule each point meets the weights as the point before it has left "
            "them.",
        ),
        Misconception(
            "0 at exactly zero",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b > 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "At z = 0 your neuron says 0; in this course it says 1. With zero weights z is 0 on every "
            "point, so this decides the very first update.",
        ),
        Misconception(
            "a list of mistakes",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = []
    for epoch in range(max_epochs):
        wrong = 0
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                wrong += 1
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes
""",
            "You return a list with the mistakes of each epoch. It is good for a picture; asked for here is "
            "one whole number, the mistakes of all epochs together.",
        ),
        Misconception(
            "returns the number of epochs",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    epochs = 0
    for epoch in range(max_epochs):
        wrong = 0
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                wrong += 1
        epochs += 1
        if wrong == 0:
            break
    return w, b, epochs
""",
            "The weights are right, but your third value is how many epochs it took. Asked for is the number "
            "of mistakes: one for each update.",
        ),
        Misconception(
            "returns only w and b",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for epoch in range(max_epochs):
        wrong = 0
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                wrong += 1
        if wrong == 0:
            break
    return w, b
""",
            "The weights and the bias are right, but the third value is missing: the number of all mistakes.",
        ),
        Misconception(
            "a mistake is when w changed",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        before = mistakes
        for x_i, y_i in zip(X, y):
            old = w
            error = y_i - (w @ x_i + b >= 0).long()
            w, b = w + error * x_i, b + error
            if not torch.equal(w, old):
                mistakes += 1
        if mistakes == before:
            break
    return w, b, mistakes
""",
            "You take it for a mistake when w has changed. At the origin, where x is 0, a mistake changes "
            "the bias only, so yours goes uncounted. Look at the error itself: is it 0?",
        ),
        Misconception(
            "adds up errors with their signs",
            """
def train(X, y, max_epochs):
    w, b = torch.zeros(X.shape[1]), torch.tensor(0.0)
    mistakes = 0
    for epoch in range(max_epochs):
        changed = False
        for x_i, y_i in zip(X, y):
            error = y_i - (w @ x_i + b >= 0).long()
            if error != 0:
                w, b = w + error * x_i, b + error
                mistakes += int(error)
                changed = True
        if not changed:
            break
    return w, b, mistakes
""",
            "The weights are right, but you add up the errors with their signs: +1 and −1 cancel. Each "
            "mistake counts as one, whichever way it pushes.",
        ),
    ),
    alternatives=(
        """
def train(X, y, max_epochs):
    w, b, mistakes = torch.zeros(X.shape[1]), torch.zeros(()), 0
    for _ in range(max_epochs):
        clean = True
        for i in range(len(X)):
            y_hat = 1 if torch.dot(w, X[i]) + b >= 0 else 0
            if y_hat < y[i]:
                w += X[i]
                b += 1
            elif y_hat > y[i]:
                w -= X[i]
                b -= 1
            else:
                continue
            clean = False
            mistakes += 1
        if clean:
            return w, b, mistakes
    return w, b, mistakes
""",
        """
def train(X, y, max_epochs):
    X1 = torch.cat([X, torch.ones(len(X), 1)], dim=1).double()
    v = torch.zeros(X1.shape[1], dtype=torch.float64)
    total = torch.tensor(0)
    epoch, errors = 0, 1
    while errors > 0 and epoch < max_epochs:
        errors = 0
        for x, t in zip(X1, y):
            e = t - (v @ x >= 0).long()
            v = v + e * x
            errors += int(e.abs())
        total += errors
        epoch += 1
    return v[:-1], v[-1], total
""",
        """
def train(X, y, max_epochs):
    points, classes = X.tolist(), y.tolist()
    w, b, mistakes = [0.0] * len(points[0]), 0.0, 0
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(points, classes):
            error = t - int(sum(p * q for p, q in zip(w, x)) + b >= 0)
            w = [p + error * q for p, q in zip(w, x)]
            b += error
            wrong += error != 0
        mistakes += wrong
        if wrong == 0:
            break
    return torch.tensor(w), torch.tensor(b), mistakes
""",
    ),
)

# ---------------------------------------------------------------------------------------------- xor


def gate(x1: torch.Tensor, x2: torch.Tensor, w1: float, w2: float, b: float) -> torch.Tensor:
    """One neuron with two inputs of any equal shape: 1 where w1·x1 + w2·x2 + b >= 0, else 0 (int64)."""
    return (w1 * x1 + w2 * x2 + b >= 0).long()


def xor(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    """1 where exactly one of x1, x2 is 1, else 0 (int64), out of three neurons."""
    either = gate(x1, x2, 1, 1, -0.5)  # OR
    not_both = gate(x1, x2, -1, -1, 1.5)  # NAND
    return gate(either, not_both, 1, 1, -1.5)  # AND


def _xor_cases(generator: torch.Generator) -> list[Case]:
    def random_case(group: str, *shape: int, note: str) -> Case:
        bits = torch.randint(0, 2, (2, *shape), generator=generator)
        return Case(group, (bits[0], bits[1]), note)

    x1, x2 = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    n, rows = whole_number(generator, 5, 15), whole_number(generator, 2, 4)
    return [
        Case("types", (x1, x2), "the four corners"),
        Case("shapes", (torch.tensor([1]), torch.tensor([0])), "a batch of one"),
        Case("shapes", (torch.tensor(1), torch.tensor(1)), "two single numbers"),
        random_case("shapes", rows, 5, note=f"a table of {rows} by 5"),
        random_case("values", n, note=f"{n} pairs"),
        Case(
            "edge cases", (torch.zeros(6, dtype=torch.int64), x1.repeat(2)[:6]), "the first input is always 0"
        ),
        Case(
            "edge cases", (torch.ones(6, dtype=torch.int64), x1.repeat(2)[:6]), "the first input is always 1"
        ),
    ]


def _xor_wrong(body: str) -> str:
    """Source of a wrong xor with the given body lines."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return f"def xor(x1, x2):\n{lines}"


_ONE_NEURON = (
    "One neuron draws one line, and none separates XOR: 3 of the 4 corners are the best it can do. If you do "
    "use three, write down what each of them says on the four corners."
)

XOR = Exercise(
    id="01.xor",
    name="xor",
    title="XOR out of gates",
    difficulty=2,
    points=4,
    minutes=10,
    cases=_xor_cases,
    reference=xor,
    given={"gate": gate},
    result="a tensor of the inputs' shape, int64",
    hints=(
        'Say it in words: "at least one of them, **and not** both". Which gate is "at least one"? Which is '
        '"not both"? Which joins the two?',
        "Two neurons look at x1 and x2: an OR and a NAND. Write down what each says on the four corners. "
        "The third neuron does not look at x1 and x2 at all: its inputs are the answers of the first two.",
    ),
    misconceptions=(
        Misconception(
            "one neuron: OR",
            _xor_wrong("return gate(x1, x2, 1, 1, -0.5)"),
            f"Your answers are those of OR, wrong where both inputs are 1. {_ONE_NEURON}",
        ),
        Misconception(
            "one neuron: NAND",
            _xor_wrong("return gate(x1, x2, -1, -1, 1.5)"),
            f"Your answers are those of NAND, wrong where both inputs are 0. {_ONE_NEURON}",
        ),
        Misconception(
            "one neuron: x1 and not x2",
            _xor_wrong("return gate(x1, x2, 1, -1, -0.5)"),
            f"Your answer is 1 only for x1 = 1, x2 = 0; the other way round is missing. {_ONE_NEURON}",
        ),
        Misconception(
            "one neuron: x2 and not x1",
            _xor_wrong("return gate(x1, x2, -1, 1, -0.5)"),
            f"Your answer is 1 only for x1 = 0, x2 = 1; the other way round is missing. {_ONE_NEURON}",
        ),
        Misconception(
            "joined by OR",
            _xor_wrong(
                """
either = gate(x1, x2, 1, 1, -0.5)
not_both = gate(x1, x2, -1, -1, 1.5)
return gate(either, not_both, 1, 1, -0.5)
"""
            ),
            "Your answer is always 1. If you join an OR and a NAND with another OR: on every corner at least "
            "one of them is 1, so that gives nothing new. Both of them have to agree.",
        ),
        Misconception(
            "joined by NAND",
            _xor_wrong(
                """
either = gate(x1, x2, 1, 1, -0.5)
not_both = gate(x1, x2, -1, -1, 1.5)
return gate(either, not_both, -1, -1, 1.5)
"""
            ),
            "Your answers are the opposite of XOR: 1 where both inputs are equal. The pieces may well be "
            "good; look at what the last neuron makes of them.",
        ),
        Misconception(
            "AND where NAND belongs",
            _xor_wrong(
                """
either = gate(x1, x2, 1, 1, -0.5)
both = gate(x1, x2, 1, 1, -1.5)
return gate(either, both, 1, 1, -1.5)
"""
            ),
            "Your answers are those of AND: 1 only where both inputs are 1, the very corner on which XOR is "
            "0. XOR is 'at least one' joined with '**not** both'.",
        ),
        Misconception(
            "never fires",
            _xor_wrong(
                """
either = gate(x1, x2, 1, 1, -0.5)
neither = gate(x1, x2, -1, -1, 0.5)
return gate(either, neither, 1, 1, -1.5)
"""
            ),
            "Your answer is always 0. Write down what your first two neurons say on the four corners: either "
            "one of them never says 1, or they never say together what the last one waits for.",
        ),
    ),
    alternatives=(
        """
def xor(x1, x2):
    only_first = gate(x1, x2, 1, -1, -0.5)
    only_second = gate(x1, x2, -1, 1, -0.5)
    return gate(only_first, only_second, 1, 1, -0.5)
""",
        """
def xor(x1, x2):
    both = gate(x1, x2, 1, 1, -1.5)
    return (x1 + x2 - 2 * both >= 0.5).long()
""",
        """
def xor(x1, x2):
    return x1 ^ x2
""",
        """
def xor(x1, x2):
    answer = torch.zeros_like(x1)
    answer[x1 != x2] = 1
    return answer
""",
    ),
)

# ------------------------------------------------------------------------------- logistic_gradient


def logistic_gradient(
    X: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient of the mean binary cross-entropy at w (d,), b () on X (n, d), y (n,): (grad_w, grad_b)."""
    p = torch.sigmoid(X @ w + b)  # (n,)
    error = p - y  # (n,)
    return X.T @ error / len(X), error.mean()


def _logistic_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, n: int, d: int, note: str) -> Case:
        X = torch.randn(n, d, generator=generator)
        y = (torch.arange(n) % 2)[torch.randperm(n, generator=generator)]
        w = torch.randn(d, generator=generator)
        b = 0.5 + torch.rand((), generator=generator)  # never near 0, where a forgotten bias would not show
        return Case(group, (X, y, w, b), note)

    X = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    n, d = whole_number(generator, 6, 12), whole_number(generator, 3, 5)
    sure = torch.tensor([[30.0, 0.0], [-30.0, 0.0], [-40.0, 1.0]])
    return [
        Case("types", (X, torch.tensor([1, 1]), torch.zeros(2), torch.tensor(0.0)), "the example"),
        case("shapes", 1, 3, "a batch of one"),
        case("shapes", 5, 1, "one feature only"),
        case("shapes", 4, 4, "as many points as features"),
        case("values", n, d, f"{n} points with {d} features"),
        case("values", 7, 2, "seven points with two features"),
        Case(
            "edge cases",
            (sure, torch.tensor([1, 0, 1]), torch.tensor([1.0, 0.0]), torch.tensor(0.5)),
            "very sure: right twice, wrong once",
        ),
    ]


LOGISTIC_GRADIENT = Exercise(
    id="01.logistic_gradient",
    name="logistic_gradient",
    title="The gradient of logistic regression",
    difficulty=2,
    points=4,
    minutes=15,
    cases=_logistic_cases,
    reference=logistic_gradient,
    output_names=("grad_w", "grad_b"),
    result="two tensors (grad_w, grad_b), of shapes (d,) and ()",
    hints=(
        "First p, one probability for each point; then the errors p − y. Write down the shape of each. "
        "grad_b is already nearly there.",
        "grad_b is the mean of the errors. For grad_w each row of X is weighted by its error, and the mean "
        "is taken over the points: the product of X transposed with the errors does weighing and adding at "
        "once, then divide by n.",
    ),
    misconceptions=(
        Misconception(
            "sum for mean",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X.T @ error, error.sum()
""",
            "You add up over the points, but the loss is a mean. With a sum the gradient grows with the "
            "number of points, and a learning rate that suits 100 points would overshoot with 10,000.",
        ),
        Misconception(
            "sum for mean, in grad_w",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X.T @ error, error.mean()
""",
            "Your grad_b is a mean over the points, but your grad_w is a sum: the product of X transposed "
            "with the errors adds up and does not divide.",
        ),
        Misconception(
            "sum for mean, in grad_b",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X.T @ error / len(X), error.sum()
""",
            "Your grad_w is a mean over the points, but your grad_b is a sum.",
        ),
        Misconception(
            "wrong sign",
            """
def logistic_gradient(X, y, w, b):
    error = y - torch.sigmoid(X @ w + b)
    return X.T @ error / len(X), error.mean()
""",
            "Your gradient points downhill. It is the direction of the push, y − p, as in the perceptron "
            "rule; the gradient points uphill, and gradient descent then walks against it.",
        ),
        Misconception(
            "gradient for b missing",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X.T @ error / len(X)
""",
            "You return grad_w only. The bias is learned too, and has a slope of its own: return both, "
            "grad_w first.",
        ),
        Misconception(
            "gradient for b zero",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X.T @ error / len(X), torch.tensor(0.0)
""",
            "Your grad_b is always 0, as if the loss did not depend on the bias. b is added to z of every "
            "point, so moving it moves every probability.",
        ),
        Misconception(
            "step for sigmoid",
            """
def logistic_gradient(X, y, w, b):
    error = (X @ w + b >= 0).float() - y
    return X.T @ error / len(X), error.mean()
""",
            "You still decide with the step: your errors are 0, 1 or −1 and nothing between. The neuron of "
            "this section gives a probability, and the error is how far it is from the class.",
        ),
        Misconception(
            "no activation",
            """
def logistic_gradient(X, y, w, b):
    error = X @ w + b - y
    return X.T @ error / len(X), error.mean()
""",
            "You compare the pre-activation z with the class. z can be any number; the sigmoid has to make "
            "a probability of it first. (Without it, this is the gradient of a straight-line fit.)",
        ),
        Misconception(
            "forgets the bias",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w) - y
    return X.T @ error / len(X), error.mean()
""",
            "Your probabilities are computed without b.",
        ),
        Misconception(
            "the sigmoid's slope left in",
            """
def logistic_gradient(X, y, w, b):
    p = torch.sigmoid(X @ w + b)
    error = (p - y) * p * (1 - p)
    return X.T @ error / len(X), error.mean()
""",
            "You multiplied by the sigmoid's slope p (1 − p). That belongs to the squared error; in binary "
            "cross-entropy it cancels against the slope of the logarithm, which is why a neuron that is "
            "surely wrong still learns.",
        ),
        Misconception(
            "mean over the features too",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return (error[:, None] * X).mean(), error.mean()
""",
            "Your grad_w is a single number: the mean ran over the features as well as over the points. "
            "Each weight needs its own slope, so only the dimension of the points goes.",
        ),
        Misconception(
            "points not averaged",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return error[:, None] * X, error
""",
            "You return one gradient for each point. The loss is the mean over the points, and so is its "
            "gradient.",
        ),
        Misconception(
            "the minus in the exponent lost",
            """
def logistic_gradient(X, y, w, b):
    p = 1 / (1 + torch.exp(X @ w + b))
    error = p - y
    return X.T @ error / len(X), error.mean()
""",
            "Your p is the probability of the other class: it falls where z grows. Look at the sign in the "
            "exponent of the sigmoid.",
        ),
        Misconception(
            "brackets round the denominator lost",
            """
def logistic_gradient(X, y, w, b):
    p = 1 / 1 + torch.exp(-(X @ w + b))
    error = p - y
    return X.T @ error / len(X), error.mean()
""",
            "Your p is not a probability: at z = 0 it is 2. Python divides before it adds, so of the "
            "sigmoid's denominator only the first 1 stands below the fraction line.",
        ),
        Misconception(
            "returns the weights after a step",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    grad_w, grad_b = X.T @ error / len(X), error.mean()
    return w - grad_w, b - grad_b
""",
            "You have subtracted the gradient from w and b already: that is a step of gradient descent with "
            "learning rate 1. Asked for is the gradient alone; what to do with it is for the caller to "
            "decide.",
        ),
        Misconception(
            "divides by the number of features",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    n = X.shape[1]
    return X.T @ error / n, error.mean()
""",
            "Your grad_w is divided by the number of features. X has shape (n, d): the mean runs over the "
            "points, and n is the first of the two sizes.",
        ),
        Misconception(
            "errors lined up with the features",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    weighted = error * X
    return weighted.mean(dim=0), error.mean()
""",
            "You multiply the errors, of shape (n,), with X, of shape (n, d), as they are. torch lines "
            "shapes up from the right, so each error meets a feature instead of its own point: right only by "
            "luck, an error where n and d differ. The errors have to become a column.",
        ),
        Misconception(
            "X not transposed",
            """
def logistic_gradient(X, y, w, b):
    error = torch.sigmoid(X @ w + b) - y
    return X @ error / len(X), error.mean()
""",
            "You multiply X with the errors as it stands. That runs along the features of each point, and "
            "fails unless n and d happen to be equal; each weight needs the sum down its own column, over "
            "the points.",
        ),
    ),
    alternatives=(
        """
def logistic_gradient(X, y, w, b):
    p = 1 / (1 + torch.exp(-(X @ w + b)))
    error = p - y
    return (error[:, None] * X).mean(dim=0), error.sum() / len(y)
""",
        """
def logistic_gradient(X, y, w, b):
    grad_w, grad_b = torch.zeros_like(w), torch.tensor(0.0)
    for x_i, y_i in zip(X, y):
        error = torch.sigmoid(w @ x_i + b) - y_i
        grad_w += error * x_i / len(X)
        grad_b += error / len(X)
    return grad_w, grad_b
""",
        """
def logistic_gradient(X, y, w, b):
    w, b = w.clone().requires_grad_(), b.clone().requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(X @ w + b, y.float())
    loss.backward()
    return w.grad, b.grad
""",
        """
def logistic_gradient(X, y, w, b):
    X, y = X.double(), y.double()
    error = torch.special.expit(torch.mv(X, w.double()) + b) - y
    return torch.einsum("n,nd->d", error, X) / X.shape[0], error.mean().item()
""",
    ),
)

EXERCISES = (NEURON, GATES, UPDATE, TRAIN, XOR, LOGISTIC_GRADIENT)
