"""`lockgate scan secrets` as scripts see it: never a value, the history too, a baseline that reveals nothing."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
SECRET = "kT9#vQ2m!zLx7Rw4pE"
OTHER = "wZ4!nB8q$Jr2Yt6uXc"


@pytest.fixture
def scan(run: Run) -> Run:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code, out, err = run("scan", "secrets", *arguments)
        assert SECRET not in out + err
        assert OTHER not in out + err
        return code, out, err

    return call


def git(folder: Path, *words: str) -> str:
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=environment)
    return done.stdout.decode().strip()


def commit(folder: Path, name: str, text: str, message: str = "x") -> str:
    (folder / name).write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(files: Path) -> Path:
    git(files, "init", "-q")
    commit(files, "app.py", f'password = "{SECRET}"\n')
    commit(files, "app.py", "import os\n")
    return files


def by_path(printed: str, folder: Path) -> dict[str, dict[str, object]]:
    return {item["path"].removeprefix(f"{folder}/"): item for item in json.loads(printed)["files"]}


def test_files_are_named_with_line_and_kind(scan: Run, files: Path):
    (files / "app.py").write_text(f'import os\n\npassword = "{SECRET}"\n')
    (files / "clean.txt").write_text("nothing\n")
    code, out, _ = scan(files, "--json")
    assert code == 1
    found = by_path(out, files)
    assert {path: item["outcome"] for path, item in found.items()} == {"app.py": "failed", "clean.txt": "passed"}
    assert found["app.py"]["reasons"][0]["line"] == 3
    assert found["app.py"]["reasons"][0]["check"] == "LG-SUPPLY-121"
    code, out, _ = scan(files)
    assert (code, "app.py:3" in out) == (1, True)


def test_exit_codes(scan: Run, files: Path):
    (files / "clean.txt").write_text("nothing\n")
    assert scan(files)[0] == 0
    assert scan(files, files / "missing")[0] == 1
    assert scan(files / "missing")[0] == 2
    (files / "empty").mkdir()
    assert scan(files / "empty", "--json")[0] == 2


def test_the_history_keeps_what_was_removed(scan: Run, repository: Path):
    first = git(repository, "rev-list", "--max-parents=0", "HEAD")
    code, out, _ = scan(repository, "--json")
    assert code == 1
    failed = [path for path, item in by_path(out, repository).items() if item["outcome"] == "failed"]
    assert failed == [f"app.py@{first[:12]}"]
    assert json.loads(out)["repositories"][0]["objects"] == 4
    assert scan(repository, "--no-history")[0] == 0
    assert scan(repository, "--exclude", "app.py")[0] == 0


def test_what_is_still_there_is_reported_once(scan: Run, repository: Path):
    (repository / "app.py").write_text(f'\npassword = "{SECRET}"\n')
    _, out, _ = scan(repository, "--json")
    failed = [path for path, item in by_path(out, repository).items() if item["outcome"] == "failed"]
    assert failed == ["app.py"]


def test_what_is_too_large_is_errored(scan: Run, files: Path):
    with (files / "large.bin").open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    (files / "clean.txt").write_text("nothing\n")
    code, out, _ = scan(files)
    assert (code, "--exclude" in out) == (1, True)
    assert scan(files, "--exclude", "*.bin")[0] == 0


def test_messages_and_stashes_are_history(scan: Run, files: Path):
    git(files, "init", "-q")
    commit(files, "a.txt", "a", f"use password = {SECRET}")
    (files / "a.txt").write_text(f'token = "{OTHER}"')
    git(files, "stash", "-q")
    code, out, _ = scan(files, "--json")
    assert code == 1
    failed = {path.partition("@")[0] for path, item in by_path(out, files).items() if item["outcome"] == "failed"}
    assert failed == {"commit message", "a.txt"}


def test_a_shallow_clone_is_not_a_pass(scan: Run, repository: Path, tmp_path: Path):
    git(repository, "clone", "-q", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"))
    code, out, _ = scan(tmp_path / "shallow", "--json")
    assert code == 1
    reasons = [reason["message"] for item in json.loads(out)["files"] for reason in item["reasons"]]
    assert any("shallow" in reason and "--no-history" in reason for reason in reasons)


def test_without_git_the_history_is_errored(scan: Run, repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    code, out, _ = scan(repository)
    assert (code, "git is not installed" in out) == (1, True)


def test_a_missing_object_is_errored(scan: Run, repository: Path):
    blob = git(repository, "rev-parse", "HEAD~1:app.py")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    code, out, _ = scan(repository)
    assert (code, "errored" in out) == (1, True)


def test_a_repository_starts_no_program(scan: Run, repository: Path, tmp_path: Path):
    mark = tmp_path / "started"
    for setting in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.editor"):
        git(repository, "config", setting, f"touch {mark}")
    git(repository, "config", "filter.x.smudge", f"touch {mark}")
    git(repository, "config", "diff.x.textconv", f"touch {mark}")
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    scan(repository)
    assert not mark.exists()


def test_a_password_in_a_remote_is_found(scan: Run, files: Path):
    git(files, "init", "-q")
    git(files, "remote", "add", "origin", f"https://bot:{SECRET.replace('#', '')}@git.example.org/x.git")
    code, out, _ = scan(files, "--json")
    assert by_path(out, files)[".git/config"]["outcome"] == "failed"
    assert code == 1


def test_a_baseline_lets_known_secrets_pass_and_reveals_none(scan: Run, files: Path, tmp_path: Path):
    (files / "app.py").write_text(f'password = "{SECRET}"\n')
    baseline = files / "secrets.json"
    assert scan(files, "--write-baseline", baseline)[0] == 1
    assert SECRET not in baseline.read_text()
    assert scan(files, "--baseline", baseline)[0] == 0
    (files / "app.py").write_text(f'\n\n# moved down\npassword = "{SECRET}"\n')
    assert scan(files, "--baseline", baseline)[0] == 0
    (files / "app.py").write_text(f'password = "{OTHER}"\n')
    assert scan(files, "--baseline", baseline)[0] == 1
    (files / "app.py").write_text("")
    (files / "other.py").write_text(f'password = "{SECRET}"\n')
    assert scan(files, "--baseline", baseline)[0] == 1


def test_a_baseline_needs_its_key(scan: Run, files: Path, tmp_path: Path):
    (files / "app.py").write_text(f'password = "{SECRET}"\n')
    baseline = files / "secrets.json"
    scan(files, "--write-baseline", baseline)
    kept = tmp_path / "kept.key"
    kept.write_bytes((tmp_path / "home/secret-baseline.key").read_bytes())
    (tmp_path / "home/secret-baseline.key").unlink()
    code, _, err = scan(files, "--baseline", baseline)
    assert (code, "another key" in err) == (2, True)
    assert scan(files, "--baseline", baseline, "--baseline-key", kept)[0] == 0
    assert scan(files, "--baseline", baseline, "--baseline-key", tmp_path / "none")[0] == 2
    assert scan(files, "--baseline", files / "app.py")[0] == 2
    assert scan(files, "--baseline", baseline, "--write-baseline", baseline)[0] == 2


def test_a_second_scan_remembers_and_says_the_same_in_any_order(scan: Run, repository: Path, tmp_path: Path):
    (repository / "b.py").write_text(f'password = "{OTHER}"\n')
    first = scan(repository, "--json")
    assert scan(repository, "--json") == first == scan(repository, "--json", "--fresh")
    one, two = repository / "app.py", repository / "b.py"
    assert scan(one, two, "--json") == scan(two, one, two, "--json")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert OTHER.encode() not in kept
    assert SECRET.encode() not in kept


def test_sarif_and_junit_hold_no_value(scan: Run, files: Path, tmp_path: Path):
    (files / "app.py").write_text(f'password = "{OTHER}"\n')
    assert scan(files, "--sarif", tmp_path / "out.sarif", "--junit", tmp_path / "out.xml")[0] == 1
    sarif, junit = (tmp_path / "out.sarif").read_text(), (tmp_path / "out.xml").read_text()
    assert [result["ruleId"] for result in json.loads(sarif)["runs"][0]["results"]] == ["LG-SUPPLY-121"]
    assert "LG-SUPPLY-121" in junit
    assert OTHER not in sarif + junit
