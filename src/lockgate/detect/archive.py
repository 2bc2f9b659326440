"""Reads zip and tar archives so strictly that no other reader can see different members in the same bytes.

Source: PKWARE's APPNOTE for zip (with ZIP64), POSIX.1-2001 pax for tar. Nothing is unpacked to disk.
"""

import struct
import zlib
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from lockgate.detect.source import BUFFER, MalformedError, Memory, Source, Window

MAX_MEMBERS = 20_000
MAX_NAME = 1024
MAX_DIRECTORY = 16 << 20
MAX_INFLATED = 128 << 20
MAX_RATIO = 200
RATIO_FLOOR = 16 << 20
STORED = 0
DEFLATED = 8

_END = struct.Struct("<IHHHHIIH")
_END_MAGIC = 0x06054B50
_LOCATOR = struct.Struct("<IIQI")
_LOCATOR_MAGIC = 0x07064B50
_END64 = struct.Struct("<IQHHIIQQQQ")
_END64_MAGIC = 0x06064B50
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_CENTRAL_MAGIC = 0x02014B50
_LOCAL = struct.Struct("<IHHHHHIIIHH")
_LOCAL_MAGIC = 0x04034B50
_DESCRIPTOR_MAGIC = 0x08074B50
_EXTRA = struct.Struct("<HH")
_U64 = struct.Struct("<Q")
_ZIP64_FIELD = 0x0001
_RENAMING_FIELDS = frozenset({0x7075, 0x0008})
_FLAG_ENCRYPTED = 0x2041
_FLAG_DESCRIPTOR = 0x0008
_FLAG_UTF8 = 0x0800
_NO_U32 = 0xFFFFFFFF
_NO_U16 = 0xFFFF
_UNIX = 3
_FILE_TYPES = 0o170000
_PLAIN_TYPES = frozenset({0, 0o100000, 0o040000})


class Member(msgspec.Struct, frozen=True):
    """A file in an archive.

    Attributes:
        name: Its path, relative and without `..`.
        start: Offset of its bytes in the archive.
        stored: How many bytes it takes there.
        size: How many bytes it has when inflated.
        method: 0 for stored, 8 for deflate.
        crc: CRC-32 of its bytes; None in a tar, which has none.
    """

    name: str
    start: int
    stored: int
    size: int
    method: Literal[0, 8]
    crc: int | None


class _Entry(msgspec.Struct, frozen=True):
    """A record of the central directory."""

    name: bytes
    flags: int
    method: int
    crc: int
    stored: int
    size: int
    offset: int


def looks_like_zip(head: bytes) -> bool:
    """Whether the first bytes are a local file header or the end of an empty archive."""
    return head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}


def read_zip(source: Source) -> tuple[Member, ...]:
    """List the members of a zip archive.

    Every byte of the file must belong to exactly one record, and the central directory must say what the local
    headers say.

    Raises:
        MalformedError: It breaks the format, can be read in two ways, is encrypted, or is out of proportion.
    """
    count, start, size = _directory(source)
    entries = _entries(source.read(start, size), count)
    members: list[Member] = []
    seen: set[str] = set()
    at = 0
    for entry in sorted(entries, key=lambda item: item.offset):
        if entry.offset != at:
            raise MalformedError("gap", "There are bytes between its members, or members overlap.")
        member, at = _member(source, entry)
        folded = member.name.casefold().rstrip("/")
        if folded in seen:
            raise MalformedError("duplicate-member", "Two members have the same name, so two readers can disagree.")
        seen.add(folded)
        if not member.name.endswith("/"):
            members.append(member)
        elif member.size:
            raise MalformedError("member-type", "A folder in it has bytes of its own.")
    if at != start:
        raise MalformedError("gap", "There are bytes between its last member and its directory.")
    return tuple(members)


def open_member(source: Source, member: Member) -> Source:
    """Give the bytes of a member, checked against their CRC.

    Raises:
        MalformedError: They do not inflate to what the archive says.
    """
    raw = Window(source, member.start, member.stored)
    if member.method == STORED:
        if member.crc is not None and _crc(raw) != member.crc:
            raise MalformedError("crc", "A member's bytes do not match its checksum.")
        return raw
    if member.size > MAX_INFLATED:
        raise MalformedError("size", f"A compressed member is larger than {MAX_INFLATED:,} bytes.")
    body = _inflate(raw, member.size)
    if zlib.crc32(body) != member.crc:
        raise MalformedError("crc", "A member's bytes do not match its checksum.")
    return Memory(body)


def safe_name(raw: str) -> str:
    """A member's name, if it is a relative path that means the same on every system.

    Raises:
        MalformedError: It is empty, absolute, climbs out, or holds a backslash, colon or control character.
    """
    path = PurePosixPath(raw)
    plain = raw and len(raw) <= MAX_NAME and not any(sign in raw for sign in "\\:") and raw.isprintable()
    if not plain or path.is_absolute() or ".." in path.parts or str(path) != raw.rstrip("/"):
        raise MalformedError("member-name", "A member's name is not a plain relative path.")
    return raw


def _directory(source: Source) -> tuple[int, int, int]:
    """Number of members, offset and size of the central directory."""
    if source.size < _END.size:
        raise MalformedError("truncated", "It is too short to be a zip archive.")
    end = source.size - _END.size
    magic, disk, first, here, count, size, start, comment = _END.unpack(source.read(end, _END.size))
    if magic != _END_MAGIC or comment:
        raise MalformedError("suffix", "It does not end with the end of its directory: bytes or a comment follow.")
    locator = source.read(end - _LOCATOR.size, _LOCATOR.size) if end >= _LOCATOR.size + _END64.size else b""
    if locator[:4] == _LOCATOR_MAGIC.to_bytes(4, "little"):
        end -= _LOCATOR.size + _END64.size
        wide = _wide_directory(source, end, locator)
        for narrow, value, none in zip((count, size, start), wide, (_NO_U16, _NO_U32, _NO_U32), strict=True):
            if narrow not in {value, none}:
                raise MalformedError("directory", "Its two directory ends contradict each other.")
        here, (count, size, start) = count if here == count else -1, wide
        here = count if here != -1 else -1
    if disk or first or here != count:
        raise MalformedError("directory", "It claims to be spread over several files.")
    if start + size != end:
        raise MalformedError("directory", "Its directory is not where its end says.")
    if count > MAX_MEMBERS or size > MAX_DIRECTORY:
        raise MalformedError("count", f"It has more than {MAX_MEMBERS:,} members.")
    return count, start, size


def _wide_directory(source: Source, at: int, locator: bytes) -> tuple[int, int, int]:
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    record = _END64.unpack(source.read(at, _END64.size))
    magic, length, _, _, number, first, here, count, size, start = record
    if magic != _END64_MAGIC or offset != at or length != _END64.size - 12 or disk or number or first or disks > 1:
        raise MalformedError("directory", "Its ZIP64 directory end is not where it must be.")
    if here != count:
        raise MalformedError("directory", "It claims to be spread over several files.")
    return count, size, start


def _entries(body: bytes, count: int) -> list[_Entry]:
    entries: list[_Entry] = []
    at = 0
    for _ in range(count):
        if len(body) - at < _CENTRAL.size:
            raise MalformedError("truncated", "Its directory ends too early.")
        fields = _CENTRAL.unpack_from(body, at)
        magic, made_by, _, flags, method, _, _, crc, stored, size, name_size, extra_size, note_size = fields[:13]
        disk, _, attributes, offset = fields[13:]
        begin = at + _CENTRAL.size
        at = begin + name_size + extra_size + note_size
        if magic != _CENTRAL_MAGIC or at > len(body) or disk:
            raise MalformedError("directory", "A record of its directory is broken.")
        if made_by >> 8 == _UNIX and (attributes >> 16) & _FILE_TYPES not in _PLAIN_TYPES:
            raise MalformedError("member-type", "A member is a link or a device.")
        extra = body[begin + name_size : begin + name_size + extra_size]
        size, stored, offset = _widen(extra, [size, stored, offset])
        entries.append(_Entry(body[begin : begin + name_size], flags, method, crc, stored, size, offset))
    if at != len(body):
        raise MalformedError("directory", "Its directory holds more than its members.")
    return entries


def _widen(extra: bytes, values: list[int]) -> list[int]:
    """Replace 32-bit place holders by what the ZIP64 field says, in the field's fixed order."""
    wide, at = b"", 0
    while len(extra) - at >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if at + length > len(extra) or kind in _RENAMING_FIELDS:
            raise MalformedError("extra", "A member carries an extra field that is broken or renames it.")
        if kind == _ZIP64_FIELD:
            if wide:
                raise MalformedError("extra", "A member carries its sizes twice.")
            wide = extra[at : at + length]
        at += length
    result: list[int] = []
    for value in values:
        if value == _NO_U32 and len(wide) >= _U64.size:
            (value,) = _U64.unpack(wide[: _U64.size])  # noqa: PLW2901 - the place holder is replaced
            wide = wide[_U64.size :]
        result.append(value)
    return result


def _member(source: Source, entry: _Entry) -> tuple[Member, int]:
    """A member as its local header describes it, and the offset behind it."""
    header = source.read(entry.offset, _LOCAL.size)
    if len(header) < _LOCAL.size:
        raise MalformedError("truncated", "A member's header lies outside the file.")
    magic, _, flags, method, _, _, crc, stored, size, name_size, extra_size = _LOCAL.unpack(header)
    begin = entry.offset + _LOCAL.size
    name = source.read(begin, name_size)
    if magic != _LOCAL_MAGIC or (name, flags, method) != (entry.name, entry.flags, entry.method):
        raise MalformedError("local-header", "A member's header contradicts the directory.")
    if flags & _FLAG_ENCRYPTED:
        raise MalformedError("encrypted", "A member is encrypted.")
    size, stored = _widen(source.read(begin + name_size, extra_size), [size, stored])
    described = bool(flags & _FLAG_DESCRIPTOR)
    for local, central in ((crc, entry.crc), (stored, entry.stored), (size, entry.size)):
        if local != central and not (described and local in {0, _NO_U32}):
            raise MalformedError("local-header", "A member's header contradicts the directory.")
    start = begin + name_size + extra_size
    end = start + entry.stored
    if described:
        end += _descriptor(source, end, entry)
    return Member(_name(entry), start, entry.stored, entry.size, _method(entry), entry.crc), end


def _descriptor(source: Source, at: int, entry: _Entry) -> int:
    """Length of the record behind a member's bytes, which repeats its checksum and sizes."""
    found = source.read(at, 24)
    for layout in ("<IIQQ", "<IIII"):
        expected = struct.pack(layout[:3], _DESCRIPTOR_MAGIC, entry.crc)
        if layout == "<IIQQ" or entry.size <= _NO_U32 >= entry.stored:
            expected += struct.pack("<" + layout[3:], entry.stored, entry.size)
            if found.startswith(expected):
                return len(expected)
    raise MalformedError("local-header", "The record behind a member contradicts the directory.")


def _name(entry: _Entry) -> str:
    try:
        return safe_name(entry.name.decode("utf-8" if entry.flags & _FLAG_UTF8 else "ascii"))
    except UnicodeDecodeError as error:
        raise MalformedError("member-name", "A member's name is neither ASCII nor marked as UTF-8.") from error


def _method(entry: _Entry) -> Literal[0, 8]:
    if entry.method == STORED:
        if entry.stored != entry.size:
            raise MalformedError("size", "A stored member has two different sizes.")
        return STORED
    if entry.method != DEFLATED:
        raise MalformedError("compression", "A member is compressed in a way that this reader does not know.")
    if entry.size > RATIO_FLOOR and entry.size > MAX_RATIO * max(1, entry.stored):
        raise MalformedError("ratio", f"A member inflates to more than {MAX_RATIO} times its size.")
    return DEFLATED


def _crc(source: Source) -> int:
    value = 0
    for offset in range(0, source.size, 16 * BUFFER):
        value = zlib.crc32(source.read(offset, 16 * BUFFER), value)
    return value


def _inflate(raw: Source, size: int) -> bytes:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = machine.decompress(raw.read(0, raw.size), size + 1)
    except zlib.error as error:
        raise MalformedError("inflate", "A member's compressed bytes are broken.") from error
    if len(body) != size or not machine.eof or machine.unused_data or machine.unconsumed_tail:
        raise MalformedError("inflate", "A member does not inflate to the size that the archive says.")
    return body
