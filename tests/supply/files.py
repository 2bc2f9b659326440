"""Archives and HDF5 files, assembled byte by byte, for the tests of this folder."""

import io
import struct
import zipfile

MAGIC = b"\x89HDF\r\n\x1a\n"
NOWHERE = 2**64 - 1
_WIDTH, _START, _LARGEST, _MOST, _NODE = 4, 512, 1024, 400, 512
_DIRECT_ROWS = 3


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name), body, compress_type=method)
    return stream.getvalue()


def attribute(name: str, text: str) -> bytes:
    """An attribute message of fixed-length text."""
    kind = struct.pack("<BBBBI", 0x13, 0, 0, 0, len(text.encode()))
    space = struct.pack("<BBBB", 2, 0, 0, 0)
    body = struct.pack("<BBHHHB", 3, 0, len(name) + 1, len(kind), len(space), 0)
    return body + name.encode() + b"\0" + kind + space + text.encode()


def link(kind: int, name: str = "w", target: bytes = b"") -> bytes:
    """A link message: 1 soft, 64 external."""
    return struct.pack("<BBBB", 1, 8, kind, len(name)) + name.encode() + struct.pack("<H", len(target)) + target


def hard_link(name: str, address: int) -> bytes:
    return struct.pack("<BBB", 1, 0, len(name)) + name.encode() + struct.pack("<Q", address)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("<BHB", kind, len(body), 0) + body


def header(messages: bytes) -> bytes:
    return b"OHDR" + struct.pack("<BBI", 2, 2, len(messages)) + messages + bytes(4)


def hdf5(attributes: dict[str, str], *, links: bytes = b"", more: bytes = b"", behind: bytes = b"") -> bytes:
    """A root group of the newer layout, with attributes of fixed-length text."""
    texts = b"".join(message(12, attribute(name, text)) for name, text in attributes.items())
    root = header(links + more + texts)
    return superblock(48 + len(root), 48) + root + behind


def superblock(size: int, root: int) -> bytes:
    return MAGIC + struct.pack("<BBBBQQQQI", 2, 8, 8, 0, 0, NOWHERE, size, root, 0)


class DenseFile:
    """A file whose root group keeps its links and attributes densely.

    The heap's doubling table has four blocks of 512 bytes in a row, blocks up to 1,024 bytes that hold objects, and
    larger ones that hold blocks; nodes of the index have 512 bytes, so that a few hundred entries fill several levels.
    An empty group lies at 48, for links to point to.
    """

    def __init__(self, links: list[bytes], attributes: list[bytes] | None = None, *, filters: int = 0) -> None:
        self.body = bytearray(48)
        self._put(header(b""))
        info = struct.pack("<BB", 0, 0) + struct.pack("<QQ", *self._stored(links, 5, filters))
        messages = message(2, info)
        if attributes is not None:
            stored = self._stored(attributes, 8, filters)
            messages += message(21, struct.pack("<BB", 0, 0) + struct.pack("<QQ", *stored))
        root = self._put(header(messages))
        self.body[:48] = superblock(len(self.body), root)

    def _put(self, body: bytes) -> int:
        address = len(self.body)
        self.body += body
        return address

    def _stored(self, objects: list[bytes], kind: int, filters: int) -> tuple[int, int]:
        """Addresses of a heap and of the index over it."""
        size = 7 if kind == 5 else 8
        waiting, ids = list(objects), list[bytes]()
        huge = [(number, self._put(item)) for number, item in enumerate(waiting) if len(item) > _MOST]
        records = [struct.pack("<QQQ", address, len(waiting[number]), number) for number, address in huge]
        ids = [struct.pack("<BQ", 0x10, number)[:size] for number, _ in huge]
        tiny = [item for item in waiting if len(item) < size]
        ids += [(bytes([0x20 | len(item) - 1]) + item).ljust(size, b"\0") for item in tiny]
        waiting = [item for item in waiting if size <= len(item) <= _MOST]
        small = sum(map(len, waiting)) < _MOST
        rows = 0 if small else 5
        root = self._direct(0, _START, waiting, ids, size) if small else self._indirect(0, rows, waiting, ids, size)
        assert not waiting, "The heap is too small for so many objects."
        head = struct.pack("<4sBHHBIQQ", b"FRHP", 0, size, filters, 0, _MOST, 9, self._tree(records, 1))
        head += bytes(80) + struct.pack("<HQQHHQH", _WIDTH, _START, _LARGEST, 32, 1, root, rows) + bytes(4)
        entries = [b"\0\0\0\0" + item if kind == 5 else item + bytes(9) for item in ids]
        return self._put(head), self._tree(entries, kind)

    def _direct(self, base: int, size: int, waiting: list[bytes], ids: list[bytes], width: int) -> int:
        if not waiting:
            return NOWHERE
        body = b"FHDB\0" + bytes(8) + struct.pack("<I", base) + bytes(4)
        while waiting and len(body) + len(waiting[0]) <= size:
            item = waiting.pop(0)
            ids.append((b"\0" + struct.pack("<IH", base + len(body), len(item))).ljust(width, b"\0"))
            body += item
        return self._put(body.ljust(size, b"\0"))

    def _indirect(self, base: int, rows: int, waiting: list[bytes], ids: list[bytes], width: int) -> int:
        head, entries = b"FHIB\0" + bytes(8) + struct.pack("<I", base), b""
        for row in range(rows):
            size = _START << max(0, row - 1)
            for _ in range(_WIDTH):
                inner = (size // (_START * _WIDTH)).bit_length()
                make = self._direct(base, size, waiting, ids, width) if row < _DIRECT_ROWS else None
                make = self._indirect(base, inner, waiting, ids, width) if make is None and waiting else make
                entries += struct.pack("<Q", NOWHERE if make is None else make)
                base += size
        return self._put(head + entries + bytes(4))

    def _tree(self, records: list[bytes], kind: int) -> int:
        if not records:
            return NOWHERE
        size = len(records[0])
        most = [(_NODE - 10) // size]
        while most[-1] < len(records):
            pointer = 9 + (2 if len(most) > 1 else 0)
            inner = (_NODE - 10 - pointer) // (size + pointer)
            most.append((inner + 1) * most[-1] + inner)
        root, count = self._node(records, kind, len(most) - 1, most)
        head = struct.pack("<4sBBIHHBB", b"BTHD", 0, kind, _NODE, size, len(most) - 1, 100, 40)
        return self._put(head + struct.pack("<QHQI", root, count, len(records), 0))

    def _node(self, records: list[bytes], kind: int, level: int, most: list[int]) -> tuple[int, int]:
        """Address of a node and how many records are its own; the rest lie in the nodes below."""
        if not level:
            body = b"BTLF" + bytes([0, kind]) + b"".join(records)
            return self._put(body.ljust(_NODE, b"\0")), len(records)
        below = -(-(len(records) + 1) // (most[level - 1] + 1))
        ends = [(len(records) + 1) * (part + 1) // below - 1 for part in range(below)]
        own, pointers, start = b"", b"", 0
        for end in ends:
            part = records[start:end]
            pointers += struct.pack("<QB", *self._node(part, kind, level - 1, most))
            pointers += struct.pack("<H", len(part)) if level > 1 else b""
            own += records[end] if end < len(records) else b""
            start = end + 1
        body = b"BTIN" + bytes([0, kind]) + own + pointers
        return self._put(body.ljust(_NODE, b"\0")), below - 1
