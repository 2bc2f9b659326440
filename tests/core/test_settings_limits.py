import pytest

from lockgate.core import ConfigError
from lockgate.core.config import Config, parse
from lockgate.core.config_limits import LimitsConfig, MemoryStore, RedisStore


def served(**fields: object) -> Config:
    upstream = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    return parse({"version": 1, "project": "demo", "serve": {"upstream": upstream, **fields}})


def test_without_limits_there_are_ceilings_and_no_rules():
    serve = served().serve
    assert serve
    assert serve.limits == LimitsConfig()
    assert serve.limits.store == MemoryStore()
    assert serve.limits.concurrency.total == 128
    assert serve.rules is None


def test_limits_and_rules_are_read():
    serve = served(
        limits={
            "rates": [
                {"per": "key", "limit": 60, "burst": 10},
                {"per": "tenant+model", "what": "spend", "limit": 5, "every_s": 86400},
            ],
            "prices": {"*": {"input": 1, "output": 2}},
            "store": {"kind": "redis", "url": "rediss://redis.internal:6380/1", "password": "env:REDIS_PASSWORD"},
        },
        rules=[{"id": "all", "effect": "allow"}, {"id": "none", "effect": "deny", "when": "stream"}],
    ).serve
    assert serve
    assert isinstance(serve.limits.store, RedisStore)
    assert serve.limits.store.when_down == "refuse"
    assert [rule.effect for rule in serve.rules or ()] == ["allow", "deny"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"limits": {"rates": [{"per": "key", "limit": 0.5}]}}, "burst of at least 1"),
        ({"limits": {"rates": [{"per": "key", "limit": 5, "burst": 0.5}]}}, "burst of at least 1"),
        ({"limits": {"rates": [{"per": "key", "what": "spend", "limit": 1}]}}, "needs `prices`"),
        ({"limits": {"rates": [{"per": "user", "limit": 1}]}}, "rates[0].per"),
        ({"limits": {"rates": [{"per": "key", "limit": 0}]}}, "rates[0].limit"),
        ({"limits": {"store": {"kind": "redis", "url": "redis://:secret@host"}}}, "limits.store.url"),
        ({"limits": {"store": {"kind": "redis", "url": "redis://host", "prefix": "a}b"}}}, "limits.store.prefix"),
        ({"limits": {"rate": []}}, "Did you mean 'rates'"),
        ({"rules": [{"id": "a b", "effect": "deny"}]}, "rules[0].id"),
        ({"rules": [{"id": "a", "effect": "permit"}]}, "rules[0].effect"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], expected: str):
    with pytest.raises(ConfigError) as caught:
        served(**fields)
    assert expected in str(caught.value)
