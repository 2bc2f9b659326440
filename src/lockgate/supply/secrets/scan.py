"""Searches files and the history of repositories for secrets."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath, PurePosixPath

import msgspec

from lockgate.core import CoreError, Outcome, SubjectRef, errored, run, sha256_hex
from lockgate.core.files import read, selects
from lockgate.supply.errors import SupplyError
from lockgate.supply.listing import Entry
from lockgate.supply.remembered import Remembered
from lockgate.supply.secrets.baseline import Baseline
from lockgate.supply.secrets.history import LEAVE_OUT, MAX_OBJECT, History, Version, is_repository
from lockgate.supply.secrets.leaked_secret import LeakedSecret
from lockgate.supply.secrets.search import search
from lockgate.supply.secrets.subject import Mark, SecretText
from lockgate.supply.selection import LeftOut, select

Progress = Callable[[int, int, str], None]
MAX_BYTES = 64 << 20
_CHECK = LeakedSecret()
_LARGE = "Leave it out with --exclude if it holds no text."


class SearchedText(msgspec.Struct, frozen=True):
    """A file, or what was new in the history, and what came of it.

    Attributes:
        ref: Path, or `PATH@COMMIT`, and digest.
        size: How many bytes were searched.
        known: How many of its secrets the baseline lists.
        fingerprints: Of every secret in it, for a baseline.
        outcomes: Of the check.
    """

    ref: SubjectRef
    size: int
    known: int
    fingerprints: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


class Repository(msgspec.Struct, frozen=True):
    """What was read of a repository's history.

    Attributes:
        path: Its folder.
        objects: How many versions of files and messages.
        bytes: Their size.
    """

    path: str
    objects: int
    bytes: int


class SecretSearch(msgspec.Struct, frozen=True):
    """What was searched.

    Attributes:
        texts: One entry for every file, and one for each version in the history with a secret or that could not be
            read; sorted.
        repositories: The histories.
        left_out: Files that were not searched, and why.
    """

    texts: tuple[SearchedText, ...]
    repositories: tuple[Repository, ...]
    left_out: tuple[LeftOut, ...]


class Searcher:
    """Searches with one key, baseline and memory of earlier scans.

    Args:
        key: Key of the tags.
        baseline: Known secrets; None where there is no baseline.
        cache: What earlier scans found; None searches everything.
    """

    def __init__(self, key: bytes, baseline: Baseline | None, cache: Remembered | None) -> None:
        self._key = key
        self._baseline = baseline
        self._cache = cache
        self.present: set[tuple[str, str]] = set()

    def file(self, entry: Entry) -> SearchedText:
        """Search one file. What cannot be read is ERRORED."""
        if entry.unreadable:
            return _unread(SubjectRef(entry.shown), entry.unreadable)
        if _size(entry) > MAX_BYTES:
            return _unread(SubjectRef(entry.shown), f"It is larger than {MAX_BYTES:,} bytes. {_LARGE}")
        try:
            content = read(entry.root, entry.uri, limit=MAX_BYTES)
        except CoreError as error:
            return _unread(SubjectRef(entry.shown), str(error))
        ref = SubjectRef(entry.shown, content.ref.sha256)
        marks = self._marks(entry.shown, content.body)
        self.present.update((entry.shown, mark.tag) for mark in marks)
        return self._judge(ref, entry.shown, marks, len(content.body))

    def version(self, folder: PurePath, found: Version, seen: set[tuple[str, str]]) -> SearchedText | None:
        """Search one version of a file; None when all its secrets are in the file itself or in an earlier version."""
        shown = str(folder / found.path)
        ref = SubjectRef(f"{shown}@{found.commit}".encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        if found.size > MAX_OBJECT:
            return _unread(ref, f"This version is larger than {MAX_OBJECT:,} bytes. {_LARGE}")
        marks = tuple(mark for mark in self._marks(found.path, found.body) if (shown, mark.tag) not in seen)
        if not marks:
            return None
        seen.update((shown, mark.tag) for mark in marks)
        named = SubjectRef(ref.uri, sha256_hex(found.body))
        return self._judge(named, shown, marks, found.size)

    def _marks(self, name: str, body: bytes) -> tuple[Mark, ...]:
        notebook = b"notebook" if name.endswith(".ipynb") else b""
        key = hashlib.sha256(b"\0".join((self._key, notebook, hashlib.sha256(body).digest()))).digest()
        kept = self._cache.find(key) if self._cache is not None else None
        if kept is not None:
            try:
                return msgspec.msgpack.decode(kept, type=tuple[Mark, ...])
            except (msgspec.DecodeError, msgspec.ValidationError):
                pass
        marks = search(name, body, self._key)
        if self._cache is not None:
            self._cache.keep(key, msgspec.msgpack.encode(marks))
        return marks

    def _judge(self, ref: SubjectRef, path: str, marks: tuple[Mark, ...], size: int) -> SearchedText:
        fingerprints: tuple[str, ...] = ()
        if self._baseline is not None:
            listed = self._baseline
            fingerprints = tuple(listed.fingerprint(path, mark.tag) for mark in marks)
            marks = tuple(
                msgspec.structs.replace(mark, known=name in listed.fingerprints)
                for mark, name in zip(marks, fingerprints, strict=True)
            )
        outcome = run(_CHECK, SecretText(ref, marks))
        return SearchedText(ref, size, sum(mark.known for mark in marks), fingerprints, (outcome,))


def search_secrets(
    paths: tuple[Path, ...],
    progress: Progress,
    searcher: Searcher,
    *,
    exclude: tuple[str, ...] = (),
    history: bool = True,
) -> SecretSearch:
    """Search files, and the history of every named folder that is the top of a repository.

    Args:
        paths: Files and folders.
        progress: Called with the number of texts done, the number of texts, and what is looked at.
        searcher: Key, baseline and memory.
        exclude: Globs of paths that are left out, in the history too.
        history: Whether histories are read.
    """
    entries, left_out = select(paths, exclude, lambda _: True)
    texts = _files(entries, progress, searcher)
    repositories: list[Repository] = []

    def excluded(path: str) -> bool:
        return any(selects(pattern, path) for pattern in exclude)

    if history:
        for folder in sorted({path for path in paths if is_repository(path)}):
            texts += _history(folder, folder, progress, searcher, left_out=excluded, repositories=repositories)
    progress(1, 1, "")
    return SecretSearch(tuple(sorted(texts, key=lambda item: item.ref)), tuple(repositories), left_out)


def search_entries(
    entries: Sequence[Entry],
    progress: Progress,
    searcher: Searcher,
    *,
    repository: Path | None = None,
    left_out: Callable[[str], bool],
) -> SecretSearch:
    """Search files that were selected before, and the history of the repository that they lie in.

    Args:
        entries: The files, with paths below the repository.
        progress: As for `search_secrets`.
        searcher: Key, baseline and memory.
        repository: The folder whose history is read; None for none.
        left_out: Whether a path is left out in the history.
    """
    texts = _files(entries, progress, searcher)
    repositories: list[Repository] = []
    if repository is not None and is_repository(repository):
        texts += _history(repository, PurePosixPath(), progress, searcher, left_out=left_out, repositories=repositories)
    progress(1, 1, "")
    return SecretSearch(tuple(sorted(texts, key=lambda item: item.ref)), tuple(repositories), ())


def _files(entries: Sequence[Entry], progress: Progress, searcher: Searcher) -> list[SearchedText]:
    texts: list[SearchedText] = []
    for done, entry in enumerate(entries):
        progress(done, len(entries), entry.shown)
        texts.append(searcher.file(entry))
    return texts


def _history(
    folder: Path,
    shown: PurePath,
    progress: Progress,
    searcher: Searcher,
    *,
    left_out: Callable[[str], bool],
    repositories: list[Repository],
) -> list[SearchedText]:
    found: list[SearchedText] = []
    seen = set(searcher.present)
    named = "history" if shown == PurePosixPath() else f"{shown}@history"
    whole = SubjectRef(named)
    count = size = 0
    try:
        with History(folder) as history:
            if history.shallow:
                remedy = f"Fetch it with 'git fetch --unshallow', or leave the history out: {LEAVE_OUT}."
                found.append(_unread(whole, f"The clone is shallow: most of the history is not here. {remedy}"))
            names = history.names()
            for done, version in enumerate(history.versions(names)):
                progress(done, len(names), f"{named} {names[done][2][:12]}")
                if version is None or left_out(version.path):
                    continue
                count, size = count + 1, size + version.size
                text = searcher.version(shown, version, seen)
                found += [text] if text is not None else []
    except SupplyError as error:
        found.append(_unread(whole, str(error)))
    repositories.append(Repository(str(shown), count, size))
    return found


def _size(entry: Entry) -> int:
    try:
        return (entry.root / entry.uri).lstat().st_size
    except OSError:
        return 0


def _unread(ref: SubjectRef, reason: str) -> SearchedText:
    return SearchedText(ref, 0, 0, (), (errored(_CHECK, ref, reason),))
