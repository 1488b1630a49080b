"""Formulas, typeset by KaTeX while the site is made: a page shows them without any script.

A Sphinx extension. Each formula becomes HTML for the eye and MathML for screen readers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from utils.site.vendor import KATEX, SiteError, package, program

OPENING, CLOSING = re.compile(r"[(\[“‘]+$"), re.compile(r"^[.,;:!?)\]”’]+")
BREAKABLE = 24  # letters of TeX: a longer formula may be broken at the end of a line
SCRIPT = Path(__file__).parent / "assets" / "formulas.js"
log = logging.getLogger(__name__)


class FormulaError(ValueError):
    """KaTeX cannot read a formula; the message is KaTeX's."""


@cache
def typesetter(process: int) -> subprocess.Popen[str]:
    """A running KaTeX, one for each process of Sphinx, which would mix up each other's answers."""
    main = package(*KATEX) / "dist" / "katex.js"
    return subprocess.Popen(  # it ends by itself when this process does
        [program("node"), str(SCRIPT), str(main)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@cache
def typeset(tex: str, display: bool) -> str:
    """One formula as HTML.

    Raises:
        FormulaError: KaTeX cannot read it.
        SiteError: KaTeX has ended.
    """
    katex = typesetter(os.getpid())
    try:
        katex.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        katex.stdin.flush()
        line = katex.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        raise SiteError("KaTeX has ended without an answer; is node 18 or newer? Say: node --version")
    answer = json.loads(line)
    if "error" in answer:
        raise FormulaError(answer["error"])
    return answer["html"]


def glue(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Take the brackets and stops that touch a short formula into it.

    A browser breaks lines on either side of a formula, even before a comma.
    """
    for formula in list(doctree.findall(nodes.math)):
        if len(formula.astext()) > BREAKABLE:
            continue
        place, around = formula.parent.index(formula), formula.parent.children
        for side, beside, edge in (("before", place - 1, OPENING), ("after", place + 1, CLOSING)):
            text = around[beside] if 0 <= beside < len(around) else None
            found = edge.search(text) if isinstance(text, nodes.Text) else None
            if found:
                formula[side] = found[0]
                formula.parent[beside] = nodes.Text(edge.sub("", text))


def visit_formula(translator: HTML5Translator, node: nodes.Element) -> None:
    """Write a formula; one that cannot be read is shown as it is and named in a warning."""
    display = isinstance(node, nodes.math_block)
    tag = "div" if display else "span"
    try:
        body = typeset(node.astext(), display)
    except FormulaError as error:
        log.warning("formula %r: %s", node.astext(), error, location=node)
        body = translator.encode(node.astext())
    number = f'<span class="eqno">({node["number"]})</span>' if display and node.get("number") else ""
    formula = f'<{tag} class="math">{number}{body}</{tag}>'
    if "before" in node or "after" in node:
        before, after = (translator.encode(node.get(side, "")) for side in ("before", "after"))
        formula = f'<span class="together">{before}{formula}{after}</span>'
    translator.body.append(formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make this Sphinx's way to write formulas."""
    app.add_html_math_renderer(
        "katex-at-build", inline_renderers=(visit_formula, None), block_renderers=(visit_formula, None)
    )
    app.connect("doctree-resolved", glue)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
