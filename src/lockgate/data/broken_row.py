"""LG-DATA-005."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.data.row_file import ID, Fault, Row, RowFile

MAX_FINDINGS = 1_000

_MINOR = frozenset({"bom", "empty"})


class BrokenRow(Check[RowFile], frozen=True):
    """Finds training rows that are not what the project declares: broken JSON, wrong fields, empty or non-text values.

    Why it matters:
        Programs disagree about broken rows. A field that appears twice has one value for the reviewer and another one
        for the trainer; a field that nobody declared reaches the model without review.

    Fails on:
        `{"id": "r1", "question": "Open?", "answer": "Yes.", "answer": "No."}`

    Passes on:
        `{"id": "r1", "question": "Open?", "answer": "Yes."}`

    Limits:
        Without `data.fields` only the JSON itself is judged, and values may be nested. A field called `id` is always
        allowed.
    """

    card: ClassVar[Card] = Card(
        id="LG-DATA-005",
        title="Row that breaks its schema",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM04:2025", "AML.T0020"),
    )

    def inspect(self, subject: RowFile) -> Iterator[Finding]:
        """Report the file's faults, then each row's."""
        for fault in subject.faults:
            yield self._finding(fault, Location(subject.ref.uri, f"#{fault.code}"), subject.ref.uri)
        count = 0
        for row in subject.rows:
            for fault, field in _faults(row, subject.declared):
                count += 1
                if count <= MAX_FINDINGS:
                    place = f"/{row.key}/{field}" if field else f"/{row.key}"
                    at = Location(subject.ref.uri, f"{place}#{fault.code}", row.line)
                    yield self._finding(fault, at, f"{subject.ref.uri} {place}")
        if count > MAX_FINDINGS:
            message = f"{subject.ref.uri} breaks its schema in {count - MAX_FINDINGS:,} more places."
            yield self.finding(message, at=Location(subject.ref.uri, "#more"))

    def _finding(self, fault: Fault, at: Location, where: str) -> Finding:
        severity = Severity.LOW if fault.code in _MINOR else self.card.severity
        return self.finding(f"{where} {fault.message}.", at=at, severity=severity)


def _faults(row: Row, declared: tuple[str, ...]) -> Iterator[tuple[Fault, str]]:
    for fault in row.faults:
        yield fault, ""
    if not declared or not row.fields:
        return
    names = {field.name for field in row.fields}
    for name in declared:
        if name not in names:
            yield Fault("missing", "is missing"), name
    for field in row.fields:
        if field.name not in declared and field.name != ID:
            yield Fault("unknown", "is not a declared field"), field.name
        elif not field.is_text:
            yield Fault("type", "is not text"), field.name
        elif not field.value.strip():
            yield Fault("blank", "is blank"), field.name
