"""`serve.moderation`: an endpoint of OpenAI's shape must agree to what travels; without its opinion nothing does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
from aiohttp import web

from lockgate.core.errors import ConfigError
from lockgate.gateway import GatewayError

HELLO = [{"role": "user", "content": "When do you open?"}]


class Endpoint:
    """A moderation endpoint that scores what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.keys: list[str] = []
        self.scores: dict[str, float] = {"hate": 0.01, "violence": 0.02}
        self.bad_words: dict[str, float] = {}
        self.status = 200
        self.hang = False

    async def answer(self, request: web.Request) -> web.Response:
        text = (await request.json())["input"]
        self.asked.append(text)
        self.keys.append(request.headers.get("authorization", ""))
        if self.hang:
            await asyncio.sleep(30)
        worst = max([score for word, score in self.bad_words.items() if word in text], default=0.0)
        scores = self.scores | ({"violence": worst} if worst else {})
        return web.json_response({"id": "modr-1", "results": [{"category_scores": scores}]}, status=self.status)

    def settings(self, more: str = "") -> str:
        return f'  moderation: {{base_url: "{self.url}", timeout_s: 0.5, {more}}}\n'


@pytest.fixture
async def moderation() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/moderations", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()


async def test_it_sees_what_travels_and_nothing_of_the_application(
    start: Callable[..., Any], moderation: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODERATION_KEY", "sk-moderation")
    async with start(settings=moderation.settings("api_key_env: MODERATION_KEY")) as world:
        question = [{"role": "user", "content": "Write to ada@example.org, please."}]
        status, answer = await world.chat(messages=question)
        streamed, text = await world.chat_stream()
        embedding = {"model": "assistant", "input": ["one", "two"]}
        embedded, _, _ = await world.send("POST", "/v1/embeddings", json.dumps(embedding).encode())
    assert (status, streamed, embedded) == (200, 200, 200)
    assert answer["choices"][0]["message"]["content"] == "We open at nine."
    assert text.endswith("data: [DONE]\n\n")
    assert moderation.asked == ["Write to [EMAIL], please.", "When do you open?", "one\ntwo"]
    assert set(moderation.keys) == {"Bearer sk-moderation"}


async def test_its_key_is_shown_for_as_long_as_it_counts_where_it_lies(
    start: Callable[..., Any], moderation: Endpoint, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("kept") / "key"
    place.touch(0o600)
    place.write_text("sk-one")
    more = moderation.settings(f"api_key_ref: 'file:{place}'") + "  secrets: {ttl_s: 1}\n"
    async with start(settings=more) as world:
        assert (await world.chat())[0] == 200
        place.write_text("sk-two")
        await asyncio.sleep(1.1)
        assert (await world.chat())[0] == 200
        place.unlink()
        await asyncio.sleep(1.1)
        status, answer = await world.chat()
        assert (status, answer["error"]["code"]) == (503, "guard_unavailable")
    assert moderation.keys == ["Bearer sk-one", "Bearer sk-two"]


async def test_a_category_that_reaches_its_limit_blocks(start: Callable[..., Any], moderation: Endpoint) -> None:
    moderation.bad_words = {"fight": 0.6}
    async with start(settings=moderation.settings("thresholds: {violence: 0.55}")) as world:
        fight = [{"role": "user", "content": "How do I win a fight?"}]
        async with world.client as client:
            with pytest.raises(openai.BadRequestError) as refused:
                await client.chat.completions.create(model="assistant", messages=fight)
        assert (await world.chat())[0] == 200
        event = (await world.events(2))[0]
    assert refused.value.code == "content_filter"
    assert refused.value.response.headers["x-lockgate-verdict"] == "block"
    assert (event.action, event.labels) == ("block", ("moderation.violence",))
    assert len(world.model.bodies) == 1


@pytest.mark.parametrize("fault", ["down", "refuses", "hangs", "a category is missing"])
async def test_without_an_opinion_nothing_travels(start: Callable[..., Any], moderation: Endpoint, fault: str) -> None:
    more = "thresholds: {violence: 0.5}"
    match fault:
        case "down":
            moderation.url = "http://127.0.0.1:9/v1"
        case "refuses":
            moderation.status = 500
        case "hangs":
            moderation.hang = True
        case _:
            moderation.scores = {"hate": 0.0}
    async with start(settings=moderation.settings(more) + "  fail_open: [chat]\n") as world:
        status, answer = await world.chat()
        event = (await world.events())[0]
    assert (status, answer["error"]["code"]) == (503, "guard_unavailable")
    assert (event.action, event.labels) == ("error", ("guard.error", "guard.moderation"))
    assert world.model.bodies == []


async def test_answers_are_judged_before_a_piece_of_them_leaves(
    start: Callable[..., Any], moderation: Endpoint
) -> None:
    moderation.bad_words = {"stab": 0.9}
    async with start(settings=moderation.settings("of: [answers]")) as world:
        world.model.pieces = ["Boats are fine. " * 40, "First you stab. ", "Then you row. " * 40]
        status, answer = await world.chat()
        _, text = await world.chat_stream()
        world.model.pieces = ["We open ", "at nine."]
        world.model.tool_calls = [{"function": {"name": "look", "arguments": '{"at": "stab"}'}}]
        _, called = await world.chat_stream()
        world.model.tool_calls = []
        fine, good = await world.chat_stream()
    assert (status, answer["error"]["code"]) == (400, "content_filter")
    assert "Boats" not in text
    assert "content_filter" in text
    assert "look" not in called
    assert (fine, good.endswith("data: [DONE]\n\n")) == (200, True)
    assert "When do you open?" not in moderation.asked


async def test_settings_that_cannot_be_used_are_told(start: Callable[..., Any], moderation: Endpoint) -> None:
    with pytest.raises(GatewayError, match="MODERATION_KEY is not set"):
        async with start(settings=moderation.settings("api_key_env: MODERATION_KEY")):
            pass


async def test_what_reversible_keeps_to_itself_is_shown_to_nobody(
    start: Callable[..., Any], moderation: Endpoint
) -> None:
    with pytest.raises(ConfigError, match="reversible"):
        async with start(settings=moderation.settings("of: [answers]") + "  reversible: true\n"):
            pass


async def test_an_address_where_machines_keep_credentials_is_refused(start: Callable[..., Any]) -> None:
    with pytest.raises(GatewayError, match="credentials"):
        async with start(settings="  moderation: {base_url: 'http://169.254.169.254/v1'}\n"):
            pass
