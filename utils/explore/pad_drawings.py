"""Drawings for the pad of `draw_digit`: ten digits and a few things that are no digit, as strokes.

Coordinates are percent of the pad's side, x to the right, y downwards. Between the points a stroke is a
smooth curve (Catmull–Rom), except where a drawing is listed in `ANGULAR`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Points = list[tuple[float, float]]

DRAWINGS: dict[str, list[Points]] = {
    "0": [[(52, 16), (34, 24), (27, 50), (34, 76), (50, 84), (66, 76), (73, 50), (67, 25), (52, 16)]],
    "1": [[(48, 24), (57, 15)], [(57, 15), (51, 50), (46, 85)]],
    "2": [
        [(29, 33), (37, 18), (55, 15), (68, 26), (66, 42), (50, 62), (29, 83)],
        [(29, 83), (50, 81), (74, 82)],
    ],
    "3": [
        [(31, 22), (48, 14), (65, 22), (63, 38), (45, 47)],
        [(45, 47), (66, 54), (69, 72), (53, 85), (30, 78)],
    ],
    "4": [[(38, 16), (32, 36), (27, 54)], [(27, 54), (50, 54), (75, 51)], [(64, 18), (61, 50), (58, 86)]],
    "5": [
        [(69, 17), (52, 17), (36, 18)],
        [(36, 18), (34, 32), (32, 45)],
        [(32, 45), (50, 41), (66, 50), (67, 69), (52, 84), (29, 78)],
    ],
    "6": [[(62, 14), (44, 28), (33, 50), (34, 72), (49, 85), (65, 76), (65, 58), (50, 51), (35, 62)]],
    "7": [[(27, 20), (50, 19), (72, 18)], [(72, 18), (62, 40), (51, 62), (44, 86)]],
    "8": [
        [
            (64, 24),
            (50, 15),
            (36, 24),
            (40, 38),
            (54, 48),
            (65, 62),
            (63, 78),
            (49, 86),
            (35, 77),
            (36, 61),
            (50, 48),
        ],
        [(50, 48), (63, 36), (64, 24)],
    ],
    "9": [
        [(67, 30), (54, 15), (38, 22), (35, 40), (47, 49), (62, 42), (67, 30)],
        [(67, 30), (64, 58), (58, 86)],
    ],
    "tick": [[(22, 55), (42, 78), (80, 22)]],
    "house": [[(22, 46), (50, 18), (78, 46)], [(28, 46), (28, 84), (72, 84), (72, 46)]],
    "star": [[(50, 12), (73, 84), (13, 40), (87, 40), (27, 84), (50, 12)]],
    "smiley": [
        [(50, 12), (22, 24), (12, 50), (22, 76), (50, 88), (78, 76), (88, 50), (78, 24), (50, 12)],
        [(38, 36), (38, 42)],
        [(62, 36), (62, 42)],
        [(30, 58), (40, 69), (50, 72), (60, 69), (70, 58)],
    ],
}
ANGULAR = {"tick", "house", "star"}
DIGITS = tuple("0123456789")


def drawing(name: str) -> list[np.ndarray]:
    """Return a drawing's strokes: float arrays (points, 2) of x, y in parts of the pad's side."""
    smooth = name not in ANGULAR
    return [_curve(points, smooth=smooth) for points in DRAWINGS[name]]


def _curve(points: Points, *, smooth: bool, steps: int = 8) -> np.ndarray:
    corners = np.array(points, dtype=float) / 100
    parts = np.arange(steps)[:, None] / steps
    if not smooth or len(corners) < 3:
        runs = [a + (b - a) * parts for a, b in pairwise(corners)]
        return np.concatenate([*runs, corners[-1:]])
    closed = np.allclose(corners[0], corners[-1])
    before = corners[-2] if closed else 2 * corners[0] - corners[1]
    after = corners[1] if closed else 2 * corners[-1] - corners[-2]
    full = np.vstack([before, corners, after])
    runs = [_catmull_rom(*full[i : i + 4], parts) for i in range(len(corners) - 1)]
    return np.concatenate([*runs, corners[-1:]])


def _catmull_rom(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The curve from b (t = 0) to c (t = 1) that passes smoothly by its neighbours a and d."""
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
