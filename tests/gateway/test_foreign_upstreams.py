"""What servers that call themselves compatible with OpenAI send, though OpenAI does not."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from aiohttp import web

shared = pytest.mark.asyncio(loop_scope="module")

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]
DONE = b"data: [DONE]\n\n"


def event(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def chunk(reason: str | None = None, **delta: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def called(number: int, call_id: str | None, name: str | None, arguments: str, **more: object) -> bytes:
    function = {"name": name, "arguments": arguments}
    return event(chunk(tool_calls=[{"index": number, "id": call_id, "function": function, **more}]))


HELLO = [chunk(content="We open "), chunk(content="at nine."), chunk("stop")]
USED = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
AZURE = {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 0}}]}
PLAIN = b"".join(map(event, HELLO))


def streams(raw: bytes) -> Reply:
    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(raw)
        return response

    return reply


def says(document: object) -> Reply:
    async def reply(_: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    return reply


async def streamed(world: Any, raw: bytes) -> Any:
    world.model.forget()
    world.model.reply = streams(raw)
    options: Any = {"include_usage": True}
    messages: Any = [{"role": "user", "content": "When do you open?"}]
    async with (
        world.client as ask,
        ask.chat.completions.stream(model="assistant", messages=messages, stream_options=options) as stream,
    ):
        async for _ in stream:
            pass
        return await stream.get_final_completion()


WHOLE = {
    "a mark of the byte order": b"\xef\xbb\xbf" + PLAIN + DONE,
    "an event without data": b"data:\n\n" + PLAIN + b"data: \n\n" + DONE,
    "no blank line at the end": PLAIN + b"data: [DONE]\n",
    "no line end at the end": PLAIN + b"data: [DONE]",
    "an empty role": event(chunk(role="", content="")) + PLAIN + DONE,
    "a choice without a delta": event(AZURE) + PLAIN + event(AZURE) + DONE,
    "a delta that is null": event({"choices": [{"index": 0, "delta": None}]}) + PLAIN + DONE,
    "no choices": PLAIN + event({"usage": USED}) + DONE,
    "choices that are null": PLAIN + event({"choices": None, "usage": USED}) + DONE,
    "no error": PLAIN + event({"choices": [], "error": None}) + DONE,
}


@shared
@pytest.mark.parametrize("name", list(WHOLE))
async def test_odd_streams_are_read(shared_world: Any, name: str) -> None:
    answer = await streamed(shared_world, WHOLE[name])
    assert answer.choices[0].message.content == "We open at nine."
    assert (answer.usage and answer.usage.total_tokens) == (8 if b"total_tokens" in WHOLE[name] else None)


USELESS = {
    "null": USED | {"completion_tokens": None},
    "a fraction": USED | {"completion_tokens": 2.5},
    "text": "many",
    "negative": USED | {"completion_tokens": -3},
    "beyond all measure": USED | {"completion_tokens": 10**30},
}


@shared
@pytest.mark.parametrize("name", list(USELESS))
async def test_a_count_of_tokens_that_is_none_spoils_no_answer(shared_world: Any, name: str) -> None:
    answer = await streamed(shared_world, PLAIN + event({"choices": [], "usage": USELESS[name]}) + DONE)
    assert (answer.choices[0].message.content, answer.usage) == ("We open at nine.", None)
    message = {"role": "", "content": "We open at nine."}
    shared_world.model.reply = says({"choices": [{"index": 0, "message": message}], "usage": USELESS[name]})
    status, document = await shared_world.chat()
    assert (status, document["choices"][0]["message"]["content"]) == (200, "We open at nine.")
    assert "usage" not in document


async def test_a_count_of_tokens_beyond_all_measure_does_not_shut_a_caller_out(start: Any, model: Any) -> None:
    limits = "  limits: {rates: [{per: key, what: tokens, limit: 1000}]}\n"
    message = {"role": "assistant", "content": "We open at nine."}
    used = {"prompt_tokens": 5, "completion_tokens": 10**12, "total_tokens": 10**12}
    model.reply = says({"choices": [{"index": 0, "message": message}], "usage": used})
    async with start(settings=limits) as world:
        assert [(await world.chat())[0] for _ in range(3)] == [200, 200, 200]


CALLS = {
    "one index for all": called(0, "a", "find", '{"x":1}') + called(0, "b", "tell", '{"y":2}'),
    "no index": event(
        chunk(
            tool_calls=[
                {"id": "a", "function": {"name": "find", "arguments": '{"x":1}'}},
                {"id": "b", "function": {"name": "tell", "arguments": '{"y":2}'}},
            ]
        )
    ),
    "an id for every piece": called(0, "a", "find", '{"x"')
    + called(0, "c", None, ":1}")
    + called(1, "b", "tell", "")
    + called(1, "d", "", '{"y":2}'),
    "an empty type": called(0, "a", "find", '{"x"', type="function")
    + called(0, "", None, ":1}", type="")
    + called(1, "b", "tell", '{"y":2}', type=""),
}


@shared
@pytest.mark.parametrize("name", list(CALLS))
async def test_calls_of_two_tools_stay_two(shared_world: Any, name: str) -> None:
    answer = await streamed(shared_world, CALLS[name] + event(chunk("tool_calls")) + DONE)
    calls = [call.function for call in answer.choices[0].message.tool_calls]
    assert [(call.name, call.arguments) for call in calls] == [("find", '{"x":1}'), ("tell", '{"y":2}')]


FAILED = {
    "an error alone": event({"error": {"message": "secrets", "code": 502}}),
    "an error beside text": event(chunk("error", content="") | {"error": {"message": "secrets"}}),
    "an error as the reason": event(chunk("error", content="")),
}


@shared
@pytest.mark.parametrize("name", list(FAILED))
async def test_an_answer_that_failed_is_not_told_as_whole(shared_world: Any, name: str) -> None:
    with pytest.raises(openai.APIError) as failed:
        await streamed(shared_world, event(HELLO[0]) + FAILED[name] + DONE)
    assert "reported an error" in failed.value.message
    document = {"choices": [{"index": 0, "message": {"content": "We"}, "finish_reason": "error"}]}
    shared_world.model.reply = says(document)
    status, answer = await shared_world.chat()
    assert (status, answer["error"]["code"]) == (502, "bad_upstream")


async def test_a_long_answer_in_small_pieces_is_sent_to_its_end(start: Any, model: Any) -> None:
    padding = {"id": "chatcmpl-" + "x" * 30, "system_fingerprint": "fp_0123456789", "obfuscation": "y" * 200}
    words = 30_000  # with what surrounds them some 10 MB
    model.reply = streams(event(chunk(content="boats ") | padding) * words + DONE)
    async with start() as world:
        status, text = await world.chat_stream()
    assert status == 200
    assert text.endswith("data: [DONE]\n\n")
    assert text.count("boats") == words


async def test_arguments_without_an_end_are_refused(start: Any, model: Any) -> None:
    model.reply = streams(called(0, "a", "find", "x" * 500_000) * 20 + DONE)
    async with start() as world:
        _, text = await world.chat_stream()
    assert "bad_upstream" in text
    assert "[DONE]" not in text


@shared
async def test_vectors_come_in_the_form_that_was_asked_for(shared_world: Any) -> None:
    shared_world.model.forget()
    shared_world.model.embeddings = [{"index": 0, "embedding": [0.5, -2.0]}]
    async with shared_world.client as ask:
        as_text = await ask.embeddings.create(model="assistant", input="Hello")  # the client asks for base64
        shared_world.model.embeddings = [{"index": 0, "embedding": "AAAAPwAAAMA="}]
        as_numbers = await ask.embeddings.create(model="assistant", input="Hello", encoding_format="float")
        assert as_text.data[0].embedding == as_numbers.data[0].embedding == [0.5, -2.0]
        shared_world.model.embeddings = [{"index": 0, "embedding": [1e300]}]
        with pytest.raises(openai.InternalServerError):
            await ask.embeddings.create(model="assistant", input="Hello")
