"""What can go wrong when a report is written."""

from lockgate.core.errors import LockgateError


class ReportError(LockgateError):
    """A report cannot be rendered or written."""
