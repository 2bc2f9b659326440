"""LG-DEPLOY-006."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class UntrustedPolicy(Check[Chain], frozen=True):
    """Finds a policy other than the one that was approved.

    Why it matters:
        Whoever can edit the project can edit `lockgate.yaml`: lower a threshold, waive a finding, drop a stage. The
        trust file lies outside the project and pins the digest of the policy that its owner has read.

    Fails on:
        A `lockgate.yaml` with one more waiver than the one whose digest the trust file holds.

    Passes on:
        The pinned file, byte for byte, from the start of the run to its end.

    Limits:
        Without a `policy` in the trust file only a change during the run is found.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-006",
        title="Policy that was not approved",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI03:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Compare the policy's digest with the pinned one and with the one at the start."""
        at = Location(subject.policy.uri)
        if subject.policy.sha256 != subject.policy_at_start:
            yield self.finding("The policy changed while the run was under way.", at=at)
        elif subject.trusted_policy is not None and subject.policy.sha256 != subject.trusted_policy:
            yield self.finding("The policy is not the one that the trust file pins.", at=at)
