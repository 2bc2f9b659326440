"""Reads words whose letters were replaced, doubled, broken up, run together or handed over in pieces."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from string import ascii_lowercase

from lockgate.detect.lexicon import ACT, CANCEL, CLASSES, FREE, LIMITS, ORDERS, PRIOR, REVEAL, SECRET, SYSTEM
from lockgate.detect.linear import Match, pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, around, rewritten
from lockgate.detect.wording import KNOWN, segmented

_LONG = 6
_MIN_WORD = 3
_MIN_QUOTES = 4
_LEET_SHARE = 0.25
_KNOWN_SHARE = 0.85
_MIN_WORDS = 3
_ORDERING = frozenset((CANCEL, PRIOR, ORDERS, REVEAL, SYSTEM, SECRET, ACT, FREE, LIMITS))
_MAX_UNSPACED = 400
_MAX_SEGMENTED = 60_000
_MAX_NAMES = 64
_MAX_JOINED = 4000
_GAP = 160

_LEET = str.maketrans("0134567892@$!|+(€£", "oieasgtbgzasiitcel")
_LEET_WITH_L = str.maketrans("0134567892@$!|+(€£", "oleasgtbgzasiltcel")
_LEET_SIGNS = r"0-9@$!|+(\x1a"
# Two words that hold a sign between letters, or begin with one, near each other.
_LEET_WORDS = pattern(
    rf"(?:(?:[a-z][{_LEET_SIGNS}]{{1,3}}[a-z]|(?:^|[\s\"'])[0-9@$][a-z0-9@$]{{2}})[^\n]{{0,30}}){{2}}"
)
_LEET_WORD = re.compile(r"[a-z0-9@$!|+(€£]+")
_LETTER = re.compile("[a-z]")
_VOWEL = re.compile("[aeiouy]")
_WOVEN = re.compile("[a-z][0-9@$]+[a-z]|^[0-9][a-z]{2}")
# Hexadecimal digits, or letters before digits: codes, not words.
_CODE = re.compile("(?:0x)?[0-9a-f]+|[A-Za-z]{1,3}[0-9]+[a-z]?|[0-9]+[A-Za-z]{1,3}")
_TOKEN = re.compile(r"[^\s,;.]+")
_LEAST_WOVEN, _DENSE_SHARE = 3, 0.4
_SIGN = re.compile(r"[0-9@$!|+(€£]")

_DOUBLED_SHAPE = r"\b(?:" + "|".join(letter * 2 for letter in ascii_lowercase) + r"){2}"
_DOUBLED = pattern(r"\b(?:" + "|".join(letter * 2 for letter in ascii_lowercase) + r"){2,}\b")
_STRETCHED_SHAPE = "|".join(letter * 3 for letter in ascii_lowercase)
_STRETCHED = pattern(r"[a-z]*(?:" + "|".join(letter * 3 for letter in ascii_lowercase) + r")[a-z]*")
_RUN = re.compile(r"([a-z])\1{2,}")
_BREAKS = r"[.*|_~^+=:;!#`/\\\x1a-]"
_BROKEN_SHAPE = rf"[a-z]{_BREAKS}{{1,3}}[a-z].{{0,20}}[a-z]{_BREAKS}{{1,3}}[a-z]"
_BROKEN = pattern(rf"\b[a-z]{{1,8}}(?:{_BREAKS}{{1,3}}[a-z]{{1,8}})+\b")
_UNSPACED = pattern(r"[a-z]{16,}")
# Only orders are worth taking apart: long compounds are ordinary words in many languages.
_ORDER = pattern("|".join(sorted(word for word in KNOWN if len(word) >= _LONG and CLASSES.get(word) in _ORDERING)))
_UNSPACED_SHAPE = r"[a-z]{16}"
_QUOTED = r"(?:\"[^\"\n]*\"|'[^'\n]*')"
_CONCATENATED = pattern(rf"{_QUOTED}(?:\s{{0,3}}(?:\+|&|\.\.?|~|\|\||\\)\s{{0,3}}{_QUOTED})+")
_ASSIGNED = pattern(r"\b([A-Za-z_][A-Za-z0-9_]{0,20})\s{0,2}(?::=|=|:| is )\s{0,2}(\"[^\"\n]*\"|'[^'\n]*')")
_SUM = pattern(
    r"\b[A-Za-z_][A-Za-z0-9_]{0,20}(?:\s{0,2}[+&]\s{0,2}(?:\"[^\"\n]*\"|'[^'\n]*'|[A-Za-z_][A-Za-z0-9_]{0,20}))+"
)
_TEMPLATE = pattern(r"(?:\$?\{\{?\s?[A-Za-z_][A-Za-z0-9_]{0,20}\s?\}?\}[ ]?){2,}")
# Names in brackets, as they are handed to `format`, `join` or `%`.
_LISTED = pattern(r"[(\[]\s{0,2}[A-Za-z_][A-Za-z0-9_]{0,20}(?:\s{0,2},\s{0,2}[A-Za-z_][A-Za-z0-9_]{0,20})+\s{0,2}[)\]]")
_LITERAL = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_PART = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|[A-Za-z_]\w*")


def _leet(page: Page) -> Iterator[Piece]:
    if page.digits + page.signs + page.wide < _MIN_WORD:
        return
    for near in _merged(page, _LEET_WORDS.finditer(page.lower)):
        start, end = around(page, *near)
        lowered = page.text[start:end].lower()
        if len(lowered) != end - start:
            continue
        hits: list[Hit] = []
        proof: list[str] = []
        for match in _LEET_WORD.finditer(lowered):
            word = match.group()
            if not (_LETTER.search(word) and _SIGN.search(word)):
                continue
            text = _unleet(word)
            hits.append(Hit(start + match.start(), start + match.end(), text))
            if len(text) >= _MIN_WORD and text.rstrip("i!") in KNOWN:
                proof.append(text)
        sure = len(set(proof)) > 1 or any(len(word) >= _LONG for word in proof)
        if (sure and len(proof) >= _LEET_SHARE * len(hits)) or _is_dense(page, hits, start, end):
            yield from rewritten(page, hits, "leetspeak")


def _is_dense(page: Page, hits: Sequence[Hit], start: int, end: int) -> bool:
    """Whether words of any language hold so many signs that no table of codes does: most words, in lower case."""
    words = [page.text[hit.start : hit.end] for hit in hits]
    woven = sum(_WOVEN.search(word) is not None and not _CODE.fullmatch(word) for word in words)
    spoken = sum(_VOWEL.search(hit.text) is not None for hit in hits)
    least = max(_LEAST_WOVEN, _DENSE_SHARE * len(_TOKEN.findall(page.text[start:end])))
    return woven >= least and spoken >= _KNOWN_SHARE * len(hits)


def _unleet(word: str) -> str:
    """A word with signs read as letters; a 1 is an i or an l, and a mark at the end is a mark."""
    core = word.rstrip("!|+(")
    for table in (_LEET, _LEET_WITH_L):
        for value in (word, core):
            if (text := value.translate(table)) in KNOWN:
                return text + word[len(value) :]
    first, _, rest = core.partition("1")
    mixed = first.translate(_LEET) + "i" + rest.translate(_LEET_WITH_L)
    return (mixed if "1" in core and mixed in KNOWN else core.translate(_LEET)) + word[len(core) :]


def _merged(page: Page, matches: Iterator[Match]) -> Iterator[tuple[int, int]]:
    """Stretches of neighbouring matches, so that no text is read twice."""
    start = end = -1
    for match in matches:
        if start >= 0 and match.start() - end > _GAP:
            yield start, end
            start = -1
        start = match.start() if start < 0 else start
        end = match.end()
    if start >= 0:
        yield start, min(end, len(page.text))


def _doubled(page: Page) -> Iterator[Piece]:
    words = (Hit(*match.span(), page.text[match.start() : match.end() : 2]) for match in _DOUBLED.finditer(page.lower))
    hits = [hit for hit in words if len(hit.text) >= _MIN_WORD]
    if any(hit.text.lower() in KNOWN for hit in hits):
        yield from rewritten(page, hits, "doubled")


def _stretched(page: Page) -> Iterator[Piece]:
    hits = [
        Hit(*match.span(), _shortened(_of(match)))
        for match in _STRETCHED.finditer(page.lower)
        if len(set(match.group() or b"")) > 1
    ]
    if any(hit.text in KNOWN and len(hit.text) > _MIN_WORD for hit in hits):
        yield from rewritten(page, hits, "stretched", least=2)


def _shortened(word: str) -> str:
    once = _RUN.sub(r"\1", word)
    twice = _RUN.sub(r"\1\1", word)
    return twice if twice in KNOWN and once not in KNOWN else once


def _broken(page: Page) -> Iterator[Piece]:
    """Marks inside of words: `ig-no-re pre*vious`. Compound words are no proof, so one word is not enough."""
    hits: list[Hit] = []
    for match in _BROKEN.finditer(page.lower):
        word = "".join(filter(str.isalpha, _of(match)))
        if len(word) >= _MIN_WORD and word in KNOWN:
            hits.append(Hit(*match.span(), word))
    yield from rewritten(page, hits, "broken", least=2)


def _unspaced(page: Page) -> Iterator[Piece]:
    hits: list[Hit] = []
    budget = _MAX_SEGMENTED
    for match in _UNSPACED.finditer(page.lower):
        word = _of(match)
        if word in KNOWN or not _ORDER.search(match.group() or b""):
            continue
        budget -= len(word)
        if budget < 0:
            break
        words, known = segmented(word[:_MAX_UNSPACED])
        if known >= _KNOWN_SHARE and sum(len(part) >= _MIN_WORD for part in words.split()) >= _MIN_WORDS:
            hits.append(Hit(*match.span(), words + word[_MAX_UNSPACED:]))
    yield from rewritten(page, hits, "unspaced")


def _of(match: Match) -> str:
    return (match.group() or b"").decode("ascii")


def _pieces(page: Page) -> Iterator[Piece]:
    """Literals joined by an operator, and names that stand for literals."""
    if page.data.count(b'"') + page.data.count(b"'") < _MIN_QUOTES:
        return
    for match in _CONCATENATED.finditer(page.data):
        value = page.text[match.start() : match.end()]
        said = "".join(part[1:-1] for part in _LITERAL.findall(value))
        if sum(map(str.isalpha, said)) >= _LONG:
            yield Piece(said, match.start(), match.end(), "pieces")
    named = [match.span(group) for match in islice(_ASSIGNED.finditer(page.data), _MAX_NAMES) for group in (1, 2)]
    if len(named) <= 2:  # noqa: PLR2004 - one name and its value: nothing to join
        return
    values = {
        page.text[slice(*name)]: page.text[slice(*value)][1:-1]
        for name, value in zip(named[::2], named[1::2], strict=True)
    }
    for shape in (_SUM, _TEMPLATE, _LISTED):
        for match in islice(shape.finditer(page.data), _MAX_NAMES):
            parts = _PART.findall(page.text[match.start() : match.end()])
            said = (" " if shape is _LISTED else "").join(
                values.get(part, part[1:-1] if part[0] in "\"'" else "") for part in parts
            )[:_MAX_JOINED]
            if sum(part in values for part in parts) > 1:
                yield Piece(said, named[0][0], match.end(), "pieces")


DISGUISES: tuple[Decoder, ...] = (_doubled, _stretched, _broken, _unspaced)
"""Decoders of words that are still there, but not as words."""

DISGUISE_SHAPES = (_DOUBLED_SHAPE, _STRETCHED_SHAPE, _BROKEN_SHAPE, _UNSPACED_SHAPE)
"""Lower-case text without which none of them has anything to read."""

CODED: tuple[Decoder, ...] = (_leet, _pieces)
"""Decoders of words that hold signs or stand in quotes."""
