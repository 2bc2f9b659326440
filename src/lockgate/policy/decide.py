"""The one place that turns outcomes into OPEN or HELD."""

import msgspec

from lockgate.core.config import GateRules
from lockgate.core.finding import Finding
from lockgate.core.gate import Cause, Decision, GateDecision, Hold, Stage, WaivedFinding
from lockgate.core.outcome import Examination, Outcome, Status
from lockgate.policy.waivers import WaiverBook


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision rests on.

    Attributes:
        stage: Whose gate.
        examination: What the stage examined; None when the project does not declare the stage.
        rules: What holds this gate.
        evidence: Predicate types of the verified evidence that this run holds for the stage.
        required: Predicate types without which the stage's gate cannot open, whatever the settings say.
        held_upstream: Earlier gates that are HELD and without which this stage was not run.
        absent: Why the project has no such stage, as it declares.
    """

    stage: Stage
    examination: Examination | None
    rules: GateRules
    evidence: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    held_upstream: tuple[Stage, ...] = ()
    absent: str = ""


def decide(case: Case, waivers: WaiverBook) -> GateDecision:
    """Decide one gate. It is OPEN only when nothing speaks against it and something was examined."""
    if case.examination is None:
        return _undeclared(case)
    holds: list[Hold] = [_upstream(case)] if case.held_upstream else []
    # What the deploy gate finds speaks against the project's own words, so none of them can pardon it.
    waived: list[WaivedFinding] = []
    below = 0
    holds.extend(_unexamined(case.examination, case))
    for outcome in case.examination.outcomes:
        for finding in outcome.findings:
            if not _counts(finding, case.rules):
                below += 1
            elif case.stage is not Stage.DEPLOY and (pardon := waivers.waive(finding)):
                waived.append(pardon)
            else:
                holds.append(_finding_hold(finding, waivers))
    if not case.examination.outcomes:
        remedy = f"Name in lockgate.yaml what it shall examine, or say why nothing under {_absent(case)}."
        holds.append(Hold(Cause.NOTHING_EXAMINED, f"The {case.stage} stage examined nothing. {remedy}"))
    holds.extend(_missing_evidence(case))
    noun = "finding" if below == 1 else "findings"
    notes = (f"{below} {noun} below this gate's threshold.",) if below else ()
    return GateDecision(
        stage=case.stage,
        decision=Decision.HELD if holds else Decision.OPEN,
        holds=tuple(sorted(holds, key=_urgency)),
        waived=tuple(waived),
        notes=notes,
    )


def hold_line(finding: Finding) -> str:
    """One line for a finding: check id, severity, place, message."""
    return f"{finding.check} {finding.severity} {finding.location}: {finding.message}"


_DECLARED_BY = {
    Stage.DATA: "Add 'data: {}' to lockgate.yaml: every project has files.",
    Stage.MONITOR: "It comes with 'serve'; or say why nothing is served under 'absent: {monitor: ...}'.",
}


def _absent(case: Case) -> str:
    return f"'absent: {{{case.stage}: ...}}'"


def _undeclared(case: Case) -> GateDecision:
    if case.absent:
        return GateDecision(case.stage, Decision.OPEN, notes=(f"Declared absent: {case.absent}",))
    declare = f"Declare it in lockgate.yaml, or say why there is none under {_absent(case)}."
    remedy = _DECLARED_BY.get(case.stage, declare)
    hold = Hold(Cause.NOTHING_EXAMINED, f"The {case.stage} stage is not declared. {remedy}")
    return GateDecision(case.stage, Decision.HELD, holds=(hold,))


def _upstream(case: Case) -> Hold:
    gates = ", ".join(case.held_upstream)
    return Hold(Cause.UPSTREAM, f"Not run: nothing is executed while an earlier gate is HELD ({gates}).")


def _unexamined(examination: Examination, case: Case) -> list[Hold]:
    """One hold for each subject and reason, however many checks it kept from looking."""
    grouped: dict[tuple[Status, str, str], list[str]] = {}
    for outcome in examination.outcomes:
        if _holds_unexamined(outcome, case):
            grouped.setdefault((outcome.status, outcome.subject.uri, outcome.reason), []).append(outcome.check)
    holds: list[Hold] = []
    for (status, uri, reason), checks in grouped.items():
        names = ", ".join(dict.fromkeys(checks))
        if status is Status.ERRORED:
            holds.append(Hold(Cause.ERRORED, f"{uri} could not be examined by {names}: {reason}", check=checks[0]))
        else:
            holds.append(Hold(Cause.SKIPPED, f"{uri} was not examined by {names}: {reason}", check=checks[0]))
    return holds


def _holds_unexamined(outcome: Outcome, case: Case) -> bool:
    if outcome.status is Status.SKIPPED:
        # What was not run because of an earlier gate is said once, by the upstream hold.
        return not case.held_upstream and outcome.check not in case.rules.optional
    return outcome.status is Status.ERRORED


def _counts(finding: Finding, rules: GateRules) -> bool:
    return finding.severity.reaches(rules.severity) and finding.confidence.reaches(rules.confidence)


def _finding_hold(finding: Finding, waivers: WaiverBook) -> Hold:
    if expired := waivers.expired(finding):
        line = f"{hold_line(finding)} (the waiver by {expired.owner} expired on {expired.expires.isoformat()})"
        return Hold(Cause.EXPIRED_WAIVER, line, check=finding.check, finding=finding)
    return Hold(Cause.FINDING, hold_line(finding), check=finding.check, finding=finding)


def _missing_evidence(case: Case) -> list[Hold]:
    wanted = dict.fromkeys((*case.required, *case.rules.require))
    return [
        Hold(Cause.MISSING_EVIDENCE, f"The ledger holds no trusted evidence {predicate} for the {case.stage} stage.")
        for predicate in wanted
        if predicate not in case.evidence
    ]


def _urgency(hold: Hold) -> tuple[int, str, str]:
    """Most severe first; what could not be examined stands with the critical findings."""
    rank = hold.finding.severity.rank if hold.finding else 4
    place = hold.finding.location.uri if hold.finding else ""
    return (-rank, hold.check, place)
