"""Cuts a text into overlapping windows that a small encoder reads whole, and makes each window plain to read."""

import re
import unicodedata

from lockgate.detect.normalise import hidden_kinds, joined, unmasked

_BUDGET = 440
_SLACK = 100
_OVERLAP = 100
_SNAP = 24
_WIDE_FROM = "\u2e80"
_WIDE_COST = 2.5
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARKED = re.compile(f"([A-Za-z\u00c0-\u024f\u1e00-\u1eff])([{_MARKS}]+)")
# Strokes through a letter, lines under it, circles around it: no alphabet needs them beside Latin letters.
_OVERLAYS = re.compile("[\u0332\u0333\u0334-\u0338\u20d0-\u20ff]")
_MAX_MARKS = 2


def cut_windows(text: str) -> list[tuple[int, int]]:
    """Where to cut: `[start, end)` of each window, in order, together covering the text; one for an empty text.

    A window holds about 110 tokens: 440 characters of an alphabet, fewer where the text holds ideographs, each of
    which costs a token or nearly so. Neighbours share about a quarter, so that a sentence at a cut is whole in one of
    them.
    """
    wide = 0 if text.isascii() else sum(character >= _WIDE_FROM for character in text)
    cost = 1.0 + (_WIDE_COST - 1.0) * wide / max(len(text), 1)
    size, slack, overlap = int(_BUDGET / cost), int(_SLACK / cost), int(_OVERLAP / cost)
    windows: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > size + slack:
        end = start + size
        blank = text.rfind(" ", end - _SNAP, end)
        end = blank if blank > 0 else end
        windows.append((start, end))
        start = end - overlap
    return [*windows, (start, len(text))]


def readable(text: str) -> str:
    """`text` as a reader takes it in.

    Composed letters (NFKC), nothing invisible, no look-alikes in a Latin word, no heaps of marks on a Latin letter,
    letters that were spaced out joined, one blank between words. Unlike `normalise` it keeps every script's own marks.
    """
    if not text.isascii():
        text = _unheaped(unicodedata.normalize("NFKC", text))
        hidden = hidden_kinds(text)
        text = unmasked(text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text)
    return " ".join(joined(text).split())


def _unheaped(text: str) -> str:
    """`text` without the marks on its Latin letters, where any of them wears a heap of marks or one struck through."""
    found = list(_MARKED.finditer(text))
    if not any(_is_noise(*match.groups()) for match in found):
        return text
    return _MARKED.sub(lambda match: unicodedata.normalize("NFD", match.group(1))[0], text)


def _is_noise(letter: str, marks: str) -> bool:
    own = len(unicodedata.normalize("NFD", letter)) - 1
    return own + len(marks) > _MAX_MARKS or _OVERLAYS.search(marks) is not None
