"""A question to answer before the experiment: choose, reveal, read why.

The still is the question in HTML with the answer folded away. The choice is remembered in the learner's
browser only. A lesson's questions stand in ``questions/NN_stem.toml`` and are asked by name, as in
``explore.predict("01.scale")``, so that the code of the cell does not give the answer away.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from utils.explore.base import Declaration, Explorer, css, esm, show

DECLARATION = Declaration(name="predict", title="Predict", controls=())


def compute(
    question: str, options: Sequence[str], answer: str | int, explanation: str, key: str | None = None
) -> dict[str, object]:
    """Check the parts of a question and return them as plain data.

    Args:
        question: plain text, one question.
        options: two or more different answers, plain text.
        answer: the right one, as it stands in ``options``, or its position counted from 0.
        explanation: why it is right; shown after the answer.
        key: name under which the browser remembers the choice. By default it is made from the question.

    Raises:
        ValueError: if a part is missing, two options are the same, or the answer is not among the options.
    """
    for name, text in (("question", question), ("explanation", explanation)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"predict: the {name} must be a text that is not empty")
    if isinstance(options, str) or not all(isinstance(option, str) and option.strip() for option in options):
        raise ValueError("predict: options must be a list of texts, none of them empty")
    options = list(options)
    if len(options) < 2:
        raise ValueError(f"predict: a question needs at least two options, not {len(options)}")
    if len(set(options)) < len(options):
        raise ValueError("predict: two options are the same")
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(options):
        right = answer
    elif answer in options:
        right = options.index(answer)
    else:
        raise ValueError(f"predict: the answer {answer!r} is none of the options {options}")
    if key is None:
        key = hashlib.sha256(question.encode()).hexdigest()[:16]
    return {
        "question": question,
        "options": options,
        "answer": right,
        "explanation": explanation,
        "key": str(key),
    }


def draw(**parts: object) -> str:
    """Return the still: the question, its options, and the answer folded away. Everything is escaped."""
    data = compute(**parts)
    items = "".join(f"<li>{escape(option)}</li>" for option in data["options"])
    return (
        f"<div><p><strong>{escape(data['question'])}</strong></p><ol type='A'>{items}</ol>"
        f"<details><summary>Answer (choose first)</summary>"
        f"<p><strong>{escape(data['options'][data['answer']])}</strong>. {escape(data['explanation'])}</p>"
        f"</details></div>"
    )


def describe(**parts: object) -> str:
    """Return the question and its options as text, without the answer."""
    data = compute(**parts)
    lettered = [f"{chr(ord('A') + i)}. {option}" for i, option in enumerate(data["options"])]
    return "\n".join([data["question"], *lettered])


class PredictExplorer(Explorer):
    """The live widget of :func:`predict`."""

    _esm = esm("predict.js")
    _css = css()


def load_question(name: str) -> dict[str, object]:
    """Read the question ``NN.name`` of a lesson, for example ``"01.scale"``.

    Raises:
        ValueError: if there is no such question; the message lists those there are.
    """
    folder = Path(__file__).parent / "questions"
    lesson, _, word = name.partition(".")
    files = sorted(folder.glob(f"{lesson}_*.toml")) if lesson.isdigit() else []
    questions = tomllib.loads(files[0].read_text(encoding="utf-8")) if files else {}
    if word not in questions:
        known = ", ".join(f"{lesson}.{key}" for key in questions) or "none for this lesson"
        raise ValueError(f"predict: there is no question {name!r}; there are: {known}")
    return questions[word] | {"key": name}


def predict(
    question: str,
    options: Sequence[str] | None = None,
    answer: str | int | None = None,
    explanation: str | None = None,
    key: str | None = None,
) -> None:
    """Ask a question whose answer is revealed after one has chosen.

    With one argument it is the name of a lesson's question (see :func:`load_question`); otherwise arguments
    and errors are those of :func:`compute`.
    """
    if options is None and answer is None and explanation is None:
        data = compute(**load_question(question))
    else:
        data = compute(question, options or (), answer, explanation, key)
    show(PredictExplorer(DECLARATION, data), draw(**data), describe(**data))
