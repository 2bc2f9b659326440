import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import (
    Confidence,
    Decision,
    Finding,
    GateDecision,
    Location,
    Outcome,
    Severity,
    Stage,
    Status,
    SubjectRef,
)
from lockgate.report import RunReport, StageReport, to_sarif


@cache
def validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text("utf-8")))


def run_of(report: RunReport) -> dict[str, Any]:
    log = json.loads(to_sarif(report))
    validator().validate(log)
    return log["runs"][0]


def with_location(location: Location) -> RunReport:
    finding = Finding("LG-X-001", Severity.LOW, Confidence.LOW, "m", location, "0" * 32)
    outcome = Outcome("LG-X-001", Status.FAILED, SubjectRef(location.uri), (finding,))
    stage = StageReport(GateDecision(Stage.DATA, Decision.OPEN), (outcome,))
    return RunReport(project="p", run="r", lockgate="0.1.0", started="", finished="", stages=(stage,))


def test_samples_satisfy_the_official_schema(held_report: RunReport, open_report: RunReport) -> None:
    run_of(held_report)
    run_of(open_report)


def test_every_finding_is_a_result_that_points_at_its_rule(held_report: RunReport) -> None:
    run = run_of(held_report)
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == 5
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["message"]["text"] == "The file changed since the manifest was written."
    assert len(first["partialFingerprints"]["lockgateFingerprint/v1"]) == 32
    hidden = run["results"][1]["locations"][0]
    assert hidden["physicalLocation"]["region"] == {"startLine": 41}
    assert hidden["logicalLocations"][0]["fullyQualifiedName"] == "/heading/Refunds#hidden.tag"


def test_rules_carry_the_manual_and_the_rank(held_report: RunReport) -> None:
    rule = run_of(held_report)["tool"]["driver"]["rules"][0]
    assert rule["shortDescription"]["text"] == "Project file that differs from its manifest"
    assert "Why it matters:" in rule["help"]["text"]
    assert "**Limits:**" in rule["help"]["markdown"]
    assert rule["properties"]["security-severity"] == "9.5"
    assert rule["properties"]["tags"] == ["security", "LLM04:2025", "AML.T0020"]


def test_a_waived_finding_is_suppressed_with_its_reason(held_report: RunReport) -> None:
    waived = [result for result in run_of(held_report)["results"] if "suppressions" in result]
    assert len(waived) == 1
    assert waived[0]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Style guide, reviewed by hand. (accepted by release owner until 2027-03-31)",
        }
    ]


def test_what_could_not_look_makes_the_execution_unsuccessful(held_report: RunReport) -> None:
    invocation = run_of(held_report)["invocations"][0]
    assert invocation["executionSuccessful"] is False
    texts = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert texts[0].startswith("ERRORED: notes.txt lies behind a symbolic link")
    assert texts[1].startswith("SKIPPED: ")
    assert any("no trusted evidence" in text for text in texts)
    assert invocation["startTimeUtc"] == "2026-11-07T10:15:02Z"


def test_an_outcome_without_a_reason_is_still_notified(open_report: RunReport) -> None:
    outcome = Outcome("LG-DATA-001", Status.ERRORED, SubjectRef("a"))
    stage = msgspec.structs.replace(open_report.stages[0], outcomes=(outcome,))
    invocation = run_of(msgspec.structs.replace(open_report, stages=(stage,)))["invocations"][0]
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "ERRORED: no reason given"
    ]


def test_an_open_run_is_successful_and_silent(open_report: RunReport) -> None:
    invocation = run_of(open_report)["invocations"][0]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"] == []


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("data/faq.jsonl", {"uri": "data/faq.jsonl", "uriBaseId": "%SRCROOT%"}),
        ("a b/ü%.txt", {"uri": "a%20b/%C3%BC%25.txt", "uriBaseId": "%SRCROOT%"}),
        ("1:2.txt", {"uri": "1%3A2.txt", "uriBaseId": "%SRCROOT%"}),
        ("odd\udcff", {"uri": "odd%ED%B3%BF", "uriBaseId": "%SRCROOT%"}),
        ("redteam:family/multi-turn", {"uri": "redteam:family/multi-turn"}),
        ("https://example.org/a?b=c", {"uri": "https://example.org/a?b=c"}),
    ],
)
def test_paths_become_valid_references(uri: str, reference: dict[str, str]) -> None:
    run = run_of(with_location(Location(uri)))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == reference


def test_times_that_are_not_times_are_left_out() -> None:
    invocation = run_of(with_location(Location("a", line=0)))["invocations"][0]
    assert "startTimeUtc" not in invocation


@settings(deadline=None, max_examples=40)
@given(text=st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_makes_a_valid_log(text: str) -> None:
    finding = Finding(text, Severity.INFO, Confidence.LOW, text, Location(text, text, 3), text)
    outcomes = (
        Outcome(text, Status.FAILED, SubjectRef(text), (finding,)),
        Outcome(text, Status.ERRORED, SubjectRef(text), reason=text),
    )
    stage = StageReport(GateDecision(Stage.DATA, Decision.OPEN), outcomes)
    run_of(RunReport(project=text, run=text, lockgate=text, started=text, finished=text, stages=(stage,)))
