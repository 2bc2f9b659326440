"""Model signatures as OpenSSF model-signing 1.x writes them: a Sigstore bundle v0.3 around a DSSE envelope.

Sources: github.com/sigstore/model-transparency (format), github.com/sigstore/protobuf-specs (bundle), DSSE 1.0.2. Only
signatures by a bare ECDSA P-256 key are read and written; a certificate or a transparency log entry is refused by name.
"""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256

import msgspec
import re2
from cryptography.hazmat.primitives.asymmetric import ec

from lockgate.evidence.dsse import PAYLOAD_TYPE, pae
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Signer, VerifyKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE = 64 << 20
# Nothing in a bundle needs an escape or another kind of space, and refusing them leaves one way to write each value.
_PLAIN = re2.compile(rb"[\n\x20-\x5b\x5d-\x7e]*")
_KEYLESS = (b'"certificate"', b'"x509CertificateChain"')
_ELSEWHERE = (
    "Verify it with model-signing's own command ('model_signing verify sigstore' or 'verify certificate'), "
    "or ask for a signature by a key."
)
_REMEDY = "Sign it again with 'lockgate sign', or with model-signing 1.1 and a key."


class Bundle(msgspec.Struct, frozen=True):
    """A parsed bundle. Nothing in it may be believed before `verify_bundle`.

    Attributes:
        payload: The signed bytes, an in-toto statement.
        signature: ECDSA signature, DER.
        hint: SHA-256 of the signer's public key as PEM, 64 hex digits.
    """

    payload: bytes
    signature: bytes
    hint: str


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A JSON object of the bundle."""


class _PublicKey(_Part, frozen=True):
    hint: str


class _Material(_Part, frozen=True):
    public_key: _PublicKey
    tlog_entries: tuple[()] = ()


class _Signature(_Part, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(_Part, frozen=True):
    payload: str
    payload_type: str
    signatures: tuple[_Signature]


class _Wire(_Part, frozen=True):
    media_type: str
    verification_material: _Material
    dsse_envelope: _Envelope


def key_hint(key: VerifyKey) -> str:
    """How a bundle names a key: SHA-256 over its SubjectPublicKeyInfo as PEM, 64 hex digits."""
    return sha256(key.pem.encode("ascii")).hexdigest()


def write_bundle(payload: bytes, key: Signer) -> bytes:
    """Sign `payload` and wrap it in a bundle."""
    envelope = _Envelope(_to_base64(payload), PAYLOAD_TYPE, (_Signature(_to_base64(key.sign(pae(payload)))),))
    return msgspec.json.encode(_Wire(MEDIA_TYPE, _Material(_PublicKey(key_hint(key.public))), envelope))


def read_bundle(body: bytes) -> Bundle:
    """Parse a bundle.

    Everything that the signature does not cover may be written in one way only, so that no bit can change unnoticed.

    Raises:
        EvidenceError: It is too large, no bundle of version 0.3, or not signed by one bare key.
    """
    if len(body) > MAX_BUNDLE:
        raise EvidenceError(f"The signature file is larger than {MAX_BUNDLE:,} bytes.")
    if not _PLAIN.fullmatch(body):
        raise EvidenceError("The signature file is not plain JSON text.", remedy=_REMEDY)
    try:
        wire = msgspec.json.decode(body, type=_Wire)
    except msgspec.ValidationError as error:
        if any(name in body for name in _KEYLESS):
            raise EvidenceError(
                "It is signed with a certificate, as Sigstore does without a key, which is not verified here.",
                remedy=_ELSEWHERE,
            ) from error
        raise EvidenceError(f"The signature file is no bundle that a key signed: {error}.", remedy=_REMEDY) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EvidenceError("The signature file is not valid JSON.", remedy=_REMEDY) from error
    _refuse_repeated(body)
    envelope = wire.dsse_envelope
    if wire.media_type != MEDIA_TYPE or envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceError("The signature file is no Sigstore bundle v0.3 with an in-toto statement.", remedy=_REMEDY)
    if envelope.signatures[0].keyid:
        raise EvidenceError("The signature names a key id, which this format leaves empty.", remedy=_REMEDY)
    return Bundle(
        _from_base64(envelope.payload),
        _from_base64(envelope.signatures[0].sig),
        wire.verification_material.public_key.hint,
    )


def verify_bundle(bundle: Bundle, keys: Iterable[VerifyKey]) -> VerifyKey:
    """Check the signature against the key that the bundle names, and give that key.

    Raises:
        EvidenceError: None of `keys` is that key, or the signature is not its.
    """
    for key in keys:
        if key_hint(key) != bundle.hint:
            continue
        if isinstance(key.key, ec.EllipticCurvePublicKey) and key.verify(bundle.signature, pae(bundle.payload)):
            return key
        raise EvidenceError("The signature does not match the signed statement: one of them was altered.")
    raise EvidenceError(
        "It was signed with another key than the ones that you trust.",
        remedy="Ask whoever signed it for their public key, over another channel than the files.",
    )


def _refuse_repeated(body: bytes) -> None:
    # The decoder keeps the last of two equal keys; another reader may keep the first. Every key of a bundle has a name
    # of its own, so it must occur once; base64 and hex cannot contain a quote.
    for name in (b"mediaType", b"verificationMaterial", b"publicKey", b"hint", b"tlogEntries", b"dsseEnvelope"):
        _once(body, name)
    for name in (b"payload", b"payloadType", b"signatures", b"sig", b"keyid"):
        _once(body, name)


def _once(body: bytes, name: bytes) -> None:
    if body.count(b'"%s"' % name) > 1:
        raise EvidenceError("The signature file names a field twice.", remedy=_REMEDY)


def _to_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvidenceError("The signature file holds text that is not base64.", remedy=_REMEDY) from error
    if _to_base64(content) != text:
        raise EvidenceError("The signature file holds base64 that is not in canonical form.", remedy=_REMEDY)
    return content
