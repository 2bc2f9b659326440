"""Which upstream answers which alias, what is tried again, and where."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec

from lockgate.core.config_upstreams import RetryConfig
from lockgate.gateway.errors import ApiError, bad_upstream
from lockgate.gateway.upstreams.breaker import RetryBudget
from lockgate.gateway.upstreams.dialect import CHAT, Call, Surface
from lockgate.gateway.upstreams.server import MAX_BYTES, CallFailedError, Exchange, Server, UpstreamState
from lockgate.gateway.upstreams.wire import UpstreamAnswer

_DONE = "[DONE]"
_LARGE_AT_ONCE = 2
_STREAM = "text/event-stream"
_DOCUMENT = "application/json"
_SPREAD = random.SystemRandom()


class Target(msgspec.Struct, frozen=True):
    """One place where an alias is answered: an upstream, and the name of the model there."""

    server: Server
    model: str


class Router:
    """Upstreams by alias. Every fault of theirs is an `ApiError` that quotes nothing from them.

    Args:
        routes: For each alias its targets, in the order in which they are tried.
        default: The alias that is meant where none is named.
        retries: What is tried again.
    """

    def __init__(self, routes: Mapping[str, Sequence[Target]], default: str, retries: RetryConfig) -> None:
        self._routes = {alias: tuple(targets) for alias, targets in routes.items()}
        self._default = default
        self._retries = retries
        self._budget = RetryBudget(retries)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._servers = tuple({id(t.server): t.server for ts in self._routes.values() for t in ts}.values())

    @property
    def model(self) -> str:
        """The name that the default alias's first target has for its model."""
        return self._routes[self._default][0].model

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every name that callers may use."""
        return tuple(self._routes)

    @property
    def open_for_traffic(self) -> bool:
        """Whether the default alias still takes requests."""
        return any(not target.server.transport.closed for target in self._routes[self._default])

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        return sum(server.in_flight for server in self._servers)

    @property
    def states(self) -> tuple[UpstreamState, ...]:
        """How each upstream is doing."""
        return tuple(server.state for server in self._servers)

    def provider(self, alias: str | None = None) -> str:
        """What kind of upstream an alias asks first."""
        return self._targets(alias)[0].server.dialect.provider

    async def complete(self, body: bytes, *, alias: str | None = None) -> UpstreamAnswer:
        """Ask for a whole chat completion.

        Args:
            body: The request in OpenAI's shape. Its `model` is replaced by the target's own name.
            alias: Who shall answer. Without it the default alias, and `body` is taken to name `model` already.

        Raises:
            ApiError: 404, there is no such alias. 400 or 429, the upstream refused. 502, it answered with something
                else than one message. 503, it is left alone or busy. 504, it did not answer in time.
        """
        exchange = await self._open(CHAT, body, alias, streams=False)
        try:
            content = bytes(await exchange.read())
        finally:
            exchange.close()
        return _blaming(exchange, content)

    @asynccontextmanager
    async def stream(self, body: bytes, *, alias: str | None = None) -> AsyncGenerator[AsyncIterator[UpstreamAnswer]]:
        """Ask for a chat completion in pieces. Entering waits for the upstream's headers.

        The iterator ends only after the upstream said that the answer is complete; a stream that stops before is an
        error.

        Raises:
            ApiError: As in `complete`, also while iterating.
        """
        exchange = await self._open(CHAT, body, alias, streams=True)
        try:
            yield _chunks(exchange)
        finally:
            exchange.close()

    @asynccontextmanager
    async def exchange(
        self, surface: Surface, body: bytes, *, alias: str | None = None, most: int = MAX_BYTES
    ) -> AsyncGenerator[bytearray]:
        """Ask another interface of OpenAI's (embeddings, completions, responses) for a whole document, to be read.

        An `ApiError` that ends the block counts as a failure of the upstream's. Of documents above 8 MiB there are two
        in memory at a time; others wait at the upstream until the block ends.

        Args:
            surface: Which interface.
            body: As in `complete`.
            alias: As in `complete`.
            most: Bytes that the document may have.

        Raises:
            ApiError: As in `complete`; 400 where the upstream has no such interface.
        """
        exchange = await self._open(surface, body, alias, streams=False)
        async with AsyncExitStack() as stack:
            stack.callback(exchange.close)
            content = await exchange.read(most=most, room=partial(stack.enter_async_context, self._large))
            exchange.close()
            try:
                yield content
            except ApiError as error:
                raise exchange.blame(error) from None

    @asynccontextmanager
    async def events(
        self, surface: Surface, body: bytes, *, alias: str | None = None
    ) -> AsyncGenerator[AsyncIterator[str]]:
        """Ask another interface of OpenAI's for a stream, given as the data of its events without `[DONE]`.

        Raises:
            ApiError: As in `exchange`, also while iterating. A stream of `responses` may end without `[DONE]`.
        """
        exchange = await self._open(surface, body, alias, streams=True)
        try:
            yield _data(exchange, needs_done=surface != "responses")
        finally:
            exchange.close()

    async def close(self) -> None:
        """Close every connection."""
        for server in self._servers:
            await server.transport.close()

    async def _open(self, surface: Surface, body: bytes, alias: str | None, *, streams: bool) -> Exchange:
        targets = self._targets(alias)
        self._budget.earn()
        failed: CallFailedError | None = None
        for number, target in enumerate(targets):
            if failed is not None and failed.sent:
                self._pay(failed, target.server, "fallback")
            try:
                # The body of the default alias names its first target's model as it came from the gateway's own hand.
                model = "" if alias is None and number == 0 else target.model
                return await self._ask(target.server, surface, body, model, streams=streams)
            except CallFailedError as error:
                if not error.elsewhere:
                    raise error.error from error
                failed = error
            except ApiError:
                if failed is None or number == 0:
                    raise  # this target has no way to say what is asked for
        assert failed is not None  # noqa: S101 - an alias has at least one target
        raise failed.error from failed

    async def _ask(self, server: Server, surface: Surface, body: bytes, model: str, *, streams: bool) -> Exchange:
        call = (await server.spoken()).call(surface, body, model, streams=streams)
        media_type = _STREAM if streams else _DOCUMENT
        for attempt in range(self._retries.attempts):
            try:
                return await self._send(server, call, media_type)
            except CallFailedError as error:
                pause = self._pause(error.again_s, attempt)
                if pause is None:
                    raise
                self._pay(error, server, "retry")
                await asyncio.sleep(pause)
        return await self._send(server, call, media_type)

    async def _send(self, server: Server, call: Call, media_type: str) -> Exchange:
        """Send, and once more over a new connection where the upstream had just closed the one that was kept."""
        try:
            return await server.send(call, media_type)
        except CallFailedError as error:
            if not error.stale:
                raise
            self._pay(error, server, "reconnect")
        return await server.send(call, media_type, fresh=True)

    def _pay(self, failed: CallFailedError, server: Server, kind: str) -> None:
        if not self._budget.spend():
            server.second_try("refused")
            raise failed.error from failed
        server.second_try(kind)

    def _pause(self, again_s: float | None, attempt: int) -> float | None:
        """Seconds before the same upstream is asked again; None where it is not."""
        if again_s is None or again_s > self._retries.max_wait_s:
            return None
        if again_s >= 0:
            return again_s
        return self._retries.backoff_s * 2**attempt * _SPREAD.uniform(0.5, 1.0)

    def _targets(self, alias: str | None) -> tuple[Target, ...]:
        targets = self._routes.get(self._default if alias is None else alias)
        if targets is None:
            raise ApiError(404, "model_not_found", "This model is not served here.", param="model")
        return targets


def _blaming(exchange: Exchange, content: bytes) -> UpstreamAnswer:
    try:
        return exchange.server.dialect.answer(content)
    except ApiError as error:
        raise exchange.blame(error) from None


async def _chunks(exchange: Exchange) -> AsyncGenerator[UpstreamAnswer]:
    pieces = exchange.server.dialect.pieces()
    async for events in exchange.events():
        for data in events:
            try:
                chunk = pieces.take(data)
            except ApiError as error:
                raise exchange.blame(error) from None
            if chunk is not None:
                yield chunk
            elif pieces.ended:
                return
    raise exchange.blame(bad_upstream("broke off in the middle of an answer"))


async def _data(exchange: Exchange, *, needs_done: bool) -> AsyncGenerator[str]:
    async for events in exchange.events():
        for data in events:
            if data == _DONE:
                return
            yield data
    if needs_done:
        raise exchange.blame(bad_upstream("broke off in the middle of an answer"))
