"""Answers in the shape of Anthropic's messages, and their events in Anthropic's order."""

from typing import cast

import msgspec

from lockgate.gateway.conversation import Answer, Envelope, event
from lockgate.gateway.errors import ApiError, bad_upstream
from lockgate.gateway.request import Json
from lockgate.gateway.strict_json import JsonError, load
from lockgate.gateway.upstream import Usage

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class MessagesWriter:
    """Writes a message, whole or as events from `message_start` to `message_stop`.

    Args:
        envelope: What surrounds it.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._text_open = False

    def whole(self, answer: Answer) -> bytes:
        """One `message`."""
        texts: list[Json] = [{"type": "text", "text": answer.text}] if answer.text else []
        content = [*texts, *(_tool_use(call) for call in answer.calls)]
        return msgspec.json.encode(self._message(content, _reason(answer), answer.usage))

    def start(self) -> bytes:
        """`message_start` and a `ping`. How long the input is, is only known at the end."""
        message = self._message([], None, None)
        return _named({"type": "message_start", "message": message}) + _named({"type": "ping"})

    def text(self, released: str) -> bytes:
        """A delta of the one text block, which is opened when there is text."""
        begin = b""
        if not self._text_open:
            self._text_open = True
            block = {"type": "text", "text": ""}
            begin = _named({"type": "content_block_start", "index": 0, "content_block": block})
        delta = {"type": "text_delta", "text": released}
        return begin + _named({"type": "content_block_delta", "index": 0, "delta": delta})

    def end(self, answer: Answer) -> bytes:
        """The end of the text block, a block for every tool, `message_delta` and `message_stop`."""
        said = [_named({"type": "content_block_stop", "index": 0})] if self._text_open else []
        for index, call in enumerate(answer.calls, start=int(self._text_open)):
            block = _tool_use(call)
            delta = {"type": "input_json_delta", "partial_json": msgspec.json.encode(block["input"]).decode()}
            said += [
                _named({"type": "content_block_start", "index": index, "content_block": block | {"input": {}}}),
                _named({"type": "content_block_delta", "index": index, "delta": delta}),
                _named({"type": "content_block_stop", "index": index}),
            ]
        delta = {"stop_reason": _reason(answer), "stop_sequence": None}
        said.append(_named({"type": "message_delta", "delta": delta, "usage": _usage(answer.usage)}))
        said.append(_named({"type": "message_stop"}))
        return b"".join(said)

    def failure(self, error: ApiError) -> bytes:
        """The event `error`."""
        return b"event: error\ndata: " + error.anthropic_body(f"req-{self._envelope.id}") + b"\n\n"

    def _message(self, content: list[Json], reason: str | None, usage: Usage | None) -> Json:
        return {
            "id": f"msg_{self._envelope.id}",
            "type": "message",
            "role": "assistant",
            "model": self._envelope.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": _usage(usage),
        }


def _reason(answer: Answer) -> str:
    return "tool_use" if answer.calls else _STOP[answer.finish_reason]


def _usage(usage: Usage | None) -> Json:
    known = usage or Usage()
    return {"input_tokens": known.prompt_tokens, "output_tokens": known.completion_tokens}


def _tool_use(call: Json) -> Json:
    """A `tool_use` block; its input must be an object, which the upstream's JSON text need not be."""
    function = cast("dict[str, str]", call["function"])
    try:
        given = load(function["arguments"].encode() or b"{}")
    except JsonError as error:
        raise bad_upstream("asked for a tool with arguments that are not JSON") from error
    if not isinstance(given, dict):
        raise bad_upstream("asked for a tool with arguments that are no object")
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": cast("Json", given)}


def _named(document: Json) -> bytes:
    return event(document, cast("str", document["type"]))
