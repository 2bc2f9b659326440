"""`lockgate sign` and `lockgate verify` as their user sees them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights.bin").write_bytes(b"weights")
    return tmp_path / "model"


def write_key(folder: Path, name: str, *, password: bytes = b"") -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    private.chmod(0o600)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_a_folder_is_signed_verified_and_its_change_named(run: Run, model: Path, tmp_path: Path):
    private, public = write_key(tmp_path, "key")
    code, out, err = run("sign", model, "--key", private)
    assert (code, err) == (0, "")
    assert "Signed 1 files (7 bytes)" in out
    assert run("verify", model, "--key", public)[0] == 0
    assert run("verify", model, "--key", private)[0] == 0
    (model / "extra.py").touch()
    code, _, err = run("verify", model, "--key", public)
    assert code == 1
    assert "extra.py was added: no signature covers it." in err


def test_the_reasons_are_for_programs_too(run: Run, model: Path, tmp_path: Path):
    private, _ = write_key(tmp_path, "key")
    _, other = write_key(tmp_path, "other")
    made = json.loads(run("sign", model, "--key", private, "--out", tmp_path / "s.sig", "--json")[1])
    assert made["files"] == 1
    options = ("--signature", tmp_path / "s.sig", "--json")
    assert json.loads(run("verify", model, "--key", private, *options)[1])["verified"] is True
    code, out, _ = run("verify", model, "--key", other, *options)
    assert code == 1
    assert json.loads(out)["reasons"][0]["kind"] == "signature"


def test_without_a_key_this_machine_signs_and_vouches(run: Run, model: Path, tmp_path: Path):
    assert run("sign", model)[0] == 0
    assert run("verify", model)[0] == 0
    trust = tmp_path / "trust.yaml"
    trust.write_text(run("keys", "trust")[1], "utf-8")
    assert run("verify", model, "--trust", trust)[0] == 0


def test_a_key_that_may_not_sign_models_does_not_count(run: Run, model: Path, tmp_path: Path):
    for role in ("builder", "scanner", "approver"):
        run("keys", "create", role)
    run("sign", model, "--key", tmp_path / "home/keys/scanner.pem")
    trust = tmp_path / "trust.yaml"
    trust.write_text(run("keys", "trust")[1], "utf-8")
    code, _, err = run("verify", model, "--trust", trust)
    assert code == 1
    assert "another key" in err
    run("sign", model)
    assert run("verify", model, "--trust", trust)[0] == 0


def test_a_single_file_is_signed_beside_itself(run: Run, tmp_path: Path):
    prompt = tmp_path / "system.md"
    prompt.write_text("Be kind.", "utf-8")
    assert run("sign", prompt)[0] == 0
    assert (tmp_path / "system.md.sig").is_file()
    assert run("verify", prompt)[0] == 0
    prompt.write_text("Be rude.", "utf-8")
    code, _, err = run("verify", prompt)
    assert code == 1
    assert "The file was altered" in err


def test_what_is_not_signed_is_1_and_what_cannot_be_told_is_2(run: Run, model: Path, tmp_path: Path):
    private, public = write_key(tmp_path, "key")
    code, _, err = run("verify", model, "--key", public)
    assert code == 1
    assert "not signed" in err
    assert run("verify", model, "--key", public, "--signature", tmp_path / "nowhere")[0] == 2
    assert run("verify", tmp_path / "nowhere", "--key", public)[0] == 2
    assert run("verify", model, "--key", tmp_path / "nowhere")[0] == 2
    assert run("verify", model, "--key", public, "--trust", public)[0] == 2
    assert run("sign", tmp_path / "nowhere", "--key", private)[0] == 2
    assert run("sign", model, "--key", public)[0] == 2


def test_an_encrypted_key_takes_its_password_from_the_environment(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    private, public = write_key(tmp_path, "key", password=b"open sesame")
    code, _, err = run("sign", model, "--key", private)
    assert code == 2
    assert "LOCKGATE_KEY_PASSWORD" in err
    monkeypatch.setenv("LOCKGATE_KEY_PASSWORD", "open sesame")
    assert run("sign", model, "--key", private)[0] == 0
    assert run("verify", model, "--key", public)[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_key_that_others_can_read_is_said(run: Run, model: Path, tmp_path: Path):
    private, _ = write_key(tmp_path, "key")
    private.chmod(0o644)
    assert "open to other users" in run("sign", model, "--key", private)[2]


def test_a_damaged_signature_is_not_verified(run: Run, model: Path, tmp_path: Path):
    private, public = write_key(tmp_path, "key")
    run("sign", model, "--key", private)
    (model / "model.sig").write_bytes(b"{}")
    code, _, err = run("verify", model, "--key", public)
    assert code == 1
    assert "NOT VERIFIED" in err
