"""What this layer raises."""

from lockgate.core import LockgateError


class TrainError(LockgateError):
    """A training job that cannot be run or recorded as it is declared."""
