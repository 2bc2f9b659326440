"""What each check says about one dependency, and whose names are taken for imitations."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.supply.deps import DependencyScan, ScanOptions, scan_dependencies, update
from lockgate.supply.deps.imports import imported_by
from lockgate.supply.deps.name_confusion import distance, imitated, known_names
from lockgate.supply.licence import is_allowed

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
SHA = "a" * 64


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "advisories").mkdir()
    for number, name in enumerate(("torch", "pillow", "urllib3"), start=1):
        events = [{"introduced": "0"}, {"fixed": "2.6.0"}]
        affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        severity = {"severity": "CRITICAL"} if name == "urllib3" else {"severity": "HIGH"}
        document = {
            "id": f"GHSA-{number}",
            "modified": "2026-10-01T00:00:00Z",
            "affected": [affected],
            "database_specific": severity,
        }
        (tmp_path / f"advisories/{number}.json").write_text(json.dumps(document))
    malicious = {
        "id": "MAL-1",
        "modified": "2026-10-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "npm", "name": "evil"}}],
    }
    (tmp_path / "advisories/mal.json").write_text(json.dumps(malicious))
    update(str(tmp_path / "advisories"), tmp_path / "db", now=NOW, progress=lambda _: None)
    return tmp_path / "db"


def scan(database: Path, name: str, text: str, **options: object) -> DependencyScan:
    path = database.parent / name
    path.write_text(text)
    return scan_dependencies((path,), ScanOptions(database=database, now=NOW, **options))


def findings(found: DependencyScan) -> dict[tuple[str, str], str]:
    return {
        (item.facts.dependency.name, finding.check[-3:]): finding.severity.value
        for listing in found.listings
        for item in listing.dependencies
        for outcome in item.outcomes
        for finding in outcome.findings
    }


def reasons(found: DependencyScan) -> dict[str, str]:
    return {
        item.facts.dependency.name: item.facts.why_unknown
        for listing in found.listings
        for item in listing.dependencies
    }


def test_requirements(database: Path):
    text = f"torch==2.5.1 --hash=sha256:{SHA}\nnumpy==2.3.0\nscipy>=1\nlangchian==1.0\nx @ https://example.org/x.zip\n"
    found = findings(scan(database, "requirements.txt", text))
    assert found == {
        ("torch", "040"): "high",
        ("numpy", "042"): "medium",
        ("scipy", "041"): "medium",
        ("scipy", "042"): "medium",
        ("langchian", "042"): "medium",
        ("langchian", "043"): "high",
        ("x", "044"): "medium",
        ("x", "047"): "low",
    }


def test_npm(database: Path):
    packages = {
        "node_modules/evil": {
            "version": "1.0.0",
            "integrity": "sha512-" + "A" * 86 + "==",
            "hasInstallScript": True,
            "license": "AGPL-3.0-only",
        },
        "node_modules/old": {
            "version": "1.0.0",
            "integrity": "sha1-x",
            "deprecated": "no",
            "license": "(MIT OR GPL-2.0-only)",
        },
    }
    text = json.dumps({"lockfileVersion": 3, "packages": packages})
    found = findings(scan(database, "package-lock.json", text, licences=frozenset({"MIT"})))
    assert found == {
        ("evil", "040"): "critical",
        ("evil", "045"): "medium",
        ("evil", "047"): "low",
        ("old", "042"): "medium",
        ("old", "046"): "low",
    }


def test_what_cannot_be_compared_is_never_passed(database: Path):
    found = scan(database, "requirements.txt", "torch>=2\nnumpy===odd\nwhat is this\n-e ./local\n")
    assert all(reasons(found).values())
    assert len(reasons(found)) == 4


POETRY = """[[package]]
name = "{name}"
version = "2.5.1"
files = []
[package.source]
type = "directory"
url = "../own"
[metadata]
lock-version = "2.1"
"""


def test_a_library_from_elsewhere_is_not_passed_by_the_version_that_it_gives_itself(database: Path):
    assert "does not come from a registry" in reasons(scan(database, "poetry.lock", POETRY.format(name="own")))["own"]
    accepted = scan(database, "poetry.lock", POETRY.format(name="own"), unmatched={"own": "ours"})
    assert reasons(accepted)["own"] == "ours"
    known = scan(database, "poetry.lock", POETRY.format(name="torch"), unmatched={"torch": "ours"})
    assert findings(known)["torch", "040"] == "high"


def test_an_old_database_still_tells_what_it_knows_and_passes_nothing(database: Path):
    options = {"max_age": dt.timedelta(days=-1)}
    found = scan(database, "requirements.txt", "torch==2.5.1\nnumpy==2.3.0\n", **options)
    assert ("torch", "040") in findings(found)
    assert "too long ago" in reasons(found)["numpy"]
    found = scan(database, "requirements.txt", "numpy==2.3.0\n", max_data_age=dt.timedelta(days=30))
    assert "newest advisory" in reasons(found)["numpy"]


def test_what_the_code_imports_comes_first(database: Path):
    code = database.parent / "code"
    code.mkdir()
    (code / "main.py").write_text("import requests\ndef f():\n    import PIL.Image\n")
    lock = "\n".join(
        f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ registry = "r" }}\ndependencies = [{needs}]\n'
        for name, needs in (("torch", ""), ("pillow", ""), ("requests", '{ name = "urllib3" }'), ("urllib3", ""))
    )
    found = scan(database, "uv.lock", "version = 1\n" + lock, code=code)
    ordered = [(item.facts.dependency.name, item.facts.use) for item in found.listings[0].dependencies]
    assert ordered[:3] == [("pillow", "imported"), ("urllib3", "through another"), ("torch", "not seen")]
    (code / "broken.py").write_text("def")
    found = scan(database, "uv.lock", "version = 1\n" + lock, code=code)
    assert {item.facts.use for item in found.listings[0].dependencies if item.facts.dependency.name == "torch"} == {
        "unknown"
    }


def test_imports_are_found_wherever_they_stand():
    code = (
        b"from a.b import c\nfrom . import own\nimport importlib\nx = importlib.import_module('d.e')\n__import__('f')\n"
    )
    assert imported_by(code) == {"a", "importlib", "d", "f"}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("langchian", "langchain"),
        ("torhc", "torch"),
        ("opena1", "openai"),
        ("\u043epenai", "openai"),
        ("transforrners", "transformers"),
        ("hugginface-hub", "huggingface-hub"),
        ("hub-huggingface", "huggingface-hub"),
        ("scikitlearn", "scikit-learn"),
        ("python-openai", "openai"),
        ("sklearn", "scikit-learn"),
        ("httpx2", "httpx"),
    ],
)
def test_imitations_are_told(name: str, target: str):
    found = imitated(name)
    assert found is not None
    assert found.name == target


def test_packages_that_are_used_a_lot_are_no_imitations():
    names = known_names()
    assert len(names) > 5000
    assert [name for name in names if imitated(name)] == []
    # Not even where the list did not know them: no more than one in fifty.
    sample = sorted(names)[::10]
    assert sum(imitated(name, names - {name}) is not None for name in sample) <= len(sample) / 50


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_the_distance_is_symmetric_bounded_and_zero_only_for_equals(one: str, other: str):
    assert distance(one, other, 9) == distance(other, one, 9)
    assert (distance(one, other, 9) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other, 9) <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("mit OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT AND Apache-2.0", True),
        ("(GPL-3.0-only OR MIT) AND GPL-2.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("", False),
        ("(MIT", False),
        ("MIT)", False),
        ("SEE LICENSE IN file", False),
        ("(" * 60, False),
    ],
)
def test_licence_expressions(expression: str, allowed: object):
    assert is_allowed(expression, frozenset({"MIT", "Apache-2.0"})) is allowed
