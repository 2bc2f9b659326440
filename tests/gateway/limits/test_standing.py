import datetime as dt

import pytest

from lockgate.core.config_limits import RateLimit
from lockgate.gateway.limits.gcra import Entry, Limit
from lockgate.gateway.limits.standing import duration, retry_after, standing


def entry(what: str, limit: float) -> Entry:
    made = Limit.of(RateLimit(per="key", what=what, limit=limit, every_s=60), limit_id="x")  # pyright: ignore[reportArgumentType]
    return Entry("k", made.kind, made.interval, made.tolerance, made)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (0.0201, "21ms"), (1, "1s"), (59.2, "1m0s"), (360, "6m0s"), (3605, "1h0m5s")],
)
def test_durations_read_as_openai_writes_them(seconds: float, text: str):
    assert duration(seconds) == text


def test_openais_clients_see_the_tightest_limit_of_each_kind():
    rows = [entry("requests", 100), entry("requests", 60), entry("tokens", 6000), entry("spend", 5)]
    assert dict(standing(rows, [0.6, 3.0, 30.0, 1.0], "openai")) == {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"57",
        b"x-ratelimit-reset-requests": b"3s",
        b"x-ratelimit-limit-tokens": b"6000",
        b"x-ratelimit-remaining-tokens": b"3000",
        b"x-ratelimit-reset-tokens": b"30s",
    }


def test_anthropics_clients_see_their_names_and_a_point_in_time():
    found = dict(standing([entry("requests", 60)], [30.0], "anthropic"))
    assert found[b"anthropic-ratelimit-requests-limit"] == b"60"
    assert found[b"anthropic-ratelimit-requests-remaining"] == b"30"
    reset = dt.datetime.fromisoformat(found[b"anthropic-ratelimit-requests-reset"].decode())
    assert 25 < (reset - dt.datetime.now(dt.UTC)).total_seconds() < 31


def test_without_limits_nothing_is_said():
    assert standing([], [], "openai") == []


def test_a_wait_is_given_in_whole_seconds_and_in_milliseconds():
    assert retry_after(0.25) == [(b"retry-after", b"1"), (b"retry-after-ms", b"250")]
    assert retry_after(2.001) == [(b"retry-after", b"3"), (b"retry-after-ms", b"2001")]
