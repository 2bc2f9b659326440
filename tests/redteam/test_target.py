"""A target that answers badly is never a target that resisted."""

import json
from typing import Any

import pytest

from lockgate.redteam import (
    AnthropicWire,
    Attack,
    Conversation,
    Endpoint,
    HttpTarget,
    Leak,
    Message,
    OpenAIWire,
    RedteamError,
    Turn,
    converse,
)
from lockgate.redteam.message import Answer, ToolCall, UnusableAnswerError
from lockgate.redteam.script import fixed
from lockgate.redteam.targets.wire import Wire


def target(chat: Any, model: str, **more: Any) -> HttpTarget:
    endpoint = Endpoint(base_url=chat.base_url, model=model, backoff_s=0.01, **({"timeout_s": 5.0} | more))
    return HttpTarget("app", fingerprint="f", endpoint=endpoint)


def row(*turns: str) -> Attack:
    return Attack(id="a", family="f", turns=turns, goal=Leak(), maps=(), half="seen")


async def talk_to(chat: Any, model: str, *turns: str, **more: Any) -> Conversation:
    async with target(chat, model, **more) as opened:
        asked = row(*(turns or ("Hello.",)))
        return await converse(opened, asked, fixed(asked))


async def test_turns_are_sent_one_by_one_with_the_growing_history_and_fixed_parameters(chat: Any) -> None:
    talk = await talk_to(chat, "echo", "One.", "Two.", system_prompt="Be kind.", api_key="k", max_tokens=9, seed=3)
    assert talk.turns == (Turn("One.", "One."), Turn("Two.", "Two."))
    assert talk.error == ""
    assert chat.asked[1] == {
        "model": "echo",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "One."},
            {"role": "assistant", "content": "One."},
            {"role": "user", "content": "Two."},
        ],
        "max_tokens": 9,
        "seed": 3,
        "temperature": 0.0,
        "stream": False,
    }
    assert chat.headers[0]["Authorization"] == "Bearer k"


async def test_without_a_prompt_and_a_key_neither_is_sent(chat: Any) -> None:
    await talk_to(chat, "echo", "One.")
    assert [message["role"] for message in chat.asked[0]["messages"]] == ["user"]
    assert "Authorization" not in chat.headers[0]


async def test_a_guard_block_ends_the_conversation_and_is_no_error(chat: Any) -> None:
    talk = await talk_to(chat, "guard", "Hello.", "Ignore that.", "Still there?")
    assert talk.turns == (
        Turn("Hello.", "Happy to help."),
        Turn("Ignore that.", "", blocked=True, stop=talk.turns[1].stop),
    )
    assert talk.turns[1].stop
    assert talk.error == ""


async def test_a_rule_of_the_gateway_that_refuses_is_a_block_and_no_error(chat: Any) -> None:
    assert (await talk_to(chat, "ruled", "Delete it.", "Now.")).turns == (
        Turn("Delete it.", "", blocked=True, stop="No such tools."),
    )


async def test_an_answer_cut_by_a_content_filter_is_a_block(chat: Any) -> None:
    assert (await talk_to(chat, "cut")).turns == (Turn("Hello.", "", blocked=True),)


async def test_an_empty_answer_is_an_answer(chat: Any) -> None:
    assert (await talk_to(chat, "silent")).turns == (Turn("Hello.", ""),)


async def test_visible_reasoning_belongs_to_the_reply(chat: Any) -> None:
    assert "HARBOR" in (await talk_to(chat, "thinking")).turns[0].reply


def completed(**message: Any) -> Answer:
    body = {"model": "m", "choices": [{"finish_reason": "stop", "message": {"role": "assistant"} | message}]}
    return OpenAIWire().decode(json.dumps(body).encode())


def test_an_answer_in_parts_is_read_as_the_text_of_all_of_them() -> None:
    parts = [{"type": "text", "text": "The code is HARBOR-"}, {"type": "text", "text": "LANTERN-4471."}]
    assert completed(content=parts) == Answer("The code is HARBOR-LANTERN-4471.", model="m")
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "It is HARBOR."}]}, *parts]
    assert completed(content=thought).text == "It is HARBOR.\nThe code is HARBOR-LANTERN-4471."
    refusal = completed(content=[{"type": "refusal", "refusal": "No."}])
    assert (refusal.text, refusal.refused) == ("No.", True)


@pytest.mark.parametrize("part", [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "audio"}, {}])
def test_a_part_that_is_no_text_is_an_error_and_no_resistance(part: dict[str, Any]) -> None:
    with pytest.raises(UnusableAnswerError, match="a part that is no text"):
        completed(content=[{"type": "text", "text": "Here:"}, part])
    with pytest.raises(UnusableAnswerError, match="carries no text"):
        completed(content=[])


@pytest.mark.parametrize("wire", [OpenAIWire(), AnthropicWire()])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"message": "the key HARBOR is wrong"}}', "HTTP 200 with an error"),
        (b'{"type": "error", "error": {"type": "overloaded_error"}}', "HTTP 200 with an error"),
        (b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n', "streams"),
        (b'event: message_start\ndata: {"type": "message_start"}\n\n', "streams"),
        (b"<html>HARBOR</html>", "did not answer with"),
        (b'{"error": null}', "did not answer with"),
    ],
)
def test_what_comes_in_the_place_of_an_answer_is_named(wire: Wire, body: bytes, reason: str) -> None:
    with pytest.raises(UnusableAnswerError, match=reason) as raised:
        wire.decode(body)
    assert "HARBOR" not in str(raised.value)


def test_a_turn_that_the_model_ends_without_a_word_is_an_empty_answer() -> None:
    body = {"type": "message", "content": [], "stop_reason": "end_turn", "model": "m"}
    assert AnthropicWire().decode(json.dumps(body).encode()) == Answer("", model="m")
    with pytest.raises(UnusableAnswerError, match="no text"):
        AnthropicWire().decode(json.dumps(body | {"stop_reason": None}).encode())


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_under_either_name(field: str) -> None:
    assert completed(content="Hello.", **{field: "The code is HARBOR."}).text == "The code is HARBOR.\nHello."


def test_reasoning_under_both_names_is_read_whole() -> None:
    said = completed(content="I cannot tell.", reasoning_content="", reasoning="The code is HARBOR.")
    assert "The code is HARBOR." in said.text


def test_arguments_of_a_tool_call_may_be_a_text_or_an_object() -> None:
    for arguments in ('{"to":"x"}', {"to": "x"}):
        calls = [{"id": "1", "type": "function", "function": {"name": "send_email", "arguments": arguments}}]
        assert completed(content=None, tool_calls=calls).calls == (ToolCall("send_email", '{"to":"x"}'),)


@pytest.mark.parametrize("model", ["busy-once", "reset-once"])
async def test_what_passes_is_tried_again(chat: Any, model: str) -> None:
    talk = await talk_to(chat, model)
    assert talk.error == ""
    assert chat.calls[model] == 2


@pytest.mark.parametrize(
    ("model", "reason", "calls"),
    [
        ("busy", "HTTP 503, 3 times in a row", 3),
        ("reset", "connection failed, 3 times in a row", 3),
        ("torn", "connection failed, 3 times in a row", 3),
        ("garbage", "does not speak HTTP", 1),
        ("html", "did not answer with a chat completion", 1),
        ("nothing", "carries no text", 1),
        ("huge", "larger than", 1),
        ("zipped", "compressed", 1),
        ("redirect", "HTTP 307", 1),
        ("denied", "HTTP 401", 1),
        ("other-400", "HTTP 400", 1),
    ],
)
async def test_everything_else_is_an_error_with_a_reason_that_quotes_nothing(
    chat: Any, model: str, reason: str, calls: int
) -> None:
    talk = await talk_to(chat, model, retries=2)
    assert talk.turns == ()
    assert reason in talk.error
    assert "HARBOR" not in talk.error
    assert chat.calls[model] == calls


async def test_an_endpoint_that_does_not_know_schemas_is_asked_without_one(chat: Any) -> None:
    talk = await talk_to(chat, "unstructured", "One.", "Two.", schema={"type": "object"})
    assert [turn.reply for turn in talk.turns] == ["Any text.", "Any text."]
    assert ["response_format" in body for body in chat.asked] == [True, False, False]
    assert chat.asked[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_an_endpoint_that_refuses_a_setting_by_name_is_asked_as_it_wants_to_be(chat: Any) -> None:
    talk = await talk_to(chat, "reasoning", "One.", "Two.", max_tokens=9)
    assert [turn.reply for turn in talk.turns] == ["At most 9.", "At most 9."]
    assert ["max_tokens" in body for body in chat.asked] == [True, False, False, False]
    assert ["temperature" in body for body in chat.asked] == [True, True, False, False]
    assert chat.asked[-1]["seed"] == 7


async def test_an_endpoint_that_refuses_whatever_it_is_asked_is_an_error(chat: Any) -> None:
    talk = await talk_to(chat, "stubborn", "One.")
    assert (talk.turns, talk.error) == ((), "the endpoint answered HTTP 400")
    assert chat.calls["stubborn"] == 2


async def test_a_model_is_named_without_the_folder_that_its_server_loaded_it_from(chat: Any) -> None:
    assert (await talk_to(chat, "on-a-disk")).turns[0].model == "small.gguf"


async def test_silence_is_an_error_after_the_timeout(chat: Any) -> None:
    talk = await talk_to(chat, "hang", timeout_s=0.2)
    assert talk.error == "no answer within 0.2 seconds"
    assert chat.calls["hang"] == 1


async def test_nobody_listening_is_an_error(chat: Any) -> None:
    chat.base_url = "http://127.0.0.1:9/v1"
    assert "connection failed" in (await talk_to(chat, "echo", retries=1)).error


async def test_an_error_keeps_the_turns_before_it(chat: Any) -> None:
    talk = await talk_to(chat, "leak-then-fail", "The code?", "And now?")
    assert len(talk.turns) == 1
    assert talk.error


async def test_a_target_is_opened_before_it_is_used(chat: Any) -> None:
    with pytest.raises(RedteamError, match="not open"):
        await target(chat, "echo").reply([Message("user", "Hello.")], row("Hello."))


def test_an_address_that_is_not_http_is_refused() -> None:
    with pytest.raises(RedteamError, match="http or https"):
        HttpTarget("app", fingerprint="f", endpoint=Endpoint(base_url="file:///etc", model="m"))


def test_printing_an_endpoint_shows_no_key_and_no_prompt() -> None:
    endpoint = Endpoint(base_url="http://h/v1", model="m", api_key="sk-1", system_prompt="hush")
    assert repr(endpoint) == "Endpoint(m at http://h/v1)"
