"""What can go wrong around a run."""

from lockgate.core.errors import LockgateError


class PipelineError(LockgateError):
    """A run cannot start or go on: another one is under way, the state folder cannot be written."""
