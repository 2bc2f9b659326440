"""Characters that a reader does not see, runs of them, and marks that lie on other letters."""

import re
from collections.abc import Collection

from lockgate.core import Span

HIDDEN: dict[str, str] = {
    **dict.fromkeys(
        "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u206a\u206b\u206c\u206d"
        "\u206e\u206f\u3164\ufeff\uffa0",
        "hidden.zero-width",
    ),
    **dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "hidden.bidi"),
    **dict.fromkeys(map(chr, range(0xE0000, 0xE0080)), "hidden.tag"),
    **dict.fromkeys(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))), "hidden.variation-selector"),
}
"""Label of each character that a reader does not see."""

MARKS = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
"""First and last code points of marks that belong to no alphabet alone."""

_RARE = 4
_BASIC = "".join(character for character in HIDDEN if character <= "\uffff")
HIDDEN_RUN = re.compile(f"[{_BASIC}\U000e0000-\U000e007f\U000e0100-\U000e01ef]+")
"""A run of them; what lies beyond the basic plane as ranges, which `re` passes quickly."""


def hidden_kinds(text: str) -> dict[str, str]:
    """Label of each character of a text that a reader does not see."""
    if text.isascii() or not HIDDEN_RUN.search(text):
        return {}
    return {character: HIDDEN[character] for character in HIDDEN.keys() & set(text)}


def hidden_runs(text: str, kinds: dict[str, str]) -> tuple[Span, ...]:
    """Runs of invisible characters of one kind, given the kind of each that occurs."""
    if not kinds:
        return ()
    runs: list[Span] = []
    start = end = -1
    current = ""
    for index in _places_of(kinds.keys(), text):
        kind = kinds[text[index]]
        if index != end or kind != current:
            if current:
                runs.append(Span(start, end, current))
            start, current = index, kind
        end = index + 1
    return (*runs, Span(start, end, current)) if current else ()


def _places_of(characters: Collection[str], text: str) -> list[int]:
    """Where one of these stands, in order."""
    if len(characters) > _RARE:
        return [index for index, character in enumerate(text) if character in characters]
    found: list[int] = []
    for character in characters:
        index = text.find(character)
        while index >= 0:
            found.append(index)
            index = text.find(character, index + 1)
    return sorted(found)
