"""How long a caller may keep the gateway busy: with a slow reader, and with a long answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from lockgate.core.config_limits import Patience
from lockgate.gateway.asgi import AsgiMessage, DisconnectedError, Send
from lockgate.gateway.errors import ApiError

_LOOKS = 4


class _Watch:
    """Looks now and then whether a write is stuck, which costs each write nothing but a note of the time."""

    def __init__(self, send: Send, write_s: float, scope: asyncio.Timeout) -> None:
        self._send = send
        self._write_s = write_s
        self._scope = scope
        self._loop = asyncio.get_running_loop()
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.stuck = False

    def start(self) -> None:
        """Begin to look."""
        self._timer = self._loop.call_later(self._write_s / _LOOKS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer:
            self._timer.cancel()

    async def send(self, message: AsgiMessage) -> None:
        """Send, and note since when."""
        self._since = self._loop.time()
        await self._send(message)
        self._since = 0.0

    def _look(self) -> None:
        now = self._loop.time()
        if self._since and now - self._since >= self._write_s:
            self.stuck = True
            self._scope.reschedule(now)
        else:
            self.start()


@asynccontextmanager
async def patient(send: Send, patience: Patience) -> AsyncGenerator[Send]:
    """A `send` for one answer, which ends in time.

    Args:
        send: Where messages go; it waits while the caller reads too slowly.
        patience: How long it may.

    Raises:
        DisconnectedError: The caller did not take what it was sent within `write_s` (or a quarter more).
        ApiError: 504 `stream_too_long`, the answer took longer than `stream_s`.
    """
    scope = asyncio.timeout(patience.stream_s)
    watch = _Watch(send, patience.write_s, scope)
    try:
        async with scope:
            watch.start()
            yield watch.send
    except TimeoutError as error:
        if not scope.expired():
            raise
        if watch.stuck:
            raise DisconnectedError from error
        raise ApiError(504, "stream_too_long", "The answer took longer than allowed here.") from error
    finally:
        watch.stop()
