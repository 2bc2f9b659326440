"""What a page of markup says: its text without the tags, and apart from it what its reader does not see.

Tags make up most of many pages, so that a sentence for a model drowns among them. Nothing is decided here, and the page
itself is judged too: what this leaves out (names of tags, short attributes) is judged there.
"""

import html
import re
from bisect import bisect_right

import msgspec

from lockgate.detect.windows import cut_windows

LEAST_TAGS = 3
"""Tags from which on a text counts as a page."""

_JOINED = 400
_ALONE_WORDS = 20
_LEAST_WORDS = 3
_LEAST_VALUE_WORDS = 4
# Words in a tag that are neither its name nor a value; browsers skip them, models read them.
_LEAST_BARE_WORDS = 4
_TAG = re.compile(r"<(?:!--|[a-zA-Z/!?])")
_NAME = re.compile(r"</?([a-zA-Z0-9]*)")
_RAW_END = re.compile(r"</(?:script|style)", re.IGNORECASE)
# Starts at the sign before a value: looking for the name first would take quadratic time on a long run of letters.
_VALUE = re.compile(r"=\s*(?:\"([^\"]*)\"|'([^']*)')")
# fmt: off
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "dd", "details", "div", "dl",
        "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head",
        "header", "hr", "html", "label", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section",
        "summary", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "title", "tr", "ul",
    }
)
# fmt: on
_RAW = frozenset(("script", "style"))


class Stretch(msgspec.Struct, frozen=True):
    """A part of what a page says.

    Attributes:
        text: Without markup, character references replaced.
        start: Offset in the page of what it stands for.
        end: Offset behind it.
    """

    text: str
    start: int
    end: int


class _Page:
    """Collects what one page says."""

    def __init__(self) -> None:
        self.tags = 0
        self.seen: list[str] = []
        self.unseen: list[Stretch] = []
        self._length = 0
        self._places: list[int] = []
        self._offsets: list[int] = []

    def show(self, text: str, start: int) -> None:
        if not text:
            return
        if text.isspace() and self.seen and self.seen[-1].isspace():
            # Tags in a row are one gap, as wide as the widest.
            self._length -= len(self.seen[-1])
            text = max(text, self.seen.pop(), key=len)
            self._places.pop()
            start = self._offsets.pop()
        self._places.append(self._length)
        self._offsets.append(start)
        self.seen.append(text)
        self._length += len(text)

    def hide(self, text: str, start: int, end: int, least: int = _LEAST_WORDS) -> None:
        plain = html.unescape(text)
        if len(plain.split(maxsplit=least - 1)) >= least:
            self.unseen.append(Stretch(plain.strip(), start, end))

    def offset(self, place: int) -> int:
        """Where in the page a character of the seen text stands, or near it after a character reference."""
        index = bisect_right(self._places, place) - 1
        return self._offsets[index] + place - self._places[index]

    def stretches(self, length: int) -> list[Stretch]:
        """Windows of the seen text, then the unseen ones."""
        text = "".join(self.seen)
        found: list[Stretch] = []
        for start, end in cut_windows(text):
            if window := text[start:end].strip():
                found.append(Stretch(window, self.offset(start), min(self.offset(end - 1) + 1, length)))
        return [*found, *_joined(self.unseen)]


def read_page(text: str) -> tuple[Stretch, ...]:
    """What a page of markup says.

    Returns:
        Its text in windows (see `cut_windows`), every long comment, script, style sheet and attribute by itself, and
        the short ones together; nothing for a text with fewer than `LEAST_TAGS` tags. Takes time linear in the length,
        whatever is unclosed.
    """
    page, position = _Page(), 0
    while tag := _TAG.search(text, position):
        page.show(html.unescape(_squeezed(text[position : tag.start()])), position)
        page.tags += 1
        position = _comment(page, text, tag) if tag.group() == "<!--" else _element(page, text, tag.start())
    page.show(html.unescape(_squeezed(text[position:])), position)
    return tuple(page.stretches(len(text))) if page.tags >= LEAST_TAGS else ()


def _joined(unseen: list[Stretch]) -> list[Stretch]:
    """Short stretches together, a line each: alone, many a remark among developers reads like an order to anybody."""
    found: list[Stretch] = []
    short: list[Stretch] = []

    def flush() -> None:
        if short:
            found.append(Stretch("\n".join(each.text for each in short), short[0].start, short[-1].end))
            short.clear()

    for each in unseen:
        if len(each.text.split(maxsplit=_ALONE_WORDS)) > _ALONE_WORDS:
            found.append(each)
            continue
        if sum(len(other.text) for other in short) + len(each.text) > _JOINED:
            flush()
        short.append(each)
    flush()
    return found


def _comment(page: _Page, text: str, tag: re.Match[str]) -> int:
    end = text.find("-->", tag.end())
    page.hide(text[tag.end() : end if end >= 0 else len(text)], tag.start(), end + 3 if end >= 0 else len(text))
    return end + 3 if end >= 0 else len(text)


def _element(page: _Page, text: str, start: int) -> int:
    """Read one tag, and what stands in it if that is no text; returns the offset behind."""
    close = text.find(">", start)
    end = close + 1 if close >= 0 else len(text)
    for value in _VALUE.finditer(text, start, end):
        page.hide(value[1] or value[2] or "", value.start(), value.end(), _LEAST_VALUE_WORDS)
    bare = [word for word in _VALUE.sub("=", text[start:end]).split()[1:] if "=" not in word]
    if len(bare) >= _LEAST_BARE_WORDS:
        page.hide(" ".join(bare).rstrip("/>"), start, end)
    named = _NAME.match(text, start)
    name = named[1].lower() if named else ""
    closing = text.startswith("</", start)
    if name in _RAW and not closing:
        stop = _RAW_END.search(text, end)
        after = stop.start() if stop else len(text)
        page.hide(text[end:after], end, after)
        return after
    page.show("\n\n" if name in _BLOCKS and closing else "\n" if name in _BLOCKS else " ", start)
    return end


def _squeezed(text: str) -> str:
    """Indentation and line breaks of the source mean nothing on a page."""
    return " ".join(text.split()) if text.strip() else ""
