"""Answers in the shape of chat completions."""

import msgspec

from lockgate.gateway.conversation import Answer, Envelope, event
from lockgate.gateway.errors import ApiError
from lockgate.gateway.request import Json
from lockgate.gateway.upstream import Usage

DONE = b"data: [DONE]\n\n"


class ChatWriter:
    """Writes a chat completion, whole or in chunks that end with `[DONE]`.

    Args:
        envelope: What surrounds it.
        with_usage: Whether a stream ends with its token counts.
    """

    def __init__(self, envelope: Envelope, *, with_usage: bool) -> None:
        self._envelope = envelope
        self._with_usage = with_usage

    def whole(self, answer: Answer) -> bytes:
        """One `chat.completion`."""
        message: Json = {"role": "assistant", "content": answer.text}
        if answer.calls:
            message["tool_calls"] = answer.calls
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
        return msgspec.json.encode(self._around("chat.completion", [choice]) | usage_of(answer.usage))

    def start(self) -> bytes:
        """The chunk that names the role."""
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, released: str) -> bytes:
        """A chunk with text."""
        return self._chunk({"content": released})

    def end(self, answer: Answer) -> bytes:
        """Tool calls, the reason, the token counts where they were asked for, and `[DONE]`."""
        said = self._chunk({"tool_calls": [{"index": index, **call} for index, call in enumerate(answer.calls)]})
        said = (said if answer.calls else b"") + self._chunk({}, answer.finish_reason)
        if self._with_usage and answer.usage:
            said += event(self._around("chat.completion.chunk", []) | usage_of(answer.usage))
        return said + DONE

    def failure(self, error: ApiError) -> bytes:
        """An error in place of a chunk."""
        return b"data: " + error.body() + b"\n\n"

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> bytes:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return event(self._around("chat.completion.chunk", [choice]))

    def _around(self, kind: str, choices: list[Json]) -> Json:
        envelope = self._envelope
        return {
            "id": f"chatcmpl-{envelope.id}",
            "object": kind,
            "created": envelope.created,
            "model": envelope.model,
            "choices": choices,
        }


def usage_of(usage: Usage | None) -> Json:
    """The field `usage`, where there is one."""
    return {"usage": msgspec.to_builtins(usage)} if usage else {}
