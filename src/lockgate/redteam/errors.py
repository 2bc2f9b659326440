"""The one error of this layer."""

from lockgate.core.errors import LockgateError


class RedteamError(LockgateError):
    """A corpus, a target, a journal or a result that the red team cannot work with."""
