"""Walks a TensorFlow Lite model's flat buffer: operators, sub-graphs, buffers, each offset checked before it is used.

Source: `schema.fbs` of TensorFlow Lite (version 3) and the FlatBuffers binary format.
"""

from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError, Source

MAGIC = b"TFL3"
MAX_ITEMS = 2_000_000
MAX_NAME = 256
_CUSTOM = 32
_HIGHEST = 256
_CODES, _GRAPHS, _BUFFERS, _METADATA = 1, 2, 4, 6
_GRAPH_OPERATORS = 3
MAX_SLACK = 64
# Field number to the width of a list's items, or to the kind of tables in a list. A text is a list of bytes.
_LAYOUTS: dict[str, dict[int, int | str]] = {
    "Model": {1: "Code", 2: "Graph", 3: 1, 4: "Buffer", 5: 4, 6: "Metadata", 7: "Signature"},
    "Code": {1: 1},
    "Graph": {0: "Tensor", 1: 4, 2: 4, 3: "Operator", 4: 1},
    "Tensor": {0: 4, 3: 1, 4: "Quantization", 7: 4},
    "Quantization": {0: 4, 1: 4, 2: 4, 3: 8},
    "Operator": {1: 4, 2: 4, 5: 1, 7: 1, 8: 4},
    "Buffer": {0: 1},
    "Metadata": {0: 1},
    "Signature": {0: "Binding", 1: "Binding", 2: 1},
    "Binding": {0: 1},
}


def looks_like_tflite(head: bytes) -> bool:
    """Whether the file identifier is TensorFlow Lite's."""
    return head[4:8] == MAGIC


def walk_tflite(source: Source, notes: Notes) -> None:
    """Note every custom operator, and check that every table, list and buffer lies in the file.

    Raises:
        MalformedError: An offset leads out of the file, or there are more items than any real model has.
    """
    flat = _Flat(source)
    model = flat.number(0, 4)
    codes = flat.tables(model, _CODES)
    for index, code in enumerate(codes):
        _operator(flat, code, index, notes)
    for graph in flat.tables(model, _GRAPHS):
        for operator in flat.tables(graph, _GRAPH_OPERATORS):
            if flat.field(operator, 0, 4) >= max(1, len(codes)):
                raise MalformedError("operator", "A step uses an operator that is not listed.")
    end = 0
    for index, buffer in enumerate(flat.tables(model, _BUFFERS)):
        end = max(end, _buffer(flat, buffer, f"buffer/{index}", notes))
    if not flat.tables(model, _GRAPHS):
        raise MalformedError("graph", "It holds no graph.")
    _follow(flat, model, "Model")
    if flat.size - max(end, flat.end) > MAX_SLACK:
        notes.problem("trailing", "There are bytes behind its last table that belong to none.")


def _follow(flat: "_Flat", root: int, kind: str) -> None:
    """Touch every list and text below a table, to know where the flat buffer ends."""
    waiting = [(root, kind)]
    while waiting:
        table, kind = waiting.pop()
        for index, what in _LAYOUTS[kind].items():
            if isinstance(what, int):
                flat.vector(table, index, what)
            elif what in _LAYOUTS and kind == "Tensor":
                waiting.extend((inner, what) for inner in flat.table(table, index))
            else:
                waiting.extend((inner, what) for inner in flat.tables(table, index))


def _operator(flat: "_Flat", code: int, index: int, notes: Notes) -> None:
    builtin = max(flat.field(code, 0, 1), flat.field(code, 3, 4))
    custom = flat.text(code, 1)
    if builtin == _CUSTOM or custom:
        notes.mention("operator", f"tflite.custom:{custom}"[:MAX_NAME], f"operator/{index}")
    elif builtin >= _HIGHEST:
        notes.mention("operator", f"tflite:{builtin}", f"operator/{index}")


def _buffer(flat: "_Flat", buffer: int, place: str, notes: Notes) -> int:
    """End of a buffer that lies behind the flat buffer itself, 0 if it does not."""
    start, size = flat.field(buffer, 1, 8), flat.field(buffer, 2, 8)
    flat.vector(buffer, 0, 1)
    if start > 1 and start + size > flat.size:
        notes.problem("buffer", "A buffer reaches beyond the end of the file.", place)
    return start + size if start > 1 else 0


class _Flat:
    """Bounded access to tables and vectors."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = source.size
        self.end = 0
        self._budget = MAX_ITEMS

    def number(self, at: int, width: int, *, signed: bool = False) -> int:
        body = self._source.read(at, width) if at >= 0 else b""
        if len(body) != width:
            raise MalformedError("offset", "An offset leads out of the file.")
        self.end = max(self.end, at + width)
        return int.from_bytes(body, "little", signed=signed)

    def field(self, table: int, index: int, width: int) -> int:
        """A scalar field, 0 where it is missing."""
        at = self._at(table, index)
        return self.number(at, width) if at else 0

    def text(self, table: int, index: int) -> str:
        at = self._at(table, index)
        if not at:
            return ""
        start = at + self.number(at, 4)
        length = self.number(start, 4)
        return self._source.read(start + 4, min(length, MAX_NAME)).decode("utf-8", "replace")

    def vector(self, table: int, index: int, width: int) -> tuple[int, int]:
        """Start and count of a list, checked against the file."""
        at = self._at(table, index)
        if not at:
            return 0, 0
        start = at + self.number(at, 4)
        count = self.number(start, 4)
        if start + 4 + count * width > self.size:
            raise MalformedError("offset", "A list reaches beyond the end of the file.")
        self.end = max(self.end, start + 4 + count * width)
        return start + 4, count

    def tables(self, table: int, index: int) -> list[int]:
        """Positions of the tables in a list."""
        start, count = self.vector(table, index, 4)
        self._budget -= count
        if self._budget < 0:
            raise MalformedError("budget", f"It holds more than {MAX_ITEMS:,} items.")
        return [start + 4 * item + self.number(start + 4 * item, 4) for item in range(count)]

    def table(self, table: int, index: int) -> list[int]:
        """Position of the table in a field, nothing where it is missing."""
        at = self._at(table, index)
        return [at + self.number(at, 4)] if at else []

    def _at(self, table: int, index: int) -> int:
        layout = table - self.number(table, 4, signed=True)
        size = self.number(layout, 2)
        if size < 4 or size % 2:  # noqa: PLR2004 - its own two sizes
            raise MalformedError("table", "A table's layout is broken.")
        place = 4 + 2 * index
        if place + 2 > size:
            return 0
        offset = self.number(layout + place, 2)
        return table + offset if offset else 0
