"""A run over a class: what is taken in, what is written, and that a run goes on after it was killed."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import grading_class as klass
import hypothesis
import hypothesis.strategies as st
import nbformat
import psutil
import pytest
from typer.testing import CliRunner

from utils.grading import command, gradebook, intake, report, run
from utils.grading.examine import Mark
from utils.grading.intake import IntakeError, Unreadable, find, read_notebook
from utils.grading.run import Marked, Record, RunError, Settings
from utils.grading.sandbox import Limits

STEMS = run.stems()
STEM = klass.STEM
NOTEBOOK = nbformat.writes(klass.released())


def put(folder: Path, name: str, text: str = NOTEBOOK) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(place: Path, tmp_path: Path) -> list[tuple[str, str, str]]:
    return [(s.student, s.set, s.stem) for s in find(place, STEMS, tmp_path / "unpacked")]


# ------------------------------------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"submitted/ada/{STEM}/{STEM}.ipynb", ("ada", STEM, STEM)),
        (f"ada/week1/{STEM}.ipynb", ("ada", "week1", STEM)),
        (f"ada/{STEM}/solution.ipynb", ("ada", STEM, STEM)),
        ("ada/week1/mine.ipynb", ("ada", "week1", STEM)),
        (f"ada/{STEM}.ipynb", ("ada", STEM, STEM)),
        (f"Ada Meier_71_assignsubmission_file_/{STEM}.ipynb", ("Ada Meier", STEM, STEM)),
        (f"Ada Meier_71_assignsubmission_file/{STEM} (1).ipynb", ("Ada Meier", STEM, STEM)),
        (f"meierada_71_9_{STEM}-1.ipynb", ("meierada", STEM, STEM)),
        (f"meierada_LATE_71_9_{STEM}.ipynb", ("meierada", STEM, STEM)),
        (f"李明_{STEM}.ipynb", ("李明", STEM, STEM)),
        (f"Zoë Ångström/{STEM.upper()}.IPYNB", ("Zoë Ångström", STEM, STEM)),
        ("ada/упражнение.ipynb", ("ada", STEM, STEM)),
        (f"İpek_{STEM}.ipynb", ("İpek", STEM, STEM)),
        (f"class/Ada Meier_71_assignsubmission_file_/{STEM}.ipynb", ("Ada Meier", STEM, STEM)),
        (f"Ada Meier_71_assignsubmission_file_/week1/{STEM}.ipynb", ("Ada Meier", STEM, STEM)),
        (f"ada_1_2/week_1_2/{STEM}.ipynb", ("ada_1_2", "week_1_2", STEM)),
    ],
)
def test_a_submission_is_found_under_many_names(name: str, expected: tuple, tmp_path: Path) -> None:
    put(tmp_path / "in", name)
    assert found(tmp_path / "in", tmp_path) == [expected]


def test_a_zip_is_taken_in_without_leaving_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "class.zip"
    link = zipfile.ZipInfo(f"eve/{STEM}.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(f"ada/{STEM}.ipynb", NOTEBOOK)
        zipped.writestr(f"../outside/{STEM}.ipynb", NOTEBOOK)
        zipped.writestr(f"/absolute/{STEM}.ipynb", NOTEBOOK)
        zipped.writestr(f"..\\windows\\{STEM}.ipynb", NOTEBOOK)
        zipped.writestr("ada/program.py", "x")
        zipped.writestr(f"__MACOSX/ada/._{STEM}.ipynb", "x")
        zipped.writestr(link, "/etc/passwd")
    assert found(archive, tmp_path) == [("ada", STEM, STEM)]
    written = {p.relative_to(tmp_path).parts[0] for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"class.zip", "unpacked"}


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LARGEST_ZIP", 150_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for student in ("ada", "ben"):
            zipped.writestr(f"{student}/{STEM}.ipynb", "0" * 100_000)
    with pytest.raises(IntakeError, match="larger"):
        find(tmp_path / "bomb.zip", STEMS, tmp_path / "u")


def test_one_notebook_that_unpacks_to_too_much_is_its_students_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LARGEST_NOTEBOOK", 100_000)
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"ada/{STEM}.ipynb", NOTEBOOK)
        zipped.writestr(f"eve/{STEM}.ipynb", "0" * 10_000_000)
    ada, eve = find(tmp_path / "class.zip", STEMS, tmp_path / "u")
    assert eve.path.stat().st_size == 100_001
    with pytest.raises(Unreadable, match="larger"):
        read_notebook(eve.path)
    assert read_notebook(ada.path).cells


@pytest.mark.parametrize("round_it", ["", "submitted/", "export of the class/"])
def test_a_zip_of_one_student_in_nbgraders_layout_is_that_students(round_it: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as zipped:
        zipped.writestr(f"{round_it}ada/{STEM}/{STEM}.ipynb", NOTEBOOK)
    assert found(tmp_path / "class.zip", tmp_path) == [("ada", STEM, STEM)]


def test_a_pipe_is_no_notebook(tmp_path: Path) -> None:
    put(tmp_path, f"ada/{STEM}.ipynb")
    os.mkfifo(tmp_path / "ada" / f"other_{STEM}.ipynb")  # who opens it waits for a writer
    assert found(tmp_path, tmp_path) == [("ada", STEM, STEM)]


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "secret", f"{STEM}.ipynb")
    put(tmp_path / "in", f"ada/{STEM}.ipynb")
    (tmp_path / "in" / "eve").symlink_to(tmp_path / "secret")
    assert found(tmp_path / "in", tmp_path) == [("ada", STEM, STEM)]


def test_a_link_to_a_file_is_not_followed(tmp_path: Path) -> None:
    target = put(tmp_path / "secret", "x.ipynb")
    put(tmp_path / "in", f"ada/{STEM}.ipynb")
    (tmp_path / "in" / "eve").mkdir()
    (tmp_path / "in" / "eve" / f"{STEM}.ipynb").symlink_to(target)
    assert ("eve", STEM, STEM) not in [
        (s.student, s.set, s.stem) for s in find(tmp_path / "in", STEMS, tmp_path / "u") if s.path
    ]


def test_of_two_notebooks_the_newest_counts_and_it_is_said(tmp_path: Path) -> None:
    old = put(tmp_path, f"ada/{STEM}.ipynb")
    new = put(tmp_path, f"ada/{STEM}-1.ipynb")
    os.utime(old, (1, 1))
    (submission,) = find(tmp_path, STEMS, tmp_path / "u")
    assert submission.path == new
    assert "2 notebooks" in submission.remark


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    put(tmp_path, f"ada/{STEM}/{STEM}.ipynb")
    (tmp_path / "ben" / STEM).mkdir(parents=True)
    missing = [s for s in find(tmp_path, STEMS, tmp_path / "u") if s.path is None]
    assert [(s.student, s.set) for s in missing] == [("ben", STEM)]
    marked = run.mark_submission(missing[0], 1, Settings(), tmp_path)
    assert {mark.status for mark in marked.marks} == {"not handed in"} and len(marked.marks) == 6


def test_one_of_a_sets_notebooks_that_is_missing_is_named(tmp_path: Path) -> None:
    for student, stem in (("ada", STEMS[1]), ("ada", STEMS[2]), ("ben", STEMS[1])):
        put(tmp_path, f"{student}/week1/{stem}.ipynb")
    missing = [s for s in find(tmp_path, STEMS, tmp_path / "u") if s.path is None]
    assert [(s.student, s.set, s.stem) for s in missing] == [("ben", "week1", STEMS[2])]


@pytest.mark.parametrize("place", ["nothing", "empty"])
def test_no_submissions_is_an_error_that_says_what_is_expected(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntakeError, match="zip"):
        find(tmp_path / place, STEMS, tmp_path / "u")


def test_names_that_are_no_text_do_not_end_the_run(tmp_path: Path) -> None:
    """A zip's German names, unpacked on Linux, are bytes that are no UTF-8."""
    for name in (b"M\xfcller", b"new\nline"):
        folder = os.fsencode(tmp_path / "in") + b"/" + name
        os.makedirs(folder)
        Path(os.fsdecode(folder), f"{STEM}\udcff.ipynb").write_text("{", encoding="utf-8")
    submissions = find(tmp_path / "in", STEMS, tmp_path / "u")
    assert [s.student for s in submissions] == ["M\\udcfcller", "new\\nline"]
    record = Record(tmp_path / "out", Settings())
    all_marked = run.mark_all(submissions, record)
    assert run.mark_all(submissions, record) == all_marked  # now from the record
    report.write_csv(tmp_path / "grades.csv", all_marked)
    assert len(report.write_feedback(tmp_path / "feedback", all_marked)) == 2
    assert "M\\udcfcller" in (tmp_path / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [".. ", ".._71_assignsubmission_file_", "._71_9_", "..."])
def test_no_student_is_called_as_a_folder_above(name: str, tmp_path: Path) -> None:
    put(tmp_path / "in", f"{name}/{STEM}.ipynb")
    ((student, _, _),) = found(tmp_path / "in", tmp_path)
    assert student.strip(".")


@pytest.mark.parametrize(
    "names",
    [
        [f"Ada Meier_{number}_assignsubmission_file_/{STEM}.ipynb" for number in (71, 72)],
        [f"meierada_{number}_9_{STEM}.ipynb" for number in (71, 72)],
        [f"meierada_{late}{number}_9_/{STEM}.ipynb" for late, number in (("", 71), ("LATE_", 72))],
    ],
    ids=["Moodle", "Canvas", "Canvas, one late"],
)
def test_two_students_of_one_name_are_two(names: list[str], tmp_path: Path) -> None:
    """Whoever takes another's name in the learning system takes neither that one's marks nor gives any."""
    for name in names:
        put(tmp_path / "in", name)
    submissions = find(tmp_path / "in", STEMS, tmp_path / "u")
    assert [s.student.rpartition(" ")[2] for s in submissions] == ["71", "72"]
    assert all("More than one student" in s.remark for s in submissions)


def test_what_one_student_adds_is_not_missing_from_all(tmp_path: Path) -> None:
    for student in ("ada", "ben", "eve"):
        put(tmp_path, f"{student}/{STEM}.ipynb")
    put(tmp_path, f"eve/{STEMS[3]}.ipynb")
    put(tmp_path, f"eve/more/{STEM}.ipynb")
    submissions = find(tmp_path, STEMS, tmp_path / "u")
    assert len(submissions) == 5 and all(s.path for s in submissions)


def test_folders_without_end_are_left_out(tmp_path: Path) -> None:
    put(tmp_path / "in", f"ada/{STEM}.ipynb")
    deep = "eve/" + "x/" * 1200
    with contextlib.chdir(tmp_path / "in"):
        for part in Path(deep).parts:
            os.mkdir(part)
            os.chdir(part)
        Path(f"{STEM}.ipynb").touch()
    assert ("ada", STEM, STEM) in found(tmp_path / "in", tmp_path)
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as zipped:
        zipped.writestr(f"ada/{STEM}.ipynb", NOTEBOOK)
        zipped.writestr(f"{deep}{STEM}.ipynb", NOTEBOOK)
    assert found(tmp_path / "class.zip", tmp_path) == [("ada", STEM, STEM)]
    subprocess.run(["rm", "-r", str(tmp_path / "in")], check=True)  # Python's own would go too deep, too


@pytest.mark.parametrize("where", range(40, 60))
def test_a_damaged_zip_is_named(where: int, tmp_path: Path) -> None:
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"ada/{STEM}.ipynb", NOTEBOOK)
    content = bytearray(archive.read_bytes())
    content[where] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(IntakeError, match="zip"):
        find(archive, STEMS, tmp_path / "u")


# ------------------------------------------------------------------------------------------------- reading


def test_a_notebook_of_endless_cells_is_refused_before_it_takes_hours(tmp_path: Path) -> None:
    cells = [{}] * (intake.MOST_CELLS + 1)
    with pytest.raises(Unreadable, match="more than 5000 cells"):
        read_notebook(put(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": cells})))
    with pytest.raises(Unreadable, match="more than 5000 cells"):
        sheets = [{"cells": cells[:-1]}, {"cells": [{}]}]
        read_notebook(put(tmp_path, "b.ipynb", json.dumps({"nbformat": 3, "worksheets": sheets})))


def test_of_nbgraders_marks_only_the_name_is_taken(tmp_path: Path) -> None:
    marks: dict = {"grade_id": "01_neuron_work", "deep": {}}
    inner = marks["deep"]
    for _ in range(600):
        inner["deep"] = inner = {}
    cell = {"cell_type": "code", "source": "1", "metadata": {"nbgrader": marks}}
    notebook = read_notebook(put(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": [cell]})))
    assert notebook.cells[0].metadata["nbgrader"] == {"grade_id": "01_neuron_work"}


def test_what_a_renamed_notebook_checks_is_counted_in_one_go(tmp_path: Path) -> None:
    """Not once for each number: of digits there are hundreds, and of two of them a hundred thousand."""
    digits = [chr(number) for number in range(0x110000) if chr(number).isdecimal()]
    asked = "\n".join(f"check('{a}{b}.x')" for a in digits[:10] for b in digits)
    cells = [{"cell_type": "code", "source": f"{asked}\ncheck('02.x')\ncheck('02.y')"}]
    path = put(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": cells}))
    assert intake._NAMED.findall(asked) == [f"{a}{b}" for a in "0123456789" for b in "0123456789"]
    assert intake._stem_by_content(path, STEMS) == STEMS[2]


def test_a_file_larger_than_the_memory_has_a_digest(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    assert len(intake.digest(tmp_path / "a")) == 64
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not valid JSON"),
        (b'<<<<<<< HEAD\n{"cells": []}', "merge"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff\xfe\x00x", "UTF-8"),
        (b"PK\x03\x04\xff", "UTF-8"),
        (b"[1]", "no notebook"),
        (b"{}", "no notebook"),
        (b'{"nbformat": "4"}', "no notebook"),
        (b'{"nbformat": 9, "cells": []}', "newer"),
        (b'{"nbformat": 4}', "no cells"),
        (b'{"nbformat": 4, "cells": [1, null]}', "no cells"),
        (b'{"nbformat": 3, "worksheets": [null]}', "no cells"),
        (b'{"nbformat": 4, "cells": 5}', "no cells"),
        (b'{"nbformat": 3, "worksheets": true}', "no cells"),
    ],
)
def test_what_is_no_notebook_gets_a_reason(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "ada" / f"{STEM}.ipynb"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        read_notebook(path)
    (submission,) = find(tmp_path, STEMS, tmp_path / "u")
    marked = run.mark_submission(submission, 1, Settings(), tmp_path)
    assert marked.points == 0 and len(marked.marks) == 6
    assert all(mark.message and mark.status == "not marked" for mark in marked.marks)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
PARTS = st.sampled_from(["code", "markdown", "cell_type", "source", "input", "metadata", "nbgrader", "cells"])
ANYTHING = st.recursive(
    SCALARS | PARTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PARTS, inner, max_size=4),
    max_leaves=12,
)


@hypothesis.given(version=st.integers(1, 4), cells=ANYTHING)
@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_it_a_notebook_is_read_or_gets_a_reason(
    version: int, cells: object, tmp_path: Path
) -> None:
    content = {"nbformat": version, "cells": cells, "worksheets": [{"cells": cells}]}
    path = put(tmp_path, "a.ipynb", json.dumps(content))
    try:
        notebook = read_notebook(path)
    except Unreadable as error:
        assert str(error).endswith(".")
        return
    nbformat.validate(notebook)
    assert all(isinstance(code, str) for code in intake.code_cells(notebook))


def test_a_notebook_that_cannot_be_told_gets_a_reason(tmp_path: Path) -> None:
    put(
        tmp_path,
        "ada/notes.ipynb",
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}),
    )
    (submission,) = find(tmp_path, STEMS, tmp_path / "u")
    marked = run.mark_submission(submission, 1, Settings(), tmp_path)
    assert "NN_stem" in marked.remarks[0]
    report.write_csv(tmp_path / "grades.csv", [marked])
    assert "NN_stem" in (tmp_path / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_format_is_read(version: int, tmp_path: Path) -> None:
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_markdown_cell("y")]
    )
    old = made if version == 4 else nbformat.convert(made, 3)
    old = {**old, "nbformat": version}
    notebook = read_notebook(put(tmp_path, "a.ipynb", json.dumps(old)))
    assert intake.code_cells(notebook) == ["x = 1"]


# -------------------------------------------------------------------------------------------- being written


def mark(**more) -> Mark:
    base = Mark("01.neuron", "A neuron", 1.0, 2.0, "failed", "wrong", hint="a hint", seed=3)
    failure = {
        "number": 2,
        "note": "a batch of one",
        "inputs": (("X", "tensor(1)"),),
        "expected": "e",
        "got": "g",
        "what": "wrong",
    }
    return replace(base, failure=failure, **more)


def marked(student: str = "ada", **more) -> Marked:
    return Marked(student, STEM, STEM, "x.ipynb", "d", 3, True, (mark(**more),), ())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM", "\t=1", "\r=1", "  =1", "|x", "%0"])
def test_a_spreadsheet_reads_no_formula(text: str, tmp_path: Path) -> None:
    report.write_csv(tmp_path / "grades.csv", [marked(text, message=text)])
    said = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert re.sub('"[^"]*"', "", said).strip(",0123456789.\r\n") == "", "all text stands in quotes"
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert tuple(row) == report.COLUMNS
    assert row["student"].startswith("'") and row["first message"].startswith("'")
    assert row["points"] == "1"


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_pages_escape_everything() -> None:
    failure = {
        "number": 1,
        "note": EVIL,
        "inputs": ((EVIL, EVIL),),
        "expected": EVIL,
        "got": EVIL,
        "what": EVIL,
    }
    evil = replace(mark(message=EVIL, hint=EVIL, notes=(EVIL,)), failure=failure, title=EVIL, exercise=EVIL)
    page = report.page(EVIL, [replace(marked(), marks=(evil,), remarks=(f"all {EVIL}",), set=EVIL)])
    assert "<script" not in page and "<img" not in page
    assert page.count("&lt;script&gt;") > 10


def test_inputs_can_be_withheld() -> None:
    page = report.page("ada", [marked()], withhold=True)
    assert "tensor(1)" not in page and "seed=" not in page
    assert "a batch of one" in page and "a hint" in page
    assert "tensor(1)" in report.page("ada", [marked()])
    prints = ("Your function prints as well (`tensor(1)`). Only what it returns counts.",)
    assert "prints as well. Only" in report.page("ada", [marked(notes=prints)], withhold=True)
    right = replace(mark(status="passed", message="Right on all 3 cases (seed 3)."), failure=None)
    both = replace(marked(), marks=(right, mark()))  # one seed for both
    page = report.page("ada", [both], withhold=True)
    assert "Right on all 3 cases." in page and "seed" not in page
    assert "(seed 3)" in report.page("ada", [both])


def test_what_is_said_of_the_whole_notebook_is_said_once() -> None:
    damaged = replace(marked(status="not marked", message="No notebook."), remarks=("No notebook.",))
    assert report.page("ada", [damaged]).count("No notebook.") == 1


def test_what_was_not_begun_is_said_without_pointing_at_cells() -> None:
    page = report.page("ada", [marked(status="not started", message="Write it in the cell above.")])
    assert "Not begun" in page and "cell above" not in page


def test_a_page_says_how_points_are_shared() -> None:
    groups = {"shapes": (2, 3), "values": (3, 3)}
    assert report.CREDIT in report.page("ada", [marked(groups=groups)])
    assert report.CREDIT not in report.page("ada", [marked(groups=groups, status="passed")])


def test_the_end_names_what_somebody_has_to_look_at(tmp_path: Path) -> None:
    odd = [marked(f"eve{n}\x1b[2J", status="not marked", message="why", points=0.0) for n in range(12)]
    absent = replace(marked("ben"), file="", marks=(mark(status="not handed in", points=0.0),))
    unknown = replace(marked("zoe"), marks=(), remarks=("It cannot be told.",))
    two = replace(marked("mia"), remarks=("2 notebooks were handed in.",))
    said = list(command.summary([marked(), two, absent, unknown, *odd], tmp_path))
    assert said[0].startswith("15 notebooks marked, 2 of 28 points") and said[1] == "Not handed in: 1."
    assert said[2].endswith(": 13.") and said[3] == f"  zoe, {STEM}: It cannot be told."
    assert said[4] == f"  eve0 [2J, {STEM}: why" and said[-2].startswith("  ... and 3 more")
    assert said[-1].endswith(": 1.") and "remark" in said[-1]
    assert len(list(command.summary([marked()], tmp_path))) == 1


def test_pages_of_names_that_look_alike_are_two_files(tmp_path: Path) -> None:
    names = ["../../etc/passwd", "a/b", "a\\b", "a b", "a_b", "李明", "李明 ", "x" * 300]
    files = report.write_feedback(tmp_path, [marked(name) for name in names])
    assert len(set(files)) == len(names)
    assert all(file.parent == tmp_path and file.exists() for file in files)


def test_a_mark_given_by_hand_stays(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    url = gradebook.database(tmp_path)
    gradebook.write_gradebook(url, [marked()])
    with Gradebook(url) as book:
        grade = book.find_grade("01_neuron_check", STEM, STEM, "ada")
        assert (grade.auto_score, grade.score, grade.needs_manual_grade) == (1.0, 1.0, False)
        grade.manual_score = 1.5
        book.db.commit()
    gradebook.write_gradebook(url, [marked(points=0.5)])
    with Gradebook(url) as book:
        grade = book.find_grade("01_neuron_check", STEM, STEM, "ada")
        assert (grade.auto_score, grade.manual_score, grade.score) == (0.5, 1.5, 1.5)
        assert grade.needs_manual_grade


def test_what_a_set_has_got_since_gets_its_place(tmp_path: Path) -> None:
    """Another exercise, or another notebook, after nbgrader first heard of the submission."""
    from nbgrader.api import Gradebook

    url, other = gradebook.database(tmp_path), STEMS[2]
    gradebook.write_gradebook(url, [marked()])
    with Gradebook(url) as book:
        for name in ("01_neuron_check", "01_neuron_work"):
            notebook = book.find_submission_notebook(STEM, STEM, "ada")
            for one in [*notebook.grades, *notebook.comments]:
                if one.cell.name == name:
                    book.db.delete(one)
        book.db.commit()
    more = replace(marked(), stem=other, marks=(mark(exercise=run.exercises_of(other)[0].id),))
    gradebook.write_gradebook(url, [marked(), more])
    with Gradebook(url) as book:
        assert book.find_grade("01_neuron_check", STEM, STEM, "ada").score == 1.0
        assert book.find_submission(STEM, "ada").score == 2.0
        assert len(book.find_submission_notebook(other, STEM, "ada").grades) == len(run.exercises_of(other))


def test_late_penalties_are_nbgraders(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook
    from nbgrader.utils import parse_utc

    config = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    (tmp_path / "nbgrader_config.py").write_text(config, encoding="utf-8")
    put(tmp_path, f"submitted/ada/{STEM}/timestamp.txt", "2030-01-02 00:00:00 UTC")
    url = gradebook.database(tmp_path)
    gradebook.write_gradebook(url, [marked()])
    with Gradebook(url) as book:
        book.update_or_create_assignment(STEM, duedate=parse_utc("2030-01-01 00:00:00 UTC"))
    gradebook.write_gradebook(url, [marked()], tmp_path / "submitted")
    gradebook.apply_late_penalties(tmp_path, [marked()])
    with Gradebook(url) as book:
        notebook = book.find_submission_notebook(STEM, STEM, "ada")
        assert (notebook.score, notebook.late_submission_penalty) == (1.0, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        f"```\n{EVIL}",
        "[x](javascript:alert(1))",
        "$\\href{javascript:alert(1)}{x}$",
        "<svg/onload=alert(1)>",
    ],
)
@pytest.mark.parametrize("grade_id", ["", "01_neuron_work", "01_neuron_statement"])
def test_formgrader_gets_no_script(text: str, grade_id: str, tmp_path: Path) -> None:
    """On the page that Formgrader's exporter makes, nothing of a learner's text stands but as plain text."""
    from bs4 import BeautifulSoup
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import handlers

    cells = [make(text) for make in (nbformat.v4.new_markdown_cell, nbformat.v4.new_raw_cell)]
    for cell in cells:
        cell.metadata["nbgrader"] = {"grade_id": grade_id}
    file = put(tmp_path, "x.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    evil = replace(marked(), marks=(mark(message=text, hint=text, notes=(text,)),))
    made = gradebook.for_formgrader(read_notebook(file), evil)
    nbformat.validate(made)

    exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    page, _ = exporter.from_notebook_node(made, resources={"index": 0, "total": 1})
    shown = BeautifulSoup(page, "html.parser").find(id="notebook-container")
    assert not shown.find_all(["script", "img", "svg", "iframe"])
    places = shown.find_all(string=lambda string: "alert" in string)
    assert len(places) >= 3 and all(place.find_parent("pre") for place in places)


def test_formgrader_shows_the_courses_own_text_and_the_reasons(tmp_path: Path) -> None:
    made = gradebook.for_formgrader(read_notebook(put(tmp_path, "x.ipynb")), marked())
    assert [cell.source for cell in made.cells if cell.cell_type == "markdown"] == [
        cell.source for cell in klass.released().cells if cell.cell_type == "markdown"
    ]
    check = next(cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("points"))
    assert check.outputs[0].text == "1 of 2 points: failed\nwrong\na hint\n"


def test_feedback_holds_what_the_teacher_added_and_can_be_released(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    handed_in = put(tmp_path, f"submitted/ada/{STEM}/{STEM}.ipynb")
    put(tmp_path, f"submitted/ada/{STEM}/timestamp.txt", "2030-01-02 00:00:00 UTC")
    put(tmp_path, f"submitted/ada/{STEM}/submission_secret.txt", "a secret")
    gradebook.write_gradebook(gradebook.database(tmp_path), [marked()], tmp_path / "submitted")
    with Gradebook(gradebook.database(tmp_path)) as book:
        book.find_grade("01_neuron_check", STEM, STEM, "ada").manual_score = 1.5
        book.find_comment("01_neuron_work", STEM, STEM, "ada").manual_comment = f"Nearly! {EVIL}"
        book.find_submission_notebook(STEM, STEM, "ada").late_submission_penalty = 0.25
        book.db.commit()
    gradebook.write_course(tmp_path, [(marked(), handed_in)])
    feedback = tmp_path / "feedback" / "ada" / STEM
    page = (feedback / f"{STEM}.html").read_text(encoding="utf-8")
    assert "1.25 of 2 points" in page and "1.5 of 2 points, by hand" in page and "0.25 points less" in page
    assert "Nearly! &lt;script" in page and "<img" not in page
    assert (feedback / "submission_secret.txt").read_text(encoding="utf-8") == "a secret"
    assert (feedback / "timestamp.txt").exists()


def test_what_lies_beside_a_submission_is_not_followed(tmp_path: Path) -> None:
    """The student's own process writes these files: a link to a secret of the teacher's, or a huge one."""
    handed_in = put(tmp_path, f"submitted/ada/{STEM}/{STEM}.ipynb")
    secret = put(tmp_path, "secret.txt", "the teacher's")
    (handed_in.parent / "submission_secret.txt").symlink_to(secret)
    put(tmp_path, f"submitted/ada/{STEM}/timestamp.txt", "x" * 10**6)
    gradebook.write_gradebook(gradebook.database(tmp_path), [marked()])
    gradebook.write_course(tmp_path, [(marked(), handed_in)])
    assert [path.name for path in (tmp_path / "feedback" / "ada" / STEM).iterdir()] == [f"{STEM}.html"]


@pytest.mark.parametrize(
    "content", ["", "yesterday", "\udcff", "0001-01-01T00:00:00+14:00", "9" * 30, "2030-01-01 " + "0" * 5000]
)
def test_a_time_that_cannot_be_read_stops_nobody(content: str, tmp_path: Path) -> None:
    file = put(tmp_path, f"ada/{STEM}/timestamp.txt", "")
    file.write_text(content, encoding="utf-8", errors="surrogateescape")
    put(tmp_path, f"ben/{STEM}/timestamp.txt", "2030-01-31 12:00:00 UTC")
    assert gradebook._timestamp(tmp_path, marked()) is None
    assert gradebook.unreadable_times(tmp_path, [marked(), marked("ben"), marked("zoe")]) == [file]


def test_a_pipe_is_no_time(tmp_path: Path) -> None:
    (tmp_path / "ada" / STEM).mkdir(parents=True)
    os.mkfifo(tmp_path / "ada" / STEM / "timestamp.txt")  # who opens it waits for a writer
    assert gradebook._timestamp(tmp_path, marked()) is None


def test_autograding_is_refused() -> None:
    """The configuration of the course names what refuses, and it does."""
    from traitlets.config.loader import PyFileConfigLoader

    from utils.grading.refuse import AutogradingRefused, Refuse

    config = PyFileConfigLoader("nbgrader_config.py", path=str(run.REPOSITORY)).load_config()
    assert config.Autograde.sanitize_preprocessors == [f"{Refuse.__module__}.{Refuse.__name__}"]
    with pytest.raises(AutogradingRefused, match=r"python -m utils\.grading --course"):
        Refuse()(nbformat.v4.new_notebook(), {})


def test_formgraders_button_runs_nothing(tmp_path: Path) -> None:
    """What the button calls, in a course with this configuration and a submission that would be noticed."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(run.REPOSITORY)).load_config()
    config.CourseDirectory.root = str(tmp_path)
    put(tmp_path, f"source/{STEM}/{STEM}.ipynb")
    notebook = klass.released()
    notebook.cells.append(nbformat.v4.new_code_cell(f"open({str(tmp_path / 'ran')!r}, 'w')"))
    put(tmp_path, f"submitted/ada/{STEM}/{STEM}.ipynb", nbformat.writes(notebook))
    gradebook.write_gradebook(gradebook.database(tmp_path), [])  # with the tools on the PATH
    api = NbGraderAPI(config=config)
    assert api.generate_assignment(STEM)["success"]
    done = api.autograde(STEM, "ada")
    assert not done["success"] and "This course does not autograde" in done["log"]
    assert not (tmp_path / "ran").exists()


# ------------------------------------------------------------------------------------------------ going on


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        put(tmp_path / "in", f"{name}/{STEM}.ipynb")
    submissions = find(tmp_path / "in", STEMS, tmp_path / "u")
    asked: list[tuple[str, int]] = []

    def fake(submission, seed, settings, view):
        asked.append((submission.student, seed))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return replace(marked(submission.student), digest=intake.digest(submission.path), seed=seed)

    monkeypatch.setattr(run, "mark_submission", fake)
    monkeypatch.setattr(run, "make_view", lambda folder: folder)
    with pytest.raises(KeyboardInterrupt):
        run.mark_all(submissions, Record(tmp_path / "out", Settings()))
    again = run.mark_all(submissions, Record(tmp_path / "out", Settings()))
    assert [student for student, _ in asked] == ["a", "b", "b", "c"]
    assert asked[1] == asked[2], "another seed"
    assert [m.student for m in again] == ["a", "b", "c"]
    assert len({seed for _, seed in asked}) == 3, "the same inputs for two students"
    put(tmp_path / "in", f"a/{STEM}.ipynb", NOTEBOOK + " ")
    run.mark_all(submissions, Record(tmp_path / "out", Settings()))
    assert asked[-1] == asked[0], "a new version is marked anew, on the same inputs"
    assert (tmp_path / "out" / "record").stat().st_mode & 0o077 == 0
    with pytest.raises(RunError, match="other settings"):
        Record(tmp_path / "out", Settings(Limits(cell=1)))
    (tmp_path / "out" / "record" / "run.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        Record(tmp_path / "out", Settings())


def test_a_marking_process_that_is_ended_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        put(tmp_path / "in", f"{name}/{STEM}.ipynb")
    submissions = find(tmp_path / "in", STEMS, tmp_path / "u")

    class Pool(ThreadPoolExecutor):
        def __init__(self, jobs: int, **more) -> None:
            super().__init__(jobs)

    def ended(*args) -> None:
        raise BrokenProcessPool

    monkeypatch.setattr(run, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(run, "mark_submission", ended)
    monkeypatch.setattr(run, "make_view", lambda folder: folder)
    with pytest.raises(RunError, match="give the same command again"):
        run.mark_all(submissions, Record(tmp_path / "out", Settings()), jobs=2)


@pytest.mark.parametrize(("number", "asked", "fresh"), [(2, False, True), (3, False, False), (3, True, True)])
def test_few_submissions_are_not_worth_a_template(
    number: int, asked: bool, fresh: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[bool] = []

    def fake(submission, seed, settings, view):
        ways.append(settings.fresh)
        return replace(marked(submission.student), digest=intake.digest(submission.path), seed=seed)

    for name in "abc"[:number]:
        put(tmp_path / "in", f"{name}/{STEM}.ipynb")
    monkeypatch.setattr(run, "mark_submission", fake)
    monkeypatch.setattr(run, "make_view", lambda folder: folder)
    run.mark_all(find(tmp_path / "in", STEMS, tmp_path / "u"), Record(tmp_path, Settings(fresh=asked)))
    assert ways == [fresh] * number


def children_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


@pytest.mark.timeout(300)
def test_killed_for_real_it_finishes_the_rest_with_the_same_marks(tmp_path: Path) -> None:
    half = klass.solved()
    half.cells = half.cells[: len(half.cells) // 2]
    for number in range(4):
        klass.hand_in(tmp_path / "submitted", f"s{number}", half if number % 2 else klass.solved())
    out = tmp_path / "out"
    arguments = [sys.executable, "-m", "utils.grading", str(tmp_path), "--out", str(out), "--no-gradebook"]
    env = os.environ | {"PYTHONPATH": str(run.REPOSITORY)}
    process = subprocess.Popen([*arguments, "--jobs", "2"], env=env, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list(out.glob("record/marks/s*.json")) and time.monotonic() < end:
        time.sleep(0.05)
    family = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = {p.name: p.read_bytes() for p in out.glob("record/marks/s*.json")}
    assert 0 < len(first) < 4 and family
    psutil.wait_procs(family, timeout=10)
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    done = subprocess.run([*arguments, "--jobs", "1"], env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert {name: (out / "record" / "marks" / name).read_bytes() for name in first} == first
    marks = list(csv.DictReader((out / "grades.csv").read_text(encoding="utf-8").splitlines()))
    points = [sum(float(row["points"]) for row in marks if row["student"] == f"s{n}") for n in range(4)]
    assert points[0] == points[2] == 18 and points[1] == points[3] and 0 < points[1] < 18
    assert "4/4" in done.stderr, "no progress bar"


# ---------------------------------------------------------------------------------------------- the command


def test_the_command_explains_itself() -> None:
    said = CliRunner().invoke(command.app, ["--help"], env={"COLUMNS": "200"}).output
    for option in ("--out", "--course", "--jobs", "--withhold-inputs", "--memory-mb", "--unsafe-no-sandbox"):
        assert option in said


def test_without_bubblewrap_the_command_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, f"ada/{STEM}.ipynb")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(command.app, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "apt-get install -y bubblewrap" in result.output
    assert not (tmp_path / "out").exists()


def test_no_submissions_and_no_course_is_an_error() -> None:
    assert CliRunner().invoke(command.app, []).exit_code == 2
