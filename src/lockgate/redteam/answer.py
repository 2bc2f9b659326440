"""Reading a chat completion from an endpoint that may send anything."""

from typing import Annotated

import msgspec
from aiohttp import ClientResponse
from msgspec import Meta

MAX_ANSWER_BYTES = 1 << 18
_CHUNK = 1 << 16


class UnusableAnswerError(Exception):
    """An answer that says nothing about the attack. Its text never quotes the endpoint."""


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: Annotated[tuple[_Choice, ...], Meta(min_length=1)]


class _Error(msgspec.Struct):
    code: str | int | None = None


class _Failure(msgspec.Struct):
    error: _Error


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint answered.

    Attributes:
        text: Everything that reached the caller: the answer, a refusal, visible reasoning.
        filtered: A guard cut it off or replaced it.
    """

    text: str
    filtered: bool


_completion = msgspec.json.Decoder(_Completion)
_failure = msgspec.json.Decoder(_Failure)


async def bounded_body(response: ClientResponse) -> bytes:
    """Read a body of at most 256 KiB.

    Raises:
        UnusableAnswerError: It is larger, or compressed although that was not asked for.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnusableAnswerError("the endpoint sent a compressed answer")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnusableAnswerError(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(body)


def completion(body: bytes) -> Answer:
    """Parse a non-streaming answer of `/chat/completions`.

    Raises:
        UnusableAnswerError: It is not JSON, not a chat completion, or carries no text.
    """
    try:
        choice = _completion.decode(body).choices[0]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableAnswerError("the endpoint did not answer with a chat completion in JSON") from error
    said = choice.message
    texts = [text for text in (said.reasoning_content, said.content, said.refusal) if text is not None]
    filtered = choice.finish_reason == "content_filter"
    if not texts and not filtered:
        raise UnusableAnswerError("the chat completion carries no text")
    return Answer("\n".join(texts), filtered)


def is_guard_block(body: bytes) -> bool:
    """Whether the body of an HTTP 400 says that a guard blocked the conversation (`error.code` is `content_filter`)."""
    try:
        return _failure.decode(body).error.code == "content_filter"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
