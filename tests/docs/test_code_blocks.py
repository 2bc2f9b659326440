"""Every Python block of the documentation runs, and every settings file in it is one that Lockgate accepts."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from lockgate.core import strict_yaml
from lockgate.core.config import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_EXAMPLES = ["lockgate.core.check", "lockgate.evidence"]


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    return [(info.strip(), code) for found, info, code in BLOCK.findall(page.read_text("utf-8")) if found == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path):
    names: dict[str, object] = {}
    for info, code in blocks(page, "python"):
        if info == "no-run":
            compile(code, page.name, "exec")
            continue
        if info != "continuation":
            names = {"__name__": "example"}
        exec(compile(code, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_in_the_documentation_are_accepted(page: Path):
    for _, text in blocks(page, "yaml"):
        document = strict_yaml.load(text.encode(), name=page.name)
        if isinstance(document, dict) and "project" in document:
            parse(document)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_docstring_examples_run(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
