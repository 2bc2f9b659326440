"""Requests as HTTP allows them and clients of other languages write them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
QUESTION = {"model": "assistant", "messages": [{"role": "user", "content": "When do you open?"}]}
ASKED, STREAMED = (json.dumps(QUESTION | {"stream": stream}).encode() for stream in (False, True))
SAID = b"We open at nine."
CLOSE = "Connection: close"

Answer = tuple[int, dict[str, str], bytes]


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await asyncio.sleep(0.001)

    async def answer(self, *, body: bool = True) -> Answer:
        """The next answer, with its body, to the end of the connection where it announces no length."""
        async with asyncio.timeout(10):
            begin = await self.reader.readline()
            lines = (await self.reader.readuntil(b"\r\n")).decode()
            while not lines.endswith("\r\n\r\n") and lines != "\r\n":
                lines += (await self.reader.readline()).decode()
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines.split("\r\n") if line)}
            if not body:
                return int(begin.split()[1]), headers, b""
            length = headers.get("content-length")
            content = await (self.reader.read() if length is None else self.reader.readexactly(int(length)))
            return int(begin.split()[1]), headers, content

    async def ended(self) -> bool:
        """Whether the other side closes, with nothing more to say."""
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


@asynccontextmanager
async def connect(world: Any) -> AsyncIterator[Wire]:
    host, port = world.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    yield Wire(reader, writer)
    writer.close()


def request(world: Any, *lines: str, begin: str = f"POST {CHAT} HTTP/1.1", body: bytes = b"") -> bytes:
    own = ["Host: x", f"Authorization: Bearer {world.key}", *([f"Content-Length: {len(body)}"] if body else [])]
    return "\r\n".join([begin, *own, *lines, "", ""]).encode() + body


HEADERS = {
    "no content-type": [],
    "a charset": ["Content-Type: application/json; charset=utf-8"],
    "another type, as curl sends": ["Content-Type: application/x-www-form-urlencoded"],
    "any answer": ["Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd", "TE: trailers"],
    "no plain answer": ["Accept-Encoding: gzip;q=1.0, identity;q=0"],
    "two hundred headers": [f"X-Header-{number}: {'a' * 100}" for number in range(200)],
    "an empty header": ["X-Empty:", "X-Blank: "],
    "a header in Latin-1": ["X-Name: J\u00f6rg"],
    "a proxy's": ["Forwarded: for=192.0.2.1;host=other", "X-Forwarded-Host: other", "Via: 1.1 proxy"],
    "a browser's": ["Origin: https://example.org", "Sec-Fetch-Site: cross-site", "Cookie: a=b; c=d"],
    "a client's own id": ["X-Request-Id: mine", "Idempotency-Key: 1", "X-Stainless-Lang: java"],
    "a body that is announced as plain": ["Content-Encoding: identity"],
}


@pytest.mark.parametrize("name", list(HEADERS))
async def test_headers_that_any_client_may_send(shared_world: Any, name: str) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, *HEADERS[name], CLOSE, body=ASKED))
        status, headers, content = await wire.answer()
        assert (status, SAID in content) == (200, True)
        assert headers["connection"] == "close"
        assert "content-encoding" not in headers
        assert await wire.ended()


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
async def test_names_of_headers_in_any_letters(shared_world: Any, change: Any) -> None:
    names = {"host": "x", "authorization": f"bearer {shared_world.key}", "content-length": str(len(ASKED))}
    lines = [f"POST {CHAT} HTTP/1.1", *(f"{change(name)}:{value}  " for name, value in names.items()), "", ""]
    async with connect(shared_world) as wire:
        await wire.send("\r\n".join(lines).encode() + ASKED)
        status, _, content = await wire.answer()
        assert (status, SAID in content) == (200, True)


@pytest.mark.parametrize(
    "begin",
    [
        f"POST {CHAT}?api-version=2024-10-21&beta=true HTTP/1.1",
        f"POST http://127.0.0.1:1{CHAT} HTTP/1.1",
        f"POST http://[::1]:8080{CHAT} HTTP/1.1",
        f"\r\nPOST {CHAT} HTTP/1.1",
    ],
)
async def test_addresses_that_mean_the_same(shared_world: Any, begin: str) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, CLOSE, begin=begin, body=ASKED))
        status, _, content = await wire.answer()
        assert (status, SAID in content) == (200, True)


async def test_who_asks_before_sending_a_body_is_told_to_go_on(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, "Expect: 100-continue", f"Content-Length: {len(ASKED)}"))
        assert (await wire.answer(body=False))[0] == 100
        await wire.send(ASKED)
        status, _, content = await wire.answer()
        assert (status, SAID in content) == (200, True)


async def test_who_asks_before_sending_a_body_is_refused_without_it(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        key = "Authorization: Bearer lg-00000000000000000000000000000000"
        await wire.send(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{key}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode()
        )
        status, headers, _ = await wire.answer()
        assert status == 401
        # The body may come or not, so nobody could tell where the next request begins.
        assert headers.get("connection") == "close"
        assert await wire.ended()


async def test_a_body_in_pieces_of_any_size(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        pieces = b"".join(b"1;name=value\r\n%c\r\n" % byte for byte in ASKED) + b"0\r\nX-Trailer: a\r\n\r\n"
        sent = request(shared_world, "Transfer-Encoding: chunked", "Trailer: X-Trailer") + pieces
        await wire.send(*(sent[place : place + 7] for place in range(0, len(sent), 7)))
        status, _, content = await wire.answer()
        assert (status, SAID in content) == (200, True)
        await wire.send(request(shared_world, CLOSE, body=ASKED))
        assert (await wire.answer())[0] == 200


async def test_head_answers_as_get_without_a_body(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        for path in ("/livez", "/v1/models", "/v1/models/assistant"):
            await wire.send(request(shared_world, begin=f"HEAD {path} HTTP/1.1"))
            status, headers, _ = await wire.answer(body=False)
            assert (status, int(headers["content-length"]) > 0) == (200, True)
        await wire.send(request(shared_world, begin=f"HEAD {CHAT} HTTP/1.1"))
        assert (await wire.answer(body=False))[0] == 405
        await wire.send(request(shared_world, CLOSE, begin="GET /livez HTTP/1.1"))
        assert (await wire.answer())[2] == b'{"status":"ok"}'


async def test_a_browser_that_asks_for_another_origin_gets_no_permission(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        lines = ["Origin: https://example.org", "Access-Control-Request-Method: POST", CLOSE]
        await wire.send(request(shared_world, *lines, begin=f"OPTIONS {CHAT} HTTP/1.1"))
        status, headers, content = await wire.answer()
        assert (status, headers["allow"], content) == (204, "POST, OPTIONS", b"")
        assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("lines", [[], ["Connection: keep-alive"]])
@pytest.mark.parametrize("sent", [ASKED, STREAMED])
async def test_http_1_0_is_answered_to_the_end_of_the_connection(
    shared_world: Any, lines: list[str], sent: bytes
) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, *lines, begin=f"POST {CHAT} HTTP/1.0", body=sent))
        status, headers, content = await wire.answer()
        assert status == 200
        assert "transfer-encoding" not in headers  # RFC 9112, section 6.1
        assert headers["connection"] == "close"
        assert content.startswith(b"data: {" if sent == STREAMED else b"{")
        assert content.endswith(b"data: [DONE]\n\n" if sent == STREAMED else b"}")
        assert await wire.ended()


async def test_requests_may_follow_each_other_before_they_are_answered(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        first = request(shared_world, body=ASKED)
        await wire.send(first + request(shared_world, begin="GET /livez HTTP/1.1") + first)
        assert SAID in (await wire.answer())[2]
        assert (await wire.answer())[2] == b'{"status":"ok"}'
        assert SAID in (await wire.answer())[2]
        await wire.send(request(shared_world, CLOSE, body=ASKED))
        assert SAID in (await wire.answer())[2]
        assert await wire.ended()


async def test_a_body_where_none_is_expected_is_skipped(shared_world: Any) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, begin="GET /v1/models HTTP/1.1", body=ASKED))
        assert (await wire.answer())[0] == 200
        await wire.send(request(shared_world, CLOSE, begin="GET /livez HTTP/1.1"))
        assert (await wire.answer())[2] == b'{"status":"ok"}'


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (f"POST {CHAT}/ HTTP/1.1", 404),
        (f"post {CHAT} HTTP/1.1", 400),
        ("OPTIONS * HTTP/1.1", 404),
        ("CONNECT other:443 HTTP/1.1", 400),
        ("TRACE /v1/models HTTP/1.1", 405),
        ("GET http://[::1 HTTP/1.1", 400),
        ("GET v1/models HTTP/1.1", 400),
    ],
)
async def test_what_means_something_else_is_refused_in_the_usual_shape(
    shared_world: Any, begin: str, status: int
) -> None:
    async with connect(shared_world) as wire:
        await wire.send(request(shared_world, CLOSE, begin=begin))
        got, headers, content = await wire.answer()
        assert (got, headers["content-type"]) == (status, "application/json")
        assert json.loads(content)["error"].keys() == {"message", "type", "param", "code"}
        assert await wire.ended()
