"""Make the web site: ``python -m utils.site``, or ``make site``.

The site is a folder of files. It can be put on any web server, or opened from disk.
"""

from __future__ import annotations

import io
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from utils.build import REPOSITORY, BuildError, Course
from utils.site.vendor import KATEX, SiteError, package

ASSETS = Path(__file__).parent / "assets"
MARK = ".made-by-make-site"  # in a folder that may be overwritten
OF_NO_USE = [  # to a reader: what Sphinx and its theme leave and no page loads
    "objects.inv",
    "_static/webpack-macros.html",
    "_static/**/*.map",
    "_static/scripts/fontawesome.js",
    "_static/vendor/fontawesome/webfonts/fa-brands-*",
    "_static/vendor/fontawesome/webfonts/fa-regular-*",
]


def settings(source: Path, lessons: dict[str, str]) -> dict[str, Any]:
    """Sphinx's configuration.

    Args:
        source: the folder with the pages' sources.
        lessons: each lesson's page -> its title, for the page that stands in for a missing one.
    """
    return {
        "project": "Neurons to Transformers",
        "html_title": "Neurons to Transformers",
        "language": "en",  # for British English Sphinx's search has no words
        "extensions": ["myst_nb", "utils.site.formulas"],
        "exclude_patterns": ["extra"],
        "templates_path": [str(ASSETS / "templates")],
        "suppress_warnings": ["mystnb.unknown_mime_type"],
        # notebooks: as they are stored
        "nb_execution_mode": "off",
        "nb_ipywidgets_js": {},  # by default scripts from a CDN
        "myst_enable_extensions": ["dollarmath", "amsmath"],
        "myst_dmath_double_inline": True,
        "html_math_renderer": "katex-at-build",
        # pages
        "html_theme": "pydata_sphinx_theme",
        "html_static_path": [str(source / "static")],
        "html_extra_path": [str(source / "extra")],
        "html_css_files": ["katex/katex.min.css", "site.css"],
        "html_js_files": [("site.js", {"defer": "defer"})],
        "html_search_scorer": str(ASSETS / "search_order.js"),
        "html_favicon": str(ASSETS / "favicon.svg"),
        "html_context": {"default_mode": "auto", "lessons": lessons},  # light or dark: as the reader's system
        "html_additional_pages": {"404": "not-found.html"},  # the name that web servers look for
        "html_copy_source": False,
        "html_use_index": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_sidebars": {"**": ["course-pages.html"]},
        "html_theme_options": {
            "logo": {"text": "Neurons to Transformers", "alt_text": ""},
            "search_bar_text": "Search the course",
            "navbar_align": "left",
            "navbar_center": [],
            "navbar_persistent": ["course-search.html"],
            "navbar_end": ["theme-switcher"],
            "article_header_start": [],
            "footer_start": [],
            "footer_end": [],
            "secondary_sidebar_items": ["page-toc"],
            "pygments_light_style": "a11y-high-contrast-light",
            "pygments_dark_style": "a11y-high-contrast-dark",
            "navigation_with_keys": False,  # arrow keys belong to the explorers
            "show_prev_next": True,
            "back_to_top_button": False,
        },
    }


def write_static(source: Path, scripts: dict[str, str]) -> None:
    """Put the site's own files, the explorers' scripts and KaTeX's style and fonts where Sphinx looks."""
    static = source / "static"
    (static / "explorers").mkdir(parents=True)
    for name in ("site.css", "site.js"):
        shutil.copy(ASSETS / name, static)
    for name, script in scripts.items():
        (static / "explorers" / name).write_text(script, encoding="utf-8")
    katex = package(*KATEX) / "dist"
    (static / "katex" / "fonts").mkdir(parents=True)
    shutil.copy(katex / "katex.min.css", static / "katex")
    for font in (katex / "fonts").glob("*.woff2"):  # the one kind that every browser of today takes
        shutil.copy(font, static / "katex" / "fonts")


def run_sphinx(source: Path, lessons: dict[str, str], out: Path, work: Path) -> None:
    """Make HTML out of the sources.

    Raises:
        SiteError: Sphinx warned: of a link that leads nowhere, a formula that cannot be read, and the like.
    """
    from sphinx.application import Sphinx

    warnings = io.StringIO()
    app = Sphinx(
        source,
        None,
        out,
        work,
        "html",
        confoverrides=settings(source, lessons),
        status=None,
        warning=warnings,
        parallel=2,
    )
    app.build(force_all=True)
    if app.statuscode or warnings.getvalue():
        raise SiteError(f"Sphinx is not content:\n{warnings.getvalue().strip()}")


def make_site(course: Course, out: Path, *, solutions: bool = True) -> int:
    """Make the site in ``out``, which is replaced as a whole. Returns how many pages it has.

    Raises:
        SiteError: something is missing, or ``out`` holds files that did not come from here.
    """
    from utils.site.pages import Source, write_pages

    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise SiteError(f"{out} holds other files, which would be lost; name an empty folder with --out")
    with tempfile.TemporaryDirectory(prefix="n2t-site-") as folder:
        source, html = Source(Path(folder) / "source"), Path(folder) / "html"
        write_pages(course, source, solutions=solutions)
        write_static(source.folder, source.scripts)
        run_sphinx(source.folder, source.lessons, html, Path(folder) / "work")
        (html / MARK).touch()
        (html / ".nojekyll").touch()  # else GitHub Pages leaves out folders that begin with _
        for left in itertools.chain.from_iterable(map(html.glob, OF_NO_USE)):
            left.unlink()
        if out.exists():
            shutil.rmtree(out)
        shutil.copytree(html, out)
    return len(list(out.rglob("*.html")))


def main(
    out: Annotated[Path, typer.Option(help="the folder to make")] = REPOSITORY / "site",
    root: Annotated[Path, typer.Option(help="the course's root folder")] = REPOSITORY,
    solutions: Annotated[bool, typer.Option(help="with pages of the exercises' solutions")] = True,
) -> None:
    """Make the web site of all lessons from the stored notebooks. Nothing is executed."""
    try:
        count = make_site(Course(root.resolve()), out.resolve(), solutions=solutions)
    except ModuleNotFoundError as error:
        typer.echo(f"{error}. The site needs more packages: make site installs them.", err=True)
        raise typer.Exit(1) from None
    except (SiteError, BuildError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{count} pages in {out}. Open {out / 'index.html'}, or: python -m http.server -d {out}")


if __name__ == "__main__":
    typer.run(main)
