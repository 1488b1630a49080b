"""Which bug made this curve? (lesson 10): a loss curve without its name, a list of bugs, a guess, the answer.

The lesson measures the curves just before and hands them over. They are shown one at a time, in an order
that is not the list's; the first guess counts. Nothing is computed here but what is needed to draw: how
far the axes go, and which points of a long curve are kept.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Slider,
    Switch,
    colors,
    css,
    esm,
    handed_over,
    number,
    show,
    still_png,
)

MOST_BUGS = 12
MOST_LINES = 4  # in one picture
MOST_POINTS = 400  # of one line; of a longer one the lowest and highest of each stretch are kept
ENDLESS = 1e300  # what is larger is called no number, as infinity and NaN are
NOT_YET = "none"

Line = dict[str, Any]


# ------------------------------------------------------------------ what the lesson hands over
def prepare(
    curves: Mapping[str, Any], explanations: Mapping[str, str] | None = None, reference: str | None = None
) -> dict[str, Any]:
    """Check the curves and return them as plain data.

    Args:
        curves: name of each bug -> its loss, one number a step (list, array or tensor); or several such
            lines, ``{"training": …, "validation": …}`` or a list of lines (for example one a seed). What is
            no finite number is left out of the picture and told in words.
        explanations: name of a bug -> what is seen in its curve and why; shown after the guess.
        reference: name of the run without a bug. It is drawn in grey behind every curve and not asked for.

    Returns:
        ``bugs``, the names in their order; ``cases``, in the order they are asked, each ``bug`` (position
        in ``bugs``) and ``lines`` (``label``, ``steps``, ``values``, ``count``, ``first``, ``last``,
        ``lost``: the first step without a finite loss, or None); ``explanations``, in the order of
        ``bugs``; ``reference``, lines or None.

    Raises:
        ValueError: if there are fewer than two bugs or more than twelve, a curve is empty or no curve, or a
            name is unknown.
    """
    if not isinstance(curves, Mapping) or not all(isinstance(name, str) and name.strip() for name in curves):
        raise ValueError("bugs: curves must be a dictionary from the name of a bug to its loss curve")
    if reference is not None and reference not in curves:
        raise ValueError(f"bugs: the reference {reference!r} is none of the curves {list(curves)}")
    names = [name for name in curves if name != reference]
    if not 2 <= len(names) <= MOST_BUGS:
        raise ValueError(f"bugs: needs 2 to {MOST_BUGS} bugs to choose from, not {len(names)}")
    unknown = set(explanations or {}) - set(curves)
    if unknown:
        raise ValueError(f"bugs: explanations of {sorted(unknown)}, but the curves are {list(curves)}")
    return {
        "bugs": names,
        "cases": [{"bug": k, "lines": _lines(names[k], curves[names[k]])} for k in _order(len(names))],
        "explanations": [str((explanations or {}).get(name, "")).strip() for name in names],
        "reference": None if reference is None else _lines(reference, curves[reference]),
        "reference_name": reference or "",
    }


def _order(count: int) -> list[int]:
    """Return always the same order, in which nothing stands where the list has it."""
    order, chance = list(range(count)), random.Random(count)
    while any(k == place for place, k in enumerate(order)):
        chance.shuffle(order)
    return order


def _lines(name: str, given: Any) -> list[Line]:
    if isinstance(given, Mapping):
        parts = [(str(label), values) for label, values in given.items()]
    else:
        given = _listed(name, given)
        # A tensor of one number calls itself iterable, too.
        nested = [isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0 for value in given]
        if any(nested) and not all(nested):
            raise ValueError(f"bugs: the curve of {name!r} mixes numbers and lines")
        parts = [("", values) for values in given] if any(nested) else [("", given)]
    if not 1 <= len(parts) <= MOST_LINES:
        raise ValueError(f"bugs: {name!r} has {len(parts)} lines; 1 to {MOST_LINES} can be shown")
    return [_line(name, label, values) for label, values in parts]


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not (hasattr(values, "tolist") or isinstance(values, Iterable)):
        raise ValueError(f"bugs: the curve of {name!r} must be a sequence of numbers, not {values!r}")
    found = values.tolist() if hasattr(values, "tolist") else list(values)
    return found if isinstance(found, list) else [found]


def _line(name: str, label: str, given: Any) -> Line:
    try:
        values = [float(value) for value in _listed(name, given)]
    except (TypeError, ValueError):
        raise ValueError(f"bugs: the curve of {name!r} must be a sequence of numbers") from None
    if len(values) < 2:
        raise ValueError(f"bugs: the curve of {name!r} needs at least two steps, not {len(values)}")
    finite = [k for k, value in enumerate(values) if abs(value) < ENDLESS]
    kept = _thinned(values, finite)
    return {
        "label": label,
        "steps": [k + 1 for k in kept],
        "values": [values[k] for k in kept],
        "count": len(values),
        "first": values[finite[0]] if finite else None,
        "last": values[finite[-1]] if finite else None,
        "lost": next((k + 1 for k, value in enumerate(values) if not abs(value) < ENDLESS), None),
    }


def _thinned(values: Sequence[float], places: list[int]) -> list[int]:
    """Return at most MOST_POINTS of the places; of every stretch the lowest and the highest value."""
    if len(places) <= MOST_POINTS:
        return places
    stretches = MOST_POINTS // 2 - 1
    kept = {places[0], places[-1]}
    for k in range(stretches):
        part = places[k * len(places) // stretches : (k + 1) * len(places) // stretches]
        kept |= {min(part, key=values.__getitem__), max(part, key=values.__getitem__)}
    return sorted(kept)


# ------------------------------------------------------------------ one picture
def compute(
    data: Mapping[str, Any],
    case: int = 1,
    guess: str = NOT_YET,
    log: bool = False,
    answers: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    """Return what is shown: ``lines``, the ends of the axes ``x`` and ``y``, and how the game stands.

    Args:
        data: from :func:`prepare`.
        case: which curve, counted from 1.
        guess: position of the chosen bug as text, or "none".
        log: whether the axis is logarithmic; then ``y`` holds powers of ten.
        answers: case -> guessed bug, for the curves that have been answered.

    Keys beside those: ``bug``, ``answer`` (None if not answered yet), ``right``, ``answered``, ``score``.
    """
    answers = answers or {}
    one = data["cases"][case - 1]
    shown = [*one["lines"], *(data["reference"] or [])]
    values = [value for line in shown for value in line["values"] if value > 0 or not log]
    return {
        "lines": one["lines"],
        "x": [1, max(line["count"] for line in shown)],
        "y": _range(values, log),
        "bug": one["bug"],
        "answer": answers.get(case),
        "right": answers.get(case) == one["bug"],
        "answered": len(answers),
        "score": sum(data["cases"][k - 1]["bug"] == bug for k, bug in answers.items()),
    }


def _range(values: Sequence[float], log: bool) -> list[float]:
    if not values:
        return [-1.0, 1.0] if log else [0.0, 1.0]
    low, high = (math.log10(min(values)), math.log10(max(values))) if log else (min(values), max(values))
    if log:
        spare = max(0.05 * (high - low), 0.1)
        return [low - spare, high + spare]
    low = min(0.0, low)
    return [low, high + 0.06 * (high - low) if high > low else low + 1.0]


def loss_words(loss: float) -> str:
    """Return a loss in few digits: 0.052, 2.30, 1234 or 1.2e+20."""
    if abs(loss) >= 1e5:
        return f"{loss:.1e}".replace("e+0", "e+")
    return number(loss, 3 if abs(loss) < 1 else 2 if abs(loss) < 100 else 0)


def course(line: Line) -> str:
    """Return one line's way in words: "from 2.30 to 0.41 in 400 steps"."""
    name = f"{line['label']}: " if line["label"] else ""
    if line["first"] is None:
        return f"{name}no finite number in {line['count']} steps"
    way = f"{name}from {loss_words(line['first'])} to {loss_words(line['last'])} in {line['count']} steps"
    if line["lost"] is None:
        return way
    for_good = line["steps"][-1] < line["lost"]
    return f"{way}, no number " + (f"from step {line['lost']} on" if for_good else f"at step {line['lost']}")


def describe(
    data: Mapping[str, Any],
    case: int = 1,
    guess: str = NOT_YET,
    log: bool = False,
    answers: Mapping[int, int] | None = None,
) -> str:
    """Return the sentences: the curve's way, the guess or the answer with its explanation, the score."""
    state = compute(data, case, guess, log, answers)
    bugs = data["bugs"]
    parts = [f"Curve {case}: {'; '.join(course(line) for line in state['lines'])}."]
    if state["answer"] is None:
        chosen = "Which bug made it?" if guess == NOT_YET else f"Your guess: {bugs[int(guess)]}."
        parts.append(chosen)
    else:
        name = bugs[state["bug"]]
        parts.append(f"Right: {name}." if state["right"] else f"Not so. The bug: {name}.")
        parts.append(data["explanations"][state["bug"]])
    if state["answered"]:
        parts.append(f"{state['score']} of {state['answered']} right so far.")
    return " ".join(part for part in parts if part)


# ------------------------------------------------------------------ the still
def looks(label: str, place: int) -> str:
    """Return the colour of a line: by its label where that has a role in the course, else by its place."""
    palette = colors()
    roles = {"training": "train", "validation": "validation", "test": "test"}
    return palette[roles.get(label, ("train", "validation", "test", "class5")[place])]


def draw(figure: Figure, data: Mapping[str, Any]) -> None:
    """Draw every curve small, with a number and without its name."""
    palette, cases = colors(), data["cases"]
    columns = min(3, len(cases)) if len(cases) != 4 else 2
    rows = -(-len(cases) // columns)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in grid[len(cases) :]:
        axes.set_axis_off()
    for k, (axes, one) in enumerate(zip(grid, cases, strict=False)):
        for line in data["reference"] or []:
            axes.plot(line["steps"], line["values"], color=palette["muted"], linewidth=1.5, alpha=0.6)
        for place, line in enumerate(one["lines"]):
            axes.plot(
                line["steps"], line["values"], color=looks(line["label"], place), label=line["label"] or None
            )
        _scale(axes, compute(data, k + 1), [*one["lines"], *(data["reference"] or [])])
        axes.set_title(f"Curve {k + 1}: which bug?")
        if k >= len(cases) - columns:
            axes.set_xlabel("step")
        if k % columns == 0:
            axes.set_ylabel("loss")
    if any(line["label"] for line in cases[0]["lines"]):
        grid[0].legend(fontsize=11)


def _scale(axes: Axes, state: Mapping[str, Any], lines: Sequence[Line]) -> None:
    axes.set(xlim=state["x"], ylim=state["y"])
    found = [value for line in lines for value in line["values"] if value > 0]
    # A curve that runs away would hide all else.
    if found and max(found) > 1000 * min(found) and max(found) > 100:
        axes.set(yscale="log", ylim=(min(found) / 2, max(found) * 2))


def alternative(data: Mapping[str, Any]) -> str:
    """Return the still in words: each curve's way, and the bugs to choose from."""
    ways = [
        f"{k}: {'; '.join(course(line) for line in one['lines'])}"
        for k, one in enumerate(data["cases"], start=1)
    ]
    return (
        f"{len(ways)} loss curves without names. {'. '.join(ways)}. "
        f"The bugs to choose from: {'; '.join(data['bugs'])}."
    )


# ------------------------------------------------------------------ the explorer
def declaration(data: Mapping[str, Any]) -> Declaration:
    """Return the controls for these curves."""
    n = len(data["bugs"])
    options = ((NOT_YET, "no guess yet"), *((str(k), name) for k, name in enumerate(data["bugs"])))
    return Declaration(
        name="bugs",
        title="Which bug made this curve?",
        controls=(
            Slider("case", "Curve", 1, n, 1, 1, f"of {n}"),
            Choice("guess", "Which bug made it?", options, NOT_YET, style="radio"),
            Action("check", "Check", "Is the guess right? The first one counts"),
            Action("next", "Next curve", "The next curve without an answer"),
            Switch("log", "Logarithmic axis"),
        ),
        goals=(
            Goal("one", "Recognise one bug by its curve.", "One recognised by its curve."),
            Goal("all", "Answer for every curve.", "Every curve answered."),
            Goal(
                "perfect",
                f"All {n} right at the first guess.",
                f"All {n} right. You can read a loss curve.",
                challenge=True,
            ),
        ),
        width=640,
        height=420,
    )


def browser_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the curves with a colour for each line."""
    cases = [
        {**one, "lines": [{**line, "look": looks(line["label"], k)} for k, line in enumerate(one["lines"])]}
        for one in data["cases"]
    ]
    return {**data, "cases": cases}


class BugsExplorer(Explorer):
    """The live widget of :func:`bugs`."""

    _esm = esm("bugs.js")
    _css = css()


def bugs(
    curves: Mapping[str, Any],
    explanations: Mapping[str, str] | None = None,
    *,
    reference: str | None = None,
) -> None:
    """Show loss curves without their names, and let the learner guess which bug made each.

    Arguments and errors are those of :func:`prepare`.
    """
    data = prepare(curves, explanations, reference)
    rows = -(-len(data["cases"]) // (3 if len(data["cases"]) != 4 else 2))
    show(
        BugsExplorer(declaration(data), browser_data(data)),
        still_png(draw, size=(9.6, 2.7 * rows + 0.3), data=data),
        alternative(data),
        call=handed_over("bugs", curves=curves, explanations=explanations, reference=reference),
    )
