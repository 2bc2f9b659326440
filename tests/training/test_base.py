"""The base's file is read as it was written, and its blocks as the guard reads them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from training.base import Base, unpacked
from training.errors import TrainingError

from lockgate.detect.encoder import Encoder

WIDTH = 64
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁hello", "▁wörld")


def packed(values: NDArray[np.int8], scales: NDArray[np.float16]) -> NDArray[np.uint8]:
    """Q4_0 blocks of integers -8 to 7 [..., n, 32] with a scale for each [..., n]."""
    codes = (values + 8).astype(np.uint8)
    body = codes[..., :16] | (codes[..., 16:] << 4)
    return np.concatenate((scales[..., None].view(np.uint8).reshape(*scales.shape, 2), body), axis=-1)


@pytest.fixture
def values() -> NDArray[np.int8]:
    return np.random.default_rng(0).integers(-8, 8, (len(PIECES), WIDTH // 32, 32), dtype=np.int8)


@pytest.fixture
def scales() -> NDArray[np.float16]:
    return np.random.default_rng(1).random((len(PIECES), WIDTH // 32)).astype(np.float16)


def write_base(path: Path, blocks: NDArray[np.uint8], vector: NDArray[np.float32]) -> None:
    encoded = [piece.encode() for piece in PIECES]
    edges = np.cumsum([0, *map(len, encoded)]).astype(np.uint32)
    scores = -np.arange(len(PIECES), dtype=np.float32)
    head = b"NNE5" + struct.pack("<I7ifi", 1, WIDTH, 1, 4, 128, len(PIECES), 512, 1, 1e-12, 0)
    head += struct.pack("<i4iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, encoded)))
    head += edges.tobytes() + scores.tobytes() + b"".join(encoded) + struct.pack("<iI", 0, 5) + b"\0" * 5
    names = (("emb.word", 1, blocks.size // 18 * 32, blocks.nbytes), ("emb.ln.w", 0, vector.size, vector.nbytes))
    size = sum(struct.calcsize("<HBIQQ") + len(name) for name, *_ in names) + 4
    start = -(-(len(head) + size) // 32) * 32
    body = struct.pack("<i", len(names))
    for (name, kind, count, length), offset in zip(names, (start, start + blocks.nbytes), strict=True):
        body += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, offset, length)
    path.write_bytes((head + body).ljust(start, b"\0") + blocks.tobytes() + vector.tobytes())


def test_blocks_round_trip(values: NDArray[np.int8], scales: NDArray[np.float16]) -> None:
    wanted = (values * scales[..., None].astype(np.float32)).reshape(len(PIECES), WIDTH)
    assert np.array_equal(unpacked(packed(values, scales)), wanted)


def test_the_guard_unpacks_blocks_likewise(values: NDArray[np.int8], scales: NDArray[np.float16]) -> None:
    blocks = packed(values, scales)
    encoder = Encoder.__new__(Encoder)
    encoder._table = blocks
    ids = np.array([[4, 0], [5, 5]])
    assert np.array_equal(encoder._embed(ids), unpacked(blocks)[ids])


def test_a_file_is_read_as_it_was_written(
    tmp_path: Path, values: NDArray[np.int8], scales: NDArray[np.float16]
) -> None:
    blocks, vector = packed(values, scales), np.arange(WIDTH, dtype=np.float32)
    write_base(tmp_path / "base.bin", blocks, vector)
    base = Base(tmp_path / "base.bin")
    assert tuple(base.pieces) == PIECES
    assert base.scores == (0.0, -1.0, -2.0, -3.0, -4.0, -5.0)
    assert base.unknown == 3
    assert (base.shape.width, base.shape.words) == (WIDTH, len(PIECES))
    assert np.array_equal(base.blocks("emb.word", len(PIECES)), blocks)
    assert np.array_equal(base.matrix("emb.word", len(PIECES)), unpacked(blocks))
    assert np.array_equal(base.vector("emb.ln.w"), vector)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.bin").write_bytes(b"NNE5 but no more than that")
    with pytest.raises(TrainingError, match="is no weight file"):
        Base(tmp_path / "base.bin")
