"""Both ways with the reference tool, model-signing, as its users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from lockgate.evidence.signing import read_signing_key, read_verify_key, sign_path, verify_path

TOOL = (sys.executable, "-m", "model_signing")
SHARDED = """
import sys
from model_signing import hashing, signing
hashed = hashing.Config().use_shard_serialization(shard_size=4).set_ignored_paths(paths=["model.sig"])
signing.Config().use_elliptic_key_signer(private_key=sys.argv[2]).set_hashing_config(hashed).sign(
    sys.argv[1], sys.argv[1] + "/model.sig"
)
"""
VERIFY = """
import pathlib, sys
from model_signing import verifying
verifying.Config().use_elliptic_key_verifier(public_key=sys.argv[2]).verify(pathlib.Path(sys.argv[1]), sys.argv[3])
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(item) for item in arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "key.pem", folder / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, body in {
        "weights/a.safetensors": b"weights " * 100,
        "weights/b.safetensors": b"other",
        "config.json": b"{}",
        ".gitattributes": b"*.bin lfs",
        ".git/hooks/pre-commit": b"#!/bin/sh",
        "naïve ünïcode.txt": "é".encode(),
        "empty": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


def sign(model: Path, keys: tuple[Path, Path], **options: int) -> Path:
    place = model / "model.sig"
    bundle, _ = sign_path(model, read_signing_key(keys[0]), signature=place, **options)
    place.write_bytes(bundle)
    return place


def test_the_reference_tool_verifies_what_we_sign(model: Path, keys: tuple[Path, Path]):
    place = sign(model, keys)
    command = (*TOOL, "verify", "key", model, "--public_key", keys[1], "--signature", place)
    assert run(*command).returncode == 0, run(*command).stderr
    (model / "config.json").write_bytes(b"[]")
    assert run(*command).returncode != 0


def test_we_verify_what_the_reference_tool_signs(model: Path, keys: tuple[Path, Path]):
    place = model / "model.sig"
    made = run(*TOOL, "sign", "key", model, "--private_key", keys[0], "--signature", place)
    assert made.returncode == 0, made.stderr
    ignore = (".git", ".gitattributes")
    found = verify_path(model, place.read_bytes(), [read_verify_key(keys[1])], signature=place, ignore=ignore)
    assert found.differences == ()
    assert found.files == 5
    # The reference tool leaves git paths out of the signature, so that nobody vouches for them.
    found = verify_path(model, place.read_bytes(), [read_verify_key(keys[1])], signature=place)
    assert {item.path for item in found.differences} == {".git/hooks/pre-commit", ".gitattributes"}


def test_single_files_work_both_ways(tmp_path: Path, keys: tuple[Path, Path]):
    file, ours, theirs = tmp_path / "model.gguf", tmp_path / "ours.sig", tmp_path / "theirs.sig"
    file.write_bytes(b"GGUF")
    ours.write_bytes(sign_path(file, read_signing_key(keys[0]), signature=ours)[0])
    assert run(*TOOL, "verify", "key", file, "--public_key", keys[1], "--signature", ours).returncode == 0
    assert run(*TOOL, "sign", "key", file, "--private_key", keys[0], "--signature", theirs).returncode == 0
    assert verify_path(file, theirs.read_bytes(), [read_verify_key(keys[1])], signature=theirs).ok
    file.write_bytes(b"gguf")
    assert not verify_path(file, theirs.read_bytes(), [read_verify_key(keys[1])], signature=theirs).ok


def test_shards_work_both_ways(model: Path, keys: tuple[Path, Path]):
    (model / "empty").unlink()
    place = sign(model, keys, shard_size=4)
    made = run(sys.executable, "-c", VERIFY, model, keys[1], place)
    assert made.returncode == 0, made.stderr
    assert verify_path(model, place.read_bytes(), [read_verify_key(keys[1])], signature=place).ok
    made = run(sys.executable, "-c", SHARDED, model, keys[0])
    assert made.returncode == 0, made.stderr
    ignore = (".git", ".gitattributes")
    assert verify_path(model, place.read_bytes(), [read_verify_key(keys[1])], signature=place, ignore=ignore).ok
    (model / "config.json").write_bytes(b"{} ")
    found = verify_path(model, place.read_bytes(), [read_verify_key(keys[1])], signature=place, ignore=ignore)
    assert {item.path for item in found.differences} == {"config.json"}


def test_a_bundle_has_exactly_the_fields_of_the_reference_tool(model: Path, keys: tuple[Path, Path]):
    ours, theirs = sign(model, keys), model / "their.sig"
    run(*TOOL, "sign", "key", model, "--private_key", keys[0], "--signature", theirs)

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {name: shape(inner) for name, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__

    assert shape(json.loads(ours.read_bytes())) == shape(json.loads(theirs.read_bytes()))


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_signatures_by_larger_keys_of_the_tool_verify(model: Path, tmp_path: Path, curve: ec.EllipticCurve):
    key = ec.generate_private_key(curve)
    private, public, signature = tmp_path / "key.pem", tmp_path / "key.pub", tmp_path / "model.sig"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    signed = run(*TOOL, "sign", "key", model, "--private_key", private, "--signature", signature)
    assert signed.returncode == 0, signed.stderr
    trusted, accepted = [read_verify_key(public)], (".git", ".gitattributes")
    assert verify_path(model, signature.read_bytes(), trusted, signature=signature, ignore=accepted).ok
    (model / "config.json").write_bytes(b"{ }")
    assert not verify_path(model, signature.read_bytes(), trusted, signature=signature, ignore=accepted).ok
