"""A run of the red team as the report layer renders it: SARIF for code scanning, JUnit for dashboards."""

from collections.abc import Iterable

from lockgate import __version__
from lockgate.core.check import Card
from lockgate.core.finding import Finding, Location, fingerprint
from lockgate.core.gate import GateDecision
from lockgate.core.outcome import Outcome, Status
from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane
from lockgate.redteam.catalog import CHECKS
from lockgate.redteam.public import PublicReport
from lockgate.report import RunReport, StageReport, rules_of

_CARDS: dict[str, Card] = {check.card.id: check.card for check in CHECKS}


def run_report(report: PublicReport, decision: GateDecision, outcomes: Iterable[Outcome]) -> RunReport:
    """One run as one stage: what holds the gate, and every attack that reached its goal on the target as it was given.

    It holds no time and no place, so the same replies give the same bytes.

    Args:
        report: The run.
        decision: The gate's decision.
        outcomes: What it was decided on.
    """
    attacks = (item for item in report.attempts if item.attack and not item.control and item.lane is Lane.GUARDED)
    rows = (*outcomes, *(outcome for item in attacks for outcome in _outcomes(item)))
    return RunReport(
        project=report.target,
        run=f"redteam-{report.seed}",
        lockgate=__version__,
        started="",
        finished="",
        stages=(StageReport(decision, rows),),
        rules=rules_of(CHECKS),
    )


def _outcomes(item: Attempt) -> Iterable[Outcome]:
    for check in (*item.judges, *item.beside):
        yield Outcome(check, Status.FAILED, item.ref, (_finding(check, item),))
    if item.status in {AttemptStatus.RESISTED, AttemptStatus.BLOCKED} and not item.beside:
        yield Outcome(f"attack.{item.family}", Status.PASSED, item.ref)


def _finding(check: str, item: Attempt) -> Finding:
    card = _CARDS[check]
    disguise = f", disguised as {item.converter}" if item.converter else ""
    at = Location(item.ref.uri, f"/{item.family}/{item.id}")
    said = f"{card.title}: attack {item.id} of {item.family}{disguise}."
    return Finding(check, card.severity, card.confidence, said, at, fingerprint(check, at))
