"""Test surfaces f(x, y) for optimizers (lesson 07): value, gradient, minima, and where each comes from.

All are seen in one window, x from −4 to 4 and y from −2 to 3, in the same scale both ways. A function here
is written with + − × ÷ and powers only, so it takes floats, NumPy arrays and tensors alike::

    ravine = SURFACES["ravine"]
    ravine.f(2.0, 1.0)                                         # 14.5
    ravine.gradient(2.0, 1.0)                                  # (2.0, 25.0)
    theta = torch.tensor([2.0, 1.0], requires_grad=True)
    ravine.f(*theta).backward()                                # theta.grad is tensor([ 2., 25.])
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WINDOW: tuple[tuple[float, float], tuple[float, float]] = ((-4.0, 4.0), (-2.0, 3.0))
"""The part of the plane that is shown: (lowest x, highest x), (lowest y, highest y)."""


@dataclass(frozen=True)
class Surface:
    """A function of the plane, and what is known of it.

    Attributes:
        name: the word that the explorer's control uses.
        label: the word for people.
        formula: f in one line.
        f: (x, y) -> value; floats, arrays or tensors of one shape.
        gradient: (x, y) -> (∂f/∂x, ∂f/∂y), of the same kind.
        minima: the global minima (x, y), exactly.
        lowest: the value at them.
        local_minima: those that are higher.
        saddles: the saddle points in the window.
        start: where a run begins unless told otherwise.
        log_lr: log₁₀ of a learning rate with which plain gradient descent is safe from ``start``.
        levels: contour lines, as heights above ``lowest``.
        source: where the function comes from.
    """

    name: str
    label: str
    formula: str
    f: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], tuple[Any, Any]]
    minima: tuple[tuple[float, float], ...]
    lowest: float
    start: tuple[float, float]
    log_lr: float
    levels: tuple[float, ...]
    source: str
    local_minima: tuple[tuple[float, float], ...] = ()
    saddles: tuple[tuple[float, float], ...] = ()


RAVINE_CURVATURES: tuple[float, float] = (1.0, 25.0)
"""The eigenvalues of the ravine's Hessian: along the floor, and across it."""


def _ravine(x: Any, y: Any) -> Any:
    along, across = RAVINE_CURVATURES
    return 0.5 * (along * x * x + across * y * y)


def _ravine_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    along, across = RAVINE_CURVATURES
    return along * x, across * y


def _turned(x: Any, y: Any) -> Any:
    # The ravine turned by 45°: ½(u² + 25v²) with u = (x + y)/√2 along the floor, v = (y − x)/√2 across.
    return 6.5 * x * x - 12 * x * y + 6.5 * y * y


def _turned_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    return 13 * x - 12 * y, 13 * y - 12 * x


def _saddle(x: Any, y: Any) -> Any:
    return 0.5 * x * x - 0.5 * y * y + 0.25 * y * y * y * y


def _saddle_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    return x, y * y * y - y


def _rosenbrock(x: Any, y: Any) -> Any:
    floor, side = 1 - x, y - x * x
    return floor * floor + 100 * side * side


def _rosenbrock_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    side = y - x * x
    return -2 * (1 - x) - 400 * x * side, 200 * side


def _beale_parts(x: Any, y: Any) -> tuple[Any, Any, Any]:
    return 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y


def _beale(x: Any, y: Any) -> Any:
    a, b, c = _beale_parts(x, y)
    return a * a + b * b + c * c


def _beale_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    a, b, c = _beale_parts(x, y)
    return (
        2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y * y,
    )


PIT: tuple[float, float] = (2.0, -1.0)
"""The middle of the plateau's pit."""


def _plateau(x: Any, y: Any) -> Any:
    dx, dy = x - PIT[0], y - PIT[1]
    q = 1 + dx * dx + dy * dy
    return 1 - 1 / (q * q)


def _plateau_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    dx, dy = x - PIT[0], y - PIT[1]
    q = 1 + dx * dx + dy * dy
    cube = q * q * q
    return 4 * dx / cube, 4 * dy / cube


def _two_minima(x: Any, y: Any) -> Any:
    # An eighth of x⁴ and so on: its slope along x is (x + 2)(x − ½)(x − 2)/2, so the three flat places are
    # known exactly.
    return x * x * x * x / 8 - x * x * x / 12 - x * x + x + 10 / 3 + 0.5 * y * y


def _two_minima_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    return 0.5 * (x + 2) * (x - 0.5) * (x - 2), y


_ALL = (
    Surface(
        "ravine", "Ravine", "f = ½(x² + 25y²)", _ravine, _ravine_gradient,
        minima=((0.0, 0.0),), lowest=0.0, start=(-3.5, 1.5), log_lr=-1.7,
        levels=(0.25, 1, 3, 6, 12, 22, 40, 65, 95),
        source="The plainest ill-conditioned function: a quadratic whose curvatures are 1 and 25. Gradient "
        "descent with a fixed rate converges on it exactly up to lr = 2/25 (Polyak 1964).",
    ),
    Surface(
        "turned", "Ravine, turned", "f = 6.5x² − 12xy + 6.5y²", _turned, _turned_gradient,
        minima=((0.0, 0.0),), lowest=0.0, start=(2.8, 1.3), log_lr=-1.7,
        levels=(0.25, 1, 3, 6, 12, 22, 40, 65, 95, 140, 200),
        source="The ravine turned by 45°: the same curvatures 1 and 25, but no longer along the axes, where "
        "methods with a rate for each coordinate have it easy.",
    ),
    Surface(
        "saddle", "Saddle", "f = ½x² − ½y² + ¼y⁴", _saddle, _saddle_gradient,
        minima=((0.0, 1.0), (0.0, -1.0)), lowest=-0.25, start=(-3.0, 0.0), log_lr=-1.0,
        levels=(0.04, 0.12, 0.25, 0.6, 1.3, 2.5, 4.5, 7, 11, 16), saddles=((0.0, 0.0),),
        source="Near the origin it is the saddle ½x² − ½y²; the fourth power gives it a floor. Used with "
        "other constants by Nesterov, Introductory Lectures on Convex Optimization (2004), section 1.2.3.",
    ),
    Surface(
        "rosenbrock", "Rosenbrock", "f = (1 − x)² + 100(y − x²)²", _rosenbrock, _rosenbrock_gradient,
        minima=((1.0, 1.0),), lowest=0.0, start=(-1.5, 2.0), log_lr=-3.0,
        levels=(0.5, 3, 12, 50, 200, 700, 2200, 6000, 14000),
        source="H. H. Rosenbrock, An automatic method for finding the greatest or least value of a function, "
        "The Computer Journal 3 (1960). His own start is (−1.2, 1).",
    ),
    Surface(
        "beale", "Beale", "f = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        _beale, _beale_gradient,
        minima=((3.0, 0.5),), lowest=0.0, start=(1.0, 1.5), log_lr=-2.3,
        levels=(0.1, 0.5, 2, 6, 14, 30, 100, 500, 2500), saddles=((0.0, 1.0),),
        source="E. M. L. Beale, On an iterative method of finding a local minimum of a function of more than "
        "one variable, Technical Report 25, Princeton University (1958).",
    ),
    Surface(
        "plateau", "Plateau", "f = 1 − 1/(1 + (x − 2)² + (y + 1)²)²", _plateau, _plateau_gradient,
        minima=(PIT,), lowest=0.0, start=(-2.0, 1.0), log_lr=-1.0,
        levels=(0.1, 0.3, 0.5, 0.7, 0.85, 0.94, 0.975, 0.99, 0.996),
        source="Made for this course: a pit of width 1 in a plain that is almost flat.",
    ),
    Surface(
        "two_minima", "Two minima", "f = x⁴/8 − x³/12 − x² + x + y²/2 + 10/3",
        _two_minima, _two_minima_gradient,
        minima=((-2.0, 0.0),), lowest=0.0, start=(3.5, 1.5), log_lr=-1.3,
        levels=(0.3, 1, 2, 2.75, 3.1, 3.58, 4.5, 6.5, 10, 16, 24), local_minima=((2.0, 0.0),),
        saddles=((0.5, 0.0),),
        source="Made for this course: a double well with one well deeper; its flat places are exact.",
    ),
)  # fmt: skip

SURFACES: dict[str, Surface] = {surface.name: surface for surface in _ALL}
"""Name -> surface."""
