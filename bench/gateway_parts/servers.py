"""The other end and the yardstick: a mock upstream as cheap as Python allows, and a bare pass-through before it.

Run as `servers.py mock PORT` (0 for a free one) or `servers.py passthrough UPSTREAM`; prints its port.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import uvicorn
import uvloop

TEXT = "We open at nine in the morning and close at six in the evening, every day except Monday. "
WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT * 6}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300},
    }
).encode()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: "
ANSWER = HEAD + b"application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(WHOLE), WHOLE)
STREAM = HEAD + b"text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WORDS = TEXT.split()
STALL_S = 1.5


def event(number: int) -> bytes:
    delta = {"content": WORDS[number % len(WORDS)] + " "}
    document = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}
    return chunked(b"data: " + json.dumps(document).encode() + b"\n\n")


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Mock(asyncio.Protocol):
    """Answers every request; a stream's length and pace stand in its prompt as `events=N pause=S stall=K`."""

    def __init__(self) -> None:
        self.held = b""
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end].lower()
            _, _, rest = head.partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0] or b"0")
            if len(self.held) < end + 4 + length:
                return
            body, self.held = self.held[end + 4 : end + 4 + length], self.held[end + 4 + length :]
            if b'"stream":true' in body.replace(b" ", b""):
                task = asyncio.ensure_future(self.stream(body))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            else:
                self.transport.write(ANSWER)

    async def stream(self, body: bytes) -> None:
        """Send one answer in pieces."""
        count, pause = int(number(body, b"events=", b"20")), float(number(body, b"pause=", b"0"))
        stall = int(number(body, b"stall=", b"-1"))
        self.transport.write(STREAM)
        for index in range(count):
            if index == stall:
                await asyncio.sleep(STALL_S)
            if self.transport.is_closing():
                return
            self.transport.write(event(index))
            await asyncio.sleep(pause)
        self.transport.write(chunked(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def number(body: bytes, name: bytes, default: bytes) -> bytes:
    _, found, rest = body.partition(name)
    return rest.split(b" ", 1)[0].split(b'"', 1)[0] if found else default


def sent_before_pause(body: bytes) -> int:
    """Characters of text that a stream with `stall=K` holds before its long pause."""
    return sum(len(WORDS[index % len(WORDS)]) + 1 for index in range(int(number(body, b"stall=", b"0"))))


async def mock(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def passthrough(upstream: str) -> None:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2048), auto_decompress=False)

    async def app(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {"content-type": "application/json"}
        async with session.post(upstream, data=body, headers=headers) as response:
            kind = response.headers["content-type"].encode()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, ws="none", access_log=False)
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    uvloop.run(mock(int(sys.argv[2])) if sys.argv[1] == "mock" else passthrough(sys.argv[2]))
