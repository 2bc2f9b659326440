from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.config import RetryConfig
from lockgate.core.config_upstreams import BreakerConfig
from lockgate.gateway.upstreams.breaker import Breaker, Circuit, RetryBudget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_failures_in_a_row_open_it_and_one_trial_closes_it() -> None:
    clock = Clock()
    breaker = Breaker(BreakerConfig(failures=3, open_s=10), clock)
    for _ in range(3):
        assert breaker.allow()
        breaker.failed()
    assert breaker.state is Circuit.OPEN
    assert not breaker.allow()
    clock.now = 10
    assert breaker.state is Circuit.HALF_OPEN
    assert breaker.allow()
    assert not breaker.allow(), "only one trial at a time"
    breaker.failed()
    assert breaker.state is Circuit.OPEN
    clock.now = 20
    assert breaker.allow()
    breaker.abandoned()
    assert breaker.allow(), "a trial that told nothing gives its place back"
    breaker.succeeded()
    assert breaker.state is Circuit.CLOSED


def test_a_share_of_failures_opens_it_too() -> None:
    breaker = Breaker(BreakerConfig(failures=100, share=0.5, window=10), Clock())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state is Circuit.CLOSED
    breaker.failed()
    assert breaker.state is Circuit.OPEN
    breaker.succeeded()
    assert breaker.state is Circuit.OPEN, "an answer from before the failures"


@given(st.lists(st.sampled_from(["ok", "bad", "left", "time"]), max_size=60))
def test_it_never_blocks_for_ever_and_never_opens_without_failures(steps: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(BreakerConfig(failures=3, share=0.5, window=4, open_s=5), clock)
    for step in steps:
        if step == "time":
            clock.now += 5
        elif breaker.allow():
            {"ok": breaker.succeeded, "bad": breaker.failed, "left": breaker.abandoned}[step]()
        else:
            assert "bad" in steps
    clock.now += 5
    assert breaker.allow()


@given(st.integers(0, 50), st.floats(0, 1), st.lists(st.booleans(), max_size=200))
def test_second_tries_never_exceed_what_was_earned(burst: int, share: float, wanted: list[bool]) -> None:
    budget = RetryBudget(RetryConfig(burst=burst, share=share))
    spent = 0
    for number, want in enumerate(wanted, start=1):
        budget.earn()
        spent += want and budget.spend()
        assert spent <= burst + share * number + 1e-6
