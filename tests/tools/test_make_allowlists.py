"""Allow-lists are made from wheels without importing them, and lose no name because a wheel is missing."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lockgate.detect.pickle_names import DIGEST

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "src/lockgate/detect/allow"
BOMB = "raise SystemExit('a wheel was imported')\n"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    shutil.copytree(LISTS, tmp_path / "allow", ignore=shutil.ignore_patterns("*.sig"))
    return tmp_path / "allow"


def make(tmp_path: Path, out: Path, *options: str) -> str:
    (tmp_path / "wheels").mkdir(exist_ok=True)
    command = [sys.executable, ROOT / "tools/make_allowlists.py", tmp_path / "wheels", "--out", out, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def wheel(tmp_path: Path, version: str, text: str, member: str = "joblib/numpy_pickle.py") -> None:
    (tmp_path / "wheels").mkdir(exist_ok=True)
    name = member.partition("/")[0]
    with zipfile.ZipFile(tmp_path / f"wheels/{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(member, BOMB + text)


def test_without_wheels_every_list_stays_as_it_is(tmp_path: Path, out: Path):
    printed = make(tmp_path, out, "--pins", str(tmp_path / "pins.py"))
    assert (tmp_path / "pins.py").read_bytes() == (LISTS.parent / "pickle_pins.py").read_bytes()
    assert "joblib.json: no wheel of 1.2.0, 1.6.0; kept" in printed
    assert f"digest of all lists: {DIGEST}" in printed
    assert all(path.read_bytes() == (LISTS / path.name).read_bytes() for path in out.glob("*.json"))


def test_a_newer_wheel_alone_drops_the_older_version_only_on_request(tmp_path: Path, out: Path):
    wheel(tmp_path, "9.0.0", "class NumpyArrayWrapper:\n    pass\n")
    assert "kept" in make(tmp_path, out)
    assert json.loads((out / "joblib.json").read_text())["versions"] == ["1.2.0", "1.6.0"]
    assert "names may go" in make(tmp_path, out, "--fewer")
    listed = json.loads((out / "joblib.json").read_text())
    assert listed["versions"] == ["9.0.0"]
    assert listed["classes"] == {"joblib.numpy_pickle": ["NumpyArrayWrapper"]}


def test_a_class_with_a_hook_that_nobody_reviewed_is_left_out(tmp_path: Path, out: Path):
    hook = "class Booster:\n    def __setstate__(self, state):\n        run(state)\n"
    wheel(tmp_path, "4.7.0", f"{hook}class Sequence:\n    pass\n", member="lightgbm/basic.py")
    make(tmp_path, out, "--fewer")
    assert "Booster" not in (out / "lightgbm.json").read_text()
