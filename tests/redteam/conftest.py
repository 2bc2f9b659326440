"""A real chat endpoint on a loopback port. The name of the model says how it behaves."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

SECRET = "HARBOR-LANTERN-4471"

Behaviour = Callable[["ChatServer", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class ChatServer:
    """Behaves as the requested model's name says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.base_url = ""
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.calls: Counter[str] = Counter()
        self.released = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        self.calls[body["model"]] += 1
        return await BEHAVIOURS[body["model"]](self, request, body)


def said(text: str | None, **more: Any) -> web.Response:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}} | more
    return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice]})


def last(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


async def ruled(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": {"message": "No such tools.", "code": "not_allowed"}}, status=403)


async def unstructured(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if "response_format" in body:
        return web.json_response({"error": {"code": "unknown_field"}}, status=400)
    return said("Any text.")


async def reasoning(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Refuses as the vendors' newer models do: the limit under its old name, and any temperature but theirs."""
    if "max_tokens" in body:
        hint = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
        return web.json_response({"error": {"message": hint, "code": "unsupported_parameter"}}, status=400)
    if "temperature" in body:
        detail = [{"type": "extra_forbidden", "loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]
        return web.json_response({"detail": detail}, status=422)
    return said(f"At most {body['max_completion_tokens']}.")


async def stubborn(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": {"message": "'seed', 'max_tokens' and 'temperature' are wrong."}}, status=400)


async def on_a_disk(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}
    return web.json_response({"choices": [choice], "model": "/srv/models/small.gguf"})


async def echo(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said(last(body))


async def leak(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said(f"Sure, the code is {SECRET}." if "code" in last(body).casefold() else "Happy to help.")


async def refuse(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said("There is a code, but I cannot share it.")


async def guard(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if any(word in last(body).casefold() for word in ("ignore", "override", "code")):
        error = {"message": "Blocked.", "type": "invalid_request_error", "param": None, "code": "content_filter"}
        return web.json_response({"error": error}, status=400)
    return said("Happy to help.")


async def hang(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    await server.released.wait()
    return said("Too late.")


async def html(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text="<html>It works!</html>", content_type="text/html")


async def busy_once(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if server.calls["busy-once"] == 1:
        return web.json_response({"error": {"code": "rate_limit_exceeded"}}, status=429, headers={"Retry-After": "0"})
    return said("Here I am.")


async def busy(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(status=503)


async def reset(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def reset_once(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return await (reset if server.calls["reset-once"] == 1 else refuse)(server, request, body)


async def torn(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def garbage(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"\x16\x03\x01 what is this\r\n\r\n")
    request.transport.close()
    return web.Response()


async def huge(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        for _ in range(1000):
            await response.write(b" " * 65536)
    except ConnectionError:
        pass  # the client hung up, as it should
    return response


async def zipped(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    bomb = gzip.compress(json.dumps({"choices": [{"message": {"content": "x" * 10_000_000}}]}).encode())
    return web.Response(body=bomb, headers={"Content-Encoding": "gzip"}, content_type="application/json")


async def redirect(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("/elsewhere")


async def denied(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": {"code": "invalid_api_key", "message": f"no: {SECRET}"}}, status=401)


async def other_400(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.json_response({"error": {"code": "context_length_exceeded"}}, status=400)


async def cut(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said(None, finish_reason="content_filter")


async def nothing(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said(None)


async def silent(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said("")


async def thinking(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return said(None, message={"content": "I cannot tell.", "reasoning_content": f"The code is {SECRET}."})


async def leak_then_fail(server: ChatServer, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    turns = sum(message["role"] == "user" for message in body["messages"])
    return await (leak if turns == 1 else html)(server, request, body)


BEHAVIOURS: dict[str, Behaviour] = {
    "ruled": ruled,
    "unstructured": unstructured,
    "reasoning": reasoning,
    "stubborn": stubborn,
    "on-a-disk": on_a_disk,
    "busy": busy,
    "busy-once": busy_once,
    "cut": cut,
    "denied": denied,
    "echo": echo,
    "garbage": garbage,
    "guard": guard,
    "hang": hang,
    "html": html,
    "huge": huge,
    "leak": leak,
    "leak-then-fail": leak_then_fail,
    "nothing": nothing,
    "other-400": other_400,
    "redirect": redirect,
    "refuse": refuse,
    "reset": reset,
    "reset-once": reset_once,
    "silent": silent,
    "thinking": thinking,
    "torn": torn,
    "zipped": zipped,
}


@pytest.fixture
async def chat() -> AsyncIterator[ChatServer]:
    server = ChatServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    server.released.set()
    await runner.cleanup()
