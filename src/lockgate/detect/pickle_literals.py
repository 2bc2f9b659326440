"""The opcodes of a pickle that push a literal: numbers, texts, bytes."""

import struct
from collections.abc import Callable

from lockgate.detect.pickle_machine import MIN_NESTED, Machine
from lockgate.detect.pickle_values import OPAQUE, Blob, Value
from lockgate.detect.source import BUFFER, Cursor, MalformedError

MAX_LINE = 1 << 16
MAX_TEXT = 1 << 16
MAX_DECODED = 64 << 20

Handler = Callable[[Machine], None]


def constant(value: Value) -> Handler:
    """Push what the opcode itself says."""
    return lambda machine: machine.push(value)


def number(layout: struct.Struct) -> Handler:
    """Push an integer of a fixed width."""
    return lambda machine: machine.push(machine.cursor.number(layout))


def binary_float(machine: Machine) -> None:
    """Push a float in eight bytes; its value does not matter."""
    machine.cursor.skip(8)
    machine.push(OPAQUE)


def float_text(machine: Machine) -> None:
    """Push a float written as text."""
    machine.cursor.line(MAX_LINE)
    machine.push(OPAQUE)


def int_text(machine: Machine) -> None:
    """Push an integer written as text; one beyond 64 bits is opaque, and so is one that unpicklers read differently."""
    body = machine.cursor.line(MAX_LINE)
    digits = body.removesuffix(b"L").removeprefix(b"-")
    # A leading zero makes a number octal to one unpickler and an error to the other; `00` and `01` are truth values.
    plain = not digits.startswith(b"0") or body in {b"0", b"0L", b"00", b"01"}
    short = plain and digits.isdigit() and len(digits) <= 18  # noqa: PLR2004 - fits 64 bits
    machine.push(int(body.removesuffix(b"L")) if short else OPAQUE)


def long(layout: struct.Struct) -> Handler:
    """Push an integer of the length that stands before it."""

    def handle(machine: Machine) -> None:
        count = machine.cursor.number(layout)
        if count > 255:  # noqa: PLR2004 - what the short form can hold
            machine.cursor.skip(count)
            machine.push(OPAQUE)
        else:
            machine.push(int.from_bytes(machine.cursor.take(count), "little", signed=True))

    return handle


def binary_bytes(layout: struct.Struct) -> Handler:
    """Push bytes, and judge what is pickled in them."""

    def handle(machine: Machine) -> None:
        count = machine.cursor.number(layout)
        made = Blob(count, machine.cursor.position)
        machine.cursor.skip(count)
        if count >= MIN_NESTED:
            machine.nested(machine, made, False)  # noqa: FBT003 - not loaded, only kept
        machine.push(made)

    return handle


def old_string(layout: struct.Struct) -> Handler:
    """Python 2 strings, which Python 3 reads as ASCII text unless told otherwise."""
    return lambda machine: machine.push(_text(machine.cursor, machine.cursor.number(layout), "latin-1"))


def binary_unicode(layout: struct.Struct) -> Handler:
    """Push a text of the length that stands before it."""
    return lambda machine: machine.push(_text(machine.cursor, machine.cursor.number(layout), "utf-8"))


def _text(cursor: Cursor, count: int, encoding: str) -> str | Blob:
    if count > MAX_TEXT:
        start = cursor.position
        cursor.skip(count)
        return Blob(count, start, encoding)
    try:
        text = cursor.take(count).decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        raise MalformedError("text", "A text in it is not UTF-8.") from error
    return text


def quoted(machine: Machine) -> None:
    """Push a quoted text."""
    start, body = _line(machine)
    if len(body) < 2 or body[:1] not in {b"'", b'"'} or body[-1:] != body[:1]:  # noqa: PLR2004 - both quotes
        raise MalformedError("text", "A text in it is not quoted as it must be.")
    # An escape could spell any name, so a text with one is never taken for a literal.
    is_literal = b"\\" not in body and len(body) <= MAX_TEXT
    machine.push(body[1:-1].decode("latin-1") if is_literal else Blob(len(body), start, "raw_unicode_escape"))


def escaped(machine: Machine) -> None:
    """Push a text whose escapes could spell anything."""
    start, body = _line(machine)
    is_literal = b"\\" not in body and len(body) <= MAX_TEXT
    machine.push(body.decode("latin-1") if is_literal else Blob(len(body), start, "raw_unicode_escape"))


def _line(machine: Machine) -> tuple[int, bytes]:
    """A line of any length up to a bound, with its start; protocol 0 writes whole arrays as one line."""
    start = machine.cursor.position
    end = start
    while end - start <= MAX_DECODED:
        part = machine.source.read(end, BUFFER)
        found = part.find(b"\n")
        if found >= 0:
            body = machine.cursor.take(end + found - start)
            machine.cursor.skip(1)
            return start, body
        if not part:
            break
        end += len(part)
    raise MalformedError("line", "A line does not end where it must.")


def name_line(machine: Machine) -> str:
    """A name on a line of its own."""
    return machine.cursor.line(MAX_LINE).decode("utf-8", "replace")


def index_line(machine: Machine) -> int:
    """A number of a remembered value on a line of its own.

    Raises:
        MalformedError: It is no plain number.
    """
    digits = machine.cursor.line(MAX_LINE)
    if not digits.isdigit() or len(digits) > 9:  # noqa: PLR2004 - fits 32 bits
        raise MalformedError("memo", "It numbers a remembered value with something that is no plain number.")
    return int(digits)
