"""The ASGI application: who may ask, what may be asked, and what comes back."""

import asyncio
import logging
import time
from typing import cast

import msgspec

from lockgate.core import describe
from lockgate.core.config import ServeConfig
from lockgate.core.config_upstreams import RemoteUpstream
from lockgate.gateway.asgi import (
    ABORT,
    CERTIFICATE,
    DisconnectedError,
    Headers,
    Receive,
    Responder,
    Scope,
    Send,
    TooLargeError,
    discard,
    header,
    read_body,
    while_connected,
)
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.refusal import Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError
from lockgate.gateway.gatekeeper import Gatekeeper
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.handling import Exchange, Handling
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.moderating import Moderation
from lockgate.gateway.openapi import openapi_document
from lockgate.gateway.record import Record
from lockgate.gateway.request import Json
from lockgate.gateway.routes import MODEL, MODELS, OPENAPI, READY, find_route
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.telemetry.trace_parent import own_span, trace_parent
from lockgate.gateway.upstream import Upstream
from lockgate.gateway.upstreams.opening import declared
from lockgate.gateway.upstreams.passed_trace import PASSED_TRACE
from lockgate.guard import Guard
from lockgate.monitor import EventStore, utc_now

_log = logging.getLogger(__name__)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_CLIENT_LEFT = 499
_CLOSE = (b"connection", b"close")


class Gateway:
    """A guarded endpoint for one application, in the shapes of OpenAI's and Anthropic's clients.

    Args:
        serve: Limits of requests and answers.
        system_prompt: Put before every conversation.
        guard: Judges everything that goes in and out.
        pool: Where the guard runs.
        upstream: Where the model answers.
        store: Takes an event for every request; None for none.
        source: What events say about who causes the traffic: `serve`, `serve-observe` or `redteam`.
        authenticator: Tells who callers are.
        limiter: Counts what callers use.
        telemetry: Is told what happens.
        moderation: Must agree to what travels after the guard did; None for nobody.
        cedar: The text of the Cedar policies that the settings name; empty for none.
    """

    def __init__(
        self,
        *,
        serve: ServeConfig,
        system_prompt: str,
        guard: Guard,
        pool: GuardPool,
        upstream: Upstream,
        store: EventStore | None,
        source: str,
        authenticator: Authenticator,
        limiter: Limiter,
        telemetry: Telemetry,
        moderation: Moderation | None = None,
        cedar: str = "",
    ) -> None:
        self._serve = serve
        self._gatekeeper = Gatekeeper(serve, limiter, cedar)
        self._handling = Handling(
            serve=serve,
            system_prompt=system_prompt,
            guard=guard,
            pool=pool,
            upstream=upstream,
            gatekeeper=self._gatekeeper,
            moderation=moderation,
        )
        self._pool = pool
        self._upstream = upstream
        self._authenticator = authenticator
        self._telemetry = telemetry
        self._store = store
        self._must_record = serve.recording == "block"
        self._source = source
        self._started = int(time.time())
        self._started_at = utc_now()
        remote = (upstream for upstream in declared(serve).values() if isinstance(upstream, RemoteUpstream))
        self._passes_trace = any(upstream.pass_trace for upstream in remote)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens: a fault here is a 500 without a traceback."""
        record = Record.new()
        if self._telemetry.traces or self._passes_trace:
            self._trace(record, cast("Headers", scope["headers"]))
        responder = Responder(send, record.headers, write_s=self._serve.limits.patience.write_s)
        self._telemetry.request_started()
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
            await _end(scope)
        except asyncio.CancelledError:
            # Only the server that ends does this, and it is told nothing by an exception; the caller is, by an answer.
            failure = ApiError(503, "shutting_down", "The gateway is shutting down.", retry_after_s=1)
            record.note_error(failure)
            await responder.refusal(failure)
            status = responder.status
        except Exception as error:  # noqa: BLE001 - a caller never sees a traceback
            _log.error("%s failed: %s", record.id, describe(error))
            failure = ApiError(500, "internal_error", "The gateway failed. Its log has the request id.")
            record.note_error(failure)
            await responder.refusal(failure)
            status = responder.status
        finally:
            record.finish(status, source=self._source, store=self._store, telemetry=self._telemetry)

    def _trace(self, record: Record, headers: Headers) -> None:
        """Note which trace a request belongs to, and which one upstreams are told: that of our span, if we keep any."""
        parent = trace_parent(headers)
        if self._telemetry.traces:
            record.trace = parent
        if self._passes_trace:
            record.span = own_span(parent, self._serve.telemetry.trace_share) if self._telemetry.traces else ""
            PASSED_TRACE.set(record.span or parent)

    async def _answer(self, record: Record, scope: Scope, receive: Receive, responder: Responder) -> None:
        path, method = cast("str", scope["path"]), cast("str", scope["method"])
        record.method = method if method in _METHODS else "-"
        header(scope, b"host")  # one at most (RFC 9112, section 3.2): a proxy in front may have gone by the other one
        if header(scope, b"expect") is not None:
            responder.headers.append(_CLOSE)  # whether a body follows a refusal is the caller's choice
        anthropic = header(scope, b"anthropic-version") is not None
        if anthropic:
            responder.shape = lambda error: error.anthropic_body(record.id)
        route = find_route(path, cast("bytes", scope["raw_path"]))
        record.route = route.path
        if route.shape == "anthropic":
            responder.shape = lambda error: error.anthropic_body(record.id)
        if method == "OPTIONS":
            await responder.nothing([(b"allow", route.methods.encode())])
            return
        if not route.takes(method):
            message = f"This address answers to {route.methods} only."
            raise ApiError(405, "method_not_allowed", message, allow=route.methods)
        if not route.needs_key:
            await self._tell(route.path, responder)
            return
        caller = await self._authenticate(record, scope)
        if route.path in {MODELS, MODEL}:
            await self._models(path.removeprefix(MODELS).removeprefix("/"), responder, anthropic=anthropic)
            return
        with self._gatekeeper.enter(caller) as place:
            if self._must_record and self._store is not None and self._store.full:
                raise ApiError(503, "events_unavailable", "Requests cannot be recorded at the moment.", retry_after_s=1)
            try:
                body = await read_body(
                    scope,
                    receive,
                    limit=self._serve.max_body_bytes,
                    within_s=self._serve.limits.patience.body_s,
                    paced=place.paced,
                )
                responder.headers = [one for one in responder.headers if one != _CLOSE]
            except TooLargeError as error:
                record.note_error(error)
                rest = discard(receive, paced=place.paced) if error.unread else None
                await responder.refusal(error, before_end=rest)
                return
            await while_connected(receive, self._handling.answer(Exchange(record, caller, body, responder)))

    async def _authenticate(self, record: Record, scope: Scope) -> Caller:
        found = await self._authenticator.authenticate(
            cast("Headers", scope["headers"]), cast("bytes | None", scope.get(CERTIFICATE))
        )
        if isinstance(found, Refusal):
            raise found.error()
        record.key_id, record.tenant = found.key_id, found.tenant
        return found

    async def _tell(self, path: str, responder: Responder) -> None:
        """Answer what needs no key."""
        if path == READY:
            await self._ready(responder)
        else:
            await responder.document(200, openapi_document() if path == OPENAPI else b'{"status":"ok"}')

    async def _ready(self, responder: Responder) -> None:
        faults = {
            "upstream": not self._upstream.open_for_traffic,
            "guard": self._pool.saturated,
            "limits": not self._gatekeeper.healthy,
            "keys": not self._authenticator.healthy,
            "events": self._store is not None and (self._store.full or not self._store.healthy),
        }
        bad = [name for name, fault in faults.items() if fault]
        document = {"status": "not ready", "because": bad} if bad else {"status": "ok"}
        await responder.document(503 if bad else 200, msgspec.json.encode(document))

    async def _models(self, name: str, responder: Responder, *, anthropic: bool) -> None:
        tell = self._anthropic_model if anthropic else self._openai_model
        aliases = self._upstream.aliases
        if name:
            if name not in aliases:
                raise ApiError(404, "model_not_found", "This model is not served here.", param="model")
            await responder.document(200, msgspec.json.encode(tell(name)))
            return
        data = [tell(alias) for alias in aliases]
        ends: Json = {"has_more": False, "first_id": aliases[0], "last_id": aliases[-1]}
        document = {"data": data, **ends} if anthropic else {"object": "list", "data": data}
        await responder.document(200, msgspec.json.encode(document))

    def _openai_model(self, alias: str) -> Json:
        return {"id": alias, "object": "model", "created": self._started, "owned_by": "lockgate"}

    def _anthropic_model(self, alias: str) -> Json:
        return {"type": "model", "id": alias, "display_name": alias, "created_at": self._started_at}


async def _end(scope: Scope) -> None:
    """End the connection: what waits for somebody who does not read would wait for ever."""
    abort = scope.get(ABORT)
    if callable(abort):
        abort()
        await asyncio.sleep(0)  # so that the connection is known to be lost before the server looks for an answer
