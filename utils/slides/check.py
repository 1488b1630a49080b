"""Does every slide fit? Measured in a browser, as the audience would see it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from utils.slides.pages import ASSETS, SlidesError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZE = {"width": 1280, "height": 720}


@contextmanager
def browser() -> Iterator[Any]:
    """Headless Chromium.

    Raises:
        SlidesError: Playwright or Chromium is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise SlidesError(
            "--check measures in a browser: pip install -c requirements.txt -e '.[test]'"
        ) from None
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SlidesError(
            f"--check needs one of {', '.join(BROWSERS)} on the PATH, and none is there. "
            "On Debian and Ubuntu: sudo apt-get install chromium"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield chromium
        chromium.close()


@cache
def measure_script() -> str:
    """The function that measures all slides of a page at once."""
    return (ASSETS / "measure.js").read_text(encoding="utf-8")


def measured(page: Any) -> list[dict[str, Any]]:
    """What is measured of each slide of an open page: title, cell, and what is wrong, in words."""
    page.evaluate("course.started")
    return page.evaluate(measure_script())


def problems(paths: Iterable[Path]) -> Iterator[str]:
    """What is wrong with the slides in these files: what does not fit, letters and figures too small.

    Yields:
        A line for each such slide, with the file's stem, its number, its title and its first cell.
    """
    with browser() as chromium:
        page = chromium.new_page(viewport=SIZE)
        for path in paths:
            page.goto(path.as_uri())
            yield from (f"{path.stem}: {line}" for line in told(measured(page)))


def told(slides: list[dict[str, Any]]) -> list[str]:
    """The measurements of slides in words, one line for each that is not right."""
    return [
        f"slide {number} ({slide['title']}; cell {slide['cell']}): {'; '.join(slide['wrong'])}"
        for number, slide in enumerate(slides, start=1)
        if slide["wrong"]
    ]
