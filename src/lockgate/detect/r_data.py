"""Walks R's serialised data (`.rds`, `.RData`): what it holds, and whether anything in it would be evaluated.

Source: the R Internals manual ("Serialization Formats"), XDR form, versions 2 and 3. Evaluating a promise, a closure or
byte code is what loading such a file can trigger.
"""

import struct
from collections.abc import Callable

import re2

from lockgate.detect.part import Notes
from lockgate.detect.source import Cursor, MalformedError, Source

MAX_ITEMS = 20_000_000
MAX_LENGTH = 1 << 40
_MAGICS = (b"X\n\x00\x00\x00", b"RDX2\nX\n", b"RDX3\nX\n")
_OTHER = (b"A\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n", b"B\n\x02\x00\x00\x00", b"B\n\x03\x00\x00\x00")
_TEXT_FORM = re2.compile(rb"A\n[23]\n\d{4,7}\n\d{4,7}\n")
_I4 = struct.Struct(">i")
_ATTRIBUTES, _TAG = 0x200, 0x400
_REFUSED = {
    3: "a closure",
    5: "a promise",
    7: "an internal function",
    21: "byte code",
    22: "an external pointer",
    23: "a weak reference",
    243: "byte code",
    244: "byte code",
    247: "a persistent name that a hook resolves",
}
_EMPTY = frozenset({254, 253, 252, 251, 250, 242, 241})
_WIDTHS = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
_SYMBOL, _PAIRS, _ENVIRONMENT, _CALL, _BUILTIN, _CHARS, _TEXTS = 1, 2, 4, 6, 8, 9, 16
_DOTS, _LIST, _EXPRESSION, _S4, _REFERENCE = 17, 19, 20, 25, 255
_ALTREP, _ATTR_PAIRS, _ATTR_CALL, _PACKAGE, _NAMESPACE = 238, 239, 240, 248, 249


def looks_like_r_data(head: bytes) -> bool:
    """Whether the first bytes, once inflated, are those of R's serialised data."""
    return head.startswith(_MAGICS) or head.startswith(_OTHER[1:]) or _TEXT_FORM.match(head[:64]) is not None


def walk_r_data(source: Source, notes: Notes) -> None:
    """Note closures, promises, byte code and pointers as code.

    Raises:
        MalformedError: It breaks the format, or is in the text form, which is not read.
    """
    head = source.read(0, 16)
    if head.startswith(_OTHER):
        raise MalformedError("unsupported", "It is in R's text or native form, which this reader does not follow.")
    cursor = Cursor(source, 7 if head.startswith(b"RDX") else 2)
    version = cursor.number(_I4)
    cursor.skip(8)
    if version == 3:  # noqa: PLR2004 - the version with the writer's encoding
        cursor.skip(_length(cursor))
    elif version != 2:  # noqa: PLR2004 - the other one
        raise MalformedError("version", "Its version is none that this reader knows (2 and 3).")
    _Walk(cursor, notes).run()
    if cursor.remaining:
        raise MalformedError("trailing", "There are bytes behind its end.")


def _length(cursor: Cursor) -> int:
    count = cursor.number(_I4)
    if count == -1:
        count = (cursor.number(_I4) << 32) | (cursor.number(_I4) & 0xFFFFFFFF)
    if not 0 <= count <= MAX_LENGTH:
        raise MalformedError("length", "A length is negative or larger than any real one.")
    return count


class _Walk:
    """Reads items one after the other; what follows an item is counted, not recursed into."""

    def __init__(self, cursor: Cursor, notes: Notes) -> None:
        self._cursor = cursor
        self._notes = notes
        self._pending = 1
        self._handlers: dict[int, Callable[[int], None]] = {
            _SYMBOL: self._one,
            _PAIRS: self._pairs,
            _ATTR_PAIRS: self._attribute_pairs,
            _ATTR_CALL: self._attribute_pairs,
            _CALL: self._pairs,
            _DOTS: self._pairs,
            _ENVIRONMENT: self._environment,
            _BUILTIN: self._builtin,
            _CHARS: self._chars,
            _TEXTS: self._vector,
            _LIST: self._vector,
            _EXPRESSION: self._vector,
            _S4: self._attributes,
            _REFERENCE: self._reference,
            _ALTREP: self._altrep,
            _PACKAGE: self._names,
            _NAMESPACE: self._names,
        }

    def run(self) -> None:
        for _ in range(MAX_ITEMS):
            if not self._pending:
                return
            self._pending -= 1
            flags = self._cursor.number(_I4)
            kind = flags & 0xFF
            if kind in _REFUSED:
                self._notes.mention("code", f"{_REFUSED[kind]}, which R evaluates")
                raise MalformedError("evaluated", f"It holds {_REFUSED[kind]}; what follows is not read.")
            if kind in _WIDTHS:
                self._cursor.skip(_length(self._cursor) * _WIDTHS[kind])
                self._attributes(flags)
            elif kind in self._handlers:
                self._handlers[kind](flags)
            elif kind not in _EMPTY:
                raise MalformedError("type", "It holds a type that the format does not know.")
        raise MalformedError("budget", f"It holds more than {MAX_ITEMS:,} items.")

    def _one(self, _flags: int) -> None:
        self._pending += 1

    def _pairs(self, flags: int) -> None:
        self._pending += 2 + bool(flags & _ATTRIBUTES) + bool(flags & _TAG)

    def _attribute_pairs(self, flags: int) -> None:
        self._pending += 3 + bool(flags & _TAG)

    def _environment(self, _flags: int) -> None:
        self._cursor.skip(4)
        self._pending += 4

    def _builtin(self, _flags: int) -> None:
        self._cursor.skip(_length(self._cursor))

    def _chars(self, _flags: int) -> None:
        count = self._cursor.number(_I4)
        if count > 0:
            self._cursor.skip(count)

    def _vector(self, flags: int) -> None:
        self._pending += _length(self._cursor)
        self._attributes(flags)

    def _attributes(self, flags: int) -> None:
        self._pending += bool(flags & _ATTRIBUTES)

    def _reference(self, flags: int) -> None:
        if not flags >> 8:
            self._cursor.skip(4)

    def _altrep(self, _flags: int) -> None:
        self._pending += 3

    def _names(self, _flags: int) -> None:
        self._cursor.skip(4)
        self._pending += _length(self._cursor)
