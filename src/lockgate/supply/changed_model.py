"""LG-SUPPLY-001."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile


class ChangedModel(Check[ModelFile], frozen=True):
    """Finds a model file that is not the one that was reviewed.

    Why it matters:
        Weights cannot be read like code. A file that keeps its name but not its bytes may hold a backdoor, another
        licence or a program, and every test that was run on the old file says nothing about it.

    Fails on:
        `models/assistant.gguf` with a SHA-256 other than the one under `models` in `lockgate.yaml`.

    Passes on:
        A file whose SHA-256 is exactly the pinned one.

    Limits:
        Says that the bytes are the pinned ones, not that the pinned ones are good. A pinned file that is missing or
        cannot be read is ERRORED, not FAILED.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-001",
        title="Model file that differs from its pin",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Compare the digest that was read with the pinned one."""
        if subject.pinned is not None and subject.pinned != subject.ref.sha256:
            message = (
                f"{subject.ref.uri} has the digest {subject.ref.sha256[:16]}…, but lockgate.yaml pins "
                f"{subject.pinned[:16]}…. Restore the reviewed file, or review this one and pin it."
            )
            yield self.finding(message, at=Location(subject.ref.uri))
