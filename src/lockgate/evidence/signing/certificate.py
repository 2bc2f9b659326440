"""Signatures by the key of a certificate that a private authority issued (model-signing's `certificate`).

Nothing in such a file says when it was signed, so a certificate counts only while it is valid: afterwards nobody could
tell an old signature from one that whoever found the old key makes today. Source: RFC 5280 (paths and extensions).
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from lockgate.evidence.dsse import pae
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import HASHES, Signer, VerifyKey
from lockgate.evidence.signing.bundle import Bundle, CertificateChain, write_certified
from lockgate.evidence.signing.bundle_json import MAX_CERTIFICATES
from lockgate.evidence.signing.identity import Who

MAX_FILE = 1 << 20
_PURPOSES = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
_REMEDY = "Name a PEM file with certificates."


class CertificateTrust(msgspec.Struct, frozen=True):
    """Whose certificates count.

    Attributes:
        authorities: The certificates that the user named. A path must end at one of them.
        identity: A name that the signer's certificate must bear; empty for any certificate of these authorities.
    """

    authorities: tuple[x509.Certificate, ...]
    identity: str = ""


def read_certificates(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """The certificates in PEM files, in their order.

    Raises:
        EvidenceError: A file cannot be read, is too large, or holds no certificate.
    """
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                body = stream.read(MAX_FILE + 1)
            found += x509.load_pem_x509_certificates(body) if len(body) <= MAX_FILE else []
        except OSError as error:
            why = (error.strerror or "input/output error").lower()
            raise EvidenceError(f"The certificate {path} cannot be read: {why}.", remedy=_REMEDY) from error
        except ValueError as error:
            raise EvidenceError(f"{path} holds no certificate that can be read.", remedy=_REMEDY) from error
        if len(body) > MAX_FILE:
            raise EvidenceError(f"{path} is too large to be a certificate.", remedy=_REMEDY)
    return tuple(found)


class CertifiedSigner:
    """Signs with the key of a certificate, which the signature then carries.

    Args:
        key: The key.
        certificates: Its certificate, and then those that lead to its authority.

    Attributes:
        who: Whose certificate it is.

    Raises:
        EvidenceError: There is no certificate, there are too many, or the first one is another key's.
    """

    def __init__(self, key: Signer, certificates: tuple[x509.Certificate, ...]) -> None:
        if not 1 <= len(certificates) <= MAX_CERTIFICATES:
            raise EvidenceError(f"A signature holds 1 to {MAX_CERTIFICATES} certificates, not {len(certificates)}.")
        if certificates[0].public_key() != key.public.key:
            raise EvidenceError("The certificate is another key's.", remedy="Name the one issued for this very key.")
        self.who = Who(keyid=key.public.keyid, identity=next(iter(_names(certificates[0])), ""))
        self._key, self._chain = key, [one.public_bytes(Encoding.DER) for one in certificates]

    def seal(self, payload: bytes) -> bytes:
        """Sign a statement and give the bundle."""
        return write_certified(payload, self._key, self._chain)


def verify_certified(bundle: Bundle, trust: CertificateTrust, *, now: dt.datetime | None = None) -> Who:
    """Check a signature by the key of a certificate, and say whose it is.

    Args:
        bundle: The signature.
        trust: Whose certificates count.
        now: When the certificates must be valid; the present by default.

    Raises:
        EvidenceError: It is no such signature, its certificate does not count, or it does not hold.
    """
    if not isinstance(bundle.material, CertificateChain):
        raise EvidenceError(
            "It is not signed with a certificate of a private authority.",
            remedy="Verify it by its key or through Sigstore.",
        )
    try:
        leaf, *others = (x509.load_der_x509_certificate(one) for one in bundle.material.certificates)
        _check_path(leaf, others, trust.authorities, now or dt.datetime.now(dt.UTC))
        names = _names(leaf)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise EvidenceError("The signature holds a certificate that cannot be read.") from error
    if trust.identity and trust.identity not in names:
        shown = ", ".join(ascii(name) for name in names) or "nobody"
        raise EvidenceError(f"It was signed by {shown}, and you expect {trust.identity!a}.")
    key = _key_of(leaf)
    try:
        key.verify(bundle.signature, pae(bundle.payload), ec.ECDSA(HASHES[key.curve.name]))
    except InvalidSignature as error:
        raise EvidenceError("The signature does not match the signed statement: one of them was altered.") from error
    return Who(keyid=VerifyKey.of(key).keyid, identity=next(iter(names), ""))


def _check_path(
    leaf: x509.Certificate, others: list[x509.Certificate], authorities: tuple[x509.Certificate, ...], now: dt.datetime
) -> None:
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        valid = f"from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
        message = f"Its certificate is valid {valid}, and nothing else says when it was signed."
        raise EvidenceError(message, remedy="Ask for a new signature.")
    authority = (
        ExtensionPolicy.webpki_defaults_ca()
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_certify)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_code)
    )
    signer = ExtensionPolicy.permit_all().may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _no_authority)
    signer = signer.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_code)
    builder = PolicyBuilder().store(Store(list(authorities))).time(now)
    try:
        verifier = builder.extension_policies(ca_policy=authority, ee_policy=signer).build_client_verifier()
        path = verifier.verify(leaf, others).chain
    except VerificationError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise EvidenceError(f"No path leads from its certificate to an authority that you trust ({reason}).") from error
    # What no path needs could change unnoticed.
    if not all(one in path or one in authorities for one in others):
        remedy = "Ask for a signature with the certificates alone that lead to the authority you trust."
        raise EvidenceError("It carries a certificate that does not lead to that authority.", remedy=remedy)
    uses = [item.value for item in leaf.extensions if isinstance(item.value, x509.KeyUsage)]
    meant = any(isinstance(item.value, x509.ExtendedKeyUsage) for item in leaf.extensions)
    if all(use.digital_signature for use in uses) if uses else meant:
        return
    raise EvidenceError("Its certificate is not meant for signatures.")


def _may_certify(_policy: Policy, _certificate: x509.Certificate, use: x509.KeyUsage | None) -> None:
    if use is not None and not use.key_cert_sign:
        raise ValueError("an authority that may not issue certificates")


def _for_code(_policy: Policy, _certificate: x509.Certificate, use: x509.ExtendedKeyUsage | None) -> None:
    if use is not None and not any(purpose in use for purpose in _PURPOSES):
        raise ValueError("a certificate that is not meant for signing files")


def _no_authority(_policy: Policy, _certificate: x509.Certificate, found: x509.BasicConstraints | None) -> None:
    if found is not None and found.ca:
        raise ValueError("the signer's certificate is an authority's")


def _key_of(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in HASHES:
        return key
    raise EvidenceError("Its certificate holds no ECDSA key on P-256, P-384 or P-521.")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """What a certificate calls its owner; the common name only where it has no other kind of name (RFC 6125, 6.4.4)."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            kinds = (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName)
            return tuple(name.value for name in extension.value if isinstance(name, kinds))
    return tuple(str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
