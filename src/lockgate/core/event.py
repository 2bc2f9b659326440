"""One runtime record. It never carries a prompt, an answer, a key or a token."""

from enum import StrEnum

import msgspec


class EventKind(StrEnum):
    """What an event records."""

    REQUEST = "request"
    VERDICT = "verdict"
    APPROVAL = "approval"
    ALERT = "alert"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened at runtime.

    Attributes:
        id: The request id that was given to the caller (`x-request-id`).
        at: When, UTC, ISO 8601 with milliseconds.
        kind: What this records.
        route: The HTTP path.
        model: The model that was asked for.
        action: `allow`, `redact`, `hold`, `block`, or `error`.
        labels: The detectors' labels behind the verdict, or what the alert is about.
        score: The guard's injection score, 0 to 1.
        status: The HTTP status that was answered.
        guard_ms: Milliseconds spent in the guard.
        total_ms: Milliseconds from the request to its last byte.
        unscanned: Names of fields that policy let travel without inspection.
        source: Who caused it: `serve`, `serve-observe`, `redteam`.
        key_id: Public id of the API key, never the key.
    """

    id: str
    at: str
    kind: EventKind
    route: str = ""
    model: str = ""
    action: str = ""
    labels: tuple[str, ...] = ()
    score: float = 0.0
    status: int = 0
    guard_ms: float = 0.0
    total_ms: float = 0.0
    unscanned: tuple[str, ...] = ()
    source: str = ""
    key_id: str = ""
