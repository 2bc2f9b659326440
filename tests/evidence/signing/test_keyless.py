"""Signatures through a Sigstore instance of the tests' own: what verifies, and everything that must not."""

import base64
import copy
import datetime as dt
import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.core.errors import ConfigError
from lockgate.evidence import EvidenceError
from lockgate.evidence.signing import Expected, KeylessTrust, Trusted, TrustRoot, Who, trust_root, verify_path
from lockgate.evidence.signing import read_bundle as read
from lockgate.evidence.signing.keyless import verify_keyless
from support.sigstore_instance import ISSUER, MINUTES, WORKFLOW, Instance, b64, new_key, signed

Reason = Callable[..., str]
Wire = dict[str, Any]
HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=[False, True], ids=["first-log", "second-log"])
def wire(request: pytest.FixtureRequest, instance: Instance, payload: bytes) -> Wire:
    return instance.bundle(payload, stamped=request.param)


@pytest.fixture
def first(instance: Instance, payload: bytes) -> Wire:
    """A bundle whose time the log states."""
    return instance.bundle(payload)


def entry(wire: Wire) -> Wire:
    return wire["verificationMaterial"]["tlogEntries"][0]


def proof(wire: Wire) -> Wire:
    return entry(wire)["inclusionProof"]


def test_a_signature_verifies_and_says_who_signed(wire: Wire, folder: Path, trusted: Trusted):
    found = verify_path(folder, json.dumps(wire).encode(), trusted, signature=folder / "model.sig")
    assert found.ok
    assert found.who == Who(identity=WORKFLOW, issuer=ISSUER)
    assert (found.files, found.ignored) == (3, ())


def test_nothing_is_asked_over_the_network(
    wire: Wire, instance: Instance, reason: Reason, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    TrustRoot.public()
    root = TrustRoot.parse(json.dumps(instance.trusted_root()).encode(), name="again")
    assert reason(wire, Trusted(keyless=KeylessTrust(root, (Expected(WORKFLOW, ISSUER),)))) == ""


def test_the_world_is_closed_as_for_keys(wire: Wire, folder: Path, reason: Reason):
    (folder / ".git").mkdir()
    (folder / ".git/config").write_bytes(b"")
    assert reason(wire) == ".git/config was added: no signature covers it."
    (folder / ".git/config").unlink()
    (folder / "weights.bin").write_bytes(b"Weights")
    assert reason(wire) == "weights.bin was altered: its content is not what was signed."


def test_a_signature_of_another_folder_does_not_count_here(wire: Wire, folder: Path, reason: Reason):
    (folder / "weights.bin").rename(folder / "model.bin")
    assert "weights.bin was renamed" in reason(wire)


@pytest.mark.parametrize(
    ("identity", "issuer"),
    [
        (WORKFLOW + "0", ISSUER),
        (WORKFLOW[:-1], ISSUER),
        (WORKFLOW.replace("acme", "аcme"), ISSUER),  # noqa: RUF001
        (WORKFLOW, ISSUER + "/"),
        (WORKFLOW, "https://accounts.example.com"),
    ],
)
def test_another_signer_does_not_count(wire: Wire, root: TrustRoot, reason: Reason, identity: str, issuer: str):
    trusted = Trusted(keyless=KeylessTrust(root, (Expected(identity, issuer),)))
    assert reason(wire, trusted).startswith(f"It was signed by '{WORKFLOW}' of '{ISSUER}', and you expect ")


def test_any_of_several_signers_counts_and_of_none_nobody_does(wire: Wire, root: TrustRoot, reason: Reason):
    several = (Expected("a@acme.example", ISSUER), Expected(WORKFLOW[:-1] + "*", ISSUER, wild=True))
    assert reason(wire, Trusted(keyless=KeylessTrust(root, several))) == ""
    assert reason(wire, Trusted(keyless=KeylessTrust(root, ()))).endswith("you expect nobody.")


def test_a_certificate_that_names_two_signers_counts_for_neither(instance: Instance, payload: bytes, reason: Reason):
    names = (x509.UniformResourceIdentifier(WORKFLOW), x509.RFC822Name("evil@evil.example"))
    assert "does not name one signer" in reason(instance.bundle(payload, identity=names))
    assert "does not name one issuer" in reason(instance.bundle(payload, old_issuer="https://evil.example.com"))


def test_a_certificate_counts_at_the_time_of_the_log_and_at_no_other(
    instance: Instance, payload: bytes, reason: Reason, wire: Wire
):
    stamped = "timestampVerificationData" in wire["verificationMaterial"]
    # It expired long ago, and signed while it was valid.
    then = instance.now - 24 * HOUR
    assert reason(instance.bundle(payload, at=then, log_at=then + MINUTES / 2, stamped=stamped)) == ""
    for at in (then - MINUTES, then + 2 * MINUTES, instance.now):
        assert "chain" in reason(instance.bundle(payload, at=then, log_at=at, stamped=stamped))


def test_a_certificate_of_another_authority_does_not_count(payload: bytes, reason: Reason, instance: Instance):
    other = Instance(instance.name)
    assert "does not name" in reason(other.bundle(payload))
    # The stranger writes into the very log of the instance.
    other.log_key, other.log_id, other.origin = instance.log_key, instance.log_id, instance.origin
    assert "chain" in reason(other.bundle(payload))
    other.authority_key = instance.authority_key
    other.authority = instance.authority
    assert "SCT" in reason(other.bundle(payload))


def test_a_certificate_that_no_certificate_log_saw_does_not_count(instance: Instance, payload: bytes, reason: Reason):
    assert "does not contain a signed certificate timestamp" in reason(instance.bundle(payload, logged=False))
    assert "SCT" in reason(instance.bundle(payload, ct_key=new_key()))


def test_an_entry_about_another_envelope_does_not_count(instance: Instance, payload: bytes, wire: Wire, reason: Reason):
    stamped = "timestampVerificationData" in wire["verificationMaterial"]
    other = instance.bundle(b'{"another":"statement"}', stamped=stamped)
    wire["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    assert "log entry" in reason(wire)


def test_the_statement_of_another_signature_does_not_count(
    instance: Instance, payload: bytes, wire: Wire, reason: Reason
):
    other = instance.bundle(payload.replace(b"weights.bin", b"weightz.bin"))
    for taken in (["payload"], ["signatures"], ["payload", "signatures"]):
        mixed = copy.deepcopy(wire)
        for name in taken:
            mixed["dsseEnvelope"][name] = other["dsseEnvelope"][name]
        assert "Sigstore's checks refuse" in reason(mixed), taken


def test_the_signature_must_be_the_keys_even_when_the_log_says_so(instance: Instance, payload: bytes, reason: Reason):
    """A log that writes down whatever it is told does not make a signature."""
    wire = instance.bundle(payload)
    leaf = x509.load_der_x509_certificate(base64.b64decode(wire["verificationMaterial"]["certificate"]["rawBytes"]))
    forged = signed(new_key(), b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload))
    body = json.loads(base64.b64decode(entry(wire)["canonicalizedBody"]))
    body["spec"]["signatures"][0]["signature"] = b64(forged)
    wire["verificationMaterial"]["tlogEntries"] = [instance.entry(json.dumps(body).encode())]
    wire["dsseEnvelope"]["signatures"][0]["sig"] = b64(forged)
    assert leaf.version is x509.Version.v3
    assert "invalid signature" in reason(wire)


def without(*path: str) -> Callable[[Wire], None]:
    def change(wire: Wire) -> None:
        inner: Any = wire
        for part in path[:-1]:
            inner = inner[int(part)] if part.isdigit() else inner[part]
        del inner[path[-1]]

    return change


ENTRY = ("verificationMaterial", "tlogEntries", "0")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without(*ENTRY, "inclusionProof"), "inclusionProof"),
        (without(*ENTRY, "inclusionProof", "checkpoint"), "checkpoint"),
        (without(*ENTRY, "inclusionPromise"), "time without the log's promise"),
        (without(*ENTRY, "integratedTime"), "promise without a time"),
        (without(*ENTRY, "canonicalizedBody"), "canonicalizedBody"),
        (without("verificationMaterial", "tlogEntries"), "no entry of a transparency log"),
        (without("dsseEnvelope"), "dsseEnvelope"),
        (lambda wire: wire["verificationMaterial"]["tlogEntries"].append(entry(wire)), "or several"),
        (lambda wire: proof(wire).update(hashes=[]), "proof"),
        (lambda wire: proof(wire)["hashes"].append(b64(bytes(32))), "proof"),
        (lambda wire: proof(wire).update(treeSize="900"), "another tree"),
        (lambda wire: proof(wire).update(rootHash=b64(bytes(32))), "another tree"),
        (lambda wire: entry(wire).update(logIndex="7"), "invalid inclusion promise"),
        (lambda wire: entry(wire).update(integratedTime="1"), "chain"),
        (lambda wire: entry(wire)["logId"].update(keyId=b64(bytes(32))), "does not name"),
        (lambda wire: entry(wire)["kindVersion"].update(kind="hashedrekord", version="0.0.2"), "Integrated time only"),
        (lambda wire: entry(wire)["kindVersion"].update(version="9"), "log entry version"),
        (lambda wire: entry(wire)["inclusionPromise"].update(signedEntryTimestamp=b64(b"x")), "promise"),
        (lambda wire: proof(wire)["checkpoint"].update(envelope="log\n3\n"), "is malformed"),
        (lambda wire: proof(wire)["checkpoint"].update(envelope="\n" * 20_000), "is malformed"),
        (lambda wire: proof(wire)["checkpoint"].update(envelope="\ud800"), "is malformed"),
        (lambda wire: wire.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"), "v0.3"),
        (lambda wire: wire["verificationMaterial"]["certificate"].update(rawBytes=b64(b"x")), "checks refuse"),
        (
            lambda wire: wire["verificationMaterial"].update(
                timestampVerificationData={"rfc3161Timestamps": [{"signedTimestamp": b64(b"x")}]}
            ),
            "Timestamp",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(first: Wire, reason: Reason, change: Callable[[Wire], object], why: str):
    assert reason(first) == ""
    change(first)
    assert why in reason(first)


def test_without_a_time_that_somebody_states_nothing_verifies(instance: Instance, payload: bytes, reason: Reason):
    wire = instance.bundle(payload, stamped=True)
    del wire["verificationMaterial"]["timestampVerificationData"]
    assert "promise or signed timestamp" in reason(wire)
    wire = instance.bundle(payload, stamped=True)
    stamps = wire["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    stamps[0]["signedTimestamp"] = instance.stamp(bytes(32))
    assert "not enough sources of verified time" in reason(wire)
    entry(wire)["logIndex"] = "5"
    assert "different numbers" in reason(wire)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n— ", "\n— evil."),
        lambda text: text + text.rpartition("\n\n")[2],
        lambda text: text.rpartition("\n\n")[0] + "\n\n— log.sigstore.example.com AAAAAAAAAAAA\n",
    ],
)
def test_the_checkpoint_is_signed_once_in_the_logs_name(first: Wire, reason: Reason, change: Callable[[str], str]):
    proof(first)["checkpoint"]["envelope"] = change(proof(first)["checkpoint"]["envelope"])
    assert "not signed once in the name" in reason(first)


def test_a_witness_may_sign_the_checkpoint_too(first: Wire, reason: Reason):
    proof(first)["checkpoint"]["envelope"] += "— witness.example.com AAAAAAAAAAAA\n"
    assert reason(first) == ""


def test_the_library_must_have_read_the_same(first: Wire, root: TrustRoot, monkeypatch: pytest.MonkeyPatch):
    bundle = read(json.dumps(first).encode())
    other = type(bundle)(b"{}", bundle.signature, bundle.material, bundle.body)
    with pytest.raises(EvidenceError, match="another statement"):
        verify_keyless(other, KeylessTrust(root, (Expected(WORKFLOW, ISSUER),)))


# ---- what kind of signature is expected


def test_each_kind_of_signature_needs_its_own_kind_of_trust(first: Wire, trusted: Trusted, reason: Reason):
    assert "--sigstore --identity WHO" in reason(first, Trusted())
    bare = copy.deepcopy(first) | {"verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []}}
    assert "signed with a bare key" in reason(bare, trusted)
    with pytest.raises(EvidenceError, match="not signed through Sigstore"):
        verify_keyless(read(json.dumps(bare).encode()), trusted.keyless)


# ---- any mutation


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a bundle but time stamps, a few bytes of which no signature covers (RFC 3161)."""
    if path[-1:] == ("signedTimestamp",):
        return
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, name))
    else:
        yield path, value


def put(wire: Wire, path: tuple[Any, ...], value: Any) -> Wire:
    changed = copy.deepcopy(wire)
    inner: Any = changed
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return changed


SCRATCH = {"suppress_health_check": [HealthCheck.function_scoped_fixture], "deadline": None}


@given(data=st.data())
@settings(max_examples=400, **SCRATCH)
def test_no_value_of_a_bundle_can_change(wire: Wire, reason: Reason, data: st.DataObject):
    path, value = data.draw(st.sampled_from(list(leaves(wire))))
    place = data.draw(st.integers(0, len(value)))
    letter = data.draw(st.sampled_from("A0z9+/=\n— \\") | st.characters(codec="utf-8"))
    kind = data.draw(st.sampled_from(["replace", "insert", "delete", "cut", "double", "other"]))
    others = (
        st.sampled_from([other for _, other in leaves(wire)]) | st.none() | st.integers() | st.just([]) | st.just({})
    )
    changed = {
        "replace": value[:place] + letter + value[place + 1 :],
        "insert": value[:place] + letter + value[place:],
        "delete": value[:place] + value[place + 1 :],
        "cut": value[:place],
        "double": value + value,
        "other": data.draw(others) if kind == "other" else "",
    }[kind]
    assert changed == value or reason(put(wire, path, changed)) != ""


def test_every_letter_of_every_short_value_matters(wire: Wire, reason: Reason):
    for path, value in leaves(wire):
        for place in range(len(value)) if len(value) < 200 else (0, 5, len(value) // 2, len(value) - 3, len(value) - 1):
            letter = "1" if value[place] != "1" else "2"
            assert reason(put(wire, path, value[:place] + letter + value[place + 1 :])) != "", (path, place)


@given(data=st.data())
@settings(max_examples=300, **SCRATCH)
def test_no_bit_of_the_file_can_change_what_it_says(first: Wire, reason: Reason, data: st.DataObject):
    body = json.dumps(first, ensure_ascii=data.draw(st.booleans())).encode()
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        same = json.loads(changed) == first
    except (ValueError, RecursionError):
        same = False
    assert same or reason(bytes(changed)) != ""


def test_a_field_that_is_given_twice_or_unknown_is_refused(first: Wire, reason: Reason):
    body = json.dumps(first)
    assert "twice" in reason(body.replace('"certificate": {', '"certificate": {}, "certificate": {', 1).encode())
    for path in ((), ("verificationMaterial",), ENTRY[:1], ("dsseEnvelope",)):
        inner: Any = first
        for part in path:
            inner = inner[part]
        inner["unknown"] = "x"
        assert "unknown field" in reason(first)
        del inner["unknown"]


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=150, **SCRATCH)
def test_garbage_is_never_a_bundle_and_never_an_exception(reason: Reason, body: bytes):
    assert reason(body) != ""


# ---- the trust root


def test_a_trust_root_may_stand_in_a_client_trust_configuration(
    instance: Instance, first: Wire, reason: Reason, tmp_path: Path
):
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({"mediaType": "x", "trustedRoot": instance.trusted_root(), "signingConfig": {}}), "utf-8"
    )
    root = TrustRoot.read(path)
    assert root.name == "config.json"
    assert reason(first, Trusted(keyless=KeylessTrust(root, (Expected(WORKFLOW, ISSUER),)))) == ""


def test_the_public_instance_does_not_know_a_private_log(first: Wire, reason: Reason):
    public = TrustRoot.public()
    assert len(public.logs) >= 2
    trusted = Trusted(keyless=KeylessTrust(public, (Expected(WORKFLOW, ISSUER),)))
    assert reason(first, trusted) == "The entry is of a transparency log that sigstore.dev does not name."


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root.clear(),
        lambda root: root.update(mediaType="application/json"),
        lambda root: root.update(tlogs=[]),
        lambda root: root.update(certificateAuthorities=[]),
        lambda root: root["tlogs"][0].pop("logId"),
        lambda root: root["certificateAuthorities"][0]["certChain"]["certificates"][0].update(rawBytes=b64(b"x")),
        lambda root: root.update(unknown=1),
    ],
)
def test_a_file_that_is_no_trust_root_is_refused(instance: Instance, change: Callable[[Wire], object]):
    found = instance.trusted_root()
    change(found)
    with pytest.raises(EvidenceError, match=r"root.json is no trust root of Sigstore"):
        TrustRoot.parse(json.dumps(found).encode(), name="root.json")


@pytest.mark.parametrize("name", ["ctlogs", "tlogs"])
def test_a_trust_root_with_no_key_that_can_be_read_verifies_nothing(
    instance: Instance, first: Wire, reason: Reason, name: str
):
    found = instance.trusted_root()
    found[name][0]["publicKey"]["rawBytes"] = b64(b"x")
    root = TrustRoot.parse(json.dumps(found).encode(), name="root.json")
    assert "checks refuse" in reason(first, Trusted(keyless=KeylessTrust(root, (Expected(WORKFLOW, ISSUER),))))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"mediaType": 1, "mediaType": 2}', b"\xff"])
def test_garbage_is_no_trust_root(body: bytes, tmp_path: Path):
    (tmp_path / "r.json").write_bytes(body)
    with pytest.raises(EvidenceError, match="no trust root"):
        TrustRoot.read(tmp_path / "r.json")


def test_a_trust_root_that_is_huge_or_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(EvidenceError, match="cannot be read: no such file"):
        TrustRoot.read(tmp_path / "nowhere")
    monkeypatch.setattr(trust_root, "MAX_TRUST_ROOT", 3)
    (tmp_path / "r.json").write_bytes(b"1234")
    with pytest.raises(EvidenceError, match="too large"):
        TrustRoot.read(tmp_path / "r.json")


# ---- the package


def test_without_the_package_it_is_said_what_to_install(
    first: Wire, trusted: Trusted, reason: Reason, monkeypatch: pytest.MonkeyPatch
):
    for name in ("sigstore.models", "sigstore.verify"):
        monkeypatch.setitem(sys.modules, name, None)
    for call in (TrustRoot.public, lambda: TrustRoot.parse(b"{}", name="r"), lambda: reason(first)):
        with pytest.raises(ConfigError, match="which is not installed") as caught:
            call()
        assert caught.value.remedy == "pip install 'lockgate[sigstore]'."


def test_a_package_that_brings_no_trust_root_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trust_root, "_PUBLIC", ("nowhere",))
    with pytest.raises(ConfigError, match="brings no trust root"):
        TrustRoot.public()
