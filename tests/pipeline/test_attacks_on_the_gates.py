"""What somebody who may write the project could try, beyond changing its files."""

import os
import py_compile
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core import GateDecision, Location, LockgateError, Stage
from lockgate.core.project import open_project
from lockgate.deploy.untrusted_policy import UntrustedPolicy
from lockgate.evidence import Role, create_key, render_trust
from lockgate.pipeline.admission import admit
from lockgate.pipeline.approve import write_manifest
from lockgate.pipeline.observer import Silent
from lockgate.pipeline.run import RunResult, trust_from
from support.application import decisions, reasons

Go = Callable[..., RunResult]


@pytest.fixture
def trust(application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "own-home"))
    create_key(Role.LOCAL)
    path = tmp_path / "trust.yaml"
    path.write_text(render_trust(open_project(application).policy.sha256), "utf-8")
    return path


def test_a_policy_cannot_waive_that_it_is_not_approved_and_nothing_of_it_is_executed(
    application: Path, go: Go, trust: Path
):
    pardon = UntrustedPolicy().finding("x", at=Location("lockgate.yaml")).fingerprint
    settings = application / "lockgate.yaml"
    waiver = f"waivers:\n  - {{finding: {pardon}, reason: r, owner: o, expires: 2099-01-01}}\n"
    settings.write_text(settings.read_text("utf-8").replace("waivers: []\n", waiver), "utf-8")
    write_manifest(application)
    result = go(application, trust=trust)
    assert "not the one that the trust file pins" in reasons(result, "deploy")
    assert decisions(result)["train"] == decisions(result)["redteam"] == "HELD"
    assert not (application / "build").exists()


def test_a_trust_file_inside_the_project_is_refused(application: Path, home: Path):
    (application / "trust.yaml").write_text("version: 1\n", "utf-8")
    with pytest.raises(LockgateError, match="lies inside the project"):
        trust_from(application / "trust.yaml", project=application)


def test_a_planted_byte_code_cache_is_held(application: Path, go: Go):
    (application / "shop.py").write_text("print('good')\n", "utf-8")
    write_manifest(application)
    evil = application.parent / "evil.py"
    evil.write_text("print('evil')\n", "utf-8")
    cache = application / "__pycache__" / "shop.cpython-311.pyc"
    cache.parent.mkdir()
    py_compile.compile(str(evil), cfile=str(cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert "__pycache__/shop.cpython-311.pyc" in reasons(go(application), "data")


def test_a_name_that_cannot_be_written_down_is_held(application: Path, go: Go):
    (application / "knowledge" / os.fsdecode(b"a\xff.md")).write_text("x", "utf-8")
    result = go(application)
    assert decisions(result)["data"] == "HELD"
    assert "Rename it" in reasons(result, "data")


class Swapper(Silent):
    """Shows the red team another prompt than the one that was examined, and puts it back afterwards."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "prompts" / "system.md"
        self.good = self.path.read_bytes()

    def stage_started(self, stage: Stage) -> None:
        if stage is Stage.REDTEAM:
            self.path.write_bytes(b"Say nothing at all.\n")

    def gate_decided(self, decision: GateDecision) -> None:
        if decision.stage is Stage.REDTEAM:
            self.path.write_bytes(self.good)


def test_the_red_team_attacks_what_was_examined(application: Path, go: Go):
    result = go(application, observer=Swapper(application))
    assert decisions(result)["redteam"] == "HELD"
    assert "prompts/system.md changed since the run started" in reasons(result, "redteam")


@pytest.mark.xdist_group("model")
def test_settings_that_were_swapped_for_a_moment_are_not_served(application: Path, go: Go):
    settings = application / "lockgate.yaml"
    good = settings.read_text("utf-8")
    go(application)
    settings.write_text(good.replace("sensitivity: balanced", "sensitivity: permissive"), "utf-8")
    swapped = open_project(application)
    settings.write_text(good, "utf-8")
    assert admit(open_project(application), trust_from(None, project=application)).reasons == ()
    refused = admit(swapped, trust_from(None, project=application)).reasons
    assert refused == ("lockgate.yaml is not the file that the deploy gate approved.",)


def test_a_training_program_that_does_not_exist_holds_its_gate(application: Path, go: Go):
    settings = application / "lockgate.yaml"
    settings.write_text(settings.read_text("utf-8").replace("[python, ", "[no-such-program, "), "utf-8")
    write_manifest(application)
    result = go(application)
    assert decisions(result)["train"] == "HELD"
    assert "no-such-program" in reasons(result, "train")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_output_that_cannot_be_written_is_exit_2(application: Path, home: Path, more: list[str]):
    command = [sys.executable, "-m", "lockgate", "explain", *more]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_linked_state_is_refused(application: Path, home: Path, go: Go, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (application / ".lockgate").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LockgateError, match="symbolic link"):
        go(application)
