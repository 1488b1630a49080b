"""What was handed in: found in folders and zips as they come, read as notebooks whatever their state.

Three forms are understood:

* nbgrader's ``submitted/<student>/<set>/NN_stem.ipynb``;
* one folder for each student, as Moodle exports them, or files with the student's name in front, as Canvas
  does: ``Meier Ada_71_assignsubmission_file_/01_perceptron.ipynb``, ``meierada_71_9_01_perceptron-1.ipynb``;
* a zip of any of these.

Nothing that is found is ever followed out of the folder (links) or written out of it (zips).
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import nbformat

MEGA = 2**20
LARGEST_NOTEBOOK = 50 * MEGA
LARGEST_ZIP = 4096 * MEGA  # unpacked
MOST_FILES = 100_000
MOST_CELLS = 5000
DEEPEST = 30  # folders in folders: more than any export has
SKIPPED = {".ipynb_checkpoints", "__MACOSX", ".git", "__pycache__"}
_CANVAS = re.compile(r"^(?P<student>.+?)_(LATE_)?(?P<number>\d+)_\d+_?$")
_MOODLE = re.compile(r"^(?P<student>.+?)_(?P<number>\d+)_(assignsubmission_file|onlinetext|file)_?$")
_NAMED = re.compile(r"\b(?:check|hint)\s*\(\s*[\"']([0-9]{2})\.\w+[\"']")


# a damaged zip shows itself in all these ways
_NO_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeDecodeError, struct.error),
    *(OSError, RuntimeError, NotImplementedError),
)


class IntakeError(ValueError):
    """Submissions that cannot be taken in at all; the message says what to do."""


class Unreadable(ValueError):
    """A file that is no notebook; the message is for the learner."""


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, or the reason why there is none.

    Attributes:
        student: as the folder or file is named.
        set: the exercise set's name, nbgrader's assignment; a stem where nothing else is said.
        stem: whose exercises it holds; "" if that cannot be told.
        path: the file; None if nothing was handed in.
        remark: what the teacher and the student should know about how it was found.
    """

    student: str
    set: str
    stem: str
    path: Path | None
    remark: str = ""

    @property
    def key(self) -> str:
        """A name for files about this submission: safe on every file system, different for each."""
        digest = hashlib.sha256(f"{self.student}\0{self.set}\0{self.stem}".encode()).hexdigest()[:16]
        return f"{file_name(self.student)[:40]}-{digest}"


def file_name(text: str) -> str:
    """A student's name as part of a file name: letters and digits of any language stay."""
    kept = "".join(c if c.isalnum() or c in "-_" else "_" for c in unicodedata.normalize("NFC", text))
    return kept.strip("_") or "student"


def shown(name: str) -> str:
    """A file's or folder's name as text that can be written anywhere.

    A name on Linux is bytes: what is not UTF-8 in it, as in many a zip's, and line ends and other control
    characters become what Python writes for them.
    """
    odd = ("Cc", "Cs", "Zl", "Zp")
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in odd else c for c in name
    )


# ------------------------------------------------------------------------------------------ finding


def find(place: Path, stems: Iterable[str], unpack_to: Path) -> list[Submission]:
    """All submissions in a folder or zip, in the order of students and sets.

    Args:
        place: a folder or a zip.
        stems: of the exercise sets that exist.
        unpack_to: where a zip is unpacked.

    Raises:
        IntakeError: if there is no such place, or nothing in it.
    """
    stems = sorted(stems)
    if not place.exists():
        raise IntakeError(f"{place} does not exist. Name the folder or the zip with the submissions.")
    if place.is_file():
        place = unpack(place, unpack_to, stems)
    if (place / "submitted").is_dir():
        place = place / "submitted"
    found: dict[tuple[str, str, str], list[Submission]] = {}
    for path in notebooks_in(place):
        submission = _named(path, place, stems)
        found.setdefault((submission.student, submission.set, submission.stem), []).append(submission)
    if not found:
        raise IntakeError(
            f"There is no notebook (*.ipynb) in {place}. Expected is <student>/<set>/NN_stem.ipynb, one "
            "folder for each student, files with the student's name in front, or a zip of these."
        )
    chosen = [_newest(several) for several in _told_apart(found, place, stems).values()]
    return sorted([*chosen, *_not_handed_in(place, chosen, stems)], key=lambda s: (s.student, s.set, s.stem))


def _told_apart(
    found: dict[tuple[str, str, str], list[Submission]], root: Path, stems: list[str]
) -> dict[tuple[str, str, str], list[Submission]]:
    """The same, with students of one name told apart by the numbers that the learning system gave them.

    Else what one of them handed in would take the place of the other's, and one may choose one's name.
    """
    alike = {
        student
        for (student, _, _), several in found.items()
        if len({_number(submission.path, root, stems) for submission in several}) > 1
    }
    if not alike:
        return found
    apart: dict[tuple[str, str, str], list[Submission]] = {}
    for submission in (submission for several in found.values() for submission in several):
        if submission.student in alike:
            name = f"{submission.student} {_number(submission.path, root, stems)}".strip()
            remark = "More than one student has this name; the number is the learning system's."
            submission = replace(submission, student=name, remark=f"{submission.remark} {remark}".strip())
        apart.setdefault((submission.student, submission.set, submission.stem), []).append(submission)
    return apart


def _number(path: Path, root: Path, stems: list[str]) -> str:
    """The number that Moodle or Canvas gave the student a notebook is from; "" if there is none."""
    above = path.relative_to(root).parts[:-1]
    for folder in above:
        if match := _MOODLE.match(folder):
            return match["number"]
    if len(above) >= 2:
        return ""
    match = _CANVAS.match(above[0] if above else _stem_in(path.stem, stems)[1] or path.stem)
    return match["number"] if match else ""


def notebooks_in(folder: Path) -> list[Path]:
    """All notebooks below a folder that are files; links are not followed."""
    found = []
    for where, folders, files in os.walk(folder, followlinks=False):
        deep = len(Path(where).relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            path = Path(where) / name
            notebook = name.lower().endswith(".ipynb") and not name.startswith("._")
            if notebook and path.is_file() and not path.is_symlink():  # a pipe would be read for ever
                found.append(path)
                if len(found) > MOST_FILES:
                    raise IntakeError(f"There are more than {MOST_FILES} notebooks in {folder}.")
    return found


def _named(path: Path, root: Path, stems: list[str]) -> Submission:
    """Student, set and stem of a notebook, from its place, its name and, if need be, its content."""
    above = path.relative_to(root).parts[:-1]
    stem, before, remark = _stem_in(path.stem, stems)
    if not stem and (stem := _stem_by_content(path, stems)):
        remark = f"The file is called {shown(path.name)}; that it is {stem} was seen from its content."
    for folder in above:  # Moodle's, whatever lies round it or in it
        if _MOODLE.match(folder):
            return Submission(_student(folder), stem or "unknown", stem, path, remark)
    if len(above) >= 2:  # nbgrader's layout: the set's name is the folder's
        place = shown(above[0]), shown(above[1])
        return Submission(*place, stem or _one_in(above[1], stems), path, remark)
    student = _student(above[0]) if above else _student(before or path.stem)
    return Submission(student, stem or "unknown", stem, path, remark)


def _stem_in(name: str, stems: list[str]) -> tuple[str, str, str]:
    """The stem in a file's name, what stands before it, and a remark if there is more than the stem."""
    plain = unicodedata.normalize("NFC", name)
    for stem in sorted(stems, key=len, reverse=True):
        # not lower(): some letters become two by it, and every place after them is another
        places = [found.start() for found in re.finditer(re.escape(stem), plain, re.IGNORECASE)]
        if places and (places[-1] == 0 or not plain[places[-1] - 1].isalnum()):
            return stem, plain[: places[-1]].strip("_- ."), ""
    return "", "", ""


def _one_in(text: str, stems: list[str]) -> str:
    return next((stem for stem in stems if stem in text.lower()), "")


def _student(name: str) -> str:
    """The student in a name as learning systems make them; the name itself if it is none of these."""
    for pattern in (_MOODLE, _CANVAS):
        if match := pattern.match(name):
            name = match["student"]
            break
    name = shown(name.strip())
    return name if name.strip(".") else f"unknown{name}"  # "..": a folder is made of it


def _stem_by_content(path: Path, stems: list[str]) -> str:
    """The stem whose exercises a renamed notebook checks most; "" if it checks none."""
    try:
        cells = code_cells(read_notebook(path))
    except Unreadable:
        return ""
    numbers = [number for code in cells for number in _NAMED.findall(code)]
    if not numbers:
        return ""
    most = Counter(sorted(numbers)).most_common(1)[0][0]
    return next((stem for stem in stems if stem.startswith(f"{most}_")), "")


def _newest(several: list[Submission]) -> Submission:
    """The submission that counts where a student handed in more than one file: the newest."""
    if len(several) == 1:
        return several[0]
    last = max(several, key=lambda s: (s.path.lstat().st_mtime, s.path.name))
    remark = f"{len(several)} notebooks were handed in; the newest, {shown(last.path.name)}, was marked."
    return replace(last, remark=f"{last.remark} {remark}".strip())


def _not_handed_in(place: Path, found: list[Submission], stems: list[str]) -> list[Submission]:
    """What is missing: a notebook that others handed in, and folders of students without one."""
    there = {(s.student, s.set, s.stem) for s in found}
    students = {s.student for s in found}
    filled = {s.path.relative_to(place).parts[0] for s in found}
    for folder in sorted(place.iterdir()):
        if folder.is_dir() and not folder.is_symlink() and folder.name not in SKIPPED | filled:
            known = _student(folder.name)
            if folder.name not in students and known not in students:
                students.add(known)
    by = Counter((s.set, s.stem) for s in found if s.stem)
    # what one of many has put there alone is not what all were asked for, if anything else is
    alone = len(students) > 2 and max(by.values(), default=0) > 1
    sets = {each for each, number in by.items() if number > 1 or not alone}
    return [
        Submission(student, name, stem, None, "No notebook was handed in.")
        for student in students
        for name, stem in sorted(sets)
        if (student, name, stem) not in there
    ]


def unpack(archive: Path, folder: Path, stems: Iterable[str] = ()) -> Path:
    """Unpack a zip into a folder: its notebooks and time stamps only, none of them outside the folder.

    Args:
        archive: the zip.
        folder: where to.
        stems: of the exercise sets that exist: a folder of such a name lies in a student's.

    Returns:
        The folder in which those of the students are.

    Raises:
        IntakeError: if it is no zip, or too large when unpacked.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            _unpack(zipped, folder)
    except _NO_ZIP as error:
        raise IntakeError(f"{archive} is not a zip that can be read: {error}") from None
    inner = [path for path in folder.iterdir() if path.name not in SKIPPED]
    alone = inner[0] if len(inner) == 1 and inner[0].is_dir() else None
    # one folder round everything is the export's name, unless it is the only student's
    folders = [path.name for path in alone.iterdir() if path.is_dir()] if alone else []
    return alone if folders and not any(_one_in(name, list(stems)) for name in folders) else folder


def _unpack(zipped: zipfile.ZipFile, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    entries = zipped.infolist()
    if len(entries) > MOST_FILES:
        raise IntakeError(f"The zip holds more than {MOST_FILES} files.")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        link = stat.S_ISLNK(entry.external_attr >> 16)
        wanted = path.suffix.lower() == ".ipynb" or path.name == "timestamp.txt"
        if entry.is_dir() or link or not wanted:
            continue
        if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1]):
            continue
        if len(path.parts) > DEEPEST:
            continue
        size += min(entry.file_size, LARGEST_NOTEBOOK)
        if size > LARGEST_ZIP:
            raise IntakeError(
                f"Unpacked, the zip is larger than {LARGEST_ZIP // MEGA} MB. Give it in parts or as a folder."
            )
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipped.open(entry) as source:  # a size that lies in its header is not believed
            target.write_bytes(source.read(LARGEST_NOTEBOOK + 1))  # with that one it is seen as too large
        when = _time(entry)
        os.utime(target, (when, when))


def _time(entry: zipfile.ZipInfo) -> float:
    from datetime import datetime

    try:
        return datetime(*entry.date_time).timestamp()
    except (ValueError, OverflowError):
        return 0.0


# ------------------------------------------------------------------------------------------ reading


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook of any format that there ever was, as one of today's.

    Raises:
        Unreadable: if it cannot be read; the message says why, in words for the learner.
    """
    try:
        if path.stat().st_size > LARGEST_NOTEBOOK:
            raise Unreadable(f"The notebook is larger than {LARGEST_NOTEBOOK // MEGA} MB. Clear its outputs.")
        text = path.read_bytes().decode("utf-8-sig", errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("The file is not text in UTF-8, so it is no notebook.") from None
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror or error}.") from None
    if not text.strip():
        raise Unreadable("The file is empty.")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        merged = " It holds the marks of an unfinished merge." if "<<<<<<<" in text else ""
        raise Unreadable(f"The file is not valid JSON, so it is no notebook.{merged}") from None
    return _as_notebook(content)


def _as_notebook(content: object) -> nbformat.NotebookNode:
    """A notebook of what is in the file: cells that are none are left out, outputs dropped."""
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise Unreadable("The file is JSON, but no notebook.")
    if content["nbformat"] > 4:
        raise Unreadable(f"The notebook's format {content['nbformat']} is newer than this grader.")
    sheets = _dicts(content.get("worksheets")) if content["nbformat"] < 4 else [content]
    notebook = nbformat.v4.new_notebook()
    for sheet in sheets:
        cells = _dicts(sheet.get("cells"))
        if len(notebook.cells) + len(cells) > MOST_CELLS:  # each is looked at: that would take hours
            raise Unreadable(f"The notebook has more than {MOST_CELLS} cells.")
        for cell in cells:
            _add_cell(notebook, cell)
    if not notebook.cells:
        raise Unreadable("The notebook has no cells.")
    return notebook


def _dicts(value: object) -> list[dict]:
    """The dicts in a list; nothing where there is something else, as in a damaged file."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _add_cell(notebook: nbformat.NotebookNode, cell: dict) -> None:
    """Take over a cell's kind, source and nbgrader's name. Ids are made anew: they may be there twice."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    source = source.encode("utf-8", "replace").decode("utf-8")
    make = nbformat.v4.new_code_cell if cell.get("cell_type") == "code" else nbformat.v4.new_markdown_cell
    made = make(source, id=f"cell-{len(notebook.cells)}")
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(marks, dict) and isinstance(name := marks.get("grade_id"), str):
        made.metadata["nbgrader"] = {"grade_id": name.encode("utf-8", "replace").decode("utf-8")}
    notebook.cells.append(made)


def code_cells(notebook: nbformat.NotebookNode) -> list[str]:
    """The source of a notebook's code cells as they stand, empty ones left out."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def digest(path: Path) -> str:
    """What tells one version of a file from another."""
    try:
        with path.open("rb") as file:  # not as a whole: it may be larger than the memory
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
