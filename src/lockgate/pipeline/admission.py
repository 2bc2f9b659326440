"""Whether an application may be served now: a signed, OPEN deploy decision about exactly these bytes."""

import msgspec

from lockgate.core.gate import Stage
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.evidence import VERIFICATION_SUMMARY, Result, Trust, VerificationSummary, VerifiedEntry, verify_ledger
from lockgate.evidence.errors import EvidenceError
from lockgate.pipeline.chain import deployed


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
        report = verify_ledger(project.state, trust)
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
    return _judge(project, trust, decisions[-1])


def _judge(project: Project, trust: Trust, latest: VerifiedEntry) -> Admission:
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
    reasons += _differences(project, latest)
    return Admission(tuple(reasons), latest.run, latest.subjects)


def _differences(project: Project, latest: VerifiedEntry) -> list[str]:
    approved = {ref.uri: ref.sha256 for ref in latest.subjects}
    present = {item.ref.uri: item.ref.sha256 for item in deployed(project, project.snapshot())}
    changed = [uri for uri in sorted(approved.keys() & present.keys()) if approved[uri] != present[uri]]
    return [
        *(f"{uri} changed since the deploy gate was decided: no evidence covers its digest." for uri in changed),
        *(
            f"{uri} appeared since the deploy gate was decided: no evidence covers it."
            for uri in sorted(present.keys() - approved.keys())
        ),
        *(f"{uri} disappeared since the deploy gate was decided." for uri in sorted(approved.keys() - present.keys())),
    ]
