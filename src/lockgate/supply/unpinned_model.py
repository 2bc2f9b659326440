"""LG-SUPPLY-002."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile


class UnpinnedModel(Check[ModelFile], frozen=True):
    """Finds a model file in the project that nobody pinned.

    Why it matters:
        A model that is in no list was reviewed by nobody, and whoever swaps it leaves no trace.

    Fails on:
        `models/topic-ranker.pkl` while `lockgate.yaml` pins only `models/assistant.gguf`.

    Passes on:
        A model file with an entry under `models`, and whatever the training job itself wrote to its output folder.

    Limits:
        Looks at files inside the project. A model that the program downloads when it runs is not seen.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-002",
        title="Model file without a pin",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report a project file without a pin."""
        if subject.place == "project" and subject.pinned is None:
            message = (
                f"{subject.ref.uri} is a model file (format: {subject.facts.format}) that lockgate.yaml does not pin. "
                "Remove it, or review it and list it under 'models' with its digest."
            )
            yield self.finding(message, at=Location(subject.ref.uri))
