"""Examine files that somebody names, outside of any project."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core import CoreError, Outcome, SubjectRef, errored
from lockgate.core.files import digest
from lockgate.supply.claims import claimed_by, companions, is_claimed, is_raw
from lockgate.supply.errors import SupplyError
from lockgate.supply.examine import outcomes_of
from lockgate.supply.facts_cache import FactsCache
from lockgate.supply.listing import Entry, list_files
from lockgate.supply.opaque_model import OpaqueModel
from lockgate.supply.reader import Reader
from lockgate.supply.subject import ModelFacts, ModelFile

Progress = Callable[[int, int, str], None]


class _Read(msgspec.Struct, frozen=True):
    """A file as it was read, before it is known what other files say about it."""

    entry: Entry
    sha256: str = ""
    size: int = 0
    facts: ModelFacts | None = None
    reason: str = ""


class ScannedFile(msgspec.Struct, frozen=True):
    """A file and what came of it.

    Attributes:
        ref: Its path as the user named it, and the digest of the bytes that were read.
        format: What its content is; `unknown` if it could not be read.
        size: How many bytes it has; 0 if it could not be opened.
        covered: How many of them a reader accounts for.
        outcomes: One for every check that has something to look at.
    """

    ref: SubjectRef
    format: str
    size: int
    covered: int
    outcomes: tuple[Outcome, ...]


def scan_files(paths: tuple[Path, ...], progress: Progress, *, cache: FactsCache | None = None) -> list[ScannedFile]:
    """Examine every file below some paths, also those that are no models.

    Args:
        paths: Files and folders.
        progress: Called with the number of files done, the number of files, and the file that is looked at.
        cache: What earlier scans found; None reads everything.

    Returns:
        One entry for every file. A file that cannot be read has one ERRORED outcome.
    """
    return scan_entries(list_files(paths), progress, cache=cache)


def scan_entries(
    entries: tuple[Entry, ...], progress: Progress, *, cache: FactsCache | None = None
) -> list[ScannedFile]:
    """Examine files that were listed before; see `scan_files`."""
    read: list[_Read] = []
    with Reader() as reader:
        for done, entry in enumerate(entries):
            progress(done, len(entries), entry.shown)
            read.append(_read(entry, reader, cache))
        claims = _claims(read, reader, cache)
    progress(len(entries), len(entries), "")
    return [_judge(item, claims) for item in read]


def _read(entry: Entry, reader: Reader, cache: FactsCache | None) -> _Read:
    if entry.unreadable:
        return _Read(entry, reason=entry.unreadable)
    try:
        return _Read(entry, *_facts(entry, reader, cache))
    except (CoreError, SupplyError) as error:
        return _Read(entry, reason=str(error))


def _claims(read: list[_Read], reader: Reader, cache: FactsCache | None) -> frozenset[str]:
    """Raw bytes that a model in this scan, or beside a file that was named alone, accounts for."""
    claims = {path for item in read if item.facts for path in claimed_by(item.entry.shown, item.facts)}
    shown = {item.entry.shown for item in read}
    for item in read:
        if item.facts and is_raw(item.facts) and not is_claimed(_path(item.entry), frozenset(claims)):
            beside = [path for path in companions(Path(item.entry.shown)) if str(path) not in shown]
            for entry in list_files(tuple(beside)):
                other = _read(entry, reader, cache)
                claims.update(claimed_by(entry.shown, other.facts) if other.facts else ())
    return frozenset(claims)


def _judge(item: _Read, claims: frozenset[str]) -> ScannedFile:
    facts, shown = item.facts, item.entry.shown
    if facts is None:
        ref = SubjectRef(shown)
        return ScannedFile(ref, "unknown", _size(item.entry), 0, (errored(OpaqueModel, ref, item.reason),))
    if is_raw(facts) and is_claimed(_path(item.entry), claims):
        facts = ModelFacts("weights")
    stored = (item.entry.root / item.entry.uri).as_posix()
    model = ModelFile(SubjectRef(shown, item.sha256), item.size, "scan", None, facts, stored)
    return ScannedFile(model.ref, facts.format, item.size, item.size - facts.unread, tuple(outcomes_of(model)))


def _facts(entry: Entry, reader: Reader, cache: FactsCache | None) -> tuple[str, int, ModelFacts]:
    size = _size(entry)
    if cache is not None and cache.may_hold(size):
        sha256 = digest(entry.root, entry.uri).sha256
        remembered = cache.find(sha256, size, entry.shown)
        if remembered is not None:
            return sha256, size, remembered
    ref, size, facts = reader.read(entry.root, entry.uri, name=entry.shown)
    if cache is not None:
        cache.keep(ref.sha256, size, entry.shown, facts)
    return ref.sha256, size, facts


def _path(entry: Entry) -> str:
    """Its path as claims spell paths: an address has one slash less there."""
    return str(PurePosixPath(entry.shown))


def _size(entry: Entry) -> int:
    try:
        return (entry.root / entry.uri).lstat().st_size if entry.uri else 0
    except OSError:
        return 0
