"""LG-SUPPLY-041."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.deps.dependency import DependencyFacts


class UnpinnedDependency(Check[DependencyFacts], frozen=True):
    """Finds requirements that leave the version to the day of the installation.

    Why it matters:
        What was examined is not what is installed tomorrow, and whoever takes over a package reaches every such
        installation at once.

    Fails on:
        `transformers>=4.40` in `requirements.txt`.

    Passes on:
        `transformers==4.57.1`, and every entry of a lock file.

    Limits:
        In `pyproject.toml`, `package.json` and `environment.yml`, where ranges are usual, it is reported as low. What a
        package needs in turn is seen only in lock files.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-041",
        title="Dependency without one exact version",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report a dependency of a registry without one version."""
        item = subject.dependency
        if item.problem or item.version or item.origin != "registry":
            return
        severity = Severity.LOW if subject.role == "declaration" else Severity.MEDIUM
        way = "Pin it with '=='" if item.ecosystem == "PyPI" else "State one"
        message = f"{item.name} has no exact version. {way}, or use a lock file."
        yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line), severity=severity)
