from pathlib import Path

import msgspec
import pytest

from lockgate.core import Event, EventKind, Severity, Status, sha256_hex
from lockgate.monitor import (
    CHECKS,
    EventStore,
    LabelCount,
    MonitorError,
    Summary,
    canonical_json,
    examine,
    facts_from,
    read_facts,
    unexamined,
    utc_now,
)

CLEAN = Summary(events=9, requests=9, by_action={"allow": 9}, by_source={"serve": 5, "redteam": 4})


def statuses(summary: Summary) -> dict[str, Status]:
    return {outcome.check: outcome.status for outcome in examine(facts_from(summary)).outcomes}


def test_a_clean_store_passes_every_check() -> None:
    assert set(statuses(CLEAN).values()) == {Status.PASSED}
    assert len(statuses(CLEAN)) == len(CHECKS) == 4


@pytest.mark.parametrize(
    ("check", "severity", "change"),
    [
        ("LG-MONITOR-001", Severity.HIGH, {"by_label": {"guard.error": 3}}),
        ("LG-MONITOR-002", Severity.HIGH, {"lost": 12}),
        ("LG-MONITOR-003", Severity.MEDIUM, {"by_source": {"serve-observe": 40}}),
        ("LG-MONITOR-004", Severity.INFO, {"labels": (LabelCount("serve", "leak.verbatim", "block", 2),)}),
    ],
)
def test_each_check_finds_its_own_fault_alone(check: str, severity: Severity, change: dict[str, object]) -> None:
    outcomes = examine(facts_from(msgspec.structs.replace(CLEAN, **change))).outcomes
    failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    assert [outcome.check for outcome in failed] == [check]
    assert [finding.severity for finding in failed[0].findings] == [severity]


def test_what_went_on_unjudged_is_said() -> None:
    change = {"by_label": {"guard.error": 3, "guard.fail-open": 2}}
    outcomes = examine(facts_from(msgspec.structs.replace(CLEAN, **change))).outcomes
    messages = [finding.message for outcome in outcomes for finding in outcome.findings]
    assert messages == [
        "The guard could not judge 3 of 9 requests; 2 of them went on unjudged (serve.fail_open).",
    ]


def test_a_leak_stopped_for_the_red_team_is_no_incident() -> None:
    stopped = msgspec.structs.replace(CLEAN, labels=(LabelCount("redteam", "leak.verbatim", "block", 2),))
    assert statuses(stopped)["LG-MONITOR-004"] is Status.PASSED


def test_the_subject_is_the_digest_of_what_was_judged() -> None:
    facts = facts_from(CLEAN)
    assert facts.ref.uri == "events.db"
    assert facts.ref.sha256 == sha256_hex(canonical_json(CLEAN))
    assert facts_from(msgspec.structs.replace(CLEAN, lost=1)).ref != facts.ref


def test_a_fingerprint_stays_when_the_count_grows() -> None:
    prints = {
        outcome.findings[0].fingerprint
        for lost in (1, 2)
        for outcome in examine(facts_from(msgspec.structs.replace(CLEAN, lost=lost))).outcomes
        if outcome.findings
    }
    assert len(prints) == 1


def test_facts_come_from_the_store(tmp_path: Path) -> None:
    with EventStore.open(tmp_path) as store:
        store.append(
            Event(id="r", at=utc_now(), kind=EventKind.REQUEST, action="error", labels=("guard.error",), source="serve")
        )
    failed = [o.check for o in examine(read_facts(tmp_path)).outcomes if o.status is Status.FAILED]
    assert failed == ["LG-MONITOR-001"]


def test_a_store_that_cannot_be_read_errors_every_check(tmp_path: Path) -> None:
    with pytest.raises(MonitorError) as caught:
        read_facts(tmp_path)
    outcomes = unexamined(str(caught.value)).outcomes
    assert {outcome.status for outcome in outcomes} == {Status.ERRORED}
    assert {outcome.check for outcome in outcomes} == {check.card.id for check in CHECKS}
