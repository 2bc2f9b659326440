"""The guard runs beside the event loop, in a bounded number of threads, for a bounded time."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from lockgate.core import describe
from lockgate.gateway.errors import GUARD_ERROR, ApiError, guard_failed
from lockgate.guard import StreamBlockedError

T = TypeVar("T")

LONG = 16_384
"""Texts longer than this many characters wait for each other."""

_log = logging.getLogger(__name__)


class GuardPool:
    """Runs inspections; whatever goes wrong refuses the text.

    Long texts have a thread and a queue of their own, so that whoever sends them waits for others like them, and short
    ones go on. Work that outlives its time limit goes on in its thread and keeps its place until it ends, so abandoned
    work counts against the bound as well.

    Args:
        workers: Threads for short texts; by default the number of processors, at most 4.
        waiting: Short inspections that may wait for a thread: pieces of a thousand streams may come at once.
        long_waiting: Long inspections that may wait for theirs.
        limit_s: Seconds an inspection may take, waiting included.
    """

    def __init__(self, *, workers: int = 0, waiting: int = 1024, long_waiting: int = 8, limit_s: float = 2.0) -> None:
        threads = workers or min(4, os.cpu_count() or 1)
        self._short = _Lane(threads, waiting)
        self._long = _Lane(1, long_waiting)
        self._limit_s = limit_s

    @property
    def saturated(self) -> bool:
        """Whether the next inspection of a short text would be refused."""
        return self._short.full

    async def run(self, work: Callable[[], T], *, size: int = 0) -> T:
        """Run `work` in a thread.

        Args:
            work: What to do.
            size: About how many characters it looks at.

        Raises:
            ApiError: What `work` raised, or 503 when it crashed, took too long or found no room.
            StreamBlockedError: What `work` raised.
        """
        future = (self._long if size > LONG else self._short).submit(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._limit_s)
        except TimeoutError as error:
            raise guard_failed("guard.timeout") from error
        except (ApiError, StreamBlockedError):
            raise
        except Exception as error:
            _log.error("The guard erred: %s", describe(error))
            raise guard_failed(GUARD_ERROR) from error

    def close(self) -> None:
        """Take no more work; what runs may end."""
        self._short.close()
        self._long.close()


class _Lane:
    def __init__(self, workers: int, waiting: int) -> None:
        self._capacity = workers + waiting
        self._busy = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="lockgate-guard")

    @property
    def full(self) -> bool:
        return self._busy >= self._capacity

    def submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self.full:
                raise guard_failed("guard.overloaded")
            self._busy += 1
        try:
            future = self._executor.submit(work)
        except RuntimeError as error:
            self._release(None)
            raise guard_failed(GUARD_ERROR) from error
        future.add_done_callback(self._release)
        return future

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _release(self, _: Future[T] | None) -> None:
        with self._lock:
            self._busy -= 1
