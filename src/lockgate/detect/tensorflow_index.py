"""Checks the index of TensorFlow variables: a sorted table of names, shapes and places, and nothing else.

Source: the table format of LevelDB (footer with two block handles), as TensorFlow's tensor bundle uses it.
"""

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import shape
from lockgate.detect.source import MalformedError, Source

_FOOTER = 48
_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_TRAILER = 5
MAX_FINGERPRINT = 1024
_FINGERPRINT = {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 2, 7: 2}


def looks_like_index(source: Source) -> bool:
    """Whether the last bytes are the footer of such a table."""
    return source.size >= _FOOTER and source.read(source.size - 8, 8) == _MAGIC


def looks_like_fingerprint(source: Source) -> bool:
    """Whether it is the few numbers that TensorFlow writes beside a SavedModel to recognise it."""
    return source.size <= MAX_FINGERPRINT and shape(source, _FINGERPRINT) >= {1, 2, 3}


def walk_fingerprint(_source: Source, _notes: Notes) -> None:
    """Nothing in a fingerprint refers to anything: its fields were all checked when it was recognised."""


def walk_index(source: Source, _notes: Notes) -> None:
    """Check that both blocks of the footer lie in the file and reach up to it.

    Raises:
        MalformedError: They do not.
    """
    footer = source.read(source.size - _FOOTER, _FOOTER - 8)
    numbers: list[int] = []
    value = shift = 0
    for byte in footer:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            numbers.append(value)
            value = shift = 0
    if len(numbers) < 4:  # noqa: PLR2004 - offset and size, twice
        raise MalformedError("footer", "Its footer does not name two blocks.")
    ends = [numbers[0] + numbers[1], numbers[2] + numbers[3]]
    if max(ends) + _TRAILER != source.size - _FOOTER:
        raise MalformedError("footer", "The blocks of its footer do not reach up to it.")
