"""Reads the header of a NumPy array file (.npy, versions 1 to 3) and finds the pickle that an object array holds.

Source: NEP 1 and the `numpy.lib.format` description.
"""

import ast
import struct
import warnings
from collections.abc import Sequence
from typing import cast

import msgspec

from lockgate.detect.source import Cursor, MalformedError, Source

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
_KEYS = frozenset({"descr", "fortran_order", "shape"})
_UTF8_VERSION = 3
_SIZE_LAYOUTS = {1: struct.Struct("<H"), 2: struct.Struct("<I"), 3: struct.Struct("<I")}


class NpyFacts(msgspec.Struct, frozen=True):
    """What an array file's header says.

    Attributes:
        start: Offset of the data.
        item_size: Bytes of one element; 0 for objects, whose data is a pickle.
        count: How many elements there are.
    """

    start: int
    item_size: int
    count: int


def read_npy(source: Source) -> NpyFacts:
    """Read the header of an array file and compare its size with the file's.

    Raises:
        MalformedError: The header breaks the format or does not match the number of bytes behind it.
    """
    cursor = Cursor(source)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise MalformedError("magic", "It does not begin with NumPy's magic bytes.")
    version = cursor.byte()
    layout = _SIZE_LAYOUTS.get(version)
    if layout is None or cursor.byte() != 0:
        raise MalformedError("version", "Its version is none that this reader knows (1.0, 2.0 and 3.0).")
    length = cursor.number(layout)
    if length > MAX_HEADER:
        raise MalformedError("header-size", f"The array's header is longer than {MAX_HEADER:,} bytes.")
    header = cursor.take(length)
    facts = _facts(header, "utf-8" if version == _UTF8_VERSION else "latin-1", cursor.position)
    if facts.item_size and source.size != facts.start + facts.item_size * facts.count:
        raise MalformedError("size", "The array's shape and type do not match the number of bytes.")
    return facts


def item_size(code: str) -> int | None:
    """Bytes of one element of the type `code`, for instance `<f8`; 0 for objects, None where it is not a plain type."""
    plain = code[1:] if code[:1] in {"<", ">", "|", "="} else code
    kind, digits = plain[:1], plain[1:].partition("[")[0]
    if kind == "O" and digits in {"", "8", "4"}:
        return 0
    if not kind or kind not in "biufcSUVmM" or not digits.isascii() or not digits.isdigit() or len(digits) > 9:  # noqa: PLR2004 - fits 32 bits
        return None
    return int(digits) * (4 if kind == "U" else 1) or None


def _facts(header: bytes, coding: str, start: int) -> NpyFacts:
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            parsed: object = ast.literal_eval(header.decode(coding).strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise _bad_header() from error
    if not isinstance(parsed, dict):
        raise _bad_header()
    fields = cast("dict[object, object]", parsed)
    if fields.keys() != _KEYS or not isinstance(fields["fortran_order"], bool):
        raise _bad_header()
    count = 1
    for extent in _shape(fields["shape"]):
        count *= extent
        if count >= 1 << 63:
            raise MalformedError("size", "The array's size does not fit 63 bits.")
    return NpyFacts(start, _description_size(fields["descr"]), count)


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise _bad_header()
    extents = cast("tuple[object, ...]", value)
    counts = tuple(extent for extent in extents if type(extent) is int and extent >= 0)
    if len(counts) != len(extents):
        raise _bad_header()
    return counts


def _description_size(description: object) -> int:
    if isinstance(description, str):
        size = item_size(description)
        if size is None:
            raise MalformedError("dtype", "The array's type is none that this reader knows.")
        return size
    if not isinstance(description, list):
        raise _bad_header()
    return _record_size(cast("list[object]", description))


def _record_size(fields: Sequence[object]) -> int:
    """A record with an object in it is a pickle as a whole, hence 0."""
    total = 0
    for entry in fields:
        parts = list(cast("tuple[object, ...]", entry)) if isinstance(entry, tuple) else []
        if len(parts) not in {2, 3}:
            raise _bad_header()
        size = _description_size(parts[1])
        for extent in _shape(*parts[2:]) if parts[2:] else ():
            size *= extent
        if size == 0:
            return 0
        total += size
    return total


def _bad_header() -> MalformedError:
    return MalformedError("header", "The array's header is not the mapping that the format asks for.")
