"""The web site in a real browser: no network, no dead link, explorers that live, pages that all can read.

The site is made once. Every page is visited once, narrow and then wide, in the light and in the dark; the
tests look at what was found there.
"""

from __future__ import annotations

import functools
import http.server
import itertools
import json
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
from playwright.sync_api import Browser, Page
from real_lab import REPOSITORY

from utils.build import Course
from utils.site.__main__ import MARK, make_site
from utils.site.vendor import SiteError, package

AXE = ("axe-core", "4.14.1")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
LESSONS = [f"{stem}.html" for stem in Course().stems()]
EXERCISES = [f"exercises/{stem}.html" for stem in Course().stems("exercises")]
SOLUTIONS = [name.replace("exercises", "solutions") for name in EXERCISES]
FREE_OF_THE_KERNEL = {
    "activation", "attention", "broadcast", "bugs", "capacity", "contest", "convolution", "gates", "graph",
    "initialization", "neuron", "outlier", "playground", "predict", "race", "replay_perceptron", "sampling",
    "threshold",
}  # fmt: skip
PAGES = ["index.html", "search.html", "404.html", *LESSONS, *EXERCISES, *SOLUTIONS]


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


@dataclass
class Visit:
    """What was found on one page."""

    problems: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    too_wide: list[str] = field(default_factory=list)


def watch(page: Page, base: str, found: Visit) -> Callable[[], None]:
    """Note down what a page complains of, and requests to any other place, until the returned is called."""
    at_home = (base, "data:", "blob:", "about:")
    heard: dict[Any, Callable[[Any], None]] = {
        "request": lambda r: None if r.url.startswith(at_home) else found.elsewhere.append(r.url),
        "pageerror": lambda error: found.problems.append(str(error)),
        "console": lambda m: found.problems.append(m.text) if m.type in ("error", "warning") else None,
        "response": lambda r: found.problems.append(f"{r.status} {r.url}") if r.status >= 400 else None,
    }
    for event, note in heard.items():
        page.on(event, note)
    return lambda: [page.remove_listener(event, note) for event, note in heard.items()] and None


STILL = """() => {
  document.head.insertAdjacentHTML("beforeend", "<style>* { transition: none !important }</style>");
}"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# To judge contrast axe looks behind each word on the page, which takes most of its time. Words whose colours,
# size and ground are the same are judged once, on the first page that has them.
ONE_OF_EACH_LOOK = """([theme, judged]) => {
  document.documentElement.dataset.theme = theme;
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
  const grounds = new Map([[null, ""]]);
  const ground = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(element);
      const own = [backgroundColor, backgroundImage, opacity, filter].join();
      grounds.set(element, own === "rgba(0, 0, 0, 0),none,1,none" ? ground(element.parentElement)
        : `${own};${ground(element.parentElement)}`);
    }
    return grounds.get(element);
  };
  const seen = new Set(judged);
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const elements = new Set(document.querySelectorAll("input, select, textarea"));
  while (words.nextNode()) if (words.currentNode.data.trim()) elements.add(words.currentNode.parentElement);
  for (const element of elements) {
    if (element.closest("script, style, .katex-html, .katex-mathml") || !element.checkVisibility()) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(element);
    const look = [color, fontSize, fontWeight, textShadow, ground(element)].join();
    if (!seen.has(look)) element.dataset.look = "";
    seen.add(look);
  }
  return [...seen].slice(judged.length);
}"""
# What KaTeX draws in a line is hidden from screen readers, who get MathML; the words of code have one colour
# or another and nothing else. Without those thousands of parts axe takes a third of the time.
LESS_TO_READ = """() => {
  document.querySelectorAll(".math:not(:has(.katex-display)) .katex-html").forEach((drawn) => drawn.remove());
  document.querySelectorAll(".highlight pre:not(:has([data-look]))")
    .forEach((code) => { code.textContent = code.textContent; });
}"""
NOTHING_ELSE = """() => document
  .querySelectorAll(".bd-article :not([data-look], :has([data-look], .n2t), .n2t, .n2t *)")
  .forEach((other) => other.remove())"""
RUN_AXE = """async ({ theme, ...options }) => {
  document.documentElement.dataset.theme = theme;
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


def judge(page: Page, looks: list[str]) -> dict[str, list[str]]:
    """What axe calls serious in a page as it stands; contrast in the light and in the dark.

    Args:
        looks: of words that have been judged on other pages; those of this page are added.
    """
    page.evaluate(STILL)
    new = {}
    for theme in ("light", "dark"):
        new[theme] = page.evaluate(ONE_OF_EACH_LOOK, [theme, looks])
        looks += new[theme]
    page.evaluate(LESS_TO_READ)
    never_serious = {"region": {"enabled": False}}  # and slow
    found = page.evaluate(RUN_AXE, {"theme": "light", "rules": never_serious})
    if new["dark"]:
        page.evaluate(NOTHING_ELSE)
        dark = page.evaluate(RUN_AXE, {"theme": "dark", "runOnly": ["color-contrast"]})
        found |= {f"{rule} (dark)": nodes for rule, nodes in dark.items()}
    return found


def visit(page: Page, base: str, name: str, looks: list[str]) -> Visit:
    """Load a page on a telephone, look for what is too wide, try it with axe, and make it wide."""
    found = Visit()
    forget = watch(page, base, found)
    page.set_viewport_size(NARROW)
    page.goto(base + name)
    settled(page)
    found.too_wide = page.evaluate(TOO_WIDE)
    found.violations = judge(page, looks)
    page.set_viewport_size(WIDE)
    page.evaluate(TWO_FRAMES)  # explorers draw again
    page.goto("about:blank")
    forget()
    return found


@pytest.fixture(scope="module")
def reader(chromium: Browser) -> Iterator[Page]:
    """The page in which all others are visited, one after the other; it has axe."""
    context = chromium.new_context(viewport=WIDE)
    context.add_init_script(path=package(*AXE) / "axe.min.js")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def visits(reader: Page, address: str) -> Callable[[str], Visit]:
    """Visit a page, or remember what was found there."""
    looks: list[str] = []
    return functools.cache(lambda name: visit(reader, address, name, looks))


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


@pytest.mark.parametrize("name", ["index.html", "search.html", LESSONS[1], EXERCISES[1], SOLUTIONS[1]])
def test_axe_finds_nothing_serious_between_the_two_lists(reader: Page, address: str, name: str):
    """On a wide screen the lists of pages and of headings are there, too: the same on all pages of a kind."""
    reader.set_viewport_size(WIDE)
    reader.goto(address + name)
    settled(reader)
    assert reader.locator(".bd-sidebar-primary").is_visible()
    assert judge(reader, []) == {}


def test_a_bad_page_is_found_out(tmp_path: Path, serve: Callable[[Path], str], reader: Page):
    (tmp_path / "bad.html").write_text(
        f"""<!doctype html><html lang="en"><title>bad</title><img src="data:," id="mute">
        <style>html[data-theme=dark] body > div {{ background: #222 }}</style>
        <link rel="stylesheet" href="https://elsewhere.test/font.css"><div style="width:900px">wide</div>
        <div class="highlight"><pre><span class="a" style="color:#ccc">pale</span></pre></div>
        <div class="highlight"><pre><span class="a" style="color:#ccc">passed over</span></pre></div>
        <pre style="overflow-x:auto; width:80px">{"x" * 99}</pre>
        <script>console.error("complaint"); fetch("/missing.json"); throw new Error("broken")</script>""",
        encoding="utf-8",
    )
    found = visit(reader, serve(tmp_path), "bad.html", [])
    told = " ".join(found.problems)
    assert all(word in told for word in ("complaint", "missing.json", "broken"))
    assert set(found.elsewhere) == {"https://elsewhere.test/font.css"}
    rules = {rule.partition(":")[0]: nodes for rule, nodes in found.violations.items()}
    assert {"image-alt", "color-contrast", "scrollable-region-focusable"} <= set(rules)
    contrast = {
        rule[-6:]: nodes for rule, nodes in found.violations.items() if rule.startswith("color-contrast")
    }
    assert [len(nodes) for nodes in contrast.values()] == [1, 1]  # of two that look the same, one
    assert "wide" in contrast.pop("(dark)")[0] and "pale" in contrast.popitem()[1][0]
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
    """And a word on where the notebooks run: not in the page."""
    for before, name, after in zip([None, *LESSONS[:-1]], LESSONS, [*LESSONS[1:], None], strict=True):
        links = Marks(site / name).links
        stem = name.removesuffix(".html")
        for within in (f"{stem}.ipynb", f"exercises/{stem}.ipynb"):
            stored = REPOSITORY / "notebooks" / within
            if stored.exists():
                assert f"downloads/{within}" in links
                assert (site / "downloads" / within).read_bytes() == stored.read_bytes()
        assert "index.html#run-it-yourself" in links
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


def test_search_names_lessons_first(page: Page, address: str):
    page.goto(address + "search.html?q=softmax")
    page.locator("ul.search a[href*='exercises/']").first.wait_for()
    first = page.locator("ul.search a").first.get_attribute("href")
    assert first.startswith(("02_", "05_", "14_"))


def test_what_is_searched_for_stands_beside_the_magnifying_glass(page: Page, address: str):
    page.goto(address + "search.html")
    form = page.locator(".bd-search-container form")
    glass, words = form.locator("i").bounding_box(), form.locator("input").bounding_box()
    assert glass["width"] > 8 and glass["x"] + glass["width"] <= words["x"]


def test_on_a_telephone_there_is_search_and_a_drawer_of_headings_that_goes(page: Page, address: str):
    page.set_viewport_size(NARROW)
    page.goto(address + LESSONS[1])
    button = page.locator("header").get_by_role("button", name="Search")
    assert button.locator("i").bounding_box()["width"] > 8
    button.click()
    page.locator("#pst-search-dialog[open] input").press("Escape")
    page.get_by_role("button", name="On this page").click()
    drawer = page.locator("#pst-secondary-sidebar-modal")
    drawer.get_by_role("link", name="What to remember").click()
    drawer.wait_for(state="hidden")
    assert page.url.endswith("#what-to-remember")
    assert 0 <= page.locator("h2", has_text="What to remember").bounding_box()["y"] < NARROW["height"]


def test_from_a_page_that_is_missing_the_course_is_found(
    reader: Page, site: Path, serve: Callable[[Path], str]
):
    """At any depth, on a server where the course is not in the first folder."""
    home, found = f"{serve(site.parent)}{site.name}/", reader.locator("html[data-root]")
    reader.route("**/nothing.html", lambda route: route.fulfill(status=404, path=site / "404.html"))
    reader.goto(home + "exercises/deeper/nothing.html")
    found.wait_for()
    reader.get_by_role("searchbox").fill("softmax")
    reader.keyboard.press("Enter")
    reader.locator("ul.search a").first.wait_for()
    assert reader.url == home + "search.html?q=softmax"
    reader.go_back()
    found.wait_for()
    reader.get_by_role("link", name="01 · ").click()
    reader.locator("article").wait_for()
    assert reader.url == home + LESSONS[1]


def test_search_gives_no_solution_away(site: Path):
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    solutions = {k for k, name in enumerate(index["docnames"]) if name.startswith("solutions/")}
    parts = [index[part].values() for part in ("terms", "titleterms")]
    known = {k for found in itertools.chain(*parts) for k in (found if isinstance(found, list) else [found])}
    known |= {k for found in index["alltitles"].values() for k, _ in found}
    assert len(solutions) == len(SOLUTIONS) and not known & solutions
    assert len(known) == len(LESSONS) + len(EXERCISES) + 1


def test_a_solution_is_reached_from_its_exercise_and_folded(page: Page, address: str):
    page.goto(address + "exercises/03_broadcasting.html")
    page.get_by_role("link", name="Solution of 03.one_hot").click()
    assert page.url.endswith("solutions/03_broadcasting.html#solution-03-one-hot")
    assert page.locator("meta[name=robots]").get_attribute("content") == "noindex"
    answer = page.locator("details:has(summary:text('Solution of 03.one_hot'))")
    code, why = answer.locator("pre"), answer.locator("p").last
    assert answer.is_visible() and not code.is_visible() and not why.is_visible()
    answer.locator("summary").press("Enter")
    assert "torch.arange(k)" in code.inner_text() and why.is_visible()
    assert page.locator("details[open]").count() == 1


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


@pytest.mark.parametrize("width", [390, 768, 1200, 1280, 1600])
def test_controls_stand_beside_the_picture_where_there_is_room(page: Page, address: str, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + "01_perceptron.html")
    neuron(page)
    picture, controls = (
        page.locator(f"[data-explorer=neuron] .n2t-{part}").bounding_box() for part in ("stage", "side")
    )
    beside = controls["x"] > picture["x"] + picture["width"] and controls["y"] < picture["y"] + 20
    assert beside == (width > 700)
    assert picture["width"] >= (340 if width == 390 else 400 if width < 1600 else 600)


def test_words_in_a_picture_stay_legible_on_a_telephone(page: Page, address: str):
    page.set_viewport_size(NARROW)
    page.goto(address + "05_losses.html")
    settled(page)
    sizes = page.locator(".cell_output > img:visible").evaluate_all(
        "all => all.map((one) => [one.width, one.naturalWidth, one.parentElement.clientWidth])"
    )
    assert len(sizes) > 5 and min(width / natural for width, natural, _ in sizes) > 0.57
    wide = [box for _, natural, box in sizes if natural > 700]
    assert wide and max(wide) < NARROW["width"]  # the box scrolls, not the page


def test_paper_is_white_and_nothing_on_it_is_folded(page: Page, address: str):
    page.emulate_media(color_scheme="dark")
    page.goto(address + "05_losses.html")
    open_answers = page.locator(".bd-article details[open]")
    theme, answers = "document.documentElement.dataset.theme", page.locator(".bd-article details").count()
    assert page.evaluate(theme) == "dark" and open_answers.count() == 0 and answers > 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(theme) == "light" and open_answers.count() == answers
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(theme) == "dark" and open_answers.count() == 0


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


def test_a_stop_stays_with_its_formula(page: Page, address: str):
    page.goto(address + "05_losses.html")
    page.evaluate("document.fonts.ready")
    for width in (390, 420, 450):
        page.set_viewport_size({"width": width, "height": 800})
        broken = page.locator(".together").evaluate_all(
            "all => all.filter((one) => one.getClientRects().length > 1).map((one) => one.textContent)"
        )
        assert broken == [] and page.locator(".together").count() > 20


# ------------------------------------------------------------------ making it
def test_nothing_large_is_loaded_for_little(site: Path):
    """No script for icons, no maps of scripts, and the search's index on the page of search alone."""
    loaded = [path for path in (site / "_static").rglob("*") if path.suffix in (".js", ".map")]
    assert [path for path in loaded if path.suffix == ".map" or path.stat().st_size > 150_000] == []
    text = (site / LESSONS[1]).read_text(encoding="utf-8")
    assert "searchindex.js" not in text and "fontawesome.js" not in text


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
