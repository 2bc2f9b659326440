"""Reads tar archives strictly: plain files and folders only, every byte accounted for.

Source: POSIX.1-2001 (ustar and pax headers).
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
_PAX = b"x"
_HARMLESS = frozenset({"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"})


class _Header(msgspec.Struct, frozen=True):
    name: bytes
    kind: bytes
    size: int


def looks_like_tar(head: bytes) -> bool:
    """Whether the first block is a tar header."""
    return head[257:262] == b"ustar"


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
        if header.kind == _PAX:
            if renamed or header.size > MAX_PAX:
                raise MalformedError("pax", "It has extended headers that no ordinary archive has.")
            renamed = _pax_path(source.read(start, header.size)) or ""
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
    total = sum(block[:148]) + 8 * 0x20 + sum(block[156:])
    if _octal(block[148:156]) != total:
        raise MalformedError("checksum", "A member's header does not match its checksum.")
    if block[257:262] != b"ustar":
        raise MalformedError("header", "A member's header is not that of a POSIX archive.")
    name, prefix = block[:100].split(b"\x00")[0], block[345:500].split(b"\x00")[0]
    is_posix = block[257:263] == b"ustar\x00"
    return _Header(prefix + b"/" + name if prefix and is_posix else name, block[156:157], _octal(block[124:136]))


def _octal(field: bytes) -> int:
    digits = field.strip(b"\x00 ")
    if not digits or any(digit not in b"01234567" for digit in digits):
        raise MalformedError("number", "A number in a member's header is not octal.")
    return int(digits, 8)


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
        elif _decode(key) not in _HARMLESS:
            raise MalformedError("pax", "An extended header changes more than a member's name and times.")
    return path


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("member-name", "A member's name is not UTF-8.") from error


def _is_empty(source: Source, at: int) -> bool:
    return all(not any(source.read(offset, BUFFER)) for offset in range(at, source.size, BUFFER))
