"""LG-DATA-006."""

import unicodedata
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.data.row_file import ID, Row, RowFile

MAX_FINDINGS = 1_000
_PAIR = 2


class RepeatedRow(Check[RowFile], frozen=True):
    """Finds rows that repeat an earlier one, or give another answer to the same text.

    Why it matters:
        Repetition is how a few poisoned rows outweigh many good ones, and a flipped label teaches the model the wrong
        answer to exactly one question.

    Fails on:
        Two rows with the question `When do you open?`, one with the answer `At nine.`, one with `Never.`

    Passes on:
        Rows whose first field differs in more than case, spaces and Unicode form.

    Limits:
        Rewording is not seen. The first of `data.fields` besides `id` is taken as the text and the others as the
        answer; without declared fields, or with one only, exact repetition is all that can be found.
    """

    card: ClassVar[Card] = Card(
        id="LG-DATA-006",
        title="Repeated or contradictory row",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        maps=("LLM04:2025", "AML.T0020"),
    )

    def inspect(self, subject: RowFile) -> Iterator[Finding]:
        """Compare each row with the first one that has the same text."""
        if not any(row.fields for row in subject.rows):
            raise SkippedError("The file holds no row that could be compared.")
        count = 0
        for row, first, contradicts in _repeated(subject):
            count += 1
            if count <= MAX_FINDINGS:
                yield self._finding(subject.ref.uri, row, first, contradicts=contradicts)
        if count > MAX_FINDINGS:
            message = f"{subject.ref.uri} repeats rows in {count - MAX_FINDINGS:,} more places."
            yield self.finding(message, at=Location(subject.ref.uri, "#more"))

    def _finding(self, uri: str, row: Row, first: Row, *, contradicts: bool) -> Finding:
        if contradicts:
            message = f"{uri} /{row.key} has the same text as /{first.key} and another answer."
            return self.finding(message, at=Location(uri, f"/{row.key}#contradiction", row.line))
        message = f"{uri} /{row.key} repeats /{first.key}."
        return self.finding(message, at=Location(uri, f"/{row.key}#repeated", row.line), severity=Severity.LOW)


def _repeated(subject: RowFile) -> Iterator[tuple[Row, Row, bool]]:
    declared = tuple(name for name in subject.declared if name != ID)
    first: dict[object, tuple[Row, object]] = {}
    for row in subject.rows:
        text, answer = _split(row, declared)
        if text is None:
            continue
        if text in first:
            earlier, said = first[text]
            yield row, earlier, said != answer
        else:
            first[text] = row, answer


def _split(row: Row, declared: tuple[str, ...]) -> tuple[object, object]:
    values = {field.name: _folded(field.value) for field in row.fields if field.name != ID}
    if len(declared) < _PAIR:
        return tuple(sorted(values.items())) or None, None
    return values.get(declared[0]), tuple(values.get(name) for name in declared[1:])


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
