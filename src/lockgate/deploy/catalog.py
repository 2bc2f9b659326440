"""Every check of the deploy stage."""

from lockgate.core import Check
from lockgate.deploy.broken_ledger import BrokenLedger
from lockgate.deploy.missing_link import MissingLink
from lockgate.deploy.out_of_order import OutOfOrder
from lockgate.deploy.shared_key import SharedKey
from lockgate.deploy.subject import Chain
from lockgate.deploy.uncovered_file import UncoveredFile
from lockgate.deploy.untrusted_policy import UntrustedPolicy

CHECKS: tuple[type[Check[Chain]], ...] = (
    BrokenLedger,
    MissingLink,
    UncoveredFile,
    OutOfOrder,
    SharedKey,
    UntrustedPolicy,
)
