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

_log = logging.getLogger(__name__)


class GuardPool:
    """Runs inspections; whatever goes wrong refuses the text.

    Work that outlives its time limit goes on in its thread and keeps its place until it ends, so abandoned work counts
    against the bound as well.

    Args:
        workers: Threads; by default the number of processors, at most 4.
        waiting: Inspections that may wait for a thread.
        limit_s: Seconds an inspection may take, waiting included.
    """

    def __init__(self, *, workers: int = 0, waiting: int = 32, limit_s: float = 2.0) -> None:
        self._workers = workers or min(4, os.cpu_count() or 1)
        self._capacity = self._workers + waiting
        self._limit_s = limit_s
        self._busy = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix="lockgate-guard")

    @property
    def saturated(self) -> bool:
        """Whether the next inspection would be refused."""
        return self._busy >= self._capacity

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread.

        Raises:
            ApiError: What `work` raised, or 503 when it crashed, took too long or found no room.
            StreamBlockedError: What `work` raised.
        """
        with self._lock:
            if self._busy >= self._capacity:
                raise guard_failed("guard.overloaded")
            self._busy += 1
        try:
            future = self._executor.submit(work)
        except RuntimeError as error:
            self._release(None)
            raise guard_failed(GUARD_ERROR) from error
        future.add_done_callback(self._release)
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
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _release(self, _: Future[T] | None) -> None:
        with self._lock:
            self._busy -= 1
