"""The answer on its way back: judged, then written anew from the fields that were judged."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import cast

import msgspec

from lockgate.core import Action, Origin
from lockgate.gateway.errors import bad_upstream
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.judging import Judgement, Slot, judge, labels_of, refusal
from lockgate.gateway.request import Json
from lockgate.gateway.upstream import (
    UpstreamAnswer,
    UpstreamChoice,
    UpstreamFunction,
    UpstreamMessage,
    UpstreamToolCall,
    Usage,
)
from lockgate.guard import Guard, StreamBlockedError, StreamGuard

_FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})
_MAX_CALLS = 128
_DONE = b"data: [DONE]\n\n"


class Envelope(msgspec.Struct, frozen=True):
    """What surrounds every answer.

    Attributes:
        id: Id of the completion, made here.
        model: The name that the caller used.
        created: Seconds since 1970.
    """

    id: str
    model: str
    created: int

    @classmethod
    def new(cls, request_id: str, model: str) -> "Envelope":
        """An envelope for the answer to a request."""
        return cls(f"chatcmpl-{request_id.removeprefix('req-')}", model, int(time.time()))

    def whole(self, message: Json, finish_reason: str, usage: Usage | None) -> bytes:
        """A whole chat completion."""
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        return msgspec.json.encode(self._around("chat.completion", [choice]) | _usage(usage))

    def chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        """A piece of a chat completion as a server-sent event."""
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event(self._around("chat.completion.chunk", [choice]))

    def usage(self, usage: Usage) -> bytes:
        """The token counts that end a stream."""
        return _event(self._around("chat.completion.chunk", []) | _usage(usage))

    def _around(self, kind: str, choices: list[Json]) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices}


def guarded_answer(guard: Guard, answer: UpstreamAnswer, envelope: Envelope) -> tuple[bytes, Judgement]:
    """Judge a whole answer and write it anew.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks it, 503 when the guard erred.
    """
    choice = answer.choices[0]
    message, judgement = _judge_message(guard, choice.message or UpstreamMessage(), envelope, already_sent="")
    return envelope.whole(
        {"role": "assistant", **message}, _finish_reason(choice.finish_reason), answer.usage
    ), judgement


class GuardedStream:
    """An answer in pieces. Text leaves only when `StreamGuard` lets it; tool calls leave whole and judged, at the end.

    Attributes:
        judgement: What the guard decided so far.
        guard_ms: Milliseconds spent in the guard.
    """

    def __init__(self, guard: Guard, pool: GuardPool, envelope: Envelope, *, with_usage: bool) -> None:
        self._guard = guard
        self._text = StreamGuard(guard)
        self._pool = pool
        self._envelope = envelope
        self._with_usage = with_usage
        self._sent: list[str] = []
        self._calls: dict[int, tuple[list[str], list[str]]] = {}
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self.judgement = Judgement()
        self.guard_ms = 0.0

    async def relay(self, chunks: AsyncIterator[UpstreamAnswer]) -> AsyncGenerator[bytes]:
        """The events for the caller, `[DONE]` last.

        Raises:
            ApiError: The guard blocked or erred, or the upstream failed. Nothing that was held back is sent.
        """
        yield self._envelope.chunk({"role": "assistant", "content": ""})
        async for chunk in chunks:
            if (text := self._take(chunk)) and (released := await self._guarded(text)):
                yield self._envelope.chunk({"content": released})
        if released := await self._guarded(None):
            yield self._envelope.chunk({"content": released})
        if self._calls:
            yield self._envelope.chunk(await self._judge_calls())
        self._note_redaction()
        yield self._envelope.chunk({}, _finish_reason(self._finish_reason))
        if self._with_usage and self._usage:
            yield self._envelope.usage(self._usage)
        yield _DONE

    def _take(self, chunk: UpstreamAnswer) -> str:
        self._usage = chunk.usage or self._usage
        match chunk.choices:
            case ():
                return ""
            case (UpstreamChoice(delta=UpstreamMessage() as delta) as choice,):
                pass
            case _:
                raise bad_upstream("streamed something else than one message")
        self._finish_reason = choice.finish_reason or self._finish_reason
        for call in delta.tool_calls or ():
            if len(self._calls) >= _MAX_CALLS and call.index not in self._calls:
                raise bad_upstream("asked for too many tool calls")
            name, arguments = self._calls.setdefault(call.index, ([], []))
            name.append(call.function.name or "")
            arguments.append(call.function.arguments or "")
        return delta.content or ""

    async def _guarded(self, text: str | None) -> str:
        started = time.perf_counter()
        try:
            if text is None:
                released = await self._pool.run(self._text.finish)
            else:
                released = await self._pool.run(partial(self._text.push, text))
        except StreamBlockedError as error:
            raise refusal(error.verdict, what="answer") from error
        finally:
            self.guard_ms += (time.perf_counter() - started) * 1000
        self._sent.append(released)
        return released

    async def _judge_calls(self) -> Json:
        calls = tuple(
            UpstreamToolCall(UpstreamFunction("".join(name), "".join(arguments)))
            for _, (name, arguments) in sorted(self._calls.items())
        )
        work = partial(
            _judge_message,
            self._guard,
            UpstreamMessage(tool_calls=calls),
            self._envelope,
            already_sent="".join(self._sent),
        )
        started = time.perf_counter()
        try:
            message, self.judgement = await self._pool.run(work)
        finally:
            self.guard_ms += (time.perf_counter() - started) * 1000
        listed = cast("list[Json]", message["tool_calls"])
        return {"tool_calls": [{"index": index, **call} for index, call in enumerate(listed)]}

    def _note_redaction(self) -> None:
        if self._text.verdict.action is Action.REDACT:
            labels = dict.fromkeys((*labels_of(self._text.verdict), *self.judgement.labels))
            self.judgement = Judgement(Action.REDACT, tuple(labels), self.judgement.score)


def _judge_message(
    guard: Guard, message: UpstreamMessage, envelope: Envelope, *, already_sent: str
) -> tuple[Json, Judgement]:
    document: Json = {"content": message.content}
    slots = [Slot(message.content, "assistant", document, "content")] if message.content else []
    calls: list[Json] = []
    for number, call in enumerate(message.tool_calls or ()):
        function: Json = {"name": call.function.name or "", "arguments": call.function.arguments or ""}
        slots.append(Slot(call.function.name or "", "assistant"))
        slots.append(Slot(call.function.arguments or "", "assistant", function, "arguments"))
        calls.append({"id": f"call-{envelope.id}-{number}", "type": "function", "function": function})
    if calls:
        document["tool_calls"] = calls
    before = [already_sent] if already_sent else []
    judgement = judge(
        guard,
        slots,
        lambda: guard.inspect("\n".join([*before, *(slot.text for slot in slots)]), Origin.MODEL),
        what="answer",
    )
    return document, judgement


def _finish_reason(reason: str | None) -> str:
    return reason if reason in _FINISH_REASONS else "stop"


def _usage(usage: Usage | None) -> Json:
    return {"usage": msgspec.to_builtins(usage)} if usage else {}


def _event(document: Json) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"
