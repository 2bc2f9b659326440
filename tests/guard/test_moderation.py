import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from lockgate.core import Action, Verdict
from lockgate.guard import GuardError
from lockgate.guard.moderation import ModerationEndpoint, Moderator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "sk-moderation-canary-4471"


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/moderations", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def scoring(**scores: object) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        assert (await request.json())["input"]
        return web.json_response({"id": "m", "model": "x", "results": [{"flagged": True, "category_scores": scores}]})

    return answer


async def judged(handler: Handler, text: str = "hello", **settings: object) -> Verdict:
    async with serving(handler) as url:
        endpoint = ModerationEndpoint(base_url=url, **settings)  # pyright: ignore[reportArgumentType]
        async with Moderator(endpoint) as moderator:
            return await moderator.judge(text)


def labels(verdict: Verdict) -> list[str]:
    return [reason.span.label for reason in verdict.reasons]


async def test_scores_block_from_their_thresholds_on() -> None:
    settings = {"thresholds": {"violence": 0.8, "hate": 0.2, "harassment": 1.5}}
    verdict = await judged(scoring(violence=0.79, hate=0.2, harassment=1.0, **{"self-harm/intent": 0.6}), **settings)
    assert verdict.action is Action.BLOCK
    assert labels(verdict) == ["moderation.hate", "moderation.self-harm/intent"]
    assert verdict.text == ""


async def test_low_scores_allow_the_text_as_it_is() -> None:
    verdict = await judged(scoring(violence=0.1, hate=0), "Grüße")
    assert verdict == Verdict(Action.ALLOW, 0.0, (), "Grüße")


async def test_key_and_model_are_sent_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MODERATION_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    seen: dict[str, object] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(key=request.headers["Authorization"], model=(await request.json())["model"])
        return web.Response(status=401, text=KEY)

    async with serving(answer) as url:
        endpoint = ModerationEndpoint(base_url=url, model="omni", api_key_env="MODERATION_KEY")
        async with Moderator(endpoint) as moderator:
            verdict = await moderator.judge("text-canary")
            assert KEY not in repr(moderator)
    assert seen == {"key": f"Bearer {KEY}", "model": "omni"}
    assert labels(verdict) == ["guard.error"]
    assert KEY not in repr(verdict) + repr(endpoint) + caplog.text
    assert "text-canary" not in caplog.text


def replying(body: str, status: int = 200) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    return answer


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "null",
        "[]",
        "{}",
        '{"results": []}',
        '{"results": [{}]}',
        '{"results": [{"flagged": false}]}',
        '{"results": [{"category_scores": {}}]}',
        '{"results": [{"category_scores": {"hate": "0.1"}}]}',
        '{"results": [{"category_scores": {"hate": -1}}]}',
        '{"results": [{"category_scores": {"hate": 1.5}}]}',
        '{"results": [{"category_scores": {"hate": null}}]}',
        '{"results": [{"category_scores": {"<script>": 0.1}}]}',
        '{"results": [{"category_scores": {"hate": 0.1}}, {"category_scores": {"hate": 0.1}}]}',
        '{"results": [{"category_scores": {"violence": 0.1}}]}',
        '{"results": [{"category_scores": {"hate": 0.1}}], "x": "' + "a" * (1 << 20) + '"}',
    ],
)
async def test_a_reply_that_is_no_opinion_blocks(body: str) -> None:
    verdict = await judged(replying(body), thresholds={"hate": 0.5})
    assert (verdict.action, labels(verdict)) == (Action.BLOCK, ["guard.error"])


@pytest.mark.parametrize("status", [204, 301, 400, 401, 429, 500, 503])
async def test_a_status_other_than_200_blocks(status: int) -> None:
    verdict = await judged(replying('{"results": [{"category_scores": {"hate": 0.0}}]}', status))
    assert labels(verdict) == ["guard.error"]


async def test_a_slow_endpoint_blocks() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.Response()

    assert labels(await judged(answer, timeout_s=0.1)) == ["guard.error"]


async def test_an_endpoint_that_hangs_up_blocks() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    assert labels(await judged(answer)) == ["guard.error"]


async def test_nobody_there_blocks() -> None:
    async with serving(scoring(hate=0.0)) as url:
        pass
    async with Moderator(ModerationEndpoint(base_url=url)) as moderator:
        assert labels(await moderator.judge("hello")) == ["guard.error"]


async def test_text_that_cannot_be_sent_or_is_too_long_blocks() -> None:
    assert labels(await judged(scoring(hate=0.0), "\ud800")) == ["guard.error"]
    assert labels(await judged(scoring(hate=0.0), "a" * 11, max_chars=10)) == ["guard.too-long"]


def test_a_key_that_is_not_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODERATION_KEY", raising=False)
    with pytest.raises(GuardError, match="MODERATION_KEY"):
        Moderator(ModerationEndpoint(base_url="https://example.org/v1", api_key_env="MODERATION_KEY"))


@pytest.mark.parametrize("settings", [{"base_url": "example.org"}, {"base_url": "https://x/v1", "others": 0.0}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(GuardError):
        Moderator(ModerationEndpoint(**settings))  # pyright: ignore[reportArgumentType]


async def test_a_moderator_that_is_not_open_is_refused() -> None:
    with pytest.raises(GuardError):
        await Moderator(ModerationEndpoint(base_url="https://example.org/v1")).judge("x")
