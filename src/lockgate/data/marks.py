"""Turns what detectors find in a file into places, one for each label in each passage."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from lockgate.core import Location, Span
from lockgate.data.passage import Passage, TextSubject

MAX_MARKS = 1_000
SURE = 0.9


class Mark(msgspec.Struct, frozen=True):
    """A place where something was found.

    Attributes:
        at: The file, the passage's place with the label behind `#`, and the line where it shows first.
        label: The detector's label.
        score: How sure the detector is, the highest of all matches here.
        where: The place in words, to begin a sentence.
    """

    at: Location
    label: str
    score: float
    where: str


def marks(subject: TextSubject, detect: Callable[[str], Iterable[Span]]) -> Iterator[Mark]:
    """Run a detector over all text of a file.

    Args:
        subject: The file.
        detect: The detector.

    Yields:
        At most 1,000 marks, then one at `#more` that stands for the rest.
    """
    found: dict[str, Mark] = {}
    for passage in subject.passages:
        for span in detect(passage.text):
            mark = _mark(subject.ref.uri, passage, span)
            first = found.setdefault(mark.at.path, mark)
            if span.score > first.score:
                found[mark.at.path] = msgspec.structs.replace(first, score=span.score)
    ordered = list(found.values())
    yield from ordered[:MAX_MARKS]
    if rest := ordered[MAX_MARKS:]:
        uri = subject.ref.uri
        score = max(mark.score for mark in rest)
        yield Mark(Location(uri, "#more"), rest[0].label, score, f"{uri} ({len(rest):,} more places)")


def _mark(uri: str, passage: Passage, span: Span) -> Mark:
    line = passage.line + (passage.text.count("\n", 0, span.start) if passage.spread else 0)
    at = Location(uri, f"{passage.path}#{span.label}", line)
    return Mark(at, span.label, span.score, f"{uri} {passage.path}".rstrip())
