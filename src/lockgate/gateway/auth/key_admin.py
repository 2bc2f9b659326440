"""Creating, listing, revoking and rotating API keys."""

import secrets
import time

import msgspec

from lockgate.core.project import Project
from lockgate.gateway.auth.api_key import ApiKey, key_mac, moment, new_secret, timestamp
from lockgate.gateway.auth.key_file import STORE_NAME, load, locked, save
from lockgate.gateway.auth.pepper import read_pepper
from lockgate.gateway.errors import GatewayError

MAX_GRACE_S = 30 * 86_400.0
# The last second of the year 9999, where the calendar of a `Moment` ends.
_LAST_S = 253_402_300_799.0


def create(
    project: Project, name: str, *, expires_at: float | None = None, tenant: str = "", scopes: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Make a key and give its public id and the key itself, which is shown only now.

    Args:
        project: The project.
        name: Who or what will use it.
        expires_at: From when on it is refused, seconds since 1970; None for never.
        tenant: Whose traffic it carries; empty where there is one tenant only.
        scopes: What it may do.

    Raises:
        GatewayError: The name, the tenant, a scope or the expiry is unusable, or the pepper or the file of keys cannot
            be read or written.
    """
    now = time.time()
    _check_expiry(expires_at, now)
    pepper, secret = read_pepper(project), new_secret()
    key = _checked(
        ApiKey(
            id=_new_id(),
            name=name,
            created=moment(now),
            mac=key_mac(pepper, secret),
            expires=None if expires_at is None else moment(expires_at),
            tenant=tenant or None,
            scopes=tuple(sorted(set(scopes))),
        )
    )
    with locked(project.state) as path:
        save(path, (*load(path), key.sealed(pepper)))
    return key.id, secret


def list_keys(project: Project) -> tuple[ApiKey, ...]:
    """Every key of the project, revoked and expired ones too, oldest first.

    Raises:
        GatewayError: The file of keys is damaged.
    """
    return load(project.state / STORE_NAME)


def key_states(project: Project) -> dict[str, str]:
    """For the id of each key: `valid`, `revoked`, `expired`, or `foreign`.

    A foreign key was not written under this pepper, or was changed since by somebody who does not have it, and is
    refused for that.

    Raises:
        GatewayError: The file of keys or the pepper cannot be read.
    """
    pepper, now = read_pepper(project), time.time()
    return {key.id: _state(key, pepper, now) for key in list_keys(project)}


def revoke(project: Project, key_id: str) -> None:
    """Refuse a key from now on; a running gateway notices at its next request.

    Raises:
        GatewayError: There is no such key, or the pepper or the file of keys cannot be read or written.
    """
    pepper = read_pepper(project)
    with locked(project.state) as path:
        keys = load(path)
        key = _named(keys, key_id)
        gone = msgspec.structs.replace(key, revoked=key.revoked or moment(time.time()))
        save(path, _with(keys, gone.sealed(pepper)))


def rotate(project: Project, key_id: str, *, grace_s: float, expires_at: float | None = None) -> tuple[str, str]:
    """Make a successor with the same name, tenant and scopes; the old key stays valid for `grace_s` seconds more.

    Args:
        project: The project.
        key_id: The key to replace.
        grace_s: Seconds that the old key still counts, never beyond its own expiry; 0 for none.
        expires_at: When the new key expires, seconds since 1970; None gives it the old key's length of life.

    Returns:
        The public id of the new key, and the key, which is shown only now.

    Raises:
        GatewayError: There is no such key, it is not valid any more or was rotated already, the grace is too long, the
            expiry is unusable, or the pepper or the file of keys cannot be read or written.
    """
    if not 0 <= grace_s <= MAX_GRACE_S:
        raise GatewayError("The grace is longer than 30 days.", remedy="Choose a shorter one.")
    pepper, secret, now = read_pepper(project), new_secret(), time.time()
    with locked(project.state) as path:
        keys = load(path)
        old = _named(keys, key_id)
        if not old.seal_holds(pepper) or old.ends_at() <= now:
            raise GatewayError(f"The key {key_id!r} is not valid any more.", remedy="Create a new one.")
        _refuse_rotated(keys, old)
        if expires_at is None and old.expires is not None:
            expires_at = now + timestamp(old.expires) - timestamp(old.created)
        _check_expiry(expires_at, now)
        new = msgspec.structs.replace(
            old,
            id=_new_id(),
            created=moment(now),
            mac=key_mac(pepper, secret),
            expires=None if expires_at is None else moment(expires_at),
            replaces=old.id,
        )
        ended = msgspec.structs.replace(old, expires=moment(min(old.ends_at(), now + grace_s)))
        save(path, (*_with(keys, ended.sealed(pepper)), new.sealed(pepper)))
    return new.id, secret


def _state(key: ApiKey, pepper: bytes, now: float) -> str:
    if not key.seal_holds(pepper):
        return "foreign"
    if key.revoked is not None:
        return "revoked"
    return "valid" if now < key.ends_at() else "expired"


def _check_expiry(expires_at: float | None, now: float) -> None:
    if expires_at is not None and expires_at <= now:
        raise GatewayError("The key would have expired already.", remedy="Choose a moment to come.")
    if expires_at is not None and expires_at > _LAST_S:
        raise GatewayError("The key would expire too late to be written down.", remedy="Choose an earlier moment.")


def _refuse_rotated(keys: tuple[ApiKey, ...], old: ApiKey) -> None:
    """Its life was cut to the grace, and a second successor would inherit that."""
    successor = next((key for key in keys if key.replaces == old.id), None)
    if successor is not None:
        raise GatewayError(
            f"The key {old.id!r} was rotated already, to {successor.id!r}.",
            remedy="Rotate that one, or create a new key.",
        )


def _new_id() -> str:
    return f"key-{secrets.token_hex(4)}"


def _named(keys: tuple[ApiKey, ...], key_id: str) -> ApiKey:
    found = next((key for key in keys if key.id == key_id), None)
    if found is None:
        raise GatewayError(f"There is no key {key_id!r}.", remedy="'lockgate key list --project DIR' shows them.")
    return found


def _with(keys: tuple[ApiKey, ...], changed: ApiKey) -> tuple[ApiKey, ...]:
    return tuple(changed if key.id == changed.id else key for key in keys)


def _checked(key: ApiKey) -> ApiKey:
    """Refuse now what could not be read again, and a name that would not be told from other lines of a list."""
    wrong = GatewayError(
        "The name, the tenant or a scope of the key cannot be used.",
        remedy="A name has 1 to 200 printable characters; tenants and scopes are words of letters, digits, '._-:/*'.",
    )
    if not key.name.strip() or not key.name.isprintable():
        raise wrong
    try:
        return msgspec.convert(msgspec.to_builtins(key), ApiKey)
    except msgspec.ValidationError as error:
        raise wrong from error
