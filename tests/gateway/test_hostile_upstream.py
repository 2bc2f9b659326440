import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'
PIECE = 'data: {"choices":[{"index":0,"delta":{"content":"Hi there, this is long enough to be released. "}}]}\n\n'


def http(body: str, *, media_type: str = "application/json", status: str = "200 OK", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{head}{extra}Connection: close\r\n\r\n{body}".encode()


def events(body: str, *, length: int = 0) -> bytes:
    declared = length or len(body.encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {declared}\r\n"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


class RawServer:
    """A socket that reads a request, sends what it is told to, and then closes, resets or hangs."""

    def __init__(self) -> None:
        self.answer = b""
        self.then = "close"
        self.done = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
            if self.then == "hang":
                await self.done.wait()
            if self.then == "reset":
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, serve_at: Any) -> AsyncIterator[Any]:
    raw = RawServer()
    server = await asyncio.start_server(raw.handle, "127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with serve_at(tmp_path_factory.mktemp("raw"), base_url) as running:
        running.raw = raw
        yield running
    raw.done.set()
    server.close()


@pytest.fixture
def answers(world: Any) -> Callable[..., Any]:
    """Tells the model server what to send and what to do then."""

    def tell(answer: bytes, then: str = "close") -> Any:
        world.raw.answer, world.raw.then = answer, then
        return world

    return tell


BROKEN = {
    "html": http("<html>Welcome</html>", media_type="text/html"),
    "html that claims to be json": http("<html>Welcome</html>"),
    "nothing": b"",
    "no http": b"220 mail.example.org ESMTP\r\n",
    "cut headers": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "short body": http(OK).replace(b"Content-Length: 9", b"Content-Length: 99"),
    "bad chunk": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "huge header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "duplicate keys": http('{"choices":[],"choices":[{"index":0,"message":{"content":"Hi"}}]}'),
    "no choices": http('{"choices":[]}'),
    "two choices": http('{"choices":[{"index":0,"message":{"content":"a"}},{"index":0,"message":{"content":"b"}}]}'),
    "null message": http('{"choices":[{"index":0,"message":null}]}'),
    "wrong type": http('{"choices":[{"index":0,"message":{"content":["Hi"]}}]}'),
    "wrong role": http('{"choices":[{"index":0,"message":{"role":"system","content":"Hi"}}]}'),
    "an array": http("[]"),
    "lone surrogate": http('{"choices":[{"index":0,"message":{"content":"\\ud800"}}]}'),
    "deep": http("[" * 10_000),
    "too large": http('{"x":"' + "a" * (9 << 20) + '"}'),
    "gzip": http(OK, extra="Content-Encoding: gzip\r\n"),
    "redirect": http("", status="302 Found", extra="Location: http://127.0.0.1:1/\r\n"),
    "unauthorized": http("{}", status="401 Unauthorized"),
    "server error": http('{"error":"traceback with secrets"}', status="500 Oops"),
    "event stream unasked": events(PIECE + "data: [DONE]\n\n"),
}


@pytest.mark.parametrize("name", list(BROKEN))
async def test_a_broken_answer_is_a_bad_gateway(answers: Callable[..., Any], name: str) -> None:
    world = answers(BROKEN[name])
    status, answer = await world.chat()
    assert (status, answer["error"]["code"], answer["error"]["type"]) == (502, "bad_upstream", "server_error")
    assert "secrets" not in json.dumps(answer)


async def test_a_reset_is_a_bad_gateway(answers: Callable[..., Any]) -> None:
    world = answers(http(OK)[:90], "reset")
    status, _ = await world.chat()
    assert status == 502


@pytest.mark.parametrize("sent", [b"", http(OK)[:-5]])
async def test_a_hang_is_a_gateway_timeout(answers: Callable[..., Any], sent: bytes) -> None:
    world = answers(sent, "hang")
    status, answer = await world.chat()
    assert (status, answer["error"]["code"]) == (504, "upstream_timeout")


async def test_a_closed_port_is_a_bad_gateway(serve_at: Any, tmp_path: Path) -> None:
    async with serve_at(tmp_path, "http://127.0.0.1:1/v1") as world:
        status, answer = await world.chat()
    assert (status, answer["error"]["code"]) == (502, "bad_upstream")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (http("{}", status="429 Slow down"), 429, "rate_limit_exceeded"),
        (http("{}", status="400 Bad Request"), 400, "upstream_rejected"),
    ],
)
async def test_what_the_caller_can_act_on_is_passed_on(
    answers: Callable[..., Any], answer: bytes, status: int, code: str
) -> None:
    world = answers(answer)
    got, document = await world.chat()
    assert (got, document["error"]["code"]) == (status, code)


BROKEN_STREAMS = {
    "no end": events(PIECE),
    "lying length": events(PIECE, length=100_000),
    "garbage line": events(PIECE + "<html>\n\ndata: [DONE]\n\n"),
    "garbage data": events(PIECE + "data: <html>\n\ndata: [DONE]\n\n"),
    "not utf-8": events(PIECE).replace(b"long", b"\xff\xff\xff\xff"),
    "endless line": events("data: " + "a" * (2 << 20)),
    "second choice": events(PIECE.replace('"index":0', '"index":1') + "data: [DONE]\n\n"),
    "message instead of delta": events(PIECE.replace("delta", "message") + "data: [DONE]\n\n"),
    "an error in the stream": events('data: {"error":{"message":"secrets"}}\n\ndata: [DONE]\n\n'),
}


@pytest.mark.parametrize("name", list(BROKEN_STREAMS))
async def test_a_broken_stream_ends_with_an_error_and_never_with_done(answers: Callable[..., Any], name: str) -> None:
    world = answers(BROKEN_STREAMS[name])
    status, text = await world.chat_stream()
    last = text.strip().split("\n\n")[-1]
    assert status == 200
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "bad_upstream"
    assert "[DONE]" not in text
    assert "secrets" not in text


async def test_a_stream_that_hangs_ends_with_an_error(answers: Callable[..., Any]) -> None:
    world = answers(events(PIECE, length=10_000), "hang")
    _, text = await world.chat_stream()
    assert "upstream_timeout" in text
    assert "[DONE]" not in text


@pytest.mark.parametrize("name", ["html", "server error", "redirect", "nothing"])
async def test_a_stream_that_never_begins_is_a_plain_error(answers: Callable[..., Any], name: str) -> None:
    world = answers(BROKEN[name])
    status, text = await world.chat_stream()
    assert (status, json.loads(text)["error"]["code"]) == (502, "bad_upstream")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
async def test_other_line_ends_comments_and_ids_are_read(answers: Callable[..., Any], end: str) -> None:
    stream = ": keep-alive\n\nid: 3\nevent: message\n" + PIECE + "data: [DONE]\n\n"
    world = answers(events(stream.replace("\n", end)))
    _, text = await world.chat_stream()
    assert "Hi there" in "".join(
        json.loads(line[6:])["choices"][0]["delta"].get("content", "")
        for line in text.splitlines()
        if line.startswith("data: {")
    )
    assert text.endswith("data: [DONE]\n\n")
