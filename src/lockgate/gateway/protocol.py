"""HTTP/1.1 below the application: bounded heads, errors in the one shape, no access log of uvicorn's own."""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from typing import cast

import httptools
import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from lockgate.gateway.asgi import ABORT, CERTIFICATE
from lockgate.gateway.errors import ApiError, invalid

_MAX_HEAD = 64 << 10
_OK = 200
_ENDLESS = 1 << 62
_ID_DIGITS = 32
_IDS_AT_ONCE = 64
_drawn: list[str] = []
_NO_HTTP = invalid("invalid_http", "The request is not valid HTTP/1.1.")
_NO_UPGRADE = invalid("unsupported_upgrade", "The endpoint speaks HTTP/1.1 alone; send this without 'Upgrade'.")


def new_request_id() -> str:
    """A request id of 128 random bits, which no caller can choose or foresee."""
    if not _drawn:  # many at once, since each draw gives way to another thread
        digits = secrets.token_hex(_ID_DIGITS // 2 * _IDS_AT_ONCE)
        _drawn.extend(digits[place : place + _ID_DIGITS] for place in range(0, len(digits), _ID_DIGITS))
    return f"req-{_drawn.pop()}"


Refused = Callable[[ApiError], str]
"""Notes what is refused before it is a request, and gives its id."""


class GatewayProtocol(HttpToolsProtocol):
    """uvicorn's protocol with four changes.

    Its access log would hold the query, in which callers put what they should not. Its parser keeps headers in memory
    however many there are. Its answer to what is no HTTP is plain text, and a line on standard error for each. A body
    behind a request to change the protocol (HTTP/2, WebSocket) is lost in its parser, so that such a request looks as
    if it had none.

    Args:
        config: uvicorn's settings.
        server_state: The connections of the server.
        app_state: Nothing.
        refused: Is told of what is refused here.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        refused: Refused | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._refused = refused
        self.access_log = False
        self._head_bytes = 0
        self._in_head = True
        self._certificate: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the client certificate, whose chain TLS has checked."""
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is not self.config.ssl:
            transport.abort()  # a handshake that began before the certificates were replaced: others may count now
            return
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject) else None

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a head that is larger than 64 KiB."""
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        assert self.parser is not None  # noqa: S101 - it is there until the connection is lost
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # who asks for another protocol goes on without
        except httptools.HttpParserError:
            self._refuse(_NO_HTTP)
        if self._in_head and self._head_bytes > _MAX_HEAD:
            self._refuse(ApiError(431, "headers_too_large", f"The headers are larger than {_MAX_HEAD:,} bytes."))

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._in_head = True
        scope = cast("dict[str, object]", self.scope)
        scope[CERTIFICATE] = self._certificate
        scope[ABORT] = self.transport.abort

    def on_headers_complete(self) -> None:
        """Stop counting, and refuse a body that the parser would take for another protocol's."""
        self._in_head = False
        upgrading = bool(self.parser and self.parser.should_upgrade())
        if upgrading and any(map(_announces_body, self.headers)):
            self._refuse(_NO_UPGRADE)
            return
        super().on_headers_complete()
        if upgrading:
            self.cycle.keep_alive = False  # the parser reads nothing more of this connection
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = _OldCycle

    def on_message_complete(self) -> None:
        """Begin anew for the next request of the connection."""
        if self.transport.is_closing():
            return
        super().on_message_complete()
        self._head_bytes = 0
        self._in_head = True

    def _refuse(self, error: ApiError) -> None:
        if self.transport.is_closing():
            return
        body = error.body()
        request_id = self._refused(error) if self._refused else new_request_id()
        head = (
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[error.status] + head.encode() + body)
        self.transport.close()


class _OldCycle(RequestResponseCycle):
    """An answer for HTTP/1.0, which knows no chunks (RFC 9112, section 6.1): a stream ends with the connection."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send, and let uvicorn believe that a stream has a length, which its end fits."""
        if message["type"] == "http.response.start":
            if message["status"] == _OK and all(name != b"content-length" for name, _ in message.get("headers", ())):
                self.chunked_encoding, self.expected_content_length = False, _ENDLESS
        elif (
            message["type"] == "http.response.body" and not message.get("more_body") and self.chunked_encoding is False
        ):
            self.expected_content_length = min(self.expected_content_length, len(message.get("body", b"")))
        await super().send(message)


def _announces_body(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
