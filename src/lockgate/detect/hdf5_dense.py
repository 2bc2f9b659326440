"""Reads what an HDF5 object keeps densely: its many links or attributes, in a fractal heap with an index beside it.

Source: the HDF5 file format specification, version 3.0 (version 2 B-trees, fractal heaps), and the widths that the HDF5
library computes for the numbers in them. Checksums are passed over: a library that finds them wrong refuses the file.
"""

import struct
from collections.abc import Callable, Iterator

import msgspec

from lockgate.detect.source import MalformedError

Take = Callable[[int, int], bytes]
MAX_RECORDS = 100_000
MAX_NODES = 50_000
MAX_TREE_DEPTH = 16
MAX_NESTED = 16
MAX_OBJECT = 16 << 20
UNDEFINED = 0xFFFFFFFFFFFFFFFF
_HUGE_OBJECTS = 1
_ID_STARTS = {5: (11, 4), 6: (15, 8), 8: (17, 0), 9: (13, 0)}
"""For each kind of index over links and attributes, the size of its records and where the object's id begins."""
_MANAGED, _HUGE, _TINY = 0, 1, 2
_HUGE_RECORD = struct.Struct("<QQQ")
_MAX_TINY = 18


class DenseInfo(msgspec.Struct, frozen=True):
    """Where an object keeps its links or attributes densely.

    Attributes:
        heap: Address of the fractal heap.
        indexes: Addresses of the B-trees over it: by name and, where there is one, by order of creation.
    """

    heap: int
    indexes: tuple[int, ...]


def dense_info(body: bytes, counter: int) -> DenseInfo | None:
    """What a link-info or attribute-info message says; None where nothing is stored densely.

    Args:
        body: The message.
        counter: How many bytes its count of creations takes.
    """
    version, flags = body[0], body[1]
    if version:
        raise MalformedError("object", "An object's index has a version that the format does not know.")
    at = 2 + (counter if flags & 1 else 0)
    addresses = struct.unpack_from("<QQQ" if flags & 2 else "<QQ", body, at)
    if addresses[0] == UNDEFINED:
        return None
    return DenseInfo(addresses[0], tuple(address for address in addresses[1:] if address != UNDEFINED))


def dense_messages(take: Take, info: DenseInfo) -> Iterator[bytes]:
    """Every link or attribute of an object that keeps them densely, as the message that a header would hold.

    Args:
        take: Reads a stretch of the file or raises.
        info: Where they lie.

    Raises:
        MalformedError: An index or the heap breaks the format, or is filtered, which this reader does not follow.
    """
    heap = _Heap(take, info.heap)
    seen: set[bytes] = set()
    for address in info.indexes:
        for kind, record in _records(take, address):
            if kind not in _ID_STARTS or len(record) != _ID_STARTS[kind][0]:
                raise MalformedError("index", "An index of links or attributes holds something else.")
            start = _ID_STARTS[kind][1]
            identity = record[start : start + heap.id_size]
            if identity not in seen:
                seen.add(identity)
                yield heap.object(identity)


def _records(take: Take, address: int) -> Iterator[tuple[int, bytes]]:
    """The kind and the bytes of every record of a version 2 B-tree."""
    head = take(address, 38)
    kind, node_size, size, depth = head[5], *struct.unpack_from("<IHH", head, 6)
    root, count = struct.unpack_from("<QH", head, 16)
    if head[:5] != b"BTHD\0" or not size or node_size < 10 + size or depth > MAX_TREE_DEPTH:
        raise MalformedError("index", "An index of links or attributes is not one.")
    widths = _widths(node_size, size, depth)
    waiting = [(root, count, depth)] if root != UNDEFINED and count else []
    nodes, found = 0, 0
    while waiting:
        at, count, level = waiting.pop()
        nodes, found = nodes + 1, found + count
        if nodes > MAX_NODES or found > MAX_RECORDS:
            raise MalformedError("budget", "An index of links or attributes is too large.")
        body = take(at, node_size)
        if body[:6] != (b"BTIN\0" if level else b"BTLF\0") + bytes([kind]) or 10 + count * size > node_size:
            raise MalformedError("index", "An index of links or attributes holds a node that is none.")
        yield from ((kind, body[6 + size * part : 6 + size * (part + 1)]) for part in range(count))
        start, step = 6 + size * count, 8 + widths[0] + (widths[level - 1] if level > 1 else 0)
        for child in range(count + 1 if level else 0):
            place = start + step * child
            (below,) = struct.unpack_from("<Q", body, place)
            waiting.append((below, int.from_bytes(body[place + 8 : place + 8 + widths[0]], "little"), level - 1))


def _widths(node_size: int, size: int, depth: int) -> list[int]:
    """Bytes of a node's count of records; then, for each level, bytes of the count of all records below."""
    most = (node_size - 10) // size
    widths, total = [_bytes_for(most)], most
    for level in range(1, depth):
        pointer = 8 + widths[0] + (widths[level - 1] if level > 1 else 0)
        here = (node_size - 10 - pointer) // (size + pointer)
        total = (here + 1) * total + here
        widths.append(_bytes_for(total))
    return widths


def _bytes_for(most: int) -> int:
    return max(1, -(-most.bit_length() // 8))


class _Heap:
    """A fractal heap without filters."""

    def __init__(self, take: Take, address: int) -> None:
        head = take(address, 142)
        self.id_size, filters = struct.unpack_from("<HH", head, 5)
        (self._most,) = struct.unpack_from("<I", head, 10)
        (self._huge_index,) = struct.unpack_from("<Q", head, 22)
        self._width, self._start, self._largest, self._bits = struct.unpack_from("<HQQH", head, 110)
        self._root, self._rows = struct.unpack_from("<QH", head, 132)
        if head[:5] != b"FRHP\0" or not self._width or not self._start or self._largest < self._start:
            raise MalformedError("heap", "A heap of links or attributes is not one.")
        if filters:
            raise MalformedError("unsupported", "It holds compressed heaps, which this reader does not follow.")
        self._take = take
        self._offset_size = -(-self._bits // 8)
        self._length_size = min(_bytes_for(self._largest), _bytes_for(self._most))
        self._huge: dict[int, tuple[int, int]] | None = None

    def object(self, identity: bytes) -> bytes:
        """The object that an id names."""
        kind = identity[0] >> 4 & 3
        if identity[0] >> 6:
            raise MalformedError("heap", "An id has a version that the format does not know.")
        if kind == _TINY and self.id_size <= _MAX_TINY:
            size = (identity[0] & 15) + 1
            return self._whole(identity[1 : 1 + size], size)
        if kind == _MANAGED:
            end = 1 + self._offset_size
            offset = int.from_bytes(identity[1:end], "little")
            size = int.from_bytes(identity[end : end + self._length_size], "little")
            return self._managed(offset, size)
        if kind == _HUGE:
            address, size = self._huge_at(identity[1:])
            if size > MAX_OBJECT:
                raise MalformedError("budget", "An attribute is too large.")
            return self._take(address, size)
        raise MalformedError("heap", "An id is of a kind that the format does not know.")

    @staticmethod
    def _whole(body: bytes, size: int) -> bytes:
        if len(body) != size:
            raise MalformedError("heap", "An object is longer than its id.")
        return body

    def _huge_at(self, rest: bytes) -> tuple[int, int]:
        if len(rest) >= 16:  # noqa: PLR2004 - there is room for the address and the length
            address, size = struct.unpack_from("<QQ", rest)
            return address, size
        if self._huge is None:
            self._huge = {}
            for kind, record in _records(self._take, self._huge_index):
                if kind != _HUGE_OBJECTS or len(record) != _HUGE_RECORD.size:
                    raise MalformedError("heap", "A heap's index of large objects holds something else.")
                address, size, number = _HUGE_RECORD.unpack(record)
                self._huge[number] = (address, size)
        try:
            return self._huge[int.from_bytes(rest[:8], "little")]
        except KeyError as error:
            raise MalformedError("heap", "A large object is not where its id says.") from error

    def _managed(self, offset: int, size: int) -> bytes:
        """An object in the doubling table of blocks; an offset counts the headers of the blocks too."""
        address, rows, at = self._root, self._rows, offset
        for _ in range(MAX_NESTED):
            if not rows:
                return self._in_block(address, at, size, self._start)
            row, column, at, block = self._cell(at)
            if row >= rows:
                break
            direct = row < self._direct_rows
            entry = address + 13 + self._offset_size + 8 * (row * self._width + column)
            if self._take(address, 5) != b"FHIB\0":
                break
            address = int.from_bytes(self._take(entry, 8), "little")
            if direct:
                return self._in_block(address, at, size, block)
            rows = (block // (self._start * self._width)).bit_length()
        raise MalformedError("heap", "A link or attribute does not lie in its heap.")

    @property
    def _direct_rows(self) -> int:
        return (self._largest // self._start).bit_length() + 1

    def _cell(self, offset: int) -> tuple[int, int, int, int]:
        """Row and column of the block that holds an offset, the offset inside it, and the block's size."""
        whole = self._start * self._width
        row = (offset // whole).bit_length()
        block = self._start << max(0, row - 1)
        inside = offset - (whole << (row - 1) if row else 0)
        return row, inside // block, inside % block, block

    def _in_block(self, address: int, at: int, size: int, block: int) -> bytes:
        if self._take(address, 5) != b"FHDB\0" or at + size > block or size > self._most:
            raise MalformedError("heap", "A link or attribute does not lie in its heap.")
        return self._take(address + at, size)
