"""Applications to take through the gates: copies of the example, the model included."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockgate.core.project import open_project
from lockgate.pipeline.observer import Observer, Silent
from lockgate.pipeline.run import RunResult, take_through, trust_from
from support.application import copy_application


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keys and verified models of these tests, apart from the user's."""
    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get("LOCKGATE_HOME")
    os.environ["LOCKGATE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["LOCKGATE_HOME"]
    else:
        os.environ["LOCKGATE_HOME"] = before


@pytest.fixture
def application(home: Path, tmp_path: Path) -> Path:
    """A private copy of the example with a corpus of four prompts, so that a run takes seconds."""
    return copy_application(tmp_path / "assistant")


@pytest.fixture
def go(home: Path) -> Callable[..., RunResult]:
    """Take a folder through its gates."""

    def run(folder: Path, observer: Observer | None = None, trust: Path | None = None) -> RunResult:
        return take_through(
            open_project(folder), trust=trust_from(trust, project=folder), observer=observer or Silent()
        )

    return run
