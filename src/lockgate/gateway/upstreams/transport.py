"""What the gateway asks of an HTTP client, so that another one can take its place."""

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """Why there is no answer. Only CONNECT proves that the upstream has seen nothing.

    STALE: a connection kept from an earlier request ended at once, without a byte of an answer, as one does that the
    upstream closed while the request was on its way.
    """

    CONNECT = "connect"
    STALE = "stale"
    TIMEOUT = "timeout"
    BROKEN = "broken"


class TransportError(Exception):
    """A call that failed below HTTP. It quotes nothing of the other side.

    Args:
        fault: Why.
        timed_out: Whether time ran out (while connecting, where the fault is CONNECT).
    """

    def __init__(self, fault: Fault, *, timed_out: bool = False) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.timed_out = timed_out


class Reply(Protocol):
    """The head of an answer has arrived; its body is read by whoever holds this, who also closes it."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    def header(self, name: str) -> str:
        """A header's first value; empty where it is absent. `name` is in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, not decompressed.

        Raises:
            TransportError: It broke off, or nothing came in time.
        """
        ...

    def close(self) -> None:
        """Give the connection back when the body was read to its end, else close it."""
        ...


class Transport(Protocol):
    """Sends requests to one upstream over a bounded pool: no redirects, proxies, cookies, retries or compression."""

    @property
    def closed(self) -> bool:
        """Whether it takes no more requests."""
        ...

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, *, fresh: bool = False) -> Reply:
        """POST `body` and wait for the head of the answer, over a new connection where `fresh` says so.

        Raises:
            TransportError: There is none.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
