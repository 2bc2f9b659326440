"""Linear-time matching on text of any content.

Patterns run on a projection that has one byte for each code point, so a match's offsets are offsets into the text. RE2
itself works on UTF-8, where every pattern would pay for encoding and for mapping offsets back, and a lone surrogate
could not be encoded at all.
"""

from collections.abc import Iterator
from typing import Protocol, cast

import re2

SUBSTITUTE = b"\x1a"


class Match(Protocol):
    """One match; offsets count code points of the projected text."""

    def group(self, group: int = 0) -> bytes | None:
        """The bytes of a group, None where it took no part."""
        ...

    def start(self, group: int = 0) -> int:
        """Offset of a group's first byte."""
        ...

    def end(self, group: int = 0) -> int:
        """Offset behind a group's last byte."""
        ...

    def span(self, group: int = 0) -> tuple[int, int]:
        """Both offsets."""
        ...


class Pattern(Protocol):
    """A compiled pattern that takes time linear in the text, whatever the text."""

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        ...

    def search(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The leftmost match in `text[pos:endpos]`."""
        ...

    def match(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The match that starts at `pos`."""
        ...

    def finditer(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Iterator[Match]:
        """All matches that do not overlap, from left to right."""
        ...


# Encoded as Latin-1, what is wider becomes a question mark, so question marks change places with a control character.
_MARK, _HELD, _BESIDE = "?", "\x80", "\x81"
_PROJECTED = bytes(range(128)).replace(_MARK.encode(), SUBSTITUTE) + _MARK.encode() + SUBSTITUTE * 127


def project(text: str) -> bytes:
    """`text` as ASCII, one byte a code point; every other code point becomes SUBSTITUTE (0x1A)."""
    if text.isascii():
        return text.encode("ascii")
    return text.replace(_HELD, _BESIDE).replace(_MARK, _HELD).encode("latin-1", "replace").translate(_PROJECTED)


def pattern(source: str) -> Pattern:
    """An ASCII pattern in RE2's syntax for use on a projection; compiled when it is first used.

    A text meets few of the hundreds of patterns, and all of them together take a third of a second to compile.
    """
    return cast("Pattern", _Pattern(source))


class _Pattern:
    """Becomes the compiled pattern, attribute by attribute, when the first one is asked for."""

    __slots__ = ("finditer", "groups", "match", "search", "source")

    def __init__(self, source: str) -> None:
        self.source = source

    def __getattr__(self, name: str) -> object:
        # Called only while a slot is empty; two threads that come here at once fill it with the same thing.
        compiled = re2.compile(self.source.encode("ascii"))
        self.groups: int = compiled.groups
        self.finditer = compiled.finditer
        self.match = compiled.match
        self.search = compiled.search
        return getattr(compiled, name)
