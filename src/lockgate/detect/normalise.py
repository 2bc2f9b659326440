"""Makes text comparable: what a reader sees as the same letters becomes the same letters.

Compatibility decomposition without combining marks (Unicode UAX #15), invisible characters removed and reported,
look-alike letters inside Latin words replaced (see `confusables`), letters that were spaced out joined.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from lockgate.core import Span
from lockgate.detect.confusables import CONFUSABLE, SAME, STYLED
from lockgate.detect.invisible import HIDDEN, hidden_kinds, hidden_runs
from lockgate.detect.linear import SUBSTITUTE, pattern

if TYPE_CHECKING:
    from lockgate.detect.codepoints import Folds

# Letters whose decomposition is not the Latin letter that they stand for.
_EXTRA = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ɛ": "e"}  # noqa: RUF001 - dotless i
)
# Letters in bold, and letters as they stand in a list of a program, have longer gaps than the rest.
_GAP = (
    r"[ .,*|/_\x1a\t:;+=~^'\"!?<>#&()\[\]{}\\-]{1,3}|\r?\n|\*\* {0,2}\*\*|__ {0,2}__"
    r"|['\"`], ?['\"`](?: ['\"`], ?['\"`])?"
)
_SPACED = pattern(rf"(?:\b|_)[A-Za-z0-9@$](?:(?:{_GAP})[A-Za-z0-9@$]){{3,}}(?:\b|_)")
_LOOKALIKES = frozenset(map(chr, CONFUSABLE))
_SAME = frozenset(map(chr, SAME))
# Some look-alikes are signs. Both parts are single classes that share no character: nothing to backtrack into.
_WORD = re.compile(rf"(?:[^\W_]+|[{''.join(c for c in sorted(_LOOKALIKES) if not c.isalnum())}])+")
_LATIN = re.compile("[A-Za-z]")
_BITS = frozenset("01")
# Signs of formulas: between letters of a word they are the same one throughout.
_OPERATORS = frozenset(":;+=~^'\"!?<>#&()[]{}\\")
_BLANKS = re.compile(r"\s+")
_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ")
_STARS = frozenset("*_.-#|/+=~^?!@&:;<>\\")
_MIN_LETTERS = 3
_FIRST_SYMBOL_SCRIPT = 0x2E80


class Normalised(msgspec.Struct, frozen=True):
    """Comparable text and where each of its characters comes from.

    Attributes:
        text: The comparable text, never longer than four times the original.
        offsets: For each character of `text` the offset of its origin, plus the original's length at the end.
        hidden: Runs of removed characters in the original: `hidden.zero-width`, `hidden.bidi`, `hidden.tag`,
            `hidden.variation-selector`.
        disguised: Stretches of `text` whose letters were spaced out or were look-alikes.
    """

    text: str
    offsets: Sequence[int]
    hidden: tuple[Span, ...] = ()
    disguised: tuple[tuple[int, int], ...] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original text behind `text[start:end]`."""
        first = self.offsets[start]
        return first, self.offsets[end - 1] + 1 if end > start else first


def normalise(text: str) -> Normalised:
    """Make `text` comparable; never fails, whatever code points it holds. Time is linear in its length."""
    if text.isascii():
        return _joined(text, range(len(text) + 1))
    folded, offsets, hidden = _folded(text)
    plain, replaced = _unmask(folded)
    found = _joined(plain, offsets)
    # Joining shortens the text, so look-alikes in a text with both are counted where they were before.
    return Normalised(found.text, found.offsets, hidden, (*found.disguised, *replaced))


def fold(word: str) -> str:
    """One word in lower case as `normalise` would leave it, for tables that are compared with normalised text."""
    return "".join(_fold_character(character) for character in word).lower()


@lru_cache(maxsize=1 << 14)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    # Line and paragraph separators would otherwise stay unlike the line feeds that they stand for.
    if character in "\u2028\u2029\u0085":
        return "\n"
    if styled := STYLED.get(ord(character)):
        return styled
    parts = unicodedata.normalize("NFKD", character)
    kept = "".join(part for part in parts if unicodedata.category(part)[0] != "M")
    # A few ligatures expand to whole phrases; four characters are enough to recognise a word.
    return kept.translate(_EXTRA)[:4]


def unmasked(text: str) -> str:
    """`text` with styled letters and look-alikes replaced by the Latin letters that they stand for."""
    return _unmask(text.translate(STYLED))[0]


def joined(text: str) -> str:
    """`text` with letters that were spaced out brought together."""
    return _joined(text, range(len(text) + 1)).text


def _folded(text: str) -> tuple[str, Sequence[int], tuple[Span, ...]]:
    folded, offsets = _folds().apply(text)
    hidden = () if isinstance(offsets, range) else hidden_runs(text, hidden_kinds(text))
    return folded, offsets, hidden


@cache
def _folds() -> "Folds":
    from lockgate.detect.codepoints import Folds  # noqa: PLC0415 - numpy takes long to load, and plain text does without

    return Folds(lambda character: "" if character in HIDDEN else _fold_character(character))


def _unmask(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Replace look-alikes in words that hold a Latin letter or nothing else; say where those words are."""
    from lockgate.detect.codepoints import traits_of  # noqa: PLC0415 - see above

    if text.isascii() or not traits_of(text).imitating:
        return text, []
    imitated = _only_imitated(set(text))
    masked = {
        word
        for word in set(_WORD.findall(text))
        if not word.isascii()
        and not _LOOKALIKES.isdisjoint(word)
        and (_LATIN.search(word) or (imitated and word[1:] and _SAME.issuperset(word)))
    }
    if not masked:
        return text, []
    parts: list[str] = []
    replaced: list[tuple[int, int]] = []
    position = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if word in masked:
            parts += (text[position : match.start()], word.translate(CONFUSABLE))
            position = match.end()
            replaced.append(match.span())
    return "".join((*parts, text[position:])), replaced


def _only_imitated(distinct: set[str]) -> bool:
    """Whether a text with Latin letters has no letter of another script that could not pass for one."""
    return all(
        c.isascii() or not c.isalpha() or ord(c) in SAME or unicodedata.name(c, "").startswith("LATIN")
        for c in distinct
    )


def _joined(text: str, offsets: Sequence[int]) -> Normalised:
    runs = [match.span() for match in _SPACED.finditer(_lettered(text)) if _is_spelled(text, *match.span())]
    if not runs:
        return Normalised(text, offsets)
    kept: list[int] = []
    stretches: list[tuple[int, int]] = []
    position = 0
    for start, end in runs:
        kept.extend(range(position, start))
        begin = len(kept)
        kept.extend(_letters(text, start, end))
        stretches.append((begin, len(kept)))
        position = end
    kept.extend(range(position, len(text)))
    origins = [*(offsets[index] for index in kept), offsets[len(text)]]
    return Normalised("".join(text[index] for index in kept), origins, disguised=tuple(stretches))


def _lettered(text: str) -> bytes:
    """The projection with an `a` for every letter of an alphabet; scripts that write without blanks stay signs."""
    if text.isascii():
        return text.encode("ascii")
    import numpy as np  # noqa: PLC0415 - takes long to load, and plain text does without

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    table = np.frombuffer(_lettered_codes(), dtype=np.uint8)
    return table[np.minimum(codes, _FIRST_SYMBOL_SCRIPT)].tobytes()


@cache
def _lettered_codes() -> bytes:
    """What each code point becomes, up to and with the first symbol, which stands for all that follow."""
    # A mark belongs to its letter: what wears one stands for more than a letter that was spaced out.
    found = bytearray(range(128))
    for character in map(chr, range(128, _FIRST_SYMBOL_SCRIPT)):
        letter = character.isalnum() or unicodedata.category(character)[0] == "M"
        found += b"a" if letter else SUBSTITUTE
    return bytes(found + SUBSTITUTE)


def _is_spelled(text: str, start: int, end: int) -> bool:
    """Whether a run spells something: bits and letters do, formulas and lists of digits do not."""
    run = text[start:end]
    signs = list(filter(str.isalnum, run))
    if _BITS.issuperset(signs):
        return True
    # Consonants alone are what is left of words whose vowels became signs.
    if _CONSONANTS.issuperset(signs) and not set(run).isdisjoint(_STARS):
        return False
    digits = sum(map(str.isdecimal, signs))
    if len(signs) - digits < max(_MIN_LETTERS, digits):
        return False
    if _OPERATORS.isdisjoint(run):
        return True
    gaps = _gaps(text, _places(text, start, end))
    usual = _BLANKS.sub("", gaps.most_common(1)[0][0])
    return all(_BLANKS.sub("", gap) in {"", usual, usual * 2} for gap in gaps)


def _places(text: str, start: int, end: int) -> list[int]:
    return [index for index in range(start, end) if text[index].isalnum() or text[index] in "@$"]


def _gaps(text: str, places: list[int]) -> Counter[str]:
    return Counter(text[last + 1 : place] for last, place in pairwise(places))


def _letters(text: str, start: int, end: int) -> list[int]:
    """Offsets of the letters of a spaced-out run, and of one blank wherever a gap is none of the usual ones."""
    places = _places(text, start, end)
    usual = _gaps(text, places).most_common(1)[0][0]
    kept = [places[0]]
    for last, place in pairwise(places):
        gap = text[last + 1 : place]
        blank = last + 1 + next((index for index, c in enumerate(gap) if c.isspace()), len(gap))
        if gap != usual and blank < place and len(gap) >= len(usual):
            kept.append(blank)
        kept.append(place)
    return kept
