"""Reads base58, base45, Polybius squares, tap code, Bacon's cipher, calls of `chr`, and words that markup breaks.

Base58 is a number, so its digits are not independent: reading it takes quadratic time, and longer tokens than
`MAX_BASE58` are not read.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from string import ascii_lowercase

from lockgate.detect.encodings import is_text, text_of
from lockgate.detect.linear import Pattern, pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, rewritten
from lockgate.detect.wording import reads, segmented

MAX_BASE58 = 1000
"""Characters of the longest token that is read as base58."""

_BASE58_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {digit: value for value, digit in enumerate(_BASE58_DIGITS)}
_BASE58 = pattern(r"\b[1-9A-HJ-NP-Za-km-z]{14,}\b")
_BASE45_VALUES = {sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
_BASE45 = pattern(r"[0-9A-Z $%*+./:-]{14,}")
_BASE45_PROBE = 30
_MAX_PAIR, _MAX_REST = 0xFFFF, 0xFF
_MIN_CAPITALS, _MIN_DIGITS, _MIN_SQUARES, _MIN_MARKS, _MIN_CALLS = 4, 2, 16, 24, 12

_SQUARES = pattern(r"\b[1-5] ?[1-5](?:[ ,;/|._\r\n-]{1,4}[1-5] ?[1-5]){7,}\b")
_SQUARE = re.compile("([1-5]) ?([1-5])([^1-5]*)")
_TAPS = pattern(r"[.*x]{1,5} {1,2}[.*x]{1,5}(?:[ ,;/|_\r\n-]{1,5}[.*x]{1,5} {1,2}[.*x]{1,5}){7,}")
_TAP = re.compile(r"([.*x]{1,5}) {1,2}([.*x]{1,5})([^.*x]*)")
_WITHOUT_J = "abcdefghiklmnopqrstuvwxyz"
_WITHOUT_K = "abcdefghijlmnopqrstuvwxyz"
_BACON = pattern(r"\b(?:[ab]{5}[ ,;/|.\r\n-]{0,3}){8,}")
_BACON_GROUP = re.compile("([ab]{5})([^ab]*)")
# Francis Bacon's own alphabet has one sign for I and J, and one for U and V.
_BACON_LETTERS = (ascii_lowercase, "abcdefghiklmnopqrstuwxyz")
_CALLS = pattern(
    r"(?:\b(?:chr|char|unichr|tochar|fromcharcode|fromcodepoint)[$w]?\( ?(?:0x[0-9a-f]{2}|[0-9]{2,3}) ?\)"
    r"[ +.&|,_\r\n]{0,6}(?:string\.)?){5,}"
)
_CODE = re.compile(r"0x([0-9a-f]{2})|([0-9]{2,3})")
_BROKEN_SHAPE = r"[a-z](?:/\*[^*]{0,40}\*/|<!--[^>]{0,40}-->|<[a-z]{1,10}/?>(?:</[a-z]{1,10}>)?)[a-z]"
_BROKEN = pattern(rf"[a-z]*(?:{_BROKEN_SHAPE}[a-z]*)+")
_BREAK = re.compile(r"/\*[^*]{0,40}\*/|<!--[^>]{0,40}-->|<[^<>]{1,12}>")
_KNOWN_SHARE = 0.6
_LEAST_BROKEN = 2


def _base58(page: Page) -> Iterator[Piece]:
    if page.capitals < _MIN_CAPITALS or page.digits < _MIN_DIGITS:
        return
    for match in _BASE58.finditer(page.data):
        start, end = match.span()
        token = page.text[start:end]
        if end - start > MAX_BASE58 or token.isalpha() or token.isdigit():
            continue
        number = _base58_number(token)
        if said := text_of(number.to_bytes((number.bit_length() + 7) // 8, "big")):
            yield Piece(said, start, end, "base58")


def _base58_number(token: str) -> int:
    """Ten digits at a time, as sums of small numbers cost less than one more digit of a large one."""
    number = 0
    for start in range(0, len(token), 10):
        few = 0
        for digit in token[start : start + 10]:
            few = few * 58 + _BASE58_VALUES[digit]
        number = number * 58 ** len(token[start : start + 10]) + few
    return number


def _base45(page: Page) -> Iterator[Piece]:
    if page.capitals < _MIN_CAPITALS or page.digits < _MIN_DIGITS:
        return
    for match in _BASE45.finditer(page.data):
        start, end = match.span()
        value = page.text[start:end]
        # Blanks and marks are digits too, so those before the first one or behind the last may be either.
        for around in ("", " ", " :.-"):
            core = value.strip(around) if around else value
            offset = start + value.index(core)
            if text_of(_base45_bytes(core[:_BASE45_PROBE])) and (said := text_of(_base45_bytes(core))):
                yield Piece(said, offset, offset + len(core), "base45")
                break


def _base45_bytes(value: str) -> bytes:
    """RFC 9285; nothing where a group of digits stands for no bytes."""
    found = bytearray()
    for index in range(0, len(value) - 1, 3):
        group = value[index : index + 3]
        number = sum(_BASE45_VALUES[sign] * 45**place for place, sign in enumerate(group))
        whole = len(group) == 3  # noqa: PLR2004 - three digits make two bytes, two make one
        if number > (_MAX_PAIR if whole else _MAX_REST):
            return b""
        found += number.to_bytes(2 if whole else 1, "big")
    return bytes(found)


def _squares(page: Page) -> Iterator[Piece]:
    """Rows and columns of a square of 25 letters: digits, or taps."""
    if page.digits >= _MIN_SQUARES:
        yield from _on_a_square(page, _SQUARES, _SQUARE, int)
    if page.data.count(b".") + page.data.count(b"*") + page.lower.count(b"x") >= _MIN_MARKS:
        yield from _on_a_square(page, _TAPS, _TAP, len)


def _on_a_square(page: Page, shape: Pattern, pair: re.Pattern[str], count: Callable[[str], int]) -> Iterator[Piece]:
    for match in shape.finditer(page.lower):
        start, end = match.span()
        places = pair.findall(page.lower[start:end].decode("ascii"))
        cells = [((count(row) - 1) * 5 + count(column) - 1, gap) for row, column, gap in places]
        for letters in (_WITHOUT_J, _WITHOUT_K):
            if said := _said([(letters[cell], gap) for cell, gap in cells]):
                yield Piece(said, start, end, "polybius")
                break


def _bacon(page: Page) -> Iterator[Piece]:
    if page.lower.count(b"a") + page.lower.count(b"b") < _MIN_MARKS:
        return
    for match in _BACON.finditer(page.lower):
        start, end = match.span()
        groups = _BACON_GROUP.findall(page.lower[start:end].decode("ascii"))
        numbers = [(int(group.replace("a", "0").replace("b", "1"), 2), gap) for group, gap in groups]
        for letters in _BACON_LETTERS:
            if all(number < len(letters) for number, _ in numbers) and (
                said := _said([(letters[number], gap) for number, gap in numbers])
            ):
                yield Piece(said, start, end, "bacon")
                break


def _said(letters: Sequence[tuple[str, str]]) -> str:
    """Words of letters, each with the gap behind it; a gap that is not the usual one parts words. Empty if no words."""
    gaps = [gap for _, gap in letters[:-1]]
    usual = max(set(gaps), key=gaps.count)
    said = "".join(letter + (" " if gap != usual else "") for letter, gap in letters).strip()
    if " " in said and reads(said.split(), _KNOWN_SHARE / 2):
        return said
    words, known = segmented(said.replace(" ", ""))
    return words if known >= _KNOWN_SHARE else ""


def _called(page: Page) -> Iterator[Piece]:
    if page.digits < _MIN_CALLS or b"(" not in page.data:
        return
    for match in _CALLS.finditer(page.lower):
        start, end = match.span()
        codes = _CODE.findall(page.lower[start:end].decode("ascii"))
        said = "".join(chr(int(octets, 16) if octets else int(number)) for octets, number in codes)
        if is_text(said):
            yield Piece(said, start, end, "numbers")


def _broken(page: Page) -> Iterator[Piece]:
    if b"*/" not in page.data and b">" not in page.data:
        return
    words = [
        Hit(*match.span(), _BREAK.sub("", page.text[slice(*match.span())])) for match in _BROKEN.finditer(page.lower)
    ]
    yield from rewritten(page, words, "comments", least=_LEAST_BROKEN)


CODES: tuple[Decoder, ...] = (_base58, _base45, _squares, _bacon, _called, _broken)
"""Decoders of codes that few texts hold by chance."""
