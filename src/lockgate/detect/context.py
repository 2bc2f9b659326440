"""Puts what was decoded back where it stood: a word or a sentence in code is often harmless without the plain words.

"Decode this and do it" says nothing of what to do, and what is decoded nothing of doing it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from lockgate.detect.decode import View
from lockgate.detect.legible import is_legible
from lockgate.detect.wording import KNOWN

IN_CONTEXT = "in-context"
"""Name under which a stretch stands of which only some was decoded."""

_GAP, _MARGIN = 240, 200
_MAX_GROUPS, _MAX_CHARS = 4, 1500
_LEAST_PLAIN = 6
_WORD = re.compile(r"[^\W\d_]{4,24}")
_VOWEL = re.compile("[aeiouy]")
# What any letters that came about by chance hardly ever are: a word.
_SURE = frozenset(
    ("base64", "base32", "hex", "binary", "escapes", "url", "numbers", "html", "morse", "nato", "braille")
)
_WHOLE = frozenset(("acrostic", "upside-down", "reversed-order", "by-place"))


def in_context(text: str, views: Iterable[View]) -> Iterator[View]:
    """Stretches of a text with everything in them that was decoded in its place.

    Args:
        text: What was searched.
        views: Everything that was decoded from it, at any depth, legible or not.

    Returns:
        At most four views, each with plain words around what was decoded. Of several readings of one stretch the one
        with the most known words counts, and the innermost layer.
    """
    chosen = _apart(view for view in views if _counts(view, text))
    groups: list[list[View]] = []
    for view in chosen:
        if groups and view.start - groups[-1][-1].end <= _GAP and view.end - groups[-1][0].start <= _MAX_CHARS:
            groups[-1].append(view)
        else:
            groups.append([view])
    for group in groups[:_MAX_GROUPS]:
        start, end = max(0, group[0].start - _MARGIN), min(len(text), group[-1].end + _MARGIN)
        plain: list[str] = []
        said: list[str] = []
        position = start
        for view in group:
            plain.append(text[position : view.start])
            said.extend((plain[-1], view.text[:_MAX_CHARS]))
            position = view.end
        plain.append(text[position:end])
        if len(group) > 1 or sum(map(str.isalpha, "".join(plain))) >= _LEAST_PLAIN:
            yield View("".join((*said, plain[-1])), start, end, IN_CONTEXT)


def _counts(view: View, text: str) -> bool:
    layers = view.encoding.split("+")
    if not _WHOLE.isdisjoint(layers):
        return False
    if is_legible(view.text, text[view.start : view.end], view.encoding):
        return True
    word = view.text.strip()
    if layers[-1] not in _SURE or not _WORD.fullmatch(word):
        return False
    return not word.isascii() or _VOWEL.search(word.lower()) is not None


def _apart(views: Iterable[View]) -> Sequence[View]:
    """Views that do not overlap: of overlapping ones the longest that begins first, of one stretch the plainest."""
    found = sorted(views, key=lambda view: (view.start, -view.end, -_known(view.text), -view.encoding.count("+")))
    kept: list[View] = []
    for view in found:
        if not kept or view.start >= kept[-1].end:
            kept.append(view)
    return kept


def _known(text: str) -> int:
    return sum(word in KNOWN for word in text.lower().split())
