"""A class on JupyterHub, as deploy/jupyterhub configures it: from handing out to feedback, in the browser.

The teacher's commands are those of the guide, taken from the page.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from real_hub import STUDENTS, TEACHER, RealHub, User
from real_lab import REPOSITORY

SET = "01_perceptron"
FETCHED = f"lessons/{SET}"  # where a student has it
DUE = "2030-02-01 12:00:00 UTC"  # in the guide
COMMENT = "Well done, but say <b>why</b>."
SCRIPT = "<img src=x onerror=\"document.title='stolen'\"><script>document.title='stolen'</script>"
# wrong for a batch of one, so for the group "shapes" and for no other
PARTLY = "def neuron(X, w, b):\n    y = (X @ w + b >= 0).long()\n    return y if len(y) > 1 else y[0]"
EDIT = f"""
import json
with open("{FETCHED}/{SET}.ipynb") as file:
    notebook = json.load(file)
cells = notebook["cells"]
next(cell for cell in cells if cell["metadata"].get("nbgrader", {{}}).get("solution"))["source"] = {PARTLY!r}
cells.insert(1, dict(cell_type="markdown", id="note", metadata={{}}, source={SCRIPT!r}))
with open("{FETCHED}/{SET}.ipynb", "w") as file:
    json.dump(notebook, file)
"""
PATIENCE = 60_000  # milliseconds until Formgrader has fetched what it shows


def commands() -> list[str]:
    """The teacher's blocks in the guide's chapter on JupyterHub: handing out, marking, giving back."""
    guide = (REPOSITORY / "docs" / "teachers_guide.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", guide.partition("## With JupyterHub")[2], re.DOTALL)
    return ["set -e\n" + block.replace("/opt/neurons", str(REPOSITORY)) for block in blocks]


def solutions() -> list[str]:
    """What the course's solutions have in the cells to fill in, in order."""
    notebook = nbformat.read(REPOSITORY / "notebooks" / "solutions" / f"{SET}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.id.endswith("-work")]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    with RealHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def users(hub: RealHub, chromium: Browser) -> Iterator[dict[str, User]]:
    """Everybody, logged in; their servers start at the same time."""
    everybody = {name: hub.open_form(chromium, name) for name in (TEACHER, *STUDENTS)}
    yield {name: user.wait() for name, user in everybody.items()}
    for user in everybody.values():
        user.page.context.close()


def rows(formgrader: Page) -> dict[str, list[str]]:
    """Formgrader's table of submissions: by student, what stands in the cells."""
    formgrader.wait_for_function("document.querySelectorAll('tbody .score').length === 2")
    cells = [row.inner_text().split("\t") for row in formgrader.locator("tbody tr").all()]
    return {line[1]: line for line in cells}


def submission_of(formgrader: Page, teacher: User, student: str) -> None:
    """Open a student's notebook in Formgrader, by the links that a teacher has."""
    formgrader.goto(f"{teacher.server}/formgrader/manage_students/{student}/{SET}")
    formgrader.get_by_role("link", name=SET).last.click()
    formgrader.wait_for_function("document.getElementById('01_neuron_check')?.placeholder")


def give(formgrader: Page, what: str, identity: str, value: str) -> None:
    """Type a mark or a comment, and wait until Formgrader has stored it."""
    field = formgrader.locator(f'[id="{identity}"]')
    field.fill(value)
    with formgrader.expect_response(lambda answer: f"/api/{what}/" in answer.url) as stored:
        field.blur()  # stores it
    assert stored.value.ok


@pytest.mark.timeout(600)
def test_a_class_from_handing_out_to_feedback(hub: RealHub, users: dict[str, User]) -> None:
    teacher, ada, ben = (users[name] for name in (TEACHER, *STUDENTS))
    hand_out, mark, give_back = commands()
    teacher.sh(hand_out)
    teacher.sh("echo \"c.LateSubmissionPlugin.penalty_method = 'zero'\" >> course/nbgrader_config.py")

    # Ada, who knows it all, uses the mouse
    page = ada.page
    ada.menu("Nbgrader", "Assignment List")
    page.get_by_role("button", name="Fetch", exact=True).click()
    submit = page.get_by_role("button", name="Submit", exact=True)
    submit.wait_for()
    assert f"](../{SET}.ipynb)" in ada.sh(f"cd {FETCHED} && cat {SET}.ipynb && ls ../{SET}.ipynb")
    said = ada.answer(f"{FETCHED}/{SET}.ipynb", solutions())
    assert sum(": passed" in text.partition("\n")[0] for text in said) == 6, said
    submit.click()
    handed_in = page.locator("#submitted_assignments_list").get_by_text(re.compile(r"^\d{4}-\d\d-.* UTC$"))
    handed_in.wait_for()

    # Ben, who knows one half of an exercise, uses commands, and is late: the set is due when Ada handed it in
    ben.sh(f"nbgrader fetch_assignment {SET}")
    ben.sh(f"python -c {shlex.quote(EDIT)}")
    ben.sh(f"nbgrader submit {SET}")
    assert DUE in mark
    mark = mark.replace(DUE, handed_in.inner_text())
    assert "2 notebooks marked, 19.5 of 36 points" in teacher.sh(mark)

    # Formgrader: points, reasons, no script of Ben's
    with teacher.page.context.expect_page() as opened:
        teacher.menu("Course", "Formgrader")
    formgrader = opened.value
    formgrader.get_by_role("link", name=SET).wait_for()
    assert formgrader.url == f"{teacher.server}/formgrader/manage_assignments"
    formgrader.goto(f"{teacher.server}/formgrader/manage_submissions/{SET}")
    table = rows(formgrader)
    assert [table[name][3:5] for name in STUDENTS] == [["graded", "18 / 18"], ["graded", "1.5 / 18"]]
    submission_of(formgrader, teacher, "ben")
    shown = formgrader.inner_text("#notebook-container")
    assert "1.5 of 2 points: failed\n" in shown and "shapes 2 of 3" in shown
    assert SCRIPT in shown and formgrader.title() != "stolen"
    expect(formgrader.locator('[id="01_neuron_check"]')).to_have_attribute(
        "placeholder", "1.5", timeout=PATIENCE
    )
    comment = formgrader.locator('[id="01_gates_work-comment"]')
    expect(comment).to_have_attribute("placeholder", "No response.", timeout=PATIENCE)
    submission_of(formgrader, teacher, "ada")
    give(formgrader, "grade", "01_neuron_check", "1.25")
    give(formgrader, "comment", "01_neuron_work-comment", COMMENT)

    # marked again: what the teacher gave is still there
    teacher.sh(mark.strip().splitlines()[-1])
    submission_of(formgrader, teacher, "ada")
    expect(formgrader.locator('[id="01_neuron_check"]')).to_have_value("1.25", timeout=PATIENCE)
    expect(formgrader.locator('[id="01_neuron_work-comment"]')).to_have_value(COMMENT, timeout=PATIENCE)

    teacher.sh(give_back)
    exported = csv.DictReader(io.StringIO(teacher.sh("cat course/grades.csv").strip()))
    columns = ("raw_score", "late_submission_penalty", "score", "max_score")
    points = {row["student_id"]: tuple(float(row[name]) for name in columns) for row in exported}
    assert points == {"ada": (17.25, 0, 17.25, 18), "ben": (1.5, 1.5, 0, 18)}

    # Ada sees all of it
    page.get_by_role("button", name="Fetch Feedback").click()
    page.get_by_text("(view feedback)").wait_for()
    (found,) = ada.sh(f"cd && find {FETCHED}/feedback -name '*.html'").strip().splitlines()
    feedback = page.context.new_page()
    feedback.goto(f"{ada.server}/files/{found}")
    shown = feedback.inner_text("body")
    assert "17.25 of 18 points" in shown and "1.25 of 2, by hand" in shown and COMMENT in shown


@pytest.mark.timeout(600)
def test_students_are_kept_apart(hub: RealHub, users: dict[str, User]) -> None:
    ada, ben, teacher = users["ada"], users["ben"], users[TEACHER]
    page = ada.page.context.new_page()
    page.goto(f"{ben.server}/lab")
    assert "You do not have permission to access Server at /user/ben/" in page.inner_text("body")
    assert page.goto(f"{ada.server}/formgrader/").status == 404
    assert ada.page.get_by_role("menuitem", name="Course", exact=True).count() == 0
    assert "01_perceptron.ipynb" in ada.sh("ls ~/lessons ~/lessons/exercises")
    ada.sh(f"ls {hub.homes}/ada {hub.place}/exchange")
    closed = [hub.homes / "ben", hub.homes / TEACHER]
    if hub.accounts:  # else all files are the tester's
        closed += [hub.place / "state", hub.place / "tls", f"{hub.place}/exchange/*/inbound"]
        assert ada.sh("whoami; ls -ld ~").split()[:2] == ["ada", "drwx------"]
        ben.sh(f"touch {hub.place}/exchange/neurons-to-transformers/outbound/x", fails=True)
        teacher.sh(f"ls {hub.place}/exchange/*/inbound")
    for place in closed:
        ada.sh(f"ls {place}", fails=True)


def test_a_process_that_swells_is_stopped(users: dict[str, User]) -> None:
    printed = users["ada"].sh("python -c 'bytearray(5 * 2**30)'", fails=True)
    assert "MemoryError" in printed
