"""Checks the event files that TensorBoard shows: a sequence of records with summaries of a training run.

Source: the record format of TensorFlow (length, its checksum, content, its checksum) and `event.proto`. Checksums are
passed over: a reader that finds them wrong refuses the file. Nothing loads what an event holds.
"""

import struct

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import shape
from lockgate.detect.source import MalformedError, Source, Window

MAX_RECORDS = 5_000_000
_HEAD, _TAIL = struct.Struct("<Q4x"), 4
_VERSION = b"brain.Event:"
_EVENT = {1: 1, 2: 0, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 2}
"""The fields of an event with their wire types; the first is its time."""


def looks_like_events(head: bytes) -> bool:
    """Whether the first record is the one that states the version, with which every such file begins."""
    return head[4:8] == bytes(4) and _VERSION in head[12:64]


def walk_events(source: Source, _notes: Notes) -> None:
    """Check that the file is events from its first byte to its last.

    Raises:
        MalformedError: It is not.
    """
    at = 0
    for _ in range(MAX_RECORDS):
        if at == source.size:
            return
        head = source.read(at, _HEAD.size)
        if len(head) != _HEAD.size:
            break
        (size,) = _HEAD.unpack(head)
        if size + _TAIL > source.size - at - _HEAD.size:
            break
        if 1 not in shape(Window(source, at + _HEAD.size, size), _EVENT):
            raise MalformedError("record", "A record in it is no event.")
        at += _HEAD.size + size + _TAIL
    else:
        raise MalformedError("budget", f"It holds more than {MAX_RECORDS:,} records.")
    raise MalformedError("truncated", "Its last record ends too early.")
