"""utils.data: files and checksums, unpacking, images, points in the plane, batches."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from utils import data
from utils.data import (
    MNIST_FILES,
    POINT_SETS,
    Batches,
    DataError,
    ImageData,
    load_mnist,
    make_points,
    mnist_tensors,
    verify,
)
from utils.texts import TEXT_FILES

REPOSITORY = Path(data.__file__).parents[1]
ORIGINALS = REPOSITORY / "data" / "MNIST" / "raw"
TEST_IMAGES = MNIST_FILES["test", "images"]
TEST_LABELS = MNIST_FILES["test", "labels"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the published files, without unpacked ones, and caches that belong to this test."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in MNIST_FILES.values():
        shutil.copy(ORIGINALS / file.name, raw)
    monkeypatch.setenv("N2T_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("N2T_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "user cache" / name)
    monkeypatch.setattr(data, "_checked", {})
    return raw


def unpacked_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*-ubyte") if not path.name.startswith("."))


def flip_one_byte(path: Path, position: int = -1000) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


# --- the files -----------------------------------------------------------------------------------------


def test_files_in_the_repository_are_the_published_ones(monkeypatch):
    monkeypatch.delenv("N2T_DATA", raising=False)
    statuses = verify()
    assert [status.name for status in statuses] == [file.name for file in MNIST_FILES.values()]
    assert all(status.ok and not status.problem and not status.fix for status in statuses), statuses
    assert all(status.path.parent == ORIGINALS for status in statuses)


def test_readme_tells_the_truth_about_the_files():
    text = (REPOSITORY / "data" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \|(.+)\|$", text, flags=re.MULTILINE))
    published = sorted(path for path in (REPOSITORY / "data").rglob("*.gz"))
    assert sorted(rows) == [path.relative_to(REPOSITORY / "data").as_posix() for path in published]
    assert len(published) == len(MNIST_FILES) + len(TEXT_FILES)
    for path in published:
        row = rows[path.relative_to(REPOSITORY / "data").as_posix()]
        assert f" {path.stat().st_size:,} " in row
        assert f" `{hashlib.sha256(path.read_bytes()).hexdigest()}` " in row
    for word in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0", "NIST Special Database"):
        assert word in text


@pytest.mark.parametrize("key", MNIST_FILES)
def test_one_flipped_byte_is_found(folder, key):
    file = MNIST_FILES[key]
    flip_one_byte(folder / file.name)
    with pytest.raises(DataError, match=f"{file.name} is damaged.*checksum.*To mend it, copy .*{file.name}"):
        load_mnist(key[0])
    assert [status.name for status in verify() if not status.ok] == [file.name]
    assert load_mnist("test" if key[0] == "train" else "train")  # the other split is still there


@pytest.mark.parametrize("position", [0, 4, -1, -5])
def test_flipped_byte_in_header_and_trailer(folder, position):
    flip_one_byte(folder / TEST_LABELS.name, position)
    with pytest.raises(DataError, match="checksum"):
        load_mnist("test")


def test_missing_file(folder):
    (folder / TEST_LABELS.name).unlink()
    with pytest.raises(DataError, match=f"{TEST_LABELS.name} is missing. To mend it, "):
        load_mnist("test")
    status = next(status for status in verify() if status.name == TEST_LABELS.name)
    assert (status.ok, status.problem) == (False, "is missing") and status.fix


def test_truncated_file(folder):
    path = folder / TEST_IMAGES.name
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DataError, match=r"damaged: it has 100,000 bytes instead of 1,648,877"):
        load_mnist("test")


def test_folder_where_a_file_should_be(folder):
    (folder / TEST_IMAGES.name).unlink()
    (folder / TEST_IMAGES.name).mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        load_mnist("test")


def test_missing_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("N2T_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DataError, match=r"is missing.*unset N2T_DATA"):
        load_mnist("train")
    assert not any(status.ok for status in verify())


def test_fix_in_a_clone_and_in_a_download(tmp_path, monkeypatch):
    monkeypatch.delenv("N2T_DATA", raising=False)
    monkeypatch.setattr(data, "REPOSITORY", tmp_path)
    monkeypatch.setattr(data, "_checked", {})
    with pytest.raises(DataError, match="download the course again") as raised:
        load_mnist("test")
    assert str(tmp_path) not in str(raised.value)
    (tmp_path / ".git").mkdir()
    with pytest.raises(DataError, match=rf"type: git checkout -- data/MNIST/raw/{TEST_IMAGES.name}"):
        load_mnist("test")


def test_damage_is_found_though_an_unpacked_copy_is_there(folder):
    load_mnist("test")
    flip_one_byte(folder / TEST_IMAGES.name)
    os.utime(folder / TEST_IMAGES.name, ns=(1, 1))
    with pytest.raises(DataError, match="checksum"):
        load_mnist("test")


# --- unpacking -----------------------------------------------------------------------------------------


def test_first_read_unpacks_beside_the_file_and_second_uses_it(folder, monkeypatch):
    first = load_mnist("test")
    names = [TEST_IMAGES.unpacked_name, TEST_LABELS.unpacked_name]
    assert unpacked_files(folder) == names
    for name in names:
        assert (folder / name).read_bytes() == gzip.decompress((folder / f"{name}.gz").read_bytes())
    monkeypatch.setattr(data, "_unpacked", lambda packed: pytest.fail("unpacked again"))
    monkeypatch.setattr(data, "_checked", {})  # as in a new process
    assert torch.equal(load_mnist("test").images, first.images)
    monkeypatch.setattr(data.hashlib, "sha256", lambda content: pytest.fail("checked again"))
    assert torch.equal(load_mnist("test").images, first.images)


def test_git_ignores_whatever_unpacking_leaves(folder):
    load_mnist("test")
    made = {path.name for path in folder.iterdir()} - {file.name for file in MNIST_FILES.values()}
    assert made and all(name.endswith("-ubyte") for name in made)
    assert "data/MNIST/raw/*-ubyte" in (REPOSITORY / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "folder"])
def test_damaged_unpacked_file_is_replaced(folder, damage):
    expected = load_mnist("test").images
    path = folder / TEST_IMAGES.unpacked_name
    if damage == "flip":
        flip_one_byte(path)
        os.utime(path, ns=(1, 1))
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(path.read_bytes()[: 5000 if damage == "truncate" else 0])
    assert torch.equal(load_mnist("test").images, expected)
    if damage != "folder":  # a folder cannot be replaced: the user's cache folder is used instead
        assert hashlib.sha256(path.read_bytes()).hexdigest() == TEST_IMAGES.unpacked_sha256


def test_unpacked_file_cut_while_it_is_read(folder, monkeypatch):
    expected = load_mnist("test").images
    monkeypatch.setattr(data.np, "fromfile", lambda path, dtype: np.zeros(10, dtype))
    assert torch.equal(load_mnist("test").images, expected)


def test_changing_what_was_loaded_changes_no_file(folder):
    load_mnist("test").images.zero_()
    assert load_mnist("test").images.any()


def read_only(monkeypatch, *folders: Path):
    """Make folders unwritable, also for root, whom file modes do not stop."""
    real = np.ndarray.tofile

    class Unpacked(np.ndarray):
        def tofile(self, path):
            if Path(path).parent in folders:
                raise PermissionError(13, "Permission denied", str(path))
            real(self, path)

    unpack = data._unpacked
    monkeypatch.setattr(data, "_unpacked", lambda packed: unpack(packed).view(Unpacked))


def test_read_only_repository_falls_back_to_the_users_cache(folder, tmp_path, monkeypatch):
    read_only(monkeypatch, folder)
    images = load_mnist("test").images
    assert unpacked_files(folder) == []
    cache = tmp_path / "user cache" / "neurons-to-transformers" / "MNIST"
    assert unpacked_files(cache) == [TEST_IMAGES.unpacked_name, TEST_LABELS.unpacked_name]
    monkeypatch.setattr(data, "_unpacked", lambda packed: pytest.fail("unpacked again"))
    assert torch.equal(load_mnist("test").images, images)


def test_lock_that_cannot_be_made_falls_back_too(folder, tmp_path, monkeypatch):
    import filelock

    class NoLock(filelock.FileLock):
        def __init__(self, path, **options):
            if Path(path).parent == folder:
                raise NotImplementedError("this file system has no locks")
            super().__init__(path, **options)

    monkeypatch.setattr(filelock, "FileLock", NoLock)
    assert len(load_mnist("test")) == 10_000
    assert unpacked_files(tmp_path / "user cache" / "neurons-to-transformers" / "MNIST")


def test_nothing_writable_unpacks_into_memory(folder, tmp_path, monkeypatch):
    (tmp_path / "user cache").write_text("a file where a folder should be")
    read_only(monkeypatch, folder)
    first, second = load_mnist("test"), load_mnist("test")
    assert torch.equal(first.images, second.images) and len(first) == 10_000
    assert unpacked_files(folder) == []


def test_n2t_cache_overrides(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("N2T_CACHE", str(tmp_path / "chosen"))
    load_mnist("test")
    assert unpacked_files(tmp_path / "chosen" / "MNIST") == [
        TEST_IMAGES.unpacked_name,
        TEST_LABELS.unpacked_name,
    ]
    assert unpacked_files(folder) == [] and not (tmp_path / "user cache").exists()


def test_unwritable_n2t_cache_unpacks_into_memory(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("N2T_CACHE", str(tmp_path / "file"))
    assert len(load_mnist("test")) == 10_000
    assert unpacked_files(folder) == []


def test_interrupted_unpacking_leaves_nothing_that_is_taken_for_whole(folder, monkeypatch):
    def interrupt(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(data.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_mnist("test")
    assert unpacked_files(folder) == []
    assert [path for path in folder.iterdir() if "lock" not in path.name and path.suffix != ".gz"] == []


CHILD = """
import sys, time
from pathlib import Path
from utils import data

go, unpack = Path(sys.argv[1]), data._unpacked

def counted(packed):
    with open(sys.argv[2], "a") as log:
        log.write("unpacked\\n")
    time.sleep(0.3)
    return unpack(packed)

data._unpacked = counted
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
print(int(data.load_mnist("test").images.sum()))
"""


def test_two_processes_unpack_at_once(folder, tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path / "go"), str(tmp_path / "log")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    sums = [child.communicate(timeout=300)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sums == [str(int(load_mnist("test").images.sum()))] * 2
    # Two files, each unpacked by one of the two; the other one waited for the lock.
    assert (tmp_path / "log").read_text() == "unpacked\n" * 2


# --- images --------------------------------------------------------------------------------------------


def test_mnist_as_a_dataset():
    train, test = load_mnist("train"), load_mnist("test")
    assert train.images.shape == (60_000, 28, 28) and test.images.shape == (10_000, 28, 28)
    assert train.images.dtype == torch.uint8 and train.labels.dtype == torch.int64
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert train.classes == tuple("0123456789")
    assert repr(train) == "MNIST train: 60,000 pictures of 28 × 28, 10 classes"
    image, label = train[0]
    assert image.shape == (1, 28, 28) and image.dtype == torch.float32 and type(label) is int
    assert torch.equal(image[0], train.images[0] / 255)
    assert image.min() == 0 and image.max() == 1
    assert train[-1][1] == int(train.labels[-1]) and train[torch.tensor(3)][1] == 1


def test_dataset_ends_where_it_ends():
    test = load_mnist("test")
    with pytest.raises(IndexError, match="10,000 pictures"):
        test[10_000]
    with pytest.raises(IndexError):
        test[-10_001]
    with pytest.raises(TypeError, match=r"use \.images"):
        test[:3]


@pytest.mark.parametrize("split", ["valid", "Train", 0, None])
def test_unknown_split(split):
    with pytest.raises(ValueError, match="'train' or 'test'"):
        load_mnist(split)


def test_dataloader_with_default_collate():
    test = load_mnist("test")
    images, labels = next(iter(DataLoader(test, batch_size=32)))
    assert images.shape == (32, 1, 28, 28) and images.dtype == torch.float32
    assert labels.dtype == torch.int64 and torch.equal(labels, test.labels[:32])
    assert torch.equal(images[7], test[7][0])
    part = DataLoader(Subset(test, range(100, 110)), batch_size=4)
    assert torch.cat([y for _, y in part]).tolist() == test.labels[100:110].tolist()


def test_dataloader_with_workers():
    loader = DataLoader(Subset(load_mnist("test"), range(64)), batch_size=32, num_workers=1)
    assert torch.equal(torch.cat([y for _, y in loader]), load_mnist("test").labels[:64])


def test_tensors_agree_with_the_dataset():
    test = load_mnist("test")
    X, y = mnist_tensors("test")
    assert X.shape == (10_000, 784) and X.dtype == torch.float32 and X.is_contiguous()
    pictures, _ = mnist_tensors("test", flatten=False)
    assert pictures.shape == (10_000, 1, 28, 28)
    assert torch.equal(X.reshape(-1, 1, 28, 28), pictures)
    assert torch.equal(pictures[123], test[123][0]) and torch.equal(y, test.labels)
    X, y = mnist_tensors("test", device="meta")
    assert X.is_meta and y.is_meta


def test_image_data_refuses_what_does_not_fit():
    labels = torch.zeros(3, dtype=torch.long)
    with pytest.raises(ValueError, match="uint8"):
        ImageData(torch.zeros(3, 4, 4), labels, classes="ab")
    with pytest.raises(ValueError, match=r"3 images need labels of shape \(3,\), not \(2,\)"):
        ImageData(torch.zeros(3, 4, 4, dtype=torch.uint8), labels[:2], classes="ab")


TORCHVISION = """
import socket

def refuse(*args, **kwargs):
    raise OSError("this test has no network")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse

from torchvision import datasets, transforms

train = datasets.MNIST(root="data", train=True, download=True, transform=transforms.ToTensor())
test = datasets.MNIST(root="data", train=False, download=True)
image, label = train[0]
print(len(train), len(test), tuple(image.shape), label)
"""


@pytest.mark.parametrize("first", ["torchvision", "utils"])
def test_torchvision_reads_the_same_files_without_network(folder, tmp_path, first):
    if first == "utils":
        load_mnist("train")
        load_mnist("test")
    run = subprocess.run(
        [sys.executable, "-c", TORCHVISION], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.stdout.splitlines()[-1:] == ["60000 10000 (1, 28, 28) 5"], run.stderr
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert load_mnist("train")[0][1] == 5
    assert {name: before[name] for name in unpacked_files(folder)} == {
        name: (folder / name).stat().st_mtime_ns for name in unpacked_files(folder)
    }


# --- points in the plane -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINT_SETS)
def test_points_have_the_promised_form(name):
    for n in (2, 3, 200, 1001):
        X, y = make_points(name, n)
        assert X.shape == (n, 2) and X.dtype == torch.float32
        assert y.shape == (n,) and y.dtype == torch.int64
        assert y.bincount(minlength=2).tolist() == [n - n // 2, n // 2]
    X, y = make_points(name, 2000, noise=0)
    assert X.abs().max() <= 3 and X.abs().max() > 1.4
    assert X.mean(0).abs().max() < 0.35
    assert 300 < y[:1000].sum() < 700  # in random order


@pytest.mark.parametrize("name", POINT_SETS)
def test_points_come_again_and_leave_the_global_generator_alone(name):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    X, y = make_points(name, 50, seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    again = make_points(name, 50, seed=4)
    assert torch.equal(again[0], X) and torch.equal(again[1], y)
    other = make_points(name, 50, seed=5)
    assert not torch.equal(other[0], X)


@pytest.mark.parametrize("name", POINT_SETS)
def test_noise_is_the_standard_deviation_of_what_is_added(name):
    clean, y = make_points(name, 5000, noise=0.0, seed=1)
    noisy, same = make_points(name, 5000, noise=0.5, seed=1)
    assert torch.equal(y, same)
    assert torch.allclose((noisy - clean).std(0), torch.tensor(0.5), atol=0.02)


def nearest_other(X, y):
    """The smallest distance between points of different classes."""
    return torch.cdist(X[y == 0], X[y == 1]).min()


@pytest.mark.parametrize(("name", "gap"), [("blobs", 1.0), ("circles", 0.9), ("spirals", 0.3), ("xor", 0.5)])
def test_classes_are_apart_without_noise(name, gap):
    assert nearest_other(*make_points(name, 2000, noise=0)) > gap


def test_what_each_shape_means():
    X, y = make_points("blobs", 1000, noise=0)
    assert torch.equal((X.sum(1) > 0).long(), y)  # a straight line is enough
    X, y = make_points("xor", 1000, noise=0)
    assert torch.equal((X[:, 0] * X[:, 1] < 0).long(), y)
    assert all(
        ((X[:, 0] > 0) == a).logical_and((X[:, 1] > 0) == b).sum() > 150 for a in (0, 1) for b in (0, 1)
    )
    X, y = make_points("circles", 1000, noise=0)
    assert torch.allclose(X.norm(dim=1), 2.0 - y)
    X, y = make_points("moons", 1000, noise=0)
    assert X[y == 0, 1].mean() > 0.3 > -0.3 > X[y == 1, 1].mean()


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor"])
def test_a_line_does_not_separate_the_others(name):
    X, y = make_points(name, 400, noise=0)
    inputs = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    weights = torch.linalg.lstsq(inputs, 2.0 * y[:, None] - 1).solution
    assert ((inputs @ weights).squeeze(1) > 0).long().eq(y).float().mean() < 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ["moons"]}, "blobs, circles"),
        ({"name": "moon"}, "blobs, circles, moons, spirals, xor"),
        ({"n": 1}, "n must be a whole number, 2 or more"),
        ({"n": 10.0}, "n must be a whole number"),
        ({"noise": -0.1}, "noise must be a number, 0 or more"),
        ({"noise": float("nan")}, "noise must be"),
        ({"noise": "much"}, "noise must be"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
        ({"seed": None}, "seed must be a whole number"),
    ],
)
def test_points_say_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_points(**{"name": "moons", **arguments})


def test_noise_may_come_from_a_slider_or_from_numpy():
    assert torch.equal(make_points("xor", 9, noise=1)[0], make_points("xor", 9, noise=np.float32(1))[0])


# --- batches -------------------------------------------------------------------------------------------


def pair(n: int = 10):
    return torch.arange(2.0 * n).reshape(n, 2), torch.arange(n)


def test_shuffled_batches_follow_the_generator():
    X, y = pair()
    batches = Batches(X, y, batch_size=4, generator=torch.Generator().manual_seed(3))
    twin = torch.Generator().manual_seed(3)
    for _ in range(3):  # each epoch draws the next permutation
        expected = torch.randperm(10, generator=twin)
        seen = list(batches)
        assert [len(x) for x, _ in seen] == [4, 4, 2]
        assert torch.equal(torch.cat([labels for _, labels in seen]), expected)
        assert torch.equal(torch.cat([x for x, _ in seen]), X[expected])


def test_without_a_generator_the_global_one_decides():
    X, y = pair()
    torch.manual_seed(5)
    seen = torch.cat([labels for _, labels in Batches(X, y)])
    torch.manual_seed(5)
    assert torch.equal(seen, torch.randperm(10))


def test_state_of_the_generator_repeats_an_epoch():
    X, y = pair(100)
    generator = torch.Generator().manual_seed(0)
    batches = Batches(X, y, batch_size=7, generator=generator)
    list(batches)
    state = generator.get_state()
    first = [labels.tolist() for _, labels in batches]
    generator.set_state(state)
    assert [labels.tolist() for _, labels in batches] == first


def test_order_without_shuffle_draws_nothing():
    X, y = pair()
    state = torch.get_rng_state()
    seen = list(Batches(X, y, batch_size=3, shuffle=False))
    assert torch.equal(torch.cat([x for x, _ in seen]), X)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 64])
def test_lengths_are_those_of_a_dataloader(shuffle, drop_last, batch_size):
    X, y = pair()
    batches = Batches(X, y, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last)
    loader = DataLoader(
        torch.utils.data.TensorDataset(X, y), batch_size=batch_size, shuffle=shuffle, drop_last=drop_last
    )
    assert len(batches) == len(loader) == len(list(batches))
    assert [len(x) for x, _ in batches] == [len(x) for x, _ in loader]
    assert batches.num_samples == 10


def test_any_number_of_tensors():
    (x,) = next(iter(Batches(torch.arange(5), shuffle=False)))
    assert x.tolist() == [0, 1, 2, 3, 4]
    three = next(iter(Batches(*pair(), torch.zeros(10, 3, 4), batch_size=2)))
    assert [tensor.shape for tensor in three] == [(2, 2), (2,), (2, 3, 4)]


def test_shuffled_batches_are_copies():
    X, y = pair()
    for x, _ in Batches(X, y, batch_size=4):
        x.zero_()
    assert torch.equal(X, pair()[0])


def test_two_passes_at_once_do_not_disturb_each_other():
    batches = Batches(*pair(), batch_size=5)
    first, second = iter(batches), iter(batches)
    seen = [[], []]
    for _ in range(2):
        seen[0] += next(first)[1].tolist()
        seen[1] += next(second)[1].tolist()
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(10))


@pytest.mark.parametrize(
    ("tensors", "options", "error", "message"),
    [
        ((), {}, ValueError, "at least one tensor"),
        ((torch.ones(3), torch.ones(4)), {}, ValueError, "same length, not 3, 4"),
        ((torch.ones(0, 2),), {}, ValueError, "no samples"),
        ((torch.tensor(1.0),), {}, ValueError, "first dimension counts samples"),
        ((torch.ones(3), torch.ones(3, device="meta")), {}, ValueError, "same device, not on cpu and meta"),
        (([1, 2],), {}, TypeError, "takes tensors, not list"),
        ((torch.ones(3),), {"batch_size": 0}, ValueError, "batch_size must be a whole number, 1 or more"),
        ((torch.ones(3),), {"batch_size": 2.5}, ValueError, "batch_size must be"),
    ],
)
def test_batches_say_what_is_allowed(tensors, options, error, message):
    with pytest.raises(error, match=message):
        Batches(*tensors, **options)


def test_batches_describe_themselves():
    assert repr(Batches(*pair(), batch_size=4)) == "3 batches of 4 from 10 samples, shuffled"


# --- import time ---------------------------------------------------------------------------------------


def test_importing_is_light():
    code = (
        "import sys, torch; before = set(sys.modules); import utils.data, utils.device; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torchvision", "matplotlib", "sklearn", "pandas", "scipy", "IPython", "filelock", "platformdirs"}
    assert not heavy & set(run.stdout.split())
