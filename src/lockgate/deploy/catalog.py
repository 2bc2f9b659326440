"""Every check of the deploy stage."""

from lockgate.core import Check
from lockgate.deploy.broken_ledger import BrokenLedger
from lockgate.deploy.broken_lineage import BrokenLineage
from lockgate.deploy.few_approvals import FewApprovals
from lockgate.deploy.missing_link import MissingLink
from lockgate.deploy.out_of_order import OutOfOrder
from lockgate.deploy.revoked_trust import RevokedTrust
from lockgate.deploy.rolled_back import RolledBack
from lockgate.deploy.shared_key import SharedKey
from lockgate.deploy.stale_evidence import StaleEvidence
from lockgate.deploy.subject import Chain
from lockgate.deploy.unacceptable_waiver import UnacceptableWaiver
from lockgate.deploy.uncovered_file import UncoveredFile
from lockgate.deploy.unsigned_path import UnsignedPath
from lockgate.deploy.untrusted_policy import UntrustedPolicy

CHECKS: tuple[type[Check[Chain]], ...] = (
    BrokenLedger,
    MissingLink,
    UncoveredFile,
    OutOfOrder,
    SharedKey,
    UntrustedPolicy,
    FewApprovals,
    StaleEvidence,
    BrokenLineage,
    UnacceptableWaiver,
    RolledBack,
    RevokedTrust,
    UnsignedPath,
)
LASTING: tuple[type[Check[Chain]], ...] = (
    FewApprovals,
    StaleEvidence,
    UnacceptableWaiver,
    RevokedTrust,
    UnsignedPath,
)
"""What can turn bad after the gate was decided, so that it is asked again whenever the application is served."""
