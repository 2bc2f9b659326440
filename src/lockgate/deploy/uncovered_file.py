"""LG-DEPLOY-003."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class UncoveredFile(Check[Chain], frozen=True):
    """Finds a file that would be deployed although no stage examined these very bytes.

    Why it matters:
        Between a scan and a deployment lies time in which a file can be swapped. A name proves nothing; only a digest
        ties what was examined to what goes out.

    Fails on:
        A model that was replaced after the supply stage had passed it.

    Passes on:
        Files whose digests are subjects of the evidence of the stage that is responsible for them.

    Limits:
        It compares digests at the moment of the deploy gate; `lockgate serve` compares them again when it starts.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-003",
        title="File that no evidence covers",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "AML.T0010"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report each file whose digest the responsible stage did not sign, and each that has disappeared."""
        covered = {(link.stage, ref) for link in subject.links for ref in link.subjects}
        named = {ref.uri for link in subject.links for ref in link.subjects}
        for item in subject.deployed:
            if (item.stage, item.ref) in covered:
                continue
            changed = item.ref.uri in named
            what = "changed after it was examined" if changed else "was never examined"
            message = f"{item.ref.uri} {what}: no {item.stage} evidence covers its digest."
            yield self.finding(message, at=Location(item.ref.uri))
        present = {item.ref.uri for item in subject.deployed}
        for uri in sorted(named - present):
            if "://" not in uri and not uri.startswith("redteam:"):
                yield self.finding(f"{uri} was examined and has since disappeared.", at=Location(uri))
