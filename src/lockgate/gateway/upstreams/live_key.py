"""An upstream's key in a secret store, which may change while the endpoint answers."""

from collections.abc import Callable
from time import monotonic

from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.upstreams.credentials import sendable
from lockgate.gateway.upstreams.dialect import Dialect

# A key that an upstream refuses is looked up anew, but not for every request of a wave of them.
_COOLDOWN_S = 10.0


class LiveKey:
    """The key that counts now, and the dialect that sends it.

    Args:
        reference: Where the key lies.
        secrets: Knows it for as long as it counts.
        speak: The dialect that sends a given key.
    """

    def __init__(self, reference: str, secrets: Secrets, speak: Callable[[str], Dialect]) -> None:
        self._reference = reference
        self._secrets = secrets
        self._speak = speak
        self._said: tuple[str, Dialect] | None = None
        self._refused = float("-inf")

    async def dialect(self) -> Dialect:
        """The dialect that sends the key that counts now.

        Raises:
            GatewayError: The key cannot be had any more, or cannot travel in a header.
        """
        key = (await self._secrets.get(self._reference)).reveal()
        if self._said is None or self._said[0] != key:
            self._said = key, self._speak(sendable(key, self._reference))
        return self._said[1]

    def refused(self) -> None:
        """The upstream did not take it: it may have been rotated."""
        now = monotonic()
        if now - self._refused > _COOLDOWN_S:
            self._refused = now
            self._secrets.forget(self._reference)
