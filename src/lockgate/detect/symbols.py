"""Reads codes of two signs that stand for bits or for Morse's dots and dashes, dumps of bytes, and mixed escapes."""

import binascii
import html
import re
from collections.abc import Iterator

from lockgate.detect.encodings import is_text, text_of
from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.spellings import from_morse

_OCTETS = pattern(
    r"(?:\x1a{8}[ ,/|\n]{0,2}){5,}|(?:[.\x1a_-]{8}[ ,/|\n]{1,2}){4,}[._-]{8}"
    r"|\b(?:[a-z]{8}[ ,/|\n]{1,2}){4,}[a-z]{8}\b|(?:[+=#*xo-]{8}[ ,/|\n]{1,2}){4,}[+=#*xo-]{8}"
)
_MORSE = pattern(r"(?:\x1a{1,5}[ /|]{1,3}){8,}\x1a{1,5}|\b[01]{1,5}(?:[ /|]{1,3}[01]{1,5}){8,}\b")
_GAPS = " ,/|\n"
_TWO, _MIN_MARKS, _MIN_SIGNS, _MIN_ESCAPES = 2, 40, 16, 5

_DUMP_LINE = r"[0-9a-fA-F]{4,8}:? {1,3}(?:[0-9a-fA-F]{2,4} {1,2}){2,16}[^\n]{0,24}\n?"
_DUMP = pattern(rf"(?:^|\n)(?:{_DUMP_LINE}){{2,}}")
_DUMPED = re.compile(r"^[0-9a-fA-F]{4,8}:? {1,3}((?:[0-9a-fA-F]{2,4} {1,2}){1,16})", re.MULTILINE)
_UUENCODED = pattern(r"begin [0-7]{3,4} [^\n]{1,80}\n((?:[!-`]{2,90}\n?)+)")

_ESCAPE = r"(?:%[0-9A-Fa-f]{2}|&#[xX]?[0-9A-Fa-f]{1,7};|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|=[0-9A-F]{2})"
_MIXED = pattern(rf"(?:{_ESCAPE}[A-Za-z0-9 ,.]*){{5,}}")
_KINDS = re.compile(r"%(?=[0-9A-Fa-f]{2})|&#|\\u|\\x|=(?=[0-9A-F]{2})")
_CODE = re.compile(r"(?:%|\\x|=)([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})")


def _two_signs(page: Page) -> Iterator[Piece]:
    for match in _OCTETS.finditer(page.lower):
        start, end = match.span()
        run = page.text[start:end].translate(_NO_GAPS).lower()
        signs = sorted(set(run))
        if len(signs) == _TWO and len(run) >= _MIN_MARKS:
            for zero, one in (signs, signs[::-1]):
                bits = run.replace(zero, "0").replace(one, "1") if zero != "1" else run
                if said := text_of(int(bits, 2).to_bytes(len(bits) // 8, "big")):
                    yield Piece(said, start, end, "binary")
                    break
    for match in _MORSE.finditer(page.data) if page.wide + page.digits >= _MIN_SIGNS else ():
        start, end = match.span()
        run = page.text[start:end]
        signs = sorted(set(run.translate(_NO_GAPS)))
        if len(signs) != _TWO:
            continue
        for dot, dash in (signs, signs[::-1]):
            if said := from_morse(run.translate(str.maketrans(dot + dash, ".-"))):
                yield Piece(said, start, end, "morse")
                break


_NO_GAPS = str.maketrans("", "", _GAPS)


def _dumped(page: Page) -> Iterator[Piece]:
    """Bytes as `hexdump` and `xxd` print them, and what `uuencode` writes."""
    for match in _DUMP.finditer(page.data) if page.digits >= _MIN_SIGNS else ():
        start, end = match.span()
        digits = "".join(_DUMPED.findall(page.text[start:end])).replace(" ", "")
        if said := text_of(bytes.fromhex(digits[: len(digits) // 2 * 2])):
            yield Piece(said, start, end, "hex")
    for match in _UUENCODED.finditer(page.data) if b"begin " in page.data else ():
        try:
            said = text_of(b"".join(map(binascii.a2b_uu, page.data[slice(*match.span(1))].splitlines())))
        except binascii.Error:
            continue
        if said:
            yield Piece(said, *match.span(), "uuencode")


def _mixed(page: Page) -> Iterator[Piece]:
    if page.signs < _MIN_ESCAPES:
        return
    for match in _MIXED.finditer(page.data):
        start, end = match.span()
        value = page.text[start:end]
        if len(set(_KINDS.findall(value))) < _TWO:
            continue
        said = _CODE.sub(lambda code: chr(int(code.group(1) or code.group(2), 16)), html.unescape(value))
        if is_text(said):
            yield Piece(said, start, end, "escapes")


SYMBOLS: tuple[Decoder, ...] = (_two_signs, _dumped, _mixed)
"""Decoders of codes whose signs differ from text to text."""
