"""Examines named code and says what came of each file, as outside scripts and reports read it."""

import datetime as dt
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from lockgate import __version__
from lockgate.core import Examination, Outcome, Stage, Status
from lockgate.core.config import GateRules
from lockgate.policy.decide import Case, decide
from lockgate.policy.waivers import WaiverBook
from lockgate.report import RunReport, StageReport, rules_of
from lockgate.report.model import Documented
from lockgate.supply.code import CHECKS, LeftOut, ScannedCode, scan_code
from lockgate.supply.code.classic_risk import ClassicRisk
from lockgate.supply.remembered import Remembered

Progress = Callable[[int, int, str], None]
FileOutcome = Literal["passed", "failed", "errored"]
_LEAST_HOLDING = GateRules().severity


class Reason(msgspec.Struct, frozen=True):
    """A finding, or why a check could not look.

    Attributes:
        check: Id of the check.
        message: One sentence. Never holds a secret.
        severity: How bad; empty for what could not look.
        confidence: How sure; empty for what could not look.
        line: Line, 1-based; 0 where there is none.
        place: Structural place in the file.
        fingerprint: Name of the finding for waivers; empty for what could not look.
    """

    check: str
    message: str
    severity: str = ""
    confidence: str = ""
    line: int = 0
    place: str = ""
    fingerprint: str = ""


class CodeResult(msgspec.Struct, frozen=True):
    """One file.

    Attributes:
        path: As the user named it.
        outcome: `failed` where a finding is at least of medium severity, `errored` where a check could not look, else
            `passed`.
        reasons: Findings of every severity, and what could not look.
        skipped: Checks that did not look.
        lines: How many lines of code it has.
        bytes: Its size.
    """

    path: str
    outcome: FileOutcome
    reasons: tuple[Reason, ...]
    skipped: tuple[str, ...]
    lines: int
    bytes: int


class CodeScan(msgspec.Struct, frozen=True):
    """All files, and the same as a report.

    Attributes:
        files: One for every file, sorted.
        left_out: Folders and files that were not examined, and why.
        report: For every format of `lockgate.report`.
    """

    files: tuple[CodeResult, ...]
    left_out: tuple[LeftOut, ...]
    report: RunReport


def scan_sources(
    paths: tuple[Path, ...],
    progress: Progress,
    *,
    exclude: tuple[str, ...] = (),
    fresh: bool = False,
    strict: bool = False,
) -> CodeScan:
    """Examine Python files, notebooks and settings of MCP clients.

    Args:
        paths: Files and folders.
        progress: Called with the number of files done, the number of files, and the file that is looked at.
        exclude: Globs of paths that are left out.
        fresh: Judge everything again instead of remembering what was found in the same bytes.
        strict: Whether checks that did not look hold, too.
    """
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    with Remembered("code") as cache:
        scanned, left_out = scan_code(paths, progress, exclude=exclude, cache=None if fresh else cache)
    rules = GateRules(optional=() if strict else (ClassicRisk.card.id,))
    outcomes = tuple(outcome for item in scanned for outcome in item.outcomes)
    examination = Examination(tuple(item.ref for item in scanned), outcomes)
    report = report_of(examination, rules, CHECKS, started=started, seconds=time.monotonic() - clock)
    return CodeScan(tuple(_result(item, strict=strict) for item in scanned), left_out, report)


def report_of(
    examination: Examination,
    rules: GateRules,
    checks: Iterable[Documented],
    *,
    started: dt.datetime,
    seconds: float,
) -> RunReport:
    """The report of one scan outside of any project: one stage, no waivers."""
    case = Case(stage=Stage.SUPPLY, examination=examination, rules=rules)
    decision = decide(case, WaiverBook((), today=started.date()))
    return RunReport(
        project="scan",
        run=secrets.token_hex(8),
        lockgate=__version__,
        started=started.isoformat(timespec="milliseconds"),
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        stages=(StageReport(decision, examination.outcomes, round(seconds, 3)),),
        rules=rules_of(checks),
    )


def reasons_of(outcomes: Iterable[Outcome]) -> tuple[Reason, ...]:
    """Findings in the order of their lines, then what could not look, each reason once."""
    found: list[Reason] = []
    unread: dict[str, Reason] = {}
    for outcome in outcomes:
        if outcome.status is Status.ERRORED:
            unread.setdefault(outcome.reason, Reason(outcome.check, outcome.reason))
        for item in outcome.findings:
            line = item.location.line or 0
            levels = (item.severity.value, item.confidence.value)
            found.append(Reason(item.check, item.message, *levels, line, item.location.path, item.fingerprint))
    found.sort(key=lambda item: (item.line, item.check, item.place))
    return (*found, *unread.values())


def outcome_of(outcomes: Iterable[Outcome], *, strict: bool = False) -> FileOutcome:
    """One word for a file: what holds by default, else what could not look."""
    listed = tuple(outcomes)
    if any(item.severity.reaches(_LEAST_HOLDING) for outcome in listed for item in outcome.findings):
        return "failed"
    unread = {Status.ERRORED, Status.SKIPPED} if strict else {Status.ERRORED}
    return "errored" if any(outcome.status in unread for outcome in listed) else "passed"


def _result(item: ScannedCode, *, strict: bool) -> CodeResult:
    skipped = tuple(outcome.check for outcome in item.outcomes if outcome.status is Status.SKIPPED)
    outcome = outcome_of(item.outcomes, strict=strict)
    return CodeResult(item.ref.uri, outcome, reasons_of(item.outcomes), skipped, item.lines, item.size)
