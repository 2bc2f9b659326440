"""Walks Universal Binary JSON as XGBoost writes its models: maps, lists, texts and numbers, and nothing else.

Source: the UBJSON specification, draft 12, with its optimised containers (`$` type, `#` count).
"""

import struct

from lockgate.detect.part import Notes
from lockgate.detect.pickle_ops import hidden_program
from lockgate.detect.source import Cursor, MalformedError, Source, Window

MAX_ITEMS = 20_000_000
MAX_DEPTH = 200
_START = b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner"
_LENGTHS = {
    ord("i"): struct.Struct(">b"),
    ord("U"): struct.Struct(">B"),
    ord("I"): struct.Struct(">h"),
    ord("l"): struct.Struct(">i"),
    ord("L"): struct.Struct(">q"),
}
_WIDTHS = {
    **{code: layout.size for code, layout in _LENGTHS.items()},
    ord("d"): 4,
    ord("D"): 8,
    ord("C"): 1,
    **dict.fromkeys(b"ZTFN", 0),
}
_OBJECT, _LIST, _TEXT, _NUMBER, _TYPE, _COUNT = b"{[SH$#"
_ENDS = {_OBJECT: ord("}"), _LIST: ord("]")}


def looks_like_ubjson(head: bytes) -> bool:
    """Whether the first bytes are those of an XGBoost model; other files in this format have no magic bytes."""
    return head.startswith(_START)


def walk_ubjson(source: Source, notes: Notes) -> None:
    """Check that everything is data and that nothing follows it.

    Raises:
        MalformedError: It breaks the format.
    """
    walk = _Walk(source, notes)
    walk.run()
    if walk.cursor.remaining:
        raise MalformedError("trailing", "There are bytes behind its end.")


class _Walk:
    """Open containers: what each is, the type of its items if stated, and how many are left if stated."""

    def __init__(self, source: Source, notes: Notes) -> None:
        self._source = source
        self._notes = notes
        self._open: list[tuple[int, int, int]] = []
        self.cursor = Cursor(source)

    def run(self) -> None:
        self._value(self.cursor.byte())
        for _ in range(MAX_ITEMS):
            if not self._open:
                return
            if len(self._open) > MAX_DEPTH:
                raise MalformedError("depth", f"Its values nest more than {MAX_DEPTH} levels deep.")
            self._next()
        raise MalformedError("budget", f"It holds more than {MAX_ITEMS:,} items.")

    def _next(self) -> None:
        """Pass over the next item of the innermost container, or its end."""
        container, kind, left = self._open.pop()
        code = 0
        if left < 0:
            code = self.cursor.byte()
            if code == _ENDS[container]:
                return
        elif not left:
            return
        self._open.append((container, kind, left - 1 if left > 0 else left))
        if container == _OBJECT:
            self.cursor.skip(self._length(code or self.cursor.byte()))
            code = 0
        self._value(kind or code or self.cursor.byte())

    def _value(self, code: int) -> None:
        if code in _WIDTHS:
            self.cursor.skip(_WIDTHS[code])
        elif code in {_TEXT, _NUMBER}:
            size = self._length(self.cursor.byte())
            names = hidden_program(Window(self._source, self.cursor.position, size)) if size > 1 else ""
            if names:
                self._notes.problem("pickle", f"A text in it is a pickle that uses {names}.")
            self.cursor.skip(size)
        elif code in _ENDS:
            self._container(code)
        else:
            raise MalformedError("type", "It holds a type that the format does not know.")

    def _container(self, code: int) -> None:
        kind, count, start = 0, -1, self.cursor.position
        if self._peek(start) == _TYPE:
            self.cursor.skip(1)
            kind = self.cursor.byte()
            if self._peek(self.cursor.position) != _COUNT:
                raise MalformedError("type", "A container states the type of its items and not their number.")
        if self._peek(self.cursor.position) == _COUNT:
            self.cursor.skip(1)
            count = self._length(self.cursor.byte())
        if kind and not _WIDTHS.get(kind, 1):
            raise MalformedError("type", "A container holds any number of items that take no bytes.")
        if code == _LIST and kind in _WIDTHS:
            self.cursor.skip(count * _WIDTHS[kind])
        else:
            self._open.append((code, kind, count))

    def _peek(self, at: int) -> int:
        return next(iter(self._source.read(at, 1)), 0)

    def _length(self, code: int) -> int:
        layout = _LENGTHS.get(code)
        if layout is None:
            raise MalformedError("length", "A length is no whole number.")
        size = self.cursor.number(layout)
        if size < 0:
            raise MalformedError("length", "A length is negative.")
        return size
