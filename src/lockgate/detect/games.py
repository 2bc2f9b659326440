"""Reads the secret languages of children: syllables put before, behind or around every vowel or consonant.

"Ubbi dubbi", "javanais", "jerigonza", "Löffelsprache" and "rövarspråket" differ in what they add and where; all of them
are known by words in a row that hold it, and undone by leaving it out.
"""

import re
from collections.abc import Iterator

from lockgate.detect.linear import Pattern, pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import around
from lockgate.detect.wording import reads

_VOWELS = "aeiouy"
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_KNOWN_SHARE = 0.2
_MAX_VAIN = 30
_BETWEEN = r"[ ,.;:!?'\"-]{1,3}"

_BEFORE = ("ub", "ob", "op", "ab", "ag", "av", "ib", "ig", "eg", "egg", "idig", "itherg", "uvag", "aig", "arp")
_BEHIND = ("p", "b", "f", "g", "s", "l", "lew", "lef", "nef", "def")


def _row(word: str) -> str:
    """Three words in a row of this shape."""
    return rf"\b{word}(?:{_BETWEEN}{word}){{2}}"


def _before(syllable: str) -> str:
    return _row(rf"[{_CONSONANTS}]{{0,4}}{syllable}[{_VOWELS}][a-z]*")


def _behind(syllable: str) -> str:
    echoed = "|".join(f"{vowel}{syllable}{vowel}" for vowel in _VOWELS)
    return _row(rf"[{_CONSONANTS}]{{0,4}}[{_VOWELS}]?(?:{echoed})[a-z]*")


_AROUND_SHAPE = _row(rf"[{_VOWELS}]*(?:{'|'.join(f'{c}o{c}' for c in (*_CONSONANTS, 'y'))})[a-z]*")
GAME_SHAPES = (*map(_before, _BEFORE), *map(_behind, _BEHIND), _AROUND_SHAPE)
"""Lower-case text without which none of them has anything to read."""

_ANY = pattern("|".join(GAME_SHAPES))
_ONE: tuple[tuple[Pattern, re.Pattern[str], str], ...] = (
    *((pattern(_before(added)), re.compile(rf"{added}(?=[{_VOWELS}])", re.IGNORECASE), "") for added in _BEFORE),
    *(
        (pattern(_behind(added)), re.compile(rf"([{_VOWELS}]{{1,3}}){added}\1", re.IGNORECASE), r"\1")
        for added in _BEHIND
    ),
    (pattern(_AROUND_SHAPE), re.compile(rf"([y{_CONSONANTS}])o\1", re.IGNORECASE), r"\1"),
)
_WORD = re.compile("[a-z]+")


def _games(page: Page) -> Iterator[Piece]:
    if not _ANY.search(page.lower):
        return
    for shape, added, kept in _ONE:
        last = vain = 0
        for match in shape.finditer(page.lower):
            if match.start() < last:
                continue
            start, end = around(page, *match.span())
            said = added.sub(kept, page.text[start:end])
            if reads(_WORD.findall(said.lower()), _KNOWN_SHARE):
                yield Piece(said, start, end, "language-game")
                last = end
            # Thousands of decoys are read once each; the first ones may stand close before what is meant.
            vain += 1
            last = end if vain > _MAX_VAIN else last


GAMES: tuple[Decoder, ...] = (_games,)
"""Decoders of words with syllables added."""
