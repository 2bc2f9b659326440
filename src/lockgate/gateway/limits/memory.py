"""Meters in this process: no I/O, bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from lockgate.gateway.limits.gcra import REQUESTS, Costs, Entry, Full

_SWEEP = 64


class Meter:
    """One meter.

    Attributes:
        tat: Theoretical arrival time, on the store's clock.
        held: Seconds that running requests hold back.
    """

    __slots__ = ("held", "tat")

    def __init__(self) -> None:
        self.tat = 0.0
        self.held = 0.0


class TakenHere:
    """Room that was taken in some meters."""

    __slots__ = ("_clock", "_rows")

    def __init__(self, rows: list[tuple[Meter, int, float, float]], clock: Callable[[], float]) -> None:
        self._rows = rows
        self._clock = clock

    def levels(self) -> list[float]:
        """For each limit the seconds that use runs ahead now."""
        now = self._clock()
        return [max(0.0, meter.tat - now) + meter.held for meter, _, _, _ in self._rows]

    def settle(self, costs: Costs) -> None:
        """Give back what is held and count what was used."""
        now = self._clock()
        for meter, kind, interval, seconds in self._rows:
            if kind != REQUESTS:
                held = meter.held - seconds
                # Rounding must not leave a meter in use for ever.
                meter.held = held if held > interval * 1e-6 else 0.0
                meter.tat = (max(now, meter.tat)) + costs[kind] * interval


class NoRoomError(Exception):
    """Every meter is in use, so there is none for a new caller."""


class MemoryMeters:
    """Meters by key.

    A meter from which everything has flowed back is the same as none, so only such a one is dropped to make room: no
    flood of keys resets a limit.

    Args:
        max_entries: Meters that are kept.
        clock: Seconds that never go back.
    """

    def __init__(self, max_entries: int, clock: Callable[[], float]) -> None:
        self._max = max_entries
        self._clock = clock
        self._meters: OrderedDict[str, Meter] = OrderedDict()

    def __len__(self) -> int:
        return len(self._meters)

    def take(self, entries: Sequence[Entry], costs: Costs) -> TakenHere | Full:
        """Take room in every entry, or in none.

        Raises:
            NoRoomError: A new meter is needed and every old one is in use.
        """
        now = self._clock()
        meters = self._meters
        if len(meters) + len(entries) > self._max:
            self._make_room(entries, now)
        rows: list[tuple[Meter, int, float, float]] = []
        for key, kind, interval, tolerance, _ in entries:
            meter = meters.get(key)
            if meter is None:
                meter = meters[key] = Meter()
            seconds = costs[kind] * interval
            ahead = meter.tat - now
            if (max(0.0, ahead)) + meter.held + seconds > tolerance:
                return self._full(entries, costs, now)
            rows.append((meter, kind, interval, seconds))
        for meter, kind, _, seconds in rows:
            if kind == REQUESTS:
                meter.tat = (max(now, meter.tat)) + seconds
            else:
                meter.held += seconds
        return TakenHere(rows, self._clock)

    def _full(self, entries: Sequence[Entry], costs: Costs, now: float) -> Full:
        waits: list[float] = []
        for key, kind, interval, tolerance, _ in entries:
            meter = self._meters.get(key)
            level = max(0.0, meter.tat - now) + meter.held if meter else 0.0
            waits.append(level + costs[kind] * interval - tolerance)
        longest = max(waits)
        return Full(waits.index(longest), longest)

    def _make_room(self, entries: Sequence[Entry], now: float) -> None:
        meters = self._meters
        mine = {entry.key for entry in entries}
        missing = sum(key not in meters for key in mine)
        for _ in range(min(_SWEEP, len(meters))):
            if len(meters) + missing <= self._max:
                return
            key = next(iter(meters))
            meter = meters[key]
            if meter.held or meter.tat > now or key in mine:
                meters.move_to_end(key)
            else:
                del meters[key]
        if missing and len(meters) + missing > self._max:
            raise NoRoomError
