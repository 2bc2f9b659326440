"""What the learned layers read of a text."""

from typing import NamedTuple

import msgspec

from lockgate.core import Span
from lockgate.detect.windows import cut_windows, readable


class Window(NamedTuple):
    """What the encoder reads at once.

    Attributes:
        text: Made plain to read.
        where: Where it stands in the original; score 0.
        raw: As it stands in the passage.
        siblings: How many windows the passage has, this one among them.
    """

    text: str
    where: Span
    raw: str
    siblings: int


class Passage(msgspec.Struct, frozen=True):
    """One text to judge, and the stretch of the original that it stands for.

    Attributes:
        text: The text itself or what was decoded from a stretch of it.
        start: Offset of that stretch in the original.
        end: Offset behind it.
        encoding: How it was encoded; empty for the original, whose windows keep their own offsets.
        page: Whether it is what a page of markup says: plain text, but not the original.
    """

    text: str
    start: int
    end: int
    encoding: str = ""
    page: bool = False

    def windows(self) -> list[Window]:
        """Each window of the passage, in order."""
        cuts = cut_windows(self.text)
        found: list[Window] = []
        for start, end in cuts:
            raw = self.text[start:end]
            if self.page:
                where = Span(self.start, self.end, "injection.model")
            elif self.encoding:
                where = Span(self.start, self.end, "injection.encoded")
            else:
                where = Span(self.start + start, self.start + end, "injection.model")
            found.append(Window(readable(raw), where, raw, len(cuts)))
        return found
