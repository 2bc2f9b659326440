"""Talking to the model server, which is trusted with the conversation and with nothing else."""

import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Self

import aiohttp
import msgspec

from lockgate.core.config import OpenAIUpstream
from lockgate.gateway.errors import ApiError, GatewayError, bad_upstream, slow_upstream
from lockgate.gateway.sse import SseError, SseReader
from lockgate.gateway.strict_json import JsonError, load

_CONNECT_S = 10.0
_TOTAL_S = 900.0
_CONNECTIONS = 64
_MAX_BYTES = 8 << 20
_JSON_DEPTH = 64
_DONE = "[DONE]"


class Endpoint(msgspec.Struct, frozen=True):
    """Where the model answers.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there.
        api_key: Sent as a bearer token; empty for none. Never shown.
    """

    base_url: str
    model: str
    api_key: str = ""

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r}, {self.model!r})"


class UpstreamFunction(msgspec.Struct, frozen=True):
    """A function call; in a stream its fields come in pieces."""

    name: str | None = None
    arguments: str | None = None


class UpstreamToolCall(msgspec.Struct, frozen=True):
    """A tool call, or a piece of the one with this `index`."""

    function: UpstreamFunction = UpstreamFunction()
    index: int = 0
    type: Literal["function"] | None = None


class UpstreamMessage(msgspec.Struct, frozen=True):
    """An answer, or a piece of it. Fields that are not named here are dropped."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: tuple[UpstreamToolCall, ...] | None = None


class UpstreamChoice(msgspec.Struct, frozen=True):
    """The one choice: `message` in a whole answer, `delta` in a stream."""

    index: Literal[0] = 0
    message: UpstreamMessage | None = None
    delta: UpstreamMessage | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """Token counts."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class UpstreamAnswer(msgspec.Struct, frozen=True):
    """A chat completion, or a chunk of one."""

    choices: tuple[UpstreamChoice, ...]
    usage: Usage | None = None


def read_api_key(upstream: OpenAIUpstream, *, project_root: Path) -> str:
    """The key of an OpenAI-compatible upstream, from the environment or a file outside the project; empty for none.

    Raises:
        GatewayError: The variable is not set, or the file is inside the project, open to others, or cannot be read.
    """
    if upstream.api_key_env:
        if key := os.environ.get(upstream.api_key_env, "").strip():
            return key
        raise GatewayError(f"{upstream.api_key_env} is not set.", remedy="Set it to the upstream's API key.")
    if not upstream.api_key_file:
        return ""
    path = Path(upstream.api_key_file).expanduser()
    path = (path if path.is_absolute() else project_root / path).resolve()
    if path.is_relative_to(project_root.resolve()):
        raise GatewayError(
            f"The upstream's key file {path.name} lies inside the project.",
            remedy="Keep it outside: whoever gets the project must not get the key.",
        )
    try:
        mode = path.stat().st_mode
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise GatewayError(f"The upstream's key file {path} cannot be read.", remedy="Check its path.") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise GatewayError(f"The upstream's key file {path} is open to others.", remedy=f"Run: chmod 600 {path}")
    return key


class Upstream:
    """One pool of connections to one endpoint: no redirects, no proxies, no cookies, no retries, no compression.

    Every fault of the other side is an `ApiError` with status 502 or 504 that quotes nothing from it.
    """

    def __init__(self, endpoint: Endpoint, session: aiohttp.ClientSession) -> None:
        self._url = f"{endpoint.base_url.rstrip('/')}/chat/completions"
        self._session = session
        self.model = endpoint.model

    @classmethod
    @asynccontextmanager
    async def open(cls, endpoint: Endpoint, *, timeout_s: float) -> AsyncGenerator[Self]:
        """Open the pool.

        Args:
            endpoint: Where to.
            timeout_s: Seconds without a byte after which the upstream counts as down.
        """
        headers = {"accept-encoding": "identity", "user-agent": "lockgate"}
        if endpoint.api_key:
            headers["authorization"] = f"Bearer {endpoint.api_key}"
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=_TOTAL_S, sock_connect=_CONNECT_S, sock_read=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            auto_decompress=False,
        )
        async with session:
            yield cls(endpoint, session)

    @property
    def open_for_traffic(self) -> bool:
        """Whether the pool still takes requests."""
        return not self._session.closed

    async def complete(self, body: bytes) -> UpstreamAnswer:
        """Ask for a whole answer.

        Raises:
            ApiError: The upstream refused (400, 429), answered with something else than one message (502) or not at
                all (504).
        """
        async with self._post(body, "application/json") as response:
            content = await _read(response)
        answer = _answer(content)
        if len(answer.choices) != 1 or answer.choices[0].message is None:
            raise bad_upstream("answered without exactly one message")
        return answer

    @asynccontextmanager
    async def stream(self, body: bytes) -> AsyncGenerator[AsyncIterator[UpstreamAnswer]]:
        """Ask for an answer in pieces. Entering waits for the upstream's headers.

        The iterator ends only after `[DONE]`; a stream that stops before is an error.

        Raises:
            ApiError: As in `complete`, also while iterating.
        """
        async with self._post(body, "text/event-stream") as response:
            yield _chunks(response)

    @asynccontextmanager
    async def _post(self, body: bytes, media_type: str) -> AsyncGenerator[aiohttp.ClientResponse]:
        headers = {"content-type": "application/json", "accept": media_type}
        try:
            async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                _accept(response, media_type)
                yield response
        except TimeoutError as error:
            raise slow_upstream() from error
        except aiohttp.ClientConnectorError as error:
            raise bad_upstream("cannot be reached") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise bad_upstream("broke off or does not speak HTTP") from error


def _accept(response: aiohttp.ClientResponse, media_type: str) -> None:
    match response.status:
        case 200:
            pass
        case 400 | 413 | 422:
            raise ApiError(
                400,
                "upstream_rejected",
                "The model server refused the request: it may be too long for the model or ask for what it cannot do.",
            )
        case 429:
            raise ApiError(429, "rate_limit_exceeded", "The model server is at its limit.", retry_after_s=5)
        case status:
            raise bad_upstream(f"answered with status {status}")
    if response.content_type != media_type:
        raise bad_upstream(f"did not answer with {media_type}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise bad_upstream("compressed its answer unasked")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise bad_upstream(f"sent more than {_MAX_BYTES:,} bytes")
    return bytes(body)


async def _chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[UpstreamAnswer]:
    reader = SseReader()
    size = 0
    async for raw in response.content.iter_any():
        size += len(raw)
        if size > _MAX_BYTES:
            raise bad_upstream(f"sent more than {_MAX_BYTES:,} bytes")
        try:
            events = reader.feed(raw)
        except SseError as error:
            raise bad_upstream(str(error)) from error
        for data in events:
            if data == _DONE:
                return
            yield _answer(data.encode())
    raise bad_upstream("broke off in the middle of an answer")


def _answer(content: bytes) -> UpstreamAnswer:
    try:
        return msgspec.convert(load(content, max_depth=_JSON_DEPTH), UpstreamAnswer)
    except (JsonError, msgspec.ValidationError) as error:
        raise bad_upstream("answered with something that is no chat completion") from error
