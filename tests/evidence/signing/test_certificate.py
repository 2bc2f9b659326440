"""Signatures by the key of a private authority's certificate: what verifies, and everything that must not."""

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.evidence import EvidenceError, SigningKey
from lockgate.evidence.dsse import pae
from lockgate.evidence.signing import (
    CertificateTrust,
    CertifiedSigner,
    Trusted,
    Verification,
    read_bundle,
    read_certificates,
    sign_path,
    verify_path,
)
from lockgate.evidence.signing import certificate as module
from lockgate.evidence.signing.certificate import verify_certified
from support.sigstore_instance import b64, new_key, usage

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)
CODE = ExtendedKeyUsageOID.CODE_SIGNING
NAME = "releases@acme.example"


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Issuer:
    """An authority, or a part of one."""

    def __init__(self, name: str, above: "Issuer | None" = None, **certificate: Any) -> None:
        self.name, self.key = named(name), new_key()
        options: dict[str, Any] = {"authority": True, "use": ("key_cert_sign",), "days": 100}
        self.certificate = (above or self).issue(self.key.public_key(), subject=self.name, **(options | certificate))

    def issue(
        self,
        key: Any,
        *,
        subject: x509.Name | None = None,
        authority: bool | None = None,
        use: tuple[str, ...] | None = ("digital_signature",),
        purpose: tuple[x509.ObjectIdentifier, ...] = (),
        days: int = 10,
        begins: dt.datetime = NOW - DAY,
        mail: str | None = NAME,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(named("releases") if subject is None else subject)
            .issuer_name(self.name)
        )
        builder = builder.public_key(key).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(begins).not_valid_after(begins + days * DAY)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(above, critical=False)
        if authority is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if use is not None:
            builder = builder.add_extension(usage(*use), critical=True)
        if purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purpose), critical=False)
        if not authority and mail:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(mail)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


ROOT = Issuer("Acme root")
MIDDLE = Issuer("Acme models", ROOT)
STRANGER = Issuer("Acme root")
KEY = SigningKey(new_key())


def leaf(issuer: Issuer = ROOT, **options: Any) -> x509.Certificate:
    return issuer.issue(KEY.public.key, **options)


def wrapped(payload: bytes, signature: bytes, *certificates: x509.Certificate) -> bytes:
    chain = [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in certificates]
    wire = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"x509CertificateChain": {"certificates": chain}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": b64(signature)}],
        },
    }
    return json.dumps(wire).encode()


Check = Callable[..., Verification]


@pytest.fixture
def check(folder: Path, payload: bytes) -> Check:
    """Verify the folder as signed with a chain of certificates."""

    def call(*chain: x509.Certificate, trust: tuple[x509.Certificate, ...] = (), identity: str = "") -> Verification:
        body = wrapped(payload, KEY.sign(pae(payload)), *chain)
        trusted = Trusted(certificates=CertificateTrust(trust or (ROOT.certificate,), identity))
        return verify_path(folder, body, trusted, signature=folder / "model.sig")

    return call


def reason(found: Verification) -> str:
    return "\n".join(item.message for item in found.differences)


@pytest.mark.parametrize(
    "chain",
    [
        (leaf(),),
        (leaf(), ROOT.certificate),
        (leaf(MIDDLE), MIDDLE.certificate),
        (leaf(MIDDLE), MIDDLE.certificate, ROOT.certificate),
        (leaf(purpose=(CODE,)),),
        (leaf(use=None, purpose=(CODE,)),),
        (leaf(authority=False),),
        (leaf(Issuer("Acme code", ROOT, purpose=(CODE,))),),
    ],
)
def test_a_path_to_the_authority_verifies(check: Check, chain: tuple[x509.Certificate, ...]):
    if chain[0].issuer == named("Acme code"):
        code = Issuer("Acme code", ROOT, purpose=(CODE,))
        chain = (leaf(code), code.certificate)
    found = check(*chain)
    assert reason(found) == ""
    assert (found.who.identity, found.who.keyid) == (NAME, KEY.keyid)


def test_an_authority_without_a_stated_use_is_one(check: Check):
    """As 'openssl req -x509' makes them."""
    plain = Issuer("Plain", use=None)
    assert reason(check(leaf(plain), trust=(plain.certificate,))) == ""


def test_the_world_is_closed_as_for_keys(check: Check, folder: Path):
    (folder / "extra.py").write_bytes(b"")
    assert reason(check(leaf())) == "extra.py was added: no signature covers it."


NO_SIGNER = Issuer("No signer", ROOT, use=("crl_sign",))
FOR_CLIENTS = Issuer("For clients", ROOT, purpose=(ExtendedKeyUsageOID.CLIENT_AUTH,))
NO_AUTHORITY = Issuer("No authority", ROOT, authority=False)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ((leaf(STRANGER),), "No path leads"),
        ((leaf(STRANGER), STRANGER.certificate), "No path leads"),
        ((leaf(STRANGER), ROOT.certificate), "No path leads"),
        ((leaf(MIDDLE),), "No path leads"),
        ((leaf(NO_SIGNER), NO_SIGNER.certificate), "No path leads"),
        ((leaf(FOR_CLIENTS), FOR_CLIENTS.certificate), "No path leads"),
        ((leaf(NO_AUTHORITY), NO_AUTHORITY.certificate), "No path leads"),
        ((leaf(purpose=(ExtendedKeyUsageOID.SERVER_AUTH,)),), "No path leads"),
        ((leaf(authority=True, use=("digital_signature",)),), "No path leads"),
        ((leaf(use=("key_agreement",)),), "not meant for signatures"),
        ((leaf(use=("key_agreement",), purpose=(CODE,)),), "not meant for signatures"),
        ((leaf(use=None),), "not meant for signatures"),
        ((leaf(begins=NOW - 20 * DAY),), "nothing else says when it was signed"),
        ((leaf(begins=NOW + DAY),), "nothing else says when it was signed"),
        ((ROOT.issue(new_key().public_key()),), "does not match the signed statement"),
        ((ROOT.issue(ec.generate_private_key(ec.SECP256K1()).public_key()),), "no ECDSA key on P-256"),
        ((leaf(MIDDLE), STRANGER.certificate, MIDDLE.certificate), "does not lead to that authority"),
        ((leaf(), leaf()), "does not lead to that authority"),
    ],
)
def test_a_certificate_that_does_not_count(check: Check, chain: tuple[x509.Certificate, ...], why: str):
    assert why in reason(check(*chain))


def test_a_name_that_is_asked_for_must_be_in_the_certificate(check: Check):
    assert check(leaf(), identity=NAME).ok
    assert reason(check(leaf(), identity=NAME[:-1])) == f"It was signed by '{NAME}', and you expect '{NAME[:-1]}'."
    assert r"expect 'rele\u0430ses'" in reason(check(leaf(), identity="releаses"))  # noqa: RUF001


def test_a_common_name_counts_only_where_there_is_no_other_name(check: Check):
    """Authorities check addresses more often than common names."""
    assert check(leaf(mail=None), identity="releases").ok
    assert "you expect 'releases'" in reason(check(leaf(mail="other@acme.example"), identity="releases"))
    assert "signed by nobody" in reason(check(leaf(subject=x509.Name([]), mail=None), identity="releases"))


@pytest.mark.parametrize(("curve", "digest"), [(ec.SECP384R1(), hashes.SHA384()), (ec.SECP521R1(), hashes.SHA512())])
def test_larger_curves_are_read(curve: ec.EllipticCurve, digest: hashes.HashAlgorithm):
    key = ec.generate_private_key(curve)
    bundle = read_bundle(wrapped(b"{}", key.sign(pae(b"{}"), ec.ECDSA(digest)), ROOT.issue(key.public_key())))
    assert verify_certified(bundle, CertificateTrust((ROOT.certificate,))).identity == NAME


def test_keys_that_are_not_ecdsa_are_refused():
    key = ed25519.Ed25519PrivateKey.generate()
    bundle = read_bundle(wrapped(b"{}", key.sign(pae(b"{}")), ROOT.issue(key.public_key())))
    with pytest.raises(EvidenceError, match=r"No path leads|no ECDSA key"):
        verify_certified(bundle, CertificateTrust((ROOT.certificate,)))
    with pytest.raises(EvidenceError, match="no ECDSA key"):
        module._key_of(ROOT.issue(key.public_key()))


def test_what_is_no_certificate_is_no_pass(folder: Path, payload: bytes):
    trusted = Trusted(certificates=CertificateTrust((ROOT.certificate,)))
    wire = json.loads(wrapped(payload, KEY.sign(pae(payload)), leaf()))
    wire["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"] = b64(b"x")
    assert "cannot be read" in reason(verify_path(folder, json.dumps(wire).encode(), trusted))
    bare = sign_path(folder, KEY, signature=folder / "model.sig")[0]
    assert "signed with a bare key" in reason(verify_path(folder, bare, trusted, signature=folder / "model.sig"))
    assert "--certificate-chain" in reason(verify_path(folder, wrapped(payload, b"", leaf()), Trusted()))
    with pytest.raises(EvidenceError, match="not signed with a certificate"):
        verify_certified(read_bundle(bare), CertificateTrust((ROOT.certificate,)))


CHAIN = (leaf(MIDDLE), MIDDLE.certificate, ROOT.certificate)
SEALED = functools.cache(CertifiedSigner(KEY, CHAIN).seal)


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_one_bit_of_the_bundle_matters(folder: Path, payload: bytes, data: st.DataObject):
    body = SEALED(payload)
    trusted = Trusted(certificates=CertificateTrust((ROOT.certificate,)))
    assert verify_path(folder, body, trusted).ok
    changed = bytearray(body)
    place = data.draw(st.integers(0, len(body) * 8 - 1))
    changed[place // 8] ^= 1 << place % 8
    assert not verify_path(folder, bytes(changed), trusted).ok


def test_signing_carries_the_chain(payload: bytes):
    signer = CertifiedSigner(KEY, (leaf(MIDDLE), MIDDLE.certificate))
    assert (signer.who.identity, signer.who.keyid) == (NAME, KEY.keyid)
    bundle = read_bundle(signer.seal(payload))
    assert verify_certified(bundle, CertificateTrust((ROOT.certificate,))) == signer.who


def test_signing_wants_the_keys_own_certificate():
    for chain, why in (((), "1 to 10"), ((leaf(),) * 11, "1 to 10"), ((ROOT.certificate,), "another key's")):
        with pytest.raises(EvidenceError, match=why):
            CertifiedSigner(KEY, chain)


def test_certificates_come_from_pem_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first, second = tmp_path / "a.pem", tmp_path / "b.pem"
    first.write_bytes(leaf().public_bytes(Encoding.PEM) + MIDDLE.certificate.public_bytes(Encoding.PEM))
    second.write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    assert read_certificates((first, second))[1:] == (MIDDLE.certificate, ROOT.certificate)
    with pytest.raises(EvidenceError, match="cannot be read: no such file"):
        read_certificates((tmp_path / "nowhere",))
    for body in (b"", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", base64.b64encode(b"x")):
        first.write_bytes(body)
        with pytest.raises(EvidenceError, match="holds no certificate"):
            read_certificates((first,))
    monkeypatch.setattr(module, "MAX_FILE", 9)
    with pytest.raises(EvidenceError, match="too large"):
        read_certificates((second,))
