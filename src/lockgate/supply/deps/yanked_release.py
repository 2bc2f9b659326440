"""LG-SUPPLY-046."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.deps.dependency import DependencyFacts


class YankedRelease(Check[DependencyFacts], frozen=True):
    """Finds releases that their makers have withdrawn or given up.

    Why it matters:
        A release is withdrawn because it is broken or unsafe, or because nobody repairs it any more. Installers still
        hand it out to whoever pins it.

    Fails on:
        An entry of `package-lock.json` with the field `deprecated`.

    Passes on:
        Every other entry.

    Limits:
        Knows only what the file says: npm's lock files do, Python's do not, and the registry is not asked.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-046",
        title="Release that its makers gave up",
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report a withdrawn release."""
        item = subject.dependency
        if item.yanked:
            message = f"{item.shown} was withdrawn or given up by its makers. Use another version or package."
            yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line))
