"""Source text in, notebooks out: lessons (executed), exercises, solutions and the README's lesson table.

Everything under ``notebooks/source/`` is text edited by hand; the notebooks are made from it here::

    python -m utils.build                               everything that is out of date
    python -m utils.build lessons --stem 01_perceptron  one part, one lesson
    python -m utils.build --check                       change nothing, fail where notebooks and sources differ
    python -m utils.build new-lesson 03_broadcasting    begin a lesson from the template

A lesson is executed again only when its code differs from the stored notebook's (or with ``--force``), so a
corrected sentence keeps the stored pictures, and a second build changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import typer
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

REPOSITORY = Path(__file__).resolve().parents[1]
KERNEL = "python3"
CELL_TIMEOUT = 120  # seconds
NEW_CELL = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
STEM = re.compile(r"\d\d_[a-z][a-z0-9_]*")
LIVE_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model of one run, so it is never stored
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": KERNEL},
    "language_info": {  # without the version: the same file on every Python
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


class BuildError(RuntimeError):
    """A source that cannot be built; the message names the file, the cell and what went wrong."""


@dataclass(frozen=True)
class Course:
    """The folders of one course, found from its root."""

    root: Path = REPOSITORY

    @property
    def notebooks(self) -> Path:
        """Where the lessons lie; they are executed with this as their working directory."""
        return self.root / "notebooks"

    def source(self, kind: str, stem: str) -> Path:
        """The source text of one lesson (``kind="lessons"``) or of its exercises (``kind="exercises"``)."""
        return self.notebooks / "source" / kind / f"{stem}.py"

    def notebook(self, kind: str, stem: str) -> Path:
        """The built notebook: kind is ``lessons``, ``exercises`` or ``solutions``."""
        folder = self.notebooks if kind == "lessons" else self.notebooks / kind
        return folder / f"{stem}.ipynb"

    def stems(self, kind: str = "lessons") -> list[str]:
        """All stems that have a source of this kind, in the order of the course."""
        folder = self.notebooks / "source" / ("lessons" if kind == "lessons" else "exercises")
        stems = sorted(path.stem for path in folder.glob("*.py"))
        for stem in stems:
            if not STEM.fullmatch(stem):
                raise BuildError(f"{folder / stem}.py: a source is called NN_stem.py, as 03_broadcasting.py is")
        return stems


# --- cells -----------------------------------------------------------------------------------------------


def read_source(path: Path) -> list[NotebookNode]:
    """Read a percent-format source into cells, with their metadata as written there."""
    return jupytext.read(path, fmt="py:percent").cells


def cell_ids(stem: str, cells: Iterable[NotebookNode]) -> list[str]:
    """Ids made from what is in each cell, so that editing one cell changes that cell's id and no other.

    Equal cells of one notebook are told apart by a counter.
    """
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        digest = hashlib.sha256(f"{stem}\n{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook with these cells and the course's fixed metadata."""
    notebook = nbformat.v4.new_notebook(metadata=nbformat.from_dict(METADATA), cells=cells)
    notebook.nbformat_minor = 5
    return notebook


def lesson_notebook(stem: str, source: Path) -> NotebookNode:
    """The lesson as its source gives it, not yet executed.

    Raises:
        BuildError: a cell is neither code nor Markdown, or carries metadata other than tags.
    """
    cells = read_source(source)
    built = []
    for number, (cell, cell_id) in enumerate(zip(cells, cell_ids(stem, cells), strict=True), start=1):
        extra = set(cell.metadata) - {"tags"}
        if extra:
            raise BuildError(f"{source}, cell {number}: lessons use no metadata but tags, not {sorted(extra)}")
        make = NEW_CELL.get(cell.cell_type)
        if make is None:
            raise BuildError(f"{source}, cell {number}: a {cell.cell_type} cell; use code or [markdown]")
        built.append(make(cell.source, id=cell_id, metadata=dict(cell.metadata)))
    return new_notebook(built)


# --- outputs ---------------------------------------------------------------------------------------------


def strip_png(data: bytes) -> bytes:
    """The same picture without the chunks that say which program made it and when."""
    signature, position, kept = data[:8], 8, []
    if signature != b"\x89PNG\r\n\x1a\n":
        return data
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        chunk = data[position : position + 12 + length]  # length, type, data, checksum
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"):
            kept.append(chunk)
        position += len(chunk)
    return signature + b"".join(kept)


def clean_outputs(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """What is stored of a cell's outputs: whatever comes again at the next run, and nothing else."""
    cleaned: list[NotebookNode] = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if output.output_type == "stream":
            before = cleaned[-1] if cleaned else None
            if before is not None and before.output_type == "stream" and before.name == output.name:
                before.text += output.text
                continue
        elif "data" in output:
            output.data.pop(LIVE_VIEW, None)
            output.metadata = NotebookNode()
            if "image/png" in output.data:
                picture = strip_png(base64.b64decode(output.data["image/png"]))
                output.data["image/png"] = base64.b64encode(picture).decode()
            if not output.data:
                continue
        cleaned.append(output)
    return cleaned


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def take_outputs(built: NotebookNode, stored: NotebookNode | None) -> bool:
    """Put the stored outputs into ``built`` if its code is what the stored notebook ran.

    Returns:
        Whether that was possible; if not, the lesson has to be executed.
    """
    if stored is None:
        return False
    new, old = code_cells(built), code_cells(stored)
    if [cell.source for cell in new] != [cell.source for cell in old]:
        return False
    if [cell.execution_count for cell in old] != list(range(1, len(old) + 1)):
        return False
    for count, (cell, before) in enumerate(zip(new, old, strict=True), start=1):
        cell.execution_count = count
        cell.outputs = clean_outputs(before.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return True


def execute(notebook: NotebookNode, folder: Path, source: Path) -> None:
    """Run the notebook from top to bottom in a fresh kernel and keep what it put out.

    Args:
        notebook: changed in place: outputs and execution counts.
        folder: the kernel's working directory.
        source: named in messages.

    Raises:
        BuildError: a cell raised, wrote to stderr, took over `CELL_TIMEOUT` seconds or killed the kernel.
    """
    reached: list[tuple[int, NotebookNode]] = []
    with tempfile.TemporaryDirectory(prefix="n2t-build-") as private:
        # Neither the builder's own IPython settings nor the record of passed exercises may show in a lesson.
        env = os.environ | {"N2T_PROGRESS": f"{private}/progress.json", "IPYTHONDIR": f"{private}/ipython"}
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name=KERNEL,
            resources={"metadata": {"path": str(folder)}},
            store_widget_state=False,
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # the kernel's own notices are of no use here
            on_cell_start=lambda cell, cell_index: reached.append((cell_index + 1, cell)),
        )
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            where = cell_name(*reached[-1])
            raise BuildError(f"{source}, {where}: the cell raised\n{plain(error.traceback)}") from None
        except CellTimeoutError:
            message = f"the cell took more than {CELL_TIMEOUT} seconds"
            raise BuildError(f"{source}, {cell_name(*reached[-1])}: {message}") from None
        except DeadKernelError:
            raise BuildError(f"{source}, {cell_name(*reached[-1])}: the kernel died") from None
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = clean_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                where = cell_name(number, cell)
                raise BuildError(f"{source}, {where}: the cell wrote to stderr\n{output.text.rstrip()}")
    notebook.metadata = nbformat.from_dict(METADATA)  # nbclient adds the Python version


def cell_name(number: int, cell: NotebookNode) -> str:
    """How messages name a cell: its number in the source and its first line of code."""
    lines = cell.source.splitlines()
    return f"cell {number} ({lines[0] if lines else 'empty'})"


def plain(text: str) -> str:
    """A traceback without the terminal's colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip()


# --- building --------------------------------------------------------------------------------------------


def read_notebook(path: Path) -> NotebookNode | None:
    """The stored notebook, or None where there is none yet."""
    return nbformat.read(path, as_version=4) if path.exists() else None


def serialise(notebook: NotebookNode) -> str:
    """The notebook as the text of its file: valid, keys in order, one newline at the end."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write_text(path: Path, text: str) -> bool:
    """Replace a file in one step, and only if its text changes. Returns whether it did."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=".build-", delete=False
    ) as file:
        file.write(text)
    new = Path(file.name)
    new.chmod(0o644)
    new.replace(path)
    return True


def build_lesson(course: Course, stem: str, *, force: bool = False) -> bool:
    """Bring one lesson's notebook up to date; run it if its code changed. Returns whether the file did."""
    source, target = course.source("lessons", stem), course.notebook("lessons", stem)
    notebook = lesson_notebook(stem, source)
    if force or not take_outputs(notebook, read_notebook(target)):
        execute(notebook, course.notebooks, source)
    return write_text(target, serialise(notebook))


def build_lessons(course: Course, stems: list[str], *, force: bool = False) -> list[Path]:
    """Build several lessons, two at a time. Returns the files that changed.

    Raises:
        BuildError: after all have been tried, with every lesson's message.
    """
    changed, problems = [], []
    with ThreadPoolExecutor(max_workers=2) as pool:  # the work is done in the kernels' own processes
        jobs = {stem: pool.submit(build_lesson, course, stem, force=force) for stem in stems}
    for stem, job in jobs.items():
        try:
            if job.result():
                changed.append(course.notebook("lessons", stem))
        except BuildError as error:
            problems.append(str(error))
    if problems:
        raise BuildError("\n\n".join(problems))
    return changed


app = typer.Typer(add_completion=False)


@app.command()
def lessons(stem: str | None = None, force: bool = False, root: Path = REPOSITORY) -> None:
    course = Course(root)
    for path in build_lessons(course, [stem] if stem else course.stems(), force=force):
        print(path)


@app.callback()
def main() -> None:
    """Build."""


if __name__ == "__main__":
    app()
