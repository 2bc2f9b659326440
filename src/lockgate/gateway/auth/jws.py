"""Signed tokens as text: what is looked at before any key is, and the one way a signature is checked."""

import base64
import binascii
from typing import get_args

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lockgate.core.config_auth import Algorithm
from lockgate.gateway.auth.refusal import Reason
from lockgate.gateway.strict_json import JsonError, load

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_MAX_DEPTH = 8
_MAX_KEY_ID = 256
_HALF = 32
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
# RFC 9864 names the curve in place of the family.
_ALIASES: dict[str, Algorithm] = {"Ed25519": "EdDSA"}
_ALGORITHMS: dict[str, Algorithm] = {name: name for name in get_args(Algorithm)} | _ALIASES
# `jku`, `jwk`, `x5u` and `x5c` offer a key of the token's own choosing; `crit` and `b64` change what the rest means;
# `zip` and `enc` belong to encrypted tokens. Any other member is ignored, as RFC 7515 wants it.
_REFUSED = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})


class TokenError(Exception):
    """A token that is refused.

    Args:
        reason: Why, in one word.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Jws(msgspec.Struct, frozen=True):
    """A token taken apart. Nothing of it is believed yet.

    Attributes:
        algorithm: What it says it is signed with; one that we know.
        key_id: Which key it says, if any.
        claims: Its payload.
        signed: The bytes under the signature.
        signature: The signature.
    """

    algorithm: Algorithm
    key_id: str | None
    claims: dict[str, object]
    signed: bytes
    signature: bytes


def parse(token: str) -> Jws:
    """Take a token in compact form apart (RFC 7515, section 7.1; RFC 8725, sections 2 and 3).

    Raises:
        TokenError: It is not three parts of unpadded base64url with two JSON objects that every parser reads alike, or
            its header asks for something that is never granted.
    """
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():  # noqa: PLR2004 - header, payload, signature
        raise TokenError(Reason.JWT_MALFORMED)
    head, body, signature = parts
    header, claims = _object(head), _object(body)
    algorithm, key_id = _header(header)
    return Jws(algorithm, key_id, claims, f"{head}.{body}".encode(), _decoded(signature))


def signature_holds(jws: Jws, key: PublicKey) -> bool:
    """Whether `key` signed the token with the algorithm that it names (RFC 7518, section 3; RFC 8037, section 3.1).

    A key of another family never verifies anything, whatever the token says.
    """
    try:
        match jws.algorithm, key:
            case "RS256", RSAPublicKey():
                key.verify(jws.signature, jws.signed, padding.PKCS1v15(), hashes.SHA256())
            case "PS256", RSAPublicKey():
                salted = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
                key.verify(jws.signature, jws.signed, salted, hashes.SHA256())
            case "ES256", EllipticCurvePublicKey():
                key.verify(_der(jws.signature), jws.signed, ECDSA(hashes.SHA256()))
            case "EdDSA", Ed25519PublicKey():
                key.verify(jws.signature, jws.signed)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def unpadded(text: str) -> bytes:
    """Decode base64url without padding, in its one canonical form.

    Raises:
        ValueError: It is something else.
    """
    body = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
    if base64.urlsafe_b64encode(body).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("not canonical")
    return body


def _header(header: dict[str, object]) -> tuple[Algorithm, str | None]:
    if not _REFUSED.isdisjoint(header):
        raise TokenError(Reason.JWT_HEADER)
    name, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError(Reason.JWT_HEADER)
    if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= _MAX_KEY_ID):
        raise TokenError(Reason.JWT_HEADER)
    algorithm = _ALGORITHMS.get(name) if isinstance(name, str) else None
    if algorithm is None:
        raise TokenError(Reason.JWT_ALGORITHM)
    return algorithm, key_id


def _object(part: str) -> dict[str, object]:
    try:
        document = load(_decoded(part), max_depth=_MAX_DEPTH)
    except JsonError as error:
        raise TokenError(Reason.JWT_MALFORMED) from error
    if not isinstance(document, dict):
        raise TokenError(Reason.JWT_MALFORMED)
    return msgspec.convert(document, dict[str, object])


def _decoded(part: str) -> bytes:
    try:
        return unpadded(part)
    except (ValueError, binascii.Error) as error:
        raise TokenError(Reason.JWT_MALFORMED) from error


def _der(signature: bytes) -> bytes:
    if len(signature) != 2 * _HALF:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:]))
