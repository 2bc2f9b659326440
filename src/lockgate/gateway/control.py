"""What a supervisor and its workers say to each other, over a socket pair that only they hold."""

import asyncio
import struct
from typing import Literal, TypeVar

import msgspec

from lockgate.gateway.live import Spec
from lockgate.gateway.telemetry.registry import Family
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.server import UpstreamState

T = TypeVar("T")
_LENGTH = struct.Struct(">I")
_MAX_BYTES = 64 << 20


class Order(msgspec.Struct, frozen=True):
    """What a worker shall do.

    Attributes:
        do: `load` settings, or say something.
        spec: The settings.
        endpoints: Where the upstreams answer that run in processes of ours.
        workers: Processes that serve together.
    """

    do: Literal["load", "metrics", "upstreams"]
    spec: Spec | None = None
    endpoints: dict[str, Endpoint] = {}
    workers: int = 1

    def __repr__(self) -> str:
        return f"Order({self.do!r})"


class Answer(msgspec.Struct, frozen=True):
    """What a worker says to an order.

    Attributes:
        problem: Why it was not done; empty where it was.
        remedy: What the user can do.
        families: Its metrics.
        upstreams: How its upstreams are doing.
    """

    problem: str = ""
    remedy: str = ""
    families: list[Family] = []
    upstreams: tuple[UpstreamState, ...] = ()


async def tell(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    """Send one message.

    Raises:
        ConnectionError: The other side is gone.
    """
    body = msgspec.json.encode(message)
    writer.write(_LENGTH.pack(len(body)) + body)
    await writer.drain()


async def hear(reader: asyncio.StreamReader, kind: type[T]) -> T | None:
    """Wait for one message; None when the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > _MAX_BYTES:
            return None
        return msgspec.json.decode(await reader.readexactly(length), type=kind)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
