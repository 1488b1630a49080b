"""A walk through latent space (lesson 16): which code gives which picture, and what lies between.

Four random codes are the corners of a square. The generator, as it is at that moment, makes a picture of
every place between them; the learner walks there, makes the code longer or shorter, and turns single
coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.explore.base import (
    HERE,
    Action,
    Declaration,
    Goal,
    Preset,
    Slider,
    Switch,
    colors,
    css,
    esm,
    number,
    short,
    show,
    still_png,
)
from utils.explore.digits import SIDE, Classifier, evaluating, leave_air, percent, picture_axes
from utils.explore.kernel import KernelExplorer

CELLS = 7  # pictures along each side of the map
LARGEST = 64  # pixels along a picture's side
FAR = 2.5  # so many times as long as usual is far outside
UNSURE = 0.6  # a classifier that gives no digit as much does not know
REACH = 5.0  # how much may be added to a coordinate, either way
TRIED = 4  # planes on which goals are tried before they are set
MOST_PLANES = 100_000


# ------------------------------------------------------------------ the generator
class Maker:
    """Any generator of square grey pictures, called with codes (B, d_z) and answering with ink from 0 to 1.

    Whether it takes (B, d_z) or (B, d_z, 1, 1) is found out by trying. Outputs that go below zero are taken
    to lie between −1 and 1, as tanh gives them, all others between 0 and 1.

    Args:
        generator: a module or function; answers (B, s·s), (B, s, s) or (B, 1, s, s), s ≤ 64.
        d_z: length of a code; without it, the generator's own attribute ``d_z``.

    Raises:
        ValueError: the length is unknown, or the generator takes or answers something else.
    """

    def __init__(self, generator: Callable[[Tensor], Tensor], d_z: int | None = None) -> None:
        if not callable(generator):
            raise ValueError(f"the generator must be a module or function, not {type(generator).__name__}")
        found = getattr(generator, "d_z", None) if d_z is None else d_z
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise ValueError(
                "how long is a code? Give the length: explore.latent(generator, d_z=…)"
                if found is None
                else f"d_z must be a whole number of 1 or more, not {found!r}"
            )
        self.generator, self.d_z = generator, found
        codes = torch.randn(32, self.d_z, generator=torch.Generator().manual_seed(0))
        problems = []
        for layout in ((self.d_z,), (self.d_z, 1, 1)):
            words = f"given ({', '.join(map(str, ('B', *layout)))})"
            try:
                made = self._ask(codes, layout)
            except Exception as error:  # a generator of another layout may fail in any way
                problems.append(f"{words}: {type(error).__name__}: {error}")
                continue
            side = _side_of(made, len(codes))
            if side:
                self._layout, self.side, self._signed = layout, side, bool(made.min() < -0.05)
                return
            shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            problems.append(f"{words}: answers with {shape}, which is no square grey picture a code")
        raise ValueError("this generator makes no pictures of codes.\n" + "\n".join(problems))

    def _ask(self, codes: Tensor, layout: tuple[int, ...]) -> Tensor:
        module = self.generator if isinstance(self.generator, nn.Module) else None
        like = next(module.parameters(), torch.zeros(())) if module is not None else torch.zeros(())
        with evaluating(module) if module is not None else nullcontext(), torch.no_grad():
            return self.generator(codes.reshape(len(codes), *layout).to(like.device, like.dtype))

    def __call__(self, codes: Tensor) -> np.ndarray:
        """Return float32 (B, s, s), ink from 0 to 1, for codes (B, d_z).

        Raises:
            ValueError: the pictures are not finite.
        """
        made = self._ask(codes, self._layout).float().cpu().reshape(len(codes), self.side, self.side)
        if not made.isfinite().all():
            raise ValueError("the generator's pictures are not finite numbers: its training has diverged")
        return (((made + 1) / 2) if self._signed else made).clamp(0, 1).numpy()

    def version(self) -> tuple[int, ...]:
        """Return what changes when the weights do: a map of pictures made before is then out of date."""
        if not isinstance(self.generator, nn.Module):
            return ()
        return tuple(t._version for t in (*self.generator.parameters(), *self.generator.buffers()))


def _side_of(made: Any, count: int) -> int | None:
    """Return the side of the pictures, or None where they are no square grey pictures."""
    if not isinstance(made, Tensor) or not made.dim() or made.shape[0] != count:
        return None
    if made.dim() == 2:
        side = math.isqrt(made.shape[1])
        fits = side * side == made.shape[1]
    else:
        side = made.shape[-1]
        fits = made.shape[1:] in ((side, side), (1, side, side))
    return side if fits and 2 <= side <= LARGEST else None


# ------------------------------------------------------------------ codes
def corners(d_z: int, plane: int = 0, seed: int = 0) -> Tensor:
    """Return the four random codes (4, d_z) of a plane: top left, top right, bottom left, bottom right."""
    generator = torch.Generator().manual_seed(seed + 1_000_003 * plane)
    return torch.randn(4, d_z, generator=generator)


def codes_at(
    four: Tensor,
    u: Sequence[float] | float,
    v: Sequence[float] | float,
    *,
    stretch: float = 1.0,
    keep: bool = False,
    amount: float = 0.0,
    coordinate: int = 1,
) -> Tensor:
    """Return the codes (N, d_z) at places of the square between four corners (4, d_z).

    Args:
        four: the corners.
        u, v: how far across and down, 0 to 1; numbers, or N of each.
        stretch: what the code is multiplied with.
        keep: scale each code to the usual length √d_z first.
        amount, coordinate: in the end, add so much to this coordinate, counted from 1.
    """
    across, down = (torch.as_tensor(part, dtype=four.dtype).reshape(-1, 1) for part in (u, v))
    upper, lower = (1 - across) * four[0] + across * four[1], (1 - across) * four[2] + across * four[3]
    codes = (1 - down) * upper + down * lower
    if keep:
        codes = codes * math.sqrt(four.shape[1]) / codes.norm(dim=1, keepdim=True).clamp_min(1e-12)
    codes = stretch * codes
    codes[:, coordinate - 1] += amount
    return codes


def grid_places() -> tuple[Tensor, Tensor]:
    """Return u and v of the map's pictures, row by row."""
    ticks = torch.linspace(0, 1, CELLS)
    v, u = torch.meshgrid(ticks, ticks, indexing="ij")
    return u.reshape(-1), v.reshape(-1)


# ------------------------------------------------------------------ one place
@dataclass(frozen=True)
class Place:
    """What is seen at one place: `picture` float32 (s, s), the code's `length`, and how much the coordinate
    that was turned `change`s a pixel on average (None if none was). `probabilities` float64 (10,) are the
    classifier's, None without one. `visited` counts the corners of this plane that have been reached.
    """

    picture: np.ndarray
    length: float
    change: float | None = None
    probabilities: np.ndarray | None = None
    visited: int = 0

    @property
    def sure(self) -> float:
        """The classifier's highest probability; 1 without a classifier."""
        return 1.0 if self.probabilities is None else float(self.probabilities.max())


class Space:
    """A generator, a classifier if there is one, and the planes through their latent space."""

    def __init__(
        self,
        generator: Callable[[Tensor], Tensor],
        classifier: nn.Module | None = None,
        d_z: int | None = None,
        seed: int = 0,
    ) -> None:
        self.maker = Maker(generator, d_z)
        if classifier is not None and self.maker.side != SIDE:
            raise ValueError(f"the classifier reads {SIDE} × {SIDE} pixels, the generator's pictures have "
                             f"{self.maker.side} × {self.maker.side}")  # fmt: skip
        self.classify = None if classifier is None else Classifier(classifier)
        self.seed = seed
        self._map: tuple[Any, np.ndarray] | None = None
        self._visited: dict[int, set[tuple[float, float]]] = {}
        self.marks = self._find_marks()
        self.declaration = _declaration(self)

    @property
    def d_z(self) -> int:
        """Length of a code."""
        return self.maker.d_z

    @property
    def usual(self) -> float:
        """Length, as a distance from the origin, that random codes have about: √d_z."""
        return math.sqrt(self.d_z)

    def _find_marks(self) -> dict[str, float]:
        """Try what goals could ask for, so that none is set which this generator cannot meet."""
        marks = {}
        middle = codes_at(corners(self.d_z, 0, self.seed), 0.5, 0.5)
        turned = torch.cat([middle + way * REACH * torch.eye(self.d_z) for way in (-1, 1)])
        changes = np.abs(self.maker(turned) - self.maker(middle)).mean(axis=(1, 2))
        changes = changes.reshape(2, -1).max(axis=0)
        # Halfway between the usual coordinate and the strongest; in tenths of a percent.
        mark = math.floor(1000 * (np.median(changes) + changes.max()) / 2) / 1000
        if mark > 0:
            marks["coordinate"] = mark
        if self.classify is not None:
            u, v = grid_places()
            sure = [
                self.classify(self.maker(codes_at(corners(self.d_z, plane, self.seed), u, v))).max(axis=1)
                for plane in range(TRIED)
            ]
            if np.concatenate(sure).min() < UNSURE:
                marks["unsure"] = UNSURE
        return marks

    def map(self, plane: int, **how: Any) -> np.ndarray:
        """Return the pictures between the corners as one picture, float32 (7·s, 7·s)."""
        key = (plane, tuple(sorted(how.items())), self.maker.version())
        if self._map is None or self._map[0] != key or not isinstance(self.maker.generator, nn.Module):
            made = self.maker(codes_at(corners(self.d_z, plane, self.seed), *grid_places(), **how))
            side = self.maker.side
            tiles = made.reshape(CELLS, CELLS, side, side).transpose(0, 2, 1, 3)
            self._map = (key, tiles.reshape(CELLS * side, CELLS * side))
        return self._map[1]

    def place(self, plane: int, u: float, v: float, *, resting: bool = False, **how: Any) -> Place:
        """Return what is seen at a place; a corner counts as visited when the controls rest."""
        four = corners(self.d_z, plane, self.seed)
        code = codes_at(four, u, v, **how)
        turned = bool(how.get("amount"))
        plain = codes_at(four, u, v, **(how | {"amount": 0.0})) if turned else code[:0]
        made = self.maker(torch.cat([code, plain]))
        seen = self._visited.setdefault(plane, set())
        if resting and {u, v} <= {0, 1}:
            seen.add((u, v))
        return Place(
            picture=made[0],
            length=float(code.norm()),
            change=float(np.abs(made[0] - made[1]).mean()) if turned else None,
            probabilities=None if self.classify is None else self.classify(made[:1])[0],
            visited=len(seen),
        )

    @property
    def goals(self) -> dict[str, Any]:
        """Goal id -> function of a place and the controls, for the goals that are set."""
        found = {
            "corners": lambda place, **_: place.visited == 4,
            "far": lambda place, stretch, **_: stretch >= FAR,
            "unsure": lambda place, stretch, amount, **_: place.sure < UNSURE and stretch == 1 and not amount,
            "coordinate": lambda place, stretch, **_: (
                stretch <= 1 and (place.change or 0) >= self.marks["coordinate"]
            ),
        }
        return {goal.id: found[goal.id] for goal in self.declaration.goals}


def describe(space: Space, place: Place, u: float, v: float, **how: Any) -> str:
    """Return in words where one is, how long the code is, and what the picture is read as."""
    spots = {(0, 0): "Top left", (1, 0): "Top right", (0, 1): "Bottom left", (1, 1): "Bottom right"}
    where = f"At {number(100 * u, 0)}% across and {number(100 * v, 0)}% down"
    where = f"{spots[u, v]}, one of the four random codes" if (u, v) in spots else where
    parts = [
        f"{where}. The code is {number(place.length, 1)} long; random ones about {number(space.usual, 1)}."
    ]
    if place.change is not None:
        sign = "−" if how["amount"] < 0 else "+"
        parts.append(
            f"Coordinate {int(how['coordinate'])} {sign} {short(abs(how['amount']))} changes a pixel "
            f"by {number(100 * place.change, 1)}% on average."
        )
    if place.probabilities is not None:
        parts.append(f"Read as {int(place.probabilities.argmax())}, with {percent(place.sure)}.")
    return " ".join(parts)


# ------------------------------------------------------------------ the explorer
def _declaration(space: Space) -> Declaration:
    start: Mapping[str, Any] = {"u": 0.5, "v": 0.5, "stretch": 1, "keep": False, "amount": 0}
    goals = [
        Goal("corners", "Visit all four corners of one square.", "Four random codes, and all between them."),
        Goal(
            "far",
            f"Make a code {short(FAR)} times as long as it was.",
            "Codes as long as this were never drawn in training: here the generator was never judged.",
        ),
    ]
    if "coordinate" in space.marks:
        goals.append(
            Goal(
                "coordinate",
                "With length × 1 or less, find one coordinate that changes a pixel by "
                f"{number(100 * space.marks['coordinate'], 1)}% on average.",
                "Some coordinates do much and some little, and hardly one does a single thing.",
                challenge="unsure" not in space.marks,
            )
        )
    if "unsure" in space.marks:
        goals.append(
            Goal(
                "unsure",
                "With length × 1 and no coordinate turned, find a place that is read as no digit "
                f"with {percent(UNSURE)} or more.",
                "On the way from one digit to another lies what is neither.",
                challenge=True,
            )
        )
    return Declaration(
        name="latent",
        title="A walk through latent space",
        controls=(
            Slider("u", "Across", 0, 1, 0.02, 0.5),
            Slider("v", "Down", 0, 1, 0.02, 0.5),
            Action("corners", "New corners", "Four other random codes"),
            Slider("stretch", "Length of the code ×", 0, 3, 0.1, 1),
            Switch("keep", "Keep the usual length on the way", False),
            Slider("amount", "Add to one coordinate", -REACH, REACH, 0.25, 0),
            Slider("coordinate", "Which coordinate", 1, max(2, space.d_z), 1, 1),
        ),
        presets=(
            Preset("A corner", dict(start) | {"u": 0, "v": 0}),
            Preset("Midway", dict(start)),
            Preset("3 times as long", dict(start) | {"stretch": 3}),
        ),
        goals=tuple(goals),
        width=640,
        height=420,
        pointer_hint="Click or drag in the square of pictures to walk.",
    )


def draw(figure: Figure, space: Space) -> None:
    """Draw the square of the first plane and, beside it, one code at nine lengths."""
    leave_air(figure)
    left, right = figure.subplots(1, 2)
    picture_axes(left, space.map(0), "Between four random codes")
    side = space.maker.side
    for x in (0, 1):
        for y in (0, 1):
            at = [(place * (CELLS - 1) + 0.5) * side - 0.5 for place in (x, y)]
            left.plot(*at, marker="s", markersize=34, markerfacecolor="none", color=colors()["accent"],
                      markeredgewidth=2.5)  # fmt: skip
    stretches = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3)
    four = corners(space.d_z, 0, space.seed)
    made = space.maker(torch.cat([codes_at(four, 0, 0, stretch=stretch) for stretch in stretches]))
    tiles = made.reshape(3, 3, side, side).transpose(0, 2, 1, 3).reshape(3 * side, 3 * side)
    picture_axes(right, tiles, "One code, its length times 0 to 3")
    for k, stretch in enumerate(stretches):
        right.text((k % 3) * side + 1, (k // 3) * side + 1, f"× {short(stretch)}", va="top", size=12,
                   color=colors()["accent"], weight="bold")  # fmt: skip


class LatentExplorer(KernelExplorer):
    """The live widget of :func:`latent`."""

    _esm = esm("kernel.js", "latent.js")
    _css = css() + (HERE / "latent.css").read_text(encoding="utf-8")

    plane = traitlets.Int(0).tag(sync=True)  # which four corners; kept for the next view
    first = traitlets.Dict().tag(sync=True)
    first_pixels = traitlets.List(traitlets.Bytes()).tag(sync=True)

    def __init__(self, space: Space) -> None:
        self._space = space
        data = {"side": space.maker.side, "cells": CELLS, "reads": space.classify is not None}
        first = space.declaration.defaults()
        content, pixels = self.look(0, first, resting=False)
        super().__init__(space.declaration, data, first=content, first_pixels=pixels)

    def look(
        self, plane: int, values: Mapping[str, Any], *, resting: bool
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Return what the browser shows: the sentence, the probabilities, and two pictures as bytes."""
        how = {name: value for name, value in values.items() if name not in ("u", "v")}
        how["coordinate"] = min(int(how["coordinate"]), self._space.d_z)
        self._seen = place = self._space.place(plane, values["u"], values["v"], resting=resting, **how)
        content = {
            "say": describe(self._space, place, values["u"], values["v"], **how),
            "probabilities": None if place.probabilities is None else place.probabilities.tolist(),
        }
        pictures = (place.picture, self._space.map(plane, **how))
        return content, [(picture * 255).round().astype(np.uint8).tobytes() for picture in pictures]

    def answer(
        self, question: dict[str, Any], buffers: list[memoryview]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Make the pictures for the controls' values and the plane asked for."""
        plane = min(max(0, int(question["plane"])), MOST_PLANES)
        content, pixels = self.look(plane, question["values"], resting=question["settled"])
        return content | {"goals": self.met(self._space.goals, question, self._seen)}, pixels


def latent(
    generator: Callable[[Tensor], Tensor],
    classifier: nn.Module | None = None,
    *,
    d_z: int | None = None,
    seed: int = 0,
) -> None:
    """Show the pictures that a generator makes between four random codes, and let the learner walk there.

    Args:
        generator: a module or function from codes (B, d_z) or (B, d_z, 1, 1) to square grey pictures,
            (B, s·s), (B, s, s) or (B, 1, s, s), with ink from 0 to 1 or, as tanh gives it, from −1 to 1.
            It is asked in evaluation mode, as it is at that moment.
        classifier: if given, says what each picture is read as: a network for 28 × 28 pixels, as for
            ``draw_digit``.
        d_z: length of a code; without it, the generator's attribute ``d_z``.
        seed: of the first four corners.

    Raises:
        ValueError: a network takes or answers something else, or its outputs are not finite.
    """
    space = Space(generator, classifier, d_z, seed)
    still = still_png(draw, size=(9, 4.6), space=space)
    alt = (
        f"Left, {CELLS} by {CELLS} pictures between four random codes, which stand framed in the corners. "
        "Right, the picture of the top left corner's code, made 0 to 3 times as long."
    )
    show(LatentExplorer(space), still, alt)
