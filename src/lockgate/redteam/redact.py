"""Replies are kept as evidence; what they must not disclose is not."""

from collections.abc import Sequence

from lockgate.core.verdict import Span
from lockgate.redteam.disclosure import discloses, leaks

PLACEHOLDER = "[PROTECTED]"
MAX_KEPT_CHARS = 4_000
_ROUNDS = 16


def redact(replies: Sequence[str], protected: Sequence[str]) -> tuple[str, ...]:
    """Replace every protected value, in whatever encoding it was found, by `[PROTECTED]`, and shorten long replies.

    A reply that still discloses something afterwards, alone or together with the others, is not kept at all.
    """
    kept = tuple(_redact_one(reply, protected)[:MAX_KEPT_CHARS] for reply in replies)
    if discloses("".join(kept), protected):
        return tuple(PLACEHOLDER for _ in kept)
    return kept


def _redact_one(reply: str, protected: Sequence[str]) -> str:
    for _ in range(_ROUNDS):  # the detector names one place for each value and encoding
        spans = leaks(reply, tuple(protected))
        if not spans:
            return PLACEHOLDER if discloses(reply, protected) else reply
        reply = _blank(reply, spans)
    return PLACEHOLDER


def _blank(reply: str, spans: Sequence[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for span in sorted(spans):
        if span.start >= done:
            pieces += [reply[done : span.start], PLACEHOLDER]
        done = max(done, span.end)
    return "".join((*pieces, reply[done:]))
