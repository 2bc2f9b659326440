"""Keys: ECDSA P-256 on this machine, created on first use, readable by their owner alone.

ECDSA P-256 with SHA-256 is what OpenSSF model-signing and Sigstore verify; Ed25519 is accepted for verification, and
for signatures of models P-384 and P-521, each with its own hash as model-signing has it.
"""

import datetime as dt
import hashlib
import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from lockgate.core.home import home
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.once import claim, scratch

MAX_KEY_BYTES = 16_384
_SHARED = stat.S_IRWXG | stat.S_IRWXO
_ECDSA = ec.ECDSA(hashes.SHA256())
HASHES = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
"""The hash that goes with a curve."""


class Role(StrEnum):
    """What a key is for. Separate keys let nobody approve what they built."""

    LOCAL = "local"
    BUILDER = "builder"
    SCANNER = "scanner"
    APPROVER = "approver"


class VerifyKey(msgspec.Struct, frozen=True):
    """A public key.

    Attributes:
        keyid: SHA-256 of the DER SubjectPublicKeyInfo, 64 lower-case hex digits.
        pem: The key as PEM, in one normal form.
        key: The key itself.
    """

    keyid: str
    pem: str
    key: ec.EllipticCurvePublicKey | Ed25519PublicKey

    @classmethod
    def of(cls, key: ec.EllipticCurvePublicKey | Ed25519PublicKey) -> Self:
        """Name a key that is already loaded."""
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
        return cls(hashlib.sha256(der).hexdigest(), pem, key)

    @classmethod
    def from_pem(cls, pem: str, *, larger: bool = False) -> Self:
        """Read a public key.

        Args:
            pem: The key.
            larger: Whether ECDSA on P-384 and P-521 will do, too.

        Raises:
            EvidenceError: It is not PEM, or neither ECDSA P-256 nor Ed25519.
        """
        try:
            key = load_pem_public_key(pem.encode("utf-8"))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise EvidenceError(
                "A public key is not valid PEM.", remedy="Paste the whole block with its BEGIN and END lines."
            ) from error
        if isinstance(key, Ed25519PublicKey) or (
            isinstance(key, ec.EllipticCurvePublicKey)
            and key.curve.name in HASHES
            and (larger or isinstance(key.curve, ec.SECP256R1))
        ):
            return cls.of(key)
        raise EvidenceError(
            "A public key is neither ECDSA P-256 nor Ed25519.", remedy="Use a key of one of these two kinds."
        )

    def verify(self, signature: bytes, payload: bytes) -> bool:
        """Whether `signature` (DER for ECDSA, 64 bytes for Ed25519) is this key's over `payload`."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, payload)
            else:
                self.key.verify(signature, payload, ec.ECDSA(HASHES[self.key.curve.name]))
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Whoever signs: a private key on this machine, or one that a service keeps."""

    @property
    def public(self) -> VerifyKey:
        """The public half."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """ECDSA-SHA256 over `payload`, DER encoded."""
        ...


class SigningKey:
    """A private key that signs and never shows itself."""

    __slots__ = ("_private", "public")

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.public = VerifyKey.of(private.public_key())

    def __repr__(self) -> str:
        return f"SigningKey({self.keyid})"

    @property
    def keyid(self) -> str:
        """SHA-256 of the public half, 64 lower-case hex digits."""
        return self.public.keyid

    @property
    def public_pem(self) -> str:
        """The public half as PEM."""
        return self.public.pem

    def sign(self, payload: bytes) -> bytes:
        """ECDSA-SHA256 over `payload`, DER encoded."""
        return self._private.sign(payload, _ECDSA)


class KeyInfo(msgspec.Struct, frozen=True):
    """What may be shown about a key on this machine.

    Attributes:
        role: What it is for.
        keyid: SHA-256 of its public half.
        public: The public half as PEM.
        path: File with the private half.
        created: When that file was written, UTC, ISO 8601.
    """

    role: Role
    keyid: str
    public: str
    path: Path
    created: str


def key_for(role: Role) -> SigningKey:
    """The key to sign with in a role: its own where one was created, else the local first-use key.

    Raises:
        EvidenceError: The key cannot be read, created or trusted to be private.
    """
    for candidate in (role, Role.LOCAL):
        if os.path.lexists(_path(candidate)):
            return _load(_path(candidate))
    _create(_path(Role.LOCAL))
    return _load(_path(Role.LOCAL))


def create_key(role: Role) -> KeyInfo:
    """Create the key of a role on this machine.

    Raises:
        EvidenceError: There is one already, or the file cannot be written.
    """
    path = _path(role)
    if not _create(path):
        raise EvidenceError(
            f"{path} exists already.", remedy="Move it away first: evidence that it signed still needs its public half."
        )
    return _info(role, path)


def list_keys() -> tuple[KeyInfo, ...]:
    """The keys on this machine, in the order of the roles.

    Raises:
        EvidenceError: One of them cannot be used.
    """
    return tuple(_info(role, _path(role)) for role in Role if os.path.lexists(_path(role)))


def machine_keys() -> tuple[VerifyKey, ...]:
    """The public halves of the keys on this machine.

    Raises:
        EvidenceError: One of them cannot be used.
    """
    return tuple(VerifyKey.from_pem(info.public) for info in list_keys())


def _path(role: Role) -> Path:
    return home() / "keys" / f"{role}.pem"


def _info(role: Role, path: Path) -> KeyInfo:
    key = _load(path)
    created = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).isoformat(timespec="seconds")
    return KeyInfo(role, key.keyid, key.public_pem, path, created)


def _create(path: Path) -> bool:
    body = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with scratch(path) as temporary:
            with temporary.open("wb") as stream:
                stream.write(body)
                stream.flush()
                os.fsync(stream.fileno())
            return claim(temporary, path)
    except OSError as error:
        raise EvidenceError(
            f"No key can be created at {path}: {error.strerror}.",
            remedy="Set LOCKGATE_HOME to a folder that this user may write.",
        ) from error


def _load(path: Path) -> SigningKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EvidenceError(
            f"{path} is damaged or encrypted.", remedy="Restore it from a copy, or move it away and create a new key."
        ) from error
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise EvidenceError(f"{path} is no ECDSA P-256 key.", remedy="Move it away and create a new key.")
    return SigningKey(key)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be read: {error.strerror}.", remedy="Put the key file itself there, readable by this user."
        ) from error
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise EvidenceError(f"{path} is not a regular file.", remedy="Put the key file itself there.")
        if mode & _SHARED:
            raise EvidenceError(
                f"{path} is open to other users.", remedy=f"Treat the key as known to them, or run 'chmod 600 {path}'."
            )
        return stream.read(MAX_KEY_BYTES)
