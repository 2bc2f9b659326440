"""What this layer raises."""

from lockgate.core import LockgateError


class DataError(LockgateError):
    """A manifest, a row file or a document that cannot be written or understood."""
