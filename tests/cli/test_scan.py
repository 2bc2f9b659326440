"""`lockgate scan model` as scripts see it: JSON of a fixed shape, one entry a file, and the exit code."""

import json
import os
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lockgate.cli import main
from lockgate.core import sha256_hex

Run = Callable[..., tuple[int, str, str]]
EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."


@pytest.fixture
def scan(run: Run) -> Run:
    return partial(run, "scan", "model")


def safetensors(header: str = "{}", data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header.encode() + data


def by_name(printed: str) -> dict[str, dict[str, object]]:
    return {Path(item["path"]).name: item for item in json.loads(printed)["files"]}


def test_a_folder_gives_one_entry_for_every_file(scan: Run, files: Path):
    (files / "sub").mkdir()
    (files / "sub/m.safetensors").write_bytes(safetensors())
    (files / "README.md").write_text("# Model\n")
    (files / "bad.pkl").write_bytes(EVIL)
    (files / "what").write_bytes(b"\x00\x01\xfe")
    (files / ".hidden").write_text("x")
    code, out, _ = scan(files, "--json")
    assert code == 1
    found = by_name(out)
    assert {name: item["outcome"] for name, item in found.items()} == {
        "m.safetensors": "passed",
        "README.md": "passed",
        ".hidden": "passed",
        "bad.pkl": "failed",
        "what": "errored",
    }
    assert set(found["bad.pkl"]) == {"path", "format", "outcome", "reasons", "bytes", "covered"}
    assert found["bad.pkl"]["path"] == str(files / "bad.pkl")
    assert found["bad.pkl"]["reasons"][0]["check"] == "LG-SUPPLY-003"
    assert (found["what"]["bytes"], found["what"]["covered"]) == (3, 0)
    assert found["README.md"]["covered"] == found["README.md"]["bytes"] == 8


def test_exit_codes(scan: Run, files: Path):
    (files / "a.safetensors").write_bytes(safetensors())
    assert scan(files / "a.safetensors")[0] == 0
    assert scan(files / "a.safetensors", files / "missing")[0] == 1
    assert scan(files / "missing", "--json")[0] == 2
    (files / "empty").mkdir()
    code, out, _ = scan(files / "empty", "--json")
    assert (code, json.loads(out)) == (2, {"files": []})


def test_a_blob_behind_a_link_of_a_snapshot_must_have_the_digest_that_names_it(scan: Run, files: Path):
    repository = files / "models--a--b"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for name, digest in (("good", sha256_hex(safetensors())), ("swapped", "0" * 64)):
        (repository / "blobs" / digest).write_bytes(safetensors())
        (snapshot / f"{name}.safetensors").symlink_to(f"../../blobs/{digest}")
    code, out, _ = scan(snapshot, "--json")
    assert code == 1
    assert by_name(out)["good.safetensors"]["outcome"] == "passed"
    assert by_name(out)["swapped.safetensors"]["outcome"] == "failed"
    assert "its digest is another" in out


def test_links_are_followed_inside_the_folder_and_into_the_blobs_of_a_snapshot(scan: Run, files: Path):
    repository = files / "models--a--b"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "blobs/0123").write_bytes(safetensors())
    (snapshot / "model.safetensors").symlink_to("../../blobs/0123")
    for root in (files, repository, snapshot, snapshot / "model.safetensors"):
        code, out, _ = scan(root, "--json")
        assert code == 0
        assert by_name(out)["model.safetensors"]["outcome"] == "passed"


def test_links_that_escape_go_round_or_lead_to_folders_are_errored(scan: Run, files: Path, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("x")
    inside = files / "inside"
    inside.mkdir()
    (inside / "ok.txt").write_text("fine")
    (inside / "escapes").symlink_to("../../secret.txt")
    (inside / "loops").symlink_to("loops")
    (inside / "folder").symlink_to(".")
    (inside / "gone").symlink_to("nothing")
    os.mkfifo(inside / "pipe")
    code, out, _ = scan(inside, "--json")
    assert code == 1
    outcomes = {name: item["outcome"] for name, item in by_name(out).items()}
    assert outcomes.pop("ok.txt") == "passed"
    assert set(outcomes.values()) == {"errored"}
    assert len(outcomes) == 5


def test_a_second_scan_remembers_by_digest_and_says_the_same(scan: Run, files: Path, tmp_path: Path):
    (files / "a.safetensors").write_bytes(safetensors())
    (files / "b.pkl").write_bytes(EVIL)
    first = scan(files, "--json")
    assert list((tmp_path / "home/cache/scan").rglob("*-*"))
    assert scan(files, "--json") == first == scan(files, "--json", "--fresh")
    (files / "a.safetensors").write_bytes(safetensors("{}", b"x"))
    assert by_name(scan(files, "--json")[1])["a.safetensors"]["outcome"] == "failed"


def test_people_see_what_failed_and_why(scan: Run, files: Path):
    (files / "bad\x1b[2J.pkl").write_bytes(EVIL)
    (files / "worse.pkl").write_bytes(EVIL)
    code, out, err = scan(files)
    assert code == 1
    assert "failed   pickle" in out
    assert "posix.system" in out
    assert "\x1b" not in out + err
    assert "2 files: 0 passed, 1 failed, 1 errored" in out


def test_sarif_and_junit_are_written_beside(scan: Run, files: Path, tmp_path: Path):
    (files / "bad.pkl").write_bytes(EVIL)
    assert scan(files, "--sarif", tmp_path / "out.sarif", "--junit", tmp_path / "out.xml")[0] == 1
    log = json.loads((tmp_path / "out.sarif").read_text())
    assert {result["ruleId"] for result in log["runs"][0]["results"]} == {"LG-SUPPLY-003"}
    assert int(ET.parse(tmp_path / "out.xml").getroot().get("failures", "0")) >= 1


def test_the_group_lists_its_commands_without_importing_them(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["scan", "--help"])
    assert "model" in capsys.readouterr().out
    assert "lockgate.cli.scan" in sys.modules
