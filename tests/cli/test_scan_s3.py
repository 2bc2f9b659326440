"""`lockgate scan model s3://...` against moto's server: the same verdicts as for the same files on disk."""

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from lockgate.cli import main
from lockgate.supply import fetched, object_store
from lockgate.supply.errors import SupplyError

EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
GOOD = struct.pack("<Q", 2) + b"{}"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(at_aws: None) -> object:
    client = boto3.client("s3")
    client.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for item in client.list_objects_v2(Bucket="models").get("Contents", ()):
        client.delete_object(Bucket="models", Key=item["Key"])
    client.delete_bucket(Bucket="models")


@pytest.fixture
def scan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["scan", "model", *[str(argument) for argument in arguments]])
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return call


def put(store: object, **objects: bytes) -> None:
    for key, body in objects.items():
        store.put_object(Bucket="models", Key=key, Body=body)


def test_every_object_below_a_prefix_has_its_verdict(store: object, scan: Run):
    put(store, **{"a/m.safetensors": GOOD, "a/sub/bad.pkl": EVIL, "a/empty/": b"", "a-old/bad.pkl": EVIL})
    code, out, _ = scan("s3://models/a", "--json")
    assert code == 1
    found = {item["path"]: item["outcome"] for item in json.loads(out)["files"]}
    assert found == {"s3://models/a/m.safetensors": "passed", "s3://models/a/sub/bad.pkl": "failed"}
    assert all(
        "s3://models/a" in reason["message"] or "posix" in reason["message"]
        for item in json.loads(out)["files"]
        for reason in item["reasons"]
    )
    assert scan("s3://models/a/m.safetensors")[0] == 0
    # What was found in the same bytes is remembered, and still said under the right name.
    assert json.loads(scan("s3://models/a/", "--json")[1]) == json.loads(out)


def test_a_bucket_and_a_folder_in_one_scan(store: object, scan: Run, tmp_path: Path):
    put(store, **{"m.safetensors": GOOD})
    (tmp_path / "m.safetensors").write_bytes(GOOD)
    code, out, _ = scan("s3://models", tmp_path / "m.safetensors", "--json")
    assert code == 0
    assert {item["path"] for item in json.loads(out)["files"]} == {
        "s3://models/m.safetensors", str(tmp_path / "m.safetensors"),
    }  # fmt: skip


def test_raw_weights_are_accounted_for_by_the_model_beside_them(store: object, scan: Run):
    xml = b'<net name="m" version="11"><layers/><edges/></net>'
    put(store, **{"o/m.xml": xml, "o/m.bin": b"\x00\x01\xfe\xff" * 64})
    found = {item["path"]: item for item in json.loads(scan("s3://models/o", "--json")[1])["files"]}
    assert found["s3://models/o/m.bin"]["format"] == "weights"


@pytest.mark.parametrize("key", ["a/../../out.pkl", "a//b.pkl", "/abs.pkl", "./x.pkl", "y" * 300])
def test_a_key_that_is_no_path_is_errored_and_written_nowhere(store: object, scan: Run, key: str):
    put(store, **{key: EVIL, "good.safetensors": GOOD})
    code, out, _ = scan("s3://models", "--json")
    assert code == 1
    outcomes = [item["outcome"] for item in json.loads(out)["files"]]
    assert sorted(outcomes) == ["errored", "passed"]


def test_a_key_with_a_line_break_is_no_path():
    assert object_store._is_path("a/b.pkl")
    assert not object_store._is_path("a/line\nbreak.pkl")


def test_an_object_and_a_folder_of_the_same_name_cannot_both_be_files(store: object, scan: Run):
    put(store, **{"m": GOOD, "m/x.pkl": EVIL})
    code, out, _ = scan("s3://models", "--json")
    assert code == 1
    outcomes = {item["path"]: item["outcome"] for item in json.loads(out)["files"]}
    assert "errored" in outcomes.values()
    assert outcomes["s3://models/m/x.pkl"] != "passed"


def test_what_cannot_be_listed_is_exit_2_and_says_why(store: object, scan: Run):
    for address, expected in (
        ("s3://nowhere-at-all/x", "NoSuchBucket"),
        ("s3://models/none", "holds no object"),
        ("s3://", "names no bucket"),
        ("s3://UPPER/x", "names no bucket"),
    ):
        code, _, err = scan(address)
        assert code == 2
        assert expected in err


def test_without_credentials_nothing_is_examined(store: object, scan: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    code, _, err = scan("s3://models/x")
    assert code == 2
    assert "NoCredentialsError" in err


def test_an_object_that_changed_after_it_was_listed_is_errored(store: object):
    put(store, **{"a.pkl": EVIL, "b.pkl": EVIL})

    def change(done: int, total: int, shown: str) -> None:
        if shown.endswith("b.pkl"):
            put(store, **{"b.pkl": GOOD})

    with fetched("s3://models", change) as entries:
        assert [entry.unreadable for entry in entries] == ["", "It cannot be fetched: PreconditionFailed."]


def test_nothing_stays_on_this_machine(store: object):
    put(store, **{"a.pkl": EVIL})
    with fetched("s3://models", lambda *_: None) as entries:
        assert (entries[0].root / "a.pkl").read_bytes() == EVIL
    assert not entries[0].root.exists()


def test_without_boto3_the_message_says_what_to_install(scan: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    code, _, err = scan("s3://models/x")
    assert code == 2
    assert "lockgate[s3]" in err


def test_more_than_there_is_room_for_is_refused(store: object, monkeypatch: pytest.MonkeyPatch):
    put(store, **{"a.pkl": EVIL})
    monkeypatch.setattr("lockgate.supply.object_store._LEFT_FREE", 1 << 62)
    with pytest.raises(SupplyError, match="TMPDIR"), fetched("s3://models", lambda *_: None):
        pass
