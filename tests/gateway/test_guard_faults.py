import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lockgate.core import Origin, Span, Verdict
from lockgate.core.config import GuardConfig
from lockgate.gateway import ApiError, GuardPool
from lockgate.gateway.guarding import BRIEF, LONG
from lockgate.guard import Guard, Known, Message


class CrashingGuard(Guard):
    """A guard whose every judgement of an answer or a request is a crash."""

    def __init__(self, *, crash_on: Origin) -> None:
        super().__init__(GuardConfig())
        self._crash_on = crash_on

    def inspect(self, text: str, origin: Origin | str = Origin.USER) -> Verdict:
        if Origin(origin) is self._crash_on:
            raise ZeroDivisionError(text)
        return super().inspect(text, origin)

    def inspect_messages(self, messages: Sequence[Message], known: Known | None = None) -> Verdict:
        if self._crash_on is Origin.USER:
            raise ZeroDivisionError
        return super().inspect_messages(messages)

    def blocking(self, text: str) -> tuple[Span, ...]:
        if self._crash_on is Origin.MODEL:
            raise ZeroDivisionError(text)
        return super().blocking(text)


class SlowGuard(Guard):
    """A guard that takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__(GuardConfig())
        self.go_on = threading.Event()

    def inspect_messages(self, messages: Sequence[Message], known: Known | None = None) -> Verdict:
        self.go_on.wait(30)
        return super().inspect_messages(messages)


async def test_a_guard_that_crashes_on_a_request_refuses_it(start: Callable[..., Any]) -> None:
    async with start(guard=CrashingGuard(crash_on=Origin.USER)) as world:
        status, answer = await world.chat()
        event = (await world.events())[0]
    assert (status, answer["error"]["code"]) == (503, "guard_unavailable")
    assert world.model.bodies == []
    assert (event.action, event.labels, event.status) == ("error", ("guard.error",), 503)


async def test_a_guard_that_crashes_on_an_answer_holds_it_back(start: Callable[..., Any]) -> None:
    async with start(guard=CrashingGuard(crash_on=Origin.MODEL)) as world:
        status, answer = await world.chat()
        _, text = await world.chat_stream()
    assert (status, answer["error"]["code"]) == (503, "guard_unavailable")
    assert "nine" not in text
    assert "guard_unavailable" in text
    assert "[DONE]" not in text


async def test_a_guard_that_is_too_slow_refuses_the_request(start: Callable[..., Any]) -> None:
    guard = SlowGuard()
    async with start(guard=guard) as world:
        status, answer = await world.chat()
        alive, _, _ = await world.send("GET", "/livez")
        guard.go_on.set()
        assert (await world.events())[0].labels == ("guard.error", "guard.timeout")
    assert (status, answer["error"]["code"]) == (503, "guard_unavailable")
    assert alive == 200
    assert world.model.bodies == []


async def test_abandoned_work_keeps_its_place_until_it_ends() -> None:
    pool = GuardPool(workers=1, waiting=1, limit_s=0.05, waits_s=0.05)
    release = threading.Event()
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            await pool.run(release.wait)
        assert caught.value.labels == ("guard.error", "guard.timeout")
    release.set()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if not pool.saturated:
            break
    assert await pool.run(lambda: 7) == 7
    pool.close()


async def test_too_much_work_is_refused_at_once() -> None:
    pool = GuardPool(workers=1, waiting=1, limit_s=5)
    release = threading.Event()
    waiting = [asyncio.ensure_future(pool.run(release.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    assert pool.saturated
    with pytest.raises(ApiError) as caught:
        await pool.run(lambda: 1)
    assert caught.value.labels == ("guard.error", "guard.overloaded")
    release.set()
    assert await asyncio.gather(*waiting) == [True, True]
    pool.close()


async def test_after_the_end_nothing_is_judged_and_nothing_passes() -> None:
    pool = GuardPool()
    pool.close()
    with pytest.raises(ApiError) as caught:
        await pool.run(lambda: 1)
    assert caught.value.status == 503
    assert not pool.saturated


async def test_a_crash_in_the_log_quotes_nothing(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    async with start(guard=CrashingGuard(crash_on=Origin.MODEL)) as world:
        world.model.pieces = ["canary-answer-text"]
        _, answer = await world.chat()
    assert "canary" not in caplog.text + json.dumps(answer)
    assert "ZeroDivisionError" in caplog.text


async def test_long_texts_wait_for_each_other_and_short_ones_go_on() -> None:
    pool = GuardPool(workers=1, long_waiting=1, limit_s=5)
    release = threading.Event()
    slow = [asyncio.ensure_future(pool.run(release.wait, size=LONG + 1)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await pool.run(lambda: 7, size=LONG) == 7
    assert not pool.saturated
    with pytest.raises(ApiError) as caught:
        await pool.run(lambda: 1, size=LONG + 1)
    assert caught.value.labels == ("guard.error", "guard.overloaded")
    release.set()
    assert await asyncio.gather(*slow) == [True, True]
    pool.close()


async def test_callers_take_turns_however_much_one_of_them_sends() -> None:
    pool = GuardPool(workers=1, waiting=100, limit_s=5)
    release, done = threading.Event(), list[str]()

    def work(whose: str) -> Callable[[], None]:
        def call() -> None:
            release.wait()
            done.append(whose)

        return call

    much = [asyncio.ensure_future(pool.run(work("much"), whose="much")) for _ in range(20)]
    await asyncio.sleep(0)
    little = asyncio.ensure_future(pool.run(work("little"), whose="little"))
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*much, little)
    assert done.index("little") <= 2
    pool.close()


async def test_one_caller_cannot_take_all_the_room() -> None:
    pool = GuardPool(workers=1, waiting=10, limit_s=5)
    release = threading.Event()
    results = [asyncio.ensure_future(pool.run(release.wait, whose="greedy")) for _ in range(30)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(pool.run(release.wait, whose="other"))
    await asyncio.sleep(0)
    release.set()
    assert await other is True
    refused = [error for error in await asyncio.gather(*results, return_exceptions=True) if error is not True]
    assert refused
    assert all(isinstance(error, ApiError) and error.labels[-1] == "guard.overloaded" for error in refused)
    pool.close()


async def test_what_waits_when_the_pool_closes_is_not_left_waiting() -> None:
    pool = GuardPool(workers=1, waiting=10, limit_s=5)
    release = threading.Event()
    first = asyncio.ensure_future(pool.run(release.wait))
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(pool.run(lambda: 1))
    await asyncio.sleep(0)
    pool.close()
    release.set()
    assert await first is True
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_brief_work_is_done_on_the_spot_once_it_is_known_to_be_quick() -> None:
    pool = GuardPool(workers=1)
    here = threading.get_ident()

    def costly() -> int:
        until = time.thread_time() + 0.002
        while time.thread_time() < until:
            pass
        return threading.get_ident()

    assert await pool.run_brief(threading.get_ident, size=100) != here
    for _ in range(200):
        await pool.run_brief(threading.get_ident, size=1)
    assert await pool.run_brief(threading.get_ident, size=100) == here
    assert await pool.run_brief(threading.get_ident, size=BRIEF + 1) != here
    assert await pool.run_brief(costly, size=500) == here
    assert await pool.run_brief(costly, size=500) != here
    for _ in range(200):  # what was cheap for long enough is trusted again
        await pool.run_brief(threading.get_ident, size=200)
    assert await pool.run_brief(threading.get_ident, size=500) == here
    pool.close()


async def test_brief_work_that_crashes_refuses_and_after_the_end_nothing_is_done() -> None:
    pool = GuardPool(workers=1)
    with pytest.raises(ApiError) as caught:
        await pool.run_brief(lambda: 1 // 0, size=1)
    assert (caught.value.status, caught.value.labels) == (503, ("guard.error",))
    pool.close()
    with pytest.raises(ApiError) as caught:
        await pool.run_brief(lambda: 1, size=1)
    assert caught.value.status == 503


async def test_one_guard_begins_after_the_other_and_then_both_go_on() -> None:
    """Side by side from the start they would only take turns in Python; in the encoder they must run side by side."""
    pool = GuardPool(workers=2, limit_s=5)
    together = threading.Barrier(2)
    both = [asyncio.ensure_future(pool.run(lambda: together.wait(5))) for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [0, 1]
    pool.close()


async def test_threads_without_work_end_and_others_begin_when_there_is_some() -> None:
    pool = GuardPool(workers=1)
    assert await pool.run(lambda: 1) == 1
    for _ in range(300):
        if not any(thread.name == "lockgate-guard" for thread in threading.enumerate()):
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("a thread waits for ever")
    assert await pool.run(lambda: 2) == 2
    pool.close()


async def test_without_a_thread_nothing_is_judged_and_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = GuardPool(workers=1)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ApiError) as caught:
            await pool.run(lambda: 1)
    assert caught.value.status == 503
    assert await pool.run(lambda: 2) == 2
    pool.close()
