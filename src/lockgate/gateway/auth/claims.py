"""What a verified token says, and whom it stands for."""

import hashlib
import hmac
from typing import cast

import msgspec

from lockgate.core.config_auth import IssuerConfig, Scope, Tenant
from lockgate.gateway.auth.jws import TokenError
from lockgate.gateway.auth.refusal import Reason
from lockgate.gateway.caller import Caller

_MAX_SUBJECT = 256
_MAX_NAME = 200
_MAX_SCOPES = 256
_LAST_SECOND = 2**53
_ID_DIGITS = 16


def issuer_of(claims: dict[str, object]) -> str:
    """Who it says it is from.

    Raises:
        TokenError: Nobody.
    """
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenError(Reason.UNKNOWN_ISSUER)
    return issuer


def check_times(claims: dict[str, object], *, now: float, leeway_s: float) -> float:
    """Check `exp`, `nbf` and `iat` (RFC 7519, section 4.1) and give the moment at which the token ends.

    Args:
        claims: The payload.
        now: This moment, seconds since 1970.
        leeway_s: Seconds by which clocks may differ.

    Raises:
        TokenError: It has no end, has ended, or has not begun.
    """
    ends = _second(claims, "exp")
    begins = [_second(claims, name) for name in ("nbf", "iat") if name in claims]
    if ends is None or any(moment is None for moment in begins):
        raise TokenError(Reason.BAD_CLAIM)
    if now >= ends + leeway_s:
        raise TokenError(Reason.JWT_EXPIRED)
    if any(moment is not None and now < moment - leeway_s for moment in begins):
        raise TokenError(Reason.JWT_EARLY)
    return ends + leeway_s


def check_audience(claims: dict[str, object], wanted: tuple[str, ...]) -> None:
    """Check `aud`: one text or a list of texts, of which one is ours.

    Raises:
        TokenError: It is meant for somebody else.
    """
    given = claims.get("aud")
    named = [given] if isinstance(given, str) else given
    if not isinstance(named, list) or not any(name in wanted for name in cast("list[object]", named)):
        raise TokenError(Reason.WRONG_AUDIENCE)


def caller_of(claims: dict[str, object], settings: IssuerConfig, pepper: bytes) -> Caller:
    """Who a verified token stands for.

    The subject is often an e-mail address, so that events carry a keyed hash of it, the same on every replica.

    Raises:
        TokenError: It has no subject, or lacks the tenant that it must name.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise TokenError(Reason.BAD_CLAIM)
    digest = hmac.new(pepper, f"\0jwt\0{settings.issuer}\0{subject}".encode(), hashlib.sha256).hexdigest()
    name = _at(claims, settings.name_claim) if settings.name_claim is not None else ""
    return Caller(
        f"jwt-{digest[:_ID_DIGITS]}",
        _tenant(claims, settings),
        _scopes(claims, settings),
        name[:_MAX_NAME] if isinstance(name, str) and name.isprintable() else "",
    )


def _tenant(claims: dict[str, object], settings: IssuerConfig) -> str:
    if settings.tenant_claim is None:
        return settings.tenant or ""
    try:
        return msgspec.convert(_at(claims, settings.tenant_claim), Tenant)
    except msgspec.ValidationError as error:
        raise TokenError(Reason.BAD_CLAIM) from error


def _scopes(claims: dict[str, object], settings: IssuerConfig) -> frozenset[str]:
    """The scopes: one text with spaces (RFC 8693, section 4.2) or a list. What is no scope of ours is left out."""
    given = _at(claims, settings.scope_claim)
    values = given.split(" ") if isinstance(given, str) else given
    if not isinstance(values, list):
        return frozenset()
    texts = [value for value in cast("list[object]", values)[:_MAX_SCOPES] if isinstance(value, str)]
    if settings.scope_map:
        return frozenset(scope for text in texts for scope in settings.scope_map.get(text, ()))
    return frozenset(text for text in texts if _is_scope(text))


def _is_scope(text: str) -> bool:
    try:
        msgspec.convert(text, Scope)
    except msgspec.ValidationError:
        return False
    return True


def _at(claims: dict[str, object], path: str | tuple[str, ...]) -> object:
    return _inside(claims, (path,) if isinstance(path, str) else path)


def _inside(value: object, path: tuple[str, ...]) -> object:
    if not path or not isinstance(value, dict):
        return None if path else value
    return _inside(cast("dict[str, object]", value).get(path[0]), path[1:])


def _second(claims: dict[str, object], name: str) -> float | None:
    """A NumericDate; a bool is none, though Python takes it for a number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST_SECOND:
        return None
    return float(value)
