"""Type a word and see how the model says it, and which letters each sound looks at (lesson 15).

The kernel asks the learner's own model as it is at that moment; the browser draws the map of the
cross-attention weights from the numbers. Beside the model's sounds stands what the CMU Pronouncing
Dictionary says, where it knows the word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.explore.base import (
    Declaration,
    Goal,
    Preset,
    Slider,
    Text,
    colors,
    css,
    esm,
    number,
    show,
    still_png,
)
from utils.explore.kernel import KernelExplorer
from utils.texts import pronunciations

LONGEST = 16  # letters of a word
MOST = 20  # sounds that the map has rows for
SILENT = 0.15  # a letter is silent if no sound gives it more
SHARED = 0.25  # two neighbouring letters make one sound together if each gets at least this
LONG = 8  # letters of a word that the challenge calls long

Say = Callable[[str], tuple[Sequence[str], Any]]

SOUNDS = {
    "AA": "father", "AE": "cat", "AH": "cup", "AO": "saw", "AW": "now", "AY": "my", "B": "bee", "CH": "chin",
    "D": "day", "DH": "this", "EH": "bed", "ER": "bird", "EY": "say", "F": "fish", "G": "go", "HH": "hat",
    "IH": "sit", "IY": "see", "JH": "jam", "K": "key", "L": "leg", "M": "man", "N": "no", "NG": "sing",
    "OW": "boat", "OY": "boy", "P": "pen", "R": "red", "S": "sun", "SH": "ship", "T": "ten", "TH": "thin",
    "UH": "book", "UW": "blue", "V": "van", "W": "wet", "Y": "yes", "Z": "zoo", "ZH": "vision",
}  # fmt: skip
"""ARPAbet's sounds -> a word in which each is heard."""

DECLARATION = Declaration(
    name="pronounce",
    title="How does the model say it?",
    controls=(
        Text(
            "word",
            "A word",
            "knight",
            LONGEST,
            "phone, then Enter",
            "letters a to z",
            ("a", "strengths", "3"),
        ),
        Slider("at", "Sound", 1, MOST, 1, 1),
    ),
    presets=(
        Preset("through", {"word": "through", "at": 1}),
        Preset("photograph", {"word": "photograph", "at": 1}),
        Preset("blorbing", {"word": "blorbing", "at": 1}),
    ),
    goals=(
        Goal(
            "new",
            "Make up a word of three letters or more that the dictionary does not have, and press Enter.",
            "It was never told, and says it all the same.",
        ),
        Goal(
            "silent",
            "Find a word with a silent letter: no sound gives it more than 15%.",
            "No sound looks there: the model reads past that letter.",
        ),
        Goal(
            "shared",
            "Find one sound that looks at two neighbours, at least 25% each.",
            "Two letters, one sound.",
        ),
        Goal(
            "long",
            "A word of eight letters or more, each sound as the dictionary has it.",
            "A long word, and each sound right.",
            challenge=True,
        ),
    ),
    width=620,
    height=460,
    pointer_hint="Point at a row of the map: what does this sound look at?",
)


# ------------------------------------------------------------------ words in, sounds out
def spelled(text: str) -> str:
    """Return what was typed in small letters and without spaces around it."""
    return text.strip().lower()


def mistake(text: str) -> str | None:
    """Return why this cannot be read, or None if it can: only the letters a to z, at most 16 of them."""
    word = spelled(text)
    if not word:
        return "Type a word, with the letters a to z."
    other = re.search("[^a-z]", word)
    if other:
        sign = "a space" if other.group() == " " else f"“{other.group()}”"
        return f"The model knows the letters a to z only, and {sign} is none of them."
    if len(word) > LONGEST:
        return f"At most {LONGEST} letters: this word has {len(word)}."
    return None


@dataclass(frozen=True)
class Reading:
    """What the model says: ``weights`` float64 (sounds, letters); ``known`` None: not in the dictionary."""

    word: str
    phonemes: tuple[str, ...]
    weights: np.ndarray
    known: tuple[str, ...] | None

    @property
    def right(self) -> bool | None:
        """Whether the model says what the dictionary says; None if the word is not in it."""
        return None if self.known is None else self.phonemes == self.known


def read(say: Say, text: str, dictionary: Mapping[str, Sequence[str]] | None = None) -> Reading:
    """Ask the model how a word is said.

    Raises:
        ValueError: the word cannot be read, or what ``say`` returns is not what :func:`pronounce` asks for.
    """
    refused = mistake(text)
    if refused:
        raise ValueError(refused)
    word = spelled(text)
    with torch.no_grad():
        answer = say(word)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise ValueError(f"pronounce: say({word!r}) must return (phonemes, weights), not {answer!r}")
    phonemes, given = tuple(answer[0]), answer[1]
    if not all(isinstance(phoneme, str) for phoneme in phonemes):
        raise ValueError(f"pronounce: say({word!r}) must return phonemes as texts, not {phonemes!r}")
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().double().numpy()
    weights = np.asarray(given, dtype=np.float64)
    wanted = (len(phonemes), len(word))
    if weights.shape != wanted and not (weights.size == 0 and not phonemes):
        raise ValueError(
            f"pronounce: say({word!r}) must return weights of shape {wanted}, a row for each phoneme and a "
            f"column for each letter, not {weights.shape}"
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"pronounce: the weights of say({word!r}) must be finite and not negative")
    known = (_dictionary() if dictionary is None else dictionary).get(word)
    return Reading(word, phonemes, weights.reshape(wanted), None if known is None else tuple(known))


@functools.cache
def _dictionary() -> dict[str, tuple[str, ...]]:
    return pronunciations()


# ------------------------------------------------------------------ words
def heard(phoneme: str) -> str:
    """Return "as in cat" for AE; nothing for what ARPAbet does not have."""
    example = SOUNDS.get(phoneme.rstrip("012"))
    return f"as in {example}" if example else ""


def verdict(reading: Reading) -> str:
    """Return how the model's sounds compare with the dictionary's."""
    if reading.known is None:
        return "The dictionary does not have this word."
    if reading.right:
        return "The dictionary says the same."
    return f"The dictionary says {' '.join(reading.known)}."


def looks(reading: Reading) -> list[str]:
    """Return a sentence for each sound: which letters it looks at most."""
    found = []
    for k, (phoneme, row) in enumerate(zip(reading.phonemes, reading.weights, strict=True), start=1):
        first, *others = sorted(range(len(row)), key=lambda i: (-row[i], i))
        words = f"Sound {k}, {phoneme}{' ' * bool(heard(phoneme))}{heard(phoneme)}, looks most at "
        words += f"{reading.word[first]} (letter {first + 1}, {number(100 * row[first], 0)}%)"
        if others and row[others[0]] >= 0.1:
            second = others[0]
            words += (
                f", then at {reading.word[second]} (letter {second + 1}, {number(100 * row[second], 0)}%)"
            )
        found.append(words + ".")
    return found


def describe(reading: Reading) -> str:
    """Return the sentences about the whole word."""
    if not reading.phonemes:
        return f"For “{reading.word}” the model says nothing: its first sound is the end. {verdict(reading)}"
    return f"The model reads “{reading.word}” as {' '.join(reading.phonemes)}. {verdict(reading)}"


GOALS: dict[str, Callable[..., bool]] = {
    "new": lambda reading, **_: len(reading.word) >= 3 and reading.known is None and bool(reading.phonemes),
    "silent": lambda reading, **_: (
        bool(reading.phonemes) and bool((reading.weights.max(axis=0) <= SILENT).any())
    ),
    "shared": lambda reading, **_: bool(
        (np.minimum(reading.weights[:, 1:], reading.weights[:, :-1]) >= SHARED).any()
    ),
    "long": lambda reading, **_: len(reading.word) >= LONG and reading.right is True,
}


def plain(reading: Reading) -> dict[str, Any]:
    """Return what the browser draws from."""
    sentences = looks(reading)
    return {
        "word": reading.word,
        "phonemes": list(reading.phonemes[:MOST]),
        "more": max(0, len(reading.phonemes) - MOST),
        "heard": [heard(phoneme) for phoneme in reading.phonemes[:MOST]],
        "weights": reading.weights[:MOST].round(4).tolist(),
        "right": reading.right,
        "verdict": verdict(reading),
        "whole": describe(reading),
        "looks": sentences[:MOST],
    }


# ------------------------------------------------------------------ the still
def draw(figure: Figure, reading: Reading) -> None:
    """Draw the map: a row for each sound, a column for each letter."""
    axes = figure.subplots()
    sounds = reading.phonemes[:MOST]
    ground = LinearSegmentedColormap.from_list("attention", ["#ffffff", colors()["accent"]])
    axes.grid(False)
    axes.set_xticks(range(len(reading.word)), list(reading.word))
    axes.set_yticks(range(len(sounds)), [f"{p}  {heard(p)}" for p in sounds])
    axes.set(xlim=(-0.5, len(reading.word) - 0.5), ylim=(max(1, len(sounds)) - 0.5, -0.5))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for k, row in enumerate(reading.weights[:MOST]):
        for i, weight in enumerate(row):
            box = Rectangle((i - 0.5, k - 0.5), 1, 1, facecolor=ground(min(1.0, weight)), edgecolor="#e9e9ee")
            axes.add_patch(box)
            if weight >= 0.05:
                ink = "white" if weight > 0.55 else colors()["text"]
                axes.text(
                    i, k, f"{number(100 * weight, 0)}%", ha="center", va="center", color=ink, fontsize=12
                )
    axes.set_title(
        f"“{reading.word}” is said {' '.join(sounds) or 'not at all'}\n{verdict(reading)}", loc="left"
    )


# ------------------------------------------------------------------ the explorer
class PronounceExplorer(KernelExplorer):
    """The live widget of :func:`pronounce`."""

    _esm = esm("kernel.js", "pronounce.js")
    _css = css()

    def __init__(self, say: Say, first: Reading, dictionary: Mapping[str, Sequence[str]] | None) -> None:
        self._say, self._dictionary = say, dictionary
        super().__init__(DECLARATION, {"first": plain(first), "longest": LONGEST})

    def answer(
        self, question: dict[str, Any], buffers: list[memoryview]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Read the word and answer with its sounds, their weights and sentences."""
        reading = read(self._say, question["values"]["word"], self._dictionary)
        return {"reading": plain(reading), "goals": self.met(GOALS, question, reading)}, []


def pronounce(say: Say, *, dictionary: Mapping[str, Sequence[str]] | None = None) -> None:
    """Let the learner type words, and show how the model says each and where its sounds look.

    Args:
        say: takes a word of the letters a to z, returns ``(phonemes, weights)``: the sounds as a list of
            texts, and the cross-attention weights, (len(phonemes), len(word)), as a tensor or array.
        dictionary: word -> its phonemes, to compare with; without it the CMU Pronouncing Dictionary.

    Raises:
        ValueError: ``say`` returns something else for the first word.
    """
    first = read(say, DECLARATION.defaults()["word"], dictionary)
    height = 1.6 + 0.46 * max(3, min(MOST, len(first.phonemes)))
    still = still_png(draw, size=(8.0, height), reading=first)
    alt = " ".join(["A map of attention weights.", describe(first), *looks(first)])
    show(PronounceExplorer(say, first, dictionary), still, alt)
