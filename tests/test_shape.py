"""What review alone would not keep: short files, short functions, no junk drawers, no local paths."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MAX_FILE = 500
MAX_FUNCTION = 60
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
# Where people and build machines keep their files, and options that name a package index of one's own.
LOCAL_PATH = re.compile(r"(?<![\w.$}/-])/(?:home|root|Users|work|workspace|builds|mnt)/[\w.-]")
LOCAL_INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|--proxy\b")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_FILE


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_functions_stay_short(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in long.items() if lines > MAX_FUNCTION} == {}


def test_no_module_is_a_junk_drawer() -> None:
    assert [relative(path) for path in SOURCES if {path.stem, path.parent.name} & JUNK_DRAWERS] == []


def committed_text() -> dict[str, str]:
    """Every tracked text file that git would ship."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    texts: dict[str, str] = {}
    for name in listed.decode().rstrip("\0").split("\0"):
        path = ROOT / name
        body = path.read_bytes() if path.is_file() else b""
        if b"\0" not in body[:8192]:
            texts[name] = body.decode("utf-8", "replace")
    return texts


def test_the_tree_names_no_machine_and_no_private_package_index() -> None:
    here = f"{ROOT}/"
    found = [
        f"{name}:{number}"
        for name, text in committed_text().items()
        if name != relative(Path(__file__))
        for number, line in enumerate(text.splitlines(), start=1)
        # A row of the guard's corpus is somebody's made-up text, and may name a made-up path.
        if here in line or (not name.startswith("corpus/") and (LOCAL_PATH.search(line) or LOCAL_INDEX.search(line)))
    ]
    assert found == []
