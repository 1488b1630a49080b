"""The exercises of lesson 03 as data: the broadcasting rule, and what to build and what to refuse with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from .common import normal, trainable_loss, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked, Stopped

# ------------------------------------------------------------------------------ 03.broadcast_shape


def broadcast_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that two shapes broadcast to; ValueError if they do not fit."""
    shape = []
    for m, n in zip_longest(reversed(a), reversed(b), fillvalue=1):
        if m != n and m != 1 and n != 1:
            raise ValueError(f"{m} meets {n}")
        shape.append(n if m == 1 else m)
    return tuple(reversed(shape))


def broadcast_shape_cases(generator: torch.Generator) -> list[Case]:
    """Pairs that fit, pairs that do not, fewer axes on either side, and the two odd sizes 1 and 0."""
    n, m = whole_number(generator, 2, 5), whole_number(generator, 6, 9)

    def fitting() -> tuple[tuple[int, ...], tuple[int, ...]]:
        whole = [whole_number(generator, 2, 6) for _ in range(whole_number(generator, 2, 5))]
        a, b = ([1 if whole_number(generator, 0, 2) == 0 else s for s in whole] for _ in range(2))
        return tuple(a[whole_number(generator, 0, 1) :]), tuple(b)

    return [
        Case("values", ((3, 1), (4,)), "the example of the statement"),
        Case("values", ((5, 1, 4), (3, 1)), "both stretch"),
        Case("values", ((n, m), (n, m)), "equal shapes"),
        Case("values", ((n, m), (1, m)), "the second stretches"),
        Case("values", ((m,), (n, 1, 1)), "the first has fewer axes"),
        Case("values", fitting()),
        Case("values", fitting()),
        Case("edge cases", ((3,), (4,)), "3 meets 4: does not fit"),
        Case("edge cases", ((2 * n, m), (n, m)), "one size is a multiple of the other: does not fit"),
        Case("edge cases", ((n, n + 1), (n,)), "aligned from the right, the first axes do not meet"),
        Case("edge cases", ((2, m, 3), (n, 3)), "an axis in the middle does not fit"),
        Case("edge cases", ((), (n, m)), "a single number: no axes at all"),
        Case("edge cases", ((), ()), "two single numbers"),
        Case("edge cases", ((n, 1), (n, 0)), "1 meets 0"),
        Case("edge cases", ((0,), (n, 0)), "0 meets 0, which fits"),
        Case("edge cases", ((0,), (n,)), "0 meets a size that is not 1: does not fit"),
    ]


BROADCAST_SHAPE = Exercise(
    id="03.broadcast_shape",
    name="broadcast_shape",
    title="The rule itself",
    difficulty=2,
    points=4,
    minutes=15,
    cases=broadcast_shape_cases,
    reference=broadcast_shape,
    result="a tuple of whole numbers",
    misconceptions=(
        Misconception(
            "aligns on the left",
            """
def broadcast_shape(a, b):
    shape = []
    for i in range(max(len(a), len(b))):
        m = a[i] if i < len(a) else 1
        n = b[i] if i < len(b) else 1
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(n if m == 1 else m)
    return tuple(shape)
""",
            "You compare the shapes from the left, and fill up the shorter one on its right. Shapes are "
            "aligned from the right: it is the last axes that meet, and the missing ones are added in front.",
        ),
        Misconception(
            "allows unequal sizes",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    return tuple(max(m, n) for m, n in zip(a, b))
""",
            "You always take the larger of two sizes. Only an axis of size 1 can be stretched: where 3 "
            "meets 4 the shapes do not fit, and that is a ValueError. (And 1 against 0 gives 0.)",
        ),
        Misconception(
            "the larger one, also of 1 and 0",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b):
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(max(m, n))
    return tuple(shape)
""",
            "Nearly: you take the larger size of each pair. An axis of size 1 takes on the size of the "
            "other, whatever it is, and next to 1 that can also be a smaller one: the size of an empty axis.",
        ),
        Misconception(
            "refuses size 0",
            """
def broadcast_shape(a, b):
    if 0 in a or 0 in b:
        raise ValueError("empty")
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b):
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(max(m, n))
    return tuple(shape)
""",
            "You refuse every shape with a 0 in it. An axis of size 0 is an axis like any other (a batch "
            "without inputs, say): the same rule holds for it.",
        ),
        Misconception(
            "stretches 0 as well as 1",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b):
        if m > 1 and n > 1 and m != n:
            raise ValueError("do not fit")
        shape.append(max(m, n))
    return tuple(shape)
""",
            "You let an axis of size 0 stretch as well. There is nothing in it that could be repeated: only "
            "size 1 stretches, and next to a 1 it is the 0 that stays.",
        ),
        Misconception(
            "loses the axes in front",
            """
def broadcast_shape(a, b):
    shape = []
    for m, n in zip(reversed(a), reversed(b)):
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(n if m == 1 else m)
    return tuple(reversed(shape))
""",
            "You stop where the shorter shape ends, as `zip` does, so the further axes of the longer one are "
            "lost. A missing axis counts as one of size 1.",
        ),
        Misconception(
            "result back to front",
            """
def broadcast_shape(a, b):
    a, b = list(a), list(b)
    shape = []
    while a or b:
        m = a.pop() if a else 1
        n = b.pop() if b else 1
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(n if m == 1 else m)
    return tuple(shape)
""",
            "Your sizes are right but in the wrong order: you went from the right to the left, and gave them "
            "back in the order in which you found them.",
        ),
        Misconception(
            "only equal sizes fit",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    if a != b:
        raise ValueError("do not fit")
    return a
""",
            "You align the shapes and then ask that they be equal. That leaves out the second rule: an axis "
            "of size 1 is stretched to the size of the other.",
        ),
        Misconception(
            "refuses different numbers of axes",
            """
def broadcast_shape(a, b):
    if len(a) != len(b):
        raise ValueError("do not fit")
    shape = []
    for m, n in zip(a, b):
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(n if m == 1 else m)
    return tuple(shape)
""",
            "You refuse shapes with different numbers of axes. That leaves out the first rule: the shorter "
            "one is filled up on its left with axes of size 1.",
        ),
        Misconception(
            "only one side may stretch",
            """
def broadcast_shape(a, b):
    if len(a) < len(b):
        a, b = b, a
    b = (1,) * (len(a) - len(b)) + tuple(b)
    for m, n in zip(a, b):
        if m != n and n != 1:
            raise ValueError("do not fit")
    return tuple(a)
""",
            "You let only the shorter shape stretch. Both may, even in the same pair of shapes: the rule "
            "looks at one axis after the other.",
        ),
        Misconception(
            "returns None where it should raise",
            """
def broadcast_shape(a, b):
    shape = []
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    for m, n in zip(a, b):
        if m != n and m != 1 and n != 1:
            return None
        shape.append(n if m == 1 else m)
    return tuple(shape)
""",
            "The rule is right, but for shapes that do not fit you return something. Whoever calls your "
            "function would go on with that. `raise ValueError(…)` stops them at once and says why.",
        ),
        Misconception(
            "multiples fit",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = []
    for m, n in zip(a, b):
        if m != n and 1 not in (m, n) and (0 in (m, n) or max(m, n) % min(m, n)):
            raise ValueError("do not fit")
        shape.append(n if m == 1 else max(m, n) if n != 1 else m)
    return tuple(shape)
""",
            "You let a size be repeated until it is as large as the other, 2 as 4. Only size 1 is stretched.",
        ),
        Misconception(
            "a length that occurs somewhere fits",
            """
def broadcast_shape(a, b):
    whole, part = (a, b) if len(a) >= len(b) else (b, a)
    if len(part) == 1 and part[0] in whole:
        return tuple(whole)
    part = (1,) * (len(whole) - len(part)) + tuple(part)
    shape = []
    for m, n in zip(whole, part):
        if m != n and m != 1 and n != 1:
            raise ValueError("do not fit")
        shape.append(n if m == 1 else m)
    return tuple(shape)
""",
            "You let a single axis fit wherever its size occurs in the other shape. It is always the last "
            "axes that meet, wherever else the size would suit.",
        ),
        Misconception(
            "only the second may stretch",
            """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    for m, n in zip(a, b):
        if m != n and n != 1:
            raise ValueError("do not fit")
    return a
""",
            "You let only the second shape stretch. A 1 in the first takes on the size of the second just "
            "as well.",
        ),
        Misconception(
            "cut to the shorter, and the larger of both",
            """
def broadcast_shape(a, b):
    return tuple(max(m, n) for m, n in zip(a, b))
""",
            "`zip` stops at the end of the shorter shape and pairs from the left, and you always take the "
            "larger size. Align from the right, fill up with ones, and refuse what does not fit.",
        ),
    ),
    hints=(
        "Take (5, 1, 4) and (3, 1). Write one under the other so that their right ends are flush, and fill "
        "the gap with a 1. Now answer column by column.",
        "Make both equally long by putting ones in front of the shorter one. Then go through the pairs: if "
        "one of the two sizes is 1, take the other; if they are equal, take it; else raise a ValueError. A "
        "list of what you took, as a tuple, is the answer.",
    ),
    alternatives=(
        """
def broadcast_shape(a, b):
    return tuple(torch.broadcast_shapes(a, b)) if fits(a, b) else refuse()

def fits(a, b):
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))

def refuse():
    raise ValueError("do not fit")
""",
        """
def broadcast_shape(a, b):
    a = (1,) * (len(b) - len(a)) + tuple(a)
    b = (1,) * (len(a) - len(b)) + tuple(b)
    shape = ()
    for m, n in zip(a, b):
        if m == n or n == 1:
            shape += (m,)
        elif m == 1:
            shape += (n,)
        else:
            raise ValueError(f"{m} and {n} do not fit")
    return shape
""",
        """
def broadcast_shape(a, b):
    n = max(len(a), len(b))
    result = [1] * n
    for shape in (a, b):
        for i in range(len(shape)):
            size = shape[-1 - i]
            if size != 1:
                if result[n - 1 - i] not in (1, size):
                    raise ValueError("do not fit")
                result[n - 1 - i] = size
    return result
""",
    ),
)


# ---------------------------------------------------------------------------------- 03.standardize


def standardize(X: Tensor) -> Tensor:
    """Each column of X with mean 0 and standard deviation 1; a constant column becomes zeros."""
    centred = X - X.mean(dim=0)
    std = centred.square().mean(dim=0).sqrt()
    return centred / torch.where(std > 0, std, 1.0)


def standardize_cases(generator: torch.Generator) -> list[Case]:
    """Columns of unequal scale; constant ones hold numbers whose mean is exact."""
    n, d = whole_number(generator, 4, 9), whole_number(generator, 2, 3)
    scales, shifts = torch.tensor([1.0, 50.0, 0.1]), torch.tensor([0.0, 300.0, -2.0])
    X = normal(generator, n, 3) * scales + shifts
    constant = normal(generator, 4, 3)
    constant[:, 1] = 2.5
    square = normal(generator, 3, 3)
    return [
        Case(
            "values", (torch.tensor([[1.0, 10.0], [3.0, 10.5], [5.0, 11.0]]),), "the example of the statement"
        ),
        Case("values", (X,), "columns of very different size"),
        Case("values", (square,), "as many rows as columns"),
        Case("types", (normal(generator, 5, d).double(),), "float64"),
        Case("shapes", (normal(generator, 6, 1) + 4,), "one feature only"),
        Case("shapes", (normal(generator, 2, 5),), "two inputs"),
        Case("edge cases", (constant,), "a column in which all numbers are 2.5"),
        Case("edge cases", (torch.zeros(3, 2),), "all zeros"),
        Case("edge cases", (torch.tensor([[4.0, -1.5]]),), "a single input: every column is constant"),
    ]


STANDARDIZE = Exercise(
    id="03.standardize",
    name="standardize",
    title="Columns on one scale",
    difficulty=2,
    points=3,
    minutes=10,
    cases=standardize_cases,
    reference=standardize,
    result="a tensor of the shape of X, floating point",
    misconceptions=(
        Misconception(
            "wrong axis",
            """
def standardize(X):
    centred = X - X.mean(dim=1, keepdim=True)
    std = centred.square().mean(dim=1, keepdim=True).sqrt()
    return centred / torch.where(std > 0, std, 1.0)
""",
            "You standardise each row. The rows are the inputs, and the numbers in a row are different "
            "things (metres, kilograms). It is each column, one feature over all inputs, that gets a scale "
            "of its own.",
        ),
        Misconception(
            "the whole table at once",
            """
def standardize(X):
    std = X.std(correction=0)
    return (X - X.mean()) / (std if std > 0 else 1.0)
""",
            "You take one mean and one deviation for the whole table. Each column needs its own.",
        ),
        Misconception(
            "unbiased deviation",
            """
def standardize(X):
    centred = X - X.mean(dim=0)
    std = X.std(dim=0)
    return torch.where(std > 0, centred / std, 0.0)
""",
            "Your numbers are all a little too small: `std` divides by n − 1 unless it is told otherwise "
            "(the unbiased estimate). Here the columns themselves shall have deviation 1, so divide by n.",
        ),
        Misconception(
            "unbiased, and divides by zero",
            """
def standardize(X):
    return (X - X.mean(dim=0)) / X.std(dim=0)
""",
            "Two things: `std` divides by n − 1 unless it is told otherwise, and here it shall be n. And a "
            "constant column has deviation 0: dividing by it gives NaN, where zeros are asked for.",
        ),
        Misconception(
            "divides by zero",
            """
def standardize(X):
    return (X - X.mean(dim=0)) / X.std(dim=0, correction=0)
""",
            "A column in which all numbers are equal has deviation 0, and 0/0 is NaN. It is asked to become "
            "zeros: what could you divide by in its place?",
        ),
        Misconception(
            "divides by the variance",
            """
def standardize(X):
    centred = X - X.mean(dim=0)
    var = centred.square().mean(dim=0)
    return centred / torch.where(var > 0, var, 1.0)
""",
            "You divide by the variance, the mean of the squares. The standard deviation is its root; only "
            "that has the unit of the numbers themselves.",
        ),
        Misconception(
            "does not centre",
            """
def standardize(X):
    std = X.std(dim=0, correction=0)
    return X / torch.where(std > 0, std, 1.0)
""",
            "The spread is right, but you did not subtract the means: the columns still lie where they lay.",
        ),
        Misconception(
            "only centres",
            """
def standardize(X):
    return X - X.mean(dim=0)
""",
            "The means are 0 now, but every column still has its own spread. Divide by it.",
        ),
        Misconception(
            "centres after dividing",
            """
def standardize(X):
    std = X.std(dim=0, correction=0)
    return X / torch.where(std > 0, std, 1.0) - X.mean(dim=0)
""",
            "You divide first and subtract the old means afterwards. But after the division the columns have "
            "other means. Subtract first, then divide the difference.",
        ),
        Misconception(
            "constant columns kept",
            """
def standardize(X):
    std = X.std(dim=0, correction=0)
    return torch.where(std > 0, (X - X.mean(dim=0)) / std, X)
""",
            "A constant column stays as it was with you. Its mean can be subtracted like any other's, which "
            "leaves zeros.",
        ),
        Misconception(
            "scales to the range 0 to 1",
            """
def standardize(X):
    low, high = X.amin(dim=0), X.amax(dim=0)
    return (X - low) / torch.where(high > low, high - low, 1.0)
""",
            "You bring each column into the range from 0 to 1, by its smallest and largest number. That is "
            "another way of scaling; here mean 0 and standard deviation 1 are asked for.",
        ),
        Misconception(
            "unbiased, with a guard for 0 only",
            """
def standardize(X):
    s = X.std(dim=0)
    return (X - X.mean(dim=0)) / torch.where(s == 0, 1.0, s)
""",
            "Two things: `std` divides by n − 1 unless it is told otherwise, and here it shall be n. And "
            "with a single row that is a division by 0: NaN is not equal to 0, so your guard does not see "
            "it.",
        ),
        Misconception(
            "rows, and divides by zero",
            """
def standardize(X):
    return (X - X.mean(dim=1, keepdim=True)) / X.std(dim=1, correction=0, keepdim=True)
""",
            "You standardise each row. The rows are the inputs; it is each column, one feature over all "
            "inputs, that gets a scale of its own. (And what happens where all numbers are equal?)",
        ),
        Misconception(
            "the whole table, and divides by zero",
            """
def standardize(X):
    return (X - X.mean()) / X.std(correction=0)
""",
            "You take one mean and one deviation for the whole table. Each column needs its own. (And what "
            "happens where all numbers are equal?)",
        ),
        Misconception(
            "brackets forgotten",
            """
def standardize(X):
    s = X.std(dim=0, correction=0)
    return X - X.mean(dim=0) / torch.where(s == 0, 1.0, s)
""",
            "Division comes before subtraction: you divide only the mean, and subtract that. Brackets are "
            "missing.",
        ),
        Misconception(
            "root of the sum",
            """
def standardize(X):
    c = X - X.mean(dim=0)
    s = c.square().sum(dim=0).sqrt()
    return c / torch.where(s == 0, 1.0, s)
""",
            "You take the root of the sum of the squares, not of their mean. So the numbers get smaller the "
            "more rows there are.",
        ),
        Misconception(
            "squares not centred",
            """
def standardize(X):
    s = X.square().mean(dim=0).sqrt()
    return (X - X.mean(dim=0)) / torch.where(s == 0, 1.0, s)
""",
            "You square the numbers themselves. The deviation is about the distances from the mean: centre "
            "first, then square.",
        ),
        Misconception(
            "mean distance",
            """
def standardize(X):
    c = X - X.mean(dim=0)
    s = c.abs().mean(dim=0)
    return c / torch.where(s == 0, 1.0, s)
""",
            "You divide by the mean distance from the mean. The standard deviation squares the distances "
            "before the mean, and takes the root afterwards.",
        ),
        Misconception(
            "ones for constant columns",
            """
def standardize(X):
    s = X.std(dim=0, correction=0)
    return torch.where(s == 0, 1.0, (X - X.mean(dim=0)) / s)
""",
            "A constant column becomes ones with you. It is asked to become zeros. Did you want to put the "
            "1 in place of the deviation, before dividing?",
        ),
    ),
    hints=(
        "The mean of each column has shape (d,). What happens when it is subtracted from X of shape (n, d)? "
        "And in which column would the deviation be 0?",
        "Subtract the column means. Square what is left, take the column means of that and the root: the "
        "deviations, shape (d,). Put 1 in place of those that are 0, then divide.",
    ),
    alternatives=(
        """
def standardize(X):
    std, mean = torch.std_mean(X, dim=0, correction=0, keepdim=True)
    std = torch.where(std == 0, 1.0, std)
    return (X - mean) / std
""",
        """
def standardize(X):
    columns = []
    for column in X.T:
        s = column.std(correction=0)
        c = column - column.mean()
        columns.append(c / s if s > 0 else torch.zeros_like(c))
    return torch.stack(columns, dim=1)
""",
        """
def standardize(X):
    mean = X.sum(0) / len(X)
    std = ((X - mean) ** 2).mean(0) ** 0.5
    return ((X - mean) / std).nan_to_num(0.0)
""",
        """
def standardize(X):
    std = X.std(dim=0, unbiased=False)
    return (X - X.mean(dim=0)) / (std + 1e-12)
""",
    ),
)


# ---------------------------------------------------------------------------------------- 03.outer


def outer(x: Tensor, y: Tensor) -> Tensor:
    """All products of an entry of x (n,) with one of y (m,): shape (n, m)."""
    return x[:, None] * y


def outer_cases(generator: torch.Generator) -> list[Case]:
    n, m = whole_number(generator, 3, 5), whole_number(generator, 6, 8)
    return [
        Case("values", (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 100.0])), "the example"),
        Case("values", (normal(generator, n), normal(generator, m))),
        Case("values", (normal(generator, 4), normal(generator, 4)), "two of the same length"),
        Case("types", (normal(generator, 3).double(), normal(generator, 2).double()), "float64"),
        Case("types", (torch.arange(3), torch.arange(1, 6)), "whole numbers"),
        Case("shapes", (normal(generator, 1), normal(generator, 5)), "x has one entry"),
        Case("shapes", (normal(generator, 5), normal(generator, 1)), "y has one entry"),
        Case("edge cases", (torch.zeros(0), normal(generator, 3)), "x is empty"),
    ]


OUTER = Exercise(
    id="03.outer",
    name="outer",
    title="Every entry with every other",
    difficulty=1,
    points=2,
    minutes=5,
    cases=outer_cases,
    reference=outer,
    result="a tensor of shape (n, m)",
    misconceptions=(
        Misconception(
            "transposed",
            "def outer(x, y):\n    return x * y[:, None]",
            "All products are there, but rows and columns are exchanged: x belongs to the rows, so x is the "
            "one that must stand as a column.",
        ),
        Misconception(
            "entry by entry",
            "def outer(x, y):\n    return x * y",
            "Two rows meet entry by entry: that gives n products, and only if the lengths fit. For all pairs "
            "one of the two must be turned into a column first.",
        ),
        Misconception(
            "the dot product",
            "def outer(x, y):\n    return x @ y",
            "`@` between two vectors multiplies entry by entry and adds everything up. Here nothing is "
            "added.",
        ),
        Misconception(
            "sums instead of products",
            "def outer(x, y):\n    return x[:, None] + y",
            "The shape is right, but you add where products are asked for.",
        ),
        Misconception(
            "one long row",
            "def outer(x, y):\n    return (x[:, None] * y).flatten()",
            "All products are there and in order, but as one long row. Keep them as a table of shape (n, m).",
        ),
        Misconception(
            "both as columns",
            "def outer(x, y):\n    return x[:, None] * y[:, None]",
            "You turned both into columns, and two columns again meet entry by entry. Only one of the two "
            "may be a column.",
        ),
        Misconception(
            "one axis too many",
            "def outer(x, y):\n    return (x[:, None] * y)[None]",
            "The table is right, but it lies in a batch of one: shape (1, n, m). Take the added axis away.",
        ),
        Misconception(
            "x with itself",
            "def outer(x, y):\n    return x[:, None] * x",
            "You multiply x with itself; y is not used.",
        ),
        Misconception(
            "transposed, then reshaped",
            """
def outer(x, y):
    return (x * y[:, None]).reshape(len(x), len(y))
""",
            "The products are right, but y stands as the column, and `reshape` does not turn a table: it "
            "only breaks the same row of numbers into other lines.",
        ),
    ),
    hints=(
        "Write down the shapes: which two shapes broadcast to (n, m), if one of them holds n numbers and the "
        "other m?",
        "Index x with `None` so that it becomes a column, (n, 1). Against y of shape (m,) both are stretched "
        "to (n, m).",
    ),
    alternatives=(
        "def outer(x, y):\n    return torch.outer(x, y)",
        "def outer(x, y):\n    return torch.einsum('i,j->ij', x, y)",
        "def outer(x, y):\n    return x.reshape(-1, 1) @ y.reshape(1, -1)",
        "def outer(x, y):\n    return x.unsqueeze(1) * y.unsqueeze(0)",
    ),
)


# -------------------------------------------------------------------------------------- 03.one_hot


def one_hot(y: Tensor, k: int) -> Tensor:
    """A row for each label with a 1 at its place: (n, k), float32."""
    return (y[:, None] == torch.arange(k)).float()


def one_hot_cases(generator: torch.Generator) -> list[Case]:
    n, k = whole_number(generator, 4, 7), whole_number(generator, 8, 12)
    y = torch.randint(0, k, (n,), generator=generator)
    return [
        Case("values", (torch.tensor([2, 0]), 4), "the example of the statement"),
        Case("values", (y, k), f"{n} labels, {k} classes"),
        Case("values", (torch.tensor([1, 1, 0]), 3), "as many labels as classes"),
        Case("values", (torch.tensor([0, 1, 1, 0]), 5), "classes that do not occur"),
        Case("shapes", (torch.tensor([3]), 4), "a batch of one"),
        Case("shapes", (torch.tensor([0, 0]), 1), "a single class"),
        Case("edge cases", (torch.zeros(0, dtype=torch.int64), 3), "no labels"),
    ]


ONE_HOT = Exercise(
    id="03.one_hot",
    name="one_hot",
    title="A one at the right place",
    difficulty=1,
    points=2,
    minutes=10,
    cases=one_hot_cases,
    reference=one_hot,
    result="a tensor of shape (n, k), float32",
    misconceptions=(
        Misconception(
            "transposed",
            "def one_hot(y, k):\n    return (y == torch.arange(k)[:, None]).float()",
            "Your rows are the classes and your columns the labels. One row for each label is asked for, so "
            "the labels must stand as a column.",
        ),
        Misconception(
            "k from the labels",
            """
def one_hot(y, k):
    k = int(y.max()) + 1 if len(y) else 0
    return (y[:, None] == torch.arange(k)).float()
""",
            "You take the number of classes from the labels that happen to be there. In a small batch the "
            "last classes may not occur; k says how many there are.",
        ),
        Misconception(
            "every row gets all labels",
            """
def one_hot(y, k):
    result = torch.zeros(len(y), k)
    result[:, y] = 1.0
    return result
""",
            "`result[:, y] = 1` writes a 1 into the columns of all labels, in every row. Each row shall "
            "have a single 1, at its own label's place.",
        ),
        Misconception(
            "counts from 1",
            "def one_hot(y, k):\n    return (y[:, None] == torch.arange(1, k + 1)).float()",
            "You compare with 1 to k, but the classes are numbered from 0 to k − 1: each 1 stands one place "
            "too far to the left, and class 0 has none.",
        ),
        Misconception(
            "True and False",
            "def one_hot(y, k):\n    return y[:, None] == torch.arange(k)",
            "The places are right. But a comparison gives True and False, with which one cannot compute a "
            "loss: turn them into float32.",
        ),
        Misconception(
            "whole numbers",
            "def one_hot(y, k):\n    return (y[:, None] == torch.arange(k)).long()",
            "The places are right, but your ones and zeros are whole numbers (int64). Predictions are "
            "float32, and what is compared with them should be too.",
        ),
        Misconception(
            "the opposite",
            "def one_hot(y, k):\n    return (y[:, None] != torch.arange(k)).float()",
            "A 1 everywhere but at the right place: you ask where label and class differ.",
        ),
        Misconception(
            "the label instead of 1",
            """
def one_hot(y, k):
    result = torch.zeros(len(y), k)
    result[torch.arange(len(y)), y] = y.float()
    return result
""",
            "At the right place you write the label itself. A class number has no size, only a place: what "
            "stands there is always a 1.",
        ),
        Misconception(
            "the first n rows of the identity",
            """
def one_hot(y, k):
    result = torch.zeros(len(y), k)
    result.fill_diagonal_(1.0)
    return result
""",
            "Your ones stand on the diagonal, whatever the labels are: y is not used.",
        ),
        Misconception(
            "all from the label on",
            """
def one_hot(y, k):
    return (torch.arange(k) >= y[:, None]).float()
""",
            "Your rows have ones from the label's place on. Only at the place itself: ask for equality.",
        ),
        Misconception(
            "one class too many",
            """
def one_hot(y, k):
    return (y[:, None] == torch.arange(k + 1)).float()
""",
            "You have one column too many. `torch.arange(k)` already ends before k: classes 0 to k − 1.",
        ),
        Misconception(
            "labels as a row",
            """
def one_hot(y, k):
    return (y == torch.arange(k)).float()
""",
            "Two tensors with one axis meet entry by entry, and if their lengths differ not at all. For all "
            "pairs of a label and a class one of them has to stand up as a column: which?",
        ),
    ),
    hints=(
        "For each label ask of each class: are you it? That is n·k questions at once. Which shapes meet in a "
        "table of (n, k) answers?",
        "Stand the labels up as a column, (n, 1), and compare them with the class numbers 0 … k − 1, shape "
        "(k,). Turn the answers into float32.",
    ),
    alternatives=(
        "def one_hot(y, k):\n    return torch.nn.functional.one_hot(y, k).float()",
        "def one_hot(y, k):\n    return torch.eye(k)[y]",
        """
def one_hot(y, k):
    result = torch.zeros(len(y), k)
    result[torch.arange(len(y)), y] = 1.0
    return result
""",
        "def one_hot(y, k):\n    return torch.zeros(len(y), k).scatter_(1, y.unsqueeze(1), 1.0)",
    ),
)


# ------------------------------------------------------------------------ 03.pairwise_sq_distances

_MOST_CALLS = 30


def pairwise_sq_distances(X: Tensor, Y: Tensor) -> Tensor:
    """Squared distance of every row of X (n, d) from every row of Y (m, d): (n, m), never negative."""
    squares = X.square().sum(dim=1)[:, None] + Y.square().sum(dim=1)
    return (squares - 2 * X @ Y.T).clamp(min=0)


def watched_distances(work: Callable, X: Tensor, Y: Tensor) -> Any:
    """Call the work and watch how much it puts into memory and how often it calls torch.

    Raises:
        Stopped: where a step makes a tensor much larger than inputs and result, or torch is called so often
            that it must be a loop over the rows.
        NotAsAsked: if a squared distance comes out below 0.
    """
    from torch.overrides import TorchFunctionMode

    (n, d), m = X.shape, len(Y)
    # what is left over for a case is small, so tiny ones may use a little more than they need
    largest = 4 * max(n * m, n * d, m * d, 64)

    class Watch(TorchFunctionMode):
        calls = 0

        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            name = getattr(func, "__name__", "an operation").strip("_")
            if name not in ("get", "set"):  # reading .shape, .T and the like
                self.calls += 1
            if self.calls > _MOST_CALLS:
                raise Stopped(
                    f"It has called torch more than {_MOST_CALLS} times for {n} points: there is a loop over "
                    "the points, and a million of them would take a million calls"
                )
            if isinstance(result, Tensor) and result.untyped_storage().nbytes() > largest * X.element_size():
                shape = tuple(result.shape)
                raise Stopped(
                    f"`{name}` made a tensor of shape {shape}, while the result has only {(n, m)}. For "
                    "10,000 points of 784 numbers that would be 314 GB"
                )
            return result

    with Watch():
        result = work(X, Y)
    if isinstance(result, Tensor) and result.numel() and result.is_floating_point() and result.min() < 0:
        raise NotAsAsked(
            f"A squared distance is never negative, but yours is once {float(result.min()):.1e}."
        )
    return result


def pairwise_cases(generator: torch.Generator) -> list[Case]:
    """The large cases come last, so that who is right but wasteful learns that the numbers were right."""
    n, m = whole_number(generator, 3, 4), whole_number(generator, 5, 7)
    cloud = normal(generator, 64, 3)  # many, so that a loop shows, but with few numbers each
    return [
        Case(
            "values",
            (torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]])),
            "the example of the statement",
        ),
        Case("values", (normal(generator, n, 3), normal(generator, m, 3)), f"{n} points against {m}"),
        Case("values", (normal(generator, 3, 3), normal(generator, 3, 3)), "all sizes equal"),
        Case("types", (normal(generator, 3, 2).double(), normal(generator, 4, 2).double()), "float64"),
        Case("shapes", (normal(generator, 1, 4), normal(generator, 5, 4)), "a single point in X"),
        Case("shapes", (normal(generator, 4, 1), normal(generator, 3, 1)), "points with one number"),
        Case("edge cases", (cloud, cloud.clone()), "the same points twice: the distance to oneself is 0"),
        Case(
            "edge cases",
            (normal(generator, 60, 50), normal(generator, 70, 50)),
            "many points, many numbers",
        ),
    ]


PAIRWISE_SQ_DISTANCES = Exercise(
    id="03.pairwise_sq_distances",
    name="pairwise_sq_distances",
    title="All distances at once",
    difficulty=3,
    points=5,
    minutes=15,
    cases=pairwise_cases,
    reference=pairwise_sq_distances,
    probe=watched_distances,
    rtol=1e-3,
    atol=1e-4,
    result="a tensor of shape (n, m), floating point, nothing below 0",
    misconceptions=(
        Misconception(
            "needs too much memory",
            "def pairwise_sq_distances(X, Y):\n    return ((X[:, None] - Y) ** 2).sum(dim=2)",
            "Your numbers are right, but on the way you make all differences of all numbers, shape (n, m, "
            "d). That is d times as much as the result. Multiply the square out, (x − y)² = x² + y² − 2xy, "
            "and the last part becomes a product of matrices.",
        ),
        Misconception(
            "below zero",
            """
def pairwise_sq_distances(X, Y):
    return X.square().sum(1)[:, None] + Y.square().sum(1) - 2 * X @ Y.T
""",
            "The formula is right. But it subtracts two nearly equal numbers where points are close, and "
            "rounding can leave a little less than 0 (whose root would be NaN). Cut off what lies below 0.",
        ),
        Misconception(
            "a loop over the points",
            """
def pairwise_sq_distances(X, Y):
    return torch.stack([(Y - x).square().sum(dim=1) for x in X])
""",
            "Your numbers are right and the memory is small, but there is a loop over the points of X. One "
            "product of matrices does all of them at once.",
        ),
        Misconception(
            "factor 2 lost",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1)[:, None] + Y.square().sum(1) - X @ Y.T).clamp(min=0)
""",
            "Multiply (x − y)² out once more: the mixed product appears twice.",
        ),
        Misconception(
            "plus the mixed product",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1)[:, None] + Y.square().sum(1) + 2 * X @ Y.T).clamp(min=0)
""",
            "The sign of the mixed product is wrong: you have computed |x + y|².",
        ),
        Misconception(
            "the distances themselves",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1)[:, None] + Y.square().sum(1) - 2 * X @ Y.T).clamp(min=0).sqrt()
""",
            "These are the distances; the squared ones are asked for. Leave the root away.",
        ),
        Misconception(
            "transposed",
            """
def pairwise_sq_distances(X, Y):
    return (Y.square().sum(1)[:, None] + X.square().sum(1) - 2 * Y @ X.T).clamp(min=0)
""",
            "Your rows belong to Y and your columns to X. It is asked for the other way round: (n, m), one "
            "row for each point of X.",
        ),
        Misconception(
            "squares as a row twice",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1) + Y.square().sum(1) - 2 * X @ Y.T).clamp(min=0)
""",
            "The squares of X and those of Y meet entry by entry, as two rows. Those of X belong to the "
            "rows of the result, so they must stand as a column. (With as many points in X as in Y nobody "
            "complains, and the numbers are wrong.)",
        ),
        Misconception(
            "row with row only",
            "def pairwise_sq_distances(X, Y):\n    return (X - Y).square().sum(dim=1)",
            "You subtract the first point of Y from the first of X, the second from the second, and so on: n "
            "distances, where n times m are asked for.",
        ),
        Misconception(
            "absolute value",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1)[:, None] + Y.square().sum(1) - 4 * X @ Y.T).abs()
""",
            "The mixed product counts twice in (x − y)², not four times. And `abs` hides that something is "
            "wrong: a squared distance far below 0 would have been a warning.",
        ),
        Misconception(
            "sums multiplied out wrongly",
            """
def pairwise_sq_distances(X, Y):
    return (X.sum(dim=1)[:, None] - Y.sum(dim=1)).square()
""",
            "You add the numbers of each point first and compare the sums. Two points that lie far apart "
            "can have the same sum. Every number is subtracted by itself.",
        ),
        Misconception(
            "one square for all of X",
            """
def pairwise_sq_distances(X, Y):
    return ((X**2).sum() + (Y**2).sum(dim=1) - 2 * X @ Y.T).clamp(min=0)
""",
            "You add the squares of all points of X into one number. Each point has its own |x|², a column "
            "of shape (n, 1).",
        ),
        Misconception(
            "cut off from above",
            """
def pairwise_sq_distances(X, Y):
    return (X.square().sum(1)[:, None] + Y.square().sum(1) - 2 * X @ Y.T).clamp(max=0)
""",
            "`clamp(max=0)` keeps what is below 0 and cuts off what is above. It should be the other way "
            "round.",
        ),
        Misconception(
            "cuts the product off",
            """
def pairwise_sq_distances(X, Y):
    return X.square().sum(1)[:, None] + Y.square().sum(1) - 2 * (X @ Y.T).clamp(min=0)
""",
            "You cut the dot products off at 0. They may well be negative, where two points lie on "
            "different sides of the origin. It is the distances that cannot be.",
        ),
        Misconception(
            "both squares as columns",
            """
def pairwise_sq_distances(X, Y):
    x = X.square().sum(1, keepdim=True)
    y = Y.square().sum(1, keepdim=True)
    return (x + y - 2 * X @ Y.T).clamp(min=0)
""",
            "Both lists of squares stand as columns. Those of Y belong to the columns of the result, so "
            "they must lie as a row.",
        ),
    ),
    hints=(
        "For single numbers (x − y)² = x² + y² − 2xy. For points the same holds, with |x|² and |y|² and the "
        "dot product x·y. Which shapes have all |x|², all |y|² and all x·y?",
        "All |x|² as a column (n, 1), all |y|² as a row (m,), all dot products as one product of matrices "
        "(n, m). Add and subtract; then mend what rounding may have spoilt near 0.",
    ),
    alternatives=(
        """
def pairwise_sq_distances(X, Y):
    a = (X * X).sum(dim=1, keepdim=True)
    b = (Y * Y).sum(dim=1, keepdim=True).T
    return torch.relu(a + b - 2 * (X @ Y.T))
""",
        """
def pairwise_sq_distances(X, Y):
    mixed = torch.einsum("id,jd->ij", X, Y)
    squares = torch.einsum("id,id->i", X, X).unsqueeze(1) + torch.einsum("jd,jd->j", Y, Y).unsqueeze(0)
    return torch.maximum(squares - 2 * mixed, torch.zeros_like(mixed))
""",
        "def pairwise_sq_distances(X, Y):\n    return torch.cdist(X, Y) ** 2",
        """
def pairwise_sq_distances(X, Y):
    D = (X ** 2).sum(1).view(-1, 1) + (Y ** 2).sum(1) - 2.0 * torch.matmul(X, Y.T)
    return D.abs()
""",
    ),
)


# ------------------------------------------------------------------------------------- 03.safe_mse


def safe_mse(y_hat: Tensor, y: Tensor) -> Tensor:
    """Mean squared error; ValueError if the shapes differ."""
    if y_hat.shape != y.shape:
        raise ValueError(f"predictions {tuple(y_hat.shape)} against targets {tuple(y.shape)}")
    return (y_hat - y).square().mean()


def safe_mse_cases(generator: torch.Generator) -> list[Case]:
    n = whole_number(generator, 4, 8)
    return [
        Case("values", (torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 4.0, 3.0])), "the example"),
        Case("values", (normal(generator, n), normal(generator, n))),
        Case("types", (normal(generator, 3).double(), normal(generator, 3).double()), "float64"),
        Case("shapes", (normal(generator, n, 1), normal(generator, n, 1)), "two columns: they fit"),
        Case("shapes", (normal(generator, 3, 4), normal(generator, 3, 4)), "two tables: they fit"),
        Case("shapes", (normal(generator, 1), normal(generator, 1)), "a batch of one"),
        Case("edge cases", (normal(generator, n, 1), normal(generator, n)), "(n, 1) meets (n,)"),
        Case("edge cases", (normal(generator, n), normal(generator, n, 1)), "(n,) meets (n, 1)"),
        Case("edge cases", (normal(generator, n, 1), normal(generator, 1, n)), "a column meets a row"),
        Case("edge cases", (normal(generator, n), normal(generator, n + 1)), "one target too many"),
        Case("edge cases", (normal(generator, n), torch.tensor(0.5)), "one number for all"),
    ]


SAFE_MSE = Exercise(
    id="03.safe_mse",
    name="safe_mse",
    title="A loss that refuses",
    difficulty=1,
    points=2,
    minutes=5,
    cases=safe_mse_cases,
    reference=safe_mse,
    probe=trainable_loss,
    result="one number, a tensor of shape ()",
    misconceptions=(
        Misconception(
            "lets (n,) meet (n, 1)",
            "def safe_mse(y_hat, y):\n    return (y_hat - y).square().mean()",
            "Your loss broadcasts: a column against a row becomes a table of all differences, and the mean "
            "of that is a number like any other. Compare the shapes first, and raise a ValueError if they "
            "differ.",
        ),
        Misconception(
            "compares the lengths",
            """
def safe_mse(y_hat, y):
    if y.dim() == 0 or len(y_hat) != len(y):
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean()
""",
            "You compare only the first axis: `len` of a column (n, 1) and of a row (n,) is the same n. "
            "Compare the whole shapes.",
        ),
        Misconception(
            "compares how many numbers there are",
            """
def safe_mse(y_hat, y):
    if y_hat.numel() != y.numel():
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean()
""",
            "You compare how many numbers there are. A column (n, 1) and a row (n,) have the same number of "
            "them, and still become a table.",
        ),
        Misconception(
            "compares the number of axes",
            """
def safe_mse(y_hat, y):
    if y_hat.dim() != y.dim():
        raise ValueError("shapes differ")
    if y_hat.shape[0] != y.shape[0] and 1 not in y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean()
""",
            "You compare the number of axes. A column (n, 1) and a row (1, n) have two each and still "
            "become a table. Compare the whole shapes.",
        ),
        Misconception(
            "bends the shapes until they fit",
            """
def safe_mse(y_hat, y):
    return (y_hat.flatten() - y.flatten()).square().mean()
""",
            "You flatten both until they fit. That happens to be right for (n, 1) against (n,), but it hides "
            "the mistake: a column against a row, or one number for all, passes too. It is asked to refuse.",
        ),
        Misconception(
            "another error",
            """
def safe_mse(y_hat, y):
    assert y_hat.shape == y.shape, "shapes differ"
    return (y_hat - y).square().mean()
""",
            "You find the right cases, but with `assert`, which raises AssertionError and can be switched "
            "off (`python -O`). A ValueError is asked for.",
        ),
        Misconception(
            "returns nothing instead of raising",
            """
def safe_mse(y_hat, y):
    if y_hat.shape == y.shape:
        return (y_hat - y).square().mean()
""",
            "Where the shapes differ your function quietly returns None. Whoever calls it should be stopped "
            "with a ValueError that says what is wrong.",
        ),
        Misconception(
            "sum for mean",
            """
def safe_mse(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().sum()
""",
            "The refusal is right, but you add the squares up. It is their mean that is asked for.",
        ),
        Misconception(
            "squares the mean",
            """
def safe_mse(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).mean().square()
""",
            "The refusal is right, but you take the mean first and square afterwards: errors up and errors "
            "down cancel.",
        ),
        Misconception(
            "the wrong way round",
            """
def safe_mse(y_hat, y):
    if y_hat.shape == y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean()
""",
            "You refuse just those pairs that fit: the comparison is the wrong way round.",
        ),
        Misconception(
            "waits for torch's own error",
            """
def safe_mse(y_hat, y):
    try:
        return (y_hat - y).square().mean()
    except RuntimeError:
        raise ValueError("shapes differ")
""",
            "You wait until torch refuses. But where broadcasting is possible it does not refuse: that is "
            "the very bug. Compare the shapes yourself.",
        ),
        Misconception(
            "squeezes",
            """
def safe_mse(y_hat, y):
    p, t = y_hat.squeeze(), y.squeeze()
    if p.shape != t.shape:
        raise ValueError("shapes differ")
    return (p - t).square().mean()
""",
            "You take axes of size 1 away until the shapes agree. Then a column meets a row after all. It "
            "is asked to refuse whatever differs.",
        ),
        Misconception(
            "is not",
            """
def safe_mse(y_hat, y):
    if y_hat.shape is not y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean()
""",
            "`is not` asks whether the two are one and the same object. Two shapes can be equal without "
            "being the same object: compare with `!=`.",
        ),
        Misconception(
            "absolute errors",
            """
def safe_mse(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).abs().mean()
""",
            "The refusal is right, but you take the sizes of the errors. Squares are asked for.",
        ),
        Misconception(
            "root of it",
            """
def safe_mse(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean().sqrt()
""",
            "The refusal is right, but you take the root in the end. The mean of the squares itself is "
            "asked for.",
        ),
        Misconception(
            "mean over the batch only",
            """
def safe_mse(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("shapes differ")
    return (y_hat - y).square().mean(dim=0)
""",
            "The refusal is right, but the mean runs over the first axis only, so a table keeps one loss "
            "for each column. One number for everything is asked for.",
        ),
    ),
    hints=(
        "What must be compared before anything is subtracted? And what does Python do to stop whoever "
        "called?",
        "If the two shapes differ in anything, raise a ValueError whose text names both. Otherwise: the "
        "difference, its square, the mean.",
    ),
    alternatives=(
        """
def safe_mse(y_hat, y):
    if list(y_hat.shape) != list(y.shape):
        raise ValueError("shapes differ")
    return torch.nn.functional.mse_loss(y_hat, y)
""",
        """
def safe_mse(y_hat, y):
    if y_hat.size() == y.size():
        return ((y_hat - y) ** 2).mean()
    raise ValueError(f"{y_hat.size()} and {y.size()}")
""",
        """
def safe_mse(y_hat, y):
    same = y_hat.dim() == y.dim() and all(m == n for m, n in zip(y_hat.shape, y.shape))
    if not same:
        raise ValueError("shapes differ")
    difference = y_hat - y
    return (difference * difference).sum() / difference.numel()
""",
    ),
)


# ---------------------------------------------------------------------------------- 03.unbroadcast


def unbroadcast(gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of a stretched tensor, summed back to the tensor's own shape."""
    added = gradient.dim() - len(shape)
    for _ in range(added):
        gradient = gradient.sum(dim=0)
    for axis, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(dim=axis, keepdim=True)
    return gradient


def unbroadcast_cases(generator: torch.Generator) -> list[Case]:
    """Each way of stretching on its own, then several at once."""
    n, m, k = whole_number(generator, 2, 3), whole_number(generator, 4, 5), whole_number(generator, 6, 7)
    return [
        Case(
            "values",
            (torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (2,)),
            "the example: (2,) was added on the left",
        ),
        Case("values", (normal(generator, n, m), (n, 1)), "one axis was stretched"),
        Case("values", (normal(generator, n, m), (1, m)), "the first axis was stretched"),
        Case("values", (normal(generator, m, m), (m,)), "an axis was added, and both have one size"),
        Case("values", (normal(generator, n, m, k), (m, 1)), "one was added and one stretched"),
        Case("values", (normal(generator, n, m, k), (k,)), "two were added"),
        Case("types", (normal(generator, n, m).double(), (1, 1)), "float64"),
        Case("shapes", (normal(generator, n, m), (n, m)), "nothing was stretched"),
        Case("shapes", (normal(generator, n, m), ()), "a single number was stretched"),
        Case("shapes", (normal(generator, 1, m), (1, 1)), "an axis of size 1 that stayed 1"),
        Case("edge cases", (torch.zeros(0, m), (m,)), "stretched to an empty batch"),
    ]


UNBROADCAST = Exercise(
    id="03.unbroadcast",
    name="unbroadcast",
    title="A gradient back to its shape",
    difficulty=3,
    points=5,
    minutes=15,
    cases=unbroadcast_cases,
    reference=unbroadcast,
    result="a tensor of the given shape",
    misconceptions=(
        Misconception(
            "forgets axes of size 1",
            """
def unbroadcast(gradient, shape):
    while gradient.dim() > len(shape):
        gradient = gradient.sum(dim=0)
    return gradient
""",
            "You sum over the axes that were added on the left, but not over those that were stretched from "
            "size 1. There, too, one number was used many times.",
        ),
        Misconception(
            "forgets axes that were added",
            """
def unbroadcast(gradient, shape):
    axes = tuple(i for i, size in enumerate(shape) if size == 1)
    return gradient.sum(dim=axes, keepdim=True) if axes else gradient
""",
            "You look only at axes of size 1, and count them from the left. The axes that were added in "
            "front must be summed away first; until they are gone every later axis has the wrong number.",
        ),
        Misconception(
            "loses the axes of size 1",
            """
def unbroadcast(gradient, shape):
    while gradient.dim() > len(shape):
        gradient = gradient.sum(dim=0)
    axes = tuple(i for i, size in enumerate(shape) if size == 1)
    return gradient.sum(dim=axes) if axes else gradient
""",
            "The sums are right, but an axis that was summed is gone. It must stay, with size 1: the "
            "gradient has exactly the shape of what it belongs to. (`keepdim`)",
        ),
        Misconception(
            "mean for sum",
            """
def unbroadcast(gradient, shape):
    while gradient.dim() > len(shape):
        gradient = gradient.mean(dim=0)
    for i, size in enumerate(shape):
        if size == 1:
            gradient = gradient.mean(dim=i, keepdim=True)
    return gradient
""",
            "You take means. A number that is used in many places acts through all of them, and its effects "
            "add up: sum.",
        ),
        Misconception(
            "takes the first copy",
            """
def unbroadcast(gradient, shape):
    while gradient.dim() > len(shape):
        gradient = gradient[0] if len(gradient) else gradient.sum(dim=0)
    for i, size in enumerate(shape):
        if size == 1:
            gradient = gradient.narrow(i, 0, 1)
    return gradient
""",
            "You keep the gradient of the first copy and drop the others. All copies are the same number, so "
            "all of their gradients belong to it: add them up.",
        ),
        Misconception(
            "sums the axes on the right",
            """
def unbroadcast(gradient, shape):
    while gradient.dim() > len(shape):
        gradient = gradient.sum(dim=-1)
    for i, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(dim=i, keepdim=True)
    return gradient
""",
            "You sum away axes on the right until the number fits. Broadcasting adds axes on the left, so "
            "that is where they go.",
        ),
        Misconception(
            "sums everything",
            """
def unbroadcast(gradient, shape):
    return gradient.sum().expand(shape)
""",
            "You add up the whole gradient. Only what was stretched is summed: axes that had their full size "
            "keep one gradient for each place.",
        ),
        Misconception(
            "only the first added axis",
            """
def unbroadcast(gradient, shape):
    if gradient.dim() > len(shape):
        gradient = gradient.sum(dim=0)
    for i, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(dim=i, keepdim=True)
    return gradient
""",
            "You sum away one added axis. There may be several in front.",
        ),
        Misconception(
            "finds no stretched axis in a gradient that was not stretched",
            """
def unbroadcast(gradient, shape):
    return gradient.reshape(shape)
""",
            "Reshaping puts the same numbers into another shape. Here several numbers must become one: sum "
            "over what was stretched.",
        ),
        Misconception(
            "sum over no axes",
            """
def unbroadcast(gradient, shape):
    added = gradient.dim() - len(shape)
    axes = list(range(added)) + [added + i for i, size in enumerate(shape) if size == 1]
    return gradient.sum(dim=axes).reshape(shape)
""",
            "Nearly. But where no axis was stretched your list is empty, and `sum` over an empty list of "
            "axes sums over all of them.",
        ),
        Misconception(
            "stretched axes first, with old numbers",
            """
def unbroadcast(gradient, shape):
    for i, size in enumerate(shape):
        if size == 1:
            gradient = gradient.sum(dim=i, keepdim=True)
    while gradient.dim() > len(shape):
        gradient = gradient.sum(dim=0)
    return gradient
""",
            "You sum the stretched axes first. As long as the added axes still stand in front, axis i of "
            "`shape` is not axis i of the gradient. Take the added ones away first.",
        ),
        Misconception(
            "always the first axis",
            """
def unbroadcast(gradient, shape):
    return gradient.sum(dim=0)
""",
            "You always sum over the first axis. Which axes were stretched can be read from `shape`, and it "
            "can be any of them, several, or none.",
        ),
        Misconception(
            "the first of each",
            """
def unbroadcast(gradient, shape):
    return gradient[0]
""",
            "You take the first row of the gradient. All copies are the same number, so all of their "
            "gradients belong to it: add them up, over every axis that was stretched.",
        ),
    ),
    hints=(
        "Lay `shape` under the gradient's shape, right ends flush. Where did a number appear more than once? "
        "Its effects add up.",
        "First sum away the axes in front, as many as the gradient has more than `shape`. Then go through "
        "`shape`: wherever it says 1, sum that axis and keep it, with size 1.",
    ),
    alternatives=(
        "def unbroadcast(gradient, shape):\n    return gradient.sum_to_size(shape)",
        """
def unbroadcast(gradient, shape):
    added = gradient.dim() - len(shape)
    axes = list(range(added)) + [added + i for i, size in enumerate(shape) if size == 1]
    if axes:
        gradient = gradient.sum(dim=axes)
    return gradient.reshape(shape)
""",
        """
def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.dim() - len(shape)) + tuple(shape)
    for i, (have, want) in enumerate(zip(gradient.shape, padded)):
        if have != want:
            gradient = gradient.sum(i, keepdim=True)
    return gradient.view(shape)
""",
        """
def unbroadcast(gradient, shape):
    small = torch.zeros(shape, dtype=gradient.dtype, requires_grad=True)
    stretched = small.expand(gradient.shape)
    return torch.autograd.grad(stretched, small, gradient)[0]
""",
    ),
)


EXERCISES = (
    OUTER,
    ONE_HOT,
    SAFE_MSE,
    BROADCAST_SHAPE,
    STANDARDIZE,
    UNBROADCAST,
    PAIRWISE_SQ_DISTANCES,
)
