"""Data files are read as documented, and a bad one is refused by name and line."""

import gzip
import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    return importlib.import_module("guard_parts.rows")


def written(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def test_what_is_missing_is_filled_in(rows: ModuleType, tmp_path: Path) -> None:
    path = written(
        tmp_path / "some.jsonl",
        {"text": "a", "label": 1, "kind": "indirect_email", "source": "mails", "licence": "ignored"},
        {"text": "b", "label": 0, "family": "everyday", "group": "g", "origin": "tool", "lang": "de"},
        {"text": "c", "label": 0},
    )
    found = [(r.attack, r.origin, r.kind, r.source, r.lang, r.group, r.grouped) for r in rows.read_rows(path)]
    assert found == [
        (True, "document", "indirect_email", "mails", "", "mails indirect_email", False),
        (False, "tool", "everyday", "some", "de", "g", True),
        (False, "user", "unnamed", "some", "", "some unnamed", False),
    ]


@pytest.mark.parametrize(
    ("kind", "origin"),
    [
        ("indirect", "document"),
        ("benign_doc_code", "document"),
        ("benign_html", "document"),
        ("benign_code", "document"),
        ("benign_tool_result", "document"),
        ("hard_benign_doc", "document"),
        ("hard_benign_security", "document"),
        ("benign_chat", "user"),
        ("direct_injection", "user"),
    ],
)
def test_the_origin_follows_from_the_kind(rows: ModuleType, kind: str, origin: str) -> None:
    assert rows.default_origin(kind) == origin


def test_compressed_files_and_odd_text_are_read(rows: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "\\ud800 \\u2028 \xe2\x80\xa8", "label": 1}\n\n{"text": "", "label": 0}'))
    assert [row.text for row in rows.read_rows(path)] == ["\ud800 \u2028 \u2028", ""]
    assert rows.read_rows(path)[0].source == "odd"


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[1]",
        b'{"text": "a"}',
        b'{"label": 1}',
        b'{"text": 5, "label": 1}',
        b'{"text": "a", "label": 2}',
        b'{"text": "a", "label": "1"}',
        b'{"text": "a", "label": 1, "origin": "model"}',
        b'{"text": "\xff", "label": 1}',
        b"[" * 100_000,
    ],
)
def test_a_bad_line_is_named(rows: ModuleType, tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "good", "label": 0}\n\n' + line + b"\n")
    with pytest.raises(rows.BadDataError, match=r"bad\.jsonl, line 3: "):
        rows.read_rows(path)


def test_an_unreadable_file_is_named(rows: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(rows.BadDataError, match=r"absent\.jsonl cannot be read"):
        rows.read_rows(tmp_path / "absent.jsonl")
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(gzip.compress(b'{"text": "a", "label": 1}\n' * 500)[:-10])
    with pytest.raises(rows.BadDataError, match=r"torn\.jsonl\.gz cannot be read"):
        rows.read_rows(torn)
    plain = tmp_path / "plain.jsonl.gz"
    plain.write_bytes(b'{"text": "a", "label": 1}\n')
    with pytest.raises(rows.BadDataError, match=r"plain\.jsonl\.gz cannot be read"):
        rows.read_rows(plain)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(rows.BadDataError, match="holds no rows"):
        rows.read_rows(empty)


def test_the_script_refuses_bad_data_with_2(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path / "good.jsonl", {"text": "a", "label": 1})
    bad = written(tmp_path / "bad.jsonl", {"text": "a", "label": 1}, {"text": "a", "label": None})
    assert script.main(["--data", str(good), str(bad)]) == 2
    printed = capsys.readouterr()
    assert "bad.jsonl, line 2" in printed.err
    assert not printed.out


def test_the_development_split_is_whole_groups(rows: ModuleType, tmp_path: Path) -> None:
    records = [{"text": str(n), "label": n % 2, "group": f"group {n % 60}"} for n in range(240)]
    written(tmp_path / "one.jsonl", *records[:100])
    written(tmp_path / "two.jsonl", *records[100:])
    found = rows.development_rows(tmp_path)
    held = {f"group {n}" for n in range(60) if rows.held_out(f"group {n}")}
    assert {row.group for row in found} == held
    assert len(found) == 4 * len(held)
    # sha256 of "group 18" begins with 0a254540, which is 12 times 14184560.
    assert held == {"group 18", "group 57"}


def test_a_folder_without_corpus_is_named(rows: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(rows.BadDataError, match="holds no corpus"):
        rows.development_rows(tmp_path)


def test_the_committed_corpus_has_a_development_split(rows: ModuleType, script: ModuleType) -> None:
    found = rows.development_rows(script.CORPUS)
    assert {row.attack for row in found} == {True, False}
    assert all(row.grouped and rows.held_out(row.group) for row in found)


def test_a_draw_is_repeatable_and_keeps_the_order(rows: ModuleType) -> None:
    some = [
        rows.Row(str(n), attack=True, origin="user", kind="k", source="s", lang="", group="g", grouped=True)
        for n in range(50)
    ]
    drawn = rows.drawn(some, 10, 7)
    assert drawn == rows.drawn(some, 10, 7) != rows.drawn(some, 10, 8)
    assert [int(row.text) for row in drawn] == sorted(int(row.text) for row in drawn)
    assert rows.drawn(some, None, 7) == rows.drawn(some, 99, 7) == some
