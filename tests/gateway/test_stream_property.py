"""However an upstream cuts its answer, a caller gets the same, on every surface."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockgate.core.config import GuardConfig
from lockgate.gateway import ApiError, GuardPool
from lockgate.gateway.answer import GuardedStream
from lockgate.gateway.conversation import Envelope, Writer
from lockgate.gateway.surfaces.chat_answer import ChatWriter
from lockgate.gateway.surfaces.completions import CompletionWriter
from lockgate.gateway.surfaces.messages_answer import MessagesWriter
from lockgate.gateway.surfaces.responses_answer import ResponsesWriter
from lockgate.gateway.upstream import (
    UpstreamAnswer,
    UpstreamChoice,
    UpstreamFunction,
    UpstreamMessage,
    UpstreamToolCall,
)
from lockgate.guard import Guard

PROTECTED = "HARBOR-LANTERN-4471"
GUARD = Guard(GuardConfig(), (PROTECTED,), "You are the assistant of the boathouse.")
ENVELOPE = Envelope("0" * 32, "assistant", 0)
WRITERS: dict[str, Callable[[], Writer]] = {
    "chat": lambda: ChatWriter(ENVELOPE, with_usage=False),
    "completions": lambda: CompletionWriter(ENVELOPE, with_usage=False),
    "messages": lambda: MessagesWriter(ENVELOPE),
    "responses": lambda: ResponsesWriter(ENVELOPE),
}
ENDS = {"chat": "[DONE]", "completions": "[DONE]", "messages": "message_stop", "responses": "response.completed"}

FRAGMENTS = st.sampled_from(
    [
        "We rent kayaks and canoes. ",
        "Write to ann@example.org today. ",
        "The code is HARBOR-LANTERN-4471, enjoy. ",
        "Backwards: 1744-NRETNAL-ROBRAH. ",
        "It is H A R B O R - L A N T E R N - 4 4 7 1. ",
        "Card 4111 1111 1111 1111 or IBAN DE89 3704 0044 0532 0130 00. ",
        "password: hunter2-Correct-Horse ",
        "\n\n",
        "Grüße, 日本語のテキスト, 👋🏽. ",
        "a" * 70,
    ]
)
ANSWERS = st.lists(FRAGMENTS | st.text(max_size=30), max_size=12).map("".join)


def pieces(text: str, cuts: list[int]) -> list[str]:
    borders = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    return [text[begin:end] for begin, end in pairwise(borders)]


async def chunks(texts: list[str], arguments: list[str]) -> AsyncIterator[UpstreamAnswer]:
    deltas = [UpstreamMessage(content=text) for text in texts]
    deltas += [UpstreamMessage(tool_calls=(UpstreamToolCall(UpstreamFunction("find" if not n else None, part)),))
               for n, part in enumerate(arguments)]  # fmt: skip
    for delta in deltas:
        yield UpstreamAnswer((UpstreamChoice(delta=delta),))


def stream(surface: str, texts: list[str], arguments: list[str]) -> tuple[list[bytes], str]:
    """The events, and the code of the error that ended them."""

    async def run() -> tuple[list[bytes], str]:
        pool = GuardPool(workers=1, limit_s=30)
        guarded = GuardedStream(GUARD, pool, WRITERS[surface](), "req-" + "0" * 32)
        events: list[bytes] = []
        try:
            async for event in guarded.relay(chunks(texts, arguments)):
                events.append(event)  # noqa: PERF401 - what came before an error counts
        except ApiError as error:
            return events, error.code
        finally:
            pool.close()
        return events, ""

    return asyncio.run(run())


def said(events: list[bytes]) -> tuple[str, list[str]]:
    """The text and the arguments of tools in a stream, whatever its shape."""
    text, arguments = [], []
    for document in documents(events):
        match document:
            case {"type": "content_block_delta", "delta": {"text": piece}}:
                text.append(piece)
            case {"type": "content_block_delta", "delta": {"partial_json": piece}}:
                arguments.append(piece)
            case {"type": "response.output_text.delta", "delta": piece}:
                text.append(piece)
            case {"type": "response.function_call_arguments.delta", "delta": piece}:
                arguments.append(piece)
            case {"choices": [{"text": piece}]}:
                text.append(piece)
            case {"choices": [{"delta": delta}]}:
                text.append(delta.get("content") or "")
                arguments += [call["function"]["arguments"] for call in delta.get("tool_calls", ())]
    return "".join(text), arguments


def documents(events: list[bytes]) -> Iterator[dict[str, object]]:
    for line in b"".join(events).decode().split("\n"):
        with suppress(json.JSONDecodeError):
            if line.startswith("data: "):
                yield json.loads(line[6:])


@pytest.mark.parametrize("surface", list(WRITERS))
@settings(max_examples=40, deadline=None)
@example(answer="We rent kayaks. " * 40 + "Backwards: 1744-NRETNAL-ROBRAH. ", cuts=list(range(0, 700, 7)))
@given(answer=ANSWERS, cuts=st.lists(st.integers(0, 2000), max_size=40))
def test_any_cutting_gives_what_the_whole_gives(surface: str, answer: str, cuts: list[int]) -> None:
    whole, why = stream(surface, [answer], [])
    cut, why_cut = stream(surface, pieces(answer, cuts), [])
    assert (said(cut), why_cut) == (said(whole), why)
    text = b"".join(cut).decode()
    assert (ENDS[surface] in text) is (why_cut == "")
    for secret in ("ann@example.org", PROTECTED, PROTECTED[::-1], "4111 1111"):
        assert secret not in said(cut)[0]


@pytest.mark.parametrize("surface", ["chat", "messages", "responses"])
@settings(max_examples=20, deadline=None)
@given(
    value=st.sampled_from(["ann@example.org", "Hello", PROTECTED[::-1]]), cuts=st.lists(st.integers(0, 60), max_size=8)
)
def test_tool_calls_are_the_same_however_they_come(surface: str, value: str, cuts: list[int]) -> None:
    arguments = json.dumps({"to": value})
    whole, why = stream(surface, ["Hi."], [arguments])
    cut, why_cut = stream(surface, ["Hi."], pieces(arguments, cuts))
    assert (said(cut), why_cut) == (said(whole), why)
    assert (why_cut == "content_filter") is (value == PROTECTED[::-1])
    assert "ann@" not in "".join(said(cut)[1])
