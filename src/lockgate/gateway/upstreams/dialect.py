"""How one kind of upstream wants to be asked, and how it answers."""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from lockgate.gateway.upstreams.wire import UpstreamAnswer

Surface = Literal["chat/completions", "completions", "embeddings", "responses"]
CHAT: Surface = "chat/completions"


class Call(msgspec.Struct, frozen=True):
    """One request to an upstream."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Pieces(Protocol):
    """Reads one stream's events."""

    @property
    def ended(self) -> bool:
        """Whether the upstream said that the answer is complete."""
        ...

    def take(self, data: str) -> UpstreamAnswer | None:
        """The chunk that one event's data stands for; None where it carries nothing.

        Raises:
            ApiError: 502, it is nothing that this kind of upstream says.
        """
        ...


class Dialect(Protocol):
    """Translates between OpenAI's shapes, which the gateway speaks, and an upstream's own."""

    @property
    def provider(self) -> str:
        """What kind of upstream it is, in the words of OpenTelemetry's `gen_ai.provider.name`."""
        ...

    def call(self, surface: Surface, body: bytes, model: str, *, streams: bool) -> Call:
        """The request for `body`, a JSON object in OpenAI's shape, addressed to `model`.

        Args:
            surface: The path below `/v1` in OpenAI's interface.
            body: The JSON object.
            model: Name of the model there; empty to leave the body's own.
            streams: Whether an event stream is wanted.

        Raises:
            ApiError: 400, this upstream has no such interface, or no way to say what the body asks for.
        """
        ...

    def answer(self, content: bytes) -> UpstreamAnswer:
        """A whole chat completion.

        Raises:
            ApiError: 502, it is none.
        """
        ...

    def pieces(self) -> Pieces:
        """A reader for one streamed chat completion."""
        ...


def with_model(body: bytes, model: str) -> bytes:
    """The JSON object `body` with another `model`; the other values keep their very bytes."""
    if not model:
        return body
    document = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    document["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(document)
