"""The summary on the terminal: each gate, what holds it, and where to look next."""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lockgate.core.finding import Finding
from lockgate.core.gate import Cause, Decision, Hold
from lockgate.core.levels import Severity
from lockgate.report.model import RedteamView, RunReport, StageReport, Tally
from lockgate.report.shown import counted, duration, elapsed, interval, name, percent, shown

MAX_REASONS: Final = 5
LABEL: Final = 11
INDENT: Final = 2 + LABEL
SEVERITY_STYLES: Final = {
    Severity.INFO: "dim",
    Severity.LOW: "dim",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}
CAUSES: Final = {
    Cause.FINDING: "finding",
    Cause.ERRORED: "errored",
    Cause.SKIPPED: "skipped",
    Cause.MISSING_EVIDENCE: "missing",
    Cause.UPSTREAM: "upstream",
    Cause.NOTHING_EXAMINED: "empty",
    Cause.EXPIRED_WAIVER: "expired",
}
DECISION_STYLES: Final = {Decision.OPEN: "bold green", Decision.HELD: "bold red"}


def print_summary(console: Console, report: RunReport) -> None:
    """Print what a run decided and why.

    Fits 80 columns; what one would copy (paths, commands) is never broken by a line end. Names and messages are
    printed neutralised, so a file name cannot move the cursor or pose as another line.
    """
    console.print()
    for stage in report.stages:
        _print_gate(console, stage)
    if report.redteam:
        console.print()
        _print_redteam(console, report.redteam)
    console.print()
    _print_places(console, report)
    console.print()
    console.print(_verdict(report), soft_wrap=True)


def _labelled(label: str, text: Text) -> Text:
    return Text(f"  {label:<{LABEL}}", style="bold").append_text(Text("", style="not bold").append_text(text))


def _print_gate(console: Console, stage: StageReport) -> None:
    decision = stage.decision
    line = Text(f"  {decision.stage:<{LABEL}}").append(f"{decision.decision:<6}", DECISION_STYLES[decision.decision])
    console.print(line.append(_gist(stage), "dim"), soft_wrap=True)
    reasons = Table.grid(padding=(0, 2, 0, 0))
    for hold in _chosen(decision.holds):
        reasons.add_row(*_hold(hold))
    if decision.holds:
        console.print(Padding(reasons, (0, 0, 0, INDENT)))
    if len(decision.holds) > MAX_REASONS:
        more = f"and {len(decision.holds) - MAX_REASONS:,} more in the report"
        console.print(Padding(Text(more, "dim"), (0, 0, 0, INDENT)))
    for note in () if decision.holds else decision.notes[:MAX_REASONS]:
        console.print(Padding(Text(shown(note), "dim"), (0, 0, 0, INDENT)))


def _chosen(holds: tuple[Hold, ...]) -> list[Hold]:
    """The reasons to print: the worst of each file first, so that no file is crowded out by another's."""
    seen: set[str] = set()
    first: list[Hold] = []
    rest: list[Hold] = []
    for hold in holds:
        uri = hold.finding.location.uri if hold.finding else hold.message
        (rest if uri in seen else first).append(hold)
        seen.add(uri)
    return (first + rest)[:MAX_REASONS]


def _gist(stage: StageReport) -> str:
    decision = stage.decision
    parts = [counted(len(decision.holds), "reason")] if decision.holds else []
    if stage.outcomes:
        parts.append(counted(len(stage.outcomes), "outcome"))
    if decision.waived:
        parts.append(f"{len(decision.waived)} waived")
    if stage.seconds:
        parts.append(duration(stage.seconds))
    return ", ".join(parts)


def _hold(hold: Hold) -> tuple[Text, Text]:
    finding = hold.finding
    if finding is None:
        return Text(CAUSES[hold.cause], "red"), Text(shown(hold.message))
    body = Text(name(str(finding.location)), "bold").append(f"\n{shown(_without_place(finding))}", "not bold")
    return Text(finding.severity.value, SEVERITY_STYLES[finding.severity]), body.append(
        f"  {name(finding.check)}", "not bold dim"
    )


def _without_place(finding: Finding) -> str:
    """The message without the file that stands above it."""
    told = finding.message.removeprefix(f"{finding.location.uri}: ")
    rest = told.removeprefix(f"{finding.location.uri} ")
    return rest[:1].upper() + rest[1:] if rest != told else told


def _print_redteam(console: Console, view: RedteamView) -> None:
    console.print(_labelled("red team", Text("attacks that succeeded")))
    console.print(_labelled("", _rate("without guard ", view.bare)))
    console.print(_labelled("", _rate("with guard    ", view.guarded)))
    if view.benign:
        line = f"harmless prompts blocked: {view.benign.blocked} of {view.benign.attempts}"
        console.print(_labelled("", Text(f"{line} ({interval(view.benign.wilson95)})")))
    idle = [name(family.name) for family in view.families if not family.exercised]
    if idle:
        text = Text("NOT EXERCISED ", "yellow").append(", ".join(idle), "default")
        console.print(Padding(text, (0, 0, 0, INDENT)))
    if view.recalled:
        text = f"{view.recalled} attempts on the bare model are an earlier run's, with the same digests."
        console.print(Padding(Text(text, "dim"), (0, 0, 0, INDENT)))
    if not view.complete:
        console.print(Padding(Text("The run was interrupted: these figures are partial.", "yellow"), (0, 0, 0, INDENT)))


def _rate(label: str, tally: Tally) -> Text:
    text = Text(label).append(f"{percent(tally.rate):>6}", "bold")
    text.append(f"  {tally.successes} of {tally.attempts}, 95 % interval {interval(tally.wilson95)}")
    if unjudged := tally.errors + tally.skipped:
        text.append(f", {unjudged} not judged", "yellow")
    return text


def _print_places(console: Console, report: RunReport) -> None:
    if report.evidence or report.evidence_place:
        count = f"{len(report.evidence):,} signed {'entry' if len(report.evidence) == 1 else 'entries'}"
        place = f" in {shown(report.evidence_place)}" if report.evidence_place else ""
        console.print(_labelled("evidence", Text(f"{count}{place}")), soft_wrap=True)
    if report.trust_note:
        console.print(Padding(Text(shown(report.trust_note), "dim"), (0, 0, 0, INDENT)))
    # A held application has no endpoint to talk to.
    served = report.decision is Decision.OPEN
    for label, value, said in (
        ("report", report.report_place, True),
        ("endpoint", report.endpoint, served),
        ("try it", report.talk, served),
    ):
        if value and said:
            console.print(_labelled(label, Text(shown(value, 2_000))), soft_wrap=True)


def _verdict(report: RunReport) -> Text:
    text = Text("  ").append(f"{report.decision:<{LABEL}}", DECISION_STYLES[report.decision])
    spent = elapsed(report.started, report.finished)
    return text.append(report.headline).append(f"  {spent}" if spent else "", "dim")
