"""Packages from npm, for site and slides: fetched once into ``build/npm``; none is kept in the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]  # utils.build would bring torch, and the hub asks here, too
STORE = REPOSITORY / "build" / "npm"
KATEX = ("katex", "0.16.22")
PROXY = ("configurable-http-proxy", "5.3.0")  # not the site's: it stands in front of JupyterHub
PATIENCE = 180  # seconds


class SiteError(RuntimeError):
    """The site cannot be made; the message says why and what to do."""


def program(name: str) -> str:
    """The path of ``node`` or ``npm``.

    Raises:
        SiteError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise SiteError(
            f"Scripts from npm are needed, which is why this asks for {name}, and there is none on the PATH. "
            "On Debian and Ubuntu: sudo apt-get install nodejs npm"
        )
    return path


def package(name: str, version: str, store: Path = STORE) -> Path:
    """The folder of an npm package in exactly this version; npm is asked only if it is not there yet.

    Raises:
        SiteError: npm is missing or could not fetch the package.
    """
    home = store / f"{name}-{version}"  # one folder a package: npm removes what it was not asked for
    folder = home / "node_modules" / name
    if stored_version(folder) != version:
        home.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        command = [program("npm"), "install", "--prefix", str(home), *quiet, f"{name}@{version}"]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            said = run.stderr.strip()
        except subprocess.TimeoutExpired:
            said = f"npm did not answer within {PATIENCE} seconds"
        if stored_version(folder) != version:
            raise SiteError(
                f"npm could not fetch {name} {version}; it needs the network this once.\n{said}\n"
                f"Try again with a connection; the package is then kept in {store}."
            )
    return folder


def stored_version(folder: Path) -> str | None:
    """The version of the npm package in a folder; None where there is none."""
    try:
        return json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        return None
