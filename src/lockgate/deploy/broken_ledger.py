"""LG-DEPLOY-001."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class BrokenLedger(Check[Chain], frozen=True):
    """Finds a ledger that does not prove what it holds.

    Why it matters:
        Every gate rests on the ledger. An entry that was changed, removed, reordered or signed by a key that trust does
        not allow makes the whole chain worthless, also where the other entries look right.

    Fails on:
        A ledger in which one bit of one envelope was flipped.

    Passes on:
        A ledger whose recomputed tree has the root of its signed checkpoint.

    Limits:
        A rollback to an earlier, valid state is found only against a checkpoint that was kept elsewhere.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-001",
        title="Ledger that does not verify",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report every problem that verification met."""
        for index, problem in enumerate(subject.problems):
            yield self.finding(problem, at=Location(subject.ref.uri, f"/problem/{index}"))
