"""What is noted about a request while it runs, and the event and log line that come of it."""

import logging
import time
from collections.abc import Callable

import msgspec

from lockgate.core import Action, Event, EventKind
from lockgate.gateway.asgi import Headers
from lockgate.gateway.errors import FAIL_OPEN, ApiError
from lockgate.gateway.judging import Judgement
from lockgate.gateway.protocol import new_request_id
from lockgate.gateway.telemetry.finished import Finished
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.monitor import EventStore, utc_now

_access = logging.getLogger("lockgate.gateway.access")
_log = logging.getLogger(__name__)
_SEVERITY = (Action.ALLOW.value, Action.REDACT.value, Action.HOLD.value, Action.BLOCK.value, "error")
_UNQUIET = frozenset({"/livez", "/readyz"})
_MOST_PATHS = 16


class Record(msgspec.Struct):
    """One request in the making.

    Attributes:
        id: Its id, chosen here and never by the caller.
        at: When it came, UTC.
        method: A known HTTP method, else `-`: what a caller made up is not repeated.
        route: The route as documentation writes it, else `-`.
        model: The served model when the request named it.
        action: The strictest action so far.
        labels: What led to it.
        score: The guard's injection score.
        guard_ms: Time in the guard.
        key_id: Public id of the caller's key.
        unscanned: Paths in the body of what policy let travel unread.
        verdict: The strictest that the guard said; empty before it had its say.
        unjudged: Whether something went on although the guard could not judge it, as settings allow.
        tenant: Whom the caller belongs to.
        provider: What kind of upstream is asked.
        streams: Whether the answer is streamed.
        first_token_s: Seconds until the first text of a stream left; 0 where none did.
        tokens: Tokens in and out, as the upstream counted.
        trace: The trace that the caller says it belongs to.
        started: Monotonic clock at its start, in seconds.
    """

    id: str
    at: str
    started: float
    method: str = "-"
    route: str = "-"
    model: str = ""
    action: str = Action.ALLOW.value
    labels: tuple[str, ...] = ()
    score: float = 0.0
    guard_ms: float = 0.0
    key_id: str = ""
    unscanned: tuple[str, ...] = ()
    verdict: str = ""
    unjudged: bool = False
    tenant: str = ""
    provider: str = ""
    streams: bool = False
    first_token_s: float = 0.0
    tokens: tuple[int, int] = (0, 0)
    trace: str = ""
    span: str = ""

    @classmethod
    def new(cls) -> "Record":
        """The record of a request that comes in now."""
        return cls(new_request_id(), utc_now(), time.perf_counter())

    @property
    def elapsed_s(self) -> float:
        """Seconds since it came."""
        return time.perf_counter() - self.started

    def note(self, judgement: Judgement) -> None:
        """Add what the guard decided."""
        self._judged(judgement.action.value)
        self._strengthen(judgement.action.value, judgement.labels, judgement.score)

    def note_error(self, error: ApiError) -> None:
        """Add a refusal."""
        if error.blocked:
            self._judged(Action.BLOCK.value)
        self._strengthen("block" if error.blocked else "error", error.labels, error.score)

    def note_unjudged(self, error: ApiError) -> None:
        """Add that the guard failed and that settings let this request go on without it."""
        self.unjudged = True
        self._strengthen(Action.ALLOW.value, (*error.labels, FAIL_OPEN), 0.0)
        _log.warning("%s went on unjudged (serve.fail_open): %s", self.id, ", ".join(error.labels))

    def headers(self) -> Headers:
        """What a caller is told about the request, as far as it is known."""
        elapsed_ms = self.elapsed_s * 1000
        told: Headers = [
            (b"x-request-id", self.id.encode()),
            (b"request-id", self.id.encode()),
            (b"openai-processing-ms", str(round(elapsed_ms)).encode()),
        ]
        if self.unjudged:
            told.append((b"x-lockgate-verdict", b"unjudged"))
        elif self.verdict:
            told.append((b"x-lockgate-verdict", self.verdict.encode()))
        if self.verdict or self.unjudged:
            told.append((b"x-lockgate-guard-ms", f"{self.guard_ms:.1f}".encode()))
        if self.unscanned:
            told.append((b"x-lockgate-unscanned", ", ".join(self.unscanned[:_MOST_PATHS]).encode()))
        return told

    def finish(self, status: int, *, source: str, store: EventStore | None, telemetry: Telemetry) -> None:
        """Count it, write the log line and, except for health probes, the event.

        Args:
            status: What was answered.
            source: Who causes the traffic of this gateway.
            store: Where events go; None for nowhere.
            telemetry: Counts requests.
        """
        total_s = self.elapsed_s
        total_ms = total_s * 1000
        telemetry.request_finished(self._finished(status, source, total_s))
        _access.info("%s %s %d %.1fms %s", self.method, self.route, status, total_ms, self.id)
        if store is None or self.route in _UNQUIET:
            return
        event = Event(
            id=self.id,
            at=self.at,
            kind=EventKind.REQUEST,
            route=self.route,
            model=self.model,
            action=self.action,
            labels=self.labels,
            score=self.score,
            status=status,
            guard_ms=round(self.guard_ms, 3),
            total_ms=round(total_ms, 3),
            unscanned=self.unscanned,
            source=source,
            key_id=self.key_id,
        )
        if not store.append(event):
            telemetry.shed("events")
            _log.warning("The event of %s was lost: the event store is full or closed.", self.id)

    def _finished(self, status: int, source: str, total_s: float) -> Finished:
        return Finished(
            id=self.id,
            at=time.time() - total_s,
            method=self.method,
            route=self.route,
            status=status,
            model=self.model,
            provider=self.provider,
            action=self.action,
            labels=self.labels,
            key_id=self.key_id,
            tenant=self.tenant,
            source=source,
            streams=self.streams,
            guard_s=self.guard_ms / 1000,
            first_token_s=self.first_token_s,
            total_s=total_s,
            input_tokens=self.tokens[0],
            output_tokens=self.tokens[1],
            trace=self.trace,
            span=self.span,
        )

    def _judged(self, action: str) -> None:
        self.verdict = max(self.verdict or action, action, key=_SEVERITY.index)

    def _strengthen(self, action: str, labels: tuple[str, ...], score: float) -> None:
        self.action = max(self.action, action, key=_SEVERITY.index)
        self.labels = tuple(dict.fromkeys((*self.labels, *labels)))
        self.score = max(self.score, score)


def unreadable(source: str, telemetry: Telemetry) -> Callable[[ApiError], str]:
    """Counts and logs what is refused before it is a request, which is no event; gives its id.

    Args:
        source: As for `Record.finish`.
        telemetry: Counts requests.
    """

    def note(error: ApiError) -> str:
        record = Record.new()
        telemetry.request_started()
        record.note_error(error)
        record.finish(error.status, source=source, store=None, telemetry=telemetry)
        return record.id

    return note
