"""Names, words, a novel and a series: small files that are read whole and compared with their checksums.

Origins and licences of all files stand in ``data/README.md``. The pictures of digits are in ``utils.data``.
"""

from __future__ import annotations

import datetime
import re
import zlib
from dataclasses import dataclass

import torch

from utils.data import DataError, FileStatus, data_folder, how_to_mend, read_packed

__all__ = ["TEXT_FILES", "TextFile", "births", "novel", "pronunciations", "surnames", "verify_texts"]


@dataclass(frozen=True)
class TextFile:
    """One gzipped text in UTF-8: its place below the data folder, its size in bytes and its checksum."""

    name: str
    size: int
    sha256: str


TEXT_FILES = {
    "surnames": TextFile(
        "text/dist.all.last.gz",
        727_343,
        "1f21401448b24c7709ab3a887a14f4e30cfa4ed09184b4efcdaeec973c20c92f",
    ),
    "pronunciations": TextFile(
        "text/cmudict.dict.gz",
        915_076,
        "16b44442e8bd69512e8689a2972c0ffb2d7d0853e7bc34585ec48ea94dd7a3ad",
    ),
    "novel": TextFile(
        "text/moby_dick.txt.gz",
        471_600,
        "f44a38c838d5d02ccf3f27139fa5087ef93412601f45a9fc822176abee5c1d9a",
    ),
    "births": TextFile(
        "series/births.csv.gz",
        28_168,
        "bfc1c9f747742dd7bf86047501f84db750dace44531b36c8b7d28801dbb612e6",
    ),
}


def verify_texts() -> list[FileStatus]:
    """Compare every text file with its checksum; nothing is raised.

    Returns:
        One status for each file.
    """
    statuses = []
    for file in TEXT_FILES.values():
        _, problem = _packed(file)
        fix = how_to_mend(f"data/{file.name}") if problem else ""
        statuses.append(FileStatus(file.name, data_folder() / file.name, not problem, problem, fix))
    return statuses


def surnames(most: int | None = None) -> list[str]:
    """Surnames of the United States census of 1990 in small letters (a–z), the most frequent first.

    Args:
        most: how many at most; all 88,799 if it is not given.

    Raises:
        ValueError: ``most`` is below 1.
        DataError: the file is missing or damaged.
    """
    if most is not None and most < 1:
        raise ValueError(f"most must be at least 1, not {most}")
    return [line.split()[0].lower() for line in _read("surnames").splitlines()[:most]]


def pronunciations(*, stress: bool = False) -> dict[str, tuple[str, ...]]:
    """Words in small letters (a–z only) and how Americans say them: the first pronunciation of each.

    Phonemes are ARPAbet's, as the CMU Pronouncing Dictionary writes them: ``pronunciations()["cat"]`` is
    ``("K", "AE", "T")``. Vowels carry their stress, as in ``AE1``, only with ``stress=True``.

    Raises:
        DataError: the file is missing or damaged.
    """
    said: dict[str, tuple[str, ...]] = {}
    for line in _read("pronunciations").splitlines():
        word, *phonemes = line.split("#")[0].split()
        if not re.fullmatch("[a-z]+", word):  # abbreviations, apostrophes, and second pronunciations: "a(2)"
            continue
        said[word] = tuple(phonemes if stress else (p.rstrip("012") for p in phonemes))
    return said


def novel() -> str:
    """Herman Melville's *Moby-Dick; or, The Whale* (1851): 135 chapters and the epilogue.

    Some 1.2 million characters.

    Raises:
        DataError: the file is missing or damaged.
    """
    return _read("novel")


def births() -> tuple[list[datetime.date], torch.Tensor]:
    """Children born in the United States on each day from 2000 to 2014, as the Social Security counted them.

    Returns:
        The 5,479 days, and how many were born on each: (5479,), int64.

    Raises:
        DataError: the file is missing or damaged.
    """
    rows = [[int(part) for part in line.split(",")] for line in _read("births").splitlines()[1:]]
    return [datetime.date(*row[:3]) for row in rows], torch.tensor([row[4] for row in rows])


def _packed(file: TextFile) -> tuple[bytes, str]:
    """Bytes of a packed file, and what is wrong with it ("" if nothing is)."""
    return read_packed(data_folder() / file.name, file.size, file.sha256)


def _read(key: str) -> str:
    file = TEXT_FILES[key]
    packed, problem = _packed(file)
    if problem:
        raise DataError(
            f"The data file data/{file.name} {problem}. To mend it, {how_to_mend(f'data/{file.name}')}."
        )
    return zlib.decompress(packed, wbits=31).decode("utf-8")
