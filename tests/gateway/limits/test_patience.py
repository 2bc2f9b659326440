import asyncio
import time
from collections.abc import MutableMapping

import pytest

from lockgate.core.config_limits import Patience
from lockgate.gateway.asgi import DisconnectedError
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits import patient

EVENT = {"type": "http.response.body", "body": b"x", "more_body": True}


async def taken(message: MutableMapping[str, object]) -> None:
    await asyncio.sleep(0)


async def never_taken(message: MutableMapping[str, object]) -> None:
    await asyncio.sleep(60)


async def test_a_caller_who_does_not_read_is_cut_off():
    started = time.monotonic()
    with pytest.raises(DisconnectedError):
        async with patient(never_taken, Patience(write_s=0.2)) as send:
            await send(EVENT)
    assert 0.2 <= time.monotonic() - started < 1.5


async def test_an_answer_without_an_end_is_ended():
    async def endless() -> None:
        async with patient(taken, Patience(stream_s=0.2)) as send:
            while True:
                await send(EVENT)
                await asyncio.sleep(0.01)

    with pytest.raises(ApiError) as caught:
        await endless()
    assert (caught.value.status, caught.value.code) == (504, "stream_too_long")


async def test_a_slow_model_is_not_a_slow_caller():
    async with patient(taken, Patience(write_s=0.05)) as send:
        for _ in range(3):
            await send(EVENT)
            await asyncio.sleep(0.1)


async def test_other_timeouts_stay_what_they_are():
    async def timed_out() -> None:
        async with patient(taken, Patience()) as send:
            await send(EVENT)
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await timed_out()


async def test_a_write_costs_next_to_nothing():
    async def bare(message: MutableMapping[str, object]) -> None:
        pass

    async with patient(bare, Patience()) as send:
        started = time.process_time()
        for _ in range(20_000):
            await send(EVENT)
        assert (time.process_time() - started) / 20_000 < 15e-6
