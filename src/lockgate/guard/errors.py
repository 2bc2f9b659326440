"""What the guard tells a caller."""

from lockgate.core import LockgateError, Verdict


class GuardError(LockgateError):
    """The guard refuses."""


class StreamBlockedError(GuardError):
    """A stream was blocked: nothing more of it may be sent.

    Attributes:
        verdict: Why; its spans count from the start of the stream.
        released: Text that had become safe to send before the block was found and was not yet returned.
    """

    def __init__(self, verdict: Verdict, released: str) -> None:
        super().__init__("The guard blocked this answer.", remedy="Send none of the rest.")
        self.verdict = verdict
        self.released = released
