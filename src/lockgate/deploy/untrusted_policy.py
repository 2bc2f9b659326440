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
        A `lockgate.yaml` with one more waiver than the one whose digest the trust file holds, or with another
        `policy_id` or a lower `policy_version` than the trust file demands.

    Passes on:
        The pinned file, byte for byte, from the start of the run to its end.

    Limits:
        Without a `policy` in the trust file only a change during the run is found, and a policy that names itself
        otherwise. Name and version are the file's own words; the digest is what proves them.
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
        wanted = subject.demands
        if wanted.policy_id and subject.policy_id != wanted.policy_id:
            message = f"The policy calls itself {subject.policy_id!r}; the trust file demands {wanted.policy_id!r}."
            yield self.finding(message, at=Location(subject.policy.uri, "/deploy/policy_id"))
        if subject.policy_version < wanted.min_policy_version:
            message = f"The policy has version {subject.policy_version}, below {wanted.min_policy_version}."
            yield self.finding(message, at=Location(subject.policy.uri, "/deploy/policy_version"))
