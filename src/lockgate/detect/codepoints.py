"""Looks code points up in tables, a whole text at once, which takes a tenth of the time.

A table learns a code point when it first meets it, so that nothing is computed for the ten thousands that never come.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.detect.confusables import CONFUSABLE, SAME, STYLED
from lockgate.detect.invisible import HIDDEN, MARKS

Codes: TypeAlias = NDArray[np.uint32]

# Code points that tables hold: living scripts, emoji, letters of mathematics. Behind them lie rare ideographs and tags.
_LISTED = 0x20000
_UNKNOWN = 0
_SEVERAL = 0x110000
_NUL = "\x00"


class CodePoints:
    """A number for each code point. Thread-safe: two threads that learn the same one learn the same of it.

    Args:
        number: Gives the number of a character, 1 at least.
        dtype: Holds it: `uint16` or `uint32`.
    """

    def __init__(self, number: Callable[[str], int], dtype: Literal["uint16", "uint32"]) -> None:
        self._number = number
        self._table: NDArray[np.uint32] = np.zeros(_LISTED, dtype=dtype)

    def of(self, codes: Codes) -> NDArray[np.uint32]:
        """The number of each code point."""
        if codes.max(initial=0) >= _LISTED:
            return self._of_any(codes)
        found = self._table.take(codes)
        if not found.all():
            for code in set(codes[found == _UNKNOWN].tolist()):
                self._table[code] = self._number(chr(code))
            found = self._table.take(codes)
        return found

    def _of_any(self, codes: Codes) -> NDArray[np.uint32]:
        """As `of`, also for code points that no table holds; each of those is looked at once."""
        far = codes >= _LISTED
        found = self.of(np.where(far, 0, codes))
        distinct, places = np.unique(codes[far], return_inverse=True)
        numbers = [self._number(chr(code)) for code in distinct.tolist()]
        found[far] = np.array(numbers, dtype=found.dtype)[places]
        return found


def codes_of(text: str) -> Codes:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def text_of(codes: Codes) -> str:
    """The text of code points."""
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


class Folds:
    """Replaces every character of a text by what a function gives for it.

    Args:
        fold: Gives no, one or a few characters for one.
    """

    def __init__(self, fold: Callable[[str], str]) -> None:
        self._fold = fold
        self._one = CodePoints(self._code, "uint32")

    def apply(self, text: str) -> tuple[str, Sequence[int]]:
        """The folded text, and for each of its characters the offset of its origin, plus the length of `text`.

        The offsets are a `range` where every character became one.
        """
        codes = self._one.of(codes_of(text))
        several = (codes == _SEVERAL).nonzero()[0]
        if not several.size:
            return text_of(codes), range(len(text) + 1)
        codes[several] = 0
        parts = list(text_of(codes))
        for place in several.tolist():
            parts[place] = self._fold(text[place])
        sizes = np.fromiter(map(len, parts), dtype=np.intp, count=len(parts))
        offsets: list[int] = np.arange(len(parts)).repeat(sizes).tolist()
        return "".join(parts), [*offsets, len(text)]

    def _code(self, character: str) -> int:
        folded = self._fold(character)
        return ord(folded) if len(folded) == 1 and folded != _NUL else _SEVERAL


class Traits(msgspec.Struct, frozen=True):
    """What a text holds that is not what it looks like.

    Attributes:
        hidden: Characters that a reader does not see.
        marked: Marks that may stand on any letter.
        styled: Letters in a style of their own.
        imitating: A word with a look-alike of a Latin letter beside one, or with nothing but characters of the same
            shape. The latter does not count where the text has letters of another script that could not pass for a
            Latin one.
    """

    hidden: bool
    marked: bool
    styled: bool
    imitating: bool


_KNOWN, _IN_WORD, _LATIN, _LOOKALIKE, _SAME_SHAPE, _OTHER, _HIDDEN, _MARK, _STYLED = (1 << bit for bit in range(9))
_IMITATION = _LATIN | _LOOKALIKE


def traits_of(text: str) -> Traits:
    """Look for all of them at once."""
    kinds = _KINDS.of(codes_of(text))
    every = int(np.bitwise_or.reduce(kinds, initial=0))
    imitating = every & _IMITATION == _IMITATION and _holds_imitations(kinds, mixed=bool(every & _OTHER))
    return Traits(bool(every & _HIDDEN), bool(every & _MARK), bool(every & _STYLED), imitating)


def _holds_imitations(kinds: Codes, *, mixed: bool) -> bool:
    inside = np.zeros(kinds.size + 2, dtype=bool)
    np.not_equal(kinds & _IN_WORD, 0, out=inside[1:-1])
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    # Every other run is what stands between words.
    held = np.bitwise_or.reduceat(kinds, edges[:-1])[::2]
    if ((held & _IMITATION) == _IMITATION).any():
        return True
    if mixed:
        return False
    shared = np.bitwise_and.reduceat(kinds, edges[:-1])[::2]
    return bool((shared & _SAME_SHAPE).any())


def _kinds(character: str) -> int:
    code = ord(character)
    letter = character.isalpha()
    traits = (
        (_KNOWN, True),
        (_IN_WORD, character.isalnum() or code in CONFUSABLE),
        (_LATIN, letter and character.isascii()),
        (_LOOKALIKE, code in CONFUSABLE),
        (_SAME_SHAPE, code in SAME),
        (_OTHER, letter and code not in SAME and not unicodedata.name(character, "").startswith("LATIN")),
        (_HIDDEN, character in HIDDEN),
        (_MARK, any(first <= code <= last for first, last in MARKS)),
        (_STYLED, code in STYLED),
    )
    return sum(bit for bit, holds in traits if holds)


_KINDS = CodePoints(_kinds, "uint16")
