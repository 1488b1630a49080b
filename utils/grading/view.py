"""The student's view of the package: what a submission finds when it imports ``utils`` in the sandbox.

Everything a learner may use is there as it is (data, training, plotting, explorers, what was built before).
Nothing that tells the right answers is: no cases, references, misconceptions or solutions. ``check`` and
``hint`` are there and do nothing.

Of the checks' modules only the probes come along, the functions that call a learner's work and return plain
data. They are cut out of their module: the probe's own source and, through the names it uses, the source of
what it needs in turn. So no bank has to be written with the sandbox in mind; a test holds that no cut reaches
a reference.
"""

from __future__ import annotations

import ast
import compileall
import dis
import inspect
import shutil
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

from utils.checks.bank import all_exercises
from utils.checks.exercise import Exercise
from utils.checks.exercise import call as plain_call

PACKAGE = Path(__file__).resolve().parents[1]
LEFT_OUT = ("checks", "grading", "build.py", "lint.py", "doctor.py", "__pycache__")
SHARED_CHECKS = ("exercise.py", "values.py", "guard.py", "common.py")  # tools, without an answer in them
SHARED_GRADING = ("plain.py", "inside.py", "transcript.py")

HARMLESS_CHECKS = '''"""Stands in for the instant checks while notebooks are marked: notes, judges nothing."""

handed_over = {}


class Noted:
    """What ``check`` and its companions return here."""

    ok = True
    status = message = hint = "noted"
    seed = None

    def __bool__(self):
        return True

    def __repr__(self):
        return "noted; it is judged after handing in"


Result = Noted


def check(exercise_id=None, work=None, *rest, **more):
    """Remember the work under the exercise's id."""
    if isinstance(exercise_id, str):
        handed_over[exercise_id] = work
    return Noted()


def hint(*rest, **more):
    """Nothing, politely."""
    return Noted()


def progress(*rest, **more):
    """Nothing, politely."""
    return Noted()
'''


def make_view(folder: Path) -> Path:
    """Write the student's view into a folder that is empty or not there yet; returns the folder."""
    utils = folder / "utils"
    shutil.copytree(PACKAGE, utils, ignore=lambda where, names: _hidden(Path(where), names))
    checks, grading = utils / "checks", utils / "grading"
    for target, source, names in (
        (checks, PACKAGE / "checks", SHARED_CHECKS),
        (grading, PACKAGE / "grading", SHARED_GRADING),
    ):
        target.mkdir()
        for name in names:
            shutil.copyfile(source / name, target / name)
    (checks / "__init__.py").write_text(HARMLESS_CHECKS, encoding="utf-8")
    (grading / "__init__.py").write_text(
        '"""What the grader needs inside the sandbox."""\n', encoding="utf-8"
    )
    for module, names in probes_by_module(all_exercises().values()).items():
        (checks / probe_module(module)).with_suffix(".py").write_text(cut(module, names), encoding="utf-8")
    # read-only inside, so Python could not keep what it compiles: 25 modules at every start
    compileall.compile_dir(folder, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return folder


def _hidden(where: Path, names: Iterable[str]) -> list[str]:
    left_out = LEFT_OUT if where == PACKAGE else ("__pycache__",)
    return [name for name in names if name in left_out]


# ------------------------------------------------------------------------------------------- probes


def probe_of(exercise: Exercise) -> tuple[str, str] | None:
    """Module and name of an exercise's probe inside the sandbox; None if the work is simply called."""
    if exercise.probe is plain_call:
        return None
    return probe_module(exercise.probe.__module__), exercise.probe.__name__


def probe_module(module: str) -> str:
    """Name of the cut of a checks module: ``probes_15_transformer`` for ``lesson_15_transformer``.

    Modules that are in the view as a whole keep their name.
    """
    stem = module.rsplit(".", 1)[-1]
    return stem if f"{stem}.py" in SHARED_CHECKS else stem.replace("lesson_", "probes_", 1)


def probes_by_module(exercises: Iterable[Exercise]) -> dict[str, list[str]]:
    """The probes to cut out, by the module they stand in."""
    found: dict[str, list[str]] = {}
    for exercise in exercises:
        probe = probe_of(exercise)
        if probe and f"{probe[0]}.py" not in SHARED_CHECKS:
            names = found.setdefault(exercise.probe.__module__, [])
            if probe[1] not in names:
                names.append(probe[1])
    return found


def cut(module: str, names: Iterable[str]) -> str:
    """Source of the named functions of a module, of everything in it they need, and of its imports."""
    source = inspect.getsource(sys.modules[module])
    statements = ast.parse(source).body
    needed = needs(source, names)
    kept = [
        node
        for node in statements
        if isinstance(node, ast.Import | ast.ImportFrom) or set(_bound(node)) & needed
    ]
    texts = [_segment(source, node) for node in kept]
    return '"""Probes: they use a learner\'s work and return plain data."""\n\n' + "\n\n".join(texts) + "\n"


def needs(source: str, names: Iterable[str]) -> set[str]:
    """The names defined at the top of a module that the given ones need, themselves included."""
    definitions: dict[str, list[ast.stmt]] = {}
    for node in ast.parse(source).body:
        for name in _bound(node):
            definitions.setdefault(name, []).append(node)
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in definitions:
            continue
        found.add(name)
        for node in definitions[name]:
            waiting += _used(_segment(source, node))
    return found


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines; an import defines none here."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _segment(source: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def _used(segment: str) -> Iterator[str]:
    """The global names that a statement reads when it runs, in functions inside it too, annotations not."""
    code = compile("from __future__ import annotations\n" + segment, "<cut>", "exec", dont_inherit=True)
    waiting = [code]
    while waiting:
        code = waiting.pop()
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"):
                yield step.argval
        waiting += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
