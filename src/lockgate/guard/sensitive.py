"""Finds what is replaced rather than refused: secrets and personal data, also around invisible characters."""

from lockgate.core import Span
from lockgate.detect import find_pii, find_secrets
from lockgate.detect.invisible import HIDDEN, HIDDEN_RUN

_CUED = 0.9


def find_sensitive(text: str, *, answer: bool = False) -> tuple[Span, ...]:
    """Secrets and personal data in `text`, sorted. Characters that nobody sees do not hide a value.

    A name that nothing introduces is personal data where it stands beside an address, a number or the like; alone it
    may be anybody's, a poet's for instance. In an answer, which is judged while it streams and whose rest is not known,
    only an introduced name counts.
    """
    found = _found(text)
    names = [span for span in found if span.label == "pii.name" and span.score < _CUED]
    beside = any(span.label.startswith("pii.") for span in found if span not in names)
    return found if beside and not answer else tuple(span for span in found if span not in names)


def _found(text: str) -> tuple[Span, ...]:
    if text.isascii() or not HIDDEN_RUN.search(text):
        return tuple(sorted((*find_secrets(text), *find_pii(text))))
    visible = HIDDEN_RUN.sub("", text)
    spans = (*find_secrets(visible), *find_pii(visible))
    if not spans:
        return ()
    offsets = [index for index, character in enumerate(text) if character not in HIDDEN]
    return tuple(sorted(Span(offsets[s.start], offsets[s.end - 1] + 1, s.label, s.score) for s in spans))
