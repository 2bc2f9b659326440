"""What every decoder takes and gives."""

from collections.abc import Callable, Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import TypeAlias

import msgspec

from lockgate.detect.linear import SUBSTITUTE, project

MAX_PIECES = 32
"""Pieces of one decoder that are judged apart; what follows is judged as one."""

_DIGITS = b"0123456789"
_PLAIN = ascii_lowercase.encode() + b" \n\t.,'\"-()!?"


class Page(msgspec.Struct, frozen=True):
    """A text to be searched.

    Attributes:
        text: The text.
        data: Its projection, one byte a code point.
        lower: The same in lower case.
        digits: How many digits it has.
        capitals: How many ASCII capitals.
        signs: How many marks that are rare in prose: not full stop, comma, quotes, hyphen, brackets, `!` and `?`.
        wide: How many characters that are not ASCII.
    """

    text: str
    data: bytes
    lower: bytes
    digits: int
    capitals: int
    signs: int
    wide: int


class Piece(msgspec.Struct, frozen=True):
    """What one stretch of a page says.

    Attributes:
        text: What it says.
        start: Offset of the stretch.
        end: Offset behind it.
        encoding: How it was written.
    """

    text: str
    start: int
    end: int
    encoding: str


Decoder: TypeAlias = Callable[[Page], Iterator[Piece]]
"""Finds what is written in one way, or in a few that are recognised together; takes time linear in the page."""


def page_of(text: str) -> Page:
    """The page of a text."""
    data = project(text)
    odd = data.translate(None, _PLAIN)
    marks = odd.translate(None, _DIGITS)
    signs = marks.translate(None, SUBSTITUTE + ascii_uppercase.encode())
    wide = marks.count(SUBSTITUTE)
    return Page(
        text,
        data,
        data.lower(),
        digits=len(odd) - len(marks),
        capitals=len(marks) - len(signs) - wide,
        signs=len(signs),
        wide=wide,
    )
