"""Where Redis is and how it is recognised."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lockgate.core.config_limits import RedisStore
from lockgate.core.files import named_path
from lockgate.gateway.errors import GatewayError

_PORT = 6379


class Address(msgspec.Struct, frozen=True):
    """Where Redis answers.

    Attributes:
        host: Its name; empty for a socket.
        port: Its port.
        path: Path of its socket; empty for a host.
        database: Number of its database.
        tls: How its certificate is checked; None without TLS.
        username: Name of the user; empty for the default one.
    """

    host: str
    port: int
    path: str
    database: int
    tls: ssl.SSLContext | None
    username: str


def read_address(store: RedisStore, *, project_root: Path) -> Address:
    """The address that the settings name.

    Raises:
        GatewayError: The port is wrong or the authorities' file cannot be read.
    """
    url = urlsplit(store.url)
    if url.scheme == "unix":
        return Address("", 0, url.path, 0, None, store.username)
    try:
        port = url.port or _PORT
    except ValueError as error:
        raise GatewayError("The port in serve.limits.store.url is wrong.", remedy="Use 1 to 65535.") from error
    tls = _tls(store, project_root) if url.scheme == "rediss" else None
    database = int(url.path.lstrip("/") or 0)
    return Address(url.hostname or "", port, "", database, tls, store.username)


def _tls(store: RedisStore, project_root: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=named_path(project_root, store.ca_file) if store.ca_file else None)
    except OSError as error:
        raise GatewayError(
            f"The authorities' file {store.ca_file} cannot be read.", remedy="Name a PEM file in ca_file."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
