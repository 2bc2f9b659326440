"""The ASGI application: who may ask, what may be asked, and what comes back."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar, cast

import msgspec

from lockgate.core import describe
from lockgate.core.config import ServeConfig
from lockgate.gateway.answer import Envelope, GuardedStream, guarded_answer
from lockgate.gateway.asgi import DisconnectedError, Receive, Responder, Scope, Send, header, read_body, while_connected
from lockgate.gateway.draft import Limits, prepare
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.judging import Judgement
from lockgate.gateway.keys import Verifier
from lockgate.gateway.record import Record
from lockgate.gateway.request import ChatRequest, parse
from lockgate.gateway.upstream import Upstream
from lockgate.guard import Guard
from lockgate.monitor import EventStore

T = TypeVar("T")

_log = logging.getLogger(__name__)
_ROUTES = {"/v1/chat/completions": "POST", "/v1/models": "GET", "/livez": "GET", "/readyz": "GET"}
_MODEL_ROUTE = "/v1/models/{id}"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_MAX_IN_FLIGHT = 128
_CLIENT_LEFT = 499


class Gateway:
    """A guarded, OpenAI-compatible endpoint for one application.

    Args:
        serve: Limits of requests and answers.
        system_prompt: Put before every conversation.
        guard: Judges everything that goes in and out.
        pool: Where the guard runs.
        upstream: Where the model answers.
        verifier: Knows the callers' keys.
        store: Takes an event for every request; None for none.
        source: What events say about who causes the traffic: `serve`, `serve-observe` or `redteam`.
    """

    def __init__(
        self,
        *,
        serve: ServeConfig,
        system_prompt: str,
        guard: Guard,
        pool: GuardPool,
        upstream: Upstream,
        verifier: Verifier,
        store: EventStore | None,
        source: str,
    ) -> None:
        self._serve = serve
        self._limits = Limits(system_prompt=system_prompt, upstream_model=upstream.model, max_tokens=serve.max_tokens)
        self._guard = guard
        self._pool = pool
        self._upstream = upstream
        self._verifier = verifier
        self._store = store
        self._source = source
        self._in_flight = 0
        self._started = int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens: a fault here is a 500 without a traceback."""
        record = Record.new()
        responder = Responder(send, record.id)
        self._in_flight += 1
        status = _CLIENT_LEFT
        try:
            await self._answer(record, scope, receive, responder)
            status = responder.status
        except ApiError as error:
            record.note_error(error)
            await responder.refusal(error)
            status = responder.status
        except DisconnectedError:
            record.note_error(ApiError(_CLIENT_LEFT, "client_left", "The caller left."))
        except asyncio.CancelledError:
            record.note_error(ApiError(503, "shutting_down", "The gateway is shutting down."))
            raise
        except Exception as error:  # noqa: BLE001 - a caller never sees a traceback
            _log.error("%s failed: %s", record.id, describe(error))
            failure = ApiError(500, "internal_error", "The gateway failed. Its log has the request id.")
            record.note_error(failure)
            await responder.refusal(failure)
            status = responder.status
        finally:
            self._in_flight -= 1
            record.finish(status, source=self._source, store=self._store)

    async def _answer(self, record: Record, scope: Scope, receive: Receive, responder: Responder) -> None:
        path, method = cast("str", scope["path"]), cast("str", scope["method"])
        record.method = method if method in _METHODS else "-"
        record.route = path if path in _ROUTES else _MODEL_ROUTE if path.startswith("/v1/models/") else "-"
        if record.route == "-":
            raise ApiError(404, "unknown_url", "There is nothing at this address.")
        allowed = _ROUTES.get(record.route, "GET")
        if method != allowed:
            raise ApiError(405, "method_not_allowed", f"This address answers to {allowed} only.", allow=allowed)
        match record.route:
            case "/livez":
                await responder.document(200, b'{"status":"ok"}')
            case "/readyz":
                await self._ready(responder)
            case "/v1/chat/completions":
                self._authenticate(record, scope)
                await self._chat(record, scope, receive, responder)
            case _:
                self._authenticate(record, scope)
                await self._models(path.removeprefix("/v1/models").removeprefix("/"), responder)

    def _authenticate(self, record: Record, scope: Scope) -> None:
        scheme, _, key = (header(scope, b"authorization") or b"").decode("latin-1").partition(" ")
        try:
            key_id = self._verifier.verify(key.strip()) if scheme.lower() == "bearer" else None
        except GatewayError as error:
            _log.error("API keys cannot be verified: %s", error)
            raise ApiError(503, "keys_unavailable", "API keys cannot be verified at the moment.") from error
        if key_id is None:
            raise ApiError(401, "invalid_api_key", "The API key is missing or wrong. Send 'Authorization: Bearer KEY'.")
        record.key_id = key_id

    async def _ready(self, responder: Responder) -> None:
        faults = {
            "upstream": not self._upstream.open_for_traffic,
            "guard": self._pool.saturated,
            "events": self._store is not None and not self._store.healthy,
        }
        bad = [name for name, fault in faults.items() if fault]
        document = {"status": "not ready", "because": bad} if bad else {"status": "ok"}
        await responder.document(503 if bad else 200, msgspec.json.encode(document))

    async def _models(self, name: str, responder: Responder) -> None:
        model = {"id": self._serve.model_name, "object": "model", "created": self._started, "owned_by": "lockgate"}
        if not name:
            await responder.document(200, msgspec.json.encode({"object": "list", "data": [model]}))
        elif name == self._serve.model_name:
            await responder.document(200, msgspec.json.encode(model))
        else:
            raise ApiError(404, "model_not_found", "This model is not served here.", param="model")

    async def _chat(self, record: Record, scope: Scope, receive: Receive, responder: Responder) -> None:
        if self._in_flight > _MAX_IN_FLIGHT:
            raise ApiError(503, "overloaded", "Too many requests are in progress.", retry_after_s=1)
        body = await read_body(scope, receive, limit=self._serve.max_body_bytes)
        await while_connected(receive, self._converse(record, body, responder))

    async def _converse(self, record: Record, body: bytes, responder: Responder) -> None:
        request, outgoing, judgement = await self._guarded(record, partial(self._prepare, body))
        record.model = self._serve.model_name
        record.note(judgement)
        envelope = Envelope.new(record.id, self._serve.model_name)
        if request.streams:
            await self._stream(record, request, outgoing, envelope, responder)
            return
        answer = await self._upstream.complete(outgoing)
        document, judgement = await self._guarded(record, partial(guarded_answer, self._guard, answer, envelope))
        record.note(judgement)
        await responder.document(200, document)

    def _prepare(self, body: bytes) -> tuple[ChatRequest, bytes, Judgement]:
        request = parse(body, model_name=self._serve.model_name)
        return (request, *prepare(self._guard, request, self._limits))

    async def _guarded(self, record: Record, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return await self._pool.run(work)
        finally:
            record.guard_ms += (time.perf_counter() - started) * 1000

    async def _stream(
        self, record: Record, request: ChatRequest, outgoing: bytes, envelope: Envelope, responder: Responder
    ) -> None:
        async with self._upstream.stream(outgoing) as chunks:
            await responder.start_events()
            guarded = GuardedStream(self._guard, self._pool, envelope, with_usage=request.wants_usage)
            try:
                async with aclosing(guarded.relay(chunks)) as events:
                    async for event in events:
                        await responder.event(event)
            finally:
                record.guard_ms += guarded.guard_ms
                record.note(guarded.judgement)
        await responder.end_events()
