"""Reads words without their vowels, and words that are parted by capitals, by marks, or in the wrong places."""

import re
from collections.abc import Iterator
from functools import cache

from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, around, rewritten
from lockgate.detect.vocabulary import is_ordering, is_telling, ranked
from lockgate.detect.wording import KNOWN, segmented

_WORD = re.compile("[a-z]+")

_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_BARE_SHAPE = (
    rf"(?:\b[{_CONSONANTS}]{{2,8}}\b[ ,.;:]{{1,2}}(?:[a-z]{{1,12}}[ ,.;:]{{1,2}}){{0,2}}){{3}}[{_CONSONANTS}]{{2,8}}\b"
)
_BARE = pattern(_BARE_SHAPE)
_VOWELS = str.maketrans("", "", "aeiou")
_VOWEL = frozenset("aeiouy")
_READ_SHARE, _LEAST_BARE = 0.6, 6

_SMALL = "the and to of my your me all not is it with for from that this i you a in on as be"
_FUNCTION = frozenset(_SMALL.split())
_LEAST_FUNCTION = 2
_CAMEL = pattern(r"\b(?:[A-Z][a-z]+|[AI]){6,}\b")
_HUMP = re.compile("[A-Z][a-z]*")
_MARKED = pattern(r"(?:^|[\s\"'(>])[A-Za-z']+(?:,?[._~+|-][A-Za-z']+){5,}(?:$|[\s\"').,!?])")
_MARK = re.compile(r",?[._~+|-]")
_MARKS = (b".", b"_", b"~", b"+", b"|", b"-")
_LEAST_HUMPS, _LEAST_MARKS = 6, 5

_LEAST_ORDER = 6
_ORDERS = sorted(word for word in KNOWN if len(word) >= _LEAST_ORDER and is_ordering(word))
_ORDER = pattern("|".join(_ORDERS))
_LOOSE_ORDER = pattern("|".join(map(" ?".join, _ORDERS)))
_BLANKS = b" \t\r"
_KNOWN_SHARE, _MAX_PLAIN = 0.85, 0.35
_LEAST_NEW = 3
_MAX_LINE, _MAX_LINES = 600, 40


@cache
def _bare() -> dict[str, str]:
    """English words and orders by what is left of them without vowels."""
    found: dict[str, str] = {}
    for word in ranked():
        # Those who leave vowels away keep the first letter, or not.
        for rest in (word.translate(_VOWELS), word[0] + word[1:].translate(_VOWELS)):
            if rest and rest != word:
                found.setdefault(rest, word)
    return found


def _with_vowels(word: re.Match[str]) -> str:
    said = word.group()
    return said if said in KNOWN else _bare().get(said, said)


def _without_vowels(page: Page) -> Iterator[Piece]:
    last = 0
    for match in _BARE.finditer(page.lower):
        if match.start() < last:
            continue
        start, last = around(page, *match.span())
        value = page.text[start:last].lower()
        bare = [word for word in _WORD.findall(value) if _VOWEL.isdisjoint(word[1:]) and word[1:] and word not in KNOWN]
        read = [_bare()[word] for word in bare if word in _bare()]
        if len(read) >= _READ_SHARE * len(bare) and is_telling(read, _LEAST_BARE):
            said = _WORD.sub(_with_vowels, value)
            yield Piece(said, start, last, "no-vowels")


def _parted(page: Page) -> Iterator[Piece]:
    """Sentences with capitals or marks instead of blanks; names of things hold no words like `the` and `me`."""
    marks = sum(map(page.data.count, _MARKS)) if page.signs or b"." in page.data or b"-" in page.data else 0
    camel = [match.span() for match in _CAMEL.finditer(page.data)] if page.capitals >= _LEAST_HUMPS else []
    marked = [match.span() for match in _MARKED.finditer(page.data)] if marks >= _LEAST_MARKS else []
    if not camel and not marked:
        return
    hits = [Hit(*span, " ".join(_HUMP.findall(page.text[slice(*span)]))) for span in camel]
    hits += [Hit(*span, _MARK.sub(" ", page.text[slice(*span)])) for span in marked]
    spoken = [hit for hit in hits if sum(word in _FUNCTION for word in hit.text.lower().split()) >= _LEAST_FUNCTION]
    yield from rewritten(page, _apart(sorted(spoken, key=lambda hit: hit.start)), "parted")


def _apart(hits: list[Hit]) -> Iterator[Hit]:
    end = 0
    for hit in hits:
        if hit.start >= end:
            yield hit
            end = hit.end


def _misparted(page: Page) -> Iterator[Piece]:
    """Blanks in the wrong places: without any blanks the line holds more orders than with them."""
    if not any(b" " in (match.group() or b"") for match in _LOOSE_ORDER.finditer(page.lower)):
        return
    position = 0
    for number, line in enumerate(page.lower.split(b"\n")):
        start, position = position, position + len(line) + 1
        squeezed = line.translate(None, _BLANKS)
        if number >= _MAX_LINES or not _ORDER.search(squeezed) or _orders(squeezed) <= _orders(line):
            continue
        words = _WORD.findall(line.decode("ascii"))
        if sum(word in KNOWN for word in words) > _MAX_PLAIN * len(words):
            continue
        said, known = segmented("".join(words)[:_MAX_LINE])
        before = set(words)
        new = {word for word in said.split() if len(word) >= _LEAST_NEW and word in KNOWN and word not in before}
        if known >= _KNOWN_SHARE and len(new) >= _LEAST_NEW:
            yield Piece(said, start, start + len(line), "misparted")


def _orders(data: bytes) -> int:
    return sum(1 for _ in _ORDER.finditer(data))


GAPS: tuple[Decoder, ...] = (_parted, _misparted)
"""Decoders of words with other gaps than blanks between them."""

BARE: tuple[Decoder, ...] = (_without_vowels,)
"""Decoders of words with gaps in them."""

BARE_SHAPES = (_BARE_SHAPE,)
"""Lower-case text without which none of the latter has anything to read."""
