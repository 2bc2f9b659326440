"""A moderation endpoint's opinion on what is about to travel. It fails closed, whatever `serve.fail_open` says."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import cast

from lockgate.core import Action
from lockgate.core.config_upstreams import ModerationConfig
from lockgate.gateway.answer import GuardedStream
from lockgate.gateway.conversation import Answer
from lockgate.gateway.errors import GUARD_ERROR, GatewayError, content_filtered, guard_failed
from lockgate.gateway.judging import Slot, labels_of
from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.upstreams.addresses import check_url
from lockgate.gateway.upstreams.aiohttp_transport import GuardedResolver
from lockgate.gateway.upstreams.credentials import Resolve, read_api_key
from lockgate.guard.errors import GuardError
from lockgate.guard.moderation import ModerationEndpoint, Moderator

_MOST_LABELS = 32


class Moderation:
    """What must be agreed to before it travels. Use `open_moderation`.

    Args:
        moderator: Who is asked.
        settings: The section `serve.moderation`.
        secrets: Knows its key where that may change; None for the key that the moderator has.
    """

    def __init__(self, moderator: Moderator, settings: ModerationConfig, secrets: Secrets | None = None) -> None:
        self._moderator = moderator
        self._reference = settings.api_key_ref
        self._secrets = secrets
        self._of = frozenset(settings.of)

    async def judge_request(self, slots: Iterable[Slot]) -> None:
        """Ask about a request as the guard let it pass, without the application's own prompt.

        Raises:
            ApiError: 400 `content_filter` when a category reaches its limit, 503 without an opinion.
        """
        if "requests" in self._of:
            await self._judge("\n".join(slot.text for slot in slots), what="request")

    async def judge_answer(self, answer: Answer) -> None:
        """Ask about an answer as the guard let it pass: its text, names and arguments of its tool calls.

        Raises:
            ApiError: As in `judge_request`.
        """
        if "answers" in self._of:
            await self._judge(_said(answer), what="answer")

    async def events(self, stream: GuardedStream, events: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """The events of a stream; where answers are judged, all of them when the whole answer was.

        Raises:
            ApiError: As in `judge_request`; then none of them was given.
        """
        held: list[bytes] = []
        async with aclosing(events):
            async for event in events:
                if "answers" in self._of:
                    held.append(event)
                else:
                    yield event
        if stream.answer is not None:
            await self.judge_answer(stream.answer)
        for event in held:
            yield event

    async def _judge(self, text: str, *, what: str) -> None:
        if not text:
            return
        if self._secrets is not None and self._reference:
            try:
                self._moderator.use((await self._secrets.get(self._reference)).reveal())
            except (GatewayError, GuardError) as error:
                raise guard_failed("guard.moderation") from error
        verdict = await self._moderator.judge(text)
        if verdict.action is Action.ALLOW:
            return
        labels = labels_of(verdict)
        if GUARD_ERROR in labels:
            raise guard_failed("guard.moderation")
        raise content_filtered(labels[:_MOST_LABELS], 0.0, what=what)


@asynccontextmanager
async def open_moderation(
    settings: ModerationConfig, *, project_root: Path, resolve: Resolve, secrets: Secrets | None = None
) -> AsyncGenerator[Moderation]:
    """Connections to the endpoint, for as long as the block runs.

    Args:
        settings: The section `serve.moderation`.
        project_root: Where no key may lie.
        resolve: Looks references to secrets up.
        secrets: Where the key is looked up for every question, so that it counts no longer than there.

    Raises:
        GatewayError: The address, the key or a limit cannot be used.
    """
    check_url(settings.base_url, frozenset(), upstream="moderation")
    key = read_api_key(settings, project_root=project_root, resolve=resolve)
    endpoint = ModerationEndpoint(
        base_url=settings.base_url,
        model=settings.model,
        thresholds=settings.thresholds,
        others=settings.others,
        timeout_s=settings.timeout_s,
        max_chars=settings.max_chars,
    )
    try:
        moderator = Moderator(endpoint, key=key, resolver=GuardedResolver(frozenset()))
    except GuardError as error:
        raise GatewayError(error.message, remedy=error.remedy) from error
    async with moderator:
        yield Moderation(moderator, settings, secrets)


def _said(answer: Answer) -> str:
    functions = [cast("dict[str, str]", call["function"]) for call in answer.calls]
    return "\n".join([answer.text or "", *(text for item in functions for text in (item["name"], item["arguments"]))])
