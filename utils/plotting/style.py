"""The course's style: one look, light or dark, and colours whose roles never change.

The palette is Petroff's six colours, which keep the largest distance under simulated colour
blindness (M. A. Petroff, 2021, *Accessible Color Sequences for Data Visualization*,
arXiv:2107.02270). Two of them are a little lighter in the dark theme, for contrast with its ground.
Colour never stands alone: classes differ in marker too, lines carry their name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm, to_hex, to_rgb
from numpy.typing import ArrayLike

Theme = Literal["light", "dark"]

_STYLE_FILE = Path(__file__).with_name("course.mplstyle")


def _roles(cycle: tuple[str, ...], *, text: str, muted: str, grid: str, ground: str) -> dict[str, str]:
    """Give each colour of the cycle its roles in the course, and add the neutral colours."""
    blue, orange, red, plum, grey, violet = cycle
    return {
        "train": blue,
        "validation": orange,
        "test": plum,
        "gradient": red,
        "class0": blue,
        "class1": orange,
        "class2": plum,
        "class3": red,
        "class4": grey,
        "class5": violet,
        "right": blue,
        "wrong": red,
        "accent": violet,
        "neutral": grey,
        "boundary": text,
        "text": text,
        "muted": muted,
        "grid": grid,
        "ground": ground,
    }


PALETTES: dict[str, dict[str, str]] = {
    "light": _roles(
        ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd"),
        text="#1f2328",
        muted="#5c6370",
        grid="#e3e5e8",
        ground="#ffffff",
    ),
    "dark": _roles(
        ("#6b9ffd", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#8a38ec"),
        text="#e8eaed",
        muted="#a6acb8",
        grid="#33373e",
        ground="#14161a",
    ),
}
"""Role -> hex colour, for each theme. Whoever always draws on white takes `PALETTES["light"]`."""

CYCLE_ROLES = ("class0", "class1", "class3", "class2", "class4", "class5")
"""The roles whose colours make up the colour cycle, in its order."""

CLASS_MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "P", "X")
"""Marker of class 0, 1, 2, … so that classes can be told apart without colour."""

SEQUENTIAL = "viridis"
"""Colormap for amounts: from little to much."""

DIVERGING = "RdBu_r"
"""Colormap for signed values: blue below zero, white at zero, red above. Use with `centred_norm`."""


def theme_of(color: Any) -> Theme:
    """Which theme a ground of this colour belongs to."""
    return "dark" if relative_luminance(color) < 0.18 else "light"


class _ActivePalette(Mapping[str, str]):
    """The palette that fits matplotlib's current axes ground; it keeps no state of its own."""

    def _palette(self) -> dict[str, str]:
        return PALETTES[theme_of(mpl.rcParams["axes.facecolor"])]

    def __getitem__(self, role: str) -> str:
        try:
            return self._palette()[role]
        except KeyError:
            raise KeyError(f"no colour role {role!r}; the roles are {', '.join(self)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(PALETTES["light"])

    def __len__(self) -> int:
        return len(PALETTES["light"])

    def __repr__(self) -> str:
        return repr(self._palette())


COLORS: Mapping[str, str] = _ActivePalette()
"""Role -> hex colour in the current style: `COLORS["train"]`, `COLORS["class0"]`, …"""

CLASS_COLORS: tuple[str, ...] = tuple(PALETTES["light"][f"class{k}"] for k in range(6))
"""Colour of class 0, 1, 2, … on a light ground."""


def style_settings(theme: Theme = "light") -> dict[str, Any]:
    """The style as matplotlib settings, for `plt.rc_context(style_settings("dark"))`.

    Raises:
        ValueError: if there is no such theme.
    """
    if theme not in PALETTES:
        raise ValueError(f"theme must be 'light' or 'dark', not {theme!r}")
    settings = dict(mpl.rc_params_from_file(_STYLE_FILE, use_default_template=False))
    if theme == "dark":
        settings.update(_dark_overrides())
    return settings


def _dark_overrides() -> dict[str, Any]:
    palette = PALETTES["dark"]
    by_role = {
        "ground": ("figure.facecolor", "axes.facecolor"),
        "text": (
            "text.color",
            "axes.titlecolor",
            "axes.labelcolor",
            "xtick.labelcolor",
            "ytick.labelcolor",
            "legend.labelcolor",
        ),
        "muted": ("axes.edgecolor", "xtick.color", "ytick.color"),
        "grid": ("grid.color",),
    }
    overrides: dict[str, Any] = {key: palette[role] for role, keys in by_role.items() for key in keys}
    overrides["axes.prop_cycle"] = cycler(color=[palette[role] for role in CYCLE_ROLES])
    return overrides


def use_style(theme: Theme = "light") -> None:
    """Use the course's style for all figures made from now on.

    Args:
        theme: "light" (white ground) or "dark" (for a dark lecture room).

    Raises:
        ValueError: if there is no such theme.
    """
    mpl.rcParams.update(style_settings(theme))


def palette_of(ax: Axes) -> dict[str, str]:
    """The palette that is legible on the ground of these axes."""
    return PALETTES[theme_of(ax.get_facecolor())]


def relative_luminance(color: Any) -> float:
    """Luminance of a colour from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    channels = np.asarray(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast_ratio(first: Any, second: Any) -> float:
    """Contrast of two colours from 1 (none) to 21 (black on white), as WCAG 2.2 defines it."""
    darker, lighter = sorted((relative_luminance(first), relative_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(color: Any, ground: Any, *, ratio: float = 4.5) -> str:
    """The colour, moved towards black or white just until text in it is legible on the ground.

    Args:
        color: the colour wanted.
        ground: the colour behind the text.
        ratio: contrast to reach; 4.5 is what WCAG 2.2 asks of text.

    Returns:
        A hex colour of the same hue.
    """
    target = np.ones(3) if theme_of(ground) == "dark" else np.zeros(3)
    start = np.asarray(to_rgb(color))
    for share in np.linspace(0, 1, 41):
        candidate = to_hex((1 - share) * start + share * target)
        if contrast_ratio(candidate, ground) >= ratio:
            break
    return candidate


def centred_norm(values: ArrayLike) -> CenteredNorm:
    """A norm that puts zero in the middle of a diverging colormap and fits the largest |value|.

    Args:
        values: numbers of any shape; those that are not finite are ignored.
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    return CenteredNorm(vcenter=0.0, halfrange=largest or 1.0)
