"""The report for code-scanning services: SARIF 2.1.0 (OASIS, with errata 01)."""

import datetime as dt
import urllib.parse
from typing import Final

from lockgate.core.finding import Finding, Location
from lockgate.core.gate import Cause
from lockgate.core.levels import Confidence, Severity
from lockgate.core.outcome import Outcome, Status
from lockgate.report.json_report import encoded
from lockgate.report.model import Rule, RunReport
from lockgate.report.shown import shown

SCHEMA_URI: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
FINGERPRINT: Final = "lockgateFingerprint/v1"
LEVELS: Final = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
# Code-scanning services rank by this number; they read 9 and up as critical, 7 as high, 4 as medium.
SCORES: Final = {
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
PRECISION: Final = {Confidence.LOW: "low", Confidence.MEDIUM: "medium", Confidence.HIGH: "high"}
# Reasons to hold that are neither a finding nor an outcome, and so have no other place in the document.
GATE_CAUSES: Final = frozenset({Cause.MISSING_EVIDENCE, Cause.UPSTREAM, Cause.NOTHING_EXAMINED})

Json = dict[str, object]


def to_sarif(report: RunReport) -> bytes:
    """Render a run as one SARIF log with one run.

    Every finding is a result, with a suppression where a waiver covers it. What could not look (ERRORED), did not look
    (SKIPPED) or holds a gate without a finding is a notification; one ERRORED outcome makes the execution
    unsuccessful, so that a viewer never takes silence for a pass.
    """
    rules = {rule.card.id: index for index, rule in enumerate(report.rules)}
    log: Json = {
        "$schema": SCHEMA_URI,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(report)},
                "automationDetails": {"id": f"lockgate/{_fragment(report.project)}/{_fragment(report.run)}"},
                "invocations": [_invocation(report)],
                "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that holds lockgate.yaml."}}},
                "results": _results(report, rules),
            }
        ],
    }
    return encoded(log)


def _driver(report: RunReport) -> Json:
    return {
        "name": "Lockgate",
        "version": report.lockgate,
        "semanticVersion": report.lockgate,
        "rules": [_rule(rule) for rule in report.rules],
    }


def _rule(rule: Rule) -> Json:
    card = rule.card
    summary, _, rest = rule.manual.partition("\n")
    properties: Json = {"precision": PRECISION[card.confidence], "tags": ["security", *card.maps]}
    if score := SCORES.get(card.severity):
        properties["security-severity"] = score
    manual = f"{card.title}\n\n{rule.manual}".strip()
    return {
        "id": card.id,
        "name": "".join(word.capitalize() for word in card.title.split() if word.isalnum()) or card.id,
        "shortDescription": {"text": card.title},
        "fullDescription": {"text": summary.strip() or card.title},
        "help": {"text": manual, "markdown": _markdown(card.title, summary, rest)},
        "defaultConfiguration": {"level": LEVELS[card.severity]},
        "properties": properties,
    }


def _markdown(title: str, summary: str, rest: str) -> str:
    lines = [f"**{line.strip()}**" if _is_heading(line) else line.strip() for line in rest.splitlines()]
    return "\n".join([f"# {title}", "", summary.strip(), *lines]).strip()


def _is_heading(line: str) -> bool:
    return line.endswith(":") and not line.startswith(" ")


def _results(report: RunReport, rules: dict[str, int]) -> list[Json]:
    waivers = report.waivers()
    results: list[Json] = []
    for stage in report.stages:
        for finding in stage.findings():
            result = _result(finding, stage.stage, rules)
            if waived := waivers.get(finding.fingerprint):
                why = shown(f"{waived.reason} (accepted by {waived.owner} until {waived.expires})")
                result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
            results.append(result)
    return results


def _result(finding: Finding, stage: str, rules: dict[str, int]) -> Json:
    result: Json = {
        "ruleId": finding.check,
        "level": LEVELS[finding.severity],
        "message": {"text": shown(finding.message) or finding.check},
        "locations": [_location(finding.location)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {"stage": stage, "severity": finding.severity.value, "confidence": finding.confidence.value},
    }
    if finding.check in rules:
        result["ruleIndex"] = rules[finding.check]
    return result


def _location(location: Location) -> Json:
    physical: Json = {"artifactLocation": _artifact(location.uri)}
    if location.line and location.line > 0:
        physical["region"] = {"startLine": location.line}
    place: Json = {"physicalLocation": physical}
    if location.path:
        place["logicalLocations"] = [{"fullyQualifiedName": shown(location.path), "kind": "member"}]
    return place


def _artifact(uri: str) -> Json:
    """Name a subject: an absolute URI stays one, a path becomes a reference relative to the project's folder."""
    scheme, colon, _ = uri.partition(":")
    if colon and len(scheme) > 1 and scheme.isascii() and scheme.isalpha():
        return {"uri": _quoted(uri, safe=":/?#[]@!$&'()*+,;=%")}
    return {"uri": _quoted(uri, safe="/"), "uriBaseId": ROOT}


def _quoted(text: str, *, safe: str) -> str:
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe=safe)


def _fragment(text: str) -> str:
    return _quoted(text, safe="")


def _invocation(report: RunReport) -> Json:
    outcomes = [outcome for stage in report.stages for outcome in stage.outcomes]
    notifications = [_notification(outcome) for outcome in outcomes if _did_not_run(outcome)]
    notifications += [
        {"level": "warning", "message": {"text": shown(f"{gate.stage} gate: {hold.message}")}}
        for gate in report.gates
        for hold in gate.holds
        if hold.cause in GATE_CAUSES
    ]
    invocation: Json = {
        "executionSuccessful": not any(outcome.status is Status.ERRORED for outcome in outcomes),
        "toolExecutionNotifications": notifications,
        "properties": {"gates": {gate.stage.value: gate.decision.value for gate in report.gates}},
    }
    times = {"startTimeUtc": _utc(report.started), "endTimeUtc": _utc(report.finished)}
    return invocation | {key: time for key, time in times.items() if time}


def _utc(time: str) -> str:
    try:
        return dt.datetime.fromisoformat(time).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


def _did_not_run(outcome: Outcome) -> bool:
    return outcome.status in {Status.ERRORED, Status.SKIPPED}


def _notification(outcome: Outcome) -> Json:
    return {
        "level": "error" if outcome.status is Status.ERRORED else "note",
        "message": {"text": f"{outcome.status}: {shown(outcome.reason) or 'no reason given'}"},
        "associatedRule": {"id": outcome.check},
        "locations": [_location(Location(outcome.subject.uri))],
    }
