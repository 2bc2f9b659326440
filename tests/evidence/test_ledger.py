"""The ledger grows, proves itself, and refuses to grow on anything but what it signed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lockgate.evidence import (
    EvidenceError,
    Ledger,
    Role,
    SigningKey,
    create_key,
    first_use_trust,
    key_for,
    merkle,
    parse_checkpoint,
    sign,
    verify_checkpoint,
    verify_ledger,
)

if TYPE_CHECKING:
    from conftest import Sealed


def alter(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_new_ledger_is_private_empty_and_signed(tmp_path: Path) -> None:
    key = key_for(Role.LOCAL)
    with Ledger.open(tmp_path / "state", key) as ledger:
        checkpoint = parse_checkpoint(ledger.checkpoint())
        assert (checkpoint.size, checkpoint.root, ledger.size) == (0, merkle.EMPTY_ROOT, 0)
        assert verify_checkpoint(checkpoint, [key.public]) == key.keyid
        assert list(ledger.entries()) == []
        assert ledger.append_many(()) == ()
    assert stat.S_IMODE((tmp_path / "state" / "ledger.db").stat().st_mode) == 0o600
    assert [entry.name for entry in (tmp_path / "state").iterdir() if "tmp" in entry.name] == []


def test_entries_stay_as_they_were_appended(sealed: Sealed, tmp_path: Path) -> None:
    with Ledger.open(tmp_path, sealed.key) as ledger:
        first = ledger.append(sealed.envelopes[0])
        others = ledger.append_many(sealed.envelopes[1:])
        assert [entry.seq for entry in (first, *others)] == list(range(9))
    with Ledger.open_readonly(tmp_path) as ledger:
        assert tuple(entry.envelope for entry in ledger.entries()) == sealed.envelopes
        assert ledger.get(4) == others[3]
        assert ledger.get(others[3].sha256) == ledger.get(others[3].sha256[:12]) == others[3]
        assert ledger.size == 9


@pytest.mark.parametrize("name", [9, -1, "", "abc", "zzzz", "0" * 64])
def test_an_entry_that_is_not_there_is_an_error(sealed: Sealed, tmp_path: Path, name: int | str) -> None:
    with Ledger.open_readonly(sealed.put(tmp_path)) as ledger, pytest.raises(EvidenceError):
        ledger.get(name)


def test_every_entry_and_every_growth_is_proven(sealed: Sealed, tmp_path: Path) -> None:
    with Ledger.open_readonly(sealed.put(tmp_path)) as ledger:
        now = parse_checkpoint(ledger.checkpoint())
        for entry in ledger.entries():
            proof = ledger.inclusion(entry.seq)
            leaf = merkle.leaf_hash(entry.envelope)
            assert merkle.verify_inclusion(leaf, proof.index, proof.size, proof.hashes, now.root)
        for text in sealed.checkpoints:
            old = parse_checkpoint(text)
            proof = ledger.consistency(old.size)
            assert merkle.verify_consistency(proof.old_size, proof.new_size, old.root, now.root, proof.hashes)
        for seq in (-1, 9):
            with pytest.raises(EvidenceError, match="no entry"):
                ledger.inclusion(seq)
        for size in (-1, 10):
            with pytest.raises(EvidenceError, match="never had"):
                ledger.consistency(size)


def test_reading_creates_nothing_and_appends_nothing(sealed: Sealed, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no ledger"):
        Ledger.open_readonly(tmp_path / "state")
    assert not (tmp_path / "state").exists()
    with Ledger.open_readonly(sealed.put(tmp_path / "copy")) as ledger:
        list(ledger.entries())
        ledger.inclusion(3)
        with pytest.raises(EvidenceError, match="reading only"):
            ledger.append(sealed.envelopes[0])
    verify_ledger(tmp_path / "copy", sealed.trust)
    assert [entry.name for entry in (tmp_path / "copy").iterdir()] == ["ledger.db"]
    assert (tmp_path / "copy" / "ledger.db").read_bytes() == sealed.files[9]


def test_what_verification_would_refuse_is_not_appended(sealed: Sealed, tmp_path: Path) -> None:
    with Ledger.open(tmp_path, sealed.key) as ledger:
        for envelope in (b"", b"{}", sign(b"{}", sealed.key)):
            with pytest.raises(EvidenceError):
                ledger.append_many((sealed.envelopes[0], envelope))
        assert ledger.size == 0


SPOILS = [
    ("DELETE FROM entry WHERE seq = 8",),
    ("INSERT INTO entry VALUES (9, x'00')",),
    ("DELETE FROM node WHERE level = 0 AND idx = 8",),
    ("DELETE FROM node WHERE level = 3",),
    ("UPDATE node SET hash = zeroblob(32) WHERE level = 3",),
    ("UPDATE entry SET envelope = x'00' WHERE seq = 8",),
    ("UPDATE checkpoint SET text = x'00'",),
    ("DELETE FROM checkpoint",),
    ("INSERT INTO node VALUES (1, 4, zeroblob(32))",),
]


@pytest.mark.parametrize("statements", SPOILS)
def test_nothing_is_appended_to_a_tree_that_is_not_the_signed_one(
    sealed: Sealed, tmp_path: Path, statements: tuple[str, ...]
) -> None:
    alter(sealed.put(tmp_path), *statements)
    before = (tmp_path / "ledger.db").read_bytes()
    with Ledger.open(tmp_path, sealed.key) as ledger, pytest.raises(EvidenceError):
        ledger.append(sealed.envelopes[0])
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_a_checkpoint_of_another_key_is_not_continued_unless_accepted(sealed: Sealed, tmp_path: Path) -> None:
    other = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    sealed.put(tmp_path)
    with Ledger.open(tmp_path, other) as ledger, pytest.raises(EvidenceError, match="trusted key"):
        ledger.append(sealed.envelopes[0])
    with Ledger.open(tmp_path, other, accept=[sealed.key.public]) as ledger:
        ledger.append(sealed.envelopes[0])


def test_the_roles_of_one_machine_continue_each_other(sealed: Sealed, tmp_path: Path) -> None:
    for role in (Role.BUILDER, Role.SCANNER):
        create_key(role)
        with Ledger.open(tmp_path, key_for(role)) as ledger:
            ledger.append(sealed.envelopes[0])
    with Ledger.open_readonly(tmp_path) as ledger:
        assert ledger.size == 2


def test_a_record_of_the_wrong_type_is_an_error(sealed: Sealed, tmp_path: Path) -> None:
    # Type affinity is enforced by STRICT, so the record type is changed in the page itself.
    sealed.put(tmp_path, 0)
    body = bytearray(sealed.files[0])
    text = sealed.checkpoints[0]
    header = bytes([len(text) * 2 + 12 >> 7 | 0x80, (len(text) * 2 + 12) & 0x7F])
    place = body.rindex(header + text) if header + text in body else -1
    assert place > 0
    body[place : place + 2] = bytes([0, 0])
    (tmp_path / "ledger.db").write_bytes(body)
    with Ledger.open_readonly(tmp_path) as ledger, pytest.raises(EvidenceError):
        ledger.checkpoint()


def test_a_locked_ledger_is_reported_after_the_wait(sealed: Sealed, tmp_path: Path) -> None:
    sealed.put(tmp_path)
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Ledger.open(tmp_path, sealed.key, wait_s=0.05) as ledger, pytest.raises(EvidenceError, match="in use"):
        ledger.append(sealed.envelopes[0])
    holder.execute("ROLLBACK")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(EvidenceError, match="in use"):
        Ledger.open_readonly(tmp_path, wait_s=0.05)
    holder.close()


def test_a_full_disk_loses_nothing(sealed: Sealed, tmp_path: Path) -> None:
    with Ledger.open(sealed.put(tmp_path), sealed.key) as ledger:
        (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(EvidenceError, match="disk is full"):
            ledger.append_many(sealed.envelopes * 4)
        ledger._connection.execute("PRAGMA max_page_count = 100000")
        assert ledger.append(sealed.envelopes[0]).seq == 9
    assert verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[9]).ok


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder outside pytest's private ones, and no right to overrule permissions."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    caller = os.geteuid()
    if caller == 0:
        os.chown(folder, 65_534, -1)
        os.seteuid(65_534)
    yield folder
    os.seteuid(caller)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_named(unprivileged: Path, sealed: Sealed) -> None:
    unprivileged.chmod(0o555)
    with pytest.raises(EvidenceError, match="permission"):
        Ledger.open(unprivileged, sealed.key, accept=[])
    with pytest.raises(EvidenceError, match="no ledger"):
        Ledger.open_readonly(unprivileged)


def test_a_ledger_that_cannot_be_written_can_be_read(unprivileged: Path, sealed: Sealed) -> None:
    sealed.put(unprivileged)
    (unprivileged / "ledger.db").chmod(0o444)
    unprivileged.chmod(0o555)
    with Ledger.open(unprivileged, sealed.key, accept=[]) as ledger:
        assert ledger.size == 9
        with pytest.raises(EvidenceError, match="cannot be written"):
            ledger.append(sealed.envelopes[0])
    assert verify_ledger(unprivileged, sealed.trust).ok
    (unprivileged / "ledger.db").chmod(0)
    with pytest.raises(EvidenceError, match="permission"):
        Ledger.open_readonly(unprivileged)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + bytes(84)])
def test_another_file_is_no_ledger(tmp_path: Path, sealed: Sealed, content: bytes) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    with pytest.raises(EvidenceError):
        Ledger.open_readonly(tmp_path)
    with pytest.raises(EvidenceError):
        Ledger.open(tmp_path, sealed.key)
    assert (tmp_path / "ledger.db").read_bytes() == content


@pytest.mark.parametrize(
    "statement",
    ["PRAGMA user_version = 3", "PRAGMA journal_mode = WAL", "CREATE TABLE more (x)", "CREATE VIEW v AS SELECT 1"],
)
def test_another_shape_is_no_ledger(tmp_path: Path, sealed: Sealed, statement: str) -> None:
    alter(sealed.put(tmp_path), statement)
    with pytest.raises(EvidenceError, match="not a ledger of version 2 or before"):
        Ledger.open_readonly(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir() if entry.name != "home"] == ["ledger.db"]


def test_a_schema_that_cannot_even_be_quoted_is_no_ledger(tmp_path: Path, sealed: Sealed) -> None:
    body = bytearray(sealed.files[9])
    body[body.index(b"CREATE TABLE node") + 3] = 0x80
    (tmp_path / "ledger.db").write_bytes(body)
    with pytest.raises(EvidenceError):
        Ledger.open_readonly(tmp_path)


def test_links_and_folders_are_refused(tmp_path: Path, sealed: Sealed) -> None:
    sealed.put(tmp_path / "real")
    (tmp_path / "ledger.db").symlink_to(tmp_path / "real" / "ledger.db")
    with pytest.raises(EvidenceError, match="not a regular file"):
        Ledger.open(tmp_path, sealed.key)
    (tmp_path / "folder" / "ledger.db").mkdir(parents=True)
    with pytest.raises(EvidenceError, match="not a regular file"):
        Ledger.open_readonly(tmp_path / "folder")
    (tmp_path / "real" / "ledger.db-journal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EvidenceError):
        Ledger.open_readonly(tmp_path / "real")


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE node SET hash = zeroblob(32)")
for number in range(9, 60):
    connection.execute("INSERT INTO entry VALUES (?, zeroblob(3000))", (number,))
os.kill(os.getpid(), signal.SIGKILL)
"""


def interrupt(folder: Path) -> Path:
    """Leave an unfinished transaction behind: pages overwritten, the old ones in the journal."""
    subprocess.run([sys.executable, "-c", KILLED, str(folder / "ledger.db")], check=False, timeout=60)
    journal = folder / "ledger.db-journal"
    assert journal.stat().st_size > 512
    return journal


def test_an_interrupted_append_is_rolled_back_by_the_next_reader(sealed: Sealed, tmp_path: Path) -> None:
    interrupt(sealed.put(tmp_path))
    assert (tmp_path / "ledger.db").read_bytes() != sealed.files[9]
    assert verify_ledger(tmp_path, sealed.trust, checkpoint=sealed.checkpoints[9]).problems == ()
    with Ledger.open(tmp_path, sealed.key) as ledger:
        assert ledger.append(sealed.envelopes[0]).seq == 9


def test_a_planted_journal_cannot_have_a_file_deleted(sealed: Sealed, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    journal = interrupt(sealed.put(tmp_path / "state"))
    # The record that SQLite appends for a transaction over several files: it deletes the file named in it.
    name = str(victim).encode()
    page = (1 << 30) // 4_096 + 1
    tail = page.to_bytes(4, "big") + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
    journal.write_bytes(journal.read_bytes() + tail + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(EvidenceError, match="not written by Lockgate"):
        Ledger.open_readonly(tmp_path / "state")
    assert victim.read_text() == "precious"


APPENDER = """
import sys
from pathlib import Path
from lockgate.evidence import Ledger, Role, key_for
folder, source, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
envelope = source.read_bytes()
with Ledger.open(folder, key_for(Role.LOCAL)) as ledger:
    for _ in range(count):
        print(ledger.append(envelope).seq, flush=True)
"""


def appender(folder: Path, source: Path, count: int, home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPENDER, str(folder), str(source), str(count)]
    environment = {**os.environ, "LOCKGATE_HOME": str(home)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_lose_no_entry(sealed: Sealed, tmp_path: Path, home: Path) -> None:
    (tmp_path / "envelope").write_bytes(sealed.envelopes[0])
    started = [appender(tmp_path / "state", tmp_path / "envelope", 50, home) for _ in range(2)]
    told = [int(line) for process in started for line in process.communicate(timeout=120)[0].split()]
    assert sorted(told) == list(range(100))
    report = verify_ledger(tmp_path / "state", sealed.trust)
    assert report.size == 100
    # The entries are another machine's, the checkpoint is this one's: only the latter is unknown to that trust.
    assert [problem.message for problem in report.problems] == [
        "Stored checkpoint: The checkpoint is not signed by a trusted key."
    ]


def test_a_killed_process_leaves_a_valid_ledger(sealed: Sealed, tmp_path: Path, home: Path) -> None:
    (tmp_path / "envelope").write_bytes(sign(sealed.statement(0).encode(), key_for(Role.LOCAL)))
    size = 0
    for wanted in (1, 3, 10, 25, 40, 60):
        process = appender(tmp_path / "state", tmp_path / "envelope", 100_000, home)
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(wanted)]
        process.kill()
        process.communicate(timeout=60)
        assert told[0] >= size
        with Ledger.open(tmp_path / "state", key_for(Role.LOCAL)) as ledger:
            assert ledger.size > told[-1]
            size = ledger.size
        assert verify_ledger(tmp_path / "state", first_use_trust()).problems == ()
