"""Checkpoints: a log's name, size and root hash, signed, as text (c2sp.org/tlog-checkpoint, c2sp.org/signed-note).

    lockgate.dev/ledger/9c1f...
    42
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — lockgate.dev/ledger/9c1f... Az3grlgtzPIC...

The format allows extension lines and further signatures; a checkpoint of ours has neither, so a reader may insist.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable

import msgspec
import re2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import SigningKey, VerifyKey

MAX_CHECKPOINT = 4_096
_HINT_BYTES = 4
_NAME = r"lockgate\.dev/ledger/[0-9a-f]{32}"
_SHAPE = re2.compile(
    (
        rf"({_NAME})\n(0|[1-9][0-9]{{0,17}})\n([A-Za-z0-9+/]{{43}}=)\n\n"
        rf"— ({_NAME}) ([A-Za-z0-9+/]{{8,1000}}={{0,2}})\n"
    ).encode()
)
_NOTHING = (b"",) * 5
_REMEDY = "Use the file as Lockgate wrote it."


class Checkpoint(msgspec.Struct, frozen=True):
    """A parsed checkpoint. Nothing in it may be believed before `verify_checkpoint`.

    Attributes:
        origin: Name of the ledger, the same for its whole life.
        size: Number of entries.
        root: Root hash over them, 32 bytes.
        hint: First four bytes of the signing key's note id.
        signature: DER for ECDSA, 64 bytes for Ed25519.
    """

    origin: str
    size: int
    root: bytes
    hint: bytes
    signature: bytes


def new_origin() -> str:
    """A name that no other ledger has."""
    return f"lockgate.dev/ledger/{secrets.token_hex(16)}"


def sign_checkpoint(origin: str, size: int, root: bytes, key: SigningKey) -> bytes:
    """Write and sign a checkpoint."""
    body = _body(origin, size, root)
    signed = base64.b64encode(_hint(origin, key.public) + key.sign(body)).decode("ascii")
    return body + f"\n— {origin} {signed}\n".encode()


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Parse exactly what `sign_checkpoint` writes.

    Raises:
        EvidenceError: It has another shape.
    """
    found = _SHAPE.fullmatch(text) if len(text) <= MAX_CHECKPOINT else None
    origin, size, root, signer, signed = (found.group(number) or b"" for number in range(1, 6)) if found else _NOTHING
    if not origin or origin != signer:
        raise EvidenceError("The checkpoint is malformed.", remedy=_REMEDY)
    signature = _from_base64(signed)
    return Checkpoint(
        origin.decode("ascii"), int(size), _from_base64(root), signature[:_HINT_BYTES], signature[_HINT_BYTES:]
    )


def verify_checkpoint(checkpoint: Checkpoint, keys: Iterable[VerifyKey]) -> str:
    """Check the signature against the trusted key that it hints at, and give that key's id.

    Raises:
        EvidenceError: No key of `keys` has signed it.
    """
    body = _body(checkpoint.origin, checkpoint.size, checkpoint.root)
    for key in keys:
        if _hint(checkpoint.origin, key) == checkpoint.hint and key.verify(checkpoint.signature, body):
            return key.keyid
    raise EvidenceError(
        "The checkpoint is not signed by a trusted key.",
        remedy=("Use the keys that began this ledger (LOCKGATE_HOME), trust its signer (--trust), or move it aside."),
    )


def _body(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n".encode()


def _hint(origin: str, key: VerifyKey) -> bytes:
    # signed-note names Ed25519 keys together with the signer's name, ECDSA keys by their SubjectPublicKeyInfo alone.
    if isinstance(key.key, Ed25519PublicKey):
        return hashlib.sha256(f"{origin}\n".encode() + b"\x01" + key.key.public_bytes_raw()).digest()[:_HINT_BYTES]
    return bytes.fromhex(key.keyid)[:_HINT_BYTES]


def _from_base64(text: bytes) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise EvidenceError("The checkpoint holds text that is not base64.", remedy=_REMEDY) from error
    if base64.b64encode(content) != text:
        raise EvidenceError("The checkpoint holds base64 that is not in canonical form.", remedy=_REMEDY)
    return content
