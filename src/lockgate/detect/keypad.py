"""Reads words typed on the number keys of a telephone: a key pressed several times for each letter, or once."""

import re
from collections.abc import Iterator
from functools import cache
from string import ascii_lowercase

from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.vocabulary import is_telling, ranked
from lockgate.detect.wording import reads, segmented

_KEYS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
_PRESSES = {key * presses: letter for key, letters in _KEYS.items() for presses, letter in enumerate(letters, 1)}
_KEY_OF = str.maketrans({letter: key for key, letters in _KEYS.items() for letter in letters})
_ONE = "(?:2{1,3}|3{1,3}|4{1,3}|5{1,3}|6{1,3}|7{1,4}|8{1,3}|9{1,4})"
_GAP = r"[ ,./|_\n-]{1,3}(?:0[ ,./|_\n-]{1,3})?"
_PRESSED = pattern(rf"\b{_ONE}(?:{_GAP}{_ONE}){{9,}}\b")
_PART = re.compile(r"([2-9]+)([^2-9]*)")
_TYPED = pattern(r"\b[2-9]{2,14}(?:[ ,.!?/]{1,3}[2-9]{1,14}){3,}\b")
_NUMBER = re.compile("[2-9]+")
_MIN_DIGITS, _LEAST_LONG = 12, 3
_KNOWN_SHARE, _READ_SHARE = 0.6, 0.6


def _pressed(page: Page) -> Iterator[Piece]:
    if page.digits < _MIN_DIGITS:
        return
    for match in _PRESSED.finditer(page.data):
        parts = _PART.findall(page.text[match.start() : match.end()])
        gaps = [gap for _, gap in parts[:-1]]
        usual = max(set(gaps), key=gaps.count)
        said = "".join(_PRESSES[keys] + (" " if gap not in {usual, ""} else "") for keys, gap in parts).strip()
        if not (" " in said and reads(said.split(), _KNOWN_SHARE / 2)):
            said, known = segmented(said.replace(" ", ""))
            said = said if known >= _KNOWN_SHARE else ""
        if said:
            yield Piece(said, *match.span(), "keypad")


@cache
def _by_keys() -> dict[str, str]:
    """Words by the keys that type them; the likeliest of several."""
    found: dict[str, str] = {}
    for word in ranked():
        if set(word) <= set(ascii_lowercase):
            found.setdefault(word.translate(_KEY_OF), word)
    return found


def _typed(page: Page) -> Iterator[Piece]:
    if page.digits < _MIN_DIGITS:
        return
    for match in _TYPED.finditer(page.data):
        value = page.text[match.start() : match.end()]
        words = [_by_keys().get(number, "") for number in _NUMBER.findall(value)]
        told = [word for word in words if word]
        if len(told) >= _READ_SHARE * len(words) and is_telling(told, _LEAST_LONG):
            said = _NUMBER.sub(lambda number: _by_keys().get(number.group(), number.group()), value)
            yield Piece(said, *match.span(), "keypad")


KEYPAD: tuple[Decoder, ...] = (_pressed, _typed)
"""Decoders of numbers that are letters on a telephone."""
