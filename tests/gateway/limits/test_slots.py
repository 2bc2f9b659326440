import asyncio

import pytest

from lockgate.core.config_limits import Concurrency
from lockgate.gateway.asgi import AsgiMessage, read_body
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits.slots import UPLOAD, Slots


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def slots(clock: Clock) -> Slots:
    return Slots(Concurrency(), clock=clock)


def test_a_caller_who_is_alone_may_send_as_fast_as_it_can():
    mine = slots(Clock())
    with mine.enter("a"), mine.enter("a"):
        assert [mine.wait_s("a", 1_000_000) for _ in range(100)] == [0.0] * 100


def test_beside_another_caller_bodies_come_at_a_bounded_rate():
    clock = Clock()
    mine = slots(clock)
    with mine.enter("b"), mine.enter("a"):
        assert mine.wait_s("a", 16_384) == 0.0
        started = clock.now
        for _ in range(100):
            clock.now += mine.wait_s("a", 1_000_000)
        assert clock.now - started == pytest.approx(100e6 / UPLOAD, rel=0.02)
        assert mine.wait_s("b", 16_384) == 0.0


def test_one_request_after_the_other_is_no_faster():
    clock = Clock()
    mine = slots(clock)
    with mine.enter("b"):
        started = clock.now
        for _ in range(50):
            with mine.enter("a"):
                clock.now += mine.wait_s("a", 1_000_000)
    assert clock.now - started == pytest.approx(50e6 / UPLOAD, rel=0.05)


def test_callers_who_do_not_come_back_are_forgotten():
    clock = Clock()
    mine = slots(clock)
    with mine.enter("b"):
        for number in range(5_000):
            with mine.enter(f"a{number}"):
                mine.wait_s(f"a{number}", 1_000)
            clock.now += 0.001
        assert len(mine._due) <= 1_001


def test_a_caller_who_was_here_just_now_counts_and_one_who_is_gone_does_not():
    clock = Clock()
    mine = slots(clock)
    with mine.enter("b"):
        pass
    with mine.enter("a"):
        assert mine.wait_s("a", 4_000_000) > 0.0
        clock.now += 2.0
        assert mine.wait_s("a", 4_000_000) == 0.0
    with mine.enter("b"), mine.enter("a"):
        assert mine.wait_s("a", 16_384) == 0.0


async def test_the_time_that_a_caller_is_made_to_wait_is_not_its_own():
    left = 5

    async def receive() -> AsgiMessage:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b"x" * 10, "more_body": left > 0}

    async def paced(size: int) -> float:
        assert size == 10
        await asyncio.sleep(0.06)
        return 0.06

    assert await read_body({"headers": []}, receive, limit=50, within_s=0.2, paced=paced) == b"x" * 50


async def test_a_body_that_does_not_come_is_not_waited_for():
    async def receive() -> AsgiMessage:
        await asyncio.sleep(30)
        raise AssertionError

    async def paced(_: int) -> float:
        return 0.0

    with pytest.raises(ApiError) as caught:
        await read_body({"headers": []}, receive, limit=50, within_s=0.05, paced=paced)
    assert caught.value.status == 408
