"""Reads what a text holds in another encoding: base64, hex, URL, HTML entities, escapes, rot13, reversed.

A model decodes these when asked, so an instruction in one of them is an instruction. The work is bounded: at most
`MAX_VIEWS` views, two levels deep, and those of a level are together no longer than the text.
"""

import base64
import binascii
import codecs
import html
import urllib.parse
from collections.abc import Callable, Iterator

import msgspec

from lockgate.detect.linear import Pattern, pattern, project

MAX_VIEWS = 256
MAX_DEPTH = 2
_MIN_CHARS = 6
_PRINTABLE_SHARE = 0.9


class View(msgspec.Struct, frozen=True):
    """A stretch of text, decoded.

    Attributes:
        text: What it says.
        start: Offset of the encoded stretch in the text that was searched.
        end: Offset behind it.
        encoding: How it was encoded, outermost first: `base64`, `base64+rot13`.
    """

    text: str
    start: int
    end: int
    encoding: str


def _base64(value: str) -> str:
    compact = "".join(value.split()).replace("-", "+").replace("_", "/").rstrip("=")
    usable = len(compact) - (len(compact) % 4 == 1)
    body = compact[:usable] + "=" * (-usable % 4)
    return base64.b64decode(body).decode("utf-8")


def _hex(value: str) -> str:
    digits = value.replace("0x", "").replace("\\x", "")
    return bytes.fromhex("".join(filter(str.isalnum, digits))).decode("utf-8")


def _binary(value: str) -> str:
    bits = "".join(value.split())
    return bytes(int(bits[index : index + 8], 2) for index in range(0, len(bits) - 7, 8)).decode("utf-8")


def _escapes(value: str) -> str:
    return value.encode("ascii").decode("unicode_escape")


def _rot13(value: str) -> str:
    return codecs.decode(value, "rot13")


def _reversed(value: str) -> str:
    return value[::-1]


_STRETCHES: tuple[tuple[str, Pattern, Callable[[str], str]], ...] = (
    ("base64", pattern(r"[A-Za-z0-9+/]{4,}(?:\r?\n?[A-Za-z0-9+/]{4,}){1,}={0,2}|[A-Za-z0-9+/_-]{16,}={0,2}"), _base64),
    ("hex", pattern(r"(?:\b|0x|\\x)[0-9A-Fa-f]{2}(?:(?: |:|,|\\x| ?0x)?[0-9A-Fa-f]{2}){7,}\b"), _hex),
    ("binary", pattern(r"\b[01]{8}(?: ?[01]{8}){5,}\b"), _binary),
    ("url", pattern(r"[A-Za-z0-9+._~-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9+._~-]*){3,}"), urllib.parse.unquote_plus),
    ("html", pattern(r"[A-Za-z0-9 ]*(?:&(?:#x?[0-9A-Fa-f]{1,6}|[a-z]{2,8});[A-Za-z0-9 ]*){3,}"), html.unescape),
    ("escapes", pattern(r"(?:\\u[0-9A-Fa-f]{4}[A-Za-z0-9 ]*|\\x[0-9A-Fa-f]{2}[A-Za-z0-9 ]*){4,}"), _escapes),
)
# Words of instructions as they look in rot13 and reversed. Without one the whole text is not worth a second reading.
_ROT13 = pattern(r"(?i)vafgehpgvba|vtaber|cerivbhf|cebzcg|qvfertneq|cnffjbeq|frperg|erirny|flfgrz|ehyrf|pbqr\b|sbetrg")
_REVERSED = pattern(
    r"(?i)noitcurtsni|erongi|suoiverp|tpmorp|dragersid|drowssap|terces|laever|metsys|selur|\bedoc\b|tegrof"
)


def decoded(text: str) -> tuple[View, ...]:
    """Everything in `text` that decodes to readable text.

    Returns:
        Views in no particular order; the offsets always refer to `text` itself, also at the second level.
    """
    views: list[View] = []
    level = [View(text, 0, len(text), "")]
    for depth in range(MAX_DEPTH):
        found: list[View] = []
        budget = len(text)
        for source in level:
            for view in _views(source, whole=depth == 0 or "rot13" not in source.encoding):
                if len(view.text) > budget or len(views) + len(found) >= MAX_VIEWS:
                    continue
                budget -= len(view.text)
                found.append(view)
        views.extend(found)
        level = found
    return tuple(views)


def _views(source: View, *, whole: bool) -> Iterator[View]:
    data = project(source.text)
    for name, shape, read in _STRETCHES:
        # Longest first, so that a budget spent on decoys is spent on large ones.
        matches = sorted((match.span() for match in shape.finditer(data)), key=lambda span: span[0] - span[1])
        for start, end in matches[:MAX_VIEWS]:
            decoded_text = _readable(read, source.text[start:end])
            if decoded_text:
                yield _placed(source, decoded_text, start, end, name)
    for name, shape, read in (("rot13", _ROT13, _rot13), ("reversed", _REVERSED, _reversed)):
        if whole and shape.search(data):
            yield _placed(source, read(source.text), 0, len(source.text), name)


def _placed(source: View, text: str, start: int, end: int, name: str) -> View:
    if source.encoding:
        return View(text, source.start, source.end, f"{source.encoding}+{name}")
    return View(text, start, end, name)


def _readable(read: Callable[[str], str], value: str) -> str:
    """What `value` says, empty if it does not decode to readable text: most long words are no base64."""
    try:
        text = read(value)
    except (ValueError, binascii.Error):
        return ""
    if len(text) < _MIN_CHARS or text == value:
        return ""
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return text if printable >= _PRINTABLE_SHARE * len(text) else ""
