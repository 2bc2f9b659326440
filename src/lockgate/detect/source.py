"""Bounded, positioned reading of untrusted bytes, wherever they lie: memory, a file, a member of an archive."""

import struct
from typing import Protocol

import msgspec

from lockgate.core.errors import LockgateError

BUFFER = 1 << 16
MAX_PROBLEMS = 100


class MalformedError(LockgateError):
    """Bytes that break their format. Readers turn it into a `FormatProblem`.

    Args:
        code: Short stable name of what is wrong, for instance `truncated`.
        message: One sentence that does not quote the bytes.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class FormatProblem(msgspec.Struct, frozen=True):
    """One way in which bytes break their format or try to be read in two ways.

    Attributes:
        code: Short stable name, part of a finding's structural place.
        message: One sentence for the reader that does not quote the bytes.
        place: Structural place inside the file: an archive member, a key, a tensor. Empty for the file as a whole.
    """

    code: str
    message: str
    place: str = ""


class Source(Protocol):
    """Bytes that can be read from any position."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on; fewer only at the end."""
        ...


class Memory:
    """Bytes in memory as a source."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._body)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        return self._body[offset : offset + length]


class Window:
    """A stretch of another source, for instance a member that an archive stores without compression."""

    def __init__(self, source: Source, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self._size = max(0, min(size, source.size - start))

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        return self._source.read(self._start + offset, min(length, self._size - offset)) if offset < self._size else b""


class Cursor:
    """Reads a source from front to back and raises `MalformedError` where it ends too early."""

    def __init__(self, source: Source, start: int = 0) -> None:
        self._source = source
        self._buffer = b""
        self._base = start
        self._at = 0

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._base + self._at

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self._source.size - self.position

    def byte(self) -> int:
        """The next byte as a number."""
        at = self._at
        if at < len(self._buffer):
            self._at = at + 1
            return self._buffer[at]
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end <= len(self._buffer):
            taken = self._buffer[self._at : end]
            self._at = end
            return taken
        if count > self.remaining:
            raise _truncated()
        self._fill(max(count, BUFFER))
        if count > len(self._buffer):
            raise _truncated()
        self._at = count
        return self._buffer[:count]

    def skip(self, count: int) -> None:
        """Pass over the next `count` bytes without reading them."""
        if count > self.remaining:
            raise _truncated()
        if self._at + count <= len(self._buffer):
            self._at += count
        else:
            self._base, self._at, self._buffer = self.position + count, 0, b""

    def line(self, limit: int) -> bytes:
        """The bytes before the next line feed, which is passed over; at most `limit`."""
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            self._fill(max(limit + 1, BUFFER))
            end = self._buffer.find(b"\n")
        if end < 0 or end - self._at > limit:
            raise MalformedError("line", "A line does not end where it must.")
        taken = self._buffer[self._at : end]
        self._at = end + 1
        return taken

    def number(self, layout: struct.Struct) -> int:
        """The next integer in the given layout."""
        (value,) = layout.unpack(self.take(layout.size))
        return int(value)

    def _fill(self, count: int) -> None:
        self._base, self._at = self.position, 0
        self._buffer = self._source.read(self._base, count)


def _truncated() -> MalformedError:
    return MalformedError("truncated", "It ends in the middle of a value.")
