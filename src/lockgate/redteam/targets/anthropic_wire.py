"""Anthropic's messages interface, without streaming."""

from collections.abc import Sequence

import msgspec

from lockgate.redteam.message import Answer, Message, ToolCall, UnusableAnswerError
from lockgate.redteam.targets.openai_wire import instead
from lockgate.redteam.targets.tools import OFFERED
from lockgate.redteam.targets.wire import Question

_VERSION = "2023-06-01"


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Reply(msgspec.Struct):
    content: tuple[_Block, ...]
    stop_reason: str | None = None
    model: str | None = None


_reply = msgspec.json.Decoder(_Reply)


class AnthropicWire:
    """Speaks to `<base URL>/messages`."""

    path = "/messages"

    def headers(self, api_key: str) -> dict[str, str]:
        """The key in its own header, and the version of the interface."""
        return {"anthropic-version": _VERSION} | ({"x-api-key": api_key} if api_key else {})

    def encode(self, question: Question) -> bytes:
        """The body of a request. The interface knows no seed."""
        body: dict[str, object] = {
            "model": question.model,
            "messages": [_worded(message) for message in question.history if message.content or message.calls],
            "max_tokens": question.max_tokens,
        }
        if "temperature" not in question.unwelcome:
            body["temperature"] = question.temperature
        if question.system_prompt is not None:
            body["system"] = question.system_prompt
        # The interface takes tool results only where the tools are named.
        if names := question.tools or _mentioned(question.history):
            body["tools"] = [
                {"name": name, "description": OFFERED[name].description, "input_schema": OFFERED[name].schema}
                for name in names
                if name in OFFERED
            ]
        return msgspec.json.encode(body)

    def decode(self, body: bytes) -> Answer:
        """Parse a message.

        Raises:
            UnusableAnswerError: It is not JSON, not a message, or carries neither text nor a tool call.
        """
        try:
            found = _reply.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnusableAnswerError(instead(body, "a message")) from error
        texts = [block.thinking or block.text for block in found.content if block.type in {"text", "thinking"}]
        calls = tuple(
            ToolCall(block.name, bytes(block.input).decode("utf-8", "replace"))
            for block in found.content
            if block.type == "tool_use"
        )
        refused = found.stop_reason == "refusal"
        # The interface ends a turn without a block where the model has nothing to add.
        silent = not found.content and found.stop_reason == "end_turn"
        if not texts and not calls and not refused and not silent:
            raise UnusableAnswerError("the message carries no text")
        return Answer("\n".join(texts), refused=refused, calls=calls, model=found.model or "")


def _worded(message: Message) -> dict[str, object]:
    if message.role == "tool":
        block: dict[str, object] = {"type": "tool_result", "tool_use_id": "call_0", "content": message.content}
        return {"role": "user", "content": [block]}
    if message.calls:
        uses = [
            {
                "type": "tool_use",
                "id": f"call_{place}",
                "name": call.name,
                "input": msgspec.Raw(call.arguments.encode()),
            }
            for place, call in enumerate(message.calls)
        ]
        return {"role": "assistant", "content": uses}
    return {"role": message.role, "content": message.content}


def _mentioned(history: Sequence[Message]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(call.name for message in history for call in message.calls))
