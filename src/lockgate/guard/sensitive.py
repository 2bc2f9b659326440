"""Finds what is replaced rather than refused: secrets and personal data, also around invisible characters."""

from lockgate.core import Span
from lockgate.detect import find_pii, find_secrets
from lockgate.detect.invisible import HIDDEN, HIDDEN_RUN

_CUED = 0.9
_BESIDE, _LONGEST = 32, 128
"""How far from a name another personal detail stands at most that introduces it in an answer, and how long that is.

Together with the longest name they are less than a stream holds back."""

_NOT_BESIDE = frozenset(("pii.name", "pii.birth-date", "pii.address"))
"""What also stands beside the names of poets."""


def find_sensitive(text: str, *, answer: bool = False) -> tuple[Span, ...]:
    """Secrets and personal data in `text`, sorted. Characters that nobody sees do not hide a value.

    A name that nothing introduces is personal data where it stands beside an address, a number or the like; alone it
    may be anybody's, a poet's for instance. In an answer, which is judged while it streams and whose rest is not known,
    such a detail must stand close by, and headings of tables do not count.
    """
    found = _found(text, tables=not answer)
    names = [span for span in found if span.label == "pii.name" and span.score < _CUED]
    details = [span for span in found if span.label.startswith("pii.") and span not in names]
    if details and not answer:
        return found
    details = [span for span in details if span.label not in _NOT_BESIDE and span.end - span.start <= _LONGEST]
    alone = [name for name in names if not any(_is_beside(name, detail) for detail in details)]
    return tuple(span for span in found if span not in alone) if alone else found


def _is_beside(name: Span, detail: Span) -> bool:
    return max(name.start - detail.end, detail.start - name.end) <= _BESIDE


def _found(text: str, *, tables: bool) -> tuple[Span, ...]:
    if text.isascii() or not HIDDEN_RUN.search(text):
        return tuple(sorted((*find_secrets(text), *find_pii(text, tables=tables))))
    visible = HIDDEN_RUN.sub("", text)
    spans = (*find_secrets(visible), *find_pii(visible, tables=tables))
    if not spans:
        return ()
    offsets = [index for index, character in enumerate(text) if character not in HIDDEN]
    return tuple(sorted(Span(offsets[s.start], offsets[s.end - 1] + 1, s.label, s.score) for s in spans))
