"""The supply stage's error."""

from lockgate.core.errors import LockgateError


class SupplyError(LockgateError):
    """A model file that cannot be examined, or a worker process that cannot be started."""
