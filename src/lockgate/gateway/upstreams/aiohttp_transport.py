"""The default `Transport`: aiohttp."""

import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextvars import ContextVar
from time import monotonic
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from lockgate.core.config_upstreams import TimeoutConfig
from lockgate.gateway.upstreams.addresses import Address, resolve
from lockgate.gateway.upstreams.transport import Fault, TransportError

# Whether a connection was closed while idle shows within a round trip; what ends later may have been worked on.
_STALE_S = 1.0
_use: ContextVar["_Use"] = ContextVar("_use")


class _Use:
    """How one request comes by its connection.

    Attributes:
        fresh: Whether it must have one that nobody used before.
        since: When it had one, in seconds of the monotonic clock; 0 before, and where that one is new.
    """

    __slots__ = ("fresh", "since")

    def __init__(self, *, fresh: bool) -> None:
        self.fresh = fresh
        self.since = 0.0

    @property
    def stale(self) -> bool:
        """Whether a connection that ended just now had been kept from an earlier request, and ended at once."""
        return bool(self.since) and monotonic() - self.since < _STALE_S


class _Connector(aiohttp.TCPConnector):
    """Tells whether a connection served an earlier request, and opens a new one for whoever asks for that."""

    def __init__(self, *, limit: int, resolver: AbstractResolver, tls: ssl.SSLContext | bool) -> None:
        super().__init__(limit=limit, resolver=resolver, ssl=tls)  # pyright: ignore[reportUnknownMemberType] - a socket's address
        self._known: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> Connection:
        """A connection for a request."""
        use = _use.get()
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            assert protocol is not None  # noqa: S101 - only a connection that was given back has none
            if protocol not in self._known:
                self._known.add(protocol)
                return connection
            if not use.fresh:
                use.since = monotonic()
                return connection
            connection.close()  # it is as old as the one that was closed by the other side


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses those that lead where no upstream may be."""

    def __init__(self, allowed: frozenset[Address]) -> None:
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: It has none, or one that is refused.
        """
        pairs = await resolve(host, port, self._allowed, family)
        return [
            ResolveResult(hostname=host, host=text, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for text, kind in pairs
        ]

    async def close(self) -> None:
        """It holds nothing."""


class AiohttpReply:
    """A `Reply` of aiohttp's."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    def header(self, name: str) -> str:
        """A header's first value; empty where it is absent."""
        return self._response.headers.get(name, "")

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        return self._chunks()

    async def _chunks(self) -> AsyncGenerator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError as error:
            raise TransportError(Fault.TIMEOUT) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise TransportError(Fault.BROKEN) from error

    def close(self) -> None:
        """Close the connection, unless the body was read to its end and the connection went back to the pool."""
        self._response.close()


class AiohttpTransport:
    """A pool of connections to one upstream.

    Args:
        limits: How long a call may take.
        read_s: Seconds without a byte.
        connections: Calls at a time.
        allowed: Addresses that may be used although they are refused by default.
        tls: How an `https` upstream is recognised.
    """

    def __init__(
        self,
        *,
        limits: TimeoutConfig,
        read_s: float,
        connections: int,
        allowed: frozenset[Address],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                limit=connections, resolver=GuardedResolver(allowed), tls=True if tls is None else tls
            ),
            timeout=aiohttp.ClientTimeout(total=limits.total_s, connect=limits.connect_s, sock_read=read_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept-encoding": "identity", "user-agent": "lockgate", "content-type": "application/json"},
            auto_decompress=False,
            trust_env=False,
        )
        self._urls: dict[str, URL] = {}

    @property
    def closed(self) -> bool:
        """Whether it takes no more requests."""
        return self._session.closed

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, *, fresh: bool = False) -> AiohttpReply:
        """POST `body` and wait for the head of the answer, over a new connection where `fresh` says so.

        Raises:
            TransportError: There is none.
        """
        target = self._urls.get(url) or self._urls.setdefault(url, URL(url))
        use = _Use(fresh=fresh)
        _use.set(use)
        try:
            response = await self._session.post(target, data=body, headers=headers, allow_redirects=False)
        except aiohttp.ConnectionTimeoutError as error:
            raise TransportError(Fault.CONNECT, timed_out=True) from error
        except TimeoutError as error:
            raise TransportError(Fault.TIMEOUT, timed_out=True) from error
        except aiohttp.ClientConnectorError as error:
            raise TransportError(Fault.CONNECT) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            stale = use.stale and _without_answer(error)
            raise TransportError(Fault.STALE if stale else Fault.BROKEN) from error
        return AiohttpReply(response)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def _without_answer(error: Exception) -> bool:
    """Whether a connection ended before anything of an answer had come."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it is as much of a head as there was
    return isinstance(error, ConnectionError | aiohttp.ClientOSError)
