"""JSON Web Key Sets: the public keys of an issuer, and which of them may verify a token."""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from lockgate.core.config_auth import Algorithm
from lockgate.gateway.auth.jws import PublicKey, unpadded
from lockgate.gateway.strict_json import JsonError, load

MAX_KEYS = 100
_MAX_DEPTH = 6
_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_MIN_EXPONENT = 65_537
_MAX_EXPONENT = 2**32
_COORDINATE = 32
_FITTING: dict[str, frozenset[str]] = {
    "RSA": frozenset({"RS256", "PS256"}),
    "EC": frozenset({"ES256"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}


class KeySetError(Exception):
    """A key set that is refused as a whole."""


class NoKeysError(KeySetError):
    """A key set that is well-formed and holds no key that could verify a token: the issuer withdrew those it had."""


class IssuerKey(msgspec.Struct, frozen=True):
    """One public key.

    Attributes:
        key_id: Its name in the set, if it has one.
        algorithms: What it may verify.
        key: The key.
    """

    key_id: str | None
    algorithms: frozenset[str]
    key: PublicKey


class KeySet(msgspec.Struct, frozen=True):
    """The keys of an issuer that can verify anything."""

    keys: tuple[IssuerKey, ...]

    def find(self, key_id: str | None, algorithm: Algorithm) -> IssuerKey | None:
        """The one key for a token, or None. Where two would do, neither does: the issuer has to tell them apart."""
        fitting = [key for key in self.keys if algorithm in key.algorithms]
        if key_id is not None:
            fitting = [key for key in fitting if key.key_id == key_id]
        return fitting[0] if len(fitting) == 1 else None


class _Jwk(msgspec.Struct, frozen=True):
    """The members of a JSON Web Key that count here (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2)."""

    kty: str
    kid: str | None = None
    use: str = "sig"
    alg: str | None = None
    key_ops: tuple[str, ...] = ("verify",)
    n: str = ""
    e: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    d: str | None = None
    k: str | None = None


class _Jwks(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, object], ...]


def parse_key_set(body: bytes) -> KeySet:
    """Read a JWK Set (RFC 7517, section 5). Keys that are for something else, weak, secret or broken are left out.

    Raises:
        NoKeysError: It holds no key that can verify anything.
        KeySetError: It is no key set, or holds more than `MAX_KEYS` keys.
    """
    try:
        rows = msgspec.convert(load(body, max_depth=_MAX_DEPTH), _Jwks).keys
    except (JsonError, msgspec.ValidationError) as error:
        raise KeySetError("it is no JWK Set") from error
    if len(rows) > MAX_KEYS:
        raise KeySetError(f"it holds more than {MAX_KEYS} keys")
    found = tuple(key for key in map(_usable, rows) if key is not None)
    if not found:
        raise NoKeysError("it holds no key that could verify a token")
    return KeySet(found)


def _usable(row: dict[str, object]) -> IssuerKey | None:
    try:
        jwk = msgspec.convert(row, _Jwk)
        algorithms = _FITTING.get(jwk.kty, frozenset())
        if jwk.alg is not None:
            algorithms &= {jwk.alg}
        # A key that comes with its private half is anybody's.
        if not algorithms or jwk.use != "sig" or "verify" not in jwk.key_ops or jwk.d is not None or jwk.k is not None:
            return None
        key = _key(jwk)
    except (ValueError, msgspec.ValidationError):
        return None
    names = frozenset("EdDSA" if name == "Ed25519" else name for name in algorithms)
    return None if key is None else IssuerKey(jwk.kid, names, key)


def _key(jwk: _Jwk) -> PublicKey | None:
    """The key itself.

    Raises:
        ValueError: Its numbers are no key.
    """
    match jwk.kty, jwk.crv:
        case "RSA", _:
            return _rsa(int.from_bytes(unpadded(jwk.n)), int.from_bytes(unpadded(jwk.e)))
        case "EC", "P-256":
            x, y = unpadded(jwk.x), unpadded(jwk.y)
            if len(x) != _COORDINATE or len(y) != _COORDINATE:
                return None
            return EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()
        case "OKP", "Ed25519":
            return Ed25519PublicKey.from_public_bytes(unpadded(jwk.x))
        case _:
            return None


def _rsa(modulus: int, exponent: int) -> PublicKey | None:
    strong = _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS and modulus % 2 == 1
    if not strong or not _MIN_EXPONENT <= exponent <= _MAX_EXPONENT or exponent % 2 == 0:
        return None
    return RSAPublicNumbers(exponent, modulus).public_key()
