"""Runs bandit (https://bandit.readthedocs.io), where it is installed, on copies of the code in a process of its own."""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from lockgate.supply.code.subject import ClassicIssue
from lockgate.supply.code.units import Unit
from lockgate.supply.errors import SupplyError

TIMEOUT = 600
# Rules that a check of ours covers, or that report what is no bug: asserts, imports of subprocess, words in strings.
_COVERED = "B101,B105,B106,B107,B301,B302,B307,B403,B404,B501,B506,B603,B607,B614,B615,B703,B704"


class _Issue(msgspec.Struct):
    filename: str
    test_id: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int


class _Skipped(msgspec.Struct):
    filename: str
    reason: str


class _Report(msgspec.Struct):
    results: list[_Issue] = []
    errors: list[_Skipped] = []


def bandit_version() -> str:
    """The version of bandit that is installed; empty without one."""
    try:
        return importlib.metadata.version("bandit")
    except importlib.metadata.PackageNotFoundError:
        return ""


def find_classic(files: list[tuple[Unit, ...]]) -> list[tuple[ClassicIssue, ...] | None]:
    """What bandit finds in each file; None for a file that it cannot read.

    The code is copied to a private folder, so that neither its names nor settings beside it reach bandit.

    Raises:
        SupplyError: Bandit failed.
    """
    with tempfile.TemporaryDirectory(prefix="lockgate-") as name:
        folder = Path(name)
        places: dict[str, tuple[int, str]] = {}
        for number, units in enumerate(files):
            for part, unit in enumerate(units):
                path = folder / f"f{number}_{part}.py"
                path.write_text(unit.python, "utf-8", "surrogatepass", newline="")
                places[path.name] = number, unit.place
        report = _run(folder) if places else _Report()
    unread = {places[Path(item.filename).name][0] for item in report.errors}
    found: list[list[_Placed]] = [[] for _ in files]
    for issue in report.results:
        number, place = places[Path(issue.filename).name]
        found[number].append(_Placed(place, issue))
    return [None if number in unread else _numbered(issues) for number, issues in enumerate(found)]


class _Placed(msgspec.Struct, frozen=True):
    unit: str
    issue: _Issue


def _numbered(issues: list[_Placed]) -> tuple[ClassicIssue, ...]:
    seen: dict[str, int] = {}
    found: list[ClassicIssue] = []
    for placed in sorted(issues, key=lambda item: (item.unit, item.issue.line_number, item.issue.test_id)):
        issue = placed.issue
        place = f"{placed.unit}/{issue.test_id}".lstrip("/")
        seen[place] = seen.get(place, 0) + 1
        numbered = f"{place}#{seen[place]}"
        text = issue.issue_text.splitlines()[0][:200]
        severity, confidence = issue.issue_severity, issue.issue_confidence
        found.append(ClassicIssue(issue.test_id, text, numbered, issue.line_number, severity, confidence))
    return tuple(found)


def _run(folder: Path) -> _Report:
    command = [sys.executable, "-I", "-m", "bandit", "-q", "-r", "-ll", "-ii", "-f", "json", "--exit-zero"]
    command += ["--ignore-nosec", "-s", _COVERED, "-o", "report.json", "."]
    environment = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "LC_ALL", "TMPDIR"}}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments, no shell
            command, cwd=folder, env=environment, capture_output=True, timeout=TIMEOUT, check=False
        )
        body = (folder / "report.json").read_bytes()
        if done.returncode:
            raise SupplyError(f"Bandit ended with code {done.returncode}.", remedy="Run it by hand to see why.")
        return msgspec.json.decode(body, type=_Report)
    except subprocess.TimeoutExpired as error:
        raise SupplyError(f"Bandit took more than {TIMEOUT} s.", remedy="Scan fewer files at once.") from error
    except (OSError, msgspec.DecodeError) as error:
        raise SupplyError("Bandit wrote no report.", remedy="Run it by hand to see why.") from error
