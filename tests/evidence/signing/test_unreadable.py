"""What cannot be hashed or read is named, and is never a pass."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.core import CoreError
from lockgate.evidence import EvidenceError, SigningKey
from lockgate.evidence.signing import hash_path, hashing, read_bundle, read_signing_key, read_verify_key, sign_path
from lockgate.evidence.signing.bundle import MAX_BUNDLE
from lockgate.evidence.signing.key_file import MAX_KEY_BYTES
from lockgate.evidence.signing.statement import Resource, _by_name, decode_manifest

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights.bin").write_bytes(b"weights")
    return tmp_path / "model"


def test_a_name_that_cannot_be_written_down_is_named_in_ascii(folder: Path):
    (folder / "a\nb").write_bytes(b"x")
    found = hash_path(folder)
    assert list(found.unreadable) == ["'a\\nb'"]
    with pytest.raises(EvidenceError, match="cannot be written down"):
        sign_path(folder, KEY, signature=folder / "model.sig")


def test_a_colon_and_an_empty_file_have_no_shards(folder: Path):
    (folder / "a:b").write_bytes(b"x")
    (folder / "empty").write_bytes(b"")
    found = hash_path(folder, shard_size=4)
    assert sorted(found.digests) == ["weights.bin:0:4", "weights.bin:4:7"]
    assert "colon" in found.unreadable["a:b"]
    assert "is empty" in found.unreadable["empty"]


def test_a_file_that_vanishes_between_listing_and_hashing_is_unreadable(folder: Path):
    unreadable: dict[str, str] = {}
    assert list(hashing._pieces(folder, "gone", unreadable, 0, "")) == []
    assert "cannot be read" in unreadable["gone"]


def test_an_error_while_reading_is_a_reason(folder: Path):
    result = hashing._hash(folder, "blake2b", hashing.Piece("weights.bin", -1, 3, 4, "weights.bin"))
    assert isinstance(result, CoreError)
    assert "cannot be read" in str(result)
    assert len(hash_path(folder, algorithm="blake2b").digests["weights.bin"]) == 128


def test_a_folder_that_cannot_be_listed_is_unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "closed").mkdir()
    listed = os.scandir

    def scandir(path: str) -> "Iterator[os.DirEntry[str]]":
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    # The tests may run as a user to whom no folder is closed.
    monkeypatch.setattr(os, "scandir", scandir)
    assert hash_path(folder).unreadable == {"closed": "closed cannot be listed: permission denied."}


def test_more_files_than_a_signature_may_list_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "second").write_bytes(b"")
    monkeypatch.setattr(hashing, "MAX_FILES", 1)
    with pytest.raises(EvidenceError, match="more than 1 files"):
        hash_path(folder)


def test_a_huge_signature_file_is_not_parsed():
    with pytest.raises(EvidenceError, match="larger than"):
        read_bundle(b" " * (MAX_BUNDLE + 1))


def test_a_key_of_another_kind_and_a_huge_one_are_refused(tmp_path: Path):
    path = tmp_path / "key.pem"
    other = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(EvidenceError, match="no ECDSA P-256 key"):
        read_signing_key(path)
    path.write_bytes(b"-----BEGIN CERTIFICATE-----")
    with pytest.raises(EvidenceError, match=r"key\.pem is no public key"):
        read_verify_key(path)
    path.write_bytes(b"x" * (MAX_KEY_BYTES + 1))
    with pytest.raises(EvidenceError, match="too large"):
        read_verify_key(path)


def test_a_list_that_says_a_thing_twice_or_in_two_algorithms_is_refused():
    one = Resource(name="a", digest="00", algorithm="sha256")
    with pytest.raises(EvidenceError, match="twice"):
        _by_name((one, one), "sha256")
    with pytest.raises(EvidenceError, match="mixes"):
        _by_name((one,), "blake2b")


def test_a_statement_with_a_key_twice_or_no_number_is_refused():
    for body in (b'{"_type": 1, "_type": 2}', b'{"_type": NaN}'):
        with pytest.raises(EvidenceError):
            decode_manifest(body)
