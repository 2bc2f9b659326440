"""Model signatures as OpenSSF model-signing 1.x writes them: a Sigstore bundle v0.3 around a DSSE envelope.

Sources: github.com/sigstore/model-transparency (format), github.com/sigstore/protobuf-specs (bundle), DSSE 1.0.2. A
bundle says who signed in one of three ways: a bare key, the certificate of a private authority, or Sigstore's
certificate with an entry of its transparency log.
"""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256

import msgspec
import re2
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import UNSET, UnsetType

from lockgate.evidence.dsse import PAYLOAD_TYPE, pae
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Signer, VerifyKey
from lockgate.evidence.signing import unique_json
from lockgate.evidence.signing.bundle_json import (
    CertificatePart,
    ChainPart,
    EnvelopePart,
    MaterialPart,
    PromisePart,
    PublicKeyPart,
    SignaturePart,
    Wire,
)

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BUNDLE = 64 << 20
# Nothing in a bundle of a key needs an escape or another kind of space, and refusing them leaves one way to write each
# value. The checkpoint in an entry of a transparency log has line ends, so that JSON must escape them.
_PLAIN = re2.compile(rb"[\n\x20-\x5b\x5d-\x7e]*")
_REMEDY = "Sign it again with 'lockgate sign', or with model-signing 1.1."


class KeyHint(msgspec.Struct, frozen=True):
    """A bare key signed: SHA-256 of its public half as PEM, 64 hex digits."""

    hint: str


class CertificateChain(msgspec.Struct, frozen=True):
    """The key of a certificate signed: DER, the signer's first and then what leads to its authority."""

    certificates: tuple[bytes, ...]


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a transparency log, as a bundle states it.

    Attributes:
        index: Number of the entry in the whole log.
        log: The log's key id.
        time: When the log took it in, seconds since 1970; 0 where only a time stamp says so.
        promise: The log's signature over body, time, key id and index; empty where there is none.
        proof_index: Number of the entry in the tree that the proof is about.
        tree_size: Entries in that tree.
        root: Root hash of that tree.
        checkpoint: Origin, size and root of that tree, signed by the log.
        body: What the log keeps, JSON.
    """

    index: int
    log: bytes
    time: int
    promise: bytes
    proof_index: int
    tree_size: int
    root: bytes
    checkpoint: str
    body: bytes


class Keyless(msgspec.Struct, frozen=True):
    """A key that was certified for minutes signed: its certificate in DER, and the log's entry about the signature."""

    certificate: bytes
    entry: LogEntry


class Bundle(msgspec.Struct, frozen=True):
    """A parsed bundle. Nothing in it may be believed before it is verified.

    Attributes:
        payload: The signed bytes, an in-toto statement.
        signature: ECDSA signature, DER.
        material: How it says who signed.
        body: The file itself.
    """

    payload: bytes
    signature: bytes
    material: KeyHint | CertificateChain | Keyless
    body: bytes


def key_hint(key: VerifyKey) -> str:
    """How a bundle names a key: SHA-256 over its SubjectPublicKeyInfo as PEM, 64 hex digits."""
    return sha256(key.pem.encode("ascii")).hexdigest()


def write_bundle(payload: bytes, key: Signer) -> bytes:
    """Sign `payload` with a bare key and wrap it in a bundle."""
    return _write(payload, key.sign(pae(payload)), {"publicKey": {"hint": key_hint(key.public)}})


def write_certified(payload: bytes, key: Signer, certificates: Iterable[bytes]) -> bytes:
    """Sign `payload` with the key of a certificate and wrap both in a bundle.

    Args:
        payload: What is signed.
        key: The certificate's key.
        certificates: DER, the signer's first and then what leads to its authority.
    """
    chain = [{"rawBytes": _to_base64(one)} for one in certificates]
    return _write(payload, key.sign(pae(payload)), {"x509CertificateChain": {"certificates": chain}})


def read_bundle(body: bytes) -> Bundle:
    """Parse a bundle.

    What the signature does not cover may be written in one way only, so that no bit can change unnoticed. In a bundle
    from Sigstore that holds for every value; spaces and escapes of the JSON around them are free.

    Raises:
        EvidenceError: It is too large, or no bundle of version 0.3 that says in one way who signed.
    """
    if len(body) > MAX_BUNDLE:
        raise EvidenceError(f"The signature file is larger than {MAX_BUNDLE:,} bytes.")
    try:
        wire = msgspec.convert(unique_json.load(body), Wire)
    except msgspec.ValidationError as error:
        raise EvidenceError(f"The signature file is no bundle that Lockgate reads: {error}.", remedy=_REMEDY) from error
    except (ValueError, RecursionError) as error:
        reason = "names a field twice" if "twice" in str(error) else "is not valid JSON"
        raise EvidenceError(f"The signature file {reason}.", remedy=_REMEDY) from error
    envelope, material = wire.dsse_envelope, wire.verification_material
    if wire.media_type != MEDIA_TYPE or envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceError("The signature file is no Sigstore bundle v0.3 with an in-toto statement.", remedy=_REMEDY)
    if envelope.signatures[0].keyid:
        raise EvidenceError("The signature names a key id, which this format leaves empty.", remedy=_REMEDY)
    return Bundle(
        from_base64(envelope.payload), from_base64(envelope.signatures[0].sig), _material(body, material), body
    )


def verify_bundle(bundle: Bundle, keys: Iterable[VerifyKey]) -> VerifyKey:
    """Check the signature against the key that the bundle names, and give that key.

    Raises:
        EvidenceError: No bare key signed it, none of `keys` is that key, or the signature is not its.
    """
    for key in keys:
        if not isinstance(bundle.material, KeyHint) or key_hint(key) != bundle.material.hint:
            continue
        if isinstance(key.key, ec.EllipticCurvePublicKey) and key.verify(bundle.signature, pae(bundle.payload)):
            return key
        raise EvidenceError("The signature does not match the signed statement: one of them was altered.")
    raise EvidenceError(
        "It was signed with another key than the ones that you trust.",
        remedy="Ask whoever signed it for their public key, over another channel than the files.",
    )


def _write(payload: bytes, signature: bytes, material: dict[str, object]) -> bytes:
    envelope = EnvelopePart(_to_base64(payload), PAYLOAD_TYPE, (SignaturePart(_to_base64(signature)),))
    # The reference tool insists on the empty list of log entries.
    wire: dict[str, object] = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": material | {"tlogEntries": ()},
        "dsseEnvelope": envelope,
    }
    return msgspec.json.encode(wire)


def _material(body: bytes, found: MaterialPart) -> KeyHint | CertificateChain | Keyless:
    match (found.public_key, found.x509_certificate_chain, found.certificate):
        case (UnsetType(), UnsetType(), CertificatePart() as certificate):
            return _keyless(certificate, found)
        case (PublicKeyPart() as key, UnsetType(), UnsetType()):
            plain = KeyHint(key.hint)
        case (UnsetType(), ChainPart() as chain, UnsetType()):
            plain = CertificateChain(tuple(from_base64(one.raw_bytes) for one in chain.certificates))
        case _:
            raise EvidenceError("The signature file does not say in one way who signed.", remedy=_REMEDY)
    if found.tlog_entries or found.timestamp_verification_data is not UNSET:
        raise EvidenceError("Log entries and time stamps belong to a certificate of Sigstore.", remedy=_REMEDY)
    if not _PLAIN.fullmatch(body):
        raise EvidenceError("The signature file is not plain JSON text.", remedy=_REMEDY)
    return plain


def _keyless(certificate: CertificatePart, material: MaterialPart) -> Keyless:
    if len(material.tlog_entries) != 1:
        message = "It is signed through Sigstore, but holds no entry of a transparency log, or several."
        raise EvidenceError(message, remedy="Ask for a bundle as Sigstore's own tools write it, with one entry.")
    [entry] = material.tlog_entries
    proof, stamps = entry.inclusion_proof, material.timestamp_verification_data
    # Values that only Sigstore's library looks at are read here too, since it forgives what base64 does not mean.
    given = () if isinstance(stamps, UnsetType) else stamps.rfc3161_timestamps
    for text in (*proof.hashes, *(one.signed_timestamp for one in given)):
        from_base64(text)
    promise = entry.inclusion_promise
    return Keyless(
        from_base64(certificate.raw_bytes),
        LogEntry(
            index=int(entry.log_index),
            log=from_base64(entry.log_id.key_id),
            time=int(entry.integrated_time),
            promise=from_base64(promise.signed_entry_timestamp) if isinstance(promise, PromisePart) else b"",
            proof_index=int(proof.log_index),
            tree_size=int(proof.tree_size),
            root=from_base64(proof.root_hash),
            checkpoint=proof.checkpoint.envelope,
            body=from_base64(entry.canonicalized_body),
        ),
    )


def _to_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def from_base64(text: str) -> bytes:
    """Decode base64 that is written in its one canonical form.

    Raises:
        EvidenceError: It is not.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvidenceError("The signature file holds text that is not base64.", remedy=_REMEDY) from error
    if _to_base64(content) != text:
        raise EvidenceError("The signature file holds base64 that is not in canonical form.", remedy=_REMEDY)
    return content
