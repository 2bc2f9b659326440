"""The figures of the guard's bench are what they are called, also with ties, small samples and few groups."""

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def measures() -> ModuleType:
    return importlib.import_module("guard_parts.measures")


def judged(measures: ModuleType, rows: list[tuple[int, float, str]], limit: float = 0.5) -> Any:
    labels, scores, groups = zip(*rows, strict=True)
    values = np.array(scores, dtype=np.float64)
    return measures.Judged(np.array(labels, dtype=np.bool_), values, values >= limit, measures.numbered(groups)[1])


def test_one_in_a_hundred_may_lie_above_the_threshold(measures: ModuleType) -> None:
    benign = np.arange(200, dtype=np.float64)
    limit = measures.threshold(benign)
    assert limit == 197.0
    assert (benign > limit).sum() == 2


def test_below_a_hundred_rows_none_may(measures: ModuleType) -> None:
    assert measures.threshold(np.array([0.1, 0.9, 0.4])) == 0.9


def test_ties_count_against_the_detector(measures: ModuleType) -> None:
    benign = np.array([0.0] * 90 + [1.0] * 10)
    assert measures.threshold(benign) == 1.0
    rows = [(0, 1.0, f"b{n}") for n in range(100)] + [(1, 1.0, f"a{n}") for n in range(10)]
    whole = measures.recalls(judged(measures, rows), ["x"] * len(rows), seed=1, rounds=20)[-2]
    assert whole.at_rate.value == 0.0
    assert whole.verdict.value == 1.0


@pytest.mark.parametrize(("share", "limit"), [(0.0, 3.0), (0.25, 2.0), (0.5, 1.0), (1.0, -math.inf)])
def test_any_share_can_be_asked_for(measures: ModuleType, share: float, limit: float) -> None:
    assert measures.threshold(np.array([0.0, 1.0, 2.0, 3.0]), share) == limit


def test_a_row_counts_as_often_as_it_was_drawn(measures: ModuleType) -> None:
    scores = np.array([3.0, 2.0, 1.0])
    assert measures.threshold(scores, 0.5, np.array([2.0, 0.0, 2.0])) == 1.0
    assert measures.threshold(scores, 0.5, np.array([3.0, 0.0, 1.0])) == 3.0


def test_without_benign_rows_no_threshold_is_reached(measures: ModuleType) -> None:
    assert measures.threshold(np.array([])) == math.inf
    found = measures.recalls(judged(measures, [(1, 0.9, "a"), (1, 0.1, "b")]), ["x", "x"], seed=1, rounds=20)
    assert found[0].at_rate.value is None
    assert found[0].verdict.value == 0.5


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.sampled_from([0.01, 0.1, 0.5]))
def test_the_threshold_is_the_lowest_that_keeps_the_rate(scores: list[int], share: float) -> None:
    measures = importlib.import_module("guard_parts.measures")
    values = np.array(scores, dtype=np.float64)
    limit = measures.threshold(values, share)
    assert (values > limit).mean() <= share
    lower = values[values < limit]
    if len(lower):
        assert (values > lower.max()).mean() > share


def test_the_area_counts_ties_half(measures: ModuleType) -> None:
    one = np.array([1.0])
    assert measures.area(np.array([2.0, 1.0, 0.0]), one) == 0.5
    assert measures.area(np.array([3.0]), np.array([1.0, 2.0])) == 1.0
    assert measures.area(np.array([]), one) is None
    assert measures.area(one, np.array([])) is None


def test_slices_then_all_then_their_mean(measures: ModuleType) -> None:
    rows = [(0, n / 1000, f"b{n}") for n in range(100)]
    rows += [(1, 0.9, "a1"), (1, 0.9, "a2"), (1, 0.9, "a3"), (1, 0.0, "c1")]
    found = measures.recalls(judged(measures, rows), ["benign"] * 100 + ["easy"] * 3 + ["hard"], seed=3, rounds=50)
    assert [row.name for row in found] == ["easy", "hard", "all", "mean"]
    assert [row.attacks for row in found] == [3, 1, 4, 4]
    assert [row.at_rate.value for row in found] == [1.0, 0.0, 0.75, 0.5]
    assert [row.verdict.value for row in found] == [1.0, 0.0, 0.75, 0.5]


def test_rows_of_one_group_are_drawn_together(measures: ModuleType) -> None:
    benign = [(0, 0.0, f"b{n}") for n in range(50)]
    alone = [(1, float(n % 2), f"a{n}") for n in range(100)]
    together = [(1, float(n % 2), f"a{n % 2}") for n in range(100)]
    names = ["x"] * 150
    narrow = measures.recalls(judged(measures, benign + alone), names, seed=5, rounds=200)[0].verdict
    wide = measures.recalls(judged(measures, benign + together), names, seed=5, rounds=200)[0].verdict
    assert narrow.value == wide.value == 0.5
    assert 0.35 < narrow.low < 0.5 < narrow.high < 0.65
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_one_group_has_no_interval(measures: ModuleType) -> None:
    rows = [(0, 0.0, "b"), (1, 1.0, "a"), (1, 0.0, "a")]
    share = measures.recalls(judged(measures, rows), ["x"] * 3, seed=5, rounds=20)[0].verdict
    assert (share.value, share.low, share.high) == (0.5, None, None)


def test_where_all_groups_agree_their_number_gives_the_interval(measures: ModuleType) -> None:
    rows = [(0, 0.0, "b"), *((1, 1.0, f"a{n % 4}") for n in range(40))]
    share = measures.recalls(judged(measures, rows), ["x"] * 41, seed=5, rounds=20)[0].verdict
    assert share.value == 1.0
    assert share.low == pytest.approx(0.5101, abs=1e-4)
    assert share.high == 1.0


def test_the_same_seed_gives_the_same_intervals(measures: ModuleType) -> None:
    rows = [(0, n / 50, f"b{n % 7}") for n in range(50)] + [(1, n / 40, f"a{n % 9}") for n in range(40)]
    names = ["x"] * 90
    first, again, other = (measures.recalls(judged(measures, rows), names, seed, 50)[0] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_slowest_hundredth() -> None:
    percentile = importlib.import_module("guard_parts.speed").percentile99
    assert percentile([float(n) for n in range(1, 201)]) == 198.0
    assert percentile([5.0, 1.0]) == 5.0
    assert percentile([7.0]) == 7.0
