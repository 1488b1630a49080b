"""The base of every explorer: what it declares, its still picture, and the live widget.

An explorer is two outputs of one cell. First a *still*, an ordinary picture that is stored in the notebook
and shows on every page. Then the *live* widget, which hides the still just above it for as long as it lives
on a screen. No widget state is stored.

How an explorer is made (browser mode: the browser computes and draws)::

    # dice.py
    DECLARATION = Declaration(
        name="dice",
        title="Two dice",
        controls=(Slider("n", "throws", 1, 100, 1, 10), Choice("kind", "dice", ("fair", "loaded"), "fair")),
        presets=(Preset("Many throws", {"n": 100}),),
        goals=(Goal("hundred", "Throw a hundred times.", "A hundred throws."),),
        height=320,
    )

    def compute(n, kind): ...                # plain numbers; dice.js computes the same
    def draw(figure, **controls): ...        # matplotlib, for the still and for tests
    def describe(**controls): ...            # one sentence that says what is seen: the alternative text

    class DiceExplorer(Explorer):
        _esm = esm("dice.js")                # base.js, then dice.js, in one module
        _css = css()

    def dice():
        first = DECLARATION.defaults()
        show(DiceExplorer(DECLARATION), still_png(draw, **first), describe(**first))

and ``dice.js`` holds one object, with everything of ``base.js`` under the name ``n2t``::

    const explorer = {
      compute(values, data) { ... return state },          // plain numbers, as compute() in Python
      draw(picture, state, values, data) { ... },          // SVG, rebuilt at every change (about 2 ms)
      describe(state, values, data) { ... return text },   // as describe() in Python
      goals: { hundred: (state, values, data) => values.n === 100 },
    };

Kernel mode uses the same declaration and frame: ``n2t.frame(el, declaration, handlers)`` builds controls,
presets, goals, the sentence and the place for errors, and leaves ``frame.stage`` for a picture of any kind.
Its ``render`` then goes into ``explorer.render``. See the head of ``base.js``.
"""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import anywidget
import matplotlib.style
import traitlets
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from utils.plotting import CLASS_MARKERS, PALETTES, style_settings

HERE = Path(__file__).parent

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WORDS_END = ": live once this cell runs in JupyterLab]"  # how the words end that stand for a live explorer
CALL = "explorer"  # in an output's metadata: what :func:`handed_over` returned


# ------------------------------------------------------------------ what an explorer declares
@dataclass(frozen=True)
class Slider:
    """A number between ``minimum`` and ``maximum`` in steps, shown with its value and unit.

    With ``inline``, name, slider and value stand in one line: for several short names below each other.
    With ``log``, the slider holds log₁₀ of the number that it shows.
    """

    name: str
    label: str
    minimum: float
    maximum: float
    step: float
    value: float
    unit: str = ""
    inline: bool = False
    log: bool = False
    type: str = field(default="range", init=False)

    def __post_init__(self) -> None:
        if not (self.minimum <= self.value <= self.maximum and self.step > 0 and self.minimum < self.maximum):
            raise ValueError(
                f"slider {self.name!r}: needs minimum < maximum, a value between them and a step > 0"
            )

    def ends(self) -> tuple[float, ...]:
        """Return the values that tests must try."""
        return (self.minimum, self.maximum)

    def accepts(self, value: Any) -> bool:
        """Return whether ``value`` is a finite number within the range."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return number and self.minimum - 1e-9 <= value <= self.maximum + 1e-9


@dataclass(frozen=True)
class Choice:
    """One of several ``options``, each a word or a pair (value, words), as a list or as radio buttons."""

    name: str
    label: str
    options: tuple[str | tuple[str, str], ...]
    value: str
    style: str = "select"  # or "radio"
    type: str = field(default="choice", init=False)

    def __post_init__(self) -> None:
        if self.value not in self.ends():
            raise ValueError(f"choice {self.name!r}: {self.value!r} is not among {self.ends()}")
        if self.style not in ("select", "radio"):
            raise ValueError(f"choice {self.name!r}: style is 'select' or 'radio', not {self.style!r}")

    def ends(self) -> tuple[str, ...]:
        """Return every option's value."""
        return tuple(option if isinstance(option, str) else option[0] for option in self.options)

    def accepts(self, value: Any) -> bool:
        """Return whether ``value`` is one of the options."""
        return value in self.ends()


@dataclass(frozen=True)
class Switch:
    """A tick box."""

    name: str
    label: str
    value: bool = False
    type: str = field(default="switch", init=False)

    def ends(self) -> tuple[bool, ...]:
        """Return both positions."""
        return (False, True)

    def accepts(self, value: Any) -> bool:
        """Return whether ``value`` is True or False."""
        return isinstance(value, bool)


@dataclass(frozen=True)
class Text:
    """A line of text that the learner types, of at most ``maximum`` characters.

    Any text within that length is accepted here. Whether it can be read is for the explorer to say: its
    JavaScript returns a sentence for what cannot be (``mistakes(state, values, data)``), which then stands
    below the field where otherwise the ``example`` stands. ``tries`` are texts that tests must try.
    """

    name: str
    label: str
    value: str
    maximum: int = 40
    example: str = ""
    placeholder: str = ""
    tries: tuple[str, ...] = ()
    type: str = field(default="text", init=False)

    def __post_init__(self) -> None:
        if self.maximum < 1:
            raise ValueError(f"text {self.name!r}: maximum must be at least 1, not {self.maximum}")
        for text in self.ends():
            if not self.accepts(text):
                raise ValueError(
                    f"text {self.name!r}: {text!r} is not one line of up to {self.maximum} characters"
                )

    def ends(self) -> tuple[str, ...]:
        """Return the texts that tests must try."""
        return (self.value, *self.tries)

    def accepts(self, value: Any) -> bool:
        """Return whether ``value`` is one line that is not too long; it may still make no sense."""
        return isinstance(value, str) and len(value) <= self.maximum and value.isprintable()


@dataclass(frozen=True)
class Action:
    """A button; the explorer's JavaScript says what a press does (``actions: {name(view) {…}}``)."""

    name: str
    label: str
    hint: str = ""
    type: str = field(default="action", init=False)


@dataclass(frozen=True)
class Preset:
    """A button that sets several controls at once."""

    label: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """Something to reach. ``text`` says what to do; ``done`` replaces it once it is reached."""

    id: str
    text: str
    done: str
    challenge: bool = False


Control = Slider | Choice | Switch | Text | Action


@dataclass(frozen=True)
class Declaration:
    """All that the browser needs to build an explorer's frame.

    ``width`` and ``height`` are the largest size of the picture in CSS pixels; a browser-mode picture gets
    narrower on a narrow page while its text keeps its size, and is never higher than ``height``.
    """

    name: str
    title: str
    controls: tuple[Control, ...]
    presets: tuple[Preset, ...] = ()
    goals: tuple[Goal, ...] = ()
    width: int = 620
    height: int = 420
    pointer_hint: str = ""

    def __post_init__(self) -> None:
        names = [control.name for control in self.controls]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name}: two controls share a name: {names}")
        for preset in self.presets:
            self.check(**preset.values)

    def defaults(self) -> dict[str, Any]:
        """Return each control's first value."""
        return {c.name: c.value for c in self.controls if not isinstance(c, Action)}

    def check(self, **values: Any) -> None:
        """Raise ValueError where a value is not one that its control can take."""
        known = {c.name: c for c in self.controls if not isinstance(c, Action)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"{self.name}: there is no control {name!r}; there are {sorted(known)}")
            if not known[name].accepts(value):
                raise ValueError(f"{self.name}: {name} cannot be {value!r}")

    def extremes(self) -> Iterator[dict[str, Any]]:
        """Yield the defaults, each preset, and every combination of the ends of all controls."""
        yield self.defaults()
        for preset in self.presets:
            yield self.defaults() | dict(preset.values)
        controls = [c for c in self.controls if not isinstance(c, Action)]
        for combination in itertools.product(*(c.ends() for c in controls)):
            yield dict(zip((c.name for c in controls), combination, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the browser."""
        plain = asdict(self)
        plain["controls"] = [_plain_control(control) for control in self.controls]
        plain["presets"] = [{"label": p.label, "values": dict(p.values)} for p in self.presets]
        plain["colors"] = colors()
        plain["markers"] = list(markers())
        return plain


def _plain_control(control: Control) -> dict[str, Any]:
    plain = asdict(control)
    if isinstance(control, Choice):
        plain["options"] = [[o, o] if isinstance(o, str) else list(o) for o in control.options]
    return plain


def colors() -> dict[str, str]:
    """Return the course's colour for each role: always those that fit white paper."""
    return dict(PALETTES["light"])


def markers() -> tuple[str, ...]:
    """Return the markers of class 0, 1, … (matplotlib's names)."""
    return CLASS_MARKERS


# ------------------------------------------------------------------ the live widget
def esm(*files: str) -> str:
    """Return one JavaScript module: ``base.js``, then the named files of this folder, then the export."""
    parts = [(HERE / name).read_text(encoding="utf-8") for name in ("base.js", *files)]
    parts.append(
        "export default explorer.render ? explorer : n2t.browser(explorer);\nexport { explorer, n2t };\n"
    )
    return "\n".join(parts)


def css() -> str:
    """Return the one style sheet of all explorers."""
    return (HERE / "base.css").read_text(encoding="utf-8")


class Explorer(anywidget.AnyWidget):
    """The live half of an explorer. A subclass gives ``_esm`` (see :func:`esm`) and ``_css``."""

    declaration = traitlets.Dict().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)  # set by the browser when a control is let go
    reached = traitlets.List().tag(sync=True)  # ids of the goals reached, as long as the widget lives

    def __init__(
        self, declaration: Declaration | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ):
        if declaration is not None:
            kwargs = {"declaration": declaration.to_dict(), "values": declaration.defaults()} | kwargs
        super().__init__(data=dict(data or {}), **kwargs)

    @property
    def words(self) -> str:
        """What a page shows that cannot show the widget: always the same, so without an address."""
        return f"[{self.declaration.get('title', 'Explorer')}{WORDS_END}"

    def __repr__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Shown:
    """What one call of an explorer shows: the live widget, the still (a PNG, or HTML) and its words."""

    live: Explorer
    still: bytes | str
    alt: str


def handed_over(name: str, **arguments: Any) -> str:
    """Return a call of an explorer as text, for :func:`show`; it can be read with ``json.loads``.

    An explorer that is handed what a lesson computed leaves this beside its still. The web site makes the
    same call again and has a live explorer, without running the lesson.

    Args:
        name: of the function in ``utils.explore``.
        arguments: all of its arguments. Tensors and arrays become lists; NaN and infinity stay.

    Returns:
        The call; empty if an argument holds what is neither a number, a text, a tensor nor a list of these,
        since then it cannot be made again.
    """
    try:
        return json.dumps({"name": name, "arguments": arguments}, default=_listed, separators=(",", ":"))
    except TypeError:
        return ""


def _listed(value: Any) -> Any:
    if not hasattr(value, "tolist"):
        raise TypeError(f"{type(value).__name__} cannot be written down")
    return value.tolist()


_collected: ContextVar[list[Shown] | None] = ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[list[Shown]]:
    """Collect what explorers show in place of displaying it: for pages that are not notebooks."""
    found: list[Shown] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def show(live: Explorer, still: bytes | str, alt: str, *, call: str = "") -> None:
    """Display the still picture first and the live widget second.

    ``still`` is a PNG, or a piece of HTML; ``alt`` says in words what it shows. ``call`` is for explorers
    that need what a lesson computed: see :func:`handed_over`. It is kept in the live output's metadata, which
    no page shows and nbval does not compare: its numbers may differ in their last digits between machines.
    """
    if (found := _collected.get()) is not None:
        found.append(Shown(live, still, alt))
        return
    mime = "image/png" if isinstance(still, bytes) else "text/html"
    display({mime: still, "text/plain": alt}, raw=True)
    view = {"version_major": 2, "version_minor": 0, "model_id": live.model_id}
    kept = {"metadata": {CALL: call}} if call else {}
    display({WIDGET_VIEW: view, "text/plain": live.words}, raw=True, **kept)


# ------------------------------------------------------------------ the still picture
def still_png(draw: Callable[..., Any], *, size: tuple[float, float] = (8.0, 4.5), **controls: Any) -> bytes:
    """Call ``draw(figure, **controls)`` in the course's light style and return a small PNG.

    ``size`` is in inches at 100 dots per inch. Neither the learner's rcParams nor pyplot's figures are
    touched.
    """
    with matplotlib.style.context(["default", style_settings("light")]):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure, **controls)
        raw = io.BytesIO()
        figure.savefig(raw, format="png", dpi=100, bbox_inches=None, metadata={"Software": None})
    raw.seek(0)
    small = io.BytesIO()
    # 128 colours are enough for lines on white, and make the stored notebook a third of the size.
    Image.open(raw).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def number(value: float, digits: int = 2) -> str:
    """Return ``value`` with a fixed number of digits, a true minus sign, and no negative zero.

    Ties are rounded away from zero, as JavaScript's toFixed does, so that both say the same.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:f}".replace("-", "−")


def short(value: float, digits: int = 2) -> str:
    """Return :func:`number` without zeros at the end: 1.50 becomes 1.5, and 2.00 becomes 2."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text
