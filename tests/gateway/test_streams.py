import asyncio
import json
from contextlib import suppress
from typing import Any

import aiohttp
import openai
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from lockgate.gateway.sse import SseError, SseReader

PROTECTED = "HARBOR-LANTERN-4471"


def contents(text: str) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for line in text.splitlines()
        if line.startswith("data: {")
        for choice in json.loads(line[6:]).get("choices", ())
    )


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_a_protected_value_split_over_pieces_never_leaves(world: Any, size: int) -> None:
    answer = f"Of course, here you are: {PROTECTED[::-1]}. Can I do anything else for you today? " + "Bye. " * 40
    world.model.pieces = [answer[i : i + size] for i in range(0, len(answer), size)]
    status, text = await world.chat_stream()
    assert status == 200
    assert "content_filter" in text.strip().split("\n\n")[-1]
    assert "[DONE]" not in text
    released = contents(text)
    assert answer.startswith(released)
    assert len(released) <= answer.index(PROTECTED[::-1])


async def test_a_proxy_is_told_to_pass_a_stream_on_as_it_comes(world: Any) -> None:
    body = {"model": "assistant", "stream": True, "messages": [{"role": "user", "content": "When do you open?"}]}
    _, headers, _ = await world.send("POST", "/v1/chat/completions", json.dumps(body).encode())
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")


async def test_the_official_client_sees_a_block_in_a_stream_as_an_error(world: Any) -> None:
    world.model.pieces = list(f"The code is {PROTECTED[::-1]}, enjoy it while it lasts.")
    async with world.client as client:
        stream = await client.chat.completions.create(
            model="assistant", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        with pytest.raises(openai.APIError) as caught:
            _ = [chunk async for chunk in stream]
    assert caught.value.code == "content_filter"


async def test_a_long_answer_streams_while_it_is_made(world: Any) -> None:
    go_on = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        piece = {"choices": [{"index": 0, "delta": {"content": "We rent kayaks and canoes. "}}]}
        for _ in range(200):
            await response.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
        await asyncio.wait_for(go_on.wait(), 5)
        await response.write(b"data: [DONE]\n\n")
        return response

    world.model.reply = slowly
    async with world.client as client:
        stream = await client.chat.completions.create(
            model="assistant", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        seen = 0
        async for chunk in stream:
            seen += len(chunk.choices[0].delta.content or "")
            if seen > 100:
                go_on.set()
    assert seen == 200 * len("We rent kayaks and canoes. ")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_caller_who_leaves_cancels_the_upstream(world: Any, stream: bool) -> None:  # noqa: FBT001 - a parameter of the test
    asked = asyncio.Event()
    cancelled = asyncio.Event()

    async def wait_for_the_end(request: web.Request) -> web.StreamResponse:
        asked.set()
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0.005)
        cancelled.set()
        return web.Response()

    world.model.reply = wait_for_the_end
    body = {"model": "assistant", "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {world.key}"}) as session:
        task = asyncio.ensure_future(session.post(f"{world.base_url}/chat/completions", json=body))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
    await asyncio.wait_for(cancelled.wait(), 10)
    event = (await world.events())[0]
    assert (event.status, event.action, event.labels) == (499, "error", ("error.client_left",))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")), max_size=5), st.data())
def test_events_are_the_same_however_lines_end_and_bytes_are_cut(texts: list[str], data: st.DataObject) -> None:
    lines = [line for text in texts for line in (": hi", "", "event: x", f"data: {text}", "data: more", "")]
    end = data.draw(st.sampled_from(["\n", "\r", "\r\n"]))
    raw = "".join(line + end for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=10)))
    reader = SseReader()
    found: list[str] = []
    for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        found += reader.feed(raw[begin:end])
    assert found + reader.finish() == [f"{text}\nmore" for text in texts]


@given(st.binary(max_size=200))
def test_any_bytes_give_events_or_one_typed_error(raw: bytes) -> None:
    with suppress(SseError):
        assert all(isinstance(item, str) for item in SseReader().feed(raw))
