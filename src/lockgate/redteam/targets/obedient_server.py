"""The scripted target behind an OpenAI-compatible interface, so that a gateway can stand before it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import msgspec
from aiohttp import web

from lockgate.redteam.message import Message
from lockgate.redteam.targets.obedient import NAME, Obedience

_MAX_BODY = 8 << 20


class _Part(msgspec.Struct):
    text: str = ""


class _Said(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[_Part, ...] | None = None


class _Request(msgspec.Struct):
    messages: tuple[_Said, ...]
    max_tokens: int = 100_000


@asynccontextmanager
async def serve_obedient(obedience: Obedience) -> AsyncGenerator[str]:
    """Serve on a free port of 127.0.0.1 until the block ends.

    Yields:
        The base URL.
    """

    async def answer(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=_Request)
        except msgspec.MsgspecError:
            return web.Response(status=400)
        said = obedience.obey(_history(asked), longest=asked.max_tokens)
        message: dict[str, object] = {"role": "assistant", "content": said.text}
        if said.calls:
            message["tool_calls"] = [
                {
                    "id": f"call_{place}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for place, call in enumerate(said.calls)
            ]
        body = {
            "id": NAME,
            "object": "chat.completion",
            "created": 0,
            "model": NAME,
            "choices": [{"index": 0, "finish_reason": "tool_calls" if said.calls else "stop", "message": message}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def _history(asked: _Request) -> list[Message]:
    return [Message("user" if said.role == "developer" else said.role, _text(said.content)) for said in asked.messages]


def _text(content: str | tuple[_Part, ...] | None) -> str:
    if isinstance(content, tuple):
        return "".join(part.text for part in content)
    return content or ""
