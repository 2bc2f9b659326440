"""The base of every error that a user may see."""


class LockgateError(Exception):
    """Something a user can act on: what went wrong, and what to do about it.

    Each layer raises one subclass of its own. Messages are written by hand and never carry a matched value, a key or
    a prompt, so they may be printed, logged and signed.

    Args:
        message: What happened, naming the file or the setting.
        remedy: What the user can do, as an imperative sentence. Empty where nothing helps.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class CoreError(LockgateError):
    """A subject, a path or a value that core refuses."""


class ConfigError(LockgateError):
    """`lockgate.yaml` or another file of settings is missing, malformed or says something unknown."""


class SkippedError(LockgateError):
    """Raised inside a check that cannot look at this subject, with the reason. Becomes a SKIPPED outcome."""
