"""The build: what is stored, what an edit changes, what is refused, and that nothing is ever half written."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import typer
from nbformat import NotebookNode
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from utils import build as building
from utils.build import BuildError, Course, build, new_lesson, problems
from utils.explore.base import CALL

REPOSITORY = Path(__file__).parents[1]
STEM = "01_small"
LESSON = """\
# %% [markdown]
# # 01 · A small lesson
#
# **The question:** Does it build?

# %% [markdown]
# **You will be able to**
#
# - build it.
#
# **Needs:** nothing · **Read:** 1 minutes · **Run:** 2 seconds on two CPU cores

# %%
print("one")
print("two", flush=True)
6 * 7

# %% [markdown]
# In between.

# %%
print("same")

# %%
print("same")
"""
EXERCISE = """\
# %% [markdown]
# # 01 · Exercises: a small lesson

# %%
from utils.checks import check, hint, progress

# %% exercise="01.double"
# === statement
# ### 01.double ● Twice as much
# Write `double(x)`.
# === code
def double(x):
    # === solution
    return 2 * x
    # === stub
    raise NotImplementedError("write double")
    # === end
# === explanation
# Twice is **times two**.

# %%
progress()
"""
CHECKS = """\
from .exercise import Exercise

EXERCISES = (
    Exercise(
        id="01.double", name="double", title="Twice as much", difficulty=1, points=3, minutes=5,
        cases=lambda generator: [], reference=lambda x: 2 * x, misconceptions=(), hints=("", ""),
    ),
)
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Sources of one small lesson, nothing built. It needs no torch, so that it runs in two seconds."""
    course = Course(tmp_path)
    write(course.source("lessons", STEM), LESSON)
    write(course.source("exercises", STEM), EXERCISE)
    write(course.checks(STEM), CHECKS)
    write(tmp_path / "README.md", f"Before\n\n{building.TABLE_BEGIN}\nold\n{building.TABLE_END}\n\nAfter\n")
    return course


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course once built, to be copied."""
    course = Course(tmp_path_factory.mktemp("course"))
    write(course.source("lessons", STEM), LESSON)
    write(course.source("exercises", STEM), EXERCISE)
    write(course.checks(STEM), CHECKS)
    write(course.root / "README.md", f"{building.TABLE_BEGIN}\n{building.TABLE_END}\n")
    build(course)
    return course.root


@pytest.fixture
def built(executed: Path, tmp_path: Path) -> Course:
    """The small course, built."""
    return Course(Path(shutil.copytree(executed, tmp_path / "built")))


def lesson(course: Course) -> NotebookNode:
    return nbformat.read(course.notebook("lessons", STEM), as_version=4)


def no_execution(*_: object) -> None:
    raise AssertionError("the lesson was executed although its code did not change")


# --- lessons ---------------------------------------------------------------------------------------------


def test_a_lesson_is_executed_and_stored_clean(built: Course) -> None:
    notebook = lesson(built)
    code = building.code_cells(notebook)
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    stream, result = code[0].outputs
    assert stream == {"name": "stdout", "output_type": "stream", "text": "one\ntwo\n"}
    assert result.data == {"text/plain": "42"}
    assert notebook.metadata == building.METADATA
    assert all(not cell.metadata for cell in notebook.cells)
    text = built.notebook("lessons", STEM).read_text(encoding="utf-8")
    assert str(built.root) not in text and 'version": "3' not in text
    assert text.endswith("}\n") and not text.endswith("\n\n")


def test_a_second_build_changes_nothing(built: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in built.root.rglob("*.*") if path.is_file()}
    stamps = {path: path.stat().st_mtime_ns for path in before}
    monkeypatch.setattr(building, "execute", no_execution)
    assert build(built) == []
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.stat().st_mtime_ns for path in before} == stamps


def test_force_runs_again_and_gives_the_same_bytes(built: Course) -> None:
    before = built.notebook("lessons", STEM).read_bytes()
    assert build(built, ["lessons"], force=True) == []
    assert built.notebook("lessons", STEM).read_bytes() == before


def test_edited_text_keeps_outputs_and_all_other_ids(built: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lesson(built)
    edit(built.source("lessons", STEM), "In between.", "In the middle.")
    monkeypatch.setattr(building, "execute", no_execution)
    assert build(built, ["lessons"]) == [built.notebook("lessons", STEM)]
    after = lesson(built)
    changed = [
        number for number, (a, b) in enumerate(zip(before.cells, after.cells, strict=True)) if a.id != b.id
    ]
    assert [before.cells[number].source for number in changed] == ["In between."]
    assert [cell.outputs for cell in building.code_cells(after)] == [
        cell.outputs for cell in building.code_cells(before)
    ]


def test_an_added_tag_keeps_outputs(built: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(built.source("lessons", STEM), '# %%\nprint("one")', '# %% tags=["long"]\nprint("one")')
    monkeypatch.setattr(building, "execute", no_execution)
    build(built, ["lessons"])
    assert building.code_cells(lesson(built))[0].metadata == {"tags": ["long"]}


def test_a_slide_mark_reaches_the_notebook_and_keeps_outputs(
    built: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = building.code_cells(lesson(built))[0].outputs
    mark = {"slide_type": "subslide", "show": "output"}
    marked = f'# %% slideshow={json.dumps(mark)}\nprint("one")'
    edit(built.source("lessons", STEM), '# %%\nprint("one")', marked)
    monkeypatch.setattr(building, "execute", no_execution)
    build(built, ["lessons"])
    cell = building.code_cells(lesson(built))[0]
    assert (cell.metadata, cell.outputs) == ({"slideshow": mark}, outputs)


def test_edited_code_is_executed(built: Course) -> None:
    edit(built.source("lessons", STEM), "6 * 7", "6 * 8")
    build(built, ["lessons"])
    assert building.code_cells(lesson(built))[0].outputs[1].data == {"text/plain": "48"}


def test_equal_cells_have_ids_of_their_own(built: Course) -> None:
    ids = [cell.id for cell in lesson(built).cells]
    assert len(set(ids)) == len(ids)
    assert ids[-1] == f"{ids[-2]}-2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", ["the cell raised", "ZeroDivisionError"]),
        ("import sys\nprint('look out', file=sys.stderr)", ["wrote to stderr", "look out"]),
        ("import os\nos._exit(1)", ["kernel died"]),
    ],
    ids=["exception", "stderr", "dead kernel"],
)
def test_a_lesson_that_fails_overwrites_nothing(built: Course, code: str, words: list[str]) -> None:
    before = built.notebook("lessons", STEM).read_bytes()
    source = write(built.source("lessons", STEM), f"{LESSON}\n# %%\n{code}\n")
    with pytest.raises(BuildError) as caught:
        build(built, ["lessons"])
    for word in [str(source), f"cell 7 ({code.splitlines()[0]})", *words]:
        assert word in str(caught.value)
    assert built.notebook("lessons", STEM).read_bytes() == before


def test_a_cell_that_takes_too_long_is_stopped(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "CELL_TIMEOUT", 1)
    write(course.source("lessons", STEM), "# %%\nwhile True:\n    pass\n")
    with pytest.raises(BuildError, match=r"cell 1 \(while True:\): the cell took more than 1 seconds"):
        build(course, ["lessons"])


def test_one_bad_lesson_does_not_hold_up_the_others(course: Course) -> None:
    write(course.source("lessons", "02_bad"), "# %%\n1 / 0\n")
    with pytest.raises(BuildError, match="02_bad"):
        build(course, ["lessons"])
    assert course.notebook("lessons", STEM).exists()
    assert not course.notebook("lessons", "02_bad").exists()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.ipynb", "old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        building.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_kernel_keeps_no_record_and_sees_this_course(course: Course) -> None:
    code = "import os\nprint(os.environ['N2T_PROGRESS'], os.environ['PYTHONPATH'], os.getcwd())"
    write(course.source("lessons", STEM), f"# %%\n{code}\n")
    build(course, ["lessons"])
    progress, path, cwd = building.code_cells(lesson(course))[0].outputs[0].text.split()
    assert "n2t-build-" in progress and not Path(progress).exists()
    assert (path, cwd) == (str(course.root), str(course.notebooks))


def test_metadata_other_than_tags_and_slide_marks_is_refused(course: Course) -> None:
    write(course.source("lessons", STEM), '# %% jupyter={"source_hidden": true}\n1\n')
    with pytest.raises(BuildError, match="carry only tags"):
        build(course, ["lessons"])


def test_an_unknown_stem_is_refused(course: Course) -> None:
    with pytest.raises(BuildError, match=f"no source for 07_nothing; there are: {STEM}"):
        build(course, ["lessons"], "07_nothing")


# --- outputs ---------------------------------------------------------------------------------------------


def png(**text: str) -> bytes:
    """A picture with a few pixels and text chunks."""
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        info.add_text(key, value)
    buffer = io.BytesIO()
    Image.linear_gradient("L").save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def test_a_picture_loses_its_maker_and_nothing_else() -> None:
    marked, bare = png(Software="Matplotlib 3.11", Date="today"), png()
    assert marked != bare
    stripped = building.strip_png(marked)
    assert stripped == bare == building.strip_png(stripped)
    assert Image.open(io.BytesIO(stripped)).tobytes() == Image.open(io.BytesIO(marked)).tobytes()


def test_only_what_comes_again_is_stored() -> None:
    live = {building.LIVE_VIEW: {"model_id": "8f14e45f"}}
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a"),
        nbformat.v4.new_output("stream", name="stdout", text="b"),
        nbformat.v4.new_output("display_data", data=live | {"text/plain": "an explorer"}),
        nbformat.v4.new_output("display_data", data=live),
        nbformat.v4.new_output(
            "display_data",
            data={"image/png": base64.b64encode(png(Date="today")).decode(), "text/plain": "<Figure>"},
            metadata={"needs_background": "light", CALL: "what it was handed"},
        ),
    ]
    stored = building.clean_outputs(outputs)
    assert [output.get("text") for output in stored] == ["ab", None, None]
    assert stored[1].data == {"text/plain": "an explorer"}
    assert stored[2].data["image/png"] == base64.b64encode(png()).decode()
    assert stored[2].metadata == {building.CALL: "what it was handed"} and building.CALL == CALL
    assert building.clean_outputs(stored) == stored
    assert building.LIVE_VIEW in outputs[2].data, "the outputs that were given must stay as they are"


# --- exercises -------------------------------------------------------------------------------------------


def exercise(course: Course, kind: str) -> dict[str, NotebookNode]:
    cells = nbformat.read(course.notebook(kind, STEM), as_version=4).cells
    return {cell.id.removeprefix("01-double-"): cell for cell in cells if cell.id.startswith("01-double-")}


def test_the_student_gets_a_stub_and_a_check_but_no_answer(built: Course) -> None:
    cells = exercise(built, "exercises")
    assert list(cells) == ["statement", "work", "check"]
    assert cells["statement"].source.startswith("### 01.double ● Twice as much\nWrite `double(x)`.")
    assert cells["statement"].source.endswith('Stuck? Run `hint("01.double")` in a new cell.')
    assert cells["work"].source == 'def double(x):\n    raise NotImplementedError("write double")'
    assert cells["check"].source == 'check("01.double", double)'
    text = built.notebook("exercises", STEM).read_text(encoding="utf-8")
    assert "2 * x" not in text and "times two" not in text and "===" not in text


def test_nbgrader_finds_its_marks(built: Course) -> None:
    marks = {role: cell.metadata["nbgrader"] for role, cell in exercise(built, "exercises").items()}
    common = {"schema_version": 3, "task": False}
    assert marks == {
        "statement": common
        | {"grade_id": "01_double_statement", "grade": False, "locked": True, "solution": False},
        "work": common | {"grade_id": "01_double_work", "grade": False, "locked": False, "solution": True},
        "check": common
        | {"grade_id": "01_double_check", "grade": True, "locked": True, "solution": False, "points": 3},
    }


def test_the_solution_is_solved_and_explained(built: Course) -> None:
    cells = exercise(built, "solutions")
    assert list(cells) == ["statement", "work", "check", "explanation"]
    assert cells["work"].source == "def double(x):\n    return 2 * x"
    assert cells["explanation"].source == "Twice is **times two**."
    assert "NotImplementedError" not in built.notebook("solutions", STEM).read_text(encoding="utf-8")
    first = nbformat.read(built.notebook("solutions", STEM), as_version=4).cells[0].source
    assert f"[{STEM}](../exercises/{STEM}.ipynb)" in first


@pytest.mark.parametrize("kind", ["exercises", "solutions"])
def test_exercises_and_solutions_hold_no_outputs(built: Course, kind: str) -> None:
    for cell in building.code_cells(nbformat.read(built.notebook(kind, STEM), as_version=4)):
        assert cell.outputs == [] and cell.execution_count is None


def test_source_and_checks_must_name_the_same_exercises(course: Course) -> None:
    edit(course.checks(STEM), "01.double", "01.treble")
    with pytest.raises(BuildError, match=r"\['01.double'\], but lesson_01_small.py has \['01.treble'\]"):
        build(course, ["exercises"])


def test_a_broken_exercise_cell_is_named(course: Course) -> None:
    edit(course.source("exercises", STEM), "    # === stub\n", "")
    with pytest.raises(
        BuildError, match=r"01_small.py, cell 3 \(01.double\): .*=== end.* where stub is expected"
    ):
        build(course, ["exercises"])


def test_work_in_an_exercise_notebook_is_not_overwritten(built: Course) -> None:
    path = built.notebook("exercises", STEM)
    notebook = nbformat.read(path, as_version=4)
    work = building.code_cells(notebook)[1]
    work.source, work.outputs = "mine", [nbformat.v4.new_output("stream", text="mine")]
    nbformat.write(notebook, path)
    before = path.read_bytes()
    with pytest.raises(BuildError, match="someone has worked in it"):
        build(built, ["exercises"])
    assert path.read_bytes() == before
    build(built, ["exercises"], force=True)
    assert problems(built) == []


# --- README ----------------------------------------------------------------------------------------------


def test_the_lesson_table_is_made_from_the_lessons(course: Course) -> None:
    build(course, ["readme"])
    text = (course.root / "README.md").read_text(encoding="utf-8")
    row = (
        f"| [01 · A small lesson](notebooks/{STEM}.ipynb) | Does it build? | 1 minutes | 2 seconds "
        f"| [1](notebooks/exercises/{STEM}.ipynb) |"
    )
    assert row in text.splitlines()
    assert text.startswith("Before\n\n<!--") and text.endswith("-->\n\nAfter\n") and "old" not in text


def test_a_readme_without_a_place_for_the_table_is_refused(course: Course) -> None:
    write(course.root / "README.md", "no table here")
    with pytest.raises(BuildError, match="lesson table needs the lines"):
        build(course, ["readme"])


# --- checking --------------------------------------------------------------------------------------------


def test_a_built_course_passes_the_check(built: Course) -> None:
    assert problems(built) == []


def change_metadata(course: Course) -> None:
    path = course.notebook("lessons", STEM)
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["metadata"]["language_info"]["version"] = "3.11.7"
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def split_stream(course: Course) -> None:
    path = course.notebook("lessons", STEM)
    notebook = nbformat.read(path, as_version=4)
    outputs = building.code_cells(notebook)[0].outputs
    outputs[0].text = "one\n"
    outputs.insert(1, nbformat.v4.new_output("stream", text="two\n"))
    path.write_text(building.serialise(notebook), encoding="utf-8")


def source(course: Course) -> Path:
    return course.source("lessons", STEM)


def stored(course: Course) -> Path:
    return course.notebook("lessons", STEM)


# what is changed, and what the check says about it
CHANGES = {
    "source text": (lambda c: edit(source(c), "In between.", "Now."), r"-In between\..*\+Now\."),
    "source code": (lambda c: edit(source(c), "6 * 7", "6 * 9"), r"-6 \* 7.*\+6 \* 9"),
    "notebook text": (lambda c: edit(stored(c), "In between", "Hm"), r"-Hm\..*\+In between"),
    "notebook code": (lambda c: edit(stored(c), "6 * 7", "7 * 6"), r"-7 \* 6.*\+6 \* 7"),
    "a cell id": (lambda c: edit(stored(c), '"id": "', '"id": "x'), r"-.* id x"),
    "a tag": (lambda c: edit(source(c), "# %%\nprint", '# %% tags=["long"]\nprint'), r'\+.*"long"'),
    "metadata": (change_metadata, "3.11.7"),
    "not executed": (
        lambda c: edit(stored(c), '"execution_count": 2', '"execution_count": null'),
        "run None",
    ),
    "split streams": (split_stream, r"\+.*two"),
    "no notebook at all": (lambda c: write(stored(c), "{"), "not a valid notebook"),
    "lesson missing": (lambda c: stored(c).unlink(), "01_small.ipynb: missing"),
    "exercises missing": (
        lambda c: c.notebook("exercises", STEM).unlink(),
        "exercises/01_small.ipynb: missing",
    ),
    "solution missing": (
        lambda c: c.notebook("solutions", STEM).unlink(),
        "solutions/01_small.ipynb: missing",
    ),
    "lesson left over": (lambda c: write(c.notebook("lessons", "07_gone"), "{}"), "07_gone.ipynb: left over"),
    "exercise left over": (lambda c: write(c.notebook("exercises", "07_gone"), "{}"), "07_gone.ipynb: left"),
    "a solution": (
        lambda c: edit(c.source("exercises", STEM), "return 2 * x", "return x + x"),
        r"\+.*x \+ x",
    ),
    "points": (lambda c: edit(c.checks(STEM), "points=3", "points=4"), '"points": 4'),
    "the table": (lambda c: edit(c.root / "README.md", "Does it", "Did it"), "README.md: the lesson table"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_check_finds_a_difference_and_changes_nothing(built: Course, name: str) -> None:
    change, words = CHANGES[name]
    change(built)
    before = {path: path.read_bytes() for path in built.root.rglob("*") if path.is_file()}
    assert re.search(words, "\n".join(problems(built)), re.DOTALL)
    assert {path: path.read_bytes() for path in built.root.rglob("*") if path.is_file()} == before


def test_a_learners_own_notebook_is_nobodys_business(built: Course) -> None:
    write(built.notebooks / "my notes.ipynb", "{}")
    assert problems(built) == []


def test_the_command_line(built: Course) -> None:
    """In this process, but for one call: to start Python for each takes longer than all the rest."""
    program = typer.Typer()
    program.command()(building.main)

    def run(*arguments: str):
        return CliRunner().invoke(program, ["--root", str(built.root), *arguments])

    assert (done := run("--check")).exit_code == 0 and "sources agree" in done.stdout
    edit(built.source("lessons", STEM), "In between.", "Now.")
    assert (done := run("--check")).exit_code == 1 and "+Now." in done.stderr and "make build" in done.stderr
    assert (done := run("lessons", "--stem", STEM)).stdout == f"wrote notebooks/{STEM}.ipynb\n", done.stderr
    assert run("--check").exit_code == 0

    command = [sys.executable, "-m", "utils.build", "--root", str(built.root)]
    command += ["lessons", "--stem", "07_nothing"]
    alone = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert alone.returncode == 1 and "no source" in alone.stderr
    assert "Traceback" not in alone.stderr


# --- a new lesson ----------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path) -> Course:
    """The library and the template, without any lesson."""
    ignored = shutil.ignore_patterns("__pycache__", "lesson_*.py")
    shutil.copytree(REPOSITORY / "utils", tmp_path / "utils", ignore=ignored)
    template = Path("notebooks") / "source" / "template"
    shutil.copytree(REPOSITORY / template, tmp_path / template)
    write(tmp_path / "README.md", f"{building.TABLE_BEGIN}\n{building.TABLE_END}\n")
    return Course(tmp_path)


def test_a_lesson_from_the_template_builds_runs_and_checks_itself(copied: Course) -> None:
    new_lesson(copied, "00_start_here")
    stem = "03_broadcasting"
    assert all(path.exists() for path in new_lesson(copied, stem))
    build(copied)
    assert problems(copied) == []
    solution = nbformat.read(copied.notebook("solutions", stem), as_version=4)
    untouched = nbformat.read(copied.notebook("exercises", stem), as_version=4)
    for notebook, words in ((solution, "passed"), (untouched, "not started")):
        building.execute(copied, notebook, copied.source("exercises", stem))
        check = next(cell for cell in notebook.cells if cell.id.endswith("-check"))
        assert words in check.outputs[0].data["text/plain"].lower()
    text = "".join(path.read_text(encoding="utf-8") for path in copied.root.rglob(f"*{stem}.py"))
    assert "99" not in text and "template" not in text and "[lesson 00](00_start_here.ipynb)" in text


@pytest.mark.parametrize("stem", ["broadcasting", "3_broadcasting", "03-broadcasting", "03_Broadcasting", ""])
def test_a_malformed_stem_is_refused(copied: Course, stem: str) -> None:
    with pytest.raises(BuildError, match="is not a stem"):
        new_lesson(copied, stem)


def test_a_taken_number_is_refused(copied: Course) -> None:
    new_lesson(copied, "03_broadcasting")
    with pytest.raises(BuildError, match="already there: 03_broadcasting"):
        new_lesson(copied, "03_shapes")
