"""LG-SUPPLY-005."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile

_ORDER = "unsorted"


class MalformedSafetensors(Check[ModelFile], frozen=True):
    """Finds a safetensors file whose header does not describe exactly the bytes behind it.

    Why it matters:
        Two readers that disagree about a header load two different models from the same digest. Overlaps and holes
        hide bytes, lying sizes aim at readers written in C, and an endless header fills the memory.

    Fails on:
        A header that lists `weight` twice, tensors that overlap, and four bytes behind the last tensor.

    Passes on:
        What the safetensors library writes.

    Limits:
        Checks the layout, not the values. A header whose names are in another order than their bytes is reported with
        low severity, because some writers other than the reference produce it.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-005",
        title="Malformed safetensors header",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every problem of every header."""
        uri = subject.ref.uri
        for facts in subject.facts.safetensors:
            for problem in facts.problems:
                place = "/".join(part for part in (facts.member, problem.place) if part)
                yield self.finding(
                    f"{uri}: {problem.message}",
                    at=Location(uri, f"{place}#{problem.code}"),
                    severity=Severity.LOW if problem.code == _ORDER else None,
                )
