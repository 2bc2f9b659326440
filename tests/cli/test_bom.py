"""`lockgate bom` as its user sees it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def application(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.py").write_text('rows = load_dataset("org/rows")\n', "utf-8")
    (tmp_path / "app/requirements.txt").write_text("torch==2.9.1\n", "utf-8")
    return tmp_path / "app"


def test_a_bill_is_written_and_counted(run: Run, application: Path, tmp_path: Path):
    code, out, _ = run("bom", application, "--out", tmp_path / "bom.json")
    assert code == 0
    assert "1 libraries, 1 places in code" in out
    assert json.loads((tmp_path / "bom.json").read_bytes())["bomFormat"] == "CycloneDX"


def test_a_bill_goes_to_standard_output_and_can_be_reproduced(run: Run, application: Path):
    first = run("bom", application, "--reproducible")[1]
    assert json.loads(first)["components"]
    assert first == run("bom", application, "--reproducible")[1]
    assert first != run("bom", application)[1]


def test_an_incomplete_bill_is_exit_1_and_a_missing_folder_exit_2(run: Run, application: Path, tmp_path: Path):
    (application / "broken.py").write_text("def", "utf-8")
    code, _, err = run("bom", application, "--out", tmp_path / "bom.json")
    assert code == 1
    assert "broken.py cannot be parsed" in err
    assert (tmp_path / "bom.json").is_file()
    assert run("bom", tmp_path / "nowhere", "--out", tmp_path / "bom.json")[0] == 2


def test_spdx_on_request(run: Run, application: Path, tmp_path: Path):
    assert run("bom", application, "--format", "spdx", "--out", tmp_path / "bom.spdx.json")[0] == 0
    assert json.loads((tmp_path / "bom.spdx.json").read_bytes())["spdxVersion"] == "SPDX-2.3"
    assert run("bom", application, "--format", "swid")[0] == 2
