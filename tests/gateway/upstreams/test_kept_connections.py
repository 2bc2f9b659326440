"""An upstream that closes a connection which was kept for the next request."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lockgate.core.config import ServeConfig
from lockgate.gateway import ApiError
from lockgate.gateway.upstreams import Router, open_router

BODY = b'{"model":"first-model","messages":[{"role":"user","content":"Hi"}]}'
WHOLE = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(WHOLE), WHOLE)
RESET = struct.pack("ii", 1, 0)


class Closing:
    """Answers the first request of each connection; what it does with later ones depends.

    Attributes:
        ending: `close` or `reset`: how a connection ends when a later request comes; empty answers it.
        before: What is sent before that.
        first: Whether even the first request of a connection is treated so.
        after_s: Seconds that it takes.
        requests: How many came.
    """

    def __init__(self) -> None:
        self.ending = ""
        self.before = b""
        self.first = False
        self.after_s = 0.0
        self.requests = 0
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            number = 0
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(BODY))
                self.requests += 1
                number += 1
                if self.ending and (self.first or number > 1):
                    await asyncio.sleep(self.after_s)
                    writer.write(self.before)
                    await writer.drain()
                    if self.ending == "reset":
                        writer.get_extra_info("socket").setsockopt(1, 13, RESET)  # SO_LINGER of nothing
                    break
                writer.write(ANSWER)
        writer.close()


class Seen:
    def __init__(self) -> None:
        self.told: list[str] = []

    def call_ended(self, upstream: str, outcome: str, seconds: float) -> None:
        del upstream, seconds
        self.told.append(outcome)

    def second_try(self, upstream: str, kind: str) -> None:
        del upstream
        self.told.append(kind)


@pytest.fixture
async def closing() -> AsyncIterator[Closing]:
    fake = Closing()
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    yield fake
    server.close()


@asynccontextmanager
async def routed(closing: Closing, root: Path, seen: Seen | None = None, **retries: Any) -> AsyncIterator[Router]:
    upstream = {
        "kind": "openai",
        "base_url": f"http://127.0.0.1:{closing.port}/v1",
        "model": "first-model",
        "breaker": {"failures": 1},
    }
    settings = {"upstream": upstream, "retries": {"attempts": 0} | retries, "timeout_s": 5}
    serve = msgspec.convert(settings, ServeConfig)
    async with open_router(serve, project_root=root, endpoints={}, observer=seen) as router:
        await asyncio.gather(*(router.complete(BODY) for _ in range(4)))  # so that several connections are kept
        yield router


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_a_request_on_a_connection_that_was_just_closed_is_sent_again(
    closing: Closing, tmp_path: Path, ending: str
) -> None:
    seen = Seen()
    async with routed(closing, tmp_path, seen) as router:
        seen.told.clear()
        closing.ending = ending
        assert (await router.complete(BODY)).choices[0].message is not None
        assert closing.requests == 6
        assert seen.told == ["stale", "reconnect", "ok"]
        assert router.states[0].circuit == "closed"


async def test_a_new_connection_that_is_closed_is_a_fault(closing: Closing, tmp_path: Path) -> None:
    async with routed(closing, tmp_path) as router:
        closing.ending, closing.first = "close", True
        with pytest.raises(ApiError, match="broke off"):
            await router.complete(BODY)
        assert closing.requests == 6  # the kept one and the new one, and no third
        assert router.states[0].circuit == "open"


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-type: app"])
async def test_an_answer_that_began_is_not_asked_for_again(closing: Closing, tmp_path: Path, begun: bytes) -> None:
    async with routed(closing, tmp_path) as router:
        closing.ending, closing.before = "close", begun
        with pytest.raises(ApiError, match="broke off"):
            await router.complete(BODY)
        assert closing.requests == 5


async def test_what_may_have_been_worked_on_is_not_asked_for_again(closing: Closing, tmp_path: Path) -> None:
    async with routed(closing, tmp_path) as router:
        closing.ending, closing.after_s = "close", 1.2
        with pytest.raises(ApiError, match="broke off"):
            await router.complete(BODY)
        assert closing.requests == 5


async def test_sending_again_is_paid_from_the_budget(closing: Closing, tmp_path: Path) -> None:
    seen = Seen()
    async with routed(closing, tmp_path, seen, burst=0, share=0) as router:
        closing.ending = "close"
        with pytest.raises(ApiError, match="broke off"):
            await router.complete(BODY)
        assert seen.told[-2:] == ["stale", "refused"]
        assert closing.requests == 5
