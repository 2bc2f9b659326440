"""Reads a sentence that was cut up: strings of a program to be joined, and numbered parts in another order.

Lists of strings are everywhere. Those that were cut are told by their ends: a word begins in one and ends in the next,
or the blank between two words stands at one side only.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.vocabulary import is_word

_QUOTED = r"(?:\"[^\"\n]*\"|'[^'\n]*')"
_NAME = r"(?:(?:let|const|var|string|set|and|my) )?[$@A-Za-z_][A-Za-z0-9_.\[\]]{0,24}"
_ASSIGNED = rf"(?:[\s,;}}{{)(]{{0,4}}(?:{_NAME}|[0-9]{{1,2}}|{_QUOTED})\s{{0,2}}(?:[+.]?=|:=|:|=>)\s{{0,2}})"
_ROW = pattern(rf"{_QUOTED}(?:(?:\s{{0,3}},\s{{0,5}}|{_ASSIGNED}){_QUOTED}){{2,}}")
_STRING = re.compile(r"(\"[^\"\n]*\"|'[^'\n]*')(\s{0,2}(?::|=>))?")
_FIRST_WORD, _LAST_WORD = re.compile(r"[^\W\d_]+"), re.compile(r"[^\W\d_]+$")
_MIN_QUOTES, _LEAST_LETTERS, _LEAST_PARTS = 6, 12, 3
_CUT_SHARE = 0.4
_MAX_ROWS, _MAX_PARTS, _MAX_CHARS = 32, 200, 4000

# One class after the other, none of which may be the next one: nothing to backtrack into.
_LABEL = re.compile(rb"(?<![^\s,;|(\[#a-z_])([0-9]{1,2})[\])]?(?:->|=>|[:.=>-]|(?<=[\])]))\s{0,3}[\"'`]?(?=[^\s0-9])")
_LABEL_SIGNS = tuple(bytes([sign]) for sign in b":.=>-])")
_NAMES = re.compile(rb"(?:part|piece|word|step|line|chunk|fragment|section|teil|wort|parte|partie|mot)[ _#]?$")
_LEAST_LABELS, _MAX_CONTENT, _LONGEST_NAME = 4, 90, 9
_EDGES = " \t\r\n,;|\"'`[(#"


def _is_cut(parts: Sequence[str]) -> bool:
    """Whether strings look like pieces of one text."""
    cuts = sum(_belongs(left, right) for left, right in pairwise(parts))
    return cuts >= max(min(2, len(parts) - 2), _CUT_SHARE * (len(parts) - 1))


def _belongs(left: str, right: str) -> bool:
    if not left or not right:
        return False
    if left[-1].isalpha() and right[0].isalpha():
        return _makes_a_word(left, right)
    return (left[-1] == " ") != (right[0] == " ") and (left + right)[len(left.rstrip()) - 1].isalnum()


def _makes_a_word(left: str, right: str) -> bool:
    """Whether a word that no side has alone stands over the cut."""
    end, start = _LAST_WORD.search(left.lower()), _FIRST_WORD.match(right.lower())
    if not end or not start:
        return False
    return is_word(end.group() + start.group()) and not (is_word(end.group()) and is_word(start.group()))


def _strings(page: Page) -> Iterator[Piece]:
    """Strings of a list, and of variables one after the other."""
    if page.data.count(b'"') + page.data.count(b"'") < _MIN_QUOTES:
        return
    for match in islice(_ROW.finditer(page.data), _MAX_ROWS):
        start, end = match.span()
        found = _STRING.findall(page.text[start : min(end, start + _MAX_CHARS)])
        parts = [string[1:-1] for string, key in found if not key][:_MAX_PARTS]
        said = "".join(parts)
        if len(parts) >= _LEAST_PARTS and sum(map(str.isalpha, said)) >= _LEAST_LETTERS and _is_cut(parts):
            yield Piece(said, start, end, "pieces")


def _ordered(page: Page) -> Iterator[Piece]:
    """Parts with numbers from one on, in another order than the numbers'."""
    if page.digits < _LEAST_LABELS or sum(map(page.data.count, _LABEL_SIGNS)) < _LEAST_LABELS:
        return
    labels = [(int(match.group(1)), _begin(page, match.start()), match.end()) for match in _LABEL.finditer(page.lower)]
    if len(labels) < _LEAST_LABELS:
        return
    group: list[tuple[int, int, int]] = []
    for label in [*labels, (-1, len(page.text) + _MAX_CONTENT + 1, 0)]:
        if group and label[1] - group[-1][2] > _MAX_CONTENT:
            yield from _sorted(page, group)
            group = []
        group.append(label)


def _begin(page: Page, start: int) -> int:
    """Where a label begins: with the word before its number, if it is one that parts are called by."""
    name = _NAMES.search(page.lower[max(0, start - _LONGEST_NAME) : start])
    return start - len(name.group()) if name else start


def _sorted(page: Page, group: Sequence[tuple[int, int, int]]) -> Iterator[Piece]:
    numbers = [number for number, _, _ in group]
    first = min(numbers)
    if len(group) < _LEAST_LABELS or first > 1 or sorted(numbers) != list(range(first, first + len(group))):
        return
    if numbers in (sorted(numbers), sorted(numbers, reverse=True)):
        return
    last = group[-1][2]
    line = page.text.find("\n", last, last + _MAX_CONTENT)
    end = line if line >= 0 else min(len(page.text), last + _MAX_CONTENT)
    stops = [start for _, start, _ in group[1:]] + [end]
    parts = {number: page.text[start:stop].strip(_EDGES) for (number, _, start), stop in zip(group, stops, strict=True)}
    said = ""
    for number in sorted(parts):
        glued = said != "" and _makes_a_word(said, parts[number])
        said += ("" if glued or not said else " ") + parts[number]
    yield Piece(said, group[0][1], end, "by-place")


PARTS: tuple[Decoder, ...] = (_strings, _ordered)
"""Decoders of sentences in parts."""
