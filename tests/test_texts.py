"""utils.texts: names, words, a novel and a series, and what happens where a file is missing or damaged."""

from __future__ import annotations

import datetime
import itertools
import re
import shutil

import pytest

from utils import data
from utils.data import DataError
from utils.texts import TEXT_FILES, births, novel, pronunciations, surnames, verify_texts

READERS = {"surnames": surnames, "pronunciations": pronunciations, "novel": novel, "births": births}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the files."""
    for file in TEXT_FILES.values():
        target = tmp_path / "data" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data.REPOSITORY / "data" / file.name, target)
    monkeypatch.setenv("N2T_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_surnames_come_by_frequency_in_small_letters():
    names = surnames()
    assert len(names) == len(set(names)) == 88_799
    assert names[:4] == ["smith", "johnson", "williams", "jones"]
    assert all(re.fullmatch("[a-z]+", name) for name in names)
    assert surnames(100) == names[:100]


@pytest.mark.parametrize("most", [0, -1])
def test_no_surnames_at_all_are_refused(most):
    with pytest.raises(ValueError, match=f"at least 1, not {most}"):
        surnames(most)


def test_pronunciations():
    said = pronunciations()
    assert said["cat"] == ("K", "AE", "T") and said["though"] == ("DH", "OW")
    assert len(said) > 110_000 and all(re.fullmatch("[a-z]+", word) for word in said)
    assert len({phoneme for phonemes in said.values() for phoneme in phonemes}) == 39
    assert pronunciations(stress=True)["record"] == ("R", "AH0", "K", "AO1", "R", "D")
    assert all(said.values()), "a word that is not said at all"


def test_the_novel_is_whole():
    text = novel()
    assert "\nCall me Ishmael." in text and text.startswith("CHAPTER 1. Loomings.")
    assert [int(n) for n in re.findall(r"(?m)^CHAPTER (\d+)\. ", text)] == list(range(1, 136))
    assert text.rstrip().endswith("only found another orphan.")


def test_births_have_a_number_for_each_day():
    days, number = births()
    assert days[0] == datetime.date(2000, 1, 1) and days[-1] == datetime.date(2014, 12, 31)
    assert all((b - a).days == 1 for a, b in itertools.pairwise(days))
    assert number.shape == (len(days),) and number[:2].tolist() == [9083, 8006]
    weekend = [n for day, n in zip(days, number.tolist(), strict=True) if day.weekday() == 6]
    assert sum(weekend) / len(weekend) < 0.75 * number.float().mean()


def test_the_files_of_the_repository_are_right(monkeypatch):
    monkeypatch.delenv("N2T_DATA", raising=False)
    assert [status.name for status in verify_texts()] == [file.name for file in TEXT_FILES.values()]
    assert all(status.ok and not status.problem and not status.fix for status in verify_texts())


@pytest.mark.parametrize("key", TEXT_FILES)
def test_one_flipped_byte_is_found(folder, key):
    path = folder / TEXT_FILES[key].name
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path.name} is damaged.*checksum.*To mend it, copy .*{path.name}"):
        READERS[key]()
    assert [status.name for status in verify_texts() if not status.ok] == [TEXT_FILES[key].name]


@pytest.mark.parametrize("key", TEXT_FILES)
def test_a_missing_file_a_short_one_and_a_folder(folder, key):
    path = folder / TEXT_FILES[key].name
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="it has 1,000 bytes instead of"):
        READERS[key]()
    path.unlink()
    with pytest.raises(DataError, match=r"is missing\. To mend it, "):
        READERS[key]()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        READERS[key]()


def test_what_to_do_in_a_clone_and_in_a_download(tmp_path, monkeypatch):
    monkeypatch.delenv("N2T_DATA", raising=False)
    monkeypatch.setattr(data, "REPOSITORY", tmp_path)
    with pytest.raises(DataError, match="download the course again") as raised:
        novel()
    assert str(tmp_path) not in str(raised.value)
    (tmp_path / ".git").mkdir()
    with pytest.raises(DataError, match=r"git checkout -- data/text/moby_dick\.txt\.gz"):
        novel()
