"""Replaces what must not be said by placeholders."""

from collections.abc import Callable

import msgspec

from lockgate.core import Span

_PLACEHOLDERS = {
    "pii.email": "[EMAIL]",
    "pii.phone": "[PHONE]",
    "pii.iban": "[IBAN]",
    "pii.card": "[CARD]",
    "pii.name": "[NAME]",
    "pii.address": "[ADDRESS]",
    "pii.birth-date": "[BIRTH-DATE]",
}
_FAMILIES = {
    "secret": "[SECRET]",
    "leak": "[PROTECTED]",
    "markup": "[MARKUP]",
    "link": "[LINK]",
    "code": "[CODE]",
    "term": "[TERM]",
}
_OTHER = "[ID-NUMBER]"
PLACEHOLDERS = frozenset({*_PLACEHOLDERS.values(), *_FAMILIES.values(), _OTHER})
_VALUES = ("secret.", "pii.", "leak.")
MIN_REPEATED = 6


class Redacted(msgspec.Struct, frozen=True):
    """A text without the spans that were found in it.

    Attributes:
        text: With placeholders.
        values: What was replaced, longest first.
    """

    text: str
    values: tuple[str, ...]


def placeholder(label: str) -> str:
    """What stands for a span of this label: `[EMAIL]`, `[SECRET]`, `[PROTECTED]`, `[ID-NUMBER]`, `[LINK]` ..."""
    return _FAMILIES.get(label.partition(".")[0]) or _PLACEHOLDERS.get(label, _OTHER)


def redact(text: str, spans: tuple[Span, ...], stand_in: Callable[[str, str], str] | None = None) -> Redacted:
    """Replace `spans` of `text`; spans that overlap become one placeholder, that of the first.

    Args:
        text: Any text.
        spans: What to replace.
        stand_in: Gives what stands for a label and a value; their placeholder where it is not given.
    """
    parts: list[str] = []
    values: set[str] = set()
    position = 0
    for start, end, label in merged(spans):
        value = text[start:end]
        parts.extend((text[position:start], stand_in(label, value) if stand_in else placeholder(label)))
        values.add(value)
        position = end
    parts.append(text[position:])
    return Redacted("".join(parts), tuple(sorted(values, key=lambda value: (-len(value), value))))


def merged(spans: tuple[Span, ...]) -> list[tuple[int, int, str]]:
    """Stretches that `spans` cover, sorted and apart, each with the label of its first span."""
    stretches: list[tuple[int, int, str]] = []
    for span in sorted(spans):
        if stretches and span.start < stretches[-1][1]:
            start, end, label = stretches[-1]
            stretches[-1] = (start, max(end, span.end), label)
        else:
            stretches.append((span.start, span.end, span.label))
    return stretches


def recognised(text: str, spans: tuple[Span, ...]) -> dict[str, str]:
    """The values among `spans`, with their labels: as private elsewhere as here, unlike a link or a word."""
    return {text[span.start : span.end]: span.label for span in spans if span.label.startswith(_VALUES)}


def repeated(text: str, values: dict[str, str]) -> tuple[Span, ...]:
    """Other places where values occur that were recognised somewhere, by value and its label.

    A password behind its cue is recognised; the same word without the cue is as secret. Values shorter than six
    characters are left alone: they are parts of too much else.
    """
    found: list[Span] = []
    for value, label in values.items():
        position = text.find(value) if len(value) >= MIN_REPEATED else -1
        while position >= 0:
            found.append(Span(position, position + len(value), label))
            position = text.find(value, position + len(value))
    return tuple(found)
