"""LG-SUPPLY-006."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.detect.source import FormatProblem
from lockgate.supply.errors import SupplyError
from lockgate.supply.subject import UNEXAMINED, ModelFile

_MAX_REASONS = 3


class OpaqueModel(Check[ModelFile], frozen=True):
    """Finds an archive or a container that breaks its format, and says of which file nobody can know what it holds.

    Why it matters:
        What no check can look into is where an attacker hides a program: in an encrypted or unusual archive, in two
        members of the same name, in a format that nobody reads.

    Fails on:
        A zip archive whose local headers contradict its directory, a tar archive with a device in it.

    Passes on:
        Pickles, PyTorch and NumPy files, GGUF, safetensors, ONNX, Keras, and plain zip and tar archives of them.

    Limits:
        What is whole but cannot be examined (an encrypted archive, a format that no reader knows, a `.pt` file that
        holds only a pointer to the real one, a budget that is used up) is ERRORED and not FAILED: it holds the gate,
        and no waiver opens it.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-006",
        title="Model file that cannot be examined",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report why the file or its members could not be examined.

        Raises:
            SupplyError: Nothing is broken, but not everything could be looked at.
        """
        uri = subject.ref.uri
        unread = [problem for problem in _problems(subject) if problem.code in UNEXAMINED]
        broken = [problem for problem in subject.facts.problems if problem.code not in UNEXAMINED]
        if unread and not broken:
            said = list(dict.fromkeys(_told(uri, problem) for problem in unread))
            more = f" And {len(said) - _MAX_REASONS} more." if len(said) > _MAX_REASONS else ""
            raise SupplyError(" ".join(said[:_MAX_REASONS]) + more)
        for problem in (*broken, *unread):
            yield self.finding(_told(uri, problem), at=Location(uri, f"{problem.place}#{problem.code}"))


def _problems(subject: ModelFile) -> Iterator[FormatProblem]:
    yield from subject.facts.problems
    for part in subject.facts.parts:
        for problem in part.problems:
            place = "/".join(name for name in (part.member, problem.place) if name)
            yield FormatProblem(problem.code, problem.message, place)


def _told(uri: str, problem: FormatProblem) -> str:
    where = f"{uri}, member {problem.place}" if problem.place else uri
    return f"{where}: {problem.message}"
