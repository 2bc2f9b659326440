"""A small application without a model, taken through its gates in a moment."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.project import open_project
from lockgate.evidence import create_key, render_trust
from lockgate.evidence.keys import Role
from lockgate.pipeline.approve import write_manifest
from lockgate.pipeline.observer import Silent
from lockgate.pipeline.run import RunResult, take_through, trust_from

SETTINGS = """version: 1
project: demo
data: {}
absent: {train: none, supply: none, redteam: none, monitor: none}
"""

Go = Callable[[], RunResult]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    for role in (Role.BUILDER, Role.SCANNER, Role.APPROVER):
        create_key(role)
    return Path(os.environ["LOCKGATE_HOME"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "prompt.md").write_text("Be kind.", "utf-8")
    return folder


@pytest.fixture
def trust(home: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Write the trust file of this machine's keys with more demands."""

    def write(more: str = "") -> Path:
        path = tmp_path / "trust.yaml"
        path.write_text(render_trust() + more, "utf-8")
        return path

    return write


@pytest.fixture
def settle(project: Path) -> Callable[[str], None]:
    """Write the settings with more in them, and the manifest."""

    def write(more: str = "") -> None:
        (project / "lockgate.yaml").write_text(SETTINGS + more, "utf-8")
        write_manifest(project)

    return write


@pytest.fixture
def go(project: Path, trust: Callable[[str], Path], settle: Callable[[str], None], home: Path) -> Callable[..., str]:
    """Take the project through its gates; the reasons why deploy is held, one a line, or nothing."""

    def run(demands: str = "", settings: str | None = "") -> str:
        path = trust(demands)
        if settings is not None:
            settle(settings)
        result = take_through(open_project(project), trust=trust_from(path, project=project), observer=Silent())
        [deploy] = [report.decision for report in result.stages if report.stage == "deploy"]
        return "\n".join(hold.message for hold in deploy.holds)

    return run
