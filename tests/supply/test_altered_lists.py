"""An allow-list that is not the one that Lockgate came with decides nothing: the command ends with an error."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lockgate
from lockgate.detect.pinned import AlteredListError, read_pinned

SOURCE = Path(lockgate.__file__).parent
# An ONNX model of one node, y = Relu(x).
RELU = b"\x08\x08\x12\x07pytorchB\x04\x0a\x00\x10\x11:\x14\x12\x04main\x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu"
GOOD = b"\x80\x02]q\x00(K\x01K\x02e."


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Lockgate as a link to every file of it, with allow-lists of its own that may be changed."""
    package = tmp_path / "site/lockgate"
    for folder in ("", "detect", "supply"):
        (package / folder).mkdir(parents=True)
        for item in (SOURCE / folder).iterdir():
            if item.name not in {"detect", "supply", "allow"} and item.suffix != ".json":
                (package / folder / item.name).symlink_to(item)
    shutil.copytree(SOURCE / "detect/allow", package / "detect/allow")
    for item in (SOURCE / "supply").glob("*.json"):
        shutil.copy(item, package / "supply")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/m.pkl").write_bytes(GOOD)
    return package


def scan(installed: Path) -> subprocess.CompletedProcess[str]:
    home = installed.parents[1]
    variables = {**os.environ, "PYTHONPATH": str(installed.parent), "LOCKGATE_HOME": str(home / "home")}
    command = [sys.executable, "-m", "lockgate", "scan", "model", str(home / "files")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=home)


@pytest.mark.parametrize("change", ["name", "space", "missing", "more"])
def test_with_a_changed_list_nothing_is_examined(installed: Path, change: str):
    lists = installed / "detect/allow"
    assert scan(installed).returncode == 0
    match change:
        case "name":
            body = (lists / "python.json").read_text("utf-8")
            (lists / "python.json").write_text(body.replace("OrderedDict", "eval", 1), "utf-8")
        case "space":
            (lists / "numpy.json").write_bytes((lists / "numpy.json").read_bytes() + b"\n")
        case "missing":
            (lists / "torch.json").unlink()
        case _:
            (lists / "zz.json").write_bytes((lists / "joblib.json").read_bytes())
    done = scan(installed)
    assert done.returncode == 2
    assert "is not the one that this version of Lockgate came with" in done.stderr
    assert "Install Lockgate again" in done.stderr
    assert "passed" not in done.stdout


def test_with_a_changed_list_of_operators_nothing_passes(installed: Path):
    listed = installed / "supply/allowed_operators.json"
    (installed.parents[1] / "files/m.onnx").write_bytes(RELU)
    assert "2 passed" in scan(installed).stdout
    listed.write_bytes(listed.read_bytes().replace(b'"ai.onnx:Abs"', b'"evil:Shell"'))
    done = scan(installed)
    assert done.returncode == 1
    assert "allow-list allowed_operators.json is not the one" in done.stdout
    assert "1 passed, 0 failed, 1 errored" in done.stdout


def test_a_file_is_read_only_as_it_was_pinned(tmp_path: Path):
    (tmp_path / "a.json").write_bytes(b"[]")
    digest = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    assert read_pinned(tmp_path, ["a.json"], {"a.json": digest}) == {"a.json": b"[]"}
    for pinned in ({}, {"a.json": digest[::-1]}, {"b.json": digest}):
        with pytest.raises(AlteredListError, match=r"a\.json is not the one"):
            read_pinned(tmp_path, ["a.json"], pinned)
