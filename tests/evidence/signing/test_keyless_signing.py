"""Signing through a Sigstore instance of the tests' own, over HTTP on this machine."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from sigstore import oidc
from sigstore.models import ClientTrustConfig

from lockgate.core.errors import ConfigError
from lockgate.evidence import EvidenceError
from lockgate.evidence.signing import Expected, KeylessSigner, KeylessTrust, Trusted, TrustRoot, Who, read_token
from lockgate.evidence.signing import keyless_signing as module
from support.sigstore_instance import WORKFLOW, Instance, new_key
from support.sigstore_server import Server, serving, token

Reason = Callable[..., str]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here offers a token, and nothing stands between the tests and this machine."""
    for name in ("SIGSTORE_ID_TOKEN", "GITHUB_ACTIONS", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(oidc, "detect_credential", lambda: None)
    # A busy machine may take longer than the five seconds after which the library goes on without a time stamp.
    monkeypatch.setattr("sigstore._internal.timestamp.CLIENT_TIMEOUT", 120)


@pytest.fixture(params=[False, True], ids=["first-log", "second-log"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(Instance(), stamped=request.param) as running:
        yield running


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(server.config()), "utf-8")
    return path


def trusted(config: Path, server: Server) -> Trusted:
    return Trusted(keyless=KeylessTrust(TrustRoot.read(config), (Expected(WORKFLOW, server.issuer),)))


def test_a_token_signs_in_its_name(server: Server, config: Path, payload: bytes, reason: Reason):
    signer = KeylessSigner.at(config, lambda: token(server.issuer, WORKFLOW))
    assert signer.who == Who()
    body = signer.seal(payload)
    assert signer.who == Who(identity=WORKFLOW, issuer=server.issuer)
    assert reason(body, trusted(config, server)) == ""
    assert "POST /api/v2/signingCert" in server.asked


def test_the_token_goes_to_the_authority_and_into_no_message(server: Server, config: Path, payload: bytes):
    secret = token(server.issuer, WORKFLOW)
    for path in [f"/api/v{1 + server.stamped}/log/entries", "/api/v2/signingCert"]:
        server.fail = {path: (400, f"I was sent {secret}")}
        with pytest.raises(EvidenceError, match="Nothing was signed") as caught:
            KeylessSigner.at(config, lambda: secret).seal(payload)
        assert secret not in str(caught.value)


def test_without_a_time_stamp_nothing_is_signed(tmp_path: Path, payload: bytes):
    with serving(Instance(), stamped=True) as server:
        (tmp_path / "config.json").write_text(json.dumps(server.config()), "utf-8")
        server.fail = {"/stamp": (500, "out of order")}
        with pytest.raises(EvidenceError, match="Nothing was signed: InvalidBundle"):
            KeylessSigner.at(tmp_path / "config.json", lambda: token(server.issuer, WORKFLOW)).seal(payload)


def test_an_instance_that_does_not_answer_is_said(server: Server, config: Path, payload: bytes):
    found = server.config()
    for service in ("caUrls", "rekorTlogUrls"):
        found["signingConfig"][service][0]["url"] = "http://127.0.0.1:9"
    config.write_text(json.dumps(found), "utf-8")
    with pytest.raises(EvidenceError, match="Nothing was signed: ConnectionError"):
        KeylessSigner.at(config, lambda: token(server.issuer, WORKFLOW)).seal(payload)


def test_what_does_not_verify_is_not_given_out(server: Server, config: Path, payload: bytes):
    signer = KeylessSigner.at(config, lambda: token(server.issuer, WORKFLOW))
    server.instance.log_key = new_key()
    with pytest.raises(EvidenceError, match="Sigstore's checks refuse the signature: invalid log entry"):
        signer.seal(payload)
    assert signer.who == Who()


def test_the_signature_of_something_else_is_not_given_out(
    server: Server, config: Path, payload: bytes, monkeypatch: pytest.MonkeyPatch
):
    body = KeylessSigner.at(config, lambda: token(server.issuer, WORKFLOW)).seal(payload)

    class Fixed:
        def __init__(self, *_arguments: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_arguments: object) -> None:
            pass

        def sign_dsse(self, _statement: object) -> Any:
            return type("Bundle", (), {"to_json": staticmethod(body.decode)})

    monkeypatch.setattr("sigstore.sign.SigningContext.signer", Fixed)
    with pytest.raises(EvidenceError, match="signature of something else"):
        KeylessSigner.at(config, lambda: token(server.issuer, WORKFLOW)).seal(payload.replace(b"weights", b"weightz"))


@pytest.mark.parametrize("given", ["", "x", "a.b.c", {"lasts": -60}, {"audience": "other"}])
def test_a_token_that_is_none_is_refused_before_anything_is_asked(
    server: Server, config: Path, payload: bytes, given: str | dict[str, Any]
):
    secret = given if isinstance(given, str) else token(server.issuer, WORKFLOW, **given)
    with pytest.raises(ConfigError, match="malformed, has expired, or is not meant for Sigstore"):
        KeylessSigner.at(config, lambda: secret).seal(payload)
    assert server.asked == []


def test_a_missing_token_is_said_before_anything_is_hashed(config: Path):
    with pytest.raises(ConfigError, match="There is no identity token"):
        KeylessSigner.at(config, lambda: read_token(None))


def test_a_token_comes_from_a_file_a_variable_or_the_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oidc, "detect_credential", lambda: "ambient")
    assert read_token(None) == "ambient"
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", " variable\n")
    assert read_token(None) == "variable"
    path = tmp_path / "token"
    path.write_text(" file\n", "ascii")
    assert read_token(path) == "file"


def test_a_token_that_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "token"
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        read_token(path)
    for body in ("", " \n", "x" * 70_000):
        path.write_text(body, "ascii")
        with pytest.raises(ConfigError, match="holds no identity token"):
            read_token(path)

    def refuse() -> None:
        raise oidc.IdentityError("no permission")

    monkeypatch.setattr(oidc, "detect_credential", refuse)
    with pytest.raises(ConfigError, match="do not give it"):
        read_token(None)


def test_a_trust_root_alone_says_not_where_to_sign(tmp_path: Path, instance: Instance):
    path = tmp_path / "root.json"
    path.write_text(json.dumps(instance.trusted_root()), "utf-8")
    with pytest.raises(EvidenceError, match="but not where to sign"):
        KeylessSigner.at(path, lambda: "token")
    with pytest.raises(EvidenceError, match="cannot be read"):
        KeylessSigner.at(tmp_path / "nowhere", lambda: "token")


def test_sigstore_dev_is_asked_where_nothing_else_is_named(
    server: Server, payload: bytes, monkeypatch: pytest.MonkeyPatch
):
    found = ClientTrustConfig.from_json(json.dumps(server.config()))
    monkeypatch.setattr(ClientTrustConfig, "production", lambda: found)
    signer = KeylessSigner.at(None, lambda: token(server.issuer, WORKFLOW))
    assert signer._root.name == "sigstore.dev"
    with pytest.raises(EvidenceError, match="does not name"):
        signer.seal(payload)  # this server is not sigstore.dev, and what it says does not count

    def refuse() -> None:
        raise OSError("unreachable")

    monkeypatch.setattr(ClientTrustConfig, "production", refuse)
    with pytest.raises(ConfigError, match=r"sigstore\.dev does not give its trust configuration: OSError"):
        KeylessSigner.at(None, lambda: "token")


def test_without_the_package_it_is_said_what_to_install(config: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("sigstore.models", "sigstore.oidc"):
        monkeypatch.setitem(sys.modules, name, None)
    for call in (lambda: KeylessSigner.at(config, lambda: "x"), lambda: read_token(None)):
        with pytest.raises(ConfigError, match="which is not installed"):
            call()


def test_a_server_that_says_nothing_is_named_by_its_kind():
    assert module._reason(ValueError(""), "secret") == "ValueError"
    assert module._reason(ValueError("secret leaks.\nmore"), "secret") == "ValueError (token) leaks"
