"""Requests in progress at the same time."""

from types import TracebackType

from lockgate.core.config_limits import Concurrency
from lockgate.gateway.limits.refusals import too_many_at_once


class Slots:
    """Counts requests in progress, of each key and of all.

    Attributes:
        total: Requests in progress.

    Args:
        settings: The limits.
        share: Into how many equal parts they are cut, of which this is one.
    """

    def __init__(self, settings: Concurrency, *, share: int = 1) -> None:
        self._share = share
        self._running: dict[str, int] = {}
        self.total = 0
        self.change(settings)

    def change(self, settings: Concurrency) -> None:
        """Apply other limits; who is in stays in."""
        self._per_key = max(1, settings.per_key // self._share)
        self._total = max(1, settings.total // self._share)

    def enter(self, key_id: str) -> "Place":
        """Begin a request, which ends with the context that this gives.

        Raises:
            LimitError: 429 when the key, 503 when everybody together has too many.
        """
        mine = self._running.get(key_id, 0)
        if mine >= self._per_key:
            raise too_many_at_once(mine=True)
        if self.total >= self._total:
            raise too_many_at_once(mine=False)
        self._running[key_id] = mine + 1
        self.total += 1
        return Place(self, key_id)

    def leave(self, key_id: str) -> None:
        """End a request."""
        left = self._running[key_id] - 1
        if left:
            self._running[key_id] = left
        else:
            del self._running[key_id]
        self.total -= 1


class Place:
    """The place of one request in progress; use it as a context."""

    __slots__ = ("_key_id", "_slots")

    def __init__(self, slots: Slots, key_id: str) -> None:
        self._slots = slots
        self._key_id = key_id

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slots.leave(self._key_id)
