"""A server on a socket of this process: uvicorn as the gateway wants it."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import cast

import uvicorn

from lockgate.gateway.errors import GatewayError
from lockgate.gateway.protocol import GatewayProtocol, Refused

HOST = "127.0.0.1"
# Longer than load balancers keep an idle connection (60 s mostly): who closes first must not be the one that is asked.
_KEEP_ALIVE_S = 75
_BACKLOG = 2048
_DATE_S = 1.0
_LOOK_S = 0.01
_LAST_WORDS_S = 1.0
_log = logging.getLogger(__name__)

AsgiApp = Callable[..., object]


class _Server(uvicorn.Server):
    """Tells when it is ready, leaves signals to the program around it, and ends when it is told rather than looks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def end(self) -> None:
        """Take no more callers, and end after those who are there."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Keep the date of answers current until told to end."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _DATE_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests in progress end, and cancel those that take too long."""
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        await asyncio.sleep(_LOOK_S)  # so that whoever was accepted just now counts
        state = self.server_state
        for connection in tuple(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            tasks = tuple(state.tasks)
            _log.warning("%d requests were cut off: they took longer than serve.drain_s.", len(tasks))
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=_LAST_WORDS_S)


class Listening:
    """A server that answers, and whose certificates can be replaced meanwhile.

    Args:
        server: It.
        listener: Where callers connect.
        refused: Is told of what is refused before it is a request.
    """

    def __init__(self, server: _Server, listener: socket.socket, refused: Refused | None) -> None:
        self._server = server
        self._listener = listener
        self._refused = refused

    async def secure(self, tls: ssl.SSLContext | None) -> None:
        """Speak TLS like this from now on, None for plain HTTP.

        Whoever is connected is answered to the end, streams included, and connects anew for the next request.
        """
        server = self._server
        server.config.ssl = tls
        before, server.servers = server.servers, [await self._accept(tls)]
        for one in before:
            one.close()
        for connection in tuple(server.server_state.connections):
            connection.shutdown()

    async def _accept(self, tls: ssl.SSLContext | None) -> asyncio.base_events.Server:
        server = self._server

        def protocol() -> asyncio.Protocol:
            state = server.lifespan.state
            return GatewayProtocol(server.config, server.server_state, state, refused=self._refused)

        loop = asyncio.get_running_loop()
        return await loop.create_server(protocol, sock=self._listener.dup(), ssl=tls, backlog=_BACKLOG)


@contextmanager
def listen(port: int, *, option: str = "--port") -> Generator[socket.socket]:
    """Listen on 127.0.0.1.

    Args:
        port: The port; 0 for a free one.
        option: What a message names as the way to choose another.

    Raises:
        GatewayError: The port is taken, or is none.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            raise GatewayError(
                f"Port {port} is taken." if taken else f"Port {port} cannot be opened.",
                remedy=f"Choose another with {option}, or 0 for a free one.",
            ) from error
        yield listener


def port_of(listener: socket.socket) -> int:
    """The port that a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


@asynccontextmanager
async def running(
    app: AsgiApp,
    listener: socket.socket,
    *,
    drain_s: float,
    tls: ssl.SSLContext | None = None,
    refused: Refused | None = None,
) -> AsyncGenerator[Listening]:
    """Answer on `listener` while the block runs.

    Args:
        app: The ASGI application.
        listener: Where callers connect; closed at the end.
        drain_s: Seconds that requests in progress may still take when the block ends.
        tls: How the server shows who it is; None for plain HTTP.
        refused: Is told of what is refused before it is a request.
    """
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(GatewayProtocol, refused=refused)),
        ws="none",
        lifespan="off",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(drain_s),
        backlog=_BACKLOG,
    )
    config.load()
    config.ssl = tls
    server = _Server(config)
    # A copy, since whoever stops accepting closes the socket on which it did.
    task = asyncio.create_task(server.serve(sockets=[listener.dup()]))
    try:
        await server.ready.wait()
        yield Listening(server, listener, refused)
    finally:
        listener.close()
        server.end()
        await task
