"""A real JupyterLab and a real Chromium, for the browser tests and for ``benchmarks/explorers.py``.

JupyterLab runs on a copy of the notebooks with a home, configuration and data folder of its own, so that
nothing a learner has installed or set can change a test, and no test can change what a learner has.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, WebSocket

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGE_LASTS = 6  # notebooks: what JupyterLab's page holds in memory grows with each
KERNEL_ERROR = re.compile(rb'"msg_type": ?"error"')

# Console errors of JupyterLab itself that say nothing about a notebook: pattern -> why it may be there.
HARMLESS_CONSOLE_ERRORS = {
    r"/lsp/status|language-?servers?": "no language server is installed; code completion does without",
    r"widget model not found": "a stored explorer whose cell has not run yet: its still shows",
    r"favicon\.ico": "the browser asks for an icon before the page names its own",
}


class BrowserMissing(RuntimeError):
    """No Chromium on this machine."""


def launch_browser(playwright: Playwright) -> Browser:
    """Start headless Chromium.

    Raises:
        BrowserMissing: none of `CHROMIUM_NAMES` is on the PATH.
    """
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        raise BrowserMissing(
            f"Browser tests need one of {', '.join(CHROMIUM_NAMES)} on the PATH, and none is there. "
            "On Debian and Ubuntu: sudo apt-get install chromium"
        )
    return playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealLab:
    """A JupyterLab server on `root`, with its own settings under `home`; use it as a context manager."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = home / "jupyterlab.log"
        self.process: subprocess.Popen | None = None
        self.page: Page | None = None  # with JupyterLab in it and no notebook open: see `opened`
        self.notebooks_in_page = 0

    def environment(self) -> dict[str, str]:
        """The variables that JupyterLab and its kernels see: everything written goes below `home`."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "N2T_", "XDG_"))
        }
        own = {
            "HOME": self.home,
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
            "IPYTHONDIR": self.home / "ipython",
            "MPLCONFIGDIR": self.home / "matplotlib",
            "N2T_CACHE": self.home / "cache",
            "N2T_PROGRESS": self.home / "progress.json",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return kept | {k: str(v) for k, v in own.items()}

    def __enter__(self) -> RealLab:
        self._set("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False})
        self._set("docmanager-extension/plugin", {"autosave": False})  # no test changes another's notebook
        # matplotlib writes to stderr while it builds its font list: that must not happen inside a notebook
        warm_up = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(warm_up, env=self.environment(), check=True, capture_output=True)
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root"),
            *(f"--ServerApp.root_dir={self.root}", f"--ServerApp.port={self.url.rsplit(':', 1)[1]}"),
            *(
                "--ServerApp.port_retries=0",
                "--ServerApp.disable_check_xsrf=True",
                "--IdentityProvider.token=",
                "--ServerApp.password=",
            ),
            *(
                "--ServerApp.ip=127.0.0.1",
                "--LabApp.news_url=None",
                "--LanguageServerManager.autodetect=False",
            ),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_until_up(60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _set(self, plugin: str, settings: dict[str, Any]) -> None:
        path = self.home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    def _wait_until_up(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)  # its own session: the kernels go with it
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop_kernel(self, path: str) -> None:
        """Shut down the kernel of the notebook at `path` and wait until the server knows of it no more."""
        end = time.monotonic() + 20
        while running := [s["id"] for s in self._sessions() if s["path"] == path]:
            if time.monotonic() > end:
                raise RuntimeError(f"the kernel of {path} does not stop")
            for session in running:
                request = urllib.request.Request(f"{self.url}/api/sessions/{session}", method="DELETE")
                with suppress(urllib.error.HTTPError):  # gone in the meantime
                    urllib.request.urlopen(request, timeout=20).close()

    def _sessions(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/api/sessions", timeout=20) as answer:
            return json.load(answer)


@dataclass
class OpenNotebook:
    """A notebook open in JupyterLab, and everything that went wrong in its page so far."""

    page: Page
    path: str
    console_errors: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    kernel_errors: list[str] = field(default_factory=list)
    missing: str = ""  # of what should have been seen before any cell ran
    awaited: int = 0  # explorers that the cells which ran have called for
    keep_page: bool = True  # no, where something may still come up in it later, such as a dialog

    def listen(self) -> None:
        """Note console errors, uncaught exceptions and ``error`` messages of the kernel from here on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_page_error)
        self.page.on("websocket", self._on_websocket)

    def stop_listening(self) -> None:
        """Leave what happens in the page from here on to others."""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_page_error)
        self.page.remove_listener("websocket", self._on_websocket)

    def _on_page_error(self, error: Error) -> None:
        self.page_errors.append(error.stack or str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        text = f"{message.text} ({message.location.get('url', '')})"
        if not any(re.search(pattern, text) for pattern in HARMLESS_CONSOLE_ERRORS):
            self.console_errors.append(text)

    def _on_websocket(self, socket_: WebSocket) -> None:
        socket_.on("framereceived", self._on_frame)

    def _on_frame(self, payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        if KERNEL_ERROR.search(data):
            self.kernel_errors.append(data[:2000].decode(errors="replace"))

    def script(self, body: str, argument: Any = None) -> Any:
        """Evaluate the body of an async JavaScript function of `app`, `panel` and `argument`."""
        return self.page.evaluate(
            f"""async argument => {{
                const app = window.jupyterapp, panel = app.shell.currentWidget;
                {body}
            }}""",
            argument,
        )

    def run_all(self) -> None:
        """Run every cell and wait until the kernel is idle again."""
        self.script("await app.commands.execute('notebook:run-all-cells');")
        self.settle()

    def run_cell(self, index: int, source: str | None = None) -> None:
        """Run cell `index`, with `source` in it if given, and wait until the kernel is idle again."""
        self.script(
            """const [index, source] = argument, notebook = panel.content;
               notebook.deselectAll(); notebook.activeCellIndex = index;
               if (source !== null) notebook.activeCell.model.sharedModel.setSource(source);
               await app.commands.execute('notebook:run-cell');""",
            [index, source],
        )
        self.settle()

    def settle(self) -> None:
        """Wait until the kernel is idle, two minutes at most, and the page has drawn what it sent."""
        self.script(
            """const kernel = panel.sessionContext.session?.kernel;
               const end = Date.now() + 120000;
               while (kernel && kernel.status !== 'idle' && Date.now() < end)
                   await new Promise(done => setTimeout(done, 20));
               if (kernel && kernel.status !== 'idle') throw new Error(`the kernel is ${kernel.status}`);
               await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"""
        )

    def sources(self) -> list[str]:
        """What stands in the cells now."""
        return self.script("return [...panel.content.model.cells].map(cell => cell.sharedModel.source);")

    def outputs(self, pick: str) -> list[Any]:
        """What a JavaScript function of an output and its cell's number gives, where it gives something.

        The outputs themselves, megabytes of pictures in a lesson, stay in the page.
        """
        return self.script(
            f"""const pick = {pick}, found = [];
                for (const [number, cell] of [...panel.content.model.cells].entries()) {{
                    if (cell.type !== 'code') continue;
                    for (let i = 0; i < cell.outputs.length; i += 1) {{
                        const given = pick(cell.outputs.get(i).toJSON(), number);
                        if (given !== undefined) found.push(given);
                    }}
                }}
                return found;"""
        )

    def problems(self) -> list[str]:
        """Everything that must not be there: error and stderr outputs, console, page and kernel errors."""
        found = self.outputs(
            """(output, number) => {
                if (output.output_type === 'error')
                    return `cell ${number}: ${output.ename}: ${output.evalue}`;
                if (output.name === 'stderr')
                    return `cell ${number} wrote to stderr: ${[output.text].flat().join('').slice(0, 500)}`;
            }"""
        )
        found += [f"console: {text}" for text in self.console_errors]
        found += [f"page: {text}" for text in self.page_errors]
        found += [f"kernel: {text}" for text in self.kernel_errors]
        return found

    def close(self) -> None:
        """Shut the kernel down and close the notebook without saving it, so that the page is as it was."""
        if self.script("return document.body.dataset.jpThemeLight;") == "false":
            self.theme("JupyterLab Light")
        self.script(
            """await panel.sessionContext.shutdown();
               panel.context.model.dirty = false;
               panel.close();"""
        )
        self.page.wait_for_function(
            "() => ![...window.jupyterapp.shell.widgets('main')].some(widget => widget.context)"
        )
        self.page.wait_for_timeout(100)

    def theme(self, name: str) -> None:
        """Switch JupyterLab to "JupyterLab Dark" or "JupyterLab Light" and wait for its colours."""
        self.script("await app.commands.execute('apputils:change-theme', {theme: argument});", name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.settle()


@contextmanager
def opened(browser: Browser, lab: RealLab, path: str, *, kernel: bool = True) -> Iterator[OpenNotebook]:
    """Open the notebook at `path` (below the server's root) in JupyterLab, alone, with a kernel of its own.

    With ``kernel=False`` the notebook is opened as JupyterLab shows it when no kernel runs. To start
    JupyterLab in the browser costs more than most tests, so its page is kept for the next notebook, if it
    could be closed in order.
    """
    if lab.page is None:
        lab.notebooks_in_page = 0
    page = lab.page or _new_page(browser, lab)
    lab.page = None
    lab.notebooks_in_page += 1
    notebook = OpenNotebook(page, path)
    notebook.listen()
    try:
        notebook.script(
            """const options = {path: argument[0], factory: 'Notebook'};
               if (!argument[1]) options.kernelPreference = {shouldStart: false, canStart: false};
               await app.commands.execute('docmanager:open', options);""",
            [path, kernel],
        )
        page.wait_for_function(
            "path => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=path
        )
        notebook.script(
            """await panel.context.ready; await panel.revealed;
               if (argument) await panel.sessionContext.ready;""",
            kernel,
        )
        notebook.settle()
        page.keyboard.press("Escape")
        yield notebook
        notebook.stop_listening()
        if notebook.keep_page and lab.notebooks_in_page < PAGE_LASTS:
            notebook.close()
            lab.page = page
    finally:
        if lab.page is None:
            page.context.close()
        lab.stop_kernel(path)


def _new_page(browser: Browser, lab: RealLab) -> Page:
    """JupyterLab in a fresh page and workspace, with nothing open."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{lab.url}/lab?reset")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell")
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    return page


def tiny_notebook(folder: Path, name: str, sources: list[str]) -> Path:
    """Write a notebook of code cells with these sources; returns its path."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / name
    nbformat.write(notebook, path)
    return path


def wait_for(
    condition: Callable[[], Any], page: Page, *, seconds: float = 5, every: float = 20, what: str = ""
) -> Any:
    """Ask again until `condition` is true, letting the page work in between; returns its value.

    Args:
        condition: asked at least once.
        page: lives on between two questions.
        seconds: how long to go on asking.
        every: milliseconds between two questions.
        what: what should happen, in words.

    Raises:
        AssertionError: it did not happen in time.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds} s: {what or condition}")
        page.wait_for_timeout(every)
