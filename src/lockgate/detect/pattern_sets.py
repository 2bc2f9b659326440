"""Sets of characters in a pattern, as bit masks over a sample of Unicode that tells them apart."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cache

_PER_CATEGORY = 3
_SAMPLED = range(0x100, 0x3100)
_MORE = (0x4E00, 0xAC00, 0x10400, 0x1F600)
_LAST = 0x10FFFF
_CATEGORIES = frozenset({*"LMNPSZ", "Lo", "Lm", "Mn", "Mc", "Me", "Nd", "Zs"})
_CASED = frozenset({"Lu", "Ll", "Lt"})
_SPACES = frozenset("\t\n\v\f\r\x85")
_HEX = frozenset("0123456789abcdefABCDEF")
_CLASSES: dict[str, Callable[[str], bool]] = {
    "w": lambda sign: unicodedata.category(sign)[0] in "LMN" or unicodedata.category(sign) == "Pc",
    "s": lambda sign: sign in _SPACES or unicodedata.category(sign)[0] == "Z",
    "d": lambda sign: unicodedata.category(sign) == "Nd",
    "h": lambda sign: sign in _HEX,
}


@cache
def _sample() -> frozenset[int]:
    """ASCII, Latin-1, and a few characters of every category."""
    found: dict[str, list[int]] = {}
    for point in _SAMPLED:
        some = found.setdefault(unicodedata.category(chr(point)), [])
        if len(some) < _PER_CATEGORY:
            some.append(point)
    return frozenset({*range(0x100), *_MORE, *(point for some in found.values() for point in some)})


class Alphabet:
    """The sample, with the characters of one pattern and their neighbours in it.

    Two ranges that overlap share the start of one of them, so every overlap of ranges is seen. A set whose name is
    not known here counts as everything, and so does its opposite.
    """

    def __init__(self, points: Iterable[int], *, folded: bool) -> None:
        """Take the sample and the points of a pattern.

        Args:
            points: Code points that the pattern names.
            folded: Upper and lower case are one.
        """
        named = {near for point in points for near in (point - 1, point, point + 1) if 0 <= near <= _LAST}
        if folded:
            named |= {ord(other) for point in named for other in _cases(point)}
        self._points = sorted(_sample() | named)
        self._index = {point: number for number, point in enumerate(self._points)}
        self._folded = folded
        self._named: dict[str, int] = {}
        self.everything = (1 << len(self._points)) - 1
        # One bit beyond the alphabet: it survives unions, and `without` sees it.
        self.unknown = self.everything | 1 << len(self._points)

    def one(self, point: int) -> int:
        """The set of one character."""
        others = _cases(point) if self._folded and point <= _LAST else ()
        mask = 0
        for each in (point, *map(ord, others)):
            mask |= 1 << self._index[each] if each in self._index else 0
        return mask or self.unknown

    def range(self, low: int, high: int) -> int:
        """The set of a range; a turned one counts as everything."""
        if low > high or self._folded:
            return self.unknown if low > high else self._fold(self._plain(low, high))
        return self._plain(low, high)

    def _plain(self, low: int, high: int) -> int:
        return (1 << bisect_right(self._points, high)) - (1 << bisect_left(self._points, low))

    def _fold(self, mask: int) -> int:
        letters = [self._points[at] for at in range(len(self._points)) if mask >> at & 1 and self._points[at] < 0x80]  # noqa: PLR2004 - ASCII
        for point in letters:
            mask |= self.one(point)
        return mask

    def named(self, name: str) -> int:
        """The set of a property or of an escape such as `s`."""
        if name not in self._named:
            self._named[name] = self._of(name)
        return self._named[name]

    def _of(self, name: str) -> int:
        if name in _CLASSES:
            belongs = _CLASSES[name]
        elif name in _CATEGORIES or (name in _CASED and not self._folded):
            belongs = _category(name)
        else:
            return self.unknown
        return sum(1 << at for at, point in enumerate(self._points) if belongs(chr(point)))

    def without(self, mask: int) -> int:
        """All that is not in a set."""
        return self.unknown if mask > self.everything else self.everything & ~mask


def _category(name: str) -> Callable[[str], bool]:
    return lambda sign: unicodedata.category(sign).startswith(name)


def _cases(point: int) -> tuple[str, ...]:
    sign = chr(point)
    return tuple(other for other in (sign.lower(), sign.upper()) if len(other) == 1)
