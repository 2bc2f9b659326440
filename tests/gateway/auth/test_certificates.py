import asyncio
import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockgate.core.config_auth import CertificateRule, TlsServerConfig
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.certificate import CertificateCallers, server_context
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.keys import EphemeralKey
from support.authority import Authority

DAY = dt.timedelta(days=1)
RULES = (
    CertificateRule(dns="Batch.example", tenant="north", scopes=("guard",), name="batch"),
    CertificateRule(uri="spiffe://example/web", tenant="south"),
    CertificateRule(email="ops@example.org", name="ops"),
    CertificateRule(subject="CN=plain,O=Example"),
)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "pki").mkdir()
    return Authority(tmp_path / "pki", "ca")


@pytest.fixture
def tls(authority: Authority) -> dict[str, Any]:
    _, certificate, key = authority.issue("server", x509.DNSName("localhost"), server=True, common="localhost")
    return {"certificate": str(certificate), "key": str(key), "client_ca": str(authority.path), "rules": RULES}


def test_names_of_a_certificate_lead_to_its_tenant(authority: Authority) -> None:
    callers = CertificateCallers(RULES)
    for number, (others, common, expected) in enumerate(
        [
            ([x509.DNSName("other"), x509.DNSName("batch.EXAMPLE")], "", ("north", {"guard"}, "batch")),
            ([x509.UniformResourceIdentifier("spiffe://example/web")], "", ("south", set(), "")),
            ([x509.RFC822Name("ops@example.org")], "", ("", set(), "ops")),
            ([], "plain", ("", set(), "")),
        ]
    ):
        found = callers.caller(der(authority.issue(str(number), *others, common=common)[0]))
        assert isinstance(found, Caller)
        assert found.key_id.startswith("cert-")
        assert (found.tenant, set(found.scopes), found.name) == expected
    for number, (others, common) in enumerate(
        [
            ([x509.DNSName("*.example")], ""),
            ([x509.DNSName("batch.example.evil")], ""),
            ([x509.UniformResourceIdentifier("spiffe://example/web/")], ""),
            ([x509.DNSName("ops@example.org")], ""),
            ([], "batch.example"),
            ([], ""),
        ]
    ):
        found = callers.caller(der(authority.issue(f"no {number}", *others, common=common)[0]))
        assert found == Refusal(Reason.CERTIFICATE_UNKNOWN)


def test_a_certificate_that_ended_during_a_connection_counts_no_more(authority: Authority) -> None:
    old = authority.issue("old", x509.DNSName("batch.example"), days=-1)[0]
    assert CertificateCallers(RULES).caller(der(old)) == Refusal(Reason.CERTIFICATE_EXPIRED)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(1, 255))
@example(b"", 11, 1)  # a version that does not exist
def test_no_bytes_are_somebody(raw: bytes, place: int, change: int) -> None:
    assert CertificateCallers(RULES).caller(raw) == Refusal(Reason.CERTIFICATE_UNKNOWN)
    body = bytearray(_SAMPLE)
    body[place % len(body)] ^= change
    assert isinstance(CertificateCallers(()).caller(bytes(body)), Refusal)


async def test_a_certificate_may_be_needed_beside_a_key_and_binds_it(authority: Authority, tls: dict[str, Any]) -> None:
    north = der(authority.issue("a", x509.DNSName("batch.example"))[0])
    free = der(authority.issue("b", x509.RFC822Name("ops@example.org"))[0])
    stranger = der(authority.issue("c", x509.DNSName("stranger"))[0])
    cases: list[tuple[str, dict[str, Any], bytes | None, bool, str | Reason]] = [
        ("", {}, north, True, "north"),
        ("north", {}, north, True, "north"),
        ("south", {}, north, True, Reason.TENANT_MISMATCH),
        ("south", {}, free, True, "south"),
        ("south", {}, None, True, Reason.CERTIFICATE_MISSING),
        ("south", {"clients": "optional"}, None, True, "south"),
        ("south", {"clients": "optional"}, stranger, True, Reason.CERTIFICATE_UNKNOWN),
        ("", {}, north, False, Reason.MISSING),
        ("", {"alone": True}, north, False, "north"),
        ("", {"alone": True, "clients": "optional"}, None, False, Reason.MISSING),
    ]
    for tenant, more, certificate, with_key, expected in cases:
        key = EphemeralKey("t", tenant=tenant)
        authenticator = Authenticator(key, None, TlsServerConfig(**tls, **more))
        headers = [(b"x-api-key", key.secret.encode())] if with_key else []
        found = await authenticator.authenticate(headers, certificate)
        assert (found.tenant if isinstance(found, Caller) else found.reason) == expected, (tenant, more)
        wrong = await authenticator.authenticate([(b"x-api-key", b"wrong")], certificate)
        assert isinstance(wrong, Refusal)


async def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes | None:
    """What the server sees of a client that connects, or an exception."""
    seen: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(1)
            found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if not seen.done():
                seen.set_result(found)
            writer.write(b"x")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=server)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
        try:
            writer.write(b"x")
            await writer.drain()
            await reader.readexactly(1)
            return await seen
        finally:
            writer.close()


def client_of(authority: Authority, pair: tuple[Any, Path, Path] | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.path))
    if pair is not None:
        context.load_cert_chain(pair[1], pair[2])
    return context


REFUSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)


async def test_a_handshake_lets_in_whom_the_authority_vouches_for(
    authority: Authority, tls: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    good = authority.issue("good", x509.DNSName("batch.example"))
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "other").issue("x", x509.DNSName("batch.example"))
    required = server_context(TlsServerConfig(**tls), project_root=root)
    seen = await handshake(required, client_of(authority, good))
    assert seen == der(good[0])
    assert isinstance(CertificateCallers(RULES).caller(seen or b""), Caller)
    for pair in (None, other, authority.issue("late", days=-1), authority.issue("wrong use", server=True)):
        with pytest.raises(REFUSED):
            await handshake(required, client_of(authority, pair))
    optional = server_context(TlsServerConfig(**tls, clients="optional"), project_root=root)
    assert await handshake(optional, client_of(authority, None)) is None
    with pytest.raises(REFUSED):
        await handshake(optional, client_of(authority, other))


async def test_a_revoked_certificate_and_an_old_version_of_tls_are_refused(
    authority: Authority, tls: dict[str, Any], root: Path
) -> None:
    good, bad = authority.issue("good"), authority.issue("bad")
    lists = TlsServerConfig(**tls, client_crl=str(authority.crl(bad[0])))
    context = server_context(lists, project_root=root)
    assert await handshake(context, client_of(authority, good)) == der(good[0])
    with pytest.raises(REFUSED):
        await handshake(context, client_of(authority, bad))
    older = client_of(authority, good)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(REFUSED):
        await handshake(context, older)
    tolerant = server_context(TlsServerConfig(**tls, minimum="1.2"), project_root=root)
    assert await handshake(tolerant, older) == der(good[0])


def test_tls_without_client_certificates_asks_for_none(tls: dict[str, Any], root: Path) -> None:
    plain = TlsServerConfig(certificate=tls["certificate"], key=tls["key"])
    assert server_context(plain, project_root=root).verify_mode == ssl.CERT_NONE


def test_files_that_cannot_be_used_are_said_at_once(tls: dict[str, Any], root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "locked.key").touch(0o600)
    (tmp_path / "locked.key").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    empty, locked = str(tmp_path / "empty.pem"), str(tmp_path / "locked.key")
    for more in (
        {"certificate": empty},
        {"certificate": "none.pem"},
        {"client_ca": empty},
        {"client_crl": empty},
        {"key": locked},
    ):
        with pytest.raises(GatewayError, match="cannot be used"):
            server_context(TlsServerConfig(**{**tls, **more}), project_root=root)
    Path(tls["key"]).chmod(0o644)
    with pytest.raises(GatewayError, match="open to others"):
        server_context(TlsServerConfig(**tls), project_root=root)


def _sample() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("batch.example")]), critical=False)
    return der(builder.sign(key, hashes.SHA256()))


_SAMPLE = _sample()
