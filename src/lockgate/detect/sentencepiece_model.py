"""Walks a SentencePiece tokenizer model: data only, so every field must be one that the format knows.

Source: `sentencepiece_model.proto` of the SentencePiece project.
"""

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import Message, Table, fields, shape, walk
from lockgate.detect.source import MalformedError, Source, Window

_TOP = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2}
_PIECE = {1: 2, 2: 5, 3: 0}
TABLE: Table = {
    "Model": {1: "Piece", 2: "bytes", 3: "bytes", 4: "bytes", 5: "bytes"},
    "Piece": {1: "text", 2: "float", 3: "number"},
}


def looks_like_sentencepiece(source: Source) -> bool:
    """Whether it begins with a piece: a text and a score."""
    if 1 not in shape(source, _TOP):
        return False
    try:
        first = next(fields(source))
    except (MalformedError, StopIteration):
        return False
    found = shape(Window(source, first.start, first.size), _PIECE)
    return first.number == 1 and 1 in found and bool(found & {2, 3})


def walk_sentencepiece(source: Source, notes: Notes) -> None:
    """Check that nothing but pieces and settings is in it.

    Raises:
        MalformedError: It breaks the format.
    """

    def visit(_message: Message, _notes: Notes) -> None:
        """Nothing in a tokenizer model refers to anything."""

    walk(source, notes, TABLE, "Model", visit)
