"""`lockgate scan deps` and `lockgate db` as scripts see them: JSON, exit codes, reports, events."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def write_advisory(folder: Path, name: str, number: int, modified: str = "2026-01-02T00:00:00Z") -> None:
    folder.mkdir(exist_ok=True)
    events = [{"introduced": "0"}, {"fixed": "2.6.0"}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    document = {"id": f"GHSA-{number}", "aliases": [f"CVE-{number}"], "modified": modified, "affected": [affected]}
    (folder / f"{number}.json").write_text(json.dumps(document))


@pytest.fixture
def advisories(tmp_path: Path) -> Path:
    write_advisory(tmp_path / "advisories", "torch", 1)
    return tmp_path / "advisories"


def test_exit_codes_and_json(run: Run, advisories: Path, tmp_path: Path):
    assert run("db", "update", "--from", advisories, "--db", "db")[0] == 0
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\nnumpy==2.3.0\nscipy>=1\n")
    (tmp_path / "good-requirements.txt").write_text("numpy==2.3.0\n")
    (tmp_path / "wish-requirements.txt").write_text("./local\n")
    code, out, _ = run("scan", "deps", "requirements.txt", "--db", "db", "--json")
    assert code == 1
    found = json.loads(out)
    outcomes = {item["name"]: item["outcome"] for item in found["dependencies"]}
    assert outcomes == {"torch": "failed", "numpy": "passed", "scipy": "failed"}
    torch = next(item for item in found["dependencies"] if item["name"] == "torch")
    assert torch["vulnerabilities"][0]["ids"] == ["CVE-1", "GHSA-1"]
    assert torch["reasons"][0]["check"] == "LG-SUPPLY-040"
    assert (torch["path"], torch["line"], torch["version"]) == ("requirements.txt", 1, "2.5.1")
    assert found["files"][0]["outcome"] == "failed"
    assert found["statistics"]["vulnerability_data_at"] == "2026-01-02T00:00:00+00:00"
    assert run("scan", "deps", "good-requirements.txt", "--db", "db")[0] == 0
    assert run("scan", "deps", "wish-requirements.txt", "--db", "db")[0] == 2


def test_without_a_database_nothing_passes(run: Run, advisories: Path, tmp_path: Path):
    (tmp_path / "requirements.txt").write_text("numpy==2.3.0\n")
    code, out, _ = run("scan", "deps", "requirements.txt", "--db", "nowhere", "--json")
    assert code == 2
    assert json.loads(out)["dependencies"][0]["outcome"] == "errored"
    (tmp_path / "old").mkdir()
    assert run("db", "update", "--from", advisories, "--db", "old")[0] == 0
    code, out, _ = run("scan", "deps", "requirements.txt", "--db", "old", "--max-data-age", "1")
    assert code == 2
    assert "too long ago" in out
    assert run("db", "show", "--db", "nowhere")[0] == 2


def test_a_folder_is_searched_and_an_empty_or_unknown_file_is_no_pass(run: Run, advisories: Path, tmp_path: Path):
    run("db", "update", "--from", advisories, "--db", "db")
    (tmp_path / "app/node_modules/x").mkdir(parents=True)
    (tmp_path / "app/requirements.txt").write_text("numpy==2.3.0\n")
    (tmp_path / "app/poetry.lock").write_text("broken")
    (tmp_path / "app/node_modules/x/requirements.txt").write_text("torch==2.5.1\n")
    code, out, _ = run("scan", "deps", "app", "--db", "db", "--json")
    assert code == 1
    assert {item["path"]: item["outcome"] for item in json.loads(out)["files"]} == {
        "app/requirements.txt": "passed",
        "app/poetry.lock": "errored",
    }
    (tmp_path / "empty").mkdir()
    assert run("scan", "deps", "empty", "--db", "db")[0] == 2
    assert run("scan", "deps", "advisories/1.json", "--db", "db")[0] == 2
    assert run("scan", "deps", "--db", "db")[0] == 2


def test_reports_are_written_beside(run: Run, advisories: Path, tmp_path: Path):
    run("db", "update", "--from", advisories, "--db", "db")
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\n")
    assert run("scan", "deps", "requirements.txt", "--db", "db", "--sarif", "o.sarif", "--junit", "o.xml")[0] == 1
    log = json.loads((tmp_path / "o.sarif").read_text())["runs"][0]
    assert {result["ruleId"] for result in log["results"]} == {"LG-SUPPLY-040", "LG-SUPPLY-042"}
    assert {rule["id"] for rule in log["tool"]["driver"]["rules"]} >= {
        f"LG-SUPPLY-{number:03}" for number in range(40, 49)
    }
    assert int(ET.parse(tmp_path / "o.xml").getroot().get("failures", "0")) >= 1


def test_what_newly_matters_to_a_deployed_bill_is_told_once(run: Run, advisories: Path, tmp_path: Path):
    run("db", "update", "--from", advisories, "--db", "db")
    bill = {
        "bomFormat": "CycloneDX",
        "components": [{"purl": "pkg:pypi/torch@2.5.1"}, {"purl": "pkg:pypi/numpy@2.3.0"}],
    }
    (tmp_path / "bom.json").write_text(json.dumps(bill))
    code, out, _ = run("scan", "deps", "--watch", "bom.json", "--db", "db")
    assert code == 1
    event = json.loads(out)
    assert (event["kind"], event["labels"][:4]) == (
        "alert",
        ["dependency-vulnerability", "CVE-1", "pkg:pypi/torch@2.5.1", "unrated"],
    )
    assert run("scan", "deps", "--watch", "bom.json", "--db", "db")[:2] == (0, "")
    write_advisory(advisories, "numpy", 2)
    run("db", "update", "--from", advisories, "--db", "db")
    code, out, _ = run("scan", "deps", "--watch", "bom.json", "--db", "db")
    assert code == 1
    assert json.loads(out)["labels"][1] == "CVE-2"
    (tmp_path / "bom.json").write_text(json.dumps({**bill, "components": [{"type": "library", "name": "x"}]}))
    assert run("scan", "deps", "--watch", "bom.json", "--db", "db")[0] == 2
    assert run("scan", "deps", "--watch", "bom.json", "--db", "nowhere")[0] == 2
    assert "does not exist" in run("scan", "deps", "--watch", "gone.json", "--db", "db")[2]


def test_a_bill_of_which_nothing_can_be_matched_is_not_all_clear(run: Run, advisories: Path, tmp_path: Path):
    run("db", "update", "--from", advisories, "--db", "db")
    deb = {"type": "library", "name": "openssl", "purl": "pkg:deb/debian/openssl@3"}
    for components, said in (([], "lists no library"), ([deb], "pkg:deb")):
        (tmp_path / "bom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "components": components}))
        code, _, err = run("scan", "deps", "--watch", "bom.json", "--db", "db")
        assert code == 2
        assert said in err


def test_names_cannot_drive_the_terminal(run: Run, advisories: Path, tmp_path: Path):
    run("db", "update", "--from", advisories, "--db", "db")
    (tmp_path / "requirements.txt").write_text("\x1b[2Jtorch==2.5.1\n\u202etorch==1\n")
    code, out, err = run("scan", "deps", "requirements.txt", "--db", "db")
    assert code == 2
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_the_database_says_what_it_is(run: Run, advisories: Path):
    code, out, _ = run("db", "update", "--from", advisories, "--json")
    assert (code, json.loads(out)["advisories"]) == (0, 1)
    code, out, _ = run("db", "show")
    assert code == 0
    assert "1 advisories about 1 packages" in out
    assert run("db", "update", "--from", advisories, "--sha256", "x")[0] == 2
    assert run("db", "update", "--from", "missing.zip")[0] == 2
