"""Writes a stretch of a page anew where words in it were found to stand for others."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lockgate.detect.piece import Page, Piece

_GAP = 160
_MARGIN = 120


class Hit(msgspec.Struct, frozen=True):
    """A word that stands for another.

    Attributes:
        start: Offset of its first character.
        end: Offset behind its last.
        text: What it stands for.
    """

    start: int
    end: int
    text: str


def rewritten(page: Page, hits: Iterable[Hit], encoding: str, *, least: int = 1) -> Iterator[Piece]:
    """The stretches around neighbouring hits, with the hits replaced.

    Args:
        page: What was searched.
        hits: Sorted, without overlap.
        encoding: Name of the disguise.
        least: How many different replacements a stretch must hold.
    """
    group: list[Hit] = []
    for hit in hits:
        if group and hit.start - group[-1].end > _GAP:
            yield from _stretch(page, group, encoding, least)
            group = []
        group.append(hit)
    yield from _stretch(page, group, encoding, least)


def _stretch(page: Page, group: Sequence[Hit], encoding: str, least: int) -> Iterator[Piece]:
    if not group or len({hit.text.lower() for hit in group}) < least:
        return
    start, end = around(page, group[0].start, group[-1].end)
    parts: list[str] = []
    position = start
    for hit in group:
        parts.extend((page.text[position : hit.start], hit.text))
        position = hit.end
    parts.append(page.text[position:end])
    yield Piece("".join(parts), start, end, encoding)


def around(page: Page, start: int, end: int) -> tuple[int, int]:
    """A stretch with what stands before and after it in the same line, as far as a sentence may reach."""
    first = max(0, start - _MARGIN)
    first = page.data.rfind(b"\n", first, start) + 1 or first
    if first and not page.text[first - 1].isspace():
        blank = page.text.find(" ", first, start)
        first = blank + 1 if blank >= 0 else start
    last = min(len(page.text), end + _MARGIN)
    line = page.data.find(b"\n", end, last)
    return first, line if line >= 0 else last
