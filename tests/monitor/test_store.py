import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lockgate.core import Event, EventKind
from lockgate.monitor import LOST_LABEL, EventStore, LabelCount, Latency, MonitorError, read_stored, read_summary


def event(number: int, **changes: object) -> Event:
    base = Event(
        id=f"req-{number}",
        at=f"2026-11-21T10:00:{number % 60:02d}.000Z",
        kind=EventKind.REQUEST,
        route="/v1/chat/completions",
        action="allow",
        status=200,
        guard_ms=float(number),
        total_ms=float(10 * number),
        source="serve",
    )
    return msgspec.structs.replace(base, **changes)


def test_what_is_appended_comes_back_in_order(tmp_path: Path) -> None:
    sent = tuple(event(number, labels=("pii.email", "ünïcode"), score=0.25) for number in range(1, 50))
    with EventStore.open(tmp_path / "state") as store:
        assert all(store.append(item) for item in sent)
        assert store.flush()
        assert store.events() == sent
        assert store.healthy
    assert read_stored(tmp_path / "state") == sent


def test_two_stores_on_one_folder_lose_nothing(tmp_path: Path) -> None:
    with EventStore.open(tmp_path) as one, EventStore.open(tmp_path) as other:
        for number in range(200):
            assert one.append(event(number))
            assert other.append(event(number, source="redteam"))
    assert read_summary(tmp_path).by_source == {"redteam": 200, "serve": 200}


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with EventStore.open(folder) as store:
        store.append(event(1))
        store.flush()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes["events.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_store_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    EventStore.open(tmp_path).close()
    (tmp_path / "events.db").chmod(0o644)
    EventStore.open(tmp_path).close()
    assert stat.S_IMODE((tmp_path / "events.db").stat().st_mode) == 0o600


def test_summary_counts_and_percentiles(tmp_path: Path) -> None:
    with EventStore.open(tmp_path) as store:
        for number in range(1, 101):
            store.append(event(number))
        store.append(event(1, action="block", labels=("injection.override", "injection.persona"), source="redteam"))
        store.append(event(2, action="error", labels=("guard.error",), status=503))
        store.append(event(3, kind=EventKind.ALERT, action="error", labels=("something",)))
        store.flush()
        summary = store.summary()
    assert summary.events == 103
    assert summary.requests == 102
    assert summary.errors == 1
    assert summary.lost == 0
    assert summary.by_action == {"allow": 100, "block": 1, "error": 1}
    assert summary.by_source == {"redteam": 1, "serve": 101}
    assert summary.by_label == {"guard.error": 1, "injection.override": 1, "injection.persona": 1, "something": 1}
    assert summary.guard_ms == Latency(p50=49.0, p95=95.0, p99=99.0)
    assert summary.total_ms == Latency(p50=490.0, p95=950.0, p99=990.0)
    assert summary.labels[0] == LabelCount("redteam", "injection.override", "block", 1)


def test_summary_since_a_moment(tmp_path: Path) -> None:
    with EventStore.open(tmp_path) as store:
        for number in range(10):
            store.append(event(number))
    summary = read_summary(tmp_path, "2026-11-21T10:00:07.000Z")
    assert (summary.requests, summary.first, summary.last) == (
        3,
        "2026-11-21T10:00:07.000Z",
        "2026-11-21T10:00:09.000Z",
    )
    assert read_summary(tmp_path, "2027").requests == 0


def test_a_full_queue_tells_the_caller_and_leaves_an_alert(tmp_path: Path) -> None:
    with EventStore.open(tmp_path, capacity=5) as store:
        with sqlite3.connect(tmp_path / "events.db", isolation_level=None) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            results = [store.append(event(number)) for number in range(20)]
            blocker.execute("ROLLBACK")
        blocker.close()
        assert results.count(False) == store.lost >= 14
        assert store.flush()
    summary = read_summary(tmp_path)
    assert summary.lost == results.count(False)
    assert summary.requests == results.count(True)
    assert summary.by_label[LOST_LABEL] >= 1


def test_an_event_after_close_is_refused_and_counted(tmp_path: Path) -> None:
    store = EventStore.open(tmp_path)
    store.close()
    assert not store.append(event(1))
    assert store.lost == 1


def test_a_text_that_cannot_be_stored_is_told_at_once(tmp_path: Path) -> None:
    with EventStore.open(tmp_path) as store, pytest.raises(UnicodeEncodeError):
        store.append(event(1, model="\ud800"))


_KILLED = """
import sys
from pathlib import Path
from lockgate.core import Event, EventKind
from lockgate.monitor import EventStore, utc_now
store = EventStore.open(Path(sys.argv[1]))
number = 0
while True:
    store.append(Event(id=f"req-{number}", at=utc_now(), kind=EventKind.REQUEST, action="allow", source="serve"))
    number += 1
    if number % 100 == 0:
        store.flush()
        print(number, flush=True)
"""


def test_kill_at_any_time_leaves_every_flushed_event(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        child = subprocess.Popen([sys.executable, "-c", _KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
        assert child.stdout
        flushed = 0
        until = time.monotonic() + 0.3 + 0.15 * attempt
        while time.monotonic() < until or not flushed:
            flushed = int(child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()
        stored = read_stored(folder)
        assert len(stored) >= flushed
        assert [item.id for item in stored] == [f"req-{number}" for number in range(len(stored))]
        with EventStore.open(folder) as again:
            assert again.append(event(1))


def test_reading_never_creates_a_store(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="no event store"):
        read_summary(tmp_path)
    assert list(tmp_path.iterdir()) == []


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one " * 100)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()


def _folder(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    (path.parent / "elsewhere").write_bytes(b"")
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [_garbage, _foreign, _folder, _link])
def test_a_file_that_is_no_store_is_refused_with_a_remedy(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(tmp_path / "events.db")
    with pytest.raises(MonitorError) as caught:
        EventStore.open(tmp_path)
    assert caught.value.remedy
    if spoil is not _link:
        with pytest.raises(MonitorError):
            read_summary(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MonitorError, match="cannot be used"):
        EventStore.open(tmp_path / "file" / "state")


def test_a_table_that_was_taken_away_is_damage(tmp_path: Path) -> None:
    EventStore.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "events.db") as connection:
        connection.execute("DROP TABLE lost")
    connection.close()
    with pytest.raises(MonitorError, match="damaged"):
        read_summary(tmp_path)


def test_events_that_can_never_be_written_are_told_at_close(tmp_path: Path) -> None:
    store = EventStore.open(tmp_path)
    with sqlite3.connect(tmp_path / "events.db") as connection:
        connection.execute("DROP TABLE event")
    connection.close()
    store.append(event(1))
    assert not store.flush(0.2)
    assert not store.healthy
    with pytest.raises(MonitorError, match="1 events could not be written"):
        store.close()


def test_a_planted_journal_that_would_delete_a_file_is_refused(tmp_path: Path) -> None:
    with EventStore.open(tmp_path):
        pass
    (tmp_path / "events.db-journal").write_bytes(b"\x00" * 512 + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(MonitorError, match="not written by Lockgate"):
        EventStore.open(tmp_path)
    with pytest.raises(MonitorError, match="not written by Lockgate"):
        read_summary(tmp_path)
