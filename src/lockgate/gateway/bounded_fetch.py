"""Asking servers of the operator's own: over TLS, never redirected, never more bytes than are worth reading."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp
import msgspec
from yarl import URL

from lockgate.core.files import named_path
from lockgate.gateway.errors import GatewayError

MAX_ANSWER = 256 << 10
_CONNECTIONS = 8


class FetchError(Exception):
    """A server that could not be asked.

    Args:
        why: What it did, as the end of a sentence. Quotes nothing from it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Fetched(msgspec.Struct, frozen=True):
    """An answer.

    Attributes:
        status: HTTP status.
        body: At most `MAX_ANSWER` bytes. Never shown: it may hold a secret.
    """

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Fetched({self.status}, {len(self.body)} bytes)"


@asynccontextmanager
async def open_session(
    *, timeout_s: float, ca_file: str | None = None, project_root: Path = Path()
) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session without cookies and proxies.

    Args:
        timeout_s: Seconds that one question may take, connecting included.
        ca_file: PEM file of the authorities that count, in place of the system's.
        project_root: Where its path starts if it is relative.

    Raises:
        GatewayError: The file of authorities cannot be used.
    """
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=_trust(ca_file, project_root))
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        yield session


async def fetch(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Fetched:
    """Ask once.

    Raises:
        FetchError: No answer in time, a redirect, a compressed or too large answer.
    """
    sent = {"accept-encoding": "identity", "user-agent": "lockgate", **(headers or {})}
    try:
        async with session.request(
            method, URL(url, encoded=True), headers=sent, data=body, allow_redirects=False
        ) as response:
            if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
                raise FetchError("redirected us, which is not followed")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchError("compressed its answer unasked")
            answer = bytearray()
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    raise FetchError(f"answered with more than {MAX_ANSWER:,} bytes")
            return Fetched(response.status, bytes(answer))
    except TimeoutError as error:
        raise FetchError("did not answer in time") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise FetchError("shows a certificate that is not trusted") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError("cannot be reached or does not speak HTTP") from error


def _trust(ca_file: str | None, project_root: Path) -> ssl.SSLContext:
    try:
        place = None if ca_file is None else named_path(project_root, ca_file)
        context = ssl.create_default_context(cafile=place)
    except (OSError, ssl.SSLError) as error:
        raise GatewayError(f"The certificates in {ca_file} cannot be used.", remedy="Give a PEM file.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
