"""The explorer of pronunciations without a browser: what is refused, what the model may answer, goals."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from utils.explore import base
from utils.texts import pronunciations

# By name: in the package, this name is the function that learners call.
pronounce = importlib.import_module("utils.explore.pronounce")

LEXICON = {"knight": ("N", "AY", "T"), "notebook": tuple("ABCDEFGH"), "ox": ("AA", "K", "S")}


def letter_by_letter(word: str) -> tuple[list[str], torch.Tensor]:
    """A model that says a sound for each letter and looks at that letter."""
    return [letter.upper() for letter in word], torch.eye(len(word))


def spread(word: str) -> tuple[list[str], np.ndarray]:
    """A model that says two sounds, the first over all letters alike, the second at the last."""
    weights = np.stack([np.full(len(word), 1 / len(word)), np.eye(len(word))[-1]])
    return ["AE1", "T"], weights


def reading(word: str, say=letter_by_letter):
    return pronounce.read(say, word, LEXICON)


# ------------------------------------------------------------------ words in
@pytest.mark.parametrize("text", ["knight", " Knight ", "a", "A" * 16])
def test_letters_are_read(text: str):
    assert pronounce.mistake(text) is None
    assert reading(text).word == text.strip().lower()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Type a word"),
        ("   ", "Type a word"),
        ("r2d2", "“2” is none of them"),
        ("naïve", "“ï” is none of them"),
        ("New York", "a space is none of them"),
        ("mother-in-law", "“-” is none of them"),
        ("a" * 17, "this word has 17"),
    ],
)
def test_what_cannot_be_read_is_told_kindly(text: str, why: str):
    assert why in pronounce.mistake(text)
    with pytest.raises(ValueError, match=why):
        reading(text)


# ------------------------------------------------------------------ sounds out
def test_a_reading_knows_what_the_dictionary_says():
    one = pronounce.read(lambda word: (["N", "AY", "T"], torch.full((3, 6), 1 / 6)), "knight", LEXICON)
    assert one.right is True and pronounce.verdict(one) == "The dictionary says the same."
    assert reading("knight").right is False and pronounce.verdict(reading("knight")).endswith("N AY T.")
    assert reading("blorb").right is None
    assert pronounce.read(letter_by_letter, "cat").known == pronunciations()["cat"] == ("K", "AE", "T")


def test_sentences():
    assert pronounce.describe(reading("ox")) == "The model reads “ox” as O X. The dictionary says AA K S."
    first, second = pronounce.looks(reading("cat", spread))
    assert first == "Sound 1, AE1 as in cat, looks most at c (letter 1, 33%), then at a (letter 2, 33%)."
    assert second == "Sound 2, T as in ten, looks most at t (letter 3, 100%)."
    silence = reading("ox", lambda word: ([], torch.zeros(0, 2)))
    assert "says nothing" in pronounce.describe(silence) and pronounce.looks(silence) == []


def test_every_sound_of_the_dictionary_has_a_word_in_which_the_dictionary_has_it():
    said = pronunciations()
    every = {phoneme for phonemes in said.values() for phoneme in phonemes}
    assert set(pronounce.SOUNDS) == every and len(every) == 39
    for sound, word in pronounce.SOUNDS.items():
        assert sound in said[word], (sound, word)


def test_no_gradient_is_recorded_and_none_is_in_the_way():
    weights = torch.eye(2, requires_grad=True)
    seen = []

    def say(word: str):
        seen.append(torch.is_grad_enabled())
        return ["A", "B"], weights * 1.0

    pronounce.read(say, "ox", LEXICON)
    pronounce.read(lambda word: (["A", "B"], weights), "ox", LEXICON)
    assert seen == [False]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (["A", "B"], r"must return \(phonemes, weights\)"),
        ((["A", "B"], torch.eye(2), 3), r"must return \(phonemes, weights\)"),
        (([1, 2], torch.eye(2)), "phonemes as texts"),
        ((["A", "B", "C"], torch.eye(2)), r"shape \(3, 2\).*not \(2, 2\)"),
        ((["A", "B"], torch.eye(2)[None]), r"not \(1, 2, 2\)"),
        ((["A", "B"], torch.eye(2) / 0), "finite"),
        ((["A", "B"], -torch.eye(2)), "not negative"),
    ],
)
def test_what_a_model_must_not_answer_is_named(answer, message: str):
    with pytest.raises(ValueError, match=message):
        pronounce.read(lambda word: answer, "ox", LEXICON)


# ------------------------------------------------------------------ goals and answers
def test_goals():
    def reached(word: str, say=letter_by_letter) -> set[str]:
        one = reading(word, say)
        return {name for name, holds in pronounce.GOALS.items() if holds(one, word=word, at=1)}

    assert set(pronounce.GOALS) == {goal.id for goal in pronounce.DECLARATION.goals}
    assert reached("knight") == set()
    assert reached("blorb") == {"new"} and reached("zx") == set()
    assert reached("ox", spread) == {"shared"}
    assert reached("knight", lambda word: (["N"], torch.eye(6)[1:2])) == {"silent"}
    assert reached("notebook", lambda word: (list("ABCDEFGH"), torch.eye(8))) == {"long"}
    assert reached("knight", lambda word: ([], torch.zeros(0, 6))) == set()


def asked(live, monkeypatch: pytest.MonkeyPatch, word: str, settled: bool = True) -> dict:
    """Send a question as the browser does and return the reply."""
    sent: list = []
    monkeypatch.setattr(live, "send", lambda content, buffers=None: sent.append(content))
    values = {"word": word, "at": 1}
    live._handle_custom_msg(
        {"kind": "question", "view": "v", "counter": 1, "settled": settled, "values": values}, []
    )
    return sent[0]


def test_answers_over_the_wire(monkeypatch: pytest.MonkeyPatch):
    live = pronounce.PronounceExplorer(letter_by_letter, reading("knight"), LEXICON)
    reply = asked(live, monkeypatch, " Blorb")
    assert reply["reading"]["phonemes"] == list("BLORB") and reply["goals"] == ["new"]
    assert reply["reading"]["heard"][0] == "as in bee"
    assert asked(live, monkeypatch, "blorb", settled=False)["goals"] == []
    json.dumps(reply, allow_nan=False)
    assert "none of them" in asked(live, monkeypatch, "r2")["error"]
    assert "cannot be" in asked(live, monkeypatch, "x" * 17)["error"]


def test_a_model_that_does_not_stop_is_cut_for_the_picture():
    one = reading("ox", lambda word: (["K"] * 33, torch.full((33, 2), 0.5)))
    told = pronounce.plain(one)
    assert told["more"] == 13 and all(
        len(told[key]) == 20 for key in ("phonemes", "weights", "looks", "heard")
    )


def test_the_still_is_the_map_of_the_first_word(monkeypatch: pytest.MonkeyPatch):
    shown: list[dict] = []
    monkeypatch.setattr(base, "display", lambda bundle, raw: shown.append(bundle))
    pronounce.pronounce(letter_by_letter, dictionary=LEXICON)
    still, live = shown
    assert still["image/png"].startswith(b"\x89PNG") and len(still["image/png"]) < 60_000
    assert "reads “knight” as K N I G H T" in still["text/plain"]
    assert "How does the model say it?" in live["text/plain"]
    with pytest.raises(ValueError, match="must return"):
        pronounce.pronounce(lambda word: None)

    figure = Figure()
    pronounce.draw(figure, reading("cat", spread))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AE1  as in cat", "T  as in ten"]
    assert [text.get_text() for text in axes.texts] == ["33%", "33%", "33%", "100%"]
    pronounce.draw(Figure(), reading("cat", lambda word: ([], torch.zeros(0, 3))))
