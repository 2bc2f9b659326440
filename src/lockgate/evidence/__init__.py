"""Evidence: what was found, signed, in a log that can only grow, and verified from its bytes alone.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lockgate.core import Examination, Outcome, Stage, Status, SubjectRef, sha256_hex
    >>> from lockgate.evidence import *
    >>> rows = SubjectRef("rows.jsonl", sha256_hex(b"{}"))
    >>> found = Examination((rows,), (Outcome("LG-DATA-001", Status.PASSED, rows),))
    >>> statement = results_statement(found, context=RunContext(stage=Stage.DATA, run="r1"), configuration=())
    >>> with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder), key_for(Role.SCANNER)) as ledger:
    ...     entry = ledger.append(sign(statement.encode(), key_for(Role.SCANNER)))
    ...     report = verify_ledger(Path(folder), first_use_trust(), checkpoint=ledger.checkpoint())
    >>> entry.seq, report.ok, report.rollback_excluded
    (0, True, True)
"""

from lockgate.evidence.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from lockgate.evidence.demands import Demands, Revoked
from lockgate.evidence.dsse import Envelope, open_envelope, sign, verify
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import KeyInfo, Role, Signer, SigningKey, VerifyKey, create_key, key_for, list_keys
from lockgate.evidence.ledger import ConsistencyProof, Entry, InclusionProof, Ledger
from lockgate.evidence.predicates import (
    APPROVAL,
    MODEL_SIGNATURE,
    OVERRIDE,
    PREDICATES,
    PROVENANCE,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Approval,
    CheckResults,
    Override,
    Predicate,
    Provenance,
    Result,
    RunContext,
    VerificationSummary,
)
from lockgate.evidence.statement import (
    Statement,
    approval_statement,
    override_statement,
    parse_statement,
    provenance_statement,
    results_statement,
    summary_statement,
)
from lockgate.evidence.trust import Trust, TrustedIdentity, TrustedKey, first_use_trust, load_trust, render_trust
from lockgate.evidence.verification import LedgerReport, Problem, VerifiedEntry, verify_ledger

__all__ = [
    "APPROVAL",
    "MODEL_SIGNATURE",
    "OVERRIDE",
    "PREDICATES",
    "PROVENANCE",
    "TEST_RESULT",
    "VERIFICATION_SUMMARY",
    "Approval",
    "CheckResults",
    "Checkpoint",
    "ConsistencyProof",
    "Demands",
    "Entry",
    "Envelope",
    "EvidenceError",
    "InclusionProof",
    "KeyInfo",
    "Ledger",
    "LedgerReport",
    "Override",
    "Predicate",
    "Problem",
    "Provenance",
    "Result",
    "Revoked",
    "Role",
    "RunContext",
    "Signer",
    "SigningKey",
    "Statement",
    "Trust",
    "TrustedIdentity",
    "TrustedKey",
    "VerificationSummary",
    "VerifiedEntry",
    "VerifyKey",
    "approval_statement",
    "create_key",
    "first_use_trust",
    "key_for",
    "list_keys",
    "load_trust",
    "open_envelope",
    "override_statement",
    "parse_checkpoint",
    "parse_statement",
    "provenance_statement",
    "render_trust",
    "results_statement",
    "sign",
    "summary_statement",
    "verify",
    "verify_checkpoint",
    "verify_ledger",
]
