"""Anthropic's messages interface behind OpenAI's: answers and streams are read back into chat completions."""

import msgspec

from lockgate.gateway.errors import bad_upstream
from lockgate.gateway.upstreams.anthropic_request import to_messages, unsupported
from lockgate.gateway.upstreams.dialect import CHAT, Call, Surface
from lockgate.gateway.upstreams.wire import (
    UpstreamAnswer,
    UpstreamChoice,
    UpstreamFunction,
    UpstreamMessage,
    UpstreamToolCall,
    Usage,
    no_completion,
    read_document,
    read_usage,
)

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None


class _Message(msgspec.Struct, frozen=True):
    content: tuple[_Block, ...] = ()
    stop_reason: str | None = None
    usage: _Usage | None = _Usage()


class _Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    index: int = 0
    message: _Message = _Message()
    content_block: _Block = _Block("")
    delta: _Delta = _Delta()
    usage: _Usage | None = _Usage()


_MESSAGE = msgspec.json.Decoder(_Message)
_EVENT = msgspec.json.Decoder(_Event)


class AnthropicPieces:
    """Reads one streamed message, which ends with `message_stop`."""

    def __init__(self) -> None:
        self.ended = False
        self._calls: dict[int, int] = {}
        self._usage: _Usage | None = _Usage()

    def take(self, data: str) -> UpstreamAnswer | None:
        """The chunk that an event stands for; None for those that carry nothing (pings, thinking, signatures).

        Raises:
            ApiError: 502, it is no event of a message, or the upstream reports an error.
        """
        try:
            event = _EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise no_completion() from error
        match event.type:
            case "message_start":
                self._usage = event.message.usage
                return None
            case "content_block_start":
                return self._begin(event)
            case "content_block_delta":
                return self._continue(event)
            case "message_delta":
                return _chunk(UpstreamMessage(), event.delta.stop_reason, _usage(self._usage, event.usage))
            case "message_stop":
                self.ended = True
                return None
            case "error":
                raise bad_upstream("reported an error in the middle of an answer")
            case _:
                return None

    def _begin(self, event: _Event) -> UpstreamAnswer | None:
        block = event.content_block
        if block.type == "text" and block.text:
            return _chunk(UpstreamMessage(content=block.text))
        if block.type != "tool_use":
            return None
        number = self._calls.setdefault(event.index, len(self._calls))
        return _chunk(UpstreamMessage(tool_calls=(UpstreamToolCall(UpstreamFunction(block.name), number),)))

    def _continue(self, event: _Event) -> UpstreamAnswer | None:
        match event.delta.type:
            case "text_delta":
                return _chunk(UpstreamMessage(content=event.delta.text))
            case "input_json_delta" if event.index in self._calls:
                piece = UpstreamFunction(arguments=event.delta.partial_json)
                return _chunk(UpstreamMessage(tool_calls=(UpstreamToolCall(piece, self._calls[event.index]),)))
            case _:
                return None


class AnthropicDialect:
    """Speaks to `/v1/messages`.

    Args:
        base_url: Address up to and including `/v1`.
        api_key: Sent as `x-api-key`.
        version: The `anthropic-version`.
    """

    def __init__(self, base_url: str, api_key: str, *, version: str) -> None:
        self._url = f"{base_url.rstrip('/')}/messages"
        self.provider = "anthropic"
        key = {"x-api-key": api_key} if api_key else {}
        common = {"anthropic-version": version, **key}
        self._headers = {
            False: {"accept": "application/json", **common},
            True: {"accept": "text/event-stream", **common},
        }

    def call(self, surface: Surface, body: bytes, model: str, *, streams: bool) -> Call:
        """The conversation as a message request.

        Raises:
            ApiError: 400, it is no conversation, or asks for what the interface cannot say.
        """
        if surface != CHAT:
            raise unsupported("this address")
        return Call(self._url, self._headers[streams], msgspec.json.encode(to_messages(body, model)))

    def answer(self, content: bytes) -> UpstreamAnswer:
        """A whole message.

        Raises:
            ApiError: 502, it is none.
        """
        read_document(content)  # refuses what parsers read differently
        try:
            message = _MESSAGE.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise no_completion() from error
        if message.stop_reason is None:
            raise no_completion()
        text = "".join(block.text for block in message.content if block.type == "text")
        calls = tuple(
            UpstreamToolCall(UpstreamFunction(block.name, bytes(block.input).decode()), number, "function")
            for number, block in enumerate(block for block in message.content if block.type == "tool_use")
        )
        whole = UpstreamMessage("assistant", text or None, calls or None)
        choice = UpstreamChoice(message=whole, finish_reason=_FINISH.get(message.stop_reason, "stop"))
        return UpstreamAnswer((choice,), _usage(message.usage, message.usage))

    def pieces(self) -> AnthropicPieces:
        """A reader for one stream."""
        return AnthropicPieces()


def _chunk(delta: UpstreamMessage, reason: str | None = None, usage: Usage | None = None) -> UpstreamAnswer:
    finish = _FINISH.get(reason, "stop") if reason else None
    return UpstreamAnswer((UpstreamChoice(delta=delta, finish_reason=finish),), usage)


def _usage(before: _Usage | None, after: _Usage | None) -> Usage | None:
    if before is None or after is None:
        return None
    read = (before.input_tokens, before.cache_creation_input_tokens, before.cache_read_input_tokens)
    prompt, answered = sum(count or 0 for count in read), after.output_tokens or 0
    return read_usage({"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered})
