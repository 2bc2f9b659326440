# ruff: noqa: E501 - one pattern
"""Undoes the ways in which a long value is written over several lines or strings."""

from bisect import bisect_right

from lockgate.detect.linear import pattern

# Shell, C and Make end the line with a backslash, quoted-printable (RFC 2045) with an equals sign; code adds strings.
_JOIN = pattern(
    r"[A-Za-z0-9_+/.=-]{6}(\\\r?\n[ \t]{0,40}|=\r?\n|[\"']\s{0,40}[+.&]\s{0,40}[bruf]?[\"']|[\"'][ \t]{0,4}\\?\r?\n\s{0,40}[bruf]?[\"'])"
)
_SIGNS = (b'"', b"'", b"=", b"\\")
"""One of these stands in every join."""
_PERCENT = b"%"
_PAIRS = frozenset(f"{byte:02{case}}".encode() for byte in range(0x20, 0x7F) for case in "xX")
_ESCAPE = len(b"%2F")


class Joined:
    """A text without its joins, with the way back.

    Attributes:
        data: The text.
    """

    def __init__(self, data: bytes, joins: list[tuple[int, int]]) -> None:
        kept: list[bytes] = []
        # Where each stretch begins, here and in the text as it was.
        self._here = [0]
        self._there = [0]
        length = position = 0
        for start, end in joins:
            instead = bytes((int(data[start + 1 : end], 16),)) if data[start : start + 1] == _PERCENT else b""
            kept += (data[position:start], instead)
            length += start - position
            if instead:
                self._here.append(length)
                self._there.append(start)
                length += 1
            self._here.append(length)
            self._there.append(end)
            position = end
        kept.append(data[position:])
        self.data = b"".join(kept)

    def original(self, start: int, end: int) -> tuple[int, int] | None:
        """The span in the text as it was, None where no join lies inside."""
        first, last = bisect_right(self._here, start) - 1, bisect_right(self._here, end - 1) - 1
        if first == last:
            return None
        replaced = (
            last + 1 < len(self._here) and self._here[last + 1] - self._here[last] == 1 and end == self._here[last + 1]
        )
        stop = self._there[last + 1] if replaced else self._there[last] + end - self._here[last]
        return self._there[first] + start - self._here[first], stop


def joined(data: bytes) -> Joined | None:
    """`data` with lines and strings put together and percent escapes undone, None where there was nothing to do."""
    joins = [match.span(1) for match in _JOIN.finditer(data)] if any(sign in data for sign in _SIGNS) else []
    place = data.find(_PERCENT)
    while place >= 0:
        if data[place + 1 : place + _ESCAPE] in _PAIRS:
            joins.append((place, place + _ESCAPE))
        place = data.find(_PERCENT, place + 1)
    return Joined(data, sorted(joins)) if joins else None
