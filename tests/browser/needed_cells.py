"""Which cells of a notebook some of its cells need: a slice of the program, found by names.

nbval runs every lesson whole and compares every output. Whether the explorers come alive in JupyterLab does
not depend on the trainings between them, so there only those cells have to run that the explorers need.

The slice is cautious. A cell is needed if it may bind a needed name or may change what the name stands for:
it assigns to an attribute or an item of it, calls it or one of its methods, or hands it to a function that is
not known to read only. What has no name is not followed: the state of a random generator, or a change made
through a second name. One such cell too few gives an explorer other numbers, or an error that the test sees.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

# They change nothing that they are given, and stand in nearly every cell of a lesson: functions, and modules.
READERS = frozenset(dir(builtins)) - {"delattr", "eval", "exec", "next", "setattr"}
READING_MODULES = frozenset({"F", "explore", "math", "np", "plotting", "plt", "torch"})
COMPREHENSIONS = frozenset({"dictcomp", "genexpr", "listcomp", "setcomp"})


@dataclass(frozen=True)
class Statement:
    """What one statement at the top level of a cell does with the names of the notebook.

    Attributes:
        imports: names that it imports.
        binds: names that it may bind, imports included.
        surely: those that it binds whatever happens: what they stood for before is of no interest then.
        reads: names that it reads when it runs.
        later: names of the notebook that the functions defined in it read whenever they are called.
        changes: names of what it may change, or of what the functions defined in it may change when called.
    """

    imports: frozenset[str]
    binds: frozenset[str]
    surely: frozenset[str]
    reads: frozenset[str]
    later: frozenset[str]
    changes: frozenset[str]


def explorer_calls(notebook: NotebookNode, module: str = "explore") -> dict[int, int]:
    """Where explorers are shown: the place of each code cell that calls some, and how many it calls."""
    counts = {}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            calls = [part.func for part in ast.walk(ast.parse(cell.source)) if isinstance(part, ast.Call)]
            names = [f.value for f in calls if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name)]
            counts[place] = sum(name.id == module for name in names)
    return {place: count for place, count in counts.items() if count}


def needed_cells(notebook: NotebookNode, wanted: Iterable[int]) -> list[int]:
    """The code cells that have to run so that those at ``wanted`` can.

    Args:
        notebook: its code cells must be plain Python, as those of lessons are.
        wanted: places of code cells among all cells.

    Returns:
        Places among all cells, in order, with those of ``wanted`` among them.

    Raises:
        SyntaxError: a code cell is no Python.
    """
    cells = {i: statements(cell.source) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    every = [statement for cell in cells.values() for statement in cell]
    imported = frozenset().union(*(statement.imports for statement in every))
    effects = _effects(every)
    needed = set(wanted)
    later: set[str] = set()  # what needed functions read when called: no assignment makes that superfluous
    while True:
        before = len(needed), len(later)
        live: set[str] = set()
        for place in sorted((i for i in cells if i <= max(needed, default=-1)), reverse=True):
            names = live | later
            if place in needed or any(_matters(s, names, names - imported, effects) for s in cells[place]):
                needed.add(place)
                for statement in reversed(cells[place]):
                    live = (live - statement.surely) | statement.reads
                    later |= statement.later
        if before == (len(needed), len(later)):
            return sorted(needed)


def _matters(statement: Statement, names: set[str], own: set[str], effects: dict[str, set[str]]) -> bool:
    """Whether a statement binds one of ``names`` or may change one of ``own``, which are no modules."""
    changed = statement.changes.union(*(effects[name] for name in statement.reads if name in effects))
    return not (names.isdisjoint(statement.binds) and own.isdisjoint(changed))


def _effects(every: Sequence[Statement]) -> dict[str, set[str]]:
    """For each function or class of the notebook, the names whose objects a call of it may change."""
    defined = [(name, s) for s in every if s.later for name in s.binds]
    effects: dict[str, set[str]] = {name: set() for name, _ in defined}
    growing = True
    while growing:
        growing = False
        for name, statement in defined:
            called = (effects[other] for other in statement.later if other in effects)
            more = statement.changes.union(*called) - effects[name]
            growing = growing or bool(more)
            effects[name] |= more
    return effects


def statements(source: str) -> list[Statement]:
    """The statements at the top level of a cell, in order."""
    return [_statement(node) for node in ast.parse(source).body]


def _statement(node: ast.stmt) -> Statement:
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    symbols = table.get_symbols()
    binds = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    reads = {s.get_name() for s in symbols if s.is_referenced()}
    later: set[str] = set()
    for scope, at_once in _inner(table, at_once=True):
        (reads if at_once else later).update(s.get_name() for s in scope.get_symbols() if s.is_global())
    plain = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return Statement(
        imports=frozenset(s.get_name() for s in symbols if s.is_imported()),
        binds=frozenset(binds),
        surely=frozenset(binds if isinstance(node, plain) else ()),
        reads=frozenset(reads),
        later=frozenset(later),
        changes=frozenset(_changed(node)) & (binds | reads | later),
    )


def _inner(table: symtable.SymbolTable, *, at_once: bool) -> Iterator[tuple[symtable.SymbolTable, bool]]:
    """All scopes within one, each with whether it runs with the statement: a function's body does not."""
    for child in table.get_children():
        runs = at_once and (child.get_type() == "class" or child.get_name() in COMPREHENSIONS)
        yield child, runs
        yield from _inner(child, at_once=runs)


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names of what a statement may change without binding the name anew."""
    for part in ast.walk(node):
        if isinstance(part, (ast.Attribute, ast.Subscript)) and not isinstance(part.ctx, ast.Load):
            yield from _root(part)
        elif isinstance(part, ast.AugAssign):
            yield from _root(part.target)
        elif isinstance(part, ast.Call) and not _only_reads(part.func):
            yield from _root(part.func)
            for argument in (*part.args, *(keyword.value for keyword in part.keywords)):
                yield from (name.id for name in ast.walk(argument) if isinstance(name, ast.Name))


def _only_reads(function: ast.expr) -> bool:
    """True for builtin functions and those of some modules, but for names such as torch's ``add_``."""
    last = function.attr if isinstance(function, ast.Attribute) else ""
    names = READING_MODULES if last else READERS
    return not last.endswith("_") and not names.isdisjoint(_root(function))


def _root(expression: ast.expr) -> Iterator[str]:
    """The name that an expression such as ``model.layers[0].weight`` starts from, if it starts from one."""
    while isinstance(expression, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    if isinstance(expression, ast.Name):
        yield expression.id
