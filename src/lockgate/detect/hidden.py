# ruff: noqa: E501 - one row a place
"""Finds instructions that a human reader of a document does not see but a model does.

Comments, invisible styles, attributes, and text smuggled in characters without a glyph. Hidden text alone is common and
harmless; hidden text that reads like an instruction is not.
"""

import html
from collections import Counter
from collections.abc import Iterator

import msgspec

from lockgate.core import Origin, Span
from lockgate.detect.decode import View, decoded
from lockgate.detect.encodings import is_text
from lockgate.detect.injection import find_injection, fuse
from lockgate.detect.invisible import hidden_kinds, hidden_runs
from lockgate.detect.legible import is_legible
from lockgate.detect.linear import pattern, project

MAX_PIECES = 64
_MIN_CHARS = 8
_BONUS = 0.35
_SMUGGLED_BONUS = 0.5
_LEAST = 0.15
_SURE = 0.99
_LONG_RUN, _LEAST_RUNS, _OCTET = 24, 4, 8
_TAGS, _SELECTORS, _MORE_SELECTORS = 0xE0000, 0xFE00, 0xE0100  # first code points (Unicode 16)

_STYLE = (
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*[;\"']|font-size\s*:\s*(?:0|1px)"
    r"|[\"';\s]color\s*:\s*(?:#fff(?:fff)?\b|white\b|transparent)|(?:left|top|text-indent)\s*:\s*-[0-9]{3,}|clip\s*:\s*rect\(0"
)
_PLACES = (
    (b"<", "hidden.comment", pattern(r"(?s)<!--(.*?)(?:-->|$)")),
    (b"[", "hidden.comment", pattern(r"\[(?://|comment|_)[^\]\n]{0,20}\]:\s*[^\s]*\s*[\"'(]([^\n]*)[\"')]")),
    (b"<", "hidden.style", pattern(rf"(?is)<[a-z][a-z0-9]*\b[^>]*style\s*=[^>]*(?:{_STYLE})[^>]*>([^<]*)")),
    (b"<", "hidden.style", pattern(r"(?is)<[a-z][a-z0-9]*\b[^>]*\s(?:hidden|aria-hidden\s*=\s*[\"']?true[\"']?)(?:\s[^>]*)?>([^<]*)")),
    (b"=", "hidden.attribute", pattern(r"(?is)\b(?:alt|title|aria-label|aria-description|content|placeholder|data-[a-z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")),
    (b"<", "hidden.attribute", pattern(r"(?is)<(?:noscript|template|desc|metadata)\b[^>]*>([^<]*)")),
)  # fmt: skip
# Plain imperatives that mean something only to a machine that is reading the page.
_IMPERATIVE = pattern(
    r"(?i)\b(?:summar(?:y|ize|ise|izing|ising)|assistants?|language models?|llms?|chatbots?|\bai\b|prompt)\b"
)
_VERB = pattern(
    r"(?i)(?:^|[.!?:\n]\s*|please |must |should )(?:say|write|print|add|include|answer|reply|respond|ignore|start|end|state|tell|give"
    r"|summari[sz]e|speak|mention|recommend|translate|output|insert|do not|don't|never|always|send|call|visit|click)\b"
    r"|\b(?:ai|assistants?|llms?|agents?|models?|chatbots?) [^.\n]{0,40}\b(?:must|should|need to|have to|please)\b"
)
_PLAIN = 0.3


class _Piece(msgspec.Struct, frozen=True):
    label: str
    start: int
    end: int
    text: str


def find_hidden(text: str, origin: Origin | str = Origin.DOCUMENT) -> tuple[Span, ...]:
    """Find text that a reader does not see and that reads like an instruction to a model.

    Args:
        text: A document, or a message that may hold one.
        origin: Where it comes from; hidden text is judged as foreign in any case, unless it is the user's own.

    Returns:
        Sorted spans over the hidden text with labels `hidden.comment`, `hidden.style`, `hidden.attribute`, `hidden.tag`,
        `hidden.variation-selector`, `hidden.zero-width`; the score is how likely it is an injection.
    """
    pieces = sorted((*_markup(text), *_smuggled(text)), key=lambda piece: (piece.start, piece.end))
    judged = [span for piece in pieces[:MAX_PIECES] if (span := _judge(piece, origin))]
    if len(pieces) > MAX_PIECES:
        rest = pieces[MAX_PIECES:]
        joined = _Piece("hidden.comment", rest[0].start, max(p.end for p in rest), "\n".join(p.text for p in rest))
        judged.extend(span for span in [_judge(joined, origin)] if span)
    return tuple(sorted(judged))


def smuggled(text: str) -> tuple[View, ...]:
    """What runs of characters without a glyph spell, and what that decodes to, as views of the stretches they take."""
    return tuple(view for piece in _smuggled(text) for view in _views(piece))


def styled_away(text: str) -> View | None:
    """What the styles of a page keep from its reader, a line each, as one view: alone, few of them mean anything.

    All of it, so that decoys hide nothing; never longer than the page.
    """
    if "<" not in text:
        return None
    pieces = [piece for piece in _markup(text) if piece.label == "hidden.style" and piece.text.strip()]
    if not pieces:
        return None
    said = "\n".join(dict.fromkeys(" ".join(piece.text.split()) for piece in pieces))
    return View(html.unescape(said), pieces[0].start, max(piece.end for piece in pieces), "hidden.style")


def _views(piece: _Piece) -> Iterator[View]:
    yield View(piece.text, piece.start, piece.end, piece.label)
    for inner in decoded(piece.text):
        if is_legible(inner.text, piece.text[inner.start : inner.end], inner.encoding):
            yield View(inner.text, piece.start, piece.end, f"{piece.label}+{inner.encoding}")


def _judge(piece: _Piece, origin: Origin | str) -> Span | None:
    smuggled = piece.label in {"hidden.tag", "hidden.variation-selector", "hidden.zero-width"}
    foreign = Origin.DOCUMENT if Origin(origin) is Origin.USER else origin
    score = fuse(find_injection(piece.text, foreign))
    data = project(piece.text)
    if _IMPERATIVE.search(data) and _VERB.search(data):
        score = 1 - (1 - score) * (1 - _PLAIN)
    if score < _LEAST:
        return None
    return Span(piece.start, piece.end, piece.label, min(_SURE, score + (_SMUGGLED_BONUS if smuggled else _BONUS)))


def _markup(text: str) -> Iterator[_Piece]:
    data = project(text)
    for needed, label, place in _PLACES:
        for match in place.finditer(data) if needed in data else ():
            group = next((number for number in range(1, place.groups + 1) if match.group(number) is not None), 0)
            start, end = match.span(group)
            if end - start >= _MIN_CHARS:
                yield _Piece(label, start, end, text[start:end])


def _smuggled(text: str) -> Iterator[_Piece]:
    if text.isascii():
        return
    kinds = hidden_kinds(text)
    apart: dict[str, list[Span]] = {}
    for run in hidden_runs(text, kinds):
        said = _said(text[run.start : run.end], run.label)
        if len(said) >= _MIN_CHARS:
            yield _Piece(run.label, run.start, run.end, said)
        else:
            apart.setdefault(run.label, []).append(run)
    # A few behind each letter or word of a harmless text.
    for label, runs in apart.items():
        if len(runs) >= _LEAST_RUNS:
            said = _said("".join(text[run.start : run.end] for run in runs), label)
            if len(said) >= _MIN_CHARS and is_text(said):
                yield _Piece(label, runs[0].start, runs[-1].end, said)


def _said(run: str, kind: str) -> str:
    """What a run of invisible characters spells, by the encodings in use: ASCII as tags, bytes as selectors, bits."""
    if kind == "hidden.tag":
        return "".join(chr(ord(character) - _TAGS) for character in run if chr(ord(character) - _TAGS).isprintable())
    if kind == "hidden.variation-selector":
        return bytes(map(_selector_byte, run)).decode("utf-8", "replace")
    if kind == "hidden.zero-width" and len(run) >= _LONG_RUN:
        return _from_bits(run)
    return ""


def _selector_byte(character: str) -> int:
    code = ord(character)
    return code - _SELECTORS if code < _SELECTORS + 16 else code - _MORE_SELECTORS + 16


def _from_bits(run: str) -> str:
    """Two kinds of zero-width character read as bits, a third one between octets; the readable way round wins."""
    counts = Counter(run).most_common()
    if len(counts) not in {2, 3}:
        return ""
    kinds = sorted(kind for kind, _ in counts[:2])
    between = counts[2][0] if len(counts) > 2 else ""  # noqa: PLR2004 - binary
    readings: list[str] = []
    for one in kinds:
        bits = "".join("1" if character == one else "" if character == between else "0" for character in run)
        octets = bytes(int(bits[index : index + 8], 2) for index in range(0, len(bits) - 7, 8))
        readings.append(octets.decode("utf-8", "replace"))
        if between:
            groups = run.replace(one, "1").replace(kinds[0] if one == kinds[1] else kinds[1], "0").split(between)
            readings.append(
                bytes(int(group, 2) for group in groups if 0 < len(group) <= _OCTET).decode("utf-8", "replace")
            )
    return max(
        readings, key=lambda reading: sum(character.isascii() and character.isprintable() for character in reading)
    )
