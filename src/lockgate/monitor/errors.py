"""What the monitor tells its user."""

from lockgate.core import LockgateError


class MonitorError(LockgateError):
    """The event store cannot be opened, read or written."""
