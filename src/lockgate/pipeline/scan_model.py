"""Examines named model files and says what came of each, as outside scripts and reports read it."""

import datetime as dt
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from lockgate import __version__
from lockgate.core.config import GateRules
from lockgate.core.gate import Stage
from lockgate.core.outcome import Examination, Status
from lockgate.policy.decide import Case, decide
from lockgate.policy.waivers import WaiverBook
from lockgate.report import RunReport, StageReport, rules_of
from lockgate.supply import CHECKS, SCHEME, FactsCache, ScannedFile, fetched, scan_entries, scan_files

Progress = Callable[[int, int, str], None]
FileOutcome = Literal["passed", "failed", "errored"]


class Reason(msgspec.Struct, frozen=True):
    """Why a file is not passed.

    Attributes:
        check: Id of the check.
        message: One sentence.
    """

    check: str
    message: str


class FileResult(msgspec.Struct, frozen=True):
    """One file.

    Attributes:
        path: As the user named it.
        format: What its content is.
        outcome: `failed` where its format is broken or it would do what is not listed, `errored` where it could not be
            examined as a whole, else `passed`.
        reasons: Why it is not passed.
        bytes: Its size.
        covered: How many of its bytes a reader accounts for.
    """

    path: str
    format: str
    outcome: FileOutcome
    reasons: tuple[Reason, ...]
    bytes: int
    covered: int


class ModelScan(msgspec.Struct, frozen=True):
    """All files, and the same as a report.

    Attributes:
        files: One for every file.
        report: For every format of `lockgate.report`.
    """

    files: tuple[FileResult, ...]
    report: RunReport


def scan_models(paths: tuple[str | Path, ...], progress: Progress, *, fresh: bool = False) -> ModelScan:
    """Examine files, folders and prefixes of buckets.

    Args:
        paths: What to look at; `s3://BUCKET/PREFIX` is fetched first.
        progress: Called with the number of files done, the number of files, and the file that is looked at.
        fresh: Read everything again instead of remembering what was found in the same bytes.

    Raises:
        ConfigError: boto3 is not installed, or the environment makes no client.
        SupplyError: A bucket cannot be listed.
    """
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    cache = None if fresh else FactsCache()
    local = tuple(Path(path) for path in paths if not _is_address(path))
    scanned = scan_files(local, progress, cache=cache) if local else []
    for address in dict.fromkeys(str(path) for path in paths if _is_address(path)):
        with fetched(address, progress) as entries:
            scanned += scan_entries(entries, progress, cache=cache)
    outcomes = tuple(outcome for item in scanned for outcome in item.outcomes)
    rules = GateRules()
    examination = Examination(tuple(sorted(item.ref for item in scanned)), outcomes)
    case = Case(stage=Stage.SUPPLY, examination=examination, rules=rules)
    decision = decide(case, WaiverBook((), today=started.date()))
    report = RunReport(
        project="scan",
        run=secrets.token_hex(8),
        lockgate=__version__,
        started=started.isoformat(timespec="milliseconds"),
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        stages=(StageReport(decision, outcomes, round(time.monotonic() - clock, 3)),),
        rules=rules_of(CHECKS),
    )
    return ModelScan(tuple(_result(item, rules) for item in scanned), report)


def _is_address(path: str | Path) -> bool:
    return isinstance(path, str) and path.startswith(SCHEME)


def _result(item: ScannedFile, rules: GateRules) -> FileResult:
    findings = [finding for outcome in item.outcomes for finding in outcome.findings]
    holding = [found for found in findings if found.severity.reaches(rules.severity)]
    unread = [outcome for outcome in item.outcomes if outcome.status is Status.ERRORED]
    outcome: FileOutcome = "failed" if holding else "errored" if unread else "passed"
    reasons = [Reason(finding.check, finding.message) for finding in holding]
    reasons += [Reason(outcome.check, outcome.reason) for outcome in unread]
    return FileResult(item.ref.uri, item.format, outcome, tuple(reasons), item.size, item.covered)
