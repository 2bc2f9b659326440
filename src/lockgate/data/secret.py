"""LG-DATA-002."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Cost, Finding, Severity
from lockgate.data.marks import SURE, marks
from lockgate.data.passage import TextSubject
from lockgate.detect.secrets import find_secrets


class SecretInData(Check[TextSubject], frozen=True):
    """Finds credentials in training rows and documents.

    Why it matters:
        A model repeats what it was trained on, and an assistant quotes its documents. A key in either is a key that
        anybody may ask for; and removing it later does not remove it from the model.

    Fails on:
        A row whose answer holds a cloud access key.

    Passes on:
        A row that says where keys are kept: `{"id": "r1", "question": "My key?", "answer": "Ask in the vault."}`.

    Limits:
        Knows formats of keys, private key blocks and random-looking values that are assigned to a name such as
        `password`. A secret that looks like a word is not seen. Several secrets of one kind in one field are one
        finding.
    """

    card: ClassVar[Card] = Card(
        id="LG-DATA-002",
        title="Secret in a training row or document",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        cost=Cost.MODERATE,
        maps=("LLM02:2025", "AML.T0055", "AML.T0057"),
    )

    def inspect(self, subject: TextSubject) -> Iterator[Finding]:
        """Report each place with its kind of secret, never the secret."""
        for mark in marks(subject, find_secrets):
            kind = mark.label.removeprefix("secret.")
            yield self.finding(
                f"{mark.where} holds a secret ({kind}). Remove it, and revoke it where it was issued.",
                at=mark.at,
                confidence=Confidence.HIGH if mark.score >= SURE else Confidence.MEDIUM,
            )
