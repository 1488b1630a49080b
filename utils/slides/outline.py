"""The marks of a lesson: which cell begins a section, which one a slide, what is said and what is shown.

A mark is a cell's ``slideshow`` metadata, the same that JupyterLab's slide show reads::

    # %% [markdown] slideshow={"slide_type": "slide", "minutes": 6}     a section begins
    # %% slideshow={"slide_type": "subslide", "show": "apart"}          a new slide; outputs on another one

A cell without a mark continues the slide. ``minutes``, ``show`` and ``split`` are the course's own, and
JupyterLab knows nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from nbformat import NotebookNode

TYPES = ("slide", "subslide", "fragment", "notes", "skip")
SHOWN = ("code", "output", "apart")
KEYS = {"slide_type", "minutes", "show", "split"}
MAX_FRAGMENTS = 5


@dataclass(frozen=True)
class Piece:
    """What of one cell stands on a slide. Cells are numbered from 1.

    ``source`` is the text or the code that is shown, ``part`` is ``both`` (code and outputs, or a text),
    ``code`` or ``output``; a ``fragment`` appears at a key press of its own.
    """

    number: int
    cell: NotebookNode
    source: str
    part: str = "both"
    fragment: bool = False


@dataclass
class Slide:
    """What is seen at one time, and what is said with it."""

    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The slide's heading; where there is none its first words."""
        for piece in self.pieces:
            if piece.cell.cell_type == "markdown" and (found := heading(piece.source)):
                return found
        if not self.pieces:
            return "(nothing)"
        lines = self.pieces[0].source.strip().splitlines() or ["(nothing)"]
        return lines[0] if len(lines[0]) <= 60 else f"{lines[0][:59]}…"


@dataclass
class Section:
    """The slides of one topic, and how many minutes they take in class; None where no minutes are given."""

    minutes: float | None
    slides: list[Slide]

    @property
    def title(self) -> str:
        """The heading with which it begins."""
        return self.slides[0].title


@dataclass(frozen=True)
class Deck:
    """A lesson as a lecture."""

    sections: list[Section]

    @property
    def minutes(self) -> float:
        """How long the lecture takes."""
        return sum(section.minutes or 0 for section in self.sections)

    @property
    def slides(self) -> list[Slide]:
        """All slides in order."""
        return [slide for section in self.sections for slide in section.slides]


def heading(markdown: str) -> str:
    """The first heading of a text, of any level; empty if it has none."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    match = re.search(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE)
    return match[1] if match else ""


def mark(cell: NotebookNode) -> dict[str, Any]:
    """A cell's mark; empty if it carries none that can be read."""
    found = cell.metadata.get("slideshow", {})
    return dict(found) if isinstance(found, dict) else {}


def outline(cells: Iterable[NotebookNode]) -> Deck:
    """The lecture that the marks of these cells give.

    Bad marks do not stop it (see `mistakes`): what begins no slide continues one.
    """
    deck = Deck([])
    for number, cell in enumerate(cells, start=1):
        found = mark(cell)
        kind = found.get("slide_type")
        if kind == "skip":
            continue
        if not deck.sections or kind == "slide":
            deck.sections.append(Section(found.get("minutes"), [Slide()]))
        elif kind == "subslide":
            deck.sections[-1].slides.append(Slide())
        slides = deck.sections[-1].slides
        if kind == "notes":
            slides[-1].notes.append(cell.source)
            continue
        pieces = divided(number, cell, found)
        slides[-1].pieces.append(pieces[0])
        slides += [Slide([piece]) for piece in pieces[1:]]
    return deck


def divided(number: int, cell: NotebookNode, found: dict[str, Any]) -> list[Piece]:
    """What is shown of a cell, in parts of which each after the first has a slide of its own."""
    show, lines = found.get("show", "both"), cell.source.splitlines()
    split = found["split"] if "split" in found and not any(wrong_split(cell, found)) else []
    bounds = [1, *split, len(lines) + 1]
    codes = ["\n".join(lines[a - 1 : b - 1]).strip("\n") for a, b in pairwise(bounds)]
    parts = [(code, "code") for code in codes[:-1]]
    parts += [(codes[-1], "code"), ("", "output")] if show == "apart" else [(codes[-1], show)]
    fragment = found.get("slide_type") == "fragment"
    return [Piece(number, cell, *part, fragment and place == 0) for place, part in enumerate(parts)]


def mistakes(cells: list[NotebookNode]) -> Iterator[tuple[int, str]]:
    """What is wrong with the marks of a lesson.

    Yields:
        The number of the cell, from 1, and what to do.
    """
    if not any("slideshow" in cell.metadata for cell in cells):
        yield 1, "mark the lesson's slides: docs/lecturing.md says how"
        return
    executed = any(cell.get("outputs") for cell in cells)
    for number, cell in enumerate(cells, start=1):
        yield from ((number, text) for text in wrong_mark(cell))
        if executed and mark(cell).get("show") in ("output", "apart") and not cell.get("outputs"):
            yield number, f"show {mark(cell)['show']!r}, but the cell puts nothing out"
    if mark(cells[0]).get("slide_type") != "slide":
        yield 1, "mark the title as a slide: " + 'slideshow={"slide_type": "slide", "minutes": 2}'
    for slide in outline(cells).slides:
        for piece in slide.pieces[:-1]:
            if piece.cell.cell_type == "code" and "explore.predict(" in piece.source:
                yield piece.number, "what follows gives the question's answer away: make it a subslide"
        fragments = sum(piece.fragment for piece in slide.pieces)
        if fragments > MAX_FRAGMENTS:
            text = f"{fragments} fragments on one slide, {MAX_FRAGMENTS} are enough: begin another slide"
            yield slide.pieces[0].number, text


def wrong_mark(cell: NotebookNode) -> Iterator[str]:
    """What is wrong with one cell's mark."""
    if "slideshow" not in cell.metadata:
        return
    found = mark(cell)
    kind, minutes, show = found.get("slide_type"), found.get("minutes"), found.get("show")
    if not found:
        yield 'write the mark as slideshow={"slide_type": "slide"}, or leave it out'
    for key in sorted(set(found) - KEYS):
        yield f"a slide's mark has no {key!r}; it can have {', '.join(sorted(KEYS))}"
    if "slide_type" in found and kind not in TYPES:
        yield f"slide_type {kind!r} is none of {', '.join(TYPES)}; a cell that continues its slide has none"
    if kind == "slide" and (type(minutes) not in (int, float) or minutes <= 0):
        yield 'say how long the section takes: {"slide_type": "slide", "minutes": 6}'
    if kind != "slide" and "minutes" in found:
        yield "minutes stand where a section begins, at slide_type slide, and nowhere else"
    if "show" in found:
        if show not in SHOWN:
            yield f"show {show!r} is none of {', '.join(SHOWN)}; both are shown where it is left out"
        elif cell.cell_type != "code" or kind in ("notes", "skip"):
            yield "show is for code cells that are shown"
    if "split" in found:
        yield from wrong_split(cell, found)
    if kind == "notes" and cell.cell_type != "markdown":
        yield "notes are text: skip this code or show it"


def wrong_split(cell: NotebookNode, found: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the lines at which a cell's code is divided over slides."""
    split, last = found["split"], len(cell.source.splitlines())
    if (
        cell.cell_type != "code"
        or found.get("slide_type") in ("notes", "skip")
        or found.get("show") == "output"
    ):
        yield "split is for code that is shown"
    elif (
        not isinstance(split, list)
        or not all(type(line) is int for line in split)
        or [1, *split, last + 1] != sorted({1, *split, last + 1})
    ):
        yield f"split names the lines where another slide begins, as in [20, 41]; the cell has {last} lines"
