"""Walks a Core ML model: custom models and layers, linked models, and pipelines of models; and checks its weight file.

Source: `Model.proto`, `NeuralNetwork.proto` and `MIL.proto` of Core ML, and the blob storage format of coremltools.
"""

import struct

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import Field, fields, shape
from lockgate.detect.source import MalformedError, Source, Window

MAX_NAME = 256
MAX_DEPTH = 24
MAX_BLOBS = 1_000_000
_TOP = {1: 0, 2: 2, 10: 0, **dict.fromkeys(range(200, 4000), 2)}
_PIPELINES, _NETWORKS, _PROGRAM, _CUSTOM, _LINKED = (200, 201, 202), (303, 403, 500), 502, 555, 556
_CUSTOM_LAYER = 500
_BYTES = 2
_SENTINEL = b"\xef\xbe\xad\xde"
_RECORD = struct.Struct("<IIQQ")


def looks_like_coreml(source: Source) -> bool:
    """Whether the outermost fields are a version, a description and one kind of model."""
    found = shape(source, _TOP)
    return {1, 2} <= found and any(number >= 200 for number in found)  # noqa: PLR2004 - the kinds of models


def walk_coreml(source: Source, notes: Notes) -> None:
    """Note custom code as `code` and models that lie elsewhere as `path`.

    Raises:
        MalformedError: It breaks the format.
    """
    waiting: list[tuple[str, Source, int]] = [("model", source, 0)]
    while waiting:
        kind, body, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise MalformedError("depth", "Its models nest too deeply.")
        for field in fields(body):
            inside = Window(body, field.start, field.size)
            waiting.extend((inner, inside, depth + 1) for inner in _inner(kind, field, body, notes))


def _inner(kind: str, field: Field, body: Source, notes: Notes) -> list[str]:
    """What the payload of a field is, where it has to be walked."""
    if kind == "model" and _TOP.get(field.number) != field.wire:
        raise MalformedError("unknown-field", f"It holds a field that the format does not know (Model.{field.number}).")
    if field.wire != _BYTES:
        return []
    if kind == "model":
        return _model(field, body, notes)
    if kind == "layer" and field.number == _CUSTOM_LAYER:
        notes.mention("code", f"a custom layer {_text(Window(body, field.start, field.size), 10)}", "layer")
    if kind == "operation" and field.number == 1:
        name = body.read(field.start, min(field.size, MAX_NAME)).decode("utf-8", "replace")
        if "custom" in name.lower():
            notes.mention("code", f"a custom operation {name}", "operation")
    return [_STEPS[kind, field.number]] if (kind, field.number) in _STEPS else []


_STEPS = {
    ("pipeline-of", 1): "pipeline",
    ("pipeline", 1): "model",
    ("network", 1): "layer",
    ("program", 2): "function-entry",
    ("function-entry", 2): "function",
    ("function", 3): "block-entry",
    ("block-entry", 2): "block",
    ("block", 3): "operation",
    ("operation", 4): "block",
}


def _model(field: Field, body: Source, notes: Notes) -> list[str]:
    if field.number == _CUSTOM:
        notes.mention("code", f"a custom model {_text(Window(body, field.start, field.size), 10)}", "model")
    elif field.number == _LINKED:
        notes.mention("code", "a model that is linked from elsewhere", "model")
    elif field.number in _PIPELINES:
        return ["pipeline" if field.number == _PIPELINES[-1] else "pipeline-of"]
    elif field.number in _NETWORKS:
        return ["network"]
    return ["program"] if field.number == _PROGRAM else []


def _text(source: Source, number: int) -> str:
    for field in fields(source):
        if field.number == number and field.wire == _BYTES:
            return source.read(field.start, min(field.size, MAX_NAME)).decode("utf-8", "replace")
    return ""


def looks_like_blobs(head: bytes) -> bool:
    """Whether the first bytes are the header of a weight file and of its first blob."""
    return head[4:8] == b"\x02\x00\x00\x00" and head[64:68] == _SENTINEL


def walk_blobs(source: Source, notes: Notes) -> None:
    """Check that every blob of a weight file lies behind its record and the last one ends the file.

    Raises:
        MalformedError: It breaks the format.
    """
    (count,) = struct.unpack("<I", source.read(0, 4))
    if count > MAX_BLOBS:
        raise MalformedError("count", f"It claims more than {MAX_BLOBS:,} blobs.")
    at = 64
    for _ in range(count):
        record = source.read(at, _RECORD.size)
        if len(record) < _RECORD.size or record[:4] != _SENTINEL:
            raise MalformedError("blob", "A blob's record is not where the one before it ends.")
        _, _, size, start = _RECORD.unpack(record)
        if start != at + 64 or start + size > source.size:
            raise MalformedError("blob", "A blob does not lie behind its record.")
        at = -(-(start + size) // 64) * 64
    if source.size > at:
        notes.problem("trailing", "There are bytes behind the last blob.")
