import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Cause, Decision, GateDecision, Hold, Stage
from lockgate.report import RunReport, StageReport, schema, to_json
from lockgate.report.json_report import JsonReport

ROOT = Path(__file__).resolve().parents[2]


def document(report: RunReport) -> dict[str, Any]:
    return json.loads(to_json(report))


def test_the_public_names_are_there(held_report: RunReport) -> None:
    found = document(held_report)
    assert found["version"] == 1
    assert found["decision"] == "HELD"
    assert [gate["stage"] for gate in found["gates"]] == ["data", "train", "supply", "redteam", "deploy"]
    data = found["gates"][0]
    assert set(data) == {"stage", "decision", "reasons", "holds", "waived", "notes"}
    assert data["decision"] == "HELD"
    assert "data/faq.jsonl" in data["reasons"][0]
    assert data["holds"][0]["finding"]["location"]["uri"] == "data/faq.jsonl"
    assert data["waived"][0]["owner"] == "release owner"
    assert found["gates"][1]["reasons"] == ["Declared absent: the model is used as it comes."]
    assert found["redteam"]["bare"]["attempts"] == 60
    assert found["redteam"]["guarded"]["wilson95"] == [0.003, 0.0886]
    assert found["evidence"][0]["role"] == "scanner"
    assert found["stages"][0]["outcomes"][4]["status"] == "ERRORED"


def test_a_run_without_attack_says_null(held_report: RunReport) -> None:
    assert document(msgspec.structs.replace(held_report, redteam=None))["redteam"] is None


def test_the_document_satisfies_its_published_schema(held_report: RunReport, open_report: RunReport) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(document(held_report))
    validator.validate(document(open_report))
    empty = RunReport(project="p", run="r", lockgate="0", started="", finished="")
    validator.validate(document(empty))
    assert document(empty)["decision"] == "HELD"


def test_a_program_can_read_it_back(held_report: RunReport) -> None:
    assert msgspec.json.decode(to_json(held_report), type=JsonReport).run == held_report.run


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(msgspec.json.encode(schema()))


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_makes_valid_json(text: str) -> None:
    gate = GateDecision(Stage.DATA, Decision.HELD, holds=(Hold(Cause.ERRORED, text),), notes=(text,))
    report = RunReport(project=text, run=text, lockgate="0", started=text, finished=text, stages=(StageReport(gate),))
    found = document(report)
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert found["gates"][0]["reasons"] == [text]


def test_the_same_run_gives_the_same_bytes(held_report: RunReport) -> None:
    assert to_json(held_report) == to_json(held_report)


@pytest.mark.parametrize(
    ("decisions", "headline"),
    [
        ((), "No gate was decided."),
        ((Decision.OPEN,), "The data gate is open."),
        ((Decision.OPEN, Decision.OPEN), "All 2 gates are open."),
        ((Decision.OPEN, Decision.HELD), "The train gate is held."),
        ((Decision.HELD, Decision.OPEN, Decision.HELD), "2 of 3 gates are held, data first."),
    ],
)
def test_the_headline_says_where_the_run_stands(decisions: tuple[Decision, ...], headline: str) -> None:
    stages = tuple(
        StageReport(GateDecision(stage, decision)) for stage, decision in zip(Stage, decisions, strict=False)
    )
    report = RunReport(project="p", run="r", lockgate="0", started="", finished="", stages=stages)
    assert report.headline == headline
