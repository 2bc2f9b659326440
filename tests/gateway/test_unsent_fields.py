"""What official clients send although it asks for nothing: read, and not sent on."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

TURN = {"role": "user", "content": "When do you open?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
CHAT = {"model": "assistant", "messages": [TURN]}
RESPONSES = {"model": "assistant", "input": "When do you open?"}
MESSAGES = {"model": "assistant", "max_tokens": 20, "messages": [TURN]}

NULL_CHAT = """
    stop tools tool_choice logit_bias functions function_call user seed n stream temperature top_p max_tokens
    max_completion_tokens presence_penalty frequency_penalty logprobs top_logprobs response_format store metadata
    service_tier modalities audio prediction parallel_tool_calls stream_options reasoning_effort verbosity
    prompt_cache_key prompt_cache_retention safety_identifier web_search_options
"""
NULL_RESPONSES = """
    instructions max_output_tokens temperature top_p stream tools tool_choice parallel_tool_calls text reasoning
    metadata user safety_identifier include store background truncation previous_response_id conversation prompt
    prompt_cache_key prompt_cache_retention service_tier top_logprobs max_tool_calls stream_options
"""
NULL_MESSAGES = """
    system stop_sequences stream temperature top_p metadata tools tool_choice thinking service_tier mcp_servers
    container context_management inference_geo output_config output_format cache_control
"""
OF_CHAT: list[dict[str, Any]] = [
    dict.fromkeys(NULL_CHAT.split()),
    {"logit_bias": {}, "functions": [], "logprobs": False, "top_logprobs": 0, "modalities": ["text"], "n": 1},
    {"service_tier": "auto", "prompt_cache_key": "EVIL", "prompt_cache_retention": "24h", "verbosity": "medium"},
]
OF_RESPONSES: list[dict[str, Any]] = [
    dict.fromkeys(NULL_RESPONSES.split()),
    {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}, "text": {"verbosity": "medium"}},
    {"stream_options": {"include_obfuscation": False}, "top_logprobs": 0, "service_tier": "default", "store": False},
]
OF_MESSAGES: list[dict[str, Any]] = [
    dict.fromkeys(NULL_MESSAGES.split()),
    {"service_tier": "auto", "mcp_servers": [], "cache_control": {"type": "ephemeral"}},
]


async def sent(world: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    world.model.forget()
    status, _, raw = await world.send("POST", path, json.dumps(body).encode())
    assert status == 200, raw
    found: dict[str, Any] = world.model.bodies[0]
    return found


@pytest.mark.parametrize(
    ("path", "plain", "fields"),
    [
        *(("/v1/chat/completions", CHAT, fields) for fields in OF_CHAT),
        *(("/v1/responses", RESPONSES, fields) for fields in OF_RESPONSES),
        *(("/v1/messages", MESSAGES, fields) for fields in OF_MESSAGES),
    ],
)
async def test_what_asks_for_nothing_is_as_if_it_were_not_there(
    shared_world: Any, path: str, plain: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert await sent(shared_world, path, plain | fields) == await sent(shared_world, path, plain) | (
        {"n": 1} if fields.get("n") else {}
    )


async def test_an_earlier_answer_may_stand_there_as_it_came(shared_world: Any) -> None:
    earlier = {"role": "assistant", "content": "We do.", "refusal": None, "annotations": [], "audio": None}
    asked = {"role": "assistant", "content": None, "function_call": None, "tool_calls": [CALL | {"index": 0}]}
    result = {"role": "tool", "tool_call_id": "c1", "name": "find", "content": "nothing"}
    body = await sent(shared_world, "/v1/chat/completions", CHAT | {"messages": [TURN, earlier, TURN, asked, result]})
    assert body["messages"][2:] == [
        {"role": "assistant", "content": "We do."},
        TURN,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
    ]


async def test_a_tool_of_anthropics_keeps_its_strictness_and_loses_its_caller(shared_world: Any) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "find", "input": {}, "caller": {"type": "direct"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "nothing"}
    turns = [TURN, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    tool = {"name": "find", "input_schema": {"type": "object"}, "strict": True}
    body = await sent(shared_world, "/v1/messages", MESSAGES | {"messages": turns, "tools": [tool]})
    assert body["tools"][0]["function"]["strict"] is True
    assert "direct" not in json.dumps(body)


@pytest.mark.parametrize(
    ("path", "plain", "field", "value"),
    [
        ("/v1/chat/completions", CHAT, "logit_bias", {"50256": -100}),
        ("/v1/chat/completions", CHAT, "logprobs", True),
        ("/v1/chat/completions", CHAT, "functions", [{"name": "find"}]),
        ("/v1/chat/completions", CHAT, "modalities", ["text", "audio"]),
        ("/v1/chat/completions", CHAT, "service_tier", "flex"),
        ("/v1/chat/completions", CHAT, "prediction", {"type": "content", "content": "a"}),
        ("/v1/responses", RESPONSES, "include", ["message.output_text.logprobs"]),
        ("/v1/responses", RESPONSES, "max_tool_calls", 3),
        ("/v1/messages", MESSAGES, "mcp_servers", [{"type": "url", "url": "https://example.org", "name": "a"}]),
        ("/v1/messages", MESSAGES, "output_config", {"effort": "low"}),
    ],
)
async def test_what_asks_for_something_is_refused_by_name(
    shared_world: Any, path: str, plain: dict[str, Any], field: str, value: object
) -> None:
    shared_world.model.forget()
    status, _, raw = await shared_world.send("POST", path, json.dumps(plain | {field: value}).encode())
    error = json.loads(raw)["error"]
    assert (status, error["code"], error["param"].partition("[")[0]) == (400, "invalid_value", field)
    assert shared_world.model.bodies == []
