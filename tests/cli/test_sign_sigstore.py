"""`--sigstore` and `--certificate` of `lockgate sign` and `lockgate verify` as their user sees them."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.sigstore_instance import WORKFLOW, Instance
from support.sigstore_server import Server, serving, token

Run = Callable[..., tuple[int, str, str]]
SIGNER = ("--identity", WORKFLOW, "--identity-provider")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "SIGSTORE_ID_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(Instance()) as running:
        yield running


@pytest.fixture
def files(server: Server, tmp_path: Path) -> tuple[Path, Path]:
    """The trust configuration and the token."""
    config, secret = tmp_path / "config.json", tmp_path / "token"
    config.write_text(json.dumps(server.config()), "utf-8")
    secret.write_text(token(server.issuer, WORKFLOW), "ascii")
    return config, secret


def test_a_folder_is_signed_by_a_token_and_verified_offline(
    run: Run, server: Server, files: tuple[Path, Path], model: Path, monkeypatch: pytest.MonkeyPatch
):
    config, secret = files
    code, out, err = run("sign", model, "--sigstore", "--identity-token", secret, "--trust-config", config)
    assert (code, err) == (0, "")
    assert f"Signed 200 files (490 bytes) by '{WORKFLOW}' of '{server.issuer}'" in out
    assert secret.read_text() not in out + err + (model / "model.sig").read_text()
    asked = len(server.asked)
    verify = ("verify", model, "--sigstore", *SIGNER, server.issuer, "--trust-root", config)
    code, out, err = run(*verify)
    assert (code, err) == (0, "")
    assert f"Verified: 200 files (490 bytes) as signed by '{WORKFLOW}' of '{server.issuer}'." in out
    found = json.loads(run(*verify, "--json")[1])
    assert (found["verified"], found["identity"], found["issuer"], found["keyid"]) == (
        True,
        WORKFLOW,
        server.issuer,
        "",
    )
    assert len(server.asked) == asked
    (model / "extra.py").touch()
    code, _, err = run(*verify)
    assert code == 1
    assert "extra.py was added: no signature covers it." in err
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", secret.read_text())
    made = json.loads(run("sign", model, "--sigstore", "--trust-config", config, "--json")[1])
    assert (made["identity"], made["issuer"], made["files"]) == (WORKFLOW, server.issuer, 201)
    assert run(*verify)[0] == 0


def test_another_signer_another_root_and_another_folder_are_not_verified(
    run: Run, server: Server, files: tuple[Path, Path], model: Path, tmp_path: Path
):
    config, secret = files
    run("sign", model, "--sigstore", "--identity-token", secret, "--trust-config", config)
    root = ("--trust-root", config)
    for options, why in (
        ((*SIGNER, "https://other.example.com", *root), "and you expect"),
        (("--identity", "a@acme.example", "--identity-provider", server.issuer, *root), "and you expect"),
        ((*SIGNER, server.issuer), "a transparency log that sigstore.dev does not name"),
    ):
        code, _, err = run("verify", model, "--sigstore", *options)
        assert code == 1
        assert why in err
    pattern = WORKFLOW.replace("v1", "*")
    options = ("--sigstore", "--identity-pattern", pattern, "--identity-provider", server.issuer, *root)
    assert run("verify", model, *options)[0] == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "weights.bin").write_bytes(b"weights")
    (other / "model.sig").write_bytes((model / "model.sig").read_bytes())
    code, _, err = run("verify", other, *options)
    assert code == 1
    assert "weights.bin was added" in err


def test_a_trust_file_names_signers_beside_keys(
    run: Run, server: Server, files: tuple[Path, Path], model: Path, tmp_path: Path
):
    config, secret = files
    run("sign", model)
    digest = hashlib.sha256(config.read_bytes()).hexdigest()
    trust = tmp_path / "trust.yaml"
    named = f'sigstore: [{{identity: "{WORKFLOW}", issuer: "{server.issuer}", trust_root_sha256: "{digest}"}}]\n'
    trust.write_text(run("keys", "trust")[1] + named, "utf-8")
    verify = ("verify", model, "--trust", trust)
    assert run(*verify, "--trust-root", config)[0] == 0
    run("sign", model, "--sigstore", "--identity-token", secret, "--trust-config", config)
    assert run(*verify, "--trust-root", config)[0] == 0
    code, _, err = run(*verify)
    assert code == 1
    assert "signed through Sigstore" in err
    config.write_text(config.read_text("utf-8") + "\n", "utf-8")
    code, _, err = run(*verify, "--trust-root", config)
    assert code == 2
    assert "trust.yaml names nobody who may sign under config.json" in err


def test_the_kind_of_signature_is_named(run: Run, files: tuple[Path, Path], model: Path):
    config, secret = files
    run("sign", model, "--sigstore", "--identity-token", secret, "--trust-config", config)
    code, _, err = run("verify", model)
    assert code == 1
    assert "--sigstore --identity WHO --identity-provider ISSUER" in err


@pytest.mark.parametrize(
    "options",
    [
        ("--sigstore",),
        ("--sigstore", "--identity", "a"),
        ("--sigstore", "--identity-provider", "https://issuer.example.com"),
        ("--sigstore", "--identity-pattern", "*", "--identity-provider", "https://issuer.example.com"),
        ("--sigstore", "--identity", "a", "--identity-provider", "b", "--trust-root", "nowhere"),
        ("--sigstore", "--identity", "a", "--identity-provider", "b", "--key", "key.pub"),
        ("--sigstore", "--identity", "a", "--identity-provider", "b", "--trust", "trust.yaml"),
        ("--identity", "a"),
        ("--identity-provider", "b"),
        ("--trust-root", "root.json"),
        ("--certificate-chain", "nowhere"),
        ("--certificate-chain", "ca.pem", "--key", "key.pub"),
    ],
)
def test_what_is_asked_for_unclearly_cannot_be_told(run: Run, model: Path, options: tuple[str, ...]):
    run("sign", model)
    code, out, err = run("verify", model, *options)
    assert (code, out) == (2, "")
    assert "error: " in err


@pytest.mark.parametrize(
    "options",
    [
        ("--sigstore", "--key", "key.pem"),
        ("--sigstore", "--certificate", "cert.pem"),
        ("--identity-token", "token"),
        ("--trust-config", "config.json"),
        ("--certificate-chain", "ca.pem"),
        ("--certificate", "nowhere"),
        ("--sigstore", "--identity-token", "nowhere"),
    ],
)
def test_signing_unclearly_signs_nothing(run: Run, model: Path, options: tuple[str, ...]):
    assert run("sign", model, *options)[0] == 2
    assert not (model / "model.sig").exists()


def test_without_the_package_it_is_said_what_to_install(
    run: Run, server: Server, files: tuple[Path, Path], model: Path, monkeypatch: pytest.MonkeyPatch
):
    config, secret = files
    monkeypatch.setitem(sys.modules, "sigstore.models", None)
    for options in (
        ("sign", model, "--sigstore", "--identity-token", secret, "--trust-config", config),
        ("verify", model, "--sigstore", *SIGNER, server.issuer, "--trust-root", config),
    ):
        code, _, err = run(*options)
        assert code == 2
        assert "pip install 'lockgate[sigstore]'" in err


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def test_a_private_authority_as_openssl_makes_it(run: Run, model: Path, tmp_path: Path):
    key, request, certificate, ca = (tmp_path / name for name in ("key.pem", "key.csr", "cert.pem", "ca.pem"))
    for name in (key, tmp_path / "ca.key"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name)
        name.chmod(0o600)
    openssl("req", "-x509", "-new", "-key", tmp_path / "ca.key", "-subj", "/CN=Acme", "-days", 9, "-out", ca)
    openssl("req", "-new", "-key", key, "-subj", "/CN=releases", "-out", request)
    (tmp_path / "use").write_text("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n", "ascii")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", tmp_path / "ca.key", "-CAcreateserial", "-days", 9,
            "-extfile", tmp_path / "use", "-out", certificate)  # fmt: skip
    code, out, err = run("sign", model, "--key", key, "--certificate", certificate, "--certificate-chain", ca)
    assert (code, err) == (0, "")
    assert "by 'releases' with key" in out
    assert run("verify", model, "--certificate-chain", ca)[0] == 0
    assert run("verify", model, "--certificate-chain", ca, "--identity", "releases")[0] == 0
    code, _, err = run("verify", model, "--certificate-chain", ca, "--identity", "others")
    assert code == 1
    assert "It was signed by 'releases', and you expect 'others'." in err
    code, _, err = run("verify", model, "--key", key)
    assert code == 1
    assert "--certificate-chain FILE" in err
    run("sign", model, "--key", key)
    assert "signed with a bare key" in run("verify", model, "--certificate-chain", ca)[2]
