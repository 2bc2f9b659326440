"""The error that this layer raises."""

from lockgate.core.errors import LockgateError


class EvidenceError(LockgateError):
    """A key, an envelope, a statement, a checkpoint, a trust file or a ledger that must not be used, and why."""
