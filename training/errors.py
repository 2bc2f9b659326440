"""What a user of the training commands can act on."""

from lockgate.core import LockgateError


class TrainingError(LockgateError):
    """Data, base weights or an earlier step's result is missing or of another shape."""
