"""One connection to Redis on which commands of many requests travel together.

Commands that are sent in one turn of the event loop leave in one write, and replies come in the order of the commands
(RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/). This costs a fraction of a general client's
call, which takes a connection from a pool and waits for its reply.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import hiredis

from lockgate.gateway.limits.link_errors import LinkDownError, ReplyError

_MAX_PENDING = 20_000
_MAX_REPLY_BUFFER = 1 << 20
_GRACE_S = 0.02

Reply = bytes | int | list[bytes | int] | None


class Link(asyncio.Protocol):
    """A pipelined connection.

    Args:
        timeout_s: Seconds in which a reply must come; a later one ends the connection, because the order of replies is
            all that tells them apart.
        lost: Called once when the connection has ended.
    """

    def __init__(self, timeout_s: float, lost: Callable[[], None]) -> None:
        self._timeout_s = timeout_s
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=_reply_error)
        self._reader.setmaxbuf(_MAX_REPLY_BUFFER)
        self._pending: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._overdue: asyncio.Future[Reply] | None = None
        self._closed = False

    def send(self, *parts: str | bytes | float) -> "asyncio.Future[Reply]":
        """Send a command. The future gives its reply, or raises `ReplyError` or `LinkDownError`.

        Raises:
            LinkDownError: The connection has ended, or far too many commands wait for a reply.
        """
        if self._closed:
            raise LinkDownError("the connection has ended")
        if len(self._pending) >= _MAX_PENDING:
            raise LinkDownError("too many commands wait for a reply")
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(parts))
        future: asyncio.Future[Reply] = self._loop.create_future()
        self._pending.append((future, self._loop.time() + self._timeout_s))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._check)
        return future

    def close(self) -> None:
        """End the connection now; commands without a reply fail."""
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Give each reply to the command that it belongs to."""
        try:
            self._reader.feed(data)
            while (reply := cast("Reply | ReplyError | bool", self._reader.gets())) is not False:
                future, _ = self._pending.popleft()
                if future.done():
                    continue
                if isinstance(reply, ReplyError):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (hiredis.HiredisError, IndexError):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        del exc
        self._closed = True
        if self._watch:
            self._watch.cancel()
        for future, _ in self._pending:
            if not future.done():
                future.set_exception(LinkDownError("the connection broke off"))
        self._pending.clear()
        self._lost()

    def _flush(self) -> None:
        if self._transport and not self._closed:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _check(self) -> None:
        self._watch = None
        if not self._pending:
            return
        oldest, deadline = self._pending[0]
        if deadline > self._loop.time():
            self._watch = self._loop.call_at(deadline, self._check)
        elif oldest is self._overdue:
            self.close()
        else:
            # When it was this process that stood still, the reply may lie in the socket: read once more.
            self._overdue = oldest
            self._watch = self._loop.call_later(_GRACE_S, self._check)


def _reply_error(text: str) -> Exception:
    return ReplyError(text.partition(" ")[0][:40])
