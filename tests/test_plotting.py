"""Figures by their artists: data, labels, colours, limits. And the style: contrast and colour blindness."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color, to_hex, to_rgb
from matplotlib.text import Text

mpl.use("Agg")

import matplotlib.pyplot as plt

from utils import plotting
from utils.plotting.lines import spread
from utils.plotting.style import CYCLE_ROLES, PALETTES, relative_luminance, theme_of

THEMES = ("light", "dark")


@pytest.fixture(autouse=True)
def own_settings():
    """Each test starts with the course's light style and leaves no setting and no figure behind."""
    with mpl.rc_context():
        plotting.use_style()
        yield
    plt.close("all")


@pytest.fixture
def blobs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 2
    return torch.randn(40, 2, generator=generator) + 3 * y[:, None], y


def side_of_line(x: torch.Tensor) -> torch.Tensor:
    """Positive above the line x1 + x2 = 3."""
    return x.sum(dim=1) - 3


def boundary_points(ax) -> np.ndarray:
    """All corners of all boundary lines in the axes, (N, 2)."""
    paths = [path for c in ax.collections if hasattr(c, "levels") for path in c.get_paths()]
    return np.concatenate([path.vertices for path in paths])


def drawn_texts(figure, monkeypatch) -> list[Text]:
    """The texts that a drawing of the figure really draws (matplotlib keeps ticks that it does not)."""
    drawn = []
    draw = Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, *a, **k: (drawn.append(text), draw(text, *a, **k))[1])
    figure.draw_without_rendering()  # settles the layout
    drawn.clear()
    figure.canvas.draw()
    monkeypatch.undo()
    return [t for t in dict.fromkeys(drawn) if t.get_visible() and t.get_text().strip()]


# Style


def test_importing_plotting_changes_no_setting():
    code = (
        "import matplotlib as mpl, matplotlib.pyplot; before = dict(mpl.rcParams); import utils.plotting;"
        "changed = [k for k in before if before[k] != mpl.rcParams[k]]; assert not changed, changed"
    )
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("theme", THEMES)
def test_style_meets_the_contract(theme):
    plotting.use_style(theme)
    rc = mpl.rcParams
    assert list(rc["figure.figsize"]) == [8, 4.5]
    assert rc["figure.dpi"] == 100
    assert rc["lines.linewidth"] >= 2.5
    assert not rc["axes.spines.top"] and not rc["axes.spines.right"]
    assert not rc["savefig.transparent"]
    sizes = ("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize")
    assert all(float(rc[key]) >= 12 for key in (*sizes, "legend.fontsize", "figure.titlesize"))
    assert rc["axes.facecolor"] == rc["figure.facecolor"]
    assert theme_of(rc["axes.facecolor"]) == theme


def test_light_cycle_is_petroff6_and_dark_gives_way_to_light():
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert [to_hex(c) for c in cycle] == [to_hex(c) for c in mpl.color_sequences["petroff6"]]
    before = dict(mpl.rcParams)
    plotting.use_style("dark")
    assert mpl.rcParams["text.color"] != before["text.color"]
    plotting.use_style("light")
    assert dict(mpl.rcParams) == before


def test_unknown_theme_is_refused():
    with pytest.raises(ValueError, match=r"light.*dark"):
        plotting.use_style("solarized")


def test_colors_follow_the_style_and_name_the_roles():
    assert plotting.COLORS["text"] == PALETTES["light"]["text"]
    plotting.use_style("dark")
    assert dict(plotting.COLORS) == PALETTES["dark"]
    with pytest.raises(KeyError, match="validation"):
        plotting.COLORS["validate"]
    assert set(PALETTES["light"]) == set(PALETTES["dark"])
    assert plotting.CLASS_COLORS[:2] == (PALETTES["light"]["class0"], PALETTES["light"]["class1"])
    assert len(set(plotting.CLASS_MARKERS)) == len(plotting.CLASS_COLORS) == 6


def test_colours_in_a_cell_on_axes_of_the_other_theme_fit_the_axes():
    with mpl.rc_context(plotting.style_settings("dark")):
        ax = plt.subplots()[1]
    assert plotting.palette_of(ax) == PALETTES["dark"]
    assert dict(plotting.COLORS) == PALETTES["light"]


# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", severity 1.0, for linear RGB.
COLOUR_BLIND = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen_as_lab(color: str, vision: str) -> np.ndarray:
    """CIE L*a*b* (D65) of an sRGB colour as someone with this vision sees it."""
    channels = np.asarray(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(COLOUR_BLIND[vision]) @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.asarray(to_xyz) @ seen / (0.95047, 1.0, 1.08883)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def smallest_distance(first: str, second: str) -> float:
    """ΔE*ab for the vision that tells the two colours apart worst."""
    return min(float(np.linalg.norm(seen_as_lab(first, v) - seen_as_lab(second, v))) for v in COLOUR_BLIND)


def test_the_colour_blindness_measure_knows_a_bad_pair():
    assert smallest_distance("#d62728", "#8c564b") < 20  # tab10's red and brown
    assert smallest_distance("#ffffff", "#000000") == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_stay_apart_for_the_colour_blind(theme):
    palette = PALETTES[theme]
    for first, second in itertools.combinations(CYCLE_ROLES, 2):
        assert smallest_distance(palette[first], palette[second]) >= 25, (first, second)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "pair",
    [
        ("train", "validation"),
        ("train", "test"),
        ("validation", "test"),
        ("class0", "class1"),
        ("right", "wrong"),
        ("gradient", "train"),
        ("gradient", "accent"),
        ("accent", "neutral"),
    ],
)
def test_role_pairs_of_one_picture_are_far_apart(theme, pair):
    palette = PALETTES[theme]
    assert smallest_distance(palette[pair[0]], palette[pair[1]]) >= 29


@pytest.mark.parametrize("theme", THEMES)
def test_text_colours_and_lines_have_contrast_with_the_ground(theme):
    palette = PALETTES[theme]
    for role in ("text", "muted", "boundary"):
        assert plotting.contrast_ratio(palette[role], palette["ground"]) >= 4.5, role
    lowest = 3.0 if theme == "dark" else 2.0  # Petroff's orange on white; markers, dashes, names help it
    for role in CYCLE_ROLES:
        assert plotting.contrast_ratio(palette[role], palette["ground"]) >= lowest, role


def test_contrast_and_readable():
    assert plotting.contrast_ratio("black", "white") == pytest.approx(21)
    assert plotting.contrast_ratio("white", "black") == pytest.approx(21)
    assert relative_luminance("white") == pytest.approx(1)
    assert plotting.readable("#1f2328", "#ffffff") == "#1f2328"
    for theme, role in itertools.product(THEMES, CYCLE_ROLES):
        ground = PALETTES[theme]["ground"]
        assert plotting.contrast_ratio(plotting.readable(PALETTES[theme][role], ground), ground) >= 4.5


def test_centred_norm_has_zero_in_the_middle():
    norm = plotting.centred_norm([-1.0, 4.0, math.nan])
    assert (
        norm(0.0) == pytest.approx(0.5) and norm(4.0) == pytest.approx(1) and norm(-4.0) == pytest.approx(0)
    )
    assert plotting.centred_norm(np.zeros(3))(0.0) == pytest.approx(0.5)
    assert plotting.centred_norm([])(0.0) == pytest.approx(0.5)


# Every picture: text legible, 12 pt or more, inside the figure, nothing overlapping; settings untouched


def _pictures(blobs):
    X, y = blobs
    six = ("sigmoid", "tanh", "ReLU", "leaky ReLU", "GELU", "SiLU")
    history = {"train": {"loss": [2, 1, 0.5]}, "validation": {"loss": [2.1, 1.1, 0.49]}}
    return {
        "points": lambda: plotting.plot_points(X, y).figure,
        "probability": lambda: (
            plotting.plot_decision_boundary(lambda x: side_of_line(x).sigmoid(), X, y).figure
        ),
        "regions": lambda: plotting.plot_decision_boundary(lambda x: side_of_line(x) > 0, X, y).figure,
        "history": lambda: plotting.plot_history(history).figure,
        "function": lambda: plotting.plot_function({n: torch.tanh for n in six}).figure,
        "function, left": lambda: (
            plotting.plot_function({n: torch.relu for n in six}, label_side="left").figure
        ),
        "layers": lambda: plotting.plot_layers({n: [0.0, 0.1, 1.0] for n in six}).figure,
        "images": lambda: plotting.show_images(
            torch.rand(7, 28, 28),
            [f"{k}, really {k + 1}" for k in range(7)],
            correct=[True, False] * 3 + [True],
        ),
        "probabilities": lambda: plotting.show_probabilities(torch.full((10,), 0.1)).figure,
    }


PICTURES = tuple(_pictures((None, None)))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("picture", PICTURES)
def test_text_of_every_picture_is_legible(theme, picture, blobs, monkeypatch):
    plotting.use_style(theme)
    settings = dict(mpl.rcParams)
    figure = _pictures(blobs)[picture]()
    assert dict(mpl.rcParams) == settings, "a plot function changed matplotlib's settings"
    texts = drawn_texts(figure, monkeypatch)
    assert texts
    page = figure.bbox.padded(1)
    for text in texts:
        assert text.get_fontsize() >= 12, text
        contrast = plotting.contrast_ratio(text.get_color(), figure.get_facecolor())
        assert contrast >= 4.5, (text, contrast)
        box = Text.get_window_extent(text)
        assert page.x0 <= box.x0 and box.x1 <= page.x1, f"{text} is cut off"
        assert page.y0 <= box.y0 and box.y1 <= page.y1, f"{text} is cut off"
    boxes = [(t.get_text(), Text.get_window_extent(t).padded(-1)) for t in texts]
    for (first, a), (second, b) in itertools.combinations(boxes, 2):
        assert not a.overlaps(b), f"{first!r} overlaps {second!r}"


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_opens_one_figure_and_shows_none(picture, blobs, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("plt.show() was called"))
    _pictures(blobs)[picture]()
    assert len(plt.get_fignums()) == 1


def test_functions_draw_on_the_axes_they_are_given(blobs):
    X, y = blobs
    figure, axes = plt.subplots(2, 3, figsize=(16, 9))
    drawn = [
        plotting.plot_points(X, y, ax=axes.flat[0]),
        plotting.plot_decision_boundary(side_of_line, X, y, ax=axes.flat[1]),
        plotting.plot_history({"train": {"loss": [1.0]}}, ax=axes.flat[2]),
        plotting.plot_function(torch.relu, ax=axes.flat[3]),
        plotting.plot_layers({"a": [1.0, 2.0]}, ax=axes.flat[4]),
        plotting.show_probabilities([0.5, 0.5], ax=axes.flat[5]),
    ]
    assert all(a is b for a, b in zip(drawn, axes.flat, strict=True))
    assert plt.get_fignums() == [figure.number]


# Points and boundaries


def test_points_have_colour_and_marker_by_class(blobs):
    X, y = blobs
    ax = plotting.plot_points(X, y, names=("no", "yes"))
    for k, scatter in enumerate(ax.collections):
        assert same_color(scatter.get_facecolor()[0], plotting.COLORS[f"class{k}"])
        np.testing.assert_allclose(scatter.get_offsets(), X[y == k], rtol=1e-6)
    first, second = (scatter.get_paths()[0].vertices for scatter in ax.collections)
    assert first.shape != second.shape
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["no", "yes"]
    assert ax.get_aspect() == 1
    low, high = X.min(dim=0).values, X.max(dim=0).values
    assert ax.get_xlim()[0] < low[0] and high[0] < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < low[1] and high[1] < ax.get_ylim()[1]


def test_labels_of_minus_one_and_one_are_classes_zero_and_one():
    ax = plotting.plot_points([[0.0, 0], [1, 1]], [-1, 1])
    assert [c.get_label() for c in ax.collections] == ["class 0", "class 1"]
    assert plotting.plot_points([[0.0, 0]], [1]).collections[0].get_label() == "class 1"


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (torch.zeros(4, 3), torch.zeros(4), r"\(N, 2\).*\(4, 3\)"),
        (torch.zeros(4), torch.zeros(4), r"\(N, 2\)"),
        (torch.zeros(4, 2), torch.zeros(3), "each of the 4 points"),
        (torch.zeros(4, 2), torch.zeros(4, 1), "each of the 4 points"),
        (torch.zeros(2, 2), torch.tensor([0.5, 1]), "whole numbers"),
        (torch.zeros(2, 2), torch.tensor([-2, 1]), "classes 0, 1"),
        (torch.zeros(2, 2), torch.tensor([0, 6]), "at most 6"),
    ],
)
def test_points_of_wrong_shape_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        plotting.plot_points(X, y)
    with pytest.raises(ValueError, match=message):
        plotting.plot_decision_boundary(side_of_line, X, y)


def test_too_few_names_are_refused(blobs):
    with pytest.raises(ValueError, match="1 names"):
        plotting.plot_points(*blobs, names=("only one",))


@pytest.mark.parametrize("points", [torch.zeros(0, 2), torch.zeros(1, 2), torch.tensor([[0.0, 1], [5.0, 1]])])
def test_limits_suit_no_point_one_point_and_points_on_a_line(points):
    ax = plotting.plot_decision_boundary(side_of_line, points, torch.zeros(len(points), dtype=torch.int64))
    ax.figure.canvas.draw()
    (x_low, x_high), (y_low, y_high) = ax.get_xlim(), ax.get_ylim()
    assert x_high - x_low > 0 and (y_high - y_low) >= 0.4 * (x_high - x_low)


PREDICTORS = {
    "score": side_of_line,
    "score column": lambda x: side_of_line(x)[:, None],
    "probability": lambda x: torch.sigmoid(side_of_line(x)),
    "class": lambda x: (side_of_line(x) >= 0).long(),
    "bool": lambda x: side_of_line(x) >= 0,
    "sign": lambda x: torch.where(side_of_line(x) >= 0, 1, -1),
    "float class": lambda x: (side_of_line(x) >= 0).float(),
    "two logits": lambda x: torch.stack([-side_of_line(x), side_of_line(x)], dim=1),
    "two probabilities": lambda x: torch.stack([-side_of_line(x), side_of_line(x)], dim=1).softmax(1),
    "numpy": lambda x: side_of_line(x).numpy(),
}


@pytest.mark.parametrize("kind", PREDICTORS)
def test_boundary_is_where_the_model_changes_its_mind(kind, blobs):
    ax = plotting.plot_decision_boundary(PREDICTORS[kind], *blobs)
    corners = boundary_points(ax)
    assert len(corners) >= 2
    cell = (ax.get_xlim()[1] - ax.get_xlim()[0]) / 300
    assert np.abs(corners.sum(axis=1) - 3).max() < 3 * cell
    image = ax.images[0].get_array()
    assert image[0, 0] < image[-1, -1], "class 1 lies above the line"
    lowest, highest = (ax.images[0].cmap(ax.images[0].norm(v))[:3] for v in (image.min(), image.max()))
    assert lowest[2] > lowest[0] and highest[0] > highest[2], "class 0 is tinted blue, class 1 orange"


def test_probability_shading_is_white_at_one_half(blobs):
    ax = plotting.plot_decision_boundary(PREDICTORS["probability"], *blobs)
    shade = ax.images[0]
    assert (
        same_color(to_hex(shade.cmap(shade.norm(0.5))), "#ffffff") or sum(shade.cmap(shade.norm(0.5))) > 3.97
    )
    assert (shade.norm.vmin, shade.norm.vmax) == (0, 1)
    assert not plotting.plot_decision_boundary(side_of_line, *blobs, shading="none").images


def test_model_gets_float32_and_keeps_its_mode_and_gradients(blobs):
    seen = []

    class Probe(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x):
            seen.append((x.dtype, x.shape[1], self.training, torch.is_grad_enabled()))
            return self.layer(x)

    model = Probe().train()
    plotting.plot_decision_boundary(model, *blobs)
    assert seen == [(torch.float32, 2, False, False)]
    assert model.training and model.layer.weight.grad is None


def test_three_classes_meet_and_keep_their_colours():
    centres = torch.tensor([[0.0, 1.5], [-1.5, -1.0], [1.5, -1.0]])
    for predict in (lambda x: -torch.cdist(x, centres), lambda x: torch.cdist(x, centres).argmin(dim=1)):
        ax = plotting.plot_decision_boundary(predict, centres, [0, 1, 2], resolution=120)
        image = np.asarray(ax.images[0].get_array())
        assert set(np.unique(image)) == {0, 1, 2}
        corners = torch.tensor(boundary_points(ax), dtype=torch.float32)
        nearest = torch.cdist(corners, centres).sort(dim=1).values
        assert (nearest[:, 1] - nearest[:, 0]).max() < 0.15, "the boundary is as far from two centres"


def test_a_model_with_one_answer_everywhere_has_no_boundary(blobs):
    for always in (torch.zeros, torch.ones):
        ax = plotting.plot_decision_boundary(lambda x, f=always: f(len(x), dtype=torch.int64), *blobs)
        assert not [c for c in ax.collections if hasattr(c, "levels")]


@pytest.mark.parametrize(
    ("predict", "options", "message"),
    [
        (lambda x: x.sum(), {}, r"returned shape \(\)"),
        (lambda x: x[:3, 0], {}, r"\(N,\)"),
        (side_of_line, {"shading": "probability"}, "probabilities"),
        (side_of_line, {"shading": "rainbow"}, "shading"),
        (side_of_line, {"output": "logit"}, "output"),
        (lambda x: torch.zeros(len(x), 7), {}, "at most 6"),
    ],
)
def test_models_that_return_something_else_are_refused(predict, options, message, blobs):
    with pytest.raises(ValueError, match=message):
        plotting.plot_decision_boundary(predict, *blobs, **options)


# Lines


def test_function_is_drawn_over_its_range_and_named():
    ax = plotting.plot_function(torch.sigmoid, label="sigmoid", x_range=(-4, 8), color="black")
    (line,) = ax.get_lines()
    x, y = line.get_data()
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x.astype(float))), atol=1e-6)
    assert ax.get_xlim() == (-4, 8) and (x[0], x[-1]) == (-4, 8)
    assert same_color(line.get_color(), "black")
    assert [t.get_text() for t in ax.texts] == ["sigmoid"]


def test_several_functions_differ_in_colour_and_dash():
    ax = plotting.plot_function({"ReLU": torch.relu, "tanh": torch.tanh})
    first, second = ax.get_lines()
    assert first.get_color() != second.get_color() and first.get_linestyle() != second.get_linestyle()
    assert {t.get_text() for t in ax.texts} == {"ReLU", "tanh"}


@pytest.mark.parametrize(
    ("f", "x_range", "message"),
    [
        (torch.relu, (1, 1), "low < high"),
        (torch.sum, (0, 1), r"returned \(\)"),
        (lambda z: z[:, None], (0, 1), "that shape"),
    ],
)
def test_functions_that_cannot_be_drawn_are_refused(f, x_range, message):
    with pytest.raises(ValueError, match=message):
        plotting.plot_function(f, x_range=x_range)


def test_history_shows_both_sets_in_their_colours():
    history = {
        "train": {"loss": [3.0, 2, 1], "accuracy": [0.1, 0.2, 0.3]},
        "validation": {"loss": [3, 2.5, 2]},
    }
    for given in (history, SimpleNamespace(**history)):
        ax = plotting.plot_history(given)
        training, validation = ax.get_lines()
        assert same_color(training.get_color(), plotting.COLORS["train"])
        assert same_color(validation.get_color(), plotting.COLORS["validation"])
        assert training.get_linestyle() != validation.get_linestyle()
        np.testing.assert_array_equal(validation.get_data(), [[1, 2, 3], [3, 2.5, 2]])
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
        assert {t.get_text() for t in ax.texts} == {"training", "validation"}
    ax = plotting.plot_history(history, metric="accuracy")
    assert len(ax.get_lines()) == 1 and ax.yaxis.get_major_formatter().format_pct(0.5, 1) == "50%"


def test_history_of_one_epoch_is_seen_and_an_unknown_metric_refused():
    assert plotting.plot_history({"train": {"loss": [1.0]}}).get_lines()[0].get_marker() == "o"
    with pytest.raises(ValueError, match="no 'f1'; it holds loss"):
        plotting.plot_history({"train": {"loss": [1.0]}}, metric="f1")
    with pytest.raises(ValueError, match="nothing yet"):
        plotting.plot_history(SimpleNamespace(train={}, validation={}))


def test_layers_are_on_a_log_axis_with_zeros_at_the_edge():
    ax = plotting.plot_layers(
        {"ReLU": [0.0, 1e-3, 1e-1], "tanh": torch.tensor([1e-2, 1e-1, 1.0])}, ylabel="|grad|"
    )
    assert ax.get_yscale() == "log" and ax.get_xlabel() == "layer"
    relu, zeros, tanh = ax.get_lines()
    np.testing.assert_allclose(relu.get_ydata(), [np.nan, 1e-3, 1e-1])
    assert zeros.get_xdata() == [1] and zeros.get_ydata()[0] < 1e-3
    assert tanh.get_marker() != relu.get_marker()
    assert "0" in ax.get_ylabel() and {t.get_text() for t in ax.texts} == {"ReLU", "tanh"}
    assert "0" not in plotting.plot_layers({"a": [1.0, 2.0]}).get_ylabel()


def test_layers_drawn_backward_are_named_at_the_first_layer():
    ax = plotting.plot_layers({"tanh": [1e-3, 1e-2, 1.0]}, backward=True)
    assert ax.xaxis_inverted()
    assert ax.texts[0].xy == (1, 1e-3)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "at least one"),
        ({"a": [[1.0]]}, r"\(1, 1\)"),
        ({"a": []}, "each layer"),
        ({"a": [1.0, -1.0]}, "negative"),
    ],
)
def test_layers_that_cannot_be_drawn_are_refused(series, message):
    with pytest.raises(ValueError, match=message):
        plotting.plot_layers(series)


def test_layers_of_nothing_but_zeros_can_be_drawn():
    ax = plotting.plot_layers({"dead": [0.0, 0.0]})
    ax.figure.canvas.draw()
    assert len(ax.get_lines()[1].get_xdata()) == 2


def test_names_stand_at_the_last_visible_point_and_do_not_overlap():
    ax = plt.subplots()[1]
    x = np.linspace(0, 1, 11)
    for k in range(6):
        ax.plot(x, x + k / 1000, label=f"line {k}")
    ax.plot(x, np.where(x < 0.55, 5 * x, np.nan), label="ends early")
    ax.plot(x, x + 100, label="out of sight")
    ax.plot(x, x, label="_hidden")
    ax.set_ylim(0, 3)
    labels = {label.get_text(): label for label in plotting.label_lines(ax)}
    assert set(labels) == {*(f"line {k}" for k in range(6)), "ends early"}
    assert labels["ends early"].xy == pytest.approx((0.5, 2.5))
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(label) for label in labels.values()]
    assert not any(a.padded(-1).overlaps(b) for a, b in itertools.combinations(boxes, 2))
    heights = [Text.get_window_extent(labels[f"line {k}"]).y0 for k in range(6)]
    assert heights == sorted(heights), "names stand in the order of the lines"
    for line in ax.get_lines()[:6]:
        color = labels[line.get_label()].get_color()
        assert plotting.contrast_ratio(color, "white") >= 4.5
    with pytest.raises(ValueError, match="side"):
        plotting.label_lines(ax, side="top")


@pytest.mark.parametrize("wanted", [[5.0], [1.0, 9.0], [5.0, 5.0, 5.0], [9.9, 0.1, 9.8, 0.2], [-3.0, 20.0]])
def test_spread_keeps_gap_bounds_and_order(wanted):
    moved = spread(np.array(wanted), gap=1.0, low=0.0, high=10.0)
    ordered = np.sort(moved)
    assert (np.diff(ordered) >= 1.0 - 1e-9).all()
    assert ordered[0] >= 0 and ordered[-1] <= 10
    assert (np.argsort(moved, kind="stable") == np.argsort(wanted, kind="stable")).all()


def test_spread_moves_no_more_than_it_must():
    np.testing.assert_allclose(spread(np.array([1.0, 9.0]), 1.0, 0.0, 10.0), [1, 9])
    np.testing.assert_allclose(spread(np.array([5.0, 5.0, 5.0]), 1.0, 0.0, 10.0), [4, 5, 6])
    np.testing.assert_allclose(spread(np.array([5.0, 5.4, 9.0]), 1.0, 0.0, 10.0), [4.7, 5.7, 9])
    assert (np.diff(spread(np.zeros(5), 1.0, 0.0, 2.0)) >= 1 - 1e-9).all(), "too little room: gaps come first"


# Images and probabilities


@pytest.mark.parametrize(
    ("shape", "count", "shown"),
    [
        ((3, 28, 28), 3, (28, 28)),
        ((3, 1, 28, 28), 3, (28, 28)),
        ((2, 8, 9, 3), 2, (8, 9, 3)),
        ((2, 3, 8, 9), 2, (8, 9, 3)),
        ((2, 8, 9, 1), 2, (8, 9)),
        ((28, 28), 1, (28, 28)),
    ],
)
def test_images_of_all_shapes(shape, count, shown):
    images = torch.rand(shape)
    figure = plotting.show_images(images)
    arrays = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(arrays) == count and all(a.shape == shown for a in arrays)
    figure = plotting.show_images((images * 255).byte())
    assert len([ax for ax in figure.axes if ax.images]) == count
    if len(shown) == 2:
        assert figure.axes[0].images[0].get_clim() == (0, 255)


def test_channels_stay_with_their_pixels():
    images = torch.rand(2, 3, 5, 6)
    shown = plotting.show_images(images).axes[1].images[0].get_array()
    np.testing.assert_allclose(shown, images[1].permute(1, 2, 0))
    assert len(plotting.show_images([torch.zeros(4, 4), torch.ones(4, 4)]).axes) == 2


def test_brightness_has_one_scale_for_all():
    assert plotting.show_images(torch.full((2, 4, 4), 0.2)).axes[1].images[0].get_clim() == (0, 1)
    assert plotting.show_images(torch.tensor([[[0.0, 5]], [[1, 9]]])).axes[0].images[0].get_clim() == (0, 9)
    signed = plotting.show_images(torch.tensor([[[-1.0, 0]], [[0, 4]]]), diverging=True).axes[0].images[0]
    assert signed.get_clim() == (-4, 4) and signed.get_cmap().name == plotting.DIVERGING


def test_titles_say_right_and_wrong_by_sign_and_colour():
    figure = plotting.show_images(torch.rand(3, 8, 8), ["7", 1, ""], correct=[True, False, True], columns=2)
    titles = [ax.title for ax in figure.axes]
    assert [t.get_text() for t in titles] == ["✓ 7", "✗ 1", "✓", ""]
    assert titles[0].get_color() == plotting.readable(plotting.COLORS["right"], "#ffffff")
    assert titles[1].get_color() == plotting.readable(plotting.COLORS["wrong"], "#ffffff")
    plain = plotting.show_images(torch.rand(1, 8, 8), ["7"]).axes[0].title
    assert (plain.get_text(), plain.get_color()) == ("7", plotting.COLORS["text"])


def test_grid_fits_ten_inches_and_given_columns():
    assert plotting.show_images(torch.rand(30, 4, 4)).get_figwidth() <= 10
    long = [f"predicted {k}, really {k}" for k in range(9)]
    assert plotting.show_images(torch.rand(9, 4, 4), long).get_figwidth() <= 10
    grid = plotting.show_images(torch.rand(5, 4, 4), columns=2).axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (3, 2)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.rand(784), {}, r"\(784,\)"),
        (torch.rand(2, 784, 1, 1, 1), {}, "N, H, W"),
        (torch.rand(2, 4, 8, 8), {}, "N, H, W"),
        (torch.rand(0, 8, 8), {}, "no image"),
        (torch.rand(2, 8, 8), {"titles": ["one"]}, "2 titles"),
        (torch.rand(2, 8, 8), {"correct": [True]}, "2 correct"),
        (2 * torch.ones(2, 8, 8, 3), {}, r"\[0, 1\]"),
    ],
)
def test_images_that_cannot_be_shown_are_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        plotting.show_images(images, **options)


def test_probabilities_are_bars_from_zero_to_all():
    p = torch.tensor([0.001, 0.2, 0.799, 0.0])
    ax = plotting.show_probabilities(p, labels=["a", "b", "c", "d"])
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], p)
    assert [t.get_text() for t in ax.texts] == ["<1%", "20%", "80%", "0%"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 1
    standing_out = [same_color(bar.get_facecolor(), plotting.COLORS["accent"]) for bar in ax.patches]
    assert standing_out == [False, False, True, False]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c", "d"]
    ax = plotting.show_probabilities([0.999, 0.001], highlight=1)
    assert ax.texts[0].get_text() == ">99%"
    assert same_color(ax.patches[1].get_facecolor(), plotting.COLORS["accent"])
    assert (
        plotting.show_probabilities(np.array([1.0, 0.0]), labels=np.array([3, 5])).texts[0].get_text()
        == "100%"
    )


@pytest.mark.parametrize(
    ("p", "options", "message"),
    [
        (torch.rand(1, 10), {}, r"\(1, 10\)"),
        (torch.tensor([2.0, -1.0]), {}, "softmax"),
        (torch.tensor([math.nan, 0.5]), {}, "between 0 and 1"),
        ([0.5, 0.5], {"labels": ["a"]}, "2 probabilities"),
        ([0.5, 0.5], {"highlight": 2}, "from 0 to 1"),
    ],
)
def test_what_is_no_probability_is_refused(p, options, message):
    with pytest.raises(ValueError, match=message):
        plotting.show_probabilities(p, **options)
