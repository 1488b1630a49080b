"""`make test` counts what was executed, and a stage that executed nothing is a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run_all


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of these tests must not replace those of the run they are part of."""
    monkeypatch.setattr(run_all, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(run_all, "ROOT", tmp_path)
    monkeypatch.setattr(run_all, "missing_programs", list)


def stage(tmp_path: Path, text: str, must_run: dict[str, str]) -> run_all.Stage:
    (tmp_path / "test_small.py").write_text(text, encoding="utf-8")
    return run_all.Stage("small", ["pytest", "-q", "-p", "no:cacheprovider", "test_small.py"], must_run)


def outcome(
    stage: run_all.Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> tuple[int, str]:
    monkeypatch.setattr(run_all, "stages", lambda: [stage])
    status = run_all.main([])
    return status, capsys.readouterr().out


def test_passed_and_skipped_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    text = "import pytest\ndef test_a(): pass\ndef test_b(): pass\ndef test_c(): pytest.skip('no')"
    status, said = outcome(stage(tmp_path, text, {"test_small": "it"}), monkeypatch, capsys)
    assert status == 0
    assert "small      2 passed, 0 failed, 1 skipped in" in said
    assert said.splitlines()[-1] == "2 passed, 0 failed"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("def test_a(): pass\ndef test_b(): assert False", "1 passed, 1 failed"),
        ("import no_such_module", "0 passed, 1 failed"),
        ("import pytest\npytestmark = pytest.mark.skip\ndef test_a(): pass", "0 passed, 1 failed"),
        ("", "0 passed, 2 failed"),
    ],
    ids=["a failure", "no import", "all skipped", "no test"],
)
def test_a_stage_that_fails_or_runs_nothing_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, text: str, last: str
) -> None:
    status, said = outcome(stage(tmp_path, text, {"test_small": "the small tests"}), monkeypatch, capsys)
    assert status == 1
    assert "nothing was executed of: the small tests" in said or "1 passed" in said
    if last != "0 passed, 1 failed":
        assert said.splitlines()[-1] == last


def test_what_must_run_is_named_if_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    must = {"test_small": "it", "notebooks/07_gone.ipynb": "notebooks/07_gone.ipynb"}
    status, said = outcome(stage(tmp_path, "def test_a(): pass", must), monkeypatch, capsys)
    assert status == 1
    assert "nothing was executed of: notebooks/07_gone.ipynb" in said


def test_a_missing_program_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(run_all, "missing_programs", lambda: ["chromium", "bubblewrap"])
    monkeypatch.setattr(run_all, "stages", list)
    assert run_all.main([]) == 2
    assert "sudo apt-get update && sudo apt-get install -y chromium bubblewrap" in capsys.readouterr().out


def test_missing_programs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(run_all.sys, "platform", "linux")
    monkeypatch.setattr(run_all.shutil, "which", lambda name: name if name == "google-chrome" else None)
    assert run_all.missing_programs() == ["bubblewrap", "nodejs", "npm"]


def test_an_unknown_stage_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.undo()
    assert run_all.main(["lesson"]) == 2
    assert "there are style, sources, units, lessons, exercises, browser" in capsys.readouterr().out


def test_every_lesson_and_exercise_has_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    needed = {name for each in run_all.stages() for name in each.must_run}
    course = run_all.Course()
    for kind in ("lessons", "exercises", "solutions"):
        for stem in course.stems(kind):
            assert course.notebook(kind, stem).relative_to(course.root).as_posix() in needed
    assert {"tests.test_checks", "tests.browser"} <= needed
