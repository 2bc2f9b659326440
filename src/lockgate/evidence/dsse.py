"""DSSE v1: a payload, its type, and a signature over both (github.com/secure-systems-lab/dsse, protocol 1.0.2)."""

import base64
import binascii
from collections.abc import Iterable

import msgspec

from lockgate.evidence import canonical
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Signer, VerifyKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE = 64 << 20


class Envelope(msgspec.Struct, frozen=True):
    """A parsed envelope. Nothing in it may be believed before `verify`.

    Attributes:
        payload: The signed bytes.
        keyid: The key that claims to have signed.
        signature: DER for ECDSA.
    """

    payload: bytes
    keyid: str
    signature: bytes


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature]


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed, so that type and payload cannot be confused."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode("ascii"), len(payload), payload)


def sign(payload: bytes, key: Signer) -> bytes:
    """Wrap `payload` (an in-toto statement as JSON) in an envelope with one signature, as canonical JSON."""
    return wrap(Envelope(payload, key.public.keyid, key.sign(pae(payload))))


def wrap(envelope: Envelope) -> bytes:
    """Write an envelope as canonical JSON: the only bytes that `open_envelope` reads as this envelope."""
    signature = _Signature(envelope.keyid, _to_base64(envelope.signature))
    return canonical.encode(_Wire(_to_base64(envelope.payload), PAYLOAD_TYPE, (signature,)))


def open_envelope(body: bytes) -> Envelope:
    """Parse exactly what `sign` writes.

    DSSE lets readers ignore unknown fields; evidence does not, because a byte that no signature covers is a byte
    that somebody else can choose.

    Raises:
        EvidenceError: It is too large, not canonical, of another type, or carries other than one signature.
    """
    if len(body) > MAX_ENVELOPE:
        raise EvidenceError(f"The envelope is larger than {MAX_ENVELOPE:,} bytes.")
    wire = canonical.decode(body, _Wire, what="envelope")
    if wire.payload_type != PAYLOAD_TYPE:
        raise EvidenceError("The envelope does not hold an in-toto statement.")
    return Envelope(_from_base64(wire.payload), wire.signatures[0].keyid, _from_base64(wire.signatures[0].sig))


def verify(envelope: Envelope, keys: Iterable[VerifyKey]) -> str:
    """Check the signature against the key that the envelope names, and give that key's id.

    Raises:
        EvidenceError: None of `keys` is that key, or the signature is not its.
    """
    for key in keys:
        if key.keyid == envelope.keyid:
            if key.verify(envelope.signature, pae(envelope.payload)):
                return key.keyid
            raise EvidenceError("The signature does not match the payload.")
    raise EvidenceError("The signing key is not trusted.", remedy="Add it to the trust file if you trust its owner.")


def _to_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvidenceError("The envelope holds text that is not base64.") from error
    if _to_base64(content) != text:
        raise EvidenceError("The envelope holds base64 that is not in canonical form.")
    return content
