"""The base of the explorers: declarations, the two outputs, the still picture, words for numbers."""

from __future__ import annotations

import importlib
import io
import json
import math
import re

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from utils import explore, plotting
from utils.explore import base
from utils.explore.base import Action, Choice, Declaration, Explorer, Goal, Preset, Slider, Switch

NUMBER = Slider("k", "amount", 0, 2, 0.5, 1)
KIND = Choice("kind", "Kind", ("round", ("sq", "square")), "round")


class Bare(Explorer):
    _esm = base.esm("neuron.js")
    _css = base.css()


def declared(**changes: object) -> Declaration:
    parts = {
        "name": "bare",
        "title": "Bare",
        "controls": (NUMBER, KIND, Switch("on", "On"), Action("go", "Go")),
    }
    return Declaration(**(parts | changes))


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What was shown, output by output."""
    shown: list[dict] = []
    monkeypatch.setattr(
        base, "display", lambda bundle, raw, metadata=None: shown.append(bundle | (metadata or {}))
    )
    return shown


# ------------------------------------------------------------------ declarations
def test_defaults_leave_out_buttons():
    assert declared().defaults() == {"k": 1, "kind": "round", "on": False}


def test_extremes_are_defaults_presets_and_every_combination():
    settings = list(declared(presets=(Preset("much", {"k": 1.5}),)).extremes())
    assert settings[0] == {"k": 1, "kind": "round", "on": False}
    assert settings[1] == {"k": 1.5, "kind": "round", "on": False}
    corners = {(s["k"], s["kind"], s["on"]) for s in settings[2:]}
    assert len(settings) == 2 + 8
    assert corners == {(k, kind, on) for k in (0, 2) for kind in ("round", "sq") for on in (False, True)}


@pytest.mark.parametrize(
    ("values", "names"),
    [({"k": 2.5}, "k"), ({"k": float("nan")}, "k"), ({"k": True}, "k"), ({"kind": "oval"}, "kind"),
     ({"on": 1}, "on"), ({"nothing": 1}, "nothing"), ({"go": 1}, "go")],
)  # fmt: skip
def test_values_no_control_can_take_are_named(values: dict, names: str):
    with pytest.raises(ValueError, match=rf"bare: .*{names}"):
        declared().check(**values)


def test_check_accepts_what_the_controls_can_take():
    declared().check(k=2, kind="sq", on=True)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Slider("k", "k", 0, 1, 0.1, 2),
        lambda: Slider("k", "k", 0, 1, 0, 1),
        lambda: Slider("k", "k", 1, 1, 0.1, 1),
        lambda: Choice("c", "c", ("a", "b"), "z"),
        lambda: Choice("c", "c", ("a", "b"), "a", style="menu"),
        lambda: declared(controls=(NUMBER, NUMBER)),
        lambda: declared(presets=(Preset("too much", {"k": 9}),)),
    ],
)
def test_a_wrong_declaration_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_the_browser_gets_plain_data():
    plain = declared(presets=(Preset("much", {"k": 2}),), goals=(Goal("g", "Do.", "Done."),)).to_dict()
    assert "Infinity" not in json.dumps(plain, allow_nan=False)
    assert [c["type"] for c in plain["controls"]] == ["range", "choice", "switch", "action"]
    assert plain["controls"][1]["options"] == [["round", "round"], ["sq", "square"]]
    assert plain["presets"] == [{"label": "much", "values": {"k": 2}}]
    assert plain["goals"][0] == {"id": "g", "text": "Do.", "done": "Done.", "challenge": False}


def test_pictures_keep_the_light_palette_in_the_dark_theme():
    with mpl.rc_context(plotting.style_settings("dark")):
        assert declared().to_dict()["colors"] == plotting.PALETTES["light"]


# ------------------------------------------------------------------ the two outputs
def test_still_first_live_second(displayed: list[dict]):
    live = Bare(declared())
    base.show(live, b"\x89PNG", "what is seen")
    still, widget = displayed
    assert still == {"image/png": b"\x89PNG", "text/plain": "what is seen"}
    assert set(widget) == {base.WIDGET_VIEW, "text/plain"}
    assert widget[base.WIDGET_VIEW]["model_id"] == live.model_id


def test_a_call_is_left_beside_the_live_one(displayed: list[dict]):
    base.show(Bare(declared()), b"", "", call="it")
    assert base.CALL not in displayed[0] and displayed[1][base.CALL] == "it"


def test_what_was_handed_over_can_be_read_again():
    text = base.handed_over(
        "bare", w=torch.ones(2, requires_grad=True), b=np.float32(0.5), k=[(1, None)], lost=math.inf
    )
    assert json.loads(text) == {
        "name": "bare",
        "arguments": {"w": [1.0, 1.0], "b": 0.5, "k": [[1, None]], "lost": math.inf},
    }
    assert base.handed_over("bare", model=torch.nn.Linear(1, 1)) == ""
    assert base.handed_over("bare", values=(k for k in range(3))) == ""


def bell(x: torch.Tensor, middle: float) -> torch.Tensor:
    return torch.exp(-((x - middle) ** 2))


GRID = torch.linspace(-3, 3, 30)
FRAMES = [
    {"step": k, "p_model": bell(GRID, k / 3), "discriminator": bell(GRID, k / 10), "loss_d": loss}
    for k, loss in enumerate((1.3, math.nan, 1.234567))
]
HANDED = {  # what explorers are handed that need a lesson's own numbers
    "replay_perceptron": {
        "X": torch.tensor([[0.0, 0.1], [1.0, 1.0]]),
        "y": torch.tensor([0, 1]),
        "history": [(torch.zeros(2), torch.tensor(-1.0), 0), (torch.ones(2) / 3, 0.0, 1)],
    },
    "bugs": {
        "curves": {"none": [2, 1], "away": [2.0, 9.1, math.nan], "two": torch.ones(2, 900).cumsum(1)},
        "explanations": {"away": "It rises."},
        "reference": "none",
    },
    "contest": {"frames": FRAMES, "grid": GRID, "p_data": bell(GRID, 0)},
    "sampling": {
        "logits": {"To be ": torch.ones(3).cumsum(0) / 3, "a long, long way\n": torch.ones(3)},
        "tokens": [" ", "\n", "e"],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HANDED)
def test_what_is_left_makes_the_same_explorer_again(displayed: list[dict], name: str):
    getattr(explore, name)(**HANDED[name])
    left = json.loads(displayed[1][base.CALL])
    assert left["name"] == name
    with base.collected() as shown:
        getattr(explore, name)(**HANDED[name])
        getattr(explore, name)(**left["arguments"])
    first, again = shown
    assert (first.alt, first.still) == (again.alt, again.still)
    keys = ["declaration", "data", "values"]
    assert json.dumps(first.live.get_state(keys)) == json.dumps(again.live.get_state(keys))


def test_a_still_in_html(displayed: list[dict]):
    base.show(Bare(declared()), "<p>hello</p>", "hello")
    assert displayed[0] == {"text/html": "<p>hello</p>", "text/plain": "hello"}


def test_the_words_for_the_widget_never_change(displayed: list[dict]):
    for _ in range(2):
        base.show(Bare(declared()), b"", "")
    first, second = displayed[1]["text/plain"], displayed[3]["text/plain"]
    assert first == second == "[Bare: live once this cell runs in JupyterLab]"
    assert repr(Bare(declared())) == first  # anywidget's own holds a memory address


def test_values_start_at_the_defaults_or_where_told():
    assert Bare(declared()).values == {"k": 1, "kind": "round", "on": False}
    assert Bare(declared(), values={"k": 2}).values == {"k": 2}


NOTEBOOK = """
from utils.explore import activation, neuron, predict, replay_perceptron
neuron()
activation()
replay_perceptron([[0, 0], [1, 1]], [0, 1], [((0.0, 0.0), -1.0, 0), ((1.0, 1.0), 0.0, 1)])
predict("Which?", ["this", "that"], "that", "Because.")
"""


def _run() -> nbformat.NotebookNode:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    return NotebookClient(book, timeout=120, kernel_name="python3", store_widget_state=False).execute()


def test_a_real_kernel_stores_stills_and_no_state():
    book = _run()
    outputs = book.cells[0].outputs
    assert [o.output_type for o in outputs] == ["display_data"] * 8
    for still, live, mime in zip(outputs[::2], outputs[1::2], ["image/png"] * 3 + ["text/html"], strict=True):
        assert set(still.data) == {mime, "text/plain"}
        assert set(live.data) == {base.WIDGET_VIEW, "text/plain"}
        assert "0x" not in still.data["text/plain"] + live.data["text/plain"]
    assert "widgets" not in book.metadata
    text = nbformat.writes(book)
    assert len(text) < 150_000
    assert "const n2t" not in text  # the module is sent to the browser, not stored


# ------------------------------------------------------------------ the still picture
def line(figure: Figure, high: float = 1.0) -> None:
    figure.subplots().plot([0, 1], [0, high])


def test_the_still_does_not_depend_on_the_learners_settings_and_leaves_them():
    usual = base.still_png(line)
    with mpl.rc_context(
        {"figure.facecolor": "black", "font.size": 30, "savefig.dpi": 50, "savefig.bbox": "tight"}
    ):
        before = dict(mpl.rcParams)
        assert base.still_png(line) == usual
        assert dict(mpl.rcParams) == before


def test_the_still_has_the_size_asked_for_on_opaque_white():
    picture = Image.open(io.BytesIO(base.still_png(line, size=(6, 3), high=2.0)))
    assert picture.size == (600, 300)
    assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)
    assert np.asarray(picture.convert("L")).std() > 5


def test_a_mistake_in_the_first_drawing_reaches_the_cell():
    def broken(figure: Figure) -> None:
        raise ZeroDivisionError("seen")

    with pytest.raises(ZeroDivisionError, match="seen"):
        base.still_png(broken)


# ------------------------------------------------------------------ words for numbers
@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [(1.5, 1, "1.5"), (-1.5, 1, "−1.5"), (-0.001, 2, "0.00"), (0.125, 2, "0.13"), (-0.125, 2, "−0.13"),
     (2.5, 0, "3"),     (12, 2, "12.00"), (1e-9, 3, "0.000")],
)  # fmt: skip
def test_number(value: float, digits: int, words: str):
    assert base.number(value, digits) == words


@pytest.mark.parametrize(
    ("value", "words"), [(1.5, "1.5"), (2.0, "2"), (-0.0, "0"), (-3.25, "−3.25"), (100, "100"), (0.004, "0")]
)
def test_short(value: float, words: str):
    assert base.short(value) == words


# ------------------------------------------------------------------ what goes to the browser
def test_a_module_is_the_base_then_the_explorer_then_the_export():
    source = base.esm("neuron.js")
    assert (
        source.index("\nconst n2t = ")
        < source.index("\nconst explorer = ")
        < source.index("\nexport default")
    )
    assert source.count("\nexport ") == 2


def test_only_the_still_right_above_the_live_is_hidden_and_only_on_screen():
    sheet = base.css()
    screen = re.search(r"@media screen \{(.*?)\n\}", sheet, re.S).group(1)
    assert ".jp-OutputArea-child:not(:has(.n2t-live)):has(+ .jp-OutputArea-child .n2t-live)" in screen
    assert re.search(r"@media print \{\s*\.n2t \{ display: none !important; \}", sheet)


def test_every_control_made_by_javascript_keeps_its_keys():
    for path in base.HERE.glob("*.js"):
        source = path.read_text(encoding="utf-8")
        for made in re.finditer(r'html\("(input|select|button)", \{(.*?)\}', source, re.S):
            assert "...KEYS" in made.group(2) or "data-lm-suppress-shortcuts" in made.group(2), (
                f"{path.name}: {made.group(0)}"
            )


def test_every_name_of_the_package_is_a_documented_function():
    for name in explore.__all__:
        function = getattr(explore, name)
        assert callable(function) and function.__doc__, name
        assert function.__name__ == name
    for name in ("neuron", "activation", "predict", "replay"):
        importlib.import_module(f"utils.explore.{name}")
