"""How far a handful of attacks can be trusted: an interval for a rate, and a test for a pair of rates."""

from math import ceil, comb, sqrt
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
    low, high = _interval(successes / attempts, attempts)
    return (0.0 if successes == 0 else low), (1.0 if successes == attempts else high)


def _interval(share: float, attempts: int) -> tuple[float, float]:
    square = _Z95 * _Z95
    centre = (share + square / (2 * attempts)) / (1 + square / attempts)
    half = _Z95 / (1 + square / attempts) * sqrt(share * (1 - share) / attempts + square / (4 * attempts * attempts))
    return max(0.0, centre - half), min(1.0, centre + half)


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


def attempts_for_bound(bound: float, *, limit: int = 1_000_000) -> int:
    """The fewest attacks after which no success at all puts the upper end of the 95 % interval at or below `bound`.

    With n attempts and no success the Wilson upper end is z^2 / (n + z^2).

    Args:
        bound: Share, above 0 and below 1.
        limit: Largest answer.

    Raises:
        RedteamError: The bound is no share that could be reached.
    """
    if not 0 < bound < 1:
        raise RedteamError(f"An upper bound of {bound:g} cannot be reached.", remedy="Choose a share between 0 and 1.")
    square = _Z95 * _Z95
    return min(limit, ceil(square * (1 - bound) / bound - 1e-9))


def worse_exact(fixed: int, fallen: int) -> float:
    """One-sided exact p-value that things got worse, for paired yes/no results (McNemar's test, binomial tail).

    Args:
        fixed: Pairs in which only the earlier run succeeded.
        fallen: Pairs in which only the later run succeeded.

    Returns:
        Probability of at least `fallen` of the differing pairs if both directions were equally likely.

    Raises:
        RedteamError: A count is negative.
    """
    if fixed < 0 or fallen < 0:
        raise RedteamError("Counts of pairs cannot be negative.")
    differing = fixed + fallen
    return float(sum(comb(differing, count) for count in range(fallen, differing + 1)) / 2**differing)


def more_exact(first: int, of_first: int, second: int, of_second: int) -> float:
    """One-sided p-value that the first share is the larger one (R. A. Fisher's exact test, hypergeometric tail).

    Args:
        first: Successes of the first group.
        of_first: Its attempts.
        second: Successes of the second group.
        of_second: Its attempts.

    Returns:
        Probability of at least `first` of all successes in the first group if both groups were alike.

    Raises:
        RedteamError: The counts contradict each other.
    """
    if not (0 <= first <= of_first and 0 <= second <= of_second):
        raise RedteamError("Counts of successes cannot be negative or larger than those of attempts.")
    successes = first + second
    ways = comb(of_first + of_second, successes)
    return (
        sum(comb(of_first, k) * comb(of_second, successes - k) for k in range(first, min(successes, of_first) + 1))
        / ways
    )
