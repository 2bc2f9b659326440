"""Whole runs: decisions, evidence, trust, interruptions."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core import LockgateError, Stage
from lockgate.core.project import open_project
from lockgate.evidence import Role, create_key, first_use_trust, render_trust, verify_ledger
from lockgate.pipeline.approve import write_manifest
from lockgate.pipeline.lock import exclusive
from lockgate.pipeline.run import RunResult
from support.application import EXAMPLE, MODEL, decisions, reasons

Go = Callable[..., RunResult]
COMMAND = [sys.executable, "-m", "lockgate"]


def lockgate(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=400, check=False, **options
    )


@pytest.mark.xdist_group("model")
def test_the_bundled_application_opens_every_gate_with_its_whole_corpus(home: Path, tmp_path: Path):
    folder = tmp_path / "assistant"
    ignored = shutil.ignore_patterns(".lockgate", "build", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=ignored)
    done = lockgate("run", folder, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [gate["stage"] for gate in report["gates"]] == [stage.value for stage in Stage]
    assert {gate["decision"] for gate in report["gates"]} == {"OPEN"}
    bare, guarded = report["redteam"]["bare"], report["redteam"]["guarded"]
    assert bare["attempts"] == guarded["attempts"] == 60
    assert bare["errors"] == guarded["errors"] == 0
    # The bare model must fall often enough for the comparison to mean something, and the guard must make a difference.
    assert bare["successes"] >= 12
    assert guarded["wilson95"][1] < bare["wilson95"][0]
    assert report["redteam"]["benign"]["blocked"] == 0
    assert Path(report["report"]).read_text("utf-8").startswith("<!doctype html>")
    assert report["evidence"]
    verified = lockgate("evidence", "verify", folder)
    assert verified.returncode == 0
    assert "a rollback to an earlier state is not excluded" in verified.stdout


@pytest.mark.xdist_group("model")
def test_separate_keys_and_a_trust_file_open_the_gates_and_pin_the_policy(
    application: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "own-home"))
    for role in (Role.BUILDER, Role.SCANNER, Role.APPROVER):
        create_key(role)
    trust = tmp_path / "trust.yaml"
    trust.write_text(render_trust(open_project(application).policy.sha256), "utf-8")
    result = go(application, trust=trust)
    assert set(decisions(result).values()) == {"OPEN"}
    assert not result.trust.first_use
    settings = application / "lockgate.yaml"
    settings.write_text(settings.read_text("utf-8") + "# edited\n", "utf-8")
    write_manifest(application)
    assert "not the one that the trust file pins" in reasons(go(application, trust=trust), "deploy")


def test_a_key_that_trust_does_not_name_opens_nothing(
    application: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (application / "knowledge" / "new.md").write_text("Held early, so that this run is short.\n", "utf-8")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "approver"))
    create_key(Role.LOCAL)
    trust = tmp_path / "trust.yaml"
    trust.write_text(render_trust(), "utf-8")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "attacker"))
    result = go(application, trust=trust)
    assert set(decisions(result).values()) == {"HELD"}
    assert "no trusted evidence" in reasons(result, "supply")
    assert "The supply stage has no trusted examination result." in reasons(result, "deploy")


def test_a_held_data_gate_keeps_the_training_job_and_the_model_from_running(application: Path, go: Go):
    (application / "knowledge" / "new.md").write_text("Not in the manifest.\n", "utf-8")
    result = go(application)
    assert decisions(result) == {
        "data": "HELD", "train": "HELD", "supply": "OPEN", "redteam": "HELD", "deploy": "HELD", "monitor": "HELD",
    }  # fmt: skip
    assert "knowledge/new.md" in reasons(result, "data")
    assert "Not run" in reasons(result, "train")
    assert not (application / "build").exists()
    skipped = next(report for report in result.stages if report.stage == "train").outcomes
    assert {outcome.status.value for outcome in skipped} == {"SKIPPED"}


def test_a_killed_run_leaves_a_valid_ledger_and_the_next_run_works(application: Path, home: Path):
    process = subprocess.Popen([*COMMAND, "run", str(application)], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if line.startswith("train") or time.monotonic() > deadline:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    state = open_project(application).state
    assert verify_ledger(state, first_use_trust()).ok
    (application / "knowledge" / "new.md").write_text("Held early, so that this run is short.\n", "utf-8")
    assert lockgate("run", application).returncode == 1
    assert verify_ledger(state, first_use_trust()).ok


def test_a_full_disk_stops_the_run_and_opens_nothing(application: Path, home: Path):
    def no_space() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    done = lockgate("run", application, "--json", preexec_fn=no_space)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["message"]
    assert "Traceback" not in done.stderr
    assert lockgate("serve", application, "--port", "0").returncode == 1


def test_two_runs_at_once_are_refused(application: Path, home: Path):
    with exclusive(open_project(application).state):
        done = lockgate("run", application)
    assert done.returncode == 2
    assert "Another run" in done.stderr


def test_a_tampered_ledger_takes_no_more_evidence(application: Path, go: Go):
    (application / "knowledge" / "new.md").write_text("Held early, so that this run is short.\n", "utf-8")
    go(application)
    ledger = application / ".lockgate" / "ledger.db"
    body = bytearray(ledger.read_bytes())
    place = body.index(b"\x28\xb5\x2f\xfd")  # where a packed envelope begins
    body[place + 40] ^= 1
    ledger.write_bytes(body)
    assert lockgate("evidence", "verify", application).returncode == 1
    assert lockgate("run", application).returncode in (1, 2)
    assert lockgate("serve", application, "--port", "0").returncode == 1


@pytest.mark.parametrize("stage", ["data", "train", "supply", "redteam"])
def test_a_stage_cannot_be_dropped_by_deleting_its_section(application: Path, go: Go, stage: str):
    section = {"supply": "models"}.get(stage, stage)
    kept, inside = [], False
    for line in (application / "lockgate.yaml").read_text("utf-8").splitlines():
        if not line.startswith((" ", "#")) and line:
            inside = line.startswith(f"{section}:")
        if not inside:
            kept.append(line)
    text = "\n".join(kept) + "\n"
    (application / "lockgate.yaml").write_text(text, "utf-8")
    if stage != "data":
        write_manifest(application)
    result = go(application)
    assert decisions(result)[stage] == "HELD"
    assert decisions(result)["deploy"] == "HELD"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "nowhere"], "nowhere"),
        (["run"], "Missing argument"),
        (["run", ".", "--trust", "nowhere.yaml"], "nowhere.yaml"),
        (["evidence", "verify", "."], "ledger"),
        (["evidence", "show", ".", "99"], "ledger"),
        (["explain", "LG-NONE-001"], "no check"),
        (["serve", ".", "--port", "99999"], "99999"),
        (["frobnicate"], "frobnicate"),
        (["guard"], "TEXT"),
        (["keys", "create", "king"], "king"),
    ],
)
def test_mistakes_are_named_with_a_remedy_and_exit_2(home: Path, tmp_path: Path, arguments: list[str], expected: str):
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: empty\n", "utf-8")
    done = lockgate(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("body", [b"\x00\xff\x00", b"version: [", b"version: 1\nproject: x\nextra: 1\n", b""])
def test_a_broken_settings_file_stops_the_run(home: Path, tmp_path: Path, body: bytes):
    (tmp_path / "lockgate.yaml").write_bytes(body)
    done = lockgate("run", tmp_path, "--json")
    assert done.returncode == 2
    assert "lockgate.yaml" in json.loads(done.stdout)["error"]["message"]


def test_a_model_that_is_missing_is_errored_not_passed(application: Path, go: Go):
    (application / MODEL).unlink()
    write_manifest(application)
    result = go(application)
    assert decisions(result)["supply"] == "HELD"
    assert MODEL in reasons(result, "supply")


def test_the_state_folder_may_not_be_writable(application: Path, home: Path):
    (application / ".lockgate").write_text("a file where the folder belongs", "utf-8")
    done = lockgate("run", application)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert (application / ".lockgate").is_file()


def test_a_project_of_another_kind_is_refused_by_the_manifest_command(home: Path, tmp_path: Path):
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: x\n", "utf-8")
    with pytest.raises(LockgateError, match="no data stage"):
        write_manifest(tmp_path)
