"""Reads every object of a git repository through git itself, bounded, and without letting the repository run anything.

Settings of the repository that start programs or reach the network are overruled. Objects are asked for one by one
(`git cat-file --batch`), and nothing is checked out.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from lockgate.supply.errors import SupplyError

MAX_OBJECTS = 1_000_000
MAX_OBJECT = 16 << 20
MAX_TOTAL = 16 << 30
MAX_SECONDS = 1_800
LEAVE_OUT = "--no-history, or 'supply: {history: false}' in lockgate.yaml"
_MAX_LINE = 1 << 16
_CHUNK = 1 << 20
_SAFE = ("protocol.allow=never", "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "gc.auto=0")
_QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_ROWS = frozenset({b"blob", b"commit", b"tag"})


class Version(msgspec.Struct, frozen=True):
    """An object of the history.

    Attributes:
        path: The file's path in the repository; `commit message` or `tag message` for those.
        commit: The first commit that holds it, 12 hex digits.
        body: Its bytes; empty where it is too large.
        size: How many bytes it has.
    """

    path: str
    commit: str
    body: bytes
    size: int


def is_repository(folder: Path) -> bool:
    """Whether a folder is the top of a git working tree, or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


class History:
    """The objects of one repository.

    Args:
        folder: The top of its working tree.

    Raises:
        SupplyError: Git is missing, or does not take the folder for a repository that it may read.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            remedy = f"Install git, or leave the history out: {LEAVE_OUT}."
            raise SupplyError("The history cannot be read: git is not installed.", remedy=remedy)
        safe = [word for setting in _SAFE for word in ("-c", setting)]
        self._command = [program, "-C", str(folder), *safe]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR") if name in os.environ}
        self._environment = kept | _QUIET
        self.shallow = self._ask("rev-parse", "--is-shallow-repository") == b"true"
        self._running: list[subprocess.Popen[bytes]] = []
        self._timer = threading.Timer(MAX_SECONDS, self._kill)

    def __enter__(self) -> Self:
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        self._kill()
        for process in self._running:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _ask(self, *words: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - no shell, fixed words
                [*self._command, *words], env=self._environment, capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SupplyError("The history cannot be read: git does not answer.", remedy="Run git by hand.") from error
        if done.returncode:
            remedy = "Run 'git status' there to see why; git reads no repository of another user."
            raise SupplyError("The history cannot be read: git refuses the repository.", remedy=remedy)
        return done.stdout.strip()

    def _start(self, *words: str) -> tuple[IO[bytes], IO[bytes]]:
        process = subprocess.Popen(  # noqa: S603 - no shell, fixed words
            [*self._command, *words],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._running.append(process)
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
            raise SupplyError("The history cannot be read: git has no pipes.")
        return process.stdin, process.stdout

    def _kill(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()

    def names(self) -> list[tuple[str, str, str]]:
        """Id, path and first commit of every object that a branch, a tag, a stash or the reflog reaches.

        Raises:
            SupplyError: There are too many, or git failed.
        """
        _, listed = self._start("rev-list", "--objects", "--in-commit-order", "--reverse", "--all", "--reflog")
        found: list[tuple[str, str, str]] = []
        commit = ""
        while line := listed.readline(_MAX_LINE):
            name, space, path = line.rstrip(b"\n").decode("utf-8", "surrogateescape").partition(" ")
            # A commit stands alone; what it brings follows, with a space even where there is no path.
            commit = commit if space else name
            found.append((name, path, commit))
            if len(found) > MAX_OBJECTS:
                raise SupplyError(f"The history holds more than {MAX_OBJECTS:,} objects.", remedy="Scan a part of it.")
        if self._running[-1].wait():
            raise SupplyError("The history cannot be read: git failed or took too long.", remedy="Run 'git fsck'.")
        return found

    def versions(self, names: list[tuple[str, str, str]]) -> Iterator[Version | None]:
        """Every object in turn; None for a folder.

        Raises:
            SupplyError: An object is missing, git failed, or the history is larger than what is read.
        """
        asked, answered = self._start("cat-file", "--batch")
        total = 0
        for name, path, commit in names:
            kind, size = _header(asked, answered, name)
            total += size
            if total > MAX_TOTAL:
                raise SupplyError(f"The history is larger than {MAX_TOTAL:,} bytes.", remedy="Scan a part of it.")
            body = _body(answered, size, keep=size <= MAX_OBJECT and kind in _ROWS)
            if kind not in _ROWS:
                yield None
                continue
            shown = path if kind == b"blob" and path else f"{kind.decode()} message"
            yield Version(shown, commit[:12], body, size)


def _header(asked: IO[bytes], answered: IO[bytes], name: str) -> tuple[bytes, int]:
    try:
        asked.write(name.encode() + b"\n")
        asked.flush()
        parts = answered.readline(_MAX_LINE).split()
        return parts[1], int(parts[2])
    except (OSError, IndexError, ValueError) as error:
        remedy = f"Fetch the whole history (partial clones have none), or leave it out: {LEAVE_OUT}."
        raise SupplyError("The history cannot be read: an object is missing or broken.", remedy=remedy) from error


def _body(answered: IO[bytes], size: int, *, keep: bool) -> bytes:
    """The object's bytes; read but not kept where they are not wanted."""
    kept: list[bytes] = []
    left = size
    while left:
        chunk = answered.read(min(left, _CHUNK))
        if not chunk:
            raise SupplyError("The history cannot be read: git ended too early.", remedy="Run 'git fsck'.")
        left -= len(chunk)
        if keep:
            kept.append(chunk)
    answered.read(1)
    return b"".join(kept)
