"""Examines the code that somebody names: files, notebooks, MCP settings, and folders of them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core import CoreError, Finding, Location, Outcome, Status, SubjectRef, errored, fingerprint, run
from lockgate.core.files import Content, read
from lockgate.supply.code.catalog import CHECKS
from lockgate.supply.code.classic import bandit_version, find_classic
from lockgate.supply.code.facts import is_settings, read_facts
from lockgate.supply.code.subject import CodeFile
from lockgate.supply.code.units import MAX_BYTES, read_units
from lockgate.supply.errors import SupplyError
from lockgate.supply.listing import Entry
from lockgate.supply.remembered import Remembered
from lockgate.supply.selection import LeftOut, select

Progress = Callable[[int, int, str], None]
_SUFFIXES = (".py", ".pyw", ".pyi", ".ipynb")
_BATCH = 200
_HEAD = 80
_CHECKS = tuple(check() for check in CHECKS)


class ScannedCode(msgspec.Struct, frozen=True):
    """A file and what came of it.

    Attributes:
        ref: Its path as the user named it, and its digest.
        lines: How many lines of code it has.
        size: How many bytes.
        outcomes: One for every check.
    """

    ref: SubjectRef
    lines: int
    size: int
    outcomes: tuple[Outcome, ...]


class _Kept(msgspec.Struct, frozen=True):
    lines: int
    outcomes: tuple[Outcome, ...]


class _Read(msgspec.Struct):
    content: Content
    key: bytes
    facts: CodeFile | None = None
    reason: str = ""


def scan_code(
    paths: tuple[Path, ...],
    progress: Progress,
    *,
    exclude: tuple[str, ...] = (),
    cache: Remembered | None = None,
    classic: bool = True,
) -> tuple[list[ScannedCode], tuple[LeftOut, ...]]:
    """Examine code. The result does not depend on the order of the paths.

    Args:
        paths: Files, whatever they are called, and folders, of which Python files, notebooks and settings of MCP
            clients are examined.
        progress: Called with the number of files done, the number of files, and the file that is looked at.
        exclude: Globs of paths that are left out.
        cache: What earlier scans found; None judges everything.
        classic: Whether bandit is asked, where it is installed.

    Returns:
        One entry for every file, sorted, and what was left out. A file that cannot be read or parsed is ERRORED by
        every check.
    """
    entries, left_out = select(paths, exclude, is_code)
    return scan_entries(entries, progress, cache=cache, classic=classic), left_out


def scan_entries(
    entries: Sequence[Entry], progress: Progress, *, cache: Remembered | None = None, classic: bool = True
) -> list[ScannedCode]:
    """Examine files that were selected before; see `scan_code`."""
    version = bandit_version() if classic else ""
    scanned: list[ScannedCode] = []
    waiting: list[_Read] = []
    for done, entry in enumerate(entries):
        progress(done, len(entries), entry.shown)
        found = _look(entry, cache, version)
        if isinstance(found, ScannedCode):
            scanned.append(found)
        else:
            waiting.append(found)
        if len(waiting) >= _BATCH:
            scanned += _judge(waiting, cache, version)
            waiting = []
    scanned += _judge(waiting, cache, version)
    progress(len(entries), len(entries), "")
    return sorted(scanned, key=lambda item: item.ref)


def is_code(entry: Entry) -> bool:
    """Whether a file of a folder is code: by its name, or, where it can be read, by a first line that names Python."""
    name = PurePosixPath(entry.shown).name
    if name.endswith(_SUFFIXES) or is_settings(name):
        return True
    if entry.unreadable or "." in name.lstrip("."):
        return False
    try:
        with (entry.root / entry.uri).open("rb") as stream:
            head = stream.read(_HEAD).partition(b"\n")[0]
    except OSError:
        return False
    return head.startswith(b"#!") and b"python" in head


def _look(entry: Entry, cache: Remembered | None, version: str) -> ScannedCode | _Read:
    if entry.unreadable:
        return _unread(SubjectRef(entry.shown), entry.unreadable, 0)
    try:
        content = read(entry.root, entry.uri, limit=MAX_BYTES)
    except CoreError as error:
        return _unread(SubjectRef(entry.shown), str(error), 0)
    content = Content(SubjectRef(entry.shown, content.ref.sha256), content.body)
    name = PurePosixPath(entry.shown).name
    key = hashlib.sha256(f"{content.ref.sha256}\0{name}\0{version}".encode("utf-8", "surrogatepass")).digest()
    body = cache.find(key) if cache is not None else None
    if body is not None:
        try:
            kept = msgspec.msgpack.decode(body, type=_Kept)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return _Read(content, key)
        return ScannedCode(content.ref, kept.lines, len(content.body), _renamed(kept.outcomes, content.ref))
    return _Read(content, key)


def _renamed(outcomes: tuple[Outcome, ...], ref: SubjectRef) -> tuple[Outcome, ...]:
    """The outcomes of the same bytes under another path."""
    return tuple(
        msgspec.structs.replace(outcome, subject=ref, findings=tuple(_moved(item, ref) for item in outcome.findings))
        for outcome in outcomes
    )


def _moved(finding: Finding, ref: SubjectRef) -> Finding:
    at = Location(ref.uri, finding.location.path, finding.location.line)
    return msgspec.structs.replace(finding, location=at, fingerprint=fingerprint(finding.check, at))


def _unread(ref: SubjectRef, reason: str, size: int) -> ScannedCode:
    return ScannedCode(ref, 0, size, tuple(errored(check, ref, reason) for check in CHECKS))


def _judge(waiting: list[_Read], cache: Remembered | None, version: str) -> list[ScannedCode]:
    for item in waiting:
        try:
            item.facts = read_facts(item.content.ref, item.content.body)
        except SupplyError as error:
            item.reason = str(error)
    if version:
        _add_classic([item for item in waiting if item.facts is not None])
    return [_outcomes(item, cache) for item in waiting]


def _add_classic(items: list[_Read]) -> None:
    """Let bandit look at the files that could be parsed, and say of which it could not."""
    code = [item for item in items if not is_settings(item.content.ref.uri)]
    try:
        found = find_classic([read_units(item.content.ref.uri, item.content.body) for item in code])
        reason = "Bandit could not read the file. Run it by hand to see why."
    except SupplyError as error:
        found, reason = [None for _ in code], str(error)
    for item, issues in zip(code, found, strict=True):
        if item.facts is not None:
            failed = reason if issues is None else ""
            item.facts = msgspec.structs.replace(item.facts, classic=issues, classic_failed=failed)
    for item in items:
        if item.facts is not None and is_settings(item.content.ref.uri):
            item.facts = msgspec.structs.replace(item.facts, classic=())


def _outcomes(item: _Read, cache: Remembered | None) -> ScannedCode:
    ref, size = item.content.ref, len(item.content.body)
    if item.facts is None:
        return _unread(ref, item.reason, size)
    facts = item.facts
    outcomes = tuple(run(check, facts) for check in _CHECKS)
    if cache is not None and all(outcome.status is not Status.ERRORED for outcome in outcomes):
        cache.keep(item.key, msgspec.msgpack.encode(_Kept(facts.lines, outcomes)))
    return ScannedCode(ref, facts.lines, size, outcomes)
