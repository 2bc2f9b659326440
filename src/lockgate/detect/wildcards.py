"""Reads words whose vowels became signs (`ign*re`, `3gn4r2`, `xgnxrx`).

What is left are the word's length and its other letters, so a table of known words by those reads one at a time. Real
texts hold some such words by chance; several in a row, of which one is a word of orders, they do not.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, rewritten
from lockgate.detect.vocabulary import is_telling, ranked
from lockgate.detect.wording import KNOWN

_LEAST_READ, _LEAST_TELLING = 3, 5
_READ_SHARE = 0.5
_REACH = 120

# Three words near each other that hold a sign between letters; marks of code and of names stand beside vowels, too.
_BARE = "[bcdfghjklmnpqrstvwxz]"
_HOLDING = rf"(?:[a-z][*#@%?+=~^$&!|0-9\x1a]{{1,2}}[a-z]|{_BARE}[_.-]{{1,2}}{_BARE})"
_STARRED = pattern(rf"(?:{_HOLDING}[^\n]{{0,24}}){{2}}{_HOLDING}")
_TOKEN = re.compile(r"[a-z*#@%?+=~^$&!|0-9_.\x1a-]{2,24}")
_CROSSED_SHAPE = r"(?:\b[a-z]*x[a-z]*\b[ ,.]{1,2}(?:[a-z]+ )?){4}"
_CROSSED = pattern(_CROSSED_SHAPE)
_WITH_X = re.compile(r"\b[a-z]*x[a-z]*\b")
_VOWELS = re.compile("[aeiou]")
_ANY_SIGN, _CROSS = re.compile("[^a-z]"), re.compile("x")
_STAR, _ENDS = "*", ".,!?"
_LETTER = re.compile("[a-z]")


@cache
def _by_consonants() -> dict[str, tuple[str, ...]]:
    """Known words by what they are with a star for every vowel, the likeliest first."""
    found: dict[str, tuple[str, ...]] = {}
    for word in ranked():
        key = _VOWELS.sub(_STAR, word)
        if key != word:
            found[key] = (*found.get(key, ()), word)
    return found


def _unstarred(word: str, sign: re.Pattern[str]) -> str:
    """The known word that a word with signs for vowels stands for; empty if there is none."""
    shown = sign.sub(_STAR, word)
    for known in _by_consonants().get(_VOWELS.sub(_STAR, shown), ()):
        if all(letter in (_STAR, real) for letter, real in zip(shown, known, strict=True)):
            return known
    return ""


def _with_signs(page: Page) -> Iterator[Piece]:
    if page.signs + page.digits + page.wide + sum(map(page.data.count, (b".", b"-", b"?"))) < _LEAST_READ:
        return
    if _STARRED.search(page.lower):
        words = (match for match in _TOKEN.finditer(page.lower.decode("ascii")) if not match.group().isalpha())
        yield from _read(page, words, _ANY_SIGN)


def _with_crosses(page: Page) -> Iterator[Piece]:
    if _CROSSED.search(page.lower):
        yield from _read(page, _WITH_X.finditer(page.lower.decode("ascii")), _CROSS)


def _read(page: Page, words: Iterable[re.Match[str]], sign: re.Pattern[str]) -> Iterator[Piece]:
    """Stretches of words with signs of which enough stand for known ones."""
    told: dict[str, tuple[str, str]] = {}
    found: list[tuple[int, int, str]] = []
    ending: list[tuple[int, int, str]] = []
    inner: set[str] = set()
    for match in words:
        word = match.group()
        if word not in told:
            told[word] = _told(word, sign)
            inner.update(sign.findall(word.rstrip(_ENDS)) if told[word][1] else ())
        part, known = told[word]
        if part:
            found.append((match.start(), match.start() + len(part), known))
        elif word[-1] in _ENDS:
            ending.append((*match.span(), word))
    # What stands at the end of a sentence is a mark, unless it also stands for vowels inside of words.
    vowels = ((start, end, word) for start, end, word in ending if word[-1] in inner and word[:-1] not in KNOWN)
    found += [(start, end, known) for start, end, word in vowels if (known := _unstarred(word, sign))]
    for near in _near(sorted(found)):
        hits = [Hit(*hit) for hit in near if hit[2]]
        if len(hits) >= _READ_SHARE * len(near) and is_telling((hit.text for hit in hits), _LEAST_TELLING):
            yield from rewritten(page, hits, "wildcards", least=_LEAST_READ)


def _told(word: str, sign: re.Pattern[str]) -> tuple[str, str]:
    """How much of a token counts and which word that is: nothing of one without signs, and perhaps no word."""
    bare = word.rstrip(_ENDS)
    if not (sign.search(bare) and _LETTER.search(bare)):
        return "", ""
    for part in (word, bare):
        if known := _unstarred(part, sign):
            return part, known
    return bare, ""


def _near(found: Sequence[tuple[int, int, str]]) -> Iterator[list[tuple[int, int, str]]]:
    group = 0
    groups: list[int] = []
    for place, (start, _, _) in enumerate(found):
        group += place > 0 and start - found[place - 1][1] > _REACH
        groups.append(group)
    for _, near in groupby(zip(groups, found, strict=True), key=lambda pair: pair[0]):
        yield [one for _, one in near]


WILDCARDS: tuple[Decoder, ...] = (_with_signs,)
"""Decoders of known words of which some letters are hidden."""

CROSSED: tuple[Decoder, ...] = (_with_crosses,)
"""Decoders of words in which a letter stands for every vowel."""

CROSSED_SHAPES = (_CROSSED_SHAPE,)
"""Lower-case text without which none of the latter has anything to read."""
