"""LG-DEPLOY-004."""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, Stage
from lockgate.deploy.subject import Chain


class OutOfOrder(Check[Chain], frozen=True):
    """Finds evidence that was not produced in the order of the stages, or a training input that data never examined.

    Why it matters:
        A model that was trained before its data was examined may have learned what the examination would have refused.

    Fails on:
        Provenance that names an input which differs from what the data stage signed.

    Passes on:
        Entries in the order data, train, supply, redteam, with every training input among the data stage's subjects.

    Limits:
        The order is that of the ledger, which says when evidence was signed, not when the work was done.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-004",
        title="Evidence out of order",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report stages whose evidence precedes an earlier stage's decision, and unexamined materials."""
        decided = {link.stage: link.seq for link in subject.links if link.opened is not None}
        present = [stage for stage in Stage if stage in decided]
        for earlier, later in pairwise(present):
            first = min(link.seq for link in subject.links if link.stage == later)
            if first < decided[earlier]:
                message = f"Evidence of the {later} stage was signed before the {earlier} gate was decided."
                yield self.finding(message, at=Location(subject.ref.uri, f"/order/{later}"))
        examined = {ref for link in subject.links if link.stage == Stage.DATA for ref in link.subjects}
        for link in subject.links:
            for ref in link.materials:
                if ref not in examined:
                    message = f"{ref.uri} went into the training job, but the data stage did not examine these bytes."
                    yield self.finding(message, at=Location(ref.uri, "/material"))
