import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Severity, Status, SubjectRef, run
from lockgate.core.files import Content
from lockgate.data import DataError
from lockgate.data.broken_row import BrokenRow
from lockgate.data.passage import CHUNK_CHARS, OVERLAP_CHARS, passages_of
from lockgate.data.repeated_row import RepeatedRow
from lockgate.data.row_file import RowFile, read_rows

FIELDS = ("id", "question", "answer")
GOOD = '{"id": "r1", "question": "Open?", "answer": "Yes."}'


def _read(body: bytes | str, declared: tuple[str, ...] = FIELDS) -> RowFile:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return read_rows(Content(SubjectRef("rows.jsonl", "0" * 64), raw), declared)


def _broken(body: bytes | str, declared: tuple[str, ...] = FIELDS) -> list[tuple[str, int | None, Severity]]:
    findings = run(BrokenRow(), _read(body, declared)).findings
    return [(item.location.path, item.location.line, item.severity) for item in findings]


def _paths(body: bytes | str, declared: tuple[str, ...] = FIELDS) -> list[str]:
    return [path for path, _, _ in _broken(body, declared)]


def test_good_rows_pass_with_either_line_end() -> None:
    other = GOOD.replace("r1", "r2").replace("Open", "Closed")
    for end in ("\n", "\r\n"):
        assert _paths(f"{GOOD}{end}{other}{end}") == []
        assert _paths(f"{GOOD}{end}{other}") == []


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ("not json", "/1#json"),
        ("{'id': 'r2'}", "/1#json"),
        (GOOD + GOOD, "/1#json"),
        ('["a"]', "/1#object"),
        ('"text"', "/1#object"),
        ("null", "/1#object"),
        ("[" * 100_000 + "]" * 100_000, "/1#json"),
        ('{"id": "r2", "question": "Q", "answer": "A", "answer": "B"}', "/r2#repeated-field"),
        ('{"id": "r2", "question": "Q", "answer": "A", "extra": "B"}', "/r2/extra#unknown"),
        ('{"id": "r2", "question": "Q"}', "/r2/answer#missing"),
        ('{"question": "Q", "answer": "A"}', "/1/id#missing"),
        ('{"id": "r2", "question": "Q", "answer": 7}', "/r2/answer#type"),
        ('{"id": "r2", "question": "Q", "answer": null}', "/r2/answer#type"),
        ('{"id": "r2", "question": "Q", "answer": {"a": "b"}}', "/r2/answer#type"),
        ('{"id": "r2", "question": " \\t", "answer": "A"}', "/r2/question#blank"),
        ('{"id": "r2", "question": "Q", "answer": "a\\u0000b"}', "/r2#nul"),
        ('{"id": "r2", "question": "Q", "answer": "\\ud800"}', "/r2#surrogate"),
        ('{"id": "r1", "question": "Q", "answer": "A"}', "/1#repeated-id"),
        ('{"id": "r2", "question": "Q", "answer": "' + "x" * (1 << 20) + '"}', "/1#length"),
        ('{"id": "r2", "question": "a\tb", "answer": "A"}', "/1#json"),
        ('{"id": "r2", "question": "Q", "answer": "A"}\u2028', "/1#json"),
    ],
)
def test_broken_rows_are_found_at_their_place_and_do_not_stop_the_others(row: str, path: str) -> None:
    third = GOOD.replace("r1", "r3")
    found = _broken(f"{GOOD}\n{row}\n{third}\nbroken\n")
    assert found == [(path, 2, Severity.MEDIUM), ("/3#json", 4, Severity.MEDIUM)]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_does_not_know_are_found(constant: str) -> None:
    row = f'{{"id": "r1", "question": "Q", "answer": {constant}}}'
    assert _paths(row) == ["/r1#constant", "/r1/answer#type"]


def test_invalid_utf_8_is_found_and_still_read() -> None:
    rows = _read(b'{"id": "r1", "question": "Q", "answer": "caf\xe9"}\n')
    assert [fault.code for fault in rows.rows[0].faults] == ["utf-8"]
    assert "caf" in rows.rows[0].passages[0].text


def test_wide_encodings_are_refused() -> None:
    for encoding in ("utf-16", "utf-32", "utf-16-be", "utf-32-be"):
        mark = "\ufeff" if encoding.endswith("be") else ""
        with pytest.raises(DataError, match="not UTF-8"):
            _read((mark + GOOD).encode(encoding))


def test_utf_16_without_a_mark_breaks_the_schema_and_is_read_without_its_zeros() -> None:
    rows = _read(GOOD.encode("utf-16-le"))
    assert rows.rows[0].faults[0].code == "json"
    assert rows.rows[0].passages[0].text == GOOD


def test_a_byte_order_mark_and_empty_lines_are_minor() -> None:
    assert _broken(b"\xef\xbb\xbf" + f"{GOOD}\n\n".encode()) == [
        ("#bom", None, Severity.LOW),
        ("/1#empty", 2, Severity.LOW),
    ]


def test_an_empty_file_holds_no_rows() -> None:
    assert _paths("") == ["#no-rows"]
    assert run(RepeatedRow(), _read("")).status is Status.SKIPPED


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(DataError, match="more than 500,000 rows"):
        _read(b"\n" * 500_001)


def test_findings_are_bounded_and_the_rest_is_counted() -> None:
    found = run(BrokenRow(), _read("x\n" * 1500)).findings
    assert len(found) == 1001
    assert found[-1].location.path == "#more"
    assert "500 more" in found[-1].message
    repeated = run(RepeatedRow(), _read(f"{GOOD}\n" * 1500)).findings
    assert len(repeated) == 1001
    assert "499 more" in repeated[-1].message


def test_without_declared_fields_rows_may_be_nested() -> None:
    chat = '{"messages": [{"role": "user", "content": "Open?"}, {"role": "assistant", "content": "Yes."}]}'
    rows = _read(chat, ())
    assert _paths(chat, ()) == []
    assert "/0/messages/1/content" in {passage.path for passage in rows.passages}


def test_rows_that_are_nested_too_deeply_are_found_and_still_read() -> None:
    deep = '{"a": ' * 20 + '"needle"' + "}" * 20
    assert _paths(deep, ()) == ["/0#depth"]
    assert "needle" in _read(deep, ()).passages[0].text


def test_every_member_is_read_also_those_that_a_dictionary_would_drop() -> None:
    rows = _read('{"id": "r1", "answer": "first", "answer": "second", "Odd name!": "third", "n": 4111111111111111}')
    texts = {passage.text for passage in rows.passages}
    assert {"first", "second", "third", "4111111111111111", "Odd name!\nn"} <= set(texts) | {
        "\n".join(name for name in text.split("\n") if name != "answer") for text in texts
    }
    assert "/r1/field[3]" in {passage.path for passage in rows.passages}


@pytest.mark.parametrize(
    "value", ["AKIA" + "Q7WTZ4NKXP2M5RBD", "jane@harbour-mail.com", "4111111111111111", "12", "x" * 50, "a/b", ""]
)
def test_an_id_that_must_not_be_shown_gives_way_to_the_index(value: str) -> None:
    rows = _read(json.dumps({"id": value, "question": "Q", "answer": "A"}))
    assert rows.rows[0].key == "0"


@pytest.mark.parametrize("name", ["AKIA" + "Q7WTZ4NKXP2M5RBD", "jane@harbour-mail.com", "x" * 50, "a/b", "\u001b[31m"])
def test_a_name_that_must_not_be_shown_gives_way_to_its_position(name: str) -> None:
    assert _paths(json.dumps({"id": "r1", "question": "Q", "answer": "A", name: "B"})) == ["/r1/field[3]#unknown"]


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_give_rows_or_a_data_error(body: bytes) -> None:
    try:
        rows = _read(body)
    except DataError:
        return
    assert len(rows.rows) == len(body.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")) or not rows.rows
    for check in (BrokenRow(), RepeatedRow()):
        assert run(check, rows).status is not Status.ERRORED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "question", "answer", "x"]), json_values), max_size=4))
def test_any_rows_that_python_writes_are_read(rows: list[dict[str, Any]]) -> None:
    body = "".join(f"{json.dumps(row)}\n" for row in rows)
    facts = _read(body)
    assert [len(row.fields) for row in facts.rows] == [len(row) for row in rows]
    outcome = run(BrokenRow(), facts)
    assert outcome.status is not Status.ERRORED
    places = [finding.location.path for finding in outcome.findings]
    assert len(places) == len(set(places))


@given(st.text(st.sampled_from("ab\n"), max_size=2000))
def test_passages_cover_the_text_and_count_its_lines(text: str) -> None:
    long = text * (2 * CHUNK_CHARS // max(len(text), 1)) + text
    parts = passages_of("", 1, long, spread=True)
    step = CHUNK_CHARS - OVERLAP_CHARS
    for number, part in enumerate(parts):
        assert part.text == long[number * step : number * step + CHUNK_CHARS]
    if len(parts) > 1:
        assert parts[1].line == 1 + long.count("\n", 0, step)


def _repeats(rows: list[dict[str, Any]], declared: tuple[str, ...] = FIELDS) -> list[tuple[str, Severity]]:
    body = "".join(f"{json.dumps(row)}\n" for row in rows)
    findings = run(RepeatedRow(), _read(body, declared)).findings
    return [(item.location.path, item.severity) for item in findings]


def test_repeated_and_contradictory_rows_are_told_apart() -> None:
    rows = [
        {"id": "r1", "question": "When do you open?", "answer": "At nine."},
        {"id": "r2", "question": "when do  you OPEN?", "answer": "at nine."},
        {"id": "r3", "question": "When do you open?", "answer": "Never."},
        {"id": "r4", "question": "When do you close?", "answer": "Never."},
    ]
    assert _repeats(rows) == [("/r2#repeated", Severity.LOW), ("/r3#contradiction", Severity.MEDIUM)]


def test_without_declared_fields_only_exact_repetition_counts() -> None:
    rows = [
        {"id": "r1", "text": "good", "label": 1},
        {"id": "r2", "text": "good", "label": 0},
        {"id": "r3", "text": "good", "label": 1},
    ]
    assert _repeats(rows, ()) == [("/r3#repeated", Severity.LOW)]


def test_a_pattern_without_a_file_errs(root: Path, examined: Callable[[], Any]) -> None:
    (root / "data/rows.jsonl").unlink()
    outcomes = [item for item in examined().outcomes.values() if item.subject.uri == "data/*.jsonl"]
    assert {item.status for item in outcomes} == {Status.ERRORED}
    assert len(outcomes) == 5
    assert outcomes[0].reason == "rows: pattern data/*.jsonl matches no file. Correct or remove it"


def test_a_row_file_that_is_too_large_or_a_link_errs(root: Path, examined: Callable[[], Any]) -> None:
    settings_file = root / "lockgate.yaml"
    settings_file.write_text(settings_file.read_text().replace("data:\n", "data:\n  max_bytes: 20\n"))
    (root / "data/link.jsonl").symlink_to("rows.jsonl")
    result = examined()
    assert "larger than 20 bytes" in result.of("LG-DATA-005", "data/rows.jsonl").reason
    assert "symbolic link" in result.of("LG-DATA-005", "data/link.jsonl").reason
