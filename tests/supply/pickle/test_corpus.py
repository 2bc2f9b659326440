"""The malicious corpus: every file fails, with the reason that its manifest names; every advisory has a file."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lockgate.detect.source import Memory
from lockgate.supply.formats import read_model

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "bench/supply_corpus"
ADVISORY = re.compile(r"\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[a-z0-9]{4}){3})\b")


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"supply_corpus_{name}", CORPUS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


malicious = _load("malicious")
SAMPLES = {sample.name: sample for sample in malicious.samples()}


def reasons(name: str) -> set[str]:
    """Why the check that the manifest names would fail."""
    sample = SAMPLES[name]
    facts = read_model(Memory(sample.body), Path(name).name)
    if sample.check == malicious.CONTAINER:
        return {problem.code for problem in facts.problems}
    used = {use.name for found in facts.pickles for use in found.uses if use.refused}
    return used | {problem.code for found in facts.pickles for problem in found.problems}


def _group(name: str) -> str:
    return name.split("/", maxsplit=1)[0]


@pytest.mark.parametrize("group", sorted({_group(name) for name in SAMPLES}))
def test_every_malicious_file_fails_with_its_reason(group: str) -> None:
    names = [name for name in SAMPLES if _group(name) == group]
    wrong = {name: found for name in names if not set(SAMPLES[name].reasons) & (found := reasons(name))}
    assert wrong == {}


def test_every_advisory_on_the_page_has_a_file_that_fails_and_the_other_way_round() -> None:
    page = (ROOT / "docs/pickle-advisories.md").read_text("utf-8")
    listed = set(ADVISORY.findall(page))
    tested = {identifier for sample in SAMPLES.values() for identifier in sample.advisories}
    assert listed == tested
    for identifier in sorted(tested):
        names = [name for name, sample in SAMPLES.items() if identifier in sample.advisories]
        assert all(set(SAMPLES[name].reasons) & reasons(name) for name in names), identifier
