"""Readings of a text that a person, but no filter, would try: numbers as letters, Morse, words for letters."""

import base64
import html
import re
import string
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from urllib.parse import unquote

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
_DIGIT_WORDS = {word: sign for word, sign in _WORDS.items() if sign.isdecimal()}
_DIGIT_NAMES = frozenset(_DIGIT_WORDS)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST = 8
"""Letters and digits from which a value is looked for in codes."""
_ASCII = "".join(map(chr, range(128)))
_SPACED = str.maketrans({sign: " " for sign in _ASCII if not sign.isalnum()})
_DROPPED = "".join(sign for sign in _ASCII if not sign.isalnum()).encode("ascii")
_HEX = frozenset("0123456789abcdef")
_MORSE_SIGNS = ".-\N{MIDDLE DOT}"
_ESCAPES = frozenset("\\&%")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")
_PLACES = {str(place): letter for place, letter in enumerate(_LETTERS, start=1)}
_ROWS = ("qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
_KEYS = tuple(str.maketrans("".join(row[by:] + row[:by] for row in _ROWS), "".join(_ROWS)) for by in (1, -1))
"""Each key taken for the one beside it on the same row of a keyboard, in both directions."""
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


def readings(text: str, needs: Collection[frozenset[str]] = (frozenset(),)) -> Iterator[str]:
    """What a text says when it is taken for one of the codes that need no key.

    Numbers in base 2, 8, 10 and 16, also as the escapes of JSON, C, URLs and HTML, Morse, the spelling alphabet and
    digits as words, letters by their place in the alphabet or in a numbered list or table, letters that stand alone,
    the first letters of words and lines, neighbouring keys, Pig Latin, every second letter, Base32, Ascii85 and Base85.
    Linear in the text. A reading of fewer than `SHORTEST` letters is left out: no value that short is looked for in a
    code.

    Args:
        text: What is read.
        needs: The digits of each value that is looked for. A reading that cannot hold all digits of one of them may be
            left out; by default none is.
    """
    words = _words(text)
    held = _digits_of(text)
    kept = any(need <= held for need in needs)
    named = held.union(map(_DIGIT_WORDS.__getitem__, _DIGIT_NAMES.intersection(words)))
    if any(need <= named for need in needs):
        yield _spoken(words)
    if kept:
        yield from _rearranged(text, words)
    if not _ESCAPES.isdisjoint(text):
        yield unquote(html.unescape(_ESCAPE.sub(_unescaped, text[:_LONGEST_CODED])))
    # What is printable has a digit of its own in every base, and whatever reads as a number also does in base 16.
    if held and sum(map(text.count, held)) >= SHORTEST:
        digits = [bare for word in words if word[-1] in _HEX and _NUMERIC.issuperset(bare := word.lstrip("ux"))]
        if len(digits) >= SHORTEST:
            for base in (2, 8, 10, 16):
                yield _numbers(digits, base)
    if sum(map(text.count, _MORSE_SIGNS)) >= SHORTEST:
        # A full stop may end the sentence instead of the letter.
        tokens = [token for token in text.replace("/", " ").replace("\N{MIDDLE DOT}", ".").split() if token[0] in ".-"]
        if len(tokens) >= SHORTEST:
            yield "".join([_MORSE.get(token) or _MORSE.get(token.removesuffix("."), "") for token in tokens])
    yield from _unpacked(text)


def _unpacked(text: str) -> Iterator[str]:
    """What long words say by every second letter, and as Base32, Ascii85 and Base85."""
    coded = [token for token in text.split() if len(token) >= _SHORTEST_CODED][:_MOST_CODED]
    for form in dict.fromkeys(form for token in coded for form in _forms(token)):
        yield form[::2]
        yield form[1::2]
        for decode in (_base32, base64.a85decode, base64.b85decode):
            yield _decoded(form[:_LONGEST_CODED], decode)


def _rearranged(text: str, words: list[str]) -> Iterator[str]:
    """The readings that hold no digit which is not in the text."""
    if "1" in words:
        yield _unnumbered(words)
    yield "".join([word for word in words if len(word) == 1 or word.isdecimal()])
    yield "".join([word if word.isdecimal() else word[0] for word in words])
    if text.count("\n") >= SHORTEST - 1:
        yield "".join([_initial(line) for line in text.casefold().splitlines()])
    yield "".join([_PLACES.get(word, word) for word in words])
    yield from (text.casefold().translate(keys) for keys in _KEYS)
    if sum(word.endswith("ay") for word in words) > 1:
        yield from (" ".join([_unlatin(word, size) for word in words]) for size in (1, 2))


def _digits_of(text: str) -> frozenset[str]:
    return frozenset([digit for digit in string.digits if digit in text])


def spoken(text: str) -> str:
    """What a text spells with the spelling alphabet and with digits and dashes as words."""
    return _spoken(_words(text))


def _spoken(words: list[str]) -> str:
    return "".join([_WORDS.get(word, word) for word in words])


def _forms(token: str) -> tuple[str, ...]:
    """A token with and without what may belong to the sentence around it."""
    return token, token[:-1], token.strip("\"'`.,;:()[]*")


def _unlatin(word: str, size: int) -> str:
    """A word of Pig Latin whose first `size` letters went to its end, before "ay"."""
    stem = word.removesuffix("ay")
    return word if stem == word or len(stem) <= size else stem[-size:] + stem[:-size]


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2], 16))


def _initial(line: str) -> str:
    """The first letter of a line and its numbers: an acrostic may spell a value, but not its digits."""
    letters = squeeze(line)
    return letters[:1] + "".join(filter(str.isdecimal, letters[1:]))


def _words(text: str) -> list[str]:
    folded = text.casefold()
    if folded.isascii():
        return folded.translate(_SPACED).split()
    return "".join([sign if sign.isalnum() else " " for sign in folded]).split()


@lru_cache(maxsize=64)
def rotated(needle: str) -> tuple[str, ...]:
    """A text in lower-case letters and digits under every Caesar shift, of its digits or not, and mirrored (Atbash)."""
    shifts = range(1, len(_LETTERS))
    tables = [str.maketrans(_LETTERS, _LETTERS[by:] + _LETTERS[:by]) for by in shifts]
    digits = [str.maketrans(string.digits, string.digits[by % 10 :] + string.digits[: by % 10]) for by in shifts]
    both = [letters | numbers for letters, numbers in zip(tables, digits, strict=True)]
    rot18 = tables[12] | digits[4]
    mirrored = str.maketrans(_LETTERS, _LETTERS[::-1])
    return tuple(dict.fromkeys(needle.translate(table) for table in (*tables, *both, rot18, mirrored)))


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
