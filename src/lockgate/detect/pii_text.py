"""Text as the detectors of personal data read it: one ASCII byte a code point, accents and typographic forms undone."""

import functools
import unicodedata

from lockgate.detect.linear import SUBSTITUTE

_LATIN = range(0xA1, 0x250), range(0x1E00, 0x1F00)
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_BEYOND = _FULL_WIDTH.stop
_LETTERS = dict(zip(map(ord, "ßøØłŁđĐðÐþÞæÆœŒıħĦ"), "soOlLdDdDtTaAoOihH", strict=True))
_MARKS = {
    **dict.fromkeys((0xA0, 0x2007, 0x2009, 0x200A, 0x202F, 0x3000), " "),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0x2BC, 0xB4), "'"),
    **dict.fromkeys((0xAA, 0xB0, 0xBA), "."),
}
_DIGIT_ZEROS = (0x660, 0x6F0, 0x966)


def folded(text: str) -> bytes:
    """`text` as ASCII, one byte a code point, so that offsets stay true.

    Letters lose their accents, digits of other scripts and full-width forms become ASCII, so do typographic blanks,
    hyphens and apostrophes; everything else that is not ASCII becomes 0x1A.
    """
    if text.isascii():
        return text.encode("ascii")
    import numpy as np  # noqa: PLC0415 - takes long to load, and plain text does without

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    table = np.frombuffer(_table(), dtype=np.uint8)
    return table[np.minimum(codes, _BEYOND)].tobytes()


@functools.cache
def _table() -> bytes:
    """What each code point becomes, up to the first one behind the tables, which stands for all that follow."""
    table = {code: _bare(chr(code)) for codes in _LATIN for code in codes if chr(code).isalpha()}
    table |= {code: chr(code - 0xFEE0) for code in _FULL_WIDTH}
    table |= {zero + digit: str(digit) for zero in _DIGIT_ZEROS for digit in range(10)}
    table |= _LETTERS | _MARKS
    folded = bytearray(range(128)) + SUBSTITUTE * (_BEYOND + 1 - 128)
    for code, letter in table.items():
        if letter.isascii():
            folded[code] = ord(letter)
    return bytes(folded)


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]
