import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import (
    Cause,
    Confidence,
    Decision,
    Examination,
    Finding,
    Location,
    Outcome,
    Severity,
    Stage,
    Status,
    SubjectRef,
    fingerprint,
)
from lockgate.core.config import GateRules, Waiver
from lockgate.policy import Case, WaiverBook, decide

TODAY = dt.date(2026, 11, 21)
REF = SubjectRef("rows.jsonl", "0" * 64)
NO_WAIVERS = WaiverBook((), today=TODAY)


def finding(severity: Severity = Severity.HIGH, confidence: Confidence = Confidence.HIGH, path: str = "/r1") -> Finding:
    at = Location("rows.jsonl", path, 3)
    return Finding("LG-DATA-002", severity, confidence, "A key.", at, fingerprint("LG-DATA-002", at))


def outcome(status: Status, *findings: Finding, check: str = "LG-DATA-002") -> Outcome:
    return Outcome(check, status, REF, findings, "" if status in (Status.PASSED, Status.FAILED) else "because")


def case(*outcomes: Outcome, rules: GateRules | None = None, **more: object) -> Case:
    examination = Examination((REF,), outcomes)
    return Case(stage=Stage.DATA, examination=examination, rules=rules or GateRules(), **more)


def waiver(expires: dt.date, path: str = "/r1") -> Waiver:
    return Waiver(finding=finding(path=path).fingerprint, reason="rotated", owner="security", expires=expires)


def test_opens_only_when_everything_passed():
    assert decide(case(outcome(Status.PASSED)), NO_WAIVERS).decision is Decision.OPEN


@pytest.mark.parametrize("status", [Status.ERRORED, Status.SKIPPED])
def test_what_was_not_examined_holds(status: Status):
    decision = decide(case(outcome(Status.PASSED), outcome(status)), NO_WAIVERS)
    assert decision.decision is Decision.HELD
    assert "rows.jsonl" in decision.reasons[0]
    assert "because" in decision.reasons[0]


def test_many_checks_that_one_obstacle_stopped_give_one_reason():
    stopped = [outcome(Status.ERRORED, check=f"LG-DATA-00{number}") for number in (2, 3, 4)]
    [line] = decide(case(*stopped), NO_WAIVERS).reasons
    assert line == "rows.jsonl could not be examined by LG-DATA-002, LG-DATA-003, LG-DATA-004: because"


def test_optional_checks_may_be_skipped_but_never_errored():
    rules = GateRules(optional=("LG-DATA-002",))
    assert decide(case(outcome(Status.SKIPPED), rules=rules), NO_WAIVERS).decision is Decision.OPEN
    assert decide(case(outcome(Status.ERRORED), rules=rules), NO_WAIVERS).decision is Decision.HELD


def test_nothing_examined_is_not_a_pass():
    decision = decide(case(), NO_WAIVERS)
    assert [hold.cause for hold in decision.holds] == [Cause.NOTHING_EXAMINED]


def test_an_undeclared_stage_holds_unless_its_absence_is_explained():
    undeclared = Case(stage=Stage.TRAIN, examination=None, rules=GateRules())
    held = decide(undeclared, NO_WAIVERS)
    assert held.decision is Decision.HELD
    assert "absent: {train: ...}" in held.reasons[0]
    explained = Case(stage=Stage.TRAIN, examination=None, rules=GateRules(), absent="a hosted model")
    opened = decide(explained, NO_WAIVERS)
    assert opened.decision is Decision.OPEN
    assert opened.reasons == ("Declared absent: a hosted model",)


@given(
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    hold_at=st.sampled_from(Severity),
    sure=st.sampled_from(Confidence),
)
def test_a_finding_holds_exactly_from_its_threshold_on(
    severity: Severity, confidence: Confidence, hold_at: Severity, sure: Confidence
):
    rules = GateRules(severity=hold_at, confidence=sure)
    decision = decide(case(outcome(Status.FAILED, finding(severity, confidence)), rules=rules), NO_WAIVERS)
    reaches = severity.rank >= hold_at.rank and confidence.rank >= sure.rank
    assert (decision.decision is Decision.HELD) == reaches
    assert bool(decision.notes) == (not reaches)


def test_a_waiver_lets_its_finding_pass_until_its_last_day_and_is_reported():
    failed = case(outcome(Status.FAILED, finding()))
    opened = decide(failed, WaiverBook((waiver(TODAY),), today=TODAY))
    assert opened.decision is Decision.OPEN
    assert opened.waived[0].owner == "security"
    held = decide(failed, WaiverBook((waiver(TODAY - dt.timedelta(days=1)),), today=TODAY))
    assert held.holds[0].cause is Cause.EXPIRED_WAIVER
    assert "expired on 2026-11-20" in held.reasons[0]


def test_of_two_waivers_the_later_one_counts():
    book = WaiverBook((waiver(TODAY + dt.timedelta(days=9)), waiver(TODAY - dt.timedelta(days=9))), today=TODAY)
    assert decide(case(outcome(Status.FAILED, finding())), book).decision is Decision.OPEN


def test_what_the_deploy_gate_finds_cannot_be_waived():
    book = WaiverBook((waiver(TODAY),), today=TODAY)
    examination = Examination((REF,), (outcome(Status.FAILED, finding()),))
    decision = decide(Case(stage=Stage.DEPLOY, examination=examination, rules=GateRules()), book)
    assert decision.decision is Decision.HELD
    assert decision.waived == ()


def test_a_waiver_covers_no_other_finding():
    book = WaiverBook((waiver(TODAY),), today=TODAY)
    decision = decide(case(outcome(Status.FAILED, finding(), finding(path="/r2"))), book)
    assert decision.decision is Decision.HELD
    assert len(decision.holds) == len(decision.waived) == 1


def test_required_evidence_must_be_there():
    need = case(outcome(Status.PASSED), rules=GateRules(require=("https://b",)), required=("https://a",))
    decision = decide(need, NO_WAIVERS)
    assert [hold.cause for hold in decision.holds] == [Cause.MISSING_EVIDENCE] * 2
    have = case(outcome(Status.PASSED), required=("https://a",), evidence=frozenset({"https://a"}))
    assert decide(have, NO_WAIVERS).decision is Decision.OPEN


def test_a_held_gate_upstream_is_said_once():
    decision = decide(case(outcome(Status.SKIPPED), outcome(Status.SKIPPED), held_upstream=(Stage.DATA,)), NO_WAIVERS)
    assert [hold.cause for hold in decision.holds] == [Cause.UPSTREAM]
    assert "(data)" in decision.reasons[0]


def test_the_worst_reason_comes_first():
    decision = decide(
        case(
            outcome(Status.FAILED, finding(Severity.MEDIUM, path="/a"), finding(Severity.CRITICAL, path="/b")),
            outcome(Status.ERRORED, check="LG-DATA-005"),
        ),
        NO_WAIVERS,
    )
    severities = [hold.finding.severity if hold.finding else None for hold in decision.holds]
    assert severities == [Severity.CRITICAL, None, Severity.MEDIUM]
