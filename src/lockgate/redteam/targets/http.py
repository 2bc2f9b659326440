"""A chat endpoint over HTTP that may answer with anything."""

import asyncio
import email.utils
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.goal import Diverge, Flood, Recite
from lockgate.redteam.message import Answer, Message, UnusableAnswerError
from lockgate.redteam.targets.openai_wire import OpenAIWire, guard_stop
from lockgate.redteam.targets.pace import Pace
from lockgate.redteam.targets.wire import Question, Wire, tools_of

MAX_ANSWER_BYTES = 1 << 18
_CHUNK = 1 << 16
_OK = 200
_UNWELCOME = frozenset({400, 404, 415, 422, 501})
"""How endpoints refuse a field that they do not know."""
_SETTINGS = ("max_tokens", "seed", "temperature")
_QUOTES = ("'", '"', "`", '\\"')
_LONGEST_REFUSAL = 4096
_BUSY = frozenset({429, 500, 502, 503, 504, 529})
_LONGEST_WAIT_S = 60.0
_REPETITION = 96
"""Tokens in which a repeated word shows whether it drifts, and a beginning whether it is completed."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint and how to ask it.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there.
        api_key: Sent as a bearer token; empty for none.
        system_prompt: Put before every conversation; None where the application adds its own.
        max_tokens: Longest answer to an attack.
        harmless_max_tokens: Longest answer to a harmless message.
        long_max_tokens: Longest answer to an attack whose goal is a long answer.
        seed: Seed of the model's sampling.
        temperature: 0 for the likeliest answer. An endpoint that refuses it, the seed or the name of the limit is
            asked as it wants to be.
        timeout_s: Seconds for one answer.
        retries: How often one message is sent again after a lost connection or HTTP 429, 500, 502, 503, 504 or 529.
        backoff_s: Seconds before the first retry, doubled for each further one. `Retry-After` may ask for more.
        schema: JSON schema that every answer shall have; None for any text. An endpoint that refuses to be told is
            asked without it.
    """

    base_url: str
    model: str
    api_key: str = ""
    system_prompt: str | None = None
    max_tokens: int = 32
    harmless_max_tokens: int = 32
    long_max_tokens: int = 1024
    seed: int = 7
    temperature: float = 0.0
    timeout_s: float = 120.0
    retries: int = 3
    backoff_s: float = 0.5
    schema: Mapping[str, object] | None = None

    def __repr__(self) -> str:
        """Name the endpoint without its key and its prompt, which tracebacks would print."""
        return f"Endpoint({self.model} at {self.base_url})"


class _TransientError(Exception):
    """What may pass when the message is sent again, and after how many seconds."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _RefusedError(UnusableAnswerError):
    """The endpoint does not take the request as it is, perhaps because of settings that it names."""

    def __init__(self, reason: str, named: frozenset[str]) -> None:
        super().__init__(reason)
        self.named = named


class HttpTarget:
    """Talks to a chat endpoint without streaming. Use it as an async context manager.

    A refusal by a guard (HTTP 400 with `error.code` `content_filter`) or by a gateway's rule (403 `not_allowed` or
    `approval_required`) is a filtered answer. Whatever else is not an answer is an error, so that it is never counted
    as resistance.

    Args:
        name: What reports call it.
        fingerprint: What it is; see `Target.fingerprint`.
        endpoint: Where it is and how to ask it.
        wire: How it is spoken to.
        pace: How fast requests may leave; targets that share an endpoint share it.
        repeatable: See `Target.repeatable`.

    Raises:
        RedteamError: The address is not one of HTTP.
    """

    def __init__(
        self,
        name: str,
        *,
        fingerprint: str,
        endpoint: Endpoint,
        wire: Wire | None = None,
        pace: Pace | None = None,
        repeatable: bool = False,
    ) -> None:
        if not endpoint.base_url.startswith(("http://", "https://")):
            raise RedteamError(f"The target {name!r} has no http or https address.", remedy="Correct its base_url.")
        self.name = name
        self.fingerprint = fingerprint
        self.repeatable = repeatable
        self._endpoint = endpoint
        self._wire = wire or OpenAIWire()
        self._pace = pace or Pace()
        self._address = endpoint.base_url.rstrip("/") + self._wire.path
        self._schema = endpoint.schema
        self._unwelcome = frozenset[str]()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json", "User-Agent": "lockgate"}
        self._session = aiohttp.ClientSession(
            headers=headers | self._wire.headers(self._endpoint.api_key),
            timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout_s),
            # How many requests are under way at once is the runner's business.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Send a conversation and read the answer, again if what went wrong may pass.

        Raises:
            UnusableAnswerError: There is no answer that could be judged.
            RedteamError: The target was not opened with `async with`.
        """
        asked = self._endpoint
        question = Question(
            model=asked.model,
            system_prompt=asked.system_prompt,
            history=history,
            tools=tools_of(about),
            max_tokens=_length(asked, about),
            seed=asked.seed,
            temperature=asked.temperature,
            schema=self._schema,
            unwelcome=self._unwelcome,
        )
        while True:
            try:
                answer = await self._ask(self._wire.encode(question))
            except _RefusedError as error:
                if error.named - question.unwelcome:
                    question = msgspec.structs.replace(question, unwelcome=question.unwelcome | error.named)
                elif question.schema is not None:
                    question = msgspec.structs.replace(question, schema=None)
                else:
                    raise
            else:
                # What helped once is kept for the rest of the run.
                self._schema, self._unwelcome = question.schema, self._unwelcome | question.unwelcome
                return answer

    async def _ask(self, body: bytes) -> Answer:
        asked = self._endpoint
        tried = 0
        while True:
            try:
                await self._pace.turn()
                return await self._post(body)
            except _TransientError as error:
                if tried >= asked.retries:
                    raise UnusableAnswerError(f"{error}, {tried + 1} times in a row") from error
                wait_s = min(max(error.wait_s, asked.backoff_s * 2**tried), _LONGEST_WAIT_S)
            await asyncio.sleep(wait_s)
            tried += 1

    async def _post(self, body: bytes) -> Answer:
        if self._session is None:
            raise RedteamError(f"The target {self.name!r} is not open.", remedy="Use it inside 'async with'.")
        try:
            async with self._session.post(self._address, data=body, allow_redirects=False) as response:
                if response.status in _BUSY:
                    wait_s = min(_seconds(response.headers.get("Retry-After", "")), _LONGEST_WAIT_S)
                    self._pace.pause(wait_s)
                    raise _TransientError(f"the endpoint answered HTTP {response.status}", wait_s)
                return self._judge_status(response.status, await bounded_body(response))
        except TimeoutError as error:
            raise UnusableAnswerError(f"no answer within {self._endpoint.timeout_s:g} seconds") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise _TransientError("the connection failed") from error
        except aiohttp.ClientError as error:
            raise UnusableAnswerError("the endpoint does not speak HTTP") from error

    def _judge_status(self, status: int, body: bytes) -> Answer:
        if status == _OK:
            return self._wire.decode(body)
        if stop := guard_stop(body, status):
            return Answer("", filtered=True, stop=stop)
        reason = f"the endpoint answered HTTP {status}"
        raise _RefusedError(reason, _named(body)) if status in _UNWELCOME else UnusableAnswerError(reason)


def _named(refusal: bytes) -> frozenset[str]:
    """Which settings a refusal quotes by name, in words of its own or as the place of the error."""
    text = refusal[:_LONGEST_REFUSAL].decode("utf-8", "replace")
    return frozenset(name for name in _SETTINGS if any(f"{mark}{name}{mark}" in text for mark in _QUOTES))


async def bounded_body(response: aiohttp.ClientResponse) -> bytes:
    """Read a body of at most 256 KiB.

    Raises:
        UnusableAnswerError: It is larger, or compressed although that was not asked for.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnusableAnswerError("the endpoint sent a compressed answer")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnusableAnswerError(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(body)


def _length(asked: Endpoint, about: Attack | Benign) -> int:
    if isinstance(about, Benign):
        return asked.harmless_max_tokens
    if isinstance(about.goal, Flood):
        return asked.long_max_tokens
    return max(asked.max_tokens, _REPETITION) if isinstance(about.goal, Diverge | Recite) else asked.max_tokens


def _seconds(header: str) -> float:
    """`Retry-After` in seconds or as a date (RFC 9110, section 10.2.3); 0 where it is neither."""
    if header.isdecimal() and header.isascii():
        return float(header[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
