"""What a verifier must see, and a bundle or a file in which any one bit differs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.evidence import EvidenceError, SigningKey
from lockgate.evidence.dsse import pae
from lockgate.evidence.keys import VerifyKey
from lockgate.evidence.signing import Kind, Verification, read_bundle, sign_path, verify_path
from lockgate.evidence.signing.statement import decode_manifest

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
OTHER = SigningKey(ec.generate_private_key(ec.SECP256R1()))
FILES = {"a/weights.bin": b"weights", "a/b/config.json": b"{}", "prompt.txt": b"Be kind.", ".gitignore": b"*.pyc"}

Verify = Callable[..., Verification]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, body in FILES.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(body)
    return tmp_path / "model"


@pytest.fixture
def signature(folder: Path) -> Path:
    place = folder / "model.sig"
    place.write_bytes(sign_path(folder, KEY, signature=place)[0])
    return place


@pytest.fixture
def verify(folder: Path, signature: Path) -> Verify:
    def call(*keys: VerifyKey, **options: object) -> Verification:
        return verify_path(folder, signature.read_bytes(), keys or (KEY.public,), signature=signature, **options)

    return call


def kinds(found: Verification) -> list[tuple[str, Kind]]:
    return [(item.path, item.kind) for item in found.differences]


def test_what_was_signed_verifies_and_says_who_signed(verify: Verify):
    found = verify(OTHER.public, KEY.public)
    assert found.ok
    assert (found.who.keyid, found.name, found.files) == (KEY.keyid, "model", 4)


def test_another_key_is_named_as_the_reason(verify: Verify):
    [difference] = verify(OTHER.public).differences
    assert difference.kind is Kind.SIGNATURE
    assert "another key" in difference.message


def test_an_altered_file(verify: Verify, folder: Path):
    (folder / "a/weights.bin").write_bytes(b"Weights")
    assert kinds(verify()) == [("a/weights.bin", Kind.ALTERED)]


def test_a_removed_file(verify: Verify, folder: Path):
    (folder / "prompt.txt").unlink()
    assert kinds(verify()) == [("prompt.txt", Kind.REMOVED)]


@pytest.mark.parametrize(
    "name", ["new.py", "a/b/__init__.py", ".git/hooks/post-checkout", ".github/x", ".gitattributes", ".gitmodules"]
)
def test_a_file_that_appears_after_signing_is_found_wherever_it_is(verify: Verify, folder: Path, name: str):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"")
    assert kinds(verify()) == [(name, Kind.ADDED)]


def test_a_renamed_file_is_one_difference(verify: Verify, folder: Path):
    (folder / "prompt.txt").rename(folder / "system.txt")
    [difference] = verify().differences
    assert difference.kind is Kind.RENAMED
    assert difference.message == "prompt.txt was renamed to system.txt."


def test_two_swapped_files_are_named_together(verify: Verify, folder: Path):
    (folder / "a/weights.bin").write_bytes(FILES["prompt.txt"])
    (folder / "prompt.txt").write_bytes(FILES["a/weights.bin"])
    assert kinds(verify()) == [("a/weights.bin", Kind.SWAPPED), ("prompt.txt", Kind.SWAPPED)]


def test_a_link_is_never_followed(verify: Verify, folder: Path):
    (folder / "prompt.txt").rename(folder.parent / "prompt.txt")
    (folder / "prompt.txt").symlink_to(folder.parent / "prompt.txt")
    (folder / "loop").symlink_to(folder)
    assert kinds(verify()) == [("loop", Kind.UNREADABLE), ("prompt.txt", Kind.UNREADABLE)]
    with pytest.raises(EvidenceError, match="link"):
        sign_path(folder, KEY, signature=folder / "model.sig")


def test_what_the_signer_left_out_is_said(folder: Path):
    place = folder / "model.sig"
    (folder / "cache").mkdir()
    (folder / "cache/x").write_bytes(b"x")
    body = sign_path(folder, KEY, signature=place, ignore=("cache/",))[0]
    (folder / "cache/y").write_bytes(b"y")
    found = verify_path(folder, body, [KEY.public], signature=place)
    assert found.ok
    assert found.ignored == ("cache",)


def test_what_the_caller_accepts_is_said(verify: Verify, folder: Path):
    (folder / "notes").mkdir()
    (folder / "notes/n.md").write_bytes(b"n")
    assert not verify().ok
    assert verify(ignore=("notes",)).ignored == ("notes",)


def test_a_second_signature_file_in_the_folder_is_not_covered(verify: Verify, folder: Path):
    (folder / "model.sig.old").write_bytes(b"{}")
    assert kinds(verify()) == [("model.sig.old", Kind.ADDED)]


def test_shards_speak_for_no_empty_file(folder: Path):
    (folder / "empty").touch()
    with pytest.raises(EvidenceError, match="empty"):
        sign_path(folder, KEY, signature=folder / "model.sig", shard_size=4)


def test_a_file_that_grew_behind_its_last_shard_is_found(folder: Path):
    place = folder / "model.sig"
    body = sign_path(folder, KEY, signature=place, shard_size=4)[0]
    assert verify_path(folder, body, [KEY.public], signature=place).ok
    with (folder / "a/weights.bin").open("ab") as stream:
        stream.write(b"!")
    found = verify_path(folder, body, [KEY.public], signature=place)
    assert {item.path for item in found.differences} == {"a/weights.bin"}


def test_nothing_is_not_signed(tmp_path: Path):
    with pytest.raises(EvidenceError, match="no file"):
        sign_path(tmp_path, KEY, signature=tmp_path / "model.sig")
    with pytest.raises(EvidenceError, match="not there"):
        sign_path(tmp_path / "nowhere", KEY, signature=tmp_path / "model.sig")


def test_the_signature_does_not_replace_the_file_that_it_signs(tmp_path: Path):
    (tmp_path / "f").write_bytes(b"f")
    with pytest.raises(EvidenceError, match="replace"):
        sign_path(tmp_path / "f", KEY, signature=tmp_path / "f")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda wire: wire.update(mediaType="application/vnd.dev.sigstore.bundle.v0.2+json"), "v0.3"),
        (
            lambda wire: wire.update(verificationMaterial={"certificate": {"rawBytes": ""}, "tlogEntries": []}),
            "no entry of a transparency log",
        ),
        (
            lambda wire: wire.update(verificationMaterial={"x509CertificateChain": {"certificates": []}}),
            "no bundle that Lockgate reads",
        ),
        (
            lambda wire: wire["verificationMaterial"].update(x509CertificateChain={"certificates": [{"rawBytes": ""}]}),
            "in one way who signed",
        ),
        (lambda wire: wire.update(verificationMaterial={"tlogEntries": []}), "in one way who signed"),
        (lambda wire: wire["verificationMaterial"].update(tlogEntries=[{}]), "no bundle that Lockgate reads"),
        (
            lambda wire: wire["verificationMaterial"].update(timestampVerificationData={}),
            "belong to a certificate of Sigstore",
        ),
        (lambda wire: wire["dsseEnvelope"].update(payloadType="text/plain"), "in-toto"),
        (lambda wire: wire["dsseEnvelope"].update(signatures=[]), "no bundle that Lockgate reads"),
        (lambda wire: wire["dsseEnvelope"]["signatures"][0].update(keyid="x"), "key id"),
    ],
)
def test_other_bundles_are_refused_by_name(signature: Path, change: Callable[[dict], object], reason: str):
    wire = json.loads(signature.read_bytes())
    change(wire)
    with pytest.raises(EvidenceError, match=reason):
        read_bundle(json.dumps(wire).encode())


def test_a_field_that_is_given_twice_is_refused(signature: Path):
    body = signature.read_bytes().replace(b'"keyid":""', b'"keyid":"","keyid":""')
    with pytest.raises(EvidenceError, match="twice"):
        read_bundle(body)


@pytest.mark.parametrize(
    ("plain", "other"),
    [(b'"keyid"', b'"key\\u0069d"'), (b'{"mediaType"', b'{\t"mediaType"'), (b'"keyid":', b'"keyid" :\r')],
)
def test_a_bundle_of_a_key_is_written_in_one_way(signature: Path, plain: bytes, other: bytes):
    body = signature.read_bytes()
    assert plain in body
    with pytest.raises(EvidenceError, match="not plain JSON text"):
        read_bundle(body.replace(plain, other))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(predicateType="https://model_signing/Digests/v0.1"),
        lambda found: found["subject"][0]["digest"].update(sha256="0" * 64),
        lambda found: found["predicate"]["resources"].append(found["predicate"]["resources"][0]),
        lambda found: found["predicate"]["resources"][0].update(algorithm="md5"),
        lambda found: found["predicate"]["resources"][0].update(digest="short"),
        lambda found: found["predicate"]["serialization"].update(hash_type="blake3"),
        lambda found: found["predicate"]["serialization"].update(shard_size=4),
        lambda found: found["predicate"]["serialization"].update(method="shards"),
        lambda found: found.update(subject=[]),
    ],
)
def test_a_signed_statement_that_makes_no_sense_is_no_pass(
    folder: Path, signature: Path, change: Callable[[dict], object]
):
    found = json.loads(read_bundle(signature.read_bytes()).payload)
    change(found)
    with pytest.raises(EvidenceError):
        decode_manifest(json.dumps(found).encode())


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_one_bit_of_the_bundle_matters(verify: Verify, signature: Path, data: st.DataObject):
    body = signature.read_bytes()
    place = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[place // 8] ^= 1 << place % 8
    try:
        signature.write_bytes(bytes(changed))
        assert not verify().ok
    finally:
        signature.write_bytes(body)


def test_every_bit_outside_the_signed_payload_matters(verify: Verify, signature: Path):
    body = signature.read_bytes()
    start = body.index(b'"payload":"') + 11
    end = body.index(b'"', start)
    outside = [index for index in range(len(body)) if not start <= index < end]
    for index in outside:
        for bit in range(8):
            changed = bytearray(body)
            changed[index] ^= 1 << bit
            signature.write_bytes(bytes(changed))
            assert not verify().ok, (index, bit)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_one_bit_of_a_file_matters(verify: Verify, folder: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(FILES)))
    place = data.draw(st.integers(0, len(FILES[name]) * 8 - 1))
    changed = bytearray(FILES[name])
    changed[place // 8] ^= 1 << place % 8
    try:
        (folder / name).write_bytes(bytes(changed))
        assert kinds(verify()) == [(name, Kind.ALTERED)]
    finally:
        (folder / name).write_bytes(FILES[name])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(body=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=400, deadline=None)
def test_other_bytes_are_never_a_bundle_and_never_an_exception(tmp_path_factory: pytest.TempPathFactory, body: bytes):
    found = verify_path(Path(__file__), body, [KEY.public])
    assert not found.ok


@given(value=JSON | st.fixed_dictionaries({"_type": JSON, "subject": JSON, "predicateType": JSON, "predicate": JSON}))
@settings(max_examples=400, deadline=None)
def test_other_statements_are_never_read_even_when_they_are_signed(value: object):
    payload = json.dumps(value).encode()
    assert KEY.public.verify(KEY.sign(pae(payload)), pae(payload))
    with pytest.raises(EvidenceError):
        decode_manifest(payload)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"_type":' * 50_000, b"1" * 100_000, b'{"a":NaN}', b"\xff"])
def test_deep_and_large_statements_end_in_a_reason(body: bytes):
    with pytest.raises(EvidenceError):
        decode_manifest(body)
    assert not verify_path(Path(__file__), body, [KEY.public]).ok
