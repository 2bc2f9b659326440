"""Leaving an upstream alone that keeps failing (a circuit breaker), and paying for second tries (a retry budget)."""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from lockgate.core.config_upstreams import BreakerConfig, RetryConfig


class Circuit(StrEnum):
    """CLOSED lets calls pass, OPEN refuses them, HALF_OPEN lets one try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts an upstream's failures and opens when there are too many, in a row or as a share.

    Call `allow` before a call and exactly one of `succeeded`, `failed` or `abandoned` after it.

    Args:
        settings: When it opens, and for how long.
        clock: Monotonic seconds.
    """

    def __init__(self, settings: BreakerConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._in_a_row = 0
        self._recent: deque[bool] = deque(maxlen=settings.window)
        self._bad = 0
        self._opened_at = 0.0
        self._trying = False
        self._open = False

    @property
    def state(self) -> Circuit:
        """What it would do with a call now."""
        if not self._open:
            return Circuit.CLOSED
        rested = self._clock() - self._opened_at >= self._settings.open_s
        return Circuit.HALF_OPEN if rested else Circuit.OPEN

    def allow(self) -> bool:
        """Whether a call may go out. In the half-open state that is the one trial call."""
        if not self._open:
            return True
        if self._trying or self.state is not Circuit.HALF_OPEN:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """The upstream answered. After a trial call the circuit is closed again."""
        self._in_a_row = 0
        if self._open:
            if self._trying:  # an answer to a call from before the failures says nothing new
                self._close()
        elif self._bad or len(self._recent) < self._settings.window:
            self._remember(failed=False)

    def failed(self) -> None:
        """The upstream did not answer, or said that it cannot."""
        self._in_a_row += 1
        if self._open:
            self._trip()
            return
        self._remember(failed=True)
        full = len(self._recent) == self._settings.window
        if self._in_a_row >= self._settings.failures or (
            full and self._bad >= self._settings.share * self._settings.window
        ):
            self._trip()

    def abandoned(self) -> None:
        """The call ended for a reason that says nothing about the upstream, for instance because the caller left."""
        self._trying = False

    def _remember(self, *, failed: bool) -> None:
        if len(self._recent) == self._settings.window:
            self._bad -= self._recent[0]
        self._recent.append(failed)
        self._bad += failed

    def _trip(self) -> None:
        self._open, self._trying, self._opened_at = True, False, self._clock()

    def _close(self) -> None:
        self._open, self._trying, self._bad = False, False, 0
        self._recent.clear()


class RetryBudget:
    """A token bucket: every request earns a share of a second try, so that an outage is not multiplied.

    Args:
        settings: What a request earns, and how much may be saved up.
    """

    def __init__(self, settings: RetryConfig) -> None:
        self._share = settings.share
        self._most = float(settings.burst)
        self._saved = self._most

    def earn(self) -> None:
        """A request came."""
        self._saved = min(self._most, self._saved + self._share)

    def spend(self) -> bool:
        """Whether a second try may be made; it is paid for."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
