"""What happens to a request once its caller is known: read, judged, sent, judged, answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import TypeVar, cast

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.gateway.answer import GuardedStream, guarded_answer
from lockgate.gateway.asgi import Responder
from lockgate.gateway.caller import Caller
from lockgate.gateway.conversation import Conversation, Envelope, Reader, Writer
from lockgate.gateway.draft import Draft, Limits, longest_answer, media_bytes, prepare, prepare_known
from lockgate.gateway.errors import ApiError
from lockgate.gateway.gatekeeper import Asked, Gatekeeper
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.judging import Judgement
from lockgate.gateway.limits.admission import Admission
from lockgate.gateway.limits.patience import patient
from lockgate.gateway.limits.plan import GUARD_MODEL
from lockgate.gateway.moderating import Moderation
from lockgate.gateway.record import Record
from lockgate.gateway.request import Json, read_json
from lockgate.gateway.routes import CHAT, COMPLETIONS, COUNT, EMBEDDINGS, GUARD, MESSAGES, MODERATIONS, RESPONSES
from lockgate.gateway.surfaces.chat_request import read_chat
from lockgate.gateway.surfaces.completions import read_completion
from lockgate.gateway.surfaces.embeddings import (
    EmbeddingRequest,
    Judged,
    judge_part,
    longest_embedding,
    parts,
    prepare_embedding,
    read_embedding,
    write_embedding,
    write_request,
)
from lockgate.gateway.surfaces.messages_request import count_tokens, read_messages
from lockgate.gateway.surfaces.opinion import give_opinion, moderate
from lockgate.gateway.surfaces.responses_request import read_response
from lockgate.gateway.unguarded import UNGUARDED, open_routes
from lockgate.gateway.upstream import Upstream, UpstreamAnswer, UpstreamMessage, Usage
from lockgate.guard import Guard, Known, Memory

T = TypeVar("T")

_CONVERSATIONS: Mapping[str, Reader] = {
    CHAT: read_chat,
    COMPLETIONS: read_completion,
    MESSAGES: read_messages,
    RESPONSES: read_response,
}
# Up to here parsing takes less time than handing it to a thread and back would disturb.
_READ_AT_ONCE = 16 << 10


_ACTIONS = {
    CHAT: "chat",
    COMPLETIONS: "completions",
    MESSAGES: "messages",
    COUNT: "messages",
    RESPONSES: "responses",
    EMBEDDINGS: "embeddings",
    GUARD: "guard",
    MODERATIONS: "guard",
}


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
        gatekeeper: Decides who may have what, before the guard works.
        moderation: Must agree to what travels after the guard did; None for nobody.
    """

    def __init__(
        self,
        *,
        serve: ServeConfig,
        system_prompt: str,
        guard: Guard,
        pool: GuardPool,
        upstream: Upstream,
        gatekeeper: Gatekeeper,
        moderation: Moderation | None = None,
    ) -> None:
        self._limits = Limits(
            system_prompt=system_prompt,
            upstream_model=upstream.model,
            max_tokens=serve.max_tokens,
            isolation=None if serve.isolation == "off" else serve.isolation,
            reversible=serve.reversible,
        )
        self._default = serve.model_name
        self._guard = guard
        self._memory = Memory()
        self._pool = pool
        self._upstream = upstream
        self._gatekeeper = gatekeeper
        self._moderation = moderation
        self._patience = serve.limits.patience
        self._passing = frozenset[str](serve.unscanned)
        self._fail_open = open_routes(serve)
        self._others = {
            COUNT: self._count,
            EMBEDDINGS: self._embed,
            GUARD: self._ask_guard,
            MODERATIONS: self._ask_guard,
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
        record.unscanned, record.streams = conversation.unscanned, conversation.streams
        asked = self._asked(exchange, conversation)
        with await self._admitted(exchange, asked) as admission:
            known = self._spared(exchange.caller)
            draft = await self._judged(
                exchange,
                asked,
                admission,
                lambda: self._guarded(
                    record,
                    partial(prepare, self._guard, conversation, self._limits, known),
                    size=len(exchange.body),
                ),
                unjudged=lambda: self._prepare_unjudged(exchange.body, read),
                recalled=partial(prepare_known, self._guard, conversation, self._limits, known),
            )
            writer = conversation.writer(Envelope.new(record.id, conversation.model))
            if conversation.streams:
                await self._stream(exchange, admission, writer, draft, alias)
                return
            answer = await self._upstream.complete(draft.body, alias=alias)
            _settle(record, admission, answer.usage)
            work = partial(guarded_answer, self._guard, answer, record.id, draft.way_back)
            judged, judgement = await self._unless_open(
                record,
                self._timed(record, self._pool.run_brief(work, size=_answer_size(answer), whose=record.key_id)),
                partial(guarded_answer, UNGUARDED, answer, record.id, draft.way_back),
            )
            record.note(judgement)
            if self._moderation is not None:
                await self._timed(record, self._moderation.judge_answer(judged))
            await exchange.responder.document(200, writer.whole(judged))

    async def _stream(
        self, exchange: Exchange, admission: Admission, writer: Writer, draft: Draft, alias: str | None
    ) -> None:
        record, responder = exchange.record, exchange.responder
        async with self._upstream.stream(draft.body, alias=alias) as chunks:
            responder.last_event = writer.failure
            await responder.start_events()
            guarded = GuardedStream(self._guard, self._pool, writer, record.id, draft.way_back, whose=record.key_id)
            if record.route in self._fail_open:
                guarded.when_unjudged = record.note_unjudged
            relayed = guarded.relay(chunks)
            if self._moderation is not None:
                relayed = self._moderation.events(guarded, relayed)
            try:
                async with patient(responder.send, self._patience) as send, aclosing(relayed) as events:
                    async for event in events:
                        await send({"type": "http.response.body", "body": event, "more_body": True})
                        record.first_token_s = record.first_token_s or guarded.begun * record.elapsed_s
            finally:
                record.guard_ms += guarded.guard_ms
                record.note(guarded.judgement)
                _settle(record, admission, guarded.usage)
        await responder.end_events()

    async def _count(self, exchange: Exchange) -> None:
        """Nothing travels, so there is nothing to judge."""
        conversation, tokens = await self._read(exchange, lambda document: count_tokens(document, self._passing))
        self._known(exchange.record, conversation.model)
        asked = msgspec.structs.replace(self._asked(exchange, conversation), max_tokens=0)
        with await self._admitted(exchange, asked) as admission:
            admission.settle(input_tokens=0, output_tokens=0)
            self._gatekeeper.confirm(asked, ())
            await exchange.responder.document(200, msgspec.json.encode({"input_tokens": tokens}))

    async def _embed(self, exchange: Exchange) -> None:
        record = exchange.record
        request = await self._read(exchange, read_embedding)
        alias = self._known(record, request.model)
        asked = self._asked(exchange)
        with await self._admitted(exchange, asked) as admission:
            model = self._limits.upstream_model
            draft = await self._judged(
                exchange,
                asked,
                admission,
                partial(self._judge_texts, record, request, model),
                unjudged=partial(prepare_embedding, UNGUARDED, request, model),
            )
            envelope = Envelope.new(record.id, request.model)
            most = longest_embedding(request)
            async with self._upstream.exchange("embeddings", draft.body, alias=alias, most=most) as answer:
                body, usage = await asyncio.to_thread(write_embedding, answer, request, envelope)
            _settle(record, admission, usage)
            await exchange.responder.document(200, body)

    async def _judge_texts(self, record: Record, request: EmbeddingRequest, model: str) -> Draft:
        """A part at a time, so that however many texts there are, others have their turn in between."""
        judged: list[Judged] = []
        for part in parts(request):
            work = partial(judge_part, self._guard, part)
            judged.append(await self._guarded(record, work, size=sum(map(len, part))))
        return await asyncio.to_thread(write_request, request, model, judged)

    async def _ask_guard(self, exchange: Exchange) -> None:
        """`POST /v1/guard` and `POST /v1/moderations`: a verdict is the answer, so a block is no error."""
        record = exchange.record
        give = give_opinion if record.route == GUARD else moderate
        record.model = GUARD_MODEL
        asked = self._asked(exchange)
        with await self._admitted(exchange, asked) as admission:
            admission.settle(input_tokens=0, output_tokens=0)
            work = partial(_opinion, give, self._guard, exchange.body, record.id)
            body, judgement = await self._guarded(record, work, size=len(exchange.body))
            record.note(judgement)
            self._gatekeeper.confirm(asked, judgement.labels)
            await exchange.responder.document(200, body)

    def _asked(self, exchange: Exchange, conversation: Conversation | None = None) -> Asked:
        record = exchange.record
        action = _ACTIONS[record.route]
        shape = "anthropic" if action == "messages" else "openai"
        if conversation is None:
            return Asked(action=action, caller=exchange.caller, model=record.model, body=exchange.body, shape=shape)
        return Asked(
            action=action,
            caller=exchange.caller,
            model=record.model,
            body=exchange.body,
            shape=shape,
            tools=tuple(_tool_names(conversation.document)),
            streams=conversation.streams,
            unscanned=len(conversation.unscanned),
            media_bytes=media_bytes(conversation.document) if conversation.unscanned else 0,
            messages=len(cast("list[Json]", conversation.document["messages"])),
            max_tokens=longest_answer(conversation.document, self._limits),
        )

    async def _admitted(self, exchange: Exchange, asked: Asked) -> Admission:
        admission = await self._gatekeeper.admit(asked)
        exchange.responder.headers += admission.headers()
        return admission

    async def _judged(
        self,
        exchange: Exchange,
        asked: Asked,
        admission: Admission,
        attempt: Callable[[], Awaitable[Draft]],
        *,
        unjudged: Callable[[], Draft],
        recalled: Callable[[], Draft | None] | None = None,
    ) -> Draft:
        """What may travel. Where nothing may, nothing was used."""
        record = exchange.record
        try:
            # What is known takes less time than handing it to a thread.
            draft = recalled() if recalled is not None and len(exchange.body) <= _READ_AT_ONCE else None
            if draft is None:
                draft = await self._unless_open(record, attempt(), unjudged)
            record.note(draft.judgement)
            self._gatekeeper.confirm(asked, None if record.unjudged else draft.judgement.labels)
            if self._moderation is not None:
                await self._timed(record, self._moderation.judge_request(draft.slots))
        except ApiError:
            admission.settle(input_tokens=0, output_tokens=0)
            raise
        return draft

    async def _read(self, exchange: Exchange, read: Callable[[object], T]) -> T:
        def work() -> T:
            return read(read_json(exchange.body))

        size = len(exchange.body)
        if size <= _READ_AT_ONCE:
            return work()
        try:
            return await self._pool.run(work, size=size, whose=exchange.caller.key_id)
        except ApiError as error:
            if not self._fails_open(exchange.record, error):
                raise
        return await asyncio.to_thread(work)  # whether it is judged, the guard has yet to show

    async def _unless_open(self, record: Record, attempt: Awaitable[T], otherwise: Callable[[], T]) -> T:
        """What `attempt` gives; where the guard failed and this route goes on without it, what `otherwise` gives."""
        try:
            return await attempt
        except ApiError as error:
            if not self._fails_open(record, error):
                raise
            record.note_unjudged(error)
        return await asyncio.to_thread(otherwise)

    def _fails_open(self, record: Record, error: ApiError) -> bool:
        return error.unjudged and record.route in self._fail_open

    def _prepare_unjudged(self, body: bytes, read: Reader) -> Draft:
        """From the body once more: the guard may still be changing what was read of it."""
        limits = msgspec.structs.replace(self._limits, reversible=False)
        return prepare(UNGUARDED, read(read_json(body), self._passing), limits)

    def _spared(self, caller: Caller) -> Known:
        return Known(self._memory, f"{caller.tenant}\n{caller.key_id}")

    def _known(self, record: Record, model: str) -> str | None:
        """The alias to ask for; None for the default one, which the body names by its upstream's name already."""
        if model not in self._upstream.aliases:
            raise ApiError(404, "model_not_found", "This model is not served here.", param="model")
        record.model = model
        record.provider = self._upstream.provider(model)
        return None if model == self._default else model

    async def _guarded(self, record: Record, work: Callable[[], T], *, size: int) -> T:
        return await self._timed(record, self._pool.run(work, size=size, whose=record.key_id))

    async def _timed(self, record: Record, judging: Awaitable[T]) -> T:
        started = time.perf_counter()
        try:
            return await judging
        finally:
            record.guard_ms += (time.perf_counter() - started) * 1000


def _opinion(
    give: Callable[[Guard, object, str], tuple[bytes, Judgement]], guard: Guard, body: bytes, request_id: str
) -> tuple[bytes, Judgement]:
    return give(guard, read_json(body), request_id)


def _tool_names(document: Json) -> Iterator[str]:
    for tool in cast("list[dict[str, Json]]", document.get("tools", [])):
        yield cast("str", tool["function"]["name"])


def _answer_size(answer: UpstreamAnswer) -> int:
    """Characters that the guard has to look at."""
    message = answer.choices[0].message or UpstreamMessage()
    calls = [call.function for call in message.tool_calls or ()]
    return len(message.content or "") + sum(len(call.name or "") + len(call.arguments or "") for call in calls)


def _settle(record: Record, admission: Admission, usage: Usage | None) -> None:
    """Count what was used. Where the upstream does not say, the estimate stands."""
    if usage is not None:
        record.tokens = (usage.prompt_tokens, usage.completion_tokens)
        admission.settle(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)
