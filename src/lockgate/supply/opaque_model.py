"""LG-SUPPLY-006."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile


class OpaqueModel(Check[ModelFile], frozen=True):
    """Finds a model file, or a part of one, that cannot be examined with certainty.

    Why it matters:
        What no check can look into is where an attacker hides a program: in an encrypted or unusual archive, in two
        members of the same name, in a format that nobody reads.

    Fails on:
        A 7-Zip archive, an HDF5 file, a zip archive whose local headers contradict its directory, a `.pt` file that
        holds only a pointer to the real one.

    Passes on:
        Pickles, PyTorch and NumPy files, GGUF, safetensors, and plain zip and tar archives of them.

    Limits:
        Says only that a file could not be examined, not that it does harm. Accept a file that you must use with a
        waiver, which names a person and ends. A file that breaks the process that reads it is ERRORED instead.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-006",
        title="Model file that cannot be examined",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report why the file or its members could not be examined."""
        uri = subject.ref.uri
        for problem in subject.facts.problems:
            where = f"{uri}, member {problem.place}" if problem.place else uri
            message = f"{where}: {problem.message} Replace it by safetensors or GGUF."
            yield self.finding(message, at=Location(uri, f"{problem.place}#{problem.code}"))
