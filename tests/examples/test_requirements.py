"""The example's requirements are those that its gates and 'make demo' really run with."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def entries(path: Path) -> set[str]:
    text = re.sub(r"(?m)^#.*\n", "", path.read_text("utf-8"))
    return {entry.strip() for entry in re.split(r"(?m)^(?=\S)", text) if entry.strip()}


def test_every_entry_is_one_of_the_lock_file_that_is_installed():
    ours = entries(ROOT / "examples/assistant/requirements.txt")
    assert ours <= entries(ROOT / "requirements/runtime.txt"), "copy the changed entries from requirements/runtime.txt"
    names = {Requirement(entry.partition("\\")[0]).name for entry in ours}
    assert {"openai", "numpy", "safetensors", "scikit-learn"} <= names
