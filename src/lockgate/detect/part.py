"""What a small reader finds in one part of a model file: the names it refers to, and where it breaks its format."""

from collections.abc import Callable
from typing import Literal

import msgspec

from lockgate.detect.source import MAX_PROBLEMS, FormatProblem, MalformedError, Source

MAX_MENTIONS = 200_000
MAX_PATTERNS = 100

Kind = Literal[
    "operator",  # a step of a computation graph, with its domain: `ai.onnx:Conv`
    "class",  # a type that a loader would import, dotted
    "function",  # a function that a loader would import or look up, dotted
    "layer",  # a type of layer that a loader builds by its bare name
    "code",  # code or a switch that lets code run: a remote repository, a lambda, a loader module
    "path",  # a file that a loader would open, as it stands there
    "template",  # a chat template; the name is its text
]


class Mention(msgspec.Struct, frozen=True, order=True):
    """A name that a part of a model refers to.

    Attributes:
        kind: What the loader would do with it.
        name: The name, bounded in length.
        place: Structural place inside the part.
    """

    kind: Kind
    name: str
    place: str = ""


class PartFacts(msgspec.Struct, frozen=True):
    """What one part of a model file says.

    Attributes:
        format: The part's format.
        member: Path inside the archive that holds it; empty for a file of its own.
        mentions: Names that it refers to, each once, in the order of their appearance.
        problems: How it breaks its format.
    """

    format: str
    member: str = ""
    mentions: tuple[Mention, ...] = ()
    problems: tuple[FormatProblem, ...] = ()


class Notes:
    """Gathers mentions and problems while a part is read, so that a break in the middle keeps what came before."""

    def __init__(self) -> None:
        self._mentions: dict[tuple[Kind, str], Mention] = {}
        self._problems: list[FormatProblem] = []
        self._patterns = 0

    def mention(self, kind: Kind, name: str, place: str = "") -> None:
        """Note a name; the same one is kept once, with its first place."""
        if len(self._mentions) >= MAX_MENTIONS:
            raise MalformedError("count", f"It refers to more than {MAX_MENTIONS:,} names.")
        self._mentions.setdefault((kind, name), Mention(kind, name, place))

    def count_pattern(self) -> None:
        """Count a pattern that is judged.

        Raises:
            MalformedError: There are too many of them to judge in bounded time.
        """
        self._patterns += 1
        if self._patterns > MAX_PATTERNS:
            raise MalformedError("budget", f"It holds more than {MAX_PATTERNS} patterns.")

    def problem(self, code: str, message: str, place: str = "") -> None:
        """Note a break of the format."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(FormatProblem(code, message, place))

    def facts(self, kind: str, member: str = "") -> PartFacts:
        """All that was noted."""
        return PartFacts(kind, member, tuple(self._mentions.values()), tuple(self._problems))


def read_part(kind: str, walk: Callable[[Source, Notes], None], source: Source, *, member: str = "") -> PartFacts:
    """Read a part with `walk` and give its facts, whatever the bytes are.

    Args:
        kind: The part's format.
        walk: Notes what it finds, and raises `MalformedError` where it cannot go on.
        source: The part's bytes.
        member: Path inside the archive that holds it.
    """
    notes = Notes()
    try:
        walk(source, notes)
    except MalformedError as error:
        notes.problem(error.code, error.message)
    except RecursionError:
        notes.problem("depth", "It nests too deeply.")
    return notes.facts(kind, member)
