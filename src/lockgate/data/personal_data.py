"""LG-DATA-003."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Cost, Finding, Severity, SkippedError
from lockgate.data.marks import SURE, marks
from lockgate.data.passage import Kind, TextSubject
from lockgate.detect.pii import find_pii


class PersonalDataInRow(Check[TextSubject], frozen=True):
    """Finds personal data in training rows: names, addresses, phone numbers, accounts, cards, national ids.

    Why it matters:
        Training copies personal data into a model, which discloses it to strangers and cannot forget it when its
        owner asks.

    Fails on:
        `{"id": "r1", "question": "Who?", "answer": "Write to jane.roe@example.com"}`

    Passes on:
        `{"id": "r1", "question": "Who?", "answer": "Write to the address on our contact page."}`

    Limits:
        Finds data with a form (a checksum, a separator, a cue beside it) and names in Latin script: a known given name
        with a family name, or any name beside a word that announces one. Those of public persons count too. Documents
        are left out unless `documents` is set, because a knowledge base states the business's own phone number and
        address.
    """

    card: ClassVar[Card] = Card(
        id="LG-DATA-003",
        title="Personal data in a training row",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        cost=Cost.MODERATE,
        maps=("LLM02:2025", "AML.T0057"),
    )
    documents: bool = False

    def inspect(self, subject: TextSubject) -> Iterator[Finding]:
        """Report each place with its kind of data, never the data."""
        if subject.kind is not Kind.ROWS and not self.documents:
            raise SkippedError("Only training rows are examined unless 'documents' is set.")
        for mark in marks(subject, find_pii):
            kind = mark.label.removeprefix("pii.")
            yield self.finding(
                f"{mark.where} holds personal data ({kind}). Remove it or replace it by a placeholder.",
                at=mark.at,
                confidence=Confidence.HIGH if mark.score >= SURE else Confidence.MEDIUM,
            )
