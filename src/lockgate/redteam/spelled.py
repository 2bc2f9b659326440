"""Readings of a text that a person, but no filter, would try: numbers as letters, Morse, words for letters."""

import base64
from collections.abc import Callable, Iterator
from functools import lru_cache

_MORSE_TEXT = (
    "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- "
    "w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----."
)
_MORSE = {code[1:]: code[0] for code in _MORSE_TEXT.split()}
_NATO = (
    "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey xray yankee zulu"
)
_DIGITS = "zero one two three four five six seven eight nine"
_WORDS = (
    {word: word[0] for word in _NATO.split()}
    | {word: str(digit) for digit, word in enumerate(_DIGITS.split())}
    | {"alpha": "a", "juliet": "j", "niner": "9", "dash": "", "hyphen": "", "minus": ""}
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST = 8
"""Letters and digits from which a value is looked for in codes."""
_ASCII = "".join(map(chr, range(128)))
_SPACED = str.maketrans({sign: " " for sign in _ASCII if not sign.isalnum()})
_DROPPED = "".join(sign for sign in _ASCII if not sign.isalnum()).encode("ascii")
_HEX = frozenset("0123456789abcdef")
_NUMERIC = _HEX | frozenset("xo")  # as in 0x41 and 0o101
_SHORTEST_CODED = 16
_LONGEST_CODED = 8_192
_MOST_CODED = 64
_PRINTABLE = range(32, 127)


def squeeze(text: str) -> str:
    """Letters and digits of a text, case-folded, without anything between them."""
    if text.isascii():
        return text.lower().encode("ascii").translate(None, _DROPPED).decode("ascii")
    return "".join(filter(str.isalnum, text.casefold()))


def readings(text: str) -> Iterator[str]:
    """What a text says when it is taken for one of the codes that need no key.

    Numbers in base 2, 8, 10 and 16, also as the escapes of JSON, C, URLs and HTML, Morse, the spelling alphabet and
    digits as words, letters in a numbered list or table, Base32, Ascii85 and Base85. Linear in the text. A reading of
    fewer than `SHORTEST` letters is left out: no value that short is looked for in a code.
    """
    words = _words(text)
    yield "".join([_WORDS.get(word, word) for word in words])
    if "1" in words:
        yield _unnumbered(words)
    # Whatever reads as a number in one of the bases also does in base 16.
    digits = [bare for word in words if word[-1] in _HEX and _NUMERIC.issuperset(bare := word.lstrip("ux"))]
    if len(digits) >= SHORTEST:
        for base in (2, 8, 10, 16):
            yield _numbers(digits, base)
    # A full stop may end the sentence instead of the letter.
    tokens = [token for token in text.replace("/", " ").replace("\N{MIDDLE DOT}", ".").split() if token[0] in ".-"]
    if len(tokens) >= SHORTEST:
        yield "".join([_MORSE.get(token) or _MORSE.get(token.removesuffix("."), "") for token in tokens])
    coded = [token for token in text.split() if len(token) >= _SHORTEST_CODED][:_MOST_CODED]
    for form in dict.fromkeys(form for token in coded for form in (token, token.strip("\"'`.,;:()[]*"))):
        for decode in (_base32, base64.a85decode, base64.b85decode):
            yield _decoded(form[:_LONGEST_CODED], decode)


def _words(text: str) -> list[str]:
    folded = text.casefold()
    if folded.isascii():
        return folded.translate(_SPACED).split()
    return "".join([sign if sign.isalnum() else " " for sign in folded]).split()


@lru_cache(maxsize=64)
def rotated(needle: str) -> tuple[str, ...]:
    """A text in lower-case letters and digits under every Caesar shift, and mirrored (Atbash)."""
    tables = [str.maketrans(_LETTERS, _LETTERS[by:] + _LETTERS[:by]) for by in range(1, len(_LETTERS))]
    return tuple(needle.translate(table) for table in (*tables, str.maketrans(_LETTERS, _LETTERS[::-1])))


def _unnumbered(words: list[str]) -> str:
    kept: list[str] = []
    counter = 1
    for word in words:
        if word == str(counter):
            counter += 1
        else:
            kept.append(word)
    return "".join(kept)


def _numbers(digits: list[str], base: int) -> str:
    signs: list[str] = []
    for word in digits:
        try:
            value = int(word, base) if 1 < len(word) <= 8 else 0  # noqa: PLR2004 - a byte's
        except ValueError:
            continue
        if value in _PRINTABLE:
            signs.append(chr(value))
    return "".join(signs)


def _base32(token: str) -> bytes:
    bare = token.rstrip("=").upper()
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def _decoded(token: str, decode: Callable[[str], bytes]) -> str:
    try:
        return decode(token).decode()
    except ValueError:
        return ""
