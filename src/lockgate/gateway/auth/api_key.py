"""What is kept of an API key, sealed so that whoever can edit the project cannot change what a key may do."""

import datetime as dt
import hmac
import secrets
from typing import Annotated

import msgspec
from msgspec import Meta

from lockgate.core.config_auth import Scope, Tenant

PREFIX = "lg-"
MAX_SCOPES = 64
_SECRET_BYTES = 16

KeyId = Annotated[str, Meta(pattern="^key-[0-9a-f]{8,32}$(?!\\n)")]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$(?!\\n)")]
Moment = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z$(?!\\n)")]


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept of a key.

    Attributes:
        id: Public id, as events carry it.
        name: What its owner called it.
        created: When, UTC, ISO 8601.
        mac: HMAC-SHA-256 (RFC 2104) of the key under the pepper, hex.
        expires: From when on it is refused; None for never.
        revoked: When it was revoked; None while it was not.
        tenant: Whose traffic it carries.
        scopes: What it may do.
        replaces: Id of the key that it was rotated from.
        seal: HMAC-SHA-256 of all of the above under the pepper, hex.
    """

    id: KeyId
    name: Annotated[str, Meta(max_length=200)]
    created: Moment
    mac: Digest
    expires: Moment | None = None
    revoked: Moment | None = None
    tenant: Tenant | None = None
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=MAX_SCOPES)] = ()
    replaces: KeyId | None = None
    seal: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$(?!\\n)")] = ""

    def sealed(self, pepper: bytes) -> "ApiKey":
        """The same key with the seal that belongs to it."""
        return msgspec.structs.replace(self, seal=self._seal(pepper))

    def seal_holds(self, pepper: bytes) -> bool:
        """Whether it is as a holder of the pepper wrote it."""
        return hmac.compare_digest(self.seal, self._seal(pepper))

    def ends_at(self) -> float:
        """From which moment on it is refused, seconds since 1970; infinity for never."""
        ends = [timestamp(moment) for moment in (self.expires, self.revoked) if moment is not None]
        return min(ends, default=float("inf"))

    def _seal(self, pepper: bytes) -> str:
        body = msgspec.json.encode(msgspec.structs.replace(self, seal=""), order="deterministic")
        # The prefix keeps a seal from ever being the MAC of a key: keys are ASCII.
        return hmac.digest(pepper, b"\x00row\x00" + body, "sha256").hex()


def new_secret() -> str:
    """A fresh key: 128 random bits."""
    return f"{PREFIX}{secrets.token_hex(_SECRET_BYTES)}"


def key_mac(pepper: bytes, key: str) -> str:
    """What is stored in place of a key. Any text has one, also what is no valid Unicode."""
    return hmac.digest(pepper, key.encode("utf-8", "surrogatepass"), "sha256").hex()


def timestamp(moment: str) -> float:
    """Seconds since 1970 of a `Moment`.

    Raises:
        ValueError: There is no such day or hour.
    """
    return dt.datetime.fromisoformat(moment).timestamp()


def moment(seconds: float) -> str:
    """A `Moment` from seconds since 1970, to the millisecond."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
