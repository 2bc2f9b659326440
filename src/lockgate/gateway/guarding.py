"""The guard runs beside the event loop, in a bounded number of threads, for a bounded time."""

import asyncio
import logging
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from lockgate.core import describe
from lockgate.gateway.errors import GUARD_ERROR, ApiError, guard_failed
from lockgate.guard import StreamBlockedError

T = TypeVar("T")

LONG = 8_192
"""Texts longer than this many characters wait for each other."""

BRIEF = 1_024
"""Characters up to which an answer, or a piece of one, may be judged on the event loop."""

WAITS_S = 8.0
"""Seconds that an inspection may wait by default for those before it."""

# A guard computes in Python at first, where two of them would only take turns, hundreds of times a second; what takes
# longer than this has mostly reached the encoder, which runs beside others.
_ALONE_S = 0.003
# A thread and back costs a fifth of this.
_BRIEF_S = 0.0005
# Seconds a character. The first few dozen answers go to threads: patterns are compiled when they are first used.
_FIRST_RATE, _WORST_RATE = 1e-5, 3e-6
_FORGETS = 0.98
_SMALL = 256
_IDLE_S = 1.0

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
        self._rate = _FIRST_RATE

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
        loop = asyncio.get_running_loop()
        task = _Work(work, loop)
        lane.submit(task, whose)
        timer = loop.call_later(limit_s, task.give_up)
        try:
            return await task.done
        except (ApiError, StreamBlockedError):
            raise
        except Exception as error:
            if task.given_up:
                raise guard_failed("guard.timeout") from error
            raise _crashed(error) from error
        finally:
            timer.cancel()

    async def run_brief(self, work: Callable[[], T], *, size: int, whose: str = "") -> T:
        """Run `work` here and now where that is quicker than a thread and delays nobody, else as `run` does.

        Here means up to `BRIEF` characters, and only as many as took half a millisecond at the worst rate that was seen
        lately. So once in a while the event loop is late by what `BRIEF` of the costliest characters take, some two
        milliseconds, and the next fifty or so go to threads.

        Args:
            work: What to do: no model runs in it, and its time is linear in `size`.
            size: At least how many characters it looks at.
            whose: The caller that it is done for.

        Raises:
            ApiError: As in `run`.
            StreamBlockedError: What `work` raised.
        """
        self._rate *= _FORGETS
        if size > BRIEF or size * self._rate > _BRIEF_S or self._short.closed:
            return await self.run(work, size=size, whose=whose)
        began = time.thread_time()
        try:
            return work()
        except (ApiError, StreamBlockedError):
            raise
        except Exception as error:
            raise _crashed(error) from error
        finally:
            rate = (time.thread_time() - began) / max(size, _SMALL)
            self._rate = max(self._rate, min(rate, _WORST_RATE))

    def close(self) -> None:
        """Take no more work; what runs may end."""
        self._short.close()
        self._long.close()


def _crashed(error: Exception) -> ApiError:
    _log.error("The guard erred: %s", describe(error))
    return guard_failed(GUARD_ERROR)


class _Work(Generic[T]):
    """A piece of work and, on the event loop, its result."""

    __slots__ = ("_call", "_loop", "done", "given_up")

    def __init__(self, call: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self._call = call
        self._loop = loop
        self.done: asyncio.Future[T] = loop.create_future()
        self.given_up = False

    def give_up(self) -> None:
        """Wait no longer."""
        if not self.done.done():
            self.given_up = True
            self.done.set_exception(TimeoutError())

    def cancel(self) -> None:
        """Tell whoever waits that it will not be done."""
        self._tell(self.done.cancel)

    def do(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if self.done.done():
            return
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - whoever waits decides what it means
            self._tell(self._fail, error)
        else:
            self._tell(self._succeed, result)

    def _tell(self, call: Callable[..., object], *values: object) -> None:
        with suppress(RuntimeError):  # the loop has ended, so nobody waits
            self._loop.call_soon_threadsafe(call, *values)

    def _succeed(self, result: T) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Lane:
    """Threads, and a queue in which callers take turns. A thread that finds nothing to do for a second ends."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._workers = workers
        self._capacity = workers + waiting
        self._share = workers + max(1, waiting // 2)
        self._busy = 0
        self._threads = 0
        self._queues: OrderedDict[str, deque[_Work[Any]]] = OrderedDict()
        self._tokens: SimpleQueue[None] = SimpleQueue()  # one for each piece of work that waits
        self._began: list[float] = []
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self.closed = False

    @property
    def full(self) -> bool:
        return self._busy >= self._capacity

    @property
    def at_work(self) -> bool:
        """Whether the next piece of work has to wait."""
        return self._busy >= self._workers

    def submit(self, work: _Work[Any], whose: str) -> None:
        with self._lock:
            if self.closed:
                raise guard_failed(GUARD_ERROR)
            queue = self._queues.get(whose)
            if self.full or (queue is not None and len(queue) >= self._share):
                raise guard_failed("guard.overloaded")
            if queue is None:
                queue = self._queues[whose] = deque()
            queue.append(work)
            self._busy += 1
            more = self._threads < min(self._busy, self._workers)
            self._threads += more
        self._tokens.put(None)
        if more:
            self._start(work)

    def close(self) -> None:
        with self._lock:
            self.closed = True
            left = [work for queue in self._queues.values() for work in queue]
            self._queues.clear()
            self._busy -= len(left)
            self._ended.notify_all()
            for _ in range(self._threads):
                self._tokens.put(None)
        for work in left:
            work.cancel()

    def _start(self, work: _Work[Any]) -> None:
        try:
            # No daemon: a process that ends while the guard computes would be aborted.
            threading.Thread(target=self._serve, name="lockgate-guard", daemon=False).start()
        except RuntimeError as error:
            with self._lock:
                self._threads -= 1
            work.done.cancel()  # it keeps its place in the queue until a thread passes over it
            raise guard_failed(GUARD_ERROR) from error

    def _serve(self) -> None:
        while self._wait():
            work, began = self._take()
            try:
                if work is not None:
                    work.do()
            finally:
                if work is not None:
                    self._release(began)
                del work  # what it held is not to stay until the next one comes

    def _wait(self) -> bool:
        """Wait for work; False when this thread is needed no more."""
        while True:
            with suppress(Empty):
                self._tokens.get(timeout=_IDLE_S)
                if not self.closed:
                    return True
            with self._lock:
                if self.closed or self._busy < self._threads:
                    self._threads -= 1
                    return False

    def _take(self) -> tuple[_Work[Any] | None, float]:
        """The first piece of work of the caller whose turn it is, who goes to the end; and when it was taken."""
        with self._lock:
            while (wait_s := self._others_alone_s()) > 0 and not self.closed:
                self._ended.wait(wait_s)
            began = time.monotonic()
            while self._queues:
                whose, queue = self._queues.popitem(last=False)
                work = queue.popleft()
                if queue:
                    self._queues[whose] = queue
                self._began.append(began)
                return work, began
            return None, began

    def _others_alone_s(self) -> float:
        """Seconds that whoever began last goes on alone."""
        return self._began[-1] + _ALONE_S - time.monotonic() if self._began else 0.0

    def _release(self, began: float) -> None:
        with self._lock:
            self._busy -= 1
            self._began.remove(began)
            self._ended.notify()
