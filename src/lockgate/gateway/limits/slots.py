"""Requests in progress at the same time, and how fast the bodies of one caller may come beside others."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from lockgate.core.config_limits import Concurrency
from lockgate.gateway.limits.refusals import too_many_at_once

UPLOAD = 8e6
"""Bytes of bodies that one key may send a second while another key asks for something too."""

_AHEAD_S = 0.05
_BESIDE_S = 1.0
_MOST_DUE = 1_000


class Slots:
    """Counts requests in progress, of each key and of all.

    Attributes:
        total: Requests in progress.

    Args:
        settings: The limits.
        share: Into how many equal parts they are cut, of which this is one.
        clock: Seconds that never go back.
    """

    def __init__(self, settings: Concurrency, *, share: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._running: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._last = self._before = ("", float("-inf"))
        self.total = 0
        self.change(settings)

    def change(self, settings: Concurrency) -> None:
        """Apply other limits; who is in stays in."""
        self._per_key = max(1, settings.per_key // self._share)
        self._total = max(1, settings.total // self._share)

    def enter(self, key_id: str) -> "Place":
        """Begin a request, which ends with the context that this gives.

        Raises:
            LimitError: 429 when the key, 503 when everybody together has too many.
        """
        mine = self._running.get(key_id, 0)
        if mine >= self._per_key:
            raise too_many_at_once(mine=True)
        if self.total >= self._total:
            raise too_many_at_once(mine=False)
        self._running[key_id] = mine + 1
        self.total += 1
        if self._last[0] != key_id:
            self._before = self._last
        self._last = (key_id, self._clock())
        return Place(self, key_id)

    def leave(self, key_id: str) -> None:
        """End a request."""
        left = self._running[key_id] - 1
        if left:
            self._running[key_id] = left
        else:
            del self._running[key_id]
        self.total -= 1

    def wait_s(self, key_id: str, size: int) -> float:
        """Seconds to wait before more of a body is read, of which `size` bytes were.

        Nothing for a key that is alone. The rate is far above what can be guarded: it bounds what is refused at once,
        which costs the event loop time that everybody waits for.
        """
        now = self._clock()
        if not self._beside(key_id, now):
            return 0.0
        if len(self._due) > _MOST_DUE:
            self._due = {key: due for key, due in self._due.items() if due > now}
        due = self._due[key_id] = max(self._due.get(key_id, 0.0), now) + size / UPLOAD
        return max(0.0, due - now - _AHEAD_S)

    def _beside(self, key_id: str, now: float) -> bool:
        """Whether another key has a request in progress, or began one just now."""
        other = self._before if self._last[0] == key_id else self._last
        return self.total > self._running.get(key_id, 0) or now - other[1] < _BESIDE_S


class Place:
    """The place of one request in progress; use it as a context."""

    __slots__ = ("_key_id", "_slots")

    def __init__(self, slots: Slots, key_id: str) -> None:
        self._slots = slots
        self._key_id = key_id

    def __enter__(self) -> Self:
        return self

    async def paced(self, size: int) -> float:
        """Wait until more of the body may be read, of which `size` bytes were; gives how many seconds that took."""
        wait_s = self._slots.wait_s(self._key_id, size)
        if wait_s:
            await asyncio.sleep(wait_s)
        return wait_s

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slots.leave(self._key_id)
