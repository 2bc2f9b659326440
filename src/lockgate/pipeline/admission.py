"""Whether an application may be served now: a signed, OPEN deploy decision about exactly these bytes."""

import msgspec

from lockgate.core.gate import Stage
from lockgate.core.outcome import Status
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.deploy import Chain, examine_again
from lockgate.evidence import (
    VERIFICATION_SUMMARY,
    EvidenceError,
    LedgerReport,
    Result,
    Trust,
    VerificationSummary,
    VerifiedEntry,
)
from lockgate.pipeline.chain import chain_from
from lockgate.pipeline.kept import verified


class Admission(msgspec.Struct, frozen=True):
    """Whether the endpoint may start.

    Attributes:
        reasons: What speaks against it, each naming the missing evidence. Empty when it may start.
        run: Id of the run that approved it.
        approved: The files that it approved, by digest.
    """

    reasons: tuple[str, ...]
    run: str = ""
    approved: tuple[SubjectRef, ...] = ()


def admit(project: Project, trust: Trust) -> Admission:
    """Decide from the ledger and the files as they lie there now.

    Raises:
        LockgateError: A file of the project cannot be read.
    """
    try:
        report = verified(project, trust)
    except EvidenceError as error:
        return Admission((f"There is no evidence to rely on: {error}",))
    if report.problems:
        return Admission(tuple(f"The ledger does not verify: {problem.message}" for problem in report.problems))
    decisions = [
        entry
        for entry in report.entries
        if entry.stage is Stage.DEPLOY and entry.predicate_type == VERIFICATION_SUMMARY
    ]
    if not decisions:
        return Admission(
            ("The ledger holds no deploy decision signed by a trusted approver: run 'lockgate run' first.",)
        )
    return _judge(project, trust, report, decisions[-1])


def _judge(project: Project, trust: Trust, report: LedgerReport, latest: VerifiedEntry) -> Admission:
    summary = latest.statement.predicate
    if not isinstance(summary, VerificationSummary):
        return Admission((f"Entry {latest.seq} is no gate decision.",))
    reasons: list[str] = []
    if summary.verification_result != Result.PASSED:
        reasons += [f"The deploy gate is HELD: {reason}" for reason in summary.decision.reasons]
    if trust.policy is not None and project.policy.sha256 != trust.policy:
        reasons.append("lockgate.yaml is not the policy that the trust file pins.")
    if project.policy not in latest.subjects:
        reasons.append(f"{project.policy.uri} is not the file that the deploy gate approved.")
    chain = chain_from(project, trust, report, latest.run)
    reasons += _differences(chain, latest)
    for outcome in examine_again(chain):
        reasons += [f"{finding.check}: {finding.message}" for finding in outcome.findings]
        if outcome.status is Status.ERRORED:
            reasons.append(f"{outcome.check} could not look: {outcome.reason}")
    return Admission(tuple(reasons), latest.run, latest.subjects)


def _differences(chain: Chain, latest: VerifiedEntry) -> list[str]:
    approved = {ref.uri: ref.sha256 for ref in latest.subjects}
    present = {item.ref.uri: item.ref.sha256 for item in chain.deployed}
    changed = [uri for uri in sorted(approved.keys() & present.keys()) if approved[uri] != present[uri]]
    return [
        *(f"{uri} changed since the deploy gate was decided: no evidence covers its digest." for uri in changed),
        *(
            f"{uri} appeared since the deploy gate was decided: no evidence covers it."
            for uri in sorted(present.keys() - approved.keys())
        ),
        *(f"{uri} disappeared since the deploy gate was decided." for uri in sorted(approved.keys() - present.keys())),
    ]
