"""The ledger's SQLite file: created whole, opened with suspicion, its errors put into words."""

import os
import sqlite3
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lockgate.core.sqlite_journal import names_super_journal
from lockgate.evidence.dsse import MAX_ENVELOPE
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.once import claim, scratch

NAME = "ledger.db"
VERSION = 2
_VERSIONS = frozenset({(1,), (VERSION,)})
SCHEMA = (
    "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), text BLOB NOT NULL) STRICT",
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT",
    "CREATE TABLE node (level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY(level, idx)) STRICT, WITHOUT ROWID",
)
_DAMAGED = "Keep the file for examination and restore the ledger from a copy."
_CAUSES = {
    sqlite3.SQLITE_BUSY: ("is in use by another process", "Wait until it is done, then run again."),
    sqlite3.SQLITE_LOCKED: ("is in use by another process", "Wait until it is done, then run again."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Free some space, then run again. Nothing was lost."),
    sqlite3.SQLITE_READONLY: ("cannot be written", "Give this user write permission to the file and its folder."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Give this user permission to the file and its folder."),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _DAMAGED),
    sqlite3.SQLITE_NOTADB: ("is not a ledger", _DAMAGED),
    sqlite3.SQLITE_CONSTRAINT: ("contradicts itself", "Run 'lockgate evidence verify' to see where."),
}


@contextmanager
def worded(path: Path) -> Generator[None]:
    """Turn SQLite's errors inside the block into `EvidenceError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        # Python fails on SQLite's own message when that quotes a damaged schema.
        raise EvidenceError(f"The ledger {path} is damaged.", remedy=_DAMAGED) from error
    except sqlite3.Error as error:
        # The low byte is SQLite's primary result code; errors of the Python module itself carry none.
        cause, remedy = _CAUSES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, (f"failed: {error}", _DAMAGED))
        raise EvidenceError(f"The ledger {path} {cause}.", remedy=remedy) from error


@contextmanager
def _permitted(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise EvidenceError(
            f"The ledger {path} cannot be used: {error.strerror}.",
            remedy="Give this user permission to the file and its folder.",
        ) from error


def create(path: Path, checkpoint: bytes) -> None:
    """Create a ledger file with its first checkpoint, unless there is one. It appears whole or not at all.

    Raises:
        EvidenceError: The folder cannot be written.
    """
    with _permitted(path), worded(path), scratch(path) as temporary:
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.execute("BEGIN")
            for table in SCHEMA:
                connection.execute(table)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("INSERT INTO checkpoint VALUES (1, ?)", (checkpoint,))
            connection.execute("COMMIT")
        finally:
            connection.close()
        claim(temporary, path)


def connect(path: Path, *, wait_s: float) -> sqlite3.Connection:
    """Open an existing ledger file without ever creating one.

    An append that was interrupted is rolled back on the way, by SQLite's own journal.

    Args:
        path: The file.
        wait_s: Seconds to wait for another process.

    Raises:
        EvidenceError: It is missing, a link, damaged, of another version, or its journal reaches for other files.
    """
    with _permitted(path), worded(path):
        _refuse_traps(path)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=wait_s
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def renew(connection: sqlite3.Connection) -> None:
    """Note, in the transaction that is open, that the file now holds packed envelopes, which version 1 cannot read."""
    if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _refuse_traps(path: Path) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError as error:
        raise EvidenceError(
            f"There is no ledger at {path}.", remedy="Run 'lockgate run' to write the first evidence."
        ) from error
    if not stat.S_ISREG(mode):
        raise EvidenceError(f"{path} is not a regular file.", remedy="Put the ledger file itself there.")
    journal = path.with_name(f"{path.name}-journal")
    # SQLite deletes the file that a journal names as its super-journal. Ours never names one; a planted one could.
    if names_super_journal(path):
        raise EvidenceError(f"{journal} was not written by Lockgate.", remedy=_DAMAGED)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ENVELOPE + 4_096)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # FULL and a rollback journal: a commit that returned survives a power loss, and one file holds everything.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    mode = connection.execute("PRAGMA journal_mode").fetchone()
    version = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    if version not in _VERSIONS or (mode, tables) != ((b"delete",), [(table.encode(),) for table in SCHEMA]):
        raise EvidenceError(
            f"{path} is not a ledger of version {VERSION} or before.",
            remedy="Use the version of Lockgate that wrote it.",
        )
    # Leaving the emptied journal in place costs a sixth of deleting it at every commit.
    connection.execute("PRAGMA journal_mode = PERSIST")
