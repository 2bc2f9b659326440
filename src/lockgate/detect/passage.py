"""What the learned layers read of a text."""

import msgspec

from lockgate.core import Span
from lockgate.detect.windows import cut_windows, readable


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

    def windows(self) -> list[tuple[str, Span]]:
        """Each window made plain to read, and where it stands in the original; score 0."""
        found: list[tuple[str, Span]] = []
        for start, end in cut_windows(self.text):
            text = readable(self.text[start:end])
            if self.page:
                found.append((text, Span(self.start, self.end, "injection.model")))
            elif self.encoding:
                found.append((text, Span(self.start, self.end, "injection.encoded")))
            else:
                found.append((text, Span(self.start + start, self.start + end, "injection.model")))
        return found
