"""Keys that AWS KMS keeps. The service is asked for the public half and for signatures over digests, for nothing else.

Source: docs.aws.amazon.com/kms/latest/APIReference, `GetPublicKey` and `Sign`.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lockgate.core import aws
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import VerifyKey

SCHEME = "awskms:"
_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]{1,32}):[0-9]{12}:(?:key/[A-Za-z0-9-]{1,128}|alias/[A-Za-z0-9/_-]{1,250}))"
    r"|alias/[A-Za-z0-9/_-]{1,250}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
)
_REMEDY = (
    "Check the name, the region and the credentials (the usual AWS_* variables), and that they allow kms:GetPublicKey "
    "and kms:Sign."
)


def is_kms(name: str | Path) -> bool:
    """Whether a key's name says that KMS keeps it."""
    return str(name).startswith(SCHEME)


class KmsKey:
    """An ECDSA P-256 key in KMS. Its private half never leaves the service.

    Attributes:
        public: The public half, as the service gave it.
    """

    __slots__ = ("_client", "_errors", "_id", "_name", "public")

    def __init__(self, name: str, client: Any, errors: aws.Errors) -> None:
        self._name, self._client, self._errors = name, client, errors
        try:
            found: dict[str, Any] = client.get_public_key(KeyId=name.removeprefix(SCHEME))
        except errors as error:
            raise EvidenceError(f"{name} cannot be used: {aws.reason(error)}.", remedy=_REMEDY) from error
        # An alias may point elsewhere a moment later; the key that was described is the one that signs.
        self._id = str(found["KeyId"])
        self.public = _public(name, found)

    @classmethod
    def named(cls, name: str) -> Self:
        """The key of a name.

        Args:
            name: `awskms:` with a key id, `alias/NAME`, or the ARN of either. An ARN brings its region.

        Raises:
            ConfigError: boto3 is not installed, or no region is set.
            EvidenceError: The name is none, the service refuses, or it is another kind of key.
        """
        match = _NAME.fullmatch(name.removeprefix(SCHEME))
        if match is None:
            remedy = f"Write {SCHEME}alias/NAME, {SCHEME}KEY-ID, or {SCHEME} with the ARN of one of them."
            raise EvidenceError("The key's name is none of AWS KMS.", remedy=remedy)
        client, errors = aws.connect("kms", purpose="Signing with AWS KMS", extra="kms", region=match["region"] or None)
        return cls(name, client, errors)

    def sign(self, payload: bytes) -> bytes:
        """ECDSA-SHA256 over `payload`, DER encoded. Only its digest is sent.

        Raises:
            EvidenceError: The service refuses, or what it answers is no signature of this key.
        """
        digest = hashlib.sha256(payload).digest()
        try:
            answer: dict[str, Any] = self._client.sign(
                KeyId=self._id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        except self._errors as error:
            raise EvidenceError(f"{self._name} did not sign: {aws.reason(error)}.", remedy=_REMEDY) from error
        signature = bytes(answer["Signature"])
        if not self.public.verify(signature, payload):
            raise EvidenceError(f"{self._name} gave a signature that is not that key's, so nothing was signed.")
        return signature


def _public(name: str, found: dict[str, Any]) -> VerifyKey:
    usage = str(found.get("KeyUsage", "unknown"))
    try:
        key = load_der_public_key(bytes(found["PublicKey"]))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) and usage == "SIGN_VERIFY":
        return VerifyKey.of(key)
    kind = str(found.get("KeySpec") or found.get("CustomerMasterKeySpec") or "unknown")
    remedy = "Create one with: aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY"
    raise EvidenceError(f"{name} is no ECDSA P-256 signing key, but {kind} for {usage}.", remedy=remedy)
