"""Asks a moderation endpoint of OpenAI's shape (`POST /v1/moderations`) for its opinion, and blocks when it has none.

Not imported by the package: a guard without it starts without an HTTP client.
"""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Annotated, Self

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from msgspec import Meta

from lockgate.core import Action, Reason, Span, Verdict
from lockgate.detect.linear import pattern, project
from lockgate.guard.errors import GuardError

_MAX_REPLY = 1 << 20
_CATEGORY = pattern(r"^[A-Za-z0-9][A-Za-z0-9 /_.-]{0,63}$")
_Score = Annotated[float, Meta(ge=0, le=1)]


class ModerationEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A moderation endpoint and what to make of its scores.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there; empty leaves the choice to the endpoint.
        api_key_env: Environment variable that holds its key; empty for none.
        thresholds: Score from which a category blocks, by category; above 1 never. Every category named here must be
            in the reply.
        others: Score from which any other category blocks.
        timeout_s: Seconds for the whole call.
        max_chars: Longest text that is sent; a longer one is blocked.
    """

    base_url: Annotated[str, Meta(pattern=r"^https?://[^\s?#]+$")]
    model: str = ""
    api_key_env: str = ""
    thresholds: Mapping[str, Annotated[float, Meta(gt=0, le=2)]] = {}
    others: Annotated[float, Meta(gt=0, le=2)] = 0.5
    timeout_s: Annotated[float, Meta(gt=0, le=120)] = 5.0
    max_chars: Annotated[int, Meta(gt=0)] = 100_000


class _Result(msgspec.Struct):
    category_scores: dict[str, _Score]


class _Reply(msgspec.Struct):
    results: Annotated[tuple[_Result, ...], Meta(min_length=1, max_length=1)]


class Moderator:
    """One pool of connections to one endpoint: no redirects, no proxies, no cookies, no retries.

    Use it as an async context manager, within one event loop.

    Args:
        endpoint: Where to ask, and what to make of the answer.
        key: Its key, where it does not lie in the environment; empty for none.
        resolver: Judges where names lead; by default any address will do.

    Raises:
        GuardError: The settings are wrong, the key cannot travel in a header, or its variable is not set.
    """

    def __init__(
        self, endpoint: ModerationEndpoint, *, key: str | None = None, resolver: AbstractResolver | None = None
    ) -> None:
        self.endpoint = _checked(endpoint)
        self._key = _key(endpoint.api_key_env) if key is None else _sendable(key, "The key of the moderation endpoint")
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Moderator({self.endpoint.base_url!r})"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver),
            timeout=aiohttp.ClientTimeout(total=self.endpoint.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    def use(self, key: str) -> None:
        """Show another key from now on.

        Raises:
            GuardError: It cannot travel in a header.
        """
        self._key = _sendable(key, "The key of the moderation endpoint")

    async def judge(self, text: str) -> Verdict:
        """Ask for an opinion on one text.

        Returns:
            ALLOW, or BLOCK with one reason a category (`moderation.<category>`, with its score). BLOCK with
            `guard.error` also when the endpoint cannot be reached in time, refuses, or replies with anything else.

        Raises:
            GuardError: The moderator is not open.
        """
        if self._session is None:
            raise GuardError("The moderator is not open.", remedy="Use it with 'async with'.")
        if len(text) > self.endpoint.max_chars:
            return _blocked(text, {"guard.too-long": 1.0}, "Is longer than the moderation endpoint is asked about.")
        try:
            scores = await self._scores(self._session, text)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.MsgspecError):
            # What went wrong may quote the text or the key, so it is not passed on.
            return _blocked(text, {"guard.error": 1.0}, "The moderation endpoint gave no opinion.")
        reached = {f"moderation.{name}": score for name, score in scores.items() if score >= self._threshold(name)}
        if reached:
            return _blocked(text, reached, "The moderation endpoint scores it at or above the limit.")
        return Verdict(Action.ALLOW, 0.0, (), text)

    async def _scores(self, session: aiohttp.ClientSession, text: str) -> dict[str, float]:
        authorization = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        question = {"input": text, **({"model": self.endpoint.model} if self.endpoint.model else {})}
        async with session.post(
            f"{self.endpoint.base_url.rstrip('/')}/moderations",
            data=msgspec.json.encode(question),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity", **authorization},
            allow_redirects=False,
        ) as response:
            if response.status != 200:  # noqa: PLR2004 - the one status of an opinion
                raise ValueError("refused")
            body = await response.content.read(_MAX_REPLY + 1)
            while not response.content.at_eof() and len(body) <= _MAX_REPLY:
                body += await response.content.read(_MAX_REPLY + 1 - len(body))
        if len(body) > _MAX_REPLY:
            raise ValueError("too long")
        scores = msgspec.json.decode(body, type=_Reply).results[0].category_scores
        missing = self.endpoint.thresholds.keys() - scores.keys()
        if not scores or missing or not all(_CATEGORY.match(project(name)) for name in scores):
            raise ValueError("not an opinion")
        return scores

    def _threshold(self, category: str) -> float:
        return self.endpoint.thresholds.get(category, self.endpoint.others)


def _checked(endpoint: ModerationEndpoint) -> ModerationEndpoint:
    try:
        return msgspec.convert(msgspec.to_builtins(endpoint), ModerationEndpoint)
    except msgspec.ValidationError as error:
        raise GuardError(
            f"The moderation endpoint's settings are wrong: {error}.", remedy="Correct that value."
        ) from None


def _key(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise GuardError(f"{variable} is not set to a key.", remedy="Set it to the moderation endpoint's API key.")
    return _sendable(key, variable)


def _sendable(key: str, what: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise GuardError(f"{what} is not set to a key.", remedy="Set it to the moderation endpoint's API key.")
    return key


def _blocked(text: str, scores: Mapping[str, float], message: str) -> Verdict:
    reasons = tuple(Reason(Span(0, len(text), label, score), message) for label, score in sorted(scores.items()))
    return Verdict(Action.BLOCK, 0.0, reasons, "")
