"""How far a handful of attacks can be trusted: an interval for a rate, and a test for a pair of rates."""

from math import comb, sqrt
from statistics import NormalDist

from lockgate.redteam.errors import RedteamError

_Z95 = NormalDist().inv_cdf(0.975)


def wilson95(successes: int, attempts: int) -> tuple[float, float]:
    """The 95 % score interval of a binomial proportion (E. B. Wilson, JASA 22, 1927).

    Unlike the textbook interval it stays inside 0 to 1 and has a width when nothing or everything succeeded.

    Args:
        successes: How often it happened.
        attempts: How often it was tried.

    Returns:
        Lower and upper bound; (0, 1), which says nothing, for zero attempts.

    Raises:
        RedteamError: The counts contradict each other.
    """
    if not 0 <= successes <= attempts:
        raise RedteamError(f"{successes} successes in {attempts} attempts cannot be.")
    if attempts == 0:
        return 0.0, 1.0
    share, square = successes / attempts, _Z95 * _Z95
    centre = (share + square / (2 * attempts)) / (1 + square / attempts)
    half = _Z95 / (1 + square / attempts) * sqrt(share * (1 - share) / attempts + square / (4 * attempts * attempts))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == attempts else min(1.0, centre + half)
    return low, high


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided exact p-value of McNemar's test for paired yes/no results (Q. McNemar, Psychometrika 12, 1947).

    Args:
        b: Pairs in which only the first succeeded.
        c: Pairs in which only the second succeeded.

    Returns:
        Probability of a split at least this uneven if both were equally likely; 1 when no pair differs.

    Raises:
        RedteamError: A count is negative.
    """
    if b < 0 or c < 0:
        raise RedteamError("Counts of pairs cannot be negative.")
    differing = b + c
    tail = sum(comb(differing, count) for count in range(min(b, c) + 1))
    return min(1.0, 2 * tail / 2**differing)
