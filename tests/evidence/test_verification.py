"""Whatever is done to a ledger's file is found, without a crash."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.core import Stage
from lockgate.evidence import (
    PROVENANCE,
    TEST_RESULT,
    EvidenceError,
    Ledger,
    LedgerReport,
    Role,
    SigningKey,
    Trust,
    merkle,
    parse_checkpoint,
    sign,
    verify_ledger,
)
from lockgate.evidence.checkpoint import sign_checkpoint
from lockgate.evidence.dsse import open_envelope
from lockgate.evidence.packed import pack, unpack

if TYPE_CHECKING:
    from conftest import Sealed


STRANGER = SigningKey(ec.generate_private_key(ec.SECP256R1()))
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def alter(folder: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute(statement, values)
    connection.close()


def messages(report: LedgerReport) -> str:
    return "\n".join(problem.message for problem in report.problems)


def reseal(folder: Path, key: SigningKey, origin: str | None = None) -> None:
    """Make nodes and checkpoint fit whatever entries there are, as somebody with a key could."""
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    rows = connection.execute("SELECT seq, envelope FROM entry ORDER BY seq").fetchall()
    (text,) = connection.execute("SELECT text FROM checkpoint").fetchone()
    tree = merkle.Tree()
    connection.execute("DELETE FROM node")
    for seq, envelope in rows:
        for level, index, digest in merkle.grow(tree.read, seq, merkle.leaf_hash(unpack(envelope))):
            connection.execute("INSERT INTO node VALUES (?, ?, ?)", (level, index, digest))
        tree.add(merkle.leaf_hash(unpack(envelope)))
    name = origin or parse_checkpoint(text).origin
    sealed_again = sign_checkpoint(name, len(tree), merkle.root(tree.read, len(tree)), key)
    connection.execute("UPDATE checkpoint SET text = ?", (sealed_again,))
    connection.close()


def test_a_good_ledger_has_no_problem_and_says_what_it_holds(sealed: Sealed, tmp_path: Path) -> None:
    report = verify_ledger(sealed.put(tmp_path), sealed.trust)
    assert report.ok
    assert report.size == len(report.entries) == 9
    assert report.root == parse_checkpoint(sealed.checkpoints[9]).root.hex()
    entry = report.entries[1]
    assert (entry.seq, entry.stage, entry.run, entry.predicate_type) == (1, Stage.TRAIN, "r1", PROVENANCE)
    assert (entry.keyid, entry.role) == (sealed.key.keyid, Role.LOCAL)
    assert entry.subjects[0].uri == "file-1.jsonl"
    assert entry.statement.predicate_type == PROVENANCE
    assert report.entries[0].predicate_type == TEST_RESULT
    assert not report.rollback_excluded
    assert report.notes == (
        sealed.trust.describe(),
        "a rollback to an earlier state is not excluded; keep a checkpoint elsewhere and pass --checkpoint",
    )


def test_every_earlier_checkpoint_excludes_a_rollback(sealed: Sealed, tmp_path: Path) -> None:
    for size in range(10):
        sealed.put(tmp_path, size)
        for earlier in range(size + 1):
            report = verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[earlier])
            assert report.ok
            assert report.rollback_excluded
            assert report.notes == (sealed.trust.describe(),)


def test_every_truncated_tail_is_found_against_a_later_checkpoint(sealed: Sealed, tmp_path: Path) -> None:
    for size in range(9):
        sealed.put(tmp_path, size)
        assert verify_ledger(tmp_path, sealed.trust).ok
        for later in range(size + 1, 10):
            report = verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[later])
            assert not report.rollback_excluded
            assert "was cut" in messages(report)


def test_a_ledger_rewritten_by_a_trusted_key_is_found_against_a_checkpoint(sealed: Sealed, tmp_path: Path) -> None:
    for victim in range(9):
        sealed.put(tmp_path)
        alter(tmp_path, "UPDATE entry SET envelope = ? WHERE seq = ?", sealed.envelopes[victim - 1], victim)
        reseal(tmp_path, sealed.key)
        assert verify_ledger(tmp_path, sealed.trust).ok
        report = verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[9])
        assert "was rewritten" in messages(report)
        assert not report.rollback_excluded


def test_another_ledger_in_its_place_is_found_against_a_checkpoint(sealed: Sealed, tmp_path: Path) -> None:
    with Ledger.open(tmp_path, sealed.key, accept=[]) as ledger:
        ledger.append_many(sealed.envelopes)
    report = verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[9])
    assert messages(report) == "The earlier checkpoint belongs to another ledger."


def test_a_ledger_resealed_by_a_stranger_is_found(sealed: Sealed, tmp_path: Path) -> None:
    sealed.put(tmp_path)
    reseal(tmp_path, STRANGER)
    report = verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[9])
    assert messages(report) == "Stored checkpoint: The checkpoint is not signed by a trusted key."
    assert not report.rollback_excluded


def test_an_entry_signed_by_a_stranger_is_found(sealed: Sealed, tmp_path: Path) -> None:
    for victim in range(9):
        sealed.put(tmp_path)
        forged = sign(sealed.statement(victim).encode(), STRANGER)
        alter(tmp_path, "UPDATE entry SET envelope = ? WHERE seq = ?", forged, victim)
        reseal(tmp_path, sealed.key)
        report = verify_ledger(tmp_path, sealed.trust)
        assert [(problem.seq, problem.message) for problem in report.problems] == [
            (victim, "The signing key is not trusted.")
        ]
        assert [entry.seq for entry in report.entries] == [seq for seq in range(9) if seq != victim]


def test_a_key_may_sign_only_what_trust_grants(sealed: Sealed, tmp_path: Path) -> None:
    scanner = Trust(keys=(msgspec.structs.replace(sealed.trust.keys[0], predicates=(TEST_RESULT,)),))
    report = verify_ledger(sealed.put(tmp_path), scanner)
    assert [entry.seq for entry in report.entries] == [0, 4, 8]
    assert [problem.seq for problem in report.problems] == [1, 2, 3, 5, 6, 7]
    assert all("may not sign" in problem.message for problem in report.problems)


def test_nobody_is_trusted_where_there_is_no_key(sealed: Sealed, tmp_path: Path) -> None:
    report = verify_ledger(sealed.put(tmp_path), Trust(keys=(), first_use=True))
    assert report.entries == ()
    assert len(report.problems) == 10


def test_every_deleted_or_swapped_entry_is_found(sealed: Sealed, tmp_path: Path) -> None:
    for victim in range(9):
        alter(sealed.put(tmp_path), "DELETE FROM entry WHERE seq = ?", victim)
        assert "do not match the signed checkpoint" in messages(verify_ledger(tmp_path, sealed.trust))
        for other in range(victim):
            sealed.put(tmp_path)
            alter(tmp_path, "UPDATE entry SET envelope = ? WHERE seq = ?", sealed.envelopes[other], victim)
            alter(tmp_path, "UPDATE entry SET envelope = ? WHERE seq = ?", sealed.envelopes[victim], other)
            found = messages(verify_ledger(tmp_path, sealed.trust))
            assert "do not match the signed checkpoint" in found
            assert "stored tree does not match" in found


def test_a_gap_in_the_numbers_is_found_even_when_everything_else_fits(sealed: Sealed, tmp_path: Path) -> None:
    alter(sealed.put(tmp_path), "UPDATE entry SET seq = 70 WHERE seq = 8")
    assert messages(verify_ledger(tmp_path, sealed.trust)) == "The entry has number 70 where 8 is due."


def test_every_deleted_changed_or_added_node_is_found(sealed: Sealed, tmp_path: Path) -> None:
    connection = sqlite3.connect(sealed.put(tmp_path) / "ledger.db")
    places = connection.execute("SELECT level, idx FROM node").fetchall()
    connection.close()
    assert len(places) == 9 + 4 + 2 + 1
    spoils = [("DELETE FROM node WHERE level = ? AND idx = ?", place) for place in places]
    spoils += [("UPDATE node SET hash = zeroblob(32) WHERE level = ? AND idx = ?", place) for place in places]
    spoils += [("INSERT INTO node VALUES (?, ?, zeroblob(32))", (1, 4))]
    for statement, place in spoils:
        alter(sealed.put(tmp_path), statement, *place)
        assert "stored tree does not match" in messages(verify_ledger(tmp_path, sealed.trust))


@quick
@given(victim=st.integers(0, 8), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_of_an_entry_is_found(
    sealed: Sealed, tmp_path: Path, victim: int, place: float, bit: int
) -> None:
    spoiled = bytearray(sealed.envelopes[victim])
    spoiled[int(place * len(spoiled))] ^= 1 << bit
    alter(sealed.put(tmp_path), "UPDATE entry SET envelope = ? WHERE seq = ?", bytes(spoiled), victim)
    report = verify_ledger(tmp_path, sealed.trust)
    assert any(problem.seq == victim for problem in report.problems)
    reseal(tmp_path, sealed.key)
    assert [problem.seq for problem in verify_ledger(tmp_path, sealed.trust).problems] == [victim]


@quick
@given(victim=st.integers(0, 8), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_stored_entry_is_found_or_changes_nothing(
    sealed: Sealed, tmp_path: Path, victim: int, place: float, bit: int
) -> None:
    spoiled = bytearray(pack(open_envelope(sealed.envelopes[victim])))
    spoiled[int(place * len(spoiled))] ^= 1 << bit
    alter(sealed.put(tmp_path), "UPDATE entry SET envelope = ? WHERE seq = ?", bytes(spoiled), victim)
    report = verify_ledger(tmp_path, sealed.trust)
    with Ledger.open_readonly(tmp_path) as ledger:
        same = [entry.envelope for entry in ledger.entries()] == list(sealed.envelopes) if report.ok else False
    assert same or any(problem.seq in {victim, None} for problem in report.problems)


def test_any_flipped_bit_of_either_checkpoint_is_found(sealed: Sealed, tmp_path: Path) -> None:
    sealed.put(tmp_path)
    for place in range(len(sealed.checkpoints[9])):
        spoiled = bytearray(sealed.checkpoints[9])
        spoiled[place] ^= 1 << place % 8
        if place % 8 == 0:
            alter(sealed.put(tmp_path), "UPDATE checkpoint SET text = ?", bytes(spoiled))
            assert "Stored checkpoint" in messages(verify_ledger(tmp_path, sealed.trust))
            sealed.put(tmp_path)
        report = verify_ledger(tmp_path, sealed.trust, checkpoint=bytes(spoiled))
        assert messages(report).startswith("Earlier checkpoint")
        assert not report.rollback_excluded


@quick
@given(content=st.binary(max_size=60), place=st.integers(0, 8))
def test_any_rubbish_is_a_problem_and_no_crash(sealed: Sealed, tmp_path: Path, content: bytes, place: int) -> None:
    alter(sealed.put(tmp_path), "UPDATE entry SET envelope = ? WHERE seq = ?", content, place)
    alter(tmp_path, "UPDATE checkpoint SET text = ?", content)
    report = verify_ledger(tmp_path, sealed.trust, checkpoint=content)
    assert not report.ok
    assert not report.rollback_excluded


@quick
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_spoiled_file_is_refused_reported_or_unharmed(sealed: Sealed, changes: list[tuple[float, int]]) -> None:
    folder = Path(tempfile.mkdtemp())
    body = bytearray(sealed.files[9])
    for place, value in changes:
        body[int(place * len(body))] = value
    (folder / "ledger.db").write_bytes(body)
    try:
        report = verify_ledger(folder, sealed.trust, checkpoint=sealed.checkpoints[9])
    except EvidenceError:
        return
    finally:
        shutil.rmtree(folder)
    if report.ok:
        assert [entry.seq for entry in report.entries] == list(range(9))
        assert report.root == parse_checkpoint(sealed.checkpoints[9]).root.hex()


@pytest.mark.parametrize("table", ["entry", "node"])
def test_a_page_that_cannot_be_read_is_a_problem(sealed: Sealed, tmp_path: Path, table: str) -> None:
    sealed.put(tmp_path)
    connection = sqlite3.connect(tmp_path / "ledger.db")
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    (page,) = connection.execute(query, (table,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    body = bytearray(sealed.files[9])
    body[(page - 1) * size : page * size] = b"\xee" * size
    (tmp_path / "ledger.db").write_bytes(body)
    assert "is damaged" in messages(verify_ledger(tmp_path, sealed.trust))


def test_a_missing_ledger_is_an_error(sealed: Sealed, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no ledger"):
        verify_ledger(tmp_path / "nothing", sealed.trust)


def test_an_empty_ledger_has_no_problem(sealed: Sealed, tmp_path: Path) -> None:
    report = verify_ledger(sealed.put(tmp_path, 0), sealed.trust)
    assert report.ok
    assert (report.size, report.root) == (0, merkle.EMPTY_ROOT.hex())
