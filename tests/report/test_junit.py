from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import (
    Cause,
    Confidence,
    Decision,
    Finding,
    GateDecision,
    Hold,
    Location,
    Outcome,
    Severity,
    Stage,
    Status,
    SubjectRef,
)
from lockgate.report import RunReport, StageReport, to_junit


def suites(report: RunReport) -> dict[str, ET.Element]:
    return {suite.get("name", ""): suite for suite in ET.fromstring(to_junit(report))}


def case(suite: ET.Element, name: str, classname: str = "") -> ET.Element:
    return next(
        found for found in suite if found.get("name") == name and (not classname or found.get("classname") == classname)
    )


def test_there_is_one_case_for_each_outcome_and_one_for_the_gate(held_report: RunReport) -> None:
    data = suites(held_report)["data"]
    assert (data.get("tests"), data.get("failures"), data.get("errors"), data.get("skipped")) == ("7", "3", "1", "0")
    assert suites(held_report)["train"].get("skipped") == "1"
    root = ET.fromstring(to_junit(held_report))
    assert root.get("tests") == str(len(root.findall("testsuite/testcase")))


def test_the_gate_case_fails_exactly_when_the_gate_is_held(held_report: RunReport, open_report: RunReport) -> None:
    failure = case(suites(held_report)["deploy"], "gate").find("failure")
    assert failure is not None
    assert "no trusted evidence" in (failure.text or "")
    assert case(suites(held_report)["redteam"], "gate").find("failure") is None
    assert b"<failure" not in to_junit(open_report)


def test_a_finding_that_holds_fails_and_names_its_place(held_report: RunReport) -> None:
    failure = case(suites(held_report)["supply"], "models/router.pkl").find("failure")
    assert failure is not None
    assert failure.get("message") == "Loading this pickle calls os.system."
    assert "models/router.pkl (data.pkl)" in (failure.text or "")


def test_a_waived_finding_passes_but_is_printed(held_report: RunReport) -> None:
    waived = case(suites(held_report)["data"], "knowledge/tone.md")
    assert waived.find("failure") is None
    assert "do not hold the gate" in (waived.findtext("system-out") or "")


def test_what_could_not_look_is_an_error(held_report: RunReport) -> None:
    error = case(suites(held_report)["data"], "notes.txt").find("error")
    assert error is not None
    assert "symbolic link" in (error.get("message") or "")


def test_a_run_without_gates_is_red() -> None:
    empty = RunReport(project="p", run="r", lockgate="0", started="", finished="")
    assert suites(empty)["lockgate"].get("failures") == "1"


def test_a_flood_of_findings_is_counted() -> None:
    findings = tuple(
        Finding("LG-X-001", Severity.HIGH, Confidence.HIGH, "m", Location("a", str(row)), f"{row:032x}")
        for row in range(5_000)
    )
    holds = tuple(Hold(Cause.FINDING, "m", "LG-X-001", finding) for finding in findings)
    stage = StageReport(
        GateDecision(Stage.DATA, Decision.HELD, holds=holds),
        (Outcome("LG-X-001", Status.FAILED, SubjectRef("a"), findings),),
    )
    body = to_junit(RunReport(project="p", run="r", lockgate="0", started="", finished="", stages=(stage,)))
    assert b"and 4,800 more in report.json" in body
    assert len(body) < 100_000


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_makes_well_formed_xml(text: str) -> None:
    finding = Finding(text, Severity.INFO, Confidence.LOW, text, Location(text or "a"), text)
    outcomes = (
        Outcome(text, Status.FAILED, SubjectRef(text), (finding,)),
        Outcome(text, Status.ERRORED, SubjectRef(text), reason=text),
        Outcome(text, Status.SKIPPED, SubjectRef(text), reason=text),
    )
    gate = GateDecision(Stage.DATA, Decision.HELD, holds=(Hold(Cause.FINDING, text, text, finding),))
    report = RunReport(
        project=text, run=text, lockgate=text, started=text, finished=text, stages=(StageReport(gate, outcomes),)
    )
    assert len(suites(report)["data"]) == 4
