"""The interface to whoever answers: what the application asks of a router, and the shapes that come back."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from lockgate.gateway.upstreams.credentials import read_api_key
from lockgate.gateway.upstreams.dialect import Surface
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.server import MAX_BYTES
from lockgate.gateway.upstreams.wire import (
    UpstreamAnswer,
    UpstreamChoice,
    UpstreamFunction,
    UpstreamMessage,
    UpstreamToolCall,
    Usage,
)

__all__ = [
    "Endpoint",
    "Upstream",
    "UpstreamAnswer",
    "UpstreamChoice",
    "UpstreamFunction",
    "UpstreamMessage",
    "UpstreamToolCall",
    "Usage",
    "read_api_key",
]


class Upstream(Protocol):
    """Whoever answers. `Router` is the implementation; its methods say what they raise."""

    @property
    def model(self) -> str:
        """The name that the default alias's first target has for its model."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every name that callers may use, the default one among them."""
        ...

    @property
    def open_for_traffic(self) -> bool:
        """Whether requests are taken."""
        ...

    def provider(self, alias: str | None = None) -> str:
        """What kind of upstream an alias asks first, in the words of `gen_ai.provider.name`."""
        ...

    async def complete(self, body: bytes, *, alias: str | None = None) -> UpstreamAnswer:
        """Ask for a whole chat completion."""
        ...

    def stream(
        self, body: bytes, *, alias: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[UpstreamAnswer]]:
        """Ask for a chat completion in pieces; entering waits for the upstream's headers."""
        ...

    def exchange(
        self, surface: Surface, body: bytes, *, alias: str | None = None, most: int = MAX_BYTES
    ) -> AbstractAsyncContextManager[bytearray]:
        """Ask another interface of OpenAI's for a whole document of at most so many bytes."""
        ...

    def events(
        self, surface: Surface, body: bytes, *, alias: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Ask another interface of OpenAI's for a stream of its events' data."""
        ...
