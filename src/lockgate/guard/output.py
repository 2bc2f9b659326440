"""Judges answers by the categories that the application chose: markup, links, code, policy terms."""

from collections.abc import Callable

import msgspec

from lockgate.core import Span
from lockgate.core.config import Handling, OutputConfig
from lockgate.detect import executable, links, markup, policy_terms
from lockgate.guard.redact import PLACEHOLDERS

UNSURE_TAIL = 32
"""A match that ends fewer characters before the end of an unfinished answer may yet turn out to be none."""

_FAMILIES = ("markup.", "link.", "code.", "term.")


class _Category(msgspec.Struct, frozen=True):
    handling: Handling
    find: Callable[[str], tuple[Span, ...]]
    longest: int


class Output:
    """The categories of one configuration. Holds no state that changes.

    Args:
        config: What to do about each category.

    Attributes:
        reach: Characters that a match may span before it is recognised; 0 where every category is off.
    """

    def __init__(self, config: OutputConfig) -> None:
        allowed = links.host_list(config.hosts)
        terms = policy_terms.prepare_terms(config.policy_terms)
        categories = (
            _Category(config.markup, markup.find_markup, markup.LONGEST),
            _Category(config.links, lambda text: links.find_links(text, allowed), links.LONGEST),
            _Category(config.code, executable.find_executable, executable.LONGEST),
            _Category(config.terms, lambda text: policy_terms.find_terms(text, terms), terms.longest),
        )
        self._blocked = tuple(category.find for category in categories if category.handling == "block")
        self._replaced = tuple(category.find for category in categories if category.handling == "redact")
        used = [category.longest for category in categories if category.handling != "off" and category.longest]
        self.reach = max(used, default=-UNSURE_TAIL) + UNSURE_TAIL

    def blocking(self, text: str) -> tuple[Span, ...]:
        """What in an answer must block it."""
        return _found(text, self._blocked)

    def replaced(self, text: str) -> tuple[Span, ...]:
        """What in an answer is replaced."""
        return _found(text, self._replaced)


def is_unsure(span: Span, end: int) -> bool:
    """Whether more text behind `end` could undo this match; values and leaks are kept whatever follows."""
    return span.label.startswith(_FAMILIES) and span.end > end - UNSURE_TAIL


def _found(text: str, finders: tuple[Callable[[str], tuple[Span, ...]], ...]) -> tuple[Span, ...]:
    found = [span for find in finders for span in find(text)]
    if not found:
        return ()
    ours = _placeholders(text)
    return tuple(span for span in found if not any(start <= span.start and span.end <= end for start, end in ours))


def _placeholders(text: str) -> list[tuple[int, int]]:
    """Where the guard's own placeholders stand, whose words are nobody's."""
    places: list[tuple[int, int]] = []
    for written in PLACEHOLDERS:
        place = text.find(written)
        while place >= 0:
            places.append((place, place + len(written)))
            place = text.find(written, place + 1)
    return places
