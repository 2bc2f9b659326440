"""A corpus is read strictly, and every complaint names file and line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate import __version__
from lockgate.redteam import Leak, RedteamError, Say, load

LEAKING = {"id": "a-1", "family": "f", "turns": ["Hi."], "goal": {"type": "leak"}, "maps": ["LLM01:2025"]}
SAYING = LEAKING | {"id": "a-2", "goal": {"type": "say", "text": "BINGO"}}
HARMLESS = {"id": "b-1", "turns": ["Hi."], "kind": "customer"}


def write(root: Path, **files: list[dict[str, object]] | str) -> None:
    folder = root / "own"
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def test_the_bundled_corpus_loads_with_both_halves() -> None:
    corpus = load()
    assert corpus.version == __version__
    assert {attack.half for attack in corpus.attacks} == {"seen", "unseen"} == {row.half for row in corpus.benign}
    assert (len(corpus.attacks), len(corpus.benign)) == (60, 60)
    assert len(corpus.sha256) == 64


def test_a_folder_of_the_project_loads(tmp_path: Path) -> None:
    write(tmp_path, attacks_seen=[LEAKING], attacks_unseen=[SAYING], benign_unseen=[HARMLESS])
    corpus = load("own", root=tmp_path)
    assert corpus.version == "own"
    assert [(item.id, item.half, item.goal) for item in corpus.attacks] == [
        ("a-1", "seen", Leak()),
        ("a-2", "unseen", Say(text="BINGO")),
    ]
    assert [(item.id, item.half) for item in corpus.benign] == [("b-1", "unseen")]


def test_any_change_of_a_byte_or_a_name_changes_the_digest(tmp_path: Path) -> None:
    seen = set()
    for files in ({"attacks_seen": [LEAKING]}, {"attacks_unseen": [LEAKING]}, {"attacks_seen": [SAYING]}):
        for old in tmp_path.glob("own/*"):
            old.unlink()
        write(tmp_path, **files)
        seen.add(load("own", root=tmp_path).sha256)
    assert len(seen) == 3


@pytest.mark.parametrize(
    "row",
    [
        LEAKING | {"extra": 1},
        LEAKING | {"half": "seen"},
        {key: value for key, value in LEAKING.items() if key != "maps"},
        LEAKING | {"id": "A 1"},
        LEAKING | {"id": "a\n"},
        LEAKING | {"turns": []},
        LEAKING | {"turns": ["  "]},
        LEAKING | {"turns": "Hi."},
        LEAKING | {"goal": {"type": "cheer"}},
        LEAKING | {"goal": {"type": "leak", "text": "x"}},
        LEAKING | {"goal": {"type": "say"}},
        LEAKING | {"goal": {"type": "say", "text": " "}},
        LEAKING | {"maps": ["LLM01"]},
        SAYING | {"turns": ["Say bingo."]},
    ],
)
def test_a_malformed_attack_is_refused_with_its_line(tmp_path: Path, row: dict[str, Any]) -> None:
    write(tmp_path, attacks_seen=[LEAKING, row | {"id": row["id"].replace("1", "9").replace("2", "8")}])
    with pytest.raises(RedteamError, match=r"attacks_seen\.jsonl line 2"):
        load("own", root=tmp_path)


@pytest.mark.parametrize("text", ["{", "\n", "null\n", "[]\n", "\ufeff{}\n", json.dumps(HARMLESS) + "\n\n"])
def test_what_is_no_row_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    write(tmp_path, attacks_seen=[LEAKING], benign_seen=text)
    with pytest.raises(RedteamError, match=r"benign_seen\.jsonl line [12]"):
        load("own", root=tmp_path)


def test_the_same_id_twice_is_refused_across_files(tmp_path: Path) -> None:
    write(tmp_path, attacks_seen=[LEAKING], benign_unseen=[HARMLESS | {"id": "a-1"}])
    with pytest.raises(RedteamError, match="occurs twice"):
        load("own", root=tmp_path)


def test_a_misspelled_file_is_refused_instead_of_ignored(tmp_path: Path) -> None:
    write(tmp_path, attacks_seen=[LEAKING], attack_unseen=[SAYING])
    with pytest.raises(RedteamError, match="attack_unseen"):
        load("own", root=tmp_path)


def test_a_corpus_without_attacks_is_refused(tmp_path: Path) -> None:
    write(tmp_path, benign_seen=[HARMLESS])
    with pytest.raises(RedteamError, match="no attack"):
        load("own", root=tmp_path)


@pytest.mark.parametrize("source", ["missing", "../elsewhere", "/etc", ""])
def test_a_folder_that_is_not_there_or_outside_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(RedteamError):
        load(source, root=tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, attacks_seen=[LEAKING])
    (tmp_path / "own/attacks_unseen.jsonl").symlink_to(tmp_path / "own/attacks_seen.jsonl")
    with pytest.raises(RedteamError, match="symbolic link"):
        load("own", root=tmp_path)


@given(st.binary(max_size=120))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_load_or_are_refused(tmp_path: Path, body: bytes) -> None:
    write(tmp_path, attacks_seen=[LEAKING])
    (tmp_path / "own/benign_seen.jsonl").write_bytes(body)
    complaint = ""
    try:
        load("own", root=tmp_path)
    except RedteamError as error:
        complaint = str(error)
    assert not complaint or "benign_seen.jsonl line" in complaint
