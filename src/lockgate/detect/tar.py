"""Reads tar archives strictly: plain files and folders only, every byte accounted for.

Sources: POSIX.1-2001 (ustar and pax headers); GNU tar's manual for long names; the header of Unix version 7.
"""

from collections.abc import Iterator

import msgspec

from lockgate.detect.archive import MAX_MEMBERS, STORED, Member, safe_name
from lockgate.detect.source import BUFFER, MalformedError, Source

BLOCK = 512
MAX_PAX = 1 << 16
_EMPTY = bytes(BLOCK)
_FILES = frozenset({b"0", b"\x00"})
_FOLDER = b"5"
_PAX, _PAX_GLOBAL = b"x", b"g"
_GNU_NAME = b"L"
_HARMLESS = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})
_EXTENDED_ATTRIBUTES = ("SCHILY.", "LIBARCHIVE.")
_MAGIC = slice(257, 265)


class _Header(msgspec.Struct, frozen=True):
    name: bytes
    kind: bytes
    size: int


def looks_like_tar(head: bytes) -> bool:
    """Whether the first block is a tar header; the oldest form has no magic bytes, only its checksum."""
    return head[257:262] == b"ustar" or (len(head) >= BLOCK and _is_old(head[:BLOCK]))


def _is_old(block: bytes) -> bool:
    try:
        return not any(block[_MAGIC]) and block[0] > 0 and _octal(block[148:156]) == _checksum(block)
    except MalformedError:
        return False


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + 8 * 0x20 + sum(block[156:])


def read_tar(source: Source) -> tuple[Member, ...]:
    """List the members of a tar archive.

    Raises:
        MalformedError: It breaks the format, holds links or devices, or can be read in two ways.
    """
    members: list[Member] = []
    seen: set[str] = set()
    for member in _walk(source):
        folded = member.name.casefold().rstrip("/")
        if folded in seen:
            raise MalformedError("duplicate-member", "Two members have the same name, so two readers can disagree.")
        if len(seen) >= MAX_MEMBERS:
            raise MalformedError("count", f"It has more than {MAX_MEMBERS:,} members.")
        seen.add(folded)
        if not member.name.endswith("/"):
            members.append(member)
    return tuple(members)


def _walk(source: Source) -> Iterator[Member]:
    at, renamed = 0, ""
    while True:
        block = source.read(at, BLOCK)
        if len(block) < BLOCK:
            raise MalformedError("truncated", "It ends without the two empty blocks that close a tar archive.")
        if block == _EMPTY:
            break
        header = _header(block)
        start = at + BLOCK
        at = start + -(-header.size // BLOCK) * BLOCK
        if at > source.size:
            raise MalformedError("truncated", "A member is longer than the file.")
        if header.kind in {_PAX, _PAX_GLOBAL, _GNU_NAME}:
            if renamed or header.size > MAX_PAX:
                raise MalformedError("pax", "It has extended headers that no ordinary archive has.")
            renamed = _renaming(header.kind, source.read(start, header.size))
            continue
        # `tar` packs a folder as `.`, so every name in it begins with a step that goes nowhere.
        name = (renamed or _decode(header.name)).removeprefix("./")
        renamed = ""
        if header.kind == _FOLDER and not header.size and name in {"", "."}:
            continue
        yield _member(header, name, start)
    if renamed or source.size % BLOCK or not _is_empty(source, at):
        raise MalformedError("suffix", "Bytes follow the end of the archive.")


def _member(header: _Header, name: str, start: int) -> Member:
    if header.kind == _FOLDER and not header.size:
        return Member(safe_name(name.rstrip("/")) + "/", start, 0, 0, STORED, None)
    if header.kind not in _FILES or name.endswith("/"):
        raise MalformedError("member-type", "A member is a link, a device or of an unknown kind.")
    return Member(safe_name(name), start, header.size, header.size, STORED, None)


def _header(block: bytes) -> _Header:
    if _octal(block[148:156]) != _checksum(block):
        raise MalformedError("checksum", "A member's header does not match its checksum.")
    if block[257:262] != b"ustar" and any(block[_MAGIC]):
        raise MalformedError("header", "A member's header is not that of a POSIX archive.")
    name, prefix = block[:100].split(b"\x00")[0], block[345:500].split(b"\x00")[0]
    is_posix = block[257:263] == b"ustar\x00"
    return _Header(prefix + b"/" + name if prefix and is_posix else name, block[156:157], _octal(block[124:136]))


def _octal(field: bytes) -> int:
    digits = field.strip(b"\x00 ")
    if not digits or any(digit not in b"01234567" for digit in digits):
        raise MalformedError("number", "A number in a member's header is not octal.")
    return int(digits, 8)


def _renaming(kind: bytes, body: bytes) -> str:
    """The name that an extended header gives the next member; empty if it gives none."""
    if kind == _GNU_NAME:
        name, end, rest = body.partition(b"\x00")
        if not end or any(rest):
            raise MalformedError("pax", "An extended header is broken.")
        return _decode(name)
    path = _pax_path(body) or ""
    if path and kind == _PAX_GLOBAL:
        raise MalformedError("pax", "An extended header gives all members one name.")
    return path


def _pax_path(body: bytes) -> str | None:
    path: str | None = None
    while body:
        digits, _, _ = body.partition(b" ")
        if not digits.isdigit() or len(digits) > 6 or not 0 < (length := int(digits)) <= len(body):  # noqa: PLR2004 - MAX_PAX
            raise MalformedError("pax", "An extended header is broken.")
        key, is_pair, value = body[len(digits) + 1 : length - 1].partition(b"=")
        if not is_pair or body[length - 1 : length] != b"\n":
            raise MalformedError("pax", "An extended header is broken.")
        body = body[length:]
        if key == b"path" and path is None:
            path = _decode(value)
        elif _decode(key) not in _HARMLESS and not _decode(key).startswith(_EXTENDED_ATTRIBUTES):
            raise MalformedError("pax", "An extended header changes more than a member's name and times.")
    return path


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("member-name", "A member's name is not UTF-8.") from error


def _is_empty(source: Source, at: int) -> bool:
    return all(not any(source.read(offset, BUFFER)) for offset in range(at, source.size, BUFFER))
