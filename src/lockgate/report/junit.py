"""The report for CI dashboards: JUnit XML."""

from typing import Final
from xml.etree import ElementTree as ET

from lockgate.core.finding import Finding
from lockgate.core.gate import Decision
from lockgate.core.outcome import Outcome, Status
from lockgate.report.model import RunReport, StageReport
from lockgate.report.shown import name, shown

MAX_FINDINGS: Final = 200


def to_junit(report: RunReport) -> bytes:
    """Render a run as JUnit XML (UTF-8): one suite for each stage, one case for each outcome and one for the gate.

    A case fails when one of its findings holds the gate; findings that policy waives or that stay below the gate's
    threshold are printed in a case that passes. ERRORED is an error, SKIPPED is skipped. The case `gate` fails exactly
    when the gate is HELD, so a dashboard is green only where every gate is OPEN.
    """
    root = ET.Element("testsuites", name=name(f"lockgate {report.project}"))
    if not report.stages:
        _nothing_ran(root)
    for stage in report.stages:
        _suite(root, stage, report.holding())
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", _seconds(sum(stage.seconds for stage in report.stages)))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _nothing_ran(root: ET.Element) -> None:
    suite = ET.SubElement(root, "testsuite", name="lockgate", tests="1", failures="1", errors="0", skipped="0")
    case = ET.SubElement(suite, "testcase", classname="lockgate", name="gate")
    ET.SubElement(case, "failure", message="No gate was decided.", type="nothing-examined")


def _suite(root: ET.Element, stage: StageReport, holding: frozenset[str]) -> None:
    suite = ET.SubElement(root, "testsuite", name=stage.stage.value, time=_seconds(stage.seconds))
    for outcome in stage.outcomes:
        _case(suite, stage, outcome, holding)
    _gate_case(suite, stage)
    suite.set("tests", str(len(suite)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(len(suite.findall(f"testcase/{tag}"))))


def _case(suite: ET.Element, stage: StageReport, outcome: Outcome, holding: frozenset[str]) -> None:
    attributes = {"classname": name(f"{stage.stage}.{outcome.check}"), "name": name(outcome.subject.uri)}
    case = ET.SubElement(suite, "testcase", attributes)
    if outcome.status is Status.ERRORED:
        ET.SubElement(case, "error", message=shown(outcome.reason), type=Status.ERRORED.value)
    elif outcome.status is Status.SKIPPED:
        ET.SubElement(case, "skipped", message=shown(outcome.reason))
    elif outcome.findings:
        _say(case, outcome.findings, holding)


def _say(case: ET.Element, findings: tuple[Finding, ...], holding: frozenset[str]) -> None:
    if holds := [finding for finding in findings if finding.fingerprint in holding]:
        failure = ET.SubElement(case, "failure", message=shown(holds[0].message), type=holds[0].severity.value)
        failure.text = _lines(holds)
    if rest := [finding for finding in findings if finding.fingerprint not in holding]:
        ET.SubElement(case, "system-out").text = f"These findings do not hold the gate:\n{_lines(rest)}"


def _lines(findings: list[Finding]) -> str:
    lines = [
        f"{finding.severity} {name(str(finding.location))}: {shown(finding.message)} [{name(finding.fingerprint)}]"
        for finding in findings[:MAX_FINDINGS]
    ]
    if len(findings) > MAX_FINDINGS:
        lines.append(f"and {len(findings) - MAX_FINDINGS:,} more in report.json")
    return "\n".join(lines)


def _gate_case(suite: ET.Element, stage: StageReport) -> None:
    case = ET.SubElement(suite, "testcase", classname=stage.stage.value, name="gate")
    if stage.decision.decision is Decision.OPEN:
        return
    reasons = [shown(reason) for reason in stage.decision.reasons[:MAX_FINDINGS]] or ["The gate is HELD."]
    failure = ET.SubElement(case, "failure", message=reasons[0], type=Decision.HELD.value)
    failure.text = "\n".join(reasons)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
