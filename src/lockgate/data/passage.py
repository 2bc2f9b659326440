"""A stretch of text with the place that it has in its file."""

from enum import StrEnum
from typing import Protocol

import msgspec

from lockgate.core import SubjectRef

CHUNK_CHARS = 1 << 18
OVERLAP_CHARS = 1 << 13


class Kind(StrEnum):
    """What a text is for."""

    ROWS = "rows"
    DOCUMENT = "document"
    PROMPT = "prompt"


class Passage(msgspec.Struct, frozen=True):
    """A stretch of text.

    Attributes:
        path: Structural place in the file, empty for the file itself.
        line: Line on which it begins, 1-based.
        spread: Whether its own line breaks are lines of the file, so that an offset tells a line.
        text: Unicode text without lone surrogates.
    """

    path: str
    line: int
    spread: bool
    text: str


class TextSubject(Protocol):
    """A file of text, whatever its format."""

    @property
    def ref(self) -> SubjectRef:
        """The file."""
        ...

    @property
    def kind(self) -> Kind:
        """What it is for."""
        ...

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All of its text."""
        ...


def passages_of(path: str, line: int, text: str, *, spread: bool) -> tuple[Passage, ...]:
    """Cut a text into passages of bounded size that overlap, so that what a detector finds is whole in one of them.

    Lone surrogates are replaced; NUL characters are dropped, because they would hide words from every detector.
    """
    clean = text.encode("utf-8", "replace").decode().replace("\x00", "")
    if len(clean) <= CHUNK_CHARS:
        return (Passage(path, line, spread, clean),)
    made: list[Passage] = []
    step = CHUNK_CHARS - OVERLAP_CHARS
    for start in range(0, len(clean), step):
        made.append(Passage(path, line, spread, clean[start : start + CHUNK_CHARS]))
        line += clean.count("\n", start, start + step) if spread else 0
    return tuple(made)
