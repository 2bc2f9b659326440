"""Counts and latencies of what happened at runtime."""

import math
import sqlite3

import msgspec

from lockgate.core import EventKind


class Latency(msgspec.Struct, frozen=True):
    """Percentiles by the nearest-rank method, in milliseconds; 0 where there was no request."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


class LabelCount(msgspec.Struct, frozen=True):
    """How many events of one source carried one label, by the action that was taken."""

    source: str
    label: str
    action: str
    count: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What an event store holds since a moment.

    Attributes:
        since: ISO 8601 moment from which events count; empty for all.
        first: Moment of the first event that counted.
        last: Moment of the last one.
        events: Number of events of every kind.
        requests: Number of requests.
        errors: Requests that ended in `error`: a guard that failed, an upstream that was down, a caller that left.
        lost: Events that could not be stored.
        by_action: Requests by action.
        by_source: Requests by source.
        by_label: Events by label.
        labels: The same by source and action.
        guard_ms: Time spent in the guard.
        total_ms: Time from a request to its last byte.
    """

    since: str = ""
    first: str = ""
    last: str = ""
    events: int = 0
    requests: int = 0
    errors: int = 0
    lost: int = 0
    by_action: dict[str, int] = {}
    by_source: dict[str, int] = {}
    by_label: dict[str, int] = {}
    labels: tuple[LabelCount, ...] = ()
    guard_ms: Latency = Latency()
    total_ms: Latency = Latency()


_RANGE = "SELECT count(*), coalesce(min(at), ''), coalesce(max(at), '') FROM event WHERE at >= ?"
_BY_ACTION = "SELECT action, count(*) FROM event WHERE at >= ? AND kind = ? GROUP BY action ORDER BY action"
_BY_SOURCE = "SELECT source, count(*) FROM event WHERE at >= ? AND kind = ? GROUP BY source ORDER BY source"
_BY_LABEL = """
SELECT event.source, label.value, event.action, count(*)
FROM event, json_each(event.body, '$.labels') AS label WHERE event.at >= ?
GROUP BY event.source, label.value, event.action ORDER BY event.source, label.value, event.action
"""
_LOST = "SELECT coalesce(sum(count), 0) FROM lost WHERE at >= ?"
_GUARD_MS = "SELECT guard_ms FROM event WHERE at >= ? AND kind = ? ORDER BY guard_ms LIMIT 1 OFFSET ?"
_TOTAL_MS = "SELECT total_ms FROM event WHERE at >= ? AND kind = ? ORDER BY total_ms LIMIT 1 OFFSET ?"


def summarise(connection: sqlite3.Connection, since: str) -> Summary:
    """Count what the open store holds since the ISO 8601 moment `since`; all of it where that is empty."""
    events, first, last = connection.execute(_RANGE, (since,)).fetchone()
    by_action = dict(connection.execute(_BY_ACTION, (since, EventKind.REQUEST)).fetchall())
    labels = tuple(LabelCount(*row) for row in connection.execute(_BY_LABEL, (since,)))
    by_label: dict[str, int] = {}
    for item in labels:
        by_label[item.label] = by_label.get(item.label, 0) + item.count
    requests = sum(by_action.values())
    return Summary(
        since=since,
        first=first,
        last=last,
        events=events,
        requests=requests,
        errors=by_action.get("error", 0),
        lost=connection.execute(_LOST, (since,)).fetchone()[0],
        by_action=by_action,
        by_source=dict(connection.execute(_BY_SOURCE, (since, EventKind.REQUEST)).fetchall()),
        by_label=dict(sorted(by_label.items())),
        labels=labels,
        guard_ms=_latency(connection, _GUARD_MS, since, requests),
        total_ms=_latency(connection, _TOTAL_MS, since, requests),
    )


def _latency(connection: sqlite3.Connection, query: str, since: str, requests: int) -> Latency:
    if not requests:
        return Latency()
    return Latency(*(_percentile(connection, query, since, math.ceil(share * requests)) for share in (0.5, 0.95, 0.99)))


def _percentile(connection: sqlite3.Connection, query: str, since: str, rank: int) -> float:
    return connection.execute(query, (since, EventKind.REQUEST, rank - 1)).fetchone()[0]
