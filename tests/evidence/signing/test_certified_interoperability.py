"""Both ways with the reference tool, model-signing, as its users run it: through Sigstore, and with certificates."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.evidence import SigningKey
from lockgate.evidence.signing import (
    CertificateTrust,
    CertifiedSigner,
    Expected,
    KeylessSigner,
    KeylessTrust,
    Trusted,
    TrustRoot,
    read_certificates,
    seal_path,
    verify_path,
)
from support.authority import Authority
from support.sigstore_instance import WORKFLOW, Instance
from support.sigstore_server import Server, serving, token

Tool = Callable[..., subprocess.CompletedProcess[str]]
GIT = (".gitignore",)


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """Run the reference tool with a home of its own, without a proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    surroundings = kept | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)

    return call


@pytest.fixture(params=[False, True], ids=["first-log", "second-log"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Instance(), stamped=request.param) as running:
        yield running


def test_sigstore_both_ways(tool: Tool, server: Server, folder: Path, tmp_path: Path):
    config, place, secret = tmp_path / "config.json", folder / "model.sig", token(server.issuer, WORKFLOW)
    config.write_text(json.dumps(server.config()), "utf-8")
    verify = ("verify", "sigstore", folder, "--signature", place, "--trust_config", config, "--identity", WORKFLOW)
    place.write_bytes(seal_path(folder, KeylessSigner.at(config, lambda: secret).seal, signature=place)[0])
    done = tool(*verify, "--identity_provider", server.issuer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tool(*verify, "--identity_provider", "https://other.example.com").returncode != 0

    made = tool("sign", "sigstore", folder, "--signature", place, "--trust_config", config, "--identity_token", secret)
    assert made.returncode == 0, made.stdout + made.stderr
    trusted = Trusted(keyless=KeylessTrust(TrustRoot.read(config), (Expected(WORKFLOW, server.issuer),)))
    found = verify_path(folder, place.read_bytes(), trusted, signature=place, ignore=GIT)
    assert found.differences == ()
    (folder / "weights.bin").write_bytes(b"Weights")
    assert not verify_path(folder, place.read_bytes(), trusted, signature=place, ignore=GIT).ok


def test_certificates_both_ways(tool: Tool, folder: Path, tmp_path: Path):
    authority = Authority(tmp_path, "Acme models")
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, *([False] * 8))  # noqa: FBT003 - positions of RFC 5280
    now = authority.certificate.not_valid_before_utc
    builder = authority._builder(x509.Name([]), key, now, authority.certificate.not_valid_after_utc)
    mail = x509.SubjectAlternativeName([x509.RFC822Name("releases@acme.example")])
    builder = builder.add_extension(usage, critical=True).add_extension(mail, critical=True)
    paths = private, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    certificate.write_bytes(
        builder.sign(authority.key, authority.certificate.signature_hash_algorithm).public_bytes(Encoding.PEM)
    )
    place, chain = folder / "model.sig", ("--certificate_chain", authority.path)
    signer = CertifiedSigner(SigningKey(key), read_certificates((certificate, authority.path)))
    place.write_bytes(seal_path(folder, signer.seal, signature=place)[0])
    done = tool("verify", "certificate", folder, "--signature", place, *chain)
    assert done.returncode == 0, done.stdout + done.stderr

    keys = ("--private_key", paths[0], "--signing_certificate", paths[1])
    made = tool("sign", "certificate", folder, "--signature", place, *keys, *chain)
    assert made.returncode == 0, made.stdout + made.stderr
    trusted = Trusted(certificates=CertificateTrust(read_certificates((authority.path,)), "releases@acme.example"))
    found = verify_path(folder, place.read_bytes(), trusted, signature=place, ignore=GIT)
    assert found.differences == ()
    assert found.who.identity == "releases@acme.example"
