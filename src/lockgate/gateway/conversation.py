"""A conversation in the terms of chat completions, whatever surface it came through, and who writes its answer."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from lockgate.gateway.errors import ApiError
from lockgate.gateway.request import Json
from lockgate.gateway.upstream import Usage


class Envelope(msgspec.Struct, frozen=True):
    """What surrounds every answer.

    Attributes:
        id: 32 hex digits, the request's own.
        model: The name that the caller used.
        created: Seconds since 1970.
    """

    id: str
    model: str
    created: int

    @classmethod
    def new(cls, request_id: str, model: str) -> "Envelope":
        """An envelope for the answer to a request."""
        return cls(request_id.removeprefix("req-"), model, int(time.time()))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an answer after the guard.

    Attributes:
        text: What the model says; None where it only asks for tools.
        calls: Tool calls in the shape of chat completions.
        finish_reason: `stop`, `length`, `tool_calls` or `content_filter`.
        usage: Token counts, where the upstream gave them.
    """

    text: str | None
    calls: tuple[Json, ...] = ()
    finish_reason: str = "stop"
    usage: Usage | None = None


class Writer(Protocol):
    """Writes one answer in the shape of a surface: whole, or as server-sent events in the order of the methods."""

    def whole(self, answer: Answer) -> bytes:
        """The whole answer as one document.

        Raises:
            ApiError: 502 when the answer cannot be told in this shape.
        """
        ...

    def start(self) -> bytes:
        """The events before the first text."""
        ...

    def text(self, released: str) -> bytes:
        """The events for a piece of text, never empty."""
        ...

    def end(self, answer: Answer) -> bytes:
        """The events for what is left to say: `answer.text` was sent piece by piece, the rest was not.

        Raises:
            ApiError: As for `whole`.
        """
        ...

    def failure(self, error: ApiError) -> bytes:
        """The last event of a stream that must stop here."""
        ...


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was read and not judged yet.

    Attributes:
        model: The model that the caller asks for.
        document: The body of a chat completion in JSON types, without `model` and `stream`. Nobody else holds it.
        writer: Who writes the answer.
        streams: Whether the caller wants server-sent events.
        unscanned: Paths in the body of what policy lets travel although the guard cannot read it.
    """

    model: str
    document: Json
    writer: Callable[[Envelope], Writer]
    streams: bool = False
    unscanned: tuple[str, ...] = ()


Reader = Callable[[object, frozenset[str]], Conversation]
"""Reads a parsed body; the second argument names the media that may travel unscanned: `image`."""


def event(document: object, name: str = "") -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2)."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(document) + b"\n\n"
