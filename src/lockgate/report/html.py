"""The report for people: one self-contained page without scripts or requests."""

from typing import Final

import msgspec

from lockgate.core.finding import Finding
from lockgate.core.gate import Decision, GateDecision, Hold, Stage, WaivedFinding
from lockgate.core.levels import Severity
from lockgate.core.outcome import Outcome, Status
from lockgate.report.chart import TITLES, Lock, bar, canal
from lockgate.report.model import EvidenceRow, RunReport, StageReport
from lockgate.report.shown import chance, counted, duration, elapsed, interval, name, percent, shown
from lockgate.report.template import template

MAX_ROWS: Final = 200
MAX_REASONS: Final = 20
MAX_COMMAND: Final = 2_000


class HoldRow(msgspec.Struct, frozen=True):
    """One reason to hold, ready to print."""

    label: str
    tone: str
    place: str
    message: str
    check: str


class HeldGate(msgspec.Struct, frozen=True):
    """A gate that does not open, with its first reasons."""

    title: str
    rows: tuple[HoldRow, ...]
    more: int


class FindingRow(msgspec.Struct, frozen=True):
    """One finding, ready to print.

    Attributes:
        effect: `holds`, `waived` or `noted` (below the gate's threshold).
        waiver: Who accepted it, why and until when.
    """

    message: str
    place: str
    stage: str
    check: str
    title: str
    confidence: str
    fingerprint: str
    effect: str
    waiver: str


class SeverityGroup(msgspec.Struct, frozen=True):
    """The findings of one severity: how many there are, and the first of them."""

    severity: str
    total: int
    rows: tuple[FindingRow, ...]

    @property
    def more(self) -> int:
        """How many are only counted."""
        return self.total - len(self.rows)


class IdleRow(msgspec.Struct, frozen=True):
    """A check that could not look (ERRORED) or did not look (SKIPPED)."""

    status: str
    stage: str
    check: str
    subject: str
    reason: str


class Page(msgspec.Struct, frozen=True):
    """Everything the template prints, bounded in number and length and neutralised."""

    report: RunReport
    open: bool
    facts: tuple[tuple[str, str], ...]
    locks: tuple[Lock, ...]
    held: tuple[HeldGate, ...]
    notes: tuple[tuple[str, str], ...]
    groups: tuple[SeverityGroup, ...]
    idle: tuple[IdleRow, ...]
    idle_more: int
    evidence: tuple[EvidenceRow, ...]
    passed: int

    @property
    def total(self) -> int:
        """How many findings there are."""
        return sum(group.total for group in self.groups)


def _command(line: str) -> str:
    return shown(line, MAX_COMMAND)


# What the template may call. Everything foreign goes through `shown` or `name`; autoescape does the rest.
_WORDS: Final[dict[str, object]] = {
    "bar": bar,
    "chance": chance,
    "command": _command,
    "counted": counted,
    "interval": interval,
    "name": name,
    "percent": percent,
    "shown": shown,
}


def to_html(report: RunReport) -> str:
    """Render a run as one HTML page.

    The page needs no network, runs no script and forbids both by its own content security policy. At most 200 findings
    of each severity are listed, the rest is counted; `report.json` holds all of them.
    """
    return template("lockgate.report", "report.html.j2").render(page=_page(report), report=report, **_WORDS)


def _page(report: RunReport) -> Page:
    idle = _idle(report)
    return Page(
        report=report,
        open=report.decision is Decision.OPEN,
        facts=_facts(report),
        locks=canal(report, {stage.stage: _gist(stage) for stage in report.stages}),
        held=tuple(_held(gate) for gate in report.gates if gate.decision is Decision.HELD),
        notes=tuple((TITLES[gate.stage], shown(note)) for gate in report.gates for note in gate.notes[:MAX_REASONS]),
        groups=_groups(report),
        idle=tuple(idle[:MAX_ROWS]),
        idle_more=max(0, len(idle) - MAX_ROWS),
        evidence=report.evidence[:MAX_ROWS],
        passed=sum(stage.count(Status.PASSED) for stage in report.stages),
    )


def _facts(report: RunReport) -> tuple[tuple[str, str], ...]:
    facts = (
        ("Run", report.run),
        ("Started", report.started),
        ("Took", elapsed(report.started, report.finished)),
        ("Lockgate", report.lockgate),
        ("Policy", report.policy_sha256[:16]),
    )
    return tuple((label, name(value)) for label, value in facts if value)


def _gist(stage: StageReport) -> str:
    parts = [counted(len(stage.decision.holds), "reason")] if stage.decision.holds else []
    if stage.outcomes:
        parts.append(f"{stage.count(Status.PASSED)} of {len(stage.outcomes)} passed")
    if stage.decision.waived:
        parts.append(f"{len(stage.decision.waived)} waived")
    if stage.seconds:
        parts.append(duration(stage.seconds))
    # No-break spaces keep a number with its word; the line breaks between the parts.
    return ", ".join(part.replace(" ", "\xa0") for part in parts)


def _held(gate: GateDecision) -> HeldGate:
    rows = tuple(_hold_row(hold) for hold in gate.holds[:MAX_REASONS])
    return HeldGate(TITLES[gate.stage], rows, max(0, len(gate.holds) - MAX_REASONS))


def _hold_row(hold: Hold) -> HoldRow:
    if hold.finding is None:
        return HoldRow(hold.cause.value.replace("-", " "), "high", "", shown(hold.message), "")
    severity = hold.finding.severity.value
    place, message = name(str(hold.finding.location)), shown(hold.finding.message)
    return HoldRow(severity, severity, place, message, name(hold.finding.check))


def _groups(report: RunReport) -> tuple[SeverityGroup, ...]:
    titles = {rule.card.id: rule.card.title for rule in report.rules}
    waivers, holding = report.waivers(), report.holding()
    found: dict[Severity, list[tuple[Stage, Finding]]] = {severity: [] for severity in reversed(Severity)}
    for stage in report.stages:
        for finding in stage.findings():
            found[finding.severity].append((stage.stage, finding))
    groups: list[SeverityGroup] = []
    for severity, pairs in found.items():
        # What holds a gate comes first: with more findings than fit, those are the ones to read.
        pairs.sort(key=lambda pair: pair[1].fingerprint not in holding)
        rows = tuple(
            _finding_row(stage, finding, titles, waivers.get(finding.fingerprint), holds=finding.fingerprint in holding)
            for stage, finding in pairs[:MAX_ROWS]
        )
        if pairs:
            groups.append(SeverityGroup(severity.value, len(pairs), rows))
    return tuple(groups)


def _finding_row(
    stage: Stage, finding: Finding, titles: dict[str, str], waived: WaivedFinding | None, *, holds: bool
) -> FindingRow:
    effect = "holds" if holds else "waived" if waived else "noted"
    return FindingRow(
        message=shown(finding.message),
        place=name(str(finding.location)),
        stage=TITLES[stage],
        check=name(finding.check),
        title=name(titles.get(finding.check, "")),
        confidence=finding.confidence.value,
        fingerprint=name(finding.fingerprint),
        effect=effect,
        waiver=shown(f"{waived.owner}, until {waived.expires}: {waived.reason}") if waived else "",
    )


def _idle(report: RunReport) -> list[IdleRow]:
    rows = [
        _idle_row(stage.stage, outcome)
        for stage in report.stages
        for outcome in stage.outcomes
        if outcome.status in {Status.ERRORED, Status.SKIPPED}
    ]
    return sorted(rows, key=lambda row: row.status)


def _idle_row(stage: Stage, outcome: Outcome) -> IdleRow:
    return IdleRow(
        outcome.status.value, TITLES[stage], name(outcome.check), name(outcome.subject.uri), shown(outcome.reason)
    )
