"""A class of difficult students: notebooks for the tests of the grader, each with what it tries.

Every notebook is the released one of lesson 01 with cells added, so that whatever is not answered honestly
must bring no points.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from utils.build import Course
from utils.grading.view import make_view

STEM = "01_perceptron"


@dataclass(frozen=True)
class Hostile:
    """One student's attempt.

    Attributes:
        name: the student's, and the test's.
        before, after: code put in front of the exercises and behind them.
        answers: True puts the cells round a solved notebook: then the marks for it must not suffer.
        says: a text that has to stand in the student's marks: the reason that is given.
    """

    name: str
    before: str = ""
    after: str = ""
    answers: bool = False
    says: str = ""


@functools.cache
def _stored(kind: str) -> str:
    return Course().notebook(kind, STEM).read_text(encoding="utf-8")


def released() -> NotebookNode:
    """The notebook as learners get it."""
    return nbformat.reads(_stored("exercises"), as_version=4)


def solved() -> NotebookNode:
    """The notebook with right answers."""
    return nbformat.reads(_stored("solutions"), as_version=4)


def notebook(student: Hostile) -> NotebookNode:
    """The notebook that a student hands in."""
    made = solved() if student.answers else released()
    if student.before:
        made.cells.insert(0, new_code_cell(student.before))
    if student.after:
        made.cells.append(new_code_cell(student.after))
    return made


@functools.cache
def student_view() -> Path:
    """The student's view of the course, made once in each process: it is only read."""
    folder = Path(tempfile.mkdtemp(prefix="n2t-view-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_view(folder)


def hand_in(folder: Path, name: str, made: NotebookNode | str) -> Path:
    """Write a notebook into nbgrader's layout."""
    path = folder / name / STEM / f"{STEM}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made if isinstance(made, str) else nbformat.writes(made), encoding="utf-8")
    return path


def with_script(made: NotebookNode) -> NotebookNode:
    """The same notebook with script wherever a notebook can carry it."""
    script = "<script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"
    made.cells.insert(0, new_markdown_cell(script))
    cell = new_code_cell(f"raise RuntimeError({script!r})")
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": script})]
    made.cells.insert(1, cell)
    return made


EVERYTHING_RIGHT = """
{"found": true, "work": {"callable": true, "class": false, "words": "x", "type": "function",
 "parameters": null}, "outcomes": [], "again": [], "points": 100, "status": "passed"}
"""

FAKES = "neuron", "gates", "update", "train", "xor", "logistic_gradient"


def every_answer(body: str) -> str:
    """Code that defines all of the notebook's answers with one body."""
    return "\n".join(f"def {name}(*args, **more):\n    {body}" for name in FAKES)


def hostile(secret: Path, port: int, out: Path) -> list[Hostile]:
    """The whole class.

    Args:
        secret: a file of the teacher's that must be neither read nor changed.
        port: on which the test listens.
        out: the folder the marks are written to.
    """
    home = str(secret.parent)
    return [
        # ---- time
        Hostile(
            "prints without end", "while True:\n    print('x' * 1000)", answers=True, says="and was stopped"
        ),
        Hostile("sleeps", "import time\ntime.sleep(10_000)", answers=True, says="and was stopped"),
        Hostile(
            "does not hear",
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
            answers=True,
            says="could not be stopped",
        ),
        Hostile(
            "does not hear in the answer",
            after="def neuron(X, w, b):\n    while True:\n        try:\n            while True: pass\n"
            "        except BaseException: pass",
            answers=True,
        ),
        Hostile("waits for input", "name = input('Your name? ')", answers=True),
        Hostile("answers slowly", after=every_answer("import time; time.sleep(60)"), says="Time is over"),
        # ---- ends
        Hostile("exits", "import sys\nsys.exit()", answers=True),
        Hostile("exits at once", "import os\nos._exit(0)", answers=True, says="ended the kernel"),
        Hostile("kills itself", "import os, signal\nos.kill(os.getpid(), 9)", answers=True, says="left out"),
        Hostile("kills all", "import os\nos.kill(-1, 9)", answers=True),
        Hostile("crashes", "import ctypes\nctypes.string_at(0)", answers=True, says="left out"),
        Hostile(
            "exits in the answer",
            after="def neuron(X, w, b):\n    import os\n    os._exit(1)",
            says="kernel was lost",
        ),
        Hostile("always exits", before="import os\nos._exit(1)", after="import os\nos._exit(2)"),
        Hostile(
            "quits through the shell", "get_ipython().kernel.do_shutdown(False)\nexit(keep_kernel=False)"
        ),
        # ---- resources
        Hostile("forks", "import os\nwhile True:\n    os.fork()", says="left out"),
        Hostile(
            "starts threads",
            "import threading, time\nwhile True:\n    "
            "threading.Thread(target=time.sleep, args=(1000,)).start()",
            answers=False,
        ),
        Hostile("allocates", "x = []\nwhile True:\n    x.append(bytearray(50_000_000))", says=""),
        Hostile(
            "fills the disk",
            "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(b'x' * 10**7)",
            answers=True,
        ),
        Hostile(
            "fills the socket folder",
            "n = 0\nwhile True:\n    n += 1\n    open(f'/run/kernel/{n}', 'wb').write(b'x' * 10**6)",
            answers=True,
        ),
        Hostile("one large file", "open('/tmp/large', 'wb').write(b'x' * 10**9)"),
        Hostile("opens files", "f = []\nwhile True:\n    f.append(open('/dev/null'))"),
        Hostile("calls itself", after=every_answer("return neuron(*args)"), says="RecursionError"),
        Hostile(
            "leaves processes",
            "import os\nfor _ in range(3):\n    if os.fork() == 0:\n        os.setsid()\n        "
            f"os.execv('/bin/sleep', ['sleep', '98765.{os.getpid()}'])",
            answers=True,
        ),
        Hostile(
            "huge output",
            "from IPython.display import display, HTML\n"
            "display(HTML('<b>x</b>' * 10**7))\nprint('y' * 10**8)",
            answers=True,
        ),
        Hostile(
            "kills every number",
            "import os\nfor n in range(1, 70_000):\n    if n != os.getpid():\n"
            "        try: os.kill(n, 9)\n        except OSError: pass",
            answers=True,
        ),
        Hostile(
            "takes the first process",
            "import ctypes, os, time\nfor request, more in ((16, 0), (17, 9), (8, 0)):\n"
            "    ctypes.CDLL(None).ptrace(request, 1, 0, more)\ntime.sleep(0.5)",
            answers=True,
        ),
        Hostile(
            "speaks on every descriptor",
            "import os\nfor n in range(3, 128):\n    try: os.write(n, b'{\"kernel\": 1}\\n')\n"
            "    except OSError: pass",
        ),
        Hostile(
            "writes to its program",
            "import os\nfor path in ['/proc/self/exe', *(f'/proc/self/map_files/{n}' for n in "
            "os.listdir('/proc/self/map_files'))]:\n"
            "    try: os.write(os.open(path, os.O_RDWR), b'taken over')\n    except OSError: pass",
            answers=True,
        ),
        Hostile("closes its streams", "import os\nfor n in (0, 1, 2):\n    os.close(n)", answers=True),
        # ---- other people's files
        Hostile(
            "deletes",
            f"import shutil\nfor p in ('/course', '/usr', '/tmp', '/etc', {home!r}, {str(out)!r}):\n"
            "    shutil.rmtree(p, ignore_errors=True)",
            answers=True,
        ),
        Hostile(
            "writes",
            "import sysconfig, os\n"
            f"for p in ({str(secret)!r}, {str(out / 'grades.csv')!r}, {str(out / 'gradebook.db')!r}, "
            "sysconfig.get_path('purelib') + '/sitecustomize.py', '/course/utils/__init__.py', '/etc/x'):\n"
            "    try: open(p, 'w').write('taken over')\n    except OSError: pass",
        ),
        Hostile("reads a secret", f"raise RuntimeError(open({str(secret)!r}).read())"),
        Hostile(
            "reads through proc",
            "import glob\nfound = ''\n"
            "for p in glob.glob('/proc/*/environ') + glob.glob('/proc/*/mounts'):\n"
            "    try: found += open(p, errors='replace').read()\n    except OSError: pass\n"
            f"for p in glob.glob('/proc/*/root' + {str(secret)!r}) + glob.glob('/proc/*/cwd/*'):\n"
            "    try: found += open(p, errors='replace').read()\n    except OSError: pass\n"
            "raise RuntimeError('TOPSECRET' if 'TOPSECRET' in found else found.replace(chr(0), ' ')[-150:])",
        ),
        Hostile(
            "reads the checks",
            "import utils.checks.lesson_01_perceptron as bank\n"
            "from utils.checks.bank import all_exercises\n"
            "globals().update({e.name: e.reference for e in all_exercises().values()})",
            after="globals().update({e.name: e.reference for e in bank.EXERCISES})",
        ),
        Hostile(
            "searches for answers",
            after="import glob, importlib, sys\nfor p in glob.glob('/**/*.py', recursive=True):\n"
            "    try: text = open(p, errors='replace').read()\n    except OSError: continue\n"
            "    if 'perceptron' in p and 'def neuron' in text:\n        exec(text, globals())",
        ),
        Hostile(
            "leaves a startup file",
            "import os\nfor p in ('/tmp/.ipython/profile_default/startup', "
            "os.path.expanduser('~/.ipython/profile_default/startup')):\n    os.makedirs(p, exist_ok=True)\n"
            "    open(p + '/00.py', 'w').write('raise SystemExit')",
        ),
        Hostile(
            "plants modules",
            "import os\nfor name in ('torch', 'json', 'numpy', 'utils'):\n"
            "    open(name + '.py', 'w').write('raise SystemExit')",
        ),
        # ---- network
        Hostile(
            "calls home",
            f"import socket\nfor host in ('127.0.0.1', 'localhost', '0.0.0.0'):\n"
            f"    try: socket.create_connection((host, {port}), 1).send(b'x')\n    except OSError: pass",
        ),
        Hostile(
            "speaks to local sockets",
            f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0n2t-{port}')\ns.send(b'x')",
        ),
        # ---- deceit
        Hostile(
            "replaces builtins",
            "import builtins\nbuiltins.isinstance = lambda *a: True\n"
            "builtins.all = builtins.any = lambda *a: True\nbuiltins.abs = lambda x: 0",
            after=every_answer("return 1"),
        ),
        Hostile(
            "replaces import",
            "import sys, types\nclass Finder:\n    def find_spec(self, name, *rest):\n"
            "        if name.startswith('utils'): raise SystemExit(name)\nsys.meta_path.insert(0, Finder())\n"
            "for name in [n for n in sys.modules if n.startswith('utils')]: del sys.modules[name]",
        ),
        Hostile(
            "patches torch",
            "import torch\nfor n in ('equal', 'allclose', 'isclose'):\n"
            "    setattr(torch, n, lambda *a, **k: torch.tensor(True))\n"
            "torch.Tensor.__eq__ = lambda *a: True",
            after=every_answer("return torch.zeros(1)"),
        ),
        Hostile(
            "patches json",
            "import json\n"
            f"json.dumps = lambda *a, **k: {EVERYTHING_RIGHT!r}\njson.loads = lambda *a, **k: {{}}",
        ),
        Hostile(
            "replaces the hand inside",
            "import utils.grading.inside as inside\n"
            f"inside.answer = lambda *a: inside.Answer({EVERYTHING_RIGHT!r})",
        ),
        Hostile(
            "says that it passed",
            "import utils.grading.inside as inside\n"
            'inside.answer = lambda *a: inside.Answer(\'{"status": "passed", "points": 99}\')',
            says="can be read",
        ),
        Hostile(
            "forges the probe",
            "import utils.checks.probes_01_perceptron as probes, torch\n"
            "truth = {'AND': [0, 0, 0, 1], 'OR': [0, 1, 1, 1], 'NAND': [1, 1, 1, 0]}\n"
            "probes.gate_answers = lambda work, gate: torch.tensor(truth[gate])",
            after=every_answer("return None"),
        ),
        Hostile(
            "replaces the guard",
            "from utils.checks import guard\nguard.Guard.run = lambda self, f: guard.Outcome(output=1)",
            after=every_answer("return 1"),
        ),
        Hostile(
            "forges the kernel's replies",
            "kernel = get_ipython().kernel\nasync def do(*a, **k):\n    return {'status': 'ok', "
            "'execution_count': 1, 'payload': [], 'user_expressions': {'answer': {'status': 'ok', "
            f"'metadata': {{}}, 'data': {{'text/plain': {EVERYTHING_RIGHT!r}}}}}}}\nkernel.do_execute = do",
        ),
        Hostile(
            "sends nonsense",
            "kernel = get_ipython().kernel\nfor n in range(200):\n"
            "    kernel.session.send(kernel.shell_stream or kernel.iopub_socket, 'execute_reply', "
            "{'status': 'ok'}, parent={'msg_id': str(n)})",
        ),
        Hostile(
            "replies to nobody",
            "session = get_ipython().kernel.session\nserialize, send = session.serialize, session.send\n"
            "def forged(stream, message, *rest, **more):\n"
            "    session.serialize = lambda m, ident=None: serialize({**m, 'parent_header': []}, ident)\n"
            "    send(stream, message, *rest, **more)\n    session.serialize = serialize\n"
            "    return send(stream, message, *rest, **more)\nsession.send = forged",
            answers=True,
        ),
        Hostile(
            "speaks half characters",
            "import json\nsession = get_ipython().kernel.session\n"
            "session.pack = lambda it: json.dumps(it, default=str).encode()\n"
            "raise RuntimeError('\\ud800')\ndef neuron(X, w, b): pass",
            after="del neuron\nfrom utils import checks\nchecks.handed_over.clear()",
            answers=True,
            says="ends with RuntimeError: ?",
        ),
        Hostile(
            "equal to everything",
            "class Same:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
            "    __bool__ = lambda s: True\n    __len__ = lambda s: 3\n    __getitem__ = lambda s, i: s\n"
            "    shape = dtype = property(lambda s: s)\n    __hash__ = lambda s: 0",
            after=every_answer("return Same()"),
        ),
        Hostile(
            "pickles itself",
            "import os\nclass Bomb:\n    def __reduce__(self):\n"
            f"        return os.system, ('touch {home}/bomb',)",
            after=every_answer("return Bomb()"),
        ),
        Hostile(
            "pretends to be an array",
            "import numpy as np, torch\nclass Fake(torch.Tensor):\n"
            "    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True\n"
            "class Other:\n    def __array__(self, *a, **k): raise SystemExit\n"
            "    def __reduce_ex__(self, *a): raise SystemExit\n    def __repr__(self): raise SystemExit",
            after=every_answer("return Fake() if len(args) == 3 else Other()"),
        ),
        Hostile(
            "drops asserts",
            "import ast\nclass Drop(ast.NodeTransformer):\n"
            "    def visit_Assert(self, node): return ast.Pass()\n"
            "    def visit_Compare(self, node): return ast.Constant(True)\n"
            "get_ipython().ast_transformers.append(Drop())",
        ),
        Hostile(
            "display hook",
            "import sys\nsys.displayhook = lambda *a: sys.__displayhook__(3.0)\n"
            "get_ipython().displayhook = lambda *a: 3.0\nget_ipython().display_formatter.format = "
            "lambda *a, **k: ({'text/plain': '3.0'}, {})",
        ),
        Hostile(
            "replaces run_cell",
            "shell = get_ipython()\nold = shell.run_cell\n"
            "shell.run_cell = lambda code, *a, **k: old('3.0')\nshell.user_expressions = lambda e: "
            "{k: {'status': 'ok', 'data': {'text/plain': '3.0'}, 'metadata': {}} for k in e}",
        ),
        Hostile(
            "looks up the stack",
            after="import sys, gc\ndef neuron(X, w, b):\n    frame = sys._getframe()\n"
            "    while frame:\n        for value in list(frame.f_locals.values()):\n"
            "            if hasattr(value, 'reference'): return value.reference(X, w, b)\n"
            "            if hasattr(value, 'expected'): return value.expected[0].output\n"
            "        frame = frame.f_back\n    for thing in gc.get_objects():\n"
            "        if type(thing).__name__ == 'Exercise': return thing.reference(X, w, b)\n    return None",
        ),
        Hostile(
            "answers of 200 MB",
            after="import torch\ndef neuron(X, w, b):\n    return torch.zeros(2_500_000)",
            says="larger",
        ),
        Hostile(
            "replies of 200 MB",
            "import utils.grading.inside as inside\n"
            "inside.answer = lambda *a: inside.Answer('x' * 200_000_000)",
        ),
        Hostile(
            "endless nesting",
            "deep = []\nfor _ in range(100_000): deep = [deep]\nround_ = []\nround_.append(round_)",
            after=every_answer("return deep if args else round_"),
        ),
        Hostile(
            "nested reply",
            "import utils.grading.inside as inside\ninside.answer = lambda *a: inside.Answer('[' * 500_000)",
            says="can be read",
        ),
        Hostile(
            "impossible tensors",
            "import utils.grading.inside as inside\ntext = "
            '\'{"found": true, "work": {"callable": true, "class": false, "parameters": null}, "again": [],'
            ' "outcomes": [\' + \',\'.join([\'{"timed_out": false, "interrupted": false, "printed": "", '
            '"failure": null, "calls": [], "after": null, "output": {"tensor": "int64", '
            '"shape": [1099511627775], "data": "", "grad": false}}\'] * 20) + \']}\'\n'
            "inside.answer = lambda *a: inside.Answer(text)",
        ),
        Hostile(
            "formulas",
            after="def neuron(X, w, b):\n    raise ValueError('=cmd|calc!A1')\nraise RuntimeError('@SUM(1)')",
            says="",
        ),
        Hostile("clears everything", after="get_ipython().run_line_magic('reset', '-f')", says="not started"),
        Hostile(
            "changes signals",
            "import signal, faulthandler\n"
            "for n in (2, 14, 15):\n    signal.signal(n, signal.SIG_IGN)\nsignal.pthread_sigmask("
            "signal.SIG_BLOCK, [2, 14])",
            answers=True,
        ),
        Hostile(
            "traces", "import sys, threading\nsys.settrace(lambda *a: (_ for _ in ()).throw(SystemExit))"
        ),
        Hostile(
            "at the end",
            "import atexit, os\natexit.register(lambda: open('/tmp/x', 'w').write('x'))\n"
            "import weakref, torch\nweakref.finalize(torch, os.fork)",
            answers=True,
        ),
        Hostile(
            "claims credit",
            "from utils import checks\nchecks.check = lambda *a, **k: checks.Noted()\n"
            "checks.handed_over.update({'01.neuron': print, '01.gates': dict})",
            after="del neuron, gates",
        ),
    ]
