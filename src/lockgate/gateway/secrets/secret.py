"""A value that does not show itself."""

from typing import NoReturn

from lockgate.gateway.errors import GatewayError

MAX_SECRET = 64 << 10


class Secret:
    """A secret text. Printing, formatting and logging it give asterisks; it cannot be pickled.

    Args:
        value: The secret: one line.
        source: The reference that it came from, for messages.

    Raises:
        GatewayError: It is empty, too long, or not one line of text, which no header could carry.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str, *, source: str) -> None:
        stripped = value.strip()
        if not stripped or len(stripped) > MAX_SECRET or not stripped.isprintable():
            what = f"The secret {source} is empty, too long or more than one line."
            raise GatewayError(what, remedy="Store it again.")
        self._value = stripped

    def reveal(self) -> str:
        """The value, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written down.")
