"""What an upstream says, in the one shape that the rest of the gateway reads: OpenAI's chat completion."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.gateway.errors import ApiError, bad_upstream
from lockgate.gateway.strict_json import JsonError, load

JSON_DEPTH = 64


class UpstreamFunction(msgspec.Struct, frozen=True):
    """A function call; in a stream its fields come in pieces."""

    name: str | None = None
    arguments: str | None = None


class UpstreamToolCall(msgspec.Struct, frozen=True):
    """A tool call, or a piece of the one with this `index`; some servers leave `type` empty."""

    function: UpstreamFunction = UpstreamFunction()
    index: int = 0
    type: Literal["function", ""] | None = None
    id: str | None = None


class UpstreamMessage(msgspec.Struct, frozen=True):
    """An answer, or a piece of it. Fields that are not named here are dropped; some servers leave `role` empty."""

    role: Literal["assistant", ""] | None = None
    content: str | None = None
    tool_calls: tuple[UpstreamToolCall, ...] | None = None


class UpstreamChoice(msgspec.Struct, frozen=True):
    """The one choice: `message` in a whole answer, `delta` in a stream."""

    index: Literal[0] = 0
    message: UpstreamMessage | None = None
    delta: UpstreamMessage | None = None
    finish_reason: str | None = None


_Tokens = Annotated[int, Meta(ge=0, le=100_000_000)]


class Usage(msgspec.Struct, frozen=True):
    """Token counts. What cannot be one is as good as none: limits would believe it."""

    prompt_tokens: _Tokens = 0
    completion_tokens: _Tokens = 0
    total_tokens: _Tokens = 0


class UpstreamAnswer(msgspec.Struct, frozen=True):
    """A chat completion, or a chunk of one; `error` is what some servers put into it when they fail in mid-answer."""

    choices: tuple[UpstreamChoice, ...]
    usage: Usage | None = None
    error: object = None


class _OddChunk(msgspec.Struct, frozen=True):
    """A chunk with token counts that are none, or without choices."""

    choices: tuple[UpstreamChoice, ...] | None = None
    usage: object = None
    error: object = None


_CHUNK = msgspec.json.Decoder(UpstreamAnswer)
_ODD_CHUNK = msgspec.json.Decoder(_OddChunk)
_FAILED = "error"


def read_document(content: bytes) -> object:
    """Parse a whole answer strictly.

    Raises:
        ApiError: 502, it is no JSON that every parser reads alike.
    """
    try:
        return load(content, max_depth=JSON_DEPTH)
    except JsonError as error:
        raise no_completion() from error


def read_answer(content: bytes) -> UpstreamAnswer:
    """Parse a whole chat completion.

    Raises:
        ApiError: 502, it is none, or the upstream failed.
    """
    document = read_document(content)
    try:
        answer = msgspec.convert(document, UpstreamAnswer)
    except msgspec.ValidationError:
        answer = _without_usage(document)
    if len(answer.choices) != 1 or answer.choices[0].message is None:
        raise bad_upstream("answered without exactly one message")
    return _sound(answer)


def read_chunk(data: str) -> UpstreamAnswer:
    """Parse a piece of a chat completion.

    A key that stands twice is no fault here: what the caller gets is written anew from the fields that were read.

    Raises:
        ApiError: 502, it is none, or the upstream failed.
    """
    try:
        return _sound(_CHUNK.decode(data))
    except msgspec.ValidationError:
        return _read_odd_chunk(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise no_completion() from error


def read_usage(document: object) -> Usage | None:
    """Token counts, or None where these cannot be any, so that what was estimated counts."""
    try:
        return msgspec.convert(document, Usage | None)
    except msgspec.ValidationError:
        return None


def _read_odd_chunk(data: str) -> UpstreamAnswer:
    try:
        odd = _ODD_CHUNK.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise no_completion() from error
    if odd.choices is None and not odd.error and odd.usage is None:
        raise no_completion()
    return _sound(UpstreamAnswer(odd.choices or (), read_usage(odd.usage), odd.error))


def _without_usage(document: object) -> UpstreamAnswer:
    if not isinstance(document, dict):
        raise no_completion()
    try:
        return msgspec.convert({**document, "usage": None}, UpstreamAnswer)
    except msgspec.ValidationError as error:
        raise no_completion() from error


def _sound(answer: UpstreamAnswer) -> UpstreamAnswer:
    choices = answer.choices
    if answer.error or (choices and choices[0].finish_reason == _FAILED):
        raise bad_upstream("reported an error in the middle of an answer")
    return answer


def no_completion() -> ApiError:
    """The answer is no chat completion: 502."""
    return bad_upstream("answered with something that is no chat completion")
