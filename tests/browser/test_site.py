"""The web site in a real browser: no network, no dead link, explorers that live, pages that all can read.

The site is made once. Every page is visited once, narrow and wide; the tests look at what was found there.
"""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route
from real_lab import REPOSITORY

from utils.build import Course
from utils.site.__main__ import MARK, make_site
from utils.site.vendor import SiteError, package

AXE = ("axe-core", "4.14.1")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
LESSONS = [f"{stem}.html" for stem in Course().stems()]
EXERCISES = [f"exercises/{stem}.html" for stem in Course().stems("exercises")]
# Explorers that lessons call with constants only.
FREE_OF_THE_KERNEL = {
    "activation", "attention", "broadcast", "capacity", "convolution", "gates", "graph", "initialization",
    "neuron", "outlier", "playground", "predict", "race", "threshold",
}  # fmt: skip
PAGES = ["index.html", "search.html", *LESSONS, *EXERCISES]


# ------------------------------------------------------------------ the site and its server
class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that tells nothing of each request."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The web site of this checkout."""
    folder = tmp_path_factory.mktemp("site") / "html"
    make_site(Course(), folder)
    return folder


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder; gives its address, which ends with a slash."""
    servers = []

    def start(folder: Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def address(site: Path, serve: Callable[[Path], str]) -> str:
    """Where the site is served."""
    return serve(site)


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker, as a script."""
    return (package(*AXE) / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Visit:
    """What was found on one page."""

    problems: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    too_wide: list[str] = field(default_factory=list)


def watch(page: Page, base: str, found: Visit) -> None:
    """Note down what a page complains of, and stop and note requests to any other place."""

    def gate(route: Route) -> None:
        if route.request.url.startswith((base, "data:", "blob:")):
            route.continue_()
            return
        found.elsewhere.append(route.request.url)
        route.abort()

    page.route("**/*", gate)
    page.on("pageerror", lambda error: found.problems.append(str(error)))
    page.on("console", lambda m: found.problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("response", lambda r: found.problems.append(f"{r.status} {r.url}") if r.status >= 400 else None)


# Of coloured code each colour once is enough to judge, and what KaTeX draws is hidden from screen readers,
# who get MathML: without those thousands of parts axe takes a third of the time.
PLAIN_CODE = """() => {
  const seen = new Set();
  for (const code of document.querySelectorAll(".highlight pre")) {
    const ground = code.closest(".cell_output") ? "output" : "input";
    const kinds = [...code.querySelectorAll("span[class]")].map((word) => `${word.className} ${ground}`);
    if (kinds.every((kind) => seen.has(kind))) code.textContent = code.textContent;
    kinds.forEach((kind) => seen.add(kind));
  }
}"""
NO_DRAWN_FORMULAS = """() => document.querySelectorAll(".katex-html").forEach((drawn) => drawn.remove())"""
RUN_AXE = """async (options) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false, ...options });
  const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return Object.fromEntries(bad.map(({ id, help, nodes }) => [`${id}: ${help}`,
    nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`)]));
}"""
TOO_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 160)).concat("the page scrolls sideways");
}"""
ALL_LIVE = """() => {
  const places = [...document.querySelectorAll(".n2t-alive")];
  return places.every((place) => place.querySelector(".n2t-live"));
}"""


def settled(page: Page) -> None:
    """Wait until every explorer of the page lives."""
    page.wait_for_function(ALL_LIVE)


def visit(context: BrowserContext, base: str, name: str, axe: str) -> Visit:
    """Load a page, look at it on a telephone, try it with axe."""
    found, page = Visit(), context.new_page()
    watch(page, base, found)
    page.set_viewport_size(WIDE)
    page.goto(base + name)
    settled(page)
    page.evaluate(axe)
    page.evaluate(PLAIN_CODE)
    page.set_viewport_size(NARROW)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found.too_wide = page.evaluate(TOO_WIDE)
    found.violations = page.evaluate(RUN_AXE, {"runOnly": ["scrollable-region-focusable"]})
    page.set_viewport_size(WIDE)
    page.evaluate(NO_DRAWN_FORMULAS)
    found.violations |= page.evaluate(RUN_AXE, {})
    page.close()
    return found


@pytest.fixture(scope="session")
def visits(chromium: Browser, address: str, axe: str) -> Iterator[Callable[[str], Visit]]:
    """Visit a page, or remember what was found there. Lessons with odd numbers are seen in the dark."""
    contexts = {scheme: chromium.new_context(color_scheme=scheme) for scheme in ("light", "dark")}

    @functools.cache
    def remembered(name: str) -> Visit:
        dark = Path(name).name[:2].isdigit() and int(Path(name).name[:2]) % 2
        return visit(contexts["dark" if dark else "light"], address, name, axe)

    yield remembered
    for context in contexts.values():
        context.close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A page with storage of its own, which may not complain."""
    found = Visit()
    context = chromium.new_context(viewport=WIDE, color_scheme="light")
    page = context.new_page()
    watch(page, address, found)
    yield page
    context.close()
    assert (found.problems, found.elsewhere) == ([], [])


# ------------------------------------------------------------------ every page
@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_without_an_error_or_a_request_elsewhere(visits: Callable[[str], Visit], name: str):
    found = visits(name)
    assert (found.problems, found.elsewhere) == ([], [])


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_telephone(visits: Callable[[str], Visit], name: str):
    assert visits(name).too_wide == []


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visits: Callable[[str], Visit], name: str):
    assert visits(name).violations == {}


def test_a_bad_page_is_found_out(tmp_path: Path, serve: Callable[[Path], str], chromium: Browser, axe: str):
    (tmp_path / "bad.html").write_text(
        f"""<!doctype html><html lang="en"><title>bad</title><img src="data:," id="mute">
        <link rel="stylesheet" href="https://elsewhere.test/font.css"><div style="width:900px">wide</div>
        <div class="highlight"><pre><span class="a" style="color:#ccc">pale</span></pre></div>
        <div class="highlight"><pre><span class="a" style="color:#ccc">passed over</span></pre></div>
        <pre style="overflow-x:auto; width:80px">{"x" * 99}</pre>
        <script>console.error("complaint"); fetch("/missing.json"); throw new Error("broken")</script>""",
        encoding="utf-8",
    )
    context = chromium.new_context()
    found = visit(context, serve(tmp_path), "bad.html", axe)
    context.close()
    told = " ".join(found.problems)
    assert all(word in told for word in ("complaint", "missing.json", "broken"))
    assert set(found.elsewhere) == {"https://elsewhere.test/font.css"}
    rules = {rule.partition(":")[0]: nodes for rule, nodes in found.violations.items()}
    assert {"image-alt", "color-contrast", "scrollable-region-focusable"} <= set(rules)
    assert len(rules["color-contrast"]) == 1 and "pale" in rules["color-contrast"][0]
    assert found.too_wide[-1] == "the page scrolls sideways"


# ------------------------------------------------------------------ links, titles, pictures
class Marks(HTMLParser):
    """The links, places, pictures and title of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.alts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one tag."""
        known = {key: value or "" for key, value in attrs}
        self.links += [known[key] for key in ("href", "src") if key in known]
        if "id" in known:
            self.ids.add(known["id"])
        if tag == "img":
            self.alts.append(known.get("alt", ""))


def dead_links(root: Path) -> list[str]:
    """Links of a folder's pages that lead to no file or to no place in it."""
    marks = {path.resolve(): Marks(path) for path in root.rglob("*.html")}
    dead = []
    for path, page in marks.items():
        for link in page.links:
            file, place = urldefrag(link)
            if file.startswith(("http://", "https://", "data:", "mailto:")):
                continue
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            there = target.is_file() and (
                not place or target not in marks or unquote(place) in marks[target].ids
            )
            if not there:
                dead.append(f"{path.relative_to(root.resolve())}: {link}")
    return dead


def test_links_lead_somewhere(site: Path):
    assert dead_links(site) == []


def test_a_dead_link_is_found_out(tmp_path: Path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html">b</a><a href="#x">x</a><p id="y"><a href="a.html#y">y</a>'
    )
    assert dead_links(tmp_path) == ["a.html: b.html", "a.html: #x"]


def test_every_lesson_has_its_page_its_downloads_and_its_neighbours(site: Path):
    for before, name, after in zip([None, *LESSONS[:-1]], LESSONS, [*LESSONS[1:], None], strict=True):
        links = Marks(site / name).links
        stem = name.removesuffix(".html")
        for within in (f"{stem}.ipynb", f"exercises/{stem}.ipynb"):
            stored = REPOSITORY / "notebooks" / within
            if stored.exists():
                assert f"downloads/{within}" in links
                assert (site / "downloads" / within).read_bytes() == stored.read_bytes()
        text = (site / name).read_text(encoding="utf-8")
        foot = text[text.index("prev-next-footer") :]
        assert before is None or f'href="{before}"' in foot
        assert after is None or f'href="{after}"' in foot


@pytest.mark.parametrize("name", ["index.html", *LESSONS])
def test_every_picture_has_words(site: Path, name: str):
    alts = Marks(site / name).alts
    assert alts and [alt for alt in alts if len(alt) < 20 or "Figure size" in alt] == []


# ------------------------------------------------------------------ what a reader does
def test_search_finds_a_word_of_a_lesson(page: Page, address: str):
    page.goto(address + "index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("perceptron")
    page.keyboard.press("Enter")
    hit = page.locator("ul.search a[href*='01_perceptron.html']").first
    hit.wait_for()
    hit.click()
    assert "01_perceptron.html" in page.url


def test_dark_mode_is_chosen_and_kept(page: Page, address: str):
    page.goto(address + LESSONS[0])
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    choose_theme(page, "dark")
    dark = page.evaluate(ground)
    assert light == "rgb(255, 255, 255)" and sum(map(int, dark[4:-1].split(","))) < 120
    page.goto(address + LESSONS[1])
    assert page.evaluate(ground) == dark


def choose_theme(page: Page, mode: str) -> None:
    """Choose light or dark in the theme's menu, by keyboard."""
    switch = page.locator("header .theme-switch-button").first
    switch.press("Enter")
    switch.locator(f"xpath=..//button[@data-mode='{mode}']").press("Enter")


def neuron(page: Page) -> tuple[Any, Callable[[], str], Any]:
    """The explorer of lesson 01, its picture, and its still."""
    explorer = page.locator("[data-explorer=neuron]")
    explorer.wait_for()
    still = page.locator(".cell_output:has([data-explorer=neuron]) img")
    return explorer, lambda: explorer.locator(".n2t-stage svg").inner_html(), still


def test_an_explorer_is_moved_by_keyboard(page: Page, address: str):
    page.goto(address + "01_perceptron.html")
    explorer, picture, still = neuron(page)
    assert still.count() == 1 and not still.is_visible()
    slider, said = explorer.locator("input[type=range]").first, explorer.locator(".n2t-say")
    before, words = picture(), said.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert picture() != before and said.inner_text() != words
    explorer.locator("button[name=reset]").press("Enter")
    assert picture() == before


def test_on_paper_the_still_is_shown(page: Page, address: str):
    page.goto(address + "01_perceptron.html")
    explorer, _, still = neuron(page)
    page.emulate_media(media="print")
    assert still.is_visible() and not explorer.is_visible()


def test_a_question_is_answered_and_remembered(page: Page, address: str):
    page.goto(address + "01_perceptron.html")
    question = page.locator("[data-explorer=predict]").first
    question.locator("input[type=radio]").first.check()
    question.locator("button[name=reveal]").press("Enter")
    assert question.get_attribute("data-result") in ("right", "wrong")
    assert len(question.locator("[role=status]").inner_text()) > 20
    page.reload()
    assert page.locator("[data-explorer=predict]").first.get_attribute("data-result") in ("right", "wrong")


def test_every_explorer_that_needs_no_kernel_lives(site: Path):
    text = "".join((site / name).read_text(encoding="utf-8") for name in LESSONS)
    alive = Counter(re.findall(r'data-module="(\w+)-', text))
    assert set(alive) >= FREE_OF_THE_KERNEL
    asked = [Course().source("lessons", Path(name).stem).read_text(encoding="utf-8") for name in LESSONS]
    assert alive["predict"] == sum(source.count("\nexplore.predict(") for source in asked) > len(LESSONS)


def test_the_site_opens_from_disk(chromium: Browser, site: Path):
    context = chromium.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto((site / "01_perceptron.html").as_uri())
    explorer, picture, _ = neuron(page)
    before = picture()
    explorer.locator("input[type=range]").first.press("ArrowRight")
    assert picture() != before
    context.close()


def test_without_scripts_the_stills_and_formulas_are_there(chromium: Browser, address: str):
    context = chromium.new_context(java_script_enabled=False, viewport=WIDE)
    page = context.new_page()
    page.goto(address + "01_perceptron.html")
    stills = page.locator(".cell_output img")
    assert stills.count() > 3 and all(still.is_visible() for still in stills.all())
    folded = page.locator(".cell_output details")
    assert folded.count() == 2 and not folded.locator("p").first.is_visible()
    assert page.locator(".katex-html").count() > 20
    context.close()


def test_formulas_are_typeset(page: Page, address: str):
    for name in ("01_perceptron.html", "exercises/05_losses.html"):
        page.goto(address + name)
        page.evaluate("document.fonts.ready")
        bare = page.locator(".math").evaluate_all(
            "all => all.filter(one => !one.querySelector('.katex-html')).map(one => one.textContent)"
        )
        assert bare == [] and page.locator(".math").count() > 2
        loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
        assert "KaTeX_Main" in loaded


# ------------------------------------------------------------------ making it
def test_a_folder_with_other_files_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SiteError, match="other files"):
        make_site(Course(), tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_course_without_lessons_is_refused(tmp_path: Path):
    with pytest.raises(SiteError, match="no lessons"):
        make_site(Course(tmp_path), tmp_path / "site")


def test_without_npm_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SiteError, match="apt-get install nodejs npm"):
        package("katex", "0.0.0", tmp_path)


def test_the_site_is_marked_as_made_here(site: Path):
    assert (site / MARK).exists() and not list(site.rglob("*.pickle"))
