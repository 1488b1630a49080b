"""Hostile notebooks, marked for real: no mark gained, nothing outside touched, nothing left behind.

All of them are marked in one run, as a class is, with an honest student after every few. The tests look at
what came of each.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grading_class as klass
import psutil
import pytest
import zmq
from filelock import FileLock
from jupyter_client.session import Session

from utils.grading import sandbox
from utils.grading.command import grade
from utils.grading.run import DATA, Settings
from utils.grading.sandbox import (
    Kernel,
    KernelGone,
    Limits,
    SandboxUnavailable,
    _Client,
    _knows,
    check_available,
)

SECRET = "TOPSECRET-4711"
LIMITS = Limits(cell=3, wall=25, memory=1200, processes=80, disk=64, file=32, files=128, restarts=2)
HONEST = [f"{n:02} honest" for n in (0, 15, 30, 45)]
NAMES = [student.name for student in klass.hostile(Path("/x/secret.txt"), 1, Path("/x/out"))]
FULL = 18.0


@dataclass(frozen=True)
class Aftermath:
    """What the run left."""

    marks: dict[str, dict]
    secret_before: tuple
    secret_after: tuple
    beside_secret: list[str]
    connections: int
    processes: list[str]
    texts: dict[str, str]
    seconds: float


def state(path: Path) -> tuple:
    """Content and time of a file."""
    return path.read_text(encoding="utf-8"), path.stat().st_mtime_ns


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, list]]:
    """Listen on a port and on a socket of that name in the host's namespace, and count who calls."""
    calls: list[int] = []
    tcp = socket.create_server(("0.0.0.0", 0))
    port = tcp.getsockname()[1]
    local = socket.socket(socket.AF_UNIX)
    local.bind(f"\0n2t-{port}")
    local.listen()

    def accept(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                calls.append(1)
                connection.close()

    for server in (tcp, local):
        threading.Thread(target=accept, args=(server,), daemon=True).start()
    try:
        yield port, calls
    finally:
        for server in (tcp, local):
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()


SLEEP = f"98765.{os.getpid()}"  # told from the sleepers of another worker's tests


def left_processes() -> list[str]:
    """Command lines of sandboxes and sleepers that should have ended with their submission: only our own."""
    ours = {process.pid for process in psutil.Process().children(recursive=True)}
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if SLEEP in line or (process.pid in ours and "bwrap" in line):
            found.append(line)
    return found


def run_class(folder: Path) -> Aftermath:
    """Hand in the whole class, mark it, and look round."""
    home = folder / "teacher"
    home.mkdir()
    secret, out, submitted = home / "secret.txt", folder / "out", folder / "submitted"
    secret.write_text(SECRET, encoding="utf-8")
    before = state(secret)
    with listening() as (port, calls):
        for number, student in enumerate(klass.hostile(secret, port, out)):
            klass.hand_in(submitted, f"{number:02} {student.name}", klass.notebook(student))
        klass.hand_in(submitted, "98 script", klass.with_script(klass.released()))
        for name in HONEST:
            klass.hand_in(submitted, name, klass.solved())
        begin = time.monotonic()
        all_marked = grade(submitted, out, Settings(LIMITS), jobs=2, book=False)
        seconds = time.monotonic() - begin
    return Aftermath(
        marks={
            marked.student: {
                "points": marked.points,
                "said": [*marked.remarks, *(f"{m.status}: {m.message}" for m in marked.marks)],
                "count": len(marked.marks),
            }
            for marked in all_marked
        },
        secret_before=before,
        secret_after=state(secret),
        beside_secret=sorted(path.name for path in home.iterdir()),
        connections=len(calls),
        processes=left_processes(),
        texts={
            str(path.relative_to(out)): path.read_text(encoding="utf-8")
            for path in out.rglob("*")
            if path.is_file() and path.suffix in (".html", ".csv", ".json", ".log")
        },
        seconds=seconds,
    )


@pytest.fixture(scope="session")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The run, made once even where several workers run these tests."""
    check_available()  # without bubblewrap these tests fail: nothing here may pass unseen
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    file = shared / "hostile-class.json"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            result = run_class(tmp_path_factory.mktemp("class"))
            file.write_text(json.dumps(vars(result)), encoding="utf-8")
        return Aftermath(**json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_no_mark_is_gained_and_none_is_lost(aftermath: Aftermath, name: str) -> None:
    student = next(s for s in klass.hostile(Path("/x/secret.txt"), 1, Path("/x/out")) if s.name == name)
    marked = aftermath.marks[f"{NAMES.index(name):02} {name}"]
    said = "\n".join(marked["said"])
    if not student.answers:
        assert marked["points"] == 0, said
    elif student.after:
        assert 0 < marked["points"] < FULL, said
    else:
        assert marked["points"] == FULL, said
    assert student.says in said
    assert marked["count"] == 6
    assert all(line.partition(": ")[2] for line in marked["said"][-6:]), "a mark without a reason"


@pytest.mark.parametrize("name", HONEST)
def test_the_next_student_is_marked_as_if_nothing_had_happened(aftermath: Aftermath, name: str) -> None:
    assert aftermath.marks[name]["points"] == FULL, aftermath.marks[name]["said"]


def test_no_file_outside_is_changed(aftermath: Aftermath) -> None:
    assert list(aftermath.secret_after) == list(aftermath.secret_before)
    assert aftermath.beside_secret == ["secret.txt"]


def test_no_file_outside_is_read(aftermath: Aftermath) -> None:
    assert len(aftermath.texts) > 2 * len(NAMES)
    assert [name for name, text in aftermath.texts.items() if "TOPSECRET" in text] == []


def test_nobody_gets_out(aftermath: Aftermath) -> None:
    assert aftermath.connections == 0


def test_no_process_is_left(aftermath: Aftermath) -> None:
    assert aftermath.processes == []


def test_no_script_reaches_a_page(aftermath: Aftermath) -> None:
    pages = {name: text for name, text in aftermath.texts.items() if name.endswith(".html")}
    assert pages
    for text in pages.values():
        assert "<script" not in text and "<img" not in text
        assert "default-src 'none'" in text


def test_no_formula_reaches_the_table(aftermath: Aftermath) -> None:
    import csv

    rows = list(csv.reader(aftermath.texts["grades.csv"].splitlines()))
    assert len(rows) > 6 * len(NAMES)
    assert not any(cell[:1] in ("=", "@", "+") for row in rows for cell in row)


# --------------------------------------------------------------------- these tests can fail: without walls


def test_without_a_sandbox_the_same_attacks_succeed(tmp_path: Path) -> None:
    """What keeps the class in is the sandbox: bare, a notebook reads, writes and calls out."""
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    settings = Settings(LIMITS, sandboxed=False)
    wanted = {"writes", "reads a secret", "calls home", "speaks to local sockets"}
    with listening() as (port, calls):
        for student in klass.hostile(secret, port, tmp_path / "out"):
            if student.name in wanted - {"writes"}:
                klass.hand_in(tmp_path / "submitted", student.name, klass.notebook(student))
        writes = f"open({str(tmp_path / 'written')!r}, 'w').write('x')"
        klass.hand_in(tmp_path / "submitted", "writes", klass.notebook(klass.Hostile("writes", writes)))
        all_marked = grade(tmp_path / "submitted", tmp_path / "out", settings, jobs=1, book=False)
    assert (tmp_path / "written").exists()
    assert calls
    assert not any(marked.sandboxed for marked in all_marked)
    assert "UNSAFE" in (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8")
    for page in (tmp_path / "out" / "feedback").iterdir():
        assert "UNSAFE" in page.read_text(encoding="utf-8")


def test_without_bubblewrap_it_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="apt-get install"):
        check_available()


def test_a_kernel_holds_nothing_of_the_teacher() -> None:
    with Kernel(LIMITS, klass.student_view(), DATA) as kernel:
        shown = kernel.ask("sorted(__import__('os').listdir('/'))", 10)
        assert "home" not in shown and "course" in shown
        assert "teacher" not in kernel.ask("dict(__import__('os').environ)", 10)
        assert kernel.ask("__import__('os').path.exists('/sys')", 10) == "False"
        interfaces = kernel.ask("open('/proc/net/dev').read().count(':')", 10)
        assert interfaces == "1", "more than the loopback interface"
        code = "import subprocess\nnested = subprocess.run(['unshare', '-U', 'true']).returncode"
        assert kernel.run(code, 10)["status"] == "ok"
        assert not _knows("--disable-userns") or kernel.ask("nested", 10) != "0"
        assert "True" in kernel.ask("__import__('utils.checks').checks.check('01.neuron', 1).ok", 10)


ENDLESS = """
import os, socket, struct, time
part = bytes([3]) + struct.pack(">Q", 2**22) + bytes(2**22)  # "there is more": all wait for the last part
for number in range(3, 256):
    try:
        line = socket.socket(fileno=os.dup(number))
        who, _, _ = struct.unpack("iII", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if who != 0 or line.getsockname() != "/run/kernel/k-1":  # 0: a process outside
            continue
    except OSError:
        continue
    line.setblocking(True)
    for _ in range(60):
        line.sendall(part)
time.sleep(1000)
"""


def test_a_message_without_an_end_does_not_fill_the_graders_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_SWELLS", 80 * 2**20)
    with (
        Kernel(Limits(), klass.student_view(), DATA) as kernel,
        pytest.raises(KernelGone, match="sent the grader more"),
    ):
        kernel.run(ENDLESS, 30)


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[_Client]:
    """A client whose other end takes the connection, and never a word."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{tmp_path}/k-1")
        listening.listen()
        client = _Client(session=Session(key=b"x"), context=zmq.Context.instance())
        client.transport, client.ip, client.shell_port = "ipc", f"{tmp_path}/k", 1
        client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
        yield client
        client.hang_up()


MORE_THAN_ARE_KEPT = 5000


@pytest.mark.timeout(60)  # where the time to send had no limit, it would go on for ever
def test_a_kernel_that_does_not_listen_does_not_keep_the_grader_waiting(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(sandbox, "_SEND", 10)
    kernel = Kernel.__new__(Kernel)  # only what talks: there is no kernel
    kernel._client, kernel._sandboxed, kernel._why_ended, kernel._inner = (
        request.getfixturevalue("nobody"), True, "", 0,
    )  # fmt: skip
    with subprocess.Popen(["sleep", "1000"]) as kernel._process:
        with pytest.raises(KernelGone, match="cut its connection"):
            for _ in range(MORE_THAN_ARE_KEPT):
                kernel._execute("1 + 1")
        assert kernel._process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = []\nwhile True:\n    x.append(bytearray(20_000_000))", "memory"),
        (f"import subprocess\nx = [subprocess.Popen(['sleep', '{SLEEP}']) for _ in range(200)]\n"
         "import time; time.sleep(60)", "processes"),
    ],
)  # fmt: skip
def test_without_control_groups_the_watcher_holds(
    code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_group_places", lambda limits: iter(()))
    with Kernel(LIMITS, klass.student_view(), DATA) as kernel:
        try:
            reply = kernel.run(code, 30)  # where the system's own limit comes first, the cell fails
            assert reply is not None and reply["status"] == "error"
        except KernelGone as gone:
            assert words in str(gone)
    assert left_processes() == []
