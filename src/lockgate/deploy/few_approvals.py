"""LG-DEPLOY-007."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class FewApprovals(Check[Chain], frozen=True):
    """Finds a deployment that too few people approved.

    Why it matters:
        One stolen or careless key must not be enough. The trust file says how many different approver keys must have
        signed that these very files may go out under this very policy.

    Fails on:
        A trust file with `approvals: 2` and one approval, or two by the same key, or one about other bytes.

    Passes on:
        Approvals by as many different, unrevoked keys as trust demands, each about every file and the policy.

    Limits:
        What the training job of the run itself makes is vouched for by its provenance, not by the approvals, because it
        does not exist when people approve. Without `approvals` in the trust file nobody needs to approve.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-007",
        title="Too few approvals",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI03:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Count the keys whose approval covers exactly what would be deployed."""
        wanted = subject.demands.approvals
        counted = [item for item in subject.approvals if item.keyid not in subject.revoked.keys]
        valid = {
            item.keyid for item in counted if item.policy == subject.policy.sha256 and subject.reviewed == item.subjects
        }
        if len(valid) < wanted:
            other = len({item.keyid for item in counted} - valid)
            also = f" ({other} more approved other files or another policy)" if other else ""
            also += (
                f" ({subject.refused_approvals} not signed by a trusted approver)" if subject.refused_approvals else ""
            )
            message = f"{len(valid)} of {wanted} approvals cover these files{also}; 'lockgate approve' adds one."
            yield self.finding(message, at=Location(subject.ref.uri, "/approvals"))
