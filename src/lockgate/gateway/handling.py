"""What happens to a request once its caller is known: read, judged, sent, judged, answered."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.gateway.answer import GuardedStream, guarded_answer
from lockgate.gateway.asgi import Responder
from lockgate.gateway.caller import Caller
from lockgate.gateway.conversation import Conversation, Envelope, Reader
from lockgate.gateway.draft import Limits, prepare
from lockgate.gateway.errors import ApiError
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.judging import Judgement, labels_of
from lockgate.gateway.record import Record
from lockgate.gateway.request import read_json
from lockgate.gateway.routes import CHAT, COMPLETIONS, COUNT, EMBEDDINGS, GUARD, MESSAGES, MODERATIONS, RESPONSES
from lockgate.gateway.surfaces.chat_request import read_chat
from lockgate.gateway.surfaces.completions import read_completion
from lockgate.gateway.surfaces.embeddings import prepare_embedding, read_embedding, write_embedding
from lockgate.gateway.surfaces.messages_request import count_tokens, read_messages
from lockgate.gateway.surfaces.opinion import GUARD_MODEL, give_opinion, moderate
from lockgate.gateway.surfaces.responses_request import read_response
from lockgate.gateway.upstream import Upstream
from lockgate.guard import Guard

T = TypeVar("T")

_CONVERSATIONS: Mapping[str, Reader] = {
    CHAT: read_chat,
    COMPLETIONS: read_completion,
    MESSAGES: read_messages,
    RESPONSES: read_response,
}
# Up to here parsing takes less time than handing it to a thread and back would disturb.
_READ_AT_ONCE = 16 << 10


class Exchange(msgspec.Struct, frozen=True):
    """One request whose caller is known, and its body.

    Attributes:
        record: What is noted about it.
        caller: Who asks.
        body: The body as it came, bounded.
        responder: Where the answer goes.
    """

    record: Record
    caller: Caller
    body: bytes
    responder: Responder


class Handling:
    """Answers the routes that carry text.

    Args:
        serve: Limits of requests and answers.
        system_prompt: Put before every conversation.
        guard: Judges everything that goes in and out.
        pool: Where the guard runs.
        upstream: Where models answer.
    """

    def __init__(
        self,
        *,
        serve: ServeConfig,
        system_prompt: str,
        guard: Guard,
        pool: GuardPool,
        upstream: Upstream,
    ) -> None:
        self._limits = Limits(system_prompt=system_prompt, upstream_model=upstream.model, max_tokens=serve.max_tokens)
        self._default = serve.model_name
        self._guard = guard
        self._pool = pool
        self._upstream = upstream
        self._passing = frozenset[str](serve.unscanned)
        self._others = {
            COUNT: self._count,
            EMBEDDINGS: self._embed,
            GUARD: self._give_opinion,
            MODERATIONS: self._moderate,
        }

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request to one of the routes with a body.

        Raises:
            ApiError: The request is malformed or refused, the guard blocked or erred, or the upstream failed.
        """
        path = exchange.record.route
        if (read := _CONVERSATIONS.get(path)) is not None:
            await self._converse(exchange, read)
        else:
            await self._others[path](exchange)

    async def _converse(self, exchange: Exchange, read: Reader) -> None:
        record = exchange.record
        conversation = await self._read(exchange, lambda document: read(document, self._passing))
        alias = self._known(record, conversation.model)
        record.unscanned = conversation.unscanned
        outgoing, judgement = await self._guarded(record, partial(prepare, self._guard, conversation, self._limits))
        record.note(judgement)
        if conversation.streams:
            await self._stream(exchange, conversation, outgoing, alias)
            return
        answer = await self._upstream.complete(outgoing, alias=alias)
        judged, judgement = await self._guarded(record, partial(guarded_answer, self._guard, answer, record.id))
        record.note(judgement)
        writer = conversation.writer(Envelope.new(record.id, conversation.model))
        await exchange.responder.document(200, writer.whole(judged))

    async def _stream(self, exchange: Exchange, conversation: Conversation, outgoing: bytes, alias: str | None) -> None:
        record, responder = exchange.record, exchange.responder
        async with self._upstream.stream(outgoing, alias=alias) as chunks:
            writer = conversation.writer(Envelope.new(record.id, conversation.model))
            responder.last_event = writer.failure
            await responder.start_events()
            guarded = GuardedStream(self._guard, self._pool, writer, record.id)
            try:
                async with aclosing(guarded.relay(chunks)) as events:
                    async for event in events:
                        await responder.event(event)
            finally:
                record.guard_ms += guarded.guard_ms
                record.note(guarded.judgement)
        await responder.end_events()

    async def _count(self, exchange: Exchange) -> None:
        """Nothing travels, so there is nothing to judge."""
        model, tokens = await self._read(exchange, lambda document: count_tokens(document, self._passing))
        self._known(exchange.record, model)
        await exchange.responder.document(200, msgspec.json.encode({"input_tokens": tokens}))

    async def _embed(self, exchange: Exchange) -> None:
        record = exchange.record
        request = await self._read(exchange, read_embedding)
        alias = self._known(record, request.model)
        model = self._limits.upstream_model
        outgoing, judgement = await self._guarded(record, partial(prepare_embedding, self._guard, request, model))
        record.note(judgement)
        answer = await self._upstream.exchange("embeddings", outgoing, alias=alias)
        envelope = Envelope.new(record.id, request.model)
        body = await asyncio.to_thread(write_embedding, answer, request, envelope)
        await exchange.responder.document(200, body)

    async def _give_opinion(self, exchange: Exchange) -> None:
        record = exchange.record
        body, verdict = await self._guarded(
            record, lambda: give_opinion(self._guard, read_json(exchange.body), record.id)
        )
        record.note(Judgement(verdict.action, labels_of(verdict), verdict.score))
        record.model = GUARD_MODEL
        await exchange.responder.document(200, body)

    async def _moderate(self, exchange: Exchange) -> None:
        record = exchange.record
        body, judgement = await self._guarded(
            record, lambda: moderate(self._guard, read_json(exchange.body), record.id)
        )
        record.note(judgement)
        record.model = GUARD_MODEL
        await exchange.responder.document(200, body)

    async def _read(self, exchange: Exchange, read: Callable[[object], T]) -> T:
        def work() -> T:
            return read(read_json(exchange.body))

        return work() if len(exchange.body) <= _READ_AT_ONCE else await self._pool.run(work)

    def _known(self, record: Record, model: str) -> str | None:
        """The alias to ask for; None for the default one, which the body names by its upstream's name already."""
        if model not in self._upstream.aliases:
            raise ApiError(404, "model_not_found", "This model is not served here.", param="model")
        record.model = model
        return None if model == self._default else model

    async def _guarded(self, record: Record, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return await self._pool.run(work)
        finally:
            record.guard_ms += (time.perf_counter() - started) * 1000
