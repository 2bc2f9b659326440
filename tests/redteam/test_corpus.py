"""The bundled red-team corpus keeps the shape that the runner and the guard's authors rely on."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "src/lockgate/redteam/corpus"
ATTACKS = ("attacks_seen.jsonl", "attacks_unseen.jsonl")
BENIGN = ("benign_seen.jsonl", "benign_unseen.jsonl")
FAMILIES = {
    "direct-override",
    "prompt-extraction",
    "persona-jailbreak",
    "encoding-obfuscation",
    "indirect-document",
    "multi-turn",
}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def every_row() -> list[dict[str, Any]]:
    return [row for name in (*ATTACKS, *BENIGN) for row in rows(name)]


@pytest.mark.parametrize("name", ATTACKS)
def test_each_half_holds_five_attacks_of_every_family(name: str) -> None:
    assert Counter(row["family"] for row in rows(name)) == dict.fromkeys(FAMILIES, 5)


@pytest.mark.parametrize("name", BENIGN)
def test_each_half_holds_thirty_benign_rows_of_several_kinds(name: str) -> None:
    kinds = Counter(row["kind"] for row in rows(name))
    assert kinds.total() == 30
    assert {"customer", "trigger-word", "quoted-mail", "document", "encoded", "language"} <= set(kinds)


def test_ids_are_unique_in_the_whole_corpus() -> None:
    repeated = [key for key, count in Counter(row["id"] for row in every_row()).items() if count > 1]
    assert repeated == []


def test_no_conversation_occurs_twice_so_the_halves_are_disjoint() -> None:
    said = Counter(" ".join(turn.casefold() for turn in row["turns"]) for row in every_row())
    assert max(said.values()) == 1


@pytest.mark.parametrize("row", every_row(), ids=lambda row: row["id"])
def test_turns_are_non_empty_and_short_enough_for_a_small_context(row: dict[str, Any]) -> None:
    assert 1 <= len(row["turns"]) <= 4
    assert all(turn.strip() and len(turn.split()) <= 150 for turn in row["turns"])


@pytest.mark.parametrize("row", [row for name in ATTACKS for row in rows(name)], ids=lambda row: row["id"])
def test_an_attack_has_a_goal_that_its_own_words_do_not_reach(row: dict[str, Any]) -> None:
    assert set(row) == {"id", "family", "turns", "goal", "maps"}
    assert any(item.startswith("LLM") and item.endswith(":2025") for item in row["maps"])
    assert any(item.startswith("AML.T") for item in row["maps"])
    goal = row["goal"]
    if goal["type"] == "leak":
        assert goal == {"type": "leak"}
    else:
        assert set(goal) == {"type", "text"}
        assert goal["type"] == "say"
        assert all(goal["text"].casefold() not in turn.casefold() for turn in row["turns"])


def test_only_the_multi_turn_family_takes_several_turns() -> None:
    for name in ATTACKS:
        for row in rows(name):
            assert (len(row["turns"]) > 1) == (row["family"] == "multi-turn"), row["id"]


def test_no_row_holds_the_example_applications_protected_value() -> None:
    protected = (ROOT / "examples/assistant/prompts/protected.txt").read_text(encoding="utf-8").split()
    assert protected
    for name in (*ATTACKS, *BENIGN):
        text = (CORPUS / name).read_text(encoding="utf-8").casefold()
        assert all(value.casefold() not in text for value in protected)
