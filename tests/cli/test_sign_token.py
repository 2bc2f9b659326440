"""`--key pkcs11:...` against a real SoftHSM: the key stays on the token, the signature is everybody's to verify."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11.util.ec import encode_named_curve_parameters

from lockgate.core.errors import ConfigError
from lockgate.evidence import EvidenceError
from lockgate.evidence.signing.pkcs11 import TokenKey, _public

Run = Callable[..., tuple[int, str, str]]
PIN = "2468-pin"
PLACES = (
    "/usr/lib/softhsm",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib/aarch64-linux-gnu/softhsm",
    "/opt/homebrew/lib/softhsm",
)
NAME = "pkcs11:token=ci%20token;object=release"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token with a P-256 key `release`, a P-384 key `wide` and a private key `alone`; gives the library's path."""
    program = shutil.which("softhsm2-util")
    assert program, "These tests need SoftHSM (Debian package softhsm2)."
    library = next(str(file) for place in PLACES if (file := Path(place, "libsofthsm2.so")).is_file())
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n", "ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = (program, "--init-token", "--free", "--label", "ci token", "--pin", PIN, "--so-pin", "97531")
        subprocess.run(command, check=True, capture_output=True)
        with pkcs11.lib(library).get_token(token_label="ci token").open(rw=True, user_pin=PIN) as session:
            for label, curve in (("release", "secp256r1"), ("wide", "secp384r1"), ("alone", "secp256r1")):
                attributes = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
                domain = session.create_domain_parameters(pkcs11.KeyType.EC, attributes, local=True)
                public, _ = domain.generate_keypair(store=True, label=label, id=label[:2].encode())
                if label == "alone":
                    public.destroy()
        yield library
        pkcs11.unload(library)


@pytest.fixture
def hsm(token: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOCKGATE_PKCS11_MODULE", token)
    monkeypatch.setenv("LOCKGATE_PKCS11_PIN", PIN)
    return token


@pytest.mark.parametrize("name", [NAME, "pkcs11:token=ci%20token;id=%72%65", NAME + ";type=private"])
def test_a_folder_is_signed_by_a_token_and_verified_without_it(
    hsm: str, run: Run, model: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    code, out, err = run("sign", model, "--key", name)
    assert (code, err) == (0, "")
    assert "Signed 200 files" in out
    assert run("verify", model, "--key", name)[0] == 0
    public = model.parent / "key.pub"
    public.write_text(run("keys", "public", name)[1], "ascii")
    monkeypatch.delenv("LOCKGATE_PKCS11_MODULE")
    monkeypatch.delenv("LOCKGATE_PKCS11_PIN")
    assert run("verify", model, "--key", public)[0] == 0
    (model / "shard-7.bin").write_bytes(b"other")
    code, _, err = run("verify", model, "--key", public)
    assert code == 1
    assert "shard-7.bin was altered" in err


def test_the_reference_tool_verifies_what_a_token_signed(hsm: str, run: Run, model: Path, tmp_path: Path):
    assert run("sign", model, "--key", NAME)[0] == 0
    (tmp_path / "key.pub").write_text(run("keys", "public", NAME)[1], "ascii")
    command = (sys.executable, "-m", "model_signing", "verify", "key", str(model))
    command += ("--public_key", str(tmp_path / "key.pub"), "--signature", str(model / "model.sig"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_name_may_bring_the_library_and_the_file_with_the_pin(
    hsm: str, run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LOCKGATE_PKCS11_MODULE")
    monkeypatch.delenv("LOCKGATE_PKCS11_PIN")
    (tmp_path / "pin").write_text(PIN + "\n", "ascii")
    name = f"{NAME}?module-path={hsm}&pin-source=file:{tmp_path / 'pin'}"
    assert run("sign", model, "--key", name)[0] == 0
    code, _, err = run("sign", model, "--key", f"{NAME}?module-path={hsm}&pin-source={tmp_path / 'none'}")
    assert code == 2
    assert "pin-source names cannot be read" in err


def test_an_approval_may_be_signed_by_a_token(hsm: str, run: Run, tmp_path: Path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lockgate.yaml").write_text("version: 1\nproject: tested\n", "utf-8")
    code, out, _ = run("approve", tmp_path / "project", "--key", NAME)
    assert code == 0
    assert "Approved 1 files" in out


def test_a_wrong_pin_a_missing_token_and_a_missing_key_sign_nothing(
    hsm: str, run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, said in (
        ("pkcs11:token=other;object=release", "no such token"),
        ("pkcs11:token=ci%20token;object=other", "no such key"),
        ("pkcs11:serial=0000;object=release", "no such token"),
        ("pkcs11:token=ci%20token;object=alone", "no such key"),
    ):
        code, _, err = run("sign", model, "--key", name)
        assert (code, said in err) == (2, True), err
    monkeypatch.setenv("LOCKGATE_PKCS11_PIN", "wrong-one")
    code, _, err = run("sign", model, "--key", NAME)
    assert code == 2
    assert "pin incorrect" in err
    assert "wrong-one" not in err
    assert not (model / "model.sig").exists()


def test_a_key_of_another_curve_is_refused_by_name(hsm: str, run: Run, model: Path):
    code, _, err = run("sign", model, "--key", "pkcs11:token=ci%20token;object=wide")
    assert code == 2
    assert "is no ECDSA P-256 key" in err
    with pytest.raises(EvidenceError, match="is no ECDSA P-256 key"):
        _public(NAME, b"\x30\x00")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "token=a",
        "object=b",
        "token=a;object=b?pin-value=1234",
        "token=a;token=b;object=c",
        "token=a;object=",
        "TOKEN=a;object=b",
        "token=a;object=b\n",
    ],
)
def test_a_name_that_is_none_says_how_to_write_one(hsm: str, run: Run, model: Path, name: str):
    code, _, err = run("sign", model, "--key", f"pkcs11:{name}")
    assert code == 2
    assert "pkcs11:token=NAME;object=LABEL" in err
    assert "1234" not in err


def test_without_a_library_or_the_extra_it_says_what_to_do(hsm: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOCKGATE_PKCS11_MODULE", "/nowhere/library.so")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        TokenKey.named(NAME)
    monkeypatch.delenv("LOCKGATE_PKCS11_MODULE")
    with pytest.raises(ConfigError, match="No library is named"):
        TokenKey.named(NAME)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(ConfigError, match="python-pkcs11, which is not installed"):
        TokenKey.named(NAME)


def test_a_token_that_answers_with_another_signature_is_not_believed(hsm: str, monkeypatch: pytest.MonkeyPatch):
    key = TokenKey.named(NAME)
    place: Any = key._place
    key._place = place._replace(key={"label": "alone"})
    with pytest.raises(EvidenceError, match="not that key's"):
        key.sign(b"payload")
    key._place = place._replace(key={"label": "gone"})
    with pytest.raises(EvidenceError, match="did not sign: no such key"):
        key.sign(b"payload")
