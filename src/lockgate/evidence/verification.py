"""Verifying a ledger from nothing but its bytes and a trust file. Stored hashes are compared, never believed."""

from pathlib import Path

import msgspec

from lockgate.core.gate import Stage
from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.evidence import dsse, merkle, packed
from lockgate.evidence.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Role
from lockgate.evidence.ledger import Ledger
from lockgate.evidence.statement import Statement, parse_statement
from lockgate.evidence.trust import Trust

ROLLBACK_NOTE = "a rollback to an earlier state is not excluded; keep a checkpoint elsewhere and pass --checkpoint"


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as it should be.

    Attributes:
        seq: The entry, or None where it concerns the whole ledger.
        message: What is wrong.
    """

    seq: int | None
    message: str


class VerifiedEntry(msgspec.Struct, frozen=True):
    """An entry whose form, signature and signer are right.

    Attributes:
        seq: Its number.
        sha256: Digest of its envelope.
        stage: The stage that it belongs to.
        run: The run that it belongs to.
        predicate_type: What it says.
        keyid: Who signed it.
        role: What that key is for.
        subjects: What it is about.
        statement: The whole statement.
    """

    seq: int
    sha256: str
    stage: Stage
    run: str
    predicate_type: str
    keyid: str
    role: Role
    subjects: tuple[SubjectRef, ...]
    statement: Statement


class LedgerReport(msgspec.Struct, frozen=True):
    """What verification found.

    Attributes:
        size: Entries in the file.
        root: Root hash recomputed from them, 64 hex digits.
        problems: Everything that is wrong. Evidence counts only where this is empty.
        entries: The entries that are right in themselves.
        rollback_excluded: An earlier checkpoint was given, and this ledger extends it.
        trust: What the trust is worth, in one line.
    """

    size: int
    root: str
    problems: tuple[Problem, ...]
    entries: tuple[VerifiedEntry, ...]
    rollback_excluded: bool
    trust: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know even where nothing is wrong."""
        return (self.trust,) if self.rollback_excluded else (self.trust, ROLLBACK_NOTE)


def verify_ledger(folder: Path, trust: Trust, *, checkpoint: bytes | None = None) -> LedgerReport:
    """Recompute the whole ledger and compare it with what is stored and signed.

    Args:
        folder: Holds `ledger.db`.
        trust: Which keys may sign what.
        checkpoint: A checkpoint of this ledger that was kept elsewhere.

    Raises:
        EvidenceError: There is no ledger, or it cannot be opened. Whatever it holds is reported as problems instead.
    """
    problems: list[Problem] = []
    with Ledger.open_readonly(folder) as ledger, ledger.snapshot():
        rows = _stored_rows(ledger, problems)
        tree = merkle.Tree()
        for _, content in rows:
            tree.add(merkle.leaf_hash(content))
        _compare_nodes(ledger, tree, problems)
        head = _stored_head(ledger, trust, problems)
    # Signatures take most of the time, and nobody needs to wait for them to append.
    entries = _judge_all(rows, trust, problems)
    root = merkle.root(tree.read, len(tree))
    if head is not None and (head.size, head.root) != (len(tree), root):
        problems.append(
            Problem(
                None, f"The entries do not match the signed checkpoint: it counts {head.size}, there are {len(tree)}."
            )
        )
    excluded = checkpoint is not None and _extends(checkpoint, head, tree, trust, problems)
    return LedgerReport(len(tree), root.hex(), tuple(problems), entries, excluded, trust.describe())


def _stored_rows(ledger: Ledger, problems: list[Problem]) -> list[tuple[int, bytes]]:
    rows: list[tuple[int, bytes]] = []
    try:
        for seq, envelope in ledger.rows():
            rows.append((seq, _unpacked(seq, envelope, problems)))
    except EvidenceError as error:
        problems.append(Problem(None, error.message))
    return rows


def _unpacked(seq: int, stored: object, problems: list[Problem]) -> bytes:
    """The envelope; nothing where it cannot be unpacked, which no leaf of the tree fits."""
    try:
        return packed.unpack(stored) if isinstance(stored, bytes) else b""
    except EvidenceError as error:
        problems.append(Problem(seq, error.message))
        return b""


def _judge_all(rows: list[tuple[int, bytes]], trust: Trust, problems: list[Problem]) -> tuple[VerifiedEntry, ...]:
    entries: list[VerifiedEntry] = []
    for due, (seq, content) in enumerate(rows):
        if seq != due:
            problems.append(Problem(seq, f"The entry has number {seq} where {due} is due."))
        try:
            entries.append(_judge(seq, content, trust))
        except EvidenceError as error:
            problems.append(Problem(seq, error.message))
    return tuple(entries)


def _judge(seq: int, content: bytes, trust: Trust) -> VerifiedEntry:
    envelope = dsse.open_envelope(content)
    keyid = dsse.verify(envelope, trust.public_keys)
    statement = parse_statement(envelope.payload)
    role = trust.role(keyid)
    if role is None or not trust.allows(keyid, statement.predicate_type):
        raise EvidenceError(f"The key {keyid[:12]} may not sign {statement.predicate_type}.")
    return VerifiedEntry(
        seq=seq,
        sha256=sha256_hex(content),
        stage=statement.context.stage,
        run=statement.context.run,
        predicate_type=statement.predicate_type,
        keyid=keyid,
        role=role,
        subjects=statement.subjects,
        statement=statement,
    )


def _compare_nodes(ledger: Ledger, tree: merkle.Tree, problems: list[Problem]) -> None:
    missing = {(level, index) for level, row in enumerate(tree.levels) for index in range(len(row))}
    wrong = 0
    try:
        for level, index, digest in ledger.nodes():
            if (level, index) in missing and tree.read(level, index) == digest:
                missing.remove((level, index))
            else:
                wrong += 1
    except EvidenceError as error:
        problems.append(Problem(None, error.message))
    if wrong or missing:
        problems.append(
            Problem(
                None, f"The stored tree does not match the entries: {wrong} nodes are wrong, {len(missing)} missing."
            )
        )


def _stored_head(ledger: Ledger, trust: Trust, problems: list[Problem]) -> Checkpoint | None:
    try:
        head = parse_checkpoint(ledger.checkpoint())
        verify_checkpoint(head, trust.public_keys)
    except EvidenceError as error:
        problems.append(Problem(None, f"Stored checkpoint: {error.message}"))
        return None
    return head


def _extends(
    checkpoint: bytes, head: Checkpoint | None, tree: merkle.Tree, trust: Trust, problems: list[Problem]
) -> bool:
    try:
        earlier = parse_checkpoint(checkpoint)
        verify_checkpoint(earlier, trust.public_keys)
    except EvidenceError as error:
        problems.append(Problem(None, f"Earlier checkpoint: {error.message}"))
        return False
    message = ""
    if head is not None and earlier.origin != head.origin:
        message = "The earlier checkpoint belongs to another ledger."
    elif earlier.size > len(tree):
        message = f"The ledger was cut: it had {earlier.size} entries and has {len(tree)}."
    elif merkle.root(tree.read, earlier.size) != earlier.root:
        message = f"The ledger was rewritten: its first {earlier.size} entries are not those of the earlier checkpoint."
    if message:
        problems.append(Problem(None, message))
    return head is not None and not message
