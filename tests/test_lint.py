"""Each rule of the lesson lint finds what it is there for, and leaves a sound lesson alone."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from utils import lint as linting
from utils.build import Course, code_cells, exercise_notebook, lesson_notebook, new_lesson, serialise
from utils.lint import RULES, lint

REPOSITORY = Path(__file__).parents[1]
FIRST, STEM = "00_start_here", "01_lines"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def store(course: Course, stem: str, change: Callable[[list], None] = lambda cells: None) -> None:
    """Write the lesson's notebook as if it had been executed: a picture wherever the code draws."""
    notebook = lesson_notebook(stem, course.source("lessons", stem))
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        if "subplots" in cell.source:
            data = {"image/png": PNG, "text/plain": "<Figure size 800x450 with 1 Axes>"}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    change(code_cells(notebook))
    course.notebook("lessons", stem).write_text(serialise(notebook), encoding="utf-8")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lessons from the template, filled in and stored as if they had been executed."""
    course = Course(tmp_path_factory.mktemp("sound"))
    template = Path("notebooks") / "source" / "template"
    shutil.copytree(REPOSITORY / template, course.root / template)
    for stem in (FIRST, STEM):
        new_lesson(course, stem)
        for kind in ("lessons", "exercises"):
            edit(course.source(kind, stem), "FILL IN: ", "")
        for kind in ("exercises", "solutions"):
            path = course.notebook(kind, stem)
            path.parent.mkdir(exist_ok=True)
            path.write_text(serialise(exercise_notebook(course, stem, solved=kind == "solutions")), "utf-8")
        store(course, stem)
    return course.root


@pytest.fixture
def course(sound: Path, tmp_path: Path) -> Course:
    return Course(Path(shutil.copytree(sound, tmp_path / "course")))


@pytest.mark.parametrize("stem", [FIRST, STEM])
def test_a_sound_lesson_has_no_findings(course: Course, stem: str) -> None:
    assert lint(course, stem) == []


def test_an_index_and_a_call_in_code_are_no_link(course: Course) -> None:
    swap_exercise(
        "    return (x**2).sum()\n", "    layers = [torch.square]\n    return layers[-1](x).sum()\n"
    )(course)
    assert [f for f in lint(course, STEM) if f.rule == "links_resolve"] == []


def add(*cells: str) -> Callable[[Course], None]:
    """Put cells before the closing sections."""
    text = "".join(f"{cell}\n\n" for cell in cells)
    return lambda c: edit(c.source("lessons", STEM), *before(f"{REMEMBER}# ## What to remember", text))


def before(place: str, text: str) -> tuple[str, str]:
    return place, text + place


def code(line: str) -> Callable[[Course], None]:
    return add(f"# %%\n{line}")


def swap(old: str, new: str) -> Callable[[Course], None]:
    """Change the lesson's source."""
    return lambda c: edit(c.source("lessons", STEM), old, new)


def both(*changes: Callable[[Course], None]) -> Callable[[Course], None]:
    """One change after the other."""

    def change(course: Course) -> None:
        for each in changes:
            each(course)

    return change


def unmarked(course: Course) -> None:
    """Take all slides' marks off."""
    path = course.source("lessons", STEM)
    path.write_text(re.sub(r" slideshow=.*", "", path.read_text(encoding="utf-8")), encoding="utf-8")


def swap_exercise(old: str, new: str) -> Callable[[Course], None]:
    """Change the exercise source."""
    return lambda c: edit(c.source("exercises", STEM), old, new)


def put_out(output: nbformat.NotebookNode) -> Callable[[Course], None]:
    """Store an output under the second code cell."""
    return lambda c: store(c, STEM, lambda cells: cells[1].outputs.append(output))


def forget_run(cells: list) -> None:
    cells[1].execution_count = None


REMEMBER = '# %% [markdown] slideshow={"slide_type": "slide", "minutes": 5}\n'
CHECK = '# %% [markdown] slideshow={"slide_type": "subslide"}\n# ## Check yourself'
IMPORTS = '# %% slideshow={"slide_type": "skip"}\nimport matplotlib'
FRAGMENT = '# %% slideshow={"slide_type": "fragment"}\n'
IGNORED = '# %% tags=["nbval-ignore-output"]\n'
ERROR = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
STDERR = nbformat.v4.new_output("stream", name="stderr", text="careful")
HOME = nbformat.v4.new_output("stream", name="stdout", text="read /home/ada/course/data")
ADDRESS = nbformat.v4.new_output("execute_result", data={"text/plain": "<object at 0x7f3a5c1d2e80>"})
LONG = "\n".join(f"x{i} = {i}" for i in range(26))
GOAL = '# - a thing the learner can do afterwards, such as "compute …";\n'
ITEM = "# - Author (1958). *Title.* What it is used for here.\n"
FOLDED = "# <details><summary>1. a question about the first idea?</summary>"
SAID = """\
the picture in words, for those who cannot see it. One line that starts flat at the lower
# left and climbs ever more steeply; at 20 terms it has reached 2,870."""
EXPLAINED = """\
why this is right. Squaring acts on each entry, and the sum without a dimension runs over all of them. The
# other order, the square of the sum, is something else: (1 + 2 + 3)² = 36."""
EXPLORE = swap("from utils import plotting", "from utils import explore, plotting")
EXPLORE_NEURON = swap(
    "from utils import plotting", "from utils import plotting\nfrom utils.explore import neuron"
)
SEEN = "# **What you see.** the picture in words"

# rule -> ways to break it: the change, and words that must be in the finding
BROKEN: dict[str, list[tuple[Callable[[Course], None], str]]] = {
    "title": [
        (swap("# # 01 · Lines", "# # Lines"), "'# 01 · Title'"),
        (swap("# # 01 · Lines", "# # 02 · Lines"), "'# 01 · Title'"),
        (swap("**The question:**", "The question:"), "The question"),
        (swap("what does this lesson answer?", "it answers something."), "The question"),
        (add("# %% [markdown]\n# # Another title"), "one title"),
    ],
    "goals": [
        (swap("**You will be able to**", "**Goals**"), "begin the second cell"),
        (swap(GOAL, ""), "there are 2"),
        (swap(GOAL, GOAL * 4), "there are 6"),
    ],
    "needs_line": [
        (swap("**Read:** 45 minutes · ", ""), "**Read:**"),
        (swap("45 minutes", "a while"), "**Read:**"),
        (swap("10 seconds on", "90 seconds on"), "at most 60"),
        (swap("10 seconds on two CPU cores", "quick"), "two CPU cores"),
        (swap("[lesson 00](00_start_here.ipynb)", "lesson 00"), "link the lesson"),
    ],
    "import_cell": [
        (code("import math"), "move this import"),
        (swap(*before(IMPORTS, "# %%\n1 + 1\n\n")), "first code cell"),
        (swap("plotting.use_style()", "a = 1\nb = 2\nc = 3\nd = 4"), "next cell"),
    ],
    "sections": [
        (swap("# ## 2 · an experiment", "# ## 3 · an experiment"), "## 2 ·"),
        (swap("# ## 2 · an experiment", "# ## An experiment"), "## 2 ·"),
        (swap("# ## 2 · an experiment", "# an experiment"), "two or more"),
    ],
    "closing": [
        (swap("# ## Where next", "# ## Next"), "'## What to remember', '## Check yourself'"),
        (swap("# ## Check yourself", "# ## Exercises"), "in this order"),
        (lambda c: edit(c.source("lessons", STEM), "# ## References", "# ### References"), "in this order"),
    ],
    "remember": [(swap("# - the second.\n", ""), "3 goals, 2 lines")],
    "check_yourself": [
        (swap("<details>", "<section>"), "there are 0"),
        (swap(FOLDED, "# 1. a question about the first idea?"), "there are 2"),
        (swap("1. a question about the first idea?", "Why?"), "<summary>question</summary>"),
    ],
    "references": [
        (swap(ITEM, ""), "there are 2"),
        (swap(ITEM, ITEM * 5), "there are 7"),
        (swap("Author (1958)", "Author"), "has no year"),
    ],
    "filled_in": [
        (add("# %% [markdown]\n# FILL IN: something else."), "something else"),
        (swap_exercise("why this is right", "FILL IN: why"), "FILL IN: why"),
    ],
    "code_budget": [
        (code(LONG), "26 lines, 25 are allowed"),
        (add(f'# %% tags=["long"]\n{LONG}'), "a loop that is the point"),
        (add('# %% tags=["long"]\nfor i in range(3):\n' + "    print(i)\n" * 70), "71 lines, 70 are allowed"),
        (add("# %%\n"), "empty cell"),
    ],
    "text_budget": [(add("# %% [markdown]\n# " + "word " * 121), "121 words, 120 are allowed")],
    "what_you_see": [
        (swap(SEEN, "# A line"), "follow the picture"),
        (swap(SEEN, f"# And so on.\n\n# %% [markdown]\n{SEEN}"), "follow the picture"),
        (swap(SAID, "Hm."), "follow the picture"),
        (both(EXPLORE, add("# %%\nexplore.neuron()", "# %% [markdown]\n# Nice.")), "follow the picture"),
        (both(EXPLORE_NEURON, add("# %%\nneuron()", "# %% [markdown]\n# Nice.")), "follow the picture"),
    ],
    "tags": [
        (add('# %% tags=["raises-exception"]\n1 + 1'), "raises-exception"),
        (add('# %% tags=["hide-input"]\n1 + 1'), "hide-input"),
        (code("# NBVAL_SKIP\n1 + 1"), "comment for nbval"),
        (code("1 + 1  # NBVAL_IGNORE_OUTPUT"), "comment for nbval"),
    ],
    "ignored_output_asserted": [
        (add(f"{IGNORED}print(1)"), "assert what is sure"),
        (add(f"{IGNORED}print(1)", "# %%\nprint(2)", "# %%\nassert True"), "assert what is sure"),
    ],
    "no_star_import": [(code("from torch import *"), "name what is imported from torch")],
    "no_sys_path": [
        (code("sys.path.insert(0, '..')"), "sys.path"),
        (code("from sys import path"), "sys.path"),
    ],
    "no_silenced_warnings": [
        (code("warnings.filterwarnings('ignore')"), "instead of silencing"),
        (code("warnings.simplefilter(action='ignore')"), "instead of silencing"),
    ],
    "no_magics": [
        (code("%timeit 1 + 1"), "%timeit"),
        (code("!ls"), "!ls"),
        (code("%%bash\nls"), "%%bash"),
        (code("get_ipython().system('ls')"), "get_ipython"),
    ],
    "no_absolute_path": [
        (code("open('/home/ada/digits.csv')"), "/home/ada"),
        (code("open('~/digits.csv')"), "~/digits.csv"),
        (code(r"open('C:\\data\\digits.csv')"), "digits.csv"),
    ],
    "no_network": [
        (code("import urllib.request"), "urllib.request"),
        (code("from requests import get"), "requests"),
        (code("torch.hub.load('x', 'y')"), "torch.hub"),
        (code("fetch('https://example.org/data.csv')"), "https://example.org"),
    ],
    "no_show": [(code("plt.show()"), "remove plt.show()")],
    "no_swallowed_error": [
        (code("try:\n    f()\nexcept ValueError:\n    pass"), "name the exception"),
        (code("try:\n    f()\nexcept ValueError:\n    ..."), "name the exception"),
        (code("try:\n    f()\nexcept:\n    print('no')"), "name the exception"),
        (code("with contextlib.suppress(ValueError):\n    f()"), "suppressing"),
    ],
    "links_resolve": [
        (add("# %% [markdown]\n# See [later](07_optimizers.ipynb)."), "07_optimizers.ipynb"),
        (add("# %% [markdown]\n# ![a picture](pictures/none.png)"), "pictures/none.png"),
        (add('# %% [markdown]\n# <a href="none.html">here</a>'), "none.html"),
        (add("# %% [markdown]\n# [there](#3-·-nowhere)"), "names a heading"),
        (add("# %% [markdown]\n# [it](exercises/01_lines.ipynb#01.none)"), "names a heading"),
        (swap_exercise("../01_lines.ipynb", "../02_lines.ipynb"), "leads nowhere"),
    ],
    "exercises_exist": [
        (add("# %% [markdown]\n# **Exercise [01.none](exercises/01_lines.ipynb)**"), "no exercise 01.none"),
        (add("# %% [markdown]\n# **Exercise 01.none**"), "no exercise 01.none"),
    ],
    "exercises_pointed_to": [
        (
            swap("**Exercise [01.sum_of_squares](exercises/01_lines.ipynb)**", "Now do it."),
            "section that teaches",
        ),
        (swap("| 01.sum_of_squares |", "| the sum |"), "list 01.sum_of_squares"),
        (swap("Open [exercises/01_lines.ipynb](exercises/01_lines.ipynb).", "Open them."), "link exercises/"),
    ],
    "exercise_sources": [
        (swap_exercise('exercise="01.sum_of_squares"', 'exercise="01.sum"'), "the same exercises"),
        (swap_exercise("# # 01 · Exercises: Lines", "# Exercises"), "begin with a title"),
        (swap_exercise("# %%\nprogress()\n", ""), "end with a code cell 'progress()'"),
        (
            swap_exercise("squares ● The sum", "squares ●● The sum"),
            "### 01.sum_of_squares ● The sum of squares",
        ),
        (swap_exercise("sum_of_squares(", "total("), "how sum_of_squares is called"),
        (swap_exercise("    return (x**2).sum()\n", ""), "write a solution"),
        (swap_exercise("raise NotImplementedError(", "raise ValueError("), "raise NotImplementedError"),
        (swap_exercise("# === explanation\n", ""), "must end with '# === explanation'"),
        (swap_exercise(EXPLAINED, "So it is."), "explain the solution"),
    ],
    "slide_marks": [
        (unmarked, "mark the lesson's slides"),
        (swap('"slide", "minutes": 2}', '"skip"}'), "mark the title as a slide"),
        (swap('"slide", "minutes": 5}', '"slide"}'), "how long the section takes"),
        (swap('"slide", "minutes": 5}', '"slide", "minutes": 0}'), "how long the section takes"),
        (swap('"slide", "minutes": 5}', '"slide", "minutes": "5"}'), "how long the section takes"),
        (swap('{"slide_type": "notes"}', '{"slide_type": "notes", "minutes": 5}'), "nowhere else"),
        (swap('{"slide_type": "notes"}', '{"slide_type": "note"}'), "'note' is none of slide, subslide"),
        (swap('{"slide_type": "notes"}', '{"slide_type": "notes", "colour": "red"}'), "no 'colour'"),
        (swap('{"slide_type": "notes"}', "{}"), "or leave it out"),
        (swap('"show": "output"', '"show": "picture"'), "'picture' is none of code, output, apart"),
        (add('# %% slideshow={"show": "output"}\nx = 1'), "puts nothing out"),
        (add('# %% [markdown] slideshow={"show": "code"}\n# So.'), "show is for code"),
        (add('# %% slideshow={"slide_type": "notes"}\nx = 1'), "notes are text"),
        (add('# %% slideshow={"split": [1]}\nx = 1'), "the cell has 1 lines"),
        (add('# %% slideshow={"split": [3, 2]}\nx = 1\nx = 2\nx = 3'), "the cell has 3 lines"),
        (add('# %% slideshow={"split": [4]}\nx = 1\nx = 2\nx = 3'), "the cell has 3 lines"),
        (add('# %% [markdown] slideshow={"split": [2]}\n# So\n# on.'), "split is for code"),
        (
            add('# %% slideshow={"slide_type": "subslide"}\n1', *[f"{FRAGMENT}{i}" for i in range(6)]),
            "6 fragments",
        ),
        (add('# %%\nexplore.predict("01.scale")', "# %%\n1 + 1"), "gives the question's answer away"),
    ],
    "section_slides": [
        (swap('"slide", "minutes": 20}', '"subslide"}'), "mark the heading"),
        (swap(CHECK, CHECK.replace("subslide", "skip")), "show 'Check yourself'"),
        (swap(REMEMBER, "# %% [markdown]\n"), "show 'What to remember'"),
        (swap(' slideshow={"slide_type": "skip"}\n# ## References', "\n# ## References"), "decide whether"),
    ],
    "lecture_time": [
        (swap('"minutes": 20', '"minutes": 10'), "27 minutes; a lecture has 40 to 90"),
        (swap('"minutes": 20', '"minutes": 50'), "107 minutes"),
    ],
    "outputs": [
        (put_out(ERROR), "raised ValueError"),
        (put_out(STDERR), "stderr"),
        (put_out(HOME), "/home/ada"),
        (put_out(ADDRESS), "0x7f3a5c1d2e80"),
        (lambda c: c.notebook("lessons", STEM).unlink(), "not built"),
        (lambda c: store(c, STEM, forget_run), "was not executed"),
    ],
    "size": [
        (
            put_out(nbformat.v4.new_output("stream", name="stdout", text="x" * 1_500_000)),
            "1.5 MB are allowed",
        ),
    ],
}

CASES = [(rule, number) for rule, ways in BROKEN.items() for number in range(len(ways))]


@pytest.mark.parametrize(("rule", "number"), CASES)
def test_a_broken_lesson_is_found(course: Course, rule: str, number: int) -> None:
    change, words = BROKEN[rule][number]
    stored = course.notebook("lessons", STEM)
    before = stored.read_bytes()
    change(course)
    if stored.exists() and stored.read_bytes() == before:
        store(course, STEM)  # what the change would have given had it been built
    findings = [finding for finding in lint(course, STEM) if finding.rule == rule]
    assert findings, f"{rule} found nothing"
    assert any(words in finding.message for finding in findings), [str(finding) for finding in findings]


def test_every_rule_is_tested() -> None:
    assert {rule.__name__ for rule in RULES} == set(BROKEN)


def test_every_rule_is_listed() -> None:
    """A function that yields findings but is missing in RULES would never run."""
    annotated = {
        name
        for name, value in vars(linting).items()
        if getattr(value, "__annotations__", {}).get("return") == "Iterator[Finding]"
    }
    assert annotated == {rule.__name__ for rule in RULES}


SOUND = {
    "an explorer that is described": both(
        EXPLORE, add("# %%\nexplore.neuron()", f"# %% [markdown]\n{SEEN}, and there are many of them to see.")
    ),
    "a question": both(EXPLORE, code("explore.predict('Which?', ['a', 'b'], answer='a', explanation='So.')")),
    "text that varies, then assert": add(f"{IGNORED}print(1)", "# %% [markdown]\n# So.", "# %%\nassert 1"),
    "a comparison by torch.testing": add(f"{IGNORED}print(1)", "# %%\ntorch.testing.assert_close(x, x)"),
    "a long class": add('# %% tags=["long"]\nclass Net:\n' + "    a = 1\n" * 40),
    "inline pictures": code("# %matplotlib inline"),
    "a link on the web": add("# %% [markdown]\n# [PyTorch](https://pytorch.org)"),
    "a link to a heading": add("# %% [markdown]\n# [above](#1-·-one-idea)"),
    "a link in code": add("# %% [markdown]\n# `a[0](x)` is a call."),
    "120 words": add("# %% [markdown]\n# " + "word " * 120),
    "a formula is no prose": add("# %% [markdown]\n# $$" + "x + " * 150 + "x$$"),
    "an error that is told": code("try:\n    f()\nexcept ValueError as error:\n    print(error)"),
    "a slash in a string": code("print('/ over \\\\n')"),
    "warnings as errors": code("warnings.simplefilter('error')"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_no_false_alarm(course: Course, name: str) -> None:
    SOUND[name](course)
    store(course, STEM)
    assert [str(finding) for finding in lint(course, STEM)] == []


def test_only_the_first_lesson_may_have_the_doctor_before_its_imports(course: Course) -> None:
    doctor = "# %%\nfrom utils import doctor\n\n# %%\n1 + 1\n\n"
    for stem in (FIRST, STEM):
        edit(course.source("lessons", stem), *before(IMPORTS, doctor))
        store(course, stem)
    assert lint(course, FIRST) == []
    assert {finding.rule for finding in lint(course, STEM)} == {"import_cell"}


def test_a_finding_says_where_and_what_to_do(course: Course) -> None:
    code("plt.show()")(course)
    store(course, STEM)
    [finding] = lint(course, STEM)
    assert str(finding) == (
        "notebooks/source/lessons/01_lines.py, cell 12 [no_show] "
        "remove plt.show(): the notebook shows the figure"
    )


def test_code_that_is_no_python_is_one_finding(course: Course) -> None:
    code("def f(:")(course)
    [finding] = lint(course, STEM)
    assert finding.rule == "source"
