"""Reads the structure of an HDF5 file: groups, links, attributes and where data sets keep their bytes.

Source: the HDF5 file format specification, version 3.0 (superblocks 0 to 3, object headers 1 and 2, symbol tables,
local heaps; dense links and attributes are read by `hdf5_dense`).
"""

import struct
from collections.abc import Iterator

import msgspec

from lockgate.detect.hdf5_dense import DenseInfo, dense_info, dense_messages
from lockgate.detect.pickle_ops import hidden_program
from lockgate.detect.source import MalformedError, Memory, Source, Window

MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 100_000
MAX_HEADER = 4 << 20
MAX_TEXT = 16 << 20
MAX_DEPTH = 32
MAX_ELEMENTS = 1 << 20
MAX_RATIO = 1100
_UNDEFINED = 0xFFFFFFFFFFFFFFFF
_DATASPACE, _LINK_INFO, _DATATYPE, _LINK, _EXTERNAL, _LAYOUT = 1, 2, 3, 6, 7, 8
_FILTERS, _ATTRIBUTE, _CONTINUATION, _SYMBOLS, _ATTRIBUTE_INFO = 11, 12, 16, 17, 21
_KNOWN = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22})
_COMPACT, _CONTIGUOUS, _VIRTUAL = 0, 1, 3
_PLAIN_CLASSES = frozenset({0, 1, 2, 3, 4, 5, 8})
_COLLECTION, _COLLECTION_HEAD = b"GCOL", 16
_SAFE_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000, 32001, 32004, 32008, 32015})


class Attribute(msgspec.Struct, frozen=True):
    """An attribute that holds text.

    Attributes:
        place: Path of the object that carries it.
        name: Its name.
        text: Its text, empty where it holds something else.
    """

    place: str
    name: str
    text: str


class Tree(msgspec.Struct, frozen=True):
    """What an HDF5 file holds.

    Attributes:
        attributes: Attributes with text, of every object.
        outside: Place and kind of everything that leads out of the file or is read in a way of its own.
        unread: Structures that this reader does not follow.
    """

    attributes: tuple[Attribute, ...]
    outside: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]


class _Message(msgspec.Struct, frozen=True):
    kind: int
    body: bytes


def read_hdf5(source: Source) -> Tree:
    """Read the structure.

    Raises:
        MalformedError: It breaks the format or is larger than the header says.
    """
    try:
        return _Walk(source).run()
    except (IndexError, struct.error) as error:
        raise MalformedError("truncated", "A message ends too early.") from error


class _Walk:
    """Follows every object header once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: set[int] = set()
        self._attributes: list[Attribute] = []
        self._outside: list[tuple[str, str]] = []
        self._unread: list[str] = []
        self._heaps: dict[int, bytes] = {}
        self._stored = 0
        self._sequences = False

    def run(self) -> Tree:
        waiting: list[tuple[int, str, int]] = [(self._superblock(), "", 0)]
        while waiting:
            address, place, depth = waiting.pop()
            if address in self._seen:
                continue
            self._seen.add(address)
            if len(self._seen) > MAX_OBJECTS:
                raise MalformedError("budget", f"It holds more than {MAX_OBJECTS:,} objects.")
            if depth > MAX_DEPTH:
                raise MalformedError("depth", "Its groups nest too deeply.")
            waiting.extend((child, f"{place}/{name}", depth + 1) for name, child in self._object(address, place))
        if self._sequences:
            self._collections()
        return Tree(tuple(self._attributes), tuple(self._outside), tuple(dict.fromkeys(self._unread)))

    def _take(self, at: int, count: int) -> bytes:
        body = self._source.read(at, count) if 0 <= at <= self._source.size and 0 <= count <= MAX_TEXT else b""
        if len(body) != count:
            raise MalformedError("truncated", "An address or a length leads out of the file.")
        return body

    def _number(self, at: int, size: int = 8) -> int:
        return int.from_bytes(self._take(at, size), "little")

    def _superblock(self) -> int:
        """Address of the root object; the end of file that the superblock states must be the file's."""
        head = self._take(0, 48)
        version = head[8]
        if head[:8] != MAGIC or version > 3:  # noqa: PLR2004 - the newest version
            raise MalformedError("superblock", "Its superblock has a version that the format does not know.")
        if version < 2:  # noqa: PLR2004 - the older layout
            sizes, start = (head[13], head[14]), 24 + (4 if version else 0)
            base, end = self._number(start), self._number(start + 16)
            root = self._number(start + 32 + 8)
        else:
            sizes, start = (head[9], head[10]), 12
            base, end, root = self._number(start), self._number(start + 16), self._number(start + 24)
        if sizes != (8, 8):
            raise MalformedError("unsupported", "Its addresses do not have eight bytes, which this reader needs.")
        if base:
            raise MalformedError("prefix", "Its first object does not count from the beginning of the file.")
        if end > self._source.size:
            raise MalformedError("truncated", "It is shorter than its superblock says.")
        if end < self._source.size:
            raise MalformedError("suffix", "There are bytes behind the end that its superblock states.")
        return root

    def _object(self, address: int, place: str) -> list[tuple[str, int]]:
        children: list[tuple[str, int]] = []
        for message in self._messages(address):
            if message.kind not in _KNOWN:
                raise MalformedError("message", "An object carries a message that the format does not know.")
            if message.kind == _SYMBOLS:
                children += self._symbols(message.body, place)
            elif message.kind == _LINK:
                children += self._link(message.body, place)
            elif message.kind == _LINK_INFO:
                for body in self._dense(dense_info(message.body, 8)):
                    children += self._link(body, place)
            else:
                self._note(message, place)
        return children

    def _note(self, message: _Message, place: str) -> None:
        if message.kind == _ATTRIBUTE_INFO:
            for body in self._dense(dense_info(message.body, 2)):
                self._attribute(body, place)
        elif message.kind == _ATTRIBUTE:
            self._attribute(message.body, place)
        elif message.kind == _DATASPACE:
            self._space(message.body, place)
        elif message.kind == _EXTERNAL:
            self._outside.append((place, "external storage"))
        elif message.kind == _DATATYPE:
            self._sequences |= message.body[0] & 15 not in _PLAIN_CLASSES
        elif message.kind == _LAYOUT:
            self._layout(message.body, place)
        elif message.kind == _FILTERS:
            self._filters(message.body, place)

    def _messages(self, address: int) -> Iterator[_Message]:
        if self._take(address, 4) == b"OHDR":
            yield from self._messages_2(address)
            return
        version, _, total, _, size = struct.unpack("<BBHII", self._take(address, 12))
        if version != 1:
            raise MalformedError("object", "An object's header has a version that the format does not know.")
        blocks = [(address + 16, size)]
        count = 0
        while blocks:
            at, length = blocks.pop(0)
            if length > MAX_HEADER:
                raise MalformedError("budget", "An object's header is too long.")
            body = self._take(at, length)
            place = 0
            while place + 8 <= len(body):
                kind, size, flags = struct.unpack_from("<HHB", body, place)
                content = body[place + 8 : place + 8 + size]
                if len(content) != size:
                    raise MalformedError("object", "A message is longer than its object's header.")
                place += 8 + size
                count += 1
                if kind == _CONTINUATION:
                    blocks.append(_pair(content))
                else:
                    yield self._shared(kind, content, flags)
            if len(blocks) > 1000 or count > MAX_OBJECTS:  # noqa: PLR2004 - no real object has as many
                raise MalformedError("budget", "An object's header has too many continuations.")
        # The library reads messages beyond the stated count, so a count that is too low would hide them.
        if count > total:
            raise MalformedError("object", "An object's header holds more messages than it states.")

    def _messages_2(self, address: int) -> Iterator[_Message]:
        version, flags = self._take(address + 4, 2)
        if version != 2:  # noqa: PLR2004 - the only one
            raise MalformedError("object", "An object's header has a version that the format does not know.")
        at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        blocks = [(at + width, self._number(at, width))]
        ordered = 2 if flags & 4 else 0
        done = 0
        while blocks:
            at, length = blocks.pop(0)
            done += 1
            if length > MAX_HEADER or done > 1000:  # noqa: PLR2004 - no real object has as many
                raise MalformedError("budget", "An object's header is too long.")
            body = self._take(at, length)
            place = 0
            while place + 4 + ordered <= len(body):
                kind, size, marks = struct.unpack_from("<BHB", body, place)
                place += 4 + ordered
                content = body[place : place + size]
                if len(content) != size:
                    raise MalformedError("object", "A message is longer than its object's header.")
                place += size
                if kind == _CONTINUATION:
                    start, size = _pair(content)
                    if self._take(start, 4) != b"OCHK":
                        raise MalformedError("object", "A continuation of an object's header is not one.")
                    blocks.append((start + 4, size - 8))
                else:
                    yield self._shared(kind, content, marks)

    def _shared(self, kind: int, body: bytes, flags: int) -> _Message:
        """A shared message is only a pointer. Types and spaces may be shared; what leads out of the file may not."""
        if flags & 2 and kind not in {_DATASPACE, _DATATYPE, 4, 5}:
            self._unread.append("shared messages")
            return _Message(0, b"")
        return _Message(kind, body)

    def _symbols(self, body: bytes, place: str) -> list[tuple[str, int]]:
        """The entries of an old-style group: a B-tree of nodes, with names in a local heap."""
        tree, heap_at = _pair(body)
        heap = self._heap(heap_at)
        children: list[tuple[str, int]] = []
        nodes = [tree]
        seen: set[int] = set()
        while nodes:
            at = nodes.pop()
            if at in seen or len(seen) > MAX_OBJECTS:
                raise MalformedError("loop", "A group's index leads back to itself.")
            seen.add(at)
            magic = self._take(at, 4)
            if magic == b"TREE":
                _, level, used = struct.unpack("<BBH", self._take(at + 4, 4))
                del level
                nodes += [self._number(at + 24 + 8 + 16 * index) for index in range(used)]
            elif magic == b"SNOD":
                (used,) = struct.unpack("<H", self._take(at + 6, 2))
                children += [child for index in range(used) for child in self._entry(at + 8 + 40 * index, heap, place)]
            else:
                raise MalformedError("group", "A group's index holds something else.")
        return children

    def _entry(self, at: int, heap: bytes, place: str) -> Iterator[tuple[str, int]]:
        name_at, address, cache = struct.unpack("<QQI", self._take(at, 20))
        end = heap.find(b"\x00", name_at)
        if name_at >= len(heap) or end < 0:
            raise MalformedError("group", "A name lies outside its heap.")
        name = heap[name_at:end].decode("utf-8", "replace")[:200]
        if cache == 2:  # noqa: PLR2004 - a soft link
            self._outside.append((f"{place}/{name}", "soft link"))
        elif address != _UNDEFINED:
            yield name, address

    def _heap(self, at: int) -> bytes:
        if self._take(at, 4) != b"HEAP":
            raise MalformedError("group", "A group's heap is not one.")
        size, _, start = struct.unpack("<QQQ", self._take(at + 8, 24))
        return self._take(start, min(size, MAX_TEXT + 1))

    def _link(self, body: bytes, place: str) -> list[tuple[str, int]]:
        version, flags = body[0], body[1]
        if version != 1:
            raise MalformedError("link", "A link has a version that the format does not know.")
        at = 2
        kind = 0
        if flags & 8:
            kind, at = body[at], at + 1
        at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(body[at : at + width], "little")
        at += width
        name = body[at : at + length].decode("utf-8", "replace")[:200]
        at += length
        if kind == 0:
            return [(name, int.from_bytes(body[at : at + 8], "little"))]
        self._outside.append((f"{place}/{name}", "soft link" if kind == 1 else "external link"))
        return []

    def _dense(self, info: DenseInfo | None) -> Iterator[bytes]:
        """Links or attributes from a fractal heap, within the budget of the whole file."""
        for body in dense_messages(self._take, info) if info else ():
            self._stored += 1
            if self._stored > MAX_OBJECTS:
                raise MalformedError("budget", f"It holds more than {MAX_OBJECTS:,} densely stored entries.")
            yield body

    def _attribute(self, body: bytes, place: str) -> None:
        version, shared = body[0], body[1] if body[0] > 1 else 0
        if version not in {1, 2, 3}:
            raise MalformedError("attribute", "An attribute has a version that the format does not know.")
        names, kinds, spaces = struct.unpack_from("<HHH", body, 2)
        at = 8 + (1 if version == 3 else 0)  # noqa: PLR2004 - it names its character set
        name = body[at : at + names].split(b"\x00")[0].decode("utf-8", "replace")[:200]
        at += _padded(names, version)
        kind = body[at : at + kinds]
        at += _padded(kinds, version)
        space = body[at : at + spaces]
        at += _padded(spaces, version)
        if shared & 1:
            kind = self._committed(kind)
        if shared & 2:
            self._unread.append("shared messages")
        self._attributes.append(Attribute(place, name, self._text(kind, space, body[at:])))
        self._program(Memory(body[at:].rstrip(b"\x00")), f"{place}#{name}")

    def _committed(self, pointer: bytes) -> bytes:
        """The type of an attribute that points to a type with a name of its own; empty where it lies elsewhere."""
        version, where = pointer[0], pointer[1]
        if version in {1, 2} or (version == 3 and where == 2):  # noqa: PLR2004 - in an object, not in a shared heap
            (address,) = struct.unpack_from("<Q", pointer, 8 if version == 1 else 2)
            kinds = [message.body for message in self._messages(address) if message.kind == _DATATYPE]
            if len(kinds) == 1:
                return kinds[0]
        self._unread.append("shared messages")
        return b""

    def _program(self, source: Source, place: str) -> None:
        """Some libraries keep pickles in attributes and data, and load them when the file is opened."""
        names = hidden_program(source)
        if names:
            self._outside.append((place, f"pickle that uses {names}"))

    def _text(self, kind: bytes, space: bytes, value: bytes) -> str:
        """The text of an attribute: fixed-length, or variable-length in a global heap."""
        if not kind:
            return ""
        family = kind[0] & 15
        if family == 3:  # noqa: PLR2004 - fixed-length text
            return value.rstrip(b"\x00 ").decode("utf-8", "replace")
        if family == 9 and kind[1] & 15 == 1:  # noqa: PLR2004 - variable-length text
            count = max(1, len(value) // 16) if len(space) > 1 and space[1] else 1
            parts = [self._global(value[16 * index : 16 * index + 16]) for index in range(min(count, 10_000))]
            return "\n".join(parts)
        return ""

    def _global(self, reference: bytes) -> str:
        if len(reference) != 16:  # noqa: PLR2004 - length, address, index
            return ""
        length, address, index = struct.unpack("<IQI", reference)
        if not length or address in {0, _UNDEFINED}:
            return ""
        if address not in self._heaps:
            if self._take(address, 4) != b"GCOL":
                raise MalformedError("heap", "A text does not lie in a global heap.")
            self._heaps[address] = self._take(address, self._number(address + 8))
        heap, at = self._heaps[address], 16
        while at + 16 <= len(heap):
            found, _, size = struct.unpack_from("<HHxxxxQ", heap, at)
            if found == index:
                return heap[at + 16 : at + 16 + min(length, size)].decode("utf-8", "replace")
            if not found:
                break
            at += 16 + -(-size // 8) * 8
        raise MalformedError("heap", "A text is not where its reference says.")

    def _collections(self) -> None:
        """Look for programs in every global heap, where PyTables keeps objects as pickles.

        References to them may lie in compressed chunks, so the heaps are found by their magic bytes.
        """
        for start in range(0, self._source.size, MAX_TEXT):
            part = self._source.read(start, MAX_TEXT + len(_COLLECTION))
            at = part.find(_COLLECTION)
            while at >= 0:
                self._collection(start + at)
                at = part.find(_COLLECTION, at + 1)

    def _collection(self, at: int) -> None:
        size = int.from_bytes(self._source.read(at + 8, 8), "little")
        # Ordinary data may hold these four bytes too.
        end = min(at + size, self._source.size) if self._source.read(at + 4, 4) == b"\1\0\0\0" else 0
        at += _COLLECTION_HEAD
        while at + 16 <= end:
            index, _, length = struct.unpack("<HHxxxxQ", self._source.read(at, 16))
            if not index:
                break
            self._program(Window(self._source, at + 16, min(length, end - at - 16)), "global heap")
            at += 16 + -(-length // 8) * 8

    def _space(self, body: bytes, place: str) -> None:
        """A few bytes can claim a shape that fills the memory of whoever loads it."""
        start = 8 if body[0] == 1 else 4
        count = 1
        for extent in struct.unpack_from(f"<{body[1]}Q", body, start):
            count *= extent
        if count > MAX_ELEMENTS + MAX_RATIO * self._source.size:
            self._outside.append((place, "shape larger than its file could fill"))

    def _layout(self, body: bytes, place: str) -> None:
        version = body[0]
        kind = body[1] if version >= 3 else body[2]  # noqa: PLR2004 - the newer layouts
        if kind == _VIRTUAL:
            self._outside.append((place, "virtual data set"))
        elif version >= 3 and kind == _COMPACT:  # noqa: PLR2004 - as above
            self._program(Memory(body[4 : 4 + int.from_bytes(body[2:4], "little")]), place)
        elif version >= 3 and kind == _CONTIGUOUS:  # noqa: PLR2004 - as above
            start, size = _pair(body[2:])
            if start != _UNDEFINED and 0 < size <= self._source.size - start:
                self._program(Window(self._source, start, size), place)
        elif kind > _VIRTUAL:
            raise MalformedError("layout", "A data set is laid out in a way that the format does not know.")

    def _filters(self, body: bytes, place: str) -> None:
        version, count = body[0], body[1]
        at = 8 if version == 1 else 2
        for _ in range(count):
            (number,) = struct.unpack_from("<H", body, at)
            named = version == 1 or number >= 256  # noqa: PLR2004 - filters of others
            name = struct.unpack_from("<H", body, at + 2)[0] if named else 0
            at += 4 if named else 2
            _, values = struct.unpack_from("<HH", body, at)
            at += 4 + name + 4 * values + (4 if version == 1 and values % 2 else 0)
            if number not in _SAFE_FILTERS:
                self._outside.append((place, f"filter {number}"))


def _padded(size: int, version: int) -> int:
    return -(-size // 8) * 8 if version == 1 else size


def _pair(body: bytes) -> tuple[int, int]:
    one, two = struct.unpack("<QQ", body[:16].ljust(16, b"\xff"))
    return one, two
