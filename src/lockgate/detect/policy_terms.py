"""Finds configured words and phrases, in any script, however they are dressed up."""

import unicodedata
from functools import lru_cache

import msgspec

from lockgate.core import Span
from lockgate.detect.normalise import Normalised, normalise

_STRETCH = 16
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


class Terms(msgspec.Struct, frozen=True):
    """Words and phrases to look for.

    Attributes:
        folded: As they are compared.
        longest: Characters that a match may span in a text.
        firsts: The first word of each, one of which a text with a term holds.
    """

    folded: tuple[str, ...]
    longest: int
    firsts: tuple[str, ...]


@lru_cache(maxsize=64)
def prepare_terms(terms: tuple[str, ...]) -> Terms:
    """Read a list of words and phrases; case, accents, compatibility forms and runs of blanks make no difference."""
    folded = tuple(sorted({text for term in terms if (text := _folded(normalise(term))[0].strip())}))
    firsts = tuple(sorted({term.split()[0] for term in folded}))
    return Terms(folded, max(map(len, folded), default=0) * _STRETCH, firsts)


def find_terms(text: str, terms: Terms) -> tuple[Span, ...]:
    """Find terms as whole words.

    Look-alike letters, invisible characters, letter spacing, case and accents are undone first. Scripts that write no
    blanks between words have no whole words: there a term is found anywhere. A match may span sixteen times the
    characters of its term, no more.

    Returns:
        Sorted spans labelled `term.policy`.
    """
    if not terms.folded:
        return ()
    seen = normalise(text)
    lowered = seen.text.casefold()
    if not any(first in lowered for first in terms.firsts):
        return ()
    folded, origin = _folded(seen)
    found: set[Span] = set()
    for term in terms.folded:
        place = folded.find(term)
        while place >= 0:
            first, behind = origin[place], origin[place + len(term) - 1] + 1
            start, end = seen.original(first, behind)
            # Letters that were spaced out run into their neighbours when they are brought together.
            spaced = end - start > behind - first
            if end - start <= len(term) * _STRETCH and (spaced or _is_whole(folded, place, place + len(term))):
                found.add(Span(start, end, "term.policy"))
            place = folded.find(term, place + 1)
    return tuple(sorted(found))


def _folded(seen: Normalised) -> tuple[str, list[int]]:
    """Normalised text without case and with single blanks, and where each character of it comes from."""
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(seen.text):
        folded = " " if character.isspace() else character.casefold()
        if folded == " " and characters and characters[-1] == " ":
            continue
        characters.extend(folded)
        origin.extend([index] * len(folded))
    return "".join(characters), origin


def _is_whole(text: str, start: int, end: int) -> bool:
    return _is_border(text, start - 1, start) and _is_border(text, end, end - 1)


def _is_border(text: str, outside: int, inside: int) -> bool:
    if not 0 <= outside < len(text) or not text[outside].isalnum() or not text[inside].isalnum():
        return True
    return any(unicodedata.name(text[place], "").startswith(_UNSPACED) for place in (outside, inside))
