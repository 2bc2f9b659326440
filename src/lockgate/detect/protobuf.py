"""Walks protocol-buffer messages against a small table of what may be in them, without generated code.

Source: the protocol-buffer wire format. A field that the table does not know is a break: bytes that no reader of the
format understands have no place in a model.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from lockgate.detect.part import Notes
from lockgate.detect.source import Cursor, MalformedError, Source, Window

MAX_FIELDS = 5_000_000
MAX_DEPTH = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}

Scalar = Literal["number", "bytes", "text", "float", "double", "packed"]
_WIRES: dict[str, frozenset[int]] = {
    "number": frozenset({_VARINT}),
    "bytes": frozenset({_BYTES}),
    "text": frozenset({_BYTES}),
    "float": frozenset({_FIXED32}),
    "double": frozenset({_FIXED64}),
    # A repeated number may come packed or one by one, whatever its width.
    "packed": frozenset({_VARINT, _FIXED64, _BYTES, _FIXED32}),
}
Table = dict[str, dict[int, str]]
"""Message name to field number to either a scalar kind or the name of another message of the table."""


class Field(msgspec.Struct, frozen=True):
    """One field on the wire.

    Attributes:
        number: Its number.
        wire: Its wire type.
        value: The number, where it is one; 0 otherwise.
        start: Offset of its payload.
        size: Bytes of its payload, where it is length-delimited.
    """

    number: int
    wire: int
    value: int
    start: int
    size: int


def fields(source: Source) -> Iterator[Field]:
    """Every field of one message.

    Raises:
        MalformedError: It is no message: a broken number, a group, or a length that leads out of it.
    """
    cursor = Cursor(source)
    while cursor.remaining:
        tag = _varint(cursor)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise MalformedError("protobuf", "It holds a field number that the format does not allow.")
        start = cursor.position
        if wire == _VARINT:
            yield Field(number, wire, _varint(cursor), start, 0)
        elif wire == _BYTES:
            size = _varint(cursor)
            start = cursor.position
            cursor.skip(size)
            yield Field(number, wire, 0, start, size)
        elif wire in _WIDTHS:
            cursor.skip(_WIDTHS[wire])
            yield Field(number, wire, 0, start, _WIDTHS[wire])
        else:
            raise MalformedError("protobuf", "It holds a wire type that the format does not allow.")


def _varint(cursor: Cursor) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = cursor.byte()
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value & ((1 << 64) - 1)
    raise MalformedError("protobuf", "It holds a number of more than ten bytes.")


class Message:
    """One message with its place, as a visitor sees it.

    Args:
        kind: Its name in the table.
        source: Its bytes.
        place: Structural place.
    """

    def __init__(self, kind: str, source: Source, place: str) -> None:
        self.kind = kind
        self.source = source
        self.place = place
        self._fields: list[Field] = []

    def add(self, field: Field) -> None:
        """Remember a field."""
        self._fields.append(field)

    def text(self, number: int, *, limit: int = 4096) -> str:
        """The last value of a text field, empty if it is missing.

        Raises:
            MalformedError: It is too long or no UTF-8.
        """
        found = [field for field in self._fields if field.number == number]
        if not found:
            return ""
        if found[-1].size > limit:
            raise MalformedError("length", f"A name is longer than {limit:,} bytes.")
        try:
            return self.source.read(found[-1].start, found[-1].size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError("encoding", "A name is not UTF-8.") from error

    def number(self, number: int) -> int:
        """The last value of a number field, 0 if it is missing."""
        return next((field.value for field in reversed(self._fields) if field.number == number), 0)

    def has(self, number: int) -> bool:
        """Whether a field is there."""
        return any(field.number == number for field in self._fields)

    def count(self, number: int) -> int:
        """How often a field is there."""
        return sum(field.number == number for field in self._fields)


def walk(source: Source, notes: Notes, table: Table, root: str, visit: Callable[[Message, Notes], None]) -> None:
    """Visit every message below `root`, outer ones first.

    Raises:
        MalformedError: It is no message of this table, nests too deeply or has too many fields.
    """
    budget = MAX_FIELDS
    waiting: list[tuple[str, Source, str, int]] = [(root, source, "", 0)]
    while waiting:
        kind, body, place, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise MalformedError("depth", f"Its messages nest more than {MAX_DEPTH} levels deep.")
        message = Message(kind, body, place)
        inner: list[tuple[str, Source, str, int]] = []
        for field in fields(body):
            budget -= 1
            if budget < 0:
                raise MalformedError("budget", f"It has more than {MAX_FIELDS:,} fields.")
            expected = table[kind].get(field.number)
            if expected is None or field.wire not in _WIRES.get(expected, _WIRES["bytes"]):
                where = f"{kind}.{field.number}"
                raise MalformedError("unknown-field", f"It holds a field that the format does not know ({where}).")
            message.add(field)
            if expected in table:
                at = f"{place}/{field.number}" if depth < 8 else place  # noqa: PLR2004 - deeper places help nobody
                inner.append((expected, Window(body, field.start, field.size), at, depth + 1))
        visit(message, notes)
        waiting.extend(reversed(inner))


def shape(source: Source, allowed: dict[int, int], *, most: int = 64) -> frozenset[int]:
    """The numbers of the first fields, or nothing where they are not all `allowed` (number to wire type)."""
    found: set[int] = set()
    try:
        for count, field in enumerate(fields(source)):
            if allowed.get(field.number) != field.wire:
                return frozenset()
            found.add(field.number)
            if count >= most:
                break
    except MalformedError:
        return frozenset()
    return frozenset(found)
