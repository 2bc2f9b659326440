"""Where Redis is, how it is recognised, and the password for it."""

import os
import ssl
import stat
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from lockgate.core.config_limits import RedisStore
from lockgate.gateway.errors import GatewayError

_PORT = 6379
_MAX_PASSWORD = 4096


class Address(msgspec.Struct, frozen=True):
    """Where Redis answers.

    Attributes:
        host: Its name; empty for a socket.
        port: Its port.
        path: Path of its socket; empty for a host.
        database: Number of its database.
        tls: How its certificate is checked; None without TLS.
        username: Name of the user; empty for the default one.
        password: Its password; empty for none. Never shown.
    """

    host: str
    port: int
    path: str
    database: int
    tls: ssl.SSLContext | None
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Address({self.host or self.path!r}, {self.port})"


def read_address(store: RedisStore, *, project_root: Path) -> Address:
    """The address that the settings name, with the password from its place.

    Raises:
        GatewayError: The port, the password or the authorities' file is wrong or cannot be read.
    """
    url = urlsplit(store.url)
    password = _password(store, project_root)
    if url.scheme == "unix":
        return Address("", 0, url.path, 0, None, store.username, password)
    try:
        port = url.port or _PORT
    except ValueError as error:
        raise GatewayError("The port in serve.limits.store.url is wrong.", remedy="Use 1 to 65535.") from error
    tls = _tls(store, project_root) if url.scheme == "rediss" else None
    database = int(url.path.lstrip("/") or 0)
    return Address(url.hostname or "", port, "", database, tls, store.username, password)


def _tls(store: RedisStore, project_root: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(project_root / store.ca_file) if store.ca_file else None)
    except OSError as error:
        raise GatewayError(
            f"The authorities' file {store.ca_file} cannot be read.", remedy="Name a PEM file in ca_file."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _password(store: RedisStore, project_root: Path) -> str:
    if store.password_env:
        if password := os.environ.get(store.password_env, ""):
            return password
        raise GatewayError(f"{store.password_env} is not set.", remedy="Set it to the password of Redis.")
    if not store.password_file:
        return ""
    path = (project_root / Path(store.password_file).expanduser()).resolve()
    if path.is_relative_to(project_root.resolve()):
        raise GatewayError(
            f"The password file {path.name} lies inside the project.",
            remedy="Keep it outside: whoever gets the project must not get the password.",
        )
    try:
        mode = path.stat().st_mode
        with path.open(encoding="utf-8") as stream:
            password = stream.read(_MAX_PASSWORD).strip()
    except (OSError, ValueError) as error:
        raise GatewayError(f"The password file {path} cannot be read.", remedy="Check its path.") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise GatewayError(f"The password file {path} is open to others.", remedy=f"Run: chmod 600 {path}")
    return password
