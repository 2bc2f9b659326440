"""A file of training rows in JSON Lines, read into facts. A bad row never stops the others."""

import json
from collections.abc import Iterator
from itertools import chain

import msgspec

from lockgate.core import SubjectRef
from lockgate.core.files import Content
from lockgate.data import json_text
from lockgate.data.errors import DataError
from lockgate.data.json_text import Constant, Members, Number
from lockgate.data.passage import Kind, Passage, passages_of

MAX_ROWS = 500_000
MAX_LINE_BYTES = 1 << 20
LEAST_DIGITS = 6
ID = "id"

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a row before its fields are compared with the declared ones.

    Attributes:
        code: Short name, part of a finding's location.
        message: What is wrong, to follow the row's name in a sentence.
    """

    code: str
    message: str


class Field(msgspec.Struct, frozen=True):
    """A member of a row.

    Attributes:
        name: Its name, or `field[n]` when the name cannot be shown.
        value: The text, or what stands for another value in a comparison.
        is_text: Whether it is text.
    """

    name: str
    value: str
    is_text: bool


class Row(msgspec.Struct, frozen=True):
    """A line of the file.

    Attributes:
        key: The row's id where it is unique, short and harmless, else its index, from 0.
        line: Line in the file, 1-based.
        fields: Its members, empty when it is no object.
        faults: What is wrong with it.
        passages: All of its text; the raw line when it cannot be parsed.
    """

    key: str
    line: int
    fields: tuple[Field, ...]
    faults: tuple[Fault, ...]
    passages: tuple[Passage, ...]


class RowFile(msgspec.Struct, frozen=True):
    """A file of training rows.

    Attributes:
        ref: The file.
        declared: The text fields that every row must have; empty when the project declares none.
        rows: Its rows in order.
        faults: What is wrong with the file as a whole.
    """

    ref: SubjectRef
    declared: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]

    @property
    def kind(self) -> Kind:
        """Always rows."""
        return Kind.ROWS

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The text of all rows."""
        return tuple(chain.from_iterable(row.passages for row in self.rows))


def read_rows(content: Content, declared: tuple[str, ...]) -> RowFile:
    """Read a row file: UTF-8, one JSON object a line, lines end with LF or CRLF.

    Args:
        content: The file's bytes.
        declared: Text fields that every row must have.

    Raises:
        DataError: It is UTF-16 or UTF-32, or holds more than 500,000 rows.
    """
    body, uri = content.body, content.ref.uri
    if body.startswith(_WIDE_BOMS):
        raise DataError(f"{uri} is not UTF-8.", remedy="Save it as UTF-8 without a byte order mark.")
    if body.count(b"\n") > MAX_ROWS:
        raise DataError(f"{uri} holds more than {MAX_ROWS:,} rows.", remedy="Split it into several files.")
    faults: list[Fault] = []
    if body.startswith(_BOM):
        faults.append(Fault("bom", "begins with a byte order mark"))
    lines = body.removeprefix(_BOM).split(b"\n")
    if not lines[-1]:
        lines.pop()
    if not lines:
        faults.append(Fault("no-rows", "holds no rows"))
    reader = _Reader(declared)
    return RowFile(
        content.ref, declared, tuple(reader.row(index, line) for index, line in enumerate(lines)), tuple(faults)
    )


class _Reader:
    """Reads the rows of one file, which must not share an id."""

    def __init__(self, declared: tuple[str, ...]) -> None:
        self._declared = frozenset((*declared, ID))
        self._ids: set[str] = set()

    def row(self, index: int, line: bytes) -> Row:
        raw = line.removesuffix(b"\r")
        text, fault = _decoded(raw)
        members: Members | None = None
        if fault is None:
            members, fault = _object(text)
        if members is None:
            faults = (fault,) if fault else ()
            return Row(str(index), index + 1, (), faults, passages_of(f"/{index}", index + 1, text, spread=False))
        key, faults = self._key(index, members)
        faults += _member_faults(members)
        try:
            passages = tuple(self._passages(f"/{key}", index + 1, members))
        except DataError as error:
            faults += (Fault("depth", _tail(error)),)
            passages = passages_of(f"/{key}", index + 1, text, spread=False)
        return Row(key, index + 1, tuple(_fields(members)), faults, passages)

    def _key(self, index: int, members: Members) -> tuple[str, tuple[Fault, ...]]:
        value = next((value for name, value in members if name == ID), None)
        if not isinstance(value, str) or isinstance(value, Number | Constant):
            return str(index), ()
        if value in self._ids:
            return str(index), (Fault("repeated-id", "has the id of an earlier row"),)
        self._ids.add(value)
        # Digits alone could be another row's index, or somebody's number.
        usable = json_text.segment(value) and not value.isdecimal()
        return value if usable else str(index), ()

    def _passages(self, place: str, line: int, members: Members) -> Iterator[Passage]:
        for path, text in json_text.texts(members):
            if not isinstance(text, Number) or _may_identify(text):
                yield from passages_of(f"{place}{path}", line, text, spread=False)
        names = [name for found in json_text.objects(members) for name, _ in found if name not in self._declared]
        if names:
            yield from passages_of(f"{place}#names", line, "\n".join(names), spread=False)


def _decoded(raw: bytes) -> tuple[str, Fault | None]:
    text = raw.decode("utf-8", "replace")
    if not text.strip():
        return "", Fault("empty", "is empty")
    if len(raw) > MAX_LINE_BYTES:
        return text, Fault("length", f"is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        return text, Fault("utf-8", "is not valid UTF-8")


def _object(text: str) -> tuple[Members | None, Fault | None]:
    try:
        value = json_text.parse(text)
    except DataError as error:
        return None, Fault("json", _tail(error))
    if not isinstance(value, Members):
        return None, Fault("object", "is not a JSON object")
    return value, None


def _member_faults(members: Members) -> tuple[Fault, ...]:
    faults: dict[str, Fault] = {}
    try:
        for _, text in json_text.texts(members):
            for fault in _text_faults(text):
                faults[fault.code] = fault
    except DataError:
        return ()
    for found in json_text.objects(members):
        if len({name for name, _ in found}) < len(found):
            faults["repeated-field"] = Fault("repeated-field", "has a field twice")
    return tuple(faults.values())


def _text_faults(text: str) -> Iterator[Fault]:
    if isinstance(text, Constant):
        yield Fault("constant", "holds NaN or Infinity, which JSON does not know")
    if "\x00" in text:
        yield Fault("nul", "holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        yield Fault("surrogate", "holds half of a surrogate pair")


def _fields(members: Members) -> Iterator[Field]:
    for number, (name, value) in enumerate(members):
        shown = json_text.segment(name) or f"field[{number}]"
        if isinstance(value, str) and not isinstance(value, Number | Constant):
            yield Field(shown, value, is_text=True)
        else:
            yield Field(shown, json.dumps(value), is_text=False)


def _may_identify(number: Number) -> bool:
    # Short numbers and fractions fill vectors by the million and identify nobody.
    return len(number) >= LEAST_DIGITS and number.isdecimal()


def _tail(error: DataError) -> str:
    return error.message.removeprefix("It ").removesuffix(".")
