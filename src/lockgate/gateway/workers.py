"""Several worker processes on one socket: started together, replaced when one dies, told and asked together."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

from lockgate.gateway.control import Answer, Order, hear, tell
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.live import Spec
from lockgate.gateway.telemetry.registry import Family, merge
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.server import UpstreamState

_START_S = 120.0
_ASK_S = 30.0
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 10.0
_log = logging.getLogger(__name__)


class _Worker:
    """One process and the line to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def start(cls, listener: socket.socket) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "lockgate.gateway.worker",
                str(theirs.fileno()),
                str(listener.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), listener.fileno()),
            )
        return cls(process, *await asyncio.open_connection(sock=ours))

    async def ask(self, order: Order, *, within_s: float = _ASK_S) -> Answer:
        """Give an order and wait for its answer.

        Raises:
            GatewayError: It died, or did not answer in time.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(within_s):
                    await tell(self._writer, order)
                    answer = await hear(self._reader, Answer)
            except (TimeoutError, ConnectionError) as error:
                # Its late answer would be taken for the one to the next order. Without the line it ends in good order.
                self._writer.close()
                raise GatewayError("A worker did not answer.", remedy="Its own messages may say why.") from error
        if answer is None:
            raise GatewayError("A worker ended unasked.", remedy="Its own messages may say why.")
        return answer

    async def stop(self, drain_s: float) -> None:
        """Let it end its requests, then end it."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(drain_s + 5):
                await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self._writer.close()


class Workers:
    """The processes behind one endpoint. It is a `Site`.

    Args:
        count: How many there are.
        listener: Where callers connect; every worker inherits it.
        spec: What they are made from.
        endpoints: Where the upstreams answer that run in processes of ours.
    """

    def __init__(self, count: int, listener: socket.socket, spec: Spec, endpoints: Mapping[str, Endpoint]) -> None:
        self._listener = listener
        self._order = Order("load", spec, dict(endpoints), count)
        self._workers: list[_Worker] = []
        self._watchers: list[asyncio.Task[None]] = []

    @classmethod
    @asynccontextmanager
    async def start(
        cls, count: int, listener: socket.socket, spec: Spec, endpoints: Mapping[str, Endpoint]
    ) -> AsyncGenerator[Self]:
        """Start `count` workers, and end them after their requests when the block ends.

        Raises:
            GatewayError: One of them cannot start.
        """
        site = cls(count, listener, spec, endpoints)
        try:
            site._workers = list(await asyncio.gather(*(site._begin() for _ in range(count))))
            site._watchers = [asyncio.create_task(site._watch(number)) for number in range(count)]
            yield site
        finally:
            for watcher in site._watchers:
                watcher.cancel()
            listener.close()  # so that the kernel queues no more callers while the workers end
            await asyncio.gather(*site._watchers, return_exceptions=True)
            await asyncio.gather(*(worker.stop(spec.serve.drain_s) for worker in site._workers))

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(worker.process.pid for worker in self._workers)

    async def load(self, spec: Spec, endpoints: Mapping[str, Endpoint]) -> None:
        """Put other settings in force in every worker, or in none.

        A worker that dies meanwhile does not count: the one that takes its place begins with what is in force then.

        Raises:
            GatewayError: A worker refused them, or none answered.
        """
        before, order = self._order, Order("load", spec, dict(endpoints), self._order.workers)
        asked = tuple(self._workers)
        answers = await self._ask_each(asked, order)
        refused = next((answer for answer in answers.values() if answer.problem), None)
        if refused is None and answers:
            self._order = order
            await self._ask_each([worker for worker in self._workers if worker not in asked], order)
            return
        await self._ask_each([worker for worker, answer in answers.items() if not answer.problem], before)
        if refused is None:
            raise GatewayError("No worker answered.", remedy="Their own messages may say why.")
        raise GatewayError(refused.problem, remedy=refused.remedy)

    async def families(self) -> list[Family]:
        """Every metric, all workers together; one that is being replaced is left out."""
        return merge([answer.families for answer in await self._ask_all(Order("metrics"))])

    async def states(self) -> list[tuple[UpstreamState, ...]]:
        """How upstreams are doing, for each worker."""
        return [answer.upstreams for answer in await self._ask_all(Order("upstreams"))]

    async def _ask_all(self, order: Order) -> list[Answer]:
        return list((await self._ask_each(self._workers, order)).values())

    async def _ask_each(self, workers: Sequence[_Worker], order: Order) -> dict[_Worker, Answer]:
        """What workers answer; one that is gone is left out."""
        said = await asyncio.gather(*(worker.ask(order) for worker in workers), return_exceptions=True)
        return {worker: one for worker, one in zip(workers, said, strict=True) if isinstance(one, Answer)}

    async def _begin(self) -> _Worker:
        worker = await _Worker.start(self._listener)
        order, answer = None, Answer()
        try:
            while order is not self._order and not answer.problem:  # others may have come into force while it started
                order = self._order
                answer = await worker.ask(order, within_s=_START_S)
        except BaseException:
            await worker.stop(0)
            raise
        if answer.problem:
            await worker.stop(0)
            raise GatewayError(answer.problem, remedy=answer.remedy)
        return worker

    async def _watch(self, number: int) -> None:
        """Start another process whenever this one dies, and more slowly the sooner it does."""
        clock = asyncio.get_running_loop().time
        pause, born = _PAUSE_S, clock()
        while True:
            code = await self._workers[number].process.wait()
            pause = _PAUSE_S if clock() - born > _STEADY_S else min(pause * 2, _LONGEST_PAUSE_S)
            _log.error("A worker ended unasked (code %d); another takes its place in %.1f s.", code, pause)
            await asyncio.sleep(pause)
            try:
                self._workers[number] = await self._begin()
            except GatewayError as error:
                _log.error("A worker could not be started: %s", error)
            born = clock()
