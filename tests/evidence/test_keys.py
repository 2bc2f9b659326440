"""Keys appear once, stay private, and only the right kinds are accepted."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lockgate.core import sha256_hex
from lockgate.evidence import EvidenceError, Role, VerifyKey, create_key, key_for, list_keys
from lockgate.evidence.keys import machine_keys


def public_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_the_first_key_is_created_private_and_used_for_every_role(home: Path) -> None:
    key = key_for(Role.SCANNER)
    path = home / "keys" / "local.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["local.pem"]
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert {key_for(role).keyid for role in Role} == {key.keyid}


def test_a_role_key_is_used_where_it_was_created(home: Path) -> None:
    local = key_for(Role.LOCAL)
    info = create_key(Role.BUILDER)
    assert key_for(Role.BUILDER).keyid == info.keyid != local.keyid
    assert key_for(Role.SCANNER).keyid == local.keyid
    assert info.path == home / "keys" / "builder.pem"
    assert info.created.endswith("+00:00")
    assert [(item.role, item.keyid) for item in list_keys()] == [
        (Role.LOCAL, local.keyid),
        (Role.BUILDER, info.keyid),
    ]
    assert [item.keyid for item in machine_keys()] == [local.keyid, info.keyid]


def test_an_existing_key_is_never_replaced() -> None:
    before = create_key(Role.APPROVER)
    with pytest.raises(EvidenceError, match="exists already"):
        create_key(Role.APPROVER)
    assert list_keys() == (before,)


def test_processes_that_start_at_once_agree_on_one_key(home: Path) -> None:
    program = "from lockgate.evidence.keys import Role, key_for; print(key_for(Role.LOCAL).keyid)"
    started = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {process.communicate(timeout=60)[0].strip() for process in started}
    assert told == {key_for(Role.LOCAL).keyid}
    assert [entry.name for entry in (home / "keys").iterdir()] == ["local.pem"]


def test_the_key_id_is_the_digest_of_the_public_half() -> None:
    key = key_for(Role.LOCAL)
    der = key.public.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key.keyid == sha256_hex(der)
    assert VerifyKey.from_pem(key.public_pem).keyid == key.keyid


def test_a_key_never_shows_itself(home: Path) -> None:
    key = key_for(Role.LOCAL)
    secret = "".join((home / "keys" / "local.pem").read_text().splitlines()[1:-1])
    shown = repr(key) + str(key) + repr(list_keys())
    assert repr(key) == f"SigningKey({key.keyid})"
    assert secret not in shown


def test_a_signature_is_verified_by_the_public_half_only() -> None:
    key, other = key_for(Role.LOCAL), create_key(Role.BUILDER)
    signature = key.sign(b"payload")
    assert key.public.verify(signature, b"payload")
    assert not key.public.verify(signature, b"other")
    assert not VerifyKey.from_pem(other.public).verify(signature, b"payload")
    assert not key.public.verify(b"", b"payload")


def test_ed25519_signatures_are_verified() -> None:
    private = Ed25519PrivateKey.generate()
    key = VerifyKey.from_pem(public_pem(private))
    assert key.verify(private.sign(b"payload"), b"payload")
    assert not key.verify(private.sign(b"payload"), b"other")


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        ("nonsense", "not valid PEM"),
        (public_pem(ec.generate_private_key(ec.SECP384R1())), "neither"),
        (public_pem(rsa.generate_private_key(65_537, 2_048)), "neither"),
    ],
)
def test_other_public_keys_are_refused(pem: str, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        VerifyKey.from_pem(pem)


def test_a_key_that_others_can_read_is_refused(home: Path) -> None:
    key_for(Role.LOCAL)
    (home / "keys" / "local.pem").chmod(0o640)
    with pytest.raises(EvidenceError, match="chmod 600"):
        key_for(Role.LOCAL)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_refused(home: Path, content: bytes) -> None:
    key_for(Role.LOCAL)
    (home / "keys" / "local.pem").write_bytes(content)
    with pytest.raises(EvidenceError, match="damaged"):
        key_for(Role.LOCAL)


def test_an_encrypted_or_foreign_key_is_refused(home: Path) -> None:
    key_for(Role.LOCAL)
    path = home / "keys" / "local.pem"
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    path.write_bytes(locked)
    with pytest.raises(EvidenceError, match="damaged or encrypted"):
        key_for(Role.LOCAL)
    foreign = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(foreign)
    with pytest.raises(EvidenceError, match=r"P-256"):
        list_keys()


def test_a_key_that_is_no_plain_file_is_refused(home: Path, tmp_path: Path) -> None:
    key_for(Role.LOCAL)
    path = home / "keys" / "local.pem"
    path.rename(tmp_path / "elsewhere.pem")
    path.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(EvidenceError, match="cannot be read"):
        key_for(Role.LOCAL)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(EvidenceError, match="not a regular file"):
        key_for(Role.LOCAL)


def test_a_home_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "file"))
    with pytest.raises(EvidenceError, match="LOCKGATE_HOME"):
        key_for(Role.LOCAL)
