"""Cuts a text into overlapping windows that a small encoder reads whole, and makes each window plain to read."""

import re
import unicodedata

from lockgate.detect.invisible import MARKS, hidden_kinds
from lockgate.detect.normalise import joined, unmasked

_BUDGET = 440
_SLACK = 100
_OVERLAP = 100
_SNAP = 24
_STOPS = (". ", "? ", "! ", "。", "！", "？")  # noqa: RUF001 - real punctuation
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_WIDE_COST = 2.5
_MARK = "".join(f"{chr(first)}-{chr(last)}" for first, last in MARKS)
_MARKED = re.compile(f"([A-Za-z\u00c0-\u024f\u1e00-\u1eff])([{_MARK}]+)")
# Strokes through a letter, lines under it, circles around it: no alphabet needs them beside Latin letters.
_OVERLAYS = re.compile("[\u0332\u0333\u0334-\u0338\u20d0-\u20ff]")
_MAX_MARKS = 2
# Capitals within words, as in "pLEase" or "PLEase": a few words of code hold some too, but hardly one in four.
_CASED = [chr(code) for code in (*range(0x250), *range(0x370, 0x530))]
_APOSTROPHE = "['\u2019]"
_SMALL, _CAPITAL = (f"[{''.join(filter(is_cased, _CASED))}]" for is_cased in (str.islower, str.isupper))
# Looks for capitals first, as they are few.
_CAPITAL_WITHIN = re.compile(f"{_CAPITAL}(?:(?<={_SMALL}{_CAPITAL})|{_CAPITAL}{_SMALL}{{3}})")
_LEAST_STREWN, _STREWN_SHARE = 3, 0.25
# Four words or more in capitals, or five that begin with one: "DO IT NOW, PLEASE", "What A Headline Looks Like".
_CAPITALS = re.compile(rf"(?<!\S)\W*+{_CAPITAL}\S*+ \W*+{_CAPITAL}\S*+ \W*+{_CAPITAL}")
_LOUD = f"(?:{_CAPITAL}{_APOSTROPHE}?)++"
_HEADED = f"{_CAPITAL}(?:{_APOSTROPHE}?{_SMALL})*+"
_SHOUTED = re.compile(rf"(?<!\w){_CAPITAL}{_LOUD}(?:\W++{_LOUD}(?!\w)){{3,}}+")
_TITLED = re.compile(rf"(?<!\w){_HEADED}(?:\W{{1,3}}+{_HEADED}(?!\w)){{4,}}+")
# "*Every* *word* *like* *this*".
_SIGNS = "*_~`'\""
_NEIGHBOURS = tuple(f"{sign} {sign}" for sign in _SIGNS)
_SIGNED = re.compile(rf"(?<!\w)([{_SIGNS}]{{1,3}})(\w+(?:{_APOSTROPHE}\w+)?[.,:;!?]?)\1")
_LEAST_SIGNED, _SIGNED_SHARE = 4, 0.5
# "FiveWordsOrMoreInOne", "five-words-or-more-in-one".
_RUN_ON = re.compile(rf"(?<!\w){_CAPITAL}?{_SMALL}++(?:{_CAPITAL}{_SMALL}*+){{4,}}+")
_SEAM = re.compile(rf"(?<={_SMALL})(?={_CAPITAL})")
_PART = rf"[^\W\d_][^\W_]*+(?:{_APOSTROPHE}[^\W_]++)?"
_CHAIN = re.compile(rf"(?<![\w/.:@-]){_PART}(?:[.,;:!?]?[-_]{_PART}){{4,}}+")
_LINK = re.compile("[-_]")
_LEAST_LINKS = 4


def cut_windows(text: str) -> list[tuple[int, int]]:
    """Where to cut: `[start, end)` of each window, in order, together covering the text; one for an empty text.

    A window holds about 110 tokens: 440 characters of an alphabet, fewer where the text holds ideographs, each of
    which costs a token or nearly so. A window ends with a paragraph where one ends in its second half, so that what
    stands by itself is read by itself; else with a line, a sentence or a word. Then the next one begins with the
    last hundred characters or so of this one, so that a sentence at a cut is whole in one of them.
    """
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    cost = 1.0 + (_WIDE_COST - 1.0) * wide / max(len(text), 1)
    size, slack, overlap = int(_BUDGET / cost), int(_SLACK / cost), int(_OVERLAP / cost)
    windows: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > size + slack:
        end, paragraph = _end(text, start + size // 2, start + size)
        windows.append((start, end))
        start = end if paragraph else _next(text, start, end, overlap)
    return [*windows, (start, len(text))]


def _end(text: str, low: int, high: int) -> tuple[int, bool]:
    """Where a window had best end, and whether a paragraph ends there: else a line, a sentence, a word, or anywhere."""
    blank = text.rfind("\n\n", low, high)
    if blank >= 0:
        return blank + 2, True
    line = text.rfind("\n", low, high)
    if line >= 0:
        return line + 1, False
    stop = _stop(text, low, high)
    if stop >= 0:
        return stop, False
    word = text.rfind(" ", max(low, high - _SNAP), high)
    return (word if word > 0 else high), False


def _next(text: str, start: int, end: int, overlap: int) -> int:
    """Where the next window begins: with a line or a sentence near the end of this one, else a word."""
    low, high = max(start + 1, end - overlap * 8 // 5), max(start + 1, end - overlap * 2 // 5)
    line = text.rfind("\n", low, high)
    if line >= 0:
        return line + 1
    stop = _stop(text, low, high)
    if stop >= 0:
        return stop
    word = text.find(" ", max(low, end - overlap), high)
    return word + 1 if word >= 0 else max(start + 1, end - overlap)


def _stop(text: str, low: int, high: int) -> int:
    """Offset behind the last mark that ends a sentence there, or -1."""
    last = max(_STOPS, key=lambda mark: text.rfind(mark, low, high))
    found = text.rfind(last, low, high)
    return found + len(last) if found >= 0 else -1


def readable(text: str) -> str:
    """`text` as a reader takes it in.

    Composed letters (NFKC), nothing invisible, no look-alikes in a Latin word, no heaps of marks on a Latin letter,
    letters that were spaced out joined, no capitals strewn over words, one blank between words. Unlike `normalise` it
    keeps every script's own marks.
    """
    if not text.isascii():
        from lockgate.detect.codepoints import traits_of  # noqa: PLC0415 - numpy takes long to load

        text = unicodedata.normalize("NFKC", text)
        traits = traits_of(text)
        if traits.marked or traits.hidden:
            text = _unheaped(text)
            text = text.translate(dict.fromkeys(map(ord, hidden_kinds(text))))
            traits = traits_of(text)
        if traits.styled or traits.imitating:
            text = unmasked(text)
    text = _unsigned(joined(text))
    mixed = _CAPITAL_WITHIN.search(text) is not None
    words = _unchained(text, mixed=mixed).split()
    plain = " ".join(words)
    return plain.lower() if mixed and _is_strewn(words) else _calmed(plain)


def _unsigned(text: str) -> str:
    """`text` without emphasis or quotation marks around single words, where half of its words wear them."""
    if not any(pair in text for pair in _NEIGHBOURS):
        return text
    plain, number = _SIGNED.subn(r"\2", text)
    return plain if number >= max(_LEAST_SIGNED, _SIGNED_SHARE * len(text.split())) else text


def _unchained(text: str, *, mixed: bool) -> str:
    """`text` with blanks between words that were run together or chained, five or more at once."""
    if mixed:
        text = _RUN_ON.sub(lambda run: _SEAM.sub(" ", run.group()), text)
    if text.count("-") + text.count("_") >= _LEAST_LINKS:
        text = _CHAIN.sub(lambda chain: _LINK.sub(" ", chain.group()), text)
    return text


def _calmed(plain: str) -> str:
    """`plain` with shouting and headlines in small letters behind their first: in capitals, words fall to pieces."""
    # Looking for what both begin with costs a tenth of looking for either.
    return _TITLED.sub(_small, _SHOUTED.sub(_small, plain)) if _CAPITALS.search(plain) else plain


def _small(run: re.Match[str]) -> str:
    said = run.group()
    return said[0] + said[1:].lower()


def _is_strewn(words: list[str]) -> bool:
    """Whether capitals stand anywhere in words: a reader ignores them, but they cut words into meaningless pieces."""
    odd = sum(_CAPITAL_WITHIN.search(word) is not None for word in words)
    return odd >= max(_LEAST_STREWN, _STREWN_SHARE * len(words))


def _unheaped(text: str) -> str:
    """`text` without the marks on its Latin letters, where any of them wears a heap of marks or one struck through."""
    found = list(_MARKED.finditer(text))
    if not any(_is_noise(*match.groups()) for match in found):
        return text
    return _MARKED.sub(lambda match: unicodedata.normalize("NFD", match.group(1))[0], text)


def _is_noise(letter: str, marks: str) -> bool:
    own = len(unicodedata.normalize("NFD", letter)) - 1
    return own + len(marks) > _MAX_MARKS or _OVERLAYS.search(marks) is not None
