"""Finds what is replaced rather than refused: secrets and personal data, also around invisible characters."""

from lockgate.core import Span
from lockgate.detect import find_pii, find_secrets
from lockgate.detect.normalise import hidden_kind


def find_sensitive(text: str) -> tuple[Span, ...]:
    """Secrets and personal data in `text`, sorted. Characters that nobody sees do not hide a value."""
    hidden = set[str]() if text.isascii() else {character for character in set(text) if hidden_kind(character)}
    if not hidden:
        return tuple(sorted((*find_secrets(text), *find_pii(text))))
    offsets = [index for index, character in enumerate(text) if character not in hidden]
    visible = "".join(text[index] for index in offsets)
    spans = (*find_secrets(visible), *find_pii(visible))
    return tuple(sorted(Span(offsets[s.start], offsets[s.end - 1] + 1, s.label, s.score) for s in spans))
