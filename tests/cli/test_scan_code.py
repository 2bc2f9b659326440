"""`lockgate scan code` as scripts see it: JSON of a fixed shape, the same in any order, and the exit code."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

Run = Callable[..., tuple[int, str, str]]
BAD = "import pickle\n\npickle.load(open('x', 'rb'))\n"


@pytest.fixture
def scan(run: Run) -> Run:
    return partial(run, "scan", "code")


def by_name(printed: str) -> dict[str, dict[str, object]]:
    return {Path(item["path"]).name: item for item in json.loads(printed)["files"]}


def test_a_folder_gives_one_entry_for_every_file_of_code(scan: Run, files: Path):
    cells = [{"cell_type": "code", "source": BAD.splitlines(keepends=True)}]
    (files / "bad.ipynb").write_text(json.dumps({"cells": cells}))
    (files / "bad.py").write_text(BAD)
    (files / "broken.py").write_text("x = (")
    (files / "good.py").write_text("x = 1\n")
    (files / "tool").write_text("#!/usr/bin/env python3\nx = 1\n")
    (files / "mcp.json").write_text('{"servers": {"a": {"command": "npx", "args": ["pkg"]}}}')
    (files / "README.md").write_text("no code\n")
    (files / "data").write_bytes(b"\0\1")
    code, out, _ = scan(files, "--json")
    assert code == 1
    found = by_name(out)
    assert {name: item["outcome"] for name, item in found.items()} == {
        "bad.ipynb": "failed",
        "bad.py": "failed",
        "broken.py": "errored",
        "good.py": "passed",
        "mcp.json": "failed",
        "tool": "passed",
    }
    assert set(found["bad.py"]) == {"path", "outcome", "reasons", "skipped", "lines", "bytes"}
    (reason,) = found["bad.py"]["reasons"]
    assert (reason["check"], reason["line"], reason["place"]) == ("LG-SUPPLY-101", 3, "pickle.load")
    assert len(reason["fingerprint"]) == 32
    assert found["bad.ipynb"]["reasons"][0]["place"] == "cells/0/pickle.load"
    assert len(found["broken.py"]["reasons"]) == 1


def test_exit_codes(scan: Run, files: Path):
    (files / "good.py").write_text("x = 1\n")
    (files / "note.txt").write_text("this is no code")
    assert scan(files)[0] == 0
    assert scan(files, files / "missing")[0] == 1
    assert scan(files / "note.txt")[0] == 2
    (files / "empty").mkdir()
    assert scan(files / "empty", "--json")[0] == 2


def test_low_findings_are_shown_and_do_not_fail(scan: Run, files: Path):
    (files / "low.py").write_text("import litellm\nlitellm.set_verbose = True\n")
    code, out, _ = scan(files)
    assert (code, "low.py:2" in out, "1 passed" in out) == (0, True, True)


def test_the_same_in_any_order_and_from_memory(scan: Run, files: Path):
    for name in ("b.py", "a.py", "c.py"):
        (files / name).write_text(BAD)
    first = scan(files / "b.py", files / "a.py", files, "--json")
    assert first == scan(files, files / "a.py", "--json") == scan(files, "--json", "--fresh")
    fingerprints = [item["reasons"][0]["fingerprint"] for item in json.loads(first[1])["files"]]
    assert len(set(fingerprints)) == 3


def test_what_is_left_out_is_said(scan: Run, files: Path):
    (files / "env/lib").mkdir(parents=True)
    (files / "env/pyvenv.cfg").write_text("home = x\n")
    (files / "env/lib/bad.py").write_text(BAD)
    (files / "tests").mkdir()
    (files / "tests/bad.py").write_text(BAD)
    (files / "good.py").write_text("x = 1\n")
    code, out, _ = scan(files, "--exclude", "tests/**", "--json")
    assert code == 0
    left_out = {Path(item["path"]).name: item["reason"] for item in json.loads(out)["left_out"]}
    assert left_out == {"env": "a virtual environment; name it to examine it", "**": "excluded on request"}
    assert scan(files / "env")[0] == 1


def test_without_bandit_its_check_is_skipped_and_strict_holds(scan: Run, files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lockgate.supply.code.scan.bandit_version", lambda: "")
    (files / "good.py").write_text("x = 1\n")
    code, out, _ = scan(files, "--json")
    assert (code, by_name(out)["good.py"]["skipped"]) == (0, ["LG-SUPPLY-115"])
    code, out, _ = scan(files)
    assert "LG-SUPPLY-115" in out
    assert scan(files, "--strict")[0] == 2


def test_bandit_finds_the_classic_ones_and_its_silencing_comments_do_not_count(scan: Run, files: Path):
    (files / "old.py").write_text("import hashlib\nhashlib.md5(b'x')  # nosec\n")
    (files / ".bandit").write_text("[bandit]\nskips: B324\n")
    code, out, _ = scan(files, "--json")
    assert code == 1
    (reason,) = by_name(out)["old.py"]["reasons"]
    assert (reason["check"], reason["place"], reason["line"]) == ("LG-SUPPLY-115", "B324#1", 2)


def test_names_cannot_drive_the_terminal(scan: Run, files: Path):
    (files / "bad\x1b[2J.py").write_text(BAD)
    (files / "good.py").write_text("x = 1\n")
    code, out, err = scan(files)
    assert code == 1
    assert "\x1b" not in out + err


def test_sarif_and_junit_are_written_beside(scan: Run, files: Path, tmp_path: Path):
    (files / "bad.py").write_text(BAD)
    assert scan(files, "--sarif", tmp_path / "out.sarif", "--junit", tmp_path / "out.xml")[0] == 1
    log = json.loads((tmp_path / "out.sarif").read_text())
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "LG-SUPPLY-101"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    assert int(ET.parse(tmp_path / "out.xml").getroot().get("failures", "0")) >= 1
