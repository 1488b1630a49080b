"""The course's JupyterHub as deploy/jupyterhub configures it, started for a test, and users in front of it.

Where the tests run as root, the hub runs in a mount namespace of its own with accounts, homes and an exchange
that exist nowhere else: real users with user numbers of their own, PAM, and the spawner that a class has.
Elsewhere all servers run as the tester; then bubblewrap gives each its own name and home, and JupyterHub's
dummy authenticator asks for the password.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
from certipy import Certipy
from playwright.sync_api import Browser, Page
from real_lab import REPOSITORY, free_port

CONFIGURATION = REPOSITORY / "deploy" / "jupyterhub" / "jupyterhub_config.py"
PASSWORD = "correct horse"
# what /etc/shadow holds for it: `openssl passwd -6 -salt courseofneurons "correct horse"`
HASH = (
    "$6$courseofneurons$"
    "sxSQXrvlkVyWY6yzSxlVtyGw/z5lVMZvULqukebgP4MlJKgNwlrAbs4NE9rsWu3uIHc2gMm.VTFFKFs7MNvYj."
)
TEACHER, STUDENTS = "teacher", ("ada", "ben")
NUMBERS = {TEACHER: 20001, "ada": 20002, "ben": 20003}  # user numbers, above those of people's accounts
HOME = Path("/home")  # every Linux has it, so it can be covered


class RealHub:
    """JupyterHub with a teacher and two students; use it as a context manager.

    Attributes:
        accounts: whether each user has an account of its own; if not, all servers run as the tester.
        place: where the class's files lie, as the users see them: the exchange, and what the hub keeps.
        homes: where the homes lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "home"  # homes, exchange, and what the hub keeps
        self.url = f"https://127.0.0.1:{free_port()}"
        self.log = folder / "hub.log"
        self.process: subprocess.Popen | None = None
        self.accounts = os.geteuid() == 0 and self._can_have_accounts()
        self.place = HOME if self.accounts else self.base
        self.homes = HOME if self.accounts else self.base / "homes"

    # ------------------------------------------------------------------------------------- start and end

    def __enter__(self) -> RealHub:
        self._write_settings()
        before = self._namespace() if self.accounts else []
        config = Path(__file__).with_name("hub_config.py")
        command = [*before, sys.executable, "-m", "jupyterhub", "--config", str(config)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.base,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_up(120)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.process.pid).children(recursive=True)
            for process in [psutil.Process(self.process.pid), *below]:  # servers have sessions of their own
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait(10)

    def _write_settings(self) -> None:
        self.base.mkdir()
        self.base.chmod(0o755)
        authority = Certipy(store_dir=str(self.folder / "certificates"))
        authority.create_ca("class")
        files = authority.create_signed_pair("hub", "class", alt_names=["IP:127.0.0.1"])["files"]
        (self.base / "tls").mkdir(mode=0o700)
        names = {kind: shutil.copy(files[kind], self.base / "tls") for kind in ("cert", "key")}
        names = {kind: str(self.place / "tls" / Path(name).name) for kind, name in names.items()}
        settings = {
            "address": self.url,
            "certificate": names["cert"],
            "key": names["key"],
            "students": ["ada"],
            "groups": ["students"],  # Ben is in it
            "state": str(self.place / "state"),
            "exchange": str(self.place / "exchange"),
        }
        if not self.accounts:
            # a limit of processes counts those of an account, and here all have the tester's
            settings |= {"authenticator": "dummy", "spawner": "simple", "processes": 30000}
            settings |= {"students": list(STUDENTS), "groups": []}
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        (self.base / "hub.toml").write_text(text)

    def _environment(self) -> dict[str, str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "N2T_", "XDG_"))
        }
        own = {
            "N2T_HUB_SETTINGS": str(self.place / "hub.toml"),
            "N2T_TEST_CONFIGURATION": str(CONFIGURATION),
            "N2T_TEST_HUB": f"http://127.0.0.1:{free_port()}",
            "N2T_TEST_PROXY": f"http://127.0.0.1:{free_port()}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if not self.accounts:
            own["N2T_TEST_HOMES"] = str(self.homes)
            own["N2T_TEST_PASSWORD"] = PASSWORD
            own["N2T_TEST_PASSWD"] = json.dumps({name: str(self._renamed(name)) for name in NUMBERS})
        return kept | own

    def _wait_until_up(self, seconds: float) -> None:
        trusting = ssl._create_unverified_context()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.url}/hub/health", timeout=2, context=trusting).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"JupyterHub did not start:\n{self.log.read_text()[-3000:]}")

    # ------------------------------------------------------------------------------------- accounts

    def _namespace(self) -> list[str]:
        """The beginning of a command that runs where the class has accounts: this machine's files else."""
        made = self.folder / "etc"
        if not made.exists():
            made.mkdir()
            lines = {
                "passwd": "{name}:x:{number}:{number}::{home}:/bin/bash\n",
                "group": "{name}:x:{number}:\n",
                "shadow": "{name}:{hash}:20000:0:99999:7:::\n",
            }
            for file, line in lines.items():
                shutil.copy(Path("/etc") / file, made / file)
                with (made / file).open("a") as stream:
                    for name, number in NUMBERS.items():
                        stream.write(line.format(name=name, number=number, home=HOME / name, hash=HASH))
            with (made / "group").open("a") as stream:
                stream.write("students:x:20000:ben\n")
            for name, number in NUMBERS.items():
                (self.base / name).mkdir(mode=0o755, parents=True)
                os.chown(self.base / name, number, number)
        command = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "ALL", "--die-with-parent"]
        for file in ("passwd", "group", "shadow"):
            command += ["--bind", str(made / file), f"/etc/{file}"]
        # Whatever happens, no process is left. (Under bubblewrap's own /proc the grader could mount none.)
        alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return [*command, *_opened(), "--bind", str(self.base), str(HOME), *alone]

    def _can_have_accounts(self) -> bool:
        """Whether this root may make namespaces, and others may run this Python in them."""
        probe = RealHub.__new__(RealHub)
        probe.folder, probe.base = self.folder / "probe", self.folder / "probe" / "home"
        probe.base.mkdir(parents=True)
        number = str(NUMBERS["ada"])
        as_ada = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups"]
        code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import utils.build"
        try:
            command = [*probe._namespace(), *as_ada, sys.executable, "-c", code]
            return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
        except OSError:
            return False

    def _renamed(self, name: str) -> Path:
        """A file of accounts in which the tester's account has the user's name and home."""
        file = self.folder / f"passwd-{name}"
        own, rest = os.getuid(), Path("/etc/passwd").read_text().splitlines(keepends=True)
        kept = [line for line in rest if line.split(":")[2] != str(own)]
        account = f"{name}:x:{own}:{os.getgid()}::{self.homes / name}:/bin/bash\n"
        file.write_text(account + "".join(kept))
        return file

    # ------------------------------------------------------------------------------------- users

    def open_form(self, browser: Browser, name: str) -> User:
        """Log in by the hub's form; the server starts now, see `User.wait`."""
        context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(120_000)  # a busy machine
        page = context.new_page()
        page.goto(f"{self.url}/")
        page.fill("#username_input", name)
        page.fill("#password_input", PASSWORD)
        page.click("#login_submit", no_wait_after=True)
        return User(self, name, page)


def _opened() -> list[str]:
    """bubblewrap's arguments that let all accounts reach this Python and the repository, and nothing beside.

    Root's Python may lie in root's home, closed for others: that is covered, and Python put into the cover.
    """
    covered: list[str] = []
    wanted = dict.fromkeys(map(Path, (sys.base_prefix, sys.prefix, REPOSITORY)))
    closed = {_first_closed(path) for path in wanted} - {None}
    for cover in sorted(closed):
        covered += ["--perms", "0755", "--tmpfs", str(cover)]
        for path in (path for path in wanted if cover in path.parents):
            for between in reversed(path.parents):
                if cover in between.parents:
                    covered += ["--perms", "0755", "--dir", str(between)]
            covered += ["--bind", str(path), str(path)]
    return covered


def _first_closed(path: Path) -> Path | None:
    """The first folder on the way to a path that only its owner may enter."""
    return next((p for p in reversed(path.parents) if not p.stat().st_mode & 0o001), None)


class User:
    """A user with JupyterLab open in a browser."""

    def __init__(self, hub: RealHub, name: str, page: Page) -> None:
        self.hub, self.name, self.page = hub, name, page
        self.server = f"{hub.url}/user/{name}"

    def wait(self) -> User:
        """Wait until the server is up and JupyterLab is drawn."""
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=180_000)
        self.page.evaluate("() => window.jupyterapp.restored")
        return self

    def menu(self, *names: str) -> None:
        """Choose an entry of JupyterLab's menus."""
        self.page.get_by_role("menuitem", name=names[0], exact=True).click()
        for name in names[1:]:
            self.page.locator(".lm-Menu").get_by_text(name, exact=True).click()

    def answer(self, path: str, work: list[str]) -> list[str]:
        """Open a notebook in JupyterLab, fill it in, run it and save it.

        Args:
            path: the notebook, below the home.
            work: what to put into the cells to be filled in, in order.

        Returns:
            The cells' outputs as text, in order.
        """
        return self.page.evaluate(
            r"""async ([path, work]) => {
                const app = window.jupyterapp;
                const panel = await app.commands.execute("docmanager:open", {path, factory: "Notebook"});
                await panel.context.ready;
                await panel.revealed;
                await panel.sessionContext.ready;
                const notebook = panel.content.model.sharedModel;
                const cells = notebook.cells.filter(cell => cell.getMetadata("nbgrader")?.solution);
                work.forEach((source, index) => cells[index].setSource(source));
                await app.commands.execute("notebook:run-all-cells");
                const outputs = notebook.cells.flatMap(cell => cell.outputs ?? []);
                await panel.context.save();
                await panel.sessionContext.shutdown();
                panel.dispose();
                return outputs.map(output => output.data?.["text/plain"] ?? JSON.stringify(output));
            }""",
            [path, work],
        )

    def sh(self, command: str, *, fails: bool = False) -> str:
        """Run a shell command in a terminal of the user's server; returns what it printed.

        Raises:
            AssertionError: it failed, or did not although it should.
        """
        status, printed = self.page.evaluate(
            r"""async command => {
                const terminals = window.jupyterapp.serviceManager.terminals;
                const session = await terminals.startNew();
                let printed = "";
                const end = new Promise(done => session.messageReceived.connect((_, message) => {
                    if (message.type !== "stdout") return;
                    printed += message.content.join("");
                    const found = /<begin>([^]*)<end (\d+)>/.exec(printed);
                    if (found) done([Number(found[2]), found[1]]);
                }));
                session.send({type: "stdin", content: [command + "\r"]});
                const result = await end;
                await session.shutdown();
                return result;
            }""",
            "stty -echo cols 500; printf '<beg''in>'; "
            f"bash -c {shlex.quote(command)}; printf '<e''nd %d>' $?",
        )
        text = printed.replace("\r\n", "\n")
        assert (status != 0) == fails, f"{self.name}: {command} ended with {status}\n{text[-3000:]}"
        return text
