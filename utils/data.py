"""Data by name: real handwritten digits and points in the plane, without a network.

    from utils.data import Batches, load_mnist, make_points, mnist_tensors

    digits = load_mnist("train")                  # a Dataset: 60,000 pictures of 28 × 28
    X, y = mnist_tensors("train")                 # the same as two tensors
    batches = Batches(X, y, batch_size=64)        # like a DataLoader, several times as fast
    X, y = make_points("moons", 200, noise=0.1)   # two classes in the plane

The four files of MNIST stand in ``data/MNIST/raw`` as they were published. Their checksums are compared
when they are first read. Unpacked copies are kept beside them, or in the user's cache folder where the
repository cannot be written. ``N2T_DATA`` names another data folder, ``N2T_CACHE`` another cache folder.
"""

from __future__ import annotations

import hashlib
import math
import operator
import os
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

__all__ = [
    "MNIST_FILES",
    "POINT_SETS",
    "Batches",
    "DataError",
    "DataFile",
    "FileStatus",
    "ImageData",
    "data_folder",
    "how_to_mend",
    "load_mnist",
    "make_points",
    "mnist_tensors",
    "read_packed",
    "verify",
]

REPOSITORY = Path(__file__).resolve().parents[1]


class DataError(RuntimeError):
    """A data file is missing or damaged. The message names the file and says what to do."""


# --- the files -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataFile:
    """One published file: what it must be when packed, and what it unpacks to."""

    name: str
    size: int  # bytes, packed
    sha256: str  # of the packed file
    unpacked_sha256: str
    shape: tuple[int, ...]  # of the uint8 array inside, after a header of 4 + 4 * dimensions bytes

    @property
    def unpacked_name(self) -> str:
        return self.name.removesuffix(".gz")

    @property
    def header_size(self) -> int:
        return 4 + 4 * len(self.shape)

    @property
    def unpacked_size(self) -> int:
        return self.header_size + math.prod(self.shape)


@dataclass(frozen=True)
class FileStatus:
    """What :func:`verify` found about one file: ``problem`` and ``fix`` are empty if it is right."""

    name: str
    path: Path
    ok: bool
    problem: str = ""
    fix: str = ""


MNIST_FILES = {
    ("train", "images"): DataFile(
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        (60_000, 28, 28),
    ),
    ("train", "labels"): DataFile(
        "train-labels-idx1-ubyte.gz",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        (60_000,),
    ),
    ("test", "images"): DataFile(
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        (10_000, 28, 28),
    ),
    ("test", "labels"): DataFile(
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        (10_000,),
    ),
}

# Files whose checksum was right in this process: path -> (size, time of last change). A second read of
# the same, unchanged file need not compute it again.
_checked: dict[Path, tuple[int, int]] = {}


def data_folder() -> Path:
    """The folder that holds the data: ``N2T_DATA`` if set, else ``data`` in the repository."""
    chosen = os.environ.get("N2T_DATA")
    return Path(chosen).expanduser() if chosen else REPOSITORY / "data"


def verify() -> list[FileStatus]:
    """Compare every data file with its checksum, whatever was read before.

    Returns:
        One status for each published file; nothing is raised and nothing is unpacked.
    """
    statuses = []
    for file in MNIST_FILES.values():
        path = _mnist_folder() / file.name
        _, problem = read_packed(path, file.size, file.sha256)
        fix = how_to_mend(f"data/MNIST/raw/{file.name}") if problem else ""
        statuses.append(FileStatus(file.name, path, not problem, problem, fix))
    return statuses


def _mnist_folder() -> Path:
    return data_folder() / "MNIST" / "raw"


def read_packed(path: Path, size: int, sha256: str) -> tuple[bytes, str]:
    """Read a published file of so many bytes. Returns them and what is wrong ("" if nothing is)."""
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        return b"", "is missing"
    except OSError as error:
        return b"", f"cannot be read ({error.strerror or type(error).__name__})"
    if len(packed) != size:
        return b"", f"is damaged: it has {len(packed):,} bytes instead of {size:,}"
    if hashlib.sha256(packed).hexdigest() != sha256:
        return b"", "is damaged: its SHA-256 checksum is not the published one"
    return packed, ""


def how_to_mend(origin: str) -> str:
    """What a learner does about a missing or damaged file, which the course has at ``origin``."""
    if os.environ.get("N2T_DATA"):
        return f"copy {origin} of the course into the folder that N2T_DATA names, or unset N2T_DATA"
    if (REPOSITORY / ".git").exists():
        return f"in the course's folder, type: git checkout -- {origin}"
    return f"download the course again and copy its {origin} over this one"


def _error(file: DataFile, path: Path, problem: str) -> DataError:
    shown = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path
    return DataError(
        f"The data file {shown} {problem}. To mend it, {how_to_mend(f'data/MNIST/raw/{file.name}')}."
    )


# --- unpacking -----------------------------------------------------------------------------------------


def _read(file: DataFile) -> np.ndarray:
    """The array inside a published file, from an unpacked copy if there is an intact one.

    Raises:
        DataError: the published file is missing or damaged.
    """
    path = _mnist_folder() / file.name
    packed = b""
    if not _unchanged(path):
        packed, problem = read_packed(path, file.size, file.sha256)
        if problem:
            raise _error(file, path, problem)
        _remember(path)
    folders = _cache_folders()
    for folder in folders:
        content = _intact(file, folder / file.unpacked_name)
        if content is not None:
            return _array(file, content)
    packed = packed or path.read_bytes()
    for folder in folders:
        try:
            return _array(file, _unpack_into(folder, file, packed))
        except (OSError, NotImplementedError):
            continue  # read-only, full, or without locks: the next folder may do
    return _array(file, _unpacked(packed))  # no folder can be written: unpack into memory each time


def _cache_folders() -> list[Path]:
    """Where unpacked copies may be, in the order in which they are tried."""
    chosen = os.environ.get("N2T_CACHE")
    if chosen:
        return [Path(chosen).expanduser() / "MNIST"]
    import platformdirs

    return [_mnist_folder(), platformdirs.user_cache_path("neurons-to-transformers") / "MNIST"]


def _unpack_into(folder: Path, file: DataFile, packed: bytes) -> np.ndarray:
    """Unpack into a folder: whole or not at all, and once even if several processes ask at the same time.

    Raises:
        OSError: the folder cannot be written, or another process holds the lock for too long.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.unpacked_name
    # Both helper files end like the unpacked ones, so that git ignores whatever a crash leaves behind.
    with FileLock(folder / f".lock-{file.unpacked_name}", timeout=60):
        content = _intact(file, target)  # another process may have been faster
        if content is None:
            content = _unpacked(packed)
            temporary = folder / f".{uuid.uuid4().hex}-{file.unpacked_name}"
            try:
                content.tofile(temporary)
                os.replace(temporary, target)  # readers see the old file or the new one, never a part
            finally:
                temporary.unlink(missing_ok=True)
            _remember(target)
    return content


def _unpacked(packed: bytes) -> np.ndarray:
    """Decompress gzip. The array owns writable memory, as tensors made from it expect."""
    return np.frombuffer(bytearray(zlib.decompress(packed, wbits=31)), dtype=np.uint8)


def _intact(file: DataFile, path: Path) -> np.ndarray | None:
    """The bytes of an unpacked file, or None if it is missing or not what it should be."""
    try:
        if path.stat().st_size != file.unpacked_size:
            return None
        content = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    if len(content) != file.unpacked_size:
        return None
    if not _unchanged(path):
        if hashlib.sha256(content).hexdigest() != file.unpacked_sha256:
            return None
        _remember(path)
    return content


def _array(file: DataFile, content: np.ndarray) -> np.ndarray:
    """Leave the header out. The checksum has shown that it is the right one."""
    return content[file.header_size :].reshape(file.shape)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _unchanged(path: Path) -> bool:
    """Whether this process has checked the file and it has not been touched since."""
    stamp = _stamp(path)
    return stamp is not None and _checked.get(path) == stamp


def _remember(path: Path) -> None:
    stamp = _stamp(path)
    if stamp is not None:
        _checked[path] = stamp


# --- images --------------------------------------------------------------------------------------------


class ImageData(Dataset):
    """Grey pictures with labels, as a PyTorch ``Dataset``: item ``i`` is ``(image, label)``.

    An image is a float32 tensor of shape (1, H, W) with values from 0 (background) to 1 (ink); a label is
    an int. ``DataLoader`` works on it as on any data set.

    Attributes:
        images: uint8 tensor (N, H, W), values 0 to 255, as stored in the files.
        labels: int64 tensor (N,).
        classes: the name of each class; label ``k`` means ``classes[k]``.
        name: what this is, for example ``"MNIST train"``.
    """

    def __init__(
        self, images: torch.Tensor, labels: torch.Tensor, *, classes: Sequence[str], name: str = "images"
    ) -> None:
        if images.ndim != 3 or images.dtype != torch.uint8:
            raise ValueError(
                f"images must be uint8 of shape (N, H, W), not {images.dtype} of shape {tuple(images.shape)}"
            )
        if labels.shape != images.shape[:1]:
            count = len(images)
            raise ValueError(f"{count} images need labels of shape ({count},), not {tuple(labels.shape)}")
        self.images = images
        self.labels = labels.long()
        self.classes = tuple(classes)
        self.name = name

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        try:
            i = operator.index(index)
        except TypeError:
            raise TypeError(
                f"an index must be a whole number, not {type(index).__name__}; "
                "for several pictures at once use .images[...] and .labels[...]"
            ) from None
        if not -len(self) <= i < len(self):
            raise IndexError(f"index {i} is outside {self.name}, which has {len(self):,} pictures")
        return _to_float(self.images[i]).unsqueeze(0), int(self.labels[i])

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[torch.Tensor, int]]:
        """Several items at once: ``DataLoader`` asks for a batch in this way, which is faster."""
        chosen = torch.as_tensor(indices, dtype=torch.long)
        images = _to_float(self.images[chosen]).unsqueeze(1)  # (B, 1, H, W)
        return list(zip(images, self.labels[chosen].tolist(), strict=True))

    def __repr__(self) -> str:
        height, width = self.images.shape[1:]
        return f"{self.name}: {len(self):,} pictures of {height} × {width}, {len(self.classes)} classes"


def load_mnist(split: str = "train") -> ImageData:
    """Handwritten digits: 60,000 pictures to train on, 10,000 to test on.

    Args:
        split: ``"train"`` or ``"test"``.

    Raises:
        ValueError: the split is neither.
        DataError: a file is missing or damaged; the message says which and what to do.
    """
    if split not in ("train", "test"):
        raise ValueError(
            f"split must be 'train' or 'test', not {split!r}. MNIST has no validation set: "
            "take a part of 'train', for example the last 10,000."
        )
    images = torch.from_numpy(_read(MNIST_FILES[split, "images"]))
    labels = torch.from_numpy(_read(MNIST_FILES[split, "labels"]))
    return ImageData(images, labels, classes="0123456789", name=f"MNIST {split}")


def mnist_tensors(
    split: str = "train", *, flatten: bool = True, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """MNIST as two tensors on a device, ready for :class:`Batches`.

    Args:
        split: ``"train"`` or ``"test"``.
        flatten: one row of 784 numbers a picture; otherwise pictures with one channel.
        device: where the tensors shall live.

    Returns:
        ``(X, y)``: float32 (N, 784) or (N, 1, 28, 28) with values from 0 to 1, and int64 (N,).

    Raises:
        ValueError, DataError: as :func:`load_mnist`.
    """
    data = load_mnist(split)
    X = _to_float(data.images.to(device))  # a byte travels faster than a float: move first, convert there
    return X.flatten(1) if flatten else X.unsqueeze(1), data.labels.to(device)


def _to_float(images: torch.Tensor) -> torch.Tensor:
    """Bytes 0..255 to float32 0..1."""
    return images.to(torch.float32).div_(255)


# --- points in the plane -------------------------------------------------------------------------------

# Each maker gets a generator and the class of each point, (n,) with values 0 and 1, and returns the points
# without noise, (n, 2) in float64. All are centred on the origin and fit a square from -3 to 3.


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(n, generator=generator, dtype=torch.float64)


def _on_circle(radius: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def _blobs(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Two discs, densest in the middle: a straight line separates them while the noise is small."""
    radius = _uniform(len(y), 0, 1, generator)
    angle = _uniform(len(y), 0, 2 * math.pi, generator)
    centre = (2.4 * y - 1.2).double()  # class 0 at (-1.2, -1.2), class 1 at (1.2, 1.2)
    return _on_circle(radius, angle) + centre[:, None]


def _circles(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A ring (class 0) around a smaller ring (class 1)."""
    return _on_circle((2.0 - y).double(), _uniform(len(y), 0, 2 * math.pi, generator))


def _moons(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Two half circles that reach into each other; class 0 is the upper one."""
    angle = _uniform(len(y), 0, math.pi, generator)
    upper = _on_circle(torch.ones_like(angle), angle)
    lower = torch.tensor([1.0, 0.5], dtype=torch.float64) - upper
    middle = torch.tensor([0.5, 0.25], dtype=torch.float64)
    return 1.5 * (torch.where(y[:, None] == 0, upper, lower) - middle)


def _spirals(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Two arms of one and a half turns each, one the other turned by half a turn."""
    along = _uniform(len(y), 0, 1, generator)
    return _on_circle(0.3 + 2.2 * along, 3 * math.pi * along + math.pi * y)


def _xor(y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Four squares, opposite ones of the same class: 1 where the two coordinates differ in sign."""
    size = _uniform(2 * len(y), 0.3, 2.2, generator).reshape(-1, 2)
    right = torch.rand(len(y), generator=generator) < 0.5
    up = right ^ (y == 1)
    return size * (2 * torch.stack([right, up], dim=1).double() - 1)


_MAKERS: dict[str, Callable[[torch.Tensor, torch.Generator], torch.Tensor]] = {
    "blobs": _blobs,
    "circles": _circles,
    "moons": _moons,
    "spirals": _spirals,
    "xor": _xor,
}
POINT_SETS = tuple(_MAKERS)


def make_points(
    name: str, n: int = 200, *, noise: float = 0.1, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points in the plane, half of them of class 0 and half of class 1, in random order.

    The same arguments give the same points, and torch's global generator is left alone. With the same
    seed, more noise moves the same points further from the same places.

    Args:
        name: one of ``POINT_SETS``.
        n: how many points, 2 or more; an odd one is of class 0.
        noise: standard deviation of what is added to each coordinate. Without noise the coordinates lie
            between -3 and 3.
        seed: of the random generator.

    Returns:
        ``(X, y)``: float32 (n, 2) and int64 (n,).

    Raises:
        ValueError: an argument is not allowed; the message says what is.
    """
    if name not in POINT_SETS:
        raise ValueError(f"there are no points called {name!r}; there are {', '.join(POINT_SETS)}")
    n = _whole("n", n, smallest=2)
    seed = _whole("seed", seed, smallest=0)
    if not isinstance(noise, Real) or not 0 <= noise < math.inf:
        raise ValueError(f"noise must be a number, 0 or more, not {noise!r}")
    generator = torch.Generator().manual_seed(seed)
    y = (torch.arange(n) % 2)[torch.randperm(n, generator=generator)]
    X = _MAKERS[name](y, generator)
    X += noise * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return X.float(), y


def _whole(name: str, value: int, *, smallest: int) -> int:
    """Check that an argument is a whole number and not too small."""
    try:
        number = operator.index(value)
    except TypeError:
        number = smallest - 1
    if number < smallest:
        raise ValueError(f"{name} must be a whole number, {smallest} or more, not {value!r}")
    return number


# --- batches -------------------------------------------------------------------------------------------


class Batches:
    """Batches of tensors that are already on their device: a fast stand-in for ``DataLoader``.

    A ``DataLoader`` fetches item by item and stacks. Where the whole set is in memory, one indexing
    operation a batch gives the same numbers several times as fast. Each pass is one epoch; a tuple comes
    out for each batch, with one tensor for each tensor put in.

    With ``shuffle`` the order of an epoch is ``torch.randperm(num_samples, generator=generator)``, drawn
    when the epoch begins, and batches are copies. Without it batches are views of the tensors, in order:
    what is changed in them in place is changed in the data.

    Args:
        tensors: one or more, of equal length and on the same device.
        batch_size: samples a batch; the last batch of an epoch may be smaller.
        shuffle: draw a new order for each epoch.
        generator: decides the order; torch's global one if None.
        drop_last: leave out the last batch if it is smaller.

    Raises:
        TypeError: something that is no tensor is put in.
        ValueError: lengths or devices differ, there are no samples, or the batch size is not allowed.
    """

    def __init__(
        self,
        *tensors: torch.Tensor,
        batch_size: int = 64,
        shuffle: bool = True,
        generator: torch.Generator | None = None,
        drop_last: bool = False,
    ) -> None:
        _check_tensors(tensors)
        self.tensors = tensors
        self.batch_size = _whole("batch_size", batch_size, smallest=1)
        self.shuffle = shuffle
        self.generator = generator
        self.drop_last = drop_last

    @property
    def num_samples(self) -> int:
        """How many samples there are; with ``drop_last`` an epoch may leave some of them out."""
        return len(self.tensors[0])

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        full, rest = divmod(self.num_samples, self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        if not self.shuffle:
            for start in starts:
                yield tuple(tensor[start : start + self.batch_size] for tensor in self.tensors)
            return
        where = self.generator.device if self.generator is not None else "cpu"
        order = torch.randperm(self.num_samples, generator=self.generator, device=where)
        order = order.to(self.tensors[0].device)
        for start in starts:
            chosen = order[start : start + self.batch_size]
            yield tuple(tensor.index_select(0, chosen) for tensor in self.tensors)

    def __repr__(self) -> str:
        order = "shuffled" if self.shuffle else "in order"
        return f"{len(self):,} batches of {self.batch_size} from {self.num_samples:,} samples, {order}"


def _check_tensors(tensors: tuple[torch.Tensor, ...]) -> None:
    """Raise unless these can be batched together."""
    if not tensors:
        raise ValueError("Batches needs at least one tensor, for example Batches(X, y)")
    for tensor in tensors:
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(
                f"Batches takes tensors, not {type(tensor).__name__}. Use Batches(X, y) with X and y from "
                "mnist_tensors(...), or a DataLoader for a Dataset."
            )
        if tensor.ndim == 0:
            raise ValueError("Batches takes tensors whose first dimension counts samples, not single numbers")
    lengths = [len(tensor) for tensor in tensors]
    if len(set(lengths)) > 1:
        raise ValueError(f"all tensors must have the same length, not {', '.join(map(str, lengths))}")
    if lengths[0] == 0:
        raise ValueError("there are no samples: the tensors have length 0")
    devices = sorted({str(tensor.device) for tensor in tensors})
    if len(devices) > 1:
        raise ValueError(f"all tensors must be on the same device, not on {' and '.join(devices)}")
