"""The guard runs beside the event loop, in a bounded number of threads, for a bounded time."""

import asyncio
import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from lockgate.core import describe
from lockgate.gateway.errors import GUARD_ERROR, ApiError, guard_failed
from lockgate.guard import StreamBlockedError

T = TypeVar("T")

LONG = 8_192
"""Texts longer than this many characters wait for each other."""

WAITS_S = 8.0
"""Seconds that an inspection may wait by default for those before it."""

_log = logging.getLogger(__name__)


class GuardPool:
    """Runs inspections; whatever goes wrong refuses the text.

    Long texts have threads and a queue of their own, so that whoever sends them waits for others like them, and short
    ones go on. In a queue callers take turns, and none may fill more than half of it, so that whoever sends much waits
    behind their own. Work that outlives its time limit goes on in its thread and keeps its place until it ends, so
    abandoned work counts against the bound as well.

    Args:
        workers: Threads for short texts; by default the number of processors, at most 4.
        waiting: Short inspections that may wait for a thread: pieces of a thousand streams may come at once.
        long_waiting: Long inspections that may wait for theirs.
        limit_s: Seconds an inspection may take.
        waits_s: Seconds more that it may take where all threads are at work when it comes.
    """

    def __init__(
        self,
        *,
        workers: int = 0,
        waiting: int = 2048,
        long_waiting: int = 64,
        limit_s: float = 2.0,
        waits_s: float = WAITS_S,
    ) -> None:
        threads = workers or min(4, os.cpu_count() or 1)
        self._short = _Lane(threads, waiting)
        self._long = _Lane(max(1, threads // 2), long_waiting)
        self._limit_s, self._waits_s = limit_s, waits_s

    @property
    def saturated(self) -> bool:
        """Whether the next inspection of a short text would be refused."""
        return self._short.full

    async def run(self, work: Callable[[], T], *, size: int = 0, whose: str = "") -> T:
        """Run `work` in a thread.

        Args:
            work: What to do.
            size: About how many characters it looks at.
            whose: The caller that it is done for.

        Raises:
            ApiError: What `work` raised, or 503 when it crashed, took too long or found no room.
            StreamBlockedError: What `work` raised.
        """
        lane = self._long if size > LONG else self._short
        limit_s = self._limit_s + (self._waits_s if lane.at_work else 0.0)
        future = lane.submit(work, whose)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit_s)
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


class _Work(Generic[T]):
    """A piece of work and its result."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.future: Future[T] = Future()
        self._call = call

    def do(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits decides what it means
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Lane:
    """Threads, and a queue in which callers take turns."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._workers = workers
        self._capacity = workers + waiting
        self._share = workers + max(1, waiting // 2)
        self._busy = 0
        self._queues: OrderedDict[str, deque[_Work[Any]]] = OrderedDict()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="lockgate-guard")

    @property
    def full(self) -> bool:
        return self._busy >= self._capacity

    @property
    def at_work(self) -> bool:
        """Whether the next piece of work has to wait."""
        return self._busy >= self._workers

    def submit(self, call: Callable[[], T], whose: str) -> Future[T]:
        work = _Work(call)
        with self._lock:
            queue = self._queues.setdefault(whose, deque())
            if self.full or len(queue) >= self._share:
                raise guard_failed("guard.overloaded")
            queue.append(work)
            self._busy += 1
        try:
            # Which piece of work a thread takes is decided when it is free, not now.
            self._executor.submit(self._next)
        except RuntimeError as error:
            with self._lock:
                queue.remove(work)
                self._busy -= 1
            raise guard_failed(GUARD_ERROR) from error
        return work.future

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            left = [work for queue in self._queues.values() for work in queue]
            self._queues.clear()
        for work in left:
            work.future.cancel()

    def _next(self) -> None:
        try:
            if (work := self._take()) is not None:
                work.do()
        finally:
            self._release()

    def _take(self) -> _Work[Any] | None:
        """The first piece of work of the caller whose turn it is; the caller goes to the end."""
        with self._lock:
            while self._queues:
                whose, queue = self._queues.popitem(last=False)
                if queue:
                    work = queue.popleft()
                    if queue:
                        self._queues[whose] = queue
                    return work
            return None

    def _release(self) -> None:
        with self._lock:
            self._busy -= 1
