"""Searches the bytes of a file for secrets: text, notebooks by cell and output, the strings of binaries."""

import codecs
import hmac
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import cast

import msgspec

from lockgate.core import Span
from lockgate.detect.secrets import find_secrets
from lockgate.supply.secrets.subject import Mark

WINDOW = 1 << 20
OVERLAP = 1 << 15
MIN_STRING = 8
_HEAD = 8192
_MAX_DEPTH = 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PRINTABLE = bytes(byte if 32 <= byte < 127 or byte == 9 else 10 for byte in range(256))  # noqa: PLR2004 - ASCII


class Piece(msgspec.Struct, frozen=True):
    """A text that is searched on its own.

    Attributes:
        place: Where in the file; empty for the whole.
        text: The text.
        lined: Whether its lines are the file's.
    """

    place: str
    text: str
    lined: bool


def search(name: str, body: bytes, key: bytes) -> tuple[Mark, ...]:
    """The secrets in a file, without their values.

    Args:
        name: Its path; `.ipynb` is a notebook.
        body: Its bytes.
        key: Key of the tags.
    """
    found: list[Mark] = []
    seen: Counter[str] = Counter()
    tags: set[tuple[str, str]] = set()
    for piece in pieces(name, body):
        starts = _line_starts(piece.text) if piece.lined else []
        for span in spans(piece.text):
            kind = span.label.removeprefix("secret.")
            tag = _tag(key, kind, piece.text[span.start : span.end])
            if (piece.place, tag) in tags and not piece.lined:
                continue
            tags.add((piece.place, tag))
            where = f"{piece.place}/{kind}".lstrip("/")
            seen[where] += 1
            line = bisect_right(starts, span.start) if piece.lined else 0
            found.append(Mark(kind, f"{where}#{seen[where]}", line, span.score, tag))
    return tuple(found)


def spans(text: str) -> Iterator[Span]:
    """Secrets in a text of any length, window by window.

    Each window answers for what begins between the middles of the stretches that it shares with its neighbours, so
    that a secret of up to 16 KiB is seen whole, once.
    """
    start = 0
    while True:
        end = min(start + WINDOW, len(text))
        first = start + OVERLAP // 2 if start else 0
        last = end - OVERLAP // 2 if end < len(text) else end + 1
        for span in find_secrets(text[start:end]):
            if first <= span.start + start < last:
                yield Span(span.start + start, span.end + start, span.label, span.score)
        if end == len(text):
            return
        start = end - OVERLAP


def pieces(name: str, body: bytes) -> Iterator[Piece]:
    """The texts of a file. Every byte is in one of them, or is no character of a readable string."""
    if name.endswith(".ipynb"):
        listed = _notebook(body)
        if listed is not None:
            yield from listed
            return
    text = _decoded(body)
    if text is not None:
        yield Piece("", text, lined=True)
        return
    yield Piece("strings", _strings(body), lined=False)
    # Strings of two bytes a character, as Windows programs keep them.
    yield Piece("strings", _strings(body.replace(b"\0", b"")), lined=False)


def _decoded(body: bytes) -> str | None:
    """The file as text, or None for a binary."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    if b"\0" in body[:_HEAD]:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _strings(body: bytes) -> str:
    lines = body.translate(_PRINTABLE).decode("ascii").split("\n")
    return "\n".join(line for line in lines if len(line) >= MIN_STRING)


def _notebook(body: bytes) -> list[Piece] | None:
    """Sources and outputs of the cells and everything else in it; None where it is no notebook."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    facts = cast("dict[str, object]", document)
    cells = facts.pop("cells", None)
    if not isinstance(cells, list):
        return None
    found = [Piece("notebook", _text(facts), lined=False)]
    for number, cell in enumerate(cast("list[object]", cells)):
        parts = dict(cast("dict[str, object]", cell)) if isinstance(cell, dict) else {"": cell}
        outputs = parts.pop("outputs", None)
        found.append(Piece(f"cells/{number}", _text(parts), lined=False))
        if outputs:
            found.append(Piece(f"cells/{number}/outputs", _text(outputs), lined=False))
    return found


def _text(value: object, depth: int = 0) -> str:
    """All text in a value; a list of texts is one text, as in a notebook's sources, and names stand before values."""
    if isinstance(value, str):
        return value
    if depth > _MAX_DEPTH:
        return json.dumps(value)
    if isinstance(value, list):
        items = cast("list[object]", value)
        joint = "" if all(isinstance(item, str) for item in items) else "\n"
        return joint.join(_text(item, depth + 1) for item in items)
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return "\n".join(f"{key}: {_text(item, depth + 1)}" for key, item in pairs)
    return ""


def _line_starts(text: str) -> list[int]:
    starts, at = [0], text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def _tag(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256").hex()
