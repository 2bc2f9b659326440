"""Keeps each ledger's newest checkpoint outside the project, so that a rollback of the ledger is found.

The place is named after the ledger and the folder that holds it: a copy of the project elsewhere is another place, with
a history of its own from there on.
"""

from pathlib import Path

from lockgate.core.home import home, write_private
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.evidence import (
    EvidenceError,
    Ledger,
    LedgerReport,
    Problem,
    Trust,
    parse_checkpoint,
    verify_ledger,
)
from lockgate.evidence.checkpoint import MAX_CHECKPOINT


def verified(project: Project, trust: Trust) -> LedgerReport:
    """Verify the project's ledger, also against the checkpoint that was kept and the name that trust demands.

    Raises:
        EvidenceError: There is no ledger, or it cannot be opened.
    """
    origin, _ = _head(project)
    report = verify_ledger(project.state, trust, checkpoint=_kept(project, origin))
    if trust.demands.ledger and trust.demands.ledger != origin:
        message = f"This ledger is {origin or 'without a name'}; the trust file demands {trust.demands.ledger}."
        return LedgerReport(
            report.size,
            report.root,
            (*report.problems, Problem(None, message)),
            report.entries,
            report.rollback_excluded,
            report.trust,
        )
    return report


def keep(project: Project) -> None:
    """Keep the newest checkpoint of a ledger that was just verified or appended to.

    Raises:
        EvidenceError: The ledger cannot be opened.
        OSError: The place outside the project cannot be written.
    """
    origin, checkpoint = _head(project)
    if origin:
        write_private(_place(project, origin), checkpoint)


def _head(project: Project) -> tuple[str, bytes]:
    with Ledger.open_readonly(project.state) as ledger:
        checkpoint = ledger.checkpoint()
    try:
        return parse_checkpoint(checkpoint).origin, checkpoint
    except EvidenceError:
        # Verification says what is wrong with it.
        return "", checkpoint


def _kept(project: Project, origin: str) -> bytes | None:
    path = _place(project, origin)
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return stream.read(MAX_CHECKPOINT + 1)


def _place(project: Project, origin: str) -> Path:
    name = sha256_hex(f"{origin}\n{project.root}".encode("utf-8", "surrogateescape"))
    return home() / "checkpoints" / f"{name[:32]}.txt"
