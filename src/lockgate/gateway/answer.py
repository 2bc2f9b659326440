"""The answer on its way back: judged, then written anew from the fields that were judged."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

import msgspec

from lockgate.core import Action, Origin
from lockgate.gateway.conversation import Answer, Writer
from lockgate.gateway.errors import ApiError, bad_upstream
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.judging import Judgement, Slot, judge, labels_of, refusal
from lockgate.gateway.request import Json
from lockgate.gateway.unguarded import UNGUARDED
from lockgate.gateway.upstream import (
    UpstreamAnswer,
    UpstreamChoice,
    UpstreamFunction,
    UpstreamMessage,
    UpstreamToolCall,
    Usage,
)
from lockgate.gateway.wayback import UNCHANGED, WayBack
from lockgate.guard import Guard, StreamBlockedError, StreamGuard

T = TypeVar("T")

_FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})
_MAX_CALLS = 128
_MAX_ARGUMENTS = 8 << 20
# `StreamGuard` looks at every 64th character, so nothing is gained by waking a thread for less.
_STEP = 64
_NOTHING = UpstreamMessage()


def guarded_answer(
    guard: Guard, answer: UpstreamAnswer, request_id: str, way_back: WayBack = UNCHANGED
) -> tuple[Answer, Judgement]:
    """Judge a whole answer.

    Args:
        guard: Who decides.
        answer: What the upstream said.
        request_id: What the ids of tool calls are made of; the upstream's own ids do not travel.
        way_back: What was changed in the request.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks it, 503 when the guard erred.
    """
    choice = answer.choices[0]
    message = choice.message or UpstreamMessage()
    judged, judgement = _judge_message(guard, message, request_id, already_sent="", way_back=way_back)
    reason = _finish_reason(choice.finish_reason)
    text = judged.text and way_back.restore(judged.text)
    return msgspec.structs.replace(judged, text=text, finish_reason=reason, usage=answer.usage), judgement


class _Call:
    """A tool call that comes in pieces."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, call_id: str | None) -> None:
        self.id = call_id
        self.name = ""
        self.arguments: list[str] = []


class GuardedStream:
    """An answer in pieces. Text leaves only when `StreamGuard` lets it; tool calls leave whole and judged, at the end.

    Attributes:
        judgement: What the guard decided so far.
        guard_ms: Milliseconds spent in the guard.
        usage: Token counts, once the upstream gave them.
        begun: Whether text was let out.
        answer: All of it, once it is complete.
        when_unjudged: Told when the guard fails, after which the rest of the answer goes on unjudged; None ends it.
    """

    def __init__(
        self,
        guard: Guard,
        pool: GuardPool,
        writer: Writer,
        request_id: str,
        way_back: WayBack = UNCHANGED,
        *,
        whose: str = "",
    ) -> None:
        self._guard = guard
        self._whose = whose
        self._way_back = way_back
        self._restoring = way_back.stream()
        self._text = StreamGuard(guard)
        self._pool = pool
        self._writer = writer
        self._request_id = request_id
        self._waiting: list[str] = []
        self._waiting_size = 0
        self._judged: list[str] = []
        self._sent: list[str] = []
        self._calls: dict[int, list[_Call]] = {}
        self._asked = self._argued = 0
        self._finish_reason: str | None = None
        self.judgement = Judgement()
        self.guard_ms = 0.0
        self.usage: Usage | None = None
        self.begun = False
        self.answer: Answer | None = None
        self.when_unjudged: Callable[[ApiError], None] | None = None
        self._unjudged = False

    async def relay(self, chunks: AsyncIterator[UpstreamAnswer]) -> AsyncGenerator[bytes]:
        """The events for the caller.

        Raises:
            ApiError: The guard blocked or erred, or the upstream failed. Nothing that was held back is sent.
        """
        yield self._writer.start()
        async for chunk in chunks:
            text = self._take(chunk)
            self._waiting.append(text)
            self._waiting_size += len(text)
            if self._waiting_size >= _STEP:
                async for released in self._release(final=False):
                    yield released
        async for released in self._release(final=True):
            yield released
        calls = await self._judge_calls() if self._calls else ()
        self._note_redaction()
        reason = _finish_reason(self._finish_reason)
        self.answer = Answer(text="".join(self._sent) or None, calls=calls, finish_reason=reason, usage=self.usage)
        yield self._writer.end(self.answer)

    def _take(self, chunk: UpstreamAnswer) -> str:
        self.usage = chunk.usage or self.usage
        match chunk.choices:
            case ():
                return ""
            case (UpstreamChoice(delta=UpstreamMessage() as delta) as choice,):
                pass
            case (UpstreamChoice(message=None) as choice,):
                delta = _NOTHING  # Azure's word about what it filtered
            case _:
                raise bad_upstream("streamed something else than one message")
        self._finish_reason = choice.finish_reason or self._finish_reason
        for piece in delta.tool_calls or ():
            self._take_call(piece)
        return self._way_back.unmark(delta.content or "")

    def _take_call(self, piece: UpstreamToolCall) -> None:
        name, arguments = piece.function.name or "", piece.function.arguments or ""
        begun = self._calls.setdefault(piece.index, [])
        # Some servers give every call the same index, and some give every piece another id.
        if not begun or (name and begun[-1].name and piece.id and begun[-1].id != piece.id):
            self._asked += 1
            begun.append(_Call(piece.id))
        begun[-1].name += name
        begun[-1].arguments.append(arguments)
        self._argued += len(name) + len(arguments)
        if self._asked > _MAX_CALLS or self._argued > _MAX_ARGUMENTS:
            raise bad_upstream("asked for too many tool calls")

    async def _release(self, *, final: bool) -> AsyncGenerator[bytes]:
        text = "".join(self._waiting)
        self._waiting.clear()
        self._waiting_size = 0
        released, refused = await self._let_out(text, final=final)
        if released:
            self._judged.append(released)
        if shown := self._restored(released, final=final and refused is None):
            self.begun = True
            self._sent.append(shown)
            yield self._writer.text(shown)
        if refused:
            raise refused

    async def _let_out(self, text: str, *, final: bool) -> tuple[str, ApiError | None]:
        """What may be sent now, and why nothing after it may."""
        if self._unjudged:
            return text, None
        held = self._text.held  # taken now, since a guard that is too slow goes on behind our back
        try:
            work = partial(_push, self._text, text, final=final)
            size = self._text.reads(len(text), final=final)
            return await self._timed(self._pool.run_brief(work, size=size, whose=self._whose)), None
        except StreamBlockedError as error:
            failure = refusal(error.verdict, what="answer")
            released = error.released
        except ApiError as error:
            failure, released = error, ""
        if not self._goes_on(failure):
            return released, failure
        return held + text, None

    def _goes_on(self, failure: ApiError) -> bool:
        """Whether the rest of the answer is sent although the guard failed; only where settings say so."""
        if self.when_unjudged is None or not failure.unjudged:
            return False
        self.when_unjudged(failure)
        self._unjudged = True
        return True

    def _restored(self, released: str, *, final: bool) -> str:
        if self._restoring is None:
            return released
        return self._restoring.push(released) + (self._restoring.finish() if final else "")

    async def _judge_calls(self) -> tuple[Json, ...]:
        calls = tuple(
            UpstreamToolCall(UpstreamFunction(call.name, "".join(call.arguments)))
            for _, begun in sorted(self._calls.items())
            for call in begun
        )
        message = UpstreamMessage(tool_calls=calls)

        def judged(guard: Guard) -> tuple[Answer, Judgement]:
            before = "".join(self._judged)
            return _judge_message(guard, message, self._request_id, already_sent=before, way_back=self._way_back)

        try:
            work = partial(judged, UNGUARDED if self._unjudged else self._guard)
            answer, self.judgement = await self._timed(self._pool.run(work, whose=self._whose))
        except ApiError as error:
            if not self._goes_on(error):
                raise
            answer, _ = judged(UNGUARDED)
        return answer.calls

    async def _timed(self, judging: Awaitable[T]) -> T:
        started = time.perf_counter()
        try:
            return await judging
        finally:
            self.guard_ms += (time.perf_counter() - started) * 1000

    def _note_redaction(self) -> None:
        if self._text.verdict.action is Action.REDACT:
            labels = dict.fromkeys((*labels_of(self._text.verdict), *self.judgement.labels))
            self.judgement = Judgement(Action.REDACT, tuple(labels), self.judgement.score)


def _push(stream: StreamGuard, text: str, *, final: bool) -> str:
    released = stream.push(text)
    if not final:
        return released
    try:
        return released + stream.finish()
    except StreamBlockedError as error:
        raise StreamBlockedError(error.verdict, released + error.released) from error


def _judge_message(
    guard: Guard, message: UpstreamMessage, request_id: str, *, already_sent: str, way_back: WayBack
) -> tuple[Answer, Judgement]:
    text = message.content and way_back.unmark(message.content)
    document: Json = {"content": text}
    slots = [Slot(text, "assistant", document, "content")] if text else []
    calls: list[Json] = []
    for number, call in enumerate(message.tool_calls or ()):
        arguments = way_back.unmark(call.function.arguments or "")
        function: Json = {"name": call.function.name or "", "arguments": arguments}
        slots.append(Slot(call.function.name or "", "assistant"))
        slots.append(Slot(arguments, "assistant", function, "arguments"))
        calls.append({"id": f"call_{request_id}_{number}", "type": "function", "function": function})
    before = [already_sent] if already_sent else []
    judgement = judge(
        guard,
        slots,
        lambda: guard.inspect("\n".join([*before, *(slot.text for slot in slots)]), Origin.MODEL),
        what="answer",
    )
    for call in calls:
        function = cast("Json", call["function"])
        function["arguments"] = way_back.restore_json(cast("str", function["arguments"]))
    content = document["content"]
    return Answer(text=content if isinstance(content, str) else None, calls=tuple(calls)), judgement


def _finish_reason(reason: str | None) -> str:
    return reason if reason in _FINISH_REASONS else "stop"
