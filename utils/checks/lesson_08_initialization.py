"""The exercises of lesson 08 as data: first weights, units that are the same, batch and layer norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .common import changed, normal, whole_number
from .exercise import Case, Exercise, Misconception, NotAsAsked
from .values import kind_words

# ------------------------------------------------------------- 08.xavier_uniform, 08.kaiming_normal

_ENOUGH = 5000  # weights from which on a spread is known to about 2%


def xavier_uniform(fan_in: int, fan_out: int, generator: torch.Generator, gain: float = 1.0) -> Tensor:
    """Uniform weights with variance gain² · 2 / (fan_in + fan_out), shape (fan_out, fan_in)."""
    bound = gain * (6 / (fan_in + fan_out)) ** 0.5
    return (2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * bound


def kaiming_normal(fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """Normal weights with variance 2 / fan_in, shape (fan_out, fan_in)."""
    return torch.randn(fan_out, fan_in, generator=generator) * (2 / fan_in) ** 0.5


def drawn(work: Callable, fan_in: int, fan_out: int, seed: int, *gain: float) -> dict[str, Any]:
    """Probe: what the weights look like. Any way to draw them is right, so no single value is looked at.

    Raises:
        NotAsAsked: if what comes is no tensor of decimal numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    W = work(fan_in, fan_out, generator, *gain)
    if W is None:
        raise NotAsAsked("Your function returns nothing (None). It should return the weights.")
    if not isinstance(W, Tensor) or not W.is_floating_point():
        raise NotAsAsked(f"Your function should return a tensor of decimal numbers, not {kind_words(W)}.")
    second = work(fan_in, fan_out, generator, *gain)
    again = work(fan_in, fan_out, torch.Generator().manual_seed(seed), *gain)
    looks: dict[str, Any] = {
        "shape": tuple(W.shape),
        "the same with the same generator": torch.equal(W, again),
        "the same when drawn a second time": torch.equal(W, second),
    }
    if W.numel() >= _ENOUGH:
        spread = W.std().item()
        looks["standard deviation"] = spread
        mean = W.mean().item()
        near = abs(mean) < 0.1 * spread + 1e-12
        looks["mean"] = "near 0" if near else ("above 0" if mean > 0 else "below 0")
        # 1.73 for a uniform distribution, above 3.5 for so many normally distributed numbers, 1 for ±c only
        largest = W.abs().max().item() / max(spread, 1e-12)
        looks["largest weight / standard deviation"] = (
            "below 1.6" if largest < 1.6 else "below 2" if largest < 2 else "above 2"
        )
    return looks


def _draw_cases(generator: torch.Generator, *, gains: bool) -> list[Case]:
    seed = whole_number(generator, 0, 10_000)
    n, m = whole_number(generator, 100, 160), whole_number(generator, 320, 400)
    first = (300, 100) if gains else (200, 400)
    cases = [
        Case("values", (*first, seed), "the example of the statement"),
        Case("values", (n, m, seed + 1), "more numbers out than in"),
        Case("values", (m, n, seed + 2), "more numbers in than out"),
        Case("shapes", (3, 2, seed + 3), "a small layer"),
        Case("shapes", (784, 10, seed + 4), "from pixels to classes"),
        Case("edge cases", (7, 1, seed + 5), "a single unit"),
    ]
    if gains:
        cases += [
            Case("values", (m, n, seed + 6, 5 / 3), "with the gain of tanh"),
            Case("values", (n, m, seed + 7, 0.5), "with a gain of one half"),
        ]
    return cases


def xavier_cases(generator: torch.Generator) -> list[Case]:
    return _draw_cases(generator, gains=True)


def kaiming_cases(generator: torch.Generator) -> list[Case]:
    return _draw_cases(generator, gains=False)


_DRAW_INPUTS = ("fan_in", "fan_out", "seed", "gain")

_XAVIER = (
    "def xavier_uniform(fan_in, fan_out, generator, gain=1.0):\n"
    "    bound = gain * (6 / (fan_in + fan_out)) ** 0.5\n"
    "    return (2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * bound\n"
)
_BOUND = "gain * (6 / (fan_in + fan_out)) ** 0.5"
_DRAW = "(2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * bound"

XAVIER = Exercise(
    id="08.xavier_uniform",
    name="xavier_uniform",
    title="Weights that keep the spread both ways",
    difficulty=2,
    points=3,
    minutes=10,
    cases=xavier_cases,
    reference=xavier_uniform,
    probe=drawn,
    input_names=_DRAW_INPUTS,
    result="weights of shape (fan_out, fan_in)",
    rtol=0.05,
    atol=0.0,
    misconceptions=(
        Misconception(
            "variance for bound",
            changed(_XAVIER, (_BOUND, "gain ** 2 * 2 / (fan_in + fan_out)")),
            "You take the variance itself as the bound. A uniform distribution from −a to a has the variance "
            "a² / 3: turn that round to find a.",
        ),
        Misconception(
            "standard deviation for bound",
            changed(_XAVIER, (_BOUND, "gain * (2 / (fan_in + fan_out)) ** 0.5")),
            "You take the standard deviation as the bound. Nearly all weights of a uniform distribution lie "
            "nearer to 0 than its bound, so its standard deviation is smaller, by √3.",
        ),
        Misconception(
            "variance a² for a² / 3, forgotten root",
            changed(_XAVIER, (_BOUND, "gain * 6 / (fan_in + fan_out)")),
            "Your bound is 6 / (fan_in + fan_out) without the root. That number is the bound's square.",
        ),
        Misconception(
            "fan-in only",
            changed(_XAVIER, (_BOUND, "gain * (3 / fan_in) ** 0.5")),
            "Your variance is 1 / fan_in, which keeps the signal on its way forward only. Xavier's is a "
            "compromise between forward (fan_in) and backward (fan_out).",
        ),
        Misconception(
            "fan-out only",
            changed(_XAVIER, (_BOUND, "gain * (3 / fan_out) ** 0.5")),
            "Your variance is 1 / fan_out, which keeps the gradient on its way back only. Xavier's is a "
            "compromise between forward (fan_in) and backward (fan_out).",
        ),
        Misconception(
            "nn.Linear's bound",
            changed(_XAVIER, (_BOUND, "gain / fan_in ** 0.5")),
            "This bound, 1 / √fan_in, is what `nn.Linear` uses by itself: its variance is 1 / (3 · fan_in). "
            "Start from the variance that is asked for.",
        ),
        Misconception(
            "normal, not uniform",
            changed(
                _XAVIER,
                (_DRAW, "torch.randn(fan_out, fan_in, generator=generator) * bound / 3 ** 0.5"),
            ),
            "The variance is right, but your weights are normally distributed: some lie outside the bound. "
            "A uniform distribution is asked for.",
        ),
        Misconception(
            "bound as the spread of a normal",
            changed(_XAVIER, (_DRAW, "torch.randn(fan_out, fan_in, generator=generator) * bound")),
            "You draw from a normal distribution and multiply by the bound, so most weights are right in "
            "size but about a third lie outside. A uniform distribution stays inside its bound.",
        ),
        Misconception(
            "only positive weights",
            changed(_XAVIER, (_DRAW, "torch.rand(fan_out, fan_in, generator=generator) * bound")),
            "All your weights are positive: `torch.rand` gives numbers from 0 to 1. They must lie on both "
            "sides of 0.",
        ),
        Misconception(
            "half as wide",
            changed(_XAVIER, (_DRAW, "(torch.rand(fan_out, fan_in, generator=generator) - 0.5) * bound")),
            "Your weights go from −bound / 2 to bound / 2. If you moved numbers between 0 and 1 down by one "
            "half: they are only one wide, and from −bound to bound it is twice the bound.",
        ),
        Misconception(
            "only negative weights",
            changed(_XAVIER, (_DRAW, "torch.rand(fan_out, fan_in, generator=generator) * bound - bound")),
            "None of your weights is positive: they go from −bound to 0. From −bound to bound it is twice "
            "the bound.",
        ),
        Misconception(
            "from 0 to twice the bound",
            changed(_XAVIER, (_DRAW, "2 * torch.rand(fan_out, fan_in, generator=generator) * bound")),
            "The width is right, but your weights go from 0 to twice the bound. Move them down by the bound.",
        ),
        Misconception(
            "moved before it is stretched",
            changed(_XAVIER, (_DRAW, "2 * torch.rand(fan_out, fan_in, generator=generator) - bound")),
            "You subtract the bound from numbers between 0 and 2, so your weights are two wide. What is "
            "moved down to lie around 0 has to be stretched by the bound as well.",
        ),
        Misconception(
            "one of two values",
            changed(
                _XAVIER,
                (
                    _DRAW,
                    "(2 * torch.randint(0, 2, (fan_out, fan_in), generator=generator) - 1) * bound / 3 ** "
                    "0.5",
                ),
            ),
            "The variance is right, but your weights take only the values at the two ends. In a uniform "
            "distribution all values between them are equally likely.",
        ),
        Misconception(
            "a bound twice too wide",
            changed(_XAVIER, (_BOUND, "gain * (24 / (fan_in + fan_out)) ** 0.5")),
            "Your bound is twice too large. If you started from (b − a)² / 12: it takes the whole width "
            "from end to end, and the bound is half of that.",
        ),
        Misconception(
            "Kaiming's bound",
            changed(_XAVIER, (_BOUND, "gain * (6 / fan_in) ** 0.5")),
            "Your variance is gain² · 2 / fan_in: that is Kaiming's, which looks at the way forward only. "
            "Xavier's takes both fans.",
        ),
        Misconception(
            "divided by the gain",
            changed(_XAVIER, (_BOUND, "(6 / (fan_in + fan_out)) ** 0.5 / gain")),
            "You divide by the gain. It makes up for what the activation takes away, so the weights have to "
            "grow with it.",
        ),
        Misconception(
            "rows and columns swapped",
            changed(_XAVIER, ("torch.rand(fan_out, fan_in,", "torch.rand(fan_in, fan_out,")),
            "Your W has a row for every input. As in `nn.Linear` it has a row for every unit: the shape is "
            "(fan_out, fan_in).",
        ),
        Misconception(
            "gain forgotten",
            changed(_XAVIER, (_BOUND, "(6 / (fan_in + fan_out)) ** 0.5")),
            "Your weights do not depend on `gain`.",
        ),
        Misconception(
            "gain twice",
            changed(_XAVIER, (_BOUND, "gain ** 2 * (6 / (fan_in + fan_out)) ** 0.5")),
            "You multiply the bound by gain². The variance has gain² in it, and the bound is its root.",
        ),
        Misconception(
            "root of the gain",
            changed(_XAVIER, (_BOUND, "(gain * 6 / (fan_in + fan_out)) ** 0.5")),
            "You multiply by the gain inside the root, so the bound grows with √gain only. The variance "
            "holds gain², and its root is gain.",
        ),
        Misconception(
            "generator not used",
            changed(
                _XAVIER, ("torch.rand(fan_out, fan_in, generator=generator)", "torch.rand(fan_out, fan_in)")
            ),
            "You draw from torch's global generator. Hand the generator on to where the numbers are drawn, "
            "or nobody can draw the same weights again.",
        ),
        Misconception(
            "generator set back",
            changed(_XAVIER, ("    bound", "    generator.manual_seed(0)\n    bound")),
            "You set the generator back (or make a new one) at each call, so every layer of a network would "
            "get the same weights. Use the generator as it comes.",
        ),
        Misconception(
            "fans multiplied",
            changed(_XAVIER, (_BOUND, "gain * (6 / (fan_in * fan_out)) ** 0.5")),
            "You multiply fan_in by fan_out. Their sum is what the formula has: half of it is their mean.",
        ),
        Misconception(
            "mean of the fans counted twice",
            changed(_XAVIER, (_BOUND, "gain * (3 / (fan_in + fan_out)) ** 0.5")),
            "Your variance is half of what is asked for: the 2 in 2 / (fan_in + fan_out) is missing.",
        ),
    ),
    hints=(
        "Which bound a has a uniform distribution whose variance is the one asked for? Solve a² / 3 = "
        "gain² · 2 / (fan_in + fan_out) on paper.",
        "Compute the bound. Draw numbers between 0 and 1 with the generator, in the shape (fan_out, fan_in). "
        "Stretch and move them so that they lie between −bound and bound.",
    ),
    alternatives=(
        "def xavier_uniform(fan_in, fan_out, generator, gain=1.0):\n"
        "    a = gain * math.sqrt(6 / (fan_in + fan_out))\n"
        "    return torch.empty(fan_out, fan_in).uniform_(-a, a, generator=generator)\n",
        "def xavier_uniform(fan_in, fan_out, generator, gain=1.0):\n"
        "    W = torch.empty(fan_out, fan_in)\n"
        "    return torch.nn.init.xavier_uniform_(W, gain, generator=generator)\n",
        "def xavier_uniform(fan_in, fan_out, generator, gain=1.0):\n"
        "    std = gain * (2 / (fan_in + fan_out)) ** 0.5\n"
        "    return (torch.rand((fan_out, fan_in), generator=generator) - 0.5) * 12 ** 0.5 * std\n",
    ),
)

_KAIMING = (
    "def kaiming_normal(fan_in, fan_out, generator):\n"
    "    std = (2 / fan_in) ** 0.5\n"
    "    return torch.randn(fan_out, fan_in, generator=generator) * std\n"
)
_STD = "(2 / fan_in) ** 0.5"

KAIMING = Exercise(
    id="08.kaiming_normal",
    name="kaiming_normal",
    title="Weights for a layer with ReLU",
    difficulty=2,
    points=3,
    minutes=5,
    cases=kaiming_cases,
    reference=kaiming_normal,
    probe=drawn,
    input_names=_DRAW_INPUTS[:3],
    result="weights of shape (fan_out, fan_in)",
    rtol=0.05,
    atol=0.0,
    misconceptions=(
        Misconception(
            "fan-out",
            changed(_KAIMING, (_STD, "(2 / fan_out) ** 0.5")),
            "You divide by fan_out: that keeps the gradient on its way back. On the way forward each unit "
            "adds up fan_in products.",
        ),
        Misconception(
            "no √2",
            changed(_KAIMING, (_STD, "(1 / fan_in) ** 0.5")),
            "Your variance is 1 / fan_in, which would do without a ReLU. A ReLU halves the mean of the "
            "squares, and the weights have to make up for it.",
        ),
        Misconception(
            "variance for standard deviation",
            changed(_KAIMING, (_STD, "2 / fan_in")),
            "You multiply by the variance. The factor for normal numbers is the standard deviation, its "
            "root.",
        ),
        Misconception(
            "Xavier's variance",
            changed(_KAIMING, (_STD, "(2 / (fan_in + fan_out)) ** 0.5")),
            "This is Xavier's variance, 2 / (fan_in + fan_out): a compromise between forward and back, made "
            "for an activation that is straight near 0. For ReLU on the way forward only fan_in counts.",
        ),
        Misconception(
            "2 / √fan_in",
            changed(_KAIMING, (_STD, "2 / fan_in ** 0.5")),
            "You take the root of fan_in only. The 2 belongs under the root as well.",
        ),
        Misconception(
            "√2 / fan_in",
            changed(_KAIMING, (_STD, "2 ** 0.5 / fan_in")),
            "You take the root of 2 only. fan_in belongs under the root as well.",
        ),
        Misconception(
            "multiplied instead of divided",
            changed(_KAIMING, (_STD, "(2 * fan_in) ** 0.5")),
            "Your weights grow with fan_in. The more products a unit adds up, the smaller each has to be.",
        ),
        Misconception(
            "divided by the factor",
            changed(_KAIMING, (_STD, "(fan_in / 2) ** 0.5")),
            "Your factor is upside down: for 200 inputs it is 10, not 0.1.",
        ),
        Misconception(
            "uniform, not normal",
            changed(
                _KAIMING,
                (
                    "torch.randn(fan_out, fan_in, generator=generator) * std",
                    "(2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * 3 ** 0.5 * std",
                ),
            ),
            "The variance is right, but your weights are uniformly distributed: none is larger than "
            "1.73 standard deviations. A normal distribution is asked for.",
        ),
        Misconception(
            "a bound for a uniform distribution, with the standard deviation",
            changed(
                _KAIMING,
                (
                    "torch.randn(fan_out, fan_in, generator=generator) * std",
                    "(2 * torch.rand(fan_out, fan_in, generator=generator) - 1) * std",
                ),
            ),
            "You draw uniformly between −std and std, which has a smaller spread than std. A normal "
            "distribution is asked for: `torch.randn`.",
        ),
        Misconception(
            "rand for randn",
            changed(_KAIMING, ("torch.randn(", "torch.rand(")),
            "`torch.rand` gives numbers between 0 and 1, so all your weights are positive. `torch.randn` "
            "gives normal ones.",
        ),
        Misconception(
            "rows and columns swapped",
            changed(_KAIMING, ("torch.randn(fan_out, fan_in,", "torch.randn(fan_in, fan_out,")),
            "Your W has a row for every input. As in `nn.Linear` it has a row for every unit: the shape is "
            "(fan_out, fan_in).",
        ),
        Misconception(
            "generator not used",
            changed(_KAIMING, (", generator=generator", "")),
            "You draw from torch's global generator. Hand the generator on to where the numbers are drawn, "
            "or nobody can draw the same weights again.",
        ),
        Misconception(
            "generator set back",
            changed(_KAIMING, ("    std", "    generator.manual_seed(0)\n    std")),
            "You set the generator back (or make a new one) at each call, so every layer of a network would "
            "get the same weights. Use the generator as it comes.",
        ),
        Misconception(
            "Xavier with the gain of ReLU",
            changed(_KAIMING, (_STD, "(4 / (fan_in + fan_out)) ** 0.5")),
            "This is Xavier's variance with the gain √2: it takes the mean of both fans. For the way forward "
            "only fan_in counts.",
        ),
        Misconception(
            "a bound for a spread",
            changed(_KAIMING, (_STD, "(6 / fan_in) ** 0.5")),
            "√(6 / fan_in) is the bound of a uniform distribution with the right variance. Normal numbers "
            "are multiplied by the standard deviation, which is smaller by √3.",
        ),
        Misconception(
            "divided by fan-in",
            changed(_KAIMING, (_STD, "1 / fan_in")),
            "You divide by fan_in itself. A sum of fan_in terms of different signs grows like √fan_in only.",
        ),
        Misconception(
            "standard normal numbers",
            changed(_KAIMING, (_STD, "1.0")),
            "Your weights have the standard deviation 1, whatever fan_in is. Then every layer makes the "
            "signal larger by about √(fan_in / 2).",
        ),
        Misconception(
            "always 0.1",
            changed(_KAIMING, (_STD, "0.1")),
            "0.1 is right for the example with fan_in = 200. Your standard deviation has to depend on "
            "fan_in.",
        ),
        Misconception(
            "always 0.01",
            changed(_KAIMING, (_STD, "0.01")),
            'Your standard deviation is 0.01, whatever fan_in is. "Small random numbers" are lost in a '
            "deep network; the right size depends on fan_in.",
        ),
        Misconception(
            "all the same",
            changed(
                _KAIMING,
                (
                    "torch.randn(fan_out, fan_in, generator=generator) * std",
                    "torch.full((fan_out, fan_in), std)",
                ),
            ),
            "All your weights are the same number, so all units stay the same for ever. Draw them at random.",
        ),
        Misconception(
            "the spread as the mean",
            changed(
                _KAIMING,
                (
                    "torch.randn(fan_out, fan_in, generator=generator) * std",
                    "torch.randn(fan_out, fan_in, generator=generator) + std",
                ),
            ),
            "You add the standard deviation, which moves the mean. Multiply by it, and the mean stays 0.",
        ),
        Misconception(
            "ReLU on the weights",
            changed(
                _KAIMING,
                (
                    "torch.randn(fan_out, fan_in, generator=generator) * std",
                    "torch.relu(torch.randn(fan_out, fan_in, generator=generator) * std)",
                ),
            ),
            "You send the weights through a ReLU. It comes after the layer, and acts on what the layer "
            "gives, not on its weights.",
        ),
        Misconception(
            "twice the gain",
            changed(_KAIMING, (_STD, "2 * (1 / fan_in) ** 0.5 * 2 ** 0.5")),
            "Your standard deviation is twice too large: the factor for the ReLU is in it more than once.",
        ),
        Misconception(
            "root of four",
            changed(_KAIMING, (_STD, "(1 / (2 * fan_in)) ** 0.5")),
            "You divide by the 2. The ReLU makes the signal weaker, so the weights have to be larger than "
            "without it, not smaller.",
        ),
    ),
    hints=(
        "Which variance of the weights keeps the mean of the squares if half of it is thrown away at every "
        "layer?",
        "Standard normal numbers of shape (fan_out, fan_in), drawn with the generator, times the root of "
        "that variance.",
    ),
    alternatives=(
        "def kaiming_normal(fan_in, fan_out, generator):\n"
        "    W = torch.empty(fan_out, fan_in)\n"
        "    return torch.nn.init.kaiming_normal_(W, nonlinearity='relu', generator=generator)\n",
        "def kaiming_normal(fan_in, fan_out, generator):\n"
        "    return torch.empty((fan_out, fan_in)).normal_(0, math.sqrt(2 / fan_in), generator=generator)\n",
        "def kaiming_normal(fan_in, fan_out, generator):\n"
        "    zeros = torch.zeros(fan_out, fan_in)\n"
        "    return torch.normal(zeros, math.sqrt(2) / math.sqrt(fan_in), generator=generator)\n",
    ),
)


# ----------------------------------------------------------------------------------- 08.same_units


def same_units(W: Tensor, b: Tensor) -> int:
    """How many different rows the weights have together with their biases."""
    units = torch.cat([W, b[:, None]], dim=1)
    return len(torch.unique(units, dim=0))


def same_units_cases(generator: torch.Generator) -> list[Case]:
    """Layers in which some units are the same, side by side or apart."""
    n, m = whole_number(generator, 4, 20), whole_number(generator, 2, 3)
    base = normal(generator, n, m)
    scattered = torch.cat([base, base.flip(0), base[:2]])
    biases = torch.cat([torch.zeros(n), torch.zeros(n), torch.ones(2)])
    example = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [0.0, 3.0]])
    turned = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    return [
        Case("values", (example, torch.tensor([0.0, 0.0, 5.0, 0.0])), "the example of the statement"),
        Case("values", (scattered, biases), "equal units that are not neighbours"),
        Case("values", (turned, torch.tensor([0.0, 0.0, 0.0, 7.0])), "rows with equal sums"),
        Case("values", (torch.randn(n, m, generator=generator), torch.zeros(n)), "all different, as drawn"),
        Case("shapes", (torch.ones(1, 5), torch.zeros(1)), "a single unit"),
        Case("shapes", (torch.tensor([[1.0], [2.0], [1.0]]), torch.tensor([1.0, 0.0, 1.0])), "one input"),
        Case("edge cases", (torch.zeros(7, 4), torch.zeros(7)), "all weights zero: a single unit, in truth"),
        Case("edge cases", (torch.zeros(3, 4), torch.tensor([0.0, 1.0, 2.0])), "only the biases differ"),
        Case("types", (example.double(), torch.tensor([0.0, 0.0, 5.0, 0.0]).double()), "float64"),
    ]


def _same_units(body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"def same_units(W, b):\n{lines}"


SAME_UNITS = Exercise(
    id="08.same_units",
    name="same_units",
    title="How many units are really there?",
    difficulty=1,
    points=2,
    minutes=5,
    cases=same_units_cases,
    reference=same_units,
    result="a whole number, how many units are different",
    misconceptions=(
        Misconception(
            "ignores the bias",
            _same_units("return len(torch.unique(W, dim=0))"),
            "You look at the weights only. Two units with the same weights and different biases bend at "
            "different places: they are different.",
        ),
        Misconception(
            "counts different numbers",
            _same_units("return len(torch.unique(W))"),
            "You count the different numbers in W. A unit is a whole row: without `dim`, `unique` takes all "
            "entries one by one.",
        ),
        Misconception(
            "counts columns",
            _same_units("return torch.unique(W, dim=1).shape[1]"),
            "You compare columns: they are the inputs. Each unit is a row of W.",
        ),
        Misconception(
            "counts the copies",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\nreturn len(W) - len(torch.unique(units, dim=0))"
            ),
            "You count how many units are superfluous. Asked for is how many different ones there are.",
        ),
        Misconception(
            "counts all units",
            _same_units("return len(W)"),
            "You count all units, the copies as well. (If you used a set: it takes tensors for different "
            "even if they hold the same numbers. `.tolist()` makes plain numbers of them.)",
        ),
        Misconception(
            "only neighbours",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\n"
                "return len(torch.unique_consecutive(units, dim=0))"
            ),
            "You compare each unit with its neighbour only. Equal units may stand apart.",
        ),
        Misconception(
            "by their sums",
            _same_units("return len(torch.unique(W.sum(dim=1) + b))"),
            "You compare sums. Different rows can have the same sum, and so would count as one. Compare "
            "entry by entry.",
        ),
        Misconception(
            "compared with the first",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\n"
                "return 1 + (units != units[0]).any(dim=1).sum().item()"
            ),
            "You compare all units with the first one only. Two others can be equal to each other.",
        ),
        Misconception(
            "weights and biases apart",
            _same_units("return max(len(torch.unique(W, dim=0)), len(torch.unique(b)))"),
            "You count weights and biases apart and take the larger number. What counts is whether weights "
            "and bias are the same in the same two units.",
        ),
        Misconception(
            "products of the counts",
            _same_units("return len(torch.unique(W, dim=0)) * len(torch.unique(b))"),
            "You multiply the number of different rows by the number of different biases. That is how many "
            "pairs could be formed, not how many there are.",
        ),
        Misconception(
            "yes or no",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\nreturn len(torch.unique(units, dim=0)) < len(W)"
            ),
            "You return whether some are the same (True or False). Asked for is how many different ones "
            "there are.",
        ),
        Misconception(
            "the units themselves",
            _same_units("return torch.unique(torch.cat([W, b[:, None]], dim=1), dim=0)"),
            "You return the different units. Asked for is how many there are: a number.",
        ),
        Misconception(
            "the bias as another unit",
            _same_units("rows = {tuple(row) for row in W.tolist()}\nreturn len(rows) + len(set(b.tolist()))"),
            "You count rows and biases separately and add up. Weights and bias of a unit belong together: "
            "put them side by side first.",
        ),
        Misconception(
            "only those without a copy",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\n"
                "_, counts = torch.unique(units, dim=0, return_counts=True)\n"
                "return (counts == 1).sum().item()"
            ),
            "You count only units that have no copy. Those with copies are one more unit for each kind.",
        ),
        Misconception(
            "only kinds with copies",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1)\n"
                "_, counts = torch.unique(units, dim=0, return_counts=True)\n"
                "return (counts > 1).sum().item()"
            ),
            "You count the kinds that have copies. A unit without a copy counts as well.",
        ),
        Misconception(
            "pairs taken away",
            _same_units(
                "count = len(W)\n"
                "for i in range(len(W)):\n"
                "    count -= sum(torch.equal(W[i], W[j]) and bool(b[i] == b[j]) for j in range(i))\n"
                "return count"
            ),
            "You take away one for every equal pair. Three equal units make three pairs, but only two of "
            "them are superfluous.",
        ),
        Misconception(
            "compared with itself",
            _same_units(
                "count = 0\n"
                "for i in range(len(W)):\n"
                "    if not any(torch.equal(W[i], W[j]) and bool(b[i] == b[j]) for j in range(len(W))):\n"
                "        count += 1\n"
                "return count"
            ),
            "You get 0 always: each unit is compared with itself, too, and is equal to that.",
        ),
        Misconception(
            "order of the weights ignored",
            _same_units(
                "units = torch.cat([W, b[:, None]], dim=1).sort(dim=1).values\n"
                "return len(torch.unique(units, dim=0))"
            ),
            "You sort the numbers of each unit before you compare. The same weights at other inputs make "
            "another unit.",
        ),
        Misconception(
            "counts the numbers",
            _same_units("return torch.unique(torch.cat([W, b[:, None]], dim=1), dim=0).numel()"),
            "You count the numbers in the different rows (`numel`), not the rows.",
        ),
        Misconception(
            "the rank",
            _same_units("return torch.linalg.matrix_rank(torch.cat([W, b[:, None]], dim=1)).item()"),
            "You compute the rank. Units that are multiples or sums of others lower it, and yet they are "
            "different units.",
        ),
        Misconception(
            "bias added to the weights",
            _same_units("return len(torch.unique(W + b[:, None], dim=0))"),
            "You add the bias to every weight. Then different units can look the same. Put it beside the "
            "weights, as one more number.",
        ),
    ),
    hints=(
        "Everything that makes a unit: its row of weights and its bias. When are two of them the same?",
        "Put the bias beside the weights as one more column. Then count the different rows.",
    ),
    alternatives=(
        _same_units("return len({(*row, bias) for row, bias in zip(W.tolist(), b.tolist(), strict=True)})"),
        _same_units(
            "units = torch.cat([W, b.unsqueeze(1)], dim=1)\n"
            "seen = []\n"
            "for unit in units:\n"
            "    if not any(torch.equal(unit, other) for other in seen):\n"
            "        seen.append(unit)\n"
            "return len(seen)"
        ),
        _same_units("return torch.unique(torch.column_stack([W, b]), dim=0).shape[0]"),
    ),
)


# ------------------------------------------------- 08.batch_norm_train, 08.batch_norm_eval, 08.layer_norm


def batch_norm_train(
    X: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm in training mode: the output and the new running statistics, as torch computes them."""
    mean, var = X.mean(dim=0), X.var(dim=0, unbiased=False)
    out = gamma * (X - mean) / torch.sqrt(var + eps) + beta
    new_mean = (1 - momentum) * running_mean + momentum * mean
    new_var = (1 - momentum) * running_var + momentum * X.var(dim=0)
    return out, new_mean, new_var


def _statistics(generator: torch.Generator, features: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """gamma, beta, running mean and running variance, all far from 0 and 1 and from each other."""
    gamma = 0.5 + torch.rand(features, generator=generator)
    beta = normal(generator, features) + 3
    mean = normal(generator, features, scale=2)
    var = 0.3 + 4 * torch.rand(features, generator=generator)
    return gamma, beta, mean, var


def batch_norm_train_cases(generator: torch.Generator) -> list[Case]:
    one = [torch.tensor([v]) for v in (2.0, 10.0, 0.0, 1.0)]
    B, n = whole_number(generator, 5, 8), whole_number(generator, 3, 4)
    wide = normal(generator, B, n) * torch.tensor([0.5, 2.0, 5.0, 1.0])[:n] + torch.arange(n)
    square = normal(generator, n, n, scale=2) + 1
    flat = torch.cat([torch.full((4, 1), 5.0), normal(generator, 4, 1)], dim=1)
    tiny = 0.004 * normal(generator, 6, 2)
    return [
        Case("values", (torch.tensor([[1.0], [5.0]]), *one), "the example of the statement"),
        Case("values", (wide, *_statistics(generator, n)), "features of different spread"),
        Case(
            "values", (square, *_statistics(generator, n), 0.3), "momentum 0.3, as many examples as features"
        ),
        Case("values", (tiny, *_statistics(generator, 2)), "a spread so small that eps counts"),
        Case("values", (wide, *_statistics(generator, n), 0.1, 0.5), "a large eps"),
        Case("types", (wide.double(), *(s.double() for s in _statistics(generator, n))), "float64"),
        Case("shapes", (normal(generator, 2, 5), *_statistics(generator, 5)), "the smallest batch"),
        Case("shapes", (normal(generator, 9, 1), *_statistics(generator, 1)), "a single feature"),
        Case("edge cases", (flat, *_statistics(generator, 2)), "a feature that is the same in all examples"),
        Case("edge cases", (wide, *_statistics(generator, n), 1.0), "momentum 1: only this batch counts"),
    ]


_BN = (
    "def batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):\n"
    "    mean, var = X.mean(dim=0), X.var(dim=0, unbiased=False)\n"
    "    out = gamma * (X - mean) / torch.sqrt(var + eps) + beta\n"
    "    new_mean = (1 - momentum) * running_mean + momentum * mean\n"
    "    new_var = (1 - momentum) * running_var + momentum * X.var(dim=0)\n"
    "    return out, new_mean, new_var\n"
)
_OUT = "gamma * (X - mean) / torch.sqrt(var + eps) + beta"

BATCH_NORM_TRAIN = Exercise(
    id="08.batch_norm_train",
    name="batch_norm_train",
    title="Batch norm while training",
    difficulty=3,
    points=5,
    minutes=15,
    cases=batch_norm_train_cases,
    reference=batch_norm_train,
    output_names=("output", "running mean", "running variance"),
    result="the output, the new running mean and the new running variance",
    rtol=1e-4,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "unbiased where biased belongs",
            changed(_BN, ("X.var(dim=0, unbiased=False)", "X.var(dim=0)")),
            "You normalise with the variance divided by B − 1, torch's default. Then the output's spread is "
            "below 1, and in a batch of two by a third. The batch itself is described by the biased one.",
        ),
        Misconception(
            "biased where unbiased belongs",
            changed(_BN, ("momentum * X.var(dim=0)", "momentum * var")),
            "Your output is right, but the running variance takes the biased variance. It is to guess the "
            "variance of all data, so this batch's is divided by B − 1.",
        ),
        Misconception(
            "the two variances swapped",
            changed(
                _BN,
                ("X.var(dim=0, unbiased=False)", "X.var(dim=0)"),
                ("momentum * X.var(dim=0)\n", "momentum * X.var(dim=0, unbiased=False)\n"),
            ),
            "You have both variances, at each other's places: the biased one normalises the batch, the "
            "unbiased one goes into the running variance.",
        ),
        Misconception(
            "running statistics the wrong way round",
            changed(
                _BN,
                (
                    "(1 - momentum) * running_mean + momentum * mean",
                    "momentum * running_mean + (1 - momentum) * mean",
                ),
                (
                    "(1 - momentum) * running_var + momentum * X.var(dim=0)",
                    "momentum * running_var + (1 - momentum) * X.var(dim=0)",
                ),
            ),
            "Your running statistics keep the share `momentum` of the old and take the rest from this batch. "
            "In batch norm it is the other way round: momentum is the weight of the new. With 0.1 one batch "
            "counts a tenth.",
        ),
        Misconception(
            "gamma and beta forgotten",
            changed(_BN, (_OUT, "(X - mean) / torch.sqrt(var + eps)")),
            "You normalise, but gamma and beta are not used. With them the network can choose another scale "
            "and shift for each feature.",
        ),
        Misconception(
            "gamma forgotten",
            changed(_BN, (_OUT, "(X - mean) / torch.sqrt(var + eps) + beta")),
            "The normalised values are not multiplied by gamma.",
        ),
        Misconception(
            "beta forgotten",
            changed(_BN, (_OUT, "gamma * (X - mean) / torch.sqrt(var + eps)")),
            "beta is not added to the output.",
        ),
        Misconception(
            "gamma and beta swapped",
            changed(_BN, (_OUT, "beta * (X - mean) / torch.sqrt(var + eps) + gamma")),
            "You multiply by beta and add gamma. It is the other way round.",
        ),
        Misconception(
            "beta before gamma",
            changed(_BN, (_OUT, "gamma * ((X - mean) / torch.sqrt(var + eps) + beta)")),
            "You add beta before you multiply, so gamma stretches beta as well. The shift comes last.",
        ),
        Misconception(
            "over the features",
            changed(
                _BN,
                (
                    "X.mean(dim=0), X.var(dim=0, unbiased=False)",
                    "X.mean(dim=1, keepdim=True), X.var(dim=1, unbiased=False, keepdim=True)",
                ),
                ("momentum * mean", "momentum * X.mean(dim=0)"),
            ),
            "You normalise every example over its features: that is layer norm. Batch norm takes mean and "
            "variance of each feature over the batch, down the columns.",
        ),
        Misconception(
            "over the whole batch",
            changed(
                _BN,
                ("X.mean(dim=0), X.var(dim=0, unbiased=False)", "X.mean(), X.var(unbiased=False)"),
                ("momentum * X.var(dim=0)", "momentum * X.var()"),
            ),
            "You take one mean and one variance for all numbers of the batch. Every feature has its own.",
        ),
        Misconception(
            "eps outside the root",
            changed(_BN, ("torch.sqrt(var + eps)", "(torch.sqrt(var) + eps)")),
            "You add eps to the root. It belongs under it, to the variance: with a small spread or a large "
            "eps the difference shows.",
        ),
        Misconception(
            "eps forgotten",
            changed(_BN, ("torch.sqrt(var + eps)", "torch.sqrt(var)")),
            "Without eps a feature that is the same in the whole batch gives 0 / 0, and the network is full "
            "of nan.",
        ),
        Misconception(
            "divided by the variance",
            changed(_BN, ("torch.sqrt(var + eps)", "(var + eps)")),
            "You divide by the variance. Its root, the standard deviation, has the same unit as the values.",
        ),
        Misconception(
            "mean not subtracted",
            changed(_BN, ("gamma * (X - mean)", "gamma * X")),
            "You divide by the spread, but the mean is still in it. Subtract it first.",
        ),
        Misconception(
            "normalises with the running statistics",
            changed(
                _BN,
                (_OUT, "gamma * (X - running_mean) / torch.sqrt(running_var + eps) + beta"),
            ),
            "Your output uses the running statistics: that is what batch norm does in evaluation. While "
            "training the batch's own are used.",
        ),
        Misconception(
            "normalises with the new running statistics",
            changed(
                _BN,
                ("    out = " + _OUT + "\n", ""),
                (
                    "    return",
                    "    out = gamma * (X - new_mean) / torch.sqrt(new_var + eps) + beta\n    return",
                ),
            ),
            "You renew the running statistics and normalise with them then. While training the batch's own "
            "mean and variance are used; the running ones are for later.",
        ),
        Misconception(
            "running statistics not renewed",
            changed(
                _BN,
                ("(1 - momentum) * running_mean + momentum * mean", "running_mean"),
                ("(1 - momentum) * running_var + momentum * X.var(dim=0)", "running_var"),
            ),
            "Your output is right, but the running statistics come back as they were. Without being renewed "
            "they know nothing of the data when they are needed.",
        ),
        Misconception(
            "the batch's statistics returned",
            changed(
                _BN,
                ("(1 - momentum) * running_mean + momentum * mean", "mean"),
                ("(1 - momentum) * running_var + momentum * X.var(dim=0)", "X.var(dim=0)"),
            ),
            "You return this batch's statistics as the running ones. They should move towards them only by "
            "the share `momentum`.",
        ),
        Misconception(
            "running standard deviation",
            changed(_BN, ("momentum * X.var(dim=0)", "momentum * X.std(dim=0)")),
            "Your running variance takes in the standard deviation. It has to be the variance, its square.",
        ),
        Misconception(
            "added up without fading",
            changed(
                _BN,
                ("(1 - momentum) * running_mean", "running_mean"),
                ("(1 - momentum) * running_var", "running_var"),
            ),
            "You add the new share without making the old smaller, so the running statistics grow without "
            "end. Old and new share one whole.",
        ),
        Misconception(
            "always a tenth",
            changed(
                _BN,
                ("(1 - momentum) * running_mean + momentum * mean", "0.9 * running_mean + 0.1 * mean"),
                (
                    "(1 - momentum) * running_var + momentum * X.var(dim=0)",
                    "0.9 * running_var + 0.1 * X.var(dim=0)",
                ),
            ),
            "Your running statistics do not depend on `momentum`.",
        ),
        Misconception(
            "torch's std",
            changed(_BN, ("torch.sqrt(var + eps)", "X.std(dim=0)")),
            "You divide by `X.std()`: that is the unbiased one, divided by B − 1, and eps is missing.",
        ),
        Misconception(
            "sum for mean",
            changed(_BN, ("X.var(dim=0, unbiased=False)", "((X - X.mean(dim=0)) ** 2).sum(dim=0)")),
            "You add up the squared deviations and do not divide by B. The variance is their mean.",
        ),
        Misconception(
            "mean square for variance",
            changed(_BN, ("X.var(dim=0, unbiased=False)", "(X ** 2).mean(dim=0)")),
            "You take the mean of the squares of X. The variance is the mean square of what is left once the "
            "mean is subtracted.",
        ),
        Misconception(
            "brackets forgotten",
            changed(_BN, (_OUT, "gamma * X - mean / torch.sqrt(var + eps) + beta")),
            "Your brackets are missing: `*` and `/` come before `-`, so X is not divided and the mean not "
            "multiplied.",
        ),
        Misconception(
            "divided by gamma",
            changed(_BN, (_OUT, "(X - mean) / torch.sqrt(var + eps) / gamma + beta")),
            "You divide by gamma. The normalised values are multiplied by it.",
        ),
        Misconception(
            "running mean the wrong way round",
            changed(
                _BN,
                (
                    "(1 - momentum) * running_mean + momentum * mean",
                    "momentum * running_mean + (1 - momentum) * mean",
                ),
            ),
            "Your running mean keeps the share `momentum` of the old, your running variance that of the new. "
            "The second is right for both.",
        ),
        Misconception(
            "wrong way round, and biased",
            changed(
                _BN,
                (
                    "(1 - momentum) * running_mean + momentum * mean",
                    "momentum * running_mean + (1 - momentum) * mean",
                ),
                (
                    "(1 - momentum) * running_var + momentum * X.var(dim=0)",
                    "momentum * running_var + (1 - momentum) * var",
                ),
            ),
            "Two things about the running statistics: momentum is the share of the new, not of the old; and "
            "the running variance takes the variance divided by B − 1.",
        ),
        Misconception(
            "only the variance renewed",
            changed(_BN, ("(1 - momentum) * running_mean + momentum * mean", "running_mean")),
            "The running variance is renewed, but the running mean comes back as it was.",
        ),
        Misconception(
            "from the beginning each time",
            changed(
                _BN,
                ("(1 - momentum) * running_mean", "(1 - momentum) * 0"),
                ("(1 - momentum) * running_var", "(1 - momentum) * 1"),
            ),
            "You start from 0 and 1 at each call. That is how the running statistics begin; from then on the "
            "old ones are handed in.",
        ),
        Misconception(
            "statistics of the output",
            changed(
                _BN,
                ("momentum * mean", "momentum * out.mean(dim=0)"),
                ("momentum * X.var(dim=0)", "momentum * out.var(dim=0)"),
            ),
            "Your running statistics take mean and variance of the output. They have to describe what comes "
            "in, X.",
        ),
        Misconception(
            "the two statistics in the wrong order",
            changed(_BN, ("return out, new_mean, new_var", "return out, new_var, new_mean")),
            "Your running variance stands where the running mean belongs. The order is: output, mean, "
            "variance.",
        ),
        Misconception(
            "output last",
            changed(_BN, ("return out, new_mean, new_var", "return new_mean, new_var, out")),
            "You return the running statistics first. The order is: output, mean, variance.",
        ),
        Misconception(
            "a layer made anew",
            changed(
                _BN,
                (
                    "    return out, new_mean, new_var",
                    "    layer = torch.nn.BatchNorm1d(X.shape[1], eps, momentum).to(X.dtype)\n"
                    "    return layer(X).detach(), layer.running_mean, layer.running_var",
                ),
            ),
            "You make a new layer at each call. It has its own gamma, beta and running statistics, and knows "
            "nothing of those that are handed in.",
        ),
        Misconception(
            "only the output",
            changed(_BN, ("return out, new_mean, new_var", "return out")),
            "You return the output alone. The new running statistics are asked for as well.",
        ),
        Misconception(
            "running variance with eps",
            changed(_BN, ("momentum * X.var(dim=0)\n", "momentum * (X.var(dim=0) + eps)\n")),
            "eps has got into the running variance. It is added only where it is divided by.",
        ),
        Misconception(
            "eps under no root, spread unbiased",
            changed(_BN, ("torch.sqrt(var + eps)", "(X.std(dim=0) + eps)")),
            "You divide by `X.std()` + eps: that standard deviation is the unbiased one, and eps stands "
            "outside the root.",
        ),
    ),
    hints=(
        "Work down the columns. There are two variances, one divided by B and one divided by B − 1: which "
        "is for what?",
        "Mean and biased variance of each column; subtract, divide by the root of variance plus eps, times "
        "gamma, plus beta. Then each running value: the share 1 − momentum of the old plus the share "
        "momentum of this batch's.",
    ),
    alternatives=(
        "def batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):\n"
        "    mean, var = running_mean.clone(), running_var.clone()\n"
        "    out = torch.nn.functional.batch_norm(X, mean, var, gamma, beta, True, momentum, eps)\n"
        "    return out, mean, var\n",
        "def batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):\n"
        "    B = len(X)\n"
        "    mean = X.sum(0) / B\n"
        "    centred = X - mean\n"
        "    var = (centred ** 2).sum(0) / B\n"
        "    out = centred * (gamma * (var + eps) ** -0.5) + beta\n"
        "    new_mean = running_mean + momentum * (mean - running_mean)\n"
        "    new_var = running_var + momentum * (var * B / (B - 1) - running_var)\n"
        "    return out, new_mean, new_var\n",
        "def batch_norm_train(X, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):\n"
        "    var, mean = torch.var_mean(X, dim=0, correction=0)\n"
        "    out = (X - mean) / (var + eps).sqrt() * gamma + beta\n"
        "    new_mean = torch.lerp(running_mean, mean, momentum)\n"
        "    return out, new_mean, torch.lerp(running_var, X.var(0), momentum)\n",
    ),
)


def batch_norm_eval(
    X: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor, eps: float = 1e-05
) -> Tensor:
    """Batch norm in evaluation mode."""
    return gamma * (X - running_mean) / torch.sqrt(running_var + eps) + beta


def batch_norm_eval_cases(generator: torch.Generator) -> list[Case]:
    one = [torch.tensor([v]) for v in (2.0, 10.0, 3.0, 4.0)]
    B, n = whole_number(generator, 5, 8), whole_number(generator, 3, 4)
    X = normal(generator, B, n, scale=2)
    gamma, beta, mean, _ = _statistics(generator, 2)
    return [
        Case("values", (torch.tensor([[7.0]]), *one), "the example of the statement"),
        Case("values", (X, *_statistics(generator, n)), "a batch"),
        Case("values", (normal(generator, n, n), *_statistics(generator, n), 0.5), "a large eps"),
        Case("types", (X.double(), *(s.double() for s in _statistics(generator, n))), "float64"),
        Case("shapes", (normal(generator, 1, 4), *_statistics(generator, 4)), "a batch of one"),
        Case("shapes", (normal(generator, 6, 1), *_statistics(generator, 1)), "a single feature"),
        Case(
            "edge cases",
            (normal(generator, 3, 2, scale=0.01), gamma, beta, mean, torch.zeros(2)),
            "a running variance of 0",
        ),
    ]


_BN_EVAL = (
    "def batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-5):\n"
    "    return gamma * (X - running_mean) / torch.sqrt(running_var + eps) + beta\n"
)
_EVAL_OUT = "gamma * (X - running_mean) / torch.sqrt(running_var + eps) + beta"

BATCH_NORM_EVAL = Exercise(
    id="08.batch_norm_eval",
    name="batch_norm_eval",
    title="Batch norm in use",
    difficulty=1,
    points=2,
    minutes=5,
    cases=batch_norm_eval_cases,
    reference=batch_norm_eval,
    result="a tensor of shape (B, features)",
    rtol=1e-4,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "uses the batch",
            changed(
                _BN_EVAL,
                (
                    _EVAL_OUT,
                    "gamma * (X - X.mean(dim=0)) / torch.sqrt(X.var(dim=0, unbiased=False) + eps) + beta",
                ),
            ),
            "You normalise by the batch's own mean and variance, as in training. Then an answer depends on "
            "who else is in the batch, and a batch of one gives beta, whatever it shows. Use the running "
            "ones.",
        ),
        Misconception(
            "uses the batch's mean",
            changed(_BN_EVAL, ("(X - running_mean)", "(X - X.mean(dim=0))")),
            "You subtract the batch's own mean. In evaluation the running mean takes its place.",
        ),
        Misconception(
            "uses the batch's variance",
            changed(_BN_EVAL, ("running_var + eps", "X.var(dim=0, unbiased=False) + eps")),
            "You divide by the batch's own spread. In evaluation the running variance takes its place.",
        ),
        Misconception(
            "eps forgotten",
            changed(_BN_EVAL, ("running_var + eps", "running_var")),
            "eps is missing: it is added to the variance, and keeps a variance of 0 from dividing by zero.",
        ),
        Misconception(
            "eps outside the root",
            changed(_BN_EVAL, ("torch.sqrt(running_var + eps)", "(torch.sqrt(running_var) + eps)")),
            "You add eps to the root. It belongs under it, to the variance.",
        ),
        Misconception(
            "variance for standard deviation",
            changed(_BN_EVAL, ("torch.sqrt(running_var + eps)", "(running_var + eps)")),
            "You divide by the variance. Its root is what the values are divided by.",
        ),
        Misconception(
            "gamma and beta forgotten",
            changed(_BN_EVAL, (_EVAL_OUT, "(X - running_mean) / torch.sqrt(running_var + eps)")),
            "gamma and beta are not used. They belong to the layer in evaluation as well.",
        ),
        Misconception(
            "gamma forgotten",
            changed(_BN_EVAL, ("gamma * ", "")),
            "The normalised values are not multiplied by gamma.",
        ),
        Misconception(
            "beta forgotten",
            changed(_BN_EVAL, (" + beta", "")),
            "beta is not added to the output.",
        ),
        Misconception(
            "beta before gamma",
            changed(
                _BN_EVAL, (_EVAL_OUT, "gamma * ((X - running_mean) / torch.sqrt(running_var + eps) + beta)")
            ),
            "You add beta before you multiply, so gamma stretches beta as well. The shift comes last.",
        ),
        Misconception(
            "gamma and beta swapped",
            changed(
                _BN_EVAL, (_EVAL_OUT, "beta * (X - running_mean) / torch.sqrt(running_var + eps) + gamma")
            ),
            "You multiply by beta and add gamma. It is the other way round.",
        ),
        Misconception(
            "mean not subtracted",
            changed(_BN_EVAL, ("(X - running_mean)", "X")),
            "The running mean is not subtracted.",
        ),
        Misconception(
            "mean added",
            changed(_BN_EVAL, ("(X - running_mean)", "(X + running_mean)")),
            "You add the running mean. It is to be taken away, so that the values lie around 0.",
        ),
        Misconception(
            "multiplied by the spread",
            changed(_BN_EVAL, ("/ torch.sqrt", "* torch.sqrt")),
            "You multiply by the spread. Dividing by it is what makes it 1.",
        ),
        Misconception(
            "brackets forgotten",
            changed(_BN_EVAL, ("gamma * (X - running_mean) /", "gamma * X - running_mean /")),
            "Your brackets are missing: `*` and `/` come before `-`, so X is not divided and the mean not "
            "multiplied.",
        ),
        Misconception(
            "uses the batch, unbiased",
            changed(
                _BN_EVAL, (_EVAL_OUT, "gamma * (X - X.mean(dim=0)) / torch.sqrt(X.var(dim=0) + eps) + beta")
            ),
            "You normalise by the batch's own mean and variance, and by the unbiased one: a batch of one "
            "divides 0 by 0 and gives nan. Use the running ones.",
        ),
        Misconception(
            "layer norm",
            changed(
                _BN_EVAL,
                (
                    _EVAL_OUT,
                    "gamma * (X - X.mean(dim=1, keepdim=True)) / torch.sqrt(X.var(dim=1, unbiased=False, "
                    "keepdim=True) + eps) + beta",
                ),
            ),
            "You normalise each example over its features: that is layer norm. Use the running statistics.",
        ),
        Misconception(
            "variance squared",
            changed(_BN_EVAL, ("running_var + eps", "running_var ** 2 + eps")),
            "You square the running variance before you take the root. It is a variance already, a square: "
            "only the root is missing.",
        ),
        Misconception(
            "gamma, beta and eps forgotten",
            changed(_BN_EVAL, (_EVAL_OUT, "(X - running_mean) / torch.sqrt(running_var)")),
            "You standardise by the running statistics, but gamma, beta and eps are missing.",
        ),
        Misconception(
            "variance for standard deviation, without eps",
            changed(_BN_EVAL, ("torch.sqrt(running_var + eps)", "running_var")),
            "You divide by the variance. Divide by its root, with eps added under it.",
        ),
        Misconception(
            "beta below the line",
            changed(
                _BN_EVAL, ("torch.sqrt(running_var + eps) + beta", "(torch.sqrt(running_var + eps) + beta)")
            ),
            "Your brackets put beta below the line: you divide by the sum of spread and beta.",
        ),
        Misconception(
            "beta subtracted",
            changed(_BN_EVAL, ("+ beta", "- beta")),
            "You subtract beta. It is added.",
        ),
        Misconception(
            "the mean minus X",
            changed(_BN_EVAL, ("(X - running_mean)", "(running_mean - X)")),
            "You subtract X from the mean, so what is large comes out small. It is the other way round.",
        ),
        Misconception(
            "running statistics swapped",
            changed(
                _BN_EVAL,
                ("(X - running_mean)", "(X - running_var)"),
                ("running_var + eps)", "running_mean.abs() + eps)"),
            ),
            "You subtract the running variance and divide by the root of the mean: the two are swapped.",
        ),
    ),
    hints=(
        "The same formula as in training. Which two numbers take the place of the batch's mean and variance?",
        "Subtract the running mean, divide by the root of the running variance plus eps, times gamma, plus "
        "beta.",
    ),
    alternatives=(
        "def batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-5):\n"
        "    return torch.nn.functional.batch_norm(X, running_mean, running_var, gamma, beta, eps=eps)\n",
        "def batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-5):\n"
        "    scale = gamma / (running_var + eps) ** 0.5\n"
        "    return X * scale + (beta - running_mean * scale)\n",
        "def batch_norm_eval(X, gamma, beta, running_mean, running_var, eps=1e-5):\n"
        "    return (X - running_mean) * torch.rsqrt(running_var + eps) * gamma + beta\n",
    ),
)


def layer_norm(X: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-05) -> Tensor:
    """Layer norm over the last axis."""
    mean = X.mean(dim=-1, keepdim=True)
    var = X.var(dim=-1, unbiased=False, keepdim=True)
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta


def layer_norm_cases(generator: torch.Generator) -> list[Case]:
    B, n = whole_number(generator, 2, 3), whole_number(generator, 4, 6)

    def case(group: str, X: Tensor, note: str, *eps: float) -> Case:
        gamma, beta, _, _ = _statistics(generator, X.shape[-1])
        return Case(group, (X, gamma.to(X.dtype), beta.to(X.dtype), *eps), note)

    example = torch.tensor([[1.0, 5.0], [10.0, 30.0]])
    spreads = torch.logspace(-1, 1, B)[:, None]
    flat = torch.cat([torch.full((1, n), 3.0), normal(generator, 1, n)])
    return [
        Case("values", (example, torch.ones(2), torch.zeros(2)), "the example of the statement"),
        case("values", normal(generator, B, n) * spreads + 1, "examples of different spread"),
        case("values", normal(generator, n, n, scale=3), "as many examples as features"),
        case("values", normal(generator, B, n), "a large eps", 0.5),
        case("values", 0.004 * normal(generator, B, n), "a spread so small that eps counts"),
        case("types", normal(generator, B, n).double(), "float64"),
        case("shapes", normal(generator, 1, n), "a batch of one"),
        case("shapes", normal(generator, B, 3, n, scale=2), "three axes, as in a Transformer"),
        case("shapes", normal(generator, 4, 4, 4, scale=2), "three axes of equal length"),
        case("shapes", normal(generator, n), "one example alone"),
        case("edge cases", flat, "an example whose features are all the same"),
    ]


_LN = (
    "def layer_norm(X, gamma, beta, eps=1e-5):\n"
    "    mean = X.mean(dim=-1, keepdim=True)\n"
    "    var = X.var(dim=-1, unbiased=False, keepdim=True)\n"
    "    return gamma * (X - mean) / torch.sqrt(var + eps) + beta\n"
)
_LN_OUT = "gamma * (X - mean) / torch.sqrt(var + eps) + beta"

LAYER_NORM = Exercise(
    id="08.layer_norm",
    name="layer_norm",
    title="Each example by itself",
    difficulty=2,
    points=3,
    minutes=10,
    cases=layer_norm_cases,
    reference=layer_norm,
    result="a tensor in the shape of X",
    rtol=1e-4,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "over the batch",
            changed(
                _LN,
                ("X.mean(dim=-1, keepdim=True)", "X.mean(dim=0)"),
                ("X.var(dim=-1, unbiased=False, keepdim=True)", "X.var(dim=0, unbiased=False)"),
            ),
            "You normalise each feature over the batch: that is batch norm. Layer norm looks at one example "
            "at a time, along its features.",
        ),
        Misconception(
            "axis 1",
            changed(_LN, ("X.mean(dim=-1,", "X.mean(dim=1,"), ("X.var(dim=-1,", "X.var(dim=1,")),
            "`dim=1` is the features' axis only if there are two axes. Count from the end, and it is right "
            "for any number.",
        ),
        Misconception(
            "over everything but the batch",
            changed(
                _LN,
                ("X.mean(dim=-1, keepdim=True)", "X.mean(dim=tuple(range(1, X.dim())) or -1, keepdim=True)"),
                (
                    "X.var(dim=-1, unbiased=False, keepdim=True)",
                    "X.var(dim=tuple(range(1, X.dim())) or -1, unbiased=False, keepdim=True)",
                ),
            ),
            "With three axes you normalise over the last two together. Each position is normalised by "
            "itself, over the last axis only.",
        ),
        Misconception(
            "over all numbers",
            changed(
                _LN,
                ("X.mean(dim=-1, keepdim=True)", "X.mean()"),
                ("X.var(dim=-1, unbiased=False, keepdim=True)", "X.var(unbiased=False)"),
            ),
            "You take one mean and one variance for all numbers together. Every example has its own.",
        ),
        Misconception(
            "keepdim forgotten",
            changed(
                _LN,
                (", keepdim=True)\n    var", ")\n    var"),
                ("unbiased=False, keepdim=True", "unbiased=False"),
            ),
            "The axis you take the mean over is gone, so the means are lined up with the features instead of "
            "the examples (lesson 03). With as many examples as features nothing even complains. Keep the "
            "axis, with length 1.",
        ),
        Misconception(
            "unbiased variance",
            changed(_LN, ("unbiased=False, ", "")),
            "You divide by the number of features − 1, torch's default. Layer norm describes the features "
            "that are there: the biased variance.",
        ),
        Misconception(
            "torch's std, with eps",
            changed(
                _LN,
                ("var = X.var(dim=-1, unbiased=False, keepdim=True)", "std = X.std(dim=-1, keepdim=True)"),
                ("torch.sqrt(var + eps)", "(std + eps)"),
            ),
            "You divide by `X.std()` + eps: that standard deviation is the unbiased one, and eps stands "
            "outside the root.",
        ),
        Misconception(
            "eps outside the root",
            changed(_LN, ("torch.sqrt(var + eps)", "(torch.sqrt(var) + eps)")),
            "You add eps to the root. It belongs under it, to the variance: with a small spread or a large "
            "eps the difference shows.",
        ),
        Misconception(
            "eps forgotten",
            changed(_LN, ("torch.sqrt(var + eps)", "torch.sqrt(var)")),
            "Without eps an example whose features are all the same gives 0 / 0, which is nan.",
        ),
        Misconception(
            "divided by the variance",
            changed(_LN, ("torch.sqrt(var + eps)", "(var + eps)")),
            "You divide by the variance. Its root is what makes the spread 1.",
        ),
        Misconception(
            "gamma and beta forgotten",
            changed(_LN, (_LN_OUT, "(X - mean) / torch.sqrt(var + eps)")),
            "You normalise, but gamma and beta are not used.",
        ),
        Misconception(
            "gamma forgotten",
            changed(_LN, ("gamma * ", "")),
            "The normalised values are not multiplied by gamma.",
        ),
        Misconception(
            "beta forgotten",
            changed(_LN, (" + beta", "")),
            "beta is not added to the output.",
        ),
        Misconception(
            "beta before gamma",
            changed(_LN, (_LN_OUT, "gamma * ((X - mean) / torch.sqrt(var + eps) + beta)")),
            "You add beta before you multiply, so gamma stretches beta as well. The shift comes last.",
        ),
        Misconception(
            "mean not subtracted",
            changed(_LN, ("(X - mean)", "X")),
            "You divide by the spread, but the mean is still in it. Subtract it first.",
        ),
        Misconception(
            "gamma and beta swapped",
            changed(_LN, (_LN_OUT, "beta * (X - mean) / torch.sqrt(var + eps) + gamma")),
            "You multiply by beta and add gamma. It is the other way round.",
        ),
        Misconception(
            "mean of the row, variance of the column",
            changed(_LN, ("X.var(dim=-1, unbiased=False, keepdim=True)", "X.var(dim=0, unbiased=False)")),
            "Your mean is that of each example, your variance that of each feature over the batch. Both run "
            "over the last axis.",
        ),
        Misconception(
            "keepdim for the mean only",
            changed(_LN, ("unbiased=False, keepdim=True", "unbiased=False")),
            "Your mean keeps its axis, your variance does not, so each example is divided by the spread of "
            "another one. Keep the axis in both.",
        ),
        Misconception(
            "torch's std",
            changed(_LN, ("torch.sqrt(var + eps)", "X.std(dim=-1, keepdim=True)")),
            "You divide by `X.std()`: that is the unbiased one, and eps is missing.",
        ),
        Misconception(
            "axis 1 and unbiased",
            changed(
                _LN, ("X.mean(dim=-1,", "X.mean(dim=1,"), ("X.var(dim=-1, unbiased=False,", "X.var(dim=1,")
            ),
            "Two things: your variance is the unbiased one; and `dim=1` is the features' axis only if there "
            "are two axes. Count from the end.",
        ),
        Misconception(
            "length 1 for spread 1",
            changed(
                _LN,
                (
                    "X.var(dim=-1, unbiased=False, keepdim=True)",
                    "((X - mean) ** 2).sum(dim=-1, keepdim=True)",
                ),
            ),
            "You add up the squared deviations and do not divide by their number. The variance is their "
            "mean.",
        ),
        Misconception(
            "from smallest to largest",
            changed(
                _LN,
                (
                    _LN_OUT,
                    "gamma * (X - X.amin(-1, keepdim=True)) / (X.amax(-1, keepdim=True) - X.amin(-1, "
                    "keepdim=True) + eps) + beta",
                ),
            ),
            "You bring each example to the range from 0 to 1. Asked for are mean 0 and spread 1, before "
            "gamma and beta.",
        ),
        Misconception(
            "softmax",
            changed(_LN, (_LN_OUT, "gamma * torch.softmax(X, dim=-1) + beta")),
            "You take the softmax of each example. Asked for: subtract the mean, divide by the spread.",
        ),
        Misconception(
            "each row of the batch, whatever is in it",
            changed(
                _LN,
                (
                    "    return " + _LN_OUT,
                    "    rows = [(x - x.mean()) / torch.sqrt(x.var(unbiased=False) + eps) for x in X]\n"
                    "    return gamma * torch.stack(rows) + beta",
                ),
            ),
            "You go through X example by example. With three axes each of these is a table of its own, and "
            "with one axis a single number. Use the last axis, without a loop.",
        ),
        Misconception(
            "the root mean square",
            changed(
                _LN,
                (
                    "(X - mean) / torch.sqrt(var + eps)",
                    "X / torch.sqrt(X.square().mean(dim=-1, keepdim=True) + eps)",
                ),
            ),
            "You divide by the root of the mean square without subtracting the mean. (A norm of that kind "
            "exists, RMS norm, but it is another one.)",
        ),
    ),
    hints=(
        "Each example alone, along its features: which axis is that, whatever comes before it?",
        "Mean and biased variance over the last axis, with the axis kept. Subtract, divide by the root of "
        "variance plus eps, times gamma, plus beta.",
    ),
    alternatives=(
        "def layer_norm(X, gamma, beta, eps=1e-5):\n"
        "    return torch.nn.functional.layer_norm(X, X.shape[-1:], gamma, beta, eps)\n",
        "def layer_norm(X, gamma, beta, eps=1e-5):\n"
        "    centred = X - X.mean(-1, keepdim=True)\n"
        "    return centred * torch.rsqrt((centred ** 2).mean(-1, keepdim=True) + eps) * gamma + beta\n",
        "def layer_norm(X, gamma, beta, eps=1e-5):\n"
        "    var, mean = torch.var_mean(X, dim=-1, correction=0)\n"
        "    return gamma * (X - mean[..., None]) / (var + eps)[..., None].sqrt() + beta\n",
    ),
)

EXERCISES = (XAVIER, KAIMING, SAME_UNITS, BATCH_NORM_TRAIN, BATCH_NORM_EVAL, LAYER_NORM)
