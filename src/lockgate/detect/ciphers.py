"""Reads letters that stand for other letters: Caesar shifts, Atbash, ROT47, and what is written from back to front.

A shift is recognised by words, not tried: a word minus its first letter's distance from `a` is the same under every
shift, so one look in a table says which shifts would make a known word of it, and all words vote.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from string import ascii_lowercase, ascii_uppercase

import msgspec

from lockgate.detect.lexicon import CLASSES
from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, around, rewritten
from lockgate.detect.wording import KNOWN, reads

_ALPHABET = 26
_MIN_WORD = 3
_SURE_WORD = 6
_MIN_VOTES = 4
_MAX_CIPHERS = 3
_MAX_GAP = 8
_LEAST_PLAIN = 2
_KNOWN_SHARE = 0.25
_TOKEN = re.compile("[a-z]+")
_LONG_TOKEN = re.compile(b"[a-z]{3,}")

# Pairs of letters of which fewer than 8 in 10,000 are one, in each of twenty languages in Latin letters.
_RARE = (
    "a[qx]|b[cdfghjkmnpqtvwxz]|c[bfgmpqvwx]|d[bfgqwx]|e[q]|f[bcdghjkmnpqvwxyz]|g[cfjmqvwxz]|h[bcfghpqxz]|"
    "j[bcghjlpqrvwxy]|k[bfgjmpqxz]|l[bpqrwxz]|m[chjqrvx]|n[bqx]|o[qx]|p[bcfgjkmnqvxz]|q[a-tv-z]|r[qx]|s[bfgjqrx]|"
    "t[bcdfgpqx]|u[q]|v[bdfghjklmpqtvwx]|w[bfgjklmpqtuvwxz]|x[bcdfghjklmnpqrsvwyz]|y[bfqx]|z[bfhjqvx]"
)
_UNLIKELY_SHAPE = rf"(?:(?:{_RARE})[a-z ,.']{{0,16}}){{2}}"
_UNLIKELY = pattern(_UNLIKELY_SHAPE)


def _rotation(shift: int) -> dict[int, int]:
    """Undoes a Caesar shift."""
    return str.maketrans(
        ascii_lowercase + ascii_uppercase,
        "".join(letters[-shift:] + letters[:-shift] for letters in (ascii_lowercase, ascii_uppercase)),
    )


_ROTATIONS = [_rotation(shift) for shift in range(_ALPHABET)]
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _typed(step: int) -> Mapping[int, int | str]:
    """Undoes hands that lay a key too far on an English keyboard, or typing with the neighbour of each key."""
    rows = [*_ROWS, *map(str.upper, _ROWS)]
    return {ord(key): ord(row[(place - step) % len(row)]) for row in rows for place, key in enumerate(row)}


_OTHERS: tuple[tuple[str, Mapping[int, int | str]], ...] = (
    ("atbash", str.maketrans(ascii_lowercase + ascii_uppercase, ascii_lowercase[::-1] + ascii_uppercase[::-1])),
    ("keyboard", _typed(1)),
    ("keyboard", _typed(-1)),
)
"""Ciphers that replace each letter by another one and are no shift; in votes they follow the shifts."""
_ROT47 = str.maketrans({chr(33 + code): chr(33 + (code + 47) % 94) for code in range(94)})
_OTHER_BYTES = [
    bytes.maketrans(ascii_lowercase.encode(), ascii_lowercase.translate(table).encode()) for _, table in _OTHERS
]
_FROM_A = {
    first: bytes.maketrans(ascii_lowercase.encode(), (ascii_lowercase[-shift:] + ascii_lowercase[:-shift]).encode())
    for shift, first in enumerate(ascii_lowercase.encode())
}
_KNOWN_BYTES = frozenset(word.encode("ascii") for word in KNOWN)

_ORDERS = frozenset(word for word in CLASSES if word.isascii() and word.isalpha() and len(word) >= _SURE_WORD)
_FREQUENT = """
    the and that this with your you have from what when will would about there their which following before
    should text answer all read tell show give write make they them into just only like than then were been have
    does here word words rule rules list next each send open close ticket under after again never always please
    nicht deine dein eine para pour dans votre
"""


def _any(words: Sequence[str]) -> str:
    return "|".join(sorted(set(words) - KNOWN))


_ROT13_SHAPE = rf"\b(?:{_any([word.translate(_ROTATIONS[13]) for word in _ORDERS])})\b"
_IN_ROT13 = pattern(_ROT13_SHAPE)
_SDRAWKCAB = _any([word[::-1] for word in _FREQUENT.split()])
_BACKWARDS_SHAPE = (
    rf"\b(?:{_any([word[::-1] for word in _ORDERS])})\b"
    rf"|\b(?:{_SDRAWKCAB})\b[^a-z]+(?:[a-z]+[^a-z]+){{0,5}}(?:{_SDRAWKCAB})\b"
)
_BACKWARDS = pattern(_BACKWARDS_SHAPE)
_NOUNS = "instructions|rules|prompt|guidelines|directives|restrictions|instruction|prompts"
_LAST_FIRST_SHAPE = (
    rf"\b(?:(?:{_NOUNS}) (?:previous|prior|earlier|system|initial|original)|(?:previous|prior|your) (?:all|the)"
    r"|(?:all|previous|prior) (?:ignore|disregard|forget|bypass|override|reveal))\b"
    r"|\b(?:the|your) (?:of|into|from|at|to|for) .{0,60}\b(?:the|a|your|this) (?:of|into|from|at|to|for|with)\b"
)
_LAST_FIRST = pattern(_LAST_FIRST_SHAPE)
# Most lower-case letters become digits, capitals up to K and marks, so that a mark stands inside a word.
_MARKED = pattern(r"(?:[!-~]{0,12}[2-9A-K][:-@][2-9:-K][!-~]{0,12}\s?){2,}")
_WORD = re.compile("[A-Za-z]+")


class _Token(msgspec.Struct, frozen=True):
    word: str
    start: int
    end: int
    plain: bool


@cache
def _shapes() -> dict[bytes, bytes]:
    """First letters of the known words, by what the word is when shifted to begin with `a`."""
    shapes: dict[bytes, bytes] = {}
    for word in sorted(_KNOWN_BYTES):
        if len(word) >= _MIN_WORD:
            shape = word.translate(_FROM_A[word[0]])
            shapes[shape] = shapes.get(shape, b"") + word[:1]
    return shapes


def _tokens(page: Page) -> list[_Token]:
    return [
        _Token(match.group(), match.start(), match.end(), match.group() in KNOWN)
        for match in _TOKEN.finditer(page.lower.decode("ascii"))
    ]


def _shifted(page: Page) -> Iterator[Piece]:
    """Caesar shifts, Atbash and shifted keys, where the letters are unlike those of any language."""
    if not (_UNLIKELY.search(page.lower) or _IN_ROT13.search(page.lower)):
        return
    tokens: list[_Token] = []
    for cipher, count in _votes(page).most_common(_MAX_CIPHERS):
        name, table = _OTHERS[cipher - _ALPHABET] if cipher >= _ALPHABET else (f"rot{cipher}", _ROTATIONS[cipher])
        if count < _MIN_VOTES or not cipher:
            continue
        tokens = tokens or _tokens(page)
        for start, end in _stretches(tokens, lambda word, table=table: word.translate(table)):
            value = page.text[start:end]
            yield Piece(value.translate(table), start, end, name)
            plain = [token for token in tokens if start <= token.start < end and token.plain]
            if sum(len(token.word) >= _MIN_WORD for token in plain) >= _LEAST_PLAIN:
                yield Piece(
                    _WORD.sub(lambda match, table=table: _unless_known(match.group(), table), value), start, end, name
                )


def _unless_known(word: str, table: Mapping[int, int | str]) -> str:
    """Every other word may stand in plain text: such a word is known as it is, and not when translated."""
    said = word.translate(table)
    return word if word.lower() in KNOWN and said.lower() not in KNOWN else said


def _votes(page: Page) -> "Counter[int]":
    """How many letters speak for each shift, and for each of the other ciphers, whose numbers follow."""
    votes: Counter[int] = Counter()
    shapes = _shapes()
    for word in _LONG_TOKEN.findall(page.lower):
        if word in _KNOWN_BYTES:
            continue
        for first in shapes.get(word.translate(_FROM_A[word[0]]), b""):
            votes[(word[0] - first) % _ALPHABET] += len(word) - 2
        for number, table in enumerate(_OTHER_BYTES, _ALPHABET):
            if word.translate(table) in _KNOWN_BYTES:
                votes[number] += len(word) - 2
    return votes


def _backwards(page: Page) -> Iterator[Piece]:
    """Text from back to front: once read as a whole, once word by word, as only the order of the words differs."""
    if not _BACKWARDS.search(page.lower):
        return
    for start, end in _stretches(_tokens(page), lambda word: word[::-1]):
        value = page.text[start:end]
        yield Piece(value[::-1], start, end, "reversed")
        yield Piece(_WORD.sub(lambda match: match.group()[::-1], value), start, end, "reversed-words")


def _last_word_first(page: Page) -> Iterator[Piece]:
    last = 0
    for match in _LAST_FIRST.finditer(page.lower):
        start, end = around(page, *match.span())
        if match.start() >= last:
            yield Piece(" ".join(reversed(page.text[start:end].split())), start, end, "reversed-order")
            last = end


def _stretches(tokens: Sequence[_Token], read: Callable[[str], str]) -> Iterator[tuple[int, int]]:
    """Runs of tokens that are no known words, many of which `read` makes known ones."""
    hits = [
        index
        for index, token in enumerate(tokens)
        if not token.plain and len(token.word) >= _MIN_WORD and read(token.word) in KNOWN
    ]
    first = 0
    for place in range(len(hits)):
        if place + 1 < len(hits) and hits[place + 1] - hits[place] <= _MAX_GAP:
            continue
        begin, end = _widened(tokens, hits[first], hits[place])
        words = [read(token.word) for token in tokens[begin : end + 1]]
        sure = any(len(tokens[index].word) >= _SURE_WORD for index in hits[first : place + 1])
        if reads(words, _KNOWN_SHARE) or sure:
            yield tokens[begin].start, tokens[end].end
        first = place + 1


def _widened(tokens: Sequence[_Token], begin: int, end: int) -> tuple[int, int]:
    """A run with the unknown words next to it."""
    first, last = max(0, begin - _MAX_GAP), min(len(tokens) - 1, end + _MAX_GAP)
    while begin > first and not tokens[begin - 1].plain:
        begin -= 1
    while end < last and not tokens[end + 1].plain:
        end += 1
    return begin, end


def _rot47(page: Page) -> Iterator[Piece]:
    if page.signs < _MIN_WORD or page.digits < _MIN_WORD:
        return
    for match in _MARKED.finditer(page.data):
        start, end = around(page, *match.span())
        said = page.text[start:end].translate(_ROT47)
        if reads(_TOKEN.findall(said.lower()), _KNOWN_SHARE):
            yield Piece(said, start, end, "rot47")


_PIG_SHAPE = r"(?:\b[a-z']+ay\b[ ,.;:!?\n]{1,3}){2,}[a-z']+ay\b"
_PIG = pattern(_PIG_SHAPE)
_VOWEL = re.compile("[aeiouy]")
_CLUSTER = 4


def _pig_latin(page: Page) -> Iterator[Piece]:
    for match in _PIG.finditer(page.lower):
        words = [
            Hit(word.start() + match.start(), word.end() + match.start(), _unpig(word.group()))
            for word in _TOKEN.finditer(page.lower[match.start() : match.end()].decode("ascii"))
        ]
        if reads([word.text for word in words], _KNOWN_SHARE):
            yield from rewritten(page, words, "pig-latin")


def _unpig(word: str) -> str:
    """The word behind `ignoreway`, `allyay`, `eviouspray`: a known one if there is one."""
    stem = word.removesuffix("ay")
    if stem == word:
        return word
    # All consonants at the end come first; fewer, where the word itself ends in some.
    cluster = next((size for size in range(1, len(stem)) if _VOWEL.match(stem[-size - 1])), 1)
    if stem[-1:] == "w" and stem[:-1] in KNOWN:
        return stem[:-1]
    options = [stem[-size:] + stem[:-size] for size in (cluster, *range(_CLUSTER, 0, -1)) if size < len(stem)]
    known = next((option for option in (*options, stem[:-1]) if option in KNOWN), "")
    if known or not options:
        return known or word
    return stem[:-1] if stem[-1] in {"w", "y"} and _VOWEL.match(stem) else options[0]


MARKED: tuple[Decoder, ...] = (_rot47,)
"""Decoders of ciphers that also replace marks."""

CIPHERS: tuple[Decoder, ...] = (_shifted, _backwards, _last_word_first, _pig_latin)
"""Decoders of letters that stand for others, or in another order."""

CIPHER_SHAPES = (_UNLIKELY_SHAPE, _ROT13_SHAPE, _BACKWARDS_SHAPE, _LAST_FIRST_SHAPE, _PIG_SHAPE)
"""Lower-case text without which none of them has anything to read."""
