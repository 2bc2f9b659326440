"""Searches named files and histories for secrets and says what came of each, as outside scripts and reports read it."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from lockgate.core import Examination
from lockgate.core.config import GateRules
from lockgate.pipeline.scan_code import FileOutcome, Reason, outcome_of, reasons_of, report_of
from lockgate.report import RunReport
from lockgate.supply.errors import SupplyError
from lockgate.supply.remembered import Remembered
from lockgate.supply.secrets import (
    CHECKS,
    Repository,
    SearchedText,
    Searcher,
    baseline_key,
    empty_baseline,
    read_baseline,
    search_secrets,
    write_baseline,
)
from lockgate.supply.selection import LeftOut

Progress = Callable[[int, int, str], None]


class SecretResult(msgspec.Struct, frozen=True):
    """One file, or one version of a file in the history that holds a secret.

    Attributes:
        path: As the user named it; `PATH@COMMIT` in the history.
        outcome: `failed` where a secret is not in the baseline, `errored` where it could not be read, else `passed`.
        reasons: One for each secret, without its value.
        known: How many secrets the baseline lists.
        bytes: How many bytes were searched.
    """

    path: str
    outcome: FileOutcome
    reasons: tuple[Reason, ...]
    known: int
    bytes: int


class SecretScan(msgspec.Struct, frozen=True):
    """All files, and the same as a report.

    Attributes:
        files: One for every file, and for every version in the history with a secret, sorted.
        repositories: Histories that were read.
        left_out: What was not searched, and why.
        report: For every format of `lockgate.report`.
    """

    files: tuple[SecretResult, ...]
    repositories: tuple[Repository, ...]
    left_out: tuple[LeftOut, ...]
    report: RunReport


class SecretOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a search is told.

    Attributes:
        exclude: Globs of paths that are left out.
        history: Whether the history of a repository is read.
        fresh: Search everything again instead of remembering what was found in the same bytes.
        baseline: A baseline to compare with.
        write: Where to write a baseline of all that was found.
        key: File with the key of the baseline; the one under `LOCKGATE_HOME` if None.
    """

    exclude: tuple[str, ...] = ()
    history: bool = True
    fresh: bool = False
    baseline: Path | None = None
    write: Path | None = None
    key: Path | None = None


def scan_secrets(paths: tuple[Path, ...], progress: Progress, options: SecretOptions) -> SecretScan:
    """Search files and histories.

    Args:
        paths: Files and folders.
        progress: Called with the number of texts done, the number of texts, and what is looked at.
        options: What a search is told.

    Raises:
        SupplyError: The baseline or its key cannot be read, or a baseline is both compared with and written.
    """
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    key = baseline_key(options.key)
    baseline = read_baseline(options.baseline, key) if options.baseline is not None else None
    if options.write is not None:
        if baseline is not None:
            remedy = "Write the new one first, then compare with it."
            raise SupplyError("A baseline is either compared with or written, not both.", remedy=remedy)
        baseline = empty_baseline(options.write, key)
    with Remembered("secrets") as cache:
        searcher = Searcher(key, baseline, None if options.fresh else cache)
        found = search_secrets(paths, progress, searcher, exclude=options.exclude, history=options.history)
    if options.write is not None:
        write_baseline(options.write, key, frozenset(name for text in found.texts for name in text.fingerprints))
    outcomes = tuple(outcome for text in found.texts for outcome in text.outcomes)
    examination = Examination(tuple(text.ref for text in found.texts), outcomes)
    report = report_of(examination, GateRules(), CHECKS, started=started, seconds=time.monotonic() - clock)
    return SecretScan(tuple(map(_result, found.texts)), found.repositories, found.left_out, report)


def _result(text: SearchedText) -> SecretResult:
    return SecretResult(text.ref.uri, outcome_of(text.outcomes), reasons_of(text.outcomes), text.known, text.size)
