"""Reads the header of a safetensors file and says where it breaks the format.

Source: the format description and the reference reader of the safetensors project. Tensor bytes are never read.
"""

import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import msgspec

from lockgate.detect.source import MAX_PROBLEMS, FormatProblem, MalformedError, Source

MAX_HEADER = 32 << 20
MAX_TENSORS = 200_000
BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
_LENGTH = struct.Struct("<Q")
_ENTRY = {"dtype", "shape", "data_offsets"}


class SafetensorsFacts(msgspec.Struct, frozen=True):
    """What a safetensors header says.

    Attributes:
        member: Path inside the archive that holds the file; empty for a file of its own.
        tensors: How many tensors it lists.
        problems: How it breaks the format.
    """

    member: str
    tensors: int
    problems: tuple[FormatProblem, ...]


class _Tensor(msgspec.Struct, frozen=True, order=True):
    begin: int
    end: int
    name: str


def looks_like_safetensors(head: bytes, size: int) -> bool:
    """Whether the first bytes announce a header: a length that fits the file, then an opening brace."""
    return len(head) > _LENGTH.size and head[8:9] == b"{" and _LENGTH.unpack(head[:8])[0] <= size - 8


def read_safetensors(source: Source, *, member: str = "") -> SafetensorsFacts:
    """Read the header of a safetensors file.

    Args:
        source: The whole file.
        member: Its path inside an archive, for the facts.

    Returns:
        Facts, whatever the bytes are: what breaks the format is in `problems`.
    """
    try:
        data_size, header = _header(source)
        names = [name for name, _ in header]
        problems = [*_duplicates(names), *_metadata(header)]
        tensors: list[_Tensor] = []
        for name, entry in header:
            if name == "__metadata__":
                continue
            tensor = _tensor(name, entry)
            if isinstance(tensor, FormatProblem):
                problems.append(tensor)
            else:
                tensors.append(tensor)
        problems += _layout(tensors, data_size)
    except MalformedError as error:
        return SafetensorsFacts(member, 0, (FormatProblem(error.code, error.message),))
    return SafetensorsFacts(member, len(tensors), tuple(problems[:MAX_PROBLEMS]))


def _header(source: Source) -> tuple[int, list[tuple[str, object]]]:
    prefix = source.read(0, _LENGTH.size)
    if len(prefix) < _LENGTH.size:
        raise MalformedError("truncated", "It is too short to hold a header.")
    (length,) = _LENGTH.unpack(prefix)
    if length > source.size - _LENGTH.size:
        raise MalformedError("header-size", "The header claims to be longer than the file.")
    if length > MAX_HEADER:
        raise MalformedError("header-size", f"The header is longer than {MAX_HEADER:,} bytes.")
    return source.size - _LENGTH.size - length, _parse(source.read(_LENGTH.size, length))


def _parse(body: bytes) -> list[tuple[str, object]]:
    if not body.startswith(b"{"):
        raise _bad_json()
    try:
        parsed = json.loads(body.decode("utf-8"), object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _bad_json() from error
    if not isinstance(parsed, _Pairs):
        raise _bad_json()
    if len(parsed) > MAX_TENSORS:
        raise MalformedError("tensor-count", f"The header lists more than {MAX_TENSORS:,} tensors.")
    return parsed


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its duplicate keys still visible."""


def _no_constant(_name: str) -> float:
    raise ValueError("not a JSON number")


def _duplicates(names: list[str]) -> Iterator[FormatProblem]:
    if len(set(names)) != len(names):
        yield FormatProblem("duplicate-key", "The header lists the same name twice, so two readers can disagree.")


def _metadata(header: list[tuple[str, object]]) -> Iterator[FormatProblem]:
    for name, value in header:
        if name != "__metadata__":
            continue
        if not isinstance(value, _Pairs) or not all(isinstance(text, str) for _, text in value):
            yield FormatProblem("metadata", "The metadata is not a mapping of text to text.", "__metadata__")
        else:
            yield from _duplicates([key for key, _ in value])


def _tensor(name: str, entry: object) -> _Tensor | FormatProblem:
    place = f"tensor/{name[:128]}"
    if not isinstance(entry, _Pairs) or len(entry) != len(_ENTRY) or {key for key, _ in entry} != _ENTRY:
        return FormatProblem("entry", "A tensor does not have exactly a dtype, a shape and data offsets.", place)
    fields = dict(entry)
    shape, offsets = _counts(fields["shape"]), _counts(fields["data_offsets"])
    bits = BITS.get(dtype) if isinstance(dtype := fields["dtype"], str) else None
    if bits is None:
        return FormatProblem("dtype", "A tensor has a data type that the format does not know.", place)
    if shape is None or offsets is None or len(offsets) != 2:  # noqa: PLR2004 - begin and end
        return FormatProblem("entry", "A tensor's shape or data offsets are not lists of whole numbers.", place)
    total = bits
    for count in shape:
        total *= count
        if total >= 1 << 64:
            return FormatProblem("size", "A tensor's size does not fit 64 bits.", place)
    begin, end = offsets
    if total % 8 or end - begin != total // 8:
        return FormatProblem("size", "A tensor's offsets do not match its shape and data type.", place)
    return _Tensor(begin, end, name)


def _counts(value: object) -> list[int] | None:
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    numbers = [item for item in items if type(item) is int and 0 <= item < 1 << 63]
    return numbers if len(numbers) == len(items) else None


def _layout(tensors: list[_Tensor], data_size: int) -> Iterator[FormatProblem]:
    at = 0
    for tensor in sorted(tensors):
        place = f"tensor/{tensor.name[:128]}"
        if tensor.begin < at:
            yield FormatProblem("overlap", "A tensor overlaps the one before it.", place)
        elif tensor.begin > at:
            yield FormatProblem("hole", "There are bytes before a tensor that belong to no tensor.", place)
        at = max(at, tensor.end)
    if at > data_size:
        yield FormatProblem("size", "The tensors need more bytes than the file has.")
    elif at < data_size:
        yield FormatProblem("hole", "There are bytes at the end that belong to no tensor.")
    if any(one.begin > two.begin for one, two in pairwise(tensors)):
        yield FormatProblem("unsorted", "The header does not list the tensors in the order of their bytes.")


def _bad_json() -> MalformedError:
    return MalformedError("json", "The header is not the JSON that the format asks for.")
