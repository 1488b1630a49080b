"""The slice of a notebook: what is needed is in it, what is not is left out, and it runs by itself."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from needed_cells import explorer_calls, needed_cells
from real_lab import REPOSITORY

LESSONS = sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb"))


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


CASES = {
    "nothing": (["a = 1", "show(2)"], []),
    "a value": (["a = 1", "b = 2", "show(a)"], [0]),
    "a value by way of another": (["a = 1", "b = a", "c = 3", "show(b)"], [0, 1]),
    "an import": (["import torch as t\nfrom x import y", "show(y)"], [0]),
    "the last value only": (["a = 1", "a = 2", "show(a)"], [1]),
    "an earlier value, if the last is not sure": (["a = 1", "if b:\n    a = 2", "show(a)"], [0, 1]),
    "both sides of a sum": (["a = 1", "a += 1", "show(a)"], [0, 1]),
    "a value made of itself": (["a = 1", "a = a + 1", "show(a)"], [0, 1]),
    "the name of a loop": (["for a in range(3):\n    pass", "show(a)"], [0]),
    "a name in a pattern": (["a, (b, *c) = f()", "show(c)"], [0]),
    "a name bound in passing": (["print(a := 3)", "show(a)"], [0]),
    "a context": (["with f() as a:\n    pass", "show(a)"], [0]),
    "no name of a comprehension": (["a = 1", "b = [a for a in range(3)]", "show(b)"], [1]),
    "what a comprehension reads": (["a = 1", "show([a for _ in range(3)])"], [0]),
    "no parameter": (["a = 1", "def f(a):\n    return a", "show(f(2))"], [1]),
    "what a function reads": (["a = 1", "def f():\n    return a", "show(f())"], [0, 1]),
    "what a function reads, set after it": (["def f():\n    return a", "a = 1", "show(f())"], [0, 1]),
    "what a function reads, changed between": (
        ["a = 1", "def f():\n    return a", "a = 2", "show(f())"],
        [0, 1, 2],
    ),
    "what a method reads": (["a = 1", "class C:\n    def f(self):\n        return a", "show(C())"], [0, 1]),
    "what a class is made of": (["class A:\n    pass", "class B(A):\n    pass", "show(B)"], [0, 1]),
    "a default": (["a = 1", "def f(b=a):\n    return b", "show(f())"], [0, 1]),
    "a method that changes": (["a = []", "a.append(1)", "show(a)"], [0, 1]),
    "an item": (["a = {}", "a[1] = 2", "show(a)"], [0, 1]),
    "an attribute of an item": (["a = f()", "a[0].b = 2", "show(a)"], [0, 1]),
    "an item taken away": (["a = {}", "del a[1]", "show(a)"], [0, 1]),
    "a function that may change": (["a = make()", "train(a)", "show(a)"], [0, 1]),
    "one that takes it by name": (["a = make()", "train(model=a)", "show(a)"], [0, 1]),
    "one that takes it in a list": (["a = make()", "train([a])", "show(a)"], [0, 1]),
    "a call of the thing itself": (["a = make()", "a(3)", "show(a)"], [0, 1]),
    "no function that reads": (["a = make()", "print(len(a))\nplt.plot(a)", "show(a)"], [0]),
    "nothing done to a module": (["import torch", "torch.manual_seed(0)", "show(torch)"], [0]),
    "torch's in place": (["import torch\na = f()", "torch.nn.init.zeros_(a)", "show(a)"], [0, 1]),
    "a change by a function": (["a = []", "def f():\n    a.append(1)", "f()", "show(a)"], [0, 1, 2]),
    "a change by its function's function": (
        ["a = []", "def f():\n    a.append(1)", "def g():\n    f()", "g()", "show(a)"],
        [0, 1, 2, 3],
    ),
    "nothing after it": (["a = 1", "show(a)", "a = 2"], [0]),
    "a semicolon": (["a = 1;", "show(a);"], [0]),
}


@pytest.mark.parametrize(("sources", "needed"), CASES.values(), ids=CASES)
def test_what_is_needed(sources: list[str], needed: list[int]):
    wanted = next(place for place, source in enumerate(sources) if "show(" in source)
    cells = notebook(*sources)
    assert needed_cells(cells, [wanted]) == [*needed, wanted]


def test_several_are_wanted_and_texts_are_passed_over():
    cells = notebook("a = 1", "show(a)", "b = 2", "c = 3", "show(b)")
    cells.cells.insert(1, nbformat.v4.new_markdown_cell("a = 5"))
    assert needed_cells(cells, [2, 5]) == [0, 2, 3, 5]
    assert needed_cells(cells, []) == []


def test_a_cell_that_is_no_python_is_told():
    with pytest.raises(SyntaxError):
        needed_cells(notebook("%time a = 1", "show(a)"), [1])


def test_explorers_are_counted():
    cells = notebook("from utils import explore", "explore.neuron()\nexplore.race()", "other.neuron()")
    cells.cells.insert(0, nbformat.v4.new_markdown_cell("explore.neuron()"))
    assert explorer_calls(cells) == {2: 2}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_question_needs_the_imports_only(path: Path):
    """What is left out of a lesson must be most of it, or the slice is not worth having."""
    lesson = nbformat.read(path, as_version=4)
    sources = {place: lesson.cells[place].source for place in explorer_calls(lesson)}
    questions = [place for place, source in sources.items() if source.startswith("explore.predict(")]
    imports, *asked = needed_cells(lesson, questions)
    assert questions and asked == questions
    assert "from utils import" in lesson.cells[imports].source
