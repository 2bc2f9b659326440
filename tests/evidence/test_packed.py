"""Envelopes lie packed in the ledger's file, come back byte by byte, and older files are still read."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import sha256_hex
from lockgate.evidence import EvidenceError, Ledger, verify_ledger
from lockgate.evidence.dsse import MAX_ENVELOPE, Envelope, open_envelope, wrap
from lockgate.evidence.packed import pack, unpack

if TYPE_CHECKING:
    from conftest import Sealed


def stored(folder: Path) -> list[bytes]:
    with sqlite3.connect(folder / "ledger.db") as connection:
        return [row[0] for row in connection.execute("SELECT envelope FROM entry ORDER BY seq")]


def write(folder: Path, seq: int, body: bytes) -> None:
    with sqlite3.connect(folder / "ledger.db") as connection:
        connection.execute("UPDATE entry SET envelope = ? WHERE seq = ?", (body, seq))


@given(st.binary(max_size=500), st.text(max_size=80), st.binary(max_size=80))
def test_every_envelope_comes_back_as_it_was(payload: bytes, keyid: str, signature: bytes) -> None:
    body = wrap(Envelope(payload, keyid, signature))
    assert unpack(pack(open_envelope(body))) == body


def test_what_lies_in_the_file_is_smaller_and_proves_the_same(sealed: Sealed, tmp_path: Path) -> None:
    folder = sealed.put(tmp_path)
    assert all(
        len(body) < len(envelope) * 0.8 for body, envelope in zip(stored(folder), sealed.envelopes, strict=False)
    )
    with Ledger.open_readonly(folder) as ledger:
        assert [entry.sha256 for entry in ledger.entries()] == [sha256_hex(body) for body in sealed.envelopes]
    assert verify_ledger(folder, sealed.trust).ok


def test_a_ledger_of_version_1_is_read_and_grows(sealed: Sealed, tmp_path: Path) -> None:
    folder = sealed.put(tmp_path)
    with sqlite3.connect(folder / "ledger.db") as connection:
        for seq, envelope in enumerate(sealed.envelopes):
            connection.execute("UPDATE entry SET envelope = ? WHERE seq = ?", (envelope, seq))
        connection.execute("PRAGMA user_version = 1")
    assert verify_ledger(folder, sealed.trust).ok
    with Ledger.open(folder, sealed.key) as ledger:
        assert [entry.envelope for entry in ledger.entries()] == list(sealed.envelopes)
        added = ledger.append(sealed.envelopes[0])
        assert ledger.get(added.sha256[:8] if added.seq == 0 else added.seq) == added
    assert verify_ledger(folder, sealed.trust).ok
    with sqlite3.connect(folder / "ledger.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def huge() -> bytes:
    return zstandard.ZstdCompressor().compress(bytes(MAX_ENVELOPE + 1))


def unsized() -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(b"\x93\xa0\xc4\x00\xc4\x00")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (pack(Envelope(b"{}", "k", b"s"))[:-2], "cannot be unpacked"),
        (pack(Envelope(b"{}", "k", b"s")) + b"x", "cannot be unpacked"),
        (zstandard.compress(msgspec.msgpack.encode(["k", b"s"])), "cannot be unpacked"),
        (zstandard.compress(b"\xff"), "cannot be unpacked"),
        (b"\x28\xb5\x2f\xfd", "cannot be unpacked"),
        (huge(), "larger than"),
        (unsized(), "larger than"),
    ],
)
def test_what_cannot_be_unpacked_is_a_problem_of_its_entry(
    sealed: Sealed, tmp_path: Path, body: bytes, message: str
) -> None:
    folder = sealed.put(tmp_path)
    write(folder, 3, body)
    report = verify_ledger(folder, sealed.trust)
    assert not report.ok
    assert any(problem.seq == 3 and message in problem.message for problem in report.problems)
    with Ledger.open_readonly(folder) as ledger, pytest.raises(EvidenceError, match=message):
        ledger.get(3)


def test_a_packed_envelope_of_another_statement_is_found(sealed: Sealed, tmp_path: Path) -> None:
    folder = sealed.put(tmp_path)
    write(folder, 3, pack(open_envelope(sealed.envelopes[4])))
    assert not verify_ledger(folder, sealed.trust).ok
