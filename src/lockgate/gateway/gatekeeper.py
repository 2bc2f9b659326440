"""May this caller have this, now: rules first, then limits, before the guard and the upstream do any work."""

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits.admission import Admission, Estimate, estimate_tokens
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.limits.standing import Shape
from lockgate.policy import Effect, RuleBook, request_attributes, request_rules


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
    messages: int = 0
    max_tokens: int = 0


class Gatekeeper:
    """Decides by the rules and limits of the settings.

    Without rules every verified caller may ask for every served model; with rules, what none allows is refused.

    Args:
        serve: The settings.
        limiter: Counts use; by default in this process alone.

    Raises:
        PolicyError: A rule is not valid.
    """

    def __init__(self, serve: ServeConfig, limiter: Limiter | None = None) -> None:
        self._rules: RuleBook | None = None if serve.rules is None else request_rules(serve.rules)
        self._limiter = limiter or Limiter(serve.limits)

    @property
    def healthy(self) -> bool:
        """Whether use can be counted where the settings say."""
        return self._limiter.healthy

    async def admit(self, asked: Asked) -> Admission:
        """Let a request through; use what it gives as a context.

        Raises:
            ApiError: 403 `not_allowed` or `approval_required` by a rule; 400, 429 or 503 by a limit.
        """
        prompt_tokens = estimate_tokens(len(asked.body))
        if self._rules is not None:
            _obey(self._rules, asked, prompt_tokens)
        estimate = Estimate(prompt_tokens, asked.max_tokens, asked.body)
        return await self._limiter.admit(asked.caller, asked.model, estimate, shape=asked.shape)


def _obey(rules: RuleBook, asked: Asked, prompt_tokens: int) -> None:
    caller = asked.caller
    ruling = rules.rule(
        request_attributes(
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
            prompt_tokens=prompt_tokens,
            max_tokens=asked.max_tokens,
        )
    )
    if ruling.effect is Effect.ALLOW:
        return
    code = "approval_required" if ruling.effect is Effect.ASK else "not_allowed"
    raise ApiError(403, code, ruling.reason, labels=(f"rule.{ruling.rule or 'none'}",))
