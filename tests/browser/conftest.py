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
from xdist.scheduler import LoadScopeScheduling

from utils.explore.base import Explorer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


class BySharedNotebook(LoadScopeScheduling):
    """Keeps on one worker what shares something dear: a notebook that is opened and run once, else a file.

    Each of the two workers has a JupyterLab and a Chromium of its own. (xdist's own groups, made by marks,
    are not seen under pytest 9.2: every notebook was run on both workers.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The notebook that a test is about, if its name ends with one; else the file it stands in."""
    file, _, name = nodeid.partition("::")
    _, _, parameter = name.removesuffix("]").partition("[")
    return f"{file} {parameter}" if parameter.endswith(".ipynb") else file


@pytest.hookimpl(optionalhook=True)  # only xdist asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharedNotebook:
    return BySharedNotebook(config, log)


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
