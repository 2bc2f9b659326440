"""API keys of callers: shown once, kept as keyed hashes, revocable while the gateway runs."""

import fcntl
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol, Self

import msgspec

from lockgate.core.home import home, private_folder, write_private
from lockgate.core.project import Project
from lockgate.gateway.errors import GatewayError
from lockgate.monitor import utc_now

STORE_NAME = "api-keys.json"
_PEPPER_NAME = "pepper"
_PEPPER_BYTES = 32
_SECRET_BYTES = 16
_MAX_STORE = 1 << 20


class Verifier(Protocol):
    """Tells whose key it is."""

    def verify(self, key: str) -> str | None:
        """The public id of a valid key, or None."""
        ...


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a key.

    Attributes:
        id: Public id, as events carry it.
        name: What its owner called it.
        created: When, UTC, ISO 8601.
        mac: HMAC-SHA-256 (RFC 2104) of the key under this machine's pepper, hex.
        revoked: When it was revoked; empty while it is valid.
    """

    id: str
    name: str
    created: str
    mac: str
    revoked: str = ""


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    keys: tuple[ApiKey, ...]


class EphemeralKey:
    """One key that lives as long as this object, for a gateway that runs inside another program.

    Attributes:
        secret: The key.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.secret = _new_secret()

    def verify(self, key: str) -> str | None:
        """The name given at construction when it is this key, else None."""
        return self._name if hmac.compare_digest(_bytes(key), _bytes(self.secret)) else None


class KeyStore:
    """The keys of one project, read again whenever their file changes."""

    def __init__(self, path: Path, pepper: bytes) -> None:
        self._path = path
        self._pepper = pepper
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[ApiKey, ...] = ()

    @classmethod
    def open(cls, project: Project) -> Self:
        """Open the keys of `project`; without any, every caller is refused.

        Raises:
            GatewayError: This machine's pepper cannot be read or is open to others.
        """
        return cls(project.state / STORE_NAME, _pepper())

    def verify(self, key: str) -> str | None:
        """The public id of a valid key, or None. Every stored key is compared, each in constant time.

        Raises:
            GatewayError: The file of keys is damaged.
        """
        self._reload()
        mac = _mac(self._pepper, key)
        found = None
        for candidate in self._keys:
            if hmac.compare_digest(mac, candidate.mac) and not candidate.revoked:
                found = candidate.id
        return found

    def _reload(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._keys = None, ()
            return
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._keys = _load(self._path)
            self._seen = seen


def create(project: Project, name: str) -> tuple[str, str]:
    """Make a key and give its public id and the key itself, which is shown only now.

    Raises:
        GatewayError: The pepper or the file of keys cannot be read or written.
    """
    secret = _new_secret()
    key = ApiKey(f"key-{secrets.token_hex(4)}", name, utc_now(), _mac(_pepper(), secret))
    with _locked(project.state) as path:
        _save(path, (*_load(path), key))
    return key.id, secret


def list_keys(project: Project) -> tuple[ApiKey, ...]:
    """Every key of the project, revoked ones too, oldest first.

    Raises:
        GatewayError: The file of keys is damaged.
    """
    return _load(project.state / STORE_NAME)


def revoke(project: Project, key_id: str) -> None:
    """Refuse a key from now on; a running gateway notices at its next request.

    Raises:
        GatewayError: There is no such key, or the file of keys cannot be read or written.
    """
    with _locked(project.state) as path:
        keys = _load(path)
        if not any(key.id == key_id for key in keys):
            raise GatewayError(f"There is no key {key_id!r}.", remedy="'lockgate key list --project DIR' shows them.")
        now = utc_now()
        _save(
            path,
            tuple(
                msgspec.structs.replace(key, revoked=key.revoked or now) if key.id == key_id else key for key in keys
            ),
        )


def _new_secret() -> str:
    return f"lg-{secrets.token_hex(_SECRET_BYTES)}"


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _mac(pepper: bytes, key: str) -> str:
    return hmac.new(pepper, _bytes(key), hashlib.sha256).hexdigest()


def _load(path: Path) -> tuple[ApiKey, ...]:
    try:
        with path.open("rb") as stream:
            body = stream.read(_MAX_STORE)
        return msgspec.json.decode(body, type=_Stored).keys
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise GatewayError(
            f"The file of API keys {path} cannot be read.",
            remedy="Restore it, or remove it and create new keys.",
        ) from error


def _save(path: Path, keys: tuple[ApiKey, ...]) -> None:
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(_Stored(1, keys))))
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def _locked(state: Path) -> Generator[Path]:
    path = state / STORE_NAME
    try:
        private_folder(state)
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(descriptor)


def _pepper() -> bytes:
    path = home() / _PEPPER_NAME
    try:
        if not path.exists():
            _create_pepper(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            pepper = stream.read(_PEPPER_BYTES + 1)
    except OSError as error:
        raise _unwritable(path, error) from error
    if mode & 0o077 or not stat.S_ISREG(mode):
        raise GatewayError(f"{path} is open to others.", remedy=f"Run: chmod 600 {path}")
    if len(pepper) != _PEPPER_BYTES:
        raise GatewayError(f"{path} is damaged.", remedy="Remove it and create new API keys.")
    return pepper


def _create_pepper(path: Path) -> None:
    """Write it beside its place and link it there, so that of two processes one wins and the other reads its pepper."""
    mine = private_folder(path.parent) / f".{_PEPPER_NAME}.{secrets.token_hex(8)}"
    write_private(mine, secrets.token_bytes(_PEPPER_BYTES))
    try:
        os.link(mine, path)
    except FileExistsError:
        return
    finally:
        mine.unlink()


def _unwritable(path: Path, error: OSError) -> GatewayError:
    return GatewayError(
        f"{path} cannot be used: {error.strerror or type(error).__name__}.",
        remedy="Check the permissions of its folder.",
    )
