"""Make the slides: ``python -m utils.slides``, or ``make slides``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from utils.build import REPOSITORY, BuildError, Course
from utils.site.vendor import SiteError
from utils.slides.pages import make_slides


def main(
    stem: Annotated[str | None, typer.Option(help="only this lesson, such as 04_mlp")] = None,
    out: Annotated[Path, typer.Option(help="the folder to make")] = REPOSITORY / "slides",
    root: Annotated[Path, typer.Option(help="the course's root folder")] = REPOSITORY,
    check: Annotated[bool, typer.Option("--check", help="render them, say which slide does not fit")] = False,
) -> None:
    """Make slides and speaker's notes of the lessons from the stored notebooks. Nothing is executed."""
    out = out.resolve()
    try:
        decks = make_slides(Course(root.resolve()), out, [stem] if stem else None)
        if check:
            from utils.slides.check import problems

            found = list(problems(out / f"{each}.html" for each in decks))
            for line in found:
                typer.echo(line)
    except (SiteError, BuildError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for each, deck in decks.items():
        typer.echo(f"{each}: {len(deck.slides)} slides, {deck.minutes:g} minutes")
    if check:
        count = f"{len(found)} slide{' needs' if len(found) == 1 else 's need'} work"
        typer.echo(count if found else "every slide fits")
        if found:
            raise typer.Exit(1)
    first = f"{stem}.html" if stem else "index.html"
    typer.echo(f"Open {out / first}")


if __name__ == "__main__":
    typer.run(main)
