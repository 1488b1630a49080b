"""Marking: what passes between grader and sandbox, every exercise marked, honest work of all kinds."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grading_class as klass
import hypothesis
import hypothesis.strategies as st
import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell

from utils.build import Course
from utils.checks import engine
from utils.checks.bank import all_exercises, wrong_work
from utils.checks.exercise import Exercise
from utils.grading import examine as examining
from utils.grading import intake, plain, view
from utils.grading.examine import Examination, can_be_replayed, examine, points_for
from utils.grading.run import DATA, REPOSITORY, exercises_of, stems
from utils.grading.sandbox import Kernel, Limits, check_available

LIMITS = Limits()
STEMS = stems()


@pytest.fixture(scope="module")
def student_view() -> Path:
    check_available()  # without bubblewrap these tests fail: nothing here may pass unseen
    return klass.student_view()


# --------------------------------------------------------------------------------------------- plain data


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        2**70,
        0.1,
        float("inf"),
        "π <b>",
        1 + 2j,
        (1, [2.5, "x"], {"a": None, 3: (4,)}),
        torch.arange(6.0).reshape(2, 3),
        torch.tensor(3),
        torch.tensor([True, False]),
        torch.zeros(0, 4),
        torch.ones(2, dtype=torch.bfloat16),
        torch.ones(3, 2).T,
        torch.tensor([1 + 1j]),
        torch.ones_like(torch.ones(1, 3)[:, 0]),
        np.arange(4, dtype=np.int32),
        np.float32(1.5),
        slice(1, None, 2),
    ],
    ids=repr,
)
def test_plain_data_arrives_as_it_was_sent(value: object) -> None:
    arrived = plain.loads(plain.dumps(value))
    assert type(arrived) is type(value)
    assert engine.compare(value, arrived, engine.Rules(0, 0, True)) is None
    if isinstance(value, torch.Tensor | np.ndarray):
        assert arrived.dtype == value.dtype and arrived.shape == value.shape


def test_not_a_number_arrives() -> None:
    assert torch.isnan(plain.loads(plain.dumps(torch.tensor([float("nan")])))).all()


def test_a_leaf_stays_a_leaf() -> None:
    assert plain.loads(plain.dumps(torch.ones(2, requires_grad=True))).requires_grad


def test_other_things_arrive_as_the_name_of_their_type() -> None:
    arrived = plain.loads(plain.dumps([object(), ValueError("x"), lambda: 1, torch.nn.Linear(1, 1)]))
    assert [type(thing).__name__ for thing in arrived] == ["object", "ValueError", "function", "Linear"]
    assert isinstance(arrived[1], Exception)
    assert all(type(thing).__module__ == plain.__name__ for thing in arrived)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[" * 100_000,
        "[1, 2]",
        "1",
        '{"tensor": "int64", "shape": [1099511627775], "data": "", "grad": false}',
        '{"tensor": "int64", "shape": [-1], "data": "", "grad": false}',
        '{"tensor": "object", "shape": [], "data": "", "grad": false}',
        '{"tensor": "float32", "shape": [1], "data": "AAAA", "grad": false}',
        '{"tensor": "float32", "shape": [1], "data": "!!!!", "grad": false}',
        '{"tensor": "float32", "shape": [true], "data": "AAAAAA==", "grad": false}',
        '{"tensor": "float32", "shape": ' + "[0," * 20 + "0" + "]" * 20 + ', "data": "", "grad": false}',
        '{"tensor": "float32", "shape": [549755813888, 549755813888, 0], "data": "", "grad": false}',
        '{"int": "' + "9" * 5000 + '"}',
        '{"float": "nonsense"}',
        '{"float": "0x1p999999"}',
        '{"tensor": "float32", "shape": [1099511627775, 1099511627775, 0], "data": "", "grad": false}',
        '{"dict": [[{"list": []}, 1]]}',
        '{"py/object": "os.system"}',
        '{"list": ' * 40 + "null" + "}" * 40,
        '{"list": [' + "null," * 200_000 + "null]}",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_plain_data_is_refused(text: str) -> None:
    with pytest.raises(plain.NotPlain):
        plain.loads(text)


KEYS = st.sampled_from(["int", "float", "complex", "tuple", "list", "dict", "slice", "tensor", "array"])
KEYS |= st.sampled_from(["shape", "data", "grad", "single", "type", "error"])
SHAPES = st.lists(st.integers(-1, 2**41), max_size=4)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | SHAPES | KEYS
VALUES |= st.sampled_from(["float32", "bool", "bfloat16", "complex64", "AAAAAA==", "0x1p3", "nan"])
MESSAGES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
TENSORS = st.fixed_dictionaries(
    {"tensor": VALUES, "shape": SHAPES, "data": VALUES, "grad": st.booleans()}
) | st.fixed_dictionaries({"array": VALUES, "shape": SHAPES, "data": VALUES, "single": st.booleans()})


@hypothesis.given(MESSAGES | TENSORS)
@hypothesis.settings(deadline=None)
def test_whatever_comes_is_plain_data_or_refused(message: object) -> None:
    try:
        plain.encode(plain.loads(json.dumps(message)))
    except plain.NotPlain as error:
        assert str(error)


def test_a_truth_value_is_0_or_1_whatever_bytes_come() -> None:
    text = '{"tensor": "bool", "shape": [3], "data": "/wAC", "grad": false}'
    assert plain.loads(text).tolist() == [True, False, True]


# --------------------------------------------------------------------------------------- the student's view


def test_the_view_holds_no_answers(student_view: Path) -> None:
    files = {path.relative_to(student_view).as_posix() for path in student_view.rglob("*.py")}
    assert {"utils/data.py", "utils/checks/__init__.py", "utils/checks/probes_15_transformer.py"} <= files
    assert not [name for name in files if "lesson_" in name or "solutions" in name or "tests" in name]
    assert not {"utils/build.py", "utils/checks/bank.py", "utils/checks/hints.py"} & files
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in student_view.glob("utils/checks/probes_*.py")
    )
    assert "Misconception(" not in text and "Exercise(" not in text and "Case(" not in text


def test_no_cut_reaches_a_reference_or_its_cases() -> None:
    for module, names in view.probes_by_module(all_exercises().values()).items():
        source = Path(__import__("sys").modules[module].__file__).read_text(encoding="utf-8")
        needed = view.needs(source, names)
        for exercise in all_exercises().values():
            if exercise.cases.__module__ == module:
                assert exercise.cases.__name__ not in needed
            if exercise.reference.__module__ == module:
                assert exercise.reference.__name__ not in needed, f"{names} of {module}"


def test_a_cut_that_reached_a_reference_would_be_seen() -> None:
    source = "LIMIT = 3\ndef answer(x):\n    return x\ndef probe(work, x):\n    return work(x) == helper(x)\n"
    source += "def helper(x):\n    return [answer(y) for y in range(LIMIT)]\ndef other(): ...\n"
    assert view.needs(source, ["probe"]) == {"probe", "helper", "answer", "LIMIT"}


def test_annotations_reach_nothing() -> None:
    source = "class Answer: ...\ndef probe(work: Answer) -> Answer:\n    return work\n"
    assert view.needs(source, ["probe"]) == {"probe"}


def test_answers_that_do_not_depend_on_the_inputs_are_judged_outside() -> None:
    """Where every expected outcome is known beforehand, a verdict from inside could be forged by anyone."""

    def outcomes(exercise: Exercise, seed: int) -> list[str]:
        cases = engine.make_cases(exercise, seed)
        return [
            plain.dumps(o.output) if o.failure is None else o.failure.type_name
            for o in engine.expected_outcomes(exercise, cases, seed)
        ]

    known = [
        exercise
        for exercise in all_exercises().values()
        if view.probe_of(exercise) and outcomes(exercise, 1) == outcomes(exercise, 2)
    ]
    assert "01.gates" in {exercise.id for exercise in known}
    assert [exercise.id for exercise in known if not can_be_replayed(exercise)] == []


# ------------------------------------------------------------------------------------------ every exercise


def fresh(stem: str, cells: list[str], student_view: Path, seed: int = 4711) -> Examination:
    return Examination(exercises_of(stem), cells, seed, LIMITS, student_view, DATA)


def test_a_forged_verdict_inside_is_worth_nothing(student_view: Path) -> None:
    """The probe's own word for a good order, put into its mouth, while the order is wrong."""
    cells = [
        "import utils.checks.probes_06_backprop as probes\n"
        "probes._verdict = lambda names, graph: probes._GOOD_ORDER",
        "def backward_order(L):\n    return list(L.handed.values())[::-1]",
    ]
    wanted = [all_exercises()["06.backward_order"]]
    exam = replace(fresh("06_backprop", cells, student_view), exercises=wanted)
    (mark,) = examine(exam)
    assert mark.points == 0 and "has its turn before" in mark.failure["got"], mark


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stem", STEMS)
def test_every_exercise_is_marked_in_the_sandbox_as_its_check_judges(stem: str, student_view: Path) -> None:
    """Solutions bring all points, other right answers too, wrong ones the points and hint of ``check``."""
    path = Course().notebook("solutions", stem)
    exam = fresh(stem, intake.code_cells(intake.read_notebook(path)), student_view)
    with Kernel(LIMITS, student_view, DATA) as kernel:
        assert examining._run_cells(exam, kernel, float("inf"))
        assert not exam.errors and not exam.remarks
        for exercise in exam.exercises:
            mark = examining._mark(exam, kernel, exercise, 60)
            assert mark.points == exercise.points, f"{mark.exercise}: {mark.message}"
        for exercise in exam.exercises:
            for code in exercise.alternatives[:1]:
                if try_code(kernel, exercise, code):
                    mark = examining._mark(exam, kernel, exercise, 60)
                    assert mark.points == exercise.points, f"{mark.exercise}: {mark.message}\n{code}"
            for number in range(0, len(exercise.misconceptions), 4):
                if try_code(kernel, exercise, exercise.misconceptions[number].code):
                    mark = examining._mark(exam, kernel, exercise, 60)
                    result = judged(exercise, number, exam.seed)
                    assert (mark.status, mark.hint) == (result.status, result.hint), mark
                    assert mark.points == points_for(exercise, result) < exercise.points


def try_code(kernel: Kernel, exercise: Exercise, code: str) -> bool:
    """Run other code for an exercise as a cell; False where the notebook lacks a name that the bank gives."""
    needs = set(exercise.given) | {"math", "np"}
    names = kernel.ask("' '.join(globals())", 10).strip("'").split()
    kernel.run("import math, numpy as np, torch", 20)
    lacking = needs - set(names) - {"math", "np"}
    if any(name in code for name in lacking):
        return False
    reply = kernel.run(code, 20)
    assert reply and reply["status"] == "ok", reply
    return True


def judged(exercise: Exercise, number: int, seed: int) -> engine.Result:
    """What ``check`` says of a misconception."""
    work = wrong_work(exercise, number)
    problem = engine.signature_problem(exercise, work)
    if problem:
        return engine.Result(exercise.id, "failed", problem)
    return engine.judge(exercise, engine.run_cases(exercise, work, seed))


# ------------------------------------------------------------------------------------- honest, in every way


def split(made: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Each cell of several statements becomes two."""
    cells = []
    for cell in made.cells:
        head, mark, tail = cell.source.partition("\n\n\n")
        parts = [head, tail] if cell.cell_type == "code" and mark else [cell.source]
        cells += [
            nbformat.from_dict({**cell, "source": part, "id": f"c{len(cells)}{i}"})
            for i, part in enumerate(parts)
        ]
    made.cells = cells
    return made


def changed(change) -> str:
    made = klass.solved()
    made = change(made) or made
    return made if isinstance(made, str) else json.dumps(made)  # as it is: nbformat would mend it


def reordered(made: nbformat.NotebookNode) -> None:
    made.cells = [made.cells[1], *reversed(made.cells[2:])]  # the imports stay first


def duplicated(made: nbformat.NotebookNode) -> None:
    made.cells += [nbformat.from_dict(cell) for cell in made.cells]  # with the same ids


def without_checks(made: nbformat.NotebookNode) -> None:
    made.cells = [cell for cell in made.cells if not cell.source.startswith("check(")]


def of_old_format(made: nbformat.NotebookNode) -> str:
    return json.dumps(nbformat.convert(made, 3))


def talkative(made: nbformat.NotebookNode) -> None:
    made.cells.insert(
        2,
        new_code_cell(
            "import warnings, sys\nimport matplotlib.pyplot as plt\n%matplotlib inline\n"
            "warnings.warn('careful')\n"
            "print('hello', file=sys.stderr)\nplt.plot([1, 2]); plt.show()\nx = list = sum = input = None"
        ),
    )
    for cell in made.cells:
        cell.source = cell.source.replace(
            "    z = X @ w + b", '    print(X)\n    warnings.warn("!")\n    z = X @ w + b'
        )


def renamed(made: nbformat.NotebookNode) -> None:
    for cell in made.cells:
        if "def neuron" in cell.source or 'check("01.neuron"' in cell.source:
            cell.source = cell.source.replace("def neuron", "def 神経細胞").replace(
                ", neuron)", ", 神経細胞)"
            )


def beside_the_stub(made: nbformat.NotebookNode) -> None:
    """The answer has another name and is handed to check(); the stub is still there, untouched."""
    stub = next(cell.source for cell in klass.released().cells if "def neuron" in cell.source)
    renamed(made)
    made.cells.insert(2, new_code_cell(stub))


def in_another_way(made: nbformat.NotebookNode) -> None:
    for exercise in exercises_of(klass.STEM):
        code = "import math, numpy as np, torch\n" + exercise.alternatives[0]
        made.cells.append(new_code_cell(code))


def with_an_error_in_a_cell(made: nbformat.NotebookNode) -> None:
    made.cells.insert(3, new_code_cell("1 / 0"))
    made.cells.insert(4, new_code_cell("this is no Python"))


HONEST = [
    split,
    reordered,
    duplicated,
    without_checks,
    of_old_format,
    talkative,
    renamed,
    beside_the_stub,
    in_another_way,
    with_an_error_in_a_cell,
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("change", HONEST, ids=lambda change: change.__name__)
def test_correct_work_loses_nothing(change, tmp_path: Path, student_view: Path) -> None:
    path = klass.hand_in(tmp_path, "Zoë Ångström 李", changed(change))
    exam = fresh(klass.STEM, intake.code_cells(intake.read_notebook(path)), student_view)
    marks = examine(exam)
    assert [(m.exercise, m.points) for m in marks] == [(e.id, e.points) for e in exam.exercises], marks
    assert exam.remarks == []


@pytest.mark.timeout(300)
def test_partial_credit_is_the_share_of_groups(student_view: Path) -> None:
    code = "import torch\ndef neuron(X, w, b):\n    return (X @ w + b > 0).long()"  # wrong at exactly zero
    exam = fresh(klass.STEM, [code], student_view)
    mark = next(mark for mark in examine(exam) if mark.exercise == "01.neuron")
    right = sum(passed == number for passed, number in mark.groups.values())
    assert 0 < right < len(mark.groups)
    assert mark.points == round(mark.of * right / len(mark.groups), 2)
    assert "exactly 0" in mark.hint
    assert mark.failure["expected"] != mark.failure["got"]


@functools.cache
def answers() -> dict[str, str]:
    return {e.id: e.alternatives[0] for e in exercises_of(klass.STEM)}


@pytest.mark.timeout(300)
def test_work_that_changes_its_input_or_keeps_state_is_seen_outside(student_view: Path) -> None:
    keeps = (
        "import torch\nseen = []\ndef neuron(X, w, b):\n    seen.append(1)\n"
        "    return (X @ w + b >= 0).long() * (1 if len(seen) <= 10 else 0)"
    )
    changes = (
        "def update(x, y, w, b):\n    error = y - (w @ x + b >= 0).long()\n    w += error * x\n"
        "    return w, b + error"
    )
    exam = fresh(klass.STEM, [keeps, changes], student_view)
    marks = {mark.exercise: mark for mark in examine(exam)}
    assert "second call" in marks["01.neuron"].message
    assert 0 < marks["01.neuron"].points < marks["01.neuron"].of
    assert "changes its input `w`" in marks["01.update"].message
    assert marks["01.train"].status == "not found"


def test_second_calls_that_are_withheld_are_no_second_calls(student_view: Path) -> None:
    """Work that keeps state is found by calling it twice: the sandbox may not leave the second call out."""
    exercise = exercises_of(klass.STEM)[0]
    cases = engine.make_cases(exercise, 3)
    outcomes = [
        {"timed_out": False, "interrupted": False, "printed": "", "failure": None, "calls": [],
         "output": plain.encode(expected.output), "after": plain.encode(case.args)}
        for case, expected in zip(cases, engine.expected_outcomes(exercise, cases, 3), strict=True)
    ]  # fmt: skip
    answer = {"outcomes": outcomes, "again": outcomes[: engine.REPEATED]}
    assert engine.judge(exercise, examining._trial(exercise, cases, 3, answer)).status == "passed"
    with pytest.raises(ValueError, match="second calls"):
        examining._trial(exercise, cases, 3, answer | {"again": []})


def test_nothing_here_is_outside_the_repository() -> None:
    assert (REPOSITORY / "utils" / "grading").is_dir() and DATA.is_dir()


@pytest.fixture(autouse=True)
def _no_kernel_is_left() -> Iterator[None]:
    import psutil

    before = {p.pid for p in psutil.Process().children(recursive=True)}
    yield
    left = [
        p for p in psutil.Process().children(recursive=True) if p.pid not in before and p.name() == "bwrap"
    ]
    assert left == []
