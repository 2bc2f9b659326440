"""One upstream: its pool, its circuit, and the one exchange of a request and an answer."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from math import ceil
from time import perf_counter
from typing import Protocol

import msgspec

from lockgate.gateway.errors import ApiError, GatewayError, bad_upstream, slow_upstream
from lockgate.gateway.sse import SseError, SseReader
from lockgate.gateway.upstreams.breaker import Breaker, Circuit
from lockgate.gateway.upstreams.dialect import Call, Dialect
from lockgate.gateway.upstreams.live_key import LiveKey
from lockgate.gateway.upstreams.passed_trace import PASSED_TRACE
from lockgate.gateway.upstreams.transport import Fault, Reply, Transport, TransportError

MAX_BYTES = 8 << 20
MAX_STREAM_BYTES = 256 << 20
_OK = 200
_LIMITED = 429
_OVERLOADED = frozenset({502, 503, 504, 529})
_REJECTED = frozenset({400, 413, 422})
# The upstream looked at the request and turned it down.
_DECLINED = frozenset({"rejected", "redirected", "refused", "busy"})
_DEFAULT_WAIT_S = 5
_LONGEST_WAIT_S = 3600.0


class CallObserver(Protocol):
    """Is told how calls to upstreams end."""

    def call_ended(self, upstream: str, outcome: str, seconds: float) -> None:
        """One call ended: `ok`, or a word for what went wrong; `seconds` until the head of its answer."""
        ...

    def second_try(self, upstream: str, kind: str) -> None:
        """A request is tried again.

        That is a `retry` at the same upstream, a `reconnect` because it had closed the connection that was kept, or a
        `fallback` to the next; `refused` where the budget does not allow it.
        """
        ...


class CallFailedError(Exception):
    """A call that gave no answer, before anything of it reached the caller.

    Args:
        error: What the caller is told if nothing else helps.
        outcome: One word for metrics.
        elsewhere: Whether another upstream may be asked: this one has done no work.
        again_s: Seconds after which this one may be asked again; None where that makes no sense; negative where it
            named no time.
        sent: Whether a call went out at all.
    """

    def __init__(
        self, error: ApiError, outcome: str, *, elsewhere: bool, again_s: float | None = None, sent: bool = True
    ) -> None:
        super().__init__(outcome)
        self.error = error
        self.error.unused = elsewhere or outcome in _DECLINED
        self.outcome = outcome
        self.elsewhere = elsewhere
        self.again_s = again_s
        self.sent = sent

    @property
    def stale(self) -> bool:
        """Whether the upstream closed a kept connection while the request was on its way to it."""
        return self.outcome == Fault.STALE


class UpstreamState(msgspec.Struct, frozen=True):
    """How an upstream is doing.

    Attributes:
        name: As settings call it.
        provider: What kind it is.
        circuit: `closed`, `open` or `half-open`.
        in_flight: Calls now, waiting ones included.
        connections: Calls that may run at a time.
    """

    name: str
    provider: str
    circuit: str
    in_flight: int
    connections: int


class Server:
    """One upstream.

    Args:
        name: As settings call it.
        dialect: How it is spoken to.
        transport: How it is reached.
        breaker: When it is left alone.
        connections: Calls that may run at a time.
        observer: Is told how calls end.
        key: Where its key lies if that may change; None for the one in `dialect`.
        pass_trace: Whether it is told which trace a request belongs to.
    """

    def __init__(
        self,
        name: str,
        *,
        dialect: Dialect,
        transport: Transport,
        breaker: Breaker,
        connections: int,
        observer: CallObserver | None = None,
        key: LiveKey | None = None,
        pass_trace: bool = False,
    ) -> None:
        self.name = name
        self.dialect = dialect
        self.transport = transport
        self.breaker = breaker
        self.in_flight = 0
        self._connections = connections
        self._observer = observer
        self._key = key
        self._pass_trace = pass_trace

    @property
    def state(self) -> UpstreamState:
        """How it is doing."""
        circuit = self.breaker.state.value
        return UpstreamState(self.name, self.dialect.provider, circuit, self.in_flight, self._connections)

    async def spoken(self) -> Dialect:
        """The dialect with the key that counts now.

        Raises:
            CallFailedError: The key cannot be had.
        """
        if self._key is None:
            return self.dialect
        try:
            return await self._key.dialect()
        except GatewayError as error:
            raise self._told(_keyless(), 0.0) from error

    async def send(self, call: Call, media_type: str, *, fresh: bool = False) -> "Exchange":
        """Send a call, over a new connection where `fresh` says so, and wait for the head of an answer of `media_type`.

        Raises:
            CallFailedError: There is none.
        """
        if self.in_flight >= 2 * self._connections:
            raise self._told(_busy(), 0.0)
        if not self.breaker.allow():
            raise self._told(_resting(), 0.0)
        waits = self.in_flight >= self._connections
        self.in_flight += 1
        started = perf_counter()
        reply = None
        try:
            reply = await self.transport.send(call.url, self._headers(call), call.body, fresh=fresh)
            _accept(reply, media_type)
        except BaseException as error:
            self.in_flight -= 1
            if reply is not None:
                reply.close()
            if isinstance(error, TransportError):
                in_vain = waits and error.fault is Fault.CONNECT and error.timed_out
                error = _busy() if in_vain else _unreached(error)
            if isinstance(error, CallFailedError):
                self._judge(error)
                raise self._told(error, perf_counter() - started) from error
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        if self._observer:
            self._observer.call_ended(self.name, "ok", perf_counter() - started)
        return Exchange(self, reply)

    def _headers(self, call: Call) -> Mapping[str, str]:
        trace = PASSED_TRACE.get() if self._pass_trace else ""
        return {**call.headers, "traceparent": trace} if trace else call.headers

    def second_try(self, kind: str) -> None:
        """Tell that a request is tried again."""
        if self._observer:
            self._observer.second_try(self.name, kind)

    def _judge(self, error: CallFailedError) -> None:
        if error.outcome == "refused" and self._key is not None:
            self._key.refused()
        if error.error.status == _LIMITED or error.outcome in _DECLINED or error.stale:
            self.breaker.abandoned()
        else:
            self.breaker.failed()

    def _told(self, error: CallFailedError, seconds: float) -> CallFailedError:
        if self._observer:
            self._observer.call_ended(self.name, error.outcome, seconds)
        return error


class Exchange:
    """An answer whose head has arrived. Whoever has it closes it."""

    __slots__ = ("_open", "_reply", "server")

    def __init__(self, server: Server, reply: Reply) -> None:
        self.server = server
        self._reply = reply
        self._open = True

    async def read(self, *, most: int = MAX_BYTES, room: Callable[[], Awaitable[object]] | None = None) -> bytearray:
        """The whole body.

        Args:
            most: Bytes that it may have.
            room: Waits until there is memory for what is longer than `MAX_BYTES`.

        Raises:
            ApiError: 502 or 504, it broke off, is too large, or did not arrive in time.
        """
        body = bytearray()
        try:
            async for chunk in self._reply.chunks():
                if len(body) + len(chunk) > most:
                    raise self.blame(_too_large(most))
                if room is not None and len(body) <= MAX_BYTES < len(body) + len(chunk):
                    await room()
                body += chunk
        except TransportError as error:
            raise self.blame(_broke_off(error)) from error
        return body

    async def events(self) -> AsyncGenerator[list[str]]:
        """The data of the events of a stream, as many at a time as arrived together.

        What surrounds a few characters of text in an event is hundreds of bytes, so the stream may be far longer than
        an answer that is read whole; nothing of it is kept here.

        Raises:
            ApiError: As in `read`, and 502 where it is no event stream.
        """
        reader = SseReader()
        size = 0
        try:
            async for raw in self._reply.chunks():
                size += len(raw)
                if size > MAX_STREAM_BYTES:
                    raise self.blame(_too_large(MAX_STREAM_BYTES))
                if events := reader.feed(raw):
                    yield events
            if events := reader.finish():
                yield events
        except TransportError as error:
            raise self.blame(_broke_off(error)) from error
        except SseError as error:
            raise self.blame(bad_upstream(str(error))) from error

    def blame(self, error: ApiError) -> ApiError:
        """Count a failure of the upstream's that came after the head of its answer, and give `error` back."""
        self.server.breaker.failed()
        return error

    def close(self) -> None:
        """Give the connection back, or close it where the answer was not read to its end."""
        if self._open:
            self._open = False
            self.server.in_flight -= 1
            self._reply.close()


def _accept(reply: Reply, media_type: str) -> None:
    status = reply.status
    if status != _OK:
        raise _refused(reply, status)
    if reply.header("content-type").partition(";")[0].strip().lower() != media_type:
        raise CallFailedError(bad_upstream(f"did not answer with {media_type}"), "wrong_type", elsewhere=False)
    if reply.header("content-encoding") not in {"", "identity"}:
        raise CallFailedError(bad_upstream("compressed its answer unasked"), "compressed", elsewhere=False)


def _refused(reply: Reply, status: int) -> CallFailedError:
    if status in _REJECTED:
        return CallFailedError(_rejected(), "rejected", elsewhere=False)
    if status == _LIMITED:
        wait = _retry_after(reply.header("retry-after"))
        shown = _DEFAULT_WAIT_S if wait is None else max(1, ceil(wait))
        error = ApiError(429, "rate_limit_exceeded", "The model server is at its limit.", retry_after_s=shown)
        return CallFailedError(error, "limited", elsewhere=True, again_s=wait)
    error = bad_upstream(f"answered with status {status}")
    if status in _OVERLOADED:
        named = _retry_after(reply.header("retry-after"))
        error.retry_after_s = ceil(named or 0)
        return CallFailedError(error, "overloaded", elsewhere=True, again_s=-1.0 if named is None else named)
    kind = "redirected" if status < 400 else "refused" if status < 500 else "failed"  # noqa: PLR2004 - RFC 9110, section 15
    return CallFailedError(error, kind, elsewhere=False)


def _retry_after(text: str) -> float | None:
    """Seconds (RFC 9110, section 10.2.3); a date or nonsense counts as absent."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_WAIT_S else None


def _unreached(error: TransportError) -> CallFailedError:
    told = _broke_off(error)
    if error.fault is not Fault.CONNECT:
        return CallFailedError(told, error.fault.value, elsewhere=False)
    if not error.timed_out:
        told = bad_upstream("cannot be reached")
    return CallFailedError(told, "unreachable", elsewhere=True, again_s=-1.0)


def _broke_off(error: TransportError) -> ApiError:
    if error.timed_out or error.fault is Fault.TIMEOUT:
        return slow_upstream()
    return bad_upstream("broke off or does not speak HTTP")


def _rejected() -> ApiError:
    return ApiError(
        400,
        "upstream_rejected",
        "The model server refused the request: it may be too long for the model or ask for what it cannot do.",
    )


def _too_large(limit: int) -> ApiError:
    return bad_upstream(f"sent more than {limit:,} bytes")


def _resting() -> CallFailedError:
    error = ApiError(
        503, "upstream_unavailable", "The model server failed too often and is left alone.", retry_after_s=1
    )
    return CallFailedError(error, f"circuit_{Circuit.OPEN.value}", elsewhere=True, sent=False)


def _keyless() -> CallFailedError:
    error = ApiError(
        503, "upstream_unavailable", "The key of the model server cannot be had at the moment.", retry_after_s=1
    )
    return CallFailedError(error, "no_key", elsewhere=True, sent=False)


def _busy() -> CallFailedError:
    error = ApiError(503, "upstream_busy", "Too many requests wait for the model server.", retry_after_s=1)
    return CallFailedError(error, "busy", elsewhere=True, sent=False)
