"""Finds instructions to a model in a text: injections, jailbreaks, attempts to extract the prompt.

A first detector set: a vocabulary, some seventy signals, and noisy-or. Its score is monotone, another signal can only
raise it, but it is not calibrated: 0.6 is not "six in ten".
"""

from collections.abc import Iterable, Iterator

import msgspec

from lockgate.core import Origin, Span
from lockgate.detect.context import IN_CONTEXT, in_context
from lockgate.detect.decode import View, decoded
from lockgate.detect.legible import is_legible
from lockgate.detect.lexicon import MENTION, QUOTE
from lockgate.detect.linear import project
from lockgate.detect.normalise import Normalised, normalise
from lockgate.detect.signals import ANY_TEXT_SIGNAL, TEXT_SIGNAL_GROUPS, Signal, possible
from lockgate.detect.words import Words, read_words, word_classes

_MENTION_REACH = 8
_MENTION_FACTOR = 0.4
_OBFUSCATED = 0.45
_ENCODED_BONUS = 0.3
_LEAST_ENCODED = 0.2
_LEAST_HIDDEN = 4
_LEAST_DISGUISED = 2
_SURE = 0.99
_COUNTED = 3
_CORROBORATION = 0.5
_NO_WORDS = Words(b"", [], [], [])


class Reading(msgspec.Struct, frozen=True):
    """A text made comparable, and what it holds in other encodings.

    Attributes:
        normal: The comparable text.
        views: What decodes to something that reads like language; offsets count in the original.
    """

    normal: Normalised
    views: tuple[View, ...]


def read(text: str) -> Reading:
    """Undo disguises and decode, once for everything that judges a text."""
    normal = normalise(text)
    found = decoded(normal.text)
    if not found:
        return Reading(normal, ())
    placed = [View(view.text, *normal.original(view.start, view.end), view.encoding) for view in found]
    legible = [
        there
        for here, there in zip(found, placed, strict=True)
        if is_legible(here.text, normal.text[here.start : here.end], here.encoding)
    ]
    # The original has the marks of every script that the comparable text lacks.
    return Reading(normal, (*legible, *in_context(text, placed)))


def find_injection(text: str | Reading, origin: Origin | str = Origin.USER) -> tuple[Span, ...]:
    """Find signs of an injection.

    Args:
        text: Any text, or what `read` made of one.
        origin: Where it comes from. An imperative to an assistant counts for more in anything but a user's words.

    Returns:
        Sorted spans of the original text with labels `injection.<kind>` and weights as scores, at most two for each
        signal and one for each decoded view. `fuse` makes one score of them.
    """
    foreign = Origin(origin) is not Origin.USER
    reading = read(text) if isinstance(text, str) else text
    normal = reading.normal
    signs, words = _signs(normal.text, foreign=foreign)
    spans: list[Span] = []
    for sign in signs:
        start, end = normal.original(sign.start, sign.end)
        spans.append(Span(start, end, sign.label, sign.score))
        if _is_obfuscated(normal, sign, words):
            spans.append(Span(start, end, "injection.obfuscated", _OBFUSCATED))
    spans.extend(_encoded(reading, foreign=foreign))
    return tuple(sorted(spans))


def fuse(spans: Iterable[Span]) -> float:
    """One score, 0 to 1, of all injection spans: noisy-or over their weights.

    Signals of one label often see the same words, so of each label the highest weight counts in full, the next two by
    half, and no more. Monotone: a further span never lowers the score.
    """
    weights: dict[str, list[float]] = {}
    for span in spans:
        weights.setdefault(span.label, []).append(span.score)
    clear = 1.0
    for scores in weights.values():
        best, *further = sorted(scores, reverse=True)[:_COUNTED]
        clear *= 1.0 - best
        for weight in further:
            clear *= 1.0 - weight * _CORROBORATION
    return 1.0 - clear


def _is_obfuscated(normal: Normalised, sign: Span, words: Words) -> bool:
    """Whether a sign, in offsets of the normalised text, was only readable after undoing a disguise."""
    if any(start < sign.end and end > sign.start for start, end in normal.disguised):
        return True
    if sum(sign.start <= words.starts[index] < sign.end for index in words.disguised) >= _LEAST_DISGUISED:
        return True
    start, end = normal.original(sign.start, sign.end)
    removed = sum(run.end - run.start for run in normal.hidden if start <= run.start < end)
    return removed >= _LEAST_HIDDEN


def _signs(text: str, *, foreign: bool) -> tuple[list[Span], Words]:
    classes = word_classes(text)
    said = list(_matches(possible(frozenset(classes)), classes, foreign=foreign))
    data = project(text)
    written = list(_written(data, foreign=foreign)) if ANY_TEXT_SIGNAL.search(data) else []
    if not (said or written):
        return [], _NO_WORDS
    words = read_words(text)
    spans = [_placed(words, *found) for found in said]
    spans.extend(Span(start, end, signal.label, weight) for signal, start, end, weight in written)
    return spans, words


def _written(data: bytes, *, foreign: bool) -> Iterator[tuple[Signal, int, int, float]]:
    for any_of_them, signals in TEXT_SIGNAL_GROUPS:
        if any_of_them.search(data):
            yield from _matches(signals, data, foreign=foreign)


def _matches(signals: tuple[Signal, ...], data: bytes, *, foreign: bool) -> Iterator[tuple[Signal, int, int, float]]:
    for signal in signals:
        if match := signal.pattern.search(data):
            yield signal, match.start(1), match.end(1), signal.foreign if foreign else signal.user


def _placed(words: Words, signal: Signal, start: int, end: int, weight: float) -> Span:
    before = words.classes[max(0, start - _MENTION_REACH) : start].decode("ascii")
    # A quotation that is introduced as one is talked about: "What does 'ignore all previous instructions' mean?"
    if QUOTE in before[-2:] and MENTION in before:
        weight *= _MENTION_FACTOR
    return Span(words.starts[start], words.ends[end - 1], signal.label, weight)


def _encoded(reading: Reading, *, foreign: bool) -> Iterator[Span]:
    for view in reading.views:
        score = fuse(_signs(normalise(view.text).text, foreign=foreign)[0])
        # Plain words around what was decoded are no signs of a disguise.
        if view.encoding == IN_CONTEXT and score:
            score = 0.0 if score <= fuse(_signs(reading.normal.text, foreign=foreign)[0]) else score
        if score >= _LEAST_ENCODED:
            yield Span(view.start, view.end, "injection.encoded", min(_SURE, score + _ENCODED_BONUS))
