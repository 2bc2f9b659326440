"""LG-DEPLOY-005."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class SharedKey(Check[Chain], frozen=True):
    """Finds one key that signs in several roles.

    Why it matters:
        Whoever builds, examines and approves with one key needs nobody's consent. Separate keys make a single stolen
        key insufficient.

    Fails on:
        A chain in which the key of the scanner also signs the gates' decisions, where trust demands separate roles.

    Passes on:
        A chain signed by three keys for builder, scanner and approver.

    Limits:
        Different keys may still be in one person's hands. Without `separate_roles` in the trust file the finding is
        information only.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-005",
        title="One key in several roles",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("ASI03:2026",),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report keys that signed more than one kind of predicate."""
        kinds: dict[str, set[str]] = {}
        for link in subject.links:
            kinds.setdefault(link.keyid, set()).add(link.predicate)
        severity = Severity.HIGH if subject.separate_roles else Severity.INFO
        for keyid, predicates in sorted(kinds.items()):
            if len(predicates) > 1:
                message = f"Key {keyid[:12]} signed {len(predicates)} kinds of evidence; use one key for each role."
                yield self.finding(message, at=Location(subject.ref.uri, f"/key/{keyid}"), severity=severity)
