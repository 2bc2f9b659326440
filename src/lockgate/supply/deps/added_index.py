"""LG-SUPPLY-048."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.report import name
from lockgate.supply.deps.dependency import Listing


class AddedIndex(Check[Listing], frozen=True):
    """Finds files that add registries from which any package may come, or that switch off TLS checks.

    Why it matters:
        With two registries the installer takes the higher version, whoever offers it. A stranger who registers the
        name of an internal package on the public one is installed (dependency confusion).

    Fails on:
        A requirements file that adds an extra index or a folder of links, or trusts a host without TLS.

    Passes on:
        A file that names no registry.

    Limits:
        A registry that replaces the usual one is reported too: only its owner knows whether it mixes sources. Indexes
        that `pyproject.toml` ties to single packages are not looked at.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-048",
        title="Registry beside the usual one",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: Listing) -> Iterator[Finding]:
        """Report each added registry."""
        for index in subject.indexes:
            message = f"{subject.ref.uri} takes packages from {name(index)} too. Use one registry that you control."
            yield self.finding(message, at=Location(subject.ref.uri, f"#index-{name(index)}"))
