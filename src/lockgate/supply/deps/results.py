"""Says what came of a scan of dependencies, as outside scripts and reports read it."""

import datetime as dt
import secrets
from typing import Literal

import msgspec

from lockgate import __version__
from lockgate.core.config import GateRules
from lockgate.core.finding import Finding
from lockgate.core.gate import Stage
from lockgate.core.outcome import Examination, Outcome, Status
from lockgate.policy.decide import Case, decide
from lockgate.policy.waivers import WaiverBook
from lockgate.report import RunReport, StageReport, rules_of
from lockgate.supply.deps.catalog import CHECKS
from lockgate.supply.deps.database import DatabaseInfo
from lockgate.supply.deps.dependency import Use, Weakness
from lockgate.supply.deps.scan import DependencyScan, ScannedDependency, ScannedListing, merged

DATA_AT = "vulnerability_data_at"
"""Key in the statistics of a supply result under which deploy reads how old the data is."""
Judgement = Literal["passed", "failed", "errored"]


class Reason(msgspec.Struct, frozen=True):
    """Why something is not passed, or a finding that does not hold.

    Attributes:
        check: Id of the check.
        severity: How bad; empty for what could not be examined.
        message: One sentence.
        fingerprint: The finding's name, for waivers; empty for what could not be examined.
    """

    check: str
    severity: str
    message: str
    fingerprint: str = ""


class DependencyResult(msgspec.Struct, frozen=True, kw_only=True):
    """One dependency.

    Attributes:
        path: The file that states it, as the user named it.
        line: Line, where it is known.
        ecosystem: `PyPI` or `npm`.
        name: Its normal name.
        version: Its exact version; empty if it has none.
        development: Whether it is needed for development alone; None where the file does not say.
        outcome: `failed` where a finding holds, `errored` where something could not be looked up, else `passed`.
        reasons: Why it is not passed.
        notes: Findings below the threshold.
        vulnerabilities: Its published vulnerabilities.
        use: Whether the application's code imports it.
    """

    path: str
    line: int | None
    ecosystem: str
    name: str
    version: str
    development: bool | None
    outcome: Judgement
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    vulnerabilities: tuple[Weakness, ...]
    use: Use


class ListingResult(msgspec.Struct, frozen=True, kw_only=True):
    """One file of dependencies.

    Attributes:
        path: As the user named it.
        outcome: The worst of its dependencies and of what concerns the file itself.
        dependencies: How many it lists.
        reasons: Why it is not passed, beside its dependencies.
    """

    path: str
    outcome: Judgement
    dependencies: int
    reasons: tuple[Reason, ...]


class DependencyResults(msgspec.Struct, frozen=True, kw_only=True):
    """All files and dependencies, and the same as a report.

    Attributes:
        files: One for every file.
        dependencies: One for every dependency, those that the application reaches and the worst first in each file.
        database: What the database says about itself.
        database_problem: Why it does not count.
        report: For every format of `lockgate.report`.
    """

    files: tuple[ListingResult, ...]
    dependencies: tuple[DependencyResult, ...]
    database: DatabaseInfo | None
    database_problem: str
    report: RunReport

    @property
    def statistics(self) -> dict[str, object]:
        """What a supply result states about the data: `vulnerability_data_at`, its source's digest, its size."""
        return statistics_of(self.database)


def statistics_of(database: DatabaseInfo | None) -> dict[str, object]:
    """What a supply result states about the data that it rests on; nothing where there is none."""
    if database is None:
        return {}
    return {
        DATA_AT: database.data_at.isoformat(),
        "vulnerability_data_sha256": database.sha256,
        "vulnerability_data_updated_at": database.updated_at.isoformat(),
        "vulnerability_data_advisories": database.advisories,
    }


def results_of(scan: DependencyScan, *, started: dt.datetime, seconds: float) -> DependencyResults:
    """Judge a scan with the rules of a gate that was not configured: findings of medium severity hold."""
    rules = GateRules()
    files: list[ListingResult] = []
    dependencies: list[DependencyResult] = []
    outcomes: list[Outcome] = []
    for scanned in scan.listings:
        found = [_dependency(scanned, item, rules) for item in scanned.dependencies]
        dependencies += found
        outcomes += merged(scanned)
        own, reasons, _ = _judged(scanned.outcomes, rules)
        files.append(
            ListingResult(
                path=scanned.listing.ref.uri,
                outcome=_worst({own, *(item.outcome for item in found)}),
                dependencies=len(found),
                reasons=reasons,
            )
        )
    subjects = {ref for scanned in scan.listings for ref in (scanned.listing.ref, *scanned.listing.included)}
    examination = Examination(tuple(sorted(subjects)), tuple(outcomes))
    decision = decide(
        Case(stage=Stage.SUPPLY, examination=examination, rules=rules), WaiverBook((), today=started.date())
    )
    report = RunReport(
        project="dependencies",
        run=secrets.token_hex(8),
        lockgate=__version__,
        started=started.isoformat(timespec="milliseconds"),
        finished=(started + dt.timedelta(seconds=seconds)).isoformat(timespec="milliseconds"),
        stages=(StageReport(decision, tuple(outcomes), round(seconds, 3)),),
        rules=rules_of(CHECKS),
    )
    return DependencyResults(
        files=tuple(files),
        dependencies=tuple(dependencies),
        database=scan.database,
        database_problem=scan.database_problem,
        report=report,
    )


def _dependency(scanned: ScannedListing, item: ScannedDependency, rules: GateRules) -> DependencyResult:
    outcome, reasons, notes = _judged(item.outcomes, rules)
    stated = item.facts.dependency
    return DependencyResult(
        path=scanned.listing.ref.uri,
        line=stated.line,
        ecosystem=stated.ecosystem,
        name=stated.name,
        version=stated.version,
        development=stated.development,
        outcome=outcome,
        reasons=reasons,
        notes=notes,
        vulnerabilities=item.facts.weaknesses or (),
        use=item.facts.use,
    )


def _judged(
    outcomes: tuple[Outcome, ...], rules: GateRules
) -> tuple[Judgement, tuple[Reason, ...], tuple[Reason, ...]]:
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    holding = [found for found in findings if found.severity.reaches(rules.severity)]
    unread = [outcome for outcome in outcomes if outcome.status is Status.ERRORED]
    judgement: Judgement = "failed" if holding else "errored" if unread else "passed"
    reasons = [_reason(finding) for finding in holding]
    reasons += [Reason(outcome.check, "", outcome.reason) for outcome in unread]
    return judgement, tuple(reasons), tuple(_reason(found) for found in findings if found not in holding)


def _reason(finding: Finding) -> Reason:
    return Reason(finding.check, finding.severity.value, finding.message, finding.fingerprint)


def _worst(outcomes: set[Judgement]) -> Judgement:
    return "failed" if "failed" in outcomes else "errored" if "errored" in outcomes else "passed"
