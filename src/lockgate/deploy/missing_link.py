"""LG-DEPLOY-002."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain, Link, Requirement


class MissingLink(Check[Chain], frozen=True):
    """Finds a stage without the signed evidence that deployment requires, or whose gate is HELD.

    Why it matters:
        What was not examined, or was examined and refused, must not reach production because nobody looked at the
        result. Deployment asks for the proof, not for the absence of complaints.

    Fails on:
        A run whose ledger holds no SLSA provenance for the train stage.

    Passes on:
        A run in which every declared stage has its evidence and an OPEN decision, signed by keys that trust allows.

    Limits:
        Only evidence of the same run counts; results of an earlier run are not carried over.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-002",
        title="Missing link in the chain of evidence",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report each requirement that no verified evidence meets."""
        held: list[str] = []
        for requirement in subject.required:
            link = _latest(requirement, subject)
            if link is None:
                place = f"/{requirement.stage}/{requirement.title.replace(' ', '-')}"
                message = f"The {requirement.stage} stage has no trusted {requirement.title}."
                yield self.finding(message, at=Location(subject.ref.uri, place))
            elif link.opened is False:
                held.append(f"{requirement.stage} (entry {link.seq})")
        if held:
            message = f"Earlier gates are HELD, as the ledger says: {', '.join(held)}."
            yield self.finding(message, at=Location(subject.ref.uri, "/held"))


def _latest(requirement: Requirement, chain: Chain) -> Link | None:
    found = [
        link for link in chain.links if link.stage == requirement.stage and link.predicate == requirement.predicate
    ]
    return found[-1] if found else None
