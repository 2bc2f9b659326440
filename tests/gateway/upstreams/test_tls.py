import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lockgate.core.config import ServeConfig
from lockgate.gateway import ApiError, GatewayError
from lockgate.gateway.upstreams import open_router

ANSWER = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file, readable by its owner alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.touch(0o600)
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@asynccontextmanager
async def secure(pem: Path, client_ca: Path | None = None) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(ANSWER)}\r\n\r\n"
            writer.write(head.encode() + ANSWER)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    server.close()


async def ask(root: Path, url: str, **tls: Any) -> str | None:
    place = {"kind": "openai", "base_url": url, "model": "m", "tls": tls}
    serve = msgspec.convert({"upstream": place, "retries": {"attempts": 0}}, ServeConfig)
    async with open_router(serve, project_root=root, endpoints={}) as router:
        message = (await router.complete(b"{}")).choices[0].message
    return message.content if message else None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


async def test_an_unknown_authority_is_refused_and_a_named_one_is_trusted(root: Path) -> None:
    pem = certificate(root.parent, "server")
    async with secure(pem) as url:
        with pytest.raises(ApiError, match="cannot be reached"):
            await ask(root, url)
        with pytest.raises(ApiError, match="cannot be reached"):
            await ask(root, url, ca_file=str(certificate(root.parent, "other")))
        assert await ask(root, url, ca_file=str(pem)) == "Hi"
        assert await ask(root, url, verify=False) == "Hi"


async def test_a_client_certificate_is_shown(root: Path) -> None:
    pem, client = certificate(root.parent, "server"), certificate(root.parent, "client")
    async with secure(pem, client_ca=client) as url:
        with pytest.raises(ApiError):
            await ask(root, url, ca_file=str(pem))
        assert await ask(root, url, ca_file=str(pem), certificate="../client.pem") == "Hi"


async def test_verification_stays_on_beyond_this_machine(root: Path) -> None:
    with pytest.raises(GatewayError, match="loopback"):
        await ask(root, "https://models.example.org/v1", verify=False)


async def test_a_tls_key_is_guarded_like_an_api_key(root: Path) -> None:
    pem = certificate(root.parent, "server")
    with pytest.raises(GatewayError, match="cannot be used"):
        await ask(root, "https://127.0.0.1:1/v1", ca_file="none.pem")
    with pytest.raises(GatewayError, match="cannot be read"):
        await ask(root, "https://127.0.0.1:1/v1", certificate=str(pem), key="../none.pem")
    inside = certificate(root, "inside")
    with pytest.raises(GatewayError, match="inside the project"):
        await ask(root, "https://127.0.0.1:1/v1", certificate=str(inside))
    pem.chmod(0o644)
    with pytest.raises(GatewayError, match="open to others"):
        await ask(root, "https://127.0.0.1:1/v1", certificate=str(pem))
