"""Something a red team can talk to."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import msgspec

from lockgate.redteam.answer import Answer, UnusableAnswerError, bounded_body, completion, is_guard_block
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.transcript import Conversation, Turn

_OK, _BAD_REQUEST = 200, 400
_BUSY = frozenset({429, 502, 503})
_LONGEST_WAIT_S = 10.0


class Target(Protocol):
    """A model, or an application around one."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """What it is: model digest, system prompt digest, guard and parameters. A journal of another is not reused."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the same fingerprint gives the same replies, so that a later run may use what this one judged."""
        ...

    async def converse(self, turns: Sequence[str], *, harmless: bool = False) -> Conversation:
        """Send the turns one by one, each with the whole conversation before it.

        Args:
            turns: What to say.
            harmless: Nothing is hoped for from the answers but that they are not refused, so they may be shorter.
        """
        ...


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAI-compatible endpoint and how to ask it.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there.
        api_key: Sent as a bearer token; empty for none.
        system_prompt: Put before every conversation; None where the application adds its own.
        max_tokens: Longest answer to an attack.
        harmless_max_tokens: Longest answer to a harmless message.
        seed: Seed of the model's sampling.
        temperature: 0 for the likeliest answer.
        timeout_s: Seconds for one answer.
        retries: How often one message is sent again after a lost connection or HTTP 429, 502 or 503.
        backoff_s: Seconds before the first retry, doubled for each further one.
    """

    base_url: str
    model: str
    api_key: str = ""
    system_prompt: str | None = None
    max_tokens: int = 32
    harmless_max_tokens: int = 32
    seed: int = 7
    temperature: float = 0.0
    timeout_s: float = 120.0
    retries: int = 3
    backoff_s: float = 0.5

    def __repr__(self) -> str:
        """Name the endpoint without its key and its prompt, which tracebacks would print."""
        return f"Endpoint({self.model} at {self.base_url})"


class _TransientError(Exception):
    """What may pass when the message is sent again, and after how many seconds."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class HttpTarget:
    """Talks to `/chat/completions`, without streaming. Use it as an async context manager.

    A guard's refusal (HTTP 400 with `error.code` `content_filter`) is a blocked turn. Whatever else is not an answer
    ends the conversation with an error, so that it is never counted as resistance.

    Args:
        name: What reports call it.
        fingerprint: What it is; see `Target.fingerprint`.
        endpoint: Where it is and how to ask it.
        repeatable: See `Target.repeatable`.

    Raises:
        RedteamError: The address is not one of HTTP.
    """

    def __init__(self, name: str, *, fingerprint: str, endpoint: Endpoint, repeatable: bool = False) -> None:
        if not endpoint.base_url.startswith(("http://", "https://")):
            raise RedteamError(f"The target {name!r} has no http or https address.", remedy="Correct its base_url.")
        self.name = name
        self.fingerprint = fingerprint
        self.repeatable = repeatable
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        key = self._endpoint.api_key
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json", "User-Agent": "lockgate"}
        self._session = aiohttp.ClientSession(
            headers=headers | ({"Authorization": f"Bearer {key}"} if key else {}),
            timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout_s),
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

    async def converse(self, turns: Sequence[str], *, harmless: bool = False) -> Conversation:
        """Send the turns one by one, each with the whole conversation before it.

        Raises:
            RedteamError: The target was not opened with `async with`.
        """
        asked = self._endpoint
        prompt = asked.system_prompt
        history = [{"role": "system", "content": prompt}] if prompt is not None else []
        done: list[Turn] = []
        for text in turns:
            history.append({"role": "user", "content": text})
            try:
                answer = await self._ask(history, asked.harmless_max_tokens if harmless else asked.max_tokens)
            except UnusableAnswerError as error:
                return Conversation(tuple(done), error=str(error))
            done.append(Turn(text, answer.text, answer.filtered))
            if answer.filtered:
                break
            history.append({"role": "assistant", "content": answer.text})
        return Conversation(tuple(done))

    async def _ask(self, history: list[dict[str, str]], max_tokens: int) -> Answer:
        asked = self._endpoint
        body = msgspec.json.encode(
            {
                "model": asked.model,
                "messages": history,
                "max_tokens": max_tokens,
                "seed": asked.seed,
                "temperature": asked.temperature,
                "stream": False,
            }
        )
        tried = 0
        while True:
            try:
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
        address = self._endpoint.base_url.rstrip("/") + "/chat/completions"
        try:
            async with self._session.post(address, data=body, allow_redirects=False) as response:
                if response.status in _BUSY:
                    wait_s = _seconds(response.headers.get("Retry-After", ""))
                    raise _TransientError(f"the endpoint answered HTTP {response.status}", wait_s)
                return _judge_status(response.status, await bounded_body(response))
        except TimeoutError as error:
            raise UnusableAnswerError(f"no answer within {self._endpoint.timeout_s:g} seconds") from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise _TransientError("the connection failed") from error
        except aiohttp.ClientError as error:
            raise UnusableAnswerError("the endpoint does not speak HTTP") from error


class SplitTarget:
    """One target with two doors, so that harmless conversations and attacks do not wait for each other.

    Args:
        attacked: Where attacks go. Its name and fingerprint are those of both.
        harmless: The same application again, for harmless conversations.
    """

    def __init__(self, attacked: Target, harmless: Target) -> None:
        self.name = attacked.name
        self.fingerprint = attacked.fingerprint
        self.repeatable = attacked.repeatable and harmless.repeatable
        self._doors = {False: attacked, True: harmless}

    async def converse(self, turns: Sequence[str], *, harmless: bool = False) -> Conversation:
        """Send the turns to the door that they belong to."""
        return await self._doors[harmless].converse(turns, harmless=harmless)


def _judge_status(status: int, body: bytes) -> Answer:
    if status == _OK:
        return completion(body)
    if status == _BAD_REQUEST and is_guard_block(body):
        return Answer("", filtered=True)
    raise UnusableAnswerError(f"the endpoint answered HTTP {status}")


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() and header.isascii() else 0.0
