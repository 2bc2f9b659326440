"""LG-SUPPLY-108."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import CodeFile

_SURE = 0.9


class SecretInCode(Check[CodeFile], frozen=True):
    """Finds credentials in the text of code, notebooks and prompts.

    Why it matters:
        Whoever can read the repository has the key. A key in a prompt is worse: the model repeats its instructions to
        anybody who asks well, and the provider stores them.

    Fails on:
        A password (this one is made up) is assigned:

            password = "kT9#vQ2m!zLx7Rw4pE"

    Passes on:
        The value comes from the environment:

            import os
            password = os.environ["DATABASE_PASSWORD"]

    Limits:
        Uses the detectors of `lockgate scan secrets`, which also looks into other files, outputs of notebooks and the
        history.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-108",
        title="Secret in code or in a prompt",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=(
            "LLM02:2025",
            "LLM07:2025",
            "AML.T0055",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report each place with the kind of secret, never the secret."""
        for mark in subject.secrets:
            where = "A prompt" if mark.prompt else "The code"
            yield self.finding(
                f"{where} holds a secret ({mark.kind}). Read it from outside, and revoke it where it was issued.",
                at=Location(subject.ref.uri, mark.place, mark.line),
                confidence=Confidence.HIGH if mark.score >= _SURE else Confidence.MEDIUM,
            )
