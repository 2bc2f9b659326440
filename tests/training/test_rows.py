"""What is kept for development is never trained on, and which rows these are depends on the data alone."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from training.errors import TrainingError
from training.rows import CAPS, bucket, held_out, public_split, read_corpus, read_public

KEPT_BACK = next(f"group-{n}" for n in range(99) if held_out(f"group-{n}"))
TRAINED_ON = next(f"group-{n}" for n in range(99) if not held_out(f"group-{n}"))


def write_public(folder: Path, rows: list[dict[str, Any]], name: str = "train") -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def public(text: str, source: str = "slabs", label: int = 0, kind: str = "benign_chat") -> dict[str, Any]:
    return {"text": text, "label": label, "kind": kind, "source": source, "license": "MIT"}


def own(text: str, group: str, label: int = 1) -> str:
    row = {"text": text, "label": label, "family": "hijack", "carrier": "email", "origin": "document"}
    return json.dumps({**row, "lang": "en", "group": group}) + "\n"


def test_a_group_is_kept_back_as_a_whole_and_by_its_name_alone(tmp_path: Path) -> None:
    groups = [f"group-{n}" for n in range(60)]
    lines = [own(f"{group} {n}", group) for group in groups for n in range(3)]
    (tmp_path / "some.jsonl").write_text("".join(lines), "utf-8")
    (tmp_path / "other.jsonl").write_text("".join(reversed(lines)), "utf-8")
    corpus = read_corpus(tmp_path)
    kept, trained = {row.group for row in corpus.development}, {row.group for row in corpus.train}
    assert kept
    assert not kept & trained
    assert kept == {group for group in groups if held_out(group)}
    assert len(corpus.development) == 6 * len(kept)


def test_the_rule_of_the_split_is_the_published_one() -> None:
    assert bucket("h3-c-mail-office") == 0xC399E258
    assert [held_out(f"group-{n}") for n in range(12_000)].count(True) == pytest.approx(1000, rel=0.1)


def test_nothing_of_a_kept_back_group_is_planted_and_no_payload_is_a_row(tmp_path: Path) -> None:
    for name in ("carriers", "carriers-b", "payloads", "payloads-b", "indirect"):
        lines = (own(f"{name} kept", KEPT_BACK), own(f"{name} free", TRAINED_ON))
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    corpus = read_corpus(tmp_path)
    assert [row.text for row in corpus.carriers] == ["carriers-b free", "carriers free"]
    assert [row.text for row in corpus.payloads] == ["payloads-b free", "payloads free"]
    assert [row.text for row in corpus.train] == ["carriers-b free", "carriers free", "indirect free"]
    assert [row.text for row in corpus.development] == ["carriers-b kept", "carriers kept", "indirect kept"]


def test_public_rows_are_split_by_source_and_capped_and_never_repeated(tmp_path: Path) -> None:
    limit = CAPS["opi_composed"]
    rows = [public(f"Task number {n}", "opi_composed", 1) for n in range(limit + 5)]
    rows += [public("Held out", "nullsec", 1), public("  HELD\nout ", "slabs"), public("Only here", "wildchat_benign")]
    write_public(tmp_path, rows)
    split = public_split(tmp_path)
    assert sum(row.source == "opi_composed" for row in split.train) == limit
    texts = [" ".join(row.text.lower().split()) for row in (*split.train, *split.development)]
    assert len(texts) == len(set(texts))
    assert texts.count("held out") == 1
    assert not {row.source for row in split.train} & {row.source for row in split.development}
    assert public_split(tmp_path) == split


def test_a_row_comes_from_where_its_kind_says(tmp_path: Path) -> None:
    rows = [
        public("a", kind="benign_doc_table"),
        public("b", kind="indirect_email"),
        public("c", "llmail_phase1_train"),
    ]
    write_public(tmp_path, [*rows, public("d", kind="hard_benign_roleplay")], "validation")
    origins = {row.text: row.origin for row in read_public(tmp_path, "validation.jsonl.gz")}
    assert origins == {"a": "document", "b": "document", "c": "document", "d": "user"}


def test_missing_data_say_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"holds no train.jsonl.gz.*text, label"):
        public_split(tmp_path)


@pytest.mark.parametrize("line", ['{"text": "a"', '{"text": "a", "label": 2}', '{"label": 1}', "[" * 100_000])
def test_a_malformed_line_is_named_and_not_quoted(tmp_path: Path, line: str) -> None:
    (tmp_path / "some.jsonl").write_text(own("fine", "g") + line + "\n", "utf-8")
    with pytest.raises(TrainingError, match="line 2, is no row"):
        read_corpus(tmp_path)


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    write_public(tmp_path, [public(f"Row {n}") for n in range(500)])
    whole = (tmp_path / "train.jsonl.gz").read_bytes()
    (tmp_path / "train.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="cannot be read"):
        public_split(tmp_path)


def test_frames_are_read_without_those_kept_back_and_must_hold_one_place(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text(own("text", TRAINED_ON), "utf-8")
    assert read_corpus(tmp_path).frames == []
    (tmp_path / "frames").mkdir()
    path = tmp_path / "frames/quotations.jsonl"
    frames = [{"text": f"{n}: {{attack}}", "origin": "document", "lang": "en", "group": group}
              for n, group in enumerate((TRAINED_ON, KEPT_BACK))]  # fmt: skip
    path.write_text("".join(json.dumps(frame) + "\n" for frame in frames), "utf-8")
    assert [frame.text for frame in read_corpus(tmp_path).frames] == ["0: {attack}"]
    path.write_text(json.dumps({**frames[0], "text": "nothing to fill in"}), "utf-8")
    with pytest.raises(TrainingError, match="once"):
        read_corpus(tmp_path)
