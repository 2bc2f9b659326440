"""LG-SUPPLY-047."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.deps.dependency import DependencyFacts


class InstallTimeCode(Check[DependencyFacts], frozen=True):
    """Finds dependencies that run programs of their own while they are installed.

    Why it matters:
        That code runs with the rights of whoever installs, often with the secrets of a build machine, before anything
        that examines the installed files can look.

    Fails on:
        A locked package that offers a source archive (`.tar.gz`) and no wheel, an npm package with
        `hasInstallScript`.

    Passes on:
        A package that offers a wheel: installing it copies files.

    Limits:
        Knows what the file says; requirements files do not say which files a digest belongs to. Whether the program
        does harm is not known.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-047",
        title="Code that runs at installation",
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report a source archive without a wheel beside it, and install scripts."""
        item = subject.dependency
        if item.runs_script or (item.artifacts and set(item.artifacts) == {"sdist"}):
            how = "has an install script" if item.runs_script else "is offered as a source archive alone"
            message = f"{item.shown} {how}, so its code runs when it is installed. Build it apart, or replace it."
            yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line))
