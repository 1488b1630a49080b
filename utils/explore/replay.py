"""The perceptron rule, update by update (lesson 01): the line before and after, and the point at fault."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Slider,
    colors,
    css,
    esm,
    handed_over,
    markers,
    short,
    show,
    still_png,
)

MOST_POINTS = 500
MOST_UPDATES = 1000

# A sum that is 0 on paper may come out a hair below; the rule says 1 at 0.
_ON_THE_LINE = 1e-9


def prepare(X: Any, y: Any, history: Sequence[Any]) -> dict[str, Any]:
    """Turn the learner's record into plain data: ``X``, ``y``, and ``steps``, whose first is the start.

    Args:
        X: (N, 2) tensor, array or list of points, N ≤ 500.
        y: (N,) classes 0 and 1.
        history: one entry for each update, ``(w, b, i)`` or ``{"w": w, "b": b, "index": i}``: weights and
            bias **after** the update and the index of the point that caused it. A first entry with ``None``
            for the index is the start; without it the start is w = (0, 0), b = 0.

    Raises:
        ValueError: if a shape, a class, an index or a number is not as above. The message says which.
    """
    points, classes = _array(X, "X"), _array(y, "y")
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"replay_perceptron: X must have shape (N, 2), one point a row, not {points.shape}")
    if classes.shape != (len(points),):
        raise ValueError(
            f"replay_perceptron: y must have shape ({len(points)},), one class a point, not {classes.shape}"
        )
    if not np.isin(classes, (0, 1)).all():
        raise ValueError(
            f"replay_perceptron: the classes in y must be 0 and 1, not {sorted(set(classes.tolist()))[:6]}"
        )
    if len(points) > MOST_POINTS:
        raise ValueError(
            f"replay_perceptron: {len(points)} points are too many to see; at most {MOST_POINTS}"
        )
    steps = [_step(entry, k, len(points)) for k, entry in enumerate(history)]
    if not steps or steps[0]["index"] is not None:
        steps.insert(0, {"w": [0.0, 0.0], "b": 0.0, "index": None})
    if len(steps) < 2:
        raise ValueError(
            "replay_perceptron: the history holds no update. "
            "Append (w, b, i) after each one: the new weights, the new bias and the index of the point."
        )
    if len(steps) > MOST_UPDATES + 1:
        raise ValueError(
            f"replay_perceptron: {len(steps) - 1} updates are too many to replay; at most {MOST_UPDATES}"
        )
    for k, step in enumerate(steps[1:], start=1):
        if step["index"] is None:
            raise ValueError(f"replay_perceptron: update {k} names no point; only the start may have None")
    return {"X": points.tolist(), "y": [int(c) for c in classes], "steps": steps}


def _array(values: Any, name: str) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"replay_perceptron: {name} must hold numbers ({error})") from None
    if not np.isfinite(array).all():
        raise ValueError(f"replay_perceptron: {name} holds NaN or infinity")
    return array


def _step(entry: Any, k: int, points: int) -> dict[str, Any]:
    try:
        if isinstance(entry, Mapping):
            w, b, index = entry["w"], entry["b"], entry["index"]
        else:
            w, b, index = entry
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"replay_perceptron: entry {k} of the history must be (w, b, i) or a dict of 'w', 'b', 'index'"
        ) from None
    weights, bias = _array(w, f"w of entry {k}").reshape(-1), _array(b, f"b of entry {k}").reshape(-1)
    if weights.shape != (2,) or bias.shape != (1,):
        raise ValueError(f"replay_perceptron: entry {k} of the history needs two weights and one bias")
    if index is not None and not 0 <= int(index) < points:
        raise ValueError(
            f"replay_perceptron: entry {k} names point {int(index)}, but there are {points} points"
        )
    return {"w": weights.tolist(), "b": float(bias[0]), "index": None if index is None else int(index)}


def _wrong(data: Mapping[str, Any], step: Mapping[str, Any]) -> list[int]:
    (w1, w2), b = step["w"], step["b"]
    says = [int(w1 * x1 + w2 * x2 + b > -_ON_THE_LINE) for x1, x2 in data["X"]]
    return [i for i, (said, true) in enumerate(zip(says, data["y"], strict=True)) if said != true]


def compute(data: Mapping[str, Any], update: int) -> dict[str, Any]:
    """Return what update number ``update`` did (0 is the start).

    Keys: ``before`` and ``after`` (each w, b), ``index`` and ``true`` class of the point, what it was
    ``called`` before, ``dw``, ``db``, and which points are wrong after (``wrong``) and were before
    (``wrong_before``).
    """
    k = int(update)
    after = data["steps"][k]
    before = data["steps"][max(k - 1, 0)]
    index = after["index"]
    state: dict[str, Any] = {
        "before": {"w": before["w"], "b": before["b"]},
        "after": {"w": after["w"], "b": after["b"]},
        "index": index,
        "true": None,
        "called": None,
        "dw": [new - old for new, old in zip(after["w"], before["w"], strict=True)],
        "db": after["b"] - before["b"],
        "wrong": _wrong(data, after),
        "wrong_before": _wrong(data, before),
    }
    if index is not None:
        state["true"] = data["y"][index]
        state["called"] = 1 - state["true"] if index in state["wrong_before"] else state["true"]
    return state


def _pair(values: Sequence[float]) -> str:
    return f"({short(values[0])}, {short(values[1])})"


def describe(data: Mapping[str, Any], update: int) -> str:
    """Return in words what the update did."""
    state, total = compute(data, update), len(data["X"])
    wrong = len(state["wrong"])
    now = (
        f"{wrong} of {total} points {'is' if wrong == 1 else 'are'} wrong"
        if wrong
        else f"All {total} points are right"
    )
    w, b = state["after"]["w"], state["after"]["b"]
    if state["index"] is None:
        return f"Start: w = {_pair(w)}, b = {short(b)}. {now}."
    x = data["X"][state["index"]]
    called = f"was called {state['called']}"
    if state["called"] == state["true"]:
        called += ", which was right already"
    push = _push_words(x, state["dw"], state["true"])
    return (
        f"Update {int(update)}: point {_pair(x)} of class {state['true']} {called}; "
        f"w moves by {push}{_pair(state['dw'])} to {_pair(w)}, b by {short(state['db'])} to {short(b)}. "
        f"{now} now."
    )


def _push_words(x: Sequence[float], dw: Sequence[float], true: int) -> str:
    """Return "x = " or "−x = " where the push is just what the rule says for a point of this class."""
    sign, words = (1, "x = ") if true == 1 else (-1, "−x = ")
    as_taught = all(math.isclose(d, sign * c, rel_tol=1e-4, abs_tol=1e-6) for d, c in zip(dw, x, strict=True))
    return words if as_taught else ""


def window(data: Mapping[str, Any]) -> tuple[list[float], float]:
    """Return middle and half width of the square that holds all points with room around them."""
    points = np.array(data["X"])
    low, high = points.min(axis=0), points.max(axis=0)
    half = max(float((high - low).max()) / 2, 0.5) * 1.5
    return ((low + high) / 2).tolist(), half


def draw(figure: Figure, data: Mapping[str, Any], updates: Sequence[int]) -> None:
    """Draw a few updates side by side: the line before (dashed), the line after, the point at fault."""
    palette, shapes = colors(), markers()
    (mx, my), half = window(data)
    row = figure.subplots(1, len(updates), squeeze=False)[0]
    points, classes = np.array(data["X"]), np.array(data["y"])
    for axes, k in zip(row, updates, strict=True):
        state = compute(data, k)
        for kind in (0, 1):
            axes.scatter(
                *points[classes == kind].T, s=70, marker=shapes[kind], color=palette[f"class{kind}"],
                edgecolor="white", linewidth=1, zorder=3,
            )  # fmt: skip
        for which, look in (
            ("before", {"ls": (0, (3, 2)), "color": palette["muted"]}),
            ("after", {"color": palette["boundary"]}),
        ):
            ends = _ends(state[which], mx, my, half)
            if ends is not None:
                axes.plot(*ends, **look, zorder=2)
        if state["index"] is not None:
            axes.scatter(
                *points[state["index"]],
                s=330,
                facecolor="none",
                edgecolor=palette["wrong"],
                linewidth=2.5,
                zorder=4,
            )
        wrong = len(state["wrong"])
        title = "Start" if state["index"] is None else f"Update {k}"
        axes.set_title(f"{title}: {wrong} wrong" if wrong else f"{title}: all right", fontsize="medium")
        axes.set(xlim=(mx - half, mx + half), ylim=(my - half, my + half), aspect="equal", xlabel="x₁")
    row[0].set_ylabel("x₂")


def _ends(
    line: Mapping[str, Any], mx: float, my: float, half: float
) -> tuple[list[float], list[float]] | None:
    (w1, w2), b = line["w"], line["b"]
    norm = math.hypot(w1, w2)
    if norm < 1e-12:
        return None
    away = (w1 * mx + w2 * my + b) / norm
    far = 3 * half + abs(away)
    fx, fy = mx - away * w1 / norm, my - away * w2 / norm
    return [fx - far * w2 / norm, fx + far * w2 / norm], [fy + far * w1 / norm, fy - far * w1 / norm]


def declaration(data: Mapping[str, Any]) -> Declaration:
    """Return the controls for a record of this length, and a challenge if the record holds one."""
    last = len(data["steps"]) - 1
    goals = [
        Goal(
            "end",
            "Go to the last update, step by step or playing.",
            "The last update: the rule stops, or was stopped.",
        )
    ]
    mistakes = [len(_wrong(data, step)) for step in data["steps"]]
    if any(after > before for before, after in itertools.pairwise(mistakes)):
        goals.append(
            Goal(
                "worse",
                "Find an update after which more points are wrong than before.",
                "Found: what helps one point can spoil others.",
                challenge=True,
            )
        )
    return Declaration(
        name="replay",
        title="The perceptron rule, update by update",
        controls=(
            Slider("update", "Update", 0, last, 1, 0),
            Action("back", "◀ Back"),
            Action("play", "Play"),
            Action("step", "Step ▶"),
            Choice("speed", "Speed", ("slow", "normal", "fast"), "normal", style="radio"),
        ),
        goals=tuple(goals),
        width=660,
        height=560,
        pointer_hint="● class 0, ■ class 1. Dashed: the line before. Ring: the point that was wrong.",
    )


def browser_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record together with the part of the plane that is shown."""
    middle, half = window(data)
    return {**data, "middle": middle, "half": half}


class ReplayExplorer(Explorer):
    """The live widget of :func:`replay_perceptron`."""

    _esm = esm("replay.js")
    _css = css()


def replay_perceptron(X: Any, y: Any, history: Sequence[Any]) -> None:
    """Show the updates that the learner's own loop recorded, one by one.

    In the loop, after each update: ``history.append((w, b, i))`` with copies of the new weights and bias
    and the index of the point that was wrong. Arguments and errors are those of :func:`prepare`.
    """
    data = prepare(X, y, history)
    last = len(data["steps"]) - 1
    shown = sorted({1, (last + 1) // 2, last})
    live = ReplayExplorer(declaration(data), browser_data(data))
    still = still_png(draw, size=(9.0, 3.7) if len(shown) > 1 else (5.0, 4.4), data=data, updates=shown)
    call = handed_over("replay_perceptron", X=data["X"], y=data["y"], history=data["steps"])
    show(live, still, " ".join(describe(data, k) for k in shown), call=call)
