"""The JSON of a Sigstore bundle v0.3 (github.com/sigstore/protobuf-specs): its fields, and no others."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

MAX_CERTIFICATES = 10


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A JSON object of the bundle."""


# Protobuf writes 64-bit numbers as text.
_Number = Annotated[str, Meta(pattern="^(0|[1-9][0-9]{0,18})$(?!\\n)")]


class PublicKeyPart(_Part, frozen=True):
    """A bare key, by its hint."""

    hint: str


class CertificatePart(_Part, frozen=True):
    """A certificate: base64 of its DER."""

    raw_bytes: str


class ChainPart(_Part, frozen=True):
    """Certificates, the signer's first."""

    certificates: Annotated[tuple[CertificatePart, ...], Meta(min_length=1, max_length=MAX_CERTIFICATES)]


class LogIdPart(_Part, frozen=True):
    """A transparency log, by the base64 of its key id."""

    key_id: str


class KindPart(_Part, frozen=True):
    """What kind of entry the log keeps."""

    kind: str
    version: str


class PromisePart(_Part, frozen=True):
    """The log's promise, base64."""

    signed_entry_timestamp: str


class CheckpointPart(_Part, frozen=True):
    """The signed head of the log, as text."""

    envelope: str


class ProofPart(_Part, frozen=True):
    """That the entry is in the log."""

    log_index: _Number
    root_hash: str
    tree_size: _Number
    hashes: Annotated[tuple[str, ...], Meta(max_length=64)]
    checkpoint: CheckpointPart


class EntryPart(_Part, frozen=True, kw_only=True):
    """An entry of a transparency log."""

    log_index: _Number
    log_id: LogIdPart
    kind_version: KindPart
    integrated_time: _Number = "0"
    inclusion_promise: PromisePart | UnsetType = UNSET
    inclusion_proof: ProofPart
    canonicalized_body: str


class TimeStampPart(_Part, frozen=True):
    """A time stamp (RFC 3161), base64."""

    signed_timestamp: str


class TimeStampsPart(_Part, frozen=True):
    """Every time stamp."""

    rfc3161_timestamps: tuple[TimeStampPart, ...] = ()


class MaterialPart(_Part, frozen=True, kw_only=True):
    """Who signed, in one of three ways, and what bears witness to it."""

    public_key: PublicKeyPart | UnsetType = UNSET
    x509_certificate_chain: ChainPart | UnsetType = UNSET
    certificate: CertificatePart | UnsetType = UNSET
    tlog_entries: tuple[EntryPart, ...] = ()
    timestamp_verification_data: TimeStampsPart | UnsetType = UNSET


class SignaturePart(_Part, frozen=True):
    """A signature, base64 of its DER."""

    sig: str
    keyid: str = ""


class EnvelopePart(_Part, frozen=True):
    """A DSSE envelope with one signature."""

    payload: str
    payload_type: str
    signatures: tuple[SignaturePart]


class Wire(_Part, frozen=True):
    """The file."""

    media_type: str
    verification_material: MaterialPart
    dsse_envelope: EnvelopePart
