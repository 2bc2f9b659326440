"""Turns a run into the one report that every format renders."""

from lockgate import __version__
from lockgate.core.project import Project
from lockgate.evidence import verify_ledger
from lockgate.monitor import MonitorError, Summary, read_summary
from lockgate.pipeline.catalogs import all_checks
from lockgate.pipeline.run import RunResult, recent
from lockgate.pipeline.talk import question
from lockgate.redteam import RedteamResult
from lockgate.redteam.result import BenignTally as BenignCount
from lockgate.redteam.result import FamilyStatus
from lockgate.redteam.result import Tally as AttackTally
from lockgate.report import (
    BenignTally,
    Comparison,
    EvidenceRow,
    MonitorView,
    Paired,
    Percentiles,
    RedteamView,
    RunReport,
    Tally,
    rules_of,
)

PORT = 8080


def summarise(project: Project, outcome: RunResult, *, shown_as: str) -> RunReport:
    """Describe a run for every report format.

    Args:
        project: The application.
        outcome: Its run.
        shown_as: The project folder as the user named it, for command lines.
    """
    return RunReport(
        project=project.config.project,
        run=outcome.run,
        lockgate=__version__,
        started=outcome.started.isoformat(timespec="milliseconds"),
        finished=outcome.finished.isoformat(timespec="milliseconds"),
        policy_sha256=project.policy.sha256,
        stages=outcome.stages,
        rules=rules_of(all_checks().values()),
        redteam=_redteam(outcome.redteam) if outcome.redteam else None,
        monitor=_monitor(project),
        evidence=_evidence(project, outcome),
        evidence_place=str(project.state / "ledger.db"),
        trust_note=outcome.trust.describe(),
        checkpoint=outcome.checkpoint,
        endpoint=f"http://127.0.0.1:{PORT}/v1",
        talk=question(project) if project.config.serve else "",
        report_place=str(project.state / "report" / "report.html"),
        commands=(f"lockgate run {shown_as}", f"lockgate evidence verify {shown_as}"),
    )


def _evidence(project: Project, outcome: RunResult) -> tuple[EvidenceRow, ...]:
    report = verify_ledger(project.state, outcome.trust)
    return tuple(
        EvidenceRow(
            seq=entry.seq,
            stage=entry.stage,
            predicate_type=entry.predicate_type,
            sha256=entry.sha256,
            keyid=entry.keyid,
            role=entry.role,
        )
        for entry in report.entries
        if entry.run == outcome.run
    )


def _redteam(result: RedteamResult) -> RedteamView:
    halves = (("seen", result.bare.seen, result.guarded.seen), ("unseen", result.bare.unseen, result.guarded.unseen))
    return RedteamView(
        bare=_tally(result.bare),
        guarded=_tally(result.guarded),
        families=tuple(
            Comparison(family.id, _tally(family.bare), _tally(family.guarded), family.status is FamilyStatus.EXERCISED)
            for family in result.families
        ),
        halves=tuple(Comparison(name, _tally(bare), _tally(guarded)) for name, bare, guarded in halves),
        benign=_benign(result.benign),
        paired=Paired(b=result.paired.b, c=result.paired.c, p_value=result.paired.p_value),
        corpus=result.corpus.version,
        corpus_sha256=result.corpus.sha256,
        complete=result.complete,
        recalled=result.recalled,
    )


def _tally(counted: AttackTally) -> Tally:
    return Tally(
        attempts=counted.attempts,
        successes=counted.successes,
        errors=counted.errors,
        skipped=counted.skipped,
        wilson95=counted.wilson95,
    )


def _benign(counted: BenignCount) -> BenignTally:
    return BenignTally(
        attempts=counted.attempts, blocked=counted.blocked, errors=counted.errors, wilson95=counted.wilson95
    )


def _monitor(project: Project) -> MonitorView | None:
    try:
        seen: Summary = read_summary(project.state, recent())
    except MonitorError:
        return None
    return MonitorView(
        events=seen.requests,
        actions=_ranked(seen.by_action),
        labels=_ranked(seen.by_label),
        guard_ms=Percentiles(seen.guard_ms.p50, seen.guard_ms.p95, seen.guard_ms.p99),
        total_ms=Percentiles(seen.total_ms.p50, seen.total_ms.p95, seen.total_ms.p99),
        dropped=seen.lost,
    )


def _ranked(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
