"""What comes out for people: ``grades.csv`` and one page of feedback for each student.

Everything that a student wrote, or code of a student printed, is escaped; the pages hold no script, and
forbid the browser to run or load any.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from utils.checks.result import NOT_STARTED, PASSED, inline

from .examine import Mark
from .intake import file_name
from .run import Marked

COLUMNS = ("student", "set", "exercise", "points", "of", "status", "first message")
UNSAFE = "UNSAFE: marked without a sandbox"
WITHHELD = "inputs withheld"
CREDIT = (
    "Where not all is right, the groups of cases share the points: one in which every case is right brings "
    "its share."
)
_STYLE = """
body{font-family:system-ui,sans-serif;line-height:1.5;max-width:52em;margin:2em auto;padding:0 1em;
color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #d0d4da}
td.n,th.n{text-align:right}section{border:1px solid #d0d4da;border-left:6px solid #b35c00;border-radius:4px;
padding:.2em 1em .8em;margin:1em 0}section.passed{border-left-color:#1f7a45}h3{margin:.5em 0}
pre{background:#f3f4f6;padding:.5em .7em;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:3px}
code{background:#f3f4f6;padding:0 .25em;border-radius:3px}
.said{white-space:pre-line}
.warn{background:#fff3cd;padding:.6em 1em;border-radius:4px}
@media (prefers-color-scheme:dark){body{color:#e6e8eb;background:#16181c}th,td,section{border-color:#3a3f47}
pre,code{background:#24282e}.warn{background:#4a3b00}}
"""
_PRINTED = re.compile(r" \(`[^`]*`\)")  # in a note: what the work printed, and it may have printed its inputs
# no script, no picture, nothing from elsewhere, whatever may stand in the page
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class ByHand:
    """What a teacher added to the marks of a notebook in Formgrader, and what it lost for being late.

    Attributes:
        points: by exercise, where they are not the computed ones.
        comments: by exercise.
        penalty: points taken off.
    """

    points: Mapping[str, float] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    penalty: float = 0.0

    def total(self, marked: Marked) -> float:
        """The points of the notebook after all."""
        points = sum(self.points.get(mark.exercise, mark.points) for mark in marked.marks)
        return round(max(0.0, points - self.penalty), 2)


_NOTHING = ByHand()


# ----------------------------------------------------------------------------------------------- csv


def write_csv(file: Path, all_marked: Iterable[Marked]) -> None:
    """One line for each exercise of each submission; a submission without exercises gets one, too."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        # in quotes a text stays one cell where a spreadsheet takes semicolons for what parts cells
        writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for marked in all_marked:
            for row in _rows(marked):
                writer.writerow([_harmless(value) for value in row])


def _rows(marked: Marked) -> list[list]:
    unsafe = "" if marked.sandboxed else f"{UNSAFE}. "
    if not marked.marks:
        said = " ".join(marked.remarks)
        return [[marked.student, marked.set, "", 0, 0, "not marked", f"{unsafe}{said}"]]
    return [
        [
            marked.student,
            marked.set,
            mark.exercise,
            f"{mark.points:g}",
            f"{mark.of:g}",
            mark.status,
            unsafe + _first_message(mark),
        ]
        for mark in marked.marks
    ]


def _first_message(mark: Mark) -> str:
    return " ".join(f"{message(mark)} {mark.hint}".split())


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets a quote in front, which makes it text."""
    if isinstance(value, str):
        value = printable(value)
        if value.lstrip()[:1] in tuple("=+-@|%"):
            return f"'{value}"
    return value


# ---------------------------------------------------------------------------------------------- html


def page_name(student: str) -> str:
    """The file name of a student's page; two names that look alike get two files."""
    return f"{file_name(student)[:60]}-{hashlib.sha256(student.encode()).hexdigest()[:8]}.html"


def write_feedback(folder: Path, all_marked: Sequence[Marked], *, withhold: bool = False) -> list[Path]:
    """One page for each student; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    by_student: dict[str, list[Marked]] = {}
    for marked in all_marked:
        by_student.setdefault(marked.student, []).append(marked)
    written = []
    for student, several in by_student.items():
        path = folder / page_name(student)
        path.write_text(page(student, several, withhold=withhold), encoding="utf-8")
        written.append(path)
    return written


def page(
    student: str, several: Sequence[Marked], *, withhold: bool = False, by_hand: ByHand = _NOTHING
) -> str:
    """A student's feedback as a whole HTML page.

    Args:
        student: whose it is.
        several: the notebooks that were marked.
        withhold: leave out the inputs on which the work failed, what was expected there, and the seed.
        by_hand: what a teacher added to the marks of a page's only notebook.
    """
    points, of = sum(by_hand.total(m) for m in several), sum(m.of for m in several)
    body = [
        f"<h1>Feedback for {escape(student)}</h1>",
        f"<p><strong>{points:g} of {of:g} points.</strong></p>",
    ]
    if not all(marked.sandboxed for marked in several):
        body.append(f'<p class="warn"><strong>{UNSAFE}.</strong> These marks are for tests only.</p>')
    for marked in several:
        body += _notebook(marked, withhold, by_hand)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Feedback for {escape(student)}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _notebook(marked: Marked, withhold: bool, by_hand: ByHand) -> list[str]:
    parts = [f"<h2>{escape(marked.set)}: {by_hand.total(marked):g} of {marked.of:g} points</h2>"]
    parts += [f"<p>{inline(remark)}</p>" for remark in dict.fromkeys(marked.remarks)]
    if by_hand.penalty:
        parts.append(f"<p>Handed in late: {by_hand.penalty:g} points less.</p>")
    if marked.marks:
        rows = "".join(
            f"<tr><td>{escape(mark.exercise)} · {escape(mark.title)}</td><td>{escape(mark.status)}</td>"
            f'<td class="n">{_points(mark, by_hand)}</td></tr>'
            for mark in marked.marks
        )
        head = '<tr><th>Exercise</th><th>Outcome</th><th class="n">Points</th></tr>'
        parts.append(f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>")
    if any(mark.groups and mark.status != PASSED for mark in marked.marks):
        parts.append(f"<p>{CREDIT}</p>")
    # what was said of the whole notebook, as of a damaged file, is not said again of each exercise
    alone = [m for m in marked.marks if m.message not in marked.remarks or m.exercise in by_hand.comments]
    return parts + [_exercise(mark, withhold, by_hand) for mark in alone]


def _points(mark: Mark, by_hand: ByHand, word: str = "") -> str:
    given = by_hand.points.get(mark.exercise)
    points, hand = (mark.points, "") if given is None else (given, ", by hand")
    return f"{points:g} of {mark.of:g}{word}{hand}"


def _exercise(mark: Mark, withhold: bool, by_hand: ByHand) -> str:
    passed = mark.status == PASSED
    comment = by_hand.comments.get(mark.exercise)
    parts = [
        f'<section class="{"passed" if passed else "open"}">',
        f"<h3>{'✓' if passed else '→'} {escape(mark.exercise)} · {escape(mark.title)}: "
        f"{_points(mark, by_hand, ' points')}</h3>",
    ]
    if comment:
        parts.append(f'<p class="said"><strong>Your teacher says.</strong> {escape(comment)}</p>')
    parts.append(f"<p>{inline(withheld(mark) if withhold else message(mark))}</p>")
    if mark.failure and not withhold:
        parts.append(_failure(mark))
    if mark.hint:
        parts.append(f"<p><strong>Hint.</strong> {inline(mark.hint)}</p>")
    notes = [_PRINTED.sub("", note) if withhold else note for note in mark.notes]
    parts += [f"<p><strong>Note.</strong> {inline(note)}</p>" for note in notes]
    if mark.groups and not passed:
        counts = ", ".join(f"{group} {right} of {number}" for group, (right, number) in mark.groups.items())
        parts.append(f"<p>Cases right: {escape(counts)}.</p>")
    if mark.failure and mark.seed is not None and not withhold:
        again = f"<code>check(&quot;{escape(mark.exercise)}&quot;, …, seed={mark.seed})</code>"
        parts.append(f"<p>In your own notebook, {again} tries the same cases again.</p>")
    return "".join([*parts, "</section>"])


def message(mark: Mark) -> str:
    """An outcome in words, for who reads it outside the notebook."""
    if mark.status == NOT_STARTED:
        return "Not begun: there is nothing in its cell yet but what was handed out."
    return mark.message


def withheld(mark: Mark) -> str:
    """What is said when inputs stay hidden, and with them the seed, which brings all of them back."""
    if not mark.failure:
        return message(mark).replace(f" (seed {mark.seed})", "")
    note = f" ({mark.failure['note']})" if mark.failure.get("note") else ""
    kind = {"error": "ends with an error", "too slow": "takes too long"}.get(mark.status, "is not right")
    return f"Your answer {kind} on case {mark.failure['number']}{note}. The input itself is not shown."


def _failure(mark: Mark) -> str:
    failure = mark.failure
    given = "\n".join(f"{name} = {value}" for name, value in failure["inputs"]) or "no arguments"
    rows = (("Input", given), ("Expected", failure["expected"]), ("Got", failure["got"]))
    title = f"First case that fails: case {failure['number']}"
    title += f", {failure['note']}" if failure["note"] else ""
    shown = "".join(f"<div>{word}</div><pre>{escape(str(value))}</pre>" for word, value in rows)
    what = f"<p>{inline(failure['what'])}</p>" if failure["what"] != mark.message else ""
    return f"<p><strong>{escape(title)}</strong></p>{shown}{what}"
