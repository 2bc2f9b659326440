"""Reads 7-Zip archives: one packed stream after the other, no encryption, every byte accounted for.

Source: the description of the 7z format that comes with the LZMA SDK (7zFormat.txt).
"""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable

import msgspec

from lockgate.detect.archive import MAX_MEMBERS, safe_name
from lockgate.detect.source import MalformedError, Source

MAGIC = b"7z\xbc\xaf\x27\x1c"
MAX_HEADER = 16 << 20
MAX_FOLDER = 128 << 20
MAX_DICTIONARY = 128 << 20
MAX_CODERS = 4

_START = struct.Struct("<6sBBIQQI")
_U4 = struct.Struct("<I")
_END, _HEADER, _ENCODED = 0x00, 0x01, 0x17
_MAIN, _FILES, _PACK, _UNPACK, _SUBSTREAMS = 0x04, 0x05, 0x06, 0x07, 0x08
_SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNTS = 0x09, 0x0A, 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _EMPTY_FILE, _ANTI, _NAMES, _ATTRIBUTES, _DUMMY = 0x0E, 0x0F, 0x10, 0x11, 0x15, 0x19
_TIMES = frozenset({0x12, 0x13, 0x14})
_FOLDER_BIT, _UNIX_BIT, _LINK_BIT = 0x10, 0x8000, 0x400
_FILE_TYPES, _PLAIN_TYPES = 0o170000, frozenset({0, 0o100000, 0o040000})
_CRYPTO = b"\x06\xf1\x07\x01"


class SevenZipMember(msgspec.Struct, frozen=True):
    """A file in the archive, inflated and checked.

    Attributes:
        name: Its path, relative and without `..`.
        body: Its bytes.
    """

    name: str
    body: bytes


class _Coder(msgspec.Struct, frozen=True):
    method: bytes
    properties: bytes


class _Folder(msgspec.Struct):
    """Files packed together; the coders stand in the order in which they unpack, with the size that each one gives."""

    coders: list[_Coder]
    is_listed_backwards: bool = False
    sizes: list[int] = msgspec.field(default_factory=list[int])
    crc: int | None = None
    parts: list[tuple[int, int | None]] = msgspec.field(default_factory=list[tuple[int, int | None]])


class _Streams(msgspec.Struct):
    offset: int = 0
    packed: list[int] = msgspec.field(default_factory=list[int])
    folders: list[_Folder] = msgspec.field(default_factory=list[_Folder])


def read_7z(source: Source) -> list[SevenZipMember]:
    """Inflate every file of a 7-Zip archive; a folder of it may take 128 MiB at most.

    Raises:
        MalformedError: It breaks the format or its checksums, is encrypted (`encrypted`), uses a method that this
            reader does not know (`unsupported`), or inflates to too much (`budget`).
    """
    head = source.read(0, _START.size)
    if len(head) < _START.size or not head.startswith(MAGIC):
        raise _broken("It does not begin like a 7-Zip archive.")
    _, _, _, start_crc, offset, size, crc = _START.unpack(head)
    if zlib.crc32(head[12:]) != start_crc or size > MAX_HEADER or _START.size + offset + size != source.size:
        raise _broken("Its start header is broken, or bytes follow its end.")
    header = source.read(_START.size + offset, size)
    if zlib.crc32(header) != crc:
        raise MalformedError("crc", "Its header does not match its checksum.")
    if not header:
        return []
    reader = _Bytes(header)
    packed_end = offset
    if reader.byte() == _ENCODED:
        streams = _streams(reader)
        if len(streams.folders) != 1 or streams.offset + sum(streams.packed) != packed_end:
            raise _broken("Its encoded header is not the last thing in it.")
        packed_end = streams.offset
        reader = _Bytes(_unpack(source, streams)[0])
        if reader.byte() != _HEADER:
            raise _broken("Its encoded header holds no header.")
    elif header[0] != _HEADER:
        raise _broken("Its header has an unknown type.")
    return _header(source, reader, packed_end)


def _header(source: Source, reader: "_Bytes", packed_end: int) -> list[SevenZipMember]:
    streams = _Streams()
    kind = reader.byte()
    if kind == _MAIN:
        streams = _streams(reader)
        kind = reader.byte()
    if streams.offset or sum(streams.packed) != packed_end:
        raise MalformedError("gap", "There are bytes in it that belong to none of its files.")
    if kind != _FILES:
        raise _broken("Its header lists no files.")
    names, empty = _files(reader)
    if reader.byte() != _END or reader.left:
        raise _broken("Its header does not end where it must.")
    bodies = _bodies(source, streams)
    members: list[SevenZipMember] = []
    seen: set[str] = set()
    for name, is_empty in zip(names, empty, strict=True):
        folded = name.casefold()
        if folded in seen:
            raise MalformedError("duplicate-member", "Two members have the same name, so two readers can disagree.")
        seen.add(folded)
        if not is_empty:
            if not bodies:
                raise _broken("It names more files than it holds.")
            members.append(SevenZipMember(name, bodies.pop(0)))
    if bodies:
        raise _broken("It holds more files than it names.")
    return members


def _bodies(source: Source, streams: _Streams) -> list[bytes]:
    bodies: list[bytes] = []
    for folder, body in zip(streams.folders, _unpack(source, streams), strict=True):
        at = 0
        for size, crc in folder.parts:
            part = body[at : at + size]
            at += size
            if len(part) != size or (crc is not None and zlib.crc32(part) != crc):
                raise MalformedError("crc", "A member's bytes do not match its checksum.")
            bodies.append(part)
        if at != len(body):
            raise MalformedError("gap", "There are bytes in it that belong to none of its files.")
    return bodies


def _streams(reader: "_Bytes") -> _Streams:
    found = _Streams()
    while (kind := reader.byte()) != _END:
        if kind == _PACK:
            _pack_info(reader, found)
        elif kind == _UNPACK:
            _unpack_info(reader, found)
        elif kind == _SUBSTREAMS:
            _substreams(reader, found)
        else:
            raise _broken("Its list of streams holds something unknown.")
    for folder in found.folders:
        folder.parts = folder.parts or [(folder.sizes[-1], folder.crc)]
    if len(found.packed) != len(found.folders):
        raise MalformedError("unsupported", "It packs one folder in several streams, which is not followed here.")
    return found


def _pack_info(reader: "_Bytes", found: _Streams) -> None:
    found.offset = reader.number()
    count = reader.count()
    while (kind := reader.byte()) != _END:
        if kind == _SIZE:
            found.packed = [reader.number() for _ in range(count)]
        elif kind == _CRC:
            reader.checksums(count)
        else:
            raise _broken("Its list of packed streams holds something unknown.")


def _unpack_info(reader: "_Bytes", found: _Streams) -> None:
    if reader.byte() != _FOLDER:
        raise _broken("Its list of folders is missing.")
    count = reader.count()
    if reader.byte():
        raise MalformedError("unsupported", "It keeps its folders in another stream, which is not followed here.")
    found.folders = [_folder(reader) for _ in range(count)]
    if reader.byte() != _UNPACK_SIZE:
        raise _broken("The sizes of its folders are missing.")
    for folder in found.folders:
        folder.sizes = [reader.number() for _ in folder.coders]
        if folder.is_listed_backwards:
            folder.sizes.reverse()
    while (kind := reader.byte()) != _END:
        if kind != _CRC:
            raise _broken("Its list of folders holds something unknown.")
        for folder, crc in zip(found.folders, reader.checksums(count), strict=True):
            folder.crc = crc


def _folder(reader: "_Bytes") -> _Folder:
    count = reader.number()
    if not 1 <= count <= MAX_CODERS:
        raise MalformedError("unsupported", "It packs a folder in more steps than this reader follows.")
    coders: list[_Coder] = []
    for _ in range(count):
        flags = reader.byte()
        if flags & 0xD0:
            raise MalformedError("unsupported", "It packs a folder in a way that this reader does not follow.")
        method = reader.take(flags & 0x0F)
        coders.append(_Coder(method, reader.take(reader.number()) if flags & 0x20 else b""))
    # With one stream in and out of each step, a pair says which coder (first number) is fed by which (second one).
    bonds = {(reader.number(), reader.number()) for _ in range(count - 1)}
    if bonds == {(position + 1, position) for position in range(count - 1)}:
        return _Folder(coders)
    if bonds == {(position, position + 1) for position in range(count - 1)}:
        return _Folder(coders[::-1], is_listed_backwards=True)
    raise MalformedError("unsupported", "It packs a folder in an order that this reader does not follow.")


def _substreams(reader: "_Bytes", found: _Streams) -> None:
    counts = [1] * len(found.folders)
    kind = reader.byte()
    if kind == _COUNTS:
        counts = [reader.count() for _ in found.folders]
        kind = reader.byte()
    for folder, count in zip(found.folders, counts, strict=True):
        sizes = [reader.number() if kind == _SIZE else 0 for _ in range(count - 1)]
        rest = folder.sizes[-1] - sum(sizes)
        if rest < 0:
            raise _broken("Its files are longer than the folder that holds them.")
        folder.parts = [(size, None) for size in [*sizes, rest]] if count else []
    if kind == _SIZE:
        kind = reader.byte()
    while kind != _END:
        if kind != _CRC:
            raise _broken("Its list of files holds something unknown.")
        open_parts = [
            (folder, position)
            for folder in found.folders
            for position in range(len(folder.parts))
            if len(folder.parts) != 1 or folder.crc is None
        ]
        for (folder, position), crc in zip(open_parts, reader.checksums(len(open_parts)), strict=True):
            folder.parts[position] = (folder.parts[position][0], crc)
        kind = reader.byte()


def _files(reader: "_Bytes") -> tuple[list[str], list[bool]]:
    count = reader.count()
    names: list[str] = []
    empty = [False] * count
    while (kind := reader.byte()) != _END:
        part = _Bytes(reader.take(reader.number()))
        if kind == _EMPTY_STREAM:
            empty = part.bits(count)
        elif kind == _NAMES:
            names = _names(part, count)
        elif kind == _ATTRIBUTES:
            _check_attributes(part, count)
        elif kind == _ANTI or kind not in {_EMPTY_FILE, _DUMMY, *_TIMES}:
            raise _broken("Its list of files holds something unknown.")
    if len(names) != count:
        raise _broken("Some of its files have no name.")
    return names, empty


def _names(part: "_Bytes", count: int) -> list[str]:
    if part.byte():
        raise MalformedError("unsupported", "It keeps its names in another stream, which is not followed here.")
    try:
        names = part.take(part.left).decode("utf-16-le").split("\x00")
    except UnicodeDecodeError as error:
        raise MalformedError("member-name", "A member's name is not UTF-16.") from error
    if len(names) != count + 1 or names.pop():
        raise _broken("It has more or fewer names than files.")
    return [safe_name(name) for name in names]


def _check_attributes(part: "_Bytes", count: int) -> None:
    known = [True] * count if part.byte() else part.bits(count)
    if part.byte():
        raise _broken("Its attributes lie in another stream.")
    for _ in range(sum(known)):
        (value,) = _U4.unpack(part.take(4))
        mode = value >> 16 if value & _UNIX_BIT else 0
        if value & _LINK_BIT or mode & _FILE_TYPES not in _PLAIN_TYPES:
            raise MalformedError("member-type", "A member is a link or a device.")


def _unpack(source: Source, streams: _Streams) -> list[bytes]:
    bodies: list[bytes] = []
    at = _START.size + streams.offset
    for folder, size in zip(streams.folders, streams.packed, strict=True):
        if max(folder.sizes) > MAX_FOLDER or sum(map(len, bodies)) > MAX_FOLDER or size > source.size - at:
            raise MalformedError("budget", f"Its files inflate to more than {MAX_FOLDER:,} bytes.")
        body = source.read(at, size)
        at += size
        for coder, expected in zip(folder.coders, folder.sizes, strict=True):
            body = _decode(coder, body, expected)
        if folder.crc is not None and zlib.crc32(body) != folder.crc:
            raise MalformedError("crc", "A folder's bytes do not match its checksum.")
        bodies.append(body)
    return bodies


def _decode(coder: _Coder, body: bytes, size: int) -> bytes:
    if coder.method == _CRYPTO:
        raise MalformedError("encrypted", "It is encrypted.")
    decode = _METHODS.get(coder.method)
    if decode is None:
        raise MalformedError("unsupported", "It is packed by a method that this reader does not know.")
    try:
        found = decode(coder.properties, body, size)
    except (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError, IndexError, struct.error) as error:
        raise MalformedError("inflate", "Its packed bytes are broken.") from error
    if len(found) != size:
        raise MalformedError("inflate", "It does not inflate to the size that it says.")
    return found


def _lzma1(properties: bytes, body: bytes, size: int) -> bytes:
    first, dictionary = struct.unpack("<BI", properties)
    filters = {"id": lzma.FILTER_LZMA1, "dict_size": max(4096, _bounded(dictionary))}
    filters |= {"lc": first % 9, "lp": first // 9 % 5, "pb": first // 45}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters]).decompress(body, size)


def _lzma2(properties: bytes, body: bytes, size: int) -> bytes:
    (bits,) = struct.unpack("<B", properties)
    if bits > 40:  # noqa: PLR2004 - the largest that the format knows
        raise ValueError
    dictionary = (2 | bits & 1) << (bits // 2 + 11)
    filters = {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, _bounded(dictionary))}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters]).decompress(body, size)


def _branch(kind: int) -> Callable[[bytes, bytes, int], bytes]:
    """A filter for programs. The library only knows it in front of LZMA2, so it gets LZMA2 of bare bytes."""

    def decode(properties: bytes, body: bytes, size: int) -> bytes:
        steps = [{"id": kind, **({"dist": properties[0] + 1} if kind == lzma.FILTER_DELTA else {})}]
        if properties and kind != lzma.FILTER_DELTA:
            raise MalformedError("unsupported", "It is packed by a filter with an offset, which is not followed here.")
        plain = bytearray()
        for at in range(0, len(body), 1 << 16):
            part = body[at : at + (1 << 16)]
            plain += (b"\x02" if at else b"\x01") + struct.pack(">H", len(part) - 1) + part
        filters = [*steps, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(bytes(plain) + b"\x00", size)

    return decode


def _bounded(dictionary: int) -> int:
    if dictionary > MAX_DICTIONARY:
        raise MalformedError("budget", "Its packed bytes ask for too much memory.")
    return dictionary


_METHODS: dict[bytes, Callable[[bytes, bytes, int], bytes]] = {
    b"\x00": lambda _properties, body, _size: body,
    b"\x03\x01\x01": _lzma1,
    b"\x21": _lzma2,
    b"\x03": _branch(lzma.FILTER_DELTA),
    b"\x04": _branch(lzma.FILTER_X86),
    b"\x03\x03\x01\x03": _branch(lzma.FILTER_X86),
    b"\x03\x03\x02\x05": _branch(lzma.FILTER_POWERPC),
    b"\x03\x03\x04\x01": _branch(lzma.FILTER_IA64),
    b"\x03\x03\x05\x01": _branch(lzma.FILTER_ARM),
    b"\x03\x03\x07\x01": _branch(lzma.FILTER_ARMTHUMB),
    b"\x03\x03\x08\x05": _branch(lzma.FILTER_SPARC),
    b"\x04\x02\x02": lambda _properties, body, size: bz2.BZ2Decompressor().decompress(body, size),
    b"\x04\x01\x08": lambda _properties, body, size: zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, size),
}


class _Bytes:
    """Reads the header, which has a number format of its own."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._body) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise MalformedError("truncated", "Its header ends in the middle of a value.")
        self._at += count
        return self._body[self._at - count : self._at]

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def number(self) -> int:
        """A number: the leading ones of its first byte say how many bytes follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for position in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << 8 * position
            value |= self.byte() << 8 * position
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of files or folders."""
        value = self.number()
        if value > MAX_MEMBERS:
            raise MalformedError("count", f"It has more than {MAX_MEMBERS:,} members.")
        return value

    def bits(self, count: int) -> list[bool]:
        """A row of bits, highest first."""
        body = self.take(-(-count // 8))
        return [bool(body[position // 8] & 0x80 >> position % 8) for position in range(count)]

    def checksums(self, count: int) -> list[int | None]:
        """Checksums, of which some may be missing."""
        known = [True] * count if self.byte() else self.bits(count)
        return [_U4.unpack(self.take(4))[0] if is_known else None for is_known in known]


def _broken(message: str) -> MalformedError:
    return MalformedError("header", message)
