"""May this caller have this, now: rules first, then limits, before the guard and the upstream do any work."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.core.config_limits import RuleConfig
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits.admission import Admission, Estimate, estimate_tokens
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.limits.slots import Place
from lockgate.gateway.limits.standing import Shape
from lockgate.policy import (
    FOUND_LATER,
    CedarBook,
    Effect,
    Ruling,
    read_cedar,
    request_attributes,
    request_rules,
    strictest,
    waits,
)

# What a picture costs differs by model, from about 85 to 1,600 tokens; its base64 says nothing about it.
_TOKENS_UNSCANNED = 1_600
_SENSITIVE = (("secret", ("secret.", "leak.")), ("personal", ("pii.",)))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified caller asks for, in the terms that rules and limits decide on.

    Attributes:
        action: Which surface, in the words of rules: `chat`, `completions`, `responses`, `messages`, `embeddings` or
            `guard`.
        caller: Who asks.
        model: The served model; never a name that nobody checked.
        body: The body as it came.
        shape: Whose header names the caller expects.
        tools: Names of the tools that the request defines.
        streams: Whether the answer is streamed.
        unscanned: Parts that the guard cannot read.
        media_bytes: Bytes of the body that they take.
        messages: Turns of the conversation.
        max_tokens: Longest answer; 0 where the surface has none.
    """

    action: str
    caller: Caller
    model: str
    body: bytes
    shape: Shape = "openai"
    tools: tuple[str, ...] = ()
    streams: bool = False
    unscanned: int = 0
    media_bytes: int = 0
    messages: int = 0
    max_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt, rather too many than too few."""
        return estimate_tokens(len(self.body) - self.media_bytes) + self.unscanned * _TOKENS_UNSCANNED


class Gatekeeper:
    """Decides by the rules and limits of the settings.

    Without rules and Cedar policies every verified caller may ask for every served model; with either, what none of
    them allows is refused, and with both each must allow.

    Args:
        serve: The settings.
        limiter: Counts use.
        cedar: The text of the Cedar policies that the settings name; empty where they name none.

    Raises:
        PolicyError: A rule or policy is not valid, or the library for Cedar is missing.
    """

    def __init__(self, serve: ServeConfig, limiter: Limiter, cedar: str = "") -> None:
        self._rules = _Rules(serve, cedar) if serve.rules is not None or serve.cedar else None
        self._limiter = limiter

    @property
    def healthy(self) -> bool:
        """Whether use can be counted where the settings say."""
        return self._limiter.healthy

    def enter(self, caller: Caller) -> Place:
        """Count a request as in progress, before its body is read; use what it gives as a context.

        Raises:
            ApiError: 429 or 503, too many are in progress.
        """
        return self._limiter.enter(caller)

    async def admit(self, asked: Asked) -> Admission:
        """Let a request through to the guard; use what it gives as a context.

        Raises:
            ApiError: 403 `not_allowed` or `approval_required` by a rule; 400, 429 or 503 by a limit.
        """
        if self._rules is not None:
            self._rules.judge_before(asked)
        estimate = Estimate(asked.prompt_tokens, asked.max_tokens, asked.body)
        return await self._limiter.admit(asked.caller, asked.model, estimate, shape=asked.shape)

    def confirm(self, asked: Asked, labels: Collection[str] | None) -> None:
        """Let a request through to the upstream, now that the guard has looked at it.

        Args:
            asked: What `admit` let through.
            labels: What the guard found in it; None where it could not look, and then rules that ask for it deny.

        Raises:
            ApiError: 403 as in `admit`, by a rule that speaks of what the guard finds.
        """
        if self._rules is not None:
            self._rules.judge_after(asked, labels)


class _Book(Protocol):
    """Rules or policies."""

    def rule(self, attributes: Mapping[str, object]) -> Ruling: ...


class _Rules:
    """Rules and Cedar policies, of which those that speak of what the guard finds wait until it has looked.

    Until then a request is refused only if one says so in so many words: one of those that wait may yet allow it.
    """

    def __init__(self, serve: ServeConfig, cedar: str) -> None:
        self._books: list[tuple[_Book, _Book | None]] = []
        if serve.rules is not None:
            self._books.append(_rules(serve.rules))
        if serve.cedar:
            self._books.append(_policies(cedar))

    def judge_before(self, asked: Asked) -> None:
        attributes = _attributes(asked)
        rulings = ((book.rule(attributes), after) for book, after in self._books)
        said = [ruling for ruling, after in rulings if after is None or ruling.rule]
        if said:
            _obey(strictest(*said))

    def judge_after(self, asked: Asked, labels: Collection[str] | None) -> None:
        waiting = [after for _, after in self._books if after is not None]
        if waiting:
            found = {} if labels is None else {"labels": sorted(labels), "sensitivity": _sensitivity(labels)}
            attributes = _attributes(asked) | found
            _obey(strictest(*(book.rule(attributes) for book in waiting)))


def _rules(rules: Iterable[RuleConfig]) -> tuple[_Book, _Book | None]:
    every = tuple(rules)
    before = tuple(rule for rule in every if not any(name in rule.when for name in FOUND_LATER))
    return request_rules(before), request_rules(every) if len(before) < len(every) else None


def _policies(text: str) -> tuple[_Book, _Book | None]:
    every = read_cedar(text)
    before = tuple(policy for policy in every if not waits(policy))
    return CedarBook(before), CedarBook(every) if len(before) < len(every) else None


def _sensitivity(labels: Collection[str]) -> str:
    for word, families in _SENSITIVE:
        if any(label.startswith(families) for label in labels):
            return word
    return "none"


def _attributes(asked: Asked) -> dict[str, object]:
    caller = asked.caller
    return request_attributes(
        action=asked.action,
        key=caller.key_id,
        tenant=caller.tenant,
        name=caller.name,
        scopes=caller.scopes,
        model=asked.model,
        tools=asked.tools,
        stream=asked.streams,
        images=asked.unscanned,
        messages=asked.messages,
        body_bytes=len(asked.body),
        prompt_tokens=asked.prompt_tokens,
        max_tokens=asked.max_tokens,
    )


def _obey(ruling: Ruling) -> None:
    if ruling.effect is Effect.ALLOW:
        return
    code = "approval_required" if ruling.effect is Effect.ASK else "not_allowed"
    raise ApiError(403, code, ruling.reason, labels=(f"rule.{ruling.rule or 'none'}",))
