"""Kernel mode: controls in the browser, the picture drawn by matplotlib in the kernel.

For an explorer whose picture only Python can compute, since it needs torch or the learner's own model. The
figure is made once. Each time a control moves, the artists that ``setup`` returned are changed and drawn
again over a saved background ("blitting"), and the picture goes to the browser as a PNG: about 50 ms from
key press to picture.

An author writes a declaration and four plain functions, none of which knows of widgets::

    # wave.py
    DECLARATION = Declaration(
        name="wave",
        title="A wave",
        controls=(Slider("k", "waves", 1, 9, 1, 2), Switch("noisy", "noise")),
        goals=(Goal("five", "Make five waves.", "Five waves."),),
        width=640, height=400,
    )
    T = torch.linspace(0, 1, 400)

    def setup(figure):
        # Once, and again when the picture's size changes. Returns the artists that `update` changes, in a
        # dictionary, list or tuple, nested as you like. All else is background and drawn once.
        axes = figure.subplots()
        axes.set(xlim=(0, 1), ylim=(-2, 2))
        return {"curve": axes.plot(T, 0 * T)[0], "title": axes.set_title("")}

    def update(artists, k, noisy):
        # Changes artists, makes none. What it returns goes to `describe` and `goals`.
        y = torch.sin(2 * torch.pi * k * T)
        if noisy:
            y = y + 0.2 * torch.randn(400, generator=torch.Generator().manual_seed(0))
        artists["curve"].set_ydata(y)
        artists["title"].set_text(f"{k} waves between 0 and 1")
        return y.max().item()

    def describe(highest, k, noisy):        # the alternative text, also read aloud
        return f"{k} waves; the highest point is {number(highest)}."

    GOALS = {"five": lambda highest, k, noisy: k == 5}

    def wave():
        show_drawn(DECLARATION, setup, update, describe, GOALS)

Test it without a browser: ``Painter(setup, update).png(**controls)`` for every ``DECLARATION.extremes()``.

The first picture is drawn while the cell runs, so a mistake in ``setup`` or ``update`` raises there. Later
mistakes are shown as text in the explorer.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import traitlets
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from utils.explore.base import Declaration, Explorer, css, esm, show, still_png
from utils.plotting import style_settings

DPI = 100  # figure inches are hundreds of CSS pixels

Setup = Callable[[Figure], Any]
Update = Callable[..., Any]
Describe = Callable[..., str]
Goals = Mapping[str, Callable[..., bool]]

log = logging.getLogger(__name__)


@contextmanager
def course_style() -> Iterator[None]:
    """Draw in the course's light style, whatever the learner's rcParams are."""
    with matplotlib.style.context(["default", style_settings("light")]):
        yield


def artists_in(found: Any) -> list[Artist]:
    """Return the artists in nested dictionaries, lists and tuples, from back to front."""

    def walk(part: Any) -> Iterator[Artist]:
        if isinstance(part, Artist):
            yield part
        elif isinstance(part, Mapping):
            for value in part.values():
                yield from walk(value)
        elif isinstance(part, (list, tuple)):  # matplotlib's containers of bars and stems are tuples
            for value in part:
                yield from walk(value)

    return sorted(walk(found), key=Artist.get_zorder)


class Painter:
    """One persistent figure whose moving artists are drawn over a saved background.

    Args:
        setup, update: the author's functions, see the head of this module.
        size: width and height in CSS pixels.
        ratio: picture pixels per CSS pixel (2 on a screen of high resolution).
    """

    def __init__(
        self, setup: Setup, update: Update, size: tuple[int, int] = (640, 400), ratio: float = 1
    ) -> None:
        self._update = update
        self.figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI * ratio, layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        with course_style():
            self.artists = setup(self.figure)
        self._moving = artists_in(self.artists)
        if not self._moving:
            raise ValueError("setup must return the artists that update changes")
        self._background: Any = None

    def draw(self, **controls: Any) -> Any:
        """Call the author's ``update`` and draw; returns what it returned."""
        seen = self._update(self.artists, **controls)
        if self._background is None:
            self._save_background()
        self._canvas.restore_region(self._background)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        return seen

    def _save_background(self) -> None:
        # Laid out once, with everything in place; from then on nothing may shift under the saved background.
        with course_style():
            self._canvas.draw()
            self.figure.set_layout_engine("none")
            for artist in self._moving:
                artist.set_animated(True)
            self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self.figure.bbox)

    def encode(self) -> bytes:
        """Return the picture as it was last drawn, as a PNG that is quick to make rather than small."""
        width, height = self._canvas.get_width_height()
        pixels = Image.frombuffer("RGBA", (width, height), self._canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        file = io.BytesIO()
        pixels.convert("RGB").save(file, "PNG", compress_level=1)
        return file.getvalue()

    def png(self, **controls: Any) -> bytes:
        """Draw and encode in one."""
        self.draw(**controls)
        return self.encode()


class KernelExplorer(Explorer):
    """The live half of an explorer that asks the kernel. A subclass writes :meth:`answer`."""

    def __init__(
        self, declaration: Declaration, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(declaration, data, **kwargs)
        self._declared = declaration
        self.on_msg(self._hear)

    def answer(
        self, question: dict[str, Any], buffers: list[memoryview]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Return the content of a reply and its binary buffers.

        ``question["values"]`` are the controls, checked; ``question["settled"]`` is true when a control has
        come to rest: goals count only then. The content's ``say`` is the sentence, ``goals`` the ids reached.
        """
        raise NotImplementedError

    def _hear(self, _: Any, question: dict[str, Any], buffers: list[memoryview]) -> None:
        if question.get("kind") != "question":
            return
        reply: dict[str, Any] = {"kind": "reply", "view": question["view"], "counter": question["counter"]}
        try:
            self._declared.check(**question["values"])
            content, out = self.answer(question, buffers)
        except Exception as error:  # whatever the learner's model does: the explorer says so and goes on
            log.debug("an explorer's question failed", exc_info=True)
            content, out = {"error": f"{type(error).__name__}: {error}"}, []
        self.send(reply | content, out)

    def met(self, goals: Goals, question: dict[str, Any], seen: Any) -> list[str]:
        """Return the ids of the goals that hold now, none while a control still moves."""
        if not question["settled"]:
            return []
        return [name for name, holds in goals.items() if holds(seen, **question["values"])]


class DrawnExplorer(KernelExplorer):
    """An explorer whose picture matplotlib draws."""

    _esm = esm("kernel.js", "kernel_picture.js")
    _css = css()

    first = traitlets.Dict().tag(sync=True)
    first_png = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        declaration: Declaration,
        setup: Setup,
        update: Update,
        describe: Describe,
        goals: Goals | None = None,
        *,
        narrow: tuple[int, int] | None = None,
    ) -> None:
        declared = {goal.id for goal in declaration.goals}
        if declared != set(goals or {}):
            raise ValueError(
                f"{declaration.name}: declares goals {sorted(declared)}, has {sorted(goals or {})}"
            )
        self._setup, self._update, self._describe, self._goals = setup, update, describe, dict(goals or {})
        self._sizes = {"wide": (declaration.width, declaration.height), "narrow": narrow}
        self._layout: tuple[str, float] = ("wide", 1.0)
        self._painter = Painter(setup, update, self._sizes["wide"])
        self._moving_to: dict[str, Any] | None = None  # controls of the last picture, while they still move
        values = declaration.defaults()
        seen = self._painter.draw(**values)
        super().__init__(
            declaration, first={"say": describe(seen, **values)}, first_png=self._painter.encode()
        )
        self.declaration = {**self.declaration, "narrow": narrow}

    def answer(
        self, question: dict[str, Any], buffers: list[memoryview]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Draw the picture for the controls' values and describe it."""
        values = question["values"]
        self._lay_out(question.get("layout", "wide"), question.get("ratio", 1))
        # A key press moves a control and lets it go at once: two questions, for which one picture is enough.
        if question["settled"] and values == self._moving_to:
            self._moving_to, seen, picture = None, self._seen, []
        else:
            self._moving_to = None
            self._seen = seen = self._painter.draw(**values)
            picture = [self._painter.encode()]
            if not question["settled"]:
                self._moving_to = dict(values)
        say = self._describe(seen, **values)
        return {"say": say, "goals": self.met(self._goals, question, seen)}, picture

    def _lay_out(self, layout: str, ratio: float) -> None:
        if layout not in self._sizes or self._sizes[layout] is None:
            layout = "wide"
        wanted = (layout, min(2.0, max(1.0, float(ratio))))
        if wanted != self._layout:
            self._painter = Painter(self._setup, self._update, self._sizes[layout], wanted[1])
            self._layout, self._moving_to = wanted, None


def show_drawn(
    declaration: Declaration,
    setup: Setup,
    update: Update,
    describe: Describe,
    goals: Goals | None = None,
    *,
    narrow: tuple[int, int] | None = None,
    still: bytes | None = None,
    alt: str | None = None,
) -> None:
    """Display an explorer whose picture matplotlib draws: the still first, the live widget second.

    Args:
        declaration: controls, presets and goals.
        setup, update, describe: see the head of this module.
        goals: goal id -> function of what ``update`` returned and the controls; true when reached.
        narrow: width and height of the picture on a narrow page, where ``setup`` may look at
            ``figure.get_figwidth()`` and put its axes below each other; without it the picture only shrinks.
        still, alt: a still picture and its words, where the first picture does not tell enough by itself.
    """
    live = DrawnExplorer(declaration, setup, update, describe, goals, narrow=narrow)
    if still is None:
        size = (declaration.width / DPI, declaration.height / DPI)
        still = still_png(
            lambda figure, **values: update(setup(figure), **values), size=size, **declaration.defaults()
        )
    show(live, still, alt or live.first["say"])
