import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from lockgate.core.config import ServeConfig
from lockgate.gateway import ApiError
from lockgate.gateway.upstreams import Router, open_router
from lockgate.gateway.upstreams.anthropic_dialect import AnthropicDialect
from lockgate.gateway.upstreams.anthropic_request import to_messages

TOOL = {"type": "function", "function": {"name": "tide", "description": "Tells it", "parameters": {"type": "object"}}}


def translated(**fields: Any) -> dict[str, Any]:
    body = {"model": "ours", "messages": [{"role": "user", "content": "Hi"}], **fields}
    found: dict[str, Any] = to_messages(json.dumps(body).encode(), "claude")
    return json.loads(msgspec.json.encode(found))


def test_a_conversation_with_tools_is_translated_whole() -> None:
    found = translated(
        messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "When is high tide?"}]},
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"d":1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "At nine."},
            {"role": "user", "content": "Thanks"},
        ],
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        stop="END",
        user="u-1",
        max_completion_tokens=7,
        temperature=0.5,
        stream=True,
    )
    assert found == {
        "model": "claude",
        "max_tokens": 7,
        "system": "Be kind.\n\nBe brief.",
        "stream": True,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "tools": [{"name": "tide", "description": "Tells it", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "When is high tide?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "c1", "name": "tide", "input": {"d": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "At nine."},
                    {"type": "text", "text": "Thanks"},
                ],
            },
        ],
    }


def test_images_schemas_and_named_tools_are_translated() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    schema = {"type": "object", "properties": {}}
    found = translated(
        messages=[{"role": "user", "content": parts}],
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "tide"}},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
    )
    assert found["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
    ]
    assert found["tool_choice"] == {"type": "tool", "name": "tide"}
    assert found["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


@pytest.mark.parametrize(
    "fields",
    [
        {"logit_bias": {"1": 2}},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "system", "content": "only"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x,AA"}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "["}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "1"}}]}]},
        {"messages": "none"},
    ],
)
def test_what_cannot_be_said_is_refused_and_not_dropped(fields: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        translated(**fields)
    assert (caught.value.status, caught.value.code) == (400, "unsupported_by_upstream")


def test_other_interfaces_are_refused() -> None:
    with pytest.raises(ApiError, match="this address"):
        AnthropicDialect("https://x/v1", "k", version="2023-06-01").call("embeddings", b"{}", "m", streams=False)


def event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


STREAM = "".join(
    [
        event("message_start", message={"content": [], "usage": {"input_tokens": 9, "cache_read_input_tokens": 1}}),
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hidden"}),
        event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
        event("ping"),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "At "}),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "nine."}),
        event("content_block_stop", index=1),
        event(
            "content_block_start", index=2, content_block={"type": "tool_use", "id": "t", "name": "tide", "input": {}}
        ),
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": '{"d":'}),
        event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": "1}"}),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 5}),
        event("message_stop"),
    ]
)
WHOLE = {
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "hidden", "signature": "s"},
        {"type": "text", "text": "At "},
        {"type": "text", "text": "nine."},
        {"type": "tool_use", "id": "t", "name": "tide", "input": {"d": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 9, "cache_read_input_tokens": 1, "output_tokens": 5},
}


class FakeAnthropic:
    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.stream = STREAM
        self.whole: Any = WHOLE

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, body))
        if body.get("stream"):
            return web.Response(text=self.stream, content_type="text/event-stream")
        return web.json_response(self.whole)


@pytest.fixture
async def fake() -> Any:
    fake = FakeAnthropic()
    app = web.Application()
    app.router.add_post("/v1/messages", fake.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"  # type: ignore[attr-defined]
    yield fake
    await runner.cleanup()


def settings(fake: Any) -> ServeConfig:
    place = {"kind": "anthropic", "base_url": fake.url, "model": "claude", "api_key_env": "ANTHROPIC_TEST_KEY"}
    return msgspec.convert({"upstreams": {"a": place}, "models": {"assistant": [{"upstream": "a"}]}}, ServeConfig)


BODY = b'{"model":"x","messages":[{"role":"user","content":"When?"}],"max_tokens":16}'


async def test_a_whole_answer_and_a_stream_say_the_same(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_TEST_KEY", "sk-ant")
    async with open_router(settings(fake), project_root=tmp_path, endpoints={}) as router:
        whole = await router.complete(BODY, alias="assistant")
        streamed = BODY.replace(b"{", b'{"stream":true,', 1)
        async with router.stream(streamed, alias="assistant") as chunks:
            pieces = [chunk async for chunk in chunks]
    message = whole.choices[0].message
    assert message
    assert message.tool_calls
    assert (message.content, whole.choices[0].finish_reason) == ("At nine.", "tool_calls")
    assert message.tool_calls[0].function.arguments == '{"d": 1}'
    deltas = [chunk.choices[0].delta for chunk in pieces if chunk.choices[0].delta]
    assert "".join(delta.content or "" for delta in deltas) == "At nine."
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert {call.index for call in calls} == {0}
    assert "".join(call.function.arguments or "" for call in calls) == '{"d":1}'
    assert pieces[-1].usage == whole.usage
    assert whole.usage
    assert (whole.usage.prompt_tokens, whole.usage.total_tokens) == (10, 15)
    headers, body = fake.requests[0]
    assert headers["x-api-key"] == "sk-ant"
    assert headers["anthropic-version"] == "2023-06-01"
    assert body["model"] == "claude"
    assert "hidden" not in repr(pieces) + repr(whole)


async def test_token_counts_that_are_none_spoil_no_answer(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_TEST_KEY", "sk-ant")
    for odd in (None, {"output_tokens": 10**30}, {"output_tokens": -1}):
        fake.stream = event("content_block_delta", delta={"type": "text_delta", "text": "At nine."})
        fake.stream += event("message_delta", delta={"stop_reason": "end_turn"}, usage=odd) + event("message_stop")
        async with (
            open_router(settings(fake), project_root=tmp_path, endpoints={}) as router,
            router.stream(BODY.replace(b"{", b'{"stream":true,', 1)) as chunks,
        ):
            pieces = [piece async for piece in chunks]
        assert [piece.usage for piece in pieces] == [None, None]
        assert pieces[0].choices[0].delta
        assert pieces[0].choices[0].delta.content == "At nine."


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (STREAM.replace(event("message_stop"), ""), "broke off"),
        (event("error", error={"message": "secrets"}), "reported an error"),
        ("data: nonsense\n\n", "no chat completion"),
        ('data: {"type": 1}\n\n', "no chat completion"),
    ],
)
async def test_a_broken_stream_is_an_error(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str, message: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_TEST_KEY", "sk-ant")
    fake.stream = stream
    async with open_router(settings(fake), project_root=tmp_path, endpoints={}) as router:
        with pytest.raises(ApiError, match=message):
            await drain(router)


async def drain(router: Router) -> None:
    async with router.stream(BODY.replace(b"{", b'{"stream":true,', 1)) as chunks:
        async for _ in chunks:
            pass


@pytest.mark.parametrize("whole", [{}, {"content": "x"}, {"content": [{"type": "text", "text": 1}]}, []])
async def test_an_answer_that_is_no_message_is_an_error(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Any
) -> None:
    monkeypatch.setenv("ANTHROPIC_TEST_KEY", "sk-ant")
    fake.whole = whole
    async with open_router(settings(fake), project_root=tmp_path, endpoints={}) as router:
        with pytest.raises(ApiError, match="no chat completion"):
            await router.complete(BODY)
