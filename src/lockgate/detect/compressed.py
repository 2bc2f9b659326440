"""Reads one compressed stream: gzip, zlib, bzip2, xz, lzma, LZ4 or Zstandard, as joblib and ordinary tools write them.

A stream is inflated once to learn its size and to check it. Small ones are kept; of large ones only a window is, and
they are inflated again as they are read, so a bomb costs time up to a bound and never memory.

Sources: RFC 1950, RFC 1952, RFC 8878, the xz file format and the headers of lzma and bzip2.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import zstandard

from lockgate.detect.lz4 import MAGIC as LZ4_MAGIC
from lockgate.detect.lz4 import Lz4Machine
from lockgate.detect.source import MalformedError, Memory, Source

Compression = Literal["gzip", "zlib", "bzip2", "xz", "lzma", "lz4", "zstd"]
MAX_INFLATED = 16 << 30
MAX_KEPT = 48 << 20
MAX_DICTIONARY = 128 << 20
CHUNK = 1 << 20
MIN_HEAD = 64
_LZMA_HEADER = 13
_LZMA_PROPERTIES = 0x5D
_LZMA_DICTIONARY = 4096
_LZMA_UNKNOWN = (1 << 64) - 1
_LZMA_MOST = 1 << 38
_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, zstandard.ZstdError)


class _Machine(Protocol):
    """A decompressor that is fed and drained."""

    def feed(self, body: bytes) -> bytes:
        """Take more input and give at most a chunk of output; empty input drains what is waiting."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def left(self) -> bytes:
        """Input behind the end of the stream."""
        ...


class _Zlib:
    def __init__(self, window: int) -> None:
        self._machine = zlib.decompressobj(window)

    def feed(self, body: bytes) -> bytes:
        return self._machine.decompress(self._machine.unconsumed_tail + body, CHUNK)

    @property
    def is_done(self) -> bool:
        return self._machine.eof

    @property
    def left(self) -> bytes:
        return self._machine.unused_data


class _Waiting:
    """The decompressors of `bz2` and `lzma`, which keep their own input."""

    def __init__(self, machine: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._machine = machine

    def feed(self, body: bytes) -> bytes:
        return self._machine.decompress(body, CHUNK)

    @property
    def is_done(self) -> bool:
        return self._machine.eof

    @property
    def left(self) -> bytes:
        return self._machine.unused_data


class _Zstandard:
    """Zstandard, whose decompressor cannot be drained in steps: it gets so little input that a step stays small."""

    def __init__(self) -> None:
        self._machine = zstandard.ZstdDecompressor(max_window_size=MAX_DICTIONARY).decompressobj()
        self._waiting = b""

    def feed(self, body: bytes) -> bytes:
        self._waiting += body
        # A step may lie inside a block and give nothing yet; only an empty answer without input asks for more.
        while self._waiting and not self._machine.eof:
            step, self._waiting = self._waiting[:ZSTD_STEP], self._waiting[ZSTD_STEP:]
            made = self._machine.decompress(step)
            if made:
                return made
        return b""

    @property
    def is_done(self) -> bool:
        return self._machine.eof

    @property
    def left(self) -> bytes:
        return self._machine.unused_data + self._waiting


ZSTD_STEP = 1 << 10
_MAKERS: dict[Compression, Callable[[], _Machine]] = {
    "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "bzip2": lambda: _Waiting(bz2.BZ2Decompressor()),
    "xz": lambda: _Waiting(lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DICTIONARY)),
    "lzma": lambda: _Waiting(lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_DICTIONARY)),
    "lz4": Lz4Machine,
    "zstd": _Zstandard,
}


def sniff_compression(head: bytes) -> Compression | None:
    """Which compression the first bytes announce; None for none of them."""
    magics: tuple[tuple[bytes, Compression], ...] = (
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (LZ4_MAGIC, "lz4"),
    )
    for magic, found in magics:
        if head.startswith(magic):
            return found
    if head[:3] == b"BZh" and head[4:10] in {b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"}:
        return "bzip2"
    if _is_lzma(head):
        return "lzma"
    if len(head) > 2 and head[0] == 0x78 and head[1] in {0x01, 0x5E, 0x9C, 0xDA} and _inflates(head):  # noqa: PLR2004 - deflate with a 32 KiB window
        return "zlib"
    return None


def _is_lzma(head: bytes) -> bool:
    """Whether it is the old format of LZMA, which has no magic number: by the rules of liblzma's `alone_decoder`.

    The usual properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is unknown or below 256 GiB, and the
    zero with which every stream of the coder begins.
    """
    if len(head) <= _LZMA_HEADER or head[0] != _LZMA_PROPERTIES or head[_LZMA_HEADER]:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:_LZMA_HEADER], "little")
    plain = dictionary.bit_count() == 1 or (dictionary.bit_count() == 2 and dictionary & dictionary >> 1 != 0)  # noqa: PLR2004 - see above
    return plain and dictionary >= _LZMA_DICTIONARY and (size == _LZMA_UNKNOWN or size < _LZMA_MOST)


def _inflates(head: bytes) -> bool:
    """Whether the first bytes inflate, because a text may begin with the same two."""
    try:
        return bool(zlib.decompressobj().decompress(head, CHUNK)) or len(head) < MIN_HEAD
    except zlib.error:
        return False


def read_compressed(source: Source, *, most: int = MAX_INFLATED) -> Source:
    """Give what a compressed stream inflates to.

    Args:
        source: The whole file or member; exactly one stream, nothing before or behind it.
        most: Most bytes that it may inflate to.

    Raises:
        MalformedError: It is broken or cut off, bytes follow its end, or it is out of proportion (`budget`).
    """
    kind = sniff_compression(source.read(0, CHUNK))
    if kind is None:
        raise MalformedError("compression", "It is not compressed in a way that this reader knows.")
    kept: list[bytes] = []
    size = 0
    for part in _inflate(source, kind):
        size += len(part)
        if size > most:
            raise MalformedError("budget", f"It inflates to more than {most:,} bytes.")
        if size <= MAX_KEPT:
            kept.append(part)
        else:
            kept.clear()
    return Memory(b"".join(kept)) if size <= MAX_KEPT else Inflating(source, kind, size)


class Inflating:
    """A large compressed stream as a source: inflated again as it is read, from the start when a reader goes back."""

    def __init__(self, source: Source, kind: Compression, size: int) -> None:
        self._source = source
        self._kind: Compression = kind
        self._size = size
        self._restart()

    @property
    def size(self) -> int:
        """How many bytes it inflates to."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        end = min(offset + length, self._size)
        if offset < self._base:
            self._restart()
        while self._base + len(self._window) < end:
            part = next(self._parts, b"")
            if not part:
                break
            # What lies well before the wanted bytes is let go; a little is kept for readers that look back.
            drop = max(0, min(len(self._window), offset - CHUNK - self._base))
            self._window = self._window[drop:] + part
            self._base += drop
        return self._window[offset - self._base : end - self._base]

    def _restart(self) -> None:
        self._parts = _inflate(self._source, self._kind)
        self._window = b""
        self._base = 0


def _inflate(source: Source, kind: Compression) -> Iterator[bytes]:
    machine = _MAKERS[kind]()
    at = 0
    body = b""
    try:
        while not machine.is_done:
            part = machine.feed(body)
            body = b""
            if part:
                yield part
            elif not machine.is_done:
                body = source.read(at, CHUNK)
                at += len(body)
                if not body:
                    raise MalformedError("truncated", "Its compressed stream ends too early.")
    except _ERRORS as error:
        raise MalformedError("inflate", "Its compressed stream is broken or asks for too much memory.") from error
    except MemoryError as error:
        raise MalformedError("budget", "Its compressed stream asks for too much memory.") from error
    if machine.left or at < source.size:
        raise MalformedError("suffix", "Bytes follow the end of its compressed stream.")
