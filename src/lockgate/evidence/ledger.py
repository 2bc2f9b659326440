"""The ledger: an append-only log of evidence in one SQLite file, with Merkle proofs and a signed checkpoint.

Every append is one transaction that writes the envelope, the tree nodes that it completes and the new checkpoint. A
process that is killed leaves the state before or after it, never between.
"""

import os
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from lockgate.core.subject import sha256_hex
from lockgate.evidence import database, dsse, merkle, packed
from lockgate.evidence.checkpoint import (
    Checkpoint,
    new_origin,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import SigningKey, VerifyKey, machine_keys
from lockgate.evidence.statement import parse_statement

WAIT_S = 30.0
MIN_PREFIX = 4
_MISMATCH = "The ledger's stored tree does not match its checkpoint, so nothing is appended."
_VERIFY = "Run 'lockgate evidence verify' to see what changed, and restore the ledger from a copy."


class Entry(msgspec.Struct, frozen=True):
    """One piece of evidence in the ledger.

    Attributes:
        seq: Its number, from 0.
        sha256: Digest of the envelope.
        envelope: The signed envelope as it was appended.
    """

    seq: int
    sha256: str
    envelope: bytes


class InclusionProof(msgspec.Struct, frozen=True):
    """That an entry is in the ledger: check it with `merkle.verify_inclusion` against a checkpoint's root.

    Attributes:
        index: The entry's number.
        size: Entries in the ledger.
        hashes: Sibling hashes from the leaf upwards.
    """

    index: int
    size: int
    hashes: tuple[bytes, ...]


class ConsistencyProof(msgspec.Struct, frozen=True):
    """That the ledger only grew: check it with `merkle.verify_consistency` against two checkpoints' roots.

    Attributes:
        old_size: Entries at the earlier checkpoint.
        new_size: Entries now.
        hashes: As RFC 9162 orders them.
    """

    old_size: int
    new_size: int
    hashes: tuple[bytes, ...]


class Ledger:
    """An open ledger. Use it in one thread, and close it or use it in a `with` statement."""

    def __init__(self, connection: sqlite3.Connection, path: Path, key: SigningKey | None) -> None:
        self._connection = connection
        self._path = path
        self._key = key
        self._accepted: tuple[VerifyKey, ...] = ()

    @classmethod
    def open(
        cls, folder: Path, key: SigningKey, *, accept: Sequence[VerifyKey] | None = None, wait_s: float = WAIT_S
    ) -> Self:
        """Open the ledger in `folder` for appending; create it where there is none.

        Args:
            folder: Holds `ledger.db`.
            key: Signs the checkpoints.
            accept: Keys that the present checkpoint may be signed with, besides `key`. Unless given, those of this
                machine: appending must not lend a good signature to a ledger that somebody else rewrote.
            wait_s: Seconds to wait for another process.

        Raises:
            EvidenceError: The file cannot be used, or a key of this machine cannot be read.
        """
        path = folder / database.NAME
        if not os.path.lexists(path):
            database.create(path, sign_checkpoint(new_origin(), 0, merkle.EMPTY_ROOT, key))
        accepted = (key.public, *(machine_keys() if accept is None else accept))
        ledger = cls(database.connect(path, wait_s=wait_s), path, key)
        ledger._accepted = accepted
        return ledger

    @classmethod
    def open_readonly(cls, folder: Path, *, wait_s: float = WAIT_S) -> Self:
        """Open the ledger in `folder` for reading. Creates nothing; an interrupted append is rolled back.

        Raises:
            EvidenceError: There is none, or it cannot be used.
        """
        path = folder / database.NAME
        return cls(database.connect(path, wait_s=wait_s), path, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def append(self, envelope: bytes) -> Entry:
        """Append one envelope and sign the new checkpoint, durably, before returning.

        Raises:
            EvidenceError: The envelope is malformed, the ledger is read-only, in use, full, or not what its checkpoint
                says. Nothing has changed then.
        """
        return self.append_many((envelope,))[0]

    def append_many(self, envelopes: Sequence[bytes]) -> tuple[Entry, ...]:
        """Append envelopes in one transaction with one checkpoint: all of them or none.

        Raises:
            EvidenceError: As `append`.
        """
        if self._key is None:
            raise EvidenceError(f"The ledger {self._path} is open for reading only.")
        opened = [dsse.open_envelope(envelope) for envelope in envelopes]
        for envelope in opened:
            parse_statement(envelope.payload)
        entries: list[Entry] = []
        with self._writing():
            head = self._trusted_head()
            size = head.size
            database.renew(self._connection)
            for envelope, parts in zip(envelopes, opened, strict=True):
                self._insert(size, envelope, packed.pack(parts))
                entries.append(Entry(size, sha256_hex(envelope), envelope))
                size += 1
            text = sign_checkpoint(head.origin, size, merkle.root(self._node, size), self._key)
            self._connection.execute("UPDATE checkpoint SET text = ?", (text,))
        return tuple(entries)

    def entries(self) -> Iterator[Entry]:
        """Every entry in order. Other processes cannot append until the last one is taken.

        Raises:
            EvidenceError: The file is damaged.
        """
        for seq, envelope in self.rows():
            content = packed.unpack(self._content(envelope))
            yield Entry(seq, sha256_hex(content), content)

    def get(self, name: int | str) -> Entry:
        """One entry by its number, or by the first digits (at least four) of its envelope's digest.

        Raises:
            EvidenceError: There is none, or the digits fit several.
        """
        if isinstance(name, int):
            if not 0 <= name < self.size:
                raise EvidenceError(
                    f"There is no entry {name}.", remedy=f"The ledger has {self.size:,} entries, from 0."
                )
            content = packed.unpack(self._content(self._one("SELECT envelope FROM entry WHERE seq = ?", name)))
            return Entry(name, sha256_hex(content), content)
        fits = [entry for entry in self.entries() if entry.sha256.startswith(name)] if len(name) >= MIN_PREFIX else []
        if len(fits) != 1:
            raise EvidenceError(
                f"{len(fits)} entries have a digest that starts with {name!r}.",
                remedy="Give its number, or more digits of its digest.",
            )
        return fits[0]

    def checkpoint(self) -> bytes:
        """The latest signed checkpoint as text. Keep a copy elsewhere: it is what excludes a rollback.

        Raises:
            EvidenceError: The file is damaged.
        """
        return self._content(self._one("SELECT text FROM checkpoint"))

    @property
    def size(self) -> int:
        """Number of entries that the checkpoint counts."""
        return parse_checkpoint(self.checkpoint()).size

    def inclusion(self, seq: int) -> InclusionProof:
        """Prove that entry `seq` is in the ledger as the latest checkpoint names it.

        Raises:
            EvidenceError: There is no such entry, or the file is damaged.
        """
        with self.snapshot():
            size = self.size
            if not 0 <= seq < size:
                raise EvidenceError(f"There is no entry {seq}.", remedy=f"The ledger has {size:,} entries, from 0.")
            return InclusionProof(seq, size, merkle.inclusion_proof(self._node, seq, size))

    def consistency(self, old_size: int) -> ConsistencyProof:
        """Prove that the ledger only grew since it had `old_size` entries.

        Raises:
            EvidenceError: It never had so many, or the file is damaged.
        """
        with self.snapshot():
            size = self.size
            if not 0 <= old_size <= size:
                raise EvidenceError(f"The ledger has {size:,} entries and never had {old_size:,}.")
            return ConsistencyProof(old_size, size, merkle.consistency_proof(self._node, old_size, size))

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Read one unchanging state inside the block; other processes cannot append meanwhile.

        Raises:
            EvidenceError: The file cannot be read.
        """
        with database.worded(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.rollback()

    def rows(self) -> Iterator[tuple[int, object]]:
        """Entries as they are stored, packed and unchecked, for `verify_ledger`: number and what `unpack` takes.

        Raises:
            EvidenceError: The file cannot be read further.
        """
        with database.worded(self._path):
            yield from self._connection.execute("SELECT seq, envelope FROM entry ORDER BY seq")

    def nodes(self) -> Iterator[tuple[int, int, object]]:
        """Tree nodes as they are stored, unchecked, for `verify_ledger`: level, index and hash.

        Raises:
            EvidenceError: The file cannot be read further.
        """
        with database.worded(self._path):
            yield from self._connection.execute("SELECT level, idx, hash FROM node")

    def _insert(self, seq: int, envelope: bytes, stored: bytes) -> None:
        self._connection.execute("INSERT INTO entry VALUES (?, ?)", (seq, stored))
        for level, index, digest in merkle.grow(self._node, seq, merkle.leaf_hash(envelope)):
            self._connection.execute("INSERT INTO node VALUES (?, ?, ?)", (level, index, digest))

    def _trusted_head(self) -> Checkpoint:
        head = parse_checkpoint(self.checkpoint())
        verify_checkpoint(head, self._accepted)
        last = head.size - 1
        ends = (
            self._one("SELECT coalesce(max(seq), -1) FROM entry"),
            self._one("SELECT coalesce(max(idx), -1) FROM node WHERE level = 0"),
        )
        if ends != (last, last) or merkle.root(self._node, head.size) != head.root or not self._last_fits(last):
            raise EvidenceError(_MISMATCH, remedy=_VERIFY)
        return head

    def _last_fits(self, last: int) -> bool:
        return last < 0 or merkle.leaf_hash(self.get(last).envelope) == self._node(0, last)

    def _node(self, level: int, index: int) -> bytes:
        return self._content(self._one("SELECT hash FROM node WHERE level = ? AND idx = ?", level, index))

    def _one(self, query: str, *values: int) -> object:
        with database.worded(self._path):
            row: tuple[object] | None = self._connection.execute(query, values).fetchone()
        if row is None:
            raise EvidenceError(f"The ledger {self._path} has no such record.", remedy=_VERIFY)
        return row[0]

    def _content(self, value: object) -> bytes:
        if not isinstance(value, bytes):
            raise EvidenceError(f"The ledger {self._path} holds a record of the wrong type.", remedy=_VERIFY)
        return value

    @contextmanager
    def _writing(self) -> Generator[None]:
        with database.worded(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
