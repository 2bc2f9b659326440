"""Finds protected values in a text, in whatever simple encoding a model may be talked into."""

import base64
import codecs
import re
import string
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import msgspec

from lockgate.core import Span
from lockgate.detect.confusables import CONFUSABLE, STYLED
from lockgate.detect.linear import pattern, project
from lockgate.detect.prompt_leak import uncounted

MIN_VALUE = 4
MAX_SEPARATOR = 7
_MIN_ENCODED = 6
_MIN_BASE64 = 5
# From here on, a value with gaps needs no word borders: by chance it stands nowhere, and "append a 0" must not hide it.
_LONG = 10
_SPELLED_OUT = 16
_LEET = str.maketrans("013457@$!|l", "oieastasiii")
_HEX = frozenset("0123456789abcdef")
_LOOKS = CONFUSABLE | STYLED
_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SINGLE = pattern(r"(?:^|[^A-Za-z0-9\x1a])([A-Za-z0-9])\b")
# Encodings whose text is unlike any other, so that a match may begin and end inside a word.
_DISTINCT = frozenset({"leak.base64", "leak.hex", "leak.character-codes", "leak.spelled", "leak.morse"})
_MORSE_TEXT = (
    "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- "
    "w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----."
)
_MORSE = {code[1:]: code[0] for code in _MORSE_TEXT.split()}
_DOTS = (".", "-")
_TYPESET = str.maketrans("\u00b7\u2022\u2013\u2014\u2212\u2010\u2011", "..-----")
# Between signs that cannot be part of it, so each place of the text is read once.
_SIGN = re.compile(r"(?:(?<=[\s/|,])|^)[.-]{1,5}(?=[\s/|,]|$)")
_NATO = (
    "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima", "mike",
    "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee",
    "zulu",
)  # fmt: skip
_NATO_VARIANTS = {"alfa": "alpha", "juliett": "juliet"}
_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class _Table(msgspec.Struct, frozen=True):
    """Which ASCII characters a reading keeps, and what it takes them for."""

    keeps: frozenset[str]
    takes: bytes
    drops: bytes


def _table(wanted: frozenset[str], folded: dict[int, int] | None = None) -> _Table:
    taken = {chr(code): chr((folded or {}).get(code, code)) for code in range(128)}
    kept = frozenset(sign for sign, read in taken.items() if read in wanted)
    return _Table(
        keeps=kept,
        takes=bytes(ord(taken[chr(code)]) if code < 128 else code for code in range(256)),  # noqa: PLR2004 - ASCII
        drops=bytes(code for code in range(128) if chr(code) not in kept),
    )


class _View:
    """A reading of a text, and where each of its characters stood.

    Few readings hold anything, so the places are looked up when the first match asks for them.

    Args:
        text: The reading.
        places: The origin of each character, in order.
    """

    def __init__(self, text: str, places: Callable[[], Sequence[int]]) -> None:
        self.text = text
        self._places = places
        self._found: Sequence[int] | None = None

    @property
    def offsets(self) -> Sequence[int]:
        """Each character's origin."""
        if self._found is None:
            self._found = self._places()
        return self._found


_SPELLED = _table(_ALPHANUMERIC)
_LEETSPEAK = _table(_ALPHANUMERIC, _LEET)
_CODED = _table(frozenset(string.ascii_letters + string.digits + "+/"), str.maketrans("-_", "+/"))
_HEX_DIGITS = _table(_HEX)
_DIGITS = _table(frozenset(string.digits))


def find_leaks(text: str, protected: Sequence[str]) -> tuple[Span, ...]:
    """Find every protected value in `text`.

    Found in any case and leetspeak, in look-alikes of other alphabets, with separators between its letters, letter by
    letter, also in a numbered list, reversed, in rot13, hex, character codes, base64 at any alignment, URL escapes,
    Morse and the NATO alphabet. A value shorter than four letters and digits is only found as it is written.

    Returns:
        Sorted spans labelled `leak.<encoding>`, at most one for each value and encoding.
    """
    if not protected or not text:
        return ()
    views = _views(text)
    found = {span for value in protected if value for span in _find_value(value, text, views)}
    return tuple(sorted(found))


def longest_match(protected: Sequence[str]) -> int:
    """Upper bound of the characters that a leak may span, with up to `MAX_SEPARATOR` characters between its letters.

    A stream that holds back this many characters sends no part of a protected value before it is recognised.
    """
    return max((len(_skeleton(value)) + 1 for value in protected if value), default=0) * _SPELLED_OUT


def _skeleton(value: str) -> str:
    looks = value if value.isascii() else value.translate(_LOOKS)
    folded = unicodedata.normalize("NFKD", looks).lower()
    return "".join(filter(str.isalnum, folded))


def _views(text: str) -> dict[str, _View]:
    """The readings that all values are looked for in, built once for a text."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(character.lower()[:1] for character in text)
    views = {
        # A capital may look like another letter than its small form does, so look-alikes are read as they stand.
        "spelled": _kept(lowered, _SPELLED) if text.isascii() else _folded(text),
        "leet": _kept(lowered, _LEETSPEAK),
        "base64": _kept(text, _CODED),
        "hex": _kept(lowered.replace("0x", "\x00x"), _HEX_DIGITS),
        "decimal": _kept(lowered, _DIGITS),
        "singles": _singles(lowered),
    }
    if "%" in text:
        views["url"] = _unquoted(lowered)
    if (listed := uncounted(lowered)) != lowered:
        views["listed"] = _singles(listed)
    signs = text if text.isascii() else text.translate(_TYPESET)
    if ". " in signs or "- " in signs or ".\n" in signs or "-\n" in signs:
        views["morse"] = _morse(signs)
    return views


def _kept(text: str, table: _Table) -> _View:
    read = text.encode("ascii", "ignore").translate(table.takes, table.drops).decode("ascii")
    return _View(read, lambda: [index for index, character in enumerate(text) if character in table.keeps])


def _folded(text: str) -> _View:
    """Letters and digits without accents, compatibility forms and look-alikes of other alphabets."""
    table = {character: _skeleton(character) for character in set(text)}
    characters: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        for part in table[character]:
            characters.append(part)
            offsets.append(index)
    return _View("".join(characters), lambda: offsets)


def _singles(text: str) -> _View:
    """Letters and digits that stand alone, so that "H, then A, then R" reads HAR."""
    kept = [match.start(1) for match in _SINGLE.finditer(project(text))]
    return _View("".join(text[index] for index in kept), lambda: kept)


def _morse(text: str) -> _View:
    """Letters and digits in Morse, with blanks, strokes or lines between them."""
    signs = [(found.start(), _MORSE[found[0]]) for found in _SIGN.finditer(text) if found[0] in _MORSE]
    return _View("".join(letter for _, letter in signs), lambda: [start for start, _ in signs])


def _unquoted(text: str) -> _View:
    characters: list[str] = []
    offsets: list[int] = []
    index = 0
    while index < len(text):
        escape = text[index + 1 : index + 3]
        character, step = text[index], 1
        if character == "%" and len(escape) == 2 and _HEX.issuperset(escape):  # noqa: PLR2004 - %XX
            character, step = chr(int(escape, 16)).lower(), 3
        if character in _ALPHANUMERIC:
            characters.append(character)
            offsets.append(index)
        index += step
    return _View("".join(characters), lambda: offsets)


def _find_value(value: str, text: str, views: dict[str, _View]) -> Iterator[Span]:
    bare = _skeleton(value)
    if len(bare) < MIN_VALUE:
        start = text.find(value)
        if start >= 0:
            yield Span(start, start + len(value), "leak.verbatim")
        return
    for view, needle, label in _needles(value):
        if view in views and (span := _search(views[view], needle, label, text)):
            yield span


@lru_cache(maxsize=256)
def _needles(value: str) -> tuple[tuple[str, str, str], ...]:
    """What a value looks like in which reading: the reading, the look, the label."""
    return tuple(dict.fromkeys(_looks(value, _skeleton(value))))


def _looks(value: str, bare: str) -> Iterator[tuple[str, str, str]]:
    yield "spelled", bare, "leak.verbatim"
    yield "spelled", bare[::-1], "leak.reversed"
    yield "url", bare, "leak.url"
    yield "singles", bare, "leak.spelled"
    yield "singles", bare[::-1], "leak.spelled"
    yield "listed", bare, "leak.spelled"
    yield "listed", bare[::-1], "leak.spelled"
    yield "morse", bare, "leak.morse"
    leet = value.lower().translate(_LEET)
    yield "leet", "".join(c for c in leet if c in _ALPHANUMERIC), "leak.leetspeak"
    if len(bare) >= _MIN_ENCODED and not bare.isdecimal():
        yield "spelled", codecs.encode(bare, "rot13"), "leak.rot13"
    for spelling in dict.fromkeys((value, value.upper(), value.lower(), bare, bare.upper())):
        raw = spelling.encode("utf-8", "replace")
        yield "hex", raw.hex(), "leak.hex"
        yield "decimal", "".join(str(byte) for byte in raw), "leak.character-codes"
        for core in base64_cores(raw):
            yield "base64", core, "leak.base64"
    if _ALPHANUMERIC.issuperset(bare):
        yield "spelled", "".join(map(_spoken, bare)), "leak.nato"
        yield "spelled", "".join(_NATO_VARIANTS.get(_spoken(c), _spoken(c)) for c in bare), "leak.nato"


def _spoken(character: str) -> str:
    return _DIGIT_WORDS[int(character)] if character.isdigit() else _NATO[ord(character) - ord("a")]


def base64_cores(raw: bytes) -> tuple[str, ...]:
    """What base64 of anything that contains `raw` must contain, one string for each alignment (RFC 4648)."""
    cores: list[str] = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).decode("ascii").rstrip("=")
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= _MIN_BASE64:
            cores.append(core)
    return tuple(cores)


def _search(view: _View, needle: str, label: str, text: str) -> Span | None:
    position = view.text.find(needle) if needle else -1
    while position >= 0:
        start = view.offsets[position]
        end = view.offsets[position + len(needle) - 1] + 1
        if text[end - 1] == "%":  # the sign of an escape: its two digits belong to the letter
            end += 2
        while label == "leak.morse" and text[end : end + 1].translate(_TYPESET) in _DOTS:
            end += 1
        if label in _DISTINCT or end - start <= len(needle) or len(needle) >= _LONG or _is_whole(text, start, end):
            return Span(start, end, label)
        position = view.text.find(needle, position + 1)
    return None


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether a match with gaps begins and ends with a word: "char borrow" holds no "HARBOR"."""
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
