"""A Sigstore instance of the tests' own, without a network: authority, certificate log, transparency log, time stamper.

It does what Fulcio and Rekor do as far as bundles show it. Every part can be told to do it wrongly.
"""

import base64
import datetime as dt
import hashlib
import json
import struct
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

ISSUER = "https://issuer.example.com"
WORKFLOW = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/v1"
MINUTES = dt.timedelta(minutes=10)
YEARS = dt.timedelta(days=3650)
TYPE = "application/vnd.in-toto+json"
_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_USAGE = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_USAGE += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


def usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in _USAGE})


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def general_name(text: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(text) if "://" in text else x509.RFC822Name(text)


def utf8_string(text: str) -> bytes:
    return core.UTF8String(text).dump()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(leaves: list[bytes]) -> bytes:
    """Root hash (RFC 6962)."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node(tree(leaves[:middle]), tree(leaves[middle:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Inclusion proof, from the leaf upwards (RFC 6962)."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return [*path(index, leaves[:middle]), tree(leaves[middle:])]
    return [*path(index - middle, leaves[middle:]), tree(leaves[:middle])]


class Instance:
    """A whole instance with keys of its own."""

    def __init__(self, name: str = "sigstore.example.com") -> None:
        self.name, self.now = name, dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.root_key, self.authority_key, self.ct_key, self.log_key = (new_key() for _ in range(4))
        self.root = self._authority(f"{name} root", self.root_key)
        self.authority = self._authority(f"{name} authority", self.authority_key, self.root, self.root_key)
        self.stamper_key = new_key()
        self.stamper = self._stamper()
        self.origin = f"log.{name} - 1193050959916656506"
        self.log_id = hashlib.sha256(der(self.log_key)).digest()
        self.ct_id = hashlib.sha256(der(self.ct_key)).digest()
        self.bodies: list[bytes] = [b"an earlier entry", b"another"]

    def _builder(self, subject: x509.Name, issuer: x509.Name, key: Any, begins: dt.datetime, ends: dt.datetime) -> Any:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)

    def _authority(self, name: str, key: Any, issuer: Any = None, issuer_key: Any = None) -> x509.Certificate:
        above = issuer.subject if issuer else named(name)
        builder = self._builder(named(name), above, key.public_key(), self.now - YEARS, self.now + YEARS)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer_key or key).public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
        return builder.add_extension(identifier, critical=False).sign(issuer_key or key, hashes.SHA256())

    def _stamper(self) -> x509.Certificate:
        key = self.stamper_key.public_key()
        builder = self._builder(
            named("time stamper"), self.root.subject, key, self.now - YEARS + MINUTES, self.now + YEARS - MINUTES
        )
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key())
        builder = builder.add_extension(use, critical=True).add_extension(usage("digital_signature"), critical=True)
        return builder.add_extension(identifier, critical=False).sign(self.root_key, hashes.SHA256())

    def certify(
        self,
        key: Any,
        *,
        identity: str | tuple[x509.GeneralName, ...] = WORKFLOW,
        issuer: str = ISSUER,
        old_issuer: str | None = None,
        at: dt.datetime | None = None,
        lasts: dt.timedelta = MINUTES,
        logged: bool = True,
        ct_key: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        """A signer's certificate with the certificate log's promise in it."""
        begins = at or self.now
        names = (general_name(identity),) if isinstance(identity, str) else identity
        oid = "1.3.6.1.4.1.57264.1."
        builder = self._builder(x509.Name([]), self.authority.subject, key, begins, begins + lasts)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key())
        builder = builder.add_extension(usage("digital_signature"), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
        for number, value in (("1", (old_issuer or issuer).encode()), ("8", utf8_string(issuer))):
            extension = x509.UnrecognizedExtension(ObjectIdentifier(oid + number), value)
            builder = builder.add_extension(extension, critical=False)
        if logged:
            before = builder.sign(self.authority_key, hashes.SHA256()).tbs_certificate_bytes
            promise = self._certificate_promise(before, begins, ct_key or self.ct_key)
            builder = builder.add_extension(x509.UnrecognizedExtension(_SCTS, promise), critical=False)
        return builder.sign(self.authority_key, hashes.SHA256())

    def _certificate_promise(self, tbs: bytes, at: dt.datetime, key: ec.EllipticCurvePrivateKey) -> bytes:
        """A list of one signed certificate timestamp (RFC 6962, 3.2), as an OCTET STRING."""
        time = struct.pack("!Q", int(at.timestamp() * 1000))
        above = hashlib.sha256(der(self.authority_key)).digest()
        about = b"\x00\x00" + time + b"\x00\x01" + above + len(tbs).to_bytes(3, "big") + tbs + b"\x00\x00"
        signature = signed(key, about)
        one = b"\x00" + self.ct_id + time + b"\x00\x00\x04\x03" + struct.pack("!H", len(signature)) + signature
        every = struct.pack("!H", len(one)) + one
        return core.OctetString(struct.pack("!H", len(every)) + every).dump()

    def entry(self, body: bytes, *, at: dt.datetime | None = None, promised: bool = True, kind: str = "dsse") -> Any:
        """Append to the transparency log, and give the entry as bundles have it."""
        self.bodies.append(body)
        leaves = [hashlib.sha256(b"\x00" + one).digest() for one in self.bodies]
        index, root = len(leaves) - 1, tree(leaves)
        # Logs of the first kind count on over the trees before this one.
        number = index + (1000 if promised else 0)
        text = f"{self.origin}\n{len(leaves)}\n{b64(root)}\n"
        signature = b64(self.log_id[:4] + signed(self.log_key, text.encode()))
        found: dict[str, Any] = {
            "logIndex": str(number),
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": kind, "version": "0.0.1" if kind == "dsse" else "0.0.2"},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(root),
                "treeSize": str(len(leaves)),
                "hashes": [b64(one) for one in path(index, leaves)],
                "checkpoint": {"envelope": f"{text}\n— {self.origin.split()[0]} {signature}\n"},
            },
            "canonicalizedBody": b64(body),
        }
        if promised:
            time = int((at or self.now).timestamp())
            stated = {"body": b64(body), "integratedTime": time, "logID": self.log_id.hex(), "logIndex": number}
            promise = signed(self.log_key, json.dumps(stated, sort_keys=True, separators=(",", ":")).encode())
            found |= {"integratedTime": str(time), "inclusionPromise": {"signedEntryTimestamp": b64(promise)}}
        return found

    def stamp(self, digest: bytes, *, at: dt.datetime | None = None, nonce: int | None = None) -> str:
        """A time stamp (RFC 3161) over the SHA-256 `digest`, base64."""
        sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.3.6.1.4.1.57264.2",
                "message_imprint": {"hash_algorithm": sha256, "hashed_message": digest},
                "serial_number": x509.random_serial_number(),
                "gen_time": at or self.now,
                **({} if nonce is None else {"nonce": nonce}),
            }
        )
        certificate = asn1_x509.Certificate.load(self.stamper.public_bytes(Encoding.DER))
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(info.dump()).digest()]},
                {
                    "type": "signing_certificate_v2",
                    "values": [{"certs": [{"cert_hash": hashlib.sha256(certificate.dump()).digest()}]}],
                },
            ]
        )
        signer = {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
            },
            "digest_algorithm": sha256,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": signed(self.stamper_key, attributes.untag().dump()),
        }
        content_info = {
            "version": "v3",
            "digest_algorithms": [sha256],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info.dump())},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
        token = {"content_type": "signed_data", "content": cms.SignedData(content_info)}
        return b64(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())

    def bundle(
        self, payload: bytes, *, log_at: dt.datetime | None = None, stamped: bool = False, **certificate: Any
    ) -> dict[str, Any]:
        """A signature of `payload` by a fresh key, as the bundle's JSON.

        Args:
            payload: The statement.
            log_at: When the log says that it took the signature in.
            stamped: The time comes from the time stamper and the log makes no promise, as in logs of the second kind.
            certificate: Options of `certify`.
        """
        key = new_key()
        leaf = self.certify(key.public_key(), **certificate)
        about = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
        signature = signed(key, about)
        raw = leaf.public_bytes(Encoding.DER)
        if stamped:
            body = second_body(hashlib.sha256(about).digest(), signature, raw)
            entry = self.entry(body, promised=False, kind="hashedrekord")
        else:
            entry = self.entry(first_body(payload, signature, leaf), at=log_at)
        material: dict[str, Any] = {"certificate": {"rawBytes": b64(raw)}, "tlogEntries": [entry]}
        if stamped:
            stamps = [{"signedTimestamp": self.stamp(hashlib.sha256(signature).digest(), at=log_at)}]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": {"payload": b64(payload), "payloadType": TYPE, "signatures": [{"sig": b64(signature)}]},
        }

    def trusted_root(self) -> dict[str, Any]:
        """What verifiers rest on, as JSON."""
        valid = {"start": (self.now - YEARS).isoformat().replace("+00:00", "Z")}

        def log(key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, Any]:
            public = {"rawBytes": b64(der(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
            name = {"keyId": b64(hashlib.sha256(der(key)).digest())}
            return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": name}

        def chain(*certificates: x509.Certificate) -> dict[str, Any]:
            raw = [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in certificates]
            subject = {"organization": self.name, "commonName": self.name}
            return {"subject": subject, "uri": self.name, "certChain": {"certificates": raw}, "validFor": valid}

        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log_key, f"https://log.{self.name}")],
            "certificateAuthorities": [chain(self.authority, self.root)],
            "ctlogs": [log(self.ct_key, f"https://ct.{self.name}")],
            "timestampAuthorities": [chain(self.stamper, self.root)],
        }


def first_body(payload: bytes, signature: bytes, leaf: x509.Certificate) -> bytes:
    """What a log of the first kind keeps about an envelope."""
    row = {"signature": b64(signature), "verifier": b64(leaf.public_bytes(Encoding.PEM))}
    digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    spec = {"envelopeHash": digest, "payloadHash": digest, "signatures": [row]}
    return json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()


def second_body(digest: bytes, signature: bytes, raw: bytes) -> bytes:
    """What a log of the second kind keeps about an envelope."""
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(raw)}}
    spec = {
        "data": {"algorithm": "SHA2_256", "digest": b64(digest)},
        "signature": {"content": b64(signature), "verifier": verifier},
    }
    return json.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": spec}}).encode()
