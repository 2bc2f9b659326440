"""Remembers results by digest in one file, so that a second scan judges only what is new."""

import hashlib
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import lockgate
from lockgate.core.home import home, private_folder

_READERS = ("core", "detect", "supply")
_MAX_BODY = 1 << 20
_MAX_ROWS = 500_000


class Remembered:
    """Results by key. What is damaged or cannot be written costs time on the next scan, nothing else.

    Args:
        name: Whose results; part of the file's name, as is a digest of the source that made them.
        folder: Where the file lies; below `LOCKGATE_HOME` if None.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._path = (folder if folder is not None else home() / "cache") / f"{name}-{_version()}.sqlite"
        self._new: dict[bytes, bytes] = {}
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            private_folder(self._path.parent)
            self._database = sqlite3.connect(self._path, timeout=2)
            self._path.chmod(0o600)
            self._database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID")
        except (OSError, sqlite3.Error):
            self._database = None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._database is None:
            return
        with closing(self._database) as database:
            try:
                (count,) = database.execute("SELECT count(*) FROM kept").fetchone()
                if count + len(self._new) > _MAX_ROWS:
                    database.execute("DELETE FROM kept")
                database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", self._new.items())
                database.commit()
            except sqlite3.Error:
                return

    def find(self, key: bytes) -> bytes | None:
        """What was kept under a key, or None."""
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT body FROM kept WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row and isinstance(row[0], bytes) else None

    def keep(self, key: bytes, body: bytes) -> None:
        """Keep a result; written when the scan ends."""
        if len(body) <= _MAX_BODY:
            self._new[key] = body


@cache
def _version() -> str:
    """A digest of the source that makes results, so that results of another version are never used."""
    digest = hashlib.sha256(lockgate.__version__.encode())
    for layer in _READERS:
        for path in sorted((Path(lockgate.__file__).parent / layer).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
