"""The generic cell rate algorithm (ITU-T I.371, annex A; as a limiter of requests: https://brandur.org/rate-limiting).

A meter keeps one number, the theoretical arrival time: the moment at which everything that was used has flowed back.
With `interval` seconds for each unit and a tolerance of `burst * interval`, use is let through while the time stays
within the tolerance of now, so that any span of t seconds sees at most `burst + t / interval` units.

What a request will use is known only after it, so tokens and spend are first held back and counted when they are known.
What is held counts against the tolerance but does not flow back meanwhile. A refund of time that has already passed
would let through more than the bound, and this way none is made.
"""

from typing import NamedTuple

import msgspec

from lockgate.core.config_limits import Measure, RateLimit

KINDS: tuple[Measure, ...] = ("requests", "tokens", "spend")
REQUESTS, TOKENS, SPEND = range(3)

Costs = tuple[float, float, float]
"""Requests, tokens and spend of one request."""

# Sums of many intervals differ in the last digits from the tolerance that they should meet exactly.
_ROUNDING = 1e-9


class Limit(msgspec.Struct, frozen=True):
    """A limit, ready to be applied.

    Attributes:
        id: Tells it from the others; the same after a change of its amount.
        kind: Which of the costs it counts: `REQUESTS`, `TOKENS` or `SPEND`.
        per: Whose use is counted together.
        interval: Seconds in which one unit flows back.
        tolerance: Seconds that use may run ahead.
        capacity: Units that may be used at once.
    """

    id: str
    kind: int
    per: str
    interval: float
    tolerance: float
    capacity: float

    @classmethod
    def of(cls, rate: RateLimit, *, limit_id: str, share: int = 1) -> "Limit":
        """The limit that `rate` describes, or one of `share` equal parts of it."""
        capacity = (rate.limit if rate.burst is None else rate.burst) / share
        interval = rate.every_s * share / rate.limit
        return cls(
            limit_id, KINDS.index(rate.what), rate.per, interval, capacity * interval * (1 + _ROUNDING), capacity
        )

    def remaining(self, level: float) -> float:
        """Units that can be used at once when use runs `level` seconds ahead."""
        return max(0.0, (self.tolerance - level) / self.interval)


class Entry(NamedTuple):
    """A limit as it applies to one caller and model; a tuple, because it is taken apart for every request.

    Attributes:
        key: Names the meter.
        kind: The limit's kind.
        interval: The limit's interval.
        tolerance: The limit's tolerance.
        limit: The limit.
    """

    key: str
    kind: int
    interval: float
    tolerance: float
    limit: Limit


class Full(msgspec.Struct, frozen=True):
    """There is no room.

    Attributes:
        index: Which of the entries has none, or has it last.
        wait_s: Seconds until all of them have.
    """

    index: int
    wait_s: float
