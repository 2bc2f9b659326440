"""The same bill as SPDX 2.3: every id once, every relationship between what is listed, nothing lost."""

import datetime as dt
import re
from pathlib import Path

import pytest

from lockgate.core import sha256_hex
from lockgate.supply.bom import take_inventory, to_spdx
from lockgate.supply.bom.licences import licence_id

ROWS = b'{"q": "When?"}\n'
FILES = {
    "data/rows.jsonl": ROWS.decode(),
    "prompts/system.md": "Be kind.",
    "app.py": 'from openai import OpenAI\nclient = OpenAI()\nrows = load_dataset("org/rows")\n',
    "requirements.txt": f"torch==2.9.1 --hash=sha256:{'a' * 64}\n",
    "lockgate.yaml": """version: 1
project: demo
train: {command: [python, t.py], inputs: [data], output: build}
supply:
  data_sets: [{name: questions, origin: "https://data.example/q", revision: 3f2a9c1, licence: "some terms"}]
  sources: [{name: Provider, kind: model-api, address: api.openai.com, reviewed_until: 2030-01-31}]
""",
}


@pytest.fixture
def document(tmp_path: Path) -> dict[str, object]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "build").mkdir()
    for name in ("base", "tuned"):
        (tmp_path / f"build/{name}.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    return to_spdx(take_inventory(tmp_path), at=None)


def test_the_document_has_what_the_format_demands(document: dict[str, object]):
    assert (document["spdxVersion"], document["dataLicense"]) == ("SPDX-2.3", "CC0-1.0")
    assert document["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    ids = [package["SPDXID"] for package in document["packages"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", number) for number in ids)
    ends = {item[end] for item in document["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert ends == {*ids, "SPDXRef-DOCUMENT"}, "everything listed belongs to something"
    declared = {package["licenseDeclared"] for package in document["packages"]} - {"NOASSERTION"}
    assert declared == {item["licenseId"] for item in document["hasExtractedLicensingInfos"]}


def test_everything_is_listed_with_its_identity(document: dict[str, object]):
    packages = {package["name"]: package for package in document["packages"]}
    assert packages["data/rows.jsonl"]["checksums"] == [{"algorithm": "SHA256", "checksumValue": sha256_hex(ROWS)}]
    assert packages["torch"]["externalRefs"][0]["referenceLocator"] == "pkg:pypi/torch@2.9.1"
    assert packages["questions"]["versionInfo"] == "3f2a9c1"
    assert "2030-01-31" in packages["Provider"]["comment"]
    assert "app.py:2" in packages["https://api.openai.com/v1"]["comment"]
    assert {"demo", "prompts/system.md", "org/rows", "build/tuned.safetensors"} <= packages.keys()


def test_models_name_the_rows_that_they_were_made_from(document: dict[str, object]):
    names = {package["SPDXID"]: package["name"] for package in document["packages"]}
    made = {
        (names[item["spdxElementId"]], names[item["relatedSpdxElement"]])
        for item in document["relationships"]
        if item["relationshipType"] == "GENERATED_FROM"
    }
    assert ("build/tuned.safetensors", "data/rows.jsonl") in made


def test_a_reproducible_document_is_the_same_twice_and_another_is_not(tmp_path: Path):
    (tmp_path / "app.py").write_text("OpenAI()\n", "utf-8")
    taken = take_inventory(tmp_path)
    assert to_spdx(taken, at=None) == to_spdx(taken, at=None)
    now = dt.datetime(2026, 11, 22, 8, 0, 1, tzinfo=dt.UTC)
    first, second = to_spdx(taken, at=now), to_spdx(taken, at=now)
    assert first["documentNamespace"] != second["documentNamespace"]
    assert first["creationInfo"]["created"] == "2026-11-22T08:00:01Z"


def test_what_could_not_be_read_is_said(tmp_path: Path):
    (tmp_path / "app.py").write_text("def (", "utf-8")
    assert "Incomplete. app.py cannot be parsed" in to_spdx(take_inventory(tmp_path), at=None)["comment"]


@pytest.mark.parametrize(("stated", "known"), [("apache-2.0", "Apache-2.0"), ("gpl-3.0", "GPL-3.0-only"), ("x", "")])
def test_licences_in_their_proper_spelling(stated: str, known: str):
    assert licence_id(stated) == known
