"""The numbers are right: against tables, against a direct solution, and at the edges."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.redteam import RedteamError
from lockgate.redteam.statistics import attempts_for_bound, mcnemar_exact, wilson95, worse_exact

Z = 1.959963984540054


@pytest.mark.parametrize(
    ("successes", "attempts", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17), table I, score method without continuity correction.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_matches_published_values(successes: int, attempts: int, low: float, high: float) -> None:
    assert wilson95(successes, attempts) == pytest.approx((low, high), abs=5e-5)


counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
@settings(deadline=None)  # machines that are busy are not wrong
def test_wilson_bounds_solve_the_score_equation(count: tuple[int, int]) -> None:
    successes, attempts = count
    share = successes / attempts
    for bound in wilson95(successes, attempts):
        score = (share - bound) ** 2 * attempts
        assert score == pytest.approx(Z * Z * bound * (1 - bound), abs=1e-9)


@given(counts)
@settings(deadline=None)  # machines that are busy are not wrong
def test_wilson_holds_the_rate_and_is_symmetric(count: tuple[int, int]) -> None:
    successes, attempts = count
    low, high = wilson95(successes, attempts)
    assert 0 <= low <= successes / attempts <= high <= 1
    assert low < high
    assert wilson95(attempts - successes, attempts) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_nothing_tried_says_nothing() -> None:
    assert wilson95(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "attempts"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(successes: int, attempts: int) -> None:
    with pytest.raises(RedteamError):
        wilson95(successes, attempts)


@pytest.mark.parametrize(
    ("b", "c", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 2, 0.03857421875), (4, 4, 1.0)]
)
def test_mcnemar_matches_binomial_tables(b: int, c: int, p: float) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(p, abs=1e-12)


@given(st.integers(0, 300), st.integers(0, 300))
@settings(deadline=None)  # machines that are busy are not wrong
def test_mcnemar_is_the_two_sided_binomial_test(b: int, c: int) -> None:
    n = b + c
    as_extreme = sum(Fraction(comb(n, k), 2**n) for k in range(n + 1) if abs(2 * k - n) >= abs(b - c))
    assert mcnemar_exact(b, c) == pytest.approx(float(as_extreme), rel=1e-9)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_negative_pairs_are_refused() -> None:
    with pytest.raises(RedteamError):
        mcnemar_exact(-1, 2)


@given(st.floats(0.001, 0.5))
@settings(deadline=None)  # machines that are busy are not wrong
def test_the_attempts_for_a_bound_are_just_enough(bound: float) -> None:
    needed = attempts_for_bound(bound)
    assert wilson95(0, needed)[1] <= bound + 1e-9
    assert needed == 1 or wilson95(0, needed - 1)[1] > bound


def test_known_sample_sizes() -> None:
    assert (attempts_for_bound(0.15), attempts_for_bound(0.02)) == (22, 189)


@pytest.mark.parametrize("bound", [0, 1, -1, 2])
def test_a_bound_that_no_run_reaches_is_refused(bound: float) -> None:
    with pytest.raises(RedteamError):
        attempts_for_bound(bound)


@given(st.integers(0, 40), st.integers(0, 40))
@settings(deadline=None)  # machines that are busy are not wrong
def test_getting_worse_is_a_one_sided_question(fixed: int, fallen: int) -> None:
    p_value = worse_exact(fixed, fallen)
    assert 0 < p_value <= 1
    assert worse_exact(fixed, fallen + 1) <= p_value + 1e-12
    assert worse_exact(0, 5) == pytest.approx(1 / 32)
