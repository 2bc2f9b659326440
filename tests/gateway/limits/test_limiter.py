import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.config_limits import (
    Concurrency,
    DistinctPrompts,
    LimitsConfig,
    MemoryStore,
    Price,
    RateLimit,
    RedisStore,
)
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.limits import Estimate, Limiter, check_prices, estimate_tokens

ALICE, BOB = Caller("key-a", "harbour"), Caller("key-b", "harbour")
SMALL = Estimate(10, 20)


def limiter(*rates: RateLimit, workers: int = 1, **fields: object) -> Limiter:
    return Limiter(LimitsConfig(rates=rates, **fields), workers=workers)  # pyright: ignore[reportArgumentType]


async def refusal(
    limits: Limiter, caller: Caller = ALICE, model: str = "small", estimate: Estimate = SMALL
) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await limits.admit(caller, model, estimate)
    return caught.value


async def use(limits: Limiter, caller: Caller = ALICE, model: str = "small", tokens: int = 30) -> None:
    with await limits.admit(caller, model, SMALL) as admission:
        admission.settle(input_tokens=tokens, output_tokens=0)


async def test_a_caller_is_told_what_is_left_and_when_to_come_back():
    limits = limiter(RateLimit(per="key", limit=2, every_s=120), RateLimit(per="key", what="tokens", limit=1000))
    with await limits.admit(ALICE, "small", SMALL) as admission:
        headers = dict(admission.headers())
    assert headers[b"x-ratelimit-remaining-requests"] == b"1"
    assert headers[b"x-ratelimit-remaining-tokens"] == b"970"
    await use(limits)
    error = await refusal(limits)
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert error.message == "The limit of requests per key is reached. Try again in 60 s."
    headers = dict(error.headers())
    assert headers[b"retry-after"] == b"60"
    assert headers[b"x-ratelimit-limit-requests"] == b"2"
    assert headers[b"x-ratelimit-remaining-requests"] == b"0"
    await use(limits, BOB)


async def test_anthropics_names_are_used_where_they_are_asked_for():
    limits = limiter(RateLimit(per="key", limit=1))
    with await limits.admit(ALICE, "small", SMALL, shape="anthropic") as admission:
        assert dict(admission.headers())[b"anthropic-ratelimit-requests-remaining"] == b"0"
    with pytest.raises(ApiError) as caught:
        await limits.admit(ALICE, "small", SMALL, shape="anthropic")
    assert dict(caught.value.headers())[b"anthropic-ratelimit-requests-limit"] == b"1"


@pytest.mark.parametrize(
    ("per", "shared", "apart"),
    [
        ("key", (ALICE, "large"), (BOB, "small")),
        ("tenant", (BOB, "large"), (Caller("key-a", "quay"), "small")),
        ("model", (BOB, "small"), (ALICE, "large")),
        ("key+model", (Caller("key-a", "quay"), "small"), (ALICE, "large")),
        ("tenant+model", (BOB, "small"), (BOB, "large")),
    ],
)
async def test_use_is_counted_together_as_the_limit_says(
    per: str, shared: tuple[Caller, str], apart: tuple[Caller, str]
):
    limits = limiter(RateLimit(per=per, limit=1))  # pyright: ignore[reportArgumentType]
    await use(limits)
    assert (await refusal(limits, *shared)).status == 429
    await use(limits, *apart)


async def test_a_limit_of_everybody_and_limits_of_some():
    limits = limiter(RateLimit(per="total", limit=3), RateLimit(per="key", limit=1, keys=("key-a",), models=("large",)))
    await use(limits, ALICE, "large")
    assert (await refusal(limits, ALICE, "large")).status == 429
    await use(limits, ALICE)
    await use(limits, BOB, "large")
    assert (await refusal(limits, Caller("key-c"))).message.startswith("The limit of requests per total")


async def test_names_that_run_together_are_counted_apart():
    limits = limiter(RateLimit(per="tenant+model", limit=1))
    await use(limits, Caller("k", "a,1.b"), "c")
    await use(limits, Caller("k", "a"), "b,1.c")
    long = "x" * 300
    await use(limits, Caller("k", long), "c")
    assert (await refusal(limits, Caller("k", long), "c")).status == 429


async def test_a_refused_request_costs_nothing():
    limits = limiter(RateLimit(per="total", limit=10, burst=5.0), RateLimit(per="key", limit=1, keys=("key-a",)))
    await use(limits)
    for _ in range(20):
        await refusal(limits)
    for _ in range(4):
        await use(limits, BOB)


async def test_tokens_are_held_back_first_and_counted_when_they_are_known():
    limits = limiter(RateLimit(per="key", what="tokens", limit=100, every_s=1e6))
    with await limits.admit(ALICE, "small", Estimate(40, 60)) as admission:
        assert (await refusal(limits)).status == 429
        admission.settle(input_tokens=30, output_tokens=10)
        admission.settle(input_tokens=0, output_tokens=0)
    with await limits.admit(ALICE, "small", Estimate(20, 39)):
        pass
    assert (await refusal(limits, estimate=Estimate(1, 1))).status == 429


async def test_a_request_that_breaks_off_without_a_count_counts_in_full():
    limits = limiter(RateLimit(per="key", what="tokens", limit=100, every_s=1e6))
    with pytest.raises(ConnectionError), await limits.admit(ALICE, "small", Estimate(50, 40)):
        raise ConnectionError
    assert (await refusal(limits, estimate=Estimate(5, 10))).status == 429


async def test_a_request_larger_than_a_limit_is_told_not_to_come_back():
    limits = limiter(RateLimit(per="key", what="tokens", limit=100))
    error = await refusal(limits, estimate=Estimate(50, 51))
    assert (error.status, error.code) == (400, "request_exceeds_limit")
    assert b"retry-after" not in dict(error.headers())


async def test_spend_follows_the_price_of_the_model():
    prices = {"small": Price(input=1, output=2), "*": Price(input=1000, output=0)}
    limits = limiter(RateLimit(per="key", what="spend", limit=1.0, every_s=86_400), prices=prices)
    for _ in range(10):
        with await limits.admit(ALICE, "small", Estimate(1_000, 10_000)) as admission:
            admission.settle(input_tokens=1_000, output_tokens=10_000)
    with await limits.admit(ALICE, "large", Estimate(700, 0)) as admission:
        admission.settle(input_tokens=700, output_tokens=0)
    assert (await refusal(limits, ALICE, "large", Estimate(100, 0))).message.startswith("The limit of spend per key")


async def test_a_model_without_a_price_is_refused_where_spend_is_limited():
    settings = LimitsConfig(
        rates=(RateLimit(per="key", what="spend", limit=1.0, models=("large",)),),
        prices={"small": Price(input=1, output=1)},
    )
    limits = Limiter(settings)
    assert (await refusal(limits, ALICE, "large")).code == "limits_unavailable"
    await use(limits, ALICE, "other")
    with pytest.raises(GatewayError, match="'large', which has no price"):
        check_prices(settings, ["small", "other", "large"])
    check_prices(settings, ["small", "other"])


async def test_requests_in_progress_are_limited_for_each_key_and_for_all():
    limits = limiter(concurrency=Concurrency(per_key=2, total=3))
    first, second = limits.enter(ALICE), limits.enter(ALICE)
    with pytest.raises(ApiError) as refused:
        limits.enter(ALICE)
    assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
    third = limits.enter(BOB)
    with pytest.raises(ApiError) as refused:
        limits.enter(BOB)
    assert (refused.value.status, refused.value.code) == (503, "overloaded")
    assert limits.in_progress == 3
    for place in (first, second, third):
        with place:
            pass
    assert limits.in_progress == 0
    limits.enter(ALICE)


async def test_a_prompt_or_an_answer_beyond_the_ceiling_is_refused():
    limits = limiter(max_input_tokens=100, max_output_tokens=50)
    assert (await refusal(limits, estimate=Estimate(101, 1))).code == "context_length_exceeded"
    assert (await refusal(limits, estimate=Estimate(100, 51))).code == "max_tokens_too_large"
    with await limits.admit(ALICE, "small", Estimate(100, 50)):
        pass


async def test_a_key_that_asks_too_many_different_things_is_slowed_down():
    limits = limiter(distinct_prompts=DistinctPrompts(limit=20, every_s=3600))
    passed = 0
    for number in range(60):
        with contextlib.suppress(ApiError), await limits.admit(ALICE, "small", Estimate(1, 1, b"question %d" % number)):
            passed += 1
    assert "different prompts" in (await refusal(limits)).message
    assert 18 <= passed <= 22
    for _ in range(60):
        with await limits.admit(BOB, "small", Estimate(1, 1, b"the same")):
            pass


async def test_limits_change_without_forgetting_what_was_used():
    settings = LimitsConfig(rates=(RateLimit(per="key", limit=2, every_s=1e6),))
    limits = Limiter(settings)
    await use(limits)
    limits.reload(LimitsConfig(rates=(RateLimit(per="key", limit=3, every_s=1e6),), concurrency=Concurrency(total=1)))
    await use(limits)
    assert (await refusal(limits)).status == 429
    with pytest.raises(GatewayError, match="cannot change while"):
        limits.reload(LimitsConfig(store=MemoryStore(max_entries=500)))


async def test_workers_share_the_limits():
    rate = RateLimit(per="key", limit=8, every_s=1e6)
    one = limiter(rate, workers=4, concurrency=Concurrency(per_key=4, total=4))
    await use(one)
    await use(one)
    assert (await refusal(one)).status == 429
    with one.enter(BOB), pytest.raises(ApiError, match="of your requests"):
        one.enter(BOB)
    with pytest.raises(GatewayError, match="divided among 9 workers"):
        limiter(rate, workers=9)


async def test_limits_that_look_alike_are_counted_each_on_its_own():
    limits = limiter(RateLimit(per="key", limit=2, every_s=1e6), RateLimit(per="key", limit=3, every_s=1e6))
    await use(limits)
    await use(limits)
    assert (await refusal(limits)).status == 429


async def test_where_every_counter_is_in_use_nothing_new_passes(caplog: pytest.LogCaptureFixture):
    limits = limiter(RateLimit(per="key", limit=1, every_s=1e6), store=MemoryStore(max_entries=100))
    for number in range(100):
        await use(limits, Caller(f"key-{number}"))
    assert (await refusal(limits, Caller("key-new"))).code == "limits_unavailable"
    assert "max_entries" in caplog.text


async def test_a_limiter_in_process_opens_and_is_healthy(open_at: Any, tmp_path: Path):
    async with open_at(LimitsConfig(rates=(RateLimit(per="key", limit=1),)), tmp_path) as limits:
        assert limits.healthy
        await use(limits)


async def test_without_hiredis_the_remedy_is_named(open_at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lockgate.gateway.limits.redis_meters", None)
    settings = LimitsConfig(store=RedisStore(url="redis://127.0.0.1:1"))
    with pytest.raises(GatewayError, match="lockgate\\[redis\\]"):
        async with open_at(settings, tmp_path):
            pass


def test_plans_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lockgate.gateway.limits.plan._MAX_PLANS", 10)
    limits = limiter(RateLimit(per="key", limit=1))
    for number in range(50):
        limits._planner.plan(Caller(f"k{number}"), "small")
    assert len(limits._planner._plans) <= 10


def test_the_estimate_of_a_text_is_rather_too_high():
    assert estimate_tokens(0) == 0
    assert estimate_tokens(1) == 1
    assert estimate_tokens(3_000) == 1_000
