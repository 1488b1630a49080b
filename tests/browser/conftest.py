"""One JupyterLab and one Chromium for all browser tests of a session, or of a worker of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from explorer_stage import Stage
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from real_lab import REPOSITORY, RealLab, launch_browser

from utils.explore.base import Explorer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group(group_of(item)))


def group_of(item: pytest.Item) -> str:
    """What a test shares with others: the notebook that is opened and run once for many, else its file.

    Two workers share the groups between them; each has a JupyterLab and a Chromium of its own.
    """
    values = item.callspec.params if hasattr(item, "callspec") else {}
    return f"{item.path.stem} {values.get('running', values.get('path', ''))}".strip()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    """JupyterLab on a copy of the repository's notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    root, home = folder / "notebooks", folder / "home"
    shutil.copytree(REPOSITORY / "notebooks", root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    home.mkdir()
    with RealLab(root, home) as server:
        yield server


@pytest.fixture(scope="session")
def kept_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser context for all stages that ask for nothing special."""
    context = chromium.new_context()
    context.new_page()  # with one page always open its process goes on
    yield context
    context.close()


@pytest.fixture
def stage(chromium: Browser, kept_context: BrowserContext) -> Iterator[Callable[..., Stage]]:
    """Make stages; afterwards no console may have complained."""
    made: list[Stage] = []

    def make(live: Explorer, *, width: int = 1000, **options: Any) -> Stage:
        made.append(Stage(chromium, live, width=width, kept=None if options else kept_context, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert [problem for one in made for problem in one.problems] == []
