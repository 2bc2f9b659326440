"""Keys that a user names: `awskms:...`, `pkcs11:...`, or a file in the PEM forms of OpenSSL and model-signing."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import MAX_KEY_BYTES, Signer, SigningKey, VerifyKey
from lockgate.evidence.signing.kms import KmsKey, is_kms
from lockgate.evidence.signing.pkcs11 import TokenKey, is_token

PASSWORD_VARIABLE = "LOCKGATE_KEY_PASSWORD"  # noqa: S105 - the name of a variable
_SHARED = stat.S_IRWXG | stat.S_IRWXO


def read_signing_key(name: str | Path) -> Signer:
    """The private ECDSA P-256 key of that name; an encrypted file with the password in `LOCKGATE_KEY_PASSWORD`.

    Raises:
        ConfigError: It is in KMS or on a token, and what speaks to those or its settings are missing.
        EvidenceError: It cannot be read or used, is another kind of key, or the password is missing or wrong.
    """
    if is_kms(name):
        return KmsKey.named(str(name))
    if is_token(name):
        return TokenKey.named(str(name))
    path = Path(name)
    password = os.environ.get(PASSWORD_VARIABLE)
    try:
        key = load_pem_private_key(_read(path), password=password.encode("utf-8") if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # With a password at hand a file that names itself encrypted was most likely given the wrong one.
        wrong = f", or {PASSWORD_VARIABLE} holds another password than its" if password else ""
        raise EvidenceError(
            f"{path} is no private key that can be read{wrong}.",
            remedy=f"Name a PEM file with an ECDSA P-256 key; an encrypted one needs {PASSWORD_VARIABLE}.",
        ) from error
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise EvidenceError(f"{path} is no ECDSA P-256 key.", remedy="Create one with 'lockgate keys create builder'.")
    return SigningKey(key)


def read_verify_key(name: str | Path) -> VerifyKey:
    """The public key of that name, or the public half of a private one.

    Raises:
        ConfigError: It is in KMS or on a token, and what speaks to those or its settings are missing.
        EvidenceError: It cannot be read or is another kind of key.
    """
    if is_kms(name):
        return KmsKey.named(str(name)).public
    if is_token(name):
        return TokenKey.named(str(name)).public
    path = Path(name)
    body = _read(path)
    if b"PRIVATE KEY-----" in body:
        return read_signing_key(path).public
    try:
        return VerifyKey.from_pem(body.decode("utf-8", "replace"), larger=True)
    except EvidenceError as error:
        kinds = "Name a PEM file with a public key: ECDSA P-256, P-384 or P-521, or Ed25519."
        raise EvidenceError(f"{path} is no public key that can be used.", remedy=kinds) from error


def open_to_others(name: str | Path) -> bool:
    """Whether the key is a file that other users of this machine may read or write."""
    return not (is_kms(name) or is_token(name)) and bool(Path(name).stat().st_mode & _SHARED)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "input/output error").lower()
        raise EvidenceError(
            f"The key {path} cannot be read: {why}.", remedy="Name a key file that you may read."
        ) from error
    if len(body) > MAX_KEY_BYTES:
        raise EvidenceError(f"{path} is too large to be a key.", remedy="Name the key itself, a PEM file.")
    return body
