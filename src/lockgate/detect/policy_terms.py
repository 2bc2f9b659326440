"""Finds configured words and phrases, in any script, however they are dressed up.

Everything here looks at the neighbourhood of a character and never at the whole text, so that a term in an answer that
is still being written is the same as in the finished one.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lockgate.core import Span
from lockgate.detect.confusables import CONFUSABLE
from lockgate.detect.invisible import HIDDEN
from lockgate.detect.linear import pattern, project

_STRETCH = 16
_MAX_GAP = 4
_MIN_SPELLED = 4
_BREAK = "\x00"
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_SPELLED = pattern(r"(?:^|[^A-Za-z0-9])[A-Za-z0-9](?:[^A-Za-z0-9]{1,4}[A-Za-z0-9]){3}(?:$|[^A-Za-z0-9])")


class Terms(msgspec.Struct, frozen=True):
    """Words and phrases to look for.

    Attributes:
        folded: As they are compared.
        longest: Characters that a match may span in a text.
    """

    folded: tuple[str, ...]
    longest: int


class _View(msgspec.Struct, frozen=True):
    text: str
    origin: list[int]


@lru_cache(maxsize=64)
def prepare_terms(terms: tuple[str, ...]) -> Terms:
    """Read a list of words and phrases; case, accents, compatibility forms and runs of blanks make no difference."""
    folded = tuple(sorted({text for term in terms if (text := _folded(term).text.strip())}))
    return Terms(folded, max(map(len, folded), default=0) * _STRETCH)


def find_terms(text: str, terms: Terms) -> tuple[Span, ...]:
    """Find terms as whole words.

    Look-alike letters, invisible characters, letter spacing, case and accents make no difference. Scripts that write no
    blanks between words have no whole words: there a term is found anywhere. A match may span sixteen times the
    characters of its term, no more.

    Returns:
        Sorted spans labelled `term.policy`.
    """
    if not terms.folded or (text.isascii() and not _may_hold(text, terms)):
        return ()
    folded = _folded(text)
    spelled = _spelled(folded)
    found: set[Span] = set()
    for term in terms.folded:
        letters = "".join(filter(str.isalnum, term))
        found.update(_places(folded, term, whole=True))
        if len(letters) >= _MIN_SPELLED:
            found.update(_places(spelled, letters, whole=False))
    return tuple(sorted(found))


def _may_hold(text: str, terms: Terms) -> bool:
    lowered = text.lower()
    return any(term.split()[0] in lowered for term in terms.folded) or bool(_SPELLED.search(project(text)))


def _places(view: _View, term: str, *, whole: bool) -> Iterator[Span]:
    place = view.text.find(term)
    while place >= 0:
        behind = place + len(term)
        start, end = view.origin[place], view.origin[behind - 1] + 1
        if end - start <= len(term) * _STRETCH and (not whole or _is_whole(view.text, place, behind)):
            yield Span(start, end, "term.policy")
        place = view.text.find(term, place + 1)


def _folded(text: str) -> _View:
    """Letters as they are compared and single blanks, each with the place that it comes from."""
    table = {character: _fold(character) for character in set(text)}
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        folded = table[character]
        if folded == " " and characters and characters[-1] == " ":
            continue
        characters.extend(folded)
        origin.extend([index] * len(folded))
    return _View("".join(characters), origin)


def _fold(character: str) -> str:
    if character.isspace():
        return " "
    if character.isascii():
        return character.lower()
    if character in HIDDEN:
        return ""
    parts = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in parts if unicodedata.category(part)[0] != "M").translate(CONFUSABLE).casefold()


def _spelled(view: _View) -> _View:
    """Letters that stand alone, with a break wherever they are further apart than a spelled word's."""
    text = view.text
    letters: list[str] = []
    origin: list[int] = []
    last = -_MAX_GAP
    for place, character in enumerate(text):
        if not character.isalnum() or text[place - 1 : place].isalnum() or text[place + 1 : place + 2].isalnum():
            continue
        if place - last - 1 > _MAX_GAP:
            letters.append(_BREAK)
            origin.append(view.origin[place])
        letters.append(character)
        origin.append(view.origin[place])
        last = place
    return _View("".join(letters), origin)


def _is_whole(text: str, start: int, end: int) -> bool:
    return _is_border(text, start - 1, start) and _is_border(text, end, end - 1)


def _is_border(text: str, outside: int, inside: int) -> bool:
    if not 0 <= outside < len(text) or not text[outside].isalnum() or not text[inside].isalnum():
        return True
    return any(unicodedata.name(text[place], "").startswith(_UNSPACED) for place in (outside, inside))
