"""The convolution explorer without a browser: torch's sums, kernels as they are typed, refusals, pictures."""

from __future__ import annotations

import importlib
import io
import itertools
import math
import random
import re
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.nn import functional as F

from utils.data import load_mnist
from utils.explore import base

# By name: in the package, this name is the function that learners call.
convolution = importlib.import_module("utils.explore.convolution")

DEFAULTS = convolution.DECLARATION.defaults()
# Every combination of all ends would be tens of thousands.
ENDS = list(itertools.islice(convolution.DECLARATION.extremes(), 0, None, 499))


def compute(**controls) -> dict:
    return convolution.compute(**(DEFAULTS | controls))


# ------------------------------------------------------------------ numbers
def test_output_window_and_refusals_are_torchs():
    chance = random.Random(3)
    refused = 0
    for _ in range(300):
        height, width = chance.randint(1, 7), chance.randint(1, 7)
        rows = [[round(chance.gauss(0, 1), 2) for _ in range(width)] for _ in range(height)]
        options = {
            "stride": chance.randint(1, 8),
            "padding": chance.randint(0, 6),
            "dilation": chance.randint(1, 5),
        }
        picture = chance.choice(["3", "cross", "small", "small"])
        kernel = "; ".join(" ".join(map(str, row)) for row in rows)
        state = compute(picture=picture, kernel=kernel, **options, row=chance.randint(0, 39), column=4)
        X = torch.from_numpy(convolution.pixels(picture))[None, None]
        W = torch.tensor(rows, dtype=torch.float64)
        try:
            torchs = F.conv2d(X, W[None, None], **options)[0, 0]
        except RuntimeError:
            assert state["refused"] and state["output"] is None
            refused += 1
            continue
        assert state["refused"] is None and state["out"] == list(torchs.shape)
        np.testing.assert_allclose(state["output"], torchs, rtol=0, atol=1e-12)
        i, j = state["at"]
        assert state["total"] == pytest.approx(sum(itertools.chain(*state["products"])), abs=1e-12)
        assert state["total"] == pytest.approx(torchs[i, j].item(), abs=1e-12)
        windows = F.unfold(X, W.shape, **options).view(*W.shape, *torchs.shape)
        np.testing.assert_array_equal(state["patch"], windows[:, :, i, j])
    assert 20 < refused < 150


@pytest.mark.parametrize("n", [6, 28])
def test_what_no_window_reaches_changes_no_output(n: int):
    for k, stride, padding, dilation in itertools.product((1, 3, 4), (1, 2, 5), (0, 2), (1, 2)):
        size = convolution.output_size(n, k, stride, padding, dilation)
        if size < 1:
            continue
        picture = "small" if n == 6 else "dot"
        text = "; ".join([" ".join(["1"] * k)] * k)
        state = compute(picture=picture, kernel=text, stride=stride, padding=padding, dilation=dilation)
        # The last window ends where the pixels that none reaches begin; one more step would leave the room.
        last = (size - 1) * stride + dilation * (k - 1) + 1
        assert state["unseen"] == [n + 2 * padding - last] * 2
        assert 0 <= state["unseen"][0] < stride


def test_the_formula_is_told_with_its_numbers():
    assert convolution.formula(28, 5, 2, 2, 1) == "⌊(28 + 2·2 − 1·(5 − 1) − 1) / 2⌋ + 1 = 14"
    assert convolution.formula(6, 3, 1, 0, 3).endswith("= 0")


# ------------------------------------------------------------------ reading a kernel
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1", [[1.0]]),
        ("0 1; -1 0", [[0, 1], [-1, 0]]),
        (" 0,1 ;−1 ,  +0.5 ;", [[0, 1], [-1, 0.5]]),
        ("[[0, 1], [-1, .5]]", [[0, 1], [-1, 0.5]]),
        ("[0 1][2 3.]", [[0, 1], [2, 3]]),
        ("1/4 * 1 2; 3 -1/2", [[0.25, 0.5], [0.75, -0.125]]),
        ("0.5 × [[2, 4]]", [[1, 2]]),
    ],
)
def test_a_kernel_is_read_as_people_write_it(text: str, rows: list):
    assert convolution.parse_kernel(text) == (rows, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write numbers, with “;” between two rows."),
        (" ; ", "Write numbers"),
        ("1 2;; 3 4", "Row 2 holds no number."),
        ("1 2 3; 4 5", "Row 1 holds 3 numbers, row 2 holds 2 numbers."),
        ("1; 2 3", "Row 1 holds 1 number, row 2"),
        ("1 two", "“two” is no number. Write such as 2, -0.5 or 1/9."),
        ("1 averylongword", "“averylong…” is no number."),
        ("1 -", "“-” is no number."),
        ("1/0", "1/0 divides by zero."),
        ("1/0 * 1", "1/0 divides by zero."),
        ("1001", "Numbers up to 1000 can be shown here."),
        ("500 * 1 3", "Numbers up to 1000"),
        ("1 2 3 4 5 6 7 8", "This is 1 × 8; up to 7 × 7 can be shown here."),
        ("1;1;1;1;1;1;1;1", "This is 8 × 1;"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str):
    rows, mistake = convolution.parse_kernel(text)
    assert rows is None and mistake.startswith(words)
    assert convolution.describe(**(DEFAULTS | {"kernel": text})) == f"Kernel not read yet. {mistake}"


@pytest.mark.parametrize("kind", convolution.KERNELS)
@pytest.mark.parametrize("size", range(1, convolution.LARGEST + 1))
def test_a_ready_made_kernel_is_readable_fits_the_field_and_does_what_it_is_called(kind: str, size: int):
    text = convolution.ready(kind, size)
    convolution.DECLARATION.check(kernel=text)
    W = np.array(convolution.parse_kernel(text)[0])
    assert W.shape == (size, size)
    total = {"mean": 1, "bell": 1, "sharpen": 1}.get(kind, 0)
    assert W.sum() == pytest.approx(total, abs=1e-9)
    if kind == "horizontal":
        assert not W.sum(axis=0).any() and (size == 1 or W.sum(axis=1).any())


def test_there_is_no_other_ready_made_kernel():
    with pytest.raises(ValueError, match="no kernel 'sobel'"):
        convolution.ready("sobel", 3)


# ------------------------------------------------------------------ words
def test_the_sentence_tells_sizes_sum_and_what_no_window_reaches():
    words = convolution.describe(**convolution.STILL)
    assert (
        words
        == "Digit 7, 28 × 28, kernel 3 × 3: output 26 × 26. At row 7, column 9 the 9 products sum to −1."
    )
    words = convolution.describe(**(DEFAULTS | {"kernel": "1 1; 1 1; 1 1", "stride": 4, "row": 99}))
    assert words.startswith("Digit 7, 28 × 28, kernel 3 × 2: output 7 × 7. At row 6, column 6 the 6 products")
    assert words.endswith("No window reaches the last row and 2 columns.")
    words = convolution.describe(**(DEFAULTS | {"kernel": "2", "stride": 2, "picture": "small"}))
    assert "the one product is" in words and words.endswith("No window reaches the last row and column.")


def test_a_refusal_gives_the_reason_with_its_numbers():
    small = DEFAULTS | {"picture": "small"}
    assert convolution.describe(**(small | {"kernel": "1 1 1 1 1 1 1"})) == (
        "Refused. The kernel is 7 pixels wide, but the picture is only 6 wide: no window fits. "
        "Take a smaller kernel or more padding."
    )
    words = convolution.describe(**(small | {"dilation": 5, "padding": 1}))
    assert words == (
        "Refused. With dilation 5, 3 numbers reach over 5 · (3 − 1) + 1 = 11 pixels, but the picture with "
        "its padding is only 6 + 2 · 1 = 8 high: no window fits. Take a smaller kernel, less dilation or "
        "more padding."
    )


def test_no_end_of_any_control_breaks_numbers_or_words():
    for controls in ENDS:
        state = convolution.compute(**controls)
        words = convolution.describe(**controls)
        assert 20 < len(words) < 260 and not {"nan", "inf", "none"} & set(re.findall("[a-z]+", words)), words
        outcomes = [state["mistake"], state["refused"], state["output"]]
        assert sum(outcome is not None for outcome in outcomes) == 1
        if state["output"]:
            assert all(map(math.isfinite, itertools.chain(*state["output"])))


# ------------------------------------------------------------------ pictures
def test_the_pictures_are_digits_in_tenths_and_clean_shapes():
    labels = load_mnist("test").labels
    assert labels[list(convolution._DIGITS)].tolist() == list(range(10))
    images = load_mnist("test").images
    for k, place in enumerate(convolution._DIGITS):
        X = convolution.pixels(str(k))
        assert np.abs(X - images[place].numpy() / 255).max() <= 0.05 + 1e-9
    assert set(convolution.written()) == set(convolution.PICTURES)
    for name in convolution.PICTURES:
        side = 6 if name == "small" else 28
        assert convolution.pixels(name).shape == (side, side)
        assert convolution.pixels(name).min() == 0 and convolution.pixels(name).max() == 1
    cross = convolution.pixels("cross")
    assert (cross.min(axis=1) == 1).sum() == 3 and (cross.min(axis=0) == 1).sum() == 3


@pytest.mark.parametrize(
    "controls", [DEFAULTS, *({**DEFAULTS, **p.values} for p in convolution.PRESETS), *ENDS[::20]]
)
def test_the_still_can_be_drawn_at_the_ends(controls: dict):
    figure = Figure(figsize=(8, 6), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convolution.draw(figure, **controls)
        figure.canvas.draw()


def test_the_still_is_small_and_telling():
    convolution.DECLARATION.check(**convolution.STILL)
    png = base.still_png(convolution.draw, size=(8.6, 6.6), **convolution.STILL)
    picture = Image.open(io.BytesIO(png))
    assert len(png) < 60_000 and picture.width <= 900
    assert len(picture.convert("RGB").getcolors(100_000)) > 20
