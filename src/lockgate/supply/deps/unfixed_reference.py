"""LG-SUPPLY-044."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.deps.dependency import DependencyFacts


class UnfixedReference(Check[DependencyFacts], frozen=True):
    """Finds dependencies that are fetched from an address or a repository without a digest.

    Why it matters:
        A branch, a tag or a file at an address is whatever its owner, or whoever took the place over, puts there
        today.

    Fails on:
        `tools @ git+https://example.org/tools.git@main`, `tools @ https://example.org/tools.zip`.

    Passes on:
        `tools @ git+https://example.org/tools.git@` with a full commit id, an address with `#sha256=` and a digest.

    Limits:
        Folders of the project itself are not judged. Whether the host is to be trusted is not known.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-044",
        title="Direct reference that can change",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report a reference that nothing fixes."""
        item = subject.dependency
        if item.origin in {"url", "vcs"} and not item.fixed:
            wanted = "a full commit id" if item.origin == "vcs" else "a SHA-256 digest"
            message = f"{item.name} comes from {item.url or 'an address'} without {wanted}. Add it."
            yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line))
