"""What an upstream says, in the one shape that the rest of the gateway reads: OpenAI's chat completion."""

from typing import Literal

import msgspec

from lockgate.gateway.errors import ApiError, bad_upstream
from lockgate.gateway.strict_json import JsonError, load

JSON_DEPTH = 64


class UpstreamFunction(msgspec.Struct, frozen=True):
    """A function call; in a stream its fields come in pieces."""

    name: str | None = None
    arguments: str | None = None


class UpstreamToolCall(msgspec.Struct, frozen=True):
    """A tool call, or a piece of the one with this `index`."""

    function: UpstreamFunction = UpstreamFunction()
    index: int = 0
    type: Literal["function"] | None = None


class UpstreamMessage(msgspec.Struct, frozen=True):
    """An answer, or a piece of it. Fields that are not named here are dropped."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: tuple[UpstreamToolCall, ...] | None = None


class UpstreamChoice(msgspec.Struct, frozen=True):
    """The one choice: `message` in a whole answer, `delta` in a stream."""

    index: Literal[0] = 0
    message: UpstreamMessage | None = None
    delta: UpstreamMessage | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """Token counts."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class UpstreamAnswer(msgspec.Struct, frozen=True):
    """A chat completion, or a chunk of one."""

    choices: tuple[UpstreamChoice, ...]
    usage: Usage | None = None


_CHUNK = msgspec.json.Decoder(UpstreamAnswer)


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
        ApiError: 502, it is none.
    """
    try:
        answer = msgspec.convert(read_document(content), UpstreamAnswer)
    except msgspec.ValidationError as error:
        raise no_completion() from error
    if len(answer.choices) != 1 or answer.choices[0].message is None:
        raise bad_upstream("answered without exactly one message")
    return answer


def read_chunk(data: str) -> UpstreamAnswer:
    """Parse a piece of a chat completion.

    A key that stands twice is no fault here: what the caller gets is written anew from the fields that were read.

    Raises:
        ApiError: 502, it is none.
    """
    try:
        return _CHUNK.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise no_completion() from error


def no_completion() -> ApiError:
    """The answer is no chat completion: 502."""
    return bad_upstream("answered with something that is no chat completion")
