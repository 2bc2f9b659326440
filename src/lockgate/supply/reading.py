"""What the readers of all formats share while one file is read."""

from collections.abc import Callable

import msgspec

from lockgate.detect.gguf import GgufFacts
from lockgate.detect.part import PartFacts
from lockgate.detect.pickle_ops import PickleFacts
from lockgate.detect.safetensors_header import SafetensorsFacts
from lockgate.detect.source import FormatProblem, MalformedError, Source
from lockgate.supply.chat_template import TemplateFacts
from lockgate.supply.subject import UNEXAMINED, Format

MAX_DEPTH = 3
MAX_INFLATED = 512 << 20


class At(msgspec.Struct, frozen=True):
    """Where the bytes lie that are read.

    Attributes:
        name: File name or member name; only its last part and suffix matter.
        member: Path inside the outermost archive; empty for the file itself.
        depth: How many archives are around it.
    """

    name: str
    member: str = ""
    depth: int = 0

    def inside(self, name: str) -> "At":
        """The place of a member of the archive that lies here."""
        return At(name, f"{self.member}/{name}" if self.member else name, self.depth + 1)


class Reading:
    """Everything found in one file, across the members of its archives.

    Args:
        descend: Reads one member with everything that is known about formats.
    """

    def __init__(self, descend: Callable[["Reading", Source, At], Format]) -> None:
        self._descend = descend
        self._inflated = 0
        self.pickles: list[PickleFacts] = []
        self.ggufs: list[GgufFacts] = []
        self.safetensors: list[SafetensorsFacts] = []
        self.templates: list[TemplateFacts] = []
        self.parts: list[PartFacts] = []
        self.problems: list[FormatProblem] = []
        self.unread = 0

    def read(self, source: Source, at: At) -> Format:
        """Read a member and give its format."""
        if at.depth > MAX_DEPTH:
            raise MalformedError("depth", f"Archives nest more than {MAX_DEPTH} levels deep in it.")
        return self._descend(self, source, at)

    def inflate(self, size: int) -> None:
        """Count what was inflated, in bytes.

        Raises:
            MalformedError: It is more than one file may inflate to.
        """
        self._inflated += size
        if self._inflated > MAX_INFLATED:
            raise MalformedError("budget", f"Its members inflate to more than {MAX_INFLATED:,} bytes.")

    def add(self, facts: PartFacts, size: int) -> None:
        """Keep the facts of one part; its bytes count as unread where its reader had to give up."""
        self.parts.append(facts)
        if any(problem.code in UNEXAMINED for problem in facts.problems):
            self.unread += size

    def refuse(self, error: MalformedError, at: At, size: int) -> None:
        """Note that something broke its format, with the bytes that nobody could read for it."""
        self.problems.append(FormatProblem(error.code, error.message, at.member))
        self.unread += size


ReaderOf = Callable[[Reading, Source, At], Format]
