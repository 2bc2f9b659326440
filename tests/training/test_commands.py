"""The commands end with one clear line where something is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from training.errors import TrainingError

from training import corpus_stats

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("step", ["linear", "calibrate"])
def test_a_step_without_data_says_what_to_get(tmp_path: Path, step: str) -> None:
    command = [sys.executable, "-m", "training", step, "--data", str(tmp_path)]
    command += ["--work", str(tmp_path)] if step == "linear" else []
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Give --data a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_held_to_weights_that_are_not_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training", "encoder", "--data", str(tmp_path), "--steps", "1", "--hold", "0.5"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--hold needs --start" in done.stderr


def test_counts_go_between_their_marks(tmp_path: Path) -> None:
    line = '{"text": "a", "label": 1, "family": "hijack", "carrier": "email", "lang": "fi", "group": "g"}\n'
    (tmp_path / "some.jsonl").write_text(line, "utf-8")
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- counts -->\nold\n<!-- end of counts -->\nAfter\n", "utf-8")
    corpus_stats.write(readme, tmp_path)
    corpus_stats.write(readme, tmp_path)
    text = readme.read_text("utf-8")
    assert text.startswith("Before\n<!-- counts -->\n1 rows, 1 of them attacks")
    assert "| fi | 1 | 0 |" in text
    assert text.endswith("<!-- end of counts -->\nAfter\n")
    assert "old" not in text


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Mine", "utf-8")
    with pytest.raises(TrainingError, match="no place for counts"):
        corpus_stats.write(tmp_path / "README.md", tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == "Mine"
