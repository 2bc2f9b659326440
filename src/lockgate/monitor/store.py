"""The event store: what happened at runtime, never what was said.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lockgate.core import Event, EventKind
    >>> folder = Path(tempfile.mkdtemp())
    >>> with EventStore.open(folder) as store:
    ...     store.append(Event(id="req-1", at=utc_now(), kind=EventKind.REQUEST, action="allow", source="serve"))
    True
    >>> read_summary(folder).by_action
    {'allow': 1}
"""

import datetime as dt
import logging
import secrets
import sqlite3
import threading
from collections import deque
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from lockgate.core import Event, EventKind
from lockgate.monitor.database import Row, open_for_reading, open_for_writing, read_events, row_of, write
from lockgate.monitor.errors import MonitorError
from lockgate.monitor.summary import Summary, summarise

LOST_LABEL = "events.lost"
_CAPACITY = 10_000
_BATCH = 512
_RETRY_S = 0.25
_CLOSE_S = 15.0
_log = logging.getLogger(__name__)


def utc_now() -> str:
    """This moment in UTC, ISO 8601 with milliseconds, so that text order is time order."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventStore:
    """Takes events without waiting for the disk and writes them in batches from a thread of its own.

    An event that finds the queue full is refused, counted, and reported by an alert event (`events.lost`) as soon as
    there is room. A disk that cannot be written fills the queue; what was accepted stays there while the process lives.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, capacity: int) -> None:
        self._folder = folder
        self._connection = connection
        self._capacity = capacity
        self._pending: deque[Row] = deque()
        self._lost = 0
        self._unreported = 0
        self._failing = False
        self._closing = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._work, name="lockgate-events", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, folder: Path, *, capacity: int = _CAPACITY) -> Self:
        """Open or create `folder`/events.db.

        Args:
            folder: Created with mode 0700 if it does not exist; the file has mode 0600.
            capacity: Events that may wait for the disk.

        Raises:
            MonitorError: The folder cannot be written, or the file is not an event store of this version.
        """
        return cls(folder, open_for_writing(folder), capacity)

    def append(self, event: Event) -> bool:
        """Take an event. False when the queue is full or the store closed: the event is counted as lost."""
        row = row_of(event)
        with self._changed:
            accepted = len(self._pending) < self._capacity and not self._closing
            if accepted:
                self._pending.append(row)
            else:
                self._lost += 1
                self._unreported += 1
            self._changed.notify_all()
        return accepted

    @property
    def lost(self) -> int:
        """Events refused since the store was opened."""
        return self._lost

    @property
    def healthy(self) -> bool:
        """Whether the last write worked."""
        return not self._failing

    @property
    def full(self) -> bool:
        """Whether `append` would refuse the next event."""
        return len(self._pending) >= self._capacity or self._closing

    def flush(self, timeout_s: float = _CLOSE_S) -> bool:
        """Wait until everything taken so far is on file. False when that took longer than `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending and not self._unreported, timeout_s)

    def events(self, since: str = "") -> tuple[Event, ...]:
        """Stored events since the ISO 8601 moment `since`, oldest first."""
        return read_stored(self._folder, since)

    def summary(self, since: str = "") -> Summary:
        """Counts and latencies of stored events since the ISO 8601 moment `since`."""
        return read_summary(self._folder, since)

    def close(self) -> None:
        """Write what is left and close the file.

        Raises:
            MonitorError: Some events could not be written; the message says how many.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join(_CLOSE_S)
        left = len(self._pending) + self._unreported
        if self._writer.is_alive() or left:
            raise MonitorError(f"{left:,} events could not be written.", remedy="Check free space and permissions.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        with closing(self._connection):
            while self._wait_for_work():
                rows = [self._pending[index] for index in range(min(len(self._pending), _BATCH))]
                lost = self._unreported
                try:
                    self._write(rows, lost)
                except sqlite3.Error as error:
                    self._note_failure(error)
                    if self._closing:
                        return
                    threading.Event().wait(_RETRY_S)
                else:
                    self._settle(len(rows), lost)

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._unreported or self._closing)
            return bool(self._pending or self._unreported)

    def _write(self, rows: list[Row], lost: int) -> None:
        if not lost:
            write(self._connection, rows, lost=None)
            return
        now = utc_now()
        alert = Event(
            id=f"alert-{secrets.token_hex(8)}", at=now, kind=EventKind.ALERT, action="error", labels=(LOST_LABEL,)
        )
        write(self._connection, [*rows, row_of(alert)], lost=(now, lost))

    def _note_failure(self, error: sqlite3.Error) -> None:
        if not self._failing:
            _log.error("The event store %s cannot be written: %s", self._folder, error)
        self._failing = True

    def _settle(self, written: int, lost: int) -> None:
        with self._changed:
            for _ in range(written):
                self._pending.popleft()
            self._unreported -= lost
            self._failing = False
            self._changed.notify_all()


def read_stored(folder: Path, since: str = "") -> tuple[Event, ...]:
    """Events stored in `folder` since the ISO 8601 moment `since`, oldest first.

    Raises:
        MonitorError: There is no event store, or it cannot be read.
    """
    with closing(open_for_reading(folder)) as connection:
        try:
            return read_events(connection, since)
        except (sqlite3.Error, ValueError) as error:
            raise _damaged(folder) from error


def read_summary(folder: Path, since: str = "") -> Summary:
    """Counts and latencies of the events in `folder` since the ISO 8601 moment `since`.

    Raises:
        MonitorError: There is no event store, or it cannot be read.
    """
    with closing(open_for_reading(folder)) as connection:
        try:
            return summarise(connection, since)
        except sqlite3.Error as error:
            raise _damaged(folder) from error


def _damaged(folder: Path) -> MonitorError:
    return MonitorError(f"The event store in {folder} is damaged.", remedy="Move events.db away and look at a backup.")
