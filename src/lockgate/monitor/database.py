"""The SQLite file behind the event store: how it is created, opened and read."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import msgspec

from lockgate.core import Event
from lockgate.core.home import private_folder
from lockgate.core.sqlite_journal import names_super_journal
from lockgate.monitor.errors import MonitorError

DATABASE_NAME = "events.db"
_VERSION = 1
_BUSY_S = 10.0
_SCHEMA = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL,
    guard_ms REAL NOT NULL, total_ms REAL NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE TABLE lost (at TEXT NOT NULL, count INTEGER NOT NULL) STRICT;
"""
_INSERT = "INSERT INTO event (at, kind, source, action, guard_ms, total_ms, body) VALUES (?, ?, ?, ?, ?, ?, ?)"

Row = tuple[str, str, str, str, float, float, str]


def open_for_writing(folder: Path) -> sqlite3.Connection:
    """Open the store in `folder`, creating the folder (0700) and the file (0600) as needed.

    Commits go to a write-ahead log without waiting for the disk: killing the process loses nothing that was
    committed, a power cut may lose the last moments, and neither damages the file.

    Raises:
        MonitorError: The folder cannot be written, or the file is not an event store of this version.
    """
    path = folder / DATABASE_NAME
    try:
        private_folder(folder)
        _refuse_trap(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
        _require_version(connection, path)
    except (sqlite3.Error, MonitorError) as error:
        connection.close()
        raise _unusable(path, error) from error
    return connection


def open_for_reading(folder: Path) -> sqlite3.Connection:
    """Open the store in `folder` without ever creating it.

    Raises:
        MonitorError: There is none, or it is not an event store of this version.
    """
    path = folder / DATABASE_NAME
    if not path.is_file():
        raise MonitorError(
            f"There is no event store at {path}.",
            remedy="It is written when redteam runs or the endpoint serves: open the earlier gates first.",
        )
    try:
        _refuse_trap(path)
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY_S)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _require_version(connection, path)
    except (sqlite3.Error, MonitorError) as error:
        connection.close()
        raise _unusable(path, error) from error
    return connection


def _refuse_trap(path: Path) -> None:
    if names_super_journal(path):
        raise MonitorError(f"{path}-journal was not written by Lockgate.", remedy="Find out who did, and remove it.")


def row_of(event: Event) -> Row:
    """The columns of an event.

    Raises:
        UnicodeEncodeError: One of its texts holds a lone surrogate, which no file can store.
    """
    body = msgspec.json.encode(event).decode()
    return (event.at, event.kind, event.source, event.action, event.guard_ms, event.total_ms, body)


def write(connection: sqlite3.Connection, rows: list[Row], *, lost: tuple[str, int] | None) -> None:
    """Store `rows`, and the moment and number of `lost` events, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(_INSERT, rows)
        if lost:
            connection.execute("INSERT INTO lost (at, count) VALUES (?, ?)", lost)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def read_events(connection: sqlite3.Connection, since: str) -> tuple[Event, ...]:
    """Every event since the ISO 8601 moment `since`, in the order in which they were stored."""
    rows = connection.execute("SELECT body FROM event WHERE at >= ? ORDER BY seq", (since,))
    return tuple(msgspec.json.decode(body, type=Event) for (body,) in rows)


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _require_version(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) != _VERSION:
        raise MonitorError(f"{path} was written by another version of Lockgate.", remedy="Move it away and go on.")


def _unusable(path: Path, error: Exception) -> MonitorError:
    if isinstance(error, MonitorError):
        return error
    why = error.strerror if isinstance(error, OSError) else str(error)
    return MonitorError(
        f"The event store {path} cannot be used: {why or type(error).__name__}.",
        remedy="Check the folder's permissions and free space; move a damaged file away.",
    )
