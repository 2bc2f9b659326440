import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lockgate.core.project import open_project
from lockgate.train import Recording, find_sandbox, record

SETTINGS = """\
version: 1
project: demo
train:
  command: [python, train.py]
  inputs: [train.py, data]
  output: build/model
  timeout_s: 30
"""


def quiet(_done: int, _total: int, _what: str) -> None:
    """Nobody watches."""


@pytest.fixture
def isolated() -> None:
    """The real bubblewrap: a test that needs it fails in CI and is skipped elsewhere when it does not work."""
    sandbox = find_sandbox()
    if sandbox.kind == "none":
        if os.environ.get("CI"):
            pytest.fail(sandbox.reason)
        pytest.skip(sandbox.reason)


@pytest.fixture
def unisolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A machine without bubblewrap: it is not on the search path."""
    folder = tmp_path_factory.mktemp("bin")
    if git := shutil.which("git"):
        (folder / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "lockgate.yaml").write_text(SETTINGS)
    (folder / "data" / "rows.jsonl").write_text('{"text": "hello"}\n')
    (folder / "secret.txt").write_text("not an input")
    return folder


@pytest.fixture
def job(root: Path) -> Callable[..., Recording]:
    def run(
        script: str,
        *,
        inputs: Sequence[str] = ("train.py", "data"),
        command: Sequence[str] = ("python", "train.py"),
        timeout_s: int = 30,
    ) -> Recording:
        (root / "train.py").write_text(script)
        opened = open_project(root)
        return record(
            opened,
            command=command,
            inputs=inputs,
            output="build/model",
            timeout_s=timeout_s,
            taken=opened.snapshot(),
            progress=quiet,
        )

    return run
