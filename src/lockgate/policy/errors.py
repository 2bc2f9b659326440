"""What this layer tells its user."""

from lockgate.core.errors import LockgateError


class PolicyError(LockgateError):
    """A rule that cannot be understood, so that nothing is decided by it."""
