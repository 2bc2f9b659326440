"""LG-SUPPLY-045."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.report import name
from lockgate.supply.deps.dependency import DependencyFacts
from lockgate.supply.licence import is_allowed


class RefusedLicence(Check[DependencyFacts], frozen=True):
    """Finds dependencies under a licence that was not allowed.

    Why it matters:
        A licence can forbid the use that the application makes of it, or oblige its owner to publish the application.

    Fails on:
        An entry with the licence `AGPL-3.0-only` where `MIT` and `Apache-2.0` are allowed.

    Passes on:
        An entry with the licence `MIT OR AGPL-3.0-only`, because one may choose.

    Limits:
        Needs a list of allowed licences, and does not run without one. Knows only what the file states: npm's lock
        files do, Python's do not. An entry without a licence is reported as low.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-045",
        title="Licence that is not allowed",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    allowed: frozenset[str] = frozenset()

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Compare the stated licence with those that are allowed.

        Raises:
            SkippedError: No licence was allowed explicitly, or the file's format states none.
        """
        item = subject.dependency
        if not self.allowed:
            raise SkippedError("No list of allowed licences is given.")
        if item.ecosystem != "npm" or subject.role != "lock":
            raise SkippedError("Files of this format do not state licences.")
        if is_allowed(item.licence, self.allowed):
            return
        stated = f"the licence {name(item.licence)}, which is not allowed" if item.licence else "no licence"
        severity = Severity.MEDIUM if item.licence else Severity.LOW
        message = f"{item.shown} states {stated}. Replace it, or allow the licence."
        yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line), severity=severity)
