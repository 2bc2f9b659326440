"""The admin plane: metrics, upstreams and reload, on a port of its own, for whoever holds its token."""

import hmac
import os
import secrets
import stat
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Protocol, cast

import msgspec

from lockgate.core.home import home, write_private
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.telemetry.registry import CONTENT_TYPE
from lockgate.gateway.upstreams.server import UpstreamState

TOKEN_NAME = "admin-token"  # noqa: S105 - the name of a file
_TOKEN_BYTES = 32
_MAX_TOKEN = 256
_ROUTES = {"/metrics": "GET", "/admin/upstreams": "GET", "/admin/reload": "POST"}

Message = MutableMapping[str, object]


class Plane(Protocol):
    """What the admin plane can see and do."""

    async def metrics(self) -> bytes:
        """Every metric of every worker in Prometheus' text format."""
        ...

    async def upstreams(self) -> list[tuple[UpstreamState, ...]]:
        """How upstreams are doing, for each worker."""
        ...

    async def reload(self) -> str:
        """Read settings again; empty when they are in force, else why the old ones stay."""
        ...


def admin_token() -> str:
    """The token of this user's admin plane, made at first use and kept in `$LOCKGATE_HOME/admin-token`.

    Raises:
        GatewayError: The file cannot be read or written, or is open to others.
    """
    path = home() / TOKEN_NAME
    try:
        if not path.exists():
            write_private(path, f"lga-{secrets.token_hex(_TOKEN_BYTES)}\n".encode())
        return _read_token(path)
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayError(f"{path} cannot be used.", remedy="Check the permissions of its folder.") from error


def _read_token(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        token = stream.read(_MAX_TOKEN).decode("ascii").strip()
    if mode & 0o077 or not stat.S_ISREG(mode):
        raise GatewayError(f"{path} is open to others.", remedy=f"Run: chmod 600 {path}")
    if not token:
        raise GatewayError(f"{path} is empty.", remedy="Remove it: a new token is made at the next start.")
    return token


class AdminApp:
    """The ASGI application of the admin plane.

    Args:
        plane: What it can see and do.
        token: What callers must send as a bearer token.
    """

    def __init__(self, plane: Plane, token: str) -> None:
        self._plane = plane
        self._token = token.encode()

    async def __call__(
        self,
        scope: MutableMapping[str, object],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        del receive  # no address of this plane reads a body
        media_type = "application/json"
        try:
            status, body, media_type = await self._answer(scope)
            extra: list[tuple[bytes, bytes]] = []
        except ApiError as error:
            status, body, extra = error.status, error.body(), error.headers()
        headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *extra,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: MutableMapping[str, object]) -> tuple[int, bytes, str]:
        if not self._authentic(scope):
            raise ApiError(401, "invalid_admin_token", "The admin token is missing or wrong.")
        path = cast("str", scope["path"])
        allowed = _ROUTES.get(path)
        if allowed is None:
            raise ApiError(404, "unknown_url", "There is nothing at this address.")
        if scope["method"] != allowed:
            raise ApiError(405, "method_not_allowed", f"This address answers to {allowed} only.", allow=allowed)
        match path:
            case "/metrics":
                return 200, await self._plane.metrics(), CONTENT_TYPE
            case "/admin/upstreams":
                document = {"workers": await self._plane.upstreams()}
                return 200, msgspec.json.encode(document), "application/json"
            case _:
                problem = await self._plane.reload()
                document = {"reloaded": not problem, "problem": problem}
                return 409 if problem else 200, msgspec.json.encode(document), "application/json"

    def _authentic(self, scope: MutableMapping[str, object]) -> bool:
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        given = [value for name, value in headers if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)
