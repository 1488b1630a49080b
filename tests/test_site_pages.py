"""How the web site's pages are made from notebooks; tests/browser/test_site.py visits the site itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
import torch

from utils.build import METADATA, Course
from utils.explore.base import CALL, collected, handed_over
from utils.explore.predict import predict
from utils.explore.replay import replay_perceptron
from utils.site.__main__ import make_site
from utils.site.alive import STATE, Alive, calls, explorers
from utils.site.pages import Source, for_the_site, link_to_solutions, page, plain, section, write_pages
from utils.site.vendor import SiteError, stored_version

STILL = "Draw a line.\nA. yes\nB. no"
LIVE = "[Predict: live once this cell runs in JupyterLab]"


def shown(mime: str, data: str, words: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {mime: data, "text/plain": words})


def words_of_a_live_one() -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/plain": LIVE})


def asking_cell(still: str = STILL) -> nbformat.NotebookNode:
    source = 'explore.predict("Draw a line.", ["yes", "no"], "no", "Not <here>.")'
    return nbformat.v4.new_code_cell(
        source, outputs=[shown("text/html", "<p>Draw</p>", still), words_of_a_live_one()]
    )


# ------------------------------------------------------------------ explorers that live
def test_only_calls_with_constants_can_be_made_again():
    source = """x = 3
explore.neuron()
explore.graph("a*b", **more)
explore.broadcast(first=(2, -3))
explore.replay_perceptron(x)
plotting.neuron()"""
    found = calls(source)
    assert [call and (call.name, call.arguments, call.options) for call in found] == [
        ("neuron", (), {}),
        None,
        ("broadcast", (), {"first": (2, -3)}),
        None,
    ]


def test_a_live_explorer_brings_its_module_and_state_and_no_tag_of_its_own():
    ((place, alive),) = explorers(asking_cell())
    assert place == 1 and alive.name == "predict"
    assert alive.state["data"]["answer"] == 1
    assert alive.file in alive.html() and alive.html().count("<") == 4  # div, script and their ends
    assert "export default" in alive.script()


def test_the_name_of_its_script_changes_with_its_module():
    files = {Alive("x", module, style, {}).file for module, style in (("a", "b"), ("a", "c"), ("ab", ""))}
    assert len(files) == 3


def test_a_still_of_another_state_is_refused():
    with pytest.raises(SiteError, match="not of the state"):
        list(explorers(asking_cell(still="Draw a circle.")))


def cell_with_a_call(source: str, left: str, still: str) -> nbformat.NotebookNode:
    """A cell whose explorer has left its call."""
    words = words_of_a_live_one()
    words.metadata[CALL] = left
    return nbformat.v4.new_code_cell(source, outputs=[shown("image/png", "", still), words])


def test_an_explorer_that_was_handed_what_the_lesson_computed_lives():
    corners = {"X": torch.tensor([[0.0, 0.0], [1.0, 1.0]]), "y": [0, 1]}
    history = [(torch.zeros(2), -1.0, 0), (torch.ones(2), 0.0, 1)]
    left = handed_over("replay_perceptron", **corners, history=history)
    with collected() as found:
        replay_perceptron(**corners, history=history)
    in_a_loop = "for X, y in both:\n    explore.replay_perceptron(X, y, history)"
    ((place, alive),) = explorers(cell_with_a_call(in_a_loop, left, found[0].alt))
    assert (place, alive.name) == (1, "replay_perceptron")
    assert alive.state == found[0].live.get_state(STATE) and len(alive.state["data"]["steps"]) == 3
    with pytest.raises(SiteError, match="not of the state"):
        list(explorers(cell_with_a_call("", left, "Something else.")))


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (handed_over("gone"), "gone"),
        (handed_over("replay_perceptron", points=[]), "points"),
        (handed_over("replay_perceptron", X=[], y=[], history=[]), "shape"),
    ],
)
def test_a_call_that_cannot_be_made_any_more_is_named(left: str, told: str):
    with pytest.raises(SiteError, match=rf"(?s){told}.*make build"):
        list(explorers(cell_with_a_call("", left, "It.")))


def test_an_explorer_that_needs_the_lesson_keeps_its_still():
    cell = nbformat.v4.new_code_cell(
        "explore.replay_perceptron(X, y, history)",
        outputs=[shown("image/png", "", "It."), words_of_a_live_one()],
    )
    assert list(explorers(cell)) == []


def test_what_is_collected_is_not_displayed(capsys: pytest.CaptureFixture):
    with collected() as found:
        predict("One?", ["a", "b"], "a", "It is.")
    assert [each.alt for each in found] == ["One?\nA. a\nB. b"]
    assert capsys.readouterr().out == ""
    predict("One?", ["a", "b"], "a", "It is.")
    assert len(found) == 1 and capsys.readouterr().out != ""


# ------------------------------------------------------------------ texts
def test_markdown_is_read_aloud_without_its_marks():
    text = "Left: **two** [lines](x.ipynb), `w` and\n$\\hat y$, *bent*."
    assert plain(text) == "Left: two lines, w and hat y, bent."


def test_readmes_links_lead_to_pages_or_nowhere():
    text = (
        "[a](notebooks/00_a.ipynb) [b](notebooks/exercises/00_a.ipynb) [c](data/README.md) [d](https://e.org)"
    )
    assert for_the_site(text) == "[a](00_a.ipynb) [b](exercises/00_a.ipynb) c [d](https://e.org)"
    assert for_the_site("![a picture](docs/a.png)") == "![a picture](docs/a.png)"


def test_a_section_that_is_gone_from_the_readme_is_named():
    assert section("## A\none\n## B\ntwo\n", "A") == "one"
    with pytest.raises(SiteError, match="“C”"):
        section("## A\none\n", "C")


def test_a_picture_gets_the_text_below_it_as_alternative_text(tmp_path: Path):
    cells = [
        nbformat.v4.new_markdown_cell("# 00 · A"),
        nbformat.v4.new_code_cell("plot()", outputs=[shown("image/png", "", "<Figure size 1x1>")]),
        nbformat.v4.new_markdown_cell("**What you see.** A **line**."),
    ]
    made = page(nbformat.v4.new_notebook(cells=cells), "lessons", "line", source=None)
    assert made.cells[2].metadata["mystnb"]["image"]["alt"] == "A line."


# ------------------------------------------------------------------ exercises and their solutions
def exercise_cells(answer: str) -> list[nbformat.NotebookNode]:
    """A notebook of one exercise, with its explanation below it."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    stuck = 'Stuck? Run `hint("03.one_hot")` in a new cell.'
    return [
        text("# 03 · Exercises: Shapes\n\nFill in.\n\nAnd [there](../exercises/03_a.ipynb).", id="a"),
        code("from utils.checks import check", id="b"),
        text(f"### 03.one_hot ● A one\n\nWrite it.\n\n{stuck}", id="03-one_hot-statement"),
        code(answer, id="03-one_hot-work"),
        code('check("03.one_hot", one_hot)', id="03-one_hot-check"),
        text("Because.", id="03-one_hot-explanation"),
        code("progress()", id="c"),
    ]


def sources(kind: str, answer: str) -> list[str]:
    """The cells of a page, as Sphinx gets them."""
    notebook = nbformat.v4.new_notebook(cells=exercise_cells(answer))
    if kind == "exercises":
        link_to_solutions(notebook)
    made = page(notebook, kind, "line", source=None)
    nbformat.validate(made)
    return [cell.source for cell in made.cells]


def test_each_exercise_leads_to_its_solution():
    made = sources("exercises", "raise NotImplementedError")
    place = made.index('check("03.one_hot", one_hot)')
    assert made[place + 1] == "[Solution of 03.one_hot](#solution-03-one_hot)"
    assert made[1] == "line" and made[-1] == "progress()"


def test_a_solution_is_folded_below_its_statement_and_the_rest_left_out():
    title, line, warning, statement, answer, explanation = sources("solutions", "one_hot = 1  # ```")
    assert title == "# 03 · Solutions: Shapes\n\nAnd [there](../exercises/03_a.ipynb)."
    assert line == "line" and "Try first" in warning
    assert statement == "(solution-03-one_hot)=\n## 03.one_hot ● A one\n\nWrite it."
    assert answer.startswith("<details><summary>Solution of 03.one_hot</summary>\n\n````python\none_hot = 1")
    assert explanation == "Because.\n\n</details>"


# ------------------------------------------------------------------ making a whole site, a small one
@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of one lesson."""
    root = tmp_path / "course"
    (root / "notebooks/source/lessons").mkdir(parents=True)
    readme = "# Small\n\nA course.\n" + "".join(
        f"\n## {title}\n\nText.\n" for title in ("Two commands", "How to use it", "Licence")
    )
    (root / "README.md").write_text(readme, encoding="utf-8")
    (root / "notebooks/source/lessons/00_a.py").touch()
    return Course(root)


def lesson(course: Course, text: str) -> None:
    cells = [nbformat.v4.new_markdown_cell("# 00 · A"), nbformat.v4.new_markdown_cell(text)]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=METADATA), course.notebook("lessons", "00_a")
    )


def test_a_site_can_be_made_without_solutions(course: Course):
    lesson(course, "A lesson.")
    for kind in ("exercises", "solutions"):
        notebook = nbformat.v4.new_notebook(cells=exercise_cells("one_hot = 1"), metadata=METADATA)
        course.notebook(kind, "00_a").parent.mkdir()
        nbformat.write(notebook, course.notebook(kind, "00_a"))
    course.source("exercises", "00_a").parent.mkdir()
    course.source("exercises", "00_a").touch()
    for solutions in (True, False):
        source = Source(course.root / f"source-{solutions}")
        write_pages(course, source, solutions=solutions)
        tasks = (source.folder / "exercises/00_a.ipynb").read_text(encoding="utf-8")
        made = sorted(path.relative_to(source.folder) for path in source.folder.rglob("solutions/*.ipynb"))
        assert len(made) == (2 if solutions else 0)  # the page and the download
        assert ("#solution-" in tasks) == solutions


@pytest.mark.skipif(not shutil.which("npm"), reason="formulas need npm")
def test_a_warning_stops_it_and_the_site_that_was_there_stays(course: Course):
    out = course.root / "site"
    lesson(course, "$x^2$ and [the start](00_a.ipynb).")
    assert make_site(course, out) == 4  # the start, the search, the lesson, and one for what is missing
    before = (out / "00_a.html").read_text(encoding="utf-8")
    assert "katex-mathml" in before
    assert 'href="00_a.html">00 · A</a>' in (out / "404.html").read_text(encoding="utf-8")
    lesson(course, "$\\frac{1$ and [a lesson that is gone](01_b.ipynb).")
    with pytest.raises(SiteError) as error:
        make_site(course, out)
    assert "frac{1" in str(error.value) and "01_b.ipynb" in str(error.value)
    assert (out / "00_a.html").read_text(encoding="utf-8") == before


def test_a_lesson_that_is_not_built_is_named(course: Course):
    with pytest.raises(SiteError, match=r"00_a\.ipynb has not been built yet: make build"):
        make_site(course, course.root / "site")


def test_a_folder_without_a_package_has_no_version(tmp_path: Path):
    assert stored_version(tmp_path) is None
    (tmp_path / "package.json").write_text("{half")
    assert stored_version(tmp_path) is None
