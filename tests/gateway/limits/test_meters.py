import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.config_limits import RateLimit
from lockgate.gateway.limits.gcra import TOKENS, Entry, Full, Limit
from lockgate.gateway.limits.memory import MemoryMeters, NoRoomError, TakenHere


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def entry(key: str = "k", **rate: object) -> Entry:
    limit = Limit.of(RateLimit(**({"per": "key", "limit": 60} | rate)), limit_id="x")  # pyright: ignore[reportArgumentType]
    return Entry(key, limit.kind, limit.interval, limit.tolerance, limit)


def costs(units: float) -> tuple[float, float, float]:
    return (units, units, units)


def taken(found: TakenHere | Full) -> TakenHere:
    assert isinstance(found, TakenHere)
    return found


def refused(found: TakenHere | Full) -> Full:
    assert isinstance(found, Full)
    return found


def test_a_burst_passes_at_once_and_then_one_unit_flows_back_each_interval():
    clock = Clock()
    meters = MemoryMeters(100, clock)
    limit = entry(limit=60, every_s=60, burst=3)
    for _ in range(3):
        taken(meters.take([limit], costs(1)))
    assert refused(meters.take([limit], costs(1))).wait_s == pytest.approx(1.0)
    clock.now += 0.9
    assert refused(meters.take([limit], costs(1))).wait_s == pytest.approx(0.1)
    clock.now += 0.1
    taken(meters.take([limit], costs(1)))


EVENTS = st.lists(
    st.tuples(st.floats(0, 20), st.integers(1, 30), st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=60
)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.floats(0.1, 100), st.floats(1, 60), st.integers(1, 50))
def test_no_span_sees_more_requests_than_burst_plus_rate(
    events: list[tuple[float, int, float, int]], limit: float, every_s: float, burst: int
):
    clock = Clock()
    meters = MemoryMeters(100, clock)
    row = entry(limit=limit, every_s=every_s, burst=float(burst))
    passed: list[tuple[float, int]] = []
    for pause, units, _, _ in events:
        clock.now += pause
        if isinstance(meters.take([row], costs(units)), TakenHere):
            passed.append((clock.now, units))
    bounded(passed, burst, limit / every_s)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.floats(0.1, 100), st.floats(1, 60), st.integers(1, 50))
def test_no_span_sees_more_settled_tokens_than_burst_plus_rate(
    events: list[tuple[float, int, float, int]], limit: float, every_s: float, burst: int
):
    """What is used is counted when it is known, late, out of order, and never beyond the bound."""
    clock = Clock()
    meters = MemoryMeters(100, clock)
    row = entry(what="tokens", limit=limit, every_s=every_s, burst=float(burst))
    running: list[tuple[TakenHere, int]] = []
    used: list[tuple[float, float]] = []
    for pause, units, share, settled in events:
        clock.now += pause
        found = meters.take([row], costs(units))
        if isinstance(found, TakenHere):
            running.append((found, units))
        for _ in range(min(settled, len(running))):
            held, reserved = running.pop(int(share * (len(running) - 1)))
            held.settle(costs(reserved * share))
            used.append((clock.now, reserved * share))
    bounded(used, burst, limit / every_s)


def bounded(passed: list[tuple[float, float]] | list[tuple[float, int]], burst: float, rate: float) -> None:
    for first, (begin, _) in enumerate(passed):
        total = 0.0
        for at, units in passed[first:]:
            total += units
            assert total <= (burst + (at - begin) * rate) * (1 + 1e-6) + 1e-6


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=40))
def test_of_two_limits_either_both_count_or_none(events: list[tuple[float, bool]]):
    clock = Clock()
    meters = MemoryMeters(100, clock)
    tight, wide = entry("a", limit=1, every_s=7, burst=2.0), entry("b", limit=1000, every_s=1)
    single = MemoryMeters(100, clock)
    for pause, both in events:
        clock.now += pause
        if both:
            together = meters.take([wide, tight], costs(1))
            alone = single.take([tight], costs(1))
            assert isinstance(together, Full) is isinstance(alone, Full)
        else:
            before = taken(meters.take([wide], costs(0))).levels()
            refused(meters.take([wide, tight], costs(5)))
            assert taken(meters.take([wide], costs(0))).levels() == before


def test_what_was_held_and_not_used_can_be_used_again():
    meters = MemoryMeters(100, Clock())
    row = entry(what="tokens", limit=100)
    held = taken(meters.take([row], costs(100)))
    assert refused(meters.take([row], costs(1))).index == 0
    held.settle(costs(30))
    assert row.limit.remaining(taken(meters.take([row], costs(0))).levels()[0]) == pytest.approx(70)


def test_use_beyond_the_estimate_is_paid_before_the_next_request():
    clock = Clock()
    meters = MemoryMeters(100, clock)
    row = entry(what="tokens", limit=100, every_s=100)
    taken(meters.take([row], costs(10))).settle(costs(150))
    assert refused(meters.take([row], costs(1))).wait_s == pytest.approx(51)
    clock.now += 51
    taken(meters.take([row], costs(1)))


def test_a_flood_of_keys_neither_grows_the_memory_nor_resets_a_limit():
    clock = Clock()
    meters = MemoryMeters(100, clock)
    mine = entry("mine", limit=2, every_s=3_600)
    taken(meters.take([mine], costs(2)))
    for number in range(5_000):
        clock.now += 0.01
        taken(meters.take([entry(f"other-{number}", limit=1000, every_s=1)], costs(1)))
        assert len(meters) <= 100
    refused(meters.take([mine], costs(2)))


def test_where_every_meter_is_in_use_a_new_key_is_refused_and_an_old_one_is_not():
    clock = Clock()
    meters = MemoryMeters(100, clock)
    for number in range(100):
        taken(meters.take([entry(f"k{number}", limit=2, every_s=60)], costs(1)))
    for _ in range(3):
        with pytest.raises(NoRoomError):
            meters.take([entry("new")], costs(1))
    taken(meters.take([entry("k7", limit=2, every_s=60)], costs(1)))
    clock.now += 120
    taken(meters.take([entry("new")], costs(1)))


def test_a_meter_that_holds_something_is_kept_however_old_it_is():
    clock = Clock()
    meters = MemoryMeters(10, clock)
    row = entry("running", what="tokens", limit=10)
    held = taken(meters.take([row], costs(10)))
    for number in range(50):
        clock.now += 1_000
        taken(meters.take([entry(f"k{number}")], costs(1)))
    refused(meters.take([row], costs(1)))
    held.settle(costs(0))
    taken(meters.take([row], costs(10)))


def test_a_share_of_a_limit_has_that_part_of_its_burst_and_rate():
    whole = Limit.of(RateLimit(per="key", what="tokens", limit=600, every_s=60), limit_id="x")
    part = Limit.of(RateLimit(per="key", what="tokens", limit=600, every_s=60), limit_id="x", share=4)
    assert whole.kind == TOKENS
    assert (part.capacity, part.interval) == (whole.capacity / 4, whole.interval * 4)
