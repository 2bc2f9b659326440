"""LG-SUPPLY-102."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import CodeFile


class TrustedRemoteCode(Check[CodeFile], frozen=True):
    """Finds calls that let a model or data set bring its own Python code.

    Why it matters:
        With this switch a loader downloads Python files from the repository and imports them. Whoever can push there
        runs code on every machine that loads the model.

    Fails on:
        The switch is on:

            from transformers import AutoModel
            AutoModel.from_pretrained("org/model", trust_remote_code=True)

    Passes on:
        The switch is off:

            from transformers import AutoModel
            AutoModel.from_pretrained("./model", trust_remote_code=False)

    Limits:
        Sees the literal. A value that is computed, or that settings carry, is not followed.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-102",
        title="Code of a model's author that is trusted",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=(
            "LLM03:2025",
            "ASI04:2026",
            "ASI05:2026",
            "AML.T0010.003",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every call with the switch."""
        for call in subject.calls:
            if call.constant("trust_remote_code") is True:
                yield self.finding(
                    f"{call.name} imports code from the repository (trust_remote_code=True). Use an architecture "
                    "that the "
                    "library ships, or keep the reviewed code in your own repository.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )
