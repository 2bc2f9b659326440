"""Reads what the headers of GGUF and safetensors files say about a model. Weights are never read.

Sources: the GGUF description of the ggml project, the safetensors format description. The supply checks judge whether a
header is well formed; here one that is not simply says nothing.
"""

import json
import struct
from collections import Counter
from math import prod
from typing import BinaryIO, cast

from lockgate.detect.gguf import BLOCKS, MAGIC, MAX_ARRAY, MAX_KEYS, MAX_TENSORS
from lockgate.detect.source import Cursor, MalformedError
from lockgate.supply.bom.card import ModelCard

MAX_HEADER = 32 << 20
MAX_TEXT = 4_096
MAX_DIMENSIONS = 8
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_BASE = "general.base_model."
TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
"""Names of ggml's tensor types by number."""


class FileSource:
    """An open file as a source of bytes."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        self._stream.seek(offset)
        return self._stream.read(length)


def read_weights(stream: BinaryIO, size: int) -> ModelCard:
    """What the header of a weights file says; an empty card for every other kind of file."""
    source = FileSource(stream, size)
    head = source.read(0, 9)
    try:
        if head[:4] == MAGIC:
            return _gguf(Cursor(source, 4))
        if len(head) == 9 and head[8:] == b"{" and _U64.unpack(head[:8])[0] <= min(MAX_HEADER, size - 8):  # noqa: PLR2004 - length and brace
            return _safetensors(source.read(8, _U64.unpack(head[:8])[0]))
    except (MalformedError, ValueError, RecursionError):
        return ModelCard()
    return ModelCard()


def _gguf(cursor: Cursor) -> ModelCard:
    cursor.skip(4)
    tensors, keys = cursor.number(_U64), cursor.number(_U64)
    if tensors > MAX_TENSORS or keys > MAX_KEYS:
        raise MalformedError("count", "It claims more than any real model has.")
    said: dict[str, str] = {}
    for _ in range(keys):
        key, kind = _text(cursor), cursor.number(_U32)
        if kind == _STRING and key.startswith("general."):
            said[key] = _text(cursor)
        else:
            _skip(cursor, kind)
    weights: Counter[str] = Counter()
    for _ in range(tensors):
        _text(cursor)
        dimensions = cursor.number(_U32)
        if not 0 < dimensions <= MAX_DIMENSIONS:
            raise MalformedError("dimensions", "A tensor has too many dimensions.")
        count = prod(cursor.number(_U64) for _ in range(dimensions))
        kind = cursor.number(_U32)
        weights[TYPES.get(kind, f"type {kind}" if kind in BLOCKS else "unknown")] += count
        cursor.skip(8)
    base = [said[key] for key in sorted(said) if key.startswith(_BASE) and key.endswith((".repo_url", ".name"))]
    return ModelCard(
        name=said.get("general.name", ""),
        architecture=said.get("general.architecture", ""),
        licence=said.get("general.license", ""),
        quantisation=weights.most_common(1)[0][0] if weights else "",
        parameters=weights.total(),
        base=tuple(dict.fromkeys(base)),
    )


def _text(cursor: Cursor) -> str:
    length = cursor.number(_U64)
    if length > MAX_HEADER:
        raise MalformedError("length", "A text is too long.")
    text = cursor.take(min(length, MAX_TEXT)).decode("utf-8", "replace")
    cursor.skip(max(0, length - MAX_TEXT))
    return text


def _skip(cursor: Cursor, kind: int, depth: int = 0) -> None:
    if kind in _SIZES:
        cursor.skip(_SIZES[kind])
    elif kind == _STRING:
        cursor.skip(cursor.number(_U64))
    elif kind == _ARRAY and depth < 2:  # noqa: PLR2004 - deeper nesting occurs in no real model
        inner, count = cursor.number(_U32), cursor.number(_U64)
        if count > MAX_ARRAY:
            raise MalformedError("count", "An array is too long.")
        if inner in _SIZES:
            cursor.skip(count * _SIZES[inner])
        else:
            for _ in range(count):
                _skip(cursor, inner, depth + 1)
    else:
        raise MalformedError("type", "A value has an unknown type.")


def _safetensors(header: bytes) -> ModelCard:
    found: object = json.loads(header)
    if not isinstance(found, dict):
        raise MalformedError("json", "The header is no mapping.")
    entries = cast("dict[str, object]", found)
    weights: Counter[str] = Counter()
    for name, entry in entries.items():
        if name != "__metadata__" and isinstance(entry, dict):
            shape, dtype = cast("dict[str, object]", entry).get("shape"), cast("dict[str, object]", entry).get("dtype")
            if isinstance(shape, list) and isinstance(dtype, str):
                counts = [count for count in cast("list[object]", shape) if isinstance(count, int)]
                weights[dtype] += prod(counts)
    return ModelCard(quantisation=weights.most_common(1)[0][0] if weights else "", parameters=weights.total())
