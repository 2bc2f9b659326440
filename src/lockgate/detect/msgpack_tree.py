"""Walks MessagePack as Flax writes it: maps of arrays, with extension types for arrays and numbers only.

Source: the MessagePack specification, and Flax's serialisation module for the extension codes.
"""

import struct

from lockgate.detect.part import Notes
from lockgate.detect.pickle_ops import hidden_program
from lockgate.detect.source import Cursor, MalformedError, Memory, Source

MAX_ITEMS = 20_000_000
MAX_PROGRAM = 1 << 20
MAX_DEPTH = 200
_ARRAY, _COMPLEX, _NUMBER = 1, 2, 3
_U1, _U2, _U4 = struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I")
_FIXED = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
}
_BYTES = {0xC4: _U1, 0xC5: _U2, 0xC6: _U4, 0xD9: _U1, 0xDA: _U2, 0xDB: _U4}
_LISTS = {0xDC: (_U2, 1), 0xDD: (_U4, 1), 0xDE: (_U2, 2), 0xDF: (_U4, 2)}
_EXTENSIONS = {0xC7: _U1, 0xC8: _U2, 0xC9: _U4}
_FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def walk_msgpack(source: Source, notes: Notes) -> None:
    """Check that everything is data and that nothing follows it.

    Raises:
        MalformedError: It breaks the format.
    """
    cursor = Cursor(source)
    pending = [1]
    for _ in range(MAX_ITEMS):
        while pending and not pending[-1]:
            pending.pop()
        if not pending:
            break
        pending[-1] -= 1
        pending.append(_item(cursor, notes))
        if len(pending) > MAX_DEPTH:
            raise MalformedError("depth", f"Its values nest more than {MAX_DEPTH} levels deep.")
    if any(pending):
        raise MalformedError("budget", f"It holds more than {MAX_ITEMS:,} items.")
    if cursor.remaining:
        raise MalformedError("trailing", "There are bytes behind its end.")


def _item(cursor: Cursor, notes: Notes) -> int:
    """Pass over one item and give the number of items in it."""
    code = cursor.byte()
    if code < 0x80 or code >= 0xE0:  # noqa: PLR2004 - small integers
        return 0
    if code < 0xC0:  # noqa: PLR2004 - small maps, lists and texts
        if code < 0xA0:  # noqa: PLR2004 - maps below 0x90
            return (code & 15) * (2 if code < 0x90 else 1)  # noqa: PLR2004 - same
        cursor.skip(code & 31)
    elif code in _FIXED:
        cursor.skip(_FIXED[code])
    elif code in _BYTES:
        _bytes(cursor, cursor.number(_BYTES[code]), notes)
    elif code in _LISTS:
        layout, times = _LISTS[code]
        return cursor.number(layout) * times
    elif code in _EXTENSIONS or code in _FIXED_EXTENSIONS:
        size = _FIXED_EXTENSIONS.get(code) or cursor.number(_EXTENSIONS[code])
        _extension(cursor, size, notes)
    else:
        raise MalformedError("type", "It holds a type that the format does not know.")
    return 0


def _bytes(cursor: Cursor, size: int, notes: Notes) -> None:
    """Pass over bytes or a text. Libraries for arrays load some of them as pickles, which are small."""
    body = cursor.take(min(size, MAX_PROGRAM))
    cursor.skip(size - len(body))
    names = hidden_program(Memory(body)) if len(body) > 1 else ""
    if names:
        notes.problem("pickle", f"Bytes in it are a pickle that uses {names}.")


def _extension(cursor: Cursor, size: int, notes: Notes) -> None:
    kind = cursor.byte()
    if kind not in {_ARRAY, _COMPLEX, _NUMBER}:
        notes.problem("extension", f"It holds an extension of its own kind ({kind}).")
    head = cursor.take(min(size, 256))
    if kind == _ARRAY and b"\xa6object" in head:
        notes.problem("objects", "An array in it holds objects, which are pickles.")
    cursor.skip(size - len(head))
