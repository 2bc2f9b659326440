"""`--key awskms:...` against moto's server: the key stays in KMS, the signature is everybody's to verify."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto.kms.utils import ECDSAPrivateKey

from lockgate.evidence import EvidenceError
from lockgate.evidence.signing.kms import KmsKey, _public

Run = Callable[..., tuple[int, str, str]]
KIND = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}


@pytest.fixture
def aws(at_aws: None) -> Any:
    return boto3.client("kms")


@pytest.fixture
def kms(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    # moto takes a message of type DIGEST for the message itself and hashes it again; the service signs the digest.
    def sign(self: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
        assert signing_algorithm == "ECDSA_SHA_256"
        return self.private_key.sign(message, ec.ECDSA(Prehashed(SHA256())))

    monkeypatch.setattr(ECDSAPrivateKey, "sign", sign)
    return aws


def create(kms: Any, alias: str = "", **kind: str) -> dict[str, str]:
    made = kms.create_key(**(kind or KIND))["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return made


@pytest.mark.parametrize("form", ["alias", "id", "arn"])
def test_a_folder_is_signed_by_kms_and_verified_without_it(
    kms: Any, run: Run, model: Path, monkeypatch: pytest.MonkeyPatch, form: str
):
    public = model.parent / "key.pub"
    made = create(kms, f"alias/release/{form}")
    name = {"alias": f"alias/release/{form}", "id": made["KeyId"], "arn": made["Arn"]}[form]
    code, out, err = run("sign", model, "--key", f"awskms:{name}")
    assert (code, err) == (0, "")
    assert "Signed 200 files" in out
    assert run("verify", model, "--key", f"awskms:{name}")[0] == 0
    public.write_text(run("keys", "public", f"awskms:{name}")[1], "ascii")
    for variable in [item for item in os.environ if item.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    assert run("verify", model, "--key", public)[0] == 0
    (model / "shard-7.bin").write_bytes(b"other")
    code, _, err = run("verify", model, "--key", public)
    assert code == 1
    assert "shard-7.bin was altered" in err


def test_the_reference_tool_verifies_what_kms_signed(kms: Any, run: Run, model: Path, tmp_path: Path):
    create(kms, "alias/interoperable")
    assert run("sign", model, "--key", "awskms:alias/interoperable")[0] == 0
    (tmp_path / "key.pub").write_text(run("keys", "public", "awskms:alias/interoperable")[1], "ascii")
    command = (sys.executable, "-m", "model_signing", "verify", "key", str(model))
    command += ("--public_key", str(tmp_path / "key.pub"), "--signature", str(model / "model.sig"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (model / "shard-7.bin").write_bytes(b"other")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_an_arn_brings_its_region(kms: Any, run: Run, model: Path, monkeypatch: pytest.MonkeyPatch):
    arn = create(kms)["Arn"]
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    code, _, err = run("sign", model, "--key", f"awskms:{arn.rpartition('/')[2]}")
    assert code == 2
    assert "NotFoundException" in err
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert run("sign", model, "--key", f"awskms:{arn}")[0] == 0


def test_an_approval_may_be_signed_by_kms(kms: Any, run: Run, tmp_path: Path):
    create(kms, "alias/approver")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lockgate.yaml").write_text("version: 1\nproject: tested\n", "utf-8")
    code, out, _ = run("approve", tmp_path / "project", "--key", "awskms:alias/approver")
    assert code == 0
    assert "Approved 1 files" in out


@pytest.mark.parametrize(
    "kind",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ECC_NIST_P384", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
        {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"},
    ],
)
def test_a_key_of_another_kind_is_refused_by_name(kms: Any, run: Run, model: Path, kind: dict[str, str]):
    name = f"awskms:{create(kms, **kind)['KeyId']}"
    code, _, err = run("sign", model, "--key", name)
    assert code == 2
    assert f"no ECDSA P-256 signing key, but {kind['KeySpec']} for {kind['KeyUsage']}" in err
    assert "ECC_NIST_P256" in err
    assert not (model / "model.sig").exists()


@pytest.mark.parametrize("body", [b"", b"\x30\x00", b"-----BEGIN PUBLIC KEY-----"])
def test_an_answer_that_is_no_key_is_refused(body: bytes):
    with pytest.raises(EvidenceError, match="is no ECDSA P-256 signing key, but unknown for SIGN_VERIFY"):
        _public("awskms:alias/odd", {"PublicKey": body, "KeyUsage": "SIGN_VERIFY"})


@pytest.mark.parametrize("name", ["", "release", "alias/", "alias/a b", "arn:aws:s3:::bucket", "///alias/a", "../key"])
def test_a_name_that_is_none_says_how_to_write_one(kms: Any, run: Run, model: Path, name: str):
    code, _, err = run("sign", model, "--key", f"awskms:{name}")
    assert code == 2
    assert "awskms:alias/NAME" in err


def test_a_key_that_is_gone_signs_nothing(kms: Any, server: str, run: Run, model: Path):
    create(kms, "alias/gone")
    key = KmsKey.named("awskms:alias/gone")
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST")).close()
    with pytest.raises(EvidenceError, match="awskms:alias/gone did not sign: NotFoundException"):
        key.sign(b"payload")
    code, _, err = run("sign", model, "--key", "awskms:alias/gone")
    assert code == 2
    assert "awskms:alias/gone cannot be used: NotFoundException" in err
    assert not (model / "model.sig").exists()


def test_a_signature_that_is_not_the_keys_is_refused(aws: Any, run: Run, model: Path):
    # As it comes, moto signs the digest of the digest.
    create(aws, "alias/wrong")
    code, _, err = run("sign", model, "--key", "awskms:alias/wrong")
    assert code == 2
    assert "a signature that is not that key's" in err
    assert not (model / "model.sig").exists()


def test_without_credentials_region_or_extra_the_message_says_so(
    kms: Any, run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
):
    create(kms, "alias/unreachable")
    command = ("sign", model, "--key", "awskms:alias/unreachable", "--json")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    code, out, err = run(*command)
    assert code == 2
    assert "NoCredentialsError" in out + err
    assert "AWS_*" in json.dumps(out + err)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    code, out, err = run(*command)
    assert code == 2
    assert "NoRegionError" in out + err
    monkeypatch.setitem(sys.modules, "boto3", None)
    code, out, err = run(*command)
    assert code == 2
    assert "lockgate[kms]" in out + err
