"""The few pieces of HTTP that the gateway needs, on the ASGI 3 interface."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import suppress
from typing import cast

from lockgate.gateway.errors import ApiError, invalid

AsgiMessage = MutableMapping[str, object]
Scope = Mapping[str, object]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CERTIFICATE = "lockgate.certificate"
"""Key of the scope that holds the client certificate (DER) of the connection, or None."""

ABORT = "lockgate.abort"
"""Key of the scope that holds a function which ends the connection at once, whatever still waits to be sent."""


_PIECE = 256 << 10
_WRITE_S = 30.0
_DISCARDED = 64 << 20
_DISCARDS_S = 10.0


class DisconnectedError(Exception):
    """The caller left before its answer was complete."""


class TooLargeError(ApiError):
    """A body is larger than allowed: 413.

    Args:
        limit: Bytes that are allowed.
        unread: Whether more of it may be on its way.
    """

    def __init__(self, limit: int, *, unread: bool) -> None:
        super().__init__(413, "body_too_large", f"The body is larger than {limit:,} bytes.")
        self.unread = unread


class Responder:
    """Sends one response, whole or in pieces.

    Args:
        send: Where to.
        noted: Gives the headers about the request, as far as they are known when the response begins.
        write_s: Seconds in which the caller must take a quarter of a megabyte.

    Attributes:
        send: Where messages go.
        status: The status that was sent; 0 before.
        headers: More headers, for instance what is left of a limit. Add to it before the response begins.
        shape: Writes an error as a document.
        last_event: Writes an error as the last event of a stream that has begun.
    """

    def __init__(self, send: Send, noted: Callable[[], Headers], *, write_s: float = _WRITE_S) -> None:
        self.send = send
        self._write_s = write_s
        self._noted = noted
        self.status = 0
        self.headers: Headers = []
        self.shape: Callable[[ApiError], bytes] = ApiError.body
        self.last_event: Callable[[ApiError], bytes] = _data_event

    async def document(
        self,
        status: int,
        body: bytes | bytearray,
        *,
        extra: Headers | None = None,
        before_end: Awaitable[None] | None = None,
    ) -> None:
        """Send a whole JSON document; what `before_end` awaits stands between its last byte and the end.

        A long one goes as fast as the caller takes it, so that it is in memory no longer than the request is counted.

        Raises:
            DisconnectedError: The caller does not take it.
        """
        await self._start(status, [(b"content-length", str(len(body)).encode()), *(extra or [])], b"application/json")
        if len(body) > _PIECE:
            await self._in_pieces(body)
            body = b""
        if before_end is not None:
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
            await before_end
            body = b""
        await self.send({"type": "http.response.body", "body": body})

    async def _in_pieces(self, body: bytes | bytearray) -> None:
        try:
            for begin in range(0, len(body), _PIECE):
                async with asyncio.timeout(self._write_s):
                    piece = bytes(memoryview(body)[begin : begin + _PIECE])
                    await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError as error:
            raise DisconnectedError from error

    async def nothing(self, extra: Headers) -> None:
        """Send headers alone: 204."""
        await self._start(204, extra, b"")
        await self.send({"type": "http.response.body", "body": b""})

    async def refusal(self, error: ApiError, *, before_end: Awaitable[None] | None = None) -> None:
        """Send an error: as a document, or as the last event of a stream that has begun."""
        if self.status:
            await self.send({"type": "http.response.body", "body": self.last_event(error)})
            return
        await self.document(error.status, self.shape(error), extra=error.headers(), before_end=before_end)

    async def start_events(self) -> None:
        """Begin a stream of server-sent events, after which the connection is closed. No proxy shall collect them."""
        extra = [(b"connection", b"close"), (b"x-accel-buffering", b"no")]
        await self._start(200, extra, b"text/event-stream; charset=utf-8")

    async def end_events(self) -> None:
        """End the stream."""
        await self.send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, extra: Headers, media_type: bytes) -> None:
        self.status = status
        headers: Headers = [
            *([(b"content-type", media_type)] if media_type else []),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *self._noted(),
            *self.headers,
            *extra,
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})


def _data_event(error: ApiError) -> bytes:
    return b"data: " + error.body() + b"\n\n"


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a header that may appear once.

    Raises:
        ApiError: 400 when it appears twice, because then two readers may choose differently.
    """
    values = [value for key, value in cast("Headers", scope["headers"]) if key == name]
    if len(values) > 1:
        raise invalid("duplicate_header", f"The header {name.decode()} appears twice.")
    return values[0] if values else None


async def read_body(
    scope: Scope, receive: Receive, *, limit: int, within_s: float, paced: Callable[[int], Awaitable[float]]
) -> bytes:
    """Read a request body of at most `limit` bytes.

    Args:
        scope: The request.
        receive: Where the body comes from.
        limit: Its longest.
        within_s: Seconds that its sender may take.
        paced: Told the size of each piece, waits before the next, and gives the seconds, which do not count.

    Raises:
        TooLargeError: It is larger.
        ApiError: 408 when it takes longer than `within_s`, 400 when it is compressed.
        DisconnectedError: The caller left.
    """
    if (header(scope, b"content-encoding") or b"identity") != b"identity":
        raise invalid("invalid_encoding", "A compressed body is not supported.")
    announced = header(scope, b"content-length")
    if announced and announced.isdigit() and int(announced) > limit:
        raise TooLargeError(limit, unread=header(scope, b"expect") is None)  # who asks first is told by the answer
    try:
        async with asyncio.timeout(within_s) as time_left:
            return await _collect(receive, limit, paced, time_left)
    except TimeoutError as error:
        raise ApiError(408, "request_timeout", "The body did not arrive in time.") from error


async def _collect(
    receive: Receive, limit: int, paced: Callable[[int], Awaitable[float]], time_left: asyncio.Timeout
) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        piece = cast("bytes", message.get("body", b""))
        body += piece
        if len(body) > limit:
            raise TooLargeError(limit, unread=bool(message.get("more_body")))
        if (waited_s := await paced(len(piece))) and (until := time_left.when()) is not None:
            time_left.reschedule(until + waited_s)
        if not message.get("more_body"):
            return bytes(body)


async def discard(receive: Receive, *, paced: Callable[[int], Awaitable[float]]) -> None:
    """Read what is left of a body that is refused already, some 64 MiB of it and for ten seconds at most.

    A connection that is closed while its sender still writes is reset, and the answer is lost with it.
    """
    left = _DISCARDED
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARDS_S):
            while left > 0 and (message := await receive())["type"] != "http.disconnect":
                size = len(cast("bytes", message.get("body", b"")))
                left -= size
                if not message.get("more_body"):
                    return
                await paced(size)


async def while_connected(receive: Receive, work: Coroutine[object, object, None]) -> None:
    """Run `work` until it ends or the caller leaves, which cancels it.

    Raises:
        DisconnectedError: The caller left.
    """
    task = cast("asyncio.Task[object]", asyncio.current_task())
    watch = asyncio.ensure_future(_disconnect(receive))
    working, left = True, False

    def leave(_: object) -> None:
        nonlocal left
        if working:
            left = True
            task.cancel()

    watch.add_done_callback(leave)
    try:
        await work
    except asyncio.CancelledError:
        if left and not task.uncancel():
            raise DisconnectedError from None
        raise
    finally:
        working = False
        watch.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
